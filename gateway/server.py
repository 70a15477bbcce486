"""The server: one process, one thread, one loop.

    drain what has arrived -> check -> stamp -> apply -> journal, durably -> reply -> wake followers

The loop blocks in poll, then takes everything that has arrived, up to a bound, as one batch; it never waits for more.
`serve` runs it until SIGTERM or SIGINT, which only set a flag: what has arrived is carried out, the journal sealed.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import zmq

from engine.control import OpenFirm, OpenSession
from engine.schema import EventKind, Reason, Role
from engine.venue import VenueError
from gateway import wire
from gateway.calendar import NEVER
from gateway.config import Config, load_config
from gateway.exchange import Exchange, Surprise
from gateway.journal import open_journal, read_history
from gateway.routing import last_events
from gateway.security import ZAP_DOMAIN, Authenticator, SecurityError, read_public_files, require_refusal, server_keys
from gateway.service import Service
from gateway.sessions import Port, Registry
from replay import JournalError

HANDSHAKE_MS: Final = 2_000
SEND_FRAMES: Final = 100_000
"""Send high-water mark per client; the credit in bytes ends a slow client long before."""
RECEIVE_FRAMES: Final = 2_000
TICK_MS: Final = 50
LINGER_MS: Final = 500
EXIT_SURPRISE: Final = 8
EXIT_USAGE: Final = 2
ENDPOINTS: Final = "endpoints.json"


class Server:
    """An exchange behind sockets.

    Args:
        config: see `gateway.config.Config`.
        say: takes lines for the operator.

    Attributes:
        endpoint: the tcp endpoint as bound, "" without one; `ipc_endpoint` likewise.
        public_key: the server's CURVE key (Z85), which clients need.
        service, exchange, registry: set by `start`.
    """

    def __init__(self, config: Config, say: Callable[[str], None] = print) -> None:
        self.config = config
        self.endpoint = ""
        self.ipc_endpoint = ""
        self.public_key = ""
        self._say = say
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._ports: list[Port] = []
        self._local: list[Path] = []
        self._stopping = threading.Event()
        # A byte in here ends the poll at once; a signal handler may do no more than that.
        self._waker, self._wake_end = socket.socketpair()
        self._waker.setblocking(False)
        self._wake_end.setblocking(False)
        self._sealed_at = -1
        self._told = 0
        self._quiet_batches = -1

    # --- start ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Create or recover the journal, catch up with the calendar, bind, and prove that strangers are refused.

        Raises:
            JournalError, VenueError, SecurityError, Surprise, ValueError, zmq.ZMQError: nothing is bound.
        """
        try:
            self._open()
            self._bind()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        config = self.config
        keys = server_keys(config.keys_folder)
        self.public_key = keys.public.decode()
        self._keys = keys
        opened = open_journal(config)
        self._say(opened.report)
        self.exchange = Exchange(opened, config)
        self.registry = Registry(config.commands_per_second, config.burst, config.queries_per_second)
        self.service = Service(self.exchange, self.registry, config)
        read_history(opened.reader, self._learn)
        self._begin()

    def _learn(self, commands: Any, events: Any, messages: Any) -> None:
        self.exchange.recent.add(commands, events)
        self.registry.learn(events, messages)
        self.service.duplicates.learn(commands)
        for number, sequence in last_events(events).items():
            if number in self.registry.sessions:
                self.registry.sessions[number].last_event = sequence

    def _begin(self) -> None:
        """The first commands of a run: the clock's anchor, sessions that were lost with the last run, the opening."""
        exchange, service = self.exchange, self.service
        last = exchange.clock.last
        service.publish(exchange.begin())
        left = [number for number in exchange.connected_sessions() if number in self.registry.sessions]
        if left:
            service.publish(exchange.sessions_down([(n, Reason.DISCONNECTED) for n in left], timestamp=last))
        if exchange.created:
            for message in self.config.opening:
                events, messages = exchange.commit_control(message, timestamp=last)
                refused = events[events["kind"] == EventKind.REJECTED]
                if len(refused):
                    raise ValueError(f"opening: {message} is refused: {Reason(int(refused[0]['reason'])).name}")
                service.publish(events, messages)
        self._register_keys(last)
        service.run_calendar()

    def _register_keys(self, timestamp: int) -> None:
        """Every public key file becomes a session, its firm opened when it is new."""
        for file in read_public_files(self.config.keys_folder):
            known = self.registry.by_name(file.name)
            if known is not None:
                if known.key != file.public_key:
                    self._say(f"Key of {file.name} ignored: that session was opened with another key")
                continue
            firm = self.registry.firm_number(file.firm) if file.firm else 0
            if file.firm and not firm:
                self.service.publish(*self.exchange.commit_control(OpenFirm(file.firm), timestamp=timestamp))
                firm = self.registry.firm_number(file.firm)
            opened = OpenSession(firm, file.name, int(Role[file.role.upper()]), file.public_key)
            self.service.publish(*self.exchange.commit_control(opened, timestamp=timestamp))
            if self.registry.by_name(file.name) is None:
                self._say(f"Session {file.name} could not be opened: a table is full")

    # --- sockets --------------------------------------------------------------------------------------------------

    def _bind(self) -> None:
        config = self.config
        self._context.set(zmq.MAX_SOCKETS, 65_000)
        self._zap = Authenticator(self._context, self.registry.admits)
        if config.tcp:
            router = self._router()
            router.curve_server = True
            router.curve_secretkey = self._keys.secret
            router.curve_publickey = self._keys.public
            router.setsockopt(zmq.ZAP_DOMAIN, ZAP_DOMAIN)
            # Without this, libzmq lets everybody in when nobody answers its authentication requests.
            router.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
            router.bind(config.tcp)
            self.endpoint = router.getsockopt_string(zmq.LAST_ENDPOINT).rstrip("\0")
            self._ports.append(Port(router, self.endpoint, local=False))
            require_refusal(self._context, self.endpoint, self._keys.public, self._zap.serve)
        if config.ipc:
            router = self._router()
            self._local.append(_bind_private(router, config.ipc_endpoint))
            self.ipc_endpoint = config.ipc_endpoint
            self._ports.append(Port(router, self.ipc_endpoint, local=True))
        self._waker_pub = self._context.socket(zmq.PUB)
        self._waker_pub.linger = 0
        self._local.append(_bind_private(self._waker_pub, config.wake_endpoint))
        self._poller = zmq.Poller()
        for port in self._ports:
            self._poller.register(port.socket, zmq.POLLIN)
        self._poller.register(self._zap.socket, zmq.POLLIN)
        self._poller.register(self._wake_end.fileno(), zmq.POLLIN)
        endpoints = {"tcp": self.endpoint, "ipc": self.ipc_endpoint, "public_key": self.public_key, "pid": os.getpid()}
        _write_whole(config.data_folder / ENDPOINTS, msgspec.json.encode(endpoints))
        for port in self._ports:
            self._say(f"Listening on {port.endpoint}")

    def _router(self) -> zmq.Socket[bytes]:
        router = self._context.socket(zmq.ROUTER)
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

    # --- the loop -------------------------------------------------------------------------------------------------

    def run(self) -> int:
        """Serve until `stop`; then drain, seal and close. Returns the exit code, 0 for a clean stop.

        Raises Surprise after closing the sockets; nothing of the failed batch was answered.
        """
        try:
            next_tick = 0
            while not self._stopping.is_set():
                ready = dict(self._poller.poll(self._timeout_ms()))
                if self._zap.socket in ready:
                    self._zap.serve()
                if self._wake_end.fileno() in ready:
                    self._wake_end.recv(4096)
                self._turn(ready)
                now = time.monotonic_ns()
                if now >= next_tick:
                    next_tick = now + TICK_MS * 1_000_000
                    self._tick()
            return self._finish()
        finally:
            self.close()

    def _turn(self, ready: dict[Any, int]) -> None:
        service = self.service
        for port in self._ports:
            if port.socket in ready:
                self._drain(port)
        service.flush()
        service.run_calendar()
        service.answer_queries()
        if service.batches != self._told:
            self._told = service.batches
            self.exchange.writer.mark_sent(self.exchange.clock.peek())
            with contextlib.suppress(zmq.ZMQError):
                self._waker_pub.send(self.exchange.command_sequence.to_bytes(8, "little"), zmq.NOBLOCK)

    def _drain(self, port: Port) -> None:
        """Hand over every message that has arrived, up to the bound of one batch."""
        router, service = port.socket, self.service
        for _ in range(self.config.batch_frames):
            try:
                identity = router.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            frame = router.recv(zmq.NOBLOCK, copy=False)
            if not frame.more:
                service.receive(port, identity, frame)
                continue
            while router.get(zmq.RCVMORE):
                router.recv(zmq.NOBLOCK)
            service.malformed(port, identity)

    def _timeout_ms(self) -> int:
        wait = TICK_MS if any(port.connections for port in self._ports) or self._sealed_at < 0 else 1_000
        moment = self.exchange.schedule.next_moment
        if moment != NEVER:
            wait = min(wait, self.exchange.clock.real_ms_until(moment))
        query = self.service.query_wait_ms()
        return wait if query is None else min(wait, query)

    def _tick(self) -> None:
        self.service.beat(self._ports)
        batches = self.service.batches
        if batches != self._sealed_at:
            quiet = self._quiet_batches == batches
            self._quiet_batches = batches
            if quiet:
                self.exchange.idle()
                self._sealed_at = batches

    def _finish(self) -> int:
        """Carry out what has arrived, tell the clients, seal."""
        for port in self._ports:
            self._drain(port)
        self.service.flush()
        self.service.close_sessions(self._ports)
        digest = self.exchange.seal()
        self._say(f"Sealed after command {self.exchange.command_sequence}, state {digest.hex()}")
        for port in self._ports:
            port.socket.linger = LINGER_MS
        return 0

    def stop(self) -> None:
        """End `run` soon; safe from other threads and from signal handlers."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._waker.send(b"\0")

    def close(self) -> None:
        """Release sockets, files and lock without sealing; for after a failure."""
        exchange = getattr(self, "exchange", None)
        if exchange is not None:
            exchange.writer.close()
        for port in self._ports:
            port.socket.close()
        self._ports = []
        for name in ("_waker_pub", "_zap"):
            part = getattr(self, name, None)
            if part is not None:
                part.close()
        for path in self._local:  # only what we bound: another server may run on this folder
            path.unlink(missing_ok=True)
        self._local = []
        # Also closes a socket whose bind failed, which `term` would wait for for ever.
        self._context.destroy()
        self._waker.close()
        self._wake_end.close()


def _bind_private(bound: zmq.Socket[bytes], endpoint: str) -> Path:
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


def _write_whole(path: Path, data: bytes) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(data)
    temporary.replace(path)


def serve(config: Config, say: Callable[[str], None] = print) -> int:
    """Run a server until SIGTERM or SIGINT; returns the process's exit code."""
    # A secret key must not end up in a core file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    server = Server(config, say)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    try:
        server.start()
        say("Ready")
        return server.run()
    except JournalError as error:
        say(str(error))
        return error.exit_code
    except Surprise as error:
        say(f"Stopped, nothing of the last batch was answered: {error}")
        return EXIT_SURPRISE
    except (SecurityError, VenueError, ValueError, OSError, zmq.ZMQError) as error:
        say(str(error))
        return EXIT_USAGE


@contextlib.contextmanager
def background(config: Config, say: Callable[[str], None] = lambda _: None) -> Iterator[Server]:
    """A server in a thread of this process, sealed and stopped at the end: for notebooks, demos and tests."""
    server = Server(config, say)
    server.start()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            server.run()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, name="carbonbook", daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(30)
        if failures:
            raise failures[0]


def _print(line: str) -> None:
    """A reader that has gone away must not turn a clean stop into a failure."""
    with contextlib.suppress(BrokenPipeError):
        print(line, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """`python -m gateway.server config.json`."""
    given = sys.argv[1:] if arguments is None else arguments
    if len(given) != 1:
        print("usage: python -m gateway.server CONFIG.(toml|json)", file=sys.stderr)
        return EXIT_USAGE
    try:
        config = load_config(given[0])
    except (OSError, msgspec.DecodeError) as error:
        print(f"{given[0]}: {error}", file=sys.stderr)
        return EXIT_USAGE
    return serve(config, _print)


if __name__ == "__main__":
    sys.exit(main())
