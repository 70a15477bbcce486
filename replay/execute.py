"""Running a journal's commands through an engine again and comparing every byte of every event."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterable
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from engine.core import Engine, ImplementationName
from engine.schema import EVENT, CommandArray, EventArray
from engine.venue import Venue
from replay.errors import JournalCorrupt, JournalDiverged
from replay.format import Note, NoteKind, segment_name
from replay.scan import Batch
from replay.stretch import Stretch

EngineFactory = Callable[[Venue, bytes | None], Engine]
"""(venue, canonical state or None for a new venue) -> engine."""
Implementation = ImplementationName | EngineFactory
COMMANDS_AT_ONCE: Final = 4096
_LARGE: Final = 512
"""Commands from which on a batch is not put together with others."""


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


def chunks(stretches: Iterable[Stretch]) -> Generator[Chunk, None, None]:
    """What to apply together: small batches are put together, because a call of the engine costs as much as dozens of
    commands; a large one is applied, and its events are compared, where they stand.

    Raises JournalCorrupt when a note cannot be read.
    """
    for stretch in stretches:
        digests = {index: notes_digest(stretch.batch(index)) for index in stretch.noted()}
        ends = {index + 1 for index, digest in digests.items() if digest is not None}
        for index in np.flatnonzero(stretch.heads["commands"] >= _LARGE).tolist():
            ends |= {index, index + 1}
        borders = sorted({0, len(stretch)} | ends)
        for first, last in pairwise(borders):
            digest = digests.get(last - 1)
            if last - first == 1:
                batch = stretch.batch(first)
                yield Chunk(batch.commands, batch.events, 1, batch.total, digest, batch.last_command)
                continue
            part = stretch.part(first, last)
            end = stretch.batch(last - 1).last_command
            yield Chunk(part.commands, part.events, last - first, part.size, digest, end)


def notes_of(batch: Batch) -> tuple[Note, ...]:
    """A batch's notes, each checked. Raises JournalCorrupt."""
    try:
        return batch.notes
    except ValueError as error:
        raise JournalCorrupt(
            f"a note cannot be read: {error}",
            file=segment_name(batch.segment),
            offset=batch.offset,
            batch=batch.number,
            sequence=batch.first_command,
        ) from None


def notes_digest(batch: Batch) -> bytes | None:
    """The digest of the canonical state after a batch, if one of its notes states it. Raises JournalCorrupt."""
    for note in notes_of(batch):
        if note.kind == NoteKind.SNAPSHOT:
            return hashlib.sha256(note.body).digest()
        if note.kind in (NoteKind.DIGEST, NoteKind.SEAL) and note.body:
            return note.body
    return None


def execute(engine: Engine, chunk: Chunk) -> bytes | None:
    """Apply a chunk and compare; returns the digest of the state where the chunk states one. Raises Diverged."""
    commands, expected, at = chunk.commands, chunk.events, 0
    while len(commands):
        done, events = engine.apply(commands[:COMMANDS_AT_ONCE])
        compare_events(expected[at : at + len(events)], events)
        at += len(events)
        if done == 0:
            raise RuntimeError("the engine applied none of the commands it was given")
        commands = commands[done:]
    if at != len(expected):
        compare_events(expected[at:], expected[:0])
    if chunk.digest is not None:
        digest = engine.digest()
        if digest != chunk.digest:
            difference = Difference(0, chunk.last_command, "digest of the state", chunk.digest.hex(), digest.hex())
            raise Diverged(difference)
    return chunk.digest


def compare_events(expected: EventArray, actual: EventArray) -> None:
    """Raises Diverged, with the first difference, unless the journal's events and those computed are the same bytes."""
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
