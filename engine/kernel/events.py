"""Writing event records into the arena's buffer; `c` is the command being applied.

An event is written once, as sixteen words: blanking it first and then storing its fields one by one fills the
processor's store queue.
"""

import numpy as np

from engine.kernel.compiler import U, plain, rare, small
from engine.schema import EventKind, Mode


@small
def two(low, high):
    """Two 32-bit fields as one word."""
    return (np.int64(low) & 0xFFFFFFFF) | np.int64(high) << 32


@small
def write_event(
    s,
    c,
    kind,
    reason,
    side,
    phase,
    aggressor,
    instrument,
    price,
    quantity,
    account,
    contra_account,
    order_id,
    contra_order_id,
    client_order_id,
    contra_client_order_id,
    remaining,
    contra_remaining,
    aux,
    aux2,
    session,
    contra_session,
):
    """Append one event: its sequence is the next one, command sequence and timestamp are the command's, flags zero."""
    at, sequence = U(s.event_count), s.event_sequence + 1
    command_sequence, timestamp = c.sequence, c.timestamp  # read before anything is written: neighbours move together
    s.event_count += 1
    s.event_sequence = sequence
    small_fields = np.int64(kind) | np.int64(side) << 8 | np.int64(phase) << 16 | np.int64(aggressor) << 24
    s.event_words[at, 0] = small_fields | np.int64(reason) << 32
    s.event_words[at, 1] = sequence
    s.event_words[at, 2] = command_sequence
    s.event_words[at, 3] = timestamp
    s.event_words[at, 4] = two(instrument, price)
    s.event_words[at, 5] = quantity
    s.event_words[at, 6] = two(account, contra_account)
    s.event_words[at, 7] = order_id
    s.event_words[at, 8] = contra_order_id
    s.event_words[at, 9] = client_order_id
    s.event_words[at, 10] = contra_client_order_id
    s.event_words[at, 11] = remaining
    s.event_words[at, 12] = contra_remaining
    s.event_words[at, 13] = aux
    s.event_words[at, 14] = aux2
    s.event_words[at, 15] = two(session, contra_session)


@small
def listed_phase(s, instrument):
    return s.books[U(instrument)].phases[Mode.LISTED]


@small
def rejected(s, c, reason):
    phase = listed_phase(s, c.instrument) if 0 < c.instrument <= s.instruments else np.int64(0)
    write_event(
        s, c, EventKind.REJECTED, reason, c.side, phase, 0, c.instrument, c.price, c.quantity, c.account, 0,
        0, 0, c.client_order_id, 0, 0, 0, c.kind, c.target, c.session, 0,
    )  # fmt: skip


@small
def refused(s, c, reason):
    """As `rejected`, with what the check that failed noted in `refusal`."""
    phase = listed_phase(s, c.instrument) if 0 < c.instrument <= s.instruments else np.int64(0)
    write_event(
        s, c, EventKind.REJECTED, reason, c.side, phase, 0, c.instrument, c.price, c.quantity, c.account, 0,
        0, 0, c.client_order_id, 0, s.refusal, 0, c.kind, c.target, c.session, 0,
    )  # fmt: skip
    s.refusal = 0


@small
def accepted(s, c, phase, price, terms, locked):
    """Of the order that has just been written, which has the last number given; `terms` as `book.write_order` packed
    them."""
    write_event(
        s, c, EventKind.ACCEPTED, 0, c.side, phase, 0, c.instrument, price, c.quantity,
        c.account, 0, s.last_order_id, 0, c.client_order_id, 0, c.quantity, 0,
        locked, terms, c.session, 0,
    )  # fmt: skip


@plain
def quoted(s, c, order, locked):
    """ACCEPTED of one side of a quote."""
    terms = np.int64(order.order_type) | np.int64(order.time_in_force) << 8 | np.int64(order.self_trade) << 16
    write_event(
        s, c, EventKind.ACCEPTED, 0, order.side, listed_phase(s, order.instrument), 0, order.instrument, order.price,
        order.quantity, order.account, 0, order.order_id, 0, order.client_order_id, 0, order.remaining, 0,
        locked, terms | np.int64(c["flags"]) << 24, c.session, 0,
    )  # fmt: skip


@plain
def triggered(s, c, order, stop_price, last):
    write_event(
        s, c, EventKind.TRIGGERED, 0, order.side, listed_phase(s, order.instrument), 0, order.instrument, order.price,
        order.quantity, order.account, 0, order.order_id, 0, order.client_order_id, 0, order.remaining, 0,
        last, stop_price, order.session, 0,
    )  # fmt: skip


@plain
def refreshed(s, c, order, visible):
    write_event(
        s, c, EventKind.REFRESHED, 0, order.side, listed_phase(s, order.instrument), 0, order.instrument, order.price,
        visible, order.account, 0, order.order_id, 0, order.client_order_id, 0, order.remaining, 0,
        0, 0, order.session, 0,
    )  # fmt: skip


@plain
def call_uncrossed(s, c, instrument, price, lots, demand, supply, reference):
    write_event(
        s, c, EventKind.CALL_UNCROSSED, 0, 0, listed_phase(s, instrument), 0, instrument, price, lots, 0, 0,
        0, 0, c.client_order_id, 0, demand, supply, reference, 0, c.session, 0,
    )  # fmt: skip


