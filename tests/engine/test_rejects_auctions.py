"""Every reason of a reject of an auction command, and which comes first (docs/blocks-and-auctions.md section 8)."""

from __future__ import annotations

import pytest

from engine.schema import CommandKind as K
from engine.schema import Reason as R
from engine.venue import Capacity
from tests.engine.auction_hall import (
    DATE,
    RANDOM,
    SEED,
    SEED_HASH,
    announce,
    bid,
    close_window,
    commit,
    open_window,
    reveal,
)
from tests.engine.builders import BIDDING, BREAK, BUY, CONTINUOUS, SELL, last_id, venue_of
from tests.engine.ladder import climb

DESK_TEXT = """
name = "auction desk"
currencies = ["CNY"]
assets = ["A"]
composite = "NONE"
[instrument_defaults]
asset = "A"
currency = "CNY"
floor = "60.00"
ceiling = "80.00"
price_step = 5
auction = true
auction_step = 10
auction_min = 20
auction_bid_max = 1000
[[instruments]]
symbol = "NORMAL"
[[instruments]]
symbol = "LATER"
listed_from = 2030-01-01
[[instruments]]
symbol = "NONE"
auction = false
[[instruments]]
symbol = "BOUND"
limit_listed_bps = 1000
previous_close = "70.00"
auction_reserve = "CLOSE_OR_LOWER_LIMIT"
auction_cap = "UPPER_LIMIT"
[[instruments]]
symbol = "NEW"
limit_listed_bps = 1000
auction_reserve = "CLOSE_OR_LOWER_LIMIT"
[[instruments]]
symbol = "CAPPED"
limit_listed_bps = 1000
auction_cap = "UPPER_LIMIT"
[[instruments]]
symbol = "HUGE"
tick_value = 2_147_483_648
auction_bid_max = 2_147_483_647
[[instruments]]
symbol = "UNLIMITED"
previous_close = "70.00"
auction_reserve = "CLOSE_OR_LOWER_LIMIT"
auction_cap = "UPPER_LIMIT"
"""
TRADER, OPERATOR, READER, FOREIGN = 1, 2, 3, 4
CASH, UNITS = 10_000_000, 10_000


@pytest.fixture
def desk(make_world):
    """Sessions 1 trader and 3 reader of firm 1, 2 operator, 4 trader of firm 2; accounts 1 and 2 of firm 1 (2 is
    suspended), 3 of firm 2, 4 of firm 3 in the owner group of account 1."""
    capacity = Capacity(orders=5, accounts=5, firms=3, sessions=5, auctions=2, bids=2)
    world = make_world(venue_of(DESK_TEXT, capacity=capacity))
    for _ in range(3):
        world.firm()
    for firm, role in ((1, 1), (0, 2), (1, 3), (2, 1)):
        world.session(firm, role)
    world.account(1, group=7, cash=CASH, units=UNITS)
    world.account(1, group=7)
    world.account(2, cash=CASH, units=UNITS)
    world.account(3, group=7, cash=CASH, units=UNITS)
    world.send(K.SET_ACCOUNT_STATUS, account=2, scope=2)
    world.open_day(DATE)
    return world


WRONG_ANNOUNCEMENT = {
    "session": READER, "account": 99, "price": -5, "price2": -5, "quantity": 0, "scope": 3, "target": -1,
}  # fmt: skip
PRICES = [
    (R.INVALID_PRICE, {"price": 0}),
    (R.INVALID_PRICE, {"price": 1}),
    (R.OFF_TICK, {"price": 5_995}),
    (R.PRICE_OUT_OF_WINDOW, {"price": 8_005}),
    (R.PRICE_OUT_OF_WINDOW, {"price": 7_500}),
    (R.INVALID_PRICE, {"price2": 3}),
    (R.OFF_TICK, {"price2": 8_005}),
    (R.PRICE_OUT_OF_WINDOW, {"price2": 7_495}),
    (R.INVALID_COMBINATION, {"price2": 7_500}),
    (R.INVALID_QUANTITY, {"quantity": -10}),
    (R.INVALID_QUANTITY, {"quantity": 2**31}),
    (R.INVALID_QUANTITY, {"quantity": 15}),
    (R.OFF_LOT, {"quantity": 10}),
]


