"""Every reason of a reject of an order command, and which comes first (docs/engine.md sections 1 and 2)."""

from __future__ import annotations

import pytest

from engine.schema import CommandKind as K
from engine.schema import Reason as R
from tests.engine.builders import BREAK, BUY, SELL, World, plain, seee, venue_of
from tests.engine.ladder import MARKET_TEXT, climb

pytestmark = pytest.mark.nojit

WRONG_ORDER = {
    "kind": 7,
    "session": 6,
    "client_order_id": 1,
    "side": 9,
    "order_type": 9,
    "time_in_force": 9,
    "flags": 9,
    "self_trade": 9,
    "instrument": 99,
    "account": 99,
    "price": -1,
    "quantity": 0,
    "scope": 5,
}
ORDER_RUNGS = [
    (R.UNKNOWN_SESSION, {"session": -1}),
    (R.UNKNOWN_SESSION, {"session": 4}),
    (R.SESSION_ENDED, {"session": 2, "client_order_id": 0}),
    (R.STALE_CLIENT_ORDER_ID, {"client_order_id": None}),
    (R.INVALID_KIND, {"kind": 1}),
    (R.UNUSED_FIELD_SET, {"scope": 0}),
    (R.INVALID_SIDE, {"side": 0}),
    (R.INVALID_SIDE, {"side": BUY}),
    (R.INVALID_ORDER_TYPE, {"order_type": 7}),
    (R.INVALID_ORDER_TYPE, {"order_type": 0}),
    (R.INVALID_ORDER_TYPE, {"order_type": 2}),
    (R.INVALID_TIME_IN_FORCE, {"time_in_force": 6}),
    (R.INVALID_TIME_IN_FORCE, {"time_in_force": 0}),
    (R.INVALID_TIME_IN_FORCE, {"time_in_force": 1}),
    (R.INVALID_FLAGS, {"flags": 2}),
    (R.INVALID_FLAGS, {"flags": -1}),
    (R.INVALID_FLAGS, {"flags": 1}),
    (R.INVALID_SELF_TRADE, {"self_trade": 5}),
    (R.INVALID_SELF_TRADE, {"self_trade": 4}),
    (R.INVALID_COMBINATION, {"flags": 0}),  # a market order that would rest, post-only
    (R.INVALID_COMBINATION, {"time_in_force": 3, "flags": 1}),
    (R.INVALID_COMBINATION, {"order_type": 1}),  # post-only and immediate
    (R.INVALID_COMBINATION, {"time_in_force": 4}),
    (R.INVALID_COMBINATION, {"time_in_force": 1}),
    (R.NOT_PERMITTED, {"session": 3}),
    (R.NOT_PERMITTED, {"session": 1}),
    (R.UNKNOWN_ACCOUNT, {"account": 0}),
    (R.UNKNOWN_ACCOUNT, {"account": -1}),
    (R.UNKNOWN_ACCOUNT, {"account": 3}),  # another firm's
    (R.UNKNOWN_ACCOUNT, {"account": 2}),
    (R.UNKNOWN_INSTRUMENT, {"instrument": 0}),
    (R.UNKNOWN_INSTRUMENT, {"instrument": -1}),
    (R.UNKNOWN_INSTRUMENT, {"instrument": 7}),
    (R.UNKNOWN_INSTRUMENT, {"instrument": 2}),
    (R.NOT_LISTED, {"instrument": 3}),
    (R.INVALID_ORDER_TYPE, {"order_type": 2, "time_in_force": 4, "flags": 0}),
    (R.INVALID_TIME_IN_FORCE, {"time_in_force": 3}),
    (R.WRONG_PHASE, {"instrument": 1}),
    (R.ACCOUNT_SUSPENDED, {"account": 1}),
    (R.INVALID_PRICE, {"price": 3}),
    (R.OFF_TICK, {"price": 5}),
    (R.INVALID_QUANTITY, {"quantity": -1}),
    (R.INVALID_QUANTITY, {"quantity": 2**31}),
    (R.INVALID_QUANTITY, {"quantity": 7}),
    (R.OFF_LOT, {"quantity": 1_007}),
    (R.OFF_LOT, {"quantity": 10}),
    (R.QUANTITY_TOO_SMALL, {"quantity": 1_010}),
    (R.QUANTITY_TOO_LARGE, {"quantity": 1_000}),
    (R.PRICE_OUT_OF_WINDOW, {"price": 8005}),
    (R.PRICE_OUT_OF_WINDOW, {"price": 7705}),
    (R.PRICE_ABOVE_LIMIT, {"price": 6295}),
    (R.PRICE_BELOW_LIMIT, {"instrument": 5, "price": 7000, "quantity": 268_440}),
    (R.AMOUNT_OVERFLOW, {"instrument": 5, "quantity": 268_430}),
    (R.INSUFFICIENT_FUNDS, {}),
]


