"""Every key of a venue file does something: changed alone, it changes what a small flow of commands gives."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec.inspect import LiteralType, StructType, type_info

from engine.core import ImplementationName
from engine.venue import Calendar, TransferWindow, Transition, Venue, VenueError, utc_ns
from gateway.calendar import Schedule
from tests.engine.conftest import kernel_exists
from tests.engine.venue_flows import BASE, Case, carry_out, changed, order, venues_of, whole_day
from tests.engine.venue_keys import CASES

pytestmark = pytest.mark.nojit

ENGINES: tuple[ImplementationName, ...] = ("reference", "kernel") if kernel_exists() else ("reference",)
ROOT = Path(__file__).resolve().parents[2]
HERE = "tests/engine/test_venue_keys.py"

WINDOWS = f"{HERE}::test_a_window_key_changes_its_moments"
MOMENTS = f"{HERE}::test_a_calendar_key_changes_the_moments"
NAMES = f"{HERE}::test_a_name_changes_the_genesis_alone"
NOT_IN_EVENTS = {
    "Venue.name": ("told to people and stored in the genesis", NAMES),
    "Venue.title": ("told to people and stored in the genesis", NAMES),
    "Instrument.symbol": ("commands carry numbers; told to people", "tests/engine/test_venue.py::test_ids_and_names"),
    "Venue.calendar": ("the gateway turns it into journaled SET_PHASE commands and ends of day", MOMENTS),
    "Calendar.timezone": ("when the gateway sends them", MOMENTS),
    "Calendar.weekdays": ("on which days the gateway sends them", MOMENTS),
    "Calendar.holidays": ("on which days the gateway sends them", MOMENTS),
    "Calendar.transitions": ("what the gateway sends", MOMENTS),
    "Transition.at": ("when the gateway sends it", MOMENTS),
    "Transition.phase": ("which phase the gateway sends", MOMENTS),
    "Transition.modes": ("of which modes the gateway sends it", MOMENTS),
    "Transition.no_cancel": ("whether the gateway freezes a call", f"{HERE}::test_a_moment_freezes_a_call"),
    "TransferWindow.opens": ("when the gateway opens it (SET_TRANSFER_WINDOW)", WINDOWS),
    "TransferWindow.closes": ("when the gateway closes it", WINDOWS),
    "Instrument.call_random_end_seconds": (
        "how much later the gateway ends a call",
        "tests/engine/test_venue_calls.py::test_random_end_of_a_call",
    ),
}
"""Keys that no command asks for: why, and the test that holds them."""


def structs(kind: Any = None) -> dict[str, StructType]:
    """Every table of a venue file, found in the types of its keys."""
    kind = kind or type_info(Venue)
    found: dict[str, StructType] = {}
    if isinstance(kind, StructType):
        found[kind.cls.__name__] = kind
        for key in kind.fields:
            found |= structs(key.type)
    for inner in ("item_type", "types"):
        below = getattr(kind, inner, ())
        for one in below if isinstance(below, tuple) else (below,):
            found |= structs(one)
    return found


TABLES = structs()
KEYS = {f"{table}.{key.name}" for table, kind in TABLES.items() for key in kind.fields}
BY_ID = [f"{case.key}={case.value}"[:60] for case in CASES]


def test_the_tables_are_found():
    assert set(TABLES) == {
        *("Venue", "Instrument", "Capacity", "AssetTerms", "ComplianceYear"),
        *("Calendar", "Transition", "TransferWindow"),
    }
    assert len(KEYS) > 80


def test_every_key_has_a_case():
    held = {case.key for case in CASES}
    assert KEYS - held - set(NOT_IN_EVENTS) == set()
    assert (held | set(NOT_IN_EVENTS)) - KEYS == set()
    assert held & set(NOT_IN_EVENTS) == set()


@pytest.mark.parametrize("key", sorted(NOT_IN_EVENTS))
def test_what_holds_the_other_keys_exists(key):
    path, _, name = NOT_IN_EVENTS[key][1].partition("::")
    assert f"\ndef {name}(" in (ROOT / path).read_text("utf-8")


def test_every_word_of_a_rule_has_a_case():
    """A key that is one of several words: each of them, beside the one that the base has, is tried."""
    for table, kind in TABLES.items():
        for key in kind.fields:
            name = f"{table}.{key.name}"
            if isinstance(key.type, LiteralType) and name not in NOT_IN_EVENTS:
                tried = {venues_of(case)[n] for case in CASES if case.key == name for n in (0, 1)}
                values = {value for venue in tried for value in values_of(venue, table, key.name)}
                assert values == set(key.type.values), name


def values_of(venue: Venue, table: str, name: str) -> list[Any]:
    tables = {"Venue": (venue,), "Instrument": venue.instruments, "AssetTerms": venue.asset_terms}
    return [getattr(one, name) for one in tables[table]]


@pytest.mark.parametrize("case", CASES, ids=BY_ID)
def test_one_key_alone_changes_the_events(case: Case):
    """On both engines, which agree on the events and the state of both venues."""
    before, after = venues_of(case)
    assert before != after
    found = []
    for venue in (before, after):
        told = [carry_out(venue, case, engine) for engine in ENGINES]
        assert all(one == told[0] for one in told)
        found.append(told[0][0])
    assert found[0] != found[1]
    assert case.before or case.after
    for words, n in ((case.before, 0), (case.after, 1)):
        if words:
            assert tells(found[n], words), found[n]
            assert not tells(found[1 - n], words), found[1 - n]


def tells(lines: list[str], words: str) -> bool:
    """Whether all the words stand in one line."""
    return any(set(words.split()) <= set(line.split()) for line in lines)


@pytest.mark.parametrize("key", ["Venue.name", "Venue.title", "Instrument.symbol"])
def test_a_name_changes_the_genesis_alone(key):
    other = changed(BASE, key, "Z")
    assert other.to_json() != BASE.to_json()
    assert events_of(other) == events_of(BASE)


def events_of(venue: Venue) -> list[list[str]]:
    case = Case("", None, lambda world: [order()(world), whole_day(world)])
    return [carry_out(venue, case, engine)[0] for engine in ENGINES]


DAY = Calendar(
    timezone="UTC",
    holidays=(date(2025, 8, 12),),
    transitions=(Transition(time(9), "CONTINUOUS"), Transition(time(17), "END")),
)
MONDAY, TUESDAY, SATURDAY = date(2025, 8, 11), date(2025, 8, 12), date(2025, 8, 9)


@pytest.mark.parametrize(
    ("key", "value", "day"),
    [
        ("Venue.calendar", Calendar(), MONDAY),
        ("Calendar.timezone", "Asia/Shanghai", MONDAY),
        ("Calendar.weekdays", (2, 3), MONDAY),
        ("Calendar.weekdays", (1, 2, 3, 4, 5, 6), SATURDAY),
        ("Calendar.holidays", (MONDAY,), MONDAY),
        ("Calendar.holidays", (), TUESDAY),
        ("Calendar.transitions", (Transition(time(17), "END"),), MONDAY),
        ("Transition.at", time(9, 30), MONDAY),
        ("Transition.phase", "PRE_OPEN", MONDAY),
        ("Transition.modes", ("LISTED", "BLOCK"), MONDAY),
    ],
)
def test_a_calendar_key_changes_the_moments(key, value, day):
    """And no event: what counts are the commands that the gateway makes of them."""
    venue = BASE.changed(calendar=DAY)
    other = changed(venue, key, value)
    assert other.calendar.moments(day) != venue.calendar.moments(day)
    assert events_of(other) == events_of(venue)


@pytest.mark.parametrize(("key", "at"), [("TransferWindow.opens", time(8)), ("TransferWindow.closes", time(16))])
def test_a_window_key_changes_its_moments(key, at):
    """And no event: what counts are the commands that the gateway makes of them."""
    window = TransferWindow(time(9), time(17))
    venue = BASE.changed(calendar=msgspec.structs.replace(DAY, transfer_windows=(window,)))
    other = changed(venue, key, at)
    changes = set(other.calendar.transfer_moments(MONDAY)) ^ set(venue.calendar.transfer_moments(MONDAY))
    opens = key.endswith("opens")
    assert {is_open for _, is_open in changes} == {opens} and len(changes) == 2
    assert (venue.calendar.transfer_moments(TUESDAY), venue.calendar.transfer_moments(SATURDAY)) == ([], [])
    assert events_of(other) == events_of(venue)


def test_a_moment_freezes_a_call():
    """The gateway's command for it says so."""
    calendar = Venue.preset("krx").calendar
    start = utc_ns(datetime(2025, 8, 11, tzinfo=ZoneInfo("Asia/Seoul")))
    schedule = Schedule(calendar, start)
    sent = [schedule.pop(2**62).commands[0] for _ in range(3)]
    assert [(int(c["quantity"]), int(c["quantity2"])) for c in sent] == [(2, 0), (2, 1), (3, 0)]


def test_every_calendar_key_is_tried():
    tried = {key for key in NOT_IN_EVENTS if NOT_IN_EVENTS[key][1] == MOMENTS}
    mark = test_a_calendar_key_changes_the_moments.pytestmark[0]
    assert {key for key, *_ in mark.args[1]} == tried


def test_a_key_that_does_not_exist_is_refused():
    with pytest.raises((TypeError, VenueError)):
        changed(BASE, "Venue.no_such_key", 1)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"no_such_key": 1}, Calendar)
