"""Limits of orders: size, value, collar, rate, open orders (docs/controls.md 10.1; Regulation (EU) 2017/584 art. 18 and
20: order rates, collars, largest value and volume, re-settable in session and in every phase)."""

from __future__ import annotations

import pytest

from engine.schema import CommandKind as K
from engine.schema import LimitKind as L
from tests.engine.builders import BLOCK, BUY, CLOSED, FOK, HALT, IOC, MARKET, SELL, World, last_id, plain, seee

pytestmark = pytest.mark.nojit

SECOND = 10**9
LEVELS = {"venue": {}, "firm": {"target": 1}, "account": {"account": 1}, "instrument": {"instrument": 1}}
OTHERS = {"firm": {"target": 2}, "account": {"account": 2}, "instrument": {"instrument": 2}}


def refusal(events: list[str]) -> str:
    """Why a command was refused; empty when it was not."""
    words = events[0].split()
    return words[1] if words[0] == "REJECTED" else ""


def limit(world: World, kind: int, value: int, **fields: int) -> list[str]:
    return world.send(K.SET_LIMIT, scope=kind, quantity=value, **fields)


@pytest.fixture(params=LEVELS)
def level(request):
    """Where a limit is set so that it binds account 1 (of firm 1) in instrument 1."""
    return LEVELS[request.param]


def test_set_limit_tells_what_was_set(market):
    """LIMIT_SET: owner, kind, value, override and its end; the state's rows stand by owner, id, kind."""
    assert limit(market, L.ORDER_VALUE, 500) == ["LIMIT_SET quantity=2 aux=500"]
    assert limit(market, L.ORDER_RATE, 3, instrument=2) == ["LIMIT_SET instrument=2 quantity=4 aux=3"]
    expected = ["LIMIT_SET quantity=1 account=3 remaining=77 aux=9 aux2=8"]
    assert limit(market, L.ORDER_QUANTITY, 9, account=3, quantity2=8, expiry=77) == expected
    assert limit(market, L.POSITION, 4, target=2) == ["LIMIT_SET quantity=6 order_id=2 aux=4"]
    assert limit(market, L.ORDER_QUANTITY, 1, target=2) == ["LIMIT_SET quantity=1 order_id=2 aux=1"]
    rows = [tuple(int(field) for field in row) for row in market.engine.state()["limits"]]
    assert rows == [
        (0, 0, 0, 2, 500, 0, 0, 0, 0),
        (2, 0, 0, 1, 1, 0, 0, 0, 0),
        (2, 0, 0, 6, 4, 0, 0, 0, 0),
        (0, 3, 0, 1, 9, 8, 77, 0, 0),
        (0, 0, 2, 4, 3, 0, 0, 0, 0),
    ]
    assert limit(market, L.POSITION, 0, target=2) == ["LIMIT_SET quantity=6 order_id=2"]
    assert len(market.engine.state()["limits"]) == 4


def test_order_quantity(market, level):
    """1: the edge is accepted, one lot more is not; a replacement counts its new total."""
    limit(market, L.ORDER_QUANTITY, 100, **level)
    assert refusal(market.buy(7000, 101)) == "MAX_ORDER_QUANTITY"
    order = last_id(market.buy(7000, 100))
    assert refusal(market.replace(order, 7000, 101)) == "MAX_ORDER_QUANTITY"
    assert refusal(market.replace(order, 7001, 100)) == ""
    assert refusal(market.sell(7000, 101, order_type=MARKET, time_in_force=IOC)) == "MAX_ORDER_QUANTITY"


def test_take_is_limited_too(market, level):
    """TAKE asks the limits after its terms and before the listing."""
    listing = last_id(market.sell(7100, 99, account=2))
    limit(market, L.ORDER_QUANTITY, 50, **level)
    assert refusal(market.take(BUY, 10**6, 7100, 51)) == "MAX_ORDER_QUANTITY"
    assert refusal(market.take(BUY, listing, 7100, 50)) == ""


