"""One case for each key of a venue file (flows and words: `venue_flows`)."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

from engine.schema import CommandKind as K
from engine.schema import OrderFlag
from engine.venue import AssetTerms, Capacity, ComplianceYear, TransferWindow
from tests.engine.builders import DAY, FOK, GTC, IOC, MARKET, SELL
from tests.engine.venue_flows import (
    BASE,
    CASH,
    Case,
    announced,
    auction,
    bid,
    block,
    cancel_in_the_break,
    carry_over,
    changed_bid,
    order,
    owed,
    own_group,
    pick,
    sell_what_was_bought,
    surrender,
    three_levels,
    timed,
    trade,
    twice,
    two_auctions,
    two_bids,
    two_offers,
    two_orders,
    whole_day,
    without,
)
from tests.engine.venue_keys_auctions import AUCTION_CASES
from tests.engine.venue_keys_further import FURTHER_CASES

SECONDARY = auction((10000, 60), (12000, 60), target=500, quantity2=12000)
"""The clearing price, 100.00, lies more than 5 % below the secondary market's 120.00."""
OFFSETS = {"asset_terms": (AssetTerms(asset="A", kind="OFFSET"),), "offset_limit_bps": 10_000}
ALLOWANCES = {"asset_terms": (AssetTerms(asset="A"),)}
DATES = ComplianceYear(year=2025, allocation_by=date(2025, 8, 10), surrender_by=date(2025, 8, 11))
"""The allocation's date is over, the surrender's ends with the day."""
YEARS = {"compliance_years": (DATES,)}

