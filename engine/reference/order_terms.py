"""What a NEW_ORDER says: which type, time in force, flags and further fields go together, and what an instrument offers
(docs/engine.md section 2, docs/order-types.md section 11)."""

from __future__ import annotations

from typing import Final

from engine.reference.book import HIDDEN
from engine.reference.exchange import Command, Exchange, Market, Refused
from engine.reference.phases import takes_orders_for_call
from engine.schema import SHOWN_SHARE, OrderFlag, OrderType, Reason, SelfTrade, Side, TimeInForce

POST_ONLY: Final = int(OrderFlag.POST_ONLY)
STOPS: Final = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.STOP_LIMIT_ICEBERG)
ICEBERGS: Final = (OrderType.ICEBERG, OrderType.STOP_LIMIT_ICEBERG)
IMMEDIATE: Final = (TimeInForce.IOC, TimeInForce.FOK)
MAX_DATE: Final = 9999_12_31


def check_order_enums(x: Exchange, command: Command) -> None:
    check_side(command.side)
    if not OrderType.LIMIT <= command.order_type <= OrderType.STOP_LIMIT_ICEBERG:
        raise Refused(Reason.INVALID_ORDER_TYPE)
    if not TimeInForce.DAY <= command.time_in_force <= TimeInForce.GTD:
        raise Refused(Reason.INVALID_TIME_IN_FORCE)
    if command.flags & ~(POST_ONLY | HIDDEN):
        raise Refused(Reason.INVALID_FLAGS)
    check_self_trade(command.self_trade)
    fits = type_fits_time(x, command) and flags_fit(command) and further_fields_fit(command)
    if not fits:
        raise Refused(Reason.INVALID_COMBINATION)


def check_side(side: int) -> None:
    if side not in (Side.BUY, Side.SELL):
        raise Refused(Reason.INVALID_SIDE)


def check_self_trade(mode: int) -> None:
    if mode > SelfTrade.DECREMENT:
        raise Refused(Reason.INVALID_SELF_TRADE)


def type_fits_time(x: Exchange, command: Command) -> bool:
    """Market orders are immediate, or of the day in a call; icebergs and stops are not immediate."""
    immediate = command.time_in_force in IMMEDIATE
    if command.order_type == OrderType.MARKET:
        market = x.market(command.instrument)
        of_a_call = market is not None and takes_orders_for_call(market)
        return immediate or (command.time_in_force == TimeInForce.DAY and of_a_call)
    return command.order_type == OrderType.LIMIT or not immediate


def flags_fit(command: Command) -> bool:
    flags, rests = command.flags, command.time_in_force not in IMMEDIATE
    if flags & POST_ONLY and not (rests and command.order_type in (OrderType.LIMIT, OrderType.ICEBERG)):
        return False
    return not flags & HIDDEN or (rests and command.order_type == OrderType.LIMIT)


def further_fields_fit(command: Command) -> bool:
    """Date, stop price and shown part only where the type or time in force has one; a minimum within its bounds."""
    dated = command.time_in_force == TimeInForce.GTD or not command.expiry
    stopped = command.order_type in STOPS or not command.price2
    shown = command.order_type in ICEBERGS or not command.quantity2
    return dated and stopped and shown and minimum_fits(command)


def minimum_fits(command: Command) -> bool:
    if not command.target:
        return True
    plain = command.order_type in (OrderType.LIMIT, OrderType.MARKET) and not command.flags & POST_ONLY
    return plain and command.time_in_force != TimeInForce.FOK and 1 <= command.target <= command.quantity


def check_offered(x: Exchange, market: Market, command: Command) -> None:
    """The instrument offers the order type, the time in force and the flags; a date has not passed."""
    if command.order_type not in market.terms.order_types:
        raise Refused(Reason.INVALID_ORDER_TYPE)
    if command.time_in_force not in market.terms.times_in_force:
        raise Refused(Reason.INVALID_TIME_IN_FORCE)
    check_flags_offered(market, command.flags)
    if command.time_in_force == TimeInForce.GTD:
        check_last_date(x, command.expiry)


def check_flags_offered(market: Market, flags: int) -> None:
    if (flags & POST_ONLY and not market.terms.post_only) or (flags & HIDDEN and not market.terms.hidden):
        raise Refused(Reason.INVALID_FLAGS)


def check_last_date(x: Exchange, last_date: int) -> None:
    if not 1 <= last_date <= MAX_DATE or last_date < x.trading_date:
        raise Refused(Reason.INVALID_DATE)


def check_shown(market: Market, shown: int, quantity: int) -> None:
    """The part that an iceberg shows: whole lots, less than all, and not too small a part of it."""
    if not 1 <= shown < quantity:
        raise Refused(Reason.INVALID_QUANTITY)
    if shown % market.terms.quantity_step:
        raise Refused(Reason.OFF_LOT)
    if quantity > SHOWN_SHARE * shown:
        raise Refused(Reason.INVALID_QUANTITY)


def check_stop_price(market: Market, price: int) -> None:
    if price < 1:
        raise Refused(Reason.INVALID_PRICE)
    if price % market.terms.price_step:
        raise Refused(Reason.OFF_TICK)
    if not market.floor <= price <= market.ceiling:
        raise Refused(Reason.PRICE_OUT_OF_WINDOW)
