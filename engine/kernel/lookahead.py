"""Asking memory for what the next commands will touch. Changes nothing but the time that it takes.

With many resting orders and accounts nearly every order, index cell, level and balance comes from far memory. A call
with many commands knows what follows. It is asked for in three stages, each a short loop over BLOCK commands, the
later stages over nearer commands: what a command names; the order that it will meet; what that order leads to.

No branch depends on a command: kinds come in random order, and a wrong guess of the processor costs more than a request
for nothing.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from engine.arena import NO_ASK
from engine.kernel.compiler import COMPILED, U, small
from engine.kernel.index import BY_CLIENT_ID, chain_by_client, chain_by_id, home_of
from engine.kernel.ledger import balance_at, balance_of
from engine.layout import AHEAD_SIZE
from engine.schema import CommandKind
from engine.venue import MAX_ACCOUNTS, MAX_INSTRUMENTS, MAX_SESSIONS

BLOCK = 4
"""So many commands are looked at before they are carried out; with more, other orders are met than were foreseen."""
STRETCH = 64
"""So many are carried out at a stretch where nothing is asked ahead: the end of a short loop is guessed wrongly."""
NEAR_MEMORY = 1 << 15
"""So many orders and accounts are near anyway."""
LAST_INSTRUMENT = MAX_INSTRUMENTS - 1

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
def note_of(s, i):
    return s.ahead[U(i & AHEAD_SIZE - 1)]


@small
def ask_named(s, c, note):
    """What the command names: cell of its own number (new order) or of its target's, level of its price, balance.

    Meaningless, and harmless, where a command has none.
    """
    new = c.kind == CommandKind.NEW_ORDER
    by_client = new | (c["flags"] >> 1 & 1)
    own, target = c.client_order_id, c.target
    cell = home_of(s, by_client * BY_CLIENT_ID, np.int64(c.session) * by_client, own if new else target)
    book = s.books[U(c.instrument & LAST_INSTRUMENT)]
    k, price = np.int64(c.side) - 1 & 1, np.int64(c.price)
    inside = (price >= book.floor) & (price <= book.ceiling)
    level = (book.ladder[U(k)] + price) * inside
    note.cell = cell
    note.level = level
    prefetch(s.index[cell])
    prefetch(s.levels[U(level)])
    prefetch(s.sessions[U(c.session & MAX_SESSIONS - 1)])
    if s.prefunded:
        account = c.account & MAX_ACCOUNTS - 1
        prefetch(s.accounts[U(account)])
        prefetch(balance_of(s, book, account, 1))
        prefetch(balance_of(s, book, account, 2))


@small
def ask_met(s, c, note):
    """The order that a command will meet: the best opposite one (new order) or its target; slot 0 = none. And the last
    order of the queue that a new order would join."""
    book = s.books[U(c.instrument & LAST_INSTRUMENT)]
    other = U(c.side & 1)
    best = book.best[other]
    waiting = (best > 0) & (best < NO_ASK)
    head = s.levels[U((book.ladder[other] + best) * waiting)].head
    target = s.index[note.cell].slot
    slot = head if c.kind == CommandKind.NEW_ORDER else target
    note.slot = slot
    prefetch(s.orders[slot])
    prefetch(s.orders[s.levels[note.level].tail])


@small
def ask_next(s, note):
    """What the order that a command will meet leads to: level, neighbours, index cells and balances."""
    order = s.orders[note.slot]
    book = s.books[order.instrument]
    prefetch(s.orders[order.next])
    prefetch(s.orders[order.prev])
    prefetch(chain_by_id(s, order.order_id))
    prefetch(chain_by_client(s, order.session, order.client_order_id))
    if s.prefunded:
        prefetch(balance_at(s, order.account, book.lock_column[0]))
        prefetch(balance_at(s, order.account, book.lock_column[1]))


@small
def memory_is_far(s):
    """Whether asking ahead is worth its time."""
    return s.live_orders > NEAR_MEMORY


@small
def look_ahead(s, commands, i, count):
    """Before command `i`, the first of a block: one stage each for the three blocks behind this one."""
    first = i == 0  # nothing of this call has been asked for yet
    for j in range(0 if first else i + 3 * BLOCK, min(i + 4 * BLOCK, count)):
        prefetch(commands[U(j + 4 * BLOCK)])  # may lie behind the last one: nothing is read
        ask_named(s, commands[U(j)], note_of(s, j))
    for j in range(0 if first else i + 2 * BLOCK, min(i + 3 * BLOCK, count)):
        ask_met(s, commands[U(j)], note_of(s, j))
    for j in range(0 if first else i + BLOCK, min(i + 2 * BLOCK, count)):
        ask_next(s, note_of(s, j))
