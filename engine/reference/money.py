"""Rounding, fees, and what an order locks (docs/engine.md section 2, "Money"; rule book, L2 and section 0, point 8)."""

from __future__ import annotations

from engine.reference.book import Order
from engine.reference.exchange import Cash, Exchange, Hold, Market, Refused, Terms
from engine.schema import PPM, Reason, Side


def half_up(numerator: int, denominator: int) -> int:
    """The quotient rounded to the nearest integer, an exact half upwards."""
    return (2 * numerator + denominator) // (2 * denominator)


def fee_on(terms: Terms, amount: int) -> int:
    """The fee of one side on a cumulative amount, minor units."""
    return half_up(amount * terms.fee_ppm, PPM) if terms.fee_ppm else 0


def cash_lock(terms: Terms, cumulative_amount: int, price: int, remaining: int) -> int:
    """What a buy order locks: the rest at its limit, and what the fee would grow by if it filled there."""
    amount = price * remaining * terms.tick_value
    if not terms.fee_ppm:
        return amount
    return amount + fee_on(terms, cumulative_amount + amount) - fee_on(terms, cumulative_amount)


def lock_of(x: Exchange, market: Market, order: Order) -> int:
    """Cash (buy, minor units) or units (sell) that the order locks at this moment; 0 without pre-funding."""
    if not x.venue.prefunded:
        return 0
    if order.side == Side.BUY:
        return cash_lock(market.terms, order.cumulative_amount, order.price, order.remaining)
    return order.remaining * market.terms.units_per_lot


def bucket_of(x: Exchange, market: Market, side: int, account: int) -> Cash | Hold:
    """Where an order's lock lies: a buy locks cash, a sell locks units."""
    owner = x.accounts[account]
    return owner.cash_in(market.terms.currency) if side == Side.BUY else owner.hold_of(market.terms.asset)


def require_free(x: Exchange, market: Market, side: int, account: int, amount: int) -> None:
    """Check 12 of NEW_ORDER: every order is funded in full before it is accepted (rule book, 0.3)."""
    if not x.venue.prefunded:
        return
    bucket = bucket_of(x, market, side, account)
    if bucket.free >= amount:
        return
    if isinstance(bucket, Cash):
        raise Refused(Reason.INSUFFICIENT_FUNDS)
    if bucket.free + bucket.bought_today >= amount:
        raise Refused(Reason.UNITS_BOUGHT_TODAY)
    raise Refused(Reason.INSUFFICIENT_UNITS)


def move_lock(x: Exchange, market: Market, order: Order, amount: int) -> None:
    """From free to locked; a negative amount is a release."""
    if x.venue.prefunded and amount:
        bucket = bucket_of(x, market, order.side, order.account)
        bucket.free -= amount
        bucket.locked += amount
