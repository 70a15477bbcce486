"""The journal's bytes: genesis, segment, batch, note and watermark. `docs/journal.md` prints these tables.

All integers are little-endian and naturally aligned. The chain value of a batch is SHA-256(header || payload); the
first one is that of the genesis file, and every header carries the value before it.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal, NamedTuple, Self
from zlib import crc32

import numpy as np

from engine.schema import COMMAND, EVENT, SCHEMA_VERSION, CommandArray, EventArray
from engine.venue import Venue
from replay.errors import JournalCorrupt, NewerVersion, NotAJournal
from replay.storage import SECTOR, Buffer

FORMAT_VERSION: Final = 1
SEGMENT_BYTES: Final = 64 << 20
"""Default size of a segment."""
COMMAND_BYTES: Final = COMMAND.itemsize
EVENT_BYTES: Final = EVENT.itemsize
Durability = Literal["sync", "async"]

GENESIS_NAME: Final = "genesis"
WATERMARK_NAME: Final = "watermark"
PREPARED_NAME: Final = "prepared.tmp"
"""The next segment while it is being zero-filled; recovery throws it away."""


def segment_name(number: int) -> str:
    return f"segment-{number:08d}"


def segment_numbers(names: Iterable[str]) -> list[int]:
    """The segments among a folder's names, in order."""
    found = (re.fullmatch(r"segment-(\d{8,})", name) for name in names)
    return sorted(int(match[1]) for match in found if match)


# ---------------------------------------------------------------------------------------------------------- genesis

_GENESIS: Final = struct.Struct("<8sHHI16sqQII32s")
_GENESIS_MAGIC: Final = b"CBGENSIS"
_CRC: Final = struct.Struct("<I")
_CRC_AT: Final = SECTOR - _CRC.size
FLAG_ASYNC: Final = 1


def _sealed_sector(head: bytes) -> bytes:
    body = head.ljust(_CRC_AT, b"\0")
    return body + _CRC.pack(crc32(body))


def _sector_is_sound(sector: bytes) -> bool:
    return len(sector) == SECTOR and _CRC.unpack_from(sector, _CRC_AT)[0] == crc32(sector[:_CRC_AT])


@dataclass(frozen=True, slots=True)
class Genesis:
    """The first file of a journal: the venue's whole rule set (with capacities) and the journal's identity."""

    venue_json: bytes
    uuid: bytes
    created: int
    """UTC nanoseconds."""
    durability: Durability = "sync"
    segment_bytes: int = SEGMENT_BYTES
    schema_version: int = SCHEMA_VERSION

    @property
    def venue(self) -> Venue:
        """Raises engine.venue.VenueError."""
        return Venue.from_json(self.venue_json)

    @property
    def chain(self) -> bytes:
        """The chain value before the first batch."""
        return hashlib.sha256(self.pack()).digest()

    def pack(self) -> bytes:
        head = _GENESIS.pack(
            _GENESIS_MAGIC,
            FORMAT_VERSION,
            FLAG_ASYNC if self.durability == "async" else 0,
            self.schema_version,
            self.uuid,
            self.created,
            self.segment_bytes,
            SECTOR,
            len(self.venue_json),
            hashlib.sha256(self.venue_json).digest(),
        )
        return _sealed_sector(head) + self.venue_json

    @classmethod
    def unpack(cls, data: bytes, where: str) -> Self:
        """Raises NotAJournal, NewerVersion, JournalCorrupt."""
        if data[:8] != _GENESIS_MAGIC:
            raise NotAJournal(f"{where}: {GENESIS_NAME} is not a journal's genesis; name the folder of a journal")
        check_version(data, 8, f"{where}/{GENESIS_NAME}")
        if not _sector_is_sound(data[:SECTOR]):
            raise JournalCorrupt("the genesis header fails its checksum", file=GENESIS_NAME)
        _, _, flags, schema, uuid, created, segment_bytes, _, length, digest = _GENESIS.unpack_from(data)
        venue_json = data[SECTOR:]
        if len(venue_json) != length or hashlib.sha256(venue_json).digest() != digest:
            raise JournalCorrupt("the venue in the genesis fails its checksum", file=GENESIS_NAME, offset=SECTOR)
        if schema > SCHEMA_VERSION:
            raise NewerVersion(
                f"{where}: record schema {schema}, this release knows up to {SCHEMA_VERSION}; use a newer release"
            )
        return cls(venue_json, uuid, created, "async" if flags & FLAG_ASYNC else "sync", segment_bytes, schema)


