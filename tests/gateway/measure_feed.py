"""How many commands a second the feed follows when every command's changes are published.

python -m tests.gateway.measure_feed [commands]

A journal is followed command by command by a feed whose updates go to a subscriber that reads nothing; no server takes
part. `published` counts the updates; a command that changes nothing public gives none.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import zmq

from benchmarks.workloads import Workload, carbon_day, random_walk, realistic
from engine.core import Engine
from engine.schema import CommandArray
from gateway.feed.doors import FeedDoors
from gateway.feed.follower import Feed
from replay import create
from replay.replica import Replica
from replay.writer import JournalWriter

BATCH: Final = 64
"""Commands of a batch, as a busy server writes them."""


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    works = {
        "walk, 1,000 resting": random_walk(count, resting=1_000),
        "walk, 100,000 resting": random_walk(count, resting=100_000),
        "realistic share": realistic("normal", count),
        "national market's day": carbon_day(count),
    }
    for name, work in works.items():
        with TemporaryDirectory() as folder:
            print(f"{name}: {measure(Path(folder), work)}", flush=True)


def measure(folder: Path, work: Workload) -> str:
    """Follow the flow of a workload behind its preparation."""
    engine = Engine(work.venue)
    with create(folder / "journal", work.venue, "async") as writer:
        append(writer, engine, work.prepare)
        doors = FeedDoors()
        doors.open("", f"ipc://{folder}/f", None, lambda _: False)
        until = len(work.flow)
        replica = Replica(folder / "journal")
        feed = Feed(replica, doors, f"ipc://{folder}/w", None, lambda: feed.published >= until)
        feed.catch_up()
        subscriber = doors.context.socket(zmq.SUB)
        subscriber.subscribe(b"")
        subscriber.connect(f"ipc://{folder}/f")
        time.sleep(0.2)
        append(writer, engine, work.flow)
        before = sum(feed.market.sequences)
        began = time.perf_counter()
        feed.run()
        seconds = time.perf_counter() - began
        published = sum(feed.market.sequences) - before
        doors.close()
    return f"{until / seconds:,.0f} commands/s, {published / seconds:,.0f} updates/s published"


def append(writer: JournalWriter, engine: Engine, commands: CommandArray) -> None:
    """Journal commands in batches."""
    for start in range(0, len(commands), BATCH):
        part: Any = commands[start : start + BATCH].copy()
        part["sequence"] = np.arange(writer.position.command, writer.position.command + len(part))
        writer.append(part, engine.apply_all(part))


if __name__ == "__main__":
    main()
