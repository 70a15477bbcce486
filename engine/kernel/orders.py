"""What firms send: new order, cancel, replace, mass cancel, take. Each returns Reason.NONE or why it was refused."""

import numpy as np

from engine.arena import SIDES
from engine.kernel.admission import (
    BY_CLIENT,
    HIDDEN,
    POST_ONLY,
    check_account,
    check_crossing,
    check_enabled,
    check_listed,
    check_open,
    check_role,
    check_terms,
    consume,
    inside_bounds,
    is_enabled,
    mode_in_force,
    owner_group,
    owns_order,
)
from engine.kernel.bitmap import NOTHING
from engine.kernel.book import end_order, next_in_book, rest_order, write_order
from engine.kernel.compiler import U, plain, rare, small
from engine.kernel.corridor import outside, set_corridor
from engine.kernel.events import accepted, counted, listed_phase, replaced
from engine.kernel.index import find_client_order, find_order
from engine.kernel.ledger import balance_of, lock, lock_for, lock_of, move_lock, shortfall
from engine.kernel.levels import (
    append_at,
    crosses,
    first_position,
    give_slot,
    level_at,
    shrink,
    take_slot,
    unlink_at,
    worse_position,
)
from engine.kernel.limits import check_firm, check_halted, check_limits, check_order_limits
from engine.kernel.lookahead import prefetch
from engine.kernel.matching import FURTHER, PLAIN, cancel_resting, end_live, lots_on_offer, run_taker, trade
from engine.kernel.replacing import replace_further
from engine.kernel.stops import trigger_stops
from engine.layout import WAITING
from engine.schema import (
    EventKind,
    MassCancelScope,
    Mode,
    Phase,
    Reason,
    Side,
    TimeInForce,
)

UNLISTED = HIDDEN | WAITING
"""Flags of live orders that are no listing for others to take."""
BY_ACCOUNT = int(MassCancelScope.ACCOUNT)
BY_INSTRUMENT = int(MassCancelScope.INSTRUMENT)
BY_SIDE = int(MassCancelScope.SIDE)
BY_SESSION = int(MassCancelScope.SESSION)


@small
def new_order(s, c):
    """Of an order that `enters_plainly`; all others: `further.new_further_order`."""
    instrument, k, price = np.int64(c.instrument), np.int64(c.side) - 1, np.int64(c.price)
    book = s.books[U(instrument)]
    prefetch(level_at(s, book, k, price))
    opens = c.time_in_force < TimeInForce.IOC
    consume(s, c)
    reason = check_order_limits(s, c.instrument, c.account, c.side, price, c.quantity, c.quantity, True, opens)
    if reason != Reason.NONE:
        return reason
    if c["flags"] and crosses(book, k, price):
        return Reason.POST_ONLY_WOULD_TAKE
    if s.live_orders >= s.order_capacity and opens:
        return Reason.ORDER_TABLE_FULL
    need = np.int64(0)
    if s.prefunded:
        need = lock_for(book, c.side, np.int64(0), price, c.quantity)
        balance = balance_of(s, book, c.account, c.side)
        reason = shortfall(balance, c.side, need)
        if reason != Reason.NONE:
            return reason
        lock(balance, need)
    slot = take_slot(s)
    terms = write_order(s, slot, c, price, c.quantity, c.time_in_force)
    accepted(s, c, np.int64(Phase.CONTINUOUS), price, terms, need)
    if run_taker(s, c, slot, book, k, price, c.time_in_force):
        rest_order(s, slot, instrument, k, np.int64(s.orders[U(slot)].price))
    else:
        give_slot(s, slot)
    return Reason.NONE


@small
def target_slot(s, c):
    """Slot of the live order that a command addresses and owns, or 0: unknown and foreign look alike."""
    if c["flags"] & BY_CLIENT:
        return find_client_order(s, c.session, c.target)
    slot = find_order(s, c.target)
    return slot if slot != 0 and owns_order(s, c.session, s.orders[slot]) else np.int64(0)


@small
def is_plain(s, slot):
    """Whether a plain cancel or replacement finds nothing against it at the order's book; true for no order."""
    return slot == 0 or s.books[U(s.orders[U(slot)].instrument)].entry != 0


@small
def cancel_plain(s, c, slot):
    """A cancel that `is_next`, with its target."""
    consume(s, c)
    if slot == 0:
        return Reason.UNKNOWN_ORDER
    end_live(s, c, slot, EventKind.CANCELLED, Reason.USER_REQUESTED, PLAIN)
    return Reason.NONE


