"""Which phases of listed trading are calls, and what may be entered in them."""

import numpy as np

from engine.kernel.admission import check_reference
from engine.kernel.compiler import plain, small
from engine.kernel.waiting import is_stop_type
from engine.layout import CALLS
from engine.schema import Mode, Phase, Reason, TimeInForce

CALL_PHASES = 1 << Phase.OPEN_CALL | 1 << Phase.CLOSE_CALL | 1 << Phase.VOLATILITY_CALL
COLLECTING = CALL_PHASES | 1 << Phase.PRE_OPEN
"""Phases in which orders rest without being matched."""
UNDECIDED = COLLECTING | 1 << Phase.HALT
"""Phases that may stand between the entry of an order for a call and its uncrossing."""


@small
def is_call(phase):
    return CALL_PHASES >> np.int64(phase) & 1 != 0


@small
def takes_call_orders(book):
    """Whether orders of an instrument rest without being matched now: in a call, and before the first one."""
    return (book.further & CALLS != 0) & (COLLECTING >> book.phases[Mode.LISTED] & 1 != 0)


@plain
def check_entry_phase(book, c):
    """Check 3: continuous trading, or a call for those orders that calls take."""
    if book.phases[Mode.LISTED] != Phase.CONTINUOUS:
        barred = c["flags"] != 0 or c.target != 0 or is_stop_type(c.order_type)
        if not takes_call_orders(book) or barred or c.time_in_force == TimeInForce.FOK:
            return Reason.WRONG_PHASE
    return check_reference(book)
