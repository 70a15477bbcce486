"""Firms, accounts, sessions, deposits and withdrawals (docs/engine.md section 5)."""

from __future__ import annotations

from engine.reference.admission import check_role
from engine.reference.day import MAX_DATE
from engine.reference.exchange import Account, Command, Exchange, Refused, Session
from engine.reference.matching import end_order
from engine.schema import (
    MAX_MONEY,
    DisconnectPolicy,
    EventKind,
    Reason,
    Role,
    Status,
    TimeInForce,
)

MAX_OWNER_GROUP = 2**31 - 1
MAX_REASON = 2**15 - 1


def open_firm(x: Exchange, command: Command) -> None:
    """OPEN_FIRM."""
    check_role(x, command)
    if x.firms >= x.venue.capacity.firms:
        raise Refused(Reason.FIRM_TABLE_FULL)

    x.firm_status.append(int(Status.ACTIVE))
    x.emit(EventKind.FIRM_OPENED, aux=x.firms)


def open_account(x: Exchange, command: Command) -> None:
    """OPEN_ACCOUNT: of a firm, in a beneficial owner group (0 = none) from a date."""
    firm, group, from_date = command.quantity, command.quantity2, command.expiry
    check_role(x, command)
    check_firm(x, firm)
    check_owner_group(group, from_date)
    most = x.venue.accounts_per_firm
    if most and sum(account.firm == firm for account in x.accounts[1:]) >= most:
        raise Refused(Reason.ACCOUNTS_PER_FIRM)
    if len(x.accounts) > x.venue.capacity.accounts:
        raise Refused(Reason.ACCOUNT_TABLE_FULL)

    x.accounts.append(Account(firm, group, from_date))
    x.emit(EventKind.ACCOUNT_OPENED, account=len(x.accounts) - 1, quantity=from_date, aux=firm, aux2=group)


def open_session(x: Exchange, command: Command) -> None:
    """OPEN_SESSION: a trader belongs to a firm; operators and readers need none."""
    firm, role = command.quantity, command.scope
    check_role(x, command)
    if role not in (Role.TRADER, Role.OPERATOR, Role.READER):
        raise Refused(Reason.INVALID_ROLE)
    if firm != 0 or role == Role.TRADER:
        check_firm(x, firm)
    if len(x.sessions) > x.venue.capacity.sessions:
        raise Refused(Reason.SESSION_TABLE_FULL)

    x.sessions.append(Session(firm, role))
    x.emit(EventKind.SESSION_OPENED, quantity=role, aux=len(x.sessions) - 1, aux2=firm)


def check_firm(x: Exchange, firm: int) -> None:
    if not 1 <= firm <= x.firms:
        raise Refused(Reason.UNKNOWN_FIRM)


def check_owner_group(group: int, from_date: int) -> None:
    if not 0 <= group <= MAX_OWNER_GROUP:
        raise Refused(Reason.INVALID_OWNER_GROUP)
    if not 0 <= from_date <= MAX_DATE:
        raise Refused(Reason.INVALID_DATE)


def find_account(x: Exchange, account: int) -> Account:
    if not x.account_exists(account):
        raise Refused(Reason.UNKNOWN_ACCOUNT)
    return x.accounts[account]


def find_session(x: Exchange, session: int) -> Session:
    """One that was opened; the venue itself (0) is none."""
    if not 1 <= session < len(x.sessions):
        raise Refused(Reason.UNKNOWN_SESSION)
    return x.sessions[session]


def set_account_status(x: Exchange, command: Command) -> None:
    """SET_ACCOUNT_STATUS: a suspended account enters and changes nothing; it may still cancel."""
    check_role(x, command)
    account = find_account(x, command.account)
    if command.scope not in (Status.ACTIVE, Status.SUSPENDED):
        raise Refused(Reason.INVALID_STATUS)

    previous, account.status = account.status, command.scope
    x.emit(EventKind.ACCOUNT_STATUS_SET, account=command.account, aux=command.scope, aux2=previous)


def set_session_status(x: Exchange, command: Command) -> None:
    """SET_SESSION_STATUS: an ended session is refused everything; its orders stay."""
    check_role(x, command)
    session = find_session(x, command.target)
    if command.scope not in (Status.ACTIVE, Status.ENDED):
        raise Refused(Reason.INVALID_STATUS)

    previous, session.status = session.status, command.scope
    x.emit(EventKind.SESSION_STATUS_SET, quantity=previous, aux=command.target, aux2=command.scope)


def set_owner_group(x: Exchange, command: Command) -> None:
    """SET_OWNER_GROUP: in force at once, for resting orders too; the date is for surveillance."""
    check_role(x, command)
    account = find_account(x, command.account)
    check_owner_group(command.quantity2, command.expiry)

    previous, account.owner_group = account.owner_group, command.quantity2
    account.group_from = command.expiry
    x.emit(
        EventKind.OWNER_GROUP_SET,
        account=command.account,
        quantity=command.expiry,
        aux=command.quantity2,
        aux2=previous,
    )