@plain
def cancel_order(s, c):
    if c["flags"] & ~BY_CLIENT:
        return Reason.INVALID_FLAGS
    reason = check_role(s, c)
    if reason != Reason.NONE:
        return reason
    slot = target_slot(s, c)
    if slot == 0:
        return Reason.UNKNOWN_ORDER
    book = s.books[s.orders[slot].instrument]
    phase = book.phases[Mode.LISTED]
    if phase != Phase.CONTINUOUS:
        if phase == Phase.CLOSED or (phase == Phase.BREAK and not s.break_cancel) or book.call_frozen:
            return Reason.WRONG_PHASE
    end_live(s, c, slot, EventKind.CANCELLED, Reason.USER_REQUESTED, FURTHER)
    return Reason.NONE


@small
def is_plain_replacement(s, c, slot):
    """As `is_plain`, with the checks of a REPLACE_ORDER up to the limits."""
    if slot == 0:
        return True
    order = s.orders[U(slot)]
    book = s.books[U(order.instrument)]
    if book.entry == 0 or not inside_bounds(book, np.int64(c.price), c.quantity):
        return False
    return is_enabled(s, order.account)


@small
def replace_plain(s, c, slot):
    """A replacement that `is_next` and `is_plain_replacement`."""
    consume(s, c)
    return Reason.UNKNOWN_ORDER if slot == 0 else new_terms(s, c, slot)


@plain
def replace_order(s, c):
    if c["flags"] & ~BY_CLIENT:
        return Reason.INVALID_FLAGS
    reason = check_role(s, c)
    if reason != Reason.NONE:
        return reason
    slot = target_slot(s, c)
    if slot == 0:
        return Reason.UNKNOWN_ORDER
    order = s.orders[slot]
    book = s.books[order.instrument]
    if book.further | c.price2 | c.quantity2 | c.expiry:
        return replace_further(s, c, slot)
    reason = check_halted(s, book)
    if reason != Reason.NONE:
        return reason
    if book.phases[Mode.LISTED] != Phase.CONTINUOUS:
        return Reason.WRONG_PHASE
    reason = check_enabled(s, order.account)
    if reason == Reason.NONE:
        reason = check_firm(s, order.account)
    if reason == Reason.NONE:
        reason = check_terms(book, np.int64(c.price), c.quantity, True)
    return reason if reason != Reason.NONE else new_terms(s, c, slot)


@small
def new_terms(s, c, slot):
    """The checks of a plain replacement from the limits on, and what it does."""
    order = s.orders[U(slot)]
    book = s.books[U(order.instrument)]
    more = c.quantity - np.int64(order.quantity)
    price = np.int64(c.price)
    reason = check_order_limits(s, order.instrument, order.account, order.side, price, c.quantity, more, True, False)
    if reason != Reason.NONE:
        return reason
    filled = np.int64(order.quantity) - np.int64(order.remaining)
    if c.quantity <= filled:
        return Reason.QUANTITY_BELOW_FILLED
    if price == order.price and c.quantity <= order.quantity:
        reduce_in_place(s, c, slot)
        return Reason.NONE
    reason = check_crossing(s, book, order.side, price, order["flags"] & POST_ONLY != 0)
    if reason != Reason.NONE:
        return reason
    remaining = c.quantity - filled
    more = np.int64(0)
    if s.prefunded:
        more = lock_for(book, order.side, order.cumulative_amount, price, remaining) - lock_of(s, order)
        reason = shortfall(balance_of(s, book, order.account, order.side), order.side, more)
        if reason != Reason.NONE:
            return reason
    re_enter(s, c, slot, remaining, more)
    return Reason.NONE


@small
def reduce_in_place(s, c, slot):
    """Less quantity at the same price keeps priority."""
    order = s.orders[slot]
    before = lock_of(s, order)
    shrink(s, slot, np.int64(order.quantity) - c.quantity)
    order.quantity = c.quantity
    released = before - lock_of(s, order)
    move_lock(s, order, -released)
    replaced(s, c, order, -released, 1)


@small
def re_enter(s, c, slot, remaining, more):
    """The order leaves its queue, takes the new terms and is matched like a new one."""
    order = s.orders[U(slot)]
    instrument, k = np.int64(order.instrument), np.int64(order.side) - 1
    move_lock(s, order, more)
    unlink_at(s, slot, instrument, k, np.int64(order.price))
    order.price = c.price
    order.remaining = remaining
    order.quantity = c.quantity
    replaced(s, c, order, more, 0)
    if run_taker(s, c, slot, s.books[U(instrument)], k, np.int64(c.price), order.time_in_force):
        append_at(s, slot, instrument, k, np.int64(order.price))
    else:
        end_order(s, slot)


@small
def better_levels(s, instrument, k, position, most):
    """How many occupied prices are better than `position`, counted up to `most`."""
    count = 0
    at = first_position(s, instrument, k)
    while at != position and at != NOTHING and count < most:
        count += 1
        at = worse_position(s, instrument, k, at)
    return count


