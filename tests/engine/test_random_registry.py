"""The registry's commands in random streams: kernel against reference, and what must hold after every command."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.core import Engine
from engine.schema import EventKind, Reason
from tests.engine.invariants import check
from tests.engine.random_registry import RegistryStream, registry_venues
from tests.engine.test_differential import needs_kernel, same

VENUES = registry_venues()
CALL = 120


@needs_kernel
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
@pytest.mark.parametrize("name", VENUES)
def test_random_registry(name: str, seed: int) -> None:
    """Events and canonical state are byte-identical after every call."""
    kernel, reference = Engine(VENUES[name], "kernel"), Engine(VENUES[name], "reference")
    stream = RegistryStream(VENUES[name], seed)
    for _ in range(100):
        same(stream.meet(CALL, reference.state()), kernel, reference)


@needs_kernel
@pytest.mark.nojit
@pytest.mark.parametrize("name", VENUES)
def test_short_random_registry(name: str) -> None:
    """The same on a stream short enough for an interpreted kernel."""
    kernel, reference = Engine(VENUES[name], "kernel"), Engine(VENUES[name], "reference")
    stream = RegistryStream(VENUES[name], 77)
    for _ in range(20):
        same(stream.meet(CALL, reference.state()), kernel, reference)


@pytest.mark.parametrize("name", VENUES)
def test_registry_invariants_after_every_command(name: str, implementation: Any) -> None:
    """docs/engine.md section 6 and docs/registry.md, after each of some hundred commands over two days."""
    market = Engine(VENUES[name], implementation)
    stream = RegistryStream(VENUES[name], 5)
    market.apply_all(stream.meet(500, market.state()))
    for _ in range(6):
        for command in np.split(stream.meet(60, market.state()), 60):
            market.apply_all(command)
            check(market)


@pytest.mark.parametrize("name", VENUES)
def test_restored_in_mid_stream(name: str, implementation: Any) -> None:
    """An engine restored from the canonical state goes on with the same bytes."""
    first = Engine(VENUES[name], implementation)
    stream = RegistryStream(VENUES[name], 23)
    for _ in range(8):
        first.apply_all(stream.meet(CALL, first.state()))
    second = Engine.restore(VENUES[name], first.canonical_state(), implementation)
    for _ in range(3):
        later = stream.meet(CALL, first.state())
        assert second.apply_all(later).tobytes() == first.apply_all(later).tobytes()
        assert second.canonical_state() == first.canonical_state()


EVENTS = (
    EventKind.HOLD_PLACED,
    EventKind.HOLD_RELEASED,
    EventKind.HOLD_REALISED,
    EventKind.UNITS_ALLOCATED,
    EventKind.OBLIGATION_SET,
    EventKind.UNITS_SURRENDERED,
    EventKind.UNITS_CANCELLED,
    EventKind.UNITS_CARRIED_OVER,
    EventKind.SETTLEMENT_ACKNOWLEDGED,
    EventKind.TRANSFER_WINDOW_SET,
    EventKind.OBLIGATION_OVERDUE,
    EventKind.SETTLED,
    EventKind.TRADE,
)
REASONS = (
    Reason.JUDICIAL_HOLD,
    Reason.EXCEEDS_HOLD,
    Reason.WRONG_CREDITOR,
    Reason.NOT_SURRENDERABLE,
    Reason.EXCEEDS_OBLIGATION,
    Reason.OFFSET_LIMIT,
    Reason.CARRY_OVER_LIMIT,
    Reason.HOLD_TABLE_FULL,
    Reason.OBLIGATION_TABLE_FULL,
    Reason.UNKNOWN_HOLD,
    Reason.UNKNOWN_OBLIGATION,
    Reason.INSUFFICIENT_UNITS,
    Reason.INVALID_COMBINATION,
    Reason.SETTLEMENT_NOT_ACKNOWLEDGED,
    Reason.INVALID_YEAR,
    Reason.INVALID_DATE,
    Reason.TRANSFERS_CLOSED,
)


def test_the_streams_are_lively() -> None:
    """They reach every event of the registry and its reasons; trading goes on beside it."""
    market = Engine(VENUES["registry-ack"], "reference")
    stream = RegistryStream(VENUES["registry-ack"], 3)
    events = np.concatenate([market.apply_all(stream.meet(CALL, market.state())) for _ in range(40)])
    kinds, reasons = set(events["kind"].tolist()), set(events["reason"].tolist())
    assert [kind.name for kind in EVENTS if kind not in kinds] == []
    assert [reason.name for reason in REASONS if reason not in reasons] == []
    told = events["kind"] == EventKind.REJECTED
    asked = events[told]["aux"]
    held = int((events["kind"] == EventKind.HOLD_PLACED).sum())
    refused = int(np.isin(asked, (18, 19, 20, 101)).sum())
    assert held > 0.2 * (held + refused)
