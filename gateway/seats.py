"""What changes with every frame of a session, as one row of a table that compiled loops and Python share.

A row belongs to a session; a session has at most one connection, whose counts stand in it, too.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from engine.schema.records import record

_BUCKET: Final = ("rate", "burst", "at", "tokens")
SEAT: Final = record(
    [
        ("session", "<i8"),
        ("operator", "<i8"),
        # The connection: times are CLOCK_MONOTONIC ns, bytes counted from the logon.
        ("connected", "<i8"),
        ("socket", "<i8"),
        ("routing", "<i8"),
        ("heard", "<i8"),
        ("sent", "<i8"),
        ("sent_bytes", "<i8"),
        ("confirmed_bytes", "<i8"),
        ("acknowledged", "<i8"),
        # The session.
        ("last_number", "<i8"),
        ("consumed", "<i8"),
        ("last_event", "<i8"),
        ("taken", "<i8"),
        # Its throttles: tokens as of `at`.
        *[(f"{name}_{part}", "<f8" if part == "tokens" else "<i8") for name in ("order", "cancel") for part in _BUCKET],
        # Notes of a loop at work. Between two, `seen`, `copies`, `write_at` and `in_page` are 0.
        ("seen", "<i8"),
        ("number", "<i8"),
        ("orders", "<i8"),
        ("cancels", "<i8"),
        ("token", "<i8"),
        ("copies", "<i8"),
        ("write_at", "<i8"),
        ("page", "<i8"),
        ("page_at", "<i8"),
        ("in_page", "<i8"),
    ]
)
MOST: Final = 16_384
"""Rows of a table: the most sessions that a venue may have, and row 0."""


def seats() -> Any:
    """A table, SEAT[16384], row = session number. Only the rows that are used take memory."""
    return np.zeros(MOST, SEAT)


def seat() -> Any:
    """A row of its own."""
    return np.zeros(1, SEAT)[0]


class Kept:
    """An attribute, an integer, that is kept in the row `seat` of its object."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, owner: Any, _: type) -> int:
        return int(owner.seat[self._name])

    def __set__(self, owner: Any, value: int) -> None:
        owner.seat[self._name] = value


class Bucket:
    """A token bucket on real time: `rate` a second, at most `burst` at once.

    Args:
        row, name: the seat that keeps it, and "order" or "cancel"; without one it has a row of its own.
    """

    def __init__(self, rate: int, burst: int, row: Any = None, name: str = "order") -> None:
        self._row = seat() if row is None else row
        self._tokens, self._at = f"{name}_tokens", f"{name}_at"
        self.rate = self._row[f"{name}_rate"] = rate
        self.burst = self._row[f"{name}_burst"] = burst

    @property
    def tokens(self) -> float:
        """As last seen."""
        return float(self._row[self._tokens])

    def take(self, count: int, now: int) -> bool:
        """Take `count` tokens at monotonic time `now` (ns) when there are enough."""
        tokens = refilled(self.tokens, self.rate, self.burst, int(self._row[self._at]), now)
        enough = tokens >= count
        self._row[self._tokens], self._row[self._at] = tokens - (count if enough else 0), now
        return enough

    def wait_ms(self, count: int) -> int:
        """Milliseconds, rounded up, until `count` tokens are there, as last seen; 0 = never."""
        if count > self.burst or not self.rate:
            return 0
        return max(1, int((count - self.tokens) * 1_000 / self.rate) + 1)


def refilled(tokens: float, rate: int, burst: int, at: int, now: int) -> float:
    """What is in a bucket at `now`; full when it was never asked."""
    if at == 0:
        return burst * 1.0
    return min(burst * 1.0, tokens + (now - at) / 1e9 * rate)


def confirmed(so_far: int, sent: int, token: int) -> int:
    """Bytes that a client has confirmed, when its token says how many it has received in all, modulo 2^32."""
    ahead = (token - so_far) & 0xFFFFFFFF
    # More than was sent is no honest count; it must not buy credit.
    return so_far + ahead if so_far + ahead <= sent else so_far
