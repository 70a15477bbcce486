"""What lasts is told once, and told when it is over; what the bell remembers stays small; thresholds that are none."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engine.schema import EVENT, EventKind, LimitKind, Reason, Role
from engine.schema import CommandKind as K
from gateway.monitor.alerts import Alert, Bell
from gateway.monitor.journal_watch import JournalWatch
from gateway.monitor.status_watch import MIB, MachineWatch, StatusWatch
from gateway.monitor.thresholds import Thresholds, load_thresholds
from tests.engine.auction_hall import DATE, UNITS, announce, close_window, hall, open_hall, open_window
from tests.engine.builders import seee
from tests.gateway.test_monitor import Watched, status

pytestmark = pytest.mark.nojit


def kinds(alerts: Any) -> list[str]:
    return [alert.kind for alert in alerts]


def test_a_server_that_does_not_answer() -> None:
    """Told once, told when it answers again, and the next time told at once."""
    watch = StatusWatch(Thresholds(), Bell(60))
    assert kinds(watch.take(status())) == []
    for _ in range(2):
        found = list(watch.silent("no answer in 2 s"))
        assert [(alert.kind, alert.severity) for alert in found] == [("NO_STATUS", "critical")]
        assert "no answer in 2 s" in found[0].text
        assert kinds(watch.silent("no answer in 2 s")) == []
        assert kinds(watch.take(status())) == ["STATUS_BACK"]
        assert kinds(watch.take(status())) == []


def test_events_lost() -> None:
    watch = StatusWatch(Thresholds(), Bell(60))
    assert kinds(watch.take(status(**{"events lost": 2}))) == []
    found = list(watch.take(status(**{"events lost": 5})))
    assert [(alert.kind, alert.severity, alert.value) for alert in found] == [("EVENTS_LOST", "warning", 3)]
    assert kinds(watch.take(status(**{"events lost": 5}))) == []


def test_a_session_that_does_not_see_all() -> None:
    """Counts of others are for operators."""
    watch = StatusWatch(Thresholds(), Bell(60))
    assert kinds(watch.session("OPS", Role.OPERATOR)) == []
    for role in (Role.TRADER, Role.READER):
        found = list(StatusWatch(Thresholds(), Bell(60)).session("ALPHA", role))
        assert [(alert.kind, alert.severity) for alert in found] == [("NOT_OPERATOR", "warning")]
        assert "ALPHA" in found[0].text


def test_room_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Worse is told at once, and that it is over only when there is clearly room again."""
    watch = MachineWatch(tmp_path, Thresholds(disk_free_mib=1_000, disk_free_critical_mib=200), Bell(60))

    def at(free: int) -> list[tuple[str, str]]:
        monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=free, f_frsize=MIB))
        return [(alert.kind, alert.severity) for alert in watch.look()]

    for _ in range(2):
        assert at(1_000) == []
        assert at(999) == [("DISK", "warning")]
        assert at(1_000) == at(999) == []
        assert at(199) == [("DISK", "critical")]
        assert at(205) == at(199) == []
        assert at(300) == []
        assert at(199) == [("DISK", "critical")]
        assert at(1_100) == [("DISK_ROOM", "info")]


def test_behind_and_up_again(tmp_path: Path) -> None:
    watch = MachineWatch(tmp_path, Thresholds(behind=100), Bell(60))
    for _ in range(2):
        assert kinds(watch.behind(100)) == ["BEHIND"]
        assert kinds(watch.behind(99)) == kinds(watch.behind(100)) == []
        assert kinds(watch.behind(50)) == ["CAUGHT_UP"]
        assert kinds(watch.behind(0)) == []


def test_the_bell_does_not_remember_for_ever() -> None:
    """Keys that never come again, such as an event's sequence, go; what is held back is still counted."""
    now = [0.0]
    bell = Bell(60.0, lambda: now[0])
    bell.ring("warning", "LASTS", "text")
    bell.ring("warning", "LASTS", "text")
    for number in range(1_000):
        bell.ring("info", "STATUS_SET", "text", number)
        now[0] += 1
    assert bell.remembered < 150
    assert [alert.held_back for alert in bell.ring("warning", "LASTS", "text")] == [1]
    often = Bell(0, lambda: now[0])
    often.ring("critical", "DRAINING", "text")
    now[0] += 5
    often.ring("info", "OTHER", "text")
    assert often.forget("DRAINING")


