"""`carbonbook bench gateway`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

RATE = click.FloatRange(min=1, max=20_000_000)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.option("--quick", is_flag=True, help="Few round trips, short runs, three knees: under a minute.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write page, charts, .hgrm, JSON here.")
@click.option("--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Disk for the journals.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Write the JSON to this file, too.")
@click.option("--durability", type=click.Choice(["sync", "async"]), help="Only this one.")
@click.option("--transport", type=click.Choice(["ipc", "tcp_curve"]), help="Only this one.")
@click.option("--flow", type=click.Choice(["ack", "fill"]), help="Only order to acknowledgement, or only to fill.")
@click.option("--batch", type=click.Choice(["1", "16", "64", "256", "1024"]), help="Only so many commands a frame.")
@click.option("--firms", type=click.IntRange(1, 64), help="Only so many sessions.")
@click.option("--rate", "rates", type=RATE, multiple=True, help="Only this rate, commands/s, and no knee; repeatable.")
@click.option("--seconds", type=click.FloatRange(0.1, 600), help="Of each run at one rate (default 1.5).")
@click.option("--sustain", type=click.FloatRange(1, 86_400), help="Add a long run of so many seconds.")
@click.option("--sustain-rate", type=RATE, help="Of the long run (default: half the knee of the first curve).")
@click.option("--implementation", type=click.Choice(["kernel", "reference"]), default="kernel", show_default=True)
def gateway(as_json: bool, quick: bool, out: Path | None, folder: Path | None, save: Path | None, **asked: Any) -> None:
    """The whole way of an order: ZeroMQ, gateway, engine, journal on the disk, answer; beside the bare floors.

    Round trips one at a time, throughput with many frames on their way, and at fixed rates up to the knee, counted
    from the moment a frame was due, so that no stall hides the frames behind it. A missed target is no failure.

    \b
    carbonbook bench gateway --quick
    carbonbook bench gateway --out build/gateway --sustain 60
    carbonbook bench gateway --durability sync --transport ipc --flow ack --batch 1 --firms 4 --rate 5000
    """
    from rich.console import Console

    from benchmarks.gateway_bench import measure
    from benchmarks.gateway_load import LoadError
    from benchmarks.gateway_page import write
    from benchmarks.gateway_tables import tables

    plan = _plan(quick, asked)
    if save and not save.parent.is_dir():
        raise click.BadParameter(f"there is no folder {save.parent}; create it first", param_hint="--save")
    status = Console(stderr=True).status("start")
    try:
        with status:
            found = measure(plan, folder, status.update)
    except LoadError as error:
        raise click.ClickException(f"the run is worth nothing: {error}") from None
    text = json.dumps(found.figures, indent=2)
    if save:
        save.write_text(text + "\n", "utf-8")
    if out:
        files = write(found, out)
        click.echo(f"{files[0]} and {len(files) - 1} more files", err=True)
    if as_json:
        click.echo(text)
        return
    console = Console()
    for table in tables(found.figures):
        console.print(table)


def _plan(quick: bool, asked: dict[str, Any]) -> Any:
    from benchmarks.gateway_plan import QUICK, Plan, restricted

    names = ("durability", "transport", "flow", "firms")
    batch = int(asked["batch"]) if asked["batch"] else None
    try:
        plan = restricted(QUICK if quick else Plan(), batch=batch, **{name: asked[name] for name in names})
        return replace(
            plan,
            rates=asked["rates"],
            step_seconds=asked["seconds"] or plan.step_seconds,
            sustain=asked["sustain"] or 0.0,
            sustain_rate=asked["sustain_rate"] or 0.0,
            implementation=asked["implementation"],
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None
