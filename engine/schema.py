"""The vocabulary: the Command and Event records, their enums and the reason codes.

The same bytes stand on the wire, in memory, in the journal and in exports. All integers are little-endian and
naturally aligned; every byte is assigned and an unused field is zero. Prices are integer ticks (1 <= price < 2**31),
quantities integer lots (1 <= quantity < 2**31), money integer minor units (< 2**62), times UTC nanoseconds,
dates integers of the form YYYYMMDD. Ids are dense from 1; 0 means none.

`docs/protocol.md` and `docs/carbonbook.h` are generated from this module.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

SCHEMA_VERSION: Final = 1
MAX_PRICE: Final = 2**31 - 1
MAX_QUANTITY: Final = 2**31 - 1
MAX_MONEY: Final = 2**62 - 1
PPM: Final = 1_000_000
BASIS_POINTS: Final = 10_000
SWEEP_LEVELS: Final = 5
"""A listed-agreement order takes inside the counter side's best five price levels (SEEE notice of 2021-06-22)."""

CommandArray = NDArray[Any]
"""One-dimensional array of dtype COMMAND."""
EventArray = NDArray[Any]
"""One-dimensional array of dtype EVENT."""


def record(fields: list[tuple[str, str]]) -> np.dtype[Any]:
    """A structured dtype over np.record, so scalars have attributes with and without the compiler."""
    return np.dtype((np.record, fields))  # type: ignore[call-overload, no-any-return]


COMMAND: Final = record(
    [
        ("kind", "u1"),
        ("side", "u1"),
        ("order_type", "u1"),
        ("time_in_force", "u1"),
        ("flags", "<i2"),
        ("self_trade", "u1"),
        ("scope", "u1"),
        ("instrument", "<i4"),
        ("account", "<i4"),
        ("client_order_id", "<i8"),
        ("target", "<i8"),
        ("expiry", "<i8"),
        ("price", "<i4"),
        ("price2", "<i4"),
        ("quantity", "<i8"),
        ("quantity2", "<i8"),
        ("sequence", "<i8"),
        ("timestamp", "<i8"),
        ("session", "<i4"),
        ("actor", "<i4"),
        ("spare", "<i8"),
    ]
)
FIRM_BYTES: Final = 64
"""The first 64 bytes of a Command are written by the firm, the other 32 only by the gateway."""

EVENT: Final = record(
    [
        ("kind", "u1"),
        ("side", "u1"),
        ("phase", "u1"),
        ("aggressor", "u1"),
        ("reason", "<i2"),
        ("flags", "<i2"),
        ("sequence", "<i8"),
        ("command_sequence", "<i8"),
        ("timestamp", "<i8"),
        ("instrument", "<i4"),
        ("price", "<i4"),
        ("quantity", "<i8"),
        ("account", "<i4"),
        ("contra_account", "<i4"),
        ("order_id", "<i8"),
        ("contra_order_id", "<i8"),
        ("client_order_id", "<i8"),
        ("contra_client_order_id", "<i8"),
        ("remaining", "<i8"),
        ("contra_remaining", "<i8"),
        ("aux", "<i8"),
        ("aux2", "<i8"),
        ("session", "<i4"),
        ("contra_session", "<i4"),
    ]
)


class Side(IntEnum):
    NONE = 0
    BUY = 1
    SELL = 2


class OrderType(IntEnum):
    NONE = 0
    LIMIT = 1
    MARKET = 2
    STOP = 3
    STOP_LIMIT = 4
    ICEBERG = 5
    STOP_LIMIT_ICEBERG = 6


class TimeInForce(IntEnum):
    NONE = 0
    DAY = 1
    GTC = 2
    IOC = 3
    FOK = 4
    GTD = 5


class OrderFlag(IntFlag):
    """Command.flags."""

    POST_ONLY = 1
    BY_CLIENT_ID = 2
    HIDDEN = 4


class SelfTrade(IntEnum):
    """Self-trade prevention, the aggressor's mode applies; DEFAULT means the venue's."""

    DEFAULT = 0
    CANCEL_TAKER = 1
    CANCEL_MAKER = 2
    CANCEL_BOTH = 3
    DECREMENT = 4


class MassCancelScope(IntFlag):
    """Which fields of MASS_CANCEL narrow the set of orders; no bit means all orders of the session's firm."""

    ACCOUNT = 1
    INSTRUMENT = 2
    SIDE = 4
    SESSION = 8


class Mode(IntEnum):
    """Trading mode of a phase."""

    LISTED = 1
    BLOCK = 2
    BIDDING = 3


class Phase(IntEnum):
    CLOSED = 0
    PRE_OPEN = 1
    OPEN_CALL = 2
    CONTINUOUS = 3
    BREAK = 4
    CLOSE_CALL = 5
    VOLATILITY_CALL = 6
    HALT = 7


class DayStage(IntEnum):
    """Where the trading day stands: OPEN -> STOPPED -> EXPIRED -> CLOSE_FIXED -> SETTLED -> OPEN (next date)."""

    OPEN = 0
    STOPPED = 1
    EXPIRED = 2
    CLOSE_FIXED = 3
    SETTLED = 4


