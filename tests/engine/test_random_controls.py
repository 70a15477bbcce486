"""Kernel against reference while the operator interferes; and that such a market stays a market."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from engine.core import Engine
from engine.schema import EventKind, Reason
from tests.engine.conftest import kernel_exists
from tests.engine.invariants import check
from tests.engine.random_controls import ControlStream, venues
from tests.engine.test_differential import same

VENUES = venues()
TOTAL = 300_000
CHUNK = 400
needs_kernel = pytest.mark.skipif(not kernel_exists(), reason="this tree has no kernel")


@needs_kernel
@pytest.mark.slow
@pytest.mark.parametrize("name", VENUES)
def test_many_commands(name: str) -> None:
    """Three hundred thousand in all: events and state are the same bytes after every chunk."""
    venue = VENUES[name]
    kernel, reference = Engine(venue, "kernel"), Engine(venue, "reference")
    stream = ControlStream(venue, 1)
    for number in range(-(-TOTAL // (len(VENUES) * CHUNK))):
        stream.learn(same(stream.take(CHUNK), kernel, reference))
        if number % 50 == 0:
            check(kernel)


@needs_kernel
@pytest.mark.nojit
@pytest.mark.parametrize("name", VENUES)
def test_some_commands(name: str) -> None:
    """As many as an interpreted kernel manages, over the end of two days."""
    venue = VENUES[name]
    kernel, reference = Engine(venue, "kernel"), Engine(venue, "reference")
    stream = ControlStream(venue, 2)
    for _ in range(14):
        stream.learn(same(stream.take(CHUNK), kernel, reference))
    check(kernel)


@pytest.mark.parametrize("name", VENUES)
def test_restore_in_mid_stream(name: str, implementation: Any) -> None:
    """Limits with their counters, halts, cancelled trades, windows and listings all go on from the canonical state."""
    venue = VENUES[name]
    first, stream = Engine(venue, implementation), ControlStream(venue, 3)
    for _ in range(6):
        stream.learn(first.apply_all(stream.take(CHUNK)))
        second = Engine.restore(venue, first.canonical_state(), implementation)
        assert second.canonical_state() == first.canonical_state()
        commands = stream.take(CHUNK)
        events = first.apply_all(commands)
        assert second.apply_all(commands).tobytes() == events.tobytes()
        assert second.canonical_state() == first.canonical_state()
        stream.learn(events)


@pytest.mark.parametrize("name", VENUES)
def test_the_stream_is_lively(name: str) -> None:
    """Every control takes effect, every refusal of this part occurs, and trading goes on in between."""
    venue = VENUES[name]
    market, stream = Engine(venue, "reference"), ControlStream(venue, 4)
    parts = []
    for _ in range(50):
        parts.append(market.apply_all(stream.take(CHUNK)))
        stream.learn(parts[-1])
    events = np.concatenate(parts)
    told = Counter(EventKind(kind).name for kind in events["kind"].tolist())
    given = Counter(Reason(reason).name for reason in events["reason"].tolist())
    assert told["TRADE"] > 500, told
    kinds = ["LIMIT_SET", "KILL_SWITCH_SET", "TRADE_BUSTED", "BLOCK_ENDED"]
    kinds += ["INSTRUMENT_LISTED", "INSTRUMENT_DELISTED", "BID_ENDED", "AUCTION_TRADE", "BLOCK_TRADE"]
    kinds += ["LARGE_HOLDER"] if venue.prefunded else []
    kinds += ["WINDOW_SET"] if name == "narrow" else []
    assert [kind for kind in kinds if not told[kind]] == [], told
    reasons = ["MAX_ORDER_QUANTITY", "MAX_ORDER_VALUE", "PRICE_COLLAR", "ORDER_RATE", "OPEN_ORDERS", "KILLED"]
    reasons += ["VENUE_HALTED", "INSTRUMENT_HALTED", "ALREADY_BUSTED", "ALREADY_LISTED", "OPERATOR"]
    reasons += ["POSITION_LIMIT", "FIRM_STOPPED", "DELISTED"] if venue.prefunded else []
    assert [reason for reason in reasons if not given[reason]] == [], given
