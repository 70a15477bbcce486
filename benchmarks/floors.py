"""What a round trip through the gateway cannot be quicker than, measured beside it.

`Echo`: a bare ROUTER that answers a frame of a request's size with one of an answer's size. `sync`: one pwrite and one
fdatasync of a batch's bytes into a file that was written full of zeros before.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

import zmq

from benchmarks.gateway_load import QUEUED_FRAMES, TIMEOUT_MS, Flow, LoadError, throughput
from benchmarks.gateway_server import stop
from engine.schema import COMMAND, EVENT, FIRM_BYTES
from gateway import wire
from replay.format import frame_bytes

EchoTransport = Literal["ipc", "tcp", "tcp_curve"]
FILE_BYTES: Final = 16 << 20
_SIZES: Final = 4
"""Bytes at the head of a request that say how long the answer is to be."""


def request_bytes(batch: int) -> int:
    """Bytes of a frame of `batch` commands."""
    return wire.HEADER.size + batch * FIRM_BYTES


def answer_bytes(batch: int, flow: Flow) -> int:
    """Bytes of the frame that answers it."""
    return wire.HEADER.size + wire.SPAN.size + batch * (2 if flow == "fill" else 1) * EVENT.itemsize


def batch_bytes(batch: int, flow: Flow) -> int:
    """Bytes of a journal batch that holds these commands and their events."""
    return frame_bytes(batch * COMMAND.itemsize + batch * (2 if flow == "fill" else 1) * EVENT.itemsize)


def serve(transport: EchoTransport, endpoint: str) -> None:
    """Answer every request until the process is ended; the endpoint and, with CURVE, the public key are printed."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.sndhwm = router.rcvhwm = QUEUED_FRAMES
    public = b""
    if transport == "tcp_curve":
        public, secret = zmq.curve_keypair()
        router.curve_server, router.curve_publickey, router.curve_secretkey = True, public, secret
    router.bind(endpoint)
    print(router.getsockopt_string(zmq.LAST_ENDPOINT).rstrip("\0"), public.decode(), flush=True)
    answers: dict[bytes, bytes] = {}
    while True:
        identity = router.recv()
        size = router.recv()[:_SIZES]
        if size not in answers:
            answers[size] = bytes(int.from_bytes(size, "little"))
        router.send(identity, zmq.SNDMORE)
        router.send(answers[size])


class Echo:
    """A DEALER connected to a bare echo."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], endpoint: str, public: str) -> None:
        self._context, self._endpoint, self._public = context, endpoint, public
        self.socket = self.connected()

    def connected(self) -> zmq.Socket[bytes]:
        """One more socket at this echo."""
        socket = self._context.socket(zmq.DEALER)
        socket.linger = 0
        socket.rcvtimeo = TIMEOUT_MS
        socket.sndhwm = socket.rcvhwm = QUEUED_FRAMES
        if self._public:
            socket.curve_publickey, socket.curve_secretkey = zmq.curve_keypair()
            socket.curve_serverkey = self._public.encode()
        socket.connect(self._endpoint)
        return socket

    def trips(self, count: int, batch: int, flow: Flow) -> list[int]:
        """Nanoseconds of `count` round trips, one at a time, after a tenth as many to warm up. Raises LoadError."""
        request = _request(batch, flow)
        taken = []
        try:
            for number in range(-max(1, count // 10), count):
                begun = time.perf_counter_ns()
                self.socket.send(request)
                self.socket.recv()
                if number >= 0:
                    taken.append(time.perf_counter_ns() - begun)
        except zmq.Again:
            raise LoadError("the bare echo did not answer") from None
        return taken

    def rate(self, batch: int, firms: int, window: int, seconds: float) -> float:
        """Commands a second of `firms` sockets with `window` frames of `batch` commands on their way each, sent and
        read as the gateway's are. Raises LoadError."""
        with contextlib.ExitStack() as stack:
            senders = [stack.enter_context(EchoSession(self, batch)) for _ in range(firms)]
            answered, taken = throughput(senders, window, seconds)
        return answered / taken


class EchoSession:
    """One of several DEALERs at a bare echo, as `gateway_load.Session` is one at a gateway."""

    def __init__(self, echo: Echo, batch: int) -> None:
        self.socket = echo.connected()
        self.batch, self.answered = batch, 0
        self._request = _request(batch, "ack")

    def send(self) -> None:
        self.socket.send(self._request)

    def receive(self) -> int:
        """The commands that one frame answers. Raises zmq.Again when none came in time."""
        self.socket.recv()
        self.answered += self.batch
        return self.batch

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.socket.close(0)


def _request(batch: int, flow: Flow) -> bytes:
    size = answer_bytes(batch, flow).to_bytes(_SIZES, "little")
    return size + bytes(request_bytes(batch) - _SIZES)


@contextlib.contextmanager
def echo_server(transport: EchoTransport, folder: Path) -> Iterator[Echo]:
    """A bare echo in a process of its own on a free port or a socket in `folder`, stopped by its id at the end."""
    endpoint = f"ipc://{folder / 'e'}" if transport == "ipc" else "tcp://127.0.0.1:0"
    command = [sys.executable, "-m", "benchmarks.floors", transport, endpoint]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        assert process.stdout is not None
        bound, _, public = process.stdout.readline().rstrip("\n").partition(" ")
        if not bound:
            raise LoadError("the bare echo did not start")
        yield Echo(context, bound, public)
    finally:
        context.destroy(0)
        stop(process)


def sync(folder: Path, count: int, size: int, durable: bool = True) -> list[int]:
    """Nanoseconds of `count` times pwrite and fdatasync of `size` bytes, one behind the other as in the journal.

    `durable` False leaves out the fdatasync.
    """
    path = folder / "sync-floor"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    settle = getattr(os, "fdatasync", os.fsync)
    block, room = b"\x01" * size, max(1, FILE_BYTES // size)
    taken = []
    try:
        os.pwrite(handle, bytes(room * size), 0)
        os.fsync(handle)
        for number in range(count):
            begun = time.perf_counter_ns()
            os.pwrite(handle, block, number % room * size)
            if durable:
                settle(handle)
            taken.append(time.perf_counter_ns() - begun)
    finally:
        os.close(handle)
        path.unlink()
    return taken


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2])  # type: ignore[arg-type]
