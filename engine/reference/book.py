"""One order book: two sides, price levels best first; inside a level displayed before hidden, strict arrival order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sortedcontainers import SortedDict

from engine.schema import OrderFlag, Side

HIDDEN = int(OrderFlag.HIDDEN)


@dataclass(slots=True)
class Order:
    """One order. Field names and meanings are those of `schema.STATE_ORDER`."""

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
    cumulative_amount: int = 0
    expiry: int = 0
    stop_price: int = 0
    shown: int = 0
    visible: int = 0
    waiting: int = 0
    quote: int = 0

    @property
    def filled(self) -> int:
        return self.quantity - self.remaining

    @property
    def offered(self) -> int:
        """Lots that a taker meets: all that is left, of a resting iceberg what it shows."""
        return self.visible if self.shown else self.remaining


Queue = dict[int, Order]
"""Orders by order id, in order of arrival."""


@dataclass(slots=True)
class Level:
    """The orders of one price."""

    displayed: Queue = field(default_factory=dict)
    hidden: Queue = field(default_factory=dict)

    def queue_of(self, order: Order) -> Queue:
        return self.hidden if order.flags & HIDDEN else self.displayed

    def orders(self) -> Iterator[Order]:
        """In the order in which they trade."""
        yield from self.displayed.values()
        yield from self.hidden.values()


class BookSide:
    """The resting orders of one side. Prices are ticks."""

    def __init__(self, side: int) -> None:
        self.is_buy = side == Side.BUY
        self.levels: Any = SortedDict()
        self._best_index = -1 if self.is_buy else 0

    def best_price(self) -> int:
        """Highest bid or lowest offer; 0 when nobody is there."""
        return int(self.levels.peekitem(self._best_index)[0]) if self.levels else 0

    def first_order(self) -> Order:
        """The order that trades next: best price, displayed before hidden, earliest arrival."""
        level: Level = self.levels.peekitem(self._best_index)[1]
        return next(level.orders())

    def reaches(self, limit: int) -> bool:
        """Whether a counter order limited to `limit` could trade with the best price of this side."""
        best = self.best_price()
        if best == 0:
            return False
        return best >= limit if self.is_buy else best <= limit

    def within(self, price: int, limit: int) -> bool:
        """Whether a counter order limited to `limit` may trade at `price` of this side."""
        return price >= limit if self.is_buy else price <= limit

    def best_first(self) -> Iterator[tuple[int, Level]]:
        """Occupied levels, best price first."""
        for price in reversed(self.levels) if self.is_buy else iter(self.levels):
            yield price, self.levels[price]

    def orders(self) -> Iterator[Order]:
        """Best price first, then priority."""
        for _, level in self.best_first():
            yield from level.orders()

    def better_levels(self, price: int) -> int:
        """How many occupied levels are better than `price`."""
        if self.is_buy:
            return len(self.levels) - int(self.levels.bisect_right(price))
        return int(self.levels.bisect_left(price))

    def add(self, order: Order) -> None:
        """Queue behind everything of its sort, displayed or hidden, that already rests at the order's price."""
        level = self.levels.get(order.price)
        if level is None:
            level = self.levels[order.price] = Level()
        level.queue_of(order)[order.order_id] = order

    def remove(self, order: Order) -> None:
        level: Level = self.levels[order.price]
        del level.queue_of(order)[order.order_id]
        if not level.displayed and not level.hidden:
            del self.levels[order.price]

    def move_behind(self, order: Order) -> None:
        """To the end of its queue."""
        queue = self.levels[order.price].queue_of(order)
        queue[order.order_id] = queue.pop(order.order_id)


class StopSide:
    """The waiting stop orders of one side, by stop price: buys from the lowest up, sells from the highest down."""

    def __init__(self, side: int) -> None:
        self.is_buy = side == Side.BUY
        self.levels: Any = SortedDict()

    def orders(self) -> Iterator[Order]:
        """In the order in which a moving price meets them."""
        for price in iter(self.levels) if self.is_buy else reversed(self.levels):
            yield from self.levels[price].values()

    def first_met(self, last: int) -> Order | None:
        """The stop that a last price triggers first, or None."""
        if not self.levels or not last:
            return None
        price, queue = self.levels.peekitem(0 if self.is_buy else -1)
        met = last >= price if self.is_buy else last <= price
        return next(iter(queue.values())) if met else None

    def add(self, order: Order) -> None:
        """Behind the others of its stop price."""
        self.levels.setdefault(order.stop_price, {})[order.order_id] = order

    def remove(self, order: Order) -> None:
        queue: Queue = self.levels[order.stop_price]
        del queue[order.order_id]
        if not queue:
            del self.levels[order.stop_price]
