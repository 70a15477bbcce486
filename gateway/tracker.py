"""Gives what comes to the handles it belongs to."""

from __future__ import annotations

from typing import Any

from engine.schema import EventKind
from gateway import quotes
from gateway.handles import Follower
from gateway.orders import OrderHandle, Request
from gateway.pushes import PUSHED
from gateway.quotes import QuoteHandle


class Tracker:
    """Gives each event to the handle it belongs to."""

    def __init__(self) -> None:
        self._requests: dict[int, Request] = {}
        self._follower = Follower()
        self._quotes: dict[int, QuoteHandle] = {}
        """Quotes that are not answered yet, by both of their numbers."""
        self._orders: dict[int, OrderHandle] = {}
        self._filled: dict[int, OrderHandle] = {}
        """Filled by the trade `_trade`, whose FEE may still come."""
        self._trade = 0

    def add(self, request: Request) -> None:
        if isinstance(request, QuoteHandle):
            self._quotes |= dict.fromkeys((request.client_order_id, request.client_order_id + 1), request)
        else:
            self._requests[request.client_order_id] = request

    def order(self, order_id: int) -> OrderHandle | None:
        return self._orders.get(order_id)

    def take(self, records: Any) -> None:
        """Records of one frame, in order."""
        if not (self._requests or self._quotes or self._orders or self._follower.follows):
            return
        for event in records:
            self._take(event)

    def _take(self, event: Any) -> None:
        kind = event["kind"]
        if self._quotes and (kind in quotes.ANSWERS or kind == EventKind.REJECTED):
            self._take_quoted(event)
        if kind in (EventKind.ACCEPTED, EventKind.REJECTED, EventKind.MASS_CANCELLED):
            request = self._requests.pop(int(event["client_order_id"]), None)
            if request is None:
                return
            request.take(event)
            if kind == EventKind.ACCEPTED and isinstance(request, OrderHandle):
                self._orders[request.order_id] = request
            return
        if self._follower.take(event, self._requests):
            return
        if kind in PUSHED:  # its order_id is a hold's or another thing's, not an order's
            return
        cause = self._requests.get(int(event["contra_client_order_id"]))
        number = int(event["order_id"])
        order = self._filled.get(number) if kind == EventKind.FEE else None
        order = order or self._orders.get(number)
        if kind == EventKind.TRADE and int(event["sequence"]) != self._trade:
            self._trade = int(event["sequence"])
            self._filled.clear()
        if order is not None:
            order.take(event)
            if order.done and self._orders.pop(number, None) is not None:
                self._filled[number] = order
        if cause is not None and cause is not order:
            cause.take(event)
            if cause.answered:
                self._requests.pop(cause.client_order_id, None)

    def _take_quoted(self, event: Any) -> None:
        """An event of a QUOTE: its own orders have its numbers, the orders before it name it as their cause."""
        numbers = (int(event["client_order_id"]), int(event["contra_client_order_id"]))
        quote = next((self._quotes[number] for number in numbers if number in self._quotes), None)
        if quote is None:
            return
        entered = quote.take_quoted(event, self._orders.get(int(event["order_id"])))
        if entered is not None:
            self._orders[entered.order_id] = entered
        if quote.answered:
            for number in (quote.client_order_id, quote.client_order_id + 1):
                self._quotes.pop(number, None)
