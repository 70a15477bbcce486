"""How an auction clears: policies, money, what becomes of unsold lots (docs/blocks-and-auctions.md section 8)."""

from __future__ import annotations

import pytest

from engine.schema import CommandKind as K
from tests.engine.auction_hall import (
    CANCEL_BELOW,
    CANCEL_SHORT,
    CASH,
    OTHER,
    PARTIAL,
    PAY_AS_BID,
    PRORATA,
    RAISE,
    RANDOM,
    SEED,
    SEED_HASH,
    UNITS,
    amount,
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
    hold_auction,
    last,
    number,
    open_hall,
    open_window,
    reveal,
    unfilled,
)
from tests.engine.builders import BUY, SELL, plain


def test_money_of_a_sale(make_world):
    """Fee 1 %. Bid 1 pays 600 for its 650 and gets the difference back; bid 2 gets 70 of 100 lots.

    Locks: 650 x 30 = 19,500 + 195; 600 x 100 = 60,000 + 600. After 70 lots, 42,000 paid and 420 charged, bid 2 still
    locks 18,000 + 180.
    """
    world = open_hall(make_world, hall({"fee_ppm": 10_000}))
    assert hold_auction(world, 500, 100, [(650, 30), (600, 100)])[1:] == [
        "AUCTION_TRADE side=1 price=600 quantity=30 account=2 contra_account=1 order_id=1 contra_order_id=1 "
        "contra_remaining=70 aux=1515",
        "FEE price=600 quantity=30 account=2 contra_account=1 order_id=1 contra_order_id=1 aux=180 aux2=180",
        "AUCTION_TRADE side=1 price=600 quantity=70 account=3 contra_account=1 order_id=2 contra_order_id=1 "
        "remaining=30",
        "FEE price=600 quantity=70 account=3 contra_account=1 order_id=2 contra_order_id=1 aux=420 aux2=420",
        "BID_ENDED NOT_ALLOCATED side=1 price=600 quantity=30 account=3 order_id=2 contra_order_id=1 aux=18180",
        "AUCTION_CLEARED price=600 quantity=100 account=1 order_id=1 contra_remaining=130 aux2=2",
    ]
    assert auction_cash(world, 1) == (CASH + 60_000 - 600, 0, 60_000 - 600)
    assert auction_cash(world, 2) == (CASH - 18_180, 0, 0)
    assert auction_cash(world, 3) == (CASH - 42_420, 0, 0)
    assert auction_units(world, 1) == (UNITS - 100, 0, 0)
    assert (auction_units(world, 2), auction_units(world, 3)) == ((UNITS, 0, 30), (UNITS, 0, 70))
    assert world.row("currencies")["fees"] == 1_200


def test_fees_do_not_drift(make_world):
    """25 ppm: each bidder pays on its own (0.45 and 1.05), the seller on the sum so far (0.45, then 1.5)."""
    world = open_hall(make_world, hall({"fee_ppm": 25}))
    events = hold_auction(world, 500, 100, [(600, 30), (600, 70)])
    assert [event for event in events if event.startswith("FEE")] == [
        "FEE price=600 quantity=70 account=3 contra_account=1 order_id=2 contra_order_id=1 aux=1 aux2=2"
    ]
    assert auction_cash(world, 1) == (CASH + 59_998, 0, 59_998)


def test_money_of_a_pay_as_bid_sale(make_world):
    """Everybody pays the own price, so only lots that are not allocated are released."""
    world = open_hall(make_world)
    events = hold_auction(world, 500, 100, [(650, 30), (600, 100)], scope=PAY_AS_BID)
    assert fills(events) == [(1, 650, 30), (2, 600, 70)]
    assert "aux=" not in events[1].replace("aux2=", "")
    assert auction_cash(world, 1) == (CASH + 61_500, 0, 61_500)
    assert number(last(events), "price") == 600


def test_bought_units_settle_the_next_day(make_world):
    """T+1 holds for all modes (rule book, B5); where settlement takes no day they are free at once."""
    world = open_hall(make_world)
    hold_auction(world, 500, 100, [(600, 30)])
    assert auction_units(world, 2) == (UNITS, 0, 30)
    assert world.sell(700, UNITS + 1, account=2)[0].startswith("REJECTED UNITS_BOUGHT_TODAY")
    assert announce(world, 500, UNITS + 1, account=2)[0].startswith("REJECTED UNITS_BOUGHT_TODAY")
    assert announce(world, 500, UNITS + 31, account=2)[0].startswith("REJECTED INSUFFICIENT_UNITS")
    assert "UNITS_SETTLED quantity=30 account=2 aux2=1" in world.end_of_day()
    assert auction_units(world, 2) == (UNITS + 30, 0, 0)

    world = open_hall(make_world, hall(settlement_days=0))
    hold_auction(world, 500, 100, [(600, 30)])
    assert auction_units(world, 2) == (UNITS + 30, 0, 0)


