"""Listing and delisting in session, the price window (docs/controls.md 10.4)."""

from __future__ import annotations

import pytest

from engine.schema import CommandKind as K
from engine.venue import Venue
from tests.engine.builders import CLOSED, CONTINUOUS, GTC, World, last_id, plain, seee, venue_of
from tests.engine.test_limits import refusal

pytestmark = pytest.mark.nojit

TODAY, TOMORROW, LATER = 20250811, 20250812, 20250813
NARROW = """
name = "narrow"
currencies = ["CNY"]
assets = ["A"]
composite = "NONE"
[instrument_defaults]
asset = "A"
currency = "CNY"
floor = "60.00"
ceiling = "80.00"
times_in_force = ["day", "gtc", "ioc"]
[[instruments]]
symbol = "FIRST"
[[instruments]]
symbol = "SECOND"
previous_close = "70.00"
limit_listed_bps = 1000
[[instruments]]
symbol = "HUGE"
tick_value = 1_000_000_000
"""


@pytest.fixture
def narrow(make_world):
    """Prices from 6000 to 8000; accounts 1 and 2 own plenty."""
    return open_world(make_world, venue_of(NARROW))


def open_world(make_world, venue: Venue) -> World:
    world = make_world(venue)
    world.accounts(2)
    world.open_day(TODAY)
    return world


def widen(world: World, floor: int, ceiling: int, instrument: int = 1, **fields: int) -> list[str]:
    return world.send(K.WIDEN_WINDOW, instrument=instrument, price=floor, price2=ceiling, **fields)


def test_widen_the_window(narrow):
    """Orders and figures stay where they are; new prices are open at once, on both sides."""
    narrow.buy(6000, 10)
    narrow.buy(6000, 11, account=2)
    narrow.sell(8000, 12)
    narrow.buy(7000, 5)
    narrow.sell(7000, 3, account=2)
    before = {name: rows.tobytes() for name, rows in narrow.engine.state().items()}
    assert refusal(narrow.buy(5999, 1)) == "PRICE_OUT_OF_WINDOW"
    assert widen(narrow, 5000, 9000) == ["WINDOW_SET remaining=6000 contra_remaining=8000 aux=5000 aux2=9000"]
    after = {name: rows.tobytes() for name, rows in narrow.engine.state().items()}
    assert {name for name in after if after[name] != before[name]} == {"header", "instruments"}
    assert narrow.book() == [(4, 1, 7000, 2), (1, 1, 6000, 10), (2, 1, 6000, 11), (3, 2, 8000, 12)]
    assert refusal(narrow.buy(4999, 1)) == "PRICE_OUT_OF_WINDOW"
    assert refusal(narrow.buy(5000, 1)) == ""
    assert refusal(narrow.sell(9001, 1)) == "PRICE_OUT_OF_WINDOW"
    assert refusal(narrow.sell(9000, 1)) == ""
    events = narrow.sell(5000, 40, account=2, time_in_force=3)
    prices = [int(event.split("price=")[1].split()[0]) for event in events if event.startswith("TRADE")]
    assert prices == [7000, 6000, 6000, 5000]
    assert [row[2] for row in narrow.book()] == [8000, 9000]


def test_widen_one_side_then_the_other(narrow):
    """Any number of times; the same window again is allowed; other instruments keep theirs."""
    first = last_id(narrow.sell(7000, 5))
    assert widen(narrow, 6000, 8000) == ["WINDOW_SET remaining=6000 contra_remaining=8000 aux=6000 aux2=8000"]
    assert widen(narrow, 1, 8000) == ["WINDOW_SET remaining=6000 contra_remaining=8000 aux=1 aux2=8000"]
    assert widen(narrow, 1, 131_072) == ["WINDOW_SET remaining=1 contra_remaining=8000 aux=1 aux2=131072"]
    assert refusal(narrow.buy(1, 5)) == ""
    assert refusal(narrow.sell(131_072, 5)) == ""
    assert refusal(narrow.buy(5999, 5, instrument=3)) == "PRICE_OUT_OF_WINDOW"
    assert refusal(narrow.cancel(first)) == ""
    twin = narrow.restored()
    for world in (narrow, twin):
        assert world.mass_cancel()[-1] == "MASS_CANCELLED quantity=2"
    assert twin.engine.canonical_state() == narrow.engine.canonical_state()


def test_the_widest_window(narrow):
    """2^17 prices at most: 2^17 - 1 ticks from floor to ceiling."""
    assert refusal(widen(narrow, 6000, 6000 + 2**17)) == "PRICE_OUT_OF_WINDOW"
    assert refusal(widen(narrow, 6000, 6000 + 2**17 - 1)) == ""
    assert refusal(widen(narrow, 5999, 6000 + 2**17 - 1)) == "PRICE_OUT_OF_WINDOW"


