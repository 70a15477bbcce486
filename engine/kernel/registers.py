"""Tables whose rows lie in the order of their ids: negotiations, auctions, bids, encumbrances, obligations, busts.

Rows 1 to `<table>_used` are in use, row 0 means none; a new row goes behind the last one. A row of quantity 0 is dead
and stays until its table is compacted. No more rows are ever used than the venue's capacity, so that the worst case of
a command (dispatch.worst_case) stays within the event buffer.
"""

import numpy as np

from engine.kernel.compiler import plain


@plain
def row_of(table, used, number):
    """Row of the entry with this id, dead or alive, or 0: binary search."""
    low, high = np.int64(1), np.int64(used)
    while low <= high:
        middle = (low + high) // 2
        found = table[middle].id
        if found == number:
            return middle
        if found < number:
            low = middle + 1
        else:
            high = middle - 1
    return np.int64(0)


@plain
def live_row(table, used, number):
    """Row of the live entry with this id, or 0."""
    row = row_of(table, used, number)
    return row if row != 0 and table[row].quantity > 0 else np.int64(0)


@plain
def compact(table, used):
    """Move the live rows down, in their order. Returns how many there are. Row numbers known before are void."""
    kept = np.int64(0)
    for row in range(1, used + 1):
        if table[row].quantity > 0:
            kept += 1
            if kept != row:
                table[kept] = table[row]
    return kept


@plain
def used_after(table, used):
    """How many rows are in use when dead ones at the end are given back."""
    while used > 0 and table[used].quantity == 0:
        used -= 1
    return used
