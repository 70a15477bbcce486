"""Comparison of saved runs, with ratios computed by hand; and two commits of a little repository, by turns."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import commits, saved
from benchmarks.cli import bench
from benchmarks.compare import compare, compare_values, paired
from benchmarks.environment import environment, machine_differences, version_differences

MACHINE = {"cpu": "X", "cores": 2, "machine": "x86_64", "system": "Linux 6", "governor": "", "memory_gib": 8.0}


def run_of(p50: float, rate: float, **machine) -> dict:
    return {
        "benchmark": "gateway",
        "environment": MACHINE | {"commit": "a" * 40, "dirty": False, "python": "3.11.7", "numpy": "2.3.5"} | machine,
        "load_average": {"before": [0.5, 0, 0], "after": [1.5, 0, 0]},
        "plan": {"seconds": 3},
        "closed": {"ack": {"p50": p50, "p50_rounds": [p50 - 1, p50, p50 + 3], "max": 9.0, "count": 7}},
        "throughput": {"x": {"commands_per_second": rate, "echo_per_second": 5.0, "commands": 4}},
        "curves": {"c": {"knee": 1_000, "steps": [{"p50": 3.0}], "half": {"p50": 10.0, "offered": 3}}},
        "targets": [{"measured": 3}],
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    saved.save("old", [run_of(100, 50_000), run_of(110, 51_000), run_of(105, 49_000)], tmp_path)
    saved.save("new", [run_of(52, 50_500), run_of(50, 48_000), run_of(54, 60_000)], tmp_path)
    return tmp_path


# Arithmetic


def test_a_difference_is_one_when_the_ranges_do_not_touch():
    """Medians 105 and 52; the bounds are 50 / 110 and 54 / 100."""
    found = compare_values("p50", [100, 110, 105], [52, 50, 54], "less")
    assert found is not None
    assert (found.a, found.b, found.ratio) == (105, 52, 52 / 105)
    assert (found.low, found.high) == (50 / 110, 54 / 100)
    assert found.verdict == "better"
    assert found.goodness == 105 / 52
    assert found.luck == 0.1  # 2 of the C(6, 3) = 20 orders of six equal values have all of one side first
    worse = compare_values("rate", [100, 110, 105], [52, 50, 54], "more")
    assert worse is not None and (worse.verdict, worse.goodness) == ("worse", 52 / 105)


def test_ranges_that_touch_are_noise():
    found = compare_values("rate", [10, 20, 12], [20, 30, 25], "more")
    assert found is not None
    assert (found.ratio, found.low, found.high, found.verdict) == (25 / 12, 1.0, 3.0, "within noise")


def test_single_values_show_no_noise():
    found = compare_values("rate", [10], [20, 21], "more")
    assert found is not None and found.verdict == "noise unknown"
    assert compare_values("rate", [0, 1], [2, 3], "more") is None


def test_pairs_cancel_the_drift_of_the_machine():
    """The pace doubles from pair to pair, B is always a tenth quicker: apart this is noise, by pairs it is clear."""
    a, b = [10.0, 20.0, 40.0], [11.0, 22.0, 44.0]
    apart = compare_values("rate", a, b, "more")
    assert apart is not None and apart.verdict == "within noise"
    turns = paired("rate", a, b, "more")
    assert turns.ratio == pytest.approx(1.1) and turns.verdict == "better"
    assert turns.luck == 0.25  # three equal pairs lean to one side in 2 of 8 cases
    assert paired("rate", a, [11.0, 18.0, 44.0], "more").verdict == "within noise"


# Saved runs


def test_figures_of_a_run(folder):
    found = saved.load("old", folder).figures()
    assert {name: (figure.values, figure.better) for name, figure in found.items()} == {
        "closed / ack / p50": ((100.0, 110.0, 105.0), "less"),
        "throughput / x / commands_per_second": ((50_000.0, 51_000.0, 49_000.0), "more"),
        "curves / c / knee": ((1_000.0,) * 3, "more"),
        "curves / c / half / p50": ((10.0,) * 3, "less"),
    }


def test_one_run_gives_the_values_inside_it(tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps(run_of(100, 5)))
    found = saved.load(str(path))
    assert found.figures()["closed / ack / p50"].values == (99.0, 100.0, 103.0)
    assert (found.benchmark, found.commit, found.load) == ("gateway", "a" * 40, [0.5, 1.5])


def test_the_engines_baseline_can_be_read():
    found = saved.load("benchmarks/baselines/engine.json")
    assert found.benchmark == "engine" and len(found.commit) == 40
    rate = found.figures()["seee / million_commands_per_second / 1024"]
    assert rate.better == "more" and len(rate.values) == 5
    assert found.figures()["growth_resting / 100000 / nanoseconds_median"].better == "less"
    assert found.figures()["memory / bytes_per_resting_order"].better == "less"


def test_what_is_no_saved_run(folder):
    (folder / "broken.json").write_text("{")
    (folder / "other.json").write_text('{"a": 1}')
    for name, text in (("gone", "no saved run 'gone'"), ("broken", "no JSON"), ("other", "holds no run")):
        with pytest.raises(saved.SavedError, match=text):
            saved.load(name, folder)
    with pytest.raises(saved.SavedError, match="is no name"):
        saved.save("../x", [run_of(1, 1)], folder)
    with pytest.raises(saved.SavedError, match="of engine and gateway"):
        saved.save("x", [run_of(1, 1), run_of(1, 1) | {"benchmark": "engine"}], folder)


def test_what_makes_another_machine():
    assert machine_differences(MACHINE, MACHINE | {"python": "3.12"}) == []
    assert machine_differences(MACHINE, MACHINE | {"cpu": "Y", "cores": 4}) == ["cpu: 'X', not 'Y'", "cores: 2, not 4"]
    assert machine_differences(MACHINE, {"cpu": "X"}) == []  # older runs say less
    assert version_differences({"python": "3.11", "numpy": "2"}, {"python": "3.12", "numpy": "2"}) == [
        "python: '3.11', not '3.12'"
    ]
    here = environment()
    assert {"usable_cores", "memory_gib", "governor", "libzmq", "pyzmq", "hdrhistogram", "dirty"} <= set(here)


# The commands


def call(*words: str):
    return CliRunner().invoke(bench, list(words), env={"COLUMNS": "200"})


def test_compare_through_the_command(folder):
    ran = call("compare", "old", "new", "--runs-folder", str(folder))
    assert ran.exit_code == 0, ran.output
    row = next(line for line in ran.output.splitlines() if "closed, ack, p50" in line)
    assert row.split()[-6:] == ["105", "52", "0.495", "0.45..0.54", "less", "better"]
    row = next(line for line in ran.output.splitlines() if "throughput" in line)
    assert row.split()[-7:] == ["50,000", "50,500", "1.010", "0.94..1.22", "more", "within", "noise"]
    assert "1 better, 3 within noise" in ran.output
    assert "Of equal figures about 0.4 would not be within noise by luck alone" in ran.output
    told = json.loads(call("compare", "old", "new", "--runs-folder", str(folder), "--json", "--only", "closed*").stdout)
    assert [(each["name"], each["ratio"], each["verdict"]) for each in told["figures"]] == [
        ("closed / ack / p50", round(52 / 105, 4), "better")
    ]


def test_different_machines_are_not_compared_silently(folder):
    saved.save("else", [run_of(1, 1, cpu="Y")], folder)
    ran = call("compare", "old", "else", "--runs-folder", str(folder))
    assert ran.exit_code == 1
    assert "measured on different machines (cpu: 'X', not 'Y')" in ran.output and "--anyway" in ran.output
    ran = call("compare", "old", "else", "--runs-folder", str(folder), "--anyway")
    assert ran.exit_code == 0
    assert "DIFFERENT MACHINES" in ran.output and "noise unknown" in ran.output


def test_the_least_that_is_wanted(folder):
    words = ("compare", "old", "new", "--runs-folder", str(folder), "--only", "closed*")
    assert call(*words, "--least", "2").exit_code == 0  # 105 / 52 times as good
    ran = call(*words, "--least", "2.1")
    assert ran.exit_code == 1 and "B is not 2.1 times as good as A: closed / ack / p50 (2.02)" in ran.output
    assert call("compare", "old", "new", "--runs-folder", str(folder), "--only", "no*").exit_code == 1


def test_runs_of_two_benchmarks_are_not_compared(folder):
    saved.save("engine", [run_of(1, 1) | {"benchmark": "engine"}], folder)
    ran = call("compare", "old", "engine", "--runs-folder", str(folder))
    assert ran.exit_code == 1 and "nothing to compare" in ran.output


def test_a_busy_machine_and_other_settings_are_told(folder):
    busy = run_of(1, 1) | {"load_average": {"before": [9.5, 0, 0], "after": [1, 0, 0]}, "plan": {"seconds": 4}}
    saved.save("busy", [busy | {"environment": busy["environment"] | {"numpy": "2.4"}}], folder)
    ran = call("compare", "old", "busy", "--runs-folder", str(folder))
    assert "B was measured beside others: load average up to 9.5 on 2 cores" in ran.output
    assert "Other settings of the benchmark" in ran.output and "Other versions: numpy: '2.3.5', not '2.4'" in ran.output
    assert compare(saved.load("old", folder), saved.load("busy", folder)).machines == []


def test_save_runs_a_benchmark_in_processes_of_its_own(tmp_path):
    options = ["--durability", "async", "--batch", "64", "--size", "1000", "--appends", "10", "--quick"]
    words = ["save", "j", "journal", *options, "--implementation", "reference", "--runs", "2"]
    ran = call(*words, "--runs-folder", str(tmp_path))
    assert ran.exit_code == 0, ran.output
    assert "j.json: 2 runs of journal" in ran.output
    whole = saved.load("j", tmp_path)
    assert len(whole.figures()["append / async 64 / commands_per_second"].values) == 2
    again = call("save", "k", "--from", str(tmp_path / "j.json"), "--runs-folder", str(tmp_path))
    assert again.exit_code == 0 and saved.load("k", tmp_path).runs == whole.runs


def test_what_cannot_be_saved(tmp_path):
    assert call("save", "x", "--runs-folder", str(tmp_path)).exit_code == 2
    ran = call("save", "x", "nonsense", "--runs-folder", str(tmp_path))
    assert ran.exit_code == 2 and "there are: " in ran.output and "gateway" in ran.output
    ran = call("save", "x", "journal", "--save", "/nowhere/x", "--runs-folder", str(tmp_path))
    assert ran.exit_code == 1 and "nothing was saved" in ran.output
    assert not list(tmp_path.glob("*.json"))


# Two commits

CORE = """
import hashlib, time
now = [0]
time.perf_counter_ns = lambda: now[0]
class Engine:
    def __init__(self, venue): self.seen = b""
    def apply(self, commands):
        now[0] += {cost}
        self.seen += commands.tobytes()
        return len(commands), None
    def digest(self): return hashlib.sha256(self.seen + b"{rules}").digest()
