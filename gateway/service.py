"""What the gateway does with a frame: logon, commands, duplicates, resume, queries, heartbeats, lost sessions.

Commands of many frames gather in a batch; `flush` carries the batch out and only then answers. Everything that is not
a command first flushes, so that each client sees its answers in the order in which it asked.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import Final

import numpy as np
import zmq

from engine.control import expand
from engine.schema import EVENT, CommandArray, DisconnectPolicy, EventArray, EventKind, Reason, Role
from gateway import wire
from gateway.config import Config
from gateway.duplicates import Duplicates
from gateway.exchange import Exchange
from gateway.journal import Messages
from gateway.outbox import Outbox
from gateway.queries import Queries, QueryError
from gateway.records import join
from gateway.routing import deliveries, pages
from gateway.sessions import MAX_BAD_FRAMES, Connection, Port, Registry, Session
from gateway.streams import Streams
from gateway.wire import FrameType, WireError

_POLICIES: Final = tuple(DisconnectPolicy)
MIN_HEARTBEAT_MS: Final = 200
MAX_HEARTBEAT_MS: Final = 30_000
MISSED_HEARTBEATS: Final = 2.5
QUERY_QUEUE: Final = 10_000
RESUME_BYTES: Final = 1 << 20
"""Most event bytes that one RESUME brings."""
FORGET_CUT_NS: Final = 60_000_000_000


class Service:
    """The gateway's behaviour behind its sockets; one thread, never blocking except in the journal."""

    def __init__(self, exchange: Exchange, registry: Registry, config: Config) -> None:
        self.exchange = exchange
        self.registry = registry
        self.counters: Counter[str] = Counter()
        self._out = Outbox(config.credit_bytes, self.counters)
        self.batches = 0
        self._config = config
        self._streams = Streams(exchange)
        self.duplicates = Duplicates(exchange)
        self._queries = Queries(exchange.engine, registry)
        self._pending: list[tuple[Session, CommandArray]] = []
        self._pending_count = 0
        self._waiting: deque[tuple[Connection, int, wire.Query]] = deque()

    # --- frames ---------------------------------------------------------------------------------------------------

    def receive(self, port: Port, identity: bytes, frame: zmq.Frame) -> None:
        """Handle one payload frame of a client."""
        connection = port.connections.get(identity)
        if connection is not None and connection.cut:
            self.counters["dropped"] += 1
            return
        try:
            opened = wire.split(frame.buffer)
            if connection is None:
                self._first_frame(port, identity, frame, opened)
            else:
                connection.heard = time.monotonic_ns()
                self._frame(connection, opened, frame)
        except WireError as error:
            self._bad_frame(port, identity, connection, error)

    def malformed(self, port: Port, identity: bytes) -> None:
        """A message that was not exactly one payload frame."""
        error = WireError(Reason.MALFORMED_FRAME, "a message is exactly one payload frame")
        self._bad_frame(port, identity, port.connections.get(identity), error)

    def _first_frame(self, port: Port, identity: bytes, frame: zmq.Frame, opened: wire.Frame) -> None:
        if opened.type == FrameType.LOGON:
            self._logon(port, identity, frame, opened)
            return
        self.counters["not logged on"] += 1
        self._out.reject(port, identity, Reason.NOT_LOGGED_ON)

    def _frame(self, connection: Connection, opened: wire.Frame, frame: zmq.Frame) -> None:
        if opened.type == FrameType.COMMANDS:
            connection.confirm(opened.token)
            self._commands(connection, wire.unpack_commands(opened))
            return
        if opened.type == FrameType.HEARTBEAT:
            connection.confirm(opened.token)
            return
        if opened.type == FrameType.QUERY:
            # Waits until the batch is carried out, like every query.
            self._query(connection, opened)
            return
        self.flush()
        match opened.type:
            case FrameType.RESUME:
                self._resume(connection, opened)
            case FrameType.CONTROL:
                self._control(connection, opened)
            case FrameType.LOGON:
                self._logon(connection.port, connection.identity, frame, opened)
            case FrameType.LOGOUT:
                self._out.send(connection, wire.pack(FrameType.LOGGED_OUT, wire.Logout(), opened.token))
                self._out.lose(connection, Reason.USER_REQUESTED)
                self.settle_losses()
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
                self.settle_losses()

    # --- logon ----------------------------------------------------------------------------------------------------

    def _logon(self, port: Port, identity: bytes, frame: zmq.Frame, opened: wire.Frame) -> None:
        logon = wire.unpack(opened, wire.Logon)
        # Self-chosen routing ids could squat on others' names; ZeroMQ's own start with a zero byte.
        if not identity.startswith(b"\x00"):
            self._out.reject(port, identity, Reason.MALFORMED_FRAME, detail="do not set a routing id")
            return
        session = self._who(port, frame, logon)
        if session is None:
            self.counters["unknown"] += 1
            self._out.reject(port, identity, Reason.UNKNOWN_SESSION, token=opened.token)
            return
        if logon.policy not in _POLICIES or not 0 <= logon.heartbeat_ms <= MAX_HEARTBEAT_MS:
            raise WireError(Reason.MALFORMED_FRAME, "policy is 0 to 2, heartbeat_ms 0 or 200 to 30,000")
        self.flush()
        # A logon is journaled: who logs on in a loop must not fill the disk.
        if not session.queries.take(1, time.monotonic_ns()):
            self.counters["throttled"] += 1
            self._out.reject(port, identity, Reason.THROTTLED, token=opened.token)
            return
        refused = self.exchange.session_up(session.number, logon.policy)
        if refused is not Reason.NONE:
            self._out.reject(port, identity, refused, token=opened.token)
            return
        self._take_over(session, port, identity)
        self._connect(port, identity, session, logon, opened.token)

    def _who(self, port: Port, frame: zmq.Frame, logon: wire.Logon) -> Session | None:
        if port.local:
            return self.registry.by_name(logon.session)
        try:
            key = frame.get("User-Id")
        except zmq.ZMQError:
            return None
        session = self.registry.by_key(str(key))
        return session if session is not None and logon.session in ("", session.name) else None

    def _take_over(self, session: Session, port: Port, identity: bytes) -> None:
        earlier = session.connection
        if earlier is not None:
            if (earlier.port, earlier.identity) != (port, identity):
                self._out.tell(earlier, Reason.TAKEN_OVER)
            earlier.port.connections.pop(earlier.identity, None)
            session.connection = None

    def _connect(self, port: Port, identity: bytes, session: Session, logon: wire.Logon, token: int) -> None:
        heartbeat_ms = max(MIN_HEARTBEAT_MS, logon.heartbeat_ms or self._config.heartbeat_ms)
        now = time.monotonic_ns()
        connection = Connection(port, identity, session, heartbeat_ms * 1_000_000, heard=now, sent=now)
        port.connections[identity] = connection
        session.connection = connection
        session.last_number = session.consumed = self.exchange.engine.last_client_order_id(session.number)
        answer = wire.LogonAnswer(
            session=session.number,
            name=session.name,
            firm=session.firm,
            role=session.role,
            epoch=self.exchange.epoch,
            last_client_order_id=session.last_number,
            last_event=session.last_event,
            heartbeat_ms=heartbeat_ms,
            credit_bytes=self._config.credit_bytes,
            commands_per_second=self._config.commands_per_second,
            durability=self._config.durability,
            venue=self.exchange.venue.name,
            journal_time=self.exchange.clock.peek(),
        )
        self.counters["logons"] += 1
        self._out.send(connection, wire.pack(FrameType.LOGON_ANSWER, answer, token))

    # --- commands -------------------------------------------------------------------------------------------------

    def _commands(self, connection: Connection, batch: CommandArray) -> None:
        """Take a frame's commands into the batch; numbers at or below the last one are answered, not applied."""
        session = connection.session
        count = len(batch)
        numbers = batch["client_order_id"]
        if not session.commands.take(count, connection.heard):
            self.counters["throttled"] += 1
            self._out.tell(connection, Reason.THROTTLED, first=int(numbers[0]), count=count)
            return
        if int(numbers[0]) > session.last_number and (count == 1 or bool((numbers[1:] > numbers[:-1]).all())):
            self._take_in(session, batch)
            return
        reached = np.maximum.accumulate(np.concatenate([[session.last_number], numbers]))[:-1]
        fresh = numbers > reached
        if fresh.any():
            self._take_in(session, batch[fresh])
        self.flush()
        self._answer_duplicates(connection, batch[~fresh])

    def _take_in(self, session: Session, batch: CommandArray) -> None:
        batch["session"] = batch["actor"] = session.number
        self.duplicates.mark(session.number, int(batch["client_order_id"][0]))
        session.last_number = int(batch["client_order_id"][-1])
        self._pending.append((session, batch))
        self._pending_count += len(batch)
        if self._pending_count >= self._config.batch_commands or session.role == Role.OPERATOR:
            self.flush()

    def _answer_duplicates(self, connection: Connection, batch: CommandArray) -> None:
        self.counters["duplicates"] += len(batch)
        found = self.duplicates.answer(connection.session.number, batch, connection.heard)
        if found is None:
            self._out.tell(connection, Reason.THROTTLED, first=int(batch["client_order_id"][0]), count=len(batch))
            return
        span = (0, 0, 0, connection.session.consumed)
        for part in pages(found, wire.MAX_RECORDS):
            self._out.send(connection, wire.pack_events(part.tobytes(), len(part), span, FrameType.DUPLICATES))

    def _control(self, connection: Connection, opened: wire.Frame) -> None:
        request = wire.unpack(opened, wire.ControlRequest)
        session = connection.session
        if session.role != Role.OPERATOR:
            self._out.tell(connection, Reason.NOT_PERMITTED, first=request.client_order_id, token=opened.token)
            return
        if request.client_order_id <= session.last_number:
            batch = expand(request.message)
            batch["client_order_id"] = np.arange(len(batch)) + request.client_order_id
            self._answer_duplicates(connection, batch)
            return
        self.run_calendar()
        events, messages = self.exchange.commit_control(request.message, session.number, request.client_order_id)
        session.last_number = session.consumed = self.exchange.engine.last_client_order_id(session.number)
        self.publish(events, messages)

    # --- carrying out ---------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Carry out what has gathered, then answer."""
        if not self._pending:
            return
        taken, self._pending = self._pending, []
        self._pending_count = 0
        self.run_calendar()
        batch = join([commands for _, commands in taken])
        events = self.exchange.commit(batch)
        for session, commands in taken:
            session.consumed = int(commands["client_order_id"][-1])
        self.publish(events)
        self.counters["commands"] += len(batch)

    def run_calendar(self) -> None:
        """Carry out the transitions that are due, before anything of a later time."""
        schedule, clock = self.exchange.schedule, self.exchange.clock
        while (due := schedule.pop(clock.peek())) is not None:
            self.publish(self.exchange.carry_out(due))

    def publish(self, events: EventArray, messages: Messages | None = None) -> None:
        """Tell every session what is now durable."""
        self.batches += 1
        # Firms, accounts and sessions are opened by the venue (with messages) or by operators.
        if messages or (self.registry.has_operators and bool((events["kind"] >= EventKind.FIRM_OPENED).any())):
            self.registry.learn(events, messages or {})
            self._cut_ended()
        for session_number, records in deliveries(events):
            session = self.registry.sessions.get(session_number)
            if session is None:
                continue
            previous, session.last_event = session.last_event, int(records["sequence"][-1])
            if session.connection is not None:
                self._out.events(session.connection, records, previous)
        if self._out.lost:
            self.settle_losses()

    def _resume(self, connection: Connection, opened: wire.Frame) -> None:
        after = wire.unpack(opened, wire.Resume).after
        session = connection.session
        if not session.queries.take(1, connection.heard):
            self.counters["throttled"] += 1
            self._out.tell(connection, Reason.THROTTLED, token=opened.token)
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

    # --- queries --------------------------------------------------------------------------------------------------

    def _query(self, connection: Connection, opened: wire.Frame) -> None:
        query = wire.unpack(opened, wire.Query)
        if len(self._waiting) >= QUERY_QUEUE or not connection.session.queries.take(1, connection.heard):
            self.counters["throttled"] += 1
            self._out.tell(connection, Reason.THROTTLED, token=opened.token)
            return
        self._waiting.append((connection, opened.token, query))

    def query_wait_ms(self) -> int | None:
        """Real milliseconds until a waiting query may be answered; None = none waits."""
        if not self._waiting:
            return None
        return -(-self._queries.wait_ns(self.exchange.command_sequence) // 1_000_000)

    def answer_queries(self, most: int = 16) -> None:
        """Answer queries that wait, as long as one state serves them."""
        for _ in range(min(most, len(self._waiting))):
            if self._queries.wait_ns(self.exchange.command_sequence):
                return
            connection, token, query = self._waiting.popleft()
            if connection.session.connection is not connection:
                continue
            try:
                answer = self._queries.answer(query, connection.session, self.exchange.command_sequence)
            except QueryError as error:
                self._out.tell(connection, error.reason, token=token)
                continue
            self._out.send(connection, wire.pack(FrameType.ANSWER, answer, token))

    # --- heartbeats and lost sessions -----------------------------------------------------------------------------

    def beat(self, ports: list[Port]) -> None:
        """Send heartbeats that are due and give up sessions that have been silent too long."""
        now = time.monotonic_ns()
        for port in ports:
            for connection in list(port.connections.values()):
                if connection.cut:
                    if now - connection.heard > FORGET_CUT_NS:
                        del port.connections[connection.identity]
                elif now - connection.heard > MISSED_HEARTBEATS * connection.heartbeat_ns:
                    self._out.lose(connection, Reason.DISCONNECTED)
                elif now - connection.sent >= connection.heartbeat_ns:
                    session = connection.session
                    beat = wire.Heartbeat(self.exchange.epoch, self.exchange.clock.peek(), session.last_event)
                    self._out.send(connection, wire.pack(FrameType.HEARTBEAT, beat))
        if self._out.lost:
            self.flush()
            self.settle_losses()

    def close_sessions(self, ports: list[Port]) -> None:
        """The venue stops: every client is told, every session is down in the journal."""
        for port in ports:
            for connection in list(port.connections.values()):
                self._out.send(connection, wire.pack(FrameType.LOGGED_OUT, wire.Logout()))
                self._out.lose(connection, Reason.DISCONNECTED)
        self.settle_losses()

    def settle_losses(self) -> None:
        """Journal SESSION_DOWN for lost sessions; what that cancels may meet further lost ones."""
        while self._out.lost:
            lost = self._out.take_lost()
            down = [(c.session.number, reason) for c, reason in lost if c.session.connection is None]
            if down:
                self.run_calendar()
                self.publish(self.exchange.sessions_down(down))

    def _cut_ended(self) -> None:
        for session in self.registry.sessions.values():
            if session.ended and session.connection is not None:
                self._out.tell(session.connection, Reason.SESSION_ENDED)
                self._out.lose(session.connection, Reason.SESSION_ENDED, cut=True)
