"""The end of a call: price, trades, what was for the call only (docs/call-auctions.md 12.2, 12.4; rule book 7, 9.E)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.look import Indicative
from engine.venue import Venue
from tests.engine.builders import BREAK, BUY, CONTINUOUS, GTC, HALT, IOC, MARKET, PRE_OPEN, SELL
from tests.engine.further_floor import (
    CLOSE_CALL,
    OPEN_CALL,
    TODAY,
    further,
    hidden,
    iceberg,
    live,
    open_further,
    stop,
)

pytestmark = pytest.mark.nojit


def called(make_world, instrument=None, **changes):
    """Instrument 1 is in an opening call."""
    floor = open_further(make_world, further(instrument, **changes))
    floor.phase(OPEN_CALL, TODAY, instrument=1)
    return floor


def put(floor, bids, offers):
    """Bids of account 1, offers of account 2, as (price, lots)."""
    for price, lots in bids:
        floor.buy(price, lots, account=1)
    for price, lots in offers:
        floor.sell(price, lots, account=2)


def end(floor, phase=CONTINUOUS):
    return floor.phase(phase, TODAY, instrument=1)


# The official example

KRX_SELLS = [(781, 150), (782, 200), (783, 150), (783, 200), (783, 50), (784, 300), (785, 750), (786, 450)]
KRX_BUYS = [(785, 100), (784, 150), (783, 200), (783, 150), (782, 400), (781, 500), (780, 650)]


def test_example_e_krx_official(make_world):
    """600 t at 7,830: the second seller there sells 100 of 200, the third nothing (ticks of KRW 10)."""
    world = make_world(Venue.preset("krx"))
    world.accounts(2)
    world.phase(OPEN_CALL, TODAY)
    for price, lots in KRX_SELLS:
        assert len(world.sell(price, lots, account=2)) == 1
    for price, lots in KRX_BUYS:
        assert len(world.buy(price, lots, account=1)) == 1
    assert world.engine.indicative(1) == Indicative(783, 600, -150)
    told = world.phase(CONTINUOUS, TODAY)
    assert told[0] == "CALL_UNCROSSED phase=2 price=783 quantity=600 remaining=600 contra_remaining=750 aux=783"
    fills = [(9, 1, 100), (10, 1, 50), (10, 2, 100), (11, 2, 100), (11, 3, 100), (12, 3, 50), (12, 4, 100)]
    assert [
        tuple(int(line.split(f"{name}=")[1].split()[0]) for name in (" order_id", "contra_order_id", "quantity"))
        for line in told[1:-1]
    ] == fills
    assert told[-1] == "PHASE_CHANGED side=1 aux=20250811 aux2=2"
    rest = {order: lots for order, _, _, lots in world.book()}
    assert (rest[4], rest[5]) == (100, 50)
    assert {1, 2, 3, 9, 10, 11, 12}.isdisjoint(rest)
    row = world.row("instruments")
    assert (row["last"], row["open"], row["high"], row["low"]) == (783, 783, 783, 783)
    assert (row["volume"], row["turnover"], row["trades"], row["call_price"]) == (600, 469_800, 7, 783)


# Prices


@pytest.mark.parametrize(
    ("bids", "offers", "expected"),
    [
        # one price only
        ([(10000, 5)], [(10000, 9)], (10000, 5, -4)),
        # volume decides: 8 at 9995, 5 elsewhere
        ([(10010, 5), (9995, 3)], [(9990, 8)], (9995, 8, 0)),
        # equal volume: the smallest surplus, at the only such price where an order rests
        ([(10010, 10)], [(9990, 10), (10005, 4)], (9990, 10, 0)),
        # unequal surpluses on the offer side: the smaller one
        ([(10010, 5)], [(9990, 9), (10010, 1)], (9990, 5, -4)),
        # a surplus on the bid side everywhere: the highest
        ([(10010, 12)], [(9990, 10)], (10010, 10, 2)),
        # on the offer side everywhere: the lowest
        ([(10010, 10)], [(9990, 12)], (9990, 10, -2)),
        # none: the reference, the previous close 10000, clamped
        ([(10010, 10)], [(9990, 10)], (10000, 10, 0)),
        ([(10030, 10)], [(10010, 10)], (10010, 10, 0)),
        ([(9980, 10)], [(9960, 10)], (9980, 10, 0)),
    ],
)
def test_t7_price(make_world, bids, offers, expected):
    """Largest volume, smallest surplus, the side of the surplus, the reference: T7's order of criteria."""
    floor = called(make_world)
    put(floor, bids, offers)
    assert floor.engine.indicative(1) == expected
    assert end(floor)[0].split()[2:4] == [f"price={expected[0]}", f"quantity={expected[1]}"]