def test_announcement(desk):
    """From the enums to the day's stage; then the terms of an instrument with bounds."""
    desk.stop()
    rungs = [
        (R.INVALID_SIDE, {"side": 3}),
        (R.INVALID_SIDE, {"side": SELL}),
        (R.INVALID_SCOPE, {"scope": 3 << 4}),
        (R.INVALID_SCOPE, {"scope": 2 | 3 << 2 | 2 << 4 | 3 << 6}),
        (R.NOT_PERMITTED, {"session": TRADER}),
        (R.NOT_PERMITTED, {"session": OPERATOR}),
        (R.UNKNOWN_ACCOUNT, {"account": 0}),
        (R.UNKNOWN_ACCOUNT, {"account": 3}),
        (R.UNKNOWN_INSTRUMENT, {"instrument": 9}),
        (R.UNKNOWN_INSTRUMENT, {"instrument": 2}),
        (R.NOT_LISTED, {"instrument": 3}),
        (R.MODE_NOT_OFFERED, {"instrument": 1}),
        (R.DAY_CLOSED, {}),
    ]
    climb(desk, K.ANNOUNCE_AUCTION, WRONG_ANNOUNCEMENT, rungs)


def test_terms_of_an_announcement(desk):
    start = {**WRONG_ANNOUNCEMENT, "session": OPERATOR, "account": 3, "side": SELL, "scope": 0, "instrument": 5}
    rungs = [
        *PRICES,
        (R.QUANTITY_TOO_SMALL, {"quantity": 1_000_000}),
        (R.NO_REFERENCE_PRICE, {"instrument": 4}),
        (R.BELOW_RESERVE, {"price": 7_000}),
        (R.INVALID_AMOUNT, {"target": 10_001}),
        (R.INVALID_AMOUNT, {"target": 10_000, "quantity2": -1}),
        (R.INVALID_AMOUNT, {"quantity2": 2**31}),
        (R.INVALID_AMOUNT, {"quantity2": 2**31 - 1}),
        (R.INSUFFICIENT_UNITS, {"quantity": 10_010}),
        (R.INSUFFICIENT_UNITS, {}),
    ]
    climb(desk, K.ANNOUNCE_AUCTION, start, rungs)
    assert announce(desk, 7_000, 10_000, instrument=4, account=3)[0].startswith("AUCTION_ANNOUNCED")


def test_amounts_and_room_of_an_announcement(desk):
    """AMOUNT_OVERFLOW, then the table, then funds; a reverse one needs cash."""
    start = {"side": BUY, "account": 3, "instrument": 7, "price": 7_000, "price2": 6_500, "quantity": 300_000}
    for _ in range(2):
        announce(desk, 7_000, 20)
    rungs = [
        (R.AMOUNT_OVERFLOW, {"quantity": 268_430}),
        (R.AUCTION_TABLE_FULL, {}),
    ]
    climb(desk, K.ANNOUNCE_AUCTION, start, rungs)
    desk.send(K.CANCEL_AUCTION, target=1)
    climb(desk, K.ANNOUNCE_AUCTION, {**start, "quantity": 20}, [(R.INSUFFICIENT_FUNDS, {})])
    assert announce(desk, 7_000, 20, side=BUY, account=3)[0].startswith("AUCTION_ANNOUNCED")
    assert announce(desk, 7_000, 20, account=3)[0].startswith("REJECTED AUCTION_TABLE_FULL")


def test_units_bought_today_are_not_for_auctions(desk):
    desk.buy(7_000, 10, account=3)
    desk.sell(7_000, 10, account=4)
    assert announce(desk, 7_000, UNITS + 10, account=3)[0].startswith("REJECTED UNITS_BOUGHT_TODAY")
    assert announce(desk, 7_000, UNITS + 20, account=3)[0].startswith("REJECTED INSUFFICIENT_UNITS")


