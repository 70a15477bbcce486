"""Random days of auctions with every bound: the kernel gives the reference's bytes, and no bound is ever overstepped.

One generator draws the commands; the conditions are read off the events alone: a bidder's live bids within its share,
no reserve below the floor of the year of its announcement and opening, no window before its notice, nothing opened that
is not frozen.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engine.core import Engine
from engine.schema import COMMAND, CommandArray, EventKind, Reason
from engine.schema import CommandKind as K
from engine.venue import Venue
from tests.engine.auction_hall import hall
from tests.engine.builders import BUY, SELL
from tests.engine.conftest import kernel_exists
from tests.engine.invariants import check
from tests.engine.test_differential import same

ACCOUNTS, FIRMS = 6, (1, 1, 2, 3, 4, 5)
"""Accounts 1 and 2 are of one firm, 3 and 4 of one owner group, 5 has an obligation."""
GROUPS = (0, 0, 7, 7, 0, 0)
COVERED = (5,)
NOTICE, FREEZE = 3, 1
FLOORS = {2024: 100, 2025: 105, 2026: 112}
"""1.00; 5 % more; 5 % and 1.2 % more, 111.51 half-up."""
DATES = (20241227, 20241230, 20241231, 20250102, 20250103, 20251230, 20251231, 20260102, 20260105, 20260106)


def bounded() -> Venue:
    terms: dict[str, Any] = {
        "auction_covered_bps": 5_000,
        "auction_other_bps": 2_500,
        "auction_floor": Decimal("1.00"),
        "auction_floor_year": 2024,
        "auction_floor_rise_bps": 500,
        "auction_floor_inflation_ppm": (0, 12_000),
    }
    return hall(terms, auction_notice_days=NOTICE, auction_freeze_days=FREEZE, self_trade="OFF")


def row(kind: int, **fields: int) -> dict[str, int]:
    return {"kind": int(kind), **fields}


def opening() -> list[dict[str, int]]:
    rows = [row(K.OPEN_FIRM) for _ in set(FIRMS)]
    for account, (firm, group) in enumerate(zip(FIRMS, GROUPS, strict=True), 1):
        rows.append(row(K.OPEN_ACCOUNT, quantity=firm, quantity2=group))
        rows.append(row(K.DEPOSIT_CASH, account=account, scope=1, quantity=10**9))
    return [*rows, *(row(K.SET_OBLIGATION, account=a, quantity=1, expiry=2025) for a in COVERED)]


class Days:
    """Draws days: units that come, announcements, reserves behind them, windows, bids and changes, the end."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.bids = 0
        self.live = [1]

    def draw(self, low: int, high: int) -> int:
        return int(self.random.integers(low, high + 1))

    def day(self, date: int, live: list[int]) -> list[dict[str, int]]:
        """A whole day; `live` are the auctions that it begins with."""
        self.live = [*live, max(live, default=0) + 1]
        rows = [row(K.SET_PHASE, scope=1, quantity=3, expiry=date)]
        rows += [row(K.OPEN_AUCTION, target=number) for number in live]
        rows += [self.one() for _ in range(60)]
        ends = (K.STOP_TRADING, K.EXPIRE_ORDERS, K.FIX_CLOSE, K.SETTLE)
        windows = [row(K.CLOSE_AUCTION, target=n) for n in range(self.live[0], self.live[-1] + 60)]
        return [*rows, *windows, *(row(kind) for kind in ends)]

    def one(self) -> dict[str, int]:
        roll, auction = self.random.random(), int(self.random.choice(self.live))
        if roll < 0.1:
            return row(K.DEPOSIT_UNITS, account=self.draw(1, ACCOUNTS), scope=1, quantity=self.draw(1, 40))
        if roll < 0.2:
            given = {"side": SELL if self.random.random() < 0.9 else BUY, "instrument": 1, "account": self.draw(1, 6)}
            return row(K.ANNOUNCE_AUCTION, price=self.draw(98, 114), quantity=self.draw(8, 24), **given)
        if roll < 0.3:
            return row(K.SET_COST_RESERVE, target=auction, price=self.draw(100, 120), quantity=self.draw(1, 8))
        if roll < 0.35:
            return row(K.OPEN_AUCTION, target=auction)
        if roll < 0.9:
            self.bids += 1
            terms = {"price": self.draw(105, 125), "quantity": self.draw(1, 7), "account": self.draw(1, ACCOUNTS)}
            return row(K.AUCTION_BID, side=BUY, instrument=1, target=auction, **terms)
        changed = self.draw(1, max(1, self.bids))
        return row(K.AUCTION_BID_REPLACE, target=changed, price=self.draw(105, 125), quantity=self.draw(1, 7))


