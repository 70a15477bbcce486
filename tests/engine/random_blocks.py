"""Random but repeatable streams of block trades: offers, answers and withdrawals among orders, cancels, phases, days.

stream = BlockStream(venue, seed)
commands = stream.take(40, engine.state())          # answers are drawn from the negotiations that really stand
"""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.schema import CommandArray, Role, Side
from engine.schema import CommandKind as K
from engine.venue import Venue
from tests.engine.builders import plain, seee
from tests.engine.generator import as_commands
from tests.engine.rulesets import CAPACITY

State = dict[str, NDArray[Any]]
Row = dict[str, int]
ACCOUNTS, FIRMS, TRADERS = 6, 3, 3
POOR = ACCOUNTS
OPERATOR = TRADERS + 1
DAY_LENGTH = 260
FIRST_DATE = 20251229
TIMES = 1_000
"""Nanoseconds from one command to the next."""
KINDS: dict[int, int] = {
    K.BLOCK_OFFER: 26,
    K.BLOCK_COUNTER: 16,
    K.BLOCK_ACCEPT: 16,
    K.BLOCK_WITHDRAW: 7,
    K.NEW_ORDER: 16,
    K.CANCEL_ORDER: 4,
    K.MASS_CANCEL: 1,
    K.SET_PHASE: 3,
    K.SET_ACCOUNT_STATUS: 2,
    K.SET_OWNER_GROUP: 1,
    K.DEPOSIT_CASH: 2,
    K.DEPOSIT_UNITS: 2,
    K.WITHDRAW_CASH: 2,
    K.WITHDRAW_UNITS: 2,
}
EDGES: dict[str, list[int]] = {
    "side": [0, 1, 2, 3, 255],
    "scope": [0, 1, 2, 255],
    "instrument": [-1, 0, 1, 6, 7, 2**31 - 1],
    "account": [-1, 0, 1, POOR, POOR + 1, 2**31 - 1],
    "target": [-1, 0, 1, 2**32 + 1, 2**63 - 1],
    "expiry": [-1, 0, 1, 2**63 - 1, -(2**63)],
    "price": [-1, 0, 1, 4993, 4994, 9274, 9275, 131_071, 131_072, 2**31 - 1],
    "quantity": [-1, 0, 1, 99_999, 100_000, 2**31 - 1, 2**31, 2**62, -(2**63)],
    "quantity2": [1],
    "order_type": [1],
    "session": [-1, 0, OPERATOR, OPERATOR + 1, 99],
    "client_order_id": [0, 1],
}


def block_venues() -> dict[str, Venue]:
    """Rule sets that together reach every branch of the rules of block trades."""
    fees = {"fee_ppm": 1_234, "tick_value": 1_000, "units_per_lot": 1_000, "price_step": 5, "quantity_step": 10}
    bare = {"limit_block_bps": 0, "previous_close": None, "fee_ppm": 1_000_000, "tick_value": 20_000_000}
    venues = {
        "seee": seee(capacity=CAPACITY),
        "fees": seee(
            {**fees, "quantity_min": 10, "quantity_max": 99_990, "block_max": 300_000},
            capacity=CAPACITY,
            settlement_days=0,
            self_trade="OFF",
            withdraw_after="AT_ONCE",
        ),
        "no-limits": seee(bare, capacity=CAPACITY, composite="NONE"),
        "labels": plain({"block_min": 100_000}, capacity=CAPACITY, self_trade="CANCEL_BOTH"),
    }
    first, second, *others = venues["no-limits"].instruments
    limited = msgspec.structs.replace(second, limit_block_bps=3_000)
    listed_only = [msgspec.structs.replace(other, block_min=0, listed_from=first.listed_from) for other in others]
    venues["no-limits"] = venues["no-limits"].changed(instruments=(first, limited, *listed_only))
    return venues


