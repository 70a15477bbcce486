"""Machine instructions per command: a figure that other programs on the machine do not disturb.

A child process applies a saved workload under `perf stat`, where the machine lets it count, else under valgrind's
cachegrind. Two runs that differ only in how many commands they apply are subtracted, so that start-up does not count.
Under valgrind the kernel is compiled for a plain processor (it knows no newer instructions), once, into a cache of its
own; its count is therefore an upper bound.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks.runs import play
from benchmarks.workloads import Workload
from engine.core import Engine

COUNT: Final = 500_000
"""Commands by which the two runs differ."""
PATIENCE: Final = 3_600
"""Seconds for one run under valgrind; it is some fifty times slower."""
PLAIN_PROCESSOR: Final = {"NUMBA_CPU_NAME": "x86-64-v2", "NUMBA_CPU_FEATURES": ""}


def instructions(work: Workload, count: int = COUNT) -> dict[str, Any]:
    """`{"per_command": n, "counted_by": tool}`, or `{"per_command": None, "why": text}`."""
    with tempfile.TemporaryDirectory(prefix="carbonbook-instructions-") as name:
        folder = Path(name)
        work._replace(flow=work.flow[: 2 * count]).save(folder)
        child = [sys.executable, "-m", "benchmarks.instructions", name, work.name]
        whole = min(2 * count, len(work.flow))
        half = whole // 2
        why = []
        for tool, prefix, settings, pattern in _tools():
            try:
                few, many = (_counted([*prefix, *child, str(n)], settings, pattern) for n in (half, whole))
            except _CannotCountError as error:
                why.append(f"{tool}: {error}")
                continue
            return {"per_command": round((many - few) / (whole - half), 1), "counted_by": tool}
    return {"per_command": None, "why": "; ".join(why) or "neither perf nor valgrind is installed"}


class _CannotCountError(Exception):
    """The tool does not count here."""


def _tools() -> list[tuple[str, list[str], dict[str, str], str]]:
    """Name, command in front of the child's, settings, and where the count stands in what it prints."""
    found: list[tuple[str, list[str], dict[str, str], str]] = []
    if path := shutil.which("perf"):
        found.append(("perf", [path, "stat", "-x,", "-e", "instructions:u"], {}, r"^(\d+),[^,]*,instructions"))
    if path := shutil.which("valgrind"):
        command = [path, "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
        found.append(("valgrind", command, PLAIN_PROCESSOR, r"I +refs: +([\d,]+)"))
    return found


def _counted(command: list[str], settings: dict[str, str], pattern: str) -> int:
    environment = {**os.environ, "PYTHONHASHSEED": "0", **settings}  # so that both runs start alike
    try:
        if settings:  # compile outside of the tool; inside it would take an hour
            child = command[command.index(sys.executable) :]
            subprocess.run([*child[:-1], "0"], env=environment, capture_output=True, timeout=PATIENCE, check=True)
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        raise _CannotCountError(str(error)) from None
    match = re.search(pattern, ran.stderr, re.MULTILINE)
    if ran.returncode or not match:
        raise _CannotCountError((ran.stderr.strip().splitlines() or ["it printed no count"])[-1])
    return int(match[1].replace(",", ""))


def main(folder: str, name: str, count: str) -> None:
    """The child: prepare a saved workload and apply its first `count` commands."""
    work = Workload.load(Path(folder), name)
    engine = Engine(work.venue)
    play(engine, work.prepare, 1_024)
    play(engine, work.flow[: int(count)], 1_024)


if __name__ == "__main__":
    main(*sys.argv[1:4])
