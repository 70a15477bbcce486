"""Days with call auctions through the socket, in figures worked out by hand.

KRX (official example): sells 7,810 x 150, 7,820 x 200, 7,830 x (150, 200, 50), 7,840 x 300, 7,850 x 750, 7,860 x 450;
buys 7,850 x 100, 7,840 x 150, 7,830 x (200, 150), 7,820 x 400, 7,810 x 500, 7,800 x 650: 600 t at 7,830, where 600 are
bid and 750 offered; the sells at 7,830 get 150, 100 and 0.

continuous  50 t at 7,830 from the second of them
block       1,000 t at 7,900 = 7,900,000
closing     60 t at any price and 130 t at 7,850 are bid; offered 100 at 7,830, 400 up to 7,840: 190 t trade at 7,840 or
            7,850, the last price 7,830 is nearest to 7,840; 50 + 50 + 90 t
money       600 x 7,830 = 4,698,000, 50 x 7,830 = 391,500, 190 x 7,840 = 1,489,600; with the block 14,479,100
limits      7,840 +-10 % in tens: 705.6 -> 7,060, 862.4 -> 8,620

EEX spot: close 70.00, so trades lie within 67.90 and 72.10 (3 %); what would trade at 72.50 waits for a call.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engine.control import EndDay, SetPhase
from engine.schema import EventFlag, EventKind, Mode, Phase, Reason
from gateway.client import Client
from gateway.errors import InvalidCommand, WrongPhase
from gateway.handles import Stage
from gateway.orders import OrderHandle, Status
from tests.gateway.floors import Floor, floor, members

pytestmark = pytest.mark.nojit
KAU = "KAU25"
TODAY = 20250811
START = 40_000_000
SELLS = ((7_810, 150), (7_820, 200), (7_830, 150), (7_830, 200), (7_830, 50), (7_840, 300), (7_850, 750), (7_860, 450))
BUYS = ((7_850, 100), (7_840, 150), (7_830, 200), (7_830, 150), (7_820, 400), (7_810, 500), (7_800, 650))


def won(client: Client) -> tuple[int, int]:
    """Cash free and locked."""
    line = client.account().cash[0]
    return line.free, line.locked


def gather(it: Floor) -> tuple[list[OrderHandle], list[OrderHandle]]:
    """The first firm sells the cheapest three, the second the others; the third buys."""
    one, two, three = it.firms
    sells = [(one if n < 3 else two).place(KAU, "sell", lots, price).wait() for n, (price, lots) in enumerate(SELLS)]
    return sells, [three.place(KAU, "buy", lots, price).wait() for price, lots in BUYS]


def opening_call(it: Floor) -> list[OrderHandle]:
    _, two, three = it.firms
    sells, buys = gather(it)
    book = three.book(KAU)
    assert (book.bids[0][:2], book.asks[0][:2]) == ((Decimal(7_850), 100), (Decimal(7_810), 150))
    call = three.indicative(KAU)
    assert call == (KAU, Phase.OPEN_CALL, False, Decimal(7_830), 600, -150)
    two.place(KAU, "sell", 10, 7_900).wait().cancel().wait()
    for refused in ({"time_in_force": "fok"}, {"minimum": 1}):
        with pytest.raises(WrongPhase):
            three.place(KAU, "buy", 10, 7_900, **refused).wait()  # type: ignore[arg-type]
    it.ops.control(SetPhase(int(Phase.OPEN_CALL), TODAY, no_cancel=True))
    assert three.indicative(KAU).frozen is True
    with pytest.raises(WrongPhase):
        buys[-1].cancel().wait()
    with pytest.raises(WrongPhase):
        buys[-1].replace(quantity=600).wait()
    assert three.mass_cancel().wait().events[-1]["quantity"] == 0
    it.ops.poll()
    it.ops.control(SetPhase(int(Phase.CONTINUOUS), TODAY))
    for order in (*sells[:3], *buys[:4]):
        order.wait_done()
    two.wait_until(lambda: sells[3].filled == 100, 5)
    assert [order.filled for order in sells] == [150, 200, 150, 100, 0, 0, 0, 0]
    assert [order.filled for order in buys] == [100, 150, 200, 150, 0, 0, 0]
    assert {order.average_price for order in (*sells[:4], *buys[:4])} == {Decimal(7_830)}
    uncrossed = it.ops.poll()
    uncrossed = uncrossed[uncrossed["kind"] == EventKind.CALL_UNCROSSED]
    names = ["price", "quantity", "remaining", "contra_remaining", "aux"]
    assert uncrossed[names].tolist() == [(783, 600, 600, 750, 783)]
    assert won(three) == (START - 4_698_000 - 12_103_000, 12_103_000)
    return sells


def halves(client: Client) -> list[tuple[int, int, int, int, int, int]]:
    """(side, price, lots, left, released, flags) of each trade told to a client; nothing about the other side."""
    records = client.poll()
    trades = records[records["kind"] == EventKind.TRADE]
    for name in ("contra_account", "contra_order_id", "contra_client_order_id", "contra_remaining", "contra_session"):
        assert not trades[name].any()
    return trades[["side", "price", "quantity", "remaining", "aux", "flags"]].tolist()


def test_a_krx_day(tmp_path: Path) -> None:
    with floor(tmp_path, "krx", "2025-08-11T09:10:00+09:00", members(3, cash=START, units=10_000)) as it:
        one, two, three = it.firms
        sells = opening_call(it)
        # Head to head: 100, 50 | 100, 100 | 100, 50 | 100; a buyer gets back what it bid above 7,830.
        assert halves(three) == [
            (1, 783, 100, 0, 2_000, 0),
            (1, 783, 50, 100, 500, 0),
            (1, 783, 100, 0, 1_000, 0),
            (1, 783, 100, 100, 0, 0),
            (1, 783, 100, 0, 0, 0),
            (1, 783, 50, 100, 0, 0),
            (1, 783, 100, 0, 0, 0),
        ]
        assert halves(two) == [(2, 783, 100, 100, 0, 0)]
        three.place(KAU, "buy", 50, 7_840).wait_done()
        two.wait_until(lambda: sells[3].filled == 150, 5)
        assert halves(two) == [(2, 783, 50, 50, 0, int(EventFlag.MAKER))]
        it.ops.control(SetPhase(int(Phase.CONTINUOUS), TODAY, mode=int(Mode.BLOCK)))
        offer = one.block_offer(KAU, "sell", 1_000, 7_900, counterparty=3).wait()
        assert three.block_accept(three.negotiations()[0]).wait().stage is Stage.TRADED
        assert offer.wait_done().filled == 1_000
        it.ops.control(SetPhase(int(Phase.CLOSE_CALL), TODAY))
        closing_call(it, sells)


def closing_call(it: Floor, sells: list[OrderHandle]) -> None:
    one, two, three = it.firms
    market = three.place(KAU, "buy", 60, market=True, time_in_force="day").wait()
    limit = three.place(KAU, "buy", 130, 7_850).wait()
    only = three.place(KAU, "buy", 10, 7_800, time_in_force="ioc").wait()
    assert (market.price, three.indicative(KAU)[3:]) == (Decimal(8_610), (Decimal(7_840), 190, -210))
    events = it.ops.control(EndDay())
    assert (market.wait_done().average_price, limit.wait_done().filled) == (Decimal(7_840), 130)
    assert (only.wait_done().status, only.ended_by) == (Status.EXPIRED, Reason.CALL_REMAINDER)
    two.wait_until(lambda: sells[5].done, 5)
    assert [order.filled for order in sells[3:6]] == [200, 50, 90]
    assert (sells[5].status, sells[5].ended_by) == (Status.EXPIRED, Reason.END_OF_DAY)
    assert won(three) == (START - 14_479_100, 0)
    assert (won(one), won(two)) == ((START + 11_815_000, 0), (START + 2_664_100, 0))
    fixed = events[events["kind"] == EventKind.CLOSE_FIXED][0]
    assert (fixed["price"], fixed["quantity"]) == (784, 600 + 50 + 190)
    day = three.day(KAU)
    assert (day.previous_close, day.limit_down, day.limit_up) == (Decimal(7_840), Decimal(7_060), Decimal(8_620))
    assert [h.free for h in three.account().holdings] == [10_000 + 600 + 50 + 1_000 + 190]


def test_a_volatility_interruption(tmp_path: Path) -> None:
    opening = members(3, cash=10_000_000_000, units=1_000_000)
    with floor(tmp_path, "eex-spot", "2025-08-11T09:00:00+02:00", opening) as it:
        one, two, three = it.firms
        near, far, beyond = [two.place("EUA", "sell", 5, price).wait() for price in ("70.00", "71.50", "72.50")]
        stop = three.place("EUA", "buy", 2, "73.00", stop="72.00").wait()
        order = one.place("EUA", "buy", 15, "72.50").wait()
        one.wait_until(lambda: order.filled == 10, 5)
        assert (order.status, order.remaining) == (Status.PARTIALLY_FILLED, 5)
        assert (near.wait_done().filled, far.wait_done().filled, stop.waiting) == (5, 5, True)
        assert one.indicative("EUA") == ("EUA", Phase.VOLATILITY_CALL, False, Decimal("72.50"), 5, 0)
        changed = one.poll()
        changed = changed[changed["kind"] == EventKind.PHASE_CHANGED]
        assert changed[["phase", "aux2"]].tolist() == [(Phase.VOLATILITY_CALL, Phase.CONTINUOUS)]
        with pytest.raises(WrongPhase):
            three.quote("EUA", bid=(1, "70.00")).wait()
        with pytest.raises(InvalidCommand):
            it.ops.control(SetPhase(int(Phase.VOLATILITY_CALL), TODAY, mode=int(Mode.BLOCK)))
        it.ops.control(SetPhase(int(Phase.CONTINUOUS), TODAY, instrument=1))
        assert (order.wait_done().average_price, beyond.wait_done().filled) == (
            Decimal("350.00") / 15 + Decimal("357.50") / 15 + Decimal("362.50") / 15,
            5,
        )
        stop.wait_triggered()
        assert (stop.status, three.day("EUA").last) == (Status.LIVE, Decimal("72.50"))
        assert [(str(b.price), b.quantity) for b in three.book("EUA").bids] == [("73.00", 2)]
        assert one.indicative("EUA")[1:] == (Phase.CONTINUOUS, False, None, 0, 0)
