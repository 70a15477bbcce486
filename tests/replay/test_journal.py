"""Writer, readers, follower, verification and time travel on real files with the real engine."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from random import Random

import numpy as np
import pytest

from engine.core import Engine, ImplementationName
from engine.schema import EVENT, CommandKind
from replay import (
    Follower,
    JournalExists,
    JournalFailure,
    JournalReader,
    JournalWriter,
    NotAJournal,
    Note,
    NoteKind,
    SpaceState,
    create,
    dump,
    is_settled,
    ls,
    recover,
    state_at,
    verify,
)
from replay.storage import RealStorage
from tests.replay.fake_engine import VENUE, fake_engine, make_commands
from tests.replay.simulated_storage import SimulatedStorage

SEGMENT = 64 << 10


def write(path: Path, counts: list[int], roll_at: int = -1, implementation: ImplementationName = "reference") -> Engine:
    """A journal of batches of these sizes; sessions 0 only, account = salt."""
    engine = Engine(VENUE, implementation)
    with create(path, VENUE, segment_bytes=SEGMENT) as writer:
        for number, count in enumerate(counts):
            if number == roll_at:
                writer.roll(engine.canonical_state())
            append(engine, writer, count, number)
        writer.seal(engine.digest())
    return engine


def append(engine: Engine, writer: JournalWriter, count: int, salt: int = 0) -> int:
    commands = make_commands(writer.position.command, count, salt)
    return writer.append(commands, engine.apply_all(commands))


@pytest.mark.nojit
def test_write_recover_and_go_on(tmp_path: Path) -> None:
    engine = write(tmp_path / "j", [1, 5, 1, 300, 2, 300, 1], roll_at=3)
    found = recover(tmp_path / "j", "reference")
    assert found.engine.canonical_state() == engine.canonical_state()
    assert found.report.commands == 610
    assert found.report.segments >= 3
    assert found.writer.batch_no == found.report.batches == 9
    append(found.engine, found.writer, 3)
    assert found.writer.seal(found.engine.digest()) == found.writer.seal(found.engine.digest()) == 11
    found.writer.close()
    verdict = verify(tmp_path / "j", "reference")
    assert verdict.ok
    assert verdict.exit_code == 0
    assert verdict.commands == 613
    assert verdict.digest == found.engine.digest().hex()
    assert "INTACT" in str(verdict)


@pytest.mark.nojit
def test_files_are_private(tmp_path: Path) -> None:
    os.umask(old := os.umask(0))
    try:
        os.umask(0)
        write(tmp_path / "j", [1])
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "j").stat().st_mode) == 0o700
    for file in (tmp_path / "j").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


@pytest.mark.nojit
def test_a_segment_grows_to_its_largest_batch(tmp_path: Path) -> None:
    engine = write(tmp_path / "j", [1, 2000, 1])
    segments = ls(tmp_path / "j")
    assert [s.batches for s in segments] == [1, 1, 2]
    assert segments[1].size > SEGMENT
    assert segments[2].size == SEGMENT
    found = recover(tmp_path / "j", "reference", from_snapshot=False)
    assert found.engine.digest() == engine.digest()
    found.writer.close()


@pytest.mark.nojit
def test_records_must_continue_the_journal(tmp_path: Path) -> None:
    engine = fake_engine(VENUE)
    with create(tmp_path / "j", VENUE, segment_bytes=SEGMENT) as writer:
        good = make_commands(1, 3)
        events = engine.apply(good)[1]
        for commands in (make_commands(2, 3), make_commands(0, 3), good[::2]):
            with pytest.raises(ValueError, match="do not continue"):
                writer.append(commands, events)
        with pytest.raises(ValueError, match="do not continue"):
            writer.append(good, events[1:])
        with pytest.raises(ValueError, match="at least one command or note"):
            writer.append(good[:0], events[:0])
        assert writer.append(good, events) == 1
        assert writer.append(good[:0], events[:0], [Note(NoteKind.TEXT, b"hello")]) == 2
    with pytest.raises(JournalFailure, match="closed"):
        writer.append(good, events)
    writer.close()


@pytest.mark.nojit
def test_when_the_replies_left_stands_in_the_next_header(tmp_path: Path) -> None:
    engine = fake_engine(VENUE)
    with create(tmp_path / "j", VENUE, segment_bytes=SEGMENT) as writer:
        append(engine, writer, 2)
        writer.mark_sent(123_456)
        append(engine, writer, 2)
        append(engine, writer, 1)
    batches = list(JournalReader(tmp_path / "j").batches())
    assert [batch.previous_sent for batch in batches] == [0, 123_456, 0]
    assert [batch.timestamp for batch in batches] == [2000, 4000, 5000]


@pytest.mark.nojit
def test_replies_of_a_batch_on_its_way_have_not_left() -> None:
    storage, engine = SimulatedStorage(Random(5)), fake_engine(VENUE)
    with create(storage, VENUE, segment_bytes=SEGMENT) as writer:
        writer.write_beside()
        for number in range(4):
            commands = make_commands(writer.position.command, 1)
            writer.begin(commands, engine.apply(commands)[1])
            while number != 1 and writer.durable != writer.position:
                writer.wait()
            writer.mark_sent(100 + number)
    assert [batch.previous_sent for batch in JournalReader(storage).batches()] == [0, 100, 0, 102]


@pytest.mark.nojit
def test_async_leaves_out_only_the_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    monkeypatch.setattr(RealStorage, "fdatasync", lambda self, handle: synced.append(handle))
    engine = fake_engine(VENUE)
    with create(tmp_path / "j", VENUE, "async", segment_bytes=2048) as writer:
        assert writer.genesis.durability == "async"
        writer.prepare(9)
        before = len(synced)
        append(engine, writer, 1)
        assert len(synced) == before
        assert JournalReader(tmp_path / "j").watermark().batch == 1
    found = recover(tmp_path / "j", fake_engine)
    assert found.writer.genesis.durability == "async"
    found.writer.close()


@pytest.mark.nojit
def test_the_next_segment_is_ready_before_half_of_this_one_is_used(tmp_path: Path) -> None:
    engine = fake_engine(VENUE)
    with create(tmp_path / "j", VENUE, segment_bytes=SEGMENT, prepare_step=4096) as writer:
        while writer.position.offset * 2 < SEGMENT:
            append(engine, writer, 1)
        space = writer.space()
        assert space.ready
        assert space.state is SpaceState.OK
        assert space.prepared == SEGMENT


@pytest.mark.nojit
def test_create_refuses_what_is_there(tmp_path: Path) -> None:
    write(tmp_path / "j", [1])
    with pytest.raises(JournalExists, match="recover it"):
        create(tmp_path / "j", VENUE)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"meow")
    with pytest.raises(NotAJournal, match=r"cat\.jpg"):
        create(tmp_path / "photos", VENUE)
    (tmp_path / "j" / "genesis").unlink()
    with pytest.raises(NotAJournal, match="restore genesis"):
        create(tmp_path / "j", VENUE)
    with pytest.raises(ValueError, match="multiple of 512"):
        create(tmp_path / "k", VENUE, segment_bytes=1000)


@pytest.mark.nojit
def test_reading_events_by_sequence(tmp_path: Path) -> None:
    write(tmp_path / "j", [1, 7, 30, 1, 1, 90, 4, 200, 1], roll_at=5)
    reader = JournalReader(tmp_path / "j")
    everything = np.concatenate([batch.events for batch in reader.batches()])
    assert everything["sequence"].tolist() == list(range(1, len(everything) + 1))
    for first, last in ((1, None), (1, 1), (5, 60), (100, 100), (len(everything), None), (len(everything) + 1, None)):
        got = list(reader.events(first, last))
        wanted = everything[first - 1 : last]
        assert b"".join(part.tobytes() for part in got) == wanted.tobytes()
    for command in (1, 2, 8, 40, 41, 150, 336):
        at = reader.seek(command=command)
        batch = next(iter(reader.batches(at)))
        assert batch.first_command <= command
        if batch.command_count:
            assert command <= batch.last_command


@pytest.mark.nojit
def test_events_of_a_session(tmp_path: Path) -> None:
    engine = Engine(VENUE, "reference")
    with create(tmp_path / "j", VENUE, segment_bytes=SEGMENT) as writer:
        for _ in range(3):
            opening = make_commands(writer.position.command, 1)
            number, stamp = opening["sequence"][0], opening["timestamp"][0]
            opening[:] = np.zeros(1, opening.dtype)
            opening["kind"], opening["scope"], opening["quantity"] = CommandKind.OPEN_SESSION, 3, 0
            opening["sequence"], opening["timestamp"] = number, stamp
            writer.append(opening, engine.apply_all(opening))
        for salt in range(20):
            commands = make_commands(writer.position.command, 5, salt)
            commands["session"] = 1 + salt % 3
            writer.append(commands, engine.apply_all(commands))
    reader = JournalReader(tmp_path / "j")
    events = np.concatenate(list(reader.events(1)))
    for session in (1, 2, 3):
        mine = (events["session"] == session) | (events["contra_session"] == session)
        for after in (0, 7, 60):
            got = list(reader.events_for_session(session, after))
            wanted = events[mine & (events["sequence"] > after)]
            assert len(wanted)
            assert b"".join(part.tobytes() for part in got) == wanted.tobytes()
    assert list(reader.events_for_session(9, 0)) == []


@pytest.mark.nojit
def test_following_a_live_journal(tmp_path: Path) -> None:
    engine = fake_engine(VENUE)
    with create(tmp_path / "j", VENUE, segment_bytes=4096) as writer:
        follower = Follower(tmp_path / "j")
        assert list(follower.poll()) == []
        seen = []
        for number in range(40):
            append(engine, writer, 1 + number % 4, number)
            if number % 3 == 0:
                seen += [batch.number for batch in follower.poll()]
        waits = iter([True, True, False])
        seen += [batch.number for batch in follower.follow(lambda: next(waits))]
        assert seen == list(range(1, 41))
        late = Follower(tmp_path / "j", after_command=50)
        first = next(late.poll())
        assert first.first_command <= 51 <= first.last_command
        assert verify(tmp_path / "j", fake_engine).ok


@pytest.mark.nojit
def test_time_travel(tmp_path: Path) -> None:
    write(tmp_path / "j", [3, 40, 1, 7, 60, 2, 2], roll_at=4)
    model, digests = Engine(VENUE, "reference"), []
    digests.append(model.digest())
    for batch in JournalReader(tmp_path / "j").batches():
        for command in range(batch.command_count):
            model.apply(batch.commands[command : command + 1])
            digests.append(model.digest())
    for sequence in (0, 1, 3, 20, 51, 52, 53, 100, 115):
        assert state_at(tmp_path / "j", sequence, implementation="reference").digest() == digests[sequence], sequence
        at = sequence * 1000 + 999
        assert state_at(tmp_path / "j", time=at, implementation="reference").digest() == digests[sequence], sequence
    assert state_at(tmp_path / "j", 60, 40_000, "reference").digest() == digests[40]
    assert state_at(tmp_path / "j", implementation="reference").digest() == digests[115]


@pytest.mark.nojit
def test_listing_and_dumping(tmp_path: Path) -> None:
    write(tmp_path / "j", [3, 4, 5], roll_at=2)
    first, second = ls(tmp_path / "j")
    assert (first.commands, first.batches, first.snapshot, first.first_command) == (7, 2, False, 1)
    assert (second.commands, second.batches, second.snapshot, second.first_command) == (5, 3, True, 8)
    assert second.first_time == 7000
    assert second.last_time == 12_000
    assert first.used == first.size
    rows = list(dump(tmp_path / "j", 7, 8))
    kinds = [(row["record"], row["kind"]) for row in rows]
    assert kinds[0] == ("command", "NEW_ORDER")
    assert ("event", "ACCEPTED") in kinds
    assert ("note", "SNAPSHOT") in kinds
    order = next(row for row in rows if row.get("sequence") == 8 and row["record"] == "command")
    assert (order["side"], order["order_type"], order["symbol"]) == ("BUY", "LIMIT", "X1")
    assert len(list(dump(tmp_path / "j"))) > 24
    rejected = make_commands(13, 1)
    rejected["kind"] = 200
    found = recover(tmp_path / "j", "reference")
    found.writer.append(rejected, found.engine.apply_all(rejected), [Note(NoteKind.TEXT, "halt 停牌".encode())])
    found.writer.close()
    command, event, note = dump(tmp_path / "j", 13)
    assert command["kind"] == 200
    assert (event["kind"], event["reason"], event["reason_text"]) == (
        "REJECTED",
        "INVALID_KIND",
        "unknown command kind",
    )
    assert note["text"] == "halt 停牌"


@pytest.mark.nojit
def test_the_end_of_a_day_is_noticed() -> None:
    events = np.zeros(3, EVENT)
    assert not is_settled(events)
    events["kind"][1] = 26
    assert is_settled(events)


def test_kernel_and_reference_agree_on_a_journal(tmp_path: Path) -> None:
    write(tmp_path / "j", [1, 500, 3, 1000, 40, 1, 1, 1], roll_at=4, implementation="kernel")
    progress: list[tuple[int, int]] = []
    by_kernel = verify(tmp_path / "j", "kernel", lambda commands, size: progress.append((commands, size)))
    by_reference = verify(tmp_path / "j", "reference")
    assert by_kernel.ok
    assert by_reference.ok
    assert by_kernel.digest == by_reference.digest
    assert progress[-1] == (by_kernel.commands, by_kernel.size)
    one = recover(tmp_path / "j", "kernel")
    one.writer.close()
    assert one.report.digest == by_kernel.digest


@pytest.mark.nojit
def test_verify_names_the_damage(tmp_path: Path) -> None:
    write(tmp_path / "j", [3, 40, 5])
    file = tmp_path / "j" / "segment-00000001"
    data = bytearray(file.read_bytes())
    data[5000] ^= 1
    file.write_bytes(data)
    verdict = verify(tmp_path / "j", "reference")
    assert (verdict.result, verdict.exit_code, verdict.sequence) == ("corrupt", 3, 4)
    assert "restore this file" in str(verdict)


def test_old_segments_are_forgotten_but_for_the_last_one_and_read_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the machine's memory fills with what nobody reads; who follows closely still finds the last one there."""
    forgotten: list[tuple[str, int]] = []
    forget = RealStorage.forget

    def noted(self: RealStorage, name: str) -> None:
        forgotten.append((name, writer.position.segment))
        forget(self, name)

    monkeypatch.setattr(RealStorage, "forget", noted)
    engine = fake_engine(VENUE)
    with create(tmp_path / "j", VENUE, segment_bytes=SEGMENT) as writer:
        while writer.position.segment < 6:
            append(engine, writer, 5)
        last = writer.position.command
    assert forgotten == [(f"segment-{number:08d}", number + 2) for number in range(1, 5)]
    assert sum(batch.command_count for batch in JournalReader(tmp_path / "j").batches()) == last - 1
