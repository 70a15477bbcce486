"""`carbonbook journal` and `carbonbook replay` on sound, rotten and false journals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.core import Engine
from engine.venue import Venue
from gateway.cli import cli
from tests.gateway import journals


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(cli, [str(a) for a in arguments], prog_name="carbonbook")
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A data folder with a journal in it."""
    journals.write(tmp_path / "data" / "journal")
    return tmp_path / "data"


def lines(result: Result) -> list[dict]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


# --- journal ----------------------------------------------------------------------------------------------------------


def test_ls(journal):
    found = lines(run("journal", "ls", journal, "--json"))[0]
    segment = found["segments"][0]
    assert (found["venue"], segment["commands"], segment["batches"]) == ("plain", 20, journals.BATCHES + 1)
    assert segment["first_time"] == journals.START
    text = run("journal", "ls", journal / "journal").stdout
    assert "segment-00000001" in text
    assert "2025-08-11 01:33:20" in text


def test_dump(journal):
    records = lines(run("journal", "dump", journal, "--json"))
    assert journals.sequences(records) == list(range(1, 21))
    assert {record["kind"] for record in records if record["record"] == "event"} == {"ACCEPTED", "TRADE"}
    part = lines(run("journal", "dump", journal, "--first", 5, "--last", 7, "--json"))
    assert journals.sequences(part) == [5, 6, 7]
    trades = run("journal", "dump", journal, "--kind", "trade").stdout.splitlines()
    assert trades
    assert all("TRADE sell X1 4 @ 70.0" in line for line in trades)
    assert "NEW_ORDER buy X1 10 @ 70.00" in run("journal", "dump", journal, "--last", 1).stdout


def test_dump_says_what_is_wrong(journal):
    result = run("journal", "dump", journal, "--first", 5, "--last", 4)
    assert (result.exit_code, "is below --first" in result.stderr) == (2, True)
    result = run("journal", "dump", journal, "--kind", "NOTHING")
    assert (result.exit_code, "no kind of record" in result.stderr) == (2, True)


def test_verify_bytes(journal):
    found = lines(run("journal", "verify", journal, "--json"))[0]
    assert (found["result"], found["commands"], found["notes"]) == ("intact", 20, journals.BATCHES + 1)
    assert "INTACT" in run("journal", "verify", journal).stdout


def test_a_flipped_byte_is_3_everywhere(journal):
    journals.flip_in_commands(journal / "journal")
    for command in (("journal", "verify"), ("replay", "verify", "--implementation", "reference"), ("journal", "ls")):
        result = run(*command, journal)
        assert result.exit_code == 3, command
        assert "CORRUPT" in result.stderr
        assert "segment-00000001" in result.stderr
        assert "restore this file" in result.stderr
    error = json.loads(run("journal", "verify", journal, "--json").stderr)["error"]
    assert (error["batch"], error["file"], error["exit_code"]) == (2, "segment-00000001", 3)


@pytest.mark.parametrize("name", ["genesis", "segment-00000001"])
def test_a_flipped_byte_in_a_header_is_3(journal, name):
    journals.flip(journal / "journal" / name, 100)
    result = run("journal", "verify", journal)
    assert (result.exit_code, "CORRUPT" in result.stderr) == (3, True)


def test_a_genesis_with_a_venue_that_cannot_be_used_is_3(journal, monkeypatch):
    path = journal / "journal" / "genesis"
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    result = run("replay", "verify", journal, "--implementation", "reference")
    assert (result.exit_code, "genesis" in result.stderr) == (3, True)


def test_a_missing_journal_is_2(tmp_path):
    for command in (
        ("journal", "ls"),
        ("journal", "dump"),
        ("journal", "verify"),
        ("replay", "verify"),
        ("replay", "state"),
    ):
        for folder in (tmp_path, tmp_path / "none", Path(__file__)):
            result = run(*command, folder)
            assert result.exit_code == 2, (command, folder, result.output)
            assert result.stderr.startswith("carbonbook: ")


# --- replay -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("implementation", ["reference", "kernel"])
def test_replay_verify(journal, implementation):
    verdict = lines(run("replay", "verify", journal, "--implementation", implementation, "--json"))[0]
    assert (verdict["result"], verdict["commands"]) == ("intact", 20)
    assert "INTACT" in run("replay", "verify", journal, "--implementation", implementation).stdout


def test_replay_verify_with_jobs(journal):
    verdict = lines(run("replay", "verify", journal, "--jobs", 2, "--implementation", "reference", "--json"))[0]
    assert (verdict["result"], verdict["commands"]) == ("intact", 20)
    assert run("replay", "verify", journal, "--jobs", 0).exit_code == 2


@pytest.mark.parametrize("field", ["price", "remaining", "order_id"])
def test_false_events_are_4(tmp_path, field):
    journals.write(tmp_path / "j", false_field=field)
    assert run("journal", "verify", tmp_path / "j").exit_code == 0, "its bytes are what was written"
    result = run("replay", "verify", tmp_path / "j", "--implementation", "reference")
    assert result.exit_code == 4
    assert f"field {field}: the journal has" in result.stderr
    result = run("replay", "verify", tmp_path / "j", "--implementation", "reference", "--json")
    assert json.loads(result.stdout)["field"] == field
    assert json.loads(result.stderr)["error"]["exit_code"] == 4
    result = run("replay", "state", tmp_path / "j", "--implementation", "reference")
    assert (result.exit_code, "DIVERGED" in result.stderr) == (4, True)


@pytest.mark.parametrize("at", [0, 1, 6, 20])
def test_state_at_a_sequence(journal, at):
    options = ("--implementation", "reference", "--json")
    found = lines(run("replay", "state", journal, "--at", at, *options))[0]
    engine = Engine(Venue.preset("plain"), "reference")
    for batch in journals.orders():
        upto = batch[batch["sequence"] <= at]
        if len(upto):
            engine.apply_all(upto)
    assert found["digest"] == engine.digest().hex()
    assert found["command"] == at


def test_state_at_a_time(journal):
    options = ("--implementation", "reference", "--json")
    local = lines(run("replay", "state", journal, "--at", "2025-08-11T01:33:21.5", *options))[0]
    offset = lines(run("replay", "state", journal, "--at", "2025-08-11T09:33:21.5+08:00", *options))[0]
    assert local == offset
    assert local["command"] == 8
    book = local["instruments"][0]
    assert book["bids"][0] == {"price": "70.01", "quantity": 12, "orders": 1 + 1} or book["bids"]
    text = run("replay", "state", journal, "--at", 8, "--implementation", "reference").stdout
    assert "plain after command 8" in text
    assert "X1  CONTINUOUS" in text


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--at", "21"), "the journal ends at command 20"),
        (("--at", "yesterday"), "is no time; write one such as"),
        (("--at", "2020-01-01"), "the journal begins at 2025-08-11 01:33:20"),
        (("--account", "1"), "there are 0 accounts"),
        (("--account", "0"), "not in the range"),
    ],
)
def test_state_says_what_is_wrong(journal, options, says):
    result = run("replay", "state", journal, "--implementation", "reference", *options)
    assert (result.exit_code, says in result.stderr) == (2, True), result.stderr
