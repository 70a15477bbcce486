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
from engine.schema import (
    EVENT,
    FIRM_BYTES,
    CommandArray,
    CommandKind,
    EventArray,
    EventKind,
    Reason,
    Role,
)
from gateway import wire
from gateway.config import Config
from gateway.duplicates import Duplicates
from gateway.exchange import Exchange
from gateway.journal import Messages
from gateway.logons import Logons
from gateway.losses import Losses
from gateway.numbers import QUOTE, fresh, last_numbers
from gateway.outbox import Outbox
from gateway.queries import Queries
from gateway.query_desk import QueryDesk
from gateway.room import Room
from gateway.routing import SHARED, deliveries, pages
from gateway.sessions import MAX_BAD_FRAMES, Connection, Port, Registry, Session
from gateway.statements import StatementDesk
from gateway.status import StatusBoard
from gateway.streams import Streams
from gateway.wire import (
    COMMAND_NUMBER,
    COMMAND_NUMBER_AT,
    COMMAND_TAIL,
    EVENT_SEQUENCE,
    EVENT_SEQUENCE_AT,
    EVENT_SESSIONS,
    EVENT_SESSIONS_AT,
    FrameType,
    WireError,
)
from replay.writer import SpaceState

MISSED_HEARTBEATS: Final = 2.5
RESUME_BYTES: Final = 1 << 20
"""Most event bytes that one RESUME brings."""
FORGET_CUT_NS: Final = 60_000_000_000
FIRST_OF_VENUE: Final = 64
"""Command kinds from here on are the operators'."""
REDUCING: Final = frozenset(
    int(kind)
    for kind in (
        CommandKind.CANCEL_ORDER,
        CommandKind.MASS_CANCEL,
        CommandKind.BLOCK_WITHDRAW,
        CommandKind.AUCTION_BID_WITHDRAW,
        CommandKind.FIRM_KILL,
    )
)
"""Kinds that can only take risk away. They have a throttle of their own."""
REDUCES: Final = np.isin(np.arange(256), list(REDUCING))
"""The same by kind."""


