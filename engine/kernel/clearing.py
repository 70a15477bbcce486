"""How an auction ends: clearing price, allocation, trades, what is left over; or not at all.

Sources: SEEE notice 2025-23 (uniform or pay-as-bid, partial sale), Regulation (EU) 1031/2010 art. 7 and UK regulation
2021 no. 484 reg. 7 (undersubscription, a price far below the secondary market), 17 CCR 95911 (pro rata, the rest one by
one by random number), EEX 2018 and UK (unsold lots spread over the following auctions).
"""

import numpy as np

from engine.kernel.auction_events import about_auction, auction_fee, auction_trade
from engine.kernel.bids import end_bid, forget_bid, freeze, frozen_of, give_back_rows
from engine.kernel.compiler import plain, small
from engine.kernel.cost_reserve import bids_from, release_cost_reserve
from engine.kernel.ledger import balance_of, buy_lock, fee_on
from engine.kernel.ranking import collect_bids, rank_bids
from engine.kernel.registers import used_after
from engine.schema import (
    BASIS_POINTS,
    AuctionPrice,
    AuctionSecondary,
    AuctionShort,
    AuctionTie,
    EventKind,
    Reason,
    Side,
)


@plain
def clear_auction(s, c, at):
    """Rank, price, allocate, trade. Lots are drawn by the seed in the command. Afterwards row `at` is gone."""
    auction = s.auctions[at]
    count = collect_bids(s, auction)
    if count == 0:
        fail_auction(s, c, at, count, Reason.NO_BIDS)
        return
    rank_bids(s, c, auction, count)
    bid_for = sum_of_lots(s, count)
    if bid_for < auction.quantity and auction.short == AuctionShort.CANCEL:
        fail_auction(s, c, at, count, Reason.UNDERSUBSCRIBED)
        return
    standing = count
    released = release_cost_reserve(s, c, auction, count) if auction.reserve_lots > 0 else np.int64(0)
    if released > 0:
        standing = bids_from(s, count, auction.trigger)
    price = price_reached(s, auction, standing)
    if 0 < released < auction.reserve_lots:
        price = np.int64(auction.trigger)
    if auction.secondary_price > 0 and auction.secondary != AuctionSecondary.OFF and far_off(auction, price):
        standing = 0
        if auction.secondary == AuctionSecondary.RAISE:
            while standing < count and not far_off(auction, s.bids[s.ranking[0, standing]].price):
                standing += 1
        if standing == 0:
            fail_auction(s, c, at, count, Reason.BELOW_SECONDARY)
            return
        price = price_reached(s, auction, standing)
    sold = allot(s, auction, standing, count, price)
    trade_allotted(s, c, auction, count, price)
    conclude(s, c, at, count, price, sold, bid_for)


@plain
def sum_of_lots(s, count):
    total = np.int64(0)
    for i in range(count):
        total += s.bids[s.ranking[0, i]].quantity
    return total


@plain
def price_reached(s, auction, count):
    """The price of the bid at which the running sum reaches the quantity; the worst one where it never does."""
    running = np.int64(0)
    price = np.int64(0)
    for i in range(count):
        bid = s.bids[s.ranking[0, i]]
        price = bid.price
        running += bid.quantity
        if running >= auction.quantity:
            break
    return price


@small
def far_off(auction, price):
    """Far below the secondary market's price; in a reverse auction far above it."""
    if auction.side == Side.SELL:
        return price * BASIS_POINTS < auction.secondary_price * (BASIS_POINTS - auction.secondary_bps)
    return price * BASIS_POINTS > auction.secondary_price * (BASIS_POINTS + auction.secondary_bps)


