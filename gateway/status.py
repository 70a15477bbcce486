"""The answer to a status query: what the venue takes, room in the journal, and what each session has been refused."""

from __future__ import annotations

import time
from collections import Counter
from typing import Final

from engine.schema import Role
from gateway.exchange import Exchange
from gateway.room import Room
from gateway.sessions import Registry, Session
from gateway.utc import UtcWatch
from gateway.wire_status import SessionStatus, StatusData
from replay.writer import SpaceState

ACCEPTS: Final = {SpaceState.OK: "orders", SpaceState.DRAIN: "cancels", SpaceState.HALT: "nothing"}


class StatusBoard:
    """How one server is. A firm sees its own sessions, an operator all of them and the venue's counters."""

    def __init__(
        self, exchange: Exchange, registry: Registry, room: Room, counters: Counter[str], utc: UtcWatch
    ) -> None:
        self._exchange = exchange
        self._registry = registry
        self._room = room
        self._counters = counters
        self._utc = utc

    def answer(self, asked_by: Session) -> StatusData:
        """The status as `asked_by` may see it."""
        exchange, operator = self._exchange, asked_by.role == Role.OPERATOR
        space, now = exchange.writer.space(), time.monotonic_ns()
        return StatusData(
            accepts=ACCEPTS[self._room.state],
            epoch=exchange.epoch,
            journal_time=exchange.clock.peek(),
            durability=exchange.writer.genesis.durability,
            command_sequence=exchange.command_sequence,
            event_sequence=exchange.event_sequence,
            segment_bytes=space.segment_bytes,
            used_bytes=space.used,
            prepared_bytes=space.prepared,
            sessions=tuple(
                _session(session, now)
                for session in self._registry.sessions.values()
                if operator or session is asked_by or (session.firm and session.firm == asked_by.firm)
            ),
            counters=tuple(sorted(self._counters.items())) if operator else (),
            clock=self._utc.status(),
        )


def _session(session: Session, now: int) -> SessionStatus:
    connection = session.connection
    return SessionStatus(
        session=session.number,
        name=session.name,
        connected=connection is not None,
        grace_ms=max(0, (session.down_at - now) // 1_000_000) if session.down_at else 0,
        commands=session.taken,
        throttled_orders=session.throttled_orders,
        throttled_cancels=session.throttled_cancels,
        drained=session.drained,
        unconfirmed_bytes=connection.outstanding if connection is not None else 0,
    )
