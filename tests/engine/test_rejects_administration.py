"""Every reason of a reject of the day's and the venue's commands, and which comes first (sections 4 and 5)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.schema import CommandKind as K
from engine.schema import Reason
from engine.schema import Reason as R
from tests.engine.builders import seee
from tests.engine.ladder import climb

pytestmark = pytest.mark.nojit


def test_phase_and_day(make_open_world):
    """SET_PHASE, the end-of-day stages, SET_REFERENCE and CLOCK_ANCHOR."""
    world = make_open_world(seee())
    world.session(1, 1)
    start = {"session": 1, "scope": 0, "quantity": 8, "expiry": -1, "instrument": 99, "price": 1}
    rungs = [
        (R.UNUSED_FIELD_SET, {"price": 0}),
        (R.INVALID_SCOPE, {"scope": 4}),
        (R.INVALID_SCOPE, {"scope": 1}),
        (R.INVALID_PHASE, {"quantity": -1}),
        (R.INVALID_PHASE, {"quantity": 2**40 + 3}),
        (R.INVALID_PHASE, {"quantity": 3, "quantity2": 1}),
        (R.UNUSED_FIELD_SET, {"quantity2": 0}),
        (R.INVALID_DATE, {"expiry": 99991232}),
        (R.INVALID_DATE, {"expiry": 20250810}),
        (R.NOT_PERMITTED, {"session": 0, "client_order_id": 0}),
        (R.UNKNOWN_INSTRUMENT, {"instrument": 6}),
        (R.INVALID_DATE, {"expiry": 20250812}),
        (R.DAY_NOT_SETTLED, {"expiry": 20250811}),
        (R.NOT_LISTED, {}),
    ]
    climb(world, K.SET_PHASE, start, rungs)
    for kind in (K.STOP_TRADING, K.EXPIRE_ORDERS, K.FIX_CLOSE, K.SETTLE):
        climb(world, kind, {"session": 1}, [(R.NOT_PERMITTED, {})])
    for kind in (K.EXPIRE_ORDERS, K.FIX_CLOSE, K.SETTLE):
        climb(world, kind, {}, [(R.WRONG_DAY_STAGE, {})])
    reference = {"session": 1, "instrument": 99, "price": 0}
    rungs = [
        (R.NOT_PERMITTED, {"session": 0, "client_order_id": 0}),
        (R.UNKNOWN_INSTRUMENT, {"instrument": 1}),
        (R.WRONG_DAY_STAGE, {}),
    ]
    climb(world, K.SET_REFERENCE, reference, rungs)
    world.stop()
    today = {"scope": 1, "quantity": 3, "instrument": 6, "expiry": 20250811}
    climb(world, K.SET_PHASE, today, [(R.DAY_CLOSED, {"expiry": 20250812}), (R.DAY_NOT_SETTLED, {})])
    climb(world, K.STOP_TRADING, {}, [(R.WRONG_DAY_STAGE, {})])
    world.expire()
    world.fix_close()
    world.settle()
    rungs = [(R.INVALID_PRICE, {"price": -1}), (R.INVALID_PRICE, {"price": 131_072}), (R.PRICE_OUT_OF_WINDOW, {})]
    climb(world, K.SET_REFERENCE, {"instrument": 1}, rungs)
    anchor = {"session": 1, "quantity": 0, "quantity2": 10**9 + 1}
    rungs = [
        (R.NOT_PERMITTED, {"session": 0, "client_order_id": 0}),
        (R.INVALID_AMOUNT, {"quantity": 10**9 + 1, "quantity2": 1}),
        (R.INVALID_AMOUNT, {"quantity": 1, "quantity2": 0}),
        (R.INVALID_AMOUNT, {}),
    ]
    climb(world, K.CLOCK_ANCHOR, anchor, rungs)


PERMITTED = (R.NOT_PERMITTED, {"session": 3})
ADMINISTRATION = {
    K.OPEN_FIRM: ({"session": 1}, [PERMITTED, (R.FIRM_TABLE_FULL, {})]),
    K.OPEN_ACCOUNT: (
        {"session": 1, "quantity": 3, "quantity2": -1, "expiry": -1},
        [
            PERMITTED,
            (R.UNKNOWN_FIRM, {"quantity": 0}),
            (R.UNKNOWN_FIRM, {"quantity": 1}),
            (R.INVALID_OWNER_GROUP, {"quantity2": 2**31}),
            (R.INVALID_OWNER_GROUP, {"quantity2": 2**31 - 1}),
            (R.INVALID_DATE, {"expiry": 99991232}),
            (R.INVALID_DATE, {"expiry": 99991231}),
            (R.ACCOUNT_TABLE_FULL, {}),
        ],
    ),
    K.OPEN_SESSION: (
        {"session": 1, "quantity": 3, "scope": 4},
        [
            PERMITTED,
            (R.INVALID_ROLE, {"scope": 0}),
            (R.INVALID_ROLE, {"scope": 2}),
            (R.UNKNOWN_FIRM, {"scope": 1, "quantity": 0}),
            (R.UNKNOWN_FIRM, {"quantity": 1}),
            (R.SESSION_TABLE_FULL, {"scope": 3, "quantity": 0}),
            (R.SESSION_TABLE_FULL, {}),
        ],
    ),
    K.SET_ACCOUNT_STATUS: (
        {"session": 1, "account": 5, "scope": 3},
        [PERMITTED, (R.UNKNOWN_ACCOUNT, {"account": 1}), (R.INVALID_STATUS, {"scope": 0}), (R.INVALID_STATUS, {})],
    ),
    K.SET_SESSION_STATUS: (
        {"session": 1, "target": 0, "scope": 2},
        [
            PERMITTED,
            (R.UNKNOWN_SESSION, {"target": 6}),
            (R.UNKNOWN_SESSION, {"target": 1}),
            (R.INVALID_STATUS, {"scope": 0}),
            (R.INVALID_STATUS, {}),
        ],
    ),
    K.SET_OWNER_GROUP: (
        {"session": 1, "account": 5, "quantity2": -1, "expiry": -1},
        [
            PERMITTED,
            (R.UNKNOWN_ACCOUNT, {"account": 1}),
            (R.INVALID_OWNER_GROUP, {"quantity2": 0}),
            (R.INVALID_DATE, {}),
        ],
    ),
    K.SESSION_UP: (
        {"session": 1, "target": 6, "scope": 3},
        [PERMITTED, (R.UNKNOWN_SESSION, {"target": 4}), (R.SESSION_ENDED, {"target": 1}), (R.INVALID_SCOPE, {})],
    ),
    K.SESSION_DOWN: (
        {"session": 1, "target": 0, "quantity": -1},
        [
            PERMITTED,
            (R.UNKNOWN_SESSION, {"target": 4}),
            (R.INVALID_AMOUNT, {"quantity": 2**15}),
            (R.INVALID_AMOUNT, {}),
        ],
    ),
    K.DEPOSIT_CASH: (
        {"session": 1, "account": 5, "scope": 2, "quantity": 0},
        [
            PERMITTED,
            (R.UNKNOWN_ACCOUNT, {"account": 1}),
            (R.UNKNOWN_CURRENCY, {"scope": 0}),
            (R.UNKNOWN_CURRENCY, {"scope": 1}),
            (R.INVALID_AMOUNT, {"quantity": 2**62}),
            (R.INVALID_AMOUNT, {"quantity": 2**62 - 1}),
            (R.AMOUNT_OVERFLOW, {}),
        ],
    ),
    K.DEPOSIT_UNITS: (
        {"session": 1, "account": 5, "scope": 2, "quantity": 0},
        [
            PERMITTED,
            (R.UNKNOWN_ACCOUNT, {"account": 1}),
            (R.UNKNOWN_ASSET, {"scope": 0}),
            (R.UNKNOWN_ASSET, {"scope": 1}),
            (R.INVALID_AMOUNT, {"quantity": 2**62}),
            (R.INVALID_AMOUNT, {"quantity": 2**62 - 1}),
            (R.AMOUNT_OVERFLOW, {}),
        ],
    ),
    K.WITHDRAW_CASH: (
        {"session": 1, "account": 5, "scope": 2, "quantity": 0},
        [
            PERMITTED,
            (R.UNKNOWN_ACCOUNT, {"account": 1}),
            (R.UNKNOWN_CURRENCY, {"scope": 1}),
            (R.INVALID_AMOUNT, {"quantity": 10_000_001}),
            (R.INSUFFICIENT_FUNDS, {}),
        ],
    ),
    K.WITHDRAW_UNITS: (
        {"session": 1, "account": 5, "scope": 2, "quantity": 0},
        [
            PERMITTED,
            (R.UNKNOWN_ACCOUNT, {"account": 1}),
            (R.UNKNOWN_ASSET, {"scope": 1}),
            (R.INVALID_AMOUNT, {"quantity": 10_001}),
            (R.INSUFFICIENT_UNITS, {}),
        ],
    ),
}


@pytest.mark.parametrize("kind", ADMINISTRATION, ids=lambda kind: kind.name)
def test_administration(desk, kind):
    """Section 5: the role first, then the checks as they stand there."""
    desk.account(1)
    desk.session(1, 1)
    start, rungs = ADMINISTRATION[kind]
    climb(desk, kind, start, rungs)


def test_withdrawal_before_settlement(market):
    """WITHDRAW: proceeds and units bought today stay until the end of the day (rule book section 3)."""
    market.account(units=10)
    market.account(cash=71_000)
    market.sell(7100, 10, account=5)
    market.buy(7100, 10, account=6)
    climb(market, K.WITHDRAW_CASH, {"account": 5, "scope": 1, "quantity": 1}, [(R.PROCEEDS_NOT_SETTLED, {})])
    units = {"account": 6, "scope": 1, "quantity": 10}
    climb(market, K.WITHDRAW_UNITS, units, [(R.UNITS_BOUGHT_TODAY, {"quantity": 11}), (R.INSUFFICIENT_UNITS, {})])


def test_every_engine_reason_is_reached_here():
    """No reason from 1xx to 5xx that an engine can give lacks a rung; gateway reasons are the gateway's own."""
    folder = Path(__file__).parent
    source = "".join(path.read_text("utf-8") for path in folder.glob("test_rejects*.py"))
    gateway = {104, *range(110, 120)}
    asked = [reason for reason in Reason if 100 < reason < 600 and reason not in gateway]
    assert [reason.name for reason in asked if not re.search(rf"R\.{reason.name}\b", source)] == []
