"""Every act of an operator through a real server and its socket."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.client import Client
from gateway.errors import MarketClosed, RiskRefused
from gateway.server import Server, background
from tests.gateway.halls import Terminal, afternoon
from tests.gateway.servers import local

pytestmark = pytest.mark.nojit


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with background(afternoon(tmp_path)) as running:
        yield running


@pytest.fixture
def ops(server: Server) -> Terminal:
    return Terminal(server.config, "OPS", "operate")


@pytest.fixture
def one(server: Server) -> Iterator[Client]:
    with local(server.config, "S1") as client:
        yield client


@pytest.fixture
def two(server: Server) -> Iterator[Client]:
    with local(server.config, "S2") as client:
        yield client


def test_instruments_are_listed_delisted_and_widened(ops: Terminal, one: Client) -> None:
    assert ops.says("list", "CEA25", "2025-08-11", "--price", "70") == (
        "CEA25: listed from 2025-08-11, reference price 70.00"
    )
    assert ops.refused("list", "CEA25", "2025-08-12") == "ALREADY_LISTED"
    assert ops.ask("widen", "CEA24", "0.01", "1310.72")["ceiling"] == "1310.72"
    assert ops.refused("widen", "CEA24", "0.02", "1310.72") == "INVALID_PRICE"
    assert ops.says("delist", "CEA21", "2025-08-29") == "CEA21: last trading date 2025-08-29"
    assert ops.refused("reference", "CEA24", "73") == "WRONG_DAY_STAGE"
    assert ops.says("phase", "CONTINUOUS", "--instrument", "CEA25").startswith("CEA25: CONTINUOUS")
    assert str(one.place("CEA25", "buy", 1, "70").wait().price) == "70.00"


def test_limits(ops: Terminal, one: Client) -> None:
    assert ops.says("limit", "order-value", "7300.00", "--account", "1") == "order-value of account 1: 7300.00"
    one.place("CEA24", "buy", 100, "73").wait()  # exactly 7,300.00
    with pytest.raises(RiskRefused) as over:
        one.place("CEA24", "buy", 100, "73.01").wait()
    assert over.value.reason.name == "MAX_ORDER_VALUE"
    until = ("--override", "8000", "--until", "2025-08-11T15:00")
    assert ops.ask("limit", "order-value", "7300", "--account", 1, *until)["override"] == 800_000
    one.place("CEA24", "buy", 100, "73.01").wait()
    assert ops.says("limit", "order-quantity", 5, "--instrument", "CEA22") == "order-quantity of CEA22: 5"
    assert ops.says("limit", "order-quantity", 0, "--instrument", "CEA22") == "order-quantity of CEA22: no limit"
    assert ops.says("limit", "order-rate", 1_000).startswith("order-rate of the venue")
    assert ops.says("limit", "position", 2_000_000, "--firm", "Firm 2") == "position of firm Firm 2: 2000000"
    assert ops.refused("limit", "position", 5, "--firm", "Nobody").startswith("no firm 'Nobody'")
    assert ops.refused("limit", "position", 5, "--account", 99) == "UNKNOWN_ACCOUNT"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("limit", "order-value", "1.001"), "at most two decimals"),
        (("limit", "open-orders", "many"), "write a whole number"),
        (("limit", "open-orders", "5", "--override", "7"), "go together"),
        (("list", "CEA25", "soon"), "write YYYY-MM-DD"),
        (("kill", "firm", "--cause", "x"), "name the firm"),
        (("kill", "venue", "1", "--cause", "x"), "the venue has no number"),
        (("kill", "account", "one", "--cause", "x"), "an account is a number"),
        (("kill", "venue"), "Missing option '--cause'"),
        (("place-hold", "pledge", "1", "CEA24", "5"), "a pledge names its --creditor"),
        (("place-hold", "judicial", "1", "CO2", "5"), "no 'CO2' among the venue's assets"),
        (("bust", "5", "--cause", "x", "--price", "3"), "missing: --mode, --instrument, --buyer"),
        (("auction", "commit", "1", "--sha256", "abc"), "sha256"),
        (("auction", "commit", "1", "--sha256", "a", "--seed-file", "b"), "either --sha256 or --seed-file"),
        (("phase", "CONTINUOUS", "--no-cancel"), "CONTINUOUS is no call; orders can only be held fast in OPEN_CALL"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_command_lines(ops: Terminal, arguments: tuple[str, ...], says: str) -> None:
    assert says in ops.run(*arguments, code=2).stderr


def test_kill_and_resume(ops: Terminal, one: Client) -> None:
    order = one.place("CEA24", "buy", 100, "73").wait()
    assert ops.ask("kill", "firm", "Firm 1", "--cause", "runaway")["ended"] == 1
    one.wait_until(lambda: order.done, 5)
    with pytest.raises(RiskRefused):
        one.place("CEA24", "buy", 100, "73").wait()
    assert ops.says("resume", "firm", 1) == "firm 1: goes on"
    for scope in (("account", "1"), ("instrument", "CEA24"), ("venue",)):
        one.place("CEA24", "buy", 100, "73").wait()
        assert ops.says("kill", *scope, "--cause", "test").endswith("stopped; 1 orders, negotiations and bids ended")
        with pytest.raises((MarketClosed, RiskRefused)):
            one.place("CEA24", "buy", 100, "73").wait()
        ops.run("resume", *scope)
    assert ops.refused("kill", "instrument", "NONE", "--cause", "x") == "UNKNOWN_INSTRUMENT"


def test_corrections(ops: Terminal, one: Client, two: Client) -> None:
    resting = one.place("CEA24", "buy", 100, "73").wait()
    assert ops.says("cancel-order", resting.order_id, "--cause", "by phone") == (
        f"order {resting.order_id}: cancelled, 100 lots were left"
    )
    assert ops.refused("cancel-order", resting.order_id, "--cause", "again") == "UNKNOWN_ORDER"
    one.place("CEA24", "buy", 100, "73").wait()
    trade = int(two.place("CEA24", "sell", 40, "73").wait().events[-1]["sequence"])
    assert two.account().cash[0].free == 10_000_000_000 + 292_000  # 40 t at 73.00
    told = ops.ask("bust", trade, "--cause", "obvious error")
    assert (told["buyer"], told["seller"], told["price"], told["quantity"]) == (1, 2, "73.00", 40)
    assert (told["cash_returned"], told["units_returned"]) == (292_000, 40)
    assert two.account().cash[0].free == 10_000_000_000
    assert ops.refused("bust", trade, "--cause", "again") == "ALREADY_BUSTED"
    assert "is no trade" in ops.refused("bust", trade - 1, "--cause", "not a trade")
    second = int(two.place("CEA24", "sell", 60, "73").wait().events[-1]["sequence"])
    terms = ("--mode", "listed", "--instrument", "CEA24", "--buyer", 1, "--seller", 2, "--price", "73")
    told = ops.says("bust", second, *terms, "--lots", 60, "--date", "2025-08-11", "--cause", "stated")
    assert told == f"trade {second} cancelled: 60 CEA24 @ 73.00, account 1 had bought from account 2"


def test_the_end_of_day_in_two_steps(ops: Terminal) -> None:
    assert ops.refused("acknowledge") == "WRONG_DAY_STAGE"
    assert ops.says("end-day", "--no-settle") == "day ended; the closes are fixed, settlement is due"
    assert ops.says("acknowledge") == "settlement of 2025-08-11: accepted"
    assert ops.ask("acknowledge", "2025-08-11", "--refused", "--cause", "wrong sum")["accepted"] is False
    assert ops.refused("acknowledge", "2025-08-12") == "INVALID_DATE"
    assert ops.says("settle") == "trading date 2025-08-11 settled"
    assert ops.refused("settle") == "WRONG_DAY_STAGE"
    told = ops.ask("reference", "CEA24", "75.00")
    assert (told["price"], told["limit_down"], told["limit_up"]) == ("75.00", "67.50", "82.50")


def test_the_registry(ops: Terminal, one: Client) -> None:
    pledge = ("place-hold", "pledge", 1, "CEA24", 5_000, "--creditor", 2, "--loan", "300000.00")
    assert ops.ask(*pledge)["hold"] == 1
    assert ops.refused("release-hold", 1, 2_000, "--creditor", 3) == "WRONG_CREDITOR"
    assert ops.says("release-hold", 1, 2_000, "--creditor", 2) == (
        "hold 1: 2,000 CEA24 of account 1 released; 3,000 held"
    )
    realised = ops.ask("realise-hold", 1, 3_000, "--creditor", 2, "--receiver", 2)
    assert (realised["units"], realised["left"]) == (3_000, 0)
    assert one.account().holdings[4].free == 997_000
    assert "400 CEA23 of account 1 held" in ops.says("place-hold", "judicial", 1, "CEA23", 400, "--cause", "court")
    assert ops.refused("realise-hold", 9, 1) == "UNKNOWN_HOLD"
    assert ops.ask("allocate", 1, "CEA25", 50_000, 2025)["free"] == 50_000
    assert ops.says("obligation", 1, 2024, 48_000) == "obligation 1: account 1 owes 48,000 for 2024; 48,000 still due"
    carried = ("carry-over", 1, "CEA23", "CEA25", 8_000, "--year", 2025, "--net-sales", 0)
    assert ops.ask(*carried)["carried_over"] == 8_000
    assert ops.refused(*carried) == "CARRY_OVER_LIMIT"  # 10,000 without net sales
    assert ops.says("owner-group", 1, 7) == "account 1: owner group 7"


def test_an_auction_by_lot(ops: Terminal, tmp_path: Path) -> None:
    announced = ops.ask("auction", "announce", "CEA24", 1, 100_000, "73.20", "--tie", "random")
    assert (announced["auction"], announced["reserve"], announced["cap"]) == (1, "73.20", "80.52")
    assert ops.refused("auction", "open", 1) == "SEED_NOT_COMMITTED"
    file = tmp_path / "one.seed"
    told = ops.ask("auction", "commit", 1, "--seed-file", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert told["sha256"] == hashlib.sha256(bytes.fromhex(file.read_text())).hexdigest()
    assert "exists, perhaps the only copy of a committed seed: keep it" in ops.refused(
        "auction", "commit", 1, "--seed-file", file
    )
    assert ops.says("auction", "open", 1) == "auction 1: open, 100,000 lots"
    late = tmp_path / "late.seed"
    assert ops.refused("auction", "commit", 1, "--seed-file", late) == "WRONG_AUCTION_STAGE"
    assert not late.exists()
    assert ops.says("auction", "close", 1) == "auction 1: closed with 0 bids; reveal the seed"
    wrong = tmp_path / "wrong.seed"
    wrong.write_text("00" * 32)
    assert ops.refused("auction", "reveal", 1, "--seed-file", wrong) == "SEED_MISMATCH"
    wrong.write_text("nothing")
    assert "holds no seed" in ops.refused("auction", "reveal", 1, "--seed-file", wrong)
    assert ops.ask("auction", "reveal", 1, "--seed-file", file)["cancelled"] == "NO_BIDS"


def test_an_auction_by_time_and_one_that_is_cancelled(ops: Terminal, one: Client) -> None:
    rules = ("--cap", "75", "--price-rule", "pay-as-bid", "--short", "cancel", "--far-below", "raise")
    more = ("--secondary", "73", "--threshold", 500, "--opens", "2025-08-11T14:00")
    assert ops.says("auction", "announce", "CEA24", 1, 100_000, "73.20", *rules, *more) == (
        "auction 1: account 1 sells 100,000 CEA24 at 73.20 or better, cap 75.00"
    )
    assert one.account().holdings[4].free == 900_000
    assert ops.ask("auction", "commit", 1, "--sha256", "ab" * 32)["seed_file"] is None
    ops.run("auction", "open", 1)
    assert ops.says("auction", "close", 1) == "auction 1: cancelled, NO_BIDS"
    assert ops.ask("auction", "announce", "CEA24", 2, 100_000, "80.52", "--buy")["auction"] == 2
    assert ops.says("auction", "cancel", 2, "--cause", "withdrawn") == "auction 2: cancelled, AUCTION_WITHDRAWN"
    assert ops.refused("auction", "close", 2) == "UNKNOWN_AUCTION"


def test_a_firm_may_do_none_of_it(server: Server) -> None:
    assert Terminal(server.config, "S1", "operate").refused("settle") == "NOT_PERMITTED"
