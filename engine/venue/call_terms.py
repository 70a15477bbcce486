"""What must fit together where a venue has call auctions, corridors and the price rules beside them."""

from __future__ import annotations

from collections.abc import Iterable

from engine.venue.rules import Venue
from engine.venue.terms import MAX_CALL_END_SECONDS, Instrument

CALLS = ("OPEN_CALL", "CLOSE_CALL")
"""Phases of a calendar that are calls; VOLATILITY_CALL begins with a trade outside a corridor."""


def call_faults(instrument: Instrument) -> Iterable[tuple[str, str]]:
    """Faults of one instrument's keys, as (key, what is wrong and what to write instead)."""
    for key, most in (
        ("corridor_dynamic_bps", 9_999),
        ("corridor_static_bps", 9_999),
        ("call_random_end_seconds", MAX_CALL_END_SECONDS),
    ):
        value = getattr(instrument, key)
        if not 0 <= value <= most:
            yield key, f"{value} is out of range; write 0 to {most}"
        elif value and not instrument.call_auction:
            yield key, f"{value} needs call auctions; write 0, or call_auction = true"
        elif value and key != "call_random_end_seconds" and instrument.price_rule == "MEDIAN3":
            yield key, f'{value} does not go with price_rule = "MEDIAN3"; write 0, or price_rule = "MAKER"'


def calendar_call_faults(venue: Venue) -> Iterable[tuple[str, str]]:
    """Faults of the calendar's calls: they are phases of listed trading, for every instrument at once."""
    without = [i.symbol for i in venue.instruments if not i.call_auction]
    for n, transition in enumerate(venue.calendar.transitions):
        where = f"calendar.transitions[{n}]"
        if transition.phase in CALLS:
            if transition.modes != ("LISTED",):
                yield f"{where}.modes", f'{transition.phase} is a phase of listed trading; write ["LISTED"]'
            elif without:
                remedy = "write call_auction = true there, or another phase"
                yield f"{where}.phase", f"{transition.phase}, but {without[0]} has no call auctions; {remedy}"
        elif transition.no_cancel:
            yield f"{where}.no_cancel", f"{transition.phase} is no call; write it with OPEN_CALL or CLOSE_CALL alone"
