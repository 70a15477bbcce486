"""Stop orders: waiting, triggering, cascades (docs/order-types.md 11.5)."""

from __future__ import annotations

import pytest

from engine.schema import CommandKind as K
from engine.schema import EventKind, LimitKind, OrderType, Reason, SelfTrade, TimeInForce, commands
from tests.engine.builders import BREAK, BUY, GTC, SELL, seee
from tests.engine.further_floor import (
    ICEBERG,
    OPEN_CALL,
    STOP,
    STOP_LIMIT_ICEBERG,
    TODAY,
    further,
    live,
    open_further,
    stop,
)

pytestmark = pytest.mark.nojit


@pytest.fixture
def floor(make_world):
    """The last price is 10000; account 4 has an offer at 10100 and a bid at 9900, 100 lots each."""
    floor = open_further(make_world)
    floor.sell(10000, 1, account=4)
    floor.buy(10000, 1, account=3)
    floor.sell(10100, 100, account=4)
    floor.buy(9900, 100, account=4)
    return floor


def kinds(lines):
    return [line.split()[0] for line in lines]


def print_at(floor, price):
    """One lot trades at `price`, which must lie between the best prices."""
    floor.sell(price, 1, account=4)
    return floor.buy(price, 1, account=3)


def test_it_waits_funded_and_unseen(floor):
    assert stop(floor, BUY, 10050, 10200, 10) == [
        "ACCEPTED side=1 price=10200 quantity=10 account=1 order_id=5 remaining=10 aux=102000 aux2=260"
    ]
    assert floor.cash(1)[1] == 102_000
    assert live(floor, "waiting", "stop_price", "price")[-1] == (5, 1, 10050, 10200)
    assert [level.price for level in floor.engine.depth(1).bids] == [9900]
    assert floor.take(SELL, 5, 10200, 1, account=2)[0].startswith("REJECTED UNKNOWN_ORDER")


def test_a_buy_stop_is_met_at_or_above(floor):
    """A last price of 10049 leaves a stop at 10050 alone, one of 10050 meets it."""
    stop(floor, BUY, 10050, 10200, 10)
    print_at(floor, 10049)
    assert live(floor, "waiting")[-1] == (5, 1)
    told = print_at(floor, 10050)
    assert told[2:] == [
        "TRIGGERED side=1 price=10200 quantity=10 account=1 order_id=5 remaining=10 aux=10050 aux2=10050",
        "TRADE side=1 aggressor=1 price=10100 quantity=10 account=1 contra_account=4 order_id=5 contra_order_id=3 "
        "contra_remaining=90 aux=1000",
    ]
    assert floor.cash(1)[1] == 0


def test_a_sell_stop_is_met_at_or_below(floor):
    """A last price of 9951 leaves a stop at 9950 alone, one of 9950 meets it."""
    stop(floor, SELL, 9950, 9900, 10)
    print_at(floor, 9951)
    assert live(floor, "waiting")[-1] == (5, 1)
    assert kinds(print_at(floor, 9950)) == ["ACCEPTED", "TRADE", "TRIGGERED", "TRADE"]


def test_met_at_entry(floor):
    told = stop(floor, BUY, 10000, 10050, 10)
    assert told[1:] == [
        "TRIGGERED side=1 price=10050 quantity=10 account=1 order_id=5 remaining=10 aux=10000 aux2=10000"
    ]
    assert live(floor, "waiting", "price")[0] == (5, 0, 10050)


def test_without_a_last_price_nothing_is_met(make_world):
    floor = open_further(make_world)
    assert kinds(stop(floor, BUY, 5000, 10000, 1)) == ["ACCEPTED"]
    assert kinds(stop(floor, SELL, 20000, 10000, 1)) == ["ACCEPTED"]


def test_the_last_price_of_an_earlier_day_counts(floor):
    """The condition looks at the last price of any day (11, Precisely): yesterday's 10000 meets a stop at 10000."""
    floor.end_of_day()
    floor.open_day(TODAY + 1)
    assert kinds(stop(floor, BUY, 10001, 10050, 1)) == ["ACCEPTED"]
    assert kinds(stop(floor, BUY, 10000, 10050, 1)) == ["ACCEPTED", "TRIGGERED"]


