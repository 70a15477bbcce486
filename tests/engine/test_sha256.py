"""The kernel's SHA-256 against hashlib."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest

pytest.importorskip("engine.kernel.sha256")
from engine.kernel.compiler import entry
from engine.kernel.sha256 import digest, digest_word, lot_of, put_word
from engine.schema import COMMAND, record

pytestmark = pytest.mark.nojit

SCRATCH = record([("sha_words", "<i8", (64,)), ("sha_state", "<i8", (8,))])
EDGES = [0, 1, -1, 2**63 - 1, -(2**63), 0x80, 0xFFFFFFFF, 1 << 32, 0x0123456789ABCDEF]


@entry
def hash_words(scratch, words, count, out):
    s = scratch[0]
    for at in range(count):
        put_word(s, at, words[at])
    digest(s, count)
    for at in range(4):
        out[at] = digest_word(s, at)


@entry
def lots_of(scratch, commands, ids, out):
    for at in range(len(ids)):
        out[at] = lot_of(scratch[0], commands[0], ids[at])


def hashed(words: list[int]) -> bytes:
    """The kernel's hash of words, each as eight little-endian bytes."""
    scratch, out = np.zeros(1, SCRATCH), np.zeros(4, np.int64)
    scratch["sha_words"] = -1  # whatever stood there before
    hash_words(scratch, np.array([*words, 0], np.int64), len(words), out)
    return out.tobytes()


@pytest.mark.parametrize("count", range(7))
def test_every_length(count):
    """0 to 48 bytes: one block with its padding."""
    words = np.random.default_rng(count).integers(-(2**63), 2**63 - 1, count, endpoint=True)
    assert hashed(words.tolist()) == hashlib.sha256(words.astype("<i8").tobytes()).digest()


@pytest.mark.parametrize("word", EDGES)
def test_edges(word):
    """Words of all bits, of none, of the sign alone."""
    assert hashed([word] * 4) == hashlib.sha256(struct.pack("<4q", *[word] * 4)).digest()


def test_many():
    """As many random words as an interpreted kernel hashes quickly."""
    for row in np.random.default_rng(9).integers(-(2**63), 2**63 - 1, (40, 5), endpoint=True):
        assert hashed(row.tolist()) == hashlib.sha256(row.astype("<i8").tobytes()).digest()


def test_lots():
    """A bid's lot: the first eight bytes of SHA-256(seed, bid id), big-endian, less one bit."""
    command = np.zeros(1, COMMAND)
    seed = (5, -6, 2**62, -(2**63))
    for name, word in zip(("target", "expiry", "quantity", "quantity2"), seed, strict=True):
        command[name] = word
    ids = np.array([1, 2, 3, 10**12, 2**63 - 1], np.int64)
    out = np.zeros(len(ids), np.int64)
    lots_of(np.zeros(1, SCRATCH), command, ids, out)
    wanted = [hashlib.sha256(struct.pack("<5q", *seed, number)).digest()[:8] for number in ids.tolist()]
    assert out.tolist() == [int.from_bytes(first, "big") >> 1 for first in wanted]
    assert (out >= 0).all()
