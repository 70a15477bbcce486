"""The checks that come before anything changes. Each returns Reason.NONE or the first failure's reason.

Their order is the contract: session, number, kind, enums, role, account, instrument, phase, account enabled, price,
quantity, window and limits, amount, post-only and FOK, capacity, funds or units.
"""

import numpy as np

from engine.kernel.compiler import U, plain, small
from engine.kernel.levels import crosses
from engine.schema import (
    COMMAND,
    FIRST_OPERATOR_KIND,
    CommandKind,
    Mode,
    OrderFlag,
    OrderType,
    Phase,
    Reason,
    Role,
    SelfTrade,
    Side,
    Status,
    TimeInForce,
    unused_field_masks,
)
from engine.venue import MAX_INSTRUMENTS


def unusual_field_masks():
    """`unused_field_masks`, with the fields that only further order types use named too."""
    masks, named = unused_field_masks(), np.zeros(1, COMMAND)
    for kind, names in (
        (CommandKind.NEW_ORDER, ("target", "expiry", "price2", "quantity2")),
        (CommandKind.REPLACE_ORDER, ("expiry", "price2", "quantity2")),
    ):
        named[:] = 0
        for name in names:
            named[name] = -1
        masks[kind] |= named.view(np.int64)[:8]
    return masks


UNUSED = unused_field_masks()
"""By kind and word: the bits that must be zero."""
UNUSUAL = unusual_field_masks()
"""The same, and the bits that are zero unless an order asks for something further."""
MAX_LOTS = (1 << 31) - 1
LAST_NUMBER = (1 << 63) - 1
# Flags as bare integers: the compiler knows IntEnum but not IntFlag.
POST_ONLY = int(OrderFlag.POST_ONLY)
BY_CLIENT = int(OrderFlag.BY_CLIENT_ID)
HIDDEN = int(OrderFlag.HIDDEN)
RESTING = 1 << TimeInForce.DAY | 1 << TimeInForce.GTC | 1 << TimeInForce.GTD
IMMEDIATE = 1 << TimeInForce.IOC | 1 << TimeInForce.FOK


@small
def check_session(s, c):
    """Session and number; a good number is consumed here, whatever follows."""
    if c.session < 0 or c.session > s.sessions_open:
        return Reason.UNKNOWN_SESSION
    session = s.sessions[U(c.session)]
    if c.session > 0 and session.status != Status.ACTIVE:
        return Reason.SESSION_ENDED
    if c.session > 0 or c.client_order_id != 0:
        if c.client_order_id <= session.last_client_order_id:
            return Reason.STALE_CLIENT_ORDER_ID
        if c.kind == CommandKind.QUOTE:
            return consume_two(session, c.client_order_id)
        session.last_client_order_id = c.client_order_id
    return Reason.NONE


@small
def consume_two(session, number):
    """A quote's bid has the command's number, its offer the next one."""
    if number == LAST_NUMBER:
        return Reason.STALE_CLIENT_ORDER_ID
    session.last_client_order_id = number + 1
    return Reason.NONE


@small
def of_registry(kind):
    """The kinds of docs/registry.md, which only pre-funded venues offer."""
    return (
        CommandKind.SURRENDER <= kind <= CommandKind.PLEDGE_REQUEST
        or CommandKind.ALLOCATE_UNITS <= kind <= CommandKind.SET_TRANSFER_WINDOW
        or kind == CommandKind.CARRY_OVER
    )


@small
def check_kind(s, c, words, i):
    """`words[i]` is the command as int64 words."""
    kind = c.kind
    if UNUSED[kind, 2] != 0 or (kind == CommandKind.TAKE and not s.take_offered):
        return Reason.INVALID_KIND
    if kind >= CommandKind.SURRENDER and not s.prefunded and of_registry(kind):
        return Reason.INVALID_KIND
    return Reason.NONE if bits_set(words, i, kind, UNUSED) == 0 else Reason.UNUSED_FIELD_SET


@small
def bits_set(words, i, kind, masks):
    """Those bits of a command that the masks of its kind name."""
    found = np.int64(0)
    for word in range(8):
        found |= words[U(i), word] & masks[kind, word]
    return found


@small
def check_role(s, c):
    if c.session == 0:
        return Reason.NONE
    needed = Role.TRADER if c.kind < FIRST_OPERATOR_KIND else Role.OPERATOR
    return Reason.NONE if s.sessions[U(c.session)].role == needed else Reason.NOT_PERMITTED


@small
def owns_account(s, session, account):
    """On a pre-funded venue: the account exists and is the session's firm's; session 0 owns all."""
    if account < 1 or account > s.accounts_open:
        return False
    return session == 0 or s.accounts[U(account)].firm == s.sessions[U(session)].firm


@small
def check_account(s, c):
    if s.prefunded:
        return Reason.NONE if owns_account(s, c.session, c.account) else Reason.UNKNOWN_ACCOUNT
    return Reason.NONE if c.account >= 0 else Reason.UNKNOWN_ACCOUNT


@small
def owns_order(s, session, order):
    if session == 0:
        return True
    if s.prefunded:
        return s.accounts[order.account].firm == s.sessions[U(session)].firm
    return order.session == session


@small
def is_listed(s, book, date):
    if date == 0:
        return bool(s.open_from_start)
    return book.listed_from <= date and (book.listed_until == 0 or date <= book.listed_until)


@small
def check_listed(s, instrument):
    if instrument < 1 or instrument > s.instruments:
        return Reason.UNKNOWN_INSTRUMENT
    return Reason.NONE if is_listed(s, s.books[U(instrument)], s.trading_date) else Reason.NOT_LISTED