def test_order_of_triggering(floor):
    """Buy stops from the lowest stop price, then sell stops from the highest, arrival inside one stop price."""
    for side, price in ((SELL, 9990), (BUY, 10030), (BUY, 10020), (SELL, 9995), (BUY, 10020)):
        limit = 9000 if side == BUY else 11000  # they rest, and trade nothing
        stop(floor, side, price, limit, 1)
    assert [row[0] for row in live(floor, "waiting") if row[1]] == [7, 9, 6, 8, 5]
    told = print_at(floor, 10030)
    assert [line.split("order_id=")[1].split()[0] for line in told if line.startswith("TRIGGERED")] == ["7", "9", "6"]
    assert [order for order, *_ in floor.book()[-2:]] == [8, 5]


def test_buy_stops_act_before_sell_stops(make_world):
    """Both entered before any price and met by the first one: the sell stop was there first and acts second."""
    floor = open_further(make_world)
    stop(floor, SELL, 10010, 11000, 1, account=2)
    stop(floor, BUY, 9990, 9000, 1)
    told = print_at(floor, 10000)
    assert kinds(told) == ["ACCEPTED", "TRADE", "TRIGGERED", "TRIGGERED"]
    assert [line.split("order_id=")[1].split()[0] for line in told[2:]] == ["2", "1"]


def test_a_sell_stop_above_the_last_price_is_met_at_once(floor):
    assert kinds(stop(floor, SELL, 10010, 11000, 1)) == ["ACCEPTED", "TRIGGERED"]


def test_a_cascade_inside_one_command(make_world):
    """Each triggered stop trades lower and meets the next: 10000 -> 9990 -> 9980, then a buy stop stays."""
    floor = open_further(make_world)
    print_at(floor, 10000)
    floor.buy(9990, 10, account=4)
    floor.buy(9980, 10, account=4)
    floor.buy(9970, 10, account=4)
    stop(floor, SELL, 9990, 9980, 15, account=1)
    stop(floor, SELL, 9980, 9970, 10, account=2)
    stop(floor, BUY, 10001, 10001, 1, account=2)
    told = floor.sell(9990, 5, account=3)
    assert told[1:] == [
        "TRADE side=2 aggressor=2 price=9990 quantity=5 account=3 contra_account=4 order_id=9 contra_order_id=3 "
        "contra_remaining=5",
        "TRIGGERED side=2 price=9980 quantity=15 account=1 order_id=6 remaining=15 aux=9990 aux2=9990",
        "TRADE side=2 aggressor=2 price=9990 quantity=5 account=1 contra_account=4 order_id=6 contra_order_id=3 "
        "remaining=10",
        "TRADE side=2 aggressor=2 price=9980 quantity=10 account=1 contra_account=4 order_id=6 contra_order_id=4",
        "TRIGGERED side=2 price=9970 quantity=10 account=2 order_id=7 remaining=10 aux=9980 aux2=9980",
        "TRADE side=2 aggressor=2 price=9970 quantity=10 account=2 contra_account=4 order_id=7 contra_order_id=5",
    ]
    assert live(floor, "waiting") == [(8, 1)]


def test_a_stop_is_an_immediate_order_at_its_collar(floor):
    """STOP is a market order once it is triggered, GTC or not: what finds nothing expires."""
    told = stop(floor, BUY, 10050, 10100, 150, order_type=STOP, time_in_force=GTC)
    assert told[0].endswith("aux=1515000 aux2=515")
    told = print_at(floor, 10050)
    assert told[-2:] == [
        "TRADE side=1 aggressor=1 price=10100 quantity=100 account=1 contra_account=4 order_id=5 contra_order_id=3 "
        "remaining=50",
        "EXPIRED IOC_REMAINDER side=1 price=10100 quantity=50 account=1 order_id=5 aux=505000",
    ]


