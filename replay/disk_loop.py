"""The loop of `replay.beside`: compiled, so that it needs nothing of Python's while it runs. With NUMBA_DISABLE_JIT=1
it runs as it is, and is in Python's way.

Loaded by a writer only: it brings the compiler with it, which readers of a journal need not wait for.
"""

from __future__ import annotations

import ctypes
import errno
from pathlib import Path
from typing import Any, Final

import numpy as np
from numba import types

import engine.native
import replay.beside
from engine.machine_code import cache_folder, hash_of
from engine.native import COMPILED, SYSTEM, by_address, of_a_library, part, pointer, view
from replay.beside import JOB, RESULT

_WORDS: Final = JOB.size // 8
_JOB_SIZE: Final = JOB.size
_RESULT_SIZE: Final = RESULT.size
_INTERRUPTED: Final = errno.EINTR
_NO_PROGRESS: Final = errno.EIO
_SOURCES: Final = [Path(each.__file__ or "") for each in (engine.native, replay.beside)]
_FOLDER: Final = cache_folder(f"journal-{hash_of([Path(__file__), *_SOURCES])}") if COMPILED else Path()
_int, _word = types.int32, types.int64
_read: Any = of_a_library(SYSTEM, "read", _word, _int, _word, _word)
_write: Any = of_a_library(SYSTEM, "write", _word, _int, _word, _word)
_pwrite: Any = of_a_library(SYSTEM, "pwrite", _word, _int, _word, _word, _word)
_fdatasync: Any = of_a_library(SYSTEM, "fdatasync", _int, _int)

if COMPILED:
    _errno: Any = types.ExternalFunction("__errno_location", pointer(np.dtype(np.int32))())

    @part
    def _last_error() -> int:
        return int(_errno()[0])

else:

    def _last_error() -> int:
        return ctypes.get_errno()


@part
def _put(file: int, address: int, size: int, offset: int) -> int:
    """Write all of it, however many calls that takes; returns 0 or the error's number."""
    while size > 0:
        written = _pwrite(file, address, size, offset)
        if written > 0:
            address, size, offset = address + written, size - written, offset + written
        elif written == 0:
            return _NO_PROGRESS
        elif _last_error() != _INTERRUPTED:
            return int(_last_error())
    return 0


@part
def _sync(file: int) -> int:
    while _fdatasync(file) != 0:
        if _last_error() != _INTERRUPTED:
            return int(_last_error())
    return 0


@part
def _carry_out(job: Any) -> int:
    error = _put(job[0], job[1], job[2], job[3])
    if error == 0 and job[4] != 0:
        error = _sync(job[0])
    if error == 0 and job[7] > 0:
        error = _put(job[5], job[6], job[7], 0)
    return int(error)


@part
def _work(jobs: int, results: int, address: int, words: Any) -> int:
    failed = 0
    while True:
        taken = _read(jobs, address, _JOB_SIZE)
        if taken == 0:
            return 0
        if taken < 0:
            if _last_error() == _INTERRUPTED:
                continue
            return int(_last_error())
        error = failed if failed != 0 else _carry_out(words)
        if words[7] > 0:
            failed = error
        words[_WORDS] = error
        while _write(results, address + _JOB_SIZE, _RESULT_SIZE) < 0 and _last_error() == _INTERRUPTED:
            pass


if COMPILED:

    @by_address(_FOLDER, types.int64, types.int64, types.int64, pointer(np.dtype(np.int64)))
    def _work_at(jobs, results, address, words):  # type: ignore[no-untyped-def]
        return _work(jobs, results, address, view(words, (_WORDS + 1,)))


def disk_loop(jobs: int, results: int, room: bytearray) -> None:
    """Carry out jobs until their pipe is closed; behind a failed one with a mark none any more.

    Args:
        jobs, results: descriptors, to read JOBs from and to write RESULTs to.
        room: for one of each.
    """
    words = np.frombuffer(room, np.int64)
    address = words.ctypes.data
    if COMPILED:
        _work_at(jobs, results, address, address)
    else:
        _work(jobs, results, address, words)
