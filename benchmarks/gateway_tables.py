"""What `bench gateway` found, as tables of text: for the terminal and for the page alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from rich.box import SIMPLE_HEAD
from rich.table import Table

COLUMNS: Final = ("p50", "p90", "p99", "p99.9", "max")
TRIPS: Final = ("p50", "p99", "max")


class Sheet(NamedTuple):
    """A table: title, a sentence about it, heads, rows."""

    title: str
    about: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def words(label: str) -> str:
    """A case's label, for people: "fill, sync, ipc, 16/frame, 4 firms"."""
    flow, durability, transport, batch, firms, *rest = label.split(" ")
    count = firms.removeprefix("x")
    who = f"{count} firm" + ("" if count == "1" else "s")
    flow = "fill, other firm" if "maker" in rest else flow
    return f"{flow}, {durability}, {transport.replace('_', ' ')}, {batch}/frame, {who}"


def sheets(found: dict[str, Any]) -> Iterator[Sheet]:
    """Floors, round trips with their ratio, throughput, knees, every step towards them, the sustained run."""
    yield _floors(found)
    yield _trips(found)
    yield _throughput(found)
    yield _knees(found)
    for curve in found["curves"].values():
        yield _steps(curve)
    if "sustained" in found:
        yield _sustained(found["sustained"])
    yield _where(found)


def tables(found: dict[str, Any]) -> Iterator[Table]:
    """The same for the terminal, without the steps towards a knee."""
    searched = {_steps(curve).title for curve in found["curves"].values() if curve["knee"] is not None}
    for sheet in sheets(found):
        if sheet.title in searched:
            continue
        table = Table(
            title=sheet.title,
            title_justify="left",
            caption=sheet.about,
            caption_justify="left",
            box=SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
        )
        for number, head in enumerate(sheet.heads):
            table.add_column(
                head, justify="right" if number else "left", overflow="fold", min_width=0 if number else 20
            )
        for row in sheet.rows:
            table.add_row(*row)
        yield table


def _figures(figures: dict[str, Any]) -> tuple[str, ...]:
    return tuple(f"{figures[column]:,.0f}" if column in figures else "" for column in COLUMNS)


def _floors(found: dict[str, Any]) -> Sheet:
    rows = []
    for label, figures in found["floors"].items():
        what, *name, flow, batch = label.split(" ")
        transport = f" {name[0].replace('_', ' ')}" if name else ""
        rows.append((f"{what}{transport}, {flow}, {batch}/frame", *_figures(figures)))
    about = "echo: bare ROUTER and DEALER; sync: bare pwrite and fdatasync into zeros; the same bytes as the gateway's"
    return Sheet("Floors, µs", about, ("what", *COLUMNS), rows)


def _trips(found: dict[str, Any]) -> Sheet:
    rows = []
    for label, figures in found["closed"].items():
        more: tuple[str, ...] = ("", "", "")
        if "ratio" in figures:
            more = (f"{figures['floor']:,.0f}", f"{figures['ratio']:.2f}", f"{figures['quiet_ratio']:.2f}")
        rows.append((words(label), *(f"{figures[column]:,.0f}" for column in TRIPS), *more))
    about = (
        "ack: until the acknowledgement; fill: until the trade; other firm: until who rested knows of it. "
        "ratio: median over the floors' medians (echo, and sync where the disk is waited for), round by round; "
        "quiet: the same of the tenth percentiles, which neighbours hardly touch"
    )
    return Sheet("One frame at a time, µs", about, ("what", *TRIPS, "floor", "ratio", "quiet"), rows)


def _throughput(found: dict[str, Any]) -> Sheet:
    rows = [
        (words(label), f"{figures['commands_per_second']:,}", f"{figures['echo_per_second']:,}",
         f"{figures['echo_ratio']:.2f}")
        for label, figures in found["throughput"].items()
    ]  # fmt: skip
    about = "many frames on their way; beside it a bare echo of as many by as many, and how many times more it carries"
    return Sheet("Throughput, commands a second", about, ("what", "gateway", "bare echo", "ratio"), rows)


def _knees(found: dict[str, Any]) -> Sheet:
    rows = []
    for curve in found["curves"].values():
        half = curve.get("half")
        knee = "" if curve["knee"] is None else f"{curve['knee']:,}"
        rows.append((words(curve["case"]), knee, *(_figures(half) if half else [""] * len(COLUMNS))))
    about = "knee: commands a second that were kept up with; latencies in µs at half of it, counted from the due moment"
    heads = ("what", "knee", *COLUMNS)
    return Sheet("Knee, and latency at half of it", about, heads, rows)


def _steps(curve: dict[str, Any]) -> Sheet:
    rows = []
    for step in sorted(curve["steps"], key=lambda step: float(step["offered"])):
        held = {True: "yes", False: "no"}.get(step.get("held"), "")
        late = f"{step['sender_late_p99']:,.0f}"
        rows.append((f"{step['offered']:,}", f"{step['achieved']:,}", *_figures(step), late, held))
    about = f"µs from the moment a frame was due. sender late: 99 % left this soon. Above the knee: {curve['why']}"
    heads = ("commands/s offered", "answered", *COLUMNS, "sender late", "held")
    return Sheet(f"Latency against rate: {words(curve['case'])}", about, heads, rows)


def _sustained(run: dict[str, Any]) -> Sheet:
    pause = run["largest_pause"]
    rows = [
        ("commands a second, offered / answered", f"{run['offered']:,} / {run['achieved']:,}"),
        ("seconds", f"{run['seconds']:g}"),
        *((f"{column}, µs", value) for column, value in zip(COLUMNS, _figures(run), strict=True)),
        (f"segments of {run['segment_mib']} MiB begun", str(run["segment_rolls"])),
        ("their commits, ms", ", ".join(f"{ms:g}" for ms in run["roll_commit_ms"][:12]) or "none"),
        ("largest pause, ms", f"{pause['ms']:g} at second {pause['at_seconds']:g}"),
        ("its cause", pause["cause"]),
        *((f"in it, ms: {name}", f"{ms:g}") for name, ms in pause["evidence_ms"].items()),
    ]
    about = "a pause: no answer although a frame was due"
    return Sheet(f"Sustained: {words(run['case'])}", about, ("", ""), rows)


def _where(found: dict[str, Any]) -> Sheet:
    rows = [(key, str(value)) for key, value in found["environment"].items()]
    load = found["load_average"]
    rows.append(("load average before, after", f"{load['before']}  {load['after']}"))
    rows.append(("made, seconds", f"{found['made']}, {found['seconds']:g}"))
    return Sheet("Where", "figures of two machines may not be compared", ("", ""), rows)
