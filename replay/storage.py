"""The few file calls that the journal makes, behind one small interface.

`RealStorage` is the file system; the tests put a simulated one in its place, which loses what was not synced.
Whoever needs another file call adds it here, so that the simulation can fail it too.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from replay.beside import Beside
from replay.errors import JournalFailure, JournalLocked, JournalMissing, JournalUnreadable

SECTOR: Final = 512
"""Bytes that a drive writes whole or not at all; frames are aligned to it."""
LOCK_NAME: Final = "LOCK"
NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

Buffer = bytes | bytearray | memoryview


class Storage(ABC):
    """One folder of files. Every call may raise OSError; names have no folder part; times and modes play no part."""

    where: str
    """For messages: the folder."""

    @abstractmethod
    def listdir(self) -> list[str]:
        """Names in the folder, sorted. Raises JournalMissing, JournalUnreadable."""

    @abstractmethod
    def open(self, name: str, *, create: bool = False, write: bool = True) -> int:
        """Open a file and return a handle. `create` empties an existing one."""

    @abstractmethod
    def close(self, handle: int) -> None: ...

    @abstractmethod
    def pwrite(self, handle: int, data: Buffer, offset: int) -> int:
        """Write at most all of `data`; returns how many bytes were taken."""

    @abstractmethod
    def pread(self, handle: int, size: int, offset: int) -> bytes:
        """At most `size` bytes; fewer at the end of the file."""

    @abstractmethod
    def size(self, handle: int) -> int: ...

    @abstractmethod
    def truncate(self, handle: int, size: int) -> None: ...

    @abstractmethod
    def fdatasync(self, handle: int) -> None:
        """Returns when the file's bytes and size are durable. After an error the unsynced bytes must count as lost."""

    @abstractmethod
    def rename(self, old: str, new: str) -> None: ...

    @abstractmethod
    def unlink(self, name: str) -> None: ...

    @abstractmethod
    def fsync_directory(self) -> None:
        """Returns when creations, renames and removals are durable."""

    @abstractmethod
    def lock(self) -> None:
        """Become the only writer, until `unlock` or the end of the process. Raises JournalLocked."""

    @abstractmethod
    def unlock(self) -> None: ...

    def forget(self, name: str) -> None:
        """Nobody will read this synced file soon: its pages need not stay in memory. Changes nothing else."""
        return

    def beside(self) -> Beside | None:
        """A thread that writes into this folder's files beside the caller; None where there is none."""
        return None

    def write_all(self, handle: int, data: Buffer, offset: int) -> None:
        """Write all of `data`, however many calls that takes."""
        written = self.pwrite(handle, data, offset)
        size = len(data)
        while written < size:
            with memoryview(data) as view:
                more = self.pwrite(handle, view[written:], offset + written)
            if more <= 0:
                raise OSError(errno.EIO, "the file system takes no more bytes")
            written += more

    def read(self, name: str, offset: int = 0, size: int | None = None) -> bytes:
        """A file's bytes from `offset`: all of them, or `size` (fewer at its end). Raises JournalUnreadable."""
        with self._opened(name, offset) as handle:
            wanted = self.size(handle) - offset if size is None else size
            data = self.pread(handle, max(0, wanted), offset)
            while 0 < len(data) < wanted:
                more = self.pread(handle, wanted - len(data), offset + len(data))
                if not more:
                    break
                data += more
            return data

    @contextlib.contextmanager
    def _opened(self, name: str, offset: int) -> Iterator[int]:
        """A file for reading from `offset`; what goes wrong is worded. Raises JournalUnreadable, JournalFailure."""
        try:
            handle = self.open(name, write=False)
        except PermissionError as error:
            raise JournalUnreadable(
                f"{self.where}: {name} cannot be read ({error.strerror}); run as the journal's owner"
            ) from None
        except OSError as error:
            raise self._unread(name, offset, error) from error
        try:
            yield handle
        except OSError as error:
            raise self._unread(name, offset, error) from error
        finally:
            self.close(handle)

    def read_into(self, name: str, room: bytearray, offset: int, size: int) -> int:
        """Read `size` bytes of a file, fewer at its end, to the beginning of `room`; returns how many.

        Raises JournalUnreadable, JournalFailure.
        """
        data = self.read(name, offset, size)
        room[: len(data)] = data
        return len(data)

    def _unread(self, name: str, offset: int, error: OSError) -> JournalFailure:
        return JournalFailure(
            f"{self.where}: reading {name} at offset {offset} failed ({error.strerror});"
            " check the disk, then start again: nothing was changed"
        )

    def file_size(self, name: str) -> int:
        """Bytes of a file."""
        handle = self.open(name, write=False)
        try:
            return self.size(handle)
        finally:
            self.close(handle)

    def write_file(self, name: str, data: Buffer) -> None:
        """A whole new file, durable under its name when this returns; never half of it."""
        temporary = f"{name}.tmp"
        handle = self.open(temporary, create=True)
        try:
            self.write_all(handle, data, 0)
            self.fdatasync(handle)
        finally:
            self.close(handle)
        self.rename(temporary, name)
        self.fsync_directory()

    def exists(self, name: str) -> bool:
        return name in self.listdir()


