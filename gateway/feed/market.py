"""What is public of an engine, command by command: books, trades, figures, phases, calls, auctions. No sockets."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from struct import Struct
from typing import Any, Final

import msgspec

from engine.core import Engine
from engine.look import Lots
from engine.schema import AuctionStage, EventArray, EventKind, Mode, Phase
from gateway.feed.messages import (
    LEVELS,
    TRADES_A_MESSAGE,
    TRADES_KEPT,
    AuctionNews,
    AuctionStep,
    BustData,
    CallData,
    DepthData,
    FiguresData,
    PriceData,
    Snapshot,
    TermsData,
    TradeData,
    Update,
    checksum_of,
    note_step,
)
from replay.reports.settlement import METHOD

_HEAD: Final = Struct("<B2xB4xq8xqiiq80x")
"""Of an Event: kind, aggressor, sequence, timestamp, instrument, price, quantity."""
_TRADE: Final = int(EventKind.TRADE)
_BLOCK: Final = int(EventKind.BLOCK_TRADE)
_REJECTED: Final = int(EventKind.REJECTED)
_BUSTED: Final = int(EventKind.TRADE_BUSTED)
_BOOK_ONLY: Final = frozenset(
    int(kind)
    for kind in (
        *(EventKind.ACCEPTED, EventKind.CANCELLED, EventKind.EXPIRED, EventKind.REPLACED, EventKind.DECREMENTED),
        *(EventKind.TRIGGERED, EventKind.REFRESHED, EventKind.FEE),
    )
)
"""Kinds behind which figures and terms are what they were."""
_VENUE_WIDE: Final = frozenset(
    int(kind)
    for kind in (
        *(EventKind.DAY_OPENED, EventKind.TRADING_STOPPED, EventKind.ORDERS_EXPIRED, EventKind.COMPOSITE_FIXED),
        *(EventKind.CLOSE_FIXED, EventKind.SETTLED, EventKind.KILL_SWITCH_SET),
    )
)
"""Kinds behind which every instrument is looked at."""
_STEPS: Final = {
    int(EventKind.AUCTION_ANNOUNCED): AuctionStep.ANNOUNCED,
    int(EventKind.AUCTION_OPENED): AuctionStep.OPENED,
    int(EventKind.AUCTION_CLOSED): AuctionStep.CLOSED,
    int(EventKind.AUCTION_CLEARED): AuctionStep.CLEARED,
    int(EventKind.AUCTION_CANCELLED): AuctionStep.CANCELLED,
}
_STAGES: Final = {
    int(AuctionStage.APPLIED): AuctionStep.ANNOUNCED,
    int(AuctionStage.ANNOUNCED): AuctionStep.ANNOUNCED,
    int(AuctionStage.OPEN): AuctionStep.OPENED,
    int(AuctionStage.CLOSED): AuctionStep.CLOSED,
}
"""The last step of an auction that lives."""
_CALLS: Final = frozenset(map(int, (Phase.OPEN_CALL, Phase.CLOSE_CALL, Phase.VOLATILITY_CALL)))
_WITHOUT_PRICE: Final = frozenset((int(AuctionStep.OPENED), int(AuctionStep.CLOSED)))
_TURNOVER_WORD: Final = 2**62


class Touched:
    """What the events of one command say of one instrument."""

    __slots__ = ("auctions", "busts", "is_more", "trades")

    def __init__(self) -> None:
        self.trades: list[TradeData] = []
        self.busts: list[BustData] = []
        self.auctions: list[AuctionNews] = []
        self.is_more = False
        """Whether figures or terms may have changed."""


class PublicInstrument:
    """One instrument as everybody may see it, and the number of its last update."""

    def __init__(self, engine: Engine, number: int) -> None:
        self._engine = engine
        self.number = number
        self.sequence = self.command = self.time = 0
        self.trades: deque[TradeData] = deque(maxlen=TRADES_KEPT)
        self.auctions = _living_auctions(engine, number)
        self.refresh()

    def refresh(self) -> None:
        """Look at everything anew, publishing nothing."""
        self._levels = self._engine.lots(self.number, LEVELS)
        self.book = depth_data(self._levels)
        self.checksum = checksum_of(self.book)
        row = self._row()
        self.figures, self.terms = figures_of(row), terms_of(row, self._engine.header())
        self.call = self._call()

    def remember(self, touched: Touched) -> None:
        """Keep the trades and auctions; the auctions' steps get the terms that only the announcement names."""
        self.trades.extend(touched.trades)
        for index, step in enumerate(touched.auctions):
            known = self.auctions.get(step.number)
            if known is not None:
                price = known.price if step.step in _WITHOUT_PRICE else step.price
                step = touched.auctions[index] = msgspec.structs.replace(step, side=known.side, price=price)
            note_step(self.auctions, step)

    def updates(self, touched: Touched, epoch: int, command: int, time: int) -> Iterator[Update]:
        """The updates that one command gives: none when nothing public changed, more than one for many trades."""
        parts = self._changes(touched.is_more)
        if not (parts or touched.trades or touched.busts or touched.auctions):
            return
        self.command, self.time = command, time
        self.remember(touched)
        checksum, trades = self.checksum, tuple(touched.trades)
        while len(trades) > TRADES_A_MESSAGE:
            page, trades = trades[:TRADES_A_MESSAGE], trades[TRADES_A_MESSAGE:]
            self.sequence += 1
            book, parts["book"] = parts.get("book"), None
            yield Update(epoch, self.sequence, command, time, checksum, book, trades=page)
        self.sequence += 1
        busts, auctions = tuple(touched.busts), tuple(touched.auctions)
        yield Update(
            epoch, self.sequence, command, time, checksum, trades=trades, busts=busts, auctions=auctions, **parts
        )

    def snapshot(self, token: int, epoch: int) -> Snapshot:
        return Snapshot(
            token,
            epoch,
            self.number,
            self.sequence,
            self.command,
            self.time,
            self.checksum,
            self.book,
            self.figures,
            self.terms,
            self.call,
            tuple(self.trades),
            tuple(self.auctions.values()),
        )

    def _changes(self, is_more: bool) -> dict[str, Any]:
        """The parts that differ from what was published last."""
        found: dict[str, Any] = {}
        levels = self._engine.lots(self.number, LEVELS)
        if levels != self._levels:
            self._levels = levels
            found["book"] = self.book = depth_data(levels)
            self.checksum = checksum_of(self.book)
        if is_more:
            row = self._row()
            figures, terms = figures_of(row), terms_of(row, self._engine.header())
            if figures != self.figures:
                found["figures"] = self.figures = figures
            if terms != self.terms:
                found["terms"] = self.terms = terms
        call = self._call()
        if call != self.call:
            found["call"] = self.call = call
        return found

    def _row(self) -> Any:
        return self._engine.book_day(self.number)[0]

    def _call(self) -> CallData:
        if self.terms.listed_phase not in _CALLS:
            return CallData()
        return CallData(*self._engine.indicative(self.number))


