"""Flows that press on one place: bursts in time, one price level with everything, one order per level, gaps.

All on the preset `plain`, from the venue's own session; the n-th new order is order n, because none is refused.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.workloads.base import Numbers, Workload, stamp, steps
from benchmarks.workloads.walk import walk_style
from benchmarks.workloads.writer import NOTHING, Writer
from engine.core import Engine, ImplementationName
from engine.schema import COMMAND, CommandArray, CommandKind, OrderType, Side, TimeInForce
from engine.venue import Venue

BURST: Final = 10_000
"""Commands of one burst, a microsecond apart."""
GLANCE: Final = 500
"""Commands of a burst after which traders look again."""
QUIET: Final = 1_000
"""Commands between two bursts, a millisecond apart on average."""
JUMP: Final = 400
"""Ticks that the middle jumps when a burst begins."""
MIDDLE: Final = 65_536
LEVELS: Final = 60_000
"""Occupied levels on each side in `one_order_per_level`."""
SWEPT: Final = 100
"""Levels that one order takes there."""


def burst(count: int, resting: int = 50_000, seed: int = 7, implementation: ImplementationName = "kernel") -> Workload:
    """Quiet trading that is broken by bursts: prices jump, traders cancel, reach and quote anew within milliseconds.

    The timestamps say when; a driver that keeps to them sees ten thousand commands in ten milliseconds.
    """
    venue = Venue.preset("plain")
    calm = walk_style(venue, 100)._replace(post_only=0.0)  # nothing is refused that a bare book would take
    hectic = calm._replace(cancels=0.38, replaces=0.10, ioc=0.15, crossing=0.10)
    writer = Writer(Engine(venue, implementation), calm, seed)
    writer.fill(NOTHING, resting, count)
    random = np.random.default_rng(seed + 1)
    start = writer.at
    gaps: list[NDArray[np.float64]] = []
    while (left := start + count - writer.at) > 0:
        writer.style = calm
        quiet = min(QUIET, left)
        writer.step(quiet, resting)
        gaps.append(random.exponential(1e6, quiet))
        writer.style = hectic
        writer.walk += 20 * JUMP * int(random.integers(0, 2) * 2 - 1)
        wild = min(BURST, left - quiet)
        for size in steps(wild, GLANCE):
            writer.step(size, len(writer.live))  # nobody sees to it that the book stays as deep
        gaps.append(np.full(wild, 1e3))
    flow = writer.commands[start : writer.at]
    stamp(flow, start, start * 1_000 + np.cumsum(np.concatenate(gaps) if gaps else []).astype(np.int64))
    return Workload("burst", venue, writer.commands[:start], flow)


def one_level(count: int, seed: int = 7) -> Workload:
    """Every resting order, at least as many as commands follow, sells at one price.

    Of the commands 40 % join the end of the queue, 20 % take its head, 30 % cancel out of its middle, 10 % are raised
    by a lot and so go to its end. Nothing is refused.
    """
    random = np.random.default_rng(seed)
    resting = max(1_000, count)
    prepare = _orders(np.full(resting, MIDDLE), Side.SELL, 10)
    kind = random.choice([0, 1, 2, 3], count, p=[0.4, 0.2, 0.3, 0.1])
    flow = np.zeros(count, COMMAND)
    flow[kind == 0] = _orders(np.full(int((kind == 0).sum()), MIDDLE), Side.SELL, 10)
    flow[kind == 1] = _orders(np.full(int((kind == 1).sum()), MIDDLE), Side.BUY, 10, TimeInForce.IOC)
    # The head takes from the front half, cancels and raises from the back half.
    behind = resting // 2 + random.permutation(resting - resting // 2)[: int((kind >= 2).sum())] + 1
    named = np.flatnonzero(kind >= 2)
    flow["target"][named] = behind
    flow["kind"][named] = np.where(kind[named] == 2, CommandKind.CANCEL_ORDER, CommandKind.REPLACE_ORDER)
    raised = named[kind[named] == 3]
    flow["price"][raised], flow["quantity"][raised] = MIDDLE, 11
    return _plain("one-level", prepare, flow)


def one_order_per_level(count: int, seed: int = 7) -> Workload:
    """60,000 levels a side with one lot each; orders that sweep a hundred levels, which are then quoted again.

    Between two sweeps a hundred orders elsewhere are cancelled and entered again. So each command occupies or vacates a
    level, and a sweep vacates a hundred.
    """
    random = np.random.default_rng(seed)
    asks = np.arange(MIDDLE, MIDDLE + LEVELS)
    bids = np.arange(MIDDLE - 1, MIDDLE - 1 - LEVELS, -1)
    prepare = np.concatenate((_orders(asks, Side.SELL, 1), _orders(bids, Side.BUY, 1)))
    number = np.concatenate((np.arange(1, LEVELS + 1), np.arange(LEVELS + 1, 2 * LEVELS + 1)))
    prices = np.concatenate((asks, bids))
    last = 2 * LEVELS
    parts: list[CommandArray] = []
    written = 0
    while written < count:
        near = int(random.integers(0, 2)) * LEVELS + np.arange(SWEPT)
        buys = bool(near[0] == 0)  # takes asks
        sweep = _orders(prices[near[-1:]], Side.BUY if buys else Side.SELL, SWEPT, TimeInForce.IOC)
        anew = _orders(prices[near], Side.SELL if buys else Side.BUY, 1)
        far = random.choice(np.r_[SWEPT:LEVELS, LEVELS + SWEPT : 2 * LEVELS], SWEPT, replace=False)
        pairs = np.zeros(2 * SWEPT, COMMAND)
        pairs["kind"][::2], pairs["target"][::2] = CommandKind.CANCEL_ORDER, number[far]
        pairs[1::2] = _orders(prices[far], np.where(far < LEVELS, Side.SELL, Side.BUY), 1)
        number[near] = last + 1 + np.arange(1, SWEPT + 1)
        number[far] = last + 1 + SWEPT + np.arange(1, SWEPT + 1)
        last += 1 + 2 * SWEPT
        parts += [sweep, anew, pairs]
        written += 1 + 3 * SWEPT
    return _plain("one-order-per-level", prepare, np.concatenate(parts)[:count] if parts else NOTHING)


def gaps(count: int, seed: int = 7) -> Workload:
    """A book of two far prices; near ones come and go, so the next best price is always thousands of ticks away.

    In fours: an offer inside the gap, a bid inside it, an order that takes the offer, a cancel of the bid.
    """
    random = np.random.default_rng(seed)
    prepare = np.concatenate((_orders(np.array([1]), Side.BUY, 1), _orders(np.array([131_071]), Side.SELL, 1)))
    cycles = count // 4 + 1
    flow = np.zeros(4 * cycles, COMMAND)
    ask = random.integers(70_000, 131_000, cycles)
    bid = random.integers(2, 60_000, cycles)
    flow[0::4] = _orders(ask, Side.SELL, 1)
    flow[1::4] = _orders(bid, Side.BUY, 1)
    flow[2::4] = _orders(ask, Side.BUY, 1, TimeInForce.IOC)
    flow["kind"][3::4] = CommandKind.CANCEL_ORDER
    flow["target"][3::4] = 2 + 3 * np.arange(cycles) + 2  # the bid
    return _plain("gaps", prepare, flow[:count])


def _orders(
    price: Numbers, side: Numbers | Side, quantity: int, time_in_force: TimeInForce = TimeInForce.GTC
) -> CommandArray:
    made = np.zeros(len(price), COMMAND)
    made["kind"], made["order_type"], made["instrument"] = CommandKind.NEW_ORDER, OrderType.LIMIT, 1
    made["side"], made["price"], made["quantity"], made["time_in_force"] = side, price, quantity, time_in_force
    return made


def _plain(name: str, prepare: CommandArray, flow: CommandArray) -> Workload:
    stamp(prepare, 0)
    stamp(flow, len(prepare))
    return Workload(name, Venue.preset("plain"), prepare, flow)