def check_version(data: bytes, at: int, where: str) -> None:
    """Raises NewerVersion when the u16 at `at` is above this release's format."""
    version = int.from_bytes(data[at : at + 2], "little")
    if version > FORMAT_VERSION:
        raise NewerVersion(
            f"{where}: journal format {version}, this release knows up to {FORMAT_VERSION}; use a newer release"
        )


# ---------------------------------------------------------------------------------------------------------- segment

_SEGMENT: Final = struct.Struct("<8sHHI16sQQQqqq32s32s")
_SEGMENT_MAGIC: Final = b"CBSEGMNT"


class SegmentHeader(NamedTuple):
    """First sector of a segment; the frames follow it, and zeros follow them."""

    uuid: bytes
    number: int
    size: int
    """Bytes of the file, this sector included."""
    first_batch: int
    first_command: int
    first_event: int
    created: int
    """UTC nanoseconds."""
    chain: bytes
    """Chain value before this segment's first batch."""
    rules: bytes
    """The release that wrote it, text."""

    def pack(self) -> bytes:
        head = (self.uuid, *self[1:7], self.chain, self.rules[:32].ljust(32, b"\0"))
        return _sealed_sector(_SEGMENT.pack(_SEGMENT_MAGIC, FORMAT_VERSION, 0, SECTOR, *head))

    @classmethod
    def unpack(cls, data: bytes, where: str) -> Self | None:
        """None when the sector is no sound header. Raises NewerVersion."""
        if data[:8] != _SEGMENT_MAGIC or not _sector_is_sound(data[:SECTOR]):
            return None
        check_version(data, 8, where)
        _, _, _, _, *fields = _SEGMENT.unpack_from(data)
        return cls._make((*fields[:8], fields[8].rstrip(b"\0")))


# ------------------------------------------------------------------------------------------------------------ batch

HEADER: Final = struct.Struct("<4sHHIIQqqIIIIqq16s32sII")
"""magic, version, flags, total length, payload length, batch, first command sequence, first event sequence, commands,
events, notes, segment, timestamp, previous sent, journal UUID, previous chain value, spare, CRC-32 of bytes 0-123."""
HEADER_BYTES: Final = HEADER.size
HEADER_FIELDS: Final = np.dtype(
    [
        ("magic", "<u4"),
        ("version", "<u2"),
        ("flags", "<u2"),
        ("total", "<u4"),
        ("payload", "<u4"),
        ("batch", "<u8"),
        ("command", "<i8"),
        ("event", "<i8"),
        ("commands", "<u4"),
        ("events", "<u4"),
        ("notes", "<u4"),
        ("segment", "<u4"),
        ("timestamp", "<i8"),
        ("previous_sent", "<i8"),
        ("uuid", "<u8", 2),
        ("previous", "V32"),
        ("spare", "<u4"),
        ("crc", "<u4"),
    ]
)
"""The same as a dtype, for many headers at once."""
_HEADER_HEAD: Final = struct.Struct("<4sHHIIQqqIIIIqq16s32sI")
_HEADER_CRC_AT: Final = HEADER_BYTES - _CRC.size
BATCH_MAGIC: Final = b"CBBT"
END_MAGIC: Final = b"\xffCBEND1\xff"
END_BYTES: Final = 16
"""First 8 bytes of the batch's chain value, then END_MAGIC. Needed by the last batch; others have a successor."""
PAD: Final = b"\xff" * SECTOR


def frame_bytes(payload: int) -> int:
    """Length of the frame around `payload` bytes."""
    return (HEADER_BYTES + payload + END_BYTES + SECTOR - 1) // SECTOR * SECTOR