@pytest.mark.parametrize("other", OTHERS)
def test_a_limit_binds_nobody_else(market, other):
    """A firm's, an account's and an instrument's limit leave the others alone."""
    for kind in (L.ORDER_QUANTITY, L.ORDER_VALUE, L.PRICE_COLLAR, L.ORDER_RATE, L.OPEN_ORDERS):
        limit(market, kind, 1, **OTHERS[other])
    for _ in range(3):
        assert refusal(market.buy(7000, 500)) == ""


def test_order_value(market, level):
    """2: price x quantity x tick value, minor units."""
    limit(market, L.ORDER_VALUE, 700_000, **level)
    assert refusal(market.buy(7000, 100)) == ""
    assert refusal(market.buy(7001, 100)) == "MAX_ORDER_VALUE"
    assert refusal(market.sell(7010, 100)) == "MAX_ORDER_VALUE"
    order = last_id(market.sell(7500, 10))
    assert refusal(market.replace(order, 7500, 94)) == "MAX_ORDER_VALUE"
    assert refusal(market.replace(order, 7500, 93)) == ""


def test_order_value_counts_the_tick_value(make_open_world):
    """2: minor units, not ticks; a market order without a price counts at the limit that it takes as its price."""
    market = make_open_world(seee({"tick_value": 1_000}))
    limit(market, L.ORDER_VALUE, 7_847_000, account=1)
    assert refusal(market.buy(0, 1, order_type=MARKET, time_in_force=IOC)) == ""
    assert refusal(market.buy(7000, 2)) == "MAX_ORDER_VALUE"
    limit(market, L.ORDER_VALUE, 7_846_999, account=1)
    assert refusal(market.buy(0, 1, order_type=MARKET, time_in_force=IOC)) == "MAX_ORDER_VALUE"
    assert refusal(market.sell(0, 1, order_type=MARKET, time_in_force=IOC)) == ""


def test_price_collar(market, level):
    """3: basis points around the previous close before the first trade, 7134: 100 bps are 71.34 ticks."""
    limit(market, L.PRICE_COLLAR, 100, **level)
    assert refusal(market.buy(7134 - 71, 1)) == ""
    assert refusal(market.buy(7134 - 72, 1)) == "PRICE_COLLAR"
    assert refusal(market.sell(7134 + 71, 1)) == ""
    assert refusal(market.sell(7134 + 72, 1)) == "PRICE_COLLAR"


def test_price_collar_around_the_last_price(market):
    """3: after a trade the last price is the reference; market orders without a price are exempt, with one are not."""
    market.sell(7200, 5, account=2)
    market.buy(7200, 5, account=3)
    limit(market, L.PRICE_COLLAR, 100)
    assert refusal(market.buy(7128, 1)) == ""
    assert refusal(market.buy(7127, 1)) == "PRICE_COLLAR"
    order = last_id(market.sell(7272, 1))
    assert refusal(market.replace(order, 7273, 1)) == "PRICE_COLLAR"
    assert refusal(market.take(BUY, order, 7273, 1, account=2)) == "PRICE_COLLAR"
    assert refusal(market.buy(7273, 1, order_type=MARKET, time_in_force=IOC, account=2)) == "PRICE_COLLAR"
    assert refusal(market.buy(0, 1, order_type=MARKET, time_in_force=IOC, account=2)) == ""


def test_price_collar_needs_a_reference(book):
    """3: without a trade and without a previous close there is no collar."""
    limit(book, L.PRICE_COLLAR, 1)
    assert refusal(book.buy(1, 1)) == ""
    assert refusal(book.buy(900, 1)) == ""
    book.sell(900, 1, account=2)
    assert refusal(book.buy(899, 1)) == "PRICE_COLLAR"
    assert refusal(book.buy(900, 1)) == ""


