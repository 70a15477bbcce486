"""What only the kernel has: compiled code, records in memory, a buffer that fills, an index of prices."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit, types
from numba.core.errors import TypingError

import engine
import engine.kernel
from engine import founding, layout
from engine.arena import ARENA
from engine.core import Engine
from engine.founding import new_arena
from engine.kernel import bitmap, compiler, dispatch, state
from engine.schema import COMMAND, EVENT, CommandArray, Reason
from engine.schema import CommandKind as K
from engine.venue import MAX_ORDERS, MAX_WINDOW, Capacity
from tests.engine.builders import BUY, FOK, IOC, SELL, World, last_id, plain, seee
from tests.engine.generator import CommandStream, as_commands, venues

needs_compiler = pytest.mark.skipif(not compiler.COMPILED, reason="interpreted")
nojit = pytest.mark.nojit
TINY = Capacity(orders=4, accounts=3, firms=2, sessions=2, negotiations=2, auctions=1, bids=3, holds=2, obligations=2)


# --- machine code -------------------------------------------------------------------------------------------------


@needs_compiler
def test_a_part_that_allocates_does_not_compile():
    """parts: no counted references, so that nothing can be allocated while trading."""

    @compiler.plain
    def allocates(count):
        return np.zeros(count, np.int64)[0]

    @compiler.by_address(types.int64)
    def whole(count):
        return allocates(count)

    with pytest.raises(TypingError, match="zeros"):
        whole.ready()


FLOATING = re.compile(r"\b(?:half|bfloat|float|double|x86_fp80|fp128|ppc_fp128)\b")


def code_of(library: Any) -> str:
    """The compiler's intermediate code of an entry point, with everything that it calls."""
    return str(library._get_module_for_linking())


def compiled_entries() -> dict[str, str]:
    """Every entry point that is compiled, as text."""
    world = World(Engine(plain(), "kernel"))
    world.buy(100, 5)
    world.restored()
    found = {native.name: code_of(native.library) for native in dispatch.NATIVES}
    for name, function in vars(state).items():
        for result in getattr(function, "overloads", {}).values():
            found[name] = code_of(result.library)
    return found


@needs_compiler
def test_no_floating_point_in_machine_code():
    """Money is integers: no floating-point type occurs in the code of any entry point, nor in what it calls."""
    entries = compiled_entries()
    assert {"orders_at", "seldom_at", "start", "list_orders", "place_orders"} <= set(entries)
    for name, code in entries.items():
        assert "define " in code, name
        assert FLOATING.findall(code) == [], name


@needs_compiler
def test_floating_point_would_be_seen():
    """The search above finds what it looks for."""
    halve = njit(lambda number: number / 2)
    halve(3)
    (result,) = halve.overloads.values()
    assert "double" in FLOATING.findall(code_of(result.library))


