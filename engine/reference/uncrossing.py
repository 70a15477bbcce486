"""The end of a call: one price, the trades at it, and what was for the call only (docs/call-auctions.md 12.2 and 12.4;
KRX: largest volume, then the reference; T7: then the smallest surplus, its side, the reference)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from engine.reference.book import BookSide, Order
from engine.reference.exchange import Exchange, Market
from engine.reference.matching import end_order
from engine.reference.money import half_up
from engine.reference.trades import exchange_lots, last_of_today, note_statistics, tell_fees, tell_pair
from engine.schema import EventKind, OrderType, Reason, TimeInForce


class Candidate(NamedTuple):
    """What one price would trade."""

    price: int
    bid: int
    """Lots bid at it or higher."""
    offered: int
    """Lots offered at it or lower."""

    @property
    def volume(self) -> int:
        return min(self.bid, self.offered)

    @property
    def surplus(self) -> int:
        return self.bid - self.offered


class Uncrossing(NamedTuple):
    at: Candidate
    reference: int


def candidate(market: Market, price: int) -> Candidate:
    bid = sum(order.remaining for order in within(market.buys, price))
    offered = sum(order.remaining for order in within(market.sells, price))
    return Candidate(price, bid, offered)


def within(side: BookSide, price: int) -> Iterator[Order]:
    """The orders of a side that may trade at `price`, in the order in which they do."""
    for level_price, level in side.best_first():
        if not side.within(level_price, price):
            return
        yield from level.orders()


def uncrossing_of(market: Market) -> Uncrossing | None:
    """What an uncrossing would do now; None when the book is not crossed."""
    best_bid, best_offer = market.buys.best_price(), market.sells.best_price()
    if not best_bid or not best_offer or best_bid < best_offer:
        return None
    occupied = {*market.buys.levels, *market.sells.levels}
    found = [candidate(market, price) for price in sorted(occupied) if best_offer <= price <= best_bid]
    most = max(one.volume for one in found)
    found = [one for one in found if one.volume == most]
    by_surplus = market.terms.call_rule == "T7"
    if by_surplus:
        least = min(abs(one.surplus) for one in found)
        found = [one for one in found if abs(one.surplus) == least]
    low, high = found[0].price, found[-1].price
    reference = reference_of(market, low, high)
    price = min(max(reference, low), high)
    if by_surplus and all(one.surplus > 0 for one in found):
        price = high
    elif by_surplus and all(one.surplus < 0 for one in found):
        price = low
    return Uncrossing(candidate(market, price), reference)


def reference_of(market: Market, low: int, high: int) -> int:
    """Last price of today, else previous close, else the middle; on the price step."""
    reference = last_of_today(market) or market.previous_close or half_up(low + high, 2)
    return reference - reference % market.terms.price_step


def end_call(x: Exchange, market: Market) -> None:
    """A crossed book trades at one price; then the orders for this call only end."""
    found = uncrossing_of(market)
    if found:
        uncross(x, market, found)
    for order in [order for order in market.orders() if for_call_only(order)]:
        end_order(x, market, order, EventKind.EXPIRED, Reason.CALL_REMAINDER)


def for_call_only(order: Order) -> bool:
    return order.time_in_force == TimeInForce.IOC or order.order_type == OrderType.MARKET


def uncross(x: Exchange, market: Market, found: Uncrossing) -> None:
    """Buyers and sellers are paired head to head until the volume is done."""
    at = found.at
    x.emit(
        EventKind.CALL_UNCROSSED,
        instrument=market.instrument,
        price=at.price,
        quantity=at.volume,
        remaining=at.bid,
        contra_remaining=at.offered,
        aux=found.reference,
    )
    buyers, sellers = list(within(market.buys, at.price)), list(within(market.sells, at.price))
    volume = at.volume
    while volume:
        buyer, seller = buyers[0], sellers[0]
        lots = min(buyer.remaining, seller.remaining)
        volume -= lots
        pair(x, market, buyer, seller, at.price, lots)
        buyers = buyers if buyer.remaining else buyers[1:]
        sellers = sellers if seller.remaining else sellers[1:]
    market.call_price = at.price
    x.references[market.instrument] = at.price


def pair(x: Exchange, market: Market, buyer: Order, seller: Order, price: int, lots: int) -> None:
    """One trade of an uncrossing; nobody is the aggressor."""
    moved = exchange_lots(x, market, buyer, seller, price, lots)
    for order in (buyer, seller):
        show_rest(order, lots)
        if not order.remaining:
            x.leave_live(order)
    tell_pair(x, EventKind.TRADE, buyer, seller, price, lots, aux=moved.released)
    note_statistics(x, market, price, lots)
    tell_fees(x, buyer, seller, price, lots, moved)


def show_rest(order: Order, lots: int) -> None:
    """An iceberg takes part with all it has: its visible lots go first, then part after part, in its place."""
    if not order.shown:
        return
    left = order.remaining + lots
    while lots:
        part = min(lots, order.visible)
        lots, left = lots - part, left - part
        order.visible -= part
        if not order.visible:
            order.visible = min(order.shown, left)
