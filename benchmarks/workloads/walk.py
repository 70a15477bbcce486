"""Flows on the bare book around a wandering middle: the random walk, and one that is nearly all cancels."""

from __future__ import annotations

from typing import Final

import numpy as np

from benchmarks.workloads.base import Workload
from benchmarks.workloads.writer import NOTHING, Style, Writer
from engine.core import Engine, ImplementationName
from engine.venue import Venue

MIDDLE: Final = 60_000
SPAN: Final = 5_000
"""Ticks that the middle may wander to either side."""


def random_walk(
    count: int,
    resting: int = 100_000,
    instruments: int = 1,
    seed: int = 7,
    implementation: ImplementationName = "kernel",
    accounts: int = 100,
    tail: int = 3_000,
) -> Workload:
    """`count` commands on the preset `plain`, all from the venue's own session, targets by order id.

    Args:
        tail: no order waits further than this many ticks from the middle; with it grows the number of price levels.
    """
    venue = Venue.preset("plain").with_instruments(instruments)
    style = walk_style(venue, accounts)._replace(tail=tail, spread=max(1, min(12, tail // 4)))
    return Writer(Engine(venue, implementation), style, seed).work("plain", venue, NOTHING, resting, count)


def cancel_heavy(
    count: int, resting: int = 50_000, seed: int = 7, implementation: ImplementationName = "kernel"
) -> Workload:
    """Nine of ten commands cancel a resting order, one enters an order that waits: `resting` falls over the flow.

    The book is filled with nine tenths of `count` beyond `resting`, so that there is always something to cancel.
    """
    venue = Venue.preset("plain")
    style = walk_style(venue, 100)._replace(cancels=0.9, replaces=0.0, ioc=0.0, crossing=0.0, post_only=0.0)
    writer = Writer(Engine(venue, implementation), style, seed)
    full = resting + (9 * count + 9) // 10
    writer.fill(NOTHING, full, count)
    start = writer.at
    while writer.at < start + count:
        size = min(1_024, start + count - writer.at)
        writer.step(size, resting=len(writer.live))  # neither more nor fewer cancels than nine of ten
    return Workload("cancel-heavy", venue, writer.commands[:start], writer.commands[start : writer.at])


def walk_style(venue: Venue, accounts: int) -> Style:
    """Traders round a middle far from every edge."""
    size = len(venue.instruments) + 1
    return Style(
        centre=np.full(size, MIDDLE),
        low=np.full(size, 1),
        high=np.full(size, venue.instruments[0].ceiling_ticks),
        span=SPAN,
        reach=2_000,
        spread=12,
        tail=3_000,
        quantity=1_000,
        accounts=accounts,
        sessions=False,
    )
