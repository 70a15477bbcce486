"""Runs the conformance kit `tracebook-conformance` against the adapter, case by case and profile by profile."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.runs import Tell
from engine.core import ImplementationName

PROGRAM: Final = "tracebook-conformance"
PROFILES: Final = ("fifo-limit-v1", "fifo-full-v1")
ONLY: Final = "fifo"
"""The matching algorithm that the engine offers; cases with another one are named and left out."""
SECONDS: Final = 60
"""That the kit waits for one answer; the first start of the adapter may have to compile."""


class KitError(Exception):
    """The kit is not there, or does not run."""


class Result(NamedTuple):
    """One case or profile: AGREES, DIFFERS or NOT OFFERED, and what the kit said about it."""

    what: str
    result: str
    told: str


def find_kit() -> str:
    """The kit's program, beside this Python or in the path. Raises KitError."""
    beside = Path(sys.executable).parent / PROGRAM
    found = str(beside) if beside.exists() else shutil.which(PROGRAM)
    if not found:
        raise KitError(f"{PROGRAM} is not installed; pip install 'carbonbook[peers]', or name its program with --kit")
    return found


def run_kit(
    kit: str, implementation: ImplementationName, traces: int, events: int, seed: int, tell: Tell
) -> list[Result]:
    """The kit's fixed cases, each with the rules it states, and the generated traces of each profile."""
    candidate = shlex.join([sys.executable, "-m", "benchmarks.conformance", implementation])
    how = ["--timeout", str(SECONDS), "--candidate-cmd", candidate]
    found = []
    with tempfile.TemporaryDirectory(prefix="carbonbook-conformance-") as name:
        suite = Path(name) / "suite"
        _call(kit, "sample", str(suite))
        for case in json.loads((suite / "manifest.json").read_text("utf-8"))["cases"]:
            tell(f"case {case['name']}")
            found.append(_case(kit, suite, case, how))
        for profile in PROFILES:
            tell(f"profile {profile}: {traces} generated traces of {events} events")
            output = Path(name) / profile
            size = ["--traces", str(traces), "--events-per-trace", str(events), "--seed", str(seed)]
            status, told = _call(kit, "qualify", "--profile", profile, "--output-dir", str(output), *size, *how)
            found.append(Result(profile, "AGREES" if status == 0 else "DIFFERS", _summary(output, told)))
    return found


def _case(kit: str, suite: Path, case: dict[str, Any], how: list[str]) -> Result:
    rules = case["config"]
    if rules["matching_algorithm"] != ONLY:
        return Result(case["name"], "NOT OFFERED", f"matching algorithm {rules['matching_algorithm']}")
    options = ["--tick-size", rules["tick_size"], "--self-trade-policy", rules["self_trade_policy"]]
    status, told = _call(kit, "run", str(suite / case["events"]), *options, *how)
    return Result(case["name"], "AGREES" if status == 0 else "DIFFERS", "" if status == 0 else told)


def _summary(output: Path, told: str) -> str:
    """What a profile's report counts; the kit's own words where it wrote none."""
    try:
        checks = json.loads((output / "qualification.json").read_text("utf-8"))["checks"]
    except (OSError, ValueError, KeyError):
        return told
    fixed, generated = checks["fixed_cases"], checks["generated_campaign"]
    coverage = checks["semantic_coverage"]
    return (
        f"{fixed['passed']} of {fixed['total']} cases, {generated['completed_traces']} of "
        f"{generated['requested_traces']} traces, {coverage['covered']} of {coverage['expected']} capabilities"
    )


def _call(kit: str, *words: str) -> tuple[int, str]:
    """Exit status (0 agrees, 1 differs) and the last line told. Raises KitError for any other status."""
    try:
        ran = subprocess.run([kit, *words], capture_output=True, text=True, check=False)
    except OSError as error:
        raise KitError(f"{kit} cannot be run: {error.strerror}") from None
    told = (ran.stderr.strip() or ran.stdout.strip() or "it said nothing").splitlines()[-1]
    if ran.returncode not in (0, 1):
        raise KitError(f"{PROGRAM} {words[0]}: {told}")
    return ran.returncode, told
