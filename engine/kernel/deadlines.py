"""Dates of the compliance years: what is due by them, and what they found missing.

The rules: docs/registry.md. Source: work notice of 2026 (dates of vintage 2025); State Council decree 775 art. 24 (who
has not surrendered in time is ordered to, so units that come late are taken).
"""

import numpy as np

from engine.kernel.compiler import plain, small
from engine.kernel.events import write_event
from engine.schema import EventKind
from engine.venue import FIRST_YEAR


@small
def date_of_year(dates, year):
    """The date that the venue file states for a compliance year; 0 = none."""
    return dates[np.int64(year) - FIRST_YEAR]


@small
def is_after(s, date):
    """Whether the trading date lies behind a date; nothing does behind none."""
    return date != 0 and s.trading_date > date


@plain
def set_date(obligation, date, due):
    """A new date begins anew; the same one takes back what was found missing where nothing is missing, nor was late."""
    if date != obligation.surrender_by:
        obligation.surrender_by = date
        obligation.overdue = 0
        obligation.late = 0
    elif due == obligation.surrendered and obligation.late == 0:
        obligation.overdue = 0


@plain
def tell_overdue(s, c, last):
    """The obligations that lack units after their date, which is at most `last`; each is told once."""
    for row in range(1, s.obligations_used + 1):
        obligation = s.obligations[row]
        date = obligation.surrender_by
        missing = obligation.due - obligation.surrendered
        if date != 0 and date <= last and missing > 0 and obligation.overdue == 0:
            obligation.overdue = s.trading_date
            write_event(
                s, c, EventKind.OBLIGATION_OVERDUE, 0, 0, 0, 0, 0, 0, obligation.due, obligation.account, 0,
                obligation.id, 0, c.client_order_id, 0, missing, 0, obligation.year, date, c.session, 0,
            )  # fmt: skip
