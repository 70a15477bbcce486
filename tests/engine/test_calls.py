"""Orders during a call, the no-cancel period, PRE_OPEN (docs/call-auctions.md 12.1)."""

from __future__ import annotations

import msgspec
import pytest

from engine.schema import CommandKind as K
from engine.venue import Capacity, Venue
from tests.engine.builders import BLOCK, BUY, CLOSED, CONTINUOUS, FOK, GTC, IOC, MARKET, PRE_OPEN, seee
from tests.engine.further_floor import (
    CLOSE_CALL,
    GTD,
    HIDDEN,
    ICEBERG,
    OPEN_CALL,
    POST_ONLY,
    STOP_LIMIT,
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
AS_IN_A_CALL = (OPEN_CALL, CLOSE_CALL, VOLATILITY_CALL, PRE_OPEN)


@pytest.fixture(params=AS_IN_A_CALL)
def floor(make_world, request):
    floor = open_further(make_world)
    floor.phase(request.param, TODAY, instrument=1)
    return floor


@pytest.fixture
def call(make_world):
    floor = open_further(make_world)
    floor.phase(OPEN_CALL, TODAY, instrument=1)
    return floor


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"time_in_force": GTC},
        {"time_in_force": IOC},
        {"time_in_force": GTD, "expiry": TODAY},
        {"order_type": ICEBERG, "quantity2": 1},
        {"order_type": MARKET},
        {"order_type": MARKET, "time_in_force": IOC},
    ],
)
def test_orders_rest_unmatched(floor, fields):
    """Bids stand above offers."""
    floor.sell(9900, 5, account=2)
    assert len(floor.buy(10000, 5, **fields)) == 1
    assert live(floor, "remaining") == [(2, 5), (1, 5)]


@pytest.mark.parametrize(
    "fields",
    [
        {"time_in_force": FOK},
        {"order_type": MARKET, "time_in_force": FOK},
        {"flags": POST_ONLY},
        {"flags": HIDDEN},
        {"target": 1},
        {"order_type": STOP_LIMIT, "price2": 10000},
    ],
)
def test_other_orders_are_refused(floor, fields):
    floor.sell(9900, 5, account=2)
    assert floor.buy(10000, 5, **fields)[0].startswith("REJECTED WRONG_PHASE")


def test_takes_and_quotes_are_refused(floor):
    floor.sell(9900, 5, account=2)
    assert floor.take(BUY, 1, 9900, 1)[0].startswith("REJECTED WRONG_PHASE")
    assert quote(floor, (9800, 1), (0, 0))[0].startswith("REJECTED WRONG_PHASE")


@pytest.mark.parametrize("tif", [1, GTC, GTD])
def test_market_orders_of_the_day_only_in_a_call(make_world, tif):
    floor = open_further(make_world)
    fields = {"order_type": MARKET, "time_in_force": tif, "expiry": TODAY * (tif == GTD)}
    assert floor.buy(10000, 5, **fields)[0].startswith("REJECTED INVALID_COMBINATION")
    floor.phase(OPEN_CALL, TODAY, instrument=1)
    allowed = "ACCEPTED" if tif == 1 else "REJECTED INVALID_COMBINATION"
    assert floor.buy(10000, 5, **fields)[0].startswith(allowed)
    assert floor.buy(10000, 5, instrument=2, **fields)[0].startswith("REJECTED INVALID_COMBINATION")


def test_a_market_order_takes_the_limit_as_its_price(make_open_world):
    world = make_open_world(seee({"call_auction": True}))
    world.phase(OPEN_CALL, TODAY)
    assert " price=7847 " in world.order(BUY, 0, 5, order_type=MARKET)[0]


def test_crossing_orders_are_not_refused(make_world):
    floor = open_further(make_world, further(cross_policy="REJECT"))
    floor.phase(OPEN_CALL, TODAY, instrument=1)
    floor.sell(9900, 5, account=2)
    assert floor.buy(10000, 5)[0].startswith("ACCEPTED")


def test_every_order_needs_a_place(make_world):
    """An IOC order rests too."""
    floor = open_further(make_world, further(capacity=Capacity(orders=1, accounts=9)))
    assert floor.buy(9000, 1, time_in_force=IOC)[0].startswith("ACCEPTED")
    floor.phase(OPEN_CALL, TODAY, instrument=1)
    floor.buy(9000, 1, time_in_force=IOC)
    assert floor.buy(9000, 1, time_in_force=IOC)[0].startswith("REJECTED ORDER_TABLE_FULL")


def test_replacing_without_matching(floor):
    floor.sell(9900, 5, account=2)
    floor.buy(9800, 5)
    floor.buy(10000, 5)
    assert len(floor.replace(2, 10000, 5)) == 1
    assert [order for (order,) in live(floor)] == [3, 2, 1]
    assert floor.replace(3, 10000, 4)[0].endswith("aux2=1")
    assert [order for (order,) in live(floor)] == [3, 2, 1]


def test_a_post_only_order_may_cross_in_a_call(make_world):
    floor = open_further(make_world)
    floor.buy(9800, 5, flags=POST_ONLY)
    floor.phase(OPEN_CALL, TODAY, instrument=1)
    floor.sell(9900, 5, account=2)
    assert floor.replace(1, 10000, 5)[0].startswith("REPLACED")


