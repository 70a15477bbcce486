"""The short way of plain orders past the checks: each fault lets by what the checks in their order would refuse.

A fault in the checks themselves is among the rules; these are in the kernel alone, which is the one that has two ways.
"""

from __future__ import annotations

from tests.mutants.fault import path

ADMISSION, DISPATCH, ORDERS = (f"engine/kernel/{name}.py" for name in ("admission", "dispatch", "orders"))

FAULTS = [
    path(
        "entry_not_looked_at_again",
        "what plain orders may do is seen again after every operator's command (docs/engine.md section 1)",
        [
            (
                DISPATCH,
                "            refused(s, c, reason)\n        set_entries(s)\n",
                "            refused(s, c, reason)\n",
            )
        ],
        ["engine/test_plain_path::test_an_open_venue_is_stopped"],
    ),
    path(
        "entry_not_restored",
        "a restored venue lets plain orders in and keeps them out as before",
        [("engine/kernel/state.py", "    recount(s)\n    set_entries(s)\n", "    recount(s)\n")],
        ["engine/test_plain_path::test_a_stopped_venue_is_restored"],
    ),
    path(
        "entry_into_a_halted_book",
        "no order into a stopped instrument (docs/controls.md, kill switch)",
        [(ADMISSION, " or check_halted(s, book) != Reason.NONE or", " or")],
        ["engine/test_plain_path::test_what_the_operator_stops_and_lets_go_on"],
    ),
    path(
        "entry_before_the_listing",
        "no order for an instrument that is not listed (docs/engine.md section 2, NEW_ORDER 2)",
        [(ADMISSION, "    if is_listed(s, book, s.trading_date) and book.offers", "    if book.offers")],
        ["engine/test_plain_path::test_an_open_book_that_is_not_listed_yet"],
    ),
    path(
        "entry_of_what_is_not_offered",
        "times in force that the instrument does not offer (docs/engine.md section 2, NEW_ORDER 2)",
        [(ADMISSION, "        times = book.offers >> 8 & PLAIN_TIMES\n", "        times = np.int64(PLAIN_TIMES)\n")],
        ["engine/test_plain_path::test_one_thing_wrong"],
    ),
    path(
        "entry_of_a_stopped_account",
        "a suspended account enters nothing (docs/engine.md section 2, NEW_ORDER 4)",
        [(ADMISSION, "    return check_enabled(s, account) == Reason.NONE and firm", "    return firm")],
        ["engine/test_plain_path::test_what_the_operator_stops_and_lets_go_on"],
    ),
    path(
        "entry_of_a_stopped_firm",
        "a stopped firm enters nothing (docs/controls.md, kill switch)",
        [(ADMISSION, " == Reason.NONE and firm_enabled(s, account)\n", " == Reason.NONE\n")],
        ["engine/test_plain_path::test_what_the_operator_stops_and_lets_go_on"],
    ),
    path(
        "session_of_another_role",
        "an operator and a reader send no orders (docs/engine.md section 1, Role)",
        [(ADMISSION, " & (session.role == Role.TRADER)\n", "\n")],
        ["engine/test_plain_path::test_one_thing_wrong"],
    ),
    path(
        "side_and_mode_of_no_kind",
        "sides and self-trade modes that do not exist (docs/engine.md section 2, Enums)",
        [
            (
                ADMISSION,
                "    if (c.side != Side.BUY and c.side != Side.SELL) or c.self_trade > SelfTrade.DECREMENT:\n",
                "    if c.side == 0:\n",
            )
        ],
        ["engine/test_plain_path::test_one_thing_wrong"],
    ),
    path(
        "order_type_of_no_kind",
        "a plain order is a limit order (docs/engine.md section 2, Enums)",
        [(ADMISSION, "((word ^ PLAIN_ORDER) & ORDER_BITS)", "(word & 0)")],
        ["engine/test_plain_path::test_one_thing_wrong"],
    ),
    path(
        "entry_for_anothers_account",
        "a session enters orders for its own firm's accounts (docs/engine.md section 1, Ownership)",
        [(ADMISSION, "    return check_account(s, c) == Reason.NONE and is_enabled", "    return is_enabled")],
        ["engine/test_plain_path::test_one_thing_wrong"],
    ),
    path(
        "number_not_consumed",
        "a good number is consumed, whatever follows (docs/engine.md section 1, Number)",
        [(ADMISSION, "max(session.last_client_order_id, c.client_order_id)", "session.last_client_order_id")],
        ["engine/test_plain_path::test_numbers_count_on_the_short_way_too"],
    ),
    path(
        "number_that_went_by",
        "a number must be above the session's last one (docs/engine.md section 1, Number)",
        [
            (
                ADMISSION,
                "    return trading and c.client_order_id > session.last_client_order_id\n",
                "    return trading\n",
            )
        ],
        ["engine/test_plain_path::test_numbers_count_on_the_short_way_too"],
    ),
    path(
        "session_that_has_ended",
        "a session whose status is not ACTIVE sends nothing (docs/engine.md section 1, Session)",
        [(ADMISSION, "(session.status == Status.ACTIVE) & (session.role", "(session.role")],
        ["engine/test_plain_path::test_one_thing_wrong"],
    ),
    path(
        "field_of_a_further_type",
        "a bit in a field that the kind does not use is refused (docs/engine.md section 1, Kind)",
        [(ADMISSION, "    return (word & CHANGE_BITS) | place | dates", "    return (word & 0) | place | dates")],
        ["engine/test_plain_path::test_a_cancel_has_its_target_only"],
    ),
]