@pytest.mark.parametrize(
    ("side", "price", "price2", "instrument", "outcome"),
    [
        (SELL, 7_000, 0, 6, "NO_REFERENCE_PRICE"),
        (SELL, 7_000, 0, 4, 7_700),
        (SELL, 7_000, 7_500, 4, 7_500),
        (SELL, 7_000, 7_800, 4, 7_700),
        (SELL, 6_300, 0, 4, 7_700),
        (SELL, 6_305, 0, 4, "BELOW_RESERVE"),
        (SELL, 7_700, 0, 4, "BELOW_RESERVE"),
        (BUY, 7_000, 0, 4, 6_300),
        (BUY, 7_700, 7_000, 4, 7_000),
        (BUY, 7_700, 6_200, 4, 6_300),
        (BUY, 6_300, 0, 4, "BELOW_RESERVE"),
        (BUY, 7_000, 7_005, 1, "INVALID_COMBINATION"),
        (BUY, 7_000, 7_000, 1, 7_000),
        (SELL, 7_000, 0, 1, 0),
        (SELL, 7_000, 7_500, 8, 7_500),
        (SELL, 7_000, 0, 8, 0),
        (SELL, 6_300, 0, 8, "BELOW_RESERVE"),
    ],
)
def test_reserve_and_cap(desk, side, price, price2, instrument, outcome):
    """The floor is the previous close or the limit below it, the cap the limit above it or a stated one inside."""
    event = announce(desk, price, 20, side=side, account=3, instrument=instrument, price2=price2)[0]
    if isinstance(outcome, str):
        assert event.startswith(f"REJECTED {outcome}")
    else:
        assert event.startswith("AUCTION_ANNOUNCED")
        assert desk.row("auctions", id=1)["cap"] == outcome


def test_a_reserve_beyond_the_days_limit(desk):
    """Without a rule for the reserve the cap may come out worse than it: nobody could bid."""
    desk.end_of_day()
    desk.reference(7_000, instrument=6)
    desk.open_day(DATE + 1)
    for side, price, price2 in ((SELL, 7_705, 0), (SELL, 7_705, 8_000), (BUY, 6_295, 0), (BUY, 6_295, 6_000)):
        event = announce(desk, price, 20, side=side, account=3, instrument=6, price2=price2)[0]
        assert event.startswith("REJECTED INVALID_COMBINATION"), event
    assert announce(desk, 7_700, 20, account=3, instrument=6)[0].startswith("AUCTION_ANNOUNCED")


OF_AN_AUCTION = [K.OPEN_AUCTION, K.CLOSE_AUCTION, K.CANCEL_AUCTION]


@pytest.mark.parametrize("kind", OF_AN_AUCTION)
def test_who_conducts_an_auction(desk, kind):
    rungs = [
        (R.NOT_PERMITTED, {"session": READER}),
        (R.NOT_PERMITTED, {"session": OPERATOR}),
        (R.UNKNOWN_AUCTION, {"target": 2}),
        (R.UNKNOWN_AUCTION, {"target": -1}),
        (R.UNKNOWN_AUCTION, {}),
    ]
    announce(desk, 7_000, 20)
    climb(desk, kind, {"session": TRADER}, rungs)


@pytest.mark.parametrize("kind", [K.COMMIT_SEED, K.REVEAL_SEED])
def test_who_states_a_seed(desk, kind):
    rungs = [
        (R.NOT_PERMITTED, {"session": READER}),
        (R.NOT_PERMITTED, {"session": OPERATOR}),
        (R.UNKNOWN_AUCTION, {"account": 2}),
        (R.UNKNOWN_AUCTION, {"account": -1}),
        (R.UNKNOWN_AUCTION, {}),
    ]
    announce(desk, 7_000, 20)
    climb(desk, kind, {"session": TRADER, "target": 5}, rungs)


def refused(events: list[str], reason: R) -> bool:
    return events[0].startswith(f"REJECTED {reason.name}")


