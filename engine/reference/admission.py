"""The checks that several order commands share, in the order of docs/engine.md section 2, NEW_ORDER 1 to 8."""

from __future__ import annotations

from engine.reference.book import HIDDEN, Order
from engine.reference.corridors import outside_corridor
from engine.reference.exchange import Command, Exchange, Market, Refused
from engine.reference.matching import prevention_mode
from engine.reference.money import fee_on
from engine.reference.order_terms import POST_ONLY, STOPS, check_shown
from engine.reference.phases import takes_orders_for_call
from engine.schema import (
    FIRST_OPERATOR_KIND,
    MAX_MONEY,
    MAX_QUANTITY,
    CommandKind,
    OrderFlag,
    OrderType,
    Phase,
    Reason,
    Role,
    Side,
    Status,
    TimeInForce,
)

BY_CLIENT_ID = int(OrderFlag.BY_CLIENT_ID)
"""As a plain integer: arithmetic on flag enums is slow."""
LAST_NUMBER = 2**63 - 1


def check_session(x: Exchange, command: Command) -> None:
    """The session exists and has not been ended by the venue."""
    if not 0 <= command.session < len(x.sessions):
        raise Refused(Reason.UNKNOWN_SESSION)
    if x.sessions[command.session].status != Status.ACTIVE:
        raise Refused(Reason.SESSION_ENDED)


def consume_number(x: Exchange, command: Command) -> None:
    """Client order ids rise strictly per session and are consumed by accepts and rejects alike; a QUOTE has two."""
    if command.session == 0 and command.client_order_id == 0:
        return
    session = x.sessions[command.session]
    last = command.client_order_id + (command.kind == CommandKind.QUOTE)
    if command.client_order_id <= session.last_client_order_id or last > LAST_NUMBER:
        raise Refused(Reason.STALE_CLIENT_ORDER_ID)
    session.last_client_order_id = last


def check_role(x: Exchange, command: Command) -> None:
    """Traders trade, operators operate; the venue itself (session 0) does both."""
    if command.session == 0:
        return
    needed = Role.OPERATOR if command.kind >= FIRST_OPERATOR_KIND else Role.TRADER
    if x.sessions[command.session].role != needed:
        raise Refused(Reason.NOT_PERMITTED)


def check_target_flags(flags: int) -> None:
    if flags not in (0, BY_CLIENT_ID):
        raise Refused(Reason.INVALID_FLAGS)


def check_account(x: Exchange, command: Command) -> None:
    """Somebody else's account is as unknown as one that does not exist."""
    if x.venue.prefunded:
        known = x.account_exists(command.account) and x.owns_account(command.session, command.account)
    else:
        known = command.account >= 0
    if not known:
        raise Refused(Reason.UNKNOWN_ACCOUNT)


def find_market(x: Exchange, instrument: int) -> Market:
    market = x.market(instrument)
    if market is None:
        raise Refused(Reason.UNKNOWN_INSTRUMENT)
    return market


def find_listed_market(x: Exchange, instrument: int) -> Market:
    market = find_market(x, instrument)
    if not x.is_listed(market, x.trading_date):
        raise Refused(Reason.NOT_LISTED)
    return market


def check_continuous(market: Market) -> None:
    if market.listed_phase != Phase.CONTINUOUS:
        raise Refused(Reason.WRONG_PHASE)


def check_open_for_entry(market: Market, command: Command) -> None:
    """NEW_ORDER: continuous trading, or a call that takes such an order (docs/call-auctions.md 12.1)."""
    if not takes_orders_for_call(market):
        check_open_for_orders(market)
        return
    only_continuous = command.flags or command.target or command.order_type in STOPS
    if only_continuous or command.time_in_force == TimeInForce.FOK:
        raise Refused(Reason.WRONG_PHASE)
    check_reference(market)


def check_open_for_orders(market: Market) -> None:
    """Continuous trading, and a previous close where the daily limit needs one."""
    check_continuous(market)
    check_reference(market)


def check_reference(market: Market) -> None:
    if market.terms.limit_listed_bps and not market.previous_close:
        raise Refused(Reason.NO_REFERENCE_PRICE)


def check_account_active(x: Exchange, account: int) -> None:
    if x.venue.prefunded and x.accounts[account].status != Status.ACTIVE:
        raise Refused(Reason.ACCOUNT_SUSPENDED)


