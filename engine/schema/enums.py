"""What the small numbers in the records mean. Codes never change; new ones are added at the end of their range."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final


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
    """Of one mode of an instrument; the three calls are of mode LISTED alone."""

    CLOSED = 0
    PRE_OPEN = 1
    OPEN_CALL = 2
    CONTINUOUS = 3
    BREAK = 4
    CLOSE_CALL = 5
    VOLATILITY_CALL = 6
    HALT = 7


class HoldType(IntEnum):
    """Why units of an account are held (PLACE_HOLD, PLEDGE_REQUEST, TRANSFER_OUT, TRANSFER_IN)."""

    PLEDGE = 1
    JUDICIAL = 2
    TRANSFER_OUT = 3
    TRANSFER_IN = 4


class AssetKind(IntEnum):
    """What an asset may be surrendered for: allowances in full, offsets up to a share, credits never."""

    ALLOWANCE = 0
    OFFSET = 1
    CREDIT = 2


class AuctionPrice(IntEnum):
    """What a successful bid pays."""

    UNIFORM = 1
    PAY_AS_BID = 2


class AuctionTie(IntEnum):
    """Who gets the rest at the clearing price."""

    TIME = 1
    RANDOM = 2
    PRORATA_RANDOM = 3


class AuctionShort(IntEnum):
    """What happens when less is bid for than offered."""

    PARTIAL = 1
    CANCEL = 2


class AuctionSecondary(IntEnum):
    """What happens when the clearing price lies far below the secondary market."""

    CANCEL = 1
    RAISE = 2
    OFF = 3


class AuctionStage(IntEnum):
    ANNOUNCED = 1
    OPEN = 2
    CLOSED = 3
    APPLIED = 4
    """Announced before what it offers is in place; frozen later, or withdrawn."""


class LimitKind(IntEnum):
    """SET_LIMIT: what is limited."""

    ORDER_QUANTITY = 1
    ORDER_VALUE = 2
    PRICE_COLLAR = 3
    ORDER_RATE = 4
    OPEN_ORDERS = 5
    POSITION = 6
    LARGE_HOLDER = 7


class KillScope(IntEnum):
    """KILL_SWITCH: what is stopped."""

    FIRM = 1
    ACCOUNT = 2
    INSTRUMENT = 3
    VENUE = 4


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
    """Of a firm, an account or a session. STOPPED: a firm by its own kill switch."""

    ACTIVE = 1
    SUSPENDED = 2
    ENDED = 3
    STOPPED = 4


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
    SET_OBLIGATION = 105
    SET_TRANSFER_WINDOW = 106
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
    SET_COST_RESERVE = 127


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
    TRIGGERED = 10
    REFRESHED = 11
    CALL_UNCROSSED = 12
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
    INSTRUMENT_LISTED = 27
    INSTRUMENT_DELISTED = 28
    WINDOW_SET = 29
    SETTLEMENT_ACKNOWLEDGED = 30
    TRANSFER_WINDOW_SET = 31
    FIRM_OPENED = 32
    ACCOUNT_OPENED = 33
    SESSION_OPENED = 34
    ACCOUNT_STATUS_SET = 35
    SESSION_STATUS_SET = 36
    OWNER_GROUP_SET = 37
    SESSION_UP = 38
    SESSION_DOWN = 39
    LIMIT_SET = 40
    KILL_SWITCH_SET = 41
    TRADE_BUSTED = 42
    LARGE_HOLDER = 43
    CASH_MOVED = 48
    UNITS_MOVED = 49
    UNITS_ALLOCATED = 50
    HOLD_PLACED = 51
    HOLD_RELEASED = 52
    HOLD_REALISED = 53
    OBLIGATION_SET = 54
    UNITS_SURRENDERED = 55
    UNITS_CANCELLED = 56
    UNITS_CARRIED_OVER = 57
    OBLIGATION_OVERDUE = 58
    BLOCK_OFFERED = 64
    BLOCK_COUNTERED = 65
    BLOCK_TRADE = 66
    BLOCK_ENDED = 67
    AUCTION_ANNOUNCED = 72
    SEED_COMMITTED = 73
    AUCTION_OPENED = 74
    BID_ACCEPTED = 75
    BID_REPLACED = 76
    BID_ENDED = 77
    AUCTION_CLOSED = 78
    SEED_REVEALED = 79
    AUCTION_TRADE = 80
    AUCTION_CLEARED = 81
    AUCTION_CANCELLED = 82
    AUCTION_SECURED = 83
    COST_RESERVE_SET = 84
    COST_RESERVE_RELEASED = 85


class EventFlag(IntFlag):
    """Event.flags. The kernel writes zero; the gateway sets them on the copies it sends."""

    POSSIBLE_DUPLICATE = 1
    DUPLICATE_MISMATCH = 2
    STALE_ID = 4
    MAKER = 8
