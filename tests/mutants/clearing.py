"""Faults in how an auction clears: ranking, price, allocation, money, what is carried over."""

from __future__ import annotations

from tests.mutants.fault import Fault, rule

CLEARING = [
    rule(
        "ties_by_time_reversed",
        "at one price the earlier bid comes first (SEEE notice 2025-23: price, then time; KRX official example)",
        kernel=[("ranking.py", "= bid.priority if auction.tie", "= (1 << 62) - bid.priority if auction.tie")],
        reference=[("clearing.py", "(sign * bid.price, bid.priority)", "(sign * bid.price, -bid.priority)")],
        tests=["test_auctions::test_example_c_uniform", "test_auctions::test_example_d_krx_official"],
    ),
    rule(
        "reverse_auction_ranked_highest_first",
        "a reverse auction takes the lowest offers (rule book section 4, O8: ask ascending)",
        kernel=[("ranking.py", "    descending = opposite(auction.side) == Side.BUY\n", "    descending = True\n")],
        reference=[("clearing.py", "    sign = -1 if auction.side == Side.SELL else 1\n", "    sign = -1\n")],
        tests=["test_auction_clearing::test_reverse_auction"],
    ),
    rule(
        "uniform_price_pays_the_bid",
        "under UNIFORM everybody pays the clearing price (rule book 9 C: 7,450,000.00)",
        kernel=[("clearing.py", "paid = price if auction.price_rule == AuctionPrice.UNIFORM else", "paid =")],
        reference=[("clearing.py", "clearing_price if uniform else bid.price", "bid.price")],
        tests=["test_auctions::test_example_c_uniform", "test_auction_clearing::test_money_of_a_sale"],
    ),
    rule(
        "pay_as_bid_pays_the_clearing_price",
        "under PAY_AS_BID everybody pays the own price (rule book 9 C: 7,510,000.00; session of 2025-07-16)",
        kernel=[("clearing.py", "if auction.price_rule == AuctionPrice.UNIFORM else s.bids[row].price", "")],
        reference=[("clearing.py", "clearing_price if uniform else bid.price", "clearing_price")],
        tests=["test_auctions::test_example_c_pay_as_bid", "test_auctions::test_published_pay_as_bid_sessions"],
    ),
    rule(
        "price_of_the_first_loser",
        "the price is that of the last bid that gets lots (Regulation (EU) 1031/2010 art. 7), not the next one's",
        kernel=[
            (
                "clearing.py",
                "    left = np.int64(auction.quantity)\n",
                "    left = np.int64(auction.quantity)\n"
                "    rows = [s.ranking[0, i] for i in range(count)]\n"
                "    price = next((s.bids[row].price for row in rows if s.allotted[row] == 0), price)\n",
            )
        ],
        reference=[
            (
                "clearing.py",
                "        for bid in bids:\n            if lots.get(bid.id):\n",
                "        clearing_price = next((bid.price for bid in bids if not lots.get(bid.id)), clearing_price)\n"
                "        for bid in bids:\n            if lots.get(bid.id):\n",
            )
        ],
        tests=["test_auctions::test_example_c_uniform", "test_auctions::test_example_f_eex_successful"],
    ),
    rule(
        "last_bid_all_or_nothing",
        "the last bid served gets what is left (rule book 9 C: B4 25,000 of 40,000)",
        kernel=[
            (
                "clearing.py",
                "        s.allotted[row] = min(rest, s.bids[row].quantity)\n",
                "        s.allotted[row] = s.bids[row].quantity if s.bids[row].quantity <= rest else 0\n",
            )
        ],
        reference=[
            (
                "clearing.py",
                "        lots[bid.id] = min(bid.quantity, rest)\n",
                "        lots[bid.id] = bid.quantity if bid.quantity <= rest else 0\n",
            )
        ],
        tests=[
            "test_auctions::test_example_c_uniform",
            "test_auction_clearing::test_a_tie_by_lot_may_take_all_bids",
        ],
    ),
    rule(
        "undersubscribed_auction_sold",
        "fewer bids than lots cancel the auction (Regulation (EU) 1031/2010 art. 7(5); three cancelled EEX auctions)",
        kernel=[("clearing.py", "if bid_for < auction.quantity and auction.short ==", "if False and auction.short ==")],
        reference=[
            ("clearing.py", "if demand < auction.quantity and auction.short ==", "if False and auction.short ==")
        ],
        tests=[
            "test_auctions::test_example_f_eex_cancelled",
            "test_auction_clearing::test_more_offered_than_bid",
        ],
    ),
    rule(
        "partial_sale_cancelled",
        "where the venue says so, what is bid is sold (rule book section 4, O5; SEEE session of 2025-08-28)",
        kernel=[("clearing.py", "auction.short == AuctionShort.CANCEL:", "auction.short == AuctionShort.PARTIAL:")],
        reference=[("clearing.py", "auction.short == AuctionShort.CANCEL:", "auction.short == AuctionShort.PARTIAL:")],
        tests=["test_auctions::test_partial_sale_at_the_floor", "test_auction_clearing::test_more_offered_than_bid"],
    ),
    rule(
        "far_below_the_market_sold",
        "a price far below the secondary market cancels the auction (Regulation (EU) 1031/2010 art. 7(6))",
        kernel=[("clearing.py", "if auction.secondary_price > 0 and", "if False and")],
        reference=[("clearing.py", "    if not auction.secondary_price or", "    if True or")],
        tests=[
            "test_auction_clearing::test_secondary_market",
            "test_auction_clearing::test_secondary_market_of_a_reverse_auction",
        ],
    ),
    rule(
        "secondary_bound_exclusive",
        "exactly the threshold below the market is not far below it (docs/blocks-and-auctions.md section 8)",
        kernel=[("clearing.py", "price * BASIS_POINTS < auction", "price * BASIS_POINTS <= auction")],
        reference=[("clearing.py", "price * BASIS_POINTS < auction", "price * BASIS_POINTS <= auction")],
        tests=["test_auction_clearing::test_secondary_market"],
    ),
    rule(
        "price_not_raised",
        "RAISE sells to the bids that meet the market (UK regulation 2021 no. 484 reg. 7)",
        kernel=[("clearing.py", "if auction.secondary == AuctionSecondary.RAISE:", "if False:")],
        reference=[("clearing.py", "if auction.secondary == AuctionSecondary.CANCEL or not chosen:", "if True:")],
        tests=["test_auction_clearing::test_secondary_market"],
    ),
    rule(
        "tie_not_shared",
        "under PRORATA_RANDOM a tie is shared in proportion (17 CCR 95911)",
        kernel=[("clearing.py", "if auction.tie == AuctionTie.PRORATA_RANDOM and tied", "if False and tied")],
        reference=[
            ("clearing.py", "if auction.tie == AuctionTie.PRORATA_RANDOM and at_price", "if False and at_price")
        ],
        tests=["test_auctions::test_example_c_pro_rata", "test_auction_clearing::test_california_pro_rata"],
    ),
    rule(
        "share_not_rounded_to_the_step",
        "shares of a tie are rounded down to the step (17 CCR 95911: lots of 1,000)",
        kernel=[("clearing.py", "share // step * step", "share")],
        reference=[("clearing.py", "// at_price // step * step for", "// at_price for")],
        tests=["test_auction_clearing::test_california_pro_rata"],
    ),
    rule(
        "left_over_step_to_the_last_lot",
        "what rounding leaves goes out a step each by lot (17 CCR 95911: random number)",
        kernel=[
            (
                "clearing.py",
                "        for i in range(first, last):\n            row = s.ranking[0, i]\n            if left > 0",
                "        for i in range(last - 1, first - 1, -1):\n            row = s.ranking[0, i]\n"
                "            if left > 0",
            )
        ],
        reference=[
            (
                "clearing.py",
                "        for bid in tied:\n            if left and",
                "        for bid in reversed(tied):\n            if left and",
            )
        ],
        tests=["test_auctions::test_example_c_pro_rata", "test_auction_clearing::test_california_pro_rata"],
    ),
]

