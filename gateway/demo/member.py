"""One session of a client process, with a log on disk of all it sent and received."""

from __future__ import annotations

import time
from collections import deque
from typing import Any, Final

import numpy as np

from engine.schema import COMMAND, EVENT, CommandArray, DisconnectPolicy, EventArray
from gateway.client import Client
from gateway.demo.plan import Plan

OUTAGE: Final = 120.0
"""Seconds that a session tries to come back before it gives up."""
WAIT: Final = 60.0
"""Seconds to wait for an answer: long enough to see a killed server come back."""


class ResumeDiffers(Exception):
    """The records received again are not those received first."""


class Member:
    """A client with its logs: `commands` is written before sending, `events` when received.

    Args:
        endpoint: of the server.
        again: a process that held this session was killed: carry on from its logs.

    Attributes:
        sent: commands sent under this session, the killed process's included.
        latencies: microseconds from sending a frame to seeing its acknowledgement, for frames without a reconnection.
        replayed: the records received again after a killed process, else empty.
        sent_again: commands sent again after reconnections; `found_done`: those that the venue had carried out
            although no answer had come.
    """

    def __init__(
        self,
        plan: Plan,
        session: str,
        endpoint: str,
        policy: DisconnectPolicy = DisconnectPolicy.KEEP,
        again: bool = False,
    ) -> None:
        self.session = session
        self.sent = 0
        self.latencies: list[int] = []
        self.logons = 1
        self.sent_again = self.found_done = self.refused = 0
        self.replayed: EventArray = np.zeros(0, EVENT)
        self._waiting: deque[tuple[int, int]] = deque()
        commands, events = plan.log(session, "commands"), plan.log(session, "events")
        logged = np.fromfile(commands, COMMAND) if again else np.zeros(0, COMMAND)
        received = events.read_bytes() if again else b""
        # Unbuffered: what has been written is there whatever happens to this process.
        self._commands = commands.open("ab", buffering=0)
        self._events = events.open("ab", buffering=0)
        self.client = Client(
            endpoint,
            secret=plan.secret(session),
            server=plan.server_key,
            policy=policy,
            timeout=10.0,
            reconnect_timeout=OUTAGE,
            name=f"demo {session}",
        )
        self._logon = self.client.logon
        self._acknowledged = self.client.acknowledged
        if again:
            self._carry_on(logged, received)

    # --- after a killed process -----------------------------------------------------------------------------------

    def _carry_on(self, logged: CommandArray, received: bytes) -> None:
        """Receive the whole stream again, compare it with the log, send what the venue never got."""
        reach = self.client.logon.last_event
        # What has come since the logon comes once more with the rest.
        self.client.poll(0)
        self.client.resume(0)
        parts = [self.client.poll(0.05)]
        deadline = time.monotonic() + WAIT
        while self.client.last_event < reach:
            if time.monotonic() > deadline:
                raise ResumeDiffers(f"{self.session}: the stream ends at {self.client.last_event}, not at {reach}")
            parts.append(self.client.poll(0.05))
        self.replayed = np.concatenate(parts)
        whole = len(received) - len(received) % EVENT.itemsize
        again = self.replayed.tobytes()
        if again[:whole] != received[:whole]:
            raise ResumeDiffers(f"{self.session}: the records received again are not those received first")
        # The killed process may have left half a record behind.
        self._events.truncate(whole)
        self._events.write(again[whole:])
        self.sent = len(logged)
        unseen = logged[logged["client_order_id"] > self.client.last_client_order_id]
        if len(unseen):
            # The numbers follow on from the venue's last one, so these are the numbers of the first time.
            first = self.client.submit(unseen)
            assert first == int(unseen["client_order_id"][0])
        self.sent_again += len(unseen)

    # --- sending and receiving ------------------------------------------------------------------------------------

    def send(self, commands: CommandArray) -> int:
        """Log and send commands; returns the first one's number."""
        first = self.client.last_client_order_id + 1
        commands["client_order_id"] = np.arange(first, first + len(commands))
        self._commands.write(commands.tobytes())
        self.sent += len(commands)
        self._waiting.append((first + len(commands) - 1, time.perf_counter_ns()))
        self.client.submit(commands)
        return first

    def poll(self, timeout: float = 0.0) -> EventArray:
        """Events that have come, logged; refusals by the throttle (sequence 0) are counted and left out."""
        records = self.client.poll(timeout)
        self._look_at_connection()
        self._measure()
        real = records["sequence"] > 0
        if not real.all():
            self.refused += int((~real).sum())
            records = records[real]
        if len(records):
            self._events.write(records.tobytes())
        return records

    def _look_at_connection(self) -> None:
        logon = self.client.logon
        if logon is not self._logon:
            self._logon = logon
            self.logons += 1
            self.sent_again += max(0, self.client.last_client_order_id - logon.last_client_order_id)
            self.found_done += max(0, logon.last_client_order_id - self._acknowledged)
            self._waiting.clear()
        self._acknowledged = self.client.acknowledged

    def _measure(self) -> None:
        waiting, acknowledged = self._waiting, self._acknowledged
        if waiting and waiting[0][0] <= acknowledged:
            now = time.perf_counter_ns()
            while waiting and waiting[0][0] <= acknowledged:
                self.latencies.append((now - waiting.popleft()[1]) // 1_000)

    @property
    def unanswered_frames(self) -> int:
        return len(self._waiting)

    @property
    def all_answered(self) -> bool:
        return self.client.acknowledged >= self.client.last_client_order_id

    def now(self) -> int:
        """The exchange's time."""
        return self.client.journal_time

    def close(self) -> None:
        self.client.close()
        self._commands.close()
        self._events.close()

    def final(self) -> dict[str, Any]:
        """What the conductor is told at the end."""
        return {
            "sent": self.sent,
            "logons": self.logons,
            "refused": self.refused,
            "sent_again": self.sent_again,
            "found_done": self.found_done,
        }


def hear_out(members: list[Member], seconds: float = 1.5) -> None:
    """Receive until nothing can be missing: longer than a heartbeat, which tells what the last event is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for member in members:
            member.poll(0.01)