OFFERS = [(400, 30), (600, 50), (500, 40)]
"""Bids 1 to 3 of a reverse auction of 100 lots: 400, 500 and then 30 of the 50 lots at 600."""


def test_reverse_auction(make_world):
    """Ask ascending (rule book, O8). The buyer froze 70,700 at the reserve and pays 60,000 and its fee of 600."""
    world = open_hall(make_world, hall({"fee_ppm": 10_000}))
    assert hold_auction(world, 700, 100, OFFERS, side=BUY)[1:] == [
        "AUCTION_TRADE side=2 price=600 quantity=30 account=2 contra_account=1 order_id=1 contra_order_id=1 "
        "contra_remaining=70",
        "FEE price=600 quantity=30 account=1 contra_account=2 order_id=1 contra_order_id=1 aux=180 aux2=180",
        "AUCTION_TRADE side=2 price=600 quantity=40 account=4 contra_account=1 order_id=3 contra_order_id=1 "
        "contra_remaining=30",
        "FEE price=600 quantity=40 account=1 contra_account=4 order_id=1 contra_order_id=3 aux=240 aux2=240",
        "AUCTION_TRADE side=2 price=600 quantity=30 account=3 contra_account=1 order_id=2 contra_order_id=1 "
        "remaining=20",
        "FEE price=600 quantity=30 account=1 contra_account=3 order_id=1 contra_order_id=2 aux=180 aux2=180",
        "BID_ENDED NOT_ALLOCATED side=2 price=600 quantity=20 account=3 order_id=2 contra_order_id=1 aux=20",
        "AUCTION_CLEARED price=600 quantity=100 account=1 order_id=1 contra_remaining=120 aux=10100 aux2=3",
    ]
    assert auction_cash(world, 1) == (CASH - 60_600, 0, 0)
    assert auction_units(world, 1) == (UNITS, 0, 100)
    assert auction_cash(world, 3) == (CASH + 17_820, 0, 17_820)
    assert auction_units(world, 3) == (UNITS - 30, 0, 0)


def test_reverse_auction_pay_as_bid(make_world):
    world = open_hall(make_world)
    events = hold_auction(world, 700, 100, OFFERS, side=BUY, scope=PAY_AS_BID)
    assert fills(events) == [(1, 400, 30), (3, 500, 40), (2, 600, 30)]
    assert number(last(events), "aux") == 70_000 - 50_000


def test_reverse_auction_bounds(make_world):
    """The reserve is the most it pays, the cap the least that may be asked."""
    world = open_hall(make_world)
    announce(world, 700, 100, side=BUY, price2=300)
    open_window(world)
    assert bid(world, 701, 1, side=SELL)[0].startswith("REJECTED BELOW_RESERVE")
    assert bid(world, 299, 1, side=SELL)[0].startswith("REJECTED ABOVE_CAP")
    assert bid(world, 700, 1, side=SELL)[0].startswith("BID_ACCEPTED")
    assert bid(world, 300, 1, side=SELL)[0].startswith("BID_ACCEPTED")


def test_who_is_told(make_world):
    """A trade names the bidder's and the announcement's sessions; what ended a bid is the close."""
    world = open_hall(make_world, hall({"fee_ppm": 10_000}))
    operator, trader = world.session(0, 2), world.session(2)
    announce(world, 500, 10, session=operator)
    open_window(world, session=operator)
    bid(world, 600, 10, session=trader)
    bid(world, 500, 10, session=trader)
    assert close_window(world, session=operator) == [
        f"PHASE_CHANGED phase=0 side=3 client_order_id=3 aux=20250811 aux2=3 session={operator}",
        "AUCTION_TRADE side=1 price=600 quantity=10 account=2 contra_account=1 order_id=1 contra_order_id=1 "
        f"client_order_id=1 contra_client_order_id=1 session={trader} contra_session={operator}",
        "FEE price=600 quantity=10 account=2 contra_account=1 order_id=1 contra_order_id=1 client_order_id=1 "
        f"contra_client_order_id=1 aux=60 aux2=60 session={trader} contra_session={operator}",
        "BID_ENDED NOT_ALLOCATED side=1 price=500 quantity=10 account=2 order_id=2 contra_order_id=1 "
        f"client_order_id=2 contra_client_order_id=3 aux=5050 session={trader} contra_session={operator}",
        "AUCTION_CLEARED price=600 quantity=10 account=1 order_id=1 client_order_id=3 contra_remaining=20 aux2=2 "
        f"session={operator}",
    ]


