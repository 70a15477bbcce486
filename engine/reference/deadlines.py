"""Dates of the compliance years (docs/registry.md, "Dates of a compliance year"; rule book section 5, G15)."""

from __future__ import annotations

from engine.reference.exchange import Exchange
from engine.reference.registers import Obligation
from engine.schema import EventKind
from engine.venue import ComplianceYear, date_number


def dates_of(x: Exchange, year: int) -> ComplianceYear:
    """What the venue file says of a year."""
    return next((terms for terms in x.venue.compliance_years if terms.year == year), ComplianceYear(year=year))


def surrender_by(x: Exchange, year: int) -> int:
    """The venue's last day to surrender for a year; 0 = it states none."""
    last = dates_of(x, year).surrender_by
    return date_number(last) if last else 0


def allocated_late(x: Exchange, year: int) -> bool:
    """Whether the last day of the year's allocation has passed."""
    last = dates_of(x, year).allocation_by
    return last is not None and date_number(last) < x.trading_date


def fix_date(obligation: Obligation, last: int) -> None:
    """A correction: another date starts anew, the same date forgives only what was never missing."""
    if obligation.surrender_by != last:
        obligation.surrender_by, obligation.overdue, obligation.late = last, 0, 0
    if obligation.due == obligation.surrendered and not obligation.late:
        obligation.overdue = 0


def tell_overdue(x: Exchange, ended: int) -> None:
    """The days up to `ended` are over: whose units are missing now."""
    for obligation in x.obligations.values():
        date_has_come = 0 < obligation.surrender_by <= ended
        if not date_has_come or obligation.overdue or obligation.surrendered >= obligation.due:
            continue
        obligation.overdue = x.trading_date
        x.emit(
            EventKind.OBLIGATION_OVERDUE,
            quantity=obligation.due,
            account=obligation.account,
            order_id=obligation.id,
            remaining=obligation.due - obligation.surrendered,
            aux=obligation.year,
            aux2=obligation.surrender_by,
        )
