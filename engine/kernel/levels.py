"""Price levels and order slots: what a plain order's place in the book is made of.

`k` is a side as an array index: 0 = buy, 1 = sell, and of the stop book 2 = buy, 3 = sell. Slot 0 means none.
"""

import numpy as np

from engine.arena import NO_ASK
from engine.kernel.bitmap import NOTHING, highest, lowest, next_above, next_below, occupy, vacate
from engine.kernel.compiler import U, small
from engine.kernel.limits import count_resting


@small
def crosses(book, k, price):
    """Whether an order of side `k` at `price` meets the best opposite price. No branch: sides come in random order."""
    return (book.best[U(1 - k)] - price) * (1 - 2 * k) <= 0


@small
def level_at(s, book, k, price):
    return s.levels[U(book.ladder[U(k)] + price)]


@small
def level_of(s, book, order):
    return level_at(s, book, np.int64(order.side) - 1, np.int64(order.price))


@small
def refresh_best(s, instrument, k):
    book = s.books[U(instrument)]
    if k == 0:
        top = highest(s, instrument, 0)
        book.best[0] = 0 if top == NOTHING else top + book.floor
    else:
        top = lowest(s, instrument, 1)
        book.best[1] = NO_ASK if top == NOTHING else top + book.floor


@small
def first_position(s, instrument, k):
    """Position of the side's best price (of a stop book: of the stop price that is met first), or NOTHING."""
    return highest(s, instrument, k) if k == 0 or k == 3 else lowest(s, instrument, k)


@small
def worse_position(s, instrument, k, position):
    """Position of the next worse occupied price, or NOTHING."""
    return next_below(s, instrument, k, position) if k == 0 or k == 3 else next_above(s, instrument, k, position)


@small
def head_at(s, instrument, k, position):
    """First order at a position of one side, or 0."""
    book = s.books[instrument]
    return np.int64(level_at(s, book, k, book.floor + position).head)


@small
def take_slot(s):
    """A free slot for a new order, whether it will rest or not; there is one more than live orders can be."""
    if s.free_count > 0:
        s.free_count -= 1
        return np.int64(s.free_slots[U(s.free_count)])
    s.highest_slot += 1
    return np.int64(s.highest_slot)


@small
def give_slot(s, slot):
    s.free_slots[U(s.free_count)] = slot
    s.free_count += 1


@small
def open_level(s, book, instrument, k, price):
    """An empty price gets its first order."""
    occupy(s, instrument, k, price - book.floor)
    if (price - book.best[U(k)]) * (1 - 2 * k) > 0:
        book.best[U(k)] = price


@small
def close_level(s, book, instrument, k, price):
    """The last order has left a price."""
    vacate(s, instrument, k, price - book.floor)
    if price == book.best[U(k)]:
        refresh_best(s, instrument, k)


@small
def append(s, slot):
    """Put an order at the end of its price's queue."""
    order = s.orders[U(slot)]
    append_at(s, slot, np.int64(order.instrument), np.int64(order.side) - 1, np.int64(order.price))


@small
def append_at(s, slot, instrument, k, price):
    """As `append`; the caller has the order's instrument, side and price at hand."""
    order, book = s.orders[U(slot)], s.books[U(instrument)]
    level = level_at(s, book, k, price)
    tail = level.tail
    order.prev = tail
    order.next = 0
    level.tail = slot
    level.quantity += order.remaining
    if tail > 0:
        s.orders[tail].next = slot
    else:
        level.head = slot
        open_level(s, book, instrument, k, price)
    if s.counting:
        count_resting(s, order, np.int64(order.remaining), 1)


@small
def unlink(s, slot):
    """Take an order out of its price's queue."""
    order = s.orders[U(slot)]
    unlink_at(s, slot, np.int64(order.instrument), np.int64(order.side) - 1, np.int64(order.price))


@small
def unlink_at(s, slot, instrument, k, price):
    """As `unlink`, likewise. The links of slot 0, which means none, are written and never read."""
    order, book = s.orders[U(slot)], s.books[U(instrument)]
    level = level_at(s, book, k, price)
    before, behind = order.prev, order.next
    level.head = behind if before == 0 else level.head
    s.orders[before].next = behind
    s.orders[behind].prev = before
    level.tail = before if behind == 0 else level.tail
    level.quantity -= order.remaining
    if s.counting:
        count_resting(s, order, -np.int64(order.remaining), -1)
    if before | behind == 0:
        close_level(s, book, instrument, k, price)


@small
def shrink(s, slot, lots):
    """Take lots off a resting order, which keeps its place."""
    order = s.orders[slot]
    level_of(s, s.books[order.instrument], order).quantity -= lots
    order.remaining -= lots
    if s.counting:
        count_resting(s, order, -np.int64(lots), 0)
