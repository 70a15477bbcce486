"""Queues with icebergs and hidden orders: what of a price is displayed, and what is not.

A queue has the displayed orders first, icebergs among them, then the hidden ones, each by arrival. A level's quantity
is what is displayed; the lots beside it stand with the first order of the price (`veiled`), so that plain books need no
room for them. The last order of a price, when it is hidden, knows the first hidden one. All orders of an instrument
that offers icebergs or hidden orders come here.
"""

import numpy as np

from engine.kernel.compiler import U, plain, rare, small
from engine.kernel.events import refreshed
from engine.kernel.levels import close_level, level_of, open_level
from engine.kernel.limits import count_resting
from engine.schema import OrderFlag, OrderType

HIDDEN = int(OrderFlag.HIDDEN)
ICEBERG = int(OrderType.ICEBERG)
"""Types from here on are icebergs."""


@small
def is_hidden(order):
    return order["flags"] & HIDDEN != 0


@small
def is_iceberg(order):
    return order.order_type >= ICEBERG


@small
def veiled_lots(s, slot):
    """Lots of a resting order that are not displayed."""
    order = s.orders[slot]
    if is_hidden(order):
        return np.int64(order.remaining)
    return np.int64(order.remaining) - s.extras[slot].visible if is_iceberg(order) else np.int64(0)


@small
def offered_lots(s, slot):
    """Lots of a resting order that may trade before it has to go back in its queue."""
    order = s.orders[slot]
    return np.int64(s.extras[slot].visible) if is_iceberg(order) else np.int64(order.remaining)


@rare
def join_queue(s, slot):
    """Put an order, whose visible lots are set, behind the last one of its sort."""
    order = s.orders[slot]
    book = s.books[order.instrument]
    level = level_of(s, book, order)
    tail = np.int64(level.tail)
    head = np.int64(level.head)
    before, behind = tail, np.int64(0)
    if tail != 0 and is_hidden(s.orders[tail]):
        first = np.int64(s.extras[tail].first_hidden)
        if is_hidden(order):
            s.extras[slot].first_hidden = first
        else:
            before, behind = np.int64(s.orders[first].prev), first
    else:
        s.extras[slot].first_hidden = slot
    order.prev = before
    order.next = behind
    own = veiled_lots(s, slot)
    if before == 0:
        s.extras[slot].veiled = own + (s.extras[head].veiled if head != 0 else 0)
        level.head = slot
    else:
        s.extras[head].veiled += own
        s.orders[before].next = slot
    if behind == 0:
        level.tail = slot
    else:
        s.orders[behind].prev = slot
    level.quantity += order.remaining - own
    if head == 0:
        open_level(s, book, order.instrument, np.int64(order.side) - 1, np.int64(order.price))
    if s.counting:
        count_resting(s, order, np.int64(order.remaining), 1)


@rare
def leave_queue(s, slot):
    """Take an order out of its price's queue."""
    order = s.orders[slot]
    book = s.books[order.instrument]
    level = level_of(s, book, order)
    before, behind = np.int64(order.prev), np.int64(order.next)
    own = veiled_lots(s, slot)
    veiled = s.extras[level.head].veiled - own
    if is_hidden(order):
        tail = np.int64(level.tail)
        first = np.int64(s.extras[tail].first_hidden)
        first = behind if first == slot else first
        s.extras[before if tail == slot else tail].first_hidden = first
    s.orders[before].next = behind
    s.orders[behind].prev = before
    if before == 0:
        level.head = behind
    if behind == 0:
        level.tail = before
    s.extras[level.head].veiled = veiled
    level.quantity -= order.remaining - own
    if level.head == 0:
        close_level(s, book, order.instrument, np.int64(order.side) - 1, np.int64(order.price))
    if s.counting:
        count_resting(s, order, -np.int64(order.remaining), -1)


@rare
def lessen(s, slot, lots, visible):
    """Take lots off a resting order, which keeps its place; an iceberg then shows `visible` lots."""
    order = s.orders[slot]
    level = level_of(s, s.books[order.instrument], order)
    before = veiled_lots(s, slot)
    order.remaining -= lots
    if is_iceberg(order):
        s.extras[slot].visible = visible
    veiled = before - veiled_lots(s, slot)
    s.extras[level.head].veiled -= veiled
    level.quantity -= lots - veiled
    if s.counting:
        count_resting(s, order, -np.int64(lots), 0)


@small
def take_offered(s, slot, lots):
    """Lots that a resting order offers are taken."""
    lessen(s, slot, lots, s.extras[slot].visible - lots)


@small
def full_part(s, slot):
    """What an iceberg shows when it may show as much as ever."""
    return np.int64(min(s.extras[slot].shown, s.orders[slot].remaining))


@rare
def show_next_part(s, c, slot):
    """An iceberg whose visible lots are gone shows more and goes behind the displayed orders of its price."""
    order = s.orders[slot]
    if not is_iceberg(order) or s.extras[slot].visible != 0 or order.remaining == 0:
        return
    part = full_part(s, slot)
    if order.next == 0 or is_hidden(s.orders[order.next]):
        lessen(s, slot, 0, part)
    else:
        leave_queue(s, slot)
        s.extras[slot].visible = part
        join_queue(s, slot)
    refreshed(s, c, order, part)


@plain
def left_visible(s, slot, lots):
    """What an iceberg shows after `lots` of it traded piece by piece, a full part whenever the last one was gone."""
    visible, shown = np.int64(s.extras[slot].visible), np.int64(s.extras[slot].shown)
    if lots < visible:
        return visible - lots
    return min(shown - (lots - visible) % shown, np.int64(s.orders[slot].remaining) - lots)


@small
def level_lots(s, level):
    """All lots at a price of an instrument that comes here, displayed or not."""
    return level.quantity + s.extras[U(level.head)].veiled


__all__ = [
    "HIDDEN",
    "ICEBERG",
    "full_part",
    "is_hidden",
    "is_iceberg",
    "join_queue",
    "leave_queue",
    "left_visible",
    "lessen",
    "level_lots",
    "offered_lots",
    "show_next_part",
    "take_offered",
    "veiled_lots",
]
