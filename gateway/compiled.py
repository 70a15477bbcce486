"""How the gateway's compiled loops (`frames`, `copies`) are made; with NUMBA_DISABLE_JIT=1 they run as they are.

Apart from the kernel's own way, whose import loads the whole kernel: a gateway in front of the reference engine must
not wait for that.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numba
from numba import types
from numba.extending import register_jitable

import engine.schema
from engine.machine_code import cache_folder, hash_of

COMPILED: Final = not getattr(numba.config, "DISABLE_JIT")  # noqa: B009
part: Callable[[Any], Any] = register_jitable
"""A function that compiled ones may call."""
view: Any = getattr(numba, "carray")  # noqa: B009
"""An array of a shape at an address; for compiled functions."""
_kept: list[Any] = []
_HERE: Final = Path(__file__).parent
_SOURCES: Final = [
    *(_HERE / f"{name}.py" for name in ("compiled", "copies", "frames", "numbers", "wire")),
    *sorted(Path(engine.schema.__file__).parent.glob("*.py")),
]
_FOLDER: Final = cache_folder(f"gateway-{hash_of(_SOURCES)}") if COMPILED else Path()


def pointer(item: Any) -> Any:
    """The compiler's type of an address of items of a NumPy dtype."""
    return types.CPointer(numba.from_dtype(item))  # type: ignore[no-untyped-call]


def by_address(*argument_types: Any) -> Callable[[Callable[..., Any]], Callable[..., int]]:
    """Compile a function of addresses and counts that returns an int64; a call costs a fraction of a microsecond."""

    def compiled(function: Callable[..., Any]) -> Callable[..., int]:
        settings: Any = numba.config
        before, settings.CACHE_DIR = settings.CACHE_DIR, str(_FOLDER)
        try:
            native = numba.cfunc(types.int64(*argument_types), error_model="numpy", cache=True)(function)
        finally:
            settings.CACHE_DIR = before
        _kept.append(native)  # its code lives as long as it does
        prototype = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * len(argument_types))
        call: Callable[..., int] = prototype(int(native.address or 0))
        return call

    return compiled
