"""Percentiles of many durations."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

PERCENTILES: Final = (50.0, 90.0, 99.0, 99.9, 99.99)
HIGHEST: Final = 60_000_000_000
"""A minute, ns: nothing measured here takes longer."""
DIGITS: Final = 3


def percentiles(nanoseconds: NDArray[np.int64]) -> dict[str, Any]:
    """p50 to p99.99 and the largest, from an HDR histogram of three digits; exact ones where that is not installed.

    Raises ValueError for no durations at all.
    """
    if not len(nanoseconds):
        raise ValueError("no durations")
    found = _from_histogram(nanoseconds)
    if found is None:
        found = np.percentile(nanoseconds, PERCENTILES, method="higher").astype(int).tolist()
    named = {f"p{percentile:g}": value for percentile, value in zip(PERCENTILES, found, strict=True)}
    return {**named, "max": int(nanoseconds.max()), "count": len(nanoseconds)}


def _from_histogram(nanoseconds: NDArray[np.int64]) -> list[int] | None:
    try:
        from hdrh.histogram import HdrHistogram
    except ImportError:
        return None
    histogram = HdrHistogram(1, HIGHEST, DIGITS)
    values, counts = np.unique(np.clip(nanoseconds, 1, HIGHEST), return_counts=True)
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        histogram.record_value(value, count)
    most = int(nanoseconds.max())
    return [min(most, int(histogram.get_value_at_percentile(percentile))) for percentile in PERCENTILES]
