"""Kernel against reference: whatever comes in, both give the same bytes.

Agreement alone proves little (both could be wrong); the literal tests beside this one hold the rules themselves.
"""

from __future__ import annotations

import ast
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine.reference
from engine.core import Engine
from engine.schema import COMMAND, CommandArray, EventArray
from engine.venue import Venue
from tests.engine.conftest import kernel_exists
from tests.engine.generator import CommandStream, as_commands, venues
from tests.engine.invariants import check

VENUES = venues()
TOTAL = 1_000_000
CHUNK = 400
needs_kernel = pytest.mark.skipif(not kernel_exists(), reason="this tree has no kernel")


def same(commands: CommandArray, kernel: Engine, reference: Engine) -> EventArray:
    """Apply to both and compare every byte of the events and of the state. Returns the events."""
    expected = reference.apply_all(commands)
    found = kernel.apply_all(commands)
    if expected.tobytes() != found.tobytes():
        explain(commands, expected, found)
    assert kernel.canonical_state() == reference.canonical_state(), difference_of_states(kernel, reference)
    return expected


def explain(commands: CommandArray, expected: Any, found: Any) -> None:
    """Fail with the first event that differs and its command."""
    for at in range(max(len(expected), len(found))):
        left = dict_of(expected[at]) if at < len(expected) else {}
        right = dict_of(found[at]) if at < len(found) else {}
        if left != right:
            fields = sorted(name for name in {*left, *right} if left.get(name) != right.get(name))
            number = (left or right)["command_sequence"]
            command = [dict_of(c) for c in commands if c["sequence"] == number]
            pytest.fail(f"fields {fields}\ncommand {command}\nreference {left}\nkernel    {right}")


def dict_of(record: Any) -> dict[str, int]:
    return {name: int(record[name]) for name in record.dtype.names if record[name]}


def difference_of_states(kernel: Engine, reference: Engine) -> str:
    """The first row in which two states differ."""
    left, right = reference.state(), kernel.state()
    for name in left:
        if len(left[name]) != len(right[name]):
            return f"{name}: {len(left[name])} rows in the reference, {len(right[name])} in the kernel"
        for number, (a, b) in enumerate(zip(left[name], right[name], strict=True)):
            if a.tobytes() != b.tobytes():
                return f"{name}[{number}]\nreference {dict_of(a)}\nkernel    {dict_of(b)}"
    return "no difference by rows"


