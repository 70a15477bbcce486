"""How fast the engine is, and whether the figures may be believed.

Every workload is first run once and checked: gapless sequences, every command answered, state and events agreeing,
books balanced. Every timed run starts from a new engine that has run in, and must end in the very same state; otherwise
CheckError. Only `apply` stands between the two readings of the clock.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from benchmarks.environment import environment, load_average, resident_bytes
from benchmarks.mix import CheckError, Mix, check_state
from benchmarks.workloads import EMITTERS, Workload, carbon_day, random_walk
from engine.core import Engine, ImplementationName
from engine.schema import SCHEMA_VERSION, CommandArray

FORMAT: Final = 1
"""Of the JSON; a later one may add keys."""
WHOLE: Final = 0
"""Call size that stands for one call with everything."""


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
    reference_commands: int = 20_000
    memory_orders: int = 500_000
    seed: int = 7

    @property
    def reference_resting(self) -> int:
        return min(1_000, self.resting)


QUICK: Final = Plan(commands=200_000, carbon_factor=1, runs=3, growth_commands=200_000, reference_commands=4_000)


class Verified(NamedTuple):
    """What a workload gives on every run."""

    mix: Mix
    digest: bytes


class Spent(NamedTuple):
    """Nanoseconds per command: by the clock, and of them on a processor (less when others crowd the machine)."""

    wall: float
    on_cpu: float


class Target(NamedTuple):
    """A figure to reach: `least` or `most`, whichever is not None."""

    what: str
    measured: float
    least: float | None = None
    most: float | None = None

    @property
    def met(self) -> bool:
        return (self.least is None or self.measured >= self.least) and (self.most is None or self.measured <= self.most)


Tell = Callable[[str], None]
"""Is told what is being done."""


def play(engine: Engine, commands: CommandArray, call: int) -> None:
    """Apply all commands in calls of `call` (WHOLE = one call)."""
    size = call or max(1, len(commands))
    for at in range(0, len(commands), size):
        part = commands[at : at + size]
        done, _ = engine.apply(part)
        while done < len(part):  # the event buffer was full
            part = part[done:]
            done, _ = engine.apply(part)


def prepared(work: Workload, implementation: ImplementationName = "kernel") -> Engine:
    """A new engine just before the flow."""
    engine = Engine(work.venue, implementation)
    play(engine, work.prepare, 1_024)
    return engine


def verify(work: Workload, implementation: ImplementationName = "kernel") -> Verified:
    """Run a workload once, reading every event. Raises CheckError."""
    engine = Engine(work.venue, implementation)
    opening, mix = Mix(), Mix()
    for counted, commands in ((opening, work.prepare), (mix, work.flow)):
        counted.live, counted.sequence, counted.command_sequence = (
            opening.live,
            opening.sequence,
            opening.command_sequence,
        )
        at = 0
        while at < len(commands):
            done, events = engine.apply(commands[at : at + 65_536])
            if not done:
                raise CheckError(f"command {at} was not applied: the event buffer is too small for it")
            counted.add(events, done)
            at += done
    check_state(engine, mix.live if work.flow.size else opening.live, mix.sequence)
    return Verified(mix, engine.digest())


def timed(work: Workload, call: int, wanted: Verified, count: int | None = None) -> Spent:
    """Time over the first `count` commands of the flow (all by default). Raises CheckError."""
    engine = prepared(work)
    flow, rest = work.flow[:count], work.flow[len(work.flow) if count is None else count :]
    gc.collect()
    gc.disable()
    try:
        cpu, start = time.thread_time_ns(), time.perf_counter_ns()
        play(engine, flow, call)
        wall, cpu = time.perf_counter_ns() - start, time.thread_time_ns() - cpu
    finally:
        gc.enable()
    play(engine, rest, 1_024)
    if engine.digest() != wanted.digest:
        raise CheckError(f"{work.name} in calls of {call or 'all'} commands ended in another state")
    return Spent(wall / max(1, len(flow)), cpu / max(1, len(flow)))


def rates(work: Workload, plan: Plan, wanted: Verified, tell: Tell) -> dict[str, Any]:
    """Million commands per second by call size; sizes take turns, so that a noisy moment hits them alike."""
    spent: dict[int, list[Spent]] = {call: [] for call in plan.calls}
    for run in range(plan.runs):
        for call in plan.calls:
            tell(f"{work.name}: run {run + 1} of {plan.runs}, {call or 'all'} commands a call")
            spent[call].append(timed(work, call, wanted, None if call == 1_024 else len(work.flow) // 10))
    return {
        str(call) if call else "all": {
            "median": round(1_000 / statistics.median(one.wall for one in each), 3),
            "best": round(1_000 / min(one.wall for one in each), 3),
            "runs": [round(1_000 / one.wall, 3) for one in each],
            "on_cpu_percent": _on_cpu(each),
        }
        for call, each in spent.items()
    }


def _on_cpu(each: list[Spent]) -> float:
    """How much of the time this process had a processor; well below 100 = measured beside others, do not trust."""
    return round(100 * sum(one.on_cpu for one in each) / sum(one.wall for one in each), 1)


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


def growth(works: dict[int, Workload], plan: Plan, tell: Tell) -> dict[str, Any]:
    """Nanoseconds per command by size, in calls of 1,024, and by how much each exceeds the first.

    Sizes take turns; a ratio is the median of the ratios inside each turn.
    """
    wanted = {size: verify(work) for size, work in works.items()}
    spent: dict[int, list[Spent]] = {size: [] for size in works}
    for run in range(plan.runs):
        for size, work in works.items():
            tell(f"growth: run {run + 1} of {plan.runs}, size {size}")
            spent[size].append(timed(work, 1_024, wanted[size]))
    first = spent[next(iter(works))]
    return {
        str(size): {
            "nanoseconds_median": round(statistics.median(one.wall for one in each), 1),
            "nanoseconds_best": round(min(one.wall for one in each), 1),
            "ratio": round(statistics.median(one.wall / base.wall for one, base in zip(each, first, strict=True)), 2),
            "on_cpu_percent": _on_cpu(each),
            "resting_median": wanted[size].mix.summary()["resting"]["median"],
        }
        for size, each in spent.items()
    }


def reference_figures(plan: Plan, tell: Tell) -> dict[str, Any]:
    """The reference engine's rate on small workloads, which must end in the kernel's state."""
    accounts = min(200, plan.accounts)
    works = (
        random_walk(plan.reference_commands, plan.reference_resting, seed=plan.seed),
        carbon_day(plan.reference_commands, plan.reference_resting, accounts, seed=plan.seed),
    )
    found = {}
    for work in works:
        tell(f"reference engine: {work.name}")
        engine = prepared(work, "reference")
        start = time.perf_counter_ns()
        play(engine, work.flow, 1_024)
        spent = (time.perf_counter_ns() - start) / len(work.flow)
        if engine.digest() != verify(work).digest:
            raise CheckError(f"{work.name}: the reference engine ended in another state than the kernel")
        found[work.name] = {"million_commands_per_second": round(1_000 / spent, 4), "commands": len(work.flow)}
    return found


def memory_figures(plan: Plan, tell: Tell) -> dict[str, Any]:
    """Bytes that become resident from an empty exchange to `plan.memory_orders` resting orders, per order."""
    tell("memory: fill a book")
    work = random_walk(0, plan.memory_orders, seed=plan.seed)
    gc.collect()
    before = resident_bytes()
    engine = Engine(work.venue)
    play(engine, work.prepare, 1_024)
    grown = resident_bytes() - before
    return {"orders": plan.memory_orders, "bytes_per_resting_order": round(grown / plan.memory_orders, 1)}


def measure(plan: Plan, tell: Tell) -> dict[str, Any]:
    """Everything, as what becomes the JSON. Raises CheckError when a run did not do what it must."""
    load_before, began = load_average(), time.perf_counter()
    tell("plain: write the flow (the first start compiles the kernel)")
    figures: dict[str, Any] = {
        "plain": workload_figures(random_walk(plan.commands, plan.resting, seed=plan.seed), plan, tell)
    }
    tell("seee: write the flow")
    carbon = carbon_day(plan.carbon_factor * plan.commands, plan.resting, plan.accounts, plan.seed)
    figures["seee"] = workload_figures(carbon, plan, tell)
    del carbon
    tell("growth: write the flows")
    count = plan.growth_commands
    by_resting = {size: random_walk(count, size, seed=plan.seed) for size in plan.growth_resting}
    figures["growth_resting"] = growth(by_resting, plan, tell)
    del by_resting
    by_instruments = {n: random_walk(count, plan.resting, n, plan.seed) for n in plan.growth_instruments}
    figures["growth_instruments"] = growth(by_instruments, plan, tell)
    del by_instruments
    figures["reference"] = reference_figures(plan, tell)
    figures["memory"] = memory_figures(plan, tell)
    return {
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

    def rate(name: str) -> float:
        return float(figures[name]["million_commands_per_second"]["1024"]["median"])

    size, shallow = next(iter(figures["growth_resting"].items()))
    found = [
        Target(f"plain, {size} resting orders, million commands/s", 1_000 / shallow["nanoseconds_median"], least=15),
        Target("plain, million commands/s", rate("plain"), least=15),
        Target("seee, million commands/s", rate("seee"), least=8),
        Target("seee, % of new orders trading", figures["seee"]["mix"]["new_orders_trading_percent"], least=25),
        Target("seee, % rejected", figures["seee"]["mix"]["rejected_percent"], most=2),
    ]
    for size, most in (("100000", 2), ("500000", 5)):
        if size in figures["growth_resting"]:
            found.append(
                Target(f"time at {size} resting orders, x", figures["growth_resting"][size]["ratio"], most=most)
            )
    if "64" in figures["growth_instruments"]:
        found.append(Target("time at 64 instruments, x", figures["growth_instruments"]["64"]["ratio"], most=1.5))
    return found


__all__ = ["QUICK", "CheckError", "Plan", "Target", "measure"]
