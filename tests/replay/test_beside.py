"""The thread that writes beside its caller, on real files."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.core import Engine
from engine.venue import Venue
from replay import create, recover
from replay.beside import Beside, Job
from replay.storage import RealStorage
from tests.replay.fake_engine import make_commands

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no such thread elsewhere")


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Beside]:
    found = RealStorage(tmp_path).beside()
    assert found is not None
    yield found
    found.close()


def opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def ended(beside: Beside) -> int:
    """How the oldest job ended: 0, or the error's number."""
    try:
        beside.wait()
    except OSError as error:
        return error.errno or -1
    return 0


def test_jobs_are_carried_out_in_order(tmp_path: Path, beside: Beside) -> None:
    file, mark = opened(tmp_path / "data"), opened(tmp_path / "mark")
    for number in range(200):
        beside.begin(Job(file, bytearray([number]) * 3, 2 * number, number % 2 == 0, mark, bytearray([number]) * 8))
        if number >= 2:
            beside.wait()
    beside.wait()
    beside.wait()
    # Each one's last byte is overwritten by the next one's first.
    assert (tmp_path / "data").read_bytes() == bytes(n for n in range(200) for _ in range(2)) + bytes([199])
    assert (tmp_path / "mark").read_bytes() == bytes([199]) * 8


def test_behind_a_failed_batch_nothing_is_written_any_more(tmp_path: Path, beside: Beside) -> None:
    file, mark = opened(tmp_path / "data"), opened(tmp_path / "mark")
    closed = opened(tmp_path / "closed")
    os.close(closed)
    for handle in (file, closed, file):
        beside.begin(Job(handle, bytearray(b"abc"), 3 * (handle == closed), True, mark, bytearray(b"m")))
    beside.begin(Job(file, bytearray(b"zeros"), 10, True))
    assert [ended(beside) for _ in range(4)] == [0, errno.EBADF, errno.EBADF, errno.EBADF]
    assert (tmp_path / "data").read_bytes() == b"abc"


def test_a_piece_that_may_be_given_up_stops_nobody(tmp_path: Path, beside: Beside) -> None:
    file, mark = opened(tmp_path / "data"), opened(tmp_path / "mark")
    read_only = os.open(tmp_path / "data", os.O_RDONLY)
    beside.begin(Job(read_only, bytearray(b"zeros"), 0, True))
    beside.begin(Job(file, bytearray(b"abc"), 0, True, mark, bytearray(b"m")))
    assert [ended(beside) for _ in range(2)] == [errno.EBADF, 0]
    assert (tmp_path / "data").read_bytes() == b"abc"


def test_a_journal_written_beside_is_the_journal_written_at_once(tmp_path: Path) -> None:
    """Byte for byte, over several segments, and whoever recovers it finds all of it."""
    venue = Venue.preset("plain")
    for name in ("at once", "beside"):
        engine = Engine(venue, "reference")
        writer = create(
            tmp_path / name, venue, segment_bytes=32_768, prepare_step=4_096, clock=lambda: 1, uuid=bytes(16)
        )
        if name == "beside":
            assert writer.write_beside() >= 0
        for number in range(120):
            commands = make_commands(writer.position.command, 1 + number % 7, number)
            events = engine.apply(commands)[1]
            assert writer.begin(commands, events).tobytes() == events.tobytes()
            while writer.position.batch - writer.durable.batch > 1:
                writer.wait()
        writer.settle()
        assert writer.durable == writer.position
        writer.close()
    once, beside = (sorted((tmp_path / name).glob("segment-*")) for name in ("at once", "beside"))
    assert [path.name for path in once] == [path.name for path in beside] and len(once) > 3
    for first, second in zip(once, beside, strict=True):
        assert first.read_bytes() == second.read_bytes()
    found = recover(tmp_path / "beside", "reference")
    assert found.report.commands == sum(1 + number % 7 for number in range(120))
    found.writer.close()
