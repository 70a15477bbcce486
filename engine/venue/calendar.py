"""The trading calendar: local wall-clock transitions, trading days, dates as numbers."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from engine.schema import Mode, Phase
from engine.venue.errors import VenueError

PhaseName = Literal["CLOSED", "PRE_OPEN", "OPEN_CALL", "CONTINUOUS", "BREAK", "CLOSE_CALL", "HALT"]
ModeName = Literal["LISTED", "BLOCK", "BIDDING"]


class Transition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At `at` local time, `modes` enter `phase`; END runs the end of day (stop, expire, fix close, settle)."""

    at: time
    phase: PhaseName | Literal["END"]
    modes: tuple[ModeName, ...] = ("LISTED",)
    no_cancel: bool = False
    """From this moment on a call is frozen: orders may be entered, not cancelled (KRX: its last minute)."""


class TransferWindow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Transfers may be asked for from `opens` on and before `closes`, local time of one day."""

    opens: time
    closes: time


class Calendar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Local wall-clock transitions of a trading day. Weekdays count from 1 (Monday) to 7."""

    timezone: str = "UTC"
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5)
    holidays: tuple[date, ...] = ()
    transitions: tuple[Transition, ...] = ()
    transfer_windows: tuple[TransferWindow, ...] = ()
    """When transfers from and to the registry may be asked for, on trading days; none = at any time."""

    @property
    def acts(self) -> bool:
        """Whether there is anything that it sends by itself."""
        return bool(self.transitions or self.transfer_windows)

    def is_trading_day(self, day: date) -> bool:
        return day.isoweekday() in self.weekdays and day not in self.holidays

    def next_trading_day(self, day: date) -> date:
        """The first trading day after `day`."""
        for ahead in range(1, 400):
            candidate = day + timedelta(days=ahead)
            if self.is_trading_day(candidate):
                return candidate
        raise VenueError("calendar: no trading day within 400 days; check weekdays and holidays")

    def moments(self, day: date) -> list[tuple[int, Transition]]:
        """The day's transitions as (UTC nanoseconds, transition), in time order; empty on a holiday."""
        if not self.is_trading_day(day):
            return []
        found = [(self._moment(day, t.at), t) for t in self.transitions]
        return sorted(found, key=lambda pair: pair[0])

    def transfer_moments(self, day: date) -> list[tuple[int, bool]]:
        """When the day's transfer windows open (true) and close, as UTC nanoseconds; empty on a holiday."""
        if not self.is_trading_day(day):
            return []
        found = [(w.opens, True) for w in self.transfer_windows] + [(w.closes, False) for w in self.transfer_windows]
        return sorted((self._moment(day, at), opens) for at, opens in found)

    def _moment(self, day: date, at: time) -> int:
        return utc_ns(datetime.combine(day, at, tzinfo=ZoneInfo(self.timezone)))


def utc_ns(moment: datetime) -> int:
    """An aware datetime as UTC nanoseconds, exactly."""
    since = moment - datetime.fromtimestamp(0, ZoneInfo("UTC"))
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000


def date_number(day: date) -> int:
    """2025-08-11 -> 20250811."""
    return day.year * 10_000 + day.month * 100 + day.day


def number_date(number: int) -> date:
    """20250811 -> 2025-08-11. Raises ValueError when it is no date."""
    return date(number // 10_000, number // 100 % 100, number % 100)


MODES: Final[dict[str, Mode]] = {mode.name: mode for mode in Mode}
PHASES: Final[dict[str, Phase]] = {phase.name: phase for phase in Phase}