class RealStorage(Storage):
    """A folder of the file system. Files get mode 0600, a new folder 0700."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.where = str(path)
        self._lock: int | None = None

    def make_directory(self) -> None:
        """Create the folder, durably. Raises JournalUnreadable."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.chmod(0o700)
            _fsync_path(self.path.parent)
        except OSError as error:
            raise JournalUnreadable(
                f"{self.where}: the folder cannot be created ({error.strerror}); name a folder that you may write to"
            ) from None

    def listdir(self) -> list[str]:
        try:
            return sorted(os.listdir(self.path))
        except FileNotFoundError:
            raise JournalMissing(
                f"{self.where}: no such folder; check the path, or create a journal there first"
            ) from None
        except OSError as error:
            raise JournalUnreadable(
                f"{self.where}: the folder cannot be read ({error.strerror}); run as its owner or name another folder"
            ) from None

    def open(self, name: str, *, create: bool = False, write: bool = True) -> int:
        flags = os.O_CLOEXEC | (os.O_RDWR if write else os.O_RDONLY)
        if create:
            flags |= os.O_CREAT | os.O_TRUNC
        return os.open(self.path / name, flags, 0o600)

    def close(self, handle: int) -> None:
        os.close(handle)

    def pwrite(self, handle: int, data: Buffer, offset: int) -> int:
        return os.pwrite(handle, data, offset)

    def pread(self, handle: int, size: int, offset: int) -> bytes:
        return os.pread(handle, size, offset)

    def read_into(self, name: str, room: bytearray, offset: int, size: int) -> int:
        if not hasattr(os, "preadv"):
            return super().read_into(name, room, offset, size)
        with self._opened(name, offset) as handle, memoryview(room) as view:
            done = 0
            while done < size and (more := os.preadv(handle, [view[done:size]], offset + done)):
                done += more
            return done

    def size(self, handle: int) -> int:
        return os.fstat(handle).st_size

    def truncate(self, handle: int, size: int) -> None:
        os.ftruncate(handle, size)

    def fdatasync(self, handle: int) -> None:
        _fdatasync(handle)

    def rename(self, old: str, new: str) -> None:
        os.rename(self.path / old, self.path / new)

    def unlink(self, name: str) -> None:
        os.unlink(self.path / name)

    def fsync_directory(self) -> None:
        _fsync_path(self.path)

    def lock(self) -> None:
        # flock, not lockf: the latter is dropped when any descriptor of the file is closed. O_CLOEXEC, so that no
        # child process keeps the lock after this one was killed.
        try:
            handle = os.open(self.path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            raise JournalMissing(
                f"{self.where}: no such folder; check the path, or create a journal there first"
            ) from None
        except OSError as error:
            raise JournalUnreadable(
                f"{self.where}: {LOCK_NAME} cannot be opened ({error.strerror}); run as the journal's owner"
            ) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = _pid(os.pread(handle, 32, 0))
            os.close(handle)
            raise JournalLocked(
                f"{self.where}: process {pid or 'unknown'} writes this journal; stop it first, or only read",
                pid,
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, b"%d\n" % os.getpid(), 0)
        self._lock = handle

    def forget(self, name: str) -> None:
        if hasattr(os, "posix_fadvise"):
            # It takes milliseconds, for which nobody is to wait.
            threading.Thread(target=_forget, args=(self.path / name,), name="carbonbook-forget", daemon=True).start()

    def beside(self) -> Beside | None:
        if sys.platform != "linux":  # elsewhere a sync takes other calls
            return None
        from replay.disk_loop import disk_loop  # brings the compiler, which readers need not wait for

        return Beside(disk_loop)

    def unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _forget(path: Path) -> None:
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(handle)


def _pid(text: bytes) -> int:
    with contextlib.suppress(ValueError):
        return int(text.split()[0]) if text.split() else 0
    return 0


def _fsync_path(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _full_fsync(handle: int) -> None:
    fcntl.fcntl(handle, getattr(fcntl, "F_FULLFSYNC"))  # noqa: B009 - the name exists on macOS only


# macOS has no fdatasync, and its fsync does not reach the platter.
_fdatasync = _full_fsync if hasattr(fcntl, "F_FULLFSYNC") else os.fdatasync
