"""NEW_ORDER with anything beyond plain limit and market orders, or of an instrument with further rules.

The rules: docs/order-types.md and docs/call-auctions.md. The checks are those of `orders.new_order` in the same order,
with what the further types ask in between.
"""

import numpy as np

from engine.kernel.admission import (
    HIDDEN,
    IMMEDIATE,
    POST_ONLY,
    RESTING,
    broken_amount,
    broken_price,
    broken_quantity,
    broken_window,
    check_account,
    check_crossing,
    check_enabled,
    check_listed,
    check_offered,
    check_role,
    stated_price,
)
from engine.kernel.book import rest_further, write_order
from engine.kernel.call_phases import check_entry_phase, takes_call_orders
from engine.kernel.compiler import plain, rare, small
from engine.kernel.corridor import set_corridor
from engine.kernel.events import accepted, listed_phase
from engine.kernel.ledger import balance_of, lock, lock_for, shortfall
from engine.kernel.levels import give_slot, take_slot
from engine.kernel.limits import check_firm, check_halted, check_limits
from engine.kernel.matching import run_further
from engine.kernel.stops import trigger_stops
from engine.kernel.veils import ICEBERG
from engine.kernel.waiting import STOP, is_stop_type
from engine.kernel.walk import fillable
from engine.schema import SHOWN_SHARE, OrderType, Reason, SelfTrade, Side, TimeInForce

LAST_DATE = 99_991_231


@plain
def check_further_enums(s, c):
    if c.side != Side.BUY and c.side != Side.SELL:
        return Reason.INVALID_SIDE
    if c.order_type < OrderType.LIMIT or c.order_type > OrderType.STOP_LIMIT_ICEBERG:
        return Reason.INVALID_ORDER_TYPE
    if c.time_in_force < TimeInForce.DAY or c.time_in_force > TimeInForce.GTD:
        return Reason.INVALID_TIME_IN_FORCE
    if c["flags"] & ~(POST_ONLY | HIDDEN):
        return Reason.INVALID_FLAGS
    if c.self_trade > SelfTrade.DECREMENT:
        return Reason.INVALID_SELF_TRADE
    return Reason.NONE if fits_together(s, c) else Reason.INVALID_COMBINATION


@plain
def fits_together(s, c):
    """Whether type, time in force, flags and the fields of the further types go with one another."""
    times = 1 << np.int64(c.time_in_force)
    rests = times & RESTING != 0
    limit, iceberg = c.order_type == OrderType.LIMIT, c.order_type >= ICEBERG
    stop = is_stop_type(c.order_type)
    post_only, hidden = c["flags"] & POST_ONLY != 0, c["flags"] & HIDDEN != 0
    if c.order_type == OrderType.MARKET and not times & IMMEDIATE:
        if c.time_in_force != TimeInForce.DAY or c.instrument < 1 or c.instrument > s.instruments:
            return False
        if not takes_call_orders(s.books[c.instrument]):
            return False
    if post_only and not (rests and (limit or c.order_type == OrderType.ICEBERG)):
        return False
    if (hidden and not (rests and limit)) or (stop and c["flags"] != 0):
        return False
    if (stop or iceberg) and not rests:
        return False
    if c.expiry != 0 and c.time_in_force != TimeInForce.GTD:
        return False
    if (c.price2 != 0 and not stop) or (c.quantity2 != 0 and not iceberg):
        return False
    return c.target == 0 or fits_minimum(c)


@small
def fits_minimum(c):
    limit_or_market = c.order_type <= OrderType.MARKET
    at_once = c["flags"] & POST_ONLY == 0 and c.time_in_force != TimeInForce.FOK
    return 1 <= c.target <= c.quantity and limit_or_market and at_once


@small
def check_last_date(s, date):
    """The last trading date of a GTD order."""
    return Reason.INVALID_DATE if date < 1 or date > LAST_DATE or date < s.trading_date else Reason.NONE


@small
def check_shown(book, quantity, shown):
    """The part of an iceberg that it shows."""
    if shown < 1 or shown >= quantity:
        return Reason.INVALID_QUANTITY
    if book.quantity_step != 1 and shown % book.quantity_step != 0:
        return Reason.OFF_LOT
    return Reason.INVALID_QUANTITY if quantity > SHOWN_SHARE * shown else Reason.NONE


@plain
def check_sizes(book, price, quantity, shown, iceberg, check_price):
    """Checks 5 to 8 with the shown part of an iceberg; `check_price` is false for a price that the order does not
    state."""
    reason = broken_price(book, price) if check_price else Reason.NONE
    if reason == Reason.NONE:
        reason = broken_quantity(book, quantity)
    if reason == Reason.NONE and iceberg:
        reason = check_shown(book, quantity, shown)
    if reason == Reason.NONE and check_price:
        reason = broken_window(book, price)
    return reason if reason != Reason.NONE else broken_amount(book, quantity)


