"""Frames that arrive together mean what they mean one after another, whatever is wrong with some of them."""

from __future__ import annotations

import gc
from pathlib import Path
from random import Random

import numpy as np
import pytest
import zmq

from engine.schema import EVENT, CommandKind
from gateway import collector, seats, wire
from gateway.inbox import Inbox
from gateway.recent import Recent
from gateway.wire import HEADER, FrameType
from tests.gateway.builders import limit
from tests.gateway.desk import ROUTING_IDS, Desk

pytestmark = pytest.mark.nojit

WRONG = (
    HEADER.pack(FrameType.COMMANDS, 1, 1, 0) + bytes(63),
    HEADER.pack(FrameType.COMMANDS, 1, 0, 0),
    HEADER.pack(FrameType.COMMANDS, 2, 1, 0) + bytes(64),
    HEADER.pack(FrameType.COMMANDS, 1, 1025, 0) + bytes(64 * 1025),
    bytes([FrameType.COMMANDS]),
    bytes([FrameType.COMMANDS]) + bytes(15),
)


def burst(random: Random, length: int, faults: float) -> list[tuple[str, bytes]]:
    """Frames of two sessions: ascending numbers, now and then used ones, repeated ones, and frames nobody can read."""
    numbers, made = {"ALPHA": 1, "BETA": 1}, []
    for _ in range(length):
        name = random.choice(list(numbers))
        if random.random() < faults / 4:
            made.append((name, random.choice(WRONG)))
            continue
        count = random.choice([1, 1, 3])
        first = numbers[name]
        if random.random() < faults:
            first = max(1, first - random.randint(1, 4))
        elif random.random() < 0.2:
            first += random.randint(1, 5)
        orders = limit(first, random.choice([1, 2]), random.randint(6_995, 7_005), random.randint(1, 9), count=count)
        if random.random() < faults / 4 and count > 1:
            orders["client_order_id"][1] = orders["client_order_id"][0]
        numbers[name] = max(numbers[name], first + count)
        made.append((name, wire.pack_commands(orders, token=random.randint(0, 9))))
    return made


class Hearing:
    """A socket that keeps what each routing id is sent."""

    def __init__(self) -> None:
        self.frames: list[tuple[bytes, wire.Frame]] = []
        self._to = b""

    def send(self, part: bytes, flags: int = 0) -> None:
        if flags & zmq.SNDMORE:
            self._to = part
        else:
            self.frames.append((self._to, wire.split(part)))

    def send_multipart(self, parts: list[bytes], flags: int = 0) -> None:
        self.frames.append((parts[0], wire.split(parts[1])))

    def told(self, name: str, kind: FrameType) -> bytes:
        """All records, or all rejects, of one session, times left out."""
        mine = [frame for to, frame in self.frames if to == ROUTING_IDS[name] and frame.type == kind]
        if kind == FrameType.SESSION_REJECT:
            return repr([wire.unpack(frame, wire.SessionReject) for frame in mine]).encode()
        records = [wire.unpack_events(frame)[1].copy() for frame in mine]
        for part in records:
            part["timestamp"] = 0
        return b"".join(part.tobytes() for part in records)


def carried_out(folder: Path, frames: list[tuple[str, bytes]], at_once: int) -> tuple[bytes, Hearing]:
    """The journal's orders, times left out, and what was answered, with the frames `at_once` a turn."""
    folder.mkdir()
    desk = Desk(folder)
    desk.everybody()
    desk.port.socket = hearing = Hearing()  # type: ignore[assignment]
    for start in range(0, len(frames), at_once):
        desk.hand_in(frames[start : start + at_once])
        desk.service.flush()
    commands = np.concatenate([batch.commands for batch in desk.exchange.reader.batches()])
    commands = commands[commands["kind"] == CommandKind.NEW_ORDER]
    commands["timestamp"] = 0
    return commands.tobytes(), hearing


