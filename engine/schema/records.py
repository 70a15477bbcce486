"""The Command and Event records, byte by byte, and the widths of their contents."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

SCHEMA_VERSION: Final = 4
MAX_PRICE: Final = 2**31 - 1
MAX_QUANTITY: Final = 2**31 - 1
MAX_MONEY: Final = 2**62 - 1
PPM: Final = 1_000_000
BASIS_POINTS: Final = 10_000
SWEEP_LEVELS: Final = 5
"""A listed-agreement order takes inside the counter side's best five price levels (SEEE notice of 2021-06-22)."""
CLOSE_TRADES: Final = 5
"""A LAST5 close looks at this many trades (Hubei)."""
SHOWN_SHARE: Final = 100
"""An iceberg's quantity is at most this many times the part that it shows."""

CommandArray = NDArray[Any]
"""One-dimensional array of dtype COMMAND."""
EventArray = NDArray[Any]
"""One-dimensional array of dtype EVENT."""


def record(fields: list[tuple[str, str]]) -> np.dtype[Any]:
    """A structured dtype over np.record, so scalars have attributes with and without the compiler."""
    return np.dtype((np.record, fields))


COMMAND: Final = record(
    [
        ("kind", "u1"),
        ("side", "u1"),
        ("order_type", "u1"),
        ("time_in_force", "u1"),
        ("flags", "<i2"),
        ("self_trade", "u1"),
        ("scope", "u1"),
        ("instrument", "<i4"),
        ("account", "<i4"),
        ("client_order_id", "<i8"),
        ("target", "<i8"),
        ("expiry", "<i8"),
        ("price", "<i4"),
        ("price2", "<i4"),
        ("quantity", "<i8"),
        ("quantity2", "<i8"),
        ("sequence", "<i8"),
        ("timestamp", "<i8"),
        ("session", "<i4"),
        ("actor", "<i4"),
        ("spare", "<i8"),
    ]
)
FIRM_BYTES: Final = 64
"""The first 64 bytes of a Command are written by the firm, the other 32 only by the gateway."""

EVENT: Final = record(
    [
        ("kind", "u1"),
        ("side", "u1"),
        ("phase", "u1"),
        ("aggressor", "u1"),
        ("reason", "<i2"),
        ("flags", "<i2"),
        ("sequence", "<i8"),
        ("command_sequence", "<i8"),
        ("timestamp", "<i8"),
        ("instrument", "<i4"),
        ("price", "<i4"),
        ("quantity", "<i8"),
        ("account", "<i4"),
        ("contra_account", "<i4"),
        ("order_id", "<i8"),
        ("contra_order_id", "<i8"),
        ("client_order_id", "<i8"),
        ("contra_client_order_id", "<i8"),
        ("remaining", "<i8"),
        ("contra_remaining", "<i8"),
        ("aux", "<i8"),
        ("aux2", "<i8"),
        ("session", "<i4"),
        ("contra_session", "<i4"),
    ]
)


def commands(count: int) -> CommandArray:
    """A zeroed array of `count` commands."""
    return np.zeros(count, COMMAND)
