"""The venue files that come with the package do what their markets do (rule book section 1)."""

from __future__ import annotations

import pytest

from engine.schema import CommandKind as K
from engine.venue import Venue
from tests.engine import auction_hall as hall
from tests.engine.builders import CLOSED, GTC, SELL, World, last_id
from tests.engine.further_floor import OPEN_CALL, TODAY

pytestmark = pytest.mark.nojit
NAMES = (
    *("ccer", "eex-auction", "eex-spot", "hubei", "ice-eua", "krx", "plain", "rggi-auction", "seee", "uka-auction"),
    *("wci-auction", "wuhan-credits"),
)


def opened(make_world, name, phase=3, accounts=3) -> World:
    world: World = make_world(Venue.preset(name))
    if world.venue.prefunded:
        world.accounts(accounts)
    if not world.venue.open_from_start:
        world.phase(phase, TODAY)
    return world


@pytest.mark.parametrize("name", NAMES)
def test_an_engine_begins_with_it(make_world, name):
    world = opened(make_world, name)
    assert world.restored().engine.canonical_state() == world.engine.canonical_state()


@pytest.mark.parametrize("name", NAMES)
def test_json_round_trip(name):
    preset = Venue.preset(name)
    again = Venue.from_json(preset.to_json())
    assert again == preset
    assert again.to_json() == preset.to_json()


def test_wuhan_118_kilograms_pay_236_yuan(make_world):
    """The sponsoring bank's standing bid at CNY 2.00 a kilogram; the citizen is paid at once."""
    world = make_world(Venue.preset("wuhan-credits"))
    bank = world.account(cash=10_000_000)
    citizen = world.account(units=118)
    world.phase(3, TODAY)
    world.buy(200, 50_000, account=bank, time_in_force=GTC)
    told = world.sell(200, 118, account=citizen)
    assert told[1].startswith("TRADE side=2 aggressor=2 price=200 quantity=118")
    assert world.cash(citizen) == (23_600, 0, 23_600)
    assert world.units(citizen) == (0, 0, 0)
    assert world.withdraw_cash(citizen, 23_600)[0].startswith("CASH_MOVED")


def test_wuhan_has_one_price_and_no_tonnes(make_world):
    world = opened(make_world, "wuhan-credits")
    assert world.sell(201, 1)[0].startswith("REJECTED PRICE_OUT_OF_WINDOW")
    world.send(K.SET_OBLIGATION, account=1, quantity=5, expiry=2025)
    told = world.send(K.SURRENDER, account=1, scope=1, quantity=5, expiry=2025, target=1)
    assert told[0].startswith("REJECTED NOT_SURRENDERABLE")


def test_ccer_covers_five_percent(make_world):
    world = opened(make_world, "ccer")
    world.send(K.SET_OBLIGATION, account=1, quantity=100, expiry=2025)
    surrender = {"account": 1, "scope": 1, "expiry": 2025, "target": 1}
    assert world.send(K.SURRENDER, quantity=6, **surrender)[0].startswith("REJECTED OFFSET_LIMIT")
    assert world.send(K.SURRENDER, quantity=5, **surrender)[0].startswith("UNITS_SURRENDERED")


def auctioned(world, price, lots, bids):
    hall.announce(world, price, lots, account=1, target=500, quantity2=8000)
    hall.commit(world, hall.SEED_HASH)
    hall.open_window(world)
    for price_bid, quantity in bids:
        assert hall.bid(world, price_bid, quantity, account=2)[0].startswith("BID_ACCEPTED")
    hall.close_window(world)
    return [line.split()[0] for line in hall.reveal(world, hall.SEED)]


@pytest.mark.parametrize(
    ("bids", "result"),
    [
        ([(8000, 1_000)], "AUCTION_CLEARED"),
        ([(8000, 500)], "AUCTION_CANCELLED"),  # fewer than offered
        ([(7500, 1_000)], "AUCTION_CANCELLED"),  # more than 5 % below the market's 80.00
    ],
)
def test_eex_auctions(make_world, bids, result):
    world = opened(make_world, "eex-auction", CLOSED)
    assert result in auctioned(world, 1, 1_000, bids)


def test_eex_bids_in_lots_of_500(make_world):
    world = opened(make_world, "eex-auction", CLOSED)
    hall.announce(world, 1, 1_000, account=1)
    hall.commit(world, hall.SEED_HASH)
    hall.open_window(world)
    assert hall.bid(world, 8000, 501, account=2)[0].startswith("REJECTED OFF_LOT")
    assert world.row("instruments")["bidding_phase"] == 3