@plain
def allot(s, auction, standing, count, price):
    """Lots per bid into `allotted`; only the first `standing` in rank take part. Returns the lots sold."""
    rest = np.int64(auction.quantity)
    tied = np.int64(0)
    first = last = 0
    for i in range(count):
        row = s.ranking[0, i]
        bid = s.bids[row]
        s.allotted[row] = 0
        if i < standing and bid.price == price:
            if tied == 0:
                first = i
            last = i + 1
            tied += bid.quantity
        elif i < standing and tied == 0:
            s.allotted[row] = bid.quantity
            rest -= bid.quantity
    offered = auction.quantity - rest
    if auction.tie == AuctionTie.PRORATA_RANDOM and tied > rest:
        allot_in_proportion(s, s.books[auction.instrument].auction_step, first, last, rest, tied)
        return offered + rest
    for i in range(first, last):
        row = s.ranking[0, i]
        s.allotted[row] = min(rest, s.bids[row].quantity)
        rest -= s.allotted[row]
        offered += s.allotted[row]
    return offered


@plain
def allot_in_proportion(s, step, first, last, rest, tied):
    """Each tied bid its share, rounded down to a step; what is left goes out a step each, by lot."""
    left = rest
    for i in range(first, last):
        row = s.ranking[0, i]
        share = share_of(rest, s.bids[row].quantity, tied)
        s.allotted[row] = share // step * step
        left -= s.allotted[row]
    while left > 0:
        for i in range(first, last):
            row = s.ranking[0, i]
            if left > 0 and s.allotted[row] < s.bids[row].quantity:
                part = min(step, min(left, s.bids[row].quantity - s.allotted[row]))
                s.allotted[row] += part
                left -= part


@small
def share_of(rest, lots, tied):
    """floor(rest x lots / tied), where rest < tied: byte by byte, because the product may exceed 2^63."""
    share = np.int64(0)
    remainder = np.int64(0)
    for shift in range(24, -1, -8):
        remainder = remainder * 256 + rest * (lots >> shift & 255)
        share = share * 256 + remainder // tied
        remainder %= tied
    return share


@plain
def trade_allotted(s, c, auction, count, price):
    """Trades in rank order. A bid's quantity shrinks by what it got; one that got everything is gone."""
    left = np.int64(auction.quantity)
    total = np.int64(0)
    for i in range(count):
        row = np.int64(s.ranking[0, i])
        lots = s.allotted[row]
        if lots == 0:
            continue
        paid = price if auction.price_rule == AuctionPrice.UNIFORM else s.bids[row].price
        left -= lots
        total = trade_bid(s, c, auction, row, paid, lots, left, total)
        if s.bids[row].quantity == 0:
            forget_bid(s, row)


@plain
def trade_bid(s, c, auction, row, price, lots, left, total):
    """One AUCTION_TRADE and its FEE. `total` is what the auction's trades came to before; returns it with this one."""
    bid = s.bids[row]
    book = s.books[auction.instrument]
    selling = auction.side == Side.SELL
    released = bid_fee = auction_fee_due = np.int64(0)
    pay = price * lots * book.tick_value
    bid.quantity -= lots
    if s.prefunded:
        if book.fee_ppm != 0:
            bid_fee = fee_on(pay, book.fee_ppm)
            auction_fee_due = fee_on(total + pay, book.fee_ppm) - fee_on(total, book.fee_ppm)
            s.fees[book.currency] += bid_fee + auction_fee_due
        if selling:
            released = sell_to_bid(s, book, auction, bid, lots, pay, bid_fee, auction_fee_due)
        else:
            buy_from_bid(s, book, auction, bid, lots, pay, bid_fee, auction_fee_due)
    auction_trade(s, c, auction, bid, price, lots, bid.quantity, left, released)
    if bid_fee != 0 or auction_fee_due != 0:
        if selling:
            auction_fee(s, c, auction, price, lots, bid, auction, bid_fee, auction_fee_due)
        else:
            auction_fee(s, c, auction, price, lots, auction, bid, auction_fee_due, bid_fee)
    return total + pay


