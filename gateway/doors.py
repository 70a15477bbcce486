"""The server's sockets: order entry on tcp and locally, authentication, and the one that wakes followers."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import zmq

from gateway import wire
from gateway.config import Config
from gateway.security import ZAP_DOMAIN, Authenticator, KeyPair, require_refusal
from gateway.sessions import Port

HANDSHAKE_MS: Final = 2_000
SEND_FRAMES: Final = 100_000
"""Send high-water mark per client; the credit in bytes ends a slow client long before."""
RECEIVE_FRAMES: Final = 2_000


class Doors:
    """Everything bound. Made empty; `open` binds, `close` releases, whatever had been bound.

    Attributes:
        ports: the ROUTERs that clients connect to.
        endpoint, ipc_endpoint: as bound; "" where there is none.
        zap: answers authentication requests.
    """

    def __init__(self) -> None:
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.ports: list[Port] = []
        self.endpoint = ""
        self.ipc_endpoint = ""
        self.zap: Authenticator | None = None
        self._wakes: zmq.Socket[bytes] | None = None
        self._local: list[Path] = []

    def open(self, config: Config, keys: KeyPair, admits: Callable[[str], bool]) -> None:
        """Bind everything, and prove that strangers are refused. Raises SecurityError, ValueError, zmq.ZMQError."""
        self.context.set(zmq.MAX_SOCKETS, 65_000)
        self.zap = Authenticator(self.context, admits)
        if config.tcp:
            router = self._router()
            router.curve_server = True
            router.curve_secretkey = keys.secret
            router.curve_publickey = keys.public
            router.setsockopt(zmq.ZAP_DOMAIN, ZAP_DOMAIN)
            # Without this, libzmq lets everybody in when nobody answers its authentication requests.
            router.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
            router.bind(config.tcp)
            self.endpoint = router.getsockopt_string(zmq.LAST_ENDPOINT).rstrip("\0")
            self.ports.append(Port(router, self.endpoint, local=False))
            require_refusal(self.context, self.endpoint, keys.public, self.zap.serve)
        if config.ipc:
            router = self._router()
            self._local.append(bind_private(router, config.ipc_endpoint))
            self.ipc_endpoint = config.ipc_endpoint
            self.ports.append(Port(router, self.ipc_endpoint, local=True))
        self._wakes = self.context.socket(zmq.PUB)
        self._wakes.linger = 0
        self._local.append(bind_private(self._wakes, config.wake_endpoint))

    def _router(self) -> zmq.Socket[bytes]:
        router = self.context.socket(zmq.ROUTER)
        router.setsockopt(zmq.ROUTER_MANDATORY, 1)
        router.setsockopt(zmq.ROUTER_HANDOVER, 0)
        router.setsockopt(zmq.SNDTIMEO, 0)
        router.setsockopt(zmq.SNDHWM, SEND_FRAMES)
        router.setsockopt(zmq.RCVHWM, RECEIVE_FRAMES)
        router.setsockopt(zmq.MAXMSGSIZE, wire.MAX_MESSAGE)
        router.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
        router.setsockopt(zmq.HEARTBEAT_IVL, 1_000)
        router.setsockopt(zmq.HEARTBEAT_TIMEOUT, 3_000)
        router.setsockopt(zmq.LINGER, 0)
        return router

    def wake(self, command_sequence: int) -> None:
        """Tell followers that the journal has grown."""
        if self._wakes is not None:
            with contextlib.suppress(zmq.ZMQError):
                self._wakes.send(command_sequence.to_bytes(8, "little"), zmq.NOBLOCK)

    def linger(self, milliseconds: int) -> None:
        """How long closing may wait for what has been sent."""
        for port in self.ports:
            port.socket.linger = milliseconds

    def close(self) -> None:
        for port in self.ports:
            port.socket.close()
        self.ports = []
        if self._wakes is not None:
            self._wakes.close()
        if self.zap is not None:
            self.zap.close()
        for path in self._local:  # only what we bound: another server may run on this folder
            path.unlink(missing_ok=True)
        self._local = []
        # Also closes a socket whose bind failed, which `term` would wait for for ever.
        self.context.destroy()


def bind_private(bound: zmq.Socket[bytes], endpoint: str) -> Path:
    """Bind a local socket that only its owner may open (mode 0600); returns its path."""
    path = Path(endpoint.removeprefix("ipc://"))
    if len(os.fsencode(path)) > zmq.IPC_PATH_MAX_LEN:
        raise ValueError(f"{path}: a local socket's path may have {zmq.IPC_PATH_MAX_LEN} bytes; choose a shorter one")
    path.parent.mkdir(parents=True, exist_ok=True)
    before = os.umask(0o177)
    try:
        bound.bind(endpoint)
    finally:
        os.umask(before)
    path.chmod(0o600)
    return path
