"""Checking many batches at once gives what checking one by one gives: on sound bytes and on every damaged one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest

import replay.stretch
from engine.schema import EVENT
from replay import JournalReader, Note, NoteKind, create, verify
from replay.errors import JournalCorrupt, JournalFailure
from replay.format import HEADER, HEADER_FIELDS, FrameEncoder, Position, pack_notes
from replay.scan import Walker, walk_file
from replay.stretch import MOST_ROOMS, Crew, Rooms, Stretch, Window, _frames, _windows, check, stretches
from tests.replay.fake_engine import VENUE, fake_engine, make_commands
from tests.replay.simulated_storage import Inode, SimulatedStorage

UUID = b"U" * 16
START = Position(3, 512, 9, 100, 1000, b"c" * 32)


def frames(count: int, most: int = 6, seed: int = 4) -> tuple[bytes, Position]:
    """Batches of 0 to `most` commands, some with notes, and where they end."""
    random, at, data = Random(seed), START, b""
    encoder = FrameEncoder(UUID, capacity=512)
    for number in range(count):
        commands = make_commands(at.command, random.randint(0, most))
        events = np.zeros(random.randint(0, 2 * most), EVENT)
        events["sequence"] = at.event + np.arange(len(events))
        events["kind"] = 2
        notes = [Note(NoteKind.TEXT, b"n" * random.randint(0, 900))] if number % 3 == 0 or not len(commands) else []
        frame, chain = encoder.encode(
            at, commands, events, pack_notes(notes, commands), len(notes), 77 + number, 66 + number
        )
        offset = at.offset + len(frame)
        at = Position(3, offset, at.batch + 1, at.command + len(commands), at.event + len(events), chain, 77 + number)
        data += bytes(frame)
    return data, at


def stored(data: bytes) -> SimulatedStorage:
    storage = SimulatedStorage(Random(1))
    storage.files["s"] = Inode(bytearray(512) + data, bytearray(512) + data)
    return storage


def found(data: bytes, helpers: int = 0) -> list[Stretch]:
    with Crew(helpers) as crew:
        return list(stretches(stored(data), "s", START, UUID, 512 + len(data), crew))


def test_the_header_as_struct_and_as_dtype() -> None:
    assert HEADER_FIELDS.itemsize == HEADER.size
    data, _ = frames(1)
    one = np.frombuffer(data, HEADER_FIELDS, 1)[0]
    other = HEADER.unpack_from(data)
    for name, value in zip(HEADER_FIELDS.names or (), other, strict=True):
        got = one[name].tobytes() if isinstance(value, bytes) else int(one[name])
        assert got == value, name


@pytest.mark.parametrize("helpers", [0, 1, 3])
@pytest.mark.parametrize("window", [512, 2048, 1 << 20])
def test_the_same_batches(helpers: int, window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay.stretch, "WINDOW", window)
    data, end = frames(40)
    parts = found(data + bytes(4096), helpers)
    many = [batch for part in parts for batch in part.batches()]
    single = list(Walker(data, START, UUID, 512))
    assert len(many) == len(single) == 40
    for one, other in zip(many, single, strict=True):
        assert (one.number, one.offset, one.after, one.notes) == (other.number, other.offset, other.after, other.notes)
        assert one.commands.tobytes() == other.commands.tobytes()
    assert parts[-1].after == end
    for name in ("commands", "events"):
        together = b"".join(getattr(part, name).tobytes() for part in parts)
        assert together == b"".join(getattr(batch, name).tobytes() for batch in single)
    assert sum(part.size for part in parts) == len(data)
    assert sum(part.command_count for part in parts) == sum(batch.command_count for batch in single)
    assert sum(part.event_count for part in parts) == sum(batch.event_count for batch in single)
    assert [part.batch(index).number for part in parts for index in part.noted()] == [
        batch.number for batch in single if batch.note_count
    ]
    middle = parts[0].part(1, len(parts[0]))
    assert [batch.number for batch in middle.batches()] == [batch.number for batch in parts[0].batches()][1:]


def test_every_byte_flipped_ends_at_the_same_batch() -> None:
    """The sole judge of a batch is `scan.Walker`; this holds the quick check to its verdict, byte by byte."""
    data, _ = frames(6, most=2)
    for at in range(len(data)):
        rotten = bytearray(data)
        rotten[at] ^= 1 << at % 8
        many = [batch.number for part in found(bytes(rotten)) for batch in part.batches()]
        storage = stored(bytes(rotten))
        single = [batch.number for batch in walk_file(storage, "s", START, UUID, 512 + len(data))]
        assert many == single, at


def test_every_cut_ends_at_the_same_batch() -> None:
    data, _ = frames(5, most=2)
    for size in range(0, len(data), 37):
        many = [batch.number for part in found(data[:size]) for batch in part.batches()]
        single = [batch.number for batch in walk_file(stored(data[:size]), "s", START, UUID, 512 + size)]
        assert many == single, size


@pytest.mark.parametrize("field", ["batch", "command", "event", "chain"])
def test_a_stretch_that_continues_something_else(field: str) -> None:
    data, _ = frames(4)
    other = START._replace(**{field: b"d" * 32 if field == "chain" else 7})
    with Crew(0) as crew:
        assert not list(stretches(stored(data), "s", other, UUID, 512 + len(data), crew))


def test_a_batch_of_another_run_between_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames that are sound each for itself but not linked: the stretch ends before the first that does not follow."""
    monkeypatch.setattr(replay.stretch, "WINDOW", 1 << 20)
    first, _ = frames(4)
    second, _ = frames(5, seed=5)
    assert sum(len(part) for part in found(first + second)) == 4
    starts, _ = _frames(memoryview(first + second))
    assert len(starts) == 9
    window = Window(3, 512, memoryview(second), np.array(_frames(memoryview(second))[0], np.int64))
    assert len(check(window, UUID)) == 5
    assert len(check(window._replace(segment=4), UUID)) == 0
    assert len(check(window, b"V" * 16)) == 0