def check_terms(
    market: Market, side: int, order_type: int, price: int, quantity: int, *, shown: int | None = None, kept: int = 0
) -> int:
    """Checks 5 to 8: price, quantity, window and limits, amount. Returns the price in force, ticks.

    Args:
        shown: the part that an iceberg shows.
        kept: a price that stays in force, which is not asked about again.
    """
    terms = market.terms
    unpriced = order_type in (OrderType.MARKET, OrderType.STOP) and price == 0
    if kept:
        price = kept
    elif unpriced:
        if not market.limit_up:
            raise Refused(Reason.PRICE_REQUIRED)
        price = min(market.limit_up, market.ceiling) if side == Side.BUY else max(market.limit_down, market.floor)
    elif price < 1:
        raise Refused(Reason.INVALID_PRICE)
    elif price % terms.price_step:
        raise Refused(Reason.OFF_TICK)
    check_quantity(market, quantity)
    if shown is not None:
        check_shown(market, shown, quantity)
    if not kept:
        check_bounds(market, price, exempt_from_window=unpriced)
    most = market.ceiling * quantity * terms.tick_value
    if most + fee_on(terms, most) > MAX_MONEY:
        raise Refused(Reason.AMOUNT_OVERFLOW)
    return price


def check_bounds(market: Market, price: int, *, exempt_from_window: bool) -> None:
    """Check 7: the price window, then the day's limits."""
    if not exempt_from_window and not market.floor <= price <= market.ceiling:
        raise Refused(Reason.PRICE_OUT_OF_WINDOW)
    if market.limit_up and price > market.limit_up:
        raise Refused(Reason.PRICE_ABOVE_LIMIT)
    if price < market.limit_down:
        raise Refused(Reason.PRICE_BELOW_LIMIT)


def check_quantity(market: Market, quantity: int) -> None:
    terms = market.terms
    if not 1 <= quantity <= MAX_QUANTITY:
        raise Refused(Reason.INVALID_QUANTITY)
    if quantity % terms.quantity_step:
        raise Refused(Reason.OFF_LOT)
    if quantity < terms.quantity_min:
        raise Refused(Reason.QUANTITY_TOO_SMALL)
    if quantity > terms.quantity_max:
        raise Refused(Reason.QUANTITY_TOO_LARGE)


def check_crossing(x: Exchange, market: Market, side: int, price: int, flags: int) -> None:
    """Check 9: post-only never takes, and where the venue refuses crossing orders nobody takes on entry."""
    post_only = flags & POST_ONLY
    if (post_only or x.venue.cross_policy == "REJECT") and market.counter_side(side).reaches(price):
        raise Refused(Reason.POST_ONLY_WOULD_TAKE if post_only else Reason.WOULD_CROSS)


def find_own_order(x: Exchange, command: Command) -> Order:
    """The live order a command addresses. A foreign order is refused like one that does not exist."""
    if command.flags & BY_CLIENT_ID:
        order = x.by_client_id.get((command.session, command.target))
    else:
        order = x.orders.get(command.target)
    if order is None or not x.owns_order(command.session, order):
        raise Refused(Reason.UNKNOWN_ORDER)
    return order


def find_listing(x: Exchange, market: Market, command: Command) -> Order:
    """The listing that a TAKE names: it must still stand as the taker saw it (rule book, L4 CLICK)."""
    listing = x.orders.get(command.target)
    if listing is None or listing.instrument != command.instrument or listing.side == command.side:
        raise Refused(Reason.UNKNOWN_ORDER)
    if listing.waiting or listing.flags & HIDDEN:
        raise Refused(Reason.UNKNOWN_ORDER)
    if listing.price != command.price:
        raise Refused(Reason.LISTING_CHANGED)
    better = market.side(listing.side).better_levels(listing.price)
    if x.venue.click_strict:
        if better:
            raise Refused(Reason.NOT_AT_BEST)
    elif x.venue.sweep_levels and better >= x.venue.sweep_levels:
        raise Refused(Reason.BEYOND_DEPTH)
    if command.quantity > listing.offered:
        raise Refused(Reason.QUANTITY_EXCEEDS_LISTING)
    return listing


def check_take(x: Exchange, market: Market, taker: Order, listing: Order) -> None:
    """A TAKE of one's own group's listing is refused whatever the prevention mode is; one outside a corridor too."""
    if prevention_mode(x, taker, listing):
        raise Refused(Reason.SELF_TRADE)
    if outside_corridor(x, market, listing.price):
        raise Refused(Reason.PRICE_OUT_OF_WINDOW)


def check_not_frozen(market: Market) -> None:
    """At the end of a call orders stand firm (docs/call-auctions.md 12.1)."""
    if market.call_frozen:
        raise Refused(Reason.WRONG_PHASE)


def check_room(x: Exchange, order: Order) -> None:
    """Check 11, of an order that will rest: the tables of live orders and of live icebergs."""
    if len(x.orders) >= x.venue.capacity.orders:
        raise Refused(Reason.ORDER_TABLE_FULL)
    if order.shown and sum(1 for one in x.orders.values() if one.shown) >= x.venue.capacity.icebergs:
        raise Refused(Reason.ORDER_TABLE_FULL)