class Position(NamedTuple):
    """Between two batches: all that the next one must continue."""

    segment: int
    offset: int
    batch: int
    """Number of the next batch; the first is 1."""
    command: int
    """Sequence of the next command; the first is 1."""
    event: int
    """Sequence of the next event; the first is 1."""
    chain: bytes
    timestamp: int = 0
    """Of the last batch, journal time in ns."""


class FrameEncoder:
    """Builds batches in one buffer that is kept; it grows to the largest batch."""

    def __init__(self, uuid: bytes, capacity: int = 1 << 16) -> None:
        self._uuid = uuid
        self._buffer = bytearray(capacity)
        self._view = memoryview(self._buffer)

    def events(self, commands: int, events: int) -> EventArray:
        """The events in the last frame, which held so many records; valid as long as it is."""
        return np.frombuffer(self._buffer, EVENT, events, HEADER_BYTES + commands * COMMAND_BYTES)

    def encode(
        self,
        at: Position,
        commands: CommandArray,
        events: EventArray,
        notes: bytes = b"",
        note_count: int = 0,
        timestamp: int = 0,
        previous_sent: int = 0,
    ) -> tuple[memoryview, bytes]:
        """The frame that follows `at`, and its chain value. The frame is valid until the next call."""
        n, m = len(commands), len(events)
        events_at = HEADER_BYTES + n * COMMAND_BYTES
        notes_at = events_at + m * EVENT_BYTES
        end = notes_at + len(notes)
        total = frame_bytes(end - HEADER_BYTES)
        if total > len(self._buffer):
            self._buffer = bytearray(1 << (total - 1).bit_length())
            self._view = memoryview(self._buffer)
        view = self._view
        view[HEADER_BYTES:events_at] = _bytes_of(commands)
        view[events_at:notes_at] = _bytes_of(events)
        if notes:
            view[notes_at:end] = notes
        head = _HEADER_HEAD.pack(
            BATCH_MAGIC,
            FORMAT_VERSION,
            0,
            total,
            end - HEADER_BYTES,
            at.batch,
            at.command,
            at.event,
            n,
            m,
            note_count,
            at.segment,
            timestamp,
            previous_sent,
            self._uuid,
            at.chain,
            0,
        )
        view[:_HEADER_CRC_AT] = head
        _CRC.pack_into(self._buffer, _HEADER_CRC_AT, crc32(head))
        chain = hashlib.sha256(view[:end]).digest()
        view[end : total - END_BYTES] = PAD[: total - END_BYTES - end]
        view[total - END_BYTES : total] = chain[:8] + END_MAGIC
        return view[:total], chain


def _bytes_of(records: CommandArray | EventArray) -> Buffer:
    """The bytes of contiguous records; of many without a copy."""
    return records.tobytes() if len(records) < 64 else records.view(np.uint8).data


# ------------------------------------------------------------------------------------------------------------ notes


class NoteKind(IntEnum):
    DIGEST = 1
    """32 bytes: SHA-256 of the canonical state after this batch."""
    SNAPSHOT = 2
    """The canonical state after this batch."""
    MESSAGE = 3
    """An administrative message as it came in; the commands it was expanded to are named by index and count."""
    RECOVERY = 4
    """JSON: what was dropped at a restart."""
    SEAL = 5
    """A clean stop or pause; the body is the digest, or empty."""
    TEXT = 6
    """UTF-8 text for people."""


NOTE: Final = struct.Struct("<HHIII32s")
_STUFFED: Final = 1
_STUFF_FROM: Final = 256


@dataclass(frozen=True, slots=True)
class Note:
    """Bytes beside a batch's records. Bound by SHA-256(body || Command[index : index + count])."""

    kind: NoteKind
    body: bytes
    index: int = 0
    """First command of the batch that the note speaks of."""
    count: int = 0
    """How many commands; 0 = the whole batch."""


