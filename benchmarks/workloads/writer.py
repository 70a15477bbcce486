"""Writes a flow against a running engine, step by step, as traders who see their executions.

Cancels and replaces name orders that really rest, drawn uniformly, so a flow rarely asks for what is gone.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.workloads.base import Numbers, Workload, next_numbers, stamp, steps
from engine.core import Engine
from engine.schema import (
    COMMAND,
    CommandArray,
    CommandKind,
    EventArray,
    EventKind,
    OrderFlag,
    OrderType,
    Side,
    TimeInForce,
)
from engine.venue import Venue

MOST_A_STEP: Final = 8_192
NOTHING: Final = np.zeros(0, COMMAND)


def step_size(resting: int) -> int:
    """Commands a step: the fewer orders rest, the sooner a trader looks again."""
    return min(MOST_A_STEP, max(32, resting // 8))


class Style(NamedTuple):
    """What one venue's traders are like. Prices in ticks around a wandering middle."""

    centre: Numbers  # by instrument id, [0] unused: middle at the start
    low: Numbers  # by instrument id: lowest price that may be asked for
    high: Numbers
    span: int  # the middle stays within centre +- span
    reach: int  # how far beyond the middle an immediate order goes
    spread: int  # half of the waiting orders stand within about this many ticks of the middle
    tail: int  # none stands further away
    quantity: int  # largest usual quantity, lots
    accounts: int
    sessions: bool  # each account trades through a session of its own, by client_order_id
    share: NDArray[np.float64] | None = None  # of new orders by instrument id 1, 2, ...; None = alike
    cancels: float = 0.24  # of all commands; moves with the number of resting orders
    replaces: float = 0.08
    ioc: float = 0.24  # of new orders: immediate ones that reach deep
    crossing: float = 0.12  # of new orders: limit orders just through the middle; the others wait
    post_only: float = 0.1  # of orders far from the middle