def test_opening(desk):
    """Stage, day, halts, seed."""
    announce(desk, 7_000, 20, scope=RANDOM)
    desk.send(K.KILL_SWITCH, scope=4)
    desk.send(K.KILL_SWITCH, scope=3, instrument=1)
    desk.stop()
    assert refused(open_window(desk), R.DAY_CLOSED)
    for step in (desk.expire, desk.fix_close, desk.settle):
        step()
        assert refused(open_window(desk), R.DAY_CLOSED)
    desk.open_day(DATE + 1)
    assert refused(open_window(desk), R.VENUE_HALTED)
    desk.send(K.KILL_SWITCH, scope=4, side=1)
    assert refused(open_window(desk), R.INSTRUMENT_HALTED)
    desk.send(K.KILL_SWITCH, scope=3, side=1, instrument=1)
    assert refused(open_window(desk), R.SEED_NOT_COMMITTED)
    assert refused(close_window(desk), R.WRONG_AUCTION_STAGE)
    commit(desk, SEED_HASH)
    assert open_window(desk)[0].startswith("AUCTION_OPENED")
    assert refused(open_window(desk), R.WRONG_AUCTION_STAGE)
    assert refused(reveal(desk, SEED), R.WRONG_AUCTION_STAGE)
    desk.send(K.KILL_SWITCH, scope=4)
    assert close_window(desk)[0].startswith("AUCTION_CLOSED")
    assert refused(reveal(desk, SEED_HASH), R.SEED_MISMATCH)
    assert reveal(desk, SEED)[0].startswith("SEED_REVEALED")


TERMS = [
    (R.INVALID_PRICE, {"price": -5}),
    (R.INVALID_PRICE, {"price": 7_001}),
    (R.OFF_TICK, {"price": 8_005}),
    (R.INVALID_QUANTITY, {"quantity": -10}),
    (R.INVALID_QUANTITY, {"quantity": 2**31}),
    (R.INVALID_QUANTITY, {"quantity": 1_005}),
    (R.OFF_LOT, {"quantity": 1_010}),
    (R.QUANTITY_TOO_LARGE, {"quantity": 1_000}),
    (R.PRICE_OUT_OF_WINDOW, {"price": 5_995}),
    (R.PRICE_OUT_OF_WINDOW, {"price": 6_995}),
    (R.BELOW_RESERVE, {"price": 7_505}),
    (R.ABOVE_CAP, {"price": 7_500}),
]


def test_a_bid_before_its_terms(desk):
    """From the enums to the halts and those who are stopped; then the owner group, then the terms."""
    announce(desk, 7_000, 1_000, price2=7_500, account=1)
    start = {"side": 3, "session": READER, "account": 99, "price": 0, "quantity": 0}
    rungs = [
        (R.INVALID_SIDE, {"side": 0}),
        (R.INVALID_SIDE, {"side": SELL}),
        (R.NOT_PERMITTED, {"session": OPERATOR}),
        (R.NOT_PERMITTED, {"session": TRADER}),
        (R.UNKNOWN_ACCOUNT, {"account": 3}),
        (R.UNKNOWN_ACCOUNT, {"account": 2}),
        (R.UNKNOWN_AUCTION, {"target": 1}),
        (R.UNKNOWN_AUCTION, {"target": 1, "instrument": 4}),
        (R.UNKNOWN_AUCTION, {"target": 0, "instrument": 1}),
        (R.UNKNOWN_AUCTION, {"target": 2}),
        (R.UNKNOWN_AUCTION, {"target": 1}),
        (R.INVALID_SIDE, {"side": BUY}),
        (R.WRONG_AUCTION_STAGE, {}),
    ]
    climb(desk, K.AUCTION_BID, start, rungs)
    stopped = {"side": BUY, "session": TRADER, "account": 2, "target": 1, "instrument": 1, "price": 0, "quantity": 0}
    open_window(desk)
    desk.send(K.FIRM_KILL, session=TRADER)
    desk.send(K.KILL_SWITCH, scope=4)
    desk.send(K.KILL_SWITCH, scope=3, instrument=1)
    desk.phase(BREAK, DATE, mode=BIDDING)
    climb(desk, K.AUCTION_BID, stopped, [(R.WRONG_PHASE, {})])
    desk.phase(CONTINUOUS, DATE, mode=BIDDING)
    climb(desk, K.AUCTION_BID, stopped, [(R.VENUE_HALTED, {})])
    desk.send(K.KILL_SWITCH, scope=4, side=1)
    climb(desk, K.AUCTION_BID, stopped, [(R.INSTRUMENT_HALTED, {})])
    desk.send(K.KILL_SWITCH, scope=3, side=1, instrument=1)
    climb(desk, K.AUCTION_BID, stopped, [(R.ACCOUNT_SUSPENDED, {"account": 1}), (R.FIRM_STOPPED, {})])
    desk.send(K.FIRM_KILL, session=TRADER, scope=1)
    own = {**stopped, "account": 1, "session": 0}
    climb(desk, K.AUCTION_BID, own, [(R.SELF_TRADE, {"account": 4}), (R.SELF_TRADE, {"account": 3}), *TERMS])


