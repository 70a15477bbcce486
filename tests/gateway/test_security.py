"""Who gets in: keys, authentication, files, the self-test."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from engine.schema import Reason
from gateway import wire
from gateway.client import Client
from gateway.errors import Disconnected, SessionRefused
from gateway.security import (
    SecurityError,
    create_server_keys,
    create_session_keys,
    read_secret,
    read_server_public,
    require_refusal,
)
from gateway.server import Server, background
from gateway.wire import FrameType
from tests.gateway.builders import limit
from tests.gateway.servers import RawClient, ServerProcess, config


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    create_session_keys(folder, "ALPHA", firm="Alpha")
    create_session_keys(folder, "BETA", firm="Beta")
    create_session_keys(folder, "OPS", firm="Venue", role="operator")
    return folder


@pytest.fixture
def server(tmp_path: Path, keys: Path) -> Iterator[Server]:
    with background(config(tmp_path, tcp="tcp://127.0.0.1:0", keys=str(keys), opening=())) as running:
        yield running


def test_registered_keys_trade_over_tcp(server: Server, keys: Path) -> None:
    with Client(server.endpoint, secret=keys / "ALPHA.secret", server=keys / "server.pub") as alpha:
        assert (alpha.logon.name, alpha.logon.session) == ("ALPHA", 1)
        assert alpha.place("X1", "buy", 1, "70.00").wait().order_id == 1


def refused(server: Server, **options: object) -> None:
    """Whatever is sent, nothing comes back and nothing arrives."""
    before = server.exchange.command_sequence
    with RawClient(server.endpoint, **options) as stranger:
        stranger.socket.send(wire.pack(FrameType.LOGON, wire.Logon("ALPHA")))
        with pytest.raises(TimeoutError):
            stranger.receive(0.7)
    assert server.exchange.command_sequence == before
    assert server.service.counters["logons"] == 0


def test_an_unregistered_key_is_refused(server: Server) -> None:
    public, secret = zmq.curve_keypair()
    refused(server, curve_publickey=public, curve_secretkey=secret, curve_serverkey=server.public_key.encode())


def test_a_wrong_server_key_is_refused(server: Server, keys: Path) -> None:
    pair = read_secret(keys / "ALPHA.secret")
    other, _ = zmq.curve_keypair()
    refused(server, curve_publickey=pair.public, curve_secretkey=pair.secret, curve_serverkey=other)


def test_somebodys_public_key_without_its_secret_is_refused(server: Server, keys: Path) -> None:
    pair = read_secret(keys / "ALPHA.secret")
    _, secret = zmq.curve_keypair()
    refused(server, curve_publickey=pair.public, curve_secretkey=secret, curve_serverkey=server.public_key.encode())


def test_no_key_and_passwords_are_refused_on_tcp(server: Server) -> None:
    refused(server)
    refused(server, plain_username=b"ALPHA", plain_password=b"x")


def test_a_key_cannot_name_another_session(server: Server, keys: Path) -> None:
    with pytest.raises(SessionRefused) as caught:
        Client(server.endpoint, secret=keys / "ALPHA.secret", server=keys / "server.pub", session="BETA")
    assert caught.value.reason == Reason.UNKNOWN_SESSION


def test_the_client_says_what_to_check(server: Server, tmp_path: Path, keys: Path) -> None:
    create_session_keys(tmp_path / "other", "ALPHA")
    with pytest.raises(Disconnected, match="is this key registered"):
        Client(server.endpoint, secret=tmp_path / "other/ALPHA.secret", server=keys / "server.pub", timeout=0.7)


def test_garbage_on_the_port_disturbs_nobody(server: Server, keys: Path) -> None:
    import socket

    host, port = server.endpoint.removeprefix("tcp://").split(":")
    for _ in range(50):
        with socket.create_connection((host, int(port))) as raw:
            raw.sendall(os.urandom(100))
    with Client(server.endpoint, secret=keys / "ALPHA.secret", server=keys / "server.pub") as alpha:
        alpha.place("X1", "buy", 1, "70.00").wait()


def test_the_self_test_finds_an_open_door(tmp_path: Path) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    pair = create_server_keys(tmp_path)
    door = context.socket(zmq.ROUTER)
    door.linger = 0
    door.curve_server, door.curve_publickey, door.curve_secretkey = True, pair.public, pair.secret
    door.bind("tcp://127.0.0.1:*")
    try:
        with pytest.raises(SecurityError, match="let a random key in"):
            require_refusal(context, door.getsockopt_string(zmq.LAST_ENDPOINT), pair.public, lambda: None)
    finally:
        door.close(0)
        context.term()


def test_secret_files_are_private(tmp_path: Path) -> None:
    create_session_keys(tmp_path, "ALPHA")
    path = tmp_path / "ALPHA.secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert "secret" not in repr(read_secret(path)).lower()
    path.chmod(0o440)
    with pytest.raises(SecurityError, match="chmod 0400"):
        read_secret(path)
    with pytest.raises(SecurityError, match="exists"):
        create_session_keys(tmp_path, "ALPHA")
    with pytest.raises(SecurityError, match="use letters"):
        create_session_keys(tmp_path, "../evil")
    with pytest.raises(SecurityError, match="holds no CURVE public key"):
        read_server_public(tmp_path / "sessions" / "ALPHA.pub")


def test_a_readable_server_key_stops_the_start(tmp_path: Path, keys: Path) -> None:
    create_server_keys(keys)
    (keys / "server.secret").chmod(0o644)
    process = ServerProcess(tmp_path, config(tmp_path, keys=str(keys)))
    with pytest.raises(AssertionError, match="chmod 0400"):
        process.ready()
    assert process.process.wait(5) == 2


def test_the_local_sockets_are_private(server: Server) -> None:
    for endpoint in (server.config.ipc_endpoint, server.config.wake_endpoint):
        assert stat.S_IMODE(Path(endpoint.removeprefix("ipc://")).stat().st_mode) == 0o600


def test_keys_survive_a_restart_from_the_journal_alone(tmp_path: Path, keys: Path) -> None:
    served = config(tmp_path, tcp="tcp://127.0.0.1:0", keys=str(keys), opening=())
    with background(served):
        pass
    for path in (keys / "sessions").iterdir():
        path.unlink()
    with (
        background(served) as again,
        Client(again.endpoint, secret=keys / "BETA.secret", server=keys / "server.pub") as beta,
    ):
        assert beta.logon.name == "BETA"


def test_commands_are_the_sessions_own(server: Server, keys: Path) -> None:
    """The gateway writes session and actor, whatever a frame says; a firm sends 64 bytes and no more."""
    with Client(server.endpoint, secret=keys / "BETA.secret", server=keys / "server.pub") as beta:
        forged = limit(1)
        forged["session"], forged["actor"] = 1, 1
        beta.submit(forged)
        assert beta.poll(2.0)["session"].tolist() == [2]
