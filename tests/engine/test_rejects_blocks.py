"""Every reason of a reject of a block command, and which comes first (docs/blocks-and-auctions.md section 7)."""

from __future__ import annotations

import pytest

from engine.schema import CommandKind as K
from engine.schema import Reason as R
from engine.venue import Capacity
from tests.engine.block_floor import accept, counter, offer, withdraw
from tests.engine.builders import BLOCK, BREAK, BUY, CONTINUOUS, SELL, World, venue_of
from tests.engine.ladder import climb

pytestmark = pytest.mark.nojit

DATE = 20250811
NORMAL, LATER, LISTED_ONLY, SHUT, NEW, HUGE = 1, 2, 3, 4, 5, 6
TEXT = """
name = "blocks"
currencies = ["CNY"]
assets = ["A"]
composite = "NONE"
[instrument_defaults]
asset = "A"
currency = "CNY"
floor = "60.00"
ceiling = "80.00"
limit_listed_bps = 100
limit_block_bps = 1000
previous_close = "70.00"
price_step = 5
quantity_step = 10
quantity_max = 40
block_min = 50
block_max = 1000
[[instruments]]
symbol = "NORMAL"
[[instruments]]
symbol = "LATER"
listed_from = 2030-01-01
[[instruments]]
symbol = "LISTED-ONLY"
block_min = 0
[[instruments]]
symbol = "SHUT"
[[instruments]]
symbol = "NEW"
previous_close = "75.00"
[[instruments]]
symbol = "HUGE"
tick_value = 2_147_483_648
block_max = 2_147_483_647
"""
MOMENT = 5_000_000


@pytest.fixture
def desk(make_world) -> World:
    """Sessions 1 trader, 2 reader, 3 operator; accounts 1, 2 (suspended) and 5 of firm 1, 3 and 4 of firm 2; two
    negotiations fit. Accounts 3 and 5 share an owner group.
    """
    text = TEXT.replace('previous_close = "75.00"', 'previous_close = "75.00"\nlisted_from = 2025-08-11')
    world = make_world(venue_of(text, capacity=Capacity(orders=7, accounts=5, firms=2, sessions=5, negotiations=4)))
    world.firm()
    world.firm()
    world.session(1, 1)
    world.session(0, 3)
    world.session(0, 2)
    world.account(1, cash=400_000, units=50)
    world.account(1, cash=10**9, units=10_000)
    world.account(2, cash=10**9, units=10_000, group=8)
    world.account(2, cash=10**9, units=10_000)
    world.account(1, group=8)
    world.open_day(DATE)
    world.phase(CONTINUOUS, DATE, mode=BLOCK)
    return world


def spoil(desk: World) -> None:
    """Account 2 is suspended, instrument 4 shut, everything full."""
    desk.send(K.SET_ACCOUNT_STATUS, account=2, scope=2)
    desk.phase(BREAK, DATE, instrument=SHUT, mode=BLOCK)


TERMS = [
    (R.INVALID_PRICE, {"price": 0}),
    (R.INVALID_PRICE, {"price": 3}),
    (R.OFF_TICK, {"price": 5}),
    (R.INVALID_QUANTITY, {"quantity": -1}),
    (R.INVALID_QUANTITY, {"quantity": 2**31}),
    (R.INVALID_QUANTITY, {"quantity": 7}),
    (R.OFF_LOT, {"quantity": 1_007}),
    (R.OFF_LOT, {"quantity": 40}),
    (R.QUANTITY_TOO_SMALL, {"quantity": 1_010}),
    (R.QUANTITY_TOO_LARGE, {"quantity": 1_000}),
    (R.PRICE_OUT_OF_WINDOW, {"price": 8005}),
    (R.PRICE_OUT_OF_WINDOW, {"price": 7705}),
    (R.PRICE_ABOVE_LIMIT, {"price": 6295}),
]
"""Price -1 and quantity 0, mended one by one; PRICE_BELOW_LIMIT is the next fault."""


