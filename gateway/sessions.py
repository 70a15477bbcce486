"""Firms, accounts and sessions by name and key, and what the gateway knows of each connection.

The registry is rebuilt from the journal: events give the numbers, the notes beside them the names and keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import zmq

from engine.control import Control, OpenAccount, OpenFirm, OpenSession
from engine.schema import EventArray, EventKind, Reason, Role, Status
from gateway.directory import OPENINGS, Directory

MAX_BAD_FRAMES = 10
"""Unreadable frames after which a connection is cut."""


@dataclass(slots=True)
class Bucket:
    """A token bucket on real time: `rate` a second, at most `burst` at once."""

    rate: int
    burst: int
    tokens: float = 0.0
    at: int = 0

    def fits(self, count: int, now: int) -> bool:
        """Whether there are `count` tokens at monotonic time `now` (ns)."""
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate / 1e9) if self.at else self.burst
        self.at = now
        return self.tokens >= count

    def take(self, count: int, now: int) -> bool:
        """Take `count` tokens at monotonic time `now` (ns) when there are enough."""
        if not self.fits(count, now):
            return False
        self.tokens -= count
        return True

    def wait_ms(self, count: int) -> int:
        """Milliseconds, rounded up, until `count` tokens are there, as last seen; 0 = never."""
        if count > self.burst or not self.rate:
            return 0
        return max(1, int((count - self.tokens) * 1_000 / self.rate) + 1)


@dataclass(slots=True, eq=False)
class Connection:
    """One client's connection: a routing id on one port. Times are CLOCK_MONOTONIC ns, bytes counted from the logon."""

    port: Any
    identity: bytes
    session: Session
    heartbeat_ns: int
    heard: int
    sent: int
    sent_bytes: int = 0
    confirmed_bytes: int = 0
    acknowledged: int = 0
    bad_frames: int = 0
    cut: bool = False
    key: str = ""
    """The public key of its handshake; "" on the local socket."""

    def confirm(self, token: int) -> None:
        """The client has received `token` bytes in all, modulo 2^32."""
        ahead = (token - self.confirmed_bytes) & 0xFFFFFFFF
        # More than was sent is no honest count; it must not buy credit.
        if self.confirmed_bytes + ahead <= self.sent_bytes:
            self.confirmed_bytes += ahead

    @property
    def outstanding(self) -> int:
        return self.sent_bytes - self.confirmed_bytes


@dataclass(slots=True, eq=False)
class Session:
    """A session of the venue.

    `last_number` is the last client_order_id taken in, `consumed` the last one whose command is durable, `last_event`
    the sequence of the session's last event. `down_at`: monotonic ns at which a session that is away goes down, 0 when
    it is not away. The counts at the end are those of the status query.
    """

    number: int
    name: str
    firm: int
    role: int
    key: str
    commands: Bucket
    queries: Bucket
    cancels: Bucket = field(default_factory=lambda: Bucket(0, 0))
    ended: bool = False
    last_number: int = 0
    consumed: int = 0
    last_event: int = 0
    connection: Connection | None = None
    down_at: int = 0
    down_reason: Reason = Reason.DISCONNECTED
    taken: int = 0
    throttled_orders: int = 0
    throttled_cancels: int = 0
    drained: int = 0


