"""What the feed sends: an 8-byte header, then one MessagePack array in field order; tables in `docs/market-data.md`.

Prices are ticks, quantities lots, times UTC ns of the venue. Nothing in here names an account, a firm, a session or an
order, and lots that are not displayed are in none of its fields.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import Final, TypeVar
from zlib import crc32

import msgspec

from gateway.wire import Message, ReferenceData

VERSION: Final = 1
HEADER: Final = Struct("<IBBH")
"""Instrument (the topic: 4 bytes; 0 = the venue), kind, version, 0."""
VENUE_TOPIC: Final = bytes(4)
LEVELS: Final = 5
"""Levels of each side (rule book L12)."""
TRADES_KEPT: Final = 100
"""Latest trades of an instrument that a snapshot brings."""
TRADES_A_MESSAGE: Final = 1_000
ENDED_KEPT: Final = 20
"""Latest ended auctions of an instrument that a snapshot brings, beside all that have not ended."""
MAX_MESSAGE: Final = 256 * 1024
_LEVEL: Final = Struct("<qq")
M = TypeVar("M", bound=Message)


class FeedKind(IntEnum):
    UPDATE = 1
    HEARTBEAT = 2
    SNAPSHOT = 3
    DIRECTORY = 4
    REFUSAL = 5


class AuctionStep(IntEnum):
    """What happened to a single auction (one-way bidding)."""

    ANNOUNCED = 1
    OPENED = 2
    CLOSED = 3
    CLEARED = 4
    CANCELLED = 5


ENDS: Final = frozenset((int(AuctionStep.CLEARED), int(AuctionStep.CANCELLED)))
"""Steps behind which nothing comes."""


class PriceData(Message, frozen=True):
    """One price of one side, and the lots displayed there. How many orders they are is not told (rule book L12)."""

    price: int
    lots: int


class DepthData(Message, frozen=True):
    """Best five levels per side, best first, displayed lots only."""

    bids: tuple[PriceData, ...] = ()
    asks: tuple[PriceData, ...] = ()


class TradeData(Message, frozen=True):
    """`number` is the trade id, rising; `aggressor` a Side, 0 in calls and blocks; `method` 10 listed, 20 block."""

    number: int
    time: int
    price: int
    lots: int
    aggressor: int
    method: int


class BustData(Message, frozen=True):
    """A trade that was cancelled afterwards: its id, and its terms again."""

    number: int
    time: int
    price: int
    lots: int
    method: int


class FiguresData(Message, frozen=True):
    """The day so far; 0 = none. `average`: turnover over volume, half-up. Turnover is ticks x lots, in decimal digits.

    Listed trades, but for `block_*` and `auction_*`.
    """

    open: int
    high: int
    low: int
    last: int
    close: int
    average: int
    volume: int
    turnover: str
    trades: int
    block_volume: int
    block_turnover: str
    block_trades: int
    auction_volume: int
    auction_price: int
    call_price: int


class TermsData(Message, frozen=True):
    """Phases, limits of the day, listing. Phases are numbers of Phase, `stage` of DayStage; dates YYYYMMDD; 0 = none.

    `frozen`: no cancels in this call any more. `halted`: stopped by the kill switch. `composite`: the venue's.
    """

    trading_date: int
    stage: int
    listed_phase: int
    block_phase: int
    bidding_phase: int
    frozen: bool
    halted: bool
    previous_close: int
    limit_down: int
    limit_up: int
    block_down: int
    block_up: int
    floor: int
    ceiling: int
    listed_from: int
    listed_until: int
    composite: int


class CallData(Message, frozen=True):
    """What the present call would do if it ended now; all 0 outside calls and while nothing would trade."""

    price: int = 0
    volume: int = 0
    surplus: int = 0


class AuctionNews(Message, frozen=True):
    """A step of an auction: `price` is the reserve as announced, once CLEARED the clearing price.

    `time` is 0 where the step is older than the state from which the feed started.

    `lots` offered, `sold`, `bid` lots and `bids` their number where the step says so, else 0; `reason` of CANCELLED.
    """

    number: int
    time: int
    step: int
    side: int
    price: int
    lots: int
    sold: int
    bid: int
    bids: int
    reason: int


class Update(Message, frozen=True):
    """All that one command changed of one instrument; a part that did not change is null or empty.

    `sequence` rises by one from update to update of the instrument within one `epoch`. `checksum`: CRC32 of the five
    levels as they stand behind the update (`checksum_of`).
    """

    epoch: int
    sequence: int
    command: int
    time: int
    checksum: int
    book: DepthData | None = None
    figures: FiguresData | None = None
    terms: TermsData | None = None
    call: CallData | None = None
    trades: tuple[TradeData, ...] = ()
    busts: tuple[BustData, ...] = ()
    auctions: tuple[AuctionNews, ...] = ()


class Heartbeat(Message, frozen=True):
    """Once a second: `command` is the last one published, `behind` how many durable ones are not yet; `sequences` are
    the last ones of instruments 1, 2, ...
    """

    epoch: int
    time: int
    command: int
    behind: int
    sequences: tuple[int, ...]


class SnapshotRequest(Message, frozen=True):
    """Asks for an instrument's snapshot, or with 0 for the directory; `token` comes back."""

    token: int
    instrument: int = 0


