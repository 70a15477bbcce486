"""Opening the journal at start, and what its history tells: names, keys, each session's last event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from engine.control import Control, decode
from engine.core import Engine
from engine.schema import COMMAND, EVENT, CommandArray, EventArray
from engine.venue import Venue
from gateway.config import Config
from replay import JournalMissing, JournalReader, NotAJournal, NoteKind, create, recover
from replay.scan import Batch
from replay.writer import JournalWriter

AT_ONCE: Final = 65_536
"""Commands of the history handed on together."""
Messages = dict[int, Control]
"""Administrative messages by the sequence of their first command."""


class Opened(NamedTuple):
    """An engine in step with its journal."""

    engine: Engine
    writer: JournalWriter
    reader: JournalReader
    created: bool
    report: str


def open_journal(config: Config) -> Opened:
    """Recover the journal in `<data>/journal`, or create one. Raises replay.errors.JournalError, VenueError."""
    folder = config.data_folder / "journal"
    config.data_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        recovered = recover(folder, config.implementation)
    except (JournalMissing, NotAJournal):
        venue = Venue.find(config.venue)
        writer = create(folder, venue, config.durability, segment_bytes=config.segment_bytes)
        engine = Engine(venue, config.implementation)
        return Opened(engine, writer, JournalReader(folder), True, f"New journal of venue {venue.name} in {folder}")
    return Opened(recovered.engine, recovered.writer, JournalReader(folder), False, str(recovered.report))


def messages_of(batch: Batch) -> Messages:
    """The administrative messages of one batch."""
    if not batch.note_count:
        return {}
    return {
        batch.first_command + note.index: decode(note.body) for note in batch.notes if note.kind == NoteKind.MESSAGE
    }


def read_history(reader: JournalReader, take: Callable[[CommandArray, EventArray, Messages], None]) -> None:
    """Hand everything journaled so far to `take`, many batches at a time and never half a batch."""
    commands: list[memoryview] = []
    events: list[memoryview] = []
    messages: Messages = {}
    held = 0

    def hand_on() -> None:
        take(np.frombuffer(b"".join(commands), COMMAND), np.frombuffer(b"".join(events), EVENT), messages)

    for batch in reader.batches():
        commands.append(batch.command_bytes)
        events.append(batch.event_bytes)
        messages |= messages_of(batch)
        held += batch.command_count
        if held >= AT_ONCE:
            hand_on()
            commands, events, messages, held = [], [], {}, 0
    if held:
        hand_on()
