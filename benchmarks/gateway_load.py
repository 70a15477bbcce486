"""Clients that measure: raw frames on a DEALER, so that the figures are the gateway's and not the SDK's.

Two flows. `ack`: pairs of an order far from the market and its cancellation, so the book stays as it is and every
command has one event. `fill`: orders of one lot that trade at once with a large order of another firm, so every command
has two events for its sender, ACCEPTED and TRADE, and one for the other firm.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from struct import Struct
from types import TracebackType
from typing import Final, Literal, NamedTuple, Protocol, Self, cast

import numpy as np
import zmq
from numpy.typing import NDArray

from engine.schema import (
    COMMAND,
    FIRM_BYTES,
    CommandKind,
    EventKind,
    OrderFlag,
    OrderType,
    Reason,
    Side,
    TimeInForce,
    commands,
)
from gateway import wire
from gateway.security import KeyPair
from gateway.wire import FrameType

Flow = Literal["ack", "fill"]
TOKEN: Final = Struct("<I")
TOKEN_AT: Final = 4
TIMEOUT_MS: Final = 20_000
PRICE: Final = 6_000
FILL_PRICE: Final = 7_000
MOST_LOTS: Final = 2**31 - 1
HEARTBEAT_MS: Final = 30_000
QUEUED_FRAMES: Final = 100_000
CONFIRM_BYTES: Final = 256 * 1024
_ACKNOWLEDGED: Final = Struct("<q")
_ACKNOWLEDGED_AT: Final = wire.HEADER.size + 24
_KINDS_AT: Final = wire.HEADER.size + wire.SPAN.size
_EVENT_BYTES: Final = 128
_WORDS: Final = FIRM_BYTES // 8
_NUMBER_WORD: Final = COMMAND.fields["client_order_id"][1] // 8  # type: ignore[index]
_TARGET_WORD: Final = COMMAND.fields["target"][1] // 8  # type: ignore[index]
_WANTED: Final = {
    "ack": bytes((EventKind.ACCEPTED, EventKind.CANCELLED)),
    "fill": bytes((EventKind.ACCEPTED, EventKind.TRADE)),
}


class LoadError(Exception):
    """The gateway answered something else than it should, or nothing; the figures are worth nothing."""


class Target(NamedTuple):
    """A gateway and who we are there: keys and the server's key for tcp, a name for the local socket."""

    endpoint: str
    session: str
    keys: KeyPair | None = None
    server_key: bytes = b""


