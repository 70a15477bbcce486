"""Limits that the operator sets, and who is stopped (docs/controls.md 10.1 and 10.2; Regulation (EU) 2017/584
art. 18 and 20: rates, collars, largest value and volume, re-settable in session; MEE trading rules art. 21-22)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from engine.reference.admission import check_role, find_market
from engine.reference.exchange import Command, Exchange, Market, Refused
from engine.reference.registers import Limit
from engine.schema import BASIS_POINTS, MAX_MONEY, EventKind, LimitKind, Reason, Side, Status

SECOND = 10**9
HOLDING_KINDS = (LimitKind.POSITION, LimitKind.LARGE_HOLDER)
Owner = tuple[int, int, int]
"""(firm, account, instrument) whose limit it is; all 0 = the venue's."""
VENUE: Owner = (0, 0, 0)


def require_not_halted(x: Exchange, market: Market) -> None:
    """Neither the venue nor the instrument is stopped."""
    if x.venue_halted:
        raise Refused(Reason.VENUE_HALTED)
    if market.halted:
        raise Refused(Reason.INSTRUMENT_HALTED)


def require_firm_active(x: Exchange, account: int) -> None:
    """The account's firm is stopped neither by the operator nor by itself."""
    if x.venue.prefunded and x.firm_status[x.accounts[account].firm] != Status.ACTIVE:
        raise Refused(Reason.FIRM_STOPPED)


class Ask(NamedTuple):
    """What a command asks for, as far as limits look at it."""

    market: Market
    account: int
    side: int
    price: int
    """In force, ticks."""
    quantity: int
    """Lots in all."""
    more: int
    """Lots by which it adds to what the account holds or may come to hold."""
    collared: bool
    opens: bool


def require_member_limits(
    x: Exchange,
    market: Market,
    account: int,
    side: int,
    price: int,
    quantity: int,
    *,
    more: int | None = None,
    collared: bool = False,
    opens: bool = False,
) -> None:
    """Every limit in the order of LimitKind; for each kind the venue's, the firm's, the account's, the instrument's.

    Args:
        price, quantity: as they would be in force; of a REPLACE_ORDER the new total.
        more: lots that a buy adds, when that is not the quantity.
        collared: the price collar is asked (orders with a price of their own).
        opens: the command counts as an open order (DAY, GTC).

    Raises Refused; the rate is counted even when a later check refuses.
    """
    if not x.limits:
        return
    ask = Ask(market, account, side, price, quantity, quantity if more is None else more, collared, opens)
    check_size(x, ask)
    check_collar(x, ask)
    count_order(x, ask)
    check_open_orders(x, ask)
    check_position(x, ask)


def owners_of(x: Exchange, account: int, instrument: int) -> list[Owner]:
    """Whose limits bind a command, in their order."""
    members = [(x.accounts[account].firm, 0, 0), (0, account, 0)] if x.venue.prefunded else []
    return [VENUE, *members, (0, 0, instrument)]


def in_force(x: Exchange, owner: Owner, kind: LimitKind) -> int:
    """The limit at this moment; 0 = none."""
    limit = x.limits.get((*owner, kind))
    if limit is None:
        return 0
    return limit.override if limit.override and x.timestamp < limit.until else limit.value


def limits_on(x: Exchange, ask: Ask, kind: LimitKind) -> Iterator[tuple[Owner, int]]:
    """The limits of one kind in force for a command, in their order."""
    for owner in owners_of(x, ask.account, ask.market.instrument):
        most = in_force(x, owner, kind)
        if most:
            yield owner, most


def check_size(x: Exchange, ask: Ask) -> None:
    for _, most in limits_on(x, ask, LimitKind.ORDER_QUANTITY):
        if ask.quantity > most:
            raise Refused(Reason.MAX_ORDER_QUANTITY)
    value = ask.price * ask.quantity * ask.market.terms.tick_value
    for _, most in limits_on(x, ask, LimitKind.ORDER_VALUE):
        if value > most:
            raise Refused(Reason.MAX_ORDER_VALUE)


def check_collar(x: Exchange, ask: Ask) -> None:
    """Basis points around the last price, else the previous close; without either there is no collar."""
    reference = ask.market.last or ask.market.previous_close
    if not ask.collared or not reference:
        return
    for _, most in limits_on(x, ask, LimitKind.PRICE_COLLAR):
        if abs(ask.price - reference) * BASIS_POINTS > most * reference:
            raise Refused(Reason.PRICE_COLLAR)


def count_order(x: Exchange, ask: Ask) -> None:
    """Orders within one second of journal time: all limits in force agree first, then all of them count."""
    second = x.timestamp // SECOND
    counting = []
    for owner, most in limits_on(x, ask, LimitKind.ORDER_RATE):
        limit = x.limits[*owner, LimitKind.ORDER_RATE]
        so_far = limit.count if limit.second == second else 0
        if so_far >= most:
            raise Refused(Reason.ORDER_RATE)
        counting.append((limit, so_far + 1))
    for limit, count in counting:
        limit.second, limit.count = second, count