@small
def between(s, c, kind, taker, maker, price, lots, aux, aux2):
    """TRADE or DECREMENTED: one event that names both sides; both remainders are already reduced."""
    write_event(
        s, c, kind, 0, taker.side, listed_phase(s, taker.instrument), taker.side, taker.instrument, price, lots,
        taker.account, maker.account, taker.order_id, maker.order_id, taker.client_order_id, maker.client_order_id,
        taker.remaining, maker.remaining, aux, aux2, taker.session, maker.session,
    )  # fmt: skip


@plain
def between_resting(s, c, buyer, seller, price, lots, released):
    """TRADE of a call: nobody is the aggressor, the buyer stands first."""
    write_event(
        s, c, EventKind.TRADE, 0, 0, listed_phase(s, buyer.instrument), 0, buyer.instrument, price, lots,
        buyer.account, seller.account, buyer.order_id, seller.order_id, buyer.client_order_id, seller.client_order_id,
        buyer.remaining, seller.remaining, released, 0, buyer.session, seller.session,
    )  # fmt: skip


@small
def fee_charged(s, c, buyer, seller, price, lots, buyer_fee, seller_fee):
    """FEE: buyer first, whoever was the aggressor."""
    write_event(
        s, c, EventKind.FEE, 0, 0, listed_phase(s, buyer.instrument), 0, buyer.instrument, price, lots,
        buyer.account, seller.account, buyer.order_id, seller.order_id, buyer.client_order_id, seller.client_order_id,
        0, 0, buyer_fee, seller_fee, buyer.session, seller.session,
    )  # fmt: skip


@small
def ended(s, c, kind, reason, order, released):
    """CANCELLED or EXPIRED: what was left of an order is gone; `released` is its lock."""
    instrument, k, price = np.int64(order.instrument), np.int64(order.side) - 1, np.int64(order.price)
    ended_at(s, c, kind, reason, order, instrument, k, price, listed_phase(s, instrument), released)


@small
def ended_at(s, c, kind, reason, order, instrument, k, price, phase, released):
    """As `ended`; the caller has the order's instrument, side and price at hand, and the phase."""
    write_event(
        s, c, kind, reason, k + 1, phase, 0, instrument, price,
        order.remaining, order.account, 0, order.order_id, 0, order.client_order_id, c.client_order_id,
        0, 0, released, 0, order.session, c.session,
    )  # fmt: skip


@small
def replaced(s, c, order, locked, kept_priority):
    write_event(
        s, c, EventKind.REPLACED, 0, order.side, listed_phase(s, order.instrument), 0, order.instrument, order.price,
        order.quantity, order.account, 0, order.order_id, 0, order.client_order_id, c.client_order_id,
        order.remaining, 0, locked, kept_priority, order.session, c.session,
    )  # fmt: skip


@rare
def counted(s, c, kind, count, aux, aux2, reason):
    """A summary event: MASS_CANCELLED, ORDERS_EXPIRED, TRADING_STOPPED, SETTLED, SESSION_DOWN, ..."""
    write_event(
        s, c, kind, reason, 0, 0, 0, 0, 0, count, 0, 0, 0, 0, c.client_order_id, 0, 0, 0, aux, aux2, c.session, 0
    )  # fmt: skip


@rare
def about_account(s, c, kind, account, aux, aux2, quantity):
    write_event(
        s, c, kind, 0, 0, 0, 0, 0, 0, quantity, account, 0, 0, 0, c.client_order_id, 0, 0, 0, aux, aux2, c.session, 0
    )  # fmt: skip


@rare
def limits_set(s, c, instrument):
    book = s.books[instrument]
    write_event(
        s, c, EventKind.LIMITS_SET, 0, 0, listed_phase(s, instrument), 0, instrument, book.previous_close, 0, 0, 0,
        0, 0, c.client_order_id, 0, book.block_down, book.block_up, book.limit_down, book.limit_up, c.session, 0,
    )  # fmt: skip


@rare
def phase_changed(s, c, instrument, mode, phase, previous, frozen):
    """`frozen` = 1: the call takes no cancels any more."""
    write_event(
        s, c, EventKind.PHASE_CHANGED, 0, mode, phase, 0, instrument, 0, frozen, 0, 0,
        0, 0, c.client_order_id, 0, 0, 0, s.trading_date, previous, c.session, 0,
    )  # fmt: skip


@plain
def close_fixed(s, c, instrument):
    book = s.books[instrument]
    first = book.open if book.volume > 0 else book.previous_close
    write_event(
        s, c, EventKind.CLOSE_FIXED, 0, 0, listed_phase(s, instrument), 0, instrument, book.close, book.volume, 0, 0,
        book.trades, book.turnover_high, c.client_order_id, 0, first, book.high, book.turnover, book.low, c.session, 0,
    )  # fmt: skip


@plain
def composite_fixed(s, c):
    write_event(
        s, c, EventKind.COMPOSITE_FIXED, 0, 0, 0, 0, 0, s.composite, 0, 0, 0,
        0, 0, c.client_order_id, 0, 0, 0, s.trading_date, 0, c.session, 0,
    )  # fmt: skip


@plain
def clock_anchored(s, c):
    write_event(
        s, c, EventKind.CLOCK_ANCHORED, 0, 0, 0, 0, 0, 0, c.quantity, 0, 0,
        0, 0, c.client_order_id, 0, c.quantity2, 0, c.target, c.expiry, c.session, 0,
    )  # fmt: skip
