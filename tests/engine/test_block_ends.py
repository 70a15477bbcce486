"""Block trades: how negotiations end, who may take part, how many there may be."""

from __future__ import annotations

import msgspec
import pytest

from engine.schema import CommandKind as K
from tests.engine.block_floor import DATE, MOMENT, accept, counter, live, offer, open_floor, withdraw
from tests.engine.builders import BLOCK, BREAK, BUY, CLOSED, CONTINUOUS, SELL, SMALL, plain, seee

pytestmark = pytest.mark.nojit


def test_withdraw_by_either_of_the_two(floor):
    """BLOCK_WITHDRAW: whose terms stand, or the named counterparty, who so declines; a public one only its offerer."""
    offer(floor, SELL, 7000, 100_000, account=1, to=2)
    offer(floor, SELL, 7000, 100_000, account=1)
    offer(floor, SELL, 7000, 100_000, account=1, to=3)
    assert withdraw(floor, 2, account=3) == ["REJECTED UNKNOWN_NEGOTIATION account=3 aux=11 aux2=2"]
    assert withdraw(floor, 1, account=2) == [
        "BLOCK_ENDED USER_REQUESTED side=2 price=7000 quantity=100000 account=1 contra_account=2 order_id=1 aux=100000"
    ]
    assert withdraw(floor, 2, account=1) == [
        "BLOCK_ENDED USER_REQUESTED side=2 price=7000 quantity=100000 account=1 order_id=2 aux=100000"
    ]
    assert withdraw(floor, 3, account=1)[0].startswith("BLOCK_ENDED USER_REQUESTED")
    assert floor.units(1) == (10**9, 0, 0)
    assert withdraw(floor, 3, account=1) == ["REJECTED UNKNOWN_NEGOTIATION account=1 aux=11 aux2=3"]
    assert offer(floor, SELL, 7000, 100_000, account=1)[0].endswith("order_id=4 remaining=100000 aux=100000")


@pytest.mark.parametrize("phase", [CLOSED, BREAK])
def test_only_withdrawal_outside_trading_hours(floor, phase):
    """Offers, counters and acceptance need mode BLOCK in CONTINUOUS, whatever the listed mode does."""
    offer(floor, SELL, 7000, 100_000, account=1, to=2)
    floor.phase(CLOSED, DATE)
    assert counter(floor, 1, 7000, 110_000, account=2)[0].startswith("BLOCK_COUNTERED phase=0 side=1")
    floor.open_day(DATE)
    floor.phase(phase, DATE, mode=BLOCK)
    for events in (
        offer(floor, SELL, 7000, 100_000, account=1),
        counter(floor, 1, 7000, 100_000, account=1),
        accept(floor, 1, 7000, 110_000, account=1),
    ):
        assert events[0].startswith("REJECTED WRONG_PHASE")
    assert withdraw(floor, 1, account=1)[0].startswith("BLOCK_ENDED USER_REQUESTED side=1")


def test_expiry(floor):
    """From its last moment on nobody may answer; the venue's timer ends it as TERMS_EXPIRED, anybody else as asked."""
    floor.session(1)
    for _ in range(3):
        offer(floor, SELL, 7000, 100_000, account=1, to=2, expiry=MOMENT)
    assert accept(floor, 1, 7000, 100_000, account=2, timestamp=MOMENT - 1)[0].startswith("BLOCK_TRADE")
    assert accept(floor, 2, 7000, 100_000, account=2, timestamp=MOMENT) == [
        "REJECTED NEGOTIATION_EXPIRED price=7000 quantity=100000 account=2 aux=10 aux2=2"
    ]
    assert counter(floor, 2, 7000, 100_000, account=2, timestamp=MOMENT) == [
        "REJECTED NEGOTIATION_EXPIRED price=7000 quantity=100000 account=2 aux=9 aux2=2"
    ]
    assert withdraw(floor, 2, account=1, timestamp=MOMENT - 1)[0].startswith("BLOCK_ENDED USER_REQUESTED")
    assert withdraw(floor, 3, account=1, timestamp=MOMENT) == [
        "BLOCK_ENDED TERMS_EXPIRED side=2 price=7000 quantity=100000 account=1 contra_account=2 order_id=3 aux=100000"
    ]
    offer(floor, SELL, 7000, 100_000, account=1, expiry=MOMENT)
    assert withdraw(floor, 4, account=1, session=1, timestamp=MOMENT)[0].startswith("BLOCK_ENDED USER_REQUESTED")
    assert offer(floor, SELL, 7000, 100_000, account=1, expiry=MOMENT, timestamp=MOMENT) == [
        "REJECTED INVALID_EXPIRY side=2 price=7000 quantity=100000 account=1 aux=8"
    ]


