"""The worked examples of the rule book (section 9, A and G), figure by figure."""

from __future__ import annotations

import pytest

from tests.engine.builders import BUY, World, seee

pytestmark = pytest.mark.nojit

BUYER = 8
LOCK_36000_AT_97_80 = 3_520_800_00
ASKS = [(9750, 3_000), (9750, 5_000), (9755, 4_000), (9760, 20_000), (9765, 1_000), (9770, 1_000), (9780, 9_000)]


def listed_sweep5(make_world, **changes) -> World:
    """Previous close 97.41; sellers 1 to 7 stand as A1 to A7; the buyer is account 8 with 10,000 t settled."""
    world = make_world(seee(**changes))
    for _, quantity in ASKS:
        world.account(units=quantity)
    world.account(cash=LOCK_36000_AT_97_80, units=10_000)
    assert world.reference(9741) == [
        "LIMITS_SET phase=0 price=9741 remaining=6819 contra_remaining=12663 aux=8767 aux2=10715"
    ]
    world.open_day(20250812)
    for seller, (price, quantity) in enumerate(ASKS, 1):
        assert world.sell(price, quantity, account=seller) == [
            f"ACCEPTED side=2 price={price} quantity={quantity} account={seller} order_id={seller} "
            f"remaining={quantity} aux={quantity} aux2=257"
        ]
    return world


FILLS_A1_TO_A6 = [
    "ACCEPTED side=1 price=9780 quantity=36000 account=8 order_id=8 remaining=36000 aux=352080000 aux2=257",
    "TRADE side=1 aggressor=1 price=9750 quantity=3000 account=8 contra_account=1 order_id=8 contra_order_id=1 "
    "remaining=33000 aux=90000",
    "TRADE side=1 aggressor=1 price=9750 quantity=5000 account=8 contra_account=2 order_id=8 contra_order_id=2 "
    "remaining=28000 aux=150000",
    "TRADE side=1 aggressor=1 price=9755 quantity=4000 account=8 contra_account=3 order_id=8 contra_order_id=3 "
    "remaining=24000 aux=100000",
    "TRADE side=1 aggressor=1 price=9760 quantity=20000 account=8 contra_account=4 order_id=8 contra_order_id=4 "
    "remaining=4000 aux=400000",
    "TRADE side=1 aggressor=1 price=9765 quantity=1000 account=8 contra_account=5 order_id=8 contra_order_id=5 "
    "remaining=3000 aux=15000",
    "TRADE side=1 aggressor=1 price=9770 quantity=1000 account=8 contra_account=6 order_id=8 contra_order_id=6 "
    "remaining=2000 aux=10000",
]


def test_a_sweep5(make_world):
    """Rule book 9 A: A1 to A6 fill for 3,317,550.00, 2,000 t are system-cancelled, A7 is the sixth level."""
    world = listed_sweep5(make_world)
    assert world.buy(9780, 36_000, account=BUYER) == [
        *FILLS_A1_TO_A6,
        "CANCELLED DEPTH_LIMIT side=1 price=9780 quantity=2000 account=8 order_id=8 aux=19560000",
    ]
    # Released: 7,650.00 of price improvement and 195,600.00 of the remainder; spent: 3,317,550.00.
    assert 90000 + 150000 + 100000 + 400000 + 15000 + 10000 == 7_650_00
    assert world.cash(BUYER) == (7_650_00 + 195_600_00, 0, 0)
    assert LOCK_36000_AT_97_80 - world.cash(BUYER)[0] == 3_317_550_00
    assert world.units(BUYER) == (10_000, 0, 34_000)
    assert world.book() == [(7, 2, 9780, 9_000)]


def test_a_rest_at_last(make_world):
    """Rule book 9 A, REST_AT_LAST: 2,000 t rest at 97.70, 195,400.00 stays locked."""
    world = listed_sweep5(make_world, depth_remainder="REST_AT_LAST")
    assert world.buy(9780, 36_000, account=BUYER) == [
        *FILLS_A1_TO_A6,
        "REPLACED side=1 price=9770 quantity=36000 account=8 order_id=8 remaining=2000 aux=-20000",
    ]
    assert world.cash(BUYER) == (7_650_00 + 200_00, 195_400_00, 0)
    assert world.book() == [(8, 1, 9770, 2_000), (7, 2, 9780, 9_000)]


def test_a_resweep(make_world):
    """Rule book section 3, L5: RESWEEP goes on past the fifth level."""
    world = listed_sweep5(make_world, depth_remainder="RESWEEP")
    assert world.buy(9780, 36_000, account=BUYER) == [
        *FILLS_A1_TO_A6,
        "TRADE side=1 aggressor=1 price=9780 quantity=2000 account=8 contra_account=7 order_id=8 contra_order_id=7 "
        "contra_remaining=7000",
    ]


