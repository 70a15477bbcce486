"""The entry point: commands in, events out."""

import numba
import numpy as np
from numba import types

from engine.arena import ARENA
from engine.kernel.admission import check_kind, check_session
from engine.kernel.compiler import COMPILED, U, by_address, plain, small
from engine.kernel.day import (
    clock_anchor,
    expire_orders,
    fix_close,
    set_phase,
    set_reference,
    settle,
    stop_trading,
)
from engine.kernel.events import rejected
from engine.kernel.lookahead import BLOCK, look_ahead
from engine.kernel.orders import cancel_order, mass_cancel, new_order, replace_order, take
from engine.kernel.registry import (
    move_cash,
    move_units,
    open_account,
    open_firm,
    open_session,
    session_down,
    session_up,
    set_account_status,
    set_owner_group,
    set_session_status,
)
from engine.schema import COMMAND, FIRST_OPERATOR_KIND, CommandKind, Reason


@small
def worst_case(s, c):
    """Most events that a command can give: every live order traded (with its fee) or cancelled, and summaries."""
    most = 2 * s.live_orders + 4
    if c.kind >= FIRST_OPERATOR_KIND:
        most += s.accounts_open * (s.assets + s.currencies) + 4 * s.instruments + 4
    return most


@plain
def operate(s, c):
    """The kinds from FIRST_OPERATOR_KIND on."""
    kind = c.kind
    if kind == CommandKind.DEPOSIT_CASH or kind == CommandKind.WITHDRAW_CASH:
        return move_cash(s, c)
    if kind == CommandKind.DEPOSIT_UNITS or kind == CommandKind.WITHDRAW_UNITS:
        return move_units(s, c)
    if kind == CommandKind.SESSION_UP:
        return session_up(s, c)
    if kind == CommandKind.SESSION_DOWN:
        return session_down(s, c)
    if kind == CommandKind.OPEN_FIRM:
        return open_firm(s, c)
    if kind == CommandKind.OPEN_ACCOUNT:
        return open_account(s, c)
    if kind == CommandKind.OPEN_SESSION:
        return open_session(s, c)
    if kind == CommandKind.SET_ACCOUNT_STATUS:
        return set_account_status(s, c)
    if kind == CommandKind.SET_SESSION_STATUS:
        return set_session_status(s, c)
    if kind == CommandKind.SET_OWNER_GROUP:
        return set_owner_group(s, c)
    if kind == CommandKind.SET_PHASE:
        return set_phase(s, c)
    if kind == CommandKind.STOP_TRADING:
        return stop_trading(s, c)
    if kind == CommandKind.EXPIRE_ORDERS:
        return expire_orders(s, c)
    if kind == CommandKind.FIX_CLOSE:
        return fix_close(s, c)
    if kind == CommandKind.SETTLE:
        return settle(s, c)
    if kind == CommandKind.SET_REFERENCE:
        return set_reference(s, c)
    if kind == CommandKind.CLOCK_ANCHOR:
        return clock_anchor(s, c)
    return Reason.INVALID_KIND


@small
def process(s, c, command_words, i):
    """Carry out one command. Returns Reason.NONE, or why nothing was changed."""
    reason = check_session(s, c)
    if reason == Reason.NONE:
        reason = check_kind(s, c, command_words, i)
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
    return operate(s, c)


@plain
def apply_commands(s, commands, words, count):
    """Apply commands in order until done or the event buffer might not hold the next one's worst case.

    Args: s the arena's record; commands COMMAND[n] and the same as int64[n, 12].
    Returns the number of commands applied; `event_count` events stand in the arena's buffer.
    """
    s.event_count = 0
    for i in range(count):
        c = commands[U(i)]
        if s.event_limit - s.event_count < worst_case(s, c):
            return i
        if COMPILED and i % BLOCK == 0 and count > BLOCK:
            look_ahead(s, commands, i, count)
        s.command_sequence = c.sequence
        s.timestamp = c.timestamp
        reason = process(s, c, words, i)
        if reason != Reason.NONE:
            rejected(s, c, reason)
    return count


if COMPILED:
    ARENA_POINTER = types.CPointer(numba.from_dtype(ARENA))
    COMMAND_POINTER = types.CPointer(numba.from_dtype(COMMAND))

    @by_address(ARENA_POINTER, COMMAND_POINTER, types.CPointer(types.int64), types.int64)
    def apply_at(arena, commands, words, count):
        s = numba.carray(arena, (1,))[0]
        return apply_commands(s, numba.carray(commands, (count,)), numba.carray(words, (count, 12)), count)

    def bind(arena):
        """A function that applies COMMAND[n], contiguous, to this ARENA[1]; as `apply_commands`."""
        block = arena.ctypes.data

        def apply(commands):
            address = commands.ctypes.data
            return apply_at(block, address, address, len(commands))

        return apply

else:

    def bind(arena):
        """A function that applies COMMAND[n], contiguous, to this ARENA[1]; as `apply_commands`."""

        def apply(commands):
            return apply_commands(arena[0], commands, commands.view(np.int64).reshape(-1, 12), len(commands))

        return apply
