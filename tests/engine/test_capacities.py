"""docs/capacities.md says of every table what a row costs and how many there may be, as the code has it."""

from __future__ import annotations

from math import prod
from pathlib import Path

import pytest

from engine.arena import ARENA
from engine.schema import Reason
from engine.venue import Capacity

pytestmark = pytest.mark.nojit

PAGE = Path(__file__).resolve().parents[2] / "docs" / "capacities.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.read_text("utf-8").splitlines()
    if line.startswith("| `")
]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_table(row):
    name, _, size, most, keys, full = row
    base, shape = ARENA.fields[name.strip("`")][0].subdtype
    assert (int(size), int(most.replace(",", ""))) == (base.itemsize, prod(shape))
    for key in keys.split("`")[1::2]:
        if key.startswith("capacity."):
            field = key.removeprefix("capacity.")
            default = keys.split(f"`{key}` (")[1].split(")")[0] if f"`{key}` (" in keys else None
            assert default is None or int(default.replace(",", "")) == getattr(Capacity(), field)
            assert hasattr(Capacity(), field)
    if full.endswith("_FULL"):
        assert full in Reason.__members__


def test_all_large_tables_are_there():
    """Whatever takes more than a mebibyte at its largest and is no scratch of a command."""
    scratch = {"event_words", "order_words", "free_slots", "ranking", "rank_keys", "allotted", "stop_cells", "bits0"}
    large = {name for name, (dtype, *_) in ARENA.fields.items() if dtype.itemsize > 1 << 20} - scratch
    assert large - {row[0].strip("`") for row in ROWS} <= {"firm_limits", "account_limits"}
    assert ARENA.itemsize >> 20 == 1_824
