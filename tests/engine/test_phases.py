"""Phases and the trading day (docs/engine.md section 4; rule book section 5, G4)."""

from __future__ import annotations

from datetime import date

import pytest

from engine.schema import CommandKind as K
from tests.engine.builders import BLOCK, BREAK, BUY, CONTINUOUS, GTC, SELL, plain, seee

pytestmark = pytest.mark.nojit


def one(instrument=None, **changes):
    """A venue with one instrument of previous close 71.34."""
    venue = seee(instrument)
    return venue.changed(instruments=venue.instruments[:1], **changes)


def test_a_whole_day(make_world):
    """Stages OPEN, STOPPED, EXPIRED, CLOSE_FIXED, SETTLED and the next day, event by event."""
    world = make_world(one({"times_in_force": ("day", "gtc")}))
    world.accounts(2)
    assert world.row("header")["day_stage"] == 4
    assert world.phase(CONTINUOUS, 20250811) == ["DAY_OPENED aux=20250811", "PHASE_CHANGED side=1 aux=20250811"]
    world.buy(7100, 5)
    world.buy(7101, 6, time_in_force=GTC)
    world.buy(7102, 7)
    world.sell(7200, 8, account=2)
    world.phase(CONTINUOUS, 20250811, mode=BLOCK)
    assert world.stop() == [
        "PHASE_CHANGED phase=0 side=1 aux=20250811 aux2=3",
        "PHASE_CHANGED phase=0 side=2 aux=20250811 aux2=3",
        "TRADING_STOPPED aux=20250811",
    ]
    assert world.expire() == [
        "EXPIRED END_OF_DAY phase=0 side=1 price=7102 quantity=7 account=1 order_id=3 aux=49714",
        "EXPIRED END_OF_DAY phase=0 side=1 price=7100 quantity=5 account=1 order_id=1 aux=35500",
        "EXPIRED END_OF_DAY phase=0 side=2 price=7200 quantity=8 account=2 order_id=4 aux=8",
        "ORDERS_EXPIRED quantity=3 aux=20250811",
    ]
    assert world.fix_close() == [
        "CLOSE_FIXED phase=0 price=7134 remaining=7134",
        "COMPOSITE_FIXED price=7134 aux=20250811",
    ]
    assert world.settle() == [
        "LIMITS_SET phase=0 price=7134 remaining=4994 contra_remaining=9274 aux=6421 aux2=7847",
        "SETTLED aux=20250811",
    ]
    assert world.phase(CONTINUOUS, 20250812) == [
        "DAY_OPENED aux=20250812 aux2=20250811",
        "PHASE_CHANGED side=1 aux=20250812",
    ]
    assert world.book() == [(2, BUY, 7101, 6)]


def test_phases_are_per_mode_and_instrument(market):
    """SET_PHASE: one mode of one instrument; told whether it changed or not."""
    assert market.phase(BREAK, 20250811, instrument=2) == [
        "PHASE_CHANGED instrument=2 phase=4 side=1 aux=20250811 aux2=3"
    ]
    assert market.phase(BREAK, 20250811, instrument=2) == [
        "PHASE_CHANGED instrument=2 phase=4 side=1 aux=20250811 aux2=4"
    ]
    assert market.phase(CONTINUOUS, 20250811, instrument=1, mode=BLOCK) == ["PHASE_CHANGED side=2 aux=20250811"]
    row = market.row("instruments")
    assert [row[name] for name in ("listed_phase", "block_phase", "bidding_phase")] == [3, 3, 0]


def test_not_yet_listed_instruments_are_left_alone(make_world):
    """SET_PHASE for all addresses the listed ones; where none is, one event without an instrument."""
    world = make_world(one({"listed_from": date(2030, 1, 1)}))
    assert world.phase(CONTINUOUS, 20250811) == [
        "DAY_OPENED aux=20250811",
        "PHASE_CHANGED instrument=0 phase=3 side=1 aux=20250811",
    ]
    assert world.phase(CONTINUOUS, 20250811, instrument=1) == ["REJECTED NOT_LISTED phase=0 quantity=3 aux=65"]
    assert world.row("instruments")["listed_phase"] == 0


def test_open_from_start(make_world):
    """A venue that is open from the start trades at date 0 and may later begin with dates."""
    world = make_world(plain())
    assert world.row("header")["day_stage"] == 0
    assert world.buy(100, 5)[0].startswith("ACCEPTED")
    assert world.phase(CONTINUOUS, 20250811) == ["DAY_OPENED aux=20250811", "PHASE_CHANGED side=1 aux=20250811 aux2=3"]
    assert world.book() == [(1, BUY, 100, 5)]


