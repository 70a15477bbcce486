"""The records of the tables that the arena consists of."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from engine.schema import CLOSE_TRADES, LimitKind, record
from engine.venue import MAX_ASSETS, MAX_CARRY, MAX_CURRENCIES, MAX_FLOOR_YEARS, Instrument


def _nested(fields: list[tuple[Any, ...]]) -> np.dtype[Any]:
    return np.dtype((np.record, fields))


LEVEL: Final = record([("head", "<u4"), ("tail", "<u4"), ("quantity", "<i8")])
"""One price of one side: first and last order slot, lots resting. Slots are unsigned in memory, which spares the
test for a negative index, and int64 in every calculation."""

ORDER: Final = record(
    [
        ("order_id", "<i8"),
        ("client_order_id", "<i8"),
        ("cumulative_amount", "<i8"),
        ("price", "<i4"),
        ("remaining", "<i4"),
        ("quantity", "<i4"),
        ("account", "<u4"),
        ("next", "<u4"),
        ("prev", "<u4"),
        ("next_by_id", "<u4"),
        ("next_by_client", "<u4"),
        ("session", "<u2"),
        ("instrument", "u1"),
        ("side", "u1"),
        ("order_type", "u1"),
        ("time_in_force", "u1"),
        ("self_trade", "u1"),
        ("flags", "u1"),
    ]
)
"""64 bytes: one cache line. `next` and `prev` are slots in the queue of the order's price (of a waiting stop: of its
stop price), `next_by_id` and `next_by_client` in the chains of the two indexes. `flags` are the command's, and from bit
4 on the kernel's own."""
PUBLIC_FLAGS: Final = 15
WAITING: Final = 16
"""Of an order's flags: it is a stop in the stop book."""
QUOTED: Final = 32
"""Of an order's flags: a QUOTE entered it."""

EXTRA: Final = record(
    [
        ("veiled", "<i8"),  # of the first order of a price: lots of that price that are not displayed
        ("stop_price", "<i4"),
        ("expiry", "<i4"),
        ("shown", "<i4"),
        ("visible", "<i4"),
        ("first_hidden", "<u4"),  # of the last order of a price, when it is hidden: the first hidden one
        ("last_waiting", "<u4"),  # of the first stop of a stop price: the last one
        ("next_price", "<u4"),  # of the first stop of a stop price: first stop of another in the same chain
        ("next_quote", "<u4"),  # of a quote's order: another one in the same chain
    ]
)
"""By order slot: what only the further order types have. A plain order neither reads nor writes it; a field counts only
where the order's type, time in force or flags say that it has one."""
STOP_CELLS: Final = 1 << 18
QUOTE_CELLS: Final = 1 << 16

CELL: Final = record([("slot", "<u4")])
"""Head of one chain of an index of live orders."""

AHEAD_SIZE: Final = 64
AHEAD: Final = record([("cell", "<u4"), ("level", "<u4"), ("slot", "<u4"), ("spare", "<u4")])
"""What the look-ahead has found out about a command that is yet to come."""

BALANCE: Final = record([("free", "<i8"), ("locked", "<i8"), ("bought_today", "<i8"), ("proceeds_today", "<i8")])
"""What one account has of one asset (units) or one currency (minor units), as far as trading touches it: half a cache
line. `proceeds_today` is the part of free cash that came from today's sales."""

HOLD: Final = record(
    [
        ("pledged", "<i8"),
        ("judicial", "<i8"),
        ("auction_frozen", "<i8"),
        ("transfer_pending", "<i8"),
        ("carried_over", "<i8"),  # no bucket: units carried over from this asset so far
        ("buying", "<i8"),  # no bucket: units of live buy orders, kept while a limit counts them
        ("spare1", "<i8"),
        ("spare2", "<i8"),
    ]
)
"""The buckets that trading does not touch, in a table of the same rows and columns. All buckets add up to the total."""

LIMIT: Final = record([("value", "<i8"), ("override", "<i8"), ("until", "<i8"), ("second", "<i8"), ("count", "<i8")])
"""One limit of one firm, account, instrument or the venue; `override` counts while the timestamp is below `until`."""
LIMIT_KINDS: Final = len(LimitKind) + 1

MAX_COLUMNS: Final = MAX_CURRENCIES + MAX_ASSETS

ACCOUNT: Final = record([("firm", "<i4"), ("owner_group", "<i4"), ("group_from", "<i4"), ("status", "<i4")])

SESSION: Final = record(
    [
        ("last_client_order_id", "<i8"),
        ("firm", "<i4"),
        ("role", "u1"),
        ("status", "u1"),
        ("policy", "u1"),
        ("connected", "u1"),
    ]
)

