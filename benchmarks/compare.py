"""Two sets of values: medians, their ratio, and whether it is more than the noise that the values show themselves.

The noise bound is the plainest one: the smallest and the largest ratio that any value of one side has to any of the
other. A difference counts only where the two ranges do not touch. By luck alone that happens to 2 / C(n + m, n) of
equal figures with n and m independent values (3 and 3: one in ten), so single differences among many mean little.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any, Final

from benchmarks.environment import machine_differences, version_differences
from benchmarks.saved import Better, Saved

UNKNOWN: Final = "noise unknown"
WITHIN: Final = "within noise"


@dataclass(frozen=True)
class Comparison:
    """One figure of A and B. `ratio` is B over A, `low` and `high` its bounds; `better` says which way is good."""

    name: str
    a: float
    b: float
    a_count: int
    b_count: int
    ratio: float
    low: float
    high: float
    better: Better
    in_turns: bool = False
    """The values are pairs, measured side by side."""

    @property
    def verdict(self) -> str:
        """`better`, `worse`, `within noise`, or `noise unknown` when a side has a single value."""
        if self.a_count < 2 or self.b_count < 2:
            return UNKNOWN
        if self.low <= 1 <= self.high:
            return WITHIN
        return "better" if (self.ratio > 1) == (self.better == "more") else "worse"

    @property
    def goodness(self) -> float:
        """How many times as good B is as A: the ratio, or its inverse where less is better."""
        return self.ratio if self.better == "more" else 1 / self.ratio

    @property
    def luck(self) -> float:
        """Share of equal figures that would not be within noise; for pairs, that all of them lean to one side."""
        if self.in_turns:
            return 2.0 ** (1 - self.a_count)
        return 2 / math.comb(self.a_count + self.b_count, self.a_count)

    def told(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "name": self.name,
            "a": self.a,
            "b": self.b,
            "values": [self.a_count, self.b_count],
            "ratio": round(self.ratio, 4),
            "bounds": [round(self.low, 4), round(self.high, 4)],
            "better": self.better,
            "verdict": self.verdict,
            "luck": round(self.luck, 4),
        }


def compare_values(name: str, a: Sequence[float], b: Sequence[float], better: Better) -> Comparison | None:
    """None where a figure is 0 or below, so that no ratio exists."""
    if min(*a, *b) <= 0:
        return None
    first, second = statistics.median(a), statistics.median(b)
    ratio, low, high = second / first, min(b) / max(a), max(b) / min(a)
    return Comparison(name, first, second, len(a), len(b), ratio, low, high, better)


def paired(name: str, a: Sequence[float], b: Sequence[float], better: Better) -> Comparison:
    """For values measured in turns: ratio and bounds are those of the pairs, so that drift of the machine drops out."""
    ratios = [second / first for first, second in zip(a, b, strict=True)]
    first, second = statistics.median(a), statistics.median(b)
    ratio, low, high = statistics.median(ratios), min(ratios), max(ratios)
    return Comparison(name, first, second, len(a), len(b), ratio, low, high, better, in_turns=True)


@dataclass(frozen=True)
class Report:
    """Two saved runs side by side."""

    a: Saved
    b: Saved
    machines: list[str]
    """In what the machines differ; not empty = the ratios say nothing about the sources."""
    versions: list[str]
    figures: list[Comparison]
    only: list[str]
    """Figures that one side lacks."""


def compare(a: Saved, b: Saved, pattern: str = "*") -> Report:
    """Compare what both have; `pattern` picks figures by name, as a shell does."""
    left, right = a.figures(), b.figures()
    compared = []
    for name in left:
        if name in right and fnmatch(name, pattern):
            found = compare_values(name, left[name].values, right[name].values, left[name].better)
            if found:
                compared.append(found)
    only = sorted(name for name in left.keys() ^ right.keys() if fnmatch(name, pattern))
    machines = machine_differences(a.environment, b.environment)
    return Report(a, b, machines, version_differences(a.environment, b.environment), compared, only)
