"""docs/rules.md says of every rule of the rule book where it is, what holds it, and what is not there yet."""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

import engine.venue

pytestmark = pytest.mark.nojit

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "rules.md"
TYPED = """
1.SEEE 1.Hubei 1.EEX-auction 1.EEX-spot 1.ICE 1.KRX 1.UKA 2.symbol 2.price_tick 2.quantity 2.block_min
2.oneway_seller_min 2.limits 2.min_band 2.sessions 2.tif 2.open 2.close 2.first_reference 2.composite 2.change_pct
2.surrender_until 2.fees 2.position_limit 2.method_codes L1 L2 L3 L4 L5 L6 L6.crossed L7 L8 L9 L10 L11 L12 L12.feed
3.T+1 B1 B2 B3 B4 B5 O1 O1.dates O2 O3 O4 O5 O6 O7 O8 G1 G2 G2.hours G3 G4 G4.file G5 G6 G6.one G7 G8 G9 G10 G11 G12
G13 G14 G14.ccer G15 G15.dates G15.preliminary G16 G.buckets 6.valid 6.price 6.EU.cancel 6.EU.secondary 6.EU.ties
6.EU.carry 6.UK.partial 6.UK.raise 6.UK.carry 6.KRX.ties 6.DE.ties 6.CA.ties 6.CA.lots 6.CA.limits 6.CA.reserve
6.RGGI.ccr 6.seed 7.call 7.no-cancel 7.T7-price 7.random-end 7.volatility 7.phases 7.commands 7.market-maker 7.presence
7.self-trade T.gtd
T.minimum-quantity T.icebergs T.hidden T.stops T.last-five 8.RTS7.18.rate 8.RTS7.18.volatility 8.RTS7.18.pre-trade
8.RTS7.18.suspend 8.RTS7.18.kill 8.RTS7.18.duplicates 8.RTS7.18.bust 8.RTS7.18.gateways 8.RTS7.20.collar
8.RTS7.20.value 8.RTS7.20.volume 8.RTS7.20.reset 8.RTS7.20.override 8.RTS7.20.monitoring 8.RTS7.11 8.RTS24.fields
8.RTS24.keep 8.RTS25.clock 8.RTS25.latency 8.sequence 8.outcomes 8.MAR.wash 8.MAR.stuffing 8.MAR.layering 8.MAR.close
8.MAR.squeeze 8.MAR.auctions 8.China.rebase 8.China.abnormal 8.China.keep 9.A 9.B 9.C 9.D 9.E 9.F 9.G 9.H 10.match_mode
10.click_strict 10.cross_policy 10.depth_remainder 10.stp 10.break_cancel 10.withdraw_after 10.bid_amend 10.price_mode
10.undersubscribed 10.tie 10.composite 10.rounding 10.fees 10.position_limit 10.block_reference 10.first_reference
10.hubei_price 10.invariant 10.false-statements
"""
"""The rule book's rules that ask something of a program; T.* are order types that its venues offer."""
RULES = TYPED.split()
COLUMNS = ["rule", "what", "kernel", "reference", "tests", "keys"]
LATER = ["rule", "what", "what is missing"]
HOMES = {"kernel": "engine.kernel", "reference": "engine.reference"}


def table(title: str, columns: list[str]) -> list[dict[str, str]]:
    """The rows of the table under a title."""
    text = PAGE.read_text("utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert cells(lines[0]) == columns
    rows = [cells(line) for line in lines[2:]]
    assert all(len(row) == len(columns) for row in rows)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def names(cell: str) -> list[str]:
    """The names in a cell, each in backticks; a dash stands for none."""
    if cell == "–":
        return []
    parts = cell.split(", ")
    assert all(part[0] == part[-1] == "`" for part in parts), cell
    return [part.strip("`") for part in parts]


DONE, MISSING = table("Implemented", COLUMNS), table("Not yet", LATER)
IDS = [row["rule"] for row in DONE]


@cache
def definitions(path: Path) -> frozenset[str]:
    """Functions, classes and methods (as Class.method) of a file."""
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return frozenset(found)


def exists(name: str, home: str) -> bool:
    """Whether `module.function` is in `home`, or a full name in its own package."""
    full = name if name.startswith(("engine.", "gateway.", "replay.")) else f"{home}.{name}"
    parts = full.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        place = ROOT.joinpath(*parts[:cut])
        path = place.with_suffix(".py") if place.with_suffix(".py").is_file() else place / "__init__.py"
        if path.is_file():
            return ".".join(parts[cut:]) in definitions(path)
    return False


def test_every_rule_stands_in_exactly_one_table():
    found = Counter([*IDS, *(row["rule"] for row in MISSING)])
    assert set(RULES) - set(found) == set()
    assert set(found) - set(RULES) == set()
    assert {rule for rule, count in found.items() if count > 1} == set()
    assert len(RULES) == len(set(RULES))


@pytest.mark.parametrize("row", DONE, ids=IDS)
def test_a_rule_is_where_it_is_said_to_be(row):
    shared = all(name.startswith(("engine.venue.", "gateway.", "replay.")) for name in names(row["kernel"]))
    assert names(row["kernel"])
    assert shared == (not names(row["reference"]))
    for column, home in HOMES.items():
        for name in names(row[column]):
            assert exists(name, home), name
    assert row["what"]


@pytest.mark.parametrize("row", DONE, ids=IDS)
def test_a_rule_is_held_by_a_test(row):
    assert names(row["tests"])
    for name in names(row["tests"]):
        path, _, test = name.partition("::")
        assert test.startswith("test_"), name
        assert test in definitions(ROOT / "tests" / path), name


@pytest.mark.parametrize("row", DONE, ids=IDS)
def test_the_keys_of_a_rule_are_keys_of_a_venue(row):
    for name in names(row["keys"]):
        one, _, key = name.partition(".")
        assert key in getattr(engine.venue, one).__struct_fields__, name


def test_what_is_missing_is_said():
    assert all(row["what"] and row["what is missing"] for row in MISSING)


@pytest.mark.parametrize("name", ["day.no_such", "no_such.day", "engine.venue.rules.Venue.no_such", "gateway.no.such"])
def test_a_name_that_does_not_exist_is_noticed(name):
    assert not exists(name, "engine.kernel")
