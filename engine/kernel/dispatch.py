"""The entry points: commands in, events out. Orders run in a loop of their own; what comes seldom is compiled apart."""

import ctypes

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from engine.arena import ARENA
from engine.kernel.admission import (
    WORDS,
    begins_plainly,
    check_kind,
    check_session,
    enters_plainly,
    is_next,
    only_cancels,
    only_replaces,
    set_entries,
)
from engine.kernel.compiler import COMPILED, U, by_address, plain, rare, small
from engine.kernel.events import refused, rejected
from engine.kernel.further import new_further_order
from engine.kernel.lookahead import BLOCK, STRETCH, look_ahead, memory_is_far
from engine.kernel.orders import (
    cancel_order,
    cancel_plain,
    is_plain,
    is_plain_replacement,
    mass_cancel,
    new_order,
    replace_order,
    replace_plain,
    take,
    target_slot,
)
from engine.kernel.quotes import quote
from engine.kernel.seldom import process_seldom
from engine.schema import COMMAND, CommandKind, Reason

LAST_HOT_KIND = int(CommandKind.QUOTE)
"""Orders of all sorts; kinds beyond are seldom."""
EVENTS_AT_EASE = 1_000
"""So many events a call may give before the room for the next command is asked: see `founding.event_batch`."""


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
    """All of the order kinds that is no plain order on its own, or is refused before its limits are asked."""
    reason = check_session(s, c)
    if reason == Reason.NONE:
        reason = check_kind(s, c, words, i)
    if reason != Reason.NONE:
        return reason
    kind = c.kind
    if kind == CommandKind.NEW_ORDER:
        return new_further_order(s, c)
    if kind == CommandKind.CANCEL_ORDER:
        return cancel_order(s, c)
    if kind == CommandKind.REPLACE_ORDER:
        return replace_order(s, c)
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
    word = words[U(WORDS * i)]
    if is_next(s, c):
        if c.kind == CommandKind.NEW_ORDER:
            if begins_plainly(c, word) and enters_plainly(s, c):
                return new_order(s, c)
        elif c.kind == CommandKind.CANCEL_ORDER:
            if only_cancels(c, word):
                slot = target_slot(s, c)
                if is_plain(s, slot):
                    return cancel_plain(s, c, slot)
        elif c.kind == CommandKind.REPLACE_ORDER and only_replaces(c, word):
            slot = target_slot(s, c)
            if is_plain_replacement(s, c, slot):
                return replace_plain(s, c, slot)
    return other_command(s, c, words, i)


@small
def has_room(s, c):
    """Whether the call goes on: its events are not all given yet, and the buffer holds the next command's worst case.
    It always holds EVENTS_AT_EASE more than that."""
    if s.event_count < EVENTS_AT_EASE:
        return True
    return s.event_count <= s.event_batch and s.event_limit - s.event_count >= worst_case(s, c)


@plain
def apply_orders(s, commands, words, first, count):
    """Apply commands from `first` on, until all `count` are done, one of a seldom kind comes, or the next has no room.

    Args: s the arena's record; commands COMMAND[n] and the same as int64[12 n].
    Returns how many of all are done; the events stand behind `event_count` earlier ones in the arena's buffer.
    """
    block = first
    while block < count:
        far = COMPILED and count > BLOCK and memory_is_far(s)
        size = BLOCK if far else STRETCH
        end = min(count, (block | size - 1) + 1)
        if far and block % size == 0:
            look_ahead(s, commands, block, count)
        for i in range(block, end):
            c = commands[U(i)]
            if c.kind > LAST_HOT_KIND or not has_room(s, c):
                return i
            sequence, timestamp = c.sequence, c.timestamp
            s.command_sequence = sequence
            s.timestamp = timestamp
            reason = process(s, c, words, i)
            if reason != Reason.NONE:
                rejected(s, c, reason)
        block = end
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
        set_entries(s)
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
        records, words = numba.carray(commands, (count,), COMMAND), numba.carray(commands, (count * WORDS,), np.int64)
        s = numba.carray(arena, (1,))[0]
        s.event_count = 0
        done = in_turns(s, records, words, count, seldom, arena, commands)
        return done << SPAN_BITS | s.event_count

    @by_address(BLOCK_OF_MEMORY, types.voidptr, types.int64)
    def seldom_at(arena, commands, span):
        first, count = span >> SPAN_BITS, span & SPAN_MASK
        records, words = numba.carray(commands, (count,), COMMAND), numba.carray(commands, (count * WORDS,), np.int64)
        return apply_seldom(numba.carray(arena, (1,))[0], records, words, first, count)

    NATIVES = (orders_at, seldom_at)

    def bind(arena):
        """A function that applies COMMAND[n], contiguous, to this ARENA[1]: how many were done, and their events."""
        call, call_few = orders_at.ready(), orders_at.briefly()
        few = np.zeros(FEW, COMMAND)
        room, size = memoryview(few.view(np.uint8)), COMMAND.itemsize
        # Made once: to make a C number of a Python one takes a tenth of a microsecond each.
        seldom, block, near = map(ctypes.c_int64, (seldom_at.address, arena.ctypes.data, few.ctypes.data))
        counts = [ctypes.c_int64(count) for count in range(FEW + 1)]

        def apply(commands):
            count = len(commands)
            if count > FEW:
                both = call(block, commands.ctypes.data, count, seldom)
            else:
                room[: count * size] = commands.tobytes()
                both = call_few(block, near, counts[count], seldom)
            return both >> SPAN_BITS, both & SPAN_MASK

        return apply

else:
    NATIVES = ()

    def bind(arena):
        """As above, interpreted."""

        def apply(commands):
            arena["event_count"] = 0
            words = commands.view(np.int64)

            def seldom(arena, commands, span):
                return apply_seldom(arena[0], commands, words, span >> SPAN_BITS, span & SPAN_MASK)

            done = in_turns(arena[0], commands, words, len(commands), seldom, arena, commands)
            return done, int(arena["event_count"][0])

        return apply
