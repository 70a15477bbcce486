"""Canonical state: every fact that decides what later commands do, as one byte string that every implementation
produces alike. Sections follow one another in the order of STATE_SECTIONS; each is its row count (int64) and rows.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.schema.records import CLOSE_TRADES, SCHEMA_VERSION, record

STATE_HEADER: Final = record(
    [
        ("schema_version", "<i8"),
        ("trading_date", "<i8"),
        ("day_stage", "<i8"),
        ("last_order_id", "<i8"),
        ("event_sequence", "<i8"),
        ("command_sequence", "<i8"),
        ("timestamp", "<i8"),
        ("composite", "<i8"),
        ("firms", "<i8"),
        ("anchor_journal", "<i8"),
        ("anchor_monotonic", "<i8"),
        ("rate_numerator", "<i8"),
        ("rate_denominator", "<i8"),
        ("last_negotiation_id", "<i8"),
        ("last_auction_id", "<i8"),
        ("last_hold_id", "<i8"),
        ("last_obligation_id", "<i8"),
        ("acknowledged_date", "<i8"),  # last trading date whose settlement file the registry accepted
        ("venue_halted", "<i8"),
        ("transfers_closed", "<i8"),  # 1 = outside the transfer windows
    ]
)
STATE_CURRENCY: Final = record([("deposited", "<i8"), ("fees", "<i8")])
STATE_ASSET: Final = record([("deposited", "<i8")])
STATE_INSTRUMENT: Final = record(
    [
        ("listed_phase", "<i8"),
        ("block_phase", "<i8"),
        ("bidding_phase", "<i8"),
        ("previous_close", "<i8"),
        ("limit_down", "<i8"),
        ("limit_up", "<i8"),
        ("block_down", "<i8"),
        ("block_up", "<i8"),
        ("last", "<i8"),
        ("open", "<i8"),
        ("high", "<i8"),
        ("low", "<i8"),
        ("volume", "<i8"),
        ("turnover", "<i8"),
        ("turnover_high", "<i8"),
        ("trades", "<i8"),
        ("close", "<i8"),
        ("floor", "<i8"),
        ("ceiling", "<i8"),
        ("listed_from", "<i8"),
        ("listed_until", "<i8"),  # 0 = no end
        ("halted", "<i8"),
        ("block_volume", "<i8"),
        ("block_turnover", "<i8"),
        ("block_turnover_high", "<i8"),
        ("block_trades", "<i8"),
        ("auction_volume", "<i8"),
        ("auction_price", "<i8"),  # of the last auction that cleared
        ("carried1", "<i8"),  # lots carried over into the next auction, the one after, ...
        ("carried2", "<i8"),
        ("carried3", "<i8"),
        ("carried4", "<i8"),
        ("call_frozen", "<i8"),  # 1 = no cancels in this call any more
        ("call_price", "<i8"),  # of the day's last call auction that traded
        # the day's last trades, where the close is LAST5 (else 0): 1 = the latest; trade id, ticks, lots
        *((f"close_trade{n}", "<i8") for n in range(1, CLOSE_TRADES + 1)),
        *((f"close_price{n}", "<i8") for n in range(1, CLOSE_TRADES + 1)),
        *((f"close_lots{n}", "<i8") for n in range(1, CLOSE_TRADES + 1)),
    ]
)
STATE_FIRM: Final = record([("status", "<i8")])
STATE_ACCOUNT: Final = record([("firm", "<i8"), ("owner_group", "<i8"), ("group_from", "<i8"), ("status", "<i8")])
STATE_CASH: Final = record(
    [
        ("account", "<i8"),
        ("currency", "<i8"),
        ("free", "<i8"),
        ("locked", "<i8"),
        ("auction_locked", "<i8"),
        ("proceeds_today", "<i8"),
    ]
)
STATE_HOLD: Final = record(
    [
        ("account", "<i8"),
        ("asset", "<i8"),
        ("free", "<i8"),
        ("locked", "<i8"),
        ("bought_today", "<i8"),
        ("pledged", "<i8"),
        ("judicial", "<i8"),
        ("auction_frozen", "<i8"),
        ("transfer_pending", "<i8"),
        ("carried_over", "<i8"),  # no bucket: units carried over from this asset so far
    ]
)
STATE_SESSION: Final = record(
    [
        ("firm", "<i8"),
        ("role", "<i8"),
        ("status", "<i8"),
        ("policy", "<i8"),
        ("connected", "<i8"),
        ("last_client_order_id", "<i8"),
    ]
)
STATE_ORDER: Final = record(
    [
        ("order_id", "<i8"),
        ("client_order_id", "<i8"),
        ("cumulative_amount", "<i8"),
        ("price", "<i8"),
        ("quantity", "<i8"),
        ("remaining", "<i8"),
        ("account", "<i8"),
        ("session", "<i8"),
        ("instrument", "<i8"),
        ("side", "<i8"),
        ("order_type", "<i8"),
        ("time_in_force", "<i8"),
        ("self_trade", "<i8"),
        ("flags", "<i8"),
        ("expiry", "<i8"),  # last trading date of a GTD order, else 0
        ("stop_price", "<i8"),  # of the three stop types, also when triggered; else 0
        ("shown", "<i8"),  # most lots that an iceberg shows; else 0
        ("visible", "<i8"),  # lots that a resting iceberg shows now; else 0
        ("waiting", "<i8"),  # 1 = a stop in the stop book, in no queue of the order book
        ("quote", "<i8"),  # 1 = entered by a QUOTE: the account's present bid or offer
    ]
)
STATE_NEGOTIATION: Final = record(
    [
        ("id", "<i8"),
        ("instrument", "<i8"),
        ("side", "<i8"),  # of the terms that stand
        ("account", "<i8"),  # whose terms stand
        ("counterparty", "<i8"),  # 0 = public
        ("price", "<i8"),
        ("quantity", "<i8"),
        ("expiry", "<i8"),
        ("locked", "<i8"),
        ("session", "<i8"),
        ("client_order_id", "<i8"),
    ]
)
STATE_AUCTION: Final = record(
    [
        ("id", "<i8"),
        ("instrument", "<i8"),
        ("side", "<i8"),
        ("account", "<i8"),
        ("price_rule", "<i8"),
        ("tie", "<i8"),
        ("short", "<i8"),
        ("secondary", "<i8"),
        ("stage", "<i8"),
        ("reserve", "<i8"),
        ("cap", "<i8"),
        ("quantity", "<i8"),
        ("secondary_price", "<i8"),
        ("secondary_bps", "<i8"),
        ("frozen", "<i8"),
        ("committed", "<i8"),
        ("seed1", "<i8"),
        ("seed2", "<i8"),
        ("seed3", "<i8"),
        ("seed4", "<i8"),
        ("session", "<i8"),
        ("client_order_id", "<i8"),
        ("trigger", "<i8"),  # of the cost containment reserve; 0 = none
        ("reserve_lots", "<i8"),
        ("days", "<i8"),  # trading days that opened since the announcement
    ]
)
STATE_BID: Final = record(
    [
        ("id", "<i8"),
        ("auction", "<i8"),
        ("account", "<i8"),
        ("price", "<i8"),
        ("quantity", "<i8"),
        ("priority", "<i8"),  # event sequence of the last change that lost time
        ("locked", "<i8"),
        ("session", "<i8"),
        ("client_order_id", "<i8"),
    ]
)
STATE_ENCUMBRANCE: Final = record(
    [
        ("id", "<i8"),
        ("type", "<i8"),
        ("account", "<i8"),
        ("asset", "<i8"),
        ("quantity", "<i8"),
        ("creditor", "<i8"),
        ("reference", "<i8"),
    ]
)
STATE_OBLIGATION: Final = record(
    [
        ("id", "<i8"),
        ("account", "<i8"),
        ("year", "<i8"),
        ("due", "<i8"),
        ("surrendered", "<i8"),
        ("offsets", "<i8"),  # part of `surrendered` that was covered by offsets
        ("surrender_by", "<i8"),  # last date to surrender, 0 = none
        ("overdue", "<i8"),  # trading date on which units were found missing after it, 0 = none was
        ("late", "<i8"),  # part of `surrendered` that came when it was overdue
    ]
)
STATE_LIMIT: Final = record(
    [
        ("firm", "<i8"),
        ("account", "<i8"),
        ("instrument", "<i8"),
        ("kind", "<i8"),
        ("value", "<i8"),
        ("override", "<i8"),
        ("until", "<i8"),
        ("second", "<i8"),  # ORDER_RATE: the second that is being counted
        ("count", "<i8"),  # orders in it
    ]
)
STATE_BUST: Final = record([("id", "<i8"), ("quantity", "<i8")])
STATE_SECTIONS: Final[dict[str, np.dtype[Any]]] = {
    "header": STATE_HEADER,  # one row
    "currencies": STATE_CURRENCY,  # by id, from 1
    "assets": STATE_ASSET,  # by id, from 1
    "instruments": STATE_INSTRUMENT,  # by id, from 1
    "accounts": STATE_ACCOUNT,  # by id, from 1
    "cash": STATE_CASH,  # by (account, currency), rows with any amount
    "holds": STATE_HOLD,  # by (account, asset), rows with any amount
    "sessions": STATE_SESSION,  # by id, from 0 (the venue itself)
    "firms": STATE_FIRM,  # by id, from 1
    "negotiations": STATE_NEGOTIATION,  # live ones by id
    "auctions": STATE_AUCTION,  # live ones of every stage by id
    "bids": STATE_BID,  # live ones by id (an order id)
    "encumbrances": STATE_ENCUMBRANCE,  # holds with units left by id
    "obligations": STATE_OBLIGATION,  # by id
    "limits": STATE_LIMIT,  # by (venue, firms, accounts, instruments; id; kind), those with a value or an override
    "busts": STATE_BUST,  # cancelled trades by id
    # Live ones by instrument, in mass-cancel order: buys, then sells, best price first, at a price those displayed
    # before those hidden, each by priority; then waiting buy stops, lowest stop price first, then waiting sell stops,
    # highest stop price first, at a stop price by arrival.
    "orders": STATE_ORDER,
}


def pack_state(sections: dict[str, NDArray[Any]]) -> bytes:
    """Sections -> canonical state. `sections` has an array of the section's dtype for every name."""
    parts = []
    for name, dtype in STATE_SECTIONS.items():
        rows = sections[name]
        assert rows.dtype == dtype, name
        parts += [len(rows).to_bytes(8, "little"), rows.tobytes()]
    return b"".join(parts)


def unpack_state(data: bytes) -> dict[str, NDArray[Any]]:
    """Canonical state -> sections. Raises ValueError when the bytes are none."""
    sections, at = {}, 0
    for name, dtype in STATE_SECTIONS.items():
        count = int.from_bytes(data[at : at + 8], "little")
        end = at + 8 + count * dtype.itemsize
        if at + 8 > len(data) or end > len(data):
            raise ValueError(f"canonical state ends inside section {name!r}")
        sections[name] = np.frombuffer(data[at + 8 : end], dtype)
        at = end
    if at != len(data):
        raise ValueError("canonical state has bytes behind its last section")
    if len(sections["header"]) != 1 or sections["header"][0]["schema_version"] != SCHEMA_VERSION:
        raise ValueError("canonical state of another schema version")
    return sections
