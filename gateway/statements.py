"""Daily statements for firms: composed from the journal beside the server, which never waits for them.

A statement reads a day's events and two snapshots. A process of its own does that (`python -m gateway.statements`), one
statement after another: a thread would take processor time from the loop. It sees files only, neither the engine nor a
socket. What is ready is sent between batches, like every answer.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

import msgspec

from engine.schema import Reason, Side
from gateway.processes import start_module
from gateway.sessions import Connection
from gateway.wire import OrderData, Query
from gateway.wire_registers import ObligationData
from gateway.wire_statements import DayTradeData, LineData, StatementData
from replay import JournalError, JournalReader
from replay.reports.days import NoSuchDay
from replay.reports.settlement import METHOD, Trade
from replay.reports.statement import Line, NoSuchAccount, NotReconciled, Statement, settled_statement

ROWS: Final = 1_000
"""Most trades of a page, most orders of an answer."""
WAITING: Final = 100
"""Most statements that wait to be composed."""


class Refusal(msgspec.Struct, frozen=True):
    """Why there is no statement, and the text for whoever asked."""

    reason: Reason
    text: str


class Ready(NamedTuple):
    """What came of a question."""

    connection: Connection
    token: int
    found: StatementData | Refusal


class Answer(msgspec.Struct, frozen=True):
    """What the composing process writes: one of the two."""

    statement: StatementData | None = None
    refusal: Refusal | None = None


class Job(NamedTuple):
    connection: Connection
    token: int
    query: Query


class StatementDesk:
    """Has statements of settled days composed, one after another, in processes of their own.

    Args:
        journal: the journal's folder.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._jobs: deque[Job] = deque()
        self._running: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    def ask(self, connection: Connection, token: int, query: Query) -> bool:
        """Take a question whose account the session may see; False when its session or too many others wait."""
        session = connection.session
        if len(self._jobs) >= WAITING or any(job.connection.session is session for job in self._jobs):
            return False
        self._jobs.append(Job(connection, token, query))
        self._start()
        return True

    def ready(self) -> Iterator[Ready]:
        """Answers that have come, each once."""
        while self._running is not None and self._running.poll() is not None:
            job, found = self._jobs.popleft(), self._read()
            self._running = None
            self._start()
            yield Ready(job.connection, job.token, found)

    def close(self) -> None:
        """Take no more; what is being composed goes nowhere."""
        self._jobs.clear()
        if self._running is not None:
            self._running.kill()
            self._running.wait()

    def _start(self) -> None:
        """Begin the first job that waits, unless one is being done."""
        if self._running is None and self._jobs:
            query = self._jobs[0].query
            self._output = tempfile.TemporaryFile()  # noqa: SIM115  # read and closed when the process is over
            numbers = (query.date, query.number, query.after, ROWS)
            self._running = start_module(
                "gateway.statements", str(self._journal), *map(str, numbers), stdout=self._output
            )

    def _read(self) -> StatementData | Refusal:
        """What the process that is over has found."""
        assert self._output is not None
        with self._output as output:
            output.seek(0)
            try:
                answer = msgspec.msgpack.decode(output.read(), type=Answer)
            except msgspec.DecodeError:
                return Refusal(Reason.INVALID_DATE, "the statement could not be composed; see the server's log")
        found = answer.statement or answer.refusal
        assert found is not None
        return found


def compose(journal: Path, date: int, account: int, after: int, rows: int) -> Answer:
    """A page of a statement, at most `rows` trades with sequences above `after`; or why there is none."""
    try:
        found = settled_statement(JournalReader(journal), date, account)
    except NoSuchAccount as error:
        return Answer(refusal=Refusal(Reason.UNKNOWN_ACCOUNT, str(error)))
    except (NoSuchDay, NotReconciled, JournalError) as error:
        return Answer(refusal=Refusal(Reason.INVALID_DATE, str(error)))
    return Answer(statement=statement_data(found, after, rows))


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
        obligations=() if after else tuple(ObligationData(*row.tolist()) for row in found.obligations),
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


def main() -> None:
    """`python -m gateway.statements JOURNAL DATE ACCOUNT AFTER ROWS`: one page, as MessagePack on standard output."""
    date, account, after, rows = map(int, sys.argv[2:6])
    sys.stdout.buffer.write(msgspec.msgpack.encode(compose(Path(sys.argv[1]), date, account, after, rows)))


if __name__ == "__main__":
    main()