@nojit
def test_the_folder_of_machine_code_follows_the_sources(tmp_path, monkeypatch):
    """compiler.cache_folder: any change in kernel, schema, arena or venue gives another folder; the reference none."""
    copied = tmp_path / "engine"
    shutil.copytree(Path(engine.__file__).parent, copied, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(engine, "__file__", str(copied / "__init__.py"))
    monkeypatch.setenv("CARBONBOOK_CACHE", str(tmp_path / "cache"))
    seen = {compiler.source_hash()}
    sources = [
        *(copied / name for name in ("arena.py", "layout.py", "machine_code.py", "venue/rules.py")),
        *(copied / "schema").glob("*.py"),
    ]
    for path in [*sources, *(copied / "kernel").glob("*.py")]:
        path.write_text(path.read_text("utf-8") + "# changed\n", "utf-8")
        seen.add(compiler.source_hash())
    assert len(seen) == 1 + len(sources) + len(list((copied / "kernel").glob("*.py")))
    before = compiler.cache_folder()
    assert before == tmp_path / "cache" / f"kernel-{compiler.source_hash()}"
    path = copied / "reference" / "matching.py"
    path.write_text(path.read_text("utf-8") + "# changed\n", "utf-8")
    assert compiler.cache_folder() == before


@nojit
def test_the_hash_covers_all_that_the_kernel_imports():
    """compiler.source_hash: nothing of the engine that the kernel imports is left out of it."""
    names = set()
    for path in Path(engine.kernel.__file__).parent.glob("[!_]*.py"):  # nothing in __init__ is compiled
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("engine."):
                names.add((node.module or "").split(".")[1])
    assert names <= {"kernel", "schema", "arena", "layout", "machine_code", "venue"}


# --- memory -------------------------------------------------------------------------------------------------------


def fields_of(dtype: np.dtype[Any]) -> set[str]:
    """Field names of a record and of the records in it."""
    found: set[str] = set()
    for name in dtype.base.names or ():
        found |= {name} | fields_of(dtype.base.fields[name][0])
    return found


@nojit
def test_no_field_hides_behind_an_attribute_of_records():
    """Interpreted, `record.name` would give numpy's own attribute; `flags` is therefore always read as an item."""
    names = fields_of(ARENA) | fields_of(COMMAND) | fields_of(EVENT)
    assert names & set(dir(np.record)) == {"flags"}
    for path in Path(engine.kernel.__file__).parent.glob("*.py"):
        attributes = {node.attr for node in ast.walk(ast.parse(path.read_text("utf-8"))) if hasattr(node, "attr")}
        assert "flags" not in attributes, path.name


@nojit
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("ORDER", 64),
        ("EXTRA", 40),
        ("BALANCE", 32),
        ("HOLD", 64),
        ("LEVEL", 16),
        ("SESSION", 16),
        ("ACCOUNT", 16),
        ("CELL", 4),
    ],
)
def test_record_sizes(name, size):
    """engine/arena.py: sizes that divide a cache line, every field aligned, no byte unused."""
    dtype = getattr(layout, name)
    assert dtype.itemsize == size
    places = [(dtype.fields[field][1], dtype.fields[field][0].itemsize) for field in dtype.names]
    assert all(offset % width == 0 for offset, width in places)
    assert sum(width for _, width in places) == size
    assert (COMMAND.itemsize, EVENT.itemsize) == (96, 128)


@nojit
def test_every_table_is_aligned():
    """Fields of eight bytes lie on eight, and the event buffer, written all the time, on a cache line."""
    for name in ARENA.names:
        assert ARENA.fields[name][1] % (4 if name == "index" else 8) == 0, name
    assert ARENA.fields["events"][1] % 64 == 0
    assert ARENA.fields["events"][1] == ARENA.fields["event_words"][1]


@nojit
@pytest.mark.parametrize("name", ["orders", "balances"])
def test_one_record_one_cache_line(name):
    """engine/arena.py: an order, and a balance, is one cache line and not halves of two."""
    assert ARENA.fields[name][1] % 64 == 0


# --- handing commands over ----------------------------------------------------------------------------------------


@nojit
def test_read_only_commands_give_the_same():
    """Journal batches are read-only views of a file's bytes, gateway batches are not."""
    venue = venues()["seee-fees"]
    commands = CommandStream(venue, 31).take(500)
    fixed = np.frombuffer(commands.tobytes(), COMMAND)
    assert not fixed.flags.writeable
    spread = np.zeros(1_000, COMMAND)
    spread[::2] = commands
    worlds = [Engine(venue, "kernel") for _ in range(3)]
    given = [commands.copy(), fixed, spread[::2]]
    answers = [engine.apply_all(batch).tobytes() for engine, batch in zip(worlds, given, strict=True)]
    assert answers[0] == answers[1] == answers[2]
    assert len({engine.digest() for engine in worlds}) == 1
    assert given[0].tobytes() == commands.tobytes(), "commands are never written to"


def some_orders(count: int) -> CommandArray:
    """Orders that trade in pairs, with a reject now and then."""
    rows = [{"kind": 1, "side": 1 + n % 2, "order_type": 1, "time_in_force": 1, "instrument": 1} for n in range(count)]
    for n, row in enumerate(rows):
        row |= {"price": 100, "quantity": 1 + n % 3, "account": n % 5 - (n % 7 == 0)}
    commands = as_commands(rows)
    commands["sequence"] = np.arange(1, count + 1)
    return commands