def test_offer(desk):
    """BLOCK_OFFER: enums, role, account, instrument, counterparty, block open, enabled, expiry, terms, room, funds."""
    for _ in range(4):
        offer(desk, SELL, 7000, 50, account=4)
    spoil(desk)
    start = {
        "session": 3,
        "order_type": 1,
        "side": 0,
        "scope": 2,
        "target": 99,
        "instrument": 99,
        "account": 99,
        "expiry": MOMENT,
        "timestamp": MOMENT,
        "price": -1,
        "quantity": 0,
    }
    rungs = [
        (R.UNUSED_FIELD_SET, {"order_type": 0}),
        (R.INVALID_SIDE, {"side": 3}),
        (R.INVALID_SIDE, {"side": SELL}),
        (R.INVALID_SCOPE, {"scope": 255}),
        (R.INVALID_SCOPE, {"scope": 0}),
        (R.UNUSED_FIELD_SET, {"scope": 1}),
        (R.NOT_PERMITTED, {"session": 2}),
        (R.NOT_PERMITTED, {"session": 1}),
        (R.UNKNOWN_ACCOUNT, {"account": 0}),
        (R.UNKNOWN_ACCOUNT, {"account": -1}),
        (R.UNKNOWN_ACCOUNT, {"account": 3}),  # another firm's
        (R.UNKNOWN_ACCOUNT, {"account": 2}),
        (R.UNKNOWN_INSTRUMENT, {"instrument": 0}),
        (R.UNKNOWN_INSTRUMENT, {"instrument": -1}),
        (R.UNKNOWN_INSTRUMENT, {"instrument": LATER}),
        (R.UNKNOWN_ACCOUNT, {"target": 0}),
        (R.UNKNOWN_ACCOUNT, {"target": -1}),
        (R.UNKNOWN_ACCOUNT, {"target": 2**32 + 3}),
        (R.UNKNOWN_ACCOUNT, {"target": 2}),
        (R.INVALID_COMBINATION, {"target": 3}),
        (R.NOT_LISTED, {"instrument": LISTED_ONLY}),
        (R.MODE_NOT_OFFERED, {"instrument": SHUT}),
        (R.WRONG_PHASE, {"instrument": NORMAL}),
        (R.ACCOUNT_SUSPENDED, {"account": 1}),
        (R.INVALID_EXPIRY, {"expiry": -1}),
        (R.INVALID_EXPIRY, {"expiry": MOMENT + 1}),
        *TERMS,
        (R.PRICE_BELOW_LIMIT, {"instrument": HUGE, "price": 7000, "quantity": 268_440}),
        (R.AMOUNT_OVERFLOW, {"quantity": 268_430}),
        (R.NEGOTIATION_TABLE_FULL, {"instrument": NORMAL, "quantity": 60}),
        (R.NEGOTIATION_TABLE_FULL, {}),
    ]
    climb(desk, K.BLOCK_OFFER, start, rungs)
    withdraw(desk, 1, account=4)
    base = {"session": 1, "side": SELL, "instrument": NORMAL, "account": 1, "price": 7000, "quantity": 60}
    climb(desk, K.BLOCK_OFFER, base, [(R.INSUFFICIENT_UNITS, {"side": BUY}), (R.INSUFFICIENT_FUNDS, {})])


def test_offer_without_reference_price(make_world):
    """Block open: the phase comes before the missing previous close, the account's status after it."""
    world = make_world(venue_of(TEXT.replace('previous_close = "75.00"', "").replace('previous_close = "70.00"', "")))
    world.account()
    world.send(K.SET_ACCOUNT_STATUS, account=1, scope=2)
    world.open_day(DATE)
    start = {"side": SELL, "instrument": NORMAL, "account": 1}
    climb(world, K.BLOCK_OFFER, start, [(R.WRONG_PHASE, {})])
    world.phase(CONTINUOUS, DATE, mode=BLOCK)
    climb(world, K.BLOCK_OFFER, start, [(R.NO_REFERENCE_PRICE, {})])


def test_offer_without_block_limits(make_world):
    """limit_block_bps 0: neither a previous close nor a limit is asked, the window holds."""
    text = TEXT.replace('previous_close = "70.00"', "").replace("limit_block_bps = 1000", "limit_block_bps = 0")
    world = make_world(venue_of(text))
    world.account(units=10_000)
    world.open_day(DATE)
    world.phase(CONTINUOUS, DATE, mode=BLOCK)
    start = {"side": SELL, "instrument": NORMAL, "account": 1, "price": 8005, "quantity": 50}
    climb(world, K.BLOCK_OFFER, start, [(R.PRICE_OUT_OF_WINDOW, {"price": 5995}), (R.PRICE_OUT_OF_WINDOW, {})])
    for price in (6000, 8000):
        assert offer(world, SELL, price, 50, account=1)[0].startswith("BLOCK_OFFERED")


def test_units_bought_today(desk):
    """Funds as NEW_ORDER 12: bought today is told apart, for offers, counters and acceptance."""
    desk.sell(7000, 10, account=3)
    desk.buy(7000, 10, account=1)
    base = {"session": 1, "account": 1, "price": 7000, "quantity": 60}
    climb(desk, K.BLOCK_OFFER, {**base, "side": SELL, "instrument": NORMAL}, [(R.UNITS_BOUGHT_TODAY, {})])
    offer(desk, BUY, 7000, 60, account=3)
    climb(desk, K.BLOCK_COUNTER, {**base, "target": 1}, [(R.UNITS_BOUGHT_TODAY, {"quantity": 70})])
    climb(desk, K.BLOCK_COUNTER, {**base, "target": 1, "quantity": 70}, [(R.INSUFFICIENT_UNITS, {})])
    climb(desk, K.BLOCK_ACCEPT, {**base, "target": 1}, [(R.UNITS_BOUGHT_TODAY, {})])


