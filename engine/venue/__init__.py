"""A venue's whole rule set: instruments, limits, calendar, capacities. TOML in, validated frozen Structs out.

Prices in a venue file are decimal strings ("72.93") and become ticks here; every other part of the engine sees
integers only. The same Struct, as JSON, is the genesis of a journal, so replay never depends on a file.
"""

from engine.venue.calendar import MODES, PHASES, Calendar, TransferWindow, Transition, date_number, number_date, utc_ns
from engine.venue.call_end import call_end_offset
from engine.venue.errors import VenueError
from engine.venue.parse import parse_venue
from engine.venue.rules import Venue
from engine.venue.terms import (
    FIRST_YEAR,
    LAST_YEAR,
    MAX_ACCOUNTS,
    MAX_ASSETS,
    MAX_AUCTIONS,
    MAX_BIDS,
    MAX_BUSTS,
    MAX_CALL_END_SECONDS,
    MAX_CARRY,
    MAX_CURRENCIES,
    MAX_ENCUMBRANCES,
    MAX_FIRMS,
    MAX_FLOOR_YEARS,
    MAX_ICEBERGS,
    MAX_INSTRUMENTS,
    MAX_NEGOTIATIONS,
    MAX_OBLIGATIONS,
    MAX_ORDERS,
    MAX_SESSIONS,
    MAX_WINDOW,
    AssetTerms,
    Capacity,
    ComplianceYear,
    Instrument,
)

__all__ = [
    "FIRST_YEAR",
    "LAST_YEAR",
    "MAX_ACCOUNTS",
    "MAX_ASSETS",
    "MAX_AUCTIONS",
    "MAX_BIDS",
    "MAX_BUSTS",
    "MAX_CALL_END_SECONDS",
    "MAX_CARRY",
    "MAX_CURRENCIES",
    "MAX_ENCUMBRANCES",
    "MAX_FIRMS",
    "MAX_FLOOR_YEARS",
    "MAX_ICEBERGS",
    "MAX_INSTRUMENTS",
    "MAX_NEGOTIATIONS",
    "MAX_OBLIGATIONS",
    "MAX_ORDERS",
    "MAX_SESSIONS",
    "MAX_WINDOW",
    "MODES",
    "PHASES",
    "AssetTerms",
    "Calendar",
    "Capacity",
    "ComplianceYear",
    "Instrument",
    "TransferWindow",
    "Transition",
    "Venue",
    "VenueError",
    "call_end_offset",
    "date_number",
    "number_date",
    "parse_venue",
    "utc_ns",
]
