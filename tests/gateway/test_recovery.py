"""Stops and starts: a clean stop seals, a restart recovers, the calendar makes up for what was missed."""

from __future__ import annotations

import signal
import time
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import zmq

import gateway.exchange
from engine.core import Engine
from engine.schema import CommandKind, DayStage, DisconnectPolicy, EventKind, Mode, Phase, Reason
from engine.venue import Venue, utc_ns
from gateway.calendar import NEVER, Schedule, day_start
from gateway.clock import JournalClock, parse_start
from gateway.exchange import EXIT_SURPRISE, Surprise
from gateway.server import Server, background
from replay import JournalReader, NoteKind, verify
from tests.gateway.servers import ServerProcess, config, funded, local, server_process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_seals_and_a_restart_goes_on(tmp_path: Path, number: int) -> None:
    served = config(tmp_path)
    with server_process(tmp_path, served) as server:
        with local(served) as client:
            resting = client.place("X1", "buy", 5, "70.00").wait()
            epoch = client.logon.epoch
        assert server.stop(number) == 0
        assert any(line.startswith("Sealed after command") for line in server.lines)
    last = list(JournalReader(tmp_path / "data/journal").batches())[-1]
    assert [note.kind for note in last.notes] == [NoteKind.SEAL]
    with server_process(tmp_path, served) as server:
        assert any("Recovered" in line for line in server.lines)
        with local(served) as client:
            assert client.logon.epoch > epoch
            assert client.logon.last_client_order_id == 1
            assert [order.order_id for order in client.open_orders()] == [resting.order_id]
            assert client.place("X1", "sell", 5, "70.00").wait().client_order_id == 2
        assert server.stop() == 0
    assert verify(tmp_path / "data/journal", "reference").ok


def test_a_client_lives_through_a_restart(tmp_path: Path) -> None:
    served = config(tmp_path)
    with server_process(tmp_path, served) as first, local(served) as client:
        before = client.place("X1", "buy", 5, "70.00").wait()
        assert first.stop() == 0
        during = client.place("X1", "buy", 5, "71.00")
        with server_process(tmp_path, served) as second:
            during.wait(10)
            assert (before.order_id, during.order_id) == (1, 2)
            client.close()
            assert second.stop() == 0


def test_sessions_lost_with_a_crash_get_their_policy_at_the_restart(tmp_path: Path) -> None:
    served = config(tmp_path)
    with server_process(tmp_path, served) as server:
        client = local(served, policy=DisconnectPolicy.CANCEL_ALL)
        client.place("X1", "buy", 5, "70.00").wait()
        server.kill()
        client.close(logout=False)
    with background(served), local(served) as again:
        assert again.open_orders() == []
        again.resume(0)
        assert again.poll(2.0)["reason"].tolist() == [0, Reason.DISCONNECTED]


def test_a_surprise_stops_the_server_before_any_reply(tmp_path: Path) -> None:
    served = config(tmp_path)
    with pytest.raises(Surprise), background(served) as server, local(served, reconnect_timeout=1.0) as client:
        before = server.exchange.command_sequence

        def fail(_: object) -> None:
            raise IndexError("planted")

        server.exchange.engine.apply = fail  # type: ignore[method-assign,assignment]
        order = client.place("X1", "buy", 5, "70.00")
        with pytest.raises(Exception, match="no connection"):
            order.wait(5)
    kept = list((tmp_path / "data").glob("post-mortem-*.commands"))
    assert [path.stat().st_size for path in kept] == [96]
    with background(served), local(served) as again:
        assert again.logon.last_client_order_id == 0
    assert before > 0 and EXIT_SURPRISE == 8


def test_a_locked_journal_is_not_opened_twice(tmp_path: Path) -> None:
    served = config(tmp_path)
    with background(served):
        second = ServerProcess(tmp_path, config(tmp_path, ipc=str(tmp_path / "t")))
        with pytest.raises(AssertionError):
            second.ready()
        assert second.process.wait(5) == 5


def test_followers_are_woken(tmp_path: Path) -> None:
    served = config(tmp_path)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with background(served) as server, local(served) as client:
        follower = context.socket(zmq.SUB)
        follower.linger = 0
        follower.subscribe(b"")
        follower.connect(served.wake_endpoint)
        deadline = time.monotonic() + 5
        while not follower.poll(50):
            client.place("X1", "buy", 1, "70.00").wait()
            assert time.monotonic() < deadline
        woken = int.from_bytes(follower.recv(), "little")
        assert 0 < woken <= server.exchange.command_sequence
        follower.close(0)
    context.term()


