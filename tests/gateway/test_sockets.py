"""Messages taken from real sockets and put into them many at a time."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zmq

from gateway import seats, sockets, wire
from gateway.compiled import COMPILED
from gateway.inbox import Inbox
from gateway.sessions import Connection, Port, Session
from gateway.wire import HEADER, MAX_MESSAGE, FrameType
from tests.gateway.builders import limit

pytestmark = pytest.mark.nojit

TRADER, OPERATOR = 3, 5


class Line:
    """A ROUTER with an inbox, and clients: two who are logged on, the second one an operator, and a stranger."""

    def __init__(self, folder: Path, most_frames: int = 8, most_bytes: int = 1 << 16) -> None:
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        router = self.context.socket(zmq.ROUTER)
        router.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE)
        router.setsockopt(zmq.ROUTER_MANDATORY, 1)
        router.bind(f"ipc://{folder / 's'}")
        self.port = Port(router, "", local=True)
        self.table = seats.seats()
        self.inbox = Inbox(self.table, most_frames, most_bytes)
        self.trader, self.operator, self.stranger = (self._client(folder) for _ in range(3))
        for number, client in ((TRADER, self.trader), (OPERATOR, self.operator)):
            client.send(b"hello")
            identity, _ = router.recv_multipart()
            row = self.table[number]
            row["session"], row["operator"] = number, number == OPERATOR
            buckets = [seats.Bucket(100, 100) for _ in range(3)]
            session = Session(number, "", 1, 0, "", *buckets, seat=row)
            connection = Connection(self.port, identity, session, 1_000)
            self.port.add(connection)
            session.connect(connection, 1)

    def _client(self, folder: Path) -> Any:
        client = self.context.socket(zmq.DEALER)
        client.connect(f"ipc://{folder / 's'}")
        return client

    def arrived(self) -> None:
        """Wait for a message; those sent before by the same client have come, too."""
        assert self.port.socket.poll(5_000)

    def gathered(self) -> list[tuple[int, bytes]]:
        return [(session, bytes(data)) for session, data in self.inbox.frames()]


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line(tmp_path)
    yield made
    made.context.destroy(0)


def receive_until(line: Line, wanted: int) -> int:
    """Messages come in when they please: ask until there is something other than nothing, or `wanted` frames."""
    for _ in range(500):
        ended = line.inbox.receive(line.port)
        if ended != sockets.EMPTY or len(line.inbox) >= wanted > 0:
            return ended
        line.port.socket.poll(10)
    raise AssertionError("nothing came")


def test_frames_gather_in_order(line: Line) -> None:
    frames = [wire.pack_commands(limit(1 + 3 * n, count=1 + n % 3)) for n in range(5)]
    for frame in frames:
        line.trader.send(frame)
    assert receive_until(line, 5) == sockets.EMPTY
    assert line.gathered() == [(TRADER, frame) for frame in frames]


def test_it_ends_when_there_is_no_room(tmp_path: Path) -> None:
    for most_frames, most_bytes, gathered in ((3, 1 << 16, 3), (8, 150, 3)):
        folder = tmp_path / str(most_bytes)
        folder.mkdir()
        line = Line(folder, most_frames, most_bytes)
        frames = [wire.pack_commands(limit(1 + n)) for n in range(5)]
        for frame in frames:
            line.trader.send(frame)
        assert receive_until(line, 0) == sockets.FULL
        assert line.gathered() == [(TRADER, frame) for frame in frames[:gathered]]
        line.inbox.clear()
        assert receive_until(line, 2) == sockets.EMPTY
        assert line.gathered() == [(TRADER, frame) for frame in frames[gathered:]]
        line.context.destroy(0)


@pytest.mark.parametrize(
    "other",
    [b"", b"\x01", bytes([FrameType.QUERY]) + bytes(20), HEADER.pack(FrameType.HEARTBEAT, 1, 1, 0), bytes(MAX_MESSAGE)],
    ids=["empty", "short", "query", "heartbeat", "largest"],
)
def test_it_ends_behind_a_frame_that_is_no_order(line: Line, other: bytes) -> None:
    first, second = wire.pack_commands(limit(1)), wire.pack_commands(limit(2))
    for frame in (first, other, second):
        line.trader.send(frame)
    assert receive_until(line, 0) == sockets.OTHER
    session, data = line.inbox.other
    assert (session, bytes(data)) == (TRADER, other)
    assert line.gathered() == [(TRADER, first)]
    assert receive_until(line, 2) == sockets.EMPTY
    assert line.gathered() == [(TRADER, first), (TRADER, second)]


def test_an_operators_commands_are_handed_over_alone(line: Line) -> None:
    frame = wire.pack_commands(limit(1))
    line.operator.send(frame)
    assert receive_until(line, 0) == sockets.OTHER
    session, data = line.inbox.other
    assert (session, bytes(data), len(line.inbox)) == (OPERATOR, frame, 0)


def test_a_strangers_payload_is_left_on_the_socket(line: Line) -> None:
    line.stranger.send(b"who am I")
    assert receive_until(line, 0) == sockets.STRANGER
    assert line.inbox.identity[:1] == b"\0" and len(line.inbox.identity) == 5
    assert line.port.socket.recv() == b"who am I"


def test_who_is_cut_is_a_stranger(line: Line) -> None:
    (connection,) = [c for c in line.port.connections.values() if c.session.number == TRADER]
    line.port.cut(connection, 1)
    line.trader.send(wire.pack_commands(limit(1)))
    assert receive_until(line, 0) == sockets.STRANGER
    assert line.inbox.identity == connection.identity


@pytest.mark.parametrize("parts", [2, 3, 40])
def test_a_message_of_several_parts_is_dropped_whole(line: Line, parts: int) -> None:
    line.trader.send_multipart([wire.pack_commands(limit(1 + n)) for n in range(parts)])
    line.trader.send(wire.pack_commands(limit(1)))
    assert receive_until(line, 0) == sockets.EXTRA_PARTS
    assert receive_until(line, 1) == sockets.EMPTY
    assert line.gathered() == [(TRADER, wire.pack_commands(limit(1)))]


@pytest.mark.skipif(COMPILED, reason="compiled code cannot be interrupted on purpose")
@pytest.mark.parametrize("call", [1, 2])
@pytest.mark.parametrize("way", ["zmq_recv", "zmq_send"])
def test_an_interrupted_call_is_made_again(line: Line, way: str, call: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a message taken or sent would be the beginning of the next one."""
    real, real_error, calls, errors = getattr(sockets, way), sockets.zmq_errno, [0], []

    def interrupted(*arguments: int) -> int:
        calls[0] += 1
        if calls[0] == call:
            errors.append(errno.EINTR)
            return -1
        return int(real(*arguments))

    frame = wire.pack_commands(limit(1))
    line.trader.send(frame)
    line.arrived()
    monkeypatch.setattr(sockets, way, interrupted)
    monkeypatch.setattr(sockets, "zmq_errno", lambda: errors.pop() if errors else real_error())
    assert line.inbox.receive(line.port) == sockets.EMPTY
    assert line.gathered() == [(TRADER, frame)]
    assert sent(line, [(TRADER, 0, 16)], 0, 100) == sockets.SENT_ALL
    assert line.trader.recv_multipart() == [np.array([0, 1]).tobytes()]


