"""Faults in stops, icebergs, hidden orders, quotes, and in what orders ask at entry."""

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
    rule(
        "stops_triggered_in_a_call",
        "triggering ends when the instrument is no longer CONTINUOUS (docs/call-auctions.md 12.3)",
        kernel=[("stops.py", "STOPS and book.phases[Mode.LISTED] == Phase.CONTINUOUS:", "STOPS:")],
        reference=[("stops.py", "    while market.listed_phase == Phase.CONTINUOUS:\n", "    while True:\n")],
        tests=["test_stops::test_a_change_of_phase_triggers", "test_corridors::test_stops_triggered_later_wait"],
    ),
    rule(
        "stop_looks_at_today_only",
        "the last price that a stop looks at may be of an earlier day (docs/order-types.md, Precisely)",
        kernel=[("waiting.py", "    if book.last > 0:\n", "    if book.trades > 0:\n")],
        reference=[
            (
                "stops.py",
                "    while market.listed_phase == Phase.CONTINUOUS:\n",
                "    while market.listed_phase == Phase.CONTINUOUS and market.trades:\n",
            )
        ],
        tests=["test_stops::test_the_last_price_of_an_earlier_day_counts"],
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
    rule(
        "decrement_takes_the_hidden_part",
        "DECREMENT takes no more than an iceberg shows (docs/order-types.md 11.3)",
        kernel=[
            (
                "matching.py",
                "lots_on_offer(s, book, slot) if further else np.int64(maker.remaining))\n    taker_lock",
                "np.int64(maker.remaining))\n    taker_lock",
            ),
            (
                "veils.py",
                "lots, s.extras[slot].visible - lots)",
                "lots, max(np.int64(s.extras[slot].visible) - lots, 0))",
            ),
        ],
        reference=[
            (
                "matching.py",
                "    lots = min(taker.remaining, maker.offered)\n",
                "    lots = min(taker.remaining, maker.remaining)\n",
            ),
            (
                "trades.py",
                "        maker.visible -= quantity\n",
                "        maker.visible = max(maker.visible - quantity, 0)\n",
            ),
        ],
        tests=["test_icebergs::test_decrement_takes_the_visible_lots"],
    ),
    rule(
        "another_shown_part_keeps_the_place",
        "an iceberg with another shown part enters again (docs/order-types.md 11.3)",
        kernel=[
            (
                "replacing.py",
                " and (not iceberg or shown == s.extras[slot].shown):\n        put_last_date(s, c, slot)\n",
                ":\n        put_last_date(s, c, slot)\n        if iceberg:\n            s.extras[slot].shown = shown\n",
            )
        ],
        reference=[
            ("replace.py", "(order.price, order.stop_price, order.shown)", "(order.price, order.stop_price)"),
            ("replace.py", "(self.price, self.stop_price, self.shown) ==", "(self.price, self.stop_price) =="),
        ],
        tests=["test_icebergs::test_otherwise_it_enters_again"],
    ),
    rule(
        "waiting_icebergs_take_no_place",
        "capacity.icebergs counts those that wait for a stop price too (docs/order-types.md, Precisely)",
        kernel=[
            (
                "book.py",
                "    if is_iceberg(order):\n        s.live_icebergs += 1\n",
                "    if is_iceberg(order) and not is_waiting(order):\n        s.live_icebergs += 1\n",
            )
        ],
        reference=[("admission.py", "if one.shown) >=", "if one.shown and not one.waiting) >=")],
        tests=["test_icebergs::test_waiting_icebergs_count"],
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

MASS = [
    rule(
        "waiting_stop_takes_no_position",
        "POSITION counts what waiting buy stops may bring (docs/order-types.md, Precisely)",
        kernel=[
            ("waiting.py", "s, order, np.int64(order.remaining), 1)", "s, order, np.int64(0), 1)"),
            ("waiting.py", "s, order, -np.int64(order.remaining), -1)", "s, order, np.int64(0), -1)"),
        ],
        reference=[
            ("limits.py", "order.side == Side.BUY and terms", "order.side == Side.BUY and not order.waiting and terms")
        ],
        tests=["test_stops::test_a_waiting_buy_stop_counts_for_the_position"],
    ),
    rule(
        "court_passes_over_stops",
        "a court order reaches waiting sell stops too (docs/order-types.md, Precisely)",
        kernel=[("encumbrances.py", "SELLING = (1, 3)\n", "SELLING = (1,)\n")],
        reference=[
            (
                "encumbrances.py",
                "    if order.side != Side.SELL or",
                "    if order.waiting or order.side != Side.SELL or",
            )
        ],
        tests=["test_stops::test_a_court_order_reaches_waiting_sell_stops"],
    ),
    rule(
        "kill_switch_passes_over_stops",
        "a kill switch ends waiting stops too, after the sells (docs/order-types.md 11.5)",
        kernel=[("controls.py", "        for k in range(SIDES):\n", "        for k in range(2):\n")],
        reference=[
            ("controls.py", "in x.live_orders() if concerns(", "in x.live_orders() if not order.waiting and concerns(")
        ],
        tests=["test_stops::test_kill_switch_and_lost_session_end_waiting_stops"],
    ),
    rule(
        "lost_session_keeps_its_stops",
        "a lost session's waiting stops end with its other orders (docs/order-types.md 11.5)",
        kernel=[("registry.py", "            for k in range(SIDES):\n", "            for k in range(2):\n")],
        reference=[
            (
                "administration.py",
                "            if order.session == command.target and (",
                "            if not order.waiting and order.session == command.target and (",
            )
        ],
        tests=["test_stops::test_kill_switch_and_lost_session_end_waiting_stops"],
    ),
    rule(
        "stop_outlasts_its_instrument",
        "no order outlasts its instrument's last date, waiting stops neither (docs/engine.md section 4, SETTLE)",
        kernel=[
            (
                "day.py",
                "            continue\n        for k in range(SIDES):\n",
                "            continue\n        for k in range(2):\n",
            )
        ],
        reference=[("day.py", "if order.instrument in gone]", "if order.instrument in gone and not order.waiting]")],
        tests=["test_stops::test_waiting_stops_end_with_their_instrument"],
    ),
]

FAULTS: list[Fault] = [*STOPS, *VEILED, *QUOTES, *ENTRY, *MASS]
