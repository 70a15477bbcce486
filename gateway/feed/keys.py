"""Who may subscribe on tcp: every key that may log on to the venue, whatever its role. The rules are the server's."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from engine.schema import EventKind
from gateway.journal import messages_of
from gateway.security import SecurityError, read_public_files, until_ns
from gateway.sessions import Registry
from replay import JournalReader
from replay.scan import Batch


class Subscribers:
    """Keys of the journal's sessions and of the keys folder, read again whenever the folder has changed.

    Args:
        reader: the venue's journal.
        folder: the keys folder.
        say: takes lines for the operator.
    """

    def __init__(self, reader: JournalReader, folder: Path, say: Callable[[str], None]) -> None:
        self._registry = Registry(1, 1, 1)
        self._folder = folder
        self._say = say
        self._seen = -1
        self._opened = 0
        for batch in reader.noted():
            self.learn(batch)
        self._read(starting=True)
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
            self._seen = -1

    def look(self) -> bool:
        """Read what has changed; True when a key that was valid is so no longer."""
        now = time.time_ns()
        if self._registry.next_expiry and now >= self._registry.next_expiry:
            self._registry.forget_expired(now)
        if self._stamp() != self._seen:
            self._read(starting=False)
        before, self._admitted = self._admitted, self._valid()
        return bool(before - self._admitted)

    def _valid(self) -> frozenset[str]:
        return frozenset(key for key in self._registry.keys if self._registry.admits(key))

    def _stamp(self) -> int:
        """Changes with every file that is written anew or removed."""
        sessions = self._folder / "sessions"
        return sessions.stat().st_mtime_ns if sessions.is_dir() else 0

    def _read(self, starting: bool) -> None:
        self._seen = self._stamp()
        try:
            files = read_public_files(self._folder)
        except SecurityError as error:
            self._say(f"Keys not read again, all stays as it was: {error}")
            return
        for file in files:
            session = self._registry.by_name(file.name)
            if session is not None:
                previous = [(p.public_key, until_ns(p.until)) for p in file.previous if p.until or not starting]
                self._registry.set_keys(session, file.public_key, previous, time.time_ns())
