"""Faults in listing and delisting instruments, and in widening their price window."""

from __future__ import annotations

from tests.mutants.fault import Fault, rule

LISTING = [
    rule(
        "delisted_instrument_trades",
        "after its last date an instrument is not listed (docs/controls.md 10.4, DELIST_INSTRUMENT)",
        kernel=[("admission.py", " and (book.listed_until == 0 or date <= book.listed_until)", "")],
        reference=[("exchange.py", " and (not market.listed_until or on_date <= market.listed_until)", "")],
        tests=["test_listing::test_delist_cancels_at_settlement", "test_listing::test_delist_and_list_again"],
    ),
    rule(
        "last_date_without_trading",
        "the last date is traded to its end (docs/controls.md 10.4, DELIST_INSTRUMENT)",
        kernel=[("admission.py", "date <= book.listed_until", "date < book.listed_until")],
        reference=[("exchange.py", "on_date <= market.listed_until", "on_date < market.listed_until")],
        tests=["test_listing::test_delist_cancels_at_settlement", "test_listing::test_delist_and_list_again"],
    ),
    rule(
        "listed_before_its_first_date",
        "an instrument is listed from its date on (docs/controls.md 10.4, LIST_INSTRUMENT)",
        kernel=[("admission.py", "return book.listed_from <= date and", "return True and")],
        reference=[("exchange.py", "return market.listed_from <= on_date and", "return True and")],
        tests=[
            "test_listing::test_list_in_session_at_the_composite",
            "test_listing::test_list_with_a_price_from_a_later_date",
        ],
    ),
    rule(
        "orders_outlast_their_instrument",
        "what rests is cancelled at the settlement of the last date (docs/controls.md 10.4, DELISTED)",
        kernel=[("day.py", "    cancel_delisted(s, c)\n", "")],
        reference=[("day.py", "    cancel_delisted(x)\n", "")],
        tests=[
            "test_listing::test_delist_cancels_at_settlement",
            "test_listing::test_delist_on_a_day_without_trading",
        ],
    ),
    rule(
        "orders_end_before_the_last_date",
        "orders rest until the last date's settlement (docs/controls.md 10.4, DELIST_INSTRUMENT)",
        kernel=[("day.py", "listed_until == 0 or s.books[i].listed_until > s.trading_date:", "listed_until == 0:")],
        reference=[("day.py", "if 0 < market.listed_until <= x.trading_date}", "if 0 < market.listed_until}")],
        tests=["test_listing::test_delist_cancels_at_settlement"],
    ),
    rule(
        "orders_end_only_where_still_listed",
        "a last date that is no trading date ends the orders too (docs/controls.md 10.4, Precisely)",
        kernel=[
            (
                "day.py",
                "s.books[i].listed_until > s.trading_date:",
                "s.books[i].listed_until != s.trading_date:",
            )
        ],
        reference=[
            ("day.py", "if 0 < market.listed_until <= x.trading_date}", "if 0 < market.listed_until == x.trading_date}")
        ],
        tests=["test_listing::test_delist_on_a_day_without_trading"],
    ),
    rule(
        "relisted_with_its_old_end",
        "an instrument that is listed anew has no last date (docs/controls.md 10.4, LIST_INSTRUMENT)",
        kernel=[("instruments.py", "    book.listed_until = 0\n", "")],
        reference=[
            (
                "instruments.py",
                "market.listed_from, market.listed_until = first_date, 0",
                "market.listed_from = first_date",
            )
        ],
        tests=["test_listing::test_delist_and_list_again"],
    ),
    rule(
        "listed_twice",
        "what is listed at present is not listed again (docs/controls.md 10.4, ALREADY_LISTED)",
        kernel=[("instruments.py", "    if is_listed(s, book, s.trading_date):\n", "    if False:\n")],
        reference=[("instruments.py", "    if x.is_listed(market, x.trading_date):\n", "    if False:\n")],
        tests=["test_listing::test_open_from_start_is_listed", "test_listing::test_delist_and_list_again"],
    ),
    rule(
        "listed_without_a_reference",
        "a new instrument starts at the composite (SEEE notice 2023-29; docs/controls.md 10.4)",
        kernel=[("instruments.py", "    elif book.previous_close == 0 and", "    elif False and")],
        reference=[("instruments.py", "    elif not market.previous_close and", "    elif False and")],
        tests=["test_listing::test_list_in_session_at_the_composite"],
    ),
    rule(
        "composite_in_place_of_the_stated_price",
        "a stated price is the reference (docs/controls.md 10.4, LIST_INSTRUMENT)",
        kernel=[
            ("instruments.py", "        book.previous_close = c.price\n", "        book.previous_close = s.composite\n")
        ],
        reference=[
            (
                "instruments.py",
                "        market.previous_close = price\n",
                "        market.previous_close = x.composite\n",
            )
        ],
        tests=["test_listing::test_list_with_a_price_from_a_later_date"],
    ),
    rule(
        "listed_without_limits",
        "the limits of a new instrument stand around its reference (docs/controls.md 10.4: limits anew)",
        kernel=[("instruments.py", "    set_limits(book)\n", "")],
        reference=[("instruments.py", "    set_limits(market)\n", "")],
        tests=["test_listing::test_list_in_session_at_the_composite"],
    ),
]

WINDOW = [
    rule(
        "window_shrinks",
        "the window only grows (docs/controls.md 10.4, WIDEN_WINDOW)",
        kernel=[("instruments.py", "if floor < 1 or floor > book.floor or ceiling < book.ceiling:", "if floor < 1:")],
        reference=[
            ("instruments.py", "if not 1 <= floor <= market.floor or ceiling < market.ceiling:", "if floor < 1:")
        ],
        tests=["test_rejects_controls::test_widen_window"],
    ),
    rule(
        "window_too_wide",
        "a window holds 2^17 prices at most (docs/controls.md 10.4, WIDEN_WINDOW)",
        kernel=[("instruments.py", "ceiling - floor >= MAX_WINDOW", "ceiling - floor > MAX_WINDOW")],
        reference=[("instruments.py", "ceiling - floor >= MAX_WINDOW", "ceiling - floor > MAX_WINDOW")],
        tests=["test_listing::test_the_widest_window"],
    ),
    rule(
        "amounts_at_the_old_ceiling",
        "check 8 uses the new ceiling (docs/controls.md 10.4, WIDEN_WINDOW)",
        kernel=[("instruments.py", "    book.quantity_cap = quantity_cap(book)\n", "")],
        reference=[("admission.py", "    most = market.ceiling *", "    most = terms.ceiling *")],
        tests=["test_listing::test_amounts_use_the_new_ceiling"],
    ),
    rule(
        "limits_follow_the_window",
        "daily limits come from the previous close, not from the window (docs/controls.md 10.4)",
        kernel=[
            (
                "instruments.py",
                "    book.ceiling = ceiling\n",
                "    book.ceiling = book.limit_up = ceiling\n    book.limit_down = floor\n",
            )
        ],
        reference=[
            (
                "instruments.py",
                "    market.floor, market.ceiling = floor, ceiling\n",
                "    market.limit_down, market.limit_up = market.floor, market.ceiling = floor, ceiling\n",
            )
        ],
        tests=["test_listing::test_limits_stay_when_the_window_grows"],
    ),
]

FAULTS: list[Fault] = [*LISTING, *WINDOW]
