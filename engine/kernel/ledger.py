"""Cash and units: what orders lock, what trades move, what fees take. All pre-funding rules are here.

Locks (SEEE: orders need the full amount, 100 % on both legs): a buy order locks its amount and the fee that its fills
can
still cost; a sell order locks its units. Units bought today settle after the close, sale proceeds may be spent at once.
"""

import numpy as np

from engine.kernel.compiler import U, plain, small
from engine.schema import PPM, Reason, Side


@small
def fee_on(amount, ppm):
    """half_up(amount x ppm, 1,000,000) without a product of 2^63 or more."""
    return amount // PPM * ppm + (2 * (amount % PPM) * ppm + PPM) // (2 * PPM)


@small
def fee_between(book, cumulative, amount):
    """The fee of `amount` more: on the cumulative amount, less what it has cost already."""
    return fee_on(cumulative + amount, book.fee_ppm) - fee_on(cumulative, book.fee_ppm)


@small
def buy_lock(book, cumulative, price, lots):
    """Cash that a buy order needs for `lots` more at `price`, minor units, fee included."""
    amount = np.int64(price) * np.int64(lots) * book.tick_value
    return amount + fee_between(book, cumulative, amount)


@small
def lock_for(book, side, cumulative, price, lots):
    """What an order needs locked: minor units of cash (buy) or units (sell)."""
    k = U(np.int64(side) - 1)
    need = np.int64(lots) * (np.int64(price) * book.lock_per_tick[k] + book.lock_per_lot[k])
    if book.fee_ppm != 0:
        need += fee_between(book, cumulative, need * (2 - np.int64(side)))
    return need


@small
def lock_of(s, order):
    """What a live order holds locked; 0 on a venue that does not pre-fund."""
    if not s.prefunded:
        return np.int64(0)
    book = s.books[order.instrument]
    return lock_for(book, order.side, order.cumulative_amount, order.price, order.remaining)


@small
def balance_at(s, account, column):
    return s.balances[U(np.int64(account) * s.columns + column)]


@small
def cash_of(s, account, currency):
    return balance_at(s, account, np.int64(currency) - 1)


@small
def units_of(s, account, asset):
    return balance_at(s, account, s.currencies + np.int64(asset) - 1)


@small
def balance_of(s, book, account, side):
    """Where an order's lock lies: the account's cash (buy) or units (sell)."""
    return balance_at(s, account, book.lock_column[U(np.int64(side) - 1)])


@small
def shortfall(balance, side, need):
    """Reason.NONE when `need` more of a balance can be locked, else why not."""
    if balance.free >= need:
        return Reason.NONE
    if side == Side.BUY:
        return Reason.INSUFFICIENT_FUNDS
    return Reason.UNITS_BOUGHT_TODAY if balance.free + balance.bought_today >= need else Reason.INSUFFICIENT_UNITS


@small
def lock(balance, amount):
    balance.free -= amount
    balance.locked += amount


@small
def move_lock(s, order, amount):
    """Lock `amount` more of what the order's side needs (negative: release)."""
    if s.prefunded:
        lock(balance_of(s, s.books[order.instrument], order.account, order.side), amount)


@small
def release_all(s, order):
    """Release an order's whole lock; returns it."""
    amount = lock_of(s, order)
    move_lock(s, order, -amount)
    return amount


@small
def exchange(s, book, buyer, seller, price, lots):
    """Both halves of a trade. Call before the orders' remaining shrinks.

    Returns (cash released to the buyer, buyer's fee, seller's fee).
    """
    pay = price * lots * book.tick_value
    units = lots * book.units_per_lot
    unlocked = np.int64(buyer.price) * lots * book.tick_value
    buyer_fee = seller_fee = np.int64(0)
    if book.fee_ppm != 0:
        before = buy_lock(book, buyer.cumulative_amount, buyer.price, buyer.remaining)
        after = buy_lock(book, buyer.cumulative_amount + pay, buyer.price, np.int64(buyer.remaining) - lots)
        unlocked = before - after
        buyer_fee = fee_between(book, buyer.cumulative_amount, pay)
        seller_fee = fee_between(book, seller.cumulative_amount, pay)
        s.fees[book.currency] += buyer_fee + seller_fee
    released = unlocked - pay - buyer_fee
    cash_column, asset_column = book.lock_column[0], book.lock_column[1]
    cash, bought = balance_at(s, buyer.account, cash_column), balance_at(s, buyer.account, asset_column)
    proceeds, sold = balance_at(s, seller.account, cash_column), balance_at(s, seller.account, asset_column)
    settle_today = 0 if s.next_day_units else units
    buyer.cumulative_amount += pay
    seller.cumulative_amount += pay
    cash.locked -= unlocked
    cash.free += released
    bought.free += settle_today
    bought.bought_today += units - settle_today
    sold.locked -= units
    proceeds.free += pay - seller_fee
    proceeds.proceeds_today += pay - seller_fee
    return released, buyer_fee, seller_fee


@plain
def exchange_block(s, book, buyer, seller, price, lots):
    """Both halves of a block trade, out of the two accounts' full locks. Returns the fee, the same on both sides."""
    pay = price * lots * book.tick_value
    units = lots * book.units_per_lot
    fee = fee_on(pay, book.fee_ppm)
    s.fees[book.currency] += 2 * fee
    balance_at(s, buyer, book.lock_column[0]).locked -= pay + fee
    bought = balance_at(s, buyer, book.lock_column[1])
    if s.next_day_units:
        bought.bought_today += units
    else:
        bought.free += units
    balance_at(s, seller, book.lock_column[1]).locked -= units
    proceeds = balance_at(s, seller, book.lock_column[0])
    proceeds.free += pay - fee
    proceeds.proceeds_today += pay - fee
    return fee


@plain
def deposit_cash(s, account, currency, amount):
    if amount > (1 << 62) - 1 - s.cash_deposited[currency]:
        return Reason.AMOUNT_OVERFLOW
    s.cash_deposited[currency] += amount
    cash_of(s, account, currency).free += amount
    return Reason.NONE


@plain
def withdraw_cash(s, account, currency, amount):
    cash = cash_of(s, account, currency)
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
    units_of(s, account, asset).free += units
    return Reason.NONE


@plain
def withdraw_units(s, account, asset, units):
    hold = units_of(s, account, asset)
    if hold.free < units:
        return Reason.UNITS_BOUGHT_TODAY if hold.free + hold.bought_today >= units else Reason.INSUFFICIENT_UNITS
    hold.free -= units
    s.units_deposited[asset] -= units
    return Reason.NONE
