"""The benchmarks at tiny sizes: repeatable flows of the promised mix, checked figures, the shape of the JSON."""

from __future__ import annotations

import dataclasses
import json
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import engine_bench
from benchmarks.cli import bench
from benchmarks.engine_bench import Plan, Target, measure, play, prepared, rates, timed, verify
from benchmarks.environment import environment, load_average, resident_bytes
from benchmarks.heavy import _timed, uncrossing
from benchmarks.mix import CheckError, Mix, check_state
from benchmarks.workloads import Workload, carbon_day, random_walk
from engine.core import Engine
from engine.schema import EVENT, EventKind

TINY = Plan(
    carbon_factor=1,
    commands=4_000,
    runs=2,
    resting=1_000,
    accounts=40,
    growth_commands=1_000,
    growth_resting=(100, 1_000),
    growth_instruments=(1, 3),
    growth_tails=(10, 300),
    growth_accounts=(10, 40),
    realistic_orders=1_000,
    stress_commands=1_000,
    stress_resting=1_000,
    service_commands=2_000,
    service_calls=(16,),
    reference_commands=400,
    memory_orders=20_000,
    heavy_orders=400,
)


@pytest.fixture(scope="module")
def plain() -> Workload:
    return random_walk(20_000, resting=2_000)


@pytest.fixture(scope="module")
def seee() -> Workload:
    return carbon_day(20_000, resting=5_000, accounts=400)


def quiet(text: str) -> None:
    assert text


# Checks


def test_reference_and_kernel_agree(seee):
    small = carbon_day(1_000, resting=300, accounts=20)
    assert verify(small).digest == verify(small, "reference").digest


def events_of(plain: Workload) -> np.ndarray:
    return Engine(plain.venue).apply_all(plain.prepare[:100])


def test_a_gap_in_the_events_is_found(plain):
    events = events_of(plain)
    Mix().add(events, 100)
    with pytest.raises(CheckError, match="event sequence has a gap"):
        Mix().add(np.delete(events, 50), 100)
    with pytest.raises(CheckError, match="gave no event"):
        Mix().add(events, 101)


def test_a_skipped_command_is_found(plain):
    events = events_of(plain).copy()
    events["command_sequence"][50:] += 1
    with pytest.raises(CheckError, match="gave no event"):
        Mix().add(events, 100)


def test_live_orders_are_counted_from_events():
    events = np.zeros(6, EVENT)
    events["kind"] = [
        EventKind.ACCEPTED,
        EventKind.TRADE,
        EventKind.TRADE,
        EventKind.CANCELLED,
        EventKind.FEE,
        EventKind.EXPIRED,
    ]
    events["remaining"] = [9, 5, 0, 0, 0, 0]
    events["contra_remaining"] = [0, 3, 0, 0, 0, 0]
    from benchmarks.mix import live_change

    assert live_change(events).tolist() == [1, 0, -2, -1, 0, -1]


class Twisted:
    """An engine whose state is told with one number changed."""

    def __init__(self, engine: Engine, section: str, field: str, by: int) -> None:
        self.engine, self.section, self.field, self.by = engine, section, field, by
        self.venue = engine.venue

    def state(self):
        state = {name: rows.copy() for name, rows in self.engine.state().items()}
        state[self.section][self.field][0] += self.by
        return state


@pytest.mark.parametrize(
    ("section", "field", "by", "text"),
    [
        ("header", "event_sequence", 1, "by the stream"),
        ("orders", "remaining", -(10**6), "nothing left"),
        ("orders", "price", 10**5, "crossed"),
        ("orders", "account", 1, "is not the sum of its orders' locks"),
        ("cash", "free", 1, "deposited"),
        ("cash", "free", -(10**13), "below zero"),
        ("holds", "free", 1, "deposited"),
        ("currencies", "fees", 1, "deposited"),
    ],
)
def test_a_wrong_state_is_found(seee, section, field, by, text):
    engine = prepared(seee)
    opening = Mix()
    opening.add(Engine(seee.venue).apply_all(seee.prepare), len(seee.prepare))
    check_state(engine, opening.live, opening.sequence)
    with pytest.raises(CheckError, match=text):
        check_state(Twisted(engine, section, field, by), opening.live, opening.sequence)
    with pytest.raises(CheckError, match="live orders"):
        check_state(engine, opening.live + 1, opening.sequence)


def test_a_timed_run_that_ends_elsewhere_is_worth_nothing(plain):
    wanted = verify(plain)
    assert timed(plain, 1_024, wanted).wall > 0
    with pytest.raises(CheckError, match=r"plain in calls of 64 commands ended in another state"):
        timed(plain, 64, wanted._replace(digest=b""))


def test_calls_of_any_size_end_alike(plain):
    digests = set()
    for call in (0, 1, 7, 1_024):
        engine = prepared(plain)
        play(engine, plain.flow[:2_000], call)
        digests.add(engine.digest())
    assert len(digests) == 1


def test_rates_are_told_per_call_size(plain):
    found = rates(plain, dataclasses.replace(TINY, calls=(1_024, 1, 0)), verify(plain), quiet)
    assert list(found) == ["1024", "1", "all"]
    for rate in found.values():
        assert len(rate["runs"]) == TINY.runs
        assert 0 < min(rate["runs"]) <= rate["median"] <= rate["best"] == max(rate["runs"])
        assert rate["cpu_median"] > 0


