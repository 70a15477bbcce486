"""Worked example A of the rule book, through the socket: SEEE listed agreement, five levels, T+1, close and limits."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from engine.control import EndDay, MoveCash, MoveUnits, OpenAccount, OpenFirm, OpenSession, SetReference
from engine.schema import EventKind, Reason, Role
from gateway.client import Client
from gateway.errors import OrderRefused, RiskRefused
from gateway.orders import OrderHandle, Status
from gateway.server import Server, background
from tests.gateway.servers import config, local

LISTINGS = (
    ("97.50", 3_000),
    ("97.50", 5_000),
    ("97.55", 4_000),
    ("97.60", 20_000),
    ("97.65", 1_000),
    ("97.70", 1_000),
    ("97.80", 9_000),
)
CEA24 = 5
OPENING = (
    OpenFirm("Buyer"),
    OpenAccount(1, "Buyer"),
    OpenSession(1, "BUYER"),
    OpenFirm("Seller"),
    OpenAccount(2, "Seller"),
    OpenSession(2, "SELLER"),
    OpenSession(0, "OPS", int(Role.OPERATOR)),
    MoveCash(1, 1, 400_000_000),
    MoveUnits(1, CEA24, 10_000),
    MoveUnits(2, CEA24, 43_000),
    SetReference(CEA24, 9_741),
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    start = "2025-08-11T09:31:00+08:00"
    with background(config(tmp_path, venue="seee", opening=OPENING, start_time=start)) as running:
        yield running


@pytest.fixture
def buyer(server: Server) -> Iterator[Client]:
    with local(server.config, "BUYER") as client:
        yield client


@pytest.fixture
def seller(server: Server) -> Iterator[Client]:
    with local(server.config, "SELLER") as client:
        yield client


def listings(seller: Client) -> list[OrderHandle]:
    return [seller.place("CEA24", "sell", quantity, price).wait() for price, quantity in LISTINGS]


def test_example_a(server: Server, buyer: Client, seller: Client) -> None:
    day = buyer.day("CEA24")
    assert (day.limit_down, day.limit_up) == (Decimal("87.67"), Decimal("107.15"))
    asks = listings(seller)

    order = buyer.place("CEA24", "buy", 36_000, "97.80").wait()
    assert order.events[0]["aux"] == 352_080_000  # locked: 3,520,800.00
    trades = [e for e in order.events if e["kind"] == EventKind.TRADE]
    assert [(int(e["price"]), int(e["quantity"])) for e in trades] == [
        (9_750, 3_000),
        (9_750, 5_000),
        (9_755, 4_000),
        (9_760, 20_000),
        (9_765, 1_000),
        (9_770, 1_000),
    ]
    assert (order.filled, order.status) == (34_000, Status.CANCELLED)
    assert sum(int(e["price"]) * int(e["quantity"]) for e in trades) == 331_755_000  # 3,317,550.00
    assert sum(int(e["aux"]) for e in trades) == 765_000  # price improvement 7,650.00
    end = order.events[-1]
    assert (end["reason"], end["quantity"], end["aux"]) == (Reason.DEPTH_LIMIT, 2_000, 19_560_000)  # 195,600.00
    cash = buyer.account().cash[0]
    assert (cash.free, cash.locked) == (400_000_000 - 331_755_000, 0)

    seller.wait_until(lambda: asks[5].done, 5)
    assert [ask.filled for ask in asks] == [3_000, 5_000, 4_000, 20_000, 1_000, 1_000, 0]
    assert all(int(e["aux"]) == 0 for ask in asks for e in ask.events if e["kind"] == EventKind.TRADE)
    assert seller.account().cash[0].free == 331_755_000
    assert asks[6].status is Status.LIVE

    with pytest.raises(RiskRefused) as today:
        buyer.place("CEA24", "sell", 10_001, "107.15").wait()
    assert today.value.reason == Reason.UNITS_BOUGHT_TODAY
    buyer.place("CEA24", "sell", 10_000, "107.15").wait()
    assert buyer.account().holdings[0][1:] == (0, 10_000, 34_000)

    # The seller may spend the proceeds at once: a bid far below the market locks them.
    seller.place("CEA24", "buy", 3_000, "87.67").wait()

    day = buyer.day("CEA24")
    assert (day.open, day.high, day.low, day.last) == tuple(map(Decimal, ("97.50", "97.70", "97.50", "97.70")))
    assert (day.volume, day.turnover, day.trades) == (34_000, Decimal("3317550.00"), 6)

    with local(server.config, "OPS") as operator:
        events = operator.control(EndDay("end of the example"))
    fixed = next(e for e in events if e["kind"] == EventKind.CLOSE_FIXED and e["instrument"] == CEA24)
    limits = next(e for e in events if e["kind"] == EventKind.LIMITS_SET and e["instrument"] == CEA24)
    assert fixed["price"] == 9_758
    assert (limits["price"], limits["aux"], limits["aux2"]) == (9_758, 8_782, 10_734)
    assert (limits["remaining"], limits["contra_remaining"]) == (6_831, 12_685)
    assert buyer.account().holdings[0][1:] == (44_000, 0, 0)


def test_click_takes_any_listing_of_the_best_level_and_no_other(buyer: Client, seller: Client) -> None:
    asks = listings(seller)
    with pytest.raises(OrderRefused) as behind:
        buyer.take(asks[2].order_id, "CEA24", "buy", 1_000, "97.55").wait()
    assert behind.value.reason == Reason.NOT_AT_BEST
    second = buyer.take(asks[1].order_id, "CEA24", "buy", 5_000, "97.50").wait()
    assert (second.status, second.average_price) == (Status.FILLED, Decimal("97.50"))
    seller.wait_until(lambda: asks[1].done, 5)
    assert [ask.filled for ask in asks[:3]] == [0, 5_000, 0]


def test_fees_reach_both_sides(tmp_path: Path) -> None:
    from engine.venue import Venue

    venue = Venue.preset("seee")
    path = tmp_path / "fees.toml"
    from importlib.resources import files

    text = (files("engine") / "venues/seee.toml").read_text("utf-8").replace("fee_ppm = 0 ", "fee_ppm = 500 ")
    path.write_text(text, "utf-8")
    assert venue.instruments[0].fee_ppm == 0
    start = "2025-08-11T09:31:00+08:00"
    with (
        background(config(tmp_path, venue=str(path), opening=OPENING, start_time=start)) as server,
        local(server.config, "BUYER") as buyer,
        local(server.config, "SELLER") as seller,
    ):
        ask = seller.place("CEA24", "sell", 1_000, "97.50").wait()
        bid = buyer.place("CEA24", "buy", 1_000, "97.50").wait()
        seller.wait_until(lambda: ask.fees > 0, 5)
        assert (bid.fees, ask.fees) == (4_875, 4_875)  # 500 ppm of 97,500.00
        fee = bid.events[-1]
        assert (fee["kind"], fee["side"], fee["aux2"], fee["contra_account"]) == (EventKind.FEE, 1, 0, 0)
        seller.resume(0)
        seller.wait_until(lambda: seller.last_event >= int(fee["sequence"]), 5)
        again = seller.poll()
        assert bytes(again[-1]) == bytes(ask.events[-1])
