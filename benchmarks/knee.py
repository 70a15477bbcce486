"""The highest rate that a server keeps up with, found by stepping the rate."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

KEPT_UP: Final = 0.97
"""Least share of the offered rate that must be answered."""
STEEP: Final = 5.0
"""Most that the median may grow to, as a multiple of the slowest rate's."""
GROWTH: Final = 2.0
REFINE: Final = 3
"""Bisections (of the ratio) between the last rate that held and the first that did not."""
MOST_STEPS: Final = 24
MOST_RATE: Final = 20_000_000.0


class Step(NamedTuple):
    """One run at one rate: commands a second offered and answered, median in µs, and whether it was cut short."""

    offered: float
    achieved: float
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
    if step.achieved < KEPT_UP * step.offered:
        return f"only {100 * step.achieved / step.offered:.0f} % of the offered rate was answered"
    if step.p50 > STEEP * slowest.p50:
        return f"the median is {step.p50 / slowest.p50:.1f} times that of the slowest rate"
    return ""


def find(run: Callable[[float], Step], start: float, most: float = MOST_RATE) -> Knee:
    """Double the rate from `start` until it does not hold, then bisect. A rate that fails is tried once more.

    Args:
        run: measures one rate (commands a second).
        most: no rate above this one is tried.
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
    for _ in range(REFINE if low and high else 0):
        if len(steps) >= MOST_STEPS:
            break
        rate = math.sqrt(low * high)
        found = holds(rate)
        if found:
            high, why = rate, found
        else:
            low = rate
    return Knee(low, why, tuple(steps))
