"""Every reject of the further order types, quotes and calls, in the order of checks (docs/order-types.md,
docs/call-auctions.md)."""

from __future__ import annotations

import pytest

from engine.schema import CommandKind as K
from engine.schema import LimitKind
from engine.schema import Reason as R
from engine.venue import Capacity
from tests.engine.builders import BREAK, BUY, SELL, World, venue_of
from tests.engine.further_floor import GTD, ICEBERG, STOP, STOP_LIMIT, STOP_LIMIT_ICEBERG, TODAY, open_further, stop
from tests.engine.ladder import climb

pytestmark = pytest.mark.nojit

TEXT = """
name = "rungs"
self_trade = "OFF"
sweep_levels = 0
settlement_days = 1
currencies = ["CUR"]
assets = ["A"]
[instrument_defaults]
asset = "A"
currency = "CUR"
floor = "60.00"
ceiling = "80.00"
limit_listed_bps = 1000
previous_close = "70.00"
price_step = 5
quantity_step = 10
quantity_min = 20
quantity_max = 10_000
order_types = ["limit", "market", "stop", "stop_limit", "iceberg", "stop_limit_iceberg"]
times_in_force = ["day", "gtc", "ioc", "fok", "gtd"]
quotes = true
[[instruments]]
symbol = "NORMAL"
hidden = true
[[instruments]]
symbol = "CALLS"
call_auction = true
[[instruments]]
symbol = "FEW"
order_types = ["limit"]
times_in_force = ["day"]
quotes = false
[[instruments]]
symbol = "PASSIVE"
post_only = false
[[instruments]]
symbol = "LATER"
listed_from = 2030-01-01
"""
"""Limits [6300, 7700]."""


@pytest.fixture
def world(make_world) -> World:
    """Account 1 of firm 1 has little, 2 is suspended, 3 has plenty; session 1 is firm 1's, 2 an operator's."""
    world: World = make_world(venue_of(TEXT, capacity=Capacity(orders=6, accounts=9, icebergs=1)))
    world.firm()
    world.account(1, cash=500_000, units=100)
    world.account(1)
    world.account(cash=10**9, units=10**6)
    world.session(1, 1)
    world.session(0, 2)
    world.send(K.SET_ACCOUNT_STATUS, account=2, scope=2)
    world.open_day(TODAY)
    return world


def test_an_iceberg_in_the_order_of_checks(world):
    world.order(BUY, 6500, 100, account=3, order_type=ICEBERG, quantity2=20)
    for _ in range(5):
        world.buy(6400, 20, account=3)
    start = {"session": 2, "side": BUY, "order_type": ICEBERG, "time_in_force": GTD, "expiry": TODAY - 1}
    start |= {"price2": 5, "quantity2": 0, "quantity": 15, "price": 3, "account": 2, "instrument": 3, "target": 1}
    rungs = [
        (R.INVALID_COMBINATION, {"price2": 0}),
        (R.INVALID_COMBINATION, {"target": 0}),
        (R.NOT_PERMITTED, {"session": 1}),
        (R.INVALID_ORDER_TYPE, {"instrument": 1, "order_type": ICEBERG}),
        (R.INVALID_DATE, {"expiry": TODAY}),
        (R.ACCOUNT_SUSPENDED, {"account": 1}),
        (R.OFF_TICK, {"price": 8005}),
        (R.OFF_LOT, {"quantity": 10}),
        (R.QUANTITY_TOO_SMALL, {"quantity": 10_010}),
        (R.QUANTITY_TOO_LARGE, {"quantity": 10_000}),
        (R.INVALID_QUANTITY, {"quantity2": 10_000}),
        (R.INVALID_QUANTITY, {"quantity2": 15}),
        (R.OFF_LOT, {"quantity2": 90}),
        (R.INVALID_QUANTITY, {"quantity2": 100}),
        (R.PRICE_OUT_OF_WINDOW, {"price": 7705}),
        (R.PRICE_ABOVE_LIMIT, {"price": 7000}),
        (R.ORDER_TABLE_FULL, {}),
    ]
    climb(world, K.NEW_ORDER, start, rungs)
    world.cancel(6)
    climb(world, K.NEW_ORDER, {**start, **merged(rungs)}, [(R.ORDER_TABLE_FULL, {})])  # icebergs = 1
    world.cancel(1)
    climb(world, K.NEW_ORDER, {**start, **merged(rungs)}, [(R.INSUFFICIENT_FUNDS, {})])


def merged(rungs):
    """All that the rungs mend."""
    fields: dict[str, int] = {}
    for _, mend in rungs:
        fields |= mend
    return fields


