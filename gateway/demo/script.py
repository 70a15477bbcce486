"""Listed trades of one pair of firms that add up exactly to the published day of CEA23 and CEA24.

The exchange publishes a day's open, high, low, close, tonnes and amount, not the single trades. These are one way in
which they can have come about: 20,000 t at 72.80 and 1,000 t at 72.85 are the only split of CEA23's amount over its
two published prices; CEA24's prices between its high and low are chosen.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple


class Deal(NamedTuple):
    """At local time `at`, one firm lists `tonnes` and the other takes the listing in `parts` pieces."""

    at: str
    symbol: str
    price: Decimal
    tonnes: int
    parts: int = 1


def _deal(at: str, symbol: str, price: str, tonnes: int, parts: int = 1) -> Deal:
    return Deal(at, symbol, Decimal(price), tonnes, parts)


DEALS: Final = (
    _deal("09:40", "CEA24", "73.20", 12_000, 3),
    _deal("09:45", "CEA23", "72.80", 3_000),
    _deal("10:00", "CEA24", "73.20", 8_000),
    _deal("10:20", "CEA23", "72.80", 5_000, 2),
    _deal("10:55", "CEA24", "72.90", 10_000),
    _deal("11:05", "CEA23", "72.85", 1_000),
    _deal("11:15", "CEA24", "72.60", 4_504, 4),
    _deal("13:10", "CEA24", "72.50", 9_000),
    _deal("13:20", "CEA23", "72.80", 4_000),
    _deal("13:35", "CEA24", "72.50", 7_248, 2),
    _deal("13:50", "CEA23", "72.80", 8_000),
)
FALSIFIED: Final = 6
"""The deal that `falsified` changes: not the day's open, high or low, so only amount and average can tell."""


def falsified(deals: tuple[Deal, ...]) -> tuple[Deal, ...]:
    """The same trades with one price a tick higher: the demonstration must notice."""
    wrong = deals[FALSIFIED]
    return (*deals[:FALSIFIED], wrong._replace(price=wrong.price + Decimal("0.01")), *deals[FALSIFIED + 1 :])
