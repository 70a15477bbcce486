"""Percentiles, their .hgrm table, and charts."""

from __future__ import annotations

import builtins
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import numpy as np
import pytest

from benchmarks.percentiles import curve, exact, hgrm, summary
from benchmarks.svg import Chart, Mark, Scale, Series, number


def rows_of(text: str) -> list[list[float]]:
    """The table's rows: value, percentile, count, 1/(1-percentile) except in the last one."""
    lines = text.splitlines()
    assert lines[0].split() == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]
    assert lines[1] == ""
    assert sum(line.startswith(("#[Mean", "#[Max")) for line in lines[-3:]) == 2
    return [[float(word) for word in line.split()] for line in lines[2:] if not line.startswith("#")]


def test_exact_percentiles():
    ordered = np.arange(1, 1_001)
    assert [exact(ordered, share) for share in (0, 0.5, 0.9, 0.99, 0.999, 1)] == [1, 500, 900, 990, 999, 1_000]
    assert exact(np.array([7]), 0.999) == 7
    found = summary([n * 1_000 for n in range(1_000, 0, -1)])
    shares = {"p10": 100.0, "p50": 500.0, "p90": 900.0, "p99": 990.0, "p99.9": 999.0, "p99.99": 1_000.0}
    assert found == shares | {"max": 1_000.0, "mean": 500.5, "count": 1_000}
    assert summary([]) == {"count": 0}


def test_a_curve_rises():
    points = curve(np.random.default_rng(1).integers(1_000, 1_000_000, 5_000))
    assert points[0][0] == 0 and points[-1][0] == pytest.approx(1 - 1 / 5_000)
    assert [y for _, y in points] == sorted(y for _, y in points)
    assert curve([]) == []


def check_table(values: np.ndarray, text: str) -> None:
    rows = rows_of(text)
    ordered = np.sort(values)
    for value, share, count, *_ in rows:
        assert value == pytest.approx(exact(ordered, share) / 1_000, rel=0.002)
        assert count == pytest.approx(np.searchsorted(ordered, value * 1_000, "right"), abs=0.002 * len(values) + 1)
    shares = [row[1] for row in rows]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1
    assert rows[-1][2] == len(values)
    assert all(row[3] == pytest.approx(1 / (1 - row[1]), rel=0.01) for row in rows[:-1])


VALUES = np.random.default_rng(3).lognormal(12, 1, 20_000).astype(np.int64)


def test_hgrm_by_the_package():
    pytest.importorskip("hdrh")
    check_table(VALUES, hgrm(VALUES))


def test_hgrm_without_the_package(monkeypatch):
    real = builtins.__import__

    def refuse(name, *more):
        if name.startswith("hdrh"):
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    text = hgrm(VALUES)
    check_table(VALUES, text)
    assert "Buckets" not in text  # that line is the package's own
    assert rows_of(hgrm([5_000]))[-1][:3] == [5.0, 1.0, 1.0]


# Charts


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)


def all_texts(root: ElementTree.Element) -> list[str]:
    return [node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}text")]


def test_a_chart_is_well_formed_and_names_its_axes():
    series = [Series("a < b & c", [(10, 1), (100, 50)], 0, dots=True), Series("empty", [], 1)]
    root = parsed(Chart("T & t", Scale.log("rate"), Scale.log("µs"), series, [Mark(50, "knee <50>", 0)]).render())
    texts = all_texts(root)
    assert {"T & t", "rate", "µs", "a < b & c", "knee <50>", "10", "100"} <= set(texts)
    assert "empty" not in texts
    lines = list(root.iter("{http://www.w3.org/2000/svg}polyline"))
    assert len(lines) == 1
    (x1, y1), (x2, y2) = (map(float, point.split(",")) for point in lines[0].attrib["points"].split())
    assert 78 <= x1 < x2 <= 644 and 398 >= y1 > y2 >= 44  # right is more, up is more


def test_percentiles_are_spaced_by_nines():
    series = [Series("s", [(0.0, 1), (0.9, 2), (0.99, 3), (0.999, 4)], 0)]
    root = parsed(Chart("p", Scale.percentile("percentile"), Scale.linear("µs"), series).render())
    line = next(root.iter("{http://www.w3.org/2000/svg}polyline"))
    xs = [float(point.split(",")[0]) for point in line.attrib["points"].split()]
    steps = [b - a for a, b in pairwise(xs)]
    assert steps == pytest.approx([steps[0]] * 3, abs=0.3)
    assert {"90 %", "99 %", "99.9 %"} <= set(all_texts(root))


@pytest.mark.parametrize("points", [[(5, 5)], [(0, 0), (0, 0)], [(1, 7), (2, 7)], [(1e6, 1e-3), (2e6, 1e9)]])
@pytest.mark.parametrize("scale", [Scale.linear, Scale.log])
def test_odd_data_still_makes_a_chart(points, scale):
    text = Chart("odd", scale("x"), scale("y"), [Series("s", points, 3)]).render()
    assert "nan" not in text and "inf" not in text
    parsed(text)


def test_no_data_says_so():
    assert "nothing was measured" in all_texts(parsed(Chart("t", Scale.log("x"), Scale.log("y"), []).render()))


def test_numbers():
    assert [number(n) for n in (0, 0.05, 3, 12.34, 1_234.5, 2_500_000)] == ["0", "0.05", "3", "12.3", "1,234", "2.5 M"]
