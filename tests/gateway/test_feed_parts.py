"""The parts of the feed: the engine that follows, the server's hand on the process, requests, the table."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zmq

from engine.core import Engine
from engine.schema import Reason
from engine.venue import Venue
from gateway.commands import market_watch
from gateway.commands.market_json import change_json
from gateway.commands.market_watch import page
from gateway.config import Config
from gateway.feed import keeper
from gateway.feed.doors import snapshots_of
from gateway.feed.keeper import FeedKeeper
from gateway.feed.market import Market
from gateway.feed.messages import HEADER, AuctionNews, AuctionStep, CallData, FeedKind, Refusal, SnapshotRequest, unpack
from gateway.marketdata import Change
from gateway.server import background
from replay import JournalDiverged
from replay.replica import Replica
from tests.engine.builders import seee
from tests.gateway.builders import limit
from tests.gateway.offline import Offline
from tests.gateway.servers import LIMIT, config, local
from tests.gateway.test_feed import agrees, feed_of, subscribed
from tests.replay.diary import TODAY, TOMORROW, Diary

pytestmark = pytest.mark.nojit


def test_requests_that_are_none_get_a_sentence(tmp_path: Path) -> None:
    served = config(tmp_path, feed="local")
    with background(served), subscribed(served):
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        asker = context.socket(zmq.REQ)
        asker.linger = 0
        asker.connect(snapshots_of(feed_of(served)))
        for request, text in (
            (b"nonsense", "no snapshot request"),
            (b"", "no snapshot request"),
            (msgspec.msgpack.encode(SnapshotRequest(3, 99)), "no instrument 99: there are 1 to 1"),
        ):
            asker.send(request)
            assert asker.poll(5_000)
            found = unpack(asker.recv())[1]
            assert isinstance(found, Refusal) and text in found.text
        context.destroy(0)


def test_only_what_is_durable_is_published(tmp_path: Path) -> None:
    """A batch that lies in the file behind the watermark is not there yet."""
    venue = Offline(tmp_path)
    venue.append(3)
    mark = (venue.folder / "watermark").read_bytes()
    venue.append(2)
    newer = (venue.folder / "watermark").read_bytes()
    (venue.folder / "watermark").write_bytes(mark)
    replica = Replica(venue.folder, "reference")
    list(replica.catch_up())
    assert (replica.command, replica.behind) == (3, 0)
    assert list(replica.poll()) == []
    (venue.folder / "watermark").write_bytes(newer)
    assert replica.behind == 2
    assert [len(list(commands)) for _, commands in replica.poll()] == [2]
    assert replica.engine.digest() == venue.engine.digest()
    venue.writer.close()


def test_the_header_by_hand() -> None:
    assert HEADER.pack(3, FeedKind.UPDATE, 1, 0) == bytes((3, 0, 0, 0, 1, 1, 0, 0))


@pytest.mark.parametrize("endpoint", ["http://x:1", "tcp://x", "tcp://x:y"])
def test_addresses_that_are_none(endpoint: str) -> None:
    with pytest.raises(ValueError, match="is no address"):
        snapshots_of(endpoint)
    with pytest.raises(ValueError, match="feed"):
        Config(data="x", feed=endpoint)


def test_a_port_that_is_taken_harms_nobody_but_the_feed(tmp_path: Path) -> None:
    """The feed ends and is started again, later each time; the server trades on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said: list[str] = []
        served = config(tmp_path, feed=f"tcp://127.0.0.1:{taken.getsockname()[1]}")
        with background(served, said.append) as server, local(served) as client:
            deadline = time.monotonic() + LIMIT
            while server.feed.starts < 2:
                assert time.monotonic() < deadline
                assert client.place("X1", "buy", 1, "70.00").wait().remaining == 1
                time.sleep(0.05)
    assert any(line.startswith("Feed ended with 2; started again in 0.5 s") for line in said)


def test_pauses_between_starts_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise OSError("no more processes")

    monkeypatch.setattr(keeper, "start_module", refuse)
    said: list[str] = []
    made = FeedKeeper(config(tmp_path, feed="local"), said.append)
    starts = []
    for tenth in range(10 * 200):
        made.tick(tenth / 10)
        if len(said) > len(starts):
            starts.append(tenth / 10)
    assert starts[:7] == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert starts[7] - starts[6] == starts[8] - starts[7] == 30.0
    made.close()
    made.tick(1_000.0)
    assert len(said) == len(starts)
    idle = FeedKeeper(config(tmp_path), said.append)
    idle.tick(1.0)
    assert (idle.starts, idle.pid) == (0, 0)


