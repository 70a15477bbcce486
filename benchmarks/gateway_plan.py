"""What the gateway benchmark measures, and the bounds of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from benchmarks.gateway_load import Flow
from benchmarks.gateway_server import Durability, Transport
from engine.core import ImplementationName

MOST_FIRMS: Final = 64
MOST_SECONDS: Final = 600.0
"""Of one run at one rate."""
MOST_SUSTAINED: Final = 86_400.0
MOST_FRAMES: Final = 20_000_000
"""Of one run: every frame's latency is kept."""
BATCHES: Final = (1, 16, 64, 256, 1024)


@dataclass(frozen=True)
class Case:
    """One way of sending: `batch` commands a frame, `firms` sessions in turn."""

    flow: Flow = "ack"
    durability: Durability = "sync"
    transport: Transport = "ipc"
    batch: int = 1
    firms: int = 4

    @property
    def label(self) -> str:
        """A short name, unique and stable: it names figures in files and comparisons."""
        return f"{self.flow} {self.durability} {self.transport} {self.batch} x{self.firms}"

    @property
    def window(self) -> int:
        """Frames that each session keeps on their way when the throughput is measured."""
        return max(2, 256 // (self.batch * self.firms))


@dataclass(frozen=True)
class Plan:
    """How much to measure. Times in seconds, rates in commands a second."""

    durabilities: tuple[Durability, ...] = ("sync", "async")
    transports: tuple[Transport, ...] = ("ipc", "tcp_curve")
    flows: tuple[Flow, ...] = ("ack", "fill")
    batches: tuple[int, ...] = (1, 16, 64)
    firms: tuple[int, ...] = (1, 8, 64)
    trips: int = 500
    """Round trips of one round, after a tenth as many to warm up."""
    rounds: int = 3
    """Floors and gateway take turns so many times."""
    throughput_seconds: float = 1.0
    curves: tuple[Case, ...] = (
        Case(),
        Case(batch=16),
        Case(batch=64),
        Case(durability="async"),
        Case(flow="fill"),
        Case(transport="tcp_curve"),
        Case(firms=1),
        Case(firms=64),
    )
    """Where the rate is stepped up to the knee."""
    step_seconds: float = 1.5
    grace_seconds: float = 1.0
    refine: int = 3
    """Bisections behind the doubling of the rate."""
    rates: tuple[float, ...] = ()
    """Only these rates instead of the search for the knee."""
    sustain: float = 0.0
    """Seconds of the sustained run; 0 = none."""
    sustain_rate: float = 0.0
    """Of the sustained run; 0 = half of the first curve's knee."""
    implementation: ImplementationName = "kernel"

    def __post_init__(self) -> None:
        _within("commands a frame", self.batches, BATCHES)
        for name, values, most in (
            ("firms", self.firms, MOST_FIRMS),
            ("firms of a curve", [case.firms for case in self.curves], MOST_FIRMS),
            ("step_seconds", [self.step_seconds], MOST_SECONDS),
            ("sustain", [self.sustain or 1], MOST_SUSTAINED),
        ):
            if not all(0 < value <= most for value in values):
                raise ValueError(f"{name}: above 0 and at most {most:g}, not {', '.join(map(str, values))}")
        for rate in (*self.rates, self.sustain_rate):
            if rate * max(self.step_seconds, self.sustain) > MOST_FRAMES:
                raise ValueError(f"{rate:,.0f} commands a second for so long are more than {MOST_FRAMES:,} frames")

    @property
    def most_firms(self) -> int:
        return max((*self.firms, *(case.firms for case in self.curves)))


def _within(name: str, values: tuple[int, ...], allowed: tuple[int, ...]) -> None:
    if not set(values) <= set(allowed):
        raise ValueError(f"{name}: {', '.join(map(str, allowed))}, not {', '.join(map(str, values))}")


QUICK: Final = Plan(
    batches=(1, 64),
    firms=(4, 64),
    trips=100,
    rounds=2,
    throughput_seconds=0.15,
    curves=(Case(), Case(batch=64), Case(flow="fill")),
    step_seconds=0.3,
    grace_seconds=0.2,
    refine=1,
)


def restricted(
    plan: Plan,
    durability: Durability | None = None,
    transport: Transport | None = None,
    flow: Flow | None = None,
    batch: int | None = None,
    firms: int | None = None,
) -> Plan:
    """The plan with one value where one is given; its curves likewise, each once."""
    changes = {"durability": durability, "transport": transport, "flow": flow, "batch": batch, "firms": firms}
    given = {name: value for name, value in changes.items() if value is not None}
    names = {
        "durability": "durabilities",
        "transport": "transports",
        "flow": "flows",
        "batch": "batches",
        "firms": "firms",
    }
    curves = tuple(dict.fromkeys(replace(case, **given) for case in plan.curves))  # type: ignore[arg-type]
    return replace(plan, curves=curves, **{names[name]: (value,) for name, value in given.items()})  # type: ignore[arg-type]
