"""Asking memory for what the next commands will touch. Changes nothing but the time that it takes.

With many resting orders and accounts nearly every order, index cell, level and holding comes from far memory. A call
with many commands knows what follows: FAR commands ahead the index cell is asked for, NEAR commands ahead what it
leads to.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from engine.arena import NO_ASK
from engine.kernel.book import BY_CLIENT_ID, BY_ORDER_ID, home_of
from engine.kernel.compiler import COMPILED, small
from engine.kernel.ledger import balance_at, balance_of
from engine.schema import CommandKind
from engine.venue import MAX_INSTRUMENTS

FAR = 16
EVENTS_AHEAD = 8
NEAR_MEMORY = 2_000
LAST_INSTRUMENT = MAX_INSTRUMENTS - 1
NEAR = 8

if COMPILED:

    @intrinsic
    def prefetch(context, rec):
        def generate(c, builder, signature, arguments):
            pointer = builder.bitcast(arguments[0], ir.IntType(8).as_pointer())
            number = ir.IntType(32)
            kind = ir.FunctionType(ir.VoidType(), [pointer.type, number, number, number])
            function = builder.module.declare_intrinsic("llvm.prefetch", [pointer.type], kind)
            write, keep, data = (ir.Constant(number, n) for n in (1, 3, 1))
            builder.call(function, [pointer, write, keep, data])
            return c.get_dummy_value()

        return types.void(rec), generate

else:

    def prefetch(rec):
        """Nothing to ask for."""


@small
def first_cell(s, c):
    """Index cell that a command needs first: its own number's (new order) or its target's (meaningless, and harmless,
    where a command has neither)."""
    new = c.kind == CommandKind.NEW_ORDER
    own, target, by_client = c.client_order_id, c.target, np.int64(c["flags"]) >> 1 & 1
    which = np.int64(BY_CLIENT_ID) if new else by_client
    return s.index[which, home_of(s, which, c.session, own if new else target)]


@small
def first_order(s, c):
    """The order that a command will meet: the best opposite one (new order) or its target; slot 0 = none."""
    instrument = np.int64(c.instrument) & LAST_INSTRUMENT
    other = np.int64(c.side) & 1
    book = s.books[instrument]
    best, floor = book.best[other], book.floor
    waiting = (best > 0) & (best < NO_ASK)
    head = s.levels[instrument, other, best - floor if waiting else 0].head
    head = np.int64(head) if waiting else np.int64(0)
    target = np.int64(first_cell(s, c).slot)
    return s.orders[head if c.kind == CommandKind.NEW_ORDER else target]


@small
def ask_far(s, c):
    """Cell, level and balances that the command itself names."""
    prefetch(s.sessions[c.session])
    prefetch(first_cell(s, c))
    instrument = np.int64(c.instrument) & LAST_INSTRUMENT
    book = s.books[instrument]
    prefetch(s.levels[instrument, np.int64(c.side) - 1 & 1, np.int64(c.price) - book.floor])
    if s.prefunded:
        prefetch(balance_of(s, book, np.int64(c.account), c.side))


@small
def ask_next(s, c):
    """What the order that a command will meet leads to: level, neighbours, index cells and balances."""
    order = first_order(s, c)
    book = s.books[order.instrument]
    prefetch(s.levels[order.instrument, np.int64(order.side) - 1 & 1, np.int64(order.price) - book.floor])
    prefetch(s.orders[order.next])
    prefetch(s.orders[order.prev])
    prefetch(s.index[BY_ORDER_ID, home_of(s, BY_ORDER_ID, 0, order.order_id)])
    prefetch(s.index[BY_CLIENT_ID, home_of(s, BY_CLIENT_ID, order.session, order.client_order_id)])
    if s.prefunded:
        prefetch(balance_at(s, order.account, book.cash_column))
        prefetch(balance_at(s, order.account, book.asset_column))


@small
def ask_queue(s, c):
    """The last order of the queue that a new order would join."""
    instrument = np.int64(c.instrument) & LAST_INSTRUMENT
    price = np.int64(c.price)
    book = s.books[instrument]
    floor = book.floor
    inside = (price >= floor) & (price <= book.ceiling)
    level = s.levels[instrument, np.int64(c.side) - 1 & 1, price - floor if inside else 0]
    prefetch(s.orders[level.tail])


@small
def look_ahead(s, commands, i, count):
    """No branch depends on a command: kinds come in random order, and a wrong guess of the processor costs more than a
    request for nothing. A few orders and accounts are near anyway."""
    prefetch(s.events[s.event_count + EVENTS_AHEAD])
    if i + FAR < count:
        prefetch(commands[i + 2 * FAR])
        if s.live_orders + s.accounts_open > NEAR_MEMORY:
            ask_far(s, commands[i + FAR])
            prefetch(first_order(s, commands[i + NEAR]))
            ask_queue(s, commands[i + NEAR])
            ask_next(s, commands[i + NEAR // 2])
