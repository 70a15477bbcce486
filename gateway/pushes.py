"""Which events are pushed to firms that neither sent the command nor own an order in it, and what they see of them.

* Money and units that come and go, allocations, obligations, surrender, cancelled units, carry-over, holds, and that
  an auction's lots are frozen on a later day or it is cancelled, are pushed to the account's firm; holds, negotiations
  and cancelled trades to the contra account's firm too.
* `gateway.routing` says what each copy hides.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.schema import EventArray, EventKind
from gateway.directory import Directory
from gateway.records import pick

_HOLDS: Final = (EventKind.HOLD_PLACED, EventKind.HOLD_RELEASED, EventKind.HOLD_REALISED)
TO_OWNER: Final = np.isin(
    np.arange(256),
    [
        *(*_HOLDS, EventKind.TRADE_BUSTED, EventKind.CASH_MOVED, EventKind.UNITS_MOVED, EventKind.UNITS_ALLOCATED),
        *(EventKind.OBLIGATION_SET, EventKind.UNITS_SURRENDERED, EventKind.UNITS_CANCELLED),
        *(EventKind.UNITS_CARRIED_OVER, EventKind.OBLIGATION_OVERDUE),
        *(EventKind.AUCTION_SECURED, EventKind.AUCTION_CANCELLED),
    ],
)
"""Kinds that are pushed to the firm of `account`."""
_NEGOTIATED: Final = (EventKind.BLOCK_OFFERED, EventKind.BLOCK_COUNTERED, EventKind.BLOCK_ENDED)
TO_OTHER: Final = np.isin(np.arange(256), [*_HOLDS, *_NEGOTIATED, EventKind.TRADE_BUSTED])
"""Kinds that are pushed to the firm of `contra_account`."""
IS_PUSHED: Final = TO_OWNER | TO_OTHER
PUSHED: Final = frozenset(np.flatnonzero(IS_PUSHED).tolist())
"""Kinds that sessions may get which neither sent the command nor own an order in it."""
_OWNER, _OTHER = range(2)
"""As which of the two accounts' firms a session is pushed a copy."""


def pushes(events: EventArray, directory: Directory) -> list[tuple[int, int, int]]:
    """(index, session, _OWNER or _OTHER) of every pushed copy, in event order."""
    found = []
    for index in np.flatnonzero(IS_PUSHED[events["kind"]]).tolist():
        event = events[index]
        kind, sequence = int(event["kind"]), int(event["sequence"])
        told = {int(event["session"]), int(event["contra_session"])}
        if TO_OWNER[kind]:
            owners = set(directory.sessions_of(int(event["account"]), sequence)) - told
            found += [(index, session, _OWNER) for session in sorted(owners)]
            if kind != EventKind.TRADE_BUSTED:  # of which a firm that traded with itself gets both halves
                told |= owners
        if TO_OTHER[kind]:
            others = set(directory.sessions_of(int(event["contra_account"]), sequence)) - told
            found += [(index, session, _OTHER) for session in sorted(others)]
    return found


def with_pushes(
    events: EventArray, copies: EventArray, to: NDArray[np.int32], directory: Directory
) -> tuple[EventArray, NDArray[np.int32]]:
    """The copies of the named parties and those that are pushed, in event order, and whom each is for."""
    found = np.array(pushes(events, directory), np.int64).reshape(-1, 3)
    where, sessions, part = found.T
    pushed = pick(events, where)
    _push(pushed, pushed["kind"], part == _OWNER, part == _OTHER)
    pushed["session"] = sessions
    every = np.concatenate([copies, pushed])
    order = np.argsort(every["sequence"], kind="stable")
    return pick(every, order), np.concatenate([to, sessions.astype(np.int32)])[order]


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