def test_the_collar_of_a_stop_is_the_daily_limit(make_open_world):
    """As a market order's; without a daily limit a price is required."""
    world = make_open_world(seee({"order_types": ("limit", "stop")}))
    told = world.order(BUY, 0, 10, order_type=STOP, price2=7200)
    assert told == ["ACCEPTED side=1 price=7847 quantity=10 account=1 order_id=1 remaining=10 aux=78470 aux2=259"]


def test_a_collar_is_required_without_limits(floor):
    assert stop(floor, BUY, 10050, 0, 10, order_type=STOP)[0].startswith("REJECTED PRICE_REQUIRED")
    assert stop(floor, BUY, 10050, 0, 10)[0].startswith("REJECTED INVALID_PRICE")


def test_a_stop_limit_iceberg(floor):
    """Waiting it shows nothing; its rest shows a part."""
    stop(floor, BUY, 10050, 10100, 150, order_type=STOP_LIMIT_ICEBERG, quantity2=20)
    assert live(floor, "shown", "visible", "waiting")[-1] == (5, 20, 0, 1)
    print_at(floor, 10050)
    assert live(floor, "remaining", "shown", "visible", "waiting")[0] == (5, 50, 20, 20, 0)


def test_events_carry_its_own_session_and_number(make_world):
    floor = open_further(make_world)
    floor.session(1)
    floor.session(2)
    print_at(floor, 10000)
    stop(floor, BUY, 10010, 10020, 5, session=1, client_order_id=77)
    floor.sell(10020, 2, account=4)
    floor.sell(10010, 1, account=4)
    told = floor.buy(10010, 1, account=2, session=2, client_order_id=5)
    assert told[2:] == [
        "TRIGGERED side=1 price=10020 quantity=5 account=1 order_id=3 client_order_id=77 remaining=5 aux=10010 "
        "aux2=10010 session=1",
        "TRADE side=1 aggressor=1 price=10020 quantity=2 account=1 contra_account=4 order_id=3 contra_order_id=4 "
        "client_order_id=77 remaining=3 session=1",
    ]


def test_triggered_stops_take_where_crossing_orders_are_refused(make_world):
    floor = open_further(make_world, further(cross_policy="REJECT"))
    floor.sell(10000, 10)
    floor.take(BUY, 1, 10000, 1, account=2)
    assert kinds(stop(floor, BUY, 10000, 10000, 5, account=3)) == ["ACCEPTED", "TRIGGERED", "TRADE"]


def test_take_and_replace_trigger_too(floor):
    stop(floor, BUY, 10100, 11000, 1)
    assert kinds(floor.take(BUY, 3, 10100, 1, account=2)) == ["ACCEPTED", "TRADE", "TRIGGERED", "TRADE"]
    stop(floor, SELL, 9900, 9000, 1)
    floor.sell(10050, 1, account=2)
    assert kinds(floor.replace(8, 9900, 1)) == ["REPLACED", "TRADE", "TRIGGERED", "TRADE"]


def test_replacing_a_waiting_stop(floor):
    stop(floor, BUY, 10050, 10100, 10)
    stop(floor, BUY, 10050, 10100, 10)
    assert floor.replace(5, 0, 8) == [
        "REPLACED side=1 price=10100 quantity=8 account=1 order_id=5 remaining=8 aux=-20200 aux2=1"
    ]
    assert [row[0] for row in live(floor, "waiting") if row[1]] == [5, 6]
    assert floor.replace(5, 10200, 8)[0] == (
        "REPLACED side=1 price=10200 quantity=8 account=1 order_id=5 remaining=8 aux=800"
    )
    assert [row[0] for row in live(floor, "waiting") if row[1]] == [6, 5]
    floor.replace(6, 0, 10, price2=10060)
    assert [row[:2] for row in live(floor, "stop_price", "waiting") if row[2]] == [(5, 10050), (6, 10060)]
    assert floor.cash(1)[1] == 8 * 10200 + 10 * 10100


def test_a_replaced_stop_may_be_met(floor):
    stop(floor, BUY, 10050, 10100, 10)
    assert kinds(floor.replace(5, 0, 10, price2=10000)) == ["REPLACED", "TRIGGERED", "TRADE"]


