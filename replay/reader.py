"""Reading a journal, live or stopped, without ever changing it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

import numpy as np

from engine.schema import EVENT, EventArray
from replay.errors import ForeignFile, JournalCorrupt, NotAJournal
from replay.format import (
    GENESIS_NAME,
    HEADER,
    WATERMARK_NAME,
    Genesis,
    Position,
    SegmentHeader,
    Watermark,
    segment_name,
    segment_numbers,
    unpack_watermark,
)
from replay.scan import Batch, sound_header, walk_file
from replay.storage import SECTOR, RealStorage, Storage
from replay.stretch import Crew, Stretch, noted_batches, stretches

Source = str | os.PathLike[str] | Storage
_EVENTS_AT_ONCE: Final = 1 << 16


def storage_of(source: Source) -> Storage:
    """A path as the file system's storage; a storage as it is."""
    return source if isinstance(source, Storage) else RealStorage(source)


def read_genesis(storage: Storage) -> Genesis:
    """Raises JournalMissing, NotAJournal, NewerVersion, JournalCorrupt, JournalUnreadable."""
    if GENESIS_NAME not in storage.listdir():
        raise NotAJournal(
            f"{storage.where}: holds no journal (no file {GENESIS_NAME}); name a journal's folder or create one"
        )
    return Genesis.unpack(storage.read(GENESIS_NAME), storage.where)


def read_watermark(storage: Storage, uuid: bytes) -> Watermark | None:
    """None when there is none that can be trusted."""
    for _ in range(3):  # a writer may be in the middle of its 64 bytes
        if WATERMARK_NAME not in storage.listdir():
            return None
        found = unpack_watermark(storage.read(WATERMARK_NAME), uuid)
        if found is not None:
            return found
    return None


