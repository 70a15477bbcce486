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
from typing import Any, Literal, Self

import numpy as np

from engine.schema import (
    COMMAND,
    EVENT,
    CommandArray,
    CommandKind,
    DisconnectPolicy,
    EventArray,
    EventKind,
    MassCancelScope,
    OrderFlag,
    OrderType,
    SelfTrade,
    TimeInForce,
)
from gateway import wire
from gateway.errors import NoAnswer
from gateway.link import Credentials, Link
from gateway.mechanisms import Mechanisms, Price, R, SideName
from gateway.mechanisms import side_of as _side
from gateway.orders import OrderHandle, Request
from gateway.questions import Questions
from gateway.records import join
from gateway.security import read_secret, read_server_public
from gateway.tracker import Tracker
from gateway.views import Reference, to_ticks
from gateway.wire import QueryKind

INBOX_RECORDS = 1_000_000
"""Most records kept for `poll`; when a program only ever waits on handles, older ones are let go."""


class Client(Mechanisms, Questions):
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

    # --- orders ---------------------------------------------------------------------------------------------------

    def place(
        self,
        instrument: str | int,
        side: SideName,
        quantity: int,
        price: Price | None = None,
        *,
        ticks: int | None = None,
        market: bool = False,
        time_in_force: Literal["day", "gtc", "ioc", "fok"] | None = None,
        post_only: bool = False,
        self_trade: SelfTrade = SelfTrade.DEFAULT,
        account: int | None = None,
    ) -> OrderHandle:
        """Send an order; returns at once. `.wait()` on the handle for the venue's answer.

        Args:
            instrument: symbol or id.
            quantity: lots.
            price: in currency units (Decimal, str or int), or `ticks`; the collar of a market order, or none.
            time_in_force: default "day", for a market order "ioc".

        Raises:
            InvalidCommand: unknown instrument, or a price off the tick.
        """
        terms = self.reference.instrument(instrument)
        limit = self._ticks(terms, price, ticks, needed=not market)
        tif = time_in_force or ("ioc" if market else "day")
        side = _side(side)
        made = self._command(CommandKind.NEW_ORDER)
        made["side"], made["instrument"] = side, terms.number
        made["order_type"] = OrderType.MARKET if market else OrderType.LIMIT
        made["time_in_force"] = TimeInForce[tif.upper()]
        made["flags"] = int(OrderFlag.POST_ONLY) if post_only else 0
        made["self_trade"] = self_trade
        made["account"] = self.account_number if account is None else account
        made["price"], made["quantity"] = limit, quantity
        handle = OrderHandle(self, int(made["client_order_id"][0]), terms, side, quantity, limit)
        self._send(made, handle)
        return handle

    def take(
        self,
        listing: int,
        instrument: str | int,
        side: SideName,
        quantity: int,
        price: Price | None = None,
        *,
        ticks: int | None = None,
        account: int | None = None,
    ) -> OrderHandle:
        """Take a named listing (listed agreement, CLICK): `listing` is its order id, `price` what it was seen at."""
        terms = self.reference.instrument(instrument)
        limit = self._ticks(terms, price, ticks, needed=True)
        side = _side(side)
        made = self._command(CommandKind.TAKE)
        made["side"], made["instrument"], made["target"] = side, terms.number, listing
        made["account"] = self.account_number if account is None else account
        made["price"], made["quantity"] = limit, quantity
        handle = OrderHandle(self, int(made["client_order_id"][0]), terms, side, quantity, limit)
        self._send(made, handle)
        return handle

    def cancel(self, order: OrderHandle | int) -> Request:
        """Cancel an order by its handle or order id."""
        made = self._command(CommandKind.CANCEL_ORDER)
        self._aim(made, order)
        return self._send(made, Request(self, int(made["client_order_id"][0]), EventKind.CANCELLED))

    def replace(
        self, order: OrderHandle | int, quantity: int, price: Price | None = None, *, ticks: int | None = None
    ) -> Request:
        """Change price and total quantity (filled part included); less at the same price keeps its place."""
        made = self._command(CommandKind.REPLACE_ORDER)
        handle = order if isinstance(order, OrderHandle) else self._tracker.order(order)
        if ticks is None:
            if handle is None:
                raise TypeError("state the price in ticks for an order that this client has not placed")
            ticks = self._ticks(handle.instrument, price, None, needed=True)
        made["price"], made["quantity"] = ticks, quantity
        self._aim(made, order)
        return self._send(made, Request(self, int(made["client_order_id"][0]), EventKind.REPLACED))

    def mass_cancel(
        self,
        *,
        instrument: str | int | None = None,
        side: SideName | None = None,
        account: int | None = None,
        this_session: bool = False,
    ) -> Request:
        """Cancel all orders of the firm that fit; `.events[-1]["quantity"]` of the answer is their count."""
        made = self._command(CommandKind.MASS_CANCEL)
        scope = MassCancelScope.SESSION if this_session else MassCancelScope(0)
        if instrument is not None:
            scope |= MassCancelScope.INSTRUMENT
            made["instrument"] = self.reference.instrument(instrument).number
        if side is not None:
            scope |= MassCancelScope.SIDE
            made["side"] = _side(side)
        if account is not None:
            scope |= MassCancelScope.ACCOUNT
            made["account"] = account
        made["scope"] = int(scope)
        return self._send(made, Request(self, int(made["client_order_id"][0]), EventKind.MASS_CANCELLED))

    def submit(self, commands: CommandArray) -> int:
        """Send COMMAND records as they are, 1,024 to a frame; their client_order_ids are written here.

        Returns the first number. Events come by `poll`; what the throttle refused comes as REJECTED with sequence 0.
        """
        if commands.dtype != COMMAND or commands.ndim != 1:
            raise TypeError(f"commands must be a one-dimensional array of dtype COMMAND, not {commands.dtype}")
        first = self._link.next_numbers(len(commands))
        batch = commands.copy()
        batch["client_order_id"] = np.arange(first, first + len(batch))
        self._link.submit(batch)
        self._collect()
        return first

    def _command(self, kind: CommandKind) -> CommandArray:
        made = np.zeros(1, COMMAND)
        made["kind"], made["client_order_id"] = kind, self._link.next_numbers(1)
        return made

    def _send(self, made: CommandArray, request: R) -> R:
        self._tracker.add(request)
        self._link.submit(made)
        return request

    def _aim(self, made: CommandArray, order: OrderHandle | int) -> None:
        """By the order's id; by its client_order_id while the id is not known yet."""
        if isinstance(order, int):
            made["target"] = order
        elif order.order_id:
            made["target"] = order.order_id
        else:
            made["target"], made["flags"] = order.client_order_id, int(OrderFlag.BY_CLIENT_ID)

    @staticmethod
    def _ticks(terms: wire.InstrumentData, price: Price | None, ticks: int | None, needed: bool) -> int:
        if ticks is not None:
            return ticks
        if price is None:
            if needed:
                raise TypeError("state a price or ticks")
            return 0
        return to_ticks(terms, price)

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
