"""Which client_order_ids commands consume: each its own, a QUOTE the next one too (docs/order-types.md 11.6)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.schema import CommandArray, CommandKind

QUOTE: Final = int(CommandKind.QUOTE)
MAX_NUMBER: Final = 2**63 - 1


def last_numbers(batch: CommandArray) -> NDArray[np.int64]:
    """The last number that each command consumes. Below its own where a QUOTE has no next one: it consumes none."""
    ends: NDArray[np.int64] = batch["client_order_id"] + (batch["kind"] == QUOTE)
    return ends


def fresh(batch: CommandArray, last: int) -> NDArray[np.bool_]:
    """Which commands of a session's frame have new numbers, when `last` is the session's last one so far."""
    numbers, ends = batch["client_order_id"], last_numbers(batch)
    if int(numbers[0]) > last and bool((numbers[1:] > ends[:-1]).all()) and bool((ends >= numbers).all()):
        return np.ones(len(batch), np.bool_)
    found = np.zeros(len(batch), np.bool_)
    for at, (number, end) in enumerate(zip(numbers.tolist(), ends.tolist(), strict=True)):
        if last < number <= end:
            found[at], last = True, end
    return found


def numbered(batch: CommandArray, first: int) -> CommandArray:
    """A copy of `batch` with numbers from `first` on, none left out."""
    made = batch.copy()
    count = 1 + (batch["kind"] == QUOTE)
    made["client_order_id"] = first + np.cumsum(count) - count
    return made


def consumed(batch: CommandArray) -> int:
    """How many numbers the commands of `batch` consume together."""
    return len(batch) + int((batch["kind"] == QUOTE).sum())


def owners(commands: CommandArray) -> dict[int, Any]:
    """Number -> the command that consumed it, the second numbers of quotes included."""
    found = {int(c["client_order_id"]) + 1: c for c in commands[commands["kind"] == QUOTE]}
    return found | {int(c["client_order_id"]): c for c in commands}
