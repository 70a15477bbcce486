"""What more of something costs: resting orders, price levels, instruments, accounts; and how much memory."""

from __future__ import annotations

import gc
import statistics
from typing import Any

from benchmarks.environment import resident_bytes
from benchmarks.runs import Spent, Tell, on_cpu, play, ratio, timed, timed_bare, verify
from benchmarks.workloads import Workload, random_walk
from engine.core import Engine


def growth(works: dict[int, Workload], runs: int, tell: Tell, bare: bool = False) -> dict[str, Any]:
    """Nanoseconds per command by size, in calls of 1,024, and by how much each exceeds the first.

    Sizes take turns; a ratio is the median of the ratios inside each turn, by processor time. `bare`: the bare book's
    ratio too, in the same turns.
    """
    wanted = {size: verify(work) for size, work in works.items()}
    spent: dict[int, list[Spent]] = {size: [] for size in works}
    bares: dict[int, list[Spent]] = {size: [] for size in works}
    for run in range(runs):
        for size, work in works.items():
            tell(f"growth: run {run + 1} of {runs}, size {size}")
            spent[size].append(timed(work, 1_024, wanted[size]))
            if bare:
                bares[size].append(timed_bare(work, 1_024))
    smallest = next(iter(works))
    first = spent[smallest]
    return {
        str(size): {
            "nanoseconds_median": round(statistics.median(one.wall for one in each), 1),
            "nanoseconds_best": round(min(one.wall for one in each), 1),
            "ratio": ratio(each, first),
            **({"bare_ratio": ratio(bares[size], bares[smallest])} if bare else {}),
            "on_cpu_percent": on_cpu(each),
            "resting_median": wanted[size].mix.summary()["resting"]["median"],
            "levels_at_end": wanted[size].levels,
        }
        for size, each in spent.items()
    }


def memory_figures(orders: int, seed: int, tell: Tell) -> dict[str, Any]:
    """Bytes that become resident from an empty exchange to `orders` resting orders, per order."""
    tell("memory: fill a book")
    work = random_walk(0, orders, seed=seed)
    gc.collect()
    before = resident_bytes()
    engine = Engine(work.venue)
    play(engine, work.prepare, 1_024)
    grown = resident_bytes() - before
    return {"orders": orders, "bytes_per_resting_order": round(grown / orders, 1)}
