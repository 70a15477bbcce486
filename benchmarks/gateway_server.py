"""A gateway to measure: a process of its own on a new journal, on 127.0.0.1 and a local socket, stopped by its id."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from benchmarks.gateway_load import LoadError, Target
from engine.control import OpenFirm, OpenSession
from engine.core import ImplementationName
from gateway.config import Config
from gateway.security import create_session_keys, read_server_public

Durability = Literal["sync", "async"]
Transport = Literal["ipc", "tcp_curve"]
MAKER: Final = "MAKER"
"""The firm whose resting order the others trade with."""
NO_THROTTLE: Final = 100_000_000
STOP_SECONDS: Final = 30


@dataclass(frozen=True)
class Running:
    """A server: its addresses, keys, process id and journal."""

    ipc: str
    tcp: str
    server_key: bytes
    keys: dict[str, Any]
    pid: int
    journal: Path

    def target(self, transport: Transport, firm: int | str = 1) -> Target:
        """Where firm number `firm`, or the maker by name, logs on."""
        name = firm if isinstance(firm, str) else f"F{firm}"
        if transport == "ipc":
            return Target(self.ipc, name)
        return Target(self.tcp, name, self.keys[name], self.server_key)


@contextlib.contextmanager
def server(
    folder: Path,
    durability: Durability,
    firms: int,
    implementation: ImplementationName = "kernel",
    segment_bytes: int = 64 << 20,
) -> Iterator[Running]:
    """`python -m gateway.server` on a new journal in `folder`, stopped by its process id at the end.

    Raises LoadError when it does not start.
    """
    names = [MAKER, *(f"F{number}" for number in range(1, firms + 1))]
    keys = {name: create_session_keys(folder / "keys", name, firm=name) for name in names}
    opening: list[Any] = []
    for number, (name, pair) in enumerate(keys.items(), 1):
        opening += [OpenFirm(name), OpenSession(number, name, public_key=pair.public.decode())]
    config = Config(
        data=str(folder / "data"),
        venue="plain",
        implementation=implementation,
        ipc=str(folder / "s"),
        tcp="tcp://127.0.0.1:0",
        keys=str(folder / "keys"),
        durability=durability,
        segment_bytes=segment_bytes,
        opening=tuple(opening),
        burst=NO_THROTTLE,
        commands_per_second=NO_THROTTLE,
    )
    path = folder / "config.json"
    path.write_bytes(msgspec.json.encode(config))
    process = subprocess.Popen([sys.executable, "-m", "gateway.server", str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if lines[-1] == "Ready":
                break
        else:
            raise LoadError(f"the server did not start: {' / '.join(lines)}")
        told = msgspec.json.decode((folder / "data" / "endpoints.json").read_bytes())
        server_key = read_server_public(told["public_key"].encode())
        yield Running(told["ipc"], told["tcp"], server_key, keys, process.pid, folder / "data" / "journal")
    finally:
        stop(process)


def stop(process: subprocess.Popen[str]) -> None:
    """SIGTERM, and SIGKILL when that is not heard in half a minute."""
    process.send_signal(signal.SIGTERM)
    try:
        process.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
