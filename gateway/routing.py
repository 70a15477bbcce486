"""Who sees which event: every firm its own half, the other side anonymous.

An event goes to the session that owns the order and to the session that sent the command. Some concern a firm, whoever
sent the command: its sessions are pushed a copy. The rules (`gateway.copies` carries them out for two parties,
`gateway.pushes` for the others) depend on the event and on what was opened before it alone, so a record that is sent
again, from memory or from the journal, is byte-identical to the first one.

* TRADE, BLOCK_TRADE, AUCTION_TRADE, FEE, DECREMENTED name two parties. The owner of the second one gets the halves
  swapped, with flag MAKER where the event has a taker; all contra fields are zero in both copies. In an auction the
  bidder comes first and the initiator second; a TRADE of a call auction has side 0, which means that the buyer comes
  first, and each copy states its receiver's side. A trade's `aux` (cash released to the buyer) goes to the buyer only;
  DECREMENTED's `aux2` (units released) to the seller only. A FEE states the receiver's side and its own fee in `aux`.
* CANCELLED, EXPIRED, REPLACED, BID_REPLACED, BID_ENDED, BLOCK_ENDED name the owner and the command that caused them.
  When that command came from another session, the owner's copy does not name it, and that session gets a copy with its
  own number in client_order_id; when self-trade prevention took another session's order, that copy shows neither
  account nor money, and when the other party of a negotiation ended it, no money.
* A triggered stop acts in its own name: whoever's trades triggered it learns nothing of it.
* TRIGGERED and REFRESHED go to the order's owner. CALL_UNCROSSED goes to who ended the call, its trades to both sides.
* BLOCK_COUNTERED names who countered and whose terms stood before. Both get it with their own number; the amount locked
  for the new terms goes to the one, the amount released to the other.
* Money and units that come and go, allocations, obligations, surrender, cancelled units, carry-over and holds are
  pushed to the account's firm; the initiator's is told when its lots are frozen later, or the auction is cancelled. A
  hold placed or released goes to the creditor's firm too; a receiver of realised units sees neither owner nor what is
  left. Of a cancelled trade each firm gets its half: the buyer's has `aux`, the seller's `aux2`. Of a negotiation the
  firm of the named counterparty is pushed offers, counter-offers and ends, without the other's money.
* A pushed copy has no number of a command. A session that gets an event for another reason is not pushed it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from engine.schema import EVENT, EventArray
from gateway.copies import copies_of
from gateway.directory import Directory
from gateway.pushes import IS_PUSHED, TO_OTHER, TO_OWNER, pushes, with_pushes
from gateway.records import pick

_ROW: Final = np.dtype(f"V{EVENT.itemsize}")


class Delivery(NamedTuple):
    """Records for one session, in event order."""

    session: int
    records: EventArray


def deliveries(events: EventArray, directory: Directory) -> list[Delivery]:
    """What each session gets of `events`, by session id; session 0, the venue itself, gets nothing.

    Args:
        directory: knows what `events` and everything before them have opened.
    """
    copies, to = copies_of(events)
    if IS_PUSHED[events["kind"]].any():
        copies, to = with_pushes(events, copies, to, directory)
    if not len(to):
        return []
    if to[0] == to[-1] and (to == to[0]).all():
        return [Delivery(int(to[0]), copies)]
    # A stable sort keeps the event order; that of short integers is several times as quick.
    order = np.argsort(to.astype(np.uint16) if to.max() < 1 << 16 else to, kind="stable")
    records, to = copies.view(_ROW).take(order).view(EVENT), to[order]
    edges = [0, *(np.flatnonzero(to[1:] != to[:-1]) + 1).tolist(), len(to)]
    sessions = to[edges[:-1]].tolist()
    return [Delivery(session, records[a:b]) for session, (a, b) in zip(sessions, pairwise(edges), strict=True)]


def for_session(events: EventArray, session: int, directory: Directory) -> EventArray:
    """The records of one session among `events`: the bytes that `deliveries` gives."""
    mine = (events["session"] == session) | (events["contra_session"] == session)
    kind = events["kind"]
    if IS_PUSHED[kind].any():
        accounts = directory.accounts_of(session)
        mine |= TO_OWNER[kind] & np.isin(events["account"], accounts)
        mine |= TO_OTHER[kind] & np.isin(events["contra_account"], accounts)
    found = [d.records for d in deliveries(pick(events, mine), directory) if d.session == session]
    return found[0] if found else events[:0]


def last_events(events: EventArray, directory: Directory) -> dict[int, int]:
    """Session -> sequence of the last event in `events` that it gets."""
    if not len(events):
        return {}
    sessions = [events[name] for name in ("session", "contra_session")]
    last = np.zeros(max(int(each.max()) for each in sessions) + 1, np.int64)
    for each in sessions:
        # Sequences ascend, and of several values for one place the last one stays.
        reached = np.zeros_like(last)
        reached[each] = events["sequence"]
        np.maximum(last, reached, out=last)
    last[0] = 0
    found = {session: int(last[session]) for session in np.flatnonzero(last).tolist()}
    for index, session, _ in pushes(events, directory):
        found[session] = max(found.get(session, 0), int(events["sequence"][index]))
    return found


def pages(records: EventArray, limit: int) -> list[EventArray]:
    """Cut one session's records into pieces of at most `limit`; both halves of a trade with itself stay together."""
    cuts = [0]
    while cuts[-1] + limit < len(records):
        end = cuts[-1] + limit
        cuts.append(end - int(records["sequence"][end] == records["sequence"][end - 1]))
    return [records[a:b] for a, b in zip(cuts, [*cuts[1:], len(records)], strict=True)]
