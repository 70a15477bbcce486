"""Walking the frames of a segment, and judging what stands where the walk stops.

Only one batch at a time is ever in flight, so at most the last one can be torn by a crash. Everything else that fails
a check has been complete once, and is therefore corrupt: never dropped, always refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple
from zlib import crc32

import numpy as np

from engine.schema import COMMAND, EVENT, CommandArray, EventArray
from replay.errors import NewerVersion
from replay.format import (
    BATCH_MAGIC,
    COMMAND_BYTES,
    END_BYTES,
    END_MAGIC,
    EVENT_BYTES,
    FORMAT_VERSION,
    HEADER,
    HEADER_BYTES,
    PAD,
    Note,
    Position,
    unpack_notes,
)
from replay.storage import SECTOR, Storage

_CRC_AT: Final = HEADER_BYTES - 4
WINDOW: Final = 1 << 20
"""Bytes of a segment read at a time."""


class Batch:
    """One batch, seen through the bytes it was read from; nothing is copied until asked for."""

    __slots__ = ("_data", "_header", "at", "chain", "offset")

    def __init__(self, data: memoryview, at: int, offset: int, header: tuple[int, ...], chain: bytes) -> None:
        self._data = data
        self._header = header
        self.at = at
        """Offset in the bytes."""
        self.offset = offset
        """Offset in the segment's file."""
        self.chain = chain

    @property
    def total(self) -> int:
        """Bytes of the frame."""
        return self._header[3]

    @property
    def number(self) -> int:
        return self._header[5]

    @property
    def first_command(self) -> int:
        """Sequence of the first command, or of the next one to come when the batch has none."""
        return self._header[6]

    @property
    def first_event(self) -> int:
        return self._header[7]

    @property
    def command_count(self) -> int:
        return self._header[8]

    @property
    def event_count(self) -> int:
        return self._header[9]

    @property
    def note_count(self) -> int:
        return self._header[10]

    @property
    def segment(self) -> int:
        return self._header[11]

    @property
    def timestamp(self) -> int:
        """Journal time in ns of the last command so far."""
        return self._header[12]

    @property
    def previous_sent(self) -> int:
        """When the replies of the batch before were sent, ns; 0 = not told."""
        return self._header[13]

    @property
    def last_command(self) -> int:
        return self._header[6] + self._header[8] - 1

    @property
    def last_event(self) -> int:
        return self._header[7] + self._header[9] - 1

    @property
    def commands(self) -> CommandArray:
        """Read-only view, dtype COMMAND[command_count]."""
        return np.frombuffer(self._data, COMMAND, self._header[8], self.at + HEADER_BYTES)

    @property
    def events(self) -> EventArray:
        """Read-only view, dtype EVENT[event_count]."""
        return np.frombuffer(self._data, EVENT, self._header[9], self._events_at)

    @property
    def _events_at(self) -> int:
        return self.at + HEADER_BYTES + self._header[8] * COMMAND_BYTES

    @property
    def command_bytes(self) -> memoryview:
        return self._data[self.at + HEADER_BYTES : self._events_at]

    @property
    def event_bytes(self) -> memoryview:
        at = self._events_at
        return self._data[at : at + self._header[9] * EVENT_BYTES]

    @property
    def notes(self) -> tuple[Note, ...]:
        """Raises ValueError when a note does not fit its commands."""
        if not self._header[10]:
            return ()
        at = self._events_at + self._header[9] * EVENT_BYTES
        payload_end = self.at + HEADER_BYTES + self._header[4]
        return unpack_notes(self._data[at:payload_end], self._header[10], self.commands)

    @property
    def after(self) -> Position:
        """Where the next batch begins."""
        h = self._header
        return Position(h[11], self.offset + h[3], h[5] + 1, h[6] + h[8], h[7] + h[9], self.chain, h[12])


class Walker:
    """Iterates the complete batches in `data` that continue `position`; stops before the first sector that begins none.

    Args:
        data: bytes of the segment `position.segment`, from file offset `base` on.
        position: must lie in `data`; it moves along.
        uuid: the journal's.
    """

    def __init__(self, data: bytes, position: Position, uuid: bytes, base: int = 0) -> None:
        self.data = data
        self.position = position
        self.uuid = uuid
        self.base = base

    def __iter__(self) -> Iterator[Batch]:
        data, uuid, base = self.data, self.uuid, self.base
        view = memoryview(data)
        segment, offset, number, command, event, chain, _ = self.position
        at, size = offset - base, len(data)
        unpack, sha256 = HEADER.unpack_from, hashlib.sha256
        while at + SECTOR <= size:
            header = unpack(data, at)
            magic, version, flags, total, payload, batch, first, first_event, n, m, notes = header[:11]
            if magic != BATCH_MAGIC or version != FORMAT_VERSION or crc32(view[at : at + _CRC_AT]) != header[17]:
                return
            end, stop = at + HEADER_BYTES + payload, at + total
            if batch != number or header[15] != chain or first != command or first_event != event:
                return
            if stop > size or header[11] != segment or header[14] != uuid:
                return
            if not payload_fits(total, payload, n, m, notes):
                return
            digest = sha256(view[at:end]).digest()
            if flags or header[16] or not is_complete(data, end, stop, digest):
                return
            chain = digest
            batch_seen = Batch(view, at, at + base, header, chain)
            number, command, event, at = number + 1, command + n, event + m, stop
            self.position = Position(segment, at + base, number, command, event, chain, header[12])
            yield batch_seen


