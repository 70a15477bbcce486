"""Random but repeatable command streams: a hostile market over several days, drawn in whole arrays at a time.

stream = CommandStream(venue, seed)
commands = stream.take(10_000)                      # targets by client id are mostly right, by order id guessed
commands = stream.take(10_000, engine.state()["orders"])   # targets are drawn from what really rests
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.schema import COMMAND, CommandArray, OrderFlag, Role
from engine.schema import CommandKind as K
from engine.venue import Venue
from tests.engine.rulesets import venues

Array = NDArray[Any]
FIRMS, ACCOUNTS, TRADERS = 4, 12, 8
OPERATOR, READER, ENDED = TRADERS + 1, TRADERS + 2, TRADERS + 3
POOR, SUSPENDED = ACCOUNTS - 1, ACCOUNTS
DAY_LENGTH = 2_500
BATCH = 600
FIRST_DATE = 20251228
DATES = [20251229, 20251230, 20251231, *range(20260105, 20260132), *range(20260201, 20260229)]

MIX: dict[int, float] = {
    K.NEW_ORDER: 66.0,
    K.CANCEL_ORDER: 10.0,
    K.REPLACE_ORDER: 10.0,
    K.TAKE: 4.0,
    K.MASS_CANCEL: 0.15,
    K.SET_PHASE: 0.2,
    K.SESSION_UP: 0.4,
    K.SESSION_DOWN: 0.3,
    K.SET_ACCOUNT_STATUS: 0.3,
    K.SET_SESSION_STATUS: 0.3,
    K.SET_OWNER_GROUP: 0.2,
    K.DEPOSIT_CASH: 0.6,
    K.DEPOSIT_UNITS: 0.6,
    K.WITHDRAW_CASH: 0.6,
    K.WITHDRAW_UNITS: 0.6,
    K.OPEN_FIRM: 0.05,
    K.OPEN_ACCOUNT: 0.05,
    K.OPEN_SESSION: 0.05,
    K.CLOCK_ANCHOR: 0.1,
    K.SET_REFERENCE: 0.1,
    K.EXPIRE_ORDERS: 0.05,
    K.FIX_CLOSE: 0.05,
    K.SETTLE: 0.05,
    K.QUOTE: 0.05,
    K.BLOCK_OFFER: 0.05,
    200: 0.05,
    0: 0.05,
}
KINDS = np.array(list(MIX), np.uint8)
SHARES = np.array(list(MIX.values())) / sum(MIX.values())
HOSTILE: dict[str, list[int]] = {
    "kind": [0, 5, 6, 7, 16, 63, 64, 66, 90, 127, 255],
    "side": [0, 1, 2, 3, 255],
    "order_type": [0, 1, 2, 3, 6, 255],
    "time_in_force": [0, 1, 2, 3, 4, 5, 255],
    "flags": [-1, 0, 1, 2, 3, 4, 8, 32767, -32768],
    "self_trade": [0, 1, 2, 3, 4, 5, 255],
    "scope": [0, 1, 2, 3, 4, 7, 8, 15, 16, 255],
    "instrument": [-1, 0, 1, 2, 6, 7, 2**31 - 1, -(2**31)],
    "account": [-1, 0, 1, SUSPENDED, 13, 9999, 2**31 - 1, -(2**31)],
    "client_order_id": [-1, 0, 1, 5],
    "target": [-1, 0, 1, 10**6, 2**62, 2**63 - 1, -(2**63)],
    "expiry": [-1, 0, 1, 99991231, 99991232, 2**63 - 1],
    "price": [-1, 0, 1, 2, 131071, 131072, 2**31 - 1, -(2**31)],
    "price2": [-1, 1, 7000],
    "quantity": [-1, 0, 1, 99_999, 100_000, 2**31 - 1, 2**31, 2**62 - 1, 2**62, 2**63 - 1, -(2**63)],
    "quantity2": [-1, 0, 1, 10**9, 10**9 + 1, 2**31, 2**63 - 1],
    "session": [-1, 0, 1, OPERATOR, READER, ENDED, 13, 9999, 2**31 - 1, -(2**31)],
    "actor": [1, -1],
    "spare": [1, -1],
}


class CommandStream:
    """An endless stream of commands for one venue; the same venue and seed give the same stream.

    The first `take` begins with the set-up: firms, accounts in shared owner groups, sessions, deposits, the first day.
    `kinds`, `shares` and `fillers` say which commands come how often and how they are drawn.
    """

    kinds, shares = KINDS, SHARES
    fillers: dict[int, Any]

    def __init__(self, venue: Venue, seed: int) -> None:
        self.venue = venue
        self.random = np.random.default_rng(seed)
        self.sequence = 0
        self.numbers = np.zeros(ENDED + 1, np.int64)
        self.day = 0
        self.until_close = DAY_LENGTH
        self.placed = np.zeros(0, COMMAND)
        self.mid = np.array([(i.previous_close_ticks or 7_300) for i in venue.instruments])
        self.step = np.array([i.price_step for i in venue.instruments])
        self.lot = np.array([max(i.quantity_step, 1) for i in venue.instruments])
        self.pending = self._set_up()

    def take(self, count: int, live_orders: Array | None = None) -> CommandArray:
        """The next `count` commands; with `live_orders` (state section `orders`) most targets are live orders."""
        parts = [self.pending]
        have = len(self.pending)
        while have < count:
            part = self._trading(min(max(count - have, 64), BATCH, self.until_close), live_orders)
            self.until_close -= len(part)
            parts.append(part)
            have += len(part)
            if not self.until_close:
                parts.append(self._next_day())
                have += len(parts[-1])
                self.until_close = DAY_LENGTH
        joined = np.concatenate(parts)
        self.pending = joined[count:]
        return self._stamped(joined[:count].copy())

    def _stamped(self, commands: CommandArray) -> CommandArray:
        numbers = np.arange(self.sequence + 1, self.sequence + 1 + len(commands))
        self.sequence += len(commands)
        commands["sequence"] = numbers
        commands["timestamp"] = numbers * 1_000
        return commands

    def _set_up(self) -> CommandArray:
        rows: list[dict[str, int]] = [{"kind": K.OPEN_FIRM}] * FIRMS
        for account in range(1, ACCOUNTS + 1):
            # Groups reach across firms; every third account stands alone.
            rows.append({"kind": K.OPEN_ACCOUNT, "quantity": 1 + account % FIRMS, "quantity2": (0, 7, 9)[account % 3]})
        for session in range(1, TRADERS + 1):
            rows.append({"kind": K.OPEN_SESSION, "quantity": 1 + session % FIRMS, "scope": Role.TRADER})
            rows.append({"kind": K.SESSION_UP, "target": session, "scope": session % 3})
        for role in (Role.OPERATOR, Role.READER, Role.READER):
            rows.append({"kind": K.OPEN_SESSION, "scope": role})
        rows.append({"kind": K.SET_SESSION_STATUS, "target": ENDED, "scope": 3})
        for account in range(1, ACCOUNTS + 1) if self.venue.prefunded else ():
            wealth = 2_000 if account == POOR else 2_000_000
            scale = self.venue.instruments[0].tick_value
            rows.append({"kind": K.DEPOSIT_CASH, "account": account, "scope": 1, "quantity": wealth * 40_000 * scale})
            for asset in range(1, len(self.venue.assets) + 1):
                units = wealth * self.venue.instruments[0].units_per_lot
                rows.append({"kind": K.DEPOSIT_UNITS, "account": account, "scope": asset, "quantity": units})
        rows.append({"kind": K.SET_ACCOUNT_STATUS, "account": SUSPENDED, "scope": 2})
        rows += [{"kind": K.SET_PHASE, "scope": mode, "quantity": 3, "expiry": FIRST_DATE} for mode in (1, 2)]
        return as_commands(rows)

    def _next_day(self) -> CommandArray:
        """End of day, sometimes with commands out of turn, and the next date; dates go round in a fixed list."""
        date = DATES[self.day] if self.day < len(DATES) else 20260300 + self.day
        self.day += 1
        orders = {"kind": K.NEW_ORDER, "side": 1, "order_type": 1, "time_in_force": 1, "instrument": 1, "account": 1}
        early = {**orders, "price": int(self.mid[0]), "quantity": 100}
        rows: list[dict[str, int]] = [{"kind": K.STOP_TRADING}, early, {"kind": K.SETTLE}, {"kind": K.EXPIRE_ORDERS}]
        rows += [{"kind": K.SET_PHASE, "scope": 1, "quantity": 3, "expiry": date}, {"kind": K.FIX_CLOSE}]
        rows += [{"kind": K.WITHDRAW_UNITS, "account": 1, "scope": 1, "quantity": 1}, {"kind": K.SETTLE}, early]
        if self.venue.instruments[0].previous_close is not None:
            # Back to the first reference every day, so that limits stay around the prices that are drawn.
            rows += [
                {"kind": K.SET_REFERENCE, "instrument": number, "price": int(price)}
                for number, price in enumerate(self.mid, 1)
            ]
        rows += [{"kind": K.SET_PHASE, "scope": mode, "quantity": 3, "expiry": date} for mode in (1, 3)]
        return as_commands(rows)

    def _trading(self, count: int, live_orders: Array | None) -> CommandArray:
        commands = np.zeros(count, COMMAND)
        kinds = self.random.choice(self.kinds, count, p=self.shares)
        commands["kind"] = kinds
        self._sessions(commands)
        for kind in np.unique(kinds).tolist():
            fill = self.fillers.get(kind)
            if fill is not None:
                at = np.flatnonzero(kinds == kind)
                rows = commands[at]
                fill(self, rows, live_orders)
                commands[at] = rows
        self._resume(commands)
        self._spoil(commands)
        self._numbers(commands)
        self.placed = np.concatenate([self.placed, commands[commands["kind"] == K.NEW_ORDER]])[-400:]
        return commands

    def _sessions(self, commands: CommandArray) -> None:
        """Traders trade, the operator operates, the venue does a bit of everything."""
        count = len(commands)
        sessions = self.random.integers(1, TRADERS + 1, count)
        sessions[commands["kind"] >= 64] = OPERATOR
        sessions[self.random.random(count) < 0.15] = 0
        commands["session"] = sessions

    def _resume(self, commands: CommandArray) -> None:
        """Whatever phase was set, trading goes on a few commands later."""
        after = np.flatnonzero((commands["kind"] == K.SET_PHASE) & (commands["quantity"] != 3)) + 12
        after = after[after < len(commands)]
        dates = commands["expiry"][after - 12].copy()
        commands[after] = np.zeros(1, COMMAND)
        commands["kind"][after], commands["scope"][after], commands["quantity"][after] = K.SET_PHASE, 1, 3
        commands["expiry"][after] = dates

    def _numbers(self, commands: CommandArray) -> None:
        """Strictly rising per session, except for about one in a hundred that is stale."""
        sessions = commands["session"].astype(np.int64)
        for session in range(ENDED + 1):
            at = np.flatnonzero(sessions == session)
            commands["client_order_id"][at] = self.numbers[session] + np.arange(1, len(at) + 1)
            self.numbers[session] += len(at)
        venue_itself = (sessions == 0) & (self.random.random(len(commands)) < 0.5)
        commands["client_order_id"][venue_itself] = 0
        stale = np.flatnonzero(self.random.random(len(commands)) < 0.01)
        commands["client_order_id"][stale] -= self.random.integers(1, 50, len(stale))

    def _spoil(self, commands: CommandArray) -> None:
        """About one command in thirty gets one field that is at or past some edge."""
        spoilt = np.flatnonzero(self.random.random(len(commands)) < 0.03)
        names = list(HOSTILE)
        for at, which in zip(spoilt.tolist(), self.random.integers(0, len(names), len(spoilt)).tolist(), strict=True):
            values = HOSTILE[names[which]]
            commands[names[which]][at] = values[int(self.random.integers(0, len(values)))]

    def _accounts(self, commands: CommandArray) -> Array:
        """Mostly an account of the session's firm (see _set_up), with some of everybody else's."""
        count = len(commands)
        firms = np.where(commands["session"] == 0, self.random.integers(0, FIRMS, count), commands["session"] % FIRMS)
        own = firms + FIRMS * self.random.integers(0, ACCOUNTS // FIRMS, count)
        own[own == 0] = ACCOUNTS
        anybody = self.random.integers(0, ACCOUNTS + 2, count)
        return np.where(self.random.random(count) < 0.02, anybody, own)

    def _prices(self, sides: Array, instruments: Array) -> Array:
        """Around the middle, a little to the passive side, on the price step most of the time."""
        count = len(sides)
        away = np.rint(self.random.normal(4, 9, count)).astype(np.int64) * np.where(sides == 1, -1, 1)
        far = self.random.random(count) < 0.03
        away[far] *= 60
        step = self.step[instruments - 1]
        return (self.mid[instruments - 1] // step + away) * step + (self.random.random(count) < 0.002)

    def _quantities(self, instruments: Array) -> Array:
        lot = self.lot[instruments - 1]
        return (1 + np.minimum(self.random.geometric(0.01, len(instruments)), 490)) * lot + (lot > 1) * lot

    def _instruments(self, count: int) -> Array:
        """Two busy books, the others quiet."""
        most = len(self.venue.instruments)
        return np.minimum(self.random.geometric(0.5, count), most)

    def _fill_new(self, commands: CommandArray, _live: Array | None) -> None:
        count = len(commands)
        sides = self.random.integers(1, 3, count)
        instruments = self._instruments(count)
        roll = self.random.random(count)
        tif = np.select([roll < 0.70, roll < 0.80, roll < 0.92], [1, 2, 3], 4)
        order_type = np.where((tif >= 3) & (self.random.random(count) < 0.3), 2, 1)
        commands["side"] = sides
        commands["instrument"] = instruments
        commands["order_type"] = order_type
        commands["time_in_force"] = tif
        commands["account"] = self._accounts(commands)
        commands["price"] = self._prices(sides, instruments)
        commands["price"][(order_type == 2) & (self.random.random(count) < 0.5)] = 0
        commands["quantity"] = self._quantities(instruments)
        commands["self_trade"] = np.where(self.random.random(count) < 0.3, self.random.integers(0, 5, count), 0)
        post_only = (tif <= 2) & (self.random.random(count) < 0.08)
        commands["flags"][post_only] = OrderFlag.POST_ONLY

    def _aim(self, commands: CommandArray, live: Array | None) -> Array:
        """Fill target (and session) so that most commands reach an order of their own; returns rows of `live`."""
        count = len(commands)
        if live is None or not len(live):
            return self._aim_by_client_id(commands)
        chosen = live[self.random.integers(0, len(live), count)]
        commands["target"] = chosen["order_id"]
        own = self.random.random(count) < 0.85
        commands["session"][own] = chosen["session"][own]
        by_client_id = own & (chosen["client_order_id"] > 0) & (self.random.random(count) < 0.4)
        commands["flags"][by_client_id] = OrderFlag.BY_CLIENT_ID
        commands["target"][by_client_id] = chosen["client_order_id"][by_client_id]
        return chosen

    def _aim_by_client_id(self, commands: CommandArray) -> Array:
        """Without knowledge of the book: recent orders of the stream itself, by client id."""
        recent = self.placed if len(self.placed) else np.zeros(1, COMMAND)
        chosen = recent[self.random.integers(0, len(recent), len(commands))]
        commands["session"] = chosen["session"]
        commands["target"] = chosen["client_order_id"]
        commands["flags"] = OrderFlag.BY_CLIENT_ID
        return chosen

    def _fill_cancel(self, commands: CommandArray, live: Array | None) -> None:
        self._aim(commands, live)

    def _fill_replace(self, commands: CommandArray, live: Array | None) -> None:
        chosen = self._aim(commands, live)
        count = len(commands)
        instruments = np.clip(chosen["instrument"], 1, len(self.venue.instruments)).astype(np.int64)
        same_price = self.random.random(count) < 0.5
        commands["price"] = np.where(same_price, chosen["price"], self._prices(chosen["side"], instruments))
        lot = self.lot[instruments - 1]
        change = self.random.integers(-30, 20, count) * lot
        commands["quantity"] = np.clip(chosen["quantity"] + change, lot, 99_999)

    def _fill_take(self, commands: CommandArray, live: Array | None) -> None:
        chosen = self._aim(commands, live)
        if live is not None and len(live):
            # The best few of each side, because only those may be taken.
            keys = live["instrument"] * 2 + live["side"]
            starts = np.r_[0, np.flatnonzero(np.diff(keys)) + 1]
            at = starts[self.random.integers(0, len(starts), len(commands))] + self.random.integers(0, 4, len(commands))
            chosen = live[np.minimum(at, len(live) - 1)]
            commands["target"] = chosen["order_id"]
        commands["flags"] = 0
        commands["session"] = np.where(self.random.random(len(commands)) < 0.5, 0, commands["session"])
        commands["side"] = 3 - np.clip(chosen["side"], 1, 2)
        commands["instrument"] = np.clip(chosen["instrument"], 1, len(self.venue.instruments))
        commands["price"] = chosen["price"]
        commands["quantity"] = np.clip(chosen["quantity"] // 2, 1, 99_999)
        commands["account"] = self._accounts(commands)

    def _fill_mass_cancel(self, commands: CommandArray, _live: Array | None) -> None:
        count = len(commands)
        scope = self.random.integers(0, 16, count) | np.where(self.random.random(count) < 0.7, 8, 1)
        commands["scope"] = scope
        commands["account"] = np.where(scope & 1, self._accounts(commands), 0)
        commands["instrument"] = np.where(scope & 2, self._instruments(count), 0)
        commands["side"] = np.where(scope & 4, self.random.integers(1, 3, count), 0)

    def _fill_set_phase(self, commands: CommandArray, _live: Array | None) -> None:
        """Short breaks of quiet books in all modes; the date is today's as far as the stream knows."""
        count = len(commands)
        commands["scope"] = self.random.integers(1, 4, count)
        commands["quantity"] = self.random.choice([3, 3, 3, 3, 3, 3, 1, 4, 0, 7], count)
        last = len(self.venue.instruments)
        commands["instrument"] = np.where(commands["quantity"] == 3, 0, self.random.integers(1, last + 1, count))
        date = FIRST_DATE if self.day == 0 else DATES[self.day - 1] if self.day <= len(DATES) else 20260299 + self.day
        commands["expiry"] = date + (self.random.random(count) < 0.1)

    def _fill_session(self, commands: CommandArray, _live: Array | None) -> None:
        commands["target"] = self.random.integers(1, ENDED + 2, len(commands))
        commands["scope"] = np.where(commands["kind"] == K.SESSION_UP, self.random.integers(0, 3, len(commands)), 0)

    def _fill_session_status(self, commands: CommandArray, _live: Array | None) -> None:
        commands["target"] = self.random.integers(READER, ENDED + 1, len(commands))
        commands["scope"] = self.random.choice([1, 3], len(commands))

    def _fill_account_status(self, commands: CommandArray, _live: Array | None) -> None:
        commands["account"] = SUSPENDED
        commands["scope"] = self.random.choice([1, 2], len(commands))

    def _fill_owner_group(self, commands: CommandArray, _live: Array | None) -> None:
        commands["account"] = self.random.integers(1, ACCOUNTS + 1, len(commands))
        commands["quantity2"] = self.random.choice([0, 0, 7, 9], len(commands))
        commands["expiry"] = 20260101

    def _fill_money(self, commands: CommandArray, _live: Array | None) -> None:
        count = len(commands)
        commands["account"] = self.random.integers(1, ACCOUNTS + 1, count)
        units = (commands["kind"] == K.DEPOSIT_UNITS) | (commands["kind"] == K.WITHDRAW_UNITS)
        commands["scope"] = np.where(units, self._instruments(count), 1)
        commands["quantity"] = np.where(units, 500, 500 * 7_000) * self.random.integers(1, 100, count)

    def _fill_open(self, commands: CommandArray, _live: Array | None) -> None:
        commands["quantity"] = self.random.integers(0, 8, len(commands))
        account = commands["kind"] == K.OPEN_ACCOUNT
        commands["quantity2"] = np.where(account, self.random.integers(-1, 3, len(commands)), 0)
        commands["scope"] = np.where(account, 0, self.random.integers(0, 5, len(commands)))

    def _fill_anchor(self, commands: CommandArray, _live: Array | None) -> None:
        for name in ("target", "expiry", "quantity", "quantity2"):
            commands[name] = self.random.integers(0, 10**9, len(commands))

    def _fill_reference(self, commands: CommandArray, _live: Array | None) -> None:
        commands["instrument"] = self._instruments(len(commands))
        commands["price"] = self.random.integers(7_000, 7_500, len(commands))


