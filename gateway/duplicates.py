"""Commands whose number was used before: the original answer once more, never a second effect.

Recent ones are found in memory. For older ones a mark every thousand numbers of a session says where in the journal
to look, and lookups are rationed, for they hold up everybody.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.schema import COMMAND, EVENT, FIRM_BYTES, CommandArray, EventArray, EventFlag, EventKind, Reason
from gateway.directory import Directory
from gateway.exchange import Exchange
from gateway.numbers import owners
from gateway.records import join
from gateway.routing import for_session
from gateway.seats import Bucket

LOOKUPS_PER_SECOND: Final = 5


class Duplicates:
    """Answers duplicates of every session of one exchange."""

    def __init__(self, exchange: Exchange, directory: Directory) -> None:
        self._exchange = exchange
        self._directory = directory
        self._marks = exchange.marks
        self._lookups = Bucket(LOOKUPS_PER_SECOND, LOOKUPS_PER_SECOND)

    def answer(self, session: int, batch: CommandArray, now: int) -> EventArray | None:
        """The records to send for used numbers: the original ones flagged, or a REJECTED that says why not.

        Args:
            batch: commands with numbers at or below the session's last one.
            now: monotonic ns.

        Returns:
            None when the journal would have to be read too often.
        """
        numbers = np.unique(batch["client_order_id"])
        numbers = numbers[numbers > 0]
        originals = self._exchange.recent.commands_numbered(session, _with_quotes(numbers))
        events = self._exchange.recent.events_of(originals["sequence"])
        missing = numbers[~np.isin(numbers, list(owners(originals)))]
        if len(missing):
            if not self._lookups.take(1, now):
                return None
            old, old_events = self._from_journal(session, missing)
            originals, events = join([old, originals]), join([old_events, events])
        return _answers(session, batch, originals, events, self._directory)

    def _from_journal(self, session: int, numbers: CommandArray) -> tuple[CommandArray, EventArray]:
        """Commands that consumed these numbers of a session, and their events, as far as one stretch of the journal has
        them.
        """
        found, events = [np.zeros(0, COMMAND)], [np.zeros(0, EVENT)]
        marks, sequences = self._marks.of(session)
        at = bisect_right(marks, int(numbers[0])) - 1
        if at < 0:
            return found[0], events[0]
        asked, wanted = _with_quotes(numbers), set(numbers.tolist())
        limit = sequences[at + 2] if at + 2 < len(sequences) else self._exchange.command_sequence
        reader = self._exchange.reader
        for batch in reader.batches(reader.seek(command=sequences[at])):
            commands = batch.commands
            hit = (commands["session"] == session) & np.isin(commands["client_order_id"], asked)
            if hit.any():
                chosen = commands[hit]
                found.append(chosen)
                events.append(batch.events[np.isin(batch.events["command_sequence"], chosen["sequence"])])
                wanted.difference_update(owners(chosen))
            if not wanted or batch.last_command > limit:
                break
        return join(found), join(events)


def _with_quotes(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """These numbers and the ones before, which a QUOTE may have consumed them with."""
    return np.union1d(numbers, numbers - 1)


def _answers(
    session: int, batch: CommandArray, originals: CommandArray, events: EventArray, directory: Directory
) -> EventArray:
    known = owners(originals)
    same, refused = [], []
    for command in batch:
        original = known.get(int(command["client_order_id"]))
        if original is None:
            refused.append(_refusal(session, command, Reason.STALE_CLIENT_ORDER_ID, EventFlag.STALE_ID))
        elif original.tobytes()[:FIRM_BYTES] != command.tobytes()[:FIRM_BYTES]:
            refused.append(_refusal(session, command, Reason.DUPLICATE_MISMATCH, EventFlag.DUPLICATE_MISMATCH))
        else:
            same.append(int(original["sequence"]))
    records = for_session(events[np.isin(events["command_sequence"], same)], session, directory).copy()
    records["flags"] |= int(EventFlag.POSSIBLE_DUPLICATE)
    return join([records, *refused])


def _refusal(session: int, command: CommandArray, reason: Reason, flag: EventFlag) -> EventArray:
    """A REJECTED that is not journaled: its sequence is 0."""
    made = np.zeros(1, EVENT)
    made["kind"], made["reason"], made["flags"] = EventKind.REJECTED, int(reason), int(flag)
    for name in ("side", "instrument", "account", "price", "quantity", "client_order_id"):
        made[name] = command[name]
    made["aux"], made["aux2"], made["session"] = command["kind"], command["target"], session
    return made
