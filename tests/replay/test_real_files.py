"""What operators run into: locks, permissions, foreign and newer files, full disks, killed processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from replay import (
    JournalCorrupt,
    JournalFull,
    JournalLocked,
    JournalMissing,
    JournalReader,
    JournalUnreadable,
    NewerVersion,
    NotAJournal,
    SpaceState,
    create,
    recover,
    verify,
)
from replay.storage import RealStorage
from tests.replay.fake_engine import VENUE, FakeImplementation, fake_engine, make_commands

ROOT = Path(__file__).parents[2]
SEGMENT = 16 << 10


def small(path: Path, batches: int = 3) -> None:
    engine = fake_engine(VENUE)
    with create(path, VENUE, segment_bytes=SEGMENT) as writer:
        for _ in range(batches):
            commands = make_commands(writer.position.command, 2)
            writer.append(commands, engine.apply(commands)[1])


@pytest.mark.nojit
def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    small(tmp_path / "j")
    first = recover(tmp_path / "j", fake_engine)
    with pytest.raises(JournalLocked, match=f"process {os.getpid()} writes this journal") as caught:
        recover(tmp_path / "j", fake_engine)
    assert caught.value.pid == os.getpid()
    assert JournalReader(tmp_path / "j").watermark().batch == 3, "readers need no lock"
    first.writer.close()
    recover(tmp_path / "j", fake_engine).writer.close()


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    small(tmp_path / "j")
    first = recover(tmp_path / "j", fake_engine)
    run = spawn(tmp_path / "j", 1)
    assert run.wait() != 0
    assert run.stderr is not None
    assert f"process {os.getpid()} writes this journal" in run.stderr.read().decode()
    run.stderr.close()
    first.writer.close()


@pytest.mark.nojit
def test_missing_folder(tmp_path: Path) -> None:
    for opening in (recover, verify, JournalReader):
        with pytest.raises(JournalMissing, match="no such folder; check the path"):
            opening(tmp_path / "nowhere")


@pytest.mark.nojit
def test_not_a_journal(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    with pytest.raises(JournalUnreadable, match="cannot be read"):
        recover(tmp_path / "file")
    with pytest.raises(NotAJournal, match="holds no journal"):
        recover(tmp_path)
    (tmp_path / "genesis").write_text("In the beginning")
    with pytest.raises(NotAJournal, match="not a journal's genesis"):
        recover(tmp_path)


@pytest.mark.nojit
def test_newer_version(tmp_path: Path) -> None:
    small(tmp_path / "j")
    genesis = tmp_path / "j" / "genesis"
    data = bytearray(genesis.read_bytes())
    data[8] = 7
    genesis.write_bytes(data)
    with pytest.raises(NewerVersion, match="journal format 7, this release knows up to 1; use a newer release"):
        recover(tmp_path / "j", fake_engine)


def test_unreadable(tmp_path: Path) -> None:
    """As another user; root may read everything."""
    small(tmp_path / "j")
    (tmp_path / "j" / "segment-00000001").chmod(0)
    if os.getuid() != 0:
        with pytest.raises(JournalUnreadable, match="run as the journal's owner"):
            recover(tmp_path / "j", fake_engine)
        return
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setgid(65534)
            os.setuid(65534)
            RealStorage(tmp_path / "j").listdir()
        except JournalUnreadable as error:
            code = 0 if "run as its owner" in str(error) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.mark.nojit
def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(tmp_path / "j")

    def refuse(self: RealStorage, name: str, **_: bool) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(RealStorage, "open", refuse)
    with pytest.raises(JournalUnreadable, match="genesis cannot be read"):
        JournalReader(tmp_path / "j")


@pytest.mark.nojit
def test_the_watermark_file_may_be_lost(tmp_path: Path) -> None:
    small(tmp_path / "j")
    (tmp_path / "j" / "watermark").unlink()
    found = recover(tmp_path / "j", fake_engine)
    assert found.report.commands == 6
    found.writer.close()
    (tmp_path / "j" / "watermark").write_bytes(b"rubbish")
    recover(tmp_path / "j", fake_engine).writer.close()
    assert JournalReader(tmp_path / "j").watermark().batch == 3


@pytest.mark.nojit
def test_an_unfinished_creation_is_begun_anew(tmp_path: Path) -> None:
    small(tmp_path / "j", batches=0)
    (tmp_path / "j" / "genesis").unlink()
    with pytest.raises(NotAJournal):
        recover(tmp_path / "j", fake_engine)
    create(tmp_path / "j", VENUE, segment_bytes=SEGMENT).close()
    recover(tmp_path / "j", fake_engine).writer.close()


@pytest.mark.nojit
def test_remains_of_a_crash_are_cleared(tmp_path: Path) -> None:
    small(tmp_path / "j")
    for name in ("prepared.tmp", "segment-00000001.tmp"):
        (tmp_path / "j" / name).write_bytes(b"half")
    recover(tmp_path / "j", fake_engine).writer.close()
    assert not [name for name in os.listdir(tmp_path / "j") if name == "segment-00000001.tmp"]


def spawn(path: Path, batches: int, limit: int = 0) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.replay.writer_process", str(path), str(batches), str(limit)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_disk_full(tmp_path: Path) -> None:
    """A limit on file sizes stands for the full disk: no next segment can be made, and nothing is lost."""
    path = tmp_path / "j"
    engine = fake_engine(VENUE)
    writer = create(path, VENUE, segment_bytes=SEGMENT)
    real = RealStorage.pwrite

    def full(self: RealStorage, handle: int, data: bytes, offset: int) -> int:
        if os.readlink(f"/proc/self/fd/{handle}").endswith("prepared.tmp"):
            raise OSError(28, "No space left on device")
        return real(self, handle, data, offset)

    states = set()
    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc")
    patch = pytest.MonkeyPatch()
    patch.setattr(RealStorage, "pwrite", full)
    with pytest.raises(JournalFull, match="disk is full"):
        while True:
            commands = make_commands(writer.position.command, 2)
            writer.append(commands, engine.apply(commands)[1])
            states.add(writer.space().state)
    assert states == {SpaceState.OK, SpaceState.DRAIN, SpaceState.HALT}
    assert writer.space().blocked
    patch.undo()
    assert writer.append(commands, fake_events(writer, commands)) == writer.batch_no
    assert writer.space().state is SpaceState.OK
    writer.close()
    assert JournalReader(path).watermark().batch == writer.batch_no


def fake_events(writer, commands):
    """The events of a batch that was refused for lack of room, made again."""
    engine = FakeImplementation()
    engine.event_sequence = writer.position.event - 1
    return engine.apply(commands)[1]


def test_file_size_limit_ends_the_process_without_a_reply(tmp_path: Path) -> None:
    run = spawn(tmp_path / "j", 200)
    run.communicate()
    assert run.returncode == 0
    limit = 20 << 10  # below the segment: its clean copy cannot be written
    run = spawn(tmp_path / "j", 1, limit)
    _, errors = run.communicate()
    assert run.returncode != 0
    assert b"no room for the clean copy" in errors
    again = spawn(tmp_path / "j", 1)
    output, _ = again.communicate()
    assert again.returncode == 0
    assert output.splitlines()[0] == b"ready 600"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("mount"), reason="needs root")
def test_full_file_system(tmp_path: Path) -> None:
    """A real one of 1 MiB: the writer drains, stops without loss, and goes on when there is room."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "none", disk], capture_output=True, check=False
    ).returncode:
        pytest.skip("may not mount")
    try:
        run = spawn(disk / "j", 10_000)
        output, errors = run.communicate()
        lines = output.decode().splitlines()
        acked = int(lines[-2].split()[1])
        assert lines[-1] == "JournalFull 7 HALT", errors.decode()
        subprocess.run(["mount", "-o", "remount,size=2m", disk], check=True)
        found = recover(disk / "j", fake_engine)
        assert found.report.commands == acked
        found.writer.close()
    finally:
        subprocess.run(["umount", disk], check=True)


