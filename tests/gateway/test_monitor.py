"""Alerts: each from its cause, on a real server within five seconds, and not again and again."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from engine.control import KillSwitch, OpenSession, SetLimit, SetPhase
from engine.schema import CommandKind as K
from engine.schema import KillScope, LimitKind, Phase, Role
from gateway.cli import cli
from gateway.errors import Rejected
from gateway.monitor.alerts import Alert, Bell
from gateway.monitor.journal_watch import JournalWatch
from gateway.monitor.status_watch import MachineWatch, StatusWatch
from gateway.monitor.thresholds import Thresholds, load_thresholds
from gateway.server import background
from gateway.wire_status import ClockStatus, SessionStatus, StatusData
from replay import Follower
from tests.engine.builders import seee
from tests.engine.further_floor import further
from tests.gateway.servers import LIMIT, PLAIN_OPENING, ServerProcess, config, local
from tests.replay.diary import TODAY, Diary

pytestmark = pytest.mark.nojit
BOUND = 5.0
"""Seconds from cause to alert: the regulation's own."""
GOOD = ClockStatus("within", 100_000, True, 10_000, 50_000, "none", 0)


class Monitor:
    """`carbonbook monitor --json` in a process of its own."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "gateway.cli", "monitor", "--json", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.watchdog = threading.Timer(LIMIT, self.process.kill)
        self.watchdog.start()

    def until(self, kind: str, never: str = "") -> dict[str, Any]:
        """The next alert of a kind, whatever comes before but `never`."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            found: dict[str, Any] = json.loads(line)
            assert found["kind"] != never, found
            if found["kind"] == kind:
                return found
        raise AssertionError(self.process.communicate())


@contextmanager
def monitor(*options: str) -> Iterator[Monitor]:
    made = Monitor(*options)
    try:
        yield made
    finally:
        made.watchdog.cancel()
        made.process.kill()
        made.process.communicate(timeout=LIMIT)


def test_alerts_within_five_seconds_of_their_cause(tmp_path: Path) -> None:
    """A real server and a monitor of its own session: kill switch, throttle, control, halt, server killed."""
    opening = (*PLAIN_OPENING, OpenSession(0, "MONITOR", int(Role.OPERATOR)))
    served = config(tmp_path, opening=opening, commands_per_second=5, burst=10, cancels_per_second=5, cancel_burst=10)
    server = ServerProcess(tmp_path, served).ready()
    thresholds = tmp_path / "thresholds.toml"
    thresholds.write_text("repeat_seconds = 0.5\nmalformed = 5\n")
    options = ("--data", served.data, "--session", "MONITOR", "--thresholds", str(thresholds))
    try:
        with monitor(*options) as watching, local(served) as alpha, local(served, "OPS") as ops:
            watching.until("STARTED")

            def raised(cause: Callable[[], object], kind: str) -> dict[str, Any]:
                began = time.time_ns()
                cause()
                found = watching.until(kind)
                assert 0 <= found["time"] - began <= BOUND * 1e9
                return found

            assert raised(lambda: ops.control(SetPhase(int(Phase.HALT), 0)), "HALT")["severity"] == "critical"
            ops.control(SetPhase(int(Phase.CONTINUOUS), 0))
            ops.control(SetLimit(int(LimitKind.ORDER_QUANTITY), 10))

            def too_many() -> None:
                with pytest.raises(Rejected):
                    alpha.place("X1", "buy", 11, "70.00").wait()

            found = raised(too_many, "CONTROL")
            assert "MAX_ORDER_QUANTITY" in found["text"] and found["instrument"] == "X1"

            def flood() -> None:
                with pytest.raises(Rejected):
                    for number in range(100):
                        alpha.place("X1", "buy", 1, f"60.{number:02}").wait()

            assert raised(flood, "THROTTLED")["value"] >= 1
            found = raised(lambda: ops.control(KillSwitch(int(KillScope.INSTRUMENT), instrument=1)), "KILL_SWITCH")
            assert found["severity"] == "critical" and "instrument X1 stopped" in found["text"]
            assert raised(server.kill, "SERVER_AWAY")["severity"] == "critical"
    finally:
        if server.process.poll() is None:
            server.kill()


