"""What comes seldom: operators' commands, block trades, bids, requests to the registry. Compiled apart from orders."""

from engine.kernel.admission import check_kind, check_session
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
from engine.kernel.compiler import plain
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
from engine.kernel.cost_reserve_terms import set_cost_reserve
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
    set_transfer_window,
    transfer_in,
    transfer_out,
)
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
from engine.schema import FIRST_OPERATOR_KIND, CommandKind, Reason


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
    return operate_more(s, c)


@plain
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
    if kind == CommandKind.SET_TRANSFER_WINDOW:
        return set_transfer_window(s, c)
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
    if kind == CommandKind.SET_COST_RESERVE:
        return set_cost_reserve(s, c)
    return Reason.INVALID_KIND


@plain
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


@plain
def process_seldom(s, c, words, i):
    """Carry out one command that is not an order. Returns Reason.NONE, or why nothing was changed."""
    reason = check_session(s, c)
    if reason == Reason.NONE:
        reason = check_kind(s, c, words, i)
    if reason != Reason.NONE:
        return reason
    return request(s, c) if c.kind < FIRST_OPERATOR_KIND else operate(s, c)
