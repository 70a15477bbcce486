"""A venue's whole rule set: instruments, limits, calendar, capacities. TOML in, validated frozen Structs out.

Prices in a venue file are decimal strings ("72.93") and become ticks here; every other part of the engine sees
integers only. The same Struct, as JSON, is the genesis of a journal, so replay never depends on a file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from engine.explain import explain, first_float, float_remedy
from engine.schema import MAX_MONEY, MAX_PRICE, MAX_QUANTITY, PPM, SWEEP_LEVELS, Mode, Phase, SelfTrade

MAX_INSTRUMENTS: Final = 256
MAX_WINDOW: Final = 1 << 17
"""Most ticks between an instrument's floor and ceiling, both included."""
MAX_ORDERS: Final = 1 << 20
MAX_ACCOUNTS: Final = 1 << 14
MAX_FIRMS: Final = 1 << 14
MAX_SESSIONS: Final = 1 << 14
MAX_ASSETS: Final = 64
MAX_CURRENCIES: Final = 4

OrderTypeName = Literal["limit", "market"]
TimeInForceName = Literal["day", "gtc", "ioc", "fok"]
CrossPolicy = Literal["TAKE", "REJECT"]
DepthRemainder = Literal["SYSTEM_CANCEL", "REST_AT_LAST", "RESWEEP"]
SelfTradeName = Literal["OFF", "CANCEL_TAKER", "CANCEL_MAKER", "CANCEL_BOTH", "DECREMENT"]
CloseRule = Literal["VWAP", "LAST"]
CompositeRule = Literal["NONE", "MEAN_UNTIL"]
PhaseName = Literal["CLOSED", "PRE_OPEN", "CONTINUOUS", "BREAK", "HALT"]
ModeName = Literal["LISTED", "BLOCK", "BIDDING"]


class VenueError(ValueError):
    """A venue file that cannot be used: the message names the file, the key and what to write instead."""


class Capacity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many of each the venue holds; a full table refuses with a reason. Slot 0 of every table means none."""

    orders: int = 100_000
    accounts: int = 10_000
    firms: int = 10_000
    sessions: int = 10_000


class Instrument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One order book. Sources of the defaults: rule table in the venue file itself."""

    symbol: str
    asset: str = ""
    currency: str = ""
    tick: Decimal = Decimal("0.01")
    """Smallest price difference, in currency units; prices on the wire count these."""
    tick_value: int = 1
    """Minor currency units that one lot costs per tick."""
    units_per_lot: int = 1
    price_step: int = 1
    """Prices must be a multiple of this many ticks."""
    quantity_step: int = 1
    quantity_min: int = 1
    quantity_max: int = MAX_QUANTITY
    floor: Decimal
    ceiling: Decimal
    limit_listed_bps: int = 0
    """Daily limit of the listed mode around the previous close, basis points; 0 = none."""
    limit_block_bps: int = 0
    fee_ppm: int = 0
    """Fee per side, parts per million of the amount."""
    order_types: tuple[OrderTypeName, ...] = ("limit", "market")
    times_in_force: tuple[TimeInForceName, ...] = ("day", "gtc", "ioc", "fok")
    post_only: bool = True
    close: CloseRule = "VWAP"
    listed_from: date = date(1970, 1, 1)
    previous_close: Decimal | None = None
    in_composite: bool = False

    def ticks(self, price: Decimal | str | int) -> int:
        """Price in currency units -> ticks. Raises VenueError when it is off the tick."""
        try:
            value = Decimal(price)
        except InvalidOperation:
            raise VenueError(f"{self.symbol}: {price!r} is no price; write a decimal number such as 72.93") from None
        if not value.is_finite() or abs(value.adjusted()) > 30:
            raise VenueError(f"{self.symbol}: {price} is no price; write a decimal number such as 72.93")
        ticks = Fraction(value) / Fraction(self.tick)
        if ticks.denominator != 1:
            raise VenueError(f"{self.symbol}: price {price} is not a multiple of the tick {self.tick}; round it")
        return ticks.numerator

    def price(self, ticks: int) -> Decimal:
        """Ticks -> price in currency units."""
        return self.tick * ticks

    @property
    def floor_ticks(self) -> int:
        return self.ticks(self.floor)

    @property
    def ceiling_ticks(self) -> int:
        return self.ticks(self.ceiling)

    @property
    def previous_close_ticks(self) -> int:
        """0 when there is none."""
        return 0 if self.previous_close is None else self.ticks(self.previous_close)

    @property
    def listed_from_date(self) -> int:
        return date_number(self.listed_from)


