"""The stop book: waiting stops by instrument, side and stop price, by arrival at a price.

Which stop prices are occupied stands in the same index of prices as the order book's (sides 2 and 3). The first order
of a stop price is found through a chain; it knows the last one.
"""

import numpy as np

from engine.arena import STOP_EVENTS
from engine.kernel.bitmap import NOTHING, occupy, vacate
from engine.kernel.compiler import U, plain, rare, small
from engine.kernel.index import SPREAD
from engine.kernel.levels import first_position, worse_position
from engine.kernel.limits import count_resting
from engine.layout import STOP_CELLS, WAITING
from engine.schema import OrderType

STOP, STOP_LIMIT, STOP_LIMIT_ICEBERG = (
    int(kind) for kind in (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.STOP_LIMIT_ICEBERG)
)


@small
def is_stop_type(order_type):
    return (order_type == STOP) | (order_type == STOP_LIMIT) | (order_type == STOP_LIMIT_ICEBERG)


@small
def is_waiting(order):
    return order["flags"] & WAITING != 0


@small
def stop_side(order):
    """Where an order stands in the index of prices, as `k`."""
    return np.int64(order.side) + 1


@small
def stop_cell(instrument, k, price):
    return U((np.int64(price) * 2 + k + np.int64(instrument) * SPREAD) & STOP_CELLS - 1)


@rare
def first_stop_at(s, instrument, k, price):
    """First order that waits for a stop price, or 0."""
    slot = np.int64(s.stop_cells[stop_cell(instrument, k, price)])
    while slot != 0:
        order = s.orders[slot]
        if s.extras[slot].stop_price == price and order.instrument == instrument and stop_side(order) == k:
            return slot
        slot = np.int64(s.extras[slot].next_price)
    return slot


@plain
def put_first(s, old, new):
    """`new` takes the place of `old` as the first order of a stop price; with new 0 the price is empty."""
    order, extra = s.orders[old], s.extras[old]
    follower = np.int64(extra.next_price)
    if new != 0:
        s.extras[new].last_waiting = extra.last_waiting
        s.extras[new].next_price = extra.next_price
        follower = new
    cell = stop_cell(order.instrument, stop_side(order), extra.stop_price)
    at = np.int64(s.stop_cells[cell])
    if at == old:
        s.stop_cells[cell] = follower
        return
    while s.extras[at].next_price != old:
        at = np.int64(s.extras[at].next_price)
    s.extras[at].next_price = follower


@rare
def join_stops(s, slot):
    """An order waits for its stop price, behind the others that do."""
    order, extra = s.orders[slot], s.extras[slot]
    k = stop_side(order)
    first = first_stop_at(s, order.instrument, k, np.int64(extra.stop_price))
    order["flags"] |= WAITING
    order.next = 0
    if first != 0:
        last = np.int64(s.extras[first].last_waiting)
        order.prev = last
        s.orders[last].next = slot
        s.extras[first].last_waiting = slot
    else:
        order.prev = 0
        cell = stop_cell(order.instrument, k, extra.stop_price)
        extra.last_waiting = slot
        extra.next_price = s.stop_cells[cell]
        s.stop_cells[cell] = slot
        occupy(s, order.instrument, k, np.int64(extra.stop_price) - s.books[order.instrument].floor)
    s.further_events += STOP_EVENTS
    if s.counting:
        count_resting(s, order, np.int64(order.remaining), 1)


@rare
def leave_stops(s, slot):
    """An order does not wait any more."""
    order, extra = s.orders[slot], s.extras[slot]
    k = stop_side(order)
    before, behind = np.int64(order.prev), np.int64(order.next)
    if before == 0:
        put_first(s, slot, behind)
        if behind == 0:
            vacate(s, order.instrument, k, np.int64(extra.stop_price) - s.books[order.instrument].floor)
    elif behind == 0:
        s.extras[first_stop_at(s, order.instrument, k, np.int64(extra.stop_price))].last_waiting = before
    s.orders[before].next = behind
    s.orders[behind].prev = before
    order["flags"] &= 255 - WAITING
    s.further_events -= STOP_EVENTS
    if s.counting:
        count_resting(s, order, -np.int64(order.remaining), -1)


@rare
def next_waiting(s, instrument, k, slot):
    """The stop behind `slot` in the order in which their prices are met; slot 0 asks for the first. 0 = end."""
    floor = s.books[instrument].floor
    if slot == 0:
        position = first_position(s, instrument, k)
    else:
        if s.orders[slot].next > 0:
            return np.int64(s.orders[slot].next)
        position = worse_position(s, instrument, k, np.int64(s.extras[slot].stop_price) - floor)
    return np.int64(0) if position == NOTHING else first_stop_at(s, instrument, k, floor + position)


@plain
def met_stop(s, instrument):
    """The waiting stop whose turn it is to be triggered by the last price, or 0."""
    book = s.books[instrument]
    if book.last > 0:
        position = first_position(s, instrument, 2)
        if position != NOTHING and book.floor + position <= book.last:
            return first_stop_at(s, instrument, 2, book.floor + position)
        position = first_position(s, instrument, 3)
        if position != NOTHING and book.floor + position >= book.last:
            return first_stop_at(s, instrument, 3, book.floor + position)
    return np.int64(0)
