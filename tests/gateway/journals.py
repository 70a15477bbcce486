"""Journals for tests of the command line: sound, rotten and false ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.core import Engine
from engine.schema import CommandArray, CommandKind
from engine.schema import commands as new_commands
from engine.venue import Venue
from replay import Note, NoteKind, create
from tests.gateway.builders import limit

START = 1_754_876_000_000_000_000
"""2025-08-11T01:33:20 UTC."""
BATCHES = 5


def orders() -> list[CommandArray]:
    """Batches of orders that rest and trade, one second apart; the venue itself sends them."""
    made, sequence = [], 0
    for number in range(BATCHES):
        batch = new_commands(4)
        batch[:2] = limit(0, side=1, price=7_000 + number, quantity=10, count=1)
        batch[2:] = limit(0, side=2, price=7_000 + number, quantity=4, count=1)
        batch["client_order_id"] = 0
        batch["sequence"] = range(sequence + 1, sequence + 5)
        batch["timestamp"] = START + number * 1_000_000_000
        sequence += 4
        made.append(batch)
    return made


def write(folder: Path, *, false_field: str = "", seal: bool = True) -> Path:
    """A journal of venue plain; with `false_field`, that field of one event is other than the rules give.

    Returns the journal's folder.
    """
    venue = Venue.preset("plain")
    engine = Engine(venue, "reference")
    with create(folder, venue, segment_bytes=64 << 10) as writer:
        for number, batch in enumerate(orders()):
            events = engine.apply_all(batch)
            if false_field and number == 2:
                events[-1][false_field] += 1
            writer.append(batch, events, [Note(NoteKind.TEXT, b"a note")])
        if seal:
            writer.seal(engine.digest())
    return folder


def flip(path: Path, offset: int) -> None:
    """Flip one bit of one byte."""
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x10
    path.write_bytes(data)


def flip_in_commands(folder: Path) -> None:
    """Rot inside the second batch."""
    segment = folder / "segment-00000001"
    data = segment.read_bytes()
    second = data.index(b"CBBT", data.index(b"CBBT") + 1)
    flip(segment, second + 128 + 40)


def sequences(records: list[dict[str, Any]]) -> list[int]:
    return [record["sequence"] for record in records if record["record"] == "command"]


__all__ = ["BATCHES", "START", "CommandKind", "flip", "flip_in_commands", "orders", "sequences", "write"]
