"""Every reason of a reject of the registry's commands, and which comes first (docs/registry.md)."""

from __future__ import annotations

import pytest

from engine.schema import CommandKind as K
from engine.schema import Reason as R
from engine.venue import Capacity
from tests.engine.builders import World
from tests.engine.invariants import check
from tests.engine.ladder import climb
from tests.engine.registry_world import (
    CCER,
    CEA23,
    CEA24,
    CEA25,
    CREDIT,
    DATE,
    JUDICIAL,
    PLEDGE,
    ask,
    open_registry,
    owe,
    place,
    realise,
    release,
)

pytestmark = pytest.mark.nojit
HUGE = 2**62 - 1
WRONG_ACCOUNTS = [(R.UNKNOWN_ACCOUNT, {"account": -1}), (R.UNKNOWN_ACCOUNT, {"account": 5})]
WRONG_UNITS = [(R.INVALID_AMOUNT, {"quantity": -1}), (R.INVALID_AMOUNT, {"quantity": 2**62})]
WRONG_ASSETS = [(R.UNKNOWN_ASSET, {"scope": 255}), (R.UNKNOWN_ASSET, {"scope": 6})]
WRONG_YEARS = [(R.INVALID_YEAR, {"expiry": 3000}), (R.INVALID_YEAR, {"expiry": 2**32 + 2025})]


@pytest.fixture
def world(make_world):
    """open_registry; account 2 is suspended, CEA25 is full but for 5,000 units, account 2 bought 10 of CEA24 today.

    Five holds fill the table: 1 pledge of 10, 2 judicial of 20, 3 out of 30, 4 in of 5,000 of CEA25, 5 pledge of 1.
    Four obligations fill theirs: account 1 for 2024 and 2025 (1,000 due), account 4 for 2024 and 2025.
    """
    world = open_registry(make_world)
    world.sell(7000, 10)
    world.buy(7000, 10, account=2)
    world.send(K.SET_ACCOUNT_STATUS, account=2, scope=2)
    world.deposit_units(4, HUGE - 5_000, CEA25)
    place(world, PLEDGE, 10)
    place(world, JUDICIAL, 20)
    ask(world, K.TRANSFER_OUT, 30)
    ask(world, K.TRANSFER_IN, 5_000, CEA25)
    place(world, PLEDGE, 1)
    for account in (1, 4):
        for year in (2024, 2025):
            owe(world, 1_000, year, account)
    yield world
    check(world.engine)


def by_operator(start: dict[str, int], *rungs: tuple[R, dict[str, int]]) -> tuple[dict[str, int], list]:
    """A command of the registry's side: an unused field, then the role, then its rungs."""
    first = [(R.UNUSED_FIELD_SET, {"price": 0}), (R.NOT_PERMITTED, {"session": 3})]
    return {"session": 1, "price": 5, **start}, first + list(rungs)


def by_owner(start: dict[str, int], *rungs: tuple[R, dict[str, int]]) -> tuple[dict[str, int], list]:
    """A command of an owner: an unused field, the role, whose account, its status, asset and units, then its rungs."""
    first = [
        (R.UNUSED_FIELD_SET, {"price": 0}),
        (R.NOT_PERMITTED, {"session": 1}),
        (R.UNKNOWN_ACCOUNT, {"account": 4}),  # another firm's
        (R.UNKNOWN_ACCOUNT, {"account": 2}),
        (R.ACCOUNT_SUSPENDED, {"account": 1}),
        *WRONG_ASSETS,
        (R.UNKNOWN_ASSET, {"scope": CEA24}),
        *WRONG_UNITS,
        (R.INVALID_AMOUNT, {"quantity": HUGE}),
    ]
    return {"session": 3, "price": 5, "account": 0, **start}, first + list(rungs)