def test_without_pre_funding(make_world):
    """Nothing is frozen or locked; the trades are the same."""
    world = open_hall(make_world, plain({"auction": True, "fee_ppm": 10_000}))
    assert announce(world, 500, 100, account=9) == [
        f"AUCTION_ANNOUNCED side=2 price=500 quantity=100 account=9 order_id=1 aux2={1 | 1 << 2 | 1 << 4 | 3 << 6}"
    ]
    open_window(world)
    for price, lots in ((600, 60), (700, 60)):
        bid(world, price, lots, account=5)
    assert close_window(world)[1:] == [
        "AUCTION_TRADE side=1 price=600 quantity=60 account=5 contra_account=9 order_id=2 contra_order_id=1 "
        "contra_remaining=40",
        "AUCTION_TRADE side=1 price=600 quantity=40 account=5 contra_account=9 order_id=1 contra_order_id=1 "
        "remaining=20",
        "BID_ENDED NOT_ALLOCATED side=1 price=600 quantity=20 account=5 order_id=1 contra_order_id=1",
        "AUCTION_CLEARED price=600 quantity=100 account=9 order_id=1 contra_remaining=120 aux2=2",
    ]


def test_more_offered_than_bid(make_world):
    """UK: what is bid is sold at the lowest bid. EU: the auction is cancelled, its bids by rank."""
    bids = [(600, 20), (700, 30)]
    world = open_hall(make_world)
    events = hold_auction(world, 500, 100, bids, scope=PARTIAL)
    assert fills(events) == [(2, 600, 30), (1, 600, 20)]
    assert last(events) == (
        "AUCTION_CLEARED price=600 quantity=50 account=1 order_id=1 remaining=50 contra_remaining=50 aux=50 aux2=2"
    )
    assert hold_auction(world, 500, 100, bids, scope=CANCEL_SHORT)[1:] == [
        "BID_ENDED UNDERSUBSCRIBED side=1 price=700 quantity=30 account=3 order_id=4 contra_order_id=2 aux=21000",
        "BID_ENDED UNDERSUBSCRIBED side=1 price=600 quantity=20 account=2 order_id=3 contra_order_id=2 aux=12000",
        "AUCTION_CANCELLED UNDERSUBSCRIBED price=500 quantity=100 account=1 order_id=2 contra_remaining=50 aux=100 "
        "aux2=2",
    ]
    events = hold_auction(world, 500, 50, bids, scope=CANCEL_SHORT)
    assert number(last(events), "quantity") == 50
    assert hold_auction(world, 500, 50, [], scope=CANCEL_SHORT)[1].startswith("AUCTION_CANCELLED NO_BIDS")


SECONDARY = {"quantity2": 1_000, "target": 1_000}
"""Secondary market 1,000, threshold 10 %: below 900 is far below it."""


@pytest.mark.parametrize(
    ("bids", "rule", "sold", "ended"),
    [
        ([(950, 60), (880, 60)], CANCEL_BELOW, [], "BELOW_SECONDARY"),
        ([(950, 60), (900, 60)], CANCEL_BELOW, [(1, 900, 60), (2, 900, 40)], ""),
        ([(950, 60), (899, 60)], CANCEL_BELOW, [], "BELOW_SECONDARY"),
        ([(950, 60), (880, 60)], RAISE, [(1, 950, 60)], ""),
        ([(950, 30), (920, 30), (880, 60), (910, 10)], RAISE, [(1, 910, 30), (2, 910, 30), (4, 910, 10)], ""),
        ([(950, 30), (880, 90)], 3 << 6, [(1, 880, 30), (2, 880, 70)], ""),
        ([(899, 100), (880, 60)], RAISE, [], "BELOW_SECONDARY"),
        ([(950, 100), (880, 60)], RAISE, [(1, 950, 100)], ""),
        ([(950, 10), (800, 10)], RAISE, [(1, 950, 10)], ""),
    ],
)
def test_secondary_market(make_world, bids, rule, sold, ended):
    """EU: cancelled; UK: the price rises to the bid that meets the market; bids below are passed over."""
    world = open_hall(make_world)
    events = hold_auction(world, 500, 100, bids, scope=rule, **SECONDARY)
    assert fills(events) == sold
    assert (ended or "AUCTION_CLEARED") in last(events)
    assert number(last(events), "contra_remaining") == sum(lots for _, lots in bids)
    assert sum(lots for _, lots in unfilled(events)) + sum(lots for _, _, lots in sold) == sum(lots for _, lots in bids)
    assert auction_cash(world, 2)[1] == 0


