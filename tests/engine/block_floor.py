"""Words for tests of block trades (docs/blocks-and-auctions.md section 7)."""

from __future__ import annotations

from collections.abc import Callable

from engine.schema import CommandKind as K
from engine.venue import Venue
from tests.engine.builders import BLOCK, CONTINUOUS, World

DATE = 20250811
MOMENT = 5_000_000
"""Later than the timestamps that a World gives by itself."""


def offer(world: World, side: int, price: int, quantity: int, account: int, to: int = 0, **fields: int) -> list[str]:
    """BLOCK_OFFER on instrument 1, public unless `to` names the counterparty."""
    given = {"instrument": 1, "scope": int(to != 0), "target": to, **fields}
    return world.send(K.BLOCK_OFFER, side=side, price=price, quantity=quantity, account=account, **given)


def counter(world: World, target: int, price: int, quantity: int, account: int, **fields: int) -> list[str]:
    return world.send(K.BLOCK_COUNTER, target=target, price=price, quantity=quantity, account=account, **fields)


def accept(world: World, target: int, price: int, quantity: int, account: int, **fields: int) -> list[str]:
    return world.send(K.BLOCK_ACCEPT, target=target, price=price, quantity=quantity, account=account, **fields)


def withdraw(world: World, target: int, account: int, **fields: int) -> list[str]:
    return world.send(K.BLOCK_WITHDRAW, target=target, account=account, **fields)


def live(world: World) -> list[tuple[int, int, int]]:
    """(id, account whose terms stand, counterparty) of the live negotiations."""
    return [(int(n["id"]), int(n["account"]), int(n["counterparty"])) for n in world.engine.state()["negotiations"]]


def block_statistics(world: World, instrument: int = 1) -> tuple[int, int, int]:
    """(lots, ticks x lots, trades) of the day."""
    row = world.engine.state()["instruments"][instrument - 1]
    assert row["block_turnover_high"] == 0
    return int(row["block_volume"]), int(row["block_turnover"]), int(row["block_trades"])


def open_floor(make_open_world: Callable[..., World], venue: Venue | None = None) -> World:
    """A world of `conftest.make_open_world` in which blocks are traded too."""
    world = make_open_world(venue)
    date = 0 if world.venue.open_from_start else DATE
    world.phase(CONTINUOUS, date, mode=BLOCK)
    return world