def test_place_hold_as_pledge(world):
    """PLACE_HOLD: the type, the role, account, asset, units, creditor, reference, room, free units."""
    start = {"session": 1, "price": 5, "side": 0, "target": 99, "quantity2": -1}
    rungs = [
        (R.UNUSED_FIELD_SET, {"price": 0}),
        (R.INVALID_HOLD, {"side": 3}),
        (R.INVALID_HOLD, {"side": 255}),
        (R.INVALID_HOLD, {"side": PLEDGE}),
        (R.NOT_PERMITTED, {"session": 3}),
        *WRONG_ACCOUNTS,
        (R.UNKNOWN_ACCOUNT, {"account": 1}),
        *WRONG_ASSETS,
        (R.UNKNOWN_ASSET, {"scope": CEA24}),
        *WRONG_UNITS,
        (R.INVALID_AMOUNT, {"quantity": HUGE}),
        (R.UNKNOWN_ACCOUNT, {"target": 0}),
        (R.UNKNOWN_ACCOUNT, {"target": -1}),
        (R.UNKNOWN_ACCOUNT, {"target": 2**32 + 3}),
        (R.UNKNOWN_ACCOUNT, {"target": 1}),
        (R.INVALID_COMBINATION, {"target": 3}),
        (R.INVALID_AMOUNT, {"quantity2": 2**63 - 1}),
        (R.HOLD_TABLE_FULL, {}),
    ]
    climb(world, K.PLACE_HOLD, start, rungs)
    release(world, 5, 1, creditor=3)
    start = {"side": PLEDGE, "account": 2, "scope": CEA24, "quantity": 11, "target": 3, "quantity2": 2**63 - 1}
    rungs = [(R.INSUFFICIENT_UNITS, {"quantity": 10}), (R.UNITS_BOUGHT_TODAY, {})]
    climb(world, K.PLACE_HOLD, start, rungs)


def test_place_hold_as_judicial_freeze(world):
    """PLACE_HOLD: a court names no creditor; free units and sell orders must do."""
    start = {"side": JUDICIAL, "account": 2, "scope": CEA24, "target": 3, "quantity2": -1}
    rungs = [
        (R.INVALID_AMOUNT, {"quantity": 11}),
        (R.UNUSED_FIELD_SET, {"target": 0}),
        (R.INVALID_AMOUNT, {"quantity2": 0}),
        (R.HOLD_TABLE_FULL, {}),
    ]
    climb(world, K.PLACE_HOLD, start, rungs)
    release(world, 5, 1, creditor=3)
    start = {"side": JUDICIAL, "account": 2, "scope": CEA24, "quantity": 11}
    climb(world, K.PLACE_HOLD, start, [(R.INSUFFICIENT_UNITS, {"quantity": 10}), (R.UNITS_BOUGHT_TODAY, {})])


def test_pledge_request(world):
    """PLEDGE_REQUEST: as its owner; creditor, loan, room, free units."""
    start, rungs = by_owner(
        {"target": 0, "quantity2": -1},
        (R.UNKNOWN_ACCOUNT, {"target": 5}),
        (R.UNKNOWN_ACCOUNT, {"target": 1}),
        (R.INVALID_COMBINATION, {"target": 3}),
        (R.INVALID_AMOUNT, {"quantity2": 0}),
        (R.HOLD_TABLE_FULL, {}),
    )
    climb(world, K.PLEDGE_REQUEST, start, rungs)
    release(world, 5, 1, creditor=3)
    world.send(K.SET_ACCOUNT_STATUS, account=2, scope=1)
    start = {"account": 2, "scope": CEA24, "quantity": 11, "target": 3}
    climb(world, K.PLEDGE_REQUEST, start, [(R.INSUFFICIENT_UNITS, {"quantity": 10}), (R.UNITS_BOUGHT_TODAY, {})])


def test_transfer_out(world):
    """TRANSFER_OUT: as its owner; room, free units."""
    start, rungs = by_owner({}, (R.HOLD_TABLE_FULL, {}))
    climb(world, K.TRANSFER_OUT, start, rungs)
    release(world, 5, 1, creditor=3)
    world.send(K.SET_ACCOUNT_STATUS, account=2, scope=1)
    start = {"account": 2, "scope": CEA24, "quantity": 11}
    climb(world, K.TRANSFER_OUT, start, [(R.INSUFFICIENT_UNITS, {"quantity": 10}), (R.UNITS_BOUGHT_TODAY, {})])


