"""Every byte of a journal damaged, every cut of its tail: refused or harmless, never silently different."""

from __future__ import annotations

import copy
from random import Random

import pytest

from replay import JournalError
from tests.replay.simulated_storage import SimulatedStorage
from tests.replay.test_recovery_table import Journal


@pytest.fixture(scope="module")
def written() -> Journal:
    return Journal()


def outcome(journal: Journal) -> int | None:
    """Commands after a recovery whose state is the model's; None when it refuses."""
    try:
        found = journal.recover()
    except JournalError:
        return None
    assert found.engine.digest() == journal.digests[found.report.commands]
    return found.report.commands


def test_every_byte_flipped(written: Journal) -> None:
    """One bit of every byte, the bit rotating: refused, or the journal's full content."""
    refused = harmless = 0
    for name in ("genesis", "segment-00000001", written.last, "watermark"):
        for at in range(len(written.data(name))):
            journal = _light_clone(written)
            journal.data(name)[at] ^= 1 << at % 8
            commands = outcome(journal)
            if commands is None:
                refused += 1
            else:
                assert commands == written.commands, f"{name}, byte {at}: silently different"
                harmless += 1
    assert refused > 3 * 512
    assert harmless > 512


def _light_clone(written: Journal) -> Journal:
    journal = Journal.__new__(Journal)
    journal.__dict__.update(written.__dict__)
    journal.storage = SimulatedStorage(Random(1))
    journal.storage.files = copy.deepcopy(written.storage.files)
    return journal


@pytest.mark.parametrize("watermark", ["current", "old"])
def test_tail_zeroed_at_every_byte(written: Journal, watermark: str) -> None:
    """With the watermark: refused. Without: everything up to the batch before, exactly."""
    start, end = written.before_last.offset, written.end.offset
    for at in range(start, end):
        journal = _light_clone(written)
        data = journal.data(journal.last)
        data[at:end] = bytes(end - at)
        if watermark == "old":
            journal.forget_watermark(written.before_last.batch - 1)
        assert outcome(journal) == (None if watermark == "current" else written.before_last.command - 1), at


def test_tail_cut_at_every_byte(written: Journal) -> None:
    for at in range(written.before_last.offset, written.end.offset):
        journal = _light_clone(written)
        del journal.data(journal.last)[at:]
        journal.forget_watermark()
        assert outcome(journal) is None, "a file of another size than its header says"


def test_every_subset_of_the_last_batch_sectors(written: Journal) -> None:
    start, end = written.before_last.offset, written.end.offset
    sectors = (end - start) // 512
    assert sectors >= 4
    for kept in range(2**sectors):
        journal = _light_clone(written)
        journal.forget_watermark(written.before_last.batch - 1)
        data = journal.data(journal.last)
        for sector in range(sectors):
            if not kept >> sector & 1:
                data[start + sector * 512 : start + (sector + 1) * 512] = bytes(512)
        whole = kept == 2**sectors - 1
        assert outcome(journal) == (written.commands if whole else written.before_last.command - 1), bin(kept)
