"""Faults in what bounds auctions: yearly floors, purchase limits, cost containment reserves, notice."""

from __future__ import annotations

from tests.mutants.fault import Fault, rule

FLOOR = [
    rule(
        "floor_not_asked",
        "a reserve price is at least the year's floor (17 CCR 95911: annual auction reserve price)",
        kernel=[("yearly_floor.py", "    if reserve >= floor:\n", "    if True:\n")],
        reference=[("auction_bounds.py", "if side == Side.SELL and reserve < least:", "if False:")],
        tests=["test_auction_bounds::test_californias_published_reserve_prices"],
    ),
    rule(
        "floor_rounded_down",
        "each year's floor is rounded half-up to the tick (published: 12.73 in 2016, 14.53 in 2018)",
        kernel=[
            (
                "yearly_floor.py",
                "half_up(floor * (PPM + bounds.rise_bps * PPM_PER_BPS + inflation), PPM)",
                "floor * (PPM + bounds.rise_bps * PPM_PER_BPS + inflation) // PPM",
            )
        ],
        reference=[("auction_bounds.py", "half_up(price * (PPM + added), PPM)", "price * (PPM + added) // PPM")],
        tests=["test_auction_bounds::test_floor_of_a_year_by_hand"],
    ),
    rule(
        "inflation_a_year_late",
        "the first inflation listed is of the year after the first (the published prices of 2016 to 2025)",
        kernel=[
            (
                "yearly_floor.py",
                "bounds.inflation_ppm[ahead] if ahead < MAX_FLOOR_YEARS else np.int64(0)",
                "bounds.inflation_ppm[ahead - 1] if 0 < ahead < MAX_FLOOR_YEARS else np.int64(0)",
            )
        ],
        reference=[
            (
                "auction_bounds.py",
                "iter(terms.auction_floor_inflation_ppm)",
                "iter((0, *terms.auction_floor_inflation_ppm))",
            )
        ],
        tests=["test_auction_bounds::test_floor_of_a_year_by_hand"],
    ),
    rule(
        "floor_of_the_announcements_year_alone",
        "the year in which an auction opens counts too (docs/blocks-and-auctions.md section 8, Bounds)",
        kernel=[
            (
                "auctions.py",
                "check_yearly_floor(s, auction.instrument, auction.side, auction.reserve)",
                "Reason.NONE",
            )
        ],
        reference=[("auctions.py", "    require_yearly_floor(x, market.terms, auction.side, auction.reserve)\n", "")],
        tests=["test_auction_bounds::test_the_year_that_counts_is_the_openings_too"],
    ),
]

SHARE = [
    rule(
        "one_bid_at_a_time",
        "all bids of a bidder together keep to its share (17 CCR 95911: purchase limit)",
        kernel=[("purchase_limit.py", "            left -= bid.quantity\n", "            left -= 0\n")],
        reference=[("auction_bounds.py", " - sum(bid.quantity for bid in own if bid.id != instead_of)", "")],
        tests=["test_auction_bounds::test_purchase_limits_of_california"],
    ),
    rule(
        "changed_bid_counted_twice",
        "a changed bid counts in place of what it was (docs/blocks-and-auctions.md section 8, Bounds)",
        kernel=[("purchase_limit.py", "if row != own and", "if")],
        reference=[("auction_bounds.py", " if bid.id != instead_of)", ")")],
        tests=["test_auction_bounds::test_purchase_limits_of_california"],
    ),
    rule(
        "each_account_for_itself",
        "accounts of one firm or owner group share one limit (17 CCR 95911: direct corporate association)",
        kernel=[
            (
                "purchase_limit.py",
                "s.accounts[account].firm == s.accounts[other].firm or (group != 0 and group == owner_group(s, other))",
                "False",
            )
        ],
        reference=[
            (
                "auction_bounds.py",
                "    return first.firm == second.firm or 0 != first.owner_group == second.owner_group\n",
                "    return first is second\n",
            )
        ],
        tests=["test_auction_bounds::test_one_bidder_is_a_firm_or_an_owner_group"],
    ),
    rule(
        "everybody_is_covered",
        "25 % are for bidders with an obligation, 4 % for others (17 CCR 95911)",
        kernel=[("purchase_limit.py", "if is_covered(s, account) else", "if True else")],
        reference=[("auction_bounds.py", "if covered else", "if True else")],
        tests=["test_auction_bounds::test_purchase_limits_of_california"],
    ),
]

