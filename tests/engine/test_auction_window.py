"""Announcement, seed, bidding window: what each command tells and freezes (docs/blocks-and-auctions.md section 8)."""

from __future__ import annotations

import hashlib
import struct

from engine.schema import CommandKind as K
from tests.engine.auction_hall import (
    CANCEL_SHORT,
    CASH,
    DATE,
    HASHES,
    OFF,
    OTHER,
    OTHER_HASH,
    PARTIAL,
    PAY_AS_BID,
    PRORATA,
    RAISE,
    RANDOM,
    SEED,
    SEED_HASH,
    UNITS,
    announce,
    auction_cash,
    auction_units,
    bid,
    call_off,
    close_window,
    commit,
    fills,
    hall,
    number,
    open_hall,
    open_window,
    rebid,
    reveal,
    unbid,
)
from tests.engine.builders import BIDDING, BREAK, BUY, CLOSED, CONTINUOUS, SELL, last_id, plain


def test_announcement(make_world):
    """What is offered is frozen; the policies are the venue's where the command does not say."""
    world = open_hall(make_world, hall(auction_tie="RANDOM"))
    assert announce(world, 500, 1_000, price2=900, quantity2=700, target=250, scope=PAY_AS_BID, session=0) == [
        "AUCTION_ANNOUNCED side=2 price=500 quantity=1000 account=1 order_id=1 remaining=900 aux=1000 "
        f"aux2={2 | 2 << 2 | 1 << 4 | 3 << 6}"
    ]
    assert auction_units(world, 1) == (UNITS - 1_000, 1_000, 0)
    assert world.engine.state()["auctions"][0].tolist() == (
        *(1, 1, 2, 1, 2, 2, 1, 3, 1, 500, 900, 1_000, 700, 250, 1_000),
        *(0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    )
    stated = 1 | PRORATA | CANCEL_SHORT | RAISE
    events = announce(world, 600, 7, instrument=2, scope=stated, client_order_id=33, expiry=-5)
    assert events == [
        f"AUCTION_ANNOUNCED instrument=2 side=2 price=600 quantity=7 account=1 order_id=2 client_order_id=33 "
        f"aux=7 aux2={stated}"
    ]
    assert auction_units(world, 1, asset=2) == (UNITS - 7, 7, 0)


def test_announcement_of_a_suspended_account(make_world):
    """Section 8, ANNOUNCE_AUCTION: the operator announces; the initiator's status and firm are not asked."""
    world = open_hall(make_world)
    world.send(K.SET_ACCOUNT_STATUS, account=1, scope=2)
    world.send(K.KILL_SWITCH, scope=1, target=int(world.row("accounts")["firm"]))
    assert announce(world, 500, 100)[0].startswith("AUCTION_ANNOUNCED")


def test_a_reverse_announcement_freezes_cash(make_world):
    """Nothing can cost more than the reserve, fee included: 100 x 700 = 70,000 and 1 % = 700."""
    world = open_hall(make_world, hall({"fee_ppm": 10_000}))
    assert announce(world, 700, 100, side=BUY, price2=600) == [
        f"AUCTION_ANNOUNCED side=1 price=700 quantity=100 account=1 order_id=1 remaining=600 aux=70700 "
        f"aux2={1 | 1 << 2 | 1 << 4 | 3 << 6}"
    ]
    assert auction_cash(world, 1) == (CASH - 70_700, 70_700, 0)


def test_the_window(make_world):
    """Opening it opens the BIDDING phase, closing it closes the phase; a second auction keeps it open."""
    world = open_hall(make_world)
    announce(world, 500, 100)
    announce(world, 500, 100)
    assert open_window(world, 1) == [
        "AUCTION_OPENED quantity=100 account=1 order_id=1",
        f"PHASE_CHANGED side=3 aux={DATE}",
    ]
    assert open_window(world, 2) == ["AUCTION_OPENED quantity=100 account=1 order_id=2"]
    assert close_window(world, 1) == ["AUCTION_CANCELLED NO_BIDS price=500 quantity=100 account=1 order_id=1 aux=100"]
    assert close_window(world, 2) == [
        f"PHASE_CHANGED phase=0 side=3 aux={DATE} aux2=3",
        "AUCTION_CANCELLED NO_BIDS price=500 quantity=100 account=1 order_id=2 aux=100",
    ]
    assert len(world.engine.state()["auctions"]) == 0


def test_a_window_that_the_operator_closed_already(make_world):
    """No PHASE_CHANGED where the phase is CLOSED; and opening changes any other phase."""
    world = open_hall(make_world)
    world.phase(BREAK, DATE, mode=BIDDING)
    announce(world, 500, 100)
    assert open_window(world)[1] == f"PHASE_CHANGED side=3 aux={DATE} aux2=4"
    world.phase(CLOSED, DATE, mode=BIDDING)
    assert close_window(world) == ["AUCTION_CANCELLED NO_BIDS price=500 quantity=100 account=1 order_id=1 aux=100"]


def test_bids_are_locked_for(make_world):
    """A bid takes the next order id and locks its amount and fee; it has no effect on the order book."""
    world = open_hall(make_world, hall({"fee_ppm": 10_000}))
    firm = int(world.row("accounts")["firm"])
    world.session(firm + 1)
    announce(world, 500, 100)
    open_window(world)
    assert world.buy(400, 1, account=3)[0].startswith("ACCEPTED")
    assert bid(world, 600, 30, session=1, client_order_id=9) == [
        "BID_ACCEPTED side=1 price=600 quantity=30 account=2 order_id=2 contra_order_id=1 client_order_id=9 "
        "remaining=30 aux=18180 session=1"
    ]
    assert auction_cash(world, 2) == (CASH - 18_180, 18_180, 0)
    assert world.cash(2) == (CASH - 18_180, 0, 0)
    priority = world.events
    assert world.engine.state()["bids"][0].tolist() == (2, 1, 2, 600, 30, priority, 18_180, 1, 9)
    assert last_id(world.buy(400, 1, account=3)) == 3


def test_an_offer_of_a_reverse_auction_locks_units(make_world):
    world = open_hall(make_world, hall({"units_per_lot": 10}))
    announce(world, 500, 100, side=BUY)
    open_window(world)
    assert bid(world, 400, 30, side=SELL) == [
        "BID_ACCEPTED side=2 price=400 quantity=30 account=2 order_id=1 contra_order_id=1 remaining=30 aux=300"
    ]
    assert auction_units(world, 2) == (UNITS - 300, 300, 0)
    assert unbid(world, 1) == [
        "BID_ENDED USER_REQUESTED side=2 price=400 quantity=30 account=2 order_id=1 contra_order_id=1 aux=300"
    ]
    assert auction_units(world, 2) == (UNITS, 0, 0)


def test_changing_a_bid(make_world):
    """Another price or more lots: the lock follows, the bid's time is that of the change; fewer lots keep it."""
    world = open_hall(make_world)
    announce(world, 500, 100)
    open_window(world)
    bid(world, 600, 30, client_order_id=1)
    first = world.events
    assert rebid(world, 1, 600, 20, client_order_id=2) == [
        "BID_REPLACED side=1 price=600 quantity=20 account=2 order_id=1 contra_order_id=1 client_order_id=1 "
        "contra_client_order_id=2 remaining=20 aux=-6000 aux2=1"
    ]
    assert world.row("bids")["priority"] == first
    assert rebid(world, 1, 600, 21) == [
        "BID_REPLACED side=1 price=600 quantity=21 account=2 order_id=1 contra_order_id=1 client_order_id=1 "
        "remaining=21 aux=600"
    ]
    assert world.row("bids")["priority"] == first + 2
    assert rebid(world, 1, 601, 1)[0].endswith("remaining=1 aux=-11999")
    assert world.row("bids")["priority"] == first + 3
    assert rebid(world, 1, 601, 1)[0].endswith("remaining=1 aux2=1")
    assert world.row("bids")["priority"] == first + 3
    assert auction_cash(world, 2) == (CASH - 601, 601, 0)


def test_a_changed_bid_stands_behind_earlier_ones(make_world):
    """LOSES_TIME: the first bid asks for more and is served after the second one. KEEPS_TIME: it stays the first."""
    for rule, order in (("LOSES_TIME", [2, 1]), ("KEEPS_TIME", [1, 2])):
        world = open_hall(make_world, hall(bid_amend=rule))
        announce(world, 500, 100)
        open_window(world)
        bid(world, 600, 50, account=2)
        bid(world, 600, 60, account=3)
        assert ("aux2=1" in rebid(world, 1, 600, 70)[0]) == (rule == "KEEPS_TIME")
        assert [one for one, _, _ in fills(close_window(world))] == order


def test_a_changed_bid_is_not_asked_for_its_owner_again(make_world):
    """Section 8, AUCTION_BID_REPLACE: self-trade is asked of a new bid only, also where the groups changed since."""
    world = open_hall(make_world)
    announce(world, 500, 100)
    open_window(world)
    bid(world, 600, 30)
    for account in (1, 2):
        world.send(K.SET_OWNER_GROUP, account=account, quantity2=7)
    assert bid(world, 600, 30)[0].startswith("REJECTED SELF_TRADE")
    assert rebid(world, 1, 610, 40)[0].startswith("BID_REPLACED")


def test_withdrawing(make_world):
    """While the window is open, in a break of bidding too; not when bidding is closed."""
    world = open_hall(make_world)
    announce(world, 500, 100)
    open_window(world)
    for _ in range(3):
        bid(world, 600, 30)
    world.phase(BREAK, DATE, mode=BIDDING)
    assert bid(world, 600, 30)[0].startswith("REJECTED WRONG_PHASE")
    assert rebid(world, 1, 600, 20)[0].startswith("REJECTED WRONG_PHASE")
    assert unbid(world, 1, client_order_id=7) == [
        "BID_ENDED USER_REQUESTED side=1 price=600 quantity=30 account=2 order_id=1 contra_order_id=1 "
        "contra_client_order_id=7 aux=18000"
    ]
    world.phase(CLOSED, DATE, mode=BIDDING)
    assert unbid(world, 2)[0].startswith("REJECTED WRONG_PHASE")
    world.phase(CONTINUOUS, DATE, mode=BIDDING)
    assert unbid(world, 2)[0].startswith("BID_ENDED")
    assert auction_cash(world, 2) == (CASH - 18_000, 18_000, 0)


def test_bids_are_no_orders(make_world):
    """Cancel, replace and mass cancel do not find them; the commands of bids do not find orders."""
    world = open_hall(make_world)
    announce(world, 500, 100)
    open_window(world)
    bid(world, 600, 30)
    world.buy(400, 1, account=2)
    assert world.cancel(1)[0].startswith("REJECTED UNKNOWN_ORDER")
    assert world.replace(1, 600, 10)[0].startswith("REJECTED UNKNOWN_ORDER")
    assert world.mass_cancel(1, account=2)[-1] == "MASS_CANCELLED quantity=1"
    assert unbid(world, 2)[0].startswith("REJECTED UNKNOWN_ORDER")
    assert rebid(world, 2, 600, 10)[0].startswith("REJECTED UNKNOWN_ORDER")
    assert len(world.engine.state()["bids"]) == 1


def test_whose_bid_it_is(make_world):
    """A session changes its firm's bids; without pre-funding only what it entered itself."""
    world = open_hall(make_world)
    own, foreign = world.session(2), world.session(3)
    announce(world, 500, 100)
    open_window(world)
    bid(world, 600, 30, account=2)
    assert rebid(world, 1, 601, 30, session=foreign)[0].startswith("REJECTED UNKNOWN_ORDER")
    assert unbid(world, 1, session=foreign)[0].startswith("REJECTED UNKNOWN_ORDER")
    assert rebid(world, 1, 601, 30, session=own)[0].startswith("BID_REPLACED")
    assert unbid(world, 1, session=own)[0].startswith("BID_ENDED")

    world = open_hall(make_world, plain({"auction": True}))
    firm = world.firm()
    first, second = world.session(firm), world.session(firm)
    announce(world, 500, 100, account=0)
    open_window(world)
    assert bid(world, 600, 30, account=77, session=first) == [
        "BID_ACCEPTED side=1 price=600 quantity=30 account=77 order_id=1 contra_order_id=1 client_order_id=1 "
        "remaining=30 session=1"
    ]
    assert unbid(world, 1, session=second)[0].startswith("REJECTED UNKNOWN_ORDER")
    assert unbid(world, 1, session=first)[0].startswith("BID_ENDED")


def test_seeds_are_what_they_say():
    """The typed-in vectors of `auction_hall` are SHA-256."""
    for seed, words in HASHES.items():
        assert struct.pack("<4q", *words) == hashlib.sha256(struct.pack("<4q", *seed)).digest()
    lot = hashlib.sha256(struct.pack("<5q", *SEED, 3)).digest()
    assert int.from_bytes(lot[:8], "big") >> 1 == 735086465980871570
    lot = hashlib.sha256(struct.pack("<5q", *OTHER, 3)).digest()
    assert int.from_bytes(lot[:8], "big") >> 1 == 7925824925719329257


def test_commitment_and_reveal(make_world):
    """The seed is committed to before the window opens, revealed after it has closed, and must be the same one."""
    world = open_hall(make_world, hall(auction_tie="RANDOM"))
    announce(world, 500, 100)
    assert open_window(world)[0].startswith("REJECTED SEED_NOT_COMMITTED")
    assert commit(world, OTHER_HASH) == [
        f"SEED_COMMITTED order_id=1 contra_order_id={OTHER_HASH[0]} remaining={OTHER_HASH[1]} aux={OTHER_HASH[2]} "
        f"aux2={OTHER_HASH[3]}"
    ]
    assert commit(world, SEED_HASH)[0].startswith(f"SEED_COMMITTED order_id=1 contra_order_id={SEED_HASH[0]}")
    row = world.row("auctions", id=1)
    assert (row["committed"], row["seed1"], row["seed2"], row["seed3"], row["seed4"]) == (1, *SEED_HASH)
    assert reveal(world, SEED)[0].startswith("REJECTED WRONG_AUCTION_STAGE")
    open_window(world)
    assert commit(world, OTHER_HASH)[0].startswith("REJECTED WRONG_AUCTION_STAGE")
    bid(world, 600, 60)
    bid(world, 600, 60, account=3)
    assert reveal(world, SEED)[0].startswith("REJECTED WRONG_AUCTION_STAGE")
    assert close_window(world) == [
        "AUCTION_CLOSED quantity=100 order_id=1 remaining=2",
        f"PHASE_CHANGED phase=0 side=3 aux={DATE} aux2=3",
    ]
    assert bid(world, 600, 30)[0].startswith("REJECTED WRONG_AUCTION_STAGE")
    assert unbid(world, 1)[0].startswith("REJECTED WRONG_AUCTION_STAGE")
    assert close_window(world)[0].startswith("REJECTED WRONG_AUCTION_STAGE")
    assert reveal(world, OTHER)[0].startswith("REJECTED SEED_MISMATCH")
    assert reveal(world, SEED_HASH)[0].startswith("REJECTED SEED_MISMATCH")
    assert reveal(world, (1, 2, 3, 5))[0].startswith("REJECTED SEED_MISMATCH")
    assert reveal(world, SEED) == [
        "SEED_REVEALED order_id=1 contra_order_id=1 remaining=2 aux=3 aux2=4",
        "AUCTION_TRADE side=1 price=600 quantity=60 account=3 contra_account=1 order_id=2 contra_order_id=1 "
        "contra_remaining=40",
        "AUCTION_TRADE side=1 price=600 quantity=40 account=2 contra_account=1 order_id=1 contra_order_id=1 "
        "remaining=20",
        "BID_ENDED NOT_ALLOCATED side=1 price=600 quantity=20 account=2 order_id=1 contra_order_id=1 aux=12000",
        "AUCTION_CLEARED price=600 quantity=100 account=1 order_id=1 contra_remaining=120 aux2=2",
    ]


def test_a_seed_of_negative_words(make_world):
    """All 256 bits count, signs included."""
    world = open_hall(make_world)
    announce(world, 500, 100, scope=RANDOM)
    commit(world, OTHER_HASH)
    open_window(world)
    close_window(world)
    assert reveal(world, (1, 0, OTHER[2], OTHER[3]))[0].startswith("REJECTED SEED_MISMATCH")
    assert reveal(world, OTHER) == [
        f"SEED_REVEALED order_id=1 contra_order_id=-1 aux={2**63 - 1} aux2={-(2**63)}",
        "AUCTION_CANCELLED NO_BIDS price=500 quantity=100 account=1 order_id=1 aux=100",
    ]


def test_a_time_auction_may_have_a_commitment_too(make_world):
    world = open_hall(make_world)
    announce(world, 500, 100)
    assert commit(world, SEED_HASH)[0].startswith("SEED_COMMITTED")
    open_window(world)
    assert close_window(world)[1].startswith("AUCTION_CANCELLED NO_BIDS")


def test_calling_an_auction_off(make_world):
    """In every stage; bids end by id, the phase closes after it."""
    world = open_hall(make_world)
    announce(world, 500, 100)
    assert call_off(world) == [
        "AUCTION_CANCELLED AUCTION_WITHDRAWN price=500 quantity=100 account=1 order_id=1 aux=100"
    ]
    announce(world, 500, 100)
    open_window(world, 2)
    bid(world, 600, 60, auction=2)
    bid(world, 700, 60, auction=2, account=3, client_order_id=5)
    assert call_off(world, 2, client_order_id=6) == [
        "BID_ENDED AUCTION_WITHDRAWN side=1 price=600 quantity=60 account=2 order_id=1 contra_order_id=2 "
        "contra_client_order_id=6 aux=36000",
        "BID_ENDED AUCTION_WITHDRAWN side=1 price=700 quantity=60 account=3 order_id=2 contra_order_id=2 "
        "client_order_id=5 contra_client_order_id=6 aux=42000",
        "AUCTION_CANCELLED AUCTION_WITHDRAWN price=500 quantity=100 account=1 order_id=2 client_order_id=6 "
        "contra_remaining=120 aux=100 aux2=2",
        f"PHASE_CHANGED phase=0 side=3 client_order_id=6 aux={DATE} aux2=3",
    ]
    announce(world, 500, 100, scope=RANDOM)
    commit(world, SEED_HASH, 3)
    open_window(world, 3)
    bid(world, 600, 60, auction=3)
    close_window(world, 3)
    assert call_off(world, 3) == [
        "BID_ENDED AUCTION_WITHDRAWN side=1 price=600 quantity=60 account=2 order_id=3 contra_order_id=3 aux=36000",
        "AUCTION_CANCELLED AUCTION_WITHDRAWN price=500 quantity=100 account=1 order_id=3 contra_remaining=60 "
        "aux=100 aux2=1",
    ]
    assert auction_units(world, 1) == (UNITS, 0, 0)
    assert auction_cash(world, 2) == (CASH, 0, 0)
    assert reveal(world, SEED, 3)[0].startswith("REJECTED UNKNOWN_AUCTION")


def test_the_end_of_the_day(make_world):
    """Open auctions and those that wait for their seed end, by id; announced ones stay for the next day."""
    world = open_hall(make_world)
    announce(world, 500, 10)
    announce(world, 500, 20, scope=RANDOM)
    announce(world, 500, 30)
    commit(world, SEED_HASH, 2)
    open_window(world, 2)
    open_window(world, 3)
    bid(world, 600, 5, auction=3)
    bid(world, 600, 5, auction=2)
    close_window(world, 2)
    world.stop()
    assert bid(world, 600, 5, auction=3)[0].startswith("REJECTED WRONG_PHASE")
    assert open_window(world, 1)[0].startswith("REJECTED DAY_CLOSED")
    assert world.expire() == [
        "BID_ENDED END_OF_DAY phase=0 side=1 price=600 quantity=5 account=2 order_id=2 contra_order_id=2 aux=3000",
        "AUCTION_CANCELLED END_OF_DAY phase=0 price=500 quantity=20 account=1 order_id=2 contra_remaining=5 "
        "aux=20 aux2=1",
        "BID_ENDED END_OF_DAY phase=0 side=1 price=600 quantity=5 account=2 order_id=1 contra_order_id=3 aux=3000",
        "AUCTION_CANCELLED END_OF_DAY phase=0 price=500 quantity=30 account=1 order_id=3 contra_remaining=5 "
        "aux=30 aux2=1",
        f"ORDERS_EXPIRED aux={DATE}",
    ]
    world.fix_close()
    world.settle()
    assert auction_units(world, 1) == (UNITS - 10, 10, 0)
    world.open_day(DATE + 1)
    assert open_window(world, 1)[0] == "AUCTION_OPENED quantity=10 account=1 order_id=1"


def test_closing_after_the_market_stopped(make_world):
    """Between STOP_TRADING and EXPIRE_ORDERS an auction may still be closed and clear."""
    world = open_hall(make_world)
    announce(world, 500, 10)
    open_window(world)
    bid(world, 600, 5)
    world.stop()
    assert fills(close_window(world)) == [(1, 600, 5)]


def test_the_days_statistics(make_world):
    """auction_volume counts the day, auction_price stays; nothing of the listed mode changes."""
    world = open_hall(make_world)
    for price in (600, 700):
        announce(world, 500, 10)
        auction = int(world.row("header")["last_auction_id"])
        open_window(world, auction)
        bid(world, price, 5, auction=auction)
        close_window(world, auction)
    row = world.row("instruments")
    assert (row["auction_volume"], row["auction_price"]) == (10, 700)
    assert (row["volume"], row["turnover"], row["last"], row["open"], row["block_volume"]) == (0, 0, 0, 0, 0)
    world.end_of_day()
    row = world.row("instruments")
    assert (row["auction_volume"], row["auction_price"]) == (0, 700)


def test_restoring_in_the_middle(make_world):
    """An engine restored from the canonical state ends the auction with the same events."""
    world = open_hall(make_world, hall(auction_carry_over=3))
    announce(world, 500, 100, scope=RANDOM | PARTIAL | OFF, session=0, client_order_id=4)
    commit(world, SEED_HASH)
    open_window(world)
    for price in (600, 600, 650, 600):
        bid(world, price, 20, account=2)
    unbid(world, 2)
    twin = world.restored()
    assert close_window(twin) == close_window(world)
    twin = twin.restored()
    assert reveal(twin, SEED) == reveal(world, SEED)
    assert twin.engine.canonical_state() == world.engine.canonical_state()
    assert number(announce(twin, 500, 100)[0], "contra_remaining") == 13


def test_numbers_that_are_no_auction(make_world):
    world = open_hall(make_world)
    announce(world, 500, 100)
    call_off(world)
    for auction in (-1, 0, 1, 2):
        for kind in (K.OPEN_AUCTION, K.CLOSE_AUCTION, K.CANCEL_AUCTION):
            assert world.send(kind, target=auction)[0].startswith("REJECTED UNKNOWN_AUCTION")
        for kind in (K.COMMIT_SEED, K.REVEAL_SEED):
            assert world.send(kind, account=auction)[0].startswith("REJECTED UNKNOWN_AUCTION")
