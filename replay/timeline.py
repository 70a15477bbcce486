"""Going back in time, and reading a journal as text."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import Any, Final

import msgspec
import numpy as np

from engine.core import Engine
from engine.schema import (
    REASON_TEXT,
    CommandArray,
    CommandKind,
    EventKind,
    Mode,
    OrderType,
    Phase,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
)
from replay.chain import first_batch, snapshot_in
from replay.execute import Implementation, chunks, execute, make_engine
from replay.format import NoteKind, Position, SegmentHeader, segment_name
from replay.reader import JournalReader, Source
from replay.scan import Batch
from replay.storage import SECTOR

_COMMAND_ENUMS: Final[dict[str, type[IntEnum]]] = {
    "kind": CommandKind,
    "side": Side,
    "order_type": OrderType,
    "time_in_force": TimeInForce,
    "self_trade": SelfTrade,
}
_EVENT_ENUMS: Final[dict[str, type[IntEnum]]] = {
    "kind": EventKind,
    "side": Side,
    "phase": Phase,
    "aggressor": Side,
    "reason": Reason,
}


class SegmentInfo(msgspec.Struct, frozen=True):
    """One line of `ls`."""

    number: int
    file: str
    size: int
    """Bytes of the file."""
    used: int
    """Bytes up to the end of the last batch."""
    first_batch: int
    batches: int
    first_command: int
    commands: int
    first_event: int
    events: int
    first_time: int
    """Journal time of the first command, ns; 0 = none."""
    last_time: int
    snapshot: bool
    """A canonical snapshot stands at its head."""
    rules: str
    """The release that wrote it."""


def state_at(
    source: Source,
    sequence: int | None = None,
    time: int | None = None,
    implementation: Implementation = "kernel",
) -> Engine:
    """The exchange as it stood at an instant: the newest snapshot before it, and the commands since.

    Args:
        sequence: after the command with this sequence (0 = the beginning).
        time: after the last command with a timestamp at or before this journal time, ns. With both, the earlier one;
            with none, the journal's end as it is now.

    Raises:
        JournalDiverged: replay gives other events than the journal holds.
        JournalError: the journal cannot be read.
    """
    reader = JournalReader(source)
    start, state = _snapshot_before(reader, sequence, time)
    engine = make_engine(implementation, reader.venue, state)
    rest: list[CommandArray] = []
    for chunk in chunks(_whole_batches(reader, start, sequence, time, rest)):
        execute(engine, chunk)
    for commands in rest:  # part of one batch: its events stand among others, so they are not compared
        engine.apply_all(commands)
    return engine


def _whole_batches(
    reader: JournalReader, start: Position, sequence: int | None, time: int | None, rest: list[CommandArray]
) -> Iterator[Batch]:
    """Batches wholly before the instant; the commands before it of the batch it falls into go to `rest`."""
    for batch in reader.batches(start):
        late_sequence = sequence is not None and batch.last_command > sequence
        late_time = time is not None and batch.timestamp > time
        if not late_sequence and not late_time:
            yield batch
            continue
        commands = batch.commands
        keep = np.ones(len(commands), bool)
        if sequence is not None:
            keep &= commands["sequence"] <= sequence
        if time is not None:
            keep &= commands["timestamp"] <= time
        # Timestamps never go back, so what is kept is a prefix.
        rest.append(commands[: int(keep.sum())].copy())
        return


def _snapshot_before(reader: JournalReader, sequence: int | None, time: int | None) -> tuple[Position, bytes | None]:
    until = reader.watermark()
    for header in reversed(reader.segments()):
        if header.first_batch > until.batch or (sequence is not None and header.first_command > sequence + 1):
            continue
        batch = first_batch(reader, _head(header))
        if batch is None or (time is not None and batch.timestamp > time):
            continue
        state = snapshot_in(batch)
        if state is not None:
            return batch.after, state
    return reader.start(), None


def _head(header: SegmentHeader) -> Position:
    return Position(header.number, SECTOR, header.first_batch, header.first_command, header.first_event, header.chain)


def ls(source: Source) -> list[SegmentInfo]:
    """The journal's segments, checked batch by batch up to the watermark."""
    reader = JournalReader(source)
    headers = reader.segments()
    ends: dict[int, list[Batch]] = {header.number: [] for header in headers}
    counts = {header.number: [0, 0, 0] for header in headers}
    for batch in reader.batches():
        if batch.segment in ends:  # a segment may be new since the headers were listed
            ends[batch.segment] = [*ends[batch.segment][:1], batch]
            total = counts[batch.segment]
            total[0] += 1
            total[1] += batch.command_count
            total[2] += batch.event_count
    return [_info(reader, header, ends[header.number], counts[header.number]) for header in headers]


