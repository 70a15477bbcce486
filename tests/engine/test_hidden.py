"""Hidden orders (docs/order-types.md 11.4)."""

from __future__ import annotations

import pytest

from engine.look import Depth, Level
from tests.engine.builders import BUY, FOK, IOC, SELL
from tests.engine.further_floor import HIDDEN, POST_ONLY, further, hidden, iceberg, live, open_further

pytestmark = pytest.mark.nojit


@pytest.fixture
def floor(make_world):
    return open_further(make_world)


def test_displayed_orders_come_first(floor):
    """Arrival order inside each; a refreshed iceberg stays before the hidden ones."""
    hidden(floor, SELL, 10000, 10)
    floor.sell(10000, 10, account=2)
    iceberg(floor, SELL, 10000, 20, 10, account=2)
    hidden(floor, SELL, 10000, 10, account=2)
    assert [order for (order,) in live(floor)] == [2, 3, 1, 4]
    told = floor.buy(10000, 45, account=3)
    makers = [line.split("contra_order_id=")[1].split()[0] for line in told if line.startswith("TRADE")]
    assert makers == ["2", "3", "3", "1", "4"]
    assert live(floor, "remaining") == [(4, 5)]


def test_never_in_depth(floor):
    """A level of hidden lots alone is left out, and the next one moves up."""
    hidden(floor, SELL, 10000, 10)
    floor.sell(10001, 5)
    hidden(floor, SELL, 10001, 7)
    floor.sell(10002, 3)
    assert floor.engine.depth(1, 2) == Depth((), (Level(10001, 5, 1), Level(10002, 3, 1)))


def test_a_take_does_not_find_it(floor):
    """A hidden order is no listing: to a TAKE it is as unknown as none."""
    hidden(floor, SELL, 10000, 10)
    assert floor.take(BUY, 1, 10000, 5, account=2)[0].startswith("REJECTED UNKNOWN_ORDER")


def test_a_level_of_hidden_lots_counts(make_world):
    """For sweep levels, for the best price of a TAKE, and for post-only orders."""
    floor = open_further(make_world, further(sweep_levels=1, click_strict=True))
    hidden(floor, SELL, 10000, 10)
    floor.sell(10001, 10)
    assert floor.take(BUY, 2, 10001, 5, account=2)[0].startswith("REJECTED NOT_AT_BEST")
    assert floor.buy(10000, 1, account=2, flags=POST_ONLY)[0].startswith("REJECTED POST_ONLY_WOULD_TAKE")
    assert floor.buy(10001, 15, account=2)[-1].startswith("CANCELLED DEPTH_LIMIT")
    assert live(floor, "remaining") == [(2, 10)]


def test_it_may_be_post_only(floor):
    assert hidden(floor, SELL, 10000, 10, flags=HIDDEN | POST_ONLY)[0].endswith(f"aux2={257 | 5 << 24}")


def test_less_quantity_keeps_its_place(floor):
    hidden(floor, SELL, 10000, 10)
    hidden(floor, SELL, 10000, 10)
    floor.sell(10000, 1)
    assert floor.replace(1, 10000, 5)[0].endswith("aux2=1")
    assert live(floor) == [(3,), (1,), (2,)]
    floor.replace(1, 10000, 6)
    assert live(floor) == [(3,), (2,), (1,)]


def test_the_walk_counts_hidden_orders(floor):
    floor.sell(10000, 5)
    hidden(floor, SELL, 10000, 5)
    assert floor.buy(10000, 11, account=2, time_in_force=FOK)[0].startswith("REJECTED FOK_NOT_FILLABLE")
    assert len(floor.buy(10000, 10, account=2, time_in_force=FOK)) == 3


@pytest.mark.parametrize("fields", [{"order_type": 2, "time_in_force": IOC}, {"time_in_force": IOC}])
def test_only_limit_orders_that_rest(floor, fields):
    assert hidden(floor, BUY, 10000, 10, **fields)[0].startswith("REJECTED INVALID_COMBINATION")
    assert iceberg(floor, BUY, 10000, 10, 5, flags=HIDDEN)[0].startswith("REJECTED INVALID_COMBINATION")


def test_only_where_offered(make_world):
    floor = open_further(make_world, further({"hidden": False, "post_only": False}))
    assert hidden(floor, BUY, 10000, 10)[0].startswith("REJECTED INVALID_FLAGS")
    assert floor.buy(10000, 10, flags=POST_ONLY)[0].startswith("REJECTED INVALID_FLAGS")
