"""What a workload is, and how it is kept in files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.schema import COMMAND, SCHEMA_VERSION, CommandArray, CommandKind, Mode, Phase, Role
from engine.venue import Venue, VenueError

FORMAT: Final = 1
"""Of the header file."""
EMITTERS: Final = 3_768
"""Accounts of a carbon day: the key emitters of China's national market at the end of 2025, one account each."""
TRADING_DATE: Final = 2026_01_05
"""First date on which all six vintages of the preset are listed."""
OPENING_TIME: Final = 1_767_576_600_000_000_000
"""2026-01-05 09:30 in Shanghai, ns."""

Numbers = NDArray[np.int64]


class WorkloadError(ValueError):
    """Saved files are no workload, or not the one that was saved."""


class Workload(NamedTuple):
    """Commands for one venue: `prepare` opens it, fills the book and runs the flow in, `flow` is what is measured."""

    name: str
    venue: Venue
    prepare: CommandArray
    flow: CommandArray

    def save(self, folder: Path) -> None:
        """Write <name>.json (header with the venue), <name>.prepare.npy and <name>.flow.npy into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        header: dict[str, Any] = {
            "format": FORMAT,
            "schema_version": SCHEMA_VERSION,
            "name": self.name,
            "record_bytes": COMMAND.itemsize,
            "venue": json.loads(self.venue.to_json()),
        }
        for part in ("prepare", "flow"):
            commands = getattr(self, part)
            np.save(folder / f"{self.name}.{part}.npy", commands)
            header[part] = {"commands": len(commands), "sha256": _sha256(commands)}
        (folder / f"{self.name}.json").write_text(json.dumps(header, indent=2) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path, name: str) -> Workload:
        """What `save` wrote. Raises WorkloadError when the files are not exactly that, OSError when one is missing."""
        try:
            header = json.loads((folder / f"{name}.json").read_text("utf-8"))
            told = (header["format"], header["schema_version"], header["name"], header["record_bytes"])
            venue = Venue.from_json(json.dumps(header["venue"]).encode())
            wanted = {part: (header[part]["commands"], header[part]["sha256"]) for part in ("prepare", "flow")}
        except (KeyError, TypeError, ValueError, VenueError) as error:
            raise WorkloadError(f"{name}.json is no header of a workload: {error}") from None
        if told != (FORMAT, SCHEMA_VERSION, name, COMMAND.itemsize):
            raise WorkloadError(
                f"{name}.json is of format, schema, name, record {told}; this version reads "
                f"{(FORMAT, SCHEMA_VERSION, name, COMMAND.itemsize)}: make it anew"
            )
        prepare, flow = (_load_part(folder / f"{name}.{part}.npy", *wanted[part]) for part in ("prepare", "flow"))
        return cls(name, venue, prepare, flow)


def _load_part(path: Path, count: int, sha256: str) -> CommandArray:
    try:
        found = np.load(path)
    except (ValueError, EOFError) as error:
        raise WorkloadError(f"{path.name} is no array of commands: {error}") from None
    if found.ndim != 1 or found.dtype.itemsize != COMMAND.itemsize or found.dtype.fields != COMMAND.fields:
        raise WorkloadError(f"{path.name} does not hold records of the layout COMMAND")
    commands: CommandArray = found.view(COMMAND)
    if len(commands) != count or _sha256(commands) != sha256:
        raise WorkloadError(f"{path.name} is not the array that its header tells of: make both anew")
    return commands


def _sha256(commands: CommandArray) -> str:
    return hashlib.sha256(commands.tobytes()).hexdigest()


def stamp(commands: CommandArray, before: int, gaps: Numbers | int = 1_000) -> None:
    """Sequence and timestamp of commands that follow `before` others.

    Args:
        gaps: ns from the opening time to each command, or between any two of them.
    """
    sequence = np.arange(before + 1, before + len(commands) + 1)
    commands["sequence"] = sequence
    commands["timestamp"] = OPENING_TIME + (sequence * gaps if isinstance(gaps, int) else gaps)


def steps(total: int, size: int) -> list[int]:
    """`total` cut into pieces of at most `size`."""
    return [size] * (total // size) + ([total % size] if total % size else [])


def open_market(venue: Venue, accounts: int) -> CommandArray:
    """Commands that open `accounts` firms with one account and one trading session each, fund them and open the day.

    Four accounts each share an owner group. Every account gets 10^12 minor units and 10^7 units of each asset.
    """
    assets = len(venue.assets)
    made = np.zeros(accounts * (4 + assets) + 1, COMMAND)
    numbers = np.arange(1, accounts + 1)
    at = 0

    def rows(kind: CommandKind, **fields: int | Numbers) -> None:
        nonlocal at
        part = made[at : at + accounts]
        part["kind"] = kind
        for name, value in fields.items():
            part[name] = value
        at += accounts

    rows(CommandKind.OPEN_FIRM)
    rows(CommandKind.OPEN_ACCOUNT, quantity=numbers, quantity2=owner_group(numbers))
    rows(CommandKind.OPEN_SESSION, quantity=numbers, scope=Role.TRADER)
    rows(CommandKind.DEPOSIT_CASH, account=numbers, scope=1, quantity=10**12)
    for asset in range(1, assets + 1):
        rows(CommandKind.DEPOSIT_UNITS, account=numbers, scope=asset, quantity=10**7)
    last = made[-1]
    last["kind"], last["scope"], last["quantity"] = CommandKind.SET_PHASE, Mode.LISTED, Phase.CONTINUOUS
    last["expiry"] = TRADING_DATE
    stamp(made, 0)
    return made


def owner_group(account: Numbers) -> Numbers:
    """The owner group that `open_market` gives an account."""
    return (account + 3) // 4


def next_numbers(session: NDArray[np.int32], last: Numbers) -> Numbers:
    """client_order_ids: for each command the next number of its session; `last`, by session, moves on."""
    by_session = np.argsort(session, kind="stable")
    ordered = session[by_session]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(ordered) else np.zeros(0, np.int64)
    sizes = np.diff(np.append(first, len(ordered)))
    rank = np.arange(len(ordered)) - np.repeat(first, sizes) + 1
    numbers = np.empty(len(ordered), np.int64)
    numbers[by_session] = last[ordered] + rank
    last[ordered[first]] += sizes
    return numbers