FILLERS: dict[int, Any] = {
    K.NEW_ORDER: CommandStream._fill_new,
    K.CANCEL_ORDER: CommandStream._fill_cancel,
    K.REPLACE_ORDER: CommandStream._fill_replace,
    K.TAKE: CommandStream._fill_take,
    K.MASS_CANCEL: CommandStream._fill_mass_cancel,
    K.SET_PHASE: CommandStream._fill_set_phase,
    K.SESSION_UP: CommandStream._fill_session,
    K.SESSION_DOWN: CommandStream._fill_session,
    K.SET_ACCOUNT_STATUS: CommandStream._fill_account_status,
    K.SET_SESSION_STATUS: CommandStream._fill_session_status,
    K.SET_OWNER_GROUP: CommandStream._fill_owner_group,
    K.DEPOSIT_CASH: CommandStream._fill_money,
    K.WITHDRAW_CASH: CommandStream._fill_money,
    K.DEPOSIT_UNITS: CommandStream._fill_money,
    K.WITHDRAW_UNITS: CommandStream._fill_money,
    K.OPEN_ACCOUNT: CommandStream._fill_open,
    K.OPEN_SESSION: CommandStream._fill_open,
    K.CLOCK_ANCHOR: CommandStream._fill_anchor,
    K.SET_REFERENCE: CommandStream._fill_reference,
}


CommandStream.fillers = FILLERS


def as_commands(rows: list[dict[str, int]]) -> CommandArray:
    commands = np.zeros(len(rows), COMMAND)
    for at, row in enumerate(rows):
        for name, value in row.items():
            commands[name][at] = value
    return commands


def random_commands(venue: Venue, seed: int, count: int) -> CommandArray:
    """`count` commands from the beginning of the stream that this venue and seed give."""
    return CommandStream(venue, seed).take(count)


__all__ = ["CommandStream", "as_commands", "random_commands", "venues"]