def test_transfer_in(world):
    """TRANSFER_IN: as its owner; room, the venue's total, which other requests do not count in."""
    start, rungs = by_owner({}, (R.HOLD_TABLE_FULL, {}))
    climb(world, K.TRANSFER_IN, start, rungs)
    release(world, 5, 1, creditor=3)
    climb(world, K.TRANSFER_IN, {"account": 1, "scope": CEA25, "quantity": 5_001}, [(R.AMOUNT_OVERFLOW, {})])
    assert ask(world, K.TRANSFER_IN, 5_000, CEA25)[0].startswith("HOLD_PLACED")


@pytest.mark.parametrize("kind", [K.TRANSFER_OUT, K.TRANSFER_IN])
def test_transfers_outside_the_window(world, kind):
    """TRANSFER_OUT, TRANSFER_IN: after the units, before the room for a hold."""
    world.send(K.SET_TRANSFER_WINDOW, scope=0)
    start, rungs = by_owner({}, (R.TRANSFERS_CLOSED, {}))
    climb(world, kind, start, rungs)
    world.send(K.SET_TRANSFER_WINDOW, scope=1)
    climb(world, kind, {"account": 1, "scope": CEA24, "quantity": HUGE}, [(R.HOLD_TABLE_FULL, {})])


def test_set_transfer_window(world):
    """SET_TRANSFER_WINDOW: what it says, the role."""
    start = {"session": 1, "price": 5, "scope": 2}
    rungs = [
        (R.UNUSED_FIELD_SET, {"price": 0}),
        (R.INVALID_SCOPE, {"scope": 255}),
        (R.INVALID_SCOPE, {"scope": 1}),
        (R.NOT_PERMITTED, {}),
    ]
    climb(world, K.SET_TRANSFER_WINDOW, start, rungs)
    assert world.send(K.SET_TRANSFER_WINDOW, scope=1, session=3)[0].startswith("TRANSFER_WINDOW_SET")


def test_accounts_per_firm(make_world):
    """OPEN_ACCOUNT: after group and date, before the table's end."""
    world = open_registry(make_world, accounts_per_firm=2, capacity=Capacity(accounts=4, holds=1, obligations=1))
    start = {"quantity": 1, "quantity2": -1, "expiry": -1}
    rungs = [
        (R.INVALID_OWNER_GROUP, {"quantity2": 0}),
        (R.INVALID_DATE, {"expiry": 0}),
        (R.ACCOUNTS_PER_FIRM, {"quantity": 2}),
        (R.ACCOUNT_TABLE_FULL, {}),
    ]
    climb(world, K.OPEN_ACCOUNT, start, rungs)


def stop_firm(world: World, firm: int) -> None:
    world.send(K.KILL_SWITCH, scope=1, target=firm)


def test_a_stopped_firm_requests_nothing(world):
    """PLEDGE_REQUEST, TRANSFER_OUT, TRANSFER_IN: account ACTIVE, then firm ACTIVE; surrendering stays possible."""
    stop_firm(world, 1)
    for kind, more in ((K.PLEDGE_REQUEST, {"target": 99}), (K.TRANSFER_OUT, {}), (K.TRANSFER_IN, {})):
        start = {"account": 2, "scope": 0, **more}
        rungs = [(R.ACCOUNT_SUSPENDED, {"account": 1}), (R.FIRM_STOPPED, {"account": 4}), (R.UNKNOWN_ASSET, {})]
        climb(world, kind, start, rungs)
    assert ask(world, K.SURRENDER, 10, target=2, expiry=2025)[0].startswith("UNITS_SURRENDERED")
    assert ask(world, K.VOLUNTARY_CANCEL, 10)[0].startswith("UNITS_CANCELLED")


