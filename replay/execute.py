"""Running a journal's commands through an engine again and comparing every byte of every event."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np

from engine.core import Engine, ImplementationName
from engine.schema import COMMAND, EVENT, CommandArray, EventArray
from engine.venue import Venue
from replay.errors import JournalDiverged
from replay.format import NoteKind
from replay.scan import Batch

EngineFactory = Callable[[Venue, bytes | None], Engine]
"""(venue, canonical state or None for a new venue) -> engine."""
Implementation = ImplementationName | EngineFactory
COMMANDS_AT_ONCE: Final = 4096
_LARGE: Final = 512
"""Commands from which on a batch is not put together with others."""
_CHECKING_NOTES: Final = (NoteKind.DIGEST, NoteKind.SNAPSHOT, NoteKind.SEAL)


def make_engine(implementation: Implementation, venue: Venue, state: bytes | None = None) -> Engine:
    """An engine at a canonical state, or at the venue's beginning."""
    if callable(implementation):
        return implementation(venue, state)
    if state is None:
        return Engine(venue, implementation)
    return Engine.restore(venue, state, implementation)


class Difference(NamedTuple):
    """The first place where replay and journal part."""

    sequence: int
    """Of the event, or of the last command for a digest."""
    command_sequence: int
    field: str
    journaled: str
    replayed: str

    def __str__(self) -> str:
        return (
            f"event {self.sequence} (command {self.command_sequence}), field {self.field}:"
            f" the journal has {self.journaled}, replay gives {self.replayed}"
        )


class Diverged(JournalDiverged):
    """Carries the first difference."""

    def __init__(self, difference: Difference) -> None:
        super().__init__(
            f"DIVERGED: {difference}. The journal is intact but this engine computes something else: use the release"
            " that wrote it (named in the segment's header), or report the difference"
        )
        self.difference = difference


class Chunk(NamedTuple):
    """Batches whose commands are applied together; a digest, where there is one, holds at their end."""

    commands: CommandArray
    events: EventArray
    batches: int
    size: int
    """Bytes of the frames."""
    digest: bytes | None
    last_command: int


def chunks(batches: Iterable[Batch], at_once: int = COMMANDS_AT_ONCE) -> Iterator[Chunk]:
    """Coalesce small batches: a call of the engine costs as much as dozens of commands.

    Raises ValueError when a note that should hold a digest cannot be read.
    """
    commands: list[memoryview] = []
    events: list[memoryview] = []
    held = count = size = last = 0
    for batch in batches:
        digest = digest_after(batch) if batch.note_count else None
        if batch.command_count >= _LARGE:
            if count:
                yield _chunk(commands, events, count, size, None, last)
                commands, events, held, count, size = [], [], 0, 0, 0
            yield _large_chunk(batch, digest)
            continue
        commands.append(batch.command_bytes)
        events.append(batch.event_bytes)
        held += batch.command_count
        count += 1
        size += batch.total
        last = batch.last_command
        if held >= at_once or digest is not None:
            yield _chunk(commands, events, count, size, digest, last)
            commands, events, held, count, size = [], [], 0, 0, 0
    if count:
        yield _chunk(commands, events, count, size, None, last)


def _chunk(
    commands: list[memoryview], events: list[memoryview], count: int, size: int, digest: bytes | None, last: int
) -> Chunk:
    # A bytearray, because compiled engines take writable arrays only.
    given = np.frombuffer(bytearray().join(commands), COMMAND)
    return Chunk(given, np.frombuffer(b"".join(events), EVENT), count, size, digest, last)


def _large_chunk(batch: Batch, digest: bytes | None) -> Chunk:
    """One batch that is worth a call of its own; its events are compared where they stand."""
    given = np.frombuffer(bytearray(batch.command_bytes), COMMAND)
    return Chunk(given, batch.events, 1, batch.total, digest, batch.last_command)


def digest_after(batch: Batch) -> bytes | None:
    """The digest of the canonical state after a batch, if one of its notes states it."""
    for note in batch.notes:
        if note.kind == NoteKind.SNAPSHOT:
            return hashlib.sha256(note.body).digest()
        if note.kind in (NoteKind.DIGEST, NoteKind.SEAL) and note.body:
            return note.body
    return None


def execute(engine: Engine, chunk: Chunk) -> None:
    """Apply a chunk and compare. Raises Diverged."""
    commands, expected, at = chunk.commands, chunk.events, 0
    while len(commands):
        done, events = engine.apply(commands[:COMMANDS_AT_ONCE])
        _compare(expected[at : at + len(events)], events)
        at += len(events)
        if done == 0:
            raise RuntimeError("the engine applied none of the commands it was given")
        commands = commands[done:]
    if at != len(expected):
        _compare(expected[at:], expected[:0])
    if chunk.digest is not None:
        digest = engine.digest()
        if digest != chunk.digest:
            difference = Difference(0, chunk.last_command, "digest of the state", chunk.digest.hex(), digest.hex())
            raise Diverged(difference)


def _compare(expected: EventArray, actual: EventArray) -> None:
    # As int64, which compares at memory speed; the records themselves would be compared field by field.
    if len(expected) == len(actual) and np.array_equal(expected.view(np.int64), actual.view(np.int64)):
        return
    raise Diverged(_first_difference(expected, actual))


def _first_difference(expected: EventArray, actual: EventArray) -> Difference:
    for journaled, replayed in zip(expected, actual, strict=False):
        if journaled.tobytes() != replayed.tobytes():
            field = next(name for name in EVENT.fields or () if journaled[name] != replayed[name])
            return Difference(
                int(journaled["sequence"]),
                int(journaled["command_sequence"]),
                field,
                str(journaled[field]),
                str(replayed[field]),
            )
    extra = expected[len(actual)] if len(expected) > len(actual) else actual[len(expected)]
    sides = ("an event", "none") if len(expected) > len(actual) else ("none", "an event")
    return Difference(int(extra["sequence"]), int(extra["command_sequence"]), "kind", *sides)
