"""CURVE keys on disk, the answer to ZeroMQ's authentication requests, and the start-up self-test.

Secret files are 0400 (or 0600) and refused when group or others may read them. A session's public file is JSON, so an
operator can read and copy it. Nothing here ever prints a secret.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
import zmq
from zmq.utils import z85
from zmq.utils.monitor import recv_monitor_message

from engine.control import Name

SERVER: Final = "server"
SESSIONS: Final = "sessions"
ZAP_ENDPOINT: Final = "inproc://zeromq.zap.01"
ZAP_DOMAIN: Final = b"carbonbook"
RoleName = Literal["trader", "operator", "reader"]
Z85Key = Annotated[str, msgspec.Meta(pattern=r"^[!-~]{40}\Z")]
NameOrNone = Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9 _.-]{0,39})?\Z")]
"""As `engine.control.Name`, or empty."""


class SecurityError(Exception):
    """Keys that are missing, unreadable or too readable, or a server that lets strangers in."""


class PreviousKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key that was replaced; `until`: ISO 8601 with offset, or "" for until the server's next start."""

    public_key: Z85Key
    until: str = ""


class PublicFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What `sessions/NAME.pub` holds. `firm` may be "" for operators and readers."""

    name: Name
    public_key: Z85Key
    firm: NameOrNone = ""
    role: RoleName = "trader"
    previous: tuple[PreviousKey, ...] = ()
    """Keys that are still valid beside the present one."""


class KeyPair(msgspec.Struct, frozen=True):
    """Z85 keys; `secret` stays out of every repr."""

    public: bytes
    secret: bytes

    def __repr__(self) -> str:
        return f"KeyPair(public={self.public.decode()})"


def create_server_keys(folder: str | Path) -> KeyPair:
    """Make server.secret and server.pub. Raises SecurityError when they exist."""
    return _create(Path(folder), SERVER, lambda public: f"{public}\n".encode(), Path(folder) / f"{SERVER}.pub")


def create_session_keys(folder: str | Path, name: str, firm: str = "", role: RoleName = "trader") -> KeyPair:
    """Make NAME.secret for the firm and sessions/NAME.pub for the server. Raises SecurityError when they exist.

    A trader belongs to a firm, by default one of its own name; operators and readers need none.
    """
    firm = firm or (name if role == "trader" else "")
    try:
        checked = msgspec.convert({"name": name, "public_key": "0" * 40, "firm": firm, "role": role}, PublicFile)
    except msgspec.ValidationError as error:
        raise SecurityError(f"session {name!r}: {error}; use letters, digits, space, _ . - (40 at most)") from None
    if name == SERVER:
        raise SecurityError(f"a session cannot be called {SERVER!r}")

    def public_file(public: str) -> bytes:
        return msgspec.json.format(msgspec.json.encode(msgspec.structs.replace(checked, public_key=public))) + b"\n"

    return _create(Path(folder), name, public_file, Path(folder) / SESSIONS / f"{name}.pub")


def _create(folder: Path, name: str, public_file: Callable[[str], bytes], public_path: Path) -> KeyPair:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    public_path.parent.mkdir(exist_ok=True, mode=0o700)
    public, secret = zmq.curve_keypair()
    _write_new(folder / f"{name}.secret", secret + b"\n", 0o400)
    _write_new(public_path, public_file(public.decode()), 0o644)
    return KeyPair(public, secret)


def rotate_session_keys(folder: str | Path, name: str, until: str | None = "") -> KeyPair:
    """A new pair for a session. NAME.secret is the new one; one that lay there before is kept as NAME.secret.before.

    Args:
        until: the old key stays valid until then (ISO 8601 with offset), "" = until the server's next start; None = it
            is revoked at once, with every earlier one.

    Raises:
        SecurityError: no such session, or `until` is no moment.
    """
    folder = Path(folder)
    file = next((file for file in read_public_files(folder) if file.name == name), None)
    if file is None:
        raise SecurityError(f"{folder / SESSIONS}: no session {name!r}; `carbonbook keys list` shows them")
    previous: tuple[PreviousKey, ...] = ()
    if until is not None:
        ends, now = until_ns(until), time.time_ns()
        if ends and ends <= now:
            raise SecurityError(f"until {until!r} has passed already; to end the old key at once, revoke it")
        kept = tuple(p for p in file.previous if not p.until or until_ns(p.until) > now)
        previous = (PreviousKey(file.public_key, until), *kept)
    public, secret = zmq.curve_keypair()
    path = folder / f"{name}.secret"
    fresh = folder / f"{name}.secret.new"
    fresh.unlink(missing_ok=True)
    _write_new(fresh, secret + b"\n", 0o400)
    if path.exists():
        path.replace(folder / f"{name}.secret.before")
    fresh.replace(path)
    changed = msgspec.structs.replace(file, public_key=public.decode(), previous=previous)
    where = next(p for p in (folder / SESSIONS).glob("*.pub") if _decode_public(p).name == name)
    temporary = where.with_suffix(".tmp")
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(changed)) + b"\n")
    temporary.replace(where)
    return KeyPair(public, secret)


def until_ns(until: str) -> int:
    """UTC ns of a PreviousKey's end; 0 for "". Raises SecurityError."""
    if not until:
        return 0
    try:
        moment = datetime.fromisoformat(until)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise SecurityError(f"{until!r}: write a time with its offset, such as 2026-01-31T18:00:00+08:00")
    return int(moment.timestamp()) * 1_000_000_000


