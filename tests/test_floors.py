"""Imports point down only, and the ground floor stays deterministic: read off the sources, nothing is run."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.nojit

ROOT = Path(__file__).resolve().parents[1]
FLOORS = {
    "engine": {"engine"},
    "replay": {"replay", "engine"},
    "gateway": {"gateway", "replay", "engine"},
    "benchmarks": {"benchmarks", "gateway", "replay", "engine"},
}
"""Each package and what of the house it may import."""

NOT_ON_THE_GROUND = {
    *("time", "random", "secrets", "uuid"),
    *("threading", "multiprocessing", "concurrent", "asyncio", "queue", "signal"),
    *("socket", "socketserver", "ssl", "select", "selectors", "http", "urllib", "zmq", "subprocess"),
}
OUTSIDE_THE_KERNEL = {"explain.py", "protocol_doc.py", "protocol_header.py", "protocol_words.py"}
"""Files of the engine that read settings or write documents; they take no part in applying commands."""


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def imports(path: Path) -> set[str]:
    """Full names of the modules that a file imports, late imports included."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                base = path.parent.relative_to(ROOT).parts
                above = base[: len(base) - node.level + 1]
                found.add(".".join([*above, *([node.module] if node.module else [])]))
            else:
                found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


def ids(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


HOUSE = [path for package in FLOORS for path in sources(package)]
GROUND = [path for path in sources("engine") if path.name not in OUTSIDE_THE_KERNEL and path.parent.name != "venue"]


def test_the_floors_are_there():
    assert all(sources(package) for package in FLOORS)


@pytest.mark.parametrize("path", HOUSE, ids=ids(HOUSE))
def test_imports_point_down(path):
    allowed = FLOORS[path.relative_to(ROOT).parts[0]]
    roots = {name.split(".")[0] for name in imports(path)}
    assert roots & (set(FLOORS) | {"tests"}) <= allowed


REFERENCE = sources("engine/reference")
KERNEL = sources("engine/kernel")


@pytest.mark.parametrize("path", REFERENCE, ids=ids(REFERENCE))
def test_the_reference_knows_nothing_of_the_kernel(path):
    own = {name for name in imports(path) if name.split(".")[0] == "engine" and name != "engine"}
    assert all(name.startswith(("engine.schema", "engine.venue", "engine.reference")) for name in own)


@pytest.mark.parametrize("path", KERNEL, ids=ids(KERNEL))
def test_the_kernel_knows_nothing_of_the_reference(path):
    assert not any(name.startswith("engine.reference") for name in imports(path))


@pytest.mark.parametrize("path", GROUND, ids=ids(GROUND))
def test_no_clock_no_chance_no_threads_no_sockets(path):
    assert not {name.split(".")[0] for name in imports(path)} & NOT_ON_THE_GROUND
    names = {node.attr for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute)}
    assert not names & {"random", "default_rng", "now", "utcnow", "today", "urandom"}


@pytest.mark.parametrize("path", GROUND, ids=ids(GROUND))
def test_no_floats(path):
    """No float or complex literal, no call of float, no true division: money is integers."""
    for node in ast.walk(tree_of(path)):
        where = f"{path.name}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Constant):
            assert not isinstance(node.value, float | complex), where
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "float", where
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith(("float", "double")), where
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            paths = isinstance(node, ast.BinOp) and any(
                isinstance(side, ast.Constant) and isinstance(side.value, str) for side in (node.left, node.right)
            )
            assert paths or _joins_paths(node), where


def _joins_paths(node: ast.BinOp | ast.AugAssign) -> bool:
    """Whether a division is pathlib's: its right side is text."""
    right = node.right if isinstance(node, ast.BinOp) else node.value
    return isinstance(right, ast.JoinedStr)


def test_the_reader_of_imports_sees_late_and_relative_ones(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    path = tmp_path / "replay" / "deep" / "x.py"
    path.parent.mkdir(parents=True)
    path.write_text("import a.b\nfrom ..journal import z\nfrom . import y\ndef f():\n    from gateway import server\n")
    assert imports(path) == {"a.b", "replay.journal", "replay.deep", "gateway", "gateway.server"}
