"""What must hold after every command (docs/engine.md section 6), read from the canonical state alone."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from engine.core import Engine
from engine.schema import MAX_MONEY, PPM, Side
from engine.venue import Venue

CASH_BUCKETS = ("free", "locked", "auction_locked", "proceeds_today")
UNIT_BUCKETS = ("free", "locked", "bought_today", "pledged", "judicial", "auction_frozen", "transfer_pending")


def check(engine: Engine) -> None:
    """Raise AssertionError naming the first invariant that does not hold."""
    rows = {
        name: [dict(zip(section.dtype.names or (), row, strict=True)) for row in section.tolist()]
        for name, section in engine.state().items()
    }
    check_book(rows["orders"])
    check_orders(rows["orders"], rows["header"][0]["last_order_id"], engine.venue)
    check_ledger(rows, engine.venue)


def check_book(orders: list[dict[str, int]]) -> None:
    """Orders stand by (instrument, buy before sell, best price first); best bid < best offer."""
    places = [(o["instrument"], o["side"], -o["price"] if o["side"] == Side.BUY else o["price"]) for o in orders]
    assert places == sorted(places), "orders are not by instrument, side, best price"
    best: dict[tuple[int, int], int] = {}
    for order in orders:
        best.setdefault((order["instrument"], order["side"]), order["price"])
    for instrument in {instrument for instrument, _ in best}:
        bid, offer = best.get((instrument, Side.BUY)), best.get((instrument, Side.SELL))
        assert bid is None or offer is None or bid < offer, f"instrument {instrument} is crossed: {bid} >= {offer}"


def check_orders(orders: list[dict[str, int]], last_order_id: int, venue: Venue) -> None:
    ids = [o["order_id"] for o in orders]
    assert len(set(ids)) == len(ids), "an order id stands twice"
    assert len(ids) <= venue.capacity.orders, "more live orders than there is room for"
    for order in orders:
        assert 1 <= order["order_id"] <= last_order_id
        assert 1 <= order["remaining"] <= order["quantity"]
        assert order["price"] >= 1
        assert order["order_type"] == 1 and order["time_in_force"] in (1, 2), "an order rests that may not"


def check_ledger(rows: dict[str, list[dict[str, int]]], venue: Venue) -> None:
    """Buckets, conservation of cash and units, and that exactly the live orders are locked for."""
    for row in rows["cash"]:
        assert all(0 <= row[bucket] <= MAX_MONEY for bucket in CASH_BUCKETS), f"cash bucket out of range: {row}"
    for row in rows["holds"]:
        assert all(0 <= row[bucket] <= MAX_MONEY for bucket in UNIT_BUCKETS), f"unit bucket out of range: {row}"
    for currency, total in enumerate(rows["currencies"], 1):
        held = sum(r["free"] + r["locked"] + r["auction_locked"] for r in rows["cash"] if r["currency"] == currency)
        assert held + total["fees"] == total["deposited"], f"currency {currency} is not conserved"
    for asset, total in enumerate(rows["assets"], 1):
        held = sum(r[bucket] for r in rows["holds"] if r["asset"] == asset for bucket in UNIT_BUCKETS)
        assert held == total["deposited"], f"asset {asset} is not conserved"
    expected = expected_locks(rows["orders"], venue) if venue.prefunded else {}
    found: dict[Any, int] = {}
    found |= {("cash", r["account"], r["currency"]): r["locked"] for r in rows["cash"] if r["locked"]}
    found |= {("units", r["account"], r["asset"]): r["locked"] for r in rows["holds"] if r["locked"]}
    assert found == expected, f"locks differ: {found} against orders' {expected}"


def expected_locks(orders: list[dict[str, int]], venue: Venue) -> dict[Any, int]:
    """What the live orders lock, by bucket."""
    locks: dict[Any, int] = defaultdict(int)
    for order in orders:
        instrument = venue.instruments[order["instrument"] - 1]
        if order["side"] == Side.SELL:
            asset = venue.asset_id(instrument.asset)
            locks["units", order["account"], asset] += order["remaining"] * instrument.units_per_lot
            continue
        amount = order["price"] * order["remaining"] * instrument.tick_value
        so_far = order["cumulative_amount"]
        fee = half_up(so_far + amount, instrument.fee_ppm) - half_up(so_far, instrument.fee_ppm)
        locks["cash", order["account"], venue.currency_id(instrument.currency)] += amount + fee
    return dict(locks)


def half_up(amount: int, ppm: int) -> int:
    return (2 * amount * ppm + PPM) // (2 * PPM)
