"""Latency against rate: the rate is stepped up to the knee, then held at half of it for the whole distribution."""

from __future__ import annotations

from typing import Any, Final

from benchmarks.floors import answer_bytes
from benchmarks.gateway_load import throughput
from benchmarks.gateway_plan import MOST_FRAMES, Case, Plan
from benchmarks.gateway_server import Running
from benchmarks.gateway_trips import Samples, Say, sessions
from benchmarks.knee import MOST_RATE, Knee, Step, find
from benchmarks.open_loop import MOST_WAITING, Outcome, Schedule, Sockets, drive
from benchmarks.percentiles import summary

SLOWEST: Final = 16.0
"""The search begins at the throughput divided by this."""
PROBE_SECONDS: Final = 0.5


def run(running: Running, case: Case, rate: float, seconds: float, grace: float) -> Outcome:
    """One open loop at `rate` commands a second. Raises LoadError when an answer is wrong or missing."""
    rate = min(rate, MOST_FRAMES * case.batch / seconds)
    with sessions(running, case) as (opened, maker):
        most = most_waiting(case, opened[0].credit)
        schedule = Schedule.at_rate(rate, seconds, case.firms, case.batch, grace, most)
        outcome = drive(Sockets(opened, maker), schedule)
        if maker is not None and not outcome.overrun:
            maker.expect(schedule.count * case.batch)
    return outcome


def most_waiting(case: Case, credit: int) -> int:
    """Frames that may wait for an answer, all sessions together.

    The gateway hears what a session has received from the frames that it takes in, so a queue of frames is a queue of
    unconfirmed answers, and who has more than `credit` bytes of these is cut. Three quarters are used.
    """
    return max(case.firms, min(MOST_WAITING, case.firms * (credit * 3 // 4 // answer_bytes(case.batch, case.flow))))


def figures(outcome: Outcome) -> dict[str, Any]:
    """Percentiles in µs from the due moment, rates in commands a second, and the sender's own share."""
    late = summary(outcome.late)
    return {
        "offered": round(outcome.offered),
        "achieved": round(outcome.achieved),
        **summary(outcome.latency),
        "sender_late_p50": late["p50"],
        "sender_late_p99": late["p99"],
        "overrun": outcome.overrun,
    }


def curve(running: Running, case: Case, plan: Plan, samples: Samples, say: Say) -> dict[str, Any]:
    """Steps up to the knee (or the plan's rates), and the distribution at half of it. `samples` takes the latter."""
    steps: list[dict[str, Any]] = []

    def step(rate: float) -> Step:
        say(f"open loop: {case.label} at {rate:,.0f} commands a second")
        outcome = run(running, case, rate, plan.step_seconds, plan.grace_seconds)
        found = figures(outcome)
        steps.append(found)
        return Step(outcome.offered, outcome.seconds, outcome.behind, found["p50"], outcome.overrun)

    if plan.rates:
        for rate in plan.rates:
            step(rate)
        return {"case": case.label, "knee": None, "why": "only given rates were measured", "steps": steps}
    say(f"open loop: {case.label}, where to begin")
    with sessions(running, Case("ack", case.durability, case.transport, case.batch, case.firms)) as (opened, _):
        answered, seconds = throughput(opened, case.window, PROBE_SECONDS)
    knee: Knee = find(step, answered / seconds / SLOWEST, MOST_RATE, plan.refine)
    for found, (_, held) in zip(steps, knee.steps, strict=True):
        found["held"] = held
    result: dict[str, Any] = {"case": case.label, "knee": round(knee.rate), "why": knee.why, "steps": steps}
    if knee.rate:
        say(f"open loop: {case.label} at half the knee")
        outcome = run(running, case, knee.rate / 2, 2 * plan.step_seconds, plan.grace_seconds)
        result["half"] = figures(outcome)
        samples[f"{case.label} half"] = outcome.latency
    return result
