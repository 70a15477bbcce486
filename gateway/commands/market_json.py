"""What is public of an instrument, for machines: prices as decimals, names for numbers, null where there is none."""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum
from typing import Any, Final

from engine.schema import DayStage, Phase, Reason, Side
from gateway.feed.messages import AuctionStep
from gateway.marketdata import Change, MarketData, PublicBook

_PRICES: Final = frozenset(
    (
        *("price", "open", "high", "low", "last", "close", "average", "auction_price", "call_price"),
        *("previous_close", "limit_down", "limit_up", "block_down", "block_up", "floor", "ceiling"),
    )
)
_TURNOVERS: Final = frozenset(("turnover", "block_turnover"))
_NAMED: Final[dict[str, type[IntEnum]]] = {
    **dict.fromkeys(("listed_phase", "block_phase", "bidding_phase"), Phase),
    "stage": DayStage,
    "aggressor": Side,
    "side": Side,
    "step": AuctionStep,
    "reason": Reason,
}


def change_json(market: MarketData, change: Change) -> dict[str, Any]:
    """A change, and the instrument as it stands behind the last message taken in."""
    symbol = change.symbol
    call = market.call(symbol)
    return {
        "sequence": change.sequence,
        "time": change.time,
        "recovered": change.recovered,
        "missed_trades": change.missed,
        **_book(market.book(symbol)),
        "figures": _fields(market, symbol, market.figures(symbol)),
        "terms": _fields(market, symbol, market.terms(symbol)),
        "call": _fields(market, symbol, call) if call.volume else None,
        "trades": [_fields(market, symbol, made) for made in change.trades],
        "cancelled_trades": [_fields(market, symbol, made) for made in change.busts],
        "auctions": [_fields(market, symbol, step) for step in change.auctions],
    }


def _book(book: PublicBook) -> dict[str, Any]:
    sides = {"bids": book.bids, "asks": book.asks}
    levels = {name: [level._asdict() for level in side] for name, side in sides.items()}
    return {"symbol": book.symbol, "phase": book.phase.name, **levels}


def _fields(market: MarketData, symbol: str, found: Any) -> dict[str, Any] | None:
    """Every field of a message about an instrument; None where there is no message yet."""
    if found is None:
        return None
    instrument = market.reference.instrument(symbol)

    def told(name: str, value: Any) -> Any:
        if name in _PRICES:
            return market.reference.price(symbol, value) if value else None
        if name in _TURNOVERS:
            return Decimal(instrument.tick) * instrument.units_per_lot * int(value)
        if name in _NAMED:
            return _NAMED[name](value).name
        return value

    return {name: told(name, getattr(found, name)) for name in found.__struct_fields__}
