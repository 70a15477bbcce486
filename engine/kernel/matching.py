"""Matching: the taker in `s.taker` against the book, price by price, arrival order inside a price, at the maker's
price.

Sources: SEEE notice of 2021-06-22 (best five price levels, counterparty's price); price-time priority elsewhere.
"""

import numpy as np

from engine.kernel.admission import mode_in_force, owner_group
from engine.kernel.book import crosses, place, remove, shrink
from engine.kernel.compiler import plain, small
from engine.kernel.events import between, ended, fee_charged, replaced
from engine.kernel.ledger import buy_lock, buyer_pays, lock_of, move_lock, release_all, seller_delivers
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
def trade(s, c, book, slot, lots):
    """One trade between the taker and the resting order in `slot`."""
    taker, maker = s.taker[0], s.orders[slot]
    price = np.int64(maker.price)
    released = taker_fee = maker_fee = np.int64(0)
    if s.prefunded:
        if taker.side == Side.BUY:
            released, taker_fee = buyer_pays(s, book, taker, price, lots)
            maker_fee = seller_delivers(s, book, maker, price, lots)
        else:
            released, maker_fee = buyer_pays(s, book, maker, price, lots)
            taker_fee = seller_delivers(s, book, taker, price, lots)
    taker.remaining -= lots
    shrink(s, slot, lots)
    count_trade(book, price, lots)
    e = between(s, c, EventKind.TRADE, taker, maker, lots)
    e.aux = released
    if taker_fee != 0 or maker_fee != 0:
        fee_charged(s, c, taker, maker, price, lots, taker_fee, maker_fee)
    if maker.remaining == 0:
        remove(s, slot)


@plain
def decrement(s, c, slot):
    """Self-trade prevention takes the smaller remainder off both orders; no trade takes place."""
    taker, maker = s.taker[0], s.orders[slot]
    lots = min(np.int64(taker.remaining), np.int64(maker.remaining))
    taker_lock, maker_lock = lock_of(s, taker), lock_of(s, maker)
    taker.remaining -= lots
    taker.quantity -= lots
    shrink(s, slot, lots)
    maker.quantity -= lots
    taker_released, maker_released = taker_lock - lock_of(s, taker), maker_lock - lock_of(s, maker)
    move_lock(s, taker, -taker_released)
    move_lock(s, maker, -maker_released)
    e = between(s, c, EventKind.DECREMENTED, taker, maker, lots)
    e.aux = taker_released if taker.side == Side.BUY else maker_released
    e.aux2 = maker_released if taker.side == Side.BUY else taker_released
    if maker.remaining == 0:
        remove(s, slot)


@plain
def prevent(s, c, slot, mode):
    """Self-trade prevention at a resting order of the same owner group. Returns whether the taker must stop."""
    if mode == SelfTrade.DECREMENT:
        decrement(s, c, slot)
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


@plain
def run_taker(s, c):
    """Match the taker as far as it goes, then deal with its rest. The taker's terms are in `s.taker`."""
    taker = s.taker[0]
    book = s.books[taker.instrument]
    other = 2 - np.int64(taker.side)
    price = np.int64(0)
    if crosses(book, taker.side, np.int64(taker.price)):
        mode = mode_in_force(s, taker.account, taker.self_trade)
        group = owner_group(s, taker.account)
        visited = 0
        while taker.remaining > 0 and crosses(book, taker.side, np.int64(taker.price)):
            if book.best[other] != price:
                if visited == s.sweep_levels and visited > 0:
                    stop_at_depth(s, c, price)
                    return
                visited += 1
                price = book.best[other]
            slot = np.int64(s.levels[taker.instrument, other, price - book.floor].head)
            maker = s.orders[slot]
            if mode != 0 and owner_group(s, maker.account) == group:
                if prevent(s, c, slot, mode):
                    end_taker(s, c, EventKind.CANCELLED, Reason.SELF_TRADE_PREVENTED)
                    return
            else:
                lots = min(np.int64(taker.remaining), np.int64(maker.remaining))
                trade(s, c, book, slot, lots)
        if taker.remaining == 0:
            return
    if taker.time_in_force >= TimeInForce.IOC:
        end_taker(s, c, EventKind.EXPIRED, Reason.IOC_REMAINDER)
    else:
        place(s, taker)


@plain
def end_taker(s, c, kind, reason):
    taker = s.taker[0]
    ended(s, c, kind, reason, taker, release_all(s, taker))


@plain
def stop_at_depth(s, c, last_price):
    """The next price lies beyond the best `sweep_levels`: immediate orders expire, others as the venue says."""
    taker = s.taker[0]
    if taker.time_in_force >= TimeInForce.IOC:
        end_taker(s, c, EventKind.EXPIRED, Reason.IOC_REMAINDER)
    elif s.rest_at_last:
        surplus = np.int64(0)
        if s.prefunded and taker.side == Side.BUY:
            book = s.books[taker.instrument]
            surplus = lock_of(s, taker) - buy_lock(book, taker.cumulative_amount, last_price, taker.remaining)
        move_lock(s, taker, -surplus)
        taker.price = last_price
        replaced(s, c, taker, -surplus, 0)
        place(s, taker)
    else:
        end_taker(s, c, EventKind.CANCELLED, Reason.DEPTH_LIMIT)
