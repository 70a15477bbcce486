"""Asking memory for what the next commands will touch. Changes nothing but the time that it takes.

With many resting orders and accounts nearly every order, index cell, level and holding comes from far memory. A call
with many commands knows what follows: FAR commands ahead the index cell is asked for, NEAR commands ahead what it
leads to.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from engine.kernel.admission import BY_CLIENT
from engine.kernel.book import BY_CLIENT_ID, BY_ORDER_ID, home_of
from engine.kernel.compiler import COMPILED, small
from engine.schema import CommandKind

FAR = 16
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
    if c["flags"] & BY_CLIENT:
        return BY_CLIENT_ID, home_of(s, BY_CLIENT_ID, c.session, c.target)
    return BY_ORDER_ID, home_of(s, BY_ORDER_ID, 0, c.target)


@small
def ask_far(s, c):
    prefetch(s.sessions[c.session])
    if c.kind == CommandKind.NEW_ORDER:
        prefetch(s.index[BY_CLIENT_ID, home_of(s, BY_CLIENT_ID, c.session, c.client_order_id)])
        if 0 < c.instrument <= s.instruments:
            book = s.books[c.instrument]
            prefetch(s.levels[c.instrument, c.side - 1, c.price - book.floor])
            if s.prefunded:
                prefetch(s.accounts[c.account])
                prefetch(s.holds[c.account, book.asset])
    elif c.kind == CommandKind.CANCEL_ORDER or c.kind == CommandKind.REPLACE_ORDER:
        which, home = target_home(s, c)
        prefetch(s.index[which, home])


@small
def ask_near(s, c):
    if c.kind == CommandKind.CANCEL_ORDER or c.kind == CommandKind.REPLACE_ORDER:
        which, home = target_home(s, c)
        prefetch(s.orders[np.int64(s.index[which, home].slot)])


@small
def ask_next(s, c):
    """An addressed order has arrived by now: its level, neighbours, other index cell and owner."""
    if c.kind == CommandKind.CANCEL_ORDER or c.kind == CommandKind.REPLACE_ORDER:
        which, home = target_home(s, c)
        slot = np.int64(s.index[which, home].slot)
        if slot != 0:
            order = s.orders[slot]
            book = s.books[order.instrument]
            prefetch(s.levels[order.instrument, np.int64(order.side) - 1, order.price - book.floor])
            prefetch(s.orders[order.next])
            prefetch(s.orders[order.prev])
            if which == BY_ORDER_ID:
                prefetch(s.index[BY_CLIENT_ID, home_of(s, BY_CLIENT_ID, order.session, order.client_order_id)])
            else:
                prefetch(s.index[BY_ORDER_ID, home_of(s, BY_ORDER_ID, 0, order.order_id)])
            if s.prefunded:
                prefetch(s.accounts[order.account])
                prefetch(s.holds[order.account, book.asset])


@small
def look_ahead(s, commands, i, count):
    if i + FAR < count:
        ask_far(s, commands[i + FAR])
        ask_near(s, commands[i + NEAR])
        ask_next(s, commands[i + NEAR // 2])
