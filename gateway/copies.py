"""What each receiver of an event may see: the rules of `gateway.routing`, one event at a time, compiled.

Compiled because the same few rules must serve a lone order, where a dozen array operations would cost more than the
order itself, and thousands of events at once. With NUMBA_DISABLE_JIT=1 the same source runs as plain Python.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import types
from numpy.typing import NDArray

from engine.schema import EVENT, EventArray, EventFlag, EventKind, Reason, Side
from gateway.compiled import COMPILED, by_address, part, pointer, view

_MAKER: Final = int(EventFlag.MAKER)


@part
def is_two_sided(kind: int) -> bool:
    """Kinds that name two parties, each of whom gets its own half."""
    return (
        kind == EventKind.TRADE
        or kind == EventKind.FEE
        or kind == EventKind.DECREMENTED
        or kind == EventKind.BLOCK_TRADE
        or kind == EventKind.AUCTION_TRADE
    )


@part
def swap_parties(c: Any) -> None:
    """The second party's things where the first one's stand."""
    c.account, c.contra_account = c.contra_account, c.account
    c.order_id, c.contra_order_id = c.contra_order_id, c.order_id
    c.client_order_id, c.contra_client_order_id = c.contra_client_order_id, c.client_order_id
    c.remaining, c.contra_remaining = c.contra_remaining, c.remaining
    c.session, c.contra_session = c.contra_session, c.session


@part
def hide_other_party(c: Any) -> None:
    c.contra_account = 0
    c.contra_order_id = 0
    c.contra_client_order_id = 0
    c.contra_remaining = 0
    c.contra_session = 0


@part
def make_half(c: Any, second: bool) -> None:
    """A trade's or fee's half, with this side's own money: improvement to the buyer, released units to the seller."""
    if second:
        swap_parties(c)
        if c.aggressor > 0:
            c["flags"] |= _MAKER  # a record of NumPy's has `flags` of its own
    hide_other_party(c)
    if c.kind == EventKind.FEE:
        c.side = Side.SELL if second else Side.BUY
        if second:
            c.aux = c.aux2
        c.aux2 = 0
        return
    if c.side == Side.NONE:  # a call auction: the buyer comes first
        c.side = Side.BUY
    if second:
        c.side = 3 - c.side
    if c.side == Side.SELL:
        c.aux = 0
    if c.side == Side.BUY:
        c.aux2 = 0


@part
def make_owners(c: Any) -> None:
    """The copy of who owns the order (or countered), when another session's command was the cause."""
    if c.kind == EventKind.BLOCK_COUNTERED:
        c.aux2 = 0
    c.contra_client_order_id = 0
    c.contra_session = 0


@part
def make_causers(c: Any) -> None:
    """The copy of the session whose command caused it (or whose terms stood before)."""
    left = c.kind == EventKind.BLOCK_ENDED and c.reason == Reason.USER_REQUESTED
    if left or c.kind == EventKind.BLOCK_COUNTERED:
        c.aux = 0
    if c.reason == Reason.SELF_TRADE_PREVENTED:
        c.account = 0
        c.aux = 0
    c.client_order_id = c.contra_client_order_id
    c.session = c.contra_session
    c.contra_client_order_id = 0
    c.contra_session = 0


@part
def write_copies(events: Any, copies: Any, to: Any, count: int) -> int:
    """Write every receiver's copy behind one another, an event's second one behind its first; returns how many.

    Args: events EVENT[count]; copies EVENT[2 * count]; to int32[2 * count], whom each copy is for.
    """
    made = 0
    for i in range(count):
        e = events[i]
        half = is_two_sided(e.kind)
        foreign = e.contra_session > 0 and e.contra_session != e.session
        if e.session > 0:
            copies[made] = e
            to[made] = e.session
            if half:
                make_half(copies[made], False)
            elif foreign:
                make_owners(copies[made])
            made += 1
        if foreign or (half and e.contra_session > 0):
            copies[made] = e
            to[made] = e.contra_session
            if half:
                make_half(copies[made], True)
            else:
                make_causers(copies[made])
            made += 1
    return made


if COMPILED:

    @by_address(pointer(EVENT), pointer(EVENT), pointer(np.dtype(np.int32)), types.int64)
    def write_copies_at(events, copies, to, count):  # type: ignore[no-untyped-def]
        return write_copies(view(events, (count,)), view(copies, (2 * count,)), view(to, (2 * count,)), count)

    def copies_of(events: EventArray) -> tuple[EventArray, NDArray[np.int32]]:
        """Every receiver's copy in event order, an event's second one behind its first, and whom each is for."""
        count = len(events)
        copies, to = np.empty(2 * count, EVENT), np.empty(2 * count, np.int32)
        events = np.ascontiguousarray(events)
        made = write_copies_at(events.ctypes.data, copies.ctypes.data, to.ctypes.data, count)
        return copies[:made], to[:made]

else:

    def copies_of(events: EventArray) -> tuple[EventArray, NDArray[np.int32]]:
        """Every receiver's copy in event order, an event's second one behind its first, and whom each is for."""
        copies, to = np.empty(2 * len(events), EVENT), np.empty(2 * len(events), np.int32)
        made = write_copies(events, copies, to, len(events))
        return copies[:made], to[:made]
