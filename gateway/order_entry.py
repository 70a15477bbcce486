"""The client's orders: place, take, cancel, replace, mass cancel, and a market maker's quotes."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from engine.schema import CommandKind, EventKind, MassCancelScope, OrderFlag, SelfTrade
from engine.venue import date_number
from gateway.drafts import Draft
from gateway.mechanisms import Price, R, SideName, side_of
from gateway.orders import OrderHandle, OrderTerms, ReplaceRequest, Request, order_terms
from gateway.quotes import QuoteHandle
from gateway.views import Reference, to_ticks
from gateway.wire import InstrumentData

if TYPE_CHECKING:
    from gateway.tracker import Tracker

TimeInForceName = Literal["day", "gtc", "ioc", "fok", "gtd"]
QuoteSide = tuple[int, Price]
"""Lots and price."""


class OrderEntry:
    """The part of the client that enters and changes orders. Every call sends and returns at once.

    `.wait()` on what it returns raises Rejected (a subclass by reason) or NoAnswer. Wrong use, such as an iceberg at
    any price, is a TypeError here; what the venue does not offer or allow, the venue refuses.
    """

    reference: Reference
    account_number: int
    _tracker: Tracker

    def _command(self, kind: CommandKind, numbers: int = 1) -> Draft:
        raise NotImplementedError

    def _send(self, made: Draft, request: R) -> R:
        raise NotImplementedError

    def place(
        self,
        instrument: str | int,
        side: SideName,
        quantity: int,
        price: Price | None = None,
        *,
        ticks: int | None = None,
        market: bool = False,
        time_in_force: TimeInForceName | None = None,
        post_only: bool = False,
        stop: Price | None = None,
        shown: int = 0,
        hidden: bool = False,
        minimum: int = 0,
        good_till: date | None = None,
        self_trade: SelfTrade = SelfTrade.DEFAULT,
        account: int | None = None,
    ) -> OrderHandle:
        """Send an order; returns at once. `.wait()` on the handle for the venue's answer.

            client.place("EUA-DEC25", "sell", 10, "70.10", shown=2)                        # iceberg
            client.place("EUA-DEC25", "sell", 10, market=True, stop="69.50")               # stop
            client.place("EUA-DEC25", "buy", 10, "71.20", stop="71.00")                    # stop-limit
            client.place("EUA-DEC25", "buy", 10, "70.00", good_till=date(2025, 8, 29))     # good till date

        Args:
            instrument: symbol or id.
            quantity: lots.
            price: in currency units (Decimal, str or int), or `ticks`; the collar of a market order, or none.
            time_in_force: default "day", for a market order "ioc", with `good_till` "gtd".
            stop: stop price: a buy waits until the last price is at it or higher, a sell at it or lower. With `price`
                it becomes a limit order then, with `market` a market order.
            shown: lots that an iceberg shows at a time; 0 = all.
            hidden: never shown, behind all displayed orders of its price.
            minimum: lots that must trade at entry, or the order is refused (MinimumNotMet).
            good_till: last trading date of the order.

        Raises:
            InvalidCommand: unknown instrument, or a price off the tick.
            TypeError: no price and not `market`, or terms that no order has together.
        """
        it = self.reference.instrument(instrument)
        limit = _ticks(it, price, ticks)
        terms = order_terms(
            priced=price is not None or ticks is not None,
            market=market,
            time_in_force=time_in_force,
            stop=_ticks(it, stop, None),
            shown=shown,
            hidden=hidden,
            minimum=minimum,
            good_till=good_till,
        )
        side = side_of(side)
        made = self._command(CommandKind.NEW_ORDER)
        made["side"], made["instrument"] = side, it.number
        made["order_type"], made["time_in_force"] = terms.order_type, terms.time_in_force
        made["flags"] = OrderFlag.POST_ONLY * post_only | OrderFlag.HIDDEN * hidden
        made["self_trade"], made["account"] = self_trade, self._of(account)
        made["price"], made["quantity"], made["price2"], made["quantity2"] = limit, quantity, terms.stop, shown
        made["target"], made["expiry"] = minimum, terms.good_till
        handle = OrderHandle(self._whole, made.number, it, side, quantity, limit, terms)
        return self._send(made, handle)

    def take(
        self,
        listing: int,
        instrument: str | int,
        side: SideName,
        quantity: int,
        price: Price | None = None,
        *,
        ticks: int | None = None,
        account: int | None = None,
    ) -> OrderHandle:
        """Take a named listing (listed agreement, CLICK): `listing` is its order id, `price` what it was seen at."""
        it = self.reference.instrument(instrument)
        limit = _ticks(it, price, ticks, needed=True)
        side = side_of(side)
        made = self._command(CommandKind.TAKE)
        made["side"], made["instrument"], made["target"] = side, it.number, listing
        made["account"] = self._of(account)
        made["price"], made["quantity"] = limit, quantity
        return self._send(made, OrderHandle(self._whole, made.number, it, side, quantity, limit))

    def cancel(self, order: OrderHandle | int) -> Request:
        """Cancel an order by its handle or order id."""
        made = self._command(CommandKind.CANCEL_ORDER)
        _aim(made, order)
        return self._send(made, Request(self._whole, made.number, EventKind.CANCELLED))

    def replace(
        self,
        order: OrderHandle | int,
        quantity: int,
        price: Price | None = None,
        *,
        ticks: int | None = None,
        stop: Price | None = None,
        shown: int | None = None,
        good_till: date | None = None,
        instrument: str | int | None = None,
    ) -> ReplaceRequest:
        """Change price and total quantity (filled part included); less at the same price keeps its place.

        Args:
            order: its handle or its order id; for an order that this client has not placed name the `instrument`, or
                state `ticks`.
            ticks: the price in ticks; 0 keeps the limit of a waiting stop order.
            stop: another stop price, of a stop order that still waits.
            shown: another shown part, of an iceberg.
            good_till: another last trading date, of an order good till a date.
        """
        handle = order if isinstance(order, OrderHandle) else self._tracker.order(order)
        it = handle.instrument if handle is not None else None
        if instrument is not None:
            it = self.reference.instrument(instrument)
        if it is not None:
            limit, trigger = _ticks(it, price, ticks, needed=True), _ticks(it, stop, None)
        elif ticks is not None and stop is None:
            limit, trigger = ticks, 0
        else:
            raise TypeError("name the instrument, or state the price in ticks, for an order that is not this client's")
        new = OrderTerms(stop=trigger, shown=shown or 0, good_till=0 if good_till is None else date_number(good_till))
        made = self._command(CommandKind.REPLACE_ORDER)
        made["price"], made["quantity"] = limit, quantity
        made["price2"], made["quantity2"], made["expiry"] = new.stop, new.shown, new.good_till
        _aim(made, order)
        return self._send(made, ReplaceRequest(self._whole, made.number, handle, new))

    def mass_cancel(
        self,
        *,
        instrument: str | int | None = None,
        side: SideName | None = None,
        account: int | None = None,
        this_session: bool = False,
    ) -> Request:
        """Cancel all orders of the firm that fit; `.events[-1]["quantity"]` of the answer is their count."""
        made = self._command(CommandKind.MASS_CANCEL)
        scope = MassCancelScope.SESSION if this_session else MassCancelScope(0)
        if instrument is not None:
            scope |= MassCancelScope.INSTRUMENT
            made["instrument"] = self.reference.instrument(instrument).number
        if side is not None:
            scope |= MassCancelScope.SIDE
            made["side"] = side_of(side)
        if account is not None:
            scope |= MassCancelScope.ACCOUNT
            made["account"] = account
        made["scope"] = int(scope)
        return self._send(made, Request(self._whole, made.number, EventKind.MASS_CANCELLED))

    # --- quotes ---------------------------------------------------------------------------------------------------

    def quote(
        self,
        instrument: str | int,
        bid: QuoteSide | None = None,
        offer: QuoteSide | None = None,
        *,
        post_only: bool = False,
        self_trade: SelfTrade = SelfTrade.DEFAULT,
        account: int | None = None,
    ) -> QuoteHandle:
        """Quote both sides, or one: `client.quote("EUA", bid=(10, "69.95"), offer=(10, "70.05"))`.

        It takes the place of the account's quote before: a side at the same price with no more lots than are left keeps
        its place in the queue, any other old order ends (QUOTE_REPLACED). A quote uses two numbers of the session.

        Raises:
            InvalidCommand: unknown instrument, or a price off the tick.
            TypeError: neither side; `withdraw_quote` ends a quote.
        """
        if bid is None and offer is None:
            raise TypeError("quote a bid, an offer or both; withdraw_quote ends a quote")
        return self._quote(instrument, bid, offer, post_only, self_trade, account)

    def withdraw_quote(self, instrument: str | int, *, account: int | None = None) -> QuoteHandle:
        """End what lives of the account's quote; UNKNOWN_ORDER when nothing does."""
        return self._quote(instrument, None, None, False, SelfTrade.DEFAULT, account)

    def _quote(
        self,
        instrument: str | int,
        bid: QuoteSide | None,
        offer: QuoteSide | None,
        post_only: bool,
        self_trade: SelfTrade,
        account: int | None,
    ) -> QuoteHandle:
        it = self.reference.instrument(instrument)
        sides = [None if side is None else (side[0], to_ticks(it, side[1])) for side in (bid, offer)]
        made = self._command(CommandKind.QUOTE, numbers=2)
        made["instrument"], made["account"] = it.number, self._of(account)
        made["flags"], made["self_trade"] = OrderFlag.POST_ONLY * post_only, self_trade
        made["quantity"], made["price"] = sides[0] or (0, 0)
        made["quantity2"], made["price2"] = sides[1] or (0, 0)
        number = made.number
        return self._send(made, QuoteHandle(self._whole, number, it, self._of(account), *sides))

    # --- parts ----------------------------------------------------------------------------------------------------

    @property
    def _whole(self) -> Any:
        """The whole client, for its handles."""
        return self

    def _of(self, account: int | None) -> int:
        return self.account_number if account is None else account


def _aim(made: Draft, order: OrderHandle | int) -> None:
    """By the order's id; by its client_order_id while the id is not known yet."""
    if isinstance(order, int):
        made["target"] = order
    elif order.order_id:
        made["target"] = order.order_id
    else:
        made["target"], made["flags"] = order.client_order_id, int(OrderFlag.BY_CLIENT_ID)


def _ticks(it: InstrumentData, price: Price | None, ticks: int | None, needed: bool = False) -> int:
    if ticks is not None:
        return ticks
    if price is None:
        if needed:
            raise TypeError("state a price or ticks")
        return 0
    return to_ticks(it, price)