@plain
def sell_to_bid(s, book, auction, bid, lots, pay, buyer_fee, seller_fee):
    """The bidder's lock pays, the initiator's frozen units leave. Returns what goes back to the bidder's free cash."""
    after = buy_lock(book, pay, bid.price, bid.quantity)
    spent = bid.locked - after
    released = spent - pay - buyer_fee
    bid.locked = after
    frozen_of(s, book, bid.account, Side.BUY).auction_frozen -= spent
    balance_of(s, book, bid.account, Side.BUY).free += released
    units = lots * book.units_per_lot
    auction.frozen -= units
    frozen_of(s, book, auction.account, Side.SELL).auction_frozen -= units
    hand_over(s, book, bid.account, auction.account, units, pay - seller_fee)
    return released


@plain
def buy_from_bid(s, book, auction, bid, lots, pay, seller_fee, buyer_fee):
    """Reverse: the initiator's frozen cash pays, the bidder's locked units leave."""
    auction.frozen -= pay + buyer_fee
    frozen_of(s, book, auction.account, Side.BUY).auction_frozen -= pay + buyer_fee
    units = lots * book.units_per_lot
    bid.locked -= units
    frozen_of(s, book, bid.account, Side.SELL).auction_frozen -= units
    hand_over(s, book, auction.account, bid.account, units, pay - seller_fee)


@small
def hand_over(s, book, buyer, seller, units, proceeds):
    """Units bought today settle after the close, sale proceeds may be spent at once: as in a listed trade."""
    bought = balance_of(s, book, buyer, Side.SELL)
    if s.next_day_units:
        bought.bought_today += units
    else:
        bought.free += units
    cash = balance_of(s, book, seller, Side.BUY)
    cash.free += proceeds
    cash.proceeds_today += proceeds


@plain
def conclude(s, c, at, count, price, sold, bid_for):
    """Bids with lots left end, the initiator's rest is freed, the figures are noted."""
    auction = s.auctions[at]
    book = s.books[auction.instrument]
    for i in range(count):
        row = np.int64(s.ranking[0, i])
        if s.bids[row].quantity > 0:
            end_bid(s, c, row, Reason.NOT_ALLOCATED)
    freed = thaw(s, auction)
    unsold = auction.quantity - sold
    about_auction(
        s, c, EventKind.AUCTION_CLEARED, 0, auction, 0, price, sold, auction.account, unsold, bid_for, freed, count
    )
    book.auction_volume += sold
    book.auction_price = price
    carry_unsold(s, auction, unsold)
    forget_auction(s, at)


@plain
def fail_auction(s, c, at, count, reason):
    """Nothing is sold: the lots that were offered may be carried over."""
    carry_unsold(s, s.auctions[at], s.auctions[at].quantity)
    call_off(s, c, at, count, reason)


@plain
def call_off(s, c, at, count, reason):
    """The bids in `ranking[0]` end in its order, then the auction is cancelled."""
    auction = s.auctions[at]
    bid_for = sum_of_lots(s, count)
    for i in range(count):
        end_bid(s, c, np.int64(s.ranking[0, i]), reason)
    freed = thaw(s, auction)
    about_auction(
        s, c, EventKind.AUCTION_CANCELLED, reason, auction, 0, auction.reserve, auction.quantity, auction.account,
        0, bid_for, freed, count,
    )  # fmt: skip
    forget_auction(s, at)


@plain
def thaw(s, auction):
    """What the initiator still has frozen goes back to free. Returns it."""
    freed = auction.frozen
    freeze(s, s.books[auction.instrument], auction.account, auction.side, -freed)
    auction.frozen = 0
    return freed


@plain
def carry_unsold(s, auction, unsold):
    """Unsold lots are spread over the following auctions of the instrument."""
    book = s.books[auction.instrument]
    following = s.auction_carry_over
    if auction.side != Side.SELL or following == 0:
        return
    part = unsold // following // book.auction_step * book.auction_step
    for n in range(following - 1):
        book.carried[n] += part
    book.carried[following - 1] += unsold - part * (following - 1)


@plain
def forget_auction(s, at):
    """The auction is gone, and with it its bids: dead rows at the ends of both tables are free again."""
    s.auctions[at].quantity = 0
    s.auctions_used = used_after(s.auctions, s.auctions_used)
    give_back_rows(s)
