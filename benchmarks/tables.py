"""The figures of `bench engine` as tables for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.markup import escape
from rich.table import Table


def tables(found: dict[str, Any]) -> Iterable[Table]:
    """One table per question."""
    yield _rates(found)
    yield _mix(found)
    yield _growth(found)
    yield _targets(found)
    yield _environment(found)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i == 0 else "right")
    return table


def _rates(found: dict[str, Any]) -> Table:
    table = _table("Million commands per second", "workload", "commands a call", "median", "best", "on cpu, %")
    for name in ("plain", "seee"):
        for call, rate in found[name]["million_commands_per_second"].items():
            table.add_row(name, call, f"{rate['median']:.2f}", f"{rate['best']:.2f}", f"{rate['on_cpu_percent']:.0f}")
    for name, figures in found["reference"].items():
        table.add_row(f"{name}, reference engine", "1024", f"{figures['million_commands_per_second']:.3f}", "")
    return table


def _mix(found: dict[str, Any]) -> Table:
    table = _table("Mix, counted from the events, % of commands", "", "plain", "seee")
    mixes = [found[name]["mix"] for name in ("plain", "seee")]
    for key in ("accepted", "cancelled", "replaced", "rejected", "trades", "new_orders_trading"):
        label = "of new orders: trading on entry" if key == "new_orders_trading" else key
        table.add_row(label, *(f"{mix[f'{key}_percent']:.2f}" for mix in mixes))
    for key in ("min", "median", "max"):
        table.add_row(f"resting orders, {key}", *(f"{mix['resting'][key]:,}" for mix in mixes))
    return table


def _growth(found: dict[str, Any]) -> Table:
    table = _table("Growth, calls of 1,024, plain", "", "ns a command", "best", "ratio")
    for name, label in (("growth_resting", "resting orders"), ("growth_instruments", "instruments")):
        for size, row in found[name].items():
            median, best = row["nanoseconds_median"], row["nanoseconds_best"]
            table.add_row(f"{int(size):,} {label}", f"{median:.1f}", f"{best:.1f}", f"{row['ratio']:.2f}")
    return table


def _targets(found: dict[str, Any]) -> Table:
    table = _table("Targets", "", "wanted", "measured", "met")
    for target in found["targets"]:
        wanted = f">= {target['least']}" if target["least"] is not None else f"<= {target['most']}"
        table.add_row(target["what"], wanted, f"{target['measured']:.2f}", "yes" if target["met"] else "no")
    return table


def _environment(found: dict[str, Any]) -> Table:
    table = _table("Where", "", "")
    for key, value in found["environment"].items():
        table.add_row(key, escape(str(value)))
    load = found["load_average"]
    table.add_row("load average before, after", escape(f"{load['before']}  {load['after']}"))
    table.add_row("bytes per resting order", str(found["memory"]["bytes_per_resting_order"]))
    return table
