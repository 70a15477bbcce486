"""The calendar drives the phases: which transitions are due, and the commands that carry them out.

A transition is stamped with its own moment and applied before any command of that moment or later. So a transition
has been applied exactly when the journal's last timestamp is at or past its moment, and after downtime the missed
ones follow from that timestamp alone.

Calls begin and end like every phase, and a later transition to the same call freezes it. Where instruments end their
calls late, by an `EndOfCall`, each has a moment and a command of its own. A VOLATILITY_CALL, which trading begins, has
no moment here: it ends by an operator's command, or by the next transition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from engine.control import END_OF_DAY
from engine.schema import CommandArray, CommandKind, Mode, commands
from engine.venue import MODES, PHASES, Calendar, Transition, date_number, utc_ns

NEVER = 2**63 - 1
CALLS: Final = ("OPEN_CALL", "CLOSE_CALL")
GO_ON: Final = (*CALLS, "PRE_OPEN", "HALT")
"""Phases that a call may enter without being uncrossed."""
EndOfCall = Callable[[int, int], int]
"""(instrument, trading date YYYYMMDD) -> nanoseconds by which a call of it ends after its moment in the calendar.

The same at every call and after every start: what counts is the journaled SET_PHASE, and after downtime the schedule
finds by its moment alone whether that has been carried out (docs/call-auctions.md 12.5).
"""


def on_time(_instrument: int, _trading_date: int) -> int:
    """Every call ends at its moment in the calendar."""
    return 0


class Due(NamedTuple):
    """A transition at its moment (UTC ns), with the commands for it."""

    moment: int
    transition: Transition
    commands: CommandArray


class Schedule:
    """The venue's transitions after `last` (UTC ns), in order, one at a time.

    Args:
        instruments: how many the venue has; `end_of_call` is asked of each.
        end_of_call: how late calls end.
    """

    def __init__(self, calendar: Calendar, last: int, instruments: int = 0, end_of_call: EndOfCall = on_time) -> None:
        self._upcoming = _after(calendar, last, instruments, end_of_call)
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


def _after(calendar: Calendar, last: int, instruments: int, end_of_call: EndOfCall) -> Iterator[Due]:
    if not calendar.transitions:
        return
    day = _local_date(calendar, last)
    while True:
        for due in _dues(calendar, day, instruments, end_of_call):
            if due.moment > last:
                yield due
        day += timedelta(days=1)


def _dues(calendar: Calendar, day: date, instruments: int, end_of_call: EndOfCall) -> list[Due]:
    """A day's transitions; one that ends a call, late for some instruments, becomes several."""
    trading_date, moments, found, phase = date_number(day), calendar.moments(day), list[Due](), ""
    for at, (moment, transition) in enumerate(moments):
        late: dict[int, list[int]] = {}
        if phase in CALLS and transition.phase not in (*GO_ON, "END") and "LISTED" in transition.modes:
            # Never past what comes next: a day's phases keep their order.
            latest = max(moment, moments[at + 1][0] - 1) if at + 1 < len(moments) else NEVER
            for number in range(1, instruments + 1):
                ends = min(moment + end_of_call(number, trading_date), latest)
                late.setdefault(ends, []).append(number)
        if set(late) <= {moment}:
            found.append(Due(moment, transition, _commands(transition, trading_date)))
        else:
            found += _one_by_one(moment, transition, trading_date, late)
        phase = transition.phase if "LISTED" in transition.modes or transition.phase == "END" else phase
    return found


def _one_by_one(moment: int, transition: Transition, trading_date: int, late: dict[int, list[int]]) -> list[Due]:
    """The end of a call by instruments: other modes at its moment, `late` has the instruments by theirs."""
    others = [MODES[mode] for mode in transition.modes if mode != "LISTED"]
    found = []
    for when in sorted({*late, *([moment] if others else [])}):
        addressed = [(MODES["LISTED"], number) for number in late.get(when, [])]
        addressed += [(mode, 0) for mode in others] if when == moment else []
        found.append(Due(when, transition, _set_phase(transition, trading_date, addressed)))
    return found


def _commands(transition: Transition, trading_date: int) -> CommandArray:
    if transition.phase == "END":
        made = commands(len(END_OF_DAY))
        made["kind"] = END_OF_DAY
        return made
    return _set_phase(transition, trading_date, [(MODES[mode], 0) for mode in transition.modes])


def _set_phase(transition: Transition, trading_date: int, addressed: list[tuple[Mode, int]]) -> CommandArray:
    """One SET_PHASE for each mode and instrument, 0 = all of them."""
    made = commands(len(addressed))
    made["kind"] = CommandKind.SET_PHASE
    made["scope"], made["instrument"] = np.transpose(addressed)
    made["quantity"] = PHASES[transition.phase]
    made["quantity2"] = transition.no_cancel
    made["expiry"] = trading_date
    return made
