"""The entry point: commands in, events out."""

from engine.kernel.admission import check_kind, check_session
from engine.kernel.compiler import entry, plain, small
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
from engine.schema import FIRST_OPERATOR_KIND, CommandKind, EventKind, Reason


@small
def worst_case(s, c):
    """Most events that a command can give: every live order traded (with its fee) or cancelled, and summaries."""
    most = 2 * s.live_orders + 4
    if c.kind >= FIRST_OPERATOR_KIND:
        most += s.accounts_open * (s.assets + s.currencies) + 4 * s.instruments + 4
    return most


@plain
def operate(s, out, words, c):
    """The kinds from FIRST_OPERATOR_KIND on."""
    kind = c.kind
    if kind == CommandKind.DEPOSIT_CASH or kind == CommandKind.WITHDRAW_CASH:
        return move_cash(s, out, words, c)
    if kind == CommandKind.DEPOSIT_UNITS or kind == CommandKind.WITHDRAW_UNITS:
        return move_units(s, out, words, c)
    if kind == CommandKind.SESSION_UP:
        return session_up(s, out, words, c)
    if kind == CommandKind.SESSION_DOWN:
        return session_down(s, out, words, c)
    if kind == CommandKind.OPEN_FIRM:
        return open_firm(s, out, words, c)
    if kind == CommandKind.OPEN_ACCOUNT:
        return open_account(s, out, words, c)
    if kind == CommandKind.OPEN_SESSION:
        return open_session(s, out, words, c)
    if kind == CommandKind.SET_ACCOUNT_STATUS:
        return set_account_status(s, out, words, c)
    if kind == CommandKind.SET_SESSION_STATUS:
        return set_session_status(s, out, words, c)
    if kind == CommandKind.SET_OWNER_GROUP:
        return set_owner_group(s, out, words, c)
    if kind == CommandKind.SET_PHASE:
        return set_phase(s, out, words, c)
    if kind == CommandKind.STOP_TRADING:
        return stop_trading(s, out, words, c)
    if kind == CommandKind.EXPIRE_ORDERS:
        return expire_orders(s, out, words, c)
    if kind == CommandKind.FIX_CLOSE:
        return fix_close(s, out, words, c)
    if kind == CommandKind.SETTLE:
        return settle(s, out, words, c)
    if kind == CommandKind.SET_REFERENCE:
        return set_reference(s, out, words, c)
    if kind == CommandKind.CLOCK_ANCHOR:
        return clock_anchor(s, out, words, c)
    return Reason.INVALID_KIND


@small
def process(s, out, words, c, w):
    """Carry out one command. Returns Reason.NONE, or why nothing was changed."""
    reason = check_session(s, c)
    if reason == Reason.NONE:
        reason = check_kind(s, c, w)
    if reason != Reason.NONE:
        return reason
    if c.kind == CommandKind.NEW_ORDER:
        return new_order(s, out, words, c)
    if c.kind == CommandKind.CANCEL_ORDER:
        return cancel_order(s, out, words, c)
    if c.kind == CommandKind.REPLACE_ORDER:
        return replace_order(s, out, words, c)
    if c.kind == CommandKind.MASS_CANCEL:
        return mass_cancel(s, out, words, c)
    if c.kind == CommandKind.TAKE:
        return take(s, out, words, c)
    return operate(s, out, words, c)


@entry
def apply(arena, commands, command_words, events, event_words):
    """Apply commands in order until done or the event buffer might not hold the next one's worst case.

    Args: arena ARENA[1]; commands COMMAND[n] and the same as int64[n, 12]; events EVENT[m] and the same as int64[m, 16].
    Returns the number of commands applied; `arena[0].event_count` events were written.
    """
    s = arena[0]
    s.event_count = 0
    for i in range(len(commands)):
        c = commands[i]
        if len(events) - s.event_count < worst_case(s, c):
            return i
        s.command_sequence = c.sequence
        s.timestamp = c.timestamp
        reason = process(s, events, event_words, c, command_words[i])
        if reason != Reason.NONE:
            rejected(s, events, event_words, c, EventKind.REJECTED, reason)
    return len(commands)