def test_replacing_asks_for_the_stop_price_as_at_entry(floor):
    stop(floor, BUY, 10050, 10100, 10)
    for price2, reason in ((-1, "INVALID_PRICE"), (20001, "PRICE_OUT_OF_WINDOW")):
        assert floor.replace(5, 0, 10, price2=price2)[0].startswith(f"REJECTED {reason}")
    assert floor.replace(5, -1, 10)[0].startswith("REJECTED INVALID_PRICE")
    assert floor.replace(5, 0, 0)[0].startswith("REJECTED INVALID_QUANTITY")
    assert floor.replace(4, 9900, 10, price2=9900)[0].startswith("REJECTED INVALID_COMBINATION")


def test_a_triggered_stop_is_an_ordinary_order(floor):
    stop(floor, BUY, 10000, 9950, 10)
    assert floor.replace(5, 9950, 10, price2=9990)[0].startswith("REJECTED INVALID_COMBINATION")
    assert floor.replace(5, 9940, 10)[0].startswith("REPLACED")
    assert floor.cancel(5)[0].startswith("CANCELLED USER_REQUESTED")


def test_cancels_mass_cancels_and_expiry(floor):
    for side, price, tif in ((SELL, 9000, 1), (BUY, 11000, 1), (SELL, 9100, 1), (BUY, 10900, GTC)):
        stop(floor, side, price, 10000, 1, time_in_force=tif)
    assert floor.cancel(7)[0] == ("CANCELLED USER_REQUESTED side=2 price=10000 quantity=1 account=1 order_id=7 aux=1")
    floor.stop()
    told = floor.expire()
    assert [line.split("order_id=")[1].split()[0] for line in told[:-1]] == ["4", "3", "6", "5"]
    assert floor.mass_cancel() == [
        "CANCELLED MASS_CANCEL phase=0 side=1 price=10000 quantity=1 account=1 order_id=8 aux=10000",
        "MASS_CANCELLED quantity=1",
    ]
    assert floor.cash(1)[1] == 0


def test_a_waiting_buy_stop_counts_for_the_position(floor):
    """Limits look at all live orders (11, Precisely): ten more lots are free, the stop may bring six of them."""
    floor.send(K.SET_LIMIT, scope=LimitKind.POSITION, account=1, quantity=10**9 + 10)
    stop(floor, BUY, 10050, 10200, 6)
    assert floor.buy(9000, 5)[0].startswith("REJECTED POSITION_LIMIT")
    assert floor.buy(9000, 4)[0].startswith("ACCEPTED")
    floor.cancel(5)
    assert floor.buy(9000, 7)[0].startswith("REJECTED POSITION_LIMIT")
    assert floor.buy(9000, 6)[0].startswith("ACCEPTED")


def test_a_court_order_reaches_waiting_sell_stops(floor):
    """Seizures look at all live orders (11, Precisely): sells first, then stops, no more than needed."""
    account = floor.account(units=12)
    stop(floor, SELL, 9100, 9000, 4, account=account)
    stop(floor, SELL, 9200, 9000, 3, account=account)
    floor.sell(10200, 5, account=account)
    told = floor.send(K.PLACE_HOLD, side=2, account=account, scope=1, quantity=8)
    assert kinds(told) == ["CANCELLED", "CANCELLED", "HOLD_PLACED"]
    assert [line.split("order_id=")[1].split()[0] for line in told[:2]] == ["7", "6"]
    assert live(floor, "waiting")[-1] == (5, 1)


def test_kill_switch_and_lost_session_end_waiting_stops(floor):
    """As other orders (11.5), and after the sells."""
    floor.session(1)
    floor.send(K.SESSION_UP, target=1, scope=2)
    stop(floor, BUY, 10050, 10200, 1, session=1, client_order_id=1)
    assert kinds(floor.send(K.SESSION_DOWN, target=1)) == ["CANCELLED", "SESSION_DOWN"]
    stop(floor, BUY, 10050, 10200, 1)
    floor.sell(10200, 1)
    told = floor.send(K.KILL_SWITCH, scope=2, account=1)
    assert kinds(told) == ["CANCELLED", "CANCELLED", "KILL_SWITCH_SET"]
    assert [line.split("order_id=")[1].split()[0] for line in told[:2]] == ["7", "6"]


