"""Check that the tests notice seeded faults.

    python -m tests.mutants [--only NAME ...] [--about SUBJECT ...] [--jobs N] [--list] [--json]

Exit code 0 only when every fault falls to every test that it names, for the kernel and for the reference each.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from tests.mutants import (
    auctions,
    blocks,
    bounds,
    calls,
    clearing,
    compliance,
    controls,
    dates,
    further,
    limits,
    listing,
    matching,
    money_and_day,
    paths,
    plain_path,
    registry,
)
from tests.mutants.fault import Fault
from tests.mutants.run import TIMEOUT, Verdict, complaints_about, copy_sources, hunt

MODULES = (
    *(matching, money_and_day),
    *(blocks, auctions, clearing, bounds),
    *(registry, compliance, dates),
    *(controls, limits, listing),
    *(further, calls),
    *(paths, plain_path),
)
ABOUT: dict[str, list[Fault]] = {module.__name__.rpartition(".")[2]: module.FAULTS for module in MODULES}
"""The faults by what they are about."""
FAULTS: list[Fault] = [fault for faults in ABOUT.values() for fault in faults]
NAME, WHERE, BY = max(len(fault.name) for fault in FAULTS), 27, 58


def chosen(names: list[str], about: list[str]) -> list[Fault]:
    """The faults of these names and those about these subjects, or all. Raises ValueError for a name that is none."""
    unknown = set(names) - {fault.name for fault in FAULTS}
    if unknown:
        raise ValueError(f"no fault is called {', '.join(sorted(unknown))}; --list shows them")
    wanted = {*names, *(fault.name for subject in about for fault in ABOUT[subject])}
    return [fault for fault in FAULTS if fault.name in wanted or not (names or about)]


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def row(name: str, where: str, by: str, seconds: str) -> str:
    return f"{name:{NAME}}  {where:{WHERE}}  {by:{BY}}  {seconds:>7}".rstrip()


def told(verdict: Verdict) -> str:
    """A verdict as lines of the table."""
    where = [path.removeprefix("engine/") for path in verdict.files]
    by = []
    if verdict.result != "killed":
        by += textwrap.wrap(f"{verdict.result.upper()}: {verdict.detail}", BY)
    for implementation, tests in verdict.killed_by.items():
        words = ", ".join(test.removeprefix("test_") for test in tests)
        by += textwrap.wrap(
            words if implementation == "-" else f"{implementation}: {words}", BY, subsequent_indent="  "
        )
    columns = itertools.zip_longest([verdict.name], where, by, [f"{verdict.seconds:.1f} s"], fillvalue="")
    return "\n".join(row(*line) for line in columns)


def run(faults: list[Fault], timeout: float, jobs: int, say: Callable[[str], None]) -> tuple[list[Verdict], list[str]]:
    """Verdicts of all faults, or complaints about the sources without any. At most `jobs` processes test at a time."""
    with tempfile.TemporaryDirectory(prefix="carbonbook-mutants-") as temporary:
        base = Path(temporary) / "base"
        copy_sources(base)
        complaints = complaints_about(base, faults, timeout * len(faults))
        if complaints:
            return [], complaints
        say(row("fault", "where", "noticed by", "time"))
        verdicts = []
        with ThreadPoolExecutor(jobs) as pool:
            for verdict in pool.map(lambda f: hunt(f, base, Path(temporary) / f.name, timeout), faults):
                say(told(verdict))
                verdicts.append(verdict)
        return verdicts, []


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Check that tests notice faults.")
    parser.add_argument("--only", metavar="NAME", action="append", default=[], help="this fault alone; may be repeated")
    parser.add_argument(
        "--about", metavar="SUBJECT", action="append", default=[], choices=ABOUT, help=f"one of {', '.join(ABOUT)}"
    )
    parser.add_argument(
        "--jobs", type=positive, default=cores(), help="faults tested at a time; one for every core unless told"
    )
    parser.add_argument("--list", action="store_true", help="show the faults and what each breaks")
    parser.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    parser.add_argument("--timeout", type=float, default=TIMEOUT, help="seconds for one fault's tests (%(default)s)")
    options = parser.parse_args(arguments)
    try:
        faults = chosen(options.only, options.about)
    except ValueError as error:
        parser.error(str(error))
    if options.list:
        for fault in faults:
            print(f"{fault.name:{NAME}}  {fault.breaks}")
        return 0
    began = time.perf_counter()
    verdicts, complaints = run(faults, options.timeout, options.jobs, (lambda _: None) if options.json else print_now)
    seconds = time.perf_counter() - began
    missed = [verdict for verdict in verdicts if verdict.result != "killed"]
    if options.json:
        print(json.dumps({"faults": [asdict(v) for v in verdicts], "complaints": complaints}, indent=1))
    elif complaints:
        print("The chosen tests do not pass on the sources as they are:", *complaints, sep="\n  ")
    else:
        print(f"\n{len(verdicts) - len(missed)} of {len(verdicts)} faults noticed, {seconds:.0f} s")
        for verdict in missed:
            print(f"  {verdict.result}: {verdict.name}: {verdict.detail}")
    return 1 if missed or complaints else 0


def positive(text: str) -> int:
    """A whole number from 1 on. Raises ValueError, which argparse words."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def print_now(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