class Role(IntEnum):
    """What a session may do."""

    TRADER = 1
    OPERATOR = 2
    READER = 3


class Status(IntEnum):
    """Of an account or a session."""

    ACTIVE = 1
    SUSPENDED = 2
    ENDED = 3


class DisconnectPolicy(IntEnum):
    """What happens to a session's orders when its connection is lost."""

    KEEP = 0
    CANCEL_DAY = 1
    CANCEL_ALL = 2


class CommandKind(IntEnum):
    NEW_ORDER = 1
    CANCEL_ORDER = 2
    REPLACE_ORDER = 3
    MASS_CANCEL = 4
    TAKE = 5
    QUOTE = 6
    BLOCK_OFFER = 8
    BLOCK_COUNTER = 9
    BLOCK_ACCEPT = 10
    BLOCK_WITHDRAW = 11
    AUCTION_BID = 12
    AUCTION_BID_REPLACE = 13
    AUCTION_BID_WITHDRAW = 14
    SURRENDER = 16
    VOLUNTARY_CANCEL = 17
    TRANSFER_IN = 18
    TRANSFER_OUT = 19
    PLEDGE_REQUEST = 20
    FIRM_KILL = 24
    CLOCK_ANCHOR = 64
    SET_PHASE = 65
    STOP_TRADING = 66
    EXPIRE_ORDERS = 67
    FIX_CLOSE = 68
    SETTLE = 69
    SET_REFERENCE = 70
    WIDEN_WINDOW = 71
    LIST_INSTRUMENT = 72
    DELIST_INSTRUMENT = 73
    OPEN_FIRM = 80
    OPEN_ACCOUNT = 81
    OPEN_SESSION = 82
    SET_ACCOUNT_STATUS = 83
    SET_SESSION_STATUS = 84
    SET_OWNER_GROUP = 85
    SESSION_UP = 86
    SESSION_DOWN = 87
    DEPOSIT_CASH = 96
    WITHDRAW_CASH = 97
    DEPOSIT_UNITS = 98
    WITHDRAW_UNITS = 99
    ALLOCATE_UNITS = 100
    PLACE_HOLD = 101
    RELEASE_HOLD = 102
    REALISE_HOLD = 103
    ACKNOWLEDGE_SETTLEMENT = 104
    SET_LIMIT = 112
    KILL_SWITCH = 113
    BUST_TRADE = 114
    SET_ORDER_STATUS = 115
    ANNOUNCE_AUCTION = 120
    COMMIT_SEED = 121
    OPEN_AUCTION = 122
    CLOSE_AUCTION = 123
    REVEAL_SEED = 124
    CANCEL_AUCTION = 125
    CARRY_OVER = 126


FIRST_OPERATOR_KIND: Final = 64
"""Kinds from here on need the operator role (or the venue itself, session 0)."""


class EventKind(IntEnum):
    ACCEPTED = 1
    REJECTED = 2
    TRADE = 3
    FEE = 4
    CANCELLED = 5
    EXPIRED = 6
    REPLACED = 7
    DECREMENTED = 8
    MASS_CANCELLED = 9
    PHASE_CHANGED = 16
    CLOCK_ANCHORED = 17
    DAY_OPENED = 18
    TRADING_STOPPED = 19
    ORDERS_EXPIRED = 20
    CLOSE_FIXED = 21
    COMPOSITE_FIXED = 22
    UNITS_SETTLED = 23
    CASH_SETTLED = 24
    LIMITS_SET = 25
    SETTLED = 26
    FIRM_OPENED = 32
    ACCOUNT_OPENED = 33
    SESSION_OPENED = 34
    ACCOUNT_STATUS_SET = 35
    SESSION_STATUS_SET = 36
    OWNER_GROUP_SET = 37
    SESSION_UP = 38
    SESSION_DOWN = 39
    CASH_MOVED = 48
    UNITS_MOVED = 49


class EventFlag(IntFlag):
    """Event.flags. The kernel writes zero; the gateway sets them on the copies it sends."""

    POSSIBLE_DUPLICATE = 1
    DUPLICATE_MISMATCH = 2
    STALE_ID = 4
    MAKER = 8