def test_waiting_stops_end_with_their_instrument(make_world):
    """No live order outlasts its instrument's last date, waiting stops are live ones (11, Precisely)."""
    floor = open_further(make_world)
    stop(floor, BUY, 10050, 10200, 1, time_in_force=GTC)
    assert kinds(floor.send(K.DELIST_INSTRUMENT, instrument=1, expiry=TODAY)) == ["INSTRUMENT_DELISTED"]
    for step in (floor.stop, floor.expire, floor.fix_close):
        step()
    assert floor.settle()[0].startswith("CANCELLED DELISTED phase=0 side=1 price=10200")
    assert floor.book() == []


def test_only_in_continuous(floor):
    stop(floor, BUY, 10050, 10100, 10)
    floor.phase(BREAK, TODAY)
    assert stop(floor, BUY, 10050, 10100, 10)[0].startswith("REJECTED WRONG_PHASE")
    floor.phase(OPEN_CALL, TODAY)
    assert stop(floor, BUY, 10050, 10100, 10)[0].startswith("REJECTED WRONG_PHASE")
    assert floor.replace(5, 0, 10, price2=9000)[0].startswith("REPLACED")


def test_a_change_of_phase_triggers(floor):
    """Replaced in a call, met when trading is continuous again."""
    stop(floor, BUY, 10050, 10100, 10)
    floor.phase(OPEN_CALL, TODAY, instrument=1)
    floor.replace(5, 0, 10, price2=9000)
    assert kinds(floor.phase(3, TODAY)) == ["PHASE_CHANGED", "TRIGGERED", "TRADE", "PHASE_CHANGED"]


def test_state_goes_round(floor):
    for side, price in ((SELL, 9990), (BUY, 10030), (BUY, 10020), (SELL, 9980), (BUY, 10020)):
        stop(floor, side, price, 10100 if side == BUY else 9900, 3)
    floor.order(BUY, 9000, 10, order_type=ICEBERG, quantity2=3)
    twin = floor.restored()
    assert twin.engine.canonical_state() == floor.engine.canonical_state()
    for price in (10025, 9985):
        assert print_at(twin, price) == print_at(floor, price)


def test_a_triggered_stop_acts_in_its_own_name(floor):
    """Whoever's trade triggers it is named nowhere: not at its end, nor at what its self-trade prevention cancels."""
    owner, other = floor.session(firm=1), floor.session(firm=3)
    floor.send(K.SET_OWNER_GROUP, account=1, quantity2=7)
    floor.send(K.SET_OWNER_GROUP, account=2, quantity2=7)
    floor.sell(10090, 5, account=2)  # of the same owner as the stop
    floor.order(
        BUY,
        10095,
        10,
        order_type=STOP,
        price2=10050,
        self_trade=SelfTrade.CANCEL_MAKER,
        session=owner,
        client_order_id=5,
    )
    floor.sell(10050, 1, account=4)
    command = commands(1)
    terms = {"kind": K.NEW_ORDER, "order_type": OrderType.LIMIT, "time_in_force": TimeInForce.DAY, "side": BUY}
    numbers = {"sequence": floor.sent + 1, "session": other, "client_order_id": 1}
    for name, value in {**terms, **numbers, "instrument": 1, "account": 3, "price": 10050, "quantity": 1}.items():
        command[name] = value
    told = floor.engine.apply(command).events.copy()
    assert [EventKind(kind).name for kind in told["kind"]] == ["ACCEPTED", "TRADE", "TRIGGERED", "CANCELLED", "EXPIRED"]
    cancelled, expired = told[3:]
    assert cancelled["reason"] == Reason.SELF_TRADE_PREVENTED
    for event in (cancelled, expired):
        assert (event["contra_session"], event["contra_client_order_id"]) == (owner, 5)
    assert (expired["session"], expired["client_order_id"], expired["command_sequence"]) == (owner, 5, floor.sent + 1)
