"""Auctions: announcement, sealed bids, clearing by price, time, lot and proportion."""

from __future__ import annotations

from engine.reference.exchange import Command, Exchange, Refused
from engine.schema import Reason


def announce_auction(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def auction_bid(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def auction_bid_replace(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def auction_bid_withdraw(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def cancel_auction(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def close_auction(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def commit_seed(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def open_auction(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def reveal_seed(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)
