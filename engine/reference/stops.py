"""Stop orders: what they ask at entry, and how the last price triggers them (docs/order-types.md 11.5)."""

from __future__ import annotations

from engine.reference.book import Order
from engine.reference.exchange import Exchange, Market
from engine.reference.matching import match, place_rest
from engine.schema import EventKind, Phase


def trigger_stops(x: Exchange, market: Market) -> None:
    """As long as trading is continuous and a waiting stop is met; one that trades may meet the next."""
    while market.listed_phase == Phase.CONTINUOUS:
        order = market.buy_stops.first_met(market.last) or market.sell_stops.first_met(market.last)
        if order is None:
            return
        trigger(x, market, order)


def trigger(x: Exchange, market: Market, order: Order) -> None:
    """The stop leaves the stop book and is matched as a new order, in its own name."""
    cause = x.command
    x.command = cause._replace(session=order.session, client_order_id=order.client_order_id)
    x.leave_live(order)
    order.waiting = 0
    x.emit(
        EventKind.TRIGGERED,
        side=order.side,
        instrument=order.instrument,
        price=order.price,
        quantity=order.quantity,
        account=order.account,
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        remaining=order.remaining,
        aux=market.last,
        aux2=order.stop_price,
        session=order.session,
    )
    place_rest(x, market, order, match(x, market, order))
    x.command = cause