def _info(reader: JournalReader, header: SegmentHeader, ends: list[Batch], counts: list[int]) -> SegmentInfo:
    name = segment_name(header.number)
    return SegmentInfo(
        number=header.number,
        file=name,
        size=reader.storage.file_size(name),
        used=ends[-1].after.offset if ends else SECTOR,
        first_batch=header.first_batch,
        batches=counts[0],
        first_command=header.first_command,
        commands=counts[1],
        first_event=header.first_event,
        events=counts[2],
        first_time=ends[0].timestamp if ends else 0,
        last_time=ends[-1].timestamp if ends else 0,
        snapshot=bool(ends) and snapshot_in(ends[0]) is not None,
        rules=header.rules.decode("utf-8", "replace"),
    )


def dump(source: Source, first: int = 1, last: int | None = None) -> Iterator[dict[str, Any]]:
    """Commands `first` to `last` by sequence as dictionaries, each followed by its events; notes where they stand.

    Enums by name, reasons with their text, instruments by symbol beside their id; fields that are zero are left out.
    """
    reader = JournalReader(source)
    for batch in reader.batches(reader.seek(command=max(first, 1))):
        if last is not None and batch.first_command > last:
            return
        events = batch.events
        owners = events["command_sequence"]
        for command in batch.commands:
            sequence = int(command["sequence"])
            if sequence < first or (last is not None and sequence > last):
                continue
            yield _readable("command", command, _COMMAND_ENUMS, reader, batch)
            begin, end = np.searchsorted(owners, [sequence, sequence + 1])
            for event in events[begin:end]:
                yield _readable("event", event, _EVENT_ENUMS, reader, batch)
        for note in batch.notes:
            yield {"record": "note", "batch": batch.number, "kind": note.kind.name, **_body(note.kind, note.body)}


def _body(kind: NoteKind, body: bytes) -> dict[str, Any]:
    if kind in (NoteKind.TEXT, NoteKind.RECOVERY):
        return {"text": body.decode("utf-8", "replace")}
    if kind in (NoteKind.DIGEST, NoteKind.SEAL):
        return {"digest": body.hex()}
    return {"bytes": len(body)}


def _readable(
    record: str, row: Any, enums: dict[str, type[IntEnum]], reader: JournalReader, batch: Batch
) -> dict[str, Any]:
    if record == "event" and row["kind"] == EventKind.PHASE_CHANGED:
        enums = {**enums, "side": Mode}  # there, and only there, `side` is a mode
    out: dict[str, Any] = {"record": record, "batch": batch.number}
    for name in row.dtype.names:
        value = int(row[name])
        if not value:
            continue
        out[name] = _name(enums[name], value) if name in enums else value
    instrument = int(row["instrument"])
    if 0 < instrument <= len(reader.venue.instruments):
        out["symbol"] = reader.venue.instruments[instrument - 1].symbol
    if record == "event" and row["reason"]:
        out["reason_text"] = _reason_text(int(row["reason"]))
    return out


def _reason_text(code: int) -> str:
    try:
        return REASON_TEXT[Reason(code)]
    except ValueError:
        return f"code {code} is not known to this release"


def _name(enum: type[IntEnum], value: int) -> str | int:
    """The member's name, or the number itself when the schema has none."""
    try:
        return enum(value).name
    except ValueError:
        return value
