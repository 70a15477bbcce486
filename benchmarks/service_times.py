"""How long one call takes, as its caller sees it: by command kind, and by commands in a call.

Every call is timed by itself, so reading the clock is part of each figure; what that costs, and what a call costs that
refuses its only command at the first check, is measured beside and told with the figures. Nothing is subtracted.
"""

from __future__ import annotations

import gc
import time
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.histogram import percentiles
from benchmarks.runs import Applies, prepared
from benchmarks.workloads import Workload
from benchmarks.workloads.base import stamp
from engine.core import Engine, ImplementationName
from engine.schema import COMMAND, CommandArray, CommandKind

Durations = NDArray[np.int64]
CALLS: Final = 20_000
"""Calls of which the clock and the refused command are measured."""
END_OF_DAY: Final = (
    CommandKind.STOP_TRADING,
    CommandKind.EXPIRE_ORDERS,
    CommandKind.FIX_CLOSE,
    CommandKind.SETTLE,
)


def service_times(
    work: Workload, count: int, sizes: tuple[int, ...], implementation: ImplementationName = "kernel"
) -> dict[str, Any]:
    """Percentiles, ns a call, over the first `count` commands of the flow.

    Returns `clock` and `refused` (the floor), `by_kind` (calls of one command), `by_call` (by commands in a call, with
    `per_command` = median over size), and `end_of_day`, one call each, where the venue has days.
    """
    flow = work.flow[:count]
    found: dict[str, Any] = {
        "commands": len(flow),
        "clock": percentiles(clock_overhead()),
        "refused": percentiles(refused(prepared(work, implementation))),
    }
    engine = prepared(work, implementation)
    found["by_kind"] = by_kind(engine, flow)
    if work.venue.prefunded:
        found["end_of_day"] = end_of_day(engine)
    found["by_call"] = {}
    for size in sizes:
        spent, _ = call_durations(prepared(work, implementation), flow, size)
        figures = percentiles(spent)
        found["by_call"][str(size)] = {**figures, "per_command": round(figures["p50"] / size, 1)}
    return found


def clock_overhead(count: int = CALLS) -> Durations:
    """What two readings of the clock with nothing between them tell."""
    clock = time.perf_counter_ns
    spent = np.zeros(count, np.int64)
    for i in range(count):
        begun = clock()
        spent[i] = clock() - begun
    return spent


def refused(engine: Applies, count: int = CALLS) -> Durations:
    """Calls with one command of an unknown kind, which is refused at once: the price of calling."""
    return call_durations(engine, np.zeros(count, COMMAND), 1)[0]


def call_durations(engine: Applies, commands: CommandArray, size: int) -> tuple[Durations, Durations]:
    """Nanoseconds of each call of `size` commands (the last may have fewer), and the number of its events."""
    clock, apply = time.perf_counter_ns, engine.apply
    calls = -(-len(commands) // size)
    spent, events = np.zeros(calls, np.int64), np.zeros(calls, np.int64)
    gc.collect()
    gc.disable()
    try:
        for i in range(calls):
            part = commands[i * size : (i + 1) * size]
            begun = clock()
            done, told = apply(part)
            spent[i] = clock() - begun
            events[i] = len(told)
            while done < len(part):  # the event buffer was full
                part = part[done:]
                begun = clock()
                done, told = apply(part)
                spent[i] += clock() - begun
                events[i] += len(told)
    finally:
        gc.enable()
    return spent, events


def by_kind(engine: Applies, commands: CommandArray) -> dict[str, Any]:
    """Percentiles of calls of one command, by kind, and apart where there was more than one event (trades, ends)."""
    spent, events = call_durations(engine, commands, 1)
    found = {}
    for kind in np.unique(commands["kind"]).tolist():
        for label, rows in (("", events == 1), (", several events", events > 1)):
            mine = spent[(commands["kind"] == kind) & rows]
            if len(mine):
                found[f"{CommandKind(kind).name}{label}"] = percentiles(mine)
    return found


def end_of_day(engine: Engine) -> dict[str, Any]:
    """Nanoseconds and events of the four commands that end the day with all that still rests."""
    commands = np.zeros(len(END_OF_DAY), COMMAND)
    commands["kind"] = END_OF_DAY
    stamp(commands, engine.header().command_sequence)
    spent, events = call_durations(engine, commands, 1)
    return {
        kind.name: {"nanoseconds": int(taken), "events": int(count)}
        for kind, taken, count in zip(END_OF_DAY, spent, events, strict=True)
    }
