"""What a monitor tells, and how it does not tell the same thing again and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final, Literal

import msgspec

Severity = Literal["info", "warning", "critical"]
KEPT_SECONDS: Final = 60.0
"""What was told is remembered at least so long: whatever lasts is rung again in less."""
SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warning", "critical")


class Alert(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the monitor; as JSON a field that is zero or empty is left out."""

    time: int
    """When it was raised, UTC ns of this machine."""
    severity: Severity
    kind: str
    """A name that never changes, such as KILL_SWITCH."""
    text: str
    venue_time: int = 0
    """Of the event behind it."""
    event: int = 0
    """Its sequence in the journal."""
    instrument: str = ""
    session: int = 0
    value: int = 0
    """What was measured."""
    threshold: int = 0
    held_back: int = 0
    """Alerts of this kind about the same thing since the last one told."""


class Bell:
    """Raises alerts, each (kind, key) at most once in `repeat_seconds`.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, repeat_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._repeat = repeat_seconds
        self._clock = clock
        self._kept = max(repeat_seconds, KEPT_SECONDS)
        self._next_sweep = clock() + self._kept
        self._rung: dict[tuple[str, object], float] = {}
        self._held: dict[tuple[str, object], int] = {}

    def ring(self, severity: Severity, kind: str, text: str, key: object = "", **facts: int | str) -> list[Alert]:
        """The alert as a list of one; empty while it is held back."""
        name, now = (kind, key), self._clock()
        if now >= self._next_sweep:
            self._sweep(now)
        if name in self._rung and now - self._rung[name] < self._repeat:
            self._held[name] = self._held.get(name, 0) + 1
            return []
        self._rung[name] = now
        held = self._held.pop(name, 0)
        return [Alert(time.time_ns(), severity, kind, text, held_back=held, **facts)]  # type: ignore[arg-type]

    def forget(self, kind: str, key: object = "") -> bool:
        """What it was about is over: the next one is told at once. True when it had been told."""
        self._held.pop((kind, key), None)
        return self._rung.pop((kind, key), None) is not None

    def over(self, kind: str, told: str, text: str, keys: Iterable[object] = ("",), **facts: int | str) -> list[Alert]:
        """It is over: `told`, an info, once for every time that `kind` had been told about one of `keys`."""
        if not sum(self.forget(kind, key) for key in keys):
            return []
        self.forget(told)
        return self.ring("info", told, text, **facts)

    @property
    def remembered(self) -> int:
        """How many (kind, key) it remembers."""
        return len(self._rung)

    def _sweep(self, now: float) -> None:
        """Forget what was told long ago and not again: keys such as an event's sequence never come back."""
        self._next_sweep = now + self._kept
        self._rung = {name: at for name, at in self._rung.items() if now - at < self._kept or name in self._held}
