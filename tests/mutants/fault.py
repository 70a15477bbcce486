"""What a seeded fault is."""

from __future__ import annotations

from typing import NamedTuple

KERNEL = "engine/kernel/"
REFERENCE = "engine/reference/"
IMPLEMENTATIONS = ("reference", "kernel")


class Change(NamedTuple):
    """In one file, a text that stands there exactly once is replaced."""

    path: str
    old: str
    new: str


class Fault(NamedTuple):
    """One rule or promise broken.

    Attributes:
        breaks: the rule in words, with its source.
        changes: a rule of the market is broken in kernel and reference alike, so that comparing them shows nothing.
        tests: node ids without parameters; every one must fall, for every implementation.
        implementations: under which names the tests run; empty for what exists once.
    """

    name: str
    breaks: str
    changes: tuple[Change, ...]
    tests: tuple[str, ...]
    implementations: tuple[str, ...] = IMPLEMENTATIONS

    @property
    def files(self) -> list[str]:
        return list(dict.fromkeys(change.path for change in self.changes))


Edit = tuple[str, str, str]
"""File name, old text, new text."""


def rule(name: str, breaks: str, kernel: list[Edit], reference: list[Edit], tests: list[str]) -> Fault:
    """A fault in a rule of the market. Tests are written `test_matching::test_x`, in tests/engine."""
    changes = [Change(KERNEL + path, old, new) for path, old, new in kernel]
    changes += [Change(REFERENCE + path, old, new) for path, old, new in reference]
    return Fault(name, breaks, tuple(changes), tuple(node("tests/engine/", test) for test in tests))


def path(name: str, breaks: str, edits: list[Edit], tests: list[str]) -> Fault:
    """A fault on the way of a command through gateway and journal."""
    changes = tuple(Change(*edit) for edit in edits)
    return Fault(name, breaks, changes, tuple(node("tests/", test) for test in tests), ())


def node(folder: str, test: str) -> str:
    module, _, function = test.partition("::")
    return f"{folder}{module}.py::{function}"
