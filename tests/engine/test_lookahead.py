"""The look-ahead asks memory for what comes next, and changes nothing but the time that it takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.workloads import Workload, carbon_day, random_walk
from engine.core import Engine
from engine.kernel import compiler, lookahead

pytestmark = pytest.mark.skipif(not compiler.COMPILED, reason="nothing is asked for when interpreted")


def played(work: Workload, call: int) -> tuple[Engine, bytes, Any]:
    """The engine after all commands in calls of `call`, its events, and the notes that its look-ahead has left."""
    engine, told = Engine(work.venue), []
    for commands in (work.prepare, work.flow):
        for at in range(0, len(commands), call):
            told.append(engine.apply_all(commands[at : at + call]).tobytes())
    return engine, b"".join(told), engine._impl._arena[0]["ahead"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("make", [random_walk, carbon_day], ids=["plain", "seee"])
def test_asking_ahead_changes_nothing(make: Any) -> None:
    """Calls of 1,024 ask ahead above NEAR_MEMORY orders; calls of BLOCK commands never do."""
    work = make(6_000, lookahead.NEAR_MEMORY + 4_000)
    far, told_far, notes = played(work, 1_024)
    near, told_near, none = played(work, lookahead.BLOCK)
    assert np.count_nonzero(notes["slot"]) > 0 and not none.view(np.int64).any()
    assert told_far == told_near
    assert far.digest() == near.digest()
