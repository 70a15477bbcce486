"""Matching: price, then time, at the resting order's price (docs/engine.md section 3; rule book section 3, L4-L8)."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from engine.reference.book import Order
from engine.reference.exchange import Exchange, Market
from engine.reference.money import fee_on, lock_of, move_lock
from engine.schema import EventKind, Reason, SelfTrade, Side, TimeInForce


class Stop(Enum):
    """Why a taker trades no further."""

    DONE = auto()
    """Nothing is left, or nothing more is within the limit."""
    DEPTH = auto()
    """The next price within the limit lies beyond the best `sweep_levels` levels."""
    PREVENTED = auto()
    """Self-trade prevention ended the taker."""


class Outcome(NamedTuple):
    stop: Stop
    last_price: int
    """The last price touched; 0 when none was."""


def depth_cap(x: Exchange) -> int:
    """How many price levels one order may touch; 0 = no cap. RESWEEP goes on past the cap, so it has none."""
    return 0 if x.venue.depth_remainder == "RESWEEP" else x.venue.sweep_levels


def prevention_mode(x: Exchange, taker: Order, maker: Order) -> int:
    """The self-trade prevention mode that stands between two orders; 0 when they may trade."""
    mode = taker.self_trade or x.venue.self_trade_mode
    if not mode:
        return 0
    group = x.owner_group(taker.account)
    return mode if group != 0 and group == x.owner_group(maker.account) else 0


def fillable(x: Exchange, market: Market, taker: Order) -> bool:
    """FOK walk: whether the full quantity would trade now. Changes nothing."""
    counter = market.counter_side(taker.side)
    cap = depth_cap(x)
    found = 0
    for visited, (price, level) in enumerate(counter.best_first()):
        if not counter.within(price, taker.price) or (cap and visited == cap):
            return False
        for maker in level.values():
            mode = prevention_mode(x, taker, maker)
            if mode == SelfTrade.CANCEL_MAKER:
                continue
            if mode:
                return False
            found += maker.remaining
            if found >= taker.quantity:
                return True
    return False


def match(x: Exchange, market: Market, taker: Order) -> Outcome:
    """Trade the taker, which does not rest, against the counter side as far as the rules allow."""
    counter = market.counter_side(taker.side)
    cap = depth_cap(x)
    visited = last_price = 0
    while taker.remaining and counter.reaches(taker.price):
        price = counter.best_price()
        if price != last_price:
            if cap and visited == cap:
                return Outcome(Stop.DEPTH, last_price)
            visited += 1
            last_price = price
        maker = counter.first_order()
        mode = prevention_mode(x, taker, maker)
        if not mode:
            trade(x, market, taker, maker, min(taker.remaining, maker.remaining))
            continue
        if mode == SelfTrade.DECREMENT:
            decrement(x, market, taker, maker)
            continue
        if mode in (SelfTrade.CANCEL_MAKER, SelfTrade.CANCEL_BOTH):
            end_order(x, market, maker, EventKind.CANCELLED, Reason.SELF_TRADE_PREVENTED)
        if mode in (SelfTrade.CANCEL_TAKER, SelfTrade.CANCEL_BOTH):
            return Outcome(Stop.PREVENTED, last_price)
    return Outcome(Stop.DONE, last_price)


def place_rest(x: Exchange, market: Market, taker: Order, outcome: Outcome) -> None:
    """What becomes of the lots that did not trade; at most one event."""
    if not taker.remaining:
        return
    if outcome.stop is Stop.PREVENTED:
        end_order(x, market, taker, EventKind.CANCELLED, Reason.SELF_TRADE_PREVENTED)
    elif taker.time_in_force == TimeInForce.IOC:
        end_order(x, market, taker, EventKind.EXPIRED, Reason.IOC_REMAINDER)
    elif outcome.stop is Stop.DEPTH and x.venue.depth_remainder == "SYSTEM_CANCEL":
        end_order(x, market, taker, EventKind.CANCELLED, Reason.DEPTH_LIMIT)
    elif outcome.stop is Stop.DEPTH:
        rest_at_last(x, market, taker, outcome.last_price)
    else:
        x.enter_live(taker)


def rest_at_last(x: Exchange, market: Market, taker: Order, price: int) -> None:
    """REST_AT_LAST: the rest takes the last price touched, so that the book is never crossed (rule book, L5)."""
    before = lock_of(x, market, taker)
    taker.price = price
    change = lock_of(x, market, taker) - before
    move_lock(x, market, taker, change)
    x.enter_live(taker)
    tell_replaced(x, taker, change, kept_priority=False)


def trade(x: Exchange, market: Market, taker: Order, maker: Order, quantity: int) -> None:
    """One trade at the maker's price: delivery against payment, fees, statistics, events."""
    price = maker.price
    buyer, seller = (taker, maker) if taker.side == Side.BUY else (maker, taker)
    lock_before = lock_of(x, market, buyer)
    taker.remaining -= quantity
    maker.remaining -= quantity
    released = buyer_fee = seller_fee = 0
    if x.venue.prefunded:
        amount = price * quantity * market.terms.tick_value
        buyer_fee = charge_fee(market, buyer, amount)
        seller_fee = charge_fee(market, seller, amount)
        lock_freed = lock_before - lock_of(x, market, buyer)
        released = lock_freed - amount - buyer_fee
        deliver(x, market, buyer, seller, quantity, lock_freed, released, amount - seller_fee)
        x.fees[market.terms.currency] += buyer_fee + seller_fee
    note_statistics(market, price, quantity)
    if not maker.remaining:
        x.leave_live(maker)
    tell_pair(x, EventKind.TRADE, taker, maker, quantity, released, 0)
    if buyer_fee or seller_fee:
        x.emit(
            EventKind.FEE,
            instrument=market.instrument,
            price=price,
            quantity=quantity,
            account=buyer.account,
            contra_account=seller.account,
            order_id=buyer.order_id,
            contra_order_id=seller.order_id,
            client_order_id=buyer.client_order_id,
            contra_client_order_id=seller.client_order_id,
            aux=buyer_fee,
            aux2=seller_fee,
            session=buyer.session,
            contra_session=seller.session,
        )


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


