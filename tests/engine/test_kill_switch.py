"""Stopping firms, accounts, instruments and the venue (docs/controls.md 10.2; Regulation (EU) 2017/584 art. 18:
suspension and kill function; MEE trading rules art. 25-27)."""

from __future__ import annotations

import pytest

from engine.schema import CommandKind as K
from tests.engine.auction_hall import RANDOM, SEED, SEED_HASH, commit, fills, reveal
from tests.engine.builders import (
    BIDDING,
    BLOCK,
    BREAK,
    BUY,
    CLOSED,
    CONTINUOUS,
    GTC,
    SELL,
    World,
    last_id,
    plain,
    seee,
)
from tests.engine.test_limits import refusal

pytestmark = pytest.mark.nojit

FIRM, ACCOUNT, INSTRUMENT, VENUE = 1, 2, 3, 4
MUCH = 10**10


def kill(world: World, scope: int, **fields: int) -> list[str]:
    return world.send(K.KILL_SWITCH, scope=scope, **fields)


def resume(world: World, scope: int, **fields: int) -> list[str]:
    return kill(world, scope, side=1, **fields)


@pytest.fixture
def floor(make_world):
    """Accounts 1 and 2 of firm 1, 3 of firm 2; trader sessions 1 and 2 of firms 1 and 2, operator 3; all modes open."""
    return open_floor(make_world)


def open_floor(make_world) -> World:
    rules = {"block_min": 10, "auction": True, "auction_min": 1, "auction_reserve": "ANY", "auction_cap": "NONE"}
    world = make_world(seee({**rules, "times_in_force": ("day", "gtc", "ioc", "fok")}))
    world.firm()
    world.firm()
    for firm in (1, 1, 2):
        account = world.account(firm, cash=MUCH, units=10_000)
        world.deposit_units(account, 10_000, asset=2)
    world.session(1)
    world.session(2)
    world.session(role=2)
    world.open_day(20250811)
    for mode in (BLOCK, BIDDING):
        world.phase(CONTINUOUS, 20250811, mode=mode)
    return world


def test_kill_an_account(floor):
    """Its orders end in mass-cancel order, its entries are refused, what it has is free; others trade on."""
    floor.sell(7200, 5)
    floor.buy(7000, 10)
    floor.buy(7010, 20, session=1)
    floor.buy(7010, 7, account=2)
    floor.buy(6900, 3, instrument=2, time_in_force=GTC)
    assert kill(floor, ACCOUNT, account=1, session=3) == [
        "CANCELLED KILLED side=1 price=7010 quantity=20 account=1 order_id=3 client_order_id=1 "
        "contra_client_order_id=1 aux=140200 session=1 contra_session=3",
        "CANCELLED KILLED side=1 price=7000 quantity=10 account=1 order_id=2 contra_client_order_id=1 aux=70000 "
        "contra_session=3",
        "CANCELLED KILLED side=2 price=7200 quantity=5 account=1 order_id=1 contra_client_order_id=1 aux=5 "
        "contra_session=3",
        "CANCELLED KILLED instrument=2 side=1 price=6900 quantity=3 account=1 order_id=5 contra_client_order_id=1 "
        "aux=20700 contra_session=3",
        "KILL_SWITCH_SET side=2 quantity=4 account=1 client_order_id=1 session=3",
    ]
    assert floor.cash(1) == (MUCH, 0, 0)
    assert floor.units(1) == (10_000, 0, 0)
    assert [order for order, *_ in floor.book()] == [4]
    assert refusal(floor.buy(7000, 1)) == "ACCOUNT_SUSPENDED"
    assert refusal(floor.buy(7000, 1, account=2)) == ""
    assert resume(floor, ACCOUNT, account=1) == ["KILL_SWITCH_SET side=2 account=1 aux=1"]
    assert refusal(floor.buy(7000, 1)) == ""


def test_kill_a_firm(floor):
    """All its accounts; its accounts stay ACTIVE, and cancels and withdrawals still work."""
    floor.buy(7000, 1)
    floor.sell(7300, 2, account=2)
    other = last_id(floor.buy(7001, 3, account=3))
    events = kill(floor, FIRM, target=1)
    assert [event.split()[0] for event in events] == ["CANCELLED", "CANCELLED", "KILL_SWITCH_SET"]
    assert events[-1] == "KILL_SWITCH_SET side=1 quantity=2 order_id=1"
    assert floor.row("firms", status=2) == {"status": 2}
    for account in (1, 2):
        assert refusal(floor.buy(7000, 1, account=account)) == "FIRM_STOPPED"
        assert refusal(floor.take(SELL, other, 7001, 1, account=account)) == "FIRM_STOPPED"
    assert floor.mass_cancel(session=1) == ["MASS_CANCELLED client_order_id=1 session=1"]
    assert refusal(floor.withdraw_units(1, 1)) == ""
    assert refusal(floor.buy(7000, 1, account=3)) == ""
    resume(floor, FIRM, target=1)
    assert refusal(floor.buy(7000, 1)) == ""


