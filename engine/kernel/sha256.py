"""SHA-256 (FIPS 180-4) of up to six 64-bit words: the tie seed, and the lot of a bid.

A message is a row of 64-bit words, each as eight little-endian bytes; with its padding it fits into one block of 64
bytes. Arithmetic is in int64, masked to 32 bits. Words, schedule and result lie in the arena's scratch fields.
"""

import numpy as np

from engine.kernel.compiler import plain, small

MASK = 0xFFFFFFFF
WORDS = 64


def _prime_roots(count, power):
    """The first 32 bits of the fractional parts of the square (2) or cube (3) roots of the first primes."""
    primes, roots = [], []
    candidate = 2
    while len(primes) < count:
        if all(candidate % prime for prime in primes):
            primes.append(candidate)
            wanted = candidate << 32 * power
            low, high = 0, candidate << 32
            while low < high:
                middle = (low + high + 1) // 2
                low, high = (middle, high) if middle**power <= wanted else (low, middle - 1)
            roots.append(low & MASK)
        candidate += 1
    return np.array(roots, np.int64)


START = _prime_roots(8, 2)
ROUND = _prime_roots(WORDS, 3)


@small
def swapped(x):
    """32 bits with their bytes in the other order."""
    return (x & 0xFF) << 24 | (x & 0xFF00) << 8 | (x >> 8) & 0xFF00 | (x >> 24) & 0xFF


@small
def twice(x):
    """32 bits beside themselves: a shift to the right is then a rotation of the lower half."""
    return x | x << 32


@small
def mixed(x, one, other, gone):
    """Two rotations and a shift. Bits above the lowest 32 mean nothing; they are masked away with the sum."""
    return twice(x) >> one ^ twice(x) >> other ^ x >> gone


@small
def put_word(s, at, word):
    """The message's word number `at`, from 0."""
    s.sha_words[2 * at] = swapped(word & MASK)
    s.sha_words[2 * at + 1] = swapped(word >> 32 & MASK)


@plain
def digest(s, count):
    """The hash of the first `count` words put (at most six) into sha_state: eight big-endian 32-bit words."""
    w = s.sha_words
    w[2 * count] = 1 << 31
    for i in range(2 * count + 1, 15):
        w[i] = 0
    w[15] = 64 * count
    a, b, c, d = START[0], START[1], START[2], START[3]
    e, f, g, h = START[4], START[5], START[6], START[7]
    for i in range(WORDS):
        if i >= 16:
            w[i] = (w[i - 16] + w[i - 7] + mixed(w[i - 15], 7, 18, 3) + mixed(w[i - 2], 17, 19, 10)) & MASK
        aa, ee = twice(a), twice(e)
        choice = (f ^ g) & e ^ g
        majority = a & b | (a | b) & c
        first = h + choice + ROUND[i] + w[i] + (ee >> 6 ^ ee >> 11 ^ ee >> 25)
        second = (aa >> 2 ^ aa >> 13 ^ aa >> 22) + majority
        h, g, f, e = g, f, e, (d + first) & MASK
        d, c, b, a = c, b, a, (first + second) & MASK
    s.sha_state[0] = (START[0] + a) & MASK
    s.sha_state[1] = (START[1] + b) & MASK
    s.sha_state[2] = (START[2] + c) & MASK
    s.sha_state[3] = (START[3] + d) & MASK
    s.sha_state[4] = (START[4] + e) & MASK
    s.sha_state[5] = (START[5] + f) & MASK
    s.sha_state[6] = (START[6] + g) & MASK
    s.sha_state[7] = (START[7] + h) & MASK


@small
def digest_word(s, at):
    """Eight bytes of the hash as a little-endian 64-bit word, `at` from 0 to 3."""
    return swapped(s.sha_state[2 * at]) | swapped(s.sha_state[2 * at + 1]) << 32


@small
def seed_fits(s, auction, c):
    """Whether the seed in a REVEAL_SEED is the one that was committed to."""
    put_seed(s, c)
    digest(s, 4)
    return (
        digest_word(s, 0) == auction.seed1
        and digest_word(s, 1) == auction.seed2
        and digest_word(s, 2) == auction.seed3
        and digest_word(s, 3) == auction.seed4
    )


@small
def put_seed(s, c):
    """The 32 bytes over four fields of COMMIT_SEED and REVEAL_SEED."""
    put_word(s, 0, c.target)
    put_word(s, 1, c.expiry)
    put_word(s, 2, c.quantity)
    put_word(s, 3, c.quantity2)


@plain
def lot_of(s, c, bid_id):
    """The bid's lot: the hash of seed and bid id, its first 63 bits as a number."""
    put_seed(s, c)
    put_word(s, 4, bid_id)
    digest(s, 5)
    return s.sha_state[0] << 31 | s.sha_state[1] >> 1
