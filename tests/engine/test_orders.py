"""Entering, changing and cancelling orders (docs/engine.md section 2)."""

from __future__ import annotations

import pytest

from tests.engine.builders import BREAK, BUY, CLOSED, FOK, GTC, HALT, IOC, PRE_OPEN, SELL, seee

pytestmark = pytest.mark.nojit

TODAY = 20250811


@pytest.mark.parametrize(
    ("fields", "aux2"),
    [
        ({}, 1 | 1 << 8),
        ({"time_in_force": GTC}, 1 | 2 << 8),
        ({"flags": 1}, 1 | 1 << 8 | 1 << 24),
        ({"self_trade": 3}, 1 | 1 << 8 | 3 << 16),
        ({"self_trade": 4, "flags": 1, "time_in_force": GTC}, 1 | 2 << 8 | 4 << 16 | 1 << 24),
    ],
)
def test_accepted_tells_the_orders_attributes(book, fields, aux2):
    """schema.EVENT_FIELDS, ACCEPTED: aux2 = order_type, time_in_force, self_trade, flags."""
    assert book.buy(100, 5, **fields) == [
        f"ACCEPTED side=1 price=100 quantity=5 account=1 order_id=1 remaining=5 aux2={aux2}"
    ]


def test_immediate_or_cancel(book):
    """IOC: what does not trade at once expires; nothing rests."""
    assert book.buy(100, 5, time_in_force=IOC) == [
        "ACCEPTED side=1 price=100 quantity=5 account=1 order_id=1 remaining=5 aux2=769",
        "EXPIRED IOC_REMAINDER side=1 price=100 quantity=5 account=1 order_id=1",
    ]
    assert book.book() == []


def test_fill_or_kill(book):
    """FOK: everything at once, over several levels inside the limit, or a reject that uses up no order id."""
    book.sell(100, 5)
    book.sell(101, 5)
    book.sell(102, 5)
    assert book.buy(101, 11, time_in_force=FOK, account=2) == [
        "REJECTED FOK_NOT_FILLABLE side=1 price=101 quantity=11 account=2 aux=1"
    ]
    assert book.buy(101, 10, time_in_force=FOK, account=2) == [
        "ACCEPTED side=1 price=101 quantity=10 account=2 order_id=4 remaining=10 aux2=1025",
        "TRADE side=1 aggressor=1 price=100 quantity=5 account=2 contra_account=1 order_id=4 contra_order_id=1 "
        "remaining=5",
        "TRADE side=1 aggressor=1 price=101 quantity=5 account=2 contra_account=1 order_id=4 contra_order_id=2",
    ]


def test_post_only(book):
    """POST_ONLY: refused when the best counter price is within the limit, one tick away it rests."""
    book.sell(100, 5)
    assert book.buy(100, 5, flags=1) == ["REJECTED POST_ONLY_WOULD_TAKE side=1 price=100 quantity=5 account=1 aux=1"]
    assert book.buy(99, 5, flags=1) == [
        "ACCEPTED side=1 price=99 quantity=5 account=1 order_id=2 remaining=5 aux2=16777473"
    ]


def test_cancel(market):
    """CANCEL_ORDER: only the unfilled part; its lock is released; a second cancel finds nothing."""
    market.buy(7100, 10, account=2)
    market.sell(7100, 4)
    assert market.cancel(1) == ["CANCELLED USER_REQUESTED side=1 price=7100 quantity=6 account=2 order_id=1 aux=42600"]
    assert market.cancel(1) == ["REJECTED UNKNOWN_ORDER aux=2 aux2=1"]
    assert market.cash(2)[1] == 0


@pytest.mark.parametrize("phase", [PRE_OPEN, BREAK, HALT])
def test_cancel_outside_of_trading(market, phase):
    """CANCEL_ORDER: in every phase but CLOSED; new and changed orders only in continuous trading (rule book, L9)."""
    market.sell(7100, 10)
    market.phase(phase, TODAY, instrument=1)
    assert market.sell(7100, 10) == [
        f"REJECTED WRONG_PHASE phase={phase} side=2 price=7100 quantity=10 account=1 aux=1"
    ]
    assert market.replace(1, 7100, 5) == ["REJECTED WRONG_PHASE price=7100 quantity=5 aux=3 aux2=1"]
    assert market.cancel(1) == [
        f"CANCELLED USER_REQUESTED phase={phase} side=2 price=7100 quantity=10 account=1 order_id=1 aux=10"
    ]


def test_cancel_in_the_break_where_it_is_barred(make_open_world):
    """break_cancel false: not in the break, but in a halt."""
    world = make_open_world(seee(break_cancel=False))
    world.sell(7100, 10)
    world.phase(BREAK, TODAY, instrument=1)
    assert world.cancel(1) == ["REJECTED WRONG_PHASE aux=2 aux2=1"]
    world.phase(CLOSED, TODAY, instrument=1)
    assert world.cancel(1) == ["REJECTED WRONG_PHASE aux=2 aux2=1"]
    world.phase(HALT, TODAY, instrument=1)
    assert world.cancel(1)[0].startswith("CANCELLED USER_REQUESTED")


def test_replace_with_less_keeps_priority(market):
    """Rule book, L10: quantity down keeps priority; the lock difference is released."""
    market.buy(7100, 10, account=2)
    market.buy(7100, 10, account=3)
    assert market.replace(1, 7100, 4) == [
        "REPLACED side=1 price=7100 quantity=4 account=2 order_id=1 remaining=4 aux=-42600 aux2=1"
    ]
    assert market.replace(1, 7100, 4) == [
        "REPLACED side=1 price=7100 quantity=4 account=2 order_id=1 remaining=4 aux2=1"
    ]
    assert market.book() == [(1, BUY, 7100, 4), (2, BUY, 7100, 10)]


