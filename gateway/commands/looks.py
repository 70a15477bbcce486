"""Books, days and accounts as tables and as JSON: the same for a live server and for a moment of a journal."""

from __future__ import annotations

from typing import Any

from gateway.commands.common import table
from gateway.views import Account, Book, Day
from gateway.wire import StatusData


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
        "change %",
    ]
    rows = []
    for d in days:
        limits = f"{d.limit_down}-{d.limit_up}" if d.limit_up else ""
        prices = (d.last, d.open, d.high, d.low, d.close, d.previous_close)
        rows.append((d.symbol, d.phase.name, *prices, limits, d.volume, d.turnover, d.trades, d.change_pct))
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


ACCEPTS = {
    "orders": "orders and cancels",
    "cancels": "CANCELS ONLY: the disk is nearly full",
    "nothing": "NOTHING: the disk is full, the venue stops",
}


def status_text(status: StatusData) -> str:
    """The venue in a few lines, its sessions as a table, for operators the counters."""
    used = f"{status.used_bytes / 2**20:.1f} of {status.segment_bytes / 2**20:.1f} MiB used"
    lines = [
        f"the venue takes {ACCEPTS[status.accepts]}",
        f"command {status.command_sequence:,}, event {status.event_sequence:,}, durability {status.durability}",
        f"journal: {used}, {status.prepared_bytes / 2**20:.1f} MiB of the next file prepared",
    ]
    refused = ["thr. orders", "thr. cancels", "drained"]
    heads = ["no.", "session", "connected", "away ms", "commands", *refused, "unconfirmed"]
    rows = []
    for s in status.sessions:
        refusals = (s.throttled_orders, s.throttled_cancels, s.drained)
        rows.append((s.session, s.name, s.connected, s.grace_ms or None, s.commands, *refusals, s.unconfirmed_bytes))
    lines += ["", table(heads, rows)]
    if status.counters:
        lines += ["", table(["counter", "since the start"], status.counters)]
    return "\n".join(lines)


def status_json(status: StatusData) -> dict[str, Any]:
    import msgspec

    sessions = [msgspec.structs.asdict(session) for session in status.sessions]
    return msgspec.structs.asdict(status) | {"sessions": sessions, "counters": dict(status.counters)}