def test_new_order_from_the_frame_to_the_amount(desk):
    """NEW_ORDER: session, number, kind, enums, role, then checks 1 to 8 in their order."""
    desk.send(K.NEW_ORDER, session=2, client_order_id=3)
    climb(desk, K.NEW_ORDER, WRONG_ORDER, ORDER_RUNGS)


def test_new_order_post_only_not_offered_before_phase(desk):
    """NEW_ORDER 2 before 3: an instrument without post-only, in the break."""
    desk.phase(BREAK, 20250811, instrument=6)
    start = {"side": BUY, "order_type": 1, "time_in_force": 1, "flags": 1, "instrument": 6, "account": 2}
    climb(desk, K.NEW_ORDER, start, [(R.INVALID_FLAGS, {"flags": 0}), (R.WRONG_PHASE, {"instrument": 1})])


def test_new_order_without_reference_price(make_world):
    """NEW_ORDER 3 before 4: a daily limit and no previous close; the phase comes first, the account after."""
    world = make_world(venue_of(MARKET_TEXT.replace('previous_close = "70.00"', "")))
    world.account(cash=100)
    world.send(K.SET_ACCOUNT_STATUS, account=1, scope=2)
    world.phase(BREAK, 20250811)
    order = {"side": BUY, "order_type": 2, "time_in_force": 3, "instrument": 1, "account": 1}
    climb(world, K.NEW_ORDER, order, [(R.WRONG_PHASE, {})])
    world.open_day(20250811)
    climb(world, K.NEW_ORDER, order, [(R.NO_REFERENCE_PRICE, {})])


def test_new_order_market_order_needs_a_price_without_limits(make_open_world):
    """NEW_ORDER 5: PRICE_REQUIRED after the account's status, before the quantity."""
    world = make_open_world(seee({"limit_listed_bps": 0}))
    world.send(K.SET_ACCOUNT_STATUS, account=1, scope=2)
    order = {"side": BUY, "order_type": 2, "time_in_force": 3, "instrument": 1, "account": 1}
    rungs = [(R.ACCOUNT_SUSPENDED, {"account": 2}), (R.PRICE_REQUIRED, {"price": 7000}), (R.INVALID_QUANTITY, {})]
    climb(world, K.NEW_ORDER, order, rungs)


def fill_order_table(desk: World) -> None:
    for price in (7100, 7105, 7110, 7115, 7120, 7125, 7130):
        desk.sell(price, 20, account=3)


def test_new_order_from_crossing_to_funds(desk):
    """NEW_ORDER 9 to 12: post-only, FOK, table, funds; each still has the faults below it."""
    fill_order_table(desk)
    order = {"side": BUY, "order_type": 1, "time_in_force": 1, "instrument": 1, "account": 1, "flags": 1}
    order |= {"price": 7700, "quantity": 1_000, "session": 1}
    desk.withdraw_cash(1, 9_000_000)
    climb(
        desk,
        K.NEW_ORDER,
        order,
        [
            (R.POST_ONLY_WOULD_TAKE, {"flags": 0, "time_in_force": 4}),
            (R.FOK_NOT_FILLABLE, {"time_in_force": 1}),
            (R.ORDER_TABLE_FULL, {"time_in_force": 3}),
            (R.INSUFFICIENT_FUNDS, {"side": SELL, "quantity": 1_000}),
        ],
    )


def test_new_order_would_cross(make_open_world):
    """NEW_ORDER 9 under cross_policy REJECT: post-only's own reason first, then WOULD_CROSS, then FOK."""
    world = make_open_world(seee(cross_policy="REJECT"))
    world.sell(7100, 10, account=2)
    order = {"side": BUY, "order_type": 1, "time_in_force": 1, "instrument": 1, "account": 1, "flags": 1}
    order |= {"price": 7100, "quantity": 50}
    rungs = [
        (R.POST_ONLY_WOULD_TAKE, {"flags": 0, "time_in_force": 4}),
        (R.WOULD_CROSS, {"price": 7099}),
        (R.FOK_NOT_FILLABLE, {}),
    ]
    climb(world, K.NEW_ORDER, order, rungs)


