"""Cash and units: what orders lock, what trades move, what fees take. All pre-funding rules are here.

Locks (SEEE: orders need the full amount, 100 % on both legs): a buy order locks its amount and the fee that its fills
can
still cost; a sell order locks its units. Units bought today settle after the close, sale proceeds may be spent at once.
"""

import numpy as np

from engine.kernel.compiler import plain, small
from engine.schema import PPM, Reason, Side


@small
def fee_on(amount, ppm):
    """half_up(amount x ppm, 1,000,000) without a product of 2^63 or more."""
    return amount // PPM * ppm + (2 * (amount % PPM) * ppm + PPM) // (2 * PPM)


@small
def buy_lock(book, cumulative, price, lots):
    """Cash that a buy order needs for `lots` more at `price`, minor units, fee included."""
    amount = np.int64(price) * np.int64(lots) * book.tick_value
    if book.fee_ppm == 0:
        return amount
    return amount + fee_on(cumulative + amount, book.fee_ppm) - fee_on(cumulative, book.fee_ppm)


@small
def lock_of(s, order):
    """What a live order holds locked: minor units of cash (buy) or units (sell)."""
    if not s.prefunded:
        return np.int64(0)
    book = s.books[order.instrument]
    if order.side == Side.BUY:
        return buy_lock(book, order.cumulative_amount, order.price, order.remaining)
    return np.int64(order.remaining) * book.units_per_lot


@small
def shortfall(s, book, account, side, need):
    """Reason.NONE when `need` more can be locked, else why not."""
    if side == Side.BUY:
        free = s.accounts[account].cash[book.currency].free
        return Reason.NONE if free >= need else Reason.INSUFFICIENT_FUNDS
    hold = s.holds[account, book.asset]
    if hold.free >= need:
        return Reason.NONE
    return Reason.UNITS_BOUGHT_TODAY if hold.free + hold.bought_today >= need else Reason.INSUFFICIENT_UNITS


@small
def move_lock(s, order, amount):
    """Lock `amount` more of what the order's side needs (negative: release)."""
    if s.prefunded and amount != 0:
        book = s.books[order.instrument]
        if order.side == Side.BUY:
            cash = s.accounts[order.account].cash[book.currency]
            cash.free -= amount
            cash.locked += amount
        else:
            hold = s.holds[order.account, book.asset]
            hold.free -= amount
            hold.locked += amount


@small
def release_all(s, order):
    """Release an order's whole lock; returns it."""
    amount = lock_of(s, order)
    move_lock(s, order, -amount)
    return amount


@small
def buyer_pays(s, book, order, price, lots):
    """The buyer's half of a trade. Call before the order's remaining shrinks. Returns (cash released, fee)."""
    pay = np.int64(price) * lots * book.tick_value
    cash = s.accounts[order.account].cash[book.currency]
    before = buy_lock(book, order.cumulative_amount, order.price, order.remaining)
    after = buy_lock(book, order.cumulative_amount + pay, order.price, np.int64(order.remaining) - lots)
    fee = np.int64(0)
    if book.fee_ppm != 0:
        fee = fee_on(order.cumulative_amount + pay, book.fee_ppm) - fee_on(order.cumulative_amount, book.fee_ppm)
        s.fees[book.currency] += fee
    released = before - after - pay - fee
    cash.locked -= before - after
    cash.free += released
    order.cumulative_amount += pay
    hold = s.holds[order.account, book.asset]
    if s.next_day_units:
        hold.bought_today += lots * book.units_per_lot
    else:
        hold.free += lots * book.units_per_lot
    return released, fee


@small
def seller_delivers(s, book, order, price, lots):
    """The seller's half of a trade. Returns the fee."""
    pay = np.int64(price) * lots * book.tick_value
    cash = s.accounts[order.account].cash[book.currency]
    fee = np.int64(0)
    if book.fee_ppm != 0:
        fee = fee_on(order.cumulative_amount + pay, book.fee_ppm) - fee_on(order.cumulative_amount, book.fee_ppm)
        s.fees[book.currency] += fee
    s.holds[order.account, book.asset].locked -= lots * book.units_per_lot
    cash.free += pay - fee
    cash.proceeds_today += pay - fee
    order.cumulative_amount += pay
    return fee


@plain
def deposit_cash(s, account, currency, amount):
    if amount > (1 << 62) - 1 - s.cash_deposited[currency]:
        return Reason.AMOUNT_OVERFLOW
    s.cash_deposited[currency] += amount
    s.accounts[account].cash[currency].free += amount
    return Reason.NONE


@plain
def withdraw_cash(s, account, currency, amount):
    cash = s.accounts[account].cash[currency]
    if cash.free < amount:
        return Reason.INSUFFICIENT_FUNDS
    if s.withdraw_next_day and cash.free - cash.proceeds_today < amount:
        return Reason.PROCEEDS_NOT_SETTLED
    cash.free -= amount
    s.cash_deposited[currency] -= amount
    return Reason.NONE


@plain
def deposit_units(s, account, asset, units):
    if units > (1 << 62) - 1 - s.units_deposited[asset]:
        return Reason.AMOUNT_OVERFLOW
    s.units_deposited[asset] += units
    s.holds[account, asset].free += units
    return Reason.NONE


@plain
def withdraw_units(s, account, asset, units):
    hold = s.holds[account, asset]
    if hold.free < units:
        return Reason.UNITS_BOUGHT_TODAY if hold.free + hold.bought_today >= units else Reason.INSUFFICIENT_UNITS
    hold.free -= units
    s.units_deposited[asset] -= units
    return Reason.NONE
