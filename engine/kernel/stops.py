"""Stop orders become active, one after the other, at the end of a command.

Source: stop, stop-limit and stop-limit iceberg orders as in FIX and the rules of ICE and EEX T7.
"""

import numpy as np

from engine.kernel.book import dequeue, end_further, enqueue
from engine.kernel.compiler import plain, rare
from engine.kernel.events import triggered
from engine.kernel.matching import run_further
from engine.kernel.waiting import met_stop
from engine.layout import STOPS
from engine.schema import Mode, Phase


@rare
def trigger_stops(s, c, instrument):
    """While trading is continuous: whatever the last price meets, as it changes by the trades of those before."""
    book = s.books[instrument]
    while book.further & STOPS and book.phases[Mode.LISTED] == Phase.CONTINUOUS:
        slot = met_stop(s, instrument)
        if slot == 0:
            return
        trigger(s, c, slot, book.last)


@plain
def trigger(s, c, slot, last):
    """A waiting stop is matched as a new order; its rest gets a new place in the book.

    It acts in its own name: whoever sent the command whose trades met it learns nothing of it.
    """
    order = s.orders[slot]
    dequeue(s, slot)
    own = s.acting[0]
    own.sequence = c.sequence
    own.timestamp = c.timestamp
    own.session = order.session
    own.client_order_id = order.client_order_id
    triggered(s, own, order, np.int64(s.extras[slot].stop_price), last)
    if run_further(s, own, slot):
        enqueue(s, slot)
    else:
        end_further(s, slot)
