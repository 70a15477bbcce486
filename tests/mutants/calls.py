"""Faults in call auctions and corridors, and in Hubei's price and close."""

from __future__ import annotations

from tests.mutants.fault import Fault, rule

CALLS = [
    rule(
        "uncrossing_at_the_lowest_price",
        "of the prices left the one nearest to the reference (docs/call-auctions.md 12.2)",
        kernel=[("uncross.py", "price = min(max(reference, lowest), highest)", "price = lowest")],
        reference=[("uncrossing.py", "price = min(max(reference, low), high)", "price = low")],
        tests=[
            *("test_uncrossing::test_t7_price", "test_uncrossing::test_krx_price"),
            "test_uncrossing::test_surpluses_on_both_sides",
        ],
    ),
    rule(
        "reference_not_clamped",
        "the reference counts inside the prices with the largest volume only (docs/call-auctions.md 12.2)",
        kernel=[("uncross.py", "price = min(max(reference, lowest), highest)", "price = reference")],
        reference=[("uncrossing.py", "price = min(max(reference, low), high)", "price = reference")],
        tests=["test_uncrossing::test_krx_price", "test_uncrossing::test_t7_price"],
    ),
    rule(
        "surplus_side_reversed",
        "T7: more bid everywhere means the highest price, more offered the lowest (docs/call-auctions.md 12.2)",
        kernel=[
            (
                "uncross.py",
                "        price = highest\n    elif book.call_is_t7 and under:\n        price = lowest\n",
                "        price = lowest\n    elif book.call_is_t7 and under:\n        price = highest\n",
            )
        ],
        reference=[
            (
                "uncrossing.py",
                "        price = high\n    elif by_surplus and all(one.surplus < 0 for one in found):\n"
                "        price = low\n",
                "        price = low\n    elif by_surplus and all(one.surplus < 0 for one in found):\n"
                "        price = high\n",
            )
        ],
        tests=["test_uncrossing::test_t7_price", "test_uncrossing::test_head_to_head"],
    ),
    rule(
        "surplus_ignored",
        "T7: of the prices with the largest volume those with the smallest surplus (docs/call-auctions.md 12.2)",
        kernel=[("uncross.py", "abs(surplus) if book.call_is_t7 else np.int64(0)", "np.int64(0)")],
        reference=[("uncrossing.py", "abs(one.surplus) == least]", "abs(one.surplus) >= least]")],
        tests=["test_uncrossing::test_t7_price"],
    ),
    rule(
        "frozen_call_cancels",
        "at the end of a call orders stand firm (docs/call-auctions.md 12.1; KRX)",
        kernel=[
            ("orders.py", " or book.call_frozen:", ":"),
            ("replacing.py", "takes_call_orders(book) and not book.call_frozen", "takes_call_orders(book)"),
        ],
        reference=[("admission.py", "    if market.call_frozen:\n", "    if False:\n")],
        tests=[
            "test_calls::test_cancels_work_until_the_call_is_frozen",
            "test_calls::test_waiting_stops_stand_firm_too",
        ],
    ),
    rule(
        "ioc_outlives_its_call",
        "IOC and market orders end with the call (docs/call-auctions.md 12.4)",
        kernel=[
            (
                "book.py",
                "return (order.time_in_force == TimeInForce.IOC) | (order.order_type == OrderType.MARKET)",
                "return order.order_type == OrderType.MARKET and order.time_in_force != TimeInForce.IOC",
            )
        ],
        reference=[
            (
                "uncrossing.py",
                "order.time_in_force == TimeInForce.IOC or order.order_type == OrderType.MARKET",
                "order.time_in_force != TimeInForce.IOC and order.order_type == OrderType.MARKET",
            )
        ],
        tests=["test_uncrossing::test_for_this_call_only"],
    ),
    rule(
        "mass_cancel_in_a_frozen_call",
        "a mass cancel passes over the orders of a frozen call (docs/call-auctions.md 12.1)",
        kernel=[("orders.py", " or s.books[instrument].call_frozen:", ":")],
        reference=[("orders.py", "            and not x.markets[order.instrument - 1].call_frozen\n", "")],
        tests=[
            "test_calls::test_cancels_work_until_the_call_is_frozen",
            "test_calls::test_waiting_stops_stand_firm_too",
        ],
    ),
    rule(
        "reference_off_the_step",
        "the reference is rounded down to the price step (docs/call-auctions.md 12.2)",
        kernel=[("uncross.py", "    reference -= reference % book.price_step\n", "")],
        reference=[("uncrossing.py", "return reference - reference % market.terms.price_step", "return reference")],
        tests=["test_uncrossing::test_a_reference_off_the_step_is_rounded_down"],
    ),
    rule(
        "iceberg_uncrosses_what_it_shows_last",
        "in a call the visible lots go first, then part after part (docs/call-auctions.md 12.2)",
        kernel=[
            (
                "uncross.py",
                "left_visible(s, slot, lots) if is_iceberg",
                "min(np.int64(s.extras[slot].visible), np.int64(s.orders[slot].remaining) - lots) if is_iceberg",
            )
        ],
        reference=[
            (
                "uncrossing.py",
                "    left = order.remaining + lots\n    while lots:\n",
                "    left = order.remaining + lots\n    order.visible = min(order.visible, order.remaining)\n"
                "    while False:\n",
            )
        ],
        tests=["test_uncrossing::test_icebergs_take_part_with_all_they_have"],
    ),
    rule(
        "fees_of_a_call_left_out",
        "fees follow each trade of an uncrossing (docs/call-auctions.md 12.2)",
        kernel=[("uncross.py", "    if buyer_fee != 0 or seller_fee != 0:\n", "    if False:\n")],
        reference=[("uncrossing.py", "    tell_fees(x, buyer, seller, price, lots, moved)\n", "")],
        tests=["test_uncrossing::test_head_to_head"],
    ),
]

