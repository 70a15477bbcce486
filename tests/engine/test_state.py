"""The canonical state: what it says, and that an engine restored from it goes on alike."""

from __future__ import annotations

import pytest

from engine.core import Engine
from engine.schema import CommandKind as K
from engine.schema import unpack_state
from tests.engine.builders import BUY, GTC, World, plain, seee
from tests.engine.invariants import check

pytestmark = pytest.mark.nojit


@pytest.fixture
def busy(make_open_world) -> World:
    """A venue with something in every section."""
    world = make_open_world(seee({"fee_ppm": 500, "times_in_force": ("day", "gtc", "ioc", "fok")}))
    world.session(1, 1)
    world.send(K.SESSION_UP, target=1, scope=2)
    world.send(K.SET_OWNER_GROUP, account=3, quantity2=8, expiry=20250811)
    world.send(K.CLOCK_ANCHOR, target=5, expiry=6, quantity=7, quantity2=8)
    world.sell(7100, 10, account=2)
    world.buy(7110, 4, session=1, client_order_id=9)
    world.buy(7050, 4, session=1, client_order_id=11, time_in_force=GTC)
    world.buy(7050, 3, account=3)
    world.buy(7051, 2, account=4, flags=1, self_trade=2)
    check(world.engine)
    return world


def test_sections_of_the_state(busy):
    """schema.STATE_SECTIONS: orders by side, best price first, priority; amounts; numbers; session 0 first."""
    state = busy.engine.state()
    assert busy.book() == [(5, 1, 7051, 2), (3, 1, 7050, 4), (4, 1, 7050, 3), (1, 2, 7100, 6)]
    header = busy.row("header")
    assert header == {
        "schema_version": 4,
        "trading_date": 20250811,
        "day_stage": 0,
        "last_order_id": 5,
        "event_sequence": busy.events,
        "command_sequence": busy.sent,
        "timestamp": 1_000_000 + busy.sent,
        "composite": 7209,
        "firms": 4,
        "anchor_journal": 5,
        "anchor_monotonic": 6,
        "rate_numerator": 7,
        "rate_denominator": 8,
        "last_negotiation_id": 0,
        "last_auction_id": 0,
        "last_hold_id": 0,
        "last_obligation_id": 0,
        "acknowledged_date": 0,
        "venue_halted": 0,
    }
    assert state["sessions"].tolist() == [(0, 0, 1, 0, 0, 0), (1, 1, 1, 2, 1, 11)]
    assert state["accounts"].tolist()[2] == (3, 8, 20250811, 1)
    # 4 x 7,100 = 28,400 fen; the fee of 500 ppm is 14.2 -> 14 a side.
    assert state["currencies"].tolist() == [(4 * 10**15, 28)]
    assert busy.row("orders", order_id=1)["cumulative_amount"] == 28_400
    assert busy.units(1) == (10**9, 0, 4)


def test_state_round_trip(busy):
    """restore(canonical_state()) gives the same bytes and the same last numbers."""
    twin = busy.restored()
    assert twin.engine.canonical_state() == busy.engine.canonical_state()
    assert twin.engine.digest() == busy.engine.digest()
    assert twin.engine.last_client_order_id(1) == 11


def test_restored_engine_goes_on_alike(busy):
    """Targets by id and client id, priority, locks, fees, statistics and the end of day survive the restore."""
    twin = busy.restored()
    for world in (busy, twin):
        world.heard = [
            *world.sell(7050, 5, account=2),
            *world.cancel(11, flags=2, session=1, client_order_id=12),
            *world.replace(1, 7099, 20, session=0),
            *world.buy(7099, 3, account=4),
            *world.take(BUY, 1, 7099, 2),
            *world.end_of_day(),
        ]
    assert busy.heard == twin.heard
    assert busy.engine.canonical_state() == twin.engine.canonical_state()
    check(busy.engine)


def test_a_restored_venue_at_the_very_start(make_world):
    """Before the first command there is a state too."""
    world = make_world(seee())
    twin = world.restored()
    assert twin.engine.canonical_state() == world.engine.canonical_state()
    assert unpack_state(twin.engine.canonical_state())["header"][0]["event_sequence"] == 0


def test_state_of_another_venue_is_refused(busy):
    """Engine.restore: the counts of instruments, assets and currencies must fit."""
    with pytest.raises(ValueError, match="canonical state has 1 currencies, the venue 0"):
        Engine.restore(plain(), busy.engine.canonical_state(), busy.engine.implementation)
    with pytest.raises(ValueError, match="ends inside section"):
        Engine.restore(busy.venue, busy.engine.canonical_state()[:-8], busy.engine.implementation)
