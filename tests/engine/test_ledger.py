"""Cash and units: locks, releases, fees, T+1, deposits and withdrawals (docs/engine.md sections 2 and 5)."""

from __future__ import annotations

import pytest

from tests.engine.builders import BUY, World, seee

pytestmark = pytest.mark.nojit


def poor(make_world, venue=None, cash=0, units=0) -> World:
    """Account 1 with this cash, account 2 with these units, the day open."""
    world = make_world(venue or seee())
    world.account(cash=cash)
    world.account(units=units)
    world.open_day(20250811)
    return world


def test_orders_lock_their_full_amount(make_world):
    """Rule book, L2: a buy locks price x quantity, a sell its units; one fen short is refused."""
    world = poor(make_world, cash=71_000, units=10)
    assert world.buy(7101, 10) == ["REJECTED INSUFFICIENT_FUNDS side=1 price=7101 quantity=10 account=1 aux=1"]
    assert world.buy(7100, 10)[0].endswith("aux=71000 aux2=257")
    assert world.cash(1) == (0, 71_000, 0)
    assert world.buy(7100, 1) == ["REJECTED INSUFFICIENT_FUNDS side=1 price=7100 quantity=1 account=1 aux=1"]
    assert world.sell(7200, 11, account=2) == [
        "REJECTED INSUFFICIENT_UNITS side=2 price=7200 quantity=11 account=2 aux=1"
    ]
    world.sell(7200, 10, account=2)
    assert world.units(2) == (0, 10, 0)


def test_price_improvement_is_released_with_the_fill(make_world):
    """Rule book, L8: (limit - price) x quantity goes back to free in the same event."""
    world = poor(make_world, cash=72_000, units=10)
    world.sell(7100, 4, account=2)
    assert world.buy(7200, 10)[1] == (
        "TRADE side=1 aggressor=1 price=7100 quantity=4 account=1 contra_account=2 order_id=2 contra_order_id=1 "
        "remaining=6 aux=400"
    )
    assert world.cash(1) == (400, 43_200, 0)
    assert world.cash(2) == (28_400, 0, 28_400)
    assert world.units(1) == (0, 0, 4)
    assert world.units(2) == (6, 0, 0)


def test_replace_moves_the_difference(make_world):
    """REPLACE_ORDER: only new lock - old lock must be free."""
    world = poor(make_world, cash=72_000)
    world.buy(7100, 10)
    assert world.replace(1, 7201, 10) == ["REJECTED INSUFFICIENT_FUNDS price=7201 quantity=10 aux=3 aux2=1"]
    assert world.replace(1, 7200, 10) == [
        "REPLACED side=1 price=7200 quantity=10 account=1 order_id=1 remaining=10 aux=1000"
    ]
    assert world.cash(1) == (0, 72_000, 0)


def test_replace_of_a_sell_needs_the_extra_units(make_world):
    """REPLACE_ORDER, check 12 for units: bought today is told apart."""
    world = poor(make_world, cash=10**6, units=12)
    world.sell(7100, 5, account=2)
    world.deposit_cash(2, 10**6)
    assert world.replace(1, 7100, 13) == ["REJECTED INSUFFICIENT_UNITS price=7100 quantity=13 aux=3 aux2=1"]
    world.deposit_units(1, 1)
    world.sell(7050, 1, account=1)
    world.buy(7050, 1, account=2)
    assert world.replace(1, 7100, 13) == ["REJECTED UNITS_BOUGHT_TODAY price=7100 quantity=13 aux=3 aux2=1"]
    assert world.replace(1, 7100, 12) == [
        "REPLACED side=2 price=7100 quantity=12 account=2 order_id=1 remaining=12 aux=7"
    ]


FEE_1_IN_1000 = {"fee_ppm": 1_000}


def test_fees_round_once_over_the_order(make_world):
    """docs/engine.md section 2: fee of a fill = fee(cumulative after) - fee(cumulative before), half-up.

    7,150 fen a tonne at 0.1 %: fee(1) = 7.15 -> 7, fee(2) = 14.3 -> 14, fee(3) = 21.45 -> 21, fee(4) = 28.6 -> 29.
    """
    world = poor(make_world, seee(FEE_1_IN_1000), cash=28_629, units=4)
    assert world.buy(7150, 4) == [
        "ACCEPTED side=1 price=7150 quantity=4 account=1 order_id=1 remaining=4 aux=28629 aux2=257"
    ]
    for number, buyers_fee in enumerate((7, 7, 7, 8), 1):
        left = 4 - number
        assert world.sell(7150, 1, account=2)[1:] == [
            f"TRADE side=2 aggressor=2 price=7150 quantity=1 account=2 contra_account=1 order_id={number + 1} "
            f"contra_order_id=1{f' contra_remaining={left}' if left else ''}",
            f"FEE price=7150 quantity=1 account=1 contra_account=2 order_id=1 contra_order_id={number + 1} "
            f"aux={buyers_fee} aux2=7",
        ]
    assert world.cash(1) == (0, 0, 0)
    assert world.cash(2) == (4 * 7150 - 28, 0, 4 * 7150 - 28)
    assert world.row("currencies") == {"deposited": 28_629, "fees": 57}


