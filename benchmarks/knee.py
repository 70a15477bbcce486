"""The highest rate that a server keeps up with, found by stepping the rate."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

BEHIND: Final = 0.03
LEAST_BEHIND: Final = 0.05
"""The last answer may come so much of the run's length, but at least so many seconds, after the last frame was due."""
STEEP: Final = 5.0
NO_QUEUE: Final = 5_000.0
"""The median may grow to so many times that of the slowest rate, but at least to so many µs: below that it is no
sign of a growing queue, on a shared machine not even of the gateway."""
GROWTH: Final = 2.0
MOST_STEPS: Final = 24
MOST_RATE: Final = 20_000_000.0


class Step(NamedTuple):
    """One run at one rate: commands a second, its length and how long after its last due moment the last answer came,
    in seconds, the median in µs, and whether it was cut short."""

    rate: float
    seconds: float
    behind: float
    p50: float
    overrun: bool = False


@dataclass(frozen=True)
class Knee:
    """`rate` is the highest that held, 0 when not even the slowest did; `why` says what ended the search."""

    rate: float
    why: str
    steps: tuple[tuple[Step, bool], ...]
    """Every run with whether it held, in the order of the runs."""


def fault(step: Step, slowest: Step) -> str:
    """Why a rate does not hold; "" when it does."""
    if step.overrun:
        return "answers did not keep up"
    if step.behind > max(LEAST_BEHIND, BEHIND * step.seconds):
        return f"the last answer came {1_000 * step.behind:.0f} ms after its frame was due"
    if step.p50 > max(NO_QUEUE, STEEP * slowest.p50):
        return f"the median is {step.p50 / slowest.p50:.1f} times that of the slowest rate"
    return ""


def find(run: Callable[[float], Step], start: float, most: float = MOST_RATE, refine: int = 3) -> Knee:
    """Double the rate from `start` until it does not hold, then bisect. A rate that fails is tried once more.

    Args:
        run: measures one rate (commands a second).
        most: no rate above this one is tried.
        refine: bisections of the ratio between the last rate that held and the first that did not.
    """
    steps: list[tuple[Step, bool]] = []

    def holds(rate: float) -> str:
        why = ""
        for _ in range(2):
            step = run(rate)
            why = fault(step, steps[0][0] if steps else step)
            steps.append((step, not why))
            if not why or len(steps) >= MOST_STEPS:
                break
        return why

    low, high, why = 0.0, 0.0, f"the highest rate to be tried, {most:,.0f}/s, still held"
    rate = min(start, most)
    while len(steps) < MOST_STEPS:
        found = holds(rate)
        if found:
            high, why = rate, found
            break
        low = rate
        if rate >= most:
            break
        rate = min(most, rate * GROWTH)
    for _ in range(refine if low and high else 0):
        if len(steps) >= MOST_STEPS:
            break
        rate = math.sqrt(low * high)
        found = holds(rate)
        if found:
            high, why = rate, found
        else:
            low = rate
    return Knee(low, why, tuple(steps))
