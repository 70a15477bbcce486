"""Self-trade prevention (docs/engine.md section 3; rule book, L7): per beneficial owner group."""

from __future__ import annotations

import pytest

from engine.schema import CommandKind as K
from tests.engine.builders import BUY, FOK, SELL, World, plain, seee

pytestmark = pytest.mark.nojit

TAKER, MAKER, BOTH, DECREMENT = 1, 2, 3, 4


def grouped(world: World) -> World:
    """Accounts 1 and 2 belong to one owner; a sell of 1 stands before one of 3, at 71.00 and 71.01."""
    for account in (1, 2):
        world.send(K.SET_OWNER_GROUP, account=account, quantity2=7)
    world.sell(7100, 10, account=1)
    world.sell(7101, 10, account=3)
    return world


@pytest.fixture
def group(market) -> World:
    return grouped(market)


ACCEPTED = "ACCEPTED side=1 price=7101 quantity=15 account=2 order_id=3 remaining=15 aux=106515 aux2={}"
TRADE_WITH_3 = (
    "TRADE side=1 aggressor=1 price=7101 quantity=10 account=2 contra_account=3 order_id=3 contra_order_id=2 "
    "remaining=5"
)
MAKER_CANCELLED = "CANCELLED SELF_TRADE_PREVENTED side=2 price=7100 quantity=10 account=1 order_id=1 aux=10"
TAKER_CANCELLED = "CANCELLED SELF_TRADE_PREVENTED side=1 price=7101 quantity=15 account=2 order_id=3 aux=106515"


def test_cancel_taker(group):
    """CANCEL_TAKER, the venue's default: the taker's rest is cancelled."""
    assert group.buy(7101, 15, account=2) == [ACCEPTED.format(257), TAKER_CANCELLED]
    assert group.book() == [(1, SELL, 7100, 10), (2, SELL, 7101, 10)]


def test_cancel_maker(group):
    """CANCEL_MAKER: the resting order is cancelled and the taker goes on."""
    assert group.buy(7101, 15, account=2, self_trade=MAKER) == [
        ACCEPTED.format(257 | MAKER << 16),
        MAKER_CANCELLED,
        TRADE_WITH_3,
    ]
    assert group.book() == [(3, BUY, 7101, 5)]


def test_cancel_both(group):
    """CANCEL_BOTH: first the resting order, then the taker."""
    assert group.buy(7101, 15, account=2, self_trade=BOTH) == [
        ACCEPTED.format(257 | BOTH << 16),
        MAKER_CANCELLED,
        TAKER_CANCELLED,
    ]
    assert group.book() == [(2, SELL, 7101, 10)]


def test_decrement(group):
    """DECREMENT: the smaller rest comes off both orders, locks are released, nothing trades."""
    assert group.buy(7101, 15, account=2, self_trade=DECREMENT) == [
        ACCEPTED.format(257 | DECREMENT << 16),
        "DECREMENTED side=1 aggressor=1 price=7100 quantity=10 account=2 contra_account=1 order_id=3 contra_order_id=1 "
        "remaining=5 aux=71010 aux2=10",
        "TRADE side=1 aggressor=1 price=7101 quantity=5 account=2 contra_account=3 order_id=3 contra_order_id=2 "
        "contra_remaining=5",
    ]
    assert group.row("instruments")["volume"] == 5
    assert group.book() == [(2, SELL, 7101, 5)]


def test_decrement_shrinks_the_total_too(group):
    """DECREMENT takes the lots off `quantity`, so that what was filled stays what it was."""
    assert group.buy(7100, 4, account=2, self_trade=DECREMENT)[1:] == [
        "DECREMENTED side=1 aggressor=1 price=7100 quantity=4 account=2 contra_account=1 order_id=3 contra_order_id=1 "
        "contra_remaining=6 aux=28400 aux2=4"
    ]
    assert group.row("orders", order_id=1)["quantity"] == 6


def test_group_zero_is_no_group(market):
    """Accounts without an owner group may meet, even one with itself."""
    market.sell(7100, 5, account=1)
    assert market.buy(7100, 5, account=1)[1:] == [
        "TRADE side=1 aggressor=1 price=7100 quantity=5 account=1 contra_account=1 order_id=2 contra_order_id=1"
    ]


def test_other_groups_may_meet(group):
    """Prevention acts inside one group only."""
    group.send(K.SET_OWNER_GROUP, account=2, quantity2=8)
    assert group.buy(7100, 5, account=2)[1:] == [
        "TRADE side=1 aggressor=1 price=7100 quantity=5 account=2 contra_account=1 order_id=3 contra_order_id=1 "
        "contra_remaining=5"
    ]


def test_a_change_of_group_is_in_force_for_resting_orders(market):
    """SET_OWNER_GROUP: in force at once, for resting orders too."""
    market.sell(7100, 5, account=3)
    for account in (1, 3):
        market.send(K.SET_OWNER_GROUP, account=account, quantity2=9, expiry=20250811)
    assert market.buy(7100, 5)[1:] == [
        "CANCELLED SELF_TRADE_PREVENTED side=1 price=7100 quantity=5 account=1 order_id=2 aux=35500"
    ]


