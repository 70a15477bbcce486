"""Two-sided quotes (docs/order-types.md 11.6)."""

from __future__ import annotations

import pytest

from engine.schema import CommandKind as K
from engine.schema import LimitKind
from engine.venue import Capacity
from tests.engine.builders import World, last_id
from tests.engine.further_floor import POST_ONLY, further, live, open_further, quote

pytestmark = pytest.mark.nojit
NONE = (0, 0)


@pytest.fixture
def floor(make_world):
    return open_further(make_world)


def test_two_orders_with_two_numbers(floor):
    """The bid has the command's number, the offer the next one; both are used up."""
    floor.session(1)
    assert quote(floor, (9990, 10), (10010, 20), session=1, client_order_id=5) == [
        "ACCEPTED side=1 price=9990 quantity=10 account=1 order_id=1 client_order_id=5 remaining=10 aux=99900 aux2=257 "
        "session=1",
        "ACCEPTED side=2 price=10010 quantity=20 account=1 order_id=2 client_order_id=6 remaining=20 aux=20 aux2=257 "
        "session=1",
    ]
    assert live(floor, "quote", "time_in_force") == [(1, 1, 1), (2, 1, 1)]
    assert floor.engine.last_client_order_id(1) == 6
    assert floor.buy(9000, 1, session=1, client_order_id=6)[0].startswith("REJECTED STALE_CLIENT_ORDER_ID")
    assert floor.cancel(6, flags=2, session=1, client_order_id=7)[0].startswith("CANCELLED USER_REQUESTED side=2")


def test_two_numbers_also_when_refused(floor):
    """As every command uses up its number, a refused quote uses up two."""
    floor.session(1)
    assert quote(floor, (9990, 10), (9990, 10), session=1, client_order_id=5)[0].startswith("REJECTED INVALID_COMBI")
    assert floor.engine.last_client_order_id(1) == 6
    quote(floor, (9990, 10), NONE, session=1, client_order_id=2**63 - 2)
    assert floor.engine.last_client_order_id(1) == 2**63 - 1


def test_a_number_without_a_next_one(floor):
    floor.session(1)
    told = quote(floor, (9990, 10), NONE, session=1, client_order_id=2**63 - 1)
    assert told[0].startswith("REJECTED STALE_CLIENT_ORDER_ID")
    assert floor.engine.last_client_order_id(1) == 0


def test_it_replaces_the_old_one(floor):
    """Another price on both sides: both go first, then both enter, and the bid may stand where the offer stood."""
    quote(floor, (9990, 10), (10010, 20))
    assert quote(floor, (10010, 5), (10020, 6)) == [
        "CANCELLED QUOTE_REPLACED side=1 price=9990 quantity=10 account=1 order_id=1 aux=99900",
        "CANCELLED QUOTE_REPLACED side=2 price=10010 quantity=20 account=1 order_id=2 aux=20",
        "ACCEPTED side=1 price=10010 quantity=5 account=1 order_id=3 remaining=5 aux=50050 aux2=257",
        "ACCEPTED side=2 price=10020 quantity=6 account=1 order_id=4 remaining=6 aux=6 aux2=257",
    ]


def test_less_at_the_same_price_keeps_its_place(floor):
    quote(floor, (9990, 10), (10010, 20))
    floor.buy(9990, 7, account=2)
    floor.sell(9990, 4, account=3)
    assert quote(floor, (9990, 5), (10010, 20)) == [
        "REPLACED side=1 price=9990 quantity=9 account=1 order_id=1 remaining=5 aux=-9990 aux2=1",
        "REPLACED side=2 price=10010 quantity=20 account=1 order_id=2 remaining=20 aux2=1",
    ]
    assert live(floor, "remaining") == [(1, 5), (3, 7), (2, 20)]


def test_more_at_the_same_price_loses_it(floor):
    """A larger bid ends the old order and enters behind the other one."""
    quote(floor, (9990, 10), NONE)
    floor.buy(9990, 7, account=2)
    assert [line.split()[0] for line in quote(floor, (9990, 11), NONE)] == ["CANCELLED", "ACCEPTED"]
    assert live(floor) == [(2,), (3,)]


def test_one_side_and_withdrawal(floor):
    assert quote(floor, NONE, NONE)[0].startswith("REJECTED UNKNOWN_ORDER")
    quote(floor, (9990, 10), (10010, 20))
    assert quote(floor, NONE, (10010, 20))[0].startswith("CANCELLED QUOTE_REPLACED side=1")
    assert quote(floor, NONE, NONE) == [
        "CANCELLED QUOTE_REPLACED side=2 price=10010 quantity=20 account=1 order_id=2 aux=20"
    ]
    assert floor.book() == []


def test_each_account_and_instrument_has_its_own(floor):
    quote(floor, (9990, 10), NONE)
    quote(floor, (9980, 10), NONE, account=2)
    quote(floor, (9970, 10), NONE, instrument=2)
    floor.buy(9960, 10)
    quote(floor, NONE, (10010, 1))
    assert [row[0] for row in live(floor)] == [2, 4, 5]
    assert live(floor, instrument=2) == [(3,)]


