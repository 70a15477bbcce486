"""The calendar of calls: begin, freeze, end; all of it made up for after downtime."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

import gateway.exchange
from engine.schema import CommandKind, EventKind, Phase
from engine.venue import Venue
from gateway.calendar import Due, Schedule
from gateway.clock import parse_start
from gateway.server import background
from replay import JournalReader, verify
from tests.gateway.floors import changed_venue, floor_config, members

pytestmark = pytest.mark.nojit
NS = 1_000_000_000
NIGHT = parse_start("2025-08-11T00:00:00+09:00")
AT = "2025-08-11T{}+09:00"


def day_of(schedule: Schedule, until: int) -> list[Due]:
    found = []
    while (due := schedule.pop(until)) is not None:
        found.append(due)
    return found


def told(due: Due) -> tuple[int, list[tuple[int, int, int, int]]]:
    """(seconds since midnight in Korea, (mode, instrument, phase, frozen) of each command)."""
    rows = due.commands[["scope", "instrument", "quantity", "quantity2"]].tolist()
    return (due.moment - NIGHT) // NS, rows


def clock(hours: int, minutes: int, seconds: int = 0) -> int:
    return hours * 3_600 + minutes * 60 + seconds


def test_a_day_of_calls() -> None:
    dues = day_of(Schedule(Venue.preset("krx").calendar, NIGHT), parse_start(AT.format("23:59:59")))
    assert [told(due) for due in dues[:-1]] == [
        (clock(9, 0), [(1, 0, Phase.OPEN_CALL, 0)]),
        (clock(9, 59), [(1, 0, Phase.OPEN_CALL, 1)]),
        (clock(10, 0), [(1, 0, Phase.CONTINUOUS, 0), (2, 0, Phase.CONTINUOUS, 0)]),
        (clock(11, 30), [(2, 0, Phase.CLOSED, 0)]),
        (clock(11, 50), [(1, 0, Phase.CLOSE_CALL, 0)]),
        (clock(11, 59), [(1, 0, Phase.CLOSE_CALL, 1)]),
    ]
    assert dues[-1].commands["kind"].tolist()[0] == CommandKind.STOP_TRADING


def test_calls_are_made_up_for_after_downtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in Monday's opening call with a crossed book, started again on Wednesday in the frozen minute."""
    now = parse_start(AT.format("09:30:00"))
    monkeypatch.setattr(gateway.exchange, "time", SimpleNamespace(time_ns=lambda: now))
    served = floor_config(tmp_path, "krx", "", members(2, cash=100_000_000, units=1_000))
    with background(served) as server:
        book = server.exchange.engine.book_day(1)[0]
        assert (book["listed_phase"], book["call_frozen"]) == (Phase.OPEN_CALL, 0)
    now = parse_start("2025-08-13T09:59:30+09:00")
    with background(served) as server:
        book = server.exchange.engine.book_day(1)[0]
        assert (book["listed_phase"], book["call_frozen"]) == (Phase.OPEN_CALL, 1)
    batches = list(JournalReader(tmp_path / "data/journal").batches())
    assert not any((b.events["kind"] == EventKind.REJECTED).any() for b in batches)
    changes = [
        (int(e["phase"]), int(e["quantity"]))
        for b in batches
        for e in b.events[(b.events["kind"] == EventKind.PHASE_CHANGED) & (b.events["side"] == 1)]
    ]
    call, end = (int(Phase.OPEN_CALL), int(Phase.CLOSE_CALL))
    day = [(call, 0), (call, 1), (int(Phase.CONTINUOUS), 0), (end, 0), (end, 1), (0, 0)]
    assert changes == [*day, *day, (call, 0), (call, 1)]
    assert verify(tmp_path / "data/journal", served.implementation).ok


def test_a_venue_may_gather_orders_before_it_opens(tmp_path: Path) -> None:
    opening = ('at = 09:00:00\nphase = "OPEN_CALL"', 'at = 09:00:00\nphase = "PRE_OPEN"')
    calendar = Venue.find(changed_venue(tmp_path, "krx", opening)).calendar
    dues = day_of(Schedule(calendar, NIGHT), parse_start(AT.format("10:00:00")))
    assert [told(due)[1][0][2] for due in dues] == [Phase.PRE_OPEN, Phase.OPEN_CALL, Phase.CONTINUOUS]
