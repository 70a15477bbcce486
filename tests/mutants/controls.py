"""Faults in kill switches and in cancelling trades."""

from __future__ import annotations

from tests.mutants.fault import Fault, rule

STOPPING = [
    rule(
        "kill_leaves_orders",
        "the kill function ends every live order of who is stopped (Regulation (EU) 2017/584 art. 18)",
        kernel=[("controls.py", "if concerns(s, scope, number, s.orders[slot].account, i):", "if False:")],
        reference=[
            (
                "controls.py",
                "for order in x.live_orders() if concerns(order.account, order.instrument)]",
                "for order in x.live_orders() if False]",
            )
        ],
        tests=["test_kill_switch::test_kill_an_account", "test_kill_switch::test_a_firm_stops_itself"],
    ),
    rule(
        "kill_leaves_negotiations",
        "negotiations whose terms stand of who is stopped end (docs/controls.md 10.2, KILL_SWITCH)",
        kernel=[("controls.py", "if n.quantity > 0 and concerns(", "if False and concerns(")],
        reference=[
            (
                "controls.py",
                "in sorted(x.negotiations.items()) if concerns(one.account, one.instrument)]",
                "in sorted(x.negotiations.items()) if False]",
            )
        ],
        tests=["test_kill_switch::test_kill_ends_negotiations", "test_rejects_blocks::test_killing_ends_negotiations"],
    ),
    rule(
        "kill_ends_what_waits_for_an_answer",
        "a negotiation that waits for the stopped one's answer stays (docs/controls.md 10.2; blocks-and-auctions.md 7)",
        kernel=[
            (
                "controls.py",
                "concerns(s, scope, number, n.account, n.instrument):",
                "(concerns(s, scope, number, n.account, n.instrument)"
                " or n.counterparty > 0 and concerns(s, scope, number, n.counterparty, n.instrument)):",
            )
        ],
        reference=[
            (
                "controls.py",
                "if concerns(one.account, one.instrument)]",
                "if concerns(one.account, one.instrument)"
                " or (one.counterparty and concerns(one.counterparty, one.instrument))]",
            )
        ],
        tests=["test_kill_switch::test_kill_ends_negotiations", "test_rejects_blocks::test_killing_ends_negotiations"],
    ),
    rule(
        "kill_leaves_bids",
        "bids in open auctions of who is stopped end (docs/controls.md 10.2, KILL_SWITCH)",
        kernel=[("controls.py", "        if bid.quantity > 0:\n", "        if False:\n")],
        reference=[
            ("controls.py", "    for bid in bids:\n        end_bid(", "    for bid in bids[:0]:\n        end_bid(")
        ],
        tests=["test_kill_switch::test_kill_ends_bids"],
    ),
    rule(
        "kill_ends_bids_of_a_closed_auction",
        "bids of an auction that waits for its seed stay (docs/controls.md 10.2: bids in auctions of stage OPEN)",
        kernel=[("controls.py", "if auction.stage == AuctionStage.OPEN and concerns(", "if concerns(")],
        reference=[
            (
                "controls.py",
                "if x.auctions[bid.auction].stage == AuctionStage.OPEN\n        and",
                "if True\n        and",
            )
        ],
        tests=["test_kill_switch::test_bids_that_wait_for_the_seed_stay"],
    ),
    rule(
        "stopped_firm_trades",
        "a stopped firm enters nothing (Regulation (EU) 2017/584 art. 18; docs/controls.md 10.2)",
        kernel=[("limits.py", "return s.stopped_firms == 0 or s.firm", "return True or s.firm")],
        reference=[("limits.py", "if x.venue.prefunded and x.firm_status[", "if False and x.firm_status[")],
        tests=["test_kill_switch::test_kill_a_firm", "test_kill_switch::test_a_firm_stops_itself"],
    ),
    rule(
        "firm_lifts_a_suspension",
        "only the operator lifts what the operator stopped (docs/controls.md 10.2, FIRM_KILL)",
        kernel=[("controls.py", "if c.scope == RESUME and status == Status.SUSPENDED:", "if False:")],
        reference=[("controls.py", "if command.scope == RESUME and status == Status.SUSPENDED:", "if False:")],
        tests=["test_kill_switch::test_a_firm_cannot_lift_a_suspension"],
    ),
    rule(
        "suspension_becomes_the_firms_own",
        "FIRM_KILL of a suspended firm leaves it suspended (docs/controls.md 10.2, Precisely)",
        kernel=[("controls.py", "    elif status == Status.ACTIVE:\n", "    else:\n")],
        reference=[("controls.py", "    elif status == Status.ACTIVE:\n", "    else:\n")],
        tests=["test_kill_switch::test_a_firm_cannot_lift_a_suspension"],
    ),
    rule(
        "halted_instrument_trades",
        "a halted instrument takes no order (docs/controls.md 10.2, INSTRUMENT_HALTED)",
        kernel=[("limits.py", "    if s.venue_halted | book.halted:\n", "    if s.venue_halted:\n")],
        reference=[("limits.py", "    if market.halted:\n", "    if False:\n")],
        tests=["test_kill_switch::test_kill_an_instrument", "test_kill_switch::test_kill_the_venue"],
    ),
    rule(
        "halted_venue_trades",
        "a halted venue takes no order (docs/controls.md 10.2, VENUE_HALTED)",
        kernel=[("limits.py", "    if s.venue_halted | book.halted:\n", "    if book.halted:\n")],
        reference=[("limits.py", "    if x.venue_halted:\n", "    if x.venue_halted and market.halted:\n")],
        tests=["test_kill_switch::test_halts_survive_a_restore", "test_kill_switch::test_kill_the_venue"],
    ),
    rule(
        "suspended_account_bids",
        "a suspended account enters no bid (docs/blocks-and-auctions.md section 8, AUCTION_BID: enabled)",
        kernel=[("bids.py", "        reason = check_enabled(s, account)\n", "        reason = Reason.NONE\n")],
        reference=[("bids.py", "    check_account_active(x, account)\n", "")],
        tests=["test_kill_switch::test_kill_ends_bids", "test_rejects_auctions::test_changing_a_bid"],
    ),
    rule(
        "suspended_account_keeps_its_bids",
        "withdrawals always work (docs/controls.md 10.2)",
        kernel=[
            (
                "bids.py",
                "    end_bid(s, c, row, Reason.USER_REQUESTED)\n",
                "    reason = check_enabled(s, s.bids[row].account)\n"
                "    if reason != Reason.NONE:\n        return reason\n"
                "    end_bid(s, c, row, Reason.USER_REQUESTED)\n",
            )
        ],
        reference=[
            (
                "bids.py",
                "    end_bid(x, bid, Reason.USER_REQUESTED)\n",
                "    check_account_active(x, bid.account)\n    end_bid(x, bid, Reason.USER_REQUESTED)\n",
            )
        ],
        tests=["test_rejects_auctions::test_changing_a_bid"],
    ),
    rule(
        "suspension_cancels_orders",
        "SET_ACCOUNT_STATUS suspends and cancels nothing (docs/controls.md 10.2)",
        kernel=[
            (
                "registry.py",
                "    account.status = c.scope\n",
                "    account.status = c.scope\n    from engine.kernel.controls import end_all\n\n"
                "    end_all(s, c, 2, np.int64(c.account))\n",
            )
        ],
        reference=[
            (
                "administration.py",
                "    previous, account.status = account.status, command.scope\n",
                "    previous, account.status = account.status, command.scope\n"
                "    from engine.reference.controls import KillScope, end_all\n\n"
                "    end_all(x, KillScope.ACCOUNT, command.account)\n",
            )
        ],
        tests=[
            "test_kill_switch::test_replacement_of_a_stopped_firm",
            "test_block_ends::test_suspended_accounts",
        ],
    ),
    rule(
        "seed_refused_while_halted",
        "a halt stops entries, not the sale that waits for its seed (docs/controls.md 10.2)",
        kernel=[
            (
                "auctions.py",
                "    if not seed_fits(",
                "    reason = check_halted(s, s.books[s.auctions[at].instrument])\n"
                "    if reason != Reason.NONE:\n        return reason\n    if not seed_fits(",
            )
        ],
        reference=[
            (
                "auctions.py",
                "    seed = struct.pack(",
                "    require_not_halted(x, market_of(x, auction))\n    seed = struct.pack(",
            )
        ],
        tests=["test_kill_switch::test_bids_that_wait_for_the_seed_stay"],
    ),
    rule(
        "operator_cancels_in_trading_only",
        "SET_ORDER_STATUS works in every phase (docs/controls.md 10.2)",
        kernel=[
            (
                "controls.py",
                "    cancel_resting(s, c, slot, EventKind.CANCELLED, Reason.OPERATOR)\n",
                "    if s.books[s.orders[slot].instrument].phases[Mode.LISTED] != 3:\n"
                "        return Reason.WRONG_PHASE\n"
                "    cancel_resting(s, c, slot, EventKind.CANCELLED, Reason.OPERATOR)\n",
            )
        ],
        reference=[
            (
                "controls.py",
                "        raise Refused(Reason.UNKNOWN_ORDER)\n\n    end_order(",
                "        raise Refused(Reason.UNKNOWN_ORDER)\n"
                "    if x.markets[order.instrument - 1].listed_phase != 3:\n"
                "        raise Refused(Reason.WRONG_PHASE)\n\n    end_order(",
            )
        ],
        tests=["test_kill_switch::test_the_operator_cancels_an_order"],
    ),
]

