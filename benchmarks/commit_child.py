"""Times one engine, in a process that finds `engine` and `benchmarks` in the tree it is told to; prints JSON.

Run by `benchmarks.commits`, as a file, with an older or newer tree on PYTHONPATH. So it uses only what every commit
since the first engine benchmark has: `Engine`, `random_walk`, `carbon_day`, `Workload.save` and `load`.

    commit_child.py make FOLDER plain|seee COMMANDS SEED
    commit_child.py time FOLDER plain|seee RUNS
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.workloads import Workload, carbon_day, random_walk
from engine import core

CALL = 1_024


def make(folder: Path, name: str, commands: int, seed: int) -> dict[str, Any]:
    """Write a workload into `folder`."""
    maker = carbon_day if name == "seee" else random_walk
    maker(commands, seed=seed).save(folder)
    return {"tree": str(Path(core.__file__).parents[1])}


def measure(folder: Path, name: str, runs: int) -> dict[str, Any]:
    """Nanoseconds a command, median of `runs` passes over the flow, each from a new engine that has run in."""
    work = Workload.load(folder, name)
    spent, digests = [], set()
    for _ in range(runs):
        engine = core.Engine(work.venue)
        play(engine, work.prepare)
        gc.collect()
        gc.disable()
        begun = time.perf_counter_ns()
        play(engine, work.flow)
        spent.append((time.perf_counter_ns() - begun) / len(work.flow))
        gc.enable()
        digests.add(engine.digest().hex())
    return {
        "tree": str(Path(core.__file__).parents[1]),
        "nanoseconds": statistics.median(spent),
        "digest": " ".join(sorted(digests)),
        "commands": len(work.flow),
    }


def play(engine: core.Engine, commands: Any) -> None:
    """Apply all commands in calls of 1,024."""
    at = 0
    while at < len(commands):
        done, _ = engine.apply(commands[at : at + CALL])
        at += done


if __name__ == "__main__":
    what, folder, name, *numbers = sys.argv[1:]
    run = make if what == "make" else measure
    print(json.dumps(run(Path(folder), name, *map(int, numbers))))
