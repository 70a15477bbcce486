"""What travels on the wire: an 8-byte header, then fixed records or one msgspec message.

A ZeroMQ message is exactly one payload frame. Records are the engine's own (`engine.schema`), so nothing is converted
between client, kernel and journal. Messages are MessagePack arrays in field order. All integers are little-endian.
`docs/session-protocol.md` has the tables.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import Any, Final, NamedTuple, TypeVar, cast

import msgspec
import numpy as np

from engine.control import Control
from engine.schema import COMMAND, EVENT, FIRM_BYTES, CommandArray, EventArray, Reason

VERSION: Final = 1
MAX_MESSAGE: Final = 256 * 1024
MAX_RECORDS: Final = 1_024
HEADER: Final = Struct("<BBHI")
"""type, version, count of records (1 for a message), token."""
_SEQUENCE: Final = Struct("<q")
_SEQUENCE_AT: Final = 8
SPAN: Final = Struct("<qqqq")
"""Leads the body of EVENTS: previous, first, last event sequence of this session, and its last consumed number."""


class FrameType(IntEnum):
    """Below 64 from the client, from 64 on from the gateway; HEARTBEAT goes both ways."""

    COMMANDS = 1
    LOGON = 2
    LOGOUT = 3
    HEARTBEAT = 4
    RESUME = 5
    QUERY = 6
    CONTROL = 7
    EVENTS = 65
    DUPLICATES = 66
    LOGON_ANSWER = 67
    LOGGED_OUT = 68
    RESUMED = 69
    SESSION_REJECT = 70
    ANSWER = 71


class Message(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, gc=False):
    """Base of everything that is not a fixed record."""


class Logon(Message, frozen=True):
    """Opens the connection. `session` is a name: needed on ipc, where no key tells; elsewhere it may be empty.

    `heartbeat_ms` 0 asks for the venue's; `policy` is a DisconnectPolicy.
    """

    session: str = ""
    heartbeat_ms: int = 0
    policy: int = 0
    client: str = ""


class LogonAnswer(Message, frozen=True):
    """`epoch` names this run of the gateway; `last_event` is where RESUME must reach."""

    session: int
    name: str
    firm: int
    role: int
    epoch: int
    last_client_order_id: int
    last_event: int
    heartbeat_ms: int
    credit_bytes: int
    commands_per_second: int
    durability: str
    venue: str
    journal_time: int
    clock_rate: int = 1
    """Journal nanoseconds per real nanosecond."""
    cancels_per_second: int = 0
    grace_ms: int = 0
    """How long a lost session may be away before its disconnect policy is carried out."""


class Logout(Message, frozen=True):
    """The session's disconnect policy is carried out, then LOGGED_OUT comes."""


class Heartbeat(Message, frozen=True):
    """`journal_time` and `last_event` come from the gateway only; the client's token: bytes received."""

    epoch: int = 0
    journal_time: int = 0
    last_event: int = 0


class Resume(Message, frozen=True):
    """Asks for every event record of the session with a sequence above `after`."""

    after: int


class Resumed(Message, frozen=True):
    """Behind the EVENTS frames of one RESUME; `complete` is false when the client has to ask again from its last."""

    last: int
    complete: bool


class SessionReject(Message, frozen=True):
    """Nothing of the frame was carried out; no client_order_id in it is consumed.

    `first` and `count` name the refused commands where there are any. `retry_ms`: after so many milliseconds the
    same frame fits the session's throttle; 0 when that is not known.
    """

    reason: int
    text: str
    first: int = 0
    count: int = 0
    retry_ms: int = 0


class ControlRequest(Message, frozen=True):
    """One administrative message of an operator; `client_order_id` is that of its first primitive command."""

    client_order_id: int
    message: Control


class QueryKind(IntEnum):
    REFERENCE = 1
    ACCOUNT = 2
    BOOK = 3
    DAY = 4
    ORDERS = 5
    STATUS = 6
    NEGOTIATIONS = 7
    AUCTIONS = 8
    BIDS = 9
    HOLDS = 10
    OBLIGATIONS = 11
    COMPLIANCE = 12
    STATEMENT = 13
    INDICATIVE = 14


class Query(Message, frozen=True):
    """`number`: the account (ACCOUNT, COMPLIANCE, STATEMENT), the instrument (BOOK; DAY, INDICATIVE: 0 = all), or the
    id to start after. STATEMENT only: `date` of a settled day (0 = the latest), `after` which event sequence its trades
    begin.
    """

    kind: int
    number: int = 0
    date: int = 0
    after: int = 0


class InstrumentData(Message, frozen=True):
    """Prices in ticks; `tick` is the decimal price of one."""

    number: int
    symbol: str
    asset: int
    currency: int
    tick: str
    tick_value: int
    units_per_lot: int
    price_step: int
    quantity_step: int
    quantity_min: int
    quantity_max: int
    floor: int
    ceiling: int
    limit_listed_bps: int
    fee_ppm: int
    listed_from: int
    order_types: tuple[str, ...]
    times_in_force: tuple[str, ...]
    post_only: bool
    hidden: bool
    quotes: bool
    call_auction: bool


class ReferenceData(Message, frozen=True):
    """What a client needs to write orders and print figures; `accounts`: those of the session's firm."""

    venue: str
    title: str
    prefunded: bool
    take: bool
    sweep_levels: int
    currencies: tuple[str, ...]
    assets: tuple[str, ...]
    instruments: tuple[InstrumentData, ...]
    accounts: tuple[tuple[int, str], ...]
    timezone: str


class CashData(Message, frozen=True):
    currency: int
    free: int
    locked: int
    auction_locked: int
    proceeds_today: int


