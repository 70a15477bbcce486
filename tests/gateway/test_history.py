"""What a start learns in the one pass in which the journal is recovered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.control import OpenFirm, OpenSession
from engine.schema import COMMAND, Role
from gateway.config import Config
from gateway.directory import Directory
from gateway.exchange import Exchange
from gateway.journal import Marks, open_journal
from gateway.routing import last_events
from gateway.sessions import Registry
from replay import JournalReader

pytestmark = pytest.mark.nojit


class Bar:
    """Records what it is told."""

    def __init__(self) -> None:
        self.told: list[int] = []

    def at(self, done: int) -> None:
        self.told.append(done)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None: ...


def test_one_pass_gives_what_the_journal_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(data=str(tmp_path), venue="plain", implementation="reference")
    exchange = Exchange(open_journal(config), config)
    exchange.start()
    exchange.commit_control(OpenFirm("Alpha"))
    exchange.commit_control(OpenSession(1, "A1", int(Role.TRADER)))
    exchange.commit_control(OpenSession(1, "A2", int(Role.TRADER)))
    exchange.session_up(2, 0)
    exchange.seal()
    whole = list(JournalReader(tmp_path / "journal").batches())

    def never(*_: object) -> None:
        raise AssertionError("the journal is read a second time")

    monkeypatch.setattr(JournalReader, "batches", never)
    monkeypatch.setattr(JournalReader, "stretches", never)
    bar = Bar()
    opened = open_journal(config, lambda: bar)
    assert bar.told[-1] == sum(batch.total for batch in whole)
    registry = Registry(0, 0, 0)
    opened.history.tell(registry)
    assert registry.firms == {1: "Alpha"}
    assert {n: s.name for n, s in registry.sessions.items()} == {1: "A1", 2: "A2"}
    events = np.concatenate([batch.events for batch in whole])
    assert opened.history.recent().events_after(0, len(events)).tobytes() == events.tobytes()
    last = last_events(events, Directory.of(events))
    assert {n: s.last_event for n, s in registry.sessions.items() if s.last_event} == last
    opened.writer.close()


def test_marks_of_many_sessions() -> None:
    """Learned in pieces of any size they are those that would have been set one by one."""
    draw = np.random.default_rng(3)
    commands = np.zeros(20_000, COMMAND)
    commands["session"] = draw.integers(0, 4, len(commands))
    commands["sequence"] = np.arange(1, len(commands) + 1)
    for session in range(1, 4):
        mine = commands["session"] == session
        commands["client_order_id"][mine] = np.cumsum(draw.integers(1, 5, mine.sum()))
    single, learned = Marks(), Marks()
    for number in range(len(commands)):
        single.learn(commands[number : number + 1])
    at = 0
    while at < len(commands):
        size = int(draw.integers(0, 3_000))
        learned.learn(commands[at : at + size])
        at += size
    for session in range(5):
        assert learned.of(session) == single.of(session)
    assert len(learned.of(1)[0]) > 5
    assert learned.of(0) == ([], [])