class Watched:
    """A diary whose journal is watched; `alerts` gives what is new."""

    def __init__(self, folder: Path, venue: Any, **thresholds: Any) -> None:
        self.diary = Diary(folder / "journal", venue)
        self.follower = Follower(folder / "journal")
        settings = Thresholds(**thresholds)
        self.watch = JournalWatch(venue, settings, Bell(settings.repeat_seconds))

    def alerts(self) -> list[Alert]:
        return [alert for batch in self.follower.poll() for alert in self.watch.take(batch)]

    def kinds(self) -> list[str]:
        return [alert.kind for alert in self.alerts()]


def test_what_a_day_gives_reason_to_tell(tmp_path: Path) -> None:
    watched = Watched(tmp_path, seee())
    with watched.diary as day:
        day.accounts(3)
        day.open_day(TODAY)
        watched.alerts()
        limits = day.engine.state()["instruments"][0]
        up = int(limits["limit_up"])
        day.sell(up, 5, account=1)
        assert watched.kinds() == []
        day.buy(up, 5, account=2)
        assert watched.kinds() == ["AT_LIMIT"]
        day.buy(up + 1, 5, account=2)
        found = watched.alerts()
        assert [(alert.kind, alert.severity) for alert in found] == [("CONTROL", "warning")]
        assert "PRICE_ABOVE_LIMIT" in found[0].text
        day.buy(up + 1, 5, account=2)
        assert watched.kinds() == []  # held back
        day.send(K.KILL_SWITCH, side=0, scope=int(KillScope.ACCOUNT), account=2)
        assert watched.kinds() == ["KILL_SWITCH"]


def test_volatility_interruption(tmp_path: Path) -> None:
    watched = Watched(tmp_path, further({"corridor_dynamic_bps": 100}))
    with watched.diary as day:
        day.accounts(3)
        day.open_day(TODAY)
        day.sell(10_000, 5, account=1)
        day.buy(10_000, 5, account=2)
        day.sell(10_500, 5, account=1)
        assert watched.kinds() == []
        day.buy(10_500, 5, account=2)
        assert watched.kinds() == ["VOLATILITY_CALL"]


def test_rates(tmp_path: Path) -> None:
    watched = Watched(tmp_path, further(), commands_per_second=30, rejected_least=20, rejected_percent=40)
    with watched.diary as day:
        day.accounts(2)
        day.open_day(TODAY)
        for _ in range(20):
            day.buy(9_000, 1)
        watched.watch = JournalWatch(day.venue, Thresholds(commands_per_second=30, rejected_least=20), Bell(60))
        for _ in range(40):
            day.buy(9_000, 0)
        found = watched.alerts()
        assert [alert.kind for alert in found] == ["MESSAGE_RATE", "REJECTED_RATE"]
        assert found[0].value == 30


def test_the_past_is_remembered_and_not_told(tmp_path: Path) -> None:
    """Limits set before the monitor began hold; alerts of that time are not raised again."""
    watched = Watched(tmp_path, seee())
    with watched.diary as day:
        day.accounts(3)
        day.open_day(TODAY)
        up = int(day.engine.state()["instruments"][0]["limit_up"])
        day.sell(up, 9, account=1)
        day.buy(up, 5, account=2)
        watched.watch.is_quiet = True
        assert watched.alerts() == []
        watched.watch.is_quiet = False
        day.buy(up, 4, account=2)
        assert watched.kinds() == ["AT_LIMIT"]


def test_the_same_again_is_held_back_and_counted() -> None:
    now = [100.0]
    bell = Bell(60.0, lambda: now[0])
    assert [alert.held_back for alert in bell.ring("warning", "X", "text", 1)] == [0]
    now[0] += 59
    assert bell.ring("warning", "X", "text", 1) == [] and bell.ring("warning", "X", "text", 1) == []
    assert len(bell.ring("warning", "X", "text", 2)) == 1
    now[0] += 2
    assert [alert.held_back for alert in bell.ring("warning", "X", "text", 1)] == [2]
    assert bell.forget("X", 1) and not bell.forget("X", 1)
    assert len(bell.ring("warning", "X", "text", 1)) == 1


