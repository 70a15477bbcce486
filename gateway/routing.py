"""Who sees which event: every firm its own half, the other side anonymous.

An event goes to the session that owns the order and to the session that sent the command. The rules here depend on
the event alone, so a record that is sent again, from memory or from the journal, is byte-identical to the first one.

* TRADE, FEE, DECREMENTED name two orders. The owner of the second one gets the halves swapped, with flag MAKER where
  the event has a taker; all contra fields are zero in both copies. A trade's `aux` (cash released to the buyer) goes to
  the buyer only; DECREMENTED's `aux2` (units released) to the seller only. A FEE goes to both sides of the TRADE before
  it and states the receiver's side and its own fee in `aux`.
* CANCELLED, EXPIRED, REPLACED name the order's owner and the command that caused them. When that command came from
  another session, the owner's copy does not name it, and that session gets a copy with its own number in
  client_order_id; when self-trade prevention took another session's order, that copy shows neither account nor money.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.schema import EventArray, EventFlag, EventKind, Reason, Side
from gateway.records import pick

TWO_SIDED: Final = frozenset({int(EventKind.TRADE), int(EventKind.FEE), int(EventKind.DECREMENTED)})
"""Kinds that name two orders."""
_TWO_SIDED: Final = np.isin(np.arange(256), list(TWO_SIDED))
_HALVES: Final = (
    ("account", "contra_account"),
    ("order_id", "contra_order_id"),
    ("client_order_id", "contra_client_order_id"),
    ("remaining", "contra_remaining"),
    ("session", "contra_session"),
)


class Delivery(NamedTuple):
    """Records for one session, in event order."""

    session: int
    records: EventArray


def deliveries(events: EventArray) -> list[Delivery]:
    """What each session gets of `events`, by session id; session 0, the venue itself, gets nothing."""
    if not len(events):
        return []
    own, contra = events["session"], events["contra_session"]
    first = int(own[0])
    if len(events) == 1 and not int(contra[0]):
        # The most frequent case by far: one command, one answer.
        return [Delivery(first, events)] if first > 0 else []
    two_sided = _TWO_SIDED[events["kind"]]
    if not two_sided.any() and (own == first).all() and ((contra == 0) | (contra == first)).all():
        return [Delivery(first, events)] if first > 0 else []
    events = _fees_of_both(events)
    own, contra = events["session"], events["contra_session"]
    second = (contra > 0) & ((contra != own) | two_sided)
    where = np.concatenate([np.flatnonzero(own > 0), np.flatnonzero(second)])
    swapped = np.zeros(len(where), bool)
    swapped[int((own > 0).sum()) :] = True
    to = np.where(swapped, contra[where], own[where])
    order = np.lexsort((swapped, where, to))
    records, to = _copies(pick(events, where[order]), swapped[order]), to[order]
    edges = [0, *(np.flatnonzero(np.diff(to)) + 1).tolist(), len(to)]
    return [Delivery(int(to[a]), records[a:b]) for a, b in pairwise(edges) if a < b]


def for_session(events: EventArray, session: int) -> EventArray:
    """The records of one session among `events`, which must not begin with a FEE: the bytes that `deliveries` gives."""
    mine = (events["session"] == session) | (events["contra_session"] == session)
    fee = np.flatnonzero(events["kind"] == EventKind.FEE)
    mine[fee] = mine[fee - 1]
    found = [d.records for d in deliveries(pick(events, mine)) if d.session == session]
    return found[0] if found else events[:0]


def last_events(events: EventArray) -> dict[int, int]:
    """Session -> sequence of the last event in `events` that it gets."""
    events = _fees_of_both(events)
    found: dict[int, int] = {}
    for name in ("session", "contra_session"):
        sessions, at = np.unique(events[name][::-1], return_index=True)
        for session, sequence in zip(sessions.tolist(), events["sequence"][::-1][at].tolist(), strict=True):
            found[session] = max(found.get(session, 0), sequence)
    found.pop(0, None)
    return found


def pages(records: EventArray, limit: int) -> list[EventArray]:
    """Cut one session's records into pieces of at most `limit`; both halves of a trade with itself stay together."""
    cuts = [0]
    while cuts[-1] + limit < len(records):
        end = cuts[-1] + limit
        cuts.append(end - int(records["sequence"][end] == records["sequence"][end - 1]))
    return [records[a:b] for a, b in zip(cuts, [*cuts[1:], len(records)], strict=True)]


def _fees_of_both(events: EventArray) -> EventArray:
    """A FEE names the taker's session only: give it the buyer's and the seller's, known from the TRADE before it."""
    fee = np.flatnonzero(events["kind"] == EventKind.FEE)
    if len(fee):
        events = events.copy()
        trade = pick(events, fee - 1)
        buys = trade["side"] == Side.BUY
        events["session"][fee] = np.where(buys, trade["session"], trade["contra_session"])
        events["contra_session"][fee] = np.where(buys, trade["contra_session"], trade["session"])
    return events


def _copies(records: EventArray, swapped: NDArray[np.bool_]) -> EventArray:
    """Turn full events into what their receivers may see; `swapped` marks copies for the second session."""
    kind = records["kind"]
    two_sided = _TWO_SIDED[kind]
    maker = swapped & two_sided
    for mine, other in _HALVES:
        value = records[mine][maker]
        records[mine][maker] = records[other][maker]
        records[other][maker] = value
    _money(records, kind, maker)
    with_taker = maker & (kind != EventKind.FEE)
    records["flags"][with_taker] |= int(EventFlag.MAKER)
    for _, other in _HALVES:
        records[other][two_sided] = 0
    _caused(records, swapped & ~two_sided, ~swapped & ~two_sided)
    return records


def _money(records: EventArray, kind: NDArray[Any], maker: NDArray[np.bool_]) -> None:
    """Each side's own money: improvement to the buyer, released units to the seller, to each its fee."""
    fee = kind == EventKind.FEE
    traded = _TWO_SIDED[kind] & ~fee
    side = records["side"]
    side[maker & traded & (side > 0)] = 3 - side[maker & traded & (side > 0)]
    side[fee] = np.where(maker[fee], int(Side.SELL), int(Side.BUY))
    records["aux"][fee & maker] = records["aux2"][fee & maker]
    records["aux2"][fee] = 0
    records["aux"][traded & (side == Side.SELL)] = 0
    records["aux2"][traded & (side == Side.BUY)] = 0


def _caused(records: EventArray, to_sender: NDArray[np.bool_], to_owner: NDArray[np.bool_]) -> None:
    """One-sided events whose order and command belong to different sessions."""
    foreign = to_owner & (records["contra_session"] > 0) & (records["contra_session"] != records["session"])
    records["contra_client_order_id"][foreign] = 0
    records["contra_session"][foreign] = 0
    prevented = to_sender & (records["reason"] == Reason.SELF_TRADE_PREVENTED)
    records["account"][prevented] = 0
    records["aux"][prevented] = 0
    records["client_order_id"][to_sender] = records["contra_client_order_id"][to_sender]
    records["session"][to_sender] = records["contra_session"][to_sender]
    records["contra_client_order_id"][to_sender] = 0
    records["contra_session"][to_sender] = 0
