"""What can be wrong with a journal. Every message says what, where, what is at risk and what to do."""

from __future__ import annotations


class JournalError(Exception):
    """Base of all journal errors; `exit_code` is what a command line tool ends with."""

    exit_code = 2


class JournalMissing(JournalError):
    """There is no such folder."""


class NotAJournal(JournalError):
    """The folder holds no journal, or one whose creation was never finished."""


class JournalExists(JournalError):
    """A journal cannot be created where one is already."""


class JournalUnreadable(JournalError):
    """The file system refuses: permissions, or not a folder."""


class ForeignFile(JournalError):
    """A file in the folder belongs to another journal (its UUID differs)."""


class NewerVersion(JournalError):
    """Written by a later release; it is never guessed at."""


class JournalLocked(JournalError):
    """Another process writes this journal.

    Attributes:
        pid: that process, 0 when unknown.
    """

    exit_code = 5

    def __init__(self, message: str, pid: int = 0) -> None:
        super().__init__(message)
        self.pid = pid


class JournalCorrupt(JournalError):
    """Something that was complete is so no longer. Nothing was changed; nothing may be dropped.

    Attributes:
        file: name inside the journal's folder.
        offset: byte offset in it.
        batch: first batch that cannot be trusted.
        sequence: first command sequence that cannot be trusted.
    """

    exit_code = 3

    def __init__(self, fault: str, *, file: str, offset: int = 0, batch: int = 0, sequence: int = 0) -> None:
        super().__init__(
            f"CORRUPT: {fault}; file {file}, offset {offset}, batch {batch}: commands from sequence {sequence} on are"
            " at risk. Nothing was changed. Copy the folder, then restore this file from a backup or a follower's copy"
        )
        self.fault = fault
        self.file = file
        self.offset = offset
        self.batch = batch
        self.sequence = sequence


class AcknowledgedLost(JournalCorrupt):
    """The watermark proves that batches were acknowledged which the journal no longer holds."""


class JournalDiverged(JournalError):
    """Replaying the commands gave other bytes than the journal holds: the rules or the machine changed."""

    exit_code = 4


class JournalFailure(JournalError):
    """A write or sync failed. The writer refuses everything from now on; the process must end without replying."""

    exit_code = 6


class JournalFull(JournalError):
    """No room for this batch and none can be made. Nothing was written; smaller batches may still fit."""

    exit_code = 7