@dataclass
class Registry:
    """Names and keys of everything the journal has opened."""

    commands_per_second: int
    burst: int
    queries_per_second: int
    cancels_per_second: int = 0
    """Never less than for orders; `cancel_burst` likewise."""
    cancel_burst: int = 0
    firms: dict[int, str] = field(default_factory=dict)
    accounts: dict[int, tuple[str, int]] = field(default_factory=dict)
    """number -> (name, firm)"""
    sessions: dict[int, Session] = field(default_factory=dict)
    next_expiry: int = 0
    """UTC ns at which the next key loses its validity; 0 = none does."""
    directory: Directory = field(default_factory=Directory)
    _by_key: dict[str, Session] = field(default_factory=dict)
    _until: dict[str, int] = field(default_factory=dict)
    _by_name: dict[str, Session] = field(default_factory=dict)
    _operators: int = 0

    def by_key(self, key: str) -> Session | None:
        return self._by_key.get(key)

    def by_name(self, name: str) -> Session | None:
        return self._by_name.get(name)

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that belongs to a session."""
        return tuple(self._by_key)

    def admits(self, key: str) -> bool:
        """Whether a public key may connect: it belongs to a session that has not been ended."""
        session = self._by_key.get(key)
        return session is not None and not session.ended

    def set_keys(self, session: Session, key: str, previous: list[tuple[str, int]], now: int) -> bool:
        """Make `key`, and `previous` ones until their UTC ns (0 = no end), the only keys of a session.

        Returns:
            False when `key` belongs to another session, which keeps it; nothing was changed.
        """
        if self._by_key.get(key, session) is not session:
            return False
        self._by_key = {k: s for k, s in self._by_key.items() if s is not session}
        self._by_key[key] = session
        self._until.pop(key, None)
        for old, until in previous:
            if self._by_key.setdefault(old, session) is session and old != key and until:
                self._until[old] = until
        self.forget_expired(now)
        return True

    def forget_expired(self, now: int) -> None:
        """Drop keys whose time is over at UTC ns `now`."""
        over = [key for key, until in self._until.items() if until <= now]
        for key in over:
            del self._until[key]
            self._by_key.pop(key, None)
        self.next_expiry = min(self._until.values(), default=0)

    @property
    def has_operators(self) -> bool:
        return self._operators > 0

    def firm_number(self, name: str) -> int:
        """0 when there is no such firm."""
        return next((number for number, known in self.firms.items() if known == name), 0)

    def learn(self, events: EventArray, messages: Mapping[int, Control]) -> None:
        """Take in what administrative commands have opened or changed; `messages` by first command sequence."""
        for event in events[np.isin(events["kind"], ADMINISTRATIVE)]:
            self._learn(event, messages.get(int(event["command_sequence"])))

    def _learn(self, event: Any, message: Control | None) -> None:
        number = int(event["aux"])
        if event["kind"] in OPENINGS:
            self.directory.take(event)
        match EventKind(event["kind"]):
            case EventKind.FIRM_OPENED:
                self.firms[number] = message.name if isinstance(message, OpenFirm) else f"firm {number}"
            case EventKind.ACCOUNT_OPENED:
                account = int(event["account"])
                name = message.name if isinstance(message, OpenAccount) else f"account {account}"
                self.accounts[account] = (name, number)
            case EventKind.SESSION_OPENED:
                self._open_session(number, event, message)
            case EventKind.SESSION_STATUS_SET:
                self.sessions[number].ended = int(event["aux2"]) == Status.ENDED
            case _:
                raise AssertionError(event["kind"])

    def _open_session(self, number: int, event: Any, message: Control | None) -> None:
        opened = message if isinstance(message, OpenSession) else None
        session = Session(
            number=number,
            name=opened.name if opened else f"session {number}",
            firm=int(event["aux2"]),
            role=int(event["quantity"]),
            key=opened.public_key if opened else "",
            commands=Bucket(self.commands_per_second, self.burst),
            cancels=Bucket(max(self.cancels_per_second, self.commands_per_second), max(self.cancel_burst, self.burst)),
            queries=Bucket(self.queries_per_second, self.queries_per_second),
        )
        self.sessions[number] = session
        self._operators += session.role == Role.OPERATOR
        # The first holder of a name or key keeps it: a later message cannot take another session over.
        self._by_name.setdefault(session.name, session)
        if session.key:
            self._by_key.setdefault(session.key, session)

    def accounts_of(self, session: Session) -> tuple[tuple[int, str], ...]:
        """(number, name) of the accounts a session may see: its firm's, or all for an operator."""
        every = session.role == Role.OPERATOR
        return tuple((n, name) for n, (name, firm) in self.accounts.items() if every or firm == session.firm)


ADMINISTRATIVE = [
    EventKind.FIRM_OPENED,
    EventKind.ACCOUNT_OPENED,
    EventKind.SESSION_OPENED,
    EventKind.SESSION_STATUS_SET,
]


class Port:
    """A bound ROUTER with its connections by routing id. `local` is the socket without keys."""

    def __init__(self, socket: zmq.Socket[bytes], endpoint: str, local: bool) -> None:
        self.socket = socket
        self.endpoint = endpoint
        self.local = local
        self.connections: dict[bytes, Connection] = {}
        self.used = True
        """Sent to or received from since `has_arrived` last said no."""

    def has_arrived(self) -> bool:
        """Whether there is something to receive. When not, the socket's descriptor speaks again of what comes later."""
        self.used = bool(int(self.socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN)
        return self.used
