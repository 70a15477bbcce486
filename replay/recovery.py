"""Starting again: read the whole journal, judge its end, re-execute it, and hand over an engine and a writer.

Nothing is repaired in place. The last segment is always written anew as a clean copy, synced, and renamed over the old
one: after a failed sync the page cache shows bytes that the disk does not have, and a restart could not tell.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import msgspec
import numpy as np

from engine.core import Engine
from engine.schema import EVENT
from engine.schema import commands as new_commands
from engine.venue import VenueError
from replay.chain import JournalScan, newest_snapshot, snapshot_in
from replay.errors import JournalCorrupt, JournalFailure, JournalFull
from replay.execute import Implementation, chunks, execute, make_engine, notes_of
from replay.format import (
    GENESIS_NAME,
    WATERMARK_NAME,
    FrameEncoder,
    Genesis,
    Note,
    NoteKind,
    Position,
    pack_notes,
    pack_watermark,
    segment_name,
)
from replay.next_segment import zero_fill
from replay.reader import JournalReader, Source, read_genesis, read_watermark, storage_of
from replay.scan import Verdict
from replay.storage import NO_SPACE, SECTOR, Storage
from replay.stretch import Stretch
from replay.writer import PREPARE_STEP, Clock, JournalWriter

_COPY_STEP: Final = 1 << 20
Observer = Callable[[Stretch], None]
"""Is shown all batches in order, each once."""


class Report(msgspec.Struct, frozen=True):
    """What a recovery found and did; printable, and JSON through msgspec."""

    where: str
    batches: int
    commands: int
    events: int
    segments: int
    replayed_from_batch: int
    """Batches before it were checked by their hashes; the engine started from the snapshot there (or from batch 1)."""
    torn_bytes: int
    torn_file: str
    digest: str
    """SHA-256 of the canonical state, hex."""
    last_timestamp: int
    """Journal time of the last command, ns."""
    seconds: float

    def __str__(self) -> str:
        lines = [
            f"Recovered {self.where} in {self.seconds:.2f} s",
            f"  {self.batches:,} batches, {self.commands:,} commands, {self.events:,} events, {self.segments} segments",
            f"  replayed from batch {self.replayed_from_batch:,}, every event compared; all batches checked",
            f"  state {self.digest}",
        ]
        if self.torn_bytes:
            lines.append(
                f"  dropped one unfinished batch that nobody was told of ({self.torn_bytes:,} bytes): {self.torn_file}"
            )
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Recovered:
    """The exchange as it stood behind the last good batch, ready to go on."""

    engine: Engine
    writer: JournalWriter
    report: Report


def recover(
    source: Source,
    implementation: Implementation = "kernel",
    *,
    from_snapshot: bool = True,
    observe: Observer | None = None,
    prepare_step: int = PREPARE_STEP,
    clock: Clock = time.time_ns,
) -> Recovered:
    """Open a journal for writing after any kind of stop.

    Every batch's checksum, hash and place in the chain is checked. The engine starts from the newest segment-head
    snapshot (or from the beginning), re-executes every command behind it and compares every event byte for byte.
    Safe to interrupt at any moment and to repeat.

    Args:
        observe: is shown the whole journal, from its first batch on, in the same pass: `Stretch.commands`, `.events`,
            `.batches()`, `.noted()`, `.size`. Hashes are checked by then, events not yet compared.

    Raises:
        JournalMissing, NotAJournal, JournalUnreadable, NewerVersion, ForeignFile: wrong folder or file.
        JournalLocked: another process writes it.
        JournalCorrupt, AcknowledgedLost, JournalDiverged: nothing was changed; see `replay.errors`.
        JournalFull: the clean copy of the last segment has no room.
        JournalFailure: the disk refused; nothing was lost.
    """
    storage = storage_of(source)
    genesis = read_genesis(storage)
    storage.lock()
    try:
        return _recover(storage, genesis, implementation, from_snapshot, observe, prepare_step, clock)
    except OSError as error:
        storage.unlock()
        if error.errno in NO_SPACE:
            raise JournalFull(
                f"{storage.where}: no room for the clean copy of the last segment; free"
                f" {genesis.segment_bytes >> 10} KiB and start again: nothing was changed"
            ) from error
        raise JournalFailure(
            f"{storage.where}: recovery was stopped by the disk ({error.strerror}); check it and start again:"
            " nothing was changed"
        ) from error
    except BaseException:
        storage.unlock()
        raise


def _recover(
    storage: Storage,
    genesis: Genesis,
    implementation: Implementation,
    from_snapshot: bool,
    observe: Observer | None,
    step: int,
    clock: Clock,
) -> Recovered:
    began = time.perf_counter()
    _check_venue(genesis)
    mark = read_watermark(storage, genesis.uuid)
    scan = JournalScan(storage, genesis, mark.batch if mark else 0)
    snapshot = newest_snapshot(JournalReader(storage)) if from_snapshot else None
    start = snapshot[0] if snapshot else 1
    engine = _replay(scan, genesis, implementation, start if snapshot else 0, observe)
    position, torn_file = _rewrite_last_segment(storage, genesis, scan, clock)
    if mark is None or mark.batch == 0:
        # Nothing was acknowledged yet as far as we know. Had the creation's last directory sync failed, the genesis
        # would be visible and yet not durable.
        storage.write_file(GENESIS_NAME, genesis.pack())
    if mark is None:
        storage.write_file(WATERMARK_NAME, pack_watermark(genesis.uuid, 0, 0, 0, 1, SECTOR))
    writer = JournalWriter(storage, genesis, position, scan.size, prepare_step=step, clock=clock)
    writer.mark_durable()
    report = Report(
        where=storage.where,
        batches=position.batch - 1,
        commands=position.command - 1,
        events=position.event - 1,
        segments=scan.segments,
        replayed_from_batch=start,
        torn_bytes=scan.tail.size,
        torn_file=torn_file,
        digest=engine.digest().hex(),
        last_timestamp=position.timestamp,
        seconds=time.perf_counter() - began,
    )
    return Recovered(engine, writer, report)


def _check_venue(genesis: Genesis) -> None:
    try:
        _ = genesis.venue
    except VenueError as error:
        raise JournalCorrupt(f"the venue in the genesis cannot be used: {error}", file="genesis") from None


def _replay(
    scan: JournalScan, genesis: Genesis, implementation: Implementation, snapshot: int, observe: Observer | None
) -> Engine:
    """Walk everything; execute what stands behind batch `snapshot` (0 = everything, on a new venue)."""
    stretches = _shown(scan, observe)
    state, rest = None, []
    for stretch in stretches if snapshot else ():
        index = snapshot - stretch.first_batch
        if index < len(stretch):
            batch = stretch.batch(index)
            notes_of(batch)
            state = snapshot_in(batch)
            rest.append(stretch.part(index + 1, len(stretch)))
            break
    engine = make_engine(implementation, genesis.venue, state)
    for chunk in chunks(chain(rest, stretches)):
        execute(engine, chunk)
    return engine


def _shown(scan: JournalScan, observe: Observer | None) -> Iterator[Stretch]:
    for stretch in scan:
        if observe is not None:
            observe(stretch)
        yield stretch


def _rewrite_last_segment(storage: Storage, genesis: Genesis, scan: JournalScan, clock: Clock) -> tuple[Position, str]:
    """A clean copy takes the last segment's place, with a RECOVERY note where a torn batch was. Returns the new end."""
    at, torn_file = scan.position, ""
    name = segment_name(at.segment)
    good = at.offset
    frame = memoryview(b"")
    if scan.tail.verdict is Verdict.TORN:
        torn = storage.read(name, at.offset, scan.tail.size)
        digest = hashlib.sha256(torn).hexdigest()
        torn_file = f"{name}.batch-{at.batch}.{digest[:16]}.torn"
        storage.write_file(torn_file, torn)
        told = {"dropped": "torn batch", "batch": at.batch, "file": torn_file, "sha256": digest, "at": clock()}
        frame, at = _recovery_frame(genesis, at, told)
    for leftover in storage.listdir():
        if leftover.endswith(".tmp"):
            storage.unlink(leftover)
    temporary = f"{name}.tmp"
    handle = storage.open(temporary, create=True)
    try:
        for start in range(0, good, _COPY_STEP):
            storage.write_all(handle, storage.read(name, start, min(_COPY_STEP, good - start)), start)
        if frame:
            storage.write_all(handle, frame, good)
        zero_fill(storage, handle, at.offset, scan.size)
        storage.fdatasync(handle)
    finally:
        storage.close(handle)
    storage.rename(temporary, name)
    storage.fsync_directory()
    return at, torn_file


def _recovery_frame(genesis: Genesis, at: Position, told: dict[str, Any]) -> tuple[memoryview, Position]:
    commands = new_commands(0)
    notes = pack_notes([Note(NoteKind.RECOVERY, json.dumps(told).encode())], commands)
    encoder = FrameEncoder(genesis.uuid)
    frame, chain = encoder.encode(at, commands, np.zeros(0, EVENT), notes, 1, at.timestamp)
    return frame, at._replace(offset=at.offset + len(frame), batch=at.batch + 1, chain=chain)
