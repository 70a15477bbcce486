"""Round trips one at a time and throughput, each beside its floor, in turns, so that a noisy moment hits both."""

from __future__ import annotations

import contextlib
import itertools
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import zmq
from numpy.typing import NDArray

from benchmarks import floors
from benchmarks.gateway_load import Maker, Session, closed_loop, throughput
from benchmarks.gateway_plan import Case, Plan
from benchmarks.gateway_server import MAKER, Running
from benchmarks.percentiles import summary

Say = Callable[[str], None]
Samples = dict[str, NDArray[np.int64]]
"""Nanoseconds by label, for the files that hold whole distributions."""
Echoes = dict[str, floors.Echo]
TARGET_RATIO: Final = 1.5
"""Design target: the median round trip over the sum of the floors' medians."""


@contextlib.contextmanager
def sessions(running: Running, case: Case) -> Iterator[tuple[list[Session], Maker | None]]:
    """The case's sessions, logged on, and the maker they trade with; logged out at the end."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        with contextlib.ExitStack() as stack:
            maker = None
            if case.flow == "fill":
                maker = stack.enter_context(Maker(context, running.target(case.transport, MAKER)))
            opened = [
                stack.enter_context(Session(context, running.target(case.transport, firm), case.batch, case.flow))
                for firm in range(1, case.firms + 1)
            ]
            yield opened, maker
    finally:
        context.destroy(0)


def round_trips(
    plan: Plan, servers: dict[str, Running], echoes: Echoes, place: Path, samples: Samples, say: Say
) -> dict[str, Any]:
    """Floors and round trips by label, in microseconds; `samples` takes the distributions.

    A ratio is the round trip's median over the sum of its floors' medians, taken inside each round; told is the median
    of the rounds' ratios. `quiet_ratio` is the same of the tenth percentiles, which neighbours on a busy machine hardly
    touch.
    """
    taken: dict[str, list[list[int]]] = {}

    def add(label: str, values: list[int]) -> None:
        taken.setdefault(label, []).append(values)

    shapes = list(itertools.product(plan.flows, plan.batches))
    for number in range(plan.rounds):
        say(f"round trips and their floors, round {number + 1} of {plan.rounds}")
        for flow, batch in shapes:
            add(f"sync {flow} {batch}", floors.sync(place, plan.trips, floors.batch_bytes(batch, flow)))
            for name, echo in echoes.items():
                add(f"echo {name} {flow} {batch}", echo.trips(plan.trips, batch, flow))
            for durability, transport in itertools.product(plan.durabilities, plan.transports):
                case = Case(flow, durability, transport, batch, 1)
                with sessions(servers[durability], case) as (opened, maker):
                    trips, told = closed_loop(opened[0], plan.trips, maker)
                add(case.label, trips)
                if told:
                    add(f"{case.label} maker", told)
    samples |= {label: np.concatenate([np.asarray(part) for part in parts]) for label, parts in taken.items()}
    found: dict[str, Any] = {"floors": {}, "closed": {}}
    for label, parts in taken.items():
        place_in = "floors" if label.startswith(("sync ", "echo ")) else "closed"
        rounds = [summary(part) for part in parts]
        found[place_in][label] = summary(samples[label]) | {
            f"{name}_rounds": [each[name] for each in rounds] for name in ("p10", "p50")
        }
    for case in _closed_cases(plan):
        _compare(found, case)
    return found


def _closed_cases(plan: Plan) -> Iterator[Case]:
    for flow, batch, durability, transport in itertools.product(
        plan.flows, plan.batches, plan.durabilities, plan.transports
    ):
        yield Case(flow, durability, transport, batch, 1)


def _compare(found: dict[str, Any], case: Case) -> None:
    """Add floor and ratios to a round trip's figures."""
    parts = [found["floors"][f"echo {case.transport} {case.flow} {case.batch}"]]
    if case.durability == "sync":
        parts.append(found["floors"][f"sync {case.flow} {case.batch}"])
    figures = found["closed"][case.label]
    figures["floor"] = round(statistics.median(_sums(parts, "p50")), 1)
    for name, key in (("ratio", "p50"), ("quiet_ratio", "p10")):
        ratios = [own / floor for own, floor in zip(figures[f"{key}_rounds"], _sums(parts, key), strict=True)]
        figures[name] = round(statistics.median(ratios), 2)
        figures[f"{name}_rounds"] = [round(ratio, 3) for ratio in ratios]


def _sums(parts: list[dict[str, Any]], key: str) -> list[float]:
    """The floors added up, by round."""
    return [sum(each) for each in zip(*(part[f"{key}_rounds"] for part in parts), strict=True)]


def throughputs(plan: Plan, servers: dict[str, Running], echoes: Echoes, say: Say) -> dict[str, Any]:
    """Commands a second with many frames on their way, by label, each beside a bare echo with as many sockets."""
    found: dict[str, Any] = {}
    for batch, firms, transport in itertools.product(plan.batches, plan.firms, plan.transports):
        window = Case(batch=batch, firms=firms).window
        echo = echoes[transport].rate(batch, firms, window, plan.throughput_seconds)
        for durability in plan.durabilities:
            case = Case("ack", durability, transport, batch, firms)
            say(f"throughput: {case.label}")
            with sessions(servers[durability], case) as (opened, _):
                answered, seconds = throughput(opened, case.window, plan.throughput_seconds)
            rate = answered / seconds
            found[case.label] = {
                "commands_per_second": round(rate),
                "commands": answered,
                "echo_per_second": round(echo),
                "echo_ratio": round(echo / rate, 2),
            }
    return found
