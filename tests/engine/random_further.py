"""Random but repeatable streams of further orders, quotes and calls amid everything that an operator may do to them:
kill switches, seizures, cancelled trades, limits, wider windows. Small tables, so that they are full now and then.

stream = FurtherStream(venue, seed)
commands = stream.take(25, engine.state())          # targets are drawn from the orders that really live
"""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.schema import CommandArray, OrderFlag, OrderType, Phase, Role, TimeInForce
from engine.schema import CommandKind as K
from engine.venue import Capacity, Venue
from tests.engine.builders import plain, seee
from tests.engine.generator import as_commands

State = dict[str, NDArray[Any]]
Row = dict[str, int]
CAPACITY = Capacity(
    orders=90,
    accounts=8,
    firms=4,
    sessions=8,
    negotiations=4,
    auctions=2,
    bids=10,
    holds=20,
    obligations=4,
    icebergs=12,
)
ACCOUNTS, FIRMS, TRADERS = 6, 3, 4
POOR = ACCOUNTS
DAY_LENGTH = 220
FIRST_DATE = 20251201
TIMES = 50_000_000
"""Nanoseconds from one command to the next: some twenty to a second."""
ALL_TYPES = ("limit", "market", "stop", "stop_limit", "iceberg", "stop_limit_iceberg")
ALL_TIMES = ("day", "gtc", "ioc", "fok", "gtd")
EVERYTHING = {"order_types": ALL_TYPES, "times_in_force": ALL_TIMES, "hidden": True, "quotes": True}
KINDS: dict[int, int] = {
    K.NEW_ORDER: 60,
    K.CANCEL_ORDER: 5,
    K.REPLACE_ORDER: 16,
    K.QUOTE: 9,
    K.TAKE: 5,
    K.MASS_CANCEL: 1,
    K.SET_PHASE: 5,
    K.SESSION_DOWN: 1,
    K.SESSION_UP: 1,
    K.SET_ACCOUNT_STATUS: 1,
    K.SET_OWNER_GROUP: 1,
    K.DEPOSIT_CASH: 1,
    K.SET_LIMIT: 1,
    K.KILL_SWITCH: 1,
    K.BUST_TRADE: 2,
    K.PLACE_HOLD: 1,
    K.SET_ORDER_STATUS: 1,
    K.WIDEN_WINDOW: 1,
}
EDGES: dict[str, list[int]] = {
    "side": [0, 1, 2, 3, 255],
    "order_type": [0, 1, 2, 3, 4, 5, 6, 7, 255],
    "time_in_force": [0, 1, 2, 3, 4, 5, 6, 255],
    "flags": [-1, 0, 1, 2, 3, 4, 5, 6, 8, 32767, -32768],
    "self_trade": [0, 1, 2, 3, 4, 5],
    "scope": [0, 1, 2, 3, 4, 8, 15],
    "instrument": [-1, 0, 1, 2, 3, 7, 256, 257, 2**31 - 1],
    "account": [-1, 0, 1, POOR, POOR + 1, 2**31 - 1],
    "target": [-1, 0, 1, 2, 2**31, 2**62, 2**63 - 1],
    "expiry": [-1, 0, 1, FIRST_DATE - 1, 99991231, 99991232, 2**63 - 1],
    "price": [-1, 0, 1, 2, 131_072, 2**31 - 1],
    "price2": [-1, 0, 1, 131_072, 2**31 - 1, -(2**31)],
    "quantity": [-1, 0, 1, 7, 100_001, 2**31 - 1, 2**31, 2**63 - 1],
    "quantity2": [-1, 0, 1, 2, 2**31, 2**63 - 1, -(2**63)],
    "session": [-1, 0, 1, TRADERS + 1, 99],
    "client_order_id": [0, 1],
}