def test_answers_to_a_public_offer_expire_with_it(floor):
    """The child negotiation has the public one's last moment, a countered one keeps its own."""
    offer(floor, SELL, 7000, 100_000, account=1, expiry=MOMENT)
    counter(floor, 1, 6900, 100_000, account=2)
    counter(floor, 2, 6950, 100_000, account=1)
    assert [int(n["expiry"]) for n in floor.engine.state()["negotiations"]] == [MOMENT, MOMENT]
    assert "NEGOTIATION_EXPIRED" in accept(floor, 2, 6950, 100_000, account=2, timestamp=MOMENT)[0]


def test_the_end_of_the_day_ends_all(floor):
    """EXPIRE_ORDERS: after the day orders, every negotiation by id, without counting them."""
    cash, units = floor.cash(2), floor.units(1)
    offer(floor, SELL, 7000, 100_000, account=1)
    offer(floor, SELL, 7000, 100_000, account=1, to=2)
    counter(floor, 2, 6900, 100_000, account=2)
    offer(floor, SELL, 7000, 100_000, account=4)
    offer(floor, BUY, 5000, 100_000, account=4)
    withdraw(floor, 3, account=4)
    floor.buy(7100, 10, account=3)
    floor.stop()
    assert withdraw(floor, 9, account=1)[0].startswith("REJECTED UNKNOWN_NEGOTIATION")
    assert floor.expire() == [
        "EXPIRED END_OF_DAY phase=0 side=1 price=7100 quantity=10 account=3 order_id=1 aux=71000",
        "BLOCK_ENDED END_OF_DAY phase=0 side=2 price=7000 quantity=100000 account=1 order_id=1 aux=100000",
        "BLOCK_ENDED END_OF_DAY phase=0 side=1 price=6900 quantity=100000 account=2 contra_account=1 order_id=2 "
        "aux=690000000",
        "BLOCK_ENDED END_OF_DAY phase=0 side=1 price=5000 quantity=100000 account=4 order_id=4 aux=500000000",
        "ORDERS_EXPIRED quantity=1 aux=20250811",
    ]
    assert (floor.cash(2), floor.units(1)) == (cash, units)
    assert live(floor) == []
    floor.fix_close()
    floor.settle()
    floor.open_day(20250812)
    floor.phase(CONTINUOUS, 20250812, mode=BLOCK)
    assert offer(floor, SELL, 7000, 100_000, account=1)[0].endswith("order_id=5 remaining=100000 aux=100000")


def test_mass_cancel_and_lost_sessions_leave_negotiations_alone(floor):
    """Section 7: they end orders only."""
    floor.session(1)
    offer(floor, SELL, 7000, 100_000, account=1, session=1)
    floor.send(K.SESSION_UP, target=1, scope=2)
    floor.send(K.SESSION_DOWN, target=1)
    floor.mass_cancel()
    assert live(floor) == [(1, 1, 0)]


@pytest.mark.parametrize(
    ("mode", "group", "trades"), [("CANCEL_TAKER", 7, False), ("OFF", 7, True), ("DECREMENT", 0, True)]
)
def test_self_trade(make_world, mode, group, trades):
    """Venue prevention on, both accounts in one owner group other than 0: SELF_TRADE, whatever the mode is."""
    world = make_world(seee(self_trade=mode))
    world.account(cash=10**12, group=group)
    world.account(units=10**6, group=group)
    world.open_day(DATE)
    world.phase(CONTINUOUS, DATE, mode=BLOCK)
    offer(world, SELL, 7000, 100_000, account=2, to=1)
    events = accept(world, 1, 7000, 100_000, account=1)
    if trades:
        assert events[0].startswith("BLOCK_TRADE")
    else:
        assert events == ["REJECTED SELF_TRADE price=7000 quantity=100000 account=1 aux=10 aux2=1"]
        assert counter(world, 1, 7000, 100_000, account=1)[0].startswith("BLOCK_COUNTERED")


def test_owner_group_counts_when_it_is_set(floor):
    """SET_OWNER_GROUP is in force at once, for standing terms too."""
    offer(floor, SELL, 7000, 100_000, account=1)
    for account in (1, 2):
        floor.send(K.SET_OWNER_GROUP, account=account, quantity2=5)
    assert "SELF_TRADE" in accept(floor, 1, 7000, 100_000, account=2)[0]
    assert accept(floor, 1, 7000, 100_000, account=3)[0].startswith("BLOCK_TRADE")


