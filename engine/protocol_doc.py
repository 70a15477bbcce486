"""Writes `docs/protocol.md` and `docs/carbonbook.h` from `engine/schema/`.

    python -m engine.protocol_doc            write both into docs/
    python -m engine.protocol_doc --check    write nothing; exit code 1 when one of them is stale

A new field, kind, event or reason code needs its words in the schema and, if a field, in `engine/protocol_words.py`;
without them this module raises KeyError and the test of the generated files fails.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine import schema
from engine.protocol_header import header_text
from engine.protocol_words import COMMAND_LINE, ENUMS, FIELD_MEANINGS, layout
from engine.schema import (
    COMMAND,
    COMMAND_SHAPES,
    EVENT,
    EVENT_FIELDS,
    FIRM_BYTES,
    FIRST_OPERATOR_KIND,
    REASON_TEXT,
    STATE_SECTIONS,
    EventKind,
    Reason,
)

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs"

GROUPS: Final = (
    (1, "Orders"),
    (8, "Block trades"),
    (12, "Auction bids"),
    (16, "Registry requests of a firm"),
    (24, "A firm's own switch"),
    (64, "Clock and trading day"),
    (70, "Instruments"),
    (80, "Firms, accounts, sessions"),
    (96, "Cash, units, holds"),
    (112, "Limits and interventions"),
    (120, "Auctions and carry-over"),
)
"""Headings of the command table: the first kind of each group."""

STATE_ORDER_TEXT: Final = {
    "header": "one row",
    "currencies": "by id, from 1",
    "assets": "by id, from 1",
    "instruments": "by id, from 1",
    "accounts": "by id, from 1",
    "cash": "by (account, currency), rows with any amount",
    "holds": "by (account, asset), rows with any amount",
    "sessions": "by id, from 0 (the venue itself)",
    "firms": "by id, from 1",
    "negotiations": "live ones by id",
    "auctions": "announced, open or closed ones by id",
    "bids": "live ones by id (an order id)",
    "encumbrances": "holds with units left by id",
    "obligations": "by id",
    "limits": "by (venue, firms, accounts, instruments; id; kind), those with a value or an override",
    "busts": "cancelled trades by id",
    "orders": "live orders by instrument, in mass-cancel order: buys, then sells, best price first, at a price those "
    "displayed before those hidden, each by priority; then waiting buy stops, lowest stop price first, then waiting "
    "sell stops, highest first, at a stop price by arrival",
}


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table whose columns line up in the source, too."""
    rows = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)) + " |" for r in lines) + "\n"


def _record(name: str, dtype: np.dtype[Any]) -> str:
    rows = [[str(f.offset), str(f.width), f.type, f"`{f.name}`", FIELD_MEANINGS[name][f.name]] for f in layout(dtype)]
    return table(["offset", "width", "type", "field", "meaning"], rows)


def _conventions() -> str:
    return f"""\
* **Bytes.** All integers are little-endian, two's complement where signed, naturally aligned; there is no padding.
  Every byte is assigned. A field that a kind does not use is zero; a Command with a bit set in one is refused
  (UNUSED_FIELD_SET), so that the field can get a meaning later.
* **The same bytes everywhere**: on the wire, in memory, in the journal, in exports. On the wire a firm sends only the
  first {FIRM_BYTES} bytes of a Command; the gateway writes the others. Schema version: {schema.SCHEMA_VERSION}.
* **Prices** are ticks of the instrument (its `tick`, in currency units), 1 <= price < 2^31.
  **Quantities** are lots (`units_per_lot` units each), 1 <= quantity < 2^31.
* **Money** is minor currency units (cents, fen), below 2^62: amount = price x quantity x `tick_value`.
* **Units** (tonnes, kilograms) of an asset: below 2^62.
* **Times** are nanoseconds since 1970-01-01 UTC; **dates** are numbers YYYYMMDD.
* **Ids** (instruments, accounts, firms, sessions, assets, currencies, orders) are dense from 1; 0 means none.
  Session 0 is the venue itself.
* **client_order_id** is the number of the command in its session: strictly increasing, gaps allowed, consumed by
  accepted and refused commands alike. On the venue's own session 0 it may be 0 (no number).
* **Kinds** from {FIRST_OPERATOR_KIND} on need an operator's session.
* **Check order**: session, client_order_id, kind and unused fields, enums, role, then the kind's own checks
  (account, instrument, phase, price, quantity, limits, post-only and FOK, capacity, funds or units) as listed in
  [engine.md](engine.md). The first failure gives the reason of the one REJECTED event, and nothing else changes.
* **Event order**: every command gives at least one event; ACCEPTED, then the trades in match order, then at most one
  event that ends the rest.
"""


