"""Order flows to measure with: deterministic by seed, at a held number of resting orders.

A flow is written against a running engine in small steps, as by traders who see their executions: cancels and replaces
name orders that really rest, drawn uniformly, and a flow rarely asks for what is gone. The result is plain COMMAND
arrays, so what is measured later is the engine alone.

    work = random_walk(1_000_000, resting=100_000, instruments=1, seed=7)     # on the preset `plain`
    work = carbon_day(1_000_000, resting=100_000, seed=7)                     # on the preset `seee`
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.core import Engine, ImplementationName
from engine.schema import (
    COMMAND,
    CommandArray,
    CommandKind,
    EventArray,
    EventKind,
    Mode,
    OrderFlag,
    OrderType,
    Phase,
    Role,
    Side,
    TimeInForce,
)
from engine.venue import Venue

EMITTERS: Final = 3_768
"""Accounts of a carbon day: the key emitters of China's national market at the end of 2025, one account each."""
TRADING_DATE: Final = 2026_01_05
"""First date on which all six vintages of the preset are listed."""
SHARE_CANCEL, SHARE_REPLACE = 0.24, 0.08
"""Of all commands; the first moves with the number of resting orders."""
SHARE_IOC, SHARE_CROSSING = 0.24, 0.12
"""Of new orders: immediate orders that reach deep, and limit orders just through the middle. The others wait."""

Numbers = NDArray[np.int64]


class Workload(NamedTuple):
    """Commands for one venue: `prepare` opens it, fills the book and runs the flow in, `flow` is what is measured."""

    name: str
    venue: Venue
    prepare: CommandArray
    flow: CommandArray

    def save(self, folder: Path) -> None:
        """Write three files into `folder`: <name>.venue.json, <name>.prepare.npy, <name>.flow.npy."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}.venue.json").write_bytes(self.venue.to_json())
        np.save(folder / f"{self.name}.prepare.npy", self.prepare)
        np.save(folder / f"{self.name}.flow.npy", self.flow)

    @classmethod
    def load(cls, folder: Path, name: str) -> Workload:
        """What `save` wrote."""
        venue = Venue.from_json((folder / f"{name}.venue.json").read_bytes())
        prepare, flow = (np.load(folder / f"{name}.{part}.npy").view(COMMAND) for part in ("prepare", "flow"))
        return cls(name, venue, prepare, flow)


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


def random_walk(
    count: int,
    resting: int = 100_000,
    instruments: int = 1,
    seed: int = 7,
    implementation: ImplementationName = "kernel",
) -> Workload:
    """`count` commands on the preset `plain`, all from the venue's own session, targets by order id."""
    venue = Venue.preset("plain").with_instruments(instruments)
    size = instruments + 1
    style = Style(
        centre=np.full(size, 60_000),
        low=np.full(size, 1),
        high=np.full(size, venue.instruments[0].ceiling_ticks),
        span=5_000,
        reach=2_000,
        spread=12,
        tail=3_000,
        quantity=1_000,
        accounts=100,
        sessions=False,
    )
    writer = _Writer(Engine(venue, implementation), style, seed)
    return writer.work("plain", venue, np.zeros(0, COMMAND), resting, count)


