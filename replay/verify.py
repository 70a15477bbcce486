"""Verification: a whole journal read, hashed, re-executed and compared, byte for byte.

Hashing runs ahead in a helper thread (hashlib lets others work meanwhile); this thread runs the engine and compares.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Final, TypeVar

import msgspec

from replay.chain import JournalScan
from replay.errors import JournalCorrupt
from replay.execute import Diverged, Implementation, chunks, execute, make_engine
from replay.reader import Source, read_genesis, read_watermark, storage_of
from replay.scan import Verdict as TailVerdict

Progress = Callable[[int, int], None]
"""(commands so far, bytes so far)."""
_AHEAD: Final = 8
_PROGRESS_SECONDS: Final = 0.1
_T = TypeVar("_T")


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
        if self.fault:
            lines.append(f"  {self.fault}")
        else:
            lines.append(f"  every event recomputed and compared byte for byte; state {self.digest}")
        if self.torn_bytes:
            lines.append(f"  behind the last batch: {self.torn_bytes:,} bytes of one that was never finished")
        return "\n".join(lines)


def verify(source: Source, implementation: Implementation = "kernel", progress: Progress | None = None) -> Verdict:
    """Check everything a journal says about itself, and recompute it from the genesis on.

    Args:
        implementation: `reference` is the independent auditor: other source code, same bytes, slow.
        progress: called about ten times a second.

    Raises:
        JournalMissing, NotAJournal, JournalUnreadable, NewerVersion, ForeignFile: there is nothing to verify.
    """
    began = time.perf_counter()
    storage = storage_of(source)
    genesis = read_genesis(storage)
    mark = read_watermark(storage, genesis.uuid)
    scan = JournalScan(storage, genesis, mark.batch if mark else 0)
    engine = make_engine(implementation, genesis.venue)
    commands = events = batches = size = sequence = 0
    result, fault, field, expected, actual = "intact", "", "", "", ""
    told = began
    try:
        with closing(_ahead(chunks(scan))) as pieces, _quick_switching():
            for chunk in pieces:
                execute(engine, chunk)
                batches += chunk.batches
                commands += len(chunk.commands)
                events += len(chunk.events)
                size += chunk.size
                if progress is not None and time.perf_counter() - told > _PROGRESS_SECONDS:
                    told = time.perf_counter()
                    progress(commands, size)
    except JournalCorrupt as error:
        result, fault, sequence = "corrupt", str(error), error.sequence
    except ValueError as error:
        result, fault, sequence = "corrupt", f"CORRUPT: a note cannot be read: {error}", commands + 1
    except Diverged as error:
        result, fault = "diverged", str(error)
        sequence, _, field, expected, actual = error.difference
    if progress is not None:
        progress(commands, size)
    return Verdict(
        where=storage.where,
        result=result,
        fault=fault,
        sequence=sequence,
        field=field,
        expected=expected,
        actual=actual,
        batches=batches,
        commands=commands,
        events=events,
        size=size,
        torn_bytes=scan.tail.size if scan.tail.verdict is TailVerdict.TORN else 0,
        digest=engine.digest().hex(),
        seconds=time.perf_counter() - began,
    )


def _ahead(items: Iterable[_T]) -> Generator[_T, None, None]:
    """`items`, computed in a helper thread a few ahead of their use. Errors come out here."""
    ready: queue.Queue[tuple[_T | None, BaseException | None]] = queue.Queue(_AHEAD)
    stopped = threading.Event()

    def run() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                ready.put((item, None))
                if stopped.is_set():
                    return
        except BaseException as caught:
            error = caught
        ready.put((None, error))

    helper = threading.Thread(target=run, name="journal-hash", daemon=True)
    helper.start()
    try:
        while True:
            item, error = ready.get()
            if error is not None:
                raise error
            if item is None:
                return
            yield item
    finally:
        stopped.set()
        while helper.is_alive():
            with suppress(queue.Empty):
                ready.get_nowait()
            helper.join(0.001)


@contextmanager
def _quick_switching() -> Iterator[None]:
    """Two busy threads would otherwise wait up to 5 ms for each other at every hash."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0002)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
