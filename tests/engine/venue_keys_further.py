"""Cases of the venue keys of further order types, quotes, price and close rules and calls (see `venue_keys`)."""

from __future__ import annotations

from engine.schema import CommandKind as K
from tests.engine.builders import SELL
from tests.engine.further_floor import (
    GTD,
    HIDDEN,
    ICEBERG,
    OPEN_CALL,
    STOP,
    STOP_LIMIT,
    STOP_LIMIT_ICEBERG,
)
from tests.engine.venue_flows import BASE, TODAY, Case, Flow, Told, order, timed

TYPES, TIMES = BASE.instruments[0].order_types, BASE.instruments[0].times_in_force
CALLS = {"call_auction": True}


def quoted(world: Told) -> None:
    world.send(K.QUOTE, instrument=1, account=1, price=9000, quantity=1)


def improved(world: Told) -> None:
    """An offer at 99.00 meets a bid at 101.00; the previous close is 100.00."""
    world.sell(9900, 1, account=2)
    world.buy(10100, 1)


def called(bids: int, offers: int) -> Flow:
    """A call with bids at 100.10 and offers at 99.90, so many lots."""

    def flow(world: Told) -> None:
        world.phase(OPEN_CALL, TODAY, instrument=1)
        world.buy(10010, bids)
        world.sell(9990, offers, account=2)
        world.open_day(TODAY)

    return flow


def far_trade(world: Told) -> None:
    """More than 1 % above the previous close."""
    world.sell(10101, 1, account=2)
    world.buy(10101, 1)


def six_trades(world: Told) -> None:
    """The first at 90.00, five at 100.00; the end of the day."""
    for price in (9000, *[10000] * 5):
        world.sell(price, 1, account=2)
        world.buy(price, 1)
    world.end_of_day()


def two_icebergs(world: Told) -> None:
    for _ in range(2):
        world.order(SELL, 10000, 10, order_type=ICEBERG, quantity2=5)


REFUSED, TAKEN = "REJECTED INVALID_ORDER_TYPE", "ACCEPTED"
FURTHER_CASES = (
    Case("Instrument.order_types", (*TYPES, "stop"), order(order_type=STOP, price2=10000), REFUSED, TAKEN),
    Case("Instrument.order_types", (*TYPES, "stop_limit"), order(order_type=STOP_LIMIT, price2=10000), REFUSED, TAKEN),
    Case("Instrument.order_types", (*TYPES, "iceberg"), order(order_type=ICEBERG, quantity2=5), REFUSED, TAKEN),
    Case(
        "Instrument.order_types",
        (*TYPES, "stop_limit_iceberg"),
        order(order_type=STOP_LIMIT_ICEBERG, price2=10000, quantity2=5),
        REFUSED,
        TAKEN,
    ),
    Case(
        "Instrument.times_in_force", (*TIMES, "gtd"), timed(GTD, expiry=TODAY), "REJECTED INVALID_TIME_IN_FORCE", TAKEN
    ),
    Case("Instrument.hidden", True, order(flags=HIDDEN), "REJECTED INVALID_FLAGS", TAKEN),
    Case("Instrument.quotes", True, quoted, "REJECTED MODE_NOT_OFFERED", TAKEN),
    Case("Instrument.price_rule", "MEDIAN3", improved, "TRADE price=9900", "TRADE price=10000"),
    Case("Instrument.call_auction", True, called(1, 1), "REJECTED INVALID_PHASE", "CALL_UNCROSSED"),
    Case(
        "Instrument.call_rule",
        "KRX",
        called(12, 10),
        "CALL_UNCROSSED price=10010",
        "CALL_UNCROSSED price=10000",
        terms=CALLS,
    ),
    Case("Instrument.corridor_dynamic_bps", 100, far_trade, "TRADE", "PHASE_CHANGED phase=6", terms=CALLS),
    Case("Instrument.corridor_static_bps", 100, far_trade, "TRADE", "PHASE_CHANGED phase=6", terms=CALLS),
    Case("Instrument.close", "LAST5", six_trades, "CLOSE_FIXED price=9833", "CLOSE_FIXED price=10000"),
    Case(
        "Capacity.icebergs",
        1,
        two_icebergs,
        after="REJECTED ORDER_TABLE_FULL",
        terms={"order_types": (*TYPES, "iceberg")},
    ),
)