def test_the_registry_acts_on_who_is_stopped(make_world):
    """registry.md: only the owner's own kinds ask for status; what the operator tells is the registry's record."""
    world = open_registry(make_world)
    world.send(K.SET_ACCOUNT_STATUS, account=1, scope=2)
    stop_firm(world, 1)
    account = {"account": 1, "scope": CEA24}
    assert place(world, PLEDGE, 10)[0].startswith("HOLD_PLACED")
    assert place(world, JUDICIAL, 20)[0].startswith("HOLD_PLACED")
    assert release(world, 1, 10, creditor=3)[0].startswith("HOLD_RELEASED")
    assert realise(world, 2, 20)[0].startswith("HOLD_REALISED")
    assert world.send(K.ALLOCATE_UNITS, **account, quantity=5, expiry=2025)[0].startswith("UNITS_ALLOCATED")
    assert owe(world, 5, 2025)[0].startswith("OBLIGATION_SET")
    carried = world.send(K.CARRY_OVER, **account, side=CEA25, quantity=5, expiry=2025)
    assert carried[0].startswith("UNITS_CARRIED_OVER")


def addressed(units: int) -> list[tuple[R, dict[str, int]]]:
    """What RELEASE_HOLD and REALISE_HOLD ask of a pledge of `units` units, hold 1."""
    return [
        (R.UNKNOWN_HOLD, {"target": -1}),
        (R.UNKNOWN_HOLD, {"target": 6}),
        (R.UNKNOWN_HOLD, {"target": 2**32 + 1}),
        (R.UNKNOWN_HOLD, {"target": 1}),
        *WRONG_UNITS,
        (R.INVALID_AMOUNT, {"quantity": HUGE}),
        (R.EXCEEDS_HOLD, {"quantity": units + 1}),
        (R.EXCEEDS_HOLD, {"quantity": units}),
        (R.WRONG_CREDITOR, {"quantity2": 1}),
        (R.WRONG_CREDITOR, {"quantity2": 0}),
        (R.WRONG_CREDITOR, {"quantity2": 2**32 + 3}),
    ]


def test_release_hold(world):
    """RELEASE_HOLD: the hold, units, no more than it has, a pledge in its creditor's name, others in nobody's."""
    start, rungs = by_operator({"quantity2": 4}, *addressed(10), (R.WRONG_CREDITOR, {}))
    climb(world, K.RELEASE_HOLD, start, rungs)
    start = {"target": 2, "quantity": 21, "quantity2": 3}
    rungs = [
        (R.EXCEEDS_HOLD, {"quantity": 20}),
        (R.UNUSED_FIELD_SET, {"target": 3}),
        (R.UNUSED_FIELD_SET, {"target": 4}),
        (R.UNUSED_FIELD_SET, {}),
    ]
    climb(world, K.RELEASE_HOLD, start, rungs)
    release(world, 2, 20)
    climb(world, K.RELEASE_HOLD, {"target": 2, "quantity": 1}, [(R.UNKNOWN_HOLD, {})])


def test_realise_hold(world):
    """REALISE_HOLD: as RELEASE_HOLD, then who receives."""
    receivers = [
        (R.WRONG_CREDITOR, {"quantity2": 3}),
        *WRONG_ACCOUNTS,
        (R.UNKNOWN_ACCOUNT, {"account": 1}),
        (R.INVALID_COMBINATION, {"account": 0}),
        (R.INVALID_COMBINATION, {"target": 2, "quantity": 20}),
        (R.UNUSED_FIELD_SET, {"quantity2": 0, "account": 5}),
        (R.UNKNOWN_ACCOUNT, {"account": 1}),
        (R.INVALID_COMBINATION, {"target": 3, "account": 3}),
        (R.INVALID_COMBINATION, {"target": 4, "account": 1}),
        (R.INVALID_COMBINATION, {"account": 0, "quantity": 5_001}),
        (R.EXCEEDS_HOLD, {}),
    ]
    start, rungs = by_operator({"quantity2": 4, "account": 9}, *addressed(10), *receivers)
    climb(world, K.REALISE_HOLD, start, rungs)
    world.deposit_units(1, 1, CEA25)
    climb(world, K.REALISE_HOLD, {"target": 4, "quantity": 5_000}, [(R.AMOUNT_OVERFLOW, {})])
    assert world.send(K.REALISE_HOLD, target=4, quantity=4_999)[0].startswith("HOLD_REALISED")


