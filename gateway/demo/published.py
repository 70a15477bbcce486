"""What the Shanghai Environment and Energy Exchange published for 2025-08-11: listed agreements, CNY and tonnes.

Source: the exchange's daily figures of the national carbon market for that day. A vintage without listed trades keeps
its previous close. CEA23's block trades of that day (745,654 t for 41,195,915.00) are not part of the listed figures
and not of the closing price. CEA25 was not listed before 2026-01-05.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple


class Vintage(NamedTuple):
    """One vintage's day; None where there was no trade."""

    symbol: str
    previous_close: Decimal
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    close: Decimal
    tonnes: int
    amount: Decimal

    @property
    def traded(self) -> bool:
        return self.tonnes > 0


def _quiet(symbol: str, close: str) -> Vintage:
    return Vintage(symbol, Decimal(close), None, None, None, Decimal(close), 0, Decimal("0.00"))


DATE: Final = 20250811
VINTAGES: Final = (
    _quiet("CEA19-20", "71.34"),
    _quiet("CEA21", "70.00"),
    _quiet("CEA22", "73.00"),
    Vintage(
        symbol="CEA23",
        previous_close=Decimal("72.93"),
        open=Decimal("72.80"),
        high=Decimal("72.85"),
        low=Decimal("72.80"),
        close=Decimal("72.80"),
        tonnes=21_000,
        amount=Decimal("1528850.00"),
    ),
    Vintage(
        symbol="CEA24",
        previous_close=Decimal("73.20"),
        open=Decimal("73.20"),
        high=Decimal("73.20"),
        low=Decimal("72.50"),
        close=Decimal("72.86"),
        tonnes=50_752,
        amount=Decimal("3697970.40"),
    ),
)
COMPOSITE: Final = Decimal("72.00")
COMPOSITE_PREVIOUS: Final = Decimal("72.09")