@pytest.mark.parametrize(
    ("bids", "offers", "price"),
    [
        ([(10010, 12)], [(9990, 10)], 10000),
        ([(10010, 10)], [(9990, 12)], 10000),
        ([(10010, 10)], [(9990, 10), (10005, 4)], 10000),
        ([(10010, 10)], [(10005, 12)], 10005),
        ([(9990, 12)], [(9980, 10)], 9990),
        ([(10010, 5), (9995, 3)], [(9990, 8)], 9995),
    ],
)
def test_krx_price(make_world, bids, offers, price):
    """Of the prices with the largest volume the one nearest to the reference, whatever the surplus."""
    floor = called(make_world, {"call_rule": "KRX"})
    put(floor, bids, offers)
    assert floor.engine.indicative(1).price == price


def test_surpluses_on_both_sides(make_world):
    """+4 at 9990 (with 14 bid), -4 at 10010: the reference decides between them."""
    floor = called(make_world)
    put(floor, [(10010, 10), (9990, 4)], [(9990, 10), (10010, 4)])
    assert floor.engine.indicative(1) == (10000, 10, 0)


def test_the_last_price_of_today_is_the_reference(make_world):
    floor = open_further(make_world)
    floor.sell(10004, 1)
    floor.buy(10004, 1)
    floor.phase(CLOSE_CALL, TODAY, instrument=1)
    put(floor, [(10010, 10)], [(9990, 10)])
    assert end(floor, CONTINUOUS)[0].endswith("price=10004 quantity=10 remaining=10 contra_remaining=10 aux=10004")


def test_without_any_price_the_middle(make_world):
    """half_up(9995 + 10010, 2) = 10003; on a step of 5 that is 10000."""
    floor = called(make_world, {"previous_close": None, "price_step": 5})
    put(floor, [(10010, 10)], [(9995, 10)])
    assert floor.engine.indicative(1).price == 10000
    other = called(make_world, {"previous_close": None})
    put(other, [(10010, 10)], [(9995, 10)])
    assert other.engine.indicative(1).price == 10003


def test_a_reference_off_the_step_is_rounded_down(make_world):
    """10004 on a step of 5 is 10000."""
    floor = called(make_world, {"previous_close": Decimal("100.04"), "price_step": 5})
    put(floor, [(10010, 10)], [(9990, 10)])
    assert end(floor)[0].endswith("price=10000 quantity=10 remaining=10 contra_remaining=10 aux=10000")


def test_a_price_between_two_orders(make_world):
    """Nobody stands at 10000 itself."""
    floor = called(make_world)
    put(floor, [(10010, 10)], [(9990, 10)])
    told = end(floor)
    assert told[1].startswith("TRADE phase=2 price=10000 quantity=10")
    assert floor.cash(1)[0] == 10**15 - 100_000


# Trades


def test_head_to_head(make_world):
    """Price, then time on both sides; the buyer's surplus is released, fees follow each trade."""
    floor = called(make_world, {"fee_ppm": 1000})
    floor.buy(10020, 5, account=3)
    floor.buy(10030, 8, account=1)
    floor.sell(9990, 10, account=2)
    floor.sell(9980, 7, account=4)
    assert end(floor) == [
        "CALL_UNCROSSED phase=2 price=9990 quantity=13 remaining=13 contra_remaining=17 aux=10000",
        "TRADE phase=2 price=9990 quantity=7 account=1 contra_account=4 order_id=2 contra_order_id=4 remaining=1 "
        "aux=280",
        "FEE phase=2 price=9990 quantity=7 account=1 contra_account=4 order_id=2 contra_order_id=4 aux=70 aux2=70",
        "TRADE phase=2 price=9990 quantity=1 account=1 contra_account=2 order_id=2 contra_order_id=3 "
        "contra_remaining=9 aux=40",
        "FEE phase=2 price=9990 quantity=1 account=1 contra_account=2 order_id=2 contra_order_id=3 aux=10 aux2=10",
        "TRADE phase=2 price=9990 quantity=5 account=3 contra_account=2 order_id=1 contra_order_id=3 "
        "contra_remaining=4 aux=150",
        "FEE phase=2 price=9990 quantity=5 account=3 contra_account=2 order_id=1 contra_order_id=3 aux=50 aux2=50",
        "PHASE_CHANGED side=1 aux=20250811 aux2=2",
    ]
    assert live(floor, "remaining") == [(3, 4)]
    assert (floor.cash(1)[1], floor.cash(3)[1]) == (0, 0)


def test_icebergs_take_part_with_all_they_have(make_world):
    """In their place, without an event; what is visible goes first, then part after part."""
    floor = called(make_world)
    iceberg(floor, SELL, 10000, 50, 10, account=2)
    floor.sell(10000, 5, account=4)
    floor.buy(10000, 32)
    assert [line.split()[0] for line in end(floor)] == ["CALL_UNCROSSED", "TRADE", "PHASE_CHANGED"]
    assert live(floor, "remaining", "visible") == [(1, 18, 8), (2, 5, 0)]


def test_the_last_part_of_an_iceberg(make_world):
    floor = called(make_world)
    iceberg(floor, SELL, 10000, 25, 10, account=2)
    floor.buy(10000, 20)
    end(floor)
    assert live(floor, "remaining", "visible") == [(1, 5, 5)]


