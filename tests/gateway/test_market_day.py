"""A whole day of the SEEE preset through the socket, in figures worked out by hand.

CEA24, previous close 73.20. S1 starts with CNY 100,000,000.00 and 1,000,000 t of each vintage, S2 and S3 likewise.

listed     S1 sells 1,000 t at 73.00 and 1,000 t at 73.50; S2 buys 1,500 t up to 73.50: 1,000 x 73.00 + 500 x 73.50
           = 73,000.00 + 36,750.00 = 109,750.00; 109,750 / 1,500 = 73.1666... -> close 73.17
block      S1 sells 200,000 t to S3 at 70.00 = 14,000,000.00
bidding    S1 offers 100,000 t from 73.20; S2 bids 60,000 at 75.00, S3 70,000 at 74.00: the sum reaches 100,000 at
           74.00; S2 60,000 x 74.00 = 4,440,000.00, S3 40,000 x 74.00 = 2,960,000.00
composite  (71.34 + 70.00 + 73.00 + 72.93 + 73.17) / 5 = 360.44 / 5 = 72.088 -> 72.09
limits     73.17 +-10 %: 80.487 -> 80.49, 65.853 -> 65.85
next day   S1 sells 500 t to S2 at 80.00 = 40,000.00; the month: (109,750 + 40,000) / 2,000 = 74.875 -> 74.88 by volume,
           (73.17 + 80.00) / 2 = 76.585 -> 76.59 the mean of the closes
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engine.control import AnnounceAuction, CloseAuction, EndDay, OpenAuction, SetPhase
from engine.schema import DayStage, EventKind, Phase
from gateway.cli import cli
from gateway.client import Client
from gateway.handles import Stage
from gateway.orders import Status
from gateway.server import background
from replay import verify
from tests.gateway.halls import afternoon
from tests.gateway.servers import local

pytestmark = pytest.mark.nojit
CEA24 = 5


def listed(one: Client, two: Client) -> None:
    cheap = one.place("CEA24", "sell", 1_000, "73.00").wait()
    dear = one.place("CEA24", "sell", 1_000, "73.50").wait()
    bought = two.place("CEA24", "buy", 1_500, "73.50").wait()
    assert (bought.status, bought.average_price) == (Status.FILLED, Decimal("109750") / 1_500)
    one.wait_until(lambda: cheap.done and dear.filled == 500, 5)


def block(one: Client, three: Client) -> None:
    offer = one.block_offer("CEA24", "sell", 200_000, "69.00", counterparty=3).wait()
    three.block_counter(three.negotiations()[0], 200_000, "70.00").wait()
    assert offer.wait_done().stage == Stage.COUNTERED
    assert one.block_accept(one.negotiations()[0]).wait().stage == Stage.TRADED


def bidding(two: Client, three: Client, ops: Client) -> None:
    ops.control(AnnounceAuction(CEA24, 1, 7_320, 100_000))
    ops.control(OpenAuction(1))
    high = two.bid(1, "CEA24", 60_000, "75.00").wait()
    low = three.bid(1, "CEA24", 70_000, "74.00").wait()
    ops.control(CloseAuction(1))
    assert (high.wait_done().filled, low.wait_done().filled) == (60_000, 40_000)
    assert high.average_price == low.average_price == Decimal("74.00")


def statement(client: Client) -> tuple[int, int, int, int, int]:
    """(cash free, locked, proceeds of today, CEA24 free, CEA24 bought today) of the firm's account."""
    account = client.account()
    cash, units = account.cash[0], next(h for h in account.holdings if h.asset == "CEA24")
    assert units.locked == 0 or units.locked == 500
    return cash.free, cash.locked, cash.proceeds_today, units.free, units.bought_today


def test_a_market_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (
        background(afternoon(tmp_path)) as server,
        local(server.config, "S1") as one,
        local(server.config, "S2") as two,
        local(server.config, "S3") as three,
        local(server.config, "OPS") as ops,
    ):
        listed(one, two)
        block(one, three)
        bidding(two, three, ops)
        # S1: 109,750.00 + 14,000,000.00 + 7,400,000.00 earned, 301,500 t sold, 500 t in the book.
        assert statement(one) == (12_150_975_000, 0, 2_150_975_000, 698_000, 0)
        assert statement(two) == (10_000_000_000 - 10_975_000 - 444_000_000, 0, 0, 1_000_000, 61_500)
        assert statement(three) == (10_000_000_000 - 1_400_000_000 - 296_000_000, 0, 0, 1_000_000, 240_000)
        events = ops.control(EndDay())
        fixed = events[events["kind"] == EventKind.CLOSE_FIXED]
        assert fixed["price"].tolist() == [7_134, 7_000, 7_300, 7_293, 7_317]
        assert fixed["quantity"].tolist() == [0, 0, 0, 0, 1_500]
        composite = events[events["kind"] == EventKind.COMPOSITE_FIXED]
        assert composite["price"].tolist() == [7_209]
        day = one.day("CEA24")
        assert (day.stage, day.previous_close) == (DayStage.SETTLED, Decimal("73.17"))
        assert (day.limit_down, day.limit_up, day.volume) == (Decimal("65.85"), Decimal("80.49"), 0)
        limits = events[(events["kind"] == EventKind.LIMITS_SET) & (events["instrument"] == CEA24)][0]
        # Blocks, +-30 %: 95.121 -> 95.12, 51.219 -> 51.22.
        assert (limits["remaining"], limits["contra_remaining"]) == (5_122, 9_512)
        assert statement(one) == (12_150_975_000, 0, 0, 698_500, 0)
        assert statement(two) == (9_545_025_000, 0, 0, 1_061_500, 0)
        assert statement(three) == (8_304_000_000, 0, 0, 1_240_000, 0)
        # The day as statements: S2 paid 109,750.00 and 4,440,000.00, S3 14,000,000.00 and 2,960,000.00.
        bought, dealt = two.statement(), three.statement()
        assert bought.cash[0].movements == {"paid_in": 10_000_000_000, "bought": -10_975_000 - 444_000_000}
        assert (bought.cash[0].closing, [t.method for t in bought.trades]) == (9_545_025_000, [10, 10, 21])
        assert dealt.holdings[4].movements == {"brought_in": 1_000_000, "bought": 240_000}
        assert [(t.method, t.lots, t.amount) for t in dealt.trades] == [
            (20, 200_000, 1_400_000_000),
            (21, 40_000, 296_000_000),
        ]
        ops.control(SetPhase(int(Phase.CONTINUOUS), 20250812))
        one.place("CEA24", "sell", 500, "80.00").wait()
        assert two.place("CEA24", "buy", 500, "80.00").wait().status == Status.FILLED
        ops.control(EndDay())
    code = cli.main(
        ["replay", "average", "CEA24", "2025-08", str(tmp_path / "data")], "carbonbook", standalone_mode=False
    )
    assert (code, capsys.readouterr().out) == (
        0,
        "CEA24 2025-08: 74.88 weighted by volume, 76.59 mean of closes"
        " (2 days, 2025-08-11 to 2025-08-12, 2,000 lots)\n",
    )
    assert verify(tmp_path / "data/journal", "reference").ok