# Figures


@pytest.fixture(scope="module")
def found():
    return measure(TINY, quiet)


def test_shape_of_the_json(found):
    assert json.loads(json.dumps(found)) == json.loads(json.dumps(found, allow_nan=False))
    assert {
        *("benchmark", "format", "schema_version", "made", "seconds", "plan", "environment", "load_average", "targets"),
        *("plain", "seee", "realistic", "stress", "service_times", "reference"),
        *("growth_resting", "growth_levels", "growth_instruments", "growth_accounts"),
        *("memory", "allocations", "instructions", "single_commands"),
    } == set(found)
    for name in ("plain", "seee"):
        assert set(found[name]["million_commands_per_second"]) == {"1024", "64", "1", "all"}
        assert len(found[name]["digest"]) == 64
    assert list(found["growth_resting"]) == ["100", "1000"]
    assert found["growth_resting"]["100"]["ratio"] == 1.0
    assert list(found["growth_instruments"]) == ["1", "3"]
    levels = [row["levels_at_end"] for row in found["growth_levels"].values()]
    assert 2 <= levels[0] < levels[1]
    assert list(found["growth_accounts"]) == ["10", "40"]
    assert set(found["realistic"]) == {"plain", "seee"}
    assert set(found["stress"]) == {"burst", "cancel-heavy", "one-level", "one-order-per-level", "gaps"}
    assert list(found["service_times"]) == ["kernel", "reference"]
    assert all(set(works) == {"plain", "seee"} for works in found["service_times"].values())
    single = found["single_commands"]
    assert [name.split(",")[0] for name in single] == [*["uncross"] * 2, "cascade of stops", *["mass cancel"] * 2]
    assert all(one["orders"] == 400 and one["events"] >= 100 for one in single.values())
    assert found["instructions"] == {"per_command": None, "why": "not asked"}
    assert set(found["reference"]) == {"plain", "seee"}
    if sys.platform == "linux":
        assert found["memory"]["bytes_per_resting_order"] >= 64


def test_a_single_command_that_meets_too_little_is_worth_nothing():
    one = uncrossing("plain", 100, seed=1)
    with pytest.raises(CheckError, match=r"uncross, plain: 99 orders rest, 101 were sent"):
        _timed(one._replace(opening=one.opening[:-1]), 101, 1)
    with pytest.raises(CheckError, match=r"uncross, plain: \d+ events TRADE, at least 101 were due"):
        _timed(one._replace(least=101), 100, 1)


def test_targets_are_judged(found):
    assert {"plain, million commands/s", "seee, % rejected"} <= {target["what"] for target in found["targets"]}
    assert Target("x", 15, least=15).met and not Target("x", 14.9, least=15).met
    assert Target("x", 2, most=2).met and not Target("x", 2.1, most=2).met


def test_environment():
    where = environment()
    assert {"cpu", "cores", "python", "numpy", "numba", "commit", "system"} <= set(where)
    assert where["cores"] >= 1
    assert len(load_average()) in (0, 3)
    assert resident_bytes() >= 0


# The command


@pytest.fixture
def tiny_bench(monkeypatch, found):
    monkeypatch.setattr(engine_bench, "measure", lambda plan, tell: found)


def test_command_prints_json_and_saves_it(tiny_bench, tmp_path, found):
    path = tmp_path / "baselines" / "engine.json"
    ran = CliRunner().invoke(bench, ["engine", "--quick", "--json", "--save", str(path)])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout) == json.loads(path.read_text()) == json.loads(json.dumps(found))


def test_command_prints_tables(tiny_bench):
    ran = CliRunner().invoke(bench, ["engine", "--quick"])
    assert ran.exit_code == 0, ran.output
    for title in (
        *("Realistic flow", "worst of five", "Million commands per second", "Mix, counted from the events"),
        *("Flows that press on one place", "Growth", "Calls of one command", "Calls of many", "Targets", "Where"),
    ):
        assert title in ran.stdout


def test_command_fails_when_a_check_does(monkeypatch):
    def broken(plan, tell):
        raise CheckError("12 live orders by the state, 13 by the events")

    monkeypatch.setattr(engine_bench, "measure", broken)
    ran = CliRunner().invoke(bench, ["engine"])
    assert ran.exit_code == 1
    assert "Error: the run is worth nothing: 12 live orders" in ran.output


def test_options_reach_the_plan(monkeypatch, found):
    plans = []
    monkeypatch.setattr(engine_bench, "measure", lambda plan, tell: plans.append(plan) or found)
    CliRunner().invoke(bench, ["engine", "--quick", "--commands", "5000", "--runs", "1", "--seed", "3"])
    CliRunner().invoke(bench, ["engine"])
    assert (plans[0].commands, plans[0].growth_commands, plans[0].runs, plans[0].seed) == (5_000, 5_000, 1, 3)
    assert (plans[0].realistic_orders, plans[0].stress_commands, plans[0].service_commands) == (2_500, 5_000, 5_000)
    assert plans[1] == Plan()


def test_a_folder_that_cannot_be_made(tmp_path):
    ran = CliRunner().invoke(bench, ["engine", "--save", str(tmp_path / "no" / "no" / "x.json")])
    assert ran.exit_code == 2
    assert "create it first" in ran.output
