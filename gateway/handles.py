"""Handles that follow block terms, bids, and what a firm asks of the registry and of its own kill switch."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from engine.schema import EventKind, Reason, Side
from gateway.orders import Request
from gateway.wire import InstrumentData

if TYPE_CHECKING:
    from typing import Self

    from gateway.client import Client

ANSWERS: Final = frozenset(
    {
        *(EventKind.BLOCK_OFFERED, EventKind.BLOCK_COUNTERED, EventKind.BLOCK_TRADE, EventKind.BLOCK_ENDED),
        *(EventKind.BID_ACCEPTED, EventKind.BID_REPLACED, EventKind.BID_ENDED, EventKind.AUCTION_TRADE),
        *(EventKind.UNITS_SURRENDERED, EventKind.UNITS_CANCELLED, EventKind.HOLD_PLACED, EventKind.KILL_SWITCH_SET),
    }
)
"""Kinds that find their handle by its client_order_id, which every copy carries as its receiver's own."""


class Stage(Enum):
    PENDING = "pending"
    """Sent, not answered yet."""
    LIVE = "live"
    COUNTERED = "countered"
    """The other party's terms stand now."""
    TRADED = "traded"
    ENDED = "ended"
    REJECTED = "rejected"


class Followed(Request):
    """Something that lives on after its answer. Quantities in lots."""

    def __init__(self, client: Client, client_order_id: int, answer: EventKind) -> None:
        super().__init__(client, client_order_id, answer)
        self.stage = Stage.PENDING
        self.number = 0
        """The negotiation's or the bid's id."""
        self.price: Decimal | None = None
        self.quantity = 0
        self.filled = 0
        self.fees = 0
        """Minor currency units."""
        self.ended_by: Reason | None = None

    @property
    def done(self) -> bool:
        return self.stage not in (Stage.PENDING, Stage.LIVE)

    def wait_done(self, timeout: float = 5.0) -> Self:
        """Until it has traded, ended, been countered or rejected. Raises Rejected, NoAnswer."""
        self._client.wait_until(lambda: self.done, timeout, f"the end of command {self.client_order_id}")
        if self.rejection is not None:
            raise self.rejection
        return self

    def take(self, event: Any) -> None:
        kind = event["kind"]
        if kind == EventKind.REJECTED:
            self.stage = Stage.REJECTED
        elif kind == EventKind.FEE:
            self.fees += int(event["aux"])
        elif kind in ANSWERS:
            self.number = int(event["order_id"])
            self._take(kind, event)
        super().take(event)

    def _take(self, kind: int, event: Any) -> None:
        raise NotImplementedError


class BlockTerms(Followed):
    """One's own terms in a block negotiation, or one's acceptance of the other's; `number` is the negotiation's id."""

    def __init__(self, client: Client, client_order_id: int, instrument: InstrumentData, answer: EventKind) -> None:
        super().__init__(client, client_order_id, answer)
        self.instrument = instrument
        self.trade = 0
        """The trade's id, its event sequence."""

    def take(self, event: Any) -> None:
        super().take(event)
        # A counter-offer is a new negotiation where the offer is public.
        if event["kind"] == EventKind.BLOCK_OFFERED:
            self.answered = True

    def _take(self, kind: int, event: Any) -> None:
        if kind == EventKind.BLOCK_TRADE:
            self.stage, self.filled, self.trade = Stage.TRADED, int(event["quantity"]), int(event["sequence"])
        elif kind == EventKind.BLOCK_ENDED:
            self.stage, self.ended_by = Stage.ENDED, Reason(int(event["reason"]))
            return
        elif kind == EventKind.BLOCK_COUNTERED and self.stage is not Stage.PENDING:
            self.stage = Stage.COUNTERED
            return
        else:
            self.stage = Stage.LIVE
        self.price, self.quantity = Decimal(self.instrument.tick) * int(event["price"]), int(event["quantity"])


class BidHandle(Followed):
    """A sealed bid and what becomes of it; `number` is its id. `done` only when its auction is over or it ended."""

    def __init__(self, client: Client, client_order_id: int, instrument: InstrumentData, side: Side) -> None:
        super().__init__(client, client_order_id, EventKind.BID_ACCEPTED)
        self.instrument = instrument
        self.side = side
        self._amount_ticks = 0

    @property
    def average_price(self) -> Decimal | None:
        """What was paid or received over lots, exact; None before the clearing."""
        return Decimal(self.instrument.tick) * self._amount_ticks / self.filled if self.filled else None

    def _take(self, kind: int, event: Any) -> None:
        if kind == EventKind.AUCTION_TRADE:
            self.filled += int(event["quantity"])
            self._amount_ticks += int(event["quantity"]) * int(event["price"])
            self.stage = Stage.LIVE if event["remaining"] else Stage.TRADED
        elif kind == EventKind.BID_ENDED:
            self.stage, self.ended_by = Stage.TRADED if self.filled else Stage.ENDED, Reason(int(event["reason"]))
        else:
            self.stage = Stage.LIVE
            self.price, self.quantity = Decimal(self.instrument.tick) * int(event["price"]), int(event["quantity"])


class UnitsRequest(Request):
    """Units surrendered, cancelled, pledged or on their way; read it once it is answered."""

    @property
    def units(self) -> int:
        return int(self.events[-1]["quantity"])

    @property
    def hold(self) -> int:
        """Id of the hold that a pledge or a transfer waits in; of the obligation when units were surrendered."""
        return int(self.events[-1]["order_id"])

    @property
    def still_due(self) -> int:
        """Units of the obligation that are left after a surrender."""
        return int(self.events[-1]["remaining"])

    @property
    def late(self) -> int:
        """Units of the obligation that came after its date, these of a late surrender included."""
        return int(self.events[-1]["contra_remaining"])


class KillRequest(Request):
    """The firm's own kill switch."""

    @property
    def ended(self) -> int:
        """How many orders, negotiations and bids ended."""
        return int(self.events[-1]["quantity"])


class Follower:
    """Gives each event of these kinds to its handle, by the receiver's own number."""

    def __init__(self) -> None:
        self._live: dict[int, Followed] = {}
        self._done: dict[int, Followed] = {}
        """Over with the last event, whose FEE may still come."""

    @property
    def follows(self) -> bool:
        return bool(self._live or self._done)

    def take(self, event: Any, requests: dict[int, Request]) -> bool:
        """Whether the event belongs to a handle of this module; answered ones leave `requests`."""
        kind, number = int(event["kind"]), int(event["client_order_id"])
        if kind == EventKind.FEE:
            followed = self._live.get(number) or self._done.get(number)
            if followed is not None:
                followed.take(event)
            return followed is not None
        self._done.clear()
        if kind not in ANSWERS:
            return False
        owner = self._live.get(number) or requests.get(number)
        cause = requests.get(int(event["contra_client_order_id"]))
        for one in (owner, cause if cause is not owner else None):
            if one is None:
                continue
            one.take(event)
            if one.answered:
                requests.pop(one.client_order_id, None)
            if isinstance(one, Followed):
                self._keep(one)
        return True

    def _keep(self, followed: Followed) -> None:
        number = followed.client_order_id
        if followed.done:
            self._live.pop(number, None)
            self._done[number] = followed
        else:
            self._live[number] = followed
