"""COMMANDS frames taken apart, compiled: many of them at once for the price of a few array operations.

With NUMBA_DISABLE_JIT=1 the same source runs as plain Python.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from engine.schema import COMMAND, FIRM_BYTES, CommandArray, CommandKind
from gateway.compiled import COMPILED, by_address, part, pointer, view
from gateway.numbers import QUOTE
from gateway.seats import MOST, SEAT, confirmed, refilled
from gateway.wire import HEADER, MAX_RECORDS, VERSION, FrameType

WORDS: Final = COMMAND.itemsize // 8
FIRM_WORDS: Final = FIRM_BYTES // 8
HEADER_SIZE: Final = HEADER.size
NUMBER: Final = COMMAND.fields["client_order_id"][1] // 8  # type: ignore[index]
STAMP: Final = COMMAND.fields["sequence"][1] // 8  # type: ignore[index]
"""The word with the sequence; timestamp, session and actor follow."""
ORDINARY: Final = FrameType.COMMANDS | VERSION << 8
ROW: Final = 3
"""Words of a row that tells of a frame: session, offset and size in bytes."""
REDUCING: Final = frozenset(
    int(kind)
    for kind in (
        CommandKind.CANCEL_ORDER,
        CommandKind.MASS_CANCEL,
        CommandKind.BLOCK_WITHDRAW,
        CommandKind.AUCTION_BID_WITHDRAW,
        CommandKind.FIRM_KILL,
    )
)
"""Kinds that can only take risk away. They have a throttle of their own."""
REDUCES: Final = np.isin(np.arange(256), list(REDUCING))
"""The same by kind."""
_refilled: Final = part(refilled)
_confirmed: Final = part(confirmed)


class Taken(NamedTuple):
    """Commands of frames that arrived together, in the order in which they came, complete.

    `senders`, int64[n, 3], at address `senders_at`: session, the last number it has used now, how many of the commands
    are its own.
    """

    batch: CommandArray
    senders: NDArray[np.int64]
    senders_at: int
    operators: bool
    """Whether any sender is one."""
    highest_kind: int


@part
def _read(words: Any, frames: Any, count: int, seats: Any, reduces: Any, records: Any, senders: Any, found: Any) -> int:
    """Copy the commands; what each sender used stands in the notes of its seat. Returns how many, -1 as `take_in`."""
    made = 0
    for i in range(count):
        seat = seats[frames[i, 0]]
        if seat.connected == 0:
            return -1
        if seat.seen == 0:
            seat.seen, seat.number, seat.orders, seat.cancels = 1, seat.last_number, 0, 0
            senders[found[0], 0] = frames[i, 0]
            found[0] += 1
            found[1] += seat.operator
        size = frames[i, 2]
        if size < HEADER_SIZE:
            return -1
        at = frames[i, 1] // 8
        head = words[at]
        number_of_records = head >> 16 & 0xFFFF
        if head & 0xFFFF != ORDINARY or number_of_records < 1 or number_of_records > MAX_RECORDS:
            return -1
        if size != HEADER_SIZE + FIRM_BYTES * number_of_records:
            return -1
        seat.token = head >> 32 & 0xFFFFFFFF
        at += 1
        for _ in range(number_of_records):
            number = words[at + NUMBER]
            kind = words[at] & 0xFF
            if number <= seat.number or kind == QUOTE:
                return -1
            seat.number = number
            if reduces[kind]:
                seat.cancels += 1
            else:
                seat.orders += 1
            if kind > found[2]:
                found[2] = kind
            for word in range(FIRM_WORDS):
                records[made, word] = words[at + word]
            records[made, STAMP + 2] = seat.session | seat.session << 32
            at += FIRM_WORDS
            made += 1
    return made


@part
def _can_pay(seats: Any, senders: Any, count: int, now: int) -> bool:
    for i in range(count):
        seat = seats[senders[i, 0]]
        seat.order_tokens = _refilled(seat.order_tokens, seat.order_rate, seat.order_burst, seat.order_at, now)
        seat.cancel_tokens = _refilled(seat.cancel_tokens, seat.cancel_rate, seat.cancel_burst, seat.cancel_at, now)
        seat.order_at = seat.cancel_at = now
        if seat.order_tokens < seat.orders or seat.cancel_tokens < seat.cancels:
            return False
    return True


@part
def take_in(
    words: Any,
    frames: Any,
    count: int,
    seats: Any,
    reduces: Any,
    records: Any,
    senders: Any,
    found: Any,
    now: int,
    sequence: int,
    timestamp: int,
) -> int:
    """Take in the commands of frames: numbered, paid for, stamped. Returns how many.

    -1, and nothing done, when a frame has to be looked at for itself: its session is gone, it is no COMMANDS frame, has
    another length than it says, a number that its sender has used before, a quote, which has two numbers, or more than
    a throttle allows.

    Args:
        words: the frames' bytes as int64; each frame begins at a multiple of 8.
        frames: int64[count, ROW].
        seats: SEAT[MOST]: numbers, throttles, and what has been confirmed move on.
        reduces: bool[256], by kind whether a command can only take risk away.
        records: int64[..., 12]: gets the commands.
        senders: int64[..., 3]: gets `Taken.senders`.
        found: int64[3], zero: gets how many senders, how many of their frames are operators', the highest kind.
        now: monotonic ns.
        sequence, timestamp: of the first command, and of all.
    """
    made = _read(words, frames, count, seats, reduces, records, senders, found)
    if made >= 0 and not _can_pay(seats, senders, found[0], now):
        made = -1
    for i in range(found[0]):
        seat = seats[senders[i, 0]]
        seat.seen = 0
        if made >= 0:
            seat.order_tokens -= seat.orders
            seat.cancel_tokens -= seat.cancels
            seat.last_number = seat.number
            seat.heard = now
            seat.confirmed_bytes = _confirmed(seat.confirmed_bytes, seat.sent_bytes, seat.token)
            senders[i, 1] = seat.number
            senders[i, 2] = seat.orders + seat.cancels
    for i in range(made):
        records[i, STAMP] = sequence + i
        records[i, STAMP + 1] = timestamp
        records[i, STAMP + 3] = 0
    return int(made)


if COMPILED:
    _WORDS = pointer(np.dtype(np.int64))
    _TABLES = (_WORDS, _WORDS, pointer(SEAT), pointer(np.dtype(np.bool_)), _WORDS, _WORDS, _WORDS)

    @by_address(*_TABLES, *[types.int64] * 6)
    def take_in_at(words, frames, seats, reduces, records, senders, found, size, count, most, now, sequence, timestamp):  # type: ignore[no-untyped-def]
        return take_in(
            view(words, (size,)),
            view(frames, (count, ROW)),
            count,
            view(seats, (MOST,)),
            view(reduces, (256,)),
            view(records, (most, WORDS)),
            view(senders, (count, 3)),
            view(found, (3,)),
            now,
            sequence,
            timestamp,
        )