@pytest.mark.parametrize(
    ("reference", "down", "up"),
    [
        (1, 1, 2),  # up and down widened by one tick, never below one
        (4, 3, 5),
        (5, 4, 6),  # 5.5 rounds to 6; 4.5 rounds to 5 = reference, so 4
        (15, 14, 17),  # 16.5 -> 17; 13.5 -> 14
        (10, 9, 11),
    ],
)
def test_limits_of_small_references(make_world, reference, down, up):
    """Rule book section 2, min_band: a limit that rounds to the reference is widened by a tick."""
    world = make_world(one({"limit_block_bps": 0, "previous_close": None}))
    assert world.reference(reference) == [f"LIMITS_SET phase=0 price={reference} aux={down} aux2={up}"]


def test_close_by_the_last_trade(make_open_world):
    """close = LAST: the last trade, not the mean."""
    world = make_open_world(one({"close": "LAST"}))
    for price, quantity in ((7100, 10), (7200, 1)):
        world.sell(price, quantity)
        world.buy(price, quantity, account=2)
    world.stop()
    world.expire()
    assert world.fix_close()[0] == (
        "CLOSE_FIXED phase=0 price=7200 quantity=11 order_id=2 remaining=7100 contra_remaining=7200 aux=78200 aux2=7100"
    )
    assert world.settle()[-2:] == [
        "LIMITS_SET phase=0 price=7200 remaining=5040 contra_remaining=9360 aux=6480 aux2=7920",
        "SETTLED aux=20250811",
    ]
    row = world.row("instruments")
    names = ("previous_close", "last", "open", "high", "low", "volume", "turnover", "trades", "close")
    assert [row[name] for name in names] == [7200, 7200, 0, 0, 0, 0, 0, 0, 0]


def test_composite_of_the_newest_vintage_from_2026(make_world):
    """Rule book section 2, composite: from 2026 the newest vintage alone; on 2025-12-31 still the mean."""
    world = make_world(seee(instruments=seee().instruments[:5]))
    world.open_day(20251231)
    assert "COMPOSITE_FIXED price=7209 aux=20251231" in world.end_of_day()
    world.open_day(20260105)
    assert "COMPOSITE_FIXED price=7320 aux=20260105" in world.end_of_day()


def test_no_composite(make_world):
    """composite NONE: no event, and new vintages get no reference from it."""
    world = make_world(seee(composite="NONE"))
    assert world.row("header")["composite"] == 0
    world.open_day(20260105)
    assert not [event for event in world.end_of_day() if event.startswith("COMPOSITE_FIXED")]
    assert world.row("instruments", listed_phase=0)["previous_close"] == 7134
    assert int(world.engine.state()["instruments"][5]["previous_close"]) == 0


def test_references_at_the_start(make_world):
    """SET_REFERENCE recomputes the composite over the given previous closes."""
    world = make_world(seee())
    assert world.row("header")["composite"] == 7209
    world.reference(7634)
    assert world.row("header")["composite"] == 7309


def test_clock_anchor(make_world):
    """CLOCK_ANCHOR is data: told and kept, nothing depends on it."""
    world = make_world(seee())
    anchor = {"target": 10**18, "expiry": 5, "quantity": 60, "quantity2": 1}
    assert world.send(K.CLOCK_ANCHOR, **anchor) == [f"CLOCK_ANCHORED quantity=60 remaining=1 aux={10**18} aux2=5"]
    header = world.row("header")
    names = ("anchor_journal", "anchor_monotonic", "rate_numerator", "rate_denominator")
    assert [header[name] for name in names] == [10**18, 5, 60, 1]


def test_yesterdays_good_till_cancelled_order_outside_of_todays_limits(make_world):
    """Limits bind entering orders; one that rests stays and trades at its price."""
    world = make_world(one({"times_in_force": ("day", "gtc")}))
    world.accounts(2)
    world.open_day(20250811)
    world.sell(7847, 5, time_in_force=GTC)
    world.sell(6421, 1)
    world.buy(6421, 1, account=2)
    world.end_of_day()
    world.open_day(20250812)
    assert world.row("instruments")["limit_up"] == 7063
    assert world.replace(1, 7847, 4) == ["REJECTED PRICE_ABOVE_LIMIT price=7847 quantity=4 aux=3 aux2=1"]
    assert world.book() == [(1, SELL, 7847, 5)]
