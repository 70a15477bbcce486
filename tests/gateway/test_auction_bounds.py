"""Auctions of California and RGGI, and notice at the SEEE, through the socket and the command line."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.control import (
    AnnounceAuction,
    CloseAuction,
    CommitSeed,
    EndDay,
    MoveUnits,
    OpenAuction,
    OpenSession,
    RevealSeed,
    SetCostReserve,
    SetObligation,
    SetPhase,
)
from engine.schema import AuctionStage, EventKind, Reason, Role
from gateway.cli import cli
from gateway.errors import MarketClosed, OrderRefused, RiskRefused
from gateway.handles import Stage
from tests.gateway.floors import Floor, changed_venue, floor, members
from tests.gateway.halls import Terminal

pytestmark = pytest.mark.nojit
SEED = bytes(range(32))
CASH = 10**11
OPENING = members(3, cash=CASH, units=50_000_000)


def desk(it: Floor) -> Terminal:
    """A second operator, at a command line."""
    it.ops.control(OpenSession(0, "DESK", int(Role.OPERATOR)))
    return Terminal(it.server.config, "DESK", "operate")


def in_words(ops: Terminal, *arguments: object) -> str:
    """What a person reads of a refusal."""
    return str(json.loads(ops.run(*arguments, "--json", code=1).stderr)["error"]["text"])


def begin(it: Floor, number: int) -> None:
    it.ops.control(CommitSeed(number, hashlib.sha256(SEED).hexdigest()))
    it.ops.control(OpenAuction(number))


def end(it: Floor, number: int) -> dict[int, list[int]]:
    """By kind of event: price, quantity, remaining of the last one."""
    it.ops.control(CloseAuction(number))
    told = it.ops.control(RevealSeed(number, SEED.hex()))
    return {int(e["kind"]): [int(e[name]) for name in ("price", "quantity", "remaining")] for e in told}


def test_california(tmp_path: Path) -> None:
    """2025-11-19: reserve price at least 25.87; of 80,000 a covered entity takes at most 20,000, others 3,200."""
    with floor(tmp_path, "wci-auction", "2025-11-19T10:00:00-08:00", OPENING) as it:
        ops = desk(it)
        refused = in_words(ops, "auction", "announce", "CCA", 1, 80_000, "25.86")
        assert refused.endswith("the auction's reserve price is below the floor of the year: it is 2,587 ticks, 25.87")
        with pytest.raises(OrderRefused) as low:
            it.ops.control(AnnounceAuction(1, 1, 2_586, 80_000))
        assert (low.value.reason, low.value.event["remaining"]) == (Reason.BELOW_FLOOR, 2_587)
        ops.ask("auction", "announce", "CCA", 1, 80_000, "25.87")
        begin(it, 1)
        _, two, three = it.firms
        it.ops.control(SetObligation(2, 2025, 5))
        with pytest.raises(RiskRefused, match="share of the lots offered: 20,000 lots may still be bid for"):
            two.bid(1, "CCA", 21_000, "30.00").wait()
        assert two.bid(1, "CCA", 20_000, "30.00").wait().stage == Stage.LIVE
        with pytest.raises(RiskRefused) as more:
            two.bid(1, "CCA", 1_000, "30.00").wait()
        assert (more.value.reason, more.value.event["remaining"]) == (Reason.PURCHASE_LIMIT, 0)
        it.ops.control(OpenSession(3, "T3"))
        line = Terminal(it.server.config, "T3", "client")
        assert line.refused("bid", "enter", 1, 4_000, "30.00") == "PURCHASE_LIMIT"
        bid = three.bid(1, "CCA", 3_000, "25.87").wait()
        assert end(it, 1)[EventKind.AUCTION_CLEARED] == [2_587, 23_000, 57_000]
        bid.wait_done()
        assert CASH - three.account().cash[0].free == 3_000 * 2_587


def test_rggi(tmp_path: Path) -> None:
    """Figures of 2015, a hundredth of them: 150,000 offered and 100,000 above 6.00. 160,000 are bid for above it and
    30,000 at it: 40,000 are released, and everybody pays 6.00."""
    opening = members(6, cash=CASH, units=50_000_000)
    with floor(tmp_path, "rggi-auction", "2015-09-02T09:00:00-04:00", opening) as it:
        ops = desk(it)
        assert "2.05" in in_words(ops, "auction", "announce", "RGA", 1, 150_000, "2.04")
        ops.ask("auction", "announce", "RGA", 1, 150_000, "2.05")
        assert ops.refused("auction", "cost-reserve", 2, 100_000, "6.00") == "UNKNOWN_AUCTION"
        assert ops.refused("auction", "cost-reserve", 1, 100_500, "6.00") == "OFF_LOT"
        assert ops.refused("auction", "cost-reserve", 1, 100_000, "2.04") == "BELOW_RESERVE"
        assert ops.says("auction", "cost-reserve", 1, 100_000, "6.00") == (
            "auction 1: 100,000 more lots if the price would exceed 6.00"
        )
        assert ops.ask("auction", "cost-reserve", 1, 90_000, "6.00")["frozen"] == -10_000
        it.ops.control(SetCostReserve(1, 600, 100_000))
        (shown,) = it.firms[1].auctions()
        assert (shown.trigger, shown.reserve_lots, shown.quantity) == (Decimal("6.00"), 100_000, 150_000)
        begin(it, 1)
        for member, lots, price in zip(
            it.firms[1:], (37_000,) * 4 + (30_000,), ("8", "7.5", "7", "6.5", "6"), strict=True
        ):
            member.bid(1, "RGA", lots, price).wait()
        it.firms[5].bid(1, "RGA", 6_000, "6.02").wait()
        it.firms[0].bid(1, "RGA", 6_000, "9.00").wait()
        told = end(it, 1)
        assert told[EventKind.COST_RESERVE_RELEASED] == [600, 40_000, 60_000]
        assert told[EventKind.AUCTION_CLEARED] == [600, 190_000, 0]
        assert it.firms[0].account().holdings[0].free == 50_000_000 - 190_000


def test_notice_at_the_seee(tmp_path: Path) -> None:
    """Ten trading days and five, as reported of 2025, over days that an operator opens."""
    notice = (
        ("auction_notice_days = 0 ", "auction_notice_days = 2 "),
        ("auction_freeze_days = 0 ", "auction_freeze_days = 1 "),
    )
    path = changed_venue(tmp_path, "seee", *notice)
    with floor(tmp_path, path, "2025-08-11T09:00:00+08:00", members(2, cash=CASH, units=50_000)) as it:
        ops = desk(it)
        it.ops.control(SetPhase(3, 20250811))
        said = ops.says("auction", "announce", "CEA19-20", 1, 100_000, "71.34")
        assert said.endswith("; not in place yet: frozen when a trading day opens, or withdrawn")
        ops.ask("auction", "announce", "CEA19-20", 2, 100_000, "71.34")
        assert [a.stage for a in it.ops.auctions()] == [AuctionStage.APPLIED] * 2
        it.ops.control(MoveUnits(1, 1, 50_000))
        it.ops.control(EndDay())
        told = it.ops.control(SetPhase(3, 20250812))
        kinds = [int(kind) for kind in told["kind"]]
        assert [k for k in kinds if k >= EventKind.AUCTION_ANNOUNCED] == [
            EventKind.AUCTION_SECURED,
            EventKind.AUCTION_CANCELLED,
        ]
        assert it.firms[0].account().holdings[0].free == 0
        for firm, kind in zip(it.firms, (EventKind.AUCTION_SECURED, EventKind.AUCTION_CANCELLED), strict=True):
            firm.account()  # what was sent before the answer has come
            assert kind in firm.poll()["kind"], "the seller is told"
        with pytest.raises(MarketClosed, match="too few trading days ago: 1 trading days are missing"):
            it.ops.control(OpenAuction(1))
        it.ops.control(EndDay())
        it.ops.control(SetPhase(3, 20250813))
        assert ops.says("auction", "open", 1) == "auction 1: open, 100,000 lots"


@pytest.mark.parametrize("name", ["eex-auction", "uka-auction", "rggi-auction", "wci-auction"])
def test_a_venue_of_auctions_is_explained_as_one(name: str) -> None:
    text = CliRunner().invoke(cli, ["venue", "show", name]).stdout
    assert "Sealed bids in auctions alone" in text
    for word in ("Price-time", "rests", "TAKE", "Close:", "lots per order", "orders,"):
        assert word not in text.replace("no order rests in a book", ""), word


def test_bounds_are_explained(tmp_path: Path) -> None:
    show = CliRunner().invoke(cli, ["venue", "show", "wci-auction"]).stdout
    assert "CCA: one bidder bids for at most 25 % with an obligation, 4 % without" in show
    assert "CCA: reserve price from 12.10 in 2015; 5 % and inflation (listed until 2025) more every year" in show
    show = CliRunner().invoke(cli, ["venue", "show", "rggi-auction"]).stdout
    assert "RGA: one bidder bids for at most 25 % of the lots offered" in show
    assert "RGA: reserve price from 2.05 in 2015; 2.5 % more every year" in show
    notice = (
        ("auction_notice_days = 0 ", "auction_notice_days = 10 "),
        ("auction_freeze_days = 0 ", "auction_freeze_days = 5 "),
    )
    show = CliRunner().invoke(cli, ["venue", "show", changed_venue(tmp_path, "seee", *notice)]).stdout
    assert "Announced 10 trading days before it opens; what is offered is frozen 5 before, or it is withdrawn" in show
    assert "Price-time priority" in show
    assert json.loads(CliRunner().invoke(cli, ["venue", "show", "wci-auction", "--json"]).stdout)["name"]