def test_order_rate(market, level):
    """4: so many orders in one second of journal time; the next second counts anew."""
    limit(market, L.ORDER_RATE, 2, **level)
    start = 5 * SECOND
    order = last_id(market.buy(7000, 10, timestamp=start))
    assert refusal(market.replace(order, 7000, 9, timestamp=start + 1)) == ""
    assert refusal(market.buy(7000, 1, timestamp=start + SECOND - 1)) == "ORDER_RATE"
    assert refusal(market.replace(order, 7000, 8, timestamp=start + SECOND - 1)) == "ORDER_RATE"
    assert refusal(market.cancel(order, timestamp=start + SECOND - 1)) == ""
    assert refusal(market.buy(7000, 1, timestamp=start + SECOND)) == ""
    row = market.row("limits", kind=L.ORDER_RATE)
    assert (row["second"], row["count"]) == (6, 1)


def test_order_rate_before_the_epoch(market):
    """4: seconds are rounded down, for negative timestamps too: -1 ns is in second -1, 0 ns in second 0."""
    limit(market, L.ORDER_RATE, 1)
    for timestamp, expected in ((-SECOND, ""), (-1, "ORDER_RATE"), (0, ""), (SECOND - 1, "ORDER_RATE"), (SECOND, "")):
        assert refusal(market.buy(7000, 1, timestamp=timestamp)) == expected


def test_order_rate_counts_what_comes_this_far(market):
    """4: refused by an earlier check does not count, refused by a later one does."""
    limit(market, L.ORDER_RATE, 2)
    limit(market, L.ORDER_QUANTITY, 50)
    market.buy(7000, 51)
    market.buy(1, 1)
    assert market.row("limits", kind=L.ORDER_RATE)["count"] == 0
    assert refusal(market.buy(7000, 10, time_in_force=FOK)) == "FOK_NOT_FILLABLE"
    assert market.row("limits", kind=L.ORDER_RATE)["count"] == 1
    assert refusal(market.take(BUY, 10**6, 7000, 10)) == "UNKNOWN_ORDER"
    assert refusal(market.buy(7000, 1)) == "ORDER_RATE"
    assert market.row("limits", kind=L.ORDER_RATE)["count"] == 2


def test_order_rates_agree_together(market):
    """4: where one of several limits refuses, none counts; counters survive a new value and are gone with the limit."""
    limit(market, L.ORDER_RATE, 3)
    limit(market, L.ORDER_RATE, 1, account=1)
    market.buy(7000, 1)
    assert refusal(market.buy(7000, 1)) == "ORDER_RATE"
    assert market.row("limits", kind=L.ORDER_RATE, account=0)["count"] == 1
    limit(market, L.ORDER_RATE, 2, account=1)
    assert market.row("limits", kind=L.ORDER_RATE, account=1)["count"] == 1
    assert refusal(market.buy(7000, 1)) == ""
    assert refusal(market.buy(7000, 1)) == "ORDER_RATE"
    limit(market, L.ORDER_RATE, 0, account=1)
    limit(market, L.ORDER_RATE, 2, account=1)
    assert market.row("limits", kind=L.ORDER_RATE, account=1)["count"] == 0
    assert refusal(market.buy(7000, 1)) == ""
    assert refusal(market.buy(7000, 1)) == "ORDER_RATE"
    assert refusal(market.buy(7000, 1, account=2)) == "ORDER_RATE"


def test_order_rate_of_an_override_that_ended(market):
    """4: counted only while a limit is in force."""
    limit(market, L.ORDER_RATE, 0, quantity2=1, expiry=SECOND)
    assert refusal(market.buy(7000, 1, timestamp=SECOND - 2)) == ""
    assert refusal(market.buy(7000, 1, timestamp=SECOND - 1)) == "ORDER_RATE"
    for _ in range(3):
        assert refusal(market.buy(7000, 1, timestamp=SECOND)) == ""
    row = market.row("limits", kind=L.ORDER_RATE)
    assert (row["second"], row["count"]) == (0, 1)


def test_open_orders(market, level):
    """5: live orders at the moment of entry; an order counts whether or not it will rest, immediate ones do not."""
    limit(market, L.OPEN_ORDERS, 2, **level)
    market.buy(7000, 10)
    second = last_id(market.sell(7200, 10))
    assert refusal(market.buy(7000, 1)) == "OPEN_ORDERS"
    assert refusal(market.buy(7200, 1)) == "OPEN_ORDERS"
    assert refusal(market.buy(7000, 1, time_in_force=IOC)) == ""
    assert refusal(market.replace(second, 7210, 12)) == ""
    market.cancel(second)
    assert refusal(market.buy(6900, 1)) == ""
    assert refusal(market.buy(6900, 1)) == "OPEN_ORDERS"


