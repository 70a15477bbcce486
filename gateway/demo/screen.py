"""What the demonstration shows while it runs: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from gateway.demo.plan import local
from gateway.demo.published import DATE, VINTAGES

LINES_EVERY: Final = 5.0
"""Seconds between two status lines where there is no terminal."""


class Screen:
    """Takes figures and events; draws them four times a second, or prints them."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.figures: dict[str, Any] = {}
        self.rate = 0
        """Commands per real second, lately."""
        self.commands = 0
        self.activity = ""
        self._live = Live(get_renderable=self._draw, console=console, refresh_per_second=4, transient=True)
        self._lively = console.is_terminal
        self._told = 0.0
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        if self._lively:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._lively:
            self._live.stop()

    def event(self, text: str, style: str = "") -> None:
        """Something that happened once; it stays on the terminal, above the table."""
        self._print(text, style)

    def _print(self, text: str, style: str) -> None:
        self.console.print(Text(f"{time.monotonic() - self._began:5.1f} s  {text}", style))

    def refresh(self) -> None:
        """Where there is no terminal: a line of status now and then."""
        if not self._lively and time.monotonic() - self._told > LINES_EVERY and (self.figures or self.activity):
            self._told = time.monotonic()
            self._print(self.activity or self._status(), "dim")

    def _status(self) -> str:
        figures = self.figures
        if not figures:
            return self.activity
        trades = sum(row["trades"] for row in figures["rows"].values())
        day = f"{DATE // 10_000}-{DATE // 100 % 100:02}-{DATE % 100:02}"
        return (
            f"{day} {local(figures['time'])}  {figures['phase']:10}  {self.commands:>9,} commands"
            f"  {self.rate:>7,}/s  {trades:>7,} trades  composite {figures['composite']}"
        )

    def _draw(self) -> Panel:
        parts: list[Any] = [Text(self._status(), "bold")]
        if self.figures:
            parts.append(self._table())
        if self.activity:
            parts.append(Text(self.activity, "cyan"))
        return Panel(Group(*parts), title="carbonbook demo", title_align="left")

    def _table(self) -> Table:
        table = Table(expand=True)
        for name in ("vintage", "best bid", "best ask", "last", "high", "low", "tonnes", "trades"):
            table.add_column(name, justify="left" if name == "vintage" else "right")
        for vintage in VINTAGES:
            row = self.figures["rows"][vintage.symbol]
            cells = [row[name] or "-" for name in ("bid", "ask", "last", "high", "low")]
            kind = "scripted" if vintage.traded else "simulated"
            table.add_row(f"{vintage.symbol} ({kind})", *cells, f"{row['volume']:,}", f"{row['trades']:,}")
        return table
