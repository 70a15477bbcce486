"""A random market under random limits, kill switches, corrections, listings and wider windows.

stream = ControlStream(venue, seed)
commands = stream.take(400, engine.state()["orders"])

The market is that of `generator.CommandStream`; about one command in twelve is one of the operator's in between.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.schema import CommandArray, EventArray, EventKind, LimitKind
from engine.schema import CommandKind as K
from engine.venue import Capacity, Venue
from tests.engine.builders import plain, seee
from tests.engine.generator import ACCOUNTS, DATES, FIRMS, TRADERS, CommandStream, as_commands

Array = NDArray[Any]
SHARE = 0.08
TICK_NS = 40_000_000
"""Journal time between two commands: 25 in a second, so that order rates are met."""
VALUES = {1: [60, 200, 400], 2: [4 * 10**5, 10**6, 3 * 10**6], 3: [20, 100, 400], 4: [1, 4, 12], 5: [20, 60, 150]}
"""Limits by kind, around what the market does."""


def venues() -> dict[str, Venue]:
    """Pre-funded with several instruments, and labels alone."""
    capacity = Capacity(orders=700, accounts=14, firms=6, sessions=12, negotiations=8, auctions=4, bids=60)
    narrow = {"floor": Decimal(40), "ceiling": Decimal(120), "times_in_force": ("day", "gtc", "ioc", "fok")}
    return {
        "controls": seee({**narrow, "fee_ppm": 1_234, "units_per_lot": 10}, capacity=capacity),
        "controls-labels": plain({"times_in_force": ("day", "gtc", "ioc", "fok")}, capacity=capacity),
    }


class ControlStream:
    """An endless stream of commands for one venue; the same venue and seed give the same stream."""

    def __init__(self, venue: Venue, seed: int) -> None:
        self.venue = venue
        self.market = CommandStream(venue, seed)
        self.random = np.random.default_rng(seed + 1_000_000)
        self.sequence = 0
        self.trades: list[dict[str, int]] = []
        self.undo: list[dict[str, int]] = []

    def learn(self, events: EventArray) -> None:
        """Trades that may be cancelled later."""
        for event in events[events["kind"] == EventKind.TRADE][-20:]:
            buying = event["side"] == 1
            buyer, seller = ("account", "contra_account") if buying else ("contra_account", "account")
            self.trades.append(
                {
                    "target": int(event["sequence"]),
                    "instrument": int(event["instrument"]),
                    "price": int(event["price"]),
                    "quantity": int(event["quantity"]),
                    "account": int(event[buyer]),
                    "quantity2": int(event[seller]),
                }
            )
        self.trades = self.trades[-40:]

    def take(self, count: int, live_orders: Array | None = None) -> CommandArray:
        """About `count` commands of the market with the operator's between them."""
        market = self.market.take(count, live_orders)
        places = np.flatnonzero(self.random.random(count) < SHARE)
        rows = as_commands([self.control(live_orders) for _ in places]) if len(places) else market[:0]
        commands = np.insert(market, places, rows)
        commands["sequence"] = np.arange(self.sequence + 1, self.sequence + 1 + len(commands))
        commands["timestamp"] = commands["sequence"] * TICK_NS
        self.sequence += len(commands)
        return commands

    def control(self, live_orders: Array | None) -> dict[str, int]:
        """One command of the operator, or of a firm about itself; what hinders trading is soon taken back."""
        if self.undo and self.draw(3):
            return self.undo.pop(self.draw(len(self.undo)))
        kinds = [K.SET_LIMIT] * 8 + [K.KILL_SWITCH] * 3 + [K.BUST_TRADE] * 4 + [K.SET_ORDER_STATUS] * 2
        kinds += [K.FIRM_KILL, K.WIDEN_WINDOW, K.LIST_INSTRUMENT, K.DELIST_INSTRUMENT]
        kind = kinds[self.draw(len(kinds))]
        row = {"kind": kind, **MAKERS[kind](self, live_orders)}
        if kind == K.SET_LIMIT and row["scope"] != LimitKind.LARGE_HOLDER:
            self.undo.append({**row, "quantity": 0, "quantity2": 0, "expiry": 0})
        elif kind == K.KILL_SWITCH:
            self.undo.append({**row, "side": 1})
        elif kind == K.FIRM_KILL:
            self.undo.append({**row, "scope": 1})
        elif kind == K.DELIST_INSTRUMENT:
            self.undo.append({"kind": K.LIST_INSTRUMENT, "instrument": row["instrument"], "expiry": self.today()})
        return row

    def draw(self, below: int) -> int:
        return int(self.random.integers(0, below))

    def pick(self, values: list[int]) -> int:
        return values[self.draw(len(values))]

    def today(self) -> int:
        day = self.market.day
        return 20251228 if day == 0 else DATES[min(day, len(DATES)) - 1]

    def _limit(self, _live: Array | None) -> dict[str, int]:
        kind = self.pick([1, 2, 3, 4, 5, 6, 6, 7])
        owners = [{}, {"account": 1 + self.draw(ACCOUNTS)}, {"target": 1 + self.draw(FIRMS)}]
        owners.append({"instrument": 1 + self.draw(len(self.venue.instruments))})
        values = VALUES.get(kind, [10**5, 2 * 10**6, 10**7])
        row = {"scope": kind, "quantity": self.pick([0, *values]), **owners[self.draw(4)]}
        if self.draw(3) == 0:
            row |= {"quantity2": self.pick(values), "expiry": (self.sequence + self.draw(600)) * TICK_NS}
        return row

    def _kill(self, _live: Array | None) -> dict[str, int]:
        scope = 1 + self.draw(4)
        row = {"scope": scope, "side": self.pick([0, 0, 0, 1])}
        if scope == 1:
            row["target"] = self.draw(FIRMS + 2)
        elif scope == 2:
            row["account"] = self.draw(ACCOUNTS + 2)
        elif scope == 3:
            row["instrument"] = self.draw(len(self.venue.instruments) + 2)
        return row

    def _firm_kill(self, _live: Array | None) -> dict[str, int]:
        session = 1 + self.draw(TRADERS)
        return {"session": session, "scope": self.pick([0, 0, 1])}

    def _bust(self, _live: Array | None) -> dict[str, int]:
        if not self.trades or self.draw(10) == 0:
            return {"scope": self.draw(4), "instrument": 1, "target": self.draw(500), "quantity2": 1}
        row = dict(self.trades[self.draw(len(self.trades))])
        row |= {"scope": 1, "expiry": self.today()}
        if self.draw(4) == 0:
            field = ("price", "quantity", "scope", "expiry", "account")[self.draw(5)]
            row[field] += self.pick([-1, 1, 2])
        return row

    def _status(self, live: Array | None) -> dict[str, int]:
        if live is None or not len(live):
            return {"target": self.draw(900)}
        return {"target": int(live["order_id"][self.draw(len(live))])}

    def _widen(self, _live: Array | None) -> dict[str, int]:
        number = self.draw(len(self.venue.instruments)) + 1
        instrument = self.venue.instruments[number - 1]
        floor, ceiling = instrument.floor_ticks - self.draw(900), instrument.ceiling_ticks + self.draw(900)
        return {"instrument": number, "price": max(floor, self.pick([0, 1, 1, 1])), "price2": ceiling}

    def _list(self, _live: Array | None) -> dict[str, int]:
        number = 1 + self.draw(len(self.venue.instruments))
        price = self.pick([0, 0, 7_000, 7_400])
        return {"instrument": number, "price": price, "expiry": self.today() + self.draw(2)}

    def _delist(self, _live: Array | None) -> dict[str, int]:
        return {"instrument": 1 + self.draw(len(self.venue.instruments)), "expiry": self.today() + self.draw(3)}


MAKERS: dict[int, Any] = {
    K.SET_LIMIT: ControlStream._limit,
    K.KILL_SWITCH: ControlStream._kill,
    K.FIRM_KILL: ControlStream._firm_kill,
    K.BUST_TRADE: ControlStream._bust,
    K.SET_ORDER_STATUS: ControlStream._status,
    K.WIDEN_WINDOW: ControlStream._widen,
    K.LIST_INSTRUMENT: ControlStream._list,
    K.DELIST_INSTRUMENT: ControlStream._delist,
}
