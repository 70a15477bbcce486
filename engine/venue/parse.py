"""TOML text in, a checked Venue out; every fault names file, key and what to write instead."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from engine.explain import explain, first_float, float_remedy
from engine.schema import MAX_MONEY, MAX_PRICE, MAX_QUANTITY, PPM
from engine.venue.auction_terms import auction_faults, notice_faults
from engine.venue.calendar import Calendar
from engine.venue.call_terms import calendar_call_faults, call_faults
from engine.venue.errors import VenueError
from engine.venue.registry_terms import registry_faults
from engine.venue.rules import Venue
from engine.venue.terms import (
    FIRST_YEAR,
    LAST_YEAR,
    MAX_ACCOUNTS,
    MAX_ASSETS,
    MAX_AUCTIONS,
    MAX_BIDS,
    MAX_CARRY,
    MAX_CURRENCIES,
    MAX_ENCUMBRANCES,
    MAX_FIRMS,
    MAX_ICEBERGS,
    MAX_INSTRUMENTS,
    MAX_NEGOTIATIONS,
    MAX_OBLIGATIONS,
    MAX_ORDERS,
    MAX_SESSIONS,
    MAX_WINDOW,
    Instrument,
)


def parse_venue(text: str, source: str) -> Venue:
    """TOML text -> Venue. A table `[instrument_defaults]` fills what the `[[instruments]]` leave out.

    Raises VenueError naming source, key and remedy.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise VenueError(f"{source}: not valid TOML: {error}; mend that line") from None
    defaults = data.pop("instrument_defaults", {})
    listed = data.get("instruments", [])
    if not isinstance(defaults, dict) or not isinstance(listed, list) or not all(isinstance(i, dict) for i in listed):
        raise VenueError(f"{source}: write [instrument_defaults] as one table and [[instruments]] as a list of tables")
    data["instruments"] = [{**defaults, **instrument} for instrument in listed]
    inexact = first_float(data)
    if inexact:
        raise VenueError(f"{source}: {float_remedy(*inexact, Venue)}")
    try:
        venue = msgspec.convert(data, Venue)
    except msgspec.ValidationError as error:
        raise VenueError(f"{source}: {explain(str(error), Venue)}") from None
    return checked(venue, source)


def checked(venue: Venue, source: str) -> Venue:
    """The venue itself when its values can work together; else VenueError."""
    faults = list(_faults(venue))
    if faults:
        key, fault = faults[0]
        raise VenueError(f"{source}: key `{key}`: {fault}")
    return venue


def _faults(venue: Venue) -> Iterable[tuple[str, str]]:
    yield from _ranges(
        "capacity",
        {
            "orders": (venue.capacity.orders, MAX_ORDERS - 2),
            "accounts": (venue.capacity.accounts, MAX_ACCOUNTS - 1),
            "firms": (venue.capacity.firms, MAX_FIRMS - 1),
            "sessions": (venue.capacity.sessions, MAX_SESSIONS - 1),
            "negotiations": (venue.capacity.negotiations, MAX_NEGOTIATIONS - 1),
            "auctions": (venue.capacity.auctions, MAX_AUCTIONS - 1),
            "bids": (venue.capacity.bids, MAX_BIDS - 1),
            "holds": (venue.capacity.holds, MAX_ENCUMBRANCES - 1),
            "obligations": (venue.capacity.obligations, MAX_OBLIGATIONS - 1),
            "icebergs": (venue.capacity.icebergs, MAX_ICEBERGS - 1),
        },
    )
    if not 0 <= venue.sweep_levels <= MAX_WINDOW:
        yield "sweep_levels", f"{venue.sweep_levels} is out of range; write 0 for no limit or a small number such as 5"
    for key, names, most in (
        ("assets", venue.assets, MAX_ASSETS - 1),
        ("currencies", venue.currencies, MAX_CURRENCIES - 1),
    ):
        if len(names) > most:
            yield key, f"{len(names)} names; write at most {most}"
        if len(set(names)) != len(names) or "" in names:
            yield key, "a name is empty or stands twice; write different names"
    if not 1 <= len(venue.instruments) < MAX_INSTRUMENTS:
        yield "instruments", f"write 1 to {MAX_INSTRUMENTS - 1} [[instruments]] tables"
    yield from _ranges(
        "",
        {
            "auction_carry_over": (venue.auction_carry_over, MAX_CARRY),
            "auction_carry_cap_bps": (venue.auction_carry_cap_bps, 100_000),
            "offset_limit_bps": (venue.offset_limit_bps, 10_000),
            "carry_over_base": (venue.carry_over_base, MAX_QUANTITY),
            "carry_over_factor_bps": (venue.carry_over_factor_bps, 1_000_000),
            "accounts_per_firm": (venue.accounts_per_firm, MAX_ACCOUNTS - 1),
        },
        least=0,
    )
    yield from notice_faults(venue)
    for i, terms in enumerate(venue.asset_terms):
        if terms.asset not in venue.assets or terms.asset in [t.asset for t in venue.asset_terms[:i]]:
            yield f"asset_terms[{i}].asset", f"{terms.asset!r} is no asset of the venue, or stands twice"
        if terms.surrender_until and not FIRST_YEAR <= terms.surrender_until <= LAST_YEAR:
            yield f"asset_terms[{i}].surrender_until", f"{terms.surrender_until} is no year; write 2000 to 2999, or 0"
    symbols = [i.symbol for i in venue.instruments]
    for i, symbol in enumerate(symbols):
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,20}", symbol):
            yield f"instruments[{i}].symbol", f"{symbol!r}: use 1 to 20 of the characters A-Z a-z 0-9 _ . -"
        if symbol in symbols[:i]:
            yield f"instruments[{i}].symbol", f"{symbol!r} stands twice; write different symbols"
    for i, instrument in enumerate(venue.instruments):
        for key, fault in _instrument_faults(venue, instrument):
            yield f"instruments[{i}].{key}", fault
    yield from _calendar_faults(venue.calendar)
    yield from calendar_call_faults(venue)
    yield from registry_faults(venue)


