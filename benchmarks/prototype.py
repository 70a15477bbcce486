"""A bare book to compare with: price-time matching over the same records, and no rule of an exchange.

It reads the same Commands and writes the same 128-byte Events, so it pays for the same memory; it knows one instrument,
limit orders, immediate orders, cancels and replaces by order id, and trusts what it is given: no sessions, accounts,
money, limits, phases, self-trade prevention, state or checks. What the engine's rules cost is the ratio of the two.
"""

from __future__ import annotations

from typing import Final

import numba
import numpy as np
from numba import carray, types  # type: ignore[attr-defined]

from engine.founding import populate, zero_pages
from engine.kernel.bitmap import NOTHING, highest, lowest, occupy, vacate
from engine.kernel.compiler import COMPILED, U, by_address, small
from engine.schema import COMMAND, EVENT, CommandArray, CommandKind, EventArray, EventKind, Reason, Side, TimeInForce
from engine.schema.records import record

SLOTS: Final = 1 << 20
"""Resting orders at most."""
IDS: Final = 1 << 23
"""Orders ever entered, at most."""
TICKS: Final = 1 << 17
EVENTS: Final = 1 << 18
ONLY = 0
"""The one book's place in the bitmap."""
ORDER: Final = record(
    [
        ("order_id", "<i8"),
        ("price", "<i8"),
        ("remaining", "<i8"),
        ("quantity", "<i8"),
        ("before", "<i4"),
        ("behind", "<i4"),
        ("side", "<i8"),
        ("pad", "<i8", (2,)),  # type: ignore[list-item]
    ]
)
LEVEL: Final = record([("head", "<i4"), ("tail", "<i4"), ("quantity", "<i8")])
"""One price: first and last order, and the lots resting, which market data asks for."""
BOOK: Final = np.dtype(
    (
        np.record,
        [
            ("events", EVENT, (EVENTS,)),
            ("event_count", "<i8"),
            ("event_sequence", "<i8"),
            ("last_order_id", "<i8"),
            ("free_count", "<i8"),
            ("best", "<i8", (2,)),
            ("bits0", "<u8", (1, 2, TICKS // 64)),
            ("bits1", "<u8", (1, 2, TICKS // 4096)),
            ("bits2", "<u8", (1, 2)),
            ("levels", LEVEL, (2, TICKS)),
            ("free", "<i4", (SLOTS,)),
            ("slot_of", "<i4", (IDS,)),
            ("orders", ORDER, (SLOTS,)),
        ],
    )
)
"""Side 0 buys, side 1 sells; slot 0 means none."""


class BareBook:
    """An empty book; `apply` as `Engine.apply`, for calls of at most 65,536 commands of few trades each."""

    def __init__(self) -> None:
        self._book = zero_pages(BOOK, 1)
        populate(self._book, 0, BOOK.itemsize)
        s = self._book[0]
        s["best"][:] = NOTHING, TICKS
        s["free"][1:] = np.arange(SLOTS - 1, 0, -1)
        s["free_count"] = SLOTS - 1
        self._events: EventArray = s["events"]
        self._apply = _bind(self._book)

    def apply(self, commands: CommandArray) -> tuple[int, EventArray]:
        """How many commands were applied, and their events: a view until the next call."""
        done = self._apply(np.ascontiguousarray(commands))
        return done, self._events[: int(self._book["event_count"][0])]


@small
def _emit(s, c, kind, reason, side, price, quantity, order_id, contra_order_id, remaining):
    e = s.events[U(s.event_count)]
    s.event_count += 1
    s.event_sequence += 1
    e.kind = kind
    e.reason = reason
    e.side = side + 1
    e.sequence = s.event_sequence
    e.command_sequence = c.sequence
    e.timestamp = c.timestamp
    e.price = price
    e.quantity = quantity
    e.order_id = order_id
    e.contra_order_id = contra_order_id
    e.remaining = remaining


@small
def _remove(s, slot):
    o = s.orders[U(slot)]
    level = s.levels[U(o.side), U(o.price)]
    if o.before:
        s.orders[U(o.before)].behind = o.behind
    else:
        level.head = o.behind
    if o.behind:
        s.orders[U(o.behind)].before = o.before
    else:
        level.tail = o.before
    level.quantity -= o.remaining
    s.slot_of[U(o.order_id)] = 0
    s.free_count += 1
    s.free[U(s.free_count)] = slot
    if not level.head:
        vacate(s, ONLY, o.side, o.price)
        if o.price == s.best[o.side]:
            _find_best(s, o.side)


@small
def _find_best(s, side):
    if side:
        found = lowest(s, ONLY, side)
        s.best[1] = TICKS if found == NOTHING else found
    else:
        s.best[0] = highest(s, ONLY, side)


@small
def _rest(s, side, price, quantity, remaining, order_id):
    slot = s.free[U(s.free_count)]
    s.free_count -= 1
    o = s.orders[U(slot)]
    level = s.levels[U(side), U(price)]
    o.order_id = order_id
    o.price = price
    o.quantity = quantity
    o.remaining = remaining
    o.side = side
    o.before = level.tail
    o.behind = 0
    if level.tail:
        s.orders[U(level.tail)].behind = slot
    else:
        level.head = slot
        occupy(s, ONLY, side, price)
        if (price < s.best[1]) if side else (price > s.best[0]):
            s.best[U(side)] = price
    level.tail = slot
    level.quantity += remaining
    s.slot_of[U(order_id)] = slot


@small
def _match(s, c, side, price, remaining, order_id):
    """Trade while prices cross; returns what is left."""
    other = 1 - side
    while remaining > 0:
        best = s.best[U(other)]
        if (best < price) if side else (best > price):
            break
        level = s.levels[U(other), U(best)]
        slot = level.head
        maker = s.orders[U(slot)]
        fill = min(maker.remaining, remaining)
        remaining -= fill
        maker.remaining -= fill
        level.quantity -= fill
        _emit(s, c, EventKind.TRADE, 0, side, best, fill, order_id, maker.order_id, remaining)
        if not maker.remaining:
            _remove(s, slot)
    return remaining


@small
def _enter(s, c):
    s.last_order_id += 1
    order_id = s.last_order_id
    side = np.int64(c.side) - 1
    quantity = np.int64(c.quantity)
    _emit(s, c, EventKind.ACCEPTED, 0, side, c.price, quantity, order_id, 0, quantity)
    remaining = _match(s, c, side, np.int64(c.price), quantity, order_id)
    if remaining > 0:
        if c.time_in_force == TimeInForce.IOC:
            _emit(s, c, EventKind.EXPIRED, Reason.IOC_REMAINDER, side, c.price, remaining, order_id, 0, 0)
        else:
            _rest(s, side, np.int64(c.price), quantity, remaining, order_id)


@small
def _cancel(s, c, slot):
    o = s.orders[U(slot)]
    _emit(s, c, EventKind.CANCELLED, Reason.USER_REQUESTED, o.side, o.price, o.remaining, o.order_id, 0, 0)
    _remove(s, slot)


@small
def _replace(s, c, slot):
    o = s.orders[U(slot)]
    side, order_id, quantity = o.side, o.order_id, np.int64(c.quantity)
    filled = o.quantity - o.remaining
    remaining = quantity - filled
    if remaining <= 0:
        _emit(s, c, EventKind.REJECTED, Reason.QUANTITY_BELOW_FILLED, side, 0, 0, order_id, 0, 0)
        return
    if c.price == o.price and quantity <= o.quantity:
        s.levels[U(side), U(o.price)].quantity -= o.remaining - remaining
        o.quantity = quantity
        o.remaining = remaining
        _emit(s, c, EventKind.REPLACED, 0, side, c.price, quantity, order_id, 0, remaining)
        return
    _remove(s, slot)
    _emit(s, c, EventKind.REPLACED, 0, side, c.price, quantity, order_id, 0, remaining)
    remaining = _match(s, c, side, np.int64(c.price), remaining, order_id)
    if remaining > 0:
        _rest(s, side, np.int64(c.price), quantity, remaining, order_id)


@small
def _apply_commands(s, commands, count):
    s.event_count = 0
    for i in range(count):
        if s.event_count > EVENTS // 2:  # the rest is handed in again
            return i
        c = commands[i]
        if c.kind == CommandKind.NEW_ORDER:
            _enter(s, c)
        else:
            slot = s.slot_of[U(c.target)]
            if not slot:
                _emit(s, c, EventKind.REJECTED, Reason.UNKNOWN_ORDER, Side.NONE - 1, 0, 0, 0, 0, 0)
            elif c.kind == CommandKind.CANCEL_ORDER:
                _cancel(s, c, slot)
            else:
                _replace(s, c, slot)
    return count


if COMPILED:

    @by_address(types.CPointer(numba.from_dtype(BOOK)), types.CPointer(numba.from_dtype(COMMAND)), types.int64)
    def _apply_at(book, commands, count):
        return _apply_commands(carray(book, (1,))[0], carray(commands, (count,)), count)

    def _bind(book):
        address, apply_at = book.ctypes.data, _apply_at.ready()
        return lambda commands: apply_at(address, commands.ctypes.data, len(commands))

else:

    def _bind(book):
        return lambda commands: _apply_commands(book[0], commands, len(commands))
