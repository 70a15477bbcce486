"""A bare socket with keys, for frames that the client SDK would never send, and for strangers at the door."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import zmq
from zmq.utils.monitor import recv_monitor_message

from engine.schema import CommandArray, EventArray, Reason
from gateway import wire
from gateway.security import KeyPair, read_secret, read_server_public
from gateway.wire import FrameType

PATIENCE: Final = 20.0


class Unexpected(Exception):
    """The server answered something else, or nothing."""


class RawSession:
    """A DEALER that sends exactly the bytes it is told to.

    Args:
        secret: the secret key file of a session.
        server: the server's public key file.
    """

    def __init__(self, endpoint: str, secret: Path, server: Path) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = _dealer(self._context, endpoint, read_secret(secret), read_server_public(server))

    def send(self, frame: bytes) -> None:
        self._socket.send(frame)

    def logon(self, session: str = "", heartbeat_ms: int = 30_000) -> wire.LogonAnswer:
        """Log on and wait for the answer. The long heartbeat spares the caller from sending any."""
        self.send(wire.pack(FrameType.LOGON, wire.Logon(session, heartbeat_ms)))
        return wire.unpack(self.expect(FrameType.LOGON_ANSWER), wire.LogonAnswer)

    def commands(self, batch: CommandArray) -> None:
        self.send(wire.pack_commands(batch))

    def receive(self, timeout: float = PATIENCE) -> wire.Frame:
        """The next frame. Raises Unexpected when none comes."""
        if not self._socket.poll(int(timeout * 1_000)):
            raise Unexpected(f"no frame within {timeout:g} s")
        return wire.split(self._socket.recv())

    def expect(self, kind: FrameType) -> wire.Frame:
        """The next frame of a type; heartbeats in between are passed over."""
        while True:
            frame = self.receive()
            if frame.type == kind:
                return frame
            if frame.type != FrameType.HEARTBEAT:
                raise Unexpected(f"{FrameType(frame.type).name} came, not {kind.name}")

    def reject(self) -> Reason:
        """The reason of the next SESSION_REJECT, whatever comes before it."""
        while True:
            frame = self.receive()
            if frame.type == FrameType.SESSION_REJECT:
                return Reason(wire.unpack(frame, wire.SessionReject).reason)

    def records(self, kind: FrameType) -> EventArray:
        """The event records of the next frame of a type."""
        return wire.unpack_events(self.expect(kind))[1]

    def close(self) -> None:
        self._socket.close(0)
        self._context.term()

    def __enter__(self) -> RawSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _dealer(
    context: zmq.Context[zmq.Socket[bytes]],
    endpoint: str,
    keys: KeyPair | None,
    server_key: bytes,
    connect: bool = True,
) -> zmq.Socket[bytes]:
    dealer = context.socket(zmq.DEALER)
    dealer.linger = 0
    if keys is not None:
        dealer.curve_publickey, dealer.curve_secretkey = keys.public, keys.secret
        dealer.curve_serverkey = server_key
    if connect:
        dealer.connect(endpoint)
    return dealer


def stranger(endpoint: str, server: Path, keys: KeyPair | None) -> str:
    """Knock with these keys, or without any: `admitted`, `refused`, or `unanswered` after two seconds."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    dealer = _dealer(context, endpoint, keys, read_server_public(server), connect=False)
    monitor = dealer.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | sum(_REFUSALS))
    try:
        dealer.connect(endpoint)
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            if monitor.poll(50):
                event = recv_monitor_message(monitor)["event"]
                if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                    return "admitted"
                if event in _REFUSALS:
                    return "refused"
        return "unanswered"
    finally:
        # In this order: to end a monitor, libzmq may send it a last event, and waits for ever when nobody is there.
        dealer.disable_monitor()
        monitor.close(0)
        dealer.close(0)
        context.term()


_REFUSALS: Final = (
    zmq.EVENT_HANDSHAKE_FAILED_AUTH,
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL,
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL,
)
