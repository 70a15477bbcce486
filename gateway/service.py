"""What the gateway does with a frame: logon, commands, duplicates, resume, queries, heartbeats, lost sessions.

Commands of many frames gather in a batch; `flush` carries the batch out and only then answers. Everything that is not
a command first flushes, so that each client sees its answers in the order in which it asked.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Final

import numpy as np
import zmq

from engine.control import expand
from engine.schema import EVENT, FIRM_BYTES, EventArray, EventKind, Reason, Role
from gateway import wire
from gateway.config import Config
from gateway.duplicates import Duplicates
from gateway.exchange import Exchange
from gateway.inbox import Inbox
from gateway.intake import Intake
from gateway.journal import Messages
from gateway.logons import Logons
from gateway.losses import Losses
from gateway.outbox import Outbox
from gateway.queries import Queries
from gateway.query_desk import QueryDesk
from gateway.room import Room
from gateway.routing import deliveries
from gateway.sessions import MAX_BAD_FRAMES, Connection, Port, Registry
from gateway.statements import StatementDesk
from gateway.status import StatusBoard
from gateway.streams import Streams
from gateway.utc import UtcWatch
from gateway.wire import FrameType, WireError

MISSED_HEARTBEATS: Final = 2.5
RESUME_BYTES: Final = 1 << 20
"""Most event bytes that one RESUME brings."""
FORGET_CUT_NS: Final = 60_000_000_000


class Service:
    """The gateway's behaviour behind its sockets; one thread, never blocking except in the journal."""

    def __init__(
        self, exchange: Exchange, registry: Registry, config: Config, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self.exchange = exchange
        self.registry = registry
        self.counters: Counter[str] = Counter()
        self._out = Outbox(registry, config.credit_bytes, self.counters)
        self.inbox = Inbox(registry.seats, config.batch_frames, config.batch_commands * FIRM_BYTES)
        self.batches = 0
        self._config = config
        self.utc = UtcWatch(exchange.clock, config.is_real_time, config.utc_limit_us)
        self._streams = Streams(exchange, registry.directory)
        self.room = Room(exchange.writer, exchange.settle, say)
        self.losses = Losses(exchange, registry, self._out, config.grace_ms, self.run_calendar, self.publish)
        self._logons = Logons(exchange, registry, config, self._out, self.losses)
        self._intake = Intake(
            exchange,
            registry,
            self.inbox,
            Duplicates(exchange, registry.directory),
            self.room,
            self._out,
            self.run_calendar,
            self.publish,
            self._bad_commands,
        )
        self.flush = self._intake.flush
        """Carries out the commands that have gathered, then answers everything."""
        self.advance = self._intake.advance
        """The same for the loop: under load some answers may come later."""
        self.queries = QueryDesk(
            Queries(exchange.engine, registry),
            StatusBoard(exchange, registry, self.room, self.counters, self.utc),
            StatementDesk(config.data_folder / "journal"),
            self._out,
            self.counters,
        )

    def serve(self, ports: list[Port]) -> None:
        """The ports that clients connect to."""
        self._out.ports = ports

    # --- frames ---------------------------------------------------------------------------------------------------

    def other(self, session: int, data: memoryview) -> None:
        """Handle a frame of a session that is logged on, but no firm's COMMANDS frame (these gather in `inbox`)."""
        if len(data) > 0 and data[0] == FrameType.COMMANDS:
            # An operator's commands may change who is told what: they are carried out when all before is told, alone.
            data = memoryview(bytes(data))
            self.flush()
        connection = self.registry.sessions[session].connection
        if connection is None:
            self.counters["dropped"] += 1
            return
        if len(data) > 0 and data[0] == FrameType.COMMANDS:
            self.inbox.put(session, data)
            self.flush()
            return
        try:
            connection.heard = time.monotonic_ns()
            self._frame(connection, wire.split(data))
        except WireError as error:
            self._bad_frame(connection.port, connection.identity, connection, error)

    def malformed(self, port: Port, identity: bytes) -> None:
        """A message that was not exactly one payload frame."""
        error = WireError(Reason.MALFORMED_FRAME, "a message is exactly one payload frame")
        self._bad_frame(port, identity, port.connections.get(identity), error)

    def _bad_commands(self, connection: Connection, error: WireError) -> None:
        self._bad_frame(connection.port, connection.identity, connection, error)

    def stranger(self, port: Port, identity: bytes, frame: zmq.Frame) -> None:
        """Handle a frame of somebody who is not logged on, or is cut."""
        if identity in port.connections:
            self.counters["dropped"] += 1
            return
        try:
            opened = wire.split(frame.buffer)
            if opened.type == FrameType.LOGON:
                self.flush()
                self._logons.logon(port, identity, "" if port.local else _key_of(frame), opened)
                return
        except WireError as error:
            self._bad_frame(port, identity, None, error)
            return
        self.counters["not logged on"] += 1
        self._out.reject(port, identity, Reason.NOT_LOGGED_ON)

    def _frame(self, connection: Connection, opened: wire.Frame) -> None:
        if opened.type == FrameType.HEARTBEAT:
            connection.confirm(opened.token)
            return
        if opened.type == FrameType.QUERY:
            # Waits until the batch is carried out, like every query.
            self.queries.take(connection, opened)
            return
        self.flush()
        match opened.type:
            case FrameType.RESUME:
                self._resume(connection, opened)
            case FrameType.CONTROL:
                self._control(connection, opened)
            case FrameType.LOGON:
                self._logons.logon(connection.port, connection.identity, connection.key, opened)
            case FrameType.LOGOUT:
                self._out.send(connection, wire.pack(FrameType.LOGGED_OUT, wire.Logout(), opened.token))
                self._out.lose(connection, Reason.USER_REQUESTED)
                self.losses.settle()
            case _:
                raise WireError(Reason.MALFORMED_FRAME, f"frame type {opened.type} is none that a client sends")

    def _bad_frame(self, port: Port, identity: bytes, connection: Connection | None, error: WireError) -> None:
        self.counters["malformed"] += 1
        self._out.reject(port, identity, error.reason, detail=str(error))
        if connection is not None:
            connection.bad_frames += 1
            if connection.bad_frames >= MAX_BAD_FRAMES:
                self.flush()
                self._out.lose(connection, Reason.MALFORMED_FRAME, cut=True)
                self.losses.settle()

    # --- administration -------------------------------------------------------------------------------------------

    def _control(self, connection: Connection, opened: wire.Frame) -> None:
        request = wire.unpack(opened, wire.ControlRequest)
        session = connection.session
        if session.role != Role.OPERATOR:
            self._out.tell(connection, Reason.NOT_PERMITTED, first=request.client_order_id, token=opened.token)
            return
        if request.client_order_id <= session.last_number:
            batch = expand(request.message)
            batch["client_order_id"] = np.arange(len(batch)) + request.client_order_id
            self._intake.answer_duplicates(connection, batch)
            return
        self.run_calendar()
        events, messages = self.exchange.commit_control(request.message, session.number, request.client_order_id)
        session.last_number = session.consumed = self.exchange.engine.last_client_order_id(session.number)
        self.publish(events, messages)

    # --- carrying out ---------------------------------------------------------------------------------------------

    def run_calendar(self) -> None:
        """Carry out the transitions that are due, before anything of a later time."""
        schedule, clock = self.exchange.schedule, self.exchange.clock
        while schedule.next_moment <= clock.peek():
            # Before one is taken off: telling may lose sessions, and their end runs the calendar itself.
            self.exchange.settle()
            if (due := schedule.pop(clock.peek())) is not None:
                self.publish(self.exchange.carry_out(due))

    def publish(self, events: EventArray, messages: Messages | None = None, administrative: bool = True) -> None:
        """Tell every session what is now durable.

        Args:
            messages: the administrative messages behind the events.
            administrative: whether the venue or an operator may have caused any of them.
        """
        self.batches += 1
        # Firms, accounts and sessions are opened by the venue (with messages) or by operators.
        if messages or (administrative and bool((events["kind"] >= EventKind.FIRM_OPENED).any())):
            self.registry.learn(events, messages or {})
            self.losses.cut_ended()
        if not self._out.answer(events):
            self._deliver(events)
        if self._out.lost:
            self.losses.settle()

    def _deliver(self, events: EventArray) -> None:
        """Tell every session, those that are told for their firm's sake included."""
        for session_number, records in deliveries(events, self.registry.directory):
            session = self.registry.sessions.get(session_number)
            if session is None:
                continue
            previous, session.last_event = session.last_event, int(records["sequence"][-1])
            if session.connection is not None:
                self._out.events(session.connection, records, previous)

    def _resume(self, connection: Connection, opened: wire.Frame) -> None:
        after = wire.unpack(opened, wire.Resume).after
        session = connection.session
        if not session.queries.take(1, connection.heard):
            self.counters["throttled"] += 1
            wait = session.queries.wait_ms(1)
            self._out.tell(connection, Reason.THROTTLED, token=opened.token, retry_ms=wait)
            return
        if not 0 <= after <= session.last_event:
            # The client has seen what this journal does not hold: that must not pass in silence.
            self.counters["events lost"] += 1
            detail = f"the journal ends at {session.last_event} for this session, you ask for what follows {after}"
            self._out.reject(connection.port, connection.identity, Reason.ALREADY_TOO_OLD, detail, opened.token)
            return
        credit = self._config.credit_bytes - connection.outstanding
        budget = max(1, min(RESUME_BYTES, credit // 2) // EVENT.itemsize)
        page = self._streams.page(session.number, after, session.last_event, budget)
        if len(page.records):
            self._out.events(connection, page.records, after)
        reached = session.last_event if page.complete else page.reached
        self._out.send(connection, wire.pack(FrameType.RESUMED, wire.Resumed(reached, page.complete), opened.token))

    def cut_revoked(self) -> list[str]:
        """End the connections whose key is no longer valid, once they are answered; returns the sessions' names."""
        self.flush()
        return self.losses.cut_revoked()

    # --- queries --------------------------------------------------------------------------------------------------

    @property
    def queries_wait(self) -> bool:
        return self.queries.has_waiting

    def answer_queries(self, most: int = 16) -> None:
        """Answer queries that wait, a few at a time, so that orders in between do not wait for all of them."""
        if self.queries_wait:
            self.exchange.settle()
        self.queries.answer(most)

    # --- heartbeats and lost sessions -----------------------------------------------------------------------------

    def beat(self, ports: list[Port]) -> None:
        """Send heartbeats that are due and give up sessions that have been silent too long."""
        now = time.monotonic_ns()
        for port in ports:
            for connection in list(port.connections.values()):
                if connection.cut_at:
                    if now - connection.cut_at > FORGET_CUT_NS:
                        port.remove(connection)
                elif now - connection.heard > MISSED_HEARTBEATS * connection.heartbeat_ns:
                    self._out.lose(connection, Reason.DISCONNECTED)
                elif now - connection.sent >= connection.heartbeat_ns:
                    session = connection.session
                    beat = wire.Heartbeat(self.exchange.epoch, self.exchange.clock.peek(), session.last_event)
                    self._out.send(connection, wire.pack(FrameType.HEARTBEAT, beat))
        if self._out.lost:
            self.flush()
            self.losses.settle()
        if self.losses.away:
            self.flush()
            self.losses.expire(now)


def _key_of(frame: zmq.Frame) -> str:
    """The public key (Z85) that the handshake has proved; "" without one."""
    try:
        return str(frame.get("User-Id"))
    except zmq.ZMQError:
        return ""