@small
def check_stop_price(book, price):
    reason = broken_price(book, price)
    if reason == Reason.NONE and (price < book.floor or price > book.ceiling):
        reason = Reason.PRICE_OUT_OF_WINDOW
    return reason


@plain
def check_entry(s, c):
    """Checks 1 to 4, role and kill switches among them."""
    reason = check_further_enums(s, c)
    if reason == Reason.NONE:
        reason = check_role(s, c)
    if reason == Reason.NONE:
        reason = check_account(s, c)
    if reason == Reason.NONE:
        reason = check_listed(s, c.instrument)
    if reason != Reason.NONE:
        return reason
    book = s.books[c.instrument]
    reason = check_offered(book, c)
    if reason == Reason.NONE and c.time_in_force == TimeInForce.GTD:
        reason = check_last_date(s, c.expiry)
    if reason == Reason.NONE:
        reason = check_halted(s, book)
    if reason == Reason.NONE:
        reason = check_entry_phase(book, c)
    if reason == Reason.NONE:
        reason = check_enabled(s, c.account)
    return reason if reason != Reason.NONE else check_firm(s, c.account)


@plain
def check_taking(s, c, book, price):
    """Checks 9 and 10: what an order may not, or must, find in the book now."""
    reason = check_crossing(s, book, c.side, price, c["flags"] & POST_ONLY != 0)
    if reason != Reason.NONE:
        return reason
    if c.time_in_force == TimeInForce.FOK:
        found = fillable(s, c.instrument, c.side, price, c.quantity, c.account, c.self_trade)
        return Reason.NONE if found else Reason.FOK_NOT_FILLABLE
    if c.target != 0 and not fillable(s, c.instrument, c.side, price, c.target, c.account, c.self_trade):
        return Reason.MIN_QUANTITY_NOT_MET
    return Reason.NONE


@plain
def check_room(s, c, rests):
    """Check 11."""
    if rests and s.live_orders >= s.order_capacity:
        return Reason.ORDER_TABLE_FULL
    if c.order_type >= ICEBERG and s.live_icebergs >= s.iceberg_capacity:
        return Reason.ORDER_TABLE_FULL
    return Reason.NONE


@rare
def new_further_order(s, c):
    reason = check_entry(s, c)
    if reason != Reason.NONE:
        return reason
    book = s.books[c.instrument]
    stop, calling = is_stop_type(c.order_type), takes_call_orders(book)
    price, stated = np.int64(c.price), True
    if c.order_type == OrderType.MARKET or c.order_type == STOP:
        price, stated = stated_price(book, c.side, price)
        if price == 0:
            return Reason.PRICE_REQUIRED
    reason = check_sizes(book, price, c.quantity, c.quantity2, c.order_type >= ICEBERG, stated)
    if reason == Reason.NONE and stop:
        reason = check_stop_price(book, np.int64(c.price2))
    rests = calling or (1 << np.int64(c.time_in_force) & RESTING) != 0
    if reason == Reason.NONE:
        reason = check_limits(s, c.instrument, c.account, c.side, price, c.quantity, c.quantity, stated, rests)
    set_corridor(book)
    if reason == Reason.NONE and not stop and not calling:
        reason = check_taking(s, c, book, price)
    if reason == Reason.NONE:
        reason = check_room(s, c, rests)
    if reason != Reason.NONE:
        return reason
    need = np.int64(0)
    if s.prefunded:
        need = lock_for(book, c.side, np.int64(0), price, c.quantity)
        balance = balance_of(s, book, c.account, c.side)
        reason = shortfall(balance, c.side, need)
        if reason != Reason.NONE:
            return reason
        lock(balance, need)
    slot = take_slot(s)
    terms = write_order(s, slot, c, price, c.quantity, c.time_in_force)
    write_extra(s, slot, c)
    accepted(s, c, listed_phase(s, c.instrument), price, terms, need)
    if stop or calling or run_further(s, c, slot):
        rest_further(s, slot, stop)
    else:
        give_slot(s, slot)
    trigger_stops(s, c, c.instrument)
    return Reason.NONE


@small
def write_extra(s, slot, c):
    """What the further types have beside a plain order's terms; nothing else of it counts for this order."""
    extra = s.extras[slot]
    extra.stop_price = c.price2
    extra.expiry = c.expiry
    extra.shown = c.quantity2
    extra.visible = 0