def prepare_answers(desk: World) -> None:
    """Negotiations 1 named to account 4, 2 of account 2 itself, 3 on the shut instrument, 4 public until MOMENT."""
    offer(desk, SELL, 7000, 50, account=3, to=4)
    offer(desk, SELL, 7000, 50, account=2)
    offer(desk, SELL, 7000, 50, account=3, instrument=SHUT)
    offer(desk, SELL, 7000, 60, account=3, expiry=MOMENT)
    spoil(desk)


ANSWER = {"session": 3, "side": 1, "target": 99, "account": 99, "timestamp": MOMENT, "price": -1, "quantity": 0}
TO_THE_TERMS = [
    (R.UNUSED_FIELD_SET, {"side": 0}),
    (R.NOT_PERMITTED, {"session": 2}),
    (R.NOT_PERMITTED, {"session": 1}),
    (R.UNKNOWN_ACCOUNT, {"account": 0}),
    (R.UNKNOWN_ACCOUNT, {"account": -1}),
    (R.UNKNOWN_ACCOUNT, {"account": 3}),
    (R.UNKNOWN_ACCOUNT, {"account": 2}),
    (R.UNKNOWN_NEGOTIATION, {"target": 0}),
    (R.UNKNOWN_NEGOTIATION, {"target": -1}),
    (R.UNKNOWN_NEGOTIATION, {"target": 1}),  # between two others
    (R.UNKNOWN_NEGOTIATION, {"target": 2}),
    (R.OWN_TERMS, {"target": 3}),
    (R.WRONG_PHASE, {"target": 4}),
    (R.ACCOUNT_SUSPENDED, {"account": 1}),
    (R.NEGOTIATION_EXPIRED, {"timestamp": MOMENT - 1}),
]


def test_counter(desk):
    """BLOCK_COUNTER: role, account, visible, own, block open, enabled, expired, terms, room, funds."""
    prepare_answers(desk)
    rungs = [
        *TO_THE_TERMS,
        *TERMS,
        (R.PRICE_BELOW_LIMIT, {"price": 7000}),
        (R.NEGOTIATION_TABLE_FULL, {"quantity": 60}),
        (R.NEGOTIATION_TABLE_FULL, {}),
    ]
    climb(desk, K.BLOCK_COUNTER, ANSWER, rungs)
    withdraw(desk, 2, account=2)
    poor = {"session": 1, "target": 4, "account": 1, "price": 7000, "quantity": 60}
    climb(desk, K.BLOCK_COUNTER, poor, [(R.INSUFFICIENT_FUNDS, {"quantity": 50})])
    assert counter(desk, 4, 7000, 50, account=1, session=1)[0].startswith("BLOCK_OFFERED")


def test_counter_that_is_too_large(desk):
    """The terms' last check: the amount at the ceiling."""
    offer(desk, SELL, 7000, 50, account=3, instrument=HUGE)
    start = {"target": 1, "account": 4, "price": 7000, "quantity": 268_440}
    climb(desk, K.BLOCK_COUNTER, start, [(R.AMOUNT_OVERFLOW, {"quantity": 268_430}), (R.INSUFFICIENT_FUNDS, {})])


def test_accept(desk):
    """BLOCK_ACCEPT: role, account, visible, own, block open, enabled, expired, changed, self-trade, funds."""
    prepare_answers(desk)
    rungs = [
        *TO_THE_TERMS,
        (R.TERMS_CHANGED, {"price": 7000}),
        (R.TERMS_CHANGED, {"quantity": 60, "account": 5}),
        (R.SELF_TRADE, {"account": 1}),
        (R.INSUFFICIENT_FUNDS, {}),
    ]
    climb(desk, K.BLOCK_ACCEPT, ANSWER, rungs)
    assert accept(desk, 1, 7000, 50, account=4)[0].startswith("BLOCK_TRADE")


