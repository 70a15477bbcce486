"""One trading day of a journal: where its events stand, and the exchange's state before and after it.

A day goes from the end of the day before (its SETTLED) to its own SETTLED. So deposits and cancelled trades of the time
between two days belong to the later one, and the states at both ends are those that the journal keeps a snapshot of.
The first day begins with the journal.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.schema import STATE_HEADER, STATE_SECTIONS, DayStage, EventArray, EventKind, unpack_state
from engine.venue import number_date
from replay.chain import first_batch, snapshot_in
from replay.execute import Implementation
from replay.format import Position, SegmentHeader
from replay.reader import JournalReader, head_of
from replay.timeline import state_at

Sections = dict[str, NDArray[Any]]
"""The canonical state, section by section."""
_STAGES: Final = {
    EventKind.TRADING_STOPPED: DayStage.STOPPED,
    EventKind.ORDERS_EXPIRED: DayStage.EXPIRED,
    EventKind.CLOSE_FIXED: DayStage.CLOSE_FIXED,
    EventKind.SETTLED: DayStage.SETTLED,
}
MAX_DATE: Final = 9999_12_31
_MARKS: Final = [int(kind) for kind in (EventKind.DAY_OPENED, *_STAGES)]


class NoSuchDay(ValueError):
    """The journal has no such trading day."""


class TradingDay(NamedTuple):
    """Where a day stands in its journal, as far as it has come.

    Attributes:
        date: YYYYMMDD.
        stage: where it stands at `last_event`; SETTLED when it is over.
        first_event, last_event: sequences, both included.
        before_command, last_command: the states before and after the day are those after these commands.
    """

    date: int
    stage: DayStage
    first_event: int
    last_event: int
    before_command: int
    last_command: int


def trading_day(reader: JournalReader, date: int) -> TradingDay:
    """The day of a date (YYYYMMDD). Raises NoSuchDay, JournalError."""
    until = reader.watermark()
    boundary = _boundary_before(reader, date)
    start = head_of(boundary) if boundary is not None else reader.start()
    first, before = start.event, start.command - 1
    stage: DayStage | None = None
    for stretch in reader.stretches(start, until):
        events = stretch.events
        for mark in events[np.isin(events["kind"], _MARKS)]:
            kind, sequence, command = EventKind(mark["kind"]), int(mark["sequence"]), int(mark["command_sequence"])
            if kind == EventKind.SETTLED and int(mark["aux"]) < date:
                first, before = sequence + 1, command
            elif kind == EventKind.DAY_OPENED and int(mark["aux"]) == date:
                stage = DayStage.OPEN
            elif kind == EventKind.DAY_OPENED and stage is None and int(mark["aux"]) > date:
                raise _no_day(date)
            elif stage is not None and kind in _STAGES:
                stage = _STAGES[kind]
                if stage == DayStage.SETTLED:
                    return TradingDay(date, stage, first, sequence, before, command)
    if stage is None:
        raise _no_day(date)
    return TradingDay(date, stage, first, until.event, before, until.command)


def settled_day(reader: JournalReader, date: int = 0) -> TradingDay:
    """A day that is over, with a snapshot behind its end, found by the heads of segments alone; 0 = the latest.

    Raises NoSuchDay, JournalError.
    """
    end = _boundary_before(reader, (date or MAX_DATE) + 1)
    found = _settled_date(reader, end) if end is not None else 0
    if end is None or (found != date if date else not found):
        raise _no_day(date) if date else NoSuchDay("no trading day of this journal has ended")
    begin = _boundary_before(reader, found)
    first, command = (begin.first_event, begin.first_command) if begin is not None else (1, 1)
    return TradingDay(found, DayStage.SETTLED, first, end.first_event - 1, command - 1, end.first_command - 1)


def last_date(reader: JournalReader) -> int:
    """The latest trading date that the journal has opened. Raises NoSuchDay."""
    for header in reversed(reader.segments()):
        found = 0
        for stretch in reader.stretches(head_of(header)):
            if stretch.segment != header.number:
                break
            events = stretch.events
            opened = events["aux"][events["kind"] == EventKind.DAY_OPENED]
            found = int(opened.max(initial=found))
        if found:
            return found
        if dated := _settled_date(reader, header):
            return dated
    raise NoSuchDay("no trading day has begun in this journal")


def events_of(reader: JournalReader, first: int, last: int) -> Iterator[EventArray]:
    """Events `first` to `last` by sequence, both included, in order, many at a time; read-only arrays."""
    if last < first:
        return
    for stretch in reader.stretches(_position_of(reader, first)):
        events = stretch.events
        if not len(events) or int(events["sequence"][-1]) < first:
            continue
        begin = max(0, first - int(events["sequence"][0]))
        yield events[begin : last + 1 - int(events["sequence"][0])]
        if int(events["sequence"][-1]) >= last:
            return


def state_before(reader: JournalReader, day: TradingDay, implementation: Implementation) -> Sections:
    """The state that a day began with; see `state_after`."""
    return state_after(reader, day.before_command, day.first_event - 1, implementation)


def state_after(reader: JournalReader, command: int, event: int, implementation: Implementation) -> Sections:
    """The state after a command whose last event is `event`: from a snapshot, else by replay.

    Before the first command: sections without rows. Raises JournalDiverged, JournalError.
    """
    if not command:
        return {name: np.zeros(0, dtype) for name, dtype in STATE_SECTIONS.items()}
    return snapshot_after(reader, event) or state_at(reader.storage, command, implementation=implementation).state()


def snapshot_after(reader: JournalReader, event: int) -> Sections | None:
    """The state that a snapshot right behind an event holds; None where there is none."""
    for header in reader.segments():
        if header.first_event == event + 1:
            state = _snapshot(reader, header)
            if state is not None:
                return unpack_state(state)
    return None


def utc(ns: int) -> str:
    """UTC nanoseconds in ISO 8601, all nine digits."""
    moment = datetime.fromtimestamp(ns // 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ns % 1_000_000_000:09d}Z"


def _no_day(date: int) -> NoSuchDay:
    return NoSuchDay(
        f"{number_date(date)}: no trading day of this journal; `journal dump --kind DAY_OPENED` lists them"
    )


def _boundary_before(reader: JournalReader, date: int) -> SegmentHeader | None:
    """The latest segment that begins right behind the end of a day earlier than `date`."""
    segments = reader.segments()
    low, high, best = 0, len(segments), 0
    while low < high:
        middle = at = (low + high) // 2
        while at >= low and not (dated := _settled_date(reader, segments[at])):
            at -= 1
        if at < low:  # none of these begins with a day's end
            low = middle + 1
        elif dated < date:
            best, low = at, middle + 1
        else:
            high = at
    while best and not _follows_settled(reader, segments[best]):
        best -= 1
    return segments[best] if best else None


def _follows_settled(reader: JournalReader, header: SegmentHeader) -> bool:
    """Whether the last event before a segment is SETTLED: a batch may go on behind it."""
    last = header.first_event - 1
    return any(part["kind"][-1] == EventKind.SETTLED for part in reader.events(last, last))


def _settled_date(reader: JournalReader, header: SegmentHeader) -> int:
    """The trading date whose end a segment begins with; 0 when it begins with no such snapshot."""
    state = _snapshot(reader, header)
    if state is None:
        return 0
    row = np.frombuffer(state[8 : 8 + STATE_HEADER.itemsize], STATE_HEADER)[0]
    return int(row["trading_date"]) if row["day_stage"] == DayStage.SETTLED else 0


def _snapshot(reader: JournalReader, header: SegmentHeader) -> bytes | None:
    if header.first_batch > reader.watermark().batch:
        return None
    batch = first_batch(reader, head_of(header))
    return snapshot_in(batch) if batch is not None else None


def _position_of(reader: JournalReader, event: int) -> Position:
    """A batch border at or before an event; a segment's own beginning is found without reading it."""
    for header in reader.segments():
        if header.first_event == event:
            return head_of(header)
    return reader.seek(event=event)
