"""Limits, kill switches, corrections and listings in a random market: kernel against reference, also when restored."""

from __future__ import annotations

import pytest

from engine.core import Engine
from engine.schema import EventKind, Reason
from tests.engine.conftest import kernel_exists
from tests.engine.invariants import check
from tests.engine.random_controls import ControlStream, venues
from tests.engine.test_differential import same

VENUES = venues()
TOTAL = 200_000
CHUNK = 400
needs_kernel = pytest.mark.skipif(not kernel_exists(), reason="this tree has no kernel")


def run(name: str, seed: int, chunks: int) -> None:
    """Bytes and states are the same after every chunk; the kernel goes on from its own canonical state now and then."""
    venue = VENUES[name]
    kernel, reference = Engine(venue, "kernel"), Engine(venue, "reference")
    stream = ControlStream(venue, seed)
    for chunk in range(chunks):
        commands = stream.take(CHUNK, reference.state()["orders"])
        twin = Engine.restore(venue, reference.canonical_state(), "reference")
        stream.learn(twin.apply_all(commands))
        same(commands, kernel, reference)
        if chunk % 5 == 4:
            check(kernel)
            kernel = Engine.restore(venue, kernel.canonical_state(), "kernel")
            reference = twin


@needs_kernel
@pytest.mark.slow
@pytest.mark.parametrize("name", VENUES)
def test_many_controls(name: str) -> None:
    """Two hundred thousand commands in all."""
    run(name, 1, -(-TOTAL // (len(VENUES) * CHUNK)))


@needs_kernel
@pytest.mark.nojit
@pytest.mark.parametrize("name", VENUES)
def test_some_controls(name: str) -> None:
    run(name, 2, 6)


@pytest.mark.parametrize("name", VENUES)
def test_the_stream_is_lively(name: str) -> None:
    """Trading goes on, and every limit and switch is met."""
    venue = VENUES[name]
    engine, stream = Engine(venue, "reference"), ControlStream(venue, 3)
    kinds: set[int] = set()
    reasons: set[int] = set()
    trades = 0
    for _ in range(50):
        events = engine.apply_all(stream.take(CHUNK, engine.state()["orders"]))
        stream.learn(events)
        kinds.update(events["kind"].tolist())
        reasons.update(events["reason"].tolist())
        trades += int((events["kind"] == EventKind.TRADE).sum())
    met = {
        Reason.MAX_ORDER_QUANTITY,
        Reason.MAX_ORDER_VALUE,
        Reason.PRICE_COLLAR,
        Reason.ORDER_RATE,
        Reason.OPEN_ORDERS,
    }
    met |= {Reason.VENUE_HALTED, Reason.INSTRUMENT_HALTED, Reason.KILLED, Reason.OPERATOR, Reason.ALREADY_BUSTED}
    told = {EventKind.LIMIT_SET, EventKind.KILL_SWITCH_SET, EventKind.TRADE_BUSTED, EventKind.INSTRUMENT_DELISTED}
    if venue.prefunded:
        met |= {Reason.POSITION_LIMIT, Reason.FIRM_STOPPED, Reason.ACCOUNT_SUSPENDED}
        told |= {EventKind.LARGE_HOLDER, EventKind.WINDOW_SET, EventKind.INSTRUMENT_LISTED}
    assert met <= reasons, [Reason(reason).name for reason in met - reasons]
    assert told <= kinds, [EventKind(kind).name for kind in told - kinds]
    assert trades > 3_000
