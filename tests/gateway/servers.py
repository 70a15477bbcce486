"""Servers for tests: in a process of their own or in a thread, always stopped by the process id and in bounded time."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import zmq

from engine.control import MoveCash, MoveUnits, OpenAccount, OpenFirm, OpenSession
from engine.schema import Role
from gateway import wire
from gateway.client import Client
from gateway.config import Config
from gateway.wire import Frame, FrameType

LIMIT = 60
"""Seconds after which a server process of a test is killed."""
PLAIN_OPENING = (
    OpenFirm("Alpha"),
    OpenFirm("Beta"),
    OpenSession(1, "ALPHA"),
    OpenSession(2, "BETA"),
    OpenSession(0, "OPS", int(Role.OPERATOR)),
)


def config(folder: Path, **changes: Any) -> Config:
    """A bare price-time book with two firms, on a local socket, computed by the reference engine (starts at once)."""
    values: dict[str, Any] = {
        "data": str(folder / "data"),
        "venue": "plain",
        "implementation": "reference",
        "tcp": "",
        "ipc": str(folder / "s"),
        "opening": PLAIN_OPENING,
        "segment_bytes": 4 << 20,
    }
    return Config(**(values | changes))


def funded(firms: int = 2) -> tuple[Any, ...]:
    """Firms with one account and one session each, cash and units in plenty, and an operator."""
    made: list[Any] = []
    for number in range(1, firms + 1):
        made += [OpenFirm(f"Firm {number}"), OpenAccount(number, f"Account {number}")]
        made.append(OpenSession(number, f"S{number}"))
        made.append(MoveCash(number, 1, 10_000_000_000))
        made += [MoveUnits(number, asset, 1_000_000) for asset in range(1, 6)]
    return (*made, OpenSession(0, "OPS", int(Role.OPERATOR)))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ServerProcess:
    """`python -m gateway.server` in its own process, or another `module` that runs one."""

    def __init__(self, folder: Path, configuration: Config, module: str = "gateway.server", *more: str) -> None:
        path = folder / "config.json"
        path.write_bytes(msgspec.json.encode(configuration))
        self.lines: list[str] = []
        command = [sys.executable, "-m", module, str(path), *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._watchdog = threading.Timer(LIMIT, self.process.kill)
        self._watchdog.start()

    def ready(self) -> ServerProcess:
        """Wait for the server; raises when it ends first."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if self.lines[-1] == "Ready":
                return self
        raise AssertionError(f"the server ended with {self.process.wait(10)}: {self.lines}")

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self._end()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop; returns the exit code."""
        self.process.send_signal(number)
        return self._end()

    def _end(self) -> int:
        out, _ = self.process.communicate(timeout=30)
        self.lines += out.splitlines()
        self._watchdog.cancel()
        return self.process.returncode


@contextmanager
def server_process(folder: Path, configuration: Config) -> Iterator[ServerProcess]:
    server = ServerProcess(folder, configuration)
    try:
        yield server.ready()
    finally:
        if server.process.poll() is None:
            server.kill()


def local(configuration: Config, session: str = "ALPHA", **options: Any) -> Client:
    """A client on the local socket."""
    return Client(configuration.ipc_endpoint, session=session, **options)


class RawClient:
    """A DEALER that sends exactly the bytes it is told to."""

    def __init__(self, endpoint: str, session: str = "", **options: Any) -> None:
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        for name, value in options.items():
            setattr(self.socket, name, value)
        self.socket.connect(endpoint)
        if session:
            self.logon(session)

    def logon(self, session: str = "", **fields: Any) -> wire.LogonAnswer:
        self.socket.send(wire.pack(FrameType.LOGON, wire.Logon(session, **fields)))
        return wire.unpack(self.expect(FrameType.LOGON_ANSWER), wire.LogonAnswer)

    def receive(self, timeout: float = 5.0) -> Frame:
        if not self.socket.poll(int(timeout * 1_000)):
            raise TimeoutError("no frame came")
        return wire.split(self.socket.recv())

    def expect(self, kind: FrameType, timeout: float = 5.0) -> Frame:
        """The next frame of a type; heartbeats in between are passed over."""
        while True:
            frame = self.receive(timeout)
            if frame.type == kind:
                return frame
            assert frame.type == FrameType.HEARTBEAT, f"got {FrameType(frame.type).name}, not {kind.name}"

    def reject(self) -> wire.SessionReject:
        return wire.unpack(self.expect(FrameType.SESSION_REJECT), wire.SessionReject)

    def close(self) -> None:
        self.socket.close(0)
        self.context.term()

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
