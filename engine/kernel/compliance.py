"""Allocation, obligations, surrender, cancellation, carry-over, and the registry's word on the day's settlement.

The rules: docs/registry.md. Sources: allocation plans 2025/2026 (pre-allocation, surrender by vintage, carry-over =
10,000 + 1.5 x net sales), MEE measures art. 29 (offsets at most 5 % of the obligation). Only pre-funded venues come
here (see admission.check_kind).
"""

import numpy as np

from engine.kernel.admission import check_role
from engine.kernel.compiler import plain, small
from engine.kernel.day import LAST_DATE
from engine.kernel.deadlines import date_of_year, is_after, set_date
from engine.kernel.encumbrances import (
    MAX_UNITS,
    buckets_of,
    check_amount,
    check_asset,
    check_asset_units,
    check_owner,
    missing_units,
    tell,
)
from engine.kernel.ledger import deposit_units, units_of
from engine.kernel.registry import check_operator_account
from engine.kernel.rounding import half_up
from engine.schema import BASIS_POINTS, AssetKind, DayStage, EventKind, Reason
from engine.venue import FIRST_YEAR, LAST_YEAR

MAX_NET_SALES = (1 << 46) - 1


@plain
def tell_units(s, c, kind, number, quantity, remaining, contra_remaining, aux, aux2):
    tell(s, c, kind, 0, c.account, 0, number, quantity, remaining, contra_remaining, aux, aux2)


@small
def share(amount, bps):
    """half_up(amount x bps, 10,000) without a product of 2^63 or more."""
    whole, rest = amount // BASIS_POINTS, amount % BASIS_POINTS
    return whole * bps + half_up(rest * bps, np.int64(BASIS_POINTS))


@small
def check_year(year):
    return Reason.NONE if FIRST_YEAR <= year <= LAST_YEAR else Reason.INVALID_YEAR


@plain
def allocate_units(s, c):
    reason = check_operator_account(s, c)
    if reason == Reason.NONE:
        reason = check_asset_units(s, c)
    if reason == Reason.NONE:
        reason = check_year(c.expiry)
    if reason == Reason.NONE:
        reason = deposit_units(s, c.account, c.scope, c.quantity)
    if reason != Reason.NONE:
        return reason
    free = units_of(s, c.account, c.scope).free
    late = is_after(s, date_of_year(s.allocation_by, c.expiry))
    tell_units(s, c, EventKind.UNITS_ALLOCATED, 0, c.scope, c.expiry, late, c.quantity, free)
    return Reason.NONE


@plain
def find_obligation(s, account, year):
    """The row, which is the id, of an account's obligation for a year; 0 = none."""
    for row in range(1, s.obligations_used + 1):
        if s.obligations[row].account == account and s.obligations[row].year == year:
            return row
    return 0


@plain
def set_obligation(s, c):
    reason = check_operator_account(s, c)
    if reason == Reason.NONE:
        reason = check_year(c.expiry)
    if reason == Reason.NONE and (c.quantity < 0 or c.quantity > MAX_UNITS):
        reason = Reason.INVALID_AMOUNT
    if reason == Reason.NONE and (c.target < 0 or c.target > LAST_DATE):
        reason = Reason.INVALID_DATE
    if reason != Reason.NONE:
        return reason
    row = find_obligation(s, c.account, c.expiry)
    if row == 0:
        if s.obligations_used >= s.obligation_capacity:
            return Reason.OBLIGATION_TABLE_FULL
        s.last_obligation_id += 1
        s.obligations_used += 1
        row = s.obligations_used
        s.obligations[row].id = s.last_obligation_id
        s.obligations[row].account = c.account
        s.obligations[row].year = c.expiry
    obligation = s.obligations[row]
    if c.quantity < obligation.surrendered:
        return Reason.EXCEEDS_OBLIGATION
    before = np.int64(obligation.due)
    obligation.due = c.quantity
    date = c.target if c.target != 0 else date_of_year(s.surrender_by, c.expiry)
    set_date(obligation, date, c.quantity)
    left = c.quantity - obligation.surrendered
    tell_units(s, c, EventKind.OBLIGATION_SET, obligation.id, c.quantity, left, date, c.expiry, before)
    return Reason.NONE


@plain
def check_surrender(s, c):
    """Whether the asset and the units count for the obligation `target`."""
    if c.target < 1 or c.target > s.obligations_used:
        return Reason.UNKNOWN_OBLIGATION
    obligation = s.obligations[c.target]
    if obligation.account != c.account or obligation.year != c.expiry:
        return Reason.UNKNOWN_OBLIGATION
    kind, until = s.asset_kinds[c.scope], s.surrender_until[c.scope]
    if kind == AssetKind.CREDIT or (until != 0 and until < c.expiry):
        return Reason.NOT_SURRENDERABLE
    if obligation.surrendered + c.quantity > obligation.due:
        return Reason.EXCEEDS_OBLIGATION
    if kind == AssetKind.OFFSET and obligation.offsets + c.quantity > share(obligation.due, s.offset_limit_bps):
        return Reason.OFFSET_LIMIT
    return Reason.NONE


