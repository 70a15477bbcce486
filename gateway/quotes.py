"""The handle that follows a market maker's two-sided quote (docs/order-types.md 11.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engine.schema import EventKind, Side
from gateway.orders import OrderHandle, Request, Status

if TYPE_CHECKING:
    from typing import Self

    from gateway.client import Client
    from gateway.wire import InstrumentData

ANSWERS: Final = (EventKind.ACCEPTED, EventKind.REPLACED, EventKind.CANCELLED)
"""Kinds that tell what became of a quote's side; REJECTED, of both."""


class QuoteHandle(Request):
    """A quote: its bid and its offer, two orders under two numbers.

    Attributes:
        bid, offer: the orders that are the quote now; None = not quoted. Where the order of the quote before has kept
            its place with fewer lots, it is that one, with its own handle, number and id.
    """

    def __init__(
        self,
        client: Client,
        number: int,
        instrument: InstrumentData,
        account: int,
        bid: tuple[int, int] | None,
        offer: tuple[int, int] | None,
    ) -> None:
        """`bid` and `offer` as (lots, ticks); `number` is the bid's, the offer has the next one."""
        super().__init__(client, number, EventKind.CANCELLED)
        self.instrument = instrument
        self.account = account
        self.bid = OrderHandle(client, number, instrument, Side.BUY, *bid) if bid else None
        self.offer = OrderHandle(client, number + 1, instrument, Side.SELL, *offer) if offer else None
        self._open = {side.side for side in self.orders}

    @property
    def orders(self) -> list[OrderHandle]:
        """The orders of the sides that are quoted."""
        return [side for side in (self.bid, self.offer) if side is not None]

    @property
    def done(self) -> bool:
        """Nothing of the quote lives any more."""
        return self.answered and all(order.done for order in self.orders)

    def wait_done(self, timeout: float = 5.0) -> Self:
        """Until nothing of the quote lives any more. Raises Rejected, NoAnswer."""
        self._client.wait_until(lambda: self.done, timeout, f"the end of quote {self.client_order_id}")
        if self.rejection is not None:
            raise self.rejection
        return self

    def withdraw(self) -> QuoteHandle:
        """End what lives of the account's quote on this instrument; one that is over already is UNKNOWN_ORDER."""
        return self._client.withdraw_quote(self.instrument.number, account=self.account)

    def take_quoted(self, event: Any, known: OrderHandle | None) -> OrderHandle | None:
        """Take in one event of the QUOTE itself.

        Args:
            known: the handle of the order that the event names, if this client has one.

        Returns:
            The handle of a side's new order.
        """
        kind, side = event["kind"], Side(int(event["side"]))
        self.events.append(event)
        if kind == EventKind.REJECTED:
            self._refuse(event)
        elif kind == EventKind.CANCELLED:
            # The old quote's orders end before the new ones enter: an answer only when nothing is quoted.
            self.answered = self.answered or not self.orders
        elif side in self._open:
            self._open.discard(side)
            self.answered = not self._open
            if kind == EventKind.ACCEPTED:
                made = self.bid if side == Side.BUY else self.offer
                assert made is not None
                made.take(event)
                return made
            self._keep(side, event, known)
        return None

    def _refuse(self, event: Any) -> None:
        super().take(event)
        self.events.pop()
        for order in self.orders:
            order.take(event)

    def _keep(self, side: Side, event: Any, known: OrderHandle | None) -> None:
        """The old quote's order stays with fewer lots."""
        kept = known
        if kept is None:
            # Another session of the firm entered it: what happens to it later is told there.
            kept = self.bid if side == Side.BUY else self.offer
            assert kept is not None
            kept.order_id, kept.ticks, kept.quantity = (int(event[n]) for n in ("order_id", "price", "remaining"))
            kept.status, kept.answered = Status.LIVE, True
        if side == Side.BUY:
            self.bid = kept
        else:
            self.offer = kept
