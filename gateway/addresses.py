"""Addresses on tcp. libzmq takes the lowest 16 bits of whatever number stands for the port, so we look first."""

from __future__ import annotations

import re
from typing import Final

MAX_PORT: Final = 65_535
MAX_FEED_PORT: Final = MAX_PORT - 1
"""A feed's snapshots are asked for at the next port."""
_TCP: Final = re.compile(r"tcp://[^/\s]+:([0-9]{1,5})")


def check_tcp(endpoint: str, least: int = 0, most: int = MAX_PORT) -> int:
    """The port of `tcp://HOST:PORT`. Raises ValueError unless it is `least` to `most`."""
    found = _TCP.fullmatch(endpoint)
    port = int(found[1]) if found else -1
    if not least <= port <= most:
        raise ValueError(f"{endpoint!r} is no address; write tcp://HOST:PORT with a port from {least} to {most}")
    return port
