"""Planting a fault in a copy of the sources and running the tests that must notice it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.mutants.fault import Change, Fault

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("engine", "replay", "gateway", "tests", "pyproject.toml")
"""What a copy consists of. The copies run as plain Python, so nothing is compiled."""
TIMEOUT = 300.0
"""Seconds for the tests of one fault: far more than they need, also where others keep the machine busy."""
JUDGEMENT = re.compile(r"(AssertionError|assert |Failed: |[\w.]*\bFinding: )")
"""How the message of a test begins that compared and found a difference. Any other exception proves nothing."""


class Stale(Exception):
    """A change does not fit the sources any more."""


@dataclass
class Case:
    """One run of one test."""

    test: str
    parameters: frozenset[str]
    judged: bool
    """Fell by an assertion."""
    broken: bool
    """Fell by something else."""
    message: str = ""


@dataclass
class Verdict:
    """What became of one fault."""

    name: str
    files: list[str]
    result: str = "killed"
    """killed, survived, stale, timed out or broken"""
    detail: str = ""
    killed_by: dict[str, list[str]] = field(default_factory=dict)
    """Tests that fell, by implementation ("-" where there is one only), with how many parameter sets."""
    seconds: float = 0.0


def copy_sources(folder: Path) -> None:
    """The tree as it stands, without what the interpreter left behind."""
    folder.mkdir(parents=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__", ".hypothesis"))
        else:
            shutil.copy2(source, folder / part)


def changed(text: str, change: Change) -> str:
    """The text with one change made. Raises Stale."""
    found = text.count(change.old)
    if found != 1:
        raise Stale(f"{change.path} has the text to change {found} times: {change.old.strip().splitlines()[0]}")
    if change.old == change.new:
        raise Stale(f"{change.path}: the change changes nothing")
    return text.replace(change.old, change.new)


def plant(fault: Fault, folder: Path) -> None:
    """Make a fault's changes in a tree. Raises Stale."""
    for change in fault.changes:
        path = folder / change.path
        if not path.is_file():
            raise Stale(f"{change.path} does not exist")
        text = changed(path.read_text("utf-8"), change)
        try:
            compile(text, change.path, "exec")
        except SyntaxError as error:
            raise Stale(f"{change.path}: the changed text is no Python: {error}") from None
        path.write_text(text, "utf-8")
        for left in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
            left.unlink()


def run_tests(folder: Path, tests: Iterable[str], timeout: float) -> list[Case]:
    """Run tests in a tree, interpreted. Raises subprocess.TimeoutExpired."""
    report = folder / "report.xml"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "--tb=short", f"--junitxml={report}", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(folder), "NUMBA_DISABLE_JIT": "1"}
    ended = subprocess.run(
        [*command, *sorted(set(tests))],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if not report.exists():
        return [Case("pytest", frozenset(), False, True, (ended.stdout + ended.stderr)[-400:])]
    return [read_case(case) for case in ET.parse(report).getroot().iter("testcase")]


def read_case(case: ET.Element) -> Case:
    name, _, parameters = case.get("name", "").partition("[")
    test = f"{case.get('classname', '').replace('.', '/')}.py::{name}"
    failure, error = case.find("failure"), case.find("error")
    told = failure if failure is not None else error
    message = "" if told is None else (told.get("message") or "")
    judged = failure is not None and JUDGEMENT.match(message) is not None
    words = frozenset(parameters.rstrip("]").split("-"))
    return Case(test, words, judged, told is not None and not judged, message)


def fell(cases: list[Case], test: str, implementation: str) -> int:
    """How many runs of a test fell by an assertion, for one implementation."""
    wanted = {implementation} - {"-"}
    return sum(case.judged for case in cases if case.test == test and wanted <= case.parameters)


def judge(fault: Fault, cases: list[Case]) -> Verdict:
    """Every test that the fault names must fall, for every implementation."""
    verdict = Verdict(fault.name, fault.files)
    fallen, standing = defaultdict(list), []
    for implementation in fault.implementations or ("-",):
        for test in fault.tests:
            count = fell(cases, test, implementation)
            function = test.partition("::")[2]
            if count:
                fallen[implementation].append(function + (f" ({count})" if count > 1 else ""))
            else:
                standing.append(f"{function} [{implementation}]" if fault.implementations else function)
    verdict.killed_by = dict(fallen)
    if standing:
        broken = next((case.message for case in cases if case.broken), "")
        verdict.result = "broken" if broken else "survived"
        verdict.detail = f"does not fall: {', '.join(standing)}" + (f"; {broken.splitlines()[0]}" if broken else "")
    return verdict


def hunt(fault: Fault, base: Path, folder: Path, timeout: float = TIMEOUT) -> Verdict:
    """Copy `base` to `folder`, plant the fault there and see whether the tests notice."""
    began = time.perf_counter()
    try:
        shutil.copytree(base, folder)
        plant(fault, folder)
        verdict = judge(fault, run_tests(folder, fault.tests, timeout))
    except Stale as error:
        verdict = Verdict(fault.name, fault.files, "stale", str(error))
    except subprocess.TimeoutExpired:
        verdict = Verdict(fault.name, fault.files, "timed out", f"the tests did not end in {timeout:.0f} s")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    verdict.seconds = round(time.perf_counter() - began, 1)
    return verdict


def complaints_about(base: Path, faults: Iterable[Fault], timeout: float) -> list[str]:
    """Why the chosen tests prove nothing on the sources as they are; empty when all is well."""
    faults = list(faults)
    cases = run_tests(base, [test for fault in faults for test in fault.tests], timeout)
    found = [f"{case.test} falls without a fault: {case.message}" for case in cases if case.judged or case.broken]
    for fault in faults:
        for implementation in fault.implementations or ("-",):
            wanted = {implementation} - {"-"}
            for test in fault.tests:
                if not any(case.test == test and wanted <= case.parameters for case in cases):
                    found.append(f"{fault.name}: {test} does not run for {implementation}")
    return found