class Line:
    """A logged-on session: counts what it received, confirms it, reads frames. Closing it logs out."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], target: Target) -> None:
        self.socket = context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.rcvtimeo = self.socket.sndtimeo = TIMEOUT_MS
        self.socket.sndhwm = self.socket.rcvhwm = QUEUED_FRAMES
        if target.keys is not None:
            self.socket.curve_publickey, self.socket.curve_secretkey = target.keys.public, target.keys.secret
            self.socket.curve_serverkey = target.server_key
        self.socket.connect(target.endpoint)
        self.name = target.session
        self.received = 0
        self.confirmed = 0
        self.arrived = 0
        """When the last frame was read, ns of `time.perf_counter_ns`."""
        self.socket.send(wire.pack(FrameType.LOGON, wire.Logon(target.session, HEARTBEAT_MS)))
        frame = wire.split(self.read())
        if frame.type != FrameType.LOGON_ANSWER:
            raise self.unexpected(frame)
        answer = wire.unpack(frame, wire.LogonAnswer)
        self.number, self.credit = answer.last_client_order_id, answer.credit_bytes

    def read(self, flags: int = 0) -> bytes:
        """The next frame. Raises zmq.Again when nothing is there, LoadError when nothing came in time."""
        try:
            data = self.socket.recv(flags)
        except zmq.Again:
            if flags & zmq.NOBLOCK:
                raise
            raise LoadError(f"no answer to session {self.name} within {TIMEOUT_MS // 1_000} s") from None
        self.arrived = time.perf_counter_ns()
        self.received += len(data)
        return data

    def confirm(self) -> None:
        """Say how much has been received, when that is worth a frame."""
        if self.received - self.confirmed > CONFIRM_BYTES:
            self.confirmed = self.received
            self.socket.send(wire.pack(FrameType.HEARTBEAT, wire.Heartbeat(), self.received & 0xFFFFFFFF))

    def unexpected(self, frame: wire.Frame) -> LoadError:
        """What to raise for a frame that should not have come."""
        if frame.type == FrameType.SESSION_REJECT:
            return LoadError(f"session {self.name} was refused: {wire.unpack(frame, wire.SessionReject).text}")
        return LoadError(f"session {self.name} got a frame of type {frame.type}: {bytes(frame.body)[:80].hex()}")

    def close(self) -> None:
        """Log out and wait for the answer, so that nothing of this session disturbs what is measured next."""
        try:
            self.socket.send(wire.pack(FrameType.LOGOUT, wire.Logout()))
            while self.read()[0] != FrameType.LOGGED_OUT:
                pass
        except (LoadError, zmq.ZMQError):
            pass
        self.socket.close(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Session(Line):
    """A session that sends frames of `batch` commands of one flow; `batch` is 1 or even.

    Attributes:
        answered: commands of which every event has been received.
        trades: TRADE events received.
    """

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], target: Target, batch: int = 1, flow: Flow = "ack"
    ) -> None:
        if batch != 1 and batch % 2:
            raise ValueError(f"{batch} commands a frame: 1 or an even number")
        super().__init__(context, target)
        self.batch, self.trades = batch, 0
        self._wanted = _WANTED[flow]
        self._first = self._acknowledged = self.number
        self._frames = _templates(self.number, batch, flow)
        self._turn = 0

    @property
    def answered(self) -> int:
        return self._acknowledged - self._first

    def prepare(self) -> bytearray:
        """The next frame, confirming what has been received, valid until the next but one."""
        frame, numbers, step = self._frames[self._turn]
        numbers += step
        TOKEN.pack_into(frame, TOKEN_AT, self.received & 0xFFFFFFFF)
        self.confirmed = self.received
        self._turn = (self._turn + 1) % len(self._frames)
        return frame

    def send(self) -> None:
        """Send the next frame. Raises zmq.Again after 20 s of a full queue."""
        self.socket.send(self.prepare())

    def receive(self, flags: int = 0) -> int:
        """One frame; returns how many commands it answers, 0 for a heartbeat. Raises zmq.Again, LoadError."""
        data = self.read(flags)
        if data[0] == FrameType.EVENTS:
            kinds = data[_KINDS_AT::_EVENT_BYTES]
            if kinds.translate(None, self._wanted):
                raise LoadError(f"session {self.name} got {_first_unwanted(data, kinds, self._wanted)}")
            self.trades += kinds.count(EventKind.TRADE)
            before = self._acknowledged
            self._acknowledged = _ACKNOWLEDGED.unpack_from(data, _ACKNOWLEDGED_AT)[0]
            self.confirm()
            return self._acknowledged - before
        if data[0] != FrameType.HEARTBEAT:
            raise self.unexpected(wire.split(data))
        return 0


class Maker(Line):
    """The firm on the other side of `fill`: one resting order that is never used up, and a count of its trades."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], target: Target) -> None:
        super().__init__(context, target)
        self.trades = 0
        order = commands(1)
        order["kind"], order["side"], order["order_type"] = CommandKind.NEW_ORDER, Side.SELL, OrderType.LIMIT
        order["time_in_force"], order["instrument"] = TimeInForce.DAY, 1
        order["price"], order["quantity"], order["client_order_id"] = FILL_PRICE, MOST_LOTS, self.number + 1
        self.socket.send(wire.pack_commands(order, self.received))
        while (data := self.read())[0] != FrameType.EVENTS:
            pass
        if data[_KINDS_AT] != EventKind.ACCEPTED:
            raise LoadError(f"the maker got {_first_unwanted(data, data[_KINDS_AT::_EVENT_BYTES], _WANTED['fill'])}")

    def receive(self, flags: int = 0) -> int:
        """One frame; returns the trades in it. Raises zmq.Again, LoadError."""
        data = self.read(flags)
        found = data[_KINDS_AT::_EVENT_BYTES].count(EventKind.TRADE) if data[0] == FrameType.EVENTS else 0
        self.trades += found
        self.confirm()
        return found

    def drain(self) -> None:
        """Everything that has arrived."""
        try:
            while True:
                self.receive(zmq.NOBLOCK)
        except zmq.Again:
            pass

    def expect(self, trades: int) -> None:
        """Wait until there are as many. Raises LoadError."""
        while self.trades < trades:
            self.receive()
        if self.trades != trades:
            raise LoadError(f"the maker was told of {self.trades} trades, not {trades}")