class Reason(IntEnum):
    """Why a command was refused (1xx to 5xx) or an order ended without being asked to (6xx). Codes never change."""

    NONE = 0
    # 1xx session
    UNKNOWN_SESSION = 101
    SESSION_ENDED = 102
    STALE_CLIENT_ORDER_ID = 103
    DUPLICATE_MISMATCH = 104
    NOT_PERMITTED = 105
    MALFORMED_FRAME = 110
    UNSUPPORTED_VERSION = 111
    TOO_MANY_RECORDS = 112
    NOT_LOGGED_ON = 113
    THROTTLED = 114
    TAKEN_OVER = 115
    ALREADY_TOO_OLD = 116
    SLOW_CONSUMER = 117
    # 2xx validation
    INVALID_KIND = 201
    UNUSED_FIELD_SET = 202
    INVALID_SIDE = 203
    INVALID_ORDER_TYPE = 204
    INVALID_TIME_IN_FORCE = 205
    INVALID_FLAGS = 206
    INVALID_SELF_TRADE = 207
    INVALID_SCOPE = 208
    INVALID_COMBINATION = 209
    UNKNOWN_ACCOUNT = 210
    UNKNOWN_INSTRUMENT = 211
    UNKNOWN_FIRM = 212
    UNKNOWN_ASSET = 213
    UNKNOWN_CURRENCY = 214
    OFF_TICK = 220
    INVALID_PRICE = 221
    PRICE_REQUIRED = 222
    INVALID_QUANTITY = 223
    OFF_LOT = 224
    QUANTITY_TOO_SMALL = 225
    QUANTITY_TOO_LARGE = 226
    PRICE_OUT_OF_WINDOW = 227
    PRICE_ABOVE_LIMIT = 228
    PRICE_BELOW_LIMIT = 229
    AMOUNT_OVERFLOW = 230
    INVALID_AMOUNT = 231
    INVALID_PHASE = 232
    INVALID_DATE = 233
    INVALID_STATUS = 234
    INVALID_ROLE = 235
    INVALID_OWNER_GROUP = 236
    # 3xx state of the market
    NOT_LISTED = 301
    WRONG_PHASE = 302
    NO_REFERENCE_PRICE = 303
    DAY_NOT_SETTLED = 304
    DAY_CLOSED = 305
    WRONG_DAY_STAGE = 306
    # 4xx risk, funds, capacity
    ACCOUNT_SUSPENDED = 401
    INSUFFICIENT_FUNDS = 402
    INSUFFICIENT_UNITS = 403
    UNITS_BOUGHT_TODAY = 404
    PROCEEDS_NOT_SETTLED = 405
    ORDER_TABLE_FULL = 410
    ACCOUNT_TABLE_FULL = 411
    FIRM_TABLE_FULL = 412
    SESSION_TABLE_FULL = 413
    # 5xx orders
    UNKNOWN_ORDER = 501
    POST_ONLY_WOULD_TAKE = 502
    FOK_NOT_FILLABLE = 503
    QUANTITY_BELOW_FILLED = 504
    WOULD_CROSS = 505
    NOT_AT_BEST = 506
    BEYOND_DEPTH = 507
    LISTING_CHANGED = 508
    QUANTITY_EXCEEDS_LISTING = 509
    SELF_TRADE = 510
    # 6xx why an order ended
    USER_REQUESTED = 601
    MASS_CANCEL = 602
    DISCONNECTED = 603
    SELF_TRADE_PREVENTED = 604
    IOC_REMAINDER = 605
    DEPTH_LIMIT = 606
    END_OF_DAY = 607


