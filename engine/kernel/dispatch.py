"""The entry points: commands in, events out. Orders run in a loop of their own; what comes seldom is compiled apart."""

import numba
import numpy as np
from numba import types

from engine.arena import ARENA
from engine.kernel.admission import check_kind, check_session
from engine.kernel.compiler import COMPILED, U, by_address, plain, small
from engine.kernel.events import rejected
from engine.kernel.lookahead import BLOCK, look_ahead
from engine.kernel.orders import cancel_order, mass_cancel, new_order, replace_order, take
from engine.kernel.seldom import process_seldom
from engine.schema import COMMAND, CommandKind, Reason

LAST_HOT_KIND = int(CommandKind.QUOTE)
"""Orders of all sorts; kinds beyond are seldom."""


@small
def worst_case(s, c):
    """Most events that a command can give: every live order traded (with its fee) or cancelled, and summaries."""
    most = 2 * s.live_orders + 4
    if c.kind > LAST_HOT_KIND:
        most += s.accounts_open * (2 * s.assets + s.currencies) + 4 * s.instruments + 4
        most += 3 * s.bids_used + s.negotiations_used + s.auctions_used
    return most


@small
def process(s, c, words, i):
    """Carry out one order command. Returns Reason.NONE, or why nothing was changed."""
    reason = check_session(s, c)
    if reason == Reason.NONE:
        reason = check_kind(s, c, words, i)
    if reason != Reason.NONE:
        return reason
    if c.kind == CommandKind.NEW_ORDER:
        return new_order(s, c)
    if c.kind == CommandKind.CANCEL_ORDER:
        return cancel_order(s, c)
    if c.kind == CommandKind.REPLACE_ORDER:
        return replace_order(s, c)
    if c.kind == CommandKind.MASS_CANCEL:
        return mass_cancel(s, c)
    if c.kind == CommandKind.TAKE:
        return take(s, c)
    return Reason.INVALID_KIND


@plain
def apply_orders(s, commands, words, first, count):
    """Apply commands from `first` on, until all `count` are done, one of a seldom kind comes, or the event buffer might
    not hold the next one's worst case.

    Args: s the arena's record; commands COMMAND[n] and the same as int64[n, 12].
    Returns how many of all are done; the events stand behind `event_count` earlier ones in the arena's buffer.
    """
    for i in range(first, count):
        c = commands[U(i)]
        if c.kind > LAST_HOT_KIND or s.event_limit - s.event_count < worst_case(s, c):
            return i
        if COMPILED and (i - first) % BLOCK == 0 and count > BLOCK:
            look_ahead(s, commands, first, i, count)
        s.command_sequence = c.sequence
        s.timestamp = c.timestamp
        reason = process(s, c, words, i)
        if reason != Reason.NONE:
            rejected(s, c, reason)
    return count


@plain
def apply_seldom(s, commands, words, first, count):
    """As `apply_orders`, for commands of seldom kinds."""
    for i in range(first, count):
        c = commands[U(i)]
        if c.kind <= LAST_HOT_KIND or s.event_limit - s.event_count < worst_case(s, c):
            return i
        s.command_sequence = c.sequence
        s.timestamp = c.timestamp
        reason = process_seldom(s, c, words, i)
        if reason != Reason.NONE:
            rejected(s, c, reason)
    return count


if COMPILED:
    _CALL = (
        types.CPointer(numba.from_dtype(ARENA)),
        types.CPointer(numba.from_dtype(COMMAND)),
        types.CPointer(types.int64),
        types.int64,
        types.int64,
    )

    @by_address(*_CALL)
    def orders_at(arena, commands, words, first, count):
        s = numba.carray(arena, (1,))[0]
        return apply_orders(s, numba.carray(commands, (count,)), numba.carray(words, (count, 12)), first, count)

    @by_address(*_CALL)
    def seldom_at(arena, commands, words, first, count):
        s = numba.carray(arena, (1,))[0]
        return apply_seldom(s, numba.carray(commands, (count,)), numba.carray(words, (count, 12)), first, count)

    def steps(arena):
        """The two loops over this ARENA[1], as functions (commands, first, count) -> done."""
        block = arena.ctypes.data

        def step(native):
            call = native.ready()

            def run(commands, first, count):
                address = commands.ctypes.data
                return call(block, address, address, first, count)

            return run

        return step(orders_at), step(seldom_at)

    NATIVES = (orders_at, seldom_at)

else:
    NATIVES = ()

    def steps(arena):
        """As above, interpreted."""

        def step(loop):
            return lambda commands, first, count: loop(
                arena[0], commands, commands.view(np.int64).reshape(-1, 12), first, count
            )

        return step(apply_orders), step(apply_seldom)


def bind(arena):
    """A function that applies COMMAND[n], contiguous, to this ARENA[1] and returns how many were done."""
    orders, seldom = steps(arena)
    event_count = arena["event_count"]

    def apply(commands):
        count, done = len(commands), 0
        event_count[0] = 0
        while True:
            done = orders(commands, done, count)
            if done == count:
                return done
            before, done = done, seldom(commands, done, count)
            if done == before:
                return done

    return apply
