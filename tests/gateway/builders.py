"""Commands for tests of the gateway."""

from __future__ import annotations

from engine.schema import CommandArray, CommandKind, OrderType, TimeInForce, commands


def limit(
    number: int,
    side: int = 1,
    price: int = 7_000,
    quantity: int = 1,
    tif: TimeInForce = TimeInForce.DAY,
    count: int = 1,
) -> CommandArray:
    """`count` equal limit orders of instrument 1 with ascending numbers from `number`."""
    made = commands(count)
    made["kind"], made["side"], made["order_type"] = CommandKind.NEW_ORDER, side, OrderType.LIMIT
    made["time_in_force"], made["instrument"] = tif, 1
    made["price"], made["quantity"] = price, quantity
    made["client_order_id"] = range(number, number + count)
    return made
