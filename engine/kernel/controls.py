"""Kill switches and corrections by the operator.

Sources: Regulation (EU) 2017/584 art. 18 (suspension, kill function, cancelling of trades); MEE trading rules
art. 25-27 (restrictions, suspension).
"""

import numpy as np

from engine.arena import SIDES
from engine.kernel.admission import MAX_LOTS, check_role
from engine.kernel.bids import end_bid
from engine.kernel.book import next_in_book
from engine.kernel.compiler import plain, small
from engine.kernel.events import listed_phase, write_event
from engine.kernel.index import find_order
from engine.kernel.instruments import delist_instrument, list_instrument, widen_window
from engine.kernel.ledger import balance_at
from engine.kernel.limit_setting import set_limit
from engine.kernel.limits import check_firm, check_halted, check_member_limits, firm_enabled
from engine.kernel.matching import TURNOVER_WORD, cancel_resting
from engine.kernel.negotiations import end_negotiation
from engine.kernel.pricing import drop_trade
from engine.kernel.registers import row_of
from engine.schema import AuctionStage, DayStage, EventKind, KillScope, Mode, Reason, Status
from engine.venue import MAX_BUSTS

STOP, RESUME = 0, 1


@plain
def set_firm_status(s, firm, status):
    if s.firm_table[firm].status != Status.ACTIVE:
        s.stopped_firms -= 1
    if status != Status.ACTIVE:
        s.stopped_firms += 1
    s.firm_table[firm].status = status


@plain
def check_kill_switch(s, c):
    if c.scope < KillScope.FIRM or c.scope > KillScope.VENUE:
        return Reason.INVALID_SCOPE
    if c.side > RESUME:
        return Reason.INVALID_SIDE
    if (
        (c.target != 0 and c.scope != KillScope.FIRM)
        or (c.account != 0 and c.scope != KillScope.ACCOUNT)
        or (c.instrument != 0 and c.scope != KillScope.INSTRUMENT)
    ):
        return Reason.UNUSED_FIELD_SET
    reason = check_role(s, c)
    if reason != Reason.NONE:
        return reason
    if c.scope <= KillScope.ACCOUNT and not s.prefunded:
        return Reason.INVALID_SCOPE
    if c.scope == KillScope.FIRM and (c.target < 1 or c.target > s.firms):
        return Reason.UNKNOWN_FIRM
    if c.scope == KillScope.ACCOUNT and (c.account < 1 or c.account > s.accounts_open):
        return Reason.UNKNOWN_ACCOUNT
    if c.scope == KillScope.INSTRUMENT and (c.instrument < 1 or c.instrument > s.instruments):
        return Reason.UNKNOWN_INSTRUMENT
    return Reason.NONE


@plain
def kill_switch(s, c):
    """The operator stops a firm, an account, an instrument or the venue and ends all that is live of it; or resumes."""
    reason = check_kill_switch(s, c)
    if reason != Reason.NONE:
        return reason
    stop = c.side == STOP
    number = np.int64(0)
    if c.scope == KillScope.FIRM:
        number = np.int64(c.target)
        set_firm_status(s, number, Status.SUSPENDED if stop else Status.ACTIVE)
    elif c.scope == KillScope.ACCOUNT:
        number = np.int64(c.account)
        s.accounts[number].status = Status.SUSPENDED if stop else Status.ACTIVE
    elif c.scope == KillScope.INSTRUMENT:
        number = np.int64(c.instrument)
        s.books[number].halted = 1 if stop else 0
    else:
        s.venue_halted = 1 if stop else 0
    count = end_all(s, c, c.scope, number) if stop else 0
    tell_switch(s, c, c.scope, number, count, c.side)
    return Reason.NONE


@plain
def firm_kill(s, c):
    """A firm stops itself; only the operator lifts what the operator stopped."""
    if c.scope > RESUME:
        return Reason.INVALID_SCOPE
    reason = check_role(s, c)
    if reason != Reason.NONE:
        return reason
    if c.session == 0 or not s.prefunded:
        return Reason.NOT_PERMITTED
    firm = np.int64(s.sessions[c.session].firm)
    status = s.firm_table[firm].status
    if c.scope == RESUME and status == Status.SUSPENDED:
        return Reason.FIRM_STOPPED
    if c.scope == RESUME:
        set_firm_status(s, firm, Status.ACTIVE)
    elif status == Status.ACTIVE:
        set_firm_status(s, firm, Status.STOPPED)
    count = end_all(s, c, KillScope.FIRM, firm) if c.scope == STOP else 0
    tell_switch(s, c, KillScope.FIRM, firm, count, c.scope)
    return Reason.NONE


