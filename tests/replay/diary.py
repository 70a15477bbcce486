"""A venue that is told what to do and keeps a journal of it: for tests of what is read out of a day's journal.

Times are stated as those of a day that begins at MIDNIGHT; each command is a batch of its own, and behind a settled day
a new segment begins, as in a server.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from engine.control import Control, encode, expand
from engine.core import Engine
from engine.schema import COMMAND, CommandArray
from engine.venue import Venue
from replay import JournalReader, Note, NoteKind, create, is_settled
from tests.engine.builders import World, told

MIDNIGHT = 1_754_841_600_000_000_000
"""2025-08-10T16:00:00 UTC, midnight of 2025-08-11 in Shanghai."""
SECOND = 1_000_000_000
TODAY, TOMORROW = 20250811, 20250812


class Diary(World):
    """A `World` on the reference engine whose commands and events are journaled in `folder`."""

    def __init__(self, folder: Path, venue: Venue) -> None:
        super().__init__(Engine(venue, "reference"))
        self.folder = folder
        self.writer = create(folder, venue, segment_bytes=1 << 20)
        self.now = 0.0

    def send(self, kind: int, **fields: int) -> list[str]:
        command = np.zeros(1, COMMAND)
        session = fields.get("session", 0)
        if session and "client_order_id" not in fields:
            fields["client_order_id"] = self.numbers.get(session, 0) + 1
        self.numbers[session] = max(self.numbers.get(session, 0), fields.get("client_order_id", 0))
        command["kind"] = kind
        for name, value in fields.items():
            command[name] = value
        return self.keep(command)

    def say(self, message: Control, session: int = 0) -> list[str]:
        """An administrative message, journaled with its note."""
        batch = expand(message)
        batch["session"] = session
        return self.keep(batch, [Note(NoteKind.MESSAGE, encode(message), 0, len(batch))])

    def keep(self, batch: CommandArray, notes: Sequence[Note] = ()) -> list[str]:
        batch["sequence"] = np.arange(self.sent + 1, self.sent + 1 + len(batch))
        batch["timestamp"] = MIDNIGHT + round(self.now * SECOND)
        self.sent += len(batch)
        events = self.engine.apply_all(batch).copy()
        self.events += len(events)
        self.writer.append(batch, events, notes)
        if is_settled(events):
            self.writer.roll(self.engine.canonical_state())
        return [told(event) for event in events]

    def at(self, text: str) -> Diary:
        """The next commands come at HH:MM:SS, local time."""
        hours, minutes, seconds = text.split(":")
        self.now = int(hours) * 3_600 + int(minutes) * 60 + float(seconds)
        return self

    def reader(self) -> JournalReader:
        return JournalReader(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.writer.close()


def ids(lines: Sequence[str], name: str = "order_id") -> list[int]:
    """A field of told events, where it is told."""
    return [int(word.split("=")[1]) for line in lines for word in line.split() if word.startswith(f"{name}=")]


def rows(found: Sequence[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    """Some fields of rows, as text where they are numbers with decimals."""
    return [tuple(row.get(name) for name in names) for row in found]