def note_statistics(market: Market, price: int, quantity: int) -> None:
    market.last = price
    market.open = market.open or price
    market.high = max(market.high, price)
    market.low = min(market.low, price) if market.low else price
    market.volume += quantity
    market.turnover += price * quantity
    market.trades += 1


def decrement(x: Exchange, market: Market, taker: Order, maker: Order) -> None:
    """Self-trade prevention by DECREMENT: the smaller rest is taken off both orders; nothing trades."""
    lots = min(taker.remaining, maker.remaining)
    released = {}
    for order in (taker, maker):
        before = lock_of(x, market, order)
        order.remaining -= lots
        order.quantity -= lots
        released[order.side] = before - lock_of(x, market, order)
        move_lock(x, market, order, -released[order.side])
    if not maker.remaining:
        x.leave_live(maker)
    tell_pair(x, EventKind.DECREMENTED, taker, maker, lots, released[Side.BUY], released[Side.SELL])


def end_order(x: Exchange, market: Market, order: Order, kind: EventKind, reason: Reason) -> None:
    """An order ends with lots left: its lock is released and one CANCELLED or EXPIRED tells so."""
    released = lock_of(x, market, order)
    lots = order.remaining
    move_lock(x, market, order, -released)
    x.leave_live(order)
    x.emit(
        kind,
        reason=reason,
        side=order.side,
        instrument=order.instrument,
        price=order.price,
        quantity=lots,
        account=order.account,
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        contra_client_order_id=x.command.client_order_id,
        aux=released,
        session=order.session,
        contra_session=x.command.session,
    )


def tell_replaced(x: Exchange, order: Order, lock_change: int, *, kept_priority: bool) -> None:
    x.emit(
        EventKind.REPLACED,
        side=order.side,
        instrument=order.instrument,
        price=order.price,
        quantity=order.quantity,
        account=order.account,
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        contra_client_order_id=x.command.client_order_id,
        remaining=order.remaining,
        aux=lock_change,
        aux2=int(kept_priority),
        session=order.session,
        contra_session=x.command.session,
    )


def tell_pair(x: Exchange, kind: EventKind, taker: Order, maker: Order, lots: int, aux: int, aux2: int) -> None:
    """TRADE or DECREMENTED: one event names both sides."""
    x.emit(
        kind,
        side=taker.side,
        aggressor=taker.side,
        instrument=taker.instrument,
        price=maker.price,
        quantity=lots,
        account=taker.account,
        contra_account=maker.account,
        order_id=taker.order_id,
        contra_order_id=maker.order_id,
        client_order_id=taker.client_order_id,
        contra_client_order_id=maker.client_order_id,
        remaining=taker.remaining,
        contra_remaining=maker.remaining,
        aux=aux,
        aux2=aux2,
        session=taker.session,
        contra_session=maker.session,
    )
