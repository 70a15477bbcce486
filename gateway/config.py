"""What a server needs to know, as one validated Struct."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import msgspec

from engine.control import Control
from engine.core import ImplementationName
from gateway.addresses import MAX_FEED_PORT, check_tcp

MAX_SPIN_US: Final = 10_000
MAX_GRACE_MS: Final = 600_000
ENDPOINTS: Final = "endpoints.json"
"""In the data folder: where the server that started last listens, and the keys that were over with its start."""
LOCAL_FEED: Final = "local"


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A server's configuration; JSON and TOML spell the same names."""

    data: str
    """Folder of the journal; created when missing."""
    venue: str = "seee"
    """Preset name or venue file, for a new journal; an existing journal brings its own venue."""
    implementation: ImplementationName = "kernel"
    tcp: str = "tcp://127.0.0.1:0"
    """Where firms connect, with CURVE; port 0 takes a free one, "" binds none."""
    ipc: str = ""
    """Path of a local socket without keys, mode 0600; "" binds none."""
    keys: str = ""
    """Folder with server.secret and sessions/*.pub; "" means `<data>/keys`. The server's pair is made when missing."""
    durability: Literal["sync", "async"] = "sync"
    segment_bytes: int = 64 << 20
    """Size of the files that a new journal's batches go into, written full of zeros ahead of use."""
    clock_rate: int = 1
    """Journal seconds per real second; above 1 the day runs faster."""
    start_time: str = ""
    """Journal time of a new journal, ISO 8601 with offset, such as 2025-08-11T09:29:50+08:00; "" means now."""
    heartbeat_ms: int = 1_000
    """What a client gets that asks for none; 200 to 30,000 may be asked for."""
    commands_per_second: int = 1_000_000
    """Throttle of a session's orders; a frame beyond it is refused whole."""
    burst: int = 1_000_000
    cancels_per_second: int = 2_000_000
    """Throttle of a session's cancels and mass cancels, its own, so that risk can always be reduced. In force is the
    larger one of this and `commands_per_second`; the same holds for `cancel_burst` and `burst`."""
    cancel_burst: int = 2_000_000
    queries_per_second: int = 50
    credit_bytes: int = 8 * 1024 * 1024
    """What a client may leave unconfirmed before it is told SLOW_CONSUMER."""
    grace_ms: int = 0
    """Real milliseconds that a session may be gone before it is down and its disconnect policy carried out."""
    batch_commands: int = 4_096
    """Most commands that are journaled together."""
    batch_frames: int = 256
    spin_us: int = 200
    """How long the loop looks for a next frame before it sleeps, microseconds, 0 to 10,000. To be woken takes a fifth
    of an order's way; a venue that shares its processors with others may rather have 0."""
    utc_limit_us: int = 100
    """Largest divergence from UTC, microseconds (RTS 25): 100 where the gateway answers within a millisecond, else
    1,000."""
    feed: str = ""
    """Where market data is published, by a process beside the server: tcp://HOST:PORT with CURVE (snapshots at the next
    port) and the local socket `<data>/feed.sock`, or "local" for that one alone; "" = none."""
    opening: tuple[Control, ...] = ()
    """Applied once, when the journal is new."""

    def __post_init__(self) -> None:
        if not 0 <= self.grace_ms <= MAX_GRACE_MS:
            raise ValueError(f"grace_ms {self.grace_ms}: 0 to {MAX_GRACE_MS:,}")
        if not 0 <= self.spin_us <= MAX_SPIN_US:
            raise ValueError(f"spin_us {self.spin_us}: 0 to {MAX_SPIN_US:,}")
        if self.utc_limit_us < 1:
            raise ValueError(f"utc_limit_us {self.utc_limit_us}: at least 1")
        if self.tcp:
            check_tcp(self.tcp)
        if self.feed not in ("", LOCAL_FEED):
            try:
                check_tcp(self.feed, most=MAX_FEED_PORT)
            except ValueError as error:
                raise ValueError(f"feed {error}, or {LOCAL_FEED} for the local socket alone") from None

    @property
    def is_real_time(self) -> bool:
        """Whether the venue's time is to be the world's."""
        return self.clock_rate == 1 and not self.start_time

    @property
    def data_folder(self) -> Path:
        return Path(self.data)

    @property
    def keys_folder(self) -> Path:
        return Path(self.keys) if self.keys else self.data_folder / "keys"

    @property
    def ipc_endpoint(self) -> str:
        return f"ipc://{Path(self.ipc).absolute()}" if self.ipc else ""

    @property
    def wake_endpoint(self) -> str:
        """Followers subscribe here; a message only says that the journal has grown."""
        return f"ipc://{(self.data_folder / 'wake.sock').absolute()}"


def load_config(path: str | Path) -> Config:
    """Read a configuration file (.toml or .json). Raises OSError, msgspec.DecodeError, msgspec.ValidationError."""
    data = Path(path).read_bytes()
    if Path(path).suffix == ".toml":
        return msgspec.toml.decode(data, type=Config)
    return msgspec.json.decode(data, type=Config)
