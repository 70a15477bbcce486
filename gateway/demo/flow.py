"""The orders of a simulated firm: drawn at random around a price that wanders and returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Final

from engine.schema import (
    CommandArray,
    CommandKind,
    EventArray,
    EventKind,
    MassCancelScope,
    OrderFlag,
    OrderType,
    Side,
    TimeInForce,
    commands,
)

FIELDS: Final = (
    *("kind", "side", "order_type", "time_in_force", "flags", "scope"),
    *("instrument", "account", "target", "price", "quantity"),
)
Row = tuple[int, int, int, int, int, int, int, int, int, int, int]
"""One command, its fields as in FIELDS."""
ENOUGH_ORDERS: Final = 60
"""Live orders above which a firm rather cancels."""
RANGE: Final = 0.06
"""How far from the previous close prices go; the daily limit lies at 0.10."""
_GONE: Final = (EventKind.CANCELLED, EventKind.EXPIRED)
_SEEN: Final = ("kind", "order_id", "instrument", "side", "price", "quantity", "remaining", "aux2")


@dataclass(slots=True)
class Order:
    """A live order as its owner knows it."""

    order_id: int
    instrument: int
    side: int
    price: int
    remaining: int


@dataclass
class Market:
    """What the firms of one process share: a price per instrument that wanders, and each other's listings."""

    closes: dict[int, int]
    """Instrument -> previous close in ticks."""
    random: Random
    open: list[int]
    """Instruments that may be traded."""
    prices: dict[int, int] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)

    def price(self, instrument: int) -> int:
        """The present price, after one step."""
        close = self.closes[instrument]
        at = self.prices.get(instrument, close)
        at += self.random.choice((-1, 0, 0, 1)) + (close - at) // 40
        self.prices[instrument] = at
        return at


