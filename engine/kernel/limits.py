"""Limits that the operator sets, who is stopped, and the counts that limits need.

Sources: Regulation (EU) 2017/584 art. 18 (order rates, suspension) and 20 (price collars, largest value and volume,
re-settable in session), MEE trading rules art. 21-22 (largest position, large holders).

`limits_set` has a bit for every kind that was ever set: an order pays one branch while it is 0. Open orders and units
that resting buy orders may bring are counted only from the first limit on that needs them (`counting`).
"""

import numpy as np

from engine.kernel.compiler import plain, small
from engine.schema import BASIS_POINTS, LimitKind, Reason, Side, Status

SECOND = 1_000_000_000
# Kinds as bare integers: an enum member cannot stand beside a number in an index.
QUANTITY, VALUE, COLLAR, RATE, OPEN, POSITION, LARGE = (int(kind) for kind in LimitKind)
COUNTED = 1 << OPEN | 1 << POSITION
"""Kinds of limits that look at resting orders."""


@small
def check_halted(s, book):
    """Neither the venue nor the instrument is stopped."""
    if s.venue_halted | book.halted:
        return Reason.VENUE_HALTED if s.venue_halted else Reason.INSTRUMENT_HALTED
    return Reason.NONE


@small
def firm_enabled(s, account):
    """The account's firm is stopped neither by the operator nor by itself; without pre-funding there are no firms."""
    return s.stopped_firms == 0 or s.firm_table[s.accounts[account].firm].status == Status.ACTIVE


@small
def check_firm(s, account):
    return Reason.NONE if firm_enabled(s, account) else Reason.FIRM_STOPPED


@small
def in_force(s, limit):
    """The limit at this moment; 0 = none."""
    return limit.override if limit.override != 0 and s.timestamp < limit.until else limit.value


@small
def tighter(a, b):
    """The smaller of two limits, of which 0 is none."""
    return b if a == 0 or (b != 0 and b < a) else a


@small
def tightest(s, kind, instrument, account):
    """The smallest limit of one kind that binds an account on an instrument; 0 = none."""
    most = tighter(in_force(s, s.venue_limits[kind]), in_force(s, s.instrument_limits[instrument, kind]))
    if s.prefunded:
        most = tighter(most, in_force(s, s.firm_limits[s.accounts[account].firm, kind]))
        most = tighter(most, in_force(s, s.account_limits[account, kind]))
    return most


@plain
def check_member_limits(s, c, instrument, account, side, price, quantity):
    """The limits that hold for block terms and bids alike: no collar, no order that rests."""
    return check_limits(s, instrument, account, side, price, quantity, quantity, False, False)


@small
def check_order_limits(s, instrument, account, side, price, quantity, more, collared, opens):
    """All limits of a member; one branch where none was ever set.

    price, quantity: as they would be in force. more: lots by which the command adds to what it bought or may buy.
    collared: the price collar is asked. opens: the command counts as an open order.
    """
    if s.limits_set == 0:
        return Reason.NONE
    return ask_limits(s, instrument, account, side, price, np.int64(quantity), np.int64(more), collared, opens)


@plain
def check_limits(s, instrument, account, side, price, quantity, more, collared, opens):
    """As `check_order_limits`, in one place for all that is no plain order."""
    return check_order_limits(s, instrument, account, side, price, quantity, more, collared, opens)


@small
def ask_limits(s, instrument, account, side, price, quantity, more, collared, opens):
    book = s.books[instrument]
    most = tightest(s, QUANTITY, instrument, account)
    if most != 0 and quantity > most:
        return Reason.MAX_ORDER_QUANTITY
    most = tightest(s, VALUE, instrument, account)
    if most != 0 and price * quantity * book.tick_value > most:
        return Reason.MAX_ORDER_VALUE
    reference = book.last if book.last != 0 else book.previous_close
    if collared and reference != 0:
        most = tightest(s, COLLAR, instrument, account)
        if most != 0 and abs(price - reference) * BASIS_POINTS > most * reference:
            return Reason.PRICE_COLLAR
    if not count_order(s, instrument, account):
        return Reason.ORDER_RATE
    if opens and too_many_open(s, instrument, account):
        return Reason.OPEN_ORDERS
    if side == Side.BUY and more > 0 and exceeds_position(s, book, account, more * book.units_per_lot):
        return Reason.POSITION_LIMIT
    return Reason.NONE


