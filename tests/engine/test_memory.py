"""`Engine.touch`: the memory of a trading day is there before the day, and nothing else has changed."""

from __future__ import annotations

import mmap
import resource

import msgspec
import numpy as np
import pytest

from benchmarks.environment import resident_bytes
from benchmarks.workloads import carbon_day
from engine.core import Engine
from engine.founding import MADV_POPULATE_WRITE
from engine.venue import Venue


def may_be_asked() -> bool:
    """Whether this system hands out memory on request (Linux from 5.14 on)."""
    try:
        mmap.mmap(-1, mmap.PAGESIZE).madvise(MADV_POPULATE_WRITE)
    except OSError:
        return False
    return True


def faults() -> int:
    """Pages that the operating system has handed this process while it waited."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


@pytest.mark.skipif(not may_be_asked(), reason="this system hands out memory only when it is written")
def test_a_touched_engine_waits_for_no_memory():
    """A day's flow makes hundreds of faults in a fresh engine (one for each large or small page), hardly one here."""
    work = carbon_day(20_000, 2_000, 100)
    events = Engine(work.venue)
    events.apply_all(work.prepare)  # whatever Python itself needs
    counted = []
    for touched in (False, True):
        engine = Engine(work.venue)
        if touched:
            engine.touch()
        before = faults()
        for commands in (work.prepare, work.flow):
            for at in range(0, len(commands), 1_024):
                engine.apply(commands[at : at + 1_024])
        counted.append(faults() - before)
    assert counted[0] >= 10 and counted[1] <= counted[0] // 4, counted


def test_touching_changes_nothing():
    work = carbon_day(2_000, 500, 50)
    one, other = Engine(work.venue), Engine(work.venue)
    one.touch()
    assert one.canonical_state() == other.canonical_state()
    assert np.array_equal(one.apply_all(work.prepare), other.apply_all(work.prepare))
    one.touch()  # in the middle of a day, too
    assert np.array_equal(one.apply_all(work.flow), other.apply_all(work.flow))
    assert one.digest() == other.digest()


def test_the_reference_has_nothing_to_touch():
    engine = Engine(Venue.preset("plain"), "reference")
    before = engine.digest()
    engine.touch()
    assert engine.digest() == before


def test_wide_windows_of_many_instruments_are_left_alone():
    """256 instruments of the widest window would take a gibibyte that is hardly used."""
    plain = Venue.preset("plain")
    few = plain.changed(capacity=msgspec.structs.replace(plain.capacity, orders=1_000, accounts=10, sessions=10))
    many = few.changed(
        instruments=tuple(msgspec.structs.replace(plain.instruments[0], symbol=f"I{n}") for n in range(200))
    )
    grown = []
    for venue in (few, many):
        engine = Engine(venue)
        before = resident_bytes()
        engine.touch()
        grown.append(resident_bytes() - before)
    assert grown[1] < grown[0] + (64 << 20), grown
