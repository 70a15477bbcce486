"""Sealed bids: entry, change, withdrawal, and how one ends (docs/blocks-and-auctions.md section 8; rule book section 4,
O6: a bid may be changed and withdrawn while the window is open)."""

from __future__ import annotations

from engine.reference.admission import check_account, check_account_active, check_role
from engine.reference.auction_bounds import require_within_purchase_limit
from engine.reference.exchange import Cash, Command, Exchange, Market, Refused
from engine.reference.limits import require_firm_active, require_member_limits, require_not_halted
from engine.reference.money import bucket_of, cash_lock, fee_on, require_free
from engine.reference.order_terms import check_side
from engine.reference.registers import Auction, Bid
from engine.schema import MAX_MONEY, MAX_QUANTITY, AuctionStage, EventKind, Mode, Phase, Reason, Side


def opposite(side: int) -> int:
    return int(Side.SELL if side == Side.BUY else Side.BUY)


def market_of(x: Exchange, auction: Auction) -> Market:
    return x.markets[auction.instrument - 1]


def bids_of(x: Exchange, auction: Auction) -> list[Bid]:
    """The live bids of an auction, by id."""
    return [bid for _, bid in sorted(x.bids.items()) if bid.auction == auction.id]


def is_better(auction: Auction, price: int, than: int) -> bool:
    """For the bidder's price: higher in a selling auction, lower in a reverse one."""
    return price > than if auction.side == Side.SELL else price < than


def lock_for(x: Exchange, market: Market, side: int, price: int, quantity: int) -> int:
    """What freezes for an auction: cash with the fee (buy) or units (sell); 0 without pre-funding."""
    if not x.venue.prefunded:
        return 0
    return cash_lock(market.terms, 0, price, quantity) if side == Side.BUY else quantity * market.terms.units_per_lot


def freeze(x: Exchange, market: Market, side: int, account: int, amount: int) -> None:
    """From free to the bucket of auctions; a negative amount is freed."""
    if not amount:
        return
    bucket = bucket_of(x, market, side, account)
    bucket.free -= amount
    if isinstance(bucket, Cash):
        bucket.auction_locked += amount
    else:
        bucket.auction_frozen += amount


def require_overflow_free(market: Market, quantity: int) -> None:
    """Check 8 of NEW_ORDER."""
    most = market.ceiling * quantity * market.terms.tick_value
    if most + fee_on(market.terms, most) > MAX_MONEY:
        raise Refused(Reason.AMOUNT_OVERFLOW)


def auction_bid(x: Exchange, command: Command) -> None:
    """AUCTION_BID: told to its owner only."""
    check_side(command.side)
    check_role(x, command)
    check_account(x, command)
    auction = x.auctions.get(command.target)
    if auction is None or auction.instrument != command.instrument:
        raise Refused(Reason.UNKNOWN_AUCTION)
    if command.side == auction.side:
        raise Refused(Reason.INVALID_SIDE)
    market = check_open_for_bids(x, auction, command.account)
    group = x.owner_group(command.account)
    if x.venue.self_trade_mode and group and group == x.owner_group(auction.account):
        raise Refused(Reason.SELF_TRADE)
    check_bid_terms(market, auction, command.price, command.quantity)
    require_member_limits(x, market, command.account, command.side, command.price, command.quantity)
    require_within_purchase_limit(x, market.terms, auction, command.account, command.quantity)
    if len(x.bids) >= x.venue.capacity.bids:
        raise Refused(Reason.BID_TABLE_FULL)
    locked = lock_for(x, market, command.side, command.price, command.quantity)
    require_free(x, market, command.side, command.account, locked)

    x.last_order_id += 1
    bid = Bid(
        id=x.last_order_id,
        auction=auction.id,
        account=command.account,
        price=command.price,
        quantity=command.quantity,
        priority=x.event_sequence + 1,
        locked=locked,
        session=command.session,
        client_order_id=command.client_order_id,
    )
    x.bids[bid.id] = bid
    freeze(x, market, command.side, bid.account, locked)
    x.emit(
        EventKind.BID_ACCEPTED,
        side=command.side,
        instrument=auction.instrument,
        price=bid.price,
        quantity=bid.quantity,
        account=bid.account,
        order_id=bid.id,
        contra_order_id=auction.id,
        remaining=bid.quantity,
        aux=locked,
    )


def check_open_for_bids(x: Exchange, auction: Auction, account: int) -> Market:
    """The window is open, nothing is stopped, the bidder may act."""
    market = market_of(x, auction)
    check_stage(auction, AuctionStage.OPEN)
    if market.phases[Mode.BIDDING] != Phase.CONTINUOUS:
        raise Refused(Reason.WRONG_PHASE)
    require_not_halted(x, market)
    check_account_active(x, account)
    require_firm_active(x, account)
    return market


