"""Alerts out of the server's own counts and its machine: what it takes, throttles, clock, disk, processes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from engine.schema import Role
from gateway.monitor.alerts import Alert, Bell, Severity
from gateway.monitor.thresholds import Thresholds
from gateway.utc import clock_text
from gateway.wire_status import ClockStatus, StatusData

MIB = 1 << 20
_CLOCK: Final[dict[str, Severity]] = {
    "unproven": "warning",
    "beyond": "critical",
    "unsynchronised": "critical",
    "unknown": "warning",
}
"""How bad a verdict on the clock is."""


class StatusWatch:
    """Takes answers to the status query in order and gives alerts."""

    def __init__(self, thresholds: Thresholds, bell: Bell) -> None:
        self._thresholds = thresholds
        self._bell = bell
        self._throttled: dict[int, int] = {}
        self._counters: dict[str, int] | None = None
        self._epoch = 0

    def take(self, status: StatusData) -> Iterator[Alert]:
        """What one answer gives reason to tell; counts are compared with the answer before."""
        if status.epoch != self._epoch:  # a new run of the server counts from 0
            self._throttled, self._counters = {}, {} if self._epoch else None
            self._epoch = status.epoch
        yield from self._bell.over("NO_STATUS", "STATUS_BACK", "the server tells its status again")
        yield from self._room(status)
        yield from self._clock(status.clock)
        for session in status.sessions:
            count = session.throttled_orders + session.throttled_cancels
            before = self._throttled.get(session.session, count if self._counters is None else 0)
            self._throttled[session.session] = count
            if count - before >= self._thresholds.throttled:
                text = f"session {session.name} throttled: {count - before:,} commands refused"
                facts = {"session": session.session, "value": count - before, "threshold": self._thresholds.throttled}
                yield from self._bell.ring("warning", "THROTTLED", text, session.session, **facts)
        counters = dict(status.counters)
        if self._counters is not None:
            for name in ("malformed", "events lost"):
                more = counters.get(name, 0) - self._counters.get(name, 0)
                if more >= self._thresholds.malformed:
                    kind = name.upper().replace(" ", "_")
                    facts = {"value": more, "threshold": self._thresholds.malformed}
                    yield from self._bell.ring("warning", kind, f"{more:,} {name} frames or requests", **facts)
        self._counters = counters

    def silent(self, why: str) -> Iterator[Alert]:
        """There was no answer: the server is frozen, gone or refuses the session."""
        yield from self._bell.ring("critical", "NO_STATUS", f"the server does not tell its status: {why}")

    def session(self, name: str, role: int) -> Iterator[Alert]:
        """Whom the server answers: it shows an operator's session everything, any other only its own firm's."""
        if role != Role.OPERATOR:
            text = f"session {name} is no operator's: other firms' throttles and the server's counters are not watched"
            yield from self._bell.ring("warning", "NOT_OPERATOR", text, name)

    def _room(self, status: StatusData) -> Iterator[Alert]:
        if status.accepts != "orders":
            text = f"the journal's disk is full: the venue takes {status.accepts} only"
            yield from self._bell.ring("critical", "DRAINING", text, status.accepts)
            return
        text = "the disk has room again: orders are taken"
        yield from self._bell.over("DRAINING", "ORDERS_TAKEN", text, ("cancels", "nothing"))

    def _clock(self, clock: ClockStatus) -> Iterator[Alert]:
        """The distance to UTC (RTS 25): anything but "within", unless the venue lives on its own time."""
        if clock.verdict in ("within", "own time"):
            yield from self._bell.over("CLOCK", "CLOCK_WITHIN", clock_text(clock), _CLOCK)
            return
        known = {"value": clock.estimated_error, "threshold": clock.limit}
        yield from self._bell.ring(_CLOCK[clock.verdict], "CLOCK", clock_text(clock), clock.verdict, **known)


class MachineWatch:
    """What the server's machine tells without asking the server: disk, and whether its processes are there.

    Args:
        data: the server's data folder.
    """

    def __init__(self, data: Path, thresholds: Thresholds, bell: Bell) -> None:
        self._data = data
        self._thresholds = thresholds
        self._bell = bell

    def look(self) -> Iterator[Alert]:
        """What is wrong now."""
        yield from self._disk()
        for file, kind, what in (("endpoints.json", "SERVER_AWAY", "server"), ("feed.json", "FEED_AWAY", "feed")):
            pid = _pid_in(self._data / file)
            if pid and not _is_there(pid):
                severity = "critical" if kind == "SERVER_AWAY" else "warning"
                text = f"the {what} (process {pid}) is not there"
                yield from self._bell.ring(severity, kind, text, value=pid)  # type: ignore[arg-type]
            elif pid:
                yield from self._bell.over(kind, f"{what.upper()}_BACK", f"the {what} is there again", value=pid)

    def behind(self, count: int) -> Iterator[Alert]:
        """Durable commands that have not been read yet."""
        if count >= self._thresholds.behind:
            text = f"this monitor is {count:,} commands behind the journal"
            yield from self._bell.ring("warning", "BEHIND", text, value=count, threshold=self._thresholds.behind)
        elif 2 * count <= self._thresholds.behind:
            yield from self._bell.over("BEHIND", "CAUGHT_UP", "this monitor has caught up with the journal")

    def _disk(self) -> Iterator[Alert]:
        """Free room. A single file may carry it over a limit and back: over is what is a tenth above the limit."""
        room = os.statvfs(self._data)
        free = room.f_bavail * room.f_frsize // MIB
        critical, warning = self._thresholds.disk_free_critical_mib, self._thresholds.disk_free_mib
        if free < max(critical, warning):
            severity: Severity = "critical" if free < critical else "warning"
            limit = critical if free < critical else warning
            text = f"{free:,} MiB free on the journal's disk; less than {limit:,}"
            yield from self._bell.ring(severity, "DISK", text, severity, value=free, threshold=limit)
        if free >= 1.1 * max(critical, warning):
            text = f"{free:,} MiB free on the journal's disk"
            yield from self._bell.over("DISK", "DISK_ROOM", text, ("critical", "warning"), value=free)
        elif free >= 1.1 * critical:
            self._bell.forget("DISK", "critical")


def _pid_in(path: Path) -> int:
    """The process id that a server or feed has written down; 0 = none."""
    try:
        return int(json.loads(path.read_bytes())["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