class Service:
    """The gateway's behaviour behind its sockets; one thread, never blocking except in the journal."""

    def __init__(
        self, exchange: Exchange, registry: Registry, config: Config, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self.exchange = exchange
        self.registry = registry
        self.counters: Counter[str] = Counter()
        self._out = Outbox(config.credit_bytes, self.counters)
        self.batches = 0
        self._config = config
        self._streams = Streams(exchange, registry.directory)
        self.duplicates = Duplicates(exchange, registry.directory)
        self.room = Room(exchange.writer, say)
        self.losses = Losses(exchange, registry, self._out, config.grace_ms, self.run_calendar, self.publish)
        self._logons = Logons(exchange, registry, config, self._out, self.losses)
        self.queries = QueryDesk(
            Queries(exchange.engine, registry),
            StatusBoard(exchange, registry, self.room, self.counters),
            StatementDesk(config.data_folder / "journal"),
            self._out,
            self.counters,
        )
        self._pending: list[tuple[Session, bytes, int, int]] = []
        """Session, records, last number, count."""
        self._pending_count = 0

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
            self.flush()
            self._logons.logon(port, identity, frame, opened)
            return
        self.counters["not logged on"] += 1
        self._out.reject(port, identity, Reason.NOT_LOGGED_ON)

    def _frame(self, connection: Connection, opened: wire.Frame, frame: zmq.Frame) -> None:
        if opened.type == FrameType.COMMANDS:
            connection.confirm(opened.token)
            if opened.records == 1 and len(opened.body) == FIRM_BYTES and self._one_command(connection, opened.body):
                return
            self._commands(connection, wire.unpack_commands(opened))
            return
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
                self._logons.logon(connection.port, connection.identity, frame, opened)
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

    # --- commands -------------------------------------------------------------------------------------------------

    def _one_command(self, connection: Connection, body: memoryview) -> bool:
        """Take in a frame of one command the short way; False, and nothing done, when `_commands` must look at it."""
        session = connection.session
        number = COMMAND_NUMBER.unpack_from(body, COMMAND_NUMBER_AT)[0]
        if number <= session.last_number or body[0] == QUOTE or self.room.state is not SpaceState.OK:
            return False
        bucket = session.cancels if body[0] in REDUCING else session.commands
        if not bucket.take(1, connection.heard):
            return False
        tail = COMMAND_TAIL.pack(0, 0, session.number, session.number)
        self._gather(session, bytes(body) + tail, number, number, 1)
        return True

    def _commands(self, connection: Connection, batch: CommandArray) -> None:
        """Take a frame's commands into the batch; numbers at or below the last one are answered, not applied."""
        session = connection.session
        if self._refuses(connection, batch):
            return
        new = fresh(batch, session.last_number)
        if new.all():
            self._take_in(session, batch)
            return
        if new.any():
            self._take_in(session, batch[new])
        self.flush()
        self._answer_duplicates(connection, batch[~new])

    def _refuses(self, connection: Connection, batch: CommandArray) -> bool:
        """Whether a frame is refused whole, and its sender told: too fast, or no room for orders in the journal."""
        session, count, first = connection.session, len(batch), int(batch["client_order_id"][0])
        kinds = batch["kind"]
        cancels = int(REDUCES[kinds].sum())
        orders = count - cancels
        if self.room.state is not SpaceState.OK and first > session.last_number:
            halted = self.room.state is SpaceState.HALT
            if halted or (orders and (session.role != Role.OPERATOR or bool((kinds < FIRST_OF_VENUE).any()))):
                self.counters["refused for space"] += 1
                session.drained += count
                reason = Reason.VENUE_STOPPING if halted else Reason.VENUE_DRAINING
                self._out.tell(connection, reason, first=first, count=count)
                return True
        if orders and not session.commands.take(orders, connection.heard):
            session.throttled_orders += orders
            wait = session.commands.wait_ms(orders)
        elif cancels and not session.cancels.take(cancels, connection.heard):
            session.throttled_cancels += cancels
            wait = session.cancels.wait_ms(cancels)
        else:
            return False
        self.counters["throttled"] += 1
        self._out.tell(connection, Reason.THROTTLED, first=first, count=count, retry_ms=wait)
        return True

    def _take_in(self, session: Session, batch: CommandArray) -> None:
        batch["session"] = batch["actor"] = session.number
        first, last = int(batch["client_order_id"][0]), int(last_numbers(batch[-1:])[0])
        self._gather(session, batch.tobytes(), first, last, len(batch))

    def _gather(self, session: Session, records: bytes, first: int, last: int, count: int) -> None:
        """Put commands, which consume the numbers `first` to `last`, behind those that wait to be carried out."""
        self.duplicates.mark(session.number, first)
        session.last_number = last
        self._pending.append((session, records, last, count))
        self._pending_count += count
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
        count, self._pending_count = self._pending_count, 0
        self.run_calendar()
        events = self.exchange.commit_raw(bytearray().join([records for _, records, _, _ in taken]), count)
        administrative = False
        for session, _, last, number in taken:
            session.consumed = last
            session.taken += number
            administrative |= session.role == Role.OPERATOR
        self.publish(events, administrative=administrative)
        self.exchange.remember()
        self.counters["commands"] += count

    def run_calendar(self) -> None:
        """Carry out the transitions that are due, before anything of a later time."""
        schedule, clock = self.exchange.schedule, self.exchange.clock
        while (due := schedule.pop(clock.peek())) is not None:
            self.publish(self.exchange.carry_out(due))

    def publish(self, events: EventArray, messages: Messages | None = None, administrative: bool = True) -> None:
        """Tell every session what is now durable.

        Args:
            messages: the administrative messages behind the events.
            administrative: whether the venue or an operator may have caused any of them.
        """
        self.batches += 1
        if len(events) == 1 and not administrative and self._publish_one(events.tobytes()):
            return
        # Firms, accounts and sessions are opened by the venue (with messages) or by operators.
        if messages or (administrative and bool((events["kind"] >= EventKind.FIRM_OPENED).any())):
            self.registry.learn(events, messages or {})
            self.losses.cut_ended()
        for session_number, records in deliveries(events, self.registry.directory):
            session = self.registry.sessions.get(session_number)
            if session is None:
                continue
            previous, session.last_event = session.last_event, int(records["sequence"][-1])
            if session.connection is not None:
                self._out.events(session.connection, records, previous)
        if self._out.lost:
            self.losses.settle()

    def _publish_one(self, record: bytes) -> bool:
        """The most frequent case: one event of one session. False when it concerns two; `deliveries` knows the rest."""
        own, contra = EVENT_SESSIONS.unpack_from(record, EVENT_SESSIONS_AT)
        session = self.registry.sessions.get(own)
        if contra not in (0, own) or record[0] in SHARED or session is None:
            return False
        sequence = EVENT_SEQUENCE.unpack_from(record, EVENT_SEQUENCE_AT)[0]
        previous, session.last_event = session.last_event, sequence
        if session.connection is not None:
            self._out.event(session.connection, record, previous, sequence)
        if self._out.lost:
            self.losses.settle()
        return True

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

    # --- queries --------------------------------------------------------------------------------------------------

    @property
    def queries_wait(self) -> bool:
        return self.queries.has_waiting

    def answer_queries(self, most: int = 16) -> None:
        """Answer queries that wait, a few at a time, so that orders in between do not wait for all of them."""
        self.queries.answer(most)

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
            self.losses.settle()
        if self.losses.away:
            self.flush()
            self.losses.expire(now)
