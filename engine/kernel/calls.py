"""The end of a call: what it collected is uncrossed, and what was for it alone ends.

Sources: KRX call auctions; T7. The rules: docs/call-auctions.md.
"""

import numpy as np

from engine.kernel.book import for_one_call, next_in_book
from engine.kernel.call_phases import UNDECIDED
from engine.kernel.compiler import rare
from engine.kernel.matching import cancel_resting
from engine.kernel.uncross import is_crossed, uncross
from engine.layout import CALLS
from engine.schema import EventKind, Reason


@rare
def end_call(s, c, instrument, phase):
    """Before an instrument enters `phase` of listed trading. Nothing, unless a call may end with it."""
    book = s.books[instrument]
    if not book.further & CALLS or UNDECIDED >> np.int64(phase) & 1:
        return
    if is_crossed(book):
        uncross(s, c, instrument)
    for k in range(2):
        slot = next_in_book(s, instrument, k, 0)
        while slot != 0 and book.call_only > 0:
            following = next_in_book(s, instrument, k, slot)
            if for_one_call(s.orders[slot]):
                cancel_resting(s, c, slot, EventKind.EXPIRED, Reason.CALL_REMAINDER)
            slot = following
