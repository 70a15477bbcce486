"""Many messages taken from a socket, or put into one, in one compiled call.

A message is two parts, four calls of ZeroMQ's Python binding, and each costs more than a match. The loops here call the
same library below it (a binding's socket tells where ZeroMQ's own stands). With NUMBA_DISABLE_JIT=1 they run as plain
Python, and ctypes calls the library.
"""

from __future__ import annotations

import ctypes
import errno
from typing import Any, Final

import numpy as np
import zmq
from numba import types

try:
    from zmq.backend.cython import _zmq
except ImportError as error:  # a binding of another build, such as PyPy's
    raise ImportError("the gateway needs pyzmq's compiled binding for CPython: install the pinned wheel") from error

from engine.native import of_a_library
from gateway.compiled import COMPILED, by_address, part, pointer, view
from gateway.frames import HEADER_SIZE, ROW
from gateway.seats import MOST, SEAT
from gateway.wire import MAX_MESSAGE, FrameType

EMPTY, FULL, OTHER, STRANGER, EXTRA_PARTS = range(5)
"""Why `receive` ended: nothing waits; no room; the frame behind the last one is no firm's COMMANDS frame; a message's
routing id is nobody's, its payload still waits; a known one's message was not exactly one payload, and is dropped."""
SENT_ALL: Final = -1
OVER_CREDIT: Final = 1 << 32
IDENTITY: Final = 256
"""Bytes of room for a routing id. Those that ZeroMQ gives have five, a zero and a number."""
_COMMANDS: Final = int(FrameType.COMMANDS)
_OWN_SIZE: Final = 5
_DONT_WAIT: Final = int(zmq.DONTWAIT)
_FIRST_PART: Final = int(zmq.DONTWAIT | zmq.SNDMORE)
_MORE: Final = int(zmq.RCVMORE)
_INTERRUPTED: Final = errno.EINTR

_library: Final = ctypes.CDLL(_zmq.__file__)
_int, _word = types.int32, types.int64
zmq_recv: Any = of_a_library(_library, "zmq_recv", _int, _word, _word, _word, _int)
zmq_send: Any = of_a_library(_library, "zmq_send", _int, _word, _word, _word, _int)
zmq_getsockopt: Any = of_a_library(_library, "zmq_getsockopt", _int, _word, _int, _word, _word)
zmq_errno: Any = of_a_library(_library, "zmq_errno", _int)


@part
def _receive(socket: int, at: int, room: int) -> int:
    """One part; its size, -1 when there is none. Signals do not count."""
    while True:
        size = zmq_recv(socket, at, room, _DONT_WAIT)
        if size >= 0 or zmq_errno() != _INTERRUPTED:
            return int(size)


@part
def _send(socket: int, at: int, size: int, flags: int) -> bool:
    """One part; whether ZeroMQ took it. Signals do not count."""
    while True:
        if zmq_send(socket, at, size, flags) >= 0:
            return True
        if zmq_errno() != _INTERRUPTED:
            return False


@part
def _session_of(identity: Any, known: Any, count: int) -> int:
    """Whose routing id it is; 0 when nobody's. Binary search in rows (number in the id, session), ascending."""
    wanted = int(identity[1]) | int(identity[2]) << 8 | int(identity[3]) << 16 | int(identity[4]) << 24
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if known[middle, 0] < wanted:
            low = middle + 1
        else:
            high = middle
    if low < count and known[low, 0] == wanted:
        return int(known[low, 1])
    return 0


@part
def _has_more(socket: int, option: Any) -> bool:
    """Whether the message has a further part."""
    option[0] = 0
    option[1] = 4
    at = option.ctypes.data
    zmq_getsockopt(socket, _MORE, at, at + 8)
    return bool(option[0] & 0xFFFFFFFF)


