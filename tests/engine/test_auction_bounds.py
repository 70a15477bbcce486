"""What bounds auctions: a floor that rises each year, one bidder's share, notice in trading days
(docs/blocks-and-auctions.md section 8, Bounds)."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from engine.schema import CommandKind as K
from engine.venue import Venue, VenueError
from tests.engine.auction_hall import (
    CASH,
    UNITS,
    announce,
    auction_cash,
    auction_units,
    bid,
    call_off,
    close_window,
    hall,
    open_hall,
    open_window,
    rebid,
    unbid,
)
from tests.engine.builders import BUY, CONTINUOUS, SELL, World, plain

PUBLISHED = {
    2015: 1210,
    2016: 1273,
    2017: 1357,
    2018: 1453,
    2019: 1562,
    2020: 1668,
    2021: 1771,
    2022: 1970,
    2023: 2221,
    2024: 2404,
    2025: 2587,
}
"""California's annual auction reserve prices, US cents: 5 % and inflation above the year before, to the cent. Those of
2017, 2018 (notice) and 2019 were at hand; the others and the index are expert knowledge, and every step agrees."""
CPI_OCTOBER = (237_433, 237_838, 241_729, 246_663, 252_885, 257_346, 260_388, 276_589, 298_012, 307_671, 315_664)
"""US consumer price index of all urban consumers, not seasonally adjusted, October 2014 to 2024, in thousandths."""
INFLATION = tuple(round((b - a) * 10**6 / a) for a, b in pairwise(CPI_OCTOBER))
CALIFORNIA = {
    "auction_floor": Decimal("12.10"),
    "auction_floor_year": 2015,
    "auction_floor_rise_bps": 500,
    "auction_floor_inflation_ppm": INFLATION,
}


def in_year(make_world, venue: Venue, year: int) -> World:
    world = make_world(venue)
    world.accounts(4, cash=CASH, units=UNITS)
    world.open_day(year * 10_000 + 601)
    return world


@pytest.mark.parametrize(("year", "cents"), PUBLISHED.items())
def test_californias_published_reserve_prices(make_world, year, cents):
    """Annual auction reserve price notices of 2015 to 2025 (17 CCR 95911): a cent below is refused."""
    world = in_year(make_world, hall(CALIFORNIA), year)
    assert announce(world, cents - 1, 10) == [
        f"REJECTED BELOW_FLOOR side=2 price={cents - 1} quantity=10 account=1 remaining={cents} aux=120"
    ]
    assert announce(world, cents, 10)[0].startswith("AUCTION_ANNOUNCED")


def test_floor_of_a_year_by_hand(make_world):
    """12.10 in 2015, 5 % and 0.1706 % more: 12.10 x 1.051706 = 12.7256426, half-up 12.73. Without the year's inflation
    12.10 x 1.05 = 12.705, half-up 12.71."""
    assert INFLATION[0] == 1_706
    for inflation, cents in ((INFLATION, 1273), ((), 1271)):
        world = in_year(make_world, hall({**CALIFORNIA, "auction_floor_inflation_ppm": inflation}), 2016)
        assert f"remaining={cents} " in announce(world, 1200, 10)[0]


def test_years_outside_the_list(make_world):
    """No floor before the first year; 2026 has no inflation listed: 25.87 x 1.05 = 27.1635, half-up 27.16."""
    world = in_year(make_world, hall(CALIFORNIA), 2014)
    assert announce(world, 100, 10)[0].startswith("AUCTION_ANNOUNCED")
    world = in_year(make_world, hall(CALIFORNIA), 2026)
    assert "BELOW_FLOOR" in announce(world, 2715, 10)[0]
    assert announce(world, 2716, 10)[0].startswith("AUCTION_ANNOUNCED")
    assert announce(world, 100, 10, side=BUY)[0].startswith("AUCTION_ANNOUNCED"), "what buys has no floor"


def test_a_floor_does_not_outgrow_a_price(make_world):
    """In 2999 the floor would be beyond every price; deflation lowers it."""
    world = in_year(make_world, hall(CALIFORNIA), 2999)
    assert f"remaining={2**31 - 1} " in announce(world, 130_000, 10)[0]
    world = in_year(make_world, hall({**CALIFORNIA, "auction_floor_inflation_ppm": (-100_000,)}), 2016)
    assert "remaining=1150 " in announce(world, 1149, 10)[0]  # 1210 x 0.95 = 1149.5


def test_the_year_that_counts_is_the_openings_too(make_world):
    """docs/blocks-and-auctions.md section 8, Bounds: announced in 2015 at its price, opened in 2016."""
    world = in_year(make_world, hall(CALIFORNIA), 2015)
    announce(world, 1210, 10)
    announce(world, 1273, 10)
    world.end_of_day()
    world.open_day(20160105)
    assert open_window(world, 1) == ["REJECTED BELOW_FLOOR remaining=1273 aux=122 aux2=1"]
    assert open_window(world, 2)[0].startswith("AUCTION_OPENED")


SHARES = {"auction_covered_bps": 2_500, "auction_other_bps": 400}


def test_purchase_limits_of_california(make_world):
    """Of 1,000 lots a covered entity may bid for 250, anybody else for 40: all its bids together."""
    world = open_hall(make_world, hall(SHARES))
    world.send(K.SET_OBLIGATION, account=2, quantity=5, expiry=2025)
    announce(world, 500, 1_000)
    open_window(world)
    assert bid(world, 600, 251, account=2)[0].startswith(
        "REJECTED PURCHASE_LIMIT side=1 price=600 quantity=251 account=2 remaining=250"
    )
    assert bid(world, 600, 200, account=2)[0].startswith("BID_ACCEPTED")
    assert "remaining=50 " in bid(world, 700, 51, account=2)[0]
    assert bid(world, 700, 50, account=2)[0].startswith("BID_ACCEPTED")
    assert bid(world, 500, 1, account=2)[0].startswith("REJECTED PURCHASE_LIMIT")
    assert "remaining=40 " in bid(world, 600, 41, account=3)[0]
    assert bid(world, 600, 40, account=3)[0].startswith("BID_ACCEPTED")
    assert rebid(world, 1, 600, 201)[0].startswith("REJECTED PURCHASE_LIMIT"), "a change counts what it replaces once"
    assert rebid(world, 1, 650, 200)[0].startswith("BID_REPLACED")
    unbid(world, 2)
    assert rebid(world, 1, 650, 250)[0].startswith("BID_REPLACED")


def test_one_bidder_is_a_firm_or_an_owner_group(make_world):
    """Accounts 2 and 5 are of one firm, 3 and 6 of one group; an obligation of one makes both covered."""
    world = open_hall(make_world, hall(SHARES))
    world.account(firm=2, cash=CASH)
    world.send(K.SET_OWNER_GROUP, account=3, quantity2=9)
    world.account(group=9, cash=CASH)
    world.send(K.SET_OBLIGATION, account=6, quantity=1, expiry=2025)
    announce(world, 500, 1_000)
    open_window(world)
    assert bid(world, 600, 30, account=2)[0].startswith("BID_ACCEPTED")
    assert "PURCHASE_LIMIT" in bid(world, 600, 11, account=5)[0]
    assert bid(world, 600, 10, account=5)[0].startswith("BID_ACCEPTED")
    assert bid(world, 600, 240, account=3)[0].startswith("BID_ACCEPTED")
    assert "remaining=10 " in bid(world, 600, 11, account=6)[0]
    assert bid(world, 600, 40, account=4)[0].startswith("BID_ACCEPTED"), "somebody else"


def test_a_share_is_of_one_auction_and_of_what_sells(make_world):
    world = open_hall(make_world, hall({"auction_other_bps": 1_999}))
    announce(world, 500, 1_000)
    announce(world, 500, 10)
    announce(world, 700, 10, side=BUY)
    for auction in (1, 2, 3):
        open_window(world, auction)
    assert bid(world, 600, 199, auction=1)[0].startswith("BID_ACCEPTED")
    assert "remaining=1 " in bid(world, 600, 2, auction=2)[0], "floor of 1.999 lots"
    assert bid(world, 600, 10, auction=3, side=SELL)[0].startswith("BID_ACCEPTED")


def test_labels_are_bidders_of_their_own(make_world):
    world = make_world(plain({"auction": True, "auction_other_bps": 5_000}))
    announce(world, 500, 10)
    open_window(world)
    assert bid(world, 600, 5, account=2)[0].startswith("BID_ACCEPTED")
    assert "PURCHASE_LIMIT" in bid(world, 600, 1, account=2)[0]
    assert bid(world, 600, 5, account=3)[0].startswith("BID_ACCEPTED")


def next_day(world: World, date: int) -> list[str]:
    world.end_of_day()
    return [told for told in world.open_day(date) if "AUCTION" in told]


NOTICE = {"auction_notice_days": 10, "auction_freeze_days": 5}
DAYS = range(20250812, 20250822)


def test_ten_trading_days_of_notice(make_world):
    """Rule book section 4, O1; the day of the announcement does not count."""
    world = open_hall(make_world, hall(**NOTICE))
    announce(world, 500, 100)
    for missing, day in zip(range(10, 0, -1), DAYS, strict=True):
        assert open_window(world) == [f"REJECTED NOTICE_PERIOD remaining={missing} aux=122 aux2=1"]
        next_day(world, day)
    assert open_window(world)[0].startswith("AUCTION_OPENED")


def test_units_in_place_five_days_before(make_world):
    """Announced without units; they come on the fourth day and are frozen when the fifth opens."""
    world = open_hall(make_world, hall(**NOTICE))
    assert announce(world, 500, UNITS + 100) == [
        f"AUCTION_ANNOUNCED side=2 price=500 quantity={UNITS + 100} account=1 order_id=1 aux2=213"
    ]
    assert auction_units(world, 1) == (UNITS, 0, 0)
    assert world.engine.state()["auctions"]["stage"].tolist() == [4]
    assert "WRONG_AUCTION_STAGE" in open_window(world)[0]
    for day in DAYS[:4]:
        assert next_day(world, day) == []
    world.deposit_units(1, 100)
    assert next_day(world, DAYS[4]) == [
        f"AUCTION_SECURED phase=0 side=2 price=500 quantity={UNITS + 100} account=1 order_id=1 aux={UNITS + 100}"
    ]
    assert auction_units(world, 1) == (0, UNITS + 100, 0)
    twin = world.restored()
    for other in (world, twin):
        for day in DAYS[5:]:
            assert next_day(other, day) == []
        open_window(other)
        assert bid(other, 500, 10)[0].startswith("BID_ACCEPTED")
        assert close_window(other)[-1].startswith("AUCTION_CLEARED")


def test_withdrawn_where_nothing_is_in_place(make_world):
    """On the fifth day the auction is withdrawn, by the day's opening; one in place stays."""
    world = open_hall(make_world, hall(**NOTICE))
    announce(world, 500, UNITS + 1)
    announce(world, 500, 1, account=2)
    for day in DAYS[:4]:
        assert next_day(world, day) == []
    assert next_day(world, DAYS[4]) == [
        f"AUCTION_CANCELLED NOT_IN_PLACE phase=0 price=500 quantity={UNITS + 1} account=1 order_id=1"
    ]
    assert auction_units(world, 1) == (UNITS, 0, 0)
    assert world.engine.state()["auctions"]["id"].tolist() == [2]


