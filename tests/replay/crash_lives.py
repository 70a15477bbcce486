"""Simulated lives of a journal: born, written, crashed (also while recovering), started again, compared with a model.

    python -m tests.replay.crash_lives --lives 100000 --seed 1

Every seed is one story of several lives on one simulated disk. A story fails when an acknowledged batch is missing,
when a journal that lost only unacknowledged data is refused, or when the engine's state is not the model's.
"""

from __future__ import annotations

import argparse
import errno
import sys
import time
from dataclasses import dataclass, field
from random import Random

from engine.core import Engine
from engine.schema import CommandArray, EventArray
from replay import JournalError, JournalFailure, JournalFull, JournalReader, JournalWriter, NotAJournal, create, recover
from replay.format import Note, NoteKind
from tests.replay.fake_engine import VENUE, fake_engine, make_commands
from tests.replay.simulated_storage import Crash, Faults, SimulatedStorage

SEGMENT_SIZES = (2048, 4096, 16384)


class Finding(AssertionError):
    """The journal broke its promise; the message names the seed that shows it."""


@dataclass
class Story:
    """One seed: a disk, and what the journal on it must hold."""

    seed: int
    random: Random = field(init=False)
    storage: SimulatedStorage = field(init=False)
    created: bool = False
    acknowledged: int = 0
    """Commands that were durable by the writer's word."""
    digests: dict[int, bytes] = field(default_factory=dict)
    """By number of commands, for every batch border that was attempted."""
    lives: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.storage = SimulatedStorage(self.random)
        self.digests[0] = fake_engine(VENUE).digest()

    def run(self) -> None:
        """Live and die a few times, then one last life without faults, which must find everything."""
        for _ in range(self.random.randint(2, 6)):
            self._life(self._faults())
            if self.random.random() < 0.6:
                self.storage.cut_power()
            else:
                self.storage.kill()
        self._life(Faults())
        self._read_all()

    def _faults(self) -> Faults:
        draw = self.random
        faults = Faults(keep=draw.choice((0.0, 0.1, 0.5, 0.9, 1.0)), short_writes=draw.choice((0.0, 0.0, 0.2)))
        moment = int(draw.expovariate(1 / draw.choice((5, 30, 100)))) + 1
        what = draw.random()
        if what < 0.6:
            faults.crash_at = moment
        elif what < 0.85:
            faults.error_at, faults.error = moment, draw.choice((errno.EIO, errno.EIO, errno.ENOSPC))
        elif what < 0.95:
            faults.full_at = draw.choice((8_000, 20_000, 40_000))
        return faults

    def _life(self, faults: Faults) -> None:
        self.lives += 1
        self.storage.start(faults)
        healthy = faults == Faults()
        try:
            engine, writer = self._open()
            if self.random.random() < 0.5:
                writer.write_beside()
            self._write(engine, writer, self.random.randint(0, 12))
        except Crash:
            if healthy:
                raise
        except (JournalFailure, JournalFull) as error:
            if healthy:
                raise Finding(f"seed {self.seed}: stopped without a fault: {error}") from error
        except JournalError as error:
            raise Finding(f"seed {self.seed}, life {self.lives}: refused: {error}") from error

    def _open(self) -> tuple[Engine, JournalWriter]:
        step = self.random.choice((512, 1024, 4096))
        try:
            found = recover(
                self.storage,
                fake_engine,
                from_snapshot=self.random.random() < 0.5,
                prepare_step=step,
                clock=lambda: 1,
            )
        except NotAJournal:
            if self.created:
                raise
            size = self.random.choice(SEGMENT_SIZES)
            uuid = self.seed.to_bytes(16, "little")
            writer = create(self.storage, VENUE, segment_bytes=size, prepare_step=step, clock=lambda: 1, uuid=uuid)
            self.created = True
            return fake_engine(VENUE), writer
        self.created = True
        self._check(found.report.commands, found.engine)
        return found.engine, found.writer

    def _check(self, commands: int, engine: Engine) -> None:
        where = f"seed {self.seed}, life {self.lives}"
        if commands < self.acknowledged:
            raise Finding(f"{where}: {self.acknowledged} commands were acknowledged, {commands} are left")
        if commands not in self.digests:
            raise Finding(f"{where}: {commands} commands is not the end of any batch")
        if engine.digest() != self.digests[commands]:
            raise Finding(f"{where}: the state after {commands} commands is not the model's")
        self.digests = {count: digest for count, digest in self.digests.items() if count <= commands}

    def _write(self, engine: Engine, writer: JournalWriter, batches: int) -> None:
        for _ in range(batches):
            what = self.random.random()
            if what < 0.08:
                writer.seal(engine.digest())
                self._acknowledge(writer)
            elif what < 0.16:
                self._roll(engine, writer)
            else:
                commands = make_commands(
                    writer.position.command, self.random.choice((1, 1, 2, 5, 12)), self.random.randint(0, 999)
                )
                self._append(engine, writer, commands)

    def _roll(self, engine: Engine, writer: JournalWriter) -> None:
        before = writer.position
        try:
            writer.roll(engine.canonical_state())
        except JournalFull:
            assert writer.position == before and not writer.failed
        self._acknowledge(writer)

    def _acknowledge(self, writer: JournalWriter) -> None:
        """Whoever asked for what is durable now has his answer."""
        self.acknowledged = max(self.acknowledged, writer.durable.command - 1)

    def _append(self, engine: Engine, writer: JournalWriter, commands: CommandArray) -> None:
        _, events = engine.apply(commands)
        self.digests[writer.position.command + len(commands) - 1] = digest = engine.digest()
        notes = [Note(NoteKind.DIGEST, digest)] if self.random.random() < 0.2 else []
        if self.random.random() < 0.1:
            notes.append(Note(NoteKind.MESSAGE, bytes(self.random.randint(1, 2000)), 0, 1))
        try:
            self._hand_over(writer, commands, events, notes)
        except JournalFull:
            self.storage.faults.full_at = 1 << 60  # somebody makes room
            self._hand_over(writer, commands, events, notes)
        except JournalFailure:
            try:
                writer.append(commands, events, notes)
            except JournalFailure:
                raise
            raise Finding(f"seed {self.seed}: a writer went on after a failure") from None
        self._acknowledge(writer)

    def _hand_over(self, writer: JournalWriter, commands: CommandArray, events: EventArray, notes: list[Note]) -> None:
        """Append, or begin and wait some time later."""
        if notes or self.random.random() < 0.3:
            writer.append(commands, events, notes)
            assert writer.durable == writer.position
            return
        kept = writer.begin(commands, events)
        assert kept.tobytes() == events.tobytes()
        waiting = self.random.choice((0, 1, 1))
        while writer.position.batch - writer.durable.batch > waiting:
            self._acknowledge(writer)
            writer.wait()

    def _read_all(self) -> None:
        """Readers see all that was acknowledged, and it is what the model says."""
        reader = JournalReader(self.storage)
        engine = fake_engine(VENUE)
        commands = 0
        for batch in reader.batches():
            _, events = engine.apply(batch.commands)
            assert events.tobytes() == batch.events.tobytes()
            commands += batch.command_count
        self._check(commands, engine)