"""
WORKLOADS = """
import numpy as np
class Workload:
    venue = None
    def __init__(self, numbers): self.prepare = self.flow = numbers
    def save(self, folder):
        folder.mkdir(parents=True)
        np.save(folder / "flow.npy", self.flow)
    @classmethod
    def load(cls, folder, name):
        if {strict} and "{side}" not in folder.name: raise ValueError("another schema")
        return cls(np.load(folder / "flow.npy"))
def random_walk(commands, seed): return Workload(np.arange(commands) + seed)
carbon_day = random_walk
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits; by the clock that each brings along, the engine of the second needs a third of the time."""
    root = tmp_path / "r"
    for package in ("engine", "benchmarks"):
        (root / package).mkdir(parents=True)
        (root / package / "__init__.py").touch()

    def git(*words: str) -> None:
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *words], cwd=root, check=True)

    git("init", "-q")
    for name, cost in (("slow", 12_000), ("quick", 4_000)):
        (root / "engine" / "core.py").write_text(CORE.format(cost=cost, rules=""))
        (root / "benchmarks" / "workloads.py").write_text(WORKLOADS.format(strict=False, side=""))
        git("add", "-A")
        git("commit", "-q", "-m", f"The {name} one")
        git("tag", name)
    return root


def test_two_commits_by_turns(repository):
    said: list[str] = []
    found = commits.compare_commits("slow", "quick", ("seee",), 3, 4_096, 7, said.append, repository)
    figures = found["figures"][0]
    assert len(figures["a_rounds"]) == len(figures["b_rounds"]) == 3
    assert figures["verdict"] == "better" and figures["bounds"] == [3.0, 3.0]
    assert figures["a"] == pytest.approx(1_024 / 12)  # 12,000 ns a call of 1,024 commands
    assert figures["same_flow"] and figures["same_state"]
    assert (found["a"]["title"], found["b"]["title"]) == ("The slow one", "The quick one")
    assert [line.rpartition(" ")[2] for line in said if "round" in line] == list("ABBAAB")
    listed = subprocess.run(["git", "worktree", "list"], cwd=repository, capture_output=True, text=True, check=True)
    assert len(listed.stdout.splitlines()) == 1  # the two trees are gone


def test_sources_that_lie_there_may_have_other_rules_and_records(repository):
    (repository / "engine" / "core.py").write_text(CORE.format(cost=1_000, rules="new"))
    (repository / "benchmarks" / "workloads.py").write_text(WORKLOADS.format(strict=True, side="b"))
    found = commits.compare_commits("quick", ".", ("plain",), 2, 2_048, 7, lambda _: None, repository)
    figures = found["figures"][0]
    assert figures["same_flow"] and not figures["same_state"]  # the older one reads what the newer one wrote
    assert found["b"]["title"] == "the sources as they lie there"


def test_commits_that_cannot_be_measured(repository):
    with pytest.raises(commits.CommitError, match="nonsense"):
        commits.compare_commits("nonsense", "quick", ("plain",), 2, 2_048, 7, lambda _: None, repository)
    (repository / "engine" / "core.py").write_text("raise RuntimeError('half done')")
    with pytest.raises(commits.CommitError, match=r"cannot be measured: RuntimeError: half done"):
        commits.compare_commits("quick", ".", ("plain",), 2, 2_048, 7, lambda _: None, repository)


def test_commits_through_the_command(monkeypatch, folder):
    asked = []

    def measured(a, b, names, rounds, number, seed, tell):
        asked.append((a, b, names, rounds, number, seed))
        figure = paired("seee, million commands/s", [10.0, 10.0], [7.0, 7.0], "more").told()
        side = {"asked": a, "commit": a, "title": "T"}
        load = {"before": [0.0], "after": [0.0]}
        return {
            "a": side,
            "b": side,
            "load_average": load,
            "figures": [figure | {"same_state": True, "same_flow": True}],
        }

    monkeypatch.setattr(commits, "compare_commits", measured)
    words = ["compare", "--commits", "old", "HEAD", "--workload", "seee", "--runs-folder", str(folder), "--rounds", "4"]
    ran = call(*words, "--least", "0.7")
    assert ran.exit_code == 0, ran.output
    assert asked == [("a" * 40, "HEAD", ("seee",), 4, 2_000_000, 7)]
    assert "0.700" in ran.output and "50 % would not be within noise by luck" in ran.output
    ran = call(*words, "--least", "0.8")
    assert ran.exit_code == 1 and "B is not 0.8 times as good as A: seee" in ran.output
