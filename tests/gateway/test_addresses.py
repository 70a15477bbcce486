"""Addresses as people write them: ports that are none are refused, where libzmq would take another port."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from gateway.addresses import check_tcp
from gateway.cli import cli
from gateway.config import Config
from gateway.feed.__main__ import FeedOptions, main
from gateway.feed.doors import snapshots_of
from gateway.security import create_server_keys, create_session_keys

pytestmark = pytest.mark.nojit
NO_PORT = ["tcp://127.0.0.1:65536", "tcp://127.0.0.1:99999", "tcp://127.0.0.1:-5", "tcp://h:99999999"]
NONE = [
    *NO_PORT,
    "foo",
    "tcp://:7001",
    "tcp://127.0.0.1",
    "tcp://127.0.0.1:",
    "tcp://h:70 01",
    "tcp://h:7001/x",
    "tcp://h:\u0663",
]


@pytest.mark.parametrize(
    ("endpoint", "port"),
    [("tcp://127.0.0.1:0", 0), ("tcp://*:7001", 7001), ("tcp://[::1]:65535", 65_535), ("tcp://eth0:1", 1)],
)
def test_addresses(endpoint: str, port: int) -> None:
    assert check_tcp(endpoint) == port
    assert Config(data="x", tcp=endpoint).tcp == endpoint


@pytest.mark.parametrize("endpoint", NONE)
def test_addresses_that_are_none(endpoint: str) -> None:
    for refused in (
        lambda: check_tcp(endpoint),
        lambda: Config(data="x", tcp=endpoint),
        lambda: Config(data="x", feed=endpoint),
        lambda: FeedOptions("x", tcp=endpoint),
        lambda: snapshots_of(endpoint),
    ):
        with pytest.raises(ValueError, match="is no address"):
            refused()


def test_the_feed_needs_the_next_port_too() -> None:
    last = "tcp://127.0.0.1:65535"
    for refused in (
        lambda: Config(data="x", feed=last),
        lambda: FeedOptions("x", tcp=last),
        lambda: snapshots_of(last),
        lambda: snapshots_of("tcp://127.0.0.1:0"),
    ):
        with pytest.raises(ValueError, match="to 65534"):
            refused()
    assert snapshots_of("tcp://127.0.0.1:65534") == "tcp://127.0.0.1:65535"
    assert Config(data="x", tcp=last, feed="tcp://127.0.0.1:0").feed
    assert FeedOptions("x", tcp="").tcp == ""


def test_options_of_the_process(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([msgspec.json.encode({"data": "x", "tcp": "tcp://h:99999"}).decode()]) == 2
    assert "is no address" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [*NO_PORT, "foo"])
@pytest.mark.parametrize(
    "command",
    [
        ("serve", "--tcp"),
        ("serve", "--feed"),
        ("feed", "--tcp"),
        ("client", "watch", "X1", "--key", "{}/A.secret", "--feed"),
        ("client", "orders", "--session", "A", "--connect"),
    ],
    ids=" ".join,
)
def test_on_the_command_line(tmp_path: Path, command: tuple[str, ...], wrong: str) -> None:
    """A wrong option ends with 2 before anything is made."""
    keys = tmp_path / "keys"
    create_server_keys(keys)
    create_session_keys(keys, "A", firm="A")
    data = tmp_path / "data"
    given: list[Any] = [part.format(keys) for part in command]
    result = CliRunner().invoke(cli, [*given, wrong, "--data", str(data)], prog_name="carbonbook")
    assert result.exit_code == 2 and "is no address" in result.stderr, result.output
    assert not data.exists()


def test_the_last_port_on_the_command_line(tmp_path: Path) -> None:
    for command in (("serve", "--feed"), ("feed", "--tcp")):
        given = [*command, "tcp://127.0.0.1:65535", "--data", str(tmp_path / "data")]
        result = CliRunner().invoke(cli, given, prog_name="carbonbook")
        assert result.exit_code == 2 and "0 to 65534" in result.stderr, result.output


def test_a_place_to_bind_is_none_to_connect_to(tmp_path: Path) -> None:
    create_server_keys(tmp_path)
    create_session_keys(tmp_path, "A", firm="A")
    given = ("client", "watch", "X1", "--key", str(tmp_path / "A.secret"), "--feed", "tcp://*:7003")
    result = CliRunner().invoke(cli, given, prog_name="carbonbook")
    assert result.exit_code == 1 and "socket: " in result.stderr, result.output
