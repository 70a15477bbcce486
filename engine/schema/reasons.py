"""Reason codes with their texts, in one place."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


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
    VENUE_DRAINING = 118
    VENUE_STOPPING = 119
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
    UNKNOWN_HOLD = 215
    UNKNOWN_OBLIGATION = 216
    UNKNOWN_AUCTION = 217
    UNKNOWN_NEGOTIATION = 218
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
    INVALID_HOLD = 237
    INVALID_LIMIT = 238
    INVALID_YEAR = 239
    INVALID_EXPIRY = 240
    # 3xx state of the market
    NOT_LISTED = 301
    WRONG_PHASE = 302
    NO_REFERENCE_PRICE = 303
    DAY_NOT_SETTLED = 304
    DAY_CLOSED = 305
    WRONG_DAY_STAGE = 306
    MODE_NOT_OFFERED = 307
    WRONG_AUCTION_STAGE = 308
    SEED_NOT_COMMITTED = 309
    SEED_MISMATCH = 310
    SETTLEMENT_NOT_ACKNOWLEDGED = 311
    NEGOTIATION_EXPIRED = 312
    TERMS_CHANGED = 313
    OWN_TERMS = 314
    INSTRUMENT_HALTED = 315
    VENUE_HALTED = 316
    ALREADY_LISTED = 317
    ALREADY_BUSTED = 318
    NOTICE_PERIOD = 319
    TRANSFERS_CLOSED = 320
    # 4xx risk, funds, capacity
    ACCOUNT_SUSPENDED = 401
    INSUFFICIENT_FUNDS = 402
    INSUFFICIENT_UNITS = 403
    UNITS_BOUGHT_TODAY = 404
    PROCEEDS_NOT_SETTLED = 405
    FIRM_STOPPED = 406
    ORDER_TABLE_FULL = 410
    ACCOUNT_TABLE_FULL = 411
    FIRM_TABLE_FULL = 412
    SESSION_TABLE_FULL = 413
    NEGOTIATION_TABLE_FULL = 414
    AUCTION_TABLE_FULL = 415
    BID_TABLE_FULL = 416
    HOLD_TABLE_FULL = 417
    OBLIGATION_TABLE_FULL = 418
    BUST_TABLE_FULL = 419
    MAX_ORDER_QUANTITY = 420
    MAX_ORDER_VALUE = 421
    PRICE_COLLAR = 422
    ORDER_RATE = 423
    OPEN_ORDERS = 424
    POSITION_LIMIT = 425
    PURCHASE_LIMIT = 426
    ACCOUNTS_PER_FIRM = 427
    EXCEEDS_HOLD = 430
    WRONG_CREDITOR = 431
    NOT_SURRENDERABLE = 432
    EXCEEDS_OBLIGATION = 433
    OFFSET_LIMIT = 434
    CARRY_OVER_LIMIT = 435
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
    BELOW_RESERVE = 511
    ABOVE_CAP = 512
    MIN_QUANTITY_NOT_MET = 513
    BELOW_FLOOR = 514
    # 6xx why an order ended
    USER_REQUESTED = 601
    MASS_CANCEL = 602
    DISCONNECTED = 603
    SELF_TRADE_PREVENTED = 604
    IOC_REMAINDER = 605
    DEPTH_LIMIT = 606
    END_OF_DAY = 607
    JUDICIAL_HOLD = 608
    KILLED = 609
    OPERATOR = 610
    TERMS_EXPIRED = 611
    NOT_ALLOCATED = 612
    UNDERSUBSCRIBED = 613
    NO_BIDS = 614
    BELOW_SECONDARY = 615
    AUCTION_WITHDRAWN = 616
    QUOTE_REPLACED = 617
    DELISTED = 618
    GOOD_TILL_DATE = 619
    CALL_REMAINDER = 620
    NOT_IN_PLACE = 621


REASON_TEXT: Final[dict[Reason, str]] = {
    Reason.NONE: "no reason",
    Reason.UNKNOWN_SESSION: "no such session",
    Reason.SESSION_ENDED: "the session has been ended by the venue",
    Reason.STALE_CLIENT_ORDER_ID: "client_order_id must be above the session's last one; nothing was done",
    Reason.DUPLICATE_MISMATCH: "this client_order_id was used before with other content; nothing was done",
    Reason.NOT_PERMITTED: "the session's role does not allow this command",
    Reason.MALFORMED_FRAME: "the frame's length or header does not fit its type; send an 8-byte header "
    "and whole records",
    Reason.UNSUPPORTED_VERSION: "the frame's version is not spoken here; see the logon answer",
    Reason.TOO_MANY_RECORDS: "a frame carries 1 to 1,024 records",
    Reason.NOT_LOGGED_ON: "send a logon first",
    Reason.THROTTLED: "the session sends faster than its limit; slow down and send again",
    Reason.TAKEN_OVER: "a later logon took this session over",
    Reason.ALREADY_TOO_OLD: "the requested sequence lies before the journal's beginning",
    Reason.SLOW_CONSUMER: "the client does not read its replies; reconnect and resume",
    Reason.VENUE_DRAINING: "the venue's disk is nearly full: it takes cancels and no orders; send again later",
    Reason.VENUE_STOPPING: "the venue's disk is full: it takes nothing more and stops",
    Reason.INVALID_KIND: "unknown command kind",
    Reason.UNUSED_FIELD_SET: "a field that this command kind does not use must be zero",
    Reason.INVALID_SIDE: "side must be 1 (buy) or 2 (sell)",
    Reason.INVALID_ORDER_TYPE: "this order type is unknown or not offered by the instrument",
    Reason.INVALID_TIME_IN_FORCE: "this time in force is unknown or not offered by the instrument",
    Reason.INVALID_FLAGS: "unknown flag for this command kind",
    Reason.INVALID_SELF_TRADE: "unknown self-trade prevention mode",
    Reason.INVALID_SCOPE: "unknown scope for this command kind",
    Reason.INVALID_COMBINATION: "order type, time in force and flags, or a reserve and a cap, do not go together",
    Reason.UNKNOWN_ACCOUNT: "no such account, or none of the session's firm",
    Reason.UNKNOWN_INSTRUMENT: "no such instrument",
    Reason.UNKNOWN_FIRM: "no such firm",
    Reason.UNKNOWN_ASSET: "no such asset",
    Reason.UNKNOWN_CURRENCY: "no such currency",
    Reason.UNKNOWN_HOLD: "no such hold",
    Reason.UNKNOWN_OBLIGATION: "no such obligation of this account and year",
    Reason.UNKNOWN_AUCTION: "no such auction",
    Reason.UNKNOWN_NEGOTIATION: "no such negotiation of this account",
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
    Reason.AMOUNT_OVERFLOW: "quantity x ceiling price x tick value, with the fee, or a total of "
    "deposits, must be below 2^62",
    Reason.INVALID_AMOUNT: "amount must be from 1 to 2^62 - 1",
    Reason.INVALID_PHASE: "unknown phase, or a phase this mode does not have",
    Reason.INVALID_DATE: "the trading date is before the current one, or no date",
    Reason.INVALID_STATUS: "unknown status",
    Reason.INVALID_ROLE: "unknown role",
    Reason.INVALID_OWNER_GROUP: "an owner group is a number from 0 to 2^31 - 1",
    Reason.INVALID_HOLD: "unknown type of hold",
    Reason.INVALID_LIMIT: "unknown limit, or a value it cannot have",
    Reason.INVALID_YEAR: "a compliance year is a number from 2000 to 2999",
    Reason.INVALID_EXPIRY: "the last moment or date has passed, or is none",
    Reason.NOT_LISTED: "the instrument is not listed on this trading date",
    Reason.WRONG_PHASE: "not possible in the instrument's present phase",
    Reason.NO_REFERENCE_PRICE: "the instrument has no reference price yet",
    Reason.DAY_NOT_SETTLED: "the previous trading day must be settled first",
    Reason.DAY_CLOSED: "trading has stopped for this date",
    Reason.WRONG_DAY_STAGE: "the end of day runs stop, expire, fix close, settle, in this order",
    Reason.MODE_NOT_OFFERED: "the instrument is not traded in this mode",
    Reason.WRONG_AUCTION_STAGE: "not possible in the auction's present stage",
    Reason.SEED_NOT_COMMITTED: "ties are drawn by lot: commit the seed's hash before the window opens",
    Reason.SEED_MISMATCH: "the seed's SHA-256 is not the one committed",
    Reason.SETTLEMENT_NOT_ACKNOWLEDGED: "the registry has not acknowledged this day's settlement file",
    Reason.NEGOTIATION_EXPIRED: "the negotiation's last moment has passed",
    Reason.TERMS_CHANGED: "price or quantity differ from the terms that stand",
    Reason.OWN_TERMS: "the terms that stand are this account's own",
    Reason.INSTRUMENT_HALTED: "the instrument has been stopped by the kill switch",
    Reason.VENUE_HALTED: "the venue has been stopped by the kill switch",
    Reason.ALREADY_LISTED: "the instrument is listed already",
    Reason.ALREADY_BUSTED: "this trade has been cancelled before",
    Reason.NOTICE_PERIOD: "the auction was announced too few trading days ago",
    Reason.TRANSFERS_CLOSED: "transfers are asked for within the venue's transfer windows only",
    Reason.ACCOUNT_SUSPENDED: "the account is suspended",
    Reason.INSUFFICIENT_FUNDS: "not enough free cash to lock the order's full amount",
    Reason.INSUFFICIENT_UNITS: "not enough free units to lock the order's full quantity",
    Reason.UNITS_BOUGHT_TODAY: "units bought today cannot be sold or withdrawn before settlement",
    Reason.PROCEEDS_NOT_SETTLED: "today's sale proceeds cannot be withdrawn before settlement",
    Reason.FIRM_STOPPED: "the firm has been stopped by the kill switch",
    Reason.ORDER_TABLE_FULL: "the venue's order table is full",
    Reason.ACCOUNT_TABLE_FULL: "the venue's account table is full",
    Reason.FIRM_TABLE_FULL: "the venue's firm table is full",
    Reason.SESSION_TABLE_FULL: "the venue's session table is full",
    Reason.NEGOTIATION_TABLE_FULL: "the venue's table of negotiations is full",
    Reason.AUCTION_TABLE_FULL: "the venue's table of auctions is full",
    Reason.BID_TABLE_FULL: "the venue's table of bids is full",
    Reason.HOLD_TABLE_FULL: "the venue's table of holds is full",
    Reason.OBLIGATION_TABLE_FULL: "the venue's table of obligations is full",
    Reason.BUST_TABLE_FULL: "the venue's table of cancelled trades is full",
    Reason.MAX_ORDER_QUANTITY: "the order is larger than the limit set for it",
    Reason.MAX_ORDER_VALUE: "the order is worth more than the limit set for it",
    Reason.PRICE_COLLAR: "the price is further from the reference than the collar set for it",
    Reason.ORDER_RATE: "more orders within one second than the limit set for it",
    Reason.OPEN_ORDERS: "more open orders than the limit set for it",
    Reason.POSITION_LIMIT: "holding and open buy orders would exceed the position limit",
    Reason.PURCHASE_LIMIT: "the bidder's bids would exceed its share of the lots offered",
    Reason.ACCOUNTS_PER_FIRM: "the firm has as many accounts as the venue allows one firm",
    Reason.EXCEEDS_HOLD: "the hold has fewer units left than stated",
    Reason.WRONG_CREDITOR: "a pledge is released or realised only in its creditor's name",
    Reason.NOT_SURRENDERABLE: "this asset cannot be surrendered for this compliance year",
    Reason.EXCEEDS_OBLIGATION: "more than is still due",
    Reason.OFFSET_LIMIT: "offsets may cover only a limited share of an obligation",
    Reason.CARRY_OVER_LIMIT: "more than may be carried over: a base amount and a multiple of the net sales",
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
    Reason.BELOW_RESERVE: "the price is worse than the auction's reserve price",
    Reason.ABOVE_CAP: "the bid is beyond the auction's price cap",
    Reason.MIN_QUANTITY_NOT_MET: "the order's minimum quantity is not available at the limit",
    Reason.BELOW_FLOOR: "the auction's reserve price is below the floor of the year",
    Reason.USER_REQUESTED: "cancelled by its owner",
    Reason.MASS_CANCEL: "cancelled by a mass cancel",
    Reason.DISCONNECTED: "cancelled because its session was lost",
    Reason.SELF_TRADE_PREVENTED: "ended by self-trade prevention",
    Reason.IOC_REMAINDER: "the rest of an immediate order",
    Reason.DEPTH_LIMIT: "system-cancelled: the rest lay beyond the best five price levels",
    Reason.END_OF_DAY: "day order at the end of the day",
    Reason.JUDICIAL_HOLD: "cancelled because a court order seized its units",
    Reason.KILLED: "cancelled by the kill switch",
    Reason.OPERATOR: "cancelled by the operator",
    Reason.TERMS_EXPIRED: "ended because the negotiation's last moment has passed",
    Reason.NOT_ALLOCATED: "the auction allocated nothing, or not all, to this bid",
    Reason.UNDERSUBSCRIBED: "fewer lots were bid for than offered",
    Reason.NO_BIDS: "there was no bid",
    Reason.BELOW_SECONDARY: "the clearing price was far below the secondary market",
    Reason.AUCTION_WITHDRAWN: "the auction was cancelled by the operator",
    Reason.QUOTE_REPLACED: "replaced by a newer quote",
    Reason.DELISTED: "the instrument was delisted",
    Reason.GOOD_TILL_DATE: "the order's last trading date has passed",
    Reason.CALL_REMAINDER: "the rest of an order for one call auction",
    Reason.NOT_IN_PLACE: "what the auction offers was not in place in time",
}
