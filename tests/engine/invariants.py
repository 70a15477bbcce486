"""What must hold after every command (docs/engine.md section 6), read from the canonical state alone."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from engine.core import Engine
from engine.schema import CLOSE_TRADES, MAX_MONEY, PPM, HoldType, OrderFlag, OrderType, Phase, Side, TimeInForce
from engine.venue import Venue

CASH_BUCKETS = ("free", "locked", "auction_locked", "proceeds_today")
UNIT_BUCKETS = ("free", "locked", "bought_today", "pledged", "judicial", "auction_frozen", "transfer_pending")
STOPS = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.STOP_LIMIT_ICEBERG)
ICEBERGS = (OrderType.ICEBERG, OrderType.STOP_LIMIT_ICEBERG)
CALLS = (Phase.OPEN_CALL, Phase.CLOSE_CALL, Phase.VOLATILITY_CALL)
MAY_BE_CROSSED = (*CALLS, Phase.PRE_OPEN, Phase.HALT)
HELD_IN = {HoldType.PLEDGE: "pledged", HoldType.JUDICIAL: "judicial", HoldType.TRANSFER_OUT: "transfer_pending"}


def check(engine: Engine) -> None:
    """Raise AssertionError naming the first invariant that does not hold."""
    rows = {
        name: [dict(zip(section.dtype.names or (), row, strict=True)) for row in section.tolist()]
        for name, section in engine.state().items()
    }
    phases = [row["listed_phase"] for row in rows["instruments"]]
    check_book(rows["orders"], phases)
    check_orders(rows["orders"], rows["header"][0]["last_order_id"], engine.venue)
    for order in rows["orders"]:
        check_kind_of_order(order, engine.venue)
    check_waiting(rows["orders"], rows["instruments"])
    check_quotes(rows["orders"], engine.venue)
    check_calls(rows, engine.venue)
    check_ledger(rows, engine.venue)
    check_negotiations(rows["negotiations"], engine.venue)
    check_registers(rows, engine.venue)


def place_of(order: dict[str, int]) -> tuple[int, ...]:
    """What the canonical order sorts by, but for arrival: waiting stops last, hidden orders behind displayed ones."""
    buy = order["side"] == Side.BUY
    if order["waiting"]:
        return order["instrument"], 1, order["side"], order["stop_price"] if buy else -order["stop_price"], 0
    hidden = order["flags"] & OrderFlag.HIDDEN
    return order["instrument"], 0, order["side"], -order["price"] if buy else order["price"], int(hidden)


def check_book(orders: list[dict[str, int]], phases: list[int]) -> None:
    """Orders stand in mass-cancel order; best bid < best offer but in a call and what may follow one."""
    places = [place_of(order) for order in orders]
    assert places == sorted(places), "orders are not in mass-cancel order"
    best: dict[tuple[int, int], int] = {}
    for order in orders:
        if not order["waiting"]:
            best.setdefault((order["instrument"], order["side"]), order["price"])
    for instrument in {instrument for instrument, _ in best if phases[instrument - 1] not in MAY_BE_CROSSED}:
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
    icebergs = sum(order["order_type"] in ICEBERGS for order in orders)
    assert icebergs <= venue.capacity.icebergs, "more live icebergs than there is room for"


def check_kind_of_order(order: dict[str, int], venue: Venue) -> None:
    """Each type has its own fields and no others; only a call has orders that would not rest otherwise."""
    kind, tif = order["order_type"], order["time_in_force"]
    calls = venue.instruments[order["instrument"] - 1].call_auction
    assert kind != OrderType.NONE and tif != TimeInForce.FOK, order
    assert calls or (kind != OrderType.MARKET and tif != TimeInForce.IOC), f"an order rests that may not: {order}"
    assert (order["stop_price"] > 0) == (kind in STOPS), order
    assert order["waiting"] in ((0, 1) if kind in STOPS else (0,)), order
    assert kind != OrderType.STOP or order["waiting"], "a triggered STOP rests"
    assert (order["expiry"] > 0) == (tif == TimeInForce.GTD), order
    assert (order["shown"] > 0) == (kind in ICEBERGS), order
    most = min(order["shown"], order["remaining"])
    assert order["visible"] in (range(1, most + 1) if order["shown"] and not order["waiting"] else (0,)), order
    hidden, post_only = order["flags"] & OrderFlag.HIDDEN, order["flags"] & OrderFlag.POST_ONLY
    assert not hidden or kind == OrderType.LIMIT, order
    assert not post_only or kind in (OrderType.LIMIT, OrderType.ICEBERG), order


def check_waiting(orders: list[dict[str, int]], instruments: list[dict[str, int]]) -> None:
    """Where trading is continuous no waiting stop is met."""
    for order in orders:
        row = instruments[order["instrument"] - 1]
        if order["waiting"] and row["listed_phase"] == Phase.CONTINUOUS and row["last"]:
            buy = order["side"] == Side.BUY
            met = row["last"] >= order["stop_price"] if buy else row["last"] <= order["stop_price"]
            assert not met, f"last price {row['last']} meets a stop that waits: {order}"


def check_quotes(orders: list[dict[str, int]], venue: Venue) -> None:
    """At most one bid and one offer of a quote per account and instrument, without pre-funding per session too."""
    keys = [
        (o["account"], o["instrument"], o["side"], 0 if venue.prefunded else o["session"]) for o in orders if o["quote"]
    ]
    assert len(set(keys)) == len(keys), "two quotes of one account on one instrument"


def check_calls(rows: dict[str, list[dict[str, int]]], venue: Venue) -> None:
    """Calls only where they are offered; what is for a call only does not outlive it; the close's trades add up."""
    for row, terms in zip(rows["instruments"], venue.instruments, strict=True):
        assert terms.call_auction or row["listed_phase"] not in CALLS, row
        assert row["call_frozen"] in ((0, 1) if row["listed_phase"] in CALLS else (0,)), row
        assert terms.call_auction or not row["call_price"], row
        kept = [row[f"close_trade{n}"] for n in range(1, CLOSE_TRADES + 1)]
        assert kept == sorted(kept, reverse=True) and (terms.close == "LAST5" or not any(kept)), row
        for n, trade in enumerate(kept, 1):
            assert bool(trade) == bool(row[f"close_price{n}"]) == bool(row[f"close_lots{n}"]), row
    for order in rows["orders"]:
        if order["time_in_force"] == TimeInForce.IOC or order["order_type"] == OrderType.MARKET:
            phase = rows["instruments"][order["instrument"] - 1]["listed_phase"]
            assert phase in MAY_BE_CROSSED, f"an order for a call outlives it: {order}"


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
        assert 0 <= row["late"] <= row["surrendered"], row
        assert row["overdue"] == 0 or 0 < row["surrender_by"] <= row["overdue"], row
        assert row["overdue"] != 0 or row["late"] == 0, row


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
