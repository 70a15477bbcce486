"""Auctions: announcement, sealed bids, clearing by price, time, lot and proportion."""

from engine.kernel.compiler import plain
from engine.schema import Reason


@plain
def announce_auction(s, c):
    return Reason.INVALID_KIND


@plain
def auction_bid(s, c):
    return Reason.INVALID_KIND


@plain
def auction_bid_replace(s, c):
    return Reason.INVALID_KIND


@plain
def auction_bid_withdraw(s, c):
    return Reason.INVALID_KIND


@plain
def cancel_auction(s, c):
    return Reason.INVALID_KIND


@plain
def close_auction(s, c):
    return Reason.INVALID_KIND


@plain
def commit_seed(s, c):
    return Reason.INVALID_KIND


@plain
def open_auction(s, c):
    return Reason.INVALID_KIND


@plain
def reveal_seed(s, c):
    return Reason.INVALID_KIND


@plain
def end_bid(s, c, row, reason):
    """BID_ENDED of the live bid in `row`: `controls` imports this (so the checks must come from `limits`)."""