def _templates(last: int, batch: int, flow: Flow) -> list[tuple[bytearray, NDArray[np.int64], NDArray[np.int64]]]:
    """Frames that are sent in turn: the bytes, their numbers (and targets) as a view, and what to add before a use."""
    frames = 2 if flow == "ack" and batch == 1 else 1
    made = commands(frames * batch)
    made["order_type"], made["instrument"], made["side"], made["quantity"] = OrderType.LIMIT, 1, Side.BUY, 1
    made["kind"], made["client_order_id"] = CommandKind.NEW_ORDER, np.arange(len(made)) + last + 1
    if flow == "fill":
        made["price"], made["time_in_force"] = FILL_PRICE, TimeInForce.IOC
    else:
        made["price"], made["time_in_force"] = PRICE, TimeInForce.DAY
        leave = made[1::2]
        for name in ("order_type", "instrument", "side", "quantity", "price", "time_in_force"):
            leave[name] = 0
        leave["kind"], leave["flags"] = CommandKind.CANCEL_ORDER, int(OrderFlag.BY_CLIENT_ID)
        leave["target"] = leave["client_order_id"] - 1
    found = []
    for at in range(0, len(made), batch):
        frame = bytearray(wire.pack_commands(made[at : at + batch]))
        words: NDArray[np.int64] = np.frombuffer(frame, np.int64, offset=wire.HEADER.size).reshape(batch, _WORDS)
        step = np.zeros((batch, 2), np.int64)
        step[:, 0] = len(made)
        view = words[:, _NUMBER_WORD : _TARGET_WORD + 1]
        step[:, 1] = np.where(view[:, 1] > 0, len(made), 0)
        view -= step  # the first use adds it back
        found.append((frame, view, step))
    return found


def _first_unwanted(data: bytes, kinds: bytes, wanted: bytes) -> str:
    at = next(index for index, kind in enumerate(kinds) if kind not in wanted)
    _, records = wire.unpack_events(wire.split(data))
    record = records[at]
    return f"{EventKind(int(record['kind'])).name} ({Reason(int(record['reason'])).name})"


def closed_loop(session: Session, count: int, maker: Maker | None = None) -> tuple[list[int], list[int]]:
    """Nanoseconds of `count` round trips of one frame each, one at a time, after a tenth as many to warm up.

    From the moment at which the frame is handed to ZeroMQ until ZeroMQ has handed over the last one that answers it, as
    with the bare echo: what this client does to make and check them is not the gateway's.
    Returns (until the sender had every event, until the maker had its trades; the second is empty without a maker).
    """
    taken: list[int] = []
    told: list[int] = []
    warm = max(1, count // 10)
    for number in range(-warm, count):
        frame = session.prepare()
        begun = time.perf_counter_ns()
        session.socket.send(frame)
        waiting = session.batch
        while waiting:
            waiting -= session.receive()
        if number >= 0:
            taken.append(session.arrived - begun)
        if maker is not None:
            maker.expect(maker.trades + session.batch)
            if number >= 0:
                told.append(max(maker.arrived, session.arrived) - begun)
    return taken, told


class Sends(Protocol):
    """What `throughput` drives: a session of the gateway, or of the bare echo beside it."""

    socket: zmq.Socket[bytes]
    batch: int

    @property
    def answered(self) -> int: ...

    def send(self) -> None: ...

    def receive(self) -> int: ...


def throughput(sessions: Sequence[Sends], window: int, seconds: float) -> tuple[int, float]:
    """(commands answered, seconds): every session keeps `window` frames on their way. Raises LoadError."""
    poller = zmq.Poller()
    by_socket = {session.socket: session for session in sessions}
    for session in sessions:
        poller.register(session.socket, zmq.POLLIN)
    begun = time.perf_counter()
    waiting = {}
    for session in sessions:
        for _ in range(window):
            session.send()
        waiting[session.socket] = window * session.batch
    end = begun + seconds
    while any(waiting.values()):
        ready = poller.poll(TIMEOUT_MS)
        if not ready:
            raise LoadError(f"{sum(waiting.values())} commands were not answered within {TIMEOUT_MS // 1_000} s")
        for socket, _ in ready:
            session = by_socket[socket]
            waiting[socket] -= _take(session)
            while time.perf_counter() < end and waiting[socket] <= (window - 1) * session.batch:
                session.send()
                waiting[socket] += session.batch
    return sum(session.answered for session in sessions), time.perf_counter() - begun


def _take(session: Sends) -> int:
    """Everything that has arrived for a session, at least a frame; returns the number of commands answered."""
    found = session.receive()
    while cast("int", session.socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
        found += session.receive()
    return found
