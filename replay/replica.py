"""An engine beside the journal's writer: it carries out what has become durable, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from engine.schema import EventArray
from replay.execute import Implementation, chunks, compare_events, execute, make_engine
from replay.follower import Follower
from replay.reader import JournalReader, Source
from replay.scan import Batch
from replay.stretch import Stretch
from replay.timeline import snapshot_before


class Replica:
    """The exchange as of the journal's watermark, in step with the writer, in any process.

    It starts from the newest durable snapshot. Every event it computes is compared with the journal's.

    Args:
        source: the journal's folder.
        implementation: the compiled kernel, or the reference engine.

    Attributes:
        engine: look at it, do not apply anything to it.
        reader: genesis, venue, watermark.

    Raises:
        JournalError: the journal cannot be read.
    """

    def __init__(self, source: Source, implementation: Implementation = "kernel") -> None:
        self._follower = Follower(source)
        self.reader: JournalReader = self._follower.reader
        self._follower.position, state = snapshot_before(self.reader)
        self.engine = make_engine(implementation, self.reader.venue, state)

    @property
    def command(self) -> int:
        """Sequence of the last command carried out."""
        return self._follower.position.command - 1

    @property
    def behind(self) -> int:
        """Durable commands that have not been carried out yet."""
        return max(0, self.reader.watermark().command - self.command)

    def catch_up(self) -> Iterator[Stretch]:
        """Carry out all that is durable now, as fast as can be; yields what has been done. Raises Diverged."""
        for stretch in self.reader.stretches(self._follower.position):
            for chunk in chunks([stretch]):
                execute(self.engine, chunk)
            self._follower.position = stretch.after
            yield stretch

    def poll(self) -> Iterator[tuple[Batch, Iterator[EventArray]]]:
        """What has become durable since the last poll: each batch, and the events of its commands one by one.

        A command is carried out when its events are asked for; take all of a batch before the next batch. Events are
        valid until the next ones. Raises Diverged, JournalCorrupt.
        """
        for batch in self._follower.poll():
            yield batch, self._one_by_one(batch)

    def _one_by_one(self, batch: Batch) -> Iterator[EventArray]:
        commands, expected, at = batch.commands, batch.events, 0
        for index in range(batch.command_count):
            done, events = self.engine.apply(commands[index : index + 1])
            if not done:
                raise RuntimeError("the engine did not apply the command it was given")
            journaled = expected[at : at + len(events)]
            if journaled.tobytes() != events.tobytes():
                compare_events(journaled, events)
            at += len(events)
            yield events
        if at != len(expected):
            compare_events(expected[at:], expected[:0])
