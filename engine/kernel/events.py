"""Writing event records into the arena's buffer; `c` is the command being applied."""

import numpy as np

from engine.kernel.compiler import plain, small
from engine.schema import EventKind, Mode, Side


@small
def new_event(s, c, kind):
    """A blank event with the fields that every event has."""
    at = s.event_count
    for i in range(16):
        s.event_words[at, i] = 0
    s.event_count = at + 1
    s.event_sequence += 1
    e = s.events[at]
    e.kind = kind
    e.sequence = s.event_sequence
    e.command_sequence = c.sequence
    e.timestamp = c.timestamp
    e.session = c.session
    e.client_order_id = c.client_order_id
    return e


@small
def in_book(s, e, instrument):
    e.instrument = instrument
    e.phase = s.books[instrument].phases[Mode.LISTED]


@small
def about_order(s, e, order):
    """The fields that name an order and its owner."""
    in_book(s, e, order.instrument)
    e.side = order.side
    e.account = order.account
    e.order_id = order.order_id
    e.client_order_id = order.client_order_id
    e.session = order.session


@plain
def rejected(s, c, kind, reason):
    e = new_event(s, c, kind)
    e.reason = reason
    e.side = c.side
    e.instrument = c.instrument
    if 0 < c.instrument <= s.instruments:
        e.phase = s.books[c.instrument].phases[Mode.LISTED]
    e.account = c.account
    e.price = c.price
    e.quantity = c.quantity
    e.aux = c.kind
    e.aux2 = c.target


@small
def accepted(s, c, order, locked):
    e = new_event(s, c, EventKind.ACCEPTED)
    about_order(s, e, order)
    e.price = order.price
    e.quantity = order.quantity
    e.remaining = order.remaining
    e.aux = locked
    e.aux2 = (
        np.int64(order.order_type)
        | np.int64(order.time_in_force) << 8
        | np.int64(order.self_trade) << 16
        | np.int64(order["flags"]) << 24
    )


@small
def between(s, c, kind, taker, maker, lots):
    """TRADE or DECREMENTED: one event that names both sides; both remainders are already reduced."""
    e = new_event(s, c, kind)
    about_order(s, e, taker)
    e.aggressor = taker.side
    e.price = maker.price
    e.quantity = lots
    e.contra_account = maker.account
    e.contra_order_id = maker.order_id
    e.contra_client_order_id = maker.client_order_id
    e.remaining = taker.remaining
    e.contra_remaining = maker.remaining
    e.contra_session = maker.session
    return e


@small
def fee_charged(s, c, taker, maker, price, lots, taker_fee, maker_fee):
    """FEE: buyer first, whoever was the aggressor."""
    e = new_event(s, c, EventKind.FEE)
    if taker.side == Side.BUY:
        buyer, seller, buyer_fee, seller_fee = taker, maker, taker_fee, maker_fee
    else:
        buyer, seller, buyer_fee, seller_fee = maker, taker, maker_fee, taker_fee
    in_book(s, e, taker.instrument)
    e.price = price
    e.quantity = lots
    e.account = buyer.account
    e.order_id = buyer.order_id
    e.client_order_id = buyer.client_order_id
    e.session = buyer.session
    e.contra_account = seller.account
    e.contra_order_id = seller.order_id
    e.contra_client_order_id = seller.client_order_id
    e.contra_session = seller.session
    e.aux = buyer_fee
    e.aux2 = seller_fee


@small
def ended(s, c, kind, reason, order, released):
    """CANCELLED or EXPIRED: what was left of an order is gone; `released` is its lock."""
    e = new_event(s, c, kind)
    about_order(s, e, order)
    e.reason = reason
    e.price = order.price
    e.quantity = order.remaining
    e.contra_client_order_id = c.client_order_id
    e.contra_session = c.session
    e.aux = released


@small
def replaced(s, c, order, locked, kept_priority):
    e = new_event(s, c, EventKind.REPLACED)
    about_order(s, e, order)
    e.price = order.price
    e.quantity = order.quantity
    e.remaining = order.remaining
    e.contra_client_order_id = c.client_order_id
    e.contra_session = c.session
    e.aux = locked
    e.aux2 = kept_priority


@plain
def counted(s, c, kind, count, aux, aux2, reason):
    """A summary event: MASS_CANCELLED, ORDERS_EXPIRED, TRADING_STOPPED, SETTLED, SESSION_DOWN, ..."""
    e = new_event(s, c, kind)
    e.quantity = count
    e.aux = aux
    e.aux2 = aux2
    e.reason = reason


@plain
def about_account(s, c, kind, account, aux, aux2, quantity):
    e = new_event(s, c, kind)
    e.account = account
    e.aux = aux
    e.aux2 = aux2
    e.quantity = quantity


@plain
def limits_set(s, c, instrument):
    book = s.books[instrument]
    e = new_event(s, c, EventKind.LIMITS_SET)
    in_book(s, e, instrument)
    e.price = book.previous_close
    e.aux = book.limit_down
    e.aux2 = book.limit_up
    e.remaining = book.block_down
    e.contra_remaining = book.block_up


@plain
def phase_changed(s, c, instrument, mode, phase, previous):
    e = new_event(s, c, EventKind.PHASE_CHANGED)
    e.instrument = instrument
    e.phase = phase
    e.side = mode
    e.aux = s.trading_date
    e.aux2 = previous


@plain
def close_fixed(s, c, instrument):
    book = s.books[instrument]
    e = new_event(s, c, EventKind.CLOSE_FIXED)
    in_book(s, e, instrument)
    e.price = book.close
    e.quantity = book.volume
    e.remaining = book.open if book.volume > 0 else book.previous_close
    e.contra_remaining = book.high
    e.aux2 = book.low
    e.aux = book.turnover
    e.contra_order_id = book.turnover_high
    e.order_id = book.trades