class Flow:
    """Draws one firm's commands and follows its live orders by the events that come back."""

    def __init__(self, account: int, market: Market, random: Random) -> None:
        self.live: dict[int, Order] = {}
        self.rejected = 0
        self._account = account
        self._market = market
        self._random = random
        self._kinds = (
            *(
                (self._resting, 36),
                (self._crossing, 12),
                (self._post_only, 5),
                (self._immediate, 7),
                (self._market_order, 2),
            ),
            *((self._cancel, 24), (self._replace, 10), (self._take, 4)),
        )
        self._draws = [draw for draw, _ in self._kinds]
        self._weights = [weight for _, weight in self._kinds]
        market.flows.append(self)

    def draw(self, count: int) -> CommandArray:
        """The next `count` commands."""
        rows: list[Row] = []
        crowded = len(self.live) > ENOUGH_ORDERS
        for draw in self._random.choices(self._draws, self._weights, k=count):
            if crowded and draw == self._resting and self._random.random() < 0.7:
                draw = self._cancel
            rows.append(draw())
        if self._random.random() < 0.01:
            rows[-1] = self._mass_cancel()
        return as_commands(rows)

    # --- one command each -----------------------------------------------------------------------------------------

    def _order(
        self,
        side: int,
        instrument: int,
        price: int,
        tif: int = TimeInForce.DAY,
        flags: int = 0,
        kind: int = OrderType.LIMIT,
    ) -> Row:
        quantity = self._random.randint(1, 40)
        if price:
            close = self._market.closes[instrument]
            price = max(int(close * (1 - RANGE)), min(int(close * (1 + RANGE)), price))
        return (CommandKind.NEW_ORDER, side, kind, tif, flags, 0, instrument, self._account, 0, price, quantity)

    def _pick(self) -> tuple[int, int, int]:
        """Side, instrument, and +1 for a buy or -1 for a sell."""
        side = self._random.choice((Side.BUY, Side.SELL))
        return int(side), self._random.choice(self._market.open), 1 if side == Side.BUY else -1

    def _away(self) -> int:
        return 1 + int(self._random.expovariate(0.12))

    def _resting(self) -> Row:
        side, instrument, sign = self._pick()
        return self._order(side, instrument, self._market.price(instrument) - sign * self._away())

    def _crossing(self) -> Row:
        side, instrument, sign = self._pick()
        return self._order(side, instrument, self._market.price(instrument) + sign * self._random.randint(0, 6))

    def _post_only(self) -> Row:
        side, instrument, sign = self._pick()
        price = self._market.price(instrument) - sign * self._random.randint(0, 5)
        return self._order(side, instrument, price, flags=OrderFlag.POST_ONLY)

    def _immediate(self) -> Row:
        side, instrument, sign = self._pick()
        tif = self._random.choice((TimeInForce.IOC, TimeInForce.IOC, TimeInForce.FOK))
        return self._order(side, instrument, self._market.price(instrument) + sign * self._random.randint(0, 8), tif)

    def _market_order(self) -> Row:
        side, instrument, _ = self._pick()
        return self._order(side, instrument, 0, TimeInForce.IOC, kind=OrderType.MARKET)

    def _one(self) -> Order | None:
        return self._random.choice(list(self.live.values())) if self.live else None

    def _cancel(self) -> Row:
        order = self._one()
        if order is None:
            return self._resting()
        return (CommandKind.CANCEL_ORDER, 0, 0, 0, 0, 0, 0, 0, order.order_id, 0, 0)

    def _replace(self) -> Row:
        order = self._one()
        if order is None:
            return self._resting()
        price, quantity = order.price, self._random.randint(1, 40)
        if self._random.random() < 0.6:
            sign = 1 if order.side == Side.BUY else -1
            price = self._market.price(order.instrument) - sign * self._away()
        return (CommandKind.REPLACE_ORDER, 0, 0, 0, 0, 0, 0, 0, order.order_id, price, quantity)

    def _take(self) -> Row:
        """Pick a listing of another firm of this process: the best that is known here."""
        side, instrument, sign = self._pick()
        others = [
            order
            for flow in self._market.flows
            if flow is not self
            for order in flow.live.values()
            if order.instrument == instrument and order.side != side
        ]
        if not others:
            return self._crossing()
        best = min(others, key=lambda order: sign * order.price)
        quantity = self._random.randint(1, best.remaining)
        return (CommandKind.TAKE, side, 0, 0, 0, 0, instrument, self._account, best.order_id, best.price, quantity)

    def _mass_cancel(self) -> Row:
        side, instrument, _ = self._pick()
        scope = MassCancelScope.INSTRUMENT | MassCancelScope.SIDE
        return (CommandKind.MASS_CANCEL, side, 0, 0, 0, scope, instrument, 0, 0, 0, 0)

    # --- what comes back ------------------------------------------------------------------------------------------

    def take_in(self, records: EventArray) -> None:
        """Follow the firm's own orders."""
        live = self.live
        columns = (records[name].tolist() for name in _SEEN)
        for kind, order_id, instrument, side, price, quantity, remaining, aux2 in zip(*columns, strict=True):
            if kind == EventKind.ACCEPTED:
                if aux2 >> 8 & 0xFF == TimeInForce.DAY:
                    live[order_id] = Order(order_id, instrument, side, price, quantity)
            elif kind == EventKind.REJECTED:
                self.rejected += 1
            elif kind in _GONE:
                live.pop(order_id, None)
            elif kind in (EventKind.TRADE, EventKind.DECREMENTED, EventKind.REPLACED) and order_id in live:
                if not remaining:
                    del live[order_id]
                    continue
                live[order_id].remaining = remaining
                if kind == EventKind.REPLACED:
                    live[order_id].price = price


def as_commands(rows: list[Row]) -> CommandArray:
    """Rows -> COMMAND records without numbers."""
    made = commands(len(rows))
    for name, column in zip(FIELDS, zip(*rows, strict=True), strict=True):
        made[name] = column
    return made


def cancel_everything() -> CommandArray:
    """One mass cancel of all the firm's orders."""
    made = commands(1)
    made["kind"] = CommandKind.MASS_CANCEL
    return made
