"""The journal's benchmark, small, through its command; and what makes it refuse its own figures."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import floors, journal_bench
from benchmarks.cli import bench
from benchmarks.journal_bench import QUICK, CheckError, Plan, append, check, records
from engine.schema import EventKind

TINY = Plan(
    batches=(1, 64),
    appends=20,
    rounds=2,
    verify_commands=600,
    sizes=(300, 600, 1_200),
    runs=2,
    resting=50,
    most_commands=1_000,
    implementation="reference",
)


@pytest.fixture(scope="module")
def made():
    return records(TINY)


def test_records_are_whole(made):
    commands, events = zip(*made.batches(0, 1_000, 7), strict=True)
    assert len(commands[-1]) == 1_000 % 7
    for part, of_part in zip(commands, events, strict=True):
        assert set(of_part["command_sequence"]) == set(part["sequence"])  # every command has an event, and its own only
    assert np.concatenate(events)["sequence"].tolist() == list(range(1, sum(map(len, events)) + 1))
    assert (made.events["kind"] == EventKind.TRADE).any()


def test_append_counts_the_bytes_of_its_batches(tmp_path, made):
    times, written = append(made, "sync", 1, 20, tmp_path)
    assert len(times) == 20 and min(times) > 0
    first = made.opening
    events = [made.edges[at + 1] - made.edges[at] for at in range(first, first + 20)]
    assert written == sum(-(-floors.frame_bytes(96 + 128 * count) // 512) * 512 for count in events)
    assert not list(tmp_path.iterdir())


def test_a_run_through_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(journal_bench, "QUICK", TINY)
    disk, saved = tmp_path / "d", tmp_path / "j.json"
    disk.mkdir()
    ran = CliRunner().invoke(bench, ["journal", "--quick", "--json", "--folder", str(disk), "--save", str(saved)])
    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.stdout)
    assert found == json.loads(saved.read_text())
    assert set(found["append"]) == {"sync 1", "sync 64", "async 1", "async 64"}
    for label, figures in found["append"].items():
        assert figures["count"] == (20 if label.endswith(" 1") else 14)  # 1,000 commands are 15 batches of 64
        assert figures["commands_per_second"] == pytest.approx(np.median(figures["commands_per_second_rounds"]), abs=1)
        assert 0 < figures["p50"] <= figures["max"] and figures["floor"] > 0
    assert found["append"]["sync 1"]["bytes_per_command"] >= 512 > found["append"]["sync 64"]["bytes_per_command"]
    for part, names in (("verify", {"1", "64"}), ("growth", {"300", "600", "1200"})):
        assert set(found[part]) == names
        for figures in found[part].values():
            assert figures["bytes_per_command"] == round(figures["bytes"] / figures["commands"], 1)
            for what in ("journal_verify", "replay_verify", "recover"):
                assert len(figures[f"{what}_seconds_runs"]) == 2 and figures[f"{what}_commands_per_second"] > 0
    shortest, longest = found["growth"]["300"], found["growth"]["1200"]
    assert (shortest["commands"], longest["commands"], shortest["recover_growth"]) == (300, 1_200, 1.0)
    ratio = (longest["replay_verify_seconds"] / 1_200) / (shortest["replay_verify_seconds"] / 300)
    assert longest["replay_verify_growth"] == pytest.approx(ratio, abs=0.01)
    assert not list(disk.iterdir())


def test_the_tables(tmp_path, monkeypatch):
    monkeypatch.setattr(journal_bench, "QUICK", dataclasses.replace(TINY, batches=(64,), durabilities=("async",)))
    ran = CliRunner().invoke(bench, ["journal", "--quick", "--folder", str(tmp_path)])
    assert ran.exit_code == 0, ran.output
    for title in ("Append", "600 commands: commands a second", "Growth with the journal", "load average"):
        assert title in ran.stdout


def test_a_journal_that_is_not_what_was_written(tmp_path, made, monkeypatch):
    twisted = made._replace(events=made.events.copy())
    twisted.events["quantity"][5] += 1
    with pytest.raises(CheckError, match="DIVERGED"):
        check(TINY, twisted, 300, 64, tmp_path)
    monkeypatch.setattr(journal_bench, "measure", lambda *_: (_ for _ in ()).throw(CheckError("other state")))
    ran = CliRunner().invoke(bench, ["journal", "--quick"])
    assert ran.exit_code == 1
    assert "Error: the run is worth nothing: other state" in ran.output


def test_options_reach_the_plan(monkeypatch):
    plans = []

    def stop(plan, *_):
        plans.append(plan)
        raise CheckError("enough")

    monkeypatch.setattr(journal_bench, "measure", stop)
    CliRunner().invoke(bench, ["journal", "--durability", "async", "--batch", "1", "--batch", "8", "--appends", "50"])
    CliRunner().invoke(bench, ["journal", "--quick", "--size", "2000", "--seed", "0"])
    assert (plans[0].durabilities, plans[0].batches, plans[0].appends) == (("async",), (1, 8), 50)
    assert (plans[1].sizes, plans[1].seed, plans[1].runs) == ((2_000,), 0, QUICK.runs)
    ran = CliRunner().invoke(bench, ["journal", "--save", "/nowhere/x.json"])
    assert ran.exit_code == 2 and "there is no folder /nowhere" in ran.output
