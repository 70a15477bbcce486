"""The engines of two commits, timed in turns in one run: what saved runs cannot show when the machine's pace drifts."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.compare import paired
from benchmarks.environment import environment, load_average

ROOT: Final = Path(__file__).resolve().parents[1]
CHILD: Final = Path(__file__).with_name("commit_child.py")
PASSES: Final = 3
CHILD_SECONDS: Final = 1_800
"""A first pass compiles the kernel of its commit."""
WORKING_TREE: Final = "."
Say = Callable[[str], None]


class CommitError(Exception):
    """No such commit, or its tree cannot be measured."""


def compare_commits(
    a: str, b: str, workloads: tuple[str, ...], rounds: int, commands: int, seed: int, say: Say, root: Path = ROOT
) -> dict[str, Any]:
    """Million commands per second of both, by workload, with the ratio B over A of each pair of processes.

    Args:
        a, b: commits, or "." for the sources as they lie there.
        root: the repository, or a folder in it.

    Raises:
        CommitError.
    """
    load = load_average()
    with tempfile.TemporaryDirectory(prefix="cb") as folder, contextlib.ExitStack() as stack:
        place = Path(folder)
        trees = [stack.enter_context(_tree(root, commit, place / side)) for side, commit in (("a", a), ("b", b))]
        found = [_workload(trees, name, place / name, rounds, commands, seed, say) for name in workloads]
    return {
        "benchmark": "commits",
        "a": _named(root, a),
        "b": _named(root, b),
        "environment": environment(),
        "load_average": {"before": load, "after": load_average()},
        "rounds": rounds,
        "figures": found,
    }


def _workload(
    trees: list[Path], name: str, folder: Path, rounds: int, commands: int, seed: int, say: Say
) -> dict[str, Any]:
    say(f"{name}: write the flow (compiles the kernel of a commit that is new here)")
    flows = _flows(trees, name, folder, commands, seed)
    rates: tuple[list[float], list[float]] = ([], [])
    digests: tuple[set[str], set[str]] = (set(), set())
    for number in range(rounds):
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            say(f"{name}: round {number + 1} of {rounds}, {'AB'[side]}")
            told = _child(trees[side], "time", flows[side], name, PASSES)
            rates[side].append(1_000 / told["nanoseconds"])
            digests[side].add(told["digest"])
    told = paired(f"{name}, million commands/s", *rates, "more").told()
    return told | {
        "a_rounds": [round(rate, 3) for rate in rates[0]],
        "b_rounds": [round(rate, 3) for rate in rates[1]],
        "same_flow": flows[0] == flows[1],
        "same_state": digests[0] == digests[1],
    }


def _flows(trees: list[Path], name: str, folder: Path, commands: int, seed: int) -> list[Path]:
    """One flow for both, when each reads what the other wrote; else each has its own, from the same seed.

    On the way every tree has run once, and so compiled its kernel.
    """
    for maker, reader in ((0, 1), (1, 0)):
        shared = folder / f"made-by-{'ab'[maker]}"
        _child(trees[maker], "make", shared, name, commands, seed)
        with contextlib.suppress(CommitError):
            _child(trees[reader], "time", shared, name, 1)
            return [shared, shared]
    return [folder / "made-by-a", folder / "made-by-b"]


def _child(tree: Path, what: str, folder: Path, *more: str | int) -> dict[str, Any]:
    command = [sys.executable, "-P", str(CHILD), what, str(folder), *map(str, more)]
    path = os.environ | {"PYTHONPATH": str(tree)}
    try:
        ran = subprocess.run(
            command, cwd=tree, env=path, capture_output=True, text=True, timeout=CHILD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise CommitError(f"{tree.name}: not done within {CHILD_SECONDS // 60} minutes") from None
    if ran.returncode:
        last = (ran.stderr.strip() or "no word").splitlines()[-1]
        raise CommitError(f"the engine of {tree.name.upper()} cannot be measured: {last}")
    told: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    if Path(told["tree"]).resolve() != tree.resolve():
        raise CommitError(f"measured {told['tree']} instead of {tree}")
    return told


@contextlib.contextmanager
def _tree(root: Path, commit: str, place: Path) -> Iterator[Path]:
    """A commit's sources in a folder of their own, removed at the end; "." are those that lie there."""
    if commit == WORKING_TREE:
        yield root
        return
    git(root, "worktree", "add", "--detach", "--quiet", str(place), git(root, "rev-parse", f"{commit}^{{commit}}"))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        with contextlib.suppress(CommitError):
            git(root, "worktree", "prune")


def git(root: Path, *words: str) -> str:
    """What git says. Raises CommitError with its own last line."""
    try:
        ran = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, timeout=120, check=True)
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip() or "no word").splitlines()[-1]
        raise CommitError(f"git {words[0]} {words[-1]}: {last}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CommitError(f"git: {error}") from None
    return ran.stdout.strip()


def _named(root: Path, commit: str) -> dict[str, str]:
    if commit == WORKING_TREE:
        return {"asked": commit, "commit": git(root, "rev-parse", "HEAD"), "title": "the sources as they lie there"}
    sha, _, title = git(root, "log", "-1", "--format=%H %s", commit).partition(" ")
    return {"asked": commit, "commit": sha, "title": title}