class Transition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At `at` local time, `modes` enter `phase`; END runs the end of day (stop, expire, fix close, settle)."""

    at: time
    phase: PhaseName | Literal["END"]
    modes: tuple[ModeName, ...] = ("LISTED",)


class Calendar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Local wall-clock transitions of a trading day. Weekdays count from 1 (Monday) to 7."""

    timezone: str = "UTC"
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5)
    holidays: tuple[date, ...] = ()
    transitions: tuple[Transition, ...] = ()

    def is_trading_day(self, day: date) -> bool:
        return day.isoweekday() in self.weekdays and day not in self.holidays

    def next_trading_day(self, day: date) -> date:
        """The first trading day after `day`."""
        for ahead in range(1, 400):
            candidate = day + timedelta(days=ahead)
            if self.is_trading_day(candidate):
                return candidate
        raise VenueError("calendar: no trading day within 400 days; check weekdays and holidays")

    def moments(self, day: date) -> list[tuple[int, Transition]]:
        """The day's transitions as (UTC nanoseconds, transition), in time order; empty on a holiday."""
        if not self.is_trading_day(day):
            return []
        zone = ZoneInfo(self.timezone)
        found = [(utc_ns(datetime.combine(day, t.at, tzinfo=zone)), t) for t in self.transitions]
        return sorted(found, key=lambda pair: pair[0])


