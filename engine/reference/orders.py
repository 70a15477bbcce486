"""The order commands (docs/engine.md section 2). Every function checks everything before it changes anything."""

from __future__ import annotations

from engine.reference.admission import (
    POST_ONLY,
    check_account,
    check_account_active,
    check_continuous,
    check_crossing,
    check_open_for_orders,
    check_role,
    check_self_take,
    check_side,
    check_target_flags,
    check_terms,
    find_listed_market,
    find_listing,
    find_market,
    find_own_order,
)
from engine.reference.book import Order
from engine.reference.exchange import Command, Exchange, Market, Refused
from engine.reference.limits import require_firm_active, require_member_limits, require_not_halted
from engine.reference.matching import end_order, fillable, match, place_rest, tell_replaced, trade
from engine.reference.money import cash_lock, lock_of, move_lock, require_free
from engine.schema import (
    EventKind,
    MassCancelScope,
    OrderType,
    Phase,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
)

IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK)
TIF_OF_TAKE = int(TimeInForce.FOK)
BY_ACCOUNT, BY_INSTRUMENT, BY_SIDE, BY_SESSION = (int(bit) for bit in MassCancelScope)


def new_order(x: Exchange, command: Command) -> None:
    """NEW_ORDER: enter, match, rest (rule book, L1 to L6)."""
    check_order_enums(command)
    check_role(x, command)
    check_account(x, command)
    market = find_listed_market(x, command.instrument)
    check_offered(market, command)
    require_not_halted(x, market)
    check_open_for_orders(market)
    check_account_active(x, command.account)
    require_firm_active(x, command.account)
    price = check_terms(market, command.side, command.order_type, command.price, command.quantity)
    require_member_limits(
        x,
        market,
        command.account,
        command.side,
        price,
        command.quantity,
        collared=command.price != 0,
        opens=command.time_in_force not in IMMEDIATE,
    )
    check_crossing(x, market, command.side, price, command.flags)
    order = draft(x, command, price, command.order_type, command.time_in_force)
    if command.time_in_force == TimeInForce.FOK and not fillable(x, market, order):
        raise Refused(Reason.FOK_NOT_FILLABLE)
    if command.time_in_force not in IMMEDIATE and len(x.orders) >= x.venue.capacity.orders:
        raise Refused(Reason.ORDER_TABLE_FULL)
    require_free(x, market, order.side, order.account, lock_of(x, market, order))

    accept(x, market, order)
    place_rest(x, market, order, match(x, market, order))


def check_order_enums(command: Command) -> None:
    check_side(command.side)
    if command.order_type not in (OrderType.LIMIT, OrderType.MARKET):
        raise Refused(Reason.INVALID_ORDER_TYPE)
    if not TimeInForce.DAY <= command.time_in_force <= TimeInForce.FOK:
        raise Refused(Reason.INVALID_TIME_IN_FORCE)
    if command.flags not in (0, POST_ONLY):
        raise Refused(Reason.INVALID_FLAGS)
    if command.self_trade > SelfTrade.DECREMENT:
        raise Refused(Reason.INVALID_SELF_TRADE)
    market_that_rests = command.order_type == OrderType.MARKET and command.time_in_force not in IMMEDIATE
    post_only_that_cannot_rest = command.flags == POST_ONLY and (
        command.order_type != OrderType.LIMIT or command.time_in_force in IMMEDIATE
    )
    if market_that_rests or post_only_that_cannot_rest:
        raise Refused(Reason.INVALID_COMBINATION)


def check_offered(market: Market, command: Command) -> None:
    """The instrument offers the order type, the time in force and post-only."""
    if command.order_type not in market.terms.order_types:
        raise Refused(Reason.INVALID_ORDER_TYPE)
    if command.time_in_force not in market.terms.times_in_force:
        raise Refused(Reason.INVALID_TIME_IN_FORCE)
    if command.flags and not market.terms.post_only:
        raise Refused(Reason.INVALID_FLAGS)


def draft(x: Exchange, command: Command, price: int, order_type: int, time_in_force: int) -> Order:
    """The order as it would be accepted."""
    return Order(
        order_id=x.last_order_id + 1,
        client_order_id=command.client_order_id,
        account=command.account,
        session=command.session,
        instrument=command.instrument,
        side=command.side,
        price=price,
        quantity=command.quantity,
        remaining=command.quantity,
        order_type=order_type,
        time_in_force=time_in_force,
        self_trade=command.self_trade,
        flags=command.flags,
    )


def accept(x: Exchange, market: Market, order: Order) -> None:
    """The order gets its number, its full amount is locked (rule book, L2)."""
    x.last_order_id = order.order_id
    locked = lock_of(x, market, order)
    move_lock(x, market, order, locked)
    x.emit(
        EventKind.ACCEPTED,
        side=order.side,
        instrument=order.instrument,
        price=order.price,
        quantity=order.quantity,
        account=order.account,
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        remaining=order.remaining,
        aux=locked,
        aux2=order.order_type | order.time_in_force << 8 | order.self_trade << 16 | order.flags << 24,
    )