def test_secondary_market_of_a_reverse_auction(make_world):
    """Far above it: 1,100 is not, 1,101 is."""
    world = open_hall(make_world)
    events = hold_auction(world, 2_000, 100, [(1_000, 50), (1_101, 60)], side=BUY, scope=RAISE, **SECONDARY)
    assert fills(events) == [(1, 1_000, 50)]
    events = hold_auction(world, 2_000, 100, [(1_000, 50), (1_100, 60)], side=BUY, scope=CANCEL_BELOW, **SECONDARY)
    assert fills(events) == [(3, 1_100, 50), (4, 1_100, 50)]
    events = hold_auction(world, 2_000, 100, [(1_000, 50), (1_101, 60)], side=BUY, scope=CANCEL_BELOW, **SECONDARY)
    assert "BELOW_SECONDARY" in last(events)


def test_no_secondary_price_no_rule(make_world):
    world = open_hall(make_world, hall(auction_secondary="CANCEL"))
    assert fills(hold_auction(world, 500, 100, [(600, 100)], target=0)) == [(1, 600, 100)]


@pytest.mark.parametrize(
    ("seed", "lots"),
    [
        (SEED, [(3, 600, 2_000), (2, 600, 1_000), (1, 600, 3_000)]),
        (OTHER, [(1, 600, 4_000), (2, 600, 1_000), (3, 600, 1_000)]),
    ],
)
def test_california_pro_rata(make_world, seed, lots):
    """Lots of 1,000; 6,000 for 5,000, 3,000 and 2,000: shares 3,000, 1,800, 1,200 rounded down, 1,000 left by lot."""
    world = open_hall(make_world, hall({"auction_step": 1_000}))
    bids = [(600, 5_000), (600, 3_000), (600, 2_000), (700, 2_000)]
    events = hold_auction(world, 500, 8_000, bids, seed=seed, scope=PRORATA)
    assert fills(events) == [(4, 600, 2_000), *lots]


def test_pro_rata_without_a_tie_to_break(make_world):
    """Where all lots at the price fit they are filled in full; events in the order of the lots."""
    world = open_hall(make_world)
    events = hold_auction(world, 500, 100, [(600, 50), (600, 30), (600, 20)], seed=SEED, scope=PRORATA)
    assert fills(events) == [(3, 600, 20), (2, 600, 30), (1, 600, 50)]
    events = hold_auction(world, 500, 3, [(600, 50), (600, 30), (600, 20)], seed=SEED, scope=PRORATA)
    assert sum(lots for _, _, lots in fills(events)) == 3


def test_pro_rata_of_large_numbers(make_world):
    """Carried lots: 2 x (2^31 - 1) for three bids of 2^31 - 1. R x lots is 2^63: two thirds of each, and two by lot."""
    most = 2**31 - 1
    world = open_hall(make_world, hall(auction_carry_over=1, auction_carry_cap_bps=20_000))
    world.deposit_units(1, 2 * most)
    hold_auction(world, 500, most, [])
    assert carried(world) == [most, 0, 0, 0]
    events = hold_auction(world, 500, most, [(600, most)] * 3, seed=SEED, scope=PRORATA)
    assert fills(events) == [(3, 600, 1_431_655_765), (2, 600, 1_431_655_765), (1, 600, 1_431_655_764)]
    assert amount(events) == 600 * 2 * most


def test_carry_over(make_world):
    """UK: unsold lots go to the next four auctions, none of which grows beyond 125 %; what does not fit moves on."""
    world = open_hall(make_world, hall(auction_carry_over=4))
    hold_auction(world, 500, 1_000, [(600, 600)])
    assert carried(world) == [100, 100, 100, 100]
    assert announce(world, 500, 200)[0].endswith(
        f"quantity=250 account=1 order_id=2 contra_remaining=50 aux=250 aux2={1 | 1 << 2 | 1 << 4 | 3 << 6}"
    )
    assert carried(world) == [150, 100, 100, 0]
    assert number(announce(world, 500, 1_000)[0], "quantity") == 1_150
    assert carried(world) == [100, 100, 0, 0]
    assert number(announce(world, 500, 3)[0], "quantity") == 3
    assert carried(world) == [200, 0, 0, 0]
    assert number(announce(world, 700, 1_000, side=BUY)[0], "quantity") == 1_000
    assert carried(world) == [200, 0, 0, 0]
    assert carried(world, 2) == [0, 0, 0, 0]


