"""Faults in the limits that the operator sets: size, value, collar, rate, open orders, position, large holders."""

from __future__ import annotations

from tests.mutants.fault import Fault, rule

ORDERS = [
    rule(
        "instruments_limit_ignored",
        "limits of venue, firm, account and instrument all bind (docs/controls.md 10.1)",
        kernel=[("limits.py", "in_force(s, s.instrument_limits[instrument, kind]))", "np.int64(0))")],
        reference=[("limits.py", "return [VENUE, *members, (0, 0, instrument)]", "return [VENUE, *members]")],
        tests=["test_limits::test_order_quantity", "test_limits::test_order_value", "test_limits::test_price_collar"],
    ),
    rule(
        "largest_size_refused",
        "a quantity at the limit is good (docs/controls.md 10.1: quantity > limit)",
        kernel=[("limits.py", "if most != 0 and quantity > most:", "if most != 0 and quantity >= most:")],
        reference=[("limits.py", "        if ask.quantity > most:\n", "        if ask.quantity >= most:\n")],
        tests=["test_limits::test_override_until_a_moment", "test_limits::test_a_limit_set_in_session_holds_at_once"],
    ),
    rule(
        "value_without_the_tick_value",
        "the value of an order is in minor units (docs/controls.md 10.1: price x quantity x tick_value)",
        kernel=[("limits.py", "price * quantity * book.tick_value > most", "price * quantity > most")],
        reference=[("limits.py", "ask.price * ask.quantity * ask.market.terms.tick_value", "ask.price * ask.quantity")],
        tests=["test_limits::test_order_value_counts_the_tick_value"],
    ),
    rule(
        "collar_around_the_previous_close",
        "the collar stands around the last price, else the previous close (docs/controls.md 10.1, PRICE_COLLAR)",
        kernel=[("limits.py", "book.last if book.last != 0 else book.previous_close", "book.previous_close")],
        reference=[("limits.py", "ask.market.last or ask.market.previous_close", "ask.market.previous_close")],
        tests=["test_limits::test_price_collar_around_the_last_price"],
    ),
    rule(
        "collar_exclusive",
        "a price at the collar is good (docs/controls.md 10.1: |price - reference| x 10000 > limit x reference)",
        kernel=[("limits.py", "* BASIS_POINTS > most * reference", "* BASIS_POINTS >= most * reference")],
        reference=[("limits.py", "* BASIS_POINTS > most * reference", "* BASIS_POINTS >= most * reference")],
        tests=["test_limits::test_price_collar_around_the_last_price"],
    ),
    rule(
        "collar_on_one_side",
        "the collar holds above and below the reference (docs/controls.md 10.1, PRICE_COLLAR)",
        kernel=[("limits.py", "abs(price - reference)", "(price - reference)")],
        reference=[("limits.py", "abs(ask.price - reference)", "(ask.price - reference)")],
        tests=["test_limits::test_price_collar", "test_limits::test_price_collar_around_the_last_price"],
    ),
    rule(
        "collar_on_blocks",
        "the collar is asked of listed orders only (docs/controls.md 10.1, PRICE_COLLAR)",
        kernel=[("limits.py", "price, quantity, quantity, False, False)", "price, quantity, quantity, True, False)")],
        reference=[
            (
                "blocks.py",
                "price=command.price, quantity=command.quantity)",
                "price=command.price, quantity=command.quantity, collared=True)",
            )
        ],
        tests=["test_limits::test_block_offers_are_limited"],
    ),
    rule(
        "blocks_pass_every_limit",
        "block terms ask the member limits (docs/controls.md 10.1)",
        kernel=[
            (
                "limits.py",
                "    return check_order_limits(s, instrument,",
                "    return Reason.NONE if True else (s, instrument,",
            )
        ],
        reference=[("blocks.py", "    require_member_limits(x, market, side", "    dict(x=x, market=market, side")],
        tests=["test_limits::test_block_offers_are_limited", "test_rejects_blocks::test_member_limits"],
    ),
    rule(
        "bids_pass_every_limit",
        "bids ask the member limits (docs/controls.md 10.1)",
        kernel=[
            (
                "bids.py",
                "check_member_limits(s, c, c.instrument, c.account, c.side, price, quantity)",
                "Reason.NONE",
            )
        ],
        reference=[
            (
                "bids.py",
                "    require_member_limits(x, market, command.account, command.side, command.price,",
                "    (x, market, command.account, command.side, command.price,",
            )
        ],
        tests=["test_rejects_auctions::test_room_and_funds_of_a_bid", "test_position_limits::test_position_of_bids"],
    ),
    rule(
        "rate_over_a_minute",
        "the rate counts one second of journal time (docs/controls.md 10.1, ORDER_RATE)",
        kernel=[("limits.py", "    second = s.timestamp // SECOND\n", "    second = s.timestamp // (60 * SECOND)\n")],
        reference=[
            ("limits.py", "    second = x.timestamp // SECOND\n", "    second = x.timestamp // (60 * SECOND)\n")
        ],
        tests=["test_limits::test_order_rate"],
    ),
    rule(
        "rate_never_starts_anew",
        "a new second resets the count (docs/controls.md 10.1, ORDER_RATE)",
        kernel=[("limits.py", "(limit.count if limit.second == second else 0) < most", "limit.count < most")],
        reference=[("limits.py", "limit.count if limit.second == second else 0", "limit.count")],
        tests=["test_limits::test_order_rate"],
    ),
    rule(
        "rate_of_a_moment_before_the_epoch",
        "seconds are rounded down, for negative timestamps too (docs/controls.md 10.1, Precisely)",
        kernel=[
            ("limits.py", "    second = s.timestamp // SECOND\n", "    second = np.int64(int(s.timestamp / SECOND))\n")
        ],
        reference=[("limits.py", "    second = x.timestamp // SECOND\n", "    second = int(x.timestamp / SECOND)\n")],
        tests=["test_limits::test_order_rate_before_the_epoch"],
    ),
    rule(
        "refused_order_counted_by_some",
        "where one rate limit refuses, none counts (docs/controls.md 10.1, Precisely)",
        kernel=[
            (
                "limits.py",
                "    if not agreed:\n",
                "    if not agreed:\n        count_one(s, s.venue_limits[RATE], second)\n",
            )
        ],
        reference=[
            (
                "limits.py",
                "        counting.append((limit, so_far + 1))\n",
                "        counting.append((limit, so_far + 1))\n"
                "        limit.second, limit.count = second, so_far + 1\n",
            )
        ],
        tests=["test_limits::test_order_rates_agree_together"],
    ),
    rule(
        "one_open_order_too_many",
        "live orders >= limit refuse (docs/controls.md 10.1, OPEN_ORDERS)",
        kernel=[("limits.py", "return limit != 0 and count >= limit", "return limit != 0 and count > limit")],
        reference=[("limits.py", "        if live >= most:\n", "        if live > most:\n")],
        tests=["test_limits::test_open_orders", "test_limits::test_open_orders_of_whom"],
    ),
    rule(
        "immediate_orders_counted_as_open",
        "DAY and GTC orders count as open, IOC and FOK do not (docs/controls.md 10.1, OPEN_ORDERS)",
        kernel=[("limits.py", "    if opens and too_many_open(", "    if too_many_open(")],
        reference=[("limits.py", "    if not ask.opens:\n", "    if False:\n")],
        tests=["test_limits::test_open_orders"],
    ),
    rule(
        "override_never_ends",
        "an override holds until its moment (Regulation (EU) 2017/584 art. 20: re-settable in session)",
        kernel=[("limits.py", "limit.override != 0 and s.timestamp < limit.until", "limit.override != 0")],
        reference=[("limits.py", "limit.override and x.timestamp < limit.until", "limit.override")],
        tests=["test_limits::test_override_until_a_moment", "test_position_limits::test_large_holder_refuses_nothing"],
    ),
    rule(
        "override_at_its_last_moment",
        "timestamp < until: at its moment the override has ended (docs/controls.md 10.1)",
        kernel=[("limits.py", "s.timestamp < limit.until", "s.timestamp <= limit.until")],
        reference=[("limits.py", "x.timestamp < limit.until", "x.timestamp <= limit.until")],
        tests=["test_limits::test_override_until_a_moment"],
    ),
]

