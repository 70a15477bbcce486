"""What `bench compare` found, for people and as JSON."""

from __future__ import annotations

from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.compare import Comparison, Report
from benchmarks.saved import Saved
from benchmarks.svg import number

DRIFT: Final = (
    "A and B were measured one after the other, so what the machine's pace did in between is in these ratios."
    " compare --commits measures in turns."
)


def print_report(report: Report) -> None:
    """Two saved runs."""
    console = Console()
    for side, saved in (("A", report.a), ("B", report.b)):
        console.print(escape(f"{side}: {describe(saved)}"))
    for warning in warnings(report):
        console.print(escape(warning), style="bold")
    console.print(table(report.figures))
    console.print(escape(summary(report.figures)))
    console.print(DRIFT)
    if report.only:
        console.print(escape(f"In one of them only: {', '.join(report.only)}"))


def print_commits(found: dict[str, Any]) -> None:
    """Two commits measured in turns."""
    console = Console()
    for side in ("a", "b"):
        told = found[side]
        console.print(escape(f"{side.upper()}: {told['commit'][:12]} {told['title']}"))
    load = found["load_average"]
    console.print(escape(f"load average {load['before']} before, {load['after']} after"))
    rows = Table(title="Million commands a second, by turns", title_justify="left")
    for head in ("workload", "A", "B", "B / A", "of each round", "", "state", "flow"):
        rows.add_column(head, justify="left" if head == "workload" else "right")
    for each in found["figures"]:
        low, high = each["bounds"]
        same, flow = "same" if each["same_state"] else "differs", "same" if each["same_flow"] else "each its own"
        name = each["name"].partition(",")[0]
        figures = (f"{each['a']:.2f}", f"{each['b']:.2f}", f"{each['ratio']:.3f}", f"{low:.3f}..{high:.3f}")
        rows.add_row(name, *figures, each["verdict"], same, flow)
    console.print(rows)
    luck = found["figures"][0]["luck"]
    console.print(
        f"Of equal engines {100 * luck:.3g} % would not be within noise by luck alone; more --rounds make it less."
    )


def report_json(report: Report) -> dict[str, Any]:
    """The same for machines."""
    return {
        "benchmark": "compare",
        "a": {"name": report.a.name, "runs": len(report.a.runs), "environment": report.a.environment},
        "b": {"name": report.b.name, "runs": len(report.b.runs), "environment": report.b.environment},
        "warnings": warnings(report),
        "figures": [each.told() for each in report.figures],
        "in_one_only": report.only,
    }


def describe(saved: Saved) -> str:
    """Name, runs, commit, machine, load of a saved run."""
    commit = (saved.commit[:12] or "unknown commit") + (" with changes" if saved.dirty else "")
    load = f"load average {min(saved.load):g} to {max(saved.load):g}" if saved.load else "load average unknown"
    count = f"{len(saved.runs)} run{'s' if len(saved.runs) > 1 else ''}"
    return f"{saved.name}, {count} of {saved.benchmark}, {commit}, {saved.environment.get('cpu', '')}, {load}"


def warnings(report: Report) -> list[str]:
    """What makes the comparison worth less."""
    found = [f"DIFFERENT MACHINES, the ratios compare machines, not sources: {each}" for each in report.machines]
    found += [f"Other versions: {each}" for each in report.versions]
    plans = [saved.runs[0].get("plan") for saved in (report.a, report.b)]
    if plans[0] != plans[1]:
        found.append("Other settings of the benchmark: see `plan` in the files")
    cores = report.a.environment.get("cores") or 1
    for side, saved in (("A", report.a), ("B", report.b)):
        if saved.load and max(saved.load) > cores:
            found.append(f"{side} was measured beside others: load average up to {max(saved.load):g} on {cores} cores")
    return found


def table(figures: list[Comparison]) -> Table:
    """One row a figure: medians, ratio, bounds, which way is good, verdict."""
    found = Table(
        title="Medians; B / A with its noise bounds", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    for head in ("figure", "A", "B", "B / A", "bounds", "wanted", ""):
        left = head in ("figure", "")
        found.add_column(
            head, justify="left" if left else "right", overflow="fold", min_width=20 if head == "figure" else 0
        )
    for each in figures:
        name = each.name.replace("commands_per_second", "commands/s").replace(" / ", ", ")
        bounds = f"{each.low:.2f}..{each.high:.2f}"
        found.add_row(name, number(each.a), number(each.b), f"{each.ratio:.3f}", bounds, each.better, each.verdict)
    return found


def summary(figures: list[Comparison]) -> str:
    """How many figures differ, and how many would by luck alone."""
    verdicts = [each.verdict for each in figures]
    counts = ", ".join(f"{verdicts.count(name)} {name}" for name in dict.fromkeys(verdicts))
    lucky = sum(each.luck for each in figures if each.a_count > 1 and each.b_count > 1)
    if not lucky:
        return f"{counts}. One value a side shows no noise: save several runs to compare."
    return f"{counts}. Of equal figures about {lucky:.1f} would not be within noise by luck alone."
