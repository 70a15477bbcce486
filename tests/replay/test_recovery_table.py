"""Every row of the recovery table; every byte damaged: refused or harmless, never silently different."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from random import Random

import numpy as np
import pytest

from engine.core import Engine
from engine.schema import EVENT
from engine.venue import Venue
from replay import (
    AcknowledgedLost,
    ForeignFile,
    JournalCorrupt,
    JournalDiverged,
    JournalReader,
    NewerVersion,
    Note,
    NoteKind,
    create,
    recover,
    verify,
)
from replay.format import FrameEncoder, Position, pack_watermark
from replay.recovery import Recovered
from tests.replay.fake_engine import VENUE, FakeImplementation, fake_engine, make_commands
from tests.replay.simulated_storage import SimulatedStorage

pytestmark = pytest.mark.nojit
UUID = b"U" * 16
SEGMENT = 8192


class Journal:
    """A journal on a simulated disk, two segments long, and what it holds."""

    def __init__(self, batches: int = 6, big_last: bool = True) -> None:
        self.storage = SimulatedStorage(Random(1))
        writer = create(self.storage, VENUE, segment_bytes=SEGMENT, prepare_step=SEGMENT, clock=lambda: 5, uuid=UUID)
        engine = fake_engine(VENUE)
        self.digests = {0: engine.digest()}
        self.ends: list[Position] = [writer.position]
        for number in range(1, batches + 1):
            count = 6 if number == batches and big_last else 1
            if number == batches // 2:
                writer.roll(engine.canonical_state())
                self.ends.append(writer.position)
            commands = make_commands(writer.position.command, count, number)
            _, events = engine.apply(commands)
            writer.append(commands, events)
            self.digests[writer.position.command - 1] = engine.digest()
            self.ends.append(writer.position)
        self.end = writer.position
        self.before_last = self.ends[-2]
        self.commands = self.end.command - 1
        writer.close()

    @property
    def last(self) -> str:
        return f"segment-{self.end.segment:08d}"

    def data(self, name: str) -> bytearray:
        return self.storage.files[name].cache

    def forget_watermark(self, batch: int = 0) -> None:
        """As after a power cut: the watermark on the disk is older than the data."""
        self.data("watermark")[:] = pack_watermark(UUID, batch, 0, 0, 1, 512)

    def recover(self) -> Recovered:
        found = recover(self.storage, fake_engine, clock=lambda: 9)
        found.writer.close()
        return found

    def clone(self) -> Journal:
        return copy.deepcopy(self)


@pytest.fixture(scope="module")
def written() -> Journal:
    return Journal()


@pytest.fixture
def journal(written: Journal) -> Journal:
    return written.clone()


def test_clean_end(journal: Journal) -> None:
    found = journal.recover()
    assert found.report.commands == journal.commands
    assert found.report.torn_bytes == 0
    assert found.engine.digest() == journal.digests[journal.commands]
    assert "every event compared" in str(found.report)
    journal.recover()


def test_from_snapshot_and_from_genesis_are_the_same(journal: Journal) -> None:
    one = recover(journal.clone().storage, fake_engine, from_snapshot=True)
    two = recover(journal.clone().storage, fake_engine, from_snapshot=False)
    assert one.report.replayed_from_batch > 1 == two.report.replayed_from_batch
    assert one.report.digest == two.report.digest
    assert one.engine.canonical_state() == two.engine.canonical_state()


def lose_a_middle_sector(data: bytearray, start: int, end: int) -> None:
    data[start + 512 : start + 1024] = bytes(512)


def lose_the_header_sector(data: bytearray, start: int, end: int) -> None:
    data[start : start + 512] = bytes(512)


def lose_the_last_sector(data: bytearray, start: int, end: int) -> None:
    data[end - 512 : end] = bytes(512)


def cut_in_the_header(data: bytearray, start: int, end: int) -> None:
    data[start + 61 : end] = bytes(end - start - 61)


def cut_in_the_end_marker(data: bytearray, start: int, end: int) -> None:
    data[end - 3 : end] = bytes(3)


TORN = [
    lose_a_middle_sector,
    lose_the_header_sector,
    lose_the_last_sector,
    cut_in_the_header,
    cut_in_the_end_marker,
]


@pytest.mark.parametrize("tear", TORN, ids=lambda tear: tear.__name__)
def test_torn(journal: Journal, tear: Callable[[bytearray, int, int], None]) -> None:
    journal.forget_watermark(journal.before_last.batch - 1)
    tear(journal.data(journal.last), journal.before_last.offset, journal.end.offset)
    found = journal.recover()
    report = found.report
    assert report.commands == journal.before_last.command - 1
    assert found.engine.digest() == journal.digests[report.commands]
    assert report.torn_bytes > 0
    assert report.torn_file in journal.storage.files
    notes = [note for batch in JournalReader(journal.storage).batches() for note in batch.notes]
    told = json.loads(notes[-1].body)
    assert notes[-1].kind is NoteKind.RECOVERY
    assert told["file"] == report.torn_file
    import hashlib

    assert told["sha256"] == hashlib.sha256(journal.data(report.torn_file)).hexdigest()
    assert "dropped one unfinished batch" in str(report)
    assert journal.recover().report.torn_bytes == 0


@pytest.mark.parametrize("tear", TORN, ids=lambda tear: tear.__name__)
def test_torn_but_acknowledged(journal: Journal, tear: Callable[[bytearray, int, int], None]) -> None:
    tear(journal.data(journal.last), journal.before_last.offset, journal.end.offset)
    before = bytes(journal.data(journal.last))
    with pytest.raises(JournalCorrupt, match="acknowledged") as caught:
        journal.recover()
    assert caught.value.exit_code == 3
    assert caught.value.batch == journal.before_last.batch
    assert bytes(journal.data(journal.last)) == before, "a refusal changes nothing"


@pytest.mark.parametrize("tear", TORN, ids=lambda tear: tear.__name__)
def test_incomplete_with_a_sound_batch_behind_it(journal: Journal, tear: Callable[[bytearray, int, int], None]) -> None:
    """The middle of the journal: what follows proves that this was complete once."""
    journal.forget_watermark()
    start, end = journal.ends[-3], journal.ends[-2]
    if end.offset - start.offset < 1536 and tear is lose_a_middle_sector:
        tear = lose_the_last_sector
    tear(journal.data(journal.last), start.offset, end.offset)
    with pytest.raises(JournalCorrupt) as caught:
        journal.recover()
    assert caught.value.offset == start.offset
    assert caught.value.sequence == start.command


def test_complete_last_batch_with_a_flipped_bit(journal: Journal) -> None:
    journal.forget_watermark()
    journal.data(journal.last)[journal.before_last.offset + 300] ^= 4
    with pytest.raises(JournalCorrupt, match="complete batch fails its hash"):
        journal.recover()


def test_last_header_with_a_flipped_bit(journal: Journal) -> None:
    journal.forget_watermark()
    journal.data(journal.last)[journal.before_last.offset + 40] ^= 4
    with pytest.raises(JournalCorrupt, match="header fails its checksum"):
        journal.recover()


def test_damage_in_an_earlier_segment(journal: Journal) -> None:
    journal.data("segment-00000001")[700] ^= 1
    with pytest.raises(JournalCorrupt, match="another segment follows"):
        journal.recover()


def test_missing_segment(journal: Journal) -> None:
    del journal.storage.files["segment-00000001"]
    with pytest.raises(JournalCorrupt, match="missing"):
        journal.recover()


def test_missing_last_segment(journal: Journal) -> None:
    del journal.storage.files[journal.last]
    with pytest.raises(JournalCorrupt, match="that one is missing"):
        journal.recover()


@pytest.mark.parametrize("size", [-512, 512, -1, 1])
def test_wrong_size(journal: Journal, size: int) -> None:
    data = journal.data(journal.last)
    data[:] = data[:size] if size < 0 else data + bytes(size)
    with pytest.raises(JournalCorrupt, match="its header says"):
        journal.recover()


def test_acknowledged_batches_are_gone(journal: Journal) -> None:
    """A whole batch vanished without a trace: only the watermark knows."""
    start, end = journal.before_last.offset, journal.end.offset
    journal.data(journal.last)[start:end] = bytes(end - start)
    with pytest.raises(AcknowledgedLost, match=f"acknowledged, the journal ends at {journal.before_last.batch - 1}"):
        journal.recover()


def test_a_foreign_segment(journal: Journal) -> None:
    other = Journal.__new__(Journal)
    other.storage = SimulatedStorage(Random(2))
    create(other.storage, VENUE, segment_bytes=SEGMENT, uuid=b"V" * 16).close()
    journal.storage.files["segment-00000001"] = other.storage.files["segment-00000001"]
    with pytest.raises(ForeignFile, match="another journal"):
        journal.recover()


def test_segments_swapped(journal: Journal) -> None:
    files = journal.storage.files
    files["segment-00000001"], files["segment-00000002"] = files["segment-00000002"], files["segment-00000001"]
    with pytest.raises(JournalCorrupt, match="renamed"):
        journal.recover()


def test_a_batch_of_a_newer_version(journal: Journal) -> None:
    import zlib

    data, at = journal.data(journal.last), journal.before_last.offset
    data[at + 4] = 9
    data[at + 124 : at + 128] = zlib.crc32(data[at : at + 124]).to_bytes(4, "little")
    with pytest.raises(NewerVersion, match="format 9"):
        journal.recover()


class Otherwise(FakeImplementation):
    """An engine of other rules: a price is different."""

    def apply(self, commands: np.ndarray) -> tuple[int, np.ndarray]:
        done, events = super().apply(commands)
        events["price"][events["sequence"] == 5] += 1
        return done, events


def otherwise(venue: Venue, state: bytes | None = None) -> Engine:
    engine = fake_engine(venue)
    engine._impl = Otherwise()
    if state is not None:
        engine._impl.restore(state)
    return engine


def test_diverged(journal: Journal) -> None:
    with pytest.raises(JournalDiverged, match=r"event 5 \(command 3\), field price: the journal has \d+, replay") as it:
        recover(journal.storage, otherwise, from_snapshot=False)
    assert it.value.exit_code == 4
    verdict = verify(journal.storage, otherwise)
    assert (verdict.result, verdict.sequence, verdict.field, verdict.exit_code) == ("diverged", 5, "price", 4)
    assert int(verdict.actual) == int(verdict.expected) + 1
    assert "DIVERGED" in str(verdict)


def test_a_wrong_digest_diverges() -> None:
    storage = SimulatedStorage(Random(1))
    writer, engine = create(storage, VENUE, segment_bytes=SEGMENT), fake_engine(VENUE)
    commands = make_commands(1, 1)
    writer.append(commands, engine.apply(commands)[1], [Note(NoteKind.DIGEST, bytes(32))])
    writer.close()
    with pytest.raises(JournalDiverged, match="digest"):
        recover(storage, fake_engine)


def test_a_wrong_number_of_events_diverges() -> None:
    for cut in (-1, 1):
        storage = SimulatedStorage(Random(1))
        writer, engine = create(storage, VENUE, segment_bytes=SEGMENT), fake_engine(VENUE)
        commands = make_commands(1, 2)
        events = engine.apply(commands)[1]
        extra = np.zeros(1, EVENT)
        extra["sequence"] = len(events) + 1
        writer.append(commands, events[:-1] if cut < 0 else np.concatenate([events, extra]))
        writer.close()
        with pytest.raises(JournalDiverged, match="none"):
            recover(storage, fake_engine)


def test_two_different_batches_with_one_number(journal: Journal) -> None:
    """A sound batch that does not continue the chain is never dropped."""
    journal.forget_watermark()
    at = journal.before_last._replace(chain=b"?" * 32)
    frame, _ = FrameEncoder(UUID).encode(at, make_commands(at.command, 1), np.zeros(0, EVENT))
    journal.data(journal.last)[at.offset : at.offset + 512] = frame
    with pytest.raises(JournalCorrupt, match="hash chain"):
        journal.recover()
