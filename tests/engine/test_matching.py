"""Price-time matching, what becomes of the rest, depth (docs/engine.md section 3; rule book section 3, L4 to L8)."""

from __future__ import annotations

import pytest

from tests.engine.builders import BUY, FOK, GTC, IOC, MARKET, SELL, plain, seee

pytestmark = pytest.mark.nojit


def test_price_then_time_at_the_makers_price(book):
    """docs/engine.md section 3: best price first, strict arrival order inside a level, at the resting price."""
    book.sell(102, 5, account=11)
    book.sell(101, 5, account=12)
    book.sell(101, 5, account=13)
    assert book.buy(103, 12, account=14) == [
        "ACCEPTED side=1 price=103 quantity=12 account=14 order_id=4 remaining=12 aux2=257",
        "TRADE side=1 aggressor=1 price=101 quantity=5 account=14 contra_account=12 order_id=4 contra_order_id=2 "
        "remaining=7",
        "TRADE side=1 aggressor=1 price=101 quantity=5 account=14 contra_account=13 order_id=4 contra_order_id=3 "
        "remaining=2",
        "TRADE side=1 aggressor=1 price=102 quantity=2 account=14 contra_account=11 order_id=4 contra_order_id=1 "
        "contra_remaining=3",
    ]
    assert book.book() == [(1, SELL, 102, 3)]


def test_seller_takes_the_best_bid_first(book):
    """The same from the other side: the highest bid first."""
    book.buy(99, 5, account=11)
    book.buy(100, 5, account=12)
    assert book.sell(98, 7, account=13) == [
        "ACCEPTED side=2 price=98 quantity=7 account=13 order_id=3 remaining=7 aux2=257",
        "TRADE side=2 aggressor=2 price=100 quantity=5 account=13 contra_account=12 order_id=3 contra_order_id=2 "
        "remaining=2",
        "TRADE side=2 aggressor=2 price=99 quantity=2 account=13 contra_account=11 order_id=3 contra_order_id=1 "
        "contra_remaining=3",
    ]


def test_partial_fill_keeps_priority(book):
    """A resting order that is filled in part stays first in its price's queue."""
    book.sell(100, 10, account=1)
    book.sell(100, 10, account=2)
    book.buy(100, 4, account=3)
    assert book.buy(100, 8, account=3) == [
        "ACCEPTED side=1 price=100 quantity=8 account=3 order_id=4 remaining=8 aux2=257",
        "TRADE side=1 aggressor=1 price=100 quantity=6 account=3 contra_account=1 order_id=4 contra_order_id=1 "
        "remaining=2",
        "TRADE side=1 aggressor=1 price=100 quantity=2 account=3 contra_account=2 order_id=4 contra_order_id=2 "
        "contra_remaining=8",
    ]


def test_rest_stopped_by_its_limit_rests_there_without_an_event(book):
    """Rule book, L5: a remainder stopped by its limit price rests at that limit."""
    book.sell(100, 4, account=1)
    book.sell(101, 4, account=1)
    assert book.buy(100, 9, account=2) == [
        "ACCEPTED side=1 price=100 quantity=9 account=2 order_id=3 remaining=9 aux2=257",
        "TRADE side=1 aggressor=1 price=100 quantity=4 account=2 contra_account=1 order_id=3 contra_order_id=1 "
        "remaining=5",
    ]
    assert book.book() == [(3, BUY, 100, 5), (2, SELL, 101, 4)]


def six_levels(world):
    for level in range(6):
        world.sell(7100 + level, 10, account=2)


def taken(levels: int, total: int, order_id: int = 7, start: int = 7100, limit: int = 7110) -> list[str]:
    """The trades of a buy at `limit` that empties the first levels of `six_levels`."""
    found = []
    for level in range(levels):
        total -= 10
        left = f" remaining={total}" if total else ""
        surplus = f" aux={(limit - start - level) * 10}" if limit != start + level else ""
        found.append(
            f"TRADE side=1 aggressor=1 price={start + level} quantity=10 account=1 contra_account=2 "
            f"order_id={order_id} contra_order_id={level + 1}{left}{surplus}"
        )
    return found


def test_depth_of_exactly_five_levels_is_no_stop(market):
    """Rule book, L4: five levels may be taken; only a sixth within the limit stops the rest."""
    six_levels(market)
    assert market.buy(7110, 50)[1:] == taken(5, 50)
    assert market.book() == [(6, SELL, 7105, 10)]


def test_depth_rest_that_does_not_reach_the_sixth_level_rests(market):
    """Rule book, L5: stopped by its limit below the sixth level, the rest rests."""
    six_levels(market)
    assert market.buy(7104, 60)[1:] == taken(5, 60, limit=7104)
    assert market.book() == [(7, BUY, 7104, 10), (6, SELL, 7105, 10)]


