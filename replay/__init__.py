"""The append-only journal and everything that replays it.

For the gateway:

    from replay import Note, NoteKind, create, is_settled, recover

    writer = create(path, venue, durability="sync", segment_bytes=64 << 20)       # a new journal; else
    engine, writer, report = (r := recover(path)).engine, r.writer, r.report      # after any kind of stop

    writer.append(commands, events, notes=()) -> int      batch number; durable when it returns; sequences of commands
                                                          and events must continue without gaps
    writer.begin(commands, events), .wait(), .durable     the same while the caller goes on (see `write_beside`)
    writer.mark_sent(ns)                                  when the last batch's replies left (goes into the next header)
    writer.seal(engine.digest()) -> int                   when idle for 100 ms and at a clean stop; idempotent
    if is_settled(events): writer.roll(engine.canonical_state())      right after that append
    writer.prepare(steps=1) -> bool                       one idle step (256 KiB) towards the next segment
    writer.space() -> Space(state: SpaceState.OK|DRAIN|HALT, segment_bytes, used, prepared, ready, blocked)
    writer.position, writer.batch_no, writer.failed       position.command / .event: the next sequences
    writer.genesis                                        venue, uuid, durability, created, ...
    writer.close()                                        files and lock; also a context manager

    Note(NoteKind.MESSAGE, body, index=first_command_in_batch, count=commands)    an administrative message
    Note(NoteKind.DIGEST, engine.digest())                                        after phase changes

    ValueError: records do not fit (nothing written). JournalFull: no room (nothing written). JournalFailure: end the
    process without replying. Every JournalError has `exit_code` and a message that says what to do.

For readers (market data, queries, board, surveillance), beside a running writer:

    reader = JournalReader(path)          .venue .uuid .genesis .watermark() .segments() .seek(command=|event=)
    reader.batches(start=None, until=None) -> Iterator[Batch]     .number .commands .events .notes .timestamp ...
    reader.events(first, last=None) -> Iterator[EventArray]
    reader.events_for_session(session, after_sequence) -> Iterator[EventArray]    the original records, for resume
    follower = Follower(path, after_command=0);  follower.poll() -> Iterator[Batch];  follower.follow(wait)

For the command line:

    verify(path, implementation="kernel", progress=None) -> Verdict       .ok .exit_code, printable, a msgspec Struct
    state_at(path, sequence=None, time=None, implementation="kernel") -> Engine
    ls(path) -> list[SegmentInfo];  dump(path, first=1, last=None) -> Iterator[dict]
    salvage(path, target, reason="") -> Salvage           the part before the first damage, as a new journal
"""

from replay.creation import create
from replay.errors import (
    AcknowledgedLost,
    ForeignFile,
    JournalCorrupt,
    JournalDiverged,
    JournalError,
    JournalExists,
    JournalFailure,
    JournalFull,
    JournalLocked,
    JournalMissing,
    JournalUnreadable,
    NewerVersion,
    NotAJournal,
)
from replay.follower import Follower
from replay.format import Durability, Genesis, Note, NoteKind, Watermark
from replay.reader import JournalReader
from replay.recovery import Recovered, Report, recover
from replay.salvage import Salvage, salvage
from replay.scan import Batch
from replay.stretch import Stretch
from replay.timeline import SegmentInfo, dump, ls, state_at
from replay.verify import Verdict, verify
from replay.writer import JournalWriter, Space, SpaceState, is_settled

__all__ = [
    "AcknowledgedLost",
    "Batch",
    "Durability",
    "Follower",
    "ForeignFile",
    "Genesis",
    "JournalCorrupt",
    "JournalDiverged",
    "JournalError",
    "JournalExists",
    "JournalFailure",
    "JournalFull",
    "JournalLocked",
    "JournalMissing",
    "JournalReader",
    "JournalUnreadable",
    "JournalWriter",
    "NewerVersion",
    "NotAJournal",
    "Note",
    "NoteKind",
    "Recovered",
    "Report",
    "Salvage",
    "SegmentInfo",
    "Space",
    "SpaceState",
    "Stretch",
    "Verdict",
    "Watermark",
    "create",
    "dump",
    "is_settled",
    "ls",
    "recover",
    "salvage",
    "state_at",
    "verify",
]
