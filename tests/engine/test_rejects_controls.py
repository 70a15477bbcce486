"""Every reason of a reject of limits, kill switches, corrections and listing, and which comes first (controls.md)."""

from __future__ import annotations

import numpy as np
import pytest

from engine.schema import COMMAND, EventKind
from engine.schema import CommandKind as K
from engine.schema import LimitKind as L
from engine.schema import Reason as R
from tests.engine.builders import BREAK, BUY, last_id, plain, seee
from tests.engine.ladder import climb
from tests.engine.test_limits import limit

pytestmark = pytest.mark.nojit

PERMITTED = (R.NOT_PERMITTED, {"session": 3})
TODAY = 20250811


def test_set_limit(desk):
    """10.1: the kind, role, one owner that exists, values of the kind, the moment."""
    start = {"session": 1, "scope": 8, "account": 4, "instrument": 7, "target": 3, "expiry": -1}
    start |= {"quantity": -1, "quantity2": -1}
    rungs = [
        (R.INVALID_LIMIT, {"scope": 0}),
        (R.INVALID_LIMIT, {"scope": 6}),
        PERMITTED,
        (R.INVALID_COMBINATION, {"account": 0}),
        (R.INVALID_COMBINATION, {"account": 4, "instrument": 0}),
        (R.INVALID_COMBINATION, {"target": 0}),
        (R.UNKNOWN_ACCOUNT, {"account": -1}),
        (R.UNKNOWN_ACCOUNT, {"account": 0, "instrument": 7}),
        (R.UNKNOWN_INSTRUMENT, {"instrument": -1}),
        (R.UNKNOWN_INSTRUMENT, {"instrument": 0, "target": 3}),
        (R.UNKNOWN_FIRM, {"target": -1}),
        (R.UNKNOWN_FIRM, {"target": 2**32 + 1}),
        (R.UNKNOWN_FIRM, {"target": 0, "instrument": 6, "quantity": 5, "quantity2": 5}),
        (R.INVALID_LIMIT, {"scope": 7}),
        (R.INVALID_LIMIT, {"instrument": 0, "quantity": -1}),
        (R.INVALID_LIMIT, {"quantity": 2**62}),
        (R.INVALID_LIMIT, {"quantity": 2**62 - 1, "quantity2": -1}),
        (R.INVALID_LIMIT, {"quantity2": 2**62}),
        (R.INVALID_LIMIT, {"scope": 3, "quantity": 10_000, "quantity2": 10_001}),
        (R.INVALID_LIMIT, {"quantity": 10_001, "quantity2": 10_000}),
        (R.INVALID_LIMIT, {"quantity": 10_000}),
        (R.INVALID_EXPIRY, {"expiry": 0}),
        (R.INVALID_EXPIRY, {"quantity2": 0, "expiry": 5}),
        (R.INVALID_EXPIRY, {}),
    ]
    climb(desk, K.SET_LIMIT, start, rungs)


def test_set_limit_without_pre_funding(make_world):
    """10.1: accounts and firms have no limits there, and nobody has a position."""
    world = make_world(plain())
    world.firm()
    start = {"scope": L.POSITION, "account": 1, "instrument": 9, "target": 0, "expiry": -1}
    rungs = [
        (R.INVALID_COMBINATION, {"instrument": 0, "target": 1, "account": 0}),
        (R.INVALID_COMBINATION, {"target": 0, "account": 1}),
        (R.INVALID_COMBINATION, {"account": 0}),
        (R.INVALID_LIMIT, {"scope": L.LARGE_HOLDER}),
        (R.INVALID_LIMIT, {"scope": L.ORDER_RATE}),
        (R.INVALID_EXPIRY, {}),
    ]
    climb(world, K.SET_LIMIT, start, rungs)


ASKED = {
    L.ORDER_QUANTITY: (R.MAX_ORDER_QUANTITY, {"quantity": 9}),
    L.ORDER_VALUE: (R.MAX_ORDER_VALUE, {"quantity": 69_999}),
    L.PRICE_COLLAR: (R.PRICE_COLLAR, {"quantity": 50}),
    L.ORDER_RATE: (R.ORDER_RATE, {"quantity": 1, "account": 2}),
    L.OPEN_ORDERS: (R.OPEN_ORDERS, {"quantity": 1}),
    L.POSITION: (R.POSITION_LIMIT, {"quantity": 5}),
}


