"""Who may subscribe on tcp: every key that may log on to the venue, whatever its role. The rules are the server's."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from engine.schema import EventKind
from gateway.config import ENDPOINTS
from gateway.journal import messages_of
from gateway.security import SecurityError, over_at_start, read_public_files, still_valid
from gateway.sessions import Registry
from replay import JournalReader
from replay.scan import Batch

Stamp = tuple[int, ...]


class _Start(msgspec.Struct):
    """Of what a server tells of itself, the part that matters here."""

    keys_over: list[str]


class Subscribers:
    """Keys of the journal's sessions and of the keys folder, read again whenever the folder has changed.

    Args:
        reader: the venue's journal.
        folder: the keys folder.
        data: the server's data folder, where its last start tells which keys were over with it. Where no server has
            ever started, our own start ends them.
        say: takes lines for the operator.
    """

    def __init__(self, reader: JournalReader, folder: Path, data: Path, say: Callable[[str], None]) -> None:
        self._registry = Registry(1, 1, 1)
        self._folder = folder
        self._say = say
        self._started = data / ENDPOINTS
        self._over: frozenset[str] | None = None
        self._seen: Stamp = ()
        self._opened = 0
        for batch in reader.noted():
            self.learn(batch)
        self._read()
        self._admitted = self._valid()

    def admits(self, key: str) -> bool:
        """Whether a public key (Z85) may connect now."""
        return self._registry.admits(key)

    def learn(self, batch: Batch) -> None:
        """Take in sessions that a batch opens or ends. A batch that was learnt already changes nothing."""
        events = batch.events
        if batch.last_event > self._opened and bool((events["kind"] >= EventKind.FIRM_OPENED).any()):
            self._opened = batch.last_event
            self._registry.learn(events, messages_of(batch))
            self._seen = ()

    def look(self) -> bool:
        """Read what has changed; True when a key that was valid is so no longer."""
        now = time.time_ns()
        if self._registry.next_expiry and now >= self._registry.next_expiry:
            self._registry.forget_expired(now)
        if self._stamp() != self._seen:
            self._read()
        before, self._admitted = self._admitted, self._valid()
        return bool(before - self._admitted)

    def _valid(self) -> frozenset[str]:
        return frozenset(key for key in self._registry.keys if self._registry.admits(key))

    def _stamp(self) -> Stamp:
        """Changes with every file that is written anew or removed, and with every start of the server."""
        return tuple(_written(path) for path in (self._folder / "sessions", self._started))

    def _read(self) -> None:
        self._seen = self._stamp()
        try:
            files = read_public_files(self._folder)
        except SecurityError as error:
            self._say(f"Keys not read again, all stays as it was: {error}")
            return
        told = self._told()
        if told is not None:
            self._over = told
        elif self._over is None:
            self._over = over_at_start(files)
        for file in files:
            session = self._registry.by_name(file.name)
            if session is not None:
                previous = still_valid(file, self._over)
                self._registry.set_keys(session, file.public_key, previous, time.time_ns())

    def _told(self) -> frozenset[str] | None:
        """Keys that were over with the server's last start; None where nothing tells."""
        try:
            return frozenset(msgspec.json.decode(self._started.read_bytes(), type=_Start).keys_over)
        except (OSError, msgspec.DecodeError):
            return None


def _written(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
