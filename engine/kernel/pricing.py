"""What a trade's price is, and which trades a LAST5 close looks at.

Source: Hubei trading rules (the middle one of bid, offer and last price; the close over the last five trades).
"""

import numpy as np

from engine.kernel.compiler import plain, small
from engine.layout import LAST5, MEDIAN
from engine.schema import CLOSE_TRADES


@small
def middle(a, b, c):
    return max(min(a, b), min(max(a, b), c))


@plain
def price_of_trade(book, maker, bid, offer):
    """MEDIAN3: the middle one of both limits and the last price; else the resting order's price."""
    if not book.further & MEDIAN:
        return np.int64(maker.price)
    last = book.last if book.trades > 0 else book.previous_close
    return middle(bid, offer, last) if last != 0 else np.int64(maker.price)


@plain
def note_trade(book, number, price, lots):
    """A trade becomes the latest one of those that a LAST5 close looks at."""
    if not book.further & LAST5:
        return
    for n in range(CLOSE_TRADES - 1, 0, -1):
        move_trade(book, n, n - 1)
    book.close_trade[0] = number
    book.close_price[0] = price
    book.close_lots[0] = lots


@small
def move_trade(book, to, source):
    book.close_trade[to] = book.close_trade[source]
    book.close_price[to] = book.close_price[source]
    book.close_lots[to] = book.close_lots[source]


@plain
def drop_trade(book, number):
    """A cancelled trade does not count for the close; no older one comes back in its place."""
    for n in range(CLOSE_TRADES):
        if book.close_trade[n] == number:
            for m in range(n, CLOSE_TRADES - 1):
                move_trade(book, m, m + 1)
            clear_trade(book, CLOSE_TRADES - 1)
            return


@small
def clear_trade(book, n):
    book.close_trade[n] = 0
    book.close_price[n] = 0
    book.close_lots[n] = 0


@plain
def clear_trades(book):
    for n in range(CLOSE_TRADES):
        clear_trade(book, n)
