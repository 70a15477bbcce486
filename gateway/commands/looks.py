"""Books, days and accounts as tables and as JSON: the same for a live server and for a moment of a journal."""

from __future__ import annotations

from typing import Any

from engine.schema import Phase
from gateway.commands.common import table
from gateway.commands.operating import iso
from gateway.utc import clock_text
from gateway.views import Account, Book, Day, Indicative, OpenOrder
from gateway.wire_status import StatusData


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


CALLS = frozenset({Phase.OPEN_CALL, Phase.CLOSE_CALL, Phase.VOLATILITY_CALL})


def indicative_text(call: Indicative) -> str:
    """One line: what a call would do if it ended now."""
    state = f"{call.symbol}  {call.phase.name}{', no cancels any more' if call.frozen else ''}: "
    if call.price is None:
        return f"{state}nothing would trade"
    left = f"{abs(call.surplus):,} {'bid' if call.surplus > 0 else 'offered'} left over" if call.surplus else "no rest"
    return f"{state}indicative {call.price}, {call.volume:,} lots, {left}"


def indicative_json(call: Indicative) -> dict[str, Any]:
    return call._asdict() | {"phase": call.phase.name}


ORDER_COLUMNS = ("order_id", "client_order_id", "symbol", "account", "side", "type", "tif", "price")
LOT_COLUMNS = ("quantity", "remaining", "visible", "stop", "waiting", "good_till")


def orders_table(orders: list[OpenOrder]) -> str:
    """One line an order; columns that no order fills are left out."""
    rows = [order_json(order) for order in orders]
    shown = [name for name in LOT_COLUMNS[3:] if any(row[name] for row in rows)]
    heads = [*ORDER_COLUMNS, *LOT_COLUMNS[:3], *shown]
    return table(heads, [[row[name] if name not in shown else row[name] or None for name in heads] for row in rows])


def order_json(order: OpenOrder) -> dict[str, Any]:
    made = order._asdict()
    kind, tif = made.pop("order_type"), made.pop("time_in_force")
    names = {"type": kind.name.lower(), "tif": tif.name.lower(), "side": order.side.name.lower()}
    return made | names | {"good_till": iso(order.good_till) if order.good_till else None}


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
        clock_text(status.clock),
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
    clock = msgspec.structs.asdict(status.clock)
    return msgspec.structs.asdict(status) | {"sessions": sessions, "counters": dict(status.counters), "clock": clock}
