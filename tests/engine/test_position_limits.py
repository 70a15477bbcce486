"""Limits of holdings: the position limit and the report of large holders (docs/controls.md 10.1; MEE art. 21-22)."""

from __future__ import annotations

from typing import Any

import pytest

from engine.schema import CommandKind as K
from engine.schema import LimitKind as L
from tests.engine.auction_hall import UNITS, announce, bid, open_hall, open_window, rebid
from tests.engine.builders import BLOCK, BUY, FOK, GTC, SELL, World, last_id, seee
from tests.engine.test_limits import limit, refusal

pytestmark = pytest.mark.nojit

MUCH = 10**9


@pytest.fixture
def holders(make_world):
    """Accounts 1 and 2 of firm 1 with 100 and 50 units of asset 1, account 3 of firm 2 with 1,000."""
    return open_holders(make_world)


def open_holders(make_world, instrument: dict[str, Any] | None = None) -> World:
    world = make_world(seee(instrument))
    world.firm()
    world.firm()
    world.account(1, cash=MUCH, units=100)
    world.account(1, cash=MUCH, units=50)
    world.account(2, cash=MUCH, units=1_000)
    world.deposit_units(3, 1_000, asset=2)
    world.open_day(20250811)
    return world


@pytest.mark.parametrize("owner", [{}, {"account": 1}])
def test_position_of_an_account(holders, owner):
    """6: units held, resting buys and the command's units together; a sale is never asked."""
    limit(holders, L.POSITION, 130, **owner)
    assert refusal(holders.buy(7000, 31)) == "POSITION_LIMIT"
    order = last_id(holders.buy(7000, 20))
    assert refusal(holders.buy(7000, 11)) == "POSITION_LIMIT"
    assert refusal(holders.buy(7000, 11, time_in_force=FOK)) == "POSITION_LIMIT"
    assert refusal(holders.buy(6900, 10)) == ""
    assert refusal(holders.buy(7000, 1)) == "POSITION_LIMIT"
    assert refusal(holders.sell(7500, 100)) == ""
    assert refusal(holders.buy(7000, 1)) == "POSITION_LIMIT"
    holders.cancel(order)
    assert refusal(holders.buy(7000, 20)) == ""
    assert refusal(holders.buy(7000, 1, account=3, instrument=2)) == ("POSITION_LIMIT" if not owner else "")


def test_position_of_a_firm(holders):
    """6: the sum over the firm's accounts: 150 held, and what either has resting."""
    limit(holders, L.POSITION, 200, target=1)
    assert refusal(holders.buy(7000, 51, account=2)) == "POSITION_LIMIT"
    assert refusal(holders.buy(7000, 30, account=2)) == ""
    assert refusal(holders.buy(7000, 21)) == "POSITION_LIMIT"
    assert refusal(holders.buy(7000, 20)) == ""
    assert refusal(holders.buy(7000, 500, account=3)) == ""
    assert refusal(holders.buy(7000, 200, instrument=2)) == ""


def test_position_after_trades(holders):
    """6: bought units count as held, sold ones no longer; units locked for a sale still do."""
    limit(holders, L.POSITION, 130, account=1)
    holders.sell(7000, 20, account=3)
    holders.buy(7000, 20)
    assert refusal(holders.buy(7000, 11)) == "POSITION_LIMIT"
    holders.sell(7100, 60)
    assert refusal(holders.buy(7000, 11)) == "POSITION_LIMIT"
    holders.buy(7100, 60, account=3)
    assert refusal(holders.buy(7000, 70)) == ""
    assert refusal(holders.buy(6900, 1)) == "POSITION_LIMIT"


def test_position_of_a_replacement(holders):
    """6: only the units that it adds; one that adds none is not asked, even above the limit."""
    order = last_id(holders.buy(7000, 40))
    holders.sell(7000, 10, account=3)
    limit(holders, L.POSITION, 145, account=1)
    assert refusal(holders.replace(order, 7000, 46)) == "POSITION_LIMIT"
    assert refusal(holders.replace(order, 7010, 45)) == ""
    limit(holders, L.POSITION, 1, account=1)
    assert refusal(holders.replace(order, 7020, 46)) == "POSITION_LIMIT"
    assert refusal(holders.replace(order, 7020, 45)) == ""
    assert refusal(holders.replace(order, 7020, 44)) == ""
    assert refusal(holders.replace(order, 7020, 10)) == "QUANTITY_BELOW_FILLED"


def test_position_counts_every_instrument_of_the_asset(make_world):
    """6: per asset, in units: two instruments of one asset, ten units to a lot."""
    venue = seee({"asset": "CEA21", "units_per_lot": 10})
    world = make_world(venue)
    world.account(cash=MUCH, units=100, asset=2)
    world.deposit_units(1, 900, asset=1)
    world.open_day(20250811)
    limit(world, L.POSITION, 200, account=1)
    assert refusal(world.buy(7000, 4)) == ""
    assert refusal(world.buy(7000, 7, instrument=2)) == "POSITION_LIMIT"
    assert refusal(world.buy(7000, 6, instrument=2)) == ""
    assert refusal(world.buy(7000, 1, instrument=3)) == "POSITION_LIMIT"


def test_position_counts_every_bucket(holders):
    """6: pledged and frozen units are held too."""
    holders.send(K.PLACE_HOLD, side=1, account=1, scope=1, quantity=60, target=3)
    holders.send(K.PLACE_HOLD, side=2, account=1, scope=1, quantity=40)
    limit(holders, L.POSITION, 110, account=1)
    assert refusal(holders.buy(7000, 11)) == "POSITION_LIMIT"
    assert refusal(holders.buy(7000, 10)) == ""


