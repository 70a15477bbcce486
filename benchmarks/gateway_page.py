"""Files of a gateway run: JSON, percentile tables (.hgrm), charts (.svg), and one page that holds everything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, Final

from benchmarks.gateway_bench import Found
from benchmarks.gateway_tables import Sheet, sheets, words
from benchmarks.gateway_trips import Samples
from benchmarks.percentiles import curve, hgrm
from benchmarks.svg import Chart, Mark, Scale, Series

STYLE: Final = """
body { font: 15px/1.5 sans-serif; max-width: 960px; margin: 2em auto; padding: 0 1em; color: #222; background: #fff }
h1 { font-size: 1.5em } h2 { font-size: 1.15em; margin: 2em 0 .3em }
table { border-collapse: collapse; font-size: 13px } div.wide { overflow-x: auto }
th, td { padding: .2em .7em; border-bottom: 1px solid #ddd; text-align: right; vertical-align: top }
th:first-child, td:first-child { text-align: left } p.about { margin: .2em 0 .6em; color: #555 }
svg { width: 100%; height: auto }
"""
MOST_MARKS: Final = 100
LATENCY: Final = "latency, µs (logarithmic)"


def write(found: Found, folder: Path) -> list[Path]:
    """Write everything into `folder`, which is made when missing; returns the files, the page first.

    Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn = dict(charts(found))
    files = {"index.html": page(found, drawn), "gateway.json": json.dumps(found.figures, indent=2) + "\n"}
    files |= {f"{name}.svg": chart.render() for name, chart in drawn.items()}
    files |= {f"{label.replace(' ', '-')}.hgrm": hgrm(values) for label, values in found.samples.items()}
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return [folder / name for name in files]


def charts(found: Found) -> Iterator[tuple[str, Chart]]:
    """(file name without its end, chart)."""
    figures, samples = found.figures, found.samples
    for batch in figures["plan"]["batches"]:
        yield f"round-trips-{batch}", _round_trips(samples, batch)
    curves = list(figures["curves"].values())
    if curves:
        yield "percentiles-at-half-the-knee", _half(samples, curves)
        for number in range(0, len(curves), 4):
            yield f"rate-{number // 4 + 1}", _rates(curves[number : number + 4])
    if "sustained" in figures:
        yield "sustained", _sustained(figures["sustained"])


def _round_trips(samples: Samples, batch: int) -> Chart:
    labels = [f"sync ack {batch}", f"echo ipc ack {batch}", f"echo tcp_curve ack {batch}"]
    labels += [f"ack {durability} {transport} {batch} x1" for durability in ("sync", "async")
               for transport in ("ipc", "tcp_curve")]  # fmt: skip
    names = ["floor: sync", "floor: echo ipc", "floor: echo tcp curve"]
    names += [label.replace("_", " ").removeprefix("ack ").removesuffix(f" {batch} x1") for label in labels[3:]]
    series = [
        Series(name, curve(samples[label]), rank)
        for rank, (name, label) in enumerate(zip(names, labels, strict=True))
        if label in samples
    ]
    title = f"Round trip of one frame of {batch}, order to acknowledgement"
    return Chart(title, Scale.percentile("percentile"), Scale.log(LATENCY), series)


def _half(samples: Samples, curves: list[dict[str, Any]]) -> Chart:
    series = [
        Series(words(each["case"]), curve(samples[f"{each['case']} half"]), rank)
        for rank, each in enumerate(curves)
        if f"{each['case']} half" in samples
    ]
    title = "Open loop at half the knee, from the moment a frame was due"
    return Chart(title, Scale.percentile("percentile"), Scale.log(LATENCY), series)


def _rates(curves: list[dict[str, Any]]) -> Chart:
    series, marks = [], []
    for number, each in enumerate(curves):
        steps = _best_of_each_rate(each["steps"])
        name = words(each["case"])
        series.append(Series(f"{name}: p50", [(x, p50) for x, p50, _ in steps], number, dots=True, dash=0))
        series.append(Series(f"{name}: p99", [(x, p99) for x, _, p99 in steps], number, dots=True, dash=2))
        if each["knee"]:
            marks.append(Mark(each["knee"], f"knee {each['knee']:,}", number))
    title = "Latency against rate, up to the knee"
    return Chart(title, Scale.log("commands a second, offered (logarithmic)"), Scale.log(LATENCY), series, marks)


def _best_of_each_rate(steps: list[dict[str, Any]]) -> list[tuple[float, float, float]]:
    """(rate, p50, p99), ascending. Steps that were overrun are left out: they measure the length of the run."""
    best: dict[float, tuple[float, float, float]] = {}
    for step in steps:
        found = (step["offered"], step["p50"], step["p99"])
        if not step["overrun"] and found <= best.get(step["offered"], found):
            best[step["offered"]] = found
    return sorted(best.values())


def _sustained(run: dict[str, Any]) -> Chart:
    line = run["timeline"]
    series = [
        Series("median", [(second, p50) for second, p50, _ in line], 0),
        Series("maximum", [(second, most) for second, _, most in line], 1),
    ]
    marks = [Mark(second, "", 2) for second in run["roll_at_seconds"][:MOST_MARKS]]
    if marks:
        marks[0] = marks[0]._replace(text="a segment begins")
    pause = run["largest_pause"]
    marks.append(Mark(pause["at_seconds"], f"largest pause {pause['ms']:g} ms", 3))
    title = f"Sustained: {words(run['case'])}"
    return Chart(title, Scale.linear("seconds"), Scale.log(LATENCY), series, marks)


def page(found: Found, drawn: dict[str, Chart]) -> str:
    """One HTML document with all charts and tables in it; it loads nothing."""
    where = found.figures["environment"]
    intro = (
        f"Made {found.figures['made']} in {found.figures['seconds']:g} s on {where['cpu']}, {where['cores']} cores,"
        f" commit {where['commit'][:12] or 'unknown'}{' with changes' if where['dirty'] else ''}; load average"
        f" {found.figures['load_average']['before']} before, {found.figures['load_average']['after']} after."
    )
    # Inside a page the name space of SVG is known, and naming it would be the only address in the page.
    pictures = [chart.render().replace(' xmlns="http://www.w3.org/2000/svg"', "") for chart in drawn.values()]
    parts = [f"<h1>Gateway</h1><p>{escape(intro)}</p>", *pictures, *map(_table, sheets(found.figures))]
    body = "\n".join(parts)
    head = f'<meta charset="utf-8"><title>carbonbook: gateway</title><style>{STYLE}</style>'
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def _table(sheet: Sheet) -> str:
    heads = "".join(f"<th>{escape(head)}</th>" for head in sheet.heads)
    rows = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in sheet.rows)
    return (
        f"<h2>{escape(sheet.title)}</h2><p class=about>{escape(sheet.about)}</p>"
        f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table></div>'
    )
