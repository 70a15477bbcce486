"""The vocabulary is frozen: what was written once must mean the same for ever."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import schema
from engine.schema import (
    COMMAND,
    COMMAND_SHAPES,
    EVENT,
    EVENT_FIELDS,
    REASON_TEXT,
    STATE_SECTIONS,
    CommandKind,
    EventKind,
    Reason,
    pack_state,
    unpack_state,
    unused_field_masks,
)

pytestmark = pytest.mark.nojit

COMMAND_FIELDS = [
    ("kind", 0, "u1"),
    ("side", 1, "u1"),
    ("order_type", 2, "u1"),
    ("time_in_force", 3, "u1"),
    ("flags", 4, "<i2"),
    ("self_trade", 6, "u1"),
    ("scope", 7, "u1"),
    ("instrument", 8, "<i4"),
    ("account", 12, "<i4"),
    ("client_order_id", 16, "<i8"),
    ("target", 24, "<i8"),
    ("expiry", 32, "<i8"),
    ("price", 40, "<i4"),
    ("price2", 44, "<i4"),
    ("quantity", 48, "<i8"),
    ("quantity2", 56, "<i8"),
    ("sequence", 64, "<i8"),
    ("timestamp", 72, "<i8"),
    ("session", 80, "<i4"),
    ("actor", 84, "<i4"),
    ("spare", 88, "<i8"),
]
EVENT_FIELD_PLACES = [
    ("kind", 0, "u1"),
    ("side", 1, "u1"),
    ("phase", 2, "u1"),
    ("aggressor", 3, "u1"),
    ("reason", 4, "<i2"),
    ("flags", 6, "<i2"),
    ("sequence", 8, "<i8"),
    ("command_sequence", 16, "<i8"),
    ("timestamp", 24, "<i8"),
    ("instrument", 32, "<i4"),
    ("price", 36, "<i4"),
    ("quantity", 40, "<i8"),
    ("account", 48, "<i4"),
    ("contra_account", 52, "<i4"),
    ("order_id", 56, "<i8"),
    ("contra_order_id", 64, "<i8"),
    ("client_order_id", 72, "<i8"),
    ("contra_client_order_id", 80, "<i8"),
    ("remaining", 88, "<i8"),
    ("contra_remaining", 96, "<i8"),
    ("aux", 104, "<i8"),
    ("aux2", 112, "<i8"),
    ("session", 120, "<i4"),
    ("contra_session", 124, "<i4"),
]
CODES = {
    "Side": "NONE=0 BUY=1 SELL=2",
    "OrderType": "NONE=0 LIMIT=1 MARKET=2 STOP=3 STOP_LIMIT=4 ICEBERG=5 STOP_LIMIT_ICEBERG=6",
    "TimeInForce": "NONE=0 DAY=1 GTC=2 IOC=3 FOK=4 GTD=5",
    "OrderFlag": "POST_ONLY=1 BY_CLIENT_ID=2 HIDDEN=4",
    "SelfTrade": "DEFAULT=0 CANCEL_TAKER=1 CANCEL_MAKER=2 CANCEL_BOTH=3 DECREMENT=4",
    "MassCancelScope": "ACCOUNT=1 INSTRUMENT=2 SIDE=4 SESSION=8",
    "Mode": "LISTED=1 BLOCK=2 BIDDING=3",
    "Phase": "CLOSED=0 PRE_OPEN=1 OPEN_CALL=2 CONTINUOUS=3 BREAK=4 CLOSE_CALL=5 VOLATILITY_CALL=6 HALT=7",
    "DayStage": "OPEN=0 STOPPED=1 EXPIRED=2 CLOSE_FIXED=3 SETTLED=4",
    "Role": "TRADER=1 OPERATOR=2 READER=3",
    "Status": "ACTIVE=1 SUSPENDED=2 ENDED=3 STOPPED=4",
    "DisconnectPolicy": "KEEP=0 CANCEL_DAY=1 CANCEL_ALL=2",
    "EventFlag": "POSSIBLE_DUPLICATE=1 DUPLICATE_MISMATCH=2 STALE_ID=4 MAKER=8",
    "CommandKind": (
        "NEW_ORDER=1 CANCEL_ORDER=2 REPLACE_ORDER=3 MASS_CANCEL=4 TAKE=5 QUOTE=6 BLOCK_OFFER=8 "
        "BLOCK_COUNTER=9 BLOCK_ACCEPT=10 BLOCK_WITHDRAW=11 AUCTION_BID=12 AUCTION_BID_REPLACE=13 "
        "AUCTION_BID_WITHDRAW=14 SURRENDER=16 VOLUNTARY_CANCEL=17 TRANSFER_IN=18 TRANSFER_OUT=19 "
        "PLEDGE_REQUEST=20 FIRM_KILL=24 CLOCK_ANCHOR=64 SET_PHASE=65 STOP_TRADING=66 EXPIRE_ORDERS=67 "
        "FIX_CLOSE=68 SETTLE=69 SET_REFERENCE=70 WIDEN_WINDOW=71 LIST_INSTRUMENT=72 DELIST_INSTRUMENT=73 "
        "OPEN_FIRM=80 OPEN_ACCOUNT=81 OPEN_SESSION=82 SET_ACCOUNT_STATUS=83 SET_SESSION_STATUS=84 "
        "SET_OWNER_GROUP=85 SESSION_UP=86 SESSION_DOWN=87 DEPOSIT_CASH=96 WITHDRAW_CASH=97 DEPOSIT_UNITS=98 "
        "WITHDRAW_UNITS=99 ALLOCATE_UNITS=100 PLACE_HOLD=101 RELEASE_HOLD=102 REALISE_HOLD=103 "
        "ACKNOWLEDGE_SETTLEMENT=104 SET_OBLIGATION=105 SET_TRANSFER_WINDOW=106 SET_LIMIT=112 "
        "KILL_SWITCH=113 BUST_TRADE=114 SET_ORDER_STATUS=115 ANNOUNCE_AUCTION=120 "
        "COMMIT_SEED=121 OPEN_AUCTION=122 CLOSE_AUCTION=123 REVEAL_SEED=124 CANCEL_AUCTION=125 CARRY_OVER=126 "
        "SET_COST_RESERVE=127"
    ),
    "EventKind": (
        "ACCEPTED=1 REJECTED=2 TRADE=3 FEE=4 CANCELLED=5 EXPIRED=6 REPLACED=7 DECREMENTED=8 MASS_CANCELLED=9 "
        "TRIGGERED=10 REFRESHED=11 CALL_UNCROSSED=12 PHASE_CHANGED=16 CLOCK_ANCHORED=17 DAY_OPENED=18 "
        "TRADING_STOPPED=19 ORDERS_EXPIRED=20 CLOSE_FIXED=21 COMPOSITE_FIXED=22 UNITS_SETTLED=23 "
        "CASH_SETTLED=24 LIMITS_SET=25 SETTLED=26 INSTRUMENT_LISTED=27 INSTRUMENT_DELISTED=28 WINDOW_SET=29 "
        "SETTLEMENT_ACKNOWLEDGED=30 TRANSFER_WINDOW_SET=31 FIRM_OPENED=32 ACCOUNT_OPENED=33 SESSION_OPENED=34 "
        "ACCOUNT_STATUS_SET=35 SESSION_STATUS_SET=36 OWNER_GROUP_SET=37 SESSION_UP=38 SESSION_DOWN=39 LIMIT_SET=40 "
        "KILL_SWITCH_SET=41 TRADE_BUSTED=42 LARGE_HOLDER=43 CASH_MOVED=48 UNITS_MOVED=49 UNITS_ALLOCATED=50 "
        "HOLD_PLACED=51 HOLD_RELEASED=52 HOLD_REALISED=53 OBLIGATION_SET=54 UNITS_SURRENDERED=55 "
        "UNITS_CANCELLED=56 UNITS_CARRIED_OVER=57 OBLIGATION_OVERDUE=58 BLOCK_OFFERED=64 "
        "BLOCK_COUNTERED=65 BLOCK_TRADE=66 BLOCK_ENDED=67 AUCTION_ANNOUNCED=72 SEED_COMMITTED=73 "
        "AUCTION_OPENED=74 BID_ACCEPTED=75 BID_REPLACED=76 BID_ENDED=77 "
        "AUCTION_CLOSED=78 SEED_REVEALED=79 AUCTION_TRADE=80 AUCTION_CLEARED=81 AUCTION_CANCELLED=82 "
        "AUCTION_SECURED=83 COST_RESERVE_SET=84 COST_RESERVE_RELEASED=85"
    ),
    "Reason": (
        "NONE=0 UNKNOWN_SESSION=101 SESSION_ENDED=102 STALE_CLIENT_ORDER_ID=103 DUPLICATE_MISMATCH=104 "
        "NOT_PERMITTED=105 MALFORMED_FRAME=110 UNSUPPORTED_VERSION=111 TOO_MANY_RECORDS=112 NOT_LOGGED_ON=113 "
        "THROTTLED=114 TAKEN_OVER=115 ALREADY_TOO_OLD=116 SLOW_CONSUMER=117 VENUE_DRAINING=118 "
        "VENUE_STOPPING=119 INVALID_KIND=201 UNUSED_FIELD_SET=202 INVALID_SIDE=203 INVALID_ORDER_TYPE=204 "
        "INVALID_TIME_IN_FORCE=205 INVALID_FLAGS=206 INVALID_SELF_TRADE=207 INVALID_SCOPE=208 "
        "INVALID_COMBINATION=209 UNKNOWN_ACCOUNT=210 UNKNOWN_INSTRUMENT=211 UNKNOWN_FIRM=212 "
        "UNKNOWN_ASSET=213 UNKNOWN_CURRENCY=214 UNKNOWN_HOLD=215 UNKNOWN_OBLIGATION=216 UNKNOWN_AUCTION=217 "
        "UNKNOWN_NEGOTIATION=218 OFF_TICK=220 INVALID_PRICE=221 PRICE_REQUIRED=222 INVALID_QUANTITY=223 "
        "OFF_LOT=224 QUANTITY_TOO_SMALL=225 QUANTITY_TOO_LARGE=226 PRICE_OUT_OF_WINDOW=227 "
        "PRICE_ABOVE_LIMIT=228 PRICE_BELOW_LIMIT=229 AMOUNT_OVERFLOW=230 INVALID_AMOUNT=231 INVALID_PHASE=232 "
        "INVALID_DATE=233 INVALID_STATUS=234 INVALID_ROLE=235 INVALID_OWNER_GROUP=236 INVALID_HOLD=237 "
        "INVALID_LIMIT=238 INVALID_YEAR=239 INVALID_EXPIRY=240 NOT_LISTED=301 WRONG_PHASE=302 "
        "NO_REFERENCE_PRICE=303 DAY_NOT_SETTLED=304 DAY_CLOSED=305 WRONG_DAY_STAGE=306 MODE_NOT_OFFERED=307 "
        "WRONG_AUCTION_STAGE=308 SEED_NOT_COMMITTED=309 SEED_MISMATCH=310 SETTLEMENT_NOT_ACKNOWLEDGED=311 "
        "NEGOTIATION_EXPIRED=312 TERMS_CHANGED=313 OWN_TERMS=314 INSTRUMENT_HALTED=315 VENUE_HALTED=316 "
        "ALREADY_LISTED=317 ALREADY_BUSTED=318 NOTICE_PERIOD=319 TRANSFERS_CLOSED=320 "
        "ACCOUNT_SUSPENDED=401 INSUFFICIENT_FUNDS=402 "
        "INSUFFICIENT_UNITS=403 UNITS_BOUGHT_TODAY=404 PROCEEDS_NOT_SETTLED=405 FIRM_STOPPED=406 "
        "ORDER_TABLE_FULL=410 ACCOUNT_TABLE_FULL=411 FIRM_TABLE_FULL=412 SESSION_TABLE_FULL=413 "
        "NEGOTIATION_TABLE_FULL=414 AUCTION_TABLE_FULL=415 BID_TABLE_FULL=416 HOLD_TABLE_FULL=417 "
        "OBLIGATION_TABLE_FULL=418 BUST_TABLE_FULL=419 MAX_ORDER_QUANTITY=420 MAX_ORDER_VALUE=421 "
        "PRICE_COLLAR=422 ORDER_RATE=423 OPEN_ORDERS=424 POSITION_LIMIT=425 PURCHASE_LIMIT=426 ACCOUNTS_PER_FIRM=427 "
        "EXCEEDS_HOLD=430 "
        "WRONG_CREDITOR=431 NOT_SURRENDERABLE=432 EXCEEDS_OBLIGATION=433 OFFSET_LIMIT=434 "
        "CARRY_OVER_LIMIT=435 UNKNOWN_ORDER=501 POST_ONLY_WOULD_TAKE=502 FOK_NOT_FILLABLE=503 "
        "QUANTITY_BELOW_FILLED=504 WOULD_CROSS=505 NOT_AT_BEST=506 BEYOND_DEPTH=507 LISTING_CHANGED=508 "
        "QUANTITY_EXCEEDS_LISTING=509 SELF_TRADE=510 BELOW_RESERVE=511 ABOVE_CAP=512 MIN_QUANTITY_NOT_MET=513 "
        "BELOW_FLOOR=514 USER_REQUESTED=601 MASS_CANCEL=602 DISCONNECTED=603 SELF_TRADE_PREVENTED=604 "
        "IOC_REMAINDER=605 DEPTH_LIMIT=606 END_OF_DAY=607 JUDICIAL_HOLD=608 KILLED=609 OPERATOR=610 TERMS_EXPIRED=611 "
        "NOT_ALLOCATED=612 UNDERSUBSCRIBED=613 NO_BIDS=614 BELOW_SECONDARY=615 AUCTION_WITHDRAWN=616 "
        "QUOTE_REPLACED=617 DELISTED=618 GOOD_TILL_DATE=619 CALL_REMAINDER=620 NOT_IN_PLACE=621"
    ),
    "AssetKind": "ALLOWANCE=0 OFFSET=1 CREDIT=2",
    "AuctionPrice": "UNIFORM=1 PAY_AS_BID=2",
    "AuctionSecondary": "CANCEL=1 RAISE=2 OFF=3",
    "AuctionShort": "PARTIAL=1 CANCEL=2",
    "AuctionStage": "ANNOUNCED=1 OPEN=2 CLOSED=3 APPLIED=4",
    "AuctionTie": "TIME=1 RANDOM=2 PRORATA_RANDOM=3",
    "HoldType": "PLEDGE=1 JUDICIAL=2 TRANSFER_OUT=3 TRANSFER_IN=4",
    "KillScope": "FIRM=1 ACCOUNT=2 INSTRUMENT=3 VENUE=4",
    "LimitKind": ("ORDER_QUANTITY=1 ORDER_VALUE=2 PRICE_COLLAR=3 ORDER_RATE=4 OPEN_ORDERS=5 POSITION=6 LARGE_HOLDER=7"),
}
STATE_FIELDS = {
    "header": (
        "schema_version trading_date day_stage last_order_id event_sequence command_sequence timestamp "
        "composite firms anchor_journal anchor_monotonic rate_numerator rate_denominator last_negotiation_id "
        "last_auction_id last_hold_id last_obligation_id acknowledged_date venue_halted transfers_closed"
    ),
    "currencies": "deposited fees",
    "assets": "deposited",
    "instruments": (
        "listed_phase block_phase bidding_phase previous_close limit_down limit_up block_down block_up last "
        "open high low volume turnover turnover_high trades close floor ceiling listed_from listed_until "
        "halted block_volume block_turnover block_turnover_high block_trades auction_volume auction_price "
        "carried1 carried2 carried3 carried4 call_frozen call_price "
        "close_trade1 close_trade2 close_trade3 close_trade4 close_trade5 "
        "close_price1 close_price2 close_price3 close_price4 close_price5 "
        "close_lots1 close_lots2 close_lots3 close_lots4 close_lots5"
    ),
    "accounts": "firm owner_group group_from status",
    "cash": "account currency free locked auction_locked proceeds_today",
    "holds": ("account asset free locked bought_today pledged judicial auction_frozen transfer_pending carried_over"),
    "sessions": "firm role status policy connected last_client_order_id",
    "firms": "status",
    "negotiations": ("id instrument side account counterparty price quantity expiry locked session client_order_id"),
    "auctions": (
        "id instrument side account price_rule tie short secondary stage reserve cap quantity secondary_price "
        "secondary_bps frozen committed seed1 seed2 seed3 seed4 session client_order_id trigger reserve_lots days"
    ),
    "bids": "id auction account price quantity priority locked session client_order_id",
    "encumbrances": "id type account asset quantity creditor reference",
    "obligations": "id account year due surrendered offsets surrender_by overdue late",
    "limits": "firm account instrument kind value override until second count",
    "busts": "id quantity",
    "orders": (
        "order_id client_order_id cumulative_amount price quantity remaining account session instrument side "
        "order_type time_in_force self_trade flags expiry stop_price shown visible waiting quote"
    ),
}


@pytest.mark.parametrize(("dtype", "places", "size"), [(COMMAND, COMMAND_FIELDS, 96), (EVENT, EVENT_FIELD_PLACES, 128)])
def test_record_layout(dtype, places, size):
    assert dtype.itemsize == size
    assert [(name, dtype.fields[name][1], dtype.fields[name][0].str.lstrip("|")) for name in dtype.names] == places


@pytest.mark.parametrize("dtype", [COMMAND, EVENT], ids=["command", "event"])
def test_every_byte_belongs_to_one_aligned_field(dtype):
    end = 0
    for name in dtype.names:
        field, offset = dtype.fields[name][:2]
        assert offset == end, name
        assert offset % field.itemsize == 0, name
        end += field.itemsize
    assert end == dtype.itemsize


def test_the_firm_writes_the_first_64_bytes():
    assert schema.FIRM_BYTES == 64 == COMMAND.fields["sequence"][1]


@pytest.mark.parametrize("name", CODES)
def test_codes_never_change(name):
    assert [f"{member.name}={int(member)}" for member in getattr(schema, name)] == CODES[name].split()


def test_constants():
    assert (schema.SCHEMA_VERSION, schema.FIRST_OPERATOR_KIND, schema.SWEEP_LEVELS) == (4, 64, 5)
    assert (schema.MAX_PRICE, schema.MAX_QUANTITY, schema.MAX_MONEY) == (2**31 - 1, 2**31 - 1, 2**62 - 1)
    assert (schema.PPM, schema.BASIS_POINTS) == (1_000_000, 10_000)
    assert (schema.CLOSE_TRADES, schema.SHOWN_SHARE) == (5, 100)


def test_nothing_is_without_words():
    assert set(REASON_TEXT) == set(Reason)
    assert set(COMMAND_SHAPES) == set(CommandKind)
    assert set(EVENT_FIELDS) == set(EventKind)
    assert all(REASON_TEXT.values()) and all(EVENT_FIELDS.values())
    assert len(set(REASON_TEXT.values())) == len(REASON_TEXT)


def test_shapes_name_fields_that_the_firm_writes():
    written = {name for name, offset, _ in COMMAND_FIELDS if offset < 64} - {"kind"}
    for kind, shape in COMMAND_SHAPES.items():
        assert shape.purpose, kind
        assert set(shape.uses) <= written, kind
        assert "client_order_id" in shape.uses, kind
        assert all(shape.uses.values()), kind


def test_kinds_fit_their_byte():
    assert all(0 < kind < 256 for kind in [*CommandKind, *EventKind])
    assert all(0 <= code < 2**15 for code in Reason)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        # side, order type, time in force, flags, self-trade | instrument, account | client_order_id | target | expiry |
        # price, price2 | quantity | quantity2
        (1, "ff00000000000000 0 0 0 0 0 0 0"),
        # flags | client_order_id | target
        (2, "ffff0000ffffff00 -1 0 0 -1 -1 -1 -1"),
        # side | instrument, account | client_order_id | target | price | quantity
        (5, "ffffffffffff0000 0 0 0 -1 ffffffff00000000 0 -1"),
        # scope | instrument | client_order_id | expiry | quantity | quantity2
        (65, "00ffffffffffff00 ffffffff00000000 0 -1 0 -1 0 0"),
        # flags, self-trade | instrument, account | client_order_id | price, price2 | quantity | quantity2
        (6, "ff000000ffffff00 0 0 -1 -1 0 0 0"),
        (0, "-1 -1 -1 -1 -1 -1 -1 -1"),
        (255, "-1 -1 -1 -1 -1 -1 -1 -1"),
    ],
)
def test_unused_field_masks(kind, words):
    expected = [2**64 - 1 if word == "-1" else int(word, 16) for word in words.split()]
    assert unused_field_masks()[kind].view(np.uint64).tolist() == expected


@given(st.sampled_from(list(CommandKind)), st.sampled_from([name for name, at, _ in COMMAND_FIELDS if at < 64]))
def test_masks_agree_with_the_shapes(kind, field):
    """Setting one field trips the mask exactly when the kind does not use that field now."""
    shape = COMMAND_SHAPES[kind]
    command = np.zeros(1, COMMAND)
    command[field] = 1
    used = field == "kind" or field in shape.uses
    tripped = bool((command.view(np.int64)[:8] & unused_field_masks()[kind]).any())
    assert tripped == (not used)


def test_state_layout():
    assert {name: " ".join(dtype.names) for name, dtype in STATE_SECTIONS.items()} == STATE_FIELDS
    assert all(dtype[i] == np.dtype("<i8") for dtype in STATE_SECTIONS.values() for i in range(len(dtype)))


def state_of(rows: dict[str, list[list[int]]]) -> dict[str, np.ndarray]:
    return {
        name: np.array(rows.get(name, []), np.int64).reshape(-1, len(dtype)).view(dtype).reshape(-1)
        for name, dtype in STATE_SECTIONS.items()
    }


HEADER_ROW = [4, *range(20, 39)]


@given(
    st.dictionaries(st.sampled_from([n for n in STATE_SECTIONS if n != "header"]), st.integers(0, 5)),
    st.integers(-(2**63), 2**63 - 1),
)
def test_state_round_trip(counts, value):
    rows = {name: [[value] * len(STATE_SECTIONS[name])] * count for name, count in counts.items()}
    sections = state_of({**rows, "header": [HEADER_ROW]})
    data = pack_state(sections)
    assert len(data) == 8 * len(STATE_SECTIONS) + sum(s.nbytes for s in sections.values())
    again = unpack_state(data)
    assert list(again) == list(STATE_SECTIONS)
    assert all(np.array_equal(again[name], sections[name]) for name in sections)
    assert pack_state(again) == data


@given(st.integers(0, 200))
def test_a_state_cut_short_is_refused(length):
    data = pack_state(state_of({"header": [HEADER_ROW], "accounts": [[1, 2, 3, 4]]}))
    with pytest.raises(ValueError, match="canonical state"):
        unpack_state(data[: min(length, len(data) - 1)])


def test_a_foreign_state_is_refused():
    with pytest.raises(ValueError, match="behind its last section"):
        unpack_state(pack_state(state_of({"header": [HEADER_ROW]})) + b"\0")
    with pytest.raises(ValueError, match="another schema version"):
        unpack_state(pack_state(state_of({"header": [[1, *HEADER_ROW[1:]]]})))


def test_commands_are_zero():
    made = schema.commands(3)
    assert made.dtype == COMMAND and made.shape == (3,) and not made.view(np.uint8).any()
    made[0].price = 5  # a scalar has attributes, with and without the compiler
    assert made["price"].tolist() == [5, 0, 0]
