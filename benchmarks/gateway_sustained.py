"""A long run at one rate, with the journal's files rolling under it: the largest pause, and what it came from."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.environment import waited_ns
from benchmarks.floors import batch_bytes
from benchmarks.gateway_curves import figures, most_waiting
from benchmarks.gateway_load import LoadError
from benchmarks.gateway_plan import Case
from benchmarks.gateway_server import Running
from benchmarks.gateway_trips import Samples, sessions
from benchmarks.open_loop import Arrival, Outcome, Schedule, Sockets, Wire, drive
from replay import JournalReader

SAMPLE_NS: Final = 20_000_000
"""How often both processes are asked how long they waited for a processor."""
ROLLS: Final = 4
MOST_SEGMENT: Final = 64 << 20
LEAST_SEGMENT: Final = 1 << 20
BINS: Final = 600
GRACE: Final = 10.0
"""Seconds for the last answers."""
HALF: Final = 0.5
"""Share of a pause that something must cover to be named as its cause."""


class Pause(NamedTuple):
    """A stretch without any answer while a frame was due: nanoseconds of the run's clock."""

    begun: int
    ended: int

    @property
    def length(self) -> int:
        return self.ended - self.begun


class Commits(NamedTuple):
    """What the journal tells of the server's batches, in its own time: stamped, answered, whether a segment began."""

    stamped: NDArray[np.int64]
    sent: NDArray[np.int64]
    rolled: NDArray[np.bool_]


class Watched:
    """A wire that also notes, every 20 ms, how long server and sender have waited for a processor so far."""

    def __init__(self, wire: Wire, pids: tuple[int, int]) -> None:
        self._wire = wire
        self._pids = pids
        self._next = 0
        self.notes: list[tuple[int, int, int]] = []
        """(moment, server's wait, sender's wait), ns."""

    def now(self) -> int:
        return self._wire.now()

    def send(self, channel: int) -> None:
        self._wire.send(channel)

    def arrivals(self, wait: int) -> Iterator[Arrival]:
        now = self._wire.now()
        if now >= self._next:
            self._next = now + SAMPLE_NS
            self.notes.append((now, waited_ns(self._pids[0]), waited_ns(self._pids[1])))
        yield from self._wire.arrivals(wait)


def segment_bytes(case: Case, rate: float, seconds: float) -> int:
    """A segment's size for which the run rolls at least four times, within 1 to 64 MiB.

    Only a bound: frames that arrive together share a batch and its padding.
    """
    written = rate * seconds / case.batch * batch_bytes(case.batch, case.flow) / 4
    size = MOST_SEGMENT
    while size > LEAST_SEGMENT and size * ROLLS > written:
        size //= 2
    return size


def sustained(
    running: Running, case: Case, rate: float, seconds: float, own_pid: int, samples: Samples
) -> dict[str, Any]:
    """Drive `rate` commands a second for `seconds`; JSON-ready. `samples` takes the distribution. Raises LoadError."""
    with sessions(running, case) as (opened, maker):
        wire = Watched(Sockets(opened, maker), (running.pid, own_pid))
        ahead = time.monotonic_ns() - time.perf_counter_ns()
        most = most_waiting(case, opened[0].credit)
        schedule = Schedule.at_rate(rate, seconds, case.firms, case.batch, GRACE, most)
        outcome = drive(wire, schedule)
        if maker is not None and not outcome.overrun:
            maker.expect(schedule.count * case.batch)
    samples[f"{case.label} sustained"] = outcome.latency
    commits = read_commits(running.journal, outcome.begun + ahead)
    pause = largest_pause(outcome)
    rolls = np.flatnonzero(commits.rolled)
    return {
        "case": case.label,
        "seconds": seconds,
        **figures(outcome),
        "segment_rolls": len(rolls),
        "roll_at_seconds": [round(int(commits.stamped[at]) / 1e9, 3) for at in rolls],
        "roll_commit_ms": [round(int(commits.sent[at] - commits.stamped[at]) / 1e6, 2) for at in rolls],
        "largest_pause": explain(pause, outcome, commits, wire.notes),
        "timeline": timeline(outcome),
    }