REASON_TEXT: Final[dict[Reason, str]] = {
    Reason.NONE: "no reason",
    Reason.UNKNOWN_SESSION: "no such session",
    Reason.SESSION_ENDED: "the session has been ended by the venue",
    Reason.STALE_CLIENT_ORDER_ID: "client_order_id must be above the session's last one; nothing was done",
    Reason.DUPLICATE_MISMATCH: "this client_order_id was used before with other content; nothing was done",
    Reason.NOT_PERMITTED: "the session's role does not allow this command",
    Reason.MALFORMED_FRAME: "the frame's length or header does not fit its type; send an 8-byte header and whole records",
    Reason.UNSUPPORTED_VERSION: "the frame's version is not spoken here; see the logon answer",
    Reason.TOO_MANY_RECORDS: "a frame carries 1 to 1,024 records",
    Reason.NOT_LOGGED_ON: "send a logon first",
    Reason.THROTTLED: "the session sends faster than its limit; slow down and send again",
    Reason.TAKEN_OVER: "a later logon took this session over",
    Reason.ALREADY_TOO_OLD: "the requested sequence lies before the journal's beginning",
    Reason.SLOW_CONSUMER: "the client does not read its replies; reconnect and resume",
    Reason.INVALID_KIND: "unknown command kind",
    Reason.UNUSED_FIELD_SET: "a field that this command kind does not use must be zero",
    Reason.INVALID_SIDE: "side must be 1 (buy) or 2 (sell)",
    Reason.INVALID_ORDER_TYPE: "this order type is unknown or not offered by the instrument",
    Reason.INVALID_TIME_IN_FORCE: "this time in force is unknown or not offered by the instrument",
    Reason.INVALID_FLAGS: "unknown flag for this command kind",
    Reason.INVALID_SELF_TRADE: "unknown self-trade prevention mode",
    Reason.INVALID_SCOPE: "unknown scope for this command kind",
    Reason.INVALID_COMBINATION: "order type, time in force and flags do not go together",
    Reason.UNKNOWN_ACCOUNT: "no such account in the session's firm",
    Reason.UNKNOWN_INSTRUMENT: "no such instrument",
    Reason.UNKNOWN_FIRM: "no such firm",
    Reason.UNKNOWN_ASSET: "no such asset",
    Reason.UNKNOWN_CURRENCY: "no such currency",
    Reason.OFF_TICK: "price is not a multiple of the instrument's price step",
    Reason.INVALID_PRICE: "price must be at least one tick",
    Reason.PRICE_REQUIRED: "the instrument has no daily limit: a market order needs a price as its collar",
    Reason.INVALID_QUANTITY: "quantity must be from 1 to 2^31 - 1 lots",
    Reason.OFF_LOT: "quantity is not a multiple of the instrument's quantity step",
    Reason.QUANTITY_TOO_SMALL: "quantity is below the instrument's minimum",
    Reason.QUANTITY_TOO_LARGE: "quantity is above the instrument's maximum",
    Reason.PRICE_OUT_OF_WINDOW: "price is outside the instrument's price window",
    Reason.PRICE_ABOVE_LIMIT: "price is above the day's upper limit",
    Reason.PRICE_BELOW_LIMIT: "price is below the day's lower limit",
    Reason.AMOUNT_OVERFLOW: "quantity x ceiling price x tick value, with the fee, or a total of deposits, must be below 2^62",
    Reason.INVALID_AMOUNT: "amount must be from 1 to 2^62 - 1",
    Reason.INVALID_PHASE: "unknown phase, or a phase this mode does not have",
    Reason.INVALID_DATE: "the trading date is before the current one, or no date",
    Reason.INVALID_STATUS: "unknown status",
    Reason.INVALID_ROLE: "unknown role",
    Reason.INVALID_OWNER_GROUP: "an owner group is a number from 0 to 2^31 - 1",
    Reason.NOT_LISTED: "the instrument is not listed on this trading date",
    Reason.WRONG_PHASE: "not possible in the instrument's present phase",
    Reason.NO_REFERENCE_PRICE: "the instrument has no reference price yet",
    Reason.DAY_NOT_SETTLED: "the previous trading day must be settled first",
    Reason.DAY_CLOSED: "trading has stopped for this date",
    Reason.WRONG_DAY_STAGE: "the end of day runs stop, expire, fix close, settle, in this order",
    Reason.ACCOUNT_SUSPENDED: "the account is suspended",
    Reason.INSUFFICIENT_FUNDS: "not enough free cash to lock the order's full amount",
    Reason.INSUFFICIENT_UNITS: "not enough free units to lock the order's full quantity",
    Reason.UNITS_BOUGHT_TODAY: "units bought today cannot be sold or withdrawn before settlement",
    Reason.PROCEEDS_NOT_SETTLED: "today's sale proceeds cannot be withdrawn before settlement",
    Reason.ORDER_TABLE_FULL: "the venue's order table is full",
    Reason.ACCOUNT_TABLE_FULL: "the venue's account table is full",
    Reason.FIRM_TABLE_FULL: "the venue's firm table is full",
    Reason.SESSION_TABLE_FULL: "the venue's session table is full",
    Reason.UNKNOWN_ORDER: "no such live order",
    Reason.POST_ONLY_WOULD_TAKE: "a post-only order would have traded at once",
    Reason.FOK_NOT_FILLABLE: "the full quantity is not available at the limit",
    Reason.QUANTITY_BELOW_FILLED: "the new total quantity must be above what has been filled",
    Reason.WOULD_CROSS: "the venue refuses orders that would trade on entry",
    Reason.NOT_AT_BEST: "the listing is not at the best price",
    Reason.BEYOND_DEPTH: "the listing is outside the best five price levels",
    Reason.LISTING_CHANGED: "the listing's price differs from the one stated",
    Reason.QUANTITY_EXCEEDS_LISTING: "the listing has fewer lots left than stated",
    Reason.SELF_TRADE: "both sides belong to one owner group",
    Reason.USER_REQUESTED: "cancelled by its owner",
    Reason.MASS_CANCEL: "cancelled by a mass cancel",
    Reason.DISCONNECTED: "cancelled because its session was lost",
    Reason.SELF_TRADE_PREVENTED: "ended by self-trade prevention",
    Reason.IOC_REMAINDER: "the rest of an immediate order",
    Reason.DEPTH_LIMIT: "system-cancelled: the rest lay beyond the best five price levels",
    Reason.END_OF_DAY: "day order at the end of the day",
}


class Use(NamedTuple):
    """What one field means for one command kind; `later` = assigned, but refused until the rule exists."""

    meaning: str
    later: bool = False


class Shape(NamedTuple):
    """How one command kind uses the 64 bytes; a field not named must be zero. `later` = kind not yet applied."""

    purpose: str
    uses: dict[str, Use]
    later: bool = False


def _shape(purpose: str, *, later: bool = False, **uses: str) -> Shape:
    """A trailing `~` in a meaning marks a field that is assigned for later rules."""
    fields = {name: Use(text.rstrip("~"), text.endswith("~")) for name, text in uses.items()}
    fields.setdefault("client_order_id", Use("number of this command in its session"))
    return Shape(purpose, fields, later)


_TARGET = "order id, or with flag BY_CLIENT_ID the client_order_id of an order of this session"