def test_a_buyers_cash_in_time_too(make_world):
    """A reverse auction freezes cash at its reserve: 10 lots at 5.00."""
    world = open_hall(make_world, hall(auction_notice_days=2, auction_freeze_days=1))
    world.account()
    announce(world, 500, 10, side=BUY, account=5)
    world.deposit_cash(5, 5_000)
    assert next_day(world, DAYS[0]) == [
        "AUCTION_SECURED phase=0 side=1 price=500 quantity=10 account=5 order_id=1 aux=5000"
    ]
    assert auction_cash(world, 5) == (0, 5_000, 0)


def test_an_application_may_be_withdrawn(make_world):
    world = open_hall(make_world, hall(**NOTICE))
    announce(world, 500, UNITS + 1)
    assert call_off(world)[0].startswith("AUCTION_CANCELLED AUCTION_WITHDRAWN")
    assert world.engine.state()["auctions"].size == 0


def test_without_late_freezing_units_are_in_place_at_once(make_world):
    world = open_hall(make_world, hall(auction_notice_days=1))
    assert announce(world, 500, UNITS + 1)[0].startswith("REJECTED INSUFFICIENT_UNITS")
    announce(world, 500, 1)
    next_day(world, DAYS[0])
    assert open_window(world)[0].startswith("AUCTION_OPENED")


