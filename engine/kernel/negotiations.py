"""Negotiations of block trades as a register: who is locked for what, how they end, what is told of them.

Source: SEEE notice of 2021-06-22 (dialogue until both confirm price and quantity).
"""

import numpy as np

from engine.kernel.compiler import plain, small
from engine.kernel.events import listed_phase, write_event
from engine.kernel.ledger import balance_of, lock_for
from engine.kernel.registers import compact, used_after
from engine.schema import EventKind, Reason


@small
def lock_of_terms(s, book, side, price, lots):
    """What terms need locked, as an order that has not traded yet; 0 on a venue that does not pre-fund."""
    return lock_for(book, side, np.int64(0), price, lots) if s.prefunded else np.int64(0)


@small
def move_terms_lock(s, book, account, side, amount):
    """Lock `amount` more of what the side needs (negative: release)."""
    if s.prefunded:
        balance = balance_of(s, book, account, side)
        balance.free -= amount
        balance.locked += amount


@plain
def room_for_negotiation(s):
    """Whether there is a free row. May move rows, which nobody can tell from outside."""
    if s.negotiations_used >= s.negotiation_capacity:
        s.negotiations_used = compact(s.negotiations, s.negotiations_used)
    return s.negotiations_used < s.negotiation_capacity


@plain
def offered(s, c, row, answers):
    """BLOCK_OFFERED: new terms stand; `answers` is the public negotiation that they answer, or 0."""
    n = s.negotiations[row]
    write_event(
        s, c, EventKind.BLOCK_OFFERED, 0, n.side, listed_phase(s, n.instrument), 0, n.instrument, n.price, n.quantity,
        n.account, n.counterparty, n.id, answers, c.client_order_id, 0, n.quantity, 0, n.locked, n.expiry, c.session, 0,
    )  # fmt: skip


@plain
def countered(s, c, row, released, session, client_order_id):
    """BLOCK_COUNTERED: `released` went back to the other account; session and number of the terms before."""
    n = s.negotiations[row]
    write_event(
        s, c, EventKind.BLOCK_COUNTERED, 0, n.side, listed_phase(s, n.instrument), 0, n.instrument, n.price, n.quantity,
        n.account, n.counterparty, n.id, 0, c.client_order_id, client_order_id, n.quantity, 0,
        n.locked, released, c.session, session,
    )  # fmt: skip


@plain
def end_negotiation(s, c, row, reason):
    """The lock of the terms that stand is released and one BLOCK_ENDED tells so. `row` is live before, dead after."""
    n = s.negotiations[row]
    released = n.locked
    move_terms_lock(s, s.books[n.instrument], n.account, n.side, -released)
    write_event(
        s, c, EventKind.BLOCK_ENDED, reason, n.side, listed_phase(s, n.instrument), 0, n.instrument, n.price,
        n.quantity, n.account, n.counterparty, n.id, 0, n.client_order_id, c.client_order_id, 0, 0,
        released, 0, n.session, c.session,
    )  # fmt: skip
    forget(s, row)


@small
def forget(s, row):
    """The negotiation is gone; its lock has been released or spent."""
    s.negotiations[row].quantity = 0
    s.negotiations_used = used_after(s.negotiations, s.negotiations_used)


@plain
def end_all_negotiations(s, c):
    """The end of the day, by id."""
    for row in range(1, s.negotiations_used + 1):
        if s.negotiations[row].quantity > 0:
            end_negotiation(s, c, row, Reason.END_OF_DAY)
