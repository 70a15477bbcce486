"""What is published of an engine: exactly its public state after every command, and nothing that is private."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec
import numpy as np
import pytest

from engine.core import Applied, Engine
from engine.schema import CommandArray, EventKind, Mode, Phase, Side, TimeInForce
from engine.schema import CommandKind as K
from engine.venue import Venue
from gateway.feed import messages
from gateway.feed.market import Market, depth_data, figures_of, terms_of
from gateway.feed.messages import (
    ENDED_KEPT,
    TRADES_A_MESSAGE,
    TRADES_KEPT,
    AuctionStep,
    CallData,
    DepthData,
    FeedKind,
    PriceData,
    Snapshot,
    TradeData,
    Update,
    checksum_of,
    pack,
    unpack,
)
from gateway.wire import Message
from tests.engine.auction_hall import (
    OFF,
    PARTIAL,
    RANDOM,
    SEED_HASH,
    UNIFORM,
    announce,
    bid,
    call_off,
    close_window,
    commit,
    hall,
    hold_auction,
    open_hall,
    open_window,
)
from tests.engine.block_floor import accept, offer
from tests.engine.builders import BLOCK, CONTINUOUS, World, seee
from tests.engine.further_floor import HIDDEN, ICEBERG, further, open_further
from tests.engine.random_further import FurtherStream, further_venues

pytestmark = pytest.mark.nojit
VENUES = further_venues()
IOC = int(TimeInForce.IOC)
TRADES = (EventKind.TRADE, EventKind.BLOCK_TRADE)


class Watcher:
    """Puts the published updates of one market together, as a subscriber of everything would."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.known: list[dict[str, Any]] = []
        self.trades: list[TradeData] = []
        self.frames: list[bytes] = []
        self.updates: list[Update] = []
        for number in range(1, len(market.instruments) + 1):
            found = self.snapshot(number)
            self.known.append({name: getattr(found, name) for name in ("sequence", "book", "figures", "terms", "call")})

    def snapshot(self, number: int) -> Snapshot:
        found = unpack(pack(self.market.instruments[number - 1].snapshot(7, self.market.epoch), number))[1]
        assert isinstance(found, Snapshot)
        return found

    def take(self, events: Any) -> list[Update]:
        """Publish what one command did; every update is checked against the one before."""
        made = []
        for number, update in self.market.after(events):
            frame = pack(update, number)
            assert len(frame) < messages.MAX_MESSAGE
            self.frames.append(frame)
            assert unpack(frame) == (number, update)
            kept = self.known[number - 1]
            assert update.sequence == kept["sequence"] + 1
            kept["sequence"] = update.sequence
            for name in ("book", "figures", "terms", "call"):
                part = getattr(update, name)
                if part is not None:
                    assert part != kept[name], "published though nothing changed"
                    kept[name] = part
            assert checksum_of(kept["book"]) == update.checksum
            self.trades += update.trades
            made.append(update)
        return made

    def is_exact(self, engine: Engine) -> None:
        """What was put together is what the engine says now, and what a snapshot says."""
        header = engine.header()
        for number, kept in enumerate(self.known, 1):
            row = engine.book_day(number)[0]
            assert kept["book"] == depth_data(engine.lots(number, 5))
            assert kept["figures"] == figures_of(row)
            assert kept["terms"] == terms_of(row, header)
            in_call = Phase(int(row["listed_phase"])).name.endswith("_CALL")
            assert kept["call"] == (CallData(*engine.indicative(number)) if in_call else CallData())
            found = self.snapshot(number)
            assert {name: getattr(found, name) for name in kept} == kept
            assert found.checksum == checksum_of(kept["book"])


@pytest.mark.parametrize("name", VENUES)
def test_after_every_command_of_a_random_flow(name: str) -> None:
    """Icebergs, hidden orders, stops, quotes, calls, kill switches, cancelled trades, new days."""
    engine = Engine(VENUES[name], "reference")
    stream, watcher = FurtherStream(VENUES[name], 5), Watcher(Market(engine, 1))
    told = []
    for _ in range(30):
        commands = stream.take(25, engine.state())
        for index in range(len(commands)):
            _, events = engine.apply(commands[index : index + 1])
            watcher.take(events)
            watcher.is_exact(engine)
            told += [int(e["sequence"]) for e in events if e["kind"] in TRADES]
    assert [trade.number for trade in watcher.trades] == told
    assert told


class Watched(Engine):
    """An engine that is watched from the moment at which `watcher` is set: exact after every command."""

    watcher: Watcher | None = None

    def apply(self, commands: CommandArray) -> Applied:
        applied = super().apply(commands)
        if self.watcher is not None:
            events = applied.events.copy()
            self.watcher.updates += self.watcher.take(events)
            self.watcher.is_exact(self)
        return applied