def test_open_orders_of_whom(market):
    """5: the venue's limit counts everybody, the instrument's every account, the firm's all its accounts."""
    fifth = market.account(1, cash=10**9)
    for fields in ({"instrument": 1}, {}):
        limit(market, L.OPEN_ORDERS, 2, **fields)
        market.buy(7000, 1, account=2)
        market.buy(7000, 1, account=3)
        assert refusal(market.buy(7000, 1, account=4)) == "OPEN_ORDERS"
        assert (refusal(market.buy(7000, 1, account=4, instrument=2)) == "") == bool(fields)
        market.mass_cancel()
        limit(market, L.OPEN_ORDERS, 0, **fields)
    limit(market, L.OPEN_ORDERS, 2, target=1)
    market.buy(7000, 1, account=1)
    market.buy(7000, 1, account=fifth, instrument=2)
    assert refusal(market.buy(7000, 1, account=fifth)) == "OPEN_ORDERS"
    assert refusal(market.buy(7000, 1, account=2)) == ""


def test_open_orders_counts_orders_from_before(market):
    """5: orders that rested before the limit was set count, also after they filled in part or were moved."""
    first = last_id(market.buy(7000, 10))
    market.buy(7000, 10)
    limit(market, L.OPEN_ORDERS, 3, account=1)
    assert refusal(market.buy(7000, 10)) == ""
    assert refusal(market.buy(7000, 10)) == "OPEN_ORDERS"
    market.sell(7000, 25, account=2)
    assert refusal(market.buy(7000, 10)) == ""
    assert first not in [order for order, *_ in market.book()]


def test_override_until_a_moment(market):
    """The override is in force until its moment, then the value again; an override of 0 is none."""
    limit(market, L.ORDER_QUANTITY, 10, quantity2=20, expiry=2 * SECOND)
    assert refusal(market.buy(7000, 20, timestamp=2 * SECOND - 1)) == ""
    assert refusal(market.buy(7000, 21, timestamp=2 * SECOND - 1)) == "MAX_ORDER_QUANTITY"
    assert refusal(market.buy(7000, 11, timestamp=2 * SECOND)) == "MAX_ORDER_QUANTITY"
    assert refusal(market.buy(7000, 10, timestamp=2 * SECOND)) == ""
    limit(market, L.ORDER_QUANTITY, 10, quantity2=5, expiry=9 * SECOND)
    assert refusal(market.buy(7000, 6, timestamp=8 * SECOND)) == "MAX_ORDER_QUANTITY"


def test_a_limit_set_in_session_holds_at_once(market):
    """Re-settable in session; what rests already stays."""
    market.buy(7000, 100)
    limit(market, L.ORDER_QUANTITY, 50)
    assert refusal(market.buy(7000, 51)) == "MAX_ORDER_QUANTITY"
    assert len(market.book()) == 1
    limit(market, L.ORDER_QUANTITY, 51)
    assert refusal(market.buy(7000, 51)) == ""


def test_limits_are_set_in_every_phase_and_stage(make_world):
    """SET_LIMIT never asks for a phase or a day stage."""
    world = make_world(seee())
    world.accounts(1)
    assert limit(world, L.ORDER_QUANTITY, 1)[0].startswith("LIMIT_SET")
    for phase in (1, 3, 4, HALT, CLOSED):
        world.phase(phase, 20250811)
        assert limit(world, L.ORDER_QUANTITY, 2)[0].startswith("LIMIT_SET")
    for stage in (world.stop, world.expire, world.fix_close, world.settle):
        stage()
        assert limit(world, L.ORDER_QUANTITY, 3)[0].startswith("LIMIT_SET")


def test_limits_outlive_the_day(market):
    """Values stay from day to day."""
    limit(market, L.ORDER_QUANTITY, 50)
    market.end_of_day()
    market.open_day(20250812)
    assert refusal(market.buy(7000, 51)) == "MAX_ORDER_QUANTITY"