def test_limits_in_the_order_of_their_kinds(market):
    """10.1: quantity, value, collar, rate, open orders, position: each is asked before those below it."""
    market.send(K.SET_LIMIT, scope=L.ORDER_RATE, **ASKED[L.ORDER_RATE][1])
    market.sell(7200, 1, account=2)
    for kind, (_, fields) in ASKED.items():
        market.send(K.SET_LIMIT, scope=kind, **fields)
    order = {"side": BUY, "order_type": 1, "time_in_force": 1, "instrument": 1, "account": 2, "quantity": 0}
    order |= {"price": 7000}
    climb(market, K.NEW_ORDER, order, [(R.INVALID_QUANTITY, {})])
    order["quantity"] = 10
    for kind, (reason, fields) in ASKED.items():
        climb(market, K.NEW_ORDER, order, [(reason, {})])
        market.send(K.SET_LIMIT, scope=kind, **{**fields, "quantity": 0})
    assert market.send(K.NEW_ORDER, **order)[0].startswith("ACCEPTED")


def test_limits_between_the_amount_and_the_crossing(desk):
    """NEW_ORDER: before check 9; REPLACE_ORDER: before QUANTITY_BELOW_FILLED; TAKE: before the listing is sought."""
    desk.sell(7000, 100, account=3)
    limit(desk, L.ORDER_QUANTITY, 20)
    order = {"side": BUY, "order_type": 1, "time_in_force": 1, "flags": 1, "instrument": 5, "account": 1}
    order |= {"price": 7000, "quantity": 268_440}
    rungs = [
        (R.AMOUNT_OVERFLOW, {"instrument": 1, "quantity": 30}),
        (R.MAX_ORDER_QUANTITY, {"quantity": 20}),
        (R.POST_ONLY_WOULD_TAKE, {"flags": 0}),
    ]
    climb(desk, K.NEW_ORDER, order, rungs)
    take = {"side": BUY, "instrument": 1, "account": 1, "target": 99, "price": 7000, "quantity": 30}
    climb(desk, K.TAKE, take, [(R.MAX_ORDER_QUANTITY, {"quantity": 20}), (R.UNKNOWN_ORDER, {"target": 1})])
    desk.buy(7000, 20)
    limit(desk, L.ORDER_VALUE, 1)
    replace = {"target": 1, "price": 7000, "quantity": 30}
    rungs = [(R.MAX_ORDER_QUANTITY, {"quantity": 20}), (R.MAX_ORDER_VALUE, {})]
    climb(desk, K.REPLACE_ORDER, replace, rungs)
    limit(desk, L.ORDER_VALUE, 0)
    climb(desk, K.REPLACE_ORDER, replace | {"quantity": 20}, [(R.QUANTITY_BELOW_FILLED, {})])


def test_halted_before_the_phase_and_firm_after_the_account(desk):
    """10.2: NEW_ORDER after the offered order types, REPLACE_ORDER after the target, TAKE after the listing check."""
    own = last_id(desk.sell(7200, 20, account=1))
    desk.send(K.SET_ACCOUNT_STATUS, account=1, scope=2)
    desk.send(K.KILL_SWITCH, scope=4)
    desk.send(K.KILL_SWITCH, scope=3, instrument=3)
    desk.send(K.KILL_SWITCH, scope=4)
    order = {"side": BUY, "order_type": 1, "time_in_force": 3, "instrument": 3, "account": 1, "price": -1}
    climb(desk, K.NEW_ORDER, order, [(R.INVALID_ORDER_TYPE, {"order_type": 2}), (R.VENUE_HALTED, {})])
    climb(desk, K.TAKE, {"side": BUY, "instrument": 2, "account": 1, "price": -1}, [(R.NOT_LISTED, {"instrument": 1})])
    climb(desk, K.TAKE, {"side": BUY, "instrument": 3, "account": 1, "price": -1}, [(R.VENUE_HALTED, {})])
    climb(desk, K.REPLACE_ORDER, {"target": own}, [(R.UNKNOWN_ORDER, {})])
    desk.send(K.KILL_SWITCH, scope=4, side=1)
    climb(desk, K.NEW_ORDER, order | {"order_type": 2}, [(R.INSTRUMENT_HALTED, {"price": 7000})])
    desk.send(K.KILL_SWITCH, scope=3, instrument=3, side=1)
    climb(desk, K.NEW_ORDER, order | {"order_type": 2}, [(R.WRONG_PHASE, {})])
    desk.send(K.KILL_SWITCH, scope=1, target=1)
    rungs = [(R.ACCOUNT_SUSPENDED, {}), (R.ACCOUNT_SUSPENDED, {"account": 1})]
    climb(desk, K.NEW_ORDER, order | {"instrument": 1}, rungs)
    desk.send(K.SET_ACCOUNT_STATUS, account=1, scope=1)
    climb(desk, K.NEW_ORDER, order | {"instrument": 1}, [(R.FIRM_STOPPED, {})])
    climb(desk, K.TAKE, {"side": BUY, "instrument": 1, "account": 1, "price": -1}, [(R.FIRM_STOPPED, {})])


