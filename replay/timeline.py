"""Going back in time, and reading a journal as text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from enum import IntEnum
from typing import Any, Final

import msgspec
import numpy as np

from engine.control import decode
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
from replay.format import HEADER, NoteKind, Position, SegmentHeader, segment_name
from replay.reader import JournalReader, Source, head_of
from replay.scan import Batch, sound_header
from replay.storage import SECTOR
from replay.stretch import Stretch

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
    start, state = snapshot_before(reader, sequence, time)
    engine = make_engine(implementation, reader.venue, state)
    rest: list[CommandArray] = []
    for chunk in chunks(_before(reader, start, sequence, time, rest)):
        execute(engine, chunk)
    for commands in rest:  # part of one batch: its events stand among others, so they are not compared
        engine.apply_all(commands)
    return engine


def _before(
    reader: JournalReader, start: Position, sequence: int | None, time: int | None, rest: list[CommandArray]
) -> Iterator[Stretch]:
    """Batches wholly before the instant; the commands before it of the batch it falls into go to `rest`."""
    for stretch in reader.stretches(start):
        heads = stretch.heads
        late = np.zeros(len(heads), bool)
        if sequence is not None:
            late |= heads["command"] + heads["commands"] > sequence + 1
        if time is not None:
            late |= heads["timestamp"] > time
        if not late.any():
            yield stretch
            continue
        index = int(late.argmax())
        yield stretch.part(0, index)
        commands = stretch.batch(index).commands
        keep = np.ones(len(commands), bool)
        if sequence is not None:
            keep &= commands["sequence"] <= sequence
        if time is not None:
            keep &= commands["timestamp"] <= time
        # Timestamps never go back, so what is kept is a prefix.
        rest.append(commands[: int(keep.sum())].copy())
        return


def snapshot_before(
    reader: JournalReader, sequence: int | None = None, time: int | None = None
) -> tuple[Position, bytes | None]:
    """(where to go on, canonical state) of the newest durable snapshot at or before the instant, else the beginning.

    Segments are told apart by the header of their first batch; of their contents only the snapshot is read.
    """
    until = reader.watermark()
    headers = reader.segments()
    later = bisect_right(headers, False, key=lambda header: _is_later(reader, header, sequence, time))
    for header in reversed(headers[:later]):
        batch = first_batch(reader, head_of(header)) if header.first_batch <= until.batch else None
        state = snapshot_in(batch) if batch is not None else None
        if batch is not None and state is not None:
            return batch.after, state
    return reader.start(), None


def _is_later(reader: JournalReader, header: SegmentHeader, sequence: int | None, time: int | None) -> bool:
    """Whether all of a segment lies behind the instant. Its first batch begins where its header says."""
    if sequence is not None and header.first_command > sequence + 1:
        return True
    if time is None:
        return False
    head = reader.storage.read(segment_name(header.number), SECTOR, SECTOR)
    return not sound_header(head, 0, reader.uuid) or HEADER.unpack_from(head)[12] > time


def ls(source: Source) -> list[SegmentInfo]:
    """The journal's segments, checked batch by batch up to the watermark."""
    reader = JournalReader(source)
    headers = reader.segments()
    ends: dict[int, list[Batch]] = {header.number: [] for header in headers}
    counts = {header.number: [0, 0, 0] for header in headers}
    for stretch in reader.stretches():
        if stretch.segment in ends:  # a segment may be new since the headers were listed
            first = ends[stretch.segment][:1] or [stretch.batch(0)]
            ends[stretch.segment] = [*first, stretch.batch(len(stretch) - 1)]
            total = counts[stretch.segment]
            total[0] += len(stretch)
            total[1] += stretch.command_count
            total[2] += stretch.event_count
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
            row: dict[str, Any] = {"record": "note", "batch": batch.number, "kind": note.kind.name}
            if note.count:
                row["command"] = batch.first_command + note.index
            yield {**row, **_body(note.kind, note.body)}


def _body(kind: NoteKind, body: bytes) -> dict[str, Any]:
    if kind == NoteKind.MESSAGE:
        return _message(body)
    if kind in (NoteKind.TEXT, NoteKind.RECOVERY):
        return {"text": body.decode("utf-8", "replace")}
    if kind in (NoteKind.DIGEST, NoteKind.SEAL):
        return {"digest": body.hex()}
    return {"bytes": len(body)}


def _message(body: bytes) -> dict[str, Any]:
    """An administrative message as it was sent, its fields by name; its size where this release cannot read it."""
    try:
        return {"message": msgspec.to_builtins(decode(body))}
    except ValueError as error:
        return {"bytes": len(body), "unreadable": str(error)}


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
