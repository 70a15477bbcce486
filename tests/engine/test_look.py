"""The cheap looks agree with the canonical state, through hostile days, after a restore, and in long queues."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.core import Engine, ImplementationName
from engine.look import HEADER, WALK, Depth, Level
from engine.schema import CommandKind, OrderFlag, OrderType, Side, TimeInForce, commands
from engine.venue import Venue
from tests.engine.generator import CommandStream
from tests.engine.rulesets import venues

pytestmark = pytest.mark.nojit
RULES = venues()


def depth_of(state: dict[str, Any], instrument: int, levels: int) -> Depth:
    """Depth as the canonical state has it."""
    sides = []
    for side in (Side.BUY, Side.SELL):
        rows = state["orders"][(state["orders"]["instrument"] == instrument) & (state["orders"]["side"] == side)]
        rows = rows[(rows["waiting"] == 0) & (rows["flags"] & OrderFlag.HIDDEN == 0)]
        prices = list(dict.fromkeys(rows["price"].tolist()))[:levels]
        queues = [rows[rows["price"] == price] for price in prices]
        lots = [int(np.where(q["shown"] > 0, q["visible"], q["remaining"]).sum()) for q in queues]
        sides.append(tuple(Level(p, n, len(q)) for p, n, q in zip(prices, lots, queues, strict=True)))
    return Depth(*sides)


def check(engine: Engine) -> None:
    """Every look against the whole state."""
    state = engine.state()
    header = engine.header()
    assert list(header) == [int(state["header"][0][name]) for name in HEADER]
    for instrument in range(1, len(engine.venue.instruments) + 1):
        assert engine.depth(instrument, 5) == depth_of(state, instrument, 5)
        assert engine.depth(instrument, 10_000) == depth_of(state, instrument, 10_000)
        assert engine.book_day(instrument).tobytes() == state["instruments"][instrument - 1 : instrument].tobytes()
    for account in range(1, len(state["accounts"]) + 1):
        found = engine.balance(account)
        assert found.account.tobytes() == state["accounts"][account - 1 : account].tobytes()
        for section, rows in (("cash", found.cash), ("holds", found.holds)):
            assert rows.tobytes() == state[section][state[section]["account"] == account].tobytes()
    for section in ("negotiations", "auctions", "bids", "encumbrances", "obligations"):
        assert engine.register(section).tobytes() == state[section].tobytes()
    by_id = state["orders"][np.argsort(state["orders"]["order_id"])]
    assert engine.open_orders().tobytes() == by_id.tobytes()
    ids = by_id["order_id"].tolist()
    for after in (0, *ids[::40]):
        page = engine.open_orders(after=after, most=7)["order_id"].tolist()
        assert page == [number for number in ids if number > after][:7]
    for name in ("session", "account"):
        for number in set(by_id[name].tolist()) - {0} | {1}:
            assert engine.open_orders(**{name: number}).tobytes() == by_id[by_id[name] == number].tobytes()


@pytest.mark.parametrize("name", RULES)
def test_looks_agree_with_the_state(implementation: ImplementationName, name: str) -> None:
    venue = RULES[name]
    engine = Engine(venue, implementation)
    check(engine)
    stream = CommandStream(venue, 20251123)
    for _ in range(6):
        engine.apply_all(stream.take(500, engine.state()["orders"]))
        check(engine)
    again = Engine.restore(venue, engine.canonical_state(), implementation)
    check(again)


def orders(count: int, side: int, price: int) -> np.ndarray:
    made = commands(count)
    made["kind"], made["side"], made["order_type"] = CommandKind.NEW_ORDER, side, OrderType.LIMIT
    made["time_in_force"], made["instrument"] = TimeInForce.DAY, 1
    made["price"], made["quantity"] = price, 2
    return made


def test_long_queues_and_freed_slots(implementation: ImplementationName) -> None:
    engine = Engine(Venue.preset("plain"), implementation)
    engine.apply_all(orders(WALK + 50, 1, 7_000))
    engine.apply_all(orders(40, 2, 7_000))  # the first forty are filled and leave their slots
    engine.apply_all(orders(3, 2, 7_001))
    assert engine.depth(1) == Depth((Level(7_000, 2 * (WALK + 10), WALK + 10),), (Level(7_001, 6, 3),))
    check(engine)


@pytest.mark.parametrize("number", [0, -1, 10_000])
def test_ids_that_do_not_exist(implementation: ImplementationName, number: int) -> None:
    engine = Engine(Venue.preset("seee"), implementation)
    for look in (engine.depth, engine.book_day, engine.balance):
        with pytest.raises(IndexError):
            look(number)
    with pytest.raises(IndexError):
        engine.balance(1)  # none has been opened