def test_they_match_like_orders(floor):
    floor.sell(9980, 4, account=2)
    floor.buy(10020, 4, account=2)
    floor.mass_cancel()
    floor.sell(9985, 4, account=2)
    told = quote(floor, (9990, 10), (10010, 20))
    assert [line.split()[0] for line in told] == ["ACCEPTED", "TRADE", "ACCEPTED"]
    assert live(floor, "remaining")[0] == (last_id(told), 6)


def test_they_are_ordinary_orders_afterwards(floor):
    quote(floor, (9990, 10), (10010, 20))
    assert floor.replace(1, 9991, 12)[0].startswith("REPLACED")
    assert live(floor, "quote", "price") == [(1, 1, 9991), (2, 1, 10010)]
    assert quote(floor, (9991, 12), NONE)[0].startswith("REPLACED side=1")
    assert len(floor.mass_cancel()) == 2


def test_what_the_old_quote_has_locked_counts_as_free(floor):
    """All cash and units are locked by the old quote: the new one may lock as much, not more."""
    account = floor.account(cash=100_000, units=10)
    quote(floor, (10000, 10), (10010, 10), account=account)
    assert floor.cash(account)[:2] == (0, 100_000)
    told = quote(floor, (9999, 10), (10011, 10), account=account)
    assert [line.split()[0] for line in told] == ["CANCELLED", "CANCELLED", "ACCEPTED", "ACCEPTED"]
    assert quote(floor, (10001, 10), NONE, account=account)[0].startswith("REJECTED INSUFFICIENT_FUNDS")
    assert quote(floor, (9999, 10), (10011, 11), account=account)[0].startswith("REJECTED INSUFFICIENT_UNITS")
    assert floor.cash(account)[:2] == (10, 99_990)


def test_post_only_looks_past_the_old_quote(floor):
    """The old offer at 10010 would go first; another order there stands in the way."""
    quote(floor, (9990, 10), (10010, 20), flags=POST_ONLY)
    assert quote(floor, (10010, 5), (10020, 5), flags=POST_ONLY)[2].startswith("ACCEPTED side=1")
    floor.sell(10015, 1, account=2)
    told = quote(floor, (10015, 5), (10020, 5), flags=POST_ONLY)
    assert told[0].startswith("REJECTED POST_ONLY_WOULD_TAKE")


def test_where_crossing_orders_are_refused(make_world):
    floor = open_further(make_world, further(cross_policy="REJECT"))
    floor.sell(10015, 1, account=2)
    assert quote(floor, (10015, 5), NONE)[0].startswith("REJECTED WOULD_CROSS")


def test_room_for_two_more(make_world):
    floor = open_further(make_world, further(capacity=Capacity(orders=4, accounts=9)))
    floor.buy(9000, 1)
    quote(floor, (9990, 10), (10010, 20))
    assert quote(floor, (9990, 10), NONE)[0].startswith("REJECTED ORDER_TABLE_FULL")
    assert quote(floor, NONE, NONE)[0].startswith("CANCELLED")


def test_limits_are_asked_of_each_side(floor):
    """The rate counts both; the position counts what the new bid adds; open orders are not asked."""
    floor.send(K.SET_LIMIT, scope=LimitKind.OPEN_ORDERS, quantity=1)
    floor.send(K.SET_LIMIT, scope=LimitKind.ORDER_RATE, quantity=3)
    quote(floor, (9990, 10), (10010, 20))
    assert quote(floor, (9990, 10), (10010, 20))[0].startswith("REJECTED ORDER_RATE")
    floor.send(K.SET_LIMIT, scope=LimitKind.ORDER_RATE)
    floor.send(K.SET_LIMIT, scope=LimitKind.POSITION, account=1, quantity=10**9 + 10)
    assert quote(floor, (9991, 10), NONE)[-1].startswith("ACCEPTED")
    assert quote(floor, (9991, 11), NONE)[0].startswith("REJECTED POSITION_LIMIT")


def test_without_pre_funding_a_quote_is_its_sessions(make_world):
    floor: World = open_further(make_world, further({"asset": "", "currency": ""}, prefunded=False), accounts=0)
    floor.firm()
    floor.session(1)
    floor.session(1)
    quote(floor, (9990, 10), NONE, account=7, session=1)
    quote(floor, (9980, 10), NONE, account=7, session=2)
    assert live(floor) == [(1,), (2,)]
    quote(floor, (9991, 10), NONE, account=7, session=1)
    assert live(floor) == [(3,), (2,)]


def test_not_offered(make_world):
    floor = open_further(make_world, further({"quotes": False}))
    assert quote(floor, (9990, 10), NONE)[0].startswith("REJECTED MODE_NOT_OFFERED")


def test_state_goes_round(floor):
    quote(floor, (9990, 10), (10010, 20))
    floor.buy(9990, 5)
    twin = floor.restored()
    assert quote(twin, (9990, 9), (10020, 5)) == quote(floor, (9990, 9), (10020, 5))
    assert twin.engine.canonical_state() == floor.engine.canonical_state()
    assert floor.sell(9990, 9, account=2) == twin.sell(9990, 9, account=2)