CORRIDORS = [
    rule(
        "corridor_exclusive",
        "both edges of a corridor lie inside (docs/call-auctions.md 12.3)",
        kernel=[
            (
                "corridor.py",
                "(price < book.corridor_from) | (price > book.corridor_to)",
                "(price <= book.corridor_from) | (price >= book.corridor_to)",
            )
        ],
        reference=[("corridors.py", "return not low <= price <= high", "return not low < price < high")],
        tests=["test_corridors::test_the_edges_lie_inside", "test_corridors::test_half_a_tick_rounds_up"],
    ),
    rule(
        "static_corridor_stays",
        "the static corridor lies around the last call's price (docs/call-auctions.md 12.3)",
        kernel=[
            (
                "corridor.py",
                "static = book.call_price if book.call_price != 0 else book.previous_close",
                "static = book.previous_close",
            )
        ],
        reference=[("corridors.py", "market.call_price or market.previous_close", "market.previous_close")],
        tests=["test_corridors::test_the_static_corridor"],
    ),
    rule(
        "corridor_follows_the_sweep",
        "a command's corridor lies around the last price before it (docs/call-auctions.md 12.3)",
        kernel=[
            (
                "corridor.py",
                "    return (price < book.corridor_from)",
                "    set_corridor(book)\n    return (price < book.corridor_from)",
            )
        ],
        reference=[
            (
                "corridors.py",
                "x.references.setdefault(market.instrument, market.last or market.previous_close)",
                "market.last or market.previous_close",
            )
        ],
        tests=["test_corridors::test_the_reference_is_the_last_price_before_the_command"],
    ),
    rule(
        "walk_passes_the_corridor",
        "FOK and minimum: lots outside the corridor do not count (docs/call-auctions.md 12.3)",
        kernel=[("walk.py", "        if book.further and outside(book, at):\n", "        if False:\n")],
        reference=[
            (
                "matching.py",
                " or outside_corridor(x, market, price):\n            return False",
                ":\n            return False",
            )
        ],
        tests=["test_corridors::test_the_walk_ends_at_the_corridor"],
    ),
    rule(
        "take_outside_the_corridor",
        "a TAKE outside is PRICE_OUT_OF_WINDOW (docs/call-auctions.md 12.3)",
        kernel=[("orders.py", "        if outside(book, np.int64(c.price)):\n", "        if False:\n")],
        reference=[("admission.py", "    if outside_corridor(x, market, listing.price):\n", "    if False:\n")],
        tests=["test_corridors::test_a_take_outside_is_refused"],
    ),
    rule(
        "corridor_forgets_yesterday",
        "the last price that a corridor lies around may be of an earlier day (docs/call-auctions.md 12.3, Precisely)",
        kernel=[("corridor.py", "dynamic = book.last if book.last != 0", "dynamic = book.last if book.trades != 0")],
        reference=[
            (
                "corridors.py",
                "x.references.setdefault(market.instrument, market.last or",
                "x.references.setdefault(market.instrument, (market.trades and market.last) or",
            )
        ],
        tests=["test_corridors::test_the_last_price_of_an_earlier_day_counts"],
    ),
]