def test_fee_of_an_exact_half(make_world):
    """docs/engine.md section 2, Money: 6,500 fen at 0.1 % is 6.5 fen, half-up 7, where half to even gives 6."""
    world = poor(make_world, seee(FEE_1_IN_1000), cash=6507, units=1)
    assert world.buy(6500, 1) == [
        "ACCEPTED side=1 price=6500 quantity=1 account=1 order_id=1 remaining=1 aux=6507 aux2=257"
    ]
    assert world.sell(6500, 1, account=2)[2] == (
        "FEE price=6500 quantity=1 account=1 contra_account=2 order_id=1 contra_order_id=2 aux=7 aux2=7"
    )


def test_fee_of_the_improvement_is_released_too(make_world):
    """The lock includes the fee at the limit; a better price releases surplus amount and surplus fee."""
    world = poor(make_world, seee(FEE_1_IN_1000), cash=7200 * 10 + 72, units=10)
    world.sell(7100, 10, account=2)
    assert world.buy(7200, 10) == [
        "ACCEPTED side=1 price=7200 quantity=10 account=1 order_id=2 remaining=10 aux=72072 aux2=257",
        "TRADE side=1 aggressor=1 price=7100 quantity=10 account=1 contra_account=2 order_id=2 contra_order_id=1 "
        "aux=1001",
        "FEE price=7100 quantity=10 account=1 contra_account=2 order_id=2 contra_order_id=1 aux=71 aux2=71",
    ]
    assert world.cash(1) == (1_001, 0, 0)


def test_fee_that_rounds_to_nothing_gives_no_event(make_world):
    """A FEE event comes only when either fee is not 0."""
    world = poor(make_world, seee({"fee_ppm": 1}), cash=10**6, units=10)
    world.sell(7100, 1, account=2)
    assert world.buy(7100, 1)[1:] == [
        "TRADE side=1 aggressor=1 price=7100 quantity=1 account=1 contra_account=2 order_id=2 contra_order_id=1"
    ]


def test_lots_of_a_thousand_units(make_world):
    """units_per_lot and tick_value scale units and money."""
    world = poor(make_world, seee({"units_per_lot": 1_000, "tick_value": 1_000}), cash=71_000_000, units=10_000)
    assert world.sell(7100, 10, account=2)[0].endswith("aux=10000 aux2=257")
    assert world.buy(7100, 10)[0].endswith("aux=71000000 aux2=257")
    assert world.units(1) == (0, 0, 10_000)
    assert world.cash(2) == (71_000_000, 0, 71_000_000)


def test_bought_units_are_sellable_tomorrow(make_world):
    """Rule book section 3, T+1: bought today, sellable after the day's settlement."""
    world = poor(make_world, cash=10**6, units=10)
    world.sell(7100, 10, account=2)
    world.buy(7100, 10)
    assert world.sell(7100, 1) == ["REJECTED UNITS_BOUGHT_TODAY side=2 price=7100 quantity=1 account=1 aux=1"]
    world.stop()
    world.expire()
    world.fix_close()
    assert world.settle()[:2] == [
        "UNITS_SETTLED quantity=10 account=1 aux2=1",
        "CASH_SETTLED account=2 aux=71000 aux2=1",
    ]
    world.open_day(20250812)
    assert world.sell(7100, 10)[0].startswith("ACCEPTED")


def test_settlement_days_0_frees_units_at_once(make_world):
    """settlement_days 0: bought units are free at once."""
    world = poor(make_world, seee(settlement_days=0), cash=10**6, units=10)
    world.sell(7100, 10, account=2)
    world.buy(7100, 10)
    assert world.units(1) == (10, 0, 0)
    assert world.sell(7100, 10)[0].startswith("ACCEPTED")