@plain
def tell_switch(s, c, scope, number, count, side):
    instrument = number if scope == KillScope.INSTRUMENT else np.int64(0)
    account = number if scope == KillScope.ACCOUNT else np.int64(0)
    firm = number if scope == KillScope.FIRM else np.int64(0)
    phase = listed_phase(s, instrument) if instrument != 0 else np.int64(0)
    write_event(
        s, c, EventKind.KILL_SWITCH_SET, 0, scope, phase, 0, instrument, 0, count, account, 0,
        firm, 0, c.client_order_id, 0, 0, 0, side, 0, c.session, 0,
    )  # fmt: skip


@small
def concerns(s, scope, number, account, instrument):
    """Whether what an account has on an instrument is of what is stopped."""
    if scope == KillScope.FIRM:
        return s.accounts[account].firm == number
    if scope == KillScope.ACCOUNT:
        return account == number
    return scope == KillScope.VENUE or instrument == number


@plain
def end_all(s, c, scope, number):
    """Orders, negotiations and bids in open auctions end. Returns how many."""
    count = 0
    for i in range(1, s.instruments + 1):
        for k in range(SIDES):
            slot = next_in_book(s, i, k, 0)
            while slot != 0:
                following = next_in_book(s, i, k, slot)
                if concerns(s, scope, number, s.orders[slot].account, i):
                    cancel_resting(s, c, slot, EventKind.CANCELLED, Reason.KILLED)
                    count += 1
                slot = following
    for row in range(1, s.negotiations_used + 1):
        n = s.negotiations[row]
        if n.quantity > 0 and concerns(s, scope, number, n.account, n.instrument):
            end_negotiation(s, c, row, Reason.KILLED)
            count += 1
    for row in range(1, s.bids_used + 1):
        bid = s.bids[row]
        if bid.quantity > 0:
            auction = s.auctions[row_of(s.auctions, s.auctions_used, bid.auction)]
            if auction.stage == AuctionStage.OPEN and concerns(s, scope, number, bid.account, auction.instrument):
                end_bid(s, c, row, Reason.KILLED)
                count += 1
    return count


@plain
def set_order_status(s, c):
    """The operator cancels one order, in every phase."""
    reason = check_role(s, c)
    if reason != Reason.NONE:
        return reason
    slot = find_order(s, c.target)
    if slot == 0:
        return Reason.UNKNOWN_ORDER
    cancel_resting(s, c, slot, EventKind.CANCELLED, Reason.OPERATOR)
    return Reason.NONE


@plain
def check_bust(s, c):
    """Restated terms that could have been a trade's, of a number that was given and not yet cancelled."""
    if c.scope < Mode.LISTED or c.scope > Mode.BIDDING:
        return Reason.INVALID_SCOPE
    reason = check_role(s, c)
    if reason != Reason.NONE:
        return reason
    if c.instrument < 1 or c.instrument > s.instruments:
        return Reason.UNKNOWN_INSTRUMENT
    first = np.int64(1) if s.prefunded else np.int64(0)
    last = np.int64(s.accounts_open) if s.prefunded else np.int64(MAX_LOTS)
    if c.account < first or c.account > last or c.quantity2 < first or c.quantity2 > last:
        return Reason.UNKNOWN_ACCOUNT
    if c.account == c.quantity2:
        return Reason.INVALID_COMBINATION
    book = s.books[c.instrument]
    if c.price < 1:
        return Reason.INVALID_PRICE
    if c.price < book.floor or c.price > book.ceiling:
        return Reason.PRICE_OUT_OF_WINDOW
    if c.quantity < 1 or c.quantity > MAX_LOTS:
        return Reason.INVALID_QUANTITY
    if c.quantity > book.quantity_cap:
        return Reason.AMOUNT_OVERFLOW
    if c.target < 1 or c.target > s.event_sequence:
        return Reason.INVALID_AMOUNT
    if row_of(s.busts, s.busts_used, c.target) != 0:
        return Reason.ALREADY_BUSTED
    if c.expiry < 1 or c.expiry > s.trading_date:
        return Reason.INVALID_DATE
    return Reason.BUST_TABLE_FULL if s.busts_used >= MAX_BUSTS - 1 else Reason.NONE


