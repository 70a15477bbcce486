"""From frames to one batch: which commands may be carried out, in the order in which they came.

COMMANDS frames gather until the loop has taken what has arrived. All of them are then looked at together, as arrays
(`together`). Only when something is out of the ordinary - a used number, a quote, which has two, a throttle, no room in
the journal, a frame that cannot be read - is every frame looked at for itself (`Intake._by_itself`), with the same
result for the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from struct import Struct
from typing import Any, Final, NamedTuple

import numpy as np

from engine.schema import COMMAND, FIRM_BYTES, CommandArray, CommandKind, EventArray, Reason, Role
from gateway import wire
from gateway.duplicates import Duplicates
from gateway.exchange import Exchange
from gateway.frames import SENDER, read
from gateway.journal import Messages
from gateway.numbers import QUOTE, fresh, last_numbers
from gateway.outbox import Outbox
from gateway.room import Room
from gateway.routing import pages
from gateway.sessions import Connection, Session
from gateway.wire import FrameType, WireError
from replay.writer import SpaceState

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
ONE: Final = Struct("<BBHIB15xq")
"""The beginning of a COMMANDS frame: its header, then kind and client_order_id of its first command."""
_ONE_FRAME: Final = wire.HEADER.size + FIRM_BYTES
GatheredFrame = tuple[Connection, memoryview]


class Part(NamedTuple):
    """What a batch holds of one session: its last number, and how many commands."""

    session: Session
    last: int
    commands: int


class Together(NamedTuple):
    """New commands, session and actor set, in the order in which they came."""

    batch: CommandArray
    parts: list[Part]


def together(frames: list[GatheredFrame], now: int) -> Together | None:
    """All commands of these frames, numbered and paid for at monotonic time `now` (ns).

    Returns:
        None, and nothing done, when a frame has to be looked at for itself.
    """
    place: dict[Connection, int] = {}
    sent = np.array([(len(data), place.setdefault(connection, len(place))) for connection, data in frames])
    senders = np.zeros(len(place), SENDER)
    senders["session"] = [connection.session.number for connection in place]
    senders["last"] = [connection.session.last_number for connection in place]
    batch = read(b"".join([data for _, data in frames]), sent, senders, REDUCES)
    if batch is None:
        return None
    found = [(connection, *row) for connection, row in zip(place, senders.tolist(), strict=True)]
    if not _charge([(connection.session, orders, cancels) for connection, _, _, orders, cancels, _ in found], now):
        return None
    for connection, _, _, _, _, token in found:
        connection.heard = now
        connection.confirm(token)
    return Together(batch, [Part(c.session, last, orders + cancels) for c, _, last, orders, cancels, _ in found])


def _charge(charges: list[tuple[Session, int, int]], now: int) -> bool:
    """Take (session, orders, cancels) from the throttles of all sessions, or from none of them."""
    if not all(s.commands.fits(orders, now) and s.cancels.fits(cancels, now) for s, orders, cancels in charges):
        return False
    for session, orders, cancels in charges:
        session.commands.tokens -= orders
        session.cancels.tokens -= cancels
    return True


class Intake:
    """Gathers the commands of one exchange's sessions and has them carried out.

    Args:
        most: commands from which on no more are gathered.
        run_calendar: carries out what is due, before anything of a later time.
        publish: as `Service.publish`.
        bad_frame: is told of a frame that cannot be read.

    Attributes:
        frames: the COMMANDS frames that have gathered.
        most: bytes of them from which on they must be carried out.
    """

    def __init__(
        self,
        exchange: Exchange,
        duplicates: Duplicates,
        room: Room,
        outbox: Outbox,
        most: int,
        run_calendar: Callable[[], None],
        publish: Callable[[EventArray, Messages | None, bool], None],
        bad_frame: Callable[[Connection, WireError], None],
    ) -> None:
        self.duplicates = duplicates
        self._exchange = exchange
        self._room = room
        self._out = outbox
        self._counters = outbox.counters
        self._run_calendar = run_calendar
        self._publish = publish
        self._bad_frame = bad_frame
        self.frames: list[GatheredFrame] = []
        self.most = most * FIRM_BYTES
        self._accepted: list[tuple[Part, bytes]] = []
        """Of frames looked at one by one: what waits to be carried out."""

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
        if not self.frames:
            return
        frames = self.frames.copy()
        self.frames.clear()
        self._run_calendar()
        now = time.monotonic_ns()
        ordinary = self._room.state is SpaceState.OK
        alone = len(frames) == 1 and not self._exchange.has_begun
        if ordinary and alone and self._one(*frames[0], now):
            return
        found = together(frames, now) if ordinary else None
        if found is not None:
            for session, last, _ in found.parts:
                session.last_number = last
            # To hand a batch over, and to hear of it, takes longer than a short wait saves.
            if alone or not (self._exchange.has_begun or more_has_come()):
                self._carry_out(found)
            else:
                self._begin(found)
            return
        self._exchange.settle()
        for connection, data in frames:
            self._by_itself(connection, data, now)
        self._carry_out_accepted()

    def _one(self, connection: Connection, data: memoryview, now: int) -> bool:
        """Carry out a frame of one command the short way; False, and nothing done, when it is no ordinary one."""
        if len(data) != _ONE_FRAME:
            return False
        _, version, count, token, kind, number = ONE.unpack_from(data)
        session = connection.session
        if version != wire.VERSION or count != 1 or kind == QUOTE or number <= session.last_number:
            return False
        if not (session.cancels if kind in REDUCING else session.commands).take(1, now):
            return False
        connection.heard = now
        connection.confirm(token)
        session.last_number = number
        events = self._exchange.commit_one(data[wire.HEADER.size :], session.number, kind)
        session.consumed = number
        session.taken += 1
        self._finish(events, 1, session.role == Role.OPERATOR)
        return True

    def _carry_out(self, found: Together) -> None:
        self._tell(found, self._exchange.commit_many(found.batch))

    def _begin(self, found: Together) -> None:
        """As `_carry_out`, but the answers follow when the disk has it."""
        if any(session.role == Role.OPERATOR for session, _, _ in found.parts):
            self._carry_out(found)  # it may change who has to be told what
        else:
            self._exchange.begin_many(found.batch, partial(self._tell, found))

    def _tell(self, found: Together, events: EventArray) -> None:
        """Answer a batch that is durable."""
        administrative = False
        for session, last, count in found.parts:
            session.consumed = last
            session.taken += count
            administrative |= session.role == Role.OPERATOR
        self._finish(events, len(found.batch), administrative)

    def _finish(self, events: EventArray, count: int, administrative: bool) -> None:
        self._publish(events, None, administrative)
        self._exchange.remember()
        self._counters["commands"] += count

    # --- frames that are out of the ordinary, and their neighbours ------------------------------------------------

    def _by_itself(self, connection: Connection, data: memoryview, now: int) -> None:
        """One frame; numbers at or below the session's last one are answered, not carried out."""
        if connection.session.connection is not connection:  # lost or cut over one of the frames before
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
        session = connection.session
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
        self._accepted.append((Part(session, session.last_number, len(batch)), batch.tobytes()))

    def _carry_out_accepted(self) -> None:
        if self._accepted:
            accepted, self._accepted = self._accepted, []
            records: Any = bytearray().join([records for _, records in accepted])
            self._carry_out(Together(np.frombuffer(records, COMMAND), [part for part, _ in accepted]))

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
