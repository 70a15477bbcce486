"""Uncrossing: one price with the largest volume, at which the best bids and offers trade head to head.

Sources: KRX call auction (largest volume, reference price), T7 functional reference (largest volume, smallest surplus,
its side, reference price). The price takes two walks over the occupied prices; no order is looked at.
"""

import numpy as np

from engine.kernel.bitmap import NOTHING, next_above
from engine.kernel.book import next_in_book, remove
from engine.kernel.compiler import plain, rare, small
from engine.kernel.events import between_resting, call_uncrossed, fee_charged
from engine.kernel.ledger import exchange
from engine.kernel.levels import head_at, level_at, shrink, worse_position
from engine.kernel.matching import count_trade
from engine.kernel.pricing import note_trade
from engine.kernel.rounding import half_up
from engine.kernel.veils import is_iceberg, left_visible, lessen, level_lots
from engine.layout import VEILED


@small
def is_crossed(book):
    return book.best[0] >= book.best[1]


@small
def lots_at(s, book, k, position):
    """All lots at a price of one side, displayed or not."""
    level = level_at(s, book, k, book.floor + position)
    return level_lots(s, level) if book.further & VEILED else level.quantity


@rare
def lots_up_to(s, instrument, k, price):
    """Lots of one side at a price or better."""
    book = s.books[instrument]
    lots = np.int64(0)
    position = book.best[k] - book.floor
    last = price - book.floor
    while position != NOTHING and ((position >= last) if k == 0 else (position <= last)):
        lots += lots_at(s, book, k, position)
        position = worse_position(s, instrument, k, position)
    return lots


@plain
def best_prices(s, instrument):
    """The candidates that are left: those with the largest volume and, by the T7 rule, of these the smallest surplus.

    Returns (volume, lowest, highest, whether all have lots bid over, whether all have lots offered over), prices in
    ticks. The book must be crossed.
    """
    book = s.books[instrument]
    demand, supply = lots_up_to(s, instrument, 0, book.best[1]), np.int64(0)
    volume, gap = np.int64(0), np.int64(0)
    lowest, highest, over, under = np.int64(0), np.int64(0), False, False
    at = offer = book.best[1] - book.floor
    bid = at if head_at(s, instrument, 0, at) != 0 else next_above(s, instrument, 0, at)
    last = book.best[0] - book.floor
    while at <= last:
        if offer == at:
            supply += lots_at(s, book, 1, at)
            offer = next_above(s, instrument, 1, at)
        surplus = demand - supply
        found, distance = min(demand, supply), abs(surplus) if book.call_is_t7 else np.int64(0)
        if found > volume or (found == volume and distance < gap):
            volume, gap, lowest, over, under = found, distance, at, True, True
        if found == volume and distance == gap:
            highest = at
            over, under = over and surplus > 0, under and surplus < 0
        if bid == at:
            demand -= lots_at(s, book, 0, at)
            bid = next_above(s, instrument, 0, at)
        if bid == NOTHING:
            break
        at = bid if offer == NOTHING else min(bid, offer)
    return volume, lowest + book.floor, highest + book.floor, over, under


@rare
def auction_price(s, instrument):
    """What an uncrossing would do now. Returns (price, lots, lots bid at it or higher, lots offered at it or lower,
    reference price). The book must be crossed."""
    book = s.books[instrument]
    volume, lowest, highest, over, under = best_prices(s, instrument)
    reference = book.last if book.trades > 0 else book.previous_close
    if reference == 0:
        reference = half_up(lowest + highest, np.int64(2))
    reference -= reference % book.price_step
    price = min(max(reference, lowest), highest)
    if book.call_is_t7 and over:
        price = highest
    elif book.call_is_t7 and under:
        price = lowest
    return price, volume, lots_up_to(s, instrument, 0, price), lots_up_to(s, instrument, 1, price), reference


@plain
def use_up(s, book, slot, lots):
    """Lots of a resting order trade in a call: an iceberg keeps its place."""
    if book.further & VEILED:
        lessen(s, slot, lots, left_visible(s, slot, lots) if is_iceberg(s.orders[slot]) else np.int64(0))
    else:
        shrink(s, slot, lots)


@plain
def trade_resting(s, c, book, bid, offer, price, lots):
    """One trade of a call, between the orders in two slots."""
    buyer, seller = s.orders[bid], s.orders[offer]
    released = buyer_fee = seller_fee = np.int64(0)
    if s.prefunded:
        released, buyer_fee, seller_fee = exchange(s, book, buyer, seller, price, lots)
    use_up(s, book, bid, lots)
    use_up(s, book, offer, lots)
    count_trade(book, price, lots)
    note_trade(book, s.event_sequence + 1, price, lots)
    between_resting(s, c, buyer, seller, price, lots, released)
    if buyer_fee != 0 or seller_fee != 0:
        fee_charged(s, c, buyer, seller, price, lots, buyer_fee, seller_fee)


@rare
def uncross(s, c, instrument):
    """All bids and offers that can trade at the uncrossing price do, the best first."""
    book = s.books[instrument]
    price, left, demand, supply, reference = auction_price(s, instrument)
    call_uncrossed(s, c, instrument, price, left, demand, supply, reference)
    bid, offer = next_in_book(s, instrument, 0, 0), next_in_book(s, instrument, 1, 0)
    while left > 0:
        lots = np.int64(min(s.orders[bid].remaining, s.orders[offer].remaining))
        trade_resting(s, c, book, bid, offer, price, lots)
        left -= lots
        if s.orders[bid].remaining == 0:
            remove(s, bid)
            bid = next_in_book(s, instrument, 0, 0)
        if s.orders[offer].remaining == 0:
            remove(s, offer)
            offer = next_in_book(s, instrument, 1, 0)
    book.call_price = price
