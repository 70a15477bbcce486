"""What must fit together where a venue bounds auctions: notice, shares of a bidder, the floor that rises each year."""

from __future__ import annotations

from collections.abc import Iterable

from engine.schema import BASIS_POINTS
from engine.venue.rules import Venue
from engine.venue.terms import MAX_FLOOR_YEARS, MAX_INFLATION_PPM, MAX_NOTICE_DAYS, Instrument


def notice_faults(venue: Venue) -> Iterable[tuple[str, str]]:
    """Faults of the venue's own keys, as (key, what is wrong and what to write instead)."""
    if not 0 <= venue.auction_notice_days <= MAX_NOTICE_DAYS:
        yield "auction_notice_days", f"{venue.auction_notice_days} is out of range; write 0 to {MAX_NOTICE_DAYS}"
    elif not 0 <= venue.auction_freeze_days <= venue.auction_notice_days:
        most = f"{venue.auction_notice_days} (auction_notice_days)"
        yield "auction_freeze_days", f"{venue.auction_freeze_days} is out of range; write 0 to {most}"


def auction_faults(instrument: Instrument) -> Iterable[tuple[str, str]]:
    """Faults of one instrument's keys."""
    for key in ("auction_covered_bps", "auction_other_bps", "auction_floor_rise_bps"):
        value = getattr(instrument, key)
        if not 0 <= value <= BASIS_POINTS:
            yield key, f"{value} is out of range; write 0 to {BASIS_POINTS}"
    if instrument.auction_floor is None:
        for key in ("auction_floor_year", "auction_floor_rise_bps", "auction_floor_inflation_ppm"):
            if getattr(instrument, key):
                yield key, "needs the floor of its first year; write auction_floor, or leave this key out"
    elif not 2000 <= instrument.auction_floor_year <= 2999:
        yield "auction_floor_year", f"{instrument.auction_floor_year} is no year; write 2000 to 2999"
    years = instrument.auction_floor_inflation_ppm
    if len(years) > MAX_FLOOR_YEARS:
        yield "auction_floor_inflation_ppm", f"{len(years)} years; write at most {MAX_FLOOR_YEARS}"
    for ppm in years:
        if not -MAX_INFLATION_PPM <= ppm <= MAX_INFLATION_PPM:
            most = MAX_INFLATION_PPM
            yield "auction_floor_inflation_ppm", f"{ppm} is out of range; write -{most} to {most}"