def test_replacement_of_a_stopped_firm(floor):
    """REPLACE_ORDER asks the firm after the account; an order that came to rest before a plain suspension stays."""
    order = last_id(floor.buy(7000, 10))
    floor.send(K.SET_ACCOUNT_STATUS, account=1, scope=2)
    assert refusal(floor.replace(order, 7001, 10)) == "ACCOUNT_SUSPENDED"
    assert len(floor.book()) == 1
    assert refusal(floor.cancel(order)) == ""


def test_kill_an_instrument(floor):
    """Orders, replacements and takes are refused before the phase; other instruments trade on."""
    floor.buy(7000, 10)
    floor.sell(7200, 10, account=3)
    floor.buy(6900, 3, instrument=2)
    assert kill(floor, INSTRUMENT, instrument=1)[-1] == "KILL_SWITCH_SET side=3 quantity=2"
    floor.phase(BREAK, 20250811, instrument=1)
    assert refusal(floor.buy(7000, 1)) == "INSTRUMENT_HALTED"
    assert refusal(floor.take(BUY, 2, 7200, 1)) == "INSTRUMENT_HALTED"
    assert refusal(floor.buy(6900, 1, instrument=2)) == ""
    assert floor.row("instruments", halted=1) != {}
    assert resume(floor, INSTRUMENT, instrument=1) == ["KILL_SWITCH_SET phase=4 side=3 aux=1"]
    assert refusal(floor.buy(7000, 1)) == "WRONG_PHASE"


def test_kill_the_venue(floor):
    """Everybody's orders everywhere; nothing is entered until it resumes; the instrument's halt comes second."""
    order = last_id(floor.buy(7000, 10))
    floor.sell(7200, 10, account=3)
    floor.buy(6900, 3, instrument=2, account=2)
    assert kill(floor, VENUE)[-1] == "KILL_SWITCH_SET side=4 quantity=3"
    assert refusal(floor.buy(7000, 1)) == "VENUE_HALTED"
    assert kill(floor, INSTRUMENT, instrument=1)[-1] == "KILL_SWITCH_SET side=3"
    assert refusal(floor.buy(7000, 1)) == "VENUE_HALTED"
    assert refusal(floor.cancel(order)) == "UNKNOWN_ORDER"
    resume(floor, VENUE)
    assert refusal(floor.buy(7000, 1)) == "INSTRUMENT_HALTED"
    resume(floor, INSTRUMENT, instrument=1)
    assert refusal(floor.buy(7000, 1)) == ""


def test_stopping_twice_and_resuming_twice(floor):
    """Stopping what is stopped and resuming what runs: allowed, same events."""
    for scope, field in (
        (FIRM, {"target": 2}),
        (ACCOUNT, {"account": 3}),
        (INSTRUMENT, {"instrument": 2}),
        (VENUE, {}),
    ):
        assert resume(floor, scope, **field) == resume(floor, scope, **field)
        assert kill(floor, scope, **field) == kill(floor, scope, **field)
        resume(floor, scope, **field)
    assert refusal(floor.buy(7000, 1, account=3, instrument=2)) == ""


def test_kill_in_every_phase_and_stage(floor):
    """The switch never asks for a phase or a day stage; orders kept overnight end too."""
    floor.buy(7000, 10, time_in_force=GTC)
    floor.phase(CLOSED, 20250811)
    assert kill(floor, ACCOUNT, account=2) == ["KILL_SWITCH_SET side=2 account=2"]
    for stage in (floor.stop, floor.expire, floor.fix_close, floor.settle):
        stage()
        assert kill(floor, VENUE)[-1].startswith("KILL_SWITCH_SET")
        assert resume(floor, VENUE) == ["KILL_SWITCH_SET side=4 aux=1"]
    assert floor.book() == []


