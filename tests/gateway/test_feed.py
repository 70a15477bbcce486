"""The feed beside a real server: the book it publishes is the engine's, whoever is killed, and nobody can slow it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway import marketdata
from gateway.cli import cli
from gateway.client import Client
from gateway.config import Config
from gateway.errors import Disconnected
from gateway.feed import doors as feed_doors
from gateway.feed.__main__ import FeedOptions, serve_feed
from gateway.feed.doors import FeedDoors
from gateway.feed.follower import Feed
from gateway.marketdata import Change, MarketData, PublicBook, PublicLevel
from gateway.security import create_session_keys, rotate_session_keys
from gateway.server import background
from replay.replica import Replica
from tests.gateway.offline import Offline
from tests.gateway.servers import LIMIT, ServerProcess, config, free_port, local

pytestmark = pytest.mark.nojit


def feed_of(served: Config) -> str:
    return f"ipc://{Path(served.data).absolute()}/feed.sock"


def until(market: MarketData, met: Callable[[], bool], what: str) -> list[Change]:
    """Poll until a condition holds; returns the changes on the way."""
    deadline, found = time.monotonic() + LIMIT, []
    while not met():
        assert time.monotonic() < deadline, what
        found += market.poll(0.05)
    return found


def agrees(market: MarketData, client: Client, symbol: str = "X1") -> list[Change]:
    """Wait until the published book is the one that the engine tells."""
    book = public(client, symbol)
    found = until(market, lambda: market.connected and market.book(symbol) == book, f"{market.book(symbol)} {book}")
    figures, day = market.figures(symbol), client.day(symbol)
    assert figures is not None
    assert (figures.volume, figures.trades) == (day.volume, day.trades)
    assert day.last is None or market.reference.price(symbol, figures.last) == day.last
    return found


def public(client: Client, symbol: str) -> PublicBook:
    """The book that the engine tells, as it is published."""
    book = client.book(symbol)
    bids, asks = (tuple(PublicLevel(level.price, level.quantity) for level in side) for side in (book.bids, book.asks))
    return PublicBook(book.symbol, book.phase, bids, asks)


def steps(alpha: Client, beta: Client) -> Iterator[str]:
    """Orders of two firms, one step at a time."""
    first = alpha.place("X1", "buy", 100, "73.20").wait()
    yield "a bid"
    for price in ("73.10", "73.00", "72.90", "72.80", "72.70"):
        alpha.place("X1", "buy", 10, price).wait()
    yield "six levels, of which five are shown"
    beta.place("X1", "sell", 40, "73.20").wait()
    yield "a trade"
    beta.place("X1", "sell", 500, "73.00").wait()
    yield "a sweep that leaves a rest"
    first = alpha.place("X1", "buy", 7, "72.95").wait()
    alpha.replace(first, 7, "72.99").wait()
    yield "another price"
    first.cancel().wait()
    yield "a cancel"
    alpha.mass_cancel().wait()
    yield "all cancelled"


def test_the_book_after_every_step_and_after_every_kill(tmp_path: Path) -> None:
    """A feed that is killed, and a server that is killed -9, bring the subscriber back to the engine's book."""
    served = config(tmp_path, feed="local")
    server = ServerProcess(tmp_path, served).ready()
    try:
        with local(served) as alpha, local(served, "BETA") as beta, subscribed(served) as market:
            numbers = []
            for step in steps(alpha, beta):
                numbers += [trade.number for change in agrees(market, alpha) for trade in change.trades]
                assert market.gaps == 0, step
            assert numbers == sorted(set(numbers)) and len(numbers) == 4
            told = json.loads((Path(served.data) / "feed.json").read_bytes())
            os.kill(told["pid"], signal.SIGKILL)
            alpha.place("X1", "buy", 3, "71.00").wait()
            beta.place("X1", "sell", 2, "71.00").wait()
            changes = until(market, lambda: market.restarts == 1, "the feed is started again")
            changes += agrees(market, alpha)
            traded = [(trade.lots, trade.number) for change in changes for trade in change.trades]
            assert [lots for lots, _ in traded] == [2] and traded[0][1] > numbers[-1]
            assert sum(change.missed for change in changes) == 0
            feed_pid = json.loads((Path(served.data) / "feed.json").read_bytes())["pid"]
            assert feed_pid != told["pid"]
            server.kill()
            server = ServerProcess(tmp_path, served).ready()
            alpha.wait_until(lambda: alpha.connected, LIMIT, "the server is back")
            alpha.place("X1", "buy", 5, "71.50").wait()
            until(market, lambda: market.restarts == 2, "the next server brings a feed of its own")
            agrees(market, alpha)
            assert not is_running(feed_pid)
            last = json.loads((Path(served.data) / "feed.json").read_bytes())["pid"]
        assert server.stop() == 0
        assert not is_running(last)
    finally:
        if server.process.poll() is None:
            server.kill()