class JournalReader:
    """A journal's batches up to its watermark. Safe beside a running writer; holds no lock.

    Raises:
        JournalMissing, NotAJournal, NewerVersion, JournalCorrupt, JournalUnreadable.
    """

    def __init__(self, source: Source) -> None:
        self.storage = storage_of(source)
        self.genesis = read_genesis(self.storage)
        self.venue = self.genesis.venue
        self.uuid = self.genesis.uuid
        self._headers: dict[int, SegmentHeader] = {}

    def watermark(self) -> Watermark:
        """How far the journal is durable right now."""
        return read_watermark(self.storage, self.uuid) or Watermark(0, 0, 0, 1, SECTOR)

    def segments(self) -> list[SegmentHeader]:
        """Headers of all segments, in order. Raises JournalCorrupt when one is missing or unsound."""
        numbers = segment_numbers(self.storage.listdir())
        if numbers != list(range(1, len(numbers) + 1)) or not numbers:
            missing = next(n for n in range(1, len(numbers) + 2) if n not in numbers)
            raise JournalCorrupt("a segment is missing", file=segment_name(missing))
        return [self.segment(number) for number in numbers]

    def segment(self, number: int) -> SegmentHeader:
        """One segment's header. Raises JournalCorrupt, ForeignFile, NewerVersion."""
        if number not in self._headers:
            self._headers[number] = read_segment_header(self.storage, number, self.uuid)
        return self._headers[number]

    def start(self) -> Position:
        """Before the first batch."""
        return Position(1, SECTOR, 1, 1, 1, self.genesis.chain)

    def batches(self, start: Position | None = None, until: Watermark | None = None) -> Iterator[Batch]:
        """Batches from `start` (default: the first) up to `until` (default: the watermark at this moment), in order.

        Header checksum, hash and chain of each are checked. Raises JournalCorrupt at the first that fails.
        """
        position = start or self.start()
        until = until or self.watermark()
        while position.batch <= until.batch:
            name = segment_name(position.segment)
            size = until.offset if position.segment == until.segment else self.storage.file_size(name)
            for batch in walk_file(self.storage, name, position, self.uuid, size):
                yield batch
                if batch.number == until.batch:
                    return
                position = batch.after
            if position.segment >= until.segment:
                raise self._corrupt("a batch below the watermark is damaged", position)
            position = self._next_segment(position)

    def stretches(self, start: Position | None = None, until: Watermark | None = None) -> Iterator[Stretch]:
        """As `batches`, with the same checks, many batches at a time: for whoever reads much at once."""
        position = start or self.start()
        until = until or self.watermark()
        with Crew() as crew:
            while position.batch <= until.batch:
                name = segment_name(position.segment)
                size = until.offset if position.segment == until.segment else self.storage.file_size(name)
                for stretch in stretches(self.storage, name, position, self.uuid, size, crew):
                    position = stretch.after
                    surplus = max(0, position.batch - 1 - until.batch)
                    yield stretch.part(0, len(stretch) - surplus)
                    if position.batch > until.batch:
                        return
                if position.segment >= until.segment:
                    raise self._corrupt("a batch below the watermark is damaged", position)
                position = self._next_segment(position)

    def noted(self, last_command: int | None = None) -> Iterator[Batch]:
        """Batches that carry notes, in order, up to the one with command `last_command` (default: the watermark).

        For names and messages: the records between are passed over unchecked, each note by its own hash when it is
        read. Raises JournalCorrupt where the batches do not reach the watermark or the next segment.
        """
        until, due = self.watermark(), 1
        for number in range(1, until.segment + 1):
            header = self.segment(number)
            if last_command is not None and header.first_command > last_command:
                return
            at = head_of(header)
            name = segment_name(number)
            size = until.offset if number == until.segment else self.storage.file_size(name)
            if header.first_batch != due:
                raise self._corrupt("the batches do not reach the next segment", at)
            for found in noted_batches(self.storage, name, at, self.uuid, size):
                if isinstance(found, int):
                    due = found
                elif last_command is not None and found.first_command > last_command:
                    return
                else:
                    yield found
        if due <= until.batch:
            raise self._corrupt("a batch below the watermark is damaged", at._replace(batch=due))

    def _next_segment(self, position: Position) -> Position:
        header = self.segment(position.segment + 1)
        if (header.first_batch, header.chain) != (position.batch, position.chain):
            raise self._corrupt("the batches do not reach the next segment", position)
        return position._replace(segment=header.number, offset=SECTOR)

    def _corrupt(self, fault: str, at: Position) -> JournalCorrupt:
        file = segment_name(at.segment)
        return JournalCorrupt(fault, file=file, offset=at.offset, batch=at.batch, sequence=at.command)

    def seek(self, *, command: int = 0, event: int = 0) -> Position:
        """The last batch border at or before a command or an event sequence, found by bisection.

        For readers that trust the disk; recovery and verification always walk from a checked start.
        """
        wanted, field = (command, 6) if command else (event, 7)
        headers = self.segments()
        header = headers[0]
        for candidate in headers:
            if (candidate.first_command if command else candidate.first_event) <= wanted:
                header = candidate
        until = self.watermark()
        size = until.offset if until.segment == header.number else None
        data = self.storage.read(segment_name(header.number), 0, size)
        low, high = 1, len(data) // SECTOR - 1
        best = head_of(header)
        while low <= high:
            middle = at = (low + high) // 2
            while at <= high and not sound_header(data, at * SECTOR, self.uuid):
                at += 1
            found = HEADER.unpack_from(data, at * SECTOR) if at <= high else None
            if found is None or found[field] > wanted:
                high = middle - 1
            else:
                best = Position(header.number, at * SECTOR, found[5], found[6], found[7], found[15], found[12])
                low = at + 1
        return best

    def events(self, first: int, last: int | None = None) -> Iterator[EventArray]:
        """Events by sequence, first and last included, as arrays of up to about 65,536 events in order."""
        until = self.watermark()
        parts: list[memoryview] = []
        held = 0
        for batch in self.batches(self.seek(event=max(first, 1)), until):
            parts.append(batch.event_bytes)
            held += batch.event_count
            past = last is not None and batch.last_event >= last
            if held >= _EVENTS_AT_ONCE or past:
                yield from _clipped(parts, first, last)
                parts, held = [], 0
            if past:
                return
        yield from _clipped(parts, first, last)

    def events_for_session(self, session: int, after_sequence: int = 0) -> Iterator[EventArray]:
        """What a session was told: events above `after_sequence` of its commands and of its orders, as arrays."""
        for events in self.events(after_sequence + 1):
            mine = events[(events["session"] == session) | (events["contra_session"] == session)]
            if len(mine):
                yield mine


def head_of(header: SegmentHeader) -> Position:
    """Before a segment's first batch, as its header says."""
    return Position(header.number, SECTOR, header.first_batch, header.first_command, header.first_event, header.chain)


def _clipped(parts: list[memoryview], first: int, last: int | None) -> Iterator[EventArray]:
    events = np.frombuffer(b"".join(parts), EVENT)
    if len(events):
        base = int(events["sequence"][0])
        stop = None if last is None else max(0, last + 1 - base)
        events = events[max(0, first - base) : stop]
    if len(events):
        yield events


def read_segment_header(storage: Storage, number: int, uuid: bytes) -> SegmentHeader:
    """Raises JournalCorrupt, ForeignFile, NewerVersion."""
    name = segment_name(number)
    header = SegmentHeader.unpack(storage.read(name, 0, SECTOR), f"{storage.where}/{name}")
    if header is None:
        raise JournalCorrupt("the segment's header fails its checksum", file=name)
    if header.uuid != uuid:
        raise ForeignFile(
            f"{storage.where}: {name} belongs to another journal ({header.uuid.hex()}, not {uuid.hex()});"
            " put the right file back"
        )
    if header.number != number:
        raise JournalCorrupt(f"the file holds segment {header.number}; it was renamed", file=name)
    return header