def further_venues() -> dict[str, Venue]:
    """Rule sets that together reach every branch of docs/order-types.md and docs/call-auctions.md."""
    calls = {"call_auction": True, "call_rule": "T7", "corridor_dynamic_bps": 40, "corridor_static_bps": 120}
    fees = {"fee_ppm": 1_234, "tick_value": 1_000, "units_per_lot": 1_000}
    return {
        "labels": plain(
            {**EVERYTHING, **calls}, capacity=CAPACITY, take=True, click_strict=False, self_trade="CANCEL_BOTH"
        ),
        "hubei": seee(
            {**EVERYTHING, **fees, "price_rule": "MEDIAN3", "close": "LAST5", "call_auction": True, "call_rule": "KRX"},
            capacity=CAPACITY,
            self_trade="DECREMENT",
            depth_remainder="REST_AT_LAST",
            click_strict=False,
        ),
        "stepped": seee(
            {**EVERYTHING, **calls, "price_step": 5, "quantity_step": 10, "quantity_min": 20, "fee_ppm": 37},
            capacity=CAPACITY,
            self_trade="CANCEL_MAKER",
            sweep_levels=3,
            settlement_days=0,
            break_cancel=False,
        ),
        "reject": seee(
            {**EVERYTHING, "call_auction": True, "call_rule": "T7", "limit_listed_bps": 0, "previous_close": None},
            capacity=CAPACITY,
            cross_policy="REJECT",
            composite="NONE",
            self_trade="OFF",
        ),
        "stops-alone": seee(
            {"order_types": ("limit", "market", "stop", "stop_limit"), "times_in_force": ALL_TIMES, "close": "LAST5"},
            capacity=CAPACITY,
            self_trade="CANCEL_TAKER",
            sweep_levels=2,
        ),
    }


