"""Matching: a taker against the book, price by price, arrival order inside a price, at the maker's
price.

Sources: SEEE notice of 2021-06-22 (best five price levels, counterparty's price); price-time priority elsewhere.
"""

import numpy as np

from engine.kernel.admission import mode_in_force, owner_group
from engine.kernel.book import crosses, level_at, remove, shrink
from engine.kernel.compiler import U, plain, small
from engine.kernel.events import between, ended, fee_charged, replaced
from engine.kernel.ledger import exchange, lock_of, move_lock, release_all
from engine.schema import EventKind, Reason, SelfTrade, Side, TimeInForce

TURNOVER_WORD = 1 << 62


@small
def count_trade(book, price, lots):
    """The day's statistics of the listed mode."""
    if book.volume == 0:
        book.open = price
        book.high = price
        book.low = price
    book.high = max(book.high, price)
    book.low = min(book.low, price)
    book.last = price
    book.volume += lots
    book.trades += 1
    book.turnover += price * lots
    if book.turnover >= TURNOVER_WORD:
        book.turnover -= TURNOVER_WORD
        book.turnover_high += 1


@small
def trade(s, c, book, own, slot, lots):
    """One trade between the taker in the slot `own` and the resting order in `slot`."""
    taker, maker = s.orders[own], s.orders[slot]
    price = np.int64(maker.price)
    released = buyer_fee = seller_fee = np.int64(0)
    buying = 2 - np.int64(taker.side)  # 1 or 0: calculated with, because a choice would be a branch
    buyer, seller = s.orders[U(slot + (own - slot) * buying)], s.orders[U(own + (slot - own) * buying)]
    if s.prefunded:
        released, buyer_fee, seller_fee = exchange(s, book, buyer, seller, price, lots)
    taker.remaining -= lots
    shrink(s, slot, lots)
    count_trade(book, price, lots)
    between(s, c, EventKind.TRADE, taker, maker, price, lots, released, 0)
    if buyer_fee != 0 or seller_fee != 0:
        fee_charged(s, c, buyer, seller, price, lots, buyer_fee, seller_fee)
    if maker.remaining == 0:
        remove(s, slot)


@plain
def decrement(s, c, taker, slot):
    """Self-trade prevention takes the smaller remainder off both orders; no trade takes place."""
    maker = s.orders[slot]
    lots = min(np.int64(taker.remaining), np.int64(maker.remaining))
    taker_lock, maker_lock = lock_of(s, taker), lock_of(s, maker)
    taker.remaining -= lots
    taker.quantity -= lots
    shrink(s, slot, lots)
    maker.quantity -= lots
    taker_released, maker_released = taker_lock - lock_of(s, taker), maker_lock - lock_of(s, maker)
    move_lock(s, taker, -taker_released)
    move_lock(s, maker, -maker_released)
    cash = taker_released if taker.side == Side.BUY else maker_released
    units = maker_released if taker.side == Side.BUY else taker_released
    between(s, c, EventKind.DECREMENTED, taker, maker, maker.price, lots, cash, units)
    if maker.remaining == 0:
        remove(s, slot)


@plain
def prevent(s, c, taker, slot, mode):
    """Self-trade prevention at a resting order of the same owner group. Returns whether the taker must stop."""
    if mode == SelfTrade.DECREMENT:
        decrement(s, c, taker, slot)
        return False
    if mode != SelfTrade.CANCEL_TAKER:
        cancel_resting(s, c, slot, EventKind.CANCELLED, Reason.SELF_TRADE_PREVENTED)
    return mode != SelfTrade.CANCEL_MAKER


@plain
def cancel_resting(s, c, slot, kind, reason):
    """End a resting order: lock released, one CANCELLED or EXPIRED, out of the book."""
    order = s.orders[slot]
    ended(s, c, kind, reason, order, release_all(s, order))
    remove(s, slot)


@small
def run_taker(s, c, own):
    """Match the order in the slot `own`, which is in no queue, as far as it goes; say what becomes of its rest.

    Returns whether the rest must now join the queue of its price.
    """
    taker = s.orders[own]
    book = s.books[taker.instrument]
    if crosses(book, taker.side, np.int64(taker.price)) and sweep(s, c, book, own):
        return False
    if taker.time_in_force >= TimeInForce.IOC:
        end_taker(s, c, taker, EventKind.EXPIRED, Reason.IOC_REMAINDER)
        return False
    return True


@plain
def sweep(s, c, book, own):
    """Trade while prices cross. Returns whether the taker has ended, by filling or otherwise."""
    taker = s.orders[own]
    other = 2 - np.int64(taker.side)
    limit = np.int64(taker.price)
    price = np.int64(0)
    mode = mode_in_force(s, taker.account, taker.self_trade)
    group = owner_group(s, taker.account)
    visited = 0
    while taker.remaining > 0 and crosses(book, taker.side, limit):
        if book.best[U(other)] != price:
            if visited == s.sweep_levels and visited > 0:
                return stop_at_depth(s, c, taker, price)
            visited += 1
            price = book.best[U(other)]
        slot = np.int64(level_at(s, book, other, price).head)
        maker = s.orders[slot]
        if mode != 0 and owner_group(s, maker.account) == group:
            if prevent(s, c, taker, slot, mode):
                end_taker(s, c, taker, EventKind.CANCELLED, Reason.SELF_TRADE_PREVENTED)
                return True
        else:
            trade(s, c, book, own, slot, min(np.int64(taker.remaining), np.int64(maker.remaining)))
    return taker.remaining == 0


@plain
def end_taker(s, c, taker, kind, reason):
    ended(s, c, kind, reason, taker, release_all(s, taker))


@plain
def stop_at_depth(s, c, taker, last_price):
    """The next price lies beyond the best `sweep_levels`: immediate orders expire, others as the venue says.

    Returns whether the taker has ended.
    """
    if taker.time_in_force >= TimeInForce.IOC:
        return False
    if not s.rest_at_last:
        end_taker(s, c, taker, EventKind.CANCELLED, Reason.DEPTH_LIMIT)
        return True
    before = lock_of(s, taker)
    taker.price = last_price
    surplus = before - lock_of(s, taker)
    move_lock(s, taker, -surplus)
    replaced(s, c, taker, -surplus, 0)
    return False
