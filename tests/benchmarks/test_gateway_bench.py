"""The gateway's benchmark runs from end to end, small, and its figures and files hang together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import floors
from benchmarks.cli import bench
from benchmarks.gateway_bench import measure
from benchmarks.gateway_load import LoadError, Maker, Session
from benchmarks.gateway_plan import QUICK, Case, Plan, restricted
from benchmarks.gateway_server import MAKER, server
from benchmarks.gateway_sustained import Commits, Pause, explain, largest_pause, segment_bytes, timeline
from benchmarks.gateway_tables import tables, words
from benchmarks.gateway_trips import sessions
from benchmarks.open_loop import Outcome, Schedule, Sockets, drive

MS = 1_000_000


def processes_of(folder: Path) -> list[str]:
    """Command lines of running processes that name a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder) in words and path.parent.name != str(os.getpid()):
            found.append(words)
    return found


class Page(HTMLParser):
    """Collects what a page would load, and its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.loads += [f"{tag} {name}" for name, _ in attributes if name in ("src", "href", "srcset", "data", "action")]


def test_everything_through_the_front_door(tmp_path: Path):
    """One case, with a sustained run and all files, as a user calls it."""
    out, disk = tmp_path / "out", tmp_path / "d"
    disk.mkdir()
    command = [sys.executable, "-m", "gateway.cli", "bench", "gateway", "--quick", "--json", "--out", str(out)]
    command += ["--durability", "sync", "--transport", "ipc", "--batch", "1", "--firms", "2", "--seconds", "0.2"]
    command += ["--sustain", "1", "--sustain-rate", "200", "--folder", str(disk), "--implementation", "reference"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert not list(disk.iterdir()) and not processes_of(disk)  # journals and processes are gone
    found = json.loads(ran.stdout)
    assert found == json.loads((out / "gateway.json").read_text())
    _check_figures(found)
    _check_files(out, found)


def _check_figures(found: dict) -> None:
    assert set(found["closed"]) == {"ack sync ipc 1 x1", "fill sync ipc 1 x1", "fill sync ipc 1 x1 maker"}
    for flow in ("ack", "fill"):
        trips = found["closed"][f"{flow} sync ipc 1 x1"]
        assert trips["count"] == QUICK.trips * QUICK.rounds
        assert 0 < trips["p10"] <= trips["p50"] <= trips["p99"] <= trips["max"]
        echo, sync = found["floors"][f"echo ipc {flow} 1"], found["floors"][f"sync {flow} 1"]
        least = [a + b for a, b in zip(echo["p50_rounds"], sync["p50_rounds"], strict=True)]
        ratios = [own / floor for own, floor in zip(trips["p50_rounds"], least, strict=True)]
        assert trips["ratio_rounds"] == pytest.approx(ratios, abs=0.001)
        assert trips["ratio"] == pytest.approx(np.median(ratios), abs=0.01)
    assert found["closed"]["fill sync ipc 1 x1 maker"]["p50"] >= found["closed"]["fill sync ipc 1 x1"]["p50"]
    assert found["throughput"]["ack sync ipc 1 x2"]["commands_per_second"] > 0
    for label in ("ack sync ipc 1 x2", "fill sync ipc 1 x2"):
        curve = found["curves"][label]
        held = [step["offered"] for step in curve["steps"] if step["held"]]
        assert curve["knee"] == max(held, default=0)
        assert curve["steps"][0]["p50"] > 0
    sustained = found["sustained"]
    assert sustained["count"] == 200 and not sustained["overrun"]
    assert sustained["largest_pause"]["cause"]
    assert found["environment"]["commit"] and len(found["load_average"]["before"]) == 3


def _check_files(out: Path, found: dict) -> None:
    names = {path.name for path in out.iterdir()}
    assert {"index.html", "gateway.json", "round-trips-1.svg", "rate-1.svg", "sustained.svg"} <= names
    assert {"ack-sync-ipc-1-x1.hgrm", "echo-ipc-ack-1.hgrm", "ack-sync-ipc-1-x2-sustained.hgrm"} <= names
    lines = (out / "ack-sync-ipc-1-x1.hgrm").read_text().splitlines()
    last = [line.split() for line in lines if line and not line.startswith("#")][-1]
    assert float(last[0]) == pytest.approx(found["closed"]["ack sync ipc 1 x1"]["max"], rel=0.002)
    assert int(last[2]) == found["closed"]["ack sync ipc 1 x1"]["count"]
    for path in out.glob("*.svg"):
        ElementTree.fromstring(path.read_text("utf-8"))
    text = (out / "index.html").read_text("utf-8")
    page = Page()
    page.feed(text)
    assert page.loads == [] and "http" not in text and "@import" not in text and "url(" not in text
    assert page.tags.count("svg") == len(list(out.glob("*.svg")))
    assert "script" not in page.tags and page.tags.count("table") >= 5


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with server(tmp_path_factory.mktemp("g"), "async", firms=3, implementation="reference") as started:
        yield started


@pytest.mark.parametrize("transport", ["ipc", "tcp_curve"])
@pytest.mark.parametrize("flow", ["ack", "fill"])
@pytest.mark.parametrize("batch", [1, 16])
def test_every_command_is_answered_once(running, transport, flow, batch):
    case = Case(flow, "async", transport, batch, firms=3)
    with sessions(running, case) as (opened, maker):
        outcome = drive(Sockets(opened, maker), Schedule.at_rate(600.0 * batch, 0.2, 3, batch))
        assert [session.answered for session in opened] == [40 * batch] * 3
        assert len(outcome.latency) == 120 and (outcome.latency > 0).all() and not outcome.overrun
        if maker is not None:
            maker.expect(120 * batch)
            assert [session.trades for session in opened] == [40 * batch] * 3


def test_a_refused_order_is_no_answer(running):
    """Firm 1's orders to fill find nobody on the other side: they end as CANCELLED, which nobody may count."""
    import zmq

    context = zmq.Context()
    try:
        with Maker(context, running.target("ipc", MAKER)) as maker:
            maker.socket.send(_cancel_of(maker))
            while maker.receive() == 0 and maker.received < 500:
                pass
            with Session(context, running.target("ipc", 1), flow="fill") as session:
                session.send()
                with pytest.raises(LoadError, match=r"session F1 got (CANCELLED|EXPIRED|REJECTED) \("):
                    while True:
                        session.receive()
    finally:
        context.destroy(0)


