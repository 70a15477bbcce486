"""Corridors around reference prices; a trade outside interrupts trading for a call (docs/call-auctions.md 12.3;
Regulation (EU) 2017/584 art. 19)."""

from __future__ import annotations

from engine.reference.exchange import Exchange, Market
from engine.reference.money import half_up
from engine.reference.phases import change_phase
from engine.schema import BASIS_POINTS, Mode, Phase


def dynamic_reference(x: Exchange, market: Market) -> int:
    """The last price as it stood when the command began, else the previous close."""
    return x.references.setdefault(market.instrument, market.last or market.previous_close)


def outside_corridor(x: Exchange, market: Market, price: int) -> bool:
    """Whether a trade at `price` would lie outside the dynamic or the static corridor; both edges lie inside."""
    terms = market.terms
    static = market.call_price or market.previous_close
    return beyond(price, dynamic_reference(x, market), terms.corridor_dynamic_bps) or beyond(
        price, static, terms.corridor_static_bps
    )


def beyond(price: int, reference: int, basis_points: int) -> bool:
    if not reference or not basis_points:
        return False
    low = half_up(reference * (BASIS_POINTS - basis_points), BASIS_POINTS)
    high = half_up(reference * (BASIS_POINTS + basis_points), BASIS_POINTS)
    return not low <= price <= high


def interrupt(x: Exchange, market: Market) -> None:
    """Continuous trading gives way to a call."""
    change_phase(x, market, Mode.LISTED, int(Phase.VOLATILITY_CALL))
