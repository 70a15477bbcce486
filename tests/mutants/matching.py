"""Faults in priority, price, depth, self-trade prevention, and in what orders may and may not do."""

from __future__ import annotations

from tests.mutants.fault import Fault, rule

PRIORITY = [
    rule(
        "lifo_inside_a_level",
        "strict arrival order inside a price level (docs/engine.md section 3)",
        kernel=[
            (
                "levels.py",
                "    tail = level.tail\n    order.prev = tail\n    order.next = 0\n    level.tail = slot\n",
                "    tail = level.head\n    order.next = tail\n    order.prev = 0\n    level.head = slot\n",
            ),
            (
                "levels.py",
                "        s.orders[tail].next = slot\n    else:\n        level.head = slot\n",
                "        s.orders[tail].prev = slot\n    else:\n        level.tail = slot\n",
            ),
        ],
        reference=[
            (
                "book.py",
                "        level.queue_of(order)[order.order_id] = order\n",
                "        queue = level.queue_of(order)\n        behind = dict(queue)\n        queue.clear()\n"
                "        queue[order.order_id] = order\n        queue.update(behind)\n",
            )
        ],
        tests=["test_matching::test_price_then_time_at_the_makers_price", "test_worked_examples::test_a_sweep5"],
    ),
    rule(
        "takers_price",
        "every trade is at the resting order's price (docs/engine.md section 3; rule book, L4)",
        kernel=[("matching.py", "    price = np.int64(maker.price)\n", "    price = np.int64(taker.price)\n")],
        reference=[
            ("trades.py", '== "MAKER":\n        return maker.price\n', '== "MAKER":\n        return taker.price\n')
        ],
        tests=[
            "test_matching::test_price_then_time_at_the_makers_price",
            "test_matching::test_seller_takes_the_best_bid_first",
            "test_worked_examples::test_a_sweep5",
        ],
    ),
    rule(
        "priority_lost_on_partial_fill",
        "an order filled in part stays first in its queue (docs/engine.md section 3)",
        kernel=[
            (
                "matching.py",
                "        remove_plain(s, slot)\n\n\n@small\ndef lots_on_offer",
                "        remove_plain(s, slot)\n    else:\n        from engine.kernel.levels import append, unlink\n\n"
                "        unlink(s, slot)\n        append(s, slot)\n\n\n@small\ndef lots_on_offer",
            ),
        ],
        reference=[
            (
                "trades.py",
                "    if not maker.remaining:\n        x.leave_live(maker)\n",
                "    x.leave_live(maker)\n    if maker.remaining:\n        x.enter_live(maker)\n",
            )
        ],
        tests=["test_matching::test_partial_fill_keeps_priority"],
    ),
    rule(
        "priority_kept_with_more_quantity",
        "a replace to more quantity goes to the end of the queue (rule book, L10)",
        kernel=[
            ("orders.py", "price == order.price and c.quantity <= order.quantity:", "price == order.price:"),
            (
                "replacing.py",
                "c.price == order.price and c.quantity <= order.quantity and",
                "c.price == order.price and",
            ),
        ],
        reference=[("replace.py", " == same and self.quantity <= order.quantity\n", " == same\n")],
        tests=["test_orders::test_replace_with_more_or_another_price_loses_priority"],
    ),
    rule(
        "priority_lost_with_less_quantity",
        "a replace to less quantity keeps its place (rule book, L10)",
        kernel=[
            ("orders.py", "price == order.price and c.quantity <= order.quantity:", "c.quantity < 0:"),
            ("replacing.py", "c.price == order.price and c.quantity <= order.quantity and", "c.quantity < 0 and"),
        ],
        reference=[
            ("replace.py", " == same and self.quantity <= order.quantity\n", " == same and self.quantity < 0\n")
        ],
        tests=["test_orders::test_replace_with_less_keeps_priority"],
    ),
]

