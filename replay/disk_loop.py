"""The loop of `replay.beside`: compiled, so that it needs nothing of Python's while it runs.

Loaded by a writer only: it brings the compiler with it, which readers of a journal need not wait for.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any, Final

import numpy as np
from numba import types

import engine.native
import replay.beside
from engine.machine_code import cache_folder, hash_of
from engine.native import by_address, of_the_system, part, pointer, view
from replay.beside import JOB, RESULT

_WORDS: Final = JOB.size // 8
_JOB_SIZE: Final = JOB.size
_RESULT_SIZE: Final = RESULT.size
_INTERRUPTED: Final = errno.EINTR
_NO_PROGRESS: Final = errno.EIO
_SOURCES: Final = [Path(each.__file__ or "") for each in (engine.native, replay.beside)]
_FOLDER: Final = cache_folder(f"journal-{hash_of([Path(__file__), *_SOURCES])}")
_call = (types.int64, types.int32, types.int64, types.int64)
_read = of_the_system("read", *_call)
_write = of_the_system("write", *_call)
_pwrite = of_the_system("pwrite", *_call, types.int64)
_fdatasync = of_the_system("fdatasync", types.int32, types.int32)
_errno = of_the_system("__errno_location", types.CPointer(types.int32))


@part
def _put(file: int, address: int, size: int, offset: int) -> int:
    """Write all of it, however many calls that takes; returns 0 or the error's number."""
    while size > 0:
        written = _pwrite(file, address, size, offset)
        if written > 0:
            address, size, offset = address + written, size - written, offset + written
        elif written == 0:
            return _NO_PROGRESS
        elif _errno()[0] != _INTERRUPTED:
            return int(_errno()[0])
    return 0


@part
def _sync(file: int) -> int:
    while _fdatasync(file) != 0:
        if _errno()[0] != _INTERRUPTED:
            return int(_errno()[0])
    return 0


@part
def _carry_out(job: Any) -> int:
    error = _put(job[0], job[1], job[2], job[3])
    if error == 0 and job[4] != 0:
        error = _sync(job[0])
    if error == 0 and job[7] > 0:
        error = _put(job[5], job[6], job[7], 0)
    return error


@by_address(_FOLDER, types.int64, types.int64, types.int64, pointer(np.dtype(np.int64)))
def disk_loop(jobs, results, address, room):  # type: ignore[no-untyped-def]
    """Carry out jobs until their pipe is closed; behind a failed one with a mark none any more."""
    words = view(room, (_WORDS + 1,))
    failed = 0
    while True:
        taken = _read(jobs, address, _JOB_SIZE)
        if taken == 0:
            return 0
        if taken < 0:
            if _errno()[0] == _INTERRUPTED:
                continue
            return _errno()[0]
        error = failed if failed != 0 else _carry_out(words)
        if words[7] > 0:
            failed = error
        words[_WORDS] = error
        while _write(results, address + _JOB_SIZE, _RESULT_SIZE) < 0 and _errno()[0] == _INTERRUPTED:
            pass
