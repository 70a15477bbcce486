"""Figures of the journal on this machine's disk; those in `docs/journal.md` come from here.

python -m tests.replay.measure [folder]
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from benchmarks.workloads import Workload, carbon_day, random_walk
from engine.core import Engine
from engine.schema import CommandArray
from replay import create, recover, verify
from replay.storage import RealStorage
from tests.replay.fake_engine import VENUE, FakeImplementation, make_commands

SEED = 1


class NoDisk(RealStorage):
    """Takes every write and keeps nothing: what is left is our own time."""

    def pwrite(self, handle: int, data: bytes | bytearray | memoryview, offset: int) -> int:
        return len(data)

    def fdatasync(self, handle: int) -> None:
        pass


def measure_append(folder: Path, size: int, count: int, disk: bool) -> str:
    """Time of `append` for batches of `size` commands."""
    path = folder / f"append-{size}-{disk}"
    storage = RealStorage(path) if disk else NoDisk(path)
    engine, batches = FakeImplementation(), []
    for number in range(count):
        commands = make_commands(1 + number * size, size, number)
        batches.append((commands, engine.apply(commands)[1]))
    times = np.empty(count)
    with create(storage, VENUE) as writer:
        while not writer.prepare():
            pass
        for number, (commands, events) in enumerate(batches):
            began = time.perf_counter_ns()
            writer.append(commands, events)
            times[number] = time.perf_counter_ns() - began
    shutil.rmtree(path)
    p50, p99 = np.percentile(times, [50, 99]) / 1000
    return f"append, {size} commands a batch, {'disk' if disk else 'no disk'}: p50 {p50:,.1f} us, p99 {p99:,.1f} us"


def orders(count: int) -> CommandArray:
    """A busy book: limit orders around one price, half of them immediate."""
    draw = np.random.default_rng(SEED)
    commands = make_commands(1, count)
    commands["side"] = draw.integers(1, 3, count)
    commands["time_in_force"] = draw.choice([1, 3], count)
    commands["price"] = 5000 + draw.integers(-20, 21, count)
    commands["quantity"] = draw.integers(1, 100, count)
    return commands


def measure_replay(folder: Path, size: int, count: int) -> str:
    """Verification and recovery of `count` commands in batches of `size`, kernel against journal."""
    path = folder / f"replay-{size}"
    commands, engine = orders(count), Engine(VENUE)
    with create(path, VENUE, "async") as writer:  # the sync matters to the append, not to what is measured here
        for start in range(0, count, size):
            part = commands[start : start + size]
            writer.append(part, engine.apply_all(part))
        writer.seal(engine.digest())
    return f"{size} commands a batch: {replayed(path)}"


def measure_flow(folder: Path, work: Workload, size: int, count: int) -> str:
    """The same for the first `count` commands of a benchmark's flow, behind its opening in batches of 1,024."""
    path, engine = folder / f"{work.name}-{size}", Engine(work.venue)
    with create(path, work.venue, "async") as writer:
        for commands, step in ((work.prepare, 1_024), (work.flow[:count], size)):
            for start in range(0, len(commands), step):
                part = commands[start : start + step]
                writer.append(part, engine.apply_all(part))
        writer.seal(engine.digest())
    return f"{work.name}, {size} commands a batch: {replayed(path)}"


def replayed(path: Path, runs: int = 5) -> str:
    """Verify (best of `runs`) and recover a journal, and remove it."""
    verify(path)
    best = min((verify(path) for _ in range(runs)), key=lambda verdict: verdict.seconds)
    assert best.ok, best
    found = recover(path)
    found.writer.close()
    shutil.rmtree(path)
    return (
        f"verify {best.commands / best.seconds / 1e6:.2f} M commands/s, {best.batches / best.seconds:,.0f} batches/s,"
        f" {best.size / best.seconds / 1e9:.2f} GB/s;"
        f" recover {found.report.seconds:.2f} s for {best.commands:,} commands; load {os.getloadavg()[0]:.1f}"
    )


def main() -> None:
    folder = Path(mkdtemp(dir=sys.argv[1] if len(sys.argv) > 1 else None))
    try:
        for size, count in ((1, 4000), (16, 3000), (256, 800)):
            print(measure_append(folder, size, count, disk=False), flush=True)
            print(measure_append(folder, size, count, disk=True), flush=True)
        for size, count in ((1000, 1_000_000), (100, 500_000), (16, 300_000), (1, 50_000)):
            print(measure_replay(folder, size, count), flush=True)
        for work in (random_walk(1_000_000), carbon_day(1_000_000)):
            for size, count in ((1024, 1_000_000), (64, 1_000_000), (16, 600_000), (1, 100_000)):
                print(measure_flow(folder, work, size, count), flush=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
