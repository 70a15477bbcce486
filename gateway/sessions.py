"""Firms, accounts and sessions by name and key, and what the gateway knows of each connection.

The registry is rebuilt from the journal: events give the numbers, the notes beside them the names and keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import zmq
from numpy.typing import NDArray

from engine.control import Control, OpenAccount, OpenFirm, OpenSession
from engine.schema import EventArray, EventKind, Reason, Role, Status
from gateway.directory import OPENINGS, Directory
from gateway.seats import Bucket, Kept, confirmed, seat, seats

MAX_BAD_FRAMES = 10
"""Unreadable frames after which a connection is cut."""


@dataclass(eq=False)
class Connection:
    """One client's connection: a routing id on one port. Times are CLOCK_MONOTONIC ns, bytes counted from the logon.

    What changes with every frame is kept in the session's seat, and means this connection while it is the session's.
    """

    port: Port
    identity: bytes
    session: Session
    heartbeat_ns: int
    key: str = ""
    """The public key of its handshake; "" on the local socket."""
    bad_frames: int = 0
    cut_at: int = 0
    """When it was cut, 0 = it is not: its frames are dropped unread."""
    heard = Kept()
    sent = Kept()
    sent_bytes = Kept()
    confirmed_bytes = Kept()
    acknowledged = Kept()

    @property
    def seat(self) -> Any:
        return self.session.seat

    def confirm(self, token: int) -> None:
        """The client has received `token` bytes in all, modulo 2^32."""
        self.confirmed_bytes = confirmed(self.confirmed_bytes, self.sent_bytes, token)

    @property
    def outstanding(self) -> int:
        return self.sent_bytes - self.confirmed_bytes


@dataclass(eq=False)
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
    cancels: Bucket
    seat: Any = field(default_factory=seat)
    ended: bool = False
    connection: Connection | None = None
    down_at: int = 0
    down_reason: Reason = Reason.DISCONNECTED
    throttled_orders: int = 0
    throttled_cancels: int = 0
    drained: int = 0
    last_number = Kept()
    consumed = Kept()
    last_event = Kept()
    taken = Kept()

    def connect(self, connection: Connection, now: int) -> None:
        """The connection becomes the session's; its counts begin at monotonic time `now` (ns)."""
        self.connection = connection
        seat, port = self.seat, connection.port
        seat["connected"], seat["socket"] = 1, port.address
        seat["routing"] = int.from_bytes(connection.identity[1:5], "little")
        seat["heard"] = seat["sent"] = now
        seat["sent_bytes"] = seat["confirmed_bytes"] = seat["acknowledged"] = 0

    def disconnect(self) -> None:
        self.connection = None
        self.seat["connected"] = 0


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
    seats: Any = field(default_factory=seats)
    """The sessions' seats by number."""
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
        row = self.seats[number]
        role = int(event["quantity"])
        row["session"], row["operator"] = number, role == Role.OPERATOR
        most_cancels = max(self.cancels_per_second, self.commands_per_second), max(self.cancel_burst, self.burst)
        session = Session(
            number=number,
            name=opened.name if opened else f"session {number}",
            firm=int(event["aux2"]),
            role=role,
            key=opened.public_key if opened else "",
            commands=Bucket(self.commands_per_second, self.burst, row, "order"),
            cancels=Bucket(*most_cancels, row, "cancel"),
            queries=Bucket(self.queries_per_second, self.queries_per_second),
            seat=row,
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
    """A bound ROUTER with its connections by routing id. `local` is the socket without keys.

    Attributes:
        address: ZeroMQ's own socket in memory; 0 for a stand-in, which is sent to by its own methods.
        used: sent to or received from since `has_arrived` last said no.
    """

    def __init__(self, socket: zmq.Socket[bytes], endpoint: str, local: bool) -> None:
        self.socket = socket
        self.address = socket.underlying if isinstance(socket, zmq.Socket) else 0
        self.endpoint = endpoint
        self.local = local
        self._connections: dict[bytes, Connection] = {}
        self._known: NDArray[np.int64] | None = None
        self._known_at = 0
        self.used = True

    @property
    def connections(self) -> Mapping[bytes, Connection]:
        return self._connections

    def add(self, connection: Connection) -> None:
        self._connections[connection.identity] = connection
        self._known = None

    def remove(self, connection: Connection) -> None:
        """Forget a connection, if it is still there."""
        if self._connections.get(connection.identity) is connection:
            del self._connections[connection.identity]
        self._known = None

    def cut(self, connection: Connection, now: int) -> None:
        """From now on the connection's frames are dropped unread."""
        connection.cut_at = now
        self._known = None

    @property
    def known(self) -> NDArray[np.int64]:
        """Rows (number in the routing id, session) of who may send, ascending."""
        if self._known is None:
            open_ones = [c for c in self._connections.values() if not c.cut_at and len(c.identity) == 5]
            rows = sorted((int.from_bytes(c.identity[1:], "little"), c.session.number) for c in open_ones)
            self._known = np.array(rows, np.int64).reshape(-1, 2)
            self._known_at = self._known.ctypes.data
        return self._known

    @property
    def known_place(self) -> tuple[int, int]:
        """Address and length of `known`."""
        known = self.known
        return self._known_at, len(known)

    def has_arrived(self) -> bool:
        """Whether there is something to receive. When not, the socket's descriptor speaks again of what comes later."""
        self.used = bool(int(self.socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN)
        return self.used