def test_depth_system_cancel(market):
    """Rule book, L5: the rest beyond the fifth level is system-cancelled; a full taker gives no event for a rest."""
    six_levels(market)
    assert market.buy(7110, 55)[1:] == [
        *taken(5, 55),
        "CANCELLED DEPTH_LIMIT side=1 price=7110 quantity=5 account=1 order_id=7 aux=35550",
    ]


def test_depth_counts_for_sellers_too(market):
    """The counter side's best five levels, here bids from the top."""
    for level in range(6):
        market.buy(7100 - level, 10, account=2)
    events = market.sell(7090, 60)
    assert events[0] == "ACCEPTED side=2 price=7090 quantity=60 account=1 order_id=7 remaining=60 aux=60 aux2=257"
    assert [event.split()[3] for event in events[1:6]] == [f"price={7100 - level}" for level in range(5)]
    assert events[6:] == ["CANCELLED DEPTH_LIMIT side=2 price=7090 quantity=10 account=1 order_id=7 aux=10"]


def test_depth_ioc_expires_as_an_immediate_rest(market):
    """docs/engine.md section 3, The rest: IOC comes before the depth rule."""
    six_levels(market)
    assert market.buy(7110, 55, time_in_force=IOC)[1:] == [
        *taken(5, 55),
        "EXPIRED IOC_REMAINDER side=1 price=7110 quantity=5 account=1 order_id=7 aux=35550",
    ]


def test_depth_rest_at_last(make_open_world):
    """REST_AT_LAST: the rest takes the last price touched and the surplus lock is released."""
    world = make_open_world(seee(depth_remainder="REST_AT_LAST"))
    six_levels(world)
    assert world.buy(7110, 55)[1:] == [
        *taken(5, 55),
        "REPLACED side=1 price=7104 quantity=55 account=1 order_id=7 remaining=5 aux=-30",
    ]
    assert world.book() == [(7, BUY, 7104, 5), (6, SELL, 7105, 10)]


def test_depth_rest_at_last_of_a_seller_locks_the_same_units(make_open_world):
    """REST_AT_LAST on the sell side: units do not depend on the price."""
    world = make_open_world(seee(depth_remainder="REST_AT_LAST", sweep_levels=1))
    world.buy(7100, 10, account=2)
    world.buy(7099, 10, account=2)
    assert world.sell(7090, 15)[1:] == [
        "TRADE side=2 aggressor=2 price=7100 quantity=10 account=1 contra_account=2 order_id=3 contra_order_id=1 "
        "remaining=5",
        "REPLACED side=2 price=7100 quantity=15 account=1 order_id=3 remaining=5",
    ]


def test_depth_resweep(make_open_world):
    """RESWEEP: the cap does not count, for a FOK neither."""
    world = make_open_world(seee(depth_remainder="RESWEEP"))
    six_levels(world)
    assert world.buy(7110, 60, time_in_force=FOK)[1:] == taken(6, 60)


def test_depth_of_a_fok(market):
    """docs/engine.md section 3: the FOK walk stays inside sweep_levels."""
    six_levels(market)
    assert market.buy(7110, 51, time_in_force=FOK) == [
        "REJECTED FOK_NOT_FILLABLE side=1 price=7110 quantity=51 account=1 aux=1"
    ]
    assert market.buy(7110, 50, time_in_force=FOK)[1:] == taken(5, 50)


def test_depth_without_cap(make_open_world):
    """sweep_levels 0: no cap."""
    world = make_open_world(seee(sweep_levels=0))
    six_levels(world)
    assert world.buy(7110, 60)[1:] == taken(6, 60)


def test_depth_of_take_not_strict(make_open_world):
    """Rule book, L4 CLICK not strict: any of the five levels, also under RESWEEP; there is no sixth."""
    for policy in ("SYSTEM_CANCEL", "RESWEEP"):
        world = make_open_world(seee(click_strict=False, depth_remainder=policy))
        six_levels(world)
        assert world.take(BUY, 6, 7105, 5) == [
            "REJECTED BEYOND_DEPTH side=1 price=7105 quantity=5 account=1 aux=5 aux2=6"
        ]
        assert world.take(BUY, 5, 7104, 4) == [
            "ACCEPTED side=1 price=7104 quantity=4 account=1 order_id=7 remaining=4 aux=28416 aux2=1024",
            "TRADE side=1 aggressor=1 price=7104 quantity=4 account=1 contra_account=2 order_id=7 contra_order_id=5 "
            "contra_remaining=6",
        ]


def test_take_not_strict_without_cap(make_open_world):
    """Without a depth cap every listing may be taken."""
    world = make_open_world(seee(click_strict=False, sweep_levels=0))
    six_levels(world)
    assert world.take(BUY, 6, 7105, 10) == [
        "ACCEPTED side=1 price=7105 quantity=10 account=1 order_id=7 remaining=10 aux=71050 aux2=1024",
        "TRADE side=1 aggressor=1 price=7105 quantity=10 account=1 contra_account=2 order_id=7 contra_order_id=6",
    ]