MONEY = [
    rule(
        "auction_units_free_today",
        "units bought in an auction are sellable tomorrow (rule book section 4, B5: T+1 in all modes)",
        kernel=[("clearing.py", "    if s.next_day_units:\n", "    if False:\n")],
        reference=[("clearing.py", "        if self.x.venue.settlement_days:\n", "        if False:\n")],
        tests=["test_auction_clearing::test_bought_units_settle_the_next_day"],
    ),
    rule(
        "bidders_surplus_stays_locked",
        "what a bidder locked beyond the price comes back with the trade (docs/blocks-and-auctions.md section 8)",
        kernel=[
            ("clearing.py", "Side.BUY).auction_frozen -= spent\n", "Side.BUY).auction_frozen -= spent - released\n"),
            ("clearing.py", "    balance_of(s, book, bid.account, Side.BUY).free += released\n", ""),
        ],
        reference=[
            (
                "clearing.py",
                "        purse.auction_locked -= lock_freed\n        purse.free += released\n",
                "        purse.auction_locked -= lock_freed - released\n",
            )
        ],
        tests=["test_auction_clearing::test_money_of_a_sale"],
    ),
    rule(
        "initiators_rest_stays_frozen",
        "what is not sold is the seller's again (rule book section 4, O5)",
        kernel=[
            ("clearing.py", "    freeze(s, s.books[auction.instrument], auction.account, auction.side, -freed)\n", "")
        ],
        reference=[
            ("clearing.py", "    freeze(x, market_of(x, auction), auction.side, auction.account, -released)\n", "")
        ],
        tests=[
            "test_auctions::test_failed_session",
            "test_auctions::test_partial_sale_at_the_floor",
            "test_auctions::test_example_f_eex_cancelled",
        ],
    ),
    rule(
        "lost_bid_stays_locked",
        "a bid that gets nothing is released (docs/blocks-and-auctions.md section 8, Clearing 7)",
        kernel=[("bids.py", "opposite(auction.side), -bid.locked)", "opposite(auction.side), -0 * bid.locked)")],
        reference=[("bids.py", "side, bid.account, -released)", "side, bid.account, -0 * released)")],
        tests=["test_auctions::test_example_f_eex_cancelled", "test_auction_clearing::test_secondary_market"],
    ),
    rule(
        "initiators_fee_drifts",
        "the initiator's fee is that of the auction's whole amount (docs/blocks-and-auctions.md section 8, Clearing 6)",
        kernel=[
            (
                "clearing.py",
                "fee_on(total + pay, book.fee_ppm) - fee_on(total, book.fee_ppm)",
                "fee_on(pay, book.fee_ppm)",
            )
        ],
        reference=[
            (
                "clearing.py",
                "        return fee_on(self.market.terms, self.cumulative_amount) - before\n",
                "        return fee_on(self.market.terms, pay)\n",
            )
        ],
        tests=["test_auction_clearing::test_fees_do_not_drift"],
    ),
    rule(
        "auction_counted_as_listed",
        "nothing of the listed mode changes by an auction (rule book 9 C; section 4, B4)",
        kernel=[("clearing.py", "    book.auction_price = price\n", "    book.auction_price = book.last = price\n")],
        reference=[
            ("clearing.py", "    market.auction_price = price\n", "    market.auction_price = market.last = price\n")
        ],
        tests=["test_auctions::test_example_c_uniform", "test_auction_window::test_the_days_statistics"],
    ),
]