class Market:
    """All instruments of one engine.

    Args:
        engine: carries out the commands; this only looks.
        epoch: names this run of the feed; sequences begin anew with it.
    """

    def __init__(self, engine: Engine, epoch: int) -> None:
        self.epoch = epoch
        count = len(engine.venue.instruments)
        self.instruments = [PublicInstrument(engine, number) for number in range(1, count + 1)]

    @property
    def sequences(self) -> tuple[int, ...]:
        return tuple(instrument.sequence for instrument in self.instruments)

    def pass_over(self, events: EventArray) -> None:
        """Remember the trades and auctions in events of commands that were carried out unpublished; then `refresh`."""
        for number, touched in self._touched(events).items():
            self.instruments[number - 1].remember(touched)

    def refresh(self, command: int, time: int) -> None:
        """Look at every instrument anew, as of a command."""
        for instrument in self.instruments:
            instrument.refresh()
            instrument.command, instrument.time = command, time

    def after(self, events: EventArray) -> list[tuple[int, Update]]:
        """(instrument, update) of all that became public by one command.

        Args:
            events: all of one command, which the engine has just carried out.
        """
        touched = self._touched(events)
        if not touched:
            return []
        command, time = int(events["command_sequence"][0]), int(events["timestamp"][0])
        return [
            (number, update)
            for number in sorted(touched)
            for update in self.instruments[number - 1].updates(touched[number], self.epoch, command, time)
        ]

    def _touched(self, events: EventArray) -> dict[int, Touched]:
        found: dict[int, Touched] = {}
        wide = False
        for index, (kind, aggressor, sequence, time, instrument, price, lots) in enumerate(
            _HEAD.iter_unpack(events.tobytes())
        ):
            if kind in _VENUE_WIDE:
                wide = True
            if not instrument or kind == _REJECTED:
                continue
            touched = found.get(instrument)
            if touched is None:
                touched = found[instrument] = Touched()
            if kind in _BOOK_ONLY:
                continue
            touched.is_more = True
            if kind == _TRADE:
                touched.trades.append(TradeData(sequence, time, price, lots, aggressor, METHOD[Mode.LISTED]))
            elif kind == _BLOCK:
                touched.trades.append(TradeData(sequence, time, price, lots, 0, METHOD[Mode.BLOCK]))
            elif kind == _BUSTED:
                event = events[index]
                method = METHOD[Mode(int(event["side"]))]
                touched.busts.append(BustData(int(event["order_id"]), time, price, lots, method))
            elif kind in _STEPS:
                touched.auctions.append(_auction_news(events[index]))
        if wide:
            for number in range(1, len(self.instruments) + 1):
                found.setdefault(number, Touched()).is_more = True
        return found


