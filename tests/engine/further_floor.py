"""A venue that offers every order type, time in force and call, and words to write such orders with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.schema import CommandKind as K
from engine.schema import OrderFlag, OrderType, Phase, TimeInForce
from engine.venue import Venue
from tests.engine.builders import World, altered, venue_of

STOP, STOP_LIMIT, ICEBERG, STOP_LIMIT_ICEBERG = (
    int(OrderType[name]) for name in ("STOP", "STOP_LIMIT", "ICEBERG", "STOP_LIMIT_ICEBERG")
)
GTD = int(TimeInForce.GTD)
POST_ONLY, HIDDEN = int(OrderFlag.POST_ONLY), int(OrderFlag.HIDDEN)
OPEN_CALL, CLOSE_CALL, VOLATILITY_CALL = (int(Phase[name]) for name in ("OPEN_CALL", "CLOSE_CALL", "VOLATILITY_CALL"))
TODAY = 20250811
FLOOR_TEXT = """
name = "further"
self_trade = "OFF"
sweep_levels = 0
click_strict = false
settlement_days = 0
currencies = ["CUR"]
assets = ["A"]
[instrument_defaults]
asset = "A"
currency = "CUR"
floor = "50.00"
ceiling = "200.00"
order_types = ["limit", "market", "stop", "stop_limit", "iceberg", "stop_limit_iceberg"]
times_in_force = ["day", "gtc", "ioc", "fok", "gtd"]
hidden = true
quotes = true
call_auction = true
close = "LAST"
previous_close = "100.00"
[[instruments]]
symbol = "X"
[[instruments]]
symbol = "Y"
"""
"""Previous close 10000 ticks, window [5000, 20000], no daily limit, no fee."""


def further(instrument: dict[str, Any] | None = None, **changes: Any) -> Venue:
    """The venue; `instrument` changes both instruments, the rest the venue."""
    return altered(venue_of(FLOOR_TEXT), instrument, **changes)


def open_further(make_world: Callable[[Venue], World], venue: Venue | None = None, accounts: int = 4) -> World:
    """Accounts with plenty, each of a firm of its own; both instruments CONTINUOUS on 2025-08-11."""
    world = make_world(venue or further())
    world.accounts(accounts)
    world.open_day(TODAY)
    return world


def iceberg(world: World, side: int, price: int, quantity: int, shown: int, **fields: int) -> list[str]:
    return world.order(side, price, quantity, **{"order_type": ICEBERG, "quantity2": shown, **fields})


def hidden(world: World, side: int, price: int, quantity: int, **fields: int) -> list[str]:
    return world.order(side, price, quantity, **{"flags": HIDDEN, **fields})


def stop(world: World, side: int, stop_price: int, limit: int, quantity: int, **fields: int) -> list[str]:
    """A stop-limit order, unless `order_type` says otherwise."""
    return world.order(side, limit, quantity, **{"order_type": STOP_LIMIT, "price2": stop_price, **fields})


def quote(world: World, bid: tuple[int, int], offer: tuple[int, int], **fields: int) -> list[str]:
    """Both sides as (price, lots); (0, 0) is no side."""
    given = {"instrument": 1, "account": 1, **fields}
    return world.send(K.QUOTE, price=bid[0], quantity=bid[1], price2=offer[0], quantity2=offer[1], **given)


def live(world: World, *names: str, instrument: int = 1) -> list[tuple[int, ...]]:
    """The live orders of an instrument in canonical order: order id and the fields named."""
    rows = world.engine.state()["orders"]
    chosen = rows[rows["instrument"] == instrument]
    return [tuple(int(row[name]) for name in ("order_id", *names)) for row in chosen]
