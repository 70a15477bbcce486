"""A cost containment reserve behind an auction (docs/blocks-and-auctions.md section 8, Clearing 3).

RGGI: sold only when the demand above the trigger price exceeds what is offered without it (COMAR 26.09.04.06 B), and at
the trigger price at least. V = 100 lots at a reserve price of 2.05, 60 more above 6.00 (figures of 2015 but for the
size: 15,272,670 allowances and 10 million).
"""

from __future__ import annotations

import pytest

from engine.schema import CommandKind as K
from tests.engine.auction_hall import (
    CASH,
    PAY_AS_BID,
    RANDOM,
    SEED,
    SEED_HASH,
    UNITS,
    announce,
    auction_cash,
    auction_units,
    bid,
    call_off,
    carried,
    close_window,
    commit,
    fills,
    hall,
    last,
    number,
    open_hall,
    open_window,
    reveal,
)
from tests.engine.builders import World


def back(world: World, lots: int, trigger: int = 600, auction: int = 1) -> list[str]:
    return world.send(K.SET_COST_RESERVE, target=auction, price=trigger, quantity=lots)


def cleared(world: World, bids: list[tuple[int, int]], lots: int = 100, reserve: int = 60, **fields: int) -> list[str]:
    """What ends an auction with these bids (price, lots), of accounts 2, 3, 4, 2, ..."""
    announce(world, 205, lots, **fields)
    back(world, reserve)
    open_window(world)
    for count, (price, quantity) in enumerate(bids):
        assert bid(world, price, quantity, 2 + count % 3)[0].startswith("BID_ACCEPTED")
    return [told for told in close_window(world) if not told.startswith("PHASE_CHANGED")]


@pytest.mark.parametrize(
    ("bids", "above", "released", "price", "filled"),
    [
        ([(900, 50), (700, 40), (600, 30), (500, 50)], 90, 0, 600, [50, 40, 10]),
        ([(900, 60), (700, 40), (600, 30)], 100, 0, 700, [60, 40]),  # 100 above do not exceed 100
        ([(900, 60), (700, 41), (600, 30), (500, 99)], 101, 31, 600, [60, 41, 30]),
        ([(900, 60), (700, 70), (650, 30)], 160, 60, 650, [60, 70, 30]),  # all 160: the last bid's price
        ([(900, 80), (700, 100), (600, 20)], 180, 60, 700, [80, 80]),  # not enough: above the trigger
        ([(900, 120), (600, 30), (600, 30)], 120, 60, 600, [120, 30, 10]),  # ties at the trigger, by time
        ([(900, 60), (700, 50), (599, 40)], 110, 10, 600, [60, 50]),  # the trigger, though nobody bids it
    ],
    ids=["below", "met exactly", "in part", "used up exactly", "used up", "tie at the trigger", "nobody at it"],
)
def test_release(make_world, bids, above, released, price, filled):
    """COMAR 26.09.04.06 B(2): more than 100 lots bid above the trigger release up to 60, at the trigger or above."""
    world = open_hall(make_world)
    events = cleared(world, bids)
    words = f"price=600 {f'quantity={released} ' if released else ''}account=1 order_id=1"
    words += f" remaining={60 - released}" if released < 60 else ""
    assert events[0] == f"COST_RESERVE_RELEASED {words} contra_remaining={above}"
    assert fills(events) == [(n, price, lots) for n, lots in enumerate(filled, 1)]
    end = last(events)
    assert [number(end, name) for name in ("price", "quantity", "remaining", "aux")] == [
        price,
        sum(filled),
        0,
        60 - released,
    ]
    assert auction_units(world, 1) == (UNITS - sum(filled), 0, 0)
    assert auction_cash(world, 1)[0] == CASH + price * sum(filled)


def test_rggi_auction_27(make_world):
    """2015-03-11: 15,272,670 allowances at USD 5.41, bids from 2.05 to 12.50, none of the 10 million released."""
    world = open_hall(make_world)
    bids = [(1250, 9_000_000), (600, 3_000_000), (541, 5_000_000), (205, 25_763_476)]
    events = cleared(world, bids, 15_272_670, 10_000_000)
    assert number(events[0], "quantity") == 0
    end = last(events)
    assert (number(end, "price"), number(end, "quantity"), number(end, "aux")) == (541, 15_272_670, 10_000_000)
    assert number(end, "price") * number(end, "quantity") == 8_262_514_470  # cents: USD 82,625,144.70 as published


def test_everybody_pays_the_own_price(make_world):
    events = cleared(open_hall(make_world), [(900, 60), (700, 50)], scope=PAY_AS_BID)
    assert fills(events) == [(1, 900, 60), (2, 700, 50)]
    assert number(last(events), "price") == 600


def test_lots_are_frozen_and_come_back(make_world):
    """docs/blocks-and-auctions.md section 8, SET_COST_RESERVE: frozen when it is set (rule book O1)."""
    world = open_hall(make_world)
    announce(world, 205, 100)
    assert back(world, 60) == ["COST_RESERVE_SET price=600 quantity=60 account=1 order_id=1 aux=60"]
    assert auction_units(world, 1) == (UNITS - 160, 160, 0)
    assert back(world, 20, 700) == ["COST_RESERVE_SET price=700 quantity=20 account=1 order_id=1 aux=-40"]
    assert auction_units(world, 1) == (UNITS - 120, 120, 0)
    row = world.row("auctions", id=1)
    assert (row["trigger"], row["reserve_lots"], row["frozen"], row["quantity"]) == (700, 20, 120, 100)
    twin = world.restored()
    for other in (world, twin):
        assert back(other, UNITS).pop().startswith("REJECTED INSUFFICIENT_UNITS")
        assert number(call_off(other)[0], "aux") == 120
        assert auction_units(other, 1) == (UNITS, 0, 0)


def test_no_reserve_is_told_of_where_nothing_clears(make_world):
    world = open_hall(make_world, hall(auction_short="CANCEL", auction_carry_over=1))
    events = cleared(world, [(900, 99)])
    assert [event.split()[0] for event in events] == ["BID_ENDED", "AUCTION_CANCELLED"]
    assert carried(world) == [100, 0, 0, 0], "the reserve is not carried over"
    assert auction_units(world, 1) == (UNITS, 0, 0)


def test_released_lots_are_not_carried_over(make_world):
    world = open_hall(make_world, hall(auction_carry_over=1))
    cleared(world, [(900, 101)])
    assert carried(world) == [0, 0, 0, 0]


def test_lots_are_drawn_for_the_reserve_too(make_world):
    """Ties by lot: bids 3 and 2 of the seed's order (735086465980871570 before 2602176448485421405)."""
    world = open_hall(make_world)
    announce(world, 205, 100, scope=RANDOM)
    back(world, 10)
    commit(world, SEED_HASH)
    open_window(world)
    for account, price, lots in ((2, 900, 101), (3, 600, 5), (4, 600, 5)):
        bid(world, price, lots, account)
    close_window(world)
    assert fills(reveal(world, SEED)) == [(1, 600, 101), (3, 600, 5), (2, 600, 4)]
