"""How kernel functions are compiled, and where the machine code is kept.

The compiler's own disk cache does not notice a change in a function imported from another file, so its folder is named
by a hash of all the sources that take part. With NUMBA_DISABLE_JIT=1 the same sources run as plain Python.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numba
import numpy as np
from numba import njit

import engine
from engine import machine_code
from engine.kernel.parts import Part, WholeCompiler

U: Final = np.uint64
"""Written round an index that cannot be negative: it spares the test for one that counts from the end."""
COMPILED: Final = not getattr(numba.config, "DISABLE_JIT")  # noqa: B009


def source_hash() -> str:
    """Of the engine's sources that the compiler may read; see `machine_code.hash_of`."""
    folder = Path(engine.__file__).parent
    rooms = [path for room in ("venue", "schema", "kernel") for path in sorted(folder.joinpath(room).glob("*.py"))]
    return machine_code.hash_of(
        [*(folder.joinpath(name) for name in ("arena.py", "layout.py", "machine_code.py")), *rooms]
    )


def cache_folder() -> Path:
    """Where this kernel's machine code is kept."""
    return machine_code.cache_folder(f"kernel-{source_hash()}")


def small(function: Any) -> Any:
    """A leaf, or a step that every order takes: it disappears into its callers."""
    return Part(function, error_model="numpy", forceinline=True) if COMPILED else function


def plain(function: Any) -> Any:
    """A function of its own; the compiler decides about inlining."""
    return Part(function, error_model="numpy", forceinline=False) if COMPILED else function


def rare(function: Any) -> Any:
    """A function of its own that stays one: what few commands need does not swell the code that all of them run."""
    return Part(function, apart=True, error_model="numpy", forceinline=False) if COMPILED else function


def entry(function: Any) -> Any:
    """Called from Python; its machine code, with all it calls, is kept on disk."""
    with _cache():
        return njit(error_model="numpy", cache=True, pipeline_class=WholeCompiler)(function)


class Native:
    """A hot function of addresses and counts that returns an int64, compiled or fetched from disk when first needed.

    The compiler's own call costs microseconds to look at the argument types; a C function's costs a fraction of one,
    and lets other Python threads run meanwhile.
    """

    def __init__(self, function: Callable[..., Any], argument_types: tuple[Any, ...]) -> None:
        self.name = function.__name__
        self._function = function
        self._argument_types = argument_types
        self._call: Callable[..., int] | None = None
        self.library: Any = None

    @property
    def on_disk(self) -> bool:
        """Whether this machine has compiled it before."""
        return self._marker.exists()

    def ready(self) -> Callable[..., int]:
        """The function as called from Python."""
        if self._call is None:
            with _cache(), _wide_stores():
                native: Any = numba.cfunc(
                    numba.types.int64(*self._argument_types),
                    error_model="numpy",
                    cache=True,
                    pipeline_class=WholeCompiler,
                )(self._function)
            self.library = native._library
            prototype = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * len(self._argument_types))
            self._native, self._call = native, prototype(int(native.address or 0))
            with contextlib.suppress(OSError):
                self._marker.touch()
        return self._call

    def briefly(self) -> Callable[..., int]:
        """As `ready`, for calls of a microsecond: other Python threads wait meanwhile, and none can come in between."""
        return ctypes.PYFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * len(self._argument_types))(self.address)

    @property
    def address(self) -> int:
        """Where the function stands in memory, for calls from compiled code."""
        self.ready()
        return int(self._native.address)

    @property
    def _marker(self) -> Path:
        return _FOLDER / f"{self.name}.compiled"


def by_address(*argument_types: Any) -> Callable[[Callable[..., Any]], Native]:
    """Decorator: makes a Native of a function of these types."""
    return lambda function: Native(function, argument_types)


@contextlib.contextmanager
def _wide_stores() -> Iterator[None]:
    """Neighbouring words may be read and written together (the compiler's own default is off)."""
    settings: Any = numba.config
    before, settings.SLP_VECTORIZE = settings.SLP_VECTORIZE, 1
    try:
        yield
    finally:
        settings.SLP_VECTORIZE = before


@contextlib.contextmanager
def _cache() -> Iterator[None]:
    settings: Any = numba.config
    before, settings.CACHE_DIR = settings.CACHE_DIR, str(_FOLDER)
    try:
        yield
    finally:
        settings.CACHE_DIR = before


_FOLDER: Final = cache_folder() if COMPILED else Path()
