"""Lost sessions: down at once, or after the grace in which a session may come back to its orders.

Whoever logs out, or is ended by the venue, is down at once. Who is merely gone, or too slow, is away for the configured
grace; a logon within it goes on where it was, and only afterwards SESSION_DOWN is journaled, which makes the engine
carry out the disconnect policy. A venue that stops or starts anew grants none.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from engine.schema import EventArray, Reason
from gateway import wire
from gateway.exchange import Exchange
from gateway.outbox import Outbox
from gateway.sessions import Port, Registry, Session
from gateway.wire import FrameType

GRACED: Final = (Reason.DISCONNECTED, Reason.SLOW_CONSUMER)


class Losses:
    """Journals SESSION_DOWN for the connections that the outbox has given up.

    Args:
        grace_ms: real milliseconds a lost session may be away.
        run_calendar, publish: the service's, for what a lost session leads to.

    Attributes:
        away: sessions that are gone and not yet down, by number.
    """

    def __init__(
        self,
        exchange: Exchange,
        registry: Registry,
        outbox: Outbox,
        grace_ms: int,
        run_calendar: Callable[[], None],
        publish: Callable[[EventArray], None],
    ) -> None:
        self.away: dict[int, Session] = {}
        self._exchange = exchange
        self._registry = registry
        self._out = outbox
        self._grace_ns = grace_ms * 1_000_000
        self._run_calendar = run_calendar
        self._publish = publish

    def settle(self) -> None:
        """Deal with every connection lost since; what that cancels may meet further lost ones."""
        while self._out.lost:
            now = time.monotonic_ns()
            down = []
            for connection, reason in self._out.take_lost():
                session = connection.session
                if session.connection is not None:
                    continue
                if self._grace_ns and reason in GRACED:
                    session.down_at, session.down_reason = now + self._grace_ns, reason
                    self.away[session.number] = session
                else:
                    down.append((session.number, reason))
            self._take_down(down)

    def recall(self, session: Session) -> None:
        """The session has logged on again."""
        session.down_at = 0
        self.away.pop(session.number, None)

    def expire(self, now: int) -> None:
        """Take down who has been away too long at monotonic time `now` (ns)."""
        over = [session for session in self.away.values() if session.down_at <= now]
        for session in over:
            self.recall(session)
        self._take_down([(session.number, session.down_reason) for session in over])
        self.settle()

    def cut_ended(self) -> None:
        """End the connections of sessions that the venue has ended, and the grace of those that are away."""
        for session in self._registry.sessions.values():
            if session.ended and session.connection is not None:
                self._out.tell(session.connection, Reason.SESSION_ENDED)
                self._out.lose(session.connection, Reason.SESSION_ENDED, cut=True)
            elif session.ended and session.down_at:
                session.down_at, session.down_reason = 1, Reason.SESSION_ENDED

    def cut_revoked(self) -> list[str]:
        """End the connections whose key is no longer valid; returns the sessions' names."""
        found = []
        for session in self._registry.sessions.values():
            connection = session.connection
            if connection is not None and connection.key and not self._registry.admits(connection.key):
                self._out.tell(connection, Reason.SESSION_ENDED)
                self._out.lose(connection, Reason.SESSION_ENDED, cut=True)
                found.append(session.name)
        self.settle()
        return found

    def close(self, ports: list[Port]) -> None:
        """The venue stops: every client is told, every session is down in the journal."""
        self._grace_ns = 0
        for port in ports:
            for connection in list(port.connections.values()):
                self._out.send(connection, wire.pack(FrameType.LOGGED_OUT, wire.Logout()))
                self._out.lose(connection, Reason.DISCONNECTED)
        self.settle()
        self.expire(1 << 63)

    def _take_down(self, sessions: list[tuple[int, Reason]]) -> None:
        if sessions:
            self._run_calendar()
            self._publish(self._exchange.sessions_down(sessions))