class Snapshot(Message, frozen=True):
    """An instrument as it stands behind update `sequence`: all its parts, its latest trades (oldest first), and the
    latest step of each auction that has not ended and of the latest ended ones.
    """

    token: int
    epoch: int
    instrument: int
    sequence: int
    command: int
    time: int
    checksum: int
    book: DepthData
    figures: FiguresData
    terms: TermsData
    call: CallData
    trades: tuple[TradeData, ...]
    auctions: tuple[AuctionNews, ...]


class Directory(Message, frozen=True):
    """The venue and its instruments; no accounts."""

    token: int
    epoch: int
    reference: ReferenceData


class Refusal(Message, frozen=True):
    token: int
    text: str


_KINDS: Final[dict[type[Message], FeedKind]] = {
    Update: FeedKind.UPDATE,
    Heartbeat: FeedKind.HEARTBEAT,
    Snapshot: FeedKind.SNAPSHOT,
    Directory: FeedKind.DIRECTORY,
    Refusal: FeedKind.REFUSAL,
}
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODERS: Final = {kind: msgspec.msgpack.Decoder(made) for made, kind in _KINDS.items()}


def pack(message: Message, instrument: int = 0) -> bytes:
    """One frame."""
    return HEADER.pack(instrument, _KINDS[type(message)], VERSION, 0) + _ENCODER.encode(message)


def unpack(frame: bytes) -> tuple[int, Message]:
    """(instrument, message). Raises ValueError where a frame is none of this version."""
    if len(frame) < HEADER.size:
        raise ValueError(f"a frame of {len(frame)} bytes is shorter than its header")
    instrument, kind, version, _ = HEADER.unpack_from(frame)
    if version != VERSION:
        raise ValueError(f"the feed speaks version {version}, this program version {VERSION}: renew it")
    if kind not in _DECODERS:
        raise ValueError(f"kind {kind} of a frame is not known")
    return instrument, _DECODERS[kind].decode(memoryview(frame)[HEADER.size :])


def note_step(kept: dict[int, AuctionNews], step: AuctionNews) -> None:
    """Make `step` the latest one of its auction, by number; of ended auctions the latest `ENDED_KEPT` stay."""
    kept.pop(step.number, None)
    kept[step.number] = step
    ended = [number for number, last in kept.items() if last.step in ENDS]
    for number in ended[:-ENDED_KEPT]:
        del kept[number]


def checksum_of(book: DepthData) -> int:
    """CRC32 (zlib's) over the number of bids and of asks (a byte each), then of each bid and each ask, best first,
    price and lots as little-endian 64-bit integers.
    """
    parts = [bytes((len(book.bids), len(book.asks)))]
    parts += [_LEVEL.pack(level.price, level.lots) for level in (*book.bids, *book.asks)]
    return crc32(b"".join(parts))