def read_commits(journal: Path, begun: int) -> Commits:
    """The batches since `begun` (CLOCK_MONOTONIC ns), as ns from it. Raises LoadError without a clock's anchor."""
    reader = JournalReader(journal)
    stamped: list[int] = []
    sent: list[int] = []
    rolled: list[bool] = []
    segment, offset = 1, None
    for batch in reader.batches():
        if offset is None:
            for command in batch.commands:
                if command["expiry"]:  # CLOCK_ANCHOR: journal time and the monotonic time it stands for
                    offset = int(command["target"]) - int(command["expiry"]) + begun
                    break
            else:
                continue
        if stamped and batch.previous_sent:
            sent[-1] = batch.previous_sent - offset
        stamped.append(batch.timestamp - offset)
        sent.append(stamped[-1])
        rolled.append(batch.segment != segment)
        segment = batch.segment
    if offset is None:
        raise LoadError("the journal names no anchor of its clock")
    arrays = np.array(stamped, np.int64), np.array(sent, np.int64), np.array(rolled, bool)
    wanted = arrays[1] >= 0
    return Commits(*(array[wanted] for array in arrays))  # type: ignore[arg-type]


def largest_pause(outcome: Outcome) -> Pause:
    """The longest stretch without an answer in which some frame was due; ns from the first due moment."""
    at = outcome.answered_at
    if not len(at):
        return Pause(0, 0)
    due = at - outcome.latency[: len(at)]
    oldest = np.minimum.accumulate(due[::-1])[::-1]
    begun = np.maximum(np.concatenate([[0], at[:-1]]), oldest)
    longest = int(np.argmax(at - begun))
    return Pause(int(begun[longest]), int(at[longest]))


def explain(pause: Pause, outcome: Outcome, commits: Commits, notes: list[tuple[int, int, int]]) -> dict[str, Any]:
    """How much of a pause each suspect covers, in ms, and the one that covers most of it, if it covers half."""
    overlap = np.minimum(commits.sent, pause.ended) - np.maximum(commits.stamped, pause.begun)
    overlap = np.maximum(0, overlap)
    rolling = int(overlap[commits.rolled].sum())
    server, sender = _waits(pause, outcome.begun, notes)
    shares = {
        "a segment of the journal began": rolling,
        "the server carried out a batch: engine, write, sync of the disk": int(overlap.sum()) - rolling,
        "the server waited for a processor": server,
        "the sender waited for a processor": sender,
        "the sender was late": _late(pause, outcome),
    }
    told = {name: value for name, value in shares.items() if value >= 0}
    # Who waits for a processor also looks busy, so that is the better explanation of the two.
    order = sorted(told, key=lambda name: ("processor" not in name, -told[name]))
    cause = next((name for name in order if pause.length and told[name] >= HALF * pause.length), "not known")
    return {
        "ms": round(pause.length / 1e6, 2),
        "at_seconds": round(pause.begun / 1e9, 3),
        "cause": cause,
        "evidence_ms": {name: round(value / 1e6, 2) for name, value in told.items()},
    }


def _waits(pause: Pause, begun: int, notes: list[tuple[int, int, int]]) -> tuple[int, int]:
    """(server, sender): ns spent waiting for a processor between the notes around the pause; -1 when not told."""
    moments = [moment - begun for moment, _, _ in notes]
    first = max((n for n, moment in enumerate(moments) if moment <= pause.begun), default=0)
    last = min((n for n, moment in enumerate(moments) if moment >= pause.ended), default=len(notes) - 1)
    if first >= last or min(notes[first][1:] + notes[last][1:]) < 0:
        return -1, -1
    return min(pause.length, notes[last][1] - notes[first][1]), min(pause.length, notes[last][2] - notes[first][2])


def _late(pause: Pause, outcome: Outcome) -> int:
    """The most by which a frame due during the pause was sent late."""
    interval = outcome.schedule.interval
    first, last = int(pause.begun / interval), int(pause.ended / interval) + 1
    late = outcome.late[first:last]
    return min(pause.length, int(late.max())) if len(late) else 0


def timeline(outcome: Outcome) -> list[list[float]]:
    """[second, median, maximum] of the latencies in µs, in at most 600 equal parts of the run."""
    at, latency = outcome.answered_at, outcome.latency[: len(outcome.answered_at)]
    if not len(at):
        return []
    width = max(100_000_000, int(at[-1]) // BINS + 1)
    found = []
    for part in range(int(at[-1]) // width + 1):
        inside = latency[np.searchsorted(at, part * width) : np.searchsorted(at, (part + 1) * width)]
        if len(inside):
            found.append([part * width / 1e9, float(np.median(inside)) / 1_000, int(inside.max()) / 1_000])
    return found
