"""Finding live orders: by their id, by their session's number, and the two orders of an account's quote.

The indexes are short chains through the orders themselves. Neighbouring numbers have neighbouring heads, because orders
that arrive together tend to leave together; a new number that meets an old one's head only makes a chain of two.
"""

import numpy as np

from engine.arena import INDEX_SIZE
from engine.kernel.compiler import U, plain, rare, small
from engine.layout import QUOTE_CELLS

BY_ORDER_ID = 0
BY_CLIENT_ID = 1
SPREAD = 508_111
"""Keeps the numbers of any two of up to 10,000 sessions far apart in an index of any size."""


@small
def home_of(s, which, session, number):
    """Which chain a key belongs to: an order id (BY_ORDER_ID, session 0), or a session's number (BY_CLIENT_ID)."""
    return U((number + np.int64(session) * SPREAD & s.index_mask) + which * INDEX_SIZE)


@small
def chain_by_id(s, order_id):
    return s.index[home_of(s, BY_ORDER_ID, 0, order_id)]


@small
def chain_by_client(s, session, client_order_id):
    return s.index[home_of(s, BY_CLIENT_ID, session, client_order_id)]


@small
def index_order(s, slot):
    order = s.orders[U(slot)]
    head = chain_by_id(s, order.order_id)
    order.next_by_id = head.slot
    head.slot = slot
    if order.client_order_id != 0:
        head = chain_by_client(s, order.session, order.client_order_id)
        order.next_by_client = head.slot
        head.slot = slot


@small
def forget_order(s, slot):
    order = s.orders[U(slot)]
    head = chain_by_id(s, order.order_id)
    if head.slot == slot:
        head.slot = order.next_by_id
    else:
        at = np.int64(head.slot)
        while s.orders[at].next_by_id != slot:
            at = np.int64(s.orders[at].next_by_id)
        s.orders[at].next_by_id = order.next_by_id
    if order.client_order_id != 0:
        head = chain_by_client(s, order.session, order.client_order_id)
        if head.slot == slot:
            head.slot = order.next_by_client
        else:
            at = np.int64(head.slot)
            while s.orders[at].next_by_client != slot:
                at = np.int64(s.orders[at].next_by_client)
            s.orders[at].next_by_client = order.next_by_client


@small
def find_order(s, order_id):
    """Slot of a live order by its id, or 0."""
    slot = np.int64(chain_by_id(s, order_id).slot)
    while slot != 0 and s.orders[U(slot)].order_id != order_id:
        slot = np.int64(s.orders[U(slot)].next_by_id)
    return slot


@small
def find_client_order(s, session, client_order_id):
    """Slot of a live order by the session that entered it and its client_order_id, or 0."""
    if client_order_id == 0:
        return np.int64(0)
    slot = np.int64(chain_by_client(s, session, client_order_id).slot)
    while slot != 0 and (s.orders[slot].client_order_id != client_order_id or s.orders[slot].session != session):
        slot = np.int64(s.orders[slot].next_by_client)
    return slot


# Quotes: chains by account and instrument, of orders that a QUOTE entered.


@small
def quote_cell(account, instrument):
    return U((np.int64(account) * 263 + np.int64(instrument)) & QUOTE_CELLS - 1)


@plain
def link_quote(s, slot):
    order = s.orders[slot]
    cell = quote_cell(order.account, order.instrument)
    s.extras[slot].next_quote = s.quote_cells[cell]
    s.quote_cells[cell] = slot


@plain
def unlink_quote(s, slot):
    order = s.orders[slot]
    cell = quote_cell(order.account, order.instrument)
    behind = s.extras[slot].next_quote
    if s.quote_cells[cell] == slot:
        s.quote_cells[cell] = behind
        return
    at = np.int64(s.quote_cells[cell])
    while s.extras[at].next_quote != slot:
        at = np.int64(s.extras[at].next_quote)
    s.extras[at].next_quote = behind


@rare
def find_quote(s, account, instrument, side, session):
    """Slot of the live order that is one side of an account's quote, or 0. Without pre-funding accounts are mere
    labels: only the session's own count."""
    slot = np.int64(s.quote_cells[quote_cell(account, instrument)])
    while slot != 0:
        order = s.orders[slot]
        owned = s.prefunded or order.session == session
        if order.account == account and order.instrument == instrument and order.side == side and owned:
            return slot
        slot = np.int64(s.extras[slot].next_quote)
    return slot
