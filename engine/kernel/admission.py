"""The checks that come before anything changes. Each returns Reason.NONE or the first failure's reason.

Their order is the contract: session, number, kind, enums, role, account, instrument, phase, account enabled, price,
quantity, window and limits, amount, post-only and FOK, capacity, funds or units.
"""

import numpy as np

from engine.kernel.compiler import U, plain, small
from engine.kernel.levels import crosses
from engine.kernel.limits import check_halted, firm_enabled
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

# Flags as bare integers: the compiler knows IntEnum but not IntFlag.
POST_ONLY = int(OrderFlag.POST_ONLY)
BY_CLIENT = int(OrderFlag.BY_CLIENT_ID)
HIDDEN = int(OrderFlag.HIDDEN)


def first_word(**fields):
    """The first eight bytes of a command with these fields, as one number."""
    named = np.zeros(1, COMMAND)
    for name, value in fields.items():
        named[name] = value
    return int(named.view(np.int64)[0])


WORDS = COMMAND.itemsize // 8
UNUSED = unused_field_masks()
"""By kind and word: the bits that must be zero."""
PLAIN_ORDER = first_word(kind=CommandKind.NEW_ORDER, order_type=OrderType.LIMIT)
"""How a plain order begins, in the bits of ORDER_BITS: those that its side (0 to 3), time in force (0 to 7), self-trade
mode (0 to 7) and POST_ONLY leave."""
ORDER_BITS = first_word(
    kind=0xFF, side=0xFC, order_type=0xFF, time_in_force=0xF8, flags=~POST_ONLY, self_trade=0xF8, scope=0xFF
)
CHANGE_BITS = first_word(side=0xFF, order_type=0xFF, time_in_force=0xFF, flags=~BY_CLIENT, self_trade=0xFF, scope=0xFF)
"""What a plain cancel or replacement leaves zero."""
MAX_LOTS = (1 << 31) - 1
LAST_NUMBER = (1 << 63) - 1
RESTING = 1 << TimeInForce.DAY | 1 << TimeInForce.GTC | 1 << TimeInForce.GTD
IMMEDIATE = 1 << TimeInForce.IOC | 1 << TimeInForce.FOK
PLAIN_TIMES = 1 << TimeInForce.DAY | 1 << TimeInForce.GTC | 1 << TimeInForce.IOC
"""Times in force of plain orders: no look into the book comes first, and no date."""
WITH_POST_ONLY = 8
"""In a book's `entry`: how many bits behind a time in force it stands with POST_ONLY, which is 1."""


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
    """`words` from WORDS x i on are the command as int64 words."""
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
        found |= words[U(WORDS * i + word)] & masks[kind, word]
    return found


@small
def begins_plainly(c, word):
    """Whether a NEW_ORDER, whose first word is `word`, asks for nothing but a limit order."""
    return ((word ^ PLAIN_ORDER) & ORDER_BITS) | c.target | c.expiry | c.price2 | c.quantity2 == 0


@small
def only_cancels(c, word):
    """Whether nothing is set that a CANCEL_ORDER does not use."""
    place, dates = np.int64(c.instrument) | c.account, c.expiry | c.price
    return (word & CHANGE_BITS) | place | dates | c.price2 | c.quantity | c.quantity2 == 0


@small
def only_replaces(c, word):
    """Whether a REPLACE_ORDER has nothing but a new price and quantity."""
    place = np.int64(c.instrument) | c.account
    return (word & CHANGE_BITS) | place | c.expiry | c.price2 | c.quantity2 == 0


@small
def check_role(s, c):
    if c.session == 0:
        return Reason.NONE
    needed = Role.TRADER if c.kind < FIRST_OPERATOR_KIND else Role.OPERATOR
    return Reason.NONE if s.sessions[U(c.session)].role == needed else Reason.NOT_PERMITTED


@small
def is_next(s, c):
    """Whether a firm's command passes `check_session` and `check_role`. Nothing is consumed yet."""
    if c.session == 0:
        return c.client_order_id == 0 or c.client_order_id > s.sessions[0].last_client_order_id
    if c.session < 0 or c.session > s.sessions_open:
        return False
    session = s.sessions[U(c.session)]
    trading = (session.status == Status.ACTIVE) & (session.role == Role.TRADER)
    return trading and c.client_order_id > session.last_client_order_id


@small
def consume(s, c):
    """The number of a command that `is_next`; the venue's own 0 counts for nothing."""
    session = s.sessions[U(c.session)]
    session.last_client_order_id = max(session.last_client_order_id, c.client_order_id)


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
def set_entry(s, book):
    """Which plain orders may come into the book at this moment: a bit per time in force, and WITH_POST_ONLY bits
    further the same with that flag. None where each must be asked for more than `enters_plainly` asks, or refused."""
    book.entry = 0
    if book.further or s.cross_reject or check_halted(s, book) != Reason.NONE or check_open(s, book) != Reason.NONE:
        return
    if is_listed(s, book, s.trading_date) and book.offers >> OrderType.LIMIT & 1:
        times = book.offers >> 8 & PLAIN_TIMES
        book.entry = times
        if book.offers >> 16 & POST_ONLY:
            book.entry |= (times & RESTING) << WITH_POST_ONLY


@plain
def set_entries(s):
    """`set_entry` of every book: after every command that is no order."""
    for i in range(1, s.instruments + 1):
        set_entry(s, s.books[i])


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
    return Reason.NONE if inside_bounds(book, price, quantity) else broken_term(book, price, quantity, check_price)


@small
def inside_bounds(book, price, quantity):
    price_inside = (price >= book.price_from) & (price <= book.price_to)
    return price_inside & (quantity >= book.quantity_from) & (quantity <= book.quantity_to)


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
def enters_plainly(s, c):
    """Whether an order that `begins_plainly` passes every check up to the limits (docs/engine.md, section 2: 1 to 8).

    One answer for what nearly every order passes; `further.new_further_order` finds the reason of one that does not.
    """
    if (c.side != Side.BUY and c.side != Side.SELL) or c.self_trade > SelfTrade.DECREMENT:
        return False
    if c.instrument < 1 or c.instrument > s.instruments:
        return False
    book = s.books[U(c.instrument)]
    if not book.entry >> (np.int64(c.time_in_force) + WITH_POST_ONLY * np.int64(c["flags"])) & 1:
        return False
    if not inside_bounds(book, np.int64(c.price), c.quantity):
        return False
    return check_account(s, c) == Reason.NONE and is_enabled(s, c.account)


@small
def is_enabled(s, account):
    """Whether neither an existing account nor its firm is stopped: `check_enabled` and `check_firm`."""
    return check_enabled(s, account) == Reason.NONE and firm_enabled(s, account)


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
    if (post_only or s.cross_reject) and crosses(book, np.int64(side) - 1, price):
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