def test_sale_proceeds_buy_at_once_and_leave_tomorrow(make_world):
    """Rule book section 3: proceeds are usable for buying at once, withdrawable after the end of day."""
    world = poor(make_world, cash=10**6, units=10)
    world.sell(7100, 10, account=2)
    world.buy(7100, 10)
    world.deposit_cash(2, 5)
    assert world.withdraw_cash(2, 6) == ["REJECTED PROCEEDS_NOT_SETTLED quantity=6 account=2 aux=97"]
    assert world.withdraw_cash(2, 5) == ["CASH_MOVED quantity=1 account=2 aux=-5 aux2=71000"]
    assert world.buy(7100, 10, account=2)[0].startswith("ACCEPTED")
    world.end_of_day()
    assert world.withdraw_cash(2, 71_001) == ["REJECTED INSUFFICIENT_FUNDS quantity=71001 account=2 aux=97"]
    assert world.withdraw_cash(2, 71_000) == ["CASH_MOVED quantity=1 account=2 aux=-71000"]


def test_withdraw_at_once(make_world):
    """withdraw_after AT_ONCE: proceeds may leave on the same day."""
    world = poor(make_world, seee(withdraw_after="AT_ONCE"), cash=10**6, units=10)
    world.sell(7100, 10, account=2)
    world.buy(7100, 10)
    assert world.withdraw_cash(2, 71_000) == ["CASH_MOVED quantity=1 account=2 aux=-71000"]


def test_deposits_and_withdrawals(make_world):
    """DEPOSIT and WITHDRAW: signed amount, free afterwards, and the venue's total."""
    world = make_world(seee())
    world.account()
    assert world.deposit_cash(1, 500) == ["CASH_MOVED quantity=1 account=1 aux=500 aux2=500"]
    assert world.withdraw_cash(1, 200) == ["CASH_MOVED quantity=1 account=1 aux=-200 aux2=300"]
    assert world.deposit_units(1, 50, asset=2) == ["UNITS_MOVED quantity=2 account=1 aux=50 aux2=50"]
    assert world.withdraw_units(1, 51, asset=2) == ["REJECTED INSUFFICIENT_UNITS quantity=51 account=1 aux=99"]
    assert world.withdraw_units(1, 50, asset=2) == ["UNITS_MOVED quantity=2 account=1 aux=-50"]
    assert world.row("currencies")["deposited"] == 300
    assert world.row("cash", account=1)["free"] == 300
    assert world.row("holds", account=1) == {}


def test_venue_total_stays_below_two_to_the_62(make_world):
    """DEPOSIT: so no balance can overflow; what was withdrawn makes room again."""
    world = make_world(seee())
    world.account()
    world.account()
    world.deposit_cash(1, 2**62 - 2)
    assert world.deposit_cash(2, 2) == ["REJECTED AMOUNT_OVERFLOW quantity=2 account=2 aux=96"]
    assert world.deposit_cash(2, 1) == ["CASH_MOVED quantity=1 account=2 aux=1 aux2=1"]
    world.withdraw_cash(1, 1)
    assert world.deposit_cash(2, 1) == ["CASH_MOVED quantity=1 account=2 aux=1 aux2=2"]


def test_largest_amounts(make_world):
    """Widths (design.md section 3): the largest order amount with the largest fee is exact."""
    from decimal import Decimal

    tick_value = 2**30
    venue = seee(
        {
            "tick_value": tick_value,
            "fee_ppm": 999_999,
            "quantity_max": 2**31 - 1,
            "limit_listed_bps": 0,
            "ceiling": Decimal("1.00"),
            "previous_close": None,
        }
    )
    world = make_world(venue)
    quantity = 21_474_847
    amount = 100 * quantity * tick_value
    fee = (2 * amount * 999_999 + 1_000_000) // 2_000_000
    assert amount + fee < 2**62
    world.account(cash=amount + fee, units=1)
    world.account(units=quantity)
    world.open_day(20250811)
    assert world.buy(100, quantity) == [
        f"ACCEPTED side=1 price=100 quantity={quantity} account=1 order_id=1 remaining={quantity} "
        f"aux={amount + fee} aux2=257"
    ]
    assert world.sell(100, quantity, account=2)[1:] == [
        f"TRADE side=2 aggressor=2 price=100 quantity={quantity} account=2 contra_account=1 order_id=2 "
        "contra_order_id=1",
        f"FEE price=100 quantity={quantity} account=1 contra_account=2 order_id=1 contra_order_id=2 "
        f"aux={fee} aux2={fee}",
    ]
    assert world.cash(2) == (amount - fee, 0, amount - fee)
    assert world.take(BUY, 9, 100, 21_474_848) == [
        "REJECTED AMOUNT_OVERFLOW side=1 price=100 quantity=21474848 account=1 aux=5 aux2=9"
    ]