VENUE_CASES = (
    Case("Venue.prefunded", False, order(account=9), "REJECTED UNKNOWN_ACCOUNT", "ACCEPTED"),
    Case("Venue.open_from_start", True, order(), "REJECTED NOT_LISTED", "ACCEPTED", opened=False),
    Case("Venue.self_trade", "OFF", own_group, "SELF_TRADE_PREVENTED", "TRADE price=10000"),
    Case("Venue.self_trade", "CANCEL_MAKER", own_group, after="TRADE price=10001"),
    Case("Venue.self_trade", "CANCEL_BOTH", own_group, after="CANCELLED side=2"),
    Case("Venue.self_trade", "DECREMENT", own_group, after="DECREMENTED"),
    Case("Venue.sweep_levels", 3, three_levels, "CANCELLED DEPTH_LIMIT", "TRADE price=10002"),
    Case("Venue.cross_policy", "REJECT", trade, "TRADE", "REJECTED WOULD_CROSS"),
    Case("Venue.depth_remainder", "REST_AT_LAST", three_levels, "CANCELLED DEPTH_LIMIT", "REPLACED price=10001"),
    Case("Venue.depth_remainder", "RESWEEP", three_levels, "CANCELLED DEPTH_LIMIT", "TRADE price=10002"),
    Case("Venue.take", False, pick(1, 10000), "TRADE", "REJECTED INVALID_KIND"),
    Case("Venue.click_strict", False, pick(2, 10001), "REJECTED NOT_AT_BEST", "TRADE"),
    Case("Venue.break_cancel", False, cancel_in_the_break, "CANCELLED USER_REQUESTED", "REJECTED WRONG_PHASE"),
    Case("Venue.settlement_days", 0, sell_what_was_bought, "REJECTED UNITS_BOUGHT_TODAY", "UNITS_CANCELLED"),
    Case(
        "Venue.withdraw_after",
        "AT_ONCE",
        lambda w: [trade(w), w.withdraw_cash(2, CASH + 50000)],
        "REJECTED PROCEEDS_NOT_SETTLED",
        "CASH_MOVED",
    ),
    Case("Venue.composite", "MEAN_UNTIL", whole_day, after="COMPOSITE_FIXED price=10550"),
    Case(
        "Venue.composite_mean_until",
        date(2025, 8, 10),
        whole_day,
        "COMPOSITE_FIXED price=10550",
        "COMPOSITE_FIXED price=11000",
        base={"composite": "MEAN_UNTIL"},
    ),
    Case(
        "Venue.auction_price",
        "PAY_AS_BID",
        auction((12000, 50), (10000, 50)),
        after="AUCTION_TRADE price=12000",
    ),
    Case("Venue.auction_tie", "RANDOM", auction((10000, 60), (10000, 60), (10000, 60)), after="AUCTION_CLOSED"),
    Case(
        "Venue.auction_tie",
        "PRORATA_RANDOM",
        auction((10000, 60), (10000, 90)),
        after="AUCTION_TRADE quantity=40 account=2",
    ),
    Case("Venue.auction_short", "CANCEL", auction((10000, 60)), "AUCTION_CLEARED", "AUCTION_CANCELLED UNDERSUBSCRIBED"),
    Case("Venue.auction_secondary", "CANCEL", SECONDARY, "AUCTION_CLEARED", "AUCTION_CANCELLED BELOW_SECONDARY"),
    Case("Venue.auction_secondary", "RAISE", SECONDARY, "AUCTION_TRADE price=10000", "AUCTION_TRADE price=12000"),
    Case("Venue.auction_carry_over", 1, two_auctions, after="AUCTION_ANNOUNCED contra_remaining=25"),
    Case(
        "Venue.auction_carry_cap_bps",
        15_000,
        two_auctions,
        "AUCTION_ANNOUNCED contra_remaining=25",
        "AUCTION_ANNOUNCED contra_remaining=50",
        base={"auction_carry_over": 1},
    ),
    Case("Venue.bid_amend", "KEEPS_TIME", changed_bid, "AUCTION_TRADE quantity=30", "AUCTION_TRADE quantity=60"),
    Case("Venue.settlement_ack", True, whole_day, "SETTLED", "REJECTED SETTLEMENT_NOT_ACKNOWLEDGED"),
    Case("Venue.offset_limit_bps", 5900, surrender, "UNITS_SURRENDERED", "REJECTED OFFSET_LIMIT", base=OFFSETS),
    Case("Venue.carry_over_base", 10_001, carry_over(10_001, 0), "REJECTED CARRY_OVER_LIMIT", "UNITS_CARRIED_OVER"),
    Case(
        "Venue.carry_over_factor_bps",
        14_999,
        carry_over(25_000, 10_000),
        "UNITS_CARRIED_OVER",
        "REJECTED CARRY_OVER_LIMIT",
    ),
    Case("Venue.asset_terms", OFFSETS["asset_terms"], surrender, "UNITS_SURRENDERED", "REJECTED OFFSET_LIMIT"),
    Case("Venue.accounts_per_firm", 1, twice(K.OPEN_ACCOUNT, quantity=1), after="REJECTED ACCOUNTS_PER_FIRM"),
    Case("Venue.compliance_years", YEARS["compliance_years"], owed, after="OBLIGATION_OVERDUE"),
    Case("Venue.currencies", ("CUR",), lambda w: w.deposit_cash(1, 1, 2), "CASH_MOVED", "REJECTED UNKNOWN_CURRENCY"),
    Case("Venue.assets", ("A",), lambda w: w.deposit_units(1, 1, 2), "UNITS_MOVED", "REJECTED UNKNOWN_ASSET"),
    Case("Venue.capacity", Capacity(orders=1), two_orders, after="REJECTED ORDER_TABLE_FULL"),
    Case("Venue.instruments", BASE.instruments[:1], order(instrument=2), "ACCEPTED", "REJECTED UNKNOWN_INSTRUMENT"),
)

