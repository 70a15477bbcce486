"""The client beyond orders: block negotiations, auctions, the registry, the firm's own kill switch."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, TypeVar

from engine.schema import CommandKind, EventKind, Side
from gateway.drafts import Draft
from gateway.errors import InvalidCommand
from gateway.handles import BidHandle, BlockTerms, KillRequest, UnitsRequest
from gateway.orders import Request
from gateway.register_views import Negotiation
from gateway.views import Reference, to_ticks
from gateway.wire import InstrumentData

SideName = Literal["buy", "sell"] | Side
Price = Decimal | str | int
R = TypeVar("R", bound=Request)


def side_of(side: SideName) -> Side:
    """A side by its name."""
    return side if isinstance(side, Side) else Side[side.upper()]


class Mechanisms:
    """The part of the client that negotiates, bids and speaks to the registry. Every call returns at once.

    `.wait()` on what it returns raises Rejected (a subclass by reason) or NoAnswer. Prices in currency units, lots and
    units whole, accounts default to the client's.
    """

    reference: Reference
    account_number: int

    def _command(self, kind: CommandKind, numbers: int = 1) -> Draft:
        raise NotImplementedError

    def _send(self, made: Draft, request: R) -> R:
        raise NotImplementedError

    # --- block trades -------------------------------------------------------------------------------------------------

    def block_offer(
        self,
        instrument: str | int,
        side: SideName,
        quantity: int,
        price: Price,
        *,
        counterparty: int | None = None,
        until: int = 0,
        account: int | None = None,
    ) -> BlockTerms:
        """Offer a block to everybody, or to account `counterparty`; `until`: journal ns, 0 = the end of the day."""
        terms = self.reference.instrument(instrument)
        made = self._terms(CommandKind.BLOCK_OFFER, terms, quantity, price, account)
        made["side"], made["instrument"], made["expiry"] = side_of(side), terms.number, until
        if counterparty is not None:
            made["scope"], made["target"] = 1, counterparty
        return self._send(made, BlockTerms(self._self, made.number, terms, EventKind.BLOCK_OFFERED))

    def block_counter(
        self,
        negotiation: Negotiation | int,
        quantity: int,
        price: Price,
        *,
        instrument: str | int | None = None,
        account: int | None = None,
    ) -> BlockTerms:
        """Answer with other terms; on a public offer they open a negotiation of their own with the offerer."""
        number, terms = self._negotiation(negotiation, instrument)
        made = self._terms(CommandKind.BLOCK_COUNTER, terms, quantity, price, account)
        made["target"] = number
        return self._send(made, BlockTerms(self._self, made.number, terms, EventKind.BLOCK_COUNTERED))

    def block_accept(
        self,
        negotiation: Negotiation | int,
        quantity: int | None = None,
        price: Price | None = None,
        *,
        instrument: str | int | None = None,
        account: int | None = None,
    ) -> BlockTerms:
        """Accept the terms that stand: those of a `Negotiation` as it was seen, or as stated for a bare id."""
        number, terms = self._negotiation(negotiation, instrument)
        if isinstance(negotiation, Negotiation):
            quantity = negotiation.quantity if quantity is None else quantity
            price = negotiation.price if price is None else price
        if quantity is None or price is None:
            raise TypeError("restate the terms: quantity and price, or give the Negotiation itself")
        made = self._terms(CommandKind.BLOCK_ACCEPT, terms, quantity, price, account)
        made["target"] = number
        return self._send(made, BlockTerms(self._self, made.number, terms, EventKind.BLOCK_TRADE))

    def block_withdraw(self, negotiation: Negotiation | BlockTerms | int, *, account: int | None = None) -> Request:
        """End a negotiation: one's own offer, or as either of its two parties."""
        made = self._command(CommandKind.BLOCK_WITHDRAW)
        made["account"] = self._account(account)
        made["target"] = negotiation if isinstance(negotiation, int) else negotiation.number
        return self._send(made, Request(self._self, made.number, EventKind.BLOCK_ENDED))

    def _negotiation(self, negotiation: Negotiation | int, name: str | int | None) -> tuple[int, InstrumentData]:
        if isinstance(negotiation, Negotiation):
            return negotiation.number, self.reference.instrument(negotiation.symbol)
        if name is None:
            raise TypeError("name the instrument, or give the Negotiation itself")
        return negotiation, self.reference.instrument(name)

    # --- auctions -----------------------------------------------------------------------------------------------------

    def bid(
        self,
        auction: int,
        instrument: str | int,
        quantity: int,
        price: Price,
        *,
        side: SideName = Side.BUY,
        account: int | None = None,
    ) -> BidHandle:
        """Enter a sealed bid; `side` "sell" in a reverse auction."""
        terms, side = self.reference.instrument(instrument), side_of(side)
        made = self._terms(CommandKind.AUCTION_BID, terms, quantity, price, account)
        made["side"], made["instrument"], made["target"] = side, terms.number, auction
        return self._send(made, BidHandle(self._self, made.number, terms, side))

    def replace_bid(
        self, bid: BidHandle | int, quantity: int, price: Price, *, instrument: str | int | None = None
    ) -> Request:
        """Change a bid; another price or more lots lose its time where the venue says so."""
        if isinstance(bid, int) and instrument is None:
            raise TypeError("name the instrument, or give the bid's handle")
        terms = bid.instrument if isinstance(bid, BidHandle) else self.reference.instrument(instrument or 0)
        made = self._command(CommandKind.AUCTION_BID_REPLACE)
        made["target"] = bid if isinstance(bid, int) else bid.number
        made["price"], made["quantity"] = to_ticks(terms, price), quantity
        return self._send(made, Request(self._self, made.number, EventKind.BID_REPLACED))

    def withdraw_bid(self, bid: BidHandle | int) -> Request:
        """Take a bid back while its window is open."""
        made = self._command(CommandKind.AUCTION_BID_WITHDRAW)
        made["target"] = bid if isinstance(bid, int) else bid.number
        return self._send(made, Request(self._self, made.number, EventKind.BID_ENDED))

    # --- the registry -------------------------------------------------------------------------------------------------

    def surrender(
        self, asset: str, units: int, *, obligation: int, year: int, account: int | None = None
    ) -> UnitsRequest:
        """Surrender units for an obligation, whose year is restated."""
        made = self._units(CommandKind.SURRENDER, asset, units, account)
        made["target"], made["expiry"] = obligation, year
        return self._send(made, UnitsRequest(self._self, made.number, EventKind.UNITS_SURRENDERED))

    def cancel_units(self, asset: str, units: int, *, account: int | None = None) -> UnitsRequest:
        """Cancel units for good, of one's own will."""
        made = self._units(CommandKind.VOLUNTARY_CANCEL, asset, units, account)
        return self._send(made, UnitsRequest(self._self, made.number, EventKind.UNITS_CANCELLED))

    def transfer_in(self, asset: str, units: int, *, account: int | None = None) -> UnitsRequest:
        """Ask for units from the registry; they come when the operator completes it."""
        made = self._units(CommandKind.TRANSFER_IN, asset, units, account)
        return self._send(made, UnitsRequest(self._self, made.number, EventKind.HOLD_PLACED))

    def transfer_out(self, asset: str, units: int, *, account: int | None = None) -> UnitsRequest:
        """Return units to the registry; they are held until the operator completes or refuses it."""
        made = self._units(CommandKind.TRANSFER_OUT, asset, units, account)
        return self._send(made, UnitsRequest(self._self, made.number, EventKind.HOLD_PLACED))

    def pledge(
        self, asset: str, units: int, creditor: int, *, loan: Price = 0, account: int | None = None
    ) -> UnitsRequest:
        """Pledge units to account `creditor`, whose word alone frees them; `loan` in currency units is a note."""
        minor = Decimal(loan) * 100
        if minor != minor.to_integral_value():
            raise ValueError(f"loan {loan}: at most two decimals")
        made = self._units(CommandKind.PLEDGE_REQUEST, asset, units, account)
        made["target"], made["quantity2"] = creditor, int(minor)
        return self._send(made, UnitsRequest(self._self, made.number, EventKind.HOLD_PLACED))

    # --- the firm's own kill switch -----------------------------------------------------------------------------------

    def kill(self) -> KillRequest:
        """Stop the firm: every order, negotiation and bid of it ends, nothing new is taken until `resume_firm`."""
        made = self._command(CommandKind.FIRM_KILL)
        return self._send(made, KillRequest(self._self, made.number, EventKind.KILL_SWITCH_SET))

    def resume_firm(self) -> KillRequest:
        """Let the firm trade again after its own `kill`."""
        made = self._command(CommandKind.FIRM_KILL)
        made["scope"] = 1
        return self._send(made, KillRequest(self._self, made.number, EventKind.KILL_SWITCH_SET))

    # --- parts --------------------------------------------------------------------------------------------------------

    @property
    def _self(self) -> Any:
        """The whole client, for its handles."""
        return self

    def _account(self, account: int | None) -> int:
        return self.account_number if account is None else account

    def _terms(
        self, kind: CommandKind, instrument: InstrumentData, quantity: int, price: Price, account: int | None
    ) -> Draft:
        ticks = to_ticks(instrument, price)
        made = self._command(kind)
        made["account"], made["quantity"], made["price"] = self._account(account), quantity, ticks
        return made

    def _units(self, kind: CommandKind, asset: str, units: int, account: int | None) -> Draft:
        from engine.schema import Reason

        known = self.reference.data.assets
        if asset not in known:
            raise InvalidCommand(Reason.UNKNOWN_ASSET, f"no asset {asset!r}; there are: {', '.join(known)}")
        made = self._command(kind)
        made["account"], made["scope"], made["quantity"] = self._account(account), known.index(asset) + 1, units
        return made