@plain
def bust_trade(s, c):
    """Units go back to the seller and the payment to the buyer; fees stay where they are."""
    reason = check_bust(s, c)
    if reason != Reason.NONE:
        return reason
    book = s.books[c.instrument]
    today = c.expiry == s.trading_date and s.day_stage != DayStage.SETTLED
    pay = units = np.int64(0)
    if s.prefunded:
        pay = np.int64(c.price) * c.quantity * book.tick_value
        units = c.quantity * book.units_per_lot
        reason = give_back(s, c, book, pay, units, today)
        if reason != Reason.NONE:
            return reason
    if today:
        shrink_statistics(book, c.scope, np.int64(c.price), c.quantity)
        if c.scope == Mode.LISTED:
            drop_trade(book, c.target)
    put_bust(s, c)
    write_event(
        s, c, EventKind.TRADE_BUSTED, 0, c.scope, listed_phase(s, c.instrument), 0, c.instrument, c.price, c.quantity,
        c.account, c.quantity2, c.target, 0, c.client_order_id, 0, 0, 0, pay, units, c.session, 0,
    )  # fmt: skip
    return Reason.NONE


@plain
def give_back(s, c, book, pay, units, today):
    """The buyer still has the units, the seller the money: both change hands, or nothing does."""
    bought = balance_at(s, c.account, book.lock_column[1])
    unsettled = today and s.next_day_units
    if (bought.bought_today if unsettled else bought.free) < units:
        return Reason.INSUFFICIENT_UNITS
    proceeds = balance_at(s, c.quantity2, book.lock_column[0])
    if proceeds.free < pay:
        return Reason.INSUFFICIENT_FUNDS
    if unsettled:
        bought.bought_today -= units
    else:
        bought.free -= units
    balance_at(s, c.quantity2, book.lock_column[1]).free += units
    proceeds.free -= pay
    if today:
        proceeds.proceeds_today -= min(proceeds.proceeds_today, pay)
    balance_at(s, c.account, book.lock_column[0]).free += pay
    return Reason.NONE


@small
def less(figure, part):
    """A figure of the day without a part of it, where it is that large."""
    return figure - part if figure >= part else figure


@plain
def shrink_statistics(book, mode, price, lots):
    """The day's figures of one mode; the last price stays."""
    amount = price * lots
    if mode == Mode.BIDDING:
        book.auction_volume = less(book.auction_volume, lots)
    elif mode == Mode.BLOCK:
        book.block_volume = less(book.block_volume, lots)
        book.block_trades = less(book.block_trades, np.int64(1))
        if book.block_turnover_high > 0 and book.block_turnover < amount:
            book.block_turnover_high -= 1
            book.block_turnover += TURNOVER_WORD
        book.block_turnover = less(book.block_turnover, amount)
    else:
        book.volume = less(book.volume, lots)
        book.trades = less(book.trades, np.int64(1))
        if book.turnover_high > 0 and book.turnover < amount:
            book.turnover_high -= 1
            book.turnover += TURNOVER_WORD
        book.turnover = less(book.turnover, amount)
        if book.volume == 0:
            book.open = 0
            book.high = 0
            book.low = 0


@plain
def put_bust(s, c):
    """Into its place by id: numbers come in any order."""
    s.busts_used += 1
    row = s.busts_used
    while row > 1 and s.busts[row - 1].id > c.target:
        s.busts[row].id = s.busts[row - 1].id
        s.busts[row].quantity = s.busts[row - 1].quantity
        row -= 1
    s.busts[row].id = c.target
    s.busts[row].quantity = c.quantity


__all__ = [
    "bust_trade",
    "check_firm",
    "check_halted",
    "check_member_limits",
    "delist_instrument",
    "firm_enabled",
    "firm_kill",
    "kill_switch",
    "list_instrument",
    "set_limit",
    "set_order_status",
    "widen_window",
]
