"""The entry points: commands in, events out. Orders run in a loop of their own; what comes seldom is compiled apart."""

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from engine.arena import ARENA
from engine.kernel.admission import UNUSUAL, bits_set, check_kind, check_session, is_plain_order
from engine.kernel.compiler import COMPILED, U, by_address, plain, rare, small
from engine.kernel.events import refused, rejected
from engine.kernel.further import new_further_order
from engine.kernel.lookahead import BLOCK, look_ahead
from engine.kernel.matching import FURTHER, PLAIN
from engine.kernel.orders import cancel_order, mass_cancel, new_order, replace_order, take
from engine.kernel.quotes import quote
from engine.kernel.seldom import process_seldom
from engine.schema import COMMAND, CommandKind, Reason

LAST_HOT_KIND = int(CommandKind.QUOTE)
"""Orders of all sorts; kinds beyond are seldom."""


@small
def worst_case(s, c):
    """Most events that a command can give: every live order traded (with its fee) or cancelled, all parts of icebergs,
    all waiting stops, and summaries."""
    most = 2 * s.live_orders + s.further_events + 4
    if c.kind > LAST_HOT_KIND:
        most += s.accounts_open * (2 * s.assets + s.currencies) + 6 * s.instruments + 4
        most += 3 * s.bids_used + s.negotiations_used + s.auctions_used + s.obligations_used
    return most


@rare
def other_command(s, c, words, i):
    """All of the order kinds that is no plain order on its own; the session has been checked."""
    reason = check_kind(s, c, words, i)
    if reason != Reason.NONE:
        return reason
    kind = c.kind
    if kind == CommandKind.NEW_ORDER:
        return new_further_order(s, c)
    if kind == CommandKind.CANCEL_ORDER:
        return cancel_order(s, c, FURTHER)
    if kind == CommandKind.REPLACE_ORDER:
        return replace_order(s, c, FURTHER)
    if kind == CommandKind.MASS_CANCEL:
        return mass_cancel(s, c)
    if kind == CommandKind.TAKE:
        return take(s, c)
    if kind == CommandKind.QUOTE:
        return quote(s, c)
    return Reason.INVALID_KIND


@small
def process(s, c, words, i):
    """Carry out one order command. Returns Reason.NONE, or why nothing was changed.

    The code of plain orders calls no function at all: a call would cost even the commands that do not come to it.
    """
    reason = check_session(s, c)
    if reason != Reason.NONE:
        return reason
    if bits_set(words, i, c.kind, UNUSUAL) == 0:
        if c.kind == CommandKind.NEW_ORDER:
            if is_plain_order(s, c):
                return new_order(s, c)
        elif s.further_events == 0:
            if c.kind == CommandKind.CANCEL_ORDER:
                return cancel_order(s, c, PLAIN)
            if c.kind == CommandKind.REPLACE_ORDER:
                return replace_order(s, c, PLAIN)
    return other_command(s, c, words, i)


@plain
def apply_orders(s, commands, words, first, count):
    """Apply commands from `first` on, until all `count` are done, one of a seldom kind comes, or the event buffer might
    not hold the next one's worst case.

    Args: s the arena's record; commands COMMAND[n] and the same as int64[n, 12].
    Returns how many of all are done; the events stand behind `event_count` earlier ones in the arena's buffer.
    """
    for i in range(first, count):
        if i % BLOCK == 0 and count > BLOCK:
            if s.event_count > s.event_batch:
                return i
            if COMPILED:
                look_ahead(s, commands, i, count)
        c = commands[U(i)]
        if c.kind > LAST_HOT_KIND or s.event_limit - s.event_count < worst_case(s, c):
            return i
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
        room = s.event_limit - s.event_count >= worst_case(s, c) and s.event_count <= s.event_batch
        if c.kind <= LAST_HOT_KIND or not room:
            return i
        s.command_sequence = c.sequence
        s.timestamp = c.timestamp
        reason = process_seldom(s, c, words, i)
        if reason != Reason.NONE:
            refused(s, c, reason)
    return count


if COMPILED:

    @intrinsic
    def call_at(context, address, first, second, third):
        """Call a Native of three arguments, two of them addresses."""

        def generate(c, builder, signature, arguments):
            word = ir.IntType(64)
            function = builder.bitcast(arguments[0], ir.FunctionType(word, [word] * 3).as_pointer())
            pointers = [builder.ptrtoint(one, word) for one in arguments[1:3]]
            return builder.call(function, [*pointers, arguments[3]])

        return types.int64(address, first, second, third), generate

else:

    def call_at(function, first, second, third):
        return function(first, second, third)


@plain
def in_turns(s, commands, words, count, seldom, arena, where):
    """Apply all `count` commands, each by the loop that knows its kind, until neither has room for the events.

    Args: s, commands, words as above; seldom the other loop's address; arena, where those of the block of memory and of
    the commands. Returns how many are done.
    """
    done = 0
    while True:
        done = apply_orders(s, commands, words, done, count)
        before = done
        if done < count:
            done = call_at(seldom, arena, where, done << SPAN_BITS | count)
        if done == before or done == count:
            return done


SPAN_BITS = 32
SPAN_MASK = (1 << SPAN_BITS) - 1
FEW = 16
"""So many commands are copied to a place whose address is known: to ask for an address costs a microsecond."""

if COMPILED:
    BLOCK_OF_MEMORY = types.CPointer(numba.from_dtype(ARENA))

    @by_address(BLOCK_OF_MEMORY, types.voidptr, types.int64, types.voidptr)
    def orders_at(arena, commands, count, seldom):
        records, words = numba.carray(commands, (count,), COMMAND), numba.carray(commands, (count, 12), np.int64)
        return in_turns(numba.carray(arena, (1,))[0], records, words, count, seldom, arena, commands)

    @by_address(BLOCK_OF_MEMORY, types.voidptr, types.int64)
    def seldom_at(arena, commands, span):
        first, count = span >> SPAN_BITS, span & SPAN_MASK
        records, words = numba.carray(commands, (count,), COMMAND), numba.carray(commands, (count, 12), np.int64)
        return apply_seldom(numba.carray(arena, (1,))[0], records, words, first, count)

    NATIVES = (orders_at, seldom_at)

    def bind(arena):
        """A function that applies COMMAND[n], contiguous, to this ARENA[1] and returns how many were done."""
        call, seldom, block = orders_at.ready(), seldom_at.address, arena.ctypes.data
        event_count = arena["event_count"]
        few = np.zeros(FEW, COMMAND)
        room, size, near = memoryview(few.view(np.uint8)), COMMAND.itemsize, few.ctypes.data

        def apply(commands):
            count = len(commands)
            event_count[0] = 0
            if count > FEW:
                return call(block, commands.ctypes.data, count, seldom)
            room[: count * size] = commands.tobytes()
            return call(block, near, count, seldom)

        return apply

else:
    NATIVES = ()

    def bind(arena):
        """As above, interpreted."""

        def apply(commands):
            arena["event_count"] = 0
            words = commands.view(np.int64).reshape(-1, 12)

            def seldom(arena, commands, span):
                return apply_seldom(arena[0], commands, words, span >> SPAN_BITS, span & SPAN_MASK)

            return in_turns(arena[0], commands, words, len(commands), seldom, arena, commands)

        return apply
