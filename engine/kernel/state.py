"""Canonical state out of the arena, and back in."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arena import SIDES, Arena
from engine.kernel.admission import set_entries
from engine.kernel.book import next_in_book, rest_further
from engine.kernel.compiler import entry, plain
from engine.kernel.day import first_composite, set_limits
from engine.kernel.instruments import fit_window
from engine.kernel.levels import take_slot
from engine.kernel.limit_setting import recount
from engine.kernel.uncross import auction_price, is_crossed
from engine.kernel.veils import is_iceberg, lessen
from engine.kernel.waiting import STOP, STOP_LIMIT, STOP_LIMIT_ICEBERG, is_stop_type, is_waiting
from engine.layout import BALANCE, LIMIT, ORDER, PUBLIC_FLAGS, QUOTED, WAITING
from engine.schema import (
    CLOSE_TRADES,
    SCHEMA_VERSION,
    STATE_ORDER,
    STATE_SECTIONS,
    Mode,
    OrderType,
    TimeInForce,
    pack_state,
    unpack_state,
)
from engine.venue import MAX_CARRY

PHASES = {"listed_phase": Mode.LISTED, "block_phase": Mode.BLOCK, "bidding_phase": Mode.BIDDING}
HEADER = (
    "trading_date",
    "day_stage",
    "last_order_id",
    "event_sequence",
    "command_sequence",
    "timestamp",
    "composite",
    "firms",
    "anchor_journal",
    "anchor_monotonic",
    "rate_numerator",
    "rate_denominator",
    "last_negotiation_id",
    "last_auction_id",
    "last_hold_id",
    "last_obligation_id",
    "acknowledged_date",
    "venue_halted",
    "transfers_closed",
)
TABLES = ("negotiations", "auctions", "bids", "encumbrances", "obligations", "busts")
"""Sections whose rows lie in the arena as they are, by id. A row of quantity 0 is gone (obligations never are)."""
ROWS = {
    f"{table}{n + 1}": (table, n)
    for table, count in (
        ("carried", MAX_CARRY),
        ("close_trade", CLOSE_TRADES),
        ("close_price", CLOSE_TRADES),
        ("close_lots", CLOSE_TRADES),
    )
    for n in range(count)
}
"""Fields of section `instruments` that are one cell of an array in the arena."""
BOOK_FIELDS = tuple(
    name for name in STATE_SECTIONS["instruments"].names or () if name not in PHASES and name not in ROWS
)
LIMIT_TABLES = ("venue_limits", "firm_limits", "account_limits", "instrument_limits")
LIMIT_OWNERS = {"firm_limits": "firm", "account_limits": "account", "instrument_limits": "instrument"}


@entry
def start(arena):
    """What a new venue computes from its reference prices."""
    s = arena[0]
    for i in range(1, s.instruments + 1):
        set_limits(s.books[i])
    first_composite(s)
    set_entries(s)


@entry
def list_orders(arena, rows):
    """Fill STATE_ORDER rows in canonical order; returns their number."""
    s = arena[0]
    n = 0
    for instrument in range(1, s.instruments + 1):
        for k in range(SIDES):
            slot = next_in_book(s, instrument, k, 0)
            while slot != 0:
                order, row = s.orders[slot], rows[n]
                row.order_id = order.order_id
                row.client_order_id = order.client_order_id
                row.cumulative_amount = order.cumulative_amount
                row.price = order.price
                row.quantity = order.quantity
                row.remaining = order.remaining
                row.account = order.account
                row.session = order.session
                row.instrument = order.instrument
                row.side = order.side
                row.order_type = order.order_type
                row.time_in_force = order.time_in_force
                row.self_trade = order.self_trade
                row["flags"] = order["flags"] & PUBLIC_FLAGS
                write_further_fields(s, slot, row)
                n += 1
                slot = next_in_book(s, instrument, k, slot)
    return n


@plain
def write_further_fields(s, slot, row):
    """What only the further order types have; `row` is zero so far."""
    order, extra = s.orders[slot], s.extras[slot]
    if order.time_in_force == TimeInForce.GTD:
        row.expiry = extra.expiry
    if is_stop_type(order.order_type):
        row.stop_price = extra.stop_price
    if is_iceberg(order):
        row.shown = extra.shown
        row.visible = 0 if is_waiting(order) else extra.visible
    row.waiting = 1 if is_waiting(order) else 0
    row.quote = 1 if order["flags"] & QUOTED else 0


@entry
def place_orders(arena, rows):
    """Put STATE_ORDER rows back, in canonical order, into an arena that has all else, and count what follows."""
    s = arena[0]
    for i in range(1, s.instruments + 1):
        fit_window(s, i)
    for n in range(len(rows)):
        row, slot = rows[n], take_slot(s)
        order = s.orders[slot]
        order.order_id = row.order_id
        order.client_order_id = row.client_order_id
        order.cumulative_amount = row.cumulative_amount
        order.price = row.price
        order.quantity = row.quantity
        order.remaining = row.remaining
        order.account = row.account
        order.session = row.session
        order.instrument = row.instrument
        order.side = row.side
        order.order_type = row.order_type
        order.time_in_force = row.time_in_force
        order.self_trade = row.self_trade
        order["flags"] = row["flags"] | row.quote * QUOTED
        extra = s.extras[slot]
        extra.expiry = row.expiry
        extra.stop_price = row.stop_price
        extra.shown = row.shown
        rest_further(s, slot, row.waiting != 0)
        if is_iceberg(order) and row.waiting == 0:
            lessen(s, slot, 0, row.visible)
    recount(s)
    set_entries(s)


@entry
def indicative(arena, instrument, found):
    """What an uncrossing of the book would give now, into `found`, int64[3]: price, lots, surplus (negative: more is
    offered); zeros where the book is not crossed."""
    s = arena[0]
    found[:] = 0
    if is_crossed(s.books[instrument]):
        price, lots, demand, supply, _ = auction_price(s, instrument)
        found[0] = price
        found[1] = lots
        found[2] = demand - supply


def _copy(to: NDArray[Any], source: NDArray[Any], names: tuple[str, ...]) -> None:
    for name in names:
        to[name] = source[name]


def _names(section: str) -> tuple[str, ...]:
    return STATE_SECTIONS[section].names or ()


def _books(s: Any) -> NDArray[Any]:
    rows: NDArray[Any] = s["books"][1 : s["instruments"] + 1]
    return rows


BUCKETS = {"auction_locked": "auction_frozen"}
"""State fields whose bucket has another name in the arena."""


def _columns(s: Any, accounts: int, section: str) -> dict[str, NDArray[Any]]:
    """By bucket of `section`: a view [account - 1, currency or asset - 1] of the balances of `accounts` accounts."""
    width, currencies = int(s["columns"]), int(s["currencies"])
    side = slice(0, currencies) if section == "cash" else slice(currencies, width)
    views = {}
    for name in _names(section)[2:]:
        bucket = BUCKETS.get(name, name)
        table = s["balances" if bucket in (BALANCE.names or ()) else "holds"][width : width * (accounts + 1)]
        views[name] = table[bucket].reshape(accounts, width)[:, side]
    return views


def _amounts(s: Any, accounts: int, section: str) -> NDArray[Any]:
    """The rows of `section` for the balances that hold any amount."""
    views = _columns(s, accounts, section)
    owners, kinds = np.nonzero(np.any([view != 0 for view in views.values()], axis=0))
    rows = np.zeros(len(owners), STATE_SECTIONS[section])
    rows[_names(section)[0]], rows[_names(section)[1]] = owners + 1, kinds + 1
    for name, view in views.items():
        rows[name] = view[owners, kinds]
    return rows


def _put_amounts(s: Any, accounts: int, section: str, rows: NDArray[Any]) -> None:
    owner, kind = _names(section)[:2]
    for name, view in _columns(s, accounts, section).items():
        view[rows[owner] - 1, rows[kind] - 1] = rows[name]


def _limits(s: Any) -> NDArray[Any]:
    """The limits that have a value or an override, by owner and kind."""
    parts = []
    for table in LIMIT_TABLES:
        limits = s[table].reshape(-1, s[table].shape[-1])
        owners, kinds = np.nonzero((limits["value"] != 0) | (limits["override"] != 0))
        rows = np.zeros(len(owners), STATE_SECTIONS["limits"])
        rows["kind"] = kinds
        if table in LIMIT_OWNERS:
            rows[LIMIT_OWNERS[table]] = owners
        _copy(rows, limits[owners, kinds], LIMIT.names or ())
        parts.append(rows)
    return np.concatenate(parts)


def _put_limits(s: Any, rows: NDArray[Any]) -> None:
    for row in rows:
        owner = next((table for table, name in LIMIT_OWNERS.items() if row[name]), None)
        cell = s[owner][row[LIMIT_OWNERS[owner]], row["kind"]] if owner else s["venue_limits"][row["kind"]]
        for name in LIMIT.names or ():
            cell[name] = row[name]
        s["limits_set"] = int(s["limits_set"]) | 1 << int(row["kind"])


def instrument_rows(books: NDArray[Any]) -> NDArray[Any]:
    """BOOK records as rows of section `instruments`."""
    rows = np.zeros(len(books), STATE_SECTIONS["instruments"])
    for name, mode in PHASES.items():
        rows[name] = books["phases"][:, mode]
    for name, (table, n) in ROWS.items():
        rows[name] = books[table][:, n]
    _copy(rows, books, BOOK_FIELDS)
    return rows


def order_rows(orders: NDArray[Any], extras: NDArray[Any]) -> NDArray[Any]:
    """ORDER and EXTRA records of live orders as rows of section `orders`."""
    rows = np.zeros(len(orders), STATE_ORDER)
    _copy(rows, orders, tuple(name for name in ORDER.names or () if name in _names("orders")))
    rows["flags"] = orders["flags"] & PUBLIC_FLAGS
    rows["waiting"], rows["quote"] = orders["flags"] & WAITING != 0, orders["flags"] & QUOTED != 0
    types, icebergs = orders["order_type"], orders["order_type"] >= OrderType.ICEBERG
    for name, given in (
        ("expiry", orders["time_in_force"] == TimeInForce.GTD),
        ("stop_price", np.isin(types, (STOP, STOP_LIMIT, STOP_LIMIT_ICEBERG))),
        ("shown", icebergs),
        ("visible", icebergs & (rows["waiting"] == 0)),
    ):
        rows[name] = np.where(given, extras[name], 0)
    return rows


def canonical_state(arena: Arena) -> bytes:
    """The arena as canonical bytes."""
    s = arena[0]
    accounts, assets, currencies = s["accounts_open"], s["assets"], s["currencies"]
    out = {name: np.zeros(1, dtype) for name, dtype in STATE_SECTIONS.items()}
    out["header"]["schema_version"] = SCHEMA_VERSION
    for name in HEADER:
        out["header"][name] = s[name]
    out["currencies"] = np.zeros(currencies, STATE_SECTIONS["currencies"])
    out["currencies"]["deposited"] = s["cash_deposited"][1 : currencies + 1]
    out["currencies"]["fees"] = s["fees"][1 : currencies + 1]
    out["assets"] = np.zeros(assets, STATE_SECTIONS["assets"])
    out["assets"]["deposited"] = s["units_deposited"][1 : assets + 1]
    out["instruments"] = instrument_rows(_books(s))
    out["accounts"] = np.zeros(accounts, STATE_SECTIONS["accounts"])
    _copy(out["accounts"], s["accounts"][1 : accounts + 1], _names("accounts"))
    out["cash"] = _amounts(s, accounts, "cash")
    out["holds"] = _amounts(s, accounts, "holds")
    out["sessions"] = np.zeros(s["sessions_open"] + 1, STATE_SECTIONS["sessions"])
    _copy(out["sessions"], s["sessions"][: s["sessions_open"] + 1], _names("sessions"))
    out["firms"] = s["firm_table"][1 : s["firms"] + 1]
    for name in TABLES:
        rows = s[name][1 : s[f"{name}_used"] + 1]
        out[name] = rows if name == "obligations" else rows[rows["quantity"] > 0]
    out["limits"] = _limits(s)
    out["orders"] = np.zeros(s["live_orders"], STATE_ORDER)
    list_orders(arena, out["orders"])
    return pack_state(out)


def restore(arena: Arena, state: bytes) -> None:
    """Fill a new arena of the same venue from canonical bytes."""
    s, data = arena[0], unpack_state(state)
    for name in HEADER:
        s[name] = data["header"][name][0]
    s["cash_deposited"][1 : s["currencies"] + 1] = data["currencies"]["deposited"]
    s["fees"][1 : s["currencies"] + 1] = data["currencies"]["fees"]
    s["units_deposited"][1 : s["assets"] + 1] = data["assets"]["deposited"]
    books = _books(s)
    for name, mode in PHASES.items():
        books["phases"][:, mode] = data["instruments"][name]
    for name, (table, n) in ROWS.items():
        books[table][:, n] = data["instruments"][name]
    _copy(books, data["instruments"], BOOK_FIELDS)
    s["accounts_open"] = len(data["accounts"])
    _copy(s["accounts"][1 : s["accounts_open"] + 1], data["accounts"], _names("accounts"))
    for section in ("cash", "holds"):
        _put_amounts(s, int(s["accounts_open"]), section, data[section])
    s["sessions_open"] = len(data["sessions"]) - 1
    _copy(s["sessions"][: len(data["sessions"])], data["sessions"], _names("sessions"))
    s["firm_table"][1 : len(data["firms"]) + 1] = data["firms"]
    for name in TABLES:
        s[name][1 : len(data[name]) + 1] = data[name]
        s[f"{name}_used"] = len(data[name])
    _put_limits(s, data["limits"])
    place_orders(arena, data["orders"])
