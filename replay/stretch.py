"""Many batches at once: a stretch of a segment read, checked and hashed together.

What `scan.Walker` checks batch by batch is checked here by whole arrays, and by as many threads as there are
processors: every header carries the hash of the batch before it, so the frames of one stretch can be hashed without
waiting for the stretch before. Only then, in order, is each stretch held against the place where the last one ended.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from sys import getrefcount
from threading import Lock
from typing import Any, Final, NamedTuple, Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from engine.schema import COMMAND, EVENT, CommandArray, EventArray
from replay.format import (
    BATCH_MAGIC,
    COMMAND_BYTES,
    END_BYTES,
    END_MAGIC,
    EVENT_BYTES,
    FORMAT_VERSION,
    HEADER,
    HEADER_BYTES,
    HEADER_FIELDS,
    Position,
)
from replay.scan import Batch
from replay.storage import SECTOR, Storage

WINDOW: Final = 4 << 20
"""Bytes of a segment read at a time. Smaller ones stay closer in the processor's caches between reading, hashing and
comparing, but then the array operations on each window's headers weigh more: 1 MiB costs a sixth more in all."""
AHEAD: Final = 4
"""Windows read before the one in use."""
MOST_HELPERS: Final = 3
SWITCH_SECONDS: Final = 0.0002
MOST_ROOMS: Final = 16
_UNUSED: Final = 3
"""References to a buffer of `Rooms` that nobody looks at: the list's, the loop's, the call's that counts them."""
_MAGIC: Final = int.from_bytes(BATCH_MAGIC, "little")
_END: Final = int.from_bytes(END_MAGIC, "little")
_CRC_AT: Final = HEADER_BYTES - 4


class Window(NamedTuple):
    """A piece of a segment, read but not checked."""

    segment: int
    offset: int
    """Of `data` in the file."""
    data: memoryview
    """Read-only."""
    starts: NDArray[np.int64]
    """Byte offsets in `data` where frames seem to begin; [n]."""


class Stretch:
    """Consecutive batches of one segment, whole and linked with one another; nothing is copied until asked for.

    Attributes:
        segment: its number.
        heads: the headers, dtype HEADER_FIELDS[n]; `len` is n.
        size: bytes of all frames.
    """

    __slots__ = ("_chains", "_data", "_offset", "_starts", "heads", "segment", "size")

    def __init__(
        self, segment: int, data: memoryview, offset: int, starts: NDArray[np.int64], heads: NDArray[Any], chains: bytes
    ) -> None:
        self.segment = segment
        self.heads = heads
        self.size = int(heads["total"].sum(dtype=np.int64))
        self._data = data
        self._offset = offset
        self._starts = starts
        self._chains = chains

    def __len__(self) -> int:
        return len(self.heads)

    @property
    def first_batch(self) -> int:
        """Number of the first batch."""
        return int(self.heads["batch"][0])

    def part(self, first: int, last: int) -> Stretch:
        """Batches `first` to `last` (excluded) by index."""
        chains = self._chains[32 * first : 32 * last]
        return Stretch(self.segment, self._data, self._offset, self._starts[first:last], self.heads[first:last], chains)

    def batch(self, index: int) -> Batch:
        at = int(self._starts[index])
        header = HEADER.unpack_from(self._data, at)
        chain = self._chains[32 * index : 32 * index + 32]
        return Batch(self._data, at, self._offset + at, header, chain)

    def batches(self) -> Iterator[Batch]:
        return (self.batch(index) for index in range(len(self)))

    def noted(self) -> list[int]:
        """Indexes of the batches that carry notes."""
        found: list[int] = np.flatnonzero(self.heads["notes"]).tolist()
        return found

    @property
    def after(self) -> Position:
        """Where the next batch begins; the stretch is not empty."""
        head = self.heads[-1]
        return Position(
            self.segment,
            self._offset + int(self._starts[-1]) + int(head["total"]),
            int(head["batch"]) + 1,
            int(head["command"]) + int(head["commands"]),
            int(head["event"]) + int(head["events"]),
            self._chains[-32:],
            int(head["timestamp"]),
        )

    def continues(self, at: Position) -> bool:
        """Whether the first batch is the one due at a position."""
        head = self.heads[0]
        return (int(head["batch"]), int(head["command"]), int(head["event"]), head["previous"].tobytes()) == (
            at.batch,
            at.command,
            at.event,
            at.chain,
        ) and (self.segment, self._offset + int(self._starts[0])) == (at.segment, at.offset)

    @property
    def frames(self) -> memoryview:
        """The batches as they stand in the file, `size` bytes."""
        at = int(self._starts[0]) if len(self) else 0
        return self._data[at : at + self.size]

    @property
    def command_count(self) -> int:
        return int(self.heads["commands"].sum(dtype=np.int64))

    @property
    def event_count(self) -> int:
        return int(self.heads["events"].sum(dtype=np.int64))

    @property
    def commands(self) -> CommandArray:
        """All commands, read-only, dtype COMMAND[command_count]."""
        first = self._starts + HEADER_BYTES
        return self._records(first, first + self._command_bytes, COMMAND)

    @property
    def events(self) -> EventArray:
        """All events, read-only, dtype EVENT[event_count]."""
        first = self._starts + HEADER_BYTES + self._command_bytes
        return self._records(first, first + self.heads["events"].astype(np.int64) * EVENT_BYTES, EVENT)

    @property
    def _command_bytes(self) -> NDArray[np.int64]:
        return self.heads["commands"].astype(np.int64) * COMMAND_BYTES

    def _records(self, first: NDArray[np.int64], end: NDArray[np.int64], dtype: np.dtype[Any]) -> NDArray[Any]:
        """The records between each `first` and `end`, put together; one batch's are seen where they stand."""
        view = self._data
        parts = [view[start:stop] for start, stop in zip(first.tolist(), end.tolist(), strict=True)]
        return np.frombuffer(parts[0] if len(parts) == 1 else b"".join(parts), dtype)