CANCELLED_TRADES = [
    rule(
        "bust_returns_half",
        "the whole payment goes back to the buyer (docs/controls.md 10.3; Regulation (EU) 2017/584 art. 18)",
        kernel=[("controls.py", "book.lock_column[0]).free += pay\n", "book.lock_column[0]).free += pay // 2\n")],
        reference=[("controls.py", ".free += returned.pay\n", ".free += returned.pay // 2\n")],
        tests=["test_corrections::test_bust_today", "test_corrections::test_bust_of_yesterday"],
    ),
    rule(
        "bust_leaves_the_units",
        "the units go back to the seller (docs/controls.md 10.3)",
        kernel=[("controls.py", "book.lock_column[1]).free += units\n", "book.lock_column[1]).free += 0\n")],
        reference=[("controls.py", ".free += returned.units\n", ".free += 0\n")],
        tests=["test_corrections::test_bust_today", "test_corrections::test_bust_of_today_after_settlement"],
    ),
    rule(
        "bust_out_of_free_units",
        "the units of a trade of today are still bought today (docs/controls.md 10.3)",
        kernel=[("controls.py", "    unsettled = today and s.next_day_units\n", "    unsettled = False\n")],
        reference=[("controls.py", "    return today and bool(x.venue.settlement_days)\n", "    return False\n")],
        tests=["test_corrections::test_bust_today", "test_corrections::test_refused_when_the_units_are_gone"],
    ),
    rule(
        "bust_of_units_that_are_gone",
        "the buyer must still have the units (docs/controls.md 10.3, INSUFFICIENT_UNITS)",
        kernel=[("controls.py", "if (bought.bought_today if unsettled else bought.free) < units:", "if False:")],
        reference=[
            (
                "controls.py",
                "if (bought.bought_today if not_settled(x, today) else bought.free) < units:",
                "if False:",
            )
        ],
        tests=["test_corrections::test_refused_when_the_units_are_gone"],
    ),
    rule(
        "bust_of_money_that_is_gone",
        "the seller's free cash must cover the payment (docs/controls.md 10.3, INSUFFICIENT_FUNDS)",
        kernel=[("controls.py", "    if proceeds.free < pay:\n", "    if False:\n")],
        reference=[("controls.py", ".cash_in(terms.currency).free < pay:", ".cash_in(terms.currency).free < 0:")],
        tests=["test_corrections::test_refused_when_the_money_is_gone"],
    ),
    rule(
        "bust_keeps_the_proceeds_of_today",
        "the seller's proceeds of today shrink (docs/controls.md 10.3)",
        kernel=[("controls.py", "    if today:\n        proceeds.", "    if False:\n        proceeds.")],
        reference=[("controls.py", "    if today:\n        purse.", "    if False:\n        purse.")],
        tests=["test_corrections::test_bust_today", "test_corrections::test_refused_when_the_money_is_gone"],
    ),
    rule(
        "bust_asks_for_status",
        "a trade of who was stopped is cancelled too (docs/controls.md 10.3 asks for neither status nor halt)",
        kernel=[
            (
                "controls.py",
                "    if c.account == c.quantity2:\n",
                "    if s.prefunded and s.accounts[c.account].status + s.accounts[c.quantity2].status != 2:\n"
                "        return Reason.ACCOUNT_SUSPENDED\n    if c.account == c.quantity2:\n",
            )
        ],
        reference=[
            (
                "controls.py",
                "    if buyer == seller:\n",
                "    if x.venue.prefunded and x.accounts[buyer].status + x.accounts[seller].status != 2:\n"
                "        raise Refused(Reason.ACCOUNT_SUSPENDED)\n    if buyer == seller:\n",
            )
        ],
        tests=["test_corrections::test_bust_of_who_was_stopped"],
    ),
    rule(
        "bust_of_listed_instruments_only",
        "a trade is cancelled after its instrument's last date too (docs/controls.md 10.3: the instrument exists)",
        kernel=[
            (
                "controls.py",
                "    if c.target < 1 or c.target > s.event_sequence:\n",
                "    from engine.kernel.admission import is_listed\n\n"
                "    if not is_listed(s, book, s.trading_date):\n        return Reason.NOT_LISTED\n"
                "    if c.target < 1 or c.target > s.event_sequence:\n",
            )
        ],
        reference=[
            (
                "controls.py",
                "    if not 1 <= command.target <= x.event_sequence:\n",
                "    if not x.is_listed(market, x.trading_date):\n        raise Refused(Reason.NOT_LISTED)\n"
                "    if not 1 <= command.target <= x.event_sequence:\n",
            )
        ],
        tests=["test_corrections::test_bust_after_the_last_date"],
    ),
    rule(
        "bust_returns_the_fee",
        "fees are not returned (docs/controls.md 10.3)",
        kernel=[
            (
                "controls.py",
                "book.lock_column[0]).free += pay\n",
                "book.lock_column[0]).free += pay + pay * book.fee_ppm // 1_000_000\n",
            )
        ],
        reference=[
            (
                "controls.py",
                ".free += returned.pay\n",
                ".free += returned.pay + returned.pay * terms.fee_ppm // 1_000_000\n",
            )
        ],
        tests=["test_corrections::test_fees_are_not_returned"],
    ),
    rule(
        "bust_stays_in_the_close",
        "a cancelled trade of today no longer counts in the day's figures (docs/controls.md 10.3)",
        kernel=[("controls.py", "    if today:\n        shrink", "    if False:\n        shrink")],
        reference=[("controls.py", "    if today:\n        shrink", "    if False:\n        shrink")],
        tests=[
            "test_corrections::test_statistics_and_close_are_computed_anew",
            "test_corrections::test_without_any_trade_left",
        ],
    ),
    rule(
        "bust_of_a_block_in_the_listed_figures",
        "each mode's own figures shrink (docs/controls.md 10.3)",
        kernel=[("controls.py", "    elif mode == Mode.BLOCK:\n", "    elif False:\n")],
        reference=[
            ("controls.py", "    if mode == Mode.LISTED:\n", "    if mode != Mode.BIDDING:\n"),
        ],
        tests=["test_corrections::test_block_trade"],
    ),
    rule(
        "trade_cancelled_twice",
        "a trade is cancelled once (docs/controls.md 10.3, ALREADY_BUSTED)",
        kernel=[("controls.py", "    if row_of(s.busts, s.busts_used, c.target) != 0:\n", "    if False:\n")],
        reference=[("controls.py", "    if command.target in x.busts:\n", "    if False:\n")],
        tests=["test_corrections::test_only_once", "test_rejects_controls::test_bust_trade"],
    ),
]

FAULTS: list[Fault] = [*STOPPING, *CANCELLED_TRADES]