def check_stage(auction: Auction, stage: AuctionStage) -> None:
    if auction.stage != stage:
        raise Refused(Reason.WRONG_AUCTION_STAGE)


def check_bid_terms(market: Market, auction: Auction, price: int, quantity: int) -> None:
    """Rule book, O2: between the reserve and the cap; in lots of the auction."""
    terms = market.terms
    if price < 1:
        raise Refused(Reason.INVALID_PRICE)
    if price % terms.price_step:
        raise Refused(Reason.OFF_TICK)
    if not 1 <= quantity <= MAX_QUANTITY:
        raise Refused(Reason.INVALID_QUANTITY)
    if quantity % terms.auction_step:
        raise Refused(Reason.OFF_LOT)
    if quantity > terms.auction_bid_max:
        raise Refused(Reason.QUANTITY_TOO_LARGE)
    if not market.floor <= price <= market.ceiling:
        raise Refused(Reason.PRICE_OUT_OF_WINDOW)
    if is_better(auction, auction.reserve, price):
        raise Refused(Reason.BELOW_RESERVE)
    if auction.cap and is_better(auction, price, auction.cap):
        raise Refused(Reason.ABOVE_CAP)
    require_overflow_free(market, quantity)


def find_own_bid(x: Exchange, command: Command) -> Bid:
    """A foreign bid is refused like one that does not exist."""
    bid = x.bids.get(command.target)
    if bid is None:
        raise Refused(Reason.UNKNOWN_ORDER)
    if command.session and x.venue.prefunded:
        owned = x.owns_account(command.session, bid.account)
    else:
        owned = command.session in (0, bid.session)
    if not owned:
        raise Refused(Reason.UNKNOWN_ORDER)
    return bid


def auction_bid_replace(x: Exchange, command: Command) -> None:
    """AUCTION_BID_REPLACE: another price or more lots lose the bid's time, where the venue says so (rule book, O6)."""
    check_role(x, command)
    bid = find_own_bid(x, command)
    auction = x.auctions[bid.auction]
    side = opposite(auction.side)
    market = check_open_for_bids(x, auction, bid.account)
    check_bid_terms(market, auction, command.price, command.quantity)
    require_member_limits(x, market, bid.account, side, command.price, command.quantity)
    require_within_purchase_limit(x, market.terms, auction, bid.account, command.quantity, instead_of=bid.id)
    more = lock_for(x, market, side, command.price, command.quantity) - bid.locked
    require_free(x, market, side, bid.account, more)

    keeps_time = x.venue.bid_amend == "KEEPS_TIME" or (command.price == bid.price and command.quantity <= bid.quantity)
    if not keeps_time:
        bid.priority = x.event_sequence + 1
    bid.price, bid.quantity = command.price, command.quantity
    bid.locked += more
    freeze(x, market, side, bid.account, more)
    x.emit(
        EventKind.BID_REPLACED,
        side=side,
        instrument=auction.instrument,
        price=bid.price,
        quantity=bid.quantity,
        account=bid.account,
        order_id=bid.id,
        contra_order_id=auction.id,
        client_order_id=bid.client_order_id,
        contra_client_order_id=command.client_order_id,
        remaining=bid.quantity,
        aux=more,
        aux2=int(keeps_time),
        session=bid.session,
        contra_session=command.session,
    )


def auction_bid_withdraw(x: Exchange, command: Command) -> None:
    """AUCTION_BID_WITHDRAW: until the window closes, also while bidding is interrupted."""
    check_role(x, command)
    bid = find_own_bid(x, command)
    auction = x.auctions[bid.auction]
    check_stage(auction, AuctionStage.OPEN)
    if market_of(x, auction).phases[Mode.BIDDING] == Phase.CLOSED:
        raise Refused(Reason.WRONG_PHASE)

    end_bid(x, bid, Reason.USER_REQUESTED)


def end_bid(x: Exchange, bid: Bid, reason: Reason) -> None:
    """A bid ends with lots left: its lock is released and one BID_ENDED tells so."""
    auction = x.auctions[bid.auction]
    side = opposite(auction.side)
    released, bid.locked = bid.locked, 0
    freeze(x, market_of(x, auction), side, bid.account, -released)
    del x.bids[bid.id]
    x.emit(
        EventKind.BID_ENDED,
        reason=reason,
        side=side,
        instrument=auction.instrument,
        price=bid.price,
        quantity=bid.quantity,
        account=bid.account,
        order_id=bid.id,
        contra_order_id=auction.id,
        client_order_id=bid.client_order_id,
        contra_client_order_id=x.command.client_order_id,
        aux=released,
        session=bid.session,
        contra_session=x.command.session,
    )