def test_carry_over_in_steps(make_world):
    """Shares are multiples of the step, the last auction takes the rest; growth is one too."""
    world = open_hall(make_world, hall({"auction_step": 500}, auction_carry_over=4))
    hold_auction(world, 500, 10_000, [(600, 500)])
    assert carried(world) == [2_000, 2_000, 2_000, 3_500]
    assert number(announce(world, 500, 4_500)[0], "contra_remaining") == 1_000
    assert carried(world) == [3_000, 2_000, 3_500, 0]


@pytest.mark.parametrize(
    ("over", "after"), [(0, [0, 0, 0, 0]), (1, [101, 0, 0, 0]), (2, [50, 51, 0, 0]), (3, [33, 33, 35, 0])]
)
def test_carry_over_of_cancelled_auctions(make_world, over, after):
    """All of a cancelled auction is unsold (EEX 2018)."""
    world = open_hall(make_world, hall(auction_carry_over=over))
    events = hold_auction(world, 500, 101, [(600, 100)], scope=CANCEL_SHORT)
    assert "UNDERSUBSCRIBED" in last(events)
    assert carried(world) == after


def test_what_is_not_carried_over(make_world):
    """Section 8, Clearing 8: what was withdrawn or ended with the day, and what a reverse auction did not get."""
    world = open_hall(make_world, hall(auction_carry_over=4))
    announce(world, 500, 100)
    call_off(world)
    announce(world, 500, 100)
    open_window(world, 2)
    hold_auction(world, 700, 100, [(600, 10)], side=BUY)
    world.stop()
    world.expire()
    assert carried(world) == [0, 0, 0, 0]


def test_carry_over_needs_no_growth(make_world):
    """A cap of 100 % or less lets nothing in: all moves on to the next auction."""
    world = open_hall(make_world, hall(auction_carry_over=2, auction_carry_cap_bps=9_000))
    hold_auction(world, 500, 100, [])
    assert carried(world) == [50, 50, 0, 0]
    assert number(announce(world, 500, 100)[0], "quantity") == 100
    assert carried(world) == [100, 0, 0, 0]


def test_carried_lots_are_frozen_too(make_world):
    """The seller must have them, and a refusal moves nothing."""
    world = open_hall(make_world, hall(auction_carry_over=1))
    world.withdraw_units(1, UNITS - 110)
    hold_auction(world, 500, 100, [])
    assert announce(world, 500, 100)[0].startswith("REJECTED INSUFFICIENT_UNITS")
    assert carried(world) == [100, 0, 0, 0]
    world.deposit_units(1, 15)
    assert number(announce(world, 500, 100)[0], "aux") == 125


def test_a_tie_by_lot_may_take_all_bids(make_world):
    """RANDOM: the last bid served takes what is left (Regulation 1031/2010 art. 7(4))."""
    world = open_hall(make_world)
    events = hold_auction(world, 500, 25, [(600, 10)] * 4, seed=SEED, scope=RANDOM)
    assert fills(events) == [(3, 600, 10), (2, 600, 10), (1, 600, 5)]
    assert unfilled(events) == [(1, 5), (4, 10)]


def test_two_auctions_at_once(make_world):
    """Each has its own bids, also of one instrument."""
    world = open_hall(make_world)
    announce(world, 500, 10)
    announce(world, 500, 10, account=4, scope=RANDOM)
    commit(world, SEED_HASH, 2)
    open_window(world, 1)
    open_window(world, 2)
    bid(world, 600, 10, auction=1)
    bid(world, 700, 10, auction=2)
    bid(world, 650, 10, auction=1, account=3)
    assert len(close_window(world, 2)) == 1
    assert fills(reveal(world, SEED, 2)) == [(2, 700, 10)]
    assert fills(close_window(world, 1)) == [(3, 650, 10)]


def test_the_longest_list_of_events(make_world):
    """Every bid gives a trade and a fee, one of them also its rest: the event buffer holds them all."""
    world = open_hall(make_world, hall({"fee_ppm": 10_000}))
    bids = [(600, 2)] * 200
    events = hold_auction(world, 500, 399, bids)
    kinds = [event.split()[0] for event in events]
    assert (kinds.count("AUCTION_TRADE"), kinds.count("FEE"), kinds.count("BID_ENDED")) == (200, 200, 1)
    assert world.send(K.CANCEL_AUCTION, target=1)[0].startswith("REJECTED UNKNOWN_AUCTION")
