"""Block trades: offers, counter-offers, acceptance; the terms that stand are locked for.

Source: SEEE notice of 2021-06-22 (block trades from 100,000 t, limits of their own; dialogue until both confirm price
and quantity). Each function checks everything in the order of docs/blocks-and-auctions.md before it changes anything.
"""

import numpy as np

from engine.kernel.admission import (
    MAX_LOTS,
    check_account,
    check_enabled,
    check_role,
    is_listed,
    mode_in_force,
    owner_group,
)
from engine.kernel.compiler import plain, small
from engine.kernel.events import listed_phase, write_event
from engine.kernel.ledger import balance_of, exchange_block, shortfall
from engine.kernel.limits import check_halted, check_member_limits, firm_enabled
from engine.kernel.matching import TURNOVER_WORD
from engine.kernel.negotiations import (
    countered,
    end_negotiation,
    forget,
    lock_of_terms,
    move_terms_lock,
    offered,
    room_for_negotiation,
)
from engine.kernel.registers import live_row
from engine.schema import EventKind, Mode, Phase, Reason, Side


@plain
def check_party(s, c):
    """Role and account; account 0 is nobody, because counterparty 0 means public."""
    reason = check_role(s, c)
    if reason == Reason.NONE:
        reason = check_account(s, c)
    if reason == Reason.NONE and c.account == 0:
        reason = Reason.UNKNOWN_ACCOUNT
    return reason


@plain
def check_block_open(s, book):
    """Listed, offered, not stopped, in continuous block trading, with a reference where limits need one."""
    if not is_listed(s, book, s.trading_date):
        return Reason.NOT_LISTED
    if book.block_min == 0:
        return Reason.MODE_NOT_OFFERED
    reason = check_halted(s, book)
    if reason != Reason.NONE:
        return reason
    if book.phases[Mode.BLOCK] != Phase.CONTINUOUS:
        return Reason.WRONG_PHASE
    return Reason.NO_REFERENCE_PRICE if book.limit_block_bps > 0 and book.previous_close == 0 else Reason.NONE


@plain
def check_active(s, account):
    """The account and its firm may enter into something."""
    reason = check_enabled(s, account)
    if reason == Reason.NONE and not firm_enabled(s, account):
        reason = Reason.FIRM_STOPPED
    return reason


@plain
def check_block_terms(book, price, quantity):
    """Tick, lot, size, window, block limits, amount."""
    if price < 1:
        return Reason.INVALID_PRICE
    if price % book.price_step != 0:
        return Reason.OFF_TICK
    if quantity < 1 or quantity > MAX_LOTS:
        return Reason.INVALID_QUANTITY
    if quantity % book.quantity_step != 0:
        return Reason.OFF_LOT
    if quantity < book.block_min:
        return Reason.QUANTITY_TOO_SMALL
    if quantity > book.block_max:
        return Reason.QUANTITY_TOO_LARGE
    if price < book.floor or price > book.ceiling:
        return Reason.PRICE_OUT_OF_WINDOW
    if book.limit_block_bps > 0:
        if price > book.block_up:
            return Reason.PRICE_ABOVE_LIMIT
        if price < book.block_down:
            return Reason.PRICE_BELOW_LIMIT
    return Reason.AMOUNT_OVERFLOW if quantity > book.quantity_cap else Reason.NONE


@plain
def check_target(s, c):
    """The named counterparty of an offer: another account."""
    if c.scope == 0:
        return Reason.NONE
    last = np.int64(s.accounts_open) if s.prefunded else np.int64(MAX_LOTS)  # an account is an int32
    if c.target < 1 or c.target > last:
        return Reason.UNKNOWN_ACCOUNT
    return Reason.INVALID_COMBINATION if c.target == c.account else Reason.NONE


@plain
def check_affordable(s, book, c, side, need):
    return shortfall(balance_of(s, book, c.account, side), side, need) if s.prefunded else Reason.NONE


@plain
def put_negotiation(s, c, instrument, side, counterparty, expiry, locked):
    """New terms of the command's account in a new row. Returns the row."""
    s.last_negotiation_id += 1
    s.negotiations_used += 1
    row = s.negotiations_used
    n = s.negotiations[row]
    n.id = s.last_negotiation_id
    n.instrument = instrument
    n.side = side
    n.counterparty = counterparty
    n.expiry = expiry
    put_terms(s, c, row, locked)
    return row


