"""Further orders, quotes and calls amid kill switches, seizures, corrections and limits: kernel against reference."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from engine.core import Engine
from engine.schema import EventKind, Reason
from tests.engine.invariants import check
from tests.engine.random_further import FurtherStream, further_venues
from tests.engine.test_differential import needs_kernel, same

VENUES = further_venues()
CHUNK = 25
EXPECTED_EVENTS = "TRIGGERED REFRESHED CALL_UNCROSSED DECREMENTED TRADE FEE EXPIRED REPLACED CANCELLED TRADE_BUSTED"
EXPECTED = """
INVALID_COMBINATION INVALID_DATE INVALID_FLAGS INVALID_ORDER_TYPE INVALID_TIME_IN_FORCE INVALID_QUANTITY OFF_LOT
OFF_TICK PRICE_OUT_OF_WINDOW PRICE_REQUIRED WRONG_PHASE MODE_NOT_OFFERED UNKNOWN_ORDER MIN_QUANTITY_NOT_MET
FOK_NOT_FILLABLE POST_ONLY_WOULD_TAKE WOULD_CROSS ORDER_TABLE_FULL INSUFFICIENT_FUNDS INSUFFICIENT_UNITS
QUANTITY_EXCEEDS_LISTING QUOTE_REPLACED GOOD_TILL_DATE CALL_REMAINDER SELF_TRADE_PREVENTED IOC_REMAINDER DEPTH_LIMIT
UNUSED_FIELD_SET STALE_CLIENT_ORDER_ID QUANTITY_BELOW_FILLED KILLED DISCONNECTED
"""


@needs_kernel
@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", VENUES)
def test_random_further(name: str, seed: int) -> None:
    """Events and canonical state are byte-identical after every chunk."""
    run(name, seed, 500)


@needs_kernel
@pytest.mark.nojit
@pytest.mark.parametrize("name", VENUES)
def test_short_random_further(name: str) -> None:
    """The same, short enough for an interpreted kernel."""
    run(name, 77, 45)


def run(name: str, seed: int, chunks: int) -> None:
    venue = VENUES[name]
    kernel, reference = Engine(venue, "kernel"), Engine(venue, "reference")
    stream = FurtherStream(venue, seed)
    for _ in range(chunks):
        same(stream.take(CHUNK, reference.state()), kernel, reference)
        looks_agree(kernel, reference)


def looks_agree(kernel: Engine, reference: Engine) -> None:
    """The cheap looks know icebergs, hidden orders, waiting stops and what an uncrossing would give."""
    for instrument in range(1, len(kernel.venue.instruments) + 1):
        assert kernel.indicative(instrument) == reference.indicative(instrument)
        assert kernel.depth(instrument, 5) == reference.depth(instrument, 5)
        assert kernel.lots(instrument, 5) == reference.lots(instrument, 5)
    assert kernel.open_orders().tobytes() == reference.open_orders().tobytes()


@pytest.mark.nojit
@pytest.mark.parametrize("name", VENUES)
def test_invariants_after_every_command(name: str) -> None:
    """Kill switches, seizures, corrections and limits leave icebergs, stops and quotes as sound as plain orders."""
    market, stream = Engine(VENUES[name], "kernel"), FurtherStream(VENUES[name], 5)
    for _ in range(14):
        commands = stream.take(CHUNK, market.state())
        for command in np.split(commands, len(commands)):
            market.apply_all(command)
            check(market)


def test_streams_are_lively() -> None:
    """Every event and every reason of these rules occurs in the streams of all venues together."""
    kinds: Counter[int] = Counter()
    reasons: Counter[int] = Counter()
    for venue in VENUES.values():
        market = Engine(venue, "reference")
        stream = FurtherStream(venue, 9)
        for _ in range(240):
            events = market.apply_all(stream.take(CHUNK, market.state()))
            kinds.update(events["kind"].tolist())
            reasons.update(events["reason"].tolist())
    for name in EXPECTED_EVENTS.split():
        assert kinds[EventKind[name]] > 20, f"{kinds[EventKind[name]]} of {name}"
    found = {reason.name for reason in Reason if reasons[reason]}
    assert found >= set(EXPECTED.split()), sorted(set(EXPECTED.split()) - found)
