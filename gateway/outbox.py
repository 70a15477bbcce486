"""Sending to clients without ever waiting for one: who does not keep up, or is gone, loses the session."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Final

import numpy as np
import zmq

from engine.schema import EVENT, REASON_TEXT, EventArray, Reason
from gateway import answers, sockets, wire
from gateway.answers import note_consumed
from gateway.compiled import COMPILED
from gateway.frames import ROW, Taken
from gateway.pushes import IS_PUSHED
from gateway.routing import pages
from gateway.sessions import Connection, Port, Registry
from gateway.wire import FrameType

if COMPILED:
    from gateway.answers import note_consumed_at, write_answers_at
    from gateway.sockets import send_at

FIRST_PART: Final = zmq.SNDMORE | zmq.NOBLOCK
EVENTS: Final = 16_384
"""Events of a batch that there is always room for."""


class Outbox:
    """Sends frames and remembers which sessions were lost over it.

    Args:
        registry: the sessions.
        credit_bytes: what a client may leave unconfirmed.
        counters: shared with the service.

    Attributes:
        ports: what clients are connected to.
        lost: connections whose SESSION_DOWN has still to be journaled, with the reason.
    """

    def __init__(self, registry: Registry, credit_bytes: int, counters: Counter[str]) -> None:
        self.lost: list[tuple[Connection, Reason]] = []
        self.ports: list[Port] = []
        self._registry = registry
        self._seats, self._seats_at = registry.seats, registry.seats.ctypes.data
        self._credit_bytes = credit_bytes
        self.counters = counters
        self._make_room(EVENTS)

    def send(self, connection: Connection, frame: bytes) -> None:
        """Send one frame to a session that is still connected."""
        if connection.session.connection is not connection:
            return
        port = connection.port
        port.used = True
        socket = port.socket
        try:
            socket.send(connection.identity, FIRST_PART)
            socket.send(frame, zmq.NOBLOCK)
        except zmq.Again:
            self._slow(connection)
            return
        except zmq.ZMQError:
            self.lose(connection, Reason.DISCONNECTED)
            return
        connection.sent = time.monotonic_ns()
        connection.sent_bytes += len(frame)
        if connection.outstanding > self._credit_bytes:
            self._slow(connection)

    def _slow(self, connection: Connection) -> None:
        self.counters["slow consumers"] += 1
        reject = wire.SessionReject(int(Reason.SLOW_CONSUMER), REASON_TEXT[Reason.SLOW_CONSUMER])
        self._try(connection.port, connection.identity, wire.pack(FrameType.SESSION_REJECT, reject))
        self.lose(connection, Reason.SLOW_CONSUMER, cut=True)

    def _try(self, port: Port, identity: bytes, frame: bytes) -> None:
        port.used = True
        try:
            port.socket.send_multipart([identity, frame], zmq.NOBLOCK)
        except zmq.ZMQError:
            self.counters["unsent"] += 1

    # --- what a batch has led to --------------------------------------------------------------------------------------

    def consumed(self, found: Taken) -> None:
        """The commands of these senders are durable."""
        if COMPILED:
            note_consumed_at(found.senders_at, self._seats_at, len(found.senders))
        else:
            note_consumed(found.senders, len(found.senders), self._seats)

    def answer(self, events: EventArray) -> bool:
        """Tell every session of durable events; False, and nothing done, when `gateway.pushes` has a part in it.

        Args:
            events: contiguous.
        """
        count = len(events)
        if count > self._most_events:
            self._make_room(count)
        told = self._answer(events, count)
        if self._most_events > EVENTS:  # after a mass cancel, say: so much memory is not kept
            self._make_room(EVENTS)
        return told

    def _answer(self, events: EventArray, count: int) -> bool:
        pages = self._write(events, count)
        if pages < 0:
            return False
        first = 0
        while (ended := self._send(first, pages)) != sockets.SENT_ALL:
            first = (ended & (sockets.OVER_CREDIT - 1)) + 1
            session, at, size = self._rows[first - 1].tolist()
            connection = self._registry.sessions[session].connection
            assert connection is not None
            if ended & sockets.OVER_CREDIT:
                self._slow(connection)
            else:
                self.send(connection, self._words.view(np.uint8)[at : at + size].tobytes())
        for port in self.ports:
            port.used = True
        return True

    def _make_room(self, events: int) -> None:
        """Buffers for so many events, and the compiled loops on them."""
        self._most_events = events
        words, rows = np.empty(answers.room(events), np.int64), np.empty((2 * events, ROW), np.int64)
        copies, to = np.empty(2 * events, EVENT), np.empty(2 * events, np.int32)
        tables = (copies, copies.view(np.int64).reshape(-1, answers.EVENT_WORDS), to, words, rows)
        seats, identity, credit = self._seats, np.zeros(sockets.IDENTITY, np.uint8), self._credit_bytes
        clock = time.monotonic_ns
        self._words, self._rows, self._kept = words, rows, (copies, to, identity)
        self._write: Callable[[EventArray, int], int]
        self._send: Callable[[int, int], int]
        if not COMPILED:
            self._write = lambda events, count: answers.write_answers(events, count, IS_PUSHED, seats, *tables)
            self._send = lambda first, count: sockets.send(seats, rows, first, count, words, identity, clock(), credit)
            return
        pushed_at, seats_at = IS_PUSHED.ctypes.data, self._seats_at
        tables_at = [table.ctypes.data for table in tables]
        words_at, rows_at, identity_at, size = words.ctypes.data, rows.ctypes.data, identity.ctypes.data, len(words)
        self._write = lambda events, count: write_answers_at(events.ctypes.data, pushed_at, seats_at, *tables_at, count)
        self._send = lambda first, count: send_at(
            seats_at, rows_at, first, count, words_at, size, identity_at, clock(), credit
        )

    # --- one frame ----------------------------------------------------------------------------------------------------

    def events(self, connection: Connection, records: EventArray, previous: int) -> None:
        """Send event records, which follow the session's event `previous`, in as many frames as they need."""
        parts = pages(records, wire.MAX_RECORDS) if len(records) > wire.MAX_RECORDS else [records]
        for part in parts:
            if part is parts[-1]:
                # Only now: a number counts as acknowledged when all of its events have been sent.
                connection.acknowledged = connection.session.consumed
            data, count = part.tobytes(), len(part)
            first, last = wire.sequence_at(data, 0), wire.sequence_at(data, count - 1)
            self.send(connection, wire.pack_events(data, count, (previous, first, last, connection.acknowledged)))
            previous = last

    def tell(
        self,
        connection: Connection,
        reason: Reason,
        first: int = 0,
        count: int = 0,
        token: int = 0,
        retry_ms: int = 0,
    ) -> None:
        """A SESSION_REJECT to a session; `first` and `count` name the commands that were refused."""
        reject = wire.SessionReject(int(reason), REASON_TEXT[reason], first, count, retry_ms)
        self.send(connection, wire.pack(FrameType.SESSION_REJECT, reject, token))

    def reject(
        self, port: Port, identity: bytes, reason: Reason, detail: str = "", token: int = 0, retry_ms: int = 0
    ) -> None:
        """A SESSION_REJECT to whoever is behind a routing id."""
        text = f"{REASON_TEXT[reason]} ({detail})" if detail else REASON_TEXT[Reason(reason)]
        connection = port.connections.get(identity)
        reject = wire.SessionReject(int(reason), text, retry_ms=retry_ms)
        frame = wire.pack(FrameType.SESSION_REJECT, reject, token)
        if connection is None:
            self._try(port, identity, frame)
        else:
            self.send(connection, frame)

    def lose(self, connection: Connection, reason: Reason, cut: bool = False) -> None:
        """The session is no longer connected; with `cut`, later frames of this connection are dropped unread."""
        if connection.session.connection is not connection:
            return
        connection.session.disconnect()
        if cut:
            connection.port.cut(connection, time.monotonic_ns())
        else:
            connection.port.remove(connection)
        self.counters["sessions lost"] += 1
        self.lost.append((connection, reason))

    def take_lost(self) -> list[tuple[Connection, Reason]]:
        lost, self.lost = self.lost, []
        return lost
