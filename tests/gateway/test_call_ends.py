"""The random end of calls: drawn as documented, committed to before the day, at each instrument's own moment.

Secret: 32 bytes "k". HMAC-SHA256 of "carbonbook end of calls 20250811" by openssl: SEED; its SHA-256: HASH. The first
8 bytes of SHA-256(SEED, date, instrument), modulo 30 s, by hashlib: 23.143481431 s for instrument 1, 2.932096190 s
for 3.
"""

from __future__ import annotations

import json
from datetime import date, time
from pathlib import Path
from types import SimpleNamespace

import pytest

import gateway.call_ends
import gateway.exchange
from engine.schema import CommandKind, EventKind, Mode, Phase
from engine.venue import Calendar, Transition, Venue
from engine.venue.call_end import call_end_offset
from gateway.calendar import Due, Schedule, day_dues
from gateway.call_ends import CallEnds, windows_of
from gateway.clock import parse_start
from gateway.server import background
from replay import JournalReader, NoteKind
from tests.gateway.servers import config, funded
from tests.gateway.test_settlement_file import run

pytestmark = pytest.mark.nojit
SEED = "c8ee2b9eb1c3458c55e295f89e1bba3ed15443b65cef14d8ea8a8ffb4c1fe216"
HASH = "32a102ce592562cd806fa436ddb475f21f1fe4f10c365b228b83b414cca2ff7e"
ENDS = CallEnds(b"k" * 32, 3, {1: 30, 3: 30})
CALENDAR = Calendar(
    timezone="Asia/Shanghai",
    transitions=(
        Transition(time(9), "OPEN_CALL"),  # type: ignore[arg-type]
        Transition(time(9, 25), "OPEN_CALL"),  # type: ignore[arg-type]
        Transition(time(9, 30), "CONTINUOUS", ("LISTED", "BLOCK")),
        Transition(time(14, 55), "CLOSE_CALL"),  # type: ignore[arg-type]
        Transition(time(15), "CLOSED"),
        Transition(time(15, 0, 10), "END"),
    ),
)
MONDAY = date(2025, 8, 11)
MIDNIGHT = parse_start("2025-08-11T00:00:00+08:00")


@pytest.mark.parametrize(
    ("on", "instrument", "seconds", "expected"),
    [
        (20250811, 1, 30, 7_369_905_099),
        (20250811, 2, 30, 17_426_607_160),
        (20250811, 5, 30, 622_662_801),
        (20250812, 1, 30, 22_926_204_269),
        (20250811, 1, 1, 369_905_099),
        (20250811, 1, 0, 0),
    ],
)
def test_offsets_of_a_seed(on: int, instrument: int, seconds: int, expected: int) -> None:
    assert call_end_offset(bytes(range(32)), on, instrument, seconds) == expected


def test_seed_and_commitment() -> None:
    assert ENDS.seed(20250811).hex() == SEED
    assert ENDS.commitment(20250811) == f"calls of 2025-08-11: SHA-256 of the seed {HASH}"
    assert ENDS.reveal(20250811) == f"calls of 2025-08-11: seed {SEED}"
    assert [ENDS.delay(20250811, n) for n in (1, 2, 3)] == [23_143_481_431, 0, 2_932_096_190]


def told(dues: list[Due]) -> list[tuple[str, list[tuple[str, int, str]]]]:
    """(moment of the day, [(mode, instrument, phase)]) of each."""
    found = []
    for due in dues:
        seconds, rest = divmod(due.moment - MIDNIGHT, 1_000_000_000)
        clock = f"{seconds // 3_600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}" + (f".{rest:09d}" if rest else "")
        commands = [c for c in due.commands if c["kind"] == CommandKind.SET_PHASE]
        found.append(
            (clock, [(Mode(c["scope"]).name, int(c["instrument"]), Phase(c["quantity"]).name) for c in commands])
        )
    return found


AT_RANDOM = [
    ("09:00:00", [("LISTED", 0, "OPEN_CALL")]),
    ("09:25:00", [("LISTED", 0, "OPEN_CALL")]),  # a call that goes on has not ended
    ("09:30:00", [("LISTED", 2, "CONTINUOUS"), ("BLOCK", 0, "CONTINUOUS")]),
    ("09:30:02.932096190", [("LISTED", 3, "CONTINUOUS")]),
    ("09:30:23.143481431", [("LISTED", 1, "CONTINUOUS")]),
    ("14:55:00", [("LISTED", 0, "CLOSE_CALL")]),
    ("15:00:00", [("LISTED", 2, "CLOSED")]),
    ("15:00:02.932096190", [("LISTED", 3, "CLOSED")]),
    ("15:00:09.999999999", [("LISTED", 1, "CLOSED")]),  # never behind the next transition
    ("15:00:10", []),
]


