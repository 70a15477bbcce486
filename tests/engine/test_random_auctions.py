"""Random auctions: the kernel gives the reference's bytes, and every outcome is the best one within the rules."""

from __future__ import annotations

import pytest

from engine.core import Engine
from engine.schema import EventKind
from tests.engine.conftest import kernel_exists
from tests.engine.invariants import check
from tests.engine.random_auctions import AuctionStream, check_outcome, outcomes_of, venues
from tests.engine.test_differential import same

VENUES = venues()
TOTAL = 200_000
CHUNK = 500
needs_kernel = pytest.mark.skipif(not kernel_exists(), reason="this tree has no kernel")


def run(stream: AuctionStream, count: int, *engines: Engine) -> None:
    """`count` auctions through all engines alike; every outcome is checked."""
    commands = stream.take(count)
    first, *others = engines
    events = first.apply_all(commands)
    for other in others:
        assert other.apply_all(commands).tobytes() == events.tobytes()
    outcomes = outcomes_of(commands, events, stream)
    assert len(outcomes) == count
    for outcome in outcomes:
        check_outcome(outcome)


@needs_kernel
@pytest.mark.slow
@pytest.mark.parametrize("name", VENUES)
def test_many_auctions(name: str) -> None:
    """Two hundred thousand in all."""
    venue = VENUES[name]
    kernel, reference = Engine(venue, "kernel"), Engine(venue, "reference")
    stream = AuctionStream(venue, 1)
    for _ in range(-(-TOTAL // (len(VENUES) * CHUNK))):
        run(stream, CHUNK, kernel, reference)
    assert kernel.canonical_state() == reference.canonical_state()
    check(kernel)


@needs_kernel
@pytest.mark.nojit
@pytest.mark.parametrize("name", VENUES)
def test_some_auctions(name: str) -> None:
    """As many as an interpreted kernel manages; states compared and checked after every few."""
    venue = VENUES[name]
    kernel, reference = Engine(venue, "kernel"), Engine(venue, "reference")
    stream = AuctionStream(venue, 2)
    for _ in range(6):
        commands = stream.take(20)
        same(commands, kernel, reference)
        check(kernel)
    run(stream, 30, kernel, reference)


@pytest.mark.parametrize("name", VENUES)
def test_the_stream_is_lively(name: str) -> None:
    """Every rule is met: each way to end, each policy, sales in part, ties that are cut."""
    venue = VENUES[name]
    stream = AuctionStream(venue, 3)
    commands = stream.take(3_000)
    assert commands.tobytes() == AuctionStream(venue, 3).take(3_000).tobytes()
    events = Engine(venue, "reference").apply_all(commands)
    outcomes = outcomes_of(commands, events, stream)
    for outcome in outcomes:
        check_outcome(outcome)
    ends = {reason: sum(o.reason == reason for o in outcomes) for reason in {o.reason for o in outcomes}}
    assert set(ends) == {0, 613, 614, 615} and all(count >= 10 for count in ends.values()), ends
    assert len({o.policies for o in outcomes if not o.reason}) == 2 * 3 * 2 * 3
    cut = [o for o in outcomes if any(bid.filled and bid.ended for bid in o.bids.values())]
    partial = [o for o in outcomes if not o.reason and o.sold < o.volume]
    assert len(cut) > 300 and len(partial) > 300
    backed = [o for o in outcomes if o.reserve_lots and not o.reason]
    assert min(sum(o.released == 0 for o in backed), sum(o.released == o.reserve_lots for o in backed)) > 20
    assert sum(0 < o.released < o.reserve_lots for o in backed) > 20
    assert (events["kind"] == EventKind.FEE).any() == (name == "fees")


def test_a_wrong_outcome_is_noticed() -> None:
    """The conditions are not empty: moving one lot from a better bid to a worse one, or the price, is found."""
    venue = VENUES["steps"]
    stream = AuctionStream(venue, 4)
    commands = stream.take(400)
    events = Engine(venue, "reference").apply_all(commands)
    found = tried = 0
    for outcome in outcomes_of(commands, events, stream):
        if outcome.reason or len(outcome.trades) < 2:
            continue
        tried += 2
        first, second = (outcome.bids[order] for order, _, _ in (outcome.trades[0], outcome.trades[-1]))
        first.filled, first.ended = first.filled - stream.step, first.ended + stream.step
        found += notices(outcome)
        first.filled, first.ended = first.filled + stream.step, first.ended - stream.step
        outcome.price += 1
        found += notices(outcome)
        outcome.price -= 1
        assert second.filled
        check_outcome(outcome)
    assert found == tried > 200


def notices(outcome) -> bool:
    try:
        check_outcome(outcome)
    except AssertionError:
        return True
    return False
