"""Orders with exactly one thing wrong (docs/engine.md, sections 1 and 2): what every plain order passes at a glance.

`test_rejects` shows the order of the checks with commands that break several. A kernel that answers all of them at once
must not let by what breaks one alone.
"""

from __future__ import annotations

from datetime import date

import pytest

from engine.schema import CommandKind as K
from engine.schema import Reason as R
from tests.engine.builders import BREAK, BUY, CONTINUOUS, DAY, GTC, LIMIT, World, last_id, plain, seee

pytestmark = pytest.mark.nojit

DATE = 20250811
GOOD = {
    "session": 1,
    "side": BUY,
    "order_type": LIMIT,
    "time_in_force": DAY,
    "instrument": 1,
    "account": 1,
    "price": 7100,
    "quantity": 10,
}


@pytest.fixture
def hall(make_world) -> World:
    """Account 1 of firm 1, 2 of firm 2; trader sessions 1 and 2 of theirs, operator 3, reader 4, an ended trader 5;
    instrument 2 in the break; daily limits of instrument 1 [6421, 7847]; orders for the day only."""
    world = make_world(seee({"times_in_force": ("day",), "quantity_max": 1_000}))
    for _ in range(2):
        world.firm()
    for firm in (1, 2):
        world.account(firm, cash=10**10, units=10_000)
    for firm, role in ((1, 1), (2, 1), (0, 2), (1, 3), (1, 1)):
        world.session(firm, role)
    world.open_day(DATE)
    world.phase(BREAK, DATE, instrument=2)
    world.send(K.SET_SESSION_STATUS, target=5, scope=3)
    return world


def refusal(events: list[str]) -> str:
    assert len(events) == 1
    kind, reason, *_ = events[0].split()
    assert kind == "REJECTED"
    return reason


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"session": 4}, R.NOT_PERMITTED),
        ({"session": 3}, R.NOT_PERMITTED),
        ({"session": 5}, R.SESSION_ENDED),
        ({"session": 6}, R.UNKNOWN_SESSION),
        ({"session": -1, "client_order_id": 1}, R.UNKNOWN_SESSION),
        ({"session": 2**31 - 1, "client_order_id": 1}, R.UNKNOWN_SESSION),
        ({"client_order_id": -1}, R.STALE_CLIENT_ORDER_ID),
        ({"session": 0, "client_order_id": -1}, R.STALE_CLIENT_ORDER_ID),
        ({"scope": 1}, R.UNUSED_FIELD_SET),
        ({"side": 0}, R.INVALID_SIDE),
        ({"side": 3}, R.INVALID_SIDE),
        ({"side": 4 + BUY}, R.INVALID_SIDE),
        ({"order_type": 0}, R.INVALID_ORDER_TYPE),
        ({"order_type": 128 + LIMIT}, R.INVALID_ORDER_TYPE),
        ({"time_in_force": 0}, R.INVALID_TIME_IN_FORCE),
        ({"time_in_force": 7}, R.INVALID_TIME_IN_FORCE),
        ({"time_in_force": 8 + DAY}, R.INVALID_TIME_IN_FORCE),
        ({"time_in_force": 64 + DAY}, R.INVALID_TIME_IN_FORCE),
        ({"time_in_force": GTC}, R.INVALID_TIME_IN_FORCE),
        ({"flags": 2}, R.INVALID_FLAGS),
        ({"flags": -32_768}, R.INVALID_FLAGS),
        ({"self_trade": 5}, R.INVALID_SELF_TRADE),
        ({"self_trade": 8}, R.INVALID_SELF_TRADE),
        ({"target": -1}, R.INVALID_COMBINATION),
        ({"expiry": DATE}, R.INVALID_COMBINATION),
        ({"price2": 7100}, R.INVALID_COMBINATION),
        ({"quantity2": 5}, R.INVALID_COMBINATION),
        ({"account": 0}, R.UNKNOWN_ACCOUNT),
        ({"account": -1}, R.UNKNOWN_ACCOUNT),
        ({"account": 3}, R.UNKNOWN_ACCOUNT),
        ({"account": 2}, R.UNKNOWN_ACCOUNT),
        ({"instrument": 0}, R.UNKNOWN_INSTRUMENT),
        ({"instrument": -1}, R.UNKNOWN_INSTRUMENT),
        ({"instrument": 7}, R.UNKNOWN_INSTRUMENT),
        ({"instrument": 256}, R.UNKNOWN_INSTRUMENT),
        ({"instrument": 257}, R.UNKNOWN_INSTRUMENT),
        ({"instrument": 2}, R.WRONG_PHASE),
        ({"price": 0}, R.INVALID_PRICE),
        ({"price": 6420}, R.PRICE_BELOW_LIMIT),
        ({"price": 7848}, R.PRICE_ABOVE_LIMIT),
        ({"quantity": 0}, R.INVALID_QUANTITY),
        ({"quantity": 1_001}, R.QUANTITY_TOO_LARGE),
        ({"quantity": 2**32 + 10}, R.INVALID_QUANTITY),
    ],
    ids=str,
)
def test_one_thing_wrong(hall, wrong, reason):
    """docs/engine.md sections 1 and 2: the reason of the check that fails, and nothing has changed but the number."""
    before = hall.engine.state()
    assert refusal(hall.send(K.NEW_ORDER, **{**GOOD, **wrong})) == reason.name
    after = hall.engine.state()
    for section in ("orders", "cash", "holds", "instruments"):
        assert after[section].tobytes() == before[section].tobytes()
    assert hall.send(K.NEW_ORDER, **GOOD)[0].startswith("ACCEPTED")