class Writer:
    """Writes commands step by step, applies each step and reads from the events which orders rest."""

    def __init__(self, engine: Engine, style: Style, seed: int) -> None:
        self.engine, self.style = engine, style
        self.random = np.random.default_rng(seed)
        self.walk = 0  # where the middle has wandered, unfolded, in twentieths of a tick
        self.last_number = np.zeros(style.accounts + 1, np.int64)  # last client_order_id by session
        self.live = np.zeros(0, np.int64)  # order ids
        self.at = 0  # commands written so far
        self.reserve(0)

    def reserve(self, total: int) -> None:
        """Room for `total` commands; orders are numbered by acceptance, so there are never more than commands."""
        self.commands: CommandArray = np.zeros(total, COMMAND)
        # By order id:
        self.source = np.zeros(total + 1, np.int64)  # index of the command that entered it
        self.price = np.zeros(total + 1, np.int32)
        self.quantity = np.zeros(total + 1, np.int32)
        self.remaining = np.zeros(total + 1, np.int32)

    def fill(self, opening: CommandArray, resting: int, count: int) -> None:
        """The opening, already applied, and a full book; room for a flow of `count` commands and a fifth to run in."""
        self.reserve(len(opening) + resting + count // 5 + count)
        self.commands[: len(opening)] = opening
        self.at = len(opening)
        for size in steps(resting, MOST_A_STEP):
            self.step(size, resting, filling=True)

    def work(self, name: str, venue: Venue, opening: CommandArray, resting: int, count: int) -> Workload:
        """The opening, already applied; a full book; a fifth of `count` to run in; then the flow itself."""
        self.fill(opening, resting, count)
        most = step_size(resting)
        for size in steps(count // 5, most):
            self.step(size, resting)
        start = self.at
        for size in steps(count, most):
            self.step(size, resting)
        return Workload(name, venue, self.commands[:start], self.commands[start:])

    def step(
        self, size: int, resting: int, filling: bool = False, others: CommandArray = NOTHING, only_cancels: bool = False
    ) -> EventArray:
        """Write and apply `size` commands that keep about `resting` orders live; `others` are strewn among them.

        Returns the events.
        """
        live = len(self.live)
        orders = size - len(others)
        cancels = replaces = 0
        if only_cancels:
            cancels = orders = min(orders, live // 3)
        elif not filling:
            wanted = orders * self.style.cancels + (live - resting) / 4
            cancels = int(np.clip(wanted, 0, min(orders * max(0.6, self.style.cancels), live // 3)))
            replaces = min(int(orders * self.style.replaces), live // 3)
        part = self.commands[self.at : self.at + orders + len(others)]
        order = self.random.permutation(len(part))
        part[np.sort(order[orders:])] = others
        targets = self.live[self.random.choice(live, cancels + replaces, replace=False)]
        self._cancel(part, order[:cancels], targets[:cancels])
        self._replace(part, order[cancels : cancels + replaces], targets[cancels:])
        self._new(part, np.sort(order[cancels + replaces : orders]), filling)
        return self._send(part)

    def send(self, commands: CommandArray) -> EventArray:
        """Write and apply commands made elsewhere; returns the events."""
        part = self.commands[self.at : self.at + len(commands)]
        part[:] = commands
        return self._send(part)

    def _send(self, part: CommandArray) -> EventArray:
        if self.style.sessions:
            part["client_order_id"] = next_numbers(part["session"], self.last_number)
        stamp(part, self.at)
        self.at += len(part)
        events = self.engine.apply_all(part)
        self._watch(events)
        return events

    def _address(self, part: CommandArray, rows: Numbers, targets: Numbers) -> None:
        if self.style.sessions:
            source = self.commands[self.source[targets]]
            part["flags"][rows] = OrderFlag.BY_CLIENT_ID
            part["target"][rows] = source["client_order_id"]
            part["session"][rows] = source["session"]
        else:
            part["target"][rows] = targets

    def _cancel(self, part: CommandArray, rows: Numbers, targets: Numbers) -> None:
        part["kind"][rows] = CommandKind.CANCEL_ORDER
        self._address(part, rows, targets)

    def _replace(self, part: CommandArray, rows: Numbers, targets: Numbers) -> None:
        """In equal parts: half as much, one lot more, one tick more or less."""
        part["kind"][rows] = CommandKind.REPLACE_ORDER
        self._address(part, rows, targets)
        what = self.random.integers(0, 3, len(rows))
        quantity, price = self.quantity[targets], self.price[targets]
        quantity = np.where(what == 0, quantity - self.remaining[targets] // 2, quantity + (what == 1))
        price = price + np.where(what == 2, self.random.integers(0, 2, len(rows)) * 2 - 1, 0)
        instrument = self.commands[self.source[targets]]["instrument"]
        part["quantity"][rows] = quantity
        part["price"][rows] = np.clip(price, self.style.low[instrument], self.style.high[instrument])

    def _new(self, part: CommandArray, rows: Numbers, filling: bool) -> None:
        style, random, count = self.style, self.random, len(rows)
        instrument = self._instruments(count)
        side = random.integers(1, 3, count)
        outward = np.where(side == Side.BUY, -1, 1)
        middle = style.centre[instrument] + (0 if filling else self._wander(count))
        away = 1 + (style.spread * (random.random(count) ** -0.8 - 0.75)).astype(np.int64).clip(0, None) % style.tail
        draw = random.random(count) if not filling else np.ones(count)
        ioc = draw < style.ioc
        crossing = ~ioc & (draw < style.ioc + style.crossing)
        away[ioc] = -style.reach
        away[crossing] = -3
        resting_time = TimeInForce.DAY if style.sessions else TimeInForce.GTC
        market = draw < (0.02 if style.sessions else 0.0)  # without a daily limit it would need a price
        price = np.clip(middle + outward * away, style.low[instrument], style.high[instrument])
        account = random.integers(1, style.accounts + 1, count)
        part["kind"][rows] = CommandKind.NEW_ORDER
        part["side"][rows] = side
        part["order_type"][rows] = np.where(market, OrderType.MARKET, OrderType.LIMIT)
        part["time_in_force"][rows] = np.where(ioc, TimeInForce.IOC, resting_time)
        part["flags"][rows] = np.where((away > 40) & (random.random(count) < style.post_only), OrderFlag.POST_ONLY, 0)
        part["instrument"][rows] = instrument
        part["account"][rows] = account
        part["price"][rows] = np.where(market, 0, price)
        part["quantity"][rows] = random.integers(1, style.quantity + 1, count)
        if style.sessions:
            part["session"][rows] = account

    def _instruments(self, count: int) -> Numbers:
        if self.style.share is None:
            return self.random.integers(1, len(self.style.centre), count)
        return 1 + np.searchsorted(np.cumsum(self.style.share[:-1]), self.random.random(count), side="right")

    def _wander(self, count: int) -> Numbers:
        """The middle's distance from its centre before each of `count` orders, ticks."""
        path = self.walk + np.cumsum(self.random.integers(-1, 2, count))
        self.walk = int(path[-1]) if count else self.walk
        span = self.style.span
        return np.abs((path // 20 - span) % (4 * span) - 2 * span) - span

    def _watch(self, events: EventArray) -> None:
        kind = events["kind"]
        entered = events[kind == EventKind.ACCEPTED]
        new = entered["order_id"]
        self.source[new] = entered["command_sequence"] - 1
        changed = events[(kind == EventKind.ACCEPTED) | (kind == EventKind.REPLACED)]
        self.price[changed["order_id"]] = changed["price"]
        self.quantity[changed["order_id"]] = changed["quantity"]
        moved = events[(kind <= EventKind.DECREMENTED) & (kind != EventKind.REJECTED) & (kind != EventKind.FEE)]
        ids = np.stack((moved["order_id"], moved["contra_order_id"]), axis=1).ravel()
        # Written in event order, so the last word on an order stands; entry 0 takes what names no second order.
        self.remaining[ids] = np.stack((moved["remaining"], moved["contra_remaining"]), axis=1).ravel()
        self.live = np.concatenate((self.live, new))
        self.live = self.live[self.remaining[self.live] > 0]
