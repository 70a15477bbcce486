"""Faults in stops, icebergs, hidden orders, quotes, dates, calls, corridors, and in Hubei's price and close."""

from __future__ import annotations

from tests.mutants.fault import Fault, path, rule

STOPS = [
    rule(
        "sell_stops_first",
        "of stops met at once the buys act first (docs/order-types.md 11.5)",
        kernel=[
            (
                "waiting.py",
                "        position = first_position(s, instrument, 2)\n        if position != NOTHING and book",
                "        position = first_position(s, instrument, 3)\n"
                "        if position != NOTHING and book.floor + position >= book.last:\n"
                "            return first_stop_at(s, instrument, 3, book.floor + position)\n"
                "        position = first_position(s, instrument, 2)\n        if position != NOTHING and book",
            )
        ],
        reference=[
            (
                "stops.py",
                "market.buy_stops.first_met(market.last) or market.sell_stops.first_met(market.last)",
                "market.sell_stops.first_met(market.last) or market.buy_stops.first_met(market.last)",
            )
        ],
        tests=["test_stops::test_buy_stops_act_before_sell_stops"],
    ),
    rule(
        "stop_met_only_beyond",
        "a last price at the stop price meets it (docs/order-types.md 11.5)",
        kernel=[
            ("waiting.py", "book.floor + position <= book.last", "book.floor + position < book.last"),
            ("waiting.py", "book.floor + position >= book.last", "book.floor + position > book.last"),
        ],
        reference=[
            (
                "book.py",
                "last >= price if self.is_buy else last <= price",
                "last > price if self.is_buy else last < price",
            )
        ],
        tests=["test_stops::test_a_buy_stop_is_met_at_or_above", "test_stops::test_a_sell_stop_is_met_at_or_below"],
    ),
    rule(
        "cascade_a_command_late",
        "a triggered stop's trades meet the next stop inside the same command (docs/order-types.md 11.5)",
        kernel=[("stops.py", "    while book.further & STOPS", "    if book.further & STOPS")],
        reference=[("stops.py", "    while market.listed_phase ==", "    if market.listed_phase ==")],
        tests=["test_stops::test_a_cascade_inside_one_command", "test_stops::test_order_of_triggering"],
    ),
    rule(
        "stop_acts_in_the_causers_name",
        "whoever's trade triggers a stop learns nothing of it (docs/order-types.md 11.5)",
        kernel=[
            ("stops.py", "own.session = order.session", "own.session = c.session"),
            ("stops.py", "own.client_order_id = order.client_order_id", "own.client_order_id = c.client_order_id"),
        ],
        reference=[
            (
                "stops.py",
                "cause._replace(session=order.session, client_order_id=order.client_order_id)",
                "cause",
            )
        ],
        tests=["test_stops::test_a_triggered_stop_acts_in_its_own_name"],
    ),
    rule(
        "rest_of_a_stop_rests",
        "a STOP is an immediate order once it is triggered (docs/order-types.md 11.5)",
        kernel=[("matching.py", " | (order.order_type == OrderType.STOP)\n", "\n")],
        reference=[("matching.py", " or taker.order_type == OrderType.STOP:", ":")],
        tests=["test_stops::test_a_stop_is_an_immediate_order_at_its_collar"],
    ),
]

