"""Verification: a whole journal read, hashed, re-executed and compared, byte for byte.

Other threads read, check and hash ahead (`stretch.Crew`); this one runs the engine and compares, and helps them when
it would wait.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from itertools import chain, pairwise
from multiprocessing import get_context
from typing import Final, NamedTuple

import msgspec

from engine.core import Engine
from replay.chain import JournalScan, first_batch, snapshot_in
from replay.errors import JournalCorrupt, JournalError
from replay.execute import Chunk, Difference, Diverged, Implementation, chunks, execute, make_engine, notes_of
from replay.format import Genesis, Position, SegmentHeader, segment_name
from replay.reader import JournalReader, Source, head_of, read_genesis, read_watermark, storage_of
from replay.release import release
from replay.scan import Verdict as TailVerdict
from replay.storage import RealStorage, Storage
from replay.stretch import Stretch, processors

Progress = Callable[[int, int], None]
"""(commands so far, bytes so far)."""
_PROGRESS_SECONDS: Final = 0.1
_NO_DIFFERENCE: Final = Difference(0, 0, "", "", "")


class Verdict(msgspec.Struct, frozen=True):
    """What a verification found; printable, and JSON through msgspec."""

    where: str
    result: str
    """`intact`, `corrupt` or `diverged`."""
    fault: str
    """Empty, or the first fault in full."""
    sequence: int
    """Of the first event that differs, or the first command at risk; 0 = none."""
    field: str
    expected: str
    """The journal's value."""
    actual: str
    """Replay's value."""
    batches: int
    commands: int
    events: int
    size: int
    """Bytes of all batches."""
    torn_bytes: int
    """Of an unfinished last batch that nobody was told of; the next start drops it. Also seen while a writer runs."""
    digest: str
    seconds: float

    @property
    def ok(self) -> bool:
        return self.result == "intact"

    @property
    def exit_code(self) -> int:
        """0 intact, 3 corrupt, 4 diverged."""
        return {"intact": 0, "corrupt": 3}.get(self.result, 4)

    def __str__(self) -> str:
        rate = self.commands / self.seconds if self.seconds else 0
        lines = [
            f"{self.where}: {self.result.upper()}",
            f"  {self.batches:,} batches, {self.commands:,} commands, {self.events:,} events, {self.size:,} bytes"
            f" in {self.seconds:.2f} s ({rate:,.0f} commands/s)",
        ]
        if self.commands:
            lines.append(
                f"  {self.size / self.commands:,.1f} bytes a command, its events, headers and padding included"
            )
        if self.fault:
            lines.append(f"  {self.fault}")
        else:
            lines.append(f"  every event recomputed and compared byte for byte; state {self.digest}")
        if self.torn_bytes:
            lines.append(f"  behind the last batch: {self.torn_bytes:,} bytes of one that was never finished")
        return "\n".join(lines)


def verify(
    source: Source, implementation: Implementation = "kernel", progress: Progress | None = None, jobs: int = 1
) -> Verdict:
    """Check everything a journal says about itself, and recompute it from the genesis on.

    Args:
        implementation: `reference` is the independent auditor: other source code, same bytes, slow.
        progress: called about ten times a second; with several jobs, after each part.
        jobs: processes. Each takes the segments from one snapshot to the next; the state at the end of a part must be
            that snapshot. With one, or without snapshots, this process does it all.

    Raises:
        JournalMissing, NotAJournal, JournalUnreadable, NewerVersion, ForeignFile: there is nothing to verify.
    """
    began = time.perf_counter()
    storage = storage_of(source)
    genesis = read_genesis(storage)
    parts = _parts(storage) if jobs > 1 and isinstance(storage, RealStorage) else []
    if len(parts) > 1 and isinstance(storage, RealStorage):
        found = _in_processes(storage, parts, implementation, progress, min(jobs, len(parts)))
    else:
        found = _run(storage, genesis, implementation, progress)[0]
    return msgspec.structs.replace(found, seconds=time.perf_counter() - began)


class _Outcome(NamedTuple):
    """One part, and what its neighbours must fit to."""

    verdict: Verdict
    beginning: Position
    end: Position
    snapshot: str
    """SHA-256 of the snapshot that it began from, hex; empty at the genesis."""


def _run(
    storage: Storage,
    genesis: Genesis,
    implementation: Implementation,
    progress: Progress | None,
    first: int = 1,
    last: int | None = None,
    helpers: int | None = None,
) -> _Outcome:
    """Segments `first` to `last` (None = to the end), from the genesis or the snapshot at the head of `first`."""
    mark = read_watermark(storage, genesis.uuid)
    scan = JournalScan(storage, genesis, mark.batch if mark else 0, first=first, last=last, helpers=helpers)
    sums = _Sums(progress)
    result, fault, difference, digest, snapshot = "intact", "", _NO_DIFFERENCE, None, ""
    engine: Engine | None = None
    try:
        with closing(iter(scan)) as stretches:
            rest, state = _beginning(scan, stretches, sums) if first > 1 else ([], None)
            snapshot = hashlib.sha256(state).hexdigest() if state is not None else ""
            engine = make_engine(implementation, genesis.venue, state)
            for chunk in chunks(chain(rest, stretches)):
                digest = execute(engine, chunk)
                sums.add(chunk)
    except JournalCorrupt as error:
        result, fault = "corrupt", str(error)
        difference = _NO_DIFFERENCE._replace(sequence=error.sequence)
    except Diverged as error:
        result, fault, difference, digest = "diverged", f"{error}{_releases(scan.release)}", error.difference, None
    sums.tell()
    if engine is not None and digest is None:
        digest = engine.digest()
    verdict = Verdict(
        where=storage.where,
        result=result,
        fault=fault,
        sequence=difference.sequence,
        field=difference.field,
        expected=difference.journaled,
        actual=difference.replayed,
        batches=sums.batches,
        commands=sums.commands,
        events=sums.events,
        size=sums.size,
        torn_bytes=scan.tail.size if scan.tail.verdict is TailVerdict.TORN else 0,
        digest=digest.hex() if digest else "",
        seconds=0.0,
    )
    return _Outcome(verdict, scan.beginning, scan.position, snapshot)


