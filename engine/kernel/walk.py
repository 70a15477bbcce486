"""The walk before an order that must find a quantity: what could trade now, in match order. Nothing changes."""

import numpy as np

from engine.kernel.admission import mode_in_force, owner_group
from engine.kernel.bitmap import NOTHING
from engine.kernel.compiler import plain, small
from engine.kernel.corridor import outside
from engine.kernel.levels import first_position, head_at, worse_position
from engine.kernel.veils import is_hidden, is_iceberg, offered_lots
from engine.layout import VEILED
from engine.schema import SelfTrade, Side


@small
def is_own(s, order, mode, group):
    """Whether self-trade prevention keeps a taker of `group` from trading with a resting order."""
    return mode != 0 and owner_group(s, order.account) == group


@plain
def displayed_lots(s, slot, mode, group, wanted):
    """Lots that the orders from `slot` on offer at their price, hidden orders aside, as soon as `wanted` are found.

    Returns (lots, slot at which the walk went on or ended, whether an own order ended it).
    """
    found = np.int64(0)
    while slot != 0 and found < wanted and not is_hidden(s.orders[slot]):
        order = s.orders[slot]
        if not is_own(s, order, mode, group):
            found += offered_lots(s, slot)
        elif mode != SelfTrade.CANCEL_MAKER:
            return found, slot, True
        slot = np.int64(order.next)
    return found, slot, False


@plain
def veiled_parts(s, slot, mode, group):
    """Lots that the icebergs from `slot` on do not show at their price."""
    found = np.int64(0)
    while slot != 0 and not is_hidden(s.orders[slot]):
        order = s.orders[slot]
        if is_iceberg(order) and not is_own(s, order, mode, group):
            found += np.int64(order.remaining) - s.extras[slot].visible
        slot = np.int64(order.next)
    return found


@small
def queue_lots(s, slot, mode, group, wanted):
    """As `displayed_lots`, of all orders from `slot` on with all they have. Returns (lots, whether an own order ended
    the walk)."""
    found = np.int64(0)
    while slot != 0 and found < wanted:
        order = s.orders[slot]
        if not is_own(s, order, mode, group):
            found += order.remaining
        elif mode != SelfTrade.CANCEL_MAKER:
            return found, True
        slot = np.int64(order.next)
    return found, False


@plain
def veiled_level(s, head, mode, group, wanted):
    """What a price offers: the displayed orders, the hidden parts of icebergs, the hidden orders, in this order."""
    found, behind, ended = displayed_lots(s, head, mode, group, wanted)
    if ended or found >= wanted:
        return found, ended
    found += veiled_parts(s, head, mode, group)
    more, ended = queue_lots(s, behind, mode, group, wanted - found)
    return found + more, ended


@plain
def fillable(s, instrument, side, price, wanted, account, self_trade):
    """Whether `wanted` lots could trade now, inside limit, sweep levels and corridor."""
    book = s.books[instrument]
    other = 2 - np.int64(side)
    mode = mode_in_force(s, account, self_trade)
    group = owner_group(s, account)
    left = np.int64(wanted)
    visited = 0
    position = first_position(s, instrument, other)
    while position != NOTHING and (s.sweep_levels == 0 or visited < s.sweep_levels):
        at = position + book.floor
        if (at > price) if side == Side.BUY else (at < price):
            return False
        if book.further and outside(book, at):
            return False
        visited += 1
        head = head_at(s, instrument, other, position)
        if book.further & VEILED:
            found, ended = veiled_level(s, head, mode, group, left)
        else:
            found, ended = queue_lots(s, head, mode, group, left)
        left -= found
        if left <= 0:
            return True
        if ended:
            return False
        position = worse_position(s, instrument, other, position)
    return False
