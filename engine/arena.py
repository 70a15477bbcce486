"""The one block of memory that is the state of the whole exchange.

ARENA is a single structured record with nested arrays; kernel functions take it and allocate nothing. Its dimensions
are
the most that any venue may have, so one compilation serves every venue: what a venue does not use is never paged in,
because zero means "none" everywhere and the block comes from the operating system as untouched zero pages.
The venue's own capacities are limits checked at run time.
"""

from __future__ import annotations

import mmap
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
    CALLS,
    CELL,
    CORRIDOR,
    EXTRA,
    HOLD,
    LAST5,
    LEVEL,
    LIMIT,
    LIMIT_KINDS,
    MAX_COLUMNS,
    MEDIAN,
    ORDER,
    QUOTE_CELLS,
    QUOTES,
    SESSION,
    STOP_CELLS,
    STOPS,
    VEILED,
    auction_bounds,
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
    AssetKind,
    AuctionPrice,
    AuctionSecondary,
    AuctionShort,
    AuctionTie,
    DayStage,
    OrderFlag,
    OrderType,
    Phase,
    Status,
    TimeInForce,
)
from engine.venue import (
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
    Instrument,
    Venue,
    date_number,
)

NO_ASK: Final = 1 << 31
"""Best ask of an empty side: above every price, so that the crossing test needs no special case. No bid is 0."""
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
    ("index", CELL, (2 * INDEX_SIZE,)),
    ("levels", LEVEL, (MAX_INSTRUMENTS * 2 * MAX_WINDOW,)),  # by instrument, side and position: see `ladder`
    ("ahead", AHEAD, (AHEAD_SIZE,)),
    ("acting", COMMAND, (1,)),  # in whose name a triggered stop acts
    ("extras", EXTRA, (MAX_ORDERS,)),
    ("stop_cells", "<u4", (STOP_CELLS,)),  # heads of chains of stop prices, and of quotes' orders
    ("quote_cells", "<u4", (QUOTE_CELLS,)),
]