@small
def put_terms(s, c, row, locked):
    """The command's terms stand from now on, and are locked for."""
    n = s.negotiations[row]
    n.account = c.account
    n.price = c.price
    n.quantity = c.quantity
    n.locked = locked
    n.session = c.session
    n.client_order_id = c.client_order_id
    move_terms_lock(s, s.books[n.instrument], n.account, n.side, locked)


@plain
def block_offer(s, c):
    if c.side != Side.BUY and c.side != Side.SELL:
        return Reason.INVALID_SIDE
    if c.scope > 1:
        return Reason.INVALID_SCOPE
    if c.scope == 0 and c.target != 0:
        return Reason.UNUSED_FIELD_SET
    reason = check_party(s, c)
    if reason != Reason.NONE:
        return reason
    if c.instrument < 1 or c.instrument > s.instruments:
        return Reason.UNKNOWN_INSTRUMENT
    book = s.books[c.instrument]
    reason = check_target(s, c)
    if reason == Reason.NONE:
        reason = check_block_open(s, book)
    if reason == Reason.NONE:
        reason = check_active(s, c.account)
    if reason != Reason.NONE:
        return reason
    if c.expiry != 0 and c.expiry <= c.timestamp:
        return Reason.INVALID_EXPIRY
    price = np.int64(c.price)
    reason = check_block_terms(book, price, c.quantity)
    if reason == Reason.NONE:
        reason = check_member_limits(s, c, c.instrument, c.account, c.side, price, c.quantity)
    if reason != Reason.NONE:
        return reason
    if not room_for_negotiation(s):
        return Reason.NEGOTIATION_TABLE_FULL
    need = lock_of_terms(s, book, c.side, price, c.quantity)
    reason = check_affordable(s, book, c, c.side, need)
    if reason != Reason.NONE:
        return reason
    offered(s, c, put_negotiation(s, c, c.instrument, c.side, c.target, c.expiry, need), 0)
    return Reason.NONE


@plain
def visible_row(s, c):
    """Row of the live negotiation that a command names and its account may see, or 0."""
    row = live_row(s.negotiations, s.negotiations_used, c.target)
    n = s.negotiations[row]
    if row != 0 and (n.counterparty == 0 or n.counterparty == c.account or n.account == c.account):
        return row
    return np.int64(0)


@plain
def check_answer(s, c, row):
    """What COUNTER and ACCEPT ask of a negotiation: others' terms, open, enabled, not expired."""
    n = s.negotiations[row]
    if n.account == c.account:
        return Reason.OWN_TERMS
    reason = check_block_open(s, s.books[n.instrument])
    if reason == Reason.NONE:
        reason = check_active(s, c.account)
    if reason == Reason.NONE and n.expiry != 0 and c.timestamp >= n.expiry:
        reason = Reason.NEGOTIATION_EXPIRED
    return reason


@plain
def block_counter(s, c):
    reason = check_party(s, c)
    if reason != Reason.NONE:
        return reason
    row = visible_row(s, c)
    if row == 0:
        return Reason.UNKNOWN_NEGOTIATION
    reason = check_answer(s, c, row)
    if reason != Reason.NONE:
        return reason
    n = s.negotiations[row]
    book = s.books[n.instrument]
    side, price = 3 - n.side, np.int64(c.price)
    reason = check_block_terms(book, price, c.quantity)
    if reason == Reason.NONE:
        reason = check_member_limits(s, c, n.instrument, c.account, side, price, c.quantity)
    if reason != Reason.NONE:
        return reason
    public = n.counterparty == 0
    if public and not room_for_negotiation(s):
        return Reason.NEGOTIATION_TABLE_FULL
    need = lock_of_terms(s, book, side, price, c.quantity)
    reason = check_affordable(s, book, c, side, need)
    if reason != Reason.NONE:
        return reason
    row = live_row(s.negotiations, s.negotiations_used, c.target)  # making room may have moved it
    if public:
        answer_public(s, c, row, side, need)
    else:
        counter_named(s, c, row, side, need)
    return Reason.NONE