def _ranges(where: str, values: Mapping[str, tuple[int, int]], least: int = 1) -> Iterable[tuple[str, str]]:
    for key, (value, most) in values.items():
        if not least <= value <= most:
            yield f"{where}.{key}" if where else key, f"{value} is out of range; write {least} to {most}"


def _instrument_faults(venue: Venue, instrument: Instrument) -> Iterable[tuple[str, str]]:
    tick = instrument.tick
    if not tick.is_finite() or not Decimal("0.000001") <= tick <= Decimal(1_000_000):
        yield "tick", f'{tick} is out of range; write the smallest price difference, such as "0.01"'
        return
    for key in ("floor", "ceiling", "previous_close", "auction_floor"):
        value = getattr(instrument, key)
        try:
            ticks = instrument.ticks(value) if value is not None else 1
        except VenueError as error:
            yield key, str(error)
            return
        if not 1 <= ticks <= MAX_PRICE:
            yield key, f"{value} is out of range; write a price from one tick ({tick}) to 2^31 - 1 ticks"
            return
    low, high = instrument.floor_ticks, instrument.ceiling_ticks
    if not low <= high or high - low >= MAX_WINDOW:
        most = instrument.price(low + MAX_WINDOW - 1)
        yield "ceiling", f"{instrument.ceiling} is out of range; write {instrument.floor} (the floor) to {most}"
    if instrument.previous_close is not None and not low <= instrument.previous_close_ticks <= high:
        found, least, most = instrument.previous_close, instrument.floor, instrument.ceiling
        yield "previous_close", f"{found} is out of range; write {least} (the floor) to {most} (the ceiling)"
    yield from _ranges(
        "",
        {
            "tick_value": (instrument.tick_value, MAX_MONEY // MAX_PRICE),
            "units_per_lot": (instrument.units_per_lot, 1_000_000),
            "price_step": (instrument.price_step, high),
            "quantity_step": (instrument.quantity_step, MAX_QUANTITY),
            "quantity_min": (instrument.quantity_min, instrument.quantity_max),
            "quantity_max": (instrument.quantity_max, MAX_QUANTITY),
            "block_max": (instrument.block_max, MAX_QUANTITY),
            "auction_step": (instrument.auction_step, MAX_QUANTITY),
            "auction_min": (instrument.auction_min, MAX_QUANTITY),
            "auction_bid_max": (instrument.auction_bid_max, MAX_QUANTITY),
        },
    )
    yield from _ranges(
        "",
        {
            "limit_listed_bps": (instrument.limit_listed_bps, 9_999),
            "limit_block_bps": (instrument.limit_block_bps, 9_999),
            "block_min": (instrument.block_min, instrument.block_max),
            "fee_ppm": (instrument.fee_ppm, PPM),
        },
        least=0,
    )
    for key, name, names in (
        ("asset", instrument.asset, venue.assets),
        ("currency", instrument.currency, venue.currencies),
    ):
        if name not in names and (name or venue.prefunded):
            known = f"write one of {', '.join(names)}" if names else "list it in the venue's own key of that kind first"
            yield key, f"{name!r} is not among the venue's; {known}"
    if not instrument.order_types:
        yield "order_types", 'the list is empty; write at least ["limit"]'
    if not instrument.times_in_force:
        yield "times_in_force", 'the list is empty; write at least ["day"]'
    yield from auction_faults(instrument)
    yield from call_faults(instrument)


def _calendar_faults(calendar: Calendar) -> Iterable[tuple[str, str]]:
    try:
        ZoneInfo(calendar.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield "calendar.timezone", f"{calendar.timezone!r} is no IANA zone; write for example Asia/Shanghai"
    if not calendar.weekdays or not all(1 <= day <= 7 for day in calendar.weekdays):
        yield "calendar.weekdays", "not a list of weekdays; write numbers from 1 (Monday) to 7 (Sunday)"
    for i, transition in enumerate(calendar.transitions):
        if transition.at.tzinfo is not None:
            yield f"calendar.transitions[{i}].at", "has a zone of its own; write local time, such as 09:30:00"
            return
        if not transition.modes:
            yield f"calendar.transitions[{i}].modes", 'the list is empty; write at least ["LISTED"]'
    times = [t.at for t in calendar.transitions]
    if times != sorted(times):
        yield "calendar.transitions", "not in order of time; sort them"
    ends = [t for t in calendar.transitions if t.phase == "END"]
    if calendar.transitions and (len(ends) != 1 or calendar.transitions[-1].phase != "END"):
        yield "calendar.transitions", 'no single end of day; write phase = "END" in the last one, and only there'
