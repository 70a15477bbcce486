"""Answers to queries, between batches and one at a time.

Reference data never changes during a run and is built once. Figures, balances, depth and orders are read from the
engine's canonical state, which is taken anew only when commands were applied since; the answer then waits until four
times as long as taking the state lasted has passed, so a storm of queries costs the core a fifth of its time at most.
"""

from __future__ import annotations

import time
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.core import Engine
from engine.schema import Reason, Role, Side
from engine.venue import Venue
from gateway import wire
from gateway.sessions import Registry, Session

DEPTH: Final = 5
ORDERS_PER_ANSWER: Final = 1_000
TURNOVER_WORD: Final = 2**62
State = dict[str, NDArray[Any]]


class QueryError(Exception):
    """A query that gets a typed reject."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.name)
        self.reason = reason


class Queries:
    """Answers the queries of sessions about one engine."""

    def __init__(self, engine: Engine, registry: Registry) -> None:
        self._engine = engine
        self._registry = registry
        self._instruments = _instruments(engine.venue)
        self._state: State | None = None
        self._state_at = -1
        self._next = 0

    def answer(self, query: wire.Query, session: Session, command_sequence: int) -> wire.Message:
        """The answer to one query. Raises QueryError."""
        match query.kind:
            case wire.QueryKind.REFERENCE:
                return self._reference(session)
            case wire.QueryKind.ACCOUNT:
                return self._account(query.number, session, self._current(command_sequence))
            case wire.QueryKind.BOOK:
                return self._book(query.number, self._current(command_sequence))
            case wire.QueryKind.DAY:
                return self._day(query.number, self._current(command_sequence))
            case wire.QueryKind.ORDERS:
                return _orders(query.number, session, self._current(command_sequence))
        raise QueryError(Reason.INVALID_KIND)

    def wait_ns(self, command_sequence: int) -> int:
        """Nanoseconds until a query may be answered; 0 = now."""
        if command_sequence == self._state_at:
            return 0
        return max(0, self._next - time.monotonic_ns())

    def _current(self, command_sequence: int) -> State:
        if self._state is None or command_sequence != self._state_at:
            start = time.monotonic_ns()
            self._state, self._state_at = self._engine.state(), command_sequence
            end = time.monotonic_ns()
            self._next = end + 4 * (end - start)
        return self._state

    def _reference(self, session: Session) -> wire.ReferenceData:
        venue = self._engine.venue
        return wire.ReferenceData(
            venue=venue.name,
            title=venue.title,
            prefunded=venue.prefunded,
            take=venue.take,
            sweep_levels=venue.sweep_levels,
            currencies=venue.currencies,
            assets=venue.assets,
            instruments=self._instruments,
            accounts=self._registry.accounts_of(session),
            timezone=venue.calendar.timezone,
        )

    def _account(self, number: int, session: Session, state: State) -> wire.AccountData:
        known = self._registry.accounts.get(number)
        # An account of another firm and none at all give the same answer.
        if known is None or (session.role != Role.OPERATOR and known[1] != session.firm):
            raise QueryError(Reason.UNKNOWN_ACCOUNT)
        row = state["accounts"][number - 1]
        cash = state["cash"][state["cash"]["account"] == number]
        holds = state["holds"][state["holds"]["account"] == number]
        return wire.AccountData(
            account=number,
            firm=int(row["firm"]),
            owner_group=int(row["owner_group"]),
            status=int(row["status"]),
            cash=tuple(wire.CashData(*(int(v) for v in list(line)[1:])) for line in cash.tolist()),
            holdings=tuple(wire.HoldingData(*(int(v) for v in list(line)[1:])) for line in holds.tolist()),
        )

    def _book(self, number: int, state: State) -> wire.BookData:
        self._check_instrument(number)
        orders = state["orders"][state["orders"]["instrument"] == number]
        return wire.BookData(
            instrument=number,
            sequence=int(state["header"][0]["event_sequence"]),
            phase=int(state["instruments"][number - 1]["listed_phase"]),
            bids=_levels(orders[orders["side"] == Side.BUY]),
            asks=_levels(orders[orders["side"] == Side.SELL]),
        )

    def _day(self, number: int, state: State) -> wire.DayAnswer:
        if number:
            self._check_instrument(number)
        numbers = [number] if number else range(1, len(self._instruments) + 1)
        header = state["header"][0]
        days = tuple(_day_data(n, header, state["instruments"][n - 1]) for n in numbers)
        return wire.DayAnswer(days, int(header["composite"]))

    def _check_instrument(self, number: int) -> None:
        if not 1 <= number <= len(self._instruments):
            raise QueryError(Reason.UNKNOWN_INSTRUMENT)


def _levels(orders: NDArray[Any]) -> tuple[wire.LevelData, ...]:
    """Orders stand best price first, so the first five different prices are the depth."""
    prices, first = np.unique(orders["price"], return_index=True)
    best = prices[np.argsort(first)][:DEPTH]
    found = []
    for price in best.tolist():
        at = orders[orders["price"] == price]
        found.append(wire.LevelData(price, int(at["remaining"].sum()), len(at)))
    return tuple(found)


def _day_data(number: int, header: Any, row: Any) -> wire.DayData:
    same = ("previous_close", "limit_down", "limit_up", "open", "high", "low", "last", "close", "volume", "trades")
    return wire.DayData(
        instrument=number,
        trading_date=int(header["trading_date"]),
        stage=int(header["day_stage"]),
        phase=int(row["listed_phase"]),
        turnover=str(int(row["turnover"]) + int(row["turnover_high"]) * TURNOVER_WORD),
        **{name: int(row[name]) for name in same},
    )


def _orders(after: int, session: Session, state: State) -> wire.OrdersAnswer:
    rows = state["orders"][(state["orders"]["session"] == session.number) & (state["orders"]["order_id"] > after)]
    rows = rows[np.argsort(rows["order_id"])]
    page = rows[:ORDERS_PER_ANSWER]
    names = wire.OrderData.__struct_fields__
    orders = tuple(wire.OrderData(*(int(row[name]) for name in names)) for row in page)
    return wire.OrdersAnswer(orders, len(page) == len(rows))


def _instruments(venue: Venue) -> tuple[wire.InstrumentData, ...]:
    return tuple(
        wire.InstrumentData(
            number=number,
            symbol=i.symbol,
            asset=venue.asset_id(i.asset),
            currency=venue.currency_id(i.currency),
            tick=str(i.tick),
            tick_value=i.tick_value,
            units_per_lot=i.units_per_lot,
            price_step=i.price_step,
            quantity_step=i.quantity_step,
            quantity_min=i.quantity_min,
            quantity_max=i.quantity_max,
            floor=i.floor_ticks,
            ceiling=i.ceiling_ticks,
            limit_listed_bps=i.limit_listed_bps,
            fee_ppm=i.fee_ppm,
            listed_from=i.listed_from_date,
            order_types=i.order_types,
            times_in_force=i.times_in_force,
            post_only=i.post_only,
        )
        for number, i in enumerate(venue.instruments, 1)
    )