def test_prevention_after_trades_before_it(group):
    """Only the rest is ended: trades before the own order stand."""
    group.sell(7099, 3, account=4)
    assert group.buy(7101, 15, account=2) == [
        "ACCEPTED side=1 price=7101 quantity=15 account=2 order_id=4 remaining=15 aux=106515 aux2=257",
        "TRADE side=1 aggressor=1 price=7099 quantity=3 account=2 contra_account=4 order_id=4 contra_order_id=3 "
        "remaining=12 aux=6",
        "CANCELLED SELF_TRADE_PREVENTED side=1 price=7101 quantity=12 account=2 order_id=4 aux=85212",
    ]


@pytest.mark.parametrize(("mode", "fillable"), [(TAKER, False), (MAKER, True), (BOTH, False), (DECREMENT, False)])
def test_fill_or_kill_walks_with_prevention(group, mode, fillable):
    """FOK walk: CANCEL_MAKER skips an own order, every other mode ends the walk."""
    events = group.buy(7101, 10, account=2, self_trade=mode, time_in_force=FOK)
    if not fillable:
        assert events == ["REJECTED FOK_NOT_FILLABLE side=1 price=7101 quantity=10 account=2 aux=1"]
        return
    assert events == [
        "ACCEPTED side=1 price=7101 quantity=10 account=2 order_id=3 remaining=10 aux=71010 aux2=132097",
        MAKER_CANCELLED,
        "TRADE side=1 aggressor=1 price=7101 quantity=10 account=2 contra_account=3 order_id=3 contra_order_id=2",
    ]


def test_fill_or_kill_that_is_full_before_the_own_order(group):
    """FOK walk: what fills before the own order is reached is fillable."""
    group.sell(7099, 3, account=4)
    assert group.buy(7101, 3, account=2, time_in_force=FOK)[1:] == [
        "TRADE side=1 aggressor=1 price=7099 quantity=3 account=2 contra_account=4 order_id=4 contra_order_id=3 aux=6"
    ]


def test_emptied_own_levels_count_as_touched(make_open_world):
    """Matching counts the distinct prices touched; a level that held only an own order is one of them."""
    world = grouped(make_open_world(seee(sweep_levels=1)))
    assert world.buy(7101, 15, account=2, self_trade=MAKER)[1:] == [
        MAKER_CANCELLED,
        "CANCELLED DEPTH_LIMIT side=1 price=7101 quantity=15 account=2 order_id=3 aux=106515",
    ]


def test_take_of_the_own_group(group):
    """TAKE: refused as SELF_TRADE while the venue prevents self-trades."""
    assert group.take(BUY, 1, 7100, 5, account=2) == [
        "REJECTED SELF_TRADE side=1 price=7100 quantity=5 account=2 aux=5 aux2=1"
    ]


def test_venue_without_prevention(make_open_world):
    """self_trade OFF: nothing is prevented unless the order asks for it; TAKE is not refused."""
    world = grouped(make_open_world(seee(self_trade="OFF")))
    assert world.buy(7100, 2, account=2)[1:] == [
        "TRADE side=1 aggressor=1 price=7100 quantity=2 account=2 contra_account=1 order_id=3 contra_order_id=1 "
        "contra_remaining=8"
    ]
    assert world.take(BUY, 1, 7100, 2, account=2)[1:] == [
        "TRADE side=1 aggressor=1 price=7100 quantity=2 account=2 contra_account=1 order_id=4 contra_order_id=1 "
        "contra_remaining=6"
    ]
    assert world.buy(7100, 2, account=2, self_trade=TAKER)[1:] == [
        "CANCELLED SELF_TRADE_PREVENTED side=1 price=7100 quantity=2 account=2 order_id=5 aux=14200"
    ]


def test_without_prefunding_the_account_is_the_group(make_world):
    """docs/engine.md section 3: account numbers are their own groups, and 0 is none."""
    world = make_world(plain(self_trade="CANCEL_BOTH"))
    world.sell(100, 5, account=3)
    world.sell(100, 5, account=0)
    assert world.buy(100, 5, account=0) == [
        "ACCEPTED side=1 price=100 quantity=5 order_id=3 remaining=5 aux2=257",
        "TRADE side=1 aggressor=1 price=100 quantity=5 contra_account=3 order_id=3 contra_order_id=1",
    ]
    assert world.buy(100, 5, account=0)[1:] == [
        "TRADE side=1 aggressor=1 price=100 quantity=5 order_id=4 contra_order_id=2"
    ]
    world.sell(100, 5, account=3)
    assert world.buy(100, 5, account=3)[1:] == [
        "CANCELLED SELF_TRADE_PREVENTED side=2 price=100 quantity=5 account=3 order_id=5",
        "CANCELLED SELF_TRADE_PREVENTED side=1 price=100 quantity=5 account=3 order_id=6",
    ]


def test_replace_keeps_the_orders_own_mode(group):
    """A replaced order that takes acts with the mode it was entered with."""
    group.buy(7000, 5, account=2, self_trade=MAKER)
    assert group.replace(3, 7100, 5) == [
        "REPLACED side=1 price=7100 quantity=5 account=2 order_id=3 remaining=5 aux=500",
        MAKER_CANCELLED,
    ]
    assert group.book() == [(3, BUY, 7100, 5), (2, SELL, 7101, 10)]
