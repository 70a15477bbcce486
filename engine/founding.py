"""The arena of one venue: memory for it, and the venue's rules written into it."""

from __future__ import annotations

import contextlib
import mmap
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.arena import ARENA, FURTHER_EVENTS, ICEBERG_EVENTS, INDEX_SIZE, MAX_EVENTS, NO_ASK, STOP_EVENTS, Arena
from engine.layout import CALLS, CORRIDOR, LAST5, LEVEL, MEDIAN, QUOTES, STOPS, VEILED, auction_bounds
from engine.schema import (
    EVENT,
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
from engine.venue import FIRST_YEAR, MAX_WINDOW, Instrument, Venue, date_number

MADV_POPULATE_WRITE: Final = 23
"""Of Linux from 5.14 on: hand out pages that may be written, leave what is in them."""
EVENTS_TOUCHED: Final = 1 << 16
"""Of the event buffer, whose rest only mass cancels and ends of day reach."""
WINDOWS_TOUCHED: Final = 256 << 20
"""Bytes of price levels at most; the windows of hundreds of instruments are wide and hardly used."""


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
    ended = 3 * capacity.bids + capacity.negotiations + capacity.auctions + capacity.obligations
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


def touch(arena: Arena) -> None:
    """Have the operating system hand out, now, the memory that trading up to the venue's capacities will write.

    It hands out memory when it is first written, a large page at a time: up to a millisecond each, in the middle of a
    trading day.
    """
    s = arena[0]
    books = s["books"][1 : s["instruments"] + 1]
    orders, accounts = int(s["order_capacity"]) + 1, int(s["account_capacity"]) + 1
    written: list[tuple[str, int, int]] = [
        ("books", 0, len(books) + 1),
        ("bits2", 0, len(books) + 1),
        ("bits1", 0, len(books) + 1),
        ("bits0", 0, len(books) + 1),
        ("sessions", 0, int(s["session_capacity"]) + 1),
        ("accounts", 0, accounts),
        ("balances", 0, accounts * int(s["columns"])),
        ("free_slots", 0, orders),
        ("orders", 0, orders),
        ("events", 0, EVENTS_TOUCHED),
        *(("index", half * INDEX_SIZE, int(s["index_mask"]) + 1) for half in (0, 1)),
    ]
    windows = [int(book["ceiling"] - book["floor"]) + 1 for book in books]
    if 2 * sum(windows) * LEVEL.itemsize <= WINDOWS_TOUCHED:
        for book, window in zip(books, windows, strict=True):
            written += [("levels", int(first + book["floor"]), window) for first in book["ladder"]]
    for name, first, count in written:
        field, offset = ARENA.fields[name][:2]  # type: ignore[index]
        item = field.itemsize // (field.shape or (1,))[0]
        populate(arena, offset + first * item, count * item)


def populate(block: NDArray[Any], start: int, count: int) -> None:
    """Have bytes of a block of `zero_pages` handed out, as they are. An older system hands them out when written."""
    memory: Any = block.base.obj  # type: ignore[union-attr]
    aligned = start // mmap.PAGESIZE * mmap.PAGESIZE
    with contextlib.suppress(OSError):
        memory.madvise(MADV_POPULATE_WRITE, aligned, start + count - aligned)


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
    s.accounts_per_firm = venue.accounts_per_firm
    s.transfers_closed = bool(venue.calendar.transfer_windows)
    for terms in venue.asset_terms:
        s.asset_kinds[venue.asset_id(terms.asset)] = AssetKind[terms.kind]
        s.surrender_until[venue.asset_id(terms.asset)] = terms.surrender_until
    for dates in venue.compliance_years:
        s.allocation_by[dates.year - FIRST_YEAR] = date_number(dates.allocation_by) if dates.allocation_by else 0
        s.surrender_by[dates.year - FIRST_YEAR] = date_number(dates.surrender_by) if dates.surrender_by else 0
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


__all__ = ["event_batch", "event_buffer", "event_limit", "new_arena", "populate", "quantity_cap", "touch", "zero_pages"]