def _write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a file that must not exist yet, readable as `mode` says from the first byte on. Raises SecurityError."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except FileExistsError:
        raise SecurityError(f"{path} exists; move it away first, it is not overwritten") from None
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def read_secret(path: str | Path) -> KeyPair:
    """A pair from its secret file. Raises SecurityError when group or others may read it."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise SecurityError(f"{path}: {error.strerror}; `carbonbook keys new` makes one") from None
    with os.fdopen(handle, "rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise SecurityError(f"{path} may be read by others (mode {mode:04o}); run chmod 0400 on it")
        secret = file.read(200).strip()
    try:
        return KeyPair(zmq.curve_public(secret), secret)
    except (zmq.ZMQError, ValueError):
        raise SecurityError(f"{path} holds no CURVE secret key (40 characters of Z85)") from None


def read_server_public(source: str | Path | bytes) -> bytes:
    """The server's public key: 40 Z85 characters, or the path of server.pub. Raises SecurityError."""
    if isinstance(source, bytes) and len(source) == 40:
        return source
    path = Path(os.fsdecode(source))
    try:
        text = path.read_bytes().strip()
    except OSError as error:
        raise SecurityError(f"{path}: {error.strerror}; the server writes it as server.pub") from None
    if len(text) != 40:
        raise SecurityError(f"{path} holds no CURVE public key (40 characters of Z85)")
    return text


def server_keys(folder: Path) -> KeyPair:
    """The server's pair, made when there is none yet."""
    path = folder / f"{SERVER}.secret"
    return read_secret(path) if path.exists() else create_server_keys(folder)


def read_public_files(folder: Path) -> list[PublicFile]:
    """Every sessions/*.pub, by file name. Raises SecurityError."""
    return [_decode_public(path) for path in sorted((folder / SESSIONS).glob("*.pub"))]


def over_at_start(files: list[PublicFile]) -> frozenset[str]:
    """Keys that were valid until the server's next start, when that is now."""
    return frozenset(p.public_key for file in files for p in file.previous if not p.until)


def still_valid(file: PublicFile, over: Collection[str]) -> list[tuple[str, int]]:
    """Previous keys and the UTC ns of their ends (0 = the server's next start), but for those that are `over`."""
    return [(p.public_key, until_ns(p.until)) for p in file.previous if p.until or p.public_key not in over]


def _decode_public(path: Path) -> PublicFile:
    try:
        file = msgspec.json.decode(path.read_bytes(), type=PublicFile)
        for previous in file.previous:
            until_ns(previous.until)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, SecurityError) as error:
        raise SecurityError(f"{path}: {error}") from None
    return file


class Authenticator:
    """Answers ZeroMQ's authentication requests inside the server's own loop: no thread, and closed when it stops.

    Args:
        known: says whether a Z85 public key may connect now.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], known: Callable[[str], bool]) -> None:
        self._known = known
        self.socket = context.socket(zmq.REP)
        self.socket.linger = 0
        self.socket.bind(ZAP_ENDPOINT)
        self.refused = 0

    def serve(self) -> None:
        """Answer every request that has arrived."""
        while self.socket.poll(0):
            frames = self.socket.recv_multipart()
            request_id = frames[1] if len(frames) > 1 else b""
            user = self._user(frames)
            self.refused += not user
            status = (b"200", b"OK") if user else (b"400", b"refused")
            self.socket.send_multipart([b"1.0", request_id, *status, user, b""])

    def _user(self, frames: list[bytes]) -> bytes:
        if len(frames) != 7 or frames[0] != b"1.0" or frames[2] != ZAP_DOMAIN or frames[5] != b"CURVE":
            return b""
        try:
            key = z85.encode(frames[6])
        except ValueError:
            return b""
        return key if self._known(key.decode("ascii")) else b""

    def close(self) -> None:
        self.socket.close(0)


def require_refusal(
    context: zmq.Context[zmq.Socket[bytes]],
    endpoint: str,
    server_key: bytes,
    serve: Callable[[], None],
    kind: int = zmq.DEALER,
) -> None:
    """Connect with a random key and raise SecurityError unless the server refuses it within five seconds.

    `kind`: a type of socket that may talk to the one bound there.
    """
    probe = context.socket(kind)
    probe.linger = 0
    probe.curve_publickey, probe.curve_secretkey = zmq.curve_keypair()
    probe.curve_serverkey = server_key
    monitor = probe.get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_SUCCEEDED)
    try:
        probe.connect(endpoint)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            serve()
            if not monitor.poll(5):
                continue
            event = recv_monitor_message(monitor)["event"]
            if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                return
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                raise SecurityError(f"self-test: {endpoint} let a random key in; the server does not start")
        raise SecurityError(
            f"self-test: {endpoint} neither refused nor admitted a random key; the server does not start"
        )
    finally:
        # In this order: to end a monitor, libzmq may send it a last event, and waits for ever when nobody is there.
        probe.disable_monitor()
        monitor.close(0)
        probe.close(0)
