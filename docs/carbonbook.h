/* The records of carbonbook, for C11 and C++11 and later.
 *
 * Generated from engine/schema/. Do not edit; regenerate with: python -m engine.protocol_doc
 * Explained in protocol.md. All fields are little-endian: a big-endian machine swaps bytes after reading.
 */
#ifndef CARBONBOOK_H
#define CARBONBOOK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define CB_ASSERT static_assert
#else
#define CB_ASSERT _Static_assert
#endif

#define CB_SCHEMA_VERSION 4
#define CB_FIRM_BYTES 64 /* what a firm sends of a cb_command */
#define CB_FIRST_OPERATOR_KIND 64 /* kinds from here on need an operator's session */
#define CB_MAX_PRICE INT32_C(2147483647) /* ticks */
#define CB_MAX_QUANTITY INT64_C(2147483647) /* lots */
#define CB_MAX_MONEY INT64_C(4611686018427387903) /* minor units */

/* kind of a Command. */
enum cb_command_kind {
    CB_COMMAND_NEW_ORDER = 1,
    CB_COMMAND_CANCEL_ORDER = 2,
    CB_COMMAND_REPLACE_ORDER = 3,
    CB_COMMAND_MASS_CANCEL = 4,
    CB_COMMAND_TAKE = 5,
    CB_COMMAND_QUOTE = 6,
    CB_COMMAND_BLOCK_OFFER = 8,
    CB_COMMAND_BLOCK_COUNTER = 9,
    CB_COMMAND_BLOCK_ACCEPT = 10,
    CB_COMMAND_BLOCK_WITHDRAW = 11,
    CB_COMMAND_AUCTION_BID = 12,
    CB_COMMAND_AUCTION_BID_REPLACE = 13,
    CB_COMMAND_AUCTION_BID_WITHDRAW = 14,
    CB_COMMAND_SURRENDER = 16,
    CB_COMMAND_VOLUNTARY_CANCEL = 17,
    CB_COMMAND_TRANSFER_IN = 18,
    CB_COMMAND_TRANSFER_OUT = 19,
    CB_COMMAND_PLEDGE_REQUEST = 20,
    CB_COMMAND_FIRM_KILL = 24,
    CB_COMMAND_CLOCK_ANCHOR = 64,
    CB_COMMAND_SET_PHASE = 65,
    CB_COMMAND_STOP_TRADING = 66,
    CB_COMMAND_EXPIRE_ORDERS = 67,
    CB_COMMAND_FIX_CLOSE = 68,
    CB_COMMAND_SETTLE = 69,
    CB_COMMAND_SET_REFERENCE = 70,
    CB_COMMAND_WIDEN_WINDOW = 71,
    CB_COMMAND_LIST_INSTRUMENT = 72,
    CB_COMMAND_DELIST_INSTRUMENT = 73,
    CB_COMMAND_OPEN_FIRM = 80,
    CB_COMMAND_OPEN_ACCOUNT = 81,
    CB_COMMAND_OPEN_SESSION = 82,
    CB_COMMAND_SET_ACCOUNT_STATUS = 83,
    CB_COMMAND_SET_SESSION_STATUS = 84,
    CB_COMMAND_SET_OWNER_GROUP = 85,
    CB_COMMAND_SESSION_UP = 86,
    CB_COMMAND_SESSION_DOWN = 87,
    CB_COMMAND_DEPOSIT_CASH = 96,
    CB_COMMAND_WITHDRAW_CASH = 97,
    CB_COMMAND_DEPOSIT_UNITS = 98,
    CB_COMMAND_WITHDRAW_UNITS = 99,
    CB_COMMAND_ALLOCATE_UNITS = 100,
    CB_COMMAND_PLACE_HOLD = 101,
    CB_COMMAND_RELEASE_HOLD = 102,
    CB_COMMAND_REALISE_HOLD = 103,
    CB_COMMAND_ACKNOWLEDGE_SETTLEMENT = 104,
    CB_COMMAND_SET_OBLIGATION = 105,
    CB_COMMAND_SET_TRANSFER_WINDOW = 106,
    CB_COMMAND_SET_LIMIT = 112,
    CB_COMMAND_KILL_SWITCH = 113,
    CB_COMMAND_BUST_TRADE = 114,
    CB_COMMAND_SET_ORDER_STATUS = 115,
    CB_COMMAND_ANNOUNCE_AUCTION = 120,
    CB_COMMAND_COMMIT_SEED = 121,
    CB_COMMAND_OPEN_AUCTION = 122,
    CB_COMMAND_CLOSE_AUCTION = 123,
    CB_COMMAND_REVEAL_SEED = 124,
    CB_COMMAND_CANCEL_AUCTION = 125,
    CB_COMMAND_CARRY_OVER = 126,
    CB_COMMAND_SET_COST_RESERVE = 127,
};