def test_the_calendar_runs_the_day_on_an_accelerated_clock(tmp_path: Path) -> None:
    served = config(tmp_path, venue="seee", opening=funded(), clock_rate=20_000, start_time="2025-08-11T09:20:00+08:00")
    with background(served) as server, local(served, "S1") as client:
        deadline = time.monotonic() + 10
        while (stage := client.day("CEA24").stage) is not DayStage.SETTLED or not client.day("CEA24").trading_date:
            assert time.monotonic() < deadline, stage
            time.sleep(0.05)
        server.stop()
    wanted = {"PHASE": CommandKind.SET_PHASE, "SETTLE": CommandKind.SETTLE}.values()
    batches = list(JournalReader(tmp_path / "data/journal").batches())
    seen = [c for b in batches for c in b.commands if c["kind"] in wanted][:5]
    times = ("09:30", "11:30", "13:00", "13:00", "15:00")
    moments = [utc_ns(datetime.fromisoformat(f"2025-08-11T{at}:00+08:00")) for at in times]
    assert [int(c["timestamp"]) for c in seen] == moments
    assert [int(c["quantity"]) for c in seen] == [
        Phase.CONTINUOUS,
        Phase.BREAK,
        Phase.CONTINUOUS,
        Phase.CONTINUOUS,
        0,
    ]
    assert [int(c["scope"]) for c in seen] == [Mode.LISTED, Mode.LISTED, Mode.LISTED, Mode.BLOCK, 0]
    stamps = np.concatenate([b.commands["timestamp"] for b in batches if b.command_count])
    assert (np.diff(stamps) >= 0).all()
    digests = [n for b in batches for n in b.notes if n.kind == NoteKind.DIGEST]
    assert len(digests) >= 4
    assert len(JournalReader(tmp_path / "data/journal").segments()) >= 2
    assert verify(tmp_path / "data/journal", "reference").ok


def test_missed_transitions_are_made_up_for_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped on Monday at noon, started again on Thursday at ten: four days' transitions, each at its own time."""
    now = parse_start("2025-08-11T12:00:00+08:00")
    clock = SimpleNamespace(time_ns=lambda: now)
    monkeypatch.setattr(gateway.exchange, "time", clock)
    served = config(tmp_path, venue="seee", opening=funded())
    with background(served) as server:
        assert server.exchange.engine.state()["instruments"]["listed_phase"][0] == Phase.BREAK
    now = parse_start("2025-08-14T10:00:00+08:00")
    with background(served) as server:
        state = server.exchange.engine.state()
        assert state["instruments"]["listed_phase"][0] == Phase.CONTINUOUS
        assert state["header"][0]["trading_date"] == 20250814
    batches = list(JournalReader(tmp_path / "data/journal").batches())
    kinds = [int(k) for b in batches for k in b.commands["kind"] if CommandKind.SET_PHASE <= k <= CommandKind.SETTLE]
    end = [CommandKind.STOP_TRADING, CommandKind.EXPIRE_ORDERS, CommandKind.FIX_CLOSE, CommandKind.SETTLE]
    day = [CommandKind.SET_PHASE] * 4 + end  # at 13:00 of two modes
    assert kinds == [*day, *day, *day, CommandKind.SET_PHASE]
    assert not any((b.events["kind"] == EventKind.REJECTED).any() for b in batches)


def test_schedule_without_a_calendar_is_empty() -> None:
    schedule = Schedule(Venue.preset("plain").calendar, 0)
    assert (schedule.next_moment, schedule.pop(2**62)) == (NEVER, None)


def test_day_start_is_local_midnight() -> None:
    calendar = Venue.preset("seee").calendar
    assert day_start(calendar, parse_start("2025-08-11T00:30:00+08:00")) == parse_start("2025-08-11T00:00:00+08:00") - 1


def test_journal_time_never_runs_backwards() -> None:
    reading = [1_000]
    clock = JournalClock(5_000, rate=3, monotonic=lambda: reading[0])
    clock.anchor(6_000)
    reading[0] = 1_010
    assert clock.now() == 6_030
    reading[0] = 500
    assert clock.now() == 6_030
    assert clock.anchor(100)["target"][0] == 6_030


def test_start_time_needs_an_offset() -> None:
    with pytest.raises(ValueError, match="with its offset"):
        parse_start("2025-08-11T09:30:00")


def test_the_server_says_why_an_opening_is_refused(tmp_path: Path) -> None:
    from engine.control import OpenAccount

    with pytest.raises(ValueError, match="UNKNOWN_FIRM"):
        Server(config(tmp_path, opening=(OpenAccount(9, "x"),)), lambda _: None).start()


def test_engine_reads_stay_cheap() -> None:
    """The gateway needs only what every engine offers."""
    assert Engine(Venue.preset("plain"), "reference").last_client_order_id(5) == 0
