"""Who sees which event: every firm its own half, the other side anonymous.

An event goes to the session that owns the order and to the session that sent the command. Some concern a firm, whoever
sent the command: its sessions are pushed a copy. The rules here depend on the event and on what was opened before it
alone, so a record that is sent again, from memory or from the journal, is byte-identical to the first one.

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
  pushed to the account's firm. A hold placed or released goes to the creditor's firm too; a receiver of realised units
  sees neither owner nor what is left. Of a cancelled trade each firm gets its half: the buyer's has `aux`, the seller's
  `aux2`. Of a negotiation the firm of the named counterparty is pushed offers, counter-offers and ends, without the
  other's money.
* A pushed copy has no number of a command. A session that gets an event for another reason is not pushed it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.schema import EventArray, EventFlag, EventKind, Reason, Side
from gateway.directory import Directory
from gateway.records import pick

TWO_SIDED: Final = frozenset(
    int(kind)
    for kind in (
        EventKind.TRADE,
        EventKind.FEE,
        EventKind.DECREMENTED,
        EventKind.BLOCK_TRADE,
        EventKind.AUCTION_TRADE,
    )
)
"""Kinds that name two parties, each of whom gets its own half."""
_TWO_SIDED: Final = np.isin(np.arange(256), list(TWO_SIDED))
_HOLDS: Final = (EventKind.HOLD_PLACED, EventKind.HOLD_RELEASED, EventKind.HOLD_REALISED)
_TO_OWNER: Final = np.isin(
    np.arange(256),
    [
        *(*_HOLDS, EventKind.TRADE_BUSTED, EventKind.CASH_MOVED, EventKind.UNITS_MOVED, EventKind.UNITS_ALLOCATED),
        *(EventKind.OBLIGATION_SET, EventKind.UNITS_SURRENDERED, EventKind.UNITS_CANCELLED),
        EventKind.UNITS_CARRIED_OVER,
    ],
)
"""Kinds that are pushed to the firm of `account`."""
_NEGOTIATED: Final = (EventKind.BLOCK_OFFERED, EventKind.BLOCK_COUNTERED, EventKind.BLOCK_ENDED)
_TO_OTHER: Final = np.isin(np.arange(256), [*_HOLDS, *_NEGOTIATED, EventKind.TRADE_BUSTED])
"""Kinds that are pushed to the firm of `contra_account`."""
_PUSHED: Final = _TO_OWNER | _TO_OTHER
PUSHED: Final = frozenset(np.flatnonzero(_PUSHED).tolist())
"""Kinds that sessions may get which neither sent the command nor own an order in it."""
SHARED: Final = TWO_SIDED | PUSHED
"""Kinds that may concern more sessions than the one they name."""
_HALVES: Final = (
    ("account", "contra_account"),
    ("order_id", "contra_order_id"),
    ("client_order_id", "contra_client_order_id"),
    ("remaining", "contra_remaining"),
    ("session", "contra_session"),
)


_FIRST, _SECOND, _OWNER, _OTHER = range(4)
"""As what a session gets a copy: named first or second in the event, or pushed as one of the two accounts' firms."""


class Delivery(NamedTuple):
    """Records for one session, in event order."""

    session: int
    records: EventArray


def deliveries(events: EventArray, directory: Directory) -> list[Delivery]:
    """What each session gets of `events`, by session id; session 0, the venue itself, gets nothing.

    Args:
        directory: knows what `events` and everything before them have opened.
    """
    if not len(events):
        return []
    own, contra = events["session"], events["contra_session"]
    first = int(own[0])
    if len(events) == 1 and not int(contra[0]) and int(events["kind"][0]) not in SHARED:
        # The most frequent case by far: one command, one answer.
        return [Delivery(first, events)] if first > 0 else []
    two_sided, pushed = _TWO_SIDED[events["kind"]], _PUSHED[events["kind"]]
    shared = two_sided.any() or pushed.any()
    if not shared and (own == first).all() and ((contra == 0) | (contra == first)).all():
        return [Delivery(first, events)] if first > 0 else []
    second = (contra > 0) & ((contra != own) | two_sided)
    firsts, seconds = np.flatnonzero(own > 0), np.flatnonzero(second)
    pushes = np.array(_pushes(events, directory), np.int64).reshape(-1, 3)
    where = np.concatenate([firsts, seconds, pushes[:, 0]])
    to = np.concatenate([own[firsts], contra[seconds], pushes[:, 1]])
    part = np.concatenate([np.full(len(firsts), _FIRST), np.full(len(seconds), _SECOND), pushes[:, 2]])
    order = np.lexsort((part, where, to))
    to = to[order]
    records = _copies(pick(events, where[order]), part[order], to)
    edges = [0, *(np.flatnonzero(np.diff(to)) + 1).tolist(), len(to)]
    return [Delivery(int(to[a]), records[a:b]) for a, b in pairwise(edges) if a < b]


def for_session(events: EventArray, session: int, directory: Directory) -> EventArray:
    """The records of one session among `events`: the bytes that `deliveries` gives."""
    mine = (events["session"] == session) | (events["contra_session"] == session)
    kind = events["kind"]
    if _PUSHED[kind].any():
        accounts = directory.accounts_of(session)
        mine |= _TO_OWNER[kind] & np.isin(events["account"], accounts)
        mine |= _TO_OTHER[kind] & np.isin(events["contra_account"], accounts)
    found = [d.records for d in deliveries(pick(events, mine), directory) if d.session == session]
    return found[0] if found else events[:0]


