"""What the clients have on their disks against what the journal holds."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from engine.schema import COMMAND, EVENT, FIRM_BYTES, CommandArray, EventArray, EventKind, Reason
from gateway.demo.plan import Plan
from gateway.directory import Directory
from gateway.routing import deliveries
from replay import JournalReader

ENDINGS: Final = (
    *(Reason.USER_REQUESTED, Reason.MASS_CANCEL, Reason.DISCONNECTED, Reason.SELF_TRADE_PREVENTED),
    *(Reason.IOC_REMAINDER, Reason.DEPTH_LIMIT, Reason.END_OF_DAY),
)
"""Every way in which an order of this venue can end without a trade: each must occur."""


class Comparison(NamedTuple):
    """Counts, and a line for each thing that is not as it should be."""

    commands: int
    by_firms: int
    trades: int
    acknowledged: int
    """Orders that a client has an ACCEPTED of."""
    records: int
    rejects: dict[str, int]
    """Reason -> how many, over the whole journal."""
    endings: dict[str, int]
    """Reason -> how many orders ended for it."""
    faults: list[str]


def compare(plan: Plan, sessions: dict[str, int], command_logs: set[str]) -> Comparison:
    """Every command logged by a client stands in the journal once, every record received is the journal's.

    Args:
        sessions: name -> number of the sessions whose received records were logged.
        command_logs: those of them whose commands were logged as well.
    """
    commands, events = _whole_journal(plan)
    faults = _used_twice(commands)
    endings = _reasons(events, (EventKind.CANCELLED, EventKind.EXPIRED))
    faults += [f"no order ended as {reason.name}" for reason in ENDINGS if reason.name not in endings]
    streams = {delivery.session: delivery.records for delivery in deliveries(events, Directory.of(events))}
    acknowledged = records = 0
    for name, number in sorted(sessions.items()):
        if name in command_logs:
            faults += _commands_differ(plan, name, commands[commands["session"] == number])
        received = np.fromfile(plan.log(name, "events"), EVENT)
        expected = streams.get(number, events[:0])
        if received.tobytes() != expected.tobytes():
            faults.append(f"{name}: {len(received):,} records received, the journal has {len(expected):,}; they differ")
        accepted = received[received["kind"] == EventKind.ACCEPTED]
        faults += _orders_missing(name, accepted, events, number)
        acknowledged += len(accepted)
        records += len(received)
    return Comparison(
        commands=len(commands),
        by_firms=int((commands["session"] > 0).sum()),
        trades=int((events["kind"] == EventKind.TRADE).sum()),
        acknowledged=acknowledged,
        records=records,
        rejects=_reasons(events, (EventKind.REJECTED,)),
        endings=endings,
        faults=faults,
    )


def _whole_journal(plan: Plan) -> tuple[CommandArray, EventArray]:
    commands, events = [], []
    for batch in JournalReader(plan.journal).batches():
        commands.append(bytes(batch.command_bytes))
        events.append(bytes(batch.event_bytes))
    return np.frombuffer(b"".join(commands), COMMAND), np.frombuffer(b"".join(events), EVENT)


def _used_twice(commands: CommandArray) -> list[str]:
    """In each session, every number stands in the journal once and later than the ones below it."""
    faults = []
    for session in np.unique(commands["session"]).tolist():
        numbers = commands["client_order_id"][commands["session"] == session]
        if session and (np.diff(numbers) <= 0).any():
            faults.append(f"session {session}: a client_order_id stands in the journal twice")
    return faults


def _commands_differ(plan: Plan, name: str, journaled: CommandArray) -> list[str]:
    logged = np.fromfile(plan.log(name, "commands"), COMMAND)
    if len(logged) != len(journaled):
        return [f"{name}: sent {len(logged):,} commands, the journal has {len(journaled):,}"]
    if not np.array_equal(_firm_half(logged), _firm_half(journaled)):
        return [f"{name}: a command in the journal is not the one sent"]
    return []


def _firm_half(commands: CommandArray) -> CommandArray:
    """The 64 bytes that a firm writes."""
    return np.ascontiguousarray(commands).view(np.uint8).reshape(len(commands), COMMAND.itemsize)[:, :FIRM_BYTES]


def _orders_missing(name: str, accepted: EventArray, events: EventArray, number: int) -> list[str]:
    """Every order acknowledged to a client, found by its order id, exactly once."""
    there = events[(events["kind"] == EventKind.ACCEPTED) & (events["session"] == number)]
    lost = np.setdiff1d(accepted["order_id"], there["order_id"])
    twice = len(there) - len(np.unique(there["client_order_id"]))
    faults = [f"{name}: acknowledged order {lost[0]} is not in the journal ({len(lost)} in all)"] if len(lost) else []
    return faults + ([f"{name}: {twice} orders stand in the journal twice"] if twice else [])


def _reasons(events: EventArray, kinds: tuple[EventKind, ...]) -> dict[str, int]:
    found = np.unique(events["reason"][np.isin(events["kind"], kinds)], return_counts=True)
    return {Reason(code).name: count for code, count in zip(found[0].tolist(), found[1].tolist(), strict=True)}
