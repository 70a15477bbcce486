"""Saving what can be saved of a damaged journal into a new folder. The damaged one is only read.

What is kept is the part before the first damage, byte for byte: same identity, same chain. Whatever stands behind it
may be sound in itself, but its commands were carried out after others that are lost, so it cannot be replayed.
"""

from __future__ import annotations

import contextlib
import json
import time
from typing import Final, NamedTuple

import msgspec

from replay.chain import JournalScan
from replay.creation import refuse_occupied
from replay.errors import ForeignFile, JournalCorrupt, JournalError, JournalExists, JournalFailure, JournalMissing
from replay.format import (
    BATCH_MAGIC,
    GENESIS_NAME,
    HEADER,
    WATERMARK_NAME,
    Genesis,
    Note,
    NoteKind,
    Position,
    Watermark,
    pack_watermark,
    segment_name,
    segment_numbers,
)
from replay.next_segment import zero_fill
from replay.reader import Source, read_genesis, read_segment_header, read_watermark, storage_of
from replay.scan import Verdict, sound_header
from replay.storage import SECTOR, RealStorage, Storage
from replay.stretch import Stretch
from replay.writer import Clock, JournalWriter

_STEP: Final = 1 << 20


class Span(msgspec.Struct, frozen=True):
    """A run of batches. Sequences 0 and times 0: there are none, or they are not known."""

    batches: int = 0
    first_batch: int = 0
    last_batch: int = 0
    first_command: int = 0
    last_command: int = 0
    commands: int = 0
    events: int = 0
    first_time: int = 0
    """Journal time of the first batch whose header can be read, ns."""
    last_time: int = 0


class Salvage(msgspec.Struct, frozen=True):
    """What was kept and what is lost; printable, and JSON through msgspec."""

    source: str
    target: str
    """Empty when nothing could be kept."""
    fault: str
    """The first damage in full; empty when the journal has none."""
    kept: Span
    lost: Span
    """All that is known of: from the headers behind the damage that can be read, and from the watermark."""
    readable: int
    """Batches among the lost ones whose headers can be read."""
    torn_bytes: int
    """Of an unfinished last batch that nobody was told of; not copied, and no loss."""

    @property
    def exit_code(self) -> int:
        """0 something was kept, 3 nothing."""
        return 0 if self.target else 3


class _Last(NamedTuple):
    """What headers behind the damage tell."""

    headers: int
    batch: int
    command: int
    event: int
    first_time: int
    last_time: int


def salvage(source: Source, target: Source, reason: str = "", clock: Clock = time.time_ns) -> Salvage:
    """Copy the part of a journal before its first damage into a new journal.

    The copy ends with a RECOVERY note that says what was lost and why it was made. Batches are checked by checksum,
    hash and chain; nothing is recomputed (`verify` does that).

    Args:
        source: any journal with a readable genesis. Not changed, not locked.
        target: a folder that is new or empty; it is made only when something can be kept.
        reason: for the note, free text.

    Raises:
        JournalMissing, NotAJournal, NewerVersion: the source is no journal, or a later release's.
        JournalCorrupt: its genesis is damaged.
        JournalExists, NotAJournal, JournalLocked, JournalUnreadable: the target is occupied or cannot be written.
        JournalFailure: the target's disk refused.
    """
    old, new = storage_of(source), storage_of(target)
    genesis = read_genesis(old)
    _refuse_target(old, new)
    mark = read_watermark(old, genesis.uuid)
    scan = JournalScan(old, genesis, mark.batch if mark else 0)
    counted, copy, fault = _Counted(), _Copy(old, new), ""
    try:
        try:
            for stretch in scan:
                copy.add(stretch)
                counted.add(stretch)
        except (JournalCorrupt, ForeignFile, JournalFailure) as error:
            fault = str(error)
        lost, readable = _lost(old, genesis, scan.position, mark) if fault else (Span(), 0)
        torn = scan.tail.size if scan.tail.verdict is Verdict.TORN else 0
        told = Salvage(old.where, new.where if counted.batches else "", fault, counted.span(), lost, readable, torn)
        if counted.batches:
            copy.finish(genesis, scan.position, told, reason, clock)
        return told
    except OSError as error:
        raise JournalFailure(
            f"{new.where}: writing the copy failed ({error.strerror}); empty it, free space or name another folder,"
            " and try again: nothing was lost"
        ) from error
    finally:
        new.unlock()


def _refuse_target(old: Storage, new: Storage) -> None:
    """The copy may neither lie in the source's folder nor take another journal's place."""
    if isinstance(new, RealStorage) and isinstance(old, RealStorage):
        source, target = old.path.resolve(), new.path.resolve()
        if source in target.parents:
            raise JournalExists(f"{new.where}: lies inside the journal to be saved; name a folder elsewhere")
    with contextlib.suppress(JournalMissing):
        refuse_occupied(new)