COMMAND_SHAPES: Final[dict[CommandKind, Shape]] = {
    CommandKind.NEW_ORDER: _shape(
        "enter an order",
        side="buy or sell",
        order_type="limit or market (stop, iceberg later)",
        time_in_force="day, GTC, IOC or FOK (GTD later)",
        flags="POST_ONLY (HIDDEN later)",
        self_trade="prevention mode, 0 = the venue's",
        instrument="instrument",
        account="account",
        price="limit; for a market order a collar or 0",
        quantity="lots",
        target="minimum quantity~",
        expiry="last trading date of a GTD order~",
        price2="stop price~",
        quantity2="shown quantity of an iceberg~",
    ),
    CommandKind.CANCEL_ORDER: _shape("cancel an order", flags="BY_CLIENT_ID", target=_TARGET),
    CommandKind.REPLACE_ORDER: _shape(
        "change price and total quantity of an order; only less quantity at the same price keeps priority",
        flags="BY_CLIENT_ID",
        target=_TARGET,
        price="new limit",
        quantity="new total quantity, filled part included",
        price2="new stop price~",
        quantity2="new shown quantity~",
        expiry="new last trading date~",
    ),
    CommandKind.MASS_CANCEL: _shape(
        "cancel all orders of the session's firm that fit",
        side="with SIDE",
        scope="bits: ACCOUNT, INSTRUMENT, SIDE, SESSION",
        instrument="with INSTRUMENT",
        account="with ACCOUNT",
    ),
    CommandKind.TAKE: _shape(
        "take a named listing (listed agreement, CLICK)",
        side="the taker's side",
        instrument="instrument",
        account="account",
        target="order id of the listing",
        price="the listing's price as seen",
        quantity="lots to take",
    ),
    CommandKind.QUOTE: _shape(
        "enter or replace a two-sided market-maker quote",
        later=True,
        flags="POST_ONLY",
        self_trade="prevention mode",
        instrument="instrument",
        account="account",
        price="bid",
        quantity="lots bid",
        price2="offer",
        quantity2="lots offered",
    ),
    CommandKind.BLOCK_OFFER: _shape(
        "open a block negotiation",
        later=True,
        side="buy or sell",
        scope="0 public, 1 named counterparty",
        instrument="instrument",
        account="account",
        target="counterparty account when named",
        expiry="last moment, ns",
        price="price",
        quantity="lots",
    ),
    CommandKind.BLOCK_COUNTER: _shape(
        "answer with other terms",
        later=True,
        account="account",
        target="negotiation id",
        price="price",
        quantity="lots",
    ),
    CommandKind.BLOCK_ACCEPT: _shape(
        "accept the standing terms, which are restated",
        later=True,
        account="account",
        target="negotiation id",
        price="price",
        quantity="lots",
    ),
    CommandKind.BLOCK_WITHDRAW: _shape("end a negotiation", later=True, account="account", target="negotiation id"),
    CommandKind.AUCTION_BID: _shape(
        "enter a sealed bid (or offer, in a reverse auction)",
        later=True,
        side="buy or sell",
        instrument="instrument",
        account="account",
        target="auction id",
        price="price",
        quantity="lots",
    ),
    CommandKind.AUCTION_BID_REPLACE: _shape(
        "change a bid", later=True, target="bid order id", price="price", quantity="lots"
    ),
    CommandKind.AUCTION_BID_WITHDRAW: _shape("withdraw a bid", later=True, target="bid order id"),
    CommandKind.SURRENDER: _shape(
        "surrender units for an obligation",
        later=True,
        account="account",
        scope="asset",
        quantity="units",
        expiry="compliance year",
        target="obligation id",
    ),
    CommandKind.VOLUNTARY_CANCEL: _shape(
        "cancel units for good", later=True, account="account", scope="asset", quantity="units"
    ),
    CommandKind.TRANSFER_IN: _shape(
        "ask for units from the registry", later=True, account="account", scope="asset", quantity="units"
    ),
    CommandKind.TRANSFER_OUT: _shape(
        "return units to the registry", later=True, account="account", scope="asset", quantity="units"
    ),
    CommandKind.PLEDGE_REQUEST: _shape(
        "ask for a pledge",
        later=True,
        account="account",
        scope="asset",
        quantity="units",
        target="creditor account",
        quantity2="loan, minor units",
    ),
    CommandKind.FIRM_KILL: _shape(
        "a firm stops itself: cancel all, refuse new",
        later=True,
        scope="0 stop, 1 resume",
        account="account or 0 for all",
    ),
    CommandKind.CLOCK_ANCHOR: _shape(
        "journal time = target + rate x (monotonic - expiry)",
        target="journal time, ns",
        expiry="monotonic time, ns",
        quantity="rate numerator",
        quantity2="rate denominator",
    ),
    CommandKind.SET_PHASE: _shape(
        "change the phase of one mode; a later trading date opens a new day",
        scope="mode",
        instrument="instrument, 0 = all",
        quantity="phase",
        expiry="trading date YYYYMMDD",
    ),
    CommandKind.STOP_TRADING: _shape("end of day 1: every mode of every instrument closes"),
    CommandKind.EXPIRE_ORDERS: _shape("end of day 2: day orders lapse, their locks are released"),
    CommandKind.FIX_CLOSE: _shape("end of day 3: closing prices and the composite"),
    CommandKind.SETTLE: _shape("end of day 4: bought units and sale proceeds settle, next day's limits"),
    CommandKind.SET_REFERENCE: _shape(
        "set the previous close of an instrument before the day opens", instrument="instrument", price="reference price"
    ),
    CommandKind.WIDEN_WINDOW: _shape(
        "widen an instrument's price window", later=True, instrument="instrument", price="floor", price2="ceiling"
    ),
    CommandKind.LIST_INSTRUMENT: _shape(
        "list an instrument whose terms stand in a note",
        later=True,
        instrument="instrument",
        price="reference price",
        expiry="first trading date",
    ),
    CommandKind.DELIST_INSTRUMENT: _shape(
        "delist an instrument", later=True, instrument="instrument", expiry="last trading date"
    ),
    CommandKind.OPEN_FIRM: _shape("open a firm; its name stands in a note"),
    CommandKind.OPEN_ACCOUNT: _shape(
        "open an account", quantity="firm", quantity2="owner group, 0 = none", expiry="owner group from this date"
    ),
    CommandKind.OPEN_SESSION: _shape(
        "open a session; its public key stands in a note", quantity="firm (0 for operator and reader)", scope="role"
    ),
    CommandKind.SET_ACCOUNT_STATUS: _shape("suspend or resume an account", account="account", scope="status"),
    CommandKind.SET_SESSION_STATUS: _shape("end or resume a session", target="session", scope="status"),
    CommandKind.SET_OWNER_GROUP: _shape(
        "change an account's beneficial owner group",
        account="account",
        quantity2="owner group",
        expiry="from this date",
    ),
    CommandKind.SESSION_UP: _shape("a session logged on", target="session", scope="disconnect policy"),
    CommandKind.SESSION_DOWN: _shape(
        "a session was lost: its disconnect policy is carried out", target="session", quantity="reason code"
    ),
    CommandKind.DEPOSIT_CASH: _shape("pay in", account="account", scope="currency", quantity="minor units"),
    CommandKind.WITHDRAW_CASH: _shape("pay out", account="account", scope="currency", quantity="minor units"),
    CommandKind.DEPOSIT_UNITS: _shape("units in from the registry", account="account", scope="asset", quantity="units"),
    CommandKind.WITHDRAW_UNITS: _shape("units out to the registry", account="account", scope="asset", quantity="units"),
    CommandKind.ALLOCATE_UNITS: _shape(
        "allocation of a compliance year",
        later=True,
        account="account",
        scope="asset",
        quantity="units",
        expiry="compliance year",
    ),
    CommandKind.PLACE_HOLD: _shape(
        "pledge, judicial freeze or transfer hold",
        later=True,
        side="hold type",
        account="account",
        scope="asset",
        quantity="units",
        target="creditor account",
        quantity2="reference number",
    ),
    CommandKind.RELEASE_HOLD: _shape(
        "release a hold, whole or in part", later=True, target="hold id", quantity="units"
    ),
    CommandKind.REALISE_HOLD: _shape(
        "realise a pledge or execute a deduction", later=True, target="hold id", quantity="units", account="receiver"
    ),
    CommandKind.ACKNOWLEDGE_SETTLEMENT: _shape(
        "the registry's answer to the settlement file", later=True, expiry="trading date", scope="0 accepted, 1 refused"
    ),
    CommandKind.SET_LIMIT: _shape(
        "set one limit of a firm, account or instrument",
        later=True,
        scope="which limit",
        account="account",
        instrument="instrument",
        target="firm",
        quantity="value",
        expiry="until, ns",
    ),
    CommandKind.KILL_SWITCH: _shape(
        "suspend and mass-cancel, or resume",
        later=True,
        scope="firm, account, instrument or venue",
        side="0 stop, 1 resume",
        account="account",
        instrument="instrument",
        target="firm",
    ),
    CommandKind.BUST_TRADE: _shape("cancel a trade", later=True, target="trade id (event sequence)"),
    CommandKind.SET_ORDER_STATUS: _shape("operator cancels an order", later=True, target="order id"),
    CommandKind.ANNOUNCE_AUCTION: _shape(
        "announce an auction whose terms stand in a note",
        later=True,
        side="the seller's side",
        scope="price and tie policy",
        instrument="instrument",
        account="seller",
        price="reserve",
        price2="cap",
        quantity="lots",
        expiry="window opens, ns",
    ),
    CommandKind.COMMIT_SEED: _shape(
        "SHA-256 of the tie seed, 32 bytes over four fields; auction id in account",
        later=True,
        account="auction id",
        target="bytes 0-7",
        expiry="bytes 8-15",
        quantity="bytes 16-23",
        quantity2="bytes 24-31",
    ),
    CommandKind.OPEN_AUCTION: _shape("open the bidding window", later=True, target="auction id"),
    CommandKind.CLOSE_AUCTION: _shape("close the window and uncross", later=True, target="auction id"),
    CommandKind.REVEAL_SEED: _shape(
        "the seed behind the commitment",
        later=True,
        account="auction id",
        target="bytes 0-7",
        expiry="bytes 8-15",
        quantity="bytes 16-23",
        quantity2="bytes 24-31",
    ),
    CommandKind.CANCEL_AUCTION: _shape("cancel an auction", later=True, target="auction id"),
    CommandKind.CARRY_OVER: _shape(
        "carry units over to a later vintage",
        later=True,
        account="account",
        scope="from asset",
        side="to asset",
        quantity="units",
        expiry="compliance year",
    ),
}

