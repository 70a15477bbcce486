"""What is printed when the day is over, and the comparison with the published figures."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from gateway.demo.plan import FIRMS
from gateway.demo.published import COMPOSITE, COMPOSITE_PREVIOUS, VINTAGES
from gateway.demo.script import DEALS

Figures = dict[str, Any]
FIGURES = ("open", "high", "low", "close", "tonnes", "amount")


def days_differences(before_close: Figures, after_close: Figures, composite_before: str) -> list[str]:
    """A line for each figure that is not the published one.

    The vintages with simulated flow are compared in their closes only: they enter the composite.
    """
    found = []
    for vintage in VINTAGES:
        ours = day_of(vintage.symbol, before_close, after_close)
        for name in FIGURES if vintage.traded else ("close",):
            published, here = getattr(vintage, name), ours[name]
            if here != published:
                found.append(f"{vintage.symbol} {name}: published {published}, here {here}")
    for name, published, here in (
        ("composite", COMPOSITE, after_close["composite"]),
        ("composite of the day before", COMPOSITE_PREVIOUS, composite_before),
    ):
        if Decimal(here) != published:
            found.append(f"{name}: published {published}, here {here}")
    return found


def day_of(symbol: str, before_close: Figures, after_close: Figures) -> dict[str, Any]:
    """A vintage's day: the settlement makes the close the next day's previous close and clears the other figures."""
    row = before_close["rows"][symbol]
    prices = {name: None if row[name] is None else Decimal(row[name]) for name in ("open", "high", "low")}
    close = Decimal(after_close["rows"][symbol]["previous_close"])
    return prices | {"close": close, "tonnes": row["volume"], "amount": Decimal(row["turnover"])}


def print_day(console: Console, before_close: Figures, after_close: Figures) -> None:
    """The day beside the published one."""
    table = Table(title="2025-08-11, this exchange | published", title_justify="left")
    table.add_column("vintage")
    for name in FIGURES:
        table.add_column(name, justify="right")
    for vintage in VINTAGES:
        ours = day_of(vintage.symbol, before_close, after_close)
        cells = []
        for name in FIGURES:
            compared = vintage.traded or name == "close"
            published = _figure(getattr(vintage, name))
            cells.append(f"{_figure(ours[name])} | {published if compared else 'none'}")
        table.add_row(vintage.symbol, *cells)
    table.add_row("composite", "", "", "", f"{after_close['composite']} | {COMPOSITE}", "", "")
    console.print(table)
    console.print(
        "CEA19-20, CEA21 and CEA22 had no listed trades on the real day. Here they carry the simulated flow, so their\n"
        "figures are not compared. Only their closes are: a last trade in each took its average back to the previous\n"
        "close, because all five closes enter the composite. Open, high, low, tonnes and amount were read before the\n"
        "close, close and composite after it, over the socket."
    )


def _figure(value: Any) -> str:
    return "-" if value is None else f"{value:,}"


def statement_differences(statement: dict[str, Any], leveled: Sequence[str]) -> list[str]:
    """The buyer's balances must have moved by the scripted amounts; vintages of the last pairs are left out."""
    found = []
    for vintage in VINTAGES:
        if vintage.traded:
            moved = statement["after"]["units"][vintage.symbol] - statement["before"]["units"][vintage.symbol]
            if moved != vintage.tonnes:
                found.append(f"statement: {vintage.symbol} moved by {moved:,} t, not by {vintage.tonnes:,}")
    spent = statement["before"]["cash"] - statement["after"]["cash"]
    amounts = sum((v.amount for v in VINTAGES), Decimal(0)) + sum((_amount(text) for text in leveled), Decimal(0))
    if Decimal(spent) / 100 != amounts:
        found.append(f"statement: paid {Decimal(spent) / 100:,} CNY, the trades amount to {amounts:,}")
    return found


def _amount(text: str) -> Decimal:
    """`CEA21 1,234 t at 69.10` -> its amount."""
    _, tonnes, _, _, price = text.split()
    return Decimal(tonnes.replace(",", "")) * Decimal(price)


def print_statement(console: Console, statement: dict[str, Any]) -> None:
    """The buyer's day, read over the socket after the settlement."""
    before, after = statement["before"], statement["after"]
    table = Table(title=f"Statement of {FIRMS[0]} ({len(DEALS)} scripted trades, all bought)", title_justify="left")
    for name in ("", "opening", "movement", "closing"):
        table.add_column(name, justify="right" if name else "left")
    cash = [Decimal(side["cash"]) / 100 for side in (before, after)]
    table.add_row("cash, CNY", f"{cash[0]:,.2f}", f"{cash[1] - cash[0]:+,.2f}", f"{cash[1]:,.2f}")
    for symbol, units in before["units"].items():
        moved = after["units"][symbol] - units
        table.add_row(f"{symbol}, t", f"{units:,}", f"{moved:+,}", f"{after['units'][symbol]:,}")
    console.print(table)


def print_latencies(console: Console, single: Sequence[int], frames: Sequence[int], frame: int) -> None:
    """Percentiles of what clients measured, in milliseconds."""
    table = Table(title="From sending to the durable acknowledgement, measured by clients, ms", title_justify="left")
    for name in ("", "samples", "p50", "p90", "p99", "p99.9", "most"):
        table.add_column(name, justify="right" if name else "left")
    for name, values in (
        ("single orders: closed loop, one at a time, while the others trade", single),
        (f"frames of {frame} commands: sent by the clock, under this load", frames),
    ):
        if len(values):
            at = np.percentile(np.asarray(values), [50, 90, 99, 99.9, 100]) / 1_000
            table.add_row(name, f"{len(values):,}", *(f"{value:,.2f}" for value in at))
    console.print(table)
    console.print(
        "All processes share this machine's processors: the frames' figures hold the clients' own waiting as well."
    )
