"""`python -m gateway.feed OPTIONS.json`: the feed as a process of its own; ends on SIGTERM or with its server.

Exit codes are those of `carbonbook`: 0 stopped, 2 wrong options, 3 corrupt, 4 diverged, 5 another feed runs here.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec
import zmq

from gateway.addresses import MAX_FEED_PORT, check_tcp
from gateway.feed.doors import FeedDoors
from gateway.feed.follower import Feed
from gateway.feed.keys import Subscribers
from gateway.security import SecurityError, read_secret
from replay import JournalError
from replay.replica import Replica

ENDPOINTS: Final = "feed.json"
LOCK: Final = "feed.lock"
LOCK_SECONDS: Final = 10.0
"""How long the feed of a server that was killed may take to notice it."""
EXIT_USAGE: Final = 2
EXIT_LOCKED: Final = 5


class FeedOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a feed needs to know."""

    data: str
    """The server's data folder."""
    tcp: str = ""
    """Where updates are published, with CURVE; snapshots at the next port. Port 0 = any two; "" = none."""
    ipc: str = ""
    """Path of the local socket, mode 0600; "" = none."""
    keys: str = ""
    """The server's keys folder; "" = `<data>/keys`."""
    implementation: Literal["kernel", "reference"] = "kernel"
    parent: int = 0
    """End when this process is our parent no longer; 0 = live on one's own."""

    def __post_init__(self) -> None:
        if self.tcp:
            check_tcp(self.tcp, most=MAX_FEED_PORT)

    @property
    def folder(self) -> Path:
        return Path(self.data)

    @property
    def keys_folder(self) -> Path:
        return Path(self.keys) if self.keys else self.folder / "keys"


class Locked(Exception):
    """Another feed serves this folder."""


def serve_feed(options: FeedOptions, say: Callable[[str], None]) -> int:
    """As `run_feed`; returns the exit code, every failure said as a sentence."""
    try:
        run_feed(options, say)
    except JournalError as error:
        say(str(error))
        return error.exit_code
    except Locked as error:
        say(str(error))
        return EXIT_LOCKED
    except (SecurityError, ValueError, OSError, zmq.ZMQError) as error:
        say(str(error))
        return EXIT_USAGE
    return 0


def run_feed(options: FeedOptions, say: Callable[[str], None]) -> None:
    """Run a feed until SIGTERM or SIGINT, or until its parent is gone.

    Raises:
        JournalError, Locked, SecurityError, ValueError, OSError, zmq.ZMQError.
    """
    # The server's secret key must not end up in a core file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.append(1))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # keys are looked at every second

    def is_over() -> bool:
        return bool(stopping) or bool(options.parent and os.getppid() != options.parent)

    with _alone(options.folder, is_over) as is_held:
        if is_held:
            _run(options, is_over, say)


def _run(options: FeedOptions, is_over: Callable[[], bool], say: Callable[[str], None]) -> None:
    folder = options.folder
    replica = Replica(folder / "journal", options.implementation)
    keys = read_secret(options.keys_folder / "server.secret") if options.tcp else None
    subscribers = Subscribers(replica.reader, options.keys_folder, folder, say) if options.tcp else None
    doors = FeedDoors()
    try:
        ipc = f"ipc://{Path(options.ipc).absolute()}" if options.ipc else ""
        doors.open(options.tcp, ipc, keys, subscribers.admits if subscribers else lambda _: False)
        feed = Feed(replica, doors, f"ipc://{(folder / 'wake.sock').absolute()}", subscribers, is_over)
        feed.catch_up()
        _tell(folder, doors, keys.public.decode() if keys else "")
        for place in doors.places.values():
            say(f"Publishing on {place.updates}, snapshots on {place.snapshots}")
        say("Ready")
        feed.run()
    finally:
        (folder / ENDPOINTS).unlink(missing_ok=True)
        doors.close()


def _tell(folder: Path, doors: FeedDoors, public_key: str) -> None:
    """Write down where we are, for clients on this machine."""
    places = {name: place.updates for name, place in doors.places.items()}
    told = {"tcp": places.get("tcp", ""), "ipc": places.get("ipc", ""), "public_key": public_key, "pid": os.getpid()}
    temporary = folder / f"{ENDPOINTS}.tmp"
    temporary.write_bytes(msgspec.json.encode(told))
    temporary.replace(folder / ENDPOINTS)


@contextlib.contextmanager
def _alone(folder: Path, is_over: Callable[[], bool]) -> Iterator[bool]:
    """Hold the folder's lock, which the system takes back however we end; False: over before that. Raises Locked."""
    deadline, held = time.monotonic() + LOCK_SECONDS, False
    with (folder / LOCK).open("wb") as file:
        while not held and not is_over():
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held = True
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Locked(f"{folder}: another feed runs here; stop it first") from None
                time.sleep(0.05)
        yield held


def _print(line: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(line, flush=True)


def _log(line: str) -> None:
    """Beside a server: its standard output is its own, where others wait for its words."""
    with contextlib.suppress(BrokenPipeError):
        print(f"Feed: {line}", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """`python -m gateway.feed OPTIONS.json`, or the JSON itself."""
    given = sys.argv[1:] if arguments is None else arguments
    if len(given) != 1:
        print("usage: python -m gateway.feed OPTIONS.json", file=sys.stderr)
        return EXIT_USAGE
    try:
        text = given[0].encode() if given[0].startswith("{") else Path(given[0]).read_bytes()
        options = msgspec.json.decode(text, type=FeedOptions)
    except (OSError, msgspec.DecodeError) as error:
        print(f"{given[0]}: {error}", file=sys.stderr)
        return EXIT_USAGE
    return serve_feed(options, _log if options.parent else _print)


if __name__ == "__main__":
    sys.exit(main())
