"""Servers of any preset at any moment of its day, for tests of order types, calls and whole days.

They run the reference engine; CARBONBOOK_IMPLEMENTATION=kernel runs the kernel instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from engine.control import Control, MoveCash, MoveUnits, OpenAccount, OpenFirm, OpenSession
from engine.schema import Role
from gateway.client import Client
from gateway.config import Config
from gateway.server import Server, background
from replay import verify
from tests.gateway.servers import config, local

VENUES = Path(__file__).resolve().parents[2] / "engine" / "venues"


class Floor(NamedTuple):
    """A running venue: clients S1, S2, ... of one firm and account each, and the operator's."""

    server: Server
    firms: list[Client]
    ops: Client


def members(firms: int, cash: int = 0, units: int = 0) -> tuple[Control, ...]:
    """Firms with one account and one session each; cash in minor units, units of the first asset."""
    made: list[Control] = []
    for number in range(1, firms + 1):
        made += [
            OpenFirm(f"Firm {number}"),
            OpenAccount(number, f"Account {number}"),
            OpenSession(number, f"S{number}"),
        ]
        made += [MoveCash(number, 1, cash)] if cash else []
        made += [MoveUnits(number, 1, units)] if units else []
    return (*made, OpenSession(0, "OPS", int(Role.OPERATOR)))


def floor_config(folder: Path, venue: str, start: str, opening: tuple[Control, ...], **changes: Any) -> Config:
    """A new journal of a preset, or of a venue file, that begins at `start` (ISO 8601 with offset)."""
    values: dict[str, Any] = {
        "venue": venue,
        "start_time": start,
        "opening": opening,
        "implementation": os.environ.get("CARBONBOOK_IMPLEMENTATION", "reference"),
    }
    return config(folder, **(values | changes))


@contextmanager
def floor(folder: Path, venue: str, start: str, opening: tuple[Control, ...], **changes: Any) -> Iterator[Floor]:
    """Run it with everybody logged on; once it has stopped, its journal must replay to the same events."""
    served = floor_config(folder, venue, start, opening, **changes)
    names = [message.name for message in opening if isinstance(message, OpenSession) and message.firm]
    with ExitStack() as stack:
        server = stack.enter_context(background(served))
        firms = [stack.enter_context(local(server.config, name)) for name in names]
        yield Floor(server, firms, stack.enter_context(local(server.config, "OPS")))
    assert verify(folder / "data/journal", served.implementation).ok


def changed_venue(folder: Path, preset: str, *changes: tuple[str, str]) -> str:
    """The path of a preset's file with texts replaced."""
    text = (VENUES / f"{preset}.toml").read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "venue.toml"
    path.write_text(text, "utf-8")
    return str(path)
