"""What a run really did, counted from its events, and whether the engine's books are right at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core import Engine
from engine.schema import EventArray, EventKind, Reason, Side


class CheckError(Exception):
    """A run did not do what it must: its figures are worth nothing."""


def live_change(events: EventArray) -> NDArray[np.int64]:
    """By how much each event changes the number of live orders: shape as `events`, values -2 to 1."""
    kind = events["kind"]
    change = (kind == EventKind.ACCEPTED).astype(np.int64)
    change -= (kind == EventKind.CANCELLED) | (kind == EventKind.EXPIRED)
    fills = (kind == EventKind.TRADE) | (kind == EventKind.DECREMENTED)
    change -= fills & (events["remaining"] == 0)
    change -= fills & (events["contra_remaining"] == 0)
    return change


@dataclass
class Mix:
    """Counts of one stream of events, taken part by part; parts end at command borders."""

    live: int = 0
    sequence: int = 0
    command_sequence: int = 0
    commands: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)
    by_reason: dict[str, int] = field(default_factory=dict)
    traded_on_entry: int = 0
    resting: list[NDArray[np.int64]] = field(default_factory=list)

    def add(self, events: EventArray, commands: int) -> None:
        """Count the events of `commands` commands. Raises CheckError at a gap in the sequences."""
        if not commands:
            return
        sequence, command = events["sequence"], events["command_sequence"]
        if sequence[0] != self.sequence + 1 or (np.diff(sequence) != 1).any():
            raise CheckError(f"event sequence has a gap after {self.sequence}")
        of_command = np.diff(command, prepend=self.command_sequence)
        if ((of_command != 0) & (of_command != 1)).any() or command[-1] != self.command_sequence + commands:
            raise CheckError(f"a command after {self.command_sequence} gave no event")
        self.sequence, self.command_sequence = int(sequence[-1]), int(command[-1])
        self.commands += commands
        kind, reason = events["kind"], events["reason"]
        _count(self.by_kind, kind, EventKind)
        _count(self.by_reason, reason[reason != 0], Reason)
        entered, traded = command[kind == EventKind.ACCEPTED], command[kind == EventKind.TRADE]
        self.traded_on_entry += int(np.isin(entered, traded).sum())
        after = self.live + np.cumsum(live_change(events))
        self.resting.append(after[np.append(of_command[1:] != 0, True)])
        self.live = int(after[-1])

    def summary(self) -> dict[str, Any]:
        """Shares in percent of the commands; resting orders after each command."""
        after = np.concatenate(self.resting)
        counts = {
            kind: self.by_kind.get(kind, 0) for kind in ("ACCEPTED", "TRADE", "CANCELLED", "REPLACED", "REJECTED")
        }
        accepted, trades, cancelled, replaced, rejected = counts.values()
        return {
            "commands": self.commands,
            "events": sum(self.by_kind.values()),
            "accepted_percent": _percent(accepted, self.commands),
            "cancelled_percent": _percent(cancelled, self.commands),
            "replaced_percent": _percent(replaced, self.commands),
            "rejected_percent": _percent(rejected, self.commands),
            "trades_percent": _percent(trades, self.commands),
            "new_orders_trading_percent": _percent(self.traded_on_entry, accepted),
            "resting": {"min": int(after.min()), "median": int(np.median(after)), "max": int(after.max())},
            "events_by_kind": dict(sorted(self.by_kind.items())),
            "reasons": dict(sorted(self.by_reason.items())),
        }


def _count(counts: dict[str, int], codes: NDArray[Any], names: type[EventKind] | type[Reason]) -> None:
    for code, times in zip(*np.unique(codes, return_counts=True), strict=True):
        name = names(int(code)).name
        counts[name] = counts.get(name, 0) + int(times)


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0


def check_state(engine: Engine, live: int, sequence: int) -> None:
    """Raises CheckError unless the state agrees with the events and its books balance (engine.md, section 6)."""
    state = engine.state()
    orders, holds, cash = state["orders"], state["holds"], state["cash"]
    if state["header"]["event_sequence"][0] != sequence:
        raise CheckError(f"{state['header']['event_sequence'][0]} events by the state, {sequence} by the stream")
    if len(orders) != live:
        raise CheckError(f"{len(orders)} live orders by the state, {live} by the events")
    if (orders["remaining"] <= 0).any() or (orders["remaining"] > orders["quantity"]).any():
        raise CheckError("a live order has nothing left or more than it had")
    _check_spread(orders, len(engine.venue.instruments))
    for name, rows in (("hold", holds), ("cash", cash)):
        for bucket in (rows.dtype.names or ())[2:]:
            if (rows[bucket] < 0).any():
                raise CheckError(f"{name} bucket {bucket} is below zero")
    if engine.venue.prefunded:
        _check_money(engine, state)


def _check_spread(orders: NDArray[Any], instruments: int) -> None:
    bid, ask = np.zeros(instruments + 1, np.int64), np.full(instruments + 1, 1 << 31)
    buy, sell = orders[orders["side"] == Side.BUY], orders[orders["side"] == Side.SELL]
    np.maximum.at(bid, buy["instrument"], buy["price"])
    np.minimum.at(ask, sell["instrument"], sell["price"])
    if (bid >= ask).any():
        raise CheckError(f"the book of instrument {np.flatnonzero(bid >= ask)[0]} is crossed")


def _check_money(engine: Engine, state: dict[str, NDArray[Any]]) -> None:
    orders, holds, cash, terms = state["orders"], state["holds"], state["cash"], state["negotiations"]
    by_id = (None, *engine.venue.instruments)
    tick_value = np.array([i.tick_value if i else 0 for i in by_id])[orders["instrument"]]
    units_per_lot = np.array([i.units_per_lot if i else 0 for i in by_id])[orders["instrument"]]
    buy, buying = orders["side"] == Side.BUY, terms["side"] == Side.BUY
    accounts = len(state["accounts"]) + 1
    if not any(i.fee_ppm for i in engine.venue.instruments):
        locked = np.zeros(accounts, np.int64)
        np.add.at(locked, orders["account"][buy], (orders["price"] * orders["remaining"] * tick_value)[buy])
        np.add.at(locked, terms["account"][buying], terms["locked"][buying])
        np.subtract.at(locked, cash["account"], cash["locked"])
        if locked.any():
            raise CheckError(f"locked cash of account {np.flatnonzero(locked)[0]} is not the sum of its orders' locks")
    units = np.zeros(accounts, np.int64)
    np.add.at(units, orders["account"][~buy], (orders["remaining"] * units_per_lot)[~buy])
    np.add.at(units, terms["account"][~buying], terms["locked"][~buying])
    np.subtract.at(units, holds["account"], holds["locked"])
    if units.any():
        raise CheckError(f"locked units of account {np.flatnonzero(units)[0]} are not the sum of its orders' locks")
    for number, row in enumerate(state["assets"], 1):
        mine = holds[holds["asset"] == number]
        total = sum(int(mine[bucket].sum()) for bucket in (mine.dtype.names or ())[2:])
        if total != row["deposited"]:
            raise CheckError(f"asset {number}: {total} units in the accounts, {row['deposited']} deposited")
    for number, row in enumerate(state["currencies"], 1):
        mine = cash[cash["currency"] == number]
        total = sum(int(mine[bucket].sum()) for bucket in ("free", "locked", "auction_locked")) + int(row["fees"])
        if total != row["deposited"]:
            raise CheckError(f"currency {number}: {total} in the accounts, {row['deposited']} deposited")
