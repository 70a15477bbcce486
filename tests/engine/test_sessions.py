"""Firms, sessions, roles, numbers and ownership (docs/engine.md sections 1 and 5)."""

from __future__ import annotations

import pytest

from engine.schema import CommandKind as K
from tests.engine.builders import BUY, GTC, World, plain, seee

pytestmark = pytest.mark.nojit


@pytest.fixture
def desk(make_world) -> World:
    """Firm 1 with accounts 1, 2 and sessions 1, 2; firm 2 with account 3 and session 3; session 4 operator."""
    world = make_world(seee({"times_in_force": ("day", "gtc", "ioc", "fok")}))
    world.firm()
    world.firm()
    for firm in (1, 1, 2):
        world.account(firm, cash=10**9, units=10**6)
    for firm, role in ((1, 1), (1, 1), (2, 1), (0, 2)):
        world.session(firm, role)
    world.open_day(20250811)
    return world


def test_opening(make_world):
    """OPEN_FIRM, OPEN_ACCOUNT, OPEN_SESSION: dense ids from 1."""
    world = make_world(seee())
    assert world.send(K.OPEN_FIRM) == ["FIRM_OPENED aux=1"]
    assert world.send(K.OPEN_FIRM) == ["FIRM_OPENED aux=2"]
    assert world.send(K.OPEN_ACCOUNT, quantity=2, quantity2=77, expiry=20250101) == [
        "ACCOUNT_OPENED quantity=20250101 account=1 aux=2 aux2=77"
    ]
    assert world.send(K.OPEN_SESSION, quantity=2, scope=1) == ["SESSION_OPENED quantity=1 aux=1 aux2=2"]
    assert world.send(K.OPEN_SESSION, quantity=0, scope=3) == ["SESSION_OPENED quantity=3 aux=2"]


def test_statuses_and_groups(desk):
    """SET_ACCOUNT_STATUS, SET_SESSION_STATUS, SET_OWNER_GROUP tell what was before."""
    assert desk.send(K.SET_ACCOUNT_STATUS, account=1, scope=2) == ["ACCOUNT_STATUS_SET account=1 aux=2 aux2=1"]
    assert desk.send(K.SET_SESSION_STATUS, target=1, scope=3) == ["SESSION_STATUS_SET quantity=1 aux=1 aux2=3"]
    assert desk.send(K.SET_SESSION_STATUS, target=1, scope=1) == ["SESSION_STATUS_SET quantity=3 aux=1 aux2=1"]
    assert desk.send(K.SET_OWNER_GROUP, account=1, quantity2=5, expiry=20250101) == [
        "OWNER_GROUP_SET quantity=20250101 account=1 aux=5"
    ]
    assert desk.send(K.SET_OWNER_GROUP, account=1) == ["OWNER_GROUP_SET account=1 aux2=5"]


def test_a_suspended_account_may_cancel(desk):
    """ACCOUNT_SUSPENDED bars new and changed orders only."""
    desk.buy(7100, 5, session=1)
    desk.send(K.SET_ACCOUNT_STATUS, account=1, scope=2)
    assert desk.buy(7100, 5, session=1) == [
        "REJECTED ACCOUNT_SUSPENDED side=1 price=7100 quantity=5 account=1 client_order_id=2 aux=1 session=1"
    ]
    assert desk.replace(1, 7100, 4, session=1) == [
        "REJECTED ACCOUNT_SUSPENDED price=7100 quantity=4 client_order_id=3 aux=3 aux2=1 session=1"
    ]
    assert desk.cancel(1, session=1)[0].startswith("CANCELLED USER_REQUESTED")


def test_numbers_rise_and_are_consumed(desk):
    """docs/engine.md section 1, step 2: consumed by accepts and rejects alike; stale numbers change nothing."""
    assert desk.buy(7100, 5, session=1, client_order_id=10)[0] == (
        "ACCEPTED side=1 price=7100 quantity=5 account=1 order_id=1 client_order_id=10 remaining=5 aux=35500 aux2=257 "
        "session=1"
    )
    for number in (10, 9, 0, -1):
        told = f"client_order_id={number} " if number else ""
        assert desk.buy(7100, 5, session=1, client_order_id=number) == [
            f"REJECTED STALE_CLIENT_ORDER_ID side=1 price=7100 quantity=5 account=1 {told}aux=1 session=1"
        ]
    desk.buy(-5, 5, session=1, client_order_id=20)
    assert desk.engine.last_client_order_id(1) == 20
    assert desk.engine.last_client_order_id(2) == 0
    assert desk.engine.last_client_order_id(99) == 0
    assert desk.send(200, session=1, client_order_id=21)[0].startswith("REJECTED INVALID_KIND")
    assert desk.engine.last_client_order_id(1) == 21
    desk.send(K.SET_SESSION_STATUS, target=1, scope=3)
    assert desk.buy(7100, 5, session=1, client_order_id=30)[0].startswith("REJECTED SESSION_ENDED")
    assert desk.engine.last_client_order_id(1) == 21


def test_the_venue_itself_may_number_its_commands(book):
    """Session 0 without a number is not checked; with one it rises like any other."""
    book.buy(100, 5)
    book.buy(100, 5, client_order_id=7)
    assert book.buy(100, 5, client_order_id=7) == [
        "REJECTED STALE_CLIENT_ORDER_ID side=1 price=100 quantity=5 account=1 client_order_id=7 aux=1"
    ]
    book.buy(100, 5)
    assert book.cancel(7, flags=2) == [
        "CANCELLED USER_REQUESTED side=1 price=100 quantity=5 account=1 order_id=2 client_order_id=7"
    ]
    assert book.cancel(0, flags=2) == ["REJECTED UNKNOWN_ORDER aux=2"]