/* kind of an Event. */
enum cb_event_kind {
    CB_EVENT_ACCEPTED = 1,
    CB_EVENT_REJECTED = 2,
    CB_EVENT_TRADE = 3,
    CB_EVENT_FEE = 4,
    CB_EVENT_CANCELLED = 5,
    CB_EVENT_EXPIRED = 6,
    CB_EVENT_REPLACED = 7,
    CB_EVENT_DECREMENTED = 8,
    CB_EVENT_MASS_CANCELLED = 9,
    CB_EVENT_TRIGGERED = 10,
    CB_EVENT_REFRESHED = 11,
    CB_EVENT_CALL_UNCROSSED = 12,
    CB_EVENT_PHASE_CHANGED = 16,
    CB_EVENT_CLOCK_ANCHORED = 17,
    CB_EVENT_DAY_OPENED = 18,
    CB_EVENT_TRADING_STOPPED = 19,
    CB_EVENT_ORDERS_EXPIRED = 20,
    CB_EVENT_CLOSE_FIXED = 21,
    CB_EVENT_COMPOSITE_FIXED = 22,
    CB_EVENT_UNITS_SETTLED = 23,
    CB_EVENT_CASH_SETTLED = 24,
    CB_EVENT_LIMITS_SET = 25,
    CB_EVENT_SETTLED = 26,
    CB_EVENT_INSTRUMENT_LISTED = 27,
    CB_EVENT_INSTRUMENT_DELISTED = 28,
    CB_EVENT_WINDOW_SET = 29,
    CB_EVENT_SETTLEMENT_ACKNOWLEDGED = 30,
    CB_EVENT_TRANSFER_WINDOW_SET = 31,
    CB_EVENT_FIRM_OPENED = 32,
    CB_EVENT_ACCOUNT_OPENED = 33,
    CB_EVENT_SESSION_OPENED = 34,
    CB_EVENT_ACCOUNT_STATUS_SET = 35,
    CB_EVENT_SESSION_STATUS_SET = 36,
    CB_EVENT_OWNER_GROUP_SET = 37,
    CB_EVENT_SESSION_UP = 38,
    CB_EVENT_SESSION_DOWN = 39,
    CB_EVENT_LIMIT_SET = 40,
    CB_EVENT_KILL_SWITCH_SET = 41,
    CB_EVENT_TRADE_BUSTED = 42,
    CB_EVENT_LARGE_HOLDER = 43,
    CB_EVENT_CASH_MOVED = 48,
    CB_EVENT_UNITS_MOVED = 49,
    CB_EVENT_UNITS_ALLOCATED = 50,
    CB_EVENT_HOLD_PLACED = 51,
    CB_EVENT_HOLD_RELEASED = 52,
    CB_EVENT_HOLD_REALISED = 53,
    CB_EVENT_OBLIGATION_SET = 54,
    CB_EVENT_UNITS_SURRENDERED = 55,
    CB_EVENT_UNITS_CANCELLED = 56,
    CB_EVENT_UNITS_CARRIED_OVER = 57,
    CB_EVENT_OBLIGATION_OVERDUE = 58,
    CB_EVENT_BLOCK_OFFERED = 64,
    CB_EVENT_BLOCK_COUNTERED = 65,
    CB_EVENT_BLOCK_TRADE = 66,
    CB_EVENT_BLOCK_ENDED = 67,
    CB_EVENT_AUCTION_ANNOUNCED = 72,
    CB_EVENT_SEED_COMMITTED = 73,
    CB_EVENT_AUCTION_OPENED = 74,
    CB_EVENT_BID_ACCEPTED = 75,
    CB_EVENT_BID_REPLACED = 76,
    CB_EVENT_BID_ENDED = 77,
    CB_EVENT_AUCTION_CLOSED = 78,
    CB_EVENT_SEED_REVEALED = 79,
    CB_EVENT_AUCTION_TRADE = 80,
    CB_EVENT_AUCTION_CLEARED = 81,
    CB_EVENT_AUCTION_CANCELLED = 82,
    CB_EVENT_AUCTION_SECURED = 83,
    CB_EVENT_COST_RESERVE_SET = 84,
    CB_EVENT_COST_RESERVE_RELEASED = 85,
};

/* side; aggressor of a TRADE, where 0 means that neither side was (auctions). */
enum cb_side {
    CB_SIDE_NONE = 0,
    CB_SIDE_BUY = 1,
    CB_SIDE_SELL = 2,
};

/* order_type. */
enum cb_order_type {
    CB_ORDER_TYPE_NONE = 0,
    CB_ORDER_TYPE_LIMIT = 1,
    CB_ORDER_TYPE_MARKET = 2,
    CB_ORDER_TYPE_STOP = 3,
    CB_ORDER_TYPE_STOP_LIMIT = 4,
    CB_ORDER_TYPE_ICEBERG = 5,
    CB_ORDER_TYPE_STOP_LIMIT_ICEBERG = 6,
};

/* time_in_force. */
enum cb_time_in_force {
    CB_TIF_NONE = 0,
    CB_TIF_DAY = 1,
    CB_TIF_GTC = 2,
    CB_TIF_IOC = 3,
    CB_TIF_FOK = 4,
    CB_TIF_GTD = 5,
};

/* Bits of a Command's flags. */
enum cb_order_flag {
    CB_FLAG_POST_ONLY = 1,
    CB_FLAG_BY_CLIENT_ID = 2,
    CB_FLAG_HIDDEN = 4,
};

/* self_trade: self-trade prevention; the aggressor's mode acts. */
enum cb_self_trade {
    CB_SELF_TRADE_DEFAULT = 0,
    CB_SELF_TRADE_CANCEL_TAKER = 1,
    CB_SELF_TRADE_CANCEL_MAKER = 2,
    CB_SELF_TRADE_CANCEL_BOTH = 3,
    CB_SELF_TRADE_DECREMENT = 4,
};

/* Bits of scope in MASS_CANCEL; no bit: all orders of the firm. */
enum cb_mass_cancel_scope {
    CB_SCOPE_ACCOUNT = 1,
    CB_SCOPE_INSTRUMENT = 2,
    CB_SCOPE_SIDE = 4,
    CB_SCOPE_SESSION = 8,
};

/* scope of SET_PHASE: the trading mode whose phase changes. */
enum cb_mode {
    CB_MODE_LISTED = 1,
    CB_MODE_BLOCK = 2,
    CB_MODE_BIDDING = 3,
};

/* quantity of SET_PHASE; phase of an Event. */
enum cb_phase {
    CB_PHASE_CLOSED = 0,
    CB_PHASE_PRE_OPEN = 1,
    CB_PHASE_OPEN_CALL = 2,
    CB_PHASE_CONTINUOUS = 3,
    CB_PHASE_BREAK = 4,
    CB_PHASE_CLOSE_CALL = 5,
    CB_PHASE_VOLATILITY_CALL = 6,
    CB_PHASE_HALT = 7,
};