def test_allocate_units(world):
    """ALLOCATE_UNITS: account, asset, units, year, the venue's total."""
    start, rungs = by_operator(
        {"account": 0, "expiry": 1999},
        *WRONG_ACCOUNTS,
        (R.UNKNOWN_ACCOUNT, {"account": 2}),
        *WRONG_ASSETS,
        (R.UNKNOWN_ASSET, {"scope": CEA25}),
        *WRONG_UNITS,
        (R.INVALID_AMOUNT, {"quantity": 5_001}),
        *WRONG_YEARS,
        (R.INVALID_YEAR, {"expiry": 2000}),
        (R.AMOUNT_OVERFLOW, {}),
    )
    climb(world, K.ALLOCATE_UNITS, start, rungs)


def test_set_obligation(world):
    """SET_OBLIGATION: account, year, amount; room only for a new one."""
    ask(world, K.SURRENDER, 600, target=2, expiry=2025)
    start, rungs = by_operator(
        {"account": 0, "expiry": 1999, "quantity": -1, "target": -1},
        *WRONG_ACCOUNTS,
        (R.UNKNOWN_ACCOUNT, {"account": 1}),
        *WRONG_YEARS,
        (R.INVALID_YEAR, {"expiry": 2025}),
        *WRONG_UNITS,
        (R.INVALID_AMOUNT, {"quantity": 599}),
        (R.INVALID_DATE, {"target": 99991232}),
        (R.INVALID_DATE, {"target": 99991231}),
        (R.EXCEEDS_OBLIGATION, {"expiry": 2999}),
        (R.OBLIGATION_TABLE_FULL, {}),
    )
    climb(world, K.SET_OBLIGATION, start, rungs)
    assert owe(world, 600, 2025)[0].startswith("OBLIGATION_SET")


def test_surrender(world):
    """SURRENDER: as its owner; the obligation, the vintage, what is due, offsets, free units."""
    start, rungs = by_owner(
        {"target": 0, "expiry": 2024},
        (R.UNKNOWN_OBLIGATION, {"target": 5}),
        (R.UNKNOWN_OBLIGATION, {"target": -1}),
        (R.UNKNOWN_OBLIGATION, {"target": 2**32 + 1}),
        (R.UNKNOWN_OBLIGATION, {"target": 4}),  # another account's
        (R.UNKNOWN_OBLIGATION, {"target": 2}),  # of another year
        (R.UNKNOWN_OBLIGATION, {"expiry": 2025, "scope": CREDIT}),
        (R.NOT_SURRENDERABLE, {"scope": CEA23}),
        (R.NOT_SURRENDERABLE, {"scope": CCER}),
        (R.EXCEEDS_OBLIGATION, {"quantity": 1_001}),
        (R.EXCEEDS_OBLIGATION, {"quantity": 1_000}),
        (R.OFFSET_LIMIT, {"quantity": 51}),
        (R.OFFSET_LIMIT, {"quantity": 50}),
        (R.INSUFFICIENT_UNITS, {}),
    )
    climb(world, K.SURRENDER, start, rungs)


def test_surrender_of_units_bought_today(make_world):
    """SURRENDER: settled units only."""
    world = open_registry(make_world)
    world.sell(7000, 10)
    world.buy(7000, 10, account=4)
    owe(world, 10, 2025, 4)
    start = {"account": 4, "scope": CEA24, "quantity": 10, "target": 1, "expiry": 2025}
    climb(world, K.SURRENDER, start, [(R.UNITS_BOUGHT_TODAY, {})])


def test_voluntary_cancel(world):
    """VOLUNTARY_CANCEL: as its owner; free units."""
    start, rungs = by_owner({}, (R.INSUFFICIENT_UNITS, {}))
    climb(world, K.VOLUNTARY_CANCEL, start, rungs)
    world.send(K.SET_ACCOUNT_STATUS, account=2, scope=1)
    climb(world, K.VOLUNTARY_CANCEL, {"account": 2, "scope": CEA24, "quantity": 1}, [(R.UNITS_BOUGHT_TODAY, {})])


