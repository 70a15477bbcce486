"""A real `carbonbook serve` in a process of its own, traded with by `carbonbook client`, stopped by SIGTERM."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli import cli
from gateway.commands.serve import _market
from gateway.server import background
from tests.gateway.floors import floor_config, members
from tests.gateway.servers import LIMIT, free_port

AT = "2025-08-11T10:00:00+08:00"


class Serve:
    """`carbonbook serve`; its first line on stdout is JSON with --json."""

    def __init__(self, data: Path, *options: str, limit: float = LIMIT) -> None:
        command = [sys.executable, "-m", "gateway.cli", "serve", "--data", str(data), "--implementation", "reference"]
        self.process = subprocess.Popen(
            [*command, "--json", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._watchdog = threading.Timer(limit, self.process.kill)
        self._watchdog.start()
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        if not first:
            _, error = self.process.communicate(timeout=LIMIT)
            raise AssertionError(f"the server ended with {self.process.returncode}: {error}")
        self.facts: dict[str, Any] = json.loads(first)

    def stop(self, number: int = signal.SIGTERM) -> dict[str, Any]:
        self.process.send_signal(number)
        out, error = self.process.communicate(timeout=30)
        self._watchdog.cancel()
        assert self.process.returncode == 0, error
        return json.loads(out.splitlines()[-1])

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=30)
        self._watchdog.cancel()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "d"


@pytest.fixture
def server(data: Path) -> Iterator[Serve]:
    started = Serve(data, "--tcp", f"tcp://127.0.0.1:{free_port()}", "--start-at", AT)
    yield started
    started.kill()


def run(data: Path, *arguments: object, session: str = "ALPHA", code: int = 0) -> Result:
    words = [str(a) for a in arguments]
    # The options stand in front of a `--`, which ends them.
    at = words.index("--") if "--" in words else len(words)
    given = [*words[:at], "--data", str(data), "--session", session, *words[at:]]
    result = CliRunner().invoke(cli, given, prog_name="carbonbook")
    assert "Traceback" not in result.output
    assert result.exit_code == code, result.output
    return result


def ask(data: Path, *arguments: object, session: str = "ALPHA") -> Any:
    return json.loads(run(data, *arguments, "--json", session=session).stdout)


def test_a_life(data, server):
    """Start, trade, look, stop, start again, prove."""
    assert server.facts["created"] is True
    assert sorted(server.facts["sessions"]) == ["ALPHA", "BETA", "OPS"]
    bought = ask(data, "client", "place", "CEA24", "buy", 100, "73.20")
    assert (bought["status"], bought["remaining"]) == ("live", 100)
    sold = ask(data, "client", "place", "CEA24", "sell", 40, "73.10", session="BETA")
    assert (sold["status"], sold["filled"], sold["average_price"]) == ("filled", 40, "73.20")
    assert ask(data, "client", "orders")[0]["remaining"] == 60
    assert ask(data, "client", "book", "CEA24")["bids"] == [{"price": "73.20", "quantity": 60, "orders": 1}]
    fills = run(data, "client", "watch", "--after", 0, "--for", 0.5, "--kind", "TRADE", "--json").stdout.splitlines()
    assert [json.loads(line)["quantity"] for line in fills] == [40]
    assert "TRADE buy CEA24 40 @ 73.20" in run(data, "client", "watch", "--after", 0, "--for", 0.5).stdout
    stopped = server.stop()
    assert stopped["stopped"] == 0

    again = Serve(data, "--tcp", f"tcp://127.0.0.1:{free_port()}")
    try:
        assert again.facts["created"] is False
        assert again.facts["command"] > stopped["command"]
        assert again.facts["journal_time"] < server.facts["journal_time"] + 3600 * 10**9, "stays on its own time"
        assert ask(data, "client", "orders")[0]["remaining"] == 60
        assert ask(data, "client", "account")["holdings"][4] == {
            "asset": "CEA24",
            "free": 100_000,
            "locked": 0,
            "bought_today": 40,
        }
    finally:
        again.kill()  # not a clean stop: a crash

    for verb in (("journal", "verify"), ("replay", "verify", "--implementation", "reference")):
        result = CliRunner().invoke(cli, [*verb, str(data)], prog_name="carbonbook")
        assert result.exit_code == 0, result.output


def test_client_commands(data, server):
    order = ask(data, "client", "place", "CEA24", "buy", 10, "73")["order_id"]
    assert ask(data, "client", "replace", order, "--lots", 8)["kept_priority"] is True
    assert ask(data, "client", "replace", order, "--price", "73.05")["price"] == "73.05"
    assert ask(data, "client", "take", order, "CEA24", "sell", 3, "73.05", session="BETA")["filled"] == 3
    assert "5 lots were left" in run(data, "client", "cancel", order).stdout
    for price in ("72.50", "72.60"):
        run(data, "client", "place", "CEA24", "buy", 1, price)
    assert ask(data, "client", "mass-cancel", "--instrument", "CEA24", "--side", "buy")["cancelled"] == 2
    assert "no live orders" in run(data, "client", "orders").stdout
    assert "expired" in run(data, "client", "place", "CEA23", "sell", 1, "--market", session="BETA").stdout
    for look in (("book", "CEA24"), ("day",), ("day", "CEA24"), ("account",), ("account", 1)):
        assert run(data, "client", *look).stdout
        assert run(data, "client", *look, "--json").stdout


@pytest.mark.parametrize(
    ("arguments", "reason", "code"),
    [
        (("place", "CEA24", "buy", 1, "99"), "PRICE_ABOVE_LIMIT", 228),
        (("place", "CEA24", "buy", 1, "73.001"), "OFF_TICK", 220),
        (("place", "NOTHING", "buy", 1, "73"), "UNKNOWN_INSTRUMENT", 211),
        (("place", "CEA25", "buy", 1, "73"), "NOT_LISTED", 301),
        (("cancel", 999), "UNKNOWN_ORDER", 501),
        (("replace", 999, "--lots", 1), "UNKNOWN_ORDER", 501),
        (("account", 2), "UNKNOWN_ACCOUNT", 210),
    ],
)
def test_typed_refusals(data, shared, arguments, reason, code):
    result = run(shared, "client", *arguments, code=1)
    assert f"refused: {reason} ({code}): " in result.stderr
    error = json.loads(run(shared, "client", *arguments, "--json", code=1).stderr)["error"]
    assert (error["reason"], error["code"]) == (reason, code)


def test_an_unknown_session_is_refused(data, shared):
    result = run(shared, "client", "orders", "--connect", f"ipc://{shared}/orders.sock", session="NOBODY", code=1)
    assert "UNKNOWN_SESSION (101)" in result.stderr


def test_a_trader_may_not_operate(data, shared):
    assert "NOT_PERMITTED" in run(shared, "operate", "open-firm", "Gamma", code=1).stderr


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Iterator[Path]:
    """The data folder of a server that several tests ask, and none changes much."""
    folder = tmp_path_factory.mktemp("s") / "d"
    started = Serve(folder, "--tcp", "tcp://127.0.0.1:0", "--start-at", AT, limit=4 * LIMIT)
    yield folder
    started.kill()


def test_operate(data, server):
    def act(*arguments: object, code: int = 0) -> str:
        result = run(data, "operate", *arguments, session="OPS", code=code)
        return result.stdout + result.stderr

    assert "firm 3 opened: Gamma" in act("open-firm", "Gamma")
    assert "account 3 opened" in act("open-account", "Gamma", "main")
    assert "free now: 500,050 minor" in act("cash", 3, "CNY", "5000.50")
    assert "free now: 500,000 minor" in act("cash", "--", 3, "CNY", "-0.50")
    assert "INSUFFICIENT_FUNDS" in act("cash", "--", 3, "CNY", "-9999", code=1)
    assert "free now: 70" in act("units", 3, "CEA24", 70)
    assert "no 'CEA99' among" in act("units", 3, "CEA99", 70, code=2)
    assert "no firm 'Nobody'" in act("open-account", "Nobody", "main", code=1)
    assert "CEA24: HALT on trading date 2025-08-11" in act("phase", "HALT", "--instrument", "CEA24")
    assert "WRONG_PHASE" in run(data, "client", "place", "CEA24", "buy", 1, "73", code=1).stderr
    assert "CONTINUOUS" in act("phase", "continuous")
    assert "SUSPENDED" in act("suspend", 1)
    assert "ACCOUNT_SUSPENDED" in run(data, "client", "place", "CEA24", "buy", 1, "73", code=1).stderr
    act("suspend", 1, "--resume")
    act("end-session", 2)
    assert "is this key registered" in run(data, "client", "orders", "--timeout", 1, session="BETA", code=1).stderr
    act("end-day")
    assert len(list((data / "journal").glob("segment-*"))) == 2


def test_a_second_server_on_the_same_data_is_refused(data, server):
    done = serve_and_end(data, "--tcp", "tcp://127.0.0.1:0")
    assert done.returncode == 5
    assert f"{data}/journal" in done.stderr
    local = ("--connect", f"ipc://{data}/orders.sock")
    assert "no live orders" in run(data, "client", "orders", *local).stdout, "the first one goes on undisturbed"


def serve_and_end(data: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """A start that must fail."""
    command = [sys.executable, "-m", "gateway.cli", "serve", "--data", str(data), "--implementation", "reference"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=LIMIT, check=False)
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--venue", "nothing"), 1, "no preset 'nothing'"),
        (("--start-at", "monday"), 2, "write a time with its offset"),
        (("--tcp", "tcp://300.0.0.1:1"), 1, "socket"),
        (("--tcp", "nonsense"), 2, "is no address"),
        (("--ipc", "/tmp/" + "x" * 200), 1, "choose a shorter one"),
        (("--config", "/nowhere.toml"), 1, "/nowhere.toml"),
        (("--config", __file__), 2, "see gateway/config.py"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_starts_that_fail(data, options, code, says):
    done = serve_and_end(data, *options)
    assert (done.returncode, says in done.stderr) == (code, True), done.stderr


def test_a_port_in_use(tmp_path, shared):
    used = json.loads((shared / "endpoints.json").read_bytes())["tcp"]
    done = serve_and_end(tmp_path / "e", "--tcp", used)
    assert done.returncode == 1
    assert "another server" in done.stderr


def test_a_corrupt_journal_is_not_served(data, server):
    server.stop()
    segment = data / "journal" / "segment-00000001"
    content = bytearray(segment.read_bytes())
    content[3000] ^= 1
    segment.write_bytes(content)
    done = serve_and_end(data, "--tcp", "tcp://127.0.0.1:0")
    assert done.returncode == 3
    assert "Nothing was changed" in done.stderr


def test_interrupt_is_a_clean_stop(data, server):
    assert server.stop(signal.SIGINT)["stopped"] == 0


def test_a_start_without_options_and_for_people(tmp_path):
    """Zero configuration, but for a free port: other servers of this machine may use 7001."""
    command = [sys.executable, "-m", "gateway.cli", "serve", "--implementation", "reference"]
    process = subprocess.Popen(
        [*command, "--tcp", "tcp://127.0.0.1:0"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(LIMIT, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Ready"):
                break
        text = "".join(said)
        assert "practice firms" in text
        assert "New journal of venue seee in data/journal" in text
        assert "Listening on tcp://127.0.0.1:" in text
        hint = next(line for line in said if line.startswith("Try: carbonbook "))
        tried = subprocess.run(
            [sys.executable, "-m", "gateway.cli", *hint.split()[2:]],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        # In real time the market may be closed; the command line itself must be right.
        assert tried.returncode in (0, 1), tried.stderr
        assert tried.returncode == 0 or "refused: " in tried.stderr
        process.send_signal(signal.SIGTERM)
        assert "Sealed after command" in process.communicate(timeout=30)[0]
        assert process.returncode == 0
    finally:
        watchdog.cancel()
        if process.poll() is None:
            process.kill()
            process.communicate(timeout=30)
    assert (tmp_path / "data" / "keys" / "ALPHA.secret").exists()


def test_the_example_to_practise_with_is_the_venues_own(tmp_path):
    """A Sunday at the KRX: its own venue, and five seconds before Monday's opening there."""
    with background(floor_config(tmp_path, "krx", "2025-08-10T09:30:00+09:00", members(1))) as server:
        assert _market(server).endswith(
            "carbonbook serve --data FOLDER --venue krx --start-at 2025-08-11T09:59:55+09:00"
        )
