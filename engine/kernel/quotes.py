"""QUOTE: a market maker's bid and offer are entered, replaced or withdrawn together.

Sources: market-making obligations of RTS 8 (Regulation (EU) 2017/578); quotes as in EEX T7. The rules:
docs/order-types.md, section 11.6.
"""

import numpy as np

from engine.arena import NO_ASK
from engine.kernel.admission import (
    POST_ONLY,
    check_account,
    check_enabled,
    check_listed,
    check_open,
    check_role,
    check_terms,
)
from engine.kernel.bitmap import NOTHING
from engine.kernel.book import rest_further
from engine.kernel.compiler import plain, rare, small
from engine.kernel.corridor import set_corridor
from engine.kernel.events import quoted
from engine.kernel.index import find_quote
from engine.kernel.ledger import balance_of, lock, lock_for, lock_of, shortfall
from engine.kernel.levels import give_slot, take_slot, worse_position
from engine.kernel.limits import check_firm, check_halted, check_limits
from engine.kernel.matching import cancel_resting, run_further
from engine.kernel.replacing import shrink_in_place
from engine.kernel.stops import trigger_stops
from engine.layout import QUOTED, QUOTES
from engine.schema import EventKind, Mode, OrderType, Phase, Reason, SelfTrade, Side, TimeInForce


@small
def terms_of(c, side):
    """Price and lots of one side; 0 lots = not quoted."""
    if side == Side.BUY:
        return np.int64(c.price), np.int64(c.quantity)
    return np.int64(c.price2), np.int64(c.quantity2)


@small
def number_of(c, side):
    """The client_order_id of one side: the offer's is the next one; the venue itself may do without numbers."""
    named = c.session > 0 or c.client_order_id != 0
    return c.client_order_id + 1 if named and side == Side.SELL else np.int64(c.client_order_id)


@small
def old_order(s, c, side):
    return find_quote(s, c.account, c.instrument, side, c.session)


@plain
def check_quote_enums(c):
    if c["flags"] & ~POST_ONLY:
        return Reason.INVALID_FLAGS
    if c.self_trade > SelfTrade.DECREMENT:
        return Reason.INVALID_SELF_TRADE
    if (c.quantity == 0 and c.price != 0) or (c.quantity2 == 0 and c.price2 != 0):
        return Reason.INVALID_COMBINATION
    if c.quantity != 0 and c.quantity2 != 0 and c.price >= c.price2:
        return Reason.INVALID_COMBINATION
    return Reason.NONE


@plain
def check_quoting(s, c):
    """Who quotes what: everything that does not depend on the terms."""
    reason = check_quote_enums(c)
    if reason == Reason.NONE:
        reason = check_role(s, c)
    if reason == Reason.NONE:
        reason = check_account(s, c)
    if reason == Reason.NONE:
        reason = check_listed(s, c.instrument)
    if reason != Reason.NONE:
        return reason
    book = s.books[c.instrument]
    reason = check_halted(s, book)
    if reason != Reason.NONE:
        return reason
    if not book.further & QUOTES:
        return Reason.MODE_NOT_OFFERED
    if c["flags"] & ~(book.offers >> 16):
        return Reason.INVALID_FLAGS
    reason = check_open(s, book)
    if reason == Reason.NONE:
        reason = check_enabled(s, c.account)
    if reason == Reason.NONE:
        reason = check_firm(s, c.account)
    if reason == Reason.NONE and is_withdrawal(c):
        if old_order(s, c, Side.BUY) == 0 and old_order(s, c, Side.SELL) == 0:
            return Reason.UNKNOWN_ORDER
    return reason


@small
def is_withdrawal(c):
    return c.quantity == 0 and c.quantity2 == 0


@plain
def best_without(s, instrument, k, slot):
    """The best price of a side as it would be without the order in `slot` (0 = none)."""
    book = s.books[instrument]
    order = s.orders[slot]
    if slot == 0 or order.price != book.best[k] or order.prev != 0 or order.next != 0:
        return book.best[k]
    position = worse_position(s, instrument, k, book.best[k] - book.floor)
    if position != NOTHING:
        return book.floor + position
    return np.int64(0) if k == 0 else np.int64(NO_ASK)


