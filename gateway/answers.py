"""EVENTS frames for everybody who is told of a batch, compiled; with NUMBA_DISABLE_JIT=1 the same as plain Python."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import types

from engine.schema import EVENT
from gateway.compiled import COMPILED, by_address, part, pointer, view
from gateway.copies import write_copies
from gateway.frames import ROW
from gateway.seats import MOST, SEAT
from gateway.wire import HEADER, MAX_RECORDS, SPAN, VERSION, FrameType

EVENT_WORDS: Final = EVENT.itemsize // 8
LEAD_WORDS: Final = (HEADER.size + SPAN.size) // 8
_HEAD: Final = FrameType.EVENTS | VERSION << 8
_SEQUENCE: Final = EVENT.fields["sequence"][1] // 8  # type: ignore[index]


def room(events: int) -> int:
    """Words that the frames for so many events may take: each event in two frames of its own."""
    return 2 * events * (LEAD_WORDS + EVENT_WORDS)


@part
def _count(to: Any, made: int, seats: Any) -> None:
    for i in range(made):
        seats[to[i]].copies += 1


@part
def _give_room(to: Any, made: int, seats: Any) -> None:
    """Where each session's frames begin, in the order of their first records."""
    at = 0
    for i in range(made):
        seat = seats[to[i]]
        if seat.write_at == 0:
            most_pages = (seat.copies + MAX_RECORDS - 2) // (MAX_RECORDS - 1)
            seat.write_at = at + 1  # 0 stands for none
            seat.in_page = 0
            at += most_pages * LEAD_WORDS + seat.copies * EVENT_WORDS


@part
def _end_page(words: Any, rows: Any, seat: Any, acknowledged: int) -> None:
    at = seat.page_at
    words[at] = _HEAD | seat.in_page << 16
    words[at + 3] = seat.last_event
    words[at + 4] = acknowledged
    rows[seat.page, 2] = (LEAD_WORDS + seat.in_page * EVENT_WORDS) * 8


@part
def _begin_page(words: Any, rows: Any, page: int, session: int, seat: Any, sequence: int) -> None:
    at = seat.write_at - 1
    words[at + 1] = seat.last_event
    words[at + 2] = sequence
    rows[page, 0] = session
    rows[page, 1] = at * 8
    seat.page, seat.page_at, seat.in_page = page, at, 0
    seat.write_at += LEAD_WORDS


@part
def _write(copies: Any, to: Any, made: int, seats: Any, words: Any, rows: Any) -> int:
    """Write every copy behind its session's last one; returns how many frames there are."""
    pages = 0
    for i in range(made):
        seat = seats[to[i]]
        sequence = copies[i, _SEQUENCE]
        if seat.connected != 0:
            # Both halves of a trade with oneself have one sequence: who asks for what follows it needs both at once.
            halves = i + 1 < made and to[i + 1] == to[i] and copies[i + 1, _SEQUENCE] == sequence
            if seat.in_page == 0 or seat.in_page == MAX_RECORDS or (halves and seat.in_page == MAX_RECORDS - 1):
                if seat.in_page > 0:
                    _end_page(words, rows, seat, seat.acknowledged)
                _begin_page(words, rows, pages, to[i], seat, sequence)
                pages += 1
            at = seat.write_at - 1
            for word in range(EVENT_WORDS):
                words[at + word] = copies[i, word]
            seat.write_at += EVENT_WORDS
            seat.in_page += 1
        seat.last_event = sequence
        seat.copies -= 1
        if seat.copies == 0:
            if seat.connected != 0:
                # A number counts as acknowledged when all of its events have been sent: with the last page.
                _end_page(words, rows, seat, seat.consumed)
                seat.acknowledged = seat.consumed
            seat.write_at = seat.in_page = 0
    return pages


@part
def note_consumed(senders: Any, count: int, seats: Any) -> None:
    """The commands of these senders (`gateway.frames.Taken`) are durable."""
    for i in range(count):
        seat = seats[senders[i, 0]]
        seat.consumed = senders[i, 1]
        seat.taken += senders[i, 2]


@part
def write_answers(
    events: Any, count: int, pushed: Any, seats: Any, copies: Any, copy_words: Any, to: Any, words: Any, rows: Any
) -> int:
    """Write the frames that tell of durable events; returns how many, -1 when `gateway.pushes` has a part in it.

    Args:
        events: EVENT[count].
        pushed: bool[256], by kind whether sessions may be told that neither sent a command nor own an order.
        seats: SEAT[MOST]: last events and acknowledged numbers move on.
        copies, copy_words, to: room for `gateway.copies.write_copies`; the copies also as int64[..., 16].
        words: int64[room(count)]: gets the frames.
        rows: int64[2 * count, ROW]: gets session, offset and size of each.
    """
    for i in range(count):
        if pushed[events[i].kind]:
            return -1
    made = write_copies(events, copies, to, count)
    _count(to, made, seats)
    _give_room(to, made, seats)
    return int(_write(copy_words, to, made, seats, words, rows))


if COMPILED:
    _WORDS = pointer(np.dtype(np.int64))
    _EVENTS = pointer(EVENT)

    @by_address(_WORDS, pointer(SEAT), types.int64)
    def note_consumed_at(senders, seats, count):  # type: ignore[no-untyped-def]
        note_consumed(view(senders, (count, 3)), count, view(seats, (MOST,)))
        return 0

    @by_address(
        *(_EVENTS, pointer(np.dtype(np.bool_)), pointer(SEAT), _EVENTS, _WORDS, pointer(np.dtype(np.int32))),
        *(_WORDS, _WORDS, types.int64),
    )
    def write_answers_at(events, pushed, seats, copies, copy_words, to, words, rows, count):  # type: ignore[no-untyped-def]
        return write_answers(
            view(events, (count,)),
            count,
            view(pushed, (256,)),
            view(seats, (MOST,)),
            view(copies, (2 * count,)),
            view(copy_words, (2 * count, EVENT_WORDS)),
            view(to, (2 * count,)),
            view(words, (2 * count * (LEAD_WORDS + EVENT_WORDS),)),
            view(rows, (2 * count, ROW)),
        )