COST = [
    rule(
        "released_when_met",
        "the demand above the trigger must exceed what is offered (COMAR 26.09.04.06 B(2)(a)), not only meet it",
        kernel=[("cost_reserve.py", "    if above > auction.quantity:\n", "    if above >= auction.quantity:\n")],
        reference=[("clearing.py", "if above > auction.quantity else []", "if above >= auction.quantity else []")],
        tests=["test_cost_reserve::test_release"],
    ),
    rule(
        "demand_at_the_trigger_counts",
        "only the demand above the trigger releases a cost reserve (COMAR 26.09.04.06 B(2)(a))",
        kernel=[
            (
                "cost_reserve.py",
                "        if bid.price > auction.trigger:\n",
                "        if bid.price >= auction.trigger:\n",
            )
        ],
        reference=[
            (
                "clearing.py",
                "for bid in bids if bid.price > auction.trigger)",
                "for bid in bids if bid.price >= auction.trigger)",
            )
        ],
        tests=["test_cost_reserve::test_release"],
    ),
    rule(
        "always_released_in_full",
        "no more lots are released than are bid for at the trigger or above (docs/blocks-and-auctions.md, Clearing 3)",
        kernel=[
            (
                "cost_reserve.py",
                "min(np.int64(auction.reserve_lots), at_or_above - auction.quantity)",
                "np.int64(auction.reserve_lots)",
            )
        ],
        reference=[
            ("clearing.py", "min(wanted, auction.reserve_lots) if good else 0", "auction.reserve_lots if good else 0")
        ],
        tests=["test_cost_reserve::test_release"],
    ),
    rule(
        "sold_below_the_trigger",
        "where a cost reserve is released nothing is sold below its trigger (docs/blocks-and-auctions.md, Clearing 3)",
        kernel=[
            ("clearing.py", "        standing = bids_from(s, count, auction.trigger)\n", "        standing = count\n"),
            (
                "clearing.py",
                "        price = np.int64(auction.trigger)\n",
                "        price = price_reached(s, auction, standing)\n",
            ),
        ],
        reference=[
            (
                "clearing.py",
                "    return good, auction.trigger if released < auction.reserve_lots else 0\n",
                "    return bids, 0\n",
            )
        ],
        tests=["test_cost_reserve::test_release"],
    ),
    rule(
        "reserve_not_frozen",
        "what may be released is frozen when it is set (rule book section 4, O1: units in place)",
        kernel=[
            ("cost_reserve_terms.py", "    freeze(s, book, auction.account, auction.side, more)\n", ""),
            ("cost_reserve_terms.py", "    auction.frozen += more\n", ""),
        ],
        reference=[
            (
                "auctions.py",
                "    auction.frozen += more\n    freeze(x, market, auction.side, auction.account, more)\n",
                "",
            )
        ],
        tests=["test_cost_reserve::test_lots_are_frozen_and_come_back"],
    ),
]

NOTICE = [
    rule(
        "notice_a_day_short",
        "ten trading days lie between announcement and opening (rule book section 4, O1)",
        kernel=[("notice.py", "    if missing <= 0:\n", "    if missing <= 1:\n")],
        reference=[
            (
                "auction_bounds.py",
                "if auction.days < x.venue.auction_notice_days:",
                "if auction.days < x.venue.auction_notice_days - 1:",
            )
        ],
        tests=["test_auction_bounds::test_ten_trading_days_of_notice"],
    ),
    rule(
        "late_units_accepted",
        "units are in place five trading days before the opening, else it is withdrawn (rule book section 4, O1)",
        kernel=[
            (
                "notice.py",
                "    elif auction.days >= days_to_secure(s):\n",
                "    elif auction.days > days_to_secure(s):\n",
            )
        ],
        reference=[
            ("clearing.py", "if auction.days >= last_day_to_secure(x):", "if auction.days > last_day_to_secure(x):")
        ],
        tests=["test_auction_bounds::test_withdrawn_where_nothing_is_in_place"],
    ),
    rule(
        "units_in_place_not_frozen",
        "what is in place is frozen when the next trading day opens (docs/blocks-and-auctions.md section 8, Bounds)",
        kernel=[
            (
                "notice.py",
                "        freeze(s, book, auction.account, auction.side, need)\n        auction.frozen = need\n",
                "",
            )
        ],
        reference=[
            (
                "clearing.py",
                "int(AuctionStage.ANNOUNCED), frozen\n"
                "        freeze(x, market, auction.side, auction.account, frozen)\n",
                "int(AuctionStage.ANNOUNCED), 0\n",
            )
        ],
        tests=["test_auction_bounds::test_units_in_place_five_days_before"],
    ),
]

FAULTS: list[Fault] = [*FLOOR, *SHARE, *COST, *NOTICE]
