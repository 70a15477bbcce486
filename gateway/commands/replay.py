"""`carbonbook replay`: recompute a journal, and look at any moment of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.commands.averages import average
from gateway.commands.calls import call_ends
from gateway.commands.common import (
    Bar,
    Failure,
    implementation_option,
    journal_bytes,
    journal_errors,
    json_option,
    kernel_loading,
    locate_journal,
    parse_time,
    print_json,
    when,
)
from gateway.commands.order_export import orders
from gateway.commands.quoting import presence
from gateway.commands.settlements import settlement
from gateway.commands.statements import replay_statement

if TYPE_CHECKING:
    from engine.core import ImplementationName
    from replay import JournalReader

folder_argument = click.argument("folder", type=click.Path(path_type=Path), default=Path("data"))


@click.group()
def replay() -> None:
    """Recompute a journal; look at any moment of it. Nothing is changed; all of it works beside a running server.

    FOLDER is a server's data folder or a journal's own folder (default: data).
    """


@replay.command()
@folder_argument
@implementation_option
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes: days side by side.")
@json_option
@journal_errors()
def verify(folder: Path, implementation: ImplementationName, jobs: int, as_json: bool) -> None:
    """Run every command again from the first one on and compare every byte of every event.

    A journal of many days goes faster with --jobs: each process takes the days from one snapshot to the next, and the
    state that it ends in must be that snapshot. One process uses further processors for reading and hashing.

    \b
    carbonbook replay verify data                               exit code 0 intact, 3 corrupt, 4 diverged
    carbonbook replay verify data --implementation reference    the same by other source code: an independent audit
    """
    from replay import verify as recompute

    where = locate_journal(folder)
    size = journal_bytes(where)
    if size:
        with kernel_loading(implementation):
            pass
    with Bar("Recomputing", size) as bar:
        verdict = recompute(where, implementation, lambda _, done: bar.at(done), jobs)
    if as_json:
        print_json(verdict)
    if not verdict.ok:
        text = verdict.fault if as_json else str(verdict)
        raise Failure(text, verdict.exit_code, sequence=verdict.sequence, field=verdict.field)
    if not as_json:
        click.echo(str(verdict))


@replay.command()
@folder_argument
@click.option("--at", metavar="SEQ|TIME", help="A command sequence, or a journal time in ISO 8601 (default: the end).")
@click.option("--account", type=click.IntRange(min=1), help="Also this account: cash, holdings, live orders.")
@implementation_option
@json_option
@journal_errors()
def state(folder: Path, at: str | None, account: int | None, implementation: ImplementationName, as_json: bool) -> None:
    """Rebuild the exchange as it stood at an instant: phases, day figures, best five levels, digest.

    A time without an offset is the venue's own. The state is that after the last command at or before it.

    \b
    carbonbook replay state data --at 1200
    carbonbook replay state data --at 2025-08-11T09:45:00 --account 3
    """
    from gateway.commands.moment import Moment
    from replay import JournalReader, state_at

    where = locate_journal(folder)
    reader = JournalReader(where)
    sequence, time = _instant(reader, at)
    with kernel_loading(implementation):
        engine = state_at(where, sequence, time, implementation)
    moment = Moment(engine, reader)
    if account is not None and account > moment.accounts:
        raise click.BadParameter(
            f"{account}: at that moment there are {moment.accounts} accounts", param_hint="--account"
        )
    if as_json:
        print_json(moment.as_json(account))
    else:
        click.echo(moment.as_text(account))


def _instant(reader: JournalReader, at: str | None) -> tuple[int | None, int | None]:
    """(sequence, None) or (None, journal time in ns); checked against where the journal ends."""
    zone = reader.venue.calendar.timezone
    if at is None:
        return None, None
    if re.fullmatch(r"[0-9]+", at):
        last = reader.watermark().command
        if int(at) > last:
            raise click.BadParameter(f"{at}: the journal ends at command {last}", param_hint="--at")
        return int(at), None
    moment = parse_time(at, zone, "--at")
    first = next((b.timestamp for b in reader.batches() if b.command_count), 0)
    if moment < first:
        began = when(first, zone)
        raise click.BadParameter(f"{at}: the journal begins at {began} ({zone})", param_hint="--at")
    return None, moment


for command in (average, settlement, replay_statement, presence, orders, call_ends):
    replay.add_command(command)
