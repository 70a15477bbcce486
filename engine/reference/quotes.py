"""QUOTE: a market maker's bid and offer at once (docs/order-types.md 11.6; market-maker obligations of RTS 8)."""

from __future__ import annotations

from typing import NamedTuple

from engine.reference.admission import (
    check_account,
    check_account_active,
    check_open_for_orders,
    check_role,
    check_terms,
    find_listed_market,
)
from engine.reference.book import BookSide, Order
from engine.reference.exchange import Command, Exchange, Market, Refused
from engine.reference.limits import require_firm_active, require_member_limits, require_not_halted
from engine.reference.matching import end_order, match, place_rest, tell_replaced
from engine.reference.money import lock_of, move_lock, require_free
from engine.reference.order_terms import POST_ONLY, check_flags_offered, check_self_trade
from engine.reference.orders import accept
from engine.reference.phases import takes_orders_for_call
from engine.reference.stops import trigger_stops
from engine.schema import EventKind, OrderType, Reason, Side, TimeInForce


class QuoteSide(NamedTuple):
    """One side of a new quote, and the order of the old one that it replaces."""

    side: int
    price: int
    quantity: int
    number: int
    """client_order_id of its order."""
    old: Order | None

    @property
    def quoted(self) -> bool:
        return self.quantity != 0

    @property
    def shrinks(self) -> bool:
        """The old order is at this price with lots enough: it keeps its place."""
        return self.old is not None and self.old.price == self.price and self.old.remaining >= self.quantity > 0


def quote(x: Exchange, command: Command) -> None:
    """QUOTE: enters, replaces or withdraws both sides in one step."""
    check_quote_fields(command)
    check_role(x, command)
    check_account(x, command)
    market = find_listed_market(x, command.instrument)
    require_not_halted(x, market)
    if not market.terms.quotes:
        raise Refused(Reason.MODE_NOT_OFFERED)
    check_flags_offered(market, command.flags)
    check_open_for_orders(market)
    check_account_active(x, command.account)
    require_firm_active(x, command.account)
    sides = sides_of(x, market, command)
    if not any(one.quoted or one.old for one in sides):
        raise Refused(Reason.UNKNOWN_ORDER)
    for one in sides:
        if one.quoted:
            check_quote_side(x, market, command, one, sides)
    if any(one.quoted for one in sides) and len(x.orders) + 2 > x.venue.capacity.orders:
        raise Refused(Reason.ORDER_TABLE_FULL)
    for one in sides:
        if one.quoted:
            require_free(x, market, one.side, command.account, additional_lock(x, market, command, one))

    for one in sides:
        if one.old is not None:
            end_or_shrink(x, market, one.old, one)
    for one in sides:
        if one.quoted and not one.shrinks:
            enter(x, market, command, one)
    trigger_stops(x, market)


def check_quote_fields(command: Command) -> None:
    if command.flags not in (0, POST_ONLY):
        raise Refused(Reason.INVALID_FLAGS)
    check_self_trade(command.self_trade)
    empty_with_price = (command.price and not command.quantity) or (command.price2 and not command.quantity2)
    crossed = command.quantity and command.quantity2 and command.price >= command.price2
    if empty_with_price or crossed:
        raise Refused(Reason.INVALID_COMBINATION)


def sides_of(x: Exchange, market: Market, command: Command) -> tuple[QuoteSide, QuoteSide]:
    """Bid and offer; the offer's order has the next number."""
    number = command.client_order_id
    old = old_quote(x, market, command)
    return (
        QuoteSide(Side.BUY, command.price, command.quantity, number, old.get(Side.BUY)),
        QuoteSide(Side.SELL, command.price2, command.quantity2, number and number + 1, old.get(Side.SELL)),
    )


def old_quote(x: Exchange, market: Market, command: Command) -> dict[int, Order]:
    """By side: what still lives of the account's last quote; where nothing is pre-funded, of the session's."""
    return {
        order.side: order
        for order in market.orders()
        if order.quote and order.account == command.account and (x.venue.prefunded or order.session == command.session)
    }


def check_quote_side(
    x: Exchange, market: Market, command: Command, one: QuoteSide, sides: tuple[QuoteSide, QuoteSide]
) -> None:
    """Checks 5 to 8 as a limit order's, member limits, and check 9 without the old quote's other side."""
    check_terms(market, one.side, OrderType.LIMIT, one.price, one.quantity)
    require_member_limits(
        x,
        market,
        command.account,
        one.side,
        one.price,
        one.quantity,
        more=one.quantity - (one.old.remaining if one.old else 0),
        collared=True,
    )
    other = sides[0] if one.side == Side.SELL else sides[1]
    refused = command.flags & POST_ONLY or x.venue.cross_policy == "REJECT"
    if refused and reaches_without(market.counter_side(one.side), one.price, other.old):
        raise Refused(Reason.POST_ONLY_WOULD_TAKE if command.flags & POST_ONLY else Reason.WOULD_CROSS)


def reaches_without(counter: BookSide, limit: int, left_out: Order | None) -> bool:
    """Whether a counter order limited to `limit` could trade with anything but one order."""
    for price, level in counter.best_first():
        if not counter.within(price, limit):
            return False
        if any(order is not left_out for order in level.orders()):
            return True
    return False


def draft_side(x: Exchange, command: Command, one: QuoteSide) -> Order:
    """The limit order of the day that a quoted side is."""
    return Order(
        order_id=x.last_order_id + 1,
        client_order_id=one.number,
        account=command.account,
        session=command.session,
        instrument=command.instrument,
        side=one.side,
        price=one.price,
        quantity=one.quantity,
        remaining=one.quantity,
        order_type=int(OrderType.LIMIT),
        time_in_force=int(TimeInForce.DAY),
        self_trade=command.self_trade,
        flags=command.flags,
        quote=1,
    )


def additional_lock(x: Exchange, market: Market, command: Command, one: QuoteSide) -> int:
    """What a quoted side needs beyond what the old one has locked."""
    if one.shrinks:
        return 0
    return lock_of(x, market, draft_side(x, command, one)) - (lock_of(x, market, one.old) if one.old else 0)


def end_or_shrink(x: Exchange, market: Market, old: Order, one: QuoteSide) -> None:
    if not one.shrinks:
        end_order(x, market, old, EventKind.CANCELLED, Reason.QUOTE_REPLACED)
        return
    before = lock_of(x, market, old)
    old.quantity, old.remaining = old.filled + one.quantity, one.quantity
    change = lock_of(x, market, old) - before
    move_lock(x, market, old, change)
    tell_replaced(x, old, change, kept_priority=True)


def enter(x: Exchange, market: Market, command: Command, one: QuoteSide) -> None:
    """A new order; where its other side has interrupted trading it rests for the call."""
    order = draft_side(x, command, one)
    accept(x, market, order)
    if takes_orders_for_call(market):
        x.enter_live(order)
    else:
        place_rest(x, market, order, match(x, market, order))
