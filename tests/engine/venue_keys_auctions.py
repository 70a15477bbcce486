"""Cases of the venue keys of what bounds auctions (see `venue_keys`)."""

from __future__ import annotations

from decimal import Decimal

from engine.schema import CommandKind as K
from tests.engine.venue_flows import UNITS, Case, Flow, announced, bid

FLOOR = {"auction_floor": Decimal("100.00"), "auction_floor_year": 2025, "auction_floor_rise_bps": 500}
RISEN = {**FLOOR, "auction_floor": Decimal("95.23"), "auction_floor_year": 2024}
"""95.23 x 1.05 = 99.9915, half-up 99.99; the trading date is of 2025, the reserve 100.00."""
TAKEN, SHARED = "BID_ACCEPTED", "REJECTED PURCHASE_LIMIT"
GOOD, LOW = "AUCTION_ANNOUNCED", "REJECTED BELOW_FLOOR"


def covered_bid(lots: int) -> Flow:
    """A bid for some of 100 lots by an account with a compliance obligation."""
    due = {"account": 2, "quantity": 1, "expiry": 2025}
    return lambda world: [world.send(K.SET_OBLIGATION, **due), bid(10000, lots)(world)]


AUCTION_CASES = (
    Case("Venue.auction_notice_days", 1, bid(10000, 1), "AUCTION_OPENED", "REJECTED NOTICE_PERIOD"),
    Case(
        "Venue.auction_freeze_days",
        1,
        announced(lots=UNITS + 1),
        "REJECTED INSUFFICIENT_UNITS",
        GOOD,
        base={"auction_notice_days": 2},
    ),
    Case("Instrument.auction_covered_bps", 2_000, covered_bid(21), TAKEN, SHARED),
    Case("Instrument.auction_other_bps", 2_000, bid(10000, 21), TAKEN, SHARED),
    Case("Instrument.auction_floor", Decimal("100.01"), announced(), GOOD, LOW, terms=FLOOR),
    Case("Instrument.auction_floor_year", 2024, announced(), GOOD, LOW, terms=FLOOR),
    Case("Instrument.auction_floor_rise_bps", 502, announced(), GOOD, LOW, terms=RISEN),
    Case("Instrument.auction_floor_inflation_ppm", (200,), announced(), GOOD, LOW, terms=RISEN),
)
