"""Simulated crashes, and the faults in our own code that the simulation must find."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import replay.creation
import replay.recovery
import replay.scan
import replay.writer
from replay.format import Position
from replay.scan import Verdict
from replay.storage import Storage
from replay.writer import JournalWriter
from tests.replay.crash_lives import Finding, Story, hunt
from tests.replay.simulated_storage import SimulatedStorage


@pytest.mark.nojit
def test_a_few_lives() -> None:
    hunt(1, 150)


def test_thousands_of_lives() -> None:
    stories, lives = hunt(1_000, 2_000)
    assert lives >= 2_000
    assert stories > 300


def test_the_simulation_reaches_what_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torn batches, crashes inside recovery and segment rolls must occur, else the lives prove nothing."""
    seen = dict.fromkeys(("torn", "rolls", "recovery cut short", "kept unacknowledged"), 0)
    rewrite, roll, check = replay.recovery._rewrite_last_segment, JournalWriter._next_segment, Story._check

    def counting_rewrite(storage: Storage, genesis, scan, clock):
        seen["torn"] += scan.tail.verdict is Verdict.TORN
        seen["recovery cut short"] += 1
        result = rewrite(storage, genesis, scan, clock)
        seen["recovery cut short"] -= 1
        return result

    def counting_roll(self: JournalWriter, frame: int) -> None:
        roll(self, frame)
        seen["rolls"] += 1

    def counting_check(self: Story, commands: int, engine) -> None:
        seen["kept unacknowledged"] += commands > self.acknowledged
        check(self, commands, engine)

    monkeypatch.setattr(replay.recovery, "_rewrite_last_segment", counting_rewrite)
    monkeypatch.setattr(JournalWriter, "_next_segment", counting_roll)
    monkeypatch.setattr(Story, "_check", counting_check)
    hunt(1, 1_200)
    assert all(count >= 10 for count in seen.values()), seen


Plant = Callable[[pytest.MonkeyPatch], None]


def reply_before_sync(patch: pytest.MonkeyPatch) -> None:
    """The sync comes, but only with the next batch."""

    def commit(self: JournalWriter, frame: memoryview, offset: int) -> None:
        try:
            self.storage.fdatasync(self._file)
            self.storage.write_all(self._file, frame, offset)
        except BaseException as error:
            self._fail("writing a batch", error)

    patch.setattr(JournalWriter, "_commit", commit)


def sync_left_out(patch: pytest.MonkeyPatch) -> None:
    def commit(self: JournalWriter, frame: memoryview, offset: int) -> None:
        try:
            self.storage.write_all(self._file, frame, offset)
        except BaseException as error:
            self._fail("writing a batch", error)

    patch.setattr(JournalWriter, "_commit", commit)


def torn_batch_accepted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(replay.scan, "is_complete", lambda *_: True)


def directory_not_synced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SimulatedStorage, "fsync_directory", lambda self: None)


def torn_batch_left_in_place(patch: pytest.MonkeyPatch) -> None:
    """Write on over a torn batch, whose later sectors stay behind the new one."""
    rewrite = replay.recovery._rewrite_last_segment

    def trusting(storage, genesis, scan, clock):
        if scan.tail.verdict is Verdict.CLEAN:
            return rewrite(storage, genesis, scan, clock)
        return scan.position, ""

    patch.setattr(replay.recovery, "_rewrite_last_segment", trusting)


def cache_trusted_after_restart(patch: pytest.MonkeyPatch) -> None:
    """No clean copy where the journal looks whole: after a failed sync the disk lacks what the cache shows."""
    rewrite = replay.recovery._rewrite_last_segment

    def trusting(storage, genesis, scan, clock) -> tuple[Position, str]:
        if scan.tail.verdict is Verdict.TORN:
            return rewrite(storage, genesis, scan, clock)
        return scan.position, ""

    patch.setattr(replay.recovery, "_rewrite_last_segment", trusting)


