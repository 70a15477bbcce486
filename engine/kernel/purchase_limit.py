"""The share of an auction that one bidder may bid for.

Source: 17 CCR 95911 (purchase limits: 25 % of the allowances offered for covered entities, 4 % for others; one limit
for entities with a direct corporate association), refused at entry as rule book section 6 has it.
"""

import numpy as np

from engine.kernel.admission import owner_group
from engine.kernel.compiler import plain, small
from engine.schema import BASIS_POINTS, Reason, Side


@small
def one_bidder(s, account, other):
    """Whether two accounts bid as one: of one firm, or of one owner group."""
    if account == other:
        return True
    if not s.prefunded:
        return False
    group = owner_group(s, account)
    return s.accounts[account].firm == s.accounts[other].firm or (group != 0 and group == owner_group(s, other))


@plain
def is_covered(s, account):
    """Whether an account of this bidder has a compliance obligation."""
    for row in range(1, s.obligations_used + 1):
        if s.obligations[row].due > 0 and one_bidder(s, account, s.obligations[row].account):
            return True
    return False


@plain
def check_purchase_limit(s, auction, account, lots, own):
    """Bids of this bidder, with `lots` more and without the bid in row `own`, within its share of the lots offered."""
    bounds = s.auction_bounds[auction.instrument]
    if auction.side != Side.SELL or (bounds.covered_bps == 0 and bounds.other_bps == 0):
        return Reason.NONE
    share = bounds.covered_bps if is_covered(s, account) else bounds.other_bps
    if share == 0:
        return Reason.NONE
    left = auction.quantity * share // BASIS_POINTS
    for row in range(1, s.bids_used + 1):
        bid = s.bids[row]
        if row != own and bid.quantity > 0 and bid.auction == auction.id and one_bidder(s, account, bid.account):
            left -= bid.quantity
    if lots <= left:
        return Reason.NONE
    s.refusal = max(np.int64(0), left)
    return Reason.PURCHASE_LIMIT
