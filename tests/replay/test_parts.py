"""Verification by parts, each in a process of its own, and what stands between two parts."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from replay import JournalReader, Note, NoteKind, Verdict, create, dump, recover, verify
from replay.format import segment_name
from replay.release import UNKNOWN, release
from tests.replay.fake_engine import VENUE, FakeImplementation, fake_engine, make_commands

SEGMENT = 16 << 10


def write(path: Path, days: int = 3, false_snapshot: int = 0, false_event: int = 0) -> None:
    """Days of nine batches, over several segments each; every day but the first begins with a snapshot."""
    engine = fake_engine(VENUE)
    with create(path, VENUE, segment_bytes=SEGMENT) as writer:
        for day in range(days):
            if day:
                state = engine.canonical_state()
                writer.roll(bytes([1]) + state[1:] if day == false_snapshot else state)
            for number in range(9):
                commands = make_commands(writer.position.command, 8 + number, number)
                events = engine.apply(commands)[1]
                if false_event and day == false_event and number == 4:
                    events["price"][-1] += 1
                writer.append(commands, events)
        writer.seal(engine.digest())


def same(one: Verdict, other: Verdict) -> bool:
    return msgspec.structs.replace(one, seconds=0) == msgspec.structs.replace(other, seconds=0)


def test_the_same_verdict_as_in_one_process(tmp_path: Path) -> None:
    write(tmp_path / "j")
    told: list[tuple[int, int]] = []
    alone = verify(tmp_path / "j", fake_engine)
    parts = verify(tmp_path / "j", fake_engine, lambda commands, size: told.append((commands, size)), jobs=2)
    assert alone.ok
    assert same(alone, parts)
    assert len(told) == 3
    assert told[-1] == (alone.commands, alone.size)


def test_the_same_fault_as_in_one_process(tmp_path: Path) -> None:
    write(tmp_path / "j", false_event=2)
    alone, parts = verify(tmp_path / "j", fake_engine), verify(tmp_path / "j", fake_engine, jobs=3)
    assert (alone.result, alone.field, alone.sequence) == ("diverged", "price", parts.sequence)
    assert same(alone, parts)
    batch = next(b for b in JournalReader(tmp_path / "j").batches() if b.number == 13)
    path = tmp_path / "j" / segment_name(batch.segment)
    data = bytearray(path.read_bytes())
    data[batch.offset + 200] ^= 1
    path.write_bytes(data)
    alone, parts = verify(tmp_path / "j", fake_engine), verify(tmp_path / "j", fake_engine, jobs=3)
    assert (alone.result, alone.sequence) == ("corrupt", batch.first_command)
    assert (parts.fault, parts.sequence, parts.batches) == (alone.fault, alone.sequence, alone.batches)


def test_a_false_snapshot_between_two_parts(tmp_path: Path) -> None:
    write(tmp_path / "j", false_snapshot=1)
    alone, parts = verify(tmp_path / "j", fake_engine), verify(tmp_path / "j", fake_engine, jobs=2)
    for verdict in (alone, parts):
        assert (verdict.result, verdict.field) == ("diverged", "digest of the state")
    assert (alone.expected, alone.actual) == (parts.expected, parts.actual)


def test_a_part_that_belongs_elsewhere(tmp_path: Path) -> None:
    """The last day of another run: sound in itself and of the same journal's identity, but not the next day."""
    uuid, ends = b"U" * 16, {}
    for name, salt in (("j", 0), ("k", 1)):
        engine = fake_engine(VENUE)
        with create(tmp_path / name, VENUE, segment_bytes=SEGMENT, uuid=uuid, clock=lambda: 5) as writer:
            for day in range(2):
                if day:
                    writer.roll(engine.canonical_state())
                commands = make_commands(writer.position.command, 9, salt)
                writer.append(commands, engine.apply(commands)[1])
            writer.seal(engine.digest())
            ends[name] = writer.position.segment
    for name in (segment_name(ends["k"]), "watermark"):
        (tmp_path / "j" / name).write_bytes((tmp_path / "k" / name).read_bytes())
    alone, parts = verify(tmp_path / "j", fake_engine), verify(tmp_path / "j", fake_engine, jobs=2)
    for verdict in (alone, parts):
        assert verdict.result == "corrupt"
        assert "segment-00000002 does not continue the segment before it" in verdict.fault


