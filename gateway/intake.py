"""From frames to one batch: which commands may be carried out, in the order in which they came.

COMMANDS frames gather until the loop has taken what has arrived. All of them are then looked at together, in compiled
code (`gateway.frames.take_in`). Only when something is out of the ordinary - a used number, a quote, which has two, a
throttle, no room in the journal, a frame that cannot be read - is every frame looked at for itself
(`Intake._by_itself`), with the same result for the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np

from engine.schema import COMMAND, CommandArray, EventArray, Reason, Role
from gateway import wire
from gateway.duplicates import Duplicates
from gateway.exchange import Exchange
from gateway.frames import REDUCES, Taken
from gateway.inbox import Inbox
from gateway.journal import Messages
from gateway.numbers import fresh, last_numbers
from gateway.outbox import Outbox
from gateway.room import Room
from gateway.routing import pages
from gateway.sessions import Connection, Registry, Session
from gateway.wire import FrameType, WireError
from replay.writer import SpaceState

FIRST_OF_VENUE: Final = 64
"""Command kinds from here on are the operators'."""


class Intake:
    """Gathers the commands of one exchange's sessions and has them carried out.

    Args:
        registry: the sessions.
        inbox: where the frames gather.
        run_calendar: carries out what is due, before anything of a later time.
        publish: as `Service.publish`.
        bad_frame: is told of a frame that cannot be read.
    """

    def __init__(
        self,
        exchange: Exchange,
        registry: Registry,
        inbox: Inbox,
        duplicates: Duplicates,
        room: Room,
        outbox: Outbox,
        run_calendar: Callable[[], None],
        publish: Callable[[EventArray, Messages | None, bool], None],
        bad_frame: Callable[[Connection, WireError], None],
    ) -> None:
        self.duplicates = duplicates
        self._exchange = exchange
        self._registry = registry
        self._inbox = inbox
        self._room = room
        self._out = outbox
        self._counters = outbox.counters
        self._run_calendar = run_calendar
        self._publish = publish
        self._bad_frame = bad_frame
        self._accepted: list[tuple[Session, int, int, bytes]] = []
        """Of frames looked at one by one, what waits to be carried out: whose, its last number, how many, commands."""

    def flush(self) -> None:
        """Carry out what has gathered, then answer everything."""
        self.advance()
        self._exchange.settle()

    def advance(self, more_has_come: Callable[[], bool] = lambda: False) -> None:
        """Carry out what has gathered, then answer. Under load the answers may come later: with what is next carried
        out, with the next thing that is no ordinary batch, or when the disk is heard of.

        Args:
            more_has_come: whether there is something to do while the disk is waited for.
        """
        inbox = self._inbox
        frames = len(inbox)
        if not frames:
            return
        self._run_calendar()
        now = time.monotonic_ns()
        found = inbox.take_in(now, *self._exchange.stamp()) if self._room.state is SpaceState.OK else None
        if found is None:
            self._exchange.settle()
            gathered = inbox.frames()
            inbox.clear()
            for number, data in gathered:
                self._by_itself(self._registry.sessions[number], data, now)
            self._carry_out_accepted()
            return
        inbox.clear()
        # To hand a batch over, and to hear of it, takes longer than the disk when nobody else waits. Operators'
        # commands come alone, when nothing is on its way (`Service.other`).
        if not self._exchange.has_begun and (frames == 1 or not more_has_come()):
            self._tell(found, self._exchange.commit_stamped(found.batch, found.highest_kind))
        else:
            self._exchange.begin(found.batch, partial(self._tell, found))

    def _tell(self, found: Taken, events: EventArray) -> None:
        """Answer a batch that is durable."""
        self._out.consumed(found)
        self._publish(events, None, found.operators)
        self._exchange.remember()
        self._counters["commands"] += len(found.batch)

    # --- frames that are out of the ordinary, and their neighbours ------------------------------------------------

    def _by_itself(self, session: Session, data: memoryview, now: int) -> None:
        """One frame; numbers at or below the session's last one are answered, not carried out."""
        connection = session.connection
        if connection is None:  # lost or cut over one of the frames before
            self._counters["dropped"] += 1
            return
        connection.heard = now
        try:
            frame = wire.split(data)
            batch = wire.unpack_commands(frame)
        except WireError as error:
            self._carry_out_accepted()
            self._bad_frame(connection, error)
            return
        connection.confirm(frame.token)
        if self._refuses(connection, batch, now):
            return
        new = fresh(batch, session.last_number)
        if new.any():
            self._accept(session, batch[new])
        if not new.all():
            self._carry_out_accepted()
            self.answer_duplicates(connection, batch[~new])

    def _refuses(self, connection: Connection, batch: CommandArray, now: int) -> bool:
        """Whether a frame is refused whole, and its sender told: too fast, or no room for orders in the journal."""
        session, count, first = connection.session, len(batch), int(batch["client_order_id"][0])
        kinds = batch["kind"]
        cancels = int(REDUCES[kinds].sum())
        orders = count - cancels
        if self._room.state is not SpaceState.OK and first > session.last_number:
            halted = self._room.state is SpaceState.HALT
            if halted or (orders and (session.role != Role.OPERATOR or bool((kinds < FIRST_OF_VENUE).any()))):
                self._counters["refused for space"] += 1
                session.drained += count
                reason = Reason.VENUE_STOPPING if halted else Reason.VENUE_DRAINING
                self._out.tell(connection, reason, first=first, count=count)
                return True
        if orders and not session.commands.take(orders, now):
            session.throttled_orders += orders
            wait = session.commands.wait_ms(orders)
        elif cancels and not session.cancels.take(cancels, now):
            session.throttled_cancels += cancels
            wait = session.cancels.wait_ms(cancels)
        else:
            return False
        self._counters["throttled"] += 1
        self._out.tell(connection, Reason.THROTTLED, first=first, count=count, retry_ms=wait)
        return True

    def _accept(self, session: Session, batch: CommandArray) -> None:
        batch["session"] = batch["actor"] = session.number
        session.last_number = int(last_numbers(batch[-1:])[0])
        self._accepted.append((session, session.last_number, len(batch), batch.tobytes()))

    def _carry_out_accepted(self) -> None:
        if not self._accepted:
            return
        accepted, self._accepted = self._accepted, []
        records: Any = bytearray().join([records for _, _, _, records in accepted])
        batch = np.frombuffer(records, COMMAND)
        senders = np.array([(session.number, last, count) for session, last, count, _ in accepted], np.int64)
        operators = any(session.role == Role.OPERATOR for session, _, _, _ in accepted)
        found = Taken(batch, senders, senders.ctypes.data, operators, int(batch["kind"].max()))
        self._tell(found, self._exchange.commit_many(batch))

    def answer_duplicates(self, connection: Connection, batch: CommandArray) -> None:
        """Answer commands whose numbers were used before."""
        self._counters["duplicates"] += len(batch)
        found = self.duplicates.answer(connection.session.number, batch, connection.heard)
        if found is None:
            self._out.tell(connection, Reason.THROTTLED, first=int(batch["client_order_id"][0]), count=len(batch))
            return
        span = (0, 0, 0, connection.session.consumed)
        for part in pages(found, wire.MAX_RECORDS):
            self._out.send(connection, wire.pack_events(part.tobytes(), len(part), span, FrameType.DUPLICATES))
