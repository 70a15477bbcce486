"""Volatility interruptions (docs/call-auctions.md 12.3; Regulation (EU) 2017/584 art. 19)."""

from __future__ import annotations

import pytest

from engine.venue import Venue
from tests.engine.builders import BUY, CONTINUOUS, FOK, IOC, MARKET
from tests.engine.further_floor import (
    OPEN_CALL,
    STOP,
    TODAY,
    VOLATILITY_CALL,
    further,
    iceberg,
    live,
    open_further,
    quote,
    stop,
)

pytestmark = pytest.mark.nojit
INTERRUPTED = "PHASE_CHANGED phase=6 side=1 aux=20250811 aux2=3"


@pytest.fixture
def floor(make_world):
    """1 % around the last price: before the first trade around 10000, [9900, 10100]."""
    return open_further(make_world, further({"corridor_dynamic_bps": 100}))


def kinds(lines):
    return [line.split()[0] for line in lines]


def test_the_edges_lie_inside(floor):
    """1 % above 10000 is 10100, which trades; 1 % above 10100 is 10201, so 10202 does not."""
    floor.sell(10100, 1, account=2)
    floor.buy(9900, 1, account=2)
    assert kinds(floor.buy(10100, 1)) == ["ACCEPTED", "TRADE"]
    floor.sell(10202, 1, account=2)
    assert kinds(floor.buy(10202, 1)) == ["ACCEPTED", "PHASE_CHANGED"]


def test_half_a_tick_rounds_up(make_world):
    """5 bps of 10010: 10015.005 and 10004.995, so 10015 and 10005."""
    floor = open_further(make_world, further({"corridor_dynamic_bps": 5}))
    for price in (10005, 10010):
        floor.sell(price, 1, account=2)
        floor.buy(price, 1)
    floor.sell(10015, 1, account=2)
    floor.buy(10004, 1, account=3)
    assert kinds(floor.buy(10015, 1)) == ["ACCEPTED", "TRADE"]
    floor.sell(10010, 1, account=2)
    floor.buy(10010, 1)
    assert kinds(floor.sell(10004, 1)) == ["ACCEPTED", "PHASE_CHANGED"]


def test_a_taker_stops_before_the_first_trade_outside(floor):
    """Its trades so far, the new phase, and its rest stands at its limit for the call."""
    floor.sell(10050, 5, account=2)
    floor.sell(10101, 5, account=2)
    assert floor.buy(10200, 12) == [
        "ACCEPTED side=1 price=10200 quantity=12 account=1 order_id=3 remaining=12 aux=122400 aux2=257",
        "TRADE side=1 aggressor=1 price=10050 quantity=5 account=1 contra_account=2 order_id=3 contra_order_id=1 "
        "remaining=7 aux=750",
        INTERRUPTED,
    ]
    assert live(floor, "price", "remaining") == [(3, 10200, 7), (2, 10101, 5)]
    assert floor.engine.indicative(1) == (10200, 5, 2)


def test_the_reference_is_the_last_price_before_the_command(floor):
    """A taker moves step by step, but no further than 1 % from where it began."""
    for price in (10050, 10100, 10150):
        floor.sell(price, 1, account=2)
    assert kinds(floor.buy(10150, 3)) == ["ACCEPTED", "TRADE", "TRADE", "PHASE_CHANGED"]


def test_the_last_price_of_an_earlier_day_counts(floor):
    """1 % around yesterday's 10100 is [9999, 10201]; around the previous close of 9900 it would be [9801, 9999]."""
    floor.sell(10100, 1, account=2)
    floor.buy(10100, 1)
    floor.end_of_day()
    floor.reference(9900)
    floor.open_day(TODAY + 1)
    floor.sell(10201, 1, account=2)
    assert kinds(floor.buy(10201, 1)) == ["ACCEPTED", "TRADE"]


@pytest.mark.parametrize("fields", [{"time_in_force": IOC}, {"order_type": MARKET, "time_in_force": IOC}])
def test_the_rest_of_an_immediate_order_expires(floor, fields):
    floor.sell(10101, 5, account=2)
    assert floor.buy(10200, 2, **fields)[1:] == [
        INTERRUPTED,
        "EXPIRED IOC_REMAINDER phase=6 side=1 price=10200 quantity=2 account=1 order_id=2 aux=20400",
    ]


def test_the_walk_ends_at_the_corridor(floor):
    """10100 is the last price inside: five lots are there, a sixth lies outside."""
    floor.sell(10100, 5, account=2)
    floor.sell(10101, 5, account=2)
    assert floor.buy(10200, 6, time_in_force=FOK)[0].startswith("REJECTED FOK_NOT_FILLABLE")
    assert floor.buy(10200, 9, target=6)[0].startswith("REJECTED MIN_QUANTITY_NOT_MET")
    assert kinds(floor.buy(10200, 5, time_in_force=FOK)) == ["ACCEPTED", "TRADE"]


def test_a_take_outside_is_refused(floor):
    """It interrupts nothing."""
    floor.sell(10101, 5, account=2)
    assert floor.take(BUY, 1, 10101, 1)[0].startswith("REJECTED PRICE_OUT_OF_WINDOW")
    assert floor.row("instruments")["listed_phase"] == CONTINUOUS


