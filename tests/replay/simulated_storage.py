"""A file system that fails as real ones do. It stands here, not in `replay/`: nothing but tests may ever use it.

What it does at a power cut: every unsynced 512-byte sector is kept or lost on its own, a write under way may end at any
byte, unsynced file sizes, creations, renames and removals may be undone. What it does at a failed sync: pages count as
clean but the disk does not have them, so that later syncs succeed. Writes may be short; any call may fail.
"""

from __future__ import annotations

import errno
from collections import deque
from dataclasses import dataclass, field
from random import Random
from typing import Any

from replay.beside import Job
from replay.storage import LOCK_NAME, SECTOR, Buffer, Storage


class Crash(BaseException):
    """The process ends here. Not an Exception: no handler in the code under test may survive it."""


@dataclass
class Inode:
    """One file: what the process sees, what the disk has, which sectors differ because they were not synced."""

    cache: bytearray = field(default_factory=bytearray)
    disk: bytearray = field(default_factory=bytearray)
    dirty: dict[int, None] = field(default_factory=dict)


@dataclass
class Faults:
    """When and how things go wrong in one life, all from one seed."""

    crash_at: int = 1 << 60
    """The file system call during which the process ends."""
    error_at: int = 1 << 60
    """The call that fails once."""
    error: int = errno.EIO
    short_writes: float = 0.0
    keep: float = 0.5
    """Chance of an unsynced sector or directory change to survive a power cut."""
    full_at: int = 1 << 60
    """Bytes on the disk from which growing fails with ENOSPC."""