@nojit
def test_a_full_buffer_ends_a_call_early():
    """docs/engine.md section 1: apply stops before the buffer might not hold the next one; the rest goes on alike."""
    venue = plain(capacity=TINY)
    commands = some_orders(1_000)
    whole = Engine(venue, "kernel")
    done, events = whole.apply(commands)
    assert 0 < done < len(commands)
    assert len(events) <= founding.event_limit(venue)
    parts, calls = [events.tobytes()], 1
    while done < len(commands):
        more, events = whole.apply(commands[done:])
        assert more > 0, "it must go on"
        parts.append(events.tobytes())
        done, calls = done + more, calls + 1
    assert calls > 1
    small, reference = Engine(venue, "kernel"), Engine(venue, "reference")
    assert b"".join(small.apply(piece).events.tobytes() for piece in np.split(commands, 100)) == b"".join(parts)
    assert reference.apply_all(commands).tobytes() == b"".join(parts)
    assert whole.canonical_state() == small.canonical_state() == reference.canonical_state()


@nojit
@pytest.mark.skipif(compiler.COMPILED, reason="asks an inner function, which would have to be compiled for it")
@pytest.mark.parametrize("name", ["plain-groups", "seee-fees", "seee-resweep", "seee-reject"])
def test_no_command_gives_more_than_its_worst_case(name):
    """dispatch.worst_case: what apply relies on when it decides whether the buffer still has room."""
    venue = venues()[name]
    world = Engine(venue, "kernel")
    record = world._impl._arena[0]
    stream = CommandStream(venue, 41)
    for _ in range(4):
        for command in np.split(commands := stream.take(150, world.state()["orders"]), len(commands)):
            most = dispatch.worst_case(record, command[0])
            assert len(world.apply(command).events) <= most <= founding.event_limit(venue)


# --- full tables --------------------------------------------------------------------------------------------------


def unchanged(world: World) -> dict[str, bytes]:
    """Every section of the state but the header, whose sequences count rejects too."""
    return {name: rows.tobytes() for name, rows in world.engine.state().items() if name != "header"}


@nojit
def test_a_full_order_table(make_world):
    """NEW_ORDER 11: what would rest is refused, what trades or expires at once is not; an end makes room again."""
    world = make_world(plain(capacity=TINY))
    for price in (100, 101, 102, 103):
        assert world.sell(price, 5)[0].startswith("ACCEPTED")
    before = unchanged(world)
    assert world.buy(90, 1) == ["REJECTED ORDER_TABLE_FULL side=1 price=90 quantity=1 account=1 aux=1"]
    assert unchanged(world) == before
    assert world.buy(100, 1)[0].startswith("REJECTED ORDER_TABLE_FULL"), "though it would not have rested"
    assert world.buy(100, 2, time_in_force=IOC, account=2)[1].startswith("TRADE")
    assert world.buy(100, 3, time_in_force=FOK, account=2)[1].startswith("TRADE")
    assert world.buy(90, 1)[0].startswith("ACCEPTED")
    assert world.buy(90, 1)[0].startswith("REJECTED ORDER_TABLE_FULL")
    world.cancel(2)
    assert last_id(world.buy(90, 1)) == 8
    for _ in range(20):
        assert world.replace(3, 104, 5)[0].startswith("REPLACED")
        assert world.replace(3, 102, 5)[0].startswith("REPLACED")
    assert [row[0] for row in world.book()] == [7, 8, 3, 4]


@nojit
@pytest.mark.parametrize(
    ("kind", "fields", "most", "reason"),
    [
        (K.OPEN_FIRM, {}, 2, Reason.FIRM_TABLE_FULL),
        (K.OPEN_ACCOUNT, {"quantity": 1}, 3, Reason.ACCOUNT_TABLE_FULL),
        (K.OPEN_SESSION, {"quantity": 1, "scope": 1}, 2, Reason.SESSION_TABLE_FULL),
    ],
    ids=["firms", "accounts", "sessions"],
)
def test_other_full_tables(make_world, kind, fields, most, reason):
    """docs/engine.md section 5: one too many has its own reason and changes nothing."""
    world = make_world(seee(capacity=TINY))
    if kind != K.OPEN_FIRM:
        world.firm()
    for _ in range(most):
        assert not world.send(kind, **fields)[0].startswith("REJECTED")
    before = unchanged(world)
    told = f"quantity={fields['quantity']} " if fields else ""
    assert world.send(kind, **fields) == [f"REJECTED {reason.name} {told}aux={int(kind)}"]
    assert unchanged(world) == before