def test_a_stop_in_the_order_of_checks(world):
    """The stop price after the amount, before the members' limits; no crossing check; always a free place."""
    world.sell(7000, 100, account=3)
    for _ in range(5):
        world.buy(6400, 20, account=3)
    world.send(K.SET_LIMIT, scope=LimitKind.ORDER_QUANTITY, quantity=50)
    start = {"session": 1, "side": BUY, "order_type": STOP_LIMIT, "time_in_force": 3, "flags": 1, "account": 1}
    start |= {"instrument": 3, "price": 8005, "price2": 0, "quantity": 100, "quantity2": 1}
    rungs = [
        (R.INVALID_COMBINATION, {"time_in_force": 1}),
        (R.INVALID_COMBINATION, {"flags": 0}),
        (R.INVALID_COMBINATION, {"quantity2": 0}),
        (R.INVALID_ORDER_TYPE, {"instrument": 1}),
        (R.PRICE_OUT_OF_WINDOW, {"price": 7000}),
        (R.INVALID_PRICE, {"price2": 7003}),
        (R.OFF_TICK, {"price2": 5995}),
        (R.PRICE_OUT_OF_WINDOW, {"price2": 7000}),
        (R.MAX_ORDER_QUANTITY, {"quantity": 50}),
        (R.ORDER_TABLE_FULL, {}),
    ]
    climb(world, K.NEW_ORDER, start, rungs)
    world.send(K.SET_LIMIT, scope=LimitKind.ORDER_QUANTITY)
    world.cancel(6)
    climb(world, K.NEW_ORDER, {**start, **merged(rungs), "quantity": 100}, [(R.INSUFFICIENT_FUNDS, {})])
    assert stop(world, BUY, 7005, 7000, 20, account=3)[0].startswith("ACCEPTED")


@pytest.mark.parametrize("order_type", [STOP, STOP_LIMIT, ICEBERG, STOP_LIMIT_ICEBERG])
@pytest.mark.parametrize("tif", [3, 4])
def test_they_are_never_immediate(world, order_type, tif):
    fields = {"order_type": order_type, "time_in_force": tif, "price2": 7000 * (order_type in (3, 4, 6))}
    fields |= {"quantity2": 20 * (order_type in (5, 6))}
    assert world.buy(7000, 100, account=3, **fields)[0].startswith("REJECTED INVALID_COMBINATION")


@pytest.mark.parametrize(
    "fields",
    [
        {"price2": 1},
        {"quantity2": 1},
        {"expiry": TODAY},
        {"price2": -1},
        {"quantity2": -1},
        {"expiry": -1},
        {"order_type": STOP_LIMIT, "flags": 4, "price2": 7000},
    ],
)
def test_fields_that_a_limit_order_does_not_have(world, fields):
    assert world.buy(7000, 100, account=3, **fields)[0].startswith("REJECTED INVALID_COMBINATION")


def test_a_minimum_between_fok_and_the_table(world):
    """After check 9, before check 11."""
    for _ in range(6):
        world.buy(6400, 20, account=3)
    order = {"side": BUY, "order_type": 1, "time_in_force": 1, "instrument": 1, "account": 1, "price": 7000}
    order |= {"quantity": 100, "target": 20}
    climb(world, K.NEW_ORDER, order, [(R.MIN_QUANTITY_NOT_MET, {"target": 0}), (R.ORDER_TABLE_FULL, {})])


def test_a_date_before_the_halts(world):
    world.send(K.KILL_SWITCH, scope=3, instrument=1)
    order = {"side": BUY, "order_type": 1, "time_in_force": GTD, "instrument": 1, "account": 2, "price": 7000}
    climb(world, K.NEW_ORDER, order, [(R.INVALID_DATE, {"expiry": TODAY}), (R.INSTRUMENT_HALTED, {})])


def test_a_call_before_the_reference_price(make_world):
    """Check 3: the phase, then the previous close."""
    world = make_world(venue_of(TEXT.replace('previous_close = "70.00"', "")))
    world.account(cash=100)
    world.open_day(TODAY)
    world.phase(2, TODAY, instrument=2)
    order = {"side": BUY, "order_type": 1, "time_in_force": 4, "instrument": 2, "account": 1}
    climb(world, K.NEW_ORDER, order, [(R.WRONG_PHASE, {"time_in_force": 1}), (R.NO_REFERENCE_PRICE, {})])