@pytest.mark.parametrize("value", ["inf", "nan", "-1.0", "-inf"])
@pytest.mark.parametrize("key", ["repeat_seconds", "status_seconds"])
def test_seconds_that_are_none(tmp_path: Path, key: str, value: str) -> None:
    file = tmp_path / "t.toml"
    file.write_text(f"{key} = {value}\n")
    with pytest.raises(ValueError, match=rf"t\.toml: .*{key}"):
        load_thresholds(file)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "t.toml"
    file.write_bytes(b"behind = 7 # \xff\n")
    with pytest.raises(ValueError, match=r"t\.toml: .*UTF-8"):
        load_thresholds(file)


def one(watch: JournalWatch, kind: EventKind, **fields: int) -> list[Alert]:
    """What one event gives reason to tell; its fields as engine.schema.event_fields says."""
    event = np.zeros(1, EVENT)
    for name, value in {"kind": kind, "sequence": 9, "timestamp": 77, **fields}.items():
        event[name] = value
    return list(watch.take(SimpleNamespace(events=event, command_count=1, timestamp=77, last_event=9)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "severity", "fields", "text", "value"),
    [
        (
            EventKind.LARGE_HOLDER,
            "warning",
            {"account": 4, "aux": 1_300, "aux2": 2, "remaining": 1_000},
            "account 4 holds 1,300 units of asset 2; large from 1,000 on",
            1_300,
        ),
        (
            EventKind.AUCTION_CANCELLED,
            "warning",
            {"order_id": 6, "instrument": 1, "reason": Reason.NO_BIDS},
            "auction 6 cancelled (NO_BIDS), ",
            0,
        ),
        (
            EventKind.SETTLEMENT_ACKNOWLEDGED,
            "critical",
            {"aux": 20250811, "quantity": 1},
            "the registry refused the settlement file of 20250811",
            0,
        ),
    ],
)
def test_events_that_are_told(kind: EventKind, severity: str, fields: dict[str, int], text: str, value: int) -> None:
    watch = JournalWatch(seee(), Thresholds(), Bell(60))
    (found,) = one(watch, kind, **fields)
    name = "SETTLEMENT_REFUSED" if kind == EventKind.SETTLEMENT_ACKNOWLEDGED else kind.name
    assert (found.kind, found.severity, found.value) == (name, severity, value)
    assert found.text.startswith(text)
    assert (found.venue_time, found.event) == (77, 9)


def test_out_of_a_real_days_journal(tmp_path: Path) -> None:
    """An auction without bids, a file that the registry refuses, a holder above the line."""
    watched = Watched(tmp_path, hall())
    with watched.diary as day:
        open_hall(lambda _: day, day.venue)
        announce(day, 500, 100)
        open_window(day)
        assert watched.kinds() == []
        close_window(day)
        assert watched.kinds() == ["AUCTION_CANCELLED"]
        day.send(K.SET_LIMIT, scope=int(LimitKind.LARGE_HOLDER), quantity=UNITS, account=1)
        day.send(K.SET_LIMIT, scope=int(LimitKind.LARGE_HOLDER), quantity=UNITS - 1, account=2)
        for told in (day.stop(), day.expire(), day.fix_close()):
            assert told
        day.send(K.ACKNOWLEDGE_SETTLEMENT, expiry=DATE, scope=0)
        assert watched.kinds() == []
        day.send(K.ACKNOWLEDGE_SETTLEMENT, expiry=DATE, scope=1)
        assert watched.kinds() == ["SETTLEMENT_REFUSED"]
        day.settle()
        found = watched.alerts()
        assert {(alert.kind, alert.value, alert.threshold) for alert in found} == {("LARGE_HOLDER", UNITS, UNITS - 1)}


def test_a_settlement_file_that_the_registry_took() -> None:
    watch = JournalWatch(seee(), Thresholds(), Bell(60))
    assert one(watch, EventKind.SETTLEMENT_ACKNOWLEDGED, aux=20250811) == []


def test_the_monitors_own_session_is_no_news() -> None:
    watch = JournalWatch(seee(), Thresholds(), Bell(60))
    watch.own_session = 5
    assert one(watch, EventKind.SESSION_DOWN, aux=5) == []
    assert kinds(one(watch, EventKind.SESSION_DOWN, aux=4)) == ["SESSION_LOST"]