def session_up(x: Exchange, command: Command) -> None:
    """SESSION_UP: a session logged on and chose what becomes of its orders when it is lost."""
    check_role(x, command)
    session = find_session(x, command.target)
    if session.status != Status.ACTIVE:
        raise Refused(Reason.SESSION_ENDED)
    if command.scope > DisconnectPolicy.CANCEL_ALL:
        raise Refused(Reason.INVALID_SCOPE)

    session.policy = command.scope
    session.connected = 1
    x.emit(EventKind.SESSION_UP, aux=command.target, aux2=command.scope)


def session_down(x: Exchange, command: Command) -> None:
    """SESSION_DOWN: its disconnect policy is carried out on the orders it entered."""
    check_role(x, command)
    session = find_session(x, command.target)
    if not 0 <= command.quantity <= MAX_REASON:
        raise Refused(Reason.INVALID_AMOUNT)

    session.connected = 0
    lost = []
    if session.policy != DisconnectPolicy.KEEP:
        every = session.policy == DisconnectPolicy.CANCEL_ALL
        lost = [
            order
            for order in x.live_orders()
            if order.session == command.target and (every or order.time_in_force == TimeInForce.DAY)
        ]
    for order in lost:
        end_order(x, x.markets[order.instrument - 1], order, EventKind.CANCELLED, Reason.DISCONNECTED)
    x.emit(EventKind.SESSION_DOWN, reason=command.quantity, aux=command.target, aux2=len(lost))


def check_currency(x: Exchange, currency: int) -> None:
    if not 1 <= currency < len(x.cash_deposited):
        raise Refused(Reason.UNKNOWN_CURRENCY)


def check_asset(x: Exchange, asset: int) -> None:
    if not 1 <= asset < len(x.units_deposited):
        raise Refused(Reason.UNKNOWN_ASSET)


def check_amount(amount: int) -> None:
    if not 1 <= amount <= MAX_MONEY:
        raise Refused(Reason.INVALID_AMOUNT)


def check_total(total: int) -> None:
    """No balance can overflow, because all deposits together stay within bounds."""
    if total > MAX_MONEY:
        raise Refused(Reason.AMOUNT_OVERFLOW)


def deposit_cash(x: Exchange, command: Command) -> None:
    """DEPOSIT_CASH."""
    currency, amount = command.scope, command.quantity
    check_role(x, command)
    account = find_account(x, command.account)
    check_currency(x, currency)
    check_amount(amount)
    check_total(x.cash_deposited[currency] + amount)

    move_cash(x, account, command, amount)


def withdraw_cash(x: Exchange, command: Command) -> None:
    """WITHDRAW_CASH: under EOD today's sale proceeds stay until settlement (rule book section 3, T+1 and cash)."""
    currency, amount = command.scope, command.quantity
    check_role(x, command)
    account = find_account(x, command.account)
    check_currency(x, currency)
    check_amount(amount)
    cash = account.cash_in(currency)
    if cash.free < amount:
        raise Refused(Reason.INSUFFICIENT_FUNDS)
    if x.venue.withdraw_after == "EOD" and cash.free - cash.proceeds_today < amount:
        raise Refused(Reason.PROCEEDS_NOT_SETTLED)

    move_cash(x, account, command, -amount)


def move_cash(x: Exchange, account: Account, command: Command, change: int) -> None:
    cash = account.cash_in(command.scope)
    cash.free += change
    x.cash_deposited[command.scope] += change
    x.emit(EventKind.CASH_MOVED, account=command.account, quantity=command.scope, aux=change, aux2=cash.free)


def deposit_units(x: Exchange, command: Command) -> None:
    """DEPOSIT_UNITS: in from the registry."""
    asset, units = command.scope, command.quantity
    check_role(x, command)
    account = find_account(x, command.account)
    check_asset(x, asset)
    check_amount(units)
    check_total(x.units_deposited[asset] + units)

    move_units(x, account, command, units)


def withdraw_units(x: Exchange, command: Command) -> None:
    """WITHDRAW_UNITS: only what is free, not what is locked or was bought today (rule book, G2)."""
    asset, units = command.scope, command.quantity
    check_role(x, command)
    account = find_account(x, command.account)
    check_asset(x, asset)
    check_amount(units)
    hold = account.hold_of(asset)
    if hold.free < units:
        enough_tomorrow = hold.free + hold.bought_today >= units
        raise Refused(Reason.UNITS_BOUGHT_TODAY if enough_tomorrow else Reason.INSUFFICIENT_UNITS)

    move_units(x, account, command, -units)


def move_units(x: Exchange, account: Account, command: Command, change: int) -> None:
    hold = account.hold_of(command.scope)
    hold.free += change
    x.units_deposited[command.scope] += change
    x.emit(EventKind.UNITS_MOVED, account=command.account, quantity=command.scope, aux=change, aux2=hold.free)