@rare
def check_side(s, c, side):
    """One quoted side: its terms, the member's limits, and what it may not find on the other side."""
    price, lots = terms_of(c, side)
    if lots == 0:
        return Reason.NONE
    book = s.books[c.instrument]
    reason = check_terms(book, price, lots, True)
    if reason == Reason.NONE:
        old = old_order(s, c, side)
        more = lots - np.int64(s.orders[old].remaining) if old != 0 else lots
        reason = check_limits(s, c.instrument, c.account, side, price, lots, more, True, False)
    if reason != Reason.NONE:
        return reason
    post_only = c["flags"] != 0
    if post_only or s.cross_reject:
        other = 2 - np.int64(side)
        best = best_without(s, c.instrument, other, old_order(s, c, other + 1))
        if (best <= price) if side == Side.BUY else (best >= price):
            return Reason.POST_ONLY_WOULD_TAKE if post_only else Reason.WOULD_CROSS
    return Reason.NONE


@plain
def check_funds(s, c, side):
    """What the old quote's side has locked counts as free."""
    price, lots = terms_of(c, side)
    if lots == 0 or not s.prefunded:
        return Reason.NONE
    book = s.books[c.instrument]
    need = lock_for(book, side, np.int64(0), price, lots)
    old = old_order(s, c, side)
    if old != 0:
        need -= lock_of(s, s.orders[old])
    return shortfall(balance_of(s, book, c.account, side), side, need)


@rare
def quote(s, c):
    reason = check_quoting(s, c)
    if reason == Reason.NONE:
        reason = check_side(s, c, Side.BUY)
    if reason == Reason.NONE:
        reason = check_side(s, c, Side.SELL)
    if reason == Reason.NONE and not is_withdrawal(c) and s.live_orders + 2 > s.order_capacity:
        reason = Reason.ORDER_TABLE_FULL
    if reason == Reason.NONE:
        reason = check_funds(s, c, Side.BUY)
    if reason == Reason.NONE:
        reason = check_funds(s, c, Side.SELL)
    if reason != Reason.NONE:
        return reason
    set_corridor(s.books[c.instrument])
    bids = keep_or_end(s, c, Side.BUY)
    offers = keep_or_end(s, c, Side.SELL)
    if bids:
        enter_side(s, c, Side.BUY)
    if offers:
        enter_side(s, c, Side.SELL)
    trigger_stops(s, c, c.instrument)
    return Reason.NONE


@plain
def keep_or_end(s, c, side):
    """The old order of one side shrinks to the new terms, or ends. Returns whether a new one must be entered."""
    price, lots = terms_of(c, side)
    slot = old_order(s, c, side)
    if slot == 0:
        return lots != 0
    order = s.orders[slot]
    if lots != 0 and order.price == price and order.remaining >= lots:
        shrink_in_place(s, c, slot, np.int64(order.quantity) - np.int64(order.remaining) + lots)
        return False
    cancel_resting(s, c, slot, EventKind.CANCELLED, Reason.QUOTE_REPLACED)
    return lots != 0


@rare
def enter_side(s, c, side):
    """One side as a new limit order for the day; without continuous trading any more it rests as it is."""
    price, lots = terms_of(c, side)
    book = s.books[c.instrument]
    slot = take_slot(s)
    order = s.orders[slot]
    s.last_order_id += 1
    order.order_id = s.last_order_id
    order.client_order_id = number_of(c, side)
    order.cumulative_amount = 0
    order.price = price
    order.remaining = lots
    order.quantity = lots
    order.account = c.account
    order.session = c.session
    order.instrument = c.instrument
    order.side = side
    order.order_type = OrderType.LIMIT
    order.time_in_force = TimeInForce.DAY
    order.self_trade = c.self_trade
    order["flags"] = np.int64(c["flags"]) | QUOTED
    need = np.int64(0)
    if s.prefunded:
        need = lock_for(book, side, np.int64(0), price, lots)
        lock(balance_of(s, book, c.account, side), need)
    quoted(s, c, order, need)
    if book.phases[Mode.LISTED] != Phase.CONTINUOUS or run_further(s, c, slot):
        rest_further(s, slot, False)
    else:
        give_slot(s, slot)
