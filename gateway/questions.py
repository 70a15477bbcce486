"""The client's questions and an operator's administrative messages: one request, one answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from engine.control import Control, expand
from engine.schema import EventArray, EventKind
from gateway import wire
from gateway.errors import rejected
from gateway.link import Answer, Link
from gateway.records import join
from gateway.register_questions import RegisterQuestions
from gateway.statement_views import Statement, statement
from gateway.views import Account, Book, Day, Indicative, OpenOrder, Reference
from gateway.wire import FrameType, QueryKind
from gateway.wire_calls import IndicativeAnswer
from gateway.wire_statements import StatementData
from gateway.wire_status import StatusData

M = TypeVar("M", bound=wire.Message)
STATEMENT_PATIENCE = 60.0
"""Seconds: a statement is composed from a whole day of the journal."""


class Questions(RegisterQuestions):
    """The part of the client that asks; the other part keeps the connection going."""

    reference: Reference
    timeout: float
    account_number: int
    _link: Link
    _inbox: list[EventArray]

    def wait_until(self, done: Callable[[], bool], timeout: float, what: str = "the condition") -> None:
        raise NotImplementedError

    def book(self, instrument: str | int) -> Book:
        """Best five levels per side, as displayed: parts of icebergs, no hidden orders, no waiting stops."""
        number = self.reference.instrument(instrument).number
        return self.reference.book(self.ask(QueryKind.BOOK, number, wire.BookData))

    def day(self, instrument: str | int) -> Day:
        """The day's figures of one instrument."""
        number = self.reference.instrument(instrument).number
        return self.reference.day(self.ask(QueryKind.DAY, number, wire.DayAnswer).days[0])

    def days(self) -> list[Day]:
        """The day's figures of every instrument."""
        return [self.reference.day(day) for day in self.ask(QueryKind.DAY, 0, wire.DayAnswer).days]

    def indicative(self, instrument: str | int) -> Indicative:
        """What a call would do if it ended now: price, lots, surplus. Of a book that is not crossed, nothing."""
        number = self.reference.instrument(instrument).number
        return self.reference.indicative(self.ask(QueryKind.INDICATIVE, number, IndicativeAnswer).instruments[0])

    def indicatives(self) -> list[Indicative]:
        """The same of every instrument that has call auctions."""
        found = self.ask(QueryKind.INDICATIVE, 0, IndicativeAnswer).instruments
        return [self.reference.indicative(one) for one in found]

    def account(self, number: int | None = None) -> Account:
        """Cash and holdings of an account of the firm."""
        wanted = self.account_number if number is None else number
        return self.reference.account(self.ask(QueryKind.ACCOUNT, wanted, wire.AccountData))

    def open_orders(self) -> list[OpenOrder]:
        """Every live order that this session has entered, by order id."""
        found: list[wire.OrderData] = []
        while True:
            page = self.ask(QueryKind.ORDERS, found[-1].order_id if found else 0, wire.OrdersAnswer)
            found += page.orders
            if page.complete:
                return [self.reference.order(order) for order in found]

    def status(self) -> StatusData:
        """What the venue takes, room in its journal, and the counts of the firm's sessions (operators: of all)."""
        return self.ask(QueryKind.STATUS, 0, StatusData)

    def statement(self, date: int = 0, account: int | None = None) -> Statement:
        """A settled day of an account of the firm: opening, movements, closing, trades, orders that live on.

        Args:
            date: YYYYMMDD; 0 = the last day that has ended.

        Raises:
            Rejected: INVALID_DATE (no such settled day), UNKNOWN_ACCOUNT, THROTTLED (one at a time); NoAnswer.
        """
        wanted = self.account_number if account is None else account
        pages = [self.ask(QueryKind.STATEMENT, wanted, StatementData, date=date)]
        while not pages[-1].complete:
            after = pages[-1].trades[-1].sequence
            pages.append(self.ask(QueryKind.STATEMENT, wanted, StatementData, date=pages[0].date, after=after))
        return statement(self.reference, pages)

    def ask(self, kind: QueryKind, number: int, answer: type[M], **more: int) -> M:
        """Ask as the wire does, `more` being further fields of the query; returns the message in ticks and ids.

        Raises Rejected, NoAnswer.
        """
        patience = STATEMENT_PATIENCE if kind == QueryKind.STATEMENT else None
        found = self.request(FrameType.QUERY, wire.Query(int(kind), number, **more), f"query {kind.name}", patience)
        return wire.unpack(found.frame, answer)

    def request(self, frame_type: FrameType, message: wire.Message, what: str, patience: float | None = None) -> Answer:
        """Send one request and wait for its answer, `patience` or `timeout` seconds. Raises Rejected, NoAnswer."""
        token = self._link.ask(frame_type, message)
        got: list[Answer] = []

        def arrived() -> bool:
            found = self._link.take_answer(token)
            if found is not None:
                got.append(found)
            return bool(got)

        try:
            self.wait_until(arrived, patience or self.timeout, what)
        finally:
            self._link.forget(token)
        return accepted(got[0])

    def control(self, message: Control) -> EventArray:
        """Carry out an administrative message (operators); returns the events of its commands.

        Raises:
            Rejected: the gateway or the engine refused; `.event` is the engine's record.
            NoAnswer: within `timeout`.
        """
        count = len(expand(message))
        first = self._link.next_numbers(count)
        seen = len(self._inbox)
        token = self._link.ask(FrameType.CONTROL, wire.ControlRequest(first, message))
        refused: list[Answer] = []

        def answered() -> bool:
            found = self._link.take_answer(token)
            if found is not None:
                refused.append(found)
            return bool(refused) or self._link.acknowledged >= first + count - 1

        self.wait_until(answered, self.timeout, f"message {type(message).__name__}")
        if refused:
            accepted(refused[0])
        events: EventArray = join(self._inbox[seen:])
        failed = events[(events["kind"] == EventKind.REJECTED) & (events["client_order_id"] >= first)]
        if len(failed):
            raise rejected(int(failed[0]["reason"]), event=failed[0])
        return events


def accepted(answer: Answer) -> Answer:
    """The answer, unless it is a refusal. Raises Rejected."""
    reject = answer.reject
    if reject is not None:
        raise rejected(reject.reason, reject.text, retry_ms=reject.retry_ms)
    return answer
