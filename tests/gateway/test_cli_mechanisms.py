"""Blocks, bids, registry and kill switch as a person types them, against a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.server import Server, background
from tests.gateway.halls import Terminal, afternoon

pytestmark = pytest.mark.nojit


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with background(afternoon(tmp_path)) as running:
        yield running


@pytest.fixture
def one(server: Server) -> Terminal:
    return Terminal(server.config, "S1", "client")


@pytest.fixture
def two(server: Server) -> Terminal:
    return Terminal(server.config, "S2", "client")


@pytest.fixture
def ops(server: Server) -> Terminal:
    return Terminal(server.config, "OPS", "operate")


def test_a_block(one: Terminal, two: Terminal) -> None:
    assert one.says("block", "list") == "no negotiations"
    until = ("--until", "2025-08-11T14:30")
    assert one.ask("block", "offer", "CEA24", "sell", 200_000, "72.00", "--to", 2, *until)["status"] == "live"
    assert two.ask("block", "list")[0]["price"] == "72.00"
    assert two.says("block", "counter", 1, 150_000, "71.50") == "negotiation 1: live; 150,000 @ 71.50"
    assert one.refused("block", "accept", 1, 200_000, "72.00") == "TERMS_CHANGED"
    assert one.says("block", "accept", 1, 150_000, "71.50") == "negotiation 1: traded; 150,000 @ 71.50"
    assert one.refused("block", "accept", 1, 150_000, "71.50") == "UNKNOWN_NEGOTIATION"
    one.run("block", "offer", "CEA24", "buy", 100_000, "70")
    assert one.says("block", "withdraw", 2) == "negotiation 2: ended"


def test_an_auction(one: Terminal, two: Terminal, ops: Terminal) -> None:
    ops.run("auction", "announce", "CEA24", 1, 100_000, "73.20")
    assert two.refused("bid", "enter", 1, 10, "74") == "WRONG_AUCTION_STAGE"
    ops.run("auction", "open", 1)
    assert two.ask("bid", "auctions")[0]["stage"] == "OPEN"
    made = two.ask("bid", "enter", 1, 60_000, "74")
    assert (made["status"], made["price"]) == ("live", "74.00")
    assert two.ask("bid", "replace", made["bid"], 50_000, "74")["kept_time"] is True
    assert two.ask("bid", "list")[0]["quantity"] == 50_000
    assert one.says("bid", "list") == "no live bids"
    assert two.refused("bid", "enter", 9, 10, "74") == "UNKNOWN_AUCTION"
    assert two.refused("bid", "replace", 999, 10, "74") == "UNKNOWN_ORDER"
    assert two.says("bid", "withdraw", made["bid"]).endswith("withdrawn")
    assert two.ask("bid", "enter", 1, 60_000, "74")["filled"] == 0
    assert ops.says("auction", "close", 1) == "auction 1: 60,000 lots sold at 74.00, 40,000 unsold; 1 bids"
    assert two.says("bid", "auctions") == "no auctions"


def test_the_registry(one: Terminal, ops: Terminal) -> None:
    assert "no obligations" in one.says("registry", "compliance")
    ops.run("obligation", 1, 2024, 48_000)
    assert one.says("registry", "surrender", "CEA24", 40_000, 1) == "40,000 CEA24 surrendered; 8,000 still due"
    assert one.refused("registry", "surrender", "CEA24", 1, 2) == "UNKNOWN_OBLIGATION"
    year = one.ask("registry", "compliance")["years"][0]
    assert (year["due"], year["surrendered"], year["covered"], year["shortfall"]) == (48_000, 40_000, 8_000, 0)
    said = one.says("registry", "compliance")
    assert "48,000" in said
    assert f"\n{year['year']}  " in said  # a year is no quantity
    assert one.ask("registry", "transfer", "out", "CEA24", 500)["hold"] == 1
    assert "waiting for the registry" in one.says("registry", "transfer", "in", "CEA24", 500)
    assert one.ask("registry", "pledge", "CEA24", 500, 2, "--loan", "1000.00")["hold"] == 3
    assert [hold["type"] for hold in one.ask("registry", "holds")] == ["TRANSFER_OUT", "TRANSFER_IN", "PLEDGE"]
    assert one.says("registry", "cancel", "CEA24", 10) == "10 CEA24 cancelled for good"


def test_the_firms_own_kill_switch(one: Terminal) -> None:
    one.run("place", "CEA24", "buy", 10, 73)
    assert one.ask("kill") == {"stopped": True, "ended": 1}
    assert one.refused("place", "CEA24", "buy", 10, 73) == "FIRM_STOPPED"
    assert one.says("kill", "--resume") == "the firm trades again"
    one.run("place", "CEA24", "buy", 10, 73)
