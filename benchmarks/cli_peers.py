"""`carbonbook bench peers`."""

from __future__ import annotations

import json
from typing import Any

import click


@click.command()
@click.option("--orders", type=click.IntRange(min=100), default=100_000, show_default=True, help="New orders a flow.")
@click.option("--seconds", type=click.FloatRange(min=0.1), default=10.0, show_default=True, help="An engine and flow.")
@click.option("--seed", type=click.IntRange(min=0), default=7, show_default=True, help="Of the flows.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def peers(orders: int, seconds: float, seed: int, as_json: bool) -> None:
    """The engine beside those Python matching engines of the package index that are installed here.

    Limit orders and cancels only, which all of them offer, over the deepest and the widest price path; everybody must
    trade alike. Installs nothing: pip install 'carbonbook[peers]' does. Exit code 1 when fills differ.
    """
    from rich.console import Console

    from benchmarks.mix import CheckError
    from benchmarks.peers import PEERS, compare, installed

    if not installed():
        names = ", ".join(PEERS)
        raise click.ClickException(f"none of {names} is installed; pip install 'carbonbook[peers]', then again")
    status = Console(stderr=True).status("start")
    try:
        with status:
            found = compare(orders, seconds, seed, status.update)
    except CheckError as error:
        raise click.ClickException(f"the comparison is worth nothing: {error}") from None
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        _print(found, [name for name in PEERS if name not in found["peers"]])


def _print(found: dict[str, Any], absent: list[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for scenario, told in found["scenarios"].items():
        title = f"Limit orders and cancels, {scenario}: {told['messages']:,} messages, {told['fills']:,} fills"
        table = Table("", title=title, title_justify="left")
        for column in ("messages a cpu second", "of the flow, %", "slower than the first, x"):
            table.add_column(column, justify="right")
        for name, one in told["engines"].items():
            share = 100 * one["messages"] / told["messages"]
            table.add_row(name, f"{one['per_second']:,.0f}", f"{share:.1f}", f"{one['times_slower']:,.1f}")
        console.print(table)
    console.print("All trade alike. Below 100 % of the flow an engine saw only the shallow beginning.", highlight=False)
    for name, why in found["broken"].items():
        console.print(f"{name} is installed and cannot be imported: {why}", highlight=False, markup=False)
    if absent:
        console.print(f"Not installed here: {', '.join(absent)}", highlight=False)
