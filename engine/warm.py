"""Compile the kernel before it is needed: `python -m engine.warm NAME...`, each NAME one of `missing()`.

The parts do not need each other, so several processes can compile one each.
"""

from __future__ import annotations

import sys


def missing() -> list[str]:
    """Names of what this machine has not compiled yet."""
    from engine.kernel.dispatch import NATIVES

    return [native.name for native in NATIVES if not native.on_disk]


def compile_named(names: list[str]) -> None:
    """Compile the named parts and keep them on disk."""
    from engine.kernel.dispatch import NATIVES

    for native in NATIVES:
        if native.name in names:
            native.ready()


if __name__ == "__main__":
    compile_named(sys.argv[1:])
