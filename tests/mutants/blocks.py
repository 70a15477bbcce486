"""Faults in block trades: the dialogue, its locks, limits, settlement and statistics."""

from __future__ import annotations

from tests.mutants.fault import Fault, rule

DIALOGUE = [
    rule(
        "named_offer_taken_by_a_third",
        "a named negotiation is between its two accounts (docs/blocks-and-auctions.md section 7; rule book, B2)",
        kernel=[
            (
                "blocks.py",
                "if row != 0 and (n.counterparty == 0 or n.counterparty == c.account or n.account == c.account):",
                "if row != 0:",
            )
        ],
        reference=[
            (
                "blocks.py",
                "negotiation.counterparty and command.account not in",
                "False and command.account not in",
            )
        ],
        tests=["test_blocks::test_named_offer_is_for_two"],
    ),
    rule(
        "public_offer_spoilt_by_an_answer",
        "a counter-offer to a public offer is a negotiation of its own (docs/blocks-and-auctions.md section 7)",
        kernel=[("blocks.py", "    public = n.counterparty == 0\n", "    public = False\n")],
        reference=[("blocks.py", "    if negotiation.counterparty:\n", "    if True:\n")],
        tests=["test_blocks::test_counter_to_a_public_offer_opens_a_negotiation_of_its_own"],
    ),
    rule(
        "acceptance_of_other_lots",
        "who accepts restates price and quantity (SEEE notice of 2021-06-22: both confirm price and quantity)",
        kernel=[("blocks.py", "if c.price != n.price or c.quantity != n.quantity:", "if c.price != n.price:")],
        reference=[
            (
                "blocks.py",
                "(command.price, command.quantity) != (negotiation.price, negotiation.quantity)",
                "command.price != negotiation.price",
            )
        ],
        tests=["test_blocks::test_acceptance_restates_the_terms"],
    ),
    rule(
        "acceptance_at_another_price",
        "who accepts restates price and quantity (SEEE notice of 2021-06-22: both confirm price and quantity)",
        kernel=[("blocks.py", "if c.price != n.price or c.quantity != n.quantity:", "if c.quantity != n.quantity:")],
        reference=[
            (
                "blocks.py",
                "(command.price, command.quantity) != (negotiation.price, negotiation.quantity)",
                "command.quantity != negotiation.quantity",
            )
        ],
        tests=["test_blocks::test_acceptance_restates_the_terms"],
    ),
    rule(
        "counterparty_cannot_decline",
        "either of the two ends a named negotiation (docs/blocks-and-auctions.md section 7, BLOCK_WITHDRAW)",
        kernel=[("blocks.py", "(n.account != c.account and n.counterparty != c.account)", "n.account != c.account")],
        reference=[
            (
                "blocks.py",
                "negotiation is None or command.account not in (negotiation.account, negotiation.counterparty):",
                "negotiation is None or command.account != negotiation.account:",
            )
        ],
        tests=["test_block_ends::test_withdraw_by_either_of_the_two"],
    ),
    rule(
        "block_expiry_ignored",
        "from its last moment on nobody may answer (docs/blocks-and-auctions.md section 7, NEGOTIATION_EXPIRED)",
        kernel=[("blocks.py", "n.expiry != 0 and c.timestamp >= n.expiry:", "False:")],
        reference=[("blocks.py", "    if has_expired(x, negotiation):\n", "    if False:\n")],
        tests=["test_block_ends::test_expiry"],
    ),
    rule(
        "answer_at_the_last_moment",
        "the last moment itself is too late: timestamp < expiry (docs/blocks-and-auctions.md section 7)",
        kernel=[("blocks.py", "c.timestamp >= n.expiry:", "c.timestamp > n.expiry:")],
        reference=[("blocks.py", "x.timestamp >= negotiation.expiry", "x.timestamp > negotiation.expiry")],
        tests=["test_block_ends::test_expiry"],
    ),
    rule(
        "answer_outlives_the_public_offer",
        "an answer to a public offer has that one's last moment (docs/blocks-and-auctions.md section 7)",
        kernel=[("blocks.py", "side, n.account, n.expiry, need)", "side, n.account, 0, need)")],
        reference=[("blocks.py", "negotiation.account, negotiation.expiry)", "negotiation.account, 0)")],
        tests=["test_block_ends::test_answers_to_a_public_offer_expire_with_it"],
    ),
    rule(
        "negotiation_survives_the_day",
        "the end of day ends every negotiation (docs/blocks-and-auctions.md section 7)",
        kernel=[("negotiations.py", "        if s.negotiations[row].quantity > 0:\n", "        if False:\n")],
        reference=[("day.py", "in list(x.negotiations.values()):", "in list(x.negotiations.values())[:0]:")],
        tests=["test_block_ends::test_the_end_of_the_day_ends_all"],
    ),
    rule(
        "block_hours_of_the_listed_mode",
        "blocks trade in the phase of mode BLOCK, whatever the listed mode does (SEEE notice of 2021-06-23)",
        kernel=[("blocks.py", "book.phases[Mode.BLOCK] != Phase", "book.phases[Mode.LISTED] != Phase")],
        reference=[("blocks.py", "market.phases[Mode.BLOCK] != Phase", "market.phases[Mode.LISTED] != Phase")],
        tests=["test_block_ends::test_only_withdrawal_outside_trading_hours"],
    ),
    rule(
        "block_with_oneself",
        "one owner group is no two parties (docs/blocks-and-auctions.md section 7, SELF_TRADE)",
        kernel=[("blocks.py", "    if mode_in_force(s, c.account, 0) != 0 and", "    if False and")],
        reference=[("blocks.py", "    if x.venue.self_trade_mode and group", "    if False and group")],
        tests=["test_block_ends::test_self_trade", "test_block_ends::test_owner_group_counts_when_it_is_set"],
    ),
    rule(
        "standing_account_asked_again",
        "the standing side's status is not asked again (docs/blocks-and-auctions.md section 7, BLOCK_ACCEPT)",
        kernel=[
            (
                "blocks.py",
                "    if reason == Reason.NONE and n.expiry != 0 and",
                "    if reason == Reason.NONE:\n        reason = check_active(s, n.account)\n"
                "    if reason == Reason.NONE and n.expiry != 0 and",
            )
        ],
        reference=[
            (
                "blocks.py",
                "    if (command.price, command.quantity) !=",
                "    check_enabled(x, negotiation.account)\n    if (command.price, command.quantity) !=",
            )
        ],
        tests=["test_block_ends::test_suspended_accounts"],
    ),
    rule(
        "suspended_account_negotiates",
        "who offers, counters or accepts is ACTIVE (docs/blocks-and-auctions.md section 7, Enabled)",
        kernel=[("blocks.py", "    reason = check_enabled(s, account)\n", "    reason = Reason.NONE\n")],
        reference=[("blocks.py", "    check_account_active(x, account)\n", "")],
        tests=["test_block_ends::test_suspended_accounts"],
    ),
]

