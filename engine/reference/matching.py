"""Matching: price, then time (docs/engine.md section 3, docs/order-types.md section 11; rule book section 3, L4-L8)."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from engine.reference.book import Level, Order
from engine.reference.corridors import interrupt, outside_corridor
from engine.reference.exchange import Exchange, Market
from engine.reference.money import lock_of, move_lock
from engine.reference.trades import refresh, take_off_maker, tell_pair, trade
from engine.schema import EventKind, OrderType, Reason, SelfTrade, Side, TimeInForce


class Stop(Enum):
    """Why a taker trades no further."""

    DONE = auto()
    """Nothing is left, or nothing more is within the limit."""
    DEPTH = auto()
    """The next price within the limit lies beyond the best `sweep_levels` levels."""
    PREVENTED = auto()
    """Self-trade prevention ended the taker."""
    INTERRUPTED = auto()
    """The next trade would lie outside a corridor: a call has begun."""


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


def fillable(x: Exchange, market: Market, taker: Order, wanted: int) -> bool:
    """The walk of FOK and of a minimum quantity: whether `wanted` lots would trade now. Changes nothing."""
    counter = market.counter_side(taker.side)
    cap = depth_cap(x)
    found = 0
    for visited, (price, level) in enumerate(counter.best_first()):
        if not counter.within(price, taker.price) or (cap and visited == cap) or outside_corridor(x, market, price):
            return False
        lots, ended = lots_within_reach(x, taker, level)
        found += lots
        if found >= wanted or ended:
            return found >= wanted
    return False


def lots_within_reach(x: Exchange, taker: Order, level: Level) -> tuple[int, bool]:
    """Lots of one price that the taker would get, and whether an order of its own group ends the walk there.

    What is displayed comes first, then the hidden parts of icebergs, then hidden orders.
    """
    lots = behind = 0
    for queue in (level.displayed, level.hidden):
        for maker in queue.values():
            mode = prevention_mode(x, taker, maker)
            if mode == SelfTrade.CANCEL_MAKER:
                continue
            if mode:
                return lots, True
            lots += maker.offered
            behind += maker.remaining - maker.offered
        lots, behind = lots + behind, 0
    return lots, False


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
            if outside_corridor(x, market, price):
                interrupt(x, market)
                return Outcome(Stop.INTERRUPTED, last_price)
            trade(x, market, taker, maker, min(taker.remaining, maker.offered))
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
    elif taker.time_in_force == TimeInForce.IOC or taker.order_type == OrderType.STOP:
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


def decrement(x: Exchange, market: Market, taker: Order, maker: Order) -> None:
    """Self-trade prevention by DECREMENT: the smaller rest is taken off both orders; nothing trades."""
    lots = min(taker.remaining, maker.offered)
    released = {}
    for order in (taker, maker):
        before = lock_of(x, market, order)
        order.remaining -= lots
        order.quantity -= lots
        released[order.side] = before - lock_of(x, market, order)
        move_lock(x, market, order, -released[order.side])
    take_off_maker(x, maker, lots)
    freed, returned = released[Side.BUY], released[Side.SELL]
    tell_pair(x, EventKind.DECREMENTED, taker, maker, maker.price, lots, aux=freed, aux2=returned, aggressor=taker.side)
    refresh(x, market, maker)


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
