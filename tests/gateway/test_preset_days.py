"""Days of the continuous presets through the socket, in figures worked out by hand.

hubei   price = the middle of bid, offer and last (first: the previous close 49.50)
        100 t 50.00/49.00 after 49.50 -> 49.50    200 t 52.00/51.00 after 49.50 -> 51.00
        100 t 50.00/49.00 after 51.00 -> 50.00    300 t 48.00/47.00 after 50.00 -> 48.00
        100 t 50.00/49.00 after 48.00 -> 49.00     60 t picked at 49.50 after 49.00 -> 49.50
        close (10,200 + 5,000 + 14,400 + 4,900 + 2,970) / 760 = 37,470 / 760 = 49.3026 -> 49.30; all six: 49.33
        turnover 4,950 + 37,470 = 42,420.00; fees 0.5 % a side: 24.75 + 51 + 25 + 72 + 24.50 + 14.85 = 212.10
        limits 49.30 +-10 %: 44.37, 54.23
ice     an iceberg of 12 lots, 4 at a time, sells 6 at 70.10; 3 at 69.90 trigger a stop that sells 5 at 69.85
        close (6 x 70.10 + 3 x 69.90 + 5 x 69.85) / 14 = 979.55 / 14 = 69.9679 -> 69.97
ccer    40 t picked at 70.00, then 60 at 70.00 and 40 at 70.50: 7,000 + 2,820 = 9,820.00; close 9,820 / 140 -> 70.14
        limits 70.14 +-10 %: 63.126 -> 63.13, 77.154 -> 77.15; offsets cover 5 % of 2,000 = 100
wuhan   118 kg pay 236.00 from a standing bid for 5,000 kg at 2.00 = 10,000.00
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engine.control import EndDay, MoveCash, MoveUnits, SetObligation, SetPhase
from engine.schema import EventKind, Phase, Reason
from gateway.client import Client
from gateway.errors import InvalidCommand, NotOffered, OrderRefused, RiskRefused
from gateway.orders import Status
from tests.gateway.floors import floor, members

pytestmark = pytest.mark.nojit
TOMORROW = 20250812


def free(client: Client) -> tuple[int, int]:
    """Cash and units that are free."""
    account = client.account()
    return account.cash[0].free, account.holdings[0].free if account.holdings else 0


def test_a_hubei_day(tmp_path: Path) -> None:
    opening = members(2, cash=10_000_000, units=10_000)
    with floor(tmp_path, "hubei", "2025-08-11T10:00:00+08:00", opening) as it:
        one, two = it.firms
        for lots, bid, offer, price in (
            (100, "50.00", "49.00", "49.50"),
            (200, "52.00", "51.00", "51.00"),
            (100, "50.00", "49.00", "50.00"),
            (300, "48.00", "47.00", "48.00"),
            (100, "50.00", "49.00", "49.00"),
        ):
            sold = one.place("HBEA", "sell", lots, offer).wait()
            bought = two.place("HBEA", "buy", lots, bid).wait_done()
            assert (bought.average_price, sold.wait_done().average_price) == (Decimal(price), Decimal(price))
        listing = one.place("HBEA", "sell", 150, "49.50").wait()
        picked = two.take(listing.order_id, "HBEA", "buy", 60, "49.50").wait_done()
        assert (picked.average_price, picked.fees) == (Decimal("49.50"), 1_485)
        assert free(two) == (10_000_000 - 4_242_000 - 21_210, 10_000)
        for refused in ({"post_only": True}, {"time_in_force": "ioc"}, {"shown": 2}):
            with pytest.raises(InvalidCommand):
                two.place("HBEA", "buy", 10, "49.00", **refused).wait()  # type: ignore[arg-type]
        events = it.ops.control(EndDay())
        fixed = events[events["kind"] == EventKind.CLOSE_FIXED][0]
        assert (fixed["price"], fixed["quantity"], fixed["aux"]) == (4_930, 860, 4_242_000)
        assert listing.wait_done().ended_by == Reason.END_OF_DAY
        assert (free(one), free(two)) == ((14_220_790, 9_140), (5_736_790, 10_860))
        day = one.day("HBEA")
        assert (day.limit_down, day.limit_up) == (Decimal("44.37"), Decimal("54.23"))


def test_an_ice_day(tmp_path: Path) -> None:
    eua = "EUA-DEC25"
    with floor(tmp_path, "ice-eua", "2025-08-11T09:00:00+01:00", members(3)) as it:
        one, two, three = it.firms
        iceberg = one.place(eua, "sell", 12, "70.10", shown=4).wait()
        stop = two.place(eua, "sell", 5, "69.80", stop="69.90").wait()
        kept = three.place(eua, "buy", 2, "69.00", time_in_force="gtc").wait()
        three.place(eua, "buy", 6, "70.10").wait_done()
        one.wait_until(lambda: iceberg.visible == 2, 5)
        assert (iceberg.filled, stop.waiting) == (6, True)
        low, lower = three.place(eua, "buy", 3, "69.90").wait(), three.place(eua, "buy", 8, "69.85").wait()
        one.place(eua, "sell", 3, "69.90").wait_done()
        stop.wait_triggered()
        assert (stop.wait_done().average_price, low.wait_done().filled) == (Decimal("69.85"), 3)
        three.wait_until(lambda: lower.filled == 5, 5)
        events = it.ops.control(EndDay())
        fixed = events[events["kind"] == EventKind.CLOSE_FIXED][0]
        assert (fixed["price"], fixed["quantity"], fixed["order_id"]) == (6_997, 14, 4)
        assert (iceberg.wait_done().status, iceberg.ended_by) == (Status.EXPIRED, Reason.END_OF_DAY)
        assert [order.order_id for order in three.open_orders()] == [kept.order_id]


def test_a_ccer_day_and_what_offsets_cover(tmp_path: Path) -> None:
    opening = (*members(2, cash=10_000_000), MoveUnits(1, 1, 1_000))
    with floor(tmp_path, "ccer", "2025-08-11T10:00:00+08:00", opening) as it:
        one, two = it.firms
        near = one.place("CCER", "sell", 100, "70.00").wait()
        far = one.place("CCER", "sell", 50, "70.50").wait()
        with pytest.raises(OrderRefused) as behind:
            two.take(far.order_id, "CCER", "buy", 10, "70.50").wait()
        assert behind.value.reason == Reason.NOT_AT_BEST
        two.take(near.order_id, "CCER", "buy", 40, "70.00").wait_done()
        swept = two.place("CCER", "buy", 100, "70.50").wait_done()
        assert swept.average_price == Decimal("70.20")
        with pytest.raises(RiskRefused) as today:
            two.place("CCER", "sell", 10, "70.50").wait()
        assert today.value.reason == Reason.UNITS_BOUGHT_TODAY
        for refused in (two.quote("CCER", bid=(1, "70.00")), two.block_offer("CCER", "buy", 100_000, "70.00")):
            with pytest.raises(NotOffered):
                refused.wait()
        it.ops.control(SetObligation(2, 2025, 2_000))
        events = it.ops.control(EndDay())
        assert events[events["kind"] == EventKind.CLOSE_FIXED]["price"].tolist() == [7_014]
        day = one.day("CCER")
        assert (day.limit_down, day.limit_up) == (Decimal("63.13"), Decimal("77.15"))
        assert (free(one), free(two)) == ((10_982_000, 860), (9_018_000, 140))
        it.ops.control(SetPhase(int(Phase.CONTINUOUS), TOMORROW))
        with pytest.raises(RiskRefused) as more:
            two.surrender("CCER", 101, obligation=1, year=2025).wait()
        assert more.value.reason == Reason.OFFSET_LIMIT
        paid = two.surrender("CCER", 100, obligation=1, year=2025).wait()
        assert (paid.units, paid.still_due) == (100, 1_900)


def test_wuhans_bank_redeems_credits(tmp_path: Path) -> None:
    opening = (*members(3), MoveCash(1, 1, 1_000_000), MoveUnits(2, 1, 118), MoveUnits(3, 1, 500))
    with floor(tmp_path, "wuhan-credits", "2025-08-11T10:00:00+08:00", opening) as it:
        bank, citizen, other = it.firms
        standing = bank.place("CREDIT", "buy", 5_000, "2.00", time_in_force="gtc").wait()
        assert bank.account().cash[0][1:3] == (0, 1_000_000)
        redeemed = citizen.place("CREDIT", "sell", 118, "2.00").wait_done()
        assert (redeemed.filled, free(citizen)) == (118, (23_600, 0))
        # Paid at once: the money may leave on the same day.
        it.ops.control(MoveCash(2, 1, -23_600, "loan interest"))
        assert free(citizen)[0] == 0
        for price, reason in (("2.01", Reason.PRICE_OUT_OF_WINDOW), ("1.99", Reason.PRICE_OUT_OF_WINDOW)):
            with pytest.raises(InvalidCommand) as refused:
                other.place("CREDIT", "sell", 1, price).wait()
            assert refused.value.reason == reason
        it.ops.control(SetObligation(3, 2025, 100))
        with pytest.raises(RiskRefused) as never:
            other.surrender("CREDIT", 10, obligation=1, year=2025).wait()
        assert never.value.reason == Reason.NOT_SURRENDERABLE
        it.ops.control(EndDay())
        it.ops.control(SetPhase(int(Phase.CONTINUOUS), TOMORROW))
        assert other.place("CREDIT", "sell", 50, "2.00", time_in_force="ioc").wait_done().filled == 50
        bank.wait_until(lambda: standing.filled == 168, 5)
        assert (standing.remaining, bank.account().cash[0].locked) == (4_832, 966_400)
        assert (free(bank), free(other)) == ((0, 168), (10_000, 450))
