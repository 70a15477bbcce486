"""Throttles of orders and of cancels, the wait they tell, the counts in the status; the grace of a lost connection."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine.control import SetSessionStatus
from engine.schema import CommandKind, DisconnectPolicy, EventKind, MassCancelScope, Reason, Status, commands
from gateway import wire
from gateway.errors import Throttled
from gateway.seats import Bucket
from gateway.server import Server, background
from tests.gateway.builders import limit
from tests.gateway.servers import RawClient, config, local

SLOW = {"commands_per_second": 10, "burst": 10, "cancels_per_second": 50, "cancel_burst": 20}
GRACE = {"grace_ms": 600, "heartbeat_ms": 200}


def mass_cancels(number: int, count: int = 1) -> object:
    made = commands(count)
    made["kind"], made["scope"] = CommandKind.MASS_CANCEL, MassCancelScope.SESSION
    made["client_order_id"] = range(number, number + count)
    return made


def wait_for(done: object, timeout: float = 5.0) -> None:
    deadline = time.monotonic() + timeout
    while not done():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)


def down(server: Server) -> int:
    """How many SESSION_DOWN stand in the journal."""
    return sum(
        int((batch.commands["kind"] == CommandKind.SESSION_DOWN).sum()) for batch in server.exchange.reader.batches()
    )


# --- throttles --------------------------------------------------------------------------------------------------------


def test_a_bucket_tells_when_it_will_do() -> None:
    bucket = Bucket(rate=10, burst=10)
    assert bucket.take(10, 1_000_000_000)
    assert not bucket.take(4, 1_000_000_000)
    wait = bucket.wait_ms(4)
    assert 400 <= wait <= 402
    assert not bucket.take(4, 1_000_000_000 + (wait - 10) * 1_000_000)
    assert bucket.take(4, 1_000_000_000 + wait * 1_000_000)
    assert bucket.wait_ms(11) == 0  # never


def test_a_throttled_firm_can_still_cancel(tmp_path: Path) -> None:
    with background(config(tmp_path, **SLOW)) as server, RawClient(server.ipc_endpoint) as alpha:
        answer = alpha.logon("ALPHA")
        assert (answer.commands_per_second, answer.cancels_per_second) == (10, 50)
        alpha.socket.send(wire.pack_commands(limit(1, count=10)))
        alpha.expect(wire.FrameType.EVENTS)
        before = server.exchange.command_sequence
        alpha.socket.send(wire.pack_commands(limit(11, count=5)))
        reject = alpha.reject()
        assert (reject.reason, reject.first, reject.count) == (Reason.THROTTLED, 11, 5)
        assert 300 < reject.retry_ms <= 510
        assert server.exchange.command_sequence == before
        alpha.socket.send(wire.pack_commands(mass_cancels(11)))
        assert wire.unpack_events(alpha.expect(wire.FrameType.EVENTS))[1]["kind"][-1] == EventKind.MASS_CANCELLED
        # The wait is what it says: the same numbers, sent again then, go through.
        time.sleep(reject.retry_ms / 1_000)
        alpha.socket.send(wire.pack_commands(limit(12, count=5)))
        assert len(wire.unpack_events(alpha.expect(wire.FrameType.EVENTS))[1]) == 5


def test_cancels_have_their_own_limit(tmp_path: Path) -> None:
    with background(config(tmp_path, **SLOW)) as server, RawClient(server.ipc_endpoint, "ALPHA") as alpha:
        alpha.socket.send(wire.pack_commands(mass_cancels(1, 20)))
        alpha.expect(wire.FrameType.EVENTS)
        alpha.socket.send(wire.pack_commands(mass_cancels(21, 15)))
        reject = alpha.reject()
        assert (reject.reason, reject.first, reject.count) == (Reason.THROTTLED, 21, 15)
        assert 100 < reject.retry_ms <= 302
        alpha.socket.send(wire.pack_commands(limit(21, count=10)))
        assert len(wire.unpack_events(alpha.expect(wire.FrameType.EVENTS))[1]) == 10


def test_the_client_gets_the_wait_and_the_status_the_counts(tmp_path: Path) -> None:
    with background(config(tmp_path, **SLOW)) as server, local(server.config) as alpha:
        alpha.submit(limit(0, count=10))
        with pytest.raises(Throttled) as caught:
            alpha.place("X1", "buy", 1, "70.00").wait()
        assert 0.0 < caught.value.retry_after <= 0.11
        alpha.submit(mass_cancels(0, 21))
        alpha.wait_until(lambda: alpha.status().sessions[0].throttled_cancels == 21, 2)
        mine = alpha.status().sessions[0]
        assert (mine.name, mine.connected, mine.commands, mine.throttled_orders) == ("ALPHA", True, 10, 1)
        with local(server.config, "OPS") as operator:
            status = operator.status()
        assert [s.name for s in status.sessions] == ["ALPHA", "BETA", "OPS"]
        assert dict(status.counters)["throttled"] == 2
        assert (status.accepts, status.segment_bytes) == ("orders", server.config.segment_bytes)


# --- grace ------------------------------------------------------------------------------------------------------------


def test_who_comes_back_in_time_keeps_the_orders(tmp_path: Path) -> None:
    with background(config(tmp_path, **GRACE)) as server:
        with RawClient(server.ipc_endpoint) as alpha:
            answer = alpha.logon("ALPHA", policy=int(DisconnectPolicy.CANCEL_ALL))
            assert answer.grace_ms == 600
            alpha.socket.send(wire.pack_commands(limit(1)))
            alpha.expect(wire.FrameType.EVENTS)
        wait_for(lambda: server.service.losses.away)
        assert down(server) == 0
        with local(server.config, policy=DisconnectPolicy.CANCEL_ALL) as again:
            again.resume(0)
            assert again.poll(1.0)["kind"].tolist() == [EventKind.ACCEPTED]
            assert not server.service.losses.away
            deadline = time.monotonic() + 0.8
            while time.monotonic() < deadline:
                again.poll(0.1)
            assert len(again.open_orders()) == 1
            assert down(server) == 0
        wait_for(lambda: down(server) == 1, 0.5)  # a logout is no loss: it takes effect at once


def test_who_stays_away_is_down_and_that_is_journaled(tmp_path: Path) -> None:
    with background(config(tmp_path, **GRACE)) as server, local(server.config, "OPS") as operator:
        with RawClient(server.ipc_endpoint) as alpha:
            alpha.logon("ALPHA", policy=int(DisconnectPolicy.CANCEL_ALL))
            alpha.socket.send(wire.pack_commands(limit(1)))
            alpha.expect(wire.FrameType.EVENTS)
        operator.wait_until(lambda: operator.status().sessions[0].grace_ms > 0, 2)
        lost = time.monotonic()
        assert not operator.status().sessions[0].connected
        operator.wait_until(lambda: down(server) == 1, 3)
        assert 0.3 < time.monotonic() - lost < 1.5
        assert operator.status().sessions[0].grace_ms == 0
        assert len(server.exchange.engine.state()["orders"]) == 0


def test_an_ended_session_has_no_grace(tmp_path: Path) -> None:
    served = config(tmp_path, **(GRACE | {"grace_ms": 60_000}))
    with background(served) as server, local(served, "OPS") as operator:
        with RawClient(server.ipc_endpoint) as alpha:
            alpha.logon("ALPHA", policy=int(DisconnectPolicy.CANCEL_ALL))
            alpha.socket.send(wire.pack_commands(limit(1)))
            alpha.expect(wire.FrameType.EVENTS)
        operator.wait_until(lambda: server.service.losses.away, 2)
        operator.control(SetSessionStatus(1, int(Status.ENDED)))
        operator.wait_until(lambda: not server.service.losses.away, 1)
        assert len(server.exchange.engine.state()["orders"]) == 0


def test_a_venue_that_stops_leaves_nobody_away(tmp_path: Path) -> None:
    served = config(tmp_path, **(GRACE | {"grace_ms": 60_000}))
    with background(served) as server, local(served, "BETA") as beta:
        with RawClient(server.ipc_endpoint) as alpha:
            alpha.logon("ALPHA", policy=int(DisconnectPolicy.CANCEL_ALL))
            alpha.socket.send(wire.pack_commands(limit(1)))
            alpha.expect(wire.FrameType.EVENTS)
        beta.wait_until(lambda: server.service.losses.away, 2)
    with background(served) as again:
        assert again.exchange.engine.state()["sessions"]["connected"].tolist() == [0, 0, 0, 0]
        assert len(again.exchange.engine.state()["orders"]) == 0


def test_a_grace_beyond_ten_minutes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="grace_ms"):
        config(tmp_path, grace_ms=600_001)
