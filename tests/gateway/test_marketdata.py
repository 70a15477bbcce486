"""The subscriber's own bookkeeping, message by message: what it takes, what it drops, when it is in step."""

from __future__ import annotations

import msgspec
import pytest

from engine.core import Engine
from engine.schema import Side
from gateway.feed.market import Market
from gateway.feed.messages import AuctionNews, AuctionStep, Snapshot, Update
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

    def update(self, epoch: int, sequence: int, *auctions: AuctionNews) -> list[Change]:
        update = Update(epoch, sequence, 0, 0, EMPTY.checksum, auctions=auctions)
        return list(self.market._update(self.kept, update))


def auction(number: int, step: AuctionStep) -> AuctionNews:
    return AuctionNews(number, 0, int(step), int(Side.SELL), 7_410, 500, 0, 0, 0, 0)


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


def test_a_run_whose_clock_went_back_leaves_nothing_waiting() -> None:
    """Epochs are moments: after the machine's clock went back the new run has the smaller one."""
    it = Subscriber()
    it.snapshot(NEW, 1)
    it.update(NEW, 3)
    assert [(change.sequence, change.recovered) for change in it.snapshot(OLD, 2)] == [(2, True)]
    assert it.kept.is_sound and not it.kept.waiting and it.market.gaps == 1


def test_an_update_with_another_book_than_ours_is_a_gap() -> None:
    it = Subscriber()
    it.snapshot(OLD, 1)
    wrong = Update(OLD, 2, 0, 0, EMPTY.checksum ^ 1)
    assert list(it.market._update(it.kept, wrong)) == []
    assert not it.kept.is_sound and it.market.gaps == 1 and it.kept.sequence == 1


def test_a_snapshot_that_contradicts_its_checksum_is_not_taken() -> None:
    it = Subscriber()
    assert it.snapshot(OLD, 5, checksum=EMPTY.checksum ^ 1) == []
    assert not it.kept.is_sound and it.kept.sequence == 0
    assert [change.sequence for change in it.snapshot(OLD, 5)] == [5]


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


def test_auctions_of_the_first_snapshot_and_behind_a_gap() -> None:
    """A newcomer is told all; who was away is told what he has not heard."""
    it = Subscriber()
    first, second = auction(1, AuctionStep.OPENED), auction(2, AuctionStep.ANNOUNCED)
    assert it.snapshot(OLD, 1, auctions=(first, second))[0].auctions == (first, second)
    closed = auction(1, AuctionStep.CLOSED)
    assert it.update(OLD, 2, closed)[0].auctions == (closed,)
    symbol = it.market.reference.data.instruments[0].symbol
    assert it.market.auctions(symbol) == (second, closed)
    it.update(OLD, 4)
    third = auction(3, AuctionStep.ANNOUNCED)
    assert it.snapshot(OLD, 4, auctions=(second, closed, third))[0].auctions == (third,)
    assert it.market.auctions(symbol) == (second, closed, third)
    it.update(OLD, 6)
    from_a_state = tuple(msgspec.structs.replace(step, time=9) for step in (second, closed))
    assert it.snapshot(NEW, 1, auctions=from_a_state)[0].auctions == ()