@plain
def take(s, c):
    """Listed agreement by picking: the whole stated quantity from one named listing, or a reject."""
    if c.side != Side.BUY and c.side != Side.SELL:
        return Reason.INVALID_SIDE
    reason = check_role(s, c)
    if reason == Reason.NONE:
        reason = check_account(s, c)
    if reason == Reason.NONE:
        reason = check_listed(s, c.instrument)
    if reason != Reason.NONE:
        return reason
    book = s.books[c.instrument]
    reason = check_halted(s, book)
    if reason == Reason.NONE:
        reason = check_open(s, book)
    if reason == Reason.NONE:
        reason = check_enabled(s, c.account)
    if reason == Reason.NONE:
        reason = check_firm(s, c.account)
    if reason == Reason.NONE:
        reason = check_terms(book, np.int64(c.price), c.quantity, True)
    if reason == Reason.NONE:
        price = np.int64(c.price)
        reason = check_limits(s, c.instrument, c.account, c.side, price, c.quantity, c.quantity, True, False)
    if reason != Reason.NONE:
        return reason
    slot = find_order(s, c.target)
    maker = s.orders[slot]
    if slot == 0 or maker.instrument != c.instrument or maker.side == c.side:
        return Reason.UNKNOWN_ORDER
    if maker["flags"] & UNLISTED:
        return Reason.UNKNOWN_ORDER
    if maker.price != c.price:
        return Reason.LISTING_CHANGED
    other = 2 - np.int64(c.side)
    if s.click_strict:
        if book.best[other] != c.price:
            return Reason.NOT_AT_BEST
    elif s.take_levels > 0:
        position = np.int64(c.price) - book.floor
        if better_levels(s, c.instrument, other, position, s.take_levels) >= s.take_levels:
            return Reason.BEYOND_DEPTH
    if c.quantity > lots_on_offer(s, book, slot):
        return Reason.QUANTITY_EXCEEDS_LISTING
    if mode_in_force(s, c.account, 0) != 0 and owner_group(s, c.account) == owner_group(s, maker.account):
        return Reason.SELF_TRADE
    if book.further:
        set_corridor(book)
        if outside(book, np.int64(c.price)):
            return Reason.PRICE_OUT_OF_WINDOW
    need = np.int64(0)
    if s.prefunded:
        need = lock_for(book, c.side, np.int64(0), c.price, c.quantity)
        balance = balance_of(s, book, c.account, c.side)
        reason = shortfall(balance, c.side, need)
        if reason != Reason.NONE:
            return reason
        lock(balance, need)
    own = take_slot(s)
    terms = write_order(s, own, c, np.int64(c.price), c.quantity, TimeInForce.FOK)
    accepted(s, c, listed_phase(s, c.instrument), np.int64(c.price), terms, need)
    if book.further:
        trade(s, c, book, own, slot, c.quantity, FURTHER)
        give_slot(s, own)
        trigger_stops(s, c, c.instrument)
    else:
        trade(s, c, book, own, slot, c.quantity, PLAIN)
        give_slot(s, own)
    return Reason.NONE


@small
def check_mass_cancel(s, c):
    if c.scope > 15:
        return Reason.INVALID_SCOPE
    by_side = c.scope & BY_SIDE != 0
    by_account = c.scope & BY_ACCOUNT != 0
    by_instrument = c.scope & BY_INSTRUMENT != 0
    if by_side and c.side != Side.BUY and c.side != Side.SELL:
        return Reason.INVALID_SIDE
    if (
        (not by_side and c.side != 0)
        or (not by_account and c.account != 0)
        or (not by_instrument and c.instrument != 0)
    ):
        return Reason.UNUSED_FIELD_SET
    reason = check_role(s, c)
    if reason == Reason.NONE and by_account:
        reason = check_account(s, c)
    if reason == Reason.NONE and by_instrument and (c.instrument < 1 or c.instrument > s.instruments):
        reason = Reason.UNKNOWN_INSTRUMENT
    return reason


@rare
def mass_cancel(s, c):
    reason = check_mass_cancel(s, c)
    if reason != Reason.NONE:
        return reason
    count = 0
    for instrument in range(1, s.instruments + 1):
        if (c.scope & BY_INSTRUMENT and instrument != c.instrument) or s.books[instrument].call_frozen:
            continue
        for k in range(SIDES):
            if c.scope & BY_SIDE and k % 2 + 1 != c.side:
                continue
            slot = next_in_book(s, instrument, k, 0)
            while slot != 0:
                following = next_in_book(s, instrument, k, slot)
                order = s.orders[slot]
                fits = owns_order(s, c.session, order)
                if c.scope & BY_ACCOUNT and order.account != c.account:
                    fits = False
                if c.scope & BY_SESSION and order.session != c.session:
                    fits = False
                if fits:
                    cancel_resting(s, c, slot, EventKind.CANCELLED, Reason.MASS_CANCEL)
                    count += 1
                slot = following
    counted(s, c, EventKind.MASS_CANCELLED, count, 0, 0, 0)
    return Reason.NONE
