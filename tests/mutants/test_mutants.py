"""The list of seeded faults is in order, and the hunt tells a fault that is noticed from one that is not."""

from __future__ import annotations

import ast
import os
import threading
from pathlib import Path

import pytest

from tests.mutants import __main__ as program
from tests.mutants.__main__ import ABOUT, FAULTS, chosen, told
from tests.mutants.fault import IMPLEMENTATIONS, KERNEL, REFERENCE, Change, Fault
from tests.mutants.run import ROOT, Stale, Verdict, changed, complaints_about, hunt

pytestmark = pytest.mark.nojit

NAMES = [fault.name for fault in FAULTS]
REQUIRED = """
    lifo_inside_a_level takers_price priority_lost_on_partial_fill t_plus_1_ignored half_even_closes_and_limits
    lock_kept_after_cancel price_improvement_stays_locked ioc_remainder_rests sweep_past_five_levels
    limit_up_exclusive limit_down_exclusive reply_before_append sync_left_out torn_batch_accepted
"""


def test_names():
    """Each name once, and none of the faults that must be tried has gone."""
    assert len(set(NAMES)) == len(NAMES)
    assert set(REQUIRED.split()) <= set(NAMES)


@pytest.mark.parametrize("fault", FAULTS, ids=NAMES)
def test_a_fault_is_judged_by_literal_tests(fault):
    """Comparing kernel and reference proves nothing about a fault in both; and the tests it names must exist."""
    for test in fault.tests:
        path, _, function = test.partition("::")
        assert "differential" not in path
        tree = ast.parse((ROOT / path).read_text("utf-8"))
        found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]
        assert len(found) == 1, test
        assert ast.get_docstring(found[0]) or not fault.implementations, "a rule's test names its source"


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.implementations], ids=lambda fault: fault.name)
def test_a_rule_is_broken_in_both_implementations(fault):
    assert fault.implementations == IMPLEMENTATIONS
    for folder in (KERNEL, REFERENCE):
        assert any(change.path.startswith(folder) for change in fault.changes)


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_a_fault_fits_the_sources_of_today(fault):
    """A text that was since rewritten would make the fault a check that cannot fail."""
    texts = {path: (ROOT / path).read_text("utf-8") for path in fault.files}
    for change in fault.changes:
        texts[change.path] = changed(texts[change.path], change)


def test_changes_fit_once():
    """A text that is missing, or there twice, makes the fault stale."""
    assert changed("a b c", Change("x", "b", "B")) == "a B c"
    for text in ("a c", "b b"):
        with pytest.raises(Stale, match=r"has the text to change [02] times"):
            changed(text, Change("x", "b", "B"))
    with pytest.raises(Stale, match="changes nothing"):
        changed("b", Change("x", "b", "b"))


