"""A firm's command while it is being written."""

from __future__ import annotations

from operator import index
from typing import Final, SupportsIndex

import numpy as np

from engine.schema import COMMAND, CommandKind, Reason
from gateway.errors import InvalidCommand

_REASONS: Final = {
    "account": Reason.UNKNOWN_ACCOUNT,
    "instrument": Reason.UNKNOWN_INSTRUMENT,
    "target": Reason.UNKNOWN_ORDER,
    "price": Reason.PRICE_OUT_OF_WINDOW,
    "price2": Reason.PRICE_OUT_OF_WINDOW,
    "expiry": Reason.INVALID_EXPIRY,
}
"""What the venue would say to a number that no field can carry; of all other fields, INVALID_QUANTITY."""


class Draft:
    """One command whose fields take whole numbers that fit: `draft["quantity"] = 10`.

    Attributes:
        records: dtype COMMAND[1].
        number: its client_order_id.
    """

    __slots__ = ("number", "records")

    def __init__(self, kind: CommandKind, number: int) -> None:
        self.records = np.zeros(1, COMMAND)
        self.number = number
        self["kind"], self["client_order_id"] = kind, number

    def __setitem__(self, name: str, value: SupportsIndex) -> None:
        """Raises TypeError for what is no whole number (NumPy would cut 1.5 to 1), InvalidCommand for one too large."""
        try:
            self.records[name] = index(value)
        except TypeError:
            raise TypeError(f"{name}: {value!r} is not a whole number") from None
        except OverflowError:
            most = np.iinfo(COMMAND[name])
            detail = f"{name} {value} is not from {most.min} to {most.max}"
            raise InvalidCommand(_REASONS.get(name, Reason.INVALID_QUANTITY), detail) from None
