"""What may be sent: sizes, types, random bytes. Every wrong frame gets a typed reject and changes nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.schema import EventKind, Reason
from gateway import wire
from gateway.server import Server, background
from gateway.wire import HEADER, FrameType
from tests.gateway.builders import limit
from tests.gateway.servers import RawClient, config


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with background(config(tmp_path)) as running:
        yield running


@pytest.fixture
def alpha(server: Server) -> Iterator[RawClient]:
    with RawClient(server.ipc_endpoint) as client:
        client.logon("ALPHA", heartbeat_ms=30_000)  # it sends none while others are tried
        yield client


def events_of(client: RawClient) -> tuple[tuple[int, int, int, int], np.ndarray]:
    return wire.unpack_events(client.expect(FrameType.EVENTS))


def still_serves(client: RawClient, number: int) -> None:
    client.socket.send(wire.pack_commands(limit(number)))
    assert events_of(client)[1]["kind"].tolist() == [EventKind.ACCEPTED]


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"", Reason.MALFORMED_FRAME),
        (b"\x01\x01\x01\x00\x00\x00\x00", Reason.MALFORMED_FRAME),
        (HEADER.pack(FrameType.COMMANDS, 1, 1, 0), Reason.MALFORMED_FRAME),
        (HEADER.pack(FrameType.COMMANDS, 1, 1, 0) + bytes(63), Reason.MALFORMED_FRAME),
        (HEADER.pack(FrameType.COMMANDS, 1, 1, 0) + bytes(65), Reason.MALFORMED_FRAME),
        (HEADER.pack(FrameType.COMMANDS, 1, 2, 0) + bytes(64), Reason.MALFORMED_FRAME),
        (HEADER.pack(FrameType.COMMANDS, 1, 0, 0), Reason.TOO_MANY_RECORDS),
        (HEADER.pack(FrameType.COMMANDS, 1, 1025, 0) + bytes(64 * 1025), Reason.TOO_MANY_RECORDS),
        (HEADER.pack(FrameType.COMMANDS, 2, 1, 0) + bytes(64), Reason.UNSUPPORTED_VERSION),
        (HEADER.pack(99, 1, 1, 0) + bytes(64), Reason.MALFORMED_FRAME),
        (HEADER.pack(FrameType.EVENTS, 1, 1, 0) + bytes(160), Reason.MALFORMED_FRAME),
        (HEADER.pack(FrameType.QUERY, 1, 1, 0) + b"\xc1", Reason.MALFORMED_FRAME),
        (HEADER.pack(FrameType.QUERY, 1, 1, 0) + b"\x91" * 5_000, Reason.MALFORMED_FRAME),
        (HEADER.pack(FrameType.RESUME, 1, 1, 0) + b"\x91\xa1\xff", Reason.MALFORMED_FRAME),
        (HEADER.pack(FrameType.LOGON, 1, 1, 0) + b"\x91\xa1\xff", Reason.MALFORMED_FRAME),
    ],
)
def test_wrong_frames_get_a_typed_reject(alpha: RawClient, frame: bytes, reason: Reason) -> None:
    alpha.socket.send(frame)
    assert alpha.reject().reason == reason
    still_serves(alpha, 1)


def test_a_message_of_two_frames_is_refused(alpha: RawClient) -> None:
    alpha.socket.send_multipart([wire.pack_commands(limit(1)), b"more"])
    assert alpha.reject().reason == Reason.MALFORMED_FRAME
    still_serves(alpha, 1)


def test_1024_commands_in_one_frame(alpha: RawClient) -> None:
    alpha.socket.send(wire.pack_commands(limit(1, count=1024)))
    span, records = events_of(alpha)
    assert span == (0, 8, 1031, 1024)  # behind the anchor, the opening and the logon
    assert records["client_order_id"].tolist() == list(range(1, 1025))
    assert set(records["kind"]) == {EventKind.ACCEPTED}


def test_random_frames_never_reach_the_engine(server: Server, alpha: RawClient) -> None:
    random_bytes = random.Random(20251123)
    before = server.exchange.command_sequence
    for _ in range(300):
        frame = bytearray(random_bytes.randbytes(random_bytes.randrange(0, 400)))
        if frame and frame[0] == FrameType.COMMANDS:
            frame[0] = 0
        with RawClient(server.ipc_endpoint) as stranger:
            stranger.socket.send(bytes(frame))
            assert stranger.reject().reason in (
                Reason.MALFORMED_FRAME,
                Reason.UNSUPPORTED_VERSION,
                Reason.NOT_LOGGED_ON,
            )
    assert server.exchange.command_sequence == before
    still_serves(alpha, 1)


def test_ten_bad_frames_cut_the_connection(server: Server, alpha: RawClient) -> None:
    for _ in range(10):
        alpha.socket.send(b"?")
        assert alpha.reject().reason == Reason.MALFORMED_FRAME
    alpha.socket.send(wire.pack_commands(limit(1)))
    with pytest.raises(TimeoutError):
        alpha.receive(0.5)
    with RawClient(server.ipc_endpoint, "ALPHA") as again:
        still_serves(again, 1)
    assert server.service.counters["dropped"] >= 1


def test_without_logon_nothing_is_taken(server: Server) -> None:
    with RawClient(server.ipc_endpoint) as stranger:
        stranger.socket.send(wire.pack_commands(limit(1)))
        assert stranger.reject().reason == Reason.NOT_LOGGED_ON
        stranger.socket.send(wire.pack(FrameType.LOGON, wire.Logon("NOBODY")))
        assert stranger.reject().reason == Reason.UNKNOWN_SESSION


def test_self_chosen_routing_ids_are_refused(server: Server) -> None:
    with RawClient(server.ipc_endpoint, routing_id=b"ALPHA") as squatter:
        squatter.socket.send(wire.pack(FrameType.LOGON, wire.Logon("ALPHA")))
        assert squatter.reject().reason == Reason.MALFORMED_FRAME


def test_an_oversized_message_ends_the_connection_only(server: Server, alpha: RawClient) -> None:
    with RawClient(server.ipc_endpoint, "BETA") as big:
        big.socket.send(bytes(wire.MAX_MESSAGE + 1))
        still_serves(alpha, 1)


def test_throttled_frames_are_refused_whole_and_not_journaled(tmp_path: Path) -> None:
    with (
        background(config(tmp_path, commands_per_second=10, burst=20)) as server,
        RawClient(server.ipc_endpoint, "ALPHA") as client,
    ):
        client.socket.send(wire.pack_commands(limit(1, count=15)))
        assert len(events_of(client)[1]) == 15
        before = server.exchange.command_sequence
        client.socket.send(wire.pack_commands(limit(16, count=15)))
        reject = client.reject()
        assert (reject.reason, reject.first, reject.count) == (Reason.THROTTLED, 16, 15)
        assert server.exchange.command_sequence == before
        client.socket.send(wire.pack_commands(limit(16)))
        assert len(events_of(client)[1]) == 1