class _Counted:
    """Sums over what is kept."""

    def __init__(self) -> None:
        self.batches = self.commands = self.events = self.first_time = self.last_time = 0

    def add(self, stretch: Stretch) -> None:
        self.first_time = self.first_time or int(stretch.heads["timestamp"][0])
        self.last_time = int(stretch.heads["timestamp"][-1])
        self.batches += len(stretch)
        self.commands += stretch.command_count
        self.events += stretch.event_count

    def span(self) -> Span:
        first = 1 if self.batches else 0
        return Span(
            batches=self.batches,
            first_batch=first,
            last_batch=self.batches,
            first_command=1 if self.commands else 0,
            last_command=self.commands,
            commands=self.commands,
            events=self.events,
            first_time=self.first_time,
            last_time=self.last_time,
        )


class _Copy:
    """The new folder while it is filled. The genesis comes last: without it there is no journal."""

    def __init__(self, old: Storage, new: Storage) -> None:
        self._old, self._new = old, new
        self._handle: int | None = None
        self._segment = 0
        self._end = 0

    def add(self, stretch: Stretch) -> None:
        if not self._segment:
            if isinstance(self._new, RealStorage):
                self._new.make_directory()
            self._new.lock()
            refuse_occupied(self._new)
        if stretch.segment != self._segment:
            self._close()
            self._segment, self._end = stretch.segment, 0
            name = segment_name(stretch.segment)
            self._handle = self._new.open(name, create=True)
            self._write(self._old.read(name, 0, SECTOR))
        self._write(stretch.frames)

    def _write(self, data: bytes | memoryview) -> None:
        assert self._handle is not None
        self._new.write_all(self._handle, data, self._end)
        self._end += len(data)

    def _close(self) -> None:
        if self._handle is not None:
            self._new.fdatasync(self._handle)
            self._new.close(self._handle)
            self._handle = None

    def finish(self, genesis: Genesis, end: Position, told: Salvage, reason: str, clock: Clock) -> None:
        """Room behind the last batch, the note about the salvage, the genesis."""
        assert self._handle is not None
        new, last = self._new, self._segment
        size = read_segment_header(self._old, last, genesis.uuid).size
        zero_fill(new, self._handle, self._end, size)
        self._close()
        # The scan may have entered the next segment without finding a batch in it.
        at = end._replace(segment=last, offset=self._end)
        mark = pack_watermark(genesis.uuid, at.batch - 1, at.command - 1, at.event - 1, last, at.offset)
        new.write_file(WATERMARK_NAME, mark)
        writer = JournalWriter(new, genesis, at, size, clock=clock)
        note = {
            "salvaged": told.source,
            "reason": reason,
            "fault": told.fault,
            "kept": msgspec.to_builtins(told.kept),
            "lost": msgspec.to_builtins(told.lost),
            "at": clock(),
        }
        writer.note(Note(NoteKind.RECOVERY, json.dumps(note).encode()))
        new.write_file(GENESIS_NAME, genesis.pack())
        writer.close()


def _lost(storage: Storage, genesis: Genesis, end: Position, mark: Watermark | None) -> tuple[Span, int]:
    """What stood behind `end`, as far as headers and the watermark tell, and how many headers can be read."""
    seen = _behind(storage, genesis, end)
    batch = max(seen.batch, mark.batch if mark else 0)
    command = max(seen.command, mark.command if mark else 0)
    event = max(seen.event, mark.event if mark else 0)
    if batch < end.batch:  # not even a header: the damage itself
        batch = end.batch
    some = command >= end.command
    return (
        Span(
            batches=batch - end.batch + 1,
            first_batch=end.batch,
            last_batch=batch,
            first_command=end.command if some else 0,
            last_command=command if some else 0,
            commands=max(0, command - end.command + 1),
            events=max(0, event - end.event + 1),
            first_time=seen.first_time,
            last_time=seen.last_time,
        ),
        seen.headers,
    )


def _behind(storage: Storage, genesis: Genesis, end: Position) -> _Last:
    """Sound headers of this journal from `end` on, wherever they stand."""
    times: list[int] = []
    seen: set[int] = set()
    batch = command = event = 0
    for number in segment_numbers(storage.listdir()):
        if number < end.segment:
            continue
        offset = end.offset if number == end.segment else SECTOR
        with contextlib.suppress(JournalError, OSError):
            for header in _headers(storage, segment_name(number), offset, genesis.uuid):
                if header[5] < end.batch:
                    continue
                seen.add(header[5])
                batch = max(batch, header[5])
                command = max(command, header[6] + header[8] - 1)
                event = max(event, header[7] + header[9] - 1)
                times.append(header[12])
    return _Last(len(seen), batch, command, event, min(times, default=0), max(times, default=0))


def _headers(storage: Storage, name: str, offset: int, uuid: bytes) -> list[tuple[int, ...]]:
    found = []
    while data := storage.read(name, offset, _STEP):
        for at in range(0, len(data) - SECTOR + 1, SECTOR):
            if data[at : at + 4] == BATCH_MAGIC and sound_header(data, at, uuid):
                found.append(HEADER.unpack_from(data, at))
        offset += len(data)
    return found
