"""The kernel: every rule of the exchange, compiled, over one block of memory.

Where a rule lives: `admission` (checks and their order), `book` (queues) with `levels` and `index`, `matching`
(price-time, five levels, self-trade prevention), `ledger` (pre-funding, settlement of trades, fees), `orders` (what
firms send), `further` and `replacing` (the same beyond plain orders), `veils` (icebergs, hidden orders), `waiting`
and `stops`, `quotes`, `walk` (FOK, minimum quantity), `pricing` (MEDIAN3, LAST5), `corridor` (volatility
interruption), `calls`, `call_phases` and `uncross` (call auctions), `day` (phases, end of day), `registry` (firms,
accounts, sessions, deposits), `blocks` and `negotiations` (block trades), `auctions`, `encumbrances` (holds on
units), `compliance` (allocation, obligations, surrender), `controls` and `limits` (kill switches, corrections,
limits), `instruments` (listing), `registers` (tables by id), `events` (what is said), `dispatch` and `seldom` (the
two loops), `state` (canonical state).
"""

from __future__ import annotations

from engine.founding import event_buffer, new_arena, touch
from engine.kernel.dispatch import bind
from engine.kernel.state import canonical_state, restore, start
from engine.schema import CommandArray, EventArray
from engine.venue import Venue


class Kernel:
    """The compiled implementation of `engine.core.Implementation`."""

    def __init__(self, venue: Venue) -> None:
        self._arena = new_arena(venue)
        self._apply = bind(self._arena)
        self._events: EventArray = event_buffer(self._arena)
        start(self._arena)

    def apply(self, commands: CommandArray) -> tuple[int, EventArray]:
        """As `Engine.apply`; `commands` is contiguous."""
        done, events = self._apply(commands)
        return done, self._events[:events]

    def canonical_state(self) -> bytes:
        return canonical_state(self._arena)

    def restore(self, state: bytes) -> None:
        restore(self._arena, state)

    def last_client_order_id(self, session: int) -> int:
        sessions = self._arena[0]["sessions"]
        return int(sessions["last_client_order_id"][session]) if 0 <= session < len(sessions) else 0

    def touch(self) -> None:
        touch(self._arena)


__all__ = ["Kernel"]
