"""Which firm an account belongs to and which sessions a firm has: read off events alone, so that a replay agrees.

Accounts and sessions never change their firm. A session is told what concerns its firm from the event after its own
opening on: so what it is sent does not depend on when somebody asks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.schema import EventArray, EventKind, Role

OPENINGS = [int(EventKind.ACCOUNT_OPENED), int(EventKind.SESSION_OPENED)]


class Directory:
    """Accounts and sessions by firm, as far as the events taken in go."""

    def __init__(self) -> None:
        self._firm_of: dict[int, int] = {}
        self._accounts: dict[int, list[int]] = {}
        self._sessions: dict[int, list[tuple[int, int]]] = {}
        """firm -> (session, sequence of its opening)"""
        self._firm_of_session: dict[int, tuple[int, int]] = {}
        """session -> (firm, sequence of its opening)"""

    @classmethod
    def of(cls, events: EventArray) -> Directory:
        """What these events, from the journal's beginning on, have opened."""
        made = cls()
        made.learn(events)
        return made

    def learn(self, events: EventArray) -> None:
        """Take in what has been opened; each event once and in order."""
        for event in events[np.isin(events["kind"], OPENINGS)]:
            self.take(event)

    def take(self, event: Any) -> None:
        """Take in one ACCOUNT_OPENED or SESSION_OPENED; operators belong to the venue, whatever firm they name."""
        if event["kind"] == EventKind.ACCOUNT_OPENED:
            account, firm = int(event["account"]), int(event["aux"])
            self._firm_of[account] = firm
            self._accounts.setdefault(firm, []).append(account)
        elif event["aux2"] and event["quantity"] != Role.OPERATOR:
            session, firm, sequence = int(event["aux"]), int(event["aux2"]), int(event["sequence"])
            self._sessions.setdefault(firm, []).append((session, sequence))
            self._firm_of_session[session] = firm, sequence

    def sessions_of(self, account: int, sequence: int) -> list[int]:
        """The sessions of an account's firm that were open before event `sequence`."""
        firm = self._firm_of.get(account, 0)
        return [session for session, opened in self._sessions.get(firm, ()) if opened < sequence]

    def accounts_of(self, session: int) -> NDArray[np.int64]:
        """The accounts of a session's firm."""
        firm, _ = self._firm_of_session.get(session, (0, 0))
        return np.array(self._accounts.get(firm, []), np.int64)
