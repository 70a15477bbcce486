"""Handles that follow what a client has sent."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

from engine.schema import EventKind, Side
from gateway.errors import Rejected, rejected
from gateway.wire import InstrumentData

if TYPE_CHECKING:
    from typing import Self

    from gateway.client import Client

_ENDS = (EventKind.CANCELLED, EventKind.EXPIRED)


class Status(Enum):
    PENDING = "pending"
    """Sent, not answered yet."""
    LIVE = "live"
    PARTIALLY_FILLED = "partially filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


class Request:
    """One command on its way: a cancel, a replacement, a mass cancel; `OrderHandle` is the one that enters an order.

    Attributes:
        client_order_id: the command's number.
        events: the EVENT records that answered it, in order.
        rejection: why it was refused; None when it was not.
    """

    def __init__(self, client: Client, client_order_id: int, ends_with: EventKind) -> None:
        self.client_order_id = client_order_id
        self.events: list[Any] = []
        self.rejection: Rejected | None = None
        self.answered = False
        self._client = client
        self._ends_with = ends_with

    def wait(self, timeout: float = 5.0) -> Self:
        """Until the venue has answered; returns the handle itself.

        Raises:
            Rejected: the venue refused (a subclass by reason).
            NoAnswer: not within `timeout` seconds.
        """
        self._client.wait_until(lambda: self.answered, timeout, f"command {self.client_order_id}")
        if self.rejection is not None:
            raise self.rejection
        return self

    def take(self, event: Any) -> None:
        """Take in one event of this command."""
        self.events.append(event)
        if event["kind"] == EventKind.REJECTED:
            self.rejection = rejected(int(event["reason"]), event=event)
            self.answered = True
        elif event["kind"] == self._ends_with:
            self.answered = True


class OrderHandle(Request):
    """An order and what becomes of it. Quantities in lots; prices as Decimal, `ticks` for the integer."""

    def __init__(
        self, client: Client, client_order_id: int, instrument: InstrumentData, side: Side, quantity: int, ticks: int
    ) -> None:
        super().__init__(client, client_order_id, EventKind.ACCEPTED)
        self.instrument = instrument
        self.side = side
        self.quantity = quantity
        self.ticks = ticks
        self.order_id = 0
        self.status = Status.PENDING
        self.filled = 0
        self.fees = 0
        """Minor currency units."""
        self._amount_ticks = 0

    @property
    def remaining(self) -> int:
        """Lots that may still trade."""
        return 0 if self.done else self.quantity - self.filled

    @property
    def done(self) -> bool:
        return self.status in (Status.FILLED, Status.CANCELLED, Status.EXPIRED, Status.REJECTED)

    @property
    def price(self) -> Decimal:
        """The limit in force, in currency units."""
        return Decimal(self.instrument.tick) * self.ticks

    @property
    def average_price(self) -> Decimal | None:
        """Amount over lots, exact; None before the first trade."""
        if not self.filled:
            return None
        return Decimal(self.instrument.tick) * self._amount_ticks / self.filled

    def wait_done(self, timeout: float = 5.0) -> Self:
        """Until the order is filled, cancelled, expired or rejected. Raises Rejected, NoAnswer."""
        self._client.wait_until(lambda: self.done, timeout, f"the end of order {self.client_order_id}")
        if self.rejection is not None:
            raise self.rejection
        return self

    def cancel(self) -> Request:
        return self._client.cancel(self)

    def replace(
        self, quantity: int | None = None, price: Decimal | str | int | None = None, *, ticks: int | None = None
    ) -> Request:
        """Change total quantity or price; what is not named stays."""
        if price is None and ticks is None:
            ticks = self.ticks
        return self._client.replace(self, self.quantity if quantity is None else quantity, price, ticks=ticks)

    def take(self, event: Any) -> None:
        kind = event["kind"]
        if kind == EventKind.ACCEPTED:
            self.order_id = int(event["order_id"])
            self.ticks, self.quantity = int(event["price"]), int(event["quantity"])
            self.status = Status.LIVE
        elif kind == EventKind.TRADE:
            self.filled += int(event["quantity"])
            self._amount_ticks += int(event["quantity"]) * int(event["price"])
            full = self.filled >= self.quantity or event["remaining"] == 0
            self.status = Status.FILLED if full else Status.PARTIALLY_FILLED
        elif kind == EventKind.FEE:
            self.fees += int(event["aux"])
        elif kind == EventKind.REPLACED:
            self.ticks, self.quantity = int(event["price"]), int(event["remaining"]) + self.filled
        elif kind == EventKind.DECREMENTED:
            self.quantity -= int(event["quantity"])
            if event["remaining"] == 0:
                self.status = Status.CANCELLED
        elif kind in _ENDS:
            self.status = Status.CANCELLED if kind == EventKind.CANCELLED else Status.EXPIRED
        super().take(event)
        if kind == EventKind.REJECTED:
            self.status = Status.REJECTED

    def __repr__(self) -> str:
        return (
            f"<order {self.order_id or '?'} {self.side.name.lower()} {self.quantity} {self.instrument.symbol}"
            f" @ {self.price} {self.status.value}, filled {self.filled}>"
        )
