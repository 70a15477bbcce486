"""A whole journal, checked from its genesis to its end: everything that can be known without an engine."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Final

import numpy as np

from replay.errors import AcknowledgedLost, JournalCorrupt
from replay.format import Genesis, NoteKind, Position, segment_name, segment_numbers
from replay.reader import JournalReader, head_of, read_segment_header
from replay.scan import Batch, Tail, Verdict, Walker, judge_tail
from replay.storage import SECTOR, Storage
from replay.stretch import Crew, Stretch, stretches

_STEP: Final = 1 << 20


class JournalScan:
    """Iterates a whole journal in stretches, checking everything that needs no engine; then `position` and `tail` say
    where and how it ends.

    Args:
        watermark: last batch known to be durable; 0 when unknown.
        first, last: only these segments. What the first one's header says of its beginning is then believed, and what
            follows the last one is not looked at; `beginning` and `position` say what must fit to its neighbours.
        helpers: as for `stretch.Crew`. Windows are read by any of them, one at a time.

    Raises (while iterating): JournalCorrupt, AcknowledgedLost, ForeignFile, NewerVersion, JournalFailure.
    """

    def __init__(
        self,
        storage: Storage,
        genesis: Genesis,
        watermark: int,
        *,
        first: int = 1,
        last: int | None = None,
        helpers: int | None = None,
    ) -> None:
        self.storage = storage
        self.genesis = genesis
        self.watermark = watermark
        self.beginning = self.position = Position(1, SECTOR, 1, 1, 1, genesis.chain)
        self.tail = Tail(Verdict.CLEAN)
        self.size = 0
        """Bytes of the last segment's file."""
        self.segments = 0
        self.release = ""
        """That wrote the segment at `position`."""
        self._first, self._last = first, last
        self._helpers = helpers

    def __iter__(self) -> Generator[Stretch, None, None]:
        numbers = segment_numbers(self.storage.listdir())
        end = numbers[-1] if numbers else 1
        if self._first > 1:
            self.position = head_of(read_segment_header(self.storage, self._first, self.genesis.uuid))
        self.beginning = self.position
        with Crew(self._helpers) as crew:
            for number in range(self._first, (self._last or end) + 1):
                if number not in numbers:
                    raise self._corrupt("a segment is missing", segment_name(number))
                yield from self._segment(number, number == end, crew)
        if self._last is not None and self._last < end:
            return
        if self.tail.verdict is Verdict.CORRUPT:
            raise self._corrupt(self.tail.fault)
        if self.position.batch <= self.watermark:
            raise AcknowledgedLost(
                f"batches up to {self.watermark} were acknowledged, the journal ends at {self.position.batch - 1}",
                file=segment_name(self.position.segment),
                offset=self.position.offset,
                batch=self.position.batch,
                sequence=self.position.command,
            )

    def _segment(self, number: int, is_last: bool, crew: Crew) -> Iterator[Stretch]:
        uuid = self.genesis.uuid
        header = read_segment_header(self.storage, number, uuid)
        at = self.position._replace(segment=number, offset=SECTOR)
        expected = (at.batch, at.command, at.event, at.chain)
        if (header.first_batch, header.first_command, header.first_event, header.chain) != expected:
            raise self._corrupt(f"{segment_name(number)} does not continue the segment before it")
        name = segment_name(number)
        size = self.storage.file_size(name)
        self.segments, self.position, self.release = number, at, header.rules.decode("utf-8", "replace")
        for stretch in stretches(self.storage, name, at, uuid, size, crew):
            self.position = stretch.after
            yield stretch
        end = self.position.offset
        unused = is_zero(self.storage, name, end, size)
        if not is_last and not unused:
            raise self._corrupt("a batch fails its checks and another segment follows")
        if is_last and size == end != header.size:
            raise self._corrupt("the segment was closed because a next one began, and that one is missing")
        if size not in (header.size, end):
            raise self._corrupt(f"the segment has {size} bytes, its header says {header.size}")
        if is_last:
            self.size = size
            if not unused:
                self.tail = judge_tail(self.storage.read(name, end), self.position, uuid, self.watermark, end)

    def _corrupt(self, fault: str, file: str = "") -> JournalCorrupt:
        at = self.position
        return JournalCorrupt(
            fault, file=file or segment_name(at.segment), offset=at.offset, batch=at.batch, sequence=at.command
        )


def is_zero(storage: Storage, name: str, start: int, end: int) -> bool:
    """Whether a file holds only zeros from offset `start` to `end`."""
    while start < end:
        data = storage.read(name, start, min(_STEP, end - start))
        if not data:
            return True
        if np.frombuffer(data, np.uint64, len(data) // 8).any() or any(data[len(data) // 8 * 8 :]):
            return False
        start += len(data)
    return True


def newest_snapshot(reader: JournalReader) -> tuple[int, Position] | None:
    """(batch number, position) of the newest snapshot at the head of a segment."""
    for header in reversed(reader.segments()):
        at = head_of(header)
        batch = first_batch(reader, at)
        if batch is not None and snapshot_in(batch) is not None:
            return batch.number, at
    return None


def first_batch(reader: JournalReader, at: Position) -> Batch | None:
    """The batch at a position, or None when none is complete there."""
    name = segment_name(at.segment)
    size = int.from_bytes(reader.storage.read(name, at.offset + 8, 4), "little")
    data = reader.storage.read(name, at.offset, max(size, SECTOR))
    return next(iter(Walker(data, at, reader.uuid, at.offset)), None)


def snapshot_in(batch: Batch) -> bytes | None:
    """The canonical state that a batch carries, if it does."""
    if not batch.note_count:
        return None
    return next((note.body for note in batch.notes if note.kind == NoteKind.SNAPSHOT), None)
