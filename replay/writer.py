"""The one writer of a journal: a batch is one pwrite and one fdatasync, and `append` returns only after both.

`begin` returns before: a thread writes and syncs, in order, one batch at a time, while the caller makes up the next
one. What the disk may hold after a crash is the same in both ways.

Any error of a write or sync is final. What the disk then holds is unknown until the next start reads it, so the writer
refuses everything afterwards and the process must end without replying.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from struct import Struct
from typing import Any, Final, NamedTuple, NoReturn, Self, TypeVar

import numpy as np

from engine.schema import COMMAND, EVENT, CommandArray, EventArray, EventKind
from engine.schema import commands as new_commands
from replay.beside import Beside, Job
from replay.errors import JournalFailure, JournalFull
from replay.format import (
    COMMAND_BYTES,
    EVENT_BYTES,
    PREPARED_NAME,
    WATERMARK_NAME,
    FrameEncoder,
    Genesis,
    Note,
    NoteKind,
    Position,
    SegmentHeader,
    frame_bytes,
    pack_notes,
    pack_watermark,
    segment_name,
)
from replay.next_segment import NextSegment
from replay.release import release
from replay.storage import SECTOR, Storage

PREPARE_STEP: Final = 256 << 10
"""Bytes zero-filled and synced at a time: small enough to disturb the batches between the steps little."""
_SEQUENCE_AT: Final = COMMAND.fields["sequence"][1]  # type: ignore[index]
_EVENT_SEQUENCE_AT: Final = EVENT.fields["sequence"][1]  # type: ignore[index]
_TWO_WORDS: Final = Struct("<qq")
Clock = Callable[[], int]
_T = TypeVar("_T")


class SpaceState(Enum):
    """What the gateway should do about room in the journal."""

    OK = "ok"
    DRAIN = "drain"
    """Half the segment is used and no next one can be prepared: refuse new orders, allow cancels."""
    HALT = "halt"
    """Nine tenths are used: accept nothing."""


class Space(NamedTuple):
    """Room in the journal, bytes."""

    state: SpaceState
    segment_bytes: int
    used: int
    prepared: int
    """How much of the next segment is zero-filled."""
    ready: bool
    """The next segment is complete."""
    blocked: bool
    """The last attempt to prepare found the disk full."""


class JournalWriter:
    """Appends batches. Made by `create` and by `replay.recovery.recover`; not thread-safe.

    Attributes:
        genesis: the journal's identity and venue.
        position: where the next batch will stand; `position.command` is the next command sequence.
        durable: the same behind the last durable batch: earlier while batches that were begun are on their way.
    """

    def __init__(
        self,
        storage: Storage,
        genesis: Genesis,
        position: Position,
        segment_bytes: int,
        *,
        prepare_step: int = PREPARE_STEP,
        clock: Clock = time.time_ns,
    ) -> None:
        """For `create` and `recover`, which hold the storage's lock already.

        Args:
            position: behind the last batch of the last segment.
            segment_bytes: that segment's size.
        """
        self.storage = storage
        self.genesis = genesis
        self.position = self.durable = position
        self._sync = genesis.durability == "sync"
        self._step = prepare_step
        self._clock = clock
        # Two, because one's frame may still be on its way while the other's is made.
        self._encoder, self._other_encoder = FrameEncoder(genesis.uuid), FrameEncoder(genesis.uuid)
        self._beside: Beside | None = None
        self._on_their_way: deque[Position | int] = deque()
        """Of the thread's jobs: the position behind a batch, or how far the next segment will be prepared."""
        self._failure = ""
        self._previous_sent = 0
        self._last_was_seal = False
        self._last_frame = 0
        self._size = segment_bytes
        self._file = storage.open(segment_name(position.segment))
        self._watermark = storage.open(WATERMARK_NAME)
        self._next = NextSegment(storage, genesis.segment_bytes, prepare_step)
        self._closed = False

    # -------------------------------------------------------------------------------------------------- the hot path

    def append(self, commands: CommandArray, events: EventArray, notes: Sequence[Note] = ()) -> int:
        """Write one batch; durable when this returns (durability `sync`).

        Args:
            commands: dtype COMMAND[n], sequences continuing the journal's without a gap.
            events: dtype EVENT[m], all events of these commands, likewise.
            notes: needed when there are no commands.

        Returns:
            The batch's number.

        Raises:
            ValueError: the records do not continue the journal; nothing was written.
            JournalFull: nothing was written; see `space`.
            JournalFailure: a write or sync failed now or before. End the process; nobody may be told of this batch.
        """
        self.settle()
        frame, offset = self._encode(commands, events, notes)
        self._commit(frame, offset)
        self.mark_durable()
        self._prepare_ahead(0)
        return self.batch_no

    def _encode(self, commands: CommandArray, events: EventArray, notes: Sequence[Note]) -> tuple[memoryview, int]:
        """The next batch's frame, valid until the next but one, and its offset; `position` is behind it."""
        if self._failure:
            raise JournalFailure(self._failure)
        at = self.position
        commands, events = np.ascontiguousarray(commands), np.ascontiguousarray(events)
        n, m = len(commands), len(events)
        if n:
            timestamp = _check_continues(commands, n, at.command, _SEQUENCE_AT)
        elif notes:
            timestamp = at.timestamp
        else:
            raise ValueError("a batch needs at least one command or note")
        if m:
            _check_continues(events, m, at.event, _EVENT_SEQUENCE_AT)
        packed = pack_notes(notes, commands) if notes else b""
        size = frame_bytes(n * COMMAND_BYTES + m * EVENT_BYTES + len(packed))
        if at.offset + size > self._size:
            self._next_segment(size)
            at = self.position
        self._encoder, self._other_encoder = self._other_encoder, self._encoder
        frame, chain = self._encoder.encode(at, commands, events, packed, len(notes), timestamp, self._previous_sent)
        behind = at.offset + size
        self.position = Position(at.segment, behind, at.batch + 1, at.command + n, at.event + m, chain, timestamp)
        self._previous_sent = 0
        self._last_was_seal = False
        self._last_frame = size
        return frame, at.offset

    def _commit(self, frame: memoryview, offset: int) -> None:
        """The frame durable in the current segment, or the writer at its end."""
        try:
            self.storage.write_all(self._file, frame, offset)
            if self._sync:
                self.storage.fdatasync(self._file)
        except BaseException as error:  # an interrupt between the two calls leaves as much doubt as an I/O error
            self._fail("writing a batch", error)

    def mark_durable(self) -> None:
        """Everything appended is durable: move the watermark to `position`."""
        try:
            self.storage.write_all(self._watermark, self._mark(), 0)
        except BaseException as error:
            self._fail("writing the watermark", error)
        self.durable = self.position

    def _mark(self) -> bytes:
        at = self.position
        return pack_watermark(self.genesis.uuid, at.batch - 1, at.command - 1, at.event - 1, at.segment, at.offset)

    def _fail(self, doing: str, error: BaseException) -> NoReturn:
        at = self.durable
        reason = error.strerror if isinstance(error, OSError) else repr(error)
        self._failure = (
            f"{self.storage.where}: {doing} failed ({reason}); file {segment_name(at.segment)}, offset {at.offset},"
            f" batch {at.batch}: commands from sequence {at.command} on are not durable and must not be answered."
            " End this process, check the disk, start again"
        )
        if isinstance(error, Exception):
            raise JournalFailure(self._failure) from error
        raise error

    # ------------------------------------------------------------------------------------------- beside the caller

    def write_beside(self) -> int:
        """From now on `begin` writes beside the caller, where the storage can do that.

        Returns:
            A descriptor that is readable when `wait` would not wait; -1 when `begin` is the same as `append`.
        """
        if self._beside is None:
            self._beside = self.storage.beside()
        return self._beside.descriptor if self._beside is not None else -1

    def begin(self, commands: CommandArray, events: EventArray) -> EventArray:
        """As `append`, but the batch is durable only when `durable` is behind it; at most one other may be on its way.

        Returns:
            The events as they are being written, valid until the next but one batch is begun or appended.
        """
        if self._beside is None:
            self.append(commands, events)
            return events
        frame, offset = self._encode(commands, events, ())
        self._hand_over(
            Job(self._file, frame, offset, self._sync, self._watermark, bytearray(self._mark())), self.position
        )
        self._prepare_beside()
        return self._encoder.events(len(commands), len(events))

    def wait(self) -> None:
        """Wait until the next thing on its way has been done: a batch, or a piece of the next segment. Raises
        JournalFailure.
        """
        if self._beside is None or not self._on_their_way:
            return
        done = self._on_their_way.popleft()
        try:
            self._beside.wait()
        except OSError as error:
            if isinstance(done, Position):
                self._fail("writing a batch", error)
            full = error
            self._preparing(lambda: self._next.give_up(full))
            return
        except BaseException as error:
            self._fail("waiting for the disk", error)
        if isinstance(done, Position):
            self.durable = done
        else:
            self._next.prepared = done

    def settle(self) -> None:
        """Wait for everything on its way. Raises JournalFailure."""
        while self._on_their_way:
            self.wait()

    def _hand_over(self, job: Job, done: Position | int) -> None:
        assert self._beside is not None
        try:
            self._beside.begin(job)
        except BaseException as error:
            self._fail("handing over what is to be written", error)
        self._on_their_way.append(done)

    def _prepare_beside(self) -> None:
        """As `_prepare_ahead`, a piece at a time, behind the batch."""
        missing = self._missing(self._step + self._last_frame)
        if missing > 0 and not any(isinstance(job, int) for job in self._on_their_way):
            job, prepared = self._preparing(lambda: self._next.piece(missing))
            self._hand_over(job, prepared)

    # ------------------------------------------------------------------------------------------------ around the batch

    @property
    def batch_no(self) -> int:
        """Number of the last batch; 0 = none."""
        return self.position.batch - 1

    @property
    def failed(self) -> bool:
        return bool(self._failure)

    def mark_sent(self, timestamp: int) -> None:
        """Tell when the last batch's replies were sent (ns); the next batch's header records it.

        Now nobody waits: so much of the next segment is prepared that the next batch need not. Where the thread beside
        has something to do, it does that, too; and while a batch is on its way the last one's replies are not sent yet.
        """
        if self.durable.batch == self.position.batch:
            self._previous_sent = timestamp
        if not self._on_their_way:
            self._prepare_ahead(2 * (self._step + self._last_frame))

    def seal(self, digest: bytes = b"") -> int:
        """Write a SEAL with the digest of the canonical state: at a clean stop, and when idle. Twice in a row is once.

        A sealed journal's last batch of orders is no longer the last batch, so no crash can put it in doubt.
        """
        if not self._last_was_seal:
            self.note(Note(NoteKind.SEAL, digest))
            self._last_was_seal = True
        return self.batch_no

    def roll(self, canonical_state: bytes) -> int:
        """Begin a new segment with a snapshot at its head: after each SETTLE, so that days can be replayed apart.

        Args:
            canonical_state: of the engine after exactly the commands appended so far.

        Raises:
            JournalFull: no room for a new segment; nothing changed, the current one may be used on.
        """
        if self._failure:
            raise JournalFailure(self._failure)
        note = Note(NoteKind.SNAPSHOT, canonical_state)
        self._next_segment(frame_bytes(len(pack_notes([note], new_commands(0)))))
        return self.note(note)

    def note(self, note: Note) -> int:
        """Append a batch that holds a note and no command; as `append`."""
        return self.append(_NO_COMMANDS, _NO_EVENTS, [note])

    def space(self) -> Space:
        """Room, and what to do about it."""
        used, following = self.position.offset, self._next
        state = SpaceState.OK
        if not following.ready and following.blocked and used * 2 >= self._size:
            state = SpaceState.HALT if used * 10 >= self._size * 9 else SpaceState.DRAIN
        return Space(state, self._size, used, following.prepared, following.ready, following.blocked)

    # ---------------------------------------------------------------------------------------------- the next segment

    def prepare(self, steps: int = 1) -> bool:
        """Zero-fill the next segment by `steps`, for idle moments. `append` does it itself when it falls behind.

        Returns:
            Whether it is ready. False with `space().blocked`: the disk is full.
        """
        if self._failure:
            raise JournalFailure(self._failure)
        self.settle()
        return self._preparing(lambda: self._next.prepare(steps * self._step))

    def _prepare_ahead(self, margin: int) -> None:
        """Keep the next segment twice as far as this one is used, and by `margin` bytes more."""
        missing = self._missing(margin)
        if missing > 0:
            self.settle()
            self._preparing(lambda: self._next.prepare(missing))

    def _missing(self, margin: int) -> int:
        return self._next.missing(2 * self.position.offset + margin)

    def _preparing(self, do: Callable[[], _T]) -> _T:
        """What `do` returns; what it raises ends the writer."""
        try:
            return do()
        except BaseException as error:
            self._fail("preparing the next segment", error)

    def _next_segment(self, frame: int) -> None:
        """Roll. Raises JournalFull before anything changed."""
        at = self.position
        size = max(self.genesis.segment_bytes, SECTOR + frame)
        self.settle()
        if not self._preparing(lambda: self._next.finish(size)):
            raise JournalFull(
                f"{self.storage.where}: the disk is full: batch {at.batch} (commands from sequence {at.command}) has no"
                f" room in {segment_name(at.segment)} and no next segment can be made. Free {size >> 10} KiB and retry"
            )
        file, size = self._next.take()
        after = at._replace(segment=at.segment + 1, offset=SECTOR)
        try:
            write_segment_header(self.storage, file, self.genesis.uuid, after, size, self._clock())
            self.storage.rename(PREPARED_NAME, segment_name(after.segment))
            self.storage.fsync_directory()
            # The old segment's unused zeros are given back; the chain proves where it ends.
            self.storage.truncate(self._file, at.offset)
            self.storage.close(self._file)
        except BaseException as error:
            self._fail("beginning a new segment", error)
        self._file, self._size, self.position = file, size, after
        if after.segment > 2:
            # The one before the one just closed. Else an exchange fills the machine's memory with what nobody reads
            # any more, and every batch pays for pages that have to be found for it.
            self.storage.forget(segment_name(after.segment - 2))

    def close(self) -> None:
        """Release files and lock. Does not seal."""
        if self._closed:
            return
        self._closed = True
        self._failure = self._failure or f"{self.storage.where}: the writer is closed; recover the journal to go on"
        if self._beside is not None:
            self._beside.close()
        self.storage.close(self._file)
        self.storage.close(self._watermark)
        self._next.close()
        self.storage.unlock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _check_continues(records: Any, count: int, first: int, at: int) -> int:
    """First and last sequence must fit; returns what stands behind the last one: of a command its timestamp.

    Args:
        records: dtype COMMAND[count] or EVENT[count], contiguous.
        at: offset of the sequence in a record.
    """
    begin, behind = _TWO_WORDS.unpack_from(records, at)
    last = begin
    if count > 1:
        last, behind = _TWO_WORDS.unpack_from(records, at + (count - 1) * records.itemsize)
    if begin != first or last != first + count - 1:
        raise ValueError(f"records {begin}..{last} do not continue the journal at sequence {first}")
    return int(behind)


_NO_COMMANDS: Final = new_commands(0)
_NO_EVENTS: Final[EventArray] = np.zeros(0, EVENT)


def is_settled(events: EventArray) -> bool:
    """Whether a trading day ended in these events: the moment for `JournalWriter.roll`."""
    return bool((events["kind"] == EventKind.SETTLED).any())


def write_segment_header(storage: Storage, handle: int, uuid: bytes, at: Position, size: int, created: int) -> None:
    """Write a segment's first sector and sync the file."""
    rules = release().encode()
    header = SegmentHeader(uuid, at.segment, size, at.batch, at.command, at.event, created, at.chain, rules)
    storage.write_all(handle, header.pack(), 0)
    storage.fdatasync(handle)
