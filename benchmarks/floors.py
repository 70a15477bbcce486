"""What a round trip through the gateway cannot be quicker than, measured beside it.

`echo`: a bare ROUTER that answers a frame of an order's size with one of an answer's size. `sync`: one pwrite and one
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

import zmq

REQUEST = bytes(8 + 64)
ANSWER = bytes(8 + 32 + 128)
BATCH = b"\x01" * 512
"""One order and its event in the journal: header, records and end marker fill one sector."""
FILE_BYTES = 16 << 20


def serve(endpoint: str) -> None:
    """Answer every request until the process is ended; the endpoint and, for tcp, the public key are printed."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    router = context.socket(zmq.ROUTER)
    public = b""
    if endpoint.startswith("tcp"):
        public, secret = zmq.curve_keypair()
        router.curve_server, router.curve_publickey, router.curve_secretkey = True, public, secret
    router.bind(endpoint)
    print(router.getsockopt_string(zmq.LAST_ENDPOINT).rstrip("\0"), public.decode(), flush=True)
    while True:
        identity = router.recv()
        router.recv()
        router.send(identity, zmq.SNDMORE)
        router.send(ANSWER)


@contextlib.contextmanager
def echo_server(endpoint: str) -> Iterator[zmq.Socket[bytes]]:
    """A bare echo in a process of its own; gives a connected DEALER."""
    command = [sys.executable, "-m", "benchmarks.floors", endpoint]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        assert process.stdout is not None
        bound, public = process.stdout.readline().rstrip("\n").split(" ")
        dealer = context.socket(zmq.DEALER)
        dealer.linger = 0
        dealer.rcvtimeo = 10_000
        if public:
            dealer.curve_publickey, dealer.curve_secretkey = zmq.curve_keypair()
            dealer.curve_serverkey = public.encode()
        dealer.connect(bound)
        yield dealer
    finally:
        context.destroy(0)
        process.terminate()
        process.communicate(timeout=10)


def echo(endpoint: str, count: int) -> list[int]:
    """Nanoseconds of `count` round trips, one at a time."""
    taken = []
    with echo_server(endpoint) as dealer:
        for number in range(-count // 10, count):
            begun = time.perf_counter_ns()
            dealer.send(REQUEST)
            dealer.recv()
            if number >= 0:
                taken.append(time.perf_counter_ns() - begun)
    return taken


def sync(folder: Path, count: int) -> list[int]:
    """Nanoseconds of `count` times pwrite and fdatasync of one batch, as the journal does it."""
    path = folder / "sync-floor"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    durable = getattr(os, "fdatasync", os.fsync)
    taken = []
    try:
        os.pwrite(handle, bytes(FILE_BYTES), 0)
        os.fsync(handle)
        for number in range(count):
            at = number * len(BATCH) % FILE_BYTES
            begun = time.perf_counter_ns()
            os.pwrite(handle, BATCH, at)
            durable(handle)
            taken.append(time.perf_counter_ns() - begun)
    finally:
        os.close(handle)
        path.unlink()
    return taken


if __name__ == "__main__":
    serve(sys.argv[1])
