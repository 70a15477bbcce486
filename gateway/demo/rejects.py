"""Every kind of refusal that a trader can bring about through the socket, and why the other ones cannot be.

`COMMANDS` are single commands, wrong in one field. `STAGED` need a situation first: `provoker` stages it. `FRAMES` are
refusals of the gateway. Together with `OUT_OF_REACH` they are all reason codes from 1xx to 5xx.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from engine.schema import CommandKind, OrderFlag, OrderType, Reason, Side, TimeInForce

BASE: Final = {
    "kind": int(CommandKind.NEW_ORDER),
    "side": int(Side.BUY),
    "order_type": int(OrderType.LIMIT),
    "time_in_force": int(TimeInForce.DAY),
    "instrument": 2,
    "account": 20,
    "price": 7_000,
    "quantity": 1,
}
"""An order that would be accepted: one tonne of CEA21 at 70.00, its previous close."""
MOST: Final = 99_999
"""Tonnes of the greatest listed order."""


class Wrong(NamedTuple):
    """`fields` replace those of BASE; with `alone` they stand by themselves."""

    reason: Reason
    what: str
    fields: dict[str, int]
    alone: bool = False

    def command(self) -> dict[str, int]:
        return self.fields if self.alone else BASE | self.fields


COMMANDS: Final = (
    Wrong(
        Reason.NOT_PERMITTED, "a trader pays himself cash", {"kind": 96, "account": 20, "scope": 1, "quantity": 1}, True
    ),
    Wrong(Reason.INVALID_KIND, "a kind that does not exist", {"kind": 60}, True),
    Wrong(Reason.UNUSED_FIELD_SET, "an order with a scope, which orders do not have", {"scope": 5}),
    Wrong(Reason.INVALID_SIDE, "neither buy nor sell", {"side": 3}),
    Wrong(Reason.INVALID_ORDER_TYPE, "a stop order", {"order_type": int(OrderType.STOP)}),
    Wrong(Reason.INVALID_TIME_IN_FORCE, "good till cancelled, where orders last a day", {"time_in_force": 2}),
    Wrong(Reason.INVALID_FLAGS, "a flag of another kind", {"flags": int(OrderFlag.BY_CLIENT_ID)}),
    Wrong(Reason.INVALID_SELF_TRADE, "an unknown self-trade prevention", {"self_trade": 9}),
    Wrong(
        Reason.INVALID_SCOPE,
        "a mass cancel of unknown scope",
        {"kind": int(CommandKind.MASS_CANCEL), "scope": 16},
        True,
    ),
    Wrong(Reason.INVALID_COMBINATION, "a market order for the day", {"order_type": int(OrderType.MARKET)}),
    Wrong(Reason.UNKNOWN_ACCOUNT, "another firm's account", {"account": 1}),
    Wrong(Reason.UNKNOWN_INSTRUMENT, "a vintage that does not exist", {"instrument": 99}),
    Wrong(Reason.NOT_LISTED, "CEA25, listed from 2026 on", {"instrument": 6}),
    Wrong(Reason.INVALID_PRICE, "a price of nothing", {"price": 0}),
    Wrong(Reason.INVALID_QUANTITY, "a quantity of nothing", {"quantity": 0}),
    Wrong(Reason.QUANTITY_TOO_LARGE, "100,000 t: that is a block trade", {"quantity": MOST + 1}),
    Wrong(Reason.PRICE_OUT_OF_WINDOW, "a price above any that can be", {"price": 200_000}),
    Wrong(Reason.PRICE_ABOVE_LIMIT, "one tick above the day's upper limit", {"price": 7_701}),
    Wrong(Reason.PRICE_BELOW_LIMIT, "one tick below the day's lower limit", {"price": 6_299}),
    Wrong(Reason.INSUFFICIENT_FUNDS, "more than the firm can pay", {"quantity": MOST}),
    Wrong(Reason.INSUFFICIENT_UNITS, "more than the firm holds", {"side": int(Side.SELL), "quantity": MOST}),
    Wrong(Reason.UNKNOWN_ORDER, "cancelling an order that never was", {"kind": 2, "target": 1 << 40}, True),
    Wrong(Reason.FOK_NOT_FILLABLE, "all or nothing in an empty book", {"time_in_force": int(TimeInForce.FOK)}),
    Wrong(Reason.MIN_QUANTITY_NOT_MET, "at least one tonne at once, in an empty book", {"target": 1}),
    Wrong(
        Reason.MODE_NOT_OFFERED,
        "a two-sided quote, where there are no market makers",
        {"kind": int(CommandKind.QUOTE), "instrument": 2, "account": 20, "price": 6_990, "quantity": 1},
        True,
    ),
)
STAGED: Final = {
    Reason.POST_ONLY_WOULD_TAKE: "post-only at the price of a listing",
    Reason.LISTING_CHANGED: "taking a listing at a price it does not have",
    Reason.QUANTITY_EXCEEDS_LISTING: "taking more than was listed",
    Reason.NOT_AT_BEST: "taking a listing behind a better one",
    Reason.SELF_TRADE: "taking one's own listing",
    Reason.QUANTITY_BELOW_FILLED: "replacing to less than has traded",
    Reason.UNITS_BOUGHT_TODAY: "selling units bought today",
    Reason.ACCOUNT_SUSPENDED: "an order from a suspended account",
    Reason.WRONG_PHASE: "an order in the lunch break",
}
FRAMES: Final = {
    Reason.NOT_LOGGED_ON: "a frame before the logon",
    Reason.UNKNOWN_SESSION: "another session's name with one's own key",
    Reason.MALFORMED_FRAME: "three bytes",
    Reason.UNSUPPORTED_VERSION: "a frame of version 9",
    Reason.TOO_MANY_RECORDS: "a frame of 1,025 records",
    Reason.STALE_CLIENT_ORDER_ID: "a number below the last one that was never used",
    Reason.DUPLICATE_MISMATCH: "a used number with other content",
    Reason.ALREADY_TOO_OLD: "resuming behind the journal's end",
    Reason.THROTTLED: "frames faster than the session may send",
    Reason.SLOW_CONSUMER: "megabytes of replies never confirmed",
    Reason.TAKEN_OVER: "the same key logs on a second time",
    Reason.SESSION_ENDED: "the venue ends the session",
}

_OPERATOR = "only an operator's command has this field"
_SINGLE = "every multiple of one is allowed on this venue; the client SDK refuses a price such as 72.935 itself"
_ELSEWHERE: Final = {
    "block trades are not part of this demonstration": (
        Reason.UNKNOWN_NEGOTIATION,
        Reason.INVALID_EXPIRY,
        Reason.NEGOTIATION_EXPIRED,
        Reason.TERMS_CHANGED,
        Reason.OWN_TERMS,
        Reason.NEGOTIATION_TABLE_FULL,
    ),
    "auctions are not part of this demonstration": (
        Reason.UNKNOWN_AUCTION,
        Reason.WRONG_AUCTION_STAGE,
        Reason.SEED_NOT_COMMITTED,
        Reason.SEED_MISMATCH,
        Reason.AUCTION_TABLE_FULL,
        Reason.BID_TABLE_FULL,
        Reason.BELOW_RESERVE,
        Reason.ABOVE_CAP,
        Reason.NOTICE_PERIOD,
        Reason.PURCHASE_LIMIT,
        Reason.BELOW_FLOOR,
    ),
    "holds, obligations and transfers are not part of this demonstration": (
        Reason.UNKNOWN_HOLD,
        Reason.UNKNOWN_OBLIGATION,
        Reason.INVALID_HOLD,
        Reason.INVALID_YEAR,
        Reason.SETTLEMENT_NOT_ACKNOWLEDGED,
        Reason.HOLD_TABLE_FULL,
        Reason.OBLIGATION_TABLE_FULL,
        Reason.EXCEEDS_HOLD,
        Reason.WRONG_CREDITOR,
        Reason.NOT_SURRENDERABLE,
        Reason.EXCEEDS_OBLIGATION,
        Reason.OFFSET_LIMIT,
        Reason.CARRY_OVER_LIMIT,
        Reason.TRANSFERS_CLOSED,
    ),
    "this demonstration's operator sets no limits, stops nobody and corrects nothing": (
        Reason.INVALID_LIMIT,
        Reason.INSTRUMENT_HALTED,
        Reason.VENUE_HALTED,
        Reason.ALREADY_LISTED,
        Reason.ALREADY_BUSTED,
        Reason.FIRM_STOPPED,
        Reason.BUST_TABLE_FULL,
        Reason.MAX_ORDER_QUANTITY,
        Reason.MAX_ORDER_VALUE,
        Reason.PRICE_COLLAR,
        Reason.ORDER_RATE,
        Reason.OPEN_ORDERS,
        Reason.POSITION_LIMIT,
    ),
    "its disk has room enough": (
        Reason.VENUE_DRAINING,
        Reason.VENUE_STOPPING,
    ),
}
"""What this demonstration leaves out: reasons by why."""
OUT_OF_REACH: Final = {
    **{reason: why for why, reasons in _ELSEWHERE.items() for reason in reasons},
    Reason.UNKNOWN_FIRM: _OPERATOR,
    Reason.UNKNOWN_ASSET: _OPERATOR,
    Reason.UNKNOWN_CURRENCY: _OPERATOR,
    Reason.INVALID_AMOUNT: _OPERATOR,
    Reason.INVALID_PHASE: _OPERATOR,
    Reason.INVALID_DATE: "orders good till a date are not offered here; other dates are an operator's",
    Reason.INVALID_STATUS: _OPERATOR,
    Reason.INVALID_ROLE: _OPERATOR,
    Reason.INVALID_OWNER_GROUP: _OPERATOR,
    Reason.DAY_NOT_SETTLED: _OPERATOR,
    Reason.DAY_CLOSED: _OPERATOR,
    Reason.WRONG_DAY_STAGE: _OPERATOR,
    Reason.PROCEEDS_NOT_SETTLED: "payments out are an operator's commands",
    Reason.ACCOUNTS_PER_FIRM: "accounts are opened by operators",
    Reason.ACCOUNT_TABLE_FULL: "accounts are opened by operators",
    Reason.FIRM_TABLE_FULL: "firms are opened by operators",
    Reason.SESSION_TABLE_FULL: "sessions are opened by operators",
    Reason.OFF_TICK: _SINGLE,
    Reason.OFF_LOT: _SINGLE,
    Reason.QUANTITY_TOO_SMALL: "the smallest order of this venue is one tonne; nothing at all is INVALID_QUANTITY",
    Reason.PRICE_REQUIRED: "every listed vintage has a daily limit, which a market order takes as its price",
    Reason.AMOUNT_OVERFLOW: "99,999 t at the highest price stay far below 2^62 fen",
    Reason.NO_REFERENCE_PRICE: "a vintage without a close takes the composite when its first day opens",
    Reason.ORDER_TABLE_FULL: "this venue has room for 500,000 live orders",
    Reason.WOULD_CROSS: "this venue lets a crossing order trade",
    Reason.BEYOND_DEPTH: "this venue lets only the best listing be taken: NOT_AT_BEST comes first",
}