@pytest.mark.parametrize("faults", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_together_as_one_by_one(tmp_path: Path, seed: int, faults: float) -> None:
    frames = burst(Random(seed), 60, faults)
    journal, alone = carried_out(tmp_path / "1", frames, 1)
    for at_once in (2, 7, 60):
        found, together = carried_out(tmp_path / str(at_once), frames, at_once)
        assert found == journal
        for name in ("ALPHA", "BETA"):
            for kind in (FrameType.EVENTS, FrameType.DUPLICATES, FrameType.SESSION_REJECT):
                assert together.told(name, kind) == alone.told(name, kind), (name, kind)
    assert alone.told("ALPHA", FrameType.EVENTS)
    assert bool(alone.told("BETA", FrameType.DUPLICATES)) == (faults > 0.1)


def gathered(frames: list[tuple[int, bytes]], most: int = 64) -> tuple[Inbox, np.ndarray]:
    """An inbox that holds (session, frame), and its table, in which sessions 3, 4 and the operator 5 may send."""
    table = seats.seats()
    for number in (3, 4, 5):
        row = table[number]
        row["session"], row["operator"], row["connected"], row["sent_bytes"] = number, number == 5, 1, 1_000
        seats.Bucket(10, 10, row, "order")
        seats.Bucket(10, 2, row, "cancel")
    inbox = Inbox(table, most, 1 << 16)
    for session, data in frames:
        inbox.put(session, data)
    return inbox, table


def test_what_is_read_of_frames() -> None:
    first, second = limit(5, count=2), limit(9)
    sent = [
        (3, wire.pack_commands(first, 77)),
        (4, wire.pack_commands(second, 1 << 31)),
        (3, wire.pack_commands(limit(7), 78)),
    ]
    inbox, table = gathered(sent)
    table["last_number"][[3, 4]] = 4, 8
    found = inbox.take_in(now=50, sequence=11, timestamp=99)
    assert found is not None
    batch = found.batch
    assert batch["client_order_id"].tolist() == [5, 6, 9, 7]
    assert batch["session"].tolist() == batch["actor"].tolist() == [3, 3, 4, 3]
    assert batch["price"].tolist() == [7_000] * 4
    assert (batch["sequence"].tolist(), batch["timestamp"].tolist()) == ([11, 12, 13, 14], [99] * 4)
    assert batch["spare"].tolist() == [0] * 4
    assert found.senders.tolist() == [[3, 7, 3], [4, 9, 1]]
    assert (found.operators, found.highest_kind) == (False, CommandKind.NEW_ORDER)
    assert table["last_number"][[3, 4]].tolist() == [7, 9]
    assert table["heard"][[3, 4]].tolist() == [50, 50]
    # Session 4 says that it has received more than it was sent, which is not believed.
    assert table["confirmed_bytes"][[3, 4]].tolist() == [78, 0]
    assert table["order_tokens"][[3, 4]].tolist() == [7.0, 9.0]
    assert table["seen"].any() == 0


@pytest.mark.parametrize("wrong", WRONG, ids=range(len(WRONG)))
def test_frames_that_are_not_ordinary_are_not_read(wrong: bytes) -> None:
    good = wire.pack_commands(limit(1))
    for frames in ([(3, wrong)], [(3, good), (4, wrong)], [(3, wrong), (4, good)]):
        inbox, table = gathered(frames)
        before = table.copy()
        assert inbox.take_in(1, 1, 1) is None
        for name in ("seen", "last_number", "heard", "confirmed_bytes"):
            assert table[name].tolist() == before[name].tolist(), name
        assert [(session, bytes(data)) for session, data in inbox.frames()] == frames


@pytest.mark.parametrize("gone", [3, 4])
def test_frames_of_who_is_gone_are_not_read(gone: int) -> None:
    inbox, table = gathered([(3, wire.pack_commands(limit(1))), (4, wire.pack_commands(limit(1)))])
    table["connected"][gone] = 0
    assert inbox.take_in(1, 1, 1) is None
    assert table["last_number"].tolist() == [0] * len(table) and not table["seen"].any()


@pytest.mark.parametrize(
    ("orders", "cancels", "fits"),
    [(10, 0, True), (11, 0, False), (0, 2, True), (0, 3, False), (10, 2, True), (10, 3, False)],
)
def test_a_throttle_takes_all_or_nothing(orders: int, cancels: int, fits: bool) -> None:
    leave = limit(100, count=max(1, cancels))
    leave["kind"] = CommandKind.CANCEL_ORDER
    frames = [(4, wire.pack_commands(limit(1)))]
    frames += [(3, wire.pack_commands(limit(1, count=orders)))] if orders else []
    frames += [(3, wire.pack_commands(leave))] if cancels else []
    inbox, table = gathered(frames)
    found = inbox.take_in(7, 1, 1)
    assert (found is not None) == fits
    left = [10.0 - orders, 2.0 - cancels, 9.0] if fits else [10.0, 2.0, 10.0]
    assert [table["order_tokens"][3], table["cancel_tokens"][3], table["order_tokens"][4]] == left
    assert table["last_number"][4] == (1 if fits else 0)


def test_tokens_come_back_with_time() -> None:
    inbox, _ = gathered([(3, wire.pack_commands(limit(1, count=10)))])
    assert inbox.take_in(1_000_000_000, 1, 1) is not None
    inbox.clear()
    inbox.put(3, wire.pack_commands(limit(11, count=5)))
    assert inbox.take_in(1_499_000_000, 11, 1) is None
    assert inbox.take_in(1_501_000_000, 11, 1) is not None


@pytest.mark.parametrize("seconds", [100, 10_000, 86_400 * 400])
@pytest.mark.parametrize("rate", [1, 1_000_000, 2_000_000_000])
def test_whoever_was_silent_for_long_has_all_tokens(rate: int, seconds: int) -> None:
    """The product of time and rate is no number of 64 bits any more."""
    inbox, table = gathered([(3, wire.pack_commands(limit(1, count=10)))])
    bucket = seats.Bucket(rate, 10, table[3], "order")
    assert inbox.take_in(1_000_000_000, 1, 1) is not None
    later = 1_000_000_000 + seconds * 1_000_000_000
    inbox.clear()
    inbox.put(3, wire.pack_commands(limit(11, count=10)))
    assert inbox.take_in(later, 11, 1) is not None
    assert bucket.tokens == 0
    assert bucket.take(10, later + seconds * 1_000_000_000)


@pytest.mark.parametrize("sizes", [[1] * 200, [3, 70, 1, 64, 2, 300], [500, 1]])
def test_memory_is_the_same_whatever_is_added_at_once(sizes: list[int]) -> None:
    made = np.zeros(sum(sizes), EVENT)
    made["sequence"] = np.arange(1, len(made) + 1)
    small, at = Recent(128, 128), 0
    for size in sizes:
        small.add(limit(1 + at, count=size), made[at : at + size])
        at += size
    oldest = max(0, len(made) - 128)
    assert small.oldest_event == oldest + 1
    for after in (oldest, len(made) - 5, len(made)):
        assert small.events_after(after, 1_000).tobytes() == made[after:].tobytes()


def test_garbage_waits_until_it_is_asked_for() -> None:
    class Cycle:
        def __init__(self) -> None:
            self.me = self

    with collector.on_request():
        assert not gc.isenabled()
        before = sum(isinstance(thing, Cycle) for thing in gc.get_objects())
        for _ in range(5_000):
            Cycle()
        assert sum(isinstance(thing, Cycle) for thing in gc.get_objects()) == before + 5_000
        collector.collect(quiet=False)
        assert sum(isinstance(thing, Cycle) for thing in gc.get_objects()) == before
    assert gc.isenabled()
