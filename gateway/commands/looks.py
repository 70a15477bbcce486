"""Books, days and accounts as tables and as JSON: the same for a live server and for a moment of a journal."""

from __future__ import annotations

from typing import Any

from gateway.commands.common import table
from gateway.views import Account, Book, Day


def days_table(days: list[Day]) -> str:
    """One line an instrument."""
    heads = [
        "instrument",
        "phase",
        "last",
        "open",
        "high",
        "low",
        "close",
        "prev.",
        "limits",
        "volume",
        "turnover",
        "trades",
    ]
    rows = []
    for d in days:
        limits = f"{d.limit_down}-{d.limit_up}" if d.limit_up else ""
        prices = (d.last, d.open, d.high, d.low, d.close, d.previous_close)
        rows.append((d.symbol, d.phase.name, *prices, limits, d.volume, d.turnover, d.trades))
    return table(heads, rows)


def book_table(book: Book) -> str:
    """Bids to the left, asks to the right, best first."""
    rows = []
    for i in range(max(len(book.bids), len(book.asks))):
        bid = book.bids[i] if i < len(book.bids) else (None,) * 3
        ask = book.asks[i] if i < len(book.asks) else (None,) * 3
        rows.append((bid[2], bid[1], bid[0], ask[0], ask[1], ask[2]))
    return table(["orders", "lots", "bid", "ask", "lots", "orders"], rows)


def account_table(account: Account) -> str:
    """Cash in minor units, holdings in units."""
    rows: list[tuple[object, ...]] = [(c.currency, c.free, c.locked, c.proceeds_today) for c in account.cash]
    rows += [(h.asset, h.free, h.locked, h.bought_today) for h in account.holdings]
    note = "cash in minor units (1/100); today = sale proceeds, or units bought, that settle at the end of the day"
    return f"status {account.status.name}\n{table(['', 'free', 'locked', 'today'], rows)}\n{note}"


def account_json(account: Account) -> dict[str, Any]:
    return {
        "account": account.number,
        "status": account.status.name,
        "cash": [c._asdict() for c in account.cash],
        "holdings": [h._asdict() for h in account.holdings],
    }


def book_json(book: Book) -> dict[str, Any]:
    sides = {"bids": book.bids, "asks": book.asks}
    return {"symbol": book.symbol, "phase": book.phase.name} | {
        name: [level._asdict() for level in levels] for name, levels in sides.items()
    }


def day_json(day: Day) -> dict[str, Any]:
    return day._asdict() | {"phase": day.phase.name, "stage": day.stage.name}