def last_events(events: EventArray, directory: Directory) -> dict[int, int]:
    """Session -> sequence of the last event in `events` that it gets."""
    found: dict[int, int] = {}
    for named in (events["session"], events["contra_session"]):
        sessions, at = np.unique(named[::-1], return_index=True)
        for session, sequence in zip(sessions.tolist(), events["sequence"][::-1][at].tolist(), strict=True):
            found[session] = max(found.get(session, 0), sequence)
    for index, session, _ in _pushes(events, directory):
        found[session] = max(found.get(session, 0), int(events["sequence"][index]))
    found.pop(0, None)
    return found


def _pushes(events: EventArray, directory: Directory) -> list[tuple[int, int, int]]:
    """(index, session, _OWNER or _OTHER) of every pushed copy, in event order."""
    found = []
    for index in np.flatnonzero(_PUSHED[events["kind"]]).tolist():
        event = events[index]
        kind, sequence = int(event["kind"]), int(event["sequence"])
        told = {int(event["session"]), int(event["contra_session"])}
        if _TO_OWNER[kind]:
            owners = set(directory.sessions_of(int(event["account"]), sequence)) - told
            found += [(index, session, _OWNER) for session in sorted(owners)]
            if kind != EventKind.TRADE_BUSTED:  # of which a firm that traded with itself gets both halves
                told |= owners
        if _TO_OTHER[kind]:
            others = set(directory.sessions_of(int(event["contra_account"]), sequence)) - told
            found += [(index, session, _OTHER) for session in sorted(others)]
    return found


def pages(records: EventArray, limit: int) -> list[EventArray]:
    """Cut one session's records into pieces of at most `limit`; both halves of a trade with itself stay together."""
    cuts = [0]
    while cuts[-1] + limit < len(records):
        end = cuts[-1] + limit
        cuts.append(end - int(records["sequence"][end] == records["sequence"][end - 1]))
    return [records[a:b] for a, b in zip(cuts, [*cuts[1:], len(records)], strict=True)]


def _copies(records: EventArray, part: NDArray[np.int64], to: NDArray[Any]) -> EventArray:
    """Turn full events into what their receivers may see; `part` says as what each receiver gets its copy."""
    kind = records["kind"]
    two_sided, swapped = _TWO_SIDED[kind], part == _SECOND
    maker = swapped & two_sided
    for mine, other in _HALVES:
        value = records[mine][maker]
        records[mine][maker] = records[other][maker]
        records[other][maker] = value
    _money(records, kind, maker)
    with_taker = maker & (records["aggressor"] > 0)
    records["flags"][with_taker] |= int(EventFlag.MAKER)
    for _, other in _HALVES:
        records[other][two_sided] = 0
    _caused(records, swapped & ~two_sided, (part == _FIRST) & ~two_sided)
    _push(records, kind, part == _OWNER, part == _OTHER)
    records["session"][part >= _OWNER] = to[part >= _OWNER]
    return records


def _push(records: EventArray, kind: NDArray[Any], owner: NDArray[np.bool_], other: NDArray[np.bool_]) -> None:
    """Pushed copies: no number of anybody's command, and of two parties only what the receiver may know."""
    pushed = owner | other
    for name in ("client_order_id", "contra_client_order_id", "contra_session"):
        records[name][pushed] = 0
    busted = kind == EventKind.TRADE_BUSTED
    records["account"][other & busted] = records["contra_account"][other & busted]
    records["contra_account"][pushed & busted] = 0
    records["aux2"][owner & busted] = 0
    records["aux"][other & (busted | np.isin(kind, _NEGOTIATED))] = 0
    for name in ("account", "remaining", "aux2"):
        records[name][other & (kind == EventKind.HOLD_REALISED)] = 0


def _money(records: EventArray, kind: NDArray[Any], maker: NDArray[np.bool_]) -> None:
    """Each side's own money: improvement to the buyer, released units to the seller, to each its fee."""
    fee = kind == EventKind.FEE
    traded = _TWO_SIDED[kind] & ~fee
    side = records["side"]
    side[traded & (side == Side.NONE)] = int(Side.BUY)  # a call auction: the buyer comes first
    side[maker & traded] = 3 - side[maker & traded]
    side[fee] = np.where(maker[fee], int(Side.SELL), int(Side.BUY))
    records["aux"][fee & maker] = records["aux2"][fee & maker]
    records["aux2"][fee] = 0
    records["aux"][traded & (side == Side.SELL)] = 0
    records["aux2"][traded & (side == Side.BUY)] = 0


def _caused(records: EventArray, to_sender: NDArray[np.bool_], to_owner: NDArray[np.bool_]) -> None:
    """Events about one thing whose owner and command, or earlier owner, belong to different sessions."""
    foreign = to_owner & (records["contra_session"] > 0) & (records["contra_session"] != records["session"])
    countered = records["kind"] == EventKind.BLOCK_COUNTERED
    records["aux2"][foreign & countered] = 0
    records["contra_client_order_id"][foreign] = 0
    records["contra_session"][foreign] = 0
    left = (records["kind"] == EventKind.BLOCK_ENDED) & (records["reason"] == Reason.USER_REQUESTED)
    records["aux"][to_sender & (countered | left)] = 0
    prevented = to_sender & (records["reason"] == Reason.SELF_TRADE_PREVENTED)
    records["account"][prevented] = 0
    records["aux"][prevented] = 0
    records["client_order_id"][to_sender] = records["contra_client_order_id"][to_sender]
    records["session"][to_sender] = records["contra_session"][to_sender]
    records["contra_client_order_id"][to_sender] = 0
    records["contra_session"][to_sender] = 0
