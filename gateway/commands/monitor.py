"""`carbonbook monitor`: alerts as they arise, one a line."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.commands.common import Failure, journal_errors, json_option, locate_journal, print_json, when
from gateway.commands.connect import Target, check_options, opened, pass_target

if TYPE_CHECKING:
    from gateway.monitor.alerts import Alert
    from gateway.monitor.thresholds import Thresholds
    from gateway.wire_status import StatusData
    from replay import Follower

POLL_SECONDS = 0.1
FIRST_SECONDS = 3.0
READ_SECONDS = 0.5
"""Reading a backlog goes on for so long before everything else is looked at."""


@click.command()
@click.option(
    "--thresholds",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="TOML with thresholds; names and defaults: gateway/monitor/thresholds.py.",
)
@click.option("--after", type=click.IntRange(min=0), help="Begin behind this command (default: with what is new).")
@click.option("--for", "seconds", type=click.FloatRange(min=0), help="End after so many seconds; 0 = what is there.")
@click.option(
    "--fail-on",
    type=click.Choice(["warning", "critical"]),
    help="Exit code 1 when an alert of this severity or a higher one was raised.",
)
@json_option
@pass_target
def monitor(
    target: Target, file: Path | None, after: int | None, seconds: float | None, fail_on: str | None, as_json: bool
) -> int:
    """Raise alerts within five seconds: controls that refuse, rates, halts, kill switches, throttles, disk, clock.

    It follows the journal in the data folder; where it cannot keep up, BEHIND says so. With --session, an operator's of
    its own, it also watches the server's counts: what it takes, throttled sessions, its clock. Another session is shown
    its own firm's only, which NOT_OPERATOR tells. A logon ends an earlier one of the same session, so make one:
    `carbonbook keys new MONITOR --role operator`.

    \b
    Exit codes: 0 ended; 1 with --fail-on an alert was raised; 2 wrong options, no journal; 3 the journal is corrupt.

    \b
    carbonbook monitor --session MONITOR
    carbonbook monitor --json --thresholds thresholds.toml --fail-on critical --for 3600
    """
    from gateway.monitor.alerts import SEVERITIES

    told = 0
    thresholds = _thresholds(file)
    with journal_errors(), contextlib.suppress(KeyboardInterrupt):
        for alert in _alerts(target, thresholds, after, seconds):
            if as_json:
                print_json(alert)
            else:
                click.echo(line(alert))
            told += fail_on is not None and SEVERITIES.index(alert.severity) >= SEVERITIES.index(fail_on)
    return 1 if told else 0


def line(alert: Alert) -> str:
    """An alert for people."""
    again = f" ({alert.held_back:,} more meanwhile)" if alert.held_back else ""
    return f"{when(alert.time)}  {alert.severity.upper():8}  {alert.kind}  {alert.text}{again}"


def _thresholds(file: Path | None) -> Thresholds:
    from gateway.monitor.thresholds import Thresholds, load_thresholds

    try:
        return load_thresholds(file) if file is not None else Thresholds()
    except (ValueError, OSError) as error:
        raise click.BadParameter(str(error), param_hint="--thresholds") from None


def _alerts(target: Target, thresholds: Thresholds, after: int | None, seconds: float | None) -> Iterator[Alert]:
    """Alerts as they come, until the time is over."""
    from replay import Follower, JournalError
    from replay.format import GENESIS_NAME

    folder = locate_journal(target.data)
    follower = Follower(folder)
    end = follower.reader.watermark().command
    if after is not None and after > end:
        raise click.BadParameter(f"{after:,}: the journal ends at command {end:,}", param_hint="--after")
    poller = StatusPoller(target, thresholds.status_seconds)
    if poller.is_wanted:
        check_options(target)
    try:
        poller.start()
        yield from Rounds(target, follower, poller, thresholds, end, after).alerts(seconds)
    except (OSError, JournalError) as error:
        if not (folder / GENESIS_NAME).exists():
            raise Failure(
                f"{folder} is gone: it was moved or deleted while it was watched; the monitor ends", 2
            ) from None
        if isinstance(error, OSError):
            raise Failure(f"{folder}: {error.strerror or error}; the monitor ends", 2) from None
        raise
    finally:
        poller.stop()


class Rounds:
    """Looks at the journal, the server's answers and the machine in turn, so that none waits for another.

    Args:
        end: the journal's last durable command when it began.
        after: tell what comes behind this command; None = behind `end`.
    """

    def __init__(
        self,
        target: Target,
        follower: Follower,
        poller: StatusPoller,
        thresholds: Thresholds,
        end: int,
        after: int | None,
    ) -> None:
        from gateway.monitor.alerts import Bell
        from gateway.monitor.journal_watch import JournalWatch
        from gateway.monitor.status_watch import MachineWatch, StatusWatch
        from replay.timeline import snapshot_before

        self._bell = Bell(thresholds.repeat_seconds)
        self._follower, self._poller = follower, poller
        follower.position, state = snapshot_before(follower.reader, after)
        self._journal = JournalWatch(follower.reader.venue, thresholds, self._bell, state)
        self._status = StatusWatch(thresholds, self._bell)
        self._machine = MachineWatch(target.data, thresholds, self._bell)
        self._between = thresholds.status_seconds
        self._end = end
        self._begin = end if after is None else after
        self._next_look = 0.0

    def alerts(self, seconds: float | None) -> Iterator[Alert]:
        """Round after round; every source is seen at least once. 0 seconds: what is durable at the beginning."""
        self._poller.wait_first(FIRST_SECONDS)
        deadline = None if seconds is None else time.monotonic() + seconds
        counts = "and the server's counts" if self._poller.is_wanted else "without the server's counts (no --session)"
        yield from self._bell.ring("info", "STARTED", f"watching from command {self._begin + 1:,} on, {counts}")
        is_last = False
        while not is_last:
            is_over = deadline is not None and time.monotonic() >= deadline
            is_read = yield from self._read()
            is_last = is_over and (bool(seconds) or self._follower.position.command > self._end)
            if is_last:
                self._poller.wait_first(FIRST_SECONDS)
            yield from self._answers()
            if is_last or time.monotonic() >= self._next_look:
                self._next_look = time.monotonic() + self._between
                yield from self._machine.look()
                yield from self._machine.behind(self._unread())
            if is_read and not is_last:
                time.sleep(POLL_SECONDS)
        if self._poller.is_wanted and not self._poller.has_answered:
            yield from self._status.silent("no answer yet")
        if not is_read:
            unread = self._unread()
            text = f"the time is over and {unread:,} commands are unread: of them nothing is told"
            yield from self._bell.ring("warning", "UNREAD", text, value=unread)

    def _read(self) -> Generator[Alert, None, bool]:
        """The journal for READ_SECONDS at most; whether all of it was read that was durable when this began."""
        self._journal.own_session = self._poller.session
        until = time.monotonic() + READ_SECONDS
        for batch in self._follower.poll():
            self._journal.is_quiet = batch.last_command <= self._begin
            yield from self._journal.take(batch)
            if time.monotonic() >= until:
                return self._unread() <= 0
        return True

    def _unread(self) -> int:
        """Durable commands that have not been read."""
        return self._follower.reader.watermark().command - self._follower.position.command + 1

    def _answers(self) -> Iterator[Alert]:
        for answer in self._poller.taken():
            if isinstance(answer, str):
                yield from self._status.silent(answer)
            else:
                yield from self._status.session(self._poller.name, self._poller.role)
                yield from self._status.take(answer)


class StatusPoller:
    """Asks a server for its status again and again, in a thread: while it waits the journal is read on.

    Attributes:
        session, name, role: as the server said at the logon; 0 and "" before.
        has_answered: there was an answer, or a sentence why not.
    """

    def __init__(self, target: Target, seconds: float) -> None:
        self._target = target._replace(timeout=min(target.timeout, 2.0))
        self._seconds = seconds
        self._answers: queue.SimpleQueue[StatusData | str] = queue.SimpleQueue()
        self._first, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="status", daemon=True)
        self.is_wanted = bool(target.session or target.key or target.connect)
        self.session = self.role = 0
        self.name = ""

    def start(self) -> None:
        """Begin to ask, where that is wanted."""
        if self.is_wanted:
            self._thread.start()

    @property
    def has_answered(self) -> bool:
        return self._first.is_set()

    def wait_first(self, seconds: float) -> None:
        """Until there is an answer to compare later ones with, at most so long."""
        if self.is_wanted:
            self._first.wait(seconds)

    def taken(self) -> Iterator[StatusData | str]:
        """Answers that have come; a sentence where there was none."""
        while not self._answers.empty():
            yield self._answers.get()

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                with opened(self._target, asks_only=True) as client:
                    self.session, self.name, self.role = client.logon.session, client.logon.name, client.logon.role
                    while not self._over.is_set():
                        self._put(client.status())
                        self._over.wait(self._seconds)
            except click.ClickException as error:
                self._put(error.format_message())
            except Exception as error:  # a thread that has ended would look like a server that is well
                self._put(f"{type(error).__name__}: {error}")
            self._over.wait(self._seconds)

    def _put(self, answer: StatusData | str) -> None:
        self._answers.put(answer)
        self._first.set()

    def stop(self) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(5)