EVENT_FIELDS: Final[dict[EventKind, str]] = {
    EventKind.ACCEPTED: "price = limit in force; quantity, remaining = lots; aux = amount locked (cash minor units for a "
    "buy, asset units for a sell, 0 where the venue does not pre-fund); aux2 = order_type | time_in_force << 8 | "
    "self_trade << 16 | flags << 24 (a TAKE: order_type 0, time_in_force 4)",
    EventKind.REJECTED: "reason; side, instrument, account, price, quantity, client_order_id as sent; aux = command kind; "
    "aux2 = target as sent",
    EventKind.TRADE: "trade id = sequence; side = aggressor = the aggressor's side; account, order_id, client_order_id, "
    "remaining, session = aggressor; contra fields = resting order; aux = cash released to the buyer beside the payment "
    "(price improvement); aux2 = 0",
    EventKind.FEE: "directly after its TRADE when either fee is not zero: quantity = trade's lots; account = buyer, "
    "contra_account = seller (order ids likewise); aux = buyer's fee, aux2 = seller's fee, minor units",
    EventKind.CANCELLED: "reason; price; quantity = lots cancelled; remaining 0; aux = amount released (as in ACCEPTED); "
    "session = owner's; contra_session, contra_client_order_id = of the command that caused it",
    EventKind.EXPIRED: "as CANCELLED, for immediate remainders and day orders",
    EventKind.REPLACED: "price, quantity = new terms; remaining; aux = amount additionally locked (negative: released); "
    "aux2 = 1 when priority was kept; client_order_id = the order's; contra_client_order_id, contra_session = the command's",
    EventKind.DECREMENTED: "self-trade prevention took `quantity` lots off both orders: fields as TRADE; aux = cash released "
    "to the buyer, aux2 = units released to the seller",
    EventKind.MASS_CANCELLED: "after the CANCELLED events: quantity = their count; client_order_id = the command's",
    EventKind.PHASE_CHANGED: "instrument; phase = new phase; side = mode; aux = trading date; aux2 = previous phase",
    EventKind.CLOCK_ANCHORED: "aux = journal time; aux2 = monotonic time; quantity, remaining = rate",
    EventKind.DAY_OPENED: "aux = trading date, aux2 = previous trading date",
    EventKind.TRADING_STOPPED: "after the PHASE_CHANGED events: aux = trading date",
    EventKind.ORDERS_EXPIRED: "after the EXPIRED events: quantity = their count; aux = trading date",
    EventKind.CLOSE_FIXED: "price = close; quantity = listed lots; remaining = open; contra_remaining = high; aux2 = low; "
    "aux = turnover in ticks x lots modulo 2^62, contra_order_id = its multiples of 2^62; order_id = number of trades",
    EventKind.COMPOSITE_FIXED: "price = composite; aux = trading date",
    EventKind.UNITS_SETTLED: "account; quantity = units that became free; aux2 = asset",
    EventKind.CASH_SETTLED: "account; aux = sale proceeds that became withdrawable; aux2 = currency",
    EventKind.LIMITS_SET: "price = reference; aux, aux2 = listed lower and upper limit; remaining, contra_remaining = block "
    "lower and upper limit (0 = none)",
    EventKind.SETTLED: "aux = trading date",
    EventKind.FIRM_OPENED: "aux = firm id",
    EventKind.ACCOUNT_OPENED: "account = its id; aux = firm; aux2 = owner group; quantity = from date",
    EventKind.SESSION_OPENED: "aux = session id; aux2 = firm; quantity = role",
    EventKind.ACCOUNT_STATUS_SET: "account; aux = new status; aux2 = previous status",
    EventKind.SESSION_STATUS_SET: "aux = session id; aux2 = new status; quantity = previous status",
    EventKind.OWNER_GROUP_SET: "account; aux = new group; aux2 = previous group; quantity = from date",
    EventKind.SESSION_UP: "aux = session id; aux2 = disconnect policy",
    EventKind.SESSION_DOWN: "after the CANCELLED events: aux = session id; aux2 = orders cancelled; reason = as told",
    EventKind.CASH_MOVED: "account; aux = signed amount; aux2 = free cash afterwards; quantity = currency",
    EventKind.UNITS_MOVED: "account; aux = signed units; aux2 = free units afterwards; quantity = asset",
}


