"""REPLACE_ORDER (docs/engine.md section 2, docs/order-types.md 11.3 and 11.5; rule book, L10)."""

from __future__ import annotations

from typing import NamedTuple

from engine.reference.admission import (
    check_account_active,
    check_continuous,
    check_crossing,
    check_not_frozen,
    check_role,
    check_target_flags,
    check_terms,
    find_market,
    find_own_order,
)
from engine.reference.book import Order
from engine.reference.exchange import Command, Exchange, Market, Refused
from engine.reference.limits import require_firm_active, require_member_limits, require_not_halted
from engine.reference.matching import match, place_rest, tell_replaced
from engine.reference.money import cash_lock, lock_of, move_lock, require_free
from engine.reference.order_terms import check_last_date, check_stop_price
from engine.reference.phases import takes_orders_for_call
from engine.reference.stops import trigger_stops
from engine.schema import OrderType, Reason, Side, TimeInForce


class NewTerms(NamedTuple):
    """What an order is to become; what the command leaves out stays."""

    price: int
    quantity: int
    stop_price: int
    shown: int
    expiry: int

    def keeps_place(self, order: Order) -> bool:
        """Only less quantity, at the same price, keeps priority."""
        same = (order.price, order.stop_price, order.shown)
        return (self.price, self.stop_price, self.shown) == same and self.quantity <= order.quantity


def replace_order(x: Exchange, command: Command) -> None:
    """REPLACE_ORDER: only less quantity at the same price keeps priority."""
    check_target_flags(command.flags)
    check_role(x, command)
    order = find_own_order(x, command)
    check_fields_of_order(x, command, order)
    market = find_market(x, order.instrument)
    require_not_halted(x, market)
    of_a_call = takes_orders_for_call(market)
    if not of_a_call:
        check_continuous(market)
    check_not_frozen(market)
    check_account_active(x, order.account)
    require_firm_active(x, order.account)
    terms = check_new_terms(x, market, command, order)
    keeps_place = terms.keeps_place(order)
    if not keeps_place:
        if not of_a_call and not order.waiting:
            check_crossing(x, market, order.side, terms.price, order.flags)
        additional = lock_at(x, market, order, terms) - lock_of(x, market, order)
        require_free(x, market, order.side, order.account, additional)

    if keeps_place:
        take_new_terms(x, market, order, terms, kept_priority=True)
        order.visible = min(order.visible, order.remaining)
    else:
        x.leave_live(order)
        take_new_terms(x, market, order, terms, kept_priority=False)
        if of_a_call or order.waiting:
            x.enter_live(order)
        else:
            place_rest(x, market, order, match(x, market, order))
    trigger_stops(x, market)


def check_fields_of_order(x: Exchange, command: Command, order: Order) -> None:
    """Stop price, shown part and date only of an order that has one."""
    dated = order.time_in_force == TimeInForce.GTD
    if (command.price2 and not order.waiting) or (command.quantity2 and not order.shown):
        raise Refused(Reason.INVALID_COMBINATION)
    if command.expiry and not dated:
        raise Refused(Reason.INVALID_COMBINATION)
    if command.expiry:
        check_last_date(x, command.expiry)


def check_new_terms(x: Exchange, market: Market, command: Command, order: Order) -> NewTerms:
    """Checks 5 to 8 as a limit order's, member limits, and more than what has been filled."""
    kept = order.price if order.waiting and not command.price else 0
    shown = command.quantity2 or order.shown
    price = check_terms(
        market,
        order.side,
        OrderType.LIMIT,
        command.price,
        command.quantity,
        shown=shown if order.shown else None,
        kept=kept,
    )
    if command.price2:
        check_stop_price(market, command.price2)
    require_member_limits(
        x,
        market,
        order.account,
        order.side,
        price,
        command.quantity,
        more=command.quantity - order.quantity,
        collared=not kept,
    )
    if command.quantity <= order.filled:
        raise Refused(Reason.QUANTITY_BELOW_FILLED)
    return NewTerms(price, command.quantity, command.price2 or order.stop_price, shown, command.expiry or order.expiry)


def lock_at(x: Exchange, market: Market, order: Order, terms: NewTerms) -> int:
    """What the order would lock with other terms."""
    remaining = terms.quantity - order.filled
    if not x.venue.prefunded:
        return 0
    if order.side == Side.SELL:
        return remaining * market.terms.units_per_lot
    return cash_lock(market.terms, order.cumulative_amount, terms.price, remaining)


def take_new_terms(x: Exchange, market: Market, order: Order, terms: NewTerms, *, kept_priority: bool) -> None:
    filled, lock_before = order.filled, lock_of(x, market, order)
    order.price, order.quantity, order.remaining = terms.price, terms.quantity, terms.quantity - filled
    order.stop_price, order.shown, order.expiry = terms.stop_price, terms.shown, terms.expiry
    change = lock_of(x, market, order) - lock_before
    move_lock(x, market, order, change)
    tell_replaced(x, order, change, kept_priority=kept_priority)
