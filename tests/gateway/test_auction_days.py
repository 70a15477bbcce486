"""Primary auctions of EU and UK allowances through the socket, in figures worked out by hand; lots of 500.

EEX  1  10,000 offered, the market at 64.00, bids from 60.80 on; 6,000 at 64.00, 3,000 and 3,000 at 63.64, 2,000 at
        63.00: 14,000 bid, cover 1.40; price 63.64, where lots are drawn for the last 4,000: one gets 3,000, the other
        1,000; 10,000 x 63.64 = 636,400.00
     2  2,500 offered, 2,000 bid: cancelled; 625 to each of the next four: 500, 500, 500 and the rest of 1,000
     3  1,000 + 500 offered, 1,500 bid at 60.00, below 60.80: cancelled
UKA  1  10,000 offered, 6,000 at 45.00 and 2,000 at 40.00 bid: 8,000 sold at 40.00; 500 to each of the next four
     2  4,000 + 500 offered, the market at 50.00, 20 % below is 40.00; bids 2,000 at 48.00, 1,500 at 45.00, 2,000 at
        39.00 would clear, so the price is the lowest bid above 40.00: 3,500 sold at 45.00
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.control import AnnounceAuction, CloseAuction, CommitSeed, EndDay, OpenAuction, RevealSeed
from engine.schema import EventKind, Reason
from gateway.client import Client
from gateway.errors import InvalidCommand, MarketClosed
from gateway.handles import BidHandle, Stage
from tests.gateway.floors import Floor, floor, members

pytestmark = pytest.mark.nojit
SEED = bytes(range(32))
CASH = 100_000_000
OPENING = members(3, cash=CASH, units=50_000)
Bids = list[tuple[Client, int, str]]


def auction(it: Floor, number: int, lots: int, bids: Bids, **terms: Any) -> tuple[list[BidHandle], list[Any]]:
    """Announce, commit, open, bid, close, reveal; returns the bids and the events of announcement and clearing."""
    symbol, reserve = it.ops.reference.instruments[0].symbol, terms.pop("reserve", 1)
    announced = it.ops.control(AnnounceAuction(1, 1, reserve, lots, **terms))
    with pytest.raises(MarketClosed):
        it.ops.control(OpenAuction(number))  # no seed yet
    it.ops.control(CommitSeed(number, hashlib.sha256(SEED).hexdigest()))
    it.ops.control(OpenAuction(number))
    made = [client.bid(number, symbol, quantity, price).wait() for client, quantity, price in bids]
    it.ops.control(CloseAuction(number))
    told = it.ops.control(RevealSeed(number, SEED.hex()))
    for bid in made:
        bid.wait_done()
    first = announced[announced["kind"] == EventKind.AUCTION_ANNOUNCED][0]
    last = told[(told["kind"] == EventKind.AUCTION_CLEARED) | (told["kind"] == EventKind.AUCTION_CANCELLED)][0]
    assert first["quantity"] == lots + first["contra_remaining"]
    return made, [first, last]


def lot(bid: BidHandle) -> int:
    """What the seed draws for a bid; the smaller one comes first."""
    drawn = hashlib.sha256(SEED + bid.number.to_bytes(8, "little")).digest()
    return int.from_bytes(drawn[:8], "big") >> 1


def paid(client: Client) -> int:
    return CASH - client.account().cash[0].free


def test_eex_auctions(tmp_path: Path) -> None:
    market = {"secondary_price": 6_400, "secondary_bps": 500}
    with floor(tmp_path, "eex-auction", "2025-08-11T10:00:00+02:00", OPENING) as it:
        one, two, three = it.firms
        bids: Bids = [(two, 6_000, "64.00"), (three, 3_000, "63.64"), (two, 3_000, "63.64"), (three, 2_000, "63.00")]
        made, (announced, cleared) = auction(it, 1, 10_000, bids, **market)
        assert (announced["contra_remaining"], cleared["price"], cleared["contra_remaining"]) == (0, 6_364, 14_000)
        assert (cleared["quantity"], cleared["remaining"], cleared["aux2"]) == (10_000, 0, 4)
        drawn = [3_000, 1_000] if lot(made[1]) < lot(made[2]) else [1_000, 3_000]
        assert [bid.filled for bid in made] == [6_000, *drawn, 0]
        assert made[0].average_price == Decimal("63.64")
        assert (made[3].stage, made[3].ended_by) == (Stage.ENDED, Reason.NOT_ALLOCATED)
        assert (paid(two), paid(three)) == ((6_000 + drawn[1]) * 6_364, drawn[0] * 6_364)
        assert one.account().cash[0].free == CASH + 63_640_000
        made, (_, cancelled) = auction(it, 2, 2_500, [(two, 2_000, "64.00")], **market)
        assert (cancelled["reason"], made[0].ended_by) == (Reason.UNDERSUBSCRIBED, Reason.UNDERSUBSCRIBED)
        assert carried(it) == [500, 500, 500, 1_000]
        made, (announced, cancelled) = auction(it, 3, 1_000, [(three, 1_500, "60.00")], **market)
        assert (announced["quantity"], announced["contra_remaining"]) == (1_500, 500)
        assert (cancelled["reason"], made[0].filled) == (Reason.BELOW_SECONDARY, 0)
        # 1,500 / 4 = 375, nothing to three and 1,500 to the fourth.
        assert carried(it) == [500, 500, 1_000, 1_500]
        with pytest.raises(InvalidCommand):
            two.bid(1, "EUA", 501, "64.00").wait()
        it.ops.control(EndDay())
        assert [h.free for h in two.account().holdings] == [50_000 + 6_000 + drawn[1]]


def carried(it: Floor) -> list[int]:
    """Lots that the next four auctions take over."""
    row = it.server.exchange.engine.book_day(1)[0]
    return [int(row[f"carried{n}"]) for n in range(1, 5)]


def test_uk_auctions(tmp_path: Path) -> None:
    with floor(tmp_path, "uka-auction", "2025-08-13T12:00:00+01:00", OPENING) as it:
        one, two, three = it.firms
        bids: Bids = [(two, 6_000, "45.00"), (three, 2_000, "40.00")]
        made, (_, cleared) = auction(it, 1, 10_000, bids, reserve=2_200)
        assert (cleared["price"], cleared["quantity"], cleared["remaining"]) == (4_000, 8_000, 2_000)
        assert (paid(two), paid(three)) == (24_000_000, 8_000_000)
        assert carried(it) == [500, 500, 500, 500]
        bids = [(two, 2_000, "48.00"), (three, 1_500, "45.00"), (two, 2_000, "39.00")]
        market = {"secondary_price": 5_000, "secondary_bps": 2_000, "reserve": 2_200}
        made, (announced, cleared) = auction(it, 2, 4_000, bids, **market)
        assert (announced["quantity"], announced["contra_remaining"]) == (4_500, 500)
        assert (cleared["price"], cleared["quantity"], cleared["remaining"]) == (4_500, 3_500, 1_000)
        assert [(bid.filled, bid.average_price) for bid in made] == [
            (2_000, Decimal("45.00")),
            (1_500, Decimal("45.00")),
            (0, None),
        ]
        assert (paid(two), paid(three)) == (24_000_000 + 9_000_000, 8_000_000 + 6_750_000)
        assert one.account().cash[0].free == CASH + 47_750_000
        assert carried(it) == [500, 500, 500, 1_000]
        it.ops.control(EndDay())
        assert [h.free for h in three.account().holdings] == [50_000 + 3_500]
