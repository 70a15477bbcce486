"""Tables of what `bench gateway` found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table

from benchmarks.gateway_bench import TARGET_RATIO

COLUMNS = ("p50", "p90", "p99", "p99.9", "max")


def tables(found: dict[str, Any]) -> Iterator[Table]:
    """Round trips with floors and ratio, then the open loop, then throughput."""
    trips = _table("One order at a time, µs", "what", *COLUMNS, "floor", "ratio")
    for name, figures in found["floors"].items():
        _row(trips, f"floor: {name.replace('_', ' ')}", figures)
    for durability in ("sync", "async"):
        for transport, figures in found[durability]["closed"].items():
            ratio = f"{figures['ratio']:.2f}" + (" (target missed)" if figures["ratio"] > TARGET_RATIO else "")
            _row(trips, f"{durability} {transport.replace('_', ' ')}", figures, f"{figures['floor']:.0f}", ratio)
    yield trips
    loop = _table("At a fixed rate over ipc, µs from the moment an order was due", "orders a second", *COLUMNS)
    for durability in ("sync", "async"):
        for rate, figures in found[durability]["open"].items():
            _row(loop, f"{durability} {int(rate):,}", figures)
    yield loop
    most = _table(f"Throughput, {found['plan']['firms']} firms over ipc", "commands a frame", "commands a second")
    for durability in ("sync", "async"):
        for batch, figures in found[durability]["throughput"].items():
            most.add_row(f"{durability} {batch}", f"{figures['commands_per_second']:,}")
    yield most


def _table(title: str, first: str, *rest: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first)
    for name in rest:
        table.add_column(name, justify="right")
    return table


def _row(table: Table, name: str, figures: dict[str, Any], *more: str) -> None:
    table.add_row(name, *(f"{figures[column]:,.0f}" for column in COLUMNS), *more)
