"""`carbonbook replay call-ends`: whether the random ends of a day's calls were those that had been committed to."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.commands.common import NS, Failure, journal_errors, json_option, locate_journal, print_json, table
from gateway.commands.operating import date_of
from gateway.commands.settlements import date_option


@click.command("call-ends")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("data"))
@date_option
@json_option
@journal_errors()
def call_ends(folder: Path, on: str, as_json: bool) -> None:
    """How much later than the calendar the calls of a day were to end, from the revealed seed; checks its commitment.

    Exit code 1 when the seed is not the one whose hash was journaled before the day, or nothing was journaled.

    \b
    carbonbook replay call-ends data --date 2025-08-11
    """
    from gateway.call_ends import windows_of
    from replay import JournalReader
    from replay.reports.call_ends import call_seed

    reader = JournalReader(locate_journal(folder))
    found = call_seed(reader, date_of(on, "--date"))
    if not found.commitments:
        raise Failure(f"{on}: the journal has no seed for calls of that day; only venues whose calls end at random do")
    windows = windows_of(reader.venue) if found.seed else {}
    delays = {
        reader.venue.instruments[number - 1].symbol: found.offset(number, seconds)
        for number, seconds in windows.items()
    }
    if as_json:
        facts = {"date": on, "commitments": found.commitments, "seed": found.seed, "kept": found.is_kept}
        print_json(facts | {"delays_ns": delays})
    else:
        lines = [f"{on}: SHA-256 of the seed {', '.join(found.commitments)}"]
        lines.append(f"seed {found.seed}" if found.seed else "the seed is revealed when the day has ended")
        rows = [(symbol, f"{delay // NS}.{delay % NS:09d}") for symbol, delay in delays.items()]
        click.echo("\n".join(lines + ([table(["instrument", "seconds later"], rows)] if rows else [])))
    if found.is_kept is False:
        raise Failure(f"{on}: the seed is not (or not always) the one that was committed to")