@plain
def answer_public(s, c, row, side, need):
    """The public offer stays; the answer is a negotiation of its own, named to the offerer."""
    n = s.negotiations[row]
    public = n.id
    offered(s, c, put_negotiation(s, c, n.instrument, side, n.account, n.expiry, need), public)


@plain
def counter_named(s, c, row, side, need):
    """The other account's terms fall, and its lock with them."""
    n = s.negotiations[row]
    released, session, client_order_id = n.locked, n.session, n.client_order_id
    move_terms_lock(s, s.books[n.instrument], n.account, n.side, -released)
    n.counterparty = n.account
    n.side = side
    put_terms(s, c, row, need)
    countered(s, c, row, released, session, client_order_id)


@plain
def block_accept(s, c):
    reason = check_party(s, c)
    if reason != Reason.NONE:
        return reason
    row = visible_row(s, c)
    if row == 0:
        return Reason.UNKNOWN_NEGOTIATION
    reason = check_answer(s, c, row)
    if reason != Reason.NONE:
        return reason
    n = s.negotiations[row]
    if c.price != n.price or c.quantity != n.quantity:
        return Reason.TERMS_CHANGED
    book = s.books[n.instrument]
    side = 3 - n.side
    reason = check_member_limits(s, c, n.instrument, c.account, side, n.price, n.quantity)
    if reason != Reason.NONE:
        return reason
    if mode_in_force(s, c.account, 0) != 0 and owner_group(s, c.account) == owner_group(s, n.account):
        return Reason.SELF_TRADE
    need = lock_of_terms(s, book, side, n.price, n.quantity)
    reason = check_affordable(s, book, c, side, need)
    if reason != Reason.NONE:
        return reason
    move_terms_lock(s, book, c.account, side, need)
    trade_block(s, c, book, row)
    return Reason.NONE


@plain
def trade_block(s, c, book, row):
    """Delivery against payment of both locks, statistics of the block mode, BLOCK_TRADE and FEE."""
    n = s.negotiations[row]
    side = 3 - n.side
    buying = side == Side.BUY
    fee = np.int64(0)
    if s.prefunded:
        buyer = np.int64(c.account) if buying else n.account
        seller = n.account if buying else np.int64(c.account)
        fee = exchange_block(s, book, buyer, seller, n.price, n.quantity)
    count_block(book, n.price, n.quantity)
    phase = listed_phase(s, n.instrument)
    write_event(
        s, c, EventKind.BLOCK_TRADE, 0, side, phase, side, n.instrument, n.price, n.quantity, c.account, n.account,
        n.id, n.id, c.client_order_id, n.client_order_id, 0, 0, 0, 0, c.session, n.session,
    )  # fmt: skip
    if fee != 0 and buying:
        write_event(
            s, c, EventKind.FEE, 0, 0, phase, 0, n.instrument, n.price, n.quantity, c.account, n.account,
            n.id, n.id, c.client_order_id, n.client_order_id, 0, 0, fee, fee, c.session, n.session,
        )  # fmt: skip
    elif fee != 0:
        write_event(
            s, c, EventKind.FEE, 0, 0, phase, 0, n.instrument, n.price, n.quantity, n.account, c.account,
            n.id, n.id, n.client_order_id, c.client_order_id, 0, 0, fee, fee, n.session, c.session,
        )  # fmt: skip
    forget(s, row)


@small
def count_block(book, price, lots):
    """The day's statistics of the block mode; the listed mode's stay."""
    book.block_volume += lots
    book.block_trades += 1
    book.block_turnover += price * lots
    if book.block_turnover >= TURNOVER_WORD:
        book.block_turnover -= TURNOVER_WORD
        book.block_turnover_high += 1


@plain
def block_withdraw(s, c):
    """Either side may walk away from a named negotiation; a public one is its offerer's."""
    reason = check_party(s, c)
    if reason != Reason.NONE:
        return reason
    row = live_row(s.negotiations, s.negotiations_used, c.target)
    n = s.negotiations[row]
    if row == 0 or (n.account != c.account and n.counterparty != c.account):
        return Reason.UNKNOWN_NEGOTIATION
    lapsed = c.session == 0 and n.expiry != 0 and c.timestamp >= n.expiry
    end_negotiation(s, c, row, Reason.TERMS_EXPIRED if lapsed else Reason.USER_REQUESTED)
    return Reason.NONE
