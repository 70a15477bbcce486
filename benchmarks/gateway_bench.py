"""The gateway: round trips, throughput, latency against rate, a sustained run; beside the floors of the same machine.

Every figure comes from a server in a process of its own, on 127.0.0.1 or a local socket, with its journal on the disk
that `folder` names. Floors and gateway are measured in the same run and in turns.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks import floors
from benchmarks.environment import environment, load_average
from benchmarks.gateway_curves import curve
from benchmarks.gateway_plan import Case, Plan
from benchmarks.gateway_server import Running, server
from benchmarks.gateway_sustained import segment_bytes, sustained
from benchmarks.gateway_trips import TARGET_RATIO, Echoes, Samples, Say, round_trips, throughputs

FORMAT: Final = 2
DEFAULT_RATE: Final = 2_000.0
"""Of a sustained run when no knee was found."""


class Found(NamedTuple):
    """Figures as JSON-ready dictionary, and the distributions behind them by label."""

    figures: dict[str, Any]
    samples: Samples


def measure(plan: Plan, folder: Path | None = None, say: Say = lambda _: None) -> Found:
    """Everything that the plan names.

    Args:
        folder: where journals are made (and removed); default the system's folder for temporary files.
        say: told what is going on.

    Raises:
        LoadError: an answer was wrong or missing; the figures are worth nothing.
    """
    load, began = load_average(), time.perf_counter()
    samples: Samples = {}
    figures: dict[str, Any] = {}
    place = Path(tempfile.mkdtemp(prefix="cb", dir=folder))
    try:
        with contextlib.ExitStack() as stack:
            say("start the servers (the first start of all compiles the kernel)")
            servers = {name: stack.enter_context(_server(place, name, plan)) for name in _durabilities(plan)}
            figures |= _floors_and_trips(plan, servers, place, samples, say)
            figures["curves"] = {
                case.label: curve(servers[case.durability], case, plan, samples, say) for case in plan.curves
            }
        if plan.sustain:
            figures["sustained"] = _sustained(plan, figures["curves"], place, samples, say)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return Found(
        {
            "format": FORMAT,
            "benchmark": "gateway",
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - began, 1),
            "plan": asdict(plan),
            "environment": environment(),
            "load_average": {"before": load, "after": load_average()},
            **figures,
            "targets": list(_targets(figures)),
        },
        samples,
    )


def _durabilities(plan: Plan) -> list[str]:
    return list(dict.fromkeys((*plan.durabilities, *(case.durability for case in plan.curves))))


@contextlib.contextmanager
def _server(place: Path, durability: Any, plan: Plan, segment: int = 64 << 20) -> Iterator[Running]:
    inside = Path(tempfile.mkdtemp(prefix=durability[0], dir=place))  # short: a local socket's path has a limit
    with server(inside, durability, plan.most_firms, plan.implementation, segment) as running:
        yield running


def _floors_and_trips(
    plan: Plan, servers: dict[str, Running], place: Path, samples: Samples, say: Say
) -> dict[str, Any]:
    with contextlib.ExitStack() as stack:
        names: dict[floors.EchoTransport, None] = dict.fromkeys((*plan.transports, "tcp"))
        echoes: Echoes = {name: stack.enter_context(floors.echo_server(name, place)) for name in names}
        found = round_trips(plan, servers, echoes, place, samples, say)
        return found | {"throughput": throughputs(plan, servers, echoes, say)}


def _sustained(plan: Plan, curves: dict[str, Any], place: Path, samples: Samples, say: Say) -> dict[str, Any]:
    case = plan.curves[0] if plan.curves else Case()
    knee = (curves.get(case.label) or {}).get("knee") or 0
    rate = plan.sustain_rate or knee / 2 or DEFAULT_RATE
    segment = segment_bytes(case, rate, plan.sustain)
    say(f"sustained: {case.label}, {rate:,.0f} commands a second for {plan.sustain:g} s")
    with _server(place, case.durability, plan, segment) as running:
        found = sustained(running, case, rate, plan.sustain, os.getpid(), samples)
    return found | {"segment_mib": segment >> 20}


def _targets(figures: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Design targets that this run can judge."""
    for label, trips in figures["closed"].items():
        if "ratio" in trips:
            measured = trips["ratio"]
            what = f"{label}: median over its floors"
            yield {"what": what, "most": TARGET_RATIO, "measured": measured, "met": measured <= TARGET_RATIO}


__all__ = ["Found", "Plan", "measure"]