def test_kill_ends_negotiations(floor):
    """By id, after the orders: those whose standing terms are of what is stopped."""
    floor.buy(7000, 10)
    floor.send(K.BLOCK_OFFER, account=1, instrument=1, side=BUY, price=7000, quantity=10)
    floor.send(K.BLOCK_OFFER, account=3, instrument=1, side=BUY, price=7000, quantity=10, scope=1, target=1)
    floor.send(K.BLOCK_OFFER, account=2, instrument=2, side=SELL, price=7000, quantity=10, scope=1, target=3)
    events = kill(floor, FIRM, target=1)
    assert [event.split()[:2] for event in events[:3]] == [
        ["CANCELLED", "KILLED"],
        ["BLOCK_ENDED", "KILLED"],
        ["BLOCK_ENDED", "KILLED"],
    ]
    assert events[1] == "BLOCK_ENDED KILLED side=1 price=7000 quantity=10 account=1 order_id=1 aux=70000"
    assert events[3] == "KILL_SWITCH_SET side=1 quantity=3 order_id=1"
    assert [row["id"] for row in floor.engine.state()["negotiations"]] == [2]
    assert refusal(floor.send(K.BLOCK_ACCEPT, account=1, target=2, price=7000, quantity=10)) == "FIRM_STOPPED"
    assert kill(floor, INSTRUMENT, instrument=2) == ["KILL_SWITCH_SET instrument=2 side=3"]
    assert kill(floor, INSTRUMENT, instrument=1)[-1] == "KILL_SWITCH_SET side=3 quantity=1"
    assert len(floor.engine.state()["negotiations"]) == 0


def open_auction(world: World, instrument: int, account: int) -> int:
    """A selling auction whose window is open; returns its id."""
    fields = {"side": SELL, "instrument": instrument, "account": account, "price": 7000, "quantity": 100}
    number = last_id(world.send(K.ANNOUNCE_AUCTION, **fields))
    world.send(K.OPEN_AUCTION, target=number)
    return number


def bid(world: World, auction: int, account: int, instrument: int = 1) -> list[str]:
    return world.send(
        K.AUCTION_BID, side=BUY, instrument=instrument, account=account, target=auction, price=7100, quantity=5
    )


def test_kill_ends_bids(floor):
    """After the negotiations, by id; the auction goes on."""
    first, second = open_auction(floor, 1, 3), open_auction(floor, 2, 3)
    for auction, account, instrument in ((first, 1, 1), (second, 2, 2), (first, 2, 1)):
        assert refusal(bid(floor, auction, account, instrument)) == ""
    events = kill(floor, ACCOUNT, account=2)
    assert [event.split()[:2] for event in events] == [
        ["BID_ENDED", "KILLED"],
        ["BID_ENDED", "KILLED"],
        ["KILL_SWITCH_SET", "side=2"],
    ]
    assert events[-1] == "KILL_SWITCH_SET side=2 quantity=2 account=2"
    assert refusal(bid(floor, first, 2)) == "ACCOUNT_SUSPENDED"
    assert kill(floor, INSTRUMENT, instrument=1)[-1] == "KILL_SWITCH_SET side=3 quantity=1"
    assert refusal(bid(floor, first, 1)) == "INSTRUMENT_HALTED"
    assert [row["id"] for row in floor.engine.state()["auctions"]] == [first, second]
    assert len(floor.engine.state()["bids"]) == 0


def test_bids_that_wait_for_the_seed_stay(floor):
    """10.2: bids in auctions of stage OPEN end; a window that has closed is sold as it stands when the seed comes."""
    fields = {"side": SELL, "instrument": 1, "account": 3, "price": 7000, "quantity": 100, "scope": RANDOM}
    auction = last_id(floor.send(K.ANNOUNCE_AUCTION, **fields))
    commit(floor, SEED_HASH, auction)
    floor.send(K.OPEN_AUCTION, target=auction)
    number = last_id(bid(floor, auction, 1))
    floor.send(K.CLOSE_AUCTION, target=auction)
    assert kill(floor, ACCOUNT, account=1) == ["KILL_SWITCH_SET side=2 account=1"]
    assert kill(floor, FIRM, target=1) == ["KILL_SWITCH_SET side=1 order_id=1"]
    assert kill(floor, INSTRUMENT, instrument=1) == ["KILL_SWITCH_SET side=3"]
    assert kill(floor, VENUE) == ["KILL_SWITCH_SET side=4"]
    assert [int(row["id"]) for row in floor.engine.state()["bids"]] == [number]
    assert fills(reveal(floor, SEED, auction)) == [(number, 7100, 5)]