def _overview() -> str:
    fields = [f.name for f in layout(COMMAND) if f.offset < FIRM_BYTES and f.name not in ("kind", "client_order_id")]
    rows = []
    for kind, shape in COMMAND_SHAPES.items():
        rows.append([str(int(kind)), kind.name, *("x" if name in shape.uses else "" for name in fields)])
    return table(["", "kind", *(f"`{name}`" for name in fields)], rows)


def _commands() -> str:
    places = {f.name: f for f in layout(COMMAND)}
    parts = []
    starts = dict(GROUPS)
    for kind, shape in COMMAND_SHAPES.items():
        if int(kind) in starts:
            parts.append(f"### {starts[int(kind)]}\n")
        parts.append(f"**{kind.name}** = {int(kind)}: {shape.purpose}\n")
        rows = []
        for name, meaning in sorted(shape.uses.items(), key=lambda item: places[item[0]].offset):
            rows.append([f"`{name}`", str(places[name].offset), places[name].type, meaning])
        parts.append(table(["field", "offset", "type", "meaning"], rows))
    return "\n".join(parts)


def _enums() -> str:
    parts = []
    for enum, _, purpose in ENUMS:
        rows = [[str(int(member)), str(member.name)] for member in enum]
        parts.append(f"### {enum.__name__}\n\n{purpose}\n\n{table(['value', 'name'], rows)}")
    return "\n".join(parts)


def _state() -> str:
    parts = []
    for name, dtype in STATE_SECTIONS.items():
        text = f"**{name}**: {STATE_ORDER_TEXT[name]}; {dtype.itemsize} bytes a row"
        rows = [[str(f.offset), f.type, f"`{f.name}`"] for f in layout(dtype)]
        parts.append(f"{text}\n\n{table(['offset', 'type', 'field'], rows)}")
    return "\n".join(parts)


def protocol_text() -> str:
    """The whole of docs/protocol.md."""
    events = [[str(int(kind)), kind.name, EVENT_FIELDS[kind]] for kind in EventKind]
    reasons = [[str(int(code)), code.name, REASON_TEXT[code]] for code in Reason]
    return f"""\
<!-- Generated from engine/schema/. Do not edit; regenerate with: {COMMAND_LINE} -->

# Records

The two records of the exchange, byte by byte. As C: [carbonbook.h](carbonbook.h). How they travel:
[session-protocol.md](session-protocol.md) (frames, logon, resume). How they are kept: [journal.md](journal.md).
What each command does: [engine.md](engine.md).

1. [Conventions](#conventions)
2. [Command](#command-{COMMAND.itemsize}-bytes), [Event](#event-{EVENT.itemsize}-bytes)
3. [Commands field by field](#commands-field-by-field)
4. [Events field by field](#events-field-by-field)
5. [Enums](#enums)
6. [Reason codes](#reason-codes)
7. [Canonical state](#canonical-state)

## Conventions

{_conventions()}
## Command, {COMMAND.itemsize} bytes

Bytes 0 to {FIRM_BYTES - 1} are written by the firm, bytes {FIRM_BYTES} to {COMMAND.itemsize - 1} only by the gateway.

{_record("command", COMMAND)}
## Event, {EVENT.itemsize} bytes

One event of a trade names both sides; the gateway shows each firm its own half.

{_record("event", EVENT)}
## Commands field by field

The whole rule book on one record. `x` = used; empty = must be zero. Every kind uses `kind` and `client_order_id`.

{_overview()}
{_commands()}
## Events field by field

Fields not named are zero, apart from `sequence`, `command_sequence`, `timestamp`, `session` and `phase`,
which every event has.

{table(["value", "kind", "fields"], events)}
## Enums

{_enums()}
## Reason codes

1xx session, 2xx validation, 3xx state of the market, 4xx risk, funds and capacity, 5xx orders: why a command was
refused. 6xx: why an order ended. Codes never change.

{table(["code", "name", "text"], reasons)}
## Canonical state

Every fact that decides what later commands do, as one byte string; its SHA-256 is the digest. Sections follow one
another in this order; each is its row count (i64) and its rows. Every field is an i64.

{_state()}"""


FILES: Final = {"protocol.md": protocol_text, "carbonbook.h": header_text}
"""What is generated, by name in docs/."""


def stale(folder: Path = FOLDER) -> list[str]:
    """Names of the files in `folder` that are missing or differ from what the schema gives."""
    found = []
    for name, text in FILES.items():
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != text():
            found.append(name)
    return found


def main(arguments: list[str]) -> int:
    """Write the files, or with --check only compare them. Returns the exit code."""
    if arguments == ["--check"]:
        names = stale()
        for name in names:
            print(f"docs/{name} is stale; run: {COMMAND_LINE}", file=sys.stderr)
        return 1 if names else 0
    if arguments:
        print(f"usage: {COMMAND_LINE} [--check]", file=sys.stderr)
        return 2
    for name, text in FILES.items():
        (FOLDER / name).write_text(text(), "utf-8", newline="\n")
        print(f"docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