@needs_kernel
@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", VENUES)
def test_random_streams(name: str, seed: int) -> None:
    """A million commands in all: events and canonical state are byte-identical after every chunk."""
    venue = VENUES[name]
    kernel, reference = Engine(venue, "kernel"), Engine(venue, "reference")
    stream = CommandStream(venue, seed)
    for _ in range(-(-TOTAL // (2 * len(VENUES) * CHUNK))):
        same(stream.take(CHUNK, reference.state()["orders"]), kernel, reference)


@needs_kernel
@pytest.mark.nojit
@pytest.mark.parametrize("name", VENUES)
def test_short_random_streams(name: str) -> None:
    """The same on a stream short enough for an interpreted kernel, in targets without knowledge of the book."""
    venue = VENUES[name]
    kernel, reference = Engine(venue, "kernel"), Engine(venue, "reference")
    stream = CommandStream(venue, 77)
    for _ in range(8):
        same(stream.take(700), kernel, reference)


@pytest.mark.parametrize("name", VENUES)
def test_invariants_after_every_command(name: str, implementation: Any) -> None:
    """Section 6 of docs/engine.md, after each of some hundred commands of every venue in the middle of a market."""
    venue = VENUES[name]
    market = Engine(venue, implementation)
    stream = CommandStream(venue, 5)
    market.apply_all(stream.take(600))
    for _ in range(5):
        for command in np.split(stream.take(50, market.state()["orders"]), 50):
            market.apply_all(command)
            check(market)


@pytest.mark.nojit
@pytest.mark.parametrize("name", ["seee-fees", "plain-groups"])
def test_cuts_change_nothing(name: str, implementation: Any) -> None:
    """No result depends on where calls are cut (docs/engine.md section 1)."""
    venue = VENUES[name]
    commands = CommandStream(venue, 11).take(3_000)
    whole, cut = Engine(venue, implementation), Engine(venue, implementation)
    expected = whole.apply_all(commands).tobytes()
    dice = random.Random(3)
    found, at = [], 0
    while at < len(commands):
        size = dice.choice([0, 1, 1, 2, 7, 100, 900])
        found.append(cut.apply_all(commands[at : at + size]).tobytes())
        at += size
    assert b"".join(found) == expected
    assert cut.canonical_state() == whole.canonical_state()


@pytest.mark.parametrize("name", VENUES)
def test_restore_in_mid_stream(name: str, implementation: Any) -> None:
    """An engine restored from the canonical state goes on with the same bytes."""
    venue = VENUES[name]
    stream = CommandStream(venue, 23)
    first = Engine(venue, implementation)
    first.apply_all(stream.take(3_000))
    second = Engine.restore(venue, first.canonical_state(), implementation)
    assert second.canonical_state() == first.canonical_state()
    later = stream.take(3_000, first.state()["orders"])
    assert second.apply_all(later).tobytes() == first.apply_all(later).tobytes()
    assert second.canonical_state() == first.canonical_state()
    for session in range(-1, 14):
        assert second.last_client_order_id(session) == first.last_client_order_id(session)


def small_orders() -> st.SearchStrategy[dict[str, int]]:
    """Commands so narrow that a few of them meet: three prices, three accounts, few targets."""
    order = st.fixed_dictionaries(
        {
            "kind": st.just(1),
            "side": st.integers(1, 2),
            "order_type": st.sampled_from([1, 1, 1, 2]),
            "time_in_force": st.integers(1, 4),
            "flags": st.sampled_from([0, 0, 0, 1]),
            "self_trade": st.integers(0, 4),
            "instrument": st.just(1),
            "account": st.integers(1, 3),
            "price": st.integers(7_132, 7_136),
            "quantity": st.integers(1, 9),
        }
    )
    target = st.integers(1, 12)
    price, quantity = st.integers(7_132, 7_136), st.integers(1, 9)
    cancel = st.fixed_dictionaries({"kind": st.just(2), "target": target})
    replace = st.fixed_dictionaries({"kind": st.just(3), "target": target, "price": price, "quantity": quantity})
    mass_cancel = st.fixed_dictionaries({"kind": st.just(4), "scope": st.just(4), "side": st.integers(1, 2)})
    take = st.fixed_dictionaries(
        {
            "kind": st.just(5),
            "side": st.integers(1, 2),
            "target": target,
            "price": price,
            "quantity": quantity,
            "instrument": st.just(1),
            "account": st.integers(1, 3),
        }
    )
    stages = st.sampled_from([{"kind": kind} for kind in (66, 67, 68, 69)])
    day = st.fixed_dictionaries({"kind": st.just(65), "scope": st.just(1), "quantity": st.just(3)}).map(
        lambda row: {**row, "expiry": 20250812}
    )
    return st.one_of(order, order, order, cancel, replace, take, mass_cancel, stages, day)


def small_set_up(venue: Venue) -> list[dict[str, int]]:
    rows: list[dict[str, int]] = [{"kind": 80}]
    for account, group in ((1, 0), (2, 5), (3, 5)):
        rows.append({"kind": 81, "quantity": 1, "quantity2": group})
        rows.append({"kind": 96, "account": account, "scope": 1, "quantity": 150_000 * venue.instruments[0].tick_value})
        units = 25 * venue.instruments[0].units_per_lot
        rows.append({"kind": 98, "account": account, "scope": 1, "quantity": units})
    return [*rows, {"kind": 65, "scope": 1, "quantity": 3, "expiry": 20250811}]


@needs_kernel
@pytest.mark.parametrize("name", ["seee", "seee-fees", "seee-resweep"])
@settings(max_examples=150, deadline=None)
@given(rows=st.lists(small_orders(), max_size=25))
def test_small_markets(name: str, rows: list[dict[str, int]]) -> None:
    """Narrow markets, shrunk to the fewest commands where the two differ."""
    venue = VENUES[name]
    commands = as_commands([*small_set_up(venue), *rows])
    commands["sequence"] = np.arange(1, len(commands) + 1)
    same(commands, Engine(venue, "kernel"), Engine(venue, "reference"))


def test_streams_are_repeatable_and_lively() -> None:
    """The same seed gives the same stream; well over half of the orders are accepted, a quarter of those trade."""
    venue = VENUES["seee"]
    assert CommandStream(venue, 9).take(5_000).tobytes() == CommandStream(venue, 9).take(5_000).tobytes()
    stream = CommandStream(venue, 9)
    commands = np.concatenate([stream.take(size) for size in (1, 999, 4_000)])
    assert commands.dtype == COMMAND
    events = Engine(venue, "reference").apply_all(commands)
    accepted = set(events[events["kind"] == 1]["order_id"].tolist())
    trades = events[events["kind"] == 3]
    traded = accepted & {*trades["order_id"].tolist(), *trades["contra_order_id"].tolist()}
    assert len(accepted) > 0.55 * int((commands["kind"] == 1).sum())
    assert len(traded) > 0.25 * len(accepted)


def test_reference_imports_only_schema_and_venue() -> None:
    """design.md section 5: the reference is independent of the kernel, of the core and of the compiler."""
    allowed = {"engine.schema", "engine.venue"}
    own = engine.reference.__name__
    outside = {"__future__", "collections", "dataclasses", "enum", "hashlib", "operator", "struct", "typing"}
    outside |= {"numpy", "sortedcontainers"}
    for path in Path(engine.reference.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path.name} imports relatively"
                names = [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for name in names:
                known = name in allowed or name == own or name.startswith(own + ".")
                assert known or name.split(".")[0] in outside, f"{path.name} imports {name}"
