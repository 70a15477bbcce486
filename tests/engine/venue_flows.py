"""Small flows of commands for the keys of a venue file; the cases stand in `venue_keys`.

A case starts from BASE with `base` (keys of the venue) and `terms` (keys of both instruments), and changes one key to
`value`. `before` and `after` are words of one event that only the one or only the other venue gives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from engine.core import Engine, ImplementationName
from engine.schema import CommandKind as K
from engine.venue import Venue
from tests.engine import auction_hall as hall
from tests.engine.block_floor import accept, offer
from tests.engine.builders import (
    BLOCK,
    BREAK,
    BUY,
    CONTINUOUS,
    LIMIT,
    World,
    venue_of,
)

TODAY = 20250811
CASH, UNITS = 10**12, 10**6
BASE = venue_of(
    """
name = "keys"
click_strict = true
sweep_levels = 2
currencies = ["CUR", "OTHER"]
assets = ["A", "B"]
[instrument_defaults]
asset = "A"
currency = "CUR"
floor = "50.00"
ceiling = "200.00"
block_min = 1
auction = true
previous_close = "100.00"
in_composite = true
[[instruments]]
symbol = "A"
[[instruments]]
symbol = "A2"
previous_close = "110.00"
listed_from = 2025-01-01
"""
)
"""Previous closes 10000 and 11000 ticks, window [5000, 20000], no limits, no fees."""

Flow = Callable[["Told"], object]


@dataclass(frozen=True)
class Case:
    key: str
    value: Any
    flow: Flow
    before: str = ""
    after: str = ""
    base: dict[str, Any] = field(default_factory=dict)
    terms: dict[str, Any] = field(default_factory=dict)
    opened: bool = True
    """The day is open and accounts 1 to 5 exist: 1 to 3 own cash and units of A, 3 and 4 are of one owner group."""


class Told(World):
    """A world that keeps everything it was told."""

    def __init__(self, venue: Venue, implementation: ImplementationName) -> None:
        super().__init__(Engine(venue, implementation))
        self.told: list[str] = []

    def send(self, kind: int, **fields: int) -> list[str]:
        lines = super().send(kind, **fields)
        self.told += lines
        return lines


def carry_out(venue: Venue, case: Case, implementation: ImplementationName) -> tuple[list[str], bytes]:
    """What the case's flow gives, and the state it leaves."""
    world = Told(venue, implementation)
    for number in range(1, 6):
        world.send(K.OPEN_FIRM)
        world.send(K.OPEN_ACCOUNT, quantity=number, quantity2=7 * (number in (3, 4)))
        if number != 5:
            world.deposit_cash(number, CASH)
            world.deposit_units(number, UNITS)
    if case.opened:
        world.open_day(TODAY)
        world.phase(CONTINUOUS, TODAY, mode=BLOCK)
    world.told.clear()
    case.flow(world)
    return world.told, world.engine.canonical_state()


def venues_of(case: Case) -> tuple[Venue, Venue]:
    """The venue without and with the case's change."""
    terms = tuple(msgspec.structs.replace(i, **case.terms) for i in BASE.instruments)
    before = BASE.changed(**{"instruments": terms, **case.base})
    return before, changed(before, case.key, case.value)


def changed(venue: Venue, key: str, value: Any) -> Venue:
    """The venue with another value for one key: of the venue, its capacity, its first instrument or asset."""
    table, name = key.split(".")
    match table:
        case "Venue":
            return venue.changed(**{name: value})
        case "Instrument":
            return venue.changed(instruments=first_changed(venue.instruments, name, value))
        case "AssetTerms":
            return venue.changed(asset_terms=first_changed(venue.asset_terms, name, value))
        case "Capacity":
            return venue.changed(capacity=msgspec.structs.replace(venue.capacity, **{name: value}))
        case "Calendar":
            return venue.changed(calendar=msgspec.structs.replace(venue.calendar, **{name: value}))
        case "ComplianceYear":
            return venue.changed(compliance_years=first_changed(venue.compliance_years, name, value))
        case "TransferWindow":
            windows = first_changed(venue.calendar.transfer_windows, name, value)
            return venue.changed(calendar=msgspec.structs.replace(venue.calendar, transfer_windows=windows))
    transitions = first_changed(venue.calendar.transitions, name, value)
    return venue.changed(calendar=msgspec.structs.replace(venue.calendar, transitions=transitions))


def first_changed(tables: tuple[Any, ...], name: str, value: Any) -> tuple[Any, ...]:
    return (msgspec.structs.replace(tables[0], **{name: value}), *tables[1:])


def listings(world: Told, *prices: int, lots: int = 5, account: int = 2) -> None:
    """Sells that rest."""
    for price in prices:
        world.sell(price, lots, account=account)


