"""Blocks, bids, registry and kill switch through the SDK and a real server; who is told what by events and queries."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from engine.control import AnnounceAuction, CloseAuction, OpenAuction, RealiseHold, SetObligation
from engine.schema import AuctionStage, EventKind, HoldType, Reason, Side
from gateway.aio import AsyncClient
from gateway.client import Client
from gateway.errors import InvalidCommand, MarketClosed, OrderRefused, RiskRefused
from gateway.handles import Stage
from gateway.server import Server, background
from tests.gateway.halls import afternoon
from tests.gateway.servers import local

pytestmark = pytest.mark.nojit
CEA24 = 5


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with background(afternoon(tmp_path)) as running:
        yield running


@pytest.fixture
def one(server: Server) -> Iterator[Client]:
    with local(server.config, "S1") as client:
        yield client


@pytest.fixture
def two(server: Server) -> Iterator[Client]:
    with local(server.config, "S2") as client:
        yield client


@pytest.fixture
def three(server: Server) -> Iterator[Client]:
    with local(server.config, "S3") as client:
        yield client


@pytest.fixture
def ops(server: Server) -> Iterator[Client]:
    with local(server.config, "OPS") as client:
        yield client


def free(client: Client, asset: str = "CEA24") -> int:
    return next(h.free for h in client.account().holdings if h.asset == asset)


def test_a_dialogue_until_both_agree(one: Client, two: Client, three: Client) -> None:
    offer = one.block_offer("CEA24", "sell", 200_000, "72.00", counterparty=2).wait()
    assert (offer.number, offer.stage, offer.price, free(one)) == (1, Stage.LIVE, Decimal("72.00"), 800_000)
    assert three.negotiations() == []
    seen = two.negotiations()[0]
    assert seen[:7] == (1, "CEA24", Side.SELL, 200_000, Decimal("72.00"), 1, 2)
    counter = two.block_counter(seen, 150_000, "71.50").wait()
    assert counter.events[0]["aux"] == 1_072_500_000  # 150,000 t x 71.50
    offer.wait_done()
    assert (offer.stage, free(one)) == (Stage.COUNTERED, 1_000_000)
    with pytest.raises(MarketClosed) as stale:
        one.block_accept(seen).wait()
    assert stale.value.reason == Reason.TERMS_CHANGED
    done = one.block_accept(one.negotiations()[0]).wait()
    assert (done.stage, done.filled, done.price) == (Stage.TRADED, 150_000, Decimal("71.50"))
    counter.wait_done()
    assert (counter.stage, counter.trade) == (Stage.TRADED, done.trade)
    assert one.account().cash[0].free == 10_000_000_000 + 1_072_500_000
    for trade in (done.events[-1], counter.events[-1]):
        assert (trade["contra_account"], trade["contra_session"], trade["contra_client_order_id"]) == (0, 0, 0)
    assert one.negotiations() == two.negotiations() == []


def test_a_public_offer_is_anonymous_and_cannot_be_spoilt(one: Client, two: Client, three: Client) -> None:
    offer = one.block_offer("CEA24", "buy", 100_000, "73.00").wait()
    for reader in (two, three):
        seen = reader.negotiations()[0]
        assert (seen.account, seen.counterparty, seen.own) == (None, None, False)
    assert one.negotiations()[0].account == 1
    answer = two.block_counter(1, 100_000, "74.00", instrument="CEA24").wait()
    assert (answer.number, answer.stage) == (2, Stage.LIVE)
    assert [n.number for n in three.negotiations()] == [1]
    assert [n.number for n in one.negotiations()] == [1, 2]
    one.block_withdraw(2).wait()  # as the counterparty
    answer.wait_done()
    assert (answer.stage, answer.ended_by) == (Stage.ENDED, Reason.USER_REQUESTED)
    with pytest.raises(InvalidCommand) as unknown:
        three.block_withdraw(1).wait()
    assert unknown.value.reason == Reason.UNKNOWN_NEGOTIATION
    one.block_withdraw(offer).wait()
    assert (offer.stage, offer.done) == (Stage.ENDED, True)
    with pytest.raises(InvalidCommand):
        one.block_offer("CEA24", "sell", 99_999, "73").wait()
    with pytest.raises(TypeError):
        two.block_accept(1, instrument="CEA24")


def test_a_sealed_auction(one: Client, two: Client, three: Client, ops: Client) -> None:
    ops.control(AnnounceAuction(CEA24, 1, 7_320, 100_000))
    assert one.auctions()[0].stage == AuctionStage.ANNOUNCED
    with pytest.raises(MarketClosed) as early:
        two.bid(1, "CEA24", 10, "74").wait()
    assert early.value.reason == Reason.WRONG_AUCTION_STAGE
    ops.control(OpenAuction(1))
    seen = two.auctions()[0]
    assert (seen.reserve, seen.cap, seen.quantity) == (Decimal("73.20"), Decimal("80.52"), 100_000)
    first = two.bid(1, "CEA24", 60_000, "74.00").wait()
    second = three.bid(1, "CEA24", 60_000, "73.50").wait()
    with pytest.raises(OrderRefused) as low:
        three.bid(1, "CEA24", 1, "73.19").wait()
    assert low.value.reason == Reason.BELOW_RESERVE
    assert [b.price for b in two.bids()] == [Decimal("74.00")]
    assert [b.number for b in three.bids()] == [second.number]
    assert (one.bids(), ops.bids()) == ([], [])
    three.replace_bid(second, 60_000, "73.60").wait()
    assert second.price == Decimal("73.60")
    gone = three.bid(1, "CEA24", 5, "73.30").wait()
    three.withdraw_bid(gone).wait()
    assert gone.stage == Stage.ENDED
    ops.control(CloseAuction(1))
    first.wait_done()
    second.wait_done()
    assert (first.filled, first.average_price, first.stage) == (60_000, Decimal("73.60"), Stage.TRADED)
    assert (second.filled, second.ended_by, second.stage) == (40_000, Reason.NOT_ALLOCATED, Stage.TRADED)
    assert two.account().cash[0].free == 10_000_000_000 - 60_000 * 7_360
    assert two.auctions() == two.bids() == three.bids() == []
    halves = ops.poll()
    mine = halves[halves["kind"] == EventKind.AUCTION_TRADE]
    assert mine["remaining"].tolist() == [40_000, 0]  # the auction's own lots left
    ops.resume(0)
    ops.wait_until(lambda: ops.last_event >= int(halves["sequence"][-1]), 5)
    again = ops.poll()
    assert again[np_in(again, halves)].tobytes() == halves.tobytes()


def np_in(records, wanted):
    """Which records have the sequences of `wanted`."""
    import numpy as np

    return np.isin(records["sequence"], wanted["sequence"])


def test_the_registry(one: Client, two: Client, ops: Client) -> None:
    ops.control(SetObligation(1, 2024, 1_200_000))
    pledge = one.pledge("CEA24", 300_000, 2, loan="1000000.00").wait()
    assert (pledge.hold, pledge.units) == (1, 300_000)
    assert two.holds() == one.holds() == [(1, HoldType.PLEDGE, 1, "CEA24", 300_000, 2, 100_000_000)]
    out = one.transfer_out("CEA23", 100_000).wait()
    coming = one.transfer_in("CEA23", 50_000).wait()
    assert [h.number for h in one.holds()] == [1, out.hold, coming.hold]
    ops.control(RealiseHold(coming.hold, 50_000))
    ops.control(RealiseHold(out.hold, 100_000))
    assert free(one, "CEA23") == 950_000
    with pytest.raises(RiskRefused) as short:
        one.surrender("CEA24", 800_000, obligation=1, year=2024).wait()
    assert short.value.reason == Reason.INSUFFICIENT_UNITS
    paid = one.surrender("CEA24", 400_000, obligation=1, year=2024).wait()
    assert (paid.units, paid.still_due) == (400_000, 800_000)
    assert one.cancel_units("CEA22", 1_000).wait().units == 1_000
    assert one.obligations() == [(1, 1, 2024, 1_200_000, 400_000, 0, None, None, 0)]
    assert (two.obligations(), [o.number for o in ops.obligations()]) == ([], [1])
    with pytest.raises(InvalidCommand):
        one.transfer_in("CO2", 1)
    with pytest.raises(InvalidCommand):
        two.compliance(1)


def test_compliance(one: Client, ops: Client) -> None:
    """5 assets of 1,000,000 t each; 2024 takes them all, 2025 of them only CEA24."""
    ops.control(SetObligation(1, 2025, 1_500_000))
    ops.control(SetObligation(1, 2024, 4_100_000))
    view = one.compliance()
    # 2024 uses up what ends with it (4,000,000), then 100,000 of CEA24; 2025 has 900,000 left of it.
    assert [(y.year, y.covered, y.shortfall) for y in view.years] == [(2024, 4_100_000, 0), (2025, 900_000, 600_000)]
    assert (view.years[0].symbol, view.years[0].cost) == (None, None)
    # CEA25 is not listed in 2025: the cheapest that counts is CEA24 at its previous close.
    assert view.years[1][6:9] == ("CEA24", Decimal("73.20"), Decimal("43920000.00"))
    assert view.holdings == dict.fromkeys(("CEA19-20", "CEA21", "CEA22", "CEA23", "CEA24"), 1_000_000)
    one.pledge("CEA24", 900_000, 2).wait()
    assert one.compliance(1).years[1].shortfall == 1_500_000
    assert one.compliance(1).holdings["CEA24"] == 1_000_000
    assert ops.compliance(2).years == ()


def test_a_firm_stops_itself(one: Client, two: Client, ops: Client) -> None:
    ops.control(AnnounceAuction(CEA24, 2, 7_320, 100_000))
    ops.control(OpenAuction(1))
    order = one.place("CEA24", "buy", 10, "73").wait()
    offer = one.block_offer("CEA24", "sell", 100_000, "73").wait()
    bid = one.bid(1, "CEA24", 10, "74").wait()
    assert one.kill().wait().ended == 3
    assert (order.done, offer.stage, bid.stage) == (True, Stage.ENDED, Stage.ENDED)
    assert (offer.ended_by, bid.ended_by) == (Reason.KILLED, Reason.KILLED)
    with pytest.raises(RiskRefused) as stopped:
        one.place("CEA24", "buy", 10, "73").wait()
    assert stopped.value.reason == Reason.FIRM_STOPPED
    assert one.resume_firm().wait().ended == 0
    one.place("CEA24", "buy", 10, "73").wait()


def test_the_asyncio_twin(server: Server, one: Client) -> None:
    async def trade() -> None:
        async with await AsyncClient.connect(server.config.ipc_endpoint, session="S2") as two:
            offer = one.block_offer("CEA24", "sell", 100_000, "72.00", counterparty=2).wait()
            seen = (await two.ask(lambda c: c.negotiations()))[0]
            done = await two.wait_done(two.block_accept(seen))
            assert (done.stage, offer.wait_done().stage) == (Stage.TRADED, Stage.TRADED)
            assert (await two.wait(two.cancel_units("CEA22", 7))).units == 7
            assert (await two.ask(lambda c: c.compliance())).years == ()
            assert (await two.wait(two.kill())).ended == 0
            with pytest.raises(RiskRefused):
                await two.wait(two.block_offer("CEA24", "sell", 100_000, "72.00"))

    asyncio.run(trade())
