"""Hubei's price and close (docs/order-types.md 11.7; rule book 9.H)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.schema import CommandKind as K
from engine.venue import Venue
from tests.engine.builders import BUY, CONTINUOUS, SELL
from tests.engine.further_floor import OPEN_CALL, TODAY, further, open_further

pytestmark = pytest.mark.nojit


@pytest.fixture
def median(make_world):
    """MEDIAN3, previous close 4950."""
    terms = {"price_rule": "MEDIAN3", "floor": Decimal(1), "previous_close": Decimal("49.50")}
    return open_further(make_world, further(terms))


def price_of(lines):
    return int(next(line for line in lines if line.startswith("TRADE")).split("price=")[1].split()[0])


def last_becomes(world, price):
    """One lot trades at a price that both sides name."""
    world.sell(price, 1, account=4)
    assert price_of(world.buy(price, 1, account=3)) == price


@pytest.mark.parametrize("taker", [BUY, SELL])
@pytest.mark.parametrize(("last", "price"), [(4950, 4950), (5100, 5000), (4800, 4900)])
def test_example_h(median, taker, last, price):
    """Bid 50.00, offer 49.00: the middle of both and the last price, whoever came first."""
    last_becomes(median, last)
    orders = [lambda: median.sell(4900, 1, account=2), lambda: median.buy(5000, 1)]
    told = [order() for order in (orders if taker == BUY else orders[::-1])]
    assert price_of(told[1]) == price


def test_the_first_trade_looks_at_the_previous_close(median):
    """Before the day's first trade the previous close 49.50 stands for the last price."""
    median.sell(4900, 10, account=2)
    assert median.buy(5000, 10) == [
        "ACCEPTED side=1 price=5000 quantity=10 account=1 order_id=2 remaining=10 aux=50000 aux2=257",
        "TRADE side=1 aggressor=1 price=4950 quantity=10 account=1 contra_account=2 order_id=2 contra_order_id=1 "
        "aux=500",
    ]
    assert median.cash(2)[0] == 10**15 + 49_500


def test_each_day_begins_with_its_previous_close(median):
    """Yesterday's last price does not count: the previous close is the VWAP rule's, here LAST."""
    last_becomes(median, 4800)
    median.end_of_day()
    median.reference(4990)
    median.open_day(TODAY + 1)
    median.sell(4900, 1, account=2)
    assert price_of(median.buy(5000, 1)) == 4990


def test_without_any_price_the_makers(make_world):
    venue = further({"price_rule": "MEDIAN3", "previous_close": None})
    world = open_further(make_world, venue)
    world.sell(9900, 1, account=2)
    assert price_of(world.buy(10000, 1)) == 9900


def test_a_maker_that_buys_gets_its_surplus_back(median):
    median.buy(5000, 10)
    told = median.sell(4900, 10, account=2)
    assert told[1].endswith("aux=500") and price_of(told) == 4950
    assert median.cash(1)[:2] == (10**15 - 49_500, 0)


def test_levels_and_takes_mean_the_listings_price(make_world):
    world = open_further(make_world, further({"price_rule": "MEDIAN3"}, sweep_levels=1))
    world.sell(9900, 1, account=2)
    world.sell(9950, 1, account=2)
    assert world.take(BUY, 1, 9950, 1)[0].startswith("REJECTED LISTING_CHANGED")
    told = world.buy(10000, 2)
    assert price_of(told) == 10000
    assert told[-1].startswith("CANCELLED DEPTH_LIMIT")


def test_a_decrement_shows_the_makers_price(make_world):
    world = open_further(make_world, further({"price_rule": "MEDIAN3"}, self_trade="DECREMENT"))
    for _ in range(2):
        world.account(group=7, cash=10**12, units=10**6)
    world.sell(9900, 1, account=5)
    assert world.buy(10000, 1, account=6)[1].startswith("DECREMENTED side=1 aggressor=1 price=9900")


# LAST5


@pytest.fixture
def five(make_world):
    return open_further(make_world, further({"close": "LAST5"}))


def trade(world, price, lots):
    """The number of the trade."""
    world.sell(price, lots, account=2)
    world.buy(price, lots)
    return world.events


def close_of(world):
    world.stop()
    world.expire()
    told = world.fix_close()
    return int(told[0].split("price=")[1].split()[0])


def test_the_last_five_trades(five):
    """(10100 x 3 + 10200 + 10300 + 10400 + 10500) / 7 = 10242.86; the first one is out."""
    for price, lots in ((9000, 99), (10100, 3), (10200, 1), (10300, 1), (10400, 1), (10500, 1)):
        trade(five, price, lots)
    assert close_of(five) == 10243


def test_fewer_than_five(five):
    trade(five, 10100, 1)
    trade(five, 10200, 1)
    assert close_of(five) == 10150


def test_none(five):
    assert close_of(five) == 10000


def test_the_trades_of_a_call_count_too(five):
    """Precisely: (10500 + 10100 x 2) / 3 = 10233.33."""
    trade(five, 10500, 1)
    five.phase(OPEN_CALL, TODAY, instrument=1)
    trade(five, 10100, 2)
    five.phase(CONTINUOUS, TODAY, instrument=1)
    assert close_of(five) == 10233


def test_every_day_anew(five):
    trade(five, 10100, 1)
    five.end_of_day()
    five.open_day(TODAY + 1)
    trade(five, 10200, 1)
    assert close_of(five) == 10200


def test_a_cancelled_trade_leaves_the_five(five):
    """No older one comes back: the close is the mean of the four that are left."""
    for price in (9000, 10100, 10200):
        number = trade(five, price, 1)
    later = [trade(five, price, 1) for price in (10300, 10400, 10500)]
    fields = {"scope": 1, "instrument": 1, "account": 1, "quantity2": 2, "quantity": 1, "expiry": TODAY}
    assert five.send(K.BUST_TRADE, target=number, price=10200, **fields)[0].startswith("TRADE_BUSTED")
    row = five.row("instruments", close_trade1=later[-1])
    assert [row[f"close_price{n}"] for n in range(1, 6)] == [10500, 10400, 10300, 10100, 0]
    assert close_of(five) == 10325


def test_state_goes_round(five):
    for price in (9000, 10100, 10200):
        trade(five, price, 2)
    twin = five.restored()
    assert twin.engine.canonical_state() == five.engine.canonical_state()
    assert close_of(twin) == close_of(five) == 9767


def test_hubei_preset(make_world):
    """The venue file: a trade at the middle price, the close of the last five, 0.5 % a side."""
    world = make_world(Venue.preset("hubei"))
    world.accounts(2)
    world.open_day(TODAY)
    world.sell(4900, 100, account=2)
    told = world.buy(5000, 100)
    assert told[0].endswith("aux=502500 aux2=257")
    assert told[1].endswith("price=4950 quantity=100 account=1 contra_account=2 order_id=2 contra_order_id=1 aux=5025")
    assert told[2].endswith("aux=2475 aux2=2475")
    assert close_of(world) == 4950