TERMS = [
    rule(
        "block_limits_of_the_listed_mode",
        "blocks have a band of 30 % of their own (SEEE notice of 2021-06-22)",
        kernel=[
            ("blocks.py", "price > book.block_up", "price > book.limit_up"),
            ("blocks.py", "price < book.block_down", "price < book.limit_down"),
        ],
        reference=[
            ("blocks.py", "price > market.block_up", "price > market.limit_up"),
            ("blocks.py", "price < market.block_down", "price < market.limit_down"),
        ],
        tests=["test_blocks::test_example_b", "test_blocks::test_published_limits"],
    ),
    rule(
        "block_limit_exclusive",
        "a block at the lower limit is allowed (published: 1,246,829 t at 30.21 on 2021-11-19)",
        kernel=[("blocks.py", "price < book.block_down", "price <= book.block_down")],
        reference=[("blocks.py", "price < market.block_down", "price <= market.block_down")],
        tests=["test_blocks::test_example_b", "test_blocks::test_published_limits"],
    ),
    rule(
        "block_of_any_size",
        "blocks begin at 100,000 t (SEEE notice of 2021-06-22)",
        kernel=[("blocks.py", "if quantity < book.block_min:", "if False:")],
        reference=[("blocks.py", "if quantity < terms.block_min:", "if False:")],
        tests=["test_blocks::test_least_size"],
    ),
]