def test_take_sells_to_a_listing(market):
    """A seller picks a bid: the buyer's lock pays, nothing is released."""
    market.buy(7100, 10, account=2)
    assert market.take(SELL, 1, 7100, 4) == [
        "ACCEPTED side=2 price=7100 quantity=4 account=1 order_id=2 remaining=4 aux=4 aux2=1024",
        "TRADE side=2 aggressor=2 price=7100 quantity=4 account=1 contra_account=2 order_id=2 contra_order_id=1 "
        "contra_remaining=6",
    ]


def test_cross_policy_reject(make_open_world):
    """cross_policy REJECT: whatever would trade on entry is refused, TAKE still trades."""
    world = make_open_world(seee(cross_policy="REJECT"))
    world.sell(7100, 10, account=2)
    assert world.buy(7100, 1) == ["REJECTED WOULD_CROSS side=1 price=7100 quantity=1 account=1 aux=1"]
    assert world.buy(7099, 1) == [
        "ACCEPTED side=1 price=7099 quantity=1 account=1 order_id=2 remaining=1 aux=7099 aux2=257"
    ]
    assert world.replace(2, 7100, 1) == ["REJECTED WOULD_CROSS price=7100 quantity=1 aux=3 aux2=2"]
    assert world.take(BUY, 1, 7100, 1)[0].startswith("ACCEPTED")


def test_statistics_of_the_day(book):
    """docs/engine.md section 3: open is the first trade, last the last; volume in lots, turnover in ticks x lots."""
    for price, quantity in ((100, 5), (103, 2), (98, 1)):
        book.sell(price, quantity)
        book.buy(price, quantity, account=2)
    row = book.row("instruments")
    names = ("open", "high", "low", "last", "volume", "turnover", "turnover_high", "trades")
    assert [row[name] for name in names] == [100, 103, 98, 98, 8, 500 + 206 + 98, 0, 3]


def test_turnover_carries_into_its_second_word(make_world):
    """docs/engine.md section 3: turnover is kept below 2^62 with a second word."""
    from decimal import Decimal

    price, lots = 2**31 - 1, 2**31 - 1
    venue = plain({"floor": Decimal("21474836.40"), "ceiling": Decimal("21474836.47"), "close": "VWAP"})
    world = make_world(venue)
    for _ in range(3):
        world.sell(price, lots - 1)
        world.buy(price, lots - 1, account=2)
    total = 3 * price * (lots - 1)
    row = world.row("instruments")
    assert (row["turnover_high"], row["turnover"]) == divmod(total, 2**62)
    assert row["turnover_high"] == 2
    world.stop()
    world.expire()
    assert world.fix_close()[0] == (
        f"CLOSE_FIXED phase=0 price={price} quantity={3 * (lots - 1)} order_id=3 contra_order_id=2 "
        f"remaining={price} contra_remaining={price} aux={total - 2 * 2**62} aux2={price}"
    )


def test_market_order(market):
    """A market buy is immediate at the upper limit, a market sell at the lower one; the window does not concern it."""
    market.sell(7100, 4, account=2)
    assert market.buy(0, 10, order_type=MARKET, time_in_force=IOC) == [
        "ACCEPTED side=1 price=7847 quantity=10 account=1 order_id=2 remaining=10 aux=78470 aux2=770",
        "TRADE side=1 aggressor=1 price=7100 quantity=4 account=1 contra_account=2 order_id=2 contra_order_id=1 "
        "remaining=6 aux=2988",
        "EXPIRED IOC_REMAINDER side=1 price=7847 quantity=6 account=1 order_id=2 aux=47082",
    ]
    assert market.sell(0, 1, order_type=MARKET, time_in_force=FOK) == [
        "REJECTED FOK_NOT_FILLABLE side=2 quantity=1 account=1 aux=1"
    ]
    assert market.sell(0, 1, order_type=MARKET, time_in_force=IOC) == [
        "ACCEPTED side=2 price=6421 quantity=1 account=1 order_id=3 remaining=1 aux=1 aux2=770",
        "EXPIRED IOC_REMAINDER side=2 price=6421 quantity=1 account=1 order_id=3 aux=1",
    ]


def test_market_order_with_a_collar(book):
    """Without a daily limit the price of a market order is its collar."""
    book.sell(100, 5)
    book.sell(102, 5)
    assert book.buy(101, 8, order_type=MARKET, time_in_force=IOC, account=2) == [
        "ACCEPTED side=1 price=101 quantity=8 account=2 order_id=3 remaining=8 aux2=770",
        "TRADE side=1 aggressor=1 price=100 quantity=5 account=2 contra_account=1 order_id=3 contra_order_id=1 "
        "remaining=3",
        "EXPIRED IOC_REMAINDER side=1 price=101 quantity=3 account=2 order_id=3",
    ]


def test_good_till_cancelled_rests(book):
    """GTC rests like DAY."""
    assert book.buy(100, 5, time_in_force=GTC) == [
        "ACCEPTED side=1 price=100 quantity=5 account=1 order_id=1 remaining=5 aux2=513"
    ]
    assert book.book() == [(1, BUY, 100, 5)]
