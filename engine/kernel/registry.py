"""Firms, accounts, sessions, and money and units coming in and going out."""

import numpy as np

from engine.arena import SIDES
from engine.kernel.admission import check_role
from engine.kernel.book import next_in_book
from engine.kernel.compiler import plain, small
from engine.kernel.day import LAST_DATE
from engine.kernel.events import about_account, counted
from engine.kernel.ledger import cash_of, deposit_cash, deposit_units, units_of, withdraw_cash, withdraw_units
from engine.kernel.limit_setting import accounts_of_firm, join_firm
from engine.kernel.matching import cancel_resting
from engine.schema import CommandKind, DisconnectPolicy, EventKind, Reason, Role, Status, TimeInForce

MAX_GROUP = (1 << 31) - 1
MAX_REASON = (1 << 15) - 1


@plain
def open_firm(s, c):
    reason = check_role(s, c)
    if reason != Reason.NONE:
        return reason
    if s.firms >= s.firm_capacity:
        return Reason.FIRM_TABLE_FULL
    s.firms += 1
    s.firm_table[s.firms].status = Status.ACTIVE
    counted(s, c, EventKind.FIRM_OPENED, 0, s.firms, 0, 0)
    return Reason.NONE


@small
def check_group(c):
    if c.quantity2 < 0 or c.quantity2 > MAX_GROUP:
        return Reason.INVALID_OWNER_GROUP
    return Reason.INVALID_DATE if c.expiry < 0 or c.expiry > LAST_DATE else Reason.NONE


@plain
def open_account(s, c):
    reason = check_role(s, c)
    if reason != Reason.NONE:
        return reason
    if c.quantity < 1 or c.quantity > s.firms:
        return Reason.UNKNOWN_FIRM
    reason = check_group(c)
    if reason != Reason.NONE:
        return reason
    if s.accounts_per_firm != 0 and accounts_of_firm(s, c.quantity) >= s.accounts_per_firm:
        return Reason.ACCOUNTS_PER_FIRM
    if s.accounts_open >= s.account_capacity:
        return Reason.ACCOUNT_TABLE_FULL
    s.accounts_open += 1
    account = s.accounts[s.accounts_open]
    account.firm = c.quantity
    account.owner_group = c.quantity2
    account.group_from = c.expiry
    account.status = Status.ACTIVE
    join_firm(s, s.accounts_open)
    about_account(s, c, EventKind.ACCOUNT_OPENED, s.accounts_open, c.quantity, c.quantity2, c.expiry)
    return Reason.NONE


@plain
def open_session(s, c):
    reason = check_role(s, c)
    if reason != Reason.NONE:
        return reason
    if c.scope < Role.TRADER or c.scope > Role.READER:
        return Reason.INVALID_ROLE
    lowest_firm = 1 if c.scope == Role.TRADER else 0
    if c.quantity < lowest_firm or c.quantity > s.firms:
        return Reason.UNKNOWN_FIRM
    if s.sessions_open >= s.session_capacity:
        return Reason.SESSION_TABLE_FULL
    s.sessions_open += 1
    session = s.sessions[s.sessions_open]
    session.firm = c.quantity
    session.role = c.scope
    session.status = Status.ACTIVE
    counted(s, c, EventKind.SESSION_OPENED, c.scope, s.sessions_open, c.quantity, 0)
    return Reason.NONE


@small
def check_operator_account(s, c):
    reason = check_role(s, c)
    if reason == Reason.NONE and (c.account < 1 or c.account > s.accounts_open):
        reason = Reason.UNKNOWN_ACCOUNT
    return reason


@small
def check_operator_session(s, c):
    reason = check_role(s, c)
    if reason == Reason.NONE and (c.target < 1 or c.target > s.sessions_open):
        reason = Reason.UNKNOWN_SESSION
    return reason


@plain
def set_account_status(s, c):
    reason = check_operator_account(s, c)
    if reason != Reason.NONE:
        return reason
    if c.scope != Status.ACTIVE and c.scope != Status.SUSPENDED:
        return Reason.INVALID_STATUS
    account = s.accounts[c.account]
    previous = np.int64(account.status)
    account.status = c.scope
    about_account(s, c, EventKind.ACCOUNT_STATUS_SET, c.account, c.scope, previous, 0)
    return Reason.NONE


