"""Nobody is told of a command before it is durable (docs/journal.md).

The service runs here without a network, its journal on a simulated disk. At every frame that leaves, the power is cut
on a copy of that disk: what the frame speaks of must be there when the copy is recovered.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.control import MoveCash, OpenAccount, OpenFirm
from engine.schema import COMMAND, CommandKind, EventKind
from gateway import wire
from gateway.exchange import Surprise
from gateway.server import background
from gateway.wire import FrameType
from tests.gateway.builders import limit
from tests.gateway.desk import ROUTING_IDS, Desk, order_pair
from tests.gateway.servers import RawClient, config
from tests.replay.simulated_storage import Faults

pytestmark = pytest.mark.nojit


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


def test_under_load_too_every_answer_stands_behind_its_sync(desk: Desk) -> None:
    """The next batch is carried out while the disk has not got the last one: its answer waits, nobody else's."""
    desk.everybody()
    waited = 0
    for number in range(1, 60):
        desk.hand_in(order_pair(number))
        desk.service.advance(lambda: True)
        waited += desk.exchange.has_begun
    assert waited > 30  # a new segment is begun when nothing is on its way
    desk.service.flush()
    assert not desk.exchange.has_begun
    told = kinds(desk.socket.frames)
    assert [told.count(kind) for kind in (EventKind.ACCEPTED, EventKind.TRADE)] == [118, 118]
    spans = {name: [0] for name in ROUTING_IDS}
    for to, frame in zip(desk.socket.to, desk.socket.frames, strict=True):
        if frame.type == FrameType.EVENTS:
            (previous, _, last, _), _ = wire.unpack_events(frame)
            name = next(name for name, routing_id in ROUTING_IDS.items() if routing_id == to)
            assert previous == spans[name][-1]
            spans[name].append(last)


WAITS = {
    "an order of one alone": lambda desk: desk.order("ALPHA", 2),
    "a duplicate": lambda desk: desk.order("BETA", 1),
    "administration": lambda desk: desk.control(MoveCash(1, 1, 5), 1),
    "a logon": lambda desk: desk.log_on("ALPHA"),
    "a resume": lambda desk: desk.send("ALPHA", wire.pack(FrameType.RESUME, wire.Resume(0))),
    "a logout": lambda desk: desk.send("BETA", wire.pack(FrameType.LOGOUT, wire.Logout())),
    "the disk": lambda desk: (desk.exchange.hear_disk(), [])[1],
}


@pytest.mark.parametrize("what", WAITS)
def test_whatever_comes_next_the_batch_on_its_way_is_answered_first(desk: Desk, what: str) -> None:
    desk.everybody()
    already = len(desk.socket.frames)
    desk.hand_in(order_pair(1))
    desk.service.advance(lambda: True)
    assert desk.exchange.has_begun and len(desk.socket.frames) == already
    WAITS[what](desk)
    assert not desk.exchange.has_begun
    first = kinds(desk.socket.frames[already : already + 2])
    assert sorted(first) == [EventKind.ACCEPTED, EventKind.ACCEPTED, EventKind.TRADE, EventKind.TRADE]


def test_many_at_once_wait_for_what_is_on_its_way(desk: Desk) -> None:
    """`commit_many` numbers its commands only when the batch before is durable and has been told of."""
    desk.everybody()
    desk.hand_in(order_pair(1))
    desk.service.advance(lambda: True)
    already = len(desk.socket.frames)
    batch = limit(2)
    batch["session"] = batch["actor"] = desk.service.registry.by_name("ALPHA").number  # type: ignore[union-attr]
    desk.exchange.commit_many(batch)
    assert len(desk.socket.frames) == already + 2 and not desk.exchange.has_begun


@pytest.mark.parametrize("call", [1, 2], ids=["write", "sync"])
def test_no_answer_when_the_disk_fails_behind_the_loop(desk: Desk, call: int, tmp_path: Path) -> None:
    """Neither the batch that failed nor the one that was carried out meanwhile; both are kept."""
    desk.everybody()
    before = len(desk.socket.frames)
    desk.storage.faults = Faults(error_at=desk.storage.calls + call, error=errno.EIO)
    with pytest.raises(Surprise, match="the batch is kept in") as found:
        for number in range(1, 4):
            desk.hand_in(order_pair(number))
            desk.service.advance(lambda: True)
        desk.service.flush()
    assert len(desk.socket.frames) == before
    path = Path(str(found.value).rpartition("kept in ")[2])
    kept = np.frombuffer(path.read_bytes(), COMMAND)
    assert kept["client_order_id"].tolist() == [1, 1, 2, 2][: len(kept)] and len(kept) >= 2
    with pytest.raises(Surprise, match="are not durable and must not be answered"):
        desk.order("BETA", 9)
    assert len(desk.socket.frames) == before


def test_what_is_durable_is_not_kept_as_if_it_were_not(desk: Desk) -> None:
    """A full disk, found while a batch is on its way, waits for it: the report names what comes behind it alone."""
    desk.everybody()
    desk.hand_in(order_pair(1))
    desk.service.advance(lambda: True)
    desk.storage.faults = Faults(full_at=0)
    with pytest.raises(Surprise, match="the disk is full") as found:
        for number in range(2, 80):
            desk.hand_in(order_pair(number))
            desk.service.advance(lambda: True)
    path = Path(str(found.value).rpartition("kept in ")[2])
    kept = np.frombuffer(path.read_bytes(), COMMAND)
    assert kept["sequence"].tolist() == [desk.exchange.writer.durable.command + n for n in range(2)]


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
