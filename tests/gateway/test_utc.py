"""The distance of a venue's time from UTC: as the machine tells, never better than that."""

from __future__ import annotations

import ctypes
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from gateway import service
from gateway.clock import JournalClock
from gateway.config import Config
from gateway.server import background
from gateway.utc import CLOCK_TEXT, Reading, Timex, UtcWatch, clock_text, read_kernel
from replay import JournalReader, NoteKind
from tests.gateway.halls import Terminal
from tests.gateway.servers import config, local

pytestmark = pytest.mark.nojit
US = 1_000


def watch(reading: Reading | None, ahead_us: int = 0, is_real: bool = True, limit_us: int = 100) -> UtcWatch:
    """A venue whose clock stands still, so far ahead of the machine's (which is frozen by the caller)."""
    return UtcWatch(
        JournalClock(1_000_000_000 + ahead_us * US, monotonic=lambda: 0), is_real, limit_us, lambda: reading
    )


@pytest.mark.parametrize(
    ("reading", "ahead", "verdict"),
    [
        (Reading(True, 10 * US, 90 * US, "none"), 0, "within"),
        (Reading(True, 10 * US, 90 * US, "none"), 10, "within"),
        (Reading(True, 10 * US, 90 * US, "none"), 11, "unproven"),
        (Reading(True, 10 * US, 101 * US, "none"), 0, "unproven"),
        (Reading(True, 101 * US, 200 * US, "none"), 0, "beyond"),
        (Reading(True, 10 * US, 20 * US, "none"), -91, "beyond"),
        (Reading(False, 10 * US, 20 * US, "unknown"), 0, "unsynchronised"),
        (None, 0, "unknown"),
    ],
)
def test_verdicts(reading: Reading | None, ahead: int, verdict: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """RTS 25: at most 100 us of divergence where the gateway answers within a millisecond."""
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000)
    found = watch(reading, ahead).status()
    assert (found.verdict, found.limit, found.venue_offset) == (verdict, 100 * US, ahead * US)
    assert CLOCK_TEXT[verdict] in clock_text(found)
    if reading is None:
        assert "0 us," not in clock_text(found)  # no number where none is known


def test_a_venue_on_its_own_time_has_no_limit() -> None:
    found = watch(Reading(True, 0, 0, "none"), is_real=False).status()
    assert (found.verdict, found.venue_offset) == ("own time", 0)
    assert watch(None, is_real=False).status().verdict == "own time"
    assert Config(data="x").is_real_time
    assert not Config(data="x", clock_rate=60).is_real_time
    assert not Config(data="x", start_time="2025-08-11T09:30:00+08:00").is_real_time


def test_a_wider_limit() -> None:
    """A millisecond where the gateway is slower."""
    with pytest.raises(ValueError, match="at least 1"):
        Config(data="x", utc_limit_us=0)
    slow = UtcWatch(JournalClock(time.time_ns()), True, 1_000, lambda: Reading(True, 0, 0, "insert"))
    assert slow.status().limit == 1_000_000
    assert "leap second: insert" in clock_text(slow.status())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux is read")
def test_the_kernels_word() -> None:
    if ctypes.sizeof(ctypes.c_long) == 8:
        assert ctypes.sizeof(Timex) == 208  # as the kernel's own
        assert (Timex.maxerror.offset, Timex.status.offset, Timex.tai.offset) == (24, 40, 160)
    found = read_kernel()
    assert found is not None
    assert found.max_error >= 0 and found.estimated_error >= 0
    assert found.synchronised or found.leap in ("unknown", "none", "insert", "delete", "in progress", "past")


def test_elsewhere_it_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert read_kernel() is None


def test_a_server_says_it_journals_it_and_tells_whoever_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(False, 16_000_000_000, 16_000_000_000, "unknown")
    monkeypatch.setattr(service, "UtcWatch", partial(UtcWatch, read=lambda: reading))
    served, said = config(tmp_path), []
    with background(served, said.append), local(served) as client:
        assert any(line.startswith("Warning: clock: the machine's clock is not synchronised") for line in said)
        status = client.status()
        assert (status.clock.verdict, status.clock.estimated_error) == ("unsynchronised", 16_000_000_000)
        assert abs(status.clock.venue_offset) < 10_000_000_000
        assert "not synchronised with UTC" in Terminal(served, "OPS", "operate").says("status")
        assert Terminal(served, "OPS", "operate").ask("status")["clock"]["verdict"] == "unsynchronised"
    batches = JournalReader(tmp_path / "data" / "journal").batches()
    notes = [note.body.decode() for batch in batches for note in batch.notes if note.kind == NoteKind.TEXT]
    assert [note for note in notes if note.startswith("clock: the machine's clock is not synchronised")]


def test_on_its_own_time_nothing_is_warned_of(tmp_path: Path) -> None:
    served, said = config(tmp_path, start_time="2025-08-11T09:30:00+08:00"), []
    with background(served, said.append), local(served) as client:
        assert client.status().clock.verdict == "own time"
    assert not any("clock" in line for line in said)
