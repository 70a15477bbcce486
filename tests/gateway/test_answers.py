"""EVENTS frames as they are written for many sessions at once: what the rules of `gateway.routing` say, in frames that
follow one another without a gap (docs/session-protocol.md)."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random

import numpy as np
import pytest
import zmq

from engine.schema import EVENT, EventArray, EventKind, Reason, Role
from gateway import wire
from gateway.directory import Directory
from gateway.frames import Taken
from gateway.outbox import EVENTS, Outbox
from gateway.routing import deliveries, pages
from gateway.seats import Bucket
from gateway.sessions import Connection, Port, Registry, Session
from gateway.wire import MAX_RECORDS, FrameType
from tests.gateway.builders import limit

pytestmark = pytest.mark.nojit

CREDIT = 1 << 30


class Kept:
    """A socket that keeps what it is given."""

    def __init__(self) -> None:
        self.frames: list[tuple[bytes, wire.Frame]] = []
        self.fails: set[bytes] = set()
        self._to = b""

    def send(self, part: bytes, flags: int = 0) -> None:
        if flags & zmq.SNDMORE:
            if part in self.fails:
                raise zmq.Again
            self._to = part
        else:
            self.frames.append((self._to, wire.split(part)))

    def send_multipart(self, parts: list[bytes], flags: int = 0) -> None:
        self._to = parts[0]
        self.send(parts[1])


class Hall:
    """An outbox with sessions 1 to `sessions`; those in `away` are not connected."""

    def __init__(self, sessions: int, away: tuple[int, ...] = (), credit: int = CREDIT) -> None:
        self.registry = Registry(10, 10, 10)
        self.outbox = Outbox(self.registry, credit, Counter())
        self.socket = Kept()
        port = Port(self.socket, "kept", local=True)  # type: ignore[arg-type]
        self.outbox.ports = [port]
        for number in range(1, sessions + 1):
            row = self.registry.seats[number]
            row["session"] = number
            buckets = [Bucket(10, 10) for _ in range(3)]
            session = Session(number, f"S{number}", 1, int(Role.TRADER), "", *buckets, seat=row)
            self.registry.sessions[number] = session
            if number not in away:
                connection = Connection(port, self.identity(number), session, 1_000)
                port.add(connection)
                session.connect(connection, 1)

    @staticmethod
    def identity(number: int) -> bytes:
        return b"\0" + number.to_bytes(4, "little")

    def told(self, number: int) -> list[tuple[tuple[int, int, int, int], EventArray]]:
        mine = [frame for to, frame in self.socket.frames if to == self.identity(number)]
        return [wire.unpack_events(frame) for frame in mine if frame.type == FrameType.EVENTS]


ORDINARY = (
    *(EventKind.ACCEPTED, EventKind.REJECTED, EventKind.TRADE, EventKind.CANCELLED, EventKind.REPLACED),
    *(EventKind.FEE, EventKind.DECREMENTED, EventKind.EXPIRED, EventKind.TRIGGERED),
)


def random_events(random: Random, count: int, sessions: int, first: int = 1) -> EventArray:
    made = np.zeros(count, EVENT)
    for event in made:
        event["kind"] = random.choice(ORDINARY)
        event["reason"] = random.choice([Reason.NONE, Reason.SELF_TRADE_PREVENTED, Reason.USER_REQUESTED])
        event["session"] = random.randint(0, sessions)
        event["contra_session"] = random.choice([0, int(event["session"]), random.randint(0, sessions)])
        event["side"], event["aggressor"] = random.randint(0, 2), random.randint(0, 2)
        for name in ("account", "contra_account", "price", "quantity", "aux", "aux2", "client_order_id"):
            event[name] = random.randint(1, 1_000)
    made["sequence"] = range(first, first + count)
    return made


@pytest.mark.parametrize("sessions", [1, 3, 40])
@pytest.mark.parametrize("seed", range(5))
def test_everybody_is_told_what_the_rules_say(seed: int, sessions: int) -> None:
    random, hall = Random(seed), Hall(sessions)
    wanted: dict[int, list[bytes]] = {}
    first = 1
    for _ in range(12):
        made = random_events(random, random.choice([1, 1, 2, 30]), sessions, first)
        first += len(made)
        assert hall.outbox.answer(made)
        for session, records in deliveries(made, Directory()):
            wanted.setdefault(session, []).append(records.tobytes())
    for number in range(1, sessions + 1):
        told = hall.told(number)
        assert b"".join(records.tobytes() for _, records in told) == b"".join(wanted.get(number, []))
        assert len(told) == len(wanted.get(number, []))
        before = 0
        for (previous, begin, last, _), records in told:
            assert (previous, begin, last) == (before, records["sequence"][0], records["sequence"][-1])
            before = last
        assert hall.registry.sessions[number].last_event == before
    seats = hall.registry.seats
    assert not any(seats[note].any() for note in ("copies", "write_at", "in_page"))


def test_many_events_come_in_pages_and_only_the_last_one_acknowledges() -> None:
    hall = Hall(2)
    one, two = (hall.registry.sessions[number] for number in (1, 2))
    senders = np.array([[1, 5, 2_500]], np.int64)
    hall.outbox.consumed(Taken(limit(1), senders, senders.ctypes.data, False, 1))
    assert (one.consumed, one.taken, two.consumed) == (5, 2_500, 0)
    made = np.zeros(2_500, EVENT)
    made["kind"], made["session"], made["sequence"] = EventKind.CANCELLED, 1, range(1, 2_501)
    made["session"][7] = 2
    assert hall.outbox.answer(made)
    spans = [(*span, len(records)) for span, records in hall.told(1)]
    assert spans == [(0, 1, 1_025, 0, 1_024), (1_025, 1_026, 2_049, 0, 1_024), (2_049, 2_050, 2_500, 5, 451)]
    assert [(*span, len(records)) for span, records in hall.told(2)] == [(0, 8, 8, 0, 1)]
    assert one.connection is not None and one.connection.acknowledged == 5
    assert one.connection.sent_bytes == sum(40 + 128 * n for n in (1_024, 1_024, 451))


@pytest.mark.parametrize("before", range(3))
@pytest.mark.parametrize("trades", [511, 512, 513, 1_100, 2_600])
def test_both_halves_of_a_trade_with_oneself_come_in_one_frame(trades: int, before: int) -> None:
    """They have one sequence: who has the first half only and asks for what follows it would never get the second."""
    hall = Hall(1)
    made = np.zeros(before + trades, EVENT)
    made["sequence"] = range(1, len(made) + 1)
    made["session"], made["kind"] = 1, EventKind.TRADE
    made["contra_session"][before:] = 1
    assert hall.outbox.answer(made)
    ((_, records),) = deliveries(made, Directory())
    wanted = [(int(part["sequence"][0]), int(part["sequence"][-1]), len(part)) for part in pages(records, MAX_RECORDS)]
    told = hall.told(1)
    assert [(first, last, len(part)) for (_, first, last, _), part in told] == wanted
    assert [previous for (previous, *_), _ in told] == [0, *(last for _, last, _ in wanted[:-1])]
    for (_, before_it, _), (after_it, _, _) in pairwise(wanted):
        assert before_it < after_it


def test_a_very_large_batch_is_told_and_its_memory_given_back() -> None:
    hall = Hall(1)
    made = np.zeros(EVENTS + 1, EVENT)
    made["sequence"], made["session"], made["kind"] = range(1, len(made) + 1), 1, EventKind.CANCELLED
    room = hall.outbox._words.nbytes
    assert hall.outbox.answer(made)
    assert sum(len(part) for _, part in hall.told(1)) == len(made)
    assert hall.outbox._words.nbytes == room
    assert hall.outbox.answer(made[:1])


def test_who_is_away_is_told_nothing_but_what_was_the_last() -> None:
    hall = Hall(2, away=(1,))
    made = random_events(Random(1), 40, 2)
    assert hall.outbox.answer(made)
    assert hall.told(1) == [] and hall.told(2)
    last = [records["sequence"][-1] for session, records in deliveries(made, Directory()) if session == 1]
    assert hall.registry.sessions[1].last_event == last[0]


def test_events_that_firms_are_pushed_are_left_to_others_untouched() -> None:
    hall = Hall(2)
    made = random_events(Random(1), 3, 2)
    made["kind"][2] = EventKind.CASH_MOVED
    assert not hall.outbox.answer(made)
    assert hall.socket.frames == [] and hall.registry.sessions[1].last_event == 0


def test_one_who_takes_nothing_costs_the_others_nothing() -> None:
    hall = Hall(3)
    hall.socket.fails = {hall.identity(2)}
    made = np.zeros(3, EVENT)
    made["kind"], made["session"], made["sequence"] = EventKind.ACCEPTED, (1, 2, 3), (1, 2, 3)
    assert hall.outbox.answer(made)
    assert [len(hall.told(number)) for number in (1, 2, 3)] == [1, 0, 1]
    assert [(c.session.number, reason) for c, reason in hall.outbox.take_lost()] == [(2, Reason.SLOW_CONSUMER)]
    assert hall.registry.seats["connected"][1:4].tolist() == [1, 0, 1]


def test_one_who_confirms_nothing_is_cut_when_his_credit_is_used_up() -> None:
    hall = Hall(2, credit=2 * 168)
    made = np.zeros(2, EVENT)
    made["kind"], made["session"] = EventKind.ACCEPTED, (1, 2)
    two = hall.registry.sessions[2].connection
    assert two is not None
    for turn in range(3):
        made["sequence"] = 2 * turn + 1, 2 * turn + 2
        assert hall.outbox.answer(made)
        two.confirm(two.sent_bytes)
    assert [(c.session.number, reason) for c, reason in hall.outbox.take_lost()] == [(1, Reason.SLOW_CONSUMER)]
    assert [len(hall.told(number)) for number in (1, 2)] == [3, 3]
