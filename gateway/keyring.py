"""Public key files -> sessions and the keys that open them, at start and again on SIGHUP.

A session's file decides which keys are valid; without a file it is the key that the journal opened the session with.
Keys other than the journal's are noted in the journal, so that it always tells who could log on.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from engine.control import OpenFirm, OpenSession
from engine.schema import Role
from gateway.config import Config
from gateway.security import PublicFile, SecurityError, over_at_start, read_public_files, still_valid
from gateway.service import Service
from gateway.sessions import Session


class Keyring:
    """The keys folder of one server.

    Attributes:
        over: keys that were valid until this start.
    """

    def __init__(self, config: Config, service: Service, say: Callable[[str], None]) -> None:
        self._folder = config.keys_folder
        self._service = service
        self._registry = service.registry
        self._exchange = service.exchange
        self._say = say
        self._noted = ""
        self.over: frozenset[str] = frozenset()

    def load(self, timestamp: int) -> None:
        """At start: every file becomes a session, its firm opened when it is new. Raises SecurityError."""
        files = read_public_files(self._folder)
        self.over = over_at_start(files)
        self._apply(files, timestamp)

    def reload(self) -> None:
        """Take in what has changed; sessions connected with a key that is no longer valid are ended."""
        try:
            files = read_public_files(self._folder)
        except SecurityError as error:
            self._say(f"Keys not read again, all stays as it was: {error}")
            return
        self._apply(files, None)
        self._say(f"Keys read again: {len(files)} sessions in {self._folder}")
        self.expire()

    def expire(self) -> None:
        """End the sessions that are connected with a key whose time is over."""
        for name in self._service.cut_revoked():
            self._say(f"Session {name} ended: its key is no longer valid")

    def tick(self) -> None:
        """Look whether a key's time is over; costs nothing while none has an end."""
        if self._registry.next_expiry and time.time_ns() >= self._registry.next_expiry:
            self._registry.forget_expired(time.time_ns())
            self.expire()

    def _apply(self, files: list[PublicFile], timestamp: int | None) -> None:
        told = []
        for file in files:
            session = self._registry.by_name(file.name) or self._open(file, timestamp)
            if session is None:
                self._say(f"Session {file.name} could not be opened: a table is full")
                continue
            previous = still_valid(file, self.over)
            if not self._registry.set_keys(session, file.public_key, previous, time.time_ns()):
                self._say(f"Key of {file.name} ignored: it belongs to another session")
            elif previous or file.public_key != session.key:
                told.append(f"{file.name} {file.public_key}" + "".join(f" {p.public_key}" for p in file.previous))
        text = f"keys: {'; '.join(told)}"
        if told and text != self._noted:
            self._noted = text
            self._exchange.note(text)

    def _open(self, file: PublicFile, timestamp: int | None) -> Session | None:
        registry, service, exchange = self._registry, self._service, self._exchange
        firm = registry.firm_number(file.firm) if file.firm else 0
        if file.firm and not firm:
            service.publish(*exchange.commit_control(OpenFirm(file.firm), timestamp=timestamp))
            firm = registry.firm_number(file.firm)
        opened = OpenSession(firm, file.name, int(Role[file.role.upper()]), file.public_key)
        service.publish(*exchange.commit_control(opened, timestamp=timestamp))
        return registry.by_name(file.name)