def test_prevention_comes_first(make_world):
    """A prevented pair trades nothing and interrupts nothing."""
    floor = open_further(make_world, further({"corridor_dynamic_bps": 100}, self_trade="CANCEL_MAKER"))
    for _ in range(2):
        floor.account(group=7, cash=10**12, units=10**6)
    floor.sell(10101, 5, account=5)
    assert kinds(floor.buy(10200, 5, account=6)) == ["ACCEPTED", "CANCELLED"]


def test_the_static_corridor(make_world):
    """Around the previous close until a call auction has traded, then around its price."""
    floor = open_further(make_world, further({"corridor_static_bps": 100}))
    floor.sell(10101, 5, account=2)
    assert kinds(floor.buy(10101, 5)) == ["ACCEPTED", "PHASE_CHANGED"]
    assert kinds(floor.phase(CONTINUOUS, TODAY, instrument=1)) == ["CALL_UNCROSSED", "TRADE", "PHASE_CHANGED"]
    assert floor.row("instruments")["call_price"] == 10101
    floor.sell(10202, 5, account=2)
    assert kinds(floor.buy(10202, 5)) == ["ACCEPTED", "TRADE"]
    floor.sell(10203, 5, account=2)
    assert kinds(floor.buy(10203, 5)) == ["ACCEPTED", "PHASE_CHANGED"]


def test_without_a_reference_there_is_no_corridor(make_world):
    floor = open_further(
        make_world, further({"corridor_dynamic_bps": 1, "corridor_static_bps": 1, "previous_close": None})
    )
    floor.sell(15000, 5, account=2)
    assert kinds(floor.buy(15000, 1)) == ["ACCEPTED", "TRADE"]


def test_stops_triggered_later_wait(floor):
    """The first triggered stop interrupts; the second is met too and waits for the end of the call."""
    floor.sell(10000, 1, account=4)
    floor.buy(10000, 1, account=4)
    stop(floor, BUY, 10050, 10300, 5, account=1)
    stop(floor, BUY, 10050, 10300, 5, account=3)
    floor.sell(10050, 1, account=2)
    floor.sell(10110, 3, account=2)
    assert kinds(floor.buy(10050, 1, account=2)) == ["ACCEPTED", "TRADE", "TRIGGERED", "PHASE_CHANGED"]
    assert live(floor, "waiting") == [(3, 0), (6, 0), (4, 1)]
    assert kinds(floor.phase(CONTINUOUS, TODAY, instrument=1)) == [
        *("CALL_UNCROSSED", "TRADE", "PHASE_CHANGED", "TRIGGERED")
    ]


def test_a_triggered_stop_is_immediate(floor):
    floor.sell(10000, 1, account=4)
    floor.buy(10000, 1, account=4)
    floor.sell(10110, 3, account=2)
    told = stop(floor, BUY, 10000, 10300, 5, order_type=STOP)
    assert kinds(told) == ["ACCEPTED", "TRIGGERED", "PHASE_CHANGED", "EXPIRED"]
    assert told[-1].startswith("EXPIRED IOC_REMAINDER phase=6 side=1 price=10300 quantity=5")


def test_stops_after_an_uncrossing_look_at_its_price(floor):
    """10300 lies 3 % from the old last price; after the call the corridor lies around 10300."""
    floor.sell(10000, 1, account=4)
    floor.buy(10000, 1, account=4)
    stop(floor, BUY, 10200, 10400, 5, account=1)
    floor.phase(OPEN_CALL, TODAY, instrument=1)
    floor.sell(10300, 8, account=2)
    floor.buy(10300, 4, account=3)
    assert kinds(floor.phase(CONTINUOUS, TODAY, instrument=1)) == [
        *("CALL_UNCROSSED", "TRADE", "PHASE_CHANGED", "TRIGGERED", "TRADE")
    ]


def test_replace_quote_and_iceberg(floor):
    floor.sell(10110, 3, account=2)
    floor.buy(9900, 5)
    assert kinds(floor.replace(2, 10110, 5)) == ["REPLACED", "PHASE_CHANGED"]
    floor.phase(CONTINUOUS, TODAY, instrument=1)
    assert floor.row("instruments")["last"] == 10110
    floor.mass_cancel()
    floor.sell(10300, 3, account=2)
    assert kinds(iceberg(floor, BUY, 10300, 9, 2)) == ["ACCEPTED", "PHASE_CHANGED"]
    assert live(floor, "visible")[0][1] == 2


def test_a_quote_whose_bid_interrupts(floor):
    """The offer rests beside its bid, for the call; above that bid it could meet no other."""
    floor.sell(10110, 3, account=2)
    floor.buy(10050, 3, account=3)
    told = quote(floor, (10120, 5), (10130, 5))
    assert kinds(told) == ["ACCEPTED", "PHASE_CHANGED", "ACCEPTED"]
    assert live(floor, "remaining", "quote") == [(3, 5, 1), (2, 3, 0), (1, 3, 0), (4, 5, 1)]
    assert floor.row("instruments")["listed_phase"] == VOLATILITY_CALL


def test_the_venue_file_of_eex_spot(make_world):
    """Corridors and quotes of the preset work together: 3 % around the previous close 70.00."""
    world = make_world(Venue.preset("eex-spot"))
    world.accounts(2, cash=10**15, units=10**9)
    world.phase(OPEN_CALL, TODAY)
    world.phase(CONTINUOUS, TODAY)
    quote(world, (6990, 10), (7211, 10), account=2)
    assert kinds(world.buy(7211, 1)) == ["ACCEPTED", "PHASE_CHANGED"]