/* Stage of the trading day, in the canonical state's header. */
enum cb_day_stage {
    CB_STAGE_OPEN = 0,
    CB_STAGE_STOPPED = 1,
    CB_STAGE_EXPIRED = 2,
    CB_STAGE_CLOSE_FIXED = 3,
    CB_STAGE_SETTLED = 4,
};

/* scope of OPEN_SESSION: what a session may do. */
enum cb_role {
    CB_ROLE_TRADER = 1,
    CB_ROLE_OPERATOR = 2,
    CB_ROLE_READER = 3,
};

/* Status of a firm, an account or a session; STOPPED: a firm by its own kill switch. */
enum cb_status {
    CB_STATUS_ACTIVE = 1,
    CB_STATUS_SUSPENDED = 2,
    CB_STATUS_ENDED = 3,
    CB_STATUS_STOPPED = 4,
};

/* scope of SESSION_UP: what happens to the orders of a lost session. */
enum cb_disconnect_policy {
    CB_POLICY_KEEP = 0,
    CB_POLICY_CANCEL_DAY = 1,
    CB_POLICY_CANCEL_ALL = 2,
};

/* side of PLACE_HOLD: why units are held. */
enum cb_hold_type {
    CB_HOLD_PLEDGE = 1,
    CB_HOLD_JUDICIAL = 2,
    CB_HOLD_TRANSFER_OUT = 3,
    CB_HOLD_TRANSFER_IN = 4,
};

/* What an asset may be surrendered for. */
enum cb_asset_kind {
    CB_ASSET_ALLOWANCE = 0,
    CB_ASSET_OFFSET = 1,
    CB_ASSET_CREDIT = 2,
};

/* scope of ANNOUNCE_AUCTION, bits 0-1: what successful bids pay. */
enum cb_auction_price {
    CB_AUCTION_PRICE_UNIFORM = 1,
    CB_AUCTION_PRICE_PAY_AS_BID = 2,
};

/* Bits 2-3: who gets the rest at the clearing price. */
enum cb_auction_tie {
    CB_AUCTION_TIE_TIME = 1,
    CB_AUCTION_TIE_RANDOM = 2,
    CB_AUCTION_TIE_PRORATA_RANDOM = 3,
};

/* Bits 4-5: when less is bid for than offered. */
enum cb_auction_short {
    CB_AUCTION_SHORT_PARTIAL = 1,
    CB_AUCTION_SHORT_CANCEL = 2,
};

/* Bits 6-7: when the price is far below the market. */
enum cb_auction_secondary {
    CB_AUCTION_SECONDARY_CANCEL = 1,
    CB_AUCTION_SECONDARY_RAISE = 2,
    CB_AUCTION_SECONDARY_OFF = 3,
};

/* Stage of an auction, in the canonical state. */
enum cb_auction_stage {
    CB_AUCTION_STAGE_ANNOUNCED = 1,
    CB_AUCTION_STAGE_OPEN = 2,
    CB_AUCTION_STAGE_CLOSED = 3,
    CB_AUCTION_STAGE_APPLIED = 4,
};

/* scope of SET_LIMIT: what is limited. */
enum cb_limit_kind {
    CB_LIMIT_ORDER_QUANTITY = 1,
    CB_LIMIT_ORDER_VALUE = 2,
    CB_LIMIT_PRICE_COLLAR = 3,
    CB_LIMIT_ORDER_RATE = 4,
    CB_LIMIT_OPEN_ORDERS = 5,
    CB_LIMIT_POSITION = 6,
    CB_LIMIT_LARGE_HOLDER = 7,
};

/* scope of KILL_SWITCH: what is stopped. */
enum cb_kill_scope {
    CB_KILL_FIRM = 1,
    CB_KILL_ACCOUNT = 2,
    CB_KILL_INSTRUMENT = 3,
    CB_KILL_VENUE = 4,
};

/* Bits of an Event's flags: set only by the gateway on what it sends. */
enum cb_event_flag {
    CB_EVENT_FLAG_POSSIBLE_DUPLICATE = 1,
    CB_EVENT_FLAG_DUPLICATE_MISMATCH = 2,
    CB_EVENT_FLAG_STALE_ID = 4,
    CB_EVENT_FLAG_MAKER = 8,
};

