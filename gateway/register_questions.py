"""The client's questions about negotiations, auctions, bids and the registry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from gateway import register_views as views
from gateway.views import Reference
from gateway.wire import Message, QueryKind
from gateway.wire_registers import (
    AuctionsAnswer,
    BidsAnswer,
    ComplianceAnswer,
    HoldsAnswer,
    NegotiationsAnswer,
    ObligationsAnswer,
)

M = TypeVar("M", bound=Message)


class RegisterQuestions:
    """The part of the client that asks about what is negotiated, auctioned and held."""

    reference: Reference
    account_number: int

    def ask(self, kind: QueryKind, number: int, answer: type[M], **more: int) -> M:
        raise NotImplementedError

    def negotiations(self) -> list[views.Negotiation]:
        """Block negotiations that this session may see: public offers and its firm's own, by id."""
        rows = self._all(QueryKind.NEGOTIATIONS, NegotiationsAnswer, lambda page: page.negotiations)
        return [views.negotiation(self.reference, row) for row in rows]

    def auctions(self) -> list[views.Auction]:
        """Auctions that are announced, open, or closed and waiting for their seed."""
        found = self.ask(QueryKind.AUCTIONS, 0, AuctionsAnswer).auctions
        return [views.auction(self.reference, row) for row in found]

    def bids(self) -> list[views.Bid]:
        """The firm's live bids, by id."""
        rows = self._all(QueryKind.BIDS, BidsAnswer, lambda page: page.bids)
        return [views.bid(self.reference, row) for row in rows]

    def holds(self) -> list[views.Hold]:
        """Pledges, freezes and transfers of the firm's accounts, and pledges in their favour."""
        rows = self._all(QueryKind.HOLDS, HoldsAnswer, lambda page: page.holds)
        return [views.hold(self.reference, row) for row in rows]

    def obligations(self) -> list[views.Obligation]:
        """What the firm's accounts must surrender."""
        rows = self._all(QueryKind.OBLIGATIONS, ObligationsAnswer, lambda page: page.obligations)
        return [views.obligation(row) for row in rows]

    def compliance(self, account: int | None = None) -> views.Compliance:
        """Obligations of an account of the firm, what its holdings cover, what is missing and what that would cost."""
        wanted = self.account_number if account is None else account
        return views.compliance(self.reference, self.ask(QueryKind.COMPLIANCE, wanted, ComplianceAnswer))

    def _all(self, kind: QueryKind, answer: type[Any], rows_of: Callable[[Any], tuple[Any, ...]]) -> list[Any]:
        """Every page of a register."""
        found: list[Any] = []
        while True:
            page = self.ask(kind, found[-1].number if found else 0, answer)
            found += rows_of(page)
            if page.complete:
                return found
