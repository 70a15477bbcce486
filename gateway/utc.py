"""How far this machine's clock may be from UTC, as its kernel tells (Regulation (EU) 2017/574, RTS 25).

The kernel keeps what the machine's time service (chrony, ntpd, PTP) has told it: whether the clock is disciplined, an
estimate of its error, and a bound that grows while nothing is heard. Where that cannot be read, it is unknown, and said
to be so. Only Linux is read.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from gateway.clock import JournalClock
from gateway.wire_status import ClockStatus

STA_UNSYNC: Final = 0x0040
LEAPS: Final = {0: "none", 1: "insert", 2: "delete", 3: "in progress", 4: "past"}
"""By the kernel's state of the clock."""
TIME_ERROR: Final = 5
Verdict = Literal["within", "unproven", "beyond", "unsynchronised", "unknown", "own time"]
CLOCK_TEXT: Final[dict[str, str]] = {
    "within": "within the limit",
    "unproven": "estimated within the limit, but the bound on the error is beyond it",
    "beyond": "beyond the limit",
    "unsynchronised": "the machine's clock is not synchronised with UTC",
    "unknown": "unknown: this machine does not tell",
    "own time": "the venue lives on a time of its own; no limit applies",
}
"""What each verdict means, for people."""


class Timex(ctypes.Structure):
    """Linux's `struct timex` (adjtimex(2))."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        *((name, ctypes.c_long) for name in ("offset", "freq", "maxerror", "esterror")),
        ("status", ctypes.c_int),
        *((name, ctypes.c_long) for name in ("constant", "precision", "tolerance", "seconds", "part", "tick")),
        *((name, ctypes.c_long) for name in ("ppsfreq", "jitter")),
        ("shift", ctypes.c_int),
        *((name, ctypes.c_long) for name in ("stabil", "jitcnt", "calcnt", "errcnt", "stbcnt")),
        ("tai", ctypes.c_int),
        ("padding", ctypes.c_int * 11),
    )


class Reading(NamedTuple):
    """What the kernel says. Errors in ns; `leap`: the second that is about to be inserted or deleted."""

    synchronised: bool
    estimated_error: int
    max_error: int
    leap: str


def read_kernel() -> Reading | None:
    """The kernel's present word on the clock; None where it cannot be read. Changes nothing."""
    if not sys.platform.startswith("linux"):
        return None
    timex = Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return None
    if state < 0:
        return None
    synchronised = state != TIME_ERROR and not timex.status & STA_UNSYNC
    return Reading(synchronised, timex.esterror * 1_000, timex.maxerror * 1_000, LEAPS.get(state, "unknown"))


class UtcWatch:
    """The distance of one venue's time from UTC.

    Args:
        clock: the journal's.
        is_real: whether the venue lives in real time.
        limit_us: the largest divergence allowed, microseconds.
        read: reads the kernel's word.
    """

    def __init__(
        self, clock: JournalClock, is_real: bool, limit_us: int, read: Callable[[], Reading | None] = read_kernel
    ) -> None:
        self._clock = clock
        self._is_real = is_real
        self._limit = limit_us * 1_000
        self._read = read

    def status(self) -> ClockStatus:
        """As of now. `venue_offset`: journal time less this machine's clock."""
        offset = self._clock.peek() - time.time_ns() if self._is_real else 0
        found = self._read()
        if found is None:
            return ClockStatus("unknown" if self._is_real else "own time", self._limit, False, 0, 0, "unknown", offset)
        return ClockStatus(self._verdict(found, abs(offset)), self._limit, *found, venue_offset=offset)

    def _verdict(self, found: Reading, offset: int) -> Verdict:
        if not self._is_real:
            return "own time"
        if not found.synchronised:
            return "unsynchronised"
        if offset + found.estimated_error > self._limit:
            return "beyond"
        return "within" if offset + found.max_error <= self._limit else "unproven"


def clock_text(status: ClockStatus) -> str:
    """One line for people."""
    if status.verdict == "own time":
        return f"clock: {CLOCK_TEXT['own time']}"
    if status.verdict == "unknown":
        return f"clock: distance to UTC {CLOCK_TEXT['unknown']}; limit {status.limit / 1_000:,.0f} us"
    facts = f"estimated error {status.estimated_error / 1_000:,.0f} us, at most {status.max_error / 1_000:,.0f} us"
    offset = f"venue {status.venue_offset / 1_000:+,.0f} us beside the machine"
    leap = "" if status.leap == "none" else f", leap second: {status.leap}"
    return (
        f"clock: {CLOCK_TEXT[status.verdict]} ({facts}, {offset}{leap}; limit {status.limit / 1_000:,.0f} us of"
        " divergence from UTC)"
    )
