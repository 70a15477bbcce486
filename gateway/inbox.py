"""COMMANDS frames as they come in, in one buffer, until they are carried out together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.schema import COMMAND, FIRM_BYTES
from gateway import sockets
from gateway.compiled import COMPILED
from gateway.frames import REDUCES, ROW, WORDS, Taken, take_in
from gateway.sessions import Port
from gateway.wire import MAX_MESSAGE

if COMPILED:
    from gateway.frames import take_in_at
    from gateway.sockets import receive_at


class Inbox:
    """Gathers frames of sessions that are logged on.

    Args:
        seats: the sessions' table, `gateway.seats`.
        most_frames, most_bytes: from so many on it is full.
    """

    def __init__(self, seats: Any, most_frames: int, most_bytes: int) -> None:
        self._seats = seats
        self._most_frames, self._most_bytes = most_frames, most_bytes
        # ZeroMQ may write a whole message behind the last byte that still had room.
        self._data = np.zeros(((most_bytes + 7) & -8) + 2 * MAX_MESSAGE, np.uint8)
        self._words = self._data.view(np.int64)
        self._view = self._data.data
        self._rows = np.zeros((most_frames + 1, ROW), np.int64)
        self._identity = np.zeros(sockets.IDENTITY, np.uint8)
        self._option = np.zeros(2, np.int64)
        self._progress = np.zeros(3, np.int64)
        """Frames, their bytes, and the size of the last routing id."""
        self._found = np.zeros(3, np.int64)
        # One is taken in while the one before it is on its way to the disk or is still to be remembered.
        self._rooms = [_Room((most_bytes + MAX_MESSAGE) // FIRM_BYTES, most_frames) for _ in range(3)]
        self._turn = 0
        self._receive, self._take = self._bound_receive(), self._bound_take()

    def _bound_receive(self) -> Callable[[Port], int]:
        data, rows, seats, identity = self._data, self._rows, self._seats, self._identity
        bounds, notes = (self._most_frames, self._most_bytes), (identity, self._option, self._progress)
        if not COMPILED:
            return lambda port: sockets.receive(
                port.address, port.known, len(port.known), seats, data, rows, *bounds, *notes
            )
        buffers = (seats.ctypes.data, data.ctypes.data, len(data), rows.ctypes.data)
        notes_at = [array.ctypes.data for array in notes]
        return lambda port: receive_at(port.address, *port.known_place, *buffers, *bounds, *notes_at)

    # --- what comes in ------------------------------------------------------------------------------------------------

    def receive(self, port: Port) -> int:
        """Take frames from a socket until something else comes; returns why it ended, see `sockets.receive`."""
        return self._receive(port)

    @property
    def identity(self) -> bytes:
        """The routing id of the message at which `receive` ended."""
        return self._identity[: self._progress[2]].tobytes()

    @property
    def other(self) -> tuple[int, memoryview]:
        """Session and bytes of the frame at which `receive` ended, valid until the next one is taken in."""
        return self._row(int(self._progress[0]))

    def _row(self, number: int) -> tuple[int, memoryview]:
        session, at, size = self._rows[number].tolist()
        return session, self._view[at : at + size]

    def put(self, session: int, data: bytes | memoryview) -> None:
        """Gather a frame that came in another way."""
        number, at = int(self._progress[0]), (int(self._progress[1]) + 7) & -8
        self._view[at : at + len(data)] = data
        self._rows[number] = session, at, len(data)
        self._progress[:2] = number + 1, at + len(data)

    # --- what has gathered --------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Frames that have gathered."""
        return int(self._progress[0])

    def frames(self) -> list[tuple[int, memoryview]]:
        """Session and bytes of each, valid until the next one is taken in."""
        return [self._row(number) for number in range(len(self))]

    def clear(self) -> None:
        self._progress[:2] = 0

    def take_in(self, now: int, sequence: int, timestamp: int) -> Taken | None:
        """All that has gathered, as commands, see `frames.take_in`; None, and nothing done, when a frame has to be
        looked at for itself. Valid until two more have been taken in.
        """
        self._turn = (self._turn + 1) % len(self._rooms)
        room = self._rooms[self._turn]
        self._found[:] = 0
        made = self._take(room, int(self._progress[0]), now, sequence, timestamp)
        if made < 0:
            return None
        people, operators, kind = self._found.tolist()
        return Taken(room.batch[:made], room.senders[:people], room.senders_at, bool(operators), kind)

    def _bound_take(self) -> Callable[..., int]:
        words, rows, seats, found = self._words, self._rows, self._seats, self._found
        if not COMPILED:
            return lambda room, count, *stamps: take_in(
                words, rows, count, seats, REDUCES, room.records, room.senders, found, *stamps
            )
        size, most, found_at = len(words), len(self._rooms[0].records), found.ctypes.data
        tables = [table.ctypes.data for table in (words, rows, seats, REDUCES)]
        return lambda room, count, *stamps: take_in_at(
            *tables, room.records_at, room.senders_at, found_at, size, count, most, *stamps
        )


class _Room:
    """Where commands and their senders are written, and where that is in memory."""

    def __init__(self, commands: int, frames: int) -> None:
        self.records = np.zeros((commands, WORDS), np.int64)
        self.batch = self.records.reshape(-1).view(COMMAND)
        self.senders = np.zeros((frames, 3), np.int64)
        self.records_at, self.senders_at = self.records.ctypes.data, self.senders.ctypes.data