def test_room_and_funds_of_a_bid(desk):
    """Member limits, then the table, then cash."""
    announce(desk, 7_000, 1_000)
    open_window(desk)
    for _ in range(2):
        assert bid(desk, 7_000, 10, account=3)[0].startswith("BID_ACCEPTED")
    desk.send(K.SET_LIMIT, scope=1, quantity=500)
    wrong = {"side": BUY, "instrument": 1, "account": 3, "target": 1, "price": 8_000, "quantity": 1_000}
    climb(
        desk,
        K.AUCTION_BID,
        {**wrong, "account": 3},
        [(R.MAX_ORDER_QUANTITY, {"quantity": 500}), (R.BID_TABLE_FULL, {})],
    )
    desk.send(K.AUCTION_BID_WITHDRAW, target=1)
    desk.send(K.SET_LIMIT, scope=1)
    desk.withdraw_cash(3, CASH - 70_000 * 2)
    climb(desk, K.AUCTION_BID, wrong, [(R.INSUFFICIENT_FUNDS, {})])
    assert bid(desk, 7_000, 10, account=3)[0].startswith("BID_ACCEPTED")


def test_a_bid_whose_amount_overflows(desk):
    """At the ceiling of 80.00: 8,000 x 268,440 x 2^31 passes 2^62."""
    announce(desk, 7_000, 20, account=3, instrument=7)
    open_window(desk)
    wrong = {"side": BUY, "instrument": 7, "account": 4, "target": 1, "price": 7_000, "quantity": 268_440}
    climb(desk, K.AUCTION_BID, wrong, [(R.AMOUNT_OVERFLOW, {"quantity": 268_430}), (R.INSUFFICIENT_FUNDS, {})])


def test_offers_of_a_reverse_auction(desk):
    """Units that are missing; the reserve is above, the cap below."""
    announce(desk, 7_000, 100, side=BUY, account=4, price2=6_500)
    open_window(desk)
    wrong = {"side": SELL, "instrument": 1, "account": 3, "target": 1, "price": 7_005, "quantity": 1_000}
    rungs = [(R.BELOW_RESERVE, {"price": 6_495}), (R.ABOVE_CAP, {"price": 6_500}), (R.INSUFFICIENT_UNITS, {})]
    desk.withdraw_units(3, UNITS - 100)
    climb(desk, K.AUCTION_BID, wrong, rungs)
    climb(
        desk, K.AUCTION_BID, {**wrong, "side": BUY}, [(R.INVALID_SIDE, {"side": SELL, "price": 7_000, "quantity": 110})]
    )
    assert bid(desk, 7_000, 100, account=3, side=SELL)[0].startswith("BID_ACCEPTED")
    assert bid(desk, 7_000, 10, account=3, side=SELL)[0].startswith("REJECTED INSUFFICIENT_UNITS")


