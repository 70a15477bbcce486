"""When the calls of a day were to end: from the seed that the journal reveals, which must be the one committed to."""

from __future__ import annotations

import hashlib
import re
from typing import Final, NamedTuple

from engine.venue import number_date
from engine.venue.call_end import call_end_offset
from replay.format import NoteKind
from replay.reader import JournalReader

COMMITTED: Final = "calls of {}: SHA-256 of the seed {}"
REVEALED: Final = "calls of {}: seed {}"
_DIGITS: Final = "([0-9a-f]{64})"


class CallSeed(NamedTuple):
    """What a journal says of one date's seed, 64 hexadecimal digits each; "" = nothing yet.

    Attributes:
        commitments: every hash committed to for the date, in order; more than one where the server got another key.
        seed: as revealed behind the day's end.
    """

    date: int
    commitments: tuple[str, ...]
    seed: str

    @property
    def is_kept(self) -> bool | None:
        """Whether the seed is what was committed to, from the first commitment on; None before it is revealed."""
        if not self.seed:
            return None
        return set(self.commitments) == {hashlib.sha256(bytes.fromhex(self.seed)).hexdigest()}

    def offset(self, instrument: int, seconds: int) -> int:
        """How much later than the calendar says a call of an instrument ended, ns; the seed is known."""
        return call_end_offset(bytes.fromhex(self.seed), self.date, instrument, seconds)


def call_seed(reader: JournalReader, date: int) -> CallSeed:
    """What the journal's notes say of a date (YYYYMMDD). Raises JournalError."""
    day = number_date(date)
    committed, revealed = (re.compile(text.format(day, _DIGITS)) for text in (COMMITTED, REVEALED))
    commitments, seed = [], ""
    for batch in reader.noted():
        for note in batch.notes:
            if note.kind != NoteKind.TEXT:
                continue
            text = note.body.decode("utf-8", "replace")
            if found := committed.fullmatch(text):
                commitments.append(found[1])
            elif found := revealed.fullmatch(text):
                seed = found[1]
    return CallSeed(date, tuple(commitments), seed)