def test_a_part_whose_segments_are_not_all_there(tmp_path: Path) -> None:
    write(tmp_path / "j")
    last = JournalReader(tmp_path / "j").segments()[-1].number
    for number in (last, 3):
        (tmp_path / "j" / segment_name(number)).unlink()
        assert verify(tmp_path / "j", fake_engine, jobs=2).result == "corrupt"


def test_without_snapshots_one_process_does_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "j", days=1)
    assert len(JournalReader(tmp_path / "j").segments()) > 1
    monkeypatch.setattr(sys.modules["replay.verify"], "_in_processes", None)
    assert verify(tmp_path / "j", fake_engine, jobs=4).ok


@pytest.mark.nojit
def test_recovery_shows_everything_once(tmp_path: Path) -> None:
    """Also what stands before the snapshot from which the engine starts."""
    write(tmp_path / "j")
    seen: list[int] = []
    events: list[bytes] = []

    def observe(stretch) -> None:
        seen.extend(batch.number for batch in stretch.batches())
        events.append(stretch.events.tobytes())

    wanted = list(JournalReader(tmp_path / "j").batches())
    found = recover(tmp_path / "j", fake_engine, observe=observe)
    found.writer.close()
    assert found.report.replayed_from_batch > 1
    assert seen == [batch.number for batch in wanted]
    assert b"".join(events) == b"".join(bytes(batch.event_bytes) for batch in wanted)


@pytest.mark.nojit
def test_segments_name_the_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tomllib

    root = Path(__file__).parents[2]
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    assert release() in {f"carbonbook {version}", f"carbonbook {UNKNOWN}"}
    monkeypatch.setattr("replay.writer.release", lambda: "carbonbook 9.8.7")
    write(tmp_path / "j", days=2, false_event=1)
    assert JournalReader(tmp_path / "j").segments()[0].rules == b"carbonbook 9.8.7"
    verdict = verify(tmp_path / "j", fake_engine)
    assert f"(written by carbonbook 9.8.7; this is {release()})" in verdict.fault
    monkeypatch.setattr("replay.writer.release", release)
    write(tmp_path / "k", days=2, false_event=1)
    assert "written by" not in verify(tmp_path / "k", fake_engine).fault


@pytest.mark.nojit
def test_a_release_that_was_never_installed() -> None:
    from importlib.metadata import PackageNotFoundError

    patch = pytest.MonkeyPatch()

    def missing(_: str) -> str:
        raise PackageNotFoundError

    patch.setattr("replay.release.version", missing)
    release.cache_clear()
    try:
        assert release() == f"carbonbook {UNKNOWN}"
    finally:
        patch.undo()
        release.cache_clear()


@pytest.mark.nojit
def test_messages_are_dumped_with_their_fields(tmp_path: Path) -> None:
    from engine.control import MoveCash, encode, expand
    from gateway.commands.lines import Lines

    message = MoveCash(account=3, currency=1, amount=-250, reference="wire 4711")
    commands = expand(message)
    commands["sequence"] = 1
    with create(tmp_path / "j", VENUE, segment_bytes=SEGMENT) as writer:
        notes = [Note(NoteKind.MESSAGE, encode(message), 0, 1), Note(NoteKind.MESSAGE, b"{nothing", 0, 1)]
        writer.append(commands, FakeImplementation().apply(commands)[1], notes)
    first, second = (row for row in dump(tmp_path / "j") if row["record"] == "note")
    assert first["message"] == {"do": "MoveCash", "account": 3, "currency": 1, "amount": -250, "reference": "wire 4711"}
    assert first["command"] == 1
    assert (second["bytes"], "no control message" in second["unreadable"]) == (8, True)
    line = Lines(VENUE).of(first)
    assert '"do":"MoveCash"' in line
    assert '"reference":"wire 4711"' in line
