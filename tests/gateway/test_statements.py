"""Daily statements over the socket and on the command line, in the figures of tests/replay/test_statement.py."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import pytest

from engine.control import EndDay, SetPhase
from engine.schema import DayStage, Phase, Side
from gateway import statements
from gateway.aio import AsyncClient
from gateway.client import Client
from gateway.errors import Rejected
from gateway.server import Server, background
from gateway.statement_views import Statement
from gateway.views import change_pct
from replay.reports.statement import settled_statement
from tests.engine.builders import seee
from tests.gateway.halls import Terminal, afternoon
from tests.gateway.servers import local
from tests.gateway.test_settlement_file import run
from tests.replay.diary import TODAY, TOMORROW, Diary
from tests.replay.test_settlement import full_day
from tests.replay.test_statement import VENUE, registry_day

pytestmark = pytest.mark.nojit


def test_on_the_command_line(tmp_path: Path) -> None:
    with Diary(tmp_path / "data" / "journal", VENUE) as diary:
        full_day(diary)
        diary.at("15:00:00").end_of_day()
        registry_day(diary)
    data, reference = tmp_path / "data", ("--implementation", "reference")
    command = ("replay", "statement", data, "--account", 1, *reference, "--date")
    found = json.loads(run(*command, "2025-08-12", "--json").stdout)
    assert (found["date"], found["stage"], found["cash"][0]["closing"]) == ("2025-08-12", "SETTLED", 12_146_276_350)
    assert found["cash"][0]["movements"] == {"paid_in": 100_000, "paid_out": -50_000}
    assert [line["name"] for line in found["holdings"]] == ["CEA24", "CEA25"]
    assert [(o["symbol"], o["side"], o["price"], o["remaining"]) for o in found["orders"]] == [
        ("CEA24", "sell", "77.00", 50)
    ]
    text = run(*command, "2025-08-12").stdout.splitlines()
    lines = [" ".join(line.split()) for line in text]
    assert lines[0] == "account 1, 2025-08-12, stage SETTLED"
    assert {"opening 699,000", "surrendered -1,500", "closing 697,290", "pledged 600", "no trades"} <= set(lines)
    lines = [" ".join(line.split()) for line in run(*command, "2025-08-11").stdout.splitlines()]
    block = next(line for line in lines if line.startswith("13:00:00.000000"))
    assert block.endswith(" 20 CEA24 sell 70.00 200,000 200,000 1,400,000,000 700,000")
    assert "there are 3 accounts" in run(*command[:4], 9, *reference, "--date", "2025-08-11", code=1).stderr
    assert "no trading day" in run(*command, "2025-08-13", code=1).stderr


def trade_days(one: Client, two: Client, ops: Client) -> None:
    """Two days: 1 sells 1,000 t at 73.00 to 2, then 500 t at 80.00."""
    one.place("CEA24", "sell", 1_000, "73.00").wait()
    for lots in (400, 600):
        two.place("CEA24", "buy", lots, "73.00").wait_done()
    assert one.day("CEA24").change_pct == Decimal("-0.27")  # -0.20 of 73.20
    ops.control(EndDay())
    assert one.day("CEA24").change_pct is None  # today's close is the next day's reference already
    ops.control(SetPhase(int(Phase.CONTINUOUS), TOMORROW))
    one.place("CEA24", "sell", 500, "80.00").wait()
    two.place("CEA24", "buy", 500, "80.00").wait_done()
    ops.control(EndDay())


def test_over_the_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "ROWS", 1)
    with (
        background(afternoon(tmp_path)) as server,
        local(server.config, "S2") as two,
        local(server.config, "OPS") as ops,
    ):
        earlier = look(server, two, ops)

        async def ask() -> object:
            async with await AsyncClient.connect(server.config.ipc_endpoint, session="S1") as client:
                return await client.ask(lambda c: c.statement(TODAY))

        assert asyncio.run(ask()) == earlier
        said = Terminal(server.config, "S1", "client").says("statement", "2025-08-11")
        assert said.splitlines()[0] == "account 1, 2025-08-11, stage SETTLED"
        asked = Terminal(server.config, "S1", "client").ask("statement")
        assert (asked["date"], asked["trades"][0]["price"]) == ("2025-08-12", "80.00")


def look(server: Server, two: Client, ops: Client) -> Statement:
    """Everybody looks at the days of `trade_days`; returns the first day of account 1."""
    with local(server.config, "S1") as one:
        with pytest.raises(Rejected, match="no trading day of this journal has ended") as nothing:
            one.statement()
        assert nothing.value.reason.name == "INVALID_DATE"
        trade_days(one, two, ops)
        found = two.statement()
        assert (found.account, found.date, found.stage) == (2, TOMORROW, DayStage.SETTLED)
        line = found.cash[0]
        assert (line.name, line.opening, line.movements) == ("CNY", 9_992_700_000, {"bought": -4_000_000})
        assert (line.closing, line.buckets["free"]) == (9_988_700_000, 9_988_700_000)
        assert [(t.symbol, t.method, t.side, t.price, t.lots, t.amount) for t in found.trades] == [
            ("CEA24", 10, Side.BUY, Decimal("80.00"), 500, 4_000_000)
        ]
        earlier = one.statement(TODAY)
        assert [t.lots for t in earlier.trades] == [400, 600]
        cea24 = next(h for h in earlier.holdings if h.name == "CEA24")
        assert (cea24.movements, cea24.closing) == ({"brought_in": 1_000_000, "sold": -1_000}, 999_000)
        assert ops.statement(TODAY, account=1) == earlier  # an operator may look at every account
        for account in (2, 77):
            with pytest.raises(Rejected) as foreign:
                one.statement(TODAY, account=account)
            assert foreign.value.reason.name == "UNKNOWN_ACCOUNT"
        with pytest.raises(Rejected, match="2025-08-13"):
            one.statement(20250813)
        return earlier


def test_pages_keep_both_halves_of_a_trade_with_oneself(tmp_path: Path) -> None:
    with Diary(tmp_path / "j", seee({"fee_ppm": 500}, self_trade="OFF")) as diary:
        full_day(diary)
        diary.at("14:30:00").sell(7_300, 5, account=2, instrument=5)
        diary.end_of_day()
        found = settled_statement(diary.reader(), TODAY, 2)
    whole = statements.statement_data(found, after=0, most=9)
    assert [(t.lots, t.side) for t in whole.trades] == [(1_000, 1), (400, 1), (60_000, 1), (400, 1), (5, 1), (5, 2)]
    first = statements.statement_data(found, after=0, most=5)
    assert (len(first.trades), first.complete) == (4, False)
    rest = statements.statement_data(found, after=first.trades[-1].sequence, most=5)
    assert (first.trades + rest.trades, rest.complete) == (whole.trades, True)


@pytest.mark.parametrize(
    ("previous", "close", "change"),
    [
        # Published rows of 2025-08-11 and 2025-12-31: previous close and close of each vintage.
        ("71.34", "71.34", "0.00"),
        ("72.93", "72.80", "-0.18"),
        ("73.20", "72.86", "-0.46"),
        ("72.43", "74.00", "2.17"),
        ("73.00", "74.52", "2.08"),
        ("73.05", "73.81", "1.04"),
        ("72.80", "74.43", "2.24"),
        ("73.08", "76.39", "4.53"),
        # Exact halves go away from zero: 0.02 of 80.00 is 0.025 %.
        ("80.00", "80.02", "0.03"),
        ("80.00", "79.98", "-0.03"),
    ],
)
def test_change_in_per_cent(previous: str, close: str, change: str) -> None:
    found = change_pct(int(Decimal(previous) * 100), int(Decimal(close) * 100))
    assert str(found) == change


def test_change_without_a_price() -> None:
    assert (change_pct(0, 7_300), change_pct(7_300, 0)) == (None, None)