def test_changing_a_bid(desk):
    """Role, bid, stage, phase, halts, those who are stopped, terms, limits, funds."""
    announce(desk, 7_000, 1_000, price2=7_500, account=3)
    open_window(desk)
    number = last_id(bid(desk, 7_000, 10, account=1, session=TRADER))
    start = {"session": READER, "price": 0, "quantity": 0, "target": 99}
    rungs = [
        (R.NOT_PERMITTED, {"session": FOREIGN}),
        (R.UNKNOWN_ORDER, {"target": number}),
        (R.UNKNOWN_ORDER, {"session": TRADER}),
        *TERMS,
    ]
    climb(desk, K.AUCTION_BID_REPLACE, start, rungs)
    wrong = {"session": TRADER, "target": number, "price": 7_005, "quantity": 1_000}
    desk.withdraw_cash(1, CASH - 70_000 - 49)
    desk.send(K.SET_LIMIT, scope=2, quantity=80_000)
    climb(desk, K.AUCTION_BID_REPLACE, wrong, [(R.MAX_ORDER_VALUE, {"quantity": 10}), (R.INSUFFICIENT_FUNDS, {})])
    desk.deposit_cash(1, 51)
    assert desk.send(K.AUCTION_BID_REPLACE, **{**wrong, "price": 7_010, "quantity": 10})[0].startswith("BID_REPLACED")
    desk.send(K.FIRM_KILL, session=FOREIGN)
    desk.send(K.SET_ACCOUNT_STATUS, account=1, scope=2)
    desk.send(K.KILL_SWITCH, scope=1, target=3)
    bad = {**wrong, "price": 0}
    climb(desk, K.AUCTION_BID_REPLACE, bad, [(R.ACCOUNT_SUSPENDED, {})])
    desk.phase(BREAK, DATE, mode=BIDDING)
    climb(desk, K.AUCTION_BID_REPLACE, bad, [(R.WRONG_PHASE, {})])
    assert desk.send(K.AUCTION_BID_WITHDRAW, session=TRADER, target=number)[0].startswith("BID_ENDED")


def test_a_bid_of_a_closed_auction(desk):
    announce(desk, 7_000, 1_000, account=3, scope=RANDOM)
    commit(desk, SEED_HASH)
    open_window(desk)
    number = last_id(bid(desk, 7_000, 10, account=1))
    close_window(desk)
    climb(desk, K.AUCTION_BID_REPLACE, {"target": number, "price": 0}, [(R.WRONG_AUCTION_STAGE, {})])
    climb(desk, K.AUCTION_BID_WITHDRAW, {"target": number}, [(R.WRONG_AUCTION_STAGE, {})])


def test_withdrawing_a_bid(desk):
    announce(desk, 7_000, 1_000, account=3)
    open_window(desk)
    number = last_id(bid(desk, 7_000, 10, account=1))
    desk.phase(0, DATE, mode=BIDDING)
    rungs = [
        (R.NOT_PERMITTED, {"session": FOREIGN}),
        (R.UNKNOWN_ORDER, {"target": number}),
        (R.UNKNOWN_ORDER, {"session": TRADER}),
        (R.WRONG_PHASE, {}),
    ]
    climb(desk, K.AUCTION_BID_WITHDRAW, {"session": OPERATOR, "target": 99}, rungs)


def test_self_trade_switched_off(make_world):
    """Where the venue prevents nothing, an owner may bid in its own auction."""
    world = make_world(
        venue_of(DESK_TEXT, capacity=Capacity(orders=5, accounts=5, firms=3, sessions=5), self_trade="OFF")
    )
    world.account(group=7, cash=CASH, units=UNITS)
    world.open_day(DATE)
    announce(world, 7_000, 20)
    open_window(world)
    assert bid(world, 7_000, 20, account=1)[0].startswith("BID_ACCEPTED")
    assert close_window(world)[1].startswith("AUCTION_TRADE")
    assert world.row("holds", account=1, asset=1)["bought_today"] == 20
    assert world.row("cash", account=1, currency=1)["free"] == CASH
