"""Instruments come, go and widen their price window, also in session."""

import numpy as np

from engine.arena import SIDES
from engine.kernel.admission import check_role, is_listed, set_bounds
from engine.kernel.bitmap import NOTHING, highest, next_below, occupy, vacate
from engine.kernel.compiler import plain, rare, small
from engine.kernel.day import LAST_DATE, MODES, set_limits
from engine.kernel.events import limits_set, listed_phase, write_event
from engine.kernel.ledger import fee_on
from engine.schema import EventKind, Phase, Reason
from engine.venue import MAX_WINDOW

MONEY_END = 1 << 62


@plain
def check_instrument(s, c):
    reason = check_role(s, c)
    if reason == Reason.NONE and (c.instrument < 1 or c.instrument > s.instruments):
        reason = Reason.UNKNOWN_INSTRUMENT
    return reason


@plain
def quantity_cap(book):
    """Most lots q with X + fee(X) < 2^62, X = ceiling x q x tick_value: `arena.quantity_cap` in int64."""
    per_lot = book.ceiling * book.tick_value
    low, high = np.int64(0), MONEY_END // per_lot
    while low < high:
        middle = low + (high - low + 1) // 2
        amount = middle * per_lot
        if amount < MONEY_END and fee_on(amount, book.fee_ppm) < MONEY_END - amount:
            low = middle
        else:
            high = middle - 1
    return low


@rare
def fit_window(s, instrument):
    """What follows from an instrument's floor and ceiling, as `arena` computes it for those of the venue file."""
    book = s.books[instrument]
    for k in range(2):
        book.ladder[k] = (2 * instrument + k) * MAX_WINDOW - book.floor
    book.quantity_cap = quantity_cap(book)
    set_bounds(book)


@plain
def widen_window(s, c):
    """Positions count from the floor: where it falls, the queues of all prices move up."""
    reason = check_instrument(s, c)
    if reason != Reason.NONE:
        return reason
    book = s.books[c.instrument]
    floor, ceiling = np.int64(c.price), np.int64(c.price2)
    if floor < 1 or floor > book.floor or ceiling < book.ceiling:
        return Reason.INVALID_PRICE
    if ceiling - floor >= MAX_WINDOW:
        return Reason.PRICE_OUT_OF_WINDOW
    before_floor, before_ceiling = book.floor, book.ceiling
    for k in range(SIDES):
        move_levels(s, c.instrument, k, before_floor - floor)
    book.floor = floor
    book.ceiling = ceiling
    fit_window(s, c.instrument)
    write_event(
        s, c, EventKind.WINDOW_SET, 0, 0, listed_phase(s, c.instrument), 0, c.instrument, 0, 0, 0, 0,
        0, 0, c.client_order_id, 0, before_floor, before_ceiling, floor, ceiling, c.session, 0,
    )  # fmt: skip
    return Reason.NONE


@plain
def move_levels(s, instrument, k, up):
    """Every queue of one side goes `up` positions higher: the highest first, so that none meets another. Those of the
    stop book (sides 2 and 3) are found by their prices, which stay."""
    lowest_level = s.books[instrument].ladder[k % 2] + s.books[instrument].floor
    position = highest(s, instrument, k)
    while up > 0 and position != NOTHING:
        below = next_below(s, instrument, k, position)
        if k < 2:
            move_level(s, lowest_level + position, lowest_level + position + up)
        vacate(s, instrument, k, position)
        occupy(s, instrument, k, position + up)
        position = below


@small
def move_level(s, source, to):
    old, new = s.levels[source], s.levels[to]
    new.head = old.head
    new.tail = old.tail
    new.quantity = old.quantity
    old.head = 0
    old.tail = 0
    old.quantity = 0


@plain
def list_instrument(s, c):
    reason = check_instrument(s, c)
    if reason != Reason.NONE:
        return reason
    if c.expiry < 1 or c.expiry > LAST_DATE or c.expiry < s.trading_date:
        return Reason.INVALID_DATE
    book = s.books[c.instrument]
    if is_listed(s, book, s.trading_date):
        return Reason.ALREADY_LISTED
    if c.price < 0:
        return Reason.INVALID_PRICE
    if c.price > 0 and (c.price < book.floor or c.price > book.ceiling):
        return Reason.PRICE_OUT_OF_WINDOW
    book.listed_from = c.expiry
    book.listed_until = 0
    if c.price > 0:
        book.previous_close = c.price
    elif book.previous_close == 0 and (book.limit_listed_bps > 0 or book.limit_block_bps > 0):
        book.previous_close = s.composite
    set_limits(book)
    for mode in range(1, MODES + 1):
        book.phases[mode] = Phase.CLOSED
    book.call_frozen = 0
    write_event(
        s, c, EventKind.INSTRUMENT_LISTED, 0, 0, Phase.CLOSED, 0, c.instrument, book.previous_close, 0, 0, 0,
        0, 0, c.client_order_id, 0, 0, 0, c.expiry, 0, c.session, 0,
    )  # fmt: skip
    if book.previous_close > 0:
        limits_set(s, c, c.instrument)
    return Reason.NONE


@plain
def delist_instrument(s, c):
    reason = check_instrument(s, c)
    if reason != Reason.NONE:
        return reason
    book = s.books[c.instrument]
    if not is_listed(s, book, s.trading_date):
        return Reason.NOT_LISTED
    if s.trading_date == 0 or c.expiry < s.trading_date or c.expiry > LAST_DATE:
        return Reason.INVALID_DATE
    book.listed_until = c.expiry
    write_event(
        s, c, EventKind.INSTRUMENT_DELISTED, 0, 0, listed_phase(s, c.instrument), 0, c.instrument, 0, 0, 0, 0,
        0, 0, c.client_order_id, 0, 0, 0, c.expiry, 0, c.session, 0,
    )  # fmt: skip
    return Reason.NONE