REMAINDERS = [
    rule(
        "ioc_remainder_rests",
        "an IOC order's rest expires at once (docs/engine.md section 3, The rest)",
        kernel=[
            (
                "matching.py",
                "    if IMMEDIATE >> np.int64(time_in_force) & 1:\n        end_taker(",
                "    if False:\n        end_taker(",
            ),
            (
                "matching.py",
                "    if is_immediate(taker):\n        end_taker(",
                "    if taker.order_type == OrderType.STOP:\n        end_taker(",
            ),
        ],
        reference=[
            ("matching.py", "    elif taker.time_in_force == TimeInForce.IOC or taker", "    elif taker"),
        ],
        tests=["test_orders::test_immediate_or_cancel", "test_matching::test_market_order_with_a_collar"],
    ),
    rule(
        "fok_filled_in_part",
        "a FOK order trades in full or is refused (docs/engine.md section 2, NEW_ORDER 10)",
        kernel=[
            ("further.py", "    if c.time_in_force == TimeInForce.FOK:\n", "    if False:\n"),
        ],
        reference=[("orders.py", "    if order.time_in_force == TimeInForce.FOK and not", "    if False and not")],
        tests=["test_orders::test_fill_or_kill", "test_matching::test_depth_of_a_fok"],
    ),
    rule(
        "sweep_past_five_levels",
        "an order takes inside the best five levels (SEEE notice of 2021-06-22; rule book, L4)",
        kernel=[
            (
                "matching.py",
                "if visited == s.sweep_levels and visited > 0:",
                "if visited > s.sweep_levels and s.sweep_levels > 0:",
            )
        ],
        reference=[
            (
                "matching.py",
                "            if cap and visited == cap:\n                return Outcome",
                "            if cap and visited > cap:\n                return Outcome",
            )
        ],
        tests=[
            "test_matching::test_depth_system_cancel",
            "test_matching::test_depth_counts_for_sellers_too",
            "test_worked_examples::test_a_sweep5",
        ],
    ),
    rule(
        "fok_walks_past_five_levels",
        "the FOK walk stays inside sweep_levels (docs/engine.md section 3, FOK walk)",
        kernel=[("walk.py", "or visited < s.sweep_levels):", "or visited <= s.sweep_levels):")],
        reference=[("matching.py", "taker.price) or (cap and visited == cap) or", "taker.price) or")],
        tests=["test_matching::test_depth_of_a_fok"],
    ),
    rule(
        "depth_remainder_rests_at_the_limit",
        "the rest beyond the fifth level is system-cancelled, the book never crossed (rule book, L5)",
        kernel=[("matching.py", "    if not s.rest_at_last:\n", "    if not s.rest_at_last:\n        return False\n")],
        reference=[
            (
                "matching.py",
                "        end_order(x, market, taker, EventKind.CANCELLED, Reason.DEPTH_LIMIT)\n",
                "        x.enter_live(taker)\n",
            )
        ],
        tests=["test_matching::test_depth_system_cancel", "test_worked_examples::test_a_sweep5"],
    ),
    rule(
        "post_only_takes",
        "a POST_ONLY order never takes (docs/engine.md section 2, NEW_ORDER 9)",
        kernel=[
            ("admission.py", "if (post_only or s.cross_reject) and", "if s.cross_reject and"),
            ("orders.py", '    if c["flags"] and crosses(', "    if s.cross_reject and crosses("),
        ],
        reference=[
            ("admission.py", '(post_only or x.venue.cross_policy == "REJECT")', 'x.venue.cross_policy == "REJECT"')
        ],
        tests=["test_orders::test_post_only", "test_orders::test_replace_keeps_post_only"],
    ),
]

PREVENTION = [
    rule(
        "self_trade_modes_swapped",
        "CANCEL_TAKER ends the taker, CANCEL_MAKER the resting order (docs/engine.md section 3)",
        kernel=[
            (
                "matching.py",
                "    if mode != SelfTrade.CANCEL_TAKER:\n",
                "    if mode != SelfTrade.CANCEL_MAKER:\n",
            ),
            (
                "matching.py",
                "    return mode != SelfTrade.CANCEL_MAKER\n",
                "    return mode != SelfTrade.CANCEL_TAKER\n",
            ),
        ],
        reference=[
            (
                "matching.py",
                "if mode in (SelfTrade.CANCEL_MAKER, SelfTrade.CANCEL_BOTH)",
                "if mode in (SelfTrade.CANCEL_TAKER, SelfTrade.CANCEL_BOTH)",
            ),
            (
                "matching.py",
                "if mode in (SelfTrade.CANCEL_TAKER, SelfTrade.CANCEL_BOTH):\n            return",
                "if mode in (SelfTrade.CANCEL_MAKER, SelfTrade.CANCEL_BOTH):\n            return",
            ),
        ],
        tests=["test_self_trade::test_cancel_taker", "test_self_trade::test_cancel_maker"],
    ),
    rule(
        "group_zero_is_a_group",
        "accounts without an owner group may meet (docs/engine.md section 3; rule book, L7)",
        kernel=[("admission.py", " or owner_group(s, account) == 0:", ":")],
        reference=[("matching.py", "if group != 0 and group ==", "if group ==")],
        tests=["test_self_trade::test_group_zero_is_no_group"],
    ),
    rule(
        "decrement_trades_the_total",
        "DECREMENT takes the lots off the total too, so that what was filled stays (docs/engine.md section 3)",
        kernel=[("matching.py", "    maker.quantity -= lots\n", "")],
        reference=[
            ("matching.py", "        order.quantity -= lots\n", "        taker.quantity -= lots * (order is taker)\n")
        ],
        tests=["test_self_trade::test_decrement_shrinks_the_total_too"],
    ),
]

