"""REPLACE_ORDER of an instrument with further rules, and of waiting stops, icebergs and orders with a last date.

The rules: docs/order-types.md. Plain orders of plain books are replaced in `orders`.
"""

import numpy as np

from engine.kernel.admission import POST_ONLY, broken_amount, broken_quantity, check_crossing, check_enabled
from engine.kernel.book import dequeue, end_further, enqueue
from engine.kernel.call_phases import takes_call_orders
from engine.kernel.compiler import plain, rare, small
from engine.kernel.corridor import set_corridor
from engine.kernel.events import replaced
from engine.kernel.further import check_last_date, check_shown, check_sizes, check_stop_price
from engine.kernel.ledger import balance_of, lock_for, lock_of, move_lock, shortfall
from engine.kernel.levels import shrink
from engine.kernel.limits import check_firm, check_halted, check_limits, count_resting
from engine.kernel.matching import run_further
from engine.kernel.stops import trigger_stops
from engine.kernel.veils import is_iceberg, lessen
from engine.kernel.waiting import is_waiting, join_stops, leave_stops
from engine.layout import VEILED
from engine.schema import Mode, Phase, Reason, TimeInForce


@rare
def replace_further(s, c, slot):
    """`slot` is the live order that the command addresses."""
    order = s.orders[slot]
    reason = check_replace(s, c, order)
    if reason != Reason.NONE:
        return reason
    shown = np.int64(0)
    if is_iceberg(order):
        shown = c.quantity2 if c.quantity2 != 0 else np.int64(s.extras[slot].shown)
    if is_waiting(order):
        reason = replace_waiting(s, c, slot, shown)
    else:
        reason = replace_resting(s, c, slot, shown)
    if reason == Reason.NONE:
        trigger_stops(s, c, order.instrument)
    return reason


@plain
def check_replace(s, c, order):
    """What comes before the new terms: fields that the order has no use for, halts, phase, account."""
    if c.price2 != 0 and not is_waiting(order):
        return Reason.INVALID_COMBINATION
    if c.quantity2 != 0 and not is_iceberg(order):
        return Reason.INVALID_COMBINATION
    if c.expiry != 0:
        if order.time_in_force != TimeInForce.GTD:
            return Reason.INVALID_COMBINATION
        reason = check_last_date(s, c.expiry)
        if reason != Reason.NONE:
            return reason
    book = s.books[order.instrument]
    reason = check_halted(s, book)
    if reason != Reason.NONE:
        return reason
    calling = takes_call_orders(book) and not book.call_frozen
    if book.phases[Mode.LISTED] != Phase.CONTINUOUS and not calling:
        return Reason.WRONG_PHASE
    reason = check_enabled(s, order.account)
    return reason if reason != Reason.NONE else check_firm(s, order.account)


@small
def put_last_date(s, c, slot):
    if c.expiry != 0:
        s.extras[slot].expiry = c.expiry


@plain
def replace_resting(s, c, slot, shown):
    order = s.orders[slot]
    book = s.books[order.instrument]
    price = np.int64(c.price)
    iceberg = is_iceberg(order)
    reason = check_sizes(book, price, c.quantity, shown, iceberg, True)
    if reason == Reason.NONE:
        more = c.quantity - np.int64(order.quantity)
        reason = check_limits(s, order.instrument, order.account, order.side, price, c.quantity, more, True, False)
    if reason != Reason.NONE:
        return reason
    filled = np.int64(order.quantity) - np.int64(order.remaining)
    if c.quantity <= filled:
        return Reason.QUANTITY_BELOW_FILLED
    if c.price == order.price and c.quantity <= order.quantity and (not iceberg or shown == s.extras[slot].shown):
        put_last_date(s, c, slot)
        shrink_in_place(s, c, slot, c.quantity)
        return Reason.NONE
    calling = book.phases[Mode.LISTED] != Phase.CONTINUOUS
    if not calling:
        reason = check_crossing(s, book, order.side, price, order["flags"] & POST_ONLY != 0)
        if reason != Reason.NONE:
            return reason
    remaining = c.quantity - filled
    more = added_lock(s, order, price, remaining)
    reason = check_added(s, order, more)
    if reason != Reason.NONE:
        return reason
    put_last_date(s, c, slot)
    move_lock(s, order, more)
    dequeue(s, slot)
    put_terms(s, c, slot, price, remaining, shown)
    replaced(s, c, order, more, 0)
    set_corridor(book)
    if calling or run_further(s, c, slot):
        enqueue(s, slot)
    else:
        end_further(s, slot)
    return Reason.NONE


