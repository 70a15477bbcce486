"""The kernel: every rule of the exchange, compiled, over one block of memory.

Where a rule lives: `admission` (checks and their order), `book` (queues, indexes), `matching` (price-time, five levels,
self-trade prevention), `ledger` (pre-funding, settlement of trades, fees), `orders` (what firms send), `day` (phases, end of
day), `registry` (firms, accounts, sessions, deposits), `events` (what is said), `dispatch` (the loop), `state` (canonical state).
"""

from __future__ import annotations

import numpy as np

from engine.arena import new_arena, new_events
from engine.kernel.compiler import is_cached, source_hash
from engine.kernel.dispatch import apply
from engine.kernel.state import canonical_state, restore, start
from engine.schema import CommandArray, EventArray
from engine.venue import Venue


class Kernel:
    """The compiled implementation of `engine.core.Implementation`."""

    def __init__(self, venue: Venue) -> None:
        self._arena = new_arena(venue)
        self._events = new_events(venue)
        self._event_words = self._events.view(np.int64).reshape(-1, 16)
        start(self._arena)

    def apply(self, commands: CommandArray) -> tuple[int, EventArray]:
        """As `Engine.apply`; `commands` is contiguous."""
        words = commands.view(np.int64).reshape(-1, 12)
        done = apply(self._arena, commands, words, self._events, self._event_words)
        return int(done), self._events[: self._arena[0]["event_count"]]

    def canonical_state(self) -> bytes:
        return canonical_state(self._arena)

    def restore(self, state: bytes) -> None:
        restore(self._arena, state)

    def last_client_order_id(self, session: int) -> int:
        sessions = self._arena[0]["sessions"]
        return int(sessions["last_client_order_id"][session]) if 0 <= session < len(sessions) else 0


__all__ = ["Kernel", "is_cached", "source_hash"]