@nojit
def test_the_largest_order_table_has_a_slot_for_the_taker():
    """With as many resting orders as a venue may have, one that takes and does not rest still needs a place."""
    world = World(Engine(plain(capacity=Capacity(orders=MAX_ORDERS - 2)), "kernel"))
    world.sell(100, 5)
    record = world.engine._impl._arena[0]
    record["highest_slot"] = MAX_ORDERS - 2
    assert world.buy(100, 1, time_in_force=IOC, account=2)[1].startswith("TRADE")
    assert record["highest_slot"] < len(record["orders"])


# --- prices -------------------------------------------------------------------------------------------------------


@nojit
def test_the_windows_edges(make_world):
    """docs/engine.md section 2, NEW_ORDER 7: floor and ceiling are prices; the widest window is one gap."""
    venue = plain()
    floor, ceiling = venue.instruments[0].floor_ticks, venue.instruments[0].ceiling_ticks
    assert ceiling - floor + 1 > MAX_WINDOW - 2
    world = make_world(venue)
    for price in (floor, ceiling):
        world.buy(floor, 5)
        world.sell(ceiling, 5)
        assert world.order(SELL if price == floor else BUY, price, 10, account=2)[1].split()[3] == f"price={price}"
        assert world.mass_cancel()[-1] == "MASS_CANCELLED quantity=2"
    assert world.sell(ceiling + 1, 1)[0].startswith("REJECTED PRICE_OUT_OF_WINDOW")
    assert world.buy(floor - 1, 1)[0].split()[1] in ("PRICE_OUT_OF_WINDOW", "INVALID_PRICE")
    for price in (floor, ceiling, floor + 64, floor + 4_096):
        world.sell(price, 1)
    events = world.buy(ceiling, 4, account=2)
    assert [event.split()[3] for event in events[1:]] == [
        f"price={price}" for price in (floor, floor + 64, floor + 4_096, ceiling)
    ]


@compiler.entry
def steps(arena, adds, drops, asked, answers):
    """Occupy, vacate, then ask; compiled together because the parts are too small to be called one by one."""
    s = arena[0]
    for i in range(len(adds)):
        bitmap.occupy(s, 1, 0, adds[i])
    for i in range(len(drops)):
        bitmap.vacate(s, 1, 0, drops[i])
    for i in range(len(asked)):
        answers[i, 0] = bitmap.lowest(s, 1, 0)
        answers[i, 1] = bitmap.highest(s, 1, 0)
        answers[i, 2] = bitmap.next_above(s, 1, 0, asked[i])
        answers[i, 3] = bitmap.next_below(s, 1, 0, asked[i])


def naive(occupied: set[int], at: int) -> list[int]:
    """What the index answers, by looking at every price."""
    none = bitmap.NOTHING
    above, below = [p for p in occupied if p > at], [p for p in occupied if p < at]
    return [
        min(occupied, default=none),
        max(occupied, default=none),
        min(above, default=none),
        max(below, default=none),
    ]


EDGES = sorted({p for step in (64, 4_096, 65_536, MAX_WINDOW) for p in (0, step - 1, step, step + 1) if p < MAX_WINDOW})
POSITIONS = st.one_of(st.sampled_from(EDGES), st.integers(0, MAX_WINDOW - 1), st.integers(4_000, 4_200))


@pytest.fixture(scope="module")
def blank() -> Any:
    """One arena for all examples; each leaves it as it was."""
    return new_arena(plain())


@nojit
@settings(max_examples=120, deadline=None)
@given(
    adds=st.lists(POSITIONS, max_size=30), drops=st.lists(st.integers(0, 29), max_size=30), asked=st.lists(POSITIONS)
)
def test_the_index_of_prices_against_a_naive_one(blank, adds, drops, asked):
    """bitmap: next, lowest and highest over gaps inside a word, between words and across all three layers."""
    gone = {adds[n] for n in drops if n < len(adds)}
    left = set(adds) - gone
    asked = [*asked, *adds, 0, MAX_WINDOW - 1]
    answers = np.zeros((len(asked), 4), np.int64)
    numbers = [np.array(list(group), np.int64) for group in (adds, gone, asked)]
    steps(blank, *numbers, answers)
    assert answers.tolist() == [naive(left, at) for at in asked]
    steps(blank, numbers[0][:0], np.array(list(left), np.int64), numbers[0][:0], answers)
    assert not blank[0]["bits2"].any() and not blank[0]["bits1"].any() and not blank[0]["bits0"][1].any()