@pytest.mark.parametrize("helpers", [0, 2])
def test_a_failing_read_comes_out_in_its_place(helpers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Helpers read ahead; what was read before the failure is handed out first."""
    monkeypatch.setattr(replay.stretch, "WINDOW", 2048)
    data, _ = frames(40)
    storage = stored(data)
    reads = 0
    real = storage.read

    def failing(name: str, offset: int = 0, size: int | None = None) -> bytes:
        nonlocal reads
        reads += 1
        if reads == 5:
            raise JournalFailure("the disk")
        return real(name, offset, size)

    monkeypatch.setattr(storage, "read", failing)
    seen = 0
    with pytest.raises(JournalFailure), Crew(helpers) as crew:
        for part in stretches(storage, "s", START, UUID, 512 + len(data), crew):
            seen += len(part)
    monkeypatch.undo()
    monkeypatch.setattr(replay.stretch, "WINDOW", 2048)
    whole = list(_windows(stored(data), "s", START, 512 + len(data), Rooms()))
    assert 0 < seen == sum(len(window.starts) for window in whole[:4])


LOOKS: dict[str, Callable[[bytearray], object]] = {
    "the buffer": lambda room: room,
    "a piece": lambda room: memoryview(room).toreadonly()[5:9],
    "records": lambda room: np.frombuffer(memoryview(room)[8:16], np.int64)[:1],
}


@pytest.mark.parametrize("look", LOOKS)
def test_a_buffer_is_used_again_when_nobody_looks_at_it_any_more(look: str) -> None:
    rooms = Rooms()
    view = LOOKS[look](rooms.take(1_024))
    first = id(rooms._rooms[0])
    assert id(rooms.take(1_024)) != first
    del view
    assert id(rooms.take(1_024)) == first
    assert id(rooms.take(1_025)) != first, "too small"


def test_more_buffers_than_are_kept_may_be_looked_at() -> None:
    rooms = Rooms()
    held = [rooms.take(1_024) for _ in range(3 * MOST_ROOMS)]
    assert len({id(room) for room in held}) == len(held)
    assert len(rooms._rooms) == MOST_ROOMS


def test_readers_cut_at_the_watermark(tmp_path: Path) -> None:
    engine = fake_engine(VENUE)
    with create(tmp_path / "j", VENUE, segment_bytes=16 << 10) as writer:
        for number in range(30):
            commands = make_commands(writer.position.command, 1 + number % 3, number)
            writer.append(commands, engine.apply(commands)[1])
    reader = JournalReader(tmp_path / "j")
    until = reader.watermark()
    many = [batch.number for part in reader.stretches() for batch in part.batches()]
    assert many == list(range(1, 31))
    for mark in (1, 2, 17, 30):
        early = until._replace(batch=mark)
        assert sum(len(part) for part in reader.stretches(until=early)) == mark
    start = reader.seek(command=20)
    assert next(reader.stretches(start)).first_batch == start.batch


def test_verification_is_the_same_with_helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small windows, many helpers: every size of batch, intact and with a flipped byte in each segment."""
    engine = fake_engine(VENUE)
    with create(tmp_path / "j", VENUE, segment_bytes=64 << 10) as writer:
        for number, count in enumerate([1, 600, 3, 40, 1, 1, 700, 5] * 2):
            commands = make_commands(writer.position.command, count, number)
            writer.append(commands, engine.apply(commands)[1])
        writer.seal(engine.digest())
    monkeypatch.setattr(replay.stretch, "processors", lambda: 4)
    for window in (1024, 1 << 20):
        monkeypatch.setattr(replay.stretch, "WINDOW", window)
        verdict = verify(tmp_path / "j", fake_engine)
        assert (verdict.result, verdict.commands, verdict.batches) == ("intact", 2702, 17)
        assert verdict.digest == engine.digest().hex()
    for path in sorted((tmp_path / "j").glob("segment-*")):
        data = path.read_bytes()
        path.write_bytes(data[:700] + bytes([data[700] ^ 4]) + data[701:])
        verdict = verify(tmp_path / "j", fake_engine)
        assert verdict.result == "corrupt"
        assert path.name in verdict.fault
        path.write_bytes(data)


def test_noted_batches(tmp_path: Path) -> None:
    """Without hashing what lies between; damage to lengths or places is noticed all the same."""
    engine = fake_engine(VENUE)
    with create(tmp_path / "j", VENUE, segment_bytes=16 << 10) as writer:
        for number in range(60):
            commands = make_commands(writer.position.command, 1 + number % 3, number)
            notes = [Note(NoteKind.TEXT, b"%d" % number)] if number % 4 == 0 else []
            writer.append(commands, engine.apply(commands)[1], notes)
    reader = JournalReader(tmp_path / "j")
    assert len(reader.segments()) > 2
    wanted = [batch for batch in reader.batches() if batch.note_count]
    assert [(b.number, b.notes) for b in reader.noted()] == [(b.number, b.notes) for b in wanted]
    upto = [b.number for b in reader.noted(40)]
    assert upto == [b.number for b in wanted if b.first_command <= 40]
    second = next(batch for batch in reader.batches() if batch.segment == 2)
    path = tmp_path / "j" / "segment-00000002"
    data = path.read_bytes()
    for at in (8, 16):
        path.write_bytes(data[: second.offset + at] + b"\xee" + data[second.offset + at + 1 :])
        with pytest.raises(JournalCorrupt):
            list(JournalReader(tmp_path / "j").noted())
