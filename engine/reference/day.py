"""The trading day (docs/engine.md section 4; rule book sections 2 and 5, G4)."""

from __future__ import annotations

from engine.reference.admission import check_role, find_market
from engine.reference.book import Order
from engine.reference.clearing import count_notice_days, expire_auctions
from engine.reference.deadlines import tell_overdue
from engine.reference.exchange import Command, Exchange, Market, Refused
from engine.reference.limits import tell_large_holders
from engine.reference.matching import end_order
from engine.reference.money import half_up
from engine.reference.negotiations import end_negotiation
from engine.reference.phases import CALLS, change_phase
from engine.reference.stops import trigger_stops
from engine.reference.uncrossing import end_call
from engine.schema import (
    BASIS_POINTS,
    DayStage,
    EventKind,
    Mode,
    Phase,
    Reason,
    TimeInForce,
)
from engine.venue import date_number

MAX_DATE = 9999_12_31
MAX_RATE = 10**9
TURNOVER_WORD = 1 << 62
KEEPS_CALL = (*CALLS, Phase.PRE_OPEN, Phase.HALT)
"""Phases in which a crossed book stays as it is."""


def daily_limits(reference: int, basis_points: int) -> tuple[int, int]:
    """(lower, upper) limit around a reference, inclusive, half-up to the tick; (0, 0) = none (rule book section 2)."""
    if not reference or not basis_points:
        return 0, 0
    up = half_up(reference * (BASIS_POINTS + basis_points), BASIS_POINTS)
    down = half_up(reference * (BASIS_POINTS - basis_points), BASIS_POINTS)
    if up == reference:
        up += 1
    if down == reference:
        down -= 1
    return max(down, 1), max(up, 1)


def set_limits(market: Market) -> None:
    market.limit_down, market.limit_up = daily_limits(market.previous_close, market.terms.limit_listed_bps)
    market.block_down, market.block_up = daily_limits(market.previous_close, market.terms.limit_block_bps)


def tell_limits(x: Exchange, market: Market) -> None:
    x.emit(
        EventKind.LIMITS_SET,
        instrument=market.instrument,
        price=market.previous_close,
        remaining=market.block_down,
        contra_remaining=market.block_up,
        aux=market.limit_down,
        aux2=market.limit_up,
    )


def mean(prices: list[int]) -> int:
    """Half-up; 0 of nothing."""
    return half_up(sum(prices), len(prices)) if prices else 0


def composite_of_references(x: Exchange) -> int:
    """The composite before there are closes: the plain mean of the given previous closes."""
    if x.venue.composite == "NONE":
        return 0
    return mean([m.previous_close for m in x.markets if m.terms.in_composite and m.previous_close])


def start(x: Exchange) -> None:
    """The references that the venue file gives, the limits around them and the composite."""
    for market, instrument in zip(x.markets, x.venue.instruments, strict=True):
        market.previous_close = instrument.previous_close_ticks
        set_limits(market)
    x.composite = composite_of_references(x)


def set_phase(x: Exchange, command: Command) -> None:
    """SET_PHASE: one mode of one or of all instruments; a later trading date opens a new day."""
    mode, phase, on_date = command.scope, command.quantity, command.expiry
    if mode not in (Mode.LISTED, Mode.BLOCK, Mode.BIDDING):
        raise Refused(Reason.INVALID_SCOPE)
    if not Phase.CLOSED <= phase <= Phase.HALT or (phase in CALLS and mode != Mode.LISTED):
        raise Refused(Reason.INVALID_PHASE)
    if command.quantity2 not in ((0, 1) if phase in CALLS else (0,)):
        raise Refused(Reason.UNUSED_FIELD_SET)
    if not 0 <= on_date <= MAX_DATE:
        raise Refused(Reason.INVALID_DATE)
    check_role(x, command)
    addressed = [find_market(x, command.instrument)] if command.instrument else x.markets
    check_date(x, on_date)
    if command.instrument and not x.is_listed(addressed[0], on_date):
        raise Refused(Reason.NOT_LISTED)
    listed = [market for market in addressed if x.is_listed(market, on_date)]
    if phase in CALLS and not all(market.terms.call_auction for market in listed):
        raise Refused(Reason.INVALID_PHASE)

    if on_date > x.trading_date:
        open_day(x, on_date)
    for market in listed:
        enter_phase(x, market, Mode(mode), phase, command.quantity2)
    if not listed:
        x.emit(EventKind.PHASE_CHANGED, side=mode, phase=phase, aux=x.trading_date)


