"""The figures of `bench engine` as tables for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from rich.markup import escape
from rich.table import Table

FEW: Final = 20
"""Kinds that were measured less often are in the JSON only."""


def tables(found: dict[str, Any]) -> Iterable[Table]:
    """One table per question, the figure to quote first."""
    yield _realistic(found)
    yield _rates(found)
    yield _mix(found)
    yield _stress(found)
    yield _growth(found)
    yield _heavy(found)
    yield _service_times(found)
    yield _calls(found)
    yield _targets(found)
    yield _environment(found)


def _realistic(found: dict[str, Any]) -> Table:
    table = _table(
        "Realistic flow, million commands per second, calls of 1,024 (quote the worst)",
        *("price path", "resting, max", "plain", "by cpu time", "bare, cpu time", "x bare", "seee", "on cpu, %"),
    )
    plain, seee = found["realistic"]["plain"], found["realistic"]["seee"]
    for name, figures in plain["scenarios"].items():
        other = seee["scenarios"][name]["million_commands_per_second"]["median"]
        ours = figures["million_commands_per_second"]
        marks = [" *" if name == told["worst"] else "" for told in (plain, seee)]
        table.add_row(
            name,
            f"{figures['mix']['resting']['max']:,}",
            f"{ours['median']:.2f}{marks[0]}",
            f"{ours['cpu_median']:.2f}",
            f"{figures['bare_book']['cpu_median']:.2f}",
            f"{figures['times_bare']:.2f}",
            f"{other:.2f}{marks[1]}",
            f"{ours['on_cpu_percent']:.0f}",
        )
    worst = [f"{told['million_commands_per_second']:.2f}" for told in (plain, seee)]
    by_cpu = f"{plain['cpu_million_commands_per_second']:.2f}"
    table.add_row("worst of five (*)", "", worst[0], by_cpu, "", "", worst[1], "", style="bold")
    return table


def _stress(found: dict[str, Any]) -> Table:
    table = _table(
        "Flows that press on one place, plain, calls of 1,024",
        *("", "resting, median", "levels at end", "trades, %", "M commands/s", "x bare"),
    )
    for name, figures in found["stress"].items():
        mix = figures["mix"]
        table.add_row(
            name,
            f"{mix['resting']['median']:,}",
            f"{figures['levels_at_end']:,}",
            f"{mix['trades_percent']:.0f}",
            f"{figures['million_commands_per_second']['median']:.2f}",
            f"{figures['times_bare']:.2f}",
        )
    return table


def _service_times(found: dict[str, Any]) -> Table:
    table = _table(
        "Calls of one command, microseconds, reading the clock included",
        *("", "calls", "p50", "p99", "p99.9", "max"),
    )
    for implementation, works in found["service_times"].items():
        for name, figures in works.items():
            label = f"{name}, {implementation}"
            table.add_row(label, "", "", "", "", "", style="bold")
            _duration_row(table, "  (reading the clock)", figures["clock"])
            _duration_row(table, "  (a command of no kind)", figures["refused"])
            for kind, spent in figures["by_kind"].items():
                if spent["count"] >= FEW:
                    _duration_row(table, f"  {kind}", spent)
            for kind, one in figures.get("end_of_day", {}).items():
                spent = one["nanoseconds"]
                table.add_row(f"  {kind}, {one['events']:,} events", "1", "", "", "", f"{spent / 1_000:,.2f}")
    return table


def _calls(found: dict[str, Any]) -> Table:
    table = _table("Calls of many commands, microseconds", "", "commands", "p50", "p99", "p50 a command, ns")
    for implementation, works in found["service_times"].items():
        for name, figures in works.items():
            for size, spent in figures["by_call"].items():
                cells = [f"{spent[key] / 1_000:,.2f}" for key in ("p50", "p99")]
                table.add_row(f"{name}, {implementation}", size, *cells, f"{spent['per_command']:,.1f}")
    return table


def _duration_row(table: Table, label: str, spent: dict[str, Any]) -> None:
    cells = [f"{spent[key] / 1_000:,.2f}" for key in ("p50", "p99", "p99.9", "max")]
    table.add_row(label, f"{spent['count']:,}", *cells)


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
    table = _table("Growth, calls of 1,024", "", "levels at end", "ns a command", "best", "ratio", "bare ratio")
    for name, label in (
        ("growth_resting", "resting orders, plain"),
        ("growth_levels", "ticks from the middle at most, plain"),
        ("growth_instruments", "instruments, plain"),
        ("growth_accounts", "accounts, seee"),
    ):
        for size, row in found[name].items():
            figures = [f"{row[key]:.1f}" for key in ("nanoseconds_median", "nanoseconds_best")]
            bare = f"{row['bare_ratio']:.2f}" if "bare_ratio" in row else ""
            table.add_row(f"{int(size):,} {label}", f"{row['levels_at_end']:,}", *figures, f"{row['ratio']:.2f}", bare)
    return table


def _heavy(found: dict[str, Any]) -> Table:
    table = _table(
        "Single commands that meet every resting order, milliseconds", "", "orders", "events", "median", "best"
    )
    for name, one in found["single_commands"].items():
        figures = [f"{one[f'milliseconds_{key}']:.2f}" for key in ("median", "best")]
        table.add_row(name, f"{one['orders']:,}", f"{one['events']:,}", *figures)
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
    kept = found["allocations"]
    table.add_row(
        f"kept by {kept['commands']:,} commands",
        f"C heap {_told(kept['heap_bytes_kept'])} bytes, Python {kept['python_bytes_kept']} bytes, "
        f"compiled code {_told(kept['runtime_blocks'])} blocks",
    )
    counted = found["instructions"]
    table.add_row(
        "instructions per command",
        f"{counted['per_command']} ({counted['counted_by']})" if counted["per_command"] else escape(counted["why"]),
    )
    return table


def _told(value: int | None) -> str:
    return "not told" if value is None else f"{value:,}"
