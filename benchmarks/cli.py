"""`carbonbook bench`: measurements, each with its checks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from benchmarks.cli_conformance import conformance
from benchmarks.cli_peers import peers
from benchmarks.compare_command import compare, save
from benchmarks.gateway_command import gateway
from benchmarks.journal_command import journal


@click.group()
def bench() -> None:
    """Measure the exchange. Figures of one run may be compared with each other, those of two machines may not."""


@bench.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.option("--quick", is_flag=True, help="A tenth of the commands and fewer runs: half a minute instead of minutes.")
@click.option("--commands", type=click.IntRange(min=1_000), help="Measured commands per workload (default 2,000,000).")
@click.option("--runs", type=click.IntRange(min=1), help="Timed runs per figure (default 5).")
@click.option("--seed", type=click.IntRange(min=0), help="Of the workloads (default 7).")
@click.option("--instructions", is_flag=True, help="Count machine instructions, too: minutes where only valgrind can.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Write the JSON to this file, too.")
def engine(
    as_json: bool,
    quick: bool,
    commands: int | None,
    runs: int | None,
    seed: int | None,
    instructions: bool,
    save: Path | None,
) -> None:
    """The matching engine alone: commands per second over five price paths and beside a bare book, time of single
    calls, growth, memory, with the mix counted from the events.

    Exit code 1 when a run broke an invariant; a missed target is reported and is no failure.
    """
    from rich.console import Console

    from benchmarks.engine_bench import QUICK, CheckError, Plan, measure

    plan = QUICK if quick else Plan()
    if commands is not None:
        plan = replace(
            plan,
            commands=commands,
            growth_commands=commands,
            realistic_orders=commands // 2,
            stress_commands=commands,
            service_commands=min(commands, plan.service_commands),
        )
    plan = replace(
        plan,
        instructions=instructions,
        runs=plan.runs if runs is None else runs,
        seed=plan.seed if seed is None else seed,
    )
    if save:
        try:
            save.parent.mkdir(exist_ok=True)
        except OSError as error:
            message = f"folder {save.parent} cannot be made ({error.strerror}); create it first"
            raise click.BadParameter(message, param_hint="--save") from None
    status = Console(stderr=True).status("start")
    try:
        with status:
            found = measure(plan, status.update)
    except CheckError as error:
        raise click.ClickException(f"the run is worth nothing: {error}") from None
    text = json.dumps(found, indent=2)
    if save:
        save.write_text(text + "\n", "utf-8")
    if as_json:
        click.echo(text)
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    from rich.console import Console

    from benchmarks.tables import tables

    console = Console()
    for table in tables(found):
        console.print(table)


for _command in (gateway, journal, peers, conformance, save, compare):
    bench.add_command(_command)

if __name__ == "__main__":
    bench()
