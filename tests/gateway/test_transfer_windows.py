"""Transfer windows, accounts of a firm and dates of compliance years through calendar, socket and command line."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

import gateway.exchange
from engine.control import EndDay, OpenAccount, RealiseHold, SetObligation, SetTransferWindow
from engine.schema import CommandKind, EventKind, Reason
from engine.venue import Calendar, TransferWindow, Transition
from gateway.calendar import Schedule, day_dues
from gateway.clock import parse_start
from gateway.config import Config
from gateway.errors import InvalidCommand, MarketClosed, RiskRefused, SessionRefused
from gateway.server import background
from replay import JournalReader, verify
from tests.gateway.halls import Terminal, afternoon
from tests.gateway.servers import local

pytestmark = pytest.mark.nojit
MONDAY = date(2025, 8, 11)
TODAY = 20250811
SHANGHAI = "2025-08-11T{}+08:00"
WINDOWS = (TransferWindow(time(8), time(9)), TransferWindow(time(9, 30), time(17)))
CALENDAR = Calendar(
    transitions=(Transition(time(9), "CONTINUOUS"), Transition(time(17), "END")), transfer_windows=WINDOWS
)


def told(dues):
    """(local time, kinds and scopes of its commands) of each."""
    return [
        (
            datetime.fromtimestamp(due.moment // 10**9, UTC).strftime("%H:%M"),
            [(CommandKind(int(c["kind"])).name, int(c["scope"])) for c in due.commands],
        )
        for due in dues
    ]


END = [("STOP_TRADING", 0), ("EXPIRE_ORDERS", 0), ("FIX_CLOSE", 0), ("SETTLE", 0)]
DAY = [
    ("08:00", [("SET_TRANSFER_WINDOW", 1)]),
    ("09:00", [("SET_TRANSFER_WINDOW", 0), ("SET_PHASE", 1)]),
    ("09:30", [("SET_TRANSFER_WINDOW", 1)]),
    ("17:00", [("SET_TRANSFER_WINDOW", 0), *END]),
]


def test_windows_among_the_transitions() -> None:
    """One batch for each moment; nothing on a holiday or at the weekend."""
    assert told(day_dues(CALENDAR, MONDAY, None)) == DAY
    assert day_dues(CALENDAR, date(2025, 8, 10), None) == []
    holiday = msgspec.structs.replace(CALENDAR, holidays=(MONDAY,))
    assert day_dues(holiday, MONDAY, None) == []


def test_windows_without_transitions() -> None:
    """A venue whose phases an operator sets may have windows all the same."""
    alone = Calendar(transfer_windows=WINDOWS[:1])
    schedule = Schedule(alone, parse_start("2025-08-11T08:30:00+00:00"))
    found = [schedule.pop(2**62) for _ in range(3)]
    assert told(found) == [
        ("09:00", [("SET_TRANSFER_WINDOW", 0)]),
        ("08:00", [("SET_TRANSFER_WINDOW", 1)]),
        ("09:00", [("SET_TRANSFER_WINDOW", 0)]),
    ]


def test_a_start_in_the_middle_goes_on_behind_the_last_moment() -> None:
    every = day_dues(CALENDAR, MONDAY, None)
    for done, last in enumerate(every[:-1], 1):
        schedule = Schedule(CALENDAR, last.moment)
        assert told([schedule.pop(2**62) for _ in range(len(every) - done)]) == DAY[done:]


def at(folder: Path, local_time: str, **changes: object) -> Config:
    return afternoon(folder, firms=2, start_time=SHANGHAI.format(local_time), **changes)


def test_the_window_opens_and_closes_by_the_calendar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SEEE's 09:00 to 15:30: closed before, open from the morning on, closed behind; made up for after downtime."""
    now = parse_start(SHANGHAI.format("08:30:00"))
    monkeypatch.setattr(gateway.exchange, "time", SimpleNamespace(time_ns=lambda: now))
    served = afternoon(tmp_path, firms=2, start_time="")
    with background(served) as server, local(server.config, "S1") as one, local(server.config, "OPS") as ops:
        assert not one.compliance().transfers_open
        for ask in (one.transfer_in, one.transfer_out):
            with pytest.raises(MarketClosed, match="transfer windows") as refused:
                ask("CEA24", 10).wait()
            assert refused.value.reason == Reason.TRANSFERS_CLOSED
        assert one.holds() == []
        ops.control(SetTransferWindow(open=True, cause="early"))
        assert one.compliance().transfers_open
        early = one.transfer_out("CEA24", 10).wait()
        ops.control(SetTransferWindow(open=False))
        ops.control(RealiseHold(early.hold, 10))  # the registry answers at any hour
        with pytest.raises(SessionRefused):
            one.control(SetTransferWindow(open=True))
    now = parse_start(SHANGHAI.format("09:00:00"))
    with background(served) as server, local(server.config, "S1") as one:
        assert one.compliance().transfers_open
        assert one.transfer_in("CEA24", 20).wait().hold == 2
    now = parse_start(SHANGHAI.format("15:30:00"))
    with background(served) as server, local(server.config, "S1") as one, local(server.config, "OPS") as ops:
        with pytest.raises(MarketClosed):
            one.transfer_in("CEA24", 10).wait()
        ops.control(RealiseHold(2, 20))
    assert verify(tmp_path / "data/journal", "reference").ok
    batches = list(JournalReader(tmp_path / "data/journal").batches())
    events = [event for batch in batches for event in batch.events]
    windows = [(int(e["timestamp"]), int(e["aux"])) for e in events if e["kind"] == EventKind.TRANSFER_WINDOW_SET]
    by_calendar = [(parse_start(SHANGHAI.format(t)), opens) for t, opens in (("09:00:00", 1), ("15:30:00", 0))]
    assert windows[2:] == by_calendar and [opens for _, opens in windows[:2]] == [1, 0]


