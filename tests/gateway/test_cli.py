"""The command line as a whole: help, version, late imports, errors as sentences with an exit code."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner, Result

from gateway.cli import COMMANDS, cli

OWN = [name for name in COMMANDS if name != "demo"]


def run(*arguments: str, **options) -> Result:
    return CliRunner().invoke(cli, arguments, prog_name="carbonbook", **options)


def commands(group: click.Command, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    """Every command below, with the words that lead to it."""
    found = [(path, group)]
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            if path or name in OWN:
                found += commands(group.get_command(context, name), (*path, name))
    return found


ALL = commands(cli)


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) or "carbonbook" for path, _ in ALL])
def test_help_everywhere_with_an_example(path, command):
    result = run(*path, "--help")
    assert result.exit_code == 0
    assert "Usage: carbonbook" in result.stdout
    if not isinstance(command, click.Group):
        assert f"carbonbook {' '.join(path)}" in (command.help or ""), "no example"
        assert "--json" in result.stdout


def test_the_root_names_every_command_and_exit_code():
    text = run("--help").stdout
    assert all(name in text for name in (*COMMANDS, "bench"))
    assert all(f"  {code}  " in text for code in range(9))


def test_version():
    result = run("--version")
    assert (result.exit_code, result.stdout.split()[0]) == (0, "carbonbook")


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


def loaded_after(*arguments: str) -> set[str]:
    """Names of the modules that one call of the command line leaves loaded."""
    code = f"import sys; from gateway.cli import main; main({list(arguments)!r}); print(' '.join(sys.modules))"
    return set(python(code).stdout.splitlines()[-1].split())


def test_help_loads_nothing_heavy():
    assert not loaded_after("--help") & {"numpy", "zmq", "numba", "rich", "msgspec", "engine", "replay"}


def test_a_client_command_does_not_load_the_kernel():
    options = ("--connect", "ipc:///nowhere/at/all", "--session", "A", "--timeout", "0.2")
    loaded = loaded_after("client", "orders", *options)
    assert "gateway.client" in loaded
    assert not {name for name in loaded if name.startswith(("engine.kernel", "engine.core", "numba"))}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nonsense",), "no command 'nonsense'; there are: serve"),
        (("journal", "nonsense"), "No such command"),
        (("--nonsense",), "No such option"),
        (("client", "place"), "Missing argument"),
        (("client", "place", "X1", "buy", "1"), "state a PRICE, or --market"),
        (("client", "place", "X1", "hold", "1", "2"), "'hold' is not one of"),
        (("client", "place", "X1", "buy", "0", "2"), "0 is not in the range"),
        (("client", "place", "X1", "buy", "many", "2"), "'many' is no whole number"),
        (("client", "place", "X1", "buy", str(2**63), "2"), f"{2**63} is not in the range"),
        (("client", "place", "X1", "buy", "1", "2", "--account", str(2**31)), f"{2**31} is not in the range"),
        (("client", "cancel", str(2**63)), f"{2**63} is not in the range"),
        (("client", "place", "X1", "buy", "1", "NaN"), "'NaN' is no price"),
        (("client", "place", "X1", "buy", "1", "-5"), "-5 was read as an option; for a number below 0 write --"),
        (("client", "replace", "1"), "state what to change: --lots, --price, --stop"),
        (("client", "place", "X1", "buy", "9", "--market", "--shown", "2"), "--shown is for limit orders"),
        (("client", "place", "X1", "buy", "9", "7", "--tif", "ioc", "--good-till", "2025-08-29"), "leave --tif out"),
        (("client", "place", "X1", "buy", "9", "7", "--tif", "gtd"), "needs its last trading date"),
        (("client", "place", "X1", "buy", "9", "7", "--good-till", "tomorrow"), "write YYYY-MM-DD"),
        (("client", "quote", "EUA"), "state --bid LOTS PRICE"),
        (("client", "quote", "EUA", "--bid", "5", "70", "--withdraw"), "--withdraw alone"),
        (("client", "orders", "--connect", "http://x", "--session", "A"), "is no address"),
        (("client", "orders", "--connect", "tcp://127.0.0.1:1"), "tcp needs your key"),
        (("client", "orders", "--connect", "ipc:///x"), "say who you are"),
        (("keys", "new", "ALPHA"), "a trader belongs to a firm"),
        (("serve", "--rate", "0"), "0 is not in the range"),
        (("operate", "cash", "1", "CNY", "x", "--connect", "ipc:///x"), "is no amount"),
        (("operate", "cash", "1", "CNY", "0.001", "--connect", "ipc:///x"), "at most two decimals"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_command_lines(arguments, says):
    result = run(*arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.output
    assert not result.stdout


def test_errors_in_json():
    result = run("client", "orders", "--data", "/nowhere", "--json")
    error = json.loads(result.stderr)["error"]
    assert (result.exit_code, error["exit_code"]) == (1, 1)
    assert "carbonbook serve" in error["text"]


def test_a_program_error_is_one_sentence(monkeypatch):
    monkeypatch.setattr("gateway.commands.venue._find", lambda _: 1 / 0)
    result = run("venue", "show", "plain")
    assert result.exit_code == 1
    assert "internal error: ZeroDivisionError" in result.stderr
    assert "CARBONBOOK_TRACEBACK" in result.stderr


def test_a_missing_part_is_said(monkeypatch):
    monkeypatch.setitem(COMMANDS, "demo", ("gateway.no_such_room:demo", "A demonstration."))
    result = run("demo")
    assert result.exit_code == 1
    assert "demo: not part of this installation" in result.stderr


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    command = f"{sys.executable} -m gateway.cli venue show seee | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.startswith("seee:")
    assert not done.stderr