def test_replace_with_less_releases_its_lock(market):
    """Rule book, L10: what the smaller order needs no longer is free again, cash as well as units."""
    free, units = market.cash(2)[0], market.units(3)[0]
    market.buy(7100, 10, account=2)
    market.sell(7200, 10, account=3)
    market.replace(1, 7100, 4)
    market.replace(2, 7200, 1)
    assert market.cash(2) == (free - 28_400, 28_400, 0)
    assert market.units(3) == (units - 1, 1, 0)


def test_replace_with_more_or_another_price_loses_priority(market):
    """Rule book, L10: price or quantity up is cancel plus new, under the same order id."""
    market.buy(7100, 10, account=2)
    market.buy(7100, 10, account=3)
    assert market.replace(1, 7100, 11) == [
        "REPLACED side=1 price=7100 quantity=11 account=2 order_id=1 remaining=11 aux=7100"
    ]
    assert market.book() == [(2, BUY, 7100, 10), (1, BUY, 7100, 11)]
    assert market.replace(2, 7099, 5) == [
        "REPLACED side=1 price=7099 quantity=5 account=3 order_id=2 remaining=5 aux=-35505"
    ]
    assert market.book() == [(1, BUY, 7100, 11), (2, BUY, 7099, 5)]


def test_replace_states_the_total(market):
    """REPLACE_ORDER: the new quantity includes what was filled and must be above it."""
    market.sell(7100, 10, account=2)
    market.buy(7100, 4)
    assert market.replace(1, 7100, 4) == ["REJECTED QUANTITY_BELOW_FILLED price=7100 quantity=4 aux=3 aux2=1"]
    assert market.replace(1, 7100, 5) == [
        "REPLACED side=2 price=7100 quantity=5 account=2 order_id=1 remaining=1 aux=-5 aux2=1"
    ]
    assert market.replace(1, 7101, 7) == [
        "REPLACED side=2 price=7101 quantity=7 account=2 order_id=1 remaining=3 aux=2"
    ]


def test_replace_that_takes(market):
    """A replaced order is matched like a new one and its rest goes to the end of its price's queue."""
    market.sell(7105, 4, account=2)
    market.buy(7100, 10)
    market.buy(7105 - 1, 1, account=3)
    assert market.replace(2, 7105, 12) == [
        "REPLACED side=1 price=7105 quantity=12 account=1 order_id=2 remaining=12 aux=14260",
        "TRADE side=1 aggressor=1 price=7105 quantity=4 account=1 contra_account=2 order_id=2 contra_order_id=1 "
        "remaining=8",
    ]
    assert market.book() == [(2, BUY, 7105, 8), (3, BUY, 7104, 1)]


def test_replace_keeps_post_only(market):
    """REPLACE_ORDER: check 9 with the order's own flag."""
    market.sell(7105, 4, account=2)
    market.buy(7100, 10, flags=1)
    assert market.replace(2, 7105, 10) == ["REJECTED POST_ONLY_WOULD_TAKE price=7105 quantity=10 aux=3 aux2=2"]
    assert market.book() == [(2, BUY, 7100, 10), (1, SELL, 7105, 4)]


def three_books(world):
    """Orders 1 to 6 in two instruments, on both sides, in an order of entry that is not their order of cancel."""
    world.deposit_units(1, 100, asset=2)
    world.sell(7010, 1, instrument=2, account=1)
    world.buy(7100, 2, account=1)
    world.buy(7105, 3, account=2)
    world.sell(7120, 4, account=1)
    world.sell(7110, 5, account=1)
    world.buy(7105, 6, account=1)


LINES = {
    1: "CANCELLED MASS_CANCEL instrument=2 side=2 price=7010 quantity=1 account=1 order_id=1 aux=1",
    2: "CANCELLED MASS_CANCEL side=1 price=7100 quantity=2 account=1 order_id=2 aux=14200",
    3: "CANCELLED MASS_CANCEL side=1 price=7105 quantity=3 account=2 order_id=3 aux=21315",
    4: "CANCELLED MASS_CANCEL side=2 price=7120 quantity=4 account=1 order_id=4 aux=4",
    5: "CANCELLED MASS_CANCEL side=2 price=7110 quantity=5 account=1 order_id=5 aux=5",
    6: "CANCELLED MASS_CANCEL side=1 price=7105 quantity=6 account=1 order_id=6 aux=42630",
}


@pytest.mark.parametrize(
    ("scope", "fields", "ids"),
    [
        (0, {}, [3, 6, 2, 5, 4, 1]),
        (1, {"account": 1}, [6, 2, 5, 4, 1]),
        (2, {"instrument": 1}, [3, 6, 2, 5, 4]),
        (4, {"side": SELL}, [5, 4, 1]),
        (8, {}, [3, 6, 2, 5, 4, 1]),
        (7, {"account": 1, "instrument": 1, "side": BUY}, [6, 2]),
    ],
)
def test_mass_cancel(market, scope, fields, ids):
    """MASS_CANCEL: by instrument, buy before sell, best price first, priority; then the count."""
    three_books(market)
    assert market.mass_cancel(scope, **fields) == [
        *(LINES[number] for number in ids),
        f"MASS_CANCELLED quantity={len(ids)}",
    ]


def test_mass_cancel_of_nothing_and_in_a_closed_market(market):
    """MASS_CANCEL is allowed in every phase and tells a count of none."""
    assert market.mass_cancel() == ["MASS_CANCELLED"]
    market.sell(7110, 5)
    market.phase(CLOSED, TODAY)
    assert market.mass_cancel() == [
        "CANCELLED MASS_CANCEL phase=0 side=2 price=7110 quantity=5 account=1 order_id=1 aux=5",
        "MASS_CANCELLED quantity=1",
    ]