@pytest.mark.parametrize(
    ("venue", "instrument", "fault"),
    [
        ({"auction_notice_days": 251}, {}, "auction_notice_days`: 251 is out of range; write 0 to 250"),
        (
            {"auction_freeze_days": 1},
            {},
            "auction_freeze_days`: 1 is out of range; write 0 to 0",
        ),
        ({}, {"auction_covered_bps": 10_001}, "auction_covered_bps`: 10001 is out of range"),
        ({}, {"auction_other_bps": -1}, "auction_other_bps`: -1 is out of range"),
        ({}, {"auction_floor_year": 2015}, "auction_floor_year`: needs the floor of its first year"),
        ({}, {"auction_floor": Decimal("9.00")}, "auction_floor_year`: 0 is no year"),
        ({}, {**CALIFORNIA, "auction_floor": Decimal("9.001")}, "auction_floor`: A: price 9.001 is not a multiple"),
        ({}, {**CALIFORNIA, "auction_floor_inflation_ppm": (0,) * 65}, "65 years; write at most 64"),
        ({}, {**CALIFORNIA, "auction_floor_inflation_ppm": (500_001,)}, "500001 is out of range"),
    ],
)
def test_faults_of_the_keys(venue, instrument, fault):
    with pytest.raises(VenueError, match=fault):
        hall(instrument, **venue)


def test_days_are_counted_where_nothing_asks(make_world):
    """The count is a fact of the auction: a venue whose rules ask for it later finds it in the state."""
    world = open_hall(make_world)
    announce(world, 500, 1)
    next_day(world, DAYS[0])
    assert world.engine.state()["auctions"]["days"].tolist() == [1]
    assert world.phase(CONTINUOUS, DAYS[0], mode=3) and world.engine.state()["auctions"]["days"].tolist() == [1]
