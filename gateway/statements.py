"""Daily statements for firms: composed from the journal beside the server's loop, which never waits for them.

A statement reads a day's events and two snapshots, so a thread of its own reads them; it sees files only, neither the
engine nor a socket. What is ready is sent between batches, like every answer.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from engine.schema import Reason, Side
from gateway.sessions import Connection
from gateway.wire import OrderData, Query
from gateway.wire_statements import DayTradeData, LineData, StatementData
from replay import JournalError, JournalReader
from replay.reports.days import NoSuchDay
from replay.reports.settlement import METHOD, Trade
from replay.reports.statement import Line, NoSuchAccount, NotReconciled, Statement, settled_statement

ROWS: Final = 1_000
"""Most trades of a page, most orders of an answer."""
WAITING: Final = 100
"""Most statements that wait to be composed."""
KEPT: Final = 8
"""Statements kept for their further pages."""


class Refusal(NamedTuple):
    """Why there is no statement, and the text for whoever asked."""

    reason: Reason
    text: str


class Ready(NamedTuple):
    """What came of a question."""

    connection: Connection
    token: int
    found: StatementData | Refusal


class StatementDesk:
    """Composes statements of settled days, one after another, in a thread.

    Args:
        journal: the journal's folder.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="statements")
        self._jobs: list[tuple[Connection, int, Future[StatementData | Refusal]]] = []
        self._reader: JournalReader | None = None
        self._kept: OrderedDict[tuple[int, int], Statement] = OrderedDict()

    def ask(self, connection: Connection, token: int, query: Query) -> bool:
        """Take a question whose account the session may see; False when its session or too many others wait."""
        session = connection.session
        if len(self._jobs) >= WAITING or any(waiting.session is session for waiting, _, _ in self._jobs):
            return False
        self._jobs.append((connection, token, self._pool.submit(self._compose, query)))
        return True

    def ready(self) -> Iterator[Ready]:
        """Answers that have come, each once."""
        over = [job for job in self._jobs if job[2].done()]
        self._jobs = [job for job in self._jobs if job not in over]
        for connection, token, answer in over:
            yield Ready(connection, token, answer.result())

    def close(self) -> None:
        """Take no more; what is being composed ends by itself and goes nowhere."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _compose(self, query: Query) -> StatementData | Refusal:
        """In the thread."""
        try:
            return statement_data(self._statement(query.date, query.number), query.after, ROWS)
        except NoSuchAccount as error:
            return Refusal(Reason.UNKNOWN_ACCOUNT, str(error))
        except (NoSuchDay, NotReconciled, JournalError) as error:
            return Refusal(Reason.INVALID_DATE, str(error))

    def _statement(self, date: int, account: int) -> Statement:
        found = self._kept.get((date, account))
        if found is None:
            self._reader = self._reader or JournalReader(self._journal)
            found = settled_statement(self._reader, date, account)
            # Under its own date: what "the latest" means changes, a settled day does not.
            self._kept[found.day.date, account] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found


def statement_data(found: Statement, after: int, most: int) -> StatementData:
    """A statement as it travels: trades with sequences above `after`, no more than `most`."""
    halves = [half for trade in found.trades for half in _halves(trade, found.account)]
    rest = [half for half in halves if half.sequence > after]
    page = rest[:most]
    if len(rest) > most and rest[most].sequence == page[-1].sequence:
        page = page[:-1]  # both halves of a trade with oneself come in one page
    orders = found.orders[:most] if not after else []
    return StatementData(
        account=found.account,
        date=found.day.date,
        stage=int(found.day.stage),
        cash=tuple(_line(line) for line in found.cash),
        holdings=tuple(_line(line) for line in found.holdings),
        order_count=len(found.orders),
        orders=tuple(OrderData(*(int(row[name]) for name in OrderData.__struct_fields__)) for row in orders),
        trades=tuple(page),
        complete=len(page) == len(rest),
    )


def _line(line: Line) -> LineData:
    movements, buckets = tuple(line.movements.items()), tuple(line.buckets.items())
    return LineData(line.number, line.opening, line.available, movements, line.closing, buckets)


def _halves(trade: Trade, account: int) -> Iterator[DayTradeData]:
    """The account's side of a trade; the other side stays anonymous."""
    sides = (Side.BUY, trade.buyer, trade.buyer_fee), (Side.SELL, trade.seller, trade.seller_fee)
    for side, owner, fee in sides:
        if owner == account:
            yield DayTradeData(
                sequence=trade.sequence,
                time=trade.time,
                method=METHOD[trade.mode],
                instrument=trade.instrument,
                side=int(side),
                price=trade.price,
                lots=trade.lots,
                units=trade.units,
                amount=trade.amount,
                fee=fee,
                busts=trade.busts,
                busted_by=trade.busted_by,
            )