@part
def receive(
    socket: int,
    known: Any,
    known_count: int,
    seats: Any,
    data: Any,
    rows: Any,
    most_frames: int,
    most_bytes: int,
    identity: Any,
    option: Any,
    progress: Any,
) -> int:
    """Take COMMANDS frames from a ROUTER until something else comes; returns why it ended, EMPTY to EXTRA_PARTS.

    Args:
        socket: ZeroMQ's own, an address.
        known: int64[known_count, 2], see `_session_of`.
        seats: SEAT[MOST].
        data: uint8[most_bytes + 2 * MAX_MESSAGE]: gets the frames, each from a multiple of 8 on.
        rows: int64[most_frames + 1, ROW]: gets session, offset and size of each.
        identity: uint8[IDENTITY]: the last routing id. option: int64[2], for us.
        progress: int64[3]: how many frames and bytes there are, and the last routing id's size.
    """
    data_at, identity_at = data.ctypes.data, identity.ctypes.data
    while True:
        count, used = progress[0], (progress[1] + 7) & -8
        if count >= most_frames or used >= most_bytes:
            return FULL
        size = _receive(socket, identity_at, IDENTITY)
        if size < 0:
            return EMPTY
        progress[2] = size
        session = _session_of(identity, known, known_count) if size == _OWN_SIZE and identity[0] == 0 else 0
        if session == 0:
            return STRANGER
        size = _receive(socket, data_at + used, MAX_MESSAGE)
        if size < 0:
            return EMPTY  # the context ends
        if _has_more(socket, option):
            while _has_more(socket, option):
                _receive(socket, data_at + used, MAX_MESSAGE)
            return EXTRA_PARTS
        rows[count, 0] = session
        rows[count, 1] = used
        rows[count, 2] = size
        if size < HEADER_SIZE or data[used] != _COMMANDS or seats[session].operator != 0:
            return OTHER
        progress[0] = count + 1
        progress[1] = used + size


@part
def send(seats: Any, rows: Any, first: int, count: int, words: Any, identity: Any, now: int, credit: int) -> int:
    """Send frames from row `first` on; returns SENT_ALL, or at which row it ended.

    That row is not sent: ZeroMQ did not take it, or the session's socket is none of its own. With OVER_CREDIT added it
    is, and its session has left more than `credit` bytes unconfirmed.

    Args:
        seats: SEAT[MOST]: what was sent is counted there. Who is not connected is passed over.
        rows: int64[count, ROW]: session, offset and size of each frame.
        words: int64[...]: the frames.
        identity: uint8[IDENTITY], for us.
        now: monotonic ns.
    """
    words_at, identity_at = words.ctypes.data, identity.ctypes.data
    for i in range(first, count):
        seat = seats[rows[i, 0]]
        if seat.connected == 0:
            continue
        if seat.socket == 0:
            return i
        identity[0] = 0
        for byte in range(4):
            identity[1 + byte] = seat.routing >> 8 * byte & 0xFF
        if not _send(seat.socket, identity_at, _OWN_SIZE, _FIRST_PART):
            return i
        if not _send(seat.socket, words_at + rows[i, 1], rows[i, 2], _DONT_WAIT):
            return i
        seat.sent = now
        seat.sent_bytes += rows[i, 2]
        if seat.sent_bytes - seat.confirmed_bytes > credit:
            return i + OVER_CREDIT
    return SENT_ALL


if COMPILED:
    _WORDS = pointer(np.dtype(np.int64))
    _BYTES = pointer(np.dtype(np.uint8))
    _SEATS = pointer(SEAT)
    _N = types.int64

    @by_address(_N, _WORDS, _N, _SEATS, _BYTES, _N, _WORDS, _N, _N, _BYTES, _WORDS, _WORDS)
    def receive_at(  # type: ignore[no-untyped-def]
        socket, known, known_count, seats, data, size, rows, most_frames, most_bytes, identity, option, progress
    ):
        return receive(
            socket,
            view(known, (known_count, 2)),
            known_count,
            view(seats, (MOST,)),
            view(data, (size,)),
            view(rows, (most_frames + 1, ROW)),
            most_frames,
            most_bytes,
            view(identity, (IDENTITY,)),
            view(option, (2,)),
            view(progress, (3,)),
        )

    @by_address(_SEATS, _WORDS, _N, _N, _WORDS, _N, _BYTES, _N, _N)
    def send_at(seats, rows, first, count, words, size, identity, now, credit):  # type: ignore[no-untyped-def]
        rows, words, identity = view(rows, (count, ROW)), view(words, (size,)), view(identity, (IDENTITY,))
        return send(view(seats, (MOST,)), rows, first, count, words, identity, now, credit)
