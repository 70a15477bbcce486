"""The subscriber's own bookkeeping, message by message: what it takes, what it drops, when it is in step. No sockets."""

from __future__ import annotations

import msgspec
import pytest

from engine.core import Engine
from gateway.feed.market import Market
from gateway.feed.messages import Snapshot, Update
from gateway.marketdata import Change, Kept, MarketData
from gateway.queries import reference_data
from gateway.views import Reference
from tests.engine.builders import seee

pytestmark = pytest.mark.nojit
OLD, NEW = 100, 200
"""Epochs: of the feed before its restart, and of the one behind it."""
EMPTY = Market(Engine(seee(), "reference"), OLD).instruments[0].snapshot(1, OLD)


class Subscriber:
    """Market data without sockets, of one instrument, fed by hand."""

    def __init__(self) -> None:
        self.market = object.__new__(MarketData)
        self.market.gaps = self.market.restarts = 0
        self.market.reference = Reference(reference_data(seee()))
        self.kept = Kept(1)
        self.market._kept = {1: self.kept}

    def snapshot(self, epoch: int, sequence: int, **parts: object) -> list[Change]:
        found: Snapshot = msgspec.structs.replace(EMPTY, epoch=epoch, sequence=sequence, **parts)
        return list(self.market._snapshot(self.kept, found))

    def update(self, epoch: int, sequence: int) -> list[Change]:
        return list(self.market._update(self.kept, Update(epoch, sequence, 0, 0, EMPTY.checksum)))


def test_a_gap_just_before_the_feed_starts_anew() -> None:
    """The update behind the gap belongs to a run that is over: no snapshot will ever lead up to it."""
    it = Subscriber()
    it.snapshot(OLD, 1)
    it.update(OLD, 3)
    assert not it.kept.is_sound and it.market.gaps == 1
    assert [(change.sequence, change.recovered) for change in it.snapshot(NEW, 10)] == [(10, True)]
    assert it.kept.is_sound and not it.kept.waiting and it.market.gaps == 1
    assert [change.sequence for change in it.update(NEW, 11)] == [11]


def test_kept_updates_behind_the_snapshot_are_taken_and_others_dropped() -> None:
    it = Subscriber()
    for epoch, sequence in ((OLD, 9), (NEW, 1), (NEW, 2), (NEW, 3), (OLD, 10), (NEW, 4)):
        assert it.update(epoch, sequence) == []
    assert [change.sequence for change in it.snapshot(NEW, 2)] == [2, 3, 4]
    assert it.kept.is_sound and it.market.gaps == 0


def test_a_late_update_of_the_run_before_is_dropped() -> None:
    """A snapshot comes by another socket and may overtake what the old feed still had under way."""
    it = Subscriber()
    it.snapshot(NEW, 1)
    assert it.update(OLD, 7) == []
    assert it.kept.is_sound and it.market.gaps == 0
    assert [change.sequence for change in it.update(NEW, 2)] == [2]


def test_a_gap_within_a_run_is_closed_by_a_snapshot_and_what_waits() -> None:
    it = Subscriber()
    it.snapshot(OLD, 1)
    it.update(OLD, 3)
    it.update(OLD, 4)
    assert [change.sequence for change in it.snapshot(OLD, 2)] == [2, 3, 4]
    assert it.kept.is_sound and it.market.gaps == 1


def test_the_first_update_of_another_run_asks_for_its_snapshot() -> None:
    it = Subscriber()
    it.snapshot(OLD, 5)
    assert it.update(NEW, 1) == []
    assert not it.kept.is_sound
    assert [change.sequence for change in it.snapshot(NEW, 1)] == [1]
    assert it.kept.is_sound
