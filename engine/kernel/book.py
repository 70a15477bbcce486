"""The order book: orders rest, leave, and are walked through in the order of their priority.

What is done with an order depends on its instrument: plain ones know nothing of icebergs, hidden orders, waiting stops,
quotes and calls (`levels`); the others ask one by one (`veils`, `waiting`).
"""

import numpy as np

from engine.arena import ICEBERG_EVENTS
from engine.kernel.bitmap import NOTHING
from engine.kernel.compiler import U, plain, rare, small
from engine.kernel.events import two
from engine.kernel.index import forget_order, index_order, link_quote, unlink_quote
from engine.kernel.levels import append, append_at, first_position, give_slot, head_at, unlink, worse_position
from engine.kernel.veils import full_part, is_iceberg, join_queue, leave_queue
from engine.kernel.waiting import is_waiting, join_stops, leave_stops, next_waiting
from engine.layout import QUOTED, VEILED
from engine.schema import OrderType, TimeInForce


@small
def for_one_call(order):
    """Whether a resting order ends with the present call."""
    return (order.time_in_force == TimeInForce.IOC) | (order.order_type == OrderType.MARKET)


@rare
def enqueue_further(s, slot):
    """An order comes to rest in the book of an instrument with further rules."""
    order = s.orders[slot]
    book = s.books[order.instrument]
    if for_one_call(order):
        book.call_only += 1
    if book.further & VEILED:
        if is_iceberg(order):
            s.extras[slot].visible = full_part(s, slot)
        join_queue(s, slot)
    else:
        append(s, slot)


@rare
def dequeue_further(s, slot):
    order = s.orders[slot]
    book = s.books[order.instrument]
    if is_waiting(order):
        leave_stops(s, slot)
        return
    if for_one_call(order):
        book.call_only -= 1
    if book.further & VEILED:
        leave_queue(s, slot)
    else:
        unlink(s, slot)


@small
def enqueue(s, slot):
    """Put an order at the end of its price's queue."""
    if s.books[s.orders[slot].instrument].further:
        enqueue_further(s, slot)
    else:
        append(s, slot)


@small
def dequeue(s, slot):
    """Take an order out of its queue, in the order book or the stop book."""
    if s.books[s.orders[slot].instrument].further:
        dequeue_further(s, slot)
    else:
        unlink(s, slot)


@small
def write_order(s, slot, c, price, quantity, time_in_force):
    """The order that a command describes, in a slot of its own but in no queue and no index; written as words, like
    events. Returns its terms as ACCEPTED states them: type, time in force, self-trade mode and flags, a byte each."""
    at = U(slot)
    order_id = s.last_order_id + 1
    s.last_order_id = order_id
    owner = (np.int64(c.session) & 0xFFFF) | (np.int64(c.instrument) & 0xFF) << 16
    terms = np.int64(c.order_type) | np.int64(time_in_force) << 8 | np.int64(c.self_trade) << 16
    terms |= np.int64(c["flags"]) << 24
    s.order_words[at, 0] = order_id
    s.order_words[at, 1] = c.client_order_id
    s.order_words[at, 2] = 0
    s.order_words[at, 3] = two(price, quantity)
    s.order_words[at, 4] = two(quantity, c.account)
    s.order_words[at, 7] = owner | np.int64(c.side) << 24 | terms << 32
    return terms


@plain
def count_further(s, slot):
    """A new live order: icebergs are counted, quotes are found by their account."""
    order = s.orders[slot]
    if is_iceberg(order):
        s.live_icebergs += 1
        s.further_events += ICEBERG_EVENTS
    if order["flags"] & QUOTED:
        link_quote(s, slot)


@plain
def uncount_further(s, slot):
    order = s.orders[slot]
    if is_iceberg(order):
        s.live_icebergs -= 1
        s.further_events -= ICEBERG_EVENTS
    if order["flags"] & QUOTED:
        unlink_quote(s, slot)


@small
def rest_order(s, slot, instrument, k, price):
    """A new plain order joins the book and the indexes."""
    s.live_orders += 1
    append_at(s, slot, instrument, k, price)
    index_order(s, slot)


@rare
def rest_further(s, slot, waits):
    """A new order of an instrument with further rules joins the order book, or the stop book, and the indexes."""
    s.live_orders += 1
    if waits:
        join_stops(s, slot)
    else:
        enqueue(s, slot)
    count_further(s, slot)
    index_order(s, slot)


@small
def end_order(s, slot):
    """A live order that is in no queue any more leaves the indexes and gives its slot back.

    Its fields stay readable until the next new order.
    """
    s.live_orders -= 1
    forget_order(s, slot)
    give_slot(s, slot)


@rare
def end_further(s, slot):
    uncount_further(s, slot)
    end_order(s, slot)


@rare
def remove_further(s, slot):
    dequeue_further(s, slot)
    end_further(s, slot)


@small
def remove_plain(s, slot):
    """Take a resting order of an instrument without further rules out of book and indexes."""
    unlink(s, slot)
    end_order(s, slot)


@small
def remove(s, slot):
    """Take a live order out of book and indexes."""
    if s.books[s.orders[slot].instrument].further:
        remove_further(s, slot)
    else:
        remove_plain(s, slot)


@plain
def next_in_book(s, instrument, k, slot):
    """The order behind `slot` in (best price first, priority) order of one side; slot 0 asks for the first. 0 = end."""
    if k >= 2:
        return next_waiting(s, instrument, k, slot)
    if slot == 0:
        position = first_position(s, instrument, k)
    else:
        order = s.orders[slot]
        if order.next > 0:
            return np.int64(order.next)
        position = worse_position(s, instrument, k, np.int64(order.price) - s.books[instrument].floor)
    return np.int64(0) if position == NOTHING else head_at(s, instrument, k, position)