def check_date(x: Exchange, on_date: int) -> None:
    if on_date < x.trading_date:
        raise Refused(Reason.INVALID_DATE)
    if on_date > x.trading_date:
        if not between_days(x):
            raise Refused(Reason.DAY_NOT_SETTLED)
    elif x.day_stage != DayStage.OPEN:
        raise Refused(Reason.DAY_CLOSED)


def between_days(x: Exchange) -> bool:
    """The last day is settled, or the first has not begun."""
    return x.day_stage == DayStage.SETTLED or (x.day_stage == DayStage.OPEN and x.trading_date == 0)


def open_day(x: Exchange, on_date: int) -> None:
    """A new vintage's first reference is the composite of the day before (rule book section 2, first_reference)."""
    previous = x.trading_date
    x.trading_date = on_date
    x.day_stage = DayStage.OPEN
    x.emit(EventKind.DAY_OPENED, aux=on_date, aux2=previous)
    tell_overdue(x, on_date - 1)
    for market in x.listed_markets():
        has_limit = market.terms.limit_listed_bps or market.terms.limit_block_bps
        if has_limit and not market.previous_close and x.composite:
            market.previous_close = x.composite
            set_limits(market)
            tell_limits(x, market)
    count_notice_days(x)


def enter_phase(x: Exchange, market: Market, mode: Mode, phase: int, frozen: int) -> None:
    """A call that ends trades first; where trading is continuous now, waiting stops are triggered."""
    if mode != Mode.LISTED:
        change_phase(x, market, mode, phase)
        return
    if market.terms.call_auction and phase not in KEEPS_CALL:
        end_call(x, market)
    change_phase(x, market, mode, phase, frozen=frozen)
    trigger_stops(x, market)


def require_stage(x: Exchange, stage: DayStage) -> None:
    if x.day_stage != stage:
        raise Refused(Reason.WRONG_DAY_STAGE)


def stop_trading(x: Exchange, command: Command) -> None:
    """STOP_TRADING, end of day 1: every mode of every instrument closes."""
    check_role(x, command)
    require_stage(x, DayStage.OPEN)

    for market in x.markets:
        for mode in Mode:
            if market.phases[mode] != Phase.CLOSED:
                enter_phase(x, market, mode, int(Phase.CLOSED), 0)
    x.day_stage = DayStage.STOPPED
    x.emit(EventKind.TRADING_STOPPED, aux=x.trading_date)


def expire_orders(x: Exchange, command: Command) -> None:
    """EXPIRE_ORDERS, end of day 2: day orders, block negotiations and auctions lapse, their locks are released."""
    check_role(x, command)
    require_stage(x, DayStage.STOPPED)

    lapsing = [order for order in x.live_orders() if lapses(x, order)]
    for order in lapsing:
        reason = Reason.END_OF_DAY if order.time_in_force == TimeInForce.DAY else Reason.GOOD_TILL_DATE
        end_order(x, x.markets[order.instrument - 1], order, EventKind.EXPIRED, reason)
    for negotiation in list(x.negotiations.values()):
        end_negotiation(x, negotiation, Reason.END_OF_DAY)
    expire_auctions(x)
    x.day_stage = DayStage.EXPIRED
    x.emit(EventKind.ORDERS_EXPIRED, quantity=len(lapsing), aux=x.trading_date)


def lapses(x: Exchange, order: Order) -> bool:
    """Day orders, and orders good till a date that has come (docs/order-types.md 11.1)."""
    if order.time_in_force == TimeInForce.GTD:
        return order.expiry <= x.trading_date
    return order.time_in_force == TimeInForce.DAY


def closing_price(market: Market) -> int:
    """Volume-weighted mean of the day's listed trades, half-up, the last trade or the mean of the last five; none =
    previous close.

    The day's mean lies between low and high, unless a trade was cancelled with other terms than its own.
    """
    if market.terms.close_rule == "LAST5":
        lots = sum(quantity for _, _, quantity in market.last_trades)
        turnover = sum(price * quantity for _, price, quantity in market.last_trades)
        return half_up(turnover, lots) if lots else market.previous_close
    if not market.volume:
        return market.previous_close
    if market.terms.close_rule != "VWAP":
        return market.last
    return min(max(half_up(market.turnover, market.volume), market.low), market.high)


