"""Which price levels are occupied: three layers of 64-bit words, so the next price costs the same whatever the gap.

Positions are ticks above the instrument's floor. The only unsigned arithmetic of the kernel lives here.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from engine.kernel.compiler import COMPILED, U, small

NOTHING = -1

if COMPILED:

    @intrinsic
    def leading_zeros(context, x):
        return types.uint64(types.uint64), lambda c, b, s, a: b.ctlz(a[0], ir.Constant(ir.IntType(1), 0))

    @intrinsic
    def trailing_zeros(context, x):
        return types.uint64(types.uint64), lambda c, b, s, a: b.cttz(a[0], ir.Constant(ir.IntType(1), 0))

else:

    def leading_zeros(x):
        return U(64 - int(x).bit_length())

    def trailing_zeros(x):
        return U((int(x) & -int(x)).bit_length() - 1)


@small
def occupy(s, instrument, k, position):
    p = U(position)
    word = s.bits0[U(instrument), U(k), p >> U(6)]
    s.bits0[U(instrument), U(k), p >> U(6)] = word | U(1) << (p & U(63))
    if word == U(0):
        s.bits1[U(instrument), U(k), p >> U(12)] |= U(1) << ((p >> U(6)) & U(63))
        s.bits2[U(instrument), U(k)] |= U(1) << (p >> U(12))


@small
def vacate(s, instrument, k, position):
    p = U(position)
    s.bits0[U(instrument), U(k), p >> U(6)] &= ~(U(1) << (p & U(63)))
    if s.bits0[U(instrument), U(k), p >> U(6)] == U(0):
        s.bits1[U(instrument), U(k), p >> U(12)] &= ~(U(1) << ((p >> U(6)) & U(63)))
        if s.bits1[U(instrument), U(k), p >> U(12)] == U(0):
            s.bits2[U(instrument), U(k)] &= ~(U(1) << (p >> U(12)))


@small
def lowest(s, instrument, k):
    """Lowest occupied position, or NOTHING."""
    top = s.bits2[U(instrument), U(k)]
    if top == U(0):
        return np.int64(NOTHING)
    a = trailing_zeros(top)
    b = (a << U(6)) | trailing_zeros(s.bits1[U(instrument), U(k), a])
    return np.int64((b << U(6)) | trailing_zeros(s.bits0[U(instrument), U(k), b]))


@small
def highest(s, instrument, k):
    """Highest occupied position, or NOTHING."""
    top = s.bits2[U(instrument), U(k)]
    if top == U(0):
        return np.int64(NOTHING)
    a = U(63) - leading_zeros(top)
    b = (a << U(6)) | (U(63) - leading_zeros(s.bits1[U(instrument), U(k), a]))
    return np.int64((b << U(6)) | (U(63) - leading_zeros(s.bits0[U(instrument), U(k), b])))


@small
def bits_above(bit):
    """Mask of the bits above `bit` (0 to 63)."""
    return ~U(0) << bit << U(1) if bit < U(63) else U(0)


@small
def bits_below(bit):
    """Mask of the bits below `bit` (0 to 63)."""
    return (U(1) << bit) - U(1)


@small
def next_above(s, instrument, k, position):
    """Lowest occupied position above `position`, or NOTHING."""
    p = U(position)
    b = p >> U(6)
    word = s.bits0[U(instrument), U(k), b] & bits_above(p & U(63))
    if word == U(0):
        a = b >> U(6)
        middle = s.bits1[U(instrument), U(k), a] & bits_above(b & U(63))
        if middle == U(0):
            top = s.bits2[U(instrument), U(k)] & bits_above(a)
            if top == U(0):
                return np.int64(NOTHING)
            a = trailing_zeros(top)
            middle = s.bits1[U(instrument), U(k), a]
        b = (a << U(6)) | trailing_zeros(middle)
        word = s.bits0[U(instrument), U(k), b]
    return np.int64((b << U(6)) | trailing_zeros(word))


@small
def next_below(s, instrument, k, position):
    """Highest occupied position below `position`, or NOTHING."""
    p = U(position)
    b = p >> U(6)
    word = s.bits0[U(instrument), U(k), b] & bits_below(p & U(63))
    if word == U(0):
        a = b >> U(6)
        middle = s.bits1[U(instrument), U(k), a] & bits_below(b & U(63))
        if middle == U(0):
            top = s.bits2[U(instrument), U(k)] & bits_below(a)
            if top == U(0):
                return np.int64(NOTHING)
            a = U(63) - leading_zeros(top)
            middle = s.bits1[U(instrument), U(k), a]
        b = (a << U(6)) | (U(63) - leading_zeros(middle))
        word = s.bits0[U(instrument), U(k), b]
    return np.int64((b << U(6)) | (U(63) - leading_zeros(word)))