@plain
def set_session_status(s, c):
    reason = check_operator_session(s, c)
    if reason != Reason.NONE:
        return reason
    if c.scope != Status.ACTIVE and c.scope != Status.ENDED:
        return Reason.INVALID_STATUS
    session = s.sessions[c.target]
    previous = np.int64(session.status)
    session.status = c.scope
    counted(s, c, EventKind.SESSION_STATUS_SET, previous, c.target, c.scope, 0)
    return Reason.NONE


@plain
def set_owner_group(s, c):
    reason = check_operator_account(s, c)
    if reason == Reason.NONE:
        reason = check_group(c)
    if reason != Reason.NONE:
        return reason
    account = s.accounts[c.account]
    previous = np.int64(account.owner_group)
    account.owner_group = c.quantity2
    account.group_from = c.expiry
    about_account(s, c, EventKind.OWNER_GROUP_SET, c.account, c.quantity2, previous, c.expiry)
    return Reason.NONE


@plain
def session_up(s, c):
    reason = check_operator_session(s, c)
    if reason != Reason.NONE:
        return reason
    session = s.sessions[c.target]
    if session.status != Status.ACTIVE:
        return Reason.SESSION_ENDED
    if c.scope > DisconnectPolicy.CANCEL_ALL:
        return Reason.INVALID_SCOPE
    session.connected = 1
    session.policy = c.scope
    counted(s, c, EventKind.SESSION_UP, 0, c.target, c.scope, 0)
    return Reason.NONE


@plain
def session_down(s, c):
    reason = check_operator_session(s, c)
    if reason != Reason.NONE:
        return reason
    if c.quantity < 0 or c.quantity > MAX_REASON:
        return Reason.INVALID_AMOUNT
    session = s.sessions[c.target]
    session.connected = 0
    count = 0
    if session.policy != DisconnectPolicy.KEEP:
        for i in range(1, s.instruments + 1):
            for k in range(SIDES):
                slot = next_in_book(s, i, k, 0)
                while slot != 0:
                    following = next_in_book(s, i, k, slot)
                    order = s.orders[slot]
                    kept = session.policy == DisconnectPolicy.CANCEL_DAY and order.time_in_force != TimeInForce.DAY
                    if order.session == c.target and not kept:
                        cancel_resting(s, c, slot, EventKind.CANCELLED, Reason.DISCONNECTED)
                        count += 1
                    slot = following
    counted(s, c, EventKind.SESSION_DOWN, 0, c.target, count, c.quantity)
    return Reason.NONE


@plain
def move_cash(s, c):
    """DEPOSIT_CASH, WITHDRAW_CASH."""
    reason = check_operator_account(s, c)
    if reason != Reason.NONE:
        return reason
    if c.scope < 1 or c.scope > s.currencies:
        return Reason.UNKNOWN_CURRENCY
    if c.quantity < 1 or c.quantity > (1 << 62) - 1:
        return Reason.INVALID_AMOUNT
    if c.kind == CommandKind.DEPOSIT_CASH:
        reason = deposit_cash(s, c.account, c.scope, c.quantity)
        signed = c.quantity
    else:
        reason = withdraw_cash(s, c.account, c.scope, c.quantity)
        signed = -c.quantity
    if reason != Reason.NONE:
        return reason
    free = cash_of(s, c.account, c.scope).free
    about_account(s, c, EventKind.CASH_MOVED, c.account, signed, free, c.scope)
    return Reason.NONE


@plain
def move_units(s, c):
    """DEPOSIT_UNITS, WITHDRAW_UNITS."""
    reason = check_operator_account(s, c)
    if reason != Reason.NONE:
        return reason
    if c.scope < 1 or c.scope > s.assets:
        return Reason.UNKNOWN_ASSET
    if c.quantity < 1 or c.quantity > (1 << 62) - 1:
        return Reason.INVALID_AMOUNT
    if c.kind == CommandKind.DEPOSIT_UNITS:
        reason = deposit_units(s, c.account, c.scope, c.quantity)
        signed = c.quantity
    else:
        reason = withdraw_units(s, c.account, c.scope, c.quantity)
        signed = -c.quantity
    if reason != Reason.NONE:
        return reason
    free = units_of(s, c.account, c.scope).free
    about_account(s, c, EventKind.UNITS_MOVED, c.account, signed, free, c.scope)
    return Reason.NONE
