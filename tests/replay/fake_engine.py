"""A cheap engine with real records: thousands of crash lives need one that starts in microseconds."""

from __future__ import annotations

import hashlib

import numpy as np

from engine.core import Engine
from engine.schema import COMMAND, EVENT, CommandArray, CommandKind, EventArray, EventKind
from engine.venue import Venue

VENUE = Venue.preset("plain")


class FakeImplementation:
    """One ACCEPTED per command, and a TRADE for each buy; the state is a hash over all commands."""

    def __init__(self) -> None:
        self.event_sequence = 0
        self.hash = bytes(32)

    def apply(self, commands: CommandArray) -> tuple[int, EventArray]:
        counts = 1 + (commands["side"] == 1)
        events = np.zeros(int(counts.sum()), EVENT)
        owner = np.repeat(np.arange(len(commands)), counts)
        first = np.r_[True, owner[1:] != owner[:-1]] if len(owner) else np.zeros(0, bool)
        events["kind"] = np.where(first, EventKind.ACCEPTED, EventKind.TRADE)
        events["sequence"] = self.event_sequence + 1 + np.arange(len(events))
        for name in ("session", "timestamp", "client_order_id", "price", "quantity"):
            events[name] = commands[name][owner]
        events["command_sequence"] = commands["sequence"][owner]
        self.event_sequence += len(events)
        for row in commands:
            self.hash = hashlib.sha256(self.hash + row.tobytes()).digest()
        return len(commands), events

    def canonical_state(self) -> bytes:
        # The zeros are there because no sector of the journal may look unwritten.
        return self.event_sequence.to_bytes(8, "little") + bytes(1500) + self.hash

    def restore(self, state: bytes) -> None:
        self.event_sequence = int.from_bytes(state[:8], "little")
        self.hash = state[-32:]

    def last_client_order_id(self, session: int) -> int:
        return 0


def fake_engine(venue: Venue, state: bytes | None = None) -> Engine:
    """An EngineFactory for `recover` and `verify`."""
    engine = Engine.__new__(Engine)
    engine.venue = venue
    engine.implementation = "reference"
    engine._impl = FakeImplementation()
    if state is not None:
        engine._impl.restore(state)
    return engine


def make_commands(first: int, count: int, salt: int = 0) -> CommandArray:
    """New orders with sequences from `first` on; real engines accept them too (venue `plain`)."""
    commands = np.zeros(count, COMMAND)
    number = np.arange(first, first + count)
    commands["kind"] = CommandKind.NEW_ORDER
    commands["side"] = 1 + (number + salt) % 2
    commands["order_type"] = 1
    commands["time_in_force"] = 1
    commands["instrument"] = 1
    commands["account"] = 1 + salt % 1000
    commands["price"] = 5000 + (number * 7 + salt) % 20
    commands["quantity"] = 1 + (number + salt) % 50
    commands["client_order_id"] = number
    commands["session"] = 0
    commands["sequence"] = number
    commands["timestamp"] = number * 1000
    return commands
