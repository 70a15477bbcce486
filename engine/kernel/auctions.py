"""Auctions: announcement, seed, opening, closing, cancelling. How they clear: `clearing`.

Sources: SEEE notice 2025-23 (one-way bidding: at least 100,000 t, floor, cap), Regulation (EU) 1031/2010 art. 7 (rules
fixed before the window opens: hence the commitment to the seed of the lots).
"""

import numpy as np

from engine.kernel.admission import MAX_LOTS, check_listed, check_role
from engine.kernel.auction_events import about_auction, seed_words
from engine.kernel.bids import (
    auction_bid,
    auction_bid_replace,
    auction_bid_withdraw,
    beyond,
    check_auction_funds,
    end_bid,
    freeze,
    lock_in_auction,
    opposite,
)
from engine.kernel.clearing import call_off, clear_auction
from engine.kernel.compiler import plain, small
from engine.kernel.events import phase_changed
from engine.kernel.limits import check_halted
from engine.kernel.notice import check_notice, days_to_secure
from engine.kernel.ranking import collect_bids
from engine.kernel.registers import compact, live_row
from engine.kernel.sha256 import seed_fits
from engine.kernel.yearly_floor import check_yearly_floor
from engine.schema import (
    BASIS_POINTS,
    AuctionStage,
    AuctionTie,
    DayStage,
    EventKind,
    Mode,
    Phase,
    Reason,
    Side,
)


@small
def part_of(scope, shift, default):
    """One part of the announcement's policies, two bits; 0 = the venue's."""
    stated = scope >> shift & 3
    return stated if stated != 0 else default


@small
def check_price(book, price):
    if price < 1:
        return Reason.INVALID_PRICE
    if price % book.price_step != 0:
        return Reason.OFF_TICK
    return Reason.PRICE_OUT_OF_WINDOW if price < book.floor or price > book.ceiling else Reason.NONE


@plain
def effective_cap(book, side, stated):
    """The stated cap or the day's limit where that is nearer to the reserve; 0 = none. `side` is the initiator's."""
    limit = np.int64(0)
    if book.auction_cap_bound:
        limit = book.limit_up if side == Side.SELL else book.limit_down
    if limit == 0 or stated == 0:
        return limit + stated
    return min(limit, stated) if side == Side.SELL else max(limit, stated)


@plain
def check_announcement(s, c):
    """Up to the instrument."""
    if c.side != Side.BUY and c.side != Side.SELL:
        return Reason.INVALID_SIDE
    if c.scope & 3 == 3 or c.scope >> 4 & 3 == 3:
        return Reason.INVALID_SCOPE
    reason = check_role(s, c)
    if reason != Reason.NONE:
        return reason
    if (c.account < 1 or c.account > s.accounts_open) if s.prefunded else c.account < 0:
        return Reason.UNKNOWN_ACCOUNT
    reason = check_listed(s, c.instrument)
    if reason != Reason.NONE:
        return reason
    if not s.books[c.instrument].auctioned:
        return Reason.MODE_NOT_OFFERED
    return Reason.NONE if s.day_stage == DayStage.OPEN else Reason.DAY_CLOSED


@plain
def check_auction_terms(s, c, book):
    """Reserve, cap, quantity, the instrument's own bounds, secondary price."""
    bidder = opposite(c.side)
    reserve, cap = np.int64(c.price), np.int64(c.price2)
    reason = check_price(book, reserve)
    if reason == Reason.NONE and cap != 0:
        reason = check_price(book, cap)
        if reason == Reason.NONE and beyond(bidder, reserve, cap):
            reason = Reason.INVALID_COMBINATION
    if reason != Reason.NONE:
        return reason
    if c.quantity < 1 or c.quantity > MAX_LOTS:
        return Reason.INVALID_QUANTITY
    if c.quantity % book.auction_step != 0:
        return Reason.OFF_LOT
    if c.quantity < book.auction_min:
        return Reason.QUANTITY_TOO_SMALL
    if book.auction_reserve_bound:
        if book.previous_close == 0:
            return Reason.NO_REFERENCE_PRICE
        if reserve != book.previous_close and reserve != (book.limit_down if c.side == Side.SELL else book.limit_up):
            return Reason.BELOW_RESERVE
    if book.auction_cap_bound:
        if book.previous_close == 0:
            return Reason.NO_REFERENCE_PRICE
        effective = effective_cap(book, c.side, cap)
        if effective != 0 and beyond(bidder, reserve, effective):
            return Reason.INVALID_COMBINATION
    if c.quantity2 < 0 or c.quantity2 > MAX_LOTS or c.target < 0 or c.target > BASIS_POINTS:
        return Reason.INVALID_AMOUNT
    return Reason.NONE


