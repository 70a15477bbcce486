"""A venue with vintages, offsets and credits, and words for the registry's commands (docs/registry.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.schema import CommandKind as K
from engine.schema import HoldType
from engine.venue import Capacity, Venue
from tests.engine.builders import World, venue_of

PLEDGE, JUDICIAL, OUT, IN = (int(kind) for kind in HoldType)
CEA23, CEA24, CEA25, CCER, CREDIT = 1, 2, 3, 4, 5
TEXT = """
name = "registry"
currencies = ["CNY"]
assets = ["CEA23", "CEA24", "CEA25", "CCER", "CREDIT"]
[[asset_terms]]
asset = "CEA23"
surrender_until = 2024
[[asset_terms]]
asset = "CCER"
kind = "OFFSET"
[[asset_terms]]
asset = "CREDIT"
kind = "CREDIT"
[instrument_defaults]
currency = "CNY"
floor = "60.00"
ceiling = "80.00"
[[instruments]]
symbol = "CEA24"
asset = "CEA24"
block_min = 1000
[[instruments]]
symbol = "CEA24-1000"
asset = "CEA24"
units_per_lot = 1000
tick_value = 1000
[[instruments]]
symbol = "CEA23"
asset = "CEA23"
"""
CAPACITY = Capacity(orders=50, accounts=8, firms=4, sessions=8, holds=5, obligations=4)
DATE = 20250811


def registry_venue(**changes: Any) -> Venue:
    return venue_of(TEXT, **{"capacity": CAPACITY, **changes})


def open_registry(make_world: Callable[[Venue], World], **changes: Any) -> World:
    """Accounts 1 and 2 (the company's), 3 (a bank's), 4 (another's); account 1 has 100,000 of CEA24. The day is open.

    Sessions 1 and 2 trade for the company and the bank, 3 operates.
    """
    world = make_world(registry_venue(**changes))
    company, bank, other = world.firm(), world.firm(), world.firm()
    for firm, units in ((company, 100_000), (company, 0), (bank, 0), (other, 0)):
        world.account(firm, cash=10**12, units=units, asset=CEA24)
    world.session(company, 1)
    world.session(bank, 1)
    world.session(0, 2)
    world.open_day(DATE)
    return world


def place(world: World, kind: int, units: int, **fields: int) -> list[str]:
    """PLACE_HOLD on CEA24 of account 1 unless told otherwise; a pledge's creditor is account 3."""
    creditor = {"target": 3} if kind == PLEDGE else {}
    return world.send(
        K.PLACE_HOLD, **{"side": kind, "account": 1, "scope": CEA24, "quantity": units, **creditor, **fields}
    )


def release(world: World, hold: int, units: int, creditor: int = 0, **fields: int) -> list[str]:
    return world.send(K.RELEASE_HOLD, target=hold, quantity=units, quantity2=creditor, **fields)


def realise(world: World, hold: int, units: int, receiver: int = 0, creditor: int = 0, **fields: int) -> list[str]:
    return world.send(K.REALISE_HOLD, target=hold, quantity=units, account=receiver, quantity2=creditor, **fields)


def ask(world: World, kind: int, units: int, asset: int = CEA24, **fields: int) -> list[str]:
    """A request of account 1: TRANSFER_OUT, TRANSFER_IN, PLEDGE_REQUEST, VOLUNTARY_CANCEL, SURRENDER."""
    return world.send(kind, **{"account": 1, "scope": asset, "quantity": units, **fields})


def owe(world: World, units: int, year: int, account: int = 1) -> list[str]:
    return world.send(K.SET_OBLIGATION, account=account, quantity=units, expiry=year)


def buckets(world: World, account: int = 1, asset: int = CEA24) -> dict[str, int]:
    """The buckets that hold any units."""
    row = world.row("holds", account=account, asset=asset)
    return {name: units for name, units in row.items() if units and name not in ("account", "asset")}


def deposited(world: World, asset: int = CEA24) -> int:
    return int(world.engine.state()["assets"]["deposited"][asset - 1])


def holds(world: World) -> list[tuple[int, ...]]:
    """(id, type, account, asset, quantity, creditor, reference) of the live holds."""
    return [tuple(int(value) for value in row) for row in world.engine.state()["encumbrances"]]
