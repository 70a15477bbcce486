"""`carbonbook bench save` and `carbonbook bench compare`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from benchmarks.saved import FOLDER

runs_folder = click.option(
    "--runs-folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=FOLDER,
    show_default=True,
    help="Where runs are saved by name.",
)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("benchmark", required=False)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--runs", type=click.IntRange(1, 20), default=3, show_default=True, help="Processes, one after the other."
)
@click.option("--from", "files", type=click.Path(exists=True, dir_okay=False), multiple=True, help="Adopt this JSON.")
@runs_folder
def save(
    name: str, benchmark: str | None, options: tuple[str, ...], runs: int, files: tuple[str, ...], runs_folder: Path
) -> None:
    """Run a benchmark a few times, each in a new process, and keep the JSON under NAME.

    What follows the benchmark's name goes to it. Several runs are what `compare` takes its noise bounds from.

    \b
    carbonbook bench save before engine --quick
    carbonbook bench save before-gateway gateway --quick --runs 5
    carbonbook bench save old --from benchmarks/baselines/engine.json
    """
    from benchmarks.saved import SavedError, load
    from benchmarks.saved import save as keep

    if bool(benchmark) == bool(files):
        raise click.UsageError("name either a benchmark to run or files to adopt (--from)")
    try:
        if benchmark:
            found = [_run(benchmark, options, number, runs) for number in range(runs)]
        else:
            found = [run for file in files for run in load(file).runs]
        path = keep(name, found, runs_folder)
    except SavedError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{path}: {len(found)} run{'s' if len(found) > 1 else ''} of {load(str(path)).benchmark}")


def _run(benchmark: str, options: tuple[str, ...], number: int, runs: int) -> dict[str, Any]:
    from benchmarks.cli import bench

    known = sorted(set(bench.commands) - {"save", "compare"})
    if benchmark not in known:
        raise click.BadParameter(f"{benchmark!r}; there are: {', '.join(known)}", param_hint="BENCHMARK")
    click.echo(f"run {number + 1} of {runs}: {benchmark} {' '.join(options)}", err=True)
    command = [sys.executable, "-m", "benchmarks.cli", benchmark, "--json", *options]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if ran.returncode:
        raise click.ClickException(f"{benchmark} ended with exit code {ran.returncode}; nothing was saved")
    try:
        found: dict[str, Any] = json.loads(ran.stdout)
    except ValueError:
        raise click.ClickException(f"{benchmark} printed no JSON; nothing was saved") from None
    return found


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--commits", is_flag=True, help="A and B are commits (or saved runs, for theirs): time both engines now.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.option("--only", default="*", help="Only figures whose name fits, such as '*1024*'.")
@click.option("--least", type=click.FloatRange(min=0), help="Exit code 1 when B is not so many times as good as A.")
@click.option("--anyway", is_flag=True, help="Compare although the machines differ.")
@click.option("--workload", type=click.Choice(["plain", "seee", "both"]), default="both", show_default=True)
@click.option("--rounds", type=click.IntRange(2, 100), default=5, show_default=True, help="Processes of each commit.")
@click.option("--commands", type=click.IntRange(1_000, 50_000_000), default=2_000_000, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=7, show_default=True)
@runs_folder
def compare(a: str, b: str, commits: bool, **asked: Any) -> None:
    """Compare two saved runs (names or files): medians, ratio B / A, and whether that is more than noise.

    Saved runs of different machines are refused. With --commits both engines are measured in this run, in turns, each
    in processes of its own from a tree of its own; "." is the sources as they lie there. --rounds, --commands, --seed
    and --workload belong to that.

    \b
    carbonbook bench compare before after
    carbonbook bench compare benchmarks/baselines/engine.json after --only 'seee*'
    carbonbook bench compare --commits benchmarks/baselines/engine.json HEAD --workload seee --least 0.8
    """
    if commits:
        _compare_commits(a, b, asked)
    else:
        _compare_saved(a, b, asked)


def _compare_saved(a: str, b: str, asked: dict[str, Any]) -> None:
    from benchmarks.compare import compare as side_by_side
    from benchmarks.compare_tables import print_report, report_json
    from benchmarks.saved import SavedError, load

    try:
        one, other = load(a, asked["runs_folder"]), load(b, asked["runs_folder"])
    except SavedError as error:
        raise click.ClickException(str(error)) from None
    if one.benchmark != other.benchmark:
        raise click.ClickException(f"{a} is a run of {one.benchmark}, {b} of {other.benchmark}: nothing to compare")
    report = side_by_side(one, other, asked["only"])
    if report.machines and not asked["anyway"]:
        what = "; ".join(report.machines)
        raise click.ClickException(f"measured on different machines ({what}); --anyway compares all the same")
    if not report.figures:
        raise click.ClickException(f"no figure in both fits {asked['only']!r}")
    if asked["as_json"]:
        click.echo(json.dumps(report_json(report), indent=2))
    else:
        print_report(report)
    _judge([(each.name, each.goodness) for each in report.figures], asked["least"])


def _compare_commits(a: str, b: str, asked: dict[str, Any]) -> None:
    from rich.console import Console

    from benchmarks.commits import CommitError, compare_commits
    from benchmarks.compare_tables import print_commits

    names = ("plain", "seee") if asked["workload"] == "both" else (asked["workload"],)
    numbers = (asked["rounds"], asked["commands"], asked["seed"])
    status = Console(stderr=True).status("start")
    try:
        with status:
            first, second = (_commit_of(each, asked["runs_folder"]) for each in (a, b))
            found = compare_commits(first, second, names, *numbers, status.update)
    except CommitError as error:
        raise click.ClickException(str(error)) from None
    if asked["as_json"]:
        click.echo(json.dumps(found, indent=2))
    else:
        print_commits(found)
    _judge([(each["name"], each["ratio"]) for each in found["figures"]], asked["least"])


def _commit_of(name: str, folder: Path) -> str:
    """A saved run's commit; anything else is for git to understand."""
    from benchmarks.saved import SavedError, load

    try:
        saved = load(name, folder)
    except SavedError:
        return name
    if not saved.commit:
        raise click.ClickException(f"{name} names no commit")
    return saved.commit


def _judge(figures: list[tuple[str, float]], least: float | None) -> None:
    missed = [f"{name} ({goodness:.2f})" for name, goodness in figures if least is not None and goodness < least]
    if missed:
        raise click.ClickException(f"B is not {least:g} times as good as A: {', '.join(missed)}")