/* Why a command was refused or an order ended. */
enum cb_reason {
    CB_REASON_NONE = 0,
    CB_REASON_UNKNOWN_SESSION = 101,
    CB_REASON_SESSION_ENDED = 102,
    CB_REASON_STALE_CLIENT_ORDER_ID = 103,
    CB_REASON_DUPLICATE_MISMATCH = 104,
    CB_REASON_NOT_PERMITTED = 105,
    CB_REASON_MALFORMED_FRAME = 110,
    CB_REASON_UNSUPPORTED_VERSION = 111,
    CB_REASON_TOO_MANY_RECORDS = 112,
    CB_REASON_NOT_LOGGED_ON = 113,
    CB_REASON_THROTTLED = 114,
    CB_REASON_TAKEN_OVER = 115,
    CB_REASON_ALREADY_TOO_OLD = 116,
    CB_REASON_SLOW_CONSUMER = 117,
    CB_REASON_VENUE_DRAINING = 118,
    CB_REASON_VENUE_STOPPING = 119,
    CB_REASON_INVALID_KIND = 201,
    CB_REASON_UNUSED_FIELD_SET = 202,
    CB_REASON_INVALID_SIDE = 203,
    CB_REASON_INVALID_ORDER_TYPE = 204,
    CB_REASON_INVALID_TIME_IN_FORCE = 205,
    CB_REASON_INVALID_FLAGS = 206,
    CB_REASON_INVALID_SELF_TRADE = 207,
    CB_REASON_INVALID_SCOPE = 208,
    CB_REASON_INVALID_COMBINATION = 209,
    CB_REASON_UNKNOWN_ACCOUNT = 210,
    CB_REASON_UNKNOWN_INSTRUMENT = 211,
    CB_REASON_UNKNOWN_FIRM = 212,
    CB_REASON_UNKNOWN_ASSET = 213,
    CB_REASON_UNKNOWN_CURRENCY = 214,
    CB_REASON_UNKNOWN_HOLD = 215,
    CB_REASON_UNKNOWN_OBLIGATION = 216,
    CB_REASON_UNKNOWN_AUCTION = 217,
    CB_REASON_UNKNOWN_NEGOTIATION = 218,
    CB_REASON_OFF_TICK = 220,
    CB_REASON_INVALID_PRICE = 221,
    CB_REASON_PRICE_REQUIRED = 222,
    CB_REASON_INVALID_QUANTITY = 223,
    CB_REASON_OFF_LOT = 224,
    CB_REASON_QUANTITY_TOO_SMALL = 225,
    CB_REASON_QUANTITY_TOO_LARGE = 226,
    CB_REASON_PRICE_OUT_OF_WINDOW = 227,
    CB_REASON_PRICE_ABOVE_LIMIT = 228,
    CB_REASON_PRICE_BELOW_LIMIT = 229,
    CB_REASON_AMOUNT_OVERFLOW = 230,
    CB_REASON_INVALID_AMOUNT = 231,
    CB_REASON_INVALID_PHASE = 232,
    CB_REASON_INVALID_DATE = 233,
    CB_REASON_INVALID_STATUS = 234,
    CB_REASON_INVALID_ROLE = 235,
    CB_REASON_INVALID_OWNER_GROUP = 236,
    CB_REASON_INVALID_HOLD = 237,
    CB_REASON_INVALID_LIMIT = 238,
    CB_REASON_INVALID_YEAR = 239,
    CB_REASON_INVALID_EXPIRY = 240,
    CB_REASON_NOT_LISTED = 301,
    CB_REASON_WRONG_PHASE = 302,
    CB_REASON_NO_REFERENCE_PRICE = 303,
    CB_REASON_DAY_NOT_SETTLED = 304,
    CB_REASON_DAY_CLOSED = 305,
    CB_REASON_WRONG_DAY_STAGE = 306,
    CB_REASON_MODE_NOT_OFFERED = 307,
    CB_REASON_WRONG_AUCTION_STAGE = 308,
    CB_REASON_SEED_NOT_COMMITTED = 309,
    CB_REASON_SEED_MISMATCH = 310,
    CB_REASON_SETTLEMENT_NOT_ACKNOWLEDGED = 311,
    CB_REASON_NEGOTIATION_EXPIRED = 312,
    CB_REASON_TERMS_CHANGED = 313,
    CB_REASON_OWN_TERMS = 314,
    CB_REASON_INSTRUMENT_HALTED = 315,
    CB_REASON_VENUE_HALTED = 316,
    CB_REASON_ALREADY_LISTED = 317,
    CB_REASON_ALREADY_BUSTED = 318,
    CB_REASON_NOTICE_PERIOD = 319,
    CB_REASON_TRANSFERS_CLOSED = 320,
    CB_REASON_ACCOUNT_SUSPENDED = 401,
    CB_REASON_INSUFFICIENT_FUNDS = 402,
    CB_REASON_INSUFFICIENT_UNITS = 403,
    CB_REASON_UNITS_BOUGHT_TODAY = 404,
    CB_REASON_PROCEEDS_NOT_SETTLED = 405,
    CB_REASON_FIRM_STOPPED = 406,
    CB_REASON_ORDER_TABLE_FULL = 410,
    CB_REASON_ACCOUNT_TABLE_FULL = 411,
    CB_REASON_FIRM_TABLE_FULL = 412,
    CB_REASON_SESSION_TABLE_FULL = 413,
    CB_REASON_NEGOTIATION_TABLE_FULL = 414,
    CB_REASON_AUCTION_TABLE_FULL = 415,
    CB_REASON_BID_TABLE_FULL = 416,
    CB_REASON_HOLD_TABLE_FULL = 417,
    CB_REASON_OBLIGATION_TABLE_FULL = 418,
    CB_REASON_BUST_TABLE_FULL = 419,
    CB_REASON_MAX_ORDER_QUANTITY = 420,
    CB_REASON_MAX_ORDER_VALUE = 421,
    CB_REASON_PRICE_COLLAR = 422,
    CB_REASON_ORDER_RATE = 423,
    CB_REASON_OPEN_ORDERS = 424,
    CB_REASON_POSITION_LIMIT = 425,
    CB_REASON_PURCHASE_LIMIT = 426,
    CB_REASON_ACCOUNTS_PER_FIRM = 427,
    CB_REASON_EXCEEDS_HOLD = 430,
    CB_REASON_WRONG_CREDITOR = 431,
    CB_REASON_NOT_SURRENDERABLE = 432,
    CB_REASON_EXCEEDS_OBLIGATION = 433,
    CB_REASON_OFFSET_LIMIT = 434,
    CB_REASON_CARRY_OVER_LIMIT = 435,
    CB_REASON_UNKNOWN_ORDER = 501,
    CB_REASON_POST_ONLY_WOULD_TAKE = 502,
    CB_REASON_FOK_NOT_FILLABLE = 503,
    CB_REASON_QUANTITY_BELOW_FILLED = 504,
    CB_REASON_WOULD_CROSS = 505,
    CB_REASON_NOT_AT_BEST = 506,
    CB_REASON_BEYOND_DEPTH = 507,
    CB_REASON_LISTING_CHANGED = 508,
    CB_REASON_QUANTITY_EXCEEDS_LISTING = 509,
    CB_REASON_SELF_TRADE = 510,
    CB_REASON_BELOW_RESERVE = 511,
    CB_REASON_ABOVE_CAP = 512,
    CB_REASON_MIN_QUANTITY_NOT_MET = 513,
    CB_REASON_BELOW_FLOOR = 514,
    CB_REASON_USER_REQUESTED = 601,
    CB_REASON_MASS_CANCEL = 602,
    CB_REASON_DISCONNECTED = 603,
    CB_REASON_SELF_TRADE_PREVENTED = 604,
    CB_REASON_IOC_REMAINDER = 605,
    CB_REASON_DEPTH_LIMIT = 606,
    CB_REASON_END_OF_DAY = 607,
    CB_REASON_JUDICIAL_HOLD = 608,
    CB_REASON_KILLED = 609,
    CB_REASON_OPERATOR = 610,
    CB_REASON_TERMS_EXPIRED = 611,
    CB_REASON_NOT_ALLOCATED = 612,
    CB_REASON_UNDERSUBSCRIBED = 613,
    CB_REASON_NO_BIDS = 614,
    CB_REASON_BELOW_SECONDARY = 615,
    CB_REASON_AUCTION_WITHDRAWN = 616,
    CB_REASON_QUOTE_REPLACED = 617,
    CB_REASON_DELISTED = 618,
    CB_REASON_GOOD_TILL_DATE = 619,
    CB_REASON_CALL_REMAINDER = 620,
    CB_REASON_NOT_IN_PLACE = 621,
};