def three_levels(world: Told) -> None:
    """Six lots in three levels, then a buyer of all."""
    listings(world, 10000, 10001, 10002, lots=2)
    world.buy(10010, 6)


def own_group(world: Told) -> None:
    """A listing of the buyer's own group, one of somebody else behind it."""
    listings(world, 10000, account=3)
    listings(world, 10001, account=2)
    world.buy(10001, 7, account=4)


def pick(target: int, price: int) -> Flow:
    """Two listings; a TAKE of one of them."""
    return lambda world: [listings(world, 10000, 10001), world.take(BUY, target, price, 5)]


def cancel_in_the_break(world: Told) -> None:
    world.buy(9000, 1)
    world.phase(BREAK, TODAY)
    world.cancel(1)


def sell_what_was_bought(world: Told) -> None:
    listings(world, 10000)
    world.buy(10000, 5, account=4)
    world.send(K.VOLUNTARY_CANCEL, account=4, scope=1, quantity=UNITS + 5)


def whole_day(world: Told) -> None:
    """Trades at 100.00 and 102.00, then the end of the day."""
    listings(world, 10000, 10200)
    world.buy(10200, 10)
    world.end_of_day()


def auction(*bids: tuple[int, int], lots: int = 100, reserve: int = 10000, **fields: int) -> Flow:
    """A whole auction of account 1 with bids (price, lots) of accounts 2, 3, 4, 2, ... and a seed."""

    def flow(world: Told) -> None:
        hall.announce(world, reserve, lots, **fields)
        hall.commit(world, hall.SEED_HASH)
        hall.open_window(world)
        for number, (price, quantity) in enumerate(bids):
            hall.bid(world, price, quantity, account=2 + number % 3)
        hall.close_window(world)
        hall.reveal(world, hall.SEED)

    return flow


def announced(reserve: int = 10000, lots: int = 100, **fields: int) -> Flow:
    return lambda world: hall.announce(world, reserve, lots, **fields)


def bid(price: int, lots: int) -> Flow:
    return lambda world: [hall.announce(world, 10000, 100), hall.open_window(world), hall.bid(world, price, lots)]


def changed_bid(world: Told) -> None:
    """Two bids at one price; the first takes more lots than before, and both together are too many."""
    hall.announce(world, 10000, 100)
    hall.open_window(world)
    hall.bid(world, 10000, 50, account=2)
    hall.bid(world, 10000, 70, account=3)
    hall.rebid(world, 1, 10000, 60)
    hall.close_window(world)


def two_auctions(world: Told) -> None:
    """Nobody bids in the first; the second of 100 lots takes what is carried over."""
    hall.announce(world, 10000, 100)
    hall.open_window(world)
    hall.close_window(world)
    hall.announce(world, 10000, 100)


def surrender(world: Told) -> None:
    """100 units are due for 2025; 60 of A are surrendered."""
    world.send(K.SET_OBLIGATION, account=1, quantity=100, expiry=2025)
    world.send(K.SURRENDER, account=1, scope=1, quantity=60, target=1, expiry=2025)


def owed(world: Told) -> None:
    """An allocation of 2025, and 100 units due for it of which 60 are surrendered at the end of the day."""
    world.send(K.ALLOCATE_UNITS, account=1, scope=1, quantity=1, expiry=2025)
    surrender(world)
    world.end_of_day()


def carry_over(units: int, net_sales: int) -> Flow:
    given = {"account": 1, "scope": 1, "side": 2, "expiry": 2025}
    return lambda world: world.send(K.CARRY_OVER, quantity=units, quantity2=net_sales, **given)


def order(price: int = 10000, lots: int = 10, side: int = BUY, **fields: int) -> Flow:
    return lambda world: world.order(side, price, lots, **fields)


def block(price: int = 10000, lots: int = 10) -> Flow:
    return lambda world: offer(world, BUY, price, lots, account=1)


def trade(world: Told) -> None:
    listings(world, 10000)
    world.buy(10000, 5)


def block_trade(world: Told) -> None:
    offer(world, BUY, 10000, 5, account=1)
    accept(world, 1, 10000, 5, account=2)


def two_orders(world: Told) -> None:
    world.buy(9000, 1)
    world.buy(9000, 1)


def two_offers(world: Told) -> None:
    offer(world, BUY, 10000, 10, account=1)
    offer(world, BUY, 10000, 10, account=1)


def timed(time_in_force: int, order_type: int = LIMIT, **fields: int) -> Flow:
    return order(order_type=order_type, time_in_force=time_in_force, **fields)


def without(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(n for n in names if n != name)


def twice(kind: int, **fields: int) -> Flow:
    return lambda world: [world.send(kind, **fields) for _ in range(2)]


def two_bids(world: Told) -> None:
    hall.announce(world, 10000, 100)
    hall.open_window(world)
    hall.bid(world, 10000, 1)
    hall.bid(world, 10000, 1)
