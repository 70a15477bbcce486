"""Messages of the status query; see `gateway.wire`."""

from __future__ import annotations

from gateway.wire import Message


class ClockStatus(Message, frozen=True):
    """How far the venue's time may be from UTC; errors and offsets in ns, as the server's machine tells.

    `verdict`: within, unproven (the estimate is within the limit, the bound is not), beyond, unsynchronised, unknown
    (the machine does not tell; the numbers are then 0) or own time (the venue does not live in real time). `leap`:
    none, insert, delete, in progress, past, unknown. `venue_offset`: the venue's time less the machine's clock.
    """

    verdict: str
    limit: int
    synchronised: bool
    estimated_error: int
    max_error: int
    leap: str
    venue_offset: int


class SessionStatus(Message, frozen=True):
    """What the gateway has counted of one session since its start; `grace_ms` runs while it is away and not yet down.

    `commands` were carried out; `throttled_orders`, `throttled_cancels` and `drained` were refused before the engine.
    """

    session: int
    name: str
    connected: bool
    grace_ms: int
    commands: int
    throttled_orders: int
    throttled_cancels: int
    drained: int
    unconfirmed_bytes: int


class StatusData(Message, frozen=True):
    """How the venue is. `accepts`: "orders", "cancels" (the disk is nearly full) or "nothing" (it stops).

    Bytes are those of the journal's present file, what of it is used, and what of the next one is prepared. `sessions`
    are those of the own firm, for an operator all; `counters` are for operators only.
    """

    accepts: str
    epoch: int
    journal_time: int
    durability: str
    command_sequence: int
    event_sequence: int
    segment_bytes: int
    used_bytes: int
    prepared_bytes: int
    sessions: tuple[SessionStatus, ...]
    counters: tuple[tuple[str, int], ...]
    clock: ClockStatus
