"""The gateway's benchmark runs from end to end, small, and its figures hang together."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from benchmarks import gateway_bench
from benchmarks.cli import bench
from benchmarks.gateway_bench import Plan, summary

SMALL = Plan(trips=60, rates=(50,), seconds=0.4, firms=2, batches=(1, 16), window=8)


def test_percentiles_are_exact() -> None:
    found = summary([n * 1_000 for n in range(1_000, 0, -1)])
    assert found == {"p50": 501.0, "p90": 901.0, "p99": 991.0, "p99.9": 1000.0, "max": 1000.0, "count": 1_000}


def test_a_small_run(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(gateway_bench, "QUICK", SMALL)
    saved = tmp_path / "g.json"
    result = CliRunner().invoke(
        bench, ["gateway", "--quick", "--json", "--save", str(saved), "--folder", str(tmp_path)]
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found == json.loads(saved.read_text())
    assert set(found["floors"]) == {"echo_ipc", "echo_tcp_curve", "sync"}
    for durability in ("sync", "async"):
        part = found[durability]
        for transport, trips in part["closed"].items():
            assert trips["count"] == SMALL.trips
            floor = found["floors"][f"echo_{transport}"]["p50"]
            assert trips["floor"] == round(floor + (found["floors"]["sync"]["p50"] if durability == "sync" else 0), 1)
            assert 0 < trips["p50"] <= trips["p99"] <= trips["max"]
        assert part["open"]["50"]["count"] == 20
        assert all(batch["commands_per_second"] > 0 for batch in part["throughput"].values())
    assert [path.name for path in tmp_path.iterdir()] == ["g.json"]  # journals are gone


def test_the_tables(tmp_path: Path) -> None:
    from rich.console import Console

    from benchmarks.gateway_tables import tables

    row = summary([100_000, 200_000])
    part = {
        "closed": {"ipc": row | {"floor": 90.0, "ratio": 1.9}},
        "open": {"250": row},
        "throughput": {"64": {"commands_per_second": 123_456, "commands": 5}},
    }
    console = Console(record=True, width=120, file=(tmp_path / "out").open("w"))
    for table in tables({"plan": {"firms": 4}, "floors": {"sync": row}, "sync": part, "async": part}):
        console.print(table)
    text = console.export_text()
    assert all(word in text for word in ("123,456", "1.90 (target missed)", "floor: sync", "async 250"))
