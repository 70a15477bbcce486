"""Matching: a taker against the book, price by price, arrival order inside a price, at the maker's price.

Sources: SEEE notice of 2021-06-22 (best five price levels, counterparty's price); price-time priority elsewhere.

`further` is written as a number at each call, so that the compiler makes two of everything here: one for plain books,
which asks nothing, and one for instruments with further rules (icebergs, hidden orders, MEDIAN3, LAST5, corridors).
"""

import numpy as np

from engine.kernel.admission import IMMEDIATE, mode_in_force, owner_group
from engine.kernel.book import end_order, remove, remove_plain
from engine.kernel.compiler import U, plain, rare, small
from engine.kernel.corridor import interrupt, outside
from engine.kernel.events import between, ended, ended_at, fee_charged, listed_phase, replaced
from engine.kernel.ledger import exchange, lock_of, move_lock, release_all
from engine.kernel.levels import crosses, level_at, shrink, unlink_at
from engine.kernel.pricing import note_trade, price_of_trade
from engine.kernel.veils import offered_lots, show_next_part, take_offered
from engine.layout import VEILED
from engine.schema import EventKind, OrderType, Phase, Reason, SelfTrade, Side

TURNOVER_WORD = 1 << 62
PLAIN, FURTHER = 0, 1


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
def trade(s, c, book, own, slot, lots, further):
    """One trade between the taker in the slot `own` and the resting order in `slot`."""
    taker, maker = s.orders[own], s.orders[slot]
    price = np.int64(maker.price)
    released = buyer_fee = seller_fee = np.int64(0)
    buying = 2 - np.int64(taker.side)  # 1 or 0: calculated with, because a choice would be a branch
    buyer, seller = s.orders[U(slot + (own - slot) * buying)], s.orders[U(own + (slot - own) * buying)]
    if further:
        price = price_of_trade(book, maker, np.int64(buyer.price), np.int64(seller.price))
        note_trade(book, s.event_sequence + 1, price, lots)
    if s.prefunded:
        released, buyer_fee, seller_fee = exchange(s, book, buyer, seller, price, lots)
    taker.remaining -= lots
    if further:
        take_from(s, book, slot, lots)
    else:
        shrink(s, slot, lots)
    count_trade(book, price, lots)
    between(s, c, EventKind.TRADE, taker, maker, price, lots, released, 0)
    if buyer_fee != 0 or seller_fee != 0:
        fee_charged(s, c, buyer, seller, price, lots, buyer_fee, seller_fee)
    if further:
        settle_maker(s, c, book, slot)
    elif maker.remaining == 0:
        remove_plain(s, slot)


@small
def lots_on_offer(s, book, slot):
    """Lots of a resting order that may trade at one visit."""
    return offered_lots(s, slot) if book.further & VEILED else np.int64(s.orders[slot].remaining)


@plain
def take_from(s, book, slot, lots):
    """Lots of a resting order trade, or are decremented."""
    if book.further & VEILED:
        take_offered(s, slot, lots)
    else:
        shrink(s, slot, lots)


@plain
def settle_maker(s, c, book, slot):
    """What has nothing left is gone; an iceberg whose visible lots are gone shows its next part."""
    if s.orders[slot].remaining == 0:
        remove(s, slot)
    elif book.further & VEILED:
        show_next_part(s, c, slot)


@small
def decrement(s, c, taker, slot, further):
    """Self-trade prevention takes the smaller remainder off both orders; no trade takes place."""
    maker = s.orders[slot]
    book = s.books[maker.instrument]
    lots = min(np.int64(taker.remaining), lots_on_offer(s, book, slot) if further else np.int64(maker.remaining))
    taker_lock, maker_lock = lock_of(s, taker), lock_of(s, maker)
    taker.remaining -= lots
    taker.quantity -= lots
    if further:
        take_from(s, book, slot, lots)
    else:
        shrink(s, slot, lots)
    maker.quantity -= lots
    taker_released, maker_released = taker_lock - lock_of(s, taker), maker_lock - lock_of(s, maker)
    move_lock(s, taker, -taker_released)
    move_lock(s, maker, -maker_released)
    cash = taker_released if taker.side == Side.BUY else maker_released
    units = maker_released if taker.side == Side.BUY else taker_released
    between(s, c, EventKind.DECREMENTED, taker, maker, maker.price, lots, cash, units)
    if further:
        settle_maker(s, c, book, slot)
    elif maker.remaining == 0:
        remove_plain(s, slot)


