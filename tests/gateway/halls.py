"""Servers of the SEEE preset in the afternoon, with what tests of blocks, auctions and the registry need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from gateway.cli import cli
from gateway.config import Config
from tests.gateway.servers import config, funded

AFTERNOON = "2025-08-11T13:05:00+08:00"
"""Listed trading and block trades are open; one-way bidding opens with its auctions."""


def afternoon(folder: Path, firms: int = 3, **changes: Any) -> Config:
    """Firms 1 to `firms`: account, session S1 ..., CNY 100,000,000.00, 1,000,000 t of CEA19-20 to CEA24 each; OPS."""
    values = {"venue": "seee", "opening": funded(firms), "start_time": AFTERNOON}
    return config(folder, **(values | changes))


class Terminal:
    """`carbonbook` as typed by one session, on the local socket of a server."""

    def __init__(self, served: Config, session: str, *words: str) -> None:
        self._options = ("--connect", served.ipc_endpoint, "--data", served.data, "--session", session)
        self._words = words

    def run(self, *arguments: object, code: int = 0) -> Result:
        given = [*self._words, *(str(a) for a in arguments), *self._options]
        result = CliRunner().invoke(cli, given, prog_name="carbonbook")
        assert "Traceback" not in result.output
        assert result.exit_code == code, result.output
        return result

    def says(self, *arguments: object) -> str:
        """What a person reads."""
        return self.run(*arguments).stdout.strip()

    def ask(self, *arguments: object) -> Any:
        """What a program reads."""
        return json.loads(self.run(*arguments, "--json").stdout)

    def refused(self, *arguments: object) -> str:
        """The reason of a refusal, or the error's text."""
        error = json.loads(self.run(*arguments, "--json", code=1).stderr)["error"]
        return str(error.get("reason", error["text"]))