def test_orders_of_one_firm_belong_to_all_its_sessions(desk):
    """Ownership, pre-funded: the firm's other session may cancel by order id, not by its own client id."""
    desk.buy(7100, 5, session=1, client_order_id=4)
    assert desk.cancel(4, flags=2, session=2, client_order_id=5) == [
        "REJECTED UNKNOWN_ORDER client_order_id=5 aux=2 aux2=4 session=2"
    ]
    assert desk.cancel(1, session=2, client_order_id=6) == [
        "CANCELLED USER_REQUESTED side=1 price=7100 quantity=5 account=1 order_id=1 client_order_id=4 "
        "contra_client_order_id=6 aux=35500 session=1 contra_session=2"
    ]


def test_a_foreign_order_is_as_unknown_as_none(desk):
    """CANCEL and REPLACE: the same reject for a foreign order and for one that does not exist."""
    desk.buy(7100, 5, session=1)
    for number, target in enumerate((1, 99), 1):
        assert desk.cancel(target, session=3) == [
            f"REJECTED UNKNOWN_ORDER client_order_id={2 * number - 1} aux=2 aux2={target} session=3"
        ]
        assert desk.replace(target, 7100, 4, session=3) == [
            f"REJECTED UNKNOWN_ORDER price=7100 quantity=4 client_order_id={2 * number} aux=3 aux2={target} session=3"
        ]
    assert desk.mass_cancel(session=3) == ["MASS_CANCELLED client_order_id=5 session=3"]


def test_without_prefunding_a_session_owns_what_it_entered(make_world):
    """Ownership elsewhere: the orders entered through the session."""
    world = make_world(plain())
    world.firm()
    world.session(1)
    world.session(1)
    world.buy(100, 5, session=1)
    world.buy(100, 6, session=2)
    assert world.cancel(1, session=2) == ["REJECTED UNKNOWN_ORDER client_order_id=2 aux=2 aux2=1 session=2"]
    assert world.mass_cancel(session=2) == [
        "CANCELLED MASS_CANCEL side=1 price=100 quantity=6 account=1 order_id=2 client_order_id=1 "
        "contra_client_order_id=3 session=2 contra_session=2",
        "MASS_CANCELLED quantity=1 client_order_id=3 session=2",
    ]
    assert world.mass_cancel() == [
        "CANCELLED MASS_CANCEL side=1 price=100 quantity=5 account=1 order_id=1 client_order_id=1 session=1",
        "MASS_CANCELLED quantity=1",
    ]


def test_replace_tells_owner_and_sender(desk):
    """REPLACED and the trades after it: the order's number and session; the command's beside them."""
    desk.sell(7100, 5, session=3, account=3)
    desk.buy(7000, 5, session=1, client_order_id=50)
    assert desk.replace(2, 7100, 5, session=2, client_order_id=60) == [
        "REPLACED side=1 price=7100 quantity=5 account=1 order_id=2 client_order_id=50 contra_client_order_id=60 "
        "remaining=5 aux=500 session=1 contra_session=2",
        "TRADE side=1 aggressor=1 price=7100 quantity=5 account=1 contra_account=3 order_id=2 contra_order_id=1 "
        "client_order_id=50 contra_client_order_id=1 session=1 contra_session=3",
    ]


def test_take_anybodys_listing(desk):
    """TAKE: the listing may be anybody's; both sessions are told."""
    desk.sell(7100, 5, session=3, account=3)
    assert desk.take(BUY, 1, 7100, 5, session=1)[1] == (
        "TRADE side=1 aggressor=1 price=7100 quantity=5 account=1 contra_account=3 order_id=2 contra_order_id=1 "
        "client_order_id=1 contra_client_order_id=1 session=1 contra_session=3"
    )


CANCELLED = (
    "CANCELLED DISCONNECTED side=1 price={0} quantity=5 account=1 order_id={1} client_order_id={1} aux={2} session=1"
)


@pytest.mark.parametrize(
    ("policy", "ids"),
    [(0, []), (1, [(7100, 1, 35500)]), (2, [(7101, 2, 35505), (7100, 1, 35500)])],
)
def test_disconnect_policies(desk, policy, ids):
    """SESSION_DOWN: keep, cancel day orders, cancel all; only what the lost session entered."""
    up = f" aux2={policy}" if policy else ""
    assert desk.send(K.SESSION_UP, target=1, scope=policy) == [f"SESSION_UP aux=1{up}"]
    assert desk.engine.state()["sessions"][1]["connected"] == 1
    desk.buy(7100, 5, session=1)
    desk.buy(7101, 5, session=1, time_in_force=GTC)
    desk.buy(7102, 5, session=2)
    count = f" aux2={len(ids)}" if ids else ""
    events = desk.send(K.SESSION_DOWN, target=1, quantity=116)
    assert events == [*(CANCELLED.format(*order) for order in ids), f"SESSION_DOWN ALREADY_TOO_OLD aux=1{count}"]
    assert desk.engine.state()["sessions"][1]["connected"] == 0


def test_ended_session_stays_down(desk):
    """SESSION_UP is refused for an ended session; SESSION_DOWN is not."""
    desk.send(K.SET_SESSION_STATUS, target=1, scope=3)
    assert desk.send(K.SESSION_UP, target=1, scope=0) == ["REJECTED SESSION_ENDED aux=86 aux2=1"]
    assert desk.send(K.SESSION_DOWN, target=1) == ["SESSION_DOWN aux=1"]
