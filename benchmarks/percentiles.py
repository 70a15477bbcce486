"""Percentiles of measured nanoseconds: exact ones for tables, and HdrHistogram's table (.hgrm) for its tools."""

from __future__ import annotations

import io
import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

PERCENTILES: Final = {"p10": 0.1, "p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999, "p99.99": 0.9999}
HIGHEST_NS: Final = 3_600_000_000_000
FIGURES: Final = 3
TICKS: Final = 5
"""Lines of a .hgrm file for each halving of the rest."""


def exact(ordered: NDArray[np.int64], share: float) -> int:
    """The smallest value that at least `share` of all lie at or below. `ordered` is ascending and not empty."""
    return int(ordered[min(len(ordered), max(1, math.ceil(share * len(ordered) - 1e-9))) - 1])


def summary(nanoseconds: NDArray[np.int64] | list[int]) -> dict[str, Any]:
    """Exact percentiles, mean and maximum in microseconds, and the count. Empty input gives only the count."""
    ordered = np.sort(np.asarray(nanoseconds, np.int64))
    if not len(ordered):
        return {"count": 0}
    found: dict[str, Any] = {name: round(exact(ordered, share) / 1_000, 1) for name, share in PERCENTILES.items()}
    return found | {
        "max": round(int(ordered[-1]) / 1_000, 1),
        "mean": round(float(ordered.mean()) / 1_000, 1),
        "count": len(ordered),
    }


def curve(nanoseconds: NDArray[np.int64] | list[int], steps: int = 60) -> list[tuple[float, float]]:
    """(percentile as a share below 1, microseconds) for a plot, evenly spaced in the number of nines."""
    ordered = np.sort(np.asarray(nanoseconds, np.int64))
    if not len(ordered):
        return []
    nines = np.linspace(0, math.log10(max(2, len(ordered))), steps)
    return [(share, exact(ordered, share) / 1_000) for share in (1 - 10.0**-nines).tolist()]


def hgrm(nanoseconds: NDArray[np.int64] | list[int]) -> str:
    """HdrHistogram's percentile table in microseconds, three figures; by its own package where that is installed."""
    values = np.maximum(1, np.asarray(nanoseconds, np.int64))
    try:
        from hdrh.histogram import HdrHistogram
    except ImportError:
        return _table(values)
    histogram = HdrHistogram(1, HIGHEST_NS, FIGURES)
    for value, count in zip(*np.unique(_coarse(values), return_counts=True), strict=True):
        histogram.record_value(int(value), int(count))
    out = io.BytesIO()
    histogram.output_percentile_distribution(out, 1_000.0, TICKS)
    return out.getvalue().decode()


def _coarse(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Cut to 15 binary figures, finer than the histogram's own steps, so that millions of values become few."""
    shift = np.maximum(0, np.frexp(values.astype(np.float64))[1] - 15)
    return values >> shift << shift


def _table(values: NDArray[np.int64]) -> str:
    """The same table without the package, from the exact values."""
    lines = [f"{'Value':>12} {'Percentile':>14} {'TotalCount':>10} {'1/(1-Percentile)':>14}", ""]
    ordered = np.sort(values)
    half, share = 0, 0.0
    while len(ordered) and round((1 - share) * len(ordered)) >= 1:
        value = exact(ordered, share)
        count = int(np.searchsorted(ordered, value, "right"))
        lines.append(f"{value / 1_000:12.3f} {share:2.12f} {count:10d} {1 / (1 - share):14.2f}")
        half += 1
        share = 1 - 0.5 ** (half // TICKS) * (1 - half % TICKS / (2 * TICKS))
    if len(ordered):
        lines.append(f"{int(ordered[-1]) / 1_000:12.3f} {1:2.12f} {len(ordered):10d}")
    mean, deviation = (float(values.mean()), float(values.std())) if len(values) else (0.0, 0.0)
    most = int(ordered[-1]) if len(ordered) else 0
    lines.append(f"#[Mean    = {mean / 1_000:12.3f}, StdDeviation   = {deviation / 1_000:12.3f}]")
    lines.append(f"#[Max     = {most / 1_000:12.3f}, TotalCount     = {len(ordered):12d}]")
    return "\n".join(lines) + "\n"
