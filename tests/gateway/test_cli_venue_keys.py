"""`carbonbook venue` and `carbonbook keys`."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import cli


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(cli, [str(a) for a in arguments], prog_name="carbonbook")
    assert "Traceback" not in result.output
    return result


GOOD = 'name = "mine"\nprefunded = false\n[[instruments]]\nsymbol = "A"\nfloor = "1"\nceiling = "9"\n'


def test_show_explains_the_preset():
    text = run("venue", "show", "seee").stdout
    for words in (
        "best 5 levels",
        "Asia/Shanghai",
        "09:30:00  CONTINUOUS",
        "+-10 %",
        "T+1",
        "CEA24",
        "2021-06-22",
        "09:00:00 to 15:30:00",
    ):
        assert words in text
    assert "Accounts of one firm: at most 1" in text and "surrender by 2026-12-31" in text
    plain = run("venue", "show", "wuhan-credits").stdout
    assert "Accounts of one firm: any number" in plain and "asked for at any time" in plain
    assert json.loads(run("venue", "show", "seee", "--json").stdout)["name"] == "seee"


def test_show_and_check_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("# After nobody's rules.\n" + GOOD)
    assert "After nobody's rules." in run("venue", "show", path).stdout
    assert run("venue", "check", path).exit_code == 0
    assert json.loads(run("venue", "check", path, "--json").stdout)["ok"] is True


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD.replace('"1"', "1.5"), "binary fraction"),
        (GOOD + "tik = 1\n", "unknown key; did you mean `tick`"),
        (GOOD.replace('ceiling = "9"\n', ""), "ceiling`: missing"),
        ("name = ", "not valid TOML"),
        (GOOD.replace('"9"', '"0.5"'), "out of range"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_check_says_what_is_wrong(tmp_path, text, says):
    path = tmp_path / "bad.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    result = run("venue", "check", path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert says in result.stderr
    assert str(path) in result.stderr


@pytest.mark.parametrize("name", ["nothing", "./nothing.toml"])
def test_an_unknown_venue(name):
    result = run("venue", "show", name)
    assert (result.exit_code, "nothing" in result.stderr) == (1, True)


def test_keys_new_and_list(tmp_path: Path):
    keys = tmp_path / "keys"
    assert run("keys", "new", "ALPHA", "--firm", "Alpha Power", "--keys", keys).exit_code == 0
    assert run("keys", "new", "OPS", "--role", "operator", "--keys", keys, "--json").exit_code == 0
    assert stat.S_IMODE((keys / "ALPHA.secret").stat().st_mode) == 0o400
    secret = (keys / "ALPHA.secret").read_text().strip()
    listed = run("keys", "list", "--keys", keys)
    found = json.loads(run("keys", "list", "--keys", keys, "--json").stdout)
    assert secret not in listed.output + json.dumps(found)
    assert [(s["name"], s["firm"], s["role"]) for s in found["sessions"]] == [
        ("ALPHA", "Alpha Power", "trader"),
        ("OPS", found["sessions"][1]["firm"], "operator"),
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("new", "ALPHA", "--firm", "Alpha"), "exists; move it away first"),
        (("new", "a/b", "--firm", "Alpha"), "use letters"),
        (("new", "B", "--firm", "\x1b[31m"), "use letters"),
        (("new", "server", "--firm", "Alpha"), "cannot be called"),
    ],
)
def test_keys_says_what_is_wrong(tmp_path, arguments, says):
    keys = tmp_path / "keys"
    run("keys", "new", "ALPHA", "--firm", "Alpha", "--keys", keys)
    result = run("keys", *arguments, "--keys", keys)
    assert (result.exit_code, result.stdout) == (1, "")
    assert says in result.stderr


def test_keys_list_says_what_is_wrong(tmp_path):
    assert "no such folder" in run("keys", "list", "--keys", tmp_path / "none").stderr
    (tmp_path / "sessions").mkdir()
    (tmp_path / "sessions" / "X.pub").write_text("{}")
    result = run("keys", "list", "--keys", tmp_path)
    assert (result.exit_code, "X.pub" in result.stderr) == (1, True)
