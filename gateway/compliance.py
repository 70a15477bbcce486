"""How an account stands against its obligations: what its holdings cover, what is missing, what that would cost."""

from __future__ import annotations

from typing import Any, Final

from engine.core import Engine
from engine.schema import BASIS_POINTS
from engine.venue import Venue
from gateway.wire import HoldingData
from gateway.wire_registers import ComplianceAnswer, YearData

AT_DISPOSAL: Final = ("free", "locked", "bought_today", "auction_frozen")
"""Buckets that the owner can still surrender, today or once orders are cancelled and the day is settled."""
NO_END: Final = 10_000


def compliance(engine: Engine, account: int) -> ComplianceAnswer:
    """The view of one account. Raises IndexError for an account that does not exist."""
    holds = engine.balance(account).holds
    left = {int(row["asset"]): sum(int(row[name]) for name in AT_DISPOSAL) for row in holds}
    rows = engine.register("obligations")
    mine = sorted(rows[rows["account"] == account], key=lambda row: int(row["year"]))
    years = tuple(_year(engine, row, left) for row in mine)
    holdings = tuple(HoldingData(*line[1:]) for line in holds.tolist())
    return ComplianceAnswer(account, years, holdings, not engine.header().transfers_closed)


def _year(engine: Engine, row: Any, left: dict[int, int]) -> YearData:
    """One obligation; what covers it is taken out of `left`, the assets that end soonest first, offsets last."""
    venue = engine.venue
    year, due = int(row["year"]), int(row["due"])
    surrendered, offsets = int(row["surrendered"]), int(row["offsets"])
    most_offsets = max(0, (2 * due * venue.offset_limit_bps + BASIS_POINTS) // (2 * BASIS_POINTS) - offsets)
    wanted, covered = due - surrendered, 0
    for asset in sorted(left, key=lambda number: (_is_offset(venue, number), _until(venue, number), number)):
        if counts(venue, asset, year):
            room = min(left[asset], wanted - covered, most_offsets if _is_offset(venue, asset) else wanted)
            if _is_offset(venue, asset):
                most_offsets -= room
            left[asset] -= room
            covered += room
    shortfall = wanted - covered
    buy = cheapest(engine, year, shortfall)
    dates = (int(row[name]) for name in ("surrender_by", "overdue", "late"))
    return YearData(int(row["id"]), year, due, surrendered, offsets, covered, shortfall, *buy, *dates)


def _terms(venue: Venue, asset: int) -> tuple[str, int]:
    """(kind, last compliance year)."""
    name = venue.assets[asset - 1]
    found = next((terms for terms in venue.asset_terms if terms.asset == name), None)
    return (found.kind, found.surrender_until or NO_END) if found else ("ALLOWANCE", NO_END)


def _until(venue: Venue, asset: int) -> int:
    return _terms(venue, asset)[1]


def _is_offset(venue: Venue, asset: int) -> bool:
    return _terms(venue, asset)[0] == "OFFSET"


def counts(venue: Venue, asset: int, year: int) -> bool:
    """Whether units of an asset may be surrendered for a year."""
    kind, until = _terms(venue, asset)
    return kind != "CREDIT" and year <= until


def cheapest(engine: Engine, year: int, units: int) -> tuple[int, int, int]:
    """(instrument, price in ticks, minor units) of buying `units` as the cheapest allowance that counts; zeros if none.

    The price is the last of the listed mode, else the previous close.
    """
    venue, found = engine.venue, []
    today = engine.header().trading_date
    for number, terms in enumerate(venue.instruments, 1):
        asset = venue.asset_id(terms.asset)
        if not asset or _is_offset(venue, asset) or not counts(venue, asset, year) or units <= 0:
            continue
        row = engine.book_day(number)[0]
        listed = row["listed_from"] <= today and (not row["listed_until"] or today <= row["listed_until"])
        price = int(row["last"]) or int(row["previous_close"])
        if listed and price:
            lots = -(-units // terms.units_per_lot)
            found.append((lots * price * terms.tick_value, number, price))
    if not found:
        return 0, 0, 0
    cost, number, price = min(found)
    return number, price, cost
