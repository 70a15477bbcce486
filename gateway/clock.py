"""Journal time: anchor + rate x CLOCK_MONOTONIC, never backwards. The anchor is journaled as CLOCK_ANCHOR."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from engine.control import command
from engine.schema import CommandArray, CommandKind
from engine.venue import utc_ns


class JournalClock:
    """UTC nanoseconds of the venue. `rate` above 1 runs the day faster than real time.

    Args:
        last: the latest time already used; no later reading lies before it.
        monotonic: the source, in nanoseconds.
    """

    def __init__(self, last: int, rate: int = 1, monotonic: Callable[[], int] = time.monotonic_ns) -> None:
        self.last = last
        self.rate = rate
        self._monotonic = monotonic
        self._journal = last
        self._anchor = monotonic()

    def anchor(self, journal_time: int) -> CommandArray:
        """Start counting at `journal_time` now; returns the CLOCK_ANCHOR command that says so."""
        self._journal = max(journal_time, self.last)
        self._anchor = self._monotonic()
        return command(
            CommandKind.CLOCK_ANCHOR, target=self._journal, expiry=self._anchor, quantity=self.rate, quantity2=1
        )

    def now(self) -> int:
        """The current journal time; at least the latest one used."""
        self.last = max(self.last, self._journal + (self._monotonic() - self._anchor) * self.rate)
        return self.last

    def peek(self) -> int:
        """The current journal time without using it up."""
        return max(self.last, self._journal + (self._monotonic() - self._anchor) * self.rate)

    def real_ms_until(self, journal_time: int) -> int:
        """Real milliseconds, rounded up, until the clock shows `journal_time`; 0 when it has passed."""
        ahead = journal_time - self.peek()
        return max(0, -(-ahead // (self.rate * 1_000_000)))


def parse_start(text: str) -> int:
    """ISO 8601 with offset -> UTC nanoseconds. Raises ValueError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f"start_time {text!r}: write a time with its offset, such as 2025-08-11T09:29:50+08:00")
    return utc_ns(moment)