def _arena_dtype() -> np.dtype[Any]:
    """The state, and behind it the event buffer, seen both as records and as 64-bit words.

    Every table begins on a page, so that a record of 64 bytes is one cache line, and a large one on a huge page.
    """
    tables: list[tuple[Any, ...]] = [
        *_STATE,
        ("events", EVENT, (MAX_EVENTS,)),
        ("event_words", "<i8", (MAX_EVENTS, EVENT.itemsize // 8)),
    ]
    names: list[str] = []
    formats: list[np.dtype[Any]] = []
    offsets: list[int] = []
    end = 0
    for name, *shape in tables:
        field = np.dtype(tuple(shape)) if len(shape) > 1 else np.dtype(shape[0])
        page = next((size for size in (HUGE_PAGE, PAGE) if field.itemsize > size), 1)
        offset = -(-end // page) * page
        offset = offsets[-1] if name == "event_words" else offset
        names.append(name)
        formats.append(field)
        offsets.append(offset)
        end = offset + field.itemsize
    return np.dtype((np.record, {"names": names, "formats": formats, "offsets": offsets, "itemsize": end}))


ARENA: Final = _arena_dtype()


def zero_pages(dtype: np.dtype[Any], count: int, more: int = 0) -> NDArray[Any]:
    """`count` zeroed items, and `more` bytes, in memory of their own that costs nothing until it is written."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0)
    memory = mmap.mmap(-1, dtype.itemsize * count + more, flags=flags)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, dtype, count)


def event_batch(venue: Venue) -> int:
    """After how many events a call ends: the worst single command where orders show all that they have, and 1,024."""
    capacity = venue.capacity
    settlement = capacity.accounts * (2 * len(venue.assets) + len(venue.currencies))
    ended = 3 * capacity.bids + capacity.negotiations + capacity.auctions
    return 2 * capacity.orders + ended + settlement + 8 * len(venue.instruments) + 1_024


def event_limit(venue: Venue) -> int:
    """Size of the event buffer: room for the worst single command, and 1,024 more."""
    further = 0
    for instrument in venue.instruments:
        further |= further_rules(instrument)
    limit = event_batch(venue) + (FURTHER_EVENTS if further else 0)
    if further & STOPS:
        limit += STOP_EVENTS * venue.capacity.orders
    return limit + (ICEBERG_EVENTS * venue.capacity.icebergs if further & VEILED else 0)


def event_buffer(arena: Arena) -> NDArray[Any]:
    """The events of an arena. Compiled code may write past those that ARENA names: NumPy's offsets end at 2^31."""
    count = max(MAX_EVENTS, int(arena["event_limit"][0]))
    memory: Any = arena.base
    return np.frombuffer(memory, EVENT, count, ARENA.fields["events"][1])  # type: ignore[index]


def new_arena(venue: Venue) -> Arena:
    """An arena of one record holding the venue's rules and nothing else."""
    limit = event_limit(venue)
    arena = zero_pages(ARENA, 1, max(0, limit - MAX_EVENTS) * EVENT.itemsize)
    s = arena[0]
    s.event_limit = limit
    s.event_batch = event_batch(venue)
    s.further_events = FURTHER_EVENTS if any(map(further_rules, venue.instruments)) else 0
    s.index_mask = min(INDEX_SIZE, 1 << (2 * venue.capacity.orders).bit_length()) - 1
    s.prefunded = venue.prefunded
    s.open_from_start = venue.open_from_start
    s.self_trade = venue.self_trade_mode
    s.take_levels = venue.sweep_levels
    s.sweep_levels = 0 if venue.depth_remainder == "RESWEEP" else venue.sweep_levels
    s.cross_reject = venue.cross_policy == "REJECT"
    s.rest_at_last = venue.depth_remainder == "REST_AT_LAST"
    s.take_offered = venue.take
    s.click_strict = venue.click_strict
    s.break_cancel = venue.break_cancel
    s.next_day_units = venue.settlement_days
    s.withdraw_next_day = venue.withdraw_after == "EOD"
    s.composite_rule = venue.composite != "NONE"
    s.composite_mean_until = date_number(venue.composite_mean_until)
    s.auction_price_rule = AuctionPrice[venue.auction_price]
    s.auction_tie = AuctionTie[venue.auction_tie]
    s.auction_short = AuctionShort[venue.auction_short]
    s.auction_secondary = AuctionSecondary[venue.auction_secondary]
    s.auction_carry_over = venue.auction_carry_over
    s.auction_carry_cap_bps = venue.auction_carry_cap_bps
    s.auction_notice_days = venue.auction_notice_days
    s.auction_freeze_days = venue.auction_freeze_days
    s.bid_keeps_time = venue.bid_amend == "KEEPS_TIME"
    s.settlement_ack = venue.settlement_ack
    s.offset_limit_bps = venue.offset_limit_bps
    s.carry_over_base = venue.carry_over_base
    s.carry_over_factor_bps = venue.carry_over_factor_bps
    for terms in venue.asset_terms:
        s.asset_kinds[venue.asset_id(terms.asset)] = AssetKind[terms.kind]
        s.surrender_until[venue.asset_id(terms.asset)] = terms.surrender_until
    s.negotiation_capacity = venue.capacity.negotiations
    s.auction_capacity = venue.capacity.auctions
    s.bid_capacity = venue.capacity.bids
    s.hold_capacity = venue.capacity.holds
    s.obligation_capacity = venue.capacity.obligations
    s.order_capacity = venue.capacity.orders
    s.iceberg_capacity = venue.capacity.icebergs
    s.account_capacity = venue.capacity.accounts
    s.firm_capacity = venue.capacity.firms
    s.session_capacity = venue.capacity.sessions
    s.instruments = len(venue.instruments)
    s.assets = len(venue.assets)
    s.currencies = len(venue.currencies)
    s.columns = len(venue.currencies) + len(venue.assets)
    s.sessions[0].status = Status.ACTIVE  # the venue itself
    s.day_stage = DayStage.OPEN if venue.open_from_start else DayStage.SETTLED
    for number, instrument in enumerate(venue.instruments, 1):
        _fill_book(s.books[number], number, venue, instrument)
        s.auction_bounds[number] = auction_bounds(instrument)
    return arena


def _fill_book(book: Any, number: int, venue: Venue, instrument: Instrument) -> None:
    book.best[:] = (0, NO_ASK)
    for name in ("price_step", "quantity_step", "quantity_min", "quantity_max", "tick_value", "units_per_lot"):
        setattr(book, name, getattr(instrument, name))
    for name in ("fee_ppm", "limit_listed_bps", "limit_block_bps", "in_composite"):
        setattr(book, name, getattr(instrument, name))
    for name in ("block_min", "block_max", "auction_min", "auction_step", "auction_bid_max"):
        setattr(book, name, getattr(instrument, name))
    book.auctioned = instrument.auction
    book.auction_reserve_bound = instrument.auction_reserve == "CLOSE_OR_LOWER_LIMIT"
    book.auction_cap_bound = instrument.auction_cap == "UPPER_LIMIT"
    book.asset = venue.asset_id(instrument.asset)
    book.floor, book.ceiling = instrument.floor_ticks, instrument.ceiling_ticks
    book.quantity_cap = quantity_cap(instrument)
    first = 2 * MAX_WINDOW * number - book.floor
    book.ladder[:] = (first, first + MAX_WINDOW)
    cash_column = max(0, venue.currency_id(instrument.currency) - 1)
    book.lock_column[:] = (cash_column, asset_column(venue, venue.asset_id(instrument.asset)))
    book.lock_per_tick[:] = (instrument.tick_value, 0)
    book.lock_per_lot[:] = (0, instrument.units_per_lot)
    book.currency = venue.currency_id(instrument.currency)
    book.listed_from = instrument.listed_from_date
    book.previous_close = instrument.previous_close_ticks
    book.has_limit = instrument.limit_listed_bps > 0
    book.close_is_vwap = instrument.close == "VWAP"
    book.close_is_last5 = instrument.close == "LAST5"
    book.call_is_t7 = instrument.call_rule == "T7"
    book.corridor_dynamic_bps = instrument.corridor_dynamic_bps
    book.corridor_static_bps = instrument.corridor_static_bps
    book.further = further_rules(instrument)
    types = sum(1 << OrderType[name.upper()] for name in instrument.order_types)
    times = sum(1 << TimeInForce[name.upper()] for name in instrument.times_in_force)
    flags = OrderFlag.POST_ONLY * instrument.post_only | OrderFlag.HIDDEN * instrument.hidden
    book.offers = types | times << 8 | flags << 16
    if venue.open_from_start:
        book.phases[1] = Phase.CONTINUOUS


def further_rules(instrument: Instrument) -> int:
    """Bits of a book's `further`."""
    rules = {
        STOPS: any(name.startswith("stop") for name in instrument.order_types),
        VEILED: instrument.hidden or any(name.endswith("iceberg") for name in instrument.order_types),
        MEDIAN: instrument.price_rule == "MEDIAN3",
        LAST5: instrument.close == "LAST5",
        CALLS: instrument.call_auction,
        CORRIDOR: instrument.corridor_dynamic_bps > 0 or instrument.corridor_static_bps > 0,
        QUOTES: instrument.quotes,
    }
    return sum(bit for bit, given in rules.items() if given)


def asset_column(venue: Venue, asset: int) -> int:
    """Where an asset's balance stands in an account's row."""
    return len(venue.currencies) + max(0, asset - 1)


def quantity_cap(instrument: Instrument) -> int:
    """Most lots q with X + fee(X) < 2^62, X = ceiling x q x tick_value (may exceed every possible quantity)."""
    per_lot = instrument.ceiling_ticks * instrument.tick_value
    low, high = 0, (1 << 62) // per_lot
    while low < high:
        middle = (low + high + 1) // 2
        amount = middle * per_lot
        fee = (2 * amount * instrument.fee_ppm + 1_000_000) // 2_000_000
        low, high = (middle, high) if amount + fee < 1 << 62 else (low, middle - 1)
    return low


__all__ = [
    "ARENA",
    "BASIS_POINTS",
    "INDEX_SIZE",
    "MAX_EVENTS",
    "NO_ASK",
    "SIDES",
    "Arena",
    "event_buffer",
    "event_limit",
    "new_arena",
    "quantity_cap",
]
