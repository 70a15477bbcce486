"""The one block of memory that is the state of the whole exchange.

ARENA is a single structured record with nested arrays; kernel functions take it and allocate nothing. Its dimensions
are the most that any venue may have, so one compilation serves every venue: what a venue does not use is never paged
in, because zero means "none" everywhere and the block comes from the operating system as untouched zero pages
(`engine.founding`). The venue's own capacities are limits checked at run time.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.layout import (
    ACCOUNT,
    AHEAD,
    AHEAD_SIZE,
    AUCTION_BOUNDS,
    BALANCE,
    BOOK,
    CELL,
    EXTRA,
    HOLD,
    LEVEL,
    LIMIT,
    LIMIT_KINDS,
    MAX_COLUMNS,
    ORDER,
    QUOTE_CELLS,
    SESSION,
    STOP_CELLS,
)
from engine.schema import (
    BASIS_POINTS,
    COMMAND,
    EVENT,
    SHOWN_SHARE,
    STATE_AUCTION,
    STATE_BID,
    STATE_BUST,
    STATE_ENCUMBRANCE,
    STATE_FIRM,
    STATE_NEGOTIATION,
    STATE_OBLIGATION,
)
from engine.venue import (
    FIRST_YEAR,
    LAST_YEAR,
    MAX_ACCOUNTS,
    MAX_ASSETS,
    MAX_AUCTIONS,
    MAX_BIDS,
    MAX_BUSTS,
    MAX_CURRENCIES,
    MAX_ENCUMBRANCES,
    MAX_FIRMS,
    MAX_INSTRUMENTS,
    MAX_NEGOTIATIONS,
    MAX_OBLIGATIONS,
    MAX_ORDERS,
    MAX_SESSIONS,
    MAX_WINDOW,
)

NO_ASK: Final = 1 << 31
"""Best ask of an empty side: above every price, so that the crossing test needs no special case. No bid is 0."""
YEARS: Final = LAST_YEAR - FIRST_YEAR + 1
PAGE: Final = 4096
HUGE_PAGE: Final = 1 << 21
INDEX_SIZE: Final = 2 * MAX_ORDERS
MAX_EVENTS: Final = 1 << 22
SIDES: Final = 4
"""By `k`: buy, sell, then the waiting buy stops and sell stops."""
FURTHER_EVENTS: Final = 400
"""Most events that the order of one command can give beyond those of the orders that it meets, where an instrument has
further rules: an iceberg that comes to rest may meet stops that it triggers."""
ICEBERG_EVENTS: Final = 3 * (SHOWN_SHARE + 1)
"""Of one live iceberg: a trade, its fee and a refresh for each of its parts."""
STOP_EVENTS: Final = 4
"""Of one waiting stop: triggered, a trade that leaves its maker some lots, its fee, and what ends it or moves it."""

Arena = NDArray[Any]


_STATE: Final[list[tuple[Any, ...]]] = [
    ("event_count", "<i8"),
    ("event_limit", "<i8"),
    ("event_batch", "<i8"),  # a call ends when it has given so many
    ("further_events", "<i8"),  # what icebergs and waiting stops add to the worst case of a command
    ("event_sequence", "<i8"),
    ("command_sequence", "<i8"),
    ("timestamp", "<i8"),
    ("last_order_id", "<i8"),
    ("live_orders", "<i8"),
    ("venue_halted", "<i8"),
    ("stopped_firms", "<i8"),  # firms that are not ACTIVE
    ("limits_set", "<i8"),  # bit per LimitKind that was ever set anywhere
    ("counting", "<i8"),  # some limit looks at resting orders: they are counted
    ("free_count", "<i8"),
    ("highest_slot", "<i8"),
    ("index_mask", "<i8"),
    ("live_icebergs", "<i8"),
    # the venue's rules
    ("prefunded", "<i8"),
    ("open_from_start", "<i8"),
    ("self_trade", "<i8"),
    ("sweep_levels", "<i8"),
    ("take_levels", "<i8"),
    ("cross_reject", "<i8"),
    ("rest_at_last", "<i8"),
    ("take_offered", "<i8"),
    ("click_strict", "<i8"),
    ("break_cancel", "<i8"),
    ("next_day_units", "<i8"),
    ("withdraw_next_day", "<i8"),
    ("composite_rule", "<i8"),
    ("composite_mean_until", "<i8"),
    ("order_capacity", "<i8"),
    ("iceberg_capacity", "<i8"),
    ("account_capacity", "<i8"),
    ("firm_capacity", "<i8"),
    ("session_capacity", "<i8"),
    ("auction_price_rule", "<i8"),
    ("auction_tie", "<i8"),
    ("auction_short", "<i8"),
    ("auction_secondary", "<i8"),
    ("auction_carry_over", "<i8"),
    ("auction_carry_cap_bps", "<i8"),
    ("auction_notice_days", "<i8"),
    ("auction_freeze_days", "<i8"),
    ("bid_keeps_time", "<i8"),
    ("settlement_ack", "<i8"),
    ("offset_limit_bps", "<i8"),
    ("carry_over_base", "<i8"),
    ("carry_over_factor_bps", "<i8"),
    ("accounts_per_firm", "<i8"),
    ("negotiation_capacity", "<i8"),
    ("auction_capacity", "<i8"),
    ("bid_capacity", "<i8"),
    ("hold_capacity", "<i8"),
    ("obligation_capacity", "<i8"),
    # counts; of the tables whose rows lie in the order of their ids: rows used, live ones among them
    ("negotiations_used", "<i8"),
    ("auctions_used", "<i8"),
    ("bids_used", "<i8"),
    ("encumbrances_used", "<i8"),
    ("obligations_used", "<i8"),
    ("busts_used", "<i8"),
    ("last_negotiation_id", "<i8"),
    ("last_auction_id", "<i8"),
    ("last_hold_id", "<i8"),
    ("last_obligation_id", "<i8"),
    ("acknowledged_date", "<i8"),
    ("transfers_closed", "<i8"),
    ("firms", "<i8"),
    ("accounts_open", "<i8"),
    ("sessions_open", "<i8"),
    ("instruments", "<i8"),
    ("assets", "<i8"),
    ("currencies", "<i8"),
    ("columns", "<i8"),  # balances of one account: currencies by id, then assets by id, so that both sides lock alike
    ("refusal", "<i8"),  # what a refusal states beside its reason; 0 between commands
    # the day
    ("trading_date", "<i8"),
    ("day_stage", "<i8"),
    ("composite", "<i8"),
    ("anchor_journal", "<i8"),
    ("anchor_monotonic", "<i8"),
    ("rate_numerator", "<i8"),
    ("rate_denominator", "<i8"),
    ("cash_deposited", "<i8", (MAX_CURRENCIES,)),
    ("fees", "<i8", (MAX_CURRENCIES,)),
    ("units_deposited", "<i8", (MAX_ASSETS,)),
    ("asset_kinds", "<i8", (MAX_ASSETS,)),
    ("surrender_until", "<i8", (MAX_ASSETS,)),
    ("allocation_by", "<i8", (YEARS,)),  # dates of the compliance years from FIRST_YEAR on; 0 = none
    ("surrender_by", "<i8", (YEARS,)),
    ("venue_limits", LIMIT, (LIMIT_KINDS,)),
    ("books", BOOK, (MAX_INSTRUMENTS,)),
    ("bits2", "<u8", (MAX_INSTRUMENTS, SIDES)),
    ("bits1", "<u8", (MAX_INSTRUMENTS, SIDES, MAX_WINDOW // 4096)),
    ("bits0", "<u8", (MAX_INSTRUMENTS, SIDES, MAX_WINDOW // 64)),
    ("sessions", SESSION, (MAX_SESSIONS,)),
    ("accounts", ACCOUNT, (MAX_ACCOUNTS,)),
    ("balances", BALANCE, (MAX_ACCOUNTS * MAX_COLUMNS,)),  # row by row, `columns` to a row: see balance_at
    ("holds", HOLD, (MAX_ACCOUNTS * MAX_COLUMNS,)),
    ("firm_table", STATE_FIRM, (MAX_FIRMS,)),
    ("negotiations", STATE_NEGOTIATION, (MAX_NEGOTIATIONS,)),
    ("auctions", STATE_AUCTION, (MAX_AUCTIONS,)),
    ("bids", STATE_BID, (MAX_BIDS,)),
    ("encumbrances", STATE_ENCUMBRANCE, (MAX_ENCUMBRANCES,)),
    ("obligations", STATE_OBLIGATION, (MAX_OBLIGATIONS,)),
    ("busts", STATE_BUST, (MAX_BUSTS,)),
    ("firm_limits", LIMIT, (MAX_FIRMS, LIMIT_KINDS)),
    ("account_limits", LIMIT, (MAX_ACCOUNTS, LIMIT_KINDS)),
    ("instrument_limits", LIMIT, (MAX_INSTRUMENTS, LIMIT_KINDS)),
    ("auction_bounds", AUCTION_BOUNDS, (MAX_INSTRUMENTS,)),
    ("first_account", "<i4", (MAX_FIRMS,)),  # of a firm, and the firm's next one behind each; 0 = none
    ("next_account", "<i4", (MAX_ACCOUNTS,)),
    ("instrument_orders", "<i8", (MAX_INSTRUMENTS,)),  # live orders, kept while a limit counts them
    ("firm_orders", "<i8", (MAX_FIRMS,)),
    ("account_orders", "<i8", (MAX_ACCOUNTS,)),
    # room to work in while an auction clears: nothing in it outlives a command
    ("sha_words", "<i8", (64,)),
    ("sha_state", "<i8", (8,)),
    ("digits", "<i8", (256,)),
    ("ranking", "<i4", (2, MAX_BIDS)),  # rows of the bids in rank order, and the same while they are sorted
    ("rank_keys", "<i8", (MAX_BIDS,)),  # by row
    ("allotted", "<i8", (MAX_BIDS,)),  # by row
    ("free_slots", "<u4", (MAX_ORDERS,)),
    ("orders", ORDER, (MAX_ORDERS,)),
    ("order_words", "<i8", (MAX_ORDERS, ORDER.itemsize // 8)),  # the same memory
    ("index", CELL, (2 * INDEX_SIZE,)),
    ("levels", LEVEL, (MAX_INSTRUMENTS * 2 * MAX_WINDOW,)),  # by instrument, side and position: see `ladder`
    ("ahead", AHEAD, (AHEAD_SIZE,)),
    ("acting", COMMAND, (1,)),  # in whose name a triggered stop acts
    ("extras", EXTRA, (MAX_ORDERS,)),
    ("stop_cells", "<u4", (STOP_CELLS,)),  # heads of chains of stop prices, and of quotes' orders
    ("quote_cells", "<u4", (QUOTE_CELLS,)),
]


def _arena_dtype() -> np.dtype[Any]:
    """The state, and behind it the event buffer. Events and orders are seen both as records and as 64-bit words.

    Every table begins on a page, so that a record of 64 bytes is one cache line, and a large one on a huge page.
    """
    tables: list[tuple[Any, ...]] = [
        *_STATE,
        ("events", EVENT, (MAX_EVENTS,)),
        ("event_words", "<i8", (MAX_EVENTS, EVENT.itemsize // 8)),
    ]
    seen_as = {"event_words": "events", "order_words": "orders"}
    names: list[str] = []
    formats: list[np.dtype[Any]] = []
    offsets: list[int] = []
    end = 0
    for name, *shape in tables:
        field = np.dtype(tuple(shape)) if len(shape) > 1 else np.dtype(shape[0])
        page = next((size for size in (HUGE_PAGE, PAGE) if field.itemsize > size), 1)
        offset = -(-end // page) * page
        offset = offsets[names.index(seen_as[name])] if name in seen_as else offset
        names.append(name)
        formats.append(field)
        offsets.append(offset)
        end = offset + field.itemsize
    return np.dtype((np.record, {"names": names, "formats": formats, "offsets": offsets, "itemsize": end}))


ARENA: Final = _arena_dtype()


__all__ = ["ARENA", "BASIS_POINTS", "INDEX_SIZE", "MAX_EVENTS", "NO_ASK", "SIDES", "Arena"]