@plain
def take_out(s, c):
    """Free units of the command's account leave the ledger."""
    reason = missing_units(s, c.account, c.scope, c.quantity, np.int64(0))
    if reason == Reason.NONE:
        units_of(s, c.account, c.scope).free -= c.quantity
        s.units_deposited[c.scope] -= c.quantity
    return reason


@plain
def surrender(s, c):
    reason = check_owner(s, c)
    if reason == Reason.NONE:
        reason = check_asset_units(s, c)
    if reason == Reason.NONE:
        reason = check_surrender(s, c)
    if reason == Reason.NONE:
        reason = take_out(s, c)
    if reason != Reason.NONE:
        return reason
    obligation = s.obligations[c.target]
    obligation.surrendered += c.quantity
    if s.asset_kinds[c.scope] == AssetKind.OFFSET:
        obligation.offsets += c.quantity
    if obligation.overdue != 0:
        obligation.late += c.quantity
    left = obligation.due - obligation.surrendered
    tell_units(s, c, EventKind.UNITS_SURRENDERED, obligation.id, c.quantity, left, obligation.late, c.scope, c.expiry)
    return Reason.NONE


@plain
def voluntary_cancel(s, c):
    reason = check_owner(s, c)
    if reason == Reason.NONE:
        reason = check_asset_units(s, c)
    if reason == Reason.NONE:
        reason = take_out(s, c)
    if reason != Reason.NONE:
        return reason
    free = units_of(s, c.account, c.scope).free
    tell_units(s, c, EventKind.UNITS_CANCELLED, 0, c.quantity, 0, 0, c.scope, free)
    return Reason.NONE


@plain
def check_carry_over(s, c):
    reason = check_operator_account(s, c)
    if reason == Reason.NONE:
        reason = check_asset(s, c.scope)
    if reason == Reason.NONE:
        reason = check_asset(s, c.side)
    if reason != Reason.NONE:
        return reason
    if c.scope == c.side:
        return Reason.INVALID_COMBINATION
    if s.asset_kinds[c.scope] != AssetKind.ALLOWANCE or s.asset_kinds[c.side] != AssetKind.ALLOWANCE:
        return Reason.NOT_SURRENDERABLE
    reason = check_amount(c.quantity)
    if reason == Reason.NONE:
        reason = check_year(c.expiry)
    if reason == Reason.NONE and (c.quantity2 < 0 or c.quantity2 > MAX_NET_SALES):
        reason = Reason.INVALID_AMOUNT
    if reason != Reason.NONE:
        return reason
    most = s.carry_over_base + share(c.quantity2, s.carry_over_factor_bps)
    if buckets_of(s, c.account, c.scope).carried_over + c.quantity > most:
        return Reason.CARRY_OVER_LIMIT
    if c.quantity > MAX_UNITS - s.units_deposited[c.side]:
        return Reason.AMOUNT_OVERFLOW
    return missing_units(s, c.account, c.scope, c.quantity, np.int64(0))


@plain
def carry_over(s, c):
    reason = check_carry_over(s, c)
    if reason != Reason.NONE:
        return reason
    units_of(s, c.account, c.scope).free -= c.quantity
    s.units_deposited[c.scope] -= c.quantity
    units_of(s, c.account, c.side).free += c.quantity
    s.units_deposited[c.side] += c.quantity
    buckets = buckets_of(s, c.account, c.scope)
    buckets.carried_over += c.quantity
    tell_units(
        s, c, EventKind.UNITS_CARRIED_OVER, 0, c.quantity, buckets.carried_over, c.expiry, c.scope, c.side
    )  # fmt: skip
    return Reason.NONE


@plain
def acknowledge_settlement(s, c):
    if c.scope > 1:
        return Reason.INVALID_SCOPE
    reason = check_role(s, c)
    if reason != Reason.NONE:
        return reason
    if s.day_stage != DayStage.CLOSE_FIXED:
        return Reason.WRONG_DAY_STAGE
    if c.expiry != s.trading_date:
        return Reason.INVALID_DATE
    s.acknowledged_date = s.trading_date if c.scope == 0 else 0
    tell(s, c, EventKind.SETTLEMENT_ACKNOWLEDGED, 0, 0, 0, 0, c.scope, 0, 0, s.trading_date, 0)
    return Reason.NONE
