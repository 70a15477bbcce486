"""Icebergs, stops, hidden orders, dates and minimum quantities on the ICE preset: the SDK, and who is told what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from engine.control import EndDay, SetPhase
from engine.schema import EventKind, OrderType, Phase, Reason
from gateway.client import Client
from gateway.errors import InvalidCommand, MinimumNotMet, NotOffered, OrderRefused, Rejected
from gateway.orders import Status
from tests.gateway.floors import Floor, changed_venue, floor, members

pytestmark = pytest.mark.nojit
EUA = "EUA-DEC25"
MORNING = "2025-08-11T09:00:00+01:00"


@pytest.fixture
def ice(tmp_path: Path) -> Iterator[Floor]:
    with floor(tmp_path, "ice-eua", MORNING, members(3)) as running:
        yield running


def asks(client: Client) -> list[tuple[str, int, int]]:
    return [(str(level.price), level.quantity, level.orders) for level in client.book(EUA).asks]


def kinds(client: Client) -> list[EventKind]:
    """Kinds of the events that have come to a client so far."""
    client.account()  # behind whatever the venue has told already
    return [EventKind(int(kind)) for kind in client.poll()["kind"]]


def test_an_iceberg_shows_a_part_and_goes_behind_the_others(ice: Floor) -> None:
    one, two, three = ice.firms
    iceberg = one.place(EUA, "sell", 10, "70.10", shown=2).wait()
    plain = two.place(EUA, "sell", 3, "70.10").wait()
    assert asks(three) == [("70.10", 5, 2)]
    # Four lots: the two shown first, then two of the order behind; the iceberg's next part stands at the end.
    assert three.place(EUA, "buy", 4, "70.10").wait().average_price == Decimal("70.10")
    one.wait_until(lambda: iceberg.filled == 2 and iceberg.visible == 2, 5)
    two.wait_until(lambda: plain.filled == 2, 5)
    assert asks(three) == [("70.10", 3, 2)]
    # Four more: one of the plain order, a part of two, and one of the next part.
    three.place(EUA, "buy", 4, "70.10").wait()
    one.wait_until(lambda: iceberg.filled == 5, 5)
    assert (iceberg.visible, iceberg.remaining, plain.wait_done().status) == (1, 5, Status.FILLED)
    seen = one.open_orders()[0]
    assert (seen.order_type, seen.shown, seen.visible, seen.remaining) == (OrderType.ICEBERG, 2, 1, 5)
    assert iceberg.replace(shown=3).wait().kept_place is False
    assert (iceberg.shown, iceberg.visible, asks(two)) == (3, 3, [("70.10", 3, 1)])
    assert iceberg.replace(quantity=9).wait().kept_place is True
    assert (iceberg.remaining, iceberg.visible) == (4, 3)
    assert EventKind.REFRESHED in kinds(one) and EventKind.REFRESHED not in kinds(two) + kinds(three)


def test_what_is_wrong_with_an_iceberg_is_said(ice: Floor) -> None:
    one = ice.firms[0]
    for shown, reason in ((10, Reason.INVALID_QUANTITY), (11, Reason.INVALID_QUANTITY)):
        with pytest.raises(InvalidCommand) as refused:
            one.place(EUA, "sell", 10, "70.10", shown=shown).wait()
        assert refused.value.reason == reason
    with pytest.raises(InvalidCommand) as immediate:
        one.place(EUA, "sell", 10, "70.10", shown=2, time_in_force="ioc").wait()
    assert immediate.value.reason == Reason.INVALID_COMBINATION
    for wrong in (
        {"market": True, "shown": 2},
        {"stop": "70"},
        {"price": "70", "time_in_force": "gtd"},
        {"price": "70", "time_in_force": "day", "good_till": date(2025, 8, 29)},
    ):
        with pytest.raises(TypeError):
            one.place(EUA, "sell", 10, **wrong)  # type: ignore[arg-type]


def test_a_stop_sells_as_the_price_falls_and_nobody_else_learns_of_it(ice: Floor) -> None:
    one, two, three = ice.firms
    stop = one.place(EUA, "sell", 5, "69.00", market=True, stop="69.50").wait()
    assert (stop.status, stop.waiting, stop.visible, stop.stop) == (Status.WAITING, True, 0, Decimal("69.50"))
    seen = one.open_orders()[0]
    assert (seen.order_type, seen.stop, seen.waiting, seen.visible) == (OrderType.STOP, Decimal("69.50"), True, 0)
    assert asks(three) == []
    two.place(EUA, "buy", 3, "69.50").wait()
    two.place(EUA, "buy", 2, "69.20").wait()
    two.place(EUA, "buy", 7, "68.90").wait()
    kinds(three)
    sold = three.place(EUA, "sell", 3, "69.50").wait()
    assert sold.status is Status.FILLED
    # 69.50 meets the stop: two lots at 69.20, and nothing more down to its collar of 69.00.
    stop.wait_triggered()
    stop.wait_done()
    assert (stop.filled, stop.average_price, stop.status) == (2, Decimal("69.20"), Status.EXPIRED)
    assert (stop.triggered, stop.ended_by) == (True, Reason.IOC_REMAINDER)
    assert kinds(three) == [EventKind.ACCEPTED, EventKind.TRADE]
    mine = kinds(one)
    assert mine == [EventKind.ACCEPTED, EventKind.TRIGGERED, EventKind.TRADE, EventKind.EXPIRED]
    three.resume(0)
    three.wait_until(lambda: three.waiting >= 2, 5)
    assert [int(kind) for kind in three.poll()["kind"]] == [EventKind.ACCEPTED, EventKind.TRADE]


def test_a_stop_limit_rests_once_it_is_met_and_cascades(ice: Floor) -> None:
    one, two, three = ice.firms
    first = one.place(EUA, "buy", 4, "71.20", stop="71.00").wait()
    second = one.place(EUA, "buy", 6, "71.50", stop="71.10", shown=2).wait()
    assert first.replace(stop="71.05").wait().kept_place is False
    assert (first.stop, first.ticks, first.waiting) == (Decimal("71.05"), 7_120, True)
    two.place(EUA, "sell", 1, "71.05").wait()
    two.place(EUA, "sell", 2, "71.15").wait()
    three.place(EUA, "buy", 1, "71.05").wait()
    # 71.05 triggers the first: it buys two at 71.15, which triggers the second; both rest, the better bid in front.
    first.wait_triggered()
    second.wait_triggered()
    assert (first.filled, first.remaining, first.status) == (2, 2, Status.PARTIALLY_FILLED)
    assert (second.filled, second.visible, second.status) == (0, 2, Status.LIVE)
    assert [(str(b.price), b.quantity) for b in three.book(EUA).bids] == [("71.50", 2), ("71.20", 2)]
    with pytest.raises(InvalidCommand) as late:
        first.replace(stop="71.30").wait()
    assert late.value.reason == Reason.INVALID_COMBINATION
    first.cancel().wait()
    assert first.ended_by == Reason.USER_REQUESTED
    one.place(EUA, "sell", 1, "60.00", market=True, stop="61.00").wait().cancel().wait()


def test_a_minimum_quantity(ice: Floor) -> None:
    one, two, _ = ice.firms
    two.place(EUA, "sell", 2, "70.00").wait()
    with pytest.raises(MinimumNotMet) as refused:
        one.place(EUA, "buy", 5, "70.00", minimum=3).wait()
    assert (refused.value.reason, isinstance(refused.value, OrderRefused)) == (Reason.MIN_QUANTITY_NOT_MET, True)
    two.place(EUA, "sell", 1, "70.00").wait()
    order = one.place(EUA, "buy", 5, "70.00", minimum=3).wait()
    assert (order.filled, order.remaining, order.status) == (3, 2, Status.PARTIALLY_FILLED)


def test_good_till_a_date(ice: Floor) -> None:
    one = ice.firms[0]
    with pytest.raises(InvalidCommand) as past:
        one.place(EUA, "buy", 5, "70.00", good_till=date(2025, 8, 8)).wait()
    assert past.value.reason == Reason.INVALID_DATE
    order = one.place(EUA, "buy", 5, "70.00", good_till=date(2025, 8, 11)).wait()
    assert (order.good_till, one.open_orders()[0].good_till) == (20250811, 20250811)
    assert order.replace(good_till=date(2025, 8, 12)).wait().kept_place is True
    assert order.good_till == 20250812
    day = one.place(EUA, "buy", 1, "70.00").wait()
    ice.ops.control(EndDay())
    assert day.wait_done().ended_by == Reason.END_OF_DAY
    ice.ops.control(SetPhase(int(Phase.CONTINUOUS), 20250812))
    assert one.open_orders()[0].good_till == 20250812
    ice.ops.control(EndDay())
    assert (order.wait_done().status, order.ended_by) == (Status.EXPIRED, Reason.GOOD_TILL_DATE)


def test_what_the_venue_does_not_offer(ice: Floor) -> None:
    one = ice.firms[0]
    with pytest.raises(InvalidCommand) as hidden:
        one.place(EUA, "buy", 1, "70.00", hidden=True).wait()
    assert hidden.value.reason == Reason.INVALID_FLAGS
    with pytest.raises(NotOffered):
        one.quote(EUA, bid=(1, "70.00")).wait()
    with pytest.raises(Rejected) as needed:
        one.place(EUA, "buy", 1, market=True, stop="70.00").wait()
    assert needed.value.reason == Reason.PRICE_REQUIRED
    assert one.indicatives() == []


def test_hidden_orders_come_behind_and_are_not_shown(tmp_path: Path) -> None:
    flag = 'close = "VWAP"'
    with floor(
        tmp_path, changed_venue(tmp_path, "ice-eua", (flag, f"{flag}\nhidden = true")), MORNING, members(3)
    ) as it:
        one, two, three = it.firms
        hidden = one.place(EUA, "sell", 5, "70.00", hidden=True).wait()
        shown = two.place(EUA, "sell", 2, "70.00").wait()
        assert (hidden.visible, hidden.remaining, asks(three)) == (0, 5, [("70.00", 2, 1)])
        assert (one.open_orders()[0].hidden, one.open_orders()[0].visible) == (True, 0)
        three.place(EUA, "buy", 3, "70.00").wait()
        assert shown.wait_done().status is Status.FILLED
        one.wait_until(lambda: hidden.filled == 1, 5)
        assert asks(three) == []