/* 96 bytes */
typedef struct cb_command {
    uint8_t kind;                     /*   0: CommandKind */
    uint8_t side;                     /*   1: Side */
    uint8_t order_type;               /*   2: OrderType */
    uint8_t time_in_force;            /*   3: TimeInForce */
    int16_t flags;                    /*   4: OrderFlag bits */
    uint8_t self_trade;               /*   6: SelfTrade */
    uint8_t scope;                    /*   7: a kind's own selector: bits, mode, role, status, policy, asset or currency id */
    int32_t instrument;               /*   8: instrument id */
    int32_t account;                  /*  12: account id; a mere label where the venue keeps no money */
    int64_t client_order_id;          /*  16: this command's own number, strictly increasing per session */
    int64_t target;                   /*  24: what the command is about: an order, a session, a listing */
    int64_t expiry;                   /*  32: date YYYYMMDD or time in ns, by kind */
    int32_t price;                    /*  40: ticks */
    int32_t price2;                   /*  44: ticks: a stop, the offer of a quote, the upper end of a range */
    int64_t quantity;                 /*  48: lots; or amount, units, a number, by kind */
    int64_t quantity2;                /*  56: lots: the shown part, the offer of a quote; or a number, by kind */
    /* from here on written by the gateway only */
    int64_t sequence;                 /*  64: number of the command in the journal, from 1 without gaps */
    int64_t timestamp;                /*  72: journal time of acceptance, UTC ns; data only, order is by sequence */
    int32_t session;                  /*  80: session id; 0 is the venue itself */
    int32_t actor;                    /*  84: who acted within the session, 0 = not told apart */
    int64_t spare;                    /*  88: zero */
} cb_command;

CB_ASSERT(sizeof(cb_command) == 96, "size of cb_command");
CB_ASSERT(offsetof(cb_command, kind) == 0, "offset of cb_command.kind");
CB_ASSERT(offsetof(cb_command, side) == 1, "offset of cb_command.side");
CB_ASSERT(offsetof(cb_command, order_type) == 2, "offset of cb_command.order_type");
CB_ASSERT(offsetof(cb_command, time_in_force) == 3, "offset of cb_command.time_in_force");
CB_ASSERT(offsetof(cb_command, flags) == 4, "offset of cb_command.flags");
CB_ASSERT(offsetof(cb_command, self_trade) == 6, "offset of cb_command.self_trade");
CB_ASSERT(offsetof(cb_command, scope) == 7, "offset of cb_command.scope");
CB_ASSERT(offsetof(cb_command, instrument) == 8, "offset of cb_command.instrument");
CB_ASSERT(offsetof(cb_command, account) == 12, "offset of cb_command.account");
CB_ASSERT(offsetof(cb_command, client_order_id) == 16, "offset of cb_command.client_order_id");
CB_ASSERT(offsetof(cb_command, target) == 24, "offset of cb_command.target");
CB_ASSERT(offsetof(cb_command, expiry) == 32, "offset of cb_command.expiry");
CB_ASSERT(offsetof(cb_command, price) == 40, "offset of cb_command.price");
CB_ASSERT(offsetof(cb_command, price2) == 44, "offset of cb_command.price2");
CB_ASSERT(offsetof(cb_command, quantity) == 48, "offset of cb_command.quantity");
CB_ASSERT(offsetof(cb_command, quantity2) == 56, "offset of cb_command.quantity2");
CB_ASSERT(offsetof(cb_command, sequence) == 64, "offset of cb_command.sequence");
CB_ASSERT(offsetof(cb_command, timestamp) == 72, "offset of cb_command.timestamp");
CB_ASSERT(offsetof(cb_command, session) == 80, "offset of cb_command.session");
CB_ASSERT(offsetof(cb_command, actor) == 84, "offset of cb_command.actor");
CB_ASSERT(offsetof(cb_command, spare) == 88, "offset of cb_command.spare");