def test_hidden_orders_stand_behind(make_world):
    """They came before the call."""
    floor = open_further(make_world)
    hidden(floor, SELL, 10000, 10, account=2)
    floor.phase(CLOSE_CALL, TODAY, instrument=1)
    floor.sell(10000, 10, account=4)
    floor.buy(10000, 15)
    assert floor.engine.indicative(1) == (10000, 15, -5)
    end(floor)
    assert live(floor, "remaining") == [(1, 5)]


def test_own_orders_trade(make_world):
    floor = called(make_world, self_trade="CANCEL_TAKER")
    floor.buy(10000, 5)
    floor.sell(10000, 5)
    assert end(floor)[1].startswith("TRADE phase=2 price=10000 quantity=5 account=1 contra_account=1")


# What a call is followed by


def test_for_this_call_only(make_world):
    """IOC and market orders end, in the order of a mass cancel; a market order of the day too."""
    floor = called(make_world)
    floor.sell(10010, 3, account=2, order_type=MARKET)
    floor.buy(9990, 4, time_in_force=IOC)
    floor.buy(9980, 5, time_in_force=GTC)
    floor.buy(9995, 6, order_type=MARKET, time_in_force=IOC)
    assert end(floor) == [
        "EXPIRED CALL_REMAINDER phase=2 side=1 price=9995 quantity=6 account=1 order_id=4 aux=59970",
        "EXPIRED CALL_REMAINDER phase=2 side=1 price=9990 quantity=4 account=1 order_id=2 aux=39960",
        "EXPIRED CALL_REMAINDER phase=2 side=2 price=10010 quantity=3 account=2 order_id=1 aux=3",
        "PHASE_CHANGED side=1 aux=20250811 aux2=2",
    ]
    assert live(floor) == [(3,)]


@pytest.mark.parametrize("phase", [CLOSE_CALL, PRE_OPEN, HALT, OPEN_CALL])
def test_a_crossed_book_stays(make_world, phase):
    floor = called(make_world)
    put(floor, [(10010, 10)], [(9990, 10)])
    floor.buy(9000, 1, time_in_force=IOC)
    assert len(end(floor, phase)) == 1
    assert len(live(floor)) == 3
    assert floor.engine.indicative(1).volume == 10


def test_a_halt_that_ends_uncrosses(make_world):
    floor = called(make_world)
    put(floor, [(10010, 10)], [(9990, 10)])
    end(floor, HALT)
    assert [line.split()[0] for line in end(floor)] == ["CALL_UNCROSSED", "TRADE", "PHASE_CHANGED"]


@pytest.mark.parametrize("phase", [BREAK, 0])
def test_other_phases_end_a_call(make_world, phase):
    floor = called(make_world)
    put(floor, [(10010, 10)], [(9990, 10)])
    assert [line.split()[0] for line in end(floor, phase)] == ["CALL_UNCROSSED", "TRADE", "PHASE_CHANGED"]


def test_the_end_of_the_day_ends_a_call(make_world):
    floor = called(make_world)
    put(floor, [(10010, 10)], [(9990, 10)])
    assert [line.split()[0] for line in floor.stop()] == [
        *("CALL_UNCROSSED", "TRADE", "PHASE_CHANGED"),
        *("PHASE_CHANGED", "TRADING_STOPPED"),
    ]
    floor.expire()
    assert floor.fix_close()[0].startswith("CLOSE_FIXED phase=0 price=10000 quantity=10")
    floor.settle()
    assert floor.row("instruments")["call_price"] == 0


def test_stops_follow_the_change_of_phase(make_world):
    """Instrument by instrument."""
    floor = open_further(make_world)
    floor.phase(OPEN_CALL, TODAY)
    floor.phase(CONTINUOUS, TODAY)
    stop(floor, BUY, 10005, 10100, 5, account=3)
    floor.phase(OPEN_CALL, TODAY)
    put(floor, [(10010, 10)], [(10010, 12)])
    floor.order(BUY, 10000, 1, instrument=2, time_in_force=IOC)
    assert [line.split()[0] for line in floor.phase(CONTINUOUS, TODAY)] == [
        *("CALL_UNCROSSED", "TRADE", "PHASE_CHANGED", "TRIGGERED", "TRADE"),
        *("EXPIRED", "PHASE_CHANGED"),
    ]


def test_state_goes_round(make_world):
    floor = called(make_world)
    put(floor, [(10010, 10), (10020, 3)], [(9990, 10)])
    iceberg(floor, SELL, 9995, 30, 4, account=4)
    floor.phase(OPEN_CALL, TODAY, instrument=1, quantity2=1)
    twin = floor.restored()
    assert twin.engine.canonical_state() == floor.engine.canonical_state()
    assert twin.engine.indicative(1) == floor.engine.indicative(1)
    assert end(twin) == end(floor)
    assert twin.restored().engine.canonical_state() == floor.engine.canonical_state()
