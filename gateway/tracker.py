"""Gives what comes to the handles it belongs to."""

from __future__ import annotations

from typing import Any

from engine.schema import EventKind
from gateway.handles import Follower
from gateway.orders import OrderHandle, Request
from gateway.routing import PUSHED


class Tracker:
    """Gives each event to the handle it belongs to."""

    def __init__(self) -> None:
        self._requests: dict[int, Request] = {}
        self._follower = Follower()
        self._orders: dict[int, OrderHandle] = {}
        self._filled: dict[int, OrderHandle] = {}
        """Filled by the trade `_trade`, whose FEE may still come."""
        self._trade = 0

    def add(self, request: Request) -> None:
        self._requests[request.client_order_id] = request

    def order(self, order_id: int) -> OrderHandle | None:
        return self._orders.get(order_id)

    def take(self, records: Any) -> None:
        """Records of one frame, in order."""
        if not (self._requests or self._orders or self._follower.follows):
            return
        for event in records:
            self._take(event)

    def _take(self, event: Any) -> None:
        kind = event["kind"]
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