def unused_field_masks() -> NDArray[np.int64]:
    """Which bits of a command must be zero.

    Returns int64[256, 8]: for each kind, a mask over the command's first eight 64-bit words in which a bit is 1
    where the kind does not use the field. A kind that is unknown or not yet applied has only ones.
    """
    masks = np.full((256, 8), -1, np.int64)
    for kind, shape in COMMAND_SHAPES.items():
        if shape.later:
            continue
        used = np.zeros(1, COMMAND)
        raw = used.view(np.uint8)
        for name in ("kind", *(n for n, use in shape.uses.items() if not use.later)):
            field_type, offset = COMMAND.fields[name][:2]  # type: ignore[index]
            raw[offset : offset + field_type.itemsize] = 0xFF
        masks[kind] = ~used.view(np.int64)[:8]
    return masks


def commands(count: int) -> CommandArray:
    """A zeroed array of `count` commands."""
    return np.zeros(count, COMMAND)


# Canonical state: every fact that decides what later commands do, as one byte string that every implementation
# produces alike. Sections follow one another in the order of STATE_SECTIONS; each is its row count (int64) and rows.

STATE_HEADER: Final = record(
    [
        ("schema_version", "<i8"),
        ("trading_date", "<i8"),
        ("day_stage", "<i8"),
        ("last_order_id", "<i8"),
        ("event_sequence", "<i8"),
        ("command_sequence", "<i8"),
        ("timestamp", "<i8"),
        ("composite", "<i8"),
        ("firms", "<i8"),
        ("anchor_journal", "<i8"),
        ("anchor_monotonic", "<i8"),
        ("rate_numerator", "<i8"),
        ("rate_denominator", "<i8"),
    ]
)
STATE_CURRENCY: Final = record([("deposited", "<i8"), ("fees", "<i8")])
STATE_ASSET: Final = record([("deposited", "<i8")])
STATE_INSTRUMENT: Final = record(
    [
        ("listed_phase", "<i8"),
        ("block_phase", "<i8"),
        ("bidding_phase", "<i8"),
        ("previous_close", "<i8"),
        ("limit_down", "<i8"),
        ("limit_up", "<i8"),
        ("block_down", "<i8"),
        ("block_up", "<i8"),
        ("last", "<i8"),
        ("open", "<i8"),
        ("high", "<i8"),
        ("low", "<i8"),
        ("volume", "<i8"),
        ("turnover", "<i8"),
        ("turnover_high", "<i8"),
        ("trades", "<i8"),
        ("close", "<i8"),
    ]
)
STATE_ACCOUNT: Final = record([("firm", "<i8"), ("owner_group", "<i8"), ("group_from", "<i8"), ("status", "<i8")])
STATE_CASH: Final = record(
    [
        ("account", "<i8"),
        ("currency", "<i8"),
        ("free", "<i8"),
        ("locked", "<i8"),
        ("auction_locked", "<i8"),
        ("proceeds_today", "<i8"),
    ]
)
STATE_HOLD: Final = record(
    [
        ("account", "<i8"),
        ("asset", "<i8"),
        ("free", "<i8"),
        ("locked", "<i8"),
        ("bought_today", "<i8"),
        ("pledged", "<i8"),
        ("judicial", "<i8"),
        ("auction_frozen", "<i8"),
        ("transfer_pending", "<i8"),
    ]
)
STATE_SESSION: Final = record(
    [
        ("firm", "<i8"),
        ("role", "<i8"),
        ("status", "<i8"),
        ("policy", "<i8"),
        ("connected", "<i8"),
        ("last_client_order_id", "<i8"),
    ]
)
STATE_ORDER: Final = record(
    [
        ("order_id", "<i8"),
        ("client_order_id", "<i8"),
        ("cumulative_amount", "<i8"),
        ("price", "<i8"),
        ("quantity", "<i8"),
        ("remaining", "<i8"),
        ("account", "<i8"),
        ("session", "<i8"),
        ("instrument", "<i8"),
        ("side", "<i8"),
        ("order_type", "<i8"),
        ("time_in_force", "<i8"),
        ("self_trade", "<i8"),
        ("flags", "<i8"),
    ]
)
STATE_SECTIONS: Final[dict[str, np.dtype[Any]]] = {
    "header": STATE_HEADER,  # one row
    "currencies": STATE_CURRENCY,  # by id, from 1
    "assets": STATE_ASSET,  # by id, from 1
    "instruments": STATE_INSTRUMENT,  # by id, from 1
    "accounts": STATE_ACCOUNT,  # by id, from 1
    "cash": STATE_CASH,  # by (account, currency), rows with any amount
    "holds": STATE_HOLD,  # by (account, asset), rows with any amount
    "sessions": STATE_SESSION,  # by id, from 0 (the venue itself)
    "orders": STATE_ORDER,  # live ones by (instrument, buy before sell, best price first, priority)
}


def pack_state(sections: dict[str, NDArray[Any]]) -> bytes:
    """Sections -> canonical state. `sections` has an array of the section's dtype for every name."""
    parts = []
    for name, dtype in STATE_SECTIONS.items():
        rows = sections[name]
        assert rows.dtype == dtype, name
        parts += [len(rows).to_bytes(8, "little"), rows.tobytes()]
    return b"".join(parts)


def unpack_state(data: bytes) -> dict[str, NDArray[Any]]:
    """Canonical state -> sections. Raises ValueError when the bytes are none."""
    sections, at = {}, 0
    for name, dtype in STATE_SECTIONS.items():
        count = int.from_bytes(data[at : at + 8], "little")
        end = at + 8 + count * dtype.itemsize
        if at + 8 > len(data) or end > len(data):
            raise ValueError(f"canonical state ends inside section {name!r}")
        sections[name] = np.frombuffer(data[at + 8 : end], dtype)
        at = end
    if at != len(data):
        raise ValueError("canonical state has bytes behind its last section")
    if len(sections["header"]) != 1 or sections["header"][0]["schema_version"] != SCHEMA_VERSION:
        raise ValueError("canonical state of another schema version")
    return sections