HOLDINGS = [
    rule(
        "position_without_resting_buys",
        "what resting buy orders may bring counts (docs/controls.md 10.1, POSITION)",
        kernel=[("limits.py", "+ s.holds[np.int64(account) * s.columns + column].buying\n", "\n")],
        reference=[("limits.py", " + units_bid_for(x, holder, terms.asset) for", " for")],
        tests=["test_position_limits::test_position_of_an_account", "test_position_limits::test_position_of_a_firm"],
    ),
    rule(
        "position_of_what_is_free",
        "every bucket counts: pledged and frozen units too (docs/controls.md 10.1, POSITION)",
        kernel=[("limits.py", "return available + hold.pledged", "return available + 0 * hold.pledged")],
        reference=[("limits.py", "return available + hold.pledged", "return available + 0 * hold.pledged")],
        tests=["test_position_limits::test_position_counts_every_bucket"],
    ),
    rule(
        "position_of_the_account_for_its_firm",
        "a firm's limit holds for the sum over its accounts (docs/controls.md 10.1, POSITION)",
        kernel=[
            (
                "limits.py",
                "        held += position(s, other, book.lock_column[1])\n",
                "        held += position(s, other, book.lock_column[1]) if other == account else 0\n",
            )
        ],
        reference=[
            ("limits.py", "if n and one.firm == firm] if firm else", "if n and one.firm == firm] if False else")
        ],
        tests=["test_position_limits::test_position_of_a_firm"],
    ),
    rule(
        "position_in_lots",
        "positions are units of the asset, not lots (docs/controls.md 10.1, POSITION)",
        kernel=[("limits.py", "account, more * book.units_per_lot)", "account, more)")],
        reference=[("limits.py", "held + ask.more * terms.units_per_lot > most", "held + ask.more > most")],
        tests=["test_position_limits::test_position_counts_every_instrument_of_the_asset"],
    ),
    rule(
        "sale_asked_for_its_position",
        "only purchases are asked (docs/controls.md 10.1, POSITION: buy side)",
        kernel=[("limits.py", "    if side == Side.BUY and more > 0 and", "    if more > 0 and")],
        reference=[("limits.py", "    if ask.side != Side.BUY or ask.more <= 0:\n", "    if ask.more <= 0:\n")],
        tests=["test_position_limits::test_position_of_an_account"],
    ),
    rule(
        "changed_bid_asks_for_what_it_adds",
        "AUCTION_BID_REPLACE asks for the new lots in full (docs/controls.md 10.1, Precisely)",
        kernel=[
            (
                "bids.py",
                "check_member_limits(s, c, auction.instrument, bid.account, side, price, quantity)",
                "check_order_limits("
                "s, auction.instrument, bid.account, side, price, quantity, quantity - bid.quantity, False, False)",
            ),
            ("bids.py", "import check_firm, check_halted,", "import check_order_limits, check_firm, check_halted,"),
        ],
        reference=[
            (
                "bids.py",
                "require_member_limits(x, market, bid.account, side, command.price, command.quantity)",
                "require_member_limits("
                "x, market, bid.account, side, command.price, command.quantity, more=command.quantity - bid.quantity)",
            )
        ],
        tests=["test_position_limits::test_position_of_bids"],
    ),
    rule(
        "large_holder_at_the_threshold",
        "who holds more than the threshold is reported, not who holds as much (docs/controls.md 10.1, LARGE_HOLDER)",
        kernel=[("limit_setting.py", "            if units > limit:\n", "            if units >= limit:\n")],
        reference=[("limits.py", "if threshold and held > threshold:", "if threshold and held >= threshold:")],
        tests=["test_position_limits::test_large_holder_at_the_edge"],
    ),
    rule(
        "large_holder_with_resting_buys",
        "the report counts what is held after settlement, no orders (docs/controls.md 10.1, Precisely)",
        kernel=[
            (
                "limit_setting.py",
                "units = total_units(s, account, s.currencies + asset - 1)\n",
                "column = s.currencies + asset - 1\n"
                "            units = total_units(s, account, column) + s.holds[account * s.columns + column].buying\n",
            ),
        ],
        reference=[
            (
                "limits.py",
                "            held = total_units(x, account, asset)\n",
                "            held = total_units(x, account, asset) + units_bid_for(x, account, asset)\n",
            )
        ],
        tests=["test_position_limits::test_large_holder_of_what_is_held"],
    ),
    rule(
        "venues_threshold_before_the_accounts",
        "the account's threshold, else its firm's, else the venue's (docs/controls.md 10.1, LARGE_HOLDER)",
        kernel=[
            (
                "limit_setting.py",
                "    return limit if limit != 0 else in_force(s, s.venue_limits[LARGE])\n",
                "    venues = in_force(s, s.venue_limits[LARGE])\n    return venues if venues != 0 else limit\n",
            )
        ],
        reference=[
            (
                "limits.py",
                "            in_force(x, (0, account, 0), LimitKind.LARGE_HOLDER)\n",
                "            in_force(x, VENUE, LimitKind.LARGE_HOLDER)\n"
                "            or in_force(x, (0, account, 0), LimitKind.LARGE_HOLDER)\n",
            )
        ],
        tests=["test_position_limits::test_large_holders_are_told_at_settlement"],
    ),
]

FAULTS: list[Fault] = [*ORDERS, *HOLDINGS]
