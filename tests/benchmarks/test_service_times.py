"""Times of single calls, percentiles, memory kept, instructions counted: figures that hang together."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from benchmarks import allocations as allocations_module
from benchmarks import instructions as instructions_module
from benchmarks.allocations import allocations, heap_bytes
from benchmarks.histogram import percentiles
from benchmarks.instructions import instructions
from benchmarks.mix import CheckError
from benchmarks.runs import prepared
from benchmarks.service_times import call_durations, clock_overhead, service_times
from benchmarks.workloads import Workload, carbon_day, random_walk
from engine.core import Engine


@pytest.fixture(scope="module")
def plain() -> Workload:
    return random_walk(5_000, resting=500)


@pytest.fixture(scope="module")
def seee() -> Workload:
    return carbon_day(5_000, resting=500, accounts=40)


@pytest.mark.parametrize("with_histogram", [True, False])
def test_percentiles(monkeypatch, with_histogram):
    if not with_histogram:
        monkeypatch.setitem(sys.modules, "hdrh.histogram", None)
    found = percentiles(np.arange(1, 100_001))
    assert found["count"] == 100_000
    assert found["max"] == 100_000
    for name, exact in (("p50", 50_000), ("p90", 90_000), ("p99", 99_000), ("p99.9", 99_900), ("p99.99", 99_990)):
        assert found[name] == pytest.approx(exact, rel=0.001)
    assert percentiles(np.array([7])) == {
        **dict.fromkeys(("p50", "p90", "p99", "p99.9", "p99.99"), 7),
        "max": 7,
        "count": 1,
    }
    with pytest.raises(ValueError, match="no durations"):
        percentiles(np.zeros(0, np.int64))


@pytest.mark.parametrize("implementation", ["kernel", "reference"])
def test_every_command_is_timed_once(seee, implementation):
    found = service_times(seee, 600, (16,), implementation)
    assert sum(one["count"] for one in found["by_kind"].values()) == 600
    assert {"NEW_ORDER", "NEW_ORDER, several events", "CANCEL_ORDER"} <= set(found["by_kind"])
    assert list(found["end_of_day"]) == ["STOP_TRADING", "EXPIRE_ORDERS", "FIX_CLOSE", "SETTLE"]
    assert found["end_of_day"]["EXPIRE_ORDERS"]["events"] > 400  # each resting order, and the count
    assert found["by_call"]["16"]["count"] == 38
    assert found["by_call"]["16"]["per_command"] == round(found["by_call"]["16"]["p50"] / 16, 1)
    assert 0 < found["clock"]["p50"] <= found["refused"]["p50"]


def test_calls_tell_their_events(plain):
    spent, events = call_durations(prepared(plain), plain.flow[:100], 7)
    assert len(spent) == len(events) == 15
    assert (spent > 0).all()
    again = Engine(plain.venue)
    again.apply_all(plain.prepare)
    assert events.sum() == len(again.apply_all(plain.flow[:100]))


def test_the_clock_is_not_free():
    assert clock_overhead(100).max() > 0


def test_trading_keeps_no_memory(plain, seee):
    for work in (plain, seee):
        found = allocations(work, 5_000)
        assert found["python_bytes_kept"] <= 4_096
        assert found["heap_bytes_kept"] is None or found["heap_bytes_kept"] <= 4_096
        assert found["runtime_blocks"] in (0, None)


def test_memory_that_is_kept_is_found(monkeypatch, plain):
    kept = []

    def leak(engine, commands, call):
        kept.append(bytearray(100_000))

    monkeypatch.setattr(allocations_module, "play", leak)
    with pytest.raises(CheckError, match=r"commands kept .* bytes of the"):
        allocations(plain, 5_000)


def test_the_heap_is_told_in_bytes():
    before = heap_bytes()
    if before is None:
        pytest.skip("this C library does not tell")
    block = bytearray(1 << 20)
    assert (heap_bytes() or 0) - before >= len(block)


def test_instructions_are_the_difference_of_two_runs(monkeypatch, plain):
    asked = []

    def run(command, **settings):
        count = int(command[-1])
        asked.append(count)
        return subprocess.CompletedProcess(command, 0, "", f"x\n{1_000_000 + 321 * count},,instructions:u,1,100.00,,\n")

    monkeypatch.setattr(instructions_module.shutil, "which", {"perf": "/usr/bin/perf"}.get)
    monkeypatch.setattr(instructions_module.subprocess, "run", run)
    assert instructions(plain, 1_000) == {"per_command": 321.0, "counted_by": "perf"}
    assert asked == [1_000, 2_000]


def test_without_a_tool_it_says_so(monkeypatch, plain):
    monkeypatch.setattr(instructions_module.shutil, "which", lambda name: None)
    assert instructions(plain, 100) == {"per_command": None, "why": "neither perf nor valgrind is installed"}


def test_a_tool_that_does_not_count_here(monkeypatch, plain):
    def run(command, **settings):
        return subprocess.CompletedProcess(command, 0, "", "<not supported>,,instructions:u,0,100.00,,\n")

    monkeypatch.setattr(instructions_module.shutil, "which", {"perf": "/usr/bin/perf"}.get)
    monkeypatch.setattr(instructions_module.subprocess, "run", run)
    assert instructions(plain, 100)["why"] == "perf: <not supported>,,instructions:u,0,100.00,,"


def test_the_counted_child_applies_what_it_is_told(tmp_path, plain):
    plain.save(tmp_path)
    instructions_module.main(str(tmp_path), "plain", "10")
