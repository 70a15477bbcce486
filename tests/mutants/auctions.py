"""Faults in auctions up to their close: bounds, bids and their time, the end of the day, the seed of the lots."""

from __future__ import annotations

from tests.mutants.fault import Fault, rule

WINDOW = [
    rule(
        "floor_exclusive",
        "a bid at the floor is good (SEEE notice 2025-23: between floor and cap; sales at the floor of 2025-08-28)",
        kernel=[
            (
                "bids.py",
                "if beyond(side, auction.reserve, price):",
                "if price == auction.reserve or beyond(side, auction.reserve, price):",
            ),
        ],
        reference=[
            (
                "bids.py",
                "if is_better(auction, auction.reserve, price):",
                "if price == auction.reserve or is_better(auction, auction.reserve, price):",
            ),
        ],
        tests=["test_auctions::test_partial_sale_at_the_floor", "test_auction_clearing::test_reverse_auction_bounds"],
    ),
    rule(
        "cap_exclusive",
        "a bid at the cap is good (SEEE notice 2025-23: between floor and cap)",
        kernel=[
            (
                "bids.py",
                "beyond(side, price, auction.cap):",
                "(price == auction.cap or beyond(side, price, auction.cap)):",
            )
        ],
        reference=[
            (
                "bids.py",
                "is_better(auction, price, auction.cap):",
                "(price == auction.cap or is_better(auction, price, auction.cap)):",
            )
        ],
        tests=["test_auctions::test_example_c_bids_at_the_edges", "test_auction_clearing::test_reverse_auction_bounds"],
    ),
    rule(
        "reverse_bounds_not_mirrored",
        "a reverse auction's reserve is the most it pays, its cap the least (rule book section 4, O8)",
        kernel=[
            ("bids.py", "    side = opposite(auction.side)\n    if beyond(", "    side = Side.BUY\n    if beyond(")
        ],
        reference=[
            ("bids.py", "if is_better(auction, auction.reserve, price):", "if auction.reserve > price:"),
            ("bids.py", "is_better(auction, price, auction.cap):", "price > auction.cap:"),
        ],
        tests=["test_auction_clearing::test_reverse_auction_bounds"],
    ),
    rule(
        "any_floor",
        "the floor is the previous close or the limit below it (rule book section 4, O2)",
        kernel=[("auctions.py", "    if book.auction_reserve_bound:\n", "    if False:\n")],
        reference=[("auctions.py", '    if market.terms.auction_reserve == "ANY":\n', "    if True:\n")],
        tests=["test_auctions::test_example_c_bids_at_the_edges", "test_rejects_auctions::test_reserve_and_cap"],
    ),
    rule(
        "cap_beyond_the_days_limit",
        "the cap is the day's limit or nearer (rule book section 4, O2)",
        kernel=[("auctions.py", "    if book.auction_cap_bound:\n        limit =", "    if False:\n        limit =")],
        reference=[("auctions.py", '    if market.terms.auction_cap == "NONE":\n', "    if True:\n")],
        tests=["test_auctions::test_example_c_bids_at_the_edges"],
    ),
    rule(
        "bid_after_the_close",
        "bids come while the window is open (docs/blocks-and-auctions.md section 8, AUCTION_BID)",
        kernel=[
            (
                "bids.py",
                "    if auction.stage != AuctionStage.OPEN:\n        return Reason.WRONG_AUCTION_STAGE\n    book",
                "    book",
            )
        ],
        reference=[
            (
                "bids.py",
                "    check_stage(auction, AuctionStage.OPEN)\n    if market.phases[Mode.BIDDING] != Phase",
                "    if market.phases[Mode.BIDDING] != Phase",
            )
        ],
        tests=["test_auction_window::test_commitment_and_reveal"],
    ),
    rule(
        "changed_bid_keeps_its_time",
        "another price or more lots lose the bid's time (rule book section 4, O6; bid_amend LOSES_TIME)",
        kernel=[("bids.py", "    kept = 1 if s.bid_keeps_time or (", "    kept = 1 if True or (")],
        reference=[
            ("bids.py", '    keeps_time = x.venue.bid_amend == "KEEPS_TIME" or (', "    keeps_time = True or (")
        ],
        tests=[
            "test_auction_window::test_changing_a_bid",
            "test_auction_window::test_a_changed_bid_stands_behind_earlier_ones",
        ],
    ),
    rule(
        "smaller_bid_loses_its_time",
        "fewer lots at the same price keep the bid's time (docs/blocks-and-auctions.md section 8)",
        kernel=[
            ("bids.py", "price == bid.price and quantity <= bid.quantity)", "price == bid.price and quantity < 0)")
        ],
        reference=[
            ("bids.py", "command.price == bid.price and command.quantity <= bid.quantity)", "command.quantity < 0)")
        ],
        tests=["test_auction_window::test_changing_a_bid"],
    ),
    rule(
        "bid_in_ones_own_auction",
        "bidder and initiator are of two owner groups (docs/blocks-and-auctions.md section 8, SELF_TRADE)",
        kernel=[("bids.py", "    if s.self_trade != 0 and group != 0 and", "    if False and")],
        reference=[("bids.py", "    if x.venue.self_trade_mode and group and", "    if False and")],
        tests=["test_rejects_auctions::test_a_bid_before_its_terms"],
    ),
    rule(
        "changed_bid_asked_for_its_owner_again",
        "self-trade is asked of a new bid only (docs/blocks-and-auctions.md section 8, Precisely: REPLACE)",
        kernel=[
            (
                "bids.py",
                "    more = lock_in_auction(",
                "    group = owner_group(s, bid.account)\n"
                "    if s.self_trade != 0 and group != 0 and group == owner_group(s, auction.account):\n"
                "        return Reason.SELF_TRADE\n    more = lock_in_auction(",
            )
        ],
        reference=[
            (
                "bids.py",
                "    more = lock_for(",
                "    group = x.owner_group(bid.account)\n"
                "    if x.venue.self_trade_mode and group and group == x.owner_group(auction.account):\n"
                "        raise Refused(Reason.SELF_TRADE)\n    more = lock_for(",
            )
        ],
        tests=["test_auction_window::test_a_changed_bid_is_not_asked_for_its_owner_again"],
    ),
    rule(
        "suspended_initiator_refused",
        "the operator announces, whatever the initiator's status (docs/blocks-and-auctions.md section 8)",
        kernel=[
            (
                "auctions.py",
                "    reason = check_listed(s, c.instrument)\n",
                "    if s.prefunded and s.accounts[c.account].status != 1:\n        return Reason.ACCOUNT_SUSPENDED\n"
                "    reason = check_listed(s, c.instrument)\n",
            )
        ],
        reference=[
            (
                "auctions.py",
                "    market = find_listed_market(x, command.instrument)\n",
                "    if x.venue.prefunded and x.accounts[command.account].status != 1:\n"
                "        raise Refused(Reason.ACCOUNT_SUSPENDED)\n"
                "    market = find_listed_market(x, command.instrument)\n",
            )
        ],
        tests=["test_auction_window::test_announcement_of_a_suspended_account"],
    ),
    rule(
        "announced_auction_ends_with_the_day",
        "announced auctions stay for the next day (docs/blocks-and-auctions.md section 8, EXPIRE_ORDERS)",
        kernel=[("auctions.py", "s.auctions[row].quantity > 0 and under_way:", "s.auctions[row].quantity > 0:")],
        reference=[("clearing.py", "if auction.stage in (AuctionStage.OPEN, AuctionStage.CLOSED):\n", "if True:\n")],
        tests=["test_auction_window::test_the_end_of_the_day"],
    ),
    rule(
        "open_auction_survives_the_day",
        "the end of day cancels open auctions (docs/blocks-and-auctions.md section 8, EXPIRE_ORDERS)",
        kernel=[("auctions.py", "under_way = s.auctions[row].stage == AuctionStage.OPEN or", "under_way =")],
        reference=[
            ("clearing.py", "stage in (AuctionStage.OPEN, AuctionStage.CLOSED):", "stage == AuctionStage.CLOSED:")
        ],
        tests=["test_auction_window::test_the_end_of_the_day"],
    ),
]

