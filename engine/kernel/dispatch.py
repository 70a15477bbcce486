"""The entry point: commands in, events out."""

import numba
import numpy as np
from numba import types

from engine.arena import ARENA
from engine.kernel.admission import UNUSUAL, bits_set, check_kind, check_session, is_plain_order
from engine.kernel.auctions import (
    announce_auction,
    auction_bid,
    auction_bid_replace,
    auction_bid_withdraw,
    cancel_auction,
    close_auction,
    commit_seed,
    open_auction,
    reveal_seed,
)
from engine.kernel.blocks import block_accept, block_counter, block_offer, block_withdraw
from engine.kernel.compiler import COMPILED, U, by_address, plain, rare, small
from engine.kernel.compliance import (
    acknowledge_settlement,
    allocate_units,
    carry_over,
    set_obligation,
    surrender,
    voluntary_cancel,
)
from engine.kernel.controls import (
    bust_trade,
    delist_instrument,
    firm_kill,
    kill_switch,
    list_instrument,
    set_limit,
    set_order_status,
    widen_window,
)
from engine.kernel.day import (
    clock_anchor,
    expire_orders,
    fix_close,
    set_phase,
    set_reference,
    settle,
    stop_trading,
)
from engine.kernel.encumbrances import (
    place_hold,
    pledge_request,
    realise_hold,
    release_hold,
    transfer_in,
    transfer_out,
)
from engine.kernel.events import rejected
from engine.kernel.further import new_further_order
from engine.kernel.lookahead import BLOCK, look_ahead
from engine.kernel.matching import FURTHER, PLAIN
from engine.kernel.orders import cancel_order, mass_cancel, new_order, replace_order, take
from engine.kernel.quotes import quote
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
    """Most events that a command can give: every live order traded (with its fee) or cancelled, all parts of icebergs,
    all waiting stops, and summaries."""
    most = 2 * s.live_orders + s.further_events + 4
    if c.kind > CommandKind.QUOTE:
        most += s.accounts_open * (2 * s.assets + s.currencies) + 6 * s.instruments + 4
        most += 3 * s.bids_used + s.negotiations_used + s.auctions_used
    return most


@rare
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
    return operate_more(s, c)


@rare
def operate_more(s, c):
    """The kinds from FIRST_OPERATOR_KIND on that concern the registry, limits and auctions."""
    kind = c.kind
    if kind == CommandKind.ALLOCATE_UNITS:
        return allocate_units(s, c)
    if kind == CommandKind.PLACE_HOLD:
        return place_hold(s, c)
    if kind == CommandKind.RELEASE_HOLD:
        return release_hold(s, c)
    if kind == CommandKind.REALISE_HOLD:
        return realise_hold(s, c)
    if kind == CommandKind.SET_OBLIGATION:
        return set_obligation(s, c)
    if kind == CommandKind.CARRY_OVER:
        return carry_over(s, c)
    if kind == CommandKind.ACKNOWLEDGE_SETTLEMENT:
        return acknowledge_settlement(s, c)
    if kind == CommandKind.SET_LIMIT:
        return set_limit(s, c)
    if kind == CommandKind.KILL_SWITCH:
        return kill_switch(s, c)
    if kind == CommandKind.BUST_TRADE:
        return bust_trade(s, c)
    if kind == CommandKind.SET_ORDER_STATUS:
        return set_order_status(s, c)
    if kind == CommandKind.WIDEN_WINDOW:
        return widen_window(s, c)
    if kind == CommandKind.LIST_INSTRUMENT:
        return list_instrument(s, c)
    if kind == CommandKind.DELIST_INSTRUMENT:
        return delist_instrument(s, c)
    if kind == CommandKind.ANNOUNCE_AUCTION:
        return announce_auction(s, c)
    if kind == CommandKind.COMMIT_SEED:
        return commit_seed(s, c)
    if kind == CommandKind.OPEN_AUCTION:
        return open_auction(s, c)
    if kind == CommandKind.CLOSE_AUCTION:
        return close_auction(s, c)
    if kind == CommandKind.REVEAL_SEED:
        return reveal_seed(s, c)
    if kind == CommandKind.CANCEL_AUCTION:
        return cancel_auction(s, c)
    return Reason.INVALID_KIND


@rare
def request(s, c):
    """What firms send beside orders: block negotiations, bids, requests to the registry, their own kill switch."""
    kind = c.kind
    if kind == CommandKind.BLOCK_OFFER:
        return block_offer(s, c)
    if kind == CommandKind.BLOCK_COUNTER:
        return block_counter(s, c)
    if kind == CommandKind.BLOCK_ACCEPT:
        return block_accept(s, c)
    if kind == CommandKind.BLOCK_WITHDRAW:
        return block_withdraw(s, c)
    if kind == CommandKind.AUCTION_BID:
        return auction_bid(s, c)
    if kind == CommandKind.AUCTION_BID_REPLACE:
        return auction_bid_replace(s, c)
    if kind == CommandKind.AUCTION_BID_WITHDRAW:
        return auction_bid_withdraw(s, c)
    if kind == CommandKind.SURRENDER:
        return surrender(s, c)
    if kind == CommandKind.VOLUNTARY_CANCEL:
        return voluntary_cancel(s, c)
    if kind == CommandKind.TRANSFER_IN:
        return transfer_in(s, c)
    if kind == CommandKind.TRANSFER_OUT:
        return transfer_out(s, c)
    if kind == CommandKind.PLEDGE_REQUEST:
        return pledge_request(s, c)
    if kind == CommandKind.FIRM_KILL:
        return firm_kill(s, c)
    return Reason.INVALID_KIND


@rare
def other_command(s, c, words, i):
    """All that is no plain order on its own; the session has been checked."""
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
    if kind < FIRST_OPERATOR_KIND:
        return request(s, c)
    return operate(s, c)


@small
def process(s, c, words, i):
    """Carry out one command. Returns Reason.NONE, or why nothing was changed.

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
        if i % BLOCK == 0 and count > BLOCK:
            if s.event_count > s.event_batch:
                return i
            if COMPILED:
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