def test_carry_over(world):
    """CARRY_OVER: account, both assets, their kinds, units, year, net sales, the limit, the total, free units."""
    start, rungs = by_operator(
        {"account": 0, "side": 0, "quantity2": -1, "expiry": 1999},
        *WRONG_ACCOUNTS,
        (R.UNKNOWN_ACCOUNT, {"account": 2}),
        *WRONG_ASSETS,
        (R.UNKNOWN_ASSET, {"scope": CREDIT}),
        (R.UNKNOWN_ASSET, {"side": 6}),
        (R.UNKNOWN_ASSET, {"side": CREDIT}),
        (R.INVALID_COMBINATION, {"side": CCER}),
        (R.NOT_SURRENDERABLE, {"side": CEA25}),
        (R.NOT_SURRENDERABLE, {"scope": CEA24, "side": CCER}),
        (R.NOT_SURRENDERABLE, {"side": CEA25}),
        *WRONG_UNITS,
        (R.INVALID_AMOUNT, {"quantity": HUGE}),
        *WRONG_YEARS,
        (R.INVALID_YEAR, {"expiry": 2025}),
        (R.INVALID_AMOUNT, {"quantity2": 2**46}),
        (R.INVALID_AMOUNT, {"quantity2": 0}),
        (R.CARRY_OVER_LIMIT, {"quantity": 10_001}),
        (R.CARRY_OVER_LIMIT, {"quantity": 10_000}),
        (R.AMOUNT_OVERFLOW, {"quantity": 5_001}),
        (R.AMOUNT_OVERFLOW, {"quantity": 5_000}),
        (R.INSUFFICIENT_UNITS, {"quantity": 10}),
        (R.UNITS_BOUGHT_TODAY, {}),
    )
    climb(world, K.CARRY_OVER, start, rungs)


def test_acknowledge_settlement(world):
    """ACKNOWLEDGE_SETTLEMENT: the answer, the role, the stage, the date."""
    start = {"session": 1, "price": 5, "scope": 2, "expiry": DATE + 1}
    rungs = [
        (R.UNUSED_FIELD_SET, {"price": 0}),
        (R.INVALID_SCOPE, {"scope": 1}),
        (R.NOT_PERMITTED, {"session": 3}),
        (R.WRONG_DAY_STAGE, {}),
    ]
    climb(world, K.ACKNOWLEDGE_SETTLEMENT, start, rungs)
    world.stop()
    climb(world, K.ACKNOWLEDGE_SETTLEMENT, {"expiry": DATE}, [(R.WRONG_DAY_STAGE, {})])
    world.expire()
    climb(world, K.ACKNOWLEDGE_SETTLEMENT, {"expiry": DATE}, [(R.WRONG_DAY_STAGE, {})])
    world.fix_close()
    dates = [(R.INVALID_DATE, {"expiry": 0}), (R.INVALID_DATE, {"expiry": DATE - 1}), (R.INVALID_DATE, {})]
    climb(world, K.ACKNOWLEDGE_SETTLEMENT, {"expiry": DATE + 1, "scope": 1}, dates)
    world.settle()
    climb(world, K.ACKNOWLEDGE_SETTLEMENT, {"expiry": DATE}, [(R.WRONG_DAY_STAGE, {})])


def test_settlement_asks_for_the_stage_first(make_world):
    """SETTLE: role, stage, then the acknowledgement."""
    world = open_registry(make_world, settlement_ack=True)
    climb(world, K.SETTLE, {"session": 1}, [(R.NOT_PERMITTED, {"session": 3}), (R.WRONG_DAY_STAGE, {})])
    world.stop()
    world.expire()
    world.fix_close()
    rungs = [(R.NOT_PERMITTED, {"session": 3}), (R.SETTLEMENT_NOT_ACKNOWLEDGED, {})]
    climb(world, K.SETTLE, {"session": 1}, rungs)
