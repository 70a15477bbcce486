"""Stamp, apply, journal: the one way in which anything changes the venue's state. No sockets here."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from engine.control import Control, encode, expand
from engine.schema import CommandArray, CommandKind, DayStage, EventArray, EventKind, Reason, commands
from engine.venue import Venue
from gateway.calendar import Due, Schedule, day_start
from gateway.call_ends import CallEnds, windows_of
from gateway.clock import JournalClock, parse_start
from gateway.config import Config
from gateway.journal import Messages, Opened
from gateway.records import join
from gateway.security import server_keys
from replay import Note, NoteKind, is_settled
from replay.errors import JournalFull

EXIT_SURPRISE: Final = 8


class Surprise(Exception):
    """The engine or the journal failed after validation: nothing was answered, the server must stop.

    Attributes:
        exit_code: what the process ends with; 7 when the disk had no room for the batch.
    """

    def __init__(self, text: str, exit_code: int = EXIT_SURPRISE) -> None:
        super().__init__(text)
        self.exit_code = exit_code


class Begun(NamedTuple):
    """A batch that is applied and on its way to the disk."""

    number: int
    """The journal's number of it."""
    batch: CommandArray
    events: EventArray
    tell: Callable[[EventArray], None]


class Exchange:
    """Engine and journal in step. Every method that changes state has journaled it durably when it returns, but
    `begin`.

    Args:
        opened: the engine as created or recovered, with its journal.
        config: the server's configuration.

    Attributes:
        disk: readable when something that was begun has come to its end; -1 where `begin` waits for the disk.
    """

    def __init__(self, opened: Opened, config: Config) -> None:
        self.engine = opened.engine
        self.venue = opened.engine.venue
        self.writer = opened.writer
        self.reader = opened.reader
        self.created = opened.created
        self._config = config
        header = self.engine.state()["header"][0]
        self.command_sequence = int(header["command_sequence"])
        self.event_sequence = int(header["event_sequence"])
        self.recent, self.marks = opened.history.recent(), opened.history.marks
        start = self._start_time(int(header["timestamp"]))
        calendar = self.venue.calendar
        if self.created:
            # The whole first day lies ahead, so that its earlier transitions are made up for in order.
            last = day_start(calendar, start) if calendar.acts else start
        else:
            last = int(header["timestamp"])
        self.clock = JournalClock(last, config.clock_rate)
        self._ends = _call_ends(self.venue, config)
        self._seed_noted = 0
        """The date to whose seed of the calls this run has committed."""
        self.schedule = Schedule(calendar, last, self._ends)
        self._start = start
        self.epoch = 0
        self._latest: tuple[CommandArray, EventArray] | None = None
        """What `remember` has still to keep."""
        self.disk = self.writer.write_beside()
        self._begun: deque[Begun] = deque()

    def _start_time(self, last: int) -> int:
        if self.created and self._config.start_time:
            return parse_start(self._config.start_time)
        if self._config.clock_rate == 1 and not self._config.start_time:
            return max(last, time.time_ns())
        # A venue on a time of its own goes on where it stopped.
        return last if not self.created else time.time_ns()

    def start(self) -> EventArray:
        """Journal the clock's anchor, which names this run.

        Stamped with the last time of the run before, so that the calendar still sees what was missed since.
        """
        last = self.clock.last
        header = self.engine.header()
        if self._ends is not None and header.day_stage == DayStage.SETTLED and header.trading_date:
            # The last run may have ended between a day's end and this note.
            self.note(self._ends.reveal(header.trading_date))
        self.epoch = self.command_sequence + 1
        return self.commit(self.clock.anchor(self._start), timestamp=last)

    def commit(
        self, batch: CommandArray, notes: Sequence[Note] = (), timestamp: int | None = None, digest: bool = False
    ) -> EventArray:
        """Number, stamp, apply and journal commands; returns their events, valid until the next commit.

        Args:
            batch: session and actor are set; sequence and timestamp are written here.
            timestamp: journal time; None = now.
            digest: add a note with the engine's digest.

        Raises:
            Surprise: the batch lies in a file for a post-mortem and has not been answered.
        """
        self.settle()
        count = len(batch)
        batch["sequence"] = np.arange(self.command_sequence + 1, self.command_sequence + count + 1)
        batch["timestamp"] = self.clock.now() if timestamp is None else timestamp
        if digest:
            return self._committed(batch, [*notes, None])
        return self._committed(batch, notes)

    def _committed(self, batch: CommandArray, notes: Sequence[Note | None]) -> EventArray:
        events = self._carry_out(batch, notes, int(batch["kind"].max()))
        self.remember()
        return events

    def commit_many(self, batch: CommandArray) -> EventArray:
        """As `commit`, now, for commands of sessions; then call `remember`.

        What only serves later questions is left for after the answers.
        """
        self.settle()
        sequence, timestamp = self.stamp()
        batch["sequence"], batch["timestamp"] = np.arange(sequence, sequence + len(batch)), timestamp
        return self.commit_stamped(batch, int(batch["kind"].max()))

    def stamp(self) -> tuple[int, int]:
        """The sequence of the next command, and the journal time now."""
        return self.command_sequence + 1, self.clock.now()

    def commit_stamped(self, batch: CommandArray, highest_kind: int) -> EventArray:
        """As `commit_many`, for commands that have their `stamp`, while nothing is on its way."""
        return self._carry_out(batch, (), highest_kind)

    def begin(self, batch: CommandArray, tell: Callable[[EventArray], None]) -> None:
        """As `commit_stamped`, for firms' commands, without waiting for the disk: the next batch is read and applied
        meanwhile.

        Args:
            tell: gets the events, in turn, when they are durable: before anything else is committed, behind the
                next one at the latest, and with `settle`. Nobody may be told before.

        Raises:
            Surprise: this batch, or the one before it, is not durable.
        """
        self.remember()
        try:
            number = self.writer.position.batch
            events = self.writer.begin(batch, self._apply(batch))
        except Exception as error:
            raise self._surprise([*self._unsettled(), batch], error) from error
        self.command_sequence += len(batch)
        self.event_sequence += len(events)
        self._begun.append(Begun(number, batch, events, tell))
        self._tell()
        while len(self._begun) > 1:
            self._wait()
            self._tell()

    @property
    def has_begun(self) -> bool:
        """Whether batches are on their way to the disk."""
        return bool(self._begun)

    def settle(self) -> None:
        """Wait for the disk, and tell of what was begun. Raises Surprise."""
        while self._begun:
            self._wait()
            self._tell()

    def hear_disk(self) -> None:
        """`disk` is readable: tell of what is durable now. Raises Surprise."""
        self._wait()
        self._tell()

    def _wait(self) -> None:
        try:
            self.writer.wait()
        except Exception as error:
            raise self._surprise(self._unsettled(), error) from error

    def _unsettled(self) -> list[CommandArray]:
        return [begun.batch for begun in self._begun if begun.number >= self.writer.durable.batch]

    def _tell(self) -> None:
        while self._begun and self._begun[0].number < self.writer.durable.batch:
            _, batch, events, tell = self._begun.popleft()
            self.remember()
            self._latest = (batch, events)
            tell(events)

    def remember(self) -> None:
        """Keep the latest batch in memory for resumes and duplicates; due before any of these is asked for."""
        if self._latest is not None:
            latest, self._latest = self._latest, None
            self.recent.add(*latest)
            self.marks.learn(latest[0])

    def _carry_out(self, batch: CommandArray, notes: Sequence[Note | None], highest_kind: int) -> EventArray:
        """Apply and journal stamped commands. A note None stands for the engine's digest. Raises Surprise."""
        self.remember()  # answering may have led to this batch before the last one was kept
        try:
            events = self._apply(batch)
            made = [note or Note(NoteKind.DIGEST, self.engine.digest()) for note in notes] if notes else ()
            self.writer.append(batch, events, made)
            if highest_kind >= CommandKind.SETTLE and is_settled(events):
                # A segment per day: each can be replayed apart from the snapshot at its head.
                events = events.copy()
                self._roll()
        except Exception as error:
            raise self._surprise([batch], error) from error
        self.command_sequence += len(batch)
        self.event_sequence += len(events)
        self._latest = (batch, events)
        return events

    def _apply(self, batch: CommandArray) -> EventArray:
        done, events = self.engine.apply(batch)
        if done == len(batch):
            return events
        first = events.copy()
        return join([first, self.engine.apply_all(batch[done:])])

    def _roll(self) -> None:
        """Begin the next day's segment. Without room for one the day ends all the same, in the present segment."""
        with contextlib.suppress(JournalFull):
            self.writer.roll(self.engine.canonical_state())

    def _surprise(self, batches: list[CommandArray], error: Exception) -> Surprise:
        """What to raise; the commands that are not durable are kept in a file of their own."""
        first = next((int(batch["sequence"][0]) for batch in batches if len(batch)), self.command_sequence + 1)
        path = self._config.data_folder / f"post-mortem-{first}.commands"
        path.write_bytes(b"".join(batch.tobytes() for batch in batches))
        code = error.exit_code if isinstance(error, JournalFull) else EXIT_SURPRISE
        return Surprise(f"{type(error).__name__}: {error}; the batch is kept in {path}", code)

    def commit_control(
        self, message: Control, session: int = 0, number: int = 0, timestamp: int | None = None
    ) -> tuple[EventArray, Messages]:
        """Carry out one administrative message, journaled with it as a note; returns events and the message.

        Args:
            session, number: the operator's session and the client_order_id of the first command; 0, 0 = the venue.
        """
        batch = expand(message)
        batch["session"] = batch["actor"] = session
        if session:
            batch["client_order_id"] = np.arange(number, number + len(batch))
        first = self.command_sequence + 1
        note = Note(NoteKind.MESSAGE, encode(message), 0, len(batch))
        return self.commit(batch, [note], timestamp), {first: message}

    def carry_out(self, due: Due) -> EventArray:
        """A calendar transition or transfer window, stamped with its own moment and sealed with a digest.

        Where calls end at random, the seed's hash is noted before the date's first one and the seed after its END.
        """
        ends = self._ends if due.transition is not None else None
        if ends is not None and due.date != self._seed_noted:
            self._seed_noted = due.date
            self.note(ends.commitment(due.date))
        events = self.commit(due.commands.copy(), timestamp=due.moment, digest=True)
        if ends is not None and due.transition is not None and due.transition.phase == "END":
            self.note(ends.reveal(due.date))
        return events

    def session_up(self, session: int, policy: int) -> Reason:
        """Journal a logon; returns the engine's reason for refusing it, NONE when it is up."""
        made = commands(1)
        made["kind"], made["target"], made["scope"] = CommandKind.SESSION_UP, session, policy
        event = self.commit(made)[0]
        return Reason(int(event["reason"])) if event["kind"] == EventKind.REJECTED else Reason.NONE

    def sessions_down(self, sessions: Iterable[tuple[int, Reason]], timestamp: int | None = None) -> EventArray:
        """Journal lost sessions; the engine carries out their disconnect policies."""
        lost = list(sessions)
        made = commands(len(lost))
        made["kind"] = CommandKind.SESSION_DOWN
        made["target"] = [number for number, _ in lost]
        made["quantity"] = [int(reason) for _, reason in lost]
        return self.commit(made, timestamp=timestamp)

    def connected_sessions(self) -> list[int]:
        """Sessions that the journal still holds for connected; only right after a start they can be wrong."""
        return [int(number) for number in np.flatnonzero(self.engine.state()["sessions"]["connected"]) if number]

    def idle(self) -> None:
        """Use a quiet moment: seal what has been answered, and prepare the next segment by a step."""
        self.settle()
        self.writer.seal()
        space = self.writer.space()
        if not space.ready and not space.blocked:
            self.writer.prepare()

    def note(self, text: str) -> None:
        """Journal a line of text that changes nothing in the engine."""
        self.settle()
        self.writer.append(commands(0), self.recent.events_after(0, 0), [Note(NoteKind.TEXT, text.encode())])

    def seal(self) -> bytes:
        """The clean end: the journal closes with the engine's digest, which is returned."""
        self.settle()
        digest = self.engine.digest()
        self.writer.append(commands(0), self.recent.events_after(0, 0), [Note(NoteKind.SEAL, digest)])
        self.writer.close()
        return digest


def _call_ends(venue: Venue, config: Config) -> CallEnds | None:
    """Draws the ends of calls, where the venue has calls that end at random. Raises SecurityError."""
    windows = windows_of(venue)
    return CallEnds(server_keys(config.keys_folder).secret, len(venue.instruments), windows) if windows else None