def fix_close(x: Exchange, command: Command) -> None:
    """FIX_CLOSE, end of day 3: closing prices, then the composite."""
    check_role(x, command)
    require_stage(x, DayStage.EXPIRED)

    for market in x.listed_markets():
        market.close = closing_price(market)
        x.emit(
            EventKind.CLOSE_FIXED,
            instrument=market.instrument,
            price=market.close,
            quantity=market.volume,
            order_id=market.trades,
            contra_order_id=market.turnover // TURNOVER_WORD,
            remaining=market.open or market.previous_close,
            contra_remaining=market.high,
            aux=market.turnover % TURNOVER_WORD,
            aux2=market.low,
        )
    x.day_stage = DayStage.CLOSE_FIXED
    if x.venue.composite != "NONE":
        x.composite = composite_of_closes(x) or x.composite
        x.emit(EventKind.COMPOSITE_FIXED, price=x.composite, aux=x.trading_date)


def composite_of_closes(x: Exchange) -> int:
    """Plain mean of the vintages' closes, from the turn on the newest vintage's close alone; 0 when there is none."""
    vintages = [market for market in x.listed_markets() if market.terms.in_composite]
    if x.trading_date <= date_number(x.venue.composite_mean_until):
        return mean([market.close for market in vintages if market.close])
    newest = max(vintages, key=lambda market: (market.listed_from, market.instrument), default=None)
    return newest.close if newest else 0


def settle(x: Exchange, command: Command) -> None:
    """SETTLE, end of day 4: bought units and sale proceeds settle; tomorrow's limits."""
    check_role(x, command)
    require_stage(x, DayStage.CLOSE_FIXED)
    if x.venue.prefunded and x.venue.settlement_ack and x.acknowledged_date != x.trading_date:
        raise Refused(Reason.SETTLEMENT_NOT_ACKNOWLEDGED)

    cancel_delisted(x)
    for account, owner in enumerate(x.accounts):
        for asset, hold in sorted(owner.holds.items()):
            if hold.bought_today:
                units, hold.bought_today = hold.bought_today, 0
                hold.free += units
                x.emit(EventKind.UNITS_SETTLED, account=account, quantity=units, aux2=asset)
        for currency, cash in sorted(owner.cash.items()):
            if cash.proceeds_today:
                amount, cash.proceeds_today = cash.proceeds_today, 0
                x.emit(EventKind.CASH_SETTLED, account=account, aux=amount, aux2=currency)
    tell_large_holders(x)
    tell_overdue(x, x.trading_date)
    for market in x.listed_markets():
        market.previous_close = market.close or market.previous_close
        set_limits(market)
        tell_limits(x, market)
        market.open = market.high = market.low = 0
        market.volume = market.turnover = market.trades = market.close = 0
        market.block_volume = market.block_turnover = market.block_trades = market.auction_volume = 0
        market.call_price = 0
        market.last_trades.clear()
    x.day_stage = DayStage.SETTLED
    x.emit(EventKind.SETTLED, aux=x.trading_date)


def cancel_delisted(x: Exchange) -> None:
    """What still rests in instruments whose last trading date has come (docs/controls.md 10.4)."""
    gone = {market.instrument for market in x.markets if 0 < market.listed_until <= x.trading_date}
    for order in [order for order in x.live_orders() if order.instrument in gone]:
        end_order(x, x.markets[order.instrument - 1], order, EventKind.CANCELLED, Reason.DELISTED)


def set_reference(x: Exchange, command: Command) -> None:
    """SET_REFERENCE: the previous close of one instrument, before the day opens."""
    check_role(x, command)
    market = find_market(x, command.instrument)
    if not between_days(x):
        raise Refused(Reason.WRONG_DAY_STAGE)
    if command.price < 1:
        raise Refused(Reason.INVALID_PRICE)
    if not market.floor <= command.price <= market.ceiling:
        raise Refused(Reason.PRICE_OUT_OF_WINDOW)

    market.previous_close = command.price
    set_limits(market)
    tell_limits(x, market)
    if not x.trading_date:
        x.composite = composite_of_references(x)


def clock_anchor(x: Exchange, command: Command) -> None:
    """CLOCK_ANCHOR: journal time = target + rate x (monotonic - expiry). Time is data: nothing depends on it."""
    check_role(x, command)
    if not (1 <= command.quantity <= MAX_RATE and 1 <= command.quantity2 <= MAX_RATE):
        raise Refused(Reason.INVALID_AMOUNT)

    x.anchor_journal, x.anchor_monotonic = command.target, command.expiry
    x.rate_numerator, x.rate_denominator = command.quantity, command.quantity2
    x.emit(
        EventKind.CLOCK_ANCHORED,
        quantity=command.quantity,
        remaining=command.quantity2,
        aux=command.target,
        aux2=command.expiry,
    )
