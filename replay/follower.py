"""Following a live journal: batches as they become durable, without ever touching the writer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from replay.format import Position
from replay.reader import JournalReader, Source
from replay.scan import Batch


class Follower:
    """Reads on from where it stands. Any number of them may run beside the writer, in any process.

    Args:
        source: the journal's folder.
        after_command: begin with the first batch that holds a later command; 0 = from the beginning.

    Attributes:
        reader: genesis, venue and random access of the same journal.
        position: before the next batch.
    """

    def __init__(self, source: Source, after_command: int = 0) -> None:
        self.reader = JournalReader(source)
        self.position: Position = self.reader.start()
        if after_command:
            self.position = self.reader.seek(command=after_command + 1)

    def poll(self) -> Iterator[Batch]:
        """The batches that have become durable since the last poll; none when there is nothing new.

        Raises JournalCorrupt when a batch below the watermark does not continue the chain.
        """
        for batch in self.reader.batches(self.position):
            self.position = batch.after
            yield batch

    def follow(self, wait: Callable[[], bool]) -> Iterator[Batch]:
        """Batches for ever.

        Args:
            wait: called when nothing new is there; returns after a wake-up or some time, False to stop.
        """
        while True:
            before = self.position.batch
            yield from self.poll()
            if self.position.batch == before and not wait():
                return
