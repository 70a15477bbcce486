"""Auctions: the worked examples C, D and F of the rule book, and published results (rule book sections 4, 6 and 9)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.engine.auction_hall import (
    CANCEL_SHORT,
    OTHER,
    PARTIAL,
    PAY_AS_BID,
    PRORATA,
    RANDOM,
    SEED,
    TIME,
    amount,
    announce,
    bid,
    close_window,
    fills,
    hall,
    hold_auction,
    last,
    number,
    open_hall,
    open_window,
    unfilled,
)
from tests.engine.builders import seee

EXAMPLE_C = [(7600, 20_000), (7550, 30_000), (7450, 25_000), (7450, 40_000), (7410, 50_000)]
"""Rule book, example C: B1 to B5 in order of time."""


@pytest.fixture
def session(make_world):
    """Example C: SEEE, previous close 74.10, so the cap is 81.51 and the floor 74.10 or 66.69."""
    return open_hall(make_world, seee({"previous_close": Decimal("74.10")}))


def test_example_c_uniform(session):
    """B1 20,000, B2 30,000, B3 25,000, B4 25,000 (partial) at 74.50: 7,450,000.00."""
    events = hold_auction(session, 7410, 100_000, EXAMPLE_C)
    assert fills(events) == [(1, 7450, 20_000), (2, 7450, 30_000), (3, 7450, 25_000), (4, 7450, 25_000)]
    assert amount(events) == 745_000_000
    assert unfilled(events) == [(4, 15_000), (5, 50_000)]
    assert last(events) == (
        "AUCTION_CLEARED price=7450 quantity=100000 account=1 order_id=1 contra_remaining=165000 aux2=5"
    )
    row = session.engine.state()["instruments"][0]
    assert (row["auction_volume"], row["auction_price"], row["volume"], row["last"]) == (100_000, 7450, 0, 0)


def test_example_c_pay_as_bid(session):
    """7,510,000.00, on average 75.10."""
    events = hold_auction(session, 7410, 100_000, EXAMPLE_C, scope=PAY_AS_BID)
    assert fills(events) == [(1, 7600, 20_000), (2, 7550, 30_000), (3, 7450, 25_000), (4, 7450, 25_000)]
    assert amount(events) == 751_000_000
    assert amount(events) / 100_000 == 7510
    assert number(last(events), "price") == 7450


def test_example_c_bids_at_the_edges(session):
    """B6 74.05 is below the floor; the cap is 81.51; the lower choice of floor is 66.69."""
    announced = announce(session, 7410, 100_000)
    assert number(announced[0], "remaining") == 8151
    open_window(session)
    assert bid(session, 7405, 1_000)[0].startswith("REJECTED BELOW_RESERVE")
    assert bid(session, 8152, 1_000)[0].startswith("REJECTED ABOVE_CAP")
    assert bid(session, 8151, 1_000)[0].startswith("BID_ACCEPTED")
    assert announce(session, 6669, 100_000)[0].startswith("AUCTION_ANNOUNCED")
    assert announce(session, 6670, 100_000)[0].startswith("REJECTED BELOW_RESERVE")
    assert announce(session, 7410, 99_999)[0].startswith("REJECTED QUANTITY_TOO_SMALL")


@pytest.mark.parametrize(
    ("seed", "third_and_fourth"),
    [(SEED, [(3, 7450, 25_000), (4, 7450, 25_000)]), (OTHER, [(4, 7450, 40_000), (3, 7450, 10_000)])],
)
def test_example_c_ties_by_lot(session, seed, third_and_fourth):
    """50,000 are left for B3 25,000 and B4 40,000: under SEED B3's lot is the smaller one, under OTHER B4's."""
    events = hold_auction(session, 7410, 100_000, EXAMPLE_C, seed=seed, scope=RANDOM)
    assert fills(events)[2:] == third_and_fourth
    assert amount(events) == 745_000_000


@pytest.mark.parametrize(
    ("seed", "third_and_fourth"),
    [(SEED, [(3, 7450, 19_231), (4, 7450, 30_769)]), (OTHER, [(4, 7450, 30_770), (3, 7450, 19_230)])],
)
def test_example_c_pro_rata(session, seed, third_and_fourth):
    """19,230 and 30,769, and the unit that is left by lot."""
    events = hold_auction(session, 7410, 100_000, EXAMPLE_C, seed=seed, scope=PRORATA)
    assert fills(events)[2:] == third_and_fourth
    assert amount(events) == 745_000_000


def test_example_d_krx_official(make_world):
    """KRX: ties by time. 10,300, the first two bids there in full, the third gets nothing."""
    bids = [
        *[(11_000, 1_000), (11_000, 1_500), (11_000, 2_500), (10_500, 1_000), (10_500, 2_000)],
        *[(10_300, 1_000), (10_300, 1_000), (10_300, 2_000), (10_000, 1_000), (10_000, 2_000)],
    ]
    world = open_hall(make_world)
    events = hold_auction(world, 10_000, 10_000, bids, scope=TIME)
    filled = {number: lots for number, _, lots in fills(events)}
    assert filled == {1: 1_000, 2: 1_500, 3: 2_500, 4: 1_000, 5: 2_000, 6: 1_000, 7: 1_000}
    assert {price for _, price, _ in fills(events)} == {10_300}
    assert unfilled(events) == [(8, 2_000), (9, 1_000), (10, 2_000)]


def test_example_f_eex_successful(make_world):
    """EEX 2024-12-16: 3,248,000 x 63.64 = 206,702,720; bids 4,785,500 (cover 1.47). Lots of 500, ties by lot."""
    bids = [(6_800, 1_000_000), (6_500, 1_248_000), (6_364, 1_500_000), (6_300, 1_037_500)]
    world = open_hall(make_world, hall({"auction_step": 500}))
    events = hold_auction(world, 100, 3_248_000, bids, seed=SEED, scope=RANDOM | CANCEL_SHORT)
    cleared = last(events)
    assert [number(cleared, name) for name in ("price", "quantity", "contra_remaining")] == [
        6_364,
        3_248_000,
        4_785_500,
    ]
    assert amount(events) == 20_670_272_000
    assert round(4_785_500 / 3_248_000, 2) == 1.47
    assert unfilled(events) == [(3, 500_000), (4, 1_037_500)]


@pytest.mark.parametrize(
    ("date", "volume", "total"),
    [
        ("2020-03-17", 2_717_500, 2_668_500),
        ("2022-02-01", 2_449_000, 1_242_500),
        ("2022-03-02", 2_658_000, 2_327_000),
    ],
)
def test_example_f_eex_cancelled(make_world, date, volume, total):
    """Three EEX auctions with fewer bids than volume: cancelled as a whole (Regulation 1031/2010 art. 7(5))."""
    world = open_hall(make_world, hall({"auction_step": 500}))
    bids = [(8_000, 1_000_000), (7_000, total - 1_000_000)]
    events = hold_auction(world, 100, volume, bids, seed=SEED, scope=RANDOM | CANCEL_SHORT)
    assert fills(events) == []
    assert last(events) == (
        f"AUCTION_CANCELLED UNDERSUBSCRIBED price=100 quantity={volume} account=1 order_id=1 "
        f"contra_remaining={total} aux={volume} aux2=2"
    )
    for account in (1, 2, 3):
        assert world.row("holds", account=account, asset=1)["free"] == 10**9
        assert world.row("cash", account=account, currency=1)["free"] == 10**15


@pytest.mark.parametrize(
    ("date", "close", "tonnes", "sold_for"),
    [("2025-08-28", "69.78", 5_000, 34_890_000), ("2025-09-05", "67.30", 2_000, 13_460_000)],
)
def test_partial_sale_at_the_floor(make_world, date, close, tonnes, sold_for):
    """SEEE sessions with fewer bids than tonnes sold what was bid, at the floor = previous close (rule book, O5)."""
    world = open_hall(make_world, seee({"previous_close": Decimal(close)}))
    floor = int(Decimal(close) * 100)
    events = hold_auction(world, floor, 100_000, [(floor, tonnes)])
    assert fills(events) == [(1, floor, tonnes)]
    assert amount(events) == sold_for
    assert last(events) == (
        f"AUCTION_CLEARED price={floor} quantity={tonnes} account=1 order_id=1 remaining={100_000 - tonnes} "
        f"contra_remaining={tonnes} aux={100_000 - tonnes} aux2=1"
    )
    assert world.row("holds", account=1, asset=1) == {
        "account": 1, "asset": 1, "free": 10**9 - tonnes, "locked": 0, "bought_today": 0, "pledged": 0, "judicial": 0,
        "auction_frozen": 0, "transfer_pending": 0, "carried_over": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("date", "close", "tonnes", "sold_for", "bids"),
    [
        ("2025-07-16", "74.10", 100_000, 745_220_000, [(7500, 10), (7480, 30), (7431, 20), (7430, 40), (7410, 9)]),
        ("2025-11-04", "48.72", 100_000, 489_485_000, [(5000, 10), (4890, 50), (4875, 25), (4874, 15), (4872, 1)]),
    ],
)
def test_published_pay_as_bid_sessions(make_world, date, close, tonnes, sold_for, bids):
    """The published average is off the tick, so each paid its own bid. No bids are published: these (price, thousand
    tonnes) are made up to the published tonnes and amount, between the floor (the previous close) and the cap.
    """
    world = open_hall(make_world, seee({"previous_close": Decimal(close)}))
    floor = int(Decimal(close) * 100)
    events = hold_auction(world, floor, tonnes, [(at, 1_000 * lots) for at, lots in bids], scope=PAY_AS_BID)
    assert number(last(events), "quantity") == tonnes
    assert amount(events) == sold_for
    assert sold_for % tonnes != 0
    assert unfilled(events) == [(5, 1_000 * bids[4][1])]


def test_failed_session(session):
    """A session without a bid fails, and what was offered is the seller's again (rule book, O5)."""
    announce(session, 7410, 100_000, scope=PARTIAL)
    assert session.row("holds", account=1, asset=1)["auction_frozen"] == 100_000
    open_window(session)
    assert close_window(session) == [
        "PHASE_CHANGED phase=0 side=3 aux=20250811 aux2=3",
        "AUCTION_CANCELLED NO_BIDS price=7410 quantity=100000 account=1 order_id=1 aux=100000",
    ]
    assert session.row("holds", account=1, asset=1)["auction_frozen"] == 0
    assert session.engine.state()["instruments"][0]["auction_price"] == 0
