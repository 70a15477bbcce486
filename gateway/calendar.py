"""The calendar drives the phases: which transitions are due, and the commands that carry them out.

A transition is stamped with its own moment and applied before any command of that moment or later. So a transition
has been applied exactly when the journal's last timestamp is at or past its moment, and after downtime the missed
ones follow from that timestamp alone. That is why everything of one moment is one batch.

A transition that ends a call auction is carried out later for the instruments whose calls end at random, for each at
its own moment, before the day's next transition.
A later transition to the same call freezes it. A VOLATILITY_CALL, which trading itself begins, has no moment here: an
operator's command ends it, or the next transition.

Transfer windows are driven alike: SET_TRANSFER_WINDOW at the moment when one opens or closes, in one batch with the
transition of the same moment where there is one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from engine.control import END_OF_DAY
from engine.schema import CommandArray, CommandKind, Mode, commands
from engine.venue import MODES, PHASES, Calendar, Transition, date_number, utc_ns
from gateway.call_ends import CallEnds

NEVER = 2**63 - 1
CALLS: Final = ("OPEN_CALL", "CLOSE_CALL")
GOING_ON: Final = (*CALLS, "PRE_OPEN", "HALT", "END")
"""What a call turns into without ending; END ends it for everybody at once."""


class Due(NamedTuple):
    """A transition at its moment (UTC ns), or its part of one moment, with the commands for it.

    `transition` None: only a transfer window opens or closes.
    """

    moment: int
    transition: Transition | None
    commands: CommandArray
    date: int
    """The trading date, YYYYMMDD."""


class Schedule:
    """The venue's transitions after `last` (UTC ns), in order, one at a time; `ends` draws the ends of calls."""

    def __init__(self, calendar: Calendar, last: int, ends: CallEnds | None = None) -> None:
        self._upcoming = _after(calendar, last, ends)
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


def _after(calendar: Calendar, last: int, ends: CallEnds | None) -> Iterator[Due]:
    if not calendar.acts:
        return
    day = _local_date(calendar, last)
    while True:
        for due in day_dues(calendar, day, ends):
            if due.moment > last:
                yield due
        day += timedelta(days=1)


def day_dues(calendar: Calendar, day: date, ends: CallEnds | None) -> list[Due]:
    """A day's transitions in the order of their moments, no two at one moment; none on a holiday."""
    found: list[Due] = []
    moments, number, listed = calendar.moments(day), date_number(day), ""
    afters = [moment for moment, _ in moments[1:]] + [NEVER]
    for (moment, transition), after in zip(moments, afters, strict=False):
        due = Due(moment, transition, _commands(transition, number), number)
        ends_call = listed in CALLS and "LISTED" in transition.modes and transition.phase not in GOING_ON
        found += _spread(due, after, ends) if ends_call and ends is not None else [due]
        if "LISTED" in transition.modes:
            listed = transition.phase
    return _with_windows(found, calendar.transfer_moments(day), number)


def _with_windows(dues: list[Due], moments: list[tuple[int, bool]], trading_date: int) -> list[Due]:
    """What opens and closes the transfer window among the day's dues, before all else of its moment."""
    for moment, is_open in moments:
        window = commands(1)
        window["kind"], window["scope"] = CommandKind.SET_TRANSFER_WINDOW, is_open
        at = next((n for n, due in enumerate(dues) if due.moment == moment), None)
        if at is None:
            dues.append(Due(moment, None, window, trading_date))
        else:
            dues[at] = dues[at]._replace(commands=np.concatenate([window, dues[at].commands]))
    return sorted(dues, key=lambda due: due.moment)


def _spread(due: Due, after: int, ends: CallEnds) -> list[Due]:
    """The end of a call in parts: for each instrument at its own moment, all of them before the moment `after`.

    A part that names an instrument which is not listed on that day is refused by the engine, and changes nothing.
    """
    parts: dict[int, list[CommandArray]] = defaultdict(list)
    for n in range(len(due.commands)):
        command = due.commands[n : n + 1]
        if command["scope"][0] != Mode.LISTED:
            parts[due.moment].append(command)
            continue
        for instrument in range(1, ends.instruments + 1):
            own = command.copy()
            own["instrument"] = instrument
            parts[min(due.moment + ends.delay(due.date, instrument), after - 1)].append(own)
    return [due._replace(moment=moment, commands=np.concatenate(parts[moment])) for moment in sorted(parts)]


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
