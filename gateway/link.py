"""A client's connection: logon, heartbeats, the gapless event stream, reconnection with safe resend.

The stream's rule: a frame whose `previous` is the last event we have goes on; a later one means a gap, and RESUME
brings the original records. After a reconnection the logon answer says which numbers the venue has consumed: events of
those come by resume, commands above are sent again with the same numbers. So nothing is done twice and nothing missed.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Final, NamedTuple

import numpy as np
import zmq

from engine.schema import EVENT, CommandArray, EventArray, EventFlag, EventKind, Reason
from gateway import wire
from gateway.errors import Disconnected, rejected
from gateway.security import KeyPair
from gateway.wire import FrameType

LOGON_WAIT: Final = 2.0
"""Seconds until an unanswered logon is tried on a new connection."""
STALLED: Final = 0.3
"""Seconds of neither sending nor hearing after which the connection counts as lost."""
CONFIRM_BYTES: Final = 256 * 1024
MISSED_HEARTBEATS: Final = 2.5
_AGAIN: Final = (Reason.NOT_LOGGED_ON, Reason.SLOW_CONSUMER)
"""Session rejects after which a new logon helps."""


class Credentials(NamedTuple):
    """Who connects: a CURVE pair and the server's key for tcp, a session name for the local socket."""

    session: str = ""
    keys: KeyPair | None = None
    server_key: bytes = b""


class Answer(NamedTuple):
    """What came for a token: the frame, or the reject."""

    frame: wire.Frame
    reject: wire.SessionReject | None


