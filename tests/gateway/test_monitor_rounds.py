"""The monitor's rounds: a backlog hides nothing, every source is seen before the end, options that watch nothing."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import gateway.commands.monitor as command
from engine.control import OpenSession
from engine.schema import CommandKind as K
from engine.schema import KillScope, Role
from gateway.cli import cli
from gateway.commands.common import Failure
from gateway.commands.connect import Target
from gateway.monitor.alerts import Alert
from gateway.monitor.journal_watch import JournalWatch
from gateway.monitor.status_watch import MachineWatch
from gateway.monitor.thresholds import Thresholds
from gateway.server import background
from replay.scan import Batch
from tests.engine.further_floor import further
from tests.gateway.servers import PLAIN_OPENING, config, local, server_process
from tests.gateway.test_monitor import BOUND, monitor
from tests.replay.diary import Diary

pytestmark = pytest.mark.nojit


@pytest.fixture
def backlog(tmp_path: Path) -> Path:
    """A data folder whose journal has 60 batches, the last of them a kill switch."""
    with Diary(tmp_path / "data" / "journal", further()) as day:
        for _ in range(59):
            day.firm()
        day.send(K.KILL_SWITCH, side=0, scope=int(KillScope.INSTRUMENT), instrument=1)
    return tmp_path / "data"


def alerts(data: Path, after: int | None, seconds: float | None, **thresholds: Any) -> Iterator[Alert]:
    return command._alerts(Target(data, "", "", None, None, 2.0), Thresholds(**thresholds), after, seconds)


def slow_down(monkeypatch: pytest.MonkeyPatch, seconds: float) -> list[int]:
    """Every batch takes so long; gives how many had been read at each look at the machine."""
    take, look = JournalWatch.take, MachineWatch.look
    read, looks = [0], []

    def slow(self: JournalWatch, batch: Batch) -> Iterator[Alert]:
        time.sleep(seconds)
        read[0] += 1
        return take(self, batch)

    def seen(self: MachineWatch) -> Iterator[Alert]:
        looks.append(read[0])
        return look(self)

    monkeypatch.setattr(JournalWatch, "take", slow)
    monkeypatch.setattr(MachineWatch, "look", seen)
    return looks


def test_a_backlog_hides_nothing(backlog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it reads what has piled up it looks at the machine, and tells that it is behind."""
    looks = slow_down(monkeypatch, 0.05)
    found = list(alerts(backlog, 0, 0, behind=10, status_seconds=0.1))
    assert len([read for read in looks if 0 < read < 60]) >= 2
    assert [alert.kind for alert in found] == ["STARTED", "BEHIND", "KILL_SWITCH", "CAUGHT_UP"]
    assert 10 <= found[1].value < 60


def test_the_time_is_kept_and_what_is_unread_told(backlog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow_down(monkeypatch, 0.1)
    found = list(alerts(backlog, 0, 0.2))
    assert [(alert.kind, alert.severity) for alert in found] == [("STARTED", "info"), ("UNREAD", "warning")]
    assert 0 < found[1].value < 60


def test_no_time_at_all_reads_what_is_there(backlog: Path) -> None:
    assert [alert.kind for alert in alerts(backlog, 0, 0)] == ["STARTED", "KILL_SWITCH"]
    assert [alert.kind for alert in alerts(backlog, None, 0)] == ["STARTED"]


def test_a_folder_that_vanishes(backlog: Path, tmp_path: Path) -> None:
    for gone in (backlog / "journal", backlog):
        shutil.copytree(backlog, tmp_path / "kept", dirs_exist_ok=True)
        with closing(alerts(backlog, 0, None)) as watching:
            assert [next(watching).kind for _ in range(2)] == ["STARTED", "KILL_SWITCH"]
            shutil.rmtree(gone)
            with pytest.raises(Failure, match="is gone") as failed:
                list(watching)
        assert failed.value.exit_code == 2
        shutil.copytree(tmp_path / "kept", backlog, dirs_exist_ok=True)


def run(data: Path, *arguments: str, code: int = 0) -> Any:
    result = CliRunner().invoke(cli, ["monitor", *arguments, "--data", str(data)], prog_name="carbonbook")
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def test_a_dead_server_is_told_however_short_the_time(backlog: Path) -> None:
    end = ("--fail-on", "critical", "--timeout", "0.5")
    dead = ("--connect", f"ipc://{backlog}/nobody", "--session", "OPS")
    for seconds in ("0", "0.1", "1"):
        assert "NO_STATUS" in run(backlog, *dead, "--for", seconds, *end, code=1).stdout
    assert "NO_STATUS" in run(backlog, "--session", "OPS", "--for", "0", *end, code=1).stdout  # no endpoints.json


def test_options_under_which_it_would_watch_nothing(backlog: Path, tmp_path: Path) -> None:
    assert "ends at command 60" in run(backlog, "--after", "61", "--for", "0", code=2).stderr
    run(backlog, "--after", "60", "--for", "0")
    who = ("--for", "0", "--session", "OPS")
    for address in ("foo", "tcp://foo", "tcp://foo:bar"):
        assert "address" in run(backlog, *who, "--connect", address, code=2).stderr
    missing = str(tmp_path / "NOBODY.secret")
    assert missing in run(backlog, *who, "--key", missing, code=2).stderr
    assert missing in run(backlog, *who, "--key", missing, "--connect", "tcp://127.0.0.1:9", code=2).stderr
    assert "--session" in run(backlog, "--for", "0", "--connect", f"ipc://{backlog}/s", code=2).stderr


def test_who_asks(tmp_path: Path) -> None:
    """A stranger is refused, loudly; a trader is told what it does not see; an operator has nothing to be told."""
    served = config(tmp_path)
    with background(served), local(served, "BETA"):
        data = Path(served.data)
        end = ("--for", "0", "--fail-on", "warning")
        found = run(data, "--session", "NOPE", *end, code=1).stdout
        assert "CRITICAL  NO_STATUS" in found and "UNKNOWN_SESSION" in found
        found = run(data, "--session", "ALPHA", *end, code=1).stdout
        assert "WARNING   NOT_OPERATOR" in found and "ALPHA" in found
        found = run(data, "--session", "OPS", "--for", "0").stdout
        assert "NOT_OPERATOR" not in found and "NO_STATUS" not in found


def test_a_server_that_freezes_twice(tmp_path: Path) -> None:
    """Told within a minute again, each time with its end; the monitor's own lost session is no news."""
    opening = (*PLAIN_OPENING, OpenSession(0, "MONITOR", int(Role.OPERATOR)))
    served = config(tmp_path, opening=opening)
    with (
        server_process(tmp_path, served) as server,
        monitor("--data", served.data, "--session", "MONITOR", "--timeout", "0.5") as watching,
    ):
        watching.until("STARTED")
        for _ in range(2):
            server.process.send_signal(signal.SIGSTOP)
            began = time.time_ns()
            found = watching.until("NO_STATUS", never="SESSION_LOST")
            assert 0 <= found["time"] - began <= BOUND * 1e9
            assert "client orders" not in found["text"]
            server.process.send_signal(signal.SIGCONT)
            watching.until("STATUS_BACK", never="SESSION_LOST")