MONEY = [
    rule(
        "countered_terms_stay_locked",
        "a counter-offer releases the other side's lock (rule book section 4, B3)",
        kernel=[("blocks.py", "    move_terms_lock(s, s.books[n.instrument], n.account, n.side, -released)\n", "")],
        reference=[
            (
                "blocks.py",
                "    released = release_terms(x, negotiation)\n",
                "    released = negotiation.locked\n",
            )
        ],
        tests=["test_blocks::test_counter_offers_move_the_lock"],
    ),
    rule(
        "standing_terms_not_locked",
        "whoever's terms stand is locked for them (rule book section 4, B3)",
        kernel=[("blocks.py", "    move_terms_lock(s, s.books[n.instrument], n.account, n.side, locked)\n", "")],
        reference=[
            ("blocks.py", "    move_terms_lock(x, market, negotiation.side, negotiation.account, locked)\n", "")
        ],
        tests=[
            "test_blocks::test_public_offer_to_buy",
            "test_blocks::test_locked_for_terms_is_locked_for_everything",
        ],
    ),
    rule(
        "withdrawn_terms_stay_locked",
        "a negotiation that ends releases its lock (docs/blocks-and-auctions.md section 7, BLOCK_WITHDRAW)",
        kernel=[
            ("negotiations.py", "    move_terms_lock(s, s.books[n.instrument], n.account, n.side, -released)\n", "")
        ],
        reference=[
            (
                "negotiations.py",
                "    released = release_terms(x, negotiation)\n",
                "    released = negotiation.locked\n",
            )
        ],
        tests=["test_block_ends::test_withdraw_by_either_of_the_two"],
    ),
    rule(
        "acceptance_without_funds",
        "who accepts is funded in full too (rule book section 4, B3 and section 0, point 3)",
        kernel=[
            (
                "blocks.py",
                "    need = lock_of_terms(s, book, side, n.price, n.quantity)\n"
                "    reason = check_affordable(s, book, c, side, need)\n",
                "    need = lock_of_terms(s, book, side, n.price, n.quantity)\n",
            )
        ],
        reference=[
            (
                "blocks.py",
                "negotiation.quantity)\n    require_free(x, market, side, command.account, locked)\n",
                "negotiation.quantity)\n",
            )
        ],
        tests=["test_blocks::test_lots_and_tick_values", "test_rejects_blocks::test_accept"],
    ),
    rule(
        "block_units_free_today",
        "units bought in a block are sellable tomorrow (rule book section 4, B5: T+1 in all modes)",
        kernel=[
            (
                "ledger.py",
                "    bought = balance_at(s, buyer, book.lock_column[1])\n    if s.next_day_units:\n",
                "    bought = balance_at(s, buyer, book.lock_column[1])\n    if False:\n",
            )
        ],
        reference=[("blocks.py", "    if x.venue.settlement_days:\n", "    if False:\n")],
        tests=[
            "test_blocks::test_units_bought_in_blocks_are_sellable_tomorrow",
            "test_blocks::test_public_offer_to_buy",
        ],
    ),
    rule(
        "block_fee_of_the_buyer_alone",
        "both sides of a block pay the fee (docs/blocks-and-auctions.md section 7, BLOCK_ACCEPT)",
        kernel=[
            ("ledger.py", "    s.fees[book.currency] += 2 * fee\n", "    s.fees[book.currency] += fee\n"),
            ("ledger.py", "    proceeds.free += pay - fee\n", "    proceeds.free += pay\n"),
        ],
        reference=[
            ("blocks.py", "    x.fees[terms.currency] += 2 * fee\n", "    x.fees[terms.currency] += fee\n"),
            ("blocks.py", "    purse.free += pay - fee\n", "    purse.free += pay\n"),
        ],
        tests=["test_blocks::test_fees_on_both_sides"],
    ),
    rule(
        "block_counted_as_listed",
        "blocks leave the listed mode's figures alone (rule book section 4, B4)",
        kernel=[
            (
                "blocks.py",
                "    book.block_volume += lots\n",
                "    book.block_volume += lots\n    book.volume += lots\n    book.last = price\n",
            )
        ],
        reference=[
            (
                "blocks.py",
                "    market.block_volume += quantity\n",
                "    market.block_volume += quantity\n    market.volume += quantity\n    market.last = price\n",
            )
        ],
        tests=[
            "test_blocks::test_example_b",
            "test_blocks::test_statistics_add_up_and_leave_the_listed_mode_alone",
        ],
    ),
    rule(
        "block_figures_of_yesterday",
        "SETTLE starts the block statistics anew (docs/blocks-and-auctions.md section 7)",
        kernel=[("day.py", "    book.block_volume = 0\n", "")],
        reference=[("day.py", "market.block_volume = market.block_turnover", "market.block_turnover")],
        tests=[
            "test_blocks::test_example_b",
            "test_blocks::test_statistics_add_up_and_leave_the_listed_mode_alone",
        ],
    ),
]

FAULTS: list[Fault] = [*DIALOGUE, *TERMS, *MONEY]
