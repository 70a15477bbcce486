"""How fast the engine is, and whether the figures may be believed.

Every workload is first run once and checked: gapless sequences, every command answered, state and events agreeing,
books balanced. Every timed run starts from a new engine that has run in, and must end in the very same state; otherwise
CheckError. Only `apply` stands between the two readings of the clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from benchmarks.allocations import allocations
from benchmarks.environment import environment, load_average
from benchmarks.growth import growth, memory_figures
from benchmarks.heavy import heavy_figures
from benchmarks.instructions import instructions
from benchmarks.mix import CheckError
from benchmarks.runs import WHOLE, Spent, Tell, Verified, play, prepared, rate, timed, verify
from benchmarks.scenarios import realistic_figures, stress_figures
from benchmarks.service_times import service_times
from benchmarks.workloads import EMITTERS, Workload, carbon_day, random_walk
from engine.core import ImplementationName
from engine.schema import SCHEMA_VERSION

FORMAT: Final = 2
"""Of the JSON; a later one may add keys."""


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    commands: int = 2_000_000
    """On `plain`, beside a fifth of it to run in."""
    carbon_factor: int = 10
    """`seee` gets this many times as many."""
    runs: int = 5
    calls: tuple[int, ...] = (1_024, 64, 1, WHOLE)
    """Commands per call; sizes other than 1,024 are timed over a tenth of the commands."""
    resting: int = 100_000
    accounts: int = EMITTERS
    growth_commands: int = 1_000_000
    growth_resting: tuple[int, ...] = (1_000, 100_000, 500_000)
    growth_instruments: tuple[int, ...] = (1, 64)
    growth_tails: tuple[int, ...] = (10, 300, 20_000)
    """How far from the middle orders wait: with it grows the number of price levels."""
    growth_accounts: tuple[int, ...] = (100, EMITTERS, 10_000)
    realistic_orders: int = 1_000_000
    """New orders of each realistic scenario; with what becomes of them some two million commands."""
    stress_commands: int = 500_000
    stress_resting: int = 50_000
    service_commands: int = 200_000
    service_calls: tuple[int, ...] = (16, 64, 1_024)
    reference_commands: int = 20_000
    memory_orders: int = 500_000
    heavy_orders: int = 100_000
    """Resting when a single command meets them all."""
    instructions: bool = False
    """Count machine instructions; slow where only valgrind can."""
    seed: int = 7

    @property
    def reference_resting(self) -> int:
        return min(1_000, self.resting)


QUICK: Final = Plan(
    commands=200_000,
    carbon_factor=1,
    runs=3,
    growth_commands=200_000,
    realistic_orders=100_000,
    stress_commands=100_000,
    service_commands=50_000,
    reference_commands=4_000,
    heavy_orders=10_000,
)


class Target(NamedTuple):
    """A figure to reach: `least` or `most`, whichever is not None."""

    what: str
    measured: float
    least: float | None = None
    most: float | None = None

    @property
    def met(self) -> bool:
        return (self.least is None or self.measured >= self.least) and (self.most is None or self.measured <= self.most)


def rates(work: Workload, plan: Plan, wanted: Verified, tell: Tell) -> dict[str, Any]:
    """Million commands per second by call size; sizes take turns, so that a noisy moment hits them alike."""
    spent: dict[int, list[Spent]] = {call: [] for call in plan.calls}
    for run in range(plan.runs):
        for call in plan.calls:
            tell(f"{work.name}: run {run + 1} of {plan.runs}, {call or 'all'} commands a call")
            spent[call].append(timed(work, call, wanted, None if call == 1_024 else len(work.flow) // 10))
    return {str(call) if call else "all": rate(each) for call, each in spent.items()}


def workload_figures(work: Workload, plan: Plan, tell: Tell) -> dict[str, Any]:
    """Mix and rates of one workload."""
    tell(f"{work.name}: check")
    wanted = verify(work)
    return {
        "instruments": len(work.venue.instruments),
        "prepare_commands": len(work.prepare),
        "mix": wanted.mix.summary(),
        "digest": wanted.digest.hex(),
        "million_commands_per_second": rates(work, plan, wanted, tell),
    }


def reference_works(plan: Plan) -> tuple[Workload, Workload]:
    """Small flows for the reference engine: as `plain` and `seee`, with fewer resting orders and accounts."""
    return (
        random_walk(plan.reference_commands, plan.reference_resting, seed=plan.seed),
        carbon_day(plan.reference_commands, plan.reference_resting, min(200, plan.accounts), seed=plan.seed),
    )


def reference_figures(plan: Plan, tell: Tell) -> dict[str, Any]:
    """The reference engine's rate on small workloads, which must end in the kernel's state; `times`: how many times as
    many commands the kernel takes of the same flow, by its median."""
    found = {}
    for work in reference_works(plan):
        tell(f"reference engine: {work.name}")
        engine = prepared(work, "reference")
        start = time.perf_counter_ns()
        play(engine, work.flow, 1_024)
        spent = (time.perf_counter_ns() - start) / len(work.flow)
        wanted = verify(work)
        if engine.digest() != wanted.digest:
            raise CheckError(f"{work.name}: the reference engine ended in another state than the kernel")
        kernel = rate([timed(work, 1_024, wanted) for _ in range(plan.runs)])["median"]
        found[work.name] = {
            "million_commands_per_second": round(1_000 / spent, 4),
            "times": round(kernel * spent / 1_000, 1),
            "commands": len(work.flow),
        }
    return found


def growth_figures(plan: Plan, tell: Tell) -> dict[str, Any]:
    """What more resting orders, price levels, instruments and accounts cost."""
    count, resting, seed = plan.growth_commands, plan.resting, plan.seed
    makers: dict[str, tuple[tuple[int, ...], Callable[[int], Workload]]] = {
        "growth_resting": (plan.growth_resting, lambda n: random_walk(count, n, seed=seed)),
        "growth_levels": (plan.growth_tails, lambda n: random_walk(count, resting, seed=seed, tail=n)),
        "growth_instruments": (plan.growth_instruments, lambda n: random_walk(count, resting, n, seed)),
        "growth_accounts": (plan.growth_accounts, lambda n: carbon_day(count, resting, n, seed)),
    }
    found = {}
    for name, (sizes, make) in makers.items():
        tell(f"{name.replace('_', ': ')}: write the flows")
        one_plain_book = name in ("growth_resting", "growth_levels")
        found[name] = growth({size: make(size) for size in sizes}, plan.runs, tell, bare=one_plain_book)
    return found


def service_figures(plan: Plan, tell: Tell) -> dict[str, Any]:
    """Percentiles of calls of one and of many commands on both venues, of the kernel and of the reference engine."""
    count, resting, seed = plan.service_commands, plan.resting, plan.seed
    found: dict[str, Any] = {}
    works: tuple[tuple[ImplementationName, tuple[Workload, Workload]], ...] = (
        ("kernel", (random_walk(count, resting, seed=seed), carbon_day(count, resting, plan.accounts, seed))),
        ("reference", reference_works(plan)),
    )
    for implementation, pair in works:
        for work in pair:
            tell(f"service times: {work.name}, {implementation}")
            found.setdefault(implementation, {})[work.name] = service_times(
                work, len(work.flow), plan.service_calls, implementation
            )
    return found


def measure(plan: Plan, tell: Tell) -> dict[str, Any]:
    """Everything, as what becomes the JSON. Raises CheckError when a run did not do what it must."""
    load_before, began = load_average(), time.perf_counter()
    tell("plain: write the flow (the first start compiles the kernel)")
    plain = random_walk(plan.commands, plan.resting, seed=plan.seed)
    figures: dict[str, Any] = {"plain": workload_figures(plain, plan, tell)}
    figures["allocations"] = allocations(plain, plan.commands)
    figures["instructions"] = instructions(plain) if plan.instructions else {"per_command": None, "why": "not asked"}
    del plain
    tell("seee: write the flow")
    carbon = carbon_day(plan.carbon_factor * plan.commands, plan.resting, plan.accounts, plan.seed)
    figures["seee"] = workload_figures(carbon, plan, tell)
    del carbon
    figures["realistic"] = {
        venue: realistic_figures(venue, plan.realistic_orders, plan.runs, plan.seed, tell)
        for venue in ("plain", "seee")
    }
    figures["stress"] = stress_figures(plan.stress_commands, plan.stress_resting, plan.runs, plan.seed, tell)
    figures |= growth_figures(plan, tell)
    figures["service_times"] = service_figures(plan, tell)
    figures["reference"] = reference_figures(plan, tell)
    figures["single_commands"] = heavy_figures(plan.heavy_orders, plan.runs, plan.seed, tell)
    figures["memory"] = memory_figures(plan.memory_orders, plan.seed, tell)
    return {
        "benchmark": "engine",
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - began, 1),
        "plan": {name: getattr(plan, name) for name in Plan.__dataclass_fields__},
        "environment": environment(),
        "load_average": {"before": load_before, "after": load_average()},
        **figures,
        "targets": [{**target._asdict(), "met": target.met} for target in targets(figures)],
    }


def targets(figures: dict[str, Any]) -> list[Target]:
    """What the engine is meant to reach; rates are medians in calls of 1,024."""

    def median(name: str) -> float:
        return float(figures[name]["million_commands_per_second"]["1024"]["median"])

    size, shallow = next(iter(figures["growth_resting"].items()))
    found = [
        Target(f"plain, {size} resting orders, million commands/s", 1_000 / shallow["nanoseconds_median"], least=15),
        *(
            Target(
                f"realistic flow on {venue}, worst of five ({told['worst']}), million commands/s",
                told["million_commands_per_second"],
                least=least,
            )
            for (venue, told), least in zip(figures["realistic"].items(), (20, 10), strict=True)
        ),
        *(
            Target(f"realistic flow on plain, {name}, x bare", one["times_bare"], most=1.5)
            for name, one in figures["realistic"]["plain"]["scenarios"].items()
        ),
        Target("plain, x reference engine on the same small flow", figures["reference"]["plain"]["times"], least=60),
        Target("plain, million commands/s", median("plain"), least=15),
        Target("seee, million commands/s", median("seee"), least=10),
        Target("seee, % of new orders trading", figures["seee"]["mix"]["new_orders_trading_percent"], least=25),
        Target("seee, % rejected", figures["seee"]["mix"]["rejected_percent"], most=2),
    ]
    for size, row in figures["growth_resting"].items():
        found.append(Target(f"time at {size} resting orders, x (bare book's)", row["ratio"], most=row["bare_ratio"]))
    if "64" in figures["growth_instruments"]:
        found.append(Target("time at 64 instruments, x", figures["growth_instruments"]["64"]["ratio"], most=1.5))
    for name, one in figures["single_commands"].items():
        if name.startswith("uncross"):
            found.append(Target(f"{name}, {one['orders']:,} orders, ms", one["milliseconds_median"], most=20))
    return found


__all__ = ["QUICK", "CheckError", "Plan", "Target", "measure", "play", "prepared", "rates", "timed", "verify"]