@small
def put_terms(s, c, slot, price, remaining, shown):
    order = s.orders[slot]
    order.price = price
    order.remaining = remaining
    order.quantity = c.quantity
    if is_iceberg(order):
        s.extras[slot].shown = shown


@small
def added_lock(s, order, price, remaining):
    """What other terms lock more (negative: less)."""
    if not s.prefunded:
        return np.int64(0)
    book = s.books[order.instrument]
    return lock_for(book, order.side, order.cumulative_amount, price, remaining) - lock_of(s, order)


@small
def check_added(s, order, more):
    if not s.prefunded:
        return Reason.NONE
    return shortfall(balance_of(s, s.books[order.instrument], order.account, order.side), order.side, more)


@rare
def shrink_in_place(s, c, slot, quantity):
    """A resting order keeps its place with less (or the same) total quantity."""
    order = s.orders[slot]
    before = lock_of(s, order)
    lots = np.int64(order.quantity) - quantity
    if s.books[order.instrument].further & VEILED:
        lessen(s, slot, lots, min(np.int64(s.extras[slot].visible), np.int64(order.remaining) - lots))
    else:
        shrink(s, slot, lots)
    order.quantity = quantity
    released = before - lock_of(s, order)
    move_lock(s, order, -released)
    replaced(s, c, order, -released, 1)


@plain
def check_waiting_terms(s, c, order, price, shown):
    """Checks 5 to 8 where price 0 keeps the limit, then the new stop price, then the member's limits."""
    book = s.books[order.instrument]
    if c.price != 0:
        reason = check_sizes(book, price, c.quantity, shown, is_iceberg(order), True)
    else:
        reason = broken_quantity(book, c.quantity)
        if reason == Reason.NONE and is_iceberg(order):
            reason = check_shown(book, c.quantity, shown)
        if reason == Reason.NONE:
            reason = broken_amount(book, c.quantity)
    if reason == Reason.NONE and c.price2 != 0:
        reason = check_stop_price(book, np.int64(c.price2))
    if reason != Reason.NONE:
        return reason
    more = c.quantity - np.int64(order.quantity)
    stated = c.price != 0
    return check_limits(s, order.instrument, order.account, order.side, price, c.quantity, more, stated, False)


@plain
def replace_waiting(s, c, slot, shown):
    """A waiting stop keeps its place when nothing but its quantity changes, and not upwards."""
    order, extra = s.orders[slot], s.extras[slot]
    price = np.int64(c.price if c.price != 0 else order.price)
    stop_price = np.int64(c.price2 if c.price2 != 0 else extra.stop_price)
    reason = check_waiting_terms(s, c, order, price, shown)
    if reason != Reason.NONE:
        return reason
    filled = np.int64(order.quantity) - np.int64(order.remaining)
    if c.quantity <= filled:
        return Reason.QUANTITY_BELOW_FILLED
    more = added_lock(s, order, price, c.quantity - filled)
    reason = check_added(s, order, more)
    if reason != Reason.NONE:
        return reason
    kept = price == order.price and stop_price == extra.stop_price and c.quantity <= order.quantity
    if is_iceberg(order) and shown != extra.shown:
        kept = False
    put_last_date(s, c, slot)
    move_lock(s, order, more)
    if kept:
        if s.counting:
            count_resting(s, order, c.quantity - np.int64(order.quantity), 0)
        put_terms(s, c, slot, price, c.quantity - filled, shown)
    else:
        leave_stops(s, slot)
        put_terms(s, c, slot, price, c.quantity - filled, shown)
        extra.stop_price = stop_price
        join_stops(s, slot)
    set_corridor(s.books[order.instrument])
    replaced(s, c, order, more, 1 if kept else 0)
    return Reason.NONE
