"""Clients that measure: raw frames on a DEALER, so that the figures are the gateway's and not the SDK's.

The commands are pairs of an order far from the market and its cancellation, so the book stays as it is and every
command has one event.
"""

from __future__ import annotations

import select
import time
from collections import deque
from struct import Struct
from typing import NamedTuple

import numpy as np
import zmq

from engine.schema import CommandKind, OrderFlag, OrderType, Side, TimeInForce, commands
from gateway import wire
from gateway.security import KeyPair
from gateway.wire import FrameType

TOKEN = Struct("<I")
TOKEN_AT = 4
TIMEOUT_MS = 20_000
PRICE = 6_000


class LoadError(Exception):
    """The gateway answered something else than it should."""


class Target(NamedTuple):
    """A gateway and who we are there: keys and the server's key for tcp, a name for the local socket."""

    endpoint: str
    session: str
    keys: KeyPair | None = None
    server_key: bytes = b""


class Session:
    """One logged-on session that sends frames of `batch` commands."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], target: Target, batch: int = 1) -> None:
        self.socket = context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.rcvtimeo = TIMEOUT_MS
        self.socket.sndhwm = self.socket.rcvhwm = 100_000
        if target.keys is not None:
            self.socket.curve_publickey, self.socket.curve_secretkey = target.keys.public, target.keys.secret
            self.socket.curve_serverkey = target.server_key
        self.socket.connect(target.endpoint)
        self.batch = batch
        self._received = 0
        self.socket.send(wire.pack(FrameType.LOGON, wire.Logon(target.session, 30_000)))
        answer = self._expect(self.socket.recv(), FrameType.LOGON_ANSWER)
        self.number = wire.unpack(answer, wire.LogonAnswer).last_client_order_id
        self._made: deque[bytearray] = deque()

    def _expect(self, data: bytes, kind: FrameType) -> wire.Frame:
        self._received += len(data)
        frame = wire.split(data)
        if frame.type != kind:
            raise LoadError(f"got {FrameType(frame.type).name}, not {kind.name}: {bytes(frame.body)[:200]!r}")
        return frame

    def make(self, frames: int) -> None:
        """Write `frames` frames ahead, so that making them is no part of the measurement."""
        made = commands(frames * self.batch)
        made["client_order_id"] = np.arange(self.number + 1, self.number + 1 + len(made))
        enter, leave = made[0::2], made[1::2]
        enter["kind"], enter["side"], enter["order_type"] = CommandKind.NEW_ORDER, Side.BUY, OrderType.LIMIT
        enter["time_in_force"], enter["instrument"] = TimeInForce.DAY, 1
        enter["price"], enter["quantity"] = PRICE, 1
        leave["kind"], leave["flags"] = CommandKind.CANCEL_ORDER, int(OrderFlag.BY_CLIENT_ID)
        leave["target"] = leave["client_order_id"] - 1
        self.number += len(made)
        for at in range(0, len(made), self.batch):
            self._made.append(bytearray(wire.pack_commands(made[at : at + self.batch])))

    def send(self) -> None:
        """The next frame, confirming what has been received."""
        frame = self._made.popleft()
        TOKEN.pack_into(frame, TOKEN_AT, self._received & 0xFFFFFFFF)
        self.socket.send(frame)

    def receive(self, flags: int = 0) -> int:
        """One frame of answers; returns its events, 0 for a heartbeat. Raises zmq.Again, LoadError."""
        data = self.socket.recv(flags)
        if data[0] == FrameType.EVENTS:
            self._received += len(data)
            return int.from_bytes(data[2:4], "little")
        if data[0] != FrameType.HEARTBEAT:
            self._expect(data, FrameType.EVENTS)
        self._received += len(data)
        return 0


def closed_loop(target: Target, count: int) -> list[int]:
    """Nanoseconds of `count` round trips of one order each, one at a time, after a tenth as many to warm up."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    taken = []
    try:
        session = Session(context, target)
        warm = count // 10
        session.make(warm + count)
        for number in range(-warm, count):
            begun = time.perf_counter_ns()
            session.send()
            while not session.receive():
                pass
            if number >= 0:
                taken.append(time.perf_counter_ns() - begun)
    finally:
        context.destroy(0)
    return taken


def throughput(targets: list[Target], batch: int, window: int, seconds: float) -> tuple[int, float]:
    """(commands answered, seconds): every session keeps `window` frames of `batch` commands on their way."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    poller = zmq.Poller()
    try:
        sessions = [Session(context, target, batch) for target in targets]
        by_socket = {session.socket: session for session in sessions}
        for session in sessions:
            session.make(4 * window)
            poller.register(session.socket, zmq.POLLIN)
        waiting = dict.fromkeys(by_socket, 0)
        answered, begun = 0, time.perf_counter()
        for session in sessions:
            for _ in range(window):
                session.send()
            waiting[session.socket] = window * batch
        end = begun + seconds
        while any(waiting.values()):
            for socket, _ in poller.poll(TIMEOUT_MS):
                session = by_socket[socket]
                answered += _take(session, waiting)
                while time.perf_counter() < end and waiting[socket] <= (window - 1) * batch:
                    if not session._made:
                        session.make(window)
                    session.send()
                    waiting[socket] += batch
        return answered, time.perf_counter() - begun
    finally:
        context.destroy(0)


def _take(session: Session, waiting: dict[zmq.Socket[bytes], int]) -> int:
    """Everything that has arrived for a session; returns the number of events."""
    found = 0
    while True:
        try:
            found += session.receive(zmq.NOBLOCK)
        except zmq.Again:
            waiting[session.socket] -= found
            return found


def open_loop(target: Target, rate: int, seconds: float) -> list[int]:
    """Nanoseconds from the moment each order was due until its answer; `rate` orders a second, come what may.

    Counting from the due moment and not from the sending is what keeps a stall from hiding the orders behind it.
    """
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        session = Session(context, target)
        count = int(rate * seconds)
        session.make(count)
        step = 1_000_000_000 // rate
        begun = time.perf_counter_ns() + 1_000_000
        sent, handle = 0, session.socket.fileno()
        taken: list[int] = []
        deadline = begun + count * step + TIMEOUT_MS * 1_000_000
        while len(taken) < count:
            now = time.perf_counter_ns()
            while sent < count and begun + sent * step <= now:
                session.send()
                sent += 1
            try:
                while True:
                    events = session.receive(zmq.NOBLOCK)
                    now = time.perf_counter_ns()
                    taken += [now - begun - (len(taken) + n) * step for n in range(events)]
            except zmq.Again:
                pass
            if time.perf_counter_ns() > deadline:
                raise LoadError(f"{count - len(taken)} of {count} orders were not answered in time")
            if int(session.socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
                continue
            due = begun + sent * step - time.perf_counter_ns() if sent < count else 1_000_000
            if due > 0:
                select.select([handle], [], [], due / 1e9)
        return taken
    finally:
        context.destroy(0)
