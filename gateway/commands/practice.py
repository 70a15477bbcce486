"""What the very first start without any keys makes: two practice firms with money and units, and an operator."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from engine.control import Control, MoveCash, MoveUnits, OpenAccount, OpenFirm
from engine.venue import Venue
from gateway.security import create_session_keys, read_public_files

FIRMS: Final = (("ALPHA", "Alpha Power"), ("BETA", "Beta Cement"))
OPERATOR: Final = "OPS"
CASH: Final = 10_000_000_00
"""Minor currency units an account."""
UNITS: Final = 100_000


def is_wanted(data: Path, keys: Path) -> bool:
    """Whether nothing is there yet: no journal, and no keys but those of a practice start that did not succeed."""
    ours = {OPERATOR, *(session for session, _ in FIRMS)}
    return not (data / "journal" / "genesis").exists() and {file.name for file in read_public_files(keys)} <= ours


def set_up(keys: Path, venue: Venue) -> tuple[Control, ...]:
    """Make the keys; returns the messages that open the firms and fund their accounts."""
    opening: list[Control] = []
    there = {file.name for file in read_public_files(keys)}
    for number, (session, firm) in enumerate(FIRMS, 1):
        if session not in there:
            create_session_keys(keys, session, firm)
        opening += [OpenFirm(firm), OpenAccount(number, f"{session} main")]
        if venue.prefunded:
            opening += [MoveCash(number, c, CASH, "practice") for c in range(1, len(venue.currencies) + 1)]
            opening += [MoveUnits(number, a, UNITS, "practice") for a in range(1, len(venue.assets) + 1)]
    if OPERATOR not in there:
        create_session_keys(keys, OPERATOR, role="operator")
    return tuple(opening)
