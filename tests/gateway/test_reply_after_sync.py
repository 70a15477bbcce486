"""Nobody is told of a command before it is durable (docs/journal.md).

The service runs here without a network, its journal on a simulated disk. At every frame that leaves, the power is cut
on a copy of that disk: what the frame speaks of must be there when the copy is recovered.
"""

from __future__ import annotations

import copy
import errno
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
import zmq

from engine.control import MoveCash, OpenAccount, OpenFirm
from engine.core import Engine
from engine.schema import CommandKind, DisconnectPolicy, EventKind
from engine.venue import Venue
from gateway import wire
from gateway.exchange import Exchange, Surprise
from gateway.journal import History, Opened
from gateway.server import background
from gateway.service import Service
from gateway.sessions import Port, Registry
from gateway.wire import FrameType
from replay import JournalReader, create, recover
from tests.gateway.builders import limit
from tests.gateway.servers import RawClient, config
from tests.replay.simulated_storage import Faults, SimulatedStorage

pytestmark = pytest.mark.nojit

SEGMENT = 16_384
ROUTING_IDS = {"ALPHA": b"\0a", "BETA": b"\0b", "OPS": b"\0o"}


class Socket:
    """Keeps what is sent; asks `before` first."""

    def __init__(self, before: Callable[[wire.Frame], None]) -> None:
        self.frames: list[wire.Frame] = []
        self._before = before

    def send(self, part: bytes, flags: int = 0) -> None:
        if flags & zmq.SNDMORE:  # the routing id
            return
        frame = wire.split(part)
        self._before(frame)
        self.frames.append(frame)

    def send_multipart(self, parts: list[bytes], flags: int = 0) -> None:
        self.send(parts[1])


class Desk:
    """A service on a simulated disk, with sessions of the firms Alpha and Beta and of an operator."""

    def __init__(self, folder: Path) -> None:
        configuration = config(folder)
        configuration.data_folder.mkdir()
        venue = Venue.preset("plain")
        self.storage = SimulatedStorage(Random(1))
        writer = create(self.storage, venue, segment_bytes=SEGMENT, prepare_step=SEGMENT, clock=lambda: 1)
        opened = Opened(Engine(venue, "reference"), writer, JournalReader(self.storage), True, "", History())
        self.exchange = Exchange(opened, configuration)
        self.service = Service(self.exchange, Registry(1_000_000, 1_000_000, 50), configuration)
        self.socket = Socket(self.require_durable)
        self.port = Port(self.socket, "simulated", local=True)
        self.service.publish(self.exchange.begin())
        for message in configuration.opening:
            self.service.publish(*self.exchange.commit_control(message))

    def require_durable(self, frame: wire.Frame) -> None:
        """What a power cut at this moment leaves must hold all that this frame tells of."""
        disk = copy.deepcopy(self.storage)
        disk.start(Faults(keep=0.0))
        disk.cut_power()
        found = recover(disk, "reference", clock=lambda: 1).report
        assert found.commands >= self.exchange.command_sequence, "told of a command that is not durable"
        if frame.type in (FrameType.EVENTS, FrameType.DUPLICATES):
            assert found.events >= int(wire.unpack_events(frame)[1]["sequence"].max()), "an event that is not durable"

    def send(self, name: str, frame: bytes) -> list[wire.Frame]:
        """One frame of a client, carried out; returns the frames that left."""
        already = len(self.socket.frames)
        self.service.receive(self.port, [(ROUTING_IDS[name], zmq.Frame(frame))])
        self.service.flush()
        return self.socket.frames[already:]

    def log_on(self, name: str) -> list[wire.Frame]:
        logon = wire.Logon(name, policy=int(DisconnectPolicy.CANCEL_ALL))
        return self.send(name, wire.pack(FrameType.LOGON, logon))

    def everybody(self) -> None:
        """Log all three on."""
        for name in ROUTING_IDS:
            assert self.log_on(name)[-1].type == FrameType.LOGON_ANSWER

    def order(self, name: str, number: int, **fields: Any) -> list[wire.Frame]:
        return self.send(name, wire.pack_commands(limit(number, **fields)))

    def control(self, message: Any, number: int) -> list[wire.Frame]:
        return self.send("OPS", wire.pack(FrameType.CONTROL, wire.ControlRequest(number, message)))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def kinds(frames: list[wire.Frame]) -> list[EventKind]:
    told = [frame for frame in frames if frame.type == FrameType.EVENTS]
    return [EventKind(int(kind)) for frame in told for kind in wire.unpack_events(frame)[1]["kind"]]