/* 128 bytes */
typedef struct cb_event {
    uint8_t kind;                     /*   0: EventKind */
    uint8_t side;                     /*   1: Side of the order (of a TRADE: the aggressor's) */
    uint8_t phase;                    /*   2: the instrument's phase in mode LISTED; 0 without an instrument */
    uint8_t aggressor;                /*   3: of a TRADE: Side of the aggressor, 0 = none */
    int16_t reason;                   /*   4: reason code, 0 = none */
    int16_t flags;                    /*   6: EventFlag bits, zero in the journal */
    int64_t sequence;                 /*   8: number of the event, from 1 without gaps; of a TRADE also the trade id */
    int64_t command_sequence;         /*  16: sequence of the command that caused it */
    int64_t timestamp;                /*  24: timestamp of that command, UTC ns */
    int32_t instrument;               /*  32: instrument id, 0 = none */
    int32_t price;                    /*  36: ticks */
    int64_t quantity;                 /*  40: lots; or a count or number, by kind */
    int32_t account;                  /*  48: account id */
    int32_t contra_account;           /*  52: account id of the other side */
    int64_t order_id;                 /*  56: order id, running from 1, never reused */
    int64_t contra_order_id;          /*  64: order id of the other side */
    int64_t client_order_id;          /*  72: number of the order in its session */
    int64_t contra_client_order_id;   /*  80: the same of the other side */
    int64_t remaining;                /*  88: lots left of the order afterwards */
    int64_t contra_remaining;         /*  96: lots left of the other side's order */
    int64_t aux;                      /* 104: by kind, see Events */
    int64_t aux2;                     /* 112: by kind, see Events */
    int32_t session;                  /* 120: session id the event belongs to */
    int32_t contra_session;           /* 124: session id of the other side */
} cb_event;

CB_ASSERT(sizeof(cb_event) == 128, "size of cb_event");
CB_ASSERT(offsetof(cb_event, kind) == 0, "offset of cb_event.kind");
CB_ASSERT(offsetof(cb_event, side) == 1, "offset of cb_event.side");
CB_ASSERT(offsetof(cb_event, phase) == 2, "offset of cb_event.phase");
CB_ASSERT(offsetof(cb_event, aggressor) == 3, "offset of cb_event.aggressor");
CB_ASSERT(offsetof(cb_event, reason) == 4, "offset of cb_event.reason");
CB_ASSERT(offsetof(cb_event, flags) == 6, "offset of cb_event.flags");
CB_ASSERT(offsetof(cb_event, sequence) == 8, "offset of cb_event.sequence");
CB_ASSERT(offsetof(cb_event, command_sequence) == 16, "offset of cb_event.command_sequence");
CB_ASSERT(offsetof(cb_event, timestamp) == 24, "offset of cb_event.timestamp");
CB_ASSERT(offsetof(cb_event, instrument) == 32, "offset of cb_event.instrument");
CB_ASSERT(offsetof(cb_event, price) == 36, "offset of cb_event.price");
CB_ASSERT(offsetof(cb_event, quantity) == 40, "offset of cb_event.quantity");
CB_ASSERT(offsetof(cb_event, account) == 48, "offset of cb_event.account");
CB_ASSERT(offsetof(cb_event, contra_account) == 52, "offset of cb_event.contra_account");
CB_ASSERT(offsetof(cb_event, order_id) == 56, "offset of cb_event.order_id");
CB_ASSERT(offsetof(cb_event, contra_order_id) == 64, "offset of cb_event.contra_order_id");
CB_ASSERT(offsetof(cb_event, client_order_id) == 72, "offset of cb_event.client_order_id");
CB_ASSERT(offsetof(cb_event, contra_client_order_id) == 80, "offset of cb_event.contra_client_order_id");
CB_ASSERT(offsetof(cb_event, remaining) == 88, "offset of cb_event.remaining");
CB_ASSERT(offsetof(cb_event, contra_remaining) == 96, "offset of cb_event.contra_remaining");
CB_ASSERT(offsetof(cb_event, aux) == 104, "offset of cb_event.aux");
CB_ASSERT(offsetof(cb_event, aux2) == 112, "offset of cb_event.aux2");
CB_ASSERT(offsetof(cb_event, session) == 120, "offset of cb_event.session");
CB_ASSERT(offsetof(cb_event, contra_session) == 124, "offset of cb_event.contra_session");

