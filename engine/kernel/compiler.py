"""How kernel functions are compiled, and where the machine code is kept.

The compiler's own disk cache does not notice a change in a function imported from another file, so its folder is named
by a hash of all the sources that take part. With NUMBA_DISABLE_JIT=1 the same sources run as plain Python.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numba
import numpy as np
from numba import njit

import engine
from engine.kernel.parts import Part, WholeCompiler

U: Final = np.uint64
"""Written round an index that cannot be negative: it spares the test for one that counts from the end."""
COMPILED: Final = not getattr(numba.config, "DISABLE_JIT")  # noqa: B009


def source_hash() -> str:
    """SHA-256, 16 hex digits, over the engine's sources that the compiler may read."""
    folder = Path(engine.__file__).parent
    digest = hashlib.sha256(numba.__version__.encode())
    for path in [
        folder / "arena.py",
        folder / "layout.py",
        *sorted((folder / "venue").glob("*.py")),
        *sorted((folder / "schema").glob("*.py")),
        *sorted((folder / "kernel").glob("*.py")),
    ]:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Where this kernel's machine code is kept: $CARBONBOOK_CACHE, else the user's cache folder."""
    root = os.environ.get("CARBONBOOK_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache"), "carbonbook"
    )
    folder = Path(root) / f"kernel-{source_hash()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix="carbonbook-kernel-"))


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


def by_address(*argument_types: Any) -> Callable[[Callable[..., Any]], Callable[..., int]]:
    """Like `entry`, for a hot function of addresses and counts that returns an int64.

    The compiler's own call costs microseconds to look at the argument types; a C function's costs a fraction of one,
    and lets other Python threads run meanwhile.
    """

    def compiled(function: Callable[..., Any]) -> Callable[..., int]:
        with _cache(), _wide_stores():
            native = numba.cfunc(
                numba.types.int64(*argument_types), error_model="numpy", cache=True, pipeline_class=WholeCompiler
            )(function)
        _kept.append(native)  # its code lives as long as it does
        prototype = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * len(argument_types))
        call: Callable[..., int] = prototype(int(native.address or 0))
        return call

    return compiled


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


_kept: list[Any] = []
_FOLDER: Final = cache_folder() if COMPILED else Path()
