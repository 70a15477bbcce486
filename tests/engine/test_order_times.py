"""Orders good till a date, and minimum quantities (docs/order-types.md 11.1 and 11.2)."""

from __future__ import annotations

import pytest

from engine.schema import CommandKind as K
from tests.engine.builders import BUY, FOK, GTC, IOC, MARKET, SELL
from tests.engine.further_floor import GTD, POST_ONLY, TODAY, further, iceberg, live, open_further, stop

pytestmark = pytest.mark.nojit


@pytest.fixture
def floor(make_world):
    return open_further(make_world)


def test_it_ends_on_its_date(floor):
    """In the order of the day orders, and counted with them."""
    floor.buy(9000, 1, time_in_force=GTD, expiry=TODAY)
    floor.buy(9100, 1)
    floor.buy(8900, 1, time_in_force=GTD, expiry=TODAY + 1)
    floor.buy(8800, 1, time_in_force=GTC)
    floor.stop()
    assert floor.expire() == [
        "EXPIRED END_OF_DAY phase=0 side=1 price=9100 quantity=1 account=1 order_id=2 aux=9100",
        "EXPIRED GOOD_TILL_DATE phase=0 side=1 price=9000 quantity=1 account=1 order_id=1 aux=9000",
        "ORDERS_EXPIRED quantity=2 aux=20250811",
    ]
    floor.fix_close()
    floor.settle()
    floor.open_day(20250815)
    floor.stop()
    assert floor.expire()[0].startswith("EXPIRED GOOD_TILL_DATE phase=0 side=1 price=8900")


def test_icebergs_and_stops_too(floor):
    """Good till today, both lapse at the end of today."""
    iceberg(floor, SELL, 10000, 10, 5, time_in_force=GTD, expiry=TODAY)
    stop(floor, BUY, 10000, 10000, 10, time_in_force=GTD, expiry=TODAY)
    floor.stop()
    assert len(floor.expire()) == 3


@pytest.mark.parametrize("expiry", [0, -1, TODAY - 1, 99991232])
def test_no_such_date(floor, expiry):
    assert floor.buy(9000, 1, time_in_force=GTD, expiry=expiry)[0].startswith("REJECTED INVALID_DATE")


def test_a_date_only_with_gtd(floor):
    assert floor.buy(9000, 1, expiry=TODAY)[0].startswith("REJECTED INVALID_COMBINATION")


def test_only_where_offered(make_world):
    floor = open_further(make_world, further({"times_in_force": ("day",)}))
    told = floor.buy(9000, 1, time_in_force=GTD, expiry=1)
    assert told[0].startswith("REJECTED INVALID_TIME_IN_FORCE")


def test_another_date_keeps_the_place(floor):
    floor.buy(9000, 5, time_in_force=GTD, expiry=TODAY)
    floor.buy(9000, 5)
    assert floor.replace(1, 9000, 5, expiry=TODAY + 3)[0].endswith("aux2=1")
    assert live(floor, "expiry") == [(1, TODAY + 3), (2, 0)]
    assert floor.replace(1, 9000, 5, expiry=TODAY - 1)[0].startswith("REJECTED INVALID_DATE")
    assert floor.replace(2, 9000, 5, expiry=TODAY)[0].startswith("REJECTED INVALID_COMBINATION")


def test_a_lost_session_keeps_them(floor):
    floor.session(1)
    floor.send(K.SESSION_UP, target=1, scope=1)
    floor.buy(9000, 1, session=1, time_in_force=GTD, expiry=TODAY)
    floor.buy(9000, 1, session=1)
    assert len(floor.send(K.SESSION_DOWN, target=1)) == 2
    assert live(floor) == [(1,)]


# Minimum quantity


def test_a_minimum_at_entry(floor):
    """It holds at entry only: the rest rests without one."""
    floor.sell(10000, 10, account=2)
    assert floor.buy(10000, 30, target=11)[0].startswith("REJECTED MIN_QUANTITY_NOT_MET")
    assert [line.split()[0] for line in floor.buy(10000, 30, target=10)] == ["ACCEPTED", "TRADE"]
    assert live(floor, "remaining") == [(2, 20)]
    assert floor.sell(10000, 1, account=2)[1].startswith("TRADE")


@pytest.mark.parametrize(
    "fields", [{"time_in_force": IOC}, {"order_type": MARKET, "time_in_force": IOC}, {"time_in_force": GTC}]
)
def test_with_these_orders(floor, fields):
    floor.sell(10000, 10, account=2)
    assert floor.buy(10000, 11, target=10, **fields)[0].startswith("ACCEPTED")


@pytest.mark.parametrize(
    "fields",
    [
        {"target": -1},
        {"target": 12},
        {"time_in_force": FOK},
        {"flags": POST_ONLY},
        {"order_type": 5, "quantity2": 1},
        {"order_type": 4, "price2": 1},
    ],
)
def test_not_with_those(floor, fields):
    assert floor.buy(10000, 11, **{"target": 10, **fields})[0].startswith("REJECTED INVALID_COMBINATION")


def test_the_minimum_counts_what_prevention_leaves(make_world):
    floor = open_further(make_world, further(self_trade="CANCEL_TAKER"))
    for _ in range(2):
        floor.account(group=7, cash=10**12, units=10**6)
    floor.sell(10000, 10, account=1)
    floor.sell(10000, 10, account=5)
    told = floor.order(BUY, 10000, 30, account=6, target=11)
    assert told[0].startswith("REJECTED MIN_QUANTITY_NOT_MET")
