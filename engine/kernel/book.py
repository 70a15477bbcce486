"""The order book: order slots, queues at a price, the two indexes of live orders.

`k` is a side as an array index: 0 = buy, 1 = sell. Slot 0 means none.
"""

import numpy as np

from engine.arena import INDEX_SIZE, NO_ASK
from engine.kernel.bitmap import NOTHING, highest, lowest, next_above, next_below, occupy, vacate
from engine.kernel.compiler import U, plain, small
from engine.kernel.limits import count_resting

BY_ORDER_ID = 0
BY_CLIENT_ID = 1
SPREAD = 508_111
"""Keeps the numbers of any two of up to 10,000 sessions far apart in an index of any size."""


@small
def crosses(book, side, price):
    """Whether an order of `side` at `price` meets the best opposite price. No branch: sides come in random order."""
    k = np.int64(side) - 1
    return (book.best[U(1 - k)] - price) * (1 - 2 * k) <= 0


@small
def level_at(s, book, k, price):
    return s.levels[U(book.ladder[U(k)] + price)]


@small
def level_of(s, book, order):
    return level_at(s, book, np.int64(order.side) - 1, np.int64(order.price))


@small
def refresh_best(s, instrument, k):
    book = s.books[instrument]
    if k == 0:
        top = highest(s, instrument, 0)
        book.best[0] = 0 if top == NOTHING else top + book.floor
    else:
        top = lowest(s, instrument, 1)
        book.best[1] = NO_ASK if top == NOTHING else top + book.floor


@small
def first_position(s, instrument, k):
    """Position of the side's best price, or NOTHING."""
    return highest(s, instrument, 0) if k == 0 else lowest(s, instrument, 1)


@small
def worse_position(s, instrument, k, position):
    """Position of the next worse occupied price, or NOTHING."""
    return next_below(s, instrument, 0, position) if k == 0 else next_above(s, instrument, 1, position)


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
def enqueue(s, slot):
    """Put an order at the end of its price's queue."""
    order = s.orders[slot]
    book = s.books[order.instrument]
    k = np.int64(order.side) - 1
    price = np.int64(order.price)
    level = level_at(s, book, k, price)
    tail = level.tail
    order.prev = tail
    order.next = 0
    if tail > 0:
        s.orders[tail].next = slot
    else:
        level.head = slot
        occupy(s, order.instrument, k, price - book.floor)
        best = book.best[k]
        if (k == 0) & (price > best) | (k == 1) & (price < best):
            book.best[k] = price
    level.tail = slot
    level.quantity += order.remaining
    if s.counting:
        count_resting(s, order, np.int64(order.remaining), 1)


@small
def dequeue(s, slot):
    """Take an order out of its price's queue. The links of slot 0, which means none, are written and never read."""
    order = s.orders[slot]
    book = s.books[order.instrument]
    k = np.int64(order.side) - 1
    price = np.int64(order.price)
    level = level_at(s, book, k, price)
    before, behind = order.prev, order.next
    s.orders[before].next = behind
    s.orders[behind].prev = before
    head, tail = level.head, level.tail
    head = behind if before == 0 else head
    level.head = head
    level.tail = before if behind == 0 else tail
    level.quantity -= order.remaining
    if s.counting:
        count_resting(s, order, -np.int64(order.remaining), -1)
    if head == 0:
        vacate(s, order.instrument, k, price - book.floor)
        if price == book.best[k]:
            refresh_best(s, order.instrument, k)


@small
def shrink(s, slot, lots):
    """Take lots off a resting order, which keeps its place."""
    order = s.orders[slot]
    level_of(s, s.books[order.instrument], order).quantity -= lots
    order.remaining -= lots
    if s.counting:
        count_resting(s, order, -np.int64(lots), 0)


# Indexes of live orders: short chains through the orders themselves. Neighbouring numbers have neighbouring heads,
# because orders that arrive together tend to leave together; a new number that meets an old one's head only makes a
# chain of two.


@small
def home_of(s, which, session, number):
    """Which chain a key belongs to: an order id (BY_ORDER_ID, session 0), or a session's number (BY_CLIENT_ID)."""
    return U((number + np.int64(session) * SPREAD & s.index_mask) + which * INDEX_SIZE)


@small
def chain_by_id(s, order_id):
    return s.index[home_of(s, BY_ORDER_ID, 0, order_id)]


@small
def chain_by_client(s, session, client_order_id):
    return s.index[home_of(s, BY_CLIENT_ID, session, client_order_id)]


@small
def index_order(s, slot):
    order = s.orders[slot]
    head = chain_by_id(s, order.order_id)
    order.next_by_id = head.slot
    head.slot = slot
    if order.client_order_id != 0:
        head = chain_by_client(s, order.session, order.client_order_id)
        order.next_by_client = head.slot
        head.slot = slot


@small
def forget_order(s, slot):
    order = s.orders[slot]
    head = chain_by_id(s, order.order_id)
    if head.slot == slot:
        head.slot = order.next_by_id
    else:
        at = np.int64(head.slot)
        while s.orders[at].next_by_id != slot:
            at = np.int64(s.orders[at].next_by_id)
        s.orders[at].next_by_id = order.next_by_id
    if order.client_order_id != 0:
        head = chain_by_client(s, order.session, order.client_order_id)
        if head.slot == slot:
            head.slot = order.next_by_client
        else:
            at = np.int64(head.slot)
            while s.orders[at].next_by_client != slot:
                at = np.int64(s.orders[at].next_by_client)
            s.orders[at].next_by_client = order.next_by_client


@small
def find_order(s, order_id):
    """Slot of a live order by its id, or 0."""
    slot = np.int64(chain_by_id(s, order_id).slot)
    while slot != 0 and s.orders[slot].order_id != order_id:
        slot = np.int64(s.orders[slot].next_by_id)
    return slot


@small
def find_client_order(s, session, client_order_id):
    """Slot of a live order by the session that entered it and its client_order_id, or 0."""
    if client_order_id == 0:
        return np.int64(0)
    slot = np.int64(chain_by_client(s, session, client_order_id).slot)
    while slot != 0 and (s.orders[slot].client_order_id != client_order_id or s.orders[slot].session != session):
        slot = np.int64(s.orders[slot].next_by_client)
    return slot


@small
def rest_order(s, slot):
    """A new order joins the book and the indexes."""
    s.live_orders += 1
    enqueue(s, slot)
    index_order(s, slot)


@small
def end_order(s, slot):
    """A live order that is in no queue any more leaves the indexes and gives its slot back.

    Its fields stay readable until the next new order.
    """
    s.live_orders -= 1
    forget_order(s, slot)
    give_slot(s, slot)


@small
def remove(s, slot):
    """Take a resting order out of book and indexes."""
    dequeue(s, slot)
    end_order(s, slot)


@small
def head_at(s, instrument, k, position):
    """First order at a position of one side, or 0."""
    book = s.books[instrument]
    return np.int64(level_at(s, book, k, book.floor + position).head)


@plain
def next_in_book(s, instrument, k, slot):
    """The order behind `slot` in (best price first, priority) order of one side; slot 0 asks for the first. 0 = end."""
    if slot == 0:
        position = first_position(s, instrument, k)
    else:
        order = s.orders[slot]
        if order.next > 0:
            return np.int64(order.next)
        position = worse_position(s, instrument, k, np.int64(order.price) - s.books[instrument].floor)
    return np.int64(0) if position == NOTHING else head_at(s, instrument, k, position)
