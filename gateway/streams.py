"""A session's own event records again: from memory where they reach back far enough, else from the journal."""

from __future__ import annotations

from typing import Final, NamedTuple

from engine.schema import EventArray
from gateway.directory import Directory
from gateway.exchange import Exchange
from gateway.records import join
from gateway.routing import for_session, pages

SCAN: Final = 65_536
"""Events looked through at a time."""


class Page(NamedTuple):
    """`reached`: the last event sequence looked at; `complete`: nothing of the session lies behind it."""

    records: EventArray
    reached: int
    complete: bool


class Streams:
    """Reads back what each session was sent; the bytes are those first sent."""

    def __init__(self, exchange: Exchange, directory: Directory) -> None:
        self._exchange = exchange
        self._directory = directory

    def page(self, session: int, after: int, last: int, limit: int) -> Page:
        """About `limit` records of `session` with sequences above `after`, up to `last`, its last one."""
        found: list[EventArray] = [self._exchange.recent.events_after(0, 0)]
        reached, room = after, limit
        while reached < last and room > 0:
            events = self._events(reached)
            mine = for_session(events, session, self._directory)
            kept = pages(mine, max(2, room))[0]
            found.append(kept)
            room -= len(kept)
            reached = int(events["sequence"][-1] if len(kept) == len(mine) else kept["sequence"][-1])
        return Page(join(found), reached, reached >= last)

    def _events(self, after: int) -> EventArray:
        recent = self._exchange.recent
        if after >= recent.oldest_event - 1:
            return recent.events_after(after, SCAN)
        return next(iter(self._exchange.reader.events(after + 1)))
