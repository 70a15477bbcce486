"""The feed's sockets: publishing and snapshots, on tcp with keys and locally; the one that is woken by the server."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import zmq

from gateway.addresses import MAX_FEED_PORT, check_tcp
from gateway.doors import HANDSHAKE_MS, bind_private
from gateway.feed.messages import MAX_MESSAGE
from gateway.security import ZAP_DOMAIN, Authenticator, KeyPair, require_refusal

SEND_FRAMES: Final = 5_000
"""Updates that wait for one subscriber; what comes then is dropped for that one alone, which sees the gap."""
BIND_SECONDS: Final = 5.0
"""How long a port may still be held by the run before."""
SNAPSHOTS: Final = "-snapshots"
"""Behind the path of a local socket."""
PORTS_TRIED: Final = 20
Socket = zmq.Socket[bytes]


class Place(NamedTuple):
    """Where one transport is served: updates, and snapshots beside them (the next port; the path with a suffix)."""

    updates: str
    snapshots: str


def snapshots_of(endpoint: str) -> str:
    """Where snapshots are asked for, by the updates' endpoint. Raises ValueError."""
    if endpoint.startswith("ipc://"):
        return endpoint + SNAPSHOTS
    port = check_tcp(endpoint, least=1, most=MAX_FEED_PORT)
    host, _, _ = endpoint.rpartition(":")
    return f"{host}:{port + 1}"


class FeedDoors:
    """Everything bound. Made empty; `open` binds, `close` releases.

    Attributes:
        places: the transports as bound.
        zap: answers authentication requests.
        routers: where snapshots are asked for.
    """

    def __init__(self) -> None:
        self.context: zmq.Context[Socket] = zmq.Context()
        self.places: dict[str, Place] = {}
        self.zap: Authenticator | None = None
        self.routers: list[Socket] = []
        self._publishers: list[Socket] = []
        self._local: list[Path] = []
        self._keys: KeyPair | None = None

    def open(self, tcp: str, ipc: str, keys: KeyPair | None, admits: Callable[[str], bool]) -> None:
        """Bind, and prove that strangers are refused on tcp.

        Args:
            tcp: endpoint of the updates, port 0 = any two free ones; "" = none.
            ipc: likewise, mode 0600.
            keys: the server's; tcp needs them.

        Raises:
            SecurityError, ValueError, zmq.ZMQError.
        """
        self.context.set(zmq.MAX_SOCKETS, 65_000)
        self.zap = Authenticator(self.context, admits)
        if tcp:
            assert keys is not None
            self._keys = keys
            self.places["tcp"] = self._bind_tcp(tcp)
            place = self.places["tcp"]
            require_refusal(self.context, place.updates, keys.public, self.zap.serve, zmq.SUB)
            require_refusal(self.context, place.snapshots, keys.public, self.zap.serve)
        if ipc:
            place = Place(ipc, snapshots_of(ipc))
            for endpoint, bound in zip(place, (self._publisher(None), self._router(None)), strict=True):
                self._local.append(bind_private(bound, endpoint))
            self.places["ipc"] = place

    def _bind_tcp(self, endpoint: str) -> Place:
        """Both sockets; where the port is 0, at the first free pair of ports."""
        deadline = time.monotonic() + BIND_SECONDS
        any_port = check_tcp(endpoint, most=MAX_FEED_PORT) == 0
        for attempt in range(1, 1_000):
            updates, router = self._publisher(self._keys), self._router(self._keys)
            try:
                updates.bind(endpoint)
                bound = updates.getsockopt_string(zmq.LAST_ENDPOINT).rstrip("\0")
                if check_tcp(bound) > MAX_FEED_PORT:
                    raise zmq.ZMQError(zmq.EADDRINUSE)  # there is no next port
                router.bind(snapshots_of(bound))
                return Place(bound, snapshots_of(bound))
            except zmq.ZMQError as error:
                for socket in (self._publishers.pop(), self.routers.pop()):
                    socket.close(0)
                if any_port and attempt < PORTS_TRIED:
                    continue
                if error.errno != zmq.EADDRINUSE or any_port or time.monotonic() > deadline:
                    raise
            time.sleep(0.05)
        raise AssertionError("not reached")

    def rebind(self) -> None:
        """Drop every tcp connection, so that who comes again is asked for his key. Raises zmq.ZMQError."""
        place = self.places.get("tcp")
        if place is None:
            return
        for bound in (self._publishers, self.routers):
            bound.pop(0).close(0)
        place = self._bind_tcp(place.updates)
        # They go first again, as `open` left them.
        for sockets in (self._publishers, self.routers):
            sockets.insert(0, sockets.pop())
        self.places["tcp"] = place

    def _publisher(self, keys: KeyPair | None) -> Socket:
        publisher = self.context.socket(zmq.PUB)
        publisher.setsockopt(zmq.SNDHWM, SEND_FRAMES)
        self._publishers.append(self._secured(publisher, keys))
        return publisher

    def _router(self, keys: KeyPair | None) -> Socket:
        router = self.context.socket(zmq.ROUTER)
        router.setsockopt(zmq.SNDTIMEO, 0)
        router.setsockopt(zmq.SNDHWM, 1_000)
        router.setsockopt(zmq.RCVHWM, 1_000)
        self.routers.append(self._secured(router, keys))
        return router

    def _secured(self, socket: Socket, keys: KeyPair | None) -> Socket:
        socket.linger = 0
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE)
        socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
        socket.setsockopt(zmq.HEARTBEAT_IVL, 1_000)
        socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 5_000)
        if keys is not None:
            socket.curve_server = True
            socket.curve_secretkey, socket.curve_publickey = keys.secret, keys.public
            socket.setsockopt(zmq.ZAP_DOMAIN, ZAP_DOMAIN)
            # Without this, libzmq lets everybody in when nobody answers its authentication requests.
            socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
        return socket

    def wakes(self, endpoint: str) -> Socket:
        """What the server says whenever the journal has grown; it may come and go."""
        socket = self.context.socket(zmq.SUB)
        socket.linger = 0
        socket.setsockopt(zmq.RECONNECT_IVL, 50)
        socket.setsockopt(zmq.RCVHWM, 10)
        socket.subscribe(b"")
        socket.connect(endpoint)
        return socket

    def publish(self, frame: bytes) -> None:
        """To every subscriber of its topic that keeps up; never waits."""
        for publisher in self._publishers:
            publisher.send(frame)

    def answer(self, router: Socket, frames: list[bytes]) -> None:
        """Send an answer, unless the asker does not read."""
        with contextlib.suppress(zmq.Again):
            router.send_multipart(frames)

    def close(self) -> None:
        for path in self._local:
            path.unlink(missing_ok=True)
        if self.zap is not None:
            self.zap.close()
        self.context.destroy(0)