def test_over_the_end_of_a_day_and_from_its_snapshot(tmp_path: Path) -> None:
    with Diary(tmp_path / "journal", seee()) as diary:
        early = Replica(tmp_path / "journal", "reference")
        market = Market(early.engine, 1)
        diary.accounts(2)
        diary.open_day(TODAY)
        diary.sell(7_300, 5, account=1)
        diary.buy(7_300, 3, account=2)
        diary.end_of_day()
        diary.open_day(TOMORROW)
        diary.buy(7_200, 4, account=2)
        for _, commands in early.poll():
            for events in commands:
                market.after(events)
        late = Replica(tmp_path / "journal", "reference")
        list(late.catch_up())
        assert early.command == late.command == diary.sent
        assert early.engine.digest() == late.engine.digest() == diary.engine.digest()
        kept, fresh = market.instruments[0], Market(late.engine, 1).instruments[0]
        assert (kept.book, kept.figures, kept.terms, kept.checksum) == (
            *(fresh.book, fresh.figures, fresh.terms, fresh.checksum),
        )
        assert kept.terms.trading_date == TOMORROW and kept.figures.trades == 0
        assert [trade.lots for trade in kept.trades] == [3]


def test_a_replica_that_computes_something_else_says_where(tmp_path: Path) -> None:
    venue = Offline(tmp_path)
    venue.append(2)
    replica = Replica(venue.folder, "reference")
    replica.engine = other = Engine(Venue.preset("plain"), "reference")
    other.apply(limit(1))
    with pytest.raises(JournalDiverged, match="event 1"):
        for _, commands in replica.poll():
            list(commands)
    venue.writer.close()


def test_the_live_page(tmp_path: Path) -> None:
    served = config(tmp_path, feed="local")
    with background(served), local(served) as client, subscribed(served) as market:
        client.place("X1", "buy", 5, "70.00").wait()
        client.place("X1", "sell", 1_234, "70.50").wait()
        agrees(market, client)
        lines = [line.split() for line in page(market, ("X1",), ["the tape"]).splitlines()]
        assert ["X1", "CONTINUOUS", "0", "0"] in lines
        assert ["5", "70.00", "70.50", "1,234"] in lines
        assert lines[-1] == ["the", "tape"]


def test_a_change_as_json_holds_all_that_is_public(tmp_path: Path) -> None:
    """Prices as decimals, None where there is none; turnover in money."""
    served = config(tmp_path, feed="local")
    with background(served), local(served) as client, local(served, "BETA") as other, subscribed(served) as market:
        client.place("X1", "buy", 5, "70.00").wait()
        other.place("X1", "sell", 3, "70.00").wait()
        changes = agrees(market, client)
        found = json.loads(msgspec.json.encode(change_json(market, changes[-1])))
        units = market.reference.instrument("X1").units_per_lot
        figures, terms = found["figures"], found["terms"]
        assert (figures["last"], figures["average"], figures["close"]) == ("70.00", "70.00", None)
        assert (figures["volume"], figures["trades"]) == (3, 1)
        assert Decimal(figures["turnover"]) == 3 * 70 * units
        assert (terms["listed_phase"], terms["stage"], terms["halted"]) == ("CONTINUOUS", "OPEN", False)
        assert found["call"] is None


def test_calls_and_auctions_as_json(tmp_path: Path) -> None:
    served = config(tmp_path, feed="local")
    with background(served), subscribed(served) as market:
        number = market.reference.instrument("X1").number
        kept = market._kept[number]
        kept.call = CallData(7_000, 12, -3)
        step = AuctionNews(4, 9, int(AuctionStep.CANCELLED), 2, 7_100, 50, 0, 10, 1, int(Reason.AUCTION_WITHDRAWN))
        found = change_json(market, Change("X1", 1, 9, (), (), (step,)))
        assert found["call"] == {"price": Decimal("70.00"), "volume": 12, "surplus": -3}
        assert found["auctions"] == [
            {
                "number": 4,
                "time": 9,
                "step": "CANCELLED",
                "side": "SELL",
                "price": Decimal("71.00"),
                "lots": 50,
                "sold": 0,
                "bid": 10,
                "bids": 1,
                "reason": "AUCTION_WITHDRAWN",
            }
        ]


@pytest.mark.parametrize("as_json", [True, False])
def test_watching_says_that_the_feed_is_away_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    monkeypatch.setattr(market_watch, "POLL_SECONDS", 0.05)
    served = config(tmp_path, feed="local")
    with background(served) as server, subscribed(served) as market:
        fed, told = server.feed.pid, []

        def lists(market: Any, seconds: float | None) -> Any:
            """As many as it takes: until the feed, killed and held back, is away, and until it is there again."""
            monkeypatch.setattr(server.feed, "_next_start", time.monotonic() + LIMIT)
            monkeypatch.setattr(server.feed, "_wait", lambda _: None)
            os.kill(fed, signal.SIGKILL)
            deadline = time.monotonic() + LIMIT
            while not market.away:
                assert time.monotonic() < deadline
                yield market.poll(0.05)
            yield []
            told.append("away")
            server.feed._next_start = 0.0
            while market.away:
                assert time.monotonic() < deadline
                yield market.poll(0.05)

        monkeypatch.setattr(market_watch, "_changes", lists)
        market_watch._lines(market, None, as_json)
    lines = capsys.readouterr().out.splitlines()
    if as_json:
        assert [found["feed"] for found in map(json.loads, lines) if "feed" in found] == ["away", "back"]
    else:
        assert [line for line in lines if "feed" in line] == [market_watch.AWAY, market_watch.BACK]
    assert told == ["away"]