def test_replacing_while_stopped(make_open_world):
    """10.2: REPLACE_ORDER asks for the target before the halts: whoever is stopped has no live order left."""
    world = make_open_world(seee())
    order = last_id(world.buy(7000, 10))
    world.send(K.KILL_SWITCH, scope=4)
    climb(world, K.REPLACE_ORDER, {"target": order}, [(R.UNKNOWN_ORDER, {})])
    world.send(K.KILL_SWITCH, scope=4, side=1)
    order = last_id(world.buy(7000, 10))
    world.phase(BREAK, TODAY, instrument=1)
    climb(world, K.REPLACE_ORDER, {"target": order}, [(R.WRONG_PHASE, {})])


def test_kill_switch(desk):
    """10.2: scope, side, fields of another scope, role, existence."""
    start = {"session": 1, "scope": 5, "side": 2, "account": 4, "instrument": 7, "target": 3}
    rungs = [
        (R.INVALID_SCOPE, {"scope": 0}),
        (R.INVALID_SCOPE, {"scope": 4}),
        (R.INVALID_SIDE, {"side": 255}),
        (R.INVALID_SIDE, {"side": 1}),
        (R.UNUSED_FIELD_SET, {"account": 0}),
        (R.UNUSED_FIELD_SET, {"target": 0}),
        (R.UNUSED_FIELD_SET, {"scope": 1, "instrument": 7, "target": 3}),
        (R.UNUSED_FIELD_SET, {"scope": 2, "account": 4, "instrument": 0}),
        (R.UNUSED_FIELD_SET, {"target": 0}),
        PERMITTED,
        (R.UNKNOWN_ACCOUNT, {"account": 0}),
        (R.UNKNOWN_ACCOUNT, {"account": -1}),
        (R.UNKNOWN_ACCOUNT, {"scope": 1, "account": 0, "target": 3}),
        (R.UNKNOWN_FIRM, {"target": 0}),
        (R.UNKNOWN_FIRM, {"target": 2**32 + 1}),
        (R.UNKNOWN_FIRM, {"target": -1}),
        (R.UNKNOWN_FIRM, {"scope": 3, "target": 0}),
        (R.UNKNOWN_INSTRUMENT, {"instrument": 7}),
        (R.UNKNOWN_INSTRUMENT, {"instrument": -1}),
        (R.UNKNOWN_INSTRUMENT, {}),
    ]
    climb(desk, K.KILL_SWITCH, start, rungs)


def test_kill_switch_without_pre_funding(make_world):
    """10.2: firms and accounts cannot be stopped there; asked before they are looked for."""
    world = make_world(plain())
    world.session(role=3)
    start = {"scope": 1, "target": 1, "session": 1}
    climb(world, K.KILL_SWITCH, start, [(R.NOT_PERMITTED, {"session": 0, "client_order_id": 0})])
    rungs = [(R.INVALID_SCOPE, {"target": 0, "scope": 2, "account": -1}), (R.INVALID_SCOPE, {})]
    climb(world, K.KILL_SWITCH, {"scope": 1, "target": 1}, rungs)


def test_firm_kill(desk, make_world):
    """10.2: scope, role, a firm of its own on a pre-funded venue, the operator's suspension."""
    desk.send(K.KILL_SWITCH, scope=1, target=1)
    rungs = [
        (R.INVALID_SCOPE, {"scope": 255}),
        (R.INVALID_SCOPE, {"scope": 1}),
        (R.NOT_PERMITTED, {"session": 2}),
        (R.NOT_PERMITTED, {"session": 0, "client_order_id": 0}),
        (R.NOT_PERMITTED, {"session": 1, "client_order_id": None}),
        (R.FIRM_STOPPED, {}),
    ]
    climb(desk, K.FIRM_KILL, {"session": 3, "scope": 2}, rungs)
    world = make_world(plain())
    world.session(world.firm())
    rungs = [(R.INVALID_SCOPE, {"scope": 0}), (R.NOT_PERMITTED, {"scope": 1}), (R.NOT_PERMITTED, {})]
    climb(world, K.FIRM_KILL, {"session": 1, "scope": 2}, rungs)