def test_amounts_use_the_new_ceiling(narrow):
    """Check 8: what was possible under the old ceiling may be too much under the new one; what rests stays."""
    lots = (2**62 - 1) // (8000 * 10**9)
    order = last_id(narrow.sell(6000, lots, instrument=3))
    assert refusal(narrow.sell(6000, lots + 1, instrument=3)) == "AMOUNT_OVERFLOW"
    widen(narrow, 6000, 9000, instrument=3)
    assert refusal(narrow.sell(6000, lots, instrument=3)) == "AMOUNT_OVERFLOW"
    assert refusal(narrow.sell(6000, (2**62 - 1) // (9000 * 10**9), instrument=3)) == ""
    assert narrow.book(3)[0][0] == order
    assert refusal(narrow.restored().sell(6000, lots, instrument=3)) == "AMOUNT_OVERFLOW"


def test_limits_stay_when_the_window_grows(narrow):
    """Daily limits come from the previous close, not from the window; so does a market order's price."""
    widen(narrow, 5000, 9000, instrument=2)
    assert refusal(narrow.buy(7701, 1, instrument=2)) == "PRICE_ABOVE_LIMIT"
    assert narrow.buy(0, 1, instrument=2, order_type=2, time_in_force=3)[0].startswith(
        "ACCEPTED instrument=2 side=1 price=7700"
    )


def test_a_market_order_at_the_edge_of_a_wider_window(make_world):
    """NEW_ORDER 5: the window's edge where that is nearer than the limit, also after it moved."""
    world = open_world(make_world, venue_of(NARROW.replace('previous_close = "70.00"', 'previous_close = "79.00"')))
    assert "price=8000" in world.buy(0, 1, instrument=2, order_type=2, time_in_force=3)[0]
    widen(world, 6000, 8500, instrument=2)
    assert "price=8500" in world.buy(0, 1, instrument=2, order_type=2, time_in_force=3)[0]
    widen(world, 6000, 9000, instrument=2)
    assert "price=8690" in world.buy(0, 1, instrument=2, order_type=2, time_in_force=3)[0]


def test_widen_in_every_stage(make_world):
    """Before the first date, in session, at every end-of-day stage."""
    world = make_world(plain(open_from_start=False))
    assert widen(world, 1, 131_071)[0].startswith("WINDOW_SET phase=0")
    world.open_day(TODAY)
    for stage in (world.stop, world.expire, world.fix_close, world.settle):
        stage()
        assert widen(world, 1, 131_071)[0].startswith("WINDOW_SET phase=0")


def list_it(world: World, date: int, price: int = 0, instrument: int = 6) -> list[str]:
    return world.send(K.LIST_INSTRUMENT, instrument=instrument, expiry=date, price=price)


def test_list_in_session_at_the_composite(market):
    """CEA25 (from 2026) today: without a price it starts at the composite, mean of the five previous closes."""
    assert refusal(market.buy(7200, 1, instrument=6)) == "NOT_LISTED"
    composite = market.row("header")["composite"]
    assert composite == 7209
    assert list_it(market, TODAY) == [
        f"INSTRUMENT_LISTED instrument=6 phase=0 price={composite} aux={TODAY}",
        "LIMITS_SET instrument=6 phase=0 price=7209 remaining=5046 contra_remaining=9372 aux=6488 aux2=7930",
    ]
    assert refusal(market.buy(7200, 1, instrument=6)) == "WRONG_PHASE"
    market.phase(CONTINUOUS, TODAY, instrument=6)
    assert refusal(market.buy(7930, 1, instrument=6)) == ""
    assert refusal(market.buy(7931, 1, instrument=6)) == "PRICE_ABOVE_LIMIT"
    assert len([event for event in market.end_of_day() if event.startswith("CLOSE_FIXED")]) == 6


def test_list_with_a_price_from_a_later_date(market):
    """The reference that is stated; listed from the date on, not before."""
    assert list_it(market, LATER, price=8000)[0] == f"INSTRUMENT_LISTED instrument=6 phase=0 price=8000 aux={LATER}"
    assert refusal(list_it(market, LATER, price=8100)) == ""
    assert refusal(market.buy(8000, 1, instrument=6)) == "NOT_LISTED"
    market.end_of_day()
    market.open_day(TOMORROW)
    assert refusal(market.buy(8000, 1, instrument=6)) == "NOT_LISTED"
    market.end_of_day()
    assert market.open_day(LATER)[-1] == f"PHASE_CHANGED instrument=6 side=1 aux={LATER}"
    assert refusal(market.buy(8910, 1, instrument=6)) == ""
    assert refusal(market.buy(8911, 1, instrument=6)) == "PRICE_ABOVE_LIMIT"


def test_list_without_a_reference(make_world):
    """No composite, or no limit: no previous close and no LIMITS_SET; a previous close of its own is kept."""
    for text, expected in (
        (NARROW, ["INSTRUMENT_LISTED phase=0 aux=20250811"]),
        (
            NARROW.replace('symbol = "FIRST"', 'symbol = "FIRST"\nprevious_close = "71.00"'),
            [
                "INSTRUMENT_LISTED phase=0 price=7100 aux=20250811",
                "LIMITS_SET phase=0 price=7100",
            ],
        ),
    ):
        world = make_world(venue_of(text.replace('symbol = "FIRST"', 'symbol = "FIRST"\nlisted_from = 2030-01-01')))
        world.accounts(1)
        world.open_day(TODAY)
        assert list_it(world, TODAY, instrument=1) == expected


def test_list_before_the_first_date(make_world):
    """Nothing is listed then, so every instrument may be listed from another date."""
    world = make_world(seee())
    assert list_it(world, 20240102, price=7000, instrument=1)[0].startswith("INSTRUMENT_LISTED phase=0 price=7000")
    assert refusal(list_it(world, LATER, instrument=2)) == ""
    world.open_day(TODAY)
    assert refusal(world.buy(7000, 1, instrument=2)) == "UNKNOWN_ACCOUNT"
    world.accounts(1)
    assert refusal(world.buy(7000, 1, instrument=2)) == "NOT_LISTED"
    assert refusal(list_it(world, TODAY, instrument=1)) == "ALREADY_LISTED"


def test_open_from_start_is_listed(make_world):
    """A venue that is open from the start has all its instruments listed at date 0."""
    world = make_world(plain())
    assert refusal(list_it(world, TODAY, instrument=1)) == "ALREADY_LISTED"


def delist(world: World, date: int, instrument: int = 1) -> list[str]:
    return world.send(K.DELIST_INSTRUMENT, instrument=instrument, expiry=date)


def test_delist_cancels_at_settlement(make_world):
    """The last date is traded to its end; then what rests is cancelled before anything settles."""
    world = open_world(make_world, venue_of(NARROW))
    assert delist(world, TOMORROW) == [f"INSTRUMENT_DELISTED aux={TOMORROW}"]
    world.buy(6500, 10, time_in_force=GTC)
    world.end_of_day()
    assert len(world.book()) == 1
    world.open_day(TOMORROW)
    world.sell(7500, 4, account=2, time_in_force=GTC)
    world.buy(6600, 20, time_in_force=GTC)
    world.buy(6600, 20, time_in_force=GTC, instrument=2)
    world.sell(7100, 3, account=2)
    world.buy(7100, 3)
    world.stop()
    world.expire()
    world.fix_close()
    assert world.settle()[:5] == [
        "CANCELLED DELISTED phase=0 side=1 price=6600 quantity=20 account=1 order_id=3 aux=132000",
        "CANCELLED DELISTED phase=0 side=1 price=6500 quantity=10 account=1 order_id=1 aux=65000",
        "CANCELLED DELISTED phase=0 side=2 price=7500 quantity=4 account=2 order_id=2 aux=4",
        "UNITS_SETTLED quantity=3 account=1 aux2=1",
        "CASH_SETTLED account=2 aux=21300 aux2=1",
    ]
    assert world.book() == []
    assert len(world.book(2)) == 1
    world.open_day(LATER)
    assert refusal(world.buy(7000, 1)) == "NOT_LISTED"


def test_delist_on_a_day_without_trading(make_world):
    """A last date that is no trading date: the next settlement cancels, though it is not listed any more."""
    world = open_world(make_world, venue_of(NARROW))
    order = last_id(world.buy(6500, 10, time_in_force=GTC))
    delist(world, TOMORROW)
    world.end_of_day()
    world.open_day(LATER)
    assert refusal(world.replace(order, 6500, 9)) == "WRONG_PHASE"
    world.stop()
    world.expire()
    world.fix_close()
    assert world.settle()[0].startswith("CANCELLED DELISTED phase=0 side=1 price=6500")


def test_delist_and_list_again(make_world):
    """The last date may be moved while it is listed; afterwards the instrument may be listed anew, all modes closed."""
    world = open_world(make_world, venue_of(NARROW))
    delist(world, LATER)
    assert delist(world, TODAY) == [f"INSTRUMENT_DELISTED aux={TODAY}"]
    assert refusal(list_it(world, TODAY, instrument=1)) == "ALREADY_LISTED"
    assert refusal(world.buy(6500, 10)) == ""
    world.end_of_day()
    world.open_day(TOMORROW)
    assert refusal(delist(world, TOMORROW)) == "NOT_LISTED"
    assert list_it(world, TOMORROW, price=6500, instrument=1)[0] == (
        f"INSTRUMENT_LISTED phase=0 price=6500 aux={TOMORROW}"
    )
    row = world.engine.state()["instruments"][0]
    assert (row["listed_from"], row["listed_until"], row["listed_phase"]) == (TOMORROW, 0, CLOSED)
    world.phase(CONTINUOUS, TOMORROW, instrument=1)
    assert refusal(world.buy(6500, 10)) == ""
    assert world.engine.canonical_state() == world.restored().engine.canonical_state()
