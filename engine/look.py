"""Cheap looks at an engine: one book's depth, one account, one instrument's day, one session's orders.

`Engine.state()` writes down everything; these read only what is asked for, straight from the kernel's block of memory
or from the reference engine's objects, in the rows of `schema.STATE_SECTIONS`. Nothing here changes anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.layout import WAITING
from engine.schema import STATE_SECTIONS, OrderFlag

HEADER: Final = (
    "trading_date",
    "day_stage",
    "event_sequence",
    "command_sequence",
    "timestamp",
    "composite",
    "transfers_closed",
)
ALL: Final = 1 << 62
UNLISTED: Final = OrderFlag.HIDDEN | WAITING
"""Flags of the kernel's orders that are in no depth."""
WALK: Final = 256
"""Most orders of one price that are counted one by one."""


class Level(NamedTuple):
    """One price of one side: ticks, lots displayed, and how many orders display them."""

    price: int
    quantity: int
    orders: int


class Depth(NamedTuple):
    """Best prices first."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class Lots(NamedTuple):
    """(ticks, lots displayed) of each price, best prices first; the orders are not counted."""

    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]


class Indicative(NamedTuple):
    """What a call auction would do if it ended now; all 0 when the book is not crossed."""

    price: int
    volume: int
    surplus: int
    """Lots bid at the price or higher less lots offered at it or lower."""


class Balance(NamedTuple):
    """One account: a row of section `accounts`, and its rows of `cash` and `holds`."""

    account: NDArray[Any]
    cash: NDArray[Any]
    holds: NDArray[Any]


class Header(NamedTuple):
    """The venue's day and counters; see `schema.STATE_HEADER`."""

    trading_date: int
    day_stage: int
    event_sequence: int
    command_sequence: int
    timestamp: int
    composite: int
    transfers_closed: int


class Look(Protocol):
    """What can be looked at, for both implementations. Ids that do not exist raise IndexError."""

    def header(self) -> Header: ...

    def depth(self, instrument: int, levels: int) -> Depth: ...

    def lots(self, instrument: int, levels: int) -> Lots: ...

    def indicative(self, instrument: int) -> Indicative: ...

    def balance(self, account: int) -> Balance: ...

    def book_day(self, instrument: int) -> NDArray[Any]: ...

    def open_orders(self, session: int, account: int, after: int, most: int) -> NDArray[Any]: ...

    def register(self, section: str) -> NDArray[Any]: ...