def test_set_order_status(desk):
    """10.2: the role, a live order."""
    order = last_id(desk.sell(7200, 20))
    rungs = [PERMITTED, (R.UNKNOWN_ORDER, {"target": -order}), (R.UNKNOWN_ORDER, {"target": 0}), (R.UNKNOWN_ORDER, {})]
    climb(desk, K.SET_ORDER_STATUS, {"session": 1, "target": 99}, rungs)


def test_bust_trade(desk):
    """10.3: scope, role, instrument, the two accounts, terms, number, date, units, money."""
    desk.sell(7000, 20, account=3)
    desk.buy(7000, 20)
    number = desk.events
    desk.withdraw_cash(3, 10_000_000)
    locking = last_id(desk.buy(6500, 20, account=3))
    start = {"session": 1, "scope": 4, "instrument": 7, "account": 4, "quantity2": 1, "price": 0, "quantity": 0}
    start |= {"target": 0, "expiry": 0}
    rungs = [
        (R.INVALID_SCOPE, {"scope": 0}),
        (R.INVALID_SCOPE, {"scope": 1}),
        PERMITTED,
        (R.UNKNOWN_INSTRUMENT, {"instrument": 0}),
        (R.UNKNOWN_INSTRUMENT, {"instrument": 5}),
        (R.UNKNOWN_ACCOUNT, {"account": 0}),
        (R.UNKNOWN_ACCOUNT, {"account": 1, "quantity2": 4}),
        (R.UNKNOWN_ACCOUNT, {"quantity2": -1}),
        (R.UNKNOWN_ACCOUNT, {"quantity2": 2**32 + 3}),
        (R.UNKNOWN_ACCOUNT, {"quantity2": 1}),
        (R.INVALID_COMBINATION, {"quantity2": 3}),
        (R.INVALID_PRICE, {"price": -5}),
        (R.INVALID_PRICE, {"price": 5999}),
        (R.PRICE_OUT_OF_WINDOW, {"price": 8001}),
        (R.PRICE_OUT_OF_WINDOW, {"price": 7001}),
        (R.INVALID_QUANTITY, {"quantity": 2**31}),
        (R.INVALID_QUANTITY, {"quantity": 2**31 - 1}),
        (R.AMOUNT_OVERFLOW, {"quantity": 10_001, "instrument": 1, "price": 8000}),
        (R.INVALID_AMOUNT, {"target": -1}),
        (R.INVALID_AMOUNT, {"target": 10**6}),
        (R.INVALID_AMOUNT, {"target": number}),
        (R.INVALID_DATE, {"expiry": TODAY + 1}),
        (R.INVALID_DATE, {"expiry": TODAY}),
        (R.INSUFFICIENT_UNITS, {"quantity": 20, "price": 7000}),
        (R.INSUFFICIENT_FUNDS, {}),
    ]
    climb(desk, K.BUST_TRADE, start, rungs)
    desk.cancel(locking)
    terms = {"scope": 1, "instrument": 1, "account": 1, "quantity2": 3, "price": 7000, "quantity": 20}
    assert desk.send(K.BUST_TRADE, target=number, expiry=TODAY, **terms)[0].startswith("TRADE_BUSTED")
    rungs = [(R.ALREADY_BUSTED, {"target": number - 1}), (R.INVALID_DATE, {})]
    climb(desk, K.BUST_TRADE, {"target": number, "expiry": 0, **terms}, rungs)


def test_bust_trade_of_the_next_event(desk):
    """10.3: only numbers that were given before this command."""
    desk.buy(7000, 20)
    terms = {"scope": 1, "instrument": 1, "account": 1, "quantity2": 3, "price": 7000, "quantity": 20}
    climb(desk, K.BUST_TRADE, {**terms, "target": desk.events + 1}, [(R.INVALID_AMOUNT, {"target": 1})])
    climb(desk, K.BUST_TRADE, {**terms, "target": desk.events}, [(R.INVALID_DATE, {})])


def test_bust_trade_without_pre_funding(make_world):
    """10.3: accounts are labels from 0 to 2^31 - 1; before the first trading date no trade has a date."""
    world = make_world(plain())
    start = {"scope": 1, "instrument": 1, "account": -1, "quantity2": 0, "price": 100, "quantity": 1, "target": 1}
    world.buy(100, 1)
    rungs = [
        (R.UNKNOWN_ACCOUNT, {"account": 0, "quantity2": -1}),
        (R.UNKNOWN_ACCOUNT, {"quantity2": 2**31}),
        (R.UNKNOWN_ACCOUNT, {"quantity2": 0}),
        (R.INVALID_COMBINATION, {"quantity2": 2**31 - 1}),
        (R.INVALID_DATE, {"expiry": 1}),
        (R.INVALID_DATE, {}),
    ]
    climb(world, K.BUST_TRADE, start, rungs)