def test_a_click_strict(make_world):
    """Rule book 9 A: taking A2 first is legal, A3 only once A1 and A2 are gone."""
    world = listed_sweep5(make_world)
    assert world.take(BUY, 3, 9755, 4_000, account=BUYER) == [
        "REJECTED NOT_AT_BEST side=1 price=9755 quantity=4000 account=8 aux=5 aux2=3"
    ]
    assert world.take(BUY, 2, 9750, 5_000, account=BUYER) == [
        "ACCEPTED side=1 price=9750 quantity=5000 account=8 order_id=8 remaining=5000 aux=48750000 aux2=1024",
        "TRADE side=1 aggressor=1 price=9750 quantity=5000 account=8 contra_account=2 order_id=8 contra_order_id=2",
    ]
    assert world.take(BUY, 3, 9755, 4_000, account=BUYER) == [
        "REJECTED NOT_AT_BEST side=1 price=9755 quantity=4000 account=8 aux=5 aux2=3"
    ]
    assert world.take(BUY, 1, 9750, 3_000, account=BUYER) == [
        "ACCEPTED side=1 price=9750 quantity=3000 account=8 order_id=9 remaining=3000 aux=29250000 aux2=1024",
        "TRADE side=1 aggressor=1 price=9750 quantity=3000 account=8 contra_account=1 order_id=9 contra_order_id=1",
    ]
    assert world.take(BUY, 3, 9755, 1_500, account=BUYER) == [
        "ACCEPTED side=1 price=9755 quantity=1500 account=8 order_id=10 remaining=1500 aux=14632500 aux2=1024",
        "TRADE side=1 aggressor=1 price=9755 quantity=1500 account=8 contra_account=3 order_id=10 contra_order_id=3 "
        "contra_remaining=2500",
    ]


def test_a_next_day(make_world):
    """Rule book 9 A: T+1, the seller's proceeds, the close 97.58 and the next day's limits."""
    world = listed_sweep5(make_world)
    world.buy(9780, 36_000, account=BUYER)
    assert world.sell(9780, 10_001, account=BUYER) == [
        "REJECTED UNITS_BOUGHT_TODAY side=2 price=9780 quantity=10001 account=8 aux=1"
    ]
    assert world.sell(9780, 10_000, account=BUYER) == [
        "ACCEPTED side=2 price=9780 quantity=10000 account=8 order_id=9 remaining=10000 aux=10000 aux2=257"
    ]
    assert world.cash(1) == (292_500_00, 0, 292_500_00)
    assert world.buy(9750, 3_000, account=1) == [
        "ACCEPTED side=1 price=9750 quantity=3000 account=1 order_id=10 remaining=3000 aux=29250000 aux2=257"
    ]
    events = world.end_of_day()
    assert (
        "CLOSE_FIXED phase=0 price=9758 quantity=34000 order_id=6 remaining=9750 contra_remaining=9770 "
        "aux=331755000 aux2=9750"
    ) in events
    assert ("LIMITS_SET phase=0 price=9758 remaining=6831 contra_remaining=12685 aux=8782 aux2=10734") in events
    assert world.units(BUYER) == (44_000, 0, 0)
    assert world.cash(1) == (292_500_00, 0, 0)
    world.open_day(20250813)
    assert world.sell(10735, 44_000, account=BUYER) == [
        "REJECTED PRICE_ABOVE_LIMIT side=2 price=10735 quantity=44000 account=8 aux=1"
    ]
    assert world.sell(8781, 44_000, account=BUYER) == [
        "REJECTED PRICE_BELOW_LIMIT side=2 price=8781 quantity=44000 account=8 aux=1"
    ]
    assert world.sell(10734, 44_000, account=BUYER) == [
        "ACCEPTED side=2 price=10734 quantity=44000 account=8 order_id=11 remaining=44000 aux=44000 aux2=257"
    ]


def test_g_close_of_an_exact_half_tick(make_open_world):
    """Rule book 9 G: 418,700.00 / 4,000 = 104.675, closes at 104.68."""
    world = make_open_world(seee({"limit_listed_bps": 0}))
    for price, quantity in ((10467, 2_000), (10468, 2_000)):
        world.sell(price, quantity, account=1)
        world.buy(price, quantity, account=2)
    world.stop()
    world.expire()
    assert world.fix_close()[0] == (
        "CLOSE_FIXED phase=0 price=10468 quantity=4000 order_id=2 remaining=10467 contra_remaining=10468 "
        "aux=41870000 aux2=10467"
    )


def test_g_limit_of_an_exact_half_tick(make_world):
    """Rule book 9 G: previous close 67.15, 73.865 becomes 73.87, at which CEA22 was traded on 2025-12-24."""
    world = make_world(seee())
    world.accounts(2)
    assert world.reference(6715, instrument=3) == [
        "LIMITS_SET instrument=3 phase=0 price=6715 remaining=4701 contra_remaining=8730 aux=6044 aux2=7387"
    ]
    world.deposit_units(1, 10, asset=3)
    world.open_day(20251224)
    assert world.sell(7388, 10, account=1, instrument=3) == [
        "REJECTED PRICE_ABOVE_LIMIT instrument=3 side=2 price=7388 quantity=10 account=1 aux=1"
    ]
    assert world.sell(7387, 10, account=1, instrument=3) == [
        "ACCEPTED instrument=3 side=2 price=7387 quantity=10 account=1 order_id=1 remaining=10 aux=10 aux2=257"
    ]
    assert world.buy(7387, 10, account=2, instrument=3) == [
        "ACCEPTED instrument=3 side=1 price=7387 quantity=10 account=2 order_id=2 remaining=10 aux=73870 aux2=257",
        "TRADE instrument=3 side=1 aggressor=1 price=7387 quantity=10 account=2 contra_account=1 order_id=2 "
        "contra_order_id=1",
    ]
