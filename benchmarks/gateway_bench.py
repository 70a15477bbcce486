"""The gateway's round trip and throughput, beside the floors that no gateway in Python over ZeroMQ can go below.

Every figure comes from a server in a process of its own, with its journal on the disk that `folder` names. Latency:
one order at a time (closed loop), then at fixed rates counted from the moment each order was due (open loop).
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from benchmarks import floors
from benchmarks.environment import environment, load_average
from benchmarks.gateway_load import Target, closed_loop, open_loop, throughput
from engine.control import OpenFirm, OpenSession
from gateway.config import Config
from gateway.security import create_session_keys, read_server_public

Durability = Literal["sync", "async"]
Say = Callable[[str], None]
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999}
TARGET_RATIO = 1.5
"""Design target: the median round trip over the sum of the floors' medians."""


@dataclass(frozen=True)
class Plan:
    """How much to measure. `rates`: orders a second of the open loop."""

    trips: int = 5_000
    rates: tuple[int, ...] = (250, 500, 1_000)
    seconds: float = 5.0
    firms: int = 4
    batches: tuple[int, ...] = (1, 16, 64)
    window: int = 64


QUICK = Plan(trips=1_000, rates=(250,), seconds=1.0)


@dataclass(frozen=True)
class Running:
    """A server: its addresses, keys, and the process."""

    ipc: str
    tcp: str
    server_key: bytes
    keys: dict[str, Any]

    def target(self, transport: str, firm: int = 1) -> Target:
        name = f"F{firm}"
        if transport == "ipc":
            return Target(self.ipc, name)
        return Target(self.tcp, name, self.keys[name], self.server_key)


@contextlib.contextmanager
def server(folder: Path, durability: Durability, firms: int) -> Iterator[Running]:
    """`python -m gateway.server` on a new journal in `folder`, stopped by its process id at the end."""
    keys = {f"F{n}": create_session_keys(folder / "keys", f"F{n}", firm=f"F{n}") for n in range(1, firms + 1)}
    opening: list[Any] = []
    for n, (name, pair) in enumerate(keys.items(), 1):
        opening += [OpenFirm(name), OpenSession(n, name, public_key=pair.public.decode())]
    config = Config(
        data=str(folder / "data"),
        venue="plain",
        ipc=str(folder / "s"),
        tcp="tcp://127.0.0.1:0",
        keys=str(folder / "keys"),
        durability=durability,
        opening=tuple(opening),
        burst=100_000_000,
        commands_per_second=100_000_000,
    )
    path = folder / "config.json"
    path.write_bytes(msgspec.json.encode(config))
    process = subprocess.Popen([sys.executable, "-m", "gateway.server", str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.strip() == "Ready":
                break
        else:
            raise RuntimeError(f"the server did not start: {''.join(lines)}")
        told = msgspec.json.decode((folder / "data" / "endpoints.json").read_bytes())
        yield Running(told["ipc"], told["tcp"], read_server_public(told["public_key"].encode()), keys)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def measure(plan: Plan, folder: Path | None = None, say: Say = lambda _: None) -> dict[str, Any]:
    """Everything, as one JSON-ready dictionary.

    Args:
        folder: where journals are made (and removed); default the system's folder for temporary files.
        say: told what is going on.
    """
    found: dict[str, Any] = {"environment": environment() | {"load": load_average()}, "plan": asdict(plan)}
    place = Path(tempfile.mkdtemp(prefix="cb", dir=folder))
    try:
        found["floors"] = _floors(plan, place, say)
        for durability in ("sync", "async"):
            inside = place / durability
            inside.mkdir()
            found[durability] = _one(plan, inside, durability, found["floors"], say)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return found


def _floors(plan: Plan, place: Path, say: Say) -> dict[str, Any]:
    say("floors")
    found = {
        "echo_ipc": summary(floors.echo(f"ipc://{place / 'e'}", plan.trips)),
        "echo_tcp_curve": summary(floors.echo("tcp://127.0.0.1:0", plan.trips)),
        "sync": summary(floors.sync(place, plan.trips)),
    }
    return found


def _one(plan: Plan, inside: Path, durability: Durability, floor: dict[str, Any], say: Say) -> dict[str, Any]:
    found: dict[str, Any] = {"closed": {}, "open": {}, "throughput": {}}
    with server(inside, durability, plan.firms) as running:
        for transport in ("ipc", "tcp_curve"):
            say(f"{durability}: one order at a time over {transport}")
            trips = summary(closed_loop(running.target(transport), plan.trips))
            least = floor[f"echo_{transport}"]["p50"] + (floor["sync"]["p50"] if durability == "sync" else 0.0)
            found["closed"][transport] = trips | {"floor": round(least, 1), "ratio": round(trips["p50"] / least, 2)}
        for batch in plan.batches:
            say(f"{durability}: throughput with {batch} commands a frame")
            targets = [running.target("ipc", firm) for firm in range(1, plan.firms + 1)]
            window = max(4, plan.window // batch)
            answered, seconds = throughput(targets, batch, window, plan.seconds)
            found["throughput"][str(batch)] = {"commands_per_second": round(answered / seconds), "commands": answered}
        for rate in plan.rates:
            say(f"{durability}: {rate} orders a second over ipc")
            found["open"][str(rate)] = summary(open_loop(running.target("ipc"), rate, plan.seconds))
    return found


def summary(nanoseconds: list[int]) -> dict[str, float]:
    """Exact percentiles in microseconds; the count."""
    ordered = sorted(nanoseconds)
    found = {
        name: ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1_000 for name, share in PERCENTILES.items()
    }
    return {name: round(value, 1) for name, value in found.items()} | {
        "max": round(ordered[-1] / 1_000, 1),
        "count": len(ordered),
    }
