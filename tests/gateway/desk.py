"""A service on a simulated disk, without a network."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import zmq

from engine.core import Engine
from engine.schema import DisconnectPolicy
from engine.venue import Venue
from gateway import wire
from gateway.exchange import Exchange
from gateway.journal import History, Opened
from gateway.service import Service
from gateway.sessions import Port, Registry
from gateway.wire import FrameType
from replay import JournalReader, create, recover
from tests.gateway.builders import limit
from tests.gateway.servers import config
from tests.replay.simulated_storage import Faults, SimulatedStorage

SEGMENT = 16_384
ROUTING_IDS = {"ALPHA": b"\0a", "BETA": b"\0b", "OPS": b"\0o"}


class Socket:
    """Keeps what is sent; asks `before` first."""

    def __init__(self, before: Callable[[wire.Frame], None]) -> None:
        self.frames: list[wire.Frame] = []
        self.to: list[bytes] = []
        self._before = before
        self._to = b""

    def send(self, part: bytes, flags: int = 0) -> None:
        if flags & zmq.SNDMORE:  # the routing id
            self._to = part
            return
        frame = wire.split(part)
        self._before(frame)
        self.frames.append(frame)
        self.to.append(self._to)

    def send_multipart(self, parts: list[bytes], flags: int = 0) -> None:
        self._to = parts[0]
        self.send(parts[1])


class Desk:
    """A service on a simulated disk, with sessions of the firms Alpha and Beta and of an operator."""

    def __init__(self, folder: Path) -> None:
        configuration = config(folder)
        configuration.data_folder.mkdir()
        venue = Venue.preset("plain")
        self.storage = SimulatedStorage(Random(1))
        writer = create(self.storage, venue, segment_bytes=SEGMENT, prepare_step=SEGMENT, clock=lambda: 1)
        opened = Opened(Engine(venue, "reference"), writer, JournalReader(self.storage), True, "", History())
        self.exchange = Exchange(opened, configuration)
        self.service = Service(self.exchange, Registry(1_000_000, 1_000_000, 50), configuration)
        self.socket = Socket(self.require_durable)
        self.port = Port(self.socket, "simulated", local=True)
        self.service.publish(self.exchange.start())
        for message in configuration.opening:
            self.service.publish(*self.exchange.commit_control(message))

    def require_durable(self, frame: wire.Frame) -> None:
        """What a power cut at this moment leaves must hold all that this frame tells of."""
        disk = copy.deepcopy(self.storage)
        disk.start(Faults(keep=0.0))
        disk.cut_power()
        found = recover(disk, "reference", clock=lambda: 1).report
        if not self.exchange.has_begun:
            assert found.commands >= self.exchange.command_sequence, "told of a command that is not durable"
        if frame.type in (FrameType.EVENTS, FrameType.DUPLICATES):
            assert found.events >= int(wire.unpack_events(frame)[1]["sequence"].max()), "an event that is not durable"

    def send(self, name: str, frame: bytes) -> list[wire.Frame]:
        """One frame of a client, carried out; returns the frames that left."""
        already = len(self.socket.frames)
        self.hand_in([(name, frame)])
        self.service.flush()
        return self.socket.frames[already:]

    def hand_in(self, frames: list[tuple[str, bytes]]) -> None:
        """Frames of clients as the loop hands them over: firms' orders gather, everything else is dealt with."""
        for name, data in frames:
            connection = self.port.connections.get(ROUTING_IDS[name])
            if connection is None or connection.cut_at:
                self.service.stranger(self.port, ROUTING_IDS[name], zmq.Frame(data))
            elif len(data) >= wire.HEADER.size and data[0] == FrameType.COMMANDS and name != "OPS":
                self.service.inbox.put(connection.session.number, data)
            else:
                self.service.other(connection.session.number, memoryview(data))

    def log_on(self, name: str) -> list[wire.Frame]:
        logon = wire.Logon(name, policy=int(DisconnectPolicy.CANCEL_ALL))
        return self.send(name, wire.pack(FrameType.LOGON, logon))

    def everybody(self) -> None:
        """Log all three on."""
        for name in ROUTING_IDS:
            assert self.log_on(name)[-1].type == FrameType.LOGON_ANSWER

    def order(self, name: str, number: int, **fields: Any) -> list[wire.Frame]:
        return self.send(name, wire.pack_commands(limit(number, **fields)))

    def control(self, message: Any, number: int) -> list[wire.Frame]:
        return self.send("OPS", wire.pack(FrameType.CONTROL, wire.ControlRequest(number, message)))


def order_pair(number: int) -> list[tuple[str, bytes]]:
    return [(name, wire.pack_commands(limit(number, side=side))) for name, side in (("ALPHA", 1), ("BETA", 2))]
