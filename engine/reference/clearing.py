"""How an auction ends: ranking, clearing price, allocation, delivery, or its cancellation.

The rules: docs/blocks-and-auctions.md section 8, "Clearing". Sources: rule book section 6; Regulation (EU) 1031/2010
art. 7 (uniform price, ties by lot, undersubscription, secondary market), UK regulation 2021 no. 484 reg. 7 (partial
sale, the price rises to the bid that meets the secondary market), 17 CCR 95911 (proportional share of a tie, the rest
by random number), SEEE notice 2025-23 and the KRX rules (ties by time).
"""

from __future__ import annotations

import hashlib
import struct
from typing import NamedTuple

from engine.reference.auction_bounds import last_day_to_secure
from engine.reference.bids import bids_of, end_bid, freeze, is_better, lock_for, market_of, opposite
from engine.reference.exchange import Exchange, Market, Refused
from engine.reference.money import cash_lock, fee_on, require_free
from engine.reference.registers import Auction, Bid
from engine.schema import (
    BASIS_POINTS,
    AuctionPrice,
    AuctionSecondary,
    AuctionShort,
    AuctionStage,
    AuctionTie,
    EventKind,
    Reason,
    Side,
)


def lot(seed: bytes, bid: Bid) -> int:
    """The random number that decides between equal prices: the first 8 bytes of SHA-256(seed, bid id), less one bit."""
    digest = hashlib.sha256(seed + struct.pack("<q", bid.id)).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def ranked(auction: Auction, bids: list[Bid], seed: bytes) -> list[Bid]:
    """Best price first; bids of one price by time, or by lot."""
    sign = -1 if auction.side == Side.SELL else 1
    if auction.tie == AuctionTie.TIME:
        return sorted(bids, key=lambda bid: (sign * bid.price, bid.priority))
    return sorted(bids, key=lambda bid: (sign * bid.price, lot(seed, bid), bid.id))


def price_reached(bids: list[Bid], quantity: int) -> int:
    """The price of the ranked bid at which the running sum reaches the quantity, else the worst price."""
    total = 0
    for bid in bids:
        total += bid.quantity
        if total >= quantity:
            return bid.price
    return bids[-1].price


def far_below(auction: Auction, price: int) -> bool:
    """Whether a price is worse for the initiator than the secondary market by more than the threshold."""
    if not auction.secondary_price or auction.secondary == AuctionSecondary.OFF:
        return False
    if auction.side == Side.SELL:
        return price * BASIS_POINTS < auction.secondary_price * (BASIS_POINTS - auction.secondary_bps)
    return price * BASIS_POINTS > auction.secondary_price * (BASIS_POINTS + auction.secondary_bps)


def clear(x: Exchange, auction: Auction, seed: bytes) -> None:
    """Bidding is over and the lots are drawn: sell what the rules allow."""
    bids = ranked(auction, bids_of(x, auction), seed)
    demand = sum(bid.quantity for bid in bids)
    if not bids:
        return fail(x, auction, bids, Reason.NO_BIDS)
    if demand < auction.quantity and auction.short == AuctionShort.CANCEL:
        return fail(x, auction, bids, Reason.UNDERSUBSCRIBED)
    chosen, least = add_cost_reserve(x, auction, bids)
    price = least or price_reached(chosen, auction.quantity)
    if far_below(auction, price):
        chosen = [bid for bid in bids if not far_below(auction, bid.price)]
        if auction.secondary == AuctionSecondary.CANCEL or not chosen:
            return fail(x, auction, bids, Reason.BELOW_SECONDARY)
        price = price_reached(chosen, auction.quantity)

    sold = Sale(x, auction).carry_out(chosen, allocate(x, auction, chosen, price), price)
    for bid in bids:
        if bid.quantity:
            end_bid(x, bid, Reason.NOT_ALLOCATED)
        else:
            del x.bids[bid.id]
    market = market_of(x, auction)
    market.auction_volume += sold
    market.auction_price = price
    unfrozen = end_auction(x, auction)
    carry_over(x, auction, auction.quantity - sold)
    x.emit(
        EventKind.AUCTION_CLEARED,
        instrument=auction.instrument,
        price=price,
        quantity=sold,
        account=auction.account,
        order_id=auction.id,
        remaining=auction.quantity - sold,
        contra_remaining=demand,
        aux=unfrozen,
        aux2=len(bids),
    )


def add_cost_reserve(x: Exchange, auction: Auction, bids: list[Bid]) -> tuple[list[Bid], int]:
    """Offer the cost containment reserve too, where the lots bid above its trigger exceed those offered.

    Returns the bids that may win and the price where the reserve is not used up: that of the trigger; else 0.
    """
    if not auction.reserve_lots:
        return bids, 0
    above = sum(bid.quantity for bid in bids if bid.price > auction.trigger)
    good = [bid for bid in bids if bid.price >= auction.trigger] if above > auction.quantity else []
    wanted = sum(bid.quantity for bid in good) - auction.quantity
    released = min(wanted, auction.reserve_lots) if good else 0
    auction.quantity += released
    x.emit(
        EventKind.COST_RESERVE_RELEASED,
        instrument=auction.instrument,
        price=auction.trigger,
        quantity=released,
        account=auction.account,
        order_id=auction.id,
        remaining=auction.reserve_lots - released,
        contra_remaining=above,
    )
    if not good:
        return bids, 0
    return good, auction.trigger if released < auction.reserve_lots else 0