class Venue(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that decides what a command does, beside the commands before it."""

    name: str
    title: str = ""
    prefunded: bool = True
    """Accounts, cash and units are kept and every order is funded in full; without it accounts are mere labels."""
    open_from_start: bool = False
    """Trading is continuous from the first command on, without a calendar or phases."""
    self_trade: SelfTradeName = "CANCEL_TAKER"
    sweep_levels: int = SWEEP_LEVELS
    """How many price levels one order may take; 0 = no limit."""
    cross_policy: CrossPolicy = "TAKE"
    depth_remainder: DepthRemainder = "SYSTEM_CANCEL"
    take: bool = True
    """TAKE (picking a named listing) is offered."""
    click_strict: bool = True
    """TAKE only at the best price; otherwise anywhere in the best `sweep_levels` levels."""
    break_cancel: bool = True
    """Orders may be cancelled during a break."""
    settlement_days: Literal[0, 1] = 1
    """0: bought units are free at once; 1: free after the day's settlement (T+1)."""
    withdraw_after: Literal["EOD", "AT_ONCE"] = "EOD"
    """When sale proceeds may leave the venue; they may be spent at once in either case."""
    composite: CompositeRule = "NONE"
    """MEAN_UNTIL: mean of the closes until `composite_mean_until`, from then on the newest vintage's close."""
    composite_mean_until: date = date(2025, 12, 31)
    currencies: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    capacity: Capacity = Capacity()
    calendar: Calendar = Calendar()
    instruments: tuple[Instrument, ...]

    @classmethod
    def preset(cls, name: str) -> Venue:
        """A venue that comes with the package: `seee`, `plain`."""
        folder = files("engine") / "venues"
        known = sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
        if name not in known:
            raise VenueError(f"no preset {name!r}; there are: {', '.join(known)}")
        return parse_venue((folder / f"{name}.toml").read_text("utf-8"), source=f"preset {name}")

    @classmethod
    def load(cls, path: str | Path) -> Venue:
        """Read a venue file. Raises VenueError."""
        try:
            text = Path(path).read_text("utf-8")
        except OSError as error:
            raise VenueError(f"{path}: cannot be read ({error.strerror}); name a venue file or a preset") from None
        except UnicodeDecodeError:
            raise VenueError(f"{path}: is not UTF-8 text; write TOML") from None
        return parse_venue(text, source=str(path))

    @classmethod
    def find(cls, name_or_path: str) -> Venue:
        """A preset by its name, or a file by its path (anything with a dot or a slash)."""
        return cls.load(name_or_path) if re.search(r"[./\\]", name_or_path) else cls.preset(name_or_path)

    @classmethod
    def from_json(cls, data: bytes) -> Venue:
        """The venue of a journal's genesis. Raises VenueError."""
        try:
            return checked(msgspec.json.decode(data, type=cls), "genesis")
        except msgspec.ValidationError as error:
            raise VenueError(f"genesis: {explain(str(error), cls)}") from None
        except msgspec.DecodeError as error:
            raise VenueError(f"genesis: not valid JSON: {error}") from None

    def to_json(self) -> bytes:
        return msgspec.json.encode(self)

    def with_instruments(self, count: int) -> Venue:
        """The same venue with `count` copies of its first instrument, named X1, X2, ..."""
        first = self.instruments[0]
        copies = tuple(msgspec.structs.replace(first, symbol=f"X{i}") for i in range(1, count + 1))
        return checked(msgspec.structs.replace(self, instruments=copies), f"{self.name} with {count} instruments")

    def changed(self, **changes: Any) -> Venue:
        """A copy with other values, validated again."""
        return checked(msgspec.structs.replace(self, **changes), self.name)

    def instrument_id(self, symbol: str) -> int:
        """Symbol -> id from 1. Raises VenueError."""
        for number, instrument in enumerate(self.instruments, 1):
            if instrument.symbol == symbol:
                return number
        raise VenueError(f"{self.name}: no instrument {symbol!r}; there are: {_names(self.instruments)}")

    def asset_id(self, asset: str) -> int:
        """Name -> id from 1; 0 for the empty name."""
        return self.assets.index(asset) + 1 if asset else 0

    def currency_id(self, currency: str) -> int:
        """Name -> id from 1; 0 for the empty name."""
        return self.currencies.index(currency) + 1 if currency else 0

    @property
    def self_trade_mode(self) -> int:
        """0 = off, else a SelfTrade."""
        return 0 if self.self_trade == "OFF" else int(SelfTrade[self.self_trade])


def utc_ns(moment: datetime) -> int:
    """An aware datetime as UTC nanoseconds, exactly."""
    since = moment - datetime.fromtimestamp(0, ZoneInfo("UTC"))
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000


def date_number(day: date) -> int:
    """2025-08-11 -> 20250811."""
    return day.year * 10_000 + day.month * 100 + day.day


def number_date(number: int) -> date:
    """20250811 -> 2025-08-11. Raises ValueError when it is no date."""
    return date(number // 10_000, number // 100 % 100, number % 100)


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


def _ranges(where: str, values: Mapping[str, tuple[int, int]], least: int = 1) -> Iterable[tuple[str, str]]:
    for key, (value, most) in values.items():
        if not least <= value <= most:
            yield f"{where}.{key}" if where else key, f"{value} is out of range; write {least} to {most}"


def _instrument_faults(venue: Venue, instrument: Instrument) -> Iterable[tuple[str, str]]:
    tick = instrument.tick
    if not tick.is_finite() or not Decimal("0.000001") <= tick <= Decimal(1_000_000):
        yield "tick", f'{tick} is out of range; write the smallest price difference, such as "0.01"'
        return
    for key in ("floor", "ceiling", "previous_close"):
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
        },
    )
    yield from _ranges(
        "",
        {
            "limit_listed_bps": (instrument.limit_listed_bps, 9_999),
            "limit_block_bps": (instrument.limit_block_bps, 9_999),
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


def _names(instruments: Iterable[Instrument]) -> str:
    return ", ".join(i.symbol for i in instruments)


MODES: Final[dict[str, Mode]] = {mode.name: mode for mode in Mode}
PHASES: Final[dict[str, Phase]] = {phase.name: phase for phase in Phase}