def test_the_window_closes_while_the_server_runs(tmp_path: Path) -> None:
    """No command is needed for it."""
    with background(at(tmp_path, "15:29:58")) as server, local(server.config, "S1") as one:
        one.wait_until(lambda: not one.compliance().transfers_open, 30, "the close")
        with pytest.raises(MarketClosed):
            one.transfer_in("CEA24", 10).wait()


def test_one_account_of_a_firm(tmp_path: Path) -> None:
    """SEEE: one trading account per entity."""
    with background(at(tmp_path, "13:05:00")) as server, local(server.config, "OPS") as ops:
        with pytest.raises(RiskRefused, match="as many accounts") as refused:
            ops.control(OpenAccount(1, "second"))
        assert refused.value.reason == Reason.ACCOUNTS_PER_FIRM


def test_overdue_and_late(tmp_path: Path) -> None:
    """The firm is told at the end of the day, sees it in queries and statement, and may still surrender."""
    with background(at(tmp_path, "13:05:00")) as server:
        with local(server.config, "S1") as one, local(server.config, "OPS") as ops:
            ops.control(SetObligation(1, 2024, 1_000, surrender_by=TODAY))
            one.surrender("CEA24", 600, obligation=1, year=2024).wait()
            with pytest.raises(InvalidCommand) as refused:
                ops.control(SetObligation(1, 2023, 1_000, surrender_by=99_991_232))
            assert refused.value.reason == Reason.INVALID_DATE
            one.poll()
            ops.control(EndDay())
            one.wait_until(lambda: one.waiting > 0, 5, "the push")
            pushed = [e for e in one.poll() if e["kind"] == EventKind.OBLIGATION_OVERDUE]
            assert [(int(e["order_id"]), int(e["remaining"]), int(e["aux2"])) for e in pushed] == [(1, 400, TODAY)]
            assert one.obligations() == [(1, 1, 2024, 1_000, 600, 0, MONDAY, MONDAY, 0)]
            late = one.surrender("CEA24", 300, obligation=1, year=2024).wait()
            assert (late.still_due, late.late) == (100, 300)
            year = one.compliance().years[0]
            assert (year.surrender_by, year.overdue, year.late, year.shortfall) == (MONDAY, MONDAY, 300, 0)
            with local(server.config, "S2") as two:
                assert two.obligations() == []
        said = Terminal(server.config, "S1", "client")
        owed = said.ask("statement", "2025-08-11")["obligations"]
        assert [(o["due"], o["surrendered"], o["surrender_by"], o["overdue"], o["late"]) for o in owed] == [
            (1_000, 600, "2025-08-11", "2025-08-11", 0)
        ]
        assert "overdue" in said.says("statement", "2025-08-11")


def test_on_the_command_line(tmp_path: Path) -> None:
    """Words, numbers and refusals, as a person and a program read them."""
    with background(at(tmp_path, "13:05:00")) as server:
        one, ops = Terminal(server.config, "S1", "client"), Terminal(server.config, "OPS", "operate")
        assert ops.says("transfers", "close", "--cause", "registry down") == "transfers: closed (open before)"
        assert one.refused("registry", "transfer", "in", "CEA24", 5) == "TRANSFERS_CLOSED"
        assert one.says("registry", "compliance").endswith("transfers: closed")
        assert ops.ask("transfers", "open") | {"event": 0} == {
            "done": "SetTransferWindow",
            "open": True,
            "was_open": False,
            "event": 0,
        }
        assert one.ask("registry", "compliance")["transfers_open"] is True
        assert "is not one of" in ops.run("transfers", "ajar", code=2).stderr
        said = ops.says("obligation", 1, 2025, 1_000)
        assert said == "obligation 1: account 1 owes 1,000 for 2025 by 2026-12-31; 1,000 still due"
        dated = ops.ask("obligation", 1, 2024, 1_000, "--surrender-by", "2025-08-11")
        assert (dated["obligation"], dated["surrender_by"]) == (2, "2025-08-11")
        assert "is no date" in ops.run("obligation", 1, 2024, 1, "--surrender-by", "2025-02-30", code=2).stderr
        assert ops.ask("obligation", 1, 2023, 5)["surrender_by"] is None
        ops.run("end-day")
        late = one.says("registry", "surrender", "CEA24", 400, 2)
        assert late == "400 CEA24 surrendered; 600 still due; 400 came after the date"
        assert "2025-08-11" in one.says("registry", "compliance")
        assert ops.ask("allocate", 1, "CEA24", 5, 2025)["late"] is False
        assert ops.refused("open-account", 1, "second") == "ACCOUNTS_PER_FIRM"
