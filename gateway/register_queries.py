"""Queries about negotiations, auctions, bids, holds and obligations: each session sees its own, and what is public."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core import Engine
from engine.schema import Role, Side
from gateway.sessions import Registry, Session
from gateway.wire_registers import (
    AuctionData,
    AuctionsAnswer,
    BidData,
    BidsAnswer,
    HoldData,
    HoldsAnswer,
    NegotiationData,
    NegotiationsAnswer,
    ObligationData,
    ObligationsAnswer,
)

ROWS_PER_ANSWER = 1_000
_SEED = ("seed1", "seed2", "seed3", "seed4")


class RegisterQueries:
    """Answers from the registers of one engine."""

    def __init__(self, engine: Engine, registry: Registry) -> None:
        self._engine = engine
        self._registry = registry

    def negotiations(self, after: int, session: Session) -> NegotiationsAnswer:
        """Public ones and those of the firm; an operator sees all."""
        rows = self._engine.register("negotiations")
        own, other = self._owned(rows, session), self._of_firm(rows["counterparty"], session)
        visible = own | other | (rows["counterparty"] == 0) | (session.role == Role.OPERATOR)
        page, complete = _page(rows, visible, after)
        return NegotiationsAnswer(tuple(self._negotiation(row, session) for row in page), complete)

    def _negotiation(self, row: Any, session: Session) -> NegotiationData:
        own = bool(self._owned(np.array([row]), session)[0])
        shown = own or int(row["counterparty"]) != 0 or session.role == Role.OPERATOR
        return NegotiationData(
            number=int(row["id"]),
            instrument=int(row["instrument"]),
            side=int(row["side"]),
            price=int(row["price"]),
            quantity=int(row["quantity"]),
            account=int(row["account"]) if shown else 0,
            counterparty=int(row["counterparty"]),
            expiry=int(row["expiry"]),
            own=own,
            locked=int(row["locked"]) if own else 0,
            client_order_id=int(row["client_order_id"]) if row["session"] == session.number else 0,
        )

    def auctions(self) -> AuctionsAnswer:
        """All that are announced, open or closed; nothing of their bids."""
        names = [name for name in AuctionData.__struct_fields__ if name not in ("number", "sha256")]
        made = []
        for row in self._engine.register("auctions"):
            digest = b"".join(int(row[name]).to_bytes(8, "little", signed=True) for name in _SEED).hex()
            facts = {name: int(row[name]) for name in names}
            made.append(AuctionData(number=int(row["id"]), sha256=digest if row["committed"] else "", **facts))
        return AuctionsAnswer(tuple(made))

    def bids(self, after: int, session: Session) -> BidsAnswer:
        """The firm's own; bids are sealed, for operators too."""
        rows = self._engine.register("bids")
        page, complete = _page(rows, self._owned(rows, session), after)
        auctions = {int(row["id"]): row for row in self._engine.register("auctions")}
        made = []
        for row in page:
            auction = auctions[int(row["auction"])]
            made.append(
                BidData(
                    number=int(row["id"]),
                    auction=int(row["auction"]),
                    instrument=int(auction["instrument"]),
                    side=int(Side.BUY if auction["side"] == Side.SELL else Side.SELL),
                    account=int(row["account"]),
                    price=int(row["price"]),
                    quantity=int(row["quantity"]),
                    locked=int(row["locked"]),
                    client_order_id=int(row["client_order_id"]) if row["session"] == session.number else 0,
                )
            )
        return BidsAnswer(tuple(made), complete)

    def holds(self, after: int, session: Session) -> HoldsAnswer:
        """On the firm's accounts and, as a creditor, in their favour; an operator sees all."""
        rows = self._engine.register("encumbrances")
        visible = self._of_firm(rows["account"], session) | self._of_firm(rows["creditor"], session)
        page, complete = _page(rows, visible | (session.role == Role.OPERATOR), after)
        return HoldsAnswer(tuple(HoldData(*row) for row in page.tolist()), complete)

    def obligations(self, after: int, session: Session) -> ObligationsAnswer:
        """Of the firm's accounts; an operator sees all."""
        rows = self._engine.register("obligations")
        visible = self._of_firm(rows["account"], session) | (session.role == Role.OPERATOR)
        page, complete = _page(rows, visible, after)
        return ObligationsAnswer(tuple(ObligationData(*row) for row in page.tolist()), complete)

    def _owned(self, rows: NDArray[Any], session: Session) -> NDArray[np.bool_]:
        """As the engine sees it: by the account's firm; without pre-funding by session."""
        if self._engine.venue.prefunded:
            return self._of_firm(rows["account"], session)
        mine: NDArray[np.bool_] = rows["session"] == session.number
        return mine

    def _of_firm(self, accounts: NDArray[Any], session: Session) -> NDArray[np.bool_]:
        known = self._registry.accounts
        mine = [number for number in set(accounts.tolist()) if number and known.get(number, ("", 0))[1] == session.firm]
        return np.isin(accounts, mine) if session.firm else np.zeros(len(accounts), np.bool_)


def _page(rows: NDArray[Any], visible: Any, after: int) -> tuple[NDArray[Any], bool]:
    """The first visible rows behind an id, and whether they are the last ones."""
    chosen = rows[visible & (rows["id"] > after)]
    return chosen[:ROWS_PER_ANSWER], len(chosen) <= ROWS_PER_ANSWER