def _cancel_of(maker: Maker) -> bytes:
    from engine.schema import CommandKind, commands
    from gateway import wire

    made = commands(1)
    made["kind"], made["client_order_id"] = CommandKind.MASS_CANCEL, maker.number + 2
    return wire.pack_commands(made, maker.received)


def test_a_strange_session_is_refused(running):
    import zmq

    context = zmq.Context()
    try:
        with pytest.raises(LoadError, match="session NOBODY was refused"):
            Session(context, running.target("ipc")._replace(session="NOBODY"))
        with pytest.raises(ValueError, match="1 or an even number"):
            Session(context, running.target("ipc"), batch=3)
    finally:
        context.destroy(0)


def test_a_server_that_cannot_start(tmp_path):
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(LoadError, match="the server did not start"), server(tmp_path, "sync", 1, "reference"):
        pass


def test_a_queue_stays_within_the_credit(running):
    """128 bytes an event and 40 around them: 64 events are 8,232 bytes, of which 6 MiB hold 764."""
    from benchmarks.gateway_curves import most_waiting, run

    assert most_waiting(Case(batch=64, firms=4), 8 << 20) == 4 * 764
    assert most_waiting(Case("fill", batch=64, firms=1), 8 << 20) == 6 * 2**20 // (40 + 128 * 128)
    assert most_waiting(Case(firms=64), 8 << 20) == 20_000
    overrun = run(running, Case("fill", "async", "ipc", 64, 3), 2_000_000, 0.5, 0.1)  # far beyond what it can do
    assert overrun.overrun


# Floors


def test_floors_have_the_gateways_sizes():
    assert (floors.request_bytes(1), floors.request_bytes(64)) == (8 + 64, 8 + 64 * 64)
    assert (floors.answer_bytes(1, "ack"), floors.answer_bytes(1, "fill")) == (8 + 32 + 128, 8 + 32 + 256)
    assert floors.batch_bytes(1, "ack") % 512 == 0 and floors.batch_bytes(64, "ack") >= 64 * (96 + 128)


@pytest.mark.parametrize("transport", ["ipc", "tcp", "tcp_curve"])
def test_the_echo(tmp_path, transport):
    with floors.echo_server(transport, tmp_path) as echo:
        assert len(echo.trips(20, 16, "fill")) == 20
        assert echo.rate(1, 3, 4, 0.05) > 0
        echo.socket.send((1_000).to_bytes(4, "little") + bytes(68))
        assert len(echo.socket.recv()) == 1_000
    assert not processes_of(tmp_path)


def test_the_sync_floor_leaves_nothing(tmp_path):
    assert len(floors.sync(tmp_path, 5, 1_024)) == len(floors.sync(tmp_path, 5, 512, durable=False)) == 5
    assert not list(tmp_path.iterdir())


# The sustained run, by hand


def outcome_of(latency: list[int], answered_at: list[int], late: list[int], interval: float = MS) -> Outcome:
    arrays = (np.array(each, np.int64) for each in (latency, answered_at, late))
    return Outcome(Schedule(interval, len(late), 1), *arrays, begun=0, overrun=False)


def test_the_largest_pause_needs_a_frame_that_waits():
    """Due at 0, 1, 2, 50, 51 ms; answered at 1, 2, 30, 51, 52: from 2 to 30 ms something waited, then nothing."""
    answered = [1, 2, 30, 51, 52]
    due = [0, 1, 2, 50, 51]
    latency = [(a - d) * MS for a, d in zip(answered, due, strict=True)]
    outcome = outcome_of(latency, [a * MS for a in answered], [0] * 5)
    assert largest_pause(outcome) == Pause(2 * MS, 30 * MS)
    assert timeline(outcome) == [[0.0, 1_000.0, 28_000.0]]
    assert largest_pause(outcome_of([], [], [0])).length == 0


