"""Salvage: what stands before the first damage becomes a journal of its own; the damaged one is never touched."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import cli
from replay import (
    JournalCorrupt,
    JournalExists,
    JournalReader,
    NotAJournal,
    NoteKind,
    create,
    recover,
    salvage,
    verify,
)
from tests.replay.fake_engine import VENUE, fake_engine, make_commands

pytestmark = pytest.mark.nojit
SEGMENT = 8192


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Batches of 1 to 3 commands over several segments, one of them with a snapshot at its head."""
    engine = fake_engine(VENUE)
    with create(tmp_path / "source", VENUE, segment_bytes=SEGMENT) as writer:
        for number in range(40):
            if number == 17:
                writer.roll(engine.canonical_state())
            commands = make_commands(writer.position.command, 1 + number % 3, number)
            writer.append(commands, engine.apply(commands)[1])
        writer.seal(engine.digest())
    return tmp_path / "source"


def prints(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def saved(source: Path) -> tuple[object, Path]:
    """Salvage; the source is unchanged, the copy verifies, recovers and holds the same batches."""
    before, target = prints(source), source.parent / "target"
    told = salvage(source, target, "a test")
    assert prints(source) == before
    assert told.exit_code == 0
    verdict = verify(target, fake_engine)
    assert (verdict.result, verdict.commands) == ("intact", told.kept.commands)
    assert verdict.batches == told.kept.batches + 1, "and the note about the salvage"
    found = recover(target, fake_engine)
    assert found.report.commands == told.kept.commands
    commands = make_commands(found.writer.position.command, 1)
    found.writer.append(commands, found.engine.apply(commands)[1])
    found.writer.close()
    assert verify(target, fake_engine).ok
    note = next(n for b in JournalReader(target).batches() for n in b.notes if n.kind == NoteKind.RECOVERY)
    body = json.loads(note.body)
    assert (body["reason"], body["fault"]) == ("a test", told.fault)
    assert body["lost"]["first_batch"] == told.lost.first_batch
    return told, target


def batches(source: Path) -> list:
    return list(JournalReader(source).batches())


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 4
    path.write_bytes(data)


def test_a_sound_journal_is_copied_whole(source: Path) -> None:
    told, target = saved(source)
    assert (told.fault, told.lost.batches, told.kept.batches) == ("", 0, 42)
    for one, other in zip(batches(source), batches(target), strict=False):
        assert one.chain == other.chain


@pytest.mark.parametrize("at", [1, 5, 20, 41])
def test_a_flipped_byte(source: Path, at: int) -> None:
    everything = batches(source)
    bad = everything[at]
    flip(source / f"segment-{bad.segment:08d}", bad.offset + 200)
    told, _ = saved(source)
    assert told.kept.batches == told.kept.last_batch == bad.number - 1
    assert told.kept.last_command == bad.first_command - 1
    assert told.kept.last_time == everything[at - 1].timestamp
    assert "offset" in told.fault
    assert (told.lost.first_batch, told.lost.last_batch, told.lost.batches) == (bad.number, 42, 42 - at)
    assert told.lost.commands == sum(batch.command_count for batch in everything[at:])
    assert told.lost.events == sum(batch.event_count for batch in everything[at:])
    assert told.lost.last_time == everything[-1].timestamp
    assert told.readable == 42 - at, "the header of the damaged batch is sound"


def test_a_flipped_byte_in_a_header(source: Path) -> None:
    bad = batches(source)[20]
    flip(source / f"segment-{bad.segment:08d}", bad.offset + 30)
    told, _ = saved(source)
    assert told.kept.batches == 20
    assert (told.lost.batches, told.readable) == (22, 21)


@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize("how", ["missing", "header", "foreign"])
def test_a_segment_that_is_gone(source: Path, number: int, how: str) -> None:
    everything = batches(source)
    path = source / f"segment-{number:08d}"
    kept = [batch for batch in everything if batch.segment < number]
    gone = [batch for batch in everything if batch.segment == number]
    if how == "missing":
        path.unlink()
    elif how == "header":
        flip(path, 60)
    else:
        other = source.parent / "other"
        with create(other, VENUE, segment_bytes=SEGMENT):
            pass
        path.write_bytes((other / "segment-00000001").read_bytes())
    told, target = saved(source)
    assert told.kept.batches == len(kept)
    assert told.lost.batches == len(everything) - len(kept)
    assert told.readable == told.lost.batches - (0 if how == "header" else len(gone))
    assert not (target / f"segment-{number + 1:08d}").exists()


def test_the_end_is_missing(source: Path) -> None:
    """The last segment is gone: the watermark tells how much was acknowledged."""
    everything = batches(source)
    last = everything[-1].segment
    (source / f"segment-{last:08d}").unlink()
    told, _ = saved(source)
    assert told.kept.batches == sum(batch.segment < last for batch in everything)
    assert (told.lost.last_batch, told.readable, told.lost.last_time) == (42, 0, 0)
    assert told.lost.last_command == everything[-1].last_command


def test_an_unfinished_last_batch_is_no_damage(source: Path) -> None:
    last = batches(source)[-1]
    path = source / f"segment-{last.segment:08d}"
    data = bytearray(path.read_bytes())
    end = last.offset + last.total
    data[end + 512 : end + 1024] = b"\1" * 512
    path.write_bytes(data)
    told, _ = saved(source)
    assert (told.fault, told.kept.batches, told.torn_bytes) == ("", 42, 1024)


@pytest.mark.parametrize("how", ["genesis", "first batch", "empty"])
def test_nothing_can_be_saved(source: Path, tmp_path: Path, how: str) -> None:
    if how == "genesis":
        flip(source / "genesis", 600)
        with pytest.raises(JournalCorrupt):
            salvage(source, tmp_path / "target")
    else:
        if how == "empty":
            source = tmp_path / "empty"
            create(source, VENUE, segment_bytes=SEGMENT).close()
        else:
            flip(source / "segment-00000001", 700)
        told = salvage(source, tmp_path / "target")
        assert (told.exit_code, told.target, told.kept.batches) == (3, "", 0)
    assert not (tmp_path / "target").exists()
    result = CliRunner().invoke(cli, ["journal", "salvage", str(source), str(tmp_path / "target")])
    assert result.exit_code == 3
    assert not (tmp_path / "target").exists()


def test_the_target_must_be_free(source: Path, tmp_path: Path) -> None:
    before = prints(source)
    for target, error in (
        (source, JournalExists),
        (source / "inside", JournalExists),
        (tmp_path, NotAJournal),
    ):
        with pytest.raises(error):
            salvage(source, target)
    assert prints(source) == before
    result = CliRunner().invoke(cli, ["journal", "salvage", str(source), str(source)])
    assert (result.exit_code, "holds a journal already" in result.stderr) == (2, True)
    assert CliRunner().invoke(cli, ["journal", "salvage", str(tmp_path / "no"), str(tmp_path / "x")]).exit_code == 2


def test_the_command_says_what_was_kept_and_lost(source: Path, tmp_path: Path) -> None:
    bad = batches(source)[20]
    flip(source / f"segment-{bad.segment:08d}", bad.offset + 200)
    result = CliRunner().invoke(cli, ["journal", "salvage", str(source), str(tmp_path / "a"), "--reason", "bad disk"])
    assert result.exit_code == 0, result.output
    assert "SALVAGED" in result.stdout
    assert f"batches 1 to 20, commands 1 to {bad.first_command - 1}" in result.stdout
    assert "batches 21 to 42" in result.stdout
    result = CliRunner().invoke(cli, ["journal", "salvage", str(source), str(tmp_path / "b"), "--json"])
    found = json.loads(result.stdout)
    assert (found["kept"]["batches"], found["lost"]["batches"], found["readable"]) == (20, 22, 22)
