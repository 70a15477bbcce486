"""The random end of call auctions (docs/call-auctions.md 12.5): a seed for each trading date, committed to beforehand.

The seed of a date is drawn from the server's secret key, so a restart finds the same one and nothing has to be kept;
who does not have the key cannot foresee it. Its SHA-256 is journaled before the day's first transition, the seed itself
behind the day's end: then everybody can recompute when each call was to end. What counts is the journaled SET_PHASE.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final, NamedTuple

from msgspec import structs

from engine.venue import Venue, number_date
from engine.venue.call_end import call_end_offset
from replay.reports.call_ends import COMMITTED, REVEALED

_PURPOSE: Final = b"carbonbook end of calls "
KEY: Final = "call_random_end_seconds"


class CallEnds(NamedTuple):
    """Draws the ends of one venue's calls.

    Attributes:
        secret: nobody else's; seeds are derived from it.
        instruments: how many the venue has.
        windows: instrument -> seconds within which its calls end; those that end on time are not in it.
    """

    secret: bytes
    instruments: int
    windows: Mapping[int, int]

    def seed(self, date: int) -> bytes:
        """The 32 bytes of a trading date (YYYYMMDD)."""
        return hmac.digest(self.secret, _PURPOSE + str(date).encode(), "sha256")

    def delay(self, date: int, instrument: int) -> int:
        """How much later than the calendar says a call ends, ns."""
        return call_end_offset(self.seed(date), date, instrument, self.windows.get(instrument, 0))

    def commitment(self, date: int) -> str:
        """The note before a day's first transition."""
        return COMMITTED.format(number_date(date), hashlib.sha256(self.seed(date)).hexdigest())

    def reveal(self, date: int) -> str:
        """The note behind a day's end."""
        return REVEALED.format(number_date(date), self.seed(date).hex())


def windows_of(venue: Venue) -> dict[int, int]:
    """Instrument -> seconds, for the instruments whose calls end at random.

    Read by the key's name: a venue of rules without call auctions does not have it.
    """
    found = {n: int(structs.asdict(i).get(KEY, 0)) for n, i in enumerate(venue.instruments, 1)}
    return {number: seconds for number, seconds in found.items() if seconds}
