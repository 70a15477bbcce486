"""What bounds an auction beside its own terms: the floor of the year, one bidder's share, notice in trading days.

The rules: docs/blocks-and-auctions.md section 8, "Bounds". Sources: 17 CCR 95911 (annual reserve price, purchase
limits), rule book section 4, O1 (ten working days from the application, five from the freezing, to the opening).
"""

from __future__ import annotations

from engine.reference.exchange import Exchange, Refused, Terms
from engine.reference.money import half_up
from engine.reference.registers import Auction
from engine.schema import BASIS_POINTS, MAX_PRICE, PPM, Reason, Side


def yearly_floor(terms: Terms, year: int) -> int:
    """Each year's floor is that of the year before, with the rise and inflation, half-up to the tick; 0 = none."""
    if not terms.auction_floor or year < terms.auction_floor_year:
        return 0
    price = terms.auction_floor
    inflation = iter(terms.auction_floor_inflation_ppm)
    for _ in range(terms.auction_floor_year, year):
        added = terms.auction_floor_rise_bps * (PPM // BASIS_POINTS) + next(inflation, 0)
        price = min(MAX_PRICE, half_up(price * (PPM + added), PPM))
    return price


def require_yearly_floor(x: Exchange, terms: Terms, side: int, reserve: int) -> None:
    """Asked of what sells, in the year of the trading date."""
    least = yearly_floor(terms, x.trading_date // 10_000)
    if side == Side.SELL and reserve < least:
        raise Refused(Reason.BELOW_FLOOR, least)


def bids_as_one(x: Exchange, account: int, other: int) -> bool:
    """Accounts of one firm or of one owner group share a purchase limit; labels stand for themselves."""
    if not x.venue.prefunded or account == other:
        return account == other
    first, second = x.accounts[account], x.accounts[other]
    return first.firm == second.firm or 0 != first.owner_group == second.owner_group


def require_within_purchase_limit(
    x: Exchange, terms: Terms, auction: Auction, account: int, lots: int, instead_of: int = 0
) -> None:
    """A share of the lots offered: one for bidders with a compliance obligation, one for all others."""
    if auction.side != Side.SELL:
        return
    covered = any(due.due and bids_as_one(x, account, due.account) for due in x.obligations.values())
    share = terms.auction_covered_bps if covered else terms.auction_other_bps
    if not share:
        return
    own = (bid for bid in x.bids.values() if bid.auction == auction.id and bids_as_one(x, account, bid.account))
    left = auction.quantity * share // BASIS_POINTS - sum(bid.quantity for bid in own if bid.id != instead_of)
    if lots > left:
        raise Refused(Reason.PURCHASE_LIMIT, max(0, left))


def last_day_to_secure(x: Exchange) -> int:
    """Trading days after the announcement; 0 = everything is in place when an auction is announced."""
    freeze_days = x.venue.auction_freeze_days
    return x.venue.auction_notice_days - freeze_days if freeze_days else 0


def require_notice(x: Exchange, auction: Auction) -> None:
    if auction.days < x.venue.auction_notice_days:
        raise Refused(Reason.NOTICE_PERIOD, x.venue.auction_notice_days - auction.days)