def carbon_day(
    count: int,
    resting: int = 100_000,
    accounts: int = EMITTERS,
    seed: int = 7,
    implementation: ImplementationName = "kernel",
) -> Workload:
    """`count` commands on the preset `seee`: a firm, a session, cash and six vintages per account, T+1, 10 % limits.

    Sellers own more units than they will ever offer, because what is bought today cannot be sold today.
    """
    venue = Venue.preset("seee")
    opening = open_market(venue, accounts)
    engine = Engine(venue, implementation)
    engine.apply_all(opening)
    state = engine.state()["instruments"]
    style = Style(
        centre=np.append(0, state["previous_close"]),
        low=np.append(0, state["limit_down"]),
        high=np.append(0, state["limit_up"]),
        span=150,
        reach=200,
        spread=12,
        tail=500,
        quantity=1_000,
        accounts=accounts,
        sessions=True,
    )
    return _Writer(engine, style, seed).work("seee", venue, opening, resting, count)


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
    rows(CommandKind.OPEN_ACCOUNT, quantity=numbers, quantity2=(numbers + 3) // 4)
    rows(CommandKind.OPEN_SESSION, quantity=numbers, scope=Role.TRADER)
    rows(CommandKind.DEPOSIT_CASH, account=numbers, scope=1, quantity=10**12)
    for asset in range(1, assets + 1):
        rows(CommandKind.DEPOSIT_UNITS, account=numbers, scope=asset, quantity=10**7)
    last = made[-1]
    last["kind"], last["scope"], last["quantity"] = CommandKind.SET_PHASE, Mode.LISTED, Phase.CONTINUOUS
    last["expiry"] = TRADING_DATE
    _stamp(made, 0)
    return made


def _stamp(commands: CommandArray, before: int) -> None:
    """Sequence and timestamp of commands that follow `before` others: a microsecond apart."""
    sequence = np.arange(before + 1, before + len(commands) + 1)
    commands["sequence"] = sequence
    commands["timestamp"] = 1_767_576_600_000_000_000 + sequence * 1_000  # 2026-01-05 09:30 in Shanghai


class _Writer:
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

    def work(self, name: str, venue: Venue, opening: CommandArray, resting: int, count: int) -> Workload:
        """The opening, already applied; a full book; a fifth of `count` to run in; then the flow itself."""
        run_in = count // 5
        self.reserve(len(opening) + resting + run_in + count)
        self.commands[: len(opening)] = opening
        self.at = len(opening)
        for size in _steps(resting, 8_192):
            self.step(size, resting, filling=True)
        most = min(8_192, max(32, resting // 8))
        for size in _steps(run_in, most):
            self.step(size, resting)
        start = self.at
        for size in _steps(count, most):
            self.step(size, resting)
        return Workload(name, venue, self.commands[:start], self.commands[start:])

    def step(self, size: int, resting: int, filling: bool = False) -> None:
        """Write and apply `size` commands that keep about `resting` orders live."""
        live = len(self.live)
        cancels = replaces = 0
        if not filling:
            cancels = int(np.clip(size * SHARE_CANCEL + (live - resting) / 4, 0, min(size * 0.6, live // 3)))
            replaces = min(int(size * SHARE_REPLACE), live // 3)
        part = self.commands[self.at : self.at + size]
        order = self.random.permutation(size)
        targets = self.live[self.random.choice(live, cancels + replaces, replace=False)]
        self._cancel(part, order[:cancels], targets[:cancels])
        self._replace(part, order[cancels : cancels + replaces], targets[cancels:])
        self._new(part, np.sort(order[cancels + replaces :]), filling)
        if self.style.sessions:
            part["client_order_id"] = self._next_numbers(part["session"])
        _stamp(part, self.at)
        self.at += size
        self._watch(self.engine.apply_all(part))

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
        instrument = random.integers(1, len(style.centre), count)
        side = random.integers(1, 3, count)
        outward = np.where(side == Side.BUY, -1, 1)
        middle = style.centre[instrument] + (0 if filling else self._wander(count))
        away = 1 + (style.spread * (random.random(count) ** -0.8 - 0.75)).astype(np.int64).clip(0, None) % style.tail
        draw = random.random(count) if not filling else np.ones(count)
        ioc = draw < SHARE_IOC
        crossing = ~ioc & (draw < SHARE_IOC + SHARE_CROSSING)
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
        part["flags"][rows] = np.where((away > 40) & (random.random(count) < 0.1), OrderFlag.POST_ONLY, 0)
        part["instrument"][rows] = instrument
        part["account"][rows] = account
        part["price"][rows] = np.where(market, 0, price)
        part["quantity"][rows] = random.integers(1, style.quantity + 1, count)
        if style.sessions:
            part["session"][rows] = account

    def _wander(self, count: int) -> Numbers:
        """The middle's distance from its centre before each of `count` orders, ticks."""
        path = self.walk + np.cumsum(self.random.integers(-1, 2, count))
        self.walk = int(path[-1]) if count else self.walk
        span = self.style.span
        return np.abs((path // 20 - span) % (4 * span) - 2 * span) - span

    def _next_numbers(self, session: NDArray[np.int32]) -> Numbers:
        """client_order_ids: the next one of each command's session."""
        by_session = np.argsort(session, kind="stable")
        ordered = session[by_session]
        first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        sizes = np.diff(np.append(first, len(ordered)))
        rank = np.arange(len(ordered)) - np.repeat(first, sizes) + 1
        numbers = np.empty(len(ordered), np.int64)
        numbers[by_session] = self.last_number[ordered] + rank
        self.last_number[ordered[first]] += sizes
        return numbers

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


def _steps(total: int, size: int) -> list[int]:
    """`total` cut into pieces of at most `size`."""
    return [size] * (total // size) + ([total % size] if total % size else [])
