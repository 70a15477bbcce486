"""Faults in locks, fees, settlement, rounding and the trading day."""

from __future__ import annotations

from tests.mutants.fault import Fault, rule

HALF_EVEN_KERNEL = "return a // b + (2 * (a % b) > b or (2 * (a % b) == b and a // b % 2 == 1))"
HALF_EVEN = (
    "whole, rest = divmod(numerator, denominator)\n"
    "    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))"
)

MONEY = [
    rule(
        "t_plus_1_ignored",
        "units bought today are sellable tomorrow (rule book section 3, T+1)",
        kernel=[("ledger.py", "settle_today = 0 if s.next_day_units else units", "settle_today = units")],
        reference=[("matching.py", "    if x.venue.settlement_days:\n", "    if False:\n")],
        tests=["test_ledger::test_bought_units_are_sellable_tomorrow", "test_worked_examples::test_a_next_day"],
    ),
    rule(
        "lock_kept_after_cancel",
        "a cancelled order's lock is released (docs/engine.md section 2, CANCEL_ORDER)",
        kernel=[
            (
                "ledger.py",
                "    amount = lock_of(s, order)\n    move_lock(s, order, -amount)\n",
                "    amount = lock_of(s, order)\n",
            )
        ],
        reference=[
            (
                "matching.py",
                "    lots = order.remaining\n    move_lock(x, market, order, -released)\n",
                "    lots = order.remaining\n",
            )
        ],
        tests=["test_orders::test_cancel", "test_worked_examples::test_a_sweep5"],
    ),
    rule(
        "price_improvement_stays_locked",
        "(limit - price) x quantity goes back to free with the fill (rule book, L8)",
        kernel=[
            (
                "ledger.py",
                "    cash.locked -= unlocked\n    cash.free += released\n",
                "    cash.locked -= unlocked - released\n",
            )
        ],
        reference=[
            (
                "matching.py",
                "    purse.locked -= lock_freed\n    purse.free += released\n",
                "    purse.locked -= lock_freed - released\n",
            )
        ],
        tests=[
            "test_ledger::test_price_improvement_is_released_with_the_fill",
            "test_worked_examples::test_a_sweep5",
        ],
    ),
    rule(
        "replace_in_place_keeps_the_lock",
        "a replace to less releases the lock difference (rule book, L10)",
        kernel=[("orders.py", "    move_lock(s, order, -released)\n", "")],
        reference=[
            (
                "orders.py",
                "    move_lock(x, market, order, change)\n",
                "    move_lock(x, market, order, max(change, 0))\n",
            )
        ],
        tests=["test_orders::test_replace_with_less_releases_its_lock"],
    ),
    rule(
        "order_without_funds",
        "every order is funded in full before it is accepted (rule book, L2)",
        kernel=[("ledger.py", "    if balance.free >= need:\n", "    if balance.free >= need or side == Side.BUY:\n")],
        reference=[("money.py", "        raise Refused(Reason.INSUFFICIENT_FUNDS)\n", "        return\n")],
        tests=["test_ledger::test_orders_lock_their_full_amount", "test_ledger::test_replace_moves_the_difference"],
    ),
    rule(
        "fee_not_cumulative",
        "the fee of a fill is the growth of the order's whole fee, no drift (docs/engine.md section 2, Money)",
        kernel=[
            (
                "ledger.py",
                "buyer_fee = fee_between(book, buyer.cumulative_amount, pay)",
                "buyer_fee = fee_on(pay, book.fee_ppm)",
            ),
            (
                "ledger.py",
                "seller_fee = fee_between(book, seller.cumulative_amount, pay)",
                "seller_fee = fee_on(pay, book.fee_ppm)",
            ),
        ],
        reference=[
            (
                "matching.py",
                "return fee_on(market.terms, order.cumulative_amount) - before",
                "return fee_on(market.terms, amount)",
            )
        ],
        tests=["test_ledger::test_fees_round_once_over_the_order"],
    ),
    rule(
        "fee_half_even",
        "fees are rounded half-up (docs/engine.md section 2, Money)",
        kernel=[
            (
                "ledger.py",
                "(2 * (amount % PPM) * ppm + PPM) // (2 * PPM)",
                "round((amount % PPM) * ppm / PPM)",
            )
        ],
        reference=[
            (
                "money.py",
                "return half_up(amount * terms.fee_ppm, PPM) if",
                "return round(amount * terms.fee_ppm / PPM) if",
            )
        ],
        tests=["test_ledger::test_fee_of_an_exact_half"],
    ),
    rule(
        "lock_without_fee",
        "a buy order locks its fee too (docs/engine.md section 2, Money)",
        kernel=[
            ("ledger.py", "    return amount + fee_between(book, cumulative, amount)", "    return amount"),
            ("ledger.py", "need += fee_between(book, cumulative, need * (2 - np.int64(side)))", "need += 0"),
        ],
        reference=[("money.py", "    if not terms.fee_ppm:\n        return amount\n", "    return amount\n")],
        tests=["test_ledger::test_fee_of_the_improvement_is_released_too"],
    ),
    rule(
        "proceeds_withdrawn_today",
        "sale proceeds may leave after the end of day (rule book section 3, T+1 and cash)",
        kernel=[("ledger.py", "    if s.withdraw_next_day and ", "    if False and ")],
        reference=[("administration.py", 'if x.venue.withdraw_after == "EOD" and ', "if False and ")],
        tests=[
            "test_ledger::test_sale_proceeds_buy_at_once_and_leave_tomorrow",
            "test_rejects_administration::test_withdrawal_before_settlement",
        ],
    ),
    rule(
        "proceeds_not_spendable",
        "sale proceeds buy at once (rule book section 3)",
        kernel=[("ledger.py", "    proceeds.free += pay - seller_fee\n", "")],
        reference=[("matching.py", "    purse.free += proceeds\n", "")],
        tests=[
            "test_ledger::test_sale_proceeds_buy_at_once_and_leave_tomorrow",
            "test_worked_examples::test_a_next_day",
        ],
    ),
]

