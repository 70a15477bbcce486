"""Sealed bids of auctions: entry, change, withdrawal, and how they end.

Sources: SEEE notice 2025-23 (one-way bidding: floor, cap, price then time), Regulation (EU) 1031/2010 (sealed bids in
lots). A bid is locked for in full, beside the locks of orders: `auction_frozen` of its cash or units column.
"""

import numpy as np

from engine.kernel.admission import MAX_LOTS, check_account, check_enabled, check_role, owner_group, owns_order
from engine.kernel.auction_events import BOTH, about_bid
from engine.kernel.compiler import plain, small
from engine.kernel.ledger import balance_of, lock_for, shortfall
from engine.kernel.limits import check_firm, check_halted, check_member_limits
from engine.kernel.purchase_limit import check_purchase_limit
from engine.kernel.registers import compact, live_row, row_of, used_after
from engine.schema import AuctionStage, EventKind, Mode, Phase, Reason, Side


@small
def opposite(side):
    """The bidders' side of an auction, or the initiator's."""
    return BOTH - np.int64(side)


@small
def frozen_of(s, book, account, side):
    """The auction bucket beside `balance_of`: of cash (buy) or units (sell)."""
    return s.holds[np.int64(account) * s.columns + book.lock_column[np.int64(side) - 1]]


@small
def lock_in_auction(s, book, side, price, lots):
    """What a bid, or the initiator at the reserve, needs locked; 0 on a venue that does not pre-fund."""
    return lock_for(book, side, np.int64(0), price, lots) if s.prefunded else np.int64(0)


@small
def freeze(s, book, account, side, amount):
    """From free into the auction's bucket (negative: back)."""
    if s.prefunded:
        balance_of(s, book, account, side).free -= amount
        frozen_of(s, book, account, side).auction_frozen += amount


@small
def check_auction_funds(s, book, account, side, need):
    return shortfall(balance_of(s, book, account, side), side, need) if s.prefunded else Reason.NONE


@small
def beyond(side, price, limit):
    """Whether a bidder's price of this side is better than `limit`: a buyer's higher, a seller's lower."""
    return price > limit if side == Side.BUY else price < limit


@plain
def check_bidding(s, auction, account):
    """The window is open, nobody is stopped."""
    if auction.stage != AuctionStage.OPEN:
        return Reason.WRONG_AUCTION_STAGE
    book = s.books[auction.instrument]
    if book.phases[Mode.BIDDING] != Phase.CONTINUOUS:
        return Reason.WRONG_PHASE
    reason = check_halted(s, book)
    if reason == Reason.NONE:
        reason = check_enabled(s, account)
    if reason == Reason.NONE:
        reason = check_firm(s, account)
    return reason


@plain
def check_bid_terms(s, auction, price, quantity):
    book = s.books[auction.instrument]
    if price < 1:
        return Reason.INVALID_PRICE
    if price % book.price_step != 0:
        return Reason.OFF_TICK
    if quantity < 1 or quantity > MAX_LOTS:
        return Reason.INVALID_QUANTITY
    if quantity % book.auction_step != 0:
        return Reason.OFF_LOT
    if quantity > book.auction_bid_max:
        return Reason.QUANTITY_TOO_LARGE
    if price < book.floor or price > book.ceiling:
        return Reason.PRICE_OUT_OF_WINDOW
    side = opposite(auction.side)
    if beyond(side, auction.reserve, price):
        return Reason.BELOW_RESERVE
    if auction.cap != 0 and beyond(side, price, auction.cap):
        return Reason.ABOVE_CAP
    return Reason.AMOUNT_OVERFLOW if quantity > book.quantity_cap else Reason.NONE


@plain
def room_for_bid(s):
    """Whether there is a free row. May move rows, which nobody can tell from outside."""
    if s.bids_used >= s.bid_capacity:
        s.bids_used = compact(s.bids, s.bids_used)
    return s.bids_used < s.bid_capacity