SEED = [
    rule(
        "window_without_a_commitment",
        "the lots' seed is committed to before the window opens (Regulation (EU) 1031/2010 art. 7: rules fixed before)",
        kernel=[("auctions.py", "if auction.tie != AuctionTie.TIME and auction.committed == 0:", "if False:")],
        reference=[("auctions.py", "if auction.tie != AuctionTie.TIME and not auction.committed:", "if False:")],
        tests=["test_auction_window::test_commitment_and_reveal"],
    ),
    rule(
        "commitment_changed_in_the_window",
        "no other seed once the window is open (docs/blocks-and-auctions.md section 8, COMMIT_SEED)",
        kernel=[
            (
                "auctions.py",
                "np.int64(c.account), np.int64(AuctionStage.ANNOUNCED))",
                "np.int64(c.account), np.int64(0))",
            )
        ],
        reference=[("auctions.py", "    check_stage(auction, AuctionStage.ANNOUNCED)\n\n", "\n")],
        tests=["test_auction_window::test_commitment_and_reveal"],
    ),
    rule(
        "seed_not_checked",
        "the seed that is revealed is the one committed to (docs/blocks-and-auctions.md section 8, SEED_MISMATCH)",
        kernel=[("auctions.py", "    if not seed_fits(s, s.auctions[at], c):\n", "    if False:\n")],
        reference=[("auctions.py", "    if hashlib.sha256(seed).digest() != committed:\n", "    if False:\n")],
        tests=[
            "test_auction_window::test_commitment_and_reveal",
            "test_auction_window::test_a_seed_of_negative_words",
        ],
    ),
    rule(
        "lots_of_another_seed",
        "a lot is drawn from the whole seed (docs/blocks-and-auctions.md section 8): here without its first word",
        kernel=[("sha256.py", "    put_word(s, 4, bid_id)\n", "    put_word(s, 0, 0)\n    put_word(s, 4, bid_id)\n")],
        reference=[("clearing.py", "sha256(seed + struct", "sha256(bytes(8) + seed[8:] + struct")],
        tests=["test_auction_clearing::test_california_pro_rata", "test_auctions::test_example_c_ties_by_lot"],
    ),
    rule(
        "largest_lot_first",
        "the smaller lot comes first (docs/blocks-and-auctions.md section 8, Clearing)",
        kernel=[("ranking.py", "else lot_of(s, c, bid.id)", "else (1 << 63) - 1 - lot_of(s, c, bid.id)")],
        reference=[("clearing.py", "lot(seed, bid), bid.id))", "-lot(seed, bid), bid.id))")],
        tests=[
            "test_auctions::test_example_c_ties_by_lot",
            "test_auctions::test_example_c_pro_rata",
            "test_auction_clearing::test_a_tie_by_lot_may_take_all_bids",
        ],
    ),
]

FAULTS: list[Fault] = [*WINDOW, *SEED]
