"""The latest commands and events in memory, for resume and duplicate answers without the journal.

Command and event sequences have no gaps, so the record with sequence s stands at slot (s - 1) % capacity.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.schema import COMMAND, EVENT, CommandArray, EventArray
from gateway.records import join

COMMANDS: Final = 1 << 17
EVENTS: Final = 1 << 18
"""How many are remembered."""
LATE: Final = 64
"""Additions that wait to be put into a ring together: one by one, they would cost more than the batches themselves."""


class _Ring:
    """The last `capacity` records of one gapless sequence."""

    def __init__(self, dtype: np.dtype[Any], capacity: int) -> None:
        self._records: NDArray[Any] = np.zeros(capacity, dtype)
        self._raw = self._records.view(np.uint8).reshape(capacity, dtype.itemsize)
        self._size = dtype.itemsize
        self.capacity = capacity
        self.last = 0
        self._late: list[bytes] = []

    @property
    def oldest(self) -> int:
        """Sequence of the oldest record kept; last + 1 when there is none."""
        return max(0, self.last - self.capacity) + 1

    @property
    def records(self) -> NDArray[Any]:
        """All that is kept, by slot."""
        self._put_late()
        return self._records

    def add(self, records: NDArray[Any]) -> None:
        self.last += len(records)
        if len(records) < LATE:
            self._late.append(records.tobytes())
            if len(self._late) >= LATE:
                self._put_late()
            return
        self._put_late(self.last - len(records))
        self._put(np.ascontiguousarray(records).view(np.uint8).reshape(-1, self._size), self.last)

    def _put_late(self, end: int | None = None) -> None:
        raw = np.frombuffer(b"".join(self._late), np.uint8).reshape(-1, self._size)
        self._late.clear()
        self._put(raw, self.last if end is None else end)

    def _put(self, raw: NDArray[np.uint8], last: int) -> None:
        """Records as bytes [n, size], of which the last one has sequence `last`."""
        raw = raw[-self.capacity :]
        at = (last - len(raw)) % self.capacity
        head = min(len(raw), self.capacity - at)
        self._raw[at : at + head] = raw[:head]
        self._raw[: len(raw) - head] = raw[head:]

    def skip(self, count: int) -> None:
        """Count records that are too old to be kept; before the first `add`."""
        self.last += count

    def after(self, sequence: int, limit: int) -> NDArray[Any]:
        """A copy of up to `limit` records with sequences above `sequence`."""
        start = max(sequence, self.oldest - 1)
        count = min(limit, self.last - start)
        at = start % self.capacity
        records = self.records
        head = records[at : at + count]
        return join([head, records[: count - len(head)]]).copy()


class Recent:
    """Rings of commands and events; they begin empty and take in everything from sequence 1 on, or behind `skip`."""

    def __init__(self, commands: int = COMMANDS, events: int = EVENTS) -> None:
        self._commands = _Ring(COMMAND, commands)
        self._events = _Ring(EVENT, events)

    def skip(self, commands: int, events: int) -> None:
        """So many stand before what is going to be added, and are forgotten."""
        self._commands.skip(commands)
        self._events.skip(events)

    def add(self, commands: CommandArray, events: EventArray) -> None:
        self._commands.add(commands)
        self._events.add(events)

    @property
    def oldest_event(self) -> int:
        return self._events.oldest

    def events_after(self, sequence: int, limit: int) -> EventArray:
        """Events with sequences above `sequence` (at least `oldest_event` - 1), at most `limit`."""
        return self._events.after(sequence, limit)

    def commands_numbered(self, session: int, numbers: NDArray[Any]) -> CommandArray:
        """The remembered commands of a session with these client_order_ids, in no order."""
        ring = self._commands.records
        mine = np.flatnonzero((ring["session"] == session) & (ring["sequence"] > 0))
        chosen: CommandArray = ring[mine[np.isin(ring["client_order_id"][mine], numbers)]]
        return chosen

    def events_of(self, command_sequences: NDArray[Any]) -> EventArray:
        """The remembered events that these commands caused, in event order."""
        ring = self._events.records
        found = ring[np.isin(ring["command_sequence"], command_sequences) & (ring["sequence"] > 0)]
        return found[np.argsort(found["sequence"])]