@plain
def auction_bid(s, c):
    """AUCTION_BID: sealed, so only its owner is told."""
    if c.side != Side.BUY and c.side != Side.SELL:
        return Reason.INVALID_SIDE
    reason = check_role(s, c)
    if reason == Reason.NONE:
        reason = check_account(s, c)
    if reason != Reason.NONE:
        return reason
    at = live_row(s.auctions, s.auctions_used, c.target)
    if at == 0 or s.auctions[at].instrument != c.instrument:
        return Reason.UNKNOWN_AUCTION
    auction = s.auctions[at]
    if c.side == auction.side:
        return Reason.INVALID_SIDE
    reason = check_bidding(s, auction, c.account)
    if reason != Reason.NONE:
        return reason
    group = owner_group(s, c.account)
    if s.self_trade != 0 and group != 0 and group == owner_group(s, auction.account):
        return Reason.SELF_TRADE
    book = s.books[c.instrument]
    price, quantity = np.int64(c.price), c.quantity
    reason = check_bid_terms(s, auction, price, quantity)
    if reason == Reason.NONE:
        reason = check_member_limits(s, c, c.instrument, c.account, c.side, price, quantity)
    if reason == Reason.NONE:
        reason = check_purchase_limit(s, auction, c.account, quantity, np.int64(0))
    if reason != Reason.NONE:
        return reason
    if not room_for_bid(s):
        return Reason.BID_TABLE_FULL
    need = lock_in_auction(s, book, c.side, price, quantity)
    reason = check_auction_funds(s, book, c.account, c.side, need)
    if reason != Reason.NONE:
        return reason
    s.last_order_id += 1
    s.bids_used += 1
    bid = s.bids[s.bids_used]
    bid.id = s.last_order_id
    bid.auction = auction.id
    bid.account = c.account
    bid.price = price
    bid.quantity = quantity
    bid.priority = s.event_sequence + 1
    bid.locked = need
    bid.session = c.session
    bid.client_order_id = c.client_order_id
    freeze(s, book, c.account, c.side, need)
    about_bid(s, c, EventKind.BID_ACCEPTED, 0, auction, bid, quantity, need, 0)
    return Reason.NONE


@small
def auction_of(s, bid):
    """The auction of a live bid, which lives as long."""
    return s.auctions[row_of(s.auctions, s.auctions_used, bid.auction)]


@plain
def own_bid(s, c):
    """Row of the live bid that a command addresses and owns as one owns an order, or 0."""
    row = live_row(s.bids, s.bids_used, c.target)
    return row if row != 0 and owns_order(s, c.session, s.bids[row]) else np.int64(0)


@plain
def auction_bid_replace(s, c):
    """AUCTION_BID_REPLACE: another price or more lots lose the bid's time, unless the venue keeps it always."""
    reason = check_role(s, c)
    if reason != Reason.NONE:
        return reason
    row = own_bid(s, c)
    if row == 0:
        return Reason.UNKNOWN_ORDER
    bid = s.bids[row]
    auction = auction_of(s, bid)
    book = s.books[auction.instrument]
    side = opposite(auction.side)
    price, quantity = np.int64(c.price), c.quantity
    reason = check_bidding(s, auction, bid.account)
    if reason == Reason.NONE:
        reason = check_bid_terms(s, auction, price, quantity)
    if reason == Reason.NONE:
        reason = check_member_limits(s, c, auction.instrument, bid.account, side, price, quantity)
    if reason == Reason.NONE:
        reason = check_purchase_limit(s, auction, bid.account, quantity, row)
    if reason != Reason.NONE:
        return reason
    more = lock_in_auction(s, book, side, price, quantity) - bid.locked
    reason = check_auction_funds(s, book, bid.account, side, more)
    if reason != Reason.NONE:
        return reason
    kept = 1 if s.bid_keeps_time or (price == bid.price and quantity <= bid.quantity) else 0
    bid.price = price
    bid.quantity = quantity
    bid.locked += more
    if kept == 0:
        bid.priority = s.event_sequence + 1
    freeze(s, book, bid.account, side, more)
    about_bid(s, c, EventKind.BID_REPLACED, 0, auction, bid, quantity, more, kept)
    return Reason.NONE


@plain
def auction_bid_withdraw(s, c):
    """AUCTION_BID_WITHDRAW: as long as the window is open."""
    reason = check_role(s, c)
    if reason != Reason.NONE:
        return reason
    row = own_bid(s, c)
    if row == 0:
        return Reason.UNKNOWN_ORDER
    auction = auction_of(s, s.bids[row])
    if auction.stage != AuctionStage.OPEN:
        return Reason.WRONG_AUCTION_STAGE
    if s.books[auction.instrument].phases[Mode.BIDDING] == Phase.CLOSED:
        return Reason.WRONG_PHASE
    end_bid(s, c, row, Reason.USER_REQUESTED)
    return Reason.NONE


@plain
def end_bid(s, c, row, reason):
    """What is left of a bid ends: its lock is released and one BID_ENDED tells so. `row` is dead afterwards."""
    bid = s.bids[row]
    auction = auction_of(s, bid)
    freeze(s, s.books[auction.instrument], bid.account, opposite(auction.side), -bid.locked)
    about_bid(s, c, EventKind.BID_ENDED, reason, auction, bid, 0, bid.locked, 0)
    forget_bid(s, row)


@small
def forget_bid(s, row):
    """The bid is gone; its lock has been released or spent."""
    s.bids[row].quantity = 0
    s.bids[row].locked = 0


@plain
def give_back_rows(s):
    """Dead rows at the end of the table are free again."""
    s.bids_used = used_after(s.bids, s.bids_used)
