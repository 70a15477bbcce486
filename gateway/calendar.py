"""The calendar drives the phases: which transitions are due, and the commands that carry them out.

A transition is stamped with its own moment and applied before any command of that moment or later. So a transition
has been applied exactly when the journal's last timestamp is at or past its moment, and after downtime the missed
ones follow from that timestamp alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from engine.control import END_OF_DAY
from engine.schema import CommandArray, CommandKind, commands
from engine.venue import MODES, PHASES, Calendar, Transition, date_number, utc_ns

NEVER = 2**63 - 1


class Due(NamedTuple):
    """A transition at its moment (UTC ns), with the commands for it."""

    moment: int
    transition: Transition
    commands: CommandArray


class Schedule:
    """The venue's transitions after `last` (UTC ns), in order, one at a time."""

    def __init__(self, calendar: Calendar, last: int) -> None:
        self._upcoming = _after(calendar, last)
        self._next = next(self._upcoming, None)

    @property
    def next_moment(self) -> int:
        """UTC ns of the next transition; NEVER without a calendar."""
        return self._next.moment if self._next else NEVER

    def pop(self, now: int) -> Due | None:
        """The next transition when its moment has come."""
        due = self._next
        if due is None or due.moment > now:
            return None
        self._next = next(self._upcoming, None)
        return due


def day_start(calendar: Calendar, moment: int) -> int:
    """UTC ns of the local midnight that begins the day of `moment`, less one."""
    zone = ZoneInfo(calendar.timezone)
    return utc_ns(datetime.combine(_local_date(calendar, moment), time(), tzinfo=zone)) - 1


def _local_date(calendar: Calendar, moment: int) -> date:
    return datetime.fromtimestamp(moment // 1_000_000_000, ZoneInfo(calendar.timezone)).date()


def _after(calendar: Calendar, last: int) -> Iterator[Due]:
    if not calendar.transitions:
        return
    day = _local_date(calendar, last)
    while True:
        for moment, transition in calendar.moments(day):
            if moment > last:
                yield Due(moment, transition, _commands(transition, date_number(day)))
        day += timedelta(days=1)


def _commands(transition: Transition, trading_date: int) -> CommandArray:
    if transition.phase == "END":
        made = commands(len(END_OF_DAY))
        made["kind"] = END_OF_DAY
        return made
    made = commands(len(transition.modes))
    made["kind"] = CommandKind.SET_PHASE
    made["scope"] = [MODES[mode] for mode in transition.modes]
    made["quantity"] = PHASES[transition.phase]
    made["quantity2"] = transition.no_cancel
    made["expiry"] = trading_date
    return made
