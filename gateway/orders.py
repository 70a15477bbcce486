"""Handles that follow what a client has sent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from engine.schema import EventFlag, EventKind, OrderType, Reason, Side, TimeInForce
from engine.venue import date_number
from gateway.errors import Rejected, rejected
from gateway.wire import InstrumentData

if TYPE_CHECKING:
    from typing import Self

    from gateway.client import Client

_ENDS: Final = (EventKind.CANCELLED, EventKind.EXPIRED)
STOPS: Final = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.STOP_LIMIT_ICEBERG)
ICEBERGS: Final = (OrderType.ICEBERG, OrderType.STOP_LIMIT_ICEBERG)


class Status(Enum):
    PENDING = "pending"
    """Sent, not answered yet."""
    WAITING = "waiting"
    """A stop order whose stop price has not been met: in no queue of the book."""
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


class OrderTerms(NamedTuple):
    """What an order is beside side, price and lots; stop price in ticks, `good_till` as a number YYYYMMDD, 0 = none."""

    order_type: OrderType = OrderType.LIMIT
    time_in_force: TimeInForce = TimeInForce.DAY
    stop: int = 0
    shown: int = 0
    hidden: bool = False
    minimum: int = 0
    good_till: int = 0


def order_terms(
    *,
    priced: bool,
    market: bool,
    time_in_force: str | None,
    stop: int,
    shown: int,
    hidden: bool,
    minimum: int,
    good_till: date | None,
) -> OrderTerms:
    """Order type and time in force from what was asked for. Raises TypeError when no order type can say it."""
    if market and shown:
        raise TypeError("an order that shows a part only is a limit order: state a price, not market=True")
    if good_till is not None and time_in_force not in (None, "gtd"):
        raise TypeError(f"good_till goes with time_in_force 'gtd' or none, not {time_in_force!r}")
    if time_in_force == "gtd" and good_till is None:
        raise TypeError("a 'gtd' order needs good_till, its last trading date")
    if not priced and not market:
        raise TypeError("state a price or ticks, or market=True")
    if stop:
        kind = OrderType.STOP if market else OrderType.STOP_LIMIT_ICEBERG if shown else OrderType.STOP_LIMIT
    else:
        kind = OrderType.MARKET if market else OrderType.ICEBERG if shown else OrderType.LIMIT
    usual = "gtd" if good_till is not None else "ioc" if kind == OrderType.MARKET else "day"
    tif = TimeInForce[(time_in_force or usual).upper()]
    last = 0 if good_till is None else date_number(good_till)
    return OrderTerms(kind, tif, stop, shown, hidden, minimum, last)


class OrderHandle(Request):
    """An order and what becomes of it. Quantities in lots; prices as Decimal, `ticks` for the integer.

    Attributes:
        stop_ticks: stop price in ticks, also when it has been met; 0 = no stop order.
        shown: most lots that an iceberg shows; 0 = it shows all.
        visible: lots that others see or meet now; 0 of a hidden or waiting order.
        hidden, minimum, good_till: as placed; `good_till` is a number YYYYMMDD, 0 = none.
        triggered: the stop price has been met.
        ended_by: why the order ended with lots left: QUOTE_REPLACED, CALL_REMAINDER, GOOD_TILL_DATE and so on.

    What another session of the firm changes (a shown part, a stop price) the venue tells only in part: ask
    `open_orders()` where that matters.
    """

    def __init__(
        self,
        client: Client,
        client_order_id: int,
        instrument: InstrumentData,
        side: Side,
        quantity: int,
        ticks: int,
        terms: OrderTerms | None = None,
    ) -> None:
        super().__init__(client, client_order_id, EventKind.ACCEPTED)
        terms = terms or OrderTerms()
        self.instrument = instrument
        self.side = side
        self.quantity = quantity
        self.ticks = ticks
        self.order_type = terms.order_type
        self.time_in_force = terms.time_in_force
        self.stop_ticks = terms.stop
        self.shown = terms.shown
        self.hidden = terms.hidden
        self.minimum = terms.minimum
        self.good_till = terms.good_till
        self.order_id = 0
        self.status = Status.PENDING
        self.triggered = False
        self.ended_by: Reason | None = None
        self.filled = 0
        self.fees = 0
        """Minor currency units."""
        self._amount_ticks = 0
        self._slice = 0
        """Lots of an iceberg's present part that are left."""

    @property
    def remaining(self) -> int:
        """Lots that may still trade."""
        return 0 if self.done else self.quantity - self.filled

    @property
    def done(self) -> bool:
        return self.status in (Status.FILLED, Status.CANCELLED, Status.EXPIRED, Status.REJECTED)

    @property
    def waiting(self) -> bool:
        """A stop order that has not been triggered."""
        return self.status is Status.WAITING

    @property
    def visible(self) -> int:
        """Lots that others see now."""
        if self.hidden or self.status not in (Status.LIVE, Status.PARTIALLY_FILLED):
            return 0
        return self._slice if self.shown else self.remaining

    @property
    def price(self) -> Decimal:
        """The limit in force, in currency units."""
        return Decimal(self.instrument.tick) * self.ticks

    @property
    def stop(self) -> Decimal | None:
        """The stop price, in currency units; None when it is no stop order."""
        return Decimal(self.instrument.tick) * self.stop_ticks if self.stop_ticks else None

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

    def wait_triggered(self, timeout: float = 5.0) -> Self:
        """Until a stop order's price has been met, or the order is over. Raises Rejected, NoAnswer."""
        self._client.wait_until(
            lambda: self.triggered or self.done, timeout, f"the trigger of order {self.client_order_id}"
        )
        if self.rejection is not None:
            raise self.rejection
        return self

    def cancel(self) -> Request:
        return self._client.cancel(self)

    def replace(
        self,
        quantity: int | None = None,
        price: Decimal | str | int | None = None,
        *,
        ticks: int | None = None,
        stop: Decimal | str | int | None = None,
        shown: int | None = None,
        good_till: date | None = None,
    ) -> Request:
        """Change total quantity, price, stop price, shown part or last date; what is not named stays."""
        if price is None and ticks is None:
            ticks = 0 if self.waiting else self.ticks
        total = self.quantity if quantity is None else quantity
        return self._client.replace(self, total, price, ticks=ticks, stop=stop, shown=shown, good_till=good_till)

    def take(self, event: Any) -> None:
        kind = event["kind"]
        if kind == EventKind.ACCEPTED:
            self.order_id = int(event["order_id"])
            self.ticks, self.quantity = int(event["price"]), int(event["quantity"])
            self.status = Status.WAITING if self.order_type in STOPS else Status.LIVE
            self._show()
        elif kind == EventKind.TRIGGERED:
            self.triggered = True
            self.status = Status.LIVE
            self._show()
        elif kind == EventKind.REFRESHED:
            self._slice = int(event["quantity"])
        elif kind == EventKind.TRADE:
            self.filled += int(event["quantity"])
            self._amount_ticks += int(event["quantity"]) * int(event["price"])
            full = self.filled >= self.quantity or event["remaining"] == 0
            self.status = Status.FILLED if full else Status.PARTIALLY_FILLED
            self._part_taken(event)
        elif kind == EventKind.FEE:
            self.fees += int(event["aux"])
        elif kind == EventKind.REPLACED:
            self.ticks, self.quantity = int(event["price"]), int(event["remaining"]) + self.filled
            self._slice = min(self._slice, self.remaining)
            if not event["aux2"]:
                self._show()
        elif kind == EventKind.DECREMENTED:
            self.quantity -= int(event["quantity"])
            if event["remaining"] == 0:
                self.status = Status.CANCELLED
            self._part_taken(event)
        elif kind in _ENDS:
            self.status = Status.CANCELLED if kind == EventKind.CANCELLED else Status.EXPIRED
            self.ended_by = Reason(int(event["reason"]))
        super().take(event)
        if kind == EventKind.REJECTED:
            self.status = Status.REJECTED

    def change(self, stop: int, shown: int, good_till: int) -> None:
        """A replacement has brought another stop price (ticks), shown part or last date; 0 = as it was."""
        self.stop_ticks = stop or self.stop_ticks
        self.good_till = good_till or self.good_till
        if shown and shown != self.shown:
            self.shown = shown
            self._show()

    def _show(self) -> None:
        """The part that an iceberg shows when it begins to rest."""
        self._slice = min(self.shown, self.remaining)

    def _part_taken(self, event: Any) -> None:
        """An iceberg's part after a trade: a taker shows none yet, a call takes part after part (11.3, 12.2)."""
        if not self.shown:
            return
        resting = event["flags"] & EventFlag.MAKER or not event["aggressor"]
        lots, left = int(event["quantity"]), self._slice
        if not resting:
            self._show()
        elif lots < left:
            self._slice = left - lots
        else:
            over = (lots - left) % self.shown
            self._slice = min(self.shown, self.remaining + over) - over

    def __repr__(self) -> str:
        return (
            f"<order {self.order_id or '?'} {self.side.name.lower()} {self.quantity} {self.instrument.symbol}"
            f" @ {self.price} {self.status.value}, filled {self.filled}>"
        )


class ReplaceRequest(Request):
    """A replacement on its way; what it changes beside price and lots reaches the order's handle with the answer."""

    def __init__(self, client: Client, client_order_id: int, order: OrderHandle | None, new: OrderTerms) -> None:
        super().__init__(client, client_order_id, EventKind.REPLACED)
        self._order = order
        self._new = new

    @property
    def kept_place(self) -> bool:
        """Whether the order kept its place in the queue; read it once it is answered."""
        return bool(self.events[-1]["aux2"])

    def take(self, event: Any) -> None:
        super().take(event)
        if event["kind"] == EventKind.REPLACED and self._order is not None:
            self._order.change(self._new.stop, self._new.shown, self._new.good_till)