CHECKS = [
    rule(
        "limit_up_exclusive",
        "a price at the upper limit is allowed (SEEE notice of 2021-06-22: limits are inclusive)",
        kernel=[
            ("admission.py", "if price > book.limit_up:", "if price >= book.limit_up:"),
            ("admission.py", "book.limit_up if limited", "book.limit_up - 1 if limited"),
        ],
        reference=[("admission.py", "price > market.limit_up:", "price >= market.limit_up:")],
        tests=[
            "test_anchors::test_daily_limit_ten_percent",
            "test_worked_examples::test_g_limit_of_an_exact_half_tick",
            "test_worked_examples::test_a_next_day",
        ],
    ),
    rule(
        "limit_down_exclusive",
        "a price at the lower limit is allowed (SEEE notice of 2021-06-22: limits are inclusive)",
        kernel=[
            ("admission.py", "if price < book.limit_down:", "if price <= book.limit_down:"),
            ("admission.py", "book.limit_down if limited", "book.limit_down + 1 if limited"),
        ],
        reference=[("admission.py", "if price < market.limit_down:", "if price <= market.limit_down:")],
        tests=["test_anchors::test_daily_limit_ten_percent"],
    ),
    rule(
        "account_checked_before_phase",
        "the order of the checks: phase (3) before the account's status (4) (docs/engine.md section 2)",
        kernel=[
            (
                "further.py",
                "    if reason == Reason.NONE:\n        reason = check_entry_phase(book, c)\n"
                "    if reason == Reason.NONE:\n        reason = check_enabled(s, c.account)\n",
                "    if reason == Reason.NONE:\n        reason = check_enabled(s, c.account)\n"
                "    if reason == Reason.NONE:\n        reason = check_entry_phase(book, c)\n",
            )
        ],
        reference=[
            (
                "orders.py",
                "    check_offered(x, market, command)\n    require_not_halted(x, market)\n"
                "    check_open_for_entry(market, command)\n    check_account_active(x, command.account)\n",
                "    check_offered(x, market, command)\n    check_account_active(x, command.account)\n"
                "    check_open_for_entry(market, command)\n",
            )
        ],
        tests=["test_rejects::test_new_order_from_the_frame_to_the_amount"],
    ),
    rule(
        "orders_outside_of_trading",
        "new orders in continuous trading only (docs/engine.md section 2, NEW_ORDER 3; rule book, L9)",
        kernel=[("admission.py", "if book.phases[Mode.LISTED] != Phase.CONTINUOUS:", "if False:")],
        reference=[("admission.py", "if market.listed_phase != Phase.CONTINUOUS:", "if False:")],
        tests=["test_orders::test_cancel_outside_of_trading"],
    ),
    rule(
        "cancel_in_a_barred_break",
        "no cancel in the break where break_cancel is false (rule book, L9)",
        kernel=[("orders.py", " or (phase == Phase.BREAK and not s.break_cancel) or", " or")],
        reference=[("orders.py", "else (Phase.CLOSED, Phase.BREAK)", "else (Phase.CLOSED,)")],
        tests=["test_orders::test_cancel_in_the_break_where_it_is_barred"],
    ),
    rule(
        "suspended_account_trades",
        "a suspended account enters and changes nothing (docs/engine.md section 2, NEW_ORDER 4)",
        kernel=[("admission.py", "if s.prefunded and s.accounts[U(account)].status != Status.ACTIVE", "if False")],
        reference=[
            ("admission.py", "if x.venue.prefunded and x.accounts[account].status != Status.ACTIVE", "if False")
        ],
        tests=["test_sessions::test_a_suspended_account_may_cancel"],
    ),
    rule(
        "foreign_order_cancellable",
        "a foreign order is as unknown as none (docs/engine.md sections 1 and 2, Ownership)",
        kernel=[
            (
                "admission.py",
                "return s.accounts[order.account].firm == s.sessions[U(session)].firm\n"
                "    return order.session == session",
                "return True\n    return True",
            )
        ],
        reference=[
            (
                "exchange.py",
                "return self.owns_account(session, order.account) if self.venue.prefunded else",
                "return True if self.venue.name else",
            )
        ],
        tests=[
            "test_sessions::test_a_foreign_order_is_as_unknown_as_none",
            "test_sessions::test_without_prefunding_a_session_owns_what_it_entered",
        ],
    ),
    rule(
        "stale_number_accepted",
        "client_order_id must be above the session's last one (docs/engine.md section 1, Number)",
        kernel=[
            (
                "admission.py",
                "if c.client_order_id <= session.last_client_order_id:",
                "if c.client_order_id < session.last_client_order_id:",
            )
        ],
        reference=[
            (
                "admission.py",
                "if command.client_order_id <= session.last_client_order_id or",
                "if command.client_order_id < session.last_client_order_id or",
            )
        ],
        tests=[
            "test_sessions::test_numbers_rise_and_are_consumed",
            "test_sessions::test_the_venue_itself_may_number_its_commands",
        ],
    ),
    rule(
        "lost_session_keeps_its_day_orders",
        "SESSION_DOWN carries out CANCEL_DAY on day orders only (docs/engine.md section 5)",
        kernel=[
            (
                "registry.py",
                "CANCEL_DAY and order.time_in_force != TimeInForce.DAY",
                "CANCEL_DAY and order.time_in_force == TimeInForce.DAY",
            )
        ],
        reference=[
            (
                "administration.py",
                "(every or order.time_in_force == TimeInForce.DAY)",
                "(every or order.time_in_force != TimeInForce.DAY)",
            )
        ],
        tests=["test_sessions::test_disconnect_policies"],
    ),
]

FAULTS: list[Fault] = [*PRIORITY, *REMAINDERS, *PREVENTION, *CHECKS]