class SimulatedStorage(Storage):
    """One folder. `cut_power` or `kill` ends a process; then `start` begins the next one on what is left."""

    def __init__(self, random: Random) -> None:
        self.where = "simulated"
        self.random = random
        self.faults = Faults()
        self.calls = 0
        self.files: dict[str, Inode] = {}
        self.disk_files: dict[str, Inode] = {}
        self.changes: list[tuple[str, str, Inode | None]] = []
        self.handles: dict[int, Inode] = {}
        self.next_handle = 3
        self.locked = False
        self.dead = False

    # ------------------------------------------------------------------------------------------------- life and death

    def start(self, faults: Faults) -> None:
        """A new process: no open files, no lock, counting calls from 0."""
        self.faults = faults
        self.calls = 0
        self.handles.clear()
        self.locked = False
        self.dead = False

    def kill(self) -> None:
        """The process ends, the machine goes on. The kernel may drop clean pages, and then reads come from the disk."""
        if self.random.random() < 0.5:
            for inode in self.files.values():
                self._evict(inode)

    def cut_power(self) -> None:
        """The machine ends."""
        keep = self.faults.keep
        # Some file systems keep directory changes in order, others do not.
        ordered = self.random.random() < 0.5
        for kind, name, inode in self.changes:
            if self.random.random() < keep:
                self._apply(self.disk_files, kind, name, inode)
            elif ordered:
                break
        self.changes.clear()
        for inode in {id(i): i for i in (*self.files.values(), *self.disk_files.values())}.values():
            self._lose(inode, keep)
        self.files = dict(self.disk_files)

    def _lose(self, inode: Inode, keep: float) -> None:
        kept = [sector for sector in inode.dirty if self.random.random() < keep]
        size = len(inode.disk)
        if len(inode.cache) != size and self.random.random() < keep:
            size = len(inode.cache)  # the new size came through, shorter or longer
        for sector in kept:
            self._store(inode, sector)
        del inode.disk[size:]
        inode.disk.extend(bytes(size - len(inode.disk)))
        inode.cache = bytearray(inode.disk)
        inode.dirty.clear()

    @staticmethod
    def _store(inode: Inode, sector: int) -> None:
        piece = inode.cache[sector * SECTOR : (sector + 1) * SECTOR]
        end = sector * SECTOR + len(piece)
        if len(inode.disk) < end:
            inode.disk.extend(bytes(end - len(inode.disk)))
        inode.disk[sector * SECTOR : end] = piece

    def _evict(self, inode: Inode) -> None:
        fresh = bytearray(inode.disk[: len(inode.cache)].ljust(len(inode.cache), b"\0"))
        for sector in inode.dirty:
            fresh[sector * SECTOR : (sector + 1) * SECTOR] = inode.cache[sector * SECTOR : (sector + 1) * SECTOR]
        inode.cache = fresh

    def _call(self, *, grows: int = 0) -> None:
        """Every call passes here: the place of crashes and errors."""
        if self.dead:
            raise Crash
        self.calls += 1
        if self.calls >= self.faults.crash_at:
            self.dead = True
            raise Crash
        if self.calls == self.faults.error_at:
            raise OSError(self.faults.error, "simulated")
        if grows and sum(len(i.cache) for i in self.files.values()) + grows > self.faults.full_at:
            raise OSError(errno.ENOSPC, "No space left on device")

    def _crashes_next(self) -> bool:
        return self.calls + 1 >= self.faults.crash_at or self.calls + 1 == self.faults.error_at

    # -------------------------------------------------------------------------------------------------- the interface

    def listdir(self) -> list[str]:
        if self.dead:
            raise Crash
        return sorted(self.files)

    def open(self, name: str, *, create: bool = False, write: bool = True) -> int:
        self._call()
        if create:
            old = self.files.get(name)
            if old is None:
                self.files[name] = Inode()
                self.changes.append(("set", name, self.files[name]))
            else:
                self._resize(old, 0)
        elif name not in self.files:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", name)
        self.next_handle += 1
        self.handles[self.next_handle] = self.files[name]
        return self.next_handle

    def close(self, handle: int) -> None:
        self.handles.pop(handle, None)

    def pwrite(self, handle: int, data: Buffer, offset: int) -> int:
        inode = self.handles.get(handle)
        size = len(data)
        if self._crashes_next() and inode is not None:
            # The call that ends the process, or fails, may have written any part from the front.
            self._put(inode, bytes(data[: self.random.randint(0, size)]), offset)
        grows = max(0, offset + size - len(inode.cache)) if inode is not None else 0
        self._call(grows=grows)
        assert inode is not None
        if size > 1 and self.random.random() < self.faults.short_writes:
            size = self.random.randint(1, size)
        self._put(inode, bytes(data[:size]), offset)
        return size

    def _put(self, inode: Inode, data: bytes, offset: int) -> None:
        if not data:
            return
        end = offset + len(data)
        if len(inode.cache) < end:
            inode.cache.extend(bytes(end - len(inode.cache)))
        inode.cache[offset:end] = data
        for sector in range(offset // SECTOR, (end - 1) // SECTOR + 1):
            inode.dirty[sector] = None

    def pread(self, handle: int, size: int, offset: int) -> bytes:
        self._call()
        return bytes(self.handles[handle].cache[offset : offset + size])

    def size(self, handle: int) -> int:
        return len(self.handles[handle].cache)

    def truncate(self, handle: int, size: int) -> None:
        self._call()
        self._resize(self.handles[handle], size)

    @staticmethod
    def _resize(inode: Inode, size: int) -> None:
        del inode.cache[size:]
        inode.cache.extend(bytes(size - len(inode.cache)))
        inode.dirty = {sector: None for sector in inode.dirty if sector * SECTOR < size}

    def fdatasync(self, handle: int) -> None:
        inode = self.handles.get(handle)
        if self._crashes_next() and inode is not None:
            # Some of it came through. After an error the rest counts as clean, and is not on the disk.
            for sector in list(inode.dirty):
                if self.random.random() < 0.5:
                    self._store(inode, sector)
                    del inode.dirty[sector]
            if self.calls + 1 == self.faults.error_at:
                inode.dirty.clear()
        self._call()
        assert inode is not None
        for sector in inode.dirty:
            self._store(inode, sector)
        inode.dirty.clear()
        size = len(inode.cache)
        del inode.disk[size:]
        inode.disk.extend(bytes(size - len(inode.disk)))

    def rename(self, old: str, new: str) -> None:
        self._call()
        inode = self.files[old]
        self._apply(self.files, "move", f"{old}/{new}", inode)
        self.changes.append(("move", f"{old}/{new}", inode))

    def unlink(self, name: str) -> None:
        self._call()
        self._apply(self.files, "remove", name, None)
        self.changes.append(("remove", name, None))

    @staticmethod
    def _apply(files: dict[str, Inode], kind: str, name: str, inode: Inode | None) -> None:
        if kind == "remove":
            files.pop(name, None)
        elif inode is not None:
            old, _, new = name.rpartition("/")
            files.pop(old, None)
            files[new] = inode

    def fsync_directory(self) -> None:
        failing = self.calls + 1 == self.faults.error_at
        if failing:
            # As with files: some changes came through, the others are forgotten.
            for kind, name, inode in self.changes:
                if self.random.random() < 0.5:
                    self._apply(self.disk_files, kind, name, inode)
            self.changes.clear()
        self._call()
        for kind, name, inode in self.changes:
            self._apply(self.disk_files, kind, name, inode)
        self.changes.clear()

    def beside(self) -> Any:
        return SimulatedBeside(self)

    def lock(self) -> None:
        assert not self.locked, "two writers in one process"
        self.locked = True
        self.files.setdefault(LOCK_NAME, Inode())

    def unlock(self) -> None:
        self.locked = False


class SimulatedBeside:
    """Stands in for `replay.beside.Beside`: nobody knows when a job is carried out, only in which order."""

    descriptor = 0

    def __init__(self, storage: SimulatedStorage) -> None:
        self._storage = storage
        self._jobs: deque[Job] = deque()
        self._ended: deque[OSError | None] = deque()
        self._failed: OSError | None = None

    def begin(self, job: Job) -> None:
        self._jobs.append(job)
        while self._jobs and self._storage.random.random() < 0.4:
            self._carry_out()

    def wait(self) -> None:
        if not self._ended:
            self._carry_out()
        error = self._ended.popleft()
        if error is not None:
            raise error

    def _carry_out(self) -> None:
        job = self._jobs.popleft()
        error = self._failed
        if error is None:
            try:
                self._storage.write_all(job.file, job.data, job.offset)
                if job.sync:
                    self._storage.fdatasync(job.file)
                if job.mark:
                    self._storage.write_all(job.mark_file, job.mark, 0)
            except OSError as found:
                error = found
        if job.mark:
            self._failed = error
        self._ended.append(error)

    def close(self) -> None:
        while self._jobs:
            self._carry_out()
