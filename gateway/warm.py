"""Compile the kernel on a machine's first start, in several processes at once."""

from __future__ import annotations

from gateway.processes import start_module


def warm() -> None:
    """Compile what this machine has not compiled yet; each part in a process of its own, the first one in this.

    A process that fails leaves its part to whoever needs it: the engine then compiles it itself.
    """
    from engine.warm import compile_named, missing

    names = missing()
    others = [start_module("engine.warm", name) for name in names[1:]]
    try:
        compile_named(names[:1])
    finally:
        for other in others:
            other.wait()
