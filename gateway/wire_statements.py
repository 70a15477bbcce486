"""The answer about an account's trading day: what travels beside `gateway.wire`."""

from __future__ import annotations

from gateway.wire import Message, OrderData
from gateway.wire_registers import ObligationData


class LineData(Message, frozen=True):
    """One currency (minor units) or asset (units): opening, what moved by name and sign, closing and its buckets.

    `available`: what of the opening was free. The movements that are not named are 0; opening and all of them make the
    closing.
    """

    number: int
    opening: int
    available: int
    movements: tuple[tuple[str, int], ...]
    closing: int
    buckets: tuple[tuple[str, int], ...]


class DayTradeData(Message, frozen=True):
    """The account's half of a trade: ticks, lots, units, minor units.

    `method`: 10 listed, 20 block, 21 one-way bidding. `busts`: this takes trade `busts` back, `side` is the account's
    in that trade; `busted_by`: it was cancelled on the same day, by that event. 0 = not so.
    """

    sequence: int
    time: int
    method: int
    instrument: int
    side: int
    price: int
    lots: int
    units: int
    amount: int
    fee: int
    busts: int
    busted_by: int


class StatementData(Message, frozen=True):
    """A trading day of an account; `stage` is a DayStage.

    `orders`: those that live on after the day, by id; only in the first page and no more than 1,000 of `order_count`.
    `obligations` as the day left them; only in the first page.
    `trades` in sequence; `complete` is false when more lie behind the last.
    """

    account: int
    date: int
    stage: int
    cash: tuple[LineData, ...]
    holdings: tuple[LineData, ...]
    order_count: int
    orders: tuple[OrderData, ...]
    trades: tuple[DayTradeData, ...]
    complete: bool
    obligations: tuple[ObligationData, ...]