@small
def prevent(s, c, taker, slot, mode, further):
    """Self-trade prevention at a resting order of the same owner group. Returns whether the taker must stop."""
    if mode == SelfTrade.DECREMENT:
        decrement(s, c, taker, slot, further)
        return False
    if mode != SelfTrade.CANCEL_TAKER:
        if further:
            cancel_resting(s, c, slot, EventKind.CANCELLED, Reason.SELF_TRADE_PREVENTED)
        else:
            end_live(s, c, slot, EventKind.CANCELLED, Reason.SELF_TRADE_PREVENTED, PLAIN)
    return mode != SelfTrade.CANCEL_MAKER


@small
def end_live(s, c, slot, kind, reason, further):
    """End a live order: lock released, one CANCELLED or EXPIRED, out of the book."""
    order = s.orders[U(slot)]
    instrument, k, price = np.int64(order.instrument), np.int64(order.side) - 1, np.int64(order.price)
    phase = listed_phase(s, instrument) if further else np.int64(Phase.CONTINUOUS)
    ended_at(s, c, kind, reason, order, instrument, k, price, phase, release_all(s, order))
    if further:
        remove(s, slot)
    else:
        unlink_at(s, slot, instrument, k, price)
        end_order(s, slot)


@plain
def cancel_resting(s, c, slot, kind, reason):
    """As `end_live`, for all that is not a firm's plain cancel."""
    end_live(s, c, slot, kind, reason, FURTHER)


@small
def is_immediate(order):
    """Whether nothing of a taker rests. A triggered STOP is an immediate order, whatever its time in force says."""
    return (IMMEDIATE >> np.int64(order.time_in_force) & 1) | (order.order_type == OrderType.STOP)


@small
def run_taker(s, c, own, book, k, price, time_in_force):
    """Match the order in the slot `own`, which is in no queue, as far as it goes; say what becomes of its rest.

    The book and the order's terms are at hand. Returns whether the rest must now join the queue of its price.
    """
    if crosses(book, k, price) and sweep(s, c, book, own):
        return False
    if IMMEDIATE >> np.int64(time_in_force) & 1:
        end_taker(s, c, s.orders[U(own)], EventKind.EXPIRED, Reason.IOC_REMAINDER)
        return False
    return True


@rare
def run_further(s, c, own):
    """As `run_taker`, where the instrument has further rules."""
    taker = s.orders[own]
    book = s.books[taker.instrument]
    if crosses(book, np.int64(taker.side) - 1, np.int64(taker.price)) and sweep_further(s, c, book, own):
        return False
    if is_immediate(taker):
        end_taker(s, c, taker, EventKind.EXPIRED, Reason.IOC_REMAINDER)
        return False
    return True


@small
def sweep(s, c, book, own):
    return sweep_book(s, c, book, own, PLAIN)


@plain
def sweep_further(s, c, book, own):
    return sweep_book(s, c, book, own, FURTHER)


@small
def sweep_book(s, c, book, own, further):
    """Trade while prices cross. Returns whether the taker has ended, by filling or otherwise."""
    taker = s.orders[own]
    k, limit = np.int64(taker.side) - 1, np.int64(taker.price)
    other = 1 - k
    price = np.int64(0)
    mode = mode_in_force(s, taker.account, taker.self_trade)
    group = owner_group(s, taker.account)
    visited = 0
    while taker.remaining > 0 and crosses(book, k, limit):
        if book.best[U(other)] != price:
            if visited == s.sweep_levels and visited > 0:
                return stop_at_depth(s, c, taker, price)
            visited += 1
            price = book.best[U(other)]
        slot = np.int64(level_at(s, book, other, price).head)
        maker = s.orders[slot]
        if mode != 0 and owner_group(s, maker.account) == group:
            if prevent(s, c, taker, slot, mode, further):
                end_taker(s, c, taker, EventKind.CANCELLED, Reason.SELF_TRADE_PREVENTED)
                return True
        elif further:
            if outside(book, price):
                interrupt(s, c, taker.instrument)
                return False
            lots = min(np.int64(taker.remaining), lots_on_offer(s, book, slot))
            trade(s, c, book, own, slot, lots, FURTHER)
        else:
            trade(s, c, book, own, slot, min(np.int64(taker.remaining), np.int64(maker.remaining)), PLAIN)
    return taker.remaining == 0


@small
def end_taker(s, c, taker, kind, reason):
    ended(s, c, kind, reason, taker, release_all(s, taker))


@small
def stop_at_depth(s, c, taker, last_price):
    """The next price lies beyond the best `sweep_levels`: immediate orders expire, others as the venue says.

    Returns whether the taker has ended.
    """
    if is_immediate(taker):
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