def stretches(storage: Storage, name: str, position: Position, uuid: bytes, size: int, crew: Crew) -> Iterator[Stretch]:
    """The complete batches of a segment's file that continue `position`, up to file offset `size`.

    Ends before the first sector that begins none. Raises what reading raises.
    """
    for window, stretch in crew.checked(
        _windows(storage, name, position, size, crew.rooms), uuid, size - position.offset
    ):
        if not len(stretch) or not stretch.continues(position):
            return
        position = stretch.after
        yield stretch
        if len(stretch) < len(window.starts):
            return


def _windows(storage: Storage, name: str, position: Position, size: int, rooms: Rooms) -> Iterator[Window]:
    """The file piece by piece, each cut where a frame seems to begin. A window grows when no frame fits."""
    offset, length = position.offset, WINDOW
    while offset + SECTOR <= size:
        room = rooms.take(length)
        data = memoryview(room).toreadonly()[: storage.read_into(name, room, offset, min(length, size - offset))]
        starts, end = _frames(data)
        if starts:
            yield Window(position.segment, offset, data, np.array(starts, np.int64))
            if bytes(data[end : end + 4]) != BATCH_MAGIC[: len(data) - end]:
                return
            offset, length = offset + end, WINDOW
            continue
        wanted = HEADER.unpack_from(data)[3] if bytes(data[:4]) == BATCH_MAGIC and len(data) >= SECTOR else 0
        if not len(data) < wanted <= size - offset:
            return
        length = wanted


class Rooms:
    """Buffers for windows, each used again when nobody looks at it any more.

    A fresh one costs a page fault every 4 KiB, a tenth of a verification. Every view of a buffer, whoever holds it,
    counts as a reference to it.
    """

    def __init__(self) -> None:
        self._rooms: list[bytearray] = []

    def take(self, size: int) -> bytearray:
        """At least `size` bytes that nobody looks at."""
        for room in self._rooms:
            if getrefcount(room) <= _UNUSED and len(room) >= size:
                return room
        room = bytearray(size)
        if len(self._rooms) < MOST_ROOMS:
            self._rooms.append(room)
        return room