def watched(venue: Venue, opened: Callable[..., World] = open_further) -> tuple[World, Watcher]:
    """A world that is open, and what is published of it from now on."""
    world = opened(lambda wanted: World(Watched(wanted, "reference")), venue)
    engine = world.engine
    assert isinstance(engine, Watched)
    engine.watcher = Watcher(Market(engine, 1))
    return world, engine.watcher


def test_nothing_is_published_of_refusals_and_private_matters() -> None:
    world, watcher = watched(further())
    world.buy(10_000, 1, instrument=9_999)
    world.buy(1, 1)
    world.deposit_cash(1, 5)
    world.session(1)
    assert watcher.updates == []
    world.buy(10_000, 1)
    assert len(watcher.updates) == 1


def numbers_in(frame: bytes) -> set[int]:
    """Every integer of a frame, however deep."""
    found: set[int] = set()

    def walk(value: Any) -> None:
        if isinstance(value, list):
            for item in value:
                walk(item)
        elif isinstance(value, int):
            found.add(value)
        elif isinstance(value, str) and re.fullmatch(r"\d+", value):
            found.add(int(value))

    walk(msgspec.msgpack.decode(frame[messages.HEADER.size :]))
    return found


def test_hidden_lots_never_appear() -> None:
    """An iceberg of 51,003 showing 1,009, a hidden order of 60,017: partly filled, refreshed, reduced, cancelled."""
    world, watcher = watched(further())
    secret: set[int] = set()

    def note() -> None:
        for row in world.engine.open_orders():
            if row["shown"] or row["flags"] & HIDDEN:
                secret.update((int(row["quantity"]), int(row["remaining"])))
            if row["shown"]:
                secret.add(int(row["remaining"] - row["visible"]))

    world.sell(10_000, 51_003, order_type=ICEBERG, quantity2=1_009)
    note()
    world.sell(10_050, 60_017, flags=HIDDEN)
    note()
    assert watcher.known[0]["book"].asks == (PriceData(10_000, 1_009),)
    for price, lots in ((10_000, 3), (10_000, 4), (10_000, 1_011), (10_000, 40_000), (10_100, 20_000)):
        world.buy(price, lots, account=2, time_in_force=IOC)
        note()
    world.mass_cancel()
    bought = 3 + 4 + 1_011 + 40_000 + 20_000
    assert sum(trade.lots for trade in watcher.trades) == bought
    assert {51_003, 60_017, 51_003 - 1_009, 60_017 + 51_003 - bought} <= secret
    told = set().union(*map(numbers_in, watcher.frames), numbers_in(pack(watcher.snapshot(1), 1)))
    assert told & secret == set()


def test_no_field_names_a_party() -> None:
    private = re.compile(r"account|firm|session|order_id|client|owner|remaining|shown|hidden|initiator")
    found = [made for made in vars(messages).values() if isinstance(made, type) and issubclass(made, Message)]
    mine = [made for made in found if made.__module__ == messages.__name__]
    assert len(mine) >= 13
    assert not [(made.__name__, name) for made in mine for name in made.__struct_fields__ if private.search(name)]


def test_many_trades_of_one_command_come_in_pages() -> None:
    world, watcher = watched(further())
    count = TRADES_A_MESSAGE + 5
    engine = world.engine
    assert isinstance(engine, Watched)
    engine.watcher = None
    for _ in range(count):
        world.sell(10_000, 1)
    engine.watcher = watcher = Watcher(Market(engine, 1))
    world.buy(10_000, count, account=2)
    assert [len(update.trades) for update in watcher.updates] == [TRADES_A_MESSAGE, 5]
    assert watcher.updates[0].figures is None and watcher.updates[1].figures is not None
    assert {trade.aggressor for trade in watcher.trades} == {Side.BUY}
    assert len(watcher.snapshot(1).trades) == TRADES_KEPT


def test_an_auction_step_by_step() -> None:
    """Example C of the rule book: the result is told, neither bids nor who sells nor who buys how much."""
    world, watcher = watched(seee({"previous_close": Decimal("74.10")}), open_hall)
    hold_auction(world, 7410, 100_000, [(7600, 20_000), (7550, 30_000), (7450, 25_000), (7450, 40_000), (7410, 50_000)])
    steps = [step for update in watcher.updates for step in update.auctions]
    assert [AuctionStep(step.step).name for step in steps] == ["ANNOUNCED", "OPENED", "CLEARED"]
    assert (steps[0].price, steps[0].lots, steps[0].side) == (7410, 100_000, Side.SELL)
    last = steps[-1]
    assert (last.price, last.lots, last.sold, last.bid, last.bids) == (7450, 100_000, 100_000, 165_000, 5)
    assert {step.side for step in steps} == {Side.SELL} and steps[1].price == 7410
    told = set().union(*map(numbers_in, watcher.frames))
    assert told & {7600, 7550, 20_000, 30_000, 25_000, 40_000, 50_000} == set()
    assert watcher.snapshot(1).auctions == (last,)
    assert watcher.trades == []


