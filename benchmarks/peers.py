"""The engine beside other Python matching engines from the package index: same orders, same fills, one clock.

Each engine is called as its documents say, one order at a time; what its calls return is kept and looked at afterwards.
An engine that is slow with a deep book is stopped after some seconds: its rate is then over the beginning of the flow,
where the book was shallow, and so flatters it. All rates are by processor time; every engine runs in one thread.
"""

from __future__ import annotations

import datetime
import gc
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from benchmarks.environment import environment, load_average
from benchmarks.mix import CheckError
from benchmarks.runs import Tell
from benchmarks.workloads import Workload, realistic
from benchmarks.workloads.base import stamp
from benchmarks.workloads.realistic import Mix
from engine.core import Engine, ImplementationName
from engine.schema import CommandArray, CommandKind, EventKind, Side

SCENARIOS: Final = ("static", "flash-crash")
"""The deepest book and the widest."""
KERNEL_RUNS: Final = 5
"""Of which the median is told; one takes hundredths of a second."""
CHECK: Final = 64
"""Messages between two looks at the clock."""
Fill = tuple[int, int, int, int]
"""Taker, maker (the n-th new order is order n), price in ticks, lots."""


class Message(NamedTuple):
    """One order or, with quantity 0, one cancel."""

    order: int
    buy: bool
    price: int
    quantity: int


class Player(Protocol):
    """An engine that takes one message at a time."""

    def play(self, message: Message) -> Any:
        """Send one message; gives whatever the engine returned."""

    def fills(self, message: Message, returned: Any) -> list[Fill]:
        """The fills in what was returned; not timed."""


class LightMatchingEngine:
    """PyPI lightmatchingengine: dicts of lists of orders, best price by `min` over all prices."""

    def __init__(self) -> None:
        from lightmatchingengine.lightmatchingengine import LightMatchingEngine as Peer

        self.peer = Peer()

    def play(self, message: Message) -> Any:
        if message.quantity:
            return self.peer.add_order("X", message.price, message.quantity, 1 if message.buy else 2)
        return self.peer.cancel_order(message.order, "X")

    def fills(self, message: Message, returned: Any) -> list[Fill]:
        """It tells of each level's sum for the taker and of every maker; the makers are the fills."""
        if not message.quantity:
            return []
        _, trades = returned
        return [
            (message.order, trade.order_id, int(trade.trade_price), int(trade.trade_qty))
            for trade in trades
            if trade.order_id != message.order
        ]


class OrderMatching:
    """PyPI order-matching: orders are placed, then matched at a moment; prices are floats."""

    def __init__(self) -> None:
        from loguru import logger
        from order_matching.enums import Side as PeerSide
        from order_matching.matching_engine import MatchingEngine
        from order_matching.order import LimitOrder
        from order_matching.orders import Orders

        logger.disable("order_matching")
        self.peer = MatchingEngine(seed=1)
        self.limit_order, self.orders = LimitOrder, Orders
        self.buy, self.sell = PeerSide.BUY, PeerSide.SELL
        self.now = datetime.datetime(2026, 1, 5)
        self.tick = datetime.timedelta(microseconds=1)

    def play(self, message: Message) -> Any:
        if not message.quantity:
            return self.peer.cancel_order(str(message.order))
        self.now += self.tick
        order = self.limit_order(
            side=self.buy if message.buy else self.sell,
            price=float(message.price),
            size=float(message.quantity),
            timestamp=self.now,
            order_id=str(message.order),
            trader_id="t",
            price_number_of_digits=0,
        )
        self.peer.place(self.orders([order]))
        return self.peer.match(self.now)

    def fills(self, message: Message, returned: Any) -> list[Fill]:
        if not message.quantity:
            return []
        return [
            (int(trade.incoming_order_id), int(trade.book_order_id), int(trade.price), int(trade.size))
            for trade in returned
        ]


class MatchingEngine:
    """PyPI matching-engine: sorted lists of levels, sequenced commands in, events out (Python 3.12 or newer)."""

    def __init__(self) -> None:
        from matching_engine.domain import CancelOrder, NewOrder, SelfTradePrevention, SequencedCommand
        from matching_engine.domain import Side as PeerSide
        from matching_engine.engine import MatchingEngine as Peer
        from matching_engine.events import Trade

        self.peer = Peer()
        self.sequenced, self.cancel, self.new, self.trade = SequencedCommand, CancelOrder, NewOrder, Trade
        self.buy, self.sell, self.allowed = PeerSide.BUY, PeerSide.SELL, SelfTradePrevention.NONE
        self.sequence = 0

    def play(self, message: Message) -> Any:
        self.sequence += 1
        if message.quantity:
            side = self.buy if message.buy else self.sell
            command = self.new(message.order, 1, side, message.price, message.quantity, stp=self.allowed)
        else:
            command = self.cancel(message.order, 1)
        return self.peer.process(self.sequenced(self.sequence, self.sequence, command))

    def fills(self, message: Message, returned: Any) -> list[Fill]:
        return [
            (event.taker_order_id, event.maker_order_id, event.price, event.qty)
            for event in returned
            if type(event) is self.trade
        ]


PEERS: Final[dict[str, Callable[[], Player]]] = {
    "matching-engine": MatchingEngine,
    "lightmatchingengine": LightMatchingEngine,
    "order-matching": OrderMatching,
}
"""Name on the package index -> how it is played."""


