"""What becomes of each order of the book, event by event: its terms, what is left of it, since when it has its place.

Fed with events in order, from the orders that lived before them on. Orders that are not known are passed over, so one
may follow a single account's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from engine.schema import EventKind, OrderType, Reason

KINDS: Final = [
    int(kind)
    for kind in (
        *(EventKind.ACCEPTED, EventKind.TRADE, EventKind.CANCELLED, EventKind.EXPIRED, EventKind.REPLACED),
        *(EventKind.DECREMENTED, EventKind.TRIGGERED, EventKind.REFRESHED),
    )
]
"""Events about orders of the book."""
_TERMS: Final = (
    *("order_id", "client_order_id", "account", "session", "instrument", "side", "price", "quantity", "remaining"),
    *("order_type", "time_in_force", "self_trade", "flags"),
)
"""What rows of STATE_ORDER have of a LiveOrder; ACCEPTED has all but the last four as fields of its own."""
_ICEBERGS: Final = (OrderType.ICEBERG, OrderType.STOP_LIMIT_ICEBERG)
_ASKED_FOR: Final = (Reason.USER_REQUESTED, Reason.MASS_CANCEL, Reason.KILLED)
"""Reasons of an end that a member may have asked for."""


@dataclass(slots=True)
class LiveOrder:
    """An order as it stands: ticks, lots, UTC ns.

    Attributes:
        order_type: 0 for the order of a TAKE.
        entered: when it was accepted; `priority` since when it has its present place; 0 where the journal is not read
            back so far.
        shown: lots shown of an iceberg; None as long as no event states them.
        command: the command that last gave it terms.
    """

    order_id: int
    client_order_id: int
    account: int
    session: int
    instrument: int
    side: int
    price: int
    quantity: int
    remaining: int
    order_type: int
    time_in_force: int
    self_trade: int
    flags: int
    entered: int = 0
    priority: int = 0
    shown: int | None = None
    command: int = 0

    @property
    def is_iceberg(self) -> bool:
        return self.order_type in _ICEBERGS


class Step(NamedTuple):
    """One thing that happened to an order, which stands as it is afterwards.

    Attributes:
        code: NEWO, TRIG, REME, REMA, CAME, CAMO, EXPI, PARF or FILL, as in Regulation (EU) 2017/580.
        traded: lots; 0 without a trade.
        passive: whether it rested when it traded; None without a trade, or in a call auction.
    """

    event: Any
    order: LiveOrder
    code: str
    traded: int = 0
    passive: bool | None = None


class LiveOrders:
    """The orders that live, by id.

    Args:
        rows: rows of STATE_ORDER that live before the first event.
        operators: sessions whose acts are the venue's, 0 among them.
    """

    def __init__(self, rows: Iterable[Any] = (), operators: Iterable[int] = (0,)) -> None:
        self.orders: dict[int, LiveOrder] = {}
        self._operators = frozenset(operators)
        for row in rows:
            order = LiveOrder(*(int(row[name]) for name in _TERMS))
            self.orders[order.order_id] = order

    def take(self, events: Iterable[Any]) -> Iterator[Step]:
        """Take in events of KINDS, in order; each step is to be used before the next is asked for."""
        for event in events:
            yield from self._take(event)

    def _take(self, event: Any) -> Iterator[Step]:
        kind = EventKind(event["kind"])
        if kind == EventKind.ACCEPTED:
            yield self._accepted(event)
            return
        order = self.orders.get(int(event["order_id"]))
        if kind in (EventKind.TRADE, EventKind.DECREMENTED):
            yield from self._two_sided(event, kind, order, self.orders.get(int(event["contra_order_id"])))
        elif order is not None:
            match kind:
                case EventKind.CANCELLED:
                    yield self._ended(event, order, "CAME" if self._is_members(event) else "CAMO")
                case EventKind.EXPIRED:
                    yield self._ended(event, order, "EXPI")
                case EventKind.REPLACED:
                    yield self._replaced(event, order)
                case EventKind.TRIGGERED:
                    order.price, order.priority = int(event["price"]), int(event["timestamp"])
                    yield Step(event, order, "TRIG")
                case EventKind.REFRESHED:
                    order.shown, order.priority = int(event["quantity"]), int(event["timestamp"])
                    order.remaining = int(event["remaining"])
                    yield Step(event, order, "REMA")

    def _accepted(self, event: Any) -> Step:
        how, now = int(event["aux2"]), int(event["timestamp"])
        terms = [int(event[name]) for name in _TERMS[:-4]]
        terms += [how & 255, how >> 8 & 255, how >> 16 & 255, how >> 24]
        order = LiveOrder(*terms)
        order.entered = order.priority = now
        order.command = int(event["command_sequence"])
        self.orders[order.order_id] = order
        return Step(event, order, "NEWO")

    def _two_sided(
        self, event: Any, kind: EventKind, taker: LiveOrder | None, maker: LiveOrder | None
    ) -> Iterator[Step]:
        lots, has_taker = int(event["quantity"]), bool(event["aggressor"])
        for order, name, rested in ((taker, "remaining", False), (maker, "contra_remaining", True)):
            if order is None:
                continue
            order.remaining = int(event[name])
            if order.shown is not None:
                order.shown = max(0, min(order.remaining, order.shown - lots))
            if not order.remaining:
                self.orders.pop(order.order_id, None)
            if kind == EventKind.TRADE:
                code = "PARF" if order.remaining else "FILL"
                yield Step(event, order, code, lots, rested if has_taker else None)
            else:
                order.quantity -= lots
                yield Step(event, order, "REMA" if order.remaining else "CAMO")

    def _ended(self, event: Any, order: LiveOrder, code: str) -> Step:
        order.remaining = 0
        self.orders.pop(order.order_id, None)
        return Step(event, order, code)

    def _replaced(self, event: Any, order: LiveOrder) -> Step:
        """A command's first REPLACED is its owner's wish, a further one of the same command the market's (a rest that
        stays at the last price)."""
        command = int(event["command_sequence"])
        members = command != order.command and int(event["contra_session"]) not in self._operators
        order.price, order.quantity = int(event["price"]), int(event["quantity"])
        order.remaining, order.command = int(event["remaining"]), command
        if not event["aux2"]:
            order.priority = int(event["timestamp"])
        if order.is_iceberg:
            order.shown = None
        return Step(event, order, "REME" if members else "REMA")

    def _is_members(self, event: Any) -> bool:
        return Reason(event["reason"]) in _ASKED_FOR and int(event["contra_session"]) not in self._operators