BOOK: Final = _nested(
    [
        # read by every order
        ("best", "<i8", (2,)),  # highest bid (0 = none), lowest ask (NO_ASK = none), ticks
        ("further", "<i4"),  # which further rules the instrument has, one bit each: see STOPS; 0 = none
        ("entry", "<i4"),  # which plain orders may come in at this moment, one bit each: see set_entry
        ("floor", "<i8"),
        ("ceiling", "<i8"),
        ("ladder", "<i8", (2,)),  # by side: where its level of price 0 would stand in `levels`
        ("lock_column", "<i8", (2,)),  # by side: which balance its orders lock, cash or units
        ("lock_per_tick", "<i8", (2,)),  # by side: what a lot locks, by its price and beside it
        ("lock_per_lot", "<i8", (2,)),
        ("price_from", "<i8"),  # bounds inside which no term of an order needs a closer look: see set_bounds
        ("price_to", "<i8"),
        ("quantity_from", "<i8"),
        ("quantity_to", "<i8"),
        ("limit_down", "<i8"),
        ("limit_up", "<i8"),
        ("price_step", "<i8"),
        ("quantity_step", "<i8"),
        ("quantity_min", "<i8"),
        ("quantity_max", "<i8"),
        ("quantity_cap", "<i8"),  # most lots whose amount at the ceiling, with fee, stays below 2^62
        ("tick_value", "<i8"),
        ("units_per_lot", "<i8"),
        ("fee_ppm", "<i8"),
        ("currency", "<i8"),
        ("phases", "<i8", (4,)),  # by Mode; [0] unused
        ("offers", "<i8"),  # bits: order types, then times in force from bit 8, then flags from bit 16
        ("has_limit", "<i8"),
        ("halted", "<i8"),
        ("previous_close", "<i8"),
        # the day's statistics
        ("last", "<i8"),
        ("open", "<i8"),
        ("high", "<i8"),
        ("low", "<i8"),
        ("volume", "<i8"),
        ("turnover", "<i8"),
        ("turnover_high", "<i8"),
        ("trades", "<i8"),
        # the end of day
        ("close", "<i8"),
        ("block_down", "<i8"),
        ("block_up", "<i8"),
        ("limit_listed_bps", "<i8"),
        ("limit_block_bps", "<i8"),
        ("listed_from", "<i8"),
        ("close_is_vwap", "<i8"),
        ("close_is_last5", "<i8"),
        ("in_composite", "<i8"),
        ("listed_until", "<i8"),
        # blocks and auctions
        ("block_min", "<i8"),
        ("block_max", "<i8"),
        ("block_volume", "<i8"),
        ("block_turnover", "<i8"),
        ("block_turnover_high", "<i8"),
        ("block_trades", "<i8"),
        ("auctioned", "<i8"),
        ("auction_min", "<i8"),
        ("auction_step", "<i8"),
        ("auction_bid_max", "<i8"),
        ("auction_reserve_bound", "<i8"),
        ("auction_cap_bound", "<i8"),
        ("auction_volume", "<i8"),
        ("auction_price", "<i8"),
        ("carried", "<i8", (MAX_CARRY,)),
        ("asset", "<i8"),
        # calls and corridors
        ("call_frozen", "<i8"),
        ("call_price", "<i8"),
        ("call_is_t7", "<i8"),
        ("call_only", "<i8"),  # live orders that are for one call alone
        ("corridor_dynamic_bps", "<i8"),
        ("corridor_static_bps", "<i8"),
        ("corridor_from", "<i8"),  # where the command being applied may trade; 0 and CORRIDOR_END = anywhere
        ("corridor_to", "<i8"),
        ("close_trade", "<i8", (CLOSE_TRADES,)),  # the latest trades of a LAST5 close, the latest one first
        ("close_price", "<i8", (CLOSE_TRADES,)),
        ("close_lots", "<i8", (CLOSE_TRADES,)),
    ]
)

AUCTION_BOUNDS: Final = _nested(
    [
        ("covered_bps", "<i8"),
        ("other_bps", "<i8"),
        ("floor", "<i8"),  # of the year floor_year, ticks; 0 = none
        ("floor_year", "<i8"),
        ("rise_bps", "<i8"),
        ("inflation_ppm", "<i8", (MAX_FLOOR_YEARS,)),
    ]
)
"""What bounds an instrument's auctions beside its book's terms."""


def auction_bounds(instrument: Instrument) -> Any:
    """A row of AUCTION_BOUNDS."""
    row = np.zeros(1, AUCTION_BOUNDS)[0]
    row.covered_bps, row.other_bps = instrument.auction_covered_bps, instrument.auction_other_bps
    row.floor, row.floor_year = instrument.auction_floor_ticks, instrument.auction_floor_year
    row.rise_bps = instrument.auction_floor_rise_bps
    years = instrument.auction_floor_inflation_ppm
    row.inflation_ppm[: len(years)] = years
    return row


# Bits of a book's `further`: it has stops, icebergs or hidden orders, prices by MEDIAN3, a close by LAST5, calls, a
# corridor, quotes.
STOPS, VEILED, MEDIAN, LAST5, CALLS, CORRIDOR, QUOTES = (1 << bit for bit in range(7))
