"""What standing terms of a block negotiation lock, and how a negotiation ends (docs/blocks-and-auctions.md section 7;
rule book section 4, B3: whoever's terms stand is locked for them).
"""

from __future__ import annotations

from engine.reference.exchange import Exchange, Market
from engine.reference.money import bucket_of, cash_lock
from engine.reference.registers import Negotiation
from engine.schema import EventKind, Reason, Side


def lock_for_terms(x: Exchange, market: Market, side: int, price: int, quantity: int) -> int:
    """Cash (buy: amount and fee, minor units) or units (sell) that terms lock; 0 without pre-funding."""
    if not x.venue.prefunded:
        return 0
    if side == Side.BUY:
        return cash_lock(market.terms, 0, price, quantity)
    return quantity * market.terms.units_per_lot


def move_terms_lock(x: Exchange, market: Market, side: int, account: int, amount: int) -> None:
    """From free to locked; a negative amount is a release."""
    if x.venue.prefunded and amount:
        bucket = bucket_of(x, market, side, account)
        bucket.free -= amount
        bucket.locked += amount


def release_terms(x: Exchange, negotiation: Negotiation) -> int:
    """Release what the standing terms lock. Returns the amount."""
    released, negotiation.locked = negotiation.locked, 0
    market = x.markets[negotiation.instrument - 1]
    move_terms_lock(x, market, negotiation.side, negotiation.account, -released)
    return released


def end_negotiation(x: Exchange, negotiation: Negotiation, reason: Reason) -> None:
    """A negotiation ends without a trade: its lock is released and one BLOCK_ENDED tells so."""
    released = release_terms(x, negotiation)
    del x.negotiations[negotiation.id]
    x.emit(
        EventKind.BLOCK_ENDED,
        reason=reason,
        side=negotiation.side,
        instrument=negotiation.instrument,
        price=negotiation.price,
        quantity=negotiation.quantity,
        account=negotiation.account,
        contra_account=negotiation.counterparty,
        order_id=negotiation.id,
        client_order_id=negotiation.client_order_id,
        contra_client_order_id=x.command.client_order_id,
        aux=released,
        session=negotiation.session,
        contra_session=x.command.session,
    )