def test_table_of_cancelled_trades(make_world):
    """10.3: 4,095 of them; the full table comes after the date."""
    world = make_world(plain(open_from_start=False))
    world.open_day(TODAY)
    commands = np.zeros(2 * 4_095, COMMAND)
    orders, busts = commands[:4_095], commands[4_095:]
    for name, value in {"kind": 1, "side": 1, "order_type": 1, "time_in_force": 3, "instrument": 1}.items():
        orders[name] = value
    orders["price"] = orders["quantity"] = 500
    for name, value in {"kind": K.BUST_TRADE, "scope": 1, "instrument": 1, "account": 1, "quantity2": 2}.items():
        busts[name] = value
    busts["expiry"], busts["price"], busts["quantity"] = TODAY, 500, 10
    busts["target"] = np.arange(1, 4_096)
    events = world.engine.apply_all(commands)
    assert int((events["kind"] == EventKind.TRADE_BUSTED).sum()) == 4_095
    world.events = int(world.engine.state()["header"][0]["event_sequence"])
    start = {"scope": 1, "instrument": 1, "account": 1, "quantity2": 2, "price": 500, "quantity": 10}
    rungs = [
        (R.ALREADY_BUSTED, {"target": 4_096}),
        (R.INVALID_DATE, {"expiry": TODAY}),
        (R.BUST_TABLE_FULL, {"target": 4_095}),
        (R.ALREADY_BUSTED, {}),
    ]
    climb(world, K.BUST_TRADE, {**start, "target": 4_095, "expiry": TODAY + 1}, rungs)


def test_widen_window(desk):
    """10.4: role, instrument, a window that grows, its width."""
    start = {"session": 1, "instrument": 7, "price": 0, "price2": 7999}
    rungs = [
        PERMITTED,
        (R.UNKNOWN_INSTRUMENT, {"instrument": 0}),
        (R.UNKNOWN_INSTRUMENT, {"instrument": 1}),
        (R.INVALID_PRICE, {"price": -1, "price2": 8000}),
        (R.INVALID_PRICE, {"price": 6001}),
        (R.INVALID_PRICE, {"price": 6000, "price2": 7999}),
        (R.INVALID_PRICE, {"price2": -1}),
        (R.INVALID_PRICE, {"price": 1, "price2": 2**31 - 1}),
        (R.PRICE_OUT_OF_WINDOW, {"price2": 131_073}),
        (R.PRICE_OUT_OF_WINDOW, {}),
    ]
    climb(desk, K.WIDEN_WINDOW, start, rungs)


def test_list_instrument(desk):
    """10.4: role, instrument, date, not listed yet, reference price."""
    start = {"session": 1, "instrument": 7, "expiry": 0, "price": -1}
    rungs = [
        PERMITTED,
        (R.UNKNOWN_INSTRUMENT, {"instrument": 1}),
        (R.INVALID_DATE, {"expiry": TODAY - 1}),
        (R.INVALID_DATE, {"expiry": 99991232}),
        (R.INVALID_DATE, {"expiry": 99991231}),
        (R.ALREADY_LISTED, {"instrument": 2}),
        (R.INVALID_PRICE, {"price": 5999}),
        (R.PRICE_OUT_OF_WINDOW, {"price": 8001}),
        (R.PRICE_OUT_OF_WINDOW, {}),
    ]
    climb(desk, K.LIST_INSTRUMENT, start, rungs)


def test_delist_instrument(desk, make_world):
    """10.4: role, instrument, listed, date; before the first trading date there is none."""
    start = {"session": 1, "instrument": 0, "expiry": TODAY - 1}
    rungs = [
        PERMITTED,
        (R.UNKNOWN_INSTRUMENT, {"instrument": 2}),
        (R.NOT_LISTED, {"instrument": 1}),
        (R.INVALID_DATE, {"expiry": 99991232}),
        (R.INVALID_DATE, {}),
    ]
    climb(desk, K.DELIST_INSTRUMENT, start, rungs)
    world = make_world(plain())
    climb(world, K.DELIST_INSTRUMENT, {"instrument": 1, "expiry": TODAY}, [(R.INVALID_DATE, {})])
