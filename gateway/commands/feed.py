"""`carbonbook feed`: market data beside a server, in a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.commands.common import (
    Failure,
    data_option,
    implementation_option,
    journal_errors,
    json_option,
    kernel_loading,
    locate_journal,
)
from gateway.commands.types import FEED_TCP

if TYPE_CHECKING:
    from engine.core import ImplementationName


@click.command()
@data_option
@click.option(
    "--tcp",
    type=FEED_TCP,
    metavar="ENDPOINT",
    default="tcp://127.0.0.1:7003",
    show_default=True,
    help='Where updates are published; snapshots at the next port; port 0 = any two; "" = none.',
)
@click.option("--ipc", help='Path of the local socket; "" = none (default: feed.sock in the data folder).')
@click.option(
    "--keys",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="CARBONBOOK_KEYS",
    help="Keys folder (default: keys in the data folder).",
)
@implementation_option
@json_option
def feed(
    data: Path, tcp: str, ipc: str | None, keys: Path | None, implementation: ImplementationName, as_json: bool
) -> None:
    """Publish market data: five levels after every command, trades, phases, figures, calls, auctions.

    It follows the journal, with or without a running server, and publishes only what is durable. Anybody whose key may
    log on to the venue may subscribe on tcp. Ends on SIGTERM or Ctrl-C. `carbonbook serve --feed` runs one by itself.
    Messages: docs/market-data.md.

    \b
    carbonbook feed
    carbonbook feed --data practice --tcp tcp://0.0.0.0:7003
    """
    import zmq

    from gateway.feed.__main__ import EXIT_LOCKED, FeedOptions, Locked, run_feed
    from gateway.security import SecurityError

    if not (locate_journal(data) / "genesis").exists():
        raise click.UsageError(
            f"{data}: holds no journal; start a server (carbonbook serve) or name its folder, --data"
        )
    with kernel_loading(implementation):
        pass
    local = str(data / "feed.sock") if ipc is None else ipc
    options = FeedOptions(str(data), tcp, local, str(keys) if keys else "", implementation)
    try:
        with journal_errors():
            run_feed(options, _json_say(data) if as_json else _say)
    except Locked as error:
        raise Failure(str(error), EXIT_LOCKED) from None
    except zmq.ZMQError as error:
        raise Failure(f"socket: {error}; choose another --tcp or --ipc") from None
    except (SecurityError, ValueError) as error:
        raise Failure(str(error)) from None


def _say(text: str) -> None:
    click.echo(text)


def _json_say(data: Path) -> Any:
    """Says one line of JSON once subscribers can connect."""

    def say(text: str) -> None:
        if text == "Ready":
            click.echo((data / "feed.json").read_text("utf-8"))

    return say
