"""What must hold after every command (docs/engine.md section 6), read from the canonical state alone."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from engine.core import Engine
from engine.schema import MAX_MONEY, PPM, HoldType, Side
from engine.venue import Venue

CASH_BUCKETS = ("free", "locked", "auction_locked", "proceeds_today")
UNIT_BUCKETS = ("free", "locked", "bought_today", "pledged", "judicial", "auction_frozen", "transfer_pending")
HELD_IN = {HoldType.PLEDGE: "pledged", HoldType.JUDICIAL: "judicial", HoldType.TRANSFER_OUT: "transfer_pending"}


def check(engine: Engine) -> None:
    """Raise AssertionError naming the first invariant that does not hold."""
    rows = {
        name: [dict(zip(section.dtype.names or (), row, strict=True)) for row in section.tolist()]
        for name, section in engine.state().items()
    }
    check_book(rows["orders"])
    check_orders(rows["orders"], rows["header"][0]["last_order_id"], engine.venue)
    check_ledger(rows, engine.venue)
    check_negotiations(rows["negotiations"], engine.venue)
    check_registers(rows, engine.venue)


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
    expected = expected_locks(rows, venue) if venue.prefunded else {}
    found = found_in(rows, "locked", "locked")
    assert found == expected, f"locks differ: {found} against orders' and negotiations' {expected}"
    expected = expected_freezes(rows, venue) if venue.prefunded else {}
    found = found_in(rows, "auction_locked", "auction_frozen")
    assert found == expected, f"freezes differ: {found} against auctions' and bids' {expected}"


def found_in(rows: dict[str, list[dict[str, int]]], of_cash: str, of_units: str) -> dict[Any, int]:
    """What two buckets hold, by account."""
    found: dict[Any, int] = {}
    found |= {("cash", r["account"], r["currency"]): r[of_cash] for r in rows["cash"] if r[of_cash]}
    found |= {("units", r["account"], r["asset"]): r[of_units] for r in rows["holds"] if r[of_units]}
    return found


def check_registers(rows: dict[str, list[dict[str, int]]], venue: Venue) -> None:
    """Registers stand by id and within their capacity; every held unit belongs to one hold (docs/registry.md)."""
    header, capacity = rows["header"][0], venue.capacity
    registers = {
        "negotiations": (header["last_negotiation_id"], capacity.negotiations),
        "auctions": (header["last_auction_id"], capacity.auctions),
        "bids": (header["last_order_id"], capacity.bids),
        "encumbrances": (header["last_hold_id"], capacity.holds),
        "obligations": (header["last_obligation_id"], capacity.obligations),
    }
    for name, (last, most) in registers.items():
        ids = [row["id"] for row in rows[name]]
        assert ids == sorted(set(ids)) and len(ids) <= most, f"{name} are not by id, or too many"
        assert not ids or 1 <= ids[0] <= ids[-1] <= last, f"{name} have ids that were never given"
    held: dict[tuple[str, int, int], int] = defaultdict(int)
    for row in rows["encumbrances"]:
        assert row["quantity"] >= 1 and (row["creditor"] != 0) == (row["type"] == HoldType.PLEDGE), row
        if row["type"] != HoldType.TRANSFER_IN:
            held[HELD_IN[row["type"]], row["account"], row["asset"]] += row["quantity"]
    found = {
        (bucket, row["account"], row["asset"]): row[bucket]
        for row in rows["holds"]
        for bucket in HELD_IN.values()
        if row[bucket]
    }
    assert found == dict(held), f"held units differ: {found} against holds' {dict(held)}"
    owed = [(row["account"], row["year"]) for row in rows["obligations"]]
    assert len(set(owed)) == len(owed), "two obligations of one account and year"
    for row in rows["obligations"]:
        assert 0 <= row["offsets"] <= row["surrendered"] <= row["due"], row


def check_negotiations(negotiations: list[dict[str, int]], venue: Venue) -> None:
    """Standing terms are between two different accounts, of block size, and locked for in full (section 7)."""
    for row in negotiations:
        instrument = venue.instruments[row["instrument"] - 1]
        assert row["account"] >= 1 and row["counterparty"] >= 0 and row["account"] != row["counterparty"], row
        assert row["price"] >= 1 and instrument.block_min <= row["quantity"] <= instrument.block_max, row
        amount = row["price"] * row["quantity"] * instrument.tick_value
        cash, units = amount + half_up(amount, instrument.fee_ppm), row["quantity"] * instrument.units_per_lot
        full = (cash if row["side"] == Side.BUY else units) if venue.prefunded else 0
        assert row["locked"] == full, f"locked {row['locked']} for terms that need {full}: {row}"


def bucket_of(venue: Venue, instrument: int, side: int, account: int) -> tuple[str, int, int]:
    """A buyer's cash, a seller's units."""
    terms = venue.instruments[instrument - 1]
    if side == Side.BUY:
        return "cash", account, venue.currency_id(terms.currency)
    return "units", account, venue.asset_id(terms.asset)


def expected_freezes(rows: dict[str, list[dict[str, int]]], venue: Venue) -> dict[Any, int]:
    """What auctions and their bids freeze, by bucket; a bid stands on the other side."""
    freezes: dict[Any, int] = defaultdict(int)
    auctions = {row["id"]: row for row in rows["auctions"]}
    for row in auctions.values():
        freezes[bucket_of(venue, row["instrument"], row["side"], row["account"])] += row["frozen"]
    for row in rows["bids"]:
        auction = auctions[row["auction"]]
        freezes[bucket_of(venue, auction["instrument"], 3 - auction["side"], row["account"])] += row["locked"]
    return {bucket: amount for bucket, amount in freezes.items() if amount}


def expected_locks(rows: dict[str, list[dict[str, int]]], venue: Venue) -> dict[Any, int]:
    """What the live orders and the standing terms of negotiations lock, by bucket."""
    locks: dict[Any, int] = defaultdict(int)
    for row in rows["negotiations"]:
        locks[bucket_of(venue, row["instrument"], row["side"], row["account"])] += row["locked"]
    for order in rows["orders"]:
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