@small
def growth_of(s, book, c):
    """Lots carried over into this auction: at most a share of its own quantity, whole steps."""
    if s.auction_carry_over == 0 or c.side != Side.SELL:
        return np.int64(0)
    most = c.quantity * (s.auction_carry_cap_bps - BASIS_POINTS) // BASIS_POINTS
    return max(np.int64(0), min(book.carried[0], most)) // book.auction_step * book.auction_step


@plain
def room_for_auction(s):
    """Whether there is a free row. May move rows, which nobody can tell from outside."""
    if s.auctions_used >= s.auction_capacity:
        s.auctions_used = compact(s.auctions, s.auctions_used)
    return s.auctions_used < s.auction_capacity


@plain
def announce_auction(s, c):
    """ANNOUNCE_AUCTION: the rules are fixed, the initiator's lots or cash are frozen."""
    reason = check_announcement(s, c)
    if reason != Reason.NONE:
        return reason
    book = s.books[c.instrument]
    reason = check_auction_terms(s, c, book)
    if reason == Reason.NONE:
        reason = check_yearly_floor(s, c.instrument, c.side, np.int64(c.price))
    if reason != Reason.NONE:
        return reason
    growth = growth_of(s, book, c)
    quantity = c.quantity + growth
    if quantity > book.quantity_cap:
        return Reason.AMOUNT_OVERFLOW
    if not room_for_auction(s):
        return Reason.AUCTION_TABLE_FULL
    need = lock_in_auction(s, book, c.side, np.int64(c.price), quantity)
    reason = check_auction_funds(s, book, c.account, c.side, need)
    if reason != Reason.NONE:
        if days_to_secure(s) < 1:
            return reason
        need = np.int64(0)
    stage = AuctionStage.ANNOUNCED if reason == Reason.NONE else AuctionStage.APPLIED
    if s.auction_carry_over > 0 and c.side == Side.SELL:
        move_carried_up(book, growth)
    write_auction(s, c, book, quantity, need, stage)
    freeze(s, book, c.account, c.side, need)
    auction = s.auctions[s.auctions_used]
    policies = auction.price_rule | auction.tie << 2 | auction.short << 4 | auction.secondary << 6
    about_auction(
        s, c, EventKind.AUCTION_ANNOUNCED, 0, auction, auction.side, auction.reserve, quantity, auction.account,
        auction.cap, growth, need, policies,
    )  # fmt: skip
    return Reason.NONE


@plain
def move_carried_up(book, growth):
    """What did not fit waits for the next auction; what waits for later ones comes one place nearer."""
    left = book.carried[0] - growth
    book.carried[0] = book.carried[1] + left
    book.carried[1] = book.carried[2]
    book.carried[2] = book.carried[3]
    book.carried[3] = 0


@plain
def write_auction(s, c, book, quantity, frozen, stage):
    """The next auction, in the next row."""
    s.last_auction_id += 1
    s.auctions_used += 1
    auction = s.auctions[s.auctions_used]
    auction.id = s.last_auction_id
    auction.instrument = c.instrument
    auction.side = c.side
    auction.account = c.account
    scope = np.int64(c.scope)
    auction.price_rule = part_of(scope, 0, s.auction_price_rule)
    auction.tie = part_of(scope, 2, s.auction_tie)
    auction.short = part_of(scope, 4, s.auction_short)
    auction.secondary = part_of(scope, 6, s.auction_secondary)
    auction.stage = stage
    auction.reserve = c.price
    auction.cap = effective_cap(book, c.side, np.int64(c.price2))
    auction.quantity = quantity
    auction.secondary_price = c.quantity2
    auction.secondary_bps = c.target
    auction.frozen = frozen
    auction.committed = 0
    auction.seed1 = 0
    auction.seed2 = 0
    auction.seed3 = 0
    auction.seed4 = 0
    auction.session = c.session
    auction.client_order_id = c.client_order_id
    auction.trigger = 0
    auction.reserve_lots = 0
    auction.days = 0


@small
def find_auction(s, c, number, stage):
    """(why not, row) of the live auction that an operator addresses, in a stage (0 = any)."""
    reason = check_role(s, c)
    if reason != Reason.NONE:
        return reason, np.int64(0)
    at = live_row(s.auctions, s.auctions_used, number)
    if at == 0:
        return Reason.UNKNOWN_AUCTION, at
    if stage != 0 and s.auctions[at].stage != stage:
        return Reason.WRONG_AUCTION_STAGE, at
    return Reason.NONE, at


@plain
def commit_seed(s, c):
    """COMMIT_SEED: the hash of the seed, before the window opens."""
    reason, at = find_auction(s, c, np.int64(c.account), np.int64(AuctionStage.ANNOUNCED))
    if reason != Reason.NONE:
        return reason
    auction = s.auctions[at]
    auction.committed = 1
    auction.seed1 = c.target
    auction.seed2 = c.expiry
    auction.seed3 = c.quantity
    auction.seed4 = c.quantity2
    seed_words(s, c, EventKind.SEED_COMMITTED, auction)
    return Reason.NONE


