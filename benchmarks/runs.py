"""Runs of a workload: played, checked, timed.

Every timed run starts from a new engine that has run in, and must end in the very same state; otherwise CheckError.
Only `apply` stands between the two readings of the clock.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from benchmarks.mix import CheckError, Mix, check_state
from benchmarks.workloads import Workload
from engine.core import Engine, ImplementationName
from engine.schema import CommandArray, EventArray

WHOLE: Final = 0
"""Call size that stands for one call with everything."""
Tell = Callable[[str], None]
"""Is told what is being done."""


class Applies(Protocol):
    """Whatever takes commands as an engine does."""

    def apply(self, commands: CommandArray) -> tuple[int, EventArray]: ...


class Verified(NamedTuple):
    """What a workload gives on every run."""

    mix: Mix
    digest: bytes
    levels: int
    """Occupied price levels at the end, of both sides of every book."""


class Spent(NamedTuple):
    """Nanoseconds per command: by the clock, and of them on a processor (less when others crowd the machine)."""

    wall: float
    on_cpu: float


def play(engine: Applies, commands: CommandArray, call: int) -> None:
    """Apply all commands in calls of `call` (WHOLE = one call)."""
    size = call or max(1, len(commands))
    for at in range(0, len(commands), size):
        part = commands[at : at + size]
        done, _ = engine.apply(part)
        while done < len(part):  # the event buffer was full
            part = part[done:]
            done, _ = engine.apply(part)


def prepared(work: Workload, implementation: ImplementationName = "kernel") -> Engine:
    """A new engine just before the flow, its memory handed out."""
    engine = Engine(work.venue, implementation)
    engine.touch()
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
    return Verified(mix, engine.digest(), _levels(engine))


def _levels(engine: Engine) -> int:
    return len(np.unique(engine.state()["orders"][["instrument", "side", "price"]]))


def timed(work: Workload, call: int, wanted: Verified, count: int | None = None) -> Spent:
    """Time over the first `count` commands of the flow (all by default). Raises CheckError."""
    engine = prepared(work)
    flow, rest = work.flow[:count], work.flow[len(work.flow) if count is None else count :]
    spent = _spent(engine, flow, call)
    play(engine, rest, 1_024)
    if engine.digest() != wanted.digest:
        raise CheckError(f"{work.name} in calls of {call or 'all'} commands ended in another state")
    return spent


def timed_bare(work: Workload, call: int) -> Spent:
    """Time over the flow in the bare book that has no rules; for workloads on the preset `plain`."""
    from benchmarks.prototype import BareBook

    book = BareBook()
    play(book, work.prepare, 1_024)
    return _spent(book, work.flow, call)


def _spent(engine: Applies, commands: CommandArray, call: int) -> Spent:
    gc.collect()
    gc.disable()
    try:
        cpu, start = time.thread_time_ns(), time.perf_counter_ns()
        play(engine, commands, call)
        wall, cpu = time.perf_counter_ns() - start, time.thread_time_ns() - cpu
    finally:
        gc.enable()
    return Spent(wall / max(1, len(commands)), cpu / max(1, len(commands)))


def rate(each: list[Spent]) -> dict[str, Any]:
    """Million commands per second of several runs; `cpu_median`: per second of processor time, which neighbours that
    want the processor do not move."""
    return {
        "median": round(1_000 / statistics.median(one.wall for one in each), 3),
        "best": round(1_000 / min(one.wall for one in each), 3),
        "runs": [round(1_000 / one.wall, 3) for one in each],
        "cpu_median": round(1_000 / statistics.median(one.on_cpu for one in each), 3),
        "on_cpu_percent": on_cpu(each),
    }


def ratio(each: list[Spent], base: list[Spent]) -> float:
    """How many times as long as in `base`: the median over the turns, by processor time."""
    return round(statistics.median(one.on_cpu / first.on_cpu for one, first in zip(each, base, strict=True)), 2)


def on_cpu(each: list[Spent]) -> float:
    """How much of the time this process had a processor; well below 100 = measured beside others, do not trust."""
    return round(100 * sum(one.on_cpu for one in each) / sum(one.wall for one in each), 1)