def test_killed_twenty_times(tmp_path: Path) -> None:
    """kill -9 in the middle of writing; what was acknowledged is there at the next start, every time."""
    path, acked = tmp_path / "j", 0
    for life in range(20):
        run = spawn(path, 1_000_000)
        assert run.stdout is not None
        assert run.stderr is not None
        first = run.stdout.readline().split()
        assert first[:1] == [b"ready"], run.stderr.read().decode()
        assert int(first[1]) >= acked
        time.sleep(0.003 * (life % 7) + 0.002)
        run.send_signal(signal.SIGKILL)
        lines = run.stdout.read().splitlines()
        run.wait()
        run.stdout.close()
        run.stderr.close()
        whole = [line for line in lines if line.startswith(b"acked")]
        acked = int(whole[-1].split()[1]) if whole else max(acked, int(first[1]))
    verdict = verify(path, fake_engine)
    assert verdict.result == "intact"
    assert verdict.commands >= acked > 0


@pytest.mark.nojit
def test_corrupt_says_where_and_what_to_do(tmp_path: Path) -> None:
    small(tmp_path / "j")
    file = tmp_path / "j" / "segment-00000001"
    data = bytearray(file.read_bytes())
    data[1600] ^= 8
    file.write_bytes(data)
    with pytest.raises(JournalCorrupt, match=r"file segment-00000001, offset 1536, batch 2: commands from sequence 3"):
        recover(tmp_path / "j", fake_engine)
    assert file.read_bytes() == bytes(data)
