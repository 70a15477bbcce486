"""How the gateway's compiled loops (`sockets`, `frames`, `copies`, `answers`) are made.

With NUMBA_DISABLE_JIT=1 they run as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import engine.native
import engine.schema
from engine import native
from engine.machine_code import cache_folder, hash_of
from engine.native import COMPILED, part, pointer, view

__all__ = ["COMPILED", "by_address", "part", "pointer", "view"]

_HERE: Final = Path(__file__).parent
_SOURCES: Final = [
    *(
        _HERE / f"{name}.py"
        for name in ("answers", "compiled", "copies", "frames", "numbers", "seats", "sockets", "wire")
    ),
    Path(engine.native.__file__),
    *sorted(Path(engine.schema.__file__).parent.glob("*.py")),
]
_FOLDER: Final = cache_folder(f"gateway-{hash_of(_SOURCES)}") if COMPILED else Path()


def by_address(*argument_types: Any) -> Callable[[Callable[..., Any]], Callable[..., int]]:
    """Decorator: compiles a function of addresses and counts that returns an int64."""
    return native.by_address(_FOLDER, *argument_types)
