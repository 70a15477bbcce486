"""A thread that writes and syncs while Python goes on: the next batch is read and matched meanwhile.

A Python thread would have to wait for the interpreter's lock before, between and after its calls, behind a loop that
hardly ever lets it go. This one is a compiled loop that never takes it (`replay.disk_loop`): it reads jobs from one
pipe, carries them out in order, and writes what became of each into another.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections import deque
from collections.abc import Callable
from struct import Struct
from typing import Final, NamedTuple

JOB: Final = Struct("<8q")
"""File, address, size, offset, whether to sync, mark's file, address, size."""
RESULT: Final = Struct("<q")
"""0, or the error's number."""


class Job(NamedTuple):
    """`data` goes to `offset` of `file` and, with `sync`, to the disk; then `mark` to the beginning of `mark_file`.

    Without a mark the file is one that may be given up: when the job fails, later ones are carried out all the same.
    """

    file: int
    data: bytearray | memoryview
    offset: int
    sync: bool
    mark_file: int = -1
    mark: bytearray | None = None


class Beside:
    """One thread in `loop`. `begin` hands over jobs; `wait` tells how the oldest ended; until then its data must stay.

    Args:
        loop: `replay.disk_loop.disk_loop`.

    Attributes:
        descriptor: readable when `wait` would not wait.
    """

    def __init__(self, loop: Callable[[int, int, bytearray], None]) -> None:
        read_jobs, self._jobs = os.pipe()
        self.descriptor, write_results = os.pipe()
        self._begun: deque[Job] = deque()
        self._ends = (self.descriptor, read_jobs, write_results)
        self._room = bytearray(JOB.size + RESULT.size)
        arguments = (read_jobs, write_results, self._room)
        self._thread = threading.Thread(target=loop, args=arguments, name="carbonbook-disk", daemon=True)
        self._thread.start()

    def begin(self, job: Job) -> None:
        self._begun.append(job)
        at, mark_at = _address(job.data), _address(job.mark) if job.mark else 0
        what = (job.file, at, len(job.data), job.offset, job.sync, job.mark_file, mark_at, len(job.mark or b""))
        os.write(self._jobs, JOB.pack(*what))

    def wait(self) -> None:
        """Wait for the oldest job. Raises OSError when it failed, or an earlier one with a mark."""
        (error,) = RESULT.unpack(os.read(self.descriptor, RESULT.size))
        self._begun.popleft()  # not before: the loop knows only where its data stands
        if error:
            raise OSError(error, os.strerror(error))

    def close(self) -> None:
        """End the thread, behind what has been begun."""
        os.close(self._jobs)
        self._thread.join()
        for end in self._ends:
            os.close(end)


def _address(data: bytearray | memoryview) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(data))
