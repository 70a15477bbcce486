"""Order flows to measure with: deterministic by seed, plain arrays of Commands, kept as .npy files with a header.

    work = random_walk(1_000_000, resting=100_000, instruments=1, seed=7)     # on the preset `plain`
    work = carbon_day(1_000_000, resting=100_000, seed=7)                     # on the preset `seee`
    work.save(folder); Workload.load(folder, work.name)

| file | flows |
|---|---|
| `walk` | orders around a wandering middle; nearly nothing but cancels |
| `carbon_day` | a day of the national market, with `blocks` and `bidding` |
| `realistic` | a liquid share's flow with published constants, over five price paths |
| `stress` | bursts; one level with everything; one order per level; gaps |
"""

from __future__ import annotations

from benchmarks.workloads.base import EMITTERS, TRADING_DATE, Workload, WorkloadError, open_market
from benchmarks.workloads.carbon_day import carbon_day
from benchmarks.workloads.realistic import SCENARIOS, realistic
from benchmarks.workloads.stress import burst, gaps, one_level, one_order_per_level
from benchmarks.workloads.walk import cancel_heavy, random_walk

__all__ = [
    "EMITTERS",
    "SCENARIOS",
    "TRADING_DATE",
    "Workload",
    "WorkloadError",
    "burst",
    "cancel_heavy",
    "carbon_day",
    "gaps",
    "one_level",
    "one_order_per_level",
    "open_market",
    "random_walk",
    "realistic",
]
