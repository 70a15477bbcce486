"""Random further order types, quotes and calls: kernel against reference, and what must hold after every command."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from engine.core import Engine
from engine.schema import SHOWN_SHARE, EventKind, OrderFlag, OrderType, Phase, Reason, Side, TimeInForce
from tests.engine.invariants import check_ledger
from tests.engine.random_further import FurtherStream, further_venues
from tests.engine.test_differential import needs_kernel, same

VENUES = further_venues()
CHUNK = 25
EXPECTED_EVENTS = "TRIGGERED REFRESHED CALL_UNCROSSED DECREMENTED TRADE FEE EXPIRED REPLACED CANCELLED TRADE_BUSTED"
EXPECTED = """
INVALID_COMBINATION INVALID_DATE INVALID_FLAGS INVALID_ORDER_TYPE INVALID_TIME_IN_FORCE INVALID_QUANTITY OFF_LOT
OFF_TICK PRICE_OUT_OF_WINDOW PRICE_REQUIRED WRONG_PHASE MODE_NOT_OFFERED UNKNOWN_ORDER
MIN_QUANTITY_NOT_MET FOK_NOT_FILLABLE POST_ONLY_WOULD_TAKE WOULD_CROSS ORDER_TABLE_FULL INSUFFICIENT_FUNDS
INSUFFICIENT_UNITS QUANTITY_EXCEEDS_LISTING
QUOTE_REPLACED GOOD_TILL_DATE CALL_REMAINDER SELF_TRADE_PREVENTED IOC_REMAINDER DEPTH_LIMIT UNUSED_FIELD_SET
STALE_CLIENT_ORDER_ID QUANTITY_BELOW_FILLED KILLED DISCONNECTED
"""
CROSSED = (Phase.OPEN_CALL, Phase.CLOSE_CALL, Phase.VOLATILITY_CALL, Phase.PRE_OPEN, Phase.HALT)
"""Phases in which bids may stand above offers."""
STOP_TYPES = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.STOP_LIMIT_ICEBERG)


@needs_kernel
@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", VENUES)
def test_random_further(name: str, seed: int) -> None:
    """Events and canonical state are byte-identical after every chunk."""
    run(name, seed, 500)


@needs_kernel
@pytest.mark.nojit
@pytest.mark.parametrize("name", VENUES)
def test_short_random_further(name: str) -> None:
    """The same, short enough for an interpreted kernel."""
    run(name, 77, 45)


def run(name: str, seed: int, chunks: int) -> None:
    venue = VENUES[name]
    kernel, reference = Engine(venue, "kernel"), Engine(venue, "reference")
    stream = FurtherStream(venue, seed)
    for _ in range(chunks):
        same(stream.take(CHUNK, reference.state()), kernel, reference)
        looks_agree(kernel, reference)


def looks_agree(kernel: Engine, reference: Engine) -> None:
    """The cheap looks know icebergs, hidden orders, waiting stops and what an uncrossing would give."""
    for instrument in range(1, len(kernel.venue.instruments) + 1):
        assert kernel.indicative(instrument) == reference.indicative(instrument)
        assert kernel.depth(instrument, 5) == reference.depth(instrument, 5)
    assert kernel.open_orders().tobytes() == reference.open_orders().tobytes()


@pytest.mark.nojit
@pytest.mark.parametrize("name", VENUES)
def test_after_every_command(name: str, implementation: Any) -> None:
    """docs/order-types.md, docs/call-auctions.md: what holds of books, stops, icebergs and quotes at all times."""
    market = Engine(VENUES[name], implementation)
    stream = FurtherStream(VENUES[name], 5)
    for _ in range(14):
        commands = stream.take(CHUNK, market.state())
        for command in np.split(commands, len(commands)):
            market.apply_all(command)
            state = market.state()
            rows = {
                key: [dict(zip(s.dtype.names or (), r, strict=True)) for r in s.tolist()] for key, s in state.items()
            }
            check_ledger(rows, market.venue)
            check_books(rows)
            check_icebergs_and_stops(rows["orders"], market)


def check_books(rows: dict[str, list[dict[str, int]]]) -> None:
    """The order of the rows, no crossed book while trading, no stop that should have been triggered."""
    for number, day in enumerate(rows["instruments"], 1):
        orders = [order for order in rows["orders"] if order["instrument"] == number]
        assert [place(o) for o in orders] == sorted(place(o) for o in orders)
        queued = [o for o in orders if not o["waiting"]]
        bid = max((o["price"] for o in queued if o["side"] == Side.BUY), default=0)
        offer = min((o["price"] for o in queued if o["side"] == Side.SELL), default=1 << 31)
        assert bid < offer or day["listed_phase"] in CROSSED
        for order in orders if day["listed_phase"] == Phase.CONTINUOUS and day["last"] else []:
            met = (
                day["last"] >= order["stop_price"] if order["side"] == Side.BUY else day["last"] <= order["stop_price"]
            )
            assert not order["waiting"] or not met
        call_only = [o for o in queued if o["time_in_force"] == TimeInForce.IOC or o["order_type"] == OrderType.MARKET]
        assert not call_only or day["listed_phase"] in CROSSED


def place(order: dict[str, int]) -> tuple[int, ...]:
    """Where an order stands among those of its instrument, as far as prices say."""
    buying = order["side"] == Side.BUY
    if order["waiting"]:
        return 1, order["side"], order["stop_price"] if buying else -order["stop_price"], 0
    return 0, order["side"], -order["price"] if buying else order["price"], order["flags"] & OrderFlag.HIDDEN


def check_icebergs_and_stops(orders: list[dict[str, int]], market: Engine) -> None:
    icebergs = [o for o in orders if o["order_type"] >= OrderType.ICEBERG]
    assert len(icebergs) <= market.venue.capacity.icebergs and len(orders) <= market.venue.capacity.orders
    for order in orders:
        stop, iceberg = order["order_type"] in STOP_TYPES, order["order_type"] >= OrderType.ICEBERG
        assert (order["stop_price"] > 0) == stop and (order["shown"] > 0) == iceberg
        assert stop or not order["waiting"]
        assert (order["visible"] > 0) == (iceberg and not order["waiting"])
        assert order["visible"] <= min(order["shown"], order["remaining"])
        assert not iceberg or order["remaining"] <= SHOWN_SHARE * order["shown"]
        assert (order["expiry"] > 0) == (order["time_in_force"] == TimeInForce.GTD)
    quoted = [
        (o["account"], o["instrument"], o["side"], 0 if market.venue.prefunded else o["session"])
        for o in orders
        if o["quote"]
    ]
    assert len(quoted) == len(set(quoted)), "two quotes of one side"


@pytest.mark.parametrize("name", VENUES)
def test_restore_in_mid_stream(name: str, implementation: Any) -> None:
    """An engine restored from the canonical state goes on with the same bytes."""
    stream = FurtherStream(VENUES[name], 23)
    first = Engine(VENUES[name], implementation)
    for _ in range(20):
        first.apply_all(stream.take(CHUNK, first.state()))
        second = Engine.restore(VENUES[name], first.canonical_state(), implementation)
        assert second.canonical_state() == first.canonical_state()
    for _ in range(20):
        commands = stream.take(CHUNK, first.state())
        assert second.apply_all(commands).tobytes() == first.apply_all(commands).tobytes()
    assert second.canonical_state() == first.canonical_state()


def test_streams_are_lively() -> None:
    """Every event and every reason of these rules occurs in the streams of all venues together."""
    kinds: Counter[int] = Counter()
    reasons: Counter[int] = Counter()
    for venue in VENUES.values():
        market = Engine(venue, "reference")
        stream = FurtherStream(venue, 9)
        for _ in range(240):
            events = market.apply_all(stream.take(CHUNK, market.state()))
            kinds.update(events["kind"].tolist())
            reasons.update(events["reason"].tolist())
    for name in EXPECTED_EVENTS.split():
        assert kinds[EventKind[name]] > 20, f"{kinds[EventKind[name]]} of {name}"
    found = {reason.name for reason in Reason if reasons[reason]}
    assert found >= set(EXPECTED.split()), sorted(set(EXPECTED.split()) - found)
