"""Compiled functions of addresses and counts, for rooms other than the kernel; with NUMBA_DISABLE_JIT=1 none are made,
and what they are made of runs as plain Python.

The kernel compiles in a way of its own, whose import loads all of it: a gateway in front of the reference engine must
not wait for that.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import llvmlite.binding
import numba
from numba import types
from numba.extending import register_jitable

COMPILED: Final = not getattr(numba.config, "DISABLE_JIT")  # noqa: B009
part: Callable[[Any], Any] = register_jitable
"""A function that compiled ones may call."""
view: Any = getattr(numba, "carray")  # noqa: B009
"""An array of a shape at an address; for compiled functions."""
_kept: list[Any] = []


def pointer(item: Any) -> Any:
    """The compiler's type of an address of items of a NumPy dtype."""
    return types.CPointer(numba.from_dtype(item))  # type: ignore[no-untyped-call]


def of_a_library(library: ctypes.CDLL, name: str, result: Any, *argument_types: Any) -> Any:
    """A C function of integers and addresses, to be called by compiled ones, or as they are without compilation."""
    function = getattr(library, name)
    if COMPILED:
        llvmlite.binding.add_symbol(name, ctypes.cast(function, ctypes.c_void_p).value)
        return types.ExternalFunction(name, result(*argument_types))
    function.restype, function.argtypes = _C[result], [_C[each] for each in argument_types]
    return lambda *arguments: function(*map(int, arguments))


_C: Final = {types.int32: ctypes.c_int32, types.int64: ctypes.c_int64}
SYSTEM: Final = ctypes.CDLL(None, use_errno=True)
"""The C library and what else the process was begun with."""


def by_address(folder: Path, *argument_types: Any) -> Callable[[Callable[..., Any]], Callable[..., int]]:
    """Compile a function of addresses and counts that returns an int64; its machine code is kept in `folder`.

    A call costs a fraction of a microsecond, and lets other Python threads run meanwhile.
    """

    def compiled(function: Callable[..., Any]) -> Callable[..., int]:
        settings: Any = numba.config
        before, settings.CACHE_DIR = settings.CACHE_DIR, str(folder)
        try:
            native = numba.cfunc(types.int64(*argument_types), error_model="numpy", cache=True)(function)
        finally:
            settings.CACHE_DIR = before
        _kept.append(native)  # its code lives as long as it does
        prototype = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * len(argument_types))
        call: Callable[..., int] = prototype(int(native.address or 0))
        return call

    return compiled
