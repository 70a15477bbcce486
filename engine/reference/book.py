"""One order book: two sides, price levels best first, strict arrival order inside a level."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from sortedcontainers import SortedDict

from engine.schema import Side


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

    @property
    def filled(self) -> int:
        return self.quantity - self.remaining


Level: TypeAlias = dict[int, Order]
"""The orders of one price by order id, in order of arrival."""


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
        """The order that trades next: best price, earliest arrival."""
        level: Level = self.levels.peekitem(self._best_index)[1]
        return next(iter(level.values()))

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
            yield from level.values()

    def better_levels(self, price: int) -> int:
        """How many occupied levels are better than `price`."""
        if self.is_buy:
            return len(self.levels) - int(self.levels.bisect_right(price))
        return int(self.levels.bisect_left(price))

    def add(self, order: Order) -> None:
        """Queue behind everything that already rests at the order's price."""
        level = self.levels.get(order.price)
        if level is None:
            self.levels[order.price] = {order.order_id: order}
        else:
            level[order.order_id] = order

    def remove(self, order: Order) -> None:
        level = self.levels[order.price]
        del level[order.order_id]
        if not level:
            del self.levels[order.price]