def allocate(x: Exchange, auction: Auction, bids: list[Bid], price: int) -> dict[int, int]:
    """Lots for every ranked bid by its id: better than the clearing price in full, the rest at the clearing price."""
    better = [bid for bid in bids if is_better(auction, bid.price, price)]
    lots = {bid.id: bid.quantity for bid in better}
    tied = [bid for bid in bids if bid.price == price]
    rest = auction.quantity - sum(lots.values())
    at_price = sum(bid.quantity for bid in tied)
    if auction.tie == AuctionTie.PRORATA_RANDOM and at_price > rest:
        return lots | prorata(tied, rest, at_price, market_of(x, auction).terms.auction_step)
    for bid in tied:
        lots[bid.id] = min(bid.quantity, rest)
        rest -= lots[bid.id]
    return lots


def prorata(tied: list[Bid], rest: int, at_price: int, step: int) -> dict[int, int]:
    """Shares rounded down to the step, what is left one step each by lot (17 CCR 95911)."""
    lots = {bid.id: rest * bid.quantity // at_price // step * step for bid in tied}
    left = rest - sum(lots.values())
    while left:
        for bid in tied:
            if left and lots[bid.id] < bid.quantity:
                lots[bid.id] += step
                left -= step
    return lots


class Money(NamedTuple):
    """What one trade of an auction costs and releases."""

    released: int = 0
    buyer_fee: int = 0
    seller_fee: int = 0


class Sale:
    """The trades of one auction, in rank order; fees of the initiator grow over all of them."""

    def __init__(self, x: Exchange, auction: Auction) -> None:
        self.x = x
        self.auction = auction
        self.market: Market = market_of(x, auction)
        self.left = auction.quantity
        self.cumulative_amount = 0

    def carry_out(self, bids: list[Bid], lots: dict[int, int], clearing_price: int) -> int:
        """Trade; the bids' quantities become what is left of them. Returns the lots sold."""
        for bid in bids:
            if lots.get(bid.id):
                uniform = self.auction.price_rule == AuctionPrice.UNIFORM
                self.trade(bid, lots[bid.id], clearing_price if uniform else bid.price)
        return self.auction.quantity - self.left

    def trade(self, bid: Bid, lots: int, price: int) -> None:
        """Delivery against payment out of what both have frozen, events."""
        x, auction = self.x, self.auction
        bid.quantity -= lots
        self.left -= lots
        money = Money()
        if x.venue.prefunded:
            settle = self.settle_sale if auction.side == Side.SELL else self.settle_purchase
            money = settle(bid, lots, price)
        x.emit(
            EventKind.AUCTION_TRADE,
            side=opposite(auction.side),
            instrument=auction.instrument,
            price=price,
            quantity=lots,
            account=bid.account,
            contra_account=auction.account,
            order_id=bid.id,
            contra_order_id=auction.id,
            client_order_id=bid.client_order_id,
            contra_client_order_id=auction.client_order_id,
            remaining=bid.quantity,
            contra_remaining=self.left,
            aux=money.released,
            session=bid.session,
            contra_session=auction.session,
        )
        if money.buyer_fee or money.seller_fee:
            self.tell_fees(bid, lots, price, money)

    def tell_fees(self, bid: Bid, lots: int, price: int, money: Money) -> None:
        buyer, seller = (bid, self.auction) if self.auction.side == Side.SELL else (self.auction, bid)
        self.x.emit(
            EventKind.FEE,
            instrument=self.auction.instrument,
            price=price,
            quantity=lots,
            account=buyer.account,
            contra_account=seller.account,
            order_id=buyer.id,
            contra_order_id=seller.id,
            client_order_id=buyer.client_order_id,
            contra_client_order_id=seller.client_order_id,
            aux=money.buyer_fee,
            aux2=money.seller_fee,
            session=buyer.session,
            contra_session=seller.session,
        )

    def initiator_fee(self, pay: int) -> int:
        """The fee on all that the initiator sold or bought so far, less what has been charged."""
        before = fee_on(self.market.terms, self.cumulative_amount)
        self.cumulative_amount += pay
        return fee_on(self.market.terms, self.cumulative_amount) - before

    def settle_sale(self, bid: Bid, lots: int, price: int) -> Money:
        """The initiator sells: units out of its freeze, cash out of the bidder's lock, whose surplus is released."""
        terms = self.market.terms
        pay = price * lots * terms.tick_value
        seller_fee = self.initiator_fee(pay)
        buyer_fee = fee_on(terms, pay)
        lock_freed = bid.locked - cash_lock(terms, pay, bid.price, bid.quantity)
        bid.locked -= lock_freed
        released = lock_freed - pay - buyer_fee
        purse = self.x.accounts[bid.account].cash_in(terms.currency)
        purse.auction_locked -= lock_freed
        purse.free += released
        self.auction.frozen -= lots * terms.units_per_lot
        self.deliver(self.auction.account, bid.account, lots * terms.units_per_lot, pay - seller_fee)
        self.x.fees[terms.currency] += buyer_fee + seller_fee
        return Money(released, buyer_fee, seller_fee)

    def settle_purchase(self, bid: Bid, lots: int, price: int) -> Money:
        """The initiator buys: it pays out of its freeze; the bidder's units leave its own."""
        terms = self.market.terms
        pay = price * lots * terms.tick_value
        buyer_fee = self.initiator_fee(pay)
        seller_fee = fee_on(terms, pay)
        self.auction.frozen -= pay + buyer_fee
        self.x.accounts[self.auction.account].cash_in(terms.currency).auction_locked -= pay + buyer_fee
        bid.locked -= lots * terms.units_per_lot
        self.deliver(bid.account, self.auction.account, lots * terms.units_per_lot, pay - seller_fee)
        self.x.fees[terms.currency] += buyer_fee + seller_fee
        return Money(0, buyer_fee, seller_fee)

    def deliver(self, seller: int, buyer: int, units: int, proceeds: int) -> None:
        """Units to the buyer (T+1 as in every mode: rule book, B5), money to the seller."""
        terms = self.market.terms
        self.x.accounts[seller].hold_of(terms.asset).auction_frozen -= units
        received = self.x.accounts[buyer].hold_of(terms.asset)
        if self.x.venue.settlement_days:
            received.bought_today += units
        else:
            received.free += units
        purse = self.x.accounts[seller].cash_in(terms.currency)
        purse.free += proceeds
        purse.proceeds_today += proceeds


def end_auction(x: Exchange, auction: Auction) -> int:
    """What the initiator has still frozen is freed and the auction is gone. Returns the amount."""
    released, auction.frozen = auction.frozen, 0
    freeze(x, market_of(x, auction), auction.side, auction.account, -released)
    del x.auctions[auction.id]
    return released


def carry_over(x: Exchange, auction: Auction, unsold: int) -> None:
    """Unsold lots are spread over the following auctions of the instrument (EEX 2018 and UK: the next four)."""
    over = x.venue.auction_carry_over
    if not over or auction.side != Side.SELL:
        return
    market = market_of(x, auction)
    step = market.terms.auction_step
    share = unsold // over // step * step
    for following in range(over - 1):
        market.carried[following] += share
    market.carried[over - 1] += unsold - share * (over - 1)


def fail(x: Exchange, auction: Auction, bids: list[Bid], reason: Reason) -> None:
    """Nothing is sold: the bids end in the order given, and what was offered is carried over."""
    call_off(x, auction, bids, reason)
    carry_over(x, auction, auction.quantity)


def call_off(x: Exchange, auction: Auction, bids: list[Bid], reason: Reason) -> None:
    """The bids end in the order given, the auction after them. What was offered is not carried over."""
    demand = sum(bid.quantity for bid in bids)
    for bid in bids:
        end_bid(x, bid, reason)
    unfrozen = end_auction(x, auction)
    x.emit(
        EventKind.AUCTION_CANCELLED,
        reason=reason,
        instrument=auction.instrument,
        price=auction.reserve,
        quantity=auction.quantity,
        account=auction.account,
        order_id=auction.id,
        contra_remaining=demand,
        aux=unfrozen,
        aux2=len(bids),
    )


def count_notice_days(x: Exchange) -> None:
    """A trading day opens. What an auction offers is frozen as soon as it is in place; on the last day that leaves the
    time between freezing and the earliest opening, an auction without it is withdrawn (rule book, O1)."""
    for _, auction in sorted(x.auctions.items()):
        auction.days += 1
        if auction.stage != AuctionStage.APPLIED:
            continue
        market = market_of(x, auction)
        frozen = lock_for(x, market, auction.side, auction.reserve, auction.quantity)
        try:
            require_free(x, market, auction.side, auction.account, frozen)
        except Refused:
            if auction.days >= last_day_to_secure(x):
                call_off(x, auction, [], Reason.NOT_IN_PLACE)
            continue
        auction.stage, auction.frozen = int(AuctionStage.ANNOUNCED), frozen
        freeze(x, market, auction.side, auction.account, frozen)
        x.emit(
            EventKind.AUCTION_SECURED,
            side=auction.side,
            instrument=auction.instrument,
            price=auction.reserve,
            quantity=auction.quantity,
            account=auction.account,
            order_id=auction.id,
            aux=frozen,
        )


def expire_auctions(x: Exchange) -> None:
    """EXPIRE_ORDERS: what is open or awaits its seed does not outlast the day; announced ones stay."""
    for _, auction in sorted(x.auctions.items()):
        if auction.stage in (AuctionStage.OPEN, AuctionStage.CLOSED):
            call_off(x, auction, bids_of(x, auction), Reason.END_OF_DAY)