def sent(line: Line, rows: list[tuple[int, int, int]], first: int, credit: int) -> int:
    words, table = np.arange(64, dtype=np.int64), np.array(rows, np.int64)
    identity = np.zeros(sockets.IDENTITY, np.uint8)
    if not COMPILED:
        return sockets.send(line.table, table, first, len(rows), words, identity, 9, credit)
    at = [each.ctypes.data for each in (line.table, table, words, identity)]
    return sockets.send_at(at[0], at[1], first, len(rows), at[2], len(words), at[3], 9, credit)


def test_frames_go_to_whom_they_are_for(line: Line) -> None:
    rows = [(TRADER, 0, 16), (OPERATOR, 16, 8), (TRADER, 24, 8)]
    assert sent(line, rows, 0, 1 << 20) == sockets.SENT_ALL
    assert [line.trader.recv(), line.trader.recv()] == [np.array([0, 1]).tobytes(), np.array([3]).tobytes()]
    assert line.operator.recv() == np.array([2]).tobytes()
    assert line.table["sent_bytes"][[TRADER, OPERATOR]].tolist() == [24, 8]
    assert line.table["sent"][[TRADER, OPERATOR]].tolist() == [9, 9]


def test_sending_ends_where_the_credit_is_used_up(line: Line) -> None:
    rows = [(TRADER, 0, 16), (TRADER, 16, 16), (OPERATOR, 32, 8)]
    assert sent(line, rows, 0, 20) == 1 + sockets.OVER_CREDIT
    assert sent(line, rows, 2, 20) == sockets.SENT_ALL
    assert line.operator.recv() == np.array([4]).tobytes()


def test_who_is_not_connected_is_passed_over_and_who_is_gone_is_told_of(line: Line) -> None:
    line.table["connected"][TRADER] = 0
    line.table["routing"][OPERATOR] = 1
    assert sent(line, [(TRADER, 0, 8), (OPERATOR, 8, 8)], 0, 100) == 1
    line.table["socket"][OPERATOR] = 0
    assert sent(line, [(OPERATOR, 8, 8)], 0, 100) == 0
    assert line.table["sent_bytes"].sum() == 0
