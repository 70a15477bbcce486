"""Sending to clients without ever waiting for one: who does not keep up, or is gone, loses the session."""

from __future__ import annotations

import time
from collections import Counter
from typing import Final

import zmq

from engine.schema import REASON_TEXT, EventArray, Reason
from gateway import wire
from gateway.routing import pages
from gateway.sessions import Connection, Port
from gateway.wire import FrameType

FIRST_PART: Final = zmq.SNDMORE | zmq.NOBLOCK


class Outbox:
    """Sends frames and remembers which sessions were lost over it.

    Args:
        credit_bytes: what a client may leave unconfirmed.
        counters: shared with the service.

    Attributes:
        lost: connections whose SESSION_DOWN has still to be journaled, with the reason.
    """

    def __init__(self, credit_bytes: int, counters: Counter[str]) -> None:
        self.lost: list[tuple[Connection, Reason]] = []
        self._credit_bytes = credit_bytes
        self.counters = counters

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

    def event(self, connection: Connection, record: bytes, previous: int, sequence: int) -> None:
        """Send one event record, the session's first behind its event `previous`."""
        connection.acknowledged = connection.session.consumed
        self.send(connection, wire.pack_event(record, previous, sequence, connection.acknowledged))

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
        connection.session.connection = None
        connection.cut = cut
        if not cut:
            connection.port.connections.pop(connection.identity, None)
        self.counters["sessions lost"] += 1
        self.lost.append((connection, reason))

    def take_lost(self) -> list[tuple[Connection, Reason]]:
        lost, self.lost = self.lost, []
        return lost