class HoldingData(Message, frozen=True):
    asset: int
    free: int
    locked: int
    bought_today: int
    pledged: int
    judicial: int
    auction_frozen: int
    transfer_pending: int
    carried_over: int


class AccountData(Message, frozen=True):
    """Minor currency units and asset units."""

    account: int
    firm: int
    owner_group: int
    status: int
    cash: tuple[CashData, ...]
    holdings: tuple[HoldingData, ...]


class LevelData(Message, frozen=True):
    price: int
    quantity: int
    orders: int


class BookData(Message, frozen=True):
    """Best five levels per side, best first, as of event `sequence`."""

    instrument: int
    sequence: int
    phase: int
    bids: tuple[LevelData, ...]
    asks: tuple[LevelData, ...]


class DayData(Message, frozen=True):
    """One instrument's day: ticks, lots, turnover in ticks x lots; 0 = none."""

    instrument: int
    trading_date: int
    stage: int
    phase: int
    previous_close: int
    limit_down: int
    limit_up: int
    open: int
    high: int
    low: int
    last: int
    close: int
    volume: int
    turnover: str
    trades: int


class OrderData(Message, frozen=True):
    """A live order. `flags` are OrderFlags, `expiry` a date or 0; `visible` are lots that an iceberg shows now.

    `waiting` 1: a stop whose price has not been met; `quote` 1: a side of the account's present quote.
    """

    order_id: int
    client_order_id: int
    instrument: int
    account: int
    side: int
    price: int
    quantity: int
    remaining: int
    order_type: int
    time_in_force: int
    flags: int
    expiry: int
    stop_price: int
    shown: int
    visible: int
    waiting: int
    quote: int


class DayAnswer(Message, frozen=True):
    days: tuple[DayData, ...]
    composite: int


class OrdersAnswer(Message, frozen=True):
    """Live orders of the session by order id; `complete` is false when more lie behind the last."""

    orders: tuple[OrderData, ...]
    complete: bool


class Frame(NamedTuple):
    """A frame taken apart."""

    type: int
    records: int
    token: int
    body: memoryview


class WireError(ValueError):
    """A frame that cannot be read; `reason` is what the sender is told."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


_encoder = msgspec.msgpack.Encoder()
_decoders: dict[type[Any], msgspec.msgpack.Decoder[Any]] = {}
M = TypeVar("M", bound=Message)


def pack(frame_type: FrameType, message: Message, token: int = 0) -> bytes:
    """One message as a frame."""
    return HEADER.pack(frame_type, VERSION, 1, token & 0xFFFFFFFF) + _encoder.encode(message)


def unpack(frame: Frame, kind: type[M]) -> M:
    """The message in a frame. Raises WireError (MALFORMED_FRAME)."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.msgpack.Decoder(kind)
    try:
        return cast(M, decoder.decode(frame.body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        raise WireError(Reason.MALFORMED_FRAME, f"{kind.__name__}: {error}") from None


def split(data: bytes | memoryview) -> Frame:
    """A frame's header and body. Raises WireError."""
    if len(data) < HEADER.size:
        raise WireError(Reason.MALFORMED_FRAME, f"{len(data)} bytes; a frame starts with an 8-byte header")
    frame_type, version, count, token = HEADER.unpack_from(data)
    if version != VERSION:
        raise WireError(Reason.UNSUPPORTED_VERSION, f"version {version}; this gateway speaks {VERSION}")
    return Frame(frame_type, count, token, memoryview(data)[HEADER.size :])


def pack_commands(commands: CommandArray, token: int = 0) -> bytes:
    """1 to 1,024 commands as a COMMANDS frame: their first 64 bytes each."""
    raw = commands.view(np.uint8).reshape(len(commands), COMMAND.itemsize)[:, :FIRM_BYTES]
    return HEADER.pack(FrameType.COMMANDS, VERSION, len(commands), token & 0xFFFFFFFF) + raw.tobytes()


def unpack_commands(frame: Frame) -> CommandArray:
    """The commands of a COMMANDS frame with the gateway's 32 bytes zero. Raises WireError."""
    if not 1 <= frame.records <= MAX_RECORDS:
        raise WireError(Reason.TOO_MANY_RECORDS, f"{frame.records} records")
    if len(frame.body) != frame.records * FIRM_BYTES:
        raise WireError(
            Reason.MALFORMED_FRAME, f"{len(frame.body)} bytes behind the header; {frame.records} commands take 64 each"
        )
    commands = np.zeros(frame.records, COMMAND)
    raw = commands.view(np.uint8).reshape(frame.records, COMMAND.itemsize)
    raw[:, :FIRM_BYTES] = np.frombuffer(frame.body, np.uint8).reshape(frame.records, FIRM_BYTES)
    return commands


def pack_events(
    records: bytes, count: int, span: tuple[int, int, int, int], frame_type: FrameType = FrameType.EVENTS
) -> bytes:
    """Event records as a frame; `span` is (previous, first, last, last consumed client_order_id)."""
    return HEADER.pack(frame_type, VERSION, count, 0) + SPAN.pack(*span) + records


def sequence_at(records: bytes, index: int) -> int:
    """The sequence of one of several event records."""
    return int(_SEQUENCE.unpack_from(records, index * EVENT.itemsize + _SEQUENCE_AT)[0])


def unpack_events(frame: Frame) -> tuple[tuple[int, int, int, int], EventArray]:
    """(previous, first, last, last consumed client_order_id) and the records. Raises WireError."""
    if len(frame.body) != SPAN.size + frame.records * EVENT.itemsize:
        raise WireError(Reason.MALFORMED_FRAME, f"{len(frame.body)} bytes for {frame.records} events")
    span = SPAN.unpack_from(frame.body)
    return span, np.frombuffer(frame.body[SPAN.size :], EVENT)