@small
def check_open(s, book):
    if book.phases[Mode.LISTED] != Phase.CONTINUOUS:
        return Reason.WRONG_PHASE
    return check_reference(book)


@small
def check_reference(book):
    """Where there is a daily limit it needs a previous close."""
    return Reason.NO_REFERENCE_PRICE if book.has_limit and book.previous_close == 0 else Reason.NONE


@small
def check_enabled(s, account):
    return Reason.ACCOUNT_SUSPENDED if s.prefunded and s.accounts[U(account)].status != Status.ACTIVE else Reason.NONE


@plain
def set_bounds(book):
    """Bounds inside which price and quantity pass every check of `broken_term`; nothing is inside where steps count."""
    limited = book.has_limit != 0
    book.price_from = max(book.floor, book.limit_down if limited else book.floor, 1)
    book.price_to = min(book.ceiling, book.limit_up if limited else book.ceiling)
    book.quantity_from = max(book.quantity_min, 1)
    book.quantity_to = min(book.quantity_max, book.quantity_cap, MAX_LOTS)
    if book.price_step != 1 or book.quantity_step != 1:
        book.price_to = 0


@small
def check_terms(book, price, quantity, check_price):
    """Tick, lot, size, window, daily limit, amount; `check_price` is false for a price taken from the daily limit."""
    price_inside = (price >= book.price_from) & (price <= book.price_to)
    if price_inside & (quantity >= book.quantity_from) & (quantity <= book.quantity_to):
        return Reason.NONE
    return broken_term(book, price, quantity, check_price)


@small
def broken_term(book, price, quantity, check_price):
    """The checks of `check_terms` one by one, in their order."""
    reason = broken_price(book, price) if check_price else Reason.NONE
    if reason == Reason.NONE:
        reason = broken_quantity(book, quantity)
    if reason == Reason.NONE and check_price:
        reason = broken_window(book, price)
    return reason if reason != Reason.NONE else broken_amount(book, quantity)


@small
def broken_price(book, price):
    if price < 1:
        return Reason.INVALID_PRICE
    return Reason.OFF_TICK if book.price_step != 1 and price % book.price_step != 0 else Reason.NONE


@small
def broken_quantity(book, quantity):
    if quantity < 1 or quantity > MAX_LOTS:
        return Reason.INVALID_QUANTITY
    if book.quantity_step != 1 and quantity % book.quantity_step != 0:
        return Reason.OFF_LOT
    if quantity < book.quantity_min:
        return Reason.QUANTITY_TOO_SMALL
    return Reason.QUANTITY_TOO_LARGE if quantity > book.quantity_max else Reason.NONE


@small
def broken_window(book, price):
    if price < book.floor or price > book.ceiling:
        return Reason.PRICE_OUT_OF_WINDOW
    if book.has_limit:
        if price > book.limit_up:
            return Reason.PRICE_ABOVE_LIMIT
        if price < book.limit_down:
            return Reason.PRICE_BELOW_LIMIT
    return Reason.NONE


@small
def broken_amount(book, quantity):
    return Reason.AMOUNT_OVERFLOW if quantity > book.quantity_cap else Reason.NONE


@small
def stated_price(book, side, price):
    """The price in force of an order that may come without one, and whether it was stated; 0 where it has to be."""
    if price != 0:
        return price, True
    if not book.has_limit:
        return np.int64(0), False
    limit = min(book.limit_up, book.ceiling) if side == Side.BUY else max(book.limit_down, book.floor)
    return limit, False


@small
def is_plain_order(s, c):
    """Whether a NEW_ORDER without further fields is a limit or market order, sound as far as enums go, of an instrument
    without further rules: one question that spares plain orders all others."""
    times = 1 << np.int64(c.time_in_force & 7)
    if c.side != Side.BUY and c.side != Side.SELL:
        return False
    if c.order_type == OrderType.LIMIT:
        if c.time_in_force < TimeInForce.DAY or c.time_in_force > TimeInForce.FOK:
            return False
        if c["flags"] != 0 and (c["flags"] != POST_ONLY or not times & RESTING):
            return False
    elif c.order_type != OrderType.MARKET or c.time_in_force > TimeInForce.FOK or not times & IMMEDIATE or c["flags"]:
        return False
    if c.self_trade > SelfTrade.DECREMENT:
        return False
    return s.further_events == 0 or s.books[U(c.instrument & MAX_INSTRUMENTS - 1)].further == 0


@small
def check_offered(book, c):
    if not book.offers >> np.int64(c.order_type) & 1:
        return Reason.INVALID_ORDER_TYPE
    if not book.offers >> (8 + np.int64(c.time_in_force)) & 1:
        return Reason.INVALID_TIME_IN_FORCE
    if c["flags"] & ~(book.offers >> 16):
        return Reason.INVALID_FLAGS
    return Reason.NONE


@small
def check_crossing(s, book, side, price, post_only):
    if (post_only or s.cross_reject) and crosses(book, side, price):
        return Reason.POST_ONLY_WOULD_TAKE if post_only else Reason.WOULD_CROSS
    return Reason.NONE


@small
def mode_in_force(s, account, self_trade):
    """Self-trade prevention for a taker: a SelfTrade, or 0 where none applies."""
    if (self_trade == 0 and s.self_trade == 0) or owner_group(s, account) == 0:
        return np.int64(0)
    return np.int64(self_trade) if self_trade != 0 else np.int64(s.self_trade)


@small
def owner_group(s, account):
    """Whose beneficial ownership an account belongs to; without pre-funding the account number stands for it."""
    return np.int64(s.accounts[U(account)].owner_group) if s.prefunded else np.int64(account)
