"""The journal alone: appending, verifying, recovering, by durability and batch size, and how it grows.

The commands are a random walk of the bare book and the events the engine's own, so the bytes are those of a venue. All
is in one process: what is measured is `JournalWriter.append`, the scan behind `carbonbook journal verify`, the
recomputation behind `carbonbook replay verify`, and the recovery that every start of a server does.
"""

from __future__ import annotations

import gc
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from benchmarks import floors
from benchmarks.environment import environment, load_average
from benchmarks.percentiles import summary
from benchmarks.workloads import random_walk
from engine.core import Engine, ImplementationName
from engine.schema import CommandArray, EventArray
from engine.venue import Venue
from replay import Durability, JournalReader, create, recover, verify
from replay.chain import JournalScan
from replay.reader import read_genesis, read_watermark, storage_of

FORMAT: Final = 1
Say = Callable[[str], None]


class CheckError(Exception):
    """The journal is not what was written: the figures are worth nothing."""


@dataclass(frozen=True)
class Plan:
    """How much to measure."""

    durabilities: tuple[Durability, ...] = ("sync", "async")
    batches: tuple[int, ...] = (1, 16, 64, 256, 1024)
    """Commands a batch."""
    appends: int = 2_000
    """Timed appends of one figure, in at most `rounds` rounds; fewer where that would be over `most_commands`."""
    most_commands: int = 500_000
    rounds: int = 5
    verify_commands: int = 100_000
    """In each journal that is verified and recovered, by batch size."""
    sizes: tuple[int, ...] = (50_000, 200_000, 800_000)
    """Commands in journals of different length."""
    growth_batch: int = 64
    runs: int = 3
    """Times that a verification and a recovery are timed; the median counts."""
    resting: int = 1_000
    seed: int = 7
    implementation: ImplementationName = "kernel"

    @property
    def longest(self) -> int:
        return max(*self.sizes, self.verify_commands, *(self.count(batch) * batch for batch in self.batches))

    def count(self, batch: int) -> int:
        """Appends of one round."""
        return max(1, min(self.appends, self.most_commands // batch) // self.rounds)


QUICK: Final = Plan(
    appends=300, rounds=2, verify_commands=20_000, sizes=(10_000, 40_000, 160_000), runs=1, most_commands=60_000
)


class Records(NamedTuple):
    """A workload's commands with their events, cut where a batch may begin. The first `opening` ones fill the book."""

    venue: Venue
    commands: CommandArray
    events: EventArray
    edges: list[int]
    """Where each command's events begin, and the end."""
    opening: int

    def batches(self, first: int, last: int, size: int) -> Iterator[tuple[CommandArray, EventArray]]:
        """Commands `first` to `last`, the latter not included, with their events, `size` commands at a time."""
        for begin in range(first, last, size):
            end = min(begin + size, last)
            yield self.commands[begin:end], self.events[self.edges[begin] : self.edges[end]]


def records(plan: Plan) -> Records:
    """The workload, carried out once."""
    work = random_walk(plan.longest, plan.resting, seed=plan.seed, implementation=plan.implementation)
    engine = Engine(work.venue, plan.implementation)
    commands = np.concatenate((work.prepare, work.flow))
    events = np.concatenate(
        [engine.apply_all(part).copy() for part in np.split(commands, range(1_024, len(commands), 1_024))]
    )
    edges = np.searchsorted(events["command_sequence"], commands["sequence"])
    return Records(work.venue, commands, events, [*edges.tolist(), len(events)], len(work.prepare))


def measure(plan: Plan, folder: Path | None = None, say: Say = lambda _: None) -> dict[str, Any]:
    """Everything, as one JSON-ready dictionary.

    Args:
        folder: where journals are made (and removed); default the system's folder for temporary files.
        say: told what is going on.

    Raises:
        CheckError: a journal did not verify, or recovered to another state than the engine's.
    """
    load, began = load_average(), time.perf_counter()
    place = Path(tempfile.mkdtemp(prefix="cb", dir=folder))
    try:
        say("write the flow (the first start of all compiles the kernel)")
        made = records(plan)
        appended = _append_figures(plan, made, place, say)
        verified, growth = {}, {}
        for batch in plan.batches:
            say(f"verify and recover, {batch} commands a batch")
            verified[str(batch)] = check(plan, made, plan.verify_commands, batch, place)
        for size in plan.sizes:
            say(f"verify and recover, {size:,} commands")
            growth[str(size)] = check(plan, made, size, plan.growth_batch, place)
        _compare_growth(growth)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return {
        "format": FORMAT,
        "benchmark": "journal",
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - began, 1),
        "plan": asdict(plan),
        "environment": environment(),
        "load_average": {"before": load, "after": load_average()},
        "append": appended,
        "verify": verified,
        "growth": growth,
    }


def _append_figures(plan: Plan, made: Records, place: Path, say: Say) -> dict[str, Any]:
    """Rates and latencies of `append`, beside a bare write (and sync) of as many bytes; by turns, round by round."""
    taken: dict[tuple[Durability, int], list[list[int]]] = {}
    bare: dict[tuple[Durability, int], list[list[int]]] = {}
    sizes: dict[int, float] = {}
    for number in range(plan.rounds):
        for durability in plan.durabilities:
            for batch in plan.batches:
                say(f"append, round {number + 1} of {plan.rounds}: {durability}, {batch} commands a batch")
                times, written = append(made, durability, batch, plan.count(batch), place)
                taken.setdefault((durability, batch), []).append(times)
                sizes[batch] = written / len(times)
                size = round(written / len(times))
                bare.setdefault((durability, batch), []).append(
                    floors.sync(place, plan.count(batch), size, durability == "sync")
                )
    return {
        f"{durability} {batch}": _appended(rounds, bare[durability, batch], batch, sizes[batch])
        for (durability, batch), rounds in taken.items()
    }


def _appended(rounds: list[list[int]], bare: list[list[int]], batch: int, size: float) -> dict[str, Any]:
    rates = [batch * len(times) * 1e9 / sum(times) for times in rounds]
    ratios = [summary(own)["p50"] / summary(floor)["p50"] for own, floor in zip(rounds, bare, strict=True)]
    return {
        "commands_per_second": round(statistics.median(rates)),
        "commands_per_second_rounds": [round(rate) for rate in rates],
        **summary(np.concatenate(rounds)),
        "bytes_per_command": round(size / batch, 1),
        "floor": round(statistics.median(summary(floor)["p50"] for floor in bare), 1),
        "ratio": round(statistics.median(ratios), 2),
    }


def append(made: Records, durability: Durability, batch: int, count: int, place: Path) -> tuple[list[int], int]:
    """(ns of each of `count` appends, bytes of their batches) on a new journal, which is removed."""
    path = place / "append"
    first = made.opening
    batches = list(made.batches(first, first + count * batch, batch))
    taken = []
    with create(path, made.venue, durability) as writer:
        for commands, events in made.batches(0, first, 1_024):
            writer.append(commands, events)
        gc.collect()
        gc.disable()
        try:
            for commands, events in batches:
                begun = time.perf_counter_ns()
                writer.append(commands, events)
                taken.append(time.perf_counter_ns() - begun)
        finally:
            gc.enable()
    written = sum(each.total for each in JournalReader(path).batches() if each.first_command > first)
    shutil.rmtree(path)
    return taken, written


def check(plan: Plan, made: Records, size: int, batch: int, place: Path) -> dict[str, Any]:
    """Verify and recover a journal of the first `size` commands in batches of `batch`. Raises CheckError."""
    path = place / "verify"
    with create(path, made.venue, "async") as writer:  # the sync would cost time here and change no byte
        for commands, events in made.batches(0, size, batch):
            writer.append(commands, events)
        writer.seal()
    scanned = [scan(path) for _ in range(plan.runs)]
    recomputed = [verify(path, plan.implementation) for _ in range(plan.runs)]
    wanted = recomputed[0]
    if not wanted.ok:
        raise CheckError(str(wanted))
    recovered = [_recover(plan, path, wanted.digest) for _ in range(plan.runs)]
    shutil.rmtree(path)
    figures: dict[str, Any] = {
        "commands": wanted.commands,
        "batches": wanted.batches,
        "bytes": wanted.size,
        "bytes_per_command": round(wanted.size / wanted.commands, 1),
    }
    spent = {"journal_verify": scanned, "replay_verify": [each.seconds for each in recomputed], "recover": recovered}
    for name, seconds in spent.items():
        figures[f"{name}_seconds"] = round(statistics.median(seconds), 4)
        figures[f"{name}_seconds_runs"] = [round(each, 4) for each in seconds]
        figures[f"{name}_commands_per_second"] = round(wanted.commands / statistics.median(seconds))
        figures[f"{name}_commands_per_second_runs"] = [round(wanted.commands / each) for each in seconds]
    return figures


def scan(path: Path) -> float:
    """Seconds to check every byte, checksum and hash, as `carbonbook journal verify` does."""
    began = time.perf_counter()
    storage = storage_of(path)
    genesis = read_genesis(storage)
    mark = read_watermark(storage, genesis.uuid)
    for _ in JournalScan(storage, genesis, mark.batch if mark else 0):
        pass
    return time.perf_counter() - began


def _recover(plan: Plan, path: Path, digest: str) -> float:
    """Seconds until a writer and an engine stand ready."""
    began = time.perf_counter()
    found = recover(path, plan.implementation)
    seconds = time.perf_counter() - began
    found.writer.close()
    if found.engine.digest().hex() != digest:
        raise CheckError("the journal recovers to another state than the one it verifies to")
    return seconds


def _compare_growth(growth: dict[str, Any]) -> None:
    """Add by how much the cost of a command differs from the shortest journal's: 1 = the time grows with the length."""
    first = next(iter(growth.values()))
    for figures in growth.values():
        for name in ("journal_verify", "replay_verify", "recover"):
            own, base = (each[f"{name}_seconds"] / each["commands"] for each in (figures, first))
            figures[f"{name}_growth"] = round(own / base, 2)
