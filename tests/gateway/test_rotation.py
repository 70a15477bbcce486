"""New keys for old sessions, over CURVE: what is valid when, what a running server takes in, whom it cuts."""

from __future__ import annotations

import json
import signal
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.schema import DisconnectPolicy, Reason
from gateway.cli import cli
from gateway.client import Client
from gateway.config import Config
from gateway.errors import Disconnected, SessionRefused
from gateway.feed.keys import Subscribers
from gateway.security import SecurityError, create_session_keys, rotate_session_keys
from gateway.server import Server, background
from replay import JournalReader, NoteKind
from tests.gateway.servers import config, free_port, server_process


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    create_session_keys(folder, "ALPHA", firm="Alpha")
    create_session_keys(folder, "BETA", firm="Beta")
    return folder


@pytest.fixture
def served(tmp_path: Path, keys: Path) -> Config:
    return config(tmp_path, tcp=f"tcp://127.0.0.1:{free_port()}", keys=str(keys), opening=())


@pytest.fixture
def server(served: Config) -> Iterator[Server]:
    with background(served) as running:
        yield running


def connect(served: Config, keys: Path, secret: str = "ALPHA.secret", **options: object) -> Client:
    return Client(served.tcp, secret=keys / secret, server=keys / "server.pub", **options)  # type: ignore[arg-type]


def refused(served: Config, keys: Path, secret: str) -> bool:
    """Whether the handshake fails with this key."""
    try:
        connect(served, keys, secret, timeout=1.5).close()
    except Disconnected:
        return True
    return False


def until_reloaded(server: Server, key: str) -> None:
    server.reload_keys()
    deadline = time.monotonic() + 5
    while not server.registry.admits(key):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_both_keys_are_valid_until_the_next_start(served: Config, keys: Path) -> None:
    with background(served) as server:
        pair = rotate_session_keys(keys, "ALPHA")
        assert refused(served, keys, "ALPHA.secret")  # the server has not been told yet
        until_reloaded(server, pair.public.decode())
        with connect(served, keys) as new:
            assert (new.logon.name, new.logon.session) == ("ALPHA", 1)
        with connect(served, keys, "ALPHA.secret.before") as old:
            assert (old.logon.name, old.logon.session) == ("ALPHA", 1)
    with background(served):
        assert refused(served, keys, "ALPHA.secret.before")
        connect(served, keys).close()


def test_a_revoked_key_is_cut_and_refused(server: Server, served: Config, keys: Path) -> None:
    with connect(served, keys, policy=DisconnectPolicy.CANCEL_ALL) as old, connect(served, keys, "BETA.secret") as beta:
        old.place("X1", "buy", 1, "70.00").wait()
        old.poll()  # with nothing left of it, the next poll waits
        pair = rotate_session_keys(keys, "ALPHA", until=None)
        until_reloaded(server, pair.public.decode())
        with pytest.raises(SessionRefused) as caught:
            old.poll(3.0)
        assert caught.value.reason == Reason.SESSION_ENDED
        beta.place("X1", "sell", 1, "71.00").wait()  # others are not disturbed
    assert refused(served, keys, "ALPHA.secret.before")
    with connect(served, keys) as new:
        assert new.logon.session == 1
        assert new.open_orders() == []


def test_a_key_ends_at_its_moment(server: Server, served: Config, keys: Path) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    pair = rotate_session_keys(keys, "ALPHA", ends.isoformat())
    until_reloaded(server, pair.public.decode())
    with connect(served, keys, "ALPHA.secret.before") as old:
        with pytest.raises(SessionRefused) as caught:
            old.poll(6.0)
        assert caught.value.reason == Reason.SESSION_ENDED
    assert datetime.now(UTC) >= ends
    assert refused(served, keys, "ALPHA.secret.before")


def test_a_stated_moment_outlives_a_restart(served: Config, keys: Path) -> None:
    with background(served):
        pass
    rotate_session_keys(keys, "ALPHA", (datetime.now(UTC) + timedelta(hours=1)).isoformat())
    with background(served):
        connect(served, keys, "ALPHA.secret.before").close()
        connect(served, keys).close()