@small
def has_room(s, limit, second):
    """Whether one more order fits into this second."""
    most = in_force(s, limit)
    return most == 0 or (limit.count if limit.second == second else 0) < most


@small
def count_one(s, limit, second):
    if in_force(s, limit) != 0:
        limit.count = limit.count + 1 if limit.second == second else 1
        limit.second = second


@small
def count_order(s, instrument, account):
    """Orders within one second of journal time: every limit in force agrees, then every one of them counts."""
    if not s.limits_set & 1 << RATE:
        return True
    second = s.timestamp // SECOND
    firm = np.int64(s.accounts[account].firm) if s.prefunded else np.int64(0)
    agreed = has_room(s, s.venue_limits[RATE], second) and has_room(s, s.instrument_limits[instrument, RATE], second)
    if s.prefunded and agreed:
        agreed = has_room(s, s.firm_limits[firm, RATE], second) and has_room(s, s.account_limits[account, RATE], second)
    if not agreed:
        return False
    count_one(s, s.venue_limits[RATE], second)
    count_one(s, s.instrument_limits[instrument, RATE], second)
    if s.prefunded:
        count_one(s, s.firm_limits[firm, RATE], second)
        count_one(s, s.account_limits[account, RATE], second)
    return True


@small
def reached(limit, count):
    return limit != 0 and count >= limit


@small
def too_many_open(s, instrument, account):
    if reached(in_force(s, s.venue_limits[OPEN]), s.live_orders):
        return True
    if reached(in_force(s, s.instrument_limits[instrument, OPEN]), s.instrument_orders[instrument]):
        return True
    if not s.prefunded:
        return False
    firm = s.accounts[account].firm
    if reached(in_force(s, s.firm_limits[firm, OPEN]), s.firm_orders[firm]):
        return True
    return reached(in_force(s, s.account_limits[account, OPEN]), s.account_orders[account])


@small
def exceeds_position(s, book, account, units):
    """Whether `units` more would bring the account or its firm above a limit, resting buy orders included."""
    if not s.limits_set & 1 << POSITION:
        return False
    firm = s.accounts[account].firm
    most = tighter(in_force(s, s.venue_limits[POSITION]), in_force(s, s.account_limits[account, POSITION]))
    if most != 0 and position(s, account, book.lock_column[1]) + units > most:
        return True
    most = in_force(s, s.firm_limits[firm, POSITION])
    if most == 0:
        return False
    held = np.int64(0)
    other = np.int64(s.first_account[firm])
    while other != 0:
        held += position(s, other, book.lock_column[1])
        other = np.int64(s.next_account[other])
    return held + units > most


@small
def position(s, account, column):
    """Units that an account has, and that its resting buy orders may bring."""
    return total_units(s, account, column) + s.holds[np.int64(account) * s.columns + column].buying


@small
def total_units(s, account, column):
    """All buckets of one account and asset."""
    row = np.int64(account) * s.columns + column
    balance, hold = s.balances[row], s.holds[row]
    available = balance.free + balance.locked + balance.bought_today
    return available + hold.pledged + hold.judicial + hold.auction_frozen + hold.transfer_pending


@small
def count_resting(s, order, lots, orders):
    """Resting orders change: by `lots` (negative: fewer) and by a number of orders."""
    s.instrument_orders[order.instrument] += orders
    if not s.prefunded:
        return
    s.account_orders[order.account] += orders
    s.firm_orders[s.accounts[order.account].firm] += orders
    if order.side == Side.BUY:
        book = s.books[order.instrument]
        s.holds[np.int64(order.account) * s.columns + book.lock_column[1]].buying += lots * book.units_per_lot
