"""The file that will be the journal's next segment: written full of zeros before it is needed.

Overwriting bytes that exist changes no file metadata, which halves a sync's time.
"""

from __future__ import annotations

from typing import Final

from replay.beside import Job
from replay.format import PREPARED_NAME
from replay.storage import NO_SPACE, Storage

ZERO_BYTES: Final = 1 << 20
"""Zeros written by one call."""
_ZEROS: Final = bytearray(4 * ZERO_BYTES)
"""The most that is prepared beside the caller at a time."""


class NextSegment:
    """Prepared piece by piece. Methods raise OSError, but not for a full disk, which `blocked` tells.

    Args:
        size: bytes of a segment.
        step: bytes that are filled and synced at a time.

    Attributes:
        prepared: how many bytes are full of zeros, and synced.
        blocked: the last attempt found the disk full.
    """

    def __init__(self, storage: Storage, size: int, step: int) -> None:
        self.prepared = 0
        self.blocked = False
        self._storage = storage
        self._size = size
        self._step = step
        self._file: int | None = None

    @property
    def ready(self) -> bool:
        return self.prepared >= self._size

    def missing(self, wanted: int) -> int:
        """Bytes to go until `wanted` ones are prepared; none while the disk is full."""
        return 0 if self.blocked else min(wanted, self._size) - self.prepared

    def prepare(self, missing: int) -> bool:
        """Fill and sync `missing` bytes more, in whole steps, at most to a segment's size; whether it is ready."""
        steps = -(-missing // self._step)
        self._prepare(min(self._size, self.prepared + steps * self._step))
        return self.ready

    def finish(self, size: int) -> bool:
        """Prepare all of at least `size` bytes; False when the disk is full."""
        self._prepare(size)
        return self.prepared >= size

    def _prepare(self, goal: int) -> None:
        try:
            if self._file is None:
                self._file = self._storage.open(PREPARED_NAME, create=True)
            if self.prepared < goal:
                zero_fill(self._storage, self._file, self.prepared, goal)
                self._storage.fdatasync(self._file)
                self.prepared = goal
            self.blocked = False
        except OSError as error:
            self.give_up(error)

    def piece(self, missing: int) -> tuple[Job, int]:
        """What prepares so many bytes, or fewer, beside the caller, and how many there are then.

        When it is done, say so in `prepared`, or tell `give_up` why not.
        """
        if self._file is None:
            self._file = self._storage.open(PREPARED_NAME, create=True)
        size = min(missing, len(_ZEROS))
        return Job(self._file, memoryview(_ZEROS)[:size], self.prepared, True), self.prepared + size

    def give_up(self, error: OSError) -> None:
        """The disk is full. After a failed sync nobody knows what it holds: throw it away and begin anew later.

        Raises `error` when it says something else.
        """
        if error.errno not in NO_SPACE:
            raise error
        self.blocked = True
        file, self._file, self.prepared = self._file, None, 0
        if file is not None:
            self._storage.close(file)
            self._storage.unlink(PREPARED_NAME)

    def take(self) -> tuple[int, int]:
        """The file and its size: the caller names it, and the one after it begins. It has been finished."""
        assert self._file is not None
        taken = self._file, self.prepared
        self._file, self.prepared = None, 0
        return taken

    def close(self) -> None:
        if self._file is not None:
            self._storage.close(self._file)


def zero_fill(storage: Storage, handle: int, start: int, end: int, step: int = ZERO_BYTES) -> None:
    """Write zeros, not sparse."""
    while start < end:
        size = min(step, end - start)
        storage.write_all(handle, bytes(size), start)
        start += size
