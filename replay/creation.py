"""A new journal. The genesis is written last: with it the journal exists, without it nothing was ever acknowledged."""

from __future__ import annotations

import os
import time
from uuid import uuid4

from engine.venue import Venue
from replay.errors import JournalExists, JournalFailure, NotAJournal
from replay.format import (
    GENESIS_NAME,
    PREPARED_NAME,
    SEGMENT_BYTES,
    WATERMARK_NAME,
    Durability,
    Genesis,
    Position,
    pack_watermark,
    segment_name,
    segment_numbers,
)
from replay.next_segment import zero_fill
from replay.storage import LOCK_NAME, SECTOR, RealStorage, Storage
from replay.writer import PREPARE_STEP, Clock, JournalWriter, write_segment_header


def create(
    source: str | os.PathLike[str] | Storage,
    venue: Venue,
    durability: Durability = "sync",
    *,
    segment_bytes: int = SEGMENT_BYTES,
    prepare_step: int = PREPARE_STEP,
    clock: Clock = time.time_ns,
    uuid: bytes | None = None,
) -> JournalWriter:
    """Create a journal in a folder that is new, empty, or holds only the remains of an unfinished creation.

    Args:
        durability: `async` leaves out the sync of each batch: a power cut then loses acknowledged batches.
        segment_bytes: a multiple of 512.

    Raises:
        JournalExists, JournalLocked, JournalUnreadable, NotAJournal (foreign files), JournalFailure.
    """
    if segment_bytes % SECTOR or segment_bytes < 2 * SECTOR:
        raise ValueError("segment_bytes must be a multiple of 512 and at least 1024")
    storage = source if isinstance(source, Storage) else RealStorage(source)
    if isinstance(storage, RealStorage):
        storage.make_directory()
    refuse_occupied(storage)
    storage.lock()
    try:
        refuse_occupied(storage)
        genesis = Genesis(venue.to_json(), uuid or uuid4().bytes, clock(), durability, segment_bytes)
        at = Position(1, SECTOR, 1, 1, 1, genesis.chain)
        _write_first_files(storage, genesis, at, prepare_step)
        return JournalWriter(storage, genesis, at, segment_bytes, prepare_step=prepare_step, clock=clock)
    except OSError as error:
        storage.unlock()
        raise JournalFailure(
            f"{storage.where}: creating the journal failed ({error.strerror}); free space or check the disk, then retry"
        ) from error
    except BaseException:
        storage.unlock()
        raise


def refuse_occupied(storage: Storage) -> None:
    """Only a folder that is empty, or holds what an unfinished creation left, may become a journal.

    Raises JournalExists, NotAJournal.
    """
    names = storage.listdir()
    if GENESIS_NAME in names:
        raise JournalExists(f"{storage.where}: holds a journal already; recover it, or name another folder")
    # The genesis is written last, so without it nothing was ever acknowledged, unless somebody removed it.
    ours = {LOCK_NAME, WATERMARK_NAME, segment_name(1), PREPARED_NAME}
    ours |= {f"{name}.tmp" for name in (GENESIS_NAME, WATERMARK_NAME, segment_name(1))}
    foreign = [name for name in names if name not in ours]
    if foreign or _has_batches(storage):
        what = foreign[0] if foreign else f"{segment_name(1)} with batches but no {GENESIS_NAME}"
        raise NotAJournal(f"{storage.where}: is not empty ({what}); name an empty folder, or restore {GENESIS_NAME}")


def _has_batches(storage: Storage) -> bool:
    return 1 in segment_numbers(storage.listdir()) and any(storage.read(segment_name(1), SECTOR))


def _write_first_files(storage: Storage, genesis: Genesis, at: Position, step: int) -> None:
    handle = storage.open(PREPARED_NAME, create=True)
    try:
        zero_fill(storage, handle, 0, genesis.segment_bytes, step)
        write_segment_header(storage, handle, genesis.uuid, at, genesis.segment_bytes, genesis.created)
    finally:
        storage.close(handle)
    storage.rename(PREPARED_NAME, segment_name(1))
    storage.write_file(WATERMARK_NAME, pack_watermark(genesis.uuid, 0, 0, 0, 1, SECTOR))
    storage.write_file(GENESIS_NAME, genesis.pack())
