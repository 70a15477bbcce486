"""A client that knows what time it is at the exchange."""

from __future__ import annotations

import time
from typing import Any

from gateway.client import Client


class TimedClient(Client):
    """Counts on from the journal time that every logon answer brings; stands still while there is no connection.

    Args:
        rate: seconds of the exchange's day per real second.
    """

    def __init__(self, endpoint: str, rate: int, **options: Any) -> None:
        self._rate = rate
        self._noted: Any = None
        self._noted_at = self._time = 0
        super().__init__(endpoint, **options)
        self._note_logon()

    def pump(self, timeout: float = 0.0) -> None:
        super().pump(timeout)
        self._note_logon()

    def _note_logon(self) -> None:
        answer = self._link.answer
        if answer is not self._noted:
            self._noted, self._noted_at = answer, time.monotonic_ns()

    def now(self) -> int:
        """Journal time, UTC ns."""
        if self.connected:
            self._time = int(self._noted.journal_time + (time.monotonic_ns() - self._noted_at) * self._rate)
        return self._time
