"""Kernel against reference on icebergs, stops, hidden orders, quotes and calls; and what holds after every command."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.core import Engine
from tests.engine.conftest import kernel_exists
from tests.engine.invariants import check
from tests.engine.random_floor import FloorStream, told_and_given, venues
from tests.engine.test_differential import same

VENUES = venues()
TOTAL = 400_000
CHUNK = 400
needs_kernel = pytest.mark.skipif(not kernel_exists(), reason="this tree has no kernel")


@needs_kernel
@pytest.mark.slow
@pytest.mark.parametrize("name", VENUES)
def test_many_commands(name: str) -> None:
    """Four hundred thousand in all: events and state are the same bytes after every chunk."""
    venue = VENUES[name]
    kernel, reference = Engine(venue, "kernel"), Engine(venue, "reference")
    stream = FloorStream(venue, 1)
    for number in range(-(-TOTAL // (len(VENUES) * CHUNK))):
        same(stream.take(CHUNK, reference.state()["orders"]), kernel, reference)
        for instrument in range(1, len(venue.instruments) + 1) if number % 10 == 0 else ():
            assert kernel.indicative(instrument) == reference.indicative(instrument)
            assert kernel.depth(instrument, 10) == reference.depth(instrument, 10)


@needs_kernel
@pytest.mark.nojit
@pytest.mark.parametrize("name", VENUES)
def test_some_commands(name: str) -> None:
    """As many as an interpreted kernel manages, over the end of two days."""
    venue = VENUES[name]
    kernel, reference = Engine(venue, "kernel"), Engine(venue, "reference")
    stream = FloorStream(venue, 2)
    for _ in range(14):
        same(stream.take(CHUNK, reference.state()["orders"]), kernel, reference)


@pytest.mark.parametrize("name", VENUES)
def test_invariants_after_every_command(name: str) -> None:
    """In the middle of a market and over the end of its first day."""
    venue = VENUES[name]
    market, stream = Engine(venue, "reference"), FloorStream(venue, 5)
    market.apply_all(stream.take(1_000))
    for _ in range(12):
        for command in np.split(stream.take(50, market.state()["orders"]), 50):
            market.apply_all(command)
            check(market)
    market.apply_all(stream.take(1_200, market.state()["orders"]))
    for command in np.split(stream.take(40, market.state()["orders"]), 40):
        market.apply_all(command)
        check(market)


@pytest.mark.parametrize("name", VENUES)
def test_restore_in_mid_stream(name: str, implementation: Any) -> None:
    """Waiting stops, shown parts, quotes, calls and the close's trades all go on from the canonical state."""
    venue = VENUES[name]
    first, stream = Engine(venue, implementation), FloorStream(venue, 3)
    first.apply_all(stream.take(1_500))
    for _ in range(4):
        second = Engine.restore(venue, first.canonical_state(), implementation)
        assert second.canonical_state() == first.canonical_state()
        commands = stream.take(CHUNK, first.state()["orders"])
        assert second.apply_all(commands).tobytes() == first.apply_all(commands).tobytes()
        assert second.canonical_state() == first.canonical_state()


def market_of(name: str, chunks: int) -> Any:
    """The events of a stream of the reference."""
    venue = VENUES[name]
    market, stream = Engine(venue, "reference"), FloorStream(venue, 4)
    parts = []
    for _ in range(chunks):
        parts.append(market.apply_all(stream.take(CHUNK, market.state()["orders"])))
    return np.concatenate(parts)


@pytest.mark.parametrize("name", VENUES)
def test_the_stream_is_lively(name: str) -> None:
    """Every further rule takes effect, and its refusals occur."""
    venue = VENUES[name]
    events = market_of(name, 16)
    told, given = told_and_given(events)
    kinds = {"TRADE", "TRIGGERED", "REFRESHED", "REPLACED", "EXPIRED", "PHASE_CHANGED"}
    reasons = {"MIN_QUANTITY_NOT_MET", "INVALID_COMBINATION", "QUOTE_REPLACED", "GOOD_TILL_DATE", "FOK_NOT_FILLABLE"}
    if venue.instruments[0].call_auction:
        kinds |= {"CALL_UNCROSSED"}
        reasons |= {"CALL_REMAINDER", "WRONG_PHASE"}
    assert kinds - told == set()
    assert reasons - given == set()
    trades = events[events["kind"] == 3]
    assert len(trades) > (100 if name == "reject" else 400)
    if venue.instruments[0].corridor_dynamic_bps:
        interrupted = events[(events["kind"] == 16) & (events["phase"] == 6) & (events["aux2"] == 3)]
        assert len(interrupted) > 5
