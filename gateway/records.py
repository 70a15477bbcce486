"""Small helpers for arrays of records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def join(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Arrays of one record dtype, each contiguous, behind one another; a new, writable array unless there is only one.

    As bytes, because NumPy merges structured dtypes field by field, which costs more than the copy.
    """
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([part.view(np.uint8) for part in parts]).view(parts[0].dtype)


def pick(records: NDArray[Any], which: NDArray[Any]) -> NDArray[Any]:
    """`records[which]`, a copy, for an index or mask `which`; as bytes, for the same reason."""
    size = records.dtype.itemsize
    rows = np.ascontiguousarray(records).view(np.uint8).reshape(len(records), size)
    chosen: NDArray[Any] = rows[which].reshape(-1).view(records.dtype)
    return chosen
