"""`carbonbook monitor`: alerts as they arise, one a line."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.commands.common import journal_errors, json_option, locate_journal, print_json, when
from gateway.commands.connect import Target, opened, pass_target

if TYPE_CHECKING:
    from gateway.monitor.alerts import Alert
    from gateway.monitor.thresholds import Thresholds
    from gateway.wire_status import StatusData

POLL_SECONDS = 0.1
FIRST_SECONDS = 3.0


@click.command()
@click.option(
    "--thresholds",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="TOML with thresholds; names and defaults: gateway/monitor/thresholds.py.",
)
@click.option("--after", type=click.IntRange(min=0), help="Begin behind this command (default: with what is new).")
@click.option("--for", "seconds", type=click.FloatRange(min=0), help="End after so many seconds (default: Ctrl-C).")
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

    It follows the journal in the data folder. With --session, an operator's of its own, it also watches the server's
    counts: what it takes, throttled sessions, its clock. A logon ends an earlier one of the same session, so make one:
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
    from gateway.monitor.alerts import Bell
    from gateway.monitor.journal_watch import JournalWatch
    from gateway.monitor.status_watch import MachineWatch, StatusWatch
    from replay import Follower
    from replay.timeline import snapshot_before

    bell = Bell(thresholds.repeat_seconds)
    follower = Follower(locate_journal(target.data))
    follower.position, state = snapshot_before(follower.reader, after)
    journal = JournalWatch(follower.reader.venue, thresholds, bell, state)
    begin = follower.reader.watermark().command if after is None else after
    status, machine = StatusWatch(thresholds, bell), MachineWatch(target.data, thresholds, bell)
    poller = StatusPoller(target, thresholds.status_seconds)
    deadline = None if seconds is None else time.monotonic() + seconds
    next_look = 0.0
    poller.wait_first(FIRST_SECONDS)
    counts = "and the server's counts" if poller.is_wanted else "without the server's counts (no --session)"
    yield from bell.ring("info", "STARTED", f"watching from command {begin + 1:,} on, {counts}")
    try:
        while deadline is None or time.monotonic() < deadline:
            for batch in follower.poll():
                journal.is_quiet = batch.last_command <= begin
                yield from journal.take(batch)
            for answer in poller.taken():
                yield from (
                    status.take(answer)
                    if not isinstance(answer, str)
                    else bell.ring("critical", "NO_STATUS", f"the server does not tell its status: {answer}")
                )
            if time.monotonic() >= next_look:
                next_look = time.monotonic() + thresholds.status_seconds
                yield from machine.look()
                yield from machine.behind(follower.reader.watermark().command - follower.position.command + 1)
            time.sleep(POLL_SECONDS)
    finally:
        poller.stop()


class StatusPoller:
    """Asks a server for its status again and again, in a thread: while it waits the journal is read on."""

    def __init__(self, target: Target, seconds: float) -> None:
        self._target = target._replace(timeout=min(target.timeout, 2.0))
        self._seconds = seconds
        self._answers: queue.SimpleQueue[StatusData | str] = queue.SimpleQueue()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="status", daemon=True)
        self.is_wanted = bool(target.session or target.key)
        if self.is_wanted:
            self._thread.start()

    def wait_first(self, seconds: float) -> None:
        """Until there is an answer to compare later ones with, at most so long."""
        deadline = time.monotonic() + seconds
        while self.is_wanted and self._answers.empty() and time.monotonic() < deadline:
            time.sleep(0.01)

    def taken(self) -> Iterator[StatusData | str]:
        """Answers that have come; a sentence where there was none."""
        while not self._answers.empty():
            yield self._answers.get()

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                with opened(self._target) as client:
                    while not self._over.is_set():
                        self._answers.put(client.status())
                        self._over.wait(self._seconds)
            except click.ClickException as error:
                self._answers.put(error.format_message())
                self._over.wait(self._seconds)

    def stop(self) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(5)
