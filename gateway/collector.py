"""Python's garbage collector in a process that answers orders: it may work only when nobody waits, and only a little.

By itself it looks through everything alive now and then, in the middle of an order: tens of milliseconds in a process
with a large registry. Here what a start leaves behind is set apart for good, nothing is collected unasked, and between
the orders the youngest objects are looked through, so that what is left in cycles cannot grow without bound.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from typing import Final

YOUNG: Final = 0
RECENT: Final = 1
"""Generations: what came since the last look, and what survived one."""


@contextlib.contextmanager
def on_request() -> Iterator[None]:
    """Inside, garbage is collected by `collect` alone. For the process that serves; it concerns all its threads."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()


def collect(quiet: bool) -> None:
    """Look through the youngest objects; in a quiet moment also through those that survived this before.

    Does nothing outside `on_request`.
    """
    if not gc.isenabled():
        gc.collect(RECENT if quiet else YOUNG)
