"""`carbonbook bench journal`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.option("--quick", is_flag=True, help="A tenth of everything: under a minute.")
@click.option("--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Disk for the journals.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Write the JSON to this file, too.")
@click.option("--durability", type=click.Choice(["sync", "async"]), help="Append with this one only.")
@click.option(
    "--batch", type=click.IntRange(1, 1_024), multiple=True, help="Only so many commands a batch; repeatable."
)
@click.option(
    "--size", type=click.IntRange(1_000, 20_000_000), multiple=True, help="Commands of a journal; repeatable."
)
@click.option("--appends", type=click.IntRange(10, 1_000_000), help="Timed appends of one figure (default 2,000).")
@click.option("--seed", type=click.IntRange(min=0), help="Of the workload (default 7).")
@click.option("--implementation", type=click.Choice(["kernel", "reference"]), help="Engine (default kernel).")
def journal(as_json: bool, quick: bool, folder: Path | None, save: Path | None, **asked: Any) -> None:
    """The journal alone: append by durability and batch size, verify, recover, and how they grow with its length.

    \b
    carbonbook bench journal --quick
    carbonbook bench journal --durability sync --batch 1 --batch 64
    """
    from rich.console import Console

    from benchmarks.journal_bench import QUICK, CheckError, Plan, measure
    from benchmarks.journal_tables import tables

    names = {
        "batch": "batches",
        "size": "sizes",
        "appends": "appends",
        "seed": "seed",
        "implementation": "implementation",
    }
    given = {names[name]: asked[name] for name in names if asked[name] not in (None, ())}
    if asked["durability"]:
        given["durabilities"] = (asked["durability"],)
    plan = replace(QUICK if quick else Plan(), **given)
    if save and not save.parent.is_dir():
        raise click.BadParameter(f"there is no folder {save.parent}; create it first", param_hint="--save")
    status = Console(stderr=True).status("start")
    try:
        with status:
            found = measure(plan, folder, status.update)
    except CheckError as error:
        raise click.ClickException(f"the run is worth nothing: {error}") from None
    text = json.dumps(found, indent=2)
    if save:
        save.write_text(text + "\n", "utf-8")
    if as_json:
        click.echo(text)
        return
    console = Console()
    for table in tables(found):
        console.print(table)
