"""Division that rounds half up, as every price, limit and fee is rounded."""

import numpy as np

from engine.kernel.compiler import plain, small


@small
def half_up(a, b):
    return (2 * a + b) // (2 * b)


@plain
def wide_half_up(high, low, divisor):
    """half_up(high x 2^62 + low, divisor) where the quotient fits: long division, bit by bit."""
    quotient = np.int64(0)
    rest = high % divisor
    for bit in range(61, -1, -1):
        rest = 2 * rest + (low >> bit & 1)
        quotient *= 2
        if rest >= divisor:
            rest -= divisor
            quotient += 1
    return quotient + 1 if 2 * rest >= divisor else quotient
