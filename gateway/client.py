"""The client SDK: typed objects for people, arrays for algorithms. Uses the network and no engine.

    from gateway.client import Client

    with Client("tcp://127.0.0.1:7001", secret="keys/ALPHA.secret", server="keys/server.pub") as client:
        order = client.place("CEA24", "buy", 100, "73.20").wait()
        print(order.status.value, order.filled, order.average_price)
        if not order.done:
            order.cancel().wait()
        print(client.day("CEA24"))

Nothing runs in the background: heartbeats, reconnection and events are handled inside `poll`, `wait` and every other
call, so call one of them more often than two heartbeat intervals, or ask for a longer interval.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from engine.schema import (
    COMMAND,
    EVENT,
    CommandArray,
    CommandKind,
    DisconnectPolicy,
    EventArray,
)
from gateway import wire
from gateway.drafts import Draft
from gateway.errors import NoAnswer
from gateway.link import Credentials, Link
from gateway.mechanisms import Mechanisms, R
from gateway.numbers import consumed, numbered
from gateway.order_entry import OrderEntry
from gateway.questions import Questions
from gateway.records import join
from gateway.security import read_secret, read_server_public
from gateway.tracker import Tracker
from gateway.views import Reference
from gateway.wire import QueryKind

INBOX_RECORDS = 1_000_000
"""Most records kept for `poll`; when a program only ever waits on handles, older ones are let go."""


class Client(OrderEntry, Mechanisms, Questions):
    """One session at a venue. Not thread-safe.

    Args:
        endpoint: tcp://host:port, or ipc:///path for the local socket.
        secret: the firm's secret key file; tcp needs it.
        server: the server's public key file, or the 40 bytes themselves; tcp needs it.
        session: the session's name; the local socket needs it.
        account: used where a call names none; None = the firm's first account.
        policy: what the venue does with the orders when this connection is lost.
        heartbeat_ms: 200 to 30,000; 0 = the venue's.
        timeout: seconds for the logon and for answers to queries.
        reconnect_timeout: seconds after which a lost connection raises Disconnected.
        name: what to call this program in the venue's logs.

    Raises:
        Rejected (by reason), Disconnected, gateway.security.SecurityError.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        secret: str | Path | None = None,
        server: str | Path | bytes = b"",
        session: str = "",
        account: int | None = None,
        policy: DisconnectPolicy = DisconnectPolicy.KEEP,
        heartbeat_ms: int = 0,
        timeout: float = 5.0,
        reconnect_timeout: float = 30.0,
        name: str = "",
    ) -> None:
        keys = read_secret(secret) if secret is not None else None
        who = Credentials(session, keys, read_server_public(server) if keys else b"")
        self.timeout = timeout
        self._link = Link(endpoint, who, heartbeat_ms, int(policy), name, reconnect_timeout)
        self._tracker = Tracker()
        self._inbox: list[EventArray] = []
        self._inbox_records = 0
        try:
            self._link.connect(timeout)
            self.reference = Reference(self.ask(QueryKind.REFERENCE, 0, wire.ReferenceData))
        except BaseException:
            self._link.close(logout=False)
            raise
        accounts = self.reference.accounts
        self.account_number = account if account is not None else (accounts[0][0] if accounts else 0)

    # --- the connection -------------------------------------------------------------------------------------------

    @property
    def logon(self) -> wire.LogonAnswer:
        """What the venue said at the last logon: session, epoch, durability, limits."""
        assert self._link.answer is not None
        return self._link.answer

    @property
    def connected(self) -> bool:
        return self._link.up

    @property
    def journal_time(self) -> int:
        """The venue's time, UTC ns: counted on from its last word at its rate; never goes back, and stands still while
        there is no connection.
        """
        return self._link.journal_time

    @property
    def last_event(self) -> int:
        """Sequence of the last event received; give it to `resume` later."""
        return self._link.last_event

    @property
    def last_client_order_id(self) -> int:
        return self._link.last_number

    @property
    def acknowledged(self) -> int:
        """Every client_order_id up to here has been carried out or refused by the venue, durably."""
        return self._link.acknowledged

    def fileno(self) -> int:
        """For event loops; edge-triggered, so `poll(0)` until nothing comes. -1 while there is no connection."""
        socket = self._link.socket
        return -1 if socket is None else int(socket.fileno())

    def close(self, *, logout: bool = True) -> None:
        """Log out, which carries out the disconnect policy at once, and release the socket."""
        self._link.close(logout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # --- commands -------------------------------------------------------------------------------------------------

    def submit(self, commands: CommandArray) -> int:
        """Send COMMAND records as they are, 1,024 to a frame; their client_order_ids are written here.

        Returns the first number; each command has the next one, and the one behind a QUOTE the next but one. Events
        come by `poll`; what the throttle refused comes as REJECTED with sequence 0.
        """
        if commands.dtype != COMMAND or commands.ndim != 1:
            raise TypeError(f"commands must be a one-dimensional array of dtype COMMAND, not {commands.dtype}")
        first = self._link.next_numbers(consumed(commands))
        self._link.submit(numbered(commands, first))
        self._collect()
        return first

    def _command(self, kind: CommandKind, numbers: int = 1) -> Draft:
        return Draft(kind, self._link.next_numbers(numbers))

    def _send(self, made: Draft, request: R) -> R:
        self._tracker.add(request)
        self._link.submit(made.records)
        return request

    # --- events ---------------------------------------------------------------------------------------------------

    def poll(self, timeout: float = 0.0) -> EventArray:
        """Event records since the last poll, in order; waits up to `timeout` seconds when there are none."""
        deadline = time.monotonic() + timeout
        self.pump(0.0)
        while not self._inbox and (left := deadline - time.monotonic()) > 0:
            self.pump(min(left, 0.1))
        records = join(self._inbox) if self._inbox else np.zeros(0, EVENT)
        self._inbox.clear()
        self._inbox_records = 0
        return records

    def events(self, timeout: float | None = None) -> Iterator[Any]:
        """Event records one by one as they come; ends after `timeout` seconds of silence."""
        while True:
            records = self.poll(1.0 if timeout is None else timeout)
            yield from records
            if not len(records) and timeout is not None:
                return

    def resume(self, after: int) -> None:
        """Receive every event of the session with a sequence above `after` again; handles do not count them twice."""
        self._collect()
        self._tracker = Tracker()
        self._link.resume_from(after)

    def wait_until(self, done: Callable[[], bool], timeout: float, what: str = "the condition") -> None:
        """Keep the connection going until `done()`. Raises NoAnswer."""
        deadline = time.monotonic() + timeout
        while not done():
            left = deadline - time.monotonic()
            if left <= 0:
                raise NoAnswer(f"no answer about {what} within {timeout:g} s")
            self.pump(min(left, 0.1))

    @property
    def waiting(self) -> int:
        """How many event records the next `poll` brings at least."""
        return self._inbox_records

    def pump(self, timeout: float = 0.0) -> None:
        """Handle what has arrived and keep the connection going, leaving the events to the next `poll`."""
        try:
            self._link.pump(timeout)
        finally:
            self._collect()

    def _collect(self) -> None:
        received = self._link.received
        if not received:
            return
        self._link.received = []
        for records in received:
            self._tracker.take(records)
            self._inbox.append(records)
            self._inbox_records += len(records)
        while self._inbox_records > INBOX_RECORDS:
            self._inbox_records -= len(self._inbox.pop(0))
