"""House rules that a program can check: file and function lengths, no leftovers, what may lie at the top."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.nojit

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("engine", "replay", "gateway", "benchmarks", "tests")
MOST_LINES = 450
MOST_LINES_OF_A_FUNCTION = 90
TOP = {
    *("engine", "replay", "gateway", "benchmarks", "tests", "docs", ".ci"),
    *("pyproject.toml", "README.md", "LICENSE", "Makefile", "requirements.txt", "requirements-dev.txt", ".gitignore"),
}
MADE = {
    *(".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".numba_cache", "__pycache__"),
    *("build", "dist", ".coverage", "htmlcov", "carbonbook.egg-info"),
}
"""What tools leave behind; never committed."""

SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
NAMES = [str(path.relative_to(ROOT)) for path in SOURCES]


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_a_file_fits_in_a_head(path):
    assert len(path.read_text("utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_a_function_fits_on_a_screen(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= MOST_LINES_OF_A_FUNCTION, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_a_module_says_what_it_is_for(path):
    text = path.read_text("utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_no_leftovers(path):
    """No reminders, debuggers or silenced linters without a rule's name."""
    if path == Path(__file__):
        return
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        assert not re.search(r"#.*\b(TODO|FIXME|XXX|HACK)\b", line), number
        assert not re.search(r"\bbreakpoint\(\)|\bpdb\b.set_trace", line), number
        assert not re.search(r"# (noqa|type: ignore)\s*$", line), number


def test_the_top_level_holds_nothing_else():
    assert {entry.name for entry in ROOT.iterdir()} - MADE <= TOP


def test_packages_are_typed():
    assert all((ROOT / package / "py.typed").exists() for package in PACKAGES if package != "tests")


def test_text_files_end_with_one_newline():
    for folder in (*PACKAGES, "docs"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".md", ".toml", ".h"}:
                text = path.read_bytes()
                assert not text or (text.endswith(b"\n") and not text.endswith(b"\n\n") and b"\r" not in text), path
