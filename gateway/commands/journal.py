"""`carbonbook journal`: what stands in a journal, and whether its bytes are what was written."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from gateway.commands.common import (
    Bar,
    Failure,
    journal_bytes,
    journal_errors,
    json_option,
    locate_journal,
    print_json,
    table,
    when,
)

folder_argument = click.argument("folder", type=click.Path(path_type=Path), default=Path("data"))


@click.group()
def journal() -> None:
    """List, read and check a journal. Nothing here changes it; all of it works beside a running server.

    FOLDER is a server's data folder or a journal's own folder (default: data).
    """


@journal.command()
@folder_argument
@json_option
@journal_errors()
def ls(folder: Path, as_json: bool) -> None:
    """List the segments: batches, sequences, times, sizes.

    \b
    carbonbook journal ls data
    carbonbook journal ls /backup/2025-08-11 --json
    """
    from replay import JournalReader
    from replay import ls as segments_of

    where = locate_journal(folder)
    reader = JournalReader(where)
    segments = segments_of(where)
    if as_json:
        genesis = reader.genesis
        print_json(
            {
                "folder": str(where),
                "venue": reader.venue.name,
                "uuid": reader.uuid.hex(),
                "created": genesis.created,
                "durability": genesis.durability,
                "segments": segments,
            }
        )
        return
    zone = reader.venue.calendar.timezone
    click.echo(f"{where}: venue {reader.venue.name}, journal {reader.uuid.hex()}, times in {zone}")
    heads = ["segment", "batches", "commands", "events", "first command", "from", "to", "used", "file", "snapshot"]
    rows = []
    for s in segments:
        counts = (s.batches, s.commands, s.events, s.first_command)
        rows.append((s.file, *counts, when(s.first_time, zone), when(s.last_time, zone), s.used, s.size, s.snapshot))
    click.echo(table(heads, rows))


@journal.command()
@folder_argument
@click.option("--first", type=click.IntRange(min=1), default=1, show_default=True, help="First command sequence.")
@click.option("--last", type=click.IntRange(min=1), help="Last command sequence (default: the end).")
@click.option("--kind", "kinds", multiple=True, help="Only records of this kind, such as TRADE; may be repeated.")
@json_option
@journal_errors()
def dump(folder: Path, first: int, last: int | None, kinds: tuple[str, ...], as_json: bool) -> None:
    """Print commands with the events they gave, and notes.

    With --json one object a line, integers as they stand in the journal (prices in ticks).

    \b
    carbonbook journal dump data --last 20
    carbonbook journal dump data --kind TRADE --json
    """
    from gateway.commands.lines import Lines
    from replay import JournalReader
    from replay import dump as records_of

    if last is not None and last < first:
        raise click.BadParameter(f"{last} is below --first {first}", param_hint="--last")
    wanted = _kinds(kinds)
    where = locate_journal(folder)
    lines = Lines(JournalReader(where).venue)
    for record in records_of(where, first, last):
        if wanted and record.get("kind") not in wanted:
            continue
        if as_json:
            print_json(record)
        else:
            click.echo(lines.of(record))


def _kinds(names: tuple[str, ...]) -> set[str]:
    from engine.schema import CommandKind, EventKind
    from replay import NoteKind

    known = {kind.name for enum in (CommandKind, EventKind, NoteKind) for kind in enum}
    wanted = {name.upper() for name in names}
    for name in sorted(wanted - known):
        kinds = ", ".join(kind.name for kind in EventKind)
        raise click.BadParameter(f"{name} is no kind of record; kinds of events: {kinds}", param_hint="--kind")
    return wanted


@journal.command()
@folder_argument
@json_option
@journal_errors()
def verify(folder: Path, as_json: bool) -> None:
    """Check every byte, checksum and hash, from the genesis to the end; nothing is recomputed.

    This shows that the journal is what was written. `carbonbook replay verify` also shows that what was written is
    what the rules give.

    \b
    carbonbook journal verify data          exit code 0 intact, 3 corrupt
    """
    where = locate_journal(folder)
    began = time.perf_counter()
    with Bar("Checking", journal_bytes(where)) as bar:
        found = _checked(where, bar)
    found["seconds"] = round(time.perf_counter() - began, 3)
    if as_json:
        print_json(found)
    elif found["result"] == "intact":
        click.echo(f"{where}: INTACT")
        click.echo(
            f"  {found['batches']:,} batches, {found['commands']:,} commands, {found['events']:,} events,"
            f" {found['notes']:,} notes, {found['bytes']:,} bytes in {found['seconds']:.2f} s"
        )
        click.echo(f"  chain {found['chain']}")
        if found["torn_bytes"]:
            click.echo(f"  behind the last batch: {found['torn_bytes']:,} bytes of one that is not finished")
    if found["result"] != "intact":
        raise Failure(f"{where}: {found['fault']}", 3, **{name: found[name] for name in ("file", "offset", "batch")})


def _checked(where: Path, bar: Bar) -> dict[str, Any]:
    from replay import JournalCorrupt
    from replay.chain import JournalScan
    from replay.execute import notes_of
    from replay.reader import read_genesis, read_watermark, storage_of
    from replay.scan import Verdict

    storage = storage_of(where)
    genesis = read_genesis(storage)
    mark = read_watermark(storage, genesis.uuid)
    scan = JournalScan(storage, genesis, mark.batch if mark else 0)
    counts = {"batches": 0, "commands": 0, "events": 0, "notes": 0, "bytes": 0}
    fault: dict[str, Any] = {"result": "intact", "fault": ""}
    try:
        for stretch in scan:
            for index in stretch.noted():
                counts["notes"] += len(notes_of(stretch.batch(index)))
            counts["batches"] += len(stretch)
            counts["commands"] += stretch.command_count
            counts["events"] += stretch.event_count
            counts["bytes"] += stretch.size
            bar.at(counts["bytes"])
    except JournalCorrupt as error:
        places = {"file": error.file, "offset": error.offset, "batch": error.batch, "sequence": error.sequence}
        fault = {"result": "corrupt", "fault": str(error), **places}
    torn = scan.tail.size if scan.tail.verdict is Verdict.TORN else 0
    return {"folder": str(where), **fault, **counts, "torn_bytes": torn, "chain": scan.position.chain.hex()}


@journal.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--reason", default="", help="Why; it is journaled in the copy.")
@json_option
@journal_errors()
def salvage(source: Path, target: Path, reason: str, as_json: bool) -> None:
    """Copy the part of a damaged journal before its first damage into a new folder TARGET.

    SOURCE is only read. Batches behind the damage are not copied even where they are sound: their commands were carried
    out after others that are lost. First look for a copy of the damaged file elsewhere; salvage is for when there is
    none. Exit code 0 when something was kept, 3 when nothing could be.

    \b
    carbonbook journal salvage data /rescue/journal --reason "bad disk, no backup of the last hour"
    carbonbook replay verify /rescue/journal
    """
    from replay import JournalReader
    from replay import salvage as save

    where = locate_journal(source)
    told = save(where, target, reason)
    if as_json:
        print_json(told)
    if not told.target:
        raise Failure(f"{where}: nothing can be saved: {told.fault or 'no batch was ever finished'}", 3)
    if as_json:
        return
    zone = JournalReader(told.target).venue.calendar.timezone
    click.echo(f"{told.target}: {'SALVAGED' if told.fault else 'COPIED, nothing is damaged'}")
    click.echo(f"  kept  {_span(told.kept, zone)}")
    if told.fault:
        click.echo(
            f"  lost  {_span(told.lost, zone)}; {told.readable:,} of these batches can still be read in the source"
        )
        click.echo(f"  {told.fault}")
    if told.torn_bytes:
        click.echo(f"  left out: {told.torn_bytes:,} bytes of a batch that was never finished and nobody was told of")
    click.echo(f"Next: carbonbook replay verify {told.target}")


def _span(span: Any, zone: str) -> str:
    """What a run of batches holds, for people; `?` for what is not known."""
    text = f"batches {span.first_batch:,} to {span.last_batch:,}"
    if span.commands:
        text += (
            f", commands {span.first_command:,} to {span.last_command:,} ({span.commands:,}), {span.events:,} events"
        )
    times = [when(ns, zone) or "?" for ns in (span.first_time, span.last_time)]
    return f"{text}, {times[0]} to {times[1]} {zone}"