def check_open_orders(x: Exchange, ask: Ask) -> None:
    if not ask.opens:
        return
    for (firm, account, instrument), most in limits_on(x, ask, LimitKind.OPEN_ORDERS):
        live = sum(
            (not firm or x.accounts[order.account].firm == firm)
            and (not account or order.account == account)
            and (not instrument or order.instrument == instrument)
            for order in x.orders.values()
        )
        if live >= most:
            raise Refused(Reason.OPEN_ORDERS)


def check_position(x: Exchange, ask: Ask) -> None:
    """What is held, what resting buy orders may bring and what the command may bring, units of the asset."""
    if ask.side != Side.BUY or ask.more <= 0:
        return
    terms = ask.market.terms
    for (firm, _, _), most in limits_on(x, ask, LimitKind.POSITION):
        holders = [n for n, one in enumerate(x.accounts) if n and one.firm == firm] if firm else [ask.account]
        held = sum(total_units(x, holder, terms.asset) + units_bid_for(x, holder, terms.asset) for holder in holders)
        if held + ask.more * terms.units_per_lot > most:
            raise Refused(Reason.POSITION_LIMIT)


def total_units(x: Exchange, account: int, asset: int) -> int:
    """All buckets of what an account has of an asset."""
    hold = x.accounts[account].holds.get(asset)
    if hold is None:
        return 0
    available = hold.free + hold.locked + hold.bought_today
    return available + hold.pledged + hold.judicial + hold.auction_frozen + hold.transfer_pending


def units_bid_for(x: Exchange, account: int, asset: int) -> int:
    """Units that the account's resting buy orders may bring."""
    total = 0
    for order in x.orders.values():
        terms = x.markets[order.instrument - 1].terms
        if order.account == account and order.side == Side.BUY and terms.asset == asset:
            total += order.remaining * terms.units_per_lot
    return total


def tell_large_holders(x: Exchange) -> None:
    """SETTLE: who holds more than the reporting threshold (MEE trading rules art. 22). Refuses nothing."""
    for account, owner in enumerate(x.accounts):
        if not account:
            continue
        threshold = (
            in_force(x, (0, account, 0), LimitKind.LARGE_HOLDER)
            or in_force(x, (owner.firm, 0, 0), LimitKind.LARGE_HOLDER)
            or in_force(x, VENUE, LimitKind.LARGE_HOLDER)
        )
        for asset in sorted(owner.holds):
            held = total_units(x, account, asset)
            if threshold and held > threshold:
                x.emit(EventKind.LARGE_HOLDER, account=account, remaining=threshold, aux=held, aux2=asset)


def set_limit(x: Exchange, command: Command) -> None:
    """SET_LIMIT: in force at once, in every phase and stage; an override holds until a moment (art. 20)."""
    if not LimitKind.ORDER_QUANTITY <= command.scope <= LimitKind.LARGE_HOLDER:
        raise Refused(Reason.INVALID_LIMIT)
    check_role(x, command)
    kind = LimitKind(command.scope)
    firm, account, instrument = owner = (command.target, command.account, command.instrument)
    check_owner(x, owner)
    check_values(x, kind, command)

    key = (firm, account, instrument, int(kind))
    limit = x.limits.setdefault(key, Limit(*key))
    limit.value, limit.override, limit.until = command.quantity, command.quantity2, command.expiry
    if not limit.value and not limit.override:
        del x.limits[key]
    x.emit(
        EventKind.LIMIT_SET,
        instrument=instrument,
        account=account,
        order_id=firm,
        quantity=kind,
        remaining=command.expiry,
        aux=command.quantity,
        aux2=command.quantity2,
    )


def check_owner(x: Exchange, owner: Owner) -> None:
    """One firm, account or instrument at most, and it exists."""
    firm, account, instrument = owner
    if sum(1 for one in owner if one) > 1:
        raise Refused(Reason.INVALID_COMBINATION)
    if (firm or account) and not x.venue.prefunded:
        raise Refused(Reason.INVALID_COMBINATION)
    if account and not x.account_exists(account):
        raise Refused(Reason.UNKNOWN_ACCOUNT)
    if instrument:
        find_market(x, instrument)
    if firm and not 1 <= firm <= x.firms:
        raise Refused(Reason.UNKNOWN_FIRM)


def check_values(x: Exchange, kind: LimitKind, command: Command) -> None:
    most = BASIS_POINTS if kind == LimitKind.PRICE_COLLAR else MAX_MONEY
    of_holdings = kind in HOLDING_KINDS
    if of_holdings and (command.instrument or not x.venue.prefunded):
        raise Refused(Reason.INVALID_LIMIT)
    if not (0 <= command.quantity <= most and 0 <= command.quantity2 <= most):
        raise Refused(Reason.INVALID_LIMIT)
    if command.expiry < 0 or bool(command.expiry) != bool(command.quantity2):
        raise Refused(Reason.INVALID_EXPIRY)