def cancel_order(x: Exchange, command: Command) -> None:
    """CANCEL_ORDER: only what is unfilled; in the break only where the venue allows it (rule book, L9)."""
    check_target_flags(command.flags)
    check_role(x, command)
    order = find_own_order(x, command)
    market = find_market(x, order.instrument)
    refused_in = (Phase.CLOSED,) if x.venue.break_cancel else (Phase.CLOSED, Phase.BREAK)
    if market.listed_phase in refused_in:
        raise Refused(Reason.WRONG_PHASE)

    end_order(x, market, order, EventKind.CANCELLED, Reason.USER_REQUESTED)


def replace_order(x: Exchange, command: Command) -> None:
    """REPLACE_ORDER: only less quantity at the same price keeps priority (rule book, L10)."""
    check_target_flags(command.flags)
    check_role(x, command)
    order = find_own_order(x, command)
    market = find_market(x, order.instrument)
    require_not_halted(x, market)
    check_continuous(market)
    check_account_active(x, order.account)
    require_firm_active(x, order.account)
    check_terms(market, order.side, OrderType.LIMIT, command.price, command.quantity)
    require_member_limits(
        x,
        market,
        order.account,
        order.side,
        command.price,
        command.quantity,
        more=command.quantity - order.quantity,
        collared=True,
    )
    if command.quantity <= order.filled:
        raise Refused(Reason.QUANTITY_BELOW_FILLED)
    lock_before = lock_of(x, market, order)
    if command.price == order.price and command.quantity <= order.quantity:
        take_new_terms(x, market, order, command, lock_before, kept_priority=True)
        return
    check_crossing(x, market, order.side, command.price, order.flags)
    lock_after = lock_at(x, market, order, command.price, command.quantity - order.filled)
    require_free(x, market, order.side, order.account, lock_after - lock_before)

    x.leave_live(order)
    take_new_terms(x, market, order, command, lock_before, kept_priority=False)
    place_rest(x, market, order, match(x, market, order))


def lock_at(x: Exchange, market: Market, order: Order, price: int, remaining: int) -> int:
    """What the order would lock with other terms."""
    if not x.venue.prefunded:
        return 0
    if order.side == Side.SELL:
        return remaining * market.terms.units_per_lot
    return cash_lock(market.terms, order.cumulative_amount, price, remaining)


def take_new_terms(
    x: Exchange, market: Market, order: Order, command: Command, lock_before: int, *, kept_priority: bool
) -> None:
    filled = order.filled
    order.price = command.price
    order.quantity = command.quantity
    order.remaining = command.quantity - filled
    change = lock_of(x, market, order) - lock_before
    move_lock(x, market, order, change)
    tell_replaced(x, order, change, kept_priority=kept_priority)


def mass_cancel(x: Exchange, command: Command) -> None:
    """MASS_CANCEL: every owned live order that fits all the set bits."""
    scope = command.scope
    check_mass_cancel_fields(command)
    check_role(x, command)
    if scope & BY_ACCOUNT:
        check_account(x, command)
    if scope & BY_INSTRUMENT:
        find_market(x, command.instrument)

    def fits(order: Order) -> bool:
        return (
            x.owns_order(command.session, order)
            and (not scope & BY_ACCOUNT or order.account == command.account)
            and (not scope & BY_INSTRUMENT or order.instrument == command.instrument)
            and (not scope & BY_SIDE or order.side == command.side)
            and (not scope & BY_SESSION or order.session == command.session)
        )

    chosen = [order for order in x.live_orders() if fits(order)]
    for order in chosen:
        end_order(x, x.markets[order.instrument - 1], order, EventKind.CANCELLED, Reason.MASS_CANCEL)
    x.emit(EventKind.MASS_CANCELLED, quantity=len(chosen), client_order_id=command.client_order_id)


def check_mass_cancel_fields(command: Command) -> None:
    scope = command.scope
    if scope > 15:
        raise Refused(Reason.INVALID_SCOPE)
    if scope & BY_SIDE:
        check_side(command.side)
    without_bit = (
        (command.side and not scope & BY_SIDE)
        or (command.account and not scope & BY_ACCOUNT)
        or (command.instrument and not scope & BY_INSTRUMENT)
    )
    if without_bit:
        raise Refused(Reason.UNUSED_FIELD_SET)


def take(x: Exchange, command: Command) -> None:
    """TAKE: one trade with the listing that is named, at its price; nothing rests (rule book, L4 CLICK)."""
    check_side(command.side)
    check_role(x, command)
    check_account(x, command)
    market = find_listed_market(x, command.instrument)
    require_not_halted(x, market)
    check_open_for_orders(market)
    check_account_active(x, command.account)
    require_firm_active(x, command.account)
    check_terms(market, command.side, OrderType.LIMIT, command.price, command.quantity)
    require_member_limits(x, market, command.account, command.side, command.price, command.quantity, collared=True)
    listing = find_listing(x, market, command)
    order = draft(x, command, command.price, OrderType.NONE, TIF_OF_TAKE)
    check_self_take(x, order, listing)
    require_free(x, market, order.side, order.account, lock_of(x, market, order))

    accept(x, market, order)
    trade(x, market, order, listing, command.quantity)