def test_a_firm_stops_itself(floor):
    """FIRM_KILL: its own orders end, its accounts are refused; it may resume, and the operator may for it."""
    floor.buy(7000, 10)
    floor.buy(7000, 11, account=2)
    floor.buy(7000, 12, account=3)
    events = floor.send(K.FIRM_KILL, session=1)
    assert events[0] == (
        "CANCELLED KILLED side=1 price=7000 quantity=10 account=1 order_id=1 contra_client_order_id=1 aux=70000 "
        "contra_session=1"
    )
    assert events[2] == "KILL_SWITCH_SET side=1 quantity=2 order_id=1 client_order_id=1 session=1"
    assert len(floor.book()) == 1
    assert refusal(floor.buy(7000, 1, session=1)) == "FIRM_STOPPED"
    assert floor.send(K.FIRM_KILL, scope=1, session=1) == [
        "KILL_SWITCH_SET side=1 order_id=1 client_order_id=3 aux=1 session=1"
    ]
    assert refusal(floor.buy(7000, 1, session=1)) == ""
    floor.send(K.FIRM_KILL, session=1)
    resume(floor, FIRM, target=1)
    assert refusal(floor.buy(7000, 1)) == ""


def test_a_firm_cannot_lift_a_suspension(floor):
    """Stopped by the operator: FIRM_KILL may stop again and ends what is live, but it stays the operator's to lift."""
    kill(floor, FIRM, target=1)
    assert refusal(floor.send(K.FIRM_KILL, scope=1, session=1)) == "FIRM_STOPPED"
    assert floor.send(K.FIRM_KILL, session=1)[-1].startswith("KILL_SWITCH_SET side=1 order_id=1")
    assert [int(row["status"]) for row in floor.engine.state()["firms"]] == [2, 1]
    assert refusal(floor.send(K.FIRM_KILL, scope=1, session=1)) == "FIRM_STOPPED"
    floor.send(K.FIRM_KILL, session=2)
    assert [int(row["status"]) for row in floor.engine.state()["firms"]] == [2, 4]
    kill(floor, FIRM, target=2)
    assert refusal(floor.send(K.FIRM_KILL, scope=1, session=2)) == "FIRM_STOPPED"


def test_resuming_what_runs_by_itself(floor):
    """FIRM_KILL with scope 1 of an ACTIVE firm changes nothing and says so."""
    expected = "KILL_SWITCH_SET side=1 order_id=2 client_order_id=1 aux=1 session=2"
    assert floor.send(K.FIRM_KILL, scope=1, session=2) == [expected]


def test_the_operator_cancels_an_order(floor):
    """SET_ORDER_STATUS: CANCELLED for the owner, in every phase."""
    order = last_id(floor.buy(7000, 10, session=1))
    second = last_id(floor.sell(7200, 4, account=3, time_in_force=GTC))
    floor.phase(CLOSED, 20250811)
    assert floor.send(K.SET_ORDER_STATUS, target=order, session=3) == [
        "CANCELLED OPERATOR phase=0 side=1 price=7000 quantity=10 account=1 order_id=1 client_order_id=1 "
        "contra_client_order_id=1 aux=70000 session=1 contra_session=3"
    ]
    floor.end_of_day()
    assert refusal(floor.send(K.SET_ORDER_STATUS, target=order)) == "UNKNOWN_ORDER"
    assert floor.send(K.SET_ORDER_STATUS, target=second)[0].startswith("CANCELLED OPERATOR")


def test_without_pre_funding(make_world):
    """Only instruments and the venue can be stopped there; accounts are labels."""
    world = make_world(plain())
    world.buy(100, 5, account=7)
    world.buy(101, 5, account=8)
    assert kill(world, INSTRUMENT, instrument=1) == [
        "CANCELLED KILLED side=1 price=101 quantity=5 account=8 order_id=2",
        "CANCELLED KILLED side=1 price=100 quantity=5 account=7 order_id=1",
        "KILL_SWITCH_SET side=3 quantity=2",
    ]
    assert refusal(world.buy(100, 5)) == "INSTRUMENT_HALTED"
    kill(world, VENUE)
    assert refusal(world.buy(100, 5)) == "VENUE_HALTED"


def test_halts_survive_a_restore(floor):
    """Firm, account, instrument and venue stay stopped."""
    kill(floor, FIRM, target=2)
    kill(floor, INSTRUMENT, instrument=2)
    kill(floor, ACCOUNT, account=1)
    twin = floor.restored()
    assert refusal(twin.buy(7000, 1, instrument=2, account=2)) == "INSTRUMENT_HALTED"
    assert refusal(twin.buy(7000, 1, account=3)) == "FIRM_STOPPED"
    assert refusal(twin.buy(7000, 1)) == "ACCOUNT_SUSPENDED"
    kill(twin, VENUE)
    assert refusal(twin.restored().buy(7000, 1, account=2)) == "VENUE_HALTED"