def walk_file(storage: Storage, name: str, position: Position, uuid: bytes, size: int) -> Iterator[Batch]:
    """The complete batches of a segment's file from `position` on, up to file offset `size`.

    Read in windows small enough to stay in the processor's cache between reading, hashing and comparing; a window
    grows when a batch does not fit.
    """
    window = WINDOW
    while position.offset < size:
        data = storage.read(name, position.offset, min(window, size - position.offset))
        walker = Walker(data, position, uuid, position.offset)
        yield from walker
        if walker.position.offset > position.offset:
            position, window = walker.position, WINDOW
        elif window < size - position.offset and sound_header(data, 0, uuid):
            # No batch is complete in this window, but one may begin here.
            window = max(2 * window, HEADER.unpack_from(data)[3])
        else:
            return


def is_complete(data: bytes, end: int, stop: int, chain: bytes) -> bool:
    """Whether padding and end marker stand behind a payload that ends at `end` and hashes to `chain`."""
    marker = stop - END_BYTES
    return data[marker:stop] == chain[:8] + END_MAGIC and data[end:marker] == PAD[: marker - end]


def payload_fits(total: int, payload: int, commands: int, events: int, notes: int) -> bool:
    """Whether a header's lengths agree with one another."""
    records = commands * COMMAND_BYTES + events * EVENT_BYTES
    padding = total - HEADER_BYTES - payload - END_BYTES
    return (
        total % SECTOR == 0
        and 0 <= padding < SECTOR
        and (payload == records if notes == 0 else payload > records)
        and commands + notes > 0
    )


class Verdict(Enum):
    """What stands behind the last good batch."""

    CLEAN = "clean end"
    TORN = "torn"
    CORRUPT = "corrupt"


class Tail(NamedTuple):
    verdict: Verdict
    fault: str = ""
    size: int = 0
    """Bytes of a torn batch, up to its last sector that is not zero."""


def judge_tail(data: bytes, position: Position, uuid: bytes, watermark: int, base: int = 0) -> Tail:
    """The recovery table for the last segment: what stands at `position`, where no batch continues the journal.

    Args:
        data: the segment's bytes from file offset `base` to its end.
        watermark: last batch known to be durable; 0 when unknown.

    Raises:
        NewerVersion: a sound header of a later format stands there.
    """
    rest = data[position.offset - base :]
    used = len(rest.rstrip(b"\0"))
    if not used:
        return Tail(Verdict.CLEAN)
    _refuse_newer(rest)
    fault = _why_not_torn(rest, position, uuid)
    if fault:
        return Tail(Verdict.CORRUPT, fault)
    later = _later_frame(rest, position.batch, uuid)
    if later is not None:
        return Tail(Verdict.CORRUPT, f"an incomplete batch, yet batch {later[1]} behind it at +{later[0]} is sound")
    if position.batch <= watermark:
        return Tail(Verdict.CORRUPT, f"an incomplete batch that was acknowledged (watermark {watermark})")
    return Tail(Verdict.TORN, "an incomplete batch that nobody was told of", (used + SECTOR - 1) // SECTOR * SECTOR)


def _why_not_torn(rest: bytes, position: Position, uuid: bytes) -> str:
    """Empty when a crash in the middle of one write explains `rest`, else the fault.

    Such a crash leaves sectors of the frame unwritten (all zero), or ends the frame early (zeros up to its end).
    """
    if not any(rest[:SECTOR]):
        return ""
    if not _sound_header(rest):
        # A header that was cut has nothing behind it. A complete one that has rotted has its records behind it.
        head = rest[:HEADER_BYTES]
        if head[:4].rstrip(b"\0") != BATCH_MAGIC[: len(head[:4].rstrip(b"\0"))] or any(rest[HEADER_BYTES:]):
            return "a batch header fails its checksum"
        return ""
    header = HEADER.unpack_from(rest)
    total, payload, batch, first, first_event, n, m, notes, segment = *header[3:11], header[11]
    if (batch, first, first_event) != (position.batch, position.command, position.event):
        return f"batch {batch} stands where batch {position.batch} is due"
    if segment != position.segment or header[14] != uuid:
        return "a batch of another journal or segment"
    if header[15] != position.chain:
        return "a batch does not continue the hash chain"
    if total > len(rest) or not payload_fits(total, payload, n, m, notes):
        return "a batch header's lengths do not fit"
    frame = rest[:total]
    if frame[-1] == 0 or not np.frombuffer(frame, np.uint8).reshape(-1, SECTOR).any(axis=1).all():
        return ""
    return "a complete batch fails its hash"


def sound_header(rest: bytes, at: int, uuid: bytes) -> bool:
    """Whether a batch header of this journal that passes its checksum stands at `at`."""
    return _sound_header(rest, at) and rest[at + 72 : at + 88] == uuid


def _sound_header(rest: bytes, at: int = 0) -> bool:
    crc = rest[at + _CRC_AT : at + HEADER_BYTES]
    return rest[at : at + 4] == BATCH_MAGIC and crc32(rest[at : at + _CRC_AT]) == int.from_bytes(crc, "little")


def _refuse_newer(rest: bytes) -> None:
    version = int.from_bytes(rest[4:6], "little")
    if version > FORMAT_VERSION and _sound_header(rest):
        raise NewerVersion(
            f"a batch of journal format {version}; this release knows up to {FORMAT_VERSION}; use a newer release"
        )


def _later_frame(rest: bytes, batch: int, uuid: bytes) -> tuple[int, int] | None:
    """(offset, batch number) of a sound header behind the first sector."""
    for match in re.finditer(re.escape(BATCH_MAGIC), rest):
        at = match.start()
        if at and at % SECTOR == 0 and _sound_header(rest, at):
            header = HEADER.unpack_from(rest, at)
            if header[14] == uuid and header[5] >= batch:
                return at, header[5]
    return None