def test_each_instrument_at_its_own_moment() -> None:
    assert told(day_dues(CALENDAR, MONDAY, ENDS)) == AT_RANDOM
    assert day_dues(CALENDAR, date(2025, 8, 10), ENDS) == []


def test_on_time_where_nothing_is_drawn() -> None:
    assert told(day_dues(CALENDAR, MONDAY, None)) == [
        *AT_RANDOM[:2],
        ("09:30:00", [("LISTED", 0, "CONTINUOUS"), ("BLOCK", 0, "CONTINUOUS")]),
        AT_RANDOM[5],
        ("15:00:00", [("LISTED", 0, "CLOSED")]),
        AT_RANDOM[9],
    ]
    assert windows_of(Venue.preset("seee")) == {}


def test_a_start_in_the_middle_goes_on_behind_the_last_moment() -> None:
    every = day_dues(CALENDAR, MONDAY, ENDS)
    for done, last in enumerate(every[:-1], 1):
        schedule = Schedule(CALENDAR, last.moment, ENDS)
        rest = []
        while (due := schedule.pop(every[-1].moment)) is not None:
            rest.append(due)
        assert told(rest) == AT_RANDOM[done:]


def story(folder: Path) -> list[str]:
    """Notes about calls, and where days begin and end between them."""
    found = []
    for batch in JournalReader(folder / "data/journal").batches():
        for event in batch.events:
            if event["kind"] in (EventKind.DAY_OPENED, EventKind.SETTLED):
                found.append(f"{EventKind(event['kind']).name} {event['aux']}")
        texts = [note.body.decode() for note in batch.notes if note.kind == NoteKind.TEXT]
        found += [" ".join(text.split()[:-1]) for text in texts if text.startswith("calls of")]
    return found


@pytest.fixture
def drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Venue seee as if the calls of its first instrument ended within half a minute."""
    for module in (gateway.exchange, gateway.call_ends):
        monkeypatch.setattr(module, "windows_of", lambda venue: {1: 30})


def serve(folder: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """A server that starts at a moment, catches up and stops."""
    now = parse_start(moment)
    monkeypatch.setattr(gateway.exchange, "time", SimpleNamespace(time_ns=lambda: now))
    with background(config(folder, venue="seee", opening=funded())):
        pass


@pytest.mark.usefixtures("drawing")
def test_committed_before_the_day_and_revealed_behind_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(tmp_path, monkeypatch, "2025-08-11T12:00:00+08:00")
    serve(tmp_path, monkeypatch, "2025-08-12T10:00:00+08:00")
    hashed, seed = "calls of 2025-08-{}: SHA-256 of the seed", "calls of 2025-08-{}: seed"
    monday = [hashed.format(11), "DAY_OPENED 20250811", hashed.format(11), "SETTLED 20250811", seed.format(11)]
    assert story(tmp_path) == [*monday, hashed.format(12), "DAY_OPENED 20250812"]
    command = ("replay", "call-ends", tmp_path / "data", "--date")
    found = json.loads(run(*command, "2025-08-11", "--json").stdout)
    assert (found["kept"], len(set(found["commitments"])), len(found["seed"])) == (True, 1, 64)
    delay = call_end_offset(bytes.fromhex(found["seed"]), 20250811, 1, 30)
    assert found["delays_ns"] == {"CEA19-20": delay}
    said = run(*command, "2025-08-11").stdout
    assert f"{delay // 10**9}.{delay % 10**9:09d}" in said
    assert "the seed is revealed when the day has ended" in run(*command, "2025-08-12").stdout
    assert "no seed for calls of that day" in run(*command, "2025-08-13", code=1).stderr
    serve(tmp_path, monkeypatch, "2025-08-12T20:00:00+08:00")
    serve(tmp_path, monkeypatch, "2025-08-12T21:00:00+08:00")
    # A start behind a day's end says the seed once more: the run before may have ended in between.
    assert story(tmp_path)[-3:] == ["SETTLED 20250812", seed.format(12), seed.format(12)]


@pytest.mark.usefixtures("drawing")
def test_another_key_in_the_middle_of_a_day_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(tmp_path, monkeypatch, "2025-08-11T12:00:00+08:00")
    keys = tmp_path / "data" / "keys"
    for name in ("server.secret", "server.pub"):
        (keys / name).unlink()
    serve(tmp_path, monkeypatch, "2025-08-11T20:00:00+08:00")
    refused = run("replay", "call-ends", tmp_path / "data", "--date", "2025-08-11", code=1)
    assert "the seed is not (or not always) the one that was committed to" in refused.stderr
