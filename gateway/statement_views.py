"""A daily statement as people read it: names and Decimal prices."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from engine.schema import DayStage, Side
from gateway.register_views import Obligation, obligation
from gateway.views import OpenOrder, Reference
from gateway.wire_statements import DayTradeData, LineData, StatementData


class StatementLine(NamedTuple):
    """One currency (minor units) or asset (units).

    `available`: what of the opening was free. `movements`: by name and sign, those that are not 0; opening and all of
    them make the closing. `buckets`: the closing as it lies.
    """

    name: str
    opening: int
    available: int
    movements: dict[str, int]
    closing: int
    buckets: dict[str, int]


class DayTrade(NamedTuple):
    """The account's half of a trade, or of the cancellation (`busts`) of one; amount and fee in minor units.

    `method`: 10 listed, 20 block, 21 one-way bidding; `busted_by`: cancelled on the same day by that event.
    """

    sequence: int
    time: int
    method: int
    symbol: str
    side: Side
    price: Decimal
    lots: int
    units: int
    amount: int
    fee: int
    busts: int | None
    busted_by: int | None


class Statement(NamedTuple):
    """A trading day of an account; `orders`: those that live on, `order_count` in all; `obligations`: after it."""

    account: int
    date: int
    stage: DayStage
    cash: tuple[StatementLine, ...]
    holdings: tuple[StatementLine, ...]
    trades: tuple[DayTrade, ...]
    orders: tuple[OpenOrder, ...]
    order_count: int
    obligations: tuple[Obligation, ...]


def statement(reference: Reference, pages: Sequence[StatementData]) -> Statement:
    """A statement from its pages, in order."""
    first = pages[0]
    names = reference.data
    return Statement(
        account=first.account,
        date=first.date,
        stage=DayStage(first.stage),
        cash=tuple(_line(names.currencies, line) for line in first.cash),
        holdings=tuple(_line(names.assets, line) for line in first.holdings),
        trades=tuple(_trade(reference, trade) for page in pages for trade in page.trades),
        orders=tuple(reference.order(order) for order in first.orders),
        order_count=first.order_count,
        obligations=tuple(obligation(owed) for owed in first.obligations),
    )


def _line(names: Sequence[str], line: LineData) -> StatementLine:
    name = names[line.number - 1]
    return StatementLine(name, line.opening, line.available, dict(line.movements), line.closing, dict(line.buckets))


def _trade(reference: Reference, trade: DayTradeData) -> DayTrade:
    terms = reference.instrument(trade.instrument)
    return DayTrade(
        sequence=trade.sequence,
        time=trade.time,
        method=trade.method,
        symbol=terms.symbol,
        side=Side(trade.side),
        price=Decimal(terms.tick) * trade.price,
        lots=trade.lots,
        units=trade.units,
        amount=trade.amount,
        fee=trade.fee,
        busts=trade.busts or None,
        busted_by=trade.busted_by or None,
    )