def pack_notes(notes: Sequence[Note], commands: CommandArray) -> bytes:
    """Notes as they stand in a payload. Raises ValueError when a note speaks of commands that are not there."""
    parts = []
    for note in notes:
        if not 0 <= note.index <= note.index + note.count <= len(commands):
            raise ValueError(f"note of commands {note.index}+{note.count} in a batch of {len(commands)} commands")
        body, flags = note.body, 0
        if len(body) >= _STUFF_FROM:
            # No sector of a frame may be all zero, else it looks like one that was never written. Behind every 511
            # bytes of a long body one 0xFF is put in.
            body, flags = _stuff(body), _STUFFED
        digest = _note_digest(note, commands)
        parts.append(NOTE.pack(note.kind, flags, note.index, note.count, len(note.body), digest))
        parts += [body, PAD[: -len(body) % 8]]
    return b"".join(parts)


def unpack_notes(data: Buffer, count: int, commands: CommandArray) -> tuple[Note, ...]:
    """Inverse of `pack_notes`. Raises ValueError when the bytes are no notes or a note does not fit its commands."""
    notes, at = [], 0
    for _ in range(count):
        if at + NOTE.size > len(data):
            raise ValueError("a note ends outside its batch")
        kind, flags, index, size, length, digest = NOTE.unpack_from(data, at)
        at += NOTE.size
        stored = length + length // (SECTOR - 1) if flags & _STUFFED else length
        body = bytes(data[at : at + stored])
        note = Note(NoteKind(kind), _unstuff(body) if flags & _STUFFED else body, index, size)
        if len(note.body) != length or _note_digest(note, commands) != digest:
            raise ValueError(f"a {note.kind.name} note fails its checksum")
        notes.append(note)
        at += stored + -stored % 8
    if at != len(data):
        raise ValueError("bytes behind the last note")
    return tuple(notes)


def _note_digest(note: Note, commands: CommandArray) -> bytes:
    return hashlib.sha256(note.body + commands[note.index : note.index + note.count].tobytes()).digest()


def _stuff(body: bytes) -> bytes:
    run = SECTOR - 1
    whole = len(body) // run
    blocks = np.full((whole, SECTOR), 0xFF, np.uint8)
    blocks[:, :run] = np.frombuffer(body, np.uint8, whole * run).reshape(whole, run) if whole else 0
    return blocks.tobytes() + body[whole * run :]


def _unstuff(body: bytes) -> bytes:
    whole = len(body) // SECTOR
    if not whole:
        return body
    blocks = np.frombuffer(body, np.uint8, whole * SECTOR).reshape(whole, SECTOR)
    return blocks[:, : SECTOR - 1].tobytes() + body[whole * SECTOR :]


# -------------------------------------------------------------------------------------------------------- watermark

WATERMARK: Final = struct.Struct("<4sI16sQqqQII")
_WATERMARK_HEAD: Final = struct.Struct("<4sI16sQqqQI")
_WATERMARK_MAGIC: Final = b"CBWM"


class Watermark(NamedTuple):
    """How far the journal is durable. Written after each sync, itself unsynced: exact after the process was killed,
    a lower bound after a power cut, never ahead of the data."""

    batch: int
    """Last durable batch; 0 = none."""
    command: int
    """Its last command sequence, or that of an earlier batch."""
    event: int
    segment: int
    offset: int
    """End of that batch in its segment."""


def pack_watermark(uuid: bytes, batch: int, command: int, event: int, segment: int, offset: int) -> bytes:
    head = _WATERMARK_HEAD.pack(_WATERMARK_MAGIC, segment, uuid, batch, command, event, offset, 0)
    return head + _CRC.pack(crc32(head))


def unpack_watermark(data: bytes, uuid: bytes) -> Watermark | None:
    """None when the bytes are torn or another journal's."""
    if len(data) != WATERMARK.size:
        return None
    magic, segment, owner, batch, command, event, offset, _, crc = WATERMARK.unpack(data)
    if magic != _WATERMARK_MAGIC or owner != uuid or crc != crc32(data[: -_CRC.size]):
        return None
    return Watermark(batch, command, event, segment, offset)