class FurtherStream:
    """An endless stream for one venue; the same venue, seed and states give the same stream."""

    def __init__(self, venue: Venue, seed: int) -> None:
        self.venue = venue
        self.random = Random(seed)
        self.sequence = 0
        self.numbers: dict[int, int] = {}
        self.date = FIRST_DATE
        self.until_close = DAY_LENGTH
        self.mid = venue.instruments[0].previous_close_ticks or 7_134
        self.step, self.lot = venue.instruments[0].price_step, venue.instruments[0].quantity_step
        self.calls = venue.instruments[0].call_auction
        self.pending = self._set_up()

    def take(self, count: int, state: State) -> CommandArray:
        """The next commands, at least `count`; whole days' ends and beginnings stay together."""
        rows, self.pending = self.pending, []
        while len(rows) < count:
            rows += self._one(state)
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
        for n in range(1, TRADERS + 1):
            rows.append({"kind": K.OPEN_SESSION, "quantity": 1 + n % FIRMS, "scope": Role.TRADER})
            rows.append({"kind": K.SESSION_UP, "target": n, "scope": n % 3})
        scale = self.venue.instruments[0].tick_value
        for account in range(1, ACCOUNTS + 1) if self.venue.prefunded else ():
            lots = 400 if account == POOR else 60_000
            rows.append({"kind": K.DEPOSIT_CASH, "account": account, "scope": 1, "quantity": lots * 7_500 * scale})
            for asset in range(1, len(self.venue.assets) + 1):
                units = lots * self.venue.instruments[0].units_per_lot
                rows.append({"kind": K.DEPOSIT_UNITS, "account": account, "scope": asset, "quantity": units})
        return rows + self._morning()

    def _morning(self) -> list[Row]:
        """A day begins in PRE_OPEN, in a call, or at once."""
        phases = self.random.choice([[3], [1, 3], [2], [2]]) if self.calls else [3]
        return [{"kind": K.SET_PHASE, "scope": 1, "quantity": phase, "expiry": self.date} for phase in phases]

    def _next_day(self) -> list[Row]:
        self.date += 1
        if self.date % 100 > 28:
            self.date += 72
        rows: list[Row] = [{"kind": K.SET_PHASE, "scope": 1, "quantity": 5, "expiry": self.date - 1}] * self.calls
        rows += [self._order({}) for _ in range(4)]
        rows += [{"kind": K.STOP_TRADING}, {"kind": K.EXPIRE_ORDERS}, {"kind": K.FIX_CLOSE}, {"kind": K.SETTLE}]
        if self.venue.instruments[0].previous_close is not None:
            rows += [{"kind": K.SET_REFERENCE, "instrument": n, "price": self.mid} for n in (1, 2)][
                : len(self.venue.instruments)
            ]
        return rows + self._morning()

    def _one(self, state: State) -> list[Row]:
        kind = self.random.choices(list(KINDS), list(KINDS.values()))[0]
        fill = {
            K.NEW_ORDER: self._order,
            K.CANCEL_ORDER: self._cancel,
            K.REPLACE_ORDER: self._replace,
            K.QUOTE: self._quote,
            K.TAKE: self._take,
            K.SET_PHASE: self._phase,
            K.BUST_TRADE: self._bust,
        }.get(kind, self._administration)
        row = {"kind": int(kind), **fill({"kind": int(kind)} if fill == self._administration else state)}
        if "session" not in row:
            row["session"] = self._session(row)
        if self.random.random() < 0.05:
            name = self.random.choice(list(EDGES))
            row[name] = self.random.choice(EDGES[name])
        if kind == K.KILL_SWITCH:
            return [row, {**row, "side": 1}]
        return [row]

    def _session(self, row: Row) -> int:
        """Of the account's firm most of the time; the venue itself for the rest, and for the operator's kinds."""
        if row["kind"] >= 64 or self.random.random() < 0.2:
            return 0
        if not self.venue.prefunded or self.random.random() < 0.03:
            return self.random.randint(1, TRADERS)
        return row.get("account", 1) % FIRMS or FIRMS

    def _numbered(self, row: Row) -> Row:
        session = row.get("session", 0)
        if "client_order_id" in row or not 0 < session <= TRADERS + 1:
            return row
        number = self.numbers.get(session, 0) + 1
        self.numbers[session] = number + (row["kind"] == K.QUOTE) * (self.random.random() < 0.95)
        return {**row, "client_order_id": number}

    def _account(self) -> int:
        return self.random.randint(1, ACCOUNTS)

    def _instrument(self) -> int:
        return min(self.random.choice([1, 1, 1, 1, 1, 2]), len(self.venue.instruments))

    def _price(self, spread: int = 12) -> int:
        away = self.random.randint(-spread, spread) if self.random.random() < 0.95 else self.random.randint(-90, 90)
        return (self.mid // self.step + away) * self.step + (self.random.random() < 0.01)

    def _lots(self, most: int = 60) -> int:
        return self.random.randint(2, most) * self.lot if self.random.random() < 0.97 else self.random.randint(1, 999)

    def _shown(self, lots: int) -> int:
        part = max(1, lots // self.lot // self.random.choice([1, 2, 3, 5, 9, 20])) * self.lot
        return part if self.random.random() < 0.97 else self.random.randint(0, lots + 1)

    def _last_date(self) -> int:
        return self.date + self.random.choice([0, 0, 0, 1, 1, 2, 5, -1])

    def _order(self, _state: State) -> Row:
        """Every type with what belongs to it; the combinations that do not go together come from EDGES."""
        kind = self.random.choices(list(OrderType)[1:], [45, 10, 8, 14, 16, 7])[0]
        tif = self.random.choices([1, 2, 3, 4, 5], [40, 10, 22, 8, 20])[0]
        if kind >= OrderType.STOP and tif in (3, 4):
            tif = 1
        if kind == OrderType.MARKET and tif not in (3, 4):
            tif = self.random.choice([3, 4, 1])
        row: Row = {
            "kind": K.NEW_ORDER,
            "side": self.random.randint(1, 2),
            "order_type": int(kind),
            "time_in_force": tif,
            "instrument": self._instrument(),
            "account": self._account(),
            "price": self._price(),
            "quantity": self._lots(),
            "self_trade": self.random.choice([0, 0, 0, 1, 2, 3, 4]),
        }
        if kind in (OrderType.MARKET, OrderType.STOP) and self.random.random() < 0.5:
            row["price"] = 0
        if tif == TimeInForce.GTD:
            row["expiry"] = self._last_date()
        if kind in (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.STOP_LIMIT_ICEBERG):
            row["price2"] = self._price()
        if kind >= OrderType.ICEBERG:
            row["quantity2"] = self._shown(row["quantity"])
        if kind == OrderType.LIMIT and tif in (1, 2, 5):
            row["flags"] = self.random.choices([0, 1, 4, 5], [60, 10, 25, 5])[0]
        if kind <= OrderType.MARKET and tif != 4 and row.get("flags", 0) in (0, 4) and self.random.random() < 0.15:
            row["target"] = self.random.randint(1, row["quantity"])
        return row

    def _target(self, state: State) -> tuple[Any, Row]:
        """A live order, addressed by whoever may."""
        rows = state.get("orders", ())
        if not len(rows):
            return None, {"target": self.random.randint(0, 50), "session": 0}
        order = rows[self.random.randrange(len(rows))]
        session, number = int(order["session"]), int(order["client_order_id"])
        if session and number and self.random.random() < 0.4:
            return order, {"target": number, "session": session, "flags": OrderFlag.BY_CLIENT_ID}
        return order, {"target": int(order["order_id"]), "session": session if self.random.random() < 0.9 else 0}

    def _cancel(self, state: State) -> Row:
        return self._target(state)[1]

    def _replace(self, state: State) -> Row:
        order, row = self._target(state)
        if order is None:
            return {**row, "price": self._price(), "quantity": self._lots()}
        same = self.random.random() < 0.5
        price = int(order["price"]) if same else self._price()
        row["price"] = 0 if order["waiting"] and self.random.random() < 0.4 else price
        change = self.random.choice([-9, -5, -2, 0, 0, 3, 8]) * self.lot
        row["quantity"] = max(1, int(order["quantity"]) + change)
        if (order["waiting"] and self.random.random() < 0.6) or self.random.random() < 0.02:
            row["price2"] = self._price()
        if (order["shown"] and self.random.random() < 0.5) or self.random.random() < 0.02:
            row["quantity2"] = self._shown(row["quantity"])
        if (order["time_in_force"] == TimeInForce.GTD and self.random.random() < 0.4) or self.random.random() < 0.02:
            row["expiry"] = self._last_date()
        return row

    def _quote(self, state: State) -> Row:
        """Of two accounts alone, so that quotes meet their old ones; often near the old one."""
        account = self.random.choice([3, 4])
        row = {"account": account, "instrument": self._instrument(), "flags": self.random.choice([0, 0, 1])}
        bid, offer = sorted((self._price(), self._price()))
        lots = [self._lots(20), self._lots(20)]
        rows = state["orders"]
        for order in rows[
            (rows["quote"] == 1) & (rows["account"] == account) & (rows["instrument"] == row["instrument"])
        ]:
            if self.random.random() < 0.5:
                lots[int(order["side"]) - 1] = max(
                    1, int(order["remaining"]) - self.random.choice([0, 0, 1, 2]) * self.lot
                )
                bid, offer = (int(order["price"]), offer) if order["side"] == 1 else (bid, int(order["price"]))
        row |= {"price": bid, "quantity": lots[0], "price2": offer, "quantity2": lots[1]}
        dropped = self.random.choices(
            [(), ("price", "quantity"), ("price2", "quantity2"), tuple(row)[3:]], [80, 8, 8, 5]
        )[0]
        row |= dict.fromkeys(dropped, 0)
        row["self_trade"] = self.random.choice([0, 0, 1, 4])
        return row

    def _take(self, state: State) -> Row:
        order, row = self._target(state)
        row = {"target": row["target"], "instrument": 1, "account": self._account(), "side": self.random.randint(1, 2)}
        if order is not None:
            row |= {"target": int(order["order_id"]), "side": 3 - int(order["side"]), "price": int(order["price"])}
            row |= {"instrument": int(order["instrument"])}
            row["quantity"] = max(1, int(order["visible"] or order["remaining"]) - self.random.choice([0, 0, 1, -1]))
        return row

    def _phase(self, state: State) -> Row:
        """Calls, frozen or not, end soon: most phases are continuous ones again."""
        phase = self.random.choices([3, 2, 5, 6, 1, 4, 0, 7], [50, 14, 10, 8, 6, 4, 3, 3])[0]
        frozen = int(phase in (2, 5, 6) and self.random.random() < 0.35)
        instrument = self.random.choice([0, 0, 1, 1, 1, 2])
        rows = state.get("instruments", ())
        if len(rows) and self.random.random() < 0.35:
            phase = int(rows[0]["listed_phase"])
            frozen, instrument = int(phase in (Phase.OPEN_CALL, Phase.CLOSE_CALL, Phase.VOLATILITY_CALL)), 1
        return {"scope": 1, "quantity": phase, "quantity2": frozen, "instrument": instrument, "expiry": self.date}

    def _bust(self, state: State) -> Row:
        """Of one of the trades that a LAST5 close looks at, most of the time."""
        row = state["instruments"][0]
        n = self.random.randint(1, 5)
        number, price, lots = (int(row[f"close_{name}{n}"]) for name in ("trade", "price", "lots"))
        return {
            "scope": 1,
            "instrument": 1,
            "account": self._account(),
            "quantity2": self._account(),
            "target": number or self.random.randint(1, 500),
            "expiry": self.date,
            "price": price or self._price(),
            "quantity": lots or self._lots(),
        }

    def _administration(self, told: State) -> Row:
        kind = int(told["kind"])  # type: ignore[call-overload]
        if kind == K.MASS_CANCEL:
            scope = self.random.choice([1, 3, 8, 9, 12])
            row = {"scope": scope, "account": self._account() if scope & 1 else 0, "instrument": 1 if scope & 2 else 0}
            return {**row, "side": self.random.randint(1, 2) if scope & 4 else 0}
        if kind in (K.SESSION_DOWN, K.SESSION_UP):
            return {
                "target": self.random.randint(1, TRADERS),
                "scope": self.random.randint(0, 2) * (kind == K.SESSION_UP),
            }
        if kind == K.SET_ACCOUNT_STATUS:
            return {"account": 5, "scope": self.random.choice([1, 1, 2])}
        if kind == K.SET_OWNER_GROUP:
            return {"account": self._account(), "quantity2": self.random.choice([0, 7, 7, 9]), "expiry": self.date}
        if kind == K.DEPOSIT_CASH:
            return {"account": POOR, "scope": 1, "quantity": 10_000}
        if kind == K.SET_LIMIT:
            return self._limit()
        if kind == K.KILL_SWITCH:
            return (
                {"scope": 3, "instrument": 2}
                if self.random.random() < 0.6
                else {"scope": 2, "account": self._account()}
            )
        if kind == K.PLACE_HOLD:
            return {"side": 2, "account": POOR, "scope": 1, "quantity": 100, "quantity2": 5}
        if kind == K.WIDEN_WINDOW:
            instrument = self.venue.instruments[0]
            floor = max(1, instrument.floor_ticks - self.random.randint(0, 3))
            return {"instrument": self._instrument(), "price": floor, "price2": instrument.ceiling_ticks}
        return {"target": self.random.randint(1, 400)}

    def _limit(self) -> Row:
        """Wide enough to let most pass, and lifted again as often as set."""
        scope = self.random.randint(1, 6)
        value = {1: 55, 2: 10**12, 3: 150, 4: 12, 5: 25, 6: 70_000}[scope]
        return {
            "scope": scope,
            "account": self._account() if self.venue.prefunded else 0,
            "quantity": value * self.random.randint(0, 1),
        }
