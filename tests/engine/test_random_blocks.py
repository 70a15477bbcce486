"""Random block trades: kernel against reference, and the invariants after every command."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from engine.core import Engine
from engine.schema import EventKind, Reason
from tests.engine.invariants import check
from tests.engine.random_blocks import BlockStream, block_venues
from tests.engine.test_differential import needs_kernel, same

VENUES = block_venues()
CHUNK = 25
EXPECTED = """
UNUSED_FIELD_SET INVALID_SIDE INVALID_SCOPE INVALID_COMBINATION UNKNOWN_ACCOUNT UNKNOWN_INSTRUMENT
UNKNOWN_NEGOTIATION INVALID_PRICE OFF_TICK INVALID_QUANTITY OFF_LOT QUANTITY_TOO_SMALL QUANTITY_TOO_LARGE
PRICE_OUT_OF_WINDOW PRICE_ABOVE_LIMIT PRICE_BELOW_LIMIT AMOUNT_OVERFLOW INVALID_EXPIRY NOT_LISTED WRONG_PHASE
NO_REFERENCE_PRICE MODE_NOT_OFFERED NEGOTIATION_EXPIRED TERMS_CHANGED OWN_TERMS ACCOUNT_SUSPENDED
INSUFFICIENT_FUNDS INSUFFICIENT_UNITS UNITS_BOUGHT_TODAY NEGOTIATION_TABLE_FULL SELF_TRADE NOT_PERMITTED
USER_REQUESTED END_OF_DAY TERMS_EXPIRED
"""


@needs_kernel
@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", VENUES)
def test_random_blocks(name: str, seed: int) -> None:
    """Events and canonical state are byte-identical after every chunk."""
    run(name, seed, 400)


@needs_kernel
@pytest.mark.nojit
@pytest.mark.parametrize("name", VENUES)
def test_short_random_blocks(name: str) -> None:
    """The same, short enough for an interpreted kernel."""
    run(name, 77, 40)


def run(name: str, seed: int, chunks: int) -> None:
    venue = VENUES[name]
    kernel, reference = Engine(venue, "kernel"), Engine(venue, "reference")
    stream = BlockStream(venue, seed)
    for _ in range(chunks):
        same(stream.take(CHUNK, reference.state()), kernel, reference)


@pytest.mark.nojit
@pytest.mark.parametrize("name", VENUES)
def test_invariants_after_every_command(name: str, implementation: Any) -> None:
    """Locked amounts are those of live orders and of standing terms; nothing is lost, after each command."""
    market = Engine(VENUES[name], implementation)
    stream = BlockStream(VENUES[name], 5)
    for _ in range(12):
        commands = stream.take(CHUNK, market.state())
        for command in np.split(commands, len(commands)):
            market.apply_all(command)
            check(market)


@pytest.mark.parametrize("name", VENUES)
def test_restore_in_mid_stream(name: str, implementation: Any) -> None:
    """An engine restored from the canonical state goes on with the same bytes."""
    stream = BlockStream(VENUES[name], 23)
    first = Engine(VENUES[name], implementation)
    for _ in range(15):
        first.apply_all(stream.take(CHUNK, first.state()))
    second = Engine.restore(VENUES[name], first.canonical_state(), implementation)
    for _ in range(15):
        commands = stream.take(CHUNK, first.state())
        assert second.apply_all(commands).tobytes() == first.apply_all(commands).tobytes()
    assert second.canonical_state() == first.canonical_state()


def test_streams_are_lively() -> None:
    """Every event and every reason of a block command occurs in the streams of all venues together."""
    kinds: Counter[int] = Counter()
    reasons: Counter[int] = Counter()
    for venue in VENUES.values():
        market = Engine(venue, "reference")
        stream = BlockStream(venue, 9)
        for _ in range(160):
            events = market.apply_all(stream.take(CHUNK, market.state()))
            kinds.update(events["kind"].tolist())
            block = (events["kind"] == EventKind.REJECTED) & (events["aux"] >= 8) & (events["aux"] <= 11)
            reasons.update(events["reason"][block].tolist())
            reasons.update(events["reason"][events["kind"] == EventKind.BLOCK_ENDED].tolist())
    for kind in (EventKind.BLOCK_OFFERED, EventKind.BLOCK_COUNTERED, EventKind.BLOCK_TRADE, EventKind.BLOCK_ENDED):
        assert kinds[kind] > 100, f"{kinds[kind]} of {kind.name}"
    names = {Reason(reason).name for reason in reasons}
    expected = set(EXPECTED.split())
    assert names >= expected, sorted(expected - names)
