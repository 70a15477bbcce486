"""The kernel: every rule of the exchange, compiled, over one block of memory.

Where a rule lives: `admission` (checks and their order), `book` (queues, indexes), `matching` (price-time, five levels,
self-trade prevention), `ledger` (pre-funding, settlement of trades, fees), `orders` (what firms send), `day` (phases,
end of day), `registry` (firms, accounts, sessions, deposits), `blocks` and `negotiations` (block trades), `auctions`,
`encumbrances` (holds on units), `compliance` (allocation, obligations, surrender), `controls` and `limits` (kill
switches, corrections, limits), `further` and `replacing` (orders beyond plain ones), `veils` and `waiting` (icebergs,
hidden orders, the stop book), `stops`, `quotes`, `calls`, `uncross`, `corridor`, `pricing`, `instruments` (listing),
`registers` (tables by id), `events` (what is said), `dispatch` (the loop), `state` (canonical state).
"""

from __future__ import annotations

from engine.arena import event_buffer, new_arena
from engine.kernel.dispatch import bind
from engine.kernel.state import canonical_state, restore, start
from engine.schema import CommandArray, EventArray
from engine.venue import Venue


class Kernel:
    """The compiled implementation of `engine.core.Implementation`."""

    def __init__(self, venue: Venue) -> None:
        self._arena = new_arena(venue)
        self._apply = bind(self._arena)
        self._event_count = self._arena["event_count"]
        self._events: EventArray = event_buffer(self._arena)
        start(self._arena)

    def apply(self, commands: CommandArray) -> tuple[int, EventArray]:
        """As `Engine.apply`; `commands` is contiguous."""
        done = self._apply(commands)
        return done, self._events[: self._event_count.item(0)]

    def canonical_state(self) -> bytes:
        return canonical_state(self._arena)

    def restore(self, state: bytes) -> None:
        restore(self._arena, state)

    def last_client_order_id(self, session: int) -> int:
        sessions = self._arena[0]["sessions"]
        return int(sessions["last_client_order_id"][session]) if 0 <= session < len(sessions) else 0


__all__ = ["Kernel"]
