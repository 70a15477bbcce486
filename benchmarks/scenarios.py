"""Rates of the realistic flow over its five price paths, beside a bare book, and of the flows that press on one place.

The figure to quote is the worst of the five.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.mix import CheckError
from benchmarks.runs import Tell, rate, ratio, timed, timed_bare, verify
from benchmarks.workloads import (
    SCENARIOS,
    Workload,
    burst,
    cancel_heavy,
    gaps,
    one_level,
    one_order_per_level,
    realistic,
)
from engine.core import Engine
from engine.schema import EventKind

CALL = 1_024


def realistic_figures(venue: str, orders: int, runs: int, seed: int, tell: Tell) -> dict[str, Any]:
    """The five scenarios on one venue: `worst` names the slowest, `million_commands_per_second` is its median;
    `cpu_million_commands_per_second` is the least by processor time, whichever scenario has it."""
    found: dict[str, Any] = {}
    for scenario in SCENARIOS:
        tell(f"realistic flow on {venue}, {scenario}")
        found[scenario] = _figures(realistic(scenario, orders, seed, venue), runs, bare=venue == "plain")
    worst = min(found, key=lambda name: found[name]["million_commands_per_second"]["median"])
    return {
        "orders": orders,
        "scenarios": found,
        "worst": worst,
        "million_commands_per_second": found[worst]["million_commands_per_second"]["median"],
        "cpu_million_commands_per_second": min(
            one["million_commands_per_second"]["cpu_median"] for one in found.values()
        ),
    }


def stress_figures(commands: int, resting: int, runs: int, seed: int, tell: Tell) -> dict[str, Any]:
    """The flows that press on one place, by name."""
    makers: dict[str, Callable[[], Workload]] = {
        "burst": lambda: burst(commands, resting, seed),
        "cancel-heavy": lambda: cancel_heavy(min(commands, 200_000), resting, seed),
        "one-level": lambda: one_level(min(commands, 500_000), seed),
        "one-order-per-level": lambda: one_order_per_level(commands, seed),
        "gaps": lambda: gaps(commands, seed),
    }
    found = {}
    for name, make in makers.items():
        tell(f"flow {name}")
        found[name] = _figures(make(), runs, bare=True)
    return found


def _figures(work: Workload, runs: int, bare: bool) -> dict[str, Any]:
    """Mix and rate of one workload; `bare`: also of the bare book, which must trade alike. They take turns."""
    wanted = verify(work)
    if bare:
        check_bare(work)
    ours, bares = [], []
    for _ in range(runs):
        ours.append(timed(work, CALL, wanted))
        if bare:
            bares.append(timed_bare(work, CALL))
    found = {
        "mix": wanted.mix.summary(),
        "levels_at_end": wanted.levels,
        "million_commands_per_second": rate(ours),
    }
    if bare:
        found["bare_book"] = rate(bares)
        found["times_bare"] = ratio(ours, bares)
    return found


def check_bare(work: Workload) -> None:
    """Raises CheckError unless the bare book gives the engine's events, as far as it knows their fields."""
    from benchmarks.prototype import BareBook

    engine, book = Engine(work.venue), BareBook()
    commands = np.concatenate((work.prepare, work.flow))
    at = 0
    while at < len(commands):
        part = commands[at : at + 16_384]
        done, told = book.apply(part)
        wanted = engine.apply_all(part[:done])
        alike = wanted["kind"] != EventKind.REJECTED
        for field in ("kind", "side", "price", "quantity", "order_id", "contra_order_id", "remaining"):
            if len(told) != len(wanted) or (told[field][alike] != wanted[field][alike]).any():
                raise CheckError(f"{work.name}: the bare book differs in {field} after command {at}")
        at += done
