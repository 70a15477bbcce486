"""Instruments come, go and widen their price window (docs/controls.md 10.4), also in session."""

from __future__ import annotations

from engine.reference.admission import check_role, find_market
from engine.reference.day import MAX_DATE, set_limits, tell_limits
from engine.reference.exchange import Command, Exchange, Refused
from engine.schema import EventKind, Mode, Phase, Reason
from engine.venue import MAX_WINDOW


def widen_window(x: Exchange, command: Command) -> None:
    """WIDEN_WINDOW: the window only grows; orders and the day's figures stay."""
    floor, ceiling = command.price, command.price2
    check_role(x, command)
    market = find_market(x, command.instrument)
    if not 1 <= floor <= market.floor or ceiling < market.ceiling:
        raise Refused(Reason.INVALID_PRICE)
    if ceiling - floor >= MAX_WINDOW:
        raise Refused(Reason.PRICE_OUT_OF_WINDOW)

    before = (market.floor, market.ceiling)
    market.floor, market.ceiling = floor, ceiling
    x.emit(
        EventKind.WINDOW_SET,
        instrument=market.instrument,
        remaining=before[0],
        contra_remaining=before[1],
        aux=floor,
        aux2=ceiling,
    )


def list_instrument(x: Exchange, command: Command) -> None:
    """LIST_INSTRUMENT: an instrument of the venue's rules is listed from a date on; today counts."""
    price, first_date = command.price, command.expiry
    check_role(x, command)
    market = find_market(x, command.instrument)
    if not 1 <= first_date <= MAX_DATE or first_date < x.trading_date:
        raise Refused(Reason.INVALID_DATE)
    if x.is_listed(market, x.trading_date):
        raise Refused(Reason.ALREADY_LISTED)
    if price < 0:
        raise Refused(Reason.INVALID_PRICE)
    if price and not market.floor <= price <= market.ceiling:
        raise Refused(Reason.PRICE_OUT_OF_WINDOW)

    market.listed_from, market.listed_until = first_date, 0
    has_limit = market.terms.limit_listed_bps or market.terms.limit_block_bps
    if price:
        market.previous_close = price
    elif not market.previous_close and has_limit:
        market.previous_close = x.composite
    set_limits(market)
    for mode in Mode:
        market.phases[mode] = int(Phase.CLOSED)
    market.call_frozen = 0
    x.emit(
        EventKind.INSTRUMENT_LISTED, instrument=market.instrument, price=market.previous_close, aux=market.listed_from
    )
    if market.previous_close:
        tell_limits(x, market)


def delist_instrument(x: Exchange, command: Command) -> None:
    """DELIST_INSTRUMENT: the last trading date; what still rests then is cancelled at its settlement."""
    last_date = command.expiry
    check_role(x, command)
    market = find_market(x, command.instrument)
    if not x.is_listed(market, x.trading_date):
        raise Refused(Reason.NOT_LISTED)
    if not x.trading_date or not x.trading_date <= last_date <= MAX_DATE:
        raise Refused(Reason.INVALID_DATE)

    market.listed_until = last_date
    x.emit(EventKind.INSTRUMENT_DELISTED, instrument=market.instrument, aux=last_date)
