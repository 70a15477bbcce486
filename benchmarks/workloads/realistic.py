"""The flow of a liquid share, after the one public description with measured constants.

Written from docs/METHODOLOGY.md of github.com/flash1-dev/matching-engine-benchmark, which takes its constants from
regulators' and researchers' studies of US equities; the numbers are its, the code and the random draws are our own.
One million new orders become some two million commands:

* 15 % of new orders are immediate-or-cancel and are never touched again.
* Of the others 20 % are changed once: one lot more, and in four of five cases also one tick up or down.
* Of the others 95 % are cancelled after a life of 0.431 ms in the median, longer the deeper they stand.
* 2 % of the cancels come twice; 2 % of the orders changed and then cancelled are changed once more afterwards.
* A new order never crosses its own middle: its distance falls with the power 2.23, with a hump eight ticks out.
* Sellers follow the first half of the price path, buyers the second, lower one, and all arrive shuffled: what crosses,
  crosses by arrival.

Of the five price paths `static` builds the deepest book, `flash-crash` spans the most prices. A rate is told as the
worst of the five.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.workloads.base import EMITTERS, Numbers, Workload, next_numbers, open_market, stamp
from engine.schema import COMMAND, CommandArray, CommandKind, OrderFlag, OrderType, Side, TimeInForce
from engine.venue import Venue

SCENARIOS: Final = {"static": 0.0, "normal": 0.02, "swing-25": 0.25, "swing-40": 0.40, "flash-crash": 0.60}
"""Name -> how far the path moves from its start, at its furthest, as a share of it."""
START: Final = 33_504
"""Ticks of the middle at the start."""
IOC, CHANGED, ALSO_A_TICK, CANCELLED, TWICE = 0.15, 0.20, 0.80, 0.95, 0.02
MEDIAN_LIFE: Final = 431_000
GAP: Final = 23_400_000
"""Nanoseconds: median life of a cancelled order; mean time between two new orders, a million in a day of 6.5 hours.
So hardly two short-lived orders meet, and what trades is the one order in twenty that nobody cancels."""
POWER, HUMP, HUMP_WIDTH, HUMP_SHARE, DEEPEST = 2.23, 8, 2.0, 0.3, 45
MOST_LOTS: Final = 100
SEEE_REACH: Final = 550
"""Ticks that a path may move on the preset `seee`, whose daily limit is 10 % of about 7,300."""
SEEE_INSTRUMENT, SEEE_MIDDLE = 5, 7_320
"""CEA24 and its previous close."""


class Mix(NamedTuple):
    """Shares that may be set to other values, as for peers that offer less."""

    ioc: float = IOC
    changed: float = CHANGED
    twice: float = TWICE


class _Messages(NamedTuple):
    """One row per message, in order of time."""

    kind: Numbers
    order: Numbers  # which new order, by arrival from 0
    time: Numbers


def realistic(
    scenario: str,
    orders: int = 1_000_000,
    seed: int = 7,
    venue: str = "plain",
    accounts: int = EMITTERS,
    mix: Mix = Mix(),  # noqa: B008 (a named tuple cannot change)
) -> Workload:
    """`orders` new orders and all that becomes of them, on an empty book.

    Args:
        scenario: a key of SCENARIOS.
        venue: `plain`, from the venue's own session by order id; or `seee`, from `accounts` firms, each through its
            session by client_order_id, with the path squeezed into the daily limit.
    """
    if scenario not in SCENARIOS:
        raise ValueError(f"scenario must be one of {', '.join(SCENARIOS)}, not {scenario!r}")
    random = np.random.default_rng([seed, list(SCENARIOS).index(scenario)])
    side, price = _placed(random, orders, SCENARIOS[scenario], venue)
    quantity = random.integers(1, MOST_LOTS + 1, orders)
    ioc = random.random(orders) < mix.ioc
    messages = _lives(random, ioc, np.abs(price - _middle(venue)), mix)
    commands = _commands(messages, side, price, quantity, ioc, random)
    if venue == "plain":
        stamp(commands, 0, messages.time)
        return Workload(f"realistic-{scenario}", Venue.preset("plain"), np.zeros(0, COMMAND), commands)
    rules = Venue.preset(venue)
    opening = open_market(rules, accounts)
    _through_sessions(commands, messages.order, random.integers(1, accounts + 1, orders))
    commands["instrument"] = np.where(commands["kind"] == CommandKind.NEW_ORDER, SEEE_INSTRUMENT, 0)
    commands["time_in_force"] = np.where(
        commands["time_in_force"] == TimeInForce.GTC, TimeInForce.DAY, commands["time_in_force"]
    )
    stamp(commands, len(opening), messages.time + len(opening) * 1_000)
    return Workload(f"realistic-{venue}-{scenario}", rules, opening, commands)


def _middle(venue: str) -> int:
    return START if venue == "plain" else SEEE_MIDDLE


def _placed(random: np.random.Generator, orders: int, swing: float, venue: str) -> tuple[Numbers, Numbers]:
    """Side and price of each new order, in order of arrival."""
    middle = _path(random, orders, swing, _middle(venue))
    if venue != "plain":
        moved = middle - _middle(venue)
        furthest = max(1.0, float(np.abs(moved).max()))
        middle = _middle(venue) + moved * min(1.0, SEEE_REACH / furthest)
    side = np.where(np.arange(orders) < orders // 2, Side.SELL, Side.BUY)
    away = _distances(random, orders)
    price = np.rint(middle).astype(np.int64) + np.where(side == Side.BUY, -away, away)
    arrival = random.permutation(orders)
    return side[arrival], np.maximum(1, price[arrival])


def _path(random: np.random.Generator, orders: int, swing: float, start: int) -> NDArray[np.float64]:
    """A geometric random walk, one step per order, stretched so that its furthest point lies `swing` below the start.

    So each seed gives the promised width, and prices fall.
    """
    if not swing or not orders:
        return np.full(orders, float(start))
    walk = np.cumsum(random.standard_normal(orders))
    furthest = walk[np.argmax(np.abs(walk))]
    return start * np.exp(walk * (np.log1p(-swing) / furthest))


def _distances(random: np.random.Generator, count: int) -> Numbers:
    """Ticks from the middle, 1 to DEEPEST."""
    ticks = np.arange(1, DEEPEST + 1)
    tail, hump = ticks**-POWER, np.exp(-((ticks - HUMP) ** 2) / (2 * HUMP_WIDTH**2))
    share = (1 - HUMP_SHARE) * tail / tail.sum() + HUMP_SHARE * hump / hump.sum()
    return 1 + np.searchsorted(np.cumsum(share[:-1]), random.random(count), side="right")


def _lives(random: np.random.Generator, ioc: NDArray[np.bool_], depth: Numbers, mix: Mix) -> _Messages:
    """What becomes of each new order, and when."""
    orders = len(ioc)
    born = np.cumsum(random.exponential(GAP, orders))
    life = random.exponential(1.0, orders) * (1 + np.minimum(depth, DEEPEST) / HUMP)
    waiting = ~ioc
    cancelled = waiting & (random.random(orders) < CANCELLED)
    if cancelled.any():
        life *= MEDIAN_LIFE / np.median(life[cancelled])
    changed = waiting & (random.random(orders) < mix.changed)
    again = cancelled & (random.random(orders) < mix.twice)
    stale = changed & cancelled & (random.random(orders) < mix.twice)
    ended = born + life
    soon = ended + random.exponential(MEDIAN_LIFE / 10, orders)
    parts = (
        (CommandKind.NEW_ORDER, np.arange(orders), born),
        (CommandKind.REPLACE_ORDER, np.flatnonzero(changed), (born + life * random.random(orders))[changed]),
        (CommandKind.CANCEL_ORDER, np.flatnonzero(cancelled), ended[cancelled]),
        (CommandKind.CANCEL_ORDER, np.flatnonzero(again), soon[again]),
        (CommandKind.REPLACE_ORDER, np.flatnonzero(stale), soon[stale]),
    )
    kind = np.concatenate([np.full(len(order), kind) for kind, order, _ in parts])
    order = np.concatenate([order for _, order, _ in parts])
    time = np.concatenate([time for _, _, time in parts]).astype(np.int64)
    by_time = np.argsort(time, kind="stable")
    return _Messages(kind[by_time], order[by_time], time[by_time])


def _commands(
    messages: _Messages,
    side: Numbers,
    price: Numbers,
    quantity: Numbers,
    ioc: NDArray[np.bool_],
    random: np.random.Generator,
) -> CommandArray:
    """Messages as Commands, targets by order id: the venue numbers orders by acceptance, and refuses no new one."""
    commands = np.zeros(len(messages.kind), COMMAND)
    of = messages.order
    new, changed = messages.kind == CommandKind.NEW_ORDER, messages.kind == CommandKind.REPLACE_ORDER
    tick = np.where(random.random(len(side)) < ALSO_A_TICK, random.integers(0, 2, len(side)) * 2 - 1, 0)
    commands["kind"] = messages.kind
    commands["side"] = np.where(new, side[of], 0)
    commands["order_type"] = np.where(new, OrderType.LIMIT, 0)
    commands["time_in_force"] = np.where(new, np.where(ioc[of], TimeInForce.IOC, TimeInForce.GTC), 0)
    commands["instrument"] = new
    commands["target"] = np.where(new, 0, of + 1)
    commands["price"] = np.where(new, price[of], np.where(changed, np.maximum(1, price[of] + tick[of]), 0))
    commands["quantity"] = np.where(new, quantity[of], np.where(changed, quantity[of] + 1, 0))
    return commands


def _through_sessions(commands: CommandArray, order: Numbers, account: Numbers) -> None:
    """The same commands from each order's own account, through its session, naming orders by client_order_id."""
    new = commands["kind"] == CommandKind.NEW_ORDER
    commands["session"] = account[order]
    commands["account"] = np.where(new, account[order], 0)
    commands["client_order_id"] = next_numbers(commands["session"], np.zeros(int(account.max(initial=0)) + 1, np.int64))
    number = np.zeros(len(account), np.int64)
    number[order[new]] = commands["client_order_id"][new]
    commands["target"] = np.where(new, 0, number[order])
    commands["flags"] = np.where(new, 0, OrderFlag.BY_CLIENT_ID)
