"""Every reason of a reject, and which comes first (docs/engine.md sections 1 to 5).

A ladder starts with a command that is wrong in every way and mends one fault at a time: each rung still has all the
faults below it, so its reason shows that this check comes before the next one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.schema import CommandKind as K
from engine.schema import Reason
from engine.venue import Capacity
from tests.engine.builders import BREAK, BUY, CONTINUOUS, SELL, World, plain, seee, venue_of

pytestmark = pytest.mark.nojit

MARKET_TEXT = """
name = "ladder"
currencies = ["CNY"]
assets = ["A"]
click_strict = false
sweep_levels = 2
composite = "NONE"
[instrument_defaults]
asset = "A"
currency = "CNY"
floor = "60.00"
ceiling = "80.00"
limit_listed_bps = 1000
previous_close = "70.00"
price_step = 5
quantity_step = 10
quantity_min = 20
quantity_max = 1000
[[instruments]]
symbol = "NORMAL"
[[instruments]]
symbol = "LATER"
listed_from = 2030-01-01
[[instruments]]
symbol = "BREAK"
order_types = ["market"]
times_in_force = ["ioc"]
[[instruments]]
symbol = "NEW"
[[instruments]]
symbol = "HUGE"
tick_value = 2_147_483_648
quantity_max = 2_147_483_647
[[instruments]]
symbol = "PASSIVE"
post_only = false
"""
ORDER = ("side", "price", "quantity", "account", "client_order_id")


def rejected(world: World, kind: int, reason: Reason, fields: dict[str, int]) -> str:
    """The one event that a reject gives: the command's own words."""
    instrument = fields.get("instrument", 0)
    known = 1 <= instrument <= len(world.venue.instruments)
    phase = int(world.engine.state()["instruments"][instrument - 1]["listed_phase"]) if known else 0
    words = ["REJECTED", reason.name]
    if instrument not in (0, 1):
        words.append(f"instrument={instrument}")
    if phase != (CONTINUOUS if instrument else 0):
        words.append(f"phase={phase}")
    words += [f"{name}={fields[name]}" for name in ORDER if fields.get(name)]
    words.append(f"aux={kind}")
    words += [f"aux2={fields['target']}"] if fields.get("target") else []
    words += [f"session={fields['session']}"] if fields.get("session") else []
    return " ".join(words)


def climb(world: World, kind: int, start: dict[str, int], rungs: list[tuple[Reason, dict[str, int]]]) -> None:
    """Send the command; after each reject mend what the rung says. A reject changes nothing but numbers."""
    fields = dict(start)
    for reason, mend in rungs:
        before = {name: section.tobytes() for name, section in world.engine.state().items()}
        sent = {name: value for name, value in fields.items() if name != "kind"}
        kind_sent = fields.get("kind", kind)
        if sent.get("session") and "client_order_id" not in sent:
            sent["client_order_id"] = world.numbers.get(sent["session"], 0) + 1
        assert world.send(kind_sent, **sent) == [rejected(world, kind_sent, reason, sent)], reason
        after = {name: section.tobytes() for name, section in world.engine.state().items()}
        assert {name for name in after if after[name] != before[name]} <= {"header", "sessions"}
        fields.update(mend)
        fields = {name: value for name, value in fields.items() if value is not None}


@pytest.fixture
def desk(make_world) -> World:
    """Sessions 1 trader, 2 reader, 3 operator, 4 ended; accounts 1 and 2 of firm 1 (2 suspended), 3 of firm 2."""
    world = make_world(venue_of(MARKET_TEXT, capacity=Capacity(orders=7, accounts=4, firms=2, sessions=5)))
    world.firm()
    world.firm()
    world.session(1, 1)
    world.session(0, 3)
    world.session(0, 2)
    world.session(1, 1)
    world.send(K.SET_SESSION_STATUS, target=4, scope=3)
    world.account(1, cash=10_000_000, units=10_000)
    world.account(1)
    world.account(2, cash=10_000_000, units=10_000)
    world.send(K.SET_ACCOUNT_STATUS, account=2, scope=2)
    world.open_day(20250811)
    world.phase(BREAK, 20250811, instrument=3)
    return world


R = Reason
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
    "target": 5,
}
ORDER_RUNGS = [
    (R.UNKNOWN_SESSION, {"session": -1}),
    (R.UNKNOWN_SESSION, {"session": 4}),
    (R.SESSION_ENDED, {"session": 2, "client_order_id": 0}),
    (R.STALE_CLIENT_ORDER_ID, {"client_order_id": None}),
    (R.INVALID_KIND, {"kind": 1}),
    (R.UNUSED_FIELD_SET, {"target": 0}),
    (R.INVALID_SIDE, {"side": 0}),
    (R.INVALID_SIDE, {"side": BUY}),
    (R.INVALID_ORDER_TYPE, {"order_type": 3}),
    (R.INVALID_ORDER_TYPE, {"order_type": 0}),
    (R.INVALID_ORDER_TYPE, {"order_type": 2}),
    (R.INVALID_TIME_IN_FORCE, {"time_in_force": 5}),
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


def test_phase_and_day(make_open_world):
    """SET_PHASE, the end-of-day stages, SET_REFERENCE and CLOCK_ANCHOR."""
    world = make_open_world(seee())
    world.session(1, 1)
    start = {"session": 1, "scope": 0, "quantity": 2, "expiry": -1, "instrument": 99, "price": 1}
    rungs = [
        (R.UNUSED_FIELD_SET, {"price": 0}),
        (R.INVALID_SCOPE, {"scope": 4}),
        (R.INVALID_SCOPE, {"scope": 1}),
        (R.INVALID_PHASE, {"quantity": 5}),
        (R.INVALID_PHASE, {"quantity": 2**40 + 3}),
        (R.INVALID_PHASE, {"quantity": 3}),
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


def test_not_prefunded_accounts_are_labels(book):
    """NEW_ORDER 1 without pre-funding: any account from 0 on."""
    order = {"side": BUY, "order_type": 1, "time_in_force": 1, "instrument": 1, "account": -1, "price": 1}
    climb(book, K.NEW_ORDER, {**order, "quantity": 1}, [(R.UNKNOWN_ACCOUNT, {})])
    assert book.buy(1, 1, account=0)[0].startswith("ACCEPTED")
    assert book.buy(1, 1, account=2**31 - 1)[0].startswith("ACCEPTED")


def test_every_engine_reason_is_reached_here():
    """No reason from 1xx to 5xx that an engine can give lacks a rung; gateway reasons are the gateway's own."""
    source = Path(__file__).read_text("utf-8")
    gateway = {104, *range(110, 120)}
    asked = [reason for reason in Reason if 100 < reason < 600 and reason not in gateway]
    assert [reason.name for reason in asked if f"(R.{reason.name}, " not in source] == []