DAY = [
    rule(
        "half_even_closes_and_limits",
        "closing prices and limits are rounded half-up (published closes of 2024-07-01, 2026-05-14; rule book 9 G)",
        kernel=[("rounding.py", "    return (2 * a + b) // (2 * b)\n", f"    {HALF_EVEN_KERNEL}\n")],
        reference=[
            ("money.py", "    return (2 * numerator + denominator) // (2 * denominator)\n", f"    {HALF_EVEN}\n")
        ],
        tests=[
            "test_anchors::test_close_is_the_volume_weighted_mean_half_up",
            "test_anchors::test_daily_limit_ten_percent",
            "test_worked_examples::test_g_limit_of_an_exact_half_tick",
        ],
    ),
    rule(
        "half_down_closes_and_limits",
        "an exact half is rounded upwards (rule book 9 G: 104.675 closes at 104.68)",
        kernel=[("rounding.py", "    return (2 * a + b) // (2 * b)\n", "    return (2 * a + b - 1) // (2 * b)\n")],
        reference=[
            (
                "money.py",
                "    return (2 * numerator + denominator) // (2 * denominator)\n",
                "    return (2 * numerator + denominator - 1) // (2 * denominator)\n",
            )
        ],
        tests=[
            "test_worked_examples::test_g_close_of_an_exact_half_tick",
            "test_worked_examples::test_g_limit_of_an_exact_half_tick",
        ],
    ),
    rule(
        "composite_rounded_down",
        "the composite is the mean half-up (published composites of 2024-04-24 to 2025-12-31)",
        kernel=[
            ("day.py", "half_up(total, count) if count > 0", "total // count if count > 0"),
            ("day.py", "half_up(total, count) if mean", "total // count if mean"),
        ],
        reference=[("day.py", "half_up(sum(prices), len(prices))", "sum(prices) // len(prices)")],
        tests=["test_anchors::test_composite_and_first_reference_of_a_new_vintage"],
    ),
    rule(
        "composite_stays_a_mean",
        "from 2026 the composite is the newest vintage's close (rule book section 2)",
        kernel=[("day.py", "mean = s.trading_date <= s.composite_mean_until", "mean = True")],
        reference=[("day.py", "if x.trading_date <= date_number(x.venue.composite_mean_until):", "if True:")],
        tests=[
            "test_phases::test_composite_of_the_newest_vintage_from_2026",
            "test_anchors::test_vintage_2025_is_first_traded_in_2026",
        ],
    ),
    rule(
        "close_is_the_last_trade",
        "the close is the volume-weighted mean of the day (SEEE notice of 2021-06-22)",
        kernel=[("day.py", "    if not book.close_is_vwap:\n", "    if True:\n")],
        reference=[("day.py", 'if market.terms.close_rule != "VWAP":', "if True:")],
        tests=["test_worked_examples::test_a_next_day", "test_anchors::test_published_trading_days"],
    ),
    rule(
        "limit_not_widened",
        "a limit that rounds to the reference is widened by a tick (rule book section 2, min_band)",
        kernel=[("day.py", "    if limit == reference:\n", "    if False:\n")],
        reference=[
            ("day.py", "    if up == reference:\n", "    if False:\n"),
            ("day.py", "    if down == reference:\n", "    if False:\n"),
        ],
        tests=["test_phases::test_limits_of_small_references"],
    ),
    rule(
        "limits_from_the_last_trade",
        "tomorrow's limits stand around today's close (SEEE notice of 2021-06-22)",
        kernel=[("day.py", "book.previous_close = book.close", "book.previous_close = book.last")],
        reference=[("day.py", "= market.close or market.previous_close\n", "= market.last or market.previous_close\n")],
        tests=["test_worked_examples::test_a_next_day"],
    ),
    rule(
        "day_order_survives",
        "DAY orders expire at the end of the day, GTC orders stay (docs/engine.md section 4, EXPIRE_ORDERS)",
        kernel=[("day.py", ".time_in_force == TimeInForce.DAY:", ".time_in_force == TimeInForce.GTC:")],
        reference=[
            ("day.py", "if order.time_in_force == TimeInForce.DAY]", "if order.time_in_force == TimeInForce.GTC]")
        ],
        tests=["test_phases::test_a_whole_day"],
    ),
    rule(
        "bought_units_never_settle",
        "SETTLE frees what was bought today (rule book section 3, T+1)",
        kernel=[("day.py", "                hold.free += units\n                hold.bought_today = 0\n", "")],
        reference=[
            (
                "day.py",
                "units, hold.bought_today = hold.bought_today, 0\n                hold.free += units\n",
                "units = hold.bought_today\n",
            )
        ],
        tests=["test_ledger::test_bought_units_are_sellable_tomorrow", "test_worked_examples::test_a_next_day"],
    ),
]

FAULTS: list[Fault] = [*MONEY, *DAY]
