"""The engine as others use it: commands in, events out, one deterministic state behind.

engine = Engine(Venue.preset("plain"))
done, events = engine.apply(commands)
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.look import ALL, Balance, Depth, Header, Indicative, Lots, look_at
from engine.schema import COMMAND, STATE_SECTIONS, CommandArray, EventArray, unpack_state
from engine.venue import Venue

ImplementationName = Literal["kernel", "reference"]


class Applied(NamedTuple):
    """`done` commands were applied and gave `events`, a view that is valid until the next apply."""

    done: int
    events: EventArray


class Implementation(Protocol):
    """What the kernel and the reference engine both offer."""

    def apply(self, commands: CommandArray) -> tuple[int, EventArray]: ...

    def canonical_state(self) -> bytes: ...

    def restore(self, state: bytes) -> None: ...

    def last_client_order_id(self, session: int) -> int: ...

    def touch(self) -> None: ...


class Engine:
    """One venue's exchange. Not thread-safe; reads no clock, no file, no randomness.

    Args:
        venue: the whole rule set; it never changes afterwards except through commands.
        implementation: the compiled kernel, or the plain-Python reference engine with the same results.
    """

    def __init__(self, venue: Venue, implementation: ImplementationName = "kernel") -> None:
        self.venue = venue
        self.implementation = implementation
        self._impl = _implementation(venue, implementation)
        self._look = look_at(self._impl)

    @classmethod
    def restore(cls, venue: Venue, state: bytes, implementation: ImplementationName = "kernel") -> Engine:
        """The engine whose canonical state is `state`. Raises ValueError when the bytes do not fit the venue."""
        sections = unpack_state(state)
        expected = {
            "currencies": len(venue.currencies),
            "assets": len(venue.assets),
            "instruments": len(venue.instruments),
        }
        for name, count in expected.items():
            if len(sections[name]) != count:
                raise ValueError(f"canonical state has {len(sections[name])} {name}, the venue {count}")
        engine = cls(venue, implementation)
        engine._impl.restore(state)
        return engine

    def apply(self, commands: CommandArray) -> Applied:
        """Apply commands in order.

        Args:
            commands: one-dimensional, dtype COMMAND, contiguous.

        Returns:
            How many were applied and their events. Fewer than given only when the event buffer is full:
            call again with the rest. The events are a view valid until the next call.
        """
        if (commands.dtype is not COMMAND and commands.dtype != COMMAND) or commands.ndim != 1:
            raise TypeError(f"commands must be a one-dimensional array of dtype COMMAND, not {commands.dtype}")
        if not commands.flags.c_contiguous:
            commands = np.ascontiguousarray(commands)
        return Applied(*self._impl.apply(commands))

    def apply_all(self, commands: CommandArray) -> EventArray:
        """Apply every command, however many events that gives; returns a copy of all events."""
        parts: list[NDArray[Any]] = []
        while True:
            done, events = self.apply(commands)
            parts.append(events.copy())
            commands = commands[done:]
            if not len(commands):
                return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def canonical_state(self) -> bytes:
        """Everything that decides what later commands do; layout in `schema.STATE_SECTIONS`."""
        return self._impl.canonical_state()

    def state(self) -> dict[str, NDArray[Any]]:
        """The canonical state as arrays by section name."""
        return unpack_state(self.canonical_state())

    def digest(self) -> bytes:
        """SHA-256 of the canonical state."""
        return hashlib.sha256(self.canonical_state()).digest()

    def last_client_order_id(self, session: int) -> int:
        """The last number consumed by a session; 0 for a session that has used none or does not exist."""
        return self._impl.last_client_order_id(session)

    def touch(self) -> None:
        """Have the operating system hand out the memory of a trading day now, not in the middle of it: tens of
        megabytes, by the venue's capacities. Changes nothing else."""
        self._impl.touch()

    # Cheap looks, which read only what they tell (`engine.look`). Ids that do not exist raise IndexError.

    def header(self) -> Header:
        """Trading date, day stage, sequences, time, composite."""
        return self._look.header()

    def depth(self, instrument: int, levels: int = 5) -> Depth:
        """The best `levels` displayed prices of each side of a book: ticks, lots, orders."""
        return self._look.depth(instrument, levels)

    def lots(self, instrument: int, levels: int = 5) -> Lots:
        """As `depth` without counting orders, whose number it then does not cost: (ticks, lots) by price."""
        return self._look.lots(instrument, levels)

    def indicative(self, instrument: int) -> Indicative:
        """Price, volume and surplus of the uncrossing that would take place now; (0, 0, 0) without one."""
        return self._look.indicative(instrument)

    def balance(self, account: int) -> Balance:
        """An account's row of section `accounts` and its rows of `cash` and `holds`."""
        return self._look.balance(account)

    def register(self, section: str) -> NDArray[Any]:
        """The rows of section `negotiations`, `auctions`, `bids`, `encumbrances` or `obligations`, by id."""
        return self._look.register(section)

    def book_day(self, instrument: int) -> NDArray[Any]:
        """An instrument's row of section `instruments`, as an array of one."""
        return self._look.book_day(instrument)

    def open_orders(self, session: int = 0, account: int = 0, after: int = 0, most: int = ALL) -> NDArray[Any]:
        """Live orders of a session or an account (0 = of any), rows of section `orders` by order id.

        Args:
            after, most: only ids above `after`, and of these the first `most`: one page.
        """
        return self._look.open_orders(session, account, after, most)


def _implementation(venue: Venue, name: ImplementationName) -> Implementation:
    # Imported on use: the reference must run where the compiler is absent, and the other way round.
    if name == "reference":
        from engine.reference import ReferenceEngine

        return ReferenceEngine(venue)
    if name == "kernel":
        from engine.kernel import Kernel

        return Kernel(venue)
    raise ValueError(f"implementation must be 'kernel' or 'reference', not {name!r}")


__all__ = ["STATE_SECTIONS", "Applied", "Engine", "ImplementationName"]
