"""What the documents show is true: their Python runs and prints what they say, their commands exist and work."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from gateway.cli import COMMANDS, cli
from tests.gateway.servers import LIMIT, free_port

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(path: Path) -> list[tuple[str, str, str]]:
    """(language, mark, text) of each fenced block, in order."""
    return [(m[1], m[2] or "", m[3]) for m in FENCE.finditer(path.read_text("utf-8"))]


def examples() -> list[tuple[str, str, str]]:
    """(name, code, what it prints) of every Python block marked `test`."""
    found = []
    for path in DOCUMENTS:
        here = blocks(path)
        for index, (language, mark, text) in enumerate(here):
            if (language, mark) == ("python", "test"):
                after = here[index + 1] if index + 1 < len(here) else ("", "", "")
                found.append((f"{path.name}-{index}", text, after[2] if after[0] == "text" else ""))
    return found


EXAMPLES = examples()
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "CARBONBOOK_IMPLEMENTATION": "reference",
}


def test_there_are_examples():
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize(("code", "prints"), [e[1:] for e in EXAMPLES], ids=[e[0] for e in EXAMPLES])
def test_python_runs_and_prints_what_is_shown(code, prints, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == prints


def command_lines() -> list[tuple[str, str]]:
    """Every `carbonbook ...` in a shell block of a document, and in the examples of `--help`."""
    found = []
    for path in DOCUMENTS:
        for language, _, text in blocks(path):
            if language == "sh":
                found += [(path.name, line) for line in text.splitlines() if line.startswith("carbonbook ")]
    for name in COMMANDS:
        found += _help_examples(name)
    return found


def _help_examples(name: str) -> list[tuple[str, str]]:
    if name == "demo":
        return []
    found, waiting = [], [cli.get_command(click.Context(cli), name)]
    for command in waiting:
        lines = [line.strip() for line in (command.help or "").splitlines()]
        found += [("help", re.sub(r"   +.*", "", line)) for line in lines if line.startswith("carbonbook ")]
        waiting += command.commands.values() if isinstance(command, click.Group) else []
    return found


@pytest.mark.parametrize(("where", "line"), command_lines(), ids=lambda value: value[:60])
def test_every_command_shown_exists_with_its_options(where, line):
    words = shlex.split(line, comments=True)[1:]
    command: click.Command = cli
    context = click.Context(cli, info_name="carbonbook")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name = words.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"{where}: no command {name}"
        command = found
    if name not in ("demo", "bench"):
        command.make_context(name, words, parent=context)


def shell(mark: str) -> str:
    found = [text for language, m, text in blocks(ROOT / "README.md") if (language, m) == ("sh", mark)]
    assert len(found) == 1, mark
    return found[0]


def bash(script: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-ec", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False
    )


class Venue:
    """The README's server command, run as it stands but for the port and the slow compiler."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._log = folder / "serve.log"
        with self._log.open("w") as log:
            command = ["bash", "-c", f"exec {shell('server').strip()}"]
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + LIMIT
        while "Ready" not in self._log.read_text():
            assert self.process.poll() is None and time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0, self._log.read_text()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)


def test_ten_minutes_with_the_readme(tmp_path):
    """Its blocks in order: a venue, two firms, a refusal, a third firm after a restart, an analyst."""
    environment = {**ENVIRONMENT, "CARBONBOOK_TCP": f"tcp://127.0.0.1:{free_port()}", "PYTHONUNBUFFERED": "1"}
    environment.pop("CARBONBOOK_DATA", None)
    shown = [text for language, _, text in blocks(ROOT / "README.md") if language == "text"]
    venue = Venue(tmp_path, environment)
    try:
        firm = bash(shell("firm"), tmp_path, environment)
        assert firm.returncode == 0, firm.stderr
        assert firm.stdout.startswith(shown[0])
        assert "1 order cancelled" in firm.stdout
        environment["CARBONBOOK_DATA"] = "practice"
        refused = bash(shell("refused"), tmp_path, environment)
        assert (refused.returncode, refused.stderr) == (1, shown[1])
        assert bash(shell("own"), tmp_path, environment).returncode == 0
        venue.stop()
        venue = Venue(tmp_path, environment)
        operator = bash(shell("operator"), tmp_path, environment)
        assert operator.returncode == 0, operator.stderr
        assert "order 3: live" in operator.stdout
        for _ in range(2):  # beside the running server, and after it
            analyst = bash(shell("analyst"), tmp_path, environment)
            assert analyst.returncode == 0, analyst.stderr
            assert "TRADE sell CEA24 40 @ 73.20" in analyst.stdout
            if venue.process.poll() is None:
                venue.stop()
    finally:
        venue.end()
