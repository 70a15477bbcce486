"""Sending at a fixed rate, come what may: latency counts from the moment a frame was due, not from its sending.

A client that waits for an answer before it sends again stops asking while the server stalls, and so leaves out of its
figures exactly what the stall did to everybody (coordinated omission). Here the due moments are fixed before the run.
Who comes late with a frame, the sender included, has its delay counted in that frame's latency.
"""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np
import zmq
from numpy.typing import NDArray

from benchmarks.gateway_load import LoadError, Maker, Session

Nanoseconds = NDArray[np.int64]
LEAD_NS: Final = 2_000_000
"""From the start of a run to the first due moment."""
BURST: Final = 64
"""Most frames sent without looking for answers, when the sender is behind."""
LOOK_NS: Final = 50_000_000
"""Longest sleep."""
MOST_WAITING: Final = 20_000
SILENCE_NS: Final = 20_000_000_000
"""Without any answer for so long a run is given up."""


class Arrival(NamedTuple):
    """Commands answered on one channel, and the moment."""

    channel: int
    commands: int
    at: int


class Wire(Protocol):
    """What a run sends and receives through, with its clock: sockets, or a simulation in tests."""

    def now(self) -> int:
        """Monotonic nanoseconds."""

    def send(self, channel: int) -> None:
        """Send the channel's next frame."""

    def arrivals(self, wait: int) -> Iterator[Arrival]:
        """What has arrived, after sleeping up to `wait` nanoseconds when nothing has."""


@dataclass(frozen=True)
class Schedule:
    """`count` frames, the n-th due n x `interval` nanoseconds after the first, on the channels in turn.

    `batch`: commands a frame. `most_waiting`: a run that has more frames unanswered is overrun and ends.
    """

    interval: float
    count: int
    channels: int
    batch: int = 1
    most_waiting: int = MOST_WAITING
    grace: int = 2_000_000_000
    """Nanoseconds after the last due moment in which the answers must have come."""

    @classmethod
    def at_rate(
        cls,
        rate: float,
        seconds: float,
        channels: int,
        batch: int = 1,
        grace: float = 2.0,
        most_waiting: int = MOST_WAITING,
    ) -> Schedule:
        """Of `rate` commands a second for `seconds`, with `grace` seconds for the last answers."""
        count = max(1, round(rate * seconds / batch))
        return cls(1e9 * batch / rate, count, channels, batch, most_waiting, round(grace * 1e9))

    def due(self, frame: int) -> int:
        return int(frame * self.interval)


@dataclass(frozen=True)
class Outcome:
    """A run.

    Attributes:
        latency: ns by answered frame, from its due moment to its last event, in the order of the answers. In an
            overrun every unanswered frame stands at the end with its age, which is less than its latency.
        answered_at: ns from the first due moment, by answered frame.
        late: ns that each frame was sent after its due moment: the sender's own share.
        overrun: the answers did not keep up and the run was ended.
    """

    schedule: Schedule
    latency: Nanoseconds
    answered_at: Nanoseconds
    late: Nanoseconds
    begun: int
    overrun: bool

    @property
    def offered(self) -> float:
        """Commands a second that were due."""
        return 1e9 * self.schedule.batch / self.schedule.interval

    @property
    def achieved(self) -> float:
        """Commands a second that were answered, up to the last answer."""
        if not len(self.answered_at):
            return 0.0
        # The last frame's own interval belongs to the time, so that a run that keeps up achieves what was offered.
        span = max(self.answered_at[-1], self.schedule.due(len(self.answered_at)))
        return float(len(self.answered_at) * self.schedule.batch * 1e9 / span)

    @property
    def seconds(self) -> float:
        """Up to the last due moment."""
        return self.schedule.due(self.schedule.count - 1) / 1e9

    @property
    def behind(self) -> float:
        """Seconds from the last due moment to the last answer; at least 0."""
        return max(0.0, int(self.answered_at[-1]) / 1e9 - self.seconds) if len(self.answered_at) else 0.0


def drive(wire: Wire, schedule: Schedule) -> Outcome:
    """Carry out a schedule. Raises LoadError when nothing at all is answered for 20 s."""
    waiting: list[deque[list[int]]] = [deque() for _ in range(schedule.channels)]
    latency, answered_at = np.zeros(schedule.count, np.int64), np.zeros(schedule.count, np.int64)
    late = np.zeros(schedule.count, np.int64)
    begun = heard = wire.now() + LEAD_NS
    end = begun + schedule.due(schedule.count) + schedule.grace
    sent = done = 0
    overrun = False
    while done < schedule.count and not overrun:
        now = wire.now()
        for _ in range(BURST):
            due = begun + schedule.due(sent)
            if sent >= schedule.count or due > now:
                break
            channel = sent % schedule.channels
            late[sent] = now - due
            waiting[channel].append([due, schedule.batch])
            wire.send(channel)
            sent += 1
            now = wire.now()
        left = begun + schedule.due(sent) - now if sent < schedule.count else LOOK_NS
        for channel, commands, at in wire.arrivals(min(max(0, left), LOOK_NS)):
            heard = at
            done = _settle(waiting[channel], commands, at, begun, latency, answered_at, done)
        now = wire.now()
        overrun = sent - done > schedule.most_waiting or now > end
        if sent > done and now - heard > SILENCE_NS:
            raise LoadError(f"{sent - done} frames are without an answer, and none came for {SILENCE_NS // 10**9} s")
    ages = [now - frame[0] for frames in waiting for frame in frames]
    latency[done : done + len(ages)] = ages
    return Outcome(schedule, latency[: done + len(ages)], answered_at[:done], late[:sent], begun, overrun)


def _settle(
    frames: deque[list[int]],
    commands: int,
    at: int,
    begun: int,
    latency: Nanoseconds,
    answered_at: Nanoseconds,
    done: int,
) -> int:
    """Take `commands` answers off a channel's oldest frames; returns the new count of frames answered whole."""
    while commands:
        if not frames:
            raise LoadError(f"{commands} answers too many")
        frame = frames[0]
        taken = min(commands, frame[1])
        frame[1] -= taken
        commands -= taken
        if not frame[1]:
            latency[done], answered_at[done] = at - frame[0], at - begun
            frames.popleft()
            done += 1
    return done


class Sockets:
    """Sessions as a `Wire`; a maker's trades are taken off on the way."""

    def __init__(self, sessions: list[Session], maker: Maker | None = None) -> None:
        self._sessions = sessions
        self._maker = maker
        self._poller = zmq.Poller()
        self._channel = {session.socket: number for number, session in enumerate(sessions)}
        sockets = [session.socket for session in sessions] + ([maker.socket] if maker else [])
        for socket in sockets:
            self._poller.register(socket, zmq.POLLIN)
        self._handles = [socket.fileno() for socket in sockets]

    def now(self) -> int:
        return time.perf_counter_ns()

    def send(self, channel: int) -> None:
        self._sessions[channel].send()

    def arrivals(self, wait: int) -> Iterator[Arrival]:
        ready = self._poller.poll(0)
        if not ready and wait > 0:
            # ZeroMQ sleeps in whole milliseconds, which is too coarse here.
            select.select(self._handles, [], [], wait / 1e9)
            ready = self._poller.poll(0)
        for socket, _ in ready:
            channel = self._channel.get(socket)
            if channel is None:
                assert self._maker is not None
                self._maker.drain()
                continue
            session = self._sessions[channel]
            try:
                for _ in range(BURST):  # then what is due comes first again
                    commands = session.receive(zmq.NOBLOCK)
                    if commands:
                        yield Arrival(channel, commands, time.perf_counter_ns())
            except zmq.Again:
                continue