PRICES = [
    rule(
        "median_is_the_makers_price",
        "MEDIAN3: the middle one of bid, offer and last price (docs/order-types.md 11.7; rule book, 9.H)",
        kernel=[("pricing.py", "    if not book.further & MEDIAN:\n", "    if True:\n")],
        reference=[("trades.py", '    if market.terms.price_rule == "MAKER":\n', "    if True:\n")],
        tests=[
            "test_price_rules::test_example_h",
            "test_price_rules::test_the_first_trade_looks_at_the_previous_close",
        ],
    ),
    rule(
        "median_of_yesterdays_last_price",
        "MEDIAN3: a day begins with the previous close (docs/order-types.md 11.7)",
        kernel=[("pricing.py", "book.last if book.trades > 0 else", "book.last if book.last > 0 else")],
        reference=[("trades.py", "market.last if market.trades else 0", "market.last")],
        tests=["test_price_rules::test_each_day_begins_with_its_previous_close"],
    ),
    rule(
        "last5_looks_at_four",
        "LAST5: the close is the mean of the last five trades (docs/order-types.md 11.7)",
        kernel=[
            (
                "day.py",
                "    for n in range(CLOSE_TRADES):\n        low +=",
                "    for n in range(CLOSE_TRADES - 1):\n        low +=",
            )
        ],
        reference=[("trades.py", "*market.last_trades][:CLOSE_TRADES]", "*market.last_trades][: CLOSE_TRADES - 1]")],
        tests=["test_price_rules::test_the_last_five_trades"],
    ),
    rule(
        "last5_close_is_the_vwap",
        "LAST5: a sixth trade and all before it do not count (docs/order-types.md 11.7)",
        kernel=[("day.py", "    if book.close_is_last5:\n", "    if False:\n")],
        reference=[("day.py", 'close_rule == "LAST5":\n        lots', 'close_rule == "none":\n        lots')],
        tests=["test_price_rules::test_the_last_five_trades"],
    ),
    rule(
        "cancelled_trade_stays_in_the_close",
        "LAST5: a cancelled trade leaves the five (docs/order-types.md, Precisely)",
        kernel=[("pricing.py", "        if book.close_trade[n] == number:\n", "        if False:\n")],
        reference=[("controls.py", "in market.last_trades if trade[0] != trade_id]", "in market.last_trades]")],
        tests=["test_price_rules::test_a_cancelled_trade_leaves_the_five"],
    ),
    rule(
        "last5_passes_over_calls",
        "LAST5: the trades of an uncrossing are among the five (docs/order-types.md, Precisely)",
        kernel=[("uncross.py", "    note_trade(book, s.event_sequence + 1, price, lots)\n", "")],
        reference=[
            (
                "uncrossing.py",
                "    note_statistics(x, market, price, lots)\n",
                "    five = market.last_trades\n    note_statistics(x, market, price, lots)\n"
                "    market.last_trades = five\n",
            )
        ],
        tests=["test_price_rules::test_the_trades_of_a_call_count_too"],
    ),
]

FAULTS: list[Fault] = [*CALLS, *CORRIDORS, *PRICES]