TESTS = """
import pytest, rules

@pytest.fixture(params=["reference", "kernel"])
def implementation(request):
    return request.param

def test_twice(implementation):
    assert getattr(rules, implementation)(2) == 4

def test_nothing(implementation):
    pass
"""
RULES = "def kernel(x):\n    return 2 * x\n\n\ndef reference(x):\n    return x + x\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    (folder / "t").mkdir(parents=True)
    (folder / "rules.py").write_text(RULES)
    (folder / "t" / "test_rules.py").write_text(TESTS)
    (folder / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n')
    return folder


TWICE = ("t/test_rules.py::test_twice",)
BOTH = (Change("rules.py", "2 * x", "3 * x"), Change("rules.py", "x + x", "x + x + x"))


@pytest.mark.parametrize(
    ("changes", "tests", "result", "detail"),
    [
        (BOTH, TWICE, "killed", ""),
        (BOTH[:1], TWICE, "survived", "does not fall: test_twice [reference]"),
        (
            BOTH,
            (*TWICE, "t/test_rules.py::test_nothing"),
            "survived",
            "test_nothing [reference], test_nothing [kernel]",
        ),
        ((Change("rules.py", "2 * x", "2 * y"), BOTH[1]), TWICE, "broken", "NameError"),
        ((Change("rules.py", "4 * x", "5 * x"),), TWICE, "stale", "has the text to change 0 times"),
        ((Change("rules.py", "2 * x", "2 *"),), TWICE, "stale", "is no Python"),
        ((Change("other.py", "2 * x", "2 *"),), TWICE, "stale", "does not exist"),
    ],
    ids=["noticed", "in one only", "one test too many", "no judgement", "gone", "no Python", "no file"],
)
def test_verdicts(tree, changes, tests, result, detail):
    """Only a test that compares and finds a difference counts, and it must do so for both implementations."""
    verdict = hunt(Fault("fault", "rule", changes, tests), tree, tree.parent / "copy", 60)
    assert (verdict.result, detail in verdict.detail) == (result, True), verdict
    assert not (tree.parent / "copy").exists()
    assert (tree / "rules.py").read_text() == RULES
    assert "fault" in told(verdict)
    if result == "killed":
        assert verdict.killed_by == {"reference": ["test_twice"], "kernel": ["test_twice"]}
    else:
        assert result.upper() in told(verdict)


def test_a_hunt_ends_in_time(tree):
    endless = (Change("rules.py", "    return 2 * x", "    while True:\n        pass"),)
    assert hunt(Fault("fault", "rule", endless, TWICE), tree, tree.parent / "copy", 3).result == "timed out"


def test_tests_must_pass_without_a_fault(tree):
    """Before anything is planted: the chosen tests exist, pass, and run for both implementations."""
    fault = Fault("fault", "rule", BOTH, TWICE)
    assert complaints_about(tree, [fault], 60) == []
    (told_once,) = complaints_about(tree, [fault._replace(implementations=("reference", "third"))], 60)
    assert told_once.endswith("test_twice does not run for third")
    (tree / "rules.py").write_text(RULES.replace("2 * x", "3 * x"))
    assert "falls without a fault" in complaints_about(tree, [fault], 60)[0]


def test_choosing():
    assert chosen([], []) == FAULTS
    assert [fault.name for fault in chosen(["takers_price"], [])] == ["takers_price"]
    assert chosen([], ["paths"]) == ABOUT["paths"]
    assert [fault.name for fault in chosen(["takers_price"], ["paths"])] == [
        "takers_price",
        *(fault.name for fault in ABOUT["paths"]),
    ]
    with pytest.raises(ValueError, match="no fault is called unheard_of"):
        chosen(["unheard_of"], [])


@pytest.mark.parametrize("jobs", [1, 3])
def test_as_many_at_a_time_as_told(monkeypatch, jobs):
    """Never more processes than jobs, and no fewer while there are faults left; verdicts in the order of the list."""
    hunting, most, full = set(), [], threading.Barrier(jobs, timeout=30)

    def hunted(fault, *_):
        hunting.add(fault.name)
        full.wait()
        most.append(len(hunting))
        full.wait()
        hunting.remove(fault.name)
        return Verdict(fault.name, [])

    monkeypatch.setattr(program, "copy_sources", lambda _: None)
    monkeypatch.setattr(program, "complaints_about", lambda *_: [])
    monkeypatch.setattr(program, "hunt", hunted)
    verdicts, complaints = program.run(FAULTS[:6], 1, jobs, lambda _: None)
    assert ([verdict.name for verdict in verdicts], complaints) == (NAMES[:6], [])
    assert most == [jobs] * 6


@pytest.mark.parametrize("words", [["--jobs", "0"], ["--jobs", "two"], ["--about", "weather"], ["--only", "weather"]])
def test_wrong_command_lines(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        program.main(words)
    assert stopped.value.code == 2
    assert words[1] in capsys.readouterr().err


def test_one_job_for_every_core():
    """Unless told otherwise; a process bound to some cores counts those."""
    assert 1 <= program.cores() <= (os.cpu_count() or 1)
