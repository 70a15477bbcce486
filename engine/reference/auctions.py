"""Auctions (one-way bidding and primary auctions): announcement, seed, window (docs/blocks-and-auctions.md section 8).

Sources: SEEE notice 2025-23 (floor, cap, uniform or pay-as-bid price), Regulation (EU) 1031/2010 art. 7; rule book
section 4, O1 to O8, and section 6: the seed of ties is committed to before the window opens. Bids: `bids`; the end of
an auction: `clearing`.
"""

from __future__ import annotations

import hashlib
import struct
from typing import NamedTuple

from engine.reference.admission import check_role, find_listed_market
from engine.reference.auction_bounds import last_day_to_secure, require_notice, require_yearly_floor
from engine.reference.bids import bids_of, check_stage, freeze, lock_for, market_of, require_overflow_free
from engine.reference.clearing import call_off, clear
from engine.reference.exchange import Command, Exchange, Market, Refused
from engine.reference.limits import require_not_halted
from engine.reference.money import require_free
from engine.reference.order_terms import check_side
from engine.reference.phases import change_phase
from engine.reference.registers import Auction
from engine.schema import (
    BASIS_POINTS,
    MAX_PRICE,
    MAX_QUANTITY,
    AuctionPrice,
    AuctionSecondary,
    AuctionShort,
    AuctionStage,
    AuctionTie,
    DayStage,
    EventKind,
    Mode,
    Phase,
    Reason,
    Side,
)


class Policies(NamedTuple):
    """What decides the clearing; 0 in a command's part means the venue's."""

    price_rule: int
    tie: int
    short: int
    secondary: int


def stated_policies(scope: int) -> Policies:
    """Four parts of two bits. Raises Refused for a part that is no value of its enum."""
    stated = Policies(scope & 3, scope >> 2 & 3, scope >> 4 & 3, scope >> 6 & 3)
    if stated.price_rule > AuctionPrice.PAY_AS_BID or stated.short > AuctionShort.CANCEL:
        raise Refused(Reason.INVALID_SCOPE)
    return stated


def policies_in_force(x: Exchange, stated: Policies) -> Policies:
    venue = x.venue
    return Policies(
        stated.price_rule or int(AuctionPrice[venue.auction_price]),
        stated.tie or int(AuctionTie[venue.auction_tie]),
        stated.short or int(AuctionShort[venue.auction_short]),
        stated.secondary or int(AuctionSecondary[venue.auction_secondary]),
    )


def announce_auction(x: Exchange, command: Command) -> None:
    """ANNOUNCE_AUCTION: what is offered (or sought) is frozen in full (rule book, O1)."""
    check_side(command.side)
    stated = stated_policies(command.scope)
    check_role(x, command)
    if not (x.account_exists(command.account) if x.venue.prefunded else command.account >= 0):
        raise Refused(Reason.UNKNOWN_ACCOUNT)
    market = find_listed_market(x, command.instrument)
    if not market.terms.auctioned:
        raise Refused(Reason.MODE_NOT_OFFERED)
    if x.day_stage != DayStage.OPEN:
        raise Refused(Reason.DAY_CLOSED)
    check_price(market, command.price)
    check_stated_cap(market, command)
    check_offered_quantity(market, command.quantity)
    check_reserve_rule(market, command)
    cap = effective_cap(market, command)
    if not (0 <= command.quantity2 <= MAX_PRICE and 0 <= command.target <= BASIS_POINTS):
        raise Refused(Reason.INVALID_AMOUNT)
    require_yearly_floor(x, market.terms, command.side, command.price)
    carried = growth(x, market, command)
    quantity = command.quantity + carried
    require_overflow_free(market, quantity)
    if len(x.auctions) >= x.venue.capacity.auctions:
        raise Refused(Reason.AUCTION_TABLE_FULL)
    frozen, stage = lock_for(x, market, command.side, command.price, quantity), AuctionStage.ANNOUNCED
    try:
        require_free(x, market, command.side, command.account, frozen)
    except Refused:
        if not last_day_to_secure(x):
            raise
        frozen, stage = 0, AuctionStage.APPLIED

    if x.venue.auction_carry_over and command.side == Side.SELL:
        next_carried, *later = market.carried[1:]
        market.carried = [next_carried + market.carried[0] - carried, *later, 0]
    policies = policies_in_force(x, stated)
    x.last_auction_id += 1
    auction = Auction(
        id=x.last_auction_id,
        instrument=command.instrument,
        side=command.side,
        account=command.account,
        price_rule=policies.price_rule,
        tie=policies.tie,
        short=policies.short,
        secondary=policies.secondary,
        stage=int(stage),
        reserve=command.price,
        cap=cap,
        quantity=quantity,
        secondary_price=command.quantity2,
        secondary_bps=command.target,
        frozen=frozen,
        session=command.session,
        client_order_id=command.client_order_id,
    )
    x.auctions[auction.id] = auction
    freeze(x, market, auction.side, auction.account, frozen)
    x.emit(
        EventKind.AUCTION_ANNOUNCED,
        side=auction.side,
        instrument=auction.instrument,
        price=auction.reserve,
        quantity=quantity,
        account=auction.account,
        order_id=auction.id,
        remaining=cap,
        contra_remaining=carried,
        aux=frozen,
        aux2=policies.price_rule | policies.tie << 2 | policies.short << 4 | policies.secondary << 6,
    )


