"""Venue files: what is read, what is refused and in which words, prices and the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.schema import SelfTrade
from engine.venue import (
    MAX_WINDOW,
    Calendar,
    Instrument,
    Venue,
    VenueError,
    date_number,
    number_date,
    parse_venue,
    utc_ns,
)

pytestmark = pytest.mark.nojit

INSTRUMENT = '[[instruments]]\nsymbol = "A"\nfloor = "1"\nceiling = "2"\n'
SEEE, PLAIN = Venue.preset("seee"), Venue.preset("plain")
CEA24 = SEEE.instruments[SEEE.instrument_id("CEA24") - 1]


def venue(head: str = "", instrument: str = "", tail: str = "") -> Venue:
    """A small venue: its own keys, keys of its instrument, further tables."""
    return parse_venue(f'name = "small"\nprefunded = false\n{head}\n{INSTRUMENT}{instrument}\n{tail}', "small.toml")


def fault(head: str = "", instrument: str = "", tail: str = "") -> str:
    with pytest.raises(VenueError) as caught:
        venue(head, instrument, tail)
    return str(caught.value)


# Presets


def test_seee_preset():
    assert [i.symbol for i in SEEE.instruments] == ["CEA19-20", "CEA21", "CEA22", "CEA23", "CEA24", "CEA25"]
    assert (SEEE.prefunded, SEEE.open_from_start, SEEE.sweep_levels, SEEE.settlement_days) == (True, False, 5, 1)
    assert (CEA24.limit_listed_bps, CEA24.limit_block_bps, CEA24.quantity_max) == (1000, 3000, 99_999)
    assert CEA24.times_in_force == ("day", "ioc", "fok")
    assert SEEE.instruments[5].previous_close is None
    assert SEEE.instruments[5].listed_from_date == 20260105


def test_plain_preset():
    (instrument,) = PLAIN.instruments
    assert (PLAIN.prefunded, PLAIN.open_from_start, PLAIN.sweep_levels, PLAIN.self_trade_mode) == (False, True, 0, 0)
    assert (instrument.floor_ticks, instrument.ceiling_ticks) == (1, MAX_WINDOW - 1)


def test_unknown_preset():
    with pytest.raises(VenueError, match=r"no preset 'sse'; there are: ccer, eex-auction, .*, plain, .*, seee"):
        Venue.preset("sse")


def test_find_takes_a_preset_or_a_path(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(f'name = "mine"\nprefunded = false\n{INSTRUMENT}')
    assert Venue.find("plain") == PLAIN
    assert Venue.find(str(path)).name == "mine"


def test_ids_and_names():
    assert SEEE.instrument_id("CEA21") == 2
    assert (SEEE.asset_id("CEA21"), SEEE.currency_id("CNY")) == (2, 1)
    assert (SEEE.asset_id(""), SEEE.currency_id("")) == (0, 0)
    assert SEEE.self_trade_mode == SelfTrade.CANCEL_TAKER
    with pytest.raises(VenueError, match=r"no instrument 'CEA99'; there are: CEA19-20, CEA21"):
        SEEE.instrument_id("CEA99")


def test_with_instruments():
    many = PLAIN.with_instruments(64)
    assert [i.symbol for i in many.instruments][::63] == ["X1", "X64"]
    with pytest.raises(VenueError, match=r"key `instruments`: write 1 to 255"):
        PLAIN.with_instruments(256)


def test_changed_is_checked_again():
    assert SEEE.changed(sweep_levels=3).sweep_levels == 3
    with pytest.raises(VenueError, match=r"^seee: key `sweep_levels`: -1 is out of range; write 0"):
        SEEE.changed(sweep_levels=-1)


# Files


def test_missing_file(tmp_path):
    with pytest.raises(VenueError, match=r"none\.toml: cannot be read \(No such file.*; name a venue file or a preset"):
        Venue.load(tmp_path / "none.toml")


def test_unreadable_file(tmp_path):
    with pytest.raises(VenueError, match=r"cannot be read \(Is a directory\)"):
        Venue.load(tmp_path)


def test_file_that_is_not_text(tmp_path):
    path = tmp_path / "image.toml"
    path.write_bytes(b"\x89PNG\xff")
    with pytest.raises(VenueError, match=r"image\.toml: is not UTF-8 text; write TOML"):
        Venue.load(path)


def test_file_that_is_not_toml(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text("name = [1")
    with pytest.raises(VenueError, match=r"bad\.toml: not valid TOML: .*; mend that line"):
        Venue.load(path)


def test_defaults_fill_what_an_instrument_leaves_out():
    text = 'name = "x"\nprefunded = false\n[instrument_defaults]\nfloor = "1"\nceiling = "3"\nfee_ppm = 7\n'
    made = parse_venue(text + '[[instruments]]\nsymbol = "A"\n[[instruments]]\nsymbol = "B"\nceiling = "2"\n', "x")
    assert [(i.symbol, i.ceiling, i.fee_ppm) for i in made.instruments] == [("A", Decimal(3), 7), ("B", Decimal(2), 7)]


@pytest.mark.parametrize("text", ["instruments = 3", "instrument_defaults = [1]", "instruments = [1]"])
def test_tables_of_another_form(text):
    with pytest.raises(
        VenueError, match=r"write \[instrument_defaults\] as one table and \[\[instruments\]\] as a list"
    ):
        parse_venue(f'name = "x"\n{text}', "x.toml")


TWO_TRANSITIONS = """
[[calendar.transitions]]
at = 09:00:00
phase = "BREAK"
[[calendar.transitions]]
at = 08:00:00
phase = "END"
"""
SAYS = [  # where the text stands, the text, what is said about it
    # unknown and missing keys
    ("head", "swep_levels = 5", "key `swep_levels`: unknown key; did you mean `sweep_levels`?"),
    ("instrument", "price_stp = 3", "key `instruments[0].price_stp`: unknown key; did you mean `price_step`?"),
    ("tail", "[calendar]\nzone = 3", "key `calendar.zone`: unknown key; did you mean `timezone`?"),
    ("tail", "[capacity]\nxyz = 3", "key `capacity.xyz`: unknown key; remove it, or write one of orders, accounts"),
    ("tail", "[instrument_defaults]\nflor = 3", "key `instruments[0].flor`: unknown key; did you mean `floor`?"),
    ("tail", "[[instruments]]\nsymbol = 'B'\nfloor = 1", "key `instruments[1].ceiling`: missing; write a decimal"),
    ("tail", "[[calendar.transitions]]\nat = 09:00:00", "key `calendar.transitions[0].phase`: missing; write one of "),
    # wrong types
    ("head", "title = 3", "key `title`: expected `str`, got `int`; write text in quotes"),
    ("head", "take = 1", "key `take`: expected `bool`, got `int`; write true or false"),
    ("head", 'sweep_levels = "5"', "key `sweep_levels`: expected `int`, got `str`; write a whole number"),
    ("head", "capacity = 3", "key `capacity`: expected `object`, got `int`; write a [table]"),
    ("head", "assets = [1]", "key `assets[0]`: expected `str`, got `int`; write text in quotes"),
    ("head", 'assets = "A"', "key `assets`: expected `array`, got `str`; write a list [...]"),
    (
        "head",
        'self_trade = "OF"',
        'key `self_trade`: invalid enum value \'OF\'; write one of "CANCEL_BOTH", "CANCEL_MAKER"',
    ),
    ("head", "settlement_days = 2", "key `settlement_days`: invalid enum value 2; write one of 0, 1"),
    (
        "instrument",
        'order_types = ["pegged"]',
        'order_types[0]`: invalid enum value \'pegged\'; write one of "iceberg", "limit", "market", "stop"',
    ),
    (
        "instrument",
        'listed_from = "5 May"',
        "listed_from`: invalid RFC3339 encoded date; write a date without quotes, such",
    ),
    ("instrument", "listed_from = 2026-01-05T00:00:00", "listed_from`: expected `date`, got `datetime`; write a date"),
    (
        "tail",
        "[[calendar.transitions]]\nat = '9am'\nphase = 'END'",
        "transitions[0].at`: invalid RFC3339 encoded time; write a",
    ),
    (
        "tail",
        "[[calendar.transitions]]\nat = 09:00:00\nphase = 'OPEN'",
        'write one of "BREAK", "CLOSED", "CLOSE_CALL", "CONTINUOUS", "END", "HALT"',
    ),
    # binary fractions
    (
        "instrument",
        "tick = 0.01",
        'key `instruments[0].tick`: 0.01 is a binary fraction, which is not exact; write "0.01", in',
    ),
    (
        "instrument",
        "previous_close = 1.5",
        'instruments[0].previous_close`: 1.5 is a binary fraction, which is not exact; write "1.5',
    ),
    (
        "instrument",
        "fee_ppm = 1.5",
        "key `instruments[0].fee_ppm`: 1.5 is a binary fraction, which is not exact; write a whole",
    ),
    ("head", "sweep_levels = nan", "key `sweep_levels`: nan is a binary fraction, which is not exact; write a whole"),
    # impossible values
    ("instrument", 'tick = "0"', 'tick`: 0 is out of range; write the smallest price difference, such as "0.01"'),
    ("instrument", 'tick = "sNaN"', "tick`: sNaN is out of range; write the smallest"),
    ("instrument", 'tick = "-Infinity"', "tick`: -Infinity is out of range; write the smallest"),
    ("instrument", 'tick = "abc"', "tick`: invalid decimal string; write a decimal number in quotes, such as"),
    ("instrument", 'tick = "0.3"', "floor`: A: price 1 is not a multiple of the tick 0.3; round it"),
    ("instrument", 'previous_close = "NaN"', "previous_close`: A: NaN is no price; write a decimal number"),
    ("instrument", 'previous_close = "1e99999999"', "previous_close`: A: 1E+99999999 is no price; write a decimal"),
    ("instrument", 'previous_close = "0"', "previous_close`: 0 is out of range; write a price from one tick (0.01)"),
    (
        "instrument",
        'previous_close = "3"',
        "previous_close`: 3 is out of range; write 1 (the floor) to 2 (the ceiling)",
    ),
    ("instrument", "tick_value = 0", "key `instruments[0].tick_value`: 0 is out of range; write 1 to 2147483649"),
    ("instrument", "quantity_max = 9999999999", "quantity_max`: 9999999999 is out of range; write 1 to 2147483647"),
    ("instrument", "quantity_min = 9\nquantity_max = 8", "quantity_min`: 9 is out of range; write 1 to 8"),
    ("instrument", "price_step = 201", "price_step`: 201 is out of range; write 1 to 200"),
    ("instrument", "limit_listed_bps = 10000", "limit_listed_bps`: 10000 is out of range; write 0 to 9999"),
    ("instrument", "fee_ppm = -1", "fee_ppm`: -1 is out of range; write 0 to 1000000"),
    ("instrument", "order_types = []", 'order_types`: the list is empty; write at least ["limit"]'),
    ("instrument", "times_in_force = []", 'times_in_force`: the list is empty; write at least ["day"]'),
    ("instrument", 'asset = "E"', "asset`: 'E' is not among the venue's; list it in"),
    ("head", 'assets = ["E", "E"]', "key `assets`: a name is empty or stands twice; write different names"),
    ("head", 'currencies = ["A", "B", "C", "D"]', "key `currencies`: 4 names; write at most 3"),
    ("tail", INSTRUMENT, "key `instruments[1].symbol`: 'A' stands twice; write different symbols"),
    ("tail", INSTRUMENT.replace('"A"', '"A B"'), "key `instruments[1].symbol`: 'A B': use 1 to 20 of the characters"),
    ("tail", "[capacity]\norders = 0", "key `capacity.orders`: 0 is out of range; write 1 to 1048574"),
    ("tail", "[capacity]\nsessions = 16384", "key `capacity.sessions`: 16384 is out of range; write 1 to 16383"),
    # the calendar
    ("tail", "[calendar]\ntimezone = 'Asia/Shangai'", "calendar.timezone`: 'Asia/Shangai' is no IANA zone; write for"),
    ("tail", "[calendar]\ntimezone = 'Asia'", "calendar.timezone`: 'Asia' is no IANA zone; write for example"),
    ("tail", "[calendar]\ntimezone = '../x'", "calendar.timezone`: '../x' is no IANA zone; write for example"),
    ("tail", "[calendar]\nweekdays = [0]", "calendar.weekdays`: not a list of weekdays; write numbers from 1"),
    ("tail", "[calendar]\nweekdays = []", "calendar.weekdays`: not a list of weekdays; write numbers from 1"),
    (
        "tail",
        "[[calendar.transitions]]\nat = '09:00:00Z'\nphase = 'END'",
        "calendar.transitions[0].at`: has a zone of its own; write local time, such as 09:30:00",
    ),
    (
        "tail",
        "[[calendar.transitions]]\nat = 09:00:00\nphase = 'END'\nmodes = []",
        'calendar.transitions[0].modes`: the list is empty; write at least ["LISTED"]',
    ),
    (
        "tail",
        "[[calendar.transitions]]\nat = 09:00:00\nphase = 'BREAK'",
        'calendar.transitions`: no single end of day; write phase = "END" in the last one',
    ),
    (
        "tail",
        TWO_TRANSITIONS,
        "calendar.transitions`: not in order of time; sort them",
    ),
]


@pytest.mark.parametrize(("where", "written", "said"), SAYS, ids=[str(i) for i in range(len(SAYS))])
def test_a_fault_names_file_key_and_remedy(where, written, said):
    message = fault(**{where: written})
    assert message.startswith("small.toml: key `")
    assert said in message


def test_a_currency_the_venue_does_not_have():
    message = fault(head='currencies = ["EUR"]', instrument='currency = "CNY"')
    assert message == "small.toml: key `instruments[0].currency`: 'CNY' is not among the venue's; write one of EUR"


def test_window_too_wide_or_reversed():
    wide = INSTRUMENT.replace('"2"', '"1311.72"')
    with pytest.raises(VenueError, match=r"ceiling`: 1311\.72 is out of range; write 1 \(the floor\) to 1311\.71$"):
        parse_venue(f'name = "x"\nprefunded = false\n{wide}', "x.toml")
    with pytest.raises(VenueError, match=r"ceiling`: 0\.5 is out of range; write 1 \(the floor\) to"):
        parse_venue(f'name = "x"\nprefunded = false\n{INSTRUMENT.replace("2", "0.5")}', "x.toml")


def test_a_prefunded_venue_needs_assets_and_currencies():
    with pytest.raises(VenueError, match=r"key `instruments\[0\]\.asset`: '' is not among the venue's; list it"):
        parse_venue(f'name = "x"\n{INSTRUMENT}', "x.toml")


def test_no_instruments():
    with pytest.raises(VenueError, match=r"x\.toml: key `instruments`: write 1 to 255 \[\[instruments\]\] tables"):
        parse_venue('name = "x"', "x.toml")


# Genesis


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"{", r"^genesis: not valid JSON: "),
        (b"\xff", r"^genesis: not valid JSON: "),
        (b"[]", r"^genesis: key ``: expected `object`, got `array`; write a \[table\]"),
        (b'{"name": "x"}', r"^genesis: key `instruments`: missing; write tables with \[\[double brackets\]\]"),
        (b'{"name": "x", "instruments": []}', r"^genesis: key `instruments`: write 1 to 255"),
    ],
)
def test_foreign_genesis(data, text):
    with pytest.raises(VenueError, match=text):
        Venue.from_json(data)


# Prices


def test_ticks():
    assert CEA24.ticks("72.93") == 7293
    assert CEA24.ticks(Decimal("72.9300")) == 7293
    assert CEA24.ticks(72) == 7200
    assert CEA24.price(7293) == Decimal("72.93")
    assert (SEEE.instruments[5].previous_close_ticks, CEA24.previous_close_ticks) == (0, 7320)


@pytest.mark.parametrize("price", ["72.931", "1.00000000000000000000000000000000001", Decimal("0.001")])
def test_off_tick(price):
    with pytest.raises(VenueError, match=r"CEA24: price .* is not a multiple of the tick 0\.01; round it"):
        CEA24.ticks(price)


@pytest.mark.parametrize("price", ["abc", "", "NaN", "sNaN", "Infinity", "1e999999999", "0e-999999999"])
def test_no_price(price):
    with pytest.raises(VenueError, match=r"is no price; write a decimal number such as 72\.93"):
        CEA24.ticks(price)


@given(st.integers(1, 2**31 - 1), st.integers(1, 10**6), st.integers(0, 6))
def test_ticks_and_price_are_inverse(ticks, digits, exponent):
    tick = Decimal(digits).scaleb(-exponent)
    instrument = Instrument(symbol="A", tick=tick, floor=tick, ceiling=tick)
    assert instrument.ticks(instrument.price(ticks)) == ticks
    assert instrument.ticks(str(instrument.price(ticks))) == ticks


# Dates and the calendar


@given(st.dates())
def test_date_numbers_are_inverse(day):
    assert number_date(date_number(day)) == day
    assert date_number(day) == int(day.strftime("%Y%m%d").lstrip("0"))


@pytest.mark.parametrize("number", [0, 20251301, 20250230, 20250800])
def test_no_date(number):
    with pytest.raises(ValueError):
        number_date(number)


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)))
def test_utc_ns_is_exact(moment):
    ns = utc_ns(moment.replace(tzinfo=UTC))
    assert datetime(1970, 1, 1) + timedelta(microseconds=ns // 1000) == moment
    assert ns % 1000 == 0


def test_moments_of_a_day_in_shanghai():
    moments = SEEE.calendar.moments(date(2025, 8, 11))
    assert [(ns, t.phase) for ns, t in moments] == [
        (1754875800_000000000, "CONTINUOUS"),  # 01:30 UTC
        (1754883000_000000000, "BREAK"),
        (1754888400_000000000, "CONTINUOUS"),
        (1754895600_000000000, "END"),  # 07:00 UTC
    ]


def test_moments_move_with_summer_time():
    new_york = Calendar(timezone="America/New_York", transitions=SEEE.calendar.transitions)
    first = [new_york.moments(date(2025, 3, day))[0][0] for day in (7, 10)]  # the clocks change on 9 March
    assert first[1] - first[0] == (3 * 24 - 1) * 3600 * 10**9


def test_no_moments_on_holidays_and_weekends():
    calendar = SEEE.calendar
    for day in (date(2025, 10, 1), date(2025, 8, 9), date(2025, 8, 10)):
        assert not calendar.is_trading_day(day)
        assert calendar.moments(day) == []


def test_next_trading_day():
    calendar = SEEE.calendar
    assert calendar.next_trading_day(date(2025, 8, 11)) == date(2025, 8, 12)
    assert calendar.next_trading_day(date(2025, 8, 8)) == date(2025, 8, 11)  # Friday -> Monday
    assert calendar.next_trading_day(date(2025, 9, 30)) == date(2025, 10, 9)  # over the National Day week


def test_a_calendar_without_trading_days():
    closed = Calendar(weekdays=(1,), holidays=tuple(date(2025, 1, 6) + timedelta(weeks=i) for i in range(80)))
    with pytest.raises(VenueError, match=r"no trading day within 400 days; check weekdays and holidays"):
        closed.next_trading_day(date(2025, 1, 6))


@given(
    st.sampled_from(["UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    st.dates(date(2000, 1, 1), date(2050, 1, 1)),
)
def test_moments_are_that_local_time(zone, day):
    calendar = Calendar(timezone=zone, weekdays=(1, 2, 3, 4, 5, 6, 7), transitions=SEEE.calendar.transitions)
    for ns, transition in calendar.moments(day):
        local = datetime.fromtimestamp(ns // 10**9, ZoneInfo(zone))
        assert (local.date(), local.time()) == (day, transition.at)


@given(st.data())
def test_json_round_trip(data):
    """Whatever values a venue may have, its genesis gives the same venue back."""
    changes = data.draw(
        st.fixed_dictionaries(
            {
                "title": st.text(),
                "sweep_levels": st.integers(0, 1000),
                "take": st.booleans(),
                "self_trade": st.sampled_from(["OFF", "CANCEL_TAKER", "DECREMENT"]),
                "composite_mean_until": st.dates(),
            }
        )
    )
    tick = Decimal(data.draw(st.integers(1, 10**6))).scaleb(-data.draw(st.integers(0, 6)))
    low = data.draw(st.integers(1, 2**31 - MAX_WINDOW))
    high = low + data.draw(st.integers(0, MAX_WINDOW - 1))
    assume(high < 2**31)
    instrument = msgspec.structs.replace(PLAIN.instruments[0], tick=tick, floor=tick * low, ceiling=tick * high)
    made = PLAIN.changed(**changes, instruments=(instrument,))
    assert (made.instruments[0].floor_ticks, made.instruments[0].ceiling_ticks) == (low, high)
    assert Venue.from_json(made.to_json()) == made


def test_transitions_keep_their_modes():
    text = "[[calendar.transitions]]\nat = 09:15:00\nphase = 'CONTINUOUS'\nmodes = ['LISTED', 'BLOCK']\n"
    made = venue(tail=text + "[[calendar.transitions]]\nat = 15:00:00\nphase = 'END'")
    assert made.calendar.transitions[0].at == time(9, 15)
    assert made.calendar.transitions[0].modes == ("LISTED", "BLOCK")
