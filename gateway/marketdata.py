"""Market data as a program sees it: books, trades and figures kept in step with the venue's feed.

    from gateway.marketdata import MarketData

    with MarketData("tcp://127.0.0.1:7003", secret="keys/ALPHA.secret", server="keys/server.pub") as market:
        for change in market.poll(1.0):
            print(change.symbol, [t.price for t in change.trades], market.book(change.symbol).bids[:1])

Every update is checked: its number, its run of the feed, the checksum of the book. What was missed, for whatever
reason, is made good by a snapshot. Nothing runs in the background: call `poll` again and again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

import msgspec
import zmq

from engine.schema import Phase
from gateway.errors import Disconnected
from gateway.feed.doors import snapshots_of
from gateway.feed.messages import (
    MAX_MESSAGE,
    VENUE_TOPIC,
    AuctionNews,
    BustData,
    CallData,
    DepthData,
    Directory,
    FiguresData,
    Heartbeat,
    PriceData,
    Refusal,
    Snapshot,
    SnapshotRequest,
    TermsData,
    TradeData,
    Update,
    checksum_of,
    note_step,
    unpack,
)
from gateway.security import KeyPair, read_secret, read_server_public
from gateway.views import Reference

ASK_AGAIN: Final = 1.0
"""Seconds until an unanswered request is sent once more."""
SILENCE: Final = 3.0
"""Seconds without any message after which the feed counts as away."""
RECEIVE_FRAMES: Final = 20_000
KEPT: Final = 10_000
"""Updates kept while a snapshot is awaited; beyond it the next snapshot is waited for."""


class PublicLevel(NamedTuple):
    price: Decimal
    lots: int


class PublicBook(NamedTuple):
    """Best five levels per side, best first: displayed lots. In a call bids may stand above offers."""

    symbol: str
    phase: Phase
    bids: tuple[PublicLevel, ...]
    asks: tuple[PublicLevel, ...]


class Change(NamedTuple):
    """News of one instrument.

    `trades`, `busts`, `auctions` are new to us, in order; a snapshot brings no busts and the latest step of an auction.
    `recovered`: after a start or a gap, and `missed` trades could not be told any more (a snapshot brings the latest
    hundred).
    """

    symbol: str
    sequence: int
    time: int
    trades: tuple[TradeData, ...]
    busts: tuple[BustData, ...]
    auctions: tuple[AuctionNews, ...]
    recovered: bool = False
    missed: int = 0


@dataclass(slots=True)
class Kept:
    """One instrument as far as we know it."""

    number: int
    epoch: int = 0
    sequence: int = 0
    time: int = 0
    book: DepthData = field(default_factory=DepthData)
    figures: FiguresData | None = None
    terms: TermsData | None = None
    call: CallData = field(default_factory=CallData)
    auctions: dict[int, AuctionNews] = field(default_factory=dict)
    """Latest step by auction."""
    last_trade: int = 0
    is_sound: bool = False
    """False until a snapshot has come, and again behind a gap."""
    asked_at: float = 0.0
    waiting: deque[Update] = field(default_factory=lambda: deque(maxlen=KEPT))


class MarketData:
    """A subscriber. Not thread-safe.

    Args:
        endpoint: of the updates, tcp://host:port or ipc:///path.
        secret, server: the firm's secret key file and the server's public key; tcp needs both.
        instruments: symbols or numbers; None = all.
        snapshots: where to ask for snapshots, if not beside `endpoint`.
        timeout: seconds for the first answer.

    Attributes:
        gaps: how often an update was missed and made good; `restarts`: how often the feed began anew.
        reference: the venue and its instruments.

    Raises:
        Disconnected: the feed does not answer. SecurityError: a key cannot be read. InvalidCommand: no such instrument.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        secret: str | Path | None = None,
        server: str | Path | bytes = b"",
        instruments: Iterable[str | int] | None = None,
        snapshots: str = "",
        timeout: float = 5.0,
    ) -> None:
        self._keys = read_secret(secret) if secret is not None else None
        self._server_key = read_server_public(server) if self._keys else b""
        self._endpoint, self._snapshots = endpoint, snapshots or snapshots_of(endpoint)
        self.gaps = self.restarts = 0
        self.heartbeat: Heartbeat | None = None
        self._epoch = self._token = 0
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        try:
            self._updates = self._socket(zmq.SUB, self._keys)
            self._requests = self._socket(zmq.DEALER, self._keys)
            self._updates.setsockopt(zmq.RCVHWM, RECEIVE_FRAMES)
            self._requests.setsockopt(zmq.IMMEDIATE, 1)  # nothing piles up while nobody is there
            self._requests.connect(self._snapshots)
            directory = self._first_answer(timeout)
            self._epoch, self.reference = directory.epoch, Reference(directory.reference)
            wanted = instruments if instruments is not None else [i.symbol for i in directory.reference.instruments]
            numbers = [self.reference.instrument(name).number for name in wanted]
            self._kept = {number: Kept(number) for number in numbers}
            self._updates.subscribe(VENUE_TOPIC)
            for number in numbers:
                self._updates.subscribe(number.to_bytes(4, "little"))
            self._updates.connect(endpoint)
        except BaseException:
            self._context.destroy(0)
            raise
        self._heard = time.monotonic()

    def _socket(self, kind: int, keys: KeyPair | None) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        socket.linger = 0
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE)
        socket.setsockopt(zmq.RECONNECT_IVL, 100)
        socket.setsockopt(zmq.RECONNECT_IVL_MAX, 500)
        if keys is not None:
            socket.curve_publickey, socket.curve_secretkey = keys.public, keys.secret
            socket.curve_serverkey = self._server_key
        return socket

    def _first_answer(self, timeout: float) -> Directory:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self._ask(0)
            until = min(deadline, time.monotonic() + ASK_AGAIN)
            while (left := until - time.monotonic()) > 0:
                if self._requests.poll(int(left * 1_000) + 1):
                    _, found = unpack(self._requests.recv())
                    if isinstance(found, Directory):
                        return found
        raise Disconnected(
            f"no answer from {self._snapshots} in {timeout:g} s; does the feed run (carbonbook serve --feed), is this"
            " key registered there, is server.pub the server's?"
        )

    # --- following ------------------------------------------------------------------------------------------------

    @property
    def away(self) -> bool:
        """Nothing has been heard of the feed for three seconds: what is shown may be old."""
        return time.monotonic() - self._heard >= SILENCE

    @property
    def connected(self) -> bool:
        """The feed has been heard of lately, and every instrument is in step with it."""
        return not self.away and all(kept.is_sound for kept in self._kept.values())

    def poll(self, timeout: float = 0.0) -> list[Change]:
        """What has changed, waiting at most `timeout` seconds for the first change. Raises Disconnected when the feed
        speaks another version.
        """
        deadline = time.monotonic() + timeout
        while True:
            self._repair()
            found = list(self._drain())
            left = deadline - time.monotonic()
            if found or left <= 0:
                return found
            poller = zmq.Poller()
            for socket in (self._updates, self._requests):
                poller.register(socket, zmq.POLLIN)
            poller.poll(int(min(left, ASK_AGAIN / 4) * 1_000) + 1)

    def wait_sound(self, timeout: float = 5.0) -> list[Change]:
        """Poll until every instrument is in step. Raises Disconnected."""
        deadline, found = time.monotonic() + timeout, []
        while not self.connected:
            if time.monotonic() > deadline:
                raise Disconnected(f"{self._endpoint}: no snapshot in {timeout:g} s")
            found += self.poll(0.05)
        return found

    def _drain(self) -> Iterator[Change]:
        for socket in (self._updates, self._requests):
            while True:
                try:
                    frame = socket.recv(zmq.NOBLOCK)
                except zmq.Again:
                    break
                self._heard = time.monotonic()
                yield from self._take(frame)

    def _take(self, frame: bytes) -> Iterator[Change]:
        try:
            number, message = unpack(frame)
        except (ValueError, msgspec.DecodeError) as error:
            raise Disconnected(f"{self._endpoint}: {error}") from None
        kept = self._kept.get(number)
        match message:
            case Update() if kept is not None:
                yield from self._update(kept, message)
            case Snapshot() if kept is not None:
                yield from self._snapshot(kept, message)
            case Heartbeat():
                self._beat(message)
            case Refusal():
                raise Disconnected(f"{self._snapshots}: {message.text}")

    def _update(self, kept: Kept, update: Update) -> Iterator[Change]:
        if not kept.is_sound:
            kept.waiting.append(update)
            return
        if update.epoch < kept.epoch or (update.epoch == kept.epoch and update.sequence <= kept.sequence):
            return
        book = update.book or kept.book
        follows = (update.epoch, update.sequence) == (kept.epoch, kept.sequence + 1)
        if not follows or checksum_of(book) != update.checksum:
            self._lose(kept, update)
            return
        kept.sequence, kept.time, kept.book = update.sequence, update.time, book
        kept.figures = update.figures or kept.figures
        kept.terms = update.terms or kept.terms
        kept.call = update.call or kept.call
        for step in update.auctions:
            note_step(kept.auctions, step)
        if update.trades:
            kept.last_trade = update.trades[-1].number
        symbol = self.reference.instrument(kept.number).symbol
        yield Change(symbol, update.sequence, update.time, update.trades, update.busts, update.auctions)

    def _snapshot(self, kept: Kept, found: Snapshot) -> Iterator[Change]:
        behind = found.epoch == kept.epoch and found.sequence < kept.sequence
        if kept.is_sound or behind or checksum_of(found.book) != found.checksum:
            return
        new = tuple(trade for trade in found.trades if trade.number > kept.last_trade)
        missed = self._missed(kept, found, len(new))
        auctions = tuple(step for step in found.auctions if not _is_same(kept.auctions.get(step.number), step))
        kept.auctions = {step.number: step for step in found.auctions}
        kept.epoch, kept.sequence, kept.time = found.epoch, found.sequence, found.time
        kept.book, kept.figures, kept.terms, kept.call = found.book, found.figures, found.terms, found.call
        if found.trades:
            kept.last_trade = max(kept.last_trade, found.trades[-1].number)
        kept.is_sound, kept.asked_at = True, 0.0
        symbol = self.reference.instrument(kept.number).symbol
        yield Change(symbol, found.sequence, found.time, new, (), auctions, True, missed)
        # What another run of the feed sent leads nowhere: it would only be taken for the next gap.
        waiting = [u for u in kept.waiting if u.epoch == found.epoch and u.sequence > found.sequence]
        kept.waiting.clear()
        for update in waiting:
            yield from self._update(kept, update)

    def _missed(self, kept: Kept, found: Snapshot, told: int) -> int:
        """Trades of the same day that happened between, and that the snapshot does not bring any more."""
        if kept.figures is None or kept.terms is None or kept.terms.trading_date != found.terms.trading_date:
            return 0
        before = kept.figures.trades + kept.figures.block_trades
        return max(0, found.figures.trades + found.figures.block_trades - before - told)

    def _lose(self, kept: Kept, update: Update | None = None) -> None:
        """Out of step from now on; a snapshot is asked for at once."""
        self.gaps += 1
        kept.is_sound, kept.asked_at = False, 0.0
        kept.waiting.clear()
        if update is not None:
            kept.waiting.append(update)

    def _beat(self, beat: Heartbeat) -> None:
        if len(beat.sequences) != len(self.reference.instruments):
            raise Disconnected(f"{self._endpoint}: another venue publishes there now")
        self.heartbeat = beat
        if beat.epoch != self._epoch:
            self._epoch = beat.epoch
            self.restarts += 1
        for kept in self._kept.values():
            is_later = beat.epoch != kept.epoch or beat.sequences[kept.number - 1] > kept.sequence
            if kept.is_sound and is_later:
                self._lose(kept)

    def _repair(self) -> None:
        now = time.monotonic()
        for kept in self._kept.values():
            if not kept.is_sound and now - kept.asked_at >= ASK_AGAIN:
                kept.asked_at = now
                self._ask(kept.number)

    def _ask(self, number: int) -> None:
        self._token += 1
        try:
            self._requests.send(msgspec.msgpack.encode(SnapshotRequest(self._token, number)), zmq.NOBLOCK)
        except zmq.Again:  # nobody is there; asked again later
            return

    # --- looking --------------------------------------------------------------------------------------------------

    def book(self, instrument: str | int) -> PublicBook:
        """Best five levels per side. Raises InvalidCommand, KeyError when it was not subscribed to."""
        kept = self._kept[self.reference.instrument(instrument).number]
        terms = self.reference.instrument(kept.number)

        def side(levels: tuple[PriceData, ...]) -> tuple[PublicLevel, ...]:
            price = self.reference.price
            return tuple(PublicLevel(price(kept.number, level.price), level.lots) for level in levels)

        phase = Phase(kept.terms.listed_phase) if kept.terms else Phase.CLOSED
        return PublicBook(terms.symbol, phase, side(kept.book.bids), side(kept.book.asks))

    def figures(self, instrument: str | int) -> FiguresData | None:
        """The day so far in ticks and lots; None before the first snapshot."""
        return self._kept[self.reference.instrument(instrument).number].figures

    def terms(self, instrument: str | int) -> TermsData | None:
        """Phases, limits, listing; None before the first snapshot."""
        return self._kept[self.reference.instrument(instrument).number].terms

    def call(self, instrument: str | int) -> CallData:
        """What the present call would do."""
        return self._kept[self.reference.instrument(instrument).number].call

    def auctions(self, instrument: str | int) -> tuple[AuctionNews, ...]:
        """The latest step of each auction that has not ended, and of the latest twenty that have."""
        return tuple(self._kept[self.reference.instrument(instrument).number].auctions.values())

    def sequence(self, instrument: str | int) -> int:
        """Of the last update taken in."""
        return self._kept[self.reference.instrument(instrument).number].sequence

    def close(self) -> None:
        self._context.destroy(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _is_same(known: AuctionNews | None, step: AuctionNews) -> bool:
    """Whether a snapshot tells the step that is known; a feed may have forgotten when it was."""
    return known is not None and msgspec.structs.replace(known, time=step.time) == step