TYPES, TIMES = BASE.instruments[0].order_types, BASE.instruments[0].times_in_force
INSTRUMENT_CASES = (
    Case("Instrument.asset", "B", order(side=SELL), "ACCEPTED", "REJECTED INSUFFICIENT_UNITS"),
    Case("Instrument.currency", "OTHER", order(), "ACCEPTED", "REJECTED INSUFFICIENT_FUNDS"),
    Case("Instrument.tick", Decimal("0.02"), order(10_001), "ACCEPTED", "REJECTED PRICE_OUT_OF_WINDOW"),
    Case("Instrument.tick_value", 10, order(), "ACCEPTED aux=100000", "ACCEPTED aux=1000000"),
    Case("Instrument.units_per_lot", 10, order(side=SELL), "ACCEPTED aux=10", "ACCEPTED aux=100"),
    Case("Instrument.price_step", 3, order(), "ACCEPTED", "REJECTED OFF_TICK"),
    Case("Instrument.quantity_step", 3, order(), "ACCEPTED", "REJECTED OFF_LOT"),
    Case("Instrument.quantity_min", 11, order(), "ACCEPTED", "REJECTED QUANTITY_TOO_SMALL"),
    Case("Instrument.quantity_max", 9, order(), "ACCEPTED", "REJECTED QUANTITY_TOO_LARGE"),
    Case("Instrument.floor", Decimal("50.01"), order(5000), "ACCEPTED", "REJECTED PRICE_OUT_OF_WINDOW"),
    Case("Instrument.ceiling", Decimal("199.99"), order(20_000), "ACCEPTED", "REJECTED PRICE_OUT_OF_WINDOW"),
    Case("Instrument.limit_listed_bps", 1000, order(11_001), "ACCEPTED", "REJECTED PRICE_ABOVE_LIMIT"),
    Case("Instrument.limit_block_bps", 3000, block(13_001), "BLOCK_OFFERED", "REJECTED PRICE_ABOVE_LIMIT"),
    Case("Instrument.block_min", 11, block(), "BLOCK_OFFERED", "REJECTED QUANTITY_TOO_SMALL"),
    Case("Instrument.block_min", 0, block(), "BLOCK_OFFERED", "REJECTED MODE_NOT_OFFERED"),
    Case("Instrument.block_max", 9, block(), "BLOCK_OFFERED", "REJECTED QUANTITY_TOO_LARGE"),
    Case("Instrument.auction", False, announced(), "AUCTION_ANNOUNCED", "REJECTED MODE_NOT_OFFERED"),
    Case("Instrument.auction_min", 101, announced(), "AUCTION_ANNOUNCED", "REJECTED QUANTITY_TOO_SMALL"),
    Case("Instrument.auction_step", 3, announced(), "AUCTION_ANNOUNCED", "REJECTED OFF_LOT"),
    Case("Instrument.auction_bid_max", 9, bid(10_000, 10), "BID_ACCEPTED", "REJECTED QUANTITY_TOO_LARGE"),
    Case(
        "Instrument.auction_reserve",
        "CLOSE_OR_LOWER_LIMIT",
        announced(9999),
        "AUCTION_ANNOUNCED",
        "REJECTED BELOW_RESERVE",
    ),
    Case(
        "Instrument.auction_cap",
        "UPPER_LIMIT",
        bid(11_001, 10),
        "BID_ACCEPTED",
        "REJECTED ABOVE_CAP",
        terms={"limit_listed_bps": 1000},
    ),
    Case("Instrument.fee_ppm", 1000, trade, after="FEE"),
    Case("Instrument.order_types", without(TYPES, "limit"), order(), "ACCEPTED", "REJECTED INVALID_ORDER_TYPE"),
    Case(
        "Instrument.order_types",
        without(TYPES, "market"),
        timed(IOC, MARKET),
        "ACCEPTED",
        "REJECTED INVALID_ORDER_TYPE",
    ),
    Case("Instrument.times_in_force", without(TIMES, "day"), timed(DAY), "ACCEPTED", "INVALID_TIME_IN_FORCE"),
    Case("Instrument.times_in_force", without(TIMES, "gtc"), timed(GTC), "ACCEPTED", "INVALID_TIME_IN_FORCE"),
    Case("Instrument.times_in_force", without(TIMES, "ioc"), timed(IOC), "ACCEPTED", "INVALID_TIME_IN_FORCE"),
    Case("Instrument.times_in_force", without(TIMES, "fok"), timed(FOK), after="INVALID_TIME_IN_FORCE"),
    Case("Instrument.post_only", False, order(flags=OrderFlag.POST_ONLY), "ACCEPTED", "REJECTED INVALID_FLAGS"),
    Case("Instrument.close", "LAST", whole_day, "CLOSE_FIXED price=10100", "CLOSE_FIXED price=10200"),
    Case("Instrument.listed_from", date(2025, 8, 12), order(), "ACCEPTED", "REJECTED NOT_LISTED"),
    Case(
        "Instrument.previous_close",
        Decimal("90.00"),
        order(10_000),
        "ACCEPTED",
        "REJECTED PRICE_ABOVE_LIMIT",
        terms={"limit_listed_bps": 1000},
    ),
    Case(
        "Instrument.in_composite",
        False,
        whole_day,
        "COMPOSITE_FIXED price=10550",
        "COMPOSITE_FIXED price=11000",
        base={"composite": "MEAN_UNTIL"},
    ),
)

