"""Icebergs (docs/order-types.md 11.3)."""

from __future__ import annotations

import pytest

from engine.look import Level
from engine.schema import SelfTrade
from engine.venue import Capacity
from tests.engine.builders import BUY, FOK, GTC, IOC, MARKET, SELL
from tests.engine.further_floor import STOP_LIMIT_ICEBERG, further, hidden, iceberg, live, open_further, stop

pytestmark = pytest.mark.nojit


@pytest.fixture
def floor(make_world):
    return open_further(make_world)


def test_it_shows_a_part_and_locks_all(floor):
    assert iceberg(floor, SELL, 10000, 50, 20) == [
        "ACCEPTED side=2 price=10000 quantity=50 account=1 order_id=1 remaining=50 aux=50 aux2=261"
    ]
    assert live(floor, "remaining", "shown", "visible") == [(1, 50, 20, 20)]
    assert floor.engine.depth(1).asks == (Level(10000, 20, 1),)
    assert floor.units(1)[:2] == (10**9 - 50, 50)


def test_the_next_part_stands_behind_the_others(floor):
    """A taker meets 20 visible lots, then the other order, then the next part."""
    iceberg(floor, SELL, 10000, 50, 20)
    floor.sell(10000, 10, account=2)
    assert floor.buy(10000, 35, account=3) == [
        "ACCEPTED side=1 price=10000 quantity=35 account=3 order_id=3 remaining=35 aux=350000 aux2=257",
        "TRADE side=1 aggressor=1 price=10000 quantity=20 account=3 contra_account=1 order_id=3 contra_order_id=1 "
        "remaining=15 contra_remaining=30",
        "REFRESHED side=2 price=10000 quantity=20 account=1 order_id=1 remaining=30",
        "TRADE side=1 aggressor=1 price=10000 quantity=10 account=3 contra_account=2 order_id=3 contra_order_id=2 "
        "remaining=5",
        "TRADE side=1 aggressor=1 price=10000 quantity=5 account=3 contra_account=1 order_id=3 contra_order_id=1 "
        "contra_remaining=25",
    ]
    assert live(floor, "remaining", "visible") == [(1, 25, 15)]
    floor.sell(10000, 10, account=2)
    assert live(floor, "remaining", "visible") == [(1, 25, 15), (4, 10, 0)]


def test_the_last_part_is_what_is_left(floor):
    iceberg(floor, BUY, 9900, 25, 10, account=1)
    told = floor.sell(9900, 20, account=2)
    assert [line.split()[0] for line in told] == ["ACCEPTED", "TRADE", "REFRESHED", "TRADE", "REFRESHED"]
    assert "quantity=5 " in told[-1] and "remaining=5" in told[-1]
    assert floor.sell(9900, 5, account=2)[1:] == [
        "TRADE side=2 aggressor=2 price=9900 quantity=5 account=2 contra_account=1 order_id=3 contra_order_id=1"
    ]
    assert live(floor) == []
    assert floor.cash(1)[1] == 0


def test_a_fee_stands_between_trade_and_refresh(make_world):
    floor = open_further(make_world, further({"fee_ppm": 1000}))
    iceberg(floor, SELL, 10000, 20, 10)
    told = floor.buy(10000, 10, account=2)
    assert [line.split()[0] for line in told] == ["ACCEPTED", "TRADE", "FEE", "REFRESHED"]


def test_it_takes_with_its_whole_quantity(floor):
    floor.sell(10000, 30, account=2)
    assert iceberg(floor, BUY, 10000, 50, 10)[1:] == [
        "TRADE side=1 aggressor=1 price=10000 quantity=30 account=1 contra_account=2 order_id=2 contra_order_id=1 "
        "remaining=20"
    ]
    assert live(floor, "remaining", "visible") == [(2, 20, 10)]


def test_a_rest_smaller_than_the_shown_part(floor):
    floor.sell(10000, 45, account=2)
    iceberg(floor, BUY, 10000, 50, 10)
    assert live(floor, "remaining", "shown", "visible") == [(2, 5, 10, 5)]


@pytest.mark.parametrize(("lots", "fills"), [(20, True), (60, True), (70, True), (71, False)])
def test_the_walk_counts_hidden_parts_too(floor, lots, fills):
    """FOK: 20 + 10 displayed, 30 behind, 10 hidden."""
    iceberg(floor, SELL, 10000, 50, 20)
    floor.sell(10000, 10, account=2)
    hidden(floor, SELL, 10000, 10, account=2)
    told = floor.buy(10000, lots, account=3, time_in_force=FOK)
    assert told[0].startswith("ACCEPTED" if fills else "REJECTED FOK_NOT_FILLABLE")


def grouped(make_world):
    """Accounts 5 and 6 of one owner group."""
    floor = open_further(make_world, further(self_trade="CANCEL_TAKER"))
    for _ in range(2):
        floor.account(group=7, cash=10**12, units=10**6)
    return floor


@pytest.mark.parametrize(
    ("mode", "lots", "fills"),
    [
        (SelfTrade.CANCEL_TAKER, 20, True),  # what is visible before the own order
        (SelfTrade.CANCEL_TAKER, 21, False),
        (SelfTrade.CANCEL_MAKER, 60, True),  # the own order is passed over, the hidden part follows
        (SelfTrade.CANCEL_MAKER, 61, False),
    ],
)
def test_an_own_order_ends_the_walk_before_the_hidden_parts(make_world, mode, lots, fills):
    """20 lots are displayed ahead of the own order; the 30 behind them come after it."""
    floor = grouped(make_world)
    iceberg(floor, SELL, 10000, 50, 20, account=1)
    floor.sell(10000, 10, account=5)
    floor.sell(10000, 10, account=2)
    told = floor.buy(10000, lots, account=6, time_in_force=FOK, self_trade=mode)
    assert told[0].startswith("ACCEPTED" if fills else "REJECTED FOK_NOT_FILLABLE")