def copy_not_synced(patch: pytest.MonkeyPatch) -> None:
    sync = SimulatedStorage.fdatasync
    rewrite = replay.recovery._rewrite_last_segment

    def careless(storage, genesis, scan, clock):
        storage.fdatasync = lambda handle: None
        try:
            return rewrite(storage, genesis, scan, clock)
        finally:
            del storage.fdatasync

    assert sync is SimulatedStorage.fdatasync
    patch.setattr(replay.recovery, "_rewrite_last_segment", careless)


def segment_header_not_synced(patch: pytest.MonkeyPatch) -> None:
    write = replay.writer.write_segment_header

    def careless(storage, handle, *rest):
        storage.fdatasync = lambda handle: None
        try:
            write(storage, handle, *rest)
        finally:
            del storage.fdatasync

    patch.setattr(replay.writer, "write_segment_header", careless)


def watermark_before_the_data(patch: pytest.MonkeyPatch) -> None:
    commit = JournalWriter._commit

    def hasty(self: JournalWriter, frame: memoryview, offset: int) -> None:
        at = self.position
        self.position = at._replace(batch=at.batch + 1)
        self.mark_durable()
        self.position = at
        commit(self, frame, offset)

    patch.setattr(JournalWriter, "_commit", hasty)


def failure_forgotten(patch: pytest.MonkeyPatch) -> None:
    """The writer goes on after a failed write or sync."""
    fail = JournalWriter._fail

    def forgetful(self: JournalWriter, doing: str, error: BaseException) -> None:
        try:
            fail(self, doing, error)
        finally:
            self._failure = ""

    patch.setattr(JournalWriter, "_fail", forgetful)


def short_write_taken_for_whole(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SimulatedStorage, "write_all", lambda self, handle, data, offset: self.pwrite(handle, data, offset))


def durable_when_begun(patch: pytest.MonkeyPatch) -> None:
    """Told of as soon as the thread has it."""
    begin = JournalWriter.begin

    def hasty(self: JournalWriter, commands, events):
        kept = begin(self, commands, events)
        self.durable = self.position
        return kept

    patch.setattr(JournalWriter, "begin", hasty)


def one_buffer_for_two_batches(patch: pytest.MonkeyPatch) -> None:
    """The next batch is made where the one before it is still being written from."""
    encode = JournalWriter._encode

    def careless(self: JournalWriter, *records):
        self._other_encoder = self._encoder
        return encode(self, *records)

    patch.setattr(JournalWriter, "_encode", careless)


def segment_begun_before_the_last_one_is_written(patch: pytest.MonkeyPatch) -> None:
    """The old segment is cut to its length while a batch is still on its way to it."""
    patch.setattr(JournalWriter, "settle", lambda self: None)


PLANTED: list[Plant] = [
    durable_when_begun,
    one_buffer_for_two_batches,
    segment_begun_before_the_last_one_is_written,
    reply_before_sync,
    sync_left_out,
    torn_batch_accepted,
    directory_not_synced,
    torn_batch_left_in_place,
    cache_trusted_after_restart,
    copy_not_synced,
    segment_header_not_synced,
    watermark_before_the_data,
    failure_forgotten,
    short_write_taken_for_whole,
]


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(Finding, match="seed"):
        hunt(1, 10_000)  # a bound: it ends at the first finding


def test_the_script_says_what_it_did(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.replay import crash_lives

    monkeypatch.setattr("sys.argv", ["crash_lives", "--lives", "20", "--seed", "5"])
    assert crash_lives.main() == 0
    assert "no acknowledged batch lost" in capsys.readouterr().out
    sync_left_out(monkeypatch)
    monkeypatch.setattr("sys.argv", ["crash_lives", "--lives", "3000", "--seed", str(Path(__file__).stat().st_size)])
    assert crash_lives.main() == 1
    assert "FOUND: seed" in capsys.readouterr().out