def test_without_pre_funding(make_world):
    """Accounts are labels from 1 on (counterparty 0 means public), nothing is locked."""
    world = make_world(plain({"block_min": 10}))
    assert offer(world, SELL, 500, 10, account=0) == ["REJECTED UNKNOWN_ACCOUNT side=2 price=500 quantity=10 aux=8"]
    assert "WRONG_PHASE" in offer(world, SELL, 500, 10, account=7)[0]
    world.phase(CONTINUOUS, 0, mode=BLOCK)
    assert offer(world, SELL, 500, 10, account=7, to=2**31 - 1) == [
        "BLOCK_OFFERED side=2 price=500 quantity=10 account=7 contra_account=2147483647 order_id=1 remaining=10"
    ]
    assert "UNKNOWN_ACCOUNT" in offer(world, SELL, 500, 10, account=7, to=2**31)[0]
    assert "UNKNOWN_ACCOUNT" in offer(world, SELL, 500, 10, account=7, to=-1)[0]
    assert "UNKNOWN_ACCOUNT" in offer(world, SELL, 500, 10, account=7, scope=1)[0]
    assert counter(world, 1, 490, 20, account=2**31 - 1) == [
        "BLOCK_COUNTERED side=1 price=490 quantity=20 account=2147483647 contra_account=7 order_id=1 remaining=20"
    ]
    assert accept(world, 1, 490, 20, account=0)[0].startswith("REJECTED UNKNOWN_ACCOUNT")
    assert accept(world, 1, 490, 20, account=7) == [
        "BLOCK_TRADE side=2 aggressor=2 price=490 quantity=20 account=7 contra_account=2147483647 order_id=1 "
        "contra_order_id=1"
    ]
    offer(world, BUY, 500, 10, account=3)
    assert withdraw(world, 2, account=3) == [
        "BLOCK_ENDED USER_REQUESTED side=1 price=500 quantity=10 account=3 order_id=2"
    ]


def test_a_full_table(make_open_world):
    """capacity.negotiations live ones at a time; ended ones make room, in whatever order they end."""
    world = open_floor(make_open_world, seee(capacity=msgspec.structs.replace(SMALL, negotiations=3)))
    for _ in range(3):
        offer(world, SELL, 7000, 100_000, account=1)
    assert offer(world, SELL, 7000, 100_000, account=1) == [
        "REJECTED NEGOTIATION_TABLE_FULL side=2 price=7000 quantity=100000 account=1 aux=8"
    ]
    assert counter(world, 1, 7000, 100_000, account=2) == [
        "REJECTED NEGOTIATION_TABLE_FULL price=7000 quantity=100000 account=2 aux=9 aux2=1"
    ]
    withdraw(world, 2, account=1)
    assert counter(world, 1, 7000, 110_000, account=2)[0].startswith("BLOCK_OFFERED side=1")
    assert live(world) == [(1, 1, 0), (3, 1, 0), (4, 2, 1)]
    assert counter(world, 4, 7000, 120_000, account=1)[0].startswith("BLOCK_COUNTERED")  # needs no further room
    withdraw(world, 1, account=1)
    withdraw(world, 4, account=1)
    for number in (5, 6):
        assert f"order_id={number}" in offer(world, SELL, 7000, 100_000, account=1)[0]
    assert live(world) == [(3, 1, 0), (5, 1, 0), (6, 1, 0)]
    assert accept(world, 3, 7000, 100_000, account=2)[0].startswith("BLOCK_TRADE")
    assert live(world.restored()) == live(world) == [(5, 1, 0), (6, 1, 0)]


def test_suspended_accounts(floor):
    """The account that acts must be ACTIVE; the standing side is not asked again; withdrawal always works."""
    offer(floor, SELL, 7000, 100_000, account=1)
    offer(floor, SELL, 7000, 100_000, account=2)
    floor.send(K.SET_ACCOUNT_STATUS, account=1, scope=2)
    for events in (
        offer(floor, SELL, 7000, 100_000, account=1),
        counter(floor, 2, 7000, 110_000, account=1),
        accept(floor, 2, 7000, 100_000, account=1),
    ):
        assert events[0].startswith("REJECTED ACCOUNT_SUSPENDED")
    assert accept(floor, 1, 7000, 100_000, account=3)[0].startswith("BLOCK_TRADE")
    floor.send(K.SET_ACCOUNT_STATUS, account=2, scope=2)
    assert withdraw(floor, 2, account=2)[0].startswith("BLOCK_ENDED USER_REQUESTED")


def test_restored_negotiations_go_on(floor):
    """A world restored from the canonical state answers alike."""
    offer(floor, SELL, 7000, 100_000, account=1, to=2, expiry=MOMENT)
    offer(floor, BUY, 7000, 100_000, account=3)
    twin = floor.restored()
    for world in (floor, twin):
        assert counter(world, 1, 6900, 150_000, account=2)[0].startswith("BLOCK_COUNTERED")
        assert accept(world, 2, 7000, 100_000, account=4)[0].startswith("BLOCK_TRADE")
    assert floor.engine.canonical_state() == twin.engine.canonical_state()
