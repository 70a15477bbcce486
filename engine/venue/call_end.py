"""The random end of a call: drawn from a seed that is committed before the day opens (docs/call-auctions.md 12.5)."""

from __future__ import annotations

import hashlib

SECOND = 10**9


def call_end_offset(seed: bytes, trading_date: int, instrument: int, seconds: int) -> int:
    """How much later than its moment a call of one instrument ends on one trading date, nanoseconds.

    Args:
        seed: 32 bytes whose SHA-256 was journaled before the day opened.
        trading_date: YYYYMMDD.
        instrument: id.
        seconds: the window, `call_random_end_seconds`; 0 = on time.

    Raises ValueError when the seed has another length.
    """
    if len(seed) != 32:
        raise ValueError(f"the seed has {len(seed)} bytes; draw 32")
    if not seconds:
        return 0
    message = seed + trading_date.to_bytes(8, "little") + instrument.to_bytes(8, "little")
    return int.from_bytes(hashlib.sha256(message).digest()[:8], "little") % (seconds * SECOND)
