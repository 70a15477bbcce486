"""Single commands that do much: an uncrossing, a cascade of stops, a mass cancel, each with everything that rests.

They stand apart from the rates: nobody waits for them behind an order a moment before, but everybody does behind them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from benchmarks.mix import CheckError
from benchmarks.runs import Tell, play
from benchmarks.workloads.base import TRADING_DATE, open_market, stamp
from engine.core import Engine
from engine.schema import (
    COMMAND,
    CommandArray,
    CommandKind,
    EventKind,
    Mode,
    OrderType,
    Phase,
    Side,
    TimeInForce,
)
from engine.venue import Venue

ACCOUNTS: Final = 100
MIDDLE: Final = 7_000
"""Ticks round which orders lie."""
MOST_LOTS: Final = 10


class Heavy(NamedTuple):
    """A command and what rests before it.

    Attributes:
        opening: brings the venue to where the command comes.
        told: the kind of event of which the command must give at least `least`.
    """

    name: str
    venue: Venue
    opening: CommandArray
    command: CommandArray
    told: EventKind
    least: int


def uncrossing(preset: str, orders: int, seed: int) -> Heavy:
    """A call with `orders` orders on both sides of one price, ended by the next phase."""
    venue = _roomy(preset, orders, call_auction=True)
    random = np.random.default_rng(seed)
    gathered = _orders(orders)
    gathered["side"] = random.integers(1, 3, orders)
    gathered["price"] = MIDDLE + random.integers(-1_000, 1_001, orders)
    gathered["quantity"] = random.integers(1, MOST_LOTS + 1, orders)
    if venue.prefunded:
        gathered["account"] = random.integers(1, ACCOUNTS + 1, orders)
    opening = [*_market(venue), _phase(Phase.OPEN_CALL), gathered]
    return Heavy(
        f"uncross, {preset}", venue, *_in_order(opening, _phase(Phase.CONTINUOUS)), EventKind.TRADE, orders // 4
    )


def cascade(orders: int) -> Heavy:
    """Half of `orders` are buy stops, each of which takes one of the other half and so triggers the next."""
    stops = orders // 2
    venue = _roomy("plain", orders + 3, order_types=("limit", "market", "stop", "stop_limit"))
    ladder = np.arange(stops) % 20_000
    offers, waiting, first = _orders(stops), _orders(stops), _orders(2)
    offers["side"], offers["price"], offers["quantity"] = Side.SELL, MIDDLE + 1 + ladder, 1
    waiting["side"], waiting["order_type"], waiting["quantity"] = Side.BUY, OrderType.STOP_LIMIT, 1
    waiting["price"], waiting["price2"] = MIDDLE + 30_000, MIDDLE + 1 + ladder
    first["side"], first["price"], first["quantity"] = (Side.SELL, Side.BUY), MIDDLE, 1
    spark = _orders(1)
    spark["side"], spark["price"], spark["quantity"] = Side.BUY, MIDDLE + 1, 1
    waiting["account"] = first["account"][1:] = spark["account"] = 2
    offers = offers[np.argsort(ladder, kind="stable")]
    opening = [*_market(venue), first, offers, waiting]
    return Heavy("cascade of stops, plain", venue, *_in_order(opening, spark), EventKind.TRIGGERED, stops // 2)


def mass_cancel(preset: str, orders: int, seed: int) -> Heavy:
    """The venue's own MASS_CANCEL of everything, with every lock released."""
    venue = _roomy(preset, orders)
    random = np.random.default_rng(seed)
    resting = _orders(orders)
    resting["side"] = random.integers(1, 3, orders)
    resting["price"] = np.where(resting["side"] == Side.BUY, MIDDLE, MIDDLE + 1) + random.integers(0, 300, orders) * (
        2 * resting["side"].astype(np.int64) - 3
    )
    resting["quantity"] = random.integers(1, MOST_LOTS + 1, orders)
    if venue.prefunded:
        resting["account"] = random.integers(1, ACCOUNTS + 1, orders)
    command = np.zeros(1, COMMAND)
    command["kind"] = CommandKind.MASS_CANCEL
    opening = [*_market(venue), _phase(Phase.CONTINUOUS), resting]
    return Heavy(f"mass cancel, {preset}", venue, *_in_order(opening, command), EventKind.CANCELLED, orders)


def heavy_figures(orders: int, runs: int, seed: int, tell: Tell) -> dict[str, Any]:
    """Milliseconds of each command with `orders` orders; by name `orders`, `events`, `median`, `best`.

    Raises CheckError when one did not do what it is there for.
    """
    makers: list[Callable[[], Heavy]] = [
        lambda: uncrossing("plain", orders, seed),
        lambda: uncrossing("eex-spot", orders, seed),
        lambda: cascade(orders),
        lambda: mass_cancel("plain", orders, seed),
        lambda: mass_cancel("eex-spot", orders, seed),
    ]
    found = {}
    for make in makers:
        one = make()
        tell(f"single commands: {one.name}")
        found[one.name] = _timed(one, orders, runs)
    return found


def _timed(one: Heavy, orders: int, runs: int) -> dict[str, Any]:
    before = Engine(one.venue)
    play(before, one.opening, 1_024)
    state, resting = before.canonical_state(), len(before.state()["orders"])
    if resting < orders - 1:
        raise CheckError(f"{one.name}: {resting:,} orders rest, {orders:,} were sent")
    spent, count = [], 0
    for _ in range(runs):
        engine = Engine.restore(one.venue, state)
        begun = time.perf_counter_ns()
        _, events = engine.apply(one.command)
        spent.append((time.perf_counter_ns() - begun) / 1e6)
        told, count = int((events["kind"] == one.told).sum()), len(events)
        if told < one.least:
            raise CheckError(f"{one.name}: {told:,} events {one.told.name}, at least {one.least:,} were due")
    return {
        "orders": orders,
        "events": count,
        "milliseconds_median": round(statistics.median(spent), 3),
        "milliseconds_best": round(min(spent), 3),
    }


def _roomy(preset: str, orders: int, **rules: Any) -> Venue:
    """A preset with room for `orders` orders and its first instrument's rules as given."""
    venue = Venue.preset(preset)
    first = msgspec.structs.replace(venue.instruments[0], **rules)
    capacity = msgspec.structs.replace(venue.capacity, orders=max(orders, venue.capacity.orders))
    return msgspec.structs.replace(venue, instruments=(first, *venue.instruments[1:]), capacity=capacity)


def _market(venue: Venue) -> list[CommandArray]:
    """Accounts with money and units, where the venue has any; the last command of `open_market` sets a phase."""
    return [open_market(venue, ACCOUNTS)[:-1]] if venue.prefunded else []


def _phase(phase: Phase) -> CommandArray:
    made = np.zeros(1, COMMAND)
    made["kind"], made["scope"], made["quantity"] = CommandKind.SET_PHASE, Mode.LISTED, phase
    made["expiry"], made["instrument"] = TRADING_DATE, 1
    return made


def _orders(count: int) -> CommandArray:
    made = np.zeros(count, COMMAND)
    made["kind"], made["order_type"] = CommandKind.NEW_ORDER, OrderType.LIMIT
    made["time_in_force"], made["instrument"] = TimeInForce.DAY, 1
    return made


def _in_order(opening: list[CommandArray], command: CommandArray) -> tuple[CommandArray, CommandArray]:
    whole = np.concatenate([*opening, command])
    stamp(whole, 0)
    return whole[:-1], whole[-1:]


__all__ = ["Heavy", "cascade", "heavy_figures", "mass_cancel", "uncrossing"]