class BlockStream:
    """An endless stream for one venue; the same venue, seed and states give the same stream."""

    def __init__(self, venue: Venue, seed: int) -> None:
        self.venue = venue
        self.random = Random(seed)
        self.sequence = 0
        self.numbers: dict[int, int] = {}
        self.date = FIRST_DATE
        self.until_close = DAY_LENGTH
        self.pending = self._set_up()

    def take(self, count: int, state: State) -> CommandArray:
        """The next commands, at least `count`; whole days' ends and beginnings stay together."""
        rows, self.pending = self.pending, []
        while len(rows) < count:
            rows.append(self._one(state))
            self.until_close -= 1
            if not self.until_close:
                rows += self._next_day()
                self.until_close = DAY_LENGTH
        commands = as_commands([self._numbered(row) for row in rows])
        commands["sequence"] = np.arange(self.sequence + 1, self.sequence + 1 + len(rows))
        commands["timestamp"] = commands["sequence"] * TIMES
        self.sequence += len(rows)
        return commands

    def _set_up(self) -> list[Row]:
        rows: list[Row] = [{"kind": K.OPEN_FIRM}] * FIRMS
        for account in range(1, ACCOUNTS + 1):
            group = 7 if account in (1, 2) else 0
            rows.append({"kind": K.OPEN_ACCOUNT, "quantity": 1 + account % FIRMS, "quantity2": group})
        rows += [
            {"kind": K.OPEN_SESSION, "quantity": 1 + n % FIRMS, "scope": Role.TRADER} for n in range(1, TRADERS + 1)
        ]
        rows.append({"kind": K.OPEN_SESSION, "scope": Role.OPERATOR})
        scale = self.venue.instruments[0].tick_value
        for account in range(1, ACCOUNTS + 1) if self.venue.prefunded else ():
            blocks = 1 if account == POOR else 40
            cash = blocks * 100_000 * 7_500 * scale
            rows.append({"kind": K.DEPOSIT_CASH, "account": account, "scope": 1, "quantity": cash})
            for asset in (1, 2):
                units = blocks * 100_000 * self.venue.instruments[0].units_per_lot
                rows.append({"kind": K.DEPOSIT_UNITS, "account": account, "scope": asset, "quantity": units})
        return rows + self._opened()

    def _opened(self) -> list[Row]:
        return [{"kind": K.SET_PHASE, "scope": mode, "quantity": 3, "expiry": self.date} for mode in (1, 2)]

    def _next_day(self) -> list[Row]:
        """The end of day with commands out of turn in between, and the next date."""
        early = {"kind": K.BLOCK_OFFER, "side": 1, "instrument": 1, "account": 1, "price": 7000, "quantity": 100_000}
        withdrawal = {"kind": K.BLOCK_WITHDRAW, "account": 1, "target": 1}
        self.date += 1
        rows: list[Row] = [{"kind": K.STOP_TRADING}, early, withdrawal, {"kind": K.EXPIRE_ORDERS}, early]
        return [*rows, {"kind": K.FIX_CLOSE}, {"kind": K.SETTLE}, early, *self._opened()]

    def _one(self, state: State) -> Row:
        kind = self.random.choices(list(KINDS), list(KINDS.values()))[0]
        fill = {
            K.BLOCK_OFFER: self._offer,
            K.BLOCK_COUNTER: self._answer,
            K.BLOCK_ACCEPT: self._answer,
            K.BLOCK_WITHDRAW: self._withdraw,
            K.NEW_ORDER: self._order,
            K.CANCEL_ORDER: self._cancel,
            K.SET_PHASE: self._phase,
        }.get(kind, self._administration)
        row = {"kind": kind, **fill(kind, state)}
        if "session" not in row:
            row["session"] = self._session(row)
        if self.random.random() < 0.06:
            name = self.random.choice(list(EDGES))
            row[name] = self.random.choice(EDGES[name])
        return row

    def _session(self, row: Row) -> int:
        """Of the account's firm most of the time; the venue itself for the rest, and for the operator's kinds."""
        if row["kind"] >= 64 or self.random.random() < 0.3:
            return 0
        if self.random.random() < 0.05:
            return self.random.randint(1, TRADERS)
        return row.get("account", 1) % FIRMS or FIRMS

    def _numbered(self, row: Row) -> Row:
        session = row.get("session", 0)
        if "client_order_id" in row or not 0 < session <= OPERATOR:
            return row
        self.numbers[session] = self.numbers.get(session, 0) + 1
        return {**row, "client_order_id": self.numbers[session]}

    def _terms(self, near: int = 7_134) -> Row:
        """Around a price, in blocks of 100,000 lots and more; some are wild."""
        step = self.venue.instruments[0].price_step
        dice = self.random.random()
        away = self.random.randint(-400, 400) if dice < 0.9 else self.random.randint(-2_600, 2_600)
        quantity = self.random.randint(10_000, 25_000) * 10
        wild = self.random.choice([99_990, 99_999, 100_001, 400_000, 2**31 - 10])
        return {
            "price": (near + away) // step * step + (dice > 0.98) * 130_000,
            "quantity": quantity if self.random.random() < 0.93 else wild,
        }

    def _account(self) -> int:
        return self.random.randint(1, ACCOUNTS)

    def _instrument(self) -> int:
        return min(self.random.choice([1, 1, 1, 1, 2, 6]), len(self.venue.instruments))

    def _offer(self, _kind: int, _state: State) -> Row:
        named = self.random.random() < 0.6
        lasting = self.random.choice([0, 0, 30, 200])
        return {
            "side": self.random.randint(1, 2),
            "instrument": self._instrument(),
            "account": self._account(),
            "scope": int(named),
            "target": self._account() if named else 0,
            "expiry": (self.sequence + lasting) * TIMES if lasting else 0,
            **self._terms(),
        }

    def _standing(self, state: State) -> Any:
        rows = state["negotiations"]
        return rows[self.random.randrange(len(rows))] if len(rows) else None

    def _answer(self, kind: int, state: State) -> Row:
        """Mostly by one who may answer; acceptance mostly of the very terms that stand."""
        terms = self._standing(state)
        if terms is None:
            return {"account": self._account(), "target": self.random.randint(0, 20), **self._terms()}
        named = int(terms["counterparty"])
        account = named if named and self.random.random() < 0.9 else self._account()
        same = {"price": int(terms["price"]), "quantity": int(terms["quantity"])}
        restated = kind == K.BLOCK_ACCEPT and self.random.random() < 0.95
        return {
            "account": account,
            "target": int(terms["id"]),
            **(same if restated else self._terms(same["price"])),
        }

    def _withdraw(self, _kind: int, state: State) -> Row:
        terms = self._standing(state)
        if terms is None:
            return {"account": self._account(), "target": self.random.randint(0, 20)}
        account = self.random.choice([int(terms["account"]), int(terms["counterparty"]), self._account()])
        return {"account": account, "target": int(terms["id"])}

    def _order(self, _kind: int, _state: State) -> Row:
        """Orders take the same cash and units; some are as large as an account's whole holding."""
        side = self.random.randint(1, 2)
        price = 7_134 + (-1 if side == Side.BUY else 1) * self.random.randint(-3, 12)
        step = self.venue.instruments[0].price_step
        return {
            "side": side,
            "order_type": 1,
            "time_in_force": self.random.choice([1, 1, 3]),
            "instrument": self._instrument(),
            "account": self._account(),
            "price": price // step * step,
            "quantity": self.random.choice([10, 1_000, 99_990]),
        }

    def _cancel(self, _kind: int, state: State) -> Row:
        rows = state["orders"]
        if not len(rows):
            return {"target": 1}
        row = rows[self.random.randrange(len(rows))]
        return {"target": int(row["order_id"]), "account": 0}

    def _phase(self, _kind: int, _state: State) -> Row:
        phase = self.random.choice([3, 3, 3, 4, 0])
        instrument = 0 if phase == 3 else self.random.randint(1, len(self.venue.instruments))
        mode = self.random.choice([1, 2, 2])
        return {"scope": mode, "quantity": phase, "instrument": instrument, "expiry": self.date}

    def _administration(self, kind: int, _state: State) -> Row:
        scale = self.venue.instruments[0].tick_value
        units = 100_000 * self.venue.instruments[0].units_per_lot
        row: dict[int, Row] = {
            K.MASS_CANCEL: {},
            K.SET_ACCOUNT_STATUS: {
                "account": self.random.choice([4, 4, 4, POOR]),
                "scope": self.random.choice([1, 1, 2]),
            },
            K.SET_OWNER_GROUP: {"account": self._account(), "quantity2": self.random.choice([0, 0, 7])},
        }
        money = {"account": self._account(), "scope": 1, "quantity": 100_000 * 7_000 * scale}
        holding = {"account": self._account(), "scope": self.random.randint(1, 2), "quantity": units}
        return row.get(kind, money if kind in (K.DEPOSIT_CASH, K.WITHDRAW_CASH) else holding)