def commits(*rows: tuple[int, int, bool]) -> Commits:
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return Commits(*(np.array(column, kind) for column, kind in zip(columns, (np.int64, np.int64, bool), strict=True)))


@pytest.mark.parametrize(
    ("rows", "waits", "late", "cause"),
    [
        ([(11 * MS, 19 * MS, True)], (0, 0), 0, "a segment of the journal began"),
        ([(11 * MS, 19 * MS, False)], (0, 0), 0, "the server carried out a batch"),
        ([(11 * MS, 19 * MS, False)], (9 * MS, 0), 0, "the server waited for a processor"),
        ([], (0, 8 * MS), 9 * MS, "the sender waited for a processor"),
        ([], (0, 0), 9 * MS, "the sender was late"),
        ([(11 * MS, 12 * MS, True)], (MS, MS), MS, "not known"),
        ([(11 * MS, 19 * MS, True)], (-1, -1), 0, "a segment of the journal began"),
    ],
)
def test_the_cause_of_a_pause_covers_half_of_it(rows, waits, late, cause):
    outcome = outcome_of([MS] * 30, [n * MS for n in range(30)], [late if n == 15 else 0 for n in range(30)])
    notes = [(5 * MS, 0, 0), (25 * MS, *waits)] if waits[0] >= 0 else [(5 * MS, -1, -1), (25 * MS, -1, -1)]
    told = explain(Pause(10 * MS, 20 * MS), outcome, commits(*rows), notes)
    assert told["cause"].startswith(cause)
    assert told["ms"] == 10
    assert ("the server waited for a processor" in told["evidence_ms"]) == (waits[0] >= 0)


def test_segments_roll_several_times_in_a_sustained_run():
    assert segment_bytes(Case(), rate=100_000, seconds=600) == 64 << 20
    # 20,000 frames of 512 bytes a second for 10 s, a quarter of which is sure: 25.6 MB, four times 6.4.
    assert segment_bytes(Case(), rate=20_000, seconds=10) == 4 << 20
    assert segment_bytes(Case(), rate=10, seconds=1) == 1 << 20


# Plan and tables


def test_bounds():
    for wrong in (
        {"batches": (3,)},
        {"firms": (65,)},
        {"step_seconds": 601.0},
        {"rates": (2e7,), "step_seconds": 60.0},
    ):
        with pytest.raises(ValueError, match=r"at most|are more than|a frame: 1, 16"):
            Plan(**wrong)


def test_a_restricted_plan():
    plan = restricted(Plan(), durability="async", batch=16, firms=2)
    assert (plan.durabilities, plan.batches, plan.firms) == (("async",), (16,), (2,))
    assert [case.label for case in plan.curves] == [
        "ack async ipc 16 x2",
        "fill async ipc 16 x2",
        "ack async tcp_curve 16 x2",
    ]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--batch", "3"], "'3' is not one of '1', '16', '64', '256', '1024'"),
        (["--firms", "65"], "65 is not in the range 1<=x<=64"),
        (["--rate", "20000000", "--seconds", "600"], "are more than 20,000,000 frames"),
        (["--save", "/nowhere/x.json"], "there is no folder /nowhere"),
    ],
)
def test_wrong_options_are_told(options, text):
    ran = CliRunner().invoke(bench, ["gateway", *options])
    assert ran.exit_code == 2
    assert text in ran.output


def test_given_rates_and_the_tables(tmp_path):
    plan = restricted(QUICK, durability="async", transport="ipc", flow="ack", batch=1, firms=1)
    changed = {"rates": (100.0, 200.0), "step_seconds": 0.2, "implementation": "reference", "rounds": 1, "trips": 20}
    found = measure(Plan(**{name: getattr(plan, name) for name in Plan.__dataclass_fields__} | changed), tmp_path)
    curve = found.figures["curves"]["ack async ipc 1 x1"]
    assert [step["offered"] for step in curve["steps"]] == [100, 200]
    assert curve["knee"] is None and "half" not in curve
    from rich.console import Console

    console = Console(record=True, width=80, file=(tmp_path / "out").open("w"))
    for table in tables(found.figures):
        console.print(table)
    text = console.export_text()
    for words_there in ("echo ipc, ack, 1/frame", "Throughput", "ack, async, ipc,", "load average"):
        assert words_there in text
    trips = found.figures["closed"]["ack async ipc 1 x1"]
    row = next(line for line in text.splitlines() if line.startswith(" ack, async") and f"{trips['ratio']:.2f}" in line)
    assert row.split()[-2:] == [f"{trips['ratio']:.2f}", f"{trips['quiet_ratio']:.2f}"]  # nothing is cut off
    assert words("fill sync tcp_curve 16 x1 maker") == "fill, other firm, sync, tcp curve, 16/frame, 1 firm"
