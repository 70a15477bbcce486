"""One trade: its price, delivery against payment, fees, statistics, events (docs/engine.md section 3,
docs/order-types.md 11.3 and 11.7)."""

from __future__ import annotations

from typing import NamedTuple

from engine.reference.book import Order
from engine.reference.exchange import Exchange, Market
from engine.reference.money import fee_on, lock_of
from engine.schema import CLOSE_TRADES, EventKind, Side


class Exchanged(NamedTuple):
    """What a trade moved beside lots, minor units."""

    released: int
    """To the buyer, beside the payment."""
    buyer_fee: int
    seller_fee: int


def trade(x: Exchange, market: Market, taker: Order, maker: Order, quantity: int) -> None:
    """A taker trades with a resting order; an iceberg that has shown all its part shows the next one."""
    price = trade_price(market, taker, maker)
    buyer, seller = (taker, maker) if taker.side == Side.BUY else (maker, taker)
    moved = exchange_lots(x, market, buyer, seller, price, quantity)
    take_off_maker(x, maker, quantity)
    tell_pair(x, EventKind.TRADE, taker, maker, price, quantity, aux=moved.released, aggressor=taker.side)
    note_statistics(x, market, price, quantity)
    tell_fees(x, buyer, seller, price, quantity, moved)
    refresh(x, market, maker)


def trade_price(market: Market, taker: Order, maker: Order) -> int:
    """The maker's price, or the middle one of buyer's limit, seller's limit and last price (MEDIAN3)."""
    if market.terms.price_rule == "MAKER":
        return maker.price
    last = last_of_today(market) or market.previous_close or maker.price
    return sorted((taker.price, maker.price, last))[1]


def last_of_today(market: Market) -> int:
    """The day's last price; 0 before its first trade."""
    return market.last if market.trades else 0


def exchange_lots(x: Exchange, market: Market, buyer: Order, seller: Order, price: int, quantity: int) -> Exchanged:
    """Lots leave both orders; money, units and fees change hands."""
    lock_before = lock_of(x, market, buyer)
    buyer.remaining -= quantity
    seller.remaining -= quantity
    if not x.venue.prefunded:
        return Exchanged(0, 0, 0)
    amount = price * quantity * market.terms.tick_value
    buyer_fee = charge_fee(market, buyer, amount)
    seller_fee = charge_fee(market, seller, amount)
    lock_freed = lock_before - lock_of(x, market, buyer)
    released = lock_freed - amount - buyer_fee
    deliver(x, market, buyer, seller, quantity, lock_freed, released, amount - seller_fee)
    x.fees[market.terms.currency] += buyer_fee + seller_fee
    return Exchanged(released, buyer_fee, seller_fee)


def charge_fee(market: Market, order: Order, amount: int) -> int:
    """The fee of a fill: the fee on the order's cumulative amount less the fee so far, so rounding never drifts."""
    before = fee_on(market.terms, order.cumulative_amount)
    order.cumulative_amount += amount
    return fee_on(market.terms, order.cumulative_amount) - before


def deliver(
    x: Exchange, market: Market, buyer: Order, seller: Order, lots: int, lock_freed: int, released: int, proceeds: int
) -> None:
    """Units to the buyer (sellable tomorrow under T+1), money to the seller (to spend at once), surplus released."""
    terms = market.terms
    units = lots * terms.units_per_lot
    purse = x.accounts[buyer.account].cash_in(terms.currency)
    purse.locked -= lock_freed
    purse.free += released
    received = x.accounts[buyer.account].hold_of(terms.asset)
    if x.venue.settlement_days:
        received.bought_today += units
    else:
        received.free += units
    x.accounts[seller.account].hold_of(terms.asset).locked -= units
    purse = x.accounts[seller.account].cash_in(terms.currency)
    purse.free += proceeds
    purse.proceeds_today += proceeds


def take_off_maker(x: Exchange, maker: Order, quantity: int) -> None:
    """Lots have left a resting order: an iceberg shows fewer, and an order without lots is gone."""
    if maker.shown:
        maker.visible -= quantity
    if not maker.remaining:
        x.leave_live(maker)


def refresh(x: Exchange, market: Market, maker: Order) -> None:
    """An iceberg of which nothing is visible any more shows its next part, behind the other displayed orders."""
    if not maker.shown or maker.visible or not maker.remaining:
        return
    maker.visible = min(maker.shown, maker.remaining)
    market.side(maker.side).move_behind(maker)
    x.emit(
        EventKind.REFRESHED,
        side=maker.side,
        instrument=maker.instrument,
        price=maker.price,
        quantity=maker.visible,
        account=maker.account,
        order_id=maker.order_id,
        client_order_id=maker.client_order_id,
        remaining=maker.remaining,
        session=maker.session,
    )


def note_statistics(x: Exchange, market: Market, price: int, quantity: int) -> None:
    """The day's figures; the number of the TRADE is that of the event told last."""
    market.last = price
    market.open = market.open or price
    market.high = max(market.high, price)
    market.low = min(market.low, price) if market.low else price
    market.volume += quantity
    market.turnover += price * quantity
    market.trades += 1
    if market.terms.close_rule == "LAST5":
        market.last_trades = [(x.event_sequence, price, quantity), *market.last_trades][:CLOSE_TRADES]


def tell_pair(
    x: Exchange,
    kind: EventKind,
    one: Order,
    other: Order,
    price: int,
    lots: int,
    *,
    aux: int,
    aux2: int = 0,
    aggressor: int = 0,
) -> None:
    """An event of two orders; without an aggressor (call auctions) `one` is the buyer."""
    x.emit(
        kind,
        side=aggressor,
        aggressor=aggressor,
        instrument=one.instrument,
        price=price,
        quantity=lots,
        account=one.account,
        contra_account=other.account,
        order_id=one.order_id,
        contra_order_id=other.order_id,
        client_order_id=one.client_order_id,
        contra_client_order_id=other.client_order_id,
        remaining=one.remaining,
        contra_remaining=other.remaining,
        aux=aux,
        aux2=aux2,
        session=one.session,
        contra_session=other.session,
    )


def tell_fees(x: Exchange, buyer: Order, seller: Order, price: int, quantity: int, moved: Exchanged) -> None:
    """FEE, when either fee is not zero."""
    if not moved.buyer_fee and not moved.seller_fee:
        return
    x.emit(
        EventKind.FEE,
        instrument=buyer.instrument,
        price=price,
        quantity=quantity,
        account=buyer.account,
        contra_account=seller.account,
        order_id=buyer.order_id,
        contra_order_id=seller.order_id,
        client_order_id=buyer.client_order_id,
        contra_client_order_id=seller.client_order_id,
        aux=moved.buyer_fee,
        aux2=moved.seller_fee,
        session=buyer.session,
        contra_session=seller.session,
    )
