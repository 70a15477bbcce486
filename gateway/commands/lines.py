"""Records of a journal or of a session's stream as lines for people."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from gateway.commands.common import when

_PRICED: Final = {
    *("NEW_ORDER", "REPLACE_ORDER", "TAKE", "QUOTE", "SET_REFERENCE"),
    *("ACCEPTED", "REJECTED", "TRADE", "FEE", "CANCELLED", "EXPIRED", "REPLACED", "DECREMENTED"),
    *("TRIGGERED", "REFRESHED", "CALL_UNCROSSED", "CLOSE_FIXED", "COMPOSITE_FIXED", "LIMITS_SET"),
}
"""Kinds whose `price` is one."""
_SHOWN: Final = ("session", "account", "client_order_id", "order_id", "contra_order_id", "target", "remaining")
_WORDS: Final = {"client_order_id": "number", "contra_order_id": "against", "order_id": "order"}
_HIDDEN: Final = {
    *("record", "batch", "kind", "sequence", "command_sequence", "timestamp", "symbol", "instrument", "side"),
    *("price", "quantity", "reason", "reason_text", "phase", "aggressor", *_SHOWN),
}


class Lines:
    """Formats records of one venue (anything with `instruments` that have `tick`, and a calendar's zone)."""

    def __init__(self, venue: Any) -> None:
        self._ticks = {i.symbol: Decimal(i.tick) for i in venue.instruments}
        self._zone = venue.calendar.timezone

    def of(self, record: Mapping[str, Any]) -> str:
        """One record of `replay.dump`; events are indented under their command."""
        if record["record"] == "note":
            rest = " ".join(f"{k} {_text(v)}" for k, v in record.items() if k not in ("record", "batch", "kind"))
            return f"        note {record['kind']} {rest}"
        head = f"{record.get('sequence', 0):>8}"
        at = when(record.get("timestamp", 0), self._zone)
        lead = f"{head}  {at}  " if record["record"] == "command" else f"          -> {record.get('sequence', 0)} "
        return lead + self.body(record)

    def body(self, record: Mapping[str, Any]) -> str:
        """The kind and its fields, without sequence and time."""
        kind = str(record["kind"])
        parts = [kind]
        if "side" in record:
            parts.append(str(record["side"]).lower())
        symbol = record.get("symbol")
        if symbol:
            parts.append(symbol)
        if kind == "PHASE_CHANGED":
            parts.append(str(record.get("phase", "CLOSED")))
        if "quantity" in record:
            parts.append(f"{record['quantity']:,}")
        if record.get("price"):
            tick = self._ticks.get(symbol or "")
            priced = tick is not None and kind in _PRICED
            parts.append(f"@ {tick * record['price']}" if priced and tick is not None else f"price {record['price']}")
        parts += [f"{_WORDS.get(name, name)} {record[name]}" for name in _SHOWN if name in record]
        parts += [f"{name} {value}" for name, value in record.items() if name not in _HIDDEN]
        if "reason" in record:
            parts.append(f"- {record['reason']}: {record.get('reason_text', '')}")
        return " ".join(parts)


def _text(value: Any) -> str:
    """A message as JSON, anything else as it is."""
    return msgspec.json.encode(value).decode() if isinstance(value, Mapping) else str(value)