VEILED = [
    rule(
        "iceberg_keeps_its_place",
        "the next part of an iceberg stands behind the displayed orders of its price (docs/order-types.md 11.3)",
        kernel=[("veils.py", "    if order.next == 0 or is_hidden(s.orders[order.next]):\n", "    if True:\n")],
        reference=[("trades.py", "    market.side(maker.side).move_behind(maker)\n", "")],
        tests=["test_icebergs::test_the_next_part_stands_behind_the_others"],
    ),
    rule(
        "walk_counts_hidden_parts_in_place",
        "the walk finds what is displayed first, then the hidden parts (docs/order-types.md 11.3)",
        kernel=[
            ("walk.py", "            found += offered_lots(s, slot)\n", "            found += order.remaining\n"),
            ("walk.py", "    found += veiled_parts(s, head, mode, group)\n", ""),
        ],
        reference=[
            ("matching.py", "            lots += maker.offered\n", "            lots += maker.remaining\n"),
            ("matching.py", "            behind += maker.remaining - maker.offered\n", ""),
        ],
        tests=["test_icebergs::test_an_own_order_ends_the_walk_before_the_hidden_parts"],
    ),
    rule(
        "walk_leaves_hidden_parts_out",
        "the walk counts the hidden parts too (docs/order-types.md 11.3)",
        kernel=[("walk.py", "    found += veiled_parts(s, head, mode, group)\n", "")],
        reference=[("matching.py", "            behind += maker.remaining - maker.offered\n", "")],
        tests=["test_icebergs::test_the_walk_counts_hidden_parts_too"],
    ),
    rule(
        "take_finds_a_hidden_order",
        "a hidden order is no listing (docs/order-types.md 11.4)",
        kernel=[("orders.py", "UNLISTED = HIDDEN | WAITING\n", "UNLISTED = WAITING\n")],
        reference=[("admission.py", "if listing.waiting or listing.flags & HIDDEN:", "if listing.waiting:")],
        tests=["test_hidden::test_a_take_does_not_find_it"],
    ),
    rule(
        "hidden_in_order_of_arrival",
        "at one price displayed orders trade before hidden ones (docs/order-types.md 11.4)",
        kernel=[("veils.py", "    if tail != 0 and is_hidden(s.orders[tail]):\n", "    if False:\n")],
        reference=[
            ("book.py", "return self.hidden if order.flags & HIDDEN else self.displayed", "return self.displayed")
        ],
        tests=["test_hidden::test_displayed_orders_come_first", "test_uncrossing::test_hidden_orders_stand_behind"],
    ),
    path(
        "hidden_prices_in_depth",
        "a price of hidden lots alone is in no depth (docs/order-types.md 11.4)",
        [
            ("engine/look.py", "            if quantity:  #", "            if True:  #"),
            ("engine/look.py", "side.best_first() if level.displayed)", "side.best_first())"),
        ],
        ["engine/test_hidden::test_never_in_depth"],
    ),
]

QUOTES = [
    rule(
        "quote_keeps_its_place_with_more",
        "a quote of more lots at its price goes to the end of the queue (docs/order-types.md 11.6)",
        kernel=[("quotes.py", "order.price == price and order.remaining >= lots:", "order.price == price:")],
        reference=[
            ("quotes.py", "self.price and self.old.remaining >= self.quantity > 0", "self.price and self.quantity > 0")
        ],
        tests=["test_quotes::test_more_at_the_same_price_loses_it"],
    ),
    rule(
        "quote_consumes_one_number",
        "a QUOTE has two numbers, accepted or not (docs/order-types.md 11.6)",
        kernel=[
            (
                "admission.py",
                "    session.last_client_order_id = number + 1\n",
                "    session.last_client_order_id = number\n",
            )
        ],
        reference=[
            (
                "admission.py",
                "    session.last_client_order_id = last\n",
                "    session.last_client_order_id = command.client_order_id\n",
            )
        ],
        tests=["test_quotes::test_two_orders_with_two_numbers", "test_quotes::test_two_numbers_also_when_refused"],
    ),
    rule(
        "old_quote_is_funded_twice",
        "what the old quote has locked counts as free for the new one (docs/order-types.md 11.6)",
        kernel=[("quotes.py", "        need -= lock_of(s, s.orders[old])\n", "        pass\n")],
        reference=[("quotes.py", " - (lock_of(x, market, one.old) if one.old else 0)\n", "\n")],
        tests=["test_quotes::test_what_the_old_quote_has_locked_counts_as_free"],
    ),
]

ENTRY = [
    rule(
        "gtd_a_day_longer",
        "a GTD order lapses at the end of its last date (docs/order-types.md 11.1)",
        kernel=[("day.py", "s.extras[slot].expiry <= s.trading_date", "s.extras[slot].expiry < s.trading_date")],
        reference=[("day.py", "order.expiry <= x.trading_date", "order.expiry < x.trading_date")],
        tests=["test_order_times::test_it_ends_on_its_date", "test_order_times::test_icebergs_and_stops_too"],
    ),
    rule(
        "minimum_not_asked",
        "an order whose minimum cannot trade at once is refused before anything trades (docs/order-types.md 11.2)",
        kernel=[("further.py", "    if c.target != 0 and not fillable(", "    if False and not fillable(")],
        reference=[("orders.py", "    if minimum and not fillable(", "    if False and not fillable(")],
        tests=["test_order_times::test_a_minimum_at_entry"],
    ),
]

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
]

FAULTS: list[Fault] = [*STOPS, *VEILED, *QUOTES, *ENTRY, *CALLS, *CORRIDORS, *PRICES]
