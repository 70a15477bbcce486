"""A few words to write rule tests in: a `World` wraps an Engine, sends one command per call and tells its events.

Events are told as one line each: the kind, the reason where there is one, and every field that is not zero, except
the sequence numbers and the timestamp, instrument 1 and phase CONTINUOUS. So a whole list of events fits in a test:

    assert world.buy(9750, 10, account=2) == [
        "ACCEPTED side=1 price=9750 quantity=10 account=2 order_id=7 remaining=10 aux=97500 aux2=257",
    ]
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.core import Engine
from engine.schema import COMMAND, EVENT, CommandKind, EventKind, Mode, OrderType, Phase, Reason, Side, TimeInForce
from engine.venue import Capacity, Venue, parse_venue

BUY, SELL = int(Side.BUY), int(Side.SELL)
LIMIT, MARKET = int(OrderType.LIMIT), int(OrderType.MARKET)
DAY, GTC, IOC, FOK = (int(tif) for tif in (TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK))
LISTED, BLOCK, BIDDING = (int(mode) for mode in Mode)
CLOSED, PRE_OPEN, CONTINUOUS, BREAK, HALT = (
    int(phase) for phase in (Phase.CLOSED, Phase.PRE_OPEN, Phase.CONTINUOUS, Phase.BREAK, Phase.HALT)
)
K = CommandKind
SMALL = Capacity(
    orders=2_000, accounts=60, firms=20, sessions=20, negotiations=20, auctions=5, bids=200, holds=50, obligations=50
)
UNTOLD = ("kind", "reason", "flags", "sequence", "command_sequence", "timestamp", "instrument", "phase")
TOLD = tuple(name for name in (EVENT.names or ()) if name not in UNTOLD)
LOTS_OF_MONEY = 10**15


def venue_of(text: str, **changes: Any) -> Venue:
    """A venue from TOML text, small enough to be built many times."""
    return parse_venue(text, "test").changed(capacity=changes.pop("capacity", SMALL), **changes)


def seee(instrument: dict[str, Any] | None = None, **changes: Any) -> Venue:
    """The SEEE preset with small tables; `instrument` changes every instrument, the rest the venue.

    A firm may have several accounts, so that what belongs to a firm differs from what belongs to an account.
    """
    return altered(Venue.preset("seee"), instrument, **{"capacity": SMALL, "accounts_per_firm": 0, **changes})


def plain(instrument: dict[str, Any] | None = None, **changes: Any) -> Venue:
    """The plain preset with small tables."""
    return altered(Venue.preset("plain"), instrument, **{"capacity": SMALL, **changes})


def altered(venue: Venue, instrument: dict[str, Any] | None, **changes: Any) -> Venue:
    import msgspec

    if instrument:
        changes["instruments"] = tuple(
            msgspec.structs.replace(i, **instrument) for i in changes.get("instruments", venue.instruments)
        )
    return venue.changed(**changes)


def told(event: Any) -> str:
    """One event as a line."""
    words = [EventKind(int(event["kind"])).name]
    if event["reason"]:
        words.append(Reason(int(event["reason"])).name)
    if event["flags"]:
        words.append(f"flags={event['flags']}")
    if event["instrument"] not in (0, 1) or (event["instrument"] == 0 and event["phase"]):
        words.append(f"instrument={event['instrument']}")
    if event["phase"] != (CONTINUOUS if event["instrument"] else 0):
        words.append(f"phase={event['phase']}")
    words += [f"{name}={event[name]}" for name in TOLD if event[name]]
    return " ".join(words)


class World:
    """An engine and the hand that sends to it. Without `session=` it speaks for the venue itself (session 0)."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.venue = engine.venue
        self.sent = 0
        self.events = 0
        self.numbers: dict[int, int] = {}

    def send(self, kind: int, **fields: int) -> list[str]:
        """One command. A session other than 0 numbers itself unless `client_order_id` is given; a QUOTE has two."""
        command = np.zeros(1, COMMAND)
        self.sent += 1
        session = fields.get("session", 0)
        if session and "client_order_id" not in fields:
            fields["client_order_id"] = self.numbers.get(session, 0) + 1
        last = fields.get("client_order_id", 0) + (kind == K.QUOTE)
        self.numbers[session] = max(self.numbers.get(session, 0), last)
        command["kind"] = kind
        command["sequence"] = self.sent
        command["timestamp"] = 1_000_000 + self.sent
        for name, value in fields.items():
            command[name] = value
        done, events = self.engine.apply(command)
        assert done == 1
        assert len(events) >= 1
        for event in events:
            self.events += 1
            assert event["sequence"] == self.events
            assert event["command_sequence"] == self.sent
            assert event["timestamp"] == command["timestamp"][0]
        return [told(event) for event in events]

    def order(self, side: int, price: int, quantity: int, **fields: int) -> list[str]:
        """NEW_ORDER: a day limit order of account 1 in instrument 1 unless told otherwise."""
        given = {"order_type": LIMIT, "time_in_force": DAY, "instrument": 1, "account": 1, **fields}
        return self.send(K.NEW_ORDER, side=side, price=price, quantity=quantity, **given)

    def buy(self, price: int, quantity: int, **fields: int) -> list[str]:
        return self.order(BUY, price, quantity, **fields)

    def sell(self, price: int, quantity: int, **fields: int) -> list[str]:
        return self.order(SELL, price, quantity, **fields)

    def take(self, side: int, target: int, price: int, quantity: int, **fields: int) -> list[str]:
        given = {"instrument": 1, "account": 1, **fields}
        return self.send(K.TAKE, side=side, target=target, price=price, quantity=quantity, **given)

    def cancel(self, target: int, **fields: int) -> list[str]:
        return self.send(K.CANCEL_ORDER, target=target, **fields)

    def replace(self, target: int, price: int, quantity: int, **fields: int) -> list[str]:
        return self.send(K.REPLACE_ORDER, target=target, price=price, quantity=quantity, **fields)

    def mass_cancel(self, scope: int = 0, **fields: int) -> list[str]:
        return self.send(K.MASS_CANCEL, scope=scope, **fields)

    def firm(self) -> int:
        self.send(K.OPEN_FIRM)
        return int(self.engine.state()["header"][0]["firms"])

    def account(
        self, firm: int = 0, group: int = 0, cash: int = 0, units: int = 0, asset: int = 1, currency: int = 1
    ) -> int:
        """Open an account (of a new firm unless one is given) and pay in. Returns its id."""
        self.send(K.OPEN_ACCOUNT, quantity=firm or self.firm(), quantity2=group)
        number = len(self.engine.state()["accounts"])
        if cash:
            self.deposit_cash(number, cash, currency)
        if units:
            self.deposit_units(number, units, asset)
        return number

    def accounts(self, count: int, cash: int = LOTS_OF_MONEY, units: int = 10**9) -> None:
        """Accounts 1 to `count`, each of a firm of its own, with plenty."""
        for _ in range(count):
            self.account(cash=cash, units=units)

    def session(self, firm: int = 0, role: int = 1) -> int:
        self.send(K.OPEN_SESSION, quantity=firm, scope=role)
        return len(self.engine.state()["sessions"]) - 1

    def deposit_cash(self, account: int, amount: int, currency: int = 1, **fields: int) -> list[str]:
        return self.send(K.DEPOSIT_CASH, account=account, scope=currency, quantity=amount, **fields)

    def withdraw_cash(self, account: int, amount: int, currency: int = 1, **fields: int) -> list[str]:
        return self.send(K.WITHDRAW_CASH, account=account, scope=currency, quantity=amount, **fields)

    def deposit_units(self, account: int, units: int, asset: int = 1, **fields: int) -> list[str]:
        return self.send(K.DEPOSIT_UNITS, account=account, scope=asset, quantity=units, **fields)

    def withdraw_units(self, account: int, units: int, asset: int = 1, **fields: int) -> list[str]:
        return self.send(K.WITHDRAW_UNITS, account=account, scope=asset, quantity=units, **fields)

    def phase(self, phase: int, date: int, instrument: int = 0, mode: int = LISTED, **fields: int) -> list[str]:
        return self.send(K.SET_PHASE, scope=mode, instrument=instrument, quantity=phase, expiry=date, **fields)

    def open_day(self, date: int) -> list[str]:
        """A new trading date, every listed instrument in continuous trading."""
        return self.phase(CONTINUOUS, date)

    def reference(self, price: int, instrument: int = 1) -> list[str]:
        return self.send(K.SET_REFERENCE, instrument=instrument, price=price)

    def stop(self) -> list[str]:
        return self.send(K.STOP_TRADING)

    def expire(self) -> list[str]:
        return self.send(K.EXPIRE_ORDERS)

    def fix_close(self) -> list[str]:
        return self.send(K.FIX_CLOSE)

    def settle(self) -> list[str]:
        return self.send(K.SETTLE)

    def end_of_day(self) -> list[str]:
        """Stop, expire, fix close, settle. Returns all their events."""
        return [*self.stop(), *self.expire(), *self.fix_close(), *self.settle()]

    def row(self, section: str, **key: int) -> dict[str, int]:
        """The row of a state section with these values; a row of zeros that is not written reads as empty."""
        for row in self.engine.state()[section]:
            if all(row[name] == value for name, value in key.items()):
                return {name: int(row[name]) for name in row.dtype.names}
        return {}

    def cash(self, account: int, currency: int = 1) -> tuple[int, int, int]:
        """(free, locked, proceeds_today)."""
        row = self.row("cash", account=account, currency=currency)
        return row.get("free", 0), row.get("locked", 0), row.get("proceeds_today", 0)

    def units(self, account: int, asset: int = 1) -> tuple[int, int, int]:
        """(free, locked, bought_today)."""
        row = self.row("holds", account=account, asset=asset)
        return row.get("free", 0), row.get("locked", 0), row.get("bought_today", 0)

    def book(self, instrument: int = 1) -> list[tuple[int, int, int, int]]:
        """The resting orders as (order id, side, price, remaining): buys, then sells, best first."""
        orders = self.engine.state()["orders"]
        chosen = orders[orders["instrument"] == instrument]
        return [(int(o["order_id"]), int(o["side"]), int(o["price"]), int(o["remaining"])) for o in chosen]

    def restored(self) -> World:
        """A second world that goes on from this one's canonical state."""
        twin = World(Engine.restore(self.venue, self.engine.canonical_state(), self.engine.implementation))
        twin.sent, twin.events, twin.numbers = self.sent, self.events, dict(self.numbers)
        return twin


def last_id(events: list[str]) -> int:
    """The order id of the first event."""
    return int(events[0].split("order_id=")[1].split()[0])