def test_a_quote_in_the_order_of_checks(world):
    world.sell(7000, 20, account=3)
    world.phase(BREAK, TODAY, instrument=4)
    world.send(K.KILL_SWITCH, scope=3, instrument=3)
    start = {"session": 2, "flags": 4, "self_trade": 5, "account": 9, "instrument": 5, "price": 7000, "quantity": 100}
    start |= {"price2": 7000, "quantity2": 100, "side": 1}
    rungs = [
        (R.UNUSED_FIELD_SET, {"side": 0}),
        (R.INVALID_FLAGS, {"flags": 1}),
        (R.INVALID_SELF_TRADE, {"self_trade": 4}),
        (R.INVALID_COMBINATION, {"quantity": 0}),
        (R.INVALID_COMBINATION, {"price": 0, "price2": 0, "quantity2": 0}),
        (R.NOT_PERMITTED, {"session": 1}),
        (R.UNKNOWN_ACCOUNT, {"account": 2}),
        (R.NOT_LISTED, {"instrument": 9}),
        (R.UNKNOWN_INSTRUMENT, {"instrument": 3}),
        (R.INSTRUMENT_HALTED, {"instrument": 4}),
        (R.INVALID_FLAGS, {"flags": 0}),
        (R.WRONG_PHASE, {"instrument": 1}),
        (R.ACCOUNT_SUSPENDED, {"account": 1}),
        (R.UNKNOWN_ORDER, {"quantity": 105, "price": 6001}),
        (R.OFF_TICK, {"price": 5990}),
        (R.OFF_LOT, {"quantity": -1}),
        (R.INVALID_QUANTITY, {"quantity": 100}),
        (R.PRICE_OUT_OF_WINDOW, {"price": 6295}),
        (R.PRICE_BELOW_LIMIT, {"price": 7000, "price2": 7005, "quantity2": 5, "flags": 1}),
        (R.POST_ONLY_WOULD_TAKE, {"flags": 0}),
        (R.OFF_LOT, {"quantity2": 10}),
        (R.QUANTITY_TOO_SMALL, {"quantity2": 110}),
        (R.INSUFFICIENT_FUNDS, {"price": 0, "quantity": 0}),
        (R.INSUFFICIENT_UNITS, {}),
    ]
    climb(world, K.QUOTE, start, rungs)
    for _ in range(4):
        world.buy(6400, 20, account=3)
    full = {"account": 1, "instrument": 1, "price": 7000, "quantity": 100}
    climb(world, K.QUOTE, full, [(R.ORDER_TABLE_FULL, {})])


def test_a_quote_not_offered_after_the_halts(world):
    world.send(K.SET_ACCOUNT_STATUS, account=1, scope=2)
    climb(world, K.QUOTE, {"account": 1, "instrument": 3, "flags": 1}, [(R.MODE_NOT_OFFERED, {})])
    world.send(K.KILL_SWITCH, scope=4)
    climb(world, K.QUOTE, {"account": 1, "instrument": 3, "flags": 1}, [(R.VENUE_HALTED, {})])


def test_units_bought_today_cannot_be_offered(world):
    world.sell(7000, 20, account=3)
    world.buy(7000, 20, account=1)
    climb(
        world, K.QUOTE, {"account": 1, "instrument": 1, "price2": 7100, "quantity2": 120}, [(R.UNITS_BOUGHT_TODAY, {})]
    )


def test_a_replaced_order_in_the_order_of_checks(world):
    world.order(SELL, 7000, 100, account=3, order_type=ICEBERG, quantity2=20, time_in_force=GTD, expiry=TODAY)
    world.send(K.KILL_SWITCH, scope=3, instrument=2)
    start = {"target": 9, "price": 7001, "quantity": 105, "price2": 1, "quantity2": 15, "expiry": TODAY - 1}
    rungs = [
        (R.UNKNOWN_ORDER, {"target": 1}),
        (R.INVALID_COMBINATION, {"price2": 0}),
        (R.INVALID_DATE, {"expiry": TODAY}),
        (R.OFF_TICK, {"price": 6295}),
        (R.OFF_LOT, {"quantity": 100}),
        (R.OFF_LOT, {"quantity2": 100}),
        (R.INVALID_QUANTITY, {"quantity2": 20}),
        (R.PRICE_BELOW_LIMIT, {}),
    ]
    climb(world, K.REPLACE_ORDER, start, rungs)


def test_set_phase_asks_for_calls_last(make_world):
    """After NOT_LISTED and the date; an instrument without calls."""
    world = make_world(venue_of(TEXT))
    world.open_day(TODAY)
    start = {"scope": 2, "quantity": 2, "quantity2": 2, "expiry": -1, "instrument": 5}
    rungs = [
        (R.INVALID_PHASE, {"scope": 1}),
        (R.UNUSED_FIELD_SET, {"quantity2": 1}),
        (R.INVALID_DATE, {"expiry": TODAY + 1}),
        (R.DAY_NOT_SETTLED, {"expiry": TODAY}),
        (R.NOT_LISTED, {"instrument": 1}),
        (R.INVALID_PHASE, {"instrument": 0}),
        (R.INVALID_PHASE, {}),
    ]
    climb(world, K.SET_PHASE, start, rungs)


def test_everything_is_there_for_an_open_floor(make_world):
    """The helpers' venue accepts one order of each type."""
    floor = open_further(make_world)
    for order_type in (1, STOP, STOP_LIMIT, ICEBERG, STOP_LIMIT_ICEBERG):
        stopped, shown = (
            order_type in (STOP, STOP_LIMIT, STOP_LIMIT_ICEBERG),
            order_type in (ICEBERG, STOP_LIMIT_ICEBERG),
        )
        told = floor.buy(9000, 10, order_type=order_type, price2=10000 * stopped, quantity2=5 * shown)
        assert told[0].startswith("ACCEPTED")