def test_new_order_units(make_open_world):
    """NEW_ORDER 12: units bought today, or not there at all."""
    world = make_open_world(accounts=1)
    world.account(cash=10**9, units=10)
    world.sell(7100, 5, account=1)
    world.buy(7100, 5, account=2)
    order = {"side": SELL, "order_type": 1, "time_in_force": 1, "instrument": 1, "account": 2, "price": 7100}
    rungs = [(R.INSUFFICIENT_UNITS, {"quantity": 15}), (R.UNITS_BOUGHT_TODAY, {"quantity": 11})]
    climb(world, K.NEW_ORDER, {**order, "quantity": 16}, [*rungs, (R.UNITS_BOUGHT_TODAY, {})])
    assert world.sell(7100, 10, account=2)[0].startswith("ACCEPTED")


TARGET_RUNGS = [
    (R.UNUSED_FIELD_SET, {"side": 0}),
    (R.INVALID_FLAGS, {"flags": 1}),
    (R.INVALID_FLAGS, {"flags": 4}),
    (R.INVALID_FLAGS, {"flags": 0}),
    (R.NOT_PERMITTED, {"session": 1}),
    (R.UNKNOWN_ORDER, {"target": -1}),
    (R.UNKNOWN_ORDER, {"target": 0}),
    (R.UNKNOWN_ORDER, {"target": 2}),  # another firm's order is as unknown as none
    (R.UNKNOWN_ORDER, {"target": 0, "flags": 2}),
    (R.UNKNOWN_ORDER, {"target": 99}),
    (R.UNKNOWN_ORDER, {"target": 1, "flags": 0}),
]


def test_cancel(desk):
    """CANCEL_ORDER: unused fields, flags, role, target, phase."""
    desk.buy(7000, 20, account=1)
    desk.buy(7000, 20, account=3)
    desk.phase(0, 20250811, instrument=1)
    start = {"session": 2, "side": 1, "flags": 3, "target": 99}
    climb(desk, K.CANCEL_ORDER, start, [*TARGET_RUNGS, (R.WRONG_PHASE, {})])


def test_cancel_in_the_break(make_open_world):
    """CANCEL_ORDER: in the break only where the venue allows it (rule book, L9)."""
    world = make_open_world(seee(break_cancel=False))
    world.buy(7000, 20)
    world.phase(BREAK, 20250811)
    climb(world, K.CANCEL_ORDER, {"target": 1}, [(R.WRONG_PHASE, {})])


def test_replace(desk):
    """REPLACE_ORDER: flags, role, target, phase, account, price, quantity, window, limits, filled, crossing, funds."""
    desk.buy(7000, 60, account=1)
    desk.buy(6900, 20, account=3)
    desk.sell(7000, 20, account=3)
    desk.sell(7100, 20, account=3)
    desk.buy(7000, 20, account=1, flags=1)
    desk.phase(BREAK, 20250811, instrument=1)
    desk.send(K.SET_ACCOUNT_STATUS, account=1, scope=2)
    wrong = {"session": 2, "side": 1, "flags": 3, "target": 99, "price": 0, "quantity": 0}
    climb(desk, K.REPLACE_ORDER, wrong, [*TARGET_RUNGS, (R.WRONG_PHASE, {})])
    desk.open_day(20250811)
    own = {"session": 1, "target": 1, "price": 0, "quantity": 0}
    climb(desk, K.REPLACE_ORDER, own, [(R.ACCOUNT_SUSPENDED, {})])
    desk.send(K.SET_ACCOUNT_STATUS, account=1, scope=1)
    rungs = [
        (R.INVALID_PRICE, {"price": 3}),
        (R.OFF_TICK, {"price": 5}),
        (R.INVALID_QUANTITY, {"quantity": 7}),
        (R.OFF_LOT, {"quantity": 10}),
        (R.QUANTITY_TOO_SMALL, {"quantity": 1_010}),
        (R.QUANTITY_TOO_LARGE, {"quantity": 20}),
        (R.PRICE_OUT_OF_WINDOW, {"price": 7705}),
        (R.PRICE_ABOVE_LIMIT, {"price": 6295}),
        (R.PRICE_BELOW_LIMIT, {"price": 7000}),
        (R.QUANTITY_BELOW_FILLED, {"target": 5, "price": 7100, "quantity": 1_000}),
    ]
    desk.withdraw_cash(1, 10_000_000 - 60 * 7000 - 20 * 7000)
    climb(desk, K.REPLACE_ORDER, own, rungs)
    own = {"session": 1, "target": 5, "price": 7100, "quantity": 1_000}
    climb(desk, K.REPLACE_ORDER, own, [(R.POST_ONLY_WOULD_TAKE, {"price": 7095}), (R.INSUFFICIENT_FUNDS, {})])


