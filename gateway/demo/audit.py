"""`python -m gateway.demo.audit JOURNAL kernel|reference`: one replay in a process of its own, with progress.

With `warm` in place of a journal it only loads the kernel, compiling it when this machine has not done so before, so
that the server finds it in the on-disk cache.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec

from gateway.warm import warm
from replay import verify


def _report(kind: str, **fields: Any) -> None:
    print(json.dumps({"report": kind, **fields}), flush=True)


def _warm() -> None:
    from engine.control import OpenFirm, expand
    from engine.core import Engine
    from engine.venue import Venue

    warm()
    engine = Engine(Venue.preset("seee"))
    engine.apply(expand(OpenFirm("warm")))
    Engine.restore(engine.venue, engine.canonical_state())
    _report("warm")


def main() -> int:
    if sys.argv[1] == "warm":
        _warm()
        return 0
    implementation = sys.argv[2]
    if implementation not in ("kernel", "reference"):
        print(f"no implementation {implementation!r}", file=sys.stderr)
        return 2

    def progress(commands: int, _: int) -> None:
        _report("progress", commands=commands)

    verdict = verify(sys.argv[1], "kernel" if implementation == "kernel" else "reference", progress)
    _report("verdict", ok=verdict.ok, text=str(verdict), **msgspec.to_builtins(verdict))
    return verdict.exit_code


if __name__ == "__main__":
    sys.exit(main())
