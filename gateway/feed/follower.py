"""The loop of the feed: follow the journal, publish each command's changes, answer snapshot requests, beat.

Only what lies below the journal's watermark is read, so nothing is published that is not durable. Nobody waits for this
process: the server wakes it without asking whether it listens, and what a subscriber does not take is dropped.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Final

import msgspec
import zmq

from gateway.feed.doors import FeedDoors
from gateway.feed.keys import Subscribers
from gateway.feed.market import Market
from gateway.feed.messages import Directory, Heartbeat, Refusal, SnapshotRequest, pack
from gateway.queries import reference_data
from replay.replica import Replica

BEAT_NS: Final = 1_000_000_000
POLL_MS: Final = 50
"""How often the watermark is looked at when nobody wakes us."""
TURN_NS: Final = 50_000_000
"""Longest time that the sockets wait while batches are published."""
REQUESTS_A_TURN: Final = 64
_REQUEST: Final = msgspec.msgpack.Decoder(SnapshotRequest)


class Feed:
    """One venue's market data.

    Args:
        replica: an engine in step with the journal.
        doors: bound sockets.
        wake: endpoint of the server's wake socket.
        subscribers: who may connect; None without tcp.
        is_over: asked every turn; True ends `run`.

    Attributes:
        market: what is public now.
        published: commands carried out by this run since it caught up.
    """

    def __init__(
        self,
        replica: Replica,
        doors: FeedDoors,
        wake: str,
        subscribers: Subscribers | None,
        is_over: Callable[[], bool],
    ) -> None:
        self._replica = replica
        self._doors = doors
        self._subscribers = subscribers
        self._is_over = is_over
        self.market = Market(replica.engine, time.time_ns())
        self._reference = reference_data(replica.engine.venue)
        self._wakes = doors.wakes(wake)
        self._next_beat = 0
        self.published = 0

    def catch_up(self) -> None:
        """Carry out all that is durable, unpublished: snapshots tell it. Raises JournalError."""
        for stretch in self._replica.catch_up():
            self.market.pass_over(stretch.events)
            if self._subscribers is not None:
                for index in stretch.noted():
                    self._subscribers.learn(stretch.batch(index))
        header = self._replica.engine.header()
        self.market.refresh(header.command_sequence, header.timestamp)

    def run(self) -> None:
        """Until `is_over`. Raises JournalError when the journal cannot be followed any more."""
        has_more = False
        while not self._is_over():
            self._wait(0 if has_more else POLL_MS)
            has_more = self._follow()
            self._answer()
            self._tend()

    def _wait(self, timeout: int) -> None:
        poller = zmq.Poller()
        assert self._doors.zap is not None
        for socket in (self._wakes, self._doors.zap.socket, *self._doors.routers):
            poller.register(socket, zmq.POLLIN)
        poller.poll(timeout)
        self._doors.zap.serve()
        with contextlib.suppress(zmq.Again):
            while True:
                self._wakes.recv(zmq.NOBLOCK)

    def _follow(self) -> bool:
        """Publish what has become durable; True when there is more than a turn's time allows."""
        until = time.monotonic_ns() + TURN_NS
        for batch, commands in self._replica.poll():
            for events in commands:
                for number, update in self.market.after(events):
                    self._doors.publish(pack(update, number))
            self.published += batch.command_count
            if self._subscribers is not None:
                self._subscribers.learn(batch)
            if time.monotonic_ns() >= until:
                return True
        return False

    def _answer(self) -> None:
        for router in self._doors.routers:
            for _ in range(REQUESTS_A_TURN):
                try:
                    *way, request = router.recv_multipart(zmq.NOBLOCK)
                except zmq.Again:
                    break
                self._doors.answer(router, [*way, self._found(request)])

    def _found(self, request: bytes) -> bytes:
        """The answer to one request."""
        try:
            asked = _REQUEST.decode(request)
        except msgspec.DecodeError as error:
            return pack(Refusal(0, f"no snapshot request: {error}"))
        if asked.instrument == 0:
            return pack(Directory(asked.token, self.market.epoch, self._reference))
        instruments = self.market.instruments
        if not 1 <= asked.instrument <= len(instruments):
            return pack(Refusal(asked.token, f"no instrument {asked.instrument}: there are 1 to {len(instruments)}"))
        return pack(instruments[asked.instrument - 1].snapshot(asked.token, self.market.epoch), asked.instrument)

    def _tend(self) -> None:
        """Once a second: the heartbeat, and keys that have changed."""
        now = time.monotonic_ns()
        if now < self._next_beat:
            return
        self._next_beat = now + BEAT_NS
        header = self._replica.engine.header()
        beat = Heartbeat(
            self.market.epoch, header.timestamp, self._replica.command, self._replica.behind, self.market.sequences
        )
        self._doors.publish(pack(beat))
        if self._subscribers is not None and self._subscribers.look():
            self._doors.rebind()