def test_an_open_auction_is_told_with_its_terms_whenever_one_comes() -> None:
    """Also by a feed that starts from a state in which the auction lives already; ended ones are forgotten first."""
    world, watcher = watched(hall(), open_hall)
    announce(world, 7410, 500, scope=UNIFORM | RANDOM | PARTIAL | OFF)
    commit(world, SEED_HASH)
    open_window(world)
    late = Market(world.engine, 2)
    bid(world, 7500, 200)
    close_window(world)
    steps = [step for update in watcher.updates for step in update.auctions]
    assert [AuctionStep(step.step).name for step in steps] == ["ANNOUNCED", "OPENED", "CLOSED"]
    assert {(step.number, step.side, step.price, step.lots) for step in steps} == {(1, Side.SELL, 7410, 500)}
    assert watcher.snapshot(1).auctions == (steps[-1],)
    opened = late.instruments[0].snapshot(1, 2).auctions
    assert opened == (msgspec.structs.replace(steps[1], time=0),)
    for _ in range(ENDED_KEPT + 5):
        announced = announce(world, 100, 1)
        call_off(world, int(announced[0].split("order_id=")[1].split()[0]))
    found = watcher.snapshot(1).auctions
    assert found[0] == steps[-1] and len(found) == 1 + ENDED_KEPT
    assert {(AuctionStep(step.step).name, step.side, step.price) for step in found[1:]} == {("CANCELLED", 2, 100)}


def test_a_block_trade_and_a_cancelled_trade() -> None:
    """Offers are negotiated in private; the trade is told with its method and without a side."""

    def opened(make: Callable[[Venue], World], venue: Venue) -> World:
        world = make(venue)
        world.accounts(3)
        world.open_day(20250811)
        world.phase(CONTINUOUS, 20250811, mode=BLOCK)
        return world

    world, watcher = watched(seee(), opened)
    offer(world, Side.SELL, 7_000, 200_000, 1, to=2)
    assert watcher.updates == []
    accept(world, 1, 7_000, 200_000, 2)
    trade = watcher.trades[0]
    assert (trade.price, trade.lots, trade.aggressor, trade.method) == (7_000, 200_000, 0, 20)
    figures = watcher.known[0]["figures"]
    assert (figures.block_volume, figures.block_trades, figures.volume, figures.last) == (200_000, 1, 0, 0)
    world.sell(7_300, 30)
    world.buy(7_300, 30, account=2)
    listed = watcher.trades[1]
    terms = {"instrument": 1, "price": 7_300, "quantity": 30, "account": 2, "quantity2": 1, "expiry": 20250811}
    events = world.send(K.BUST_TRADE, target=listed.number, scope=int(Mode.LISTED), **terms)
    assert events[0].startswith("TRADE_BUSTED"), events
    busts = [bust for update in watcher.updates for bust in update.busts]
    assert [(bust.number, bust.price, bust.lots, bust.method) for bust in busts] == [(listed.number, 7_300, 30, 10)]


def test_checksum_by_hand() -> None:
    book = DepthData((PriceData(7_320, 100),), (PriceData(7_330, 40), PriceData(7_331, 5)))
    levels = np.array([7_320, 100, 7_330, 40, 7_331, 5], "<i8").tobytes()
    assert checksum_of(book) == crc32(b"\x01\x02" + levels)
    assert checksum_of(DepthData()) == crc32(b"\x00\x00")


@pytest.mark.parametrize(
    ("frame", "fault"),
    [(b"", "shorter"), (b"\1\0\0\0\1\2\0\0\x90", "version 2"), (b"\1\0\0\0\x63\1\0\0\x90", "kind 99")],
)
def test_frames_that_are_none(frame: bytes, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        unpack(frame)


def test_kinds_have_a_message_each() -> None:
    assert {kind.value for kind in FeedKind} == {1, 2, 3, 4, 5}
    assert [step.name for step in AuctionStep] == ["ANNOUNCED", "OPENED", "CLOSED", "CLEARED", "CANCELLED"]


def test_the_document_names_every_field_in_order() -> None:
    """docs/market-data.md is what people of other languages read."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "market-data.md").read_text("utf-8")
    section = text.split("## 3. Messages")[1].split("## 4.")[0]
    made = [made for made in vars(messages).values() if isinstance(made, type) and issubclass(made, Message)]
    for message in (each for each in made if each.__module__ == messages.__name__):
        part = section.split(f"**{message.__name__}**")[1].split("**")[0]
        names = re.findall(r"`(\w+)`", part)
        fields = list(message.__struct_fields__)
        assert [name for name in dict.fromkeys(names) if name in fields] == fields, message.__name__
    assert f"0x{crc32(bytes(2)):08X}" in text