def test_position_of_blocks_and_takes(make_world):
    """6: BLOCK_OFFER, BLOCK_COUNTER, BLOCK_ACCEPT and TAKE that buy; standing negotiations are not counted."""
    world = make_world(seee({"block_min": 10}))
    for _ in range(3):
        world.account(cash=MUCH, units=100)
    world.open_day(20250811)
    world.phase(3, 20250811, mode=BLOCK)
    limit(world, L.POSITION, 120)
    terms = {"instrument": 1, "price": 7000}
    assert refusal(world.send(K.BLOCK_OFFER, account=1, side=BUY, quantity=21, **terms)) == "POSITION_LIMIT"
    for _ in range(2):
        assert refusal(world.send(K.BLOCK_OFFER, account=1, side=BUY, quantity=20, **terms)) == ""
    world.send(K.BLOCK_OFFER, account=2, side=SELL, quantity=21, **terms)
    assert refusal(world.send(K.BLOCK_ACCEPT, account=1, target=3, price=7000, quantity=21)) == "POSITION_LIMIT"
    assert refusal(world.send(K.BLOCK_COUNTER, account=1, target=3, price=7000, quantity=22)) == "POSITION_LIMIT"
    assert refusal(world.send(K.BLOCK_COUNTER, account=1, target=3, price=7000, quantity=20)) == ""
    listing = last_id(world.sell(7000, 30, account=3))
    assert refusal(world.take(BUY, listing, 7000, 21)) == "POSITION_LIMIT"
    assert refusal(world.take(BUY, listing, 7000, 20)) == ""
    assert refusal(world.take(BUY, listing, 7000, 1)) == "POSITION_LIMIT"


def test_position_of_bids(make_world):
    """6: AUCTION_BID asks for its lots, AUCTION_BID_REPLACE for the new lots in full; standing bids are not counted."""
    world = open_hall(make_world)
    announce(world, 500, 1_000)
    open_window(world)
    limit(world, L.POSITION, UNITS + 30, account=2)
    assert refusal(bid(world, 600, 31)) == "POSITION_LIMIT"
    assert refusal(bid(world, 600, 30)) == ""
    assert refusal(bid(world, 600, 30)) == ""
    assert refusal(rebid(world, 1, 600, 31)) == "POSITION_LIMIT"
    assert refusal(rebid(world, 1, 610, 30)) == ""
    limit(world, L.POSITION, UNITS + 29, account=2)
    assert refusal(rebid(world, 1, 600, 30)) == "POSITION_LIMIT"
    assert refusal(rebid(world, 1, 600, 29)) == ""


def test_position_of_offers_in_a_reverse_auction(make_world):
    """6: who sells is not asked."""
    world = open_hall(make_world)
    announce(world, 700, 1_000, side=BUY)
    open_window(world)
    limit(world, L.POSITION, 1)
    assert refusal(bid(world, 600, 30, side=SELL)) == ""
    assert refusal(rebid(world, 1, 600, 50)) == ""


def test_large_holders_are_told_at_settlement(holders):
    """7: after UNITS_SETTLED and CASH_SETTLED, before LIMITS_SET; account before firm before venue; above, not at."""
    limit(holders, L.LARGE_HOLDER, 60)
    limit(holders, L.LARGE_HOLDER, 99, target=1)
    limit(holders, L.LARGE_HOLDER, 40, account=2)
    holders.sell(7000, 30, account=3)
    assert holders.buy(7000, 30)[-1].startswith("TRADE ")
    events = holders.end_of_day()
    at = [number for number, event in enumerate(events) if event.startswith("LARGE_HOLDER")]
    assert [events[number] for number in at] == [
        "LARGE_HOLDER account=1 remaining=99 aux=130 aux2=1",
        "LARGE_HOLDER account=2 remaining=40 aux=50 aux2=1",
        "LARGE_HOLDER account=3 remaining=60 aux=970 aux2=1",
        "LARGE_HOLDER account=3 remaining=60 aux=1000 aux2=2",
    ]
    assert events[at[0] - 1].startswith("CASH_SETTLED")
    assert events[at[-1] + 1].startswith("LIMITS_SET")


@pytest.mark.parametrize(("threshold", "told"), [(100, False), (99, True)])
def test_large_holder_at_the_edge(holders, threshold, told):
    """7: exactly the threshold is not above it."""
    limit(holders, L.LARGE_HOLDER, threshold, account=1)
    events = holders.end_of_day()
    assert any(event.startswith("LARGE_HOLDER account=1 ") for event in events) is told


def test_large_holder_refuses_nothing(holders):
    """7: a report only, and none between settlements; an override that has ended gives way to the value."""
    limit(holders, L.LARGE_HOLDER, 0, account=1, quantity2=1, expiry=1)
    assert holders.buy(7000, 30)[0].startswith("ACCEPTED")
    assert not any(event.startswith("LARGE_HOLDER") for event in holders.end_of_day())


def test_large_holder_of_what_is_held(make_world):
    """7: as the account stands after settlement: orders that rest are not counted, units bought that day are."""
    world = open_holders(make_world, {"times_in_force": ("day", "gtc")})
    limit(world, L.POSITION, 1_000_000)
    limit(world, L.LARGE_HOLDER, 129)
    world.buy(6900, 500, time_in_force=GTC)
    world.buy(6900, 500, account=2, time_in_force=GTC)
    world.sell(7000, 30, account=3)
    world.buy(7000, 30)
    assert [event for event in world.end_of_day() if event.startswith("LARGE_HOLDER")] == [
        "LARGE_HOLDER account=1 remaining=129 aux=130 aux2=1",
        "LARGE_HOLDER account=3 remaining=129 aux=970 aux2=1",
        "LARGE_HOLDER account=3 remaining=129 aux=1000 aux2=2",
    ]