def test_sighup_takes_in_new_keys_and_new_sessions(tmp_path: Path, served: Config, keys: Path) -> None:
    with server_process(tmp_path, served) as server:
        rotated = run("rotate", "Alpha", "--keys", keys, "--json")
        assert json.loads(rotated.stdout)["sessions"][0]["name"] == "ALPHA"
        create_session_keys(keys, "GAMMA", firm="Gamma")
        server.process.send_signal(signal.SIGHUP)
        with connect(served, keys) as alpha, connect(served, keys, "GAMMA.secret") as gamma:
            assert (alpha.logon.session, gamma.logon.session) == (1, 3)
        (keys / "sessions" / "BETA.pub").write_text("{}")
        server.process.send_signal(signal.SIGHUP)
        assert not refused(served, keys, "BETA.secret")  # what cannot be read changes nothing
        assert server.stop() == 0
    assert any("Keys read again: 3 sessions" in line for line in server.lines)
    assert any("Keys not read again" in line and "BETA.pub" in line for line in server.lines)
    notes = [n for b in JournalReader(tmp_path / "data" / "journal").batches() for n in b.notes]
    public = json.loads((keys / "sessions" / "ALPHA.pub").read_text())["public_key"]
    assert any(note.kind == NoteKind.TEXT and public.encode() in note.body for note in notes)


def test_nobodys_key_can_be_taken_for_another_session(served: Config, keys: Path) -> None:
    with background(served):
        pass
    beta = json.loads((keys / "sessions" / "BETA.pub").read_text())["public_key"]
    alpha = json.loads((keys / "sessions" / "ALPHA.pub").read_text())
    (keys / "sessions" / "ALPHA.pub").write_text(json.dumps(alpha | {"public_key": beta}))
    said: list[str] = []
    with background(served, said.append):
        assert any("Key of ALPHA ignored" in line for line in said)
        with connect(served, keys, "BETA.secret") as client:
            assert client.logon.name == "BETA"


def test_rotating_keeps_secrets_private_and_says_what_is_wrong(tmp_path: Path, keys: Path) -> None:
    before = (keys / "ALPHA.secret").read_text()
    rotate_session_keys(keys, "ALPHA")
    rotate_session_keys(keys, "ALPHA")
    listed = json.loads(run("list", "--keys", keys, "--json").stdout)["sessions"][0]
    assert len(listed["previous"]) == 2
    assert before.strip() not in run("list", "--keys", keys).stdout
    for path in keys.glob("ALPHA.secret*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o400
    rotate_session_keys(keys, "ALPHA", until=None)
    assert json.loads(run("list", "--keys", keys, "--json").stdout)["sessions"][0]["previous"] == []
    for arguments, says in (
        (["NOBODY"], "no session 'NOBODY'"),
        (["ALPHA", "--until", "soon"], "write a time with its offset"),
        (["ALPHA", "--until", "2020-01-01T00:00:00+00:00"], "has passed"),
        (["ALPHA", "--until", "2099-01-01T00:00:00+00:00", "--revoke"], "either"),
    ):
        result = run("rotate", *arguments, "--keys", keys)
        assert (result.exit_code > 0, says in result.stderr) == (True, True)
    with pytest.raises(SecurityError):
        rotate_session_keys(tmp_path / "none", "ALPHA")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["keys", *(str(a) for a in arguments)], prog_name="carbonbook")


def test_the_feed_admits_what_the_server_admits(served: Config, keys: Path) -> None:
    """However often either starts; "until the next start" is over for good at the server's."""
    old, beta = (json.loads((keys / f"sessions/{name}.pub").read_bytes())["public_key"] for name in ("ALPHA", "BETA"))

    def feed() -> Subscribers:
        reader = JournalReader(Path(served.data) / "journal")
        return Subscribers(reader, keys, Path(served.data), pytest.fail)

    with background(served) as server:
        running = feed()
        new = rotate_session_keys(keys, "ALPHA").public.decode()
        until_reloaded(server, new)
        assert not running.look()
        for key in (old, new):
            assert server.registry.admits(key) and running.admits(key) and feed().admits(key)
    with background(served) as server:
        assert running.look()
        renewed = rotate_session_keys(keys, "BETA").public.decode()
        until_reloaded(server, renewed)
        assert not running.look()
        for subscribers in (server.registry, running, feed()):
            assert [subscribers.admits(key) for key in (old, new, beta, renewed)] == [False, True, True, True]
    (Path(served.data) / "endpoints.json").unlink()
    alone = feed()
    assert [alone.admits(key) for key in (old, new, beta, renewed)] == [False, True, False, True]