def test_mass_cancel(desk):
    """MASS_CANCEL: scope, side, fields without their bit, role, account, instrument."""
    start = {"session": 2, "scope": 16, "side": 3, "account": 99, "instrument": 99}
    rungs = [
        (R.INVALID_SCOPE, {"scope": 4}),
        (R.INVALID_SIDE, {"scope": 3}),
        (R.UNUSED_FIELD_SET, {"scope": 2, "side": 0}),
        (R.UNUSED_FIELD_SET, {"scope": 1}),
        (R.UNUSED_FIELD_SET, {"scope": 3}),
        (R.NOT_PERMITTED, {"session": 1}),
        (R.UNKNOWN_ACCOUNT, {"account": 3}),
        (R.UNKNOWN_ACCOUNT, {"account": 1}),
        (R.UNKNOWN_INSTRUMENT, {"instrument": 0}),
        (R.UNKNOWN_INSTRUMENT, {}),
    ]
    climb(desk, K.MASS_CANCEL, start, rungs)


def test_take(desk):
    """TAKE: the checks of an order, then the listing: known, unchanged, near enough, large enough, another's, funds."""
    fill_order_table(desk)
    start = {"session": 2, "side": 3, "instrument": 99, "account": 99, "target": 99, "flags": 1}
    rungs = [
        (R.UNUSED_FIELD_SET, {"flags": 0}),
        (R.INVALID_SIDE, {"side": 1}),
        (R.NOT_PERMITTED, {"session": 1}),
        (R.UNKNOWN_ACCOUNT, {"account": 2}),
        (R.UNKNOWN_INSTRUMENT, {"instrument": 2}),
        (R.NOT_LISTED, {"instrument": 3}),
        (R.WRONG_PHASE, {"instrument": 1}),
        (R.ACCOUNT_SUSPENDED, {"account": 1}),
        (R.INVALID_PRICE, {"price": 7702}),
        (R.OFF_TICK, {"price": 8005}),
        (R.INVALID_QUANTITY, {"quantity": 25}),
        (R.OFF_LOT, {"quantity": 10}),
        (R.QUANTITY_TOO_SMALL, {"quantity": 1_010}),
        (R.QUANTITY_TOO_LARGE, {"quantity": 1_000}),
        (R.PRICE_OUT_OF_WINDOW, {"price": 7705}),
        (R.PRICE_ABOVE_LIMIT, {"price": 6295}),
        (R.PRICE_BELOW_LIMIT, {"price": 7000}),
        (R.UNKNOWN_ORDER, {"target": 3, "instrument": 6}),
        (R.UNKNOWN_ORDER, {"instrument": 1, "side": 2}),
        (R.UNKNOWN_ORDER, {"side": 1}),
        (R.LISTING_CHANGED, {"price": 7110}),
        (R.BEYOND_DEPTH, {"target": 2, "price": 7105}),
        (R.QUANTITY_EXCEEDS_LISTING, {"quantity": 20}),
        (R.SELF_TRADE, {}),
    ]
    for account in (1, 3):
        desk.send(K.SET_OWNER_GROUP, account=account, quantity2=5)
    desk.withdraw_cash(1, 10_000_000)
    climb(desk, K.TAKE, start, rungs)
    desk.send(K.SET_OWNER_GROUP, account=1)
    mended = {"session": 1, "side": 1, "instrument": 1, "account": 1, "target": 2, "price": 7105, "quantity": 20}
    climb(desk, K.TAKE, mended, [(R.INSUFFICIENT_FUNDS, {})])


def test_take_where_it_is_not_offered(make_world):
    """TAKE is no kind of a venue without it."""
    climb(make_world(plain()), K.TAKE, {"side": 9, "flags": 9}, [(R.INVALID_KIND, {})])


def test_take_strict(market):
    """TAKE with click_strict: the best price only; the quantity comes after."""
    market.sell(7100, 10, account=2)
    market.sell(7101, 10, account=2)
    take = {"side": BUY, "instrument": 1, "account": 1, "target": 2, "price": 7101, "quantity": 11}
    climb(market, K.TAKE, take, [(R.NOT_AT_BEST, {"target": 1, "price": 7100}), (R.QUANTITY_EXCEEDS_LISTING, {})])


def test_not_prefunded_accounts_are_labels(book):
    """NEW_ORDER 1 without pre-funding: any account from 0 on."""
    order = {"side": BUY, "order_type": 1, "time_in_force": 1, "instrument": 1, "account": -1, "price": 1}
    climb(book, K.NEW_ORDER, {**order, "quantity": 1}, [(R.UNKNOWN_ACCOUNT, {})])
    assert book.buy(1, 1, account=0)[0].startswith("ACCEPTED")
    assert book.buy(1, 1, account=2**31 - 1)[0].startswith("ACCEPTED")
