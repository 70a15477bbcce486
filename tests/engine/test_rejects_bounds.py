"""Every reason of a reject by what bounds auctions, and of SET_COST_RESERVE; which comes first."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.schema import CommandKind as K
from engine.schema import LimitKind
from engine.schema import Reason as R
from engine.venue import Capacity
from tests.engine.auction_hall import (
    RAISE,
    RANDOM,
    SEED_HASH,
    UNITS,
    announce,
    bid,
    commit,
    hall,
    open_hall,
    open_window,
)
from tests.engine.builders import BUY
from tests.engine.ladder import climb

FLOOR = {"auction_floor": Decimal("9.00"), "auction_floor_year": 2024}


def reasons(*tellings: list[str]) -> list[str]:
    """The reason of each refusal."""
    return [told[0].split()[1] if told[0].startswith("REJECTED") else told[0].split()[0] for told in tellings]


def test_floor_of_an_announcement(make_world):
    world = open_hall(make_world, hall({**FLOOR, "tick_value": 2**31}))
    huge = 2**31 - 1
    assert reasons(
        announce(world, 899, huge, target=10_001),
        announce(world, 899, huge),
        announce(world, 900, huge),
        announce(world, 900, 1),
    ) == [R.INVALID_AMOUNT.name, R.BELOW_FLOOR.name, R.AMOUNT_OVERFLOW.name, "AUCTION_ANNOUNCED"]


def test_opening(make_world):
    """Halt, notice, floor, seed."""
    world = open_hall(make_world, hall({**FLOOR, "auction_floor_rise_bps": 1_000}, auction_notice_days=2))
    announce(world, 990, 1, scope=RANDOM)
    world.send(K.KILL_SWITCH, scope=3, instrument=1)
    for day in (20250812, 20250813):
        world.end_of_day()
        world.open_day(day) if day == 20250812 else world.open_day(20260102)
    halted = open_window(world)
    world.send(K.KILL_SWITCH, scope=3, instrument=1, side=1)
    announce(world, 1089, 1, scope=RANDOM)
    early = open_window(world, 2)
    low = open_window(world)
    announce(world, 1089, 1, scope=RANDOM)
    for day in (20260105, 20260106):
        world.end_of_day()
        world.open_day(day)
    unseeded = open_window(world, 2)
    commit(world, SEED_HASH, 2)
    assert reasons(halted, early, low, unseeded, open_window(world, 2)) == [
        R.INSTRUMENT_HALTED.name,
        R.NOTICE_PERIOD.name,
        R.BELOW_FLOOR.name,
        R.SEED_NOT_COMMITTED.name,
        "AUCTION_OPENED",
    ]


def test_share_of_a_bidder(make_world):
    """A member's limit, the share, a free bid."""
    venue = hall({"auction_other_bps": 100}, capacity=Capacity(bids=1))
    world = open_hall(make_world, venue)
    world.send(K.SET_LIMIT, scope=LimitKind.ORDER_QUANTITY, account=2, quantity=11)
    announce(world, 500, 1_000)
    open_window(world)
    bid(world, 500, 1, account=3)
    assert reasons(bid(world, 500, 12), bid(world, 500, 11), bid(world, 500, 10)) == [
        R.MAX_ORDER_QUANTITY.name,
        R.PURCHASE_LIMIT.name,
        R.BID_TABLE_FULL.name,
    ]


@pytest.fixture
def desk(make_world):
    """Auctions 1 to 4: one that buys, one with a rule about the secondary market, one with a cap, one open; trader 1,
    operator 2."""
    world = open_hall(make_world, hall({"auction_step": 10, "price_step": 5, "tick_value": 20_000}))
    world.session(1, 1)
    world.session(0, 2)
    announce(world, 500, 10, side=BUY)
    announce(world, 500, 10, scope=RAISE, quantity2=600)
    announce(world, 500, 10, price2=900)
    announce(world, 500, 10)
    open_window(world, 4)
    return world


def test_cost_reserve(desk):
    start = {"target": 9, "price": 0, "quantity": 0, "session": 1}
    rungs = [
        (R.NOT_PERMITTED, {"session": 2}),
        (R.UNKNOWN_AUCTION, {"target": 4}),
        (R.WRONG_AUCTION_STAGE, {"target": 1}),
        (R.INVALID_SIDE, {"target": 2}),
        (R.INVALID_COMBINATION, {"target": 3}),
        (R.INVALID_PRICE, {"price": 99}),
        (R.OFF_TICK, {"price": 95}),
        (R.PRICE_OUT_OF_WINDOW, {"price": 495}),
        (R.BELOW_RESERVE, {"price": 905}),
        (R.ABOVE_CAP, {"price": 900}),
        (R.INVALID_QUANTITY, {"quantity": 2**31 - 1}),
        (R.OFF_LOT, {"quantity": 2**31 - 8}),
        (R.AMOUNT_OVERFLOW, {"quantity": UNITS}),
        (R.INSUFFICIENT_UNITS, {"quantity": 10}),
    ]
    climb(desk, K.SET_COST_RESERVE, start, rungs)
    told = desk.send(K.SET_COST_RESERVE, target=3, price=900, quantity=10, session=2, client_order_id=15)
    assert told[0].startswith("COST_RESERVE_SET")