CARRY_OVER = [
    rule(
        "growth_beyond_the_cap",
        "carried lots make an auction grow to 125 % at most (UK; auction_carry_cap_bps)",
        kernel=[("auctions.py", "min(book.carried[0], most)", "book.carried[0]")],
        reference=[("auctions.py", "min(market.carried[0], room)", "market.carried[0]")],
        tests=["test_auction_clearing::test_carry_over", "test_auction_clearing::test_carry_over_needs_no_growth"],
    ),
    rule(
        "what_did_not_fit_is_lost",
        "carried lots that do not fit wait for the next auction (docs/blocks-and-auctions.md section 8, Carried lots)",
        kernel=[("auctions.py", "book.carried[1] + left", "book.carried[1]")],
        reference=[("auctions.py", "[next_carried + market.carried[0] - carried, *later", "[next_carried, *later")],
        tests=["test_auction_clearing::test_carry_over"],
    ),
    rule(
        "unsold_lots_lost",
        "unsold lots are spread over the following auctions (EEX 2018 and UK: the next four)",
        kernel=[("clearing.py", "    carry_unsold(s, auction, unsold)\n", "")],
        reference=[("clearing.py", "    carry_over(x, auction, auction.quantity - sold)\n", "")],
        tests=["test_auction_clearing::test_carry_over", "test_auction_clearing::test_carry_over_in_steps"],
    ),
    rule(
        "lots_of_a_cancelled_auction_lost",
        "all lots of a cancelled auction are unsold (EEX 2018)",
        kernel=[("clearing.py", "    carry_unsold(s, s.auctions[at], s.auctions[at].quantity)\n", "")],
        reference=[("clearing.py", "    carry_over(x, auction, auction.quantity)\n", "")],
        tests=["test_auction_clearing::test_carry_over_of_cancelled_auctions"],
    ),
    rule(
        "last_share_without_the_rest",
        "the last of the following auctions gets the rest of the division (docs/blocks-and-auctions.md section 8)",
        kernel=[("clearing.py", "+= unsold - part * (following - 1)", "+= part")],
        reference=[("clearing.py", "+= unsold - share * (over - 1)", "+= share")],
        tests=[
            "test_auction_clearing::test_carry_over_in_steps",
            "test_auction_clearing::test_carry_over_of_cancelled_auctions",
        ],
    ),
    rule(
        "withdrawn_lots_carried_over",
        "what the initiator withdraws, or the end of the day cancels, is not carried over (section 8, Clearing 8)",
        kernel=[
            (
                "clearing.py",
                "    auction = s.auctions[at]\n    bid_for = sum_of_lots(s, count)\n    for i",
                "    auction = s.auctions[at]\n    carry_unsold(s, auction, auction.quantity)\n"
                "    bid_for = sum_of_lots(s, count)\n    for i",
            )
        ],
        reference=[
            (
                "clearing.py",
                "    unfrozen = end_auction(x, auction)\n    x.emit(\n        EventKind.AUCTION_CANCELLED,",
                "    unfrozen = end_auction(x, auction)\n    carry_over(x, auction, auction.quantity)\n"
                "    x.emit(\n        EventKind.AUCTION_CANCELLED,",
            )
        ],
        tests=["test_auction_clearing::test_what_is_not_carried_over"],
    ),
    rule(
        "purchase_carried_over",
        "only selling auctions carry lots over (docs/blocks-and-auctions.md section 8, Clearing 8)",
        kernel=[("clearing.py", "    if auction.side != Side.SELL or following == 0:\n", "    if following == 0:\n")],
        reference=[("clearing.py", "    if not over or auction.side != Side.SELL:\n", "    if not over:\n")],
        tests=["test_auction_clearing::test_what_is_not_carried_over"],
    ),
]

FAULTS: list[Fault] = [*CLEARING, *MONEY, *CARRY_OVER]
