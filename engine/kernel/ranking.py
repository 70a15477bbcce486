"""Which bids come first: best price, then time or lot. Rows of the bids table are sorted, nothing is moved.

Sources: SEEE notice 2025-23 and KRX (ties by time), Regulation (EU) 1031/2010 art. 7 (ties by lot, by an algorithm
fixed before the auction): the lot is a hash of the bid's number and a seed that was committed to beforehand.
"""

from engine.kernel.bids import opposite
from engine.kernel.compiler import plain, small
from engine.kernel.sha256 import lot_of
from engine.schema import AuctionTie, Side

DIGIT_BITS = 8
DIGITS = 1 << DIGIT_BITS
KEY_BITS = 64


@plain
def collect_bids(s, auction):
    """The live bids of an auction into `ranking[0]`, by id. Returns their number."""
    count = 0
    for row in range(1, s.bids_used + 1):
        if s.bids[row].quantity > 0 and s.bids[row].auction == auction.id:
            s.ranking[0, count] = row
            count += 1
    return count


@plain
def rank_bids(s, c, auction, count):
    """Sort `ranking[0]`: best price first, then earlier or by lot, then the smaller id (they stand by id already).

    A least-significant-digit radix sort is stable, so the last key sorted by comes first: the price.
    """
    for i in range(count):
        row = s.ranking[0, i]
        bid = s.bids[row]
        s.rank_keys[row] = bid.priority if auction.tie == AuctionTie.TIME else lot_of(s, c, bid.id)
    sort_by_key(s, count)
    descending = opposite(auction.side) == Side.BUY
    ceiling = s.books[auction.instrument].ceiling
    for i in range(count):
        row = s.ranking[0, i]
        price = s.bids[row].price
        s.rank_keys[row] = ceiling - price if descending else price
    sort_by_key(s, count)


@plain
def sort_by_key(s, count):
    """Stable sort of `ranking[0]` by the keys of its rows, which are not negative."""
    differing = differing_bits(s, count)
    here = 0
    for shift in range(0, KEY_BITS, DIGIT_BITS):
        if differing >> shift & DIGITS - 1 != 0:
            sort_by_digit(s, count, here, shift)
            here = 1 - here
    if here == 1:
        for i in range(count):
            s.ranking[0, i] = s.ranking[1, i]


@plain
def differing_bits(s, count):
    """In which bits the keys are not all the same: digits without one need no sorting."""
    first = s.rank_keys[s.ranking[0, 0]]
    bits = first ^ first
    for i in range(count):
        bits |= first ^ s.rank_keys[s.ranking[0, i]]
    return bits


@plain
def sort_by_digit(s, count, here, shift):
    """Stable distribution of one row of `ranking` into the other by one digit of the keys."""
    for digit in range(DIGITS):
        s.digits[digit] = 0
    for i in range(count):
        s.digits[digit_of(s, s.ranking[here, i], shift)] += 1
    place = 0
    for digit in range(DIGITS):
        found = s.digits[digit]
        s.digits[digit] = place
        place += found
    for i in range(count):
        row = s.ranking[here, i]
        digit = digit_of(s, row, shift)
        s.ranking[1 - here, s.digits[digit]] = row
        s.digits[digit] += 1


@small
def digit_of(s, row, shift):
    return s.rank_keys[row] >> shift & DIGITS - 1