def test_uk_auctions_sell_what_is_bid_above_22_pounds(make_world):
    world = opened(make_world, "uka-auction", CLOSED)
    assert "AUCTION_CLEARED" in auctioned(world, 2200, 1_000, [(8000, 500)])
    hall.announce(world, 2200, 1_000, account=1)
    hall.commit(world, hall.SEED_HASH, auction=2)
    hall.open_window(world, auction=2)
    told = hall.bid(world, 2199, 500, account=2, auction=2)
    assert told[0].startswith(("REJECTED PRICE_OUT_OF_WINDOW", "REJECTED BELOW_RESERVE"))


def test_california_limits_a_bidder_and_raises_its_floor(make_world):
    """TODAY is in 2025: reserve price USD 25.87. Of 100,000 a covered entity may bid for 25,000, others for 4,000."""
    world = opened(make_world, "wci-auction", CLOSED)
    assert "BELOW_FLOOR" in hall.announce(world, 2586, 100_000)[0]
    hall.announce(world, 2587, 100_000)
    hall.commit(world, hall.SEED_HASH)
    hall.open_window(world)
    world.send(K.SET_OBLIGATION, account=2, quantity=1, expiry=2025)
    assert hall.bid(world, 3000, 1_500, account=2)[0].startswith("REJECTED OFF_LOT")
    assert "PURCHASE_LIMIT" in hall.bid(world, 3000, 26_000, account=2)[0]
    assert "PURCHASE_LIMIT" in hall.bid(world, 3000, 5_000, account=3)[0]
    assert hall.bid(world, 3000, 25_000, account=2)[0].startswith("BID_ACCEPTED")
    assert hall.bid(world, 2587, 4_000, account=3)[0].startswith("BID_ACCEPTED")
    hall.close_window(world)
    cleared = hall.last(hall.reveal(world, hall.SEED))
    assert cleared.startswith("AUCTION_CLEARED phase=0 price=2587 quantity=29000")


def test_rggi_sells_more_above_its_trigger(make_world):
    """In 2025 the floor is USD 2.62. Six bid for 3,000 each above 6.00: of 32,000 offered nothing more is released, and
    the lowest bid, 7.20, is the price; where 15,000 are offered 3,000 of the 10,000 are, and all pay the trigger."""
    for offered, released, price in ((32_000, 0, 720), (15_000, 3_000, 600)):
        world = opened(make_world, "rggi-auction", CLOSED)
        assert "BELOW_FLOOR" in hall.announce(world, 261, offered)[0]
        hall.announce(world, 262, offered)
        world.send(K.SET_COST_RESERVE, target=1, price=600, quantity=10_000)
        hall.commit(world, hall.SEED_HASH)
        hall.open_window(world)
        world.accounts(4)
        for account in (2, 3, 4, 5, 6, 7):
            assert hall.bid(world, 700 + 10 * account, 3_000, account=account)[0].startswith("BID_ACCEPTED")
        assert "PURCHASE_LIMIT" in hall.bid(world, 700, 6_000, account=2)[0]  # with the 3,000 more than a quarter
        hall.close_window(world)
        told = hall.reveal(world, hall.SEED)
        assert hall.number(next(line for line in told if "COST_RESERVE" in line), "quantity") == released
        assert hall.number(hall.last(told), "price") == price
        assert hall.number(hall.last(told), "quantity") == 18_000


@pytest.mark.parametrize(
    ("year", "cents"), list(enumerate((205, 210, 215, 220, 226, 232, 238, 244, 250, 256, 262), 2015))
)
def test_rggis_reserve_prices(make_world, year, cents):
    """2015 as announced (auction notice 27); the later ones, expert knowledge, are each 2.5 % above the one before."""
    world = make_world(Venue.preset("rggi-auction"))
    world.accounts(1)
    world.phase(CLOSED, year * 10_000 + 1201)
    assert f"remaining={cents} " in hall.announce(world, cents - 1, 1_000)[0]


def test_ice_has_every_order_type(make_world):
    """Accounts are labels; a stop-limit iceberg, good till a date."""
    world = opened(make_world, "ice-eua")
    fields = {"account": 7, "order_type": 6, "time_in_force": 5, "expiry": TODAY, "price2": 7000, "quantity2": 10}
    assert last_id(world.buy(7010, 100, **fields)) == 1
    assert world.send(K.QUOTE, instrument=1, account=7, price=1, quantity=1)[0].startswith("REJECTED MODE_NOT")


def test_krx_trades_negotiated_blocks_within_the_day_limit(make_world):
    world = opened(make_world, "krx", OPEN_CALL)
    world.phase(3, TODAY, mode=2)
    block = {"side": SELL, "instrument": 1, "account": 1, "quantity": 1_000}
    assert world.send(K.BLOCK_OFFER, price=862, **block)[0].startswith("REJECTED PRICE_ABOVE_LIMIT")
    assert world.send(K.BLOCK_OFFER, price=861, **block)[0].startswith("BLOCK_OFFERED")
