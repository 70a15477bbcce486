"""Random but repeatable streams in which the registry's commands (docs/registry.md) meet a hostile market.

stream = RegistryStream(venue, seed)
commands = stream.meet(150, engine.state())    # holds, obligations and holdings as they stand give most targets
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.schema import COMMAND, CommandArray, HoldType
from engine.schema import CommandKind as K
from engine.venue import AssetTerms, Capacity, ComplianceYear, Venue, number_date
from tests.engine.builders import plain, seee
from tests.engine.generator import ACCOUNTS, DATES, FIRMS, FIRST_DATE, TRADERS, CommandStream, as_commands

SHARE = 0.4
"""Of the orders, cancels and replaces that give way to a command of the registry."""
DAY_LENGTH = 500
YEARS = (2024, 2025, 2026)
ENDS = {2024: number_date(FIRST_DATE), 2025: number_date(DATES[1])}
"""Dates of compliance years: the first day, and a later one; 2026 has none."""
MIX: dict[int, float] = {
    K.PLACE_HOLD: 18,
    K.PLEDGE_REQUEST: 8,
    K.TRANSFER_OUT: 8,
    K.TRANSFER_IN: 8,
    K.RELEASE_HOLD: 20,
    K.REALISE_HOLD: 22,
    K.ALLOCATE_UNITS: 5,
    K.SET_OBLIGATION: 7,
    K.SURRENDER: 12,
    K.VOLUNTARY_CANCEL: 4,
    K.CARRY_OVER: 5,
    K.ACKNOWLEDGE_SETTLEMENT: 1,
    K.SET_TRANSFER_WINDOW: 3,
    K.OPEN_ACCOUNT: 1,
}
KINDS = np.array(list(MIX), np.int64)
SHARES = np.array(list(MIX.values())) / sum(MIX.values())
OWNERS = (K.PLEDGE_REQUEST, K.TRANSFER_OUT, K.TRANSFER_IN, K.SURRENDER, K.VOLUNTARY_CANCEL)
State = dict[str, NDArray[Any]]


def registry_venues() -> dict[str, Venue]:
    """Rule sets for the registry: several instruments of one asset, vintages, offsets, credits; small tables."""
    capacity = Capacity(
        orders=300, accounts=14, firms=6, sessions=12, negotiations=8, auctions=4, bids=60, holds=14, obligations=15
    )
    terms = (
        AssetTerms(asset="CEA21", surrender_until=2025),
        AssetTerms(asset="CEA22", kind="OFFSET"),
        AssetTerms(asset="CEA23", kind="CREDIT"),
    )
    years = tuple(ComplianceYear(year=year, allocation_by=ended, surrender_by=ended) for year, ended in ENDS.items())
    market = seee(capacity=capacity, asset_terms=terms, accounts_per_firm=4, compliance_years=years)
    first, second, *others = market.instruments
    of_one_asset = (first, msgspec.structs.replace(second, asset=first.asset), *others)
    return {
        "registry": market.changed(instruments=of_one_asset),
        "registry-ack": market.changed(
            settlement_ack=True,
            accounts_per_firm=0,
            settlement_days=0,
            offset_limit_bps=333,
            carry_over_base=0,
            carry_over_factor_bps=12_345,
            instruments=tuple(msgspec.structs.replace(i, units_per_lot=7, fee_ppm=777) for i in of_one_asset),
        ),
        "registry-plain": plain(capacity=capacity, settlement_ack=True),
    }


class RegistryStream(CommandStream):
    """A CommandStream with short days, obligations from the beginning, and the registry's commands among the orders."""

    def __init__(self, venue: Venue, seed: int) -> None:
        self.state: State = {}
        super().__init__(venue, seed)
        self.until_close = DAY_LENGTH

    def meet(self, count: int, state: State) -> CommandArray:
        """The next `count` commands of a market that stands as `state` says."""
        self.state = state
        commands = self.take(count, state["orders"]).view(COMMAND)
        self.until_close = min(self.until_close, DAY_LENGTH)
        return commands

    def _set_up(self) -> CommandArray:
        owed = [
            {"kind": K.SET_OBLIGATION, "account": account, "quantity": 30_000, "expiry": YEARS[account % 3]}
            for account in range(1, ACCOUNTS, 2)
        ]
        return np.concatenate([super()._set_up(), as_commands(owed)])

    def _next_day(self) -> CommandArray:
        """The settlement is refused, acknowledged for another date, refused again, and acknowledged."""
        today = FIRST_DATE if self.day == 0 else DATES[self.day - 1] if self.day <= len(DATES) else 20260299 + self.day
        commands = super()._next_day()
        last = np.flatnonzero(commands["kind"] == K.SETTLE)[-1]
        answers = [(today, 1), (today - 1, 0), (today, 0), (today, 1), (today, 0)][int(self.random.integers(0, 4)) :]
        rows = [{"kind": K.ACKNOWLEDGE_SETTLEMENT, "expiry": date, "scope": refused} for date, refused in answers]
        rows.insert(int(self.random.integers(0, len(rows))), {"kind": K.SETTLE})
        return np.concatenate([commands[:last], as_commands(rows), commands[last:]])

    def _trading(self, count: int, live_orders: NDArray[Any] | None) -> CommandArray:
        commands = super()._trading(count, live_orders)
        replaceable = np.isin(commands["kind"], (K.NEW_ORDER, K.CANCEL_ORDER, K.REPLACE_ORDER))
        chosen = np.flatnonzero(replaceable & (self.random.random(count) < SHARE))
        kinds = self.random.choice(KINDS, len(chosen), p=SHARES).tolist()
        rows = [
            self._registry_row(kind, int(commands["session"][at]), int(commands["client_order_id"][at]))
            for kind, at in zip(kinds, chosen.tolist(), strict=True)
        ]
        other = as_commands(rows)
        self._spoil(other)
        commands[chosen] = other
        return commands

    def _registry_row(self, kind: int, session: int, number: int) -> dict[str, int]:
        """One command; an owner's comes from the session that was to trade, or from the venue itself."""
        by_session = kind in OWNERS and self._roll(0.6) and 1 <= session <= TRADERS
        by_session = by_session or self._roll(0.03)
        row = {"kind": kind, "session": session if by_session else 0, "client_order_id": number if by_session else 0}
        row["account"] = self._account(row["session"])
        fill = {
            K.RELEASE_HOLD: self._release,
            K.REALISE_HOLD: self._realise,
            K.SET_OBLIGATION: self._owe,
            K.SURRENDER: self._surrender,
            K.CARRY_OVER: self._carry,
            K.ACKNOWLEDGE_SETTLEMENT: self._acknowledge,
            K.SET_TRANSFER_WINDOW: self._window,
            K.OPEN_ACCOUNT: self._open,
        }.get(kind, self._hold)
        return {**row, **fill(kind, row["account"])}

    def _roll(self, chance: float) -> bool:
        return bool(self.random.random() < chance)

    def _pick(self, *values: int) -> int:
        return int(values[int(self.random.integers(0, len(values)))])

    def _year(self) -> int:
        return self._pick(*YEARS) if self._roll(0.96) else self._pick(1999, 3000)

    def _account(self, session: int) -> int:
        owners = [a for a in range(1, ACCOUNTS + 1) if session == 0 or a % 4 == session % 4]
        return self._pick(*owners)

    def _asset(self) -> int:
        """Mostly the asset of the two busy instruments."""
        return 1 if self._roll(0.55) else int(self.random.integers(1, len(self.venue.assets) + 2))

    def _units(self, account: int, asset: int) -> int:
        """A little, or about as much as the account has: exactly, one more, with its orders and today's purchases."""
        few = int(self.random.integers(1, 20_000))
        rows = self.state.get("holds")
        if rows is None or self._roll(0.7):
            return few
        mine = rows[(rows["account"] == account) & (rows["asset"] == asset)]
        if not len(mine):
            return few
        free, locked, bought = (int(mine[0][name]) for name in ("free", "locked", "bought_today"))
        return max(
            1, self._pick(free, free + 1, free + locked // 2, free + locked, free + bought, free + locked + bought)
        )

    def _hold(self, kind: int, account: int) -> dict[str, int]:
        """PLACE_HOLD and what owners and the registry ask for likewise."""
        asset = self._asset()
        row = {"scope": asset, "quantity": self._units(account, asset)}
        if kind == K.PLACE_HOLD:
            row["side"] = self._pick(HoldType.PLEDGE, HoldType.JUDICIAL, HoldType.JUDICIAL, HoldType.JUDICIAL)
            row["quantity2"] = self._pick(0, 0, 470_000_000)
        if kind == K.PLEDGE_REQUEST or row.get("side") == HoldType.PLEDGE:
            row["target"] = int(self.random.integers(1, ACCOUNTS + 1)) if self._roll(0.97) else 99
        if kind == K.PLEDGE_REQUEST:
            row["quantity2"] = int(self.random.integers(0, 10**9))
        if kind == K.ALLOCATE_UNITS:
            row["expiry"] = self._year()
        return row

    def _held(self) -> dict[str, int]:
        """A live hold as the state knows it, or one that is none."""
        rows = self.state.get("encumbrances")
        if rows is None or not len(rows) or self._roll(0.03):
            return {"id": int(self.random.integers(0, 20)), "type": 1, "quantity": 5, "creditor": 1, "account": 1}
        chosen = rows[int(self.random.integers(0, len(rows)))]
        return {name: int(chosen[name]) for name in chosen.dtype.names}

    def _release(self, kind: int, _account: int) -> dict[str, int]:
        held = self._held()
        part = self._pick(held["quantity"], held["quantity"], max(1, held["quantity"] // 2), held["quantity"] + 1)
        creditor = held["creditor"] if self._roll(0.95) else self._pick(1, 2)
        return {"target": held["id"], "quantity": part, "quantity2": creditor, "account": 0}

    def _realise(self, kind: int, _account: int) -> dict[str, int]:
        row, held = self._release(kind, 0), self._held()
        rows = self.state.get("encumbrances")
        if rows is not None:
            mine = rows[rows["id"] == row["target"]]
            held = {name: int(mine[0][name]) for name in mine.dtype.names} if len(mine) else held
        fitting = {HoldType.PLEDGE: (1, 2, 3), HoldType.JUDICIAL: (0, 0, 4)}.get(HoldType(held["type"]), (0,))
        return {**row, "account": self._pick(*fitting) if self._roll(0.95) else self._pick(0, 5, 99)}

    def _owe(self, _kind: int, _account: int) -> dict[str, int]:
        date = self._pick(0, 0, 0, FIRST_DATE - 1, *DATES[:3]) if self._roll(0.98) else self._pick(-1, 99991232)
        return {"quantity": int(self.random.integers(0, 60_000)), "expiry": self._year(), "target": date}

    def _surrender(self, _kind: int, account: int) -> dict[str, int]:
        asset, year = self._pick(1, 1, 2, 2, 3, 3, 4, 5), self._year()
        row = {"scope": asset, "target": int(self.random.integers(1, 16)), "expiry": year}
        rows = self.state.get("obligations")
        mine = rows[rows["account"] == account] if rows is not None else ()
        if not len(mine) or self._roll(0.05):
            return {**row, "quantity": int(self.random.integers(1, 3_000))}
        chosen = mine[int(self.random.integers(0, len(mine)))]
        due, done, offsets = (int(chosen[name]) for name in ("due", "surrendered", "offsets"))
        most = (2 * due * self.venue.offset_limit_bps + 10_000) // 20_000
        units = self._pick(due - done, due - done + 1, (due - done) // 3, most - offsets, most - offsets + 1, 500)
        return {**row, "target": int(chosen["id"]), "expiry": int(chosen["year"]), "quantity": max(1, units)}

    def _carry(self, _kind: int, _account: int) -> dict[str, int]:
        row = {"scope": self._pick(1, 1, 2, 3, 5), "side": self._pick(5, 5, 6, 6, 4)}
        units = int(self.random.integers(1, 9_000))
        return {
            **row,
            "quantity": units,
            "quantity2": int(self.random.integers(0, 8_000)),
            "expiry": self._year(),
        }

    def _window(self, _kind: int, _account: int) -> dict[str, int]:
        return {"account": 0, "scope": self._pick(0, 1, 1) if self._roll(0.95) else 2}

    def _open(self, _kind: int, account: int) -> dict[str, int]:
        return {"account": 0, "quantity": 1 + account % FIRMS}

    def _acknowledge(self, _kind: int, _account: int) -> dict[str, int]:
        return {"account": 0, "expiry": FIRST_DATE, "scope": self._pick(0, 0, 1)}
