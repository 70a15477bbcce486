"""Answers to queries, between batches.

Reference data never changes during a run and is built once. Figures, balances, depth and orders are read from the
engine by `engine.look`, which reads only what is asked for, so an answer costs the core some tens of microseconds.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import structs

from engine.core import Engine
from engine.look import Header, Level
from engine.schema import Reason, Role
from engine.venue import Venue
from gateway import wire
from gateway.compliance import compliance
from gateway.register_queries import RegisterQueries
from gateway.sessions import Registry, Session
from gateway.wire_calls import IndicativeAnswer, IndicativeData

DEPTH: Final = 5
ORDERS_PER_ANSWER: Final = 1_000
TURNOVER_WORD: Final = 2**62


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
        self._instruments = engine.venue.instruments
        self._reference = reference_data(engine.venue)
        self._registers = RegisterQueries(engine, registry)

    def answer(self, query: wire.Query, session: Session, _sequence: int = 0) -> wire.Message:
        """The answer to one query. Raises QueryError."""
        match query.kind:
            case wire.QueryKind.REFERENCE:
                return structs.replace(self._reference, accounts=self._registry.accounts_of(session))
            case wire.QueryKind.ACCOUNT:
                return self._account(query.number, session)
            case wire.QueryKind.BOOK:
                return self._book(query.number)
            case wire.QueryKind.DAY:
                return self._day(query.number)
            case wire.QueryKind.ORDERS:
                return self._orders(query.number, session)
            case wire.QueryKind.NEGOTIATIONS:
                return self._registers.negotiations(query.number, session)
            case wire.QueryKind.AUCTIONS:
                return self._registers.auctions()
            case wire.QueryKind.BIDS:
                return self._registers.bids(query.number, session)
            case wire.QueryKind.HOLDS:
                return self._registers.holds(query.number, session)
            case wire.QueryKind.OBLIGATIONS:
                return self._registers.obligations(query.number, session)
            case wire.QueryKind.COMPLIANCE:
                self.check_account(query.number, session)
                return compliance(self._engine, query.number)
            case wire.QueryKind.INDICATIVE:
                return self._indicative(query.number)
        raise QueryError(Reason.INVALID_KIND)

    def check_account(self, number: int, session: Session) -> None:
        """Whether a session may ask about an account. Raises QueryError."""
        known = self._registry.accounts.get(number)
        # An account of another firm and none at all give the same answer.
        if known is None or (session.role != Role.OPERATOR and known[1] != session.firm):
            raise QueryError(Reason.UNKNOWN_ACCOUNT)

    def _account(self, number: int, session: Session) -> wire.AccountData:
        self.check_account(number, session)
        account, cash, holds = self._engine.balance(number)
        row = account[0]
        return wire.AccountData(
            account=number,
            firm=int(row["firm"]),
            owner_group=int(row["owner_group"]),
            status=int(row["status"]),
            cash=tuple(wire.CashData(*line[1:]) for line in cash.tolist()),
            holdings=tuple(wire.HoldingData(*line[1:]) for line in holds.tolist()),
        )

    def _book(self, number: int) -> wire.BookData:
        self._check_instrument(number)
        bids, asks = self._engine.depth(number, DEPTH)
        return wire.BookData(
            instrument=number,
            sequence=self._engine.header().event_sequence,
            phase=int(self._engine.book_day(number)["listed_phase"][0]),
            bids=_levels(bids),
            asks=_levels(asks),
        )

    def _day(self, number: int) -> wire.DayAnswer:
        if number:
            self._check_instrument(number)
        numbers = [number] if number else range(1, len(self._instruments) + 1)
        header = self._engine.header()
        days = tuple(_day_data(n, header, self._engine.book_day(n)[0]) for n in numbers)
        return wire.DayAnswer(days, header.composite)

    def _indicative(self, number: int) -> IndicativeAnswer:
        if number:
            self._check_instrument(number)
        terms = self._engine.venue.instruments
        numbers = [number] if number else [n for n, i in enumerate(terms, 1) if i.call_auction]
        return IndicativeAnswer(tuple(map(self._call_of, numbers)), self._engine.header().event_sequence)

    def _call_of(self, number: int) -> IndicativeData:
        row = self._engine.book_day(number)[0]
        return IndicativeData(
            number, int(row["listed_phase"]), bool(row["call_frozen"]), *self._engine.indicative(number)
        )

    def _orders(self, after: int, session: Session) -> wire.OrdersAnswer:
        # One more than fits tells whether more lie behind; the venue's own session 0 has no orders.
        rows = self._engine.open_orders(session=session.number or -1, after=after, most=ORDERS_PER_ANSWER + 1)
        page = rows[:ORDERS_PER_ANSWER]
        columns = [page[name].tolist() for name in wire.OrderData.__struct_fields__]
        orders = tuple(wire.OrderData(*row) for row in zip(*columns, strict=True))
        return wire.OrdersAnswer(orders, len(page) == len(rows))

    def _check_instrument(self, number: int) -> None:
        if not 1 <= number <= len(self._instruments):
            raise QueryError(Reason.UNKNOWN_INSTRUMENT)


def _levels(levels: tuple[Level, ...]) -> tuple[wire.LevelData, ...]:
    return tuple(wire.LevelData(*level) for level in levels)


def _day_data(number: int, header: Header, row: Any) -> wire.DayData:
    same = ("previous_close", "limit_down", "limit_up", "open", "high", "low", "last", "close", "volume", "trades")
    return wire.DayData(
        instrument=number,
        trading_date=header.trading_date,
        stage=header.day_stage,
        phase=int(row["listed_phase"]),
        turnover=str(int(row["turnover"]) + int(row["turnover_high"]) * TURNOVER_WORD),
        **{name: int(row[name]) for name in same},
    )


def reference_data(venue: Venue) -> wire.ReferenceData:
    """What a venue's rules say, without accounts."""
    return wire.ReferenceData(
        venue=venue.name,
        title=venue.title,
        prefunded=venue.prefunded,
        take=venue.take,
        sweep_levels=venue.sweep_levels,
        currencies=venue.currencies,
        assets=venue.assets,
        instruments=_instruments(venue),
        accounts=(),
        timezone=venue.calendar.timezone,
    )


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
            hidden=i.hidden,
            quotes=i.quotes,
            call_auction=i.call_auction,
        )
        for number, i in enumerate(venue.instruments, 1)
    )
