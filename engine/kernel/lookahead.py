"""Asking memory for what the next commands will touch. Changes nothing but the time that it takes.

With many resting orders and accounts nearly every order, index cell, level and holding comes from far memory. A call
with many commands knows what follows: FAR commands ahead the index cell is asked for, NEAR commands ahead what it
leads to.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from engine.kernel.book import BY_CLIENT_ID, BY_ORDER_ID, home_of
from engine.kernel.compiler import COMPILED, small
from engine.kernel.ledger import balance_of
from engine.venue import MAX_INSTRUMENTS

FAR = 16
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
def target_home(s, c):
    """Index and cell that a command's target would be found in (meaningless, and harmless, without a target)."""
    which = np.int64(c["flags"]) >> 1 & 1
    return which, home_of(s, which, c.session, c.target)


@small
def ask_far(s, c):
    """Cells, level and balances that the command itself names."""
    prefetch(s.sessions[c.session])
    which, home = target_home(s, c)
    prefetch(s.index[which, home])
    prefetch(s.index[BY_CLIENT_ID, home_of(s, BY_CLIENT_ID, c.session, c.client_order_id)])
    instrument = np.int64(c.instrument) & LAST_INSTRUMENT
    book = s.books[instrument]
    prefetch(s.levels[instrument, np.int64(c.side) - 1 & 1, np.int64(c.price) - book.floor])
    if s.prefunded:
        prefetch(s.accounts[c.account])
        prefetch(balance_of(s, book, np.int64(c.account), c.side))


@small
def ask_near(s, c):
    """The order that the target's cell leads to."""
    which, home = target_home(s, c)
    prefetch(s.orders[np.int64(s.index[which, home].slot)])


@small
def ask_next(s, c):
    """What that order leads to: its level, neighbours, other index cell and balance."""
    which, home = target_home(s, c)
    order = s.orders[np.int64(s.index[which, home].slot)]
    book = s.books[order.instrument]
    prefetch(s.levels[order.instrument, np.int64(order.side) - 1 & 1, np.int64(order.price) - book.floor])
    prefetch(s.orders[order.next])
    prefetch(s.orders[order.prev])
    prefetch(s.index[BY_ORDER_ID, home_of(s, BY_ORDER_ID, 0, order.order_id)])
    prefetch(s.index[BY_CLIENT_ID, home_of(s, BY_CLIENT_ID, order.session, order.client_order_id)])
    if s.prefunded:
        prefetch(s.accounts[order.account])
        prefetch(balance_of(s, book, np.int64(order.account), order.side))


@small
def look_ahead(s, commands, i, count):
    """No branch depends on a command: kinds come in random order, and a wrong guess of the
    processor costs more than a request for nothing."""
    if i + FAR < count:
        ask_far(s, commands[i + FAR])
        ask_near(s, commands[i + NEAR])
        ask_next(s, commands[i + NEAR // 2])
