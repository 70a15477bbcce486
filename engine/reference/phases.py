"""Phases of a mode, and when orders rest for a call (docs/engine.md section 4, docs/call-auctions.md 12.1)."""

from __future__ import annotations

from engine.reference.exchange import Exchange, Market
from engine.schema import EventKind, Mode, Phase

CALLS = (Phase.OPEN_CALL, Phase.CLOSE_CALL, Phase.VOLATILITY_CALL)


def takes_orders_for_call(market: Market) -> bool:
    """A call is on, or PRE_OPEN of an instrument that has calls: orders rest, nothing is matched."""
    return market.terms.call_auction and market.listed_phase in (*CALLS, Phase.PRE_OPEN)


def change_phase(x: Exchange, market: Market, mode: Mode, phase: int, *, frozen: int = 0) -> None:
    """PHASE_CHANGED; a listed phase begins with or without cancels (`frozen`)."""
    previous = market.phases[mode]
    market.phases[mode] = phase
    if mode == Mode.LISTED:
        market.call_frozen = frozen
    x.emit(
        EventKind.PHASE_CHANGED,
        side=mode,
        phase=phase,
        instrument=market.instrument,
        quantity=frozen,
        aux=x.trading_date,
        aux2=previous,
    )
