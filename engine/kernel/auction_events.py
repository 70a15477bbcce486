"""What is told of auctions and bids. Every event carries the auction's instrument."""

from engine.kernel.compiler import plain
from engine.kernel.events import listed_phase, write_event
from engine.schema import EventKind, Side

BOTH = int(Side.BUY) + int(Side.SELL)
"""Less one side it is the other one."""


@plain
def about_auction(s, c, kind, reason, auction, side, price, quantity, account, remaining, contra_remaining, aux, aux2):
    """ANNOUNCED, OPENED, CLOSED, CLEARED, CANCELLED: the session and number are the command's."""
    write_event(
        s, c, kind, reason, side, listed_phase(s, auction.instrument), 0, auction.instrument, price, quantity, account,
        0, auction.id, 0, c.client_order_id, 0, remaining, contra_remaining, aux, aux2, c.session, 0,
    )  # fmt: skip


@plain
def seed_words(s, c, kind, auction):
    """SEED_COMMITTED, SEED_REVEALED: 32 bytes over four fields."""
    write_event(
        s, c, kind, 0, 0, listed_phase(s, auction.instrument), 0, auction.instrument, 0, 0, 0, 0,
        auction.id, c.target, c.client_order_id, 0, c.expiry, 0, c.quantity, c.quantity2, c.session, 0,
    )  # fmt: skip


@plain
def about_bid(s, c, kind, reason, auction, bid, remaining, aux, aux2):
    """BID_ACCEPTED, BID_REPLACED, BID_ENDED: the bid's session and number, the command's as contra fields.

    A bid that is just entered is the command's own; it has no contra fields.
    """
    own = kind == EventKind.BID_ACCEPTED
    write_event(
        s, c, kind, reason, BOTH - auction.side, listed_phase(s, auction.instrument), 0,
        auction.instrument, bid.price, bid.quantity, bid.account, 0, bid.id, auction.id, bid.client_order_id,
        0 if own else c.client_order_id, remaining, 0, aux, aux2, bid.session, 0 if own else c.session,
    )  # fmt: skip


@plain
def auction_trade(s, c, auction, bid, price, lots, bid_left, auction_left, released):
    write_event(
        s, c, EventKind.AUCTION_TRADE, 0, BOTH - auction.side, listed_phase(s, auction.instrument), 0,
        auction.instrument, price, lots, bid.account, auction.account, bid.id, auction.id, bid.client_order_id,
        auction.client_order_id, bid_left, auction_left, released, 0, bid.session, auction.session,
    )  # fmt: skip


@plain
def auction_fee(s, c, auction, price, lots, buyer, seller, buyer_fee, seller_fee):
    """FEE: the bid and the auction stand for the two orders; the buyer comes first."""
    write_event(
        s, c, EventKind.FEE, 0, 0, listed_phase(s, auction.instrument), 0, auction.instrument, price, lots,
        buyer.account, seller.account, buyer.id, seller.id, buyer.client_order_id, seller.client_order_id,
        0, 0, buyer_fee, seller_fee, buyer.session, seller.session,
    )  # fmt: skip