def hunt(first_seed: int, lives: int, seconds: float = 1e9) -> tuple[int, int]:
    """Run stories until `lives` lives are lived or the time is over. Returns (stories, lives). Raises Finding."""
    done = stories = 0
    began = time.perf_counter()
    while done < lives and time.perf_counter() - began < seconds:
        story = Story(first_seed + stories)
        try:
            story.run()
        except Finding:
            raise
        except Exception as error:
            raise Finding(f"seed {story.seed}, life {story.lives}: {error!r}") from error
        stories += 1
        done += story.lives
    return stories, done


def main() -> int:
    parser = argparse.ArgumentParser(description="Simulated crash lives of a journal.")
    parser.add_argument("--lives", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1, help="first seed; one seed alone: --lives 1")
    options = parser.parse_args()
    began = time.perf_counter()
    try:
        stories, lives = hunt(options.seed, options.lives)
    except Finding as finding:
        print(f"FOUND: {finding}\nrepeat: python -m tests.replay.crash_lives --lives 1 --seed <that seed>")
        return 1
    seconds = time.perf_counter() - began
    print(
        f"{lives:,} lives in {stories:,} stories (seeds {options.seed}..{options.seed + stories - 1}),"
        f" no acknowledged batch lost, no false refusal; {seconds:.1f} s, {lives / seconds:,.0f} lives/s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