def installed() -> dict[str, str]:
    """Name and version of the peers that are installed here, whether they can be imported or not."""
    found = {}
    for name in PEERS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def limits_and_cancels(scenario: str, orders: int, seed: int) -> Workload:
    """The realistic flow without immediate orders, changes and repeats, and without cancels that come too late.

    What is left every peer offers. The engine's state is the same without the commands it refused.
    """
    work = realistic(scenario, orders, seed, mix=Mix(ioc=0.0, changed=0.0, twice=0.0))
    events = Engine(work.venue).apply_all(work.flow)
    refused = events["command_sequence"][events["kind"] == EventKind.REJECTED] - 1
    flow = np.delete(work.flow, refused)
    stamp(flow, 0)
    return work._replace(flow=flow)


def messages(flow: CommandArray) -> list[Message]:
    """A flow of limit orders and cancels as plain numbers."""
    new = flow["kind"] == CommandKind.NEW_ORDER
    order = np.where(new, np.cumsum(new), flow["target"])
    columns = (order, flow["side"] == Side.BUY, flow["price"], flow["quantity"])
    return [Message(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def compare(orders: int, seconds: float, seed: int, tell: Tell) -> dict[str, Any]:
    """Rates of every installed peer, of the reference engine and of the kernel, over both scenarios.

    Raises CheckError when two engines do not trade alike.
    """
    peers = installed()
    players, broken = _importable(peers)
    found: dict[str, Any] = {
        "benchmark": "peers",
        "orders": orders,
        "seed": seed,
        "peers": peers,
        "broken": broken,
        "environment": environment(),
        "load_average": load_average(),
        "scenarios": {},
    }
    for scenario in SCENARIOS:
        tell(f"{scenario}: write the flow")
        found["scenarios"][scenario] = _compare(limits_and_cancels(scenario, orders, seed), seconds, players, tell)
    return found


def _importable(peers: dict[str, str]) -> tuple[dict[str, Callable[[], Player]], dict[str, str]]:
    """Those that can be made, by name and version; and what is wrong with the others."""
    players, broken = {}, {}
    for name, number in peers.items():
        try:
            PEERS[name]()
            players[f"{name} {number}"] = PEERS[name]
        except ImportError as error:
            broken[name] = str(error)
    return players, broken


def _compare(work: Workload, seconds: float, players: dict[str, Callable[[], Player]], tell: Tell) -> dict[str, Any]:
    all_messages = messages(work.flow)
    wanted = _engine_fills(work)
    rates: dict[str, Any] = {}
    for call in (1_024, 1):
        tell(f"{work.name}: kernel, calls of {call}")
        runs = [_play_engine(work, "kernel", call, seconds) for _ in range(KERNEL_RUNS)]
        rates[f"carbonbook kernel, calls of {call:,}"] = sorted(runs, key=lambda run: run["per_second"])[
            KERNEL_RUNS // 2
        ]
    tell(f"{work.name}: reference engine")
    if _engine_fills(work, "reference") != wanted:
        raise CheckError(f"{work.name}: kernel and reference engine trade differently")
    rates["carbonbook reference engine"] = _play_engine(work, "reference", 1, seconds)
    for name, make in players.items():
        tell(f"{work.name}: {name}")
        rates[name] = play_peer(name, make(), all_messages, wanted, seconds)
    best = next(iter(rates.values()))["per_second"]
    return {
        "messages": len(all_messages),
        "fills": len(wanted),
        "engines": {
            name: {**told, "times_slower": round(best / told["per_second"], 1)} for name, told in rates.items()
        },
    }


def play_peer(
    name: str, player: Player, all_messages: list[Message], wanted: list[Fill], seconds: float
) -> dict[str, Any]:
    """Messages per second of processor time of one peer until the flow or the time (by the wall) is at its end.

    Raises CheckError when its fills are not the first of `wanted`.
    """
    returned: list[Any] = []
    gc.collect()
    until, cpu = time.perf_counter() + seconds, time.thread_time()
    for at in range(0, len(all_messages), CHECK):
        for message in all_messages[at : at + CHECK]:
            returned.append(player.play(message))
        if time.perf_counter() > until:
            break
    cpu = time.thread_time() - cpu
    done = len(returned)
    fills = [
        fill for message, one in zip(all_messages[:done], returned, strict=True) for fill in player.fills(message, one)
    ]
    for number, (theirs, ours) in enumerate(zip(fills, wanted, strict=False)):
        if theirs != ours:
            raise CheckError(f"{name}: fill {number} is {theirs}, not {ours} (taker, maker, price, lots)")
    if done == len(all_messages) and len(fills) != len(wanted):
        raise CheckError(f"{name}: {len(fills)} fills, not {len(wanted)}")
    return {"messages": done, "per_second": round(done / cpu, 1)}


def _engine_fills(work: Workload, implementation: ImplementationName = "kernel") -> list[Fill]:
    events = Engine(work.venue, implementation).apply_all(work.flow)
    trades = events[events["kind"] == EventKind.TRADE]
    columns = (trades[name].tolist() for name in ("order_id", "contra_order_id", "price", "quantity"))
    return list(zip(*columns, strict=True))


def _play_engine(work: Workload, implementation: ImplementationName, call: int, seconds: float) -> dict[str, Any]:
    engine = Engine(work.venue, implementation)
    flow, done = work.flow, 0
    gc.collect()
    until, cpu = time.perf_counter() + seconds, time.thread_time()
    while done < len(flow) and time.perf_counter() <= until:
        end = min(len(flow), done + CHECK * call)
        while done < end:
            applied, _ = engine.apply(flow[done : done + call])
            done += applied
    cpu = time.thread_time() - cpu
    return {"messages": done, "per_second": round(done / cpu, 1)}
