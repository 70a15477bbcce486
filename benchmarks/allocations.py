"""Whether the engine takes memory while it trades: it must not."""

from __future__ import annotations

import ctypes
import gc
import tracemalloc
from typing import Any, Final

from benchmarks.mix import CheckError
from benchmarks.runs import play, prepared
from benchmarks.workloads import Workload

SLACK: Final = 4_096
"""Bytes that the interpreter itself may keep, whatever the number of commands."""


class _Mallinfo2(ctypes.Structure):
    """glibc's account of its heap; `uordblks` = bytes in use, `hblkhd` = bytes in blocks of their own."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks")
    ] + [("keepcost", ctypes.c_size_t)]


def heap_bytes() -> int | None:
    """Bytes of the C heap in use; None where the C library does not say (it is not glibc 2.33 or newer)."""
    try:
        ask = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError, TypeError):
        return None
    ask.restype = _Mallinfo2
    told = ask()
    return int(told.uordblks + told.hblkhd)


def allocations(work: Workload, count: int) -> dict[str, Any]:
    """Bytes kept by the first `count` commands of the flow, in calls of 1,024: of the C heap, of Python, and by the
    compiler's run-time library (blocks, counted whether kept or not).

    Raises CheckError when more is kept than the interpreter's own slack.
    """
    engine = prepared(work)
    flow = work.flow[:count]
    warm, flow = flow[:1_024], flow[1_024:]
    play(engine, warm, 1_024)
    gc.collect()
    blocks_before, heap_before = _runtime_blocks(), heap_bytes()
    play(engine, flow, 1_024)
    heap_after, blocks_after = heap_bytes(), _runtime_blocks()
    python = _python_bytes(prepared(work), work.flow[:count])
    heap = None if heap_before is None or heap_after is None else heap_after - heap_before
    for what, kept in (("C heap", heap), ("Python", python)):
        if kept is not None and kept > SLACK:
            raise CheckError(f"{len(flow)} commands kept {kept} bytes of the {what}")
    return {
        "commands": len(flow),
        "heap_bytes_kept": heap,
        "python_bytes_kept": python,
        "runtime_blocks": None if blocks_before is None or blocks_after is None else blocks_after - blocks_before,
    }


def _python_bytes(engine: Any, flow: Any) -> int:
    play(engine, flow[:1_024], 1_024)
    gc.collect()
    tracemalloc.start()
    try:
        play(engine, flow[1_024:2_048], 1_024)  # what tracing itself keeps
        before, _ = tracemalloc.get_traced_memory()
        play(engine, flow[2_048:], 1_024)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return after - before


def _runtime_blocks() -> int | None:
    """Blocks that compiled code has asked for so far; None where it is not counted."""
    try:
        from numba.core.runtime import _nrt_python, rtsys  # type: ignore[attr-defined]

        _nrt_python.memsys_enable_stats()
        return int(rtsys.get_allocation_stats().mi_alloc)
    except (ImportError, AttributeError, RuntimeError):
        return None
