"""How many lots of a cost containment reserve an auction releases.

Sources: RGGI rules as adopted in COMAR 26.09.04.06 B (sold only when the demand above the trigger price exceeds what is
offered without the reserve), RGGI auction notice 27 (2015: 10 million allowances at USD 6.00).
"""

import numpy as np

from engine.kernel.auction_events import about_auction
from engine.kernel.compiler import plain
from engine.schema import EventKind


@plain
def bids_from(s, count, price):
    """How many of the ranked bids of a selling auction are at a price or above it."""
    standing = 0
    while standing < count and s.bids[s.ranking[0, standing]].price >= price:
        standing += 1
    return standing


@plain
def release_cost_reserve(s, c, auction, count):
    """Lots released, which the auction offers from now on too; tells how many, none included."""
    above = at_or_above = np.int64(0)
    for i in range(count):
        bid = s.bids[s.ranking[0, i]]
        if bid.price > auction.trigger:
            above += bid.quantity
        if bid.price >= auction.trigger:
            at_or_above += bid.quantity
    released = np.int64(0)
    if above > auction.quantity:
        released = min(np.int64(auction.reserve_lots), at_or_above - auction.quantity)
    auction.quantity += released
    about_auction(
        s, c, EventKind.COST_RESERVE_RELEASED, 0, auction, 0, auction.trigger, released, auction.account,
        auction.reserve_lots - released, above, 0, 0,
    )  # fmt: skip
    return released
