"""Tables of what `bench journal` found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from rich.markup import escape
from rich.table import Table

COLUMNS: Final = ("p50", "p90", "p99", "max")


def tables(found: dict[str, Any]) -> Iterator[Table]:
    """Appends, verification by batch size, growth with the journal's length, the machine."""
    heads = ("commands/s", *COLUMNS, "floor", "ratio", "bytes/cmd")
    appends = _table(
        "Append, µs by durability and commands a batch", "batch", *heads,
        about="floor: median of a bare pwrite (and fdatasync) of as many bytes; ratio: of the medians, round by round",
    )  # fmt: skip
    for label, figures in found["append"].items():
        latencies = (f"{figures[column]:,.1f}" for column in COLUMNS)
        rest = (f"{figures['floor']:,.1f}", f"{figures['ratio']:.2f}", f"{figures['bytes_per_command']:,.0f}")
        appends.add_row(label, f"{figures['commands_per_second']:,}", *latencies, *rest)
    yield appends
    rates = _table(
        f"{found['plan']['verify_commands']:,} commands: commands a second", "commands a batch", "journal verify",
        "replay verify", "recover", "bytes/cmd",
    )  # fmt: skip
    for batch, figures in found["verify"].items():
        rates.add_row(batch, *_rates(figures), f"{figures['bytes_per_command']:,.0f}")
    yield rates
    growth = _table(
        f"Growth with the journal, {found['plan']['growth_batch']} commands a batch", "commands", "MB",
        "journal verify, s", "replay verify, s", "recover, s", "a command costs, times that of the first row",
    )  # fmt: skip
    for figures in found["growth"].values():
        names = ("journal_verify", "replay_verify", "recover")
        seconds = (f"{figures[f'{name}_seconds']:.3f}" for name in names)
        costs = " / ".join(f"{figures[f'{name}_growth']:.2f}" for name in names)
        growth.add_row(f"{figures['commands']:,}", f"{figures['bytes'] / 1e6:,.1f}", *seconds, costs)
    yield growth
    where = _table("Where", "", "")
    for key, value in found["environment"].items():
        where.add_row(key, escape(str(value)))
    load = found["load_average"]
    where.add_row("load average before, after", escape(f"{load['before']}  {load['after']}"))
    yield where


def _rates(figures: dict[str, Any]) -> Iterator[str]:
    for name in ("journal_verify", "replay_verify", "recover"):
        yield f"{figures[f'{name}_commands_per_second']:,}"


def _table(title: str, *columns: str, about: str = "") -> Table:
    table = Table(title=title, title_justify="left", caption=about or None, caption_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table
