"""What must fit together in a venue's terms with the registry: transfer windows and the dates of compliance years."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from engine.venue.rules import Venue
from engine.venue.terms import FIRST_YEAR, LAST_YEAR


def registry_faults(venue: Venue) -> Iterable[tuple[str, str]]:
    """Faults as (key, what is wrong and what to write instead)."""
    yield from _window_faults(venue)
    yield from _year_faults(venue)


def _window_faults(venue: Venue) -> Iterable[tuple[str, str]]:
    key, windows = "calendar.transfer_windows", venue.calendar.transfer_windows
    if windows and not venue.prefunded:
        yield (
            key,
            "nothing is transferred without pre-funding; leave the windows out, or write prefunded = true",
        )
    for n, window in enumerate(windows):
        for name, at in (("opens", window.opens), ("closes", window.closes)):
            if at.tzinfo is not None:
                yield f"{key}[{n}].{name}", "has a zone of its own; write local time, such as 09:00:00"
                return
        if window.opens >= window.closes:
            yield f"{key}[{n}].closes", f"{window.closes} is not after {window.opens}; write a later time of that day"
    if any(one.closes >= other.opens for one, other in pairwise(windows)):
        yield key, "not in order of time, or two of them touch; sort them, and write one for both"


def _year_faults(venue: Venue) -> Iterable[tuple[str, str]]:
    years = [terms.year for terms in venue.compliance_years]
    for n, terms in enumerate(venue.compliance_years):
        key = f"compliance_years[{n}]"
        if not FIRST_YEAR <= terms.year <= LAST_YEAR:
            yield f"{key}.year", f"{terms.year} is no year; write 2000 to 2999"
        if terms.year in years[:n]:
            yield f"{key}.year", f"{terms.year} stands twice; write one table for it"
        if terms.allocation_by is None and terms.surrender_by is None:
            yield key, "states no date; write allocation_by, surrender_by, or both"
        if terms.allocation_by and terms.surrender_by and terms.allocation_by > terms.surrender_by:
            late = f"{terms.allocation_by} is after surrender_by"
            yield f"{key}.allocation_by", f"{late}; write a date up to {terms.surrender_by}"