def test_an_iceberg_shows_its_part_anew(call):
    iceberg(call, BUY, 10000, 20, 5)
    call.replace(1, 10000, 30)
    assert live(call, "remaining", "visible") == [(1, 30, 5)]


def test_cancels_work_until_the_call_is_frozen(call):
    """In the no-cancel period nobody takes back or changes an order; new ones still come."""
    for _ in range(3):
        call.buy(9900, 5)
    stop_order = call.order(BUY, 9900, 5, instrument=2, order_type=STOP_LIMIT, price2=12000)
    assert stop_order[0].startswith("ACCEPTED")
    assert call.cancel(1)[0].startswith("CANCELLED")
    assert call.phase(OPEN_CALL, TODAY, instrument=1, quantity2=1) == [
        "PHASE_CHANGED phase=2 side=1 quantity=1 aux=20250811 aux2=2"
    ]
    assert call.cancel(2)[0].startswith("REJECTED WRONG_PHASE")
    assert call.replace(2, 9900, 4)[0].startswith("REJECTED WRONG_PHASE")
    assert call.mass_cancel()[-1] == "MASS_CANCELLED quantity=1"
    assert call.buy(9900, 5)[0].startswith("ACCEPTED")
    assert [order for (order,) in live(call)] == [2, 3, 5]


def test_waiting_stops_stand_firm_too(make_world):
    """The no-cancel period holds for the stop book too."""
    floor = open_further(make_world)
    stop(floor, BUY, 12000, 10000, 1)
    floor.phase(OPEN_CALL, TODAY, instrument=1, quantity2=1)
    assert floor.cancel(1)[0].startswith("REJECTED WRONG_PHASE")
    assert floor.mass_cancel() == ["MASS_CANCELLED"]


def test_what_works_in_a_frozen_call(call):
    """Kill switch, lost sessions, the operator's and a court's cancels."""
    call.session(1)
    call.send(K.SESSION_UP, target=1, scope=2)
    call.buy(9900, 5, session=1)
    call.buy(9900, 5, account=2)
    call.buy(9900, 5, account=3)
    call.account(units=5)
    call.sell(10000, 5, account=5)
    call.phase(OPEN_CALL, TODAY, instrument=1, quantity2=1)
    assert call.send(K.SESSION_DOWN, target=1)[0].startswith("CANCELLED DISCONNECTED")
    assert call.send(K.SET_ORDER_STATUS, target=2)[0].startswith("CANCELLED OPERATOR")
    assert call.send(K.KILL_SWITCH, scope=2, account=3)[0].startswith("CANCELLED KILLED")
    assert call.send(K.PLACE_HOLD, side=2, account=5, scope=1, quantity=5)[0].startswith("CANCELLED JUDICIAL_HOLD")


@pytest.mark.parametrize(("phase", "frozen"), [(OPEN_CALL, 0), (CLOSE_CALL, 0), (CONTINUOUS, 0), (PRE_OPEN, 0)])
def test_a_new_phase_ends_the_freeze(call, phase, frozen):
    call.buy(9900, 5)
    call.phase(OPEN_CALL, TODAY, instrument=1, quantity2=1)
    assert call.row("instruments", call_frozen=1)
    call.phase(phase, TODAY, instrument=1, quantity2=frozen)
    assert not call.row("instruments", call_frozen=1)
    assert call.cancel(1)[0].startswith("CANCELLED")


def test_a_call_needs_the_venues_leave(make_world):
    """A named instrument without calls, another mode, one of all instruments without."""
    venue = further()
    mixed = venue.changed(
        instruments=(venue.instruments[0], msgspec.structs.replace(venue.instruments[1], call_auction=False))
    )
    floor = open_further(make_world, mixed)
    for fields in ({"instrument": 2}, {"mode": BLOCK, "instrument": 1}, {}):
        assert floor.phase(OPEN_CALL, TODAY, **fields)[0].startswith("REJECTED INVALID_PHASE")
    assert floor.phase(OPEN_CALL, TODAY, instrument=1)[0].startswith("PHASE_CHANGED")
    for phase, frozen in ((CONTINUOUS, 1), (CLOSED, 1), (OPEN_CALL, 2), (OPEN_CALL, -1)):
        told = floor.phase(phase, TODAY, instrument=1, quantity2=frozen)
        assert told[0].startswith("REJECTED UNUSED_FIELD_SET")


def test_pre_open_without_calls_takes_nothing(make_world):
    floor = open_further(make_world, further({"call_auction": False}))
    floor.phase(PRE_OPEN, TODAY, instrument=1)
    assert floor.buy(9900, 5)[0].startswith("REJECTED WRONG_PHASE")
    assert floor.sell(9900, 5, account=2, order_type=MARKET)[0].startswith("REJECTED INVALID_COMBINATION")


def test_krx_has_its_last_minute(make_world):
    """The venue file: calendar phases with the no-cancel moment."""
    moments = [(t.phase, t.no_cancel) for t in Venue.preset("krx").calendar.transitions]
    assert moments[:3] == [("OPEN_CALL", False), ("OPEN_CALL", True), ("CONTINUOUS", False)]