def status(throttled: int = 0, accepts: str = "orders", epoch: int = 1, clock: ClockStatus = GOOD, **more: int) -> Any:
    session = SessionStatus(1, "ALPHA", True, 0, 0, throttled, 0, 0, 0)
    return StatusData(accepts, epoch, 0, "sync", 0, 0, 0, 0, 0, (session,), tuple(more.items()), clock)


def test_the_servers_own_counts() -> None:
    watch = StatusWatch(Thresholds(), Bell(0))

    def kinds(answer: Any) -> list[str]:
        return [alert.kind for alert in watch.take(answer)]

    assert kinds(status(throttled=7, malformed=3)) == []  # before we looked
    assert kinds(status(throttled=7, malformed=3)) == []
    assert kinds(status(throttled=9, malformed=3)) == ["THROTTLED"]
    assert kinds(status(throttled=9, malformed=4)) == ["MALFORMED"]
    assert kinds(status(throttled=9, accepts="cancels", malformed=4)) == ["DRAINING"]
    assert kinds(status(throttled=9, malformed=4)) == ["ORDERS_TAKEN"]
    assert kinds(status(throttled=1, epoch=2)) == ["THROTTLED"]  # a new run counts from 0


@pytest.mark.parametrize(
    ("verdict", "severity"),
    [("unproven", "warning"), ("beyond", "critical"), ("unsynchronised", "critical"), ("unknown", "warning")],
)
def test_the_clock(verdict: str, severity: str) -> None:
    watch = StatusWatch(Thresholds(), Bell(60))
    bad = ClockStatus(verdict, 100_000, False, 250_000, 300_000, "none", 0)
    found = list(watch.take(status(clock=bad)))
    assert [(alert.kind, alert.severity) for alert in found] == [("CLOCK", severity)]
    assert list(watch.take(status(clock=bad))) == []
    assert [alert.kind for alert in watch.take(status())] == ["CLOCK_WITHIN"]
    assert list(watch.take(status(clock=ClockStatus("own time", 100_000, False, 0, 0, "unknown", 0)))) == []


def test_the_machine(tmp_path: Path) -> None:
    watch = MachineWatch(tmp_path, Thresholds(disk_free_mib=1, disk_free_critical_mib=0), Bell(60))
    assert list(watch.look()) == []
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / "endpoints.json").write_text(json.dumps({"pid": dead.pid}))
    (tmp_path / "feed.json").write_text(json.dumps({"pid": dead.pid}))
    assert [alert.kind for alert in watch.look()] == ["SERVER_AWAY", "FEED_AWAY"]
    (tmp_path / "endpoints.json").write_text(json.dumps({"pid": 1}))
    assert [alert.kind for alert in watch.look()] == ["SERVER_BACK"]
    full = MachineWatch(tmp_path, Thresholds(disk_free_mib=2**40, disk_free_critical_mib=2**39), Bell(60))
    assert next((alert.kind, alert.severity) for alert in full.look()) == ("DISK", "critical")
    assert [alert.kind for alert in full.behind(100_000)] == ["BEHIND"]
    assert list(full.behind(99_999)) == []


def test_on_the_command_line(tmp_path: Path) -> None:
    served = config(tmp_path)

    def run(*arguments: str, code: int = 0) -> Any:
        result = CliRunner().invoke(cli, ["monitor", *arguments, "--data", served.data], prog_name="carbonbook")
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    run("--for", "0", code=2)  # no journal yet
    with background(served), local(served, "OPS") as ops:
        ops.control(KillSwitch(int(KillScope.INSTRUMENT), instrument=1))
        begin = ("--after", "0", "--for", "0.3")
        assert "kill switch: instrument X1 stopped" in run(*begin).stdout
        assert "KILL_SWITCH" in run(*begin, "--fail-on", "critical", code=1).stdout
        new = run("--for", "0.3", "--fail-on", "warning").stdout
        assert "STARTED  watching from command" in new and len(new.splitlines()) == 1
    file = tmp_path / "t.toml"
    for text, fault in (("x = 1", "unknown field"), ("behind = 0", ">= 1"), ("=", "Invalid")):
        file.write_text(text)
        assert fault in run("--thresholds", str(file), code=2).stderr
    file.write_text("behind = 7")
    assert load_thresholds(file).behind == 7
