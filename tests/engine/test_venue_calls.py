"""Venue files with call auctions: what must fit together, and the random end of a call."""

from __future__ import annotations

import pytest

from engine.venue import call_end_offset
from tests.engine.test_venue import fault

pytestmark = pytest.mark.nojit

EXPECTED_ENDS = [7_369_905_099, 17_426_607_160]
END = "[[calendar.transitions]]\nat = 17:00:00\nphase = 'END'\n"
SAYS = [  # where the text stands, the text, what is said about it
    ("instrument", "call_rule = 'XETRA'", 'call_rule`: invalid enum value \'XETRA\'; write one of "KRX", "T7"'),
    ("instrument", "corridor_dynamic_bps = 10000", "corridor_dynamic_bps`: 10000 is out of range; write 0 to 9999"),
    (
        "instrument",
        "corridor_static_bps = 5",
        "corridor_static_bps`: 5 needs call auctions; write 0, or call_auction =",
    ),
    ("instrument", "call_random_end_seconds = 5", "5 needs call auctions; write 0, or call_auction = true"),
    ("instrument", "call_auction = true\ncall_random_end_seconds = -1", "call_random_end_seconds`: -1 is out of range"),
    (
        "instrument",
        "call_auction = true\nprice_rule = 'MEDIAN3'\ncorridor_static_bps = 5",
        'corridor_static_bps`: 5 does not go with price_rule = "MEDIAN3"; write 0, or price_rule = "MAKER"',
    ),
    ("tail", "[capacity]\nicebergs = 0", "key `capacity.icebergs`: 0 is out of range; write 1 to 65535"),
    (
        "tail",
        "[[calendar.transitions]]\nat = 09:00:00\nphase = 'OPEN_CALL'\n" + END,
        "transitions[0].phase`: OPEN_CALL, but A has no call auctions; write call_auction = true there, or",
    ),
    (
        "tail",
        "[[calendar.transitions]]\nat = 09:00:00\nphase = 'CLOSE_CALL'\nmodes = ['LISTED', 'BLOCK']\n" + END,
        'transitions[0].modes`: CLOSE_CALL is a phase of listed trading; write ["LISTED"]',
    ),
    (
        "tail",
        "[[calendar.transitions]]\nat = 09:00:00\nphase = 'BREAK'\nno_cancel = true\n" + END,
        "transitions[0].no_cancel`: BREAK is no call; write it with OPEN_CALL or CLOSE_CALL alone",
    ),
]


@pytest.mark.parametrize(("where", "written", "said"), SAYS, ids=[str(i) for i in range(len(SAYS))])
def test_a_fault_names_file_key_and_remedy(where, written, said):
    message = fault(**{where: written})
    assert message.startswith("small.toml: key `")
    assert said in message


def test_random_end_of_a_call():
    """By hashlib: SHA-256(32 bytes 00..1f, date, instrument), first 8 bytes modulo the window."""
    seed = bytes(range(32))
    assert [call_end_offset(seed, 20250811, n, 30) for n in (1, 2)] == EXPECTED_ENDS
    assert call_end_offset(seed, 20250812, 1, 30) not in EXPECTED_ENDS
    assert call_end_offset(seed, 20250811, 1, 0) == 0
    assert all(0 <= call_end_offset(seed, 20250811, n, 1) < 10**9 for n in range(1, 50))
    with pytest.raises(ValueError, match="the seed has 3 bytes; draw 32"):
        call_end_offset(b"abc", 20250811, 1, 30)