def test_decrement_takes_the_visible_lots(make_world):
    """As a trade would: 20 visible lots, the next part, five of it."""
    floor = grouped(make_world)
    iceberg(floor, SELL, 10000, 50, 20, account=5)
    assert floor.buy(10000, 25, account=6, self_trade=SelfTrade.DECREMENT)[1:] == [
        "DECREMENTED side=1 aggressor=1 price=10000 quantity=20 account=6 contra_account=5 order_id=2 "
        "contra_order_id=1 remaining=5 contra_remaining=30 aux=200000 aux2=20",
        "REFRESHED side=2 price=10000 quantity=20 account=5 order_id=1 remaining=30",
        "DECREMENTED side=1 aggressor=1 price=10000 quantity=5 account=6 contra_account=5 order_id=2 "
        "contra_order_id=1 contra_remaining=25 aux=50000 aux2=5",
    ]
    assert live(floor, "quantity", "remaining", "visible") == [(1, 25, 25, 15)]


def test_take_takes_visible_lots(floor):
    iceberg(floor, SELL, 10000, 50, 20)
    assert floor.take(BUY, 1, 10000, 21, account=2)[0].startswith("REJECTED QUANTITY_EXCEEDS_LISTING")
    told = floor.take(BUY, 1, 10000, 20, account=2)
    assert [line.split()[0] for line in told] == ["ACCEPTED", "TRADE", "REFRESHED"]


def test_less_at_the_same_price_stays_in_place(floor):
    iceberg(floor, SELL, 10000, 50, 20, time_in_force=GTC)
    floor.sell(10000, 10, account=2)
    assert floor.replace(1, 10000, 30) == [
        "REPLACED side=2 price=10000 quantity=30 account=1 order_id=1 remaining=30 aux=-20 aux2=1"
    ]
    assert floor.replace(1, 10000, 30, quantity2=20)[0].endswith("aux2=1")
    floor.buy(10000, 15, account=3)
    assert live(floor, "remaining", "visible") == [(1, 15, 5), (2, 10, 0)]
    assert floor.replace(1, 10000, 21)[0].endswith("aux=-9 aux2=1")
    assert live(floor, "remaining", "visible") == [(1, 6, 5), (2, 10, 0)]


@pytest.mark.parametrize(
    ("price", "quantity", "shown", "visible"), [(10000, 51, 0, 20), (10000, 50, 30, 30), (10001, 50, 0, 20)]
)
def test_otherwise_it_enters_again(floor, price, quantity, shown, visible):
    """More lots, another shown part or another price: behind the others, with a full part visible."""
    iceberg(floor, SELL, 10000, 50, 20)
    floor.sell(price, 10, account=2)
    floor.buy(10000, 5, account=3)
    assert floor.replace(1, price, quantity, quantity2=shown)[0].split()[-1] != "aux2=1"
    assert live(floor, "visible") == [(2, 0), (1, visible)]


def test_replacing_needs_a_shown_part_that_fits(floor):
    iceberg(floor, SELL, 10000, 50, 20)
    floor.sell(10100, 10)
    for quantity, shown in ((20, 0), (50, 50), (2001, 0), (50, -1)):
        assert floor.replace(1, 10000, quantity, quantity2=shown)[0].startswith("REJECTED INVALID_QUANTITY")
    assert floor.replace(2, 10100, 10, quantity2=1)[0].startswith("REJECTED INVALID_COMBINATION")
    assert floor.replace(1, 10000, 50, price2=1)[0].startswith("REJECTED INVALID_COMBINATION")


def test_so_many_live_icebergs(make_world):
    floor = open_further(make_world, further(capacity=Capacity(orders=9, accounts=9, icebergs=2)))
    iceberg(floor, SELL, 10000, 50, 20)
    iceberg(floor, BUY, 9000, 50, 20)
    assert iceberg(floor, BUY, 9000, 50, 20)[0].startswith("REJECTED ORDER_TABLE_FULL")
    floor.cancel(1)
    assert iceberg(floor, BUY, 9000, 50, 20)[0].startswith("ACCEPTED")


def test_waiting_icebergs_count(make_world):
    """A stop-limit iceberg takes its place when it is entered, not when it is triggered (11, Precisely)."""
    floor = open_further(make_world, further(capacity=Capacity(orders=9, accounts=9, icebergs=1)))
    stop(floor, BUY, 12000, 12000, 50, order_type=STOP_LIMIT_ICEBERG, quantity2=20)
    assert iceberg(floor, BUY, 9000, 50, 20)[0].startswith("REJECTED ORDER_TABLE_FULL")
    floor.cancel(1)
    assert iceberg(floor, BUY, 9000, 50, 20)[0].startswith("ACCEPTED")


def test_state_goes_round(floor):
    iceberg(floor, SELL, 10000, 50, 20)
    hidden(floor, SELL, 10000, 10)
    iceberg(floor, SELL, 10000, 40, 7, account=2)
    floor.buy(10000, 33, account=3)
    twin = floor.restored()
    assert twin.engine.canonical_state() == floor.engine.canonical_state()
    for order in ({"time_in_force": IOC}, {"order_type": MARKET, "time_in_force": IOC}):
        assert twin.buy(10000, 30, account=3, **order) == floor.buy(10000, 30, account=3, **order)
