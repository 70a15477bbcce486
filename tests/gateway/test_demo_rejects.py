"""The demonstration's wrong commands, against a server of its venue with its firms."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.control import OpenSession
from engine.schema import EventKind, Reason, commands
from gateway.demo.plan import FIRMS, opening
from gateway.demo.rejects import COMMANDS
from gateway.server import background
from tests.gateway.servers import config, local

pytestmark = pytest.mark.nojit


def test_each_wrong_command_is_refused_for_its_reason(tmp_path: Path) -> None:
    """In an empty book at 10:00, by a session of the last firm."""
    members = (*opening(), OpenSession(len(FIRMS), "S20"))
    served = config(tmp_path, venue="seee", opening=members, start_time="2025-08-11T10:00:00+08:00")
    with background(served), local(served, "S20") as client:
        for wrong in COMMANDS:
            made = commands(1)
            for name, value in wrong.command().items():
                made[name] = value
            number = client.submit(made)
            client.wait_until(lambda n=number: client.acknowledged >= n, 5)  # type: ignore[misc]
            answer = client.poll(1.0)[-1]
            assert (answer["kind"], Reason(int(answer["reason"]))) == (EventKind.REJECTED, wrong.reason), wrong.what
