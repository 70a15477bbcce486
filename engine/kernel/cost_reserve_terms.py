"""SET_COST_RESERVE: what stands behind an auction for the case that its price would exceed a trigger."""

import numpy as np

from engine.kernel.admission import MAX_LOTS
from engine.kernel.auction_events import about_auction
from engine.kernel.auctions import check_price, find_auction
from engine.kernel.bids import check_auction_funds, freeze
from engine.kernel.compiler import plain
from engine.schema import AuctionSecondary, AuctionStage, EventKind, Reason, Side


@plain
def check_cost_reserve(s, c, auction):
    """The terms of a cost containment reserve."""
    book = s.books[auction.instrument]
    trigger = np.int64(c.price)
    if auction.side != Side.SELL:
        return Reason.INVALID_SIDE
    if auction.secondary_price > 0 and auction.secondary != AuctionSecondary.OFF:
        return Reason.INVALID_COMBINATION
    reason = check_price(book, trigger)
    if reason != Reason.NONE:
        return reason
    if trigger < auction.reserve:
        return Reason.BELOW_RESERVE
    if auction.cap != 0 and trigger > auction.cap:
        return Reason.ABOVE_CAP
    if c.quantity < 1 or c.quantity > MAX_LOTS:
        return Reason.INVALID_QUANTITY
    if c.quantity % book.auction_step != 0:
        return Reason.OFF_LOT
    return Reason.AMOUNT_OVERFLOW if auction.quantity + c.quantity > book.quantity_cap else Reason.NONE


@plain
def set_cost_reserve(s, c):
    """SET_COST_RESERVE: lots that are offered beside the others if the price would exceed a trigger; frozen now."""
    reason, at = find_auction(s, c, c.target, np.int64(AuctionStage.ANNOUNCED))
    if reason != Reason.NONE:
        return reason
    auction = s.auctions[at]
    reason = check_cost_reserve(s, c, auction)
    if reason != Reason.NONE:
        return reason
    book = s.books[auction.instrument]
    more = (c.quantity - auction.reserve_lots) * book.units_per_lot if s.prefunded else np.int64(0)
    reason = check_auction_funds(s, book, auction.account, auction.side, more)
    if reason != Reason.NONE:
        return reason
    auction.trigger = c.price
    auction.reserve_lots = c.quantity
    auction.frozen += more
    freeze(s, book, auction.account, auction.side, more)
    about_auction(
        s, c, EventKind.COST_RESERVE_SET, 0, auction, 0, auction.trigger, c.quantity, auction.account, 0, 0, more, 0
    )
    return Reason.NONE