def check_price(market: Market, price: int) -> None:
    if price < 1:
        raise Refused(Reason.INVALID_PRICE)
    if price % market.terms.price_step:
        raise Refused(Reason.OFF_TICK)
    if not market.floor <= price <= market.ceiling:
        raise Refused(Reason.PRICE_OUT_OF_WINDOW)


def check_stated_cap(market: Market, command: Command) -> None:
    if command.price2:
        check_price(market, command.price2)
        check_cap_above_reserve(command, command.price2)


def check_cap_above_reserve(command: Command, cap: int) -> None:
    """The best price a bidder may name is not worse than the worst one that is accepted."""
    if cap < command.price if command.side == Side.SELL else cap > command.price:
        raise Refused(Reason.INVALID_COMBINATION)


def check_offered_quantity(market: Market, quantity: int) -> None:
    if not 1 <= quantity <= MAX_QUANTITY:
        raise Refused(Reason.INVALID_QUANTITY)
    if quantity % market.terms.auction_step:
        raise Refused(Reason.OFF_LOT)
    if quantity < market.terms.auction_min:
        raise Refused(Reason.QUANTITY_TOO_SMALL)


def check_reserve_rule(market: Market, command: Command) -> None:
    """The floor is the previous close or the day's limit below it (rule book, O2)."""
    if market.terms.auction_reserve == "ANY":
        return
    if not market.previous_close:
        raise Refused(Reason.NO_REFERENCE_PRICE)
    limit = market.limit_down if command.side == Side.SELL else market.limit_up
    if command.price not in (market.previous_close, limit):
        raise Refused(Reason.BELOW_RESERVE)


def effective_cap(market: Market, command: Command) -> int:
    """The stated cap, held inside the day's limit where the instrument says so (rule book, O2); 0 = none."""
    if market.terms.auction_cap == "NONE":
        return command.price2
    if not market.previous_close:
        raise Refused(Reason.NO_REFERENCE_PRICE)
    limit = market.limit_up if command.side == Side.SELL else market.limit_down
    if not limit:
        return command.price2
    nearer = min if command.side == Side.SELL else max
    cap = nearer(command.price2, limit) if command.price2 else limit
    check_cap_above_reserve(command, cap)
    return cap