def depth_data(lots: Lots) -> DepthData:
    """An engine's look as it travels."""
    bids, asks = (tuple(PriceData(*price) for price in side) for side in lots)
    return DepthData(bids, asks)


def figures_of(row: Any) -> FiguresData:
    """From an instrument's row of the canonical state."""
    turnover, volume = _turnover(row, "turnover"), int(row["volume"])
    names = ("open", "high", "low", "close", "volume", "trades", "block_volume", "block_trades")
    return FiguresData(
        last=int(row["last"]) if row["trades"] else 0,
        average=(2 * turnover + volume) // (2 * volume) if volume else 0,
        turnover=str(turnover),
        block_turnover=str(_turnover(row, "block_turnover")),
        auction_volume=int(row["auction_volume"]),
        auction_price=int(row["auction_price"]),
        call_price=int(row["call_price"]),
        **{name: int(row[name]) for name in names},
    )


def terms_of(row: Any, header: Any) -> TermsData:
    """From an instrument's row of the canonical state and the venue's header."""
    phases = ("listed_phase", "block_phase", "bidding_phase")
    prices = ("previous_close", "limit_down", "limit_up", "block_down", "block_up", "floor", "ceiling")
    return TermsData(
        trading_date=header.trading_date,
        stage=header.day_stage,
        frozen=bool(row["call_frozen"]),
        halted=bool(row["halted"]),
        composite=header.composite,
        **{name: int(row[name]) for name in (*phases, *prices, "listed_from", "listed_until")},
    )


def _turnover(row: Any, name: str) -> int:
    return int(row[name]) + int(row[f"{name}_high"]) * _TURNOVER_WORD


def _living_auctions(engine: Engine, instrument: int) -> dict[int, AuctionNews]:
    """By number, from the engine's state: the events that began them may lie before it."""
    found = {}
    for row in engine.register("auctions"):
        if row["instrument"] == instrument:
            number, side, price, lots = (int(row[name]) for name in ("id", "side", "reserve", "quantity"))
            step = int(_STAGES[int(row["stage"])])
            found[number] = AuctionNews(number, 0, step, side, price, lots, sold=0, bid=0, bids=0, reason=0)
    return found


def _auction_news(event: Any) -> AuctionNews:
    """A step without the initiator, the bidders and their money."""
    step = _STEPS[int(event["kind"])]
    cleared, cancelled = step is AuctionStep.CLEARED, step is AuctionStep.CANCELLED
    ended = cleared or cancelled
    lots = int(event["quantity"])
    return AuctionNews(
        number=int(event["order_id"]),
        time=int(event["timestamp"]),
        step=int(step),
        side=int(event["side"]),
        price=int(event["price"]),
        lots=lots + int(event["remaining"]) if cleared else lots,
        sold=lots if cleared else 0,
        bid=int(event["contra_remaining"]) if ended else 0,
        bids=int(event["aux2"]) if ended else 0,
        reason=int(event["reason"]),
    )
