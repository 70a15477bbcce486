"""Opening the journal at start, and what its history tells: names, keys, each session's last event."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.control import Control, decode
from engine.core import Engine
from engine.schema import CommandArray, EventArray
from engine.venue import Venue
from gateway.config import Config
from gateway.directory import Directory
from gateway.recent import COMMANDS, EVENTS, Recent
from gateway.routing import last_events
from gateway.sessions import ADMINISTRATIVE, Registry
from replay import JournalMissing, JournalReader, NotAJournal, NoteKind, Stretch, create, recover
from replay.scan import Batch
from replay.writer import JournalWriter

MARK_EVERY: Final = 1_000
Messages = dict[int, Control]
"""Administrative messages by the sequence of their first command."""
ShowBar = Callable[[], AbstractContextManager[Any]]
"""Opens something with `at(bytes so far)`, to be shown while the journal is read."""


class Marks:
    """Where in the journal a session's numbers stand: one mark every thousand numbers."""

    def __init__(self) -> None:
        self._marks: dict[int, tuple[list[int], list[int]]] = {}
        self._next: NDArray[np.int64] = np.zeros(1, np.int64)  # by session: from which number on a mark is due

    def learn(self, commands: CommandArray) -> None:
        """Take in commands that have been journaled."""
        if len(commands) == 1 and not self._is_due(commands["session"].item(), commands["client_order_id"].item()):
            return  # the most frequent case by far
        if not len(commands):
            return
        sessions = commands["session"]
        self._grow(int(sessions.max()))
        due = np.flatnonzero((sessions > 0) & (commands["client_order_id"] >= self._next[sessions]))
        if not len(due):
            return
        sessions, numbers, sequences = (commands[name][due] for name in ("session", "client_order_id", "sequence"))
        for session in np.unique(sessions).tolist():
            mine = sessions == session
            self._mark(session, numbers[mine], sequences[mine])

    def _is_due(self, session: int, number: int) -> bool:
        return session >= len(self._next) or number >= self._next.item(session)

    def _mark(self, session: int, numbers: NDArray[np.int64], sequences: NDArray[np.int64]) -> None:
        """Mark the first of a session's ascending numbers that are due, and those a thousand and more behind it."""
        marks = self._marks.setdefault(session, ([], []))
        at = 0
        while at < len(numbers):
            number = int(numbers[at])
            marks[0].append(number)
            marks[1].append(int(sequences[at]))
            self._next[session] = number + MARK_EVERY
            at = int(np.searchsorted(numbers, number + MARK_EVERY))

    def of(self, session: int) -> tuple[list[int], list[int]]:
        """(numbers, command sequences) of a session's marks, ascending."""
        return self._marks.get(session, ([], []))

    def _grow(self, session: int) -> None:
        if session >= len(self._next):
            self._next = np.concatenate([self._next, np.zeros(2 * session + 1 - len(self._next), np.int64)])


class History:
    """What a start needs of everything journaled so far, gathered in the pass in which the journal is recovered.

    Attributes:
        marks: where each session's numbers stand.
    """

    def __init__(self) -> None:
        self.marks = Marks()
        self._latest: deque[Stretch] = deque()
        self._held = np.zeros(2, np.int64)
        self._skipped = np.zeros(2, np.int64)
        """Commands and events in `_latest`, and before it."""
        self._opened: list[tuple[EventArray, Messages]] = []
        self._last: dict[int, int] = {}
        self._directory = Directory()

    def take(self, stretch: Stretch) -> None:
        """Take in the next batches."""
        commands, events = stretch.commands, stretch.events
        self._keep(stretch)
        self.marks.learn(commands)
        self._directory.learn(events)
        self._last |= last_events(events, self._directory)
        opened = events[np.isin(events["kind"], ADMINISTRATIVE)]
        if len(opened):
            messages: Messages = {}
            for index in stretch.noted():
                messages |= messages_of(stretch.batch(index))
            self._opened.append((opened, messages))

    def _keep(self, stretch: Stretch) -> None:
        """Keep the stretches that the memory of the latest records is going to hold."""
        self._latest.append(stretch)
        self._held += (stretch.command_count, stretch.event_count)
        while True:
            oldest = (self._latest[0].command_count, self._latest[0].event_count)
            if (self._held - oldest < (COMMANDS, EVENTS)).any():
                return
            self._latest.popleft()
            self._held -= oldest
            self._skipped += oldest

    def recent(self) -> Recent:
        """The latest records, to go on from."""
        found = Recent()
        found.skip(*self._skipped.tolist())
        for stretch in self._latest:
            found.add(stretch.commands, stretch.events)
        self._latest.clear()
        return found

    def tell(self, registry: Registry) -> None:
        """Names and keys, and each session's last event, into a registry; once."""
        for events, messages in self._opened:
            registry.learn(events, messages)
        for number, sequence in self._last.items():
            if number in registry.sessions:
                registry.sessions[number].last_event = sequence
        self._opened, self._last = [], {}


class Opened(NamedTuple):
    """An engine in step with its journal."""

    engine: Engine
    writer: JournalWriter
    reader: JournalReader
    created: bool
    report: str
    history: History


def open_journal(config: Config, show_bar: ShowBar = nullcontext) -> Opened:
    """Recover the journal in `<data>/journal`, or create one. Raises replay.errors.JournalError, VenueError."""
    folder = config.data_folder / "journal"
    config.data_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    history, read = History(), 0
    try:
        with show_bar() as bar:

            def observe(stretch: Stretch) -> None:
                nonlocal read
                history.take(stretch)
                read += stretch.size
                if bar is not None:
                    bar.at(read)

            recovered = recover(folder, config.implementation, observe=observe)
    except (JournalMissing, NotAJournal):
        venue = Venue.find(config.venue)
        writer = create(folder, venue, config.durability, segment_bytes=config.segment_bytes)
        engine = Engine(venue, config.implementation)
        engine.touch()
        told = f"New journal of venue {venue.name} in {folder}"
        return Opened(engine, writer, JournalReader(folder), True, told, history)
    recovered.engine.touch()
    return Opened(recovered.engine, recovered.writer, JournalReader(folder), False, str(recovered.report), history)


def messages_of(batch: Batch) -> Messages:
    """The administrative messages of one batch."""
    if not batch.note_count:
        return {}
    return {
        batch.first_command + note.index: decode(note.body) for note in batch.notes if note.kind == NoteKind.MESSAGE
    }
