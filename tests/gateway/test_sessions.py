"""Logon, heartbeats, take-over, duplicates, resume, lost sessions, slow consumers."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.control import SetSessionStatus
from engine.schema import (
    CommandKind,
    DisconnectPolicy,
    EventFlag,
    EventKind,
    Phase,
    Reason,
    Status,
    TimeInForce,
    commands,
)
from gateway import wire
from gateway.client import Client
from gateway.errors import InvalidCommand, OrderRefused, Rejected, SessionRefused
from gateway.recent import Recent
from gateway.server import Server, background
from gateway.wire import FrameType
from tests.gateway.builders import limit
from tests.gateway.servers import RawClient, config, local


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with background(config(tmp_path)) as running:
        yield running


def records(client: RawClient, kind: FrameType = FrameType.EVENTS) -> np.ndarray:
    return wire.unpack_events(client.expect(kind))[1]


def wait_for(done: object, timeout: float = 5.0) -> None:
    deadline = time.monotonic() + timeout
    while not done():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)


def test_logon_tells_the_session_and_its_numbers(server: Server) -> None:
    with RawClient(server.ipc_endpoint) as client:
        answer = client.logon("ALPHA", heartbeat_ms=500)
        assert (answer.session, answer.name, answer.firm, answer.role) == (1, "ALPHA", 1, 1)
        assert (answer.epoch, answer.last_client_order_id, answer.heartbeat_ms) == (1, 0, 500)
        assert (answer.durability, answer.venue) == ("sync", "plain")


def test_heartbeats_come_at_the_negotiated_interval(server: Server) -> None:
    with RawClient(server.ipc_endpoint) as client:
        epoch = client.logon("ALPHA", heartbeat_ms=200).epoch
        beats = [wire.unpack(client.expect(FrameType.HEARTBEAT, 1.0), wire.Heartbeat) for _ in range(2)]
        assert [beat.epoch for beat in beats] == [epoch, epoch]


def test_a_silent_client_is_down_and_its_orders_are_cancelled_by_policy(server: Server) -> None:
    with RawClient(server.ipc_endpoint) as silent, RawClient(server.ipc_endpoint, "BETA") as beta:
        silent.logon("ALPHA", heartbeat_ms=200, policy=int(DisconnectPolicy.CANCEL_ALL))
        silent.socket.send(wire.pack_commands(limit(1, price=7_000)))
        beta.socket.send(wire.pack_commands(limit(1, price=6_000)))
        wait_for(lambda: server.registry.sessions[1].connection is None)
        state = server.exchange.engine.state()
        assert state["orders"]["session"].tolist() == [2]
        assert state["sessions"]["connected"].tolist() == [0, 0, 1, 0]
        with Client(server.ipc_endpoint, session="ALPHA") as again:
            again.resume(0)
            got = again.poll(1.0)
            assert got["kind"].tolist() == [EventKind.ACCEPTED, EventKind.CANCELLED]
            assert got["reason"].tolist() == [0, Reason.DISCONNECTED]


def test_policy_cancel_day_keeps_good_till_cancelled_orders(server: Server) -> None:
    with Client(server.ipc_endpoint, session="ALPHA", policy=DisconnectPolicy.CANCEL_DAY) as client:
        client.place("X1", "buy", 1, "70.00").wait()
        client.place("X1", "buy", 1, "69.00", time_in_force="gtc").wait()
    wait_for(lambda: server.registry.sessions[1].connection is None)
    assert server.exchange.engine.state()["orders"]["price"].tolist() == [6_900]


def test_a_client_that_dies_is_noticed_at_the_next_send(server: Server) -> None:
    client = RawClient(server.ipc_endpoint)
    client.logon("ALPHA", heartbeat_ms=200)
    client.close()
    wait_for(lambda: server.registry.sessions[1].connection is None, 2.0)


def test_a_second_logon_takes_the_session_over(server: Server) -> None:
    with RawClient(server.ipc_endpoint, "ALPHA") as first, RawClient(server.ipc_endpoint, "ALPHA") as second:
        assert first.reject().reason == Reason.TAKEN_OVER
        first.socket.send(wire.pack_commands(limit(1)))
        assert first.reject().reason == Reason.NOT_LOGGED_ON
        second.socket.send(wire.pack_commands(limit(1)))
        assert records(second)["kind"].tolist() == [EventKind.ACCEPTED]


def test_the_taken_over_client_raises(server: Server) -> None:
    with local(server.config) as first, local(server.config) as second:
        with pytest.raises(SessionRefused) as caught:
            first.poll(2.0)
        assert caught.value.reason == Reason.TAKEN_OVER
        second.place("X1", "buy", 1, "70.00").wait()


def test_duplicates_give_the_original_records_and_change_nothing(server: Server) -> None:
    with RawClient(server.ipc_endpoint, "ALPHA") as alpha, RawClient(server.ipc_endpoint, "BETA") as beta:
        beta.socket.send(wire.pack_commands(limit(1, side=2, quantity=3)))
        records(beta)
        order = limit(5, quantity=5)
        alpha.socket.send(wire.pack_commands(order))
        first = records(alpha)
        assert first["kind"].tolist() == [EventKind.ACCEPTED, EventKind.TRADE]
        before = server.exchange.command_sequence
        alpha.socket.send(wire.pack_commands(order))
        again = records(alpha, FrameType.DUPLICATES).copy()
        assert set(again["flags"]) == {EventFlag.POSSIBLE_DUPLICATE}
        again["flags"] = first["flags"]
        assert again.tobytes() == first.tobytes()

        alpha.socket.send(wire.pack_commands(limit(5, quantity=6)))
        mismatch = records(alpha, FrameType.DUPLICATES)[0]
        assert (mismatch["kind"], mismatch["flags"]) == (EventKind.REJECTED, EventFlag.DUPLICATE_MISMATCH)
        assert (mismatch["reason"], mismatch["sequence"]) == (Reason.DUPLICATE_MISMATCH, 0)

        alpha.socket.send(wire.pack_commands(limit(4)))
        stale = records(alpha, FrameType.DUPLICATES)[0]
        assert (stale["reason"], stale["flags"]) == (Reason.STALE_CLIENT_ORDER_ID, EventFlag.STALE_ID)
        assert server.exchange.command_sequence == before


def test_a_frame_may_mix_used_and_new_numbers(server: Server) -> None:
    with RawClient(server.ipc_endpoint, "ALPHA") as alpha:
        alpha.socket.send(wire.pack_commands(limit(1, count=3)))
        records(alpha)
        alpha.socket.send(wire.pack_commands(limit(2, count=4)))
        assert records(alpha)["client_order_id"].tolist() == [4, 5]
        assert records(alpha, FrameType.DUPLICATES)["client_order_id"].tolist() == [2, 3]
        assert len(server.exchange.engine.state()["orders"]) == 5


def test_old_duplicates_are_answered_from_the_journal(server: Server) -> None:
    with RawClient(server.ipc_endpoint, "ALPHA") as alpha:
        alpha.socket.send(wire.pack_commands(limit(1, count=5)))
        first = records(alpha)
        server.exchange.recent = Recent(1, 1)
        alpha.socket.send(wire.pack_commands(limit(2, count=2)))
        again = records(alpha, FrameType.DUPLICATES).copy()
        again["flags"] = 0
        assert again.tobytes() == first[1:3].tobytes()


def test_resume_from_any_position_is_byte_identical(server: Server) -> None:
    chance = random.Random(7)
    with RawClient(server.ipc_endpoint, "ALPHA") as alpha, RawClient(server.ipc_endpoint, "BETA") as beta:
        sent: dict[str, list[bytes]] = {"a": [], "b": []}
        for number in range(1, 120):
            name, client = chance.choice([("a", alpha), ("b", beta)])
            order = limit(number, chance.choice([1, 2]), chance.randint(6_990, 7_010), chance.randint(1, 9))
            client.socket.send(wire.pack_commands(order))
            time.sleep(0.001)
        wait_for(lambda: server.service.counters["commands"] == 119)
        for name, client, session in (("a", alpha, 1), ("b", beta, 2)):
            previous = 0
            while previous < server.registry.sessions[session].last_event:
                span, got = wire.unpack_events(client.expect(FrameType.EVENTS))
                assert span[0] == previous
                previous = span[2]
                sent[name] += [bytes(record) for record in got]
        forgetful = Recent(4, 4)
        for batch in server.exchange.reader.batches():
            forgetful.add(batch.commands, batch.events)
        for memory in (server.exchange.recent, forgetful):
            server.exchange.recent = memory
            for name, client, session in (("a", alpha, 1), ("b", beta, 2)):
                last = server.registry.sessions[session].last_event
                for after in (0, *(chance.randint(0, last) for _ in range(8))):
                    wanted = [r for r in sent[name] if np.frombuffer(r[8:16], "<i8")[0] > after]
                    assert resumed(client, after) == wanted


def resumed(client: RawClient, after: int) -> list[bytes]:
    got: list[bytes] = []
    client.socket.send(wire.pack(FrameType.RESUME, wire.Resume(after), 9))
    while True:
        frame = client.receive()
        if frame.type == FrameType.EVENTS:
            got += [bytes(record) for record in wire.unpack_events(frame)[1]]
        elif frame.type == FrameType.RESUMED:
            assert wire.unpack(frame, wire.Resumed).complete
            return got


def test_resume_beyond_the_journal_is_an_alarm(server: Server) -> None:
    with RawClient(server.ipc_endpoint, "ALPHA") as client:
        client.socket.send(wire.pack(FrameType.RESUME, wire.Resume(10**9), 3))
        assert client.reject().reason == Reason.ALREADY_TOO_OLD
        assert server.service.counters["events lost"] == 1


def test_trades_are_anonymous_and_in_halves(server: Server) -> None:
    with local(server.config, "ALPHA") as alpha, local(server.config, "BETA") as beta:
        maker = alpha.place("X1", "sell", 5, "70.00").wait()
        taker = beta.place("X1", "buy", 3, "70.10").wait()
        alpha.wait_until(lambda: maker.filled == 3, 2)
        mine, theirs = maker.events[-1], taker.events[-1]
        assert mine["sequence"] == theirs["sequence"]
        for trade in (mine, theirs):
            for name in ("account", "order_id", "client_order_id", "remaining", "session"):
                assert trade[f"contra_{name}"] == 0
        assert (mine["order_id"], mine["side"], mine["flags"]) == (maker.order_id, 2, EventFlag.MAKER)
        assert (theirs["order_id"], theirs["side"], theirs["flags"]) == (taker.order_id, 1, 0)
        assert (mine["remaining"], theirs["remaining"]) == (2, 0)
        assert (mine["session"], theirs["session"]) == (1, 2)


def test_a_trade_with_oneself_shows_both_halves(server: Server) -> None:
    with local(server.config) as client:
        maker = client.place("X1", "sell", 1, "70.00").wait()
        taker = client.place("X1", "buy", 1, "70.00").wait_done()
        client.wait_until(lambda: maker.done, 2)
        assert (maker.filled, taker.filled) == (1, 1)


def test_someone_elses_order_looks_like_none(server: Server) -> None:
    with local(server.config, "ALPHA") as alpha, local(server.config, "BETA") as beta:
        order = alpha.place("X1", "buy", 1, "70.00").wait()
        with pytest.raises(OrderRefused) as foreign:
            beta.cancel(order.order_id).wait()
        with pytest.raises(OrderRefused) as missing:
            beta.cancel(10_000).wait()
        assert str(foreign.value) == str(missing.value)
        assert len(alpha.open_orders()) == 1


def test_a_slow_consumer_is_told_and_cut_and_resumes(tmp_path: Path) -> None:
    with background(config(tmp_path, credit_bytes=20_000)) as server, RawClient(server.ipc_endpoint, "ALPHA") as slow:
        for number in range(1, 400):
            slow.socket.send(wire.pack_commands(limit(number)))
        wait_for(lambda: server.service.counters["slow consumers"] == 1)
        frames = []
        with pytest.raises(TimeoutError):
            while True:
                frames.append(slow.receive(0.3))
        assert frames[-1].type == FrameType.SESSION_REJECT
        assert wire.unpack(frames[-1], wire.SessionReject).reason == Reason.SLOW_CONSUMER
        with local(server.config) as again:
            again.resume(0)
            again.wait_until(lambda: again.last_event >= again.logon.last_event, 5)
            assert len(again.poll()) >= len(frames) - 2


def test_an_ended_session_is_cut_and_stays_out(server: Server) -> None:
    with local(server.config, "OPS") as operator, RawClient(server.ipc_endpoint, "ALPHA") as alpha:
        operator.control(SetSessionStatus(1, int(Status.ENDED)))
        assert alpha.reject().reason == Reason.SESSION_ENDED
        alpha.socket.send(wire.pack_commands(limit(1)))
        with RawClient(server.ipc_endpoint) as again:
            again.socket.send(wire.pack(FrameType.LOGON, wire.Logon("ALPHA")))
            assert again.reject().reason == Reason.SESSION_ENDED
        operator.control(SetSessionStatus(1, int(Status.ACTIVE)))
        with local(server.config) as back:
            back.place("X1", "buy", 1, "70.00").wait()


def test_control_is_for_operators(server: Server) -> None:
    with local(server.config) as trader, pytest.raises(SessionRefused) as caught:
        trader.control(SetSessionStatus(2, int(Status.ENDED)))
    assert caught.value.reason == Reason.NOT_PERMITTED


def test_venue_commands_from_a_trader_are_refused_by_the_engine(server: Server) -> None:
    with local(server.config) as trader:
        halt = commands(1)
        halt["kind"], halt["scope"], halt["quantity"] = CommandKind.SET_PHASE, 1, Phase.HALT
        trader.submit(halt)
        got = trader.poll(2.0)
        assert (got[0]["kind"], got[0]["reason"]) == (EventKind.REJECTED, Reason.NOT_PERMITTED)


def test_typed_exceptions_and_helpers(server: Server) -> None:
    with local(server.config) as client:
        with pytest.raises(InvalidCommand):
            client.place("NOPE", "buy", 1, "70.00")
        with pytest.raises(InvalidCommand):
            client.place("X1", "buy", 1, "70.001")
        with pytest.raises(TypeError):
            client.place("X1", "buy", 1, 70.0)  # type: ignore[arg-type]
        with pytest.raises(Rejected) as caught:
            client.place("X1", "buy", 1, "70.00", time_in_force="fok").wait()
        assert (caught.value.reason, type(caught.value)) == (Reason.FOK_NOT_FILLABLE, OrderRefused)
        order = client.place("X1", "buy", 1, "70.00", time_in_force="ioc").wait()
        assert order.done and order.events[-1]["reason"] == Reason.IOC_REMAINDER


def test_mass_cancel_counts(server: Server) -> None:
    with local(server.config) as client:
        made = [client.place("X1", "buy", 1, ticks=7_000 - i) for i in range(5)]
        answer = client.mass_cancel(side="buy").wait()
        assert answer.events[-1]["quantity"] == 5
        assert all(order.done for order in made)


def test_arrays_in_arrays_out(server: Server) -> None:
    with local(server.config) as client:
        batch = limit(0, tif=TimeInForce.GTC, count=3_000)
        first = client.submit(batch)
        client.wait_until(lambda: client.acknowledged >= first + 2_999, 10)
        got = client.poll()
        assert got["client_order_id"].tolist() == list(range(first, first + 3_000))


def test_logging_on_again_on_the_same_connection_is_no_take_over(server: Server) -> None:
    with RawClient(server.ipc_endpoint, "ALPHA") as client:
        assert client.logon("ALPHA").session == 1
        client.socket.send(wire.pack_commands(limit(1)))
        assert records(client)["kind"].tolist() == [EventKind.ACCEPTED]


def test_who_logs_on_as_somebody_else_logs_the_one_before_out(server: Server) -> None:
    with RawClient(server.ipc_endpoint) as client:
        client.logon("ALPHA")
        client.socket.send(wire.pack_commands(limit(1)))
        client.expect(FrameType.EVENTS)
        client.logon("BETA")
        alpha, beta = (server.registry.by_name(name) for name in ("ALPHA", "BETA"))
        assert alpha is not None and beta is not None
        assert alpha.connection is None and beta.connection is not None
        (connection,) = server._doors.ports[-1].connections.values()
        assert connection.session is beta
        with RawClient(server.ipc_endpoint) as other:
            other.logon("ALPHA")
            assert len(server._doors.ports[-1].connections) == 2
        client.socket.send(wire.pack_commands(limit(1)))
        client.expect(FrameType.EVENTS)


def test_logons_in_a_loop_are_throttled(tmp_path: Path) -> None:
    with background(config(tmp_path, queries_per_second=5)) as server, RawClient(server.ipc_endpoint) as client:
        for _ in range(5):
            client.logon("ALPHA")
        client.socket.send(wire.pack(FrameType.LOGON, wire.Logon("ALPHA")))
        assert client.reject().reason == Reason.THROTTLED


@pytest.mark.parametrize("quantity", [3, 5])
def test_a_session_found_lost_while_answering_leaves_memory_and_journal_alike(server: Server, quantity: int) -> None:
    """Sending a trade to a client that is gone makes the gateway journal its end in the middle of the answers."""
    with local(server.config, "ALPHA") as alpha:
        gone = RawClient(server.ipc_endpoint)
        gone.logon("BETA", policy=int(DisconnectPolicy.CANCEL_ALL), heartbeat_ms=30_000)
        gone.socket.send(wire.pack_commands(limit(1, side=2, quantity=5, count=2)))
        records(gone)
        gone.close()
        time.sleep(0.1)
        alpha.place("X1", "buy", quantity, "70.00").wait()
        wait_for(lambda: server.registry.sessions[2].connection is None)
        alpha.place("X1", "buy", 1, "69.00").wait()
        journal = b"".join(bytes(batch.event_bytes) for batch in server.exchange.reader.batches())
        wait_for(lambda: server.exchange.recent.events_after(0, 1_000).tobytes() == journal)
        kept = [record.tobytes() for record in alpha.poll()]
        alpha.resume(0)
        alpha.wait_until(lambda: alpha.waiting >= len(kept), 5)
        assert [record.tobytes() for record in alpha.poll()] == kept
