"""COMMANDS frames taken apart, compiled: many of them at once for the price of a few array operations.

With NUMBA_DISABLE_JIT=1 the same source runs as plain Python.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import types
from numpy.typing import NDArray

from engine.schema import COMMAND, FIRM_BYTES, CommandArray
from gateway.compiled import COMPILED, by_address, part, pointer, view
from gateway.numbers import QUOTE
from gateway.wire import HEADER, MAX_RECORDS, VERSION, FrameType

WORDS: Final = COMMAND.itemsize // 8
FIRM_WORDS: Final = FIRM_BYTES // 8
HEADER_SIZE: Final = HEADER.size
NUMBER: Final = COMMAND.fields["client_order_id"][1] // 8  # type: ignore[index]
SESSIONS: Final = COMMAND.fields["session"][1] // 8  # type: ignore[index]
"""The word with session and actor."""
ORDINARY: Final = FrameType.COMMANDS | VERSION << 8
SENDER: Final = np.dtype([(name, "<i8") for name in ("session", "last", "orders", "cancels", "token")])
"""What is known and counted of one sender: session number, last client_order_id, commands by throttle, last token."""


@part
def read_frames(words: Any, frames: Any, senders: Any, reduces: Any, records: Any, count: int) -> int:
    """Read frames that stand behind one another; returns the number of commands, -1 when one is no ordinary frame.

    That is: not a COMMANDS frame, of another length than it says, with a number that its sender has used before, or
    with a quote, which has two numbers.

    Args:
        words: their bytes as int64.
        frames: int64[count, 2]: bytes of each, and the index of its sender.
        senders: int64[n, 5], dtype SENDER as words: `last` moves on, the counts and the token are written.
        reduces: bool[256], by kind whether a command can only take risk away.
        records: int64[..., 12]: gets the commands, session and actor set, sequence and timestamp not.
    """
    made = at = 0
    for i in range(count):
        size = frames[i, 0]
        if size < HEADER_SIZE:
            return -1
        head = words[at]
        number_of_records = head >> 16 & 0xFFFF
        if head & 0xFFFF != ORDINARY or number_of_records < 1 or number_of_records > MAX_RECORDS:
            return -1
        if size != HEADER_SIZE + FIRM_BYTES * number_of_records:
            return -1
        sender = senders[frames[i, 1]]
        sender[4] = head >> 32 & 0xFFFFFFFF
        at += 1
        for _ in range(number_of_records):
            number = words[at + NUMBER]
            if number <= sender[1] or words[at] & 0xFF == QUOTE:
                return -1
            sender[1] = number
            sender[3 if reduces[words[at] & 0xFF] else 2] += 1
            for word in range(FIRM_WORDS):
                records[made, word] = words[at + word]
            records[made, SESSIONS] = sender[0] | sender[0] << 32
            records[made, SESSIONS + 1] = 0
            at += FIRM_WORDS
            made += 1
    return made


if COMPILED:
    _WORDS = pointer(np.dtype(np.int64))

    @by_address(_WORDS, _WORDS, _WORDS, pointer(np.dtype(np.bool_)), _WORDS, *[types.int64] * 4)
    def read_frames_at(words, frames, senders, reduces, records, size, count, sender_count, most):  # type: ignore[no-untyped-def]
        return read_frames(
            view(words, (size,)),
            view(frames, (count, 2)),
            view(senders, (sender_count, 5)),
            view(reduces, (256,)),
            view(records, (most, WORDS)),
            count,
        )


def read(
    data: bytes, frames: NDArray[np.int64], senders: NDArray[Any], reduces: NDArray[np.bool_]
) -> CommandArray | None:
    """The commands of frames that stand behind one another in `data`, as `read_frames`; None for -1."""
    words = np.frombuffer(data, np.int64, len(data) // 8)
    records = np.empty((len(data) // FIRM_BYTES, WORDS), np.int64)
    if COMPILED:
        addresses = [array.ctypes.data for array in (words, frames, senders, reduces, records)]
        made = read_frames_at(*addresses, len(words), len(frames), len(senders), len(records))
    else:
        made = read_frames(words, frames, senders.view(np.int64).reshape(-1, 5), reduces, records, len(frames))
    return None if made < 0 else records[:made].reshape(-1).view(COMMAND)