@plain
def open_auction(s, c):
    """OPEN_AUCTION: the window opens, and with it the instrument's bidding phase."""
    reason, at = find_auction(s, c, c.target, np.int64(AuctionStage.ANNOUNCED))
    if reason != Reason.NONE:
        return reason
    auction = s.auctions[at]
    book = s.books[auction.instrument]
    if s.day_stage != DayStage.OPEN:
        return Reason.DAY_CLOSED
    reason = check_halted(s, book)
    if reason == Reason.NONE:
        reason = check_notice(s, auction)
    if reason == Reason.NONE:
        reason = check_yearly_floor(s, auction.instrument, auction.side, auction.reserve)
    if reason != Reason.NONE:
        return reason
    if auction.tie != AuctionTie.TIME and auction.committed == 0:
        return Reason.SEED_NOT_COMMITTED
    auction.stage = AuctionStage.OPEN
    about_auction(s, c, EventKind.AUCTION_OPENED, 0, auction, 0, 0, auction.quantity, auction.account, 0, 0, 0, 0)
    change_bidding(s, c, auction.instrument, Phase.CONTINUOUS)
    return Reason.NONE


@plain
def change_bidding(s, c, instrument, phase):
    """PHASE_CHANGED of mode BIDDING, when it is another phase."""
    book = s.books[instrument]
    previous = book.phases[Mode.BIDDING]
    if previous != phase:
        book.phases[Mode.BIDDING] = phase
        phase_changed(s, c, instrument, Mode.BIDDING, phase, previous, 0)


@plain
def close_bidding(s, c, instrument):
    """The bidding phase closes with the instrument's last open auction."""
    for row in range(1, s.auctions_used + 1):
        auction = s.auctions[row]
        if auction.quantity > 0 and auction.instrument == instrument and auction.stage == AuctionStage.OPEN:
            return
    change_bidding(s, c, instrument, Phase.CLOSED)


@plain
def close_auction(s, c):
    """CLOSE_AUCTION: without lots to draw it clears at once, else it waits for the seed."""
    reason, at = find_auction(s, c, c.target, np.int64(AuctionStage.OPEN))
    if reason != Reason.NONE:
        return reason
    auction = s.auctions[at]
    auction.stage = AuctionStage.CLOSED
    if auction.tie == AuctionTie.TIME:
        close_bidding(s, c, auction.instrument)
        clear_auction(s, c, at)
        return Reason.NONE
    count = collect_bids(s, auction)
    about_auction(s, c, EventKind.AUCTION_CLOSED, 0, auction, 0, 0, auction.quantity, 0, count, 0, 0, 0)
    close_bidding(s, c, auction.instrument)
    return Reason.NONE


@plain
def reveal_seed(s, c):
    """REVEAL_SEED: the seed that was committed to; the auction clears."""
    reason, at = find_auction(s, c, np.int64(c.account), np.int64(AuctionStage.CLOSED))
    if reason != Reason.NONE:
        return reason
    if not seed_fits(s, s.auctions[at], c):
        return Reason.SEED_MISMATCH
    seed_words(s, c, EventKind.SEED_REVEALED, s.auctions[at])
    clear_auction(s, c, at)
    return Reason.NONE


@plain
def withdraw_auction(s, c, at, reason):
    """An auction of any stage is cancelled, its bids by id."""
    auction = s.auctions[at]
    was_open = auction.stage == AuctionStage.OPEN
    instrument = np.int64(auction.instrument)
    call_off(s, c, at, collect_bids(s, auction), reason)
    if was_open:
        close_bidding(s, c, instrument)


@plain
def cancel_auction(s, c):
    """CANCEL_AUCTION, by the operator."""
    reason, at = find_auction(s, c, c.target, np.int64(0))
    if reason != Reason.NONE:
        return reason
    withdraw_auction(s, c, at, Reason.AUCTION_WITHDRAWN)
    return Reason.NONE


@plain
def expire_auctions(s, c):
    """The end of the day cancels what is open or waits for its seed; announced auctions stay."""
    for row in range(1, s.auctions_used + 1):
        under_way = s.auctions[row].stage == AuctionStage.OPEN or s.auctions[row].stage == AuctionStage.CLOSED
        if s.auctions[row].quantity > 0 and under_way:
            withdraw_auction(s, c, row, Reason.END_OF_DAY)


__all__ = [
    "announce_auction",
    "auction_bid",
    "auction_bid_replace",
    "auction_bid_withdraw",
    "cancel_auction",
    "close_auction",
    "commit_seed",
    "end_bid",
    "expire_auctions",
    "open_auction",
    "reveal_seed",
]
