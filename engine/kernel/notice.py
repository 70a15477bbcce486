"""Notice of auctions in trading days: how long before it opens one is announced, and what it offers is frozen.

Source: SEEE practice as reported in 2025 (rule book section 4, O1): the seller applies ten working days before, units
are in place and frozen five working days before, else the auction is withdrawn.
"""

from engine.kernel.auction_events import about_auction
from engine.kernel.bids import check_auction_funds, freeze, lock_in_auction
from engine.kernel.clearing import call_off
from engine.kernel.compiler import plain, small
from engine.schema import AuctionStage, EventKind, Reason


@small
def days_to_secure(s):
    """How many trading days after the announcement what is offered may still be put in place; 0 = none."""
    return s.auction_notice_days - s.auction_freeze_days if s.auction_freeze_days > 0 else 0


@small
def check_notice(s, auction):
    missing = s.auction_notice_days - auction.days
    if missing <= 0:
        return Reason.NONE
    s.refusal = missing
    return Reason.NOTICE_PERIOD


@plain
def count_notice_days(s, c):
    """A trading day opens: what can be frozen is, and what is not in place by its last day is withdrawn."""
    for row in range(1, s.auctions_used + 1):
        auction = s.auctions[row]
        if auction.quantity == 0:
            continue
        auction.days += 1
        if auction.stage == AuctionStage.APPLIED:
            secure(s, c, row, auction)


@plain
def secure(s, c, row, auction):
    book = s.books[auction.instrument]
    need = lock_in_auction(s, book, auction.side, auction.reserve, auction.quantity)
    if check_auction_funds(s, book, auction.account, auction.side, need) == Reason.NONE:
        freeze(s, book, auction.account, auction.side, need)
        auction.frozen = need
        auction.stage = AuctionStage.ANNOUNCED
        about_auction(
            s, c, EventKind.AUCTION_SECURED, 0, auction, auction.side, auction.reserve, auction.quantity,
            auction.account, 0, 0, need, 0,
        )  # fmt: skip
    elif auction.days >= days_to_secure(s):
        call_off(s, c, row, 0, Reason.NOT_IN_PLACE)