def test_every_answer_stands_behind_its_sync(desk: Desk) -> None:
    """docs/journal.md: append returns when the batch is durable, and only then anybody is answered.

    Orders, trades, administration, duplicates, a lost session, and enough of all to begin new segments.
    """
    desk.everybody()
    assert kinds(desk.order("ALPHA", 1)) == [EventKind.ACCEPTED]
    assert sorted(kinds(desk.order("BETA", 1, side=2))) == [EventKind.ACCEPTED, EventKind.TRADE, EventKind.TRADE]
    assert kinds(desk.control(OpenFirm("Gamma"), 1)) == [EventKind.FIRM_OPENED]
    assert kinds(desk.control(OpenAccount(3, "Gamma 1"), 2)) == [EventKind.ACCOUNT_OPENED]
    assert [frame.type for frame in desk.order("ALPHA", 1)] == [FrameType.DUPLICATES]
    for number in range(2, 40):
        assert kinds(desk.order("ALPHA", number)) == [EventKind.ACCEPTED]
    assert kinds(desk.log_on("ALPHA")) == []
    assert desk.send("ALPHA", wire.pack(FrameType.LOGOUT, wire.Logout()))[-1].type == FrameType.LOGGED_OUT
    assert len([name for name in desk.storage.files if name.startswith("segment-")]) > 1


def answered_order(desk: Desk) -> list[wire.Frame]:
    return desk.order("ALPHA", 1)


def administration(desk: Desk) -> list[wire.Frame]:
    return desk.control(MoveCash(1, 1, 5), 1)


def logon(desk: Desk) -> list[wire.Frame]:
    return desk.log_on("BETA")


@pytest.mark.parametrize("call", [1, 2], ids=["write", "sync"])
@pytest.mark.parametrize("act", [answered_order, administration, logon], ids=lambda act: act.__name__)
def test_no_answer_when_the_journal_fails(desk: Desk, act: Callable[[Desk], list[wire.Frame]], call: int) -> None:
    """A batch whose write or sync failed is answered by nobody, and no later one either."""
    desk.everybody()
    before = len(desk.socket.frames)
    desk.storage.faults = Faults(error_at=desk.storage.calls + call, error=errno.EIO)
    with pytest.raises(Surprise, match="the batch is kept in"):
        act(desk)
    with pytest.raises(Surprise, match="are not durable and must not be answered"):
        desk.order("BETA", 1)
    assert len(desk.socket.frames) == before


def test_no_answer_while_the_journal_writes(tmp_path: Path) -> None:
    """On a real socket: as long as `append` has not returned, the client hears nothing of its order."""
    reached, released = threading.Event(), threading.Event()
    written: list[int] = []
    with background(config(tmp_path)) as server, RawClient(server.ipc_endpoint, "ALPHA") as client:
        writer = server.exchange.writer
        append = writer.append

        def slow_append(batch: Any, events: Any, notes: Any = ()) -> int:
            written.extend(batch["kind"].tolist())
            reached.set()
            assert released.wait(20)
            return append(batch, events, notes)

        writer.append = slow_append  # type: ignore[method-assign]
        try:
            client.socket.send(wire.pack_commands(limit(1)))
            assert reached.wait(10)
            assert not client.socket.poll(300), "an answer before the journal had it"
            assert written == [CommandKind.NEW_ORDER]
        finally:
            released.set()
        answer = client.expect(FrameType.EVENTS)
        assert wire.unpack_events(answer)[1]["kind"].tolist() == [EventKind.ACCEPTED]