class Watch:
    """Follows the events and asserts the conditions."""

    def __init__(self) -> None:
        self.date = 0
        self.days: Counter[int] = Counter()
        self.offered: dict[int, tuple[int, int, int]] = {}
        self.frozen: dict[int, int] = defaultdict(int)
        self.live: dict[int, tuple[int, int, int]] = {}
        self.reasons: Counter[int] = Counter()
        self.kinds: Counter[int] = Counter()

    def note(self, event: Any) -> None:
        kind, number = int(event["kind"]), int(event["order_id"])
        self.kinds[kind] += 1
        self.reasons[int(event["reason"])] += 1
        if kind == EventKind.DAY_OPENED:
            self.date = int(event["aux"])
            self.days.update(list(self.offered))
        elif kind == EventKind.AUCTION_ANNOUNCED:
            self.offered[number] = (int(event["side"]), int(event["price"]), int(event["quantity"]))
            self.frozen[number] = int(event["aux"])
            self.above_floor(number)
        elif kind == EventKind.AUCTION_SECURED:
            self.frozen[number] = int(event["aux"])
            assert self.days[number] <= NOTICE - FREEZE
        elif kind == EventKind.AUCTION_OPENED:
            assert self.days[number] >= NOTICE and self.frozen[number]
            self.above_floor(number)
        elif kind in (EventKind.BID_ACCEPTED, EventKind.BID_REPLACED):
            self.live[number] = (int(event["contra_order_id"]), int(event["account"]), int(event["quantity"]))
            self.within_share(int(event["contra_order_id"]), int(event["account"]))
        elif kind == EventKind.BID_ENDED:
            self.live.pop(number)
        elif kind in (EventKind.AUCTION_CLEARED, EventKind.AUCTION_CANCELLED):
            self.live = {bid: facts for bid, facts in self.live.items() if facts[0] != number}
            self.offered.pop(number)

    def above_floor(self, number: int) -> None:
        side, reserve, _ = self.offered[number]
        assert side == BUY or reserve >= FLOORS[self.date // 10_000]

    def within_share(self, auction: int, account: int) -> None:
        side, _, quantity = self.offered[auction]
        firm, group = FIRMS[account - 1], GROUPS[account - 1]
        one = [n for n in range(1, 7) if FIRMS[n - 1] == firm or (group and GROUPS[n - 1] == group)]
        share = 5_000 if any(n in COVERED for n in one) else 2_500
        lots = sum(lots for at, owner, lots in self.live.values() if at == auction and owner in one)
        assert side == BUY or 10_000 * lots <= share * quantity


def commands_of(rows: list[dict[str, int]], sequence: int) -> CommandArray:
    made = np.zeros(len(rows), COMMAND)
    for at, fields in enumerate(rows):
        for name, value in fields.items():
            made[name][at] = value
    made["sequence"] = np.arange(sequence + 1, sequence + 1 + len(rows))
    made["timestamp"] = made["sequence"] * 1_000
    return made


@pytest.mark.nojit
@pytest.mark.skipif(not kernel_exists(), reason="this tree has no kernel")
def test_no_bound_is_overstepped() -> None:
    reasons: Counter[int] = Counter()
    kinds: Counter[int] = Counter()
    for seed in range(6):
        venue = bounded()
        kernel, reference = Engine(venue, "kernel"), Engine(venue, "reference")
        days, watch, sequence = Days(seed), Watch(), 0
        for date in (0, *DATES):
            commands = commands_of(days.day(date, sorted(watch.offered)) if date else opening(), sequence)
            sequence += len(commands)
            for event in same(commands, kernel, reference):
                watch.note(event)
            check(kernel)
        reasons += watch.reasons
        kinds += watch.kinds
    for reason in (Reason.BELOW_FLOOR, Reason.NOTICE_PERIOD, Reason.PURCHASE_LIMIT, Reason.NOT_IN_PLACE):
        assert reasons[reason] >= 10, reason.name
    for kind in (EventKind.AUCTION_SECURED, EventKind.COST_RESERVE_RELEASED, EventKind.AUCTION_TRADE):
        assert kinds[kind] >= 10, kind.name