def _frames(data: memoryview) -> tuple[list[int], int]:
    """Offsets where frames seem to begin, told by their magic and lengths alone, and where the last one ends."""
    words = np.frombuffer(data, "<u4", len(data) // SECTOR * (SECTOR // 4)).reshape(-1, SECTOR // 4)
    sizes = np.where(words[:, 0] == _MAGIC, words[:, 2], 0).tolist()
    starts, at, count = [], 0, len(sizes)
    while at < count:
        total = sizes[at]
        if not total or total % SECTOR or at + total // SECTOR > count:
            break
        starts.append(at * SECTOR)
        at += total // SECTOR
    return starts, at * SECTOR


def noted_batches(storage: Storage, name: str, position: Position, uuid: bytes, size: int) -> Iterator[Batch | int]:
    """The batches of a segment's file that carry notes, then the number of the batch due at the end.

    Hashes and chain are not checked, so this is several times as fast as `stretches`; a note has a hash of its own over
    its body and its commands. The batches' `chain` is empty.
    """
    due = position.batch
    for window in _windows(storage, name, position, size, Rooms()):
        heads = _heads(window)
        good = _first_false(_sound(heads, window.segment, uuid))
        if not good or int(heads["batch"][0]) != due:
            break
        for index in np.flatnonzero(heads["notes"][:good]).tolist():
            at = int(window.starts[index])
            yield Batch(window.data, at, window.offset + at, HEADER.unpack_from(window.data, at), b"")
        due += good
        if good < len(heads):
            break
    yield due


def _heads(window: Window) -> NDArray[Any]:
    """The headers of a window's frames, copied: dtype HEADER_FIELDS[n]."""
    whole = len(window.data) // SECTOR * SECTOR
    rows = np.frombuffer(window.data, np.uint8, whole).reshape(-1, HEADER_BYTES)
    heads: NDArray[Any] = rows[window.starts // HEADER_BYTES].view(HEADER_FIELDS)[:, 0]
    return heads


def check(window: Window, uuid: bytes) -> Stretch:
    """The batches of a window up to the first that fails a check of its own or does not continue the one before."""
    data, starts, heads = window.data, window.starts, _heads(window)
    whole = len(data) // SECTOR * SECTOR
    good = _first_false(_sound(heads, window.segment, uuid))
    begins = starts[:good].tolist()
    stops = starts[:good] + heads["total"][:good] - END_BYTES
    ends = (starts[:good] + HEADER_BYTES + heads["payload"][:good]).tolist()
    crcs = [crc32(data[begin : begin + _CRC_AT]) for begin in begins]
    padded = [not bytes(data[end:stop]).strip(b"\xff") for end, stop in zip(ends, stops.tolist(), strict=True)]
    good = _first_false((heads["crc"][:good] == crcs) & np.array(padded, bool))
    digests = [sha256(data[begin:end]).digest() for begin, end in zip(begins[:good], ends[:good], strict=True)]
    chains = b"".join(digests)
    hashes = np.frombuffer(chains, "<u8").reshape(-1, 4)
    previous = heads["previous"][:good].copy().view("<u8").reshape(-1, 4)
    markers = np.frombuffer(data, "<u8", whole // 8).reshape(-1, 2)[stops[:good] // END_BYTES]
    fine = (markers[:, 0] == hashes[:, 0]) & (markers[:, 1] == _END)
    fine[1:] &= (previous[1:] == hashes[:-1]).all(axis=1)
    good = _first_false(fine)
    return Stretch(window.segment, data, window.offset, starts[:good], heads[:good], chains[: 32 * good])


def _sound(heads: NDArray[Any], segment: int, uuid: bytes) -> NDArray[np.bool_]:
    """For each header whether it agrees with itself, with the headers before it, and belongs here."""
    commands, events = heads["commands"].astype(np.int64), heads["events"].astype(np.int64)
    payload, notes = heads["payload"].astype(np.int64), heads["notes"]
    records = commands * COMMAND_BYTES + events * EVENT_BYTES
    padding = heads["total"].astype(np.int64) - HEADER_BYTES - payload - END_BYTES
    fine: NDArray[np.bool_] = (
        (heads["version"] == FORMAT_VERSION)
        & (heads["flags"] == 0)
        & (heads["spare"] == 0)
        & (heads["segment"] == segment)
        & (heads["uuid"] == np.frombuffer(uuid, "<u8")).all(axis=1)
        & (padding >= 0)
        & (padding < SECTOR)
        & np.where(notes == 0, payload == records, payload > records)
        & (commands + notes > 0)
    )
    fine[1:] &= (
        (heads["batch"][1:] == heads["batch"][:-1] + np.uint64(1))
        & (heads["command"][1:] == heads["command"][:-1] + commands[:-1])
        & (heads["event"][1:] == heads["event"][:-1] + events[:-1])
    )
    return fine


def _first_false(flags: NDArray[np.bool_]) -> int:
    return len(flags) if flags.all() else int(flags.argmin())


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Crew:
    """Threads that read and check windows ahead of their use. The thread that uses them takes part when it would wait.

    Args:
        helpers: threads beside the caller's; None = one per further processor, at most MOST_HELPERS; 0 = none.
    """

    def __init__(self, helpers: int | None = None) -> None:
        self._helpers = min(MOST_HELPERS, processors() - 1) if helpers is None else helpers
        self.rooms = Rooms()
        self._pool = ThreadPoolExecutor(self._helpers, "journal-check") if self._helpers else None

    def checked(self, windows: Iterator[Window], uuid: bytes, size: int) -> Iterator[tuple[Window, Stretch]]:
        """Each window with its stretch, in order; what reading raises comes out in its place.

        Args:
            size: bytes to come; less than a window is not worth a helper.
        """
        if self._pool is None or size <= WINDOW:
            for window in windows:
                yield window, check(window, uuid)
            return
        ahead = _Ahead(windows, uuid, AHEAD * self._helpers)
        try:
            for _ in range(AHEAD * self._helpers):
                self._pool.submit(ahead.work)
            while (found := ahead.next()) is not None:
                self._pool.submit(ahead.work)
                yield found
        finally:
            ahead.stop()

    def __enter__(self) -> Self:
        if self._pool is not None:
            # Two busy threads would otherwise wait up to 5 ms for each other whenever one has hashed or read.
            self._switching = sys.getswitchinterval()
            sys.setswitchinterval(SWITCH_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            sys.setswitchinterval(self._switching)


class _Ahead:
    """Windows on their way: read one at a time in their order, checked by whoever comes, used in their order again."""

    def __init__(self, windows: Iterator[Window], uuid: bytes, most: int) -> None:
        self._windows = windows
        self._uuid = uuid
        self._most = most
        self._reading = Lock()
        self._more = True
        self._waiting: deque[Future[tuple[Window, Stretch]]] = deque()

    def work(self) -> bool:
        """Read the next window and check it; False when there is none, or enough are waiting to be used."""
        with self._reading:
            if not self._more or len(self._waiting) >= self._most:
                return False
            task: Future[tuple[Window, Stretch]] = Future()
            try:
                window = next(self._windows, None)
            except Exception as error:
                task.set_exception(error)
                window = None
            self._more = window is not None
            if window is None and not task.done():
                return False
            self._waiting.append(task)
        if window is not None:
            try:
                task.set_result((window, check(window, self._uuid)))
            except Exception as error:
                task.set_exception(error)
        return True

    def next(self) -> tuple[Window, Stretch] | None:
        """The next window in order; None behind the last. Raises what reading it raised."""
        while not (self._waiting and self._waiting[0].done()):
            if not self.work():
                break
        if not self._waiting:
            return None
        task = self._waiting[0]
        found = task.result()
        self._waiting.popleft()
        return found

    def stop(self) -> None:
        """Nothing more is read."""
        with self._reading:
            self._more = False
