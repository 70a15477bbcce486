"""The server: one process, one loop, and a thread that writes beside it under load.

    drain what has arrived -> check -> stamp -> apply -> journal, durably -> reply -> wake followers

The loop blocks in poll, then takes everything that has arrived, up to a bound, as one batch; it never waits for more.
`serve` runs it until SIGTERM or SIGINT, which only set a flag: what has arrived is carried out, the journal sealed.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
import zmq

from engine.schema import EventKind, Reason
from engine.venue import VenueError
from gateway import collector
from gateway.calendar import NEVER
from gateway.config import ENDPOINTS, Config, load_config
from gateway.doors import Doors
from gateway.exchange import Exchange, Surprise
from gateway.feed.keeper import FeedKeeper
from gateway.journal import ShowBar, open_journal
from gateway.keyring import Keyring
from gateway.security import SecurityError, server_keys
from gateway.service import Service
from gateway.sessions import Port, Registry
from gateway.sockets import EMPTY, EXTRA_PARTS, FULL, OTHER
from gateway.utc import clock_text
from replay import JournalError
from replay.stretch import processors
from replay.writer import SpaceState

TICK_MS: Final = 50
LINGER_MS: Final = 500
PATIENCE: Final = 4
"""So often in vain, and it is looked out for a next frame only now and then:"""
RARELY: Final = 16
"""each so many times."""
_give_way: Final[Callable[[], None]] = getattr(os, "sched_yield", lambda: time.sleep(0))  # not every system has it
EXIT_FULL: Final = 7
EXIT_USAGE: Final = 2


class Server:
    """An exchange behind sockets.

    Args:
        config: see `gateway.config.Config`.
        say: takes lines for the operator.
        show_bar: shows how far the journal has been read.

    Attributes:
        endpoint: the tcp endpoint as bound, "" without one; `ipc_endpoint` likewise.
        public_key: the server's CURVE key (Z85), which clients need.
        feed: the market data process beside it.
        service, exchange, registry: set by `start`.
    """

    def __init__(
        self, config: Config, say: Callable[[str], None] = print, show_bar: ShowBar = contextlib.nullcontext
    ) -> None:
        self.config = config
        self._show_bar = show_bar
        self.endpoint = ""
        self.ipc_endpoint = ""
        self.public_key = ""
        self._say = say
        self._doors = Doors()
        self.feed = FeedKeeper(config, say)
        self._stopping = threading.Event()
        self._reloading = threading.Event()
        # A byte in here ends the poll at once; a signal handler may do no more than that.
        self._waker, self._wake_end = socket.socketpair()
        self._waker.setblocking(False)
        self._wake_end.setblocking(False)
        self._sealed_at = -1
        self._told = 0
        self._spin_ns = config.spin_us * 1_000 if processors() > 1 else 0
        self._is_warm = False
        """Whether a frame has come since it was last looked out for one."""
        self._spins = self._in_vain = 0
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
        opened = open_journal(config, self._show_bar)
        self._say(opened.report)
        self.exchange = Exchange(opened, config)
        self.registry = Registry(
            config.commands_per_second,
            config.burst,
            config.queries_per_second,
            config.cancels_per_second,
            config.cancel_burst,
        )
        self.service = Service(self.exchange, self.registry, config, self._say)
        opened.history.tell(self.registry)
        self._begin()

    def _begin(self) -> None:
        """The first commands of a run: the clock's anchor, sessions that were lost with the last run, the opening."""
        exchange, service = self.exchange, self.service
        last = exchange.clock.last
        service.publish(exchange.start())
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
        self._keyring = Keyring(self.config, service, self._say)
        self._keyring.load(last)
        self._record_clock()
        service.run_calendar()

    def _record_clock(self) -> None:
        """Journal how far from UTC this run begins, and say so where that is not within the limit."""
        clock = self.service.utc.status()
        if clock.verdict != "own time":
            self.exchange.note(clock_text(clock))
        if clock.verdict not in ("within", "own time"):
            self._say(f"Warning: {clock_text(clock)}")

    def _bind(self) -> None:
        self._doors.open(self.config, self._keys, self.registry.admits)
        self.endpoint, self.ipc_endpoint = self._doors.endpoint, self._doors.ipc_endpoint
        self.service.serve(self._doors.ports)
        assert self._doors.zap is not None
        self._zap = self._doors.zap
        # ZeroMQ's own poll asks every socket with system calls of its own. Its descriptors tell the same, as long as a
        # socket that was used is asked once more before waiting (`Port.has_arrived`).
        self._descriptors = select.poll()
        self._by_descriptor = {port.socket.fileno(): port for port in self._doors.ports}
        others = [self._zap.socket.fileno(), self._wake_end.fileno()]
        others += [self.exchange.disk] if self.exchange.disk >= 0 else []
        for descriptor in (*self._by_descriptor, *others):
            self._descriptors.register(descriptor, select.POLLIN)
        endpoints = {
            "tcp": self.endpoint,
            "ipc": self.ipc_endpoint,
            "public_key": self.public_key,
            "pid": os.getpid(),
            "keys_over": sorted(self._keyring.over),
        }
        _write_whole(self.config.data_folder / ENDPOINTS, msgspec.json.encode(endpoints))
        for port in self._doors.ports:
            self._say(f"Listening on {port.endpoint}")
        self.feed.tick(time.monotonic())

    # --- the loop -------------------------------------------------------------------------------------------------

    def run(self) -> int:
        """Serve until `stop`; then drain, seal and close. Returns the exit code, 0 for a clean stop.

        Raises Surprise after closing the sockets; nothing of the failed batch was answered.
        """
        try:
            next_tick = 0
            while not self._stopping.is_set():
                self._turn(self._wait())
                now = time.monotonic_ns()
                if now >= next_tick:
                    next_tick = now + TICK_MS * 1_000_000
                    self._tick()
            return self._finish()
        finally:
            self.close()

    def _wait(self) -> list[Port]:
        """The ports with something to read, as soon as there is one or another duty is due."""
        arrived = [port for port in self._doors.ports if port.used and port.has_arrived()]
        if not arrived and self._is_warm:
            arrived = self._spin()
        for descriptor, _ in self._descriptors.poll(0 if arrived else self._timeout_ms()):
            port = self._by_descriptor.get(descriptor)
            if descriptor == self.exchange.disk:
                self.exchange.hear_disk()
            elif port is None:
                self._serve_others()
            elif port not in arrived:
                arrived.append(port)
        return arrived

    def _spin(self) -> list[Port]:
        """Look for the next frame for a while before sleeping: to be woken takes longer than to carry out an order.

        Where that was in vain a few times it is tried but now and then, so that it costs a quiet venue nothing.
        """
        self._is_warm = False
        self._spins += 1
        if self.exchange.has_begun or (self._in_vain >= PATIENCE and self._spins % RARELY):
            return []
        end = time.monotonic_ns() + self._spin_ns
        while time.monotonic_ns() < end:
            arrived = [port for port in self._doors.ports if port.has_arrived()]
            if arrived:
                self._in_vain = 0
                return arrived
            _give_way()  # to ZeroMQ's own thread, say, that waits for this processor with the frame
        self._in_vain += 1
        return []

    def _serve_others(self) -> None:
        """Authentication requests, and what a signal has asked for."""
        self._zap.serve()
        with contextlib.suppress(BlockingIOError):
            self._wake_end.recv(4096)
            self._reload()

    def _turn(self, arrived: list[Port]) -> None:
        service = self.service
        for port in arrived:
            self._drain(port)
        service.advance(self._more_has_come)
        service.run_calendar()
        service.answer_queries()
        if service.batches != self._told:
            self._told = service.batches
            self.exchange.writer.mark_sent(self.exchange.clock.peek())
            self._doors.wake(self.exchange.writer.durable.command - 1)
            if service.room.is_due:
                self._look_for_room()

    def _more_has_come(self) -> bool:
        return any(port.has_arrived() for port in self._doors.ports)

    def _drain(self, port: Port) -> None:
        """Take in every message that has arrived, up to the bound of one batch."""
        port.used = True
        self._is_warm = self._spin_ns > 0
        service, inbox = self.service, self.service.inbox
        for _ in range(self.config.batch_frames):
            ended = inbox.receive(port)
            if ended == EMPTY:
                return
            if ended == FULL:
                service.advance(lambda: True)
                return
            if ended == OTHER:
                service.other(*inbox.other)
            elif ended == EXTRA_PARTS:
                service.malformed(port, inbox.identity)
            else:
                self._from_stranger(port, inbox.identity)

    def _from_stranger(self, port: Port, identity: bytes) -> None:
        """The routing id is somebody's who is not logged on; the payload has still to be read."""
        try:
            frame = port.socket.recv(zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return
        if not frame.more:
            self.service.stranger(port, identity, frame)
            return
        while port.socket.get(zmq.RCVMORE):
            port.socket.recv(zmq.NOBLOCK)
        self.service.malformed(port, identity)

    def _timeout_ms(self) -> int:
        wait = TICK_MS if self._is_busy() else 1_000
        moment = self.exchange.schedule.next_moment
        if moment != NEVER:
            wait = min(wait, self.exchange.clock.real_ms_until(moment))
        return 0 if self.service.queries_wait else wait

    def _is_busy(self) -> bool:
        """Whether the tick has anything to do."""
        is_sealed = self._sealed_at == self.service.batches
        return not is_sealed or bool(self.service.losses.away) or any(port.connections for port in self._doors.ports)

    def _look_for_room(self) -> None:
        """Room in the journal; the last of it is for an orderly end."""
        if self.service.room.look(time.monotonic_ns()) is SpaceState.HALT:
            self._stopping.set()

    def _reload(self) -> None:
        if self._reloading.is_set():
            self._reloading.clear()
            self.service.flush()
            self._keyring.reload()

    def _tick(self) -> None:
        self._look_for_room()
        self._keyring.tick()
        self.feed.tick(time.monotonic())
        self.service.beat(self._doors.ports)
        batches = self.service.batches
        quiet = batches == self._quiet_batches
        collector.collect(quiet)
        if quiet:
            self.exchange.idle()
            self._sealed_at = batches
        self._quiet_batches = batches

    def _finish(self) -> int:
        """Carry out what has arrived, tell the clients, seal."""
        for port in self._doors.ports:
            self._drain(port)
        self.service.flush()
        self.service.losses.close(self._doors.ports)
        digest = self.exchange.seal()
        self._say(f"Sealed after command {self.exchange.command_sequence}, state {digest.hex()}")
        self._doors.linger(LINGER_MS)
        return EXIT_FULL if self.service.room.state is SpaceState.HALT else 0

    def stop(self) -> None:
        """End `run` soon; safe from other threads and from signal handlers."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._waker.send(b"\0")

    def reload_keys(self) -> None:
        """Read the keys folder again soon; safe from other threads and from signal handlers."""
        self._reloading.set()
        with contextlib.suppress(OSError):
            self._waker.send(b"\0")

    def handle_signals(self) -> None:
        """SIGTERM and SIGINT stop the server, SIGHUP makes it read its keys again. For the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        signal.signal(signal.SIGHUP, lambda *_: self.reload_keys())

    def close(self) -> None:
        """Release sockets, files and lock without sealing; for after a failure."""
        exchange = getattr(self, "exchange", None)
        if exchange is not None:
            exchange.writer.close()
        service = getattr(self, "service", None)
        if service is not None:
            service.queries.close()
        self.feed.close()
        self._doors.close()
        self._waker.close()
        self._wake_end.close()


def _write_whole(path: Path, data: bytes) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(data)
    temporary.replace(path)


def serve(config: Config, say: Callable[[str], None] = print) -> int:
    """Run a server until SIGTERM or SIGINT; returns the process's exit code."""
    # A secret key must not end up in a core file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    server = Server(config, say)
    server.handle_signals()
    try:
        server.start()
        with collector.on_request():
            say("Ready")
            return server.run()
    except JournalError as error:
        say(str(error))
        return error.exit_code
    except Surprise as error:
        say(f"Stopped, nothing of the last batch was answered: {error}")
        return error.exit_code
    except (SecurityError, VenueError, ValueError, OSError, zmq.ZMQError) as error:
        say(str(error))
        return EXIT_USAGE


@contextlib.contextmanager
def background(config: Config, say: Callable[[str], None] = lambda _: None) -> Iterator[Server]:
    """A server in a thread of this process, sealed and stopped at the end: for notebooks, demos and tests."""
    # Looking out would hold the interpreter's lock against the clients in this process.
    server = Server(msgspec.structs.replace(config, spin_us=0), say)
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
