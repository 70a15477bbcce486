"""The order commands (docs/engine.md section 2, docs/order-types.md, docs/call-auctions.md). Every function checks
everything before it changes anything."""

from __future__ import annotations

from engine.reference.admission import (
    check_account,
    check_account_active,
    check_crossing,
    check_not_frozen,
    check_open_for_entry,
    check_open_for_orders,
    check_role,
    check_room,
    check_take,
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
from engine.reference.matching import end_order, fillable, match, place_rest
from engine.reference.money import lock_of, move_lock, require_free
from engine.reference.order_terms import (
    ICEBERGS,
    IMMEDIATE,
    STOPS,
    check_offered,
    check_order_enums,
    check_side,
    check_stop_price,
)
from engine.reference.phases import takes_orders_for_call
from engine.reference.stops import trigger_stops
from engine.reference.trades import trade
from engine.schema import EventKind, MassCancelScope, OrderType, Phase, Reason, TimeInForce

TIF_OF_TAKE = int(TimeInForce.FOK)
BY_ACCOUNT, BY_INSTRUMENT, BY_SIDE, BY_SESSION = (int(bit) for bit in MassCancelScope)


def new_order(x: Exchange, command: Command) -> None:
    """NEW_ORDER: enter, match, rest (rule book, L1 to L6); in a call rest, as a stop wait."""
    check_order_enums(x, command)
    check_role(x, command)
    check_account(x, command)
    market = find_listed_market(x, command.instrument)
    check_offered(x, market, command)
    require_not_halted(x, market)
    check_open_for_entry(market, command)
    check_account_active(x, command.account)
    require_firm_active(x, command.account)
    shown = command.quantity2 if command.order_type in ICEBERGS else None
    price = check_terms(market, command.side, command.order_type, command.price, command.quantity, shown=shown)
    if command.order_type in STOPS:
        check_stop_price(market, command.price2)
    of_a_call = takes_orders_for_call(market)
    rests = of_a_call or command.time_in_force not in IMMEDIATE
    require_member_limits(
        x,
        market,
        command.account,
        command.side,
        price,
        command.quantity,
        collared=command.price != 0,
        opens=rests,
    )
    order = draft(x, command, price, command.order_type, command.time_in_force)
    matched = not of_a_call and command.order_type not in STOPS
    if matched:
        check_crossing(x, market, command.side, price, command.flags)
        check_walk(x, market, order, command.target)
    if rests:
        check_room(x, order)
    require_free(x, market, order.side, order.account, lock_of(x, market, order))

    accept(x, market, order)
    if matched:
        place_rest(x, market, order, match(x, market, order))
    else:
        order.waiting = int(order.order_type in STOPS)
        x.enter_live(order)
    trigger_stops(x, market)


def check_walk(x: Exchange, market: Market, order: Order, minimum: int) -> None:
    """Checks 10 and 10b: what must be fillable now is."""
    if order.time_in_force == TimeInForce.FOK and not fillable(x, market, order, order.quantity):
        raise Refused(Reason.FOK_NOT_FILLABLE)
    if minimum and not fillable(x, market, order, minimum):
        raise Refused(Reason.MIN_QUANTITY_NOT_MET)


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
        expiry=command.expiry,
        stop_price=command.price2,
        shown=command.quantity2,
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
    check_not_frozen(market)

    end_order(x, market, order, EventKind.CANCELLED, Reason.USER_REQUESTED)


def mass_cancel(x: Exchange, command: Command) -> None:
    """MASS_CANCEL: every owned live order that fits all the set bits, but for those of a frozen call."""
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
            and not x.markets[order.instrument - 1].call_frozen
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
    check_take(x, market, order, listing)
    require_free(x, market, order.side, order.account, lock_of(x, market, order))

    accept(x, market, order)
    trade(x, market, order, listing, command.quantity)
    trigger_stops(x, market)