class Link:
    """One session's connection; everything happens inside `pump`, nothing in the background.

    Attributes:
        answer: the last logon answer; None before the first.
        last_event: the stream has been received up to here.
        last_number: the last client_order_id used.
        acknowledged: every number up to here has been consumed by the venue.
        received: event records not yet taken.
    """

    def __init__(
        self, endpoint: str, who: Credentials, heartbeat_ms: int, policy: int, name: str, reconnect_timeout: float
    ) -> None:
        self.endpoint = endpoint
        self.answer: wire.LogonAnswer | None = None
        self.last_event = 0
        self.last_number = 0
        self.acknowledged = 0
        self.received: list[EventArray] = []
        self._who = who
        self._logon = wire.Logon(who.session, heartbeat_ms, policy, name)
        self._reconnect_timeout = reconnect_timeout
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket: zmq.Socket[bytes] | None = None
        self._up = False
        self._down_since = time.monotonic()
        self._logon_sent = self._opened_at = 0.0
        self._heard = self._said = 0.0
        self._received_bytes = self._confirmed_bytes = 0
        self._resuming = False
        self._unacknowledged: deque[CommandArray] = deque()
        self._answers: dict[int, Answer] = {}
        self._questions: dict[int, bytes] = {}
        """Queries that wait for their answers, by token: asked again after a reconnection, for they change nothing."""
        self._token = 0
        self._told_time = self._told_at = self._last_time = 0

    # --- connection -----------------------------------------------------------------------------------------------

    @property
    def up(self) -> bool:
        """Logged on and heard of lately."""
        return self._up

    @property
    def socket(self) -> zmq.Socket[bytes] | None:
        return self._socket

    @property
    def journal_time(self) -> int:
        """Journal time, counted on from what the venue said last; stands still while there is no connection."""
        if self._up and self.answer is not None:
            passed = (time.monotonic_ns() - self._told_at) * self.answer.clock_rate
            self._last_time = max(self._last_time, self._told_time + passed)
        return self._last_time

    def _tell_time(self, journal_time: int) -> None:
        self._told_time, self._told_at = journal_time, time.monotonic_ns()

    def connect(self, timeout: float) -> None:
        """Log on. Raises Disconnected, Rejected."""
        deadline = time.monotonic() + timeout
        while not self._up:
            if time.monotonic() > deadline:
                raise Disconnected(
                    f"no answer from {self.endpoint} in {timeout:g} s; is the server running, is this key registered"
                    " there, is server.pub the server's?"
                )
            self.pump(0.05)

    def _open(self) -> None:
        if self._socket is not None:
            self._socket.close(0)
        opened = self._context.socket(zmq.DEALER)
        opened.linger = 0
        opened.setsockopt(zmq.IMMEDIATE, 1)
        opened.setsockopt(zmq.SNDHWM, 2_000)
        opened.setsockopt(zmq.RCVHWM, 100_000)
        opened.setsockopt(zmq.MAXMSGSIZE, wire.MAX_MESSAGE)
        if self._who.keys is not None:
            opened.curve_publickey, opened.curve_secretkey = self._who.keys.public, self._who.keys.secret
            opened.curve_serverkey = self._who.server_key
        opened.connect(self.endpoint)
        self._socket = opened
        self._logon_sent = 0.0
        self._opened_at = time.monotonic()

    def _go_down(self) -> None:
        if self._up:
            self._up = False
            self._down_since = time.monotonic()
        if self._socket is not None:
            self._socket.close(0)
            self._socket = None

    def _stay_connected(self, now: float) -> None:
        """Open, log on, notice silence; one step per call, never blocking."""
        if self._up:
            assert self.answer is not None
            beat = self.answer.heartbeat_ms / 1_000
            if now - self._heard > MISSED_HEARTBEATS * beat:
                self._go_down()
            elif self._unacknowledged and now - max(self._heard, self._said) > STALLED:
                self._confirm()  # asks, in effect, whether the venue still knows us
            elif now - self._said > beat or self._received_bytes - self._confirmed_bytes > CONFIRM_BYTES:
                self._confirm()
            return
        if now - self._down_since > self._reconnect_timeout:
            raise Disconnected(f"{self.endpoint}: no connection for {self._reconnect_timeout:g} s")
        if self._socket is None or now - self._opened_at > LOGON_WAIT:
            self._open()
        if not self._logon_sent and self._send(wire.pack(FrameType.LOGON, self._logon)):
            self._logon_sent = now

    def _confirm(self) -> None:
        if self._send(wire.pack(FrameType.HEARTBEAT, wire.Heartbeat(), self._received_bytes)):
            self._confirmed_bytes = self._received_bytes

    def close(self, logout: bool) -> None:
        """End the connection; with `logout` the venue carries out the disconnect policy at once."""
        if logout and self._up and self._socket is not None:
            self._socket.linger = 500
            self._send(wire.pack(FrameType.LOGOUT, wire.Logout()))
            deadline = time.monotonic() + 2
            while self._up and time.monotonic() < deadline:
                self.pump(0.05)
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._up = False
        self._context.term()

    # --- sending --------------------------------------------------------------------------------------------------

    def _send(self, frame: bytes) -> bool:
        if self._socket is None:
            return False
        try:
            self._socket.send(frame, zmq.NOBLOCK)
        except zmq.Again:
            return False
        self._said = time.monotonic()
        return True

    def next_numbers(self, count: int) -> int:
        """Reserve `count` numbers; returns the first."""
        first = self.last_number + 1
        self.last_number += count
        return first

    def submit(self, batch: CommandArray) -> None:
        """Send commands (dtype COMMAND, numbers set and ascending); kept until acknowledged, sent again if need be."""
        for start in range(0, len(batch), wire.MAX_RECORDS):
            part = batch[start : start + wire.MAX_RECORDS]
            self._unacknowledged.append(part)
            if self._up:
                self._send_commands(part)

    def _send_commands(self, part: CommandArray) -> None:
        frame = wire.pack_commands(part, self._received_bytes)
        begun = time.monotonic()
        while self._up and not self._send(frame):
            self.pump(0.01)
            if time.monotonic() - max(begun, self._heard) > STALLED:
                self._go_down()
        self._confirmed_bytes = self._received_bytes

    def ask(self, frame_type: FrameType, message: wire.Message) -> int:
        """Send a request, waiting for the connection; its answer comes under the returned token."""
        while not (token := self.try_ask(frame_type, message)):
            self.pump(0.01)
        return token

    def try_ask(self, frame_type: FrameType, message: wire.Message) -> int:
        """Send a request without waiting; returns its token, 0 when it cannot be sent now."""
        token = self._token % 0xFFFFFFFF + 1
        frame = wire.pack(frame_type, message, token)
        if not (self._up and self._send(frame)):
            return 0
        self._token = token
        if frame_type == FrameType.QUERY:
            self._questions[token] = frame
        return token

    def take_answer(self, token: int) -> Answer | None:
        found = self._answers.pop(token, None)
        if found is not None:
            self.forget(token)
        return found

    def forget(self, token: int) -> None:
        """Nobody waits for this answer any more."""
        self._questions.pop(token, None)

    # --- receiving ------------------------------------------------------------------------------------------------

    def pump(self, timeout: float = 0.0) -> None:
        """Handle what has arrived, waiting up to `timeout` seconds for the first frame; keeps the connection alive.

        Raises Disconnected, and Rejected when the venue ends or refuses the session.
        """
        self._stay_connected(time.monotonic())
        if self._socket is None:
            time.sleep(min(timeout, 0.01))
            return
        opened = self._socket
        if not opened.poll(int(timeout * 1_000)):
            return
        for _ in range(1_000):
            if self._socket is not opened:
                return
            try:
                data = opened.recv(zmq.NOBLOCK)
            except zmq.Again:
                break
            self._heard = time.monotonic()
            self._received_bytes += len(data)
            self._handle(wire.split(data))
        if self._up and self._received_bytes - self._confirmed_bytes > CONFIRM_BYTES:
            self._confirm()

    def _handle(self, frame: wire.Frame) -> None:
        match frame.type:
            case FrameType.EVENTS:
                self._events(frame)
            case FrameType.DUPLICATES:
                self._duplicates(frame)
            case FrameType.HEARTBEAT:
                self._heartbeat(wire.unpack(frame, wire.Heartbeat))
            case FrameType.LOGON_ANSWER:
                self._logged_on(frame)
            case FrameType.RESUMED:
                self._resumed(wire.unpack(frame, wire.Resumed))
            case FrameType.SESSION_REJECT:
                self._rejected(frame, wire.unpack(frame, wire.SessionReject))
            case FrameType.LOGGED_OUT:
                self._go_down()
            case FrameType.ANSWER:
                self._answers[frame.token] = Answer(frame, None)

    def _events(self, frame: wire.Frame) -> None:
        (previous, first, last, acknowledged), records = wire.unpack_events(frame)
        if previous > self.last_event:
            self._resume()
            return
        if first <= self.last_event:
            records = records[records["sequence"] > self.last_event]
        if len(records):
            self.received.append(records)
            self.last_event = last
        self._acknowledge(acknowledged)

    def _acknowledge(self, number: int) -> None:
        self.acknowledged = max(self.acknowledged, number)
        waiting = self._unacknowledged
        while waiting and int(waiting[0]["client_order_id"][-1]) <= self.acknowledged:
            waiting.popleft()

    def _duplicates(self, frame: wire.Frame) -> None:
        """The stream has or will have the originals; only the refusals (sequence 0) are news."""
        (_, _, _, acknowledged), records = wire.unpack_events(frame)
        refusals = records[(records["flags"] & int(EventFlag.STALE_ID | EventFlag.DUPLICATE_MISMATCH)) != 0]
        if len(refusals):
            self.received.append(refusals)
        self._acknowledge(acknowledged)

    def _heartbeat(self, beat: wire.Heartbeat) -> None:
        if self.answer is not None and beat.epoch != self.answer.epoch:
            self._go_down()
            return
        self._tell_time(beat.journal_time)
        if beat.last_event > self.last_event:
            self._resume()

    def _resume(self) -> None:
        if not self._resuming:
            self._resuming = self._send(wire.pack(FrameType.RESUME, wire.Resume(self.last_event)))

    def _resumed(self, resumed: wire.Resumed) -> None:
        self._resuming = False
        self.last_event = max(self.last_event, resumed.last)
        if not resumed.complete:
            self._resume()

    def _logged_on(self, frame: wire.Frame) -> None:
        answer = wire.unpack(frame, wire.LogonAnswer)
        first_time = self.answer is None
        self.answer, self._up, self._resuming = answer, True, False
        self._tell_time(answer.journal_time)
        self._received_bytes, self._confirmed_bytes = wire.HEADER.size + len(frame.body), 0
        self.last_number = max(self.last_number, answer.last_client_order_id)
        if first_time and self.last_event == 0:
            # A program that starts anew begins with what happens from now on; `resume_from` asks for more.
            self.last_event = answer.last_event
        elif self.last_event < answer.last_event:
            self._resume()
        self._acknowledge(answer.last_client_order_id)
        for part in list(self._unacknowledged):
            unseen = part[part["client_order_id"] > answer.last_client_order_id]
            if len(unseen):
                self._send_commands(unseen)
        for question in self._questions.values():
            self._send(question)

    def resume_from(self, after: int) -> None:
        """Go back: receive every event with a sequence above `after` (once more)."""
        self.last_event = after
        self._resuming = False
        self._resume()

    @property
    def resuming(self) -> bool:
        return self._resuming

    def _rejected(self, frame: wire.Frame, reject: wire.SessionReject) -> None:
        reason = Reason(reject.reason)
        if reason in _AGAIN:
            if self._up:
                self._go_down()
        elif frame.token:
            self._answers[frame.token] = Answer(frame, reject)
        elif reason is Reason.THROTTLED and not reject.count:
            self._resuming = False  # the next frame or heartbeat asks again
        elif reject.count:
            self._refuse(reject)
        else:
            self._go_down()
            raise rejected(reject.reason, reject.text, retry_ms=reject.retry_ms)

    def _refuse(self, reject: wire.SessionReject) -> None:
        """Commands of a refused frame: they end as REJECTED records with sequence 0."""
        for index, part in enumerate(self._unacknowledged):
            at = np.flatnonzero(part["client_order_id"] == reject.first)
            if len(at):
                refused = part[at[0] : at[0] + reject.count]
                self._unacknowledged[index] = part[: max(1, at[0])]
                if not at[0]:
                    del self._unacknowledged[index]
                self.received.append(_refusals(refused, reject))
                return


def _refusals(part: CommandArray, reject: wire.SessionReject) -> EventArray:
    """REJECTED records for commands that never reached the engine; `remaining` has the wait of a throttled frame."""
    made = np.zeros(len(part), EVENT)
    made["kind"], made["reason"], made["remaining"] = EventKind.REJECTED, reject.reason, reject.retry_ms
    for name in ("side", "instrument", "account", "price", "quantity", "client_order_id"):
        made[name] = part[name]
    made["aux"], made["aux2"] = part["kind"], part["target"]
    return made
