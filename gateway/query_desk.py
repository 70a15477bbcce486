"""Queries wait here until the batch before them is carried out, and are answered between batches."""

from __future__ import annotations

from collections import Counter, deque
from typing import Final

from engine.schema import Reason
from gateway import wire
from gateway.outbox import Outbox
from gateway.queries import Queries, QueryError
from gateway.sessions import Connection
from gateway.statements import Refusal, StatementDesk
from gateway.status import StatusBoard
from gateway.wire import FrameType

QUERY_QUEUE: Final = 10_000


class QueryDesk:
    """Takes queries and sends their answers: from the engine, from the gateway's counts, or from the journal."""

    def __init__(
        self, queries: Queries, status: StatusBoard, statements: StatementDesk, out: Outbox, counters: Counter[str]
    ) -> None:
        self._queries = queries
        self._status = status
        self._statements = statements
        self._out = out
        self._counters = counters
        self._waiting: deque[tuple[Connection, int, wire.Query]] = deque()

    @property
    def has_waiting(self) -> bool:
        """Whether `answer` has something to do at once."""
        return bool(self._waiting)

    def take(self, connection: Connection, opened: wire.Frame) -> None:
        """Take in one query. Raises WireError."""
        query = wire.unpack(opened, wire.Query)
        if len(self._waiting) >= QUERY_QUEUE or not connection.session.queries.take(1, connection.heard):
            self._counters["throttled"] += 1
            wait = connection.session.queries.wait_ms(1)
            self._out.tell(connection, Reason.THROTTLED, token=opened.token, retry_ms=wait)
            return
        self._waiting.append((connection, opened.token, query))

    def answer(self, most: int) -> None:
        """Answer queries that wait, at most so many, and send the statements that have been composed meanwhile."""
        for _ in range(min(most, len(self._waiting))):
            connection, token, query = self._waiting.popleft()
            if connection.session.connection is not connection:
                continue
            try:
                found = self._find(connection, token, query)
            except QueryError as error:
                self._out.tell(connection, error.reason, token=token)
                continue
            if found is not None:
                self._out.send(connection, wire.pack(FrameType.ANSWER, found, token))
        self._send_statements()

    def close(self) -> None:
        self._statements.close()

    def _find(self, connection: Connection, token: int, query: wire.Query) -> wire.Message | None:
        """The answer; None when it comes later. Raises QueryError."""
        if query.kind == wire.QueryKind.STATUS:
            return self._status.answer(connection.session)
        if query.kind != wire.QueryKind.STATEMENT:
            return self._queries.answer(query, connection.session)
        self._queries.check_account(query.number, connection.session)
        if not self._statements.ask(connection, token, query):
            raise QueryError(Reason.THROTTLED)
        return None

    def _send_statements(self) -> None:
        for connection, token, found in self._statements.ready():
            if connection.session.connection is not connection:
                continue
            if isinstance(found, Refusal):
                self._out.reject(connection.port, connection.identity, found.reason, found.text, token)
            else:
                self._out.send(connection, wire.pack(FrameType.ANSWER, found, token))