def test_withdraw(desk):
    """BLOCK_WITHDRAW: role, account, one of the two; neither phase nor status is asked."""
    prepare_answers(desk)
    desk.send(K.SET_ACCOUNT_STATUS, account=1, scope=2)
    start = {"session": 3, "price": 1, "target": 99, "account": 99}
    rungs = [
        (R.UNUSED_FIELD_SET, {"price": 0}),
        (R.NOT_PERMITTED, {"session": 2}),
        (R.NOT_PERMITTED, {"session": 1}),
        (R.UNKNOWN_ACCOUNT, {"account": 3}),
        (R.UNKNOWN_ACCOUNT, {"account": 1}),
        (R.UNKNOWN_NEGOTIATION, {"target": 0}),
        (R.UNKNOWN_NEGOTIATION, {"target": 1}),
        (R.UNKNOWN_NEGOTIATION, {"target": 4}),  # public, and somebody else's
        (R.UNKNOWN_NEGOTIATION, {}),
    ]
    climb(desk, K.BLOCK_WITHDRAW, start, rungs)
    assert withdraw(desk, 3, account=3)[0].startswith("BLOCK_ENDED USER_REQUESTED instrument=4")


@pytest.mark.parametrize(
    ("kill", "reason"),
    [
        ({"scope": 4}, R.VENUE_HALTED),
        ({"scope": 3, "instrument": NORMAL}, R.INSTRUMENT_HALTED),
        ({"scope": 1, "target": 1}, R.FIRM_STOPPED),
    ],
)
def test_stopped(desk, kill, reason):
    """Section 10.2: halts are asked before the phase, the firm's status after the account's."""
    halt = reason != R.FIRM_STOPPED
    desk.phase(BREAK, DATE, instrument=SHUT, mode=BLOCK)
    desk.send(K.KILL_SWITCH, **kill)
    desk.send(K.SET_ACCOUNT_STATUS, account=1, scope=2)
    start = {"side": SELL, "instrument": NORMAL, "account": 1, "price": 7000, "quantity": 50}
    if halt:
        desk.phase(BREAK, DATE, instrument=NORMAL, mode=BLOCK)
        resume = {name: value for name, value in kill.items() if name != "scope"}
        climb(desk, K.BLOCK_OFFER, start, [(reason, {})])
        desk.send(K.KILL_SWITCH, scope=kill["scope"], side=1, **resume)
        climb(desk, K.BLOCK_OFFER, start, [(R.WRONG_PHASE, {})])
        return
    offer(desk, SELL, 7000, 50, account=3)
    for kind, extra in ((K.BLOCK_OFFER, {}), (K.BLOCK_COUNTER, {"target": 1}), (K.BLOCK_ACCEPT, {"target": 1})):
        fields = {
            name: value for name, value in start.items() if kind == K.BLOCK_OFFER or name not in ("side", "instrument")
        }
        climb(desk, kind, {**fields, **extra}, [(R.ACCOUNT_SUSPENDED, {"account": 5}), (R.FIRM_STOPPED, {})])


def test_killing_ends_negotiations(desk):
    """Section 10.2: those whose standing terms are of what is stopped end by id; withdrawal always works."""
    offer(desk, SELL, 7000, 50, account=3)
    offer(desk, SELL, 7000, 50, account=2, to=3)
    offer(desk, SELL, 7000, 50, account=4, to=3)
    events = desk.send(K.KILL_SWITCH, scope=1, target=2)
    assert events == [
        "BLOCK_ENDED KILLED side=2 price=7000 quantity=50 account=3 order_id=1 aux=50",
        "BLOCK_ENDED KILLED side=2 price=7000 quantity=50 account=4 contra_account=3 order_id=3 aux=50",
        "KILL_SWITCH_SET side=1 quantity=2 order_id=2",
    ]
    assert withdraw(desk, 2, account=3)[0].startswith("BLOCK_ENDED USER_REQUESTED")


def test_member_limits(desk):
    """Section 10.1: asked after the terms (TERMS_CHANGED), before room, self-trade and funds; ORDER_QUANTITY = 50."""
    for _ in range(4):
        offer(desk, SELL, 7000, 60, account=3)
    first = {"side": BUY, "instrument": NORMAL, "account": 1, "price": 7000, "quantity": 60}
    answer = {"target": 1, "account": 1, "price": 7000, "quantity": 60}
    small = (R.MAX_ORDER_QUANTITY, {"quantity": 50})
    desk.send(K.SET_LIMIT, scope=1, quantity=50)
    climb(desk, K.BLOCK_OFFER, first, [small, (R.NEGOTIATION_TABLE_FULL, {})])
    climb(desk, K.BLOCK_COUNTER, answer, [small, (R.NEGOTIATION_TABLE_FULL, {})])
    rungs = [(R.TERMS_CHANGED, {"price": 7000}), (R.MAX_ORDER_QUANTITY, {})]
    climb(desk, K.BLOCK_ACCEPT, {**answer, "account": 5, "price": 7005}, rungs)
    desk.send(K.SET_LIMIT, scope=1)
    rungs = [(R.SELF_TRADE, {"account": 1}), (R.INSUFFICIENT_FUNDS, {})]
    climb(desk, K.BLOCK_ACCEPT, {**answer, "account": 5}, rungs)
