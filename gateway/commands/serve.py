"""`carbonbook serve`: a venue, run until SIGTERM."""

from __future__ import annotations

import contextlib
import resource
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import click

from gateway.commands.common import (
    NS,
    Bar,
    Failure,
    data_option,
    implementation_option,
    journal_bytes,
    journal_errors,
    json_option,
    kernel_loading,
    print_json,
    when,
)
from gateway.commands.types import FEED_PLACE, TCP

if TYPE_CHECKING:
    from engine.core import ImplementationName
    from engine.venue import Venue
    from gateway.config import Config
    from gateway.server import Server

CLOCK_FILE = "clock.json"
"""In the data folder: the clock options of the first start, so that a venue on its own time stays on it."""


@click.command()
@data_option
@click.option("--venue", default="seee", show_default=True, help="Preset or venue file, for a new journal.")
@click.option(
    "--tcp",
    type=TCP,
    metavar="ENDPOINT",
    default="tcp://127.0.0.1:7001",
    show_default=True,
    envvar="CARBONBOOK_TCP",
    help='Where firms connect; port 0 = any free one; "" = none.',
)
@click.option("--ipc", help='Path of the local socket; "" = none (default: orders.sock in the data folder).')
@click.option(
    "--keys",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="CARBONBOOK_KEYS",
    help="Keys folder (default: keys in the data folder).",
)
@click.option("--rate", type=click.IntRange(1, 1_000_000), help="Journal seconds a real second (default: 1).")
@click.option("--start-at", metavar="ISO", help="Journal time at which a new journal begins (default: now).")
@click.option(
    "--durability",
    type=click.Choice(["sync", "async"]),
    default="sync",
    show_default=True,
    help="For a new journal. async answers before the disk has it: a power cut loses orders that were acknowledged.",
)
@click.option(
    "--practice/--no-practice", default=True, show_default=True, help="Practice firms when nothing is there yet."
)
@click.option(
    "--feed",
    type=FEED_PLACE,
    default="",
    metavar="ENDPOINT",
    help="Publish market data, too: on tcp://HOST:PORT and feed.sock in the data folder, or local for that alone.",
)
@click.option(
    "--config", "file", type=click.Path(dir_okay=False, path_type=Path), help="All settings from TOML or JSON."
)
@implementation_option
@json_option
def serve(
    data: Path,
    venue: str,
    tcp: str,
    ipc: str | None,
    keys: Path | None,
    rate: int | None,
    start_at: str | None,
    durability: Literal["sync", "async"],
    practice: bool,
    feed: str,
    file: Path | None,
    implementation: ImplementationName,
    as_json: bool,
) -> int:
    """Run a venue: accept orders, match, journal. Ends on SIGTERM or Ctrl-C: drains, seals, exits 0.

    Without any option it runs the venue seee with its folder ./data; the very first start makes two practice firms
    with money and units. A later start goes on where the last one ended, however it ended.

    \b
    carbonbook serve
    carbonbook serve --data practice --start-at 2025-08-11T09:29:55+08:00 --rate 60
    carbonbook serve --venue plain --tcp tcp://0.0.0.0:7001 --no-practice
    carbonbook serve --feed tcp://127.0.0.1:7003
    """
    say = _quiet if as_json else _print
    with _errors():
        if file is not None:
            config = _from_file(file)
        else:
            where = keys or data / "keys"
            rate, start_at = _clock(data, rate, start_at)
            ipc = str(data / "orders.sock") if ipc is None else ipc
            opening = _practice(data, where, venue, say) if practice else ()
            config = _config(
                data=str(data),
                venue=venue,
                tcp=tcp,
                ipc=ipc,
                keys=str(where),
                clock_rate=rate,
                start_time=start_at,
                durability=durability,
                implementation=implementation,
                opening=opening,
                feed=feed,
            )
        return _run(config, say, as_json)


def _quiet(_: str) -> None:
    """Nothing for people."""


def _print(text: str) -> None:
    click.echo(text)


def _config(**values: Any) -> Config:
    from gateway.config import Config

    return Config(**values)


def _from_file(file: Path) -> Config:
    import msgspec

    from gateway.config import load_config

    try:
        return load_config(file)
    except (msgspec.DecodeError, ValueError) as error:
        raise Failure(f"{file}: {error}; see gateway/config.py for the settings", 2) from None


def _practice(data: Path, keys: Path, venue: str, say: Any) -> tuple[Any, ...]:
    from engine.venue import Venue
    from gateway.commands import practice

    if not practice.is_wanted(data, keys):
        return ()
    opening = practice.set_up(keys, Venue.find(venue))
    names = " and ".join(firm for _, firm in practice.FIRMS)
    say(f"First start: practice firms {names}, funded, and an operator; keys in {keys} (--no-practice for none)")
    return opening


def _clock(data: Path, rate: int | None, start_at: str | None) -> tuple[int, str]:
    """The clock as told; what is not told is as it was at the first start."""
    import json

    from gateway.clock import parse_start

    path = data / CLOCK_FILE
    known: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(path.read_text("ascii"))
    rate = int(known.get("rate", 1)) if rate is None else rate
    start_at = str(known.get("start_at", "")) if start_at is None else start_at
    if start_at:
        try:
            parse_start(start_at)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--start-at") from None
    return rate, start_at


