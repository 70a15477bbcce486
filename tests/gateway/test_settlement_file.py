"""`carbonbook replay settlement`, and the acknowledgement that names the file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.control import AcknowledgeSettlement
from gateway.cli import cli
from gateway.server import background
from tests.engine.builders import seee
from tests.gateway.halls import Terminal, afternoon
from tests.gateway.servers import local
from tests.replay.diary import TODAY, Diary
from tests.replay.test_settlement import FEE, full_day

pytestmark = pytest.mark.nojit


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, [str(a) for a in arguments], prog_name="carbonbook")
    assert "Traceback" not in result.output
    assert result.exit_code == code, result.output
    return result


def test_the_file_and_its_answers(tmp_path: Path) -> None:
    folder, path = tmp_path / "data" / "journal", tmp_path / "settlement.csv"
    command = ("replay", "settlement", tmp_path / "data", "--date", "2025-08-11")
    with Diary(folder, seee(FEE)) as diary:
        full_day(diary)
        assert "NOT FINAL" in run(*command).stdout
        for step in (diary.at("15:00:00").stop, diary.expire, diary.fix_close):
            step()
        found = json.loads(run(*command, "--csv", path, "--json").stdout)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert (found["sha256"], found["final"], found["acknowledged"]) == (digest, True, None)
        assert (found["trades"], found["busts"], found["lines"][0]["amount"]) == (5, 1, "73000.00")
        other = "0" * 64
        diary.say(AcknowledgeSettlement(TODAY, accepted=False, cause=f"sha256 {other}; line 3"))
        told = json.loads(run(*command, "--json").stdout)["acknowledged"]
        assert told == {"accepted": False, "sha256": other, "same_file": False}
        assert f"refused ANOTHER FILE, SHA-256 {other}" in run(*command).stdout
        diary.say(AcknowledgeSettlement(TODAY, cause=f"sha256 {digest}"))
        text = run(*command, "--csv", path).stdout
        assert text.splitlines()[-2:] == [f"SHA-256 {digest}  {path}", "registry: accepted this file"]
        assert "venue    CNY        21502.40" in text
        diary.say(AcknowledgeSettlement(TODAY))
        assert "registry: accepted, names no file" in run(*command).stdout
    assert "no trading day" in run(*command[:-1], "2025-08-12", code=1).stderr
    assert "is no date" in run(*command[:-1], "11.8.2025", code=2).stderr
    assert "cannot be written" in run(*command, "--csv", tmp_path / "no" / "file", code=1).stderr


def test_acknowledge_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    with (
        background(afternoon(tmp_path)) as server,
        local(server.config, "S1") as one,
        local(server.config, "S2") as two,
    ):
        ops = Terminal(server.config, "OPS", "operate")
        one.place("CEA24", "sell", 1_000, "73.00").wait()
        two.place("CEA24", "buy", 1_000, "73.00").wait()
        ops.run("end-day", "--no-settle")
        run("replay", "settlement", server.config.data, "--date", "2025-08-11", "--csv", path)
        path.write_bytes(path.read_bytes().replace(b"73000.00", b"73000.01"))
        assert "not the settlement file of 2025-08-11" in ops.refused("acknowledge", "--file", path)
        assert "cannot be read" in ops.refused("acknowledge", "--file", tmp_path / "none")
        run("replay", "settlement", server.config.data, "--date", "2025-08-11", "--csv", path)
        assert ops.says("acknowledge", "--file", path, "--cause", "batch 7") == "settlement of 2025-08-11: accepted"
        ops.run("settle")
    found = json.loads(run("replay", "settlement", tmp_path / "data", "--date", "2025-08-11", "--json").stdout)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert found["acknowledged"] == {"accepted": True, "sha256": digest, "same_file": True}
    notes = run("journal", "dump", tmp_path / "data", "--json").stdout
    assert f"sha256 {digest}; batch 7" in notes