@contextmanager
def subscribed(served: Config, **options: Any) -> Iterator[MarketData]:
    with MarketData(feed_of(served), timeout=LIMIT, **options) as market:
        market.wait_sound(LIMIT)
        yield market


def is_running(pid: int) -> bool:
    """Whether a process that is no child of ours is there; one that has ended and not been reaped does not count."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text("ascii")
    except FileNotFoundError:
        return False


def test_the_servers_words_are_its_own(tmp_path: Path) -> None:
    """What waits for a line of the server is not misled by its feed, which writes to the error output."""
    served = config(tmp_path, feed="local")
    server = ServerProcess(tmp_path, served).ready()
    try:
        with subscribed(served):
            pass
        assert server.stop() == 0
        mine = [line for line in server.lines if not line.startswith("Feed: ")]
        assert mine.count("Ready") == 1 and not any("Publishing" in line for line in mine)
        assert "Feed: Ready" in server.lines
    finally:
        if server.process.poll() is None:
            server.kill()


def test_a_late_subscriber_and_one_instrument_of_several(tmp_path: Path) -> None:
    served = config(tmp_path, feed="local", venue="ice-eua", start_time="2025-08-11T10:00:00+01:00")
    with background(served), local(served, "OPS") as ops:
        symbols = [instrument.symbol for instrument in ops.reference.instruments]
        assert len(symbols) > 1
        with subscribed(served, instruments=[symbols[1]]) as market:
            terms = market.terms(symbols[1])
            assert terms is not None and terms.trading_date == 20250811
            assert market.book(symbols[1]) == public(ops, symbols[1])
            with pytest.raises(KeyError):
                market.book(symbols[0])


def test_keys_on_tcp(tmp_path: Path) -> None:
    """Every key that may log on may subscribe, a stranger may not, and a revoked key is dropped at once."""
    keys = tmp_path / "data" / "keys"
    for name, role in (("ALPHA", "trader"), ("EYE", "reader")):
        create_session_keys(keys, name, role=role)  # type: ignore[arg-type]
    create_session_keys(tmp_path / "elsewhere", "MALLORY")
    port = free_port()
    served = config(tmp_path, opening=(), feed=f"tcp://127.0.0.1:{port}", tcp="tcp://127.0.0.1:0")
    told = {"server": keys / "server.pub"}
    with background(served) as server:
        endpoint = f"tcp://127.0.0.1:{port}"
        with subscribed(served):
            pass
        with MarketData(endpoint, secret=keys / "EYE.secret", **told) as market:
            market.wait_sound(LIMIT)
            with Client(server.endpoint, secret=keys / "ALPHA.secret", **told) as client:
                client.place("X1", "buy", 5, "70.00").wait()
                agrees(market, client)
                with pytest.raises(Disconnected, match="is this key"):
                    MarketData(endpoint, secret=tmp_path / "elsewhere" / "MALLORY.secret", timeout=0.7, **told)
                revoked = (keys / "EYE.secret").read_bytes()
                rotate_session_keys(keys, "EYE", until=None)
                until(market, lambda: not market.connected, "the revoked key hears nothing any more")
                (tmp_path / "old.secret").write_bytes(revoked)
                (tmp_path / "old.secret").chmod(0o400)
                with pytest.raises(Disconnected):
                    MarketData(endpoint, secret=tmp_path / "old.secret", timeout=0.7, **told)
                with MarketData(endpoint, secret=keys / "EYE.secret", timeout=LIMIT, **told) as again:
                    again.wait_sound(LIMIT)
                    agrees(again, client)


def test_a_slow_subscriber_slows_nothing_and_recovers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_doors, "SEND_FRAMES", 500)
    monkeypatch.setattr("gateway.marketdata.RECEIVE_FRAMES", 10)
    venue, doors = Offline(tmp_path), FeedDoors()
    endpoint = f"ipc://{tmp_path}/f"
    doors.open("", endpoint, None, lambda _: False)
    feed = Feed(Replica(venue.folder, "reference"), doors, f"ipc://{tmp_path}/w", None, venue.over.is_set)
    feed.catch_up()
    thread = threading.Thread(target=feed.run)
    thread.start()
    try:
        with MarketData(endpoint, timeout=LIMIT) as slow:
            slow.wait_sound(LIMIT)
            for _ in range(10):
                venue.append(1_000)
            venue.append(1)
            deadline = time.monotonic() + LIMIT
            while feed.published < venue.sent:  # nobody reads meanwhile
                assert time.monotonic() < deadline and thread.is_alive()
                time.sleep(0.01)
            assert feed.market.sequences == (venue.sent,)
            until(slow, lambda: slow.gaps > 0, "the gap is seen")
            until(slow, lambda: slow.sequence("X1") == feed.market.sequences[0] and slow.connected, "it recovers")
            assert [level.lots for level in slow.book("X1").bids] == [1]
            figures = slow.figures("X1")
            assert figures is not None and figures.trades == 5_000
    finally:
        venue.over.set()
        thread.join(LIMIT)
        doors.close()
        venue.writer.close()


def test_heartbeats_come_every_second_with_the_last_sequences(tmp_path: Path) -> None:
    served = config(tmp_path, feed="local")
    with background(served), local(served) as client, subscribed(served) as market:
        client.place("X1", "buy", 5, "70.00").wait()
        agrees(market, client)
        before = market.heartbeat
        until(market, lambda: market.heartbeat is not before, "a heartbeat")
        until(market, lambda: market.heartbeat is not None and market.heartbeat.behind == 0, "in step")
        assert market.heartbeat is not None
        assert market.heartbeat.sequences == (1,)


def test_a_book_that_fails_its_checksum_is_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = config(tmp_path, feed="local")
    with background(served), local(served) as client, subscribed(served) as market:
        true, calls = marketdata.checksum_of, iter((1,))
        monkeypatch.setattr(marketdata, "checksum_of", lambda book: true(book) ^ next(calls, 0))
        client.place("X1", "buy", 5, "70.00").wait()
        until(market, lambda: market.gaps == 1, "the fault is seen")
        agrees(market, client)


def test_on_the_command_line(tmp_path: Path) -> None:
    served = config(tmp_path, feed="local")
    data = ("--data", served.data)

    def run(*arguments: str, code: int = 0) -> Any:
        result = CliRunner().invoke(cli, arguments, prog_name="carbonbook")
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    assert "holds no journal" in run("feed", "--data", str(tmp_path / "none"), code=2).stderr
    assert "no feed runs here" in run("client", "watch", "X1", "--data", str(tmp_path), code=1).stderr
    with background(served), local(served) as client, subscribed(served):
        client.place("X1", "buy", 5, "70.00").wait()
        lines = run("client", "watch", "X1", "--json", "--for", "1.5", *data).stdout.splitlines()
        found = json.loads(lines[-1])
        assert (found["symbol"], found["bids"]) == ("X1", [{"price": "70.00", "lots": 5}])
        assert "5 @ 70.00" in run("client", "watch", "X1", "--for", "1", *data).stdout
        assert "no instrument" in run("client", "watch", "Q", "--for", "1", *data, code=1).stderr
        assert "own events" in run("client", "watch", "X1", "--after", "0", *data, code=2).stderr


def test_a_second_feed_on_the_same_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = config(tmp_path, feed="local")
    monkeypatch.setattr("gateway.feed.__main__.LOCK_SECONDS", 0.2)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    said: list[str] = []
    with background(served), subscribed(served):
        options = FeedOptions(served.data, ipc=str(tmp_path / "other"), implementation="reference")
        assert serve_feed(options, said.append) == 5
        command = ("feed", "--data", served.data, "--tcp", "", "--implementation", "reference")
        result = CliRunner().invoke(cli, command, prog_name="carbonbook")
        assert result.exit_code == 5 and "another feed" in result.stderr
    assert "another feed" in said[0]


def test_the_command_by_itself(tmp_path: Path) -> None:
    """`carbonbook feed --json` without any server, until SIGTERM; a wrong address is a sentence."""
    with background(config(tmp_path)) as server, local(config(tmp_path)) as client:
        client.place("X1", "buy", 5, "70.00").wait()
        data = server.config.data
    command = [sys.executable, "-m", "gateway.cli", "feed", "--data", data, "--implementation", "reference", "--json"]
    wrong = subprocess.run([*command, "--tcp", "http://x"], capture_output=True, text=True, timeout=LIMIT, check=False)
    assert wrong.returncode == 2 and "is no address" in wrong.stderr and "Traceback" not in wrong.stderr
    feed = subprocess.Popen([*command, "--tcp", ""], stdout=subprocess.PIPE, text=True)
    try:
        assert feed.stdout is not None
        told = json.loads(feed.stdout.readline())
        assert told["pid"] == feed.pid
        with MarketData(told["ipc"], timeout=LIMIT) as market:
            market.wait_sound(LIMIT)
            assert [level.lots for level in market.book("X1").bids] == [5]
        feed.terminate()
        assert feed.wait(LIMIT) == 0
        assert not (Path(data) / "feed.json").exists()
    finally:
        feed.kill()
        feed.wait()