@pytest.mark.parametrize(
    ("fields", "back", "reason"),
    [
        ({"kind": K.SET_ACCOUNT_STATUS, "account": 1, "scope": 2}, {"scope": 1}, R.ACCOUNT_SUSPENDED),
        ({"kind": K.KILL_SWITCH, "scope": 1, "target": 1}, {"side": 1}, R.FIRM_STOPPED),
        ({"kind": K.KILL_SWITCH, "scope": 3, "instrument": 1}, {"side": 1}, R.INSTRUMENT_HALTED),
        ({"kind": K.KILL_SWITCH, "scope": 4}, {"side": 1}, R.VENUE_HALTED),
        (
            {"kind": K.SET_PHASE, "scope": 1, "quantity": BREAK, "expiry": DATE, "instrument": 1},
            {"quantity": CONTINUOUS},
            R.WRONG_PHASE,
        ),
    ],
    ids=["account", "firm", "instrument", "venue", "phase"],
)
def test_what_the_operator_stops_and_lets_go_on(hall, fields, back, reason):
    """docs/engine.md section 2 and docs/controls.md: the very next order is refused, and the very next one enters; a
    replacement likewise."""
    order = last_id(hall.send(K.NEW_ORDER, **GOOD))
    hall.send(**fields)
    if hall.book():  # a kill switch cancels, too
        assert refusal(hall.replace(order, 7100, 9, session=1)) == reason.name
        assert refusal(hall.replace(order, 7101, 10, session=1)) == reason.name
    assert refusal(hall.send(K.NEW_ORDER, **GOOD)) == reason.name
    hall.send(**{**fields, **back})
    order = last_id(hall.send(K.NEW_ORDER, **GOOD))
    assert hall.replace(order, 7100, 9, session=1)[0].startswith("REPLACED")
    assert hall.cancel(order, session=1)[0].startswith("CANCELLED")


def test_an_open_venue_is_stopped(make_world):
    """docs/controls.md, kill switch: a venue that is open from the start stops, and goes on, like any other."""
    world = make_world(plain())
    assert world.buy(100, 5)[0].startswith("ACCEPTED")
    for reason, scope, where in (("VENUE_HALTED", 4, 0), ("INSTRUMENT_HALTED", 3, 1)):
        world.send(K.KILL_SWITCH, scope=scope, instrument=where)
        assert refusal(world.buy(100, 5)) == reason
        world.send(K.KILL_SWITCH, scope=scope, instrument=where, side=1)
        assert world.buy(100, 5)[0].startswith("ACCEPTED")


def test_a_stopped_venue_is_restored(make_world):
    """docs/controls.md, kill switch: what is stopped stays stopped in a restored venue."""
    world = make_world(plain())
    world.send(K.KILL_SWITCH, scope=4)
    other = world.restored()
    assert refusal(other.buy(100, 5)) == "VENUE_HALTED"
    other.send(K.KILL_SWITCH, scope=4, side=1)
    assert other.restored().buy(100, 5)[0].startswith("ACCEPTED")


def test_an_open_book_that_is_not_listed_yet(make_world):
    """docs/engine.md, Listed: open from the start until the first trading date says that its listing comes later."""
    world = make_world(plain({"listed_from": date(2030, 1, 2)}))
    assert world.buy(100, 5)[0].startswith("ACCEPTED")
    world.open_day(DATE)
    assert refusal(world.buy(100, 5)) == "NOT_LISTED"


@pytest.mark.parametrize(
    "wrong",
    [
        {"side": 1},
        {"order_type": 1},
        {"time_in_force": 1},
        {"self_trade": 1},
        {"scope": 1},
        {"instrument": 1},
        {"account": 1},
        {"expiry": 1},
        {"price": 1},
        {"price2": 1},
        {"quantity": 1},
        {"quantity2": 1},
    ],
    ids=str,
)
def test_a_cancel_has_its_target_only(hall, wrong):
    """docs/engine.md section 1, Kind: a bit in a field that the kind does not use."""
    order = last_id(hall.send(K.NEW_ORDER, **GOOD))
    assert refusal(hall.cancel(order, session=1, **wrong)) == "UNUSED_FIELD_SET"
    assert refusal(hall.cancel(order, session=1, flags=1)) == "INVALID_FLAGS"
    assert hall.cancel(order, session=1)[0].startswith("CANCELLED")


def test_numbers_count_on_the_short_way_too(hall):
    """docs/engine.md section 1, Number: consumed by every order, cancel and replacement; none counts twice."""
    for number in (5, 6):
        assert hall.send(K.NEW_ORDER, client_order_id=number, **GOOD)[0].startswith("ACCEPTED")
        assert hall.engine.last_client_order_id(1) == number
        assert refusal(hall.send(K.NEW_ORDER, client_order_id=number, **GOOD)) == "STALE_CLIENT_ORDER_ID"
    hall.replace(5, 7100, 4, session=1, client_order_id=7, flags=2)
    assert hall.engine.last_client_order_id(1) == 7
    assert refusal(hall.cancel(5, session=1, client_order_id=7, flags=2)) == "STALE_CLIENT_ORDER_ID"
    hall.cancel(5, session=1, client_order_id=8, flags=2)
    assert refusal(hall.cancel(5, session=1, client_order_id=9, flags=2)) == "UNKNOWN_ORDER"
    assert hall.engine.last_client_order_id(1) == 9