def _beginning(scan: JournalScan, stretches: Iterator[Stretch], sums: _Sums) -> tuple[list[Stretch], bytes | None]:
    """What was read together with the snapshot in the first batch, and that snapshot."""
    for stretch in stretches:
        batch = stretch.batch(0)
        notes_of(batch)
        state = snapshot_in(batch)
        if state is not None:
            sums.batches, sums.size = 1, batch.total
            return [stretch.part(1, len(stretch))], state
    at = scan.beginning
    raise JournalCorrupt(
        "the snapshot is gone", file=segment_name(at.segment), offset=at.offset, batch=at.batch, sequence=at.command
    )


def _releases(journal: str) -> str:
    """For a divergence: which release wrote these bytes, when it is another one."""
    return f" (written by {journal}; this is {release()})" if journal and journal != release() else ""


class _Sums:
    """Counts of what was compared, told to `progress` now and then."""

    def __init__(self, progress: Progress | None) -> None:
        self.batches = self.commands = self.events = self.size = 0
        self._progress = progress
        self._told = time.perf_counter()

    def add(self, chunk: Chunk) -> None:
        self.batches += chunk.batches
        self.commands += len(chunk.commands)
        self.events += len(chunk.events)
        self.size += chunk.size
        if self._progress is not None and time.perf_counter() - self._told > _PROGRESS_SECONDS:
            self.tell()

    def tell(self) -> None:
        if self._progress is not None:
            self._told = time.perf_counter()
            self._progress(self.commands, self.size)


def _parts(storage: Storage) -> list[tuple[int, int | None]]:
    """(first, last) segment from each snapshot to the next; one part when segments cannot be told apart."""
    try:
        reader = JournalReader(storage)
        heads = [1] + [h.number for h in reader.segments()[1:] if _has_snapshot(reader, h)]
    except JournalError:
        return []  # whoever reads on from the beginning says what is wrong
    return list(zip(heads, [*(number - 1 for number in heads[1:]), None], strict=True))


def _has_snapshot(reader: JournalReader, header: SegmentHeader) -> bool:
    batch = first_batch(reader, head_of(header))
    return batch is not None and snapshot_in(batch) is not None


def _in_processes(
    storage: RealStorage,
    parts: list[tuple[int, int | None]],
    implementation: Implementation,
    progress: Progress | None,
    jobs: int,
) -> Verdict:
    """All parts, each in a process; the first fault in the journal's order counts, wherever it was found first."""
    helpers = max(0, processors() // jobs - 1)
    done_commands = done_size = 0
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        futures = [pool.submit(_run_path, storage.where, implementation, *part, helpers) for part in parts]
        for future in as_completed(futures):
            verdict = future.result().verdict
            done_commands, done_size = done_commands + verdict.commands, done_size + verdict.size
            if progress is not None:
                progress(done_commands, done_size)
        return _joined([future.result() for future in futures])


def _run_path(
    path: str, implementation: Implementation, first: int, last: int | None, helpers: int
) -> _Outcome:  # runs in a process of its own
    storage = RealStorage(path)
    return _run(storage, read_genesis(storage), implementation, None, first, last, helpers)


def _joined(outcomes: list[_Outcome]) -> Verdict:
    """One verdict over parts that fit together, or the first fault."""
    total = outcomes[0].verdict
    for before, part in pairwise(outcomes):
        if not total.ok:
            return total
        at, to = before.end, part.beginning
        if (at.batch, at.command, at.event, at.chain) != (to.batch, to.command, to.event, to.chain):
            name = segment_name(to.segment)
            error = JournalCorrupt(
                f"{name} does not continue the segment before it", file=name, batch=at.batch, sequence=at.command
            )
            return msgspec.structs.replace(total, result="corrupt", fault=str(error), sequence=at.command)
        found = part.verdict
        if part.snapshot and part.snapshot != before.verdict.digest:
            gap = Difference(0, at.command - 1, "digest of the state", part.snapshot, before.verdict.digest)
            return msgspec.structs.replace(
                total,
                result="diverged",
                fault=str(Diverged(gap)),
                field=gap.field,
                expected=gap.journaled,
                actual=gap.replayed,
            )
        total = msgspec.structs.replace(
            found,
            batches=total.batches + found.batches,
            commands=total.commands + found.commands,
            events=total.events + found.events,
            size=total.size + found.size,
        )
    return total