static inline const char *cb_reason_text(int16_t reason)
{
    switch (reason) {
    case CB_REASON_NONE: return "no reason";
    case CB_REASON_UNKNOWN_SESSION: return "no such session";
    case CB_REASON_SESSION_ENDED: return "the session has been ended by the venue";
    case CB_REASON_STALE_CLIENT_ORDER_ID: return "client_order_id must be above the session's last one; nothing was done";
    case CB_REASON_DUPLICATE_MISMATCH: return "this client_order_id was used before with other content; nothing was done";
    case CB_REASON_NOT_PERMITTED: return "the session's role does not allow this command";
    case CB_REASON_MALFORMED_FRAME: return "the frame's length or header does not fit its type; send an 8-byte header and whole records";
    case CB_REASON_UNSUPPORTED_VERSION: return "the frame's version is not spoken here; see the logon answer";
    case CB_REASON_TOO_MANY_RECORDS: return "a frame carries 1 to 1,024 records";
    case CB_REASON_NOT_LOGGED_ON: return "send a logon first";
    case CB_REASON_THROTTLED: return "the session sends faster than its limit; slow down and send again";
    case CB_REASON_TAKEN_OVER: return "a later logon took this session over";
    case CB_REASON_ALREADY_TOO_OLD: return "the requested sequence lies before the journal's beginning";
    case CB_REASON_SLOW_CONSUMER: return "the client does not read its replies; reconnect and resume";
    case CB_REASON_VENUE_DRAINING: return "the venue's disk is nearly full: it takes cancels and no orders; send again later";
    case CB_REASON_VENUE_STOPPING: return "the venue's disk is full: it takes nothing more and stops";
    case CB_REASON_INVALID_KIND: return "unknown command kind";
    case CB_REASON_UNUSED_FIELD_SET: return "a field that this command kind does not use must be zero";
    case CB_REASON_INVALID_SIDE: return "side must be 1 (buy) or 2 (sell)";
    case CB_REASON_INVALID_ORDER_TYPE: return "this order type is unknown or not offered by the instrument";
    case CB_REASON_INVALID_TIME_IN_FORCE: return "this time in force is unknown or not offered by the instrument";
    case CB_REASON_INVALID_FLAGS: return "unknown flag for this command kind";
    case CB_REASON_INVALID_SELF_TRADE: return "unknown self-trade prevention mode";
    case CB_REASON_INVALID_SCOPE: return "unknown scope for this command kind";
    case CB_REASON_INVALID_COMBINATION: return "order type, time in force and flags, or a reserve and a cap, do not go together";
    case CB_REASON_UNKNOWN_ACCOUNT: return "no such account, or none of the session's firm";
    case CB_REASON_UNKNOWN_INSTRUMENT: return "no such instrument";
    case CB_REASON_UNKNOWN_FIRM: return "no such firm";
    case CB_REASON_UNKNOWN_ASSET: return "no such asset";
    case CB_REASON_UNKNOWN_CURRENCY: return "no such currency";
    case CB_REASON_UNKNOWN_HOLD: return "no such hold";
    case CB_REASON_UNKNOWN_OBLIGATION: return "no such obligation of this account and year";
    case CB_REASON_UNKNOWN_AUCTION: return "no such auction";
    case CB_REASON_UNKNOWN_NEGOTIATION: return "no such negotiation of this account";
    case CB_REASON_OFF_TICK: return "price is not a multiple of the instrument's price step";
    case CB_REASON_INVALID_PRICE: return "price must be at least one tick";
    case CB_REASON_PRICE_REQUIRED: return "the instrument has no daily limit: a market order needs a price as its collar";
    case CB_REASON_INVALID_QUANTITY: return "quantity must be from 1 to 2^31 - 1 lots";
    case CB_REASON_OFF_LOT: return "quantity is not a multiple of the instrument's quantity step";
    case CB_REASON_QUANTITY_TOO_SMALL: return "quantity is below the instrument's minimum";
    case CB_REASON_QUANTITY_TOO_LARGE: return "quantity is above the instrument's maximum";
    case CB_REASON_PRICE_OUT_OF_WINDOW: return "price is outside the instrument's price window";
    case CB_REASON_PRICE_ABOVE_LIMIT: return "price is above the day's upper limit";
    case CB_REASON_PRICE_BELOW_LIMIT: return "price is below the day's lower limit";
    case CB_REASON_AMOUNT_OVERFLOW: return "quantity x ceiling price x tick value, with the fee, or a total of deposits, must be below 2^62";
    case CB_REASON_INVALID_AMOUNT: return "amount must be from 1 to 2^62 - 1";
    case CB_REASON_INVALID_PHASE: return "unknown phase, or a phase this mode does not have";
    case CB_REASON_INVALID_DATE: return "the trading date is before the current one, or no date";
    case CB_REASON_INVALID_STATUS: return "unknown status";
    case CB_REASON_INVALID_ROLE: return "unknown role";
    case CB_REASON_INVALID_OWNER_GROUP: return "an owner group is a number from 0 to 2^31 - 1";
    case CB_REASON_INVALID_HOLD: return "unknown type of hold";
    case CB_REASON_INVALID_LIMIT: return "unknown limit, or a value it cannot have";
    case CB_REASON_INVALID_YEAR: return "a compliance year is a number from 2000 to 2999";
    case CB_REASON_INVALID_EXPIRY: return "the last moment or date has passed, or is none";
    case CB_REASON_NOT_LISTED: return "the instrument is not listed on this trading date";
    case CB_REASON_WRONG_PHASE: return "not possible in the instrument's present phase";
    case CB_REASON_NO_REFERENCE_PRICE: return "the instrument has no reference price yet";
    case CB_REASON_DAY_NOT_SETTLED: return "the previous trading day must be settled first";
    case CB_REASON_DAY_CLOSED: return "trading has stopped for this date";
    case CB_REASON_WRONG_DAY_STAGE: return "the end of day runs stop, expire, fix close, settle, in this order";
    case CB_REASON_MODE_NOT_OFFERED: return "the instrument is not traded in this mode";
    case CB_REASON_WRONG_AUCTION_STAGE: return "not possible in the auction's present stage";
    case CB_REASON_SEED_NOT_COMMITTED: return "ties are drawn by lot: commit the seed's hash before the window opens";
    case CB_REASON_SEED_MISMATCH: return "the seed's SHA-256 is not the one committed";
    case CB_REASON_SETTLEMENT_NOT_ACKNOWLEDGED: return "the registry has not acknowledged this day's settlement file";
    case CB_REASON_NEGOTIATION_EXPIRED: return "the negotiation's last moment has passed";
    case CB_REASON_TERMS_CHANGED: return "price or quantity differ from the terms that stand";
    case CB_REASON_OWN_TERMS: return "the terms that stand are this account's own";
    case CB_REASON_INSTRUMENT_HALTED: return "the instrument has been stopped by the kill switch";
    case CB_REASON_VENUE_HALTED: return "the venue has been stopped by the kill switch";
    case CB_REASON_ALREADY_LISTED: return "the instrument is listed already";
    case CB_REASON_ALREADY_BUSTED: return "this trade has been cancelled before";
    case CB_REASON_NOTICE_PERIOD: return "the auction was announced too few trading days ago";
    case CB_REASON_TRANSFERS_CLOSED: return "transfers are asked for within the venue's transfer windows only";
    case CB_REASON_ACCOUNT_SUSPENDED: return "the account is suspended";
    case CB_REASON_INSUFFICIENT_FUNDS: return "not enough free cash to lock the order's full amount";
    case CB_REASON_INSUFFICIENT_UNITS: return "not enough free units to lock the order's full quantity";
    case CB_REASON_UNITS_BOUGHT_TODAY: return "units bought today cannot be sold or withdrawn before settlement";
    case CB_REASON_PROCEEDS_NOT_SETTLED: return "today's sale proceeds cannot be withdrawn before settlement";
    case CB_REASON_FIRM_STOPPED: return "the firm has been stopped by the kill switch";
    case CB_REASON_ORDER_TABLE_FULL: return "the venue's order table is full";
    case CB_REASON_ACCOUNT_TABLE_FULL: return "the venue's account table is full";
    case CB_REASON_FIRM_TABLE_FULL: return "the venue's firm table is full";
    case CB_REASON_SESSION_TABLE_FULL: return "the venue's session table is full";
    case CB_REASON_NEGOTIATION_TABLE_FULL: return "the venue's table of negotiations is full";
    case CB_REASON_AUCTION_TABLE_FULL: return "the venue's table of auctions is full";
    case CB_REASON_BID_TABLE_FULL: return "the venue's table of bids is full";
    case CB_REASON_HOLD_TABLE_FULL: return "the venue's table of holds is full";
    case CB_REASON_OBLIGATION_TABLE_FULL: return "the venue's table of obligations is full";
    case CB_REASON_BUST_TABLE_FULL: return "the venue's table of cancelled trades is full";
    case CB_REASON_MAX_ORDER_QUANTITY: return "the order is larger than the limit set for it";
    case CB_REASON_MAX_ORDER_VALUE: return "the order is worth more than the limit set for it";
    case CB_REASON_PRICE_COLLAR: return "the price is further from the reference than the collar set for it";
    case CB_REASON_ORDER_RATE: return "more orders within one second than the limit set for it";
    case CB_REASON_OPEN_ORDERS: return "more open orders than the limit set for it";
    case CB_REASON_POSITION_LIMIT: return "holding and open buy orders would exceed the position limit";
    case CB_REASON_PURCHASE_LIMIT: return "the bidder's bids would exceed its share of the lots offered";
    case CB_REASON_ACCOUNTS_PER_FIRM: return "the firm has as many accounts as the venue allows one firm";
    case CB_REASON_EXCEEDS_HOLD: return "the hold has fewer units left than stated";
    case CB_REASON_WRONG_CREDITOR: return "a pledge is released or realised only in its creditor's name";
    case CB_REASON_NOT_SURRENDERABLE: return "this asset cannot be surrendered for this compliance year";
    case CB_REASON_EXCEEDS_OBLIGATION: return "more than is still due";
    case CB_REASON_OFFSET_LIMIT: return "offsets may cover only a limited share of an obligation";
    case CB_REASON_CARRY_OVER_LIMIT: return "more than may be carried over: a base amount and a multiple of the net sales";
    case CB_REASON_UNKNOWN_ORDER: return "no such live order";
    case CB_REASON_POST_ONLY_WOULD_TAKE: return "a post-only order would have traded at once";
    case CB_REASON_FOK_NOT_FILLABLE: return "the full quantity is not available at the limit";
    case CB_REASON_QUANTITY_BELOW_FILLED: return "the new total quantity must be above what has been filled";
    case CB_REASON_WOULD_CROSS: return "the venue refuses orders that would trade on entry";
    case CB_REASON_NOT_AT_BEST: return "the listing is not at the best price";
    case CB_REASON_BEYOND_DEPTH: return "the listing is outside the best five price levels";
    case CB_REASON_LISTING_CHANGED: return "the listing's price differs from the one stated";
    case CB_REASON_QUANTITY_EXCEEDS_LISTING: return "the listing has fewer lots left than stated";
    case CB_REASON_SELF_TRADE: return "both sides belong to one owner group";
    case CB_REASON_BELOW_RESERVE: return "the price is worse than the auction's reserve price";
    case CB_REASON_ABOVE_CAP: return "the bid is beyond the auction's price cap";
    case CB_REASON_MIN_QUANTITY_NOT_MET: return "the order's minimum quantity is not available at the limit";
    case CB_REASON_BELOW_FLOOR: return "the auction's reserve price is below the floor of the year";
    case CB_REASON_USER_REQUESTED: return "cancelled by its owner";
    case CB_REASON_MASS_CANCEL: return "cancelled by a mass cancel";
    case CB_REASON_DISCONNECTED: return "cancelled because its session was lost";
    case CB_REASON_SELF_TRADE_PREVENTED: return "ended by self-trade prevention";
    case CB_REASON_IOC_REMAINDER: return "the rest of an immediate order";
    case CB_REASON_DEPTH_LIMIT: return "system-cancelled: the rest lay beyond the best five price levels";
    case CB_REASON_END_OF_DAY: return "day order at the end of the day";
    case CB_REASON_JUDICIAL_HOLD: return "cancelled because a court order seized its units";
    case CB_REASON_KILLED: return "cancelled by the kill switch";
    case CB_REASON_OPERATOR: return "cancelled by the operator";
    case CB_REASON_TERMS_EXPIRED: return "ended because the negotiation's last moment has passed";
    case CB_REASON_NOT_ALLOCATED: return "the auction allocated nothing, or not all, to this bid";
    case CB_REASON_UNDERSUBSCRIBED: return "fewer lots were bid for than offered";
    case CB_REASON_NO_BIDS: return "there was no bid";
    case CB_REASON_BELOW_SECONDARY: return "the clearing price was far below the secondary market";
    case CB_REASON_AUCTION_WITHDRAWN: return "the auction was cancelled by the operator";
    case CB_REASON_QUOTE_REPLACED: return "replaced by a newer quote";
    case CB_REASON_DELISTED: return "the instrument was delisted";
    case CB_REASON_GOOD_TILL_DATE: return "the order's last trading date has passed";
    case CB_REASON_CALL_REMAINDER: return "the rest of an order for one call auction";
    case CB_REASON_NOT_IN_PLACE: return "what the auction offers was not in place in time";
    default: return "unknown reason";
    }
}

#endif
