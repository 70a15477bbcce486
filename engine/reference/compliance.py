"""Allocation, obligations, surrender, carry-over, the settlement's answer (docs/registry.md; rule book section 5).

Surrender is by vintage, carry-over is limited: rule book section 2, surrender_until.
"""

from __future__ import annotations

from engine.reference.administration import check_amount, check_asset, check_total, find_account
from engine.reference.admission import check_account, check_account_active, check_role
from engine.reference.day import MAX_DATE
from engine.reference.deadlines import allocated_late, fix_date, surrender_by
from engine.reference.encumbrances import check_free
from engine.reference.exchange import Command, Exchange, Hold, Refused
from engine.reference.money import half_up
from engine.reference.registers import Obligation
from engine.schema import BASIS_POINTS, AssetKind, DayStage, EventKind, Reason
from engine.venue import FIRST_YEAR, LAST_YEAR

MAX_NET_SALES = 2**46 - 1


def check_year(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Refused(Reason.INVALID_YEAR)


def check_owner(x: Exchange, command: Command) -> Hold:
    """What every request of an owner begins with. Returns the holding it concerns."""
    check_role(x, command)
    check_account(x, command)
    check_account_active(x, command.account)
    check_asset(x, command.scope)
    check_amount(command.quantity)
    return x.accounts[command.account].hold_of(command.scope)


def allocate_units(x: Exchange, command: Command) -> None:
    """ALLOCATE_UNITS: of a compliance year (G15)."""
    check_role(x, command)
    account = find_account(x, command.account)
    check_asset(x, command.scope)
    check_amount(command.quantity)
    check_year(command.expiry)
    check_total(x.units_deposited[command.scope] + command.quantity)

    hold = account.hold_of(command.scope)
    hold.free += command.quantity
    x.units_deposited[command.scope] += command.quantity
    x.emit(
        EventKind.UNITS_ALLOCATED,
        quantity=command.scope,
        account=command.account,
        remaining=command.expiry,
        contra_remaining=allocated_late(x, command.expiry),
        aux=command.quantity,
        aux2=hold.free,
    )


def set_obligation(x: Exchange, command: Command) -> None:
    """SET_OBLIGATION: what an account must surrender for a year; a correction keeps what was surrendered."""
    check_role(x, command)
    find_account(x, command.account)
    check_year(command.expiry)
    if command.quantity:
        check_amount(command.quantity)
    if not 0 <= command.target <= MAX_DATE:
        raise Refused(Reason.INVALID_DATE)
    obligation = next(
        (o for o in x.obligations.values() if (o.account, o.year) == (command.account, command.expiry)), None
    )
    if obligation is not None:
        if command.quantity < obligation.surrendered:
            raise Refused(Reason.EXCEEDS_OBLIGATION)
    elif len(x.obligations) >= x.venue.capacity.obligations:
        raise Refused(Reason.OBLIGATION_TABLE_FULL)

    if obligation is None:
        x.last_obligation_id += 1
        obligation = Obligation(x.last_obligation_id, command.account, command.expiry)
        x.obligations[obligation.id] = obligation
    due_before, obligation.due = obligation.due, command.quantity
    fix_date(obligation, command.target or surrender_by(x, obligation.year))
    x.emit(
        EventKind.OBLIGATION_SET,
        quantity=obligation.due,
        account=obligation.account,
        order_id=obligation.id,
        remaining=obligation.due - obligation.surrendered,
        contra_remaining=obligation.surrender_by,
        aux=obligation.year,
        aux2=due_before,
    )


def kind_of(x: Exchange, asset: int) -> AssetKind:
    """Assets without terms of their own are allowances."""
    name = x.venue.assets[asset - 1]
    return next((AssetKind[terms.kind] for terms in x.venue.asset_terms if terms.asset == name), AssetKind.ALLOWANCE)


def surrender_until(x: Exchange, asset: int) -> int:
    """Last compliance year that an asset counts for; 0 = no end."""
    name = x.venue.assets[asset - 1]
    return next((terms.surrender_until for terms in x.venue.asset_terms if terms.asset == name), 0)


def surrender(x: Exchange, command: Command) -> None:
    """SURRENDER: by vintage; offsets cover a limited share of the obligation, credits nothing (G14, G16)."""
    asset, units, year = command.scope, command.quantity, command.expiry
    hold = check_owner(x, command)
    obligation = x.obligations.get(command.target)
    if obligation is None or obligation.account != command.account or obligation.year != year:
        raise Refused(Reason.UNKNOWN_OBLIGATION)
    kind, until = kind_of(x, asset), surrender_until(x, asset)
    if kind == AssetKind.CREDIT or (until and until < year):
        raise Refused(Reason.NOT_SURRENDERABLE)
    if obligation.surrendered + units > obligation.due:
        raise Refused(Reason.EXCEEDS_OBLIGATION)
    most_offsets = half_up(obligation.due * x.venue.offset_limit_bps, BASIS_POINTS)
    if kind == AssetKind.OFFSET and obligation.offsets + units > most_offsets:
        raise Refused(Reason.OFFSET_LIMIT)
    check_free(hold, units)

    leave_ledger(x, hold, asset, units)
    obligation.surrendered += units
    if kind == AssetKind.OFFSET:
        obligation.offsets += units
    if obligation.overdue:
        obligation.late += units
    x.emit(
        EventKind.UNITS_SURRENDERED,
        quantity=units,
        account=command.account,
        order_id=obligation.id,
        remaining=obligation.due - obligation.surrendered,
        contra_remaining=obligation.late,
        aux=asset,
        aux2=year,
    )


def leave_ledger(x: Exchange, hold: Hold, asset: int, units: int) -> None:
    hold.free -= units
    x.units_deposited[asset] -= units


def voluntary_cancel(x: Exchange, command: Command) -> None:
    """VOLUNTARY_CANCEL: units given up for good."""
    hold = check_owner(x, command)
    check_free(hold, command.quantity)

    leave_ledger(x, hold, command.scope, command.quantity)
    x.emit(
        EventKind.UNITS_CANCELLED,
        quantity=command.quantity,
        account=command.account,
        aux=command.scope,
        aux2=hold.free,
    )


def carry_over(x: Exchange, command: Command) -> None:
    """CARRY_OVER: at most a base and a multiple of the net sales, 10,000 + 1.5 x net sales (section 2)."""
    source, destination, units = command.scope, command.side, command.quantity
    check_role(x, command)
    account = find_account(x, command.account)
    check_asset(x, source)
    check_asset(x, destination)
    if source == destination:
        raise Refused(Reason.INVALID_COMBINATION)
    if kind_of(x, source) != AssetKind.ALLOWANCE or kind_of(x, destination) != AssetKind.ALLOWANCE:
        raise Refused(Reason.NOT_SURRENDERABLE)
    check_amount(units)
    check_year(command.expiry)
    if not 0 <= command.quantity2 <= MAX_NET_SALES:
        raise Refused(Reason.INVALID_AMOUNT)
    hold = account.hold_of(source)
    share = half_up(command.quantity2 * x.venue.carry_over_factor_bps, BASIS_POINTS)
    if hold.carried_over + units > x.venue.carry_over_base + share:
        raise Refused(Reason.CARRY_OVER_LIMIT)
    check_total(x.units_deposited[destination] + units)
    check_free(hold, units)

    leave_ledger(x, hold, source, units)
    hold.carried_over += units
    account.hold_of(destination).free += units
    x.units_deposited[destination] += units
    x.emit(
        EventKind.UNITS_CARRIED_OVER,
        quantity=units,
        account=command.account,
        remaining=hold.carried_over,
        contra_remaining=command.expiry,
        aux=source,
        aux2=destination,
    )


def acknowledge_settlement(x: Exchange, command: Command) -> None:
    """ACKNOWLEDGE_SETTLEMENT: the registry's answer to the day's settlement file (G3, G4)."""
    if command.scope not in (0, 1):
        raise Refused(Reason.INVALID_SCOPE)
    check_role(x, command)
    if x.day_stage != DayStage.CLOSE_FIXED:
        raise Refused(Reason.WRONG_DAY_STAGE)
    if command.expiry != x.trading_date:
        raise Refused(Reason.INVALID_DATE)

    x.acknowledged_date = 0 if command.scope else x.trading_date
    x.emit(EventKind.SETTLEMENT_ACKNOWLEDGED, quantity=command.scope, aux=x.trading_date)
