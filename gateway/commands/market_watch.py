"""`carbonbook client watch INSTRUMENT...`: the market as everybody may see it, as a live table or line by line."""

from __future__ import annotations

import json
import sys
import time
from itertools import zip_longest
from pathlib import Path
from typing import Any

import click
import zmq

from engine.schema import Phase, Side
from gateway.commands.common import Failure, print_json, table, when
from gateway.commands.connect import Target, key_of, server_key_of
from gateway.commands.market_json import change_json
from gateway.errors import Disconnected, Rejected
from gateway.feed.doors import snapshots_of
from gateway.marketdata import Change, MarketData, PublicBook
from gateway.security import SecurityError

POLL_SECONDS = 0.25
REDRAW_SECONDS = 0.1
AWAY = "The feed is away: nothing heard for three seconds; what stands above may be old"
BACK = "The feed is back"
TAPE = 8
"""Trades shown below the books."""


def watch_market(target: Target, feed: str, names: tuple[str, ...], seconds: float | None, as_json: bool) -> None:
    """Follow instruments until the time is over or for ever.

    Args:
        feed: the feed's endpoint; "" = as it wrote into the data folder.
    """
    try:
        with _subscribed(target, feed, names) as market:
            if as_json or not sys.stdout.isatty():
                _lines(market, seconds, as_json)
            else:
                _live(market, names, seconds)
    except Disconnected as error:
        raise Failure(str(error)) from None
    except Rejected as error:
        raise Failure(f"{error}") from None
    except SecurityError as error:
        raise Failure(f"key: {error}") from None
    except zmq.ZMQError as error:
        raise Failure(f"socket: {error}; is --feed an address to connect to?") from None


def _subscribed(target: Target, feed: str, names: tuple[str, ...]) -> MarketData:
    told = _told(target.data)
    key = key_of(target)
    endpoint = feed or (told.get("tcp", "") if key is not None else "") or told.get("ipc", "")
    if not endpoint:
        raise Failure(
            f"{target.data}/feed.json: no feed runs here; start one (carbonbook serve --feed, carbonbook feed) or"
            " name its address with --feed"
        )
    try:
        snapshots_of(endpoint)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--feed") from None
    if not endpoint.startswith("tcp://"):
        return MarketData(endpoint, instruments=names, timeout=target.timeout)
    if key is None:
        raise click.UsageError("tcp needs your key: --key NAME.secret, or --session NAME where the server's keys lie")
    server = server_key_of(target, key, told.get("public_key", ""))
    return MarketData(endpoint, secret=key, server=server, instruments=names, timeout=target.timeout)


def _told(data: Path) -> dict[str, str]:
    """What a running feed says about itself; empty when there is none."""
    try:
        found = json.loads((data / "feed.json").read_bytes())
        return {name: str(found[name]) for name in ("tcp", "ipc", "public_key")}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError):
        raise Failure(f"{data}/feed.json: cannot be read; restart the feed, or use --feed") from None


def _changes(market: MarketData, seconds: float | None) -> Any:
    """Lists of changes, empty ones included, until the time is over."""
    deadline = None if seconds is None else time.monotonic() + seconds
    while deadline is None or time.monotonic() < deadline:
        left = POLL_SECONDS if deadline is None else min(POLL_SECONDS, max(0.0, deadline - time.monotonic()))
        yield market.poll(left)


def _lines(market: MarketData, seconds: float | None, as_json: bool) -> None:
    """One line per change, and one whenever the feed goes away or comes back."""
    timezone = market.reference.data.timezone
    away = False
    for changes in _changes(market, seconds):
        if market.away != away:
            away = market.away
            if as_json:
                print_json({"feed": "away" if away else "back"})
            else:
                click.echo(AWAY if away else BACK)
        for change in changes:
            if as_json:
                print_json(change_json(market, change))
            else:
                click.echo(f"{when(change.time, timezone)}  {_line(market, change)}")


def _line(market: MarketData, change: Change) -> str:
    book = market.book(change.symbol)
    bid = f"{book.bids[0].lots:,} @ {book.bids[0].price}" if book.bids else "no bid"
    ask = f"{book.asks[0].lots:,} @ {book.asks[0].price}" if book.asks else "no offer"
    trades = "".join(
        f"; traded {trade.lots:,} @ {market.reference.price(change.symbol, trade.price)}" for trade in change.trades
    )
    missed = f"; {change.missed:,} trades missed" if change.missed else ""
    return f"{change.symbol}  {book.phase.name}  {bid}  |  {ask}{trades}{missed}"


def _book_table(book: PublicBook) -> str:
    """Bids to the left, offers to the right, best first."""
    rows = [
        (bid.lots if bid else None, bid.price if bid else None, ask.price if ask else None, ask.lots if ask else None)
        for bid, ask in zip_longest(book.bids, book.asks)
    ]
    return table(["lots", "bid", "ask", "lots"], rows)


def _live(market: MarketData, names: tuple[str, ...], seconds: float | None) -> None:
    """Books and the latest trades, drawn anew as they change."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    tape: list[str] = []
    timezone = market.reference.data.timezone
    with Live(console=Console(), auto_refresh=False, screen=False) as live:
        drawn = 0.0
        for changes in _changes(market, seconds):
            for change in changes:
                for trade in change.trades:
                    price = market.reference.price(change.symbol, trade.price)
                    side = Side(trade.aggressor).name.lower() if trade.aggressor else ""
                    tape.append(
                        f"{when(trade.time, timezone, date=False)}  {change.symbol}  {trade.lots:,} @ {price}  {side}"
                    )
            del tape[:-TAPE]
            if time.monotonic() - drawn >= REDRAW_SECONDS:
                drawn = time.monotonic()
                live.update(Text(page(market, names, tape)), refresh=True)


def page(market: MarketData, names: tuple[str, ...], tape: list[str]) -> str:
    """Everything that is shown."""
    parts = [] if market.connected else ["no connection: what follows may be old\n"]
    rows = []
    for name in names:
        figures, terms = market.figures(name), market.terms(name)
        if figures is None or terms is None:
            continue

        def price(ticks: int, name: str = name) -> Any:
            return market.reference.price(name, ticks) if ticks else None

        prices = (price(figures.last), price(figures.open), price(figures.high), price(figures.low))
        phase = Phase(terms.listed_phase).name
        rows.append((name, phase, *prices, price(figures.average), figures.volume, figures.trades))
    heads = ["instrument", "phase", "last", "open", "high", "low", "average", "volume", "trades"]
    parts.append(table(heads, rows))
    for name in names:
        call = market.call(name)
        if call.volume:
            indicative = market.reference.price(name, call.price)
            parts.append(f"\n{name}: indicative {indicative}, {call.volume:,} lots, surplus {call.surplus:,}")
        parts.append(f"\n{name}\n{_book_table(market.book(name))}")
    return "\n".join([*parts, "", *reversed(tape)])