class ArenaLook:
    """Looks into the kernel's arena through NumPy views; `live_orders` sets what a session's orders cost."""

    def __init__(self, arena: NDArray[Any]) -> None:
        self._s = arena[0]
        self._arena = arena
        tables = ("books", "accounts", "balances", "holds", "orders", "extras", "levels", "free_slots")
        for name in (*tables, "bits0", "bits1", "bits2"):
            setattr(self, f"_{name}", self._s[name])
        # Columns: to take one number out of a record costs several times as much.
        self._floors, self._ladders = self._books["floor"], self._books["ladder"]

    _books: NDArray[Any]
    _accounts: NDArray[Any]
    _balances: NDArray[Any]
    _holds: NDArray[Any]
    _orders: NDArray[Any]
    _extras: NDArray[Any]
    _levels: NDArray[Any]
    _bits0: NDArray[Any]
    _bits1: NDArray[Any]
    _bits2: NDArray[Any]
    _free_slots: NDArray[Any]

    def header(self) -> Header:
        return Header(*(int(self._s[name]) for name in HEADER))

    def depth(self, instrument: int, levels: int) -> Depth:
        _check(instrument, int(self._s["instruments"]))
        bids, asks = (tuple(islice(self._side(instrument, k), levels)) for k in (0, 1))
        return Depth(bids, asks)

    def lots(self, instrument: int, levels: int) -> Lots:
        _check(instrument, int(self._s["instruments"]))
        bids, asks = (
            tuple((price, lots) for price, lots, _ in islice(self._displayed(instrument, k), levels)) for k in (0, 1)
        )
        return Lots(bids, asks)

    def _side(self, instrument: int, k: int) -> Iterator[Level]:
        for price, quantity, head in self._displayed(instrument, k):
            yield Level(price, quantity, self._count(head))

    def _displayed(self, instrument: int, k: int) -> Iterator[tuple[int, int, int]]:
        """(price, lots displayed, slot of the first order) of a side's prices, best first."""
        floor: int = self._floors.item(instrument)
        start: int = self._ladders.item(instrument, k) + floor
        for position in self._positions(instrument, k):
            head, _, quantity = self._levels.item(start + position)
            if quantity:  # else all orders of this price are hidden
                yield floor + position, quantity, head

    def _positions(self, instrument: int, k: int) -> Iterator[int]:
        """Occupied positions of a side, best first, out of the three layers of bits (`kernel.bitmap`)."""
        down = k == 0
        for a in _bits(self._bits2.item(instrument, k), down):
            for b in _bits(self._bits1.item(instrument, k, a), down):
                for c in _bits(self._bits0.item(instrument, k, a << 6 | b), down):
                    yield (a << 6 | b) << 6 | c

    def _count(self, head: int) -> int:
        """Displayed orders of the queue that begins with slot `head`; a long one is counted over all orders at once."""
        behind, flags, slot = self._orders["next"], self._orders["flags"], head
        for count in range(WALK):
            if slot == 0 or flags[slot] & UNLISTED:
                return count
            slot = int(behind[slot])
        first = self._orders[head]
        same = self._live()
        for name in ("price", "instrument", "side"):
            same &= self._orders[name][: len(same)] == first[name]
        same &= flags[: len(same)] & UNLISTED == 0
        return int(same.sum())

    def _live(self) -> NDArray[np.bool_]:
        """By slot: whether a live order stands there. A free slot keeps the fields of the order that left it."""
        live = np.ones(int(self._s["highest_slot"]) + 1, np.bool_)
        live[self._free_slots[: int(self._s["free_count"])]] = False
        live[0] = False
        return live

    def balance(self, account: int) -> Balance:
        s = self._s
        _check(account, int(s["accounts_open"]))
        width, currencies = int(s["columns"]), int(s["currencies"])
        row = np.zeros(1, STATE_SECTIONS["accounts"])
        for name in row.dtype.names or ():
            row[name] = self._accounts[name][account]
        begin, middle, end = account * width, account * width + currencies, (account + 1) * width
        money = self._buckets("cash", account, slice(begin, middle))
        return Balance(row, money, self._buckets("holds", account, slice(middle, end)))

    def _buckets(self, section: str, account: int, where: slice) -> NDArray[Any]:
        """The rows of `section` with any amount, from those places of the two tables."""
        balances, holds = self._balances[where], self._holds[where]
        rows = np.zeros(len(balances), STATE_SECTIONS[section])
        owner, kind, *names = rows.dtype.names or ("", "")
        rows[owner], rows[kind] = account, np.arange(1, len(rows) + 1)
        filled = np.zeros(len(rows), np.bool_)
        for name in names:
            bucket = "auction_frozen" if name == "auction_locked" else name
            rows[name] = (balances if bucket in (balances.dtype.names or ()) else holds)[bucket]
            filled |= rows[name] != 0
        return rows[filled]

    def book_day(self, instrument: int) -> NDArray[Any]:
        _check(instrument, int(self._s["instruments"]))
        from engine.kernel.state import instrument_rows

        return instrument_rows(self._books[instrument : instrument + 1])

    def open_orders(self, session: int, account: int, after: int, most: int) -> NDArray[Any]:
        fits = self._live()
        for name, wanted in (("session", session), ("account", account)):
            if wanted:
                fits &= self._orders[name][: len(fits)] == wanted
        slots = np.flatnonzero(fits)
        ids = self._orders["order_id"][slots]
        slots, ids = slots[ids > after], ids[ids > after]
        chosen = slots[np.argsort(ids)[:most]]
        from engine.kernel.state import order_rows

        return order_rows(self._orders[chosen], self._extras[chosen])

    def indicative(self, instrument: int) -> Indicative:
        _check(instrument, int(self._s["instruments"]))
        from engine.kernel.state import indicative

        found = np.zeros(3, np.int64)
        indicative(self._arena, instrument, found)
        return Indicative(*found.tolist())

    def register(self, section: str) -> NDArray[Any]:
        rows: NDArray[Any] = self._s[section][1 : int(self._s[f"{section}_used"]) + 1]
        return rows.copy() if section == "obligations" else rows[rows["quantity"] > 0]