def test_limits_without_pre_funding(book):
    """Only the venue and instruments have limits there."""
    limit(book, L.ORDER_QUANTITY, 5)
    limit(book, L.OPEN_ORDERS, 2)
    limit(book, L.ORDER_RATE, 3, instrument=1)
    assert refusal(book.buy(100, 6)) == "MAX_ORDER_QUANTITY"
    assert refusal(book.buy(100, 5, account=7)) == ""
    assert refusal(book.buy(100, 5, account=8)) == ""
    assert refusal(book.buy(100, 5, account=9)) == "OPEN_ORDERS"
    assert refusal(book.buy(100, 5, account=9, time_in_force=IOC)) == "ORDER_RATE"


def test_venue_before_firm_before_account_before_instrument(market):
    """All levels bind at once; the smallest decides, whichever it is."""
    for number, level in enumerate(LEVELS.values()):
        limit(market, L.ORDER_QUANTITY, 10 - number, **level)
    assert refusal(market.buy(7000, 8)) == "MAX_ORDER_QUANTITY"
    assert refusal(market.buy(7000, 7)) == ""
    assert refusal(market.buy(7000, 10, instrument=2)) == "MAX_ORDER_QUANTITY"
    assert refusal(market.buy(7000, 8, instrument=2)) == ""
    assert refusal(market.buy(7000, 10, instrument=2, account=2)) == ""
    assert refusal(market.buy(7000, 11, instrument=2, account=2)) == "MAX_ORDER_QUANTITY"


def test_limits_survive_a_restore(market):
    """Values, overrides and the counters of the running second."""
    limit(market, L.ORDER_RATE, 2, account=1)
    limit(market, L.OPEN_ORDERS, 2, target=1)
    limit(market, L.POSITION, 10**9 + 30, account=1)
    market.buy(7000, 10)
    twin = market.restored()
    for world in (market, twin):
        assert refusal(world.buy(7000, 21)) == "POSITION_LIMIT"
        assert refusal(world.buy(7000, 1)) == "ORDER_RATE"
        assert refusal(world.buy(7000, 20, timestamp=SECOND)) == ""
        assert refusal(world.sell(7500, 1, timestamp=SECOND)) == "OPEN_ORDERS"
    assert twin.engine.canonical_state() == market.engine.canonical_state()


def test_reject_policy_and_groups_come_after_limits(make_open_world):
    """The limits stand between check 8 and check 9 (crossing)."""
    world = make_open_world(plain(cross_policy="REJECT"))
    world.sell(500, 10, account=2)
    limit(world, L.ORDER_QUANTITY, 5)
    assert refusal(world.buy(500, 6)) == "MAX_ORDER_QUANTITY"
    assert refusal(world.buy(500, 5)) == "WOULD_CROSS"


def test_block_offers_are_limited(make_open_world):
    """Blocks ask the limits of size, value, rate and position, not the collar, and are no open orders."""
    world = make_open_world(seee({"block_min": 100_000}))
    world.phase(3, 20250811, mode=BLOCK)
    limit(world, L.ORDER_QUANTITY, 200_000)
    limit(world, L.PRICE_COLLAR, 1)
    limit(world, L.OPEN_ORDERS, 1)
    limit(world, L.ORDER_RATE, 2, account=1)
    terms = {"account": 1, "instrument": 1, "side": SELL, "price": 7500}
    assert refusal(world.send(K.BLOCK_OFFER, quantity=200_001, **terms)) == "MAX_ORDER_QUANTITY"
    assert refusal(world.send(K.BLOCK_OFFER, quantity=200_000, **terms)) == ""
    assert refusal(world.send(K.BLOCK_OFFER, quantity=200_000, **terms)) == ""
    assert refusal(world.send(K.BLOCK_OFFER, quantity=200_000, **terms)) == "ORDER_RATE"
    assert refusal(world.send(K.BLOCK_ACCEPT, account=2, target=1, price=7500, quantity=200_000)) == ""