def _remember_clock(config: Config) -> None:
    import json

    path = config.data_folder / CLOCK_FILE
    if path.exists() or config.clock_rate != 1 or config.start_time:
        path.write_text(json.dumps({"rate": config.clock_rate, "start_at": config.start_time}), "ascii")


@contextlib.contextmanager
def _errors() -> Any:
    """What a start can meet, as sentences."""
    import zmq

    from engine.venue import VenueError
    from gateway.exchange import Surprise
    from gateway.security import SecurityError

    with journal_errors():
        try:
            yield
        except Surprise as error:
            raise Failure(f"stopped, nothing of the last batch was answered: {error}", error.exit_code) from None
        except zmq.ZMQError as error:
            text = f"socket: {error}; is another server running here? choose another --tcp or --ipc"
            raise Failure(text) from None
        except (VenueError, SecurityError, ValueError) as error:
            raise Failure(str(error)) from None


def _run(config: Config, say: Any, as_json: bool) -> int:
    from gateway.server import Server

    # A secret key must not end up in a core file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with kernel_loading(config.implementation):
        pass
    folder = config.data_folder / "journal"
    server = Server(config, say, lambda: Bar("Reading the journal", journal_bytes(folder)))
    server.handle_signals()
    server.start()
    _remember_clock(config)
    if as_json:
        print_json(_facts(server))
    else:
        _welcome(server, say)
    code = server.run()
    if as_json:
        print_json({"stopped": code, "command": server.exchange.command_sequence})
    return code


def _facts(server: Server) -> dict[str, Any]:
    exchange = server.exchange
    return {
        "ready": True,
        "venue": exchange.venue.name,
        "tcp": server.endpoint,
        "ipc": server.ipc_endpoint,
        "public_key": server.public_key,
        "created": exchange.created,
        "command": exchange.command_sequence,
        "journal_time": exchange.clock.peek(),
        "durability": exchange.writer.genesis.durability,
        "sessions": [s.name for s in server.registry.sessions.values()],
    }


def _welcome(server: Server, say: Any) -> None:
    """Who may connect, what the market does, and a first command to try."""
    from gateway.commands.common import table

    config, registry, exchange = server.config, server.registry, server.exchange
    rows = [(s.number, s.name, _role(s.role), registry.firms.get(s.firm, "")) for s in registry.sessions.values()]
    if rows:
        say("\n" + table(["no.", "session", "role", "firm"], rows))
    else:
        say("\nNobody may connect yet: make keys (carbonbook keys new NAME --firm FIRM) and start again")
    if exchange.writer.genesis.durability == "async":
        say("\nDurability is async: a power cut loses orders that were acknowledged")
    say(f"\n{_market(server)}")
    trader = next((s.name for s in registry.sessions.values() if _role(s.role) == "trader"), "")
    if trader:
        data = "" if config.data == "data" else f" --data {config.data}"
        say(f"Try: carbonbook client {_first_command(exchange.venue)} --session {trader}{data}")
    say("Ready. Stop with Ctrl-C or SIGTERM")


def _first_command(venue: Venue) -> str:
    from gateway.commands.venue import auctions_only

    first = venue.instruments[0]
    if auctions_only(venue):
        return "bid auctions"
    return f"place {first.symbol} buy 100 {first.previous_close or first.floor}"


def _role(number: int) -> str:
    from engine.schema import Role

    return Role(number).name.lower()


def _market(server: Server) -> str:
    """The journal's time, whether trading is on, and when that changes."""
    from engine.schema import Phase

    exchange = server.exchange
    calendar, now = exchange.venue.calendar, exchange.clock.peek()
    phases = {Phase(int(p)).name for p in exchange.engine.state()["instruments"]["listed_phase"]}
    rate = f", {exchange.clock.rate} times as fast as real time" if exchange.clock.rate != 1 else ""
    text = f"It is {when(now, calendar.timezone)[:19]} {calendar.timezone}{rate}; trading: {' / '.join(sorted(phases))}"
    if "CONTINUOUS" in phases or not calendar.transitions:
        return text
    opens = _next_open(exchange.venue.calendar, now)
    if not opens:
        return text
    hours = timedelta(seconds=(opens - now) // NS // exchange.clock.rate)
    text += f", opens {when(opens, calendar.timezone)[:16]} (in {hours})"
    venue = "" if exchange.venue.name == "seee" else f" --venue {exchange.venue.name}"
    start = datetime.fromtimestamp(opens // NS - 5, ZoneInfo(calendar.timezone)).isoformat()
    example = f"carbonbook serve --data FOLDER{venue} --start-at {start}"
    return f"{text}\nTo practise at any hour, in a folder that is not there yet: {example}"


def _next_open(calendar: Any, now: int) -> int:
    day = datetime.fromtimestamp(now // NS).date() - timedelta(days=1)
    for _ in range(400):
        for moment, transition in calendar.moments(day):
            if moment > now and transition.phase == "CONTINUOUS":
                return int(moment)
        day += timedelta(days=1)
    return 0