class ReferenceLook:
    """Looks at the reference engine's objects.

    Args:
        engine: an `engine.reference.ReferenceEngine`; its exchange is a new object after a restore.
    """

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    @property
    def _x(self) -> Any:
        return self._engine._exchange

    def header(self) -> Header:
        return Header(*(int(getattr(self._x, name)) for name in HEADER))

    def depth(self, instrument: int, levels: int) -> Depth:
        market = self._market(instrument)

        def best(side: Any) -> tuple[Level, ...]:
            displayed = ((price, level.displayed.values()) for price, level in side.best_first() if level.displayed)
            return tuple(Level(p, sum(o.offered for o in queue), len(queue)) for p, queue in islice(displayed, levels))

        return Depth(best(market.buys), best(market.sells))

    def lots(self, instrument: int, levels: int) -> Lots:
        depth = self.depth(instrument, levels)
        bids, asks = (tuple((level.price, level.quantity) for level in side) for side in depth)
        return Lots(bids, asks)

    def indicative(self, instrument: int) -> Indicative:
        from engine.reference.uncrossing import uncrossing_of

        found = uncrossing_of(self._market(instrument))
        return Indicative(found.at.price, found.at.volume, found.at.surplus) if found else Indicative(0, 0, 0)

    def _market(self, instrument: int) -> Any:
        _check(instrument, len(self._x.markets))
        return self._x.markets[instrument - 1]

    def balance(self, account: int) -> Balance:
        _check(account, len(self._x.accounts) - 1)
        owner = self._x.accounts[account]
        fields = STATE_SECTIONS["accounts"].names or ()
        row = np.array([tuple(getattr(owner, name) for name in fields)], STATE_SECTIONS["accounts"])
        return Balance(row, _filled("cash", account, owner.cash), _filled("holds", account, owner.holds))

    def book_day(self, instrument: int) -> NDArray[Any]:
        market = self._market(instrument)
        from engine.reference.canonical import market_row

        return np.array([market_row(market)], STATE_SECTIONS["instruments"])

    def open_orders(self, session: int, account: int, after: int, most: int) -> NDArray[Any]:
        names = STATE_SECTIONS["orders"].names or ()
        orders = self._x.orders
        wanted = sorted(
            number
            for number, order in orders.items()
            if number > after and session in (0, order.session) and account in (0, order.account)
        )
        rows = [tuple(getattr(orders[number], name) for name in names) for number in wanted[:most]]
        return np.array(rows, STATE_SECTIONS["orders"])

    def register(self, section: str) -> NDArray[Any]:
        from dataclasses import astuple

        held = getattr(self._x, section)
        return np.array([astuple(held[number]) for number in sorted(held)], STATE_SECTIONS[section])


def _filled(section: str, account: int, buckets: dict[int, Any]) -> NDArray[Any]:
    names = (STATE_SECTIONS[section].names or ())[2:]
    rows = [(account, number, *(getattr(held, n) for n in names)) for number, held in sorted(buckets.items())]
    return np.array([row for row in rows if any(row[2:])], STATE_SECTIONS[section])


def _bits(word: int, down: bool) -> Iterator[int]:
    """Numbers of the bits set, from the highest down or from the lowest up."""
    while word:
        bit = (word if down else word & -word).bit_length() - 1
        yield bit
        word ^= 1 << bit


def _check(number: int, last: int) -> None:
    if not 1 <= number <= last:
        raise IndexError(f"{number}: there are 1 to {last}")


def look_at(implementation: Any) -> Look:
    """The looks at an implementation, a `Kernel` or a `ReferenceEngine`."""
    arena = getattr(implementation, "_arena", None)
    return ReferenceLook(implementation) if arena is None else ArenaLook(arena)
