"""`carbonbook bench conformance`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

import click

if TYPE_CHECKING:
    from engine.core import ImplementationName


@click.command()
@click.option(
    "--implementation", "name", type=click.Choice(["kernel", "reference"]), default="kernel", show_default=True
)
@click.option("--kit", type=click.Path(dir_okay=False), help="tracebook-conformance of another environment.")
@click.option("--traces", type=click.IntRange(min=1), default=25, show_default=True, help="Generated traces a profile.")
@click.option("--events", type=click.IntRange(min=1), default=200, show_default=True, help="Events of a trace.")
@click.option("--seed", type=click.IntRange(min=0), default=42, show_default=True, help="Of the generated traces.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def conformance(name: str, kit: str | None, traces: int, events: int, seed: int, as_json: bool) -> None:
    """The engine against the public kit tracebook-conformance: fixed cases, generated traces, self-trade prevention.

    Exit code 1 when the kit finds a difference.
    """
    from rich.console import Console
    from rich.table import Table

    from benchmarks.conformance import Adapter
    from benchmarks.conformance_kit import KitError, find_kit, run_kit

    implementation = cast("ImplementationName", name)
    status = Console(stderr=True).status("start (the first one compiles the kernel)")
    try:
        with status:
            program = kit or find_kit()
            Adapter({}, implementation)  # compiles here and not under the kit's clock
            found = run_kit(program, implementation, traces, events, seed, status.update)
    except KitError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps([result._asdict() for result in found], indent=2))
    else:
        table = Table("case or profile", "", "", title=f"Conformance, {name}", title_justify="left")
        for result in found:
            table.add_row(*result)
        Console().print(table)
    if any(result.result == "DIFFERS" for result in found):
        raise click.exceptions.Exit(1)
