"""Volatility interruption: continuous trading stops before a trade outside the corridor, and a call begins.

Source: RTS 7 (Regulation (EU) 2017/584) art. 19.
"""

import numpy as np

from engine.kernel.compiler import plain, rare, small
from engine.kernel.events import phase_changed
from engine.kernel.rounding import half_up
from engine.layout import CORRIDOR
from engine.schema import BASIS_POINTS, MAX_PRICE, Mode, Phase


@plain
def narrow(book, reference, bps):
    """The corridor lies within `bps` of a reference, too; 0 of either = no such corridor."""
    if reference != 0 and bps != 0:
        low = half_up(reference * (BASIS_POINTS - bps), np.int64(BASIS_POINTS))
        high = half_up(reference * (BASIS_POINTS + bps), np.int64(BASIS_POINTS))
        book.corridor_from = max(book.corridor_from, low)
        book.corridor_to = min(book.corridor_to, high)


@rare
def set_corridor(book):
    """Where trades of this moment's command may lie: call before it trades."""
    book.corridor_from = 0
    book.corridor_to = MAX_PRICE
    if book.further & CORRIDOR:
        dynamic = book.last if book.last != 0 else book.previous_close
        static = book.call_price if book.call_price != 0 else book.previous_close
        narrow(book, dynamic, book.corridor_dynamic_bps)
        narrow(book, static, book.corridor_static_bps)


@small
def outside(book, price):
    return (price < book.corridor_from) | (price > book.corridor_to)


@rare
def interrupt(s, c, instrument):
    """Continuous trading of one instrument becomes a call."""
    book = s.books[instrument]
    book.phases[Mode.LISTED] = Phase.VOLATILITY_CALL
    book.call_frozen = 0
    phase_changed(s, c, instrument, Mode.LISTED, Phase.VOLATILITY_CALL, Phase.CONTINUOUS, 0)
