"""Logon: who somebody is, whether he may, and the connection that becomes his session's."""

from __future__ import annotations

import time
from typing import Final

from engine.schema import DisconnectPolicy, Reason
from gateway import wire
from gateway.config import Config
from gateway.exchange import Exchange
from gateway.losses import Losses
from gateway.outbox import Outbox
from gateway.sessions import Connection, Port, Registry, Session
from gateway.wire import FrameType, WireError

MIN_HEARTBEAT_MS: Final = 200
MAX_HEARTBEAT_MS: Final = 30_000
_POLICIES: Final = tuple(DisconnectPolicy)


class Logons:
    """Answers LOGON frames. The service carries out what waits before it hands one over."""

    def __init__(self, exchange: Exchange, registry: Registry, config: Config, outbox: Outbox, losses: Losses) -> None:
        self._exchange = exchange
        self._registry = registry
        self._config = config
        self._out = outbox
        self._losses = losses
        self._counters = outbox.counters

    def logon(self, port: Port, identity: bytes, key: str, opened: wire.Frame) -> None:
        """Answer a LOGON, once all commands before it are carried out. Raises WireError.

        Args:
            key: the public key that the handshake has proved; "" on the local socket.
        """
        logon = wire.unpack(opened, wire.Logon)
        # Self-chosen routing ids could squat on others' names; ZeroMQ's own start with a zero byte.
        if not identity.startswith(b"\x00"):
            self._out.reject(port, identity, Reason.MALFORMED_FRAME, detail="do not set a routing id")
            return
        session = self._who(port, key, logon)
        if session is None:
            self._counters["unknown"] += 1
            self._out.reject(port, identity, Reason.UNKNOWN_SESSION, token=opened.token)
            return
        if logon.policy not in _POLICIES or not 0 <= logon.heartbeat_ms <= MAX_HEARTBEAT_MS:
            raise WireError(Reason.MALFORMED_FRAME, "policy is 0 to 2, heartbeat_ms 0 or 200 to 30,000")
        # A logon is journaled: who logs on in a loop must not fill the disk.
        if not session.queries.take(1, time.monotonic_ns()):
            self._counters["throttled"] += 1
            wait = session.queries.wait_ms(1)
            self._out.reject(port, identity, Reason.THROTTLED, token=opened.token, retry_ms=wait)
            return
        refused = self._exchange.session_up(session.number, logon.policy)
        if refused is not Reason.NONE:
            self._out.reject(port, identity, refused, token=opened.token)
            return
        self._leave(session, port, identity)
        self._take_over(session, port, identity)
        self._connect(port, identity, session, logon, opened.token, key)

    def _who(self, port: Port, key: str, logon: wire.Logon) -> Session | None:
        if port.local:
            return self._registry.by_name(logon.session)
        session = self._registry.by_key(key)
        return session if session is not None and logon.session in ("", session.name) else None

    def _leave(self, session: Session, port: Port, identity: bytes) -> None:
        """Who logs on as somebody else on the same connection logs the one before out."""
        before = port.connections.get(identity)
        if before is not None and before.session is not session:
            self._out.lose(before, Reason.USER_REQUESTED)
            self._losses.settle()

    def _take_over(self, session: Session, port: Port, identity: bytes) -> None:
        earlier = session.connection
        if earlier is not None:
            if (earlier.port, earlier.identity) != (port, identity):
                self._out.tell(earlier, Reason.TAKEN_OVER)
            earlier.port.remove(earlier)
            session.disconnect()

    def _connect(self, port: Port, identity: bytes, session: Session, logon: wire.Logon, token: int, key: str) -> None:
        heartbeat_ms = max(MIN_HEARTBEAT_MS, logon.heartbeat_ms or self._config.heartbeat_ms)
        connection = Connection(port, identity, session, heartbeat_ms * 1_000_000, key)
        self._losses.recall(session)
        port.add(connection)
        session.connect(connection, time.monotonic_ns())
        session.last_number = session.consumed = self._exchange.engine.last_client_order_id(session.number)
        answer = wire.LogonAnswer(
            session=session.number,
            name=session.name,
            firm=session.firm,
            role=session.role,
            epoch=self._exchange.epoch,
            last_client_order_id=session.last_number,
            last_event=session.last_event,
            heartbeat_ms=heartbeat_ms,
            credit_bytes=self._config.credit_bytes,
            commands_per_second=self._config.commands_per_second,
            durability=self._exchange.writer.genesis.durability,
            venue=self._exchange.venue.name,
            journal_time=self._exchange.clock.peek(),
            clock_rate=self._exchange.clock.rate,
            cancels_per_second=session.cancels.rate,
            grace_ms=self._config.grace_ms,
        )
        self._counters["logons"] += 1
        self._out.send(connection, wire.pack(FrameType.LOGON_ANSWER, answer, token))
