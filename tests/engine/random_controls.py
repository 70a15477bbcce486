"""Random but repeatable streams in which the operator interferes: limits, kills, cancelled trades, listings, windows.

The market itself is that of generator.CommandStream; about one command in twelve becomes one of the operator's (or a
firm's own stop), with block offers and bids between them, so that a stop finds something of every sort to end.

stream = ControlStream(venue, seed)
commands = stream.take(400)
stream.learn(events)            # trades that may be cancelled, auctions that may be bid in
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np

from engine.schema import COMMAND, CommandArray, EventArray, EventKind, LimitKind
from engine.schema import CommandKind as K
from engine.venue import Venue
from tests.engine.builders import plain, seee
from tests.engine.generator import ACCOUNTS, DATES, FIRMS, FIRST_DATE, CommandStream
from tests.engine.rulesets import CAPACITY

SHARE = 0.08
RESUME_AFTER = 6
NANOSECONDS = 120_000_000
"""Journal time between two commands: eight commands to a second."""
TRADES = (EventKind.TRADE, EventKind.BLOCK_TRADE, EventKind.AUCTION_TRADE)
Row = dict[str, int]


def venues() -> dict[str, Venue]:
    """A narrow window, T+1; fees, T+0 and tick values; a venue without pre-funding that has days."""
    modes = {"block_min": 100, "auction": True, "auction_min": 1, "auction_reserve": "ANY", "auction_cap": "NONE"}
    window = {"floor": Decimal("69.00"), "ceiling": Decimal("75.00")}
    times = {"times_in_force": ("day", "gtc", "ioc", "fok")}
    return {
        "narrow": seee({**modes, **window, **times}, capacity=CAPACITY),
        "fees": seee(
            {**modes, **times, "fee_ppm": 1_234, "tick_value": 1_000, "units_per_lot": 10, "asset": "CEA21"},
            capacity=CAPACITY,
            settlement_days=0,
            auction_carry_over=3,
        ),
        "labels": plain(modes, capacity=CAPACITY, open_from_start=False, self_trade="CANCEL_MAKER"),
    }


class ControlStream:
    """An endless stream of commands of one venue; the same venue, seed and lessons give the same stream."""

    def __init__(self, venue: Venue, seed: int) -> None:
        self.venue = venue
        self.market = CommandStream(venue, seed)
        self.random = np.random.default_rng([seed, 1])
        self.last_order = 0
        self.trades: list[Row] = []
        self.auctions: list[Row] = []
        self.negotiation = self.offered = 0
        self.waiting: list[tuple[int, Row]] = []
        """What follows from earlier commands, and from which number on: a stop's end, a limit's, bids."""

    @property
    def date(self) -> int:
        """Today, as far as the stream knows."""
        day = self.market.day
        return FIRST_DATE if day == 0 else DATES[day - 1] if day <= len(DATES) else 20260299 + day

    def take(self, count: int) -> CommandArray:
        """The next `count` commands. Only new orders give way to the operator's."""
        commands = self.market.take(count)
        commands["timestamp"] = commands["sequence"] * NANOSECONDS
        roll = self.random.random(count)
        for at in np.flatnonzero(commands["kind"] == K.NEW_ORDER).tolist():
            number = int(commands["sequence"][at])
            due = [waiting for waiting in self.waiting if waiting[0] <= number]
            if due:
                self.waiting.remove(due[0])
                self._put(commands, at, due[0][1])
            elif roll[at] < SHARE:
                self._put(commands, at, self._operate(number))
        return commands

    def _later(self, number: int, *rows: Row) -> None:
        """Commands that follow as soon as there is room from `number` on."""
        self.waiting += [(number, row) for row in rows]

    def _put(self, commands: CommandArray, at: int, row: Row) -> None:
        """Instead of the order that stood there; a firm's own stop comes from the session that would have sent it."""
        kept = {name: int(commands[name][at]) for name in ("sequence", "timestamp")}
        if row["kind"] == K.FIRM_KILL:
            kept |= {name: int(commands[name][at]) for name in ("session", "client_order_id")}
            if row["scope"] == 0 and kept["session"] > 0:
                firm = 1 + kept["session"] % FIRMS
                resume = {"kind": K.KILL_SWITCH, "scope": 1, "side": 1, "target": firm}
                self._later(kept["sequence"] + 2 * RESUME_AFTER, resume)
        commands[at] = np.zeros(1, COMMAND)[0]
        for name, value in {**row, **kept}.items():
            commands[name][at] = value

    def learn(self, events: EventArray) -> None:
        """Remember the latest trades, open auctions and negotiations."""
        modes = dict(zip((int(kind) for kind in TRADES), (1, 2, 3), strict=True))
        for event in events[np.isin(events["kind"], TRADES)][-40:]:
            parties = (int(event["account"]), int(event["contra_account"]))
            buyer, seller = parties if event["side"] == 1 else parties[::-1]
            trade = {name: int(event[name]) for name in ("instrument", "price", "quantity")}
            trade |= {"target": int(event["sequence"]), "account": buyer, "quantity2": seller, "expiry": self.date}
            self.trades.append(trade | {"scope": modes[int(event["kind"])]})
        self.trades = self.trades[-60:]
        self.last_order = max([self.last_order, *events["order_id"][events["kind"] == EventKind.ACCEPTED].tolist()])
        for event in events[events["kind"] == EventKind.AUCTION_ANNOUNCED]:
            row = {"target": int(event["order_id"]), "instrument": int(event["instrument"]), "side": int(event["side"])}
            self.auctions.append(row)
        self.auctions = self.auctions[-3:]
        offered = events["order_id"][events["kind"] == EventKind.BLOCK_OFFERED]
        self.offered = max([self.offered, *offered.tolist()])
        self.negotiation = self.offered

    def _operate(self, number: int) -> Row:
        makers: list[tuple[float, Callable[[], Row]]] = [
            (0.30, lambda: self._limit(number)),
            (0.08, lambda: self._kill(number)),
            (0.04, lambda: {"kind": K.FIRM_KILL, "scope": self._pick([0, 0, 1])}),
            (0.15, self._bust),
            (0.05, self._widen),
            (0.06, self._list),
            (0.03, self._delist),
            (0.10, lambda: {"kind": K.SET_ORDER_STATUS, "target": max(1, self.last_order - self._draw(-2, 60))}),
            (0.05, lambda: {"kind": K.SET_PHASE, "scope": self._draw(1, 4), "quantity": 3, "expiry": self.date}),
            (0.10, lambda: self._block(number)),
            (0.08, lambda: self._auction(number)),
        ]
        shares = np.array([share for share, _ in makers])
        chosen = int(self.random.choice(len(makers), p=shares / shares.sum()))
        return makers[chosen][1]()

    def _draw(self, low: int, high: int) -> int:
        return int(self.random.integers(low, high))

    def _pick(self, values: list[Any]) -> Any:
        return values[self._draw(0, len(values))]

    def _owner(self) -> Row:
        owners: list[Row] = [{}, {"instrument": self._draw(1, len(self.venue.instruments) + 1)}]
        if self.venue.prefunded or self.random.random() < 0.05:
            owners += [{"account": self._draw(1, ACCOUNTS + 1)}, {"target": self._draw(1, FIRMS + 1)}]
        return dict(self._pick(owners))

    def _limit(self, number: int) -> Row:
        """Close to what orders ask for; lifted again soon, sometimes overridden for a few seconds."""
        scale = self.venue.instruments[0].tick_value
        values = {
            LimitKind.ORDER_QUANTITY: [50, 200, 450, 490],
            LimitKind.ORDER_VALUE: [700_000 * scale, 3_000_000 * scale, 3_400_000 * scale],
            LimitKind.PRICE_COLLAR: [10, 30, 60, 100, 10_000, 10_001],
            LimitKind.ORDER_RATE: [1, 2, 3, 5],
            LimitKind.OPEN_ORDERS: [1, 10, 30, 60, 200],
            LimitKind.POSITION: [1_000, 1_900_000, 2_000_000, 6_100_000, 20_000_000],
            LimitKind.LARGE_HOLDER: [1, 1_900_000, 2_000_000, 19_999_000],
        }
        kind = self._pick(list(values))
        row = {"kind": K.SET_LIMIT, "scope": int(kind), **self._owner()}
        if kind != LimitKind.LARGE_HOLDER:
            self._later(number + self._draw(3, 30), row.copy())
        row["quantity"] = self._pick([0, *values[kind]])
        if self.random.random() < 0.3:
            until = (self.market.sequence + self._draw(-20, 60)) * NANOSECONDS
            row |= {"quantity2": self._pick([1, *values[kind]]), "expiry": max(1, until)}
        return row

    def _kill(self, number: int) -> Row:
        scope = self._draw(1, 5)
        row = {"kind": K.KILL_SWITCH, "scope": scope}
        addressed = {1: ("target", FIRMS), 2: ("account", ACCOUNTS), 3: ("instrument", len(self.venue.instruments))}
        if scope in addressed:
            name, most = addressed[scope]
            row[name] = self._draw(1, most + 2)
        self._later(number + RESUME_AFTER, {**row, "side": 1})
        return row

    def _bust(self) -> Row:
        """A trade that took place; now and then with other terms than its own."""
        if not self.trades:
            return {"kind": K.BUST_TRADE, "scope": 1, "instrument": 1}
        row = dict(self._pick(self.trades))
        roll = self.random.random()
        if roll < 0.1:
            row["price"] += self._draw(-300, 300)
        elif roll < 0.2:
            row["quantity"] = max(1, row["quantity"] + self._draw(-50, 400))
        elif roll < 0.25:
            row["expiry"] = self.date
        return {"kind": K.BUST_TRADE, **row}

    def _widen(self) -> Row:
        number = self._draw(1, len(self.venue.instruments) + 1)
        terms = self.venue.instruments[number - 1]
        low = max(1, terms.floor_ticks - self._draw(0, 200))
        return {
            "kind": K.WIDEN_WINDOW,
            "instrument": number,
            "price": low,
            "price2": terms.ceiling_ticks + self._draw(0, 200),
        }

    def _list(self) -> Row:
        last = len(self.venue.instruments)
        price = self._pick([0, 0, 7_200, 7_300])
        number, date = self._draw(max(1, last - 2), last + 1), self.date + self._pick([0, 0, 0, 1])
        return {"kind": K.LIST_INSTRUMENT, "instrument": number, "price": price, "expiry": date}

    def _delist(self) -> Row:
        last = len(self.venue.instruments)
        number, date = self._draw(max(1, last - 2), last + 1), self.date + self._draw(0, 2)
        return {"kind": K.DELIST_INSTRUMENT, "instrument": number, "expiry": date}

    def _block(self, number: int) -> Row:
        """An offer, which is answered soon when its number was guessed right."""
        self.negotiation += 1
        terms = {"price": self._draw(7_050, 7_300), "quantity": 100 * self._draw(1, 5)}
        kind = self._pick([K.BLOCK_ACCEPT, K.BLOCK_ACCEPT, K.BLOCK_COUNTER])
        answer = {"kind": kind, "account": self._draw(1, ACCOUNTS), "target": self.negotiation, **terms}
        if self.random.random() < 0.7:
            self._later(number + self._draw(1, 9), answer)
        account = self._draw(1, ACCOUNTS)
        return {"kind": K.BLOCK_OFFER, "side": self._draw(1, 3), "instrument": 1, "account": account, **terms}

    def _auction(self, number: int) -> Row:
        """An announcement, or the course of an auction that was announced: opening, bids, most often the close."""
        account = self._draw(1, ACCOUNTS)
        if not self.auctions or self.random.random() < 0.4:
            fields = {"side": self._draw(1, 3), "instrument": self._draw(1, 3), "account": account}
            return {"kind": K.ANNOUNCE_AUCTION, **fields, "price": 7_100, "quantity": 10 * self._draw(1, 30)}
        auction = self.auctions.pop()
        better = 1 if auction["side"] == 2 else -1
        for _ in range(self._draw(1, 8)):
            terms = {"price": 7_100 + better * self._draw(0, 20), "quantity": 10 * self._draw(1, 9)}
            bid = {"target": auction["target"], "instrument": auction["instrument"], "side": 3 - auction["side"]}
            self._later(number, {"kind": K.AUCTION_BID, **bid, **terms, "account": self._draw(1, ACCOUNTS)})
        if self.random.random() < 0.8:
            self._later(number + self._draw(10, 40), {"kind": K.CLOSE_AUCTION, "target": auction["target"]})
        return {"kind": K.OPEN_AUCTION, "target": auction["target"]}