def growth(x: Exchange, market: Market, command: Command) -> int:
    """Lots carried over from earlier auctions that fit into this one (UK: to at most 125 % of its own)."""
    if not x.venue.auction_carry_over or command.side != Side.SELL:
        return 0
    room = max(0, command.quantity * (x.venue.auction_carry_cap_bps - BASIS_POINTS) // BASIS_POINTS)
    step = market.terms.auction_step
    return min(market.carried[0], room) // step * step


def find_auction(x: Exchange, number: int) -> Auction:
    auction = x.auctions.get(number)
    if auction is None:
        raise Refused(Reason.UNKNOWN_AUCTION)
    return auction


def commit_seed(x: Exchange, command: Command) -> None:
    """COMMIT_SEED: before the window opens, so that nobody can choose the lots afterwards."""
    check_role(x, command)
    auction = find_auction(x, command.account)
    check_stage(auction, AuctionStage.ANNOUNCED)

    auction.committed = 1
    auction.seed1, auction.seed2, auction.seed3, auction.seed4 = words_of(command)
    tell_words(x, EventKind.SEED_COMMITTED, auction, command)


def words_of(command: Command) -> tuple[int, int, int, int]:
    """32 bytes as four little-endian words."""
    return command.target, command.expiry, command.quantity, command.quantity2


def tell_words(x: Exchange, kind: EventKind, auction: Auction, command: Command) -> None:
    first, second, third, fourth = words_of(command)
    x.emit(
        kind,
        instrument=auction.instrument,
        order_id=auction.id,
        contra_order_id=first,
        remaining=second,
        aux=third,
        aux2=fourth,
    )


def set_cost_reserve(x: Exchange, command: Command) -> None:
    """SET_COST_RESERVE: lots that come to the others where the price would exceed the trigger (RGGI)."""
    check_role(x, command)
    auction = find_auction(x, command.target)
    check_stage(auction, AuctionStage.ANNOUNCED)
    market = market_of(x, auction)
    if auction.side == Side.BUY:
        raise Refused(Reason.INVALID_SIDE)
    if auction.secondary_price and auction.secondary != AuctionSecondary.OFF:
        raise Refused(Reason.INVALID_COMBINATION)
    check_price(market, command.price)
    if command.price < auction.reserve:
        raise Refused(Reason.BELOW_RESERVE)
    if 0 < auction.cap < command.price:
        raise Refused(Reason.ABOVE_CAP)
    if not 1 <= command.quantity <= MAX_QUANTITY:
        raise Refused(Reason.INVALID_QUANTITY)
    if command.quantity % market.terms.auction_step:
        raise Refused(Reason.OFF_LOT)
    require_overflow_free(market, auction.quantity + command.quantity)
    before = lock_for(x, market, auction.side, auction.trigger, auction.reserve_lots)
    more = lock_for(x, market, auction.side, command.price, command.quantity) - before
    require_free(x, market, auction.side, auction.account, more)

    auction.trigger, auction.reserve_lots = command.price, command.quantity
    auction.frozen += more
    freeze(x, market, auction.side, auction.account, more)
    x.emit(
        EventKind.COST_RESERVE_SET,
        instrument=auction.instrument,
        price=auction.trigger,
        quantity=auction.reserve_lots,
        account=auction.account,
        order_id=auction.id,
        aux=more,
    )


def open_auction(x: Exchange, command: Command) -> None:
    """OPEN_AUCTION: the bidding window opens."""
    check_role(x, command)
    auction = find_auction(x, command.target)
    market = market_of(x, auction)
    check_stage(auction, AuctionStage.ANNOUNCED)
    if x.day_stage != DayStage.OPEN:
        raise Refused(Reason.DAY_CLOSED)
    require_not_halted(x, market)
    require_notice(x, auction)
    require_yearly_floor(x, market.terms, auction.side, auction.reserve)
    if auction.tie != AuctionTie.TIME and not auction.committed:
        raise Refused(Reason.SEED_NOT_COMMITTED)

    auction.stage = int(AuctionStage.OPEN)
    x.emit(
        EventKind.AUCTION_OPENED,
        instrument=auction.instrument,
        quantity=auction.quantity,
        account=auction.account,
        order_id=auction.id,
    )
    if market.phases[Mode.BIDDING] != Phase.CONTINUOUS:
        change_phase(x, market, Mode.BIDDING, int(Phase.CONTINUOUS))


def close_auction(x: Exchange, command: Command) -> None:
    """CLOSE_AUCTION: bidding ends; where no lots are drawn the auction clears at once."""
    check_role(x, command)
    auction = find_auction(x, command.target)
    check_stage(auction, AuctionStage.OPEN)

    auction.stage = int(AuctionStage.CLOSED)
    if auction.tie == AuctionTie.TIME:
        close_bidding(x, market_of(x, auction))
        clear(x, auction, b"")
        return
    x.emit(
        EventKind.AUCTION_CLOSED,
        instrument=auction.instrument,
        quantity=auction.quantity,
        order_id=auction.id,
        remaining=len(bids_of(x, auction)),
    )
    close_bidding(x, market_of(x, auction))


def close_bidding(x: Exchange, market: Market) -> None:
    """The BIDDING phase ends with the instrument's last open auction."""
    still_open = any(
        auction.instrument == market.instrument and auction.stage == AuctionStage.OPEN
        for auction in x.auctions.values()
    )
    if not still_open and market.phases[Mode.BIDDING] != Phase.CLOSED:
        change_phase(x, market, Mode.BIDDING, int(Phase.CLOSED))


def reveal_seed(x: Exchange, command: Command) -> None:
    """REVEAL_SEED: the seed must be the one that was committed to."""
    check_role(x, command)
    auction = find_auction(x, command.account)
    check_stage(auction, AuctionStage.CLOSED)
    seed = struct.pack("<4q", *words_of(command))
    committed = struct.pack("<4q", auction.seed1, auction.seed2, auction.seed3, auction.seed4)
    if hashlib.sha256(seed).digest() != committed:
        raise Refused(Reason.SEED_MISMATCH)

    tell_words(x, EventKind.SEED_REVEALED, auction, command)
    clear(x, auction, seed)


def cancel_auction(x: Exchange, command: Command) -> None:
    """CANCEL_AUCTION: at any time before it clears."""
    check_role(x, command)
    auction = find_auction(x, command.target)

    was_open = auction.stage == AuctionStage.OPEN
    call_off(x, auction, bids_of(x, auction), Reason.AUCTION_WITHDRAWN)
    if was_open:
        close_bidding(x, market_of(x, auction))