ASSET_CASES = (
    Case(
        "AssetTerms.asset", "B", surrender, "OFFSET_LIMIT", "UNITS_SURRENDERED", base={**OFFSETS, "offset_limit_bps": 0}
    ),
    Case("AssetTerms.kind", "OFFSET", surrender, "UNITS_SURRENDERED", "REJECTED OFFSET_LIMIT", base=ALLOWANCES),
    Case("AssetTerms.kind", "CREDIT", surrender, "UNITS_SURRENDERED", "REJECTED NOT_SURRENDERABLE", base=ALLOWANCES),
    Case("AssetTerms.surrender_until", 2024, surrender, "UNITS_SURRENDERED", "NOT_SURRENDERABLE", base=ALLOWANCES),
    Case(
        "Calendar.transfer_windows",
        (TransferWindow(time(9), time(17)),),
        lambda w: w.send(K.TRANSFER_IN, account=1, scope=1, quantity=1),
        "HOLD_PLACED",
        "REJECTED TRANSFERS_CLOSED",
    ),
    Case("ComplianceYear.year", 2024, owed, "OBLIGATION_OVERDUE", base=YEARS),
    Case("ComplianceYear.allocation_by", date(2025, 8, 11), owed, "UNITS_ALLOCATED contra_remaining=1", base=YEARS),
    Case("ComplianceYear.surrender_by", date(2025, 8, 12), owed, "OBLIGATION_OVERDUE", base=YEARS),
)

PLEDGE = {"side": 1, "account": 1, "scope": 1, "quantity": 1, "target": 2}
CAPACITY_CASES = (
    Case("Capacity.orders", 1, two_orders, after="REJECTED ORDER_TABLE_FULL"),
    Case("Capacity.accounts", 5, twice(K.OPEN_ACCOUNT, quantity=1), "ACCOUNT_OPENED", "REJECTED ACCOUNT_TABLE_FULL"),
    Case("Capacity.firms", 5, twice(K.OPEN_FIRM), "FIRM_OPENED", "REJECTED FIRM_TABLE_FULL"),
    Case("Capacity.sessions", 1, twice(K.OPEN_SESSION, quantity=1, scope=1), after="REJECTED SESSION_TABLE_FULL"),
    Case("Capacity.negotiations", 1, two_offers, after="REJECTED NEGOTIATION_TABLE_FULL"),
    Case("Capacity.auctions", 1, lambda w: [announced()(w), announced()(w)], after="REJECTED AUCTION_TABLE_FULL"),
    Case("Capacity.bids", 1, two_bids, after="REJECTED BID_TABLE_FULL"),
    Case("Capacity.holds", 1, twice(K.PLACE_HOLD, **PLEDGE), after="REJECTED HOLD_TABLE_FULL"),
    Case(
        "Capacity.obligations",
        1,
        lambda w: [w.send(K.SET_OBLIGATION, account=1, quantity=1, expiry=year) for year in (2025, 2026)],
        after="REJECTED OBLIGATION_TABLE_FULL",
    ),
)
CASES = (*VENUE_CASES, *INSTRUMENT_CASES, *ASSET_CASES, *CAPACITY_CASES, *AUCTION_CASES, *FURTHER_CASES)
