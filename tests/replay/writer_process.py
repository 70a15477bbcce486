"""A real writer process for the kill tests: prints each acknowledged command sequence, until it is killed."""

from __future__ import annotations

import os
import resource
import sys

from replay import JournalError, NotAJournal, create, recover
from tests.replay.fake_engine import VENUE, fake_engine, make_commands


def main() -> None:
    path, batches, limit = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        found = recover(path, fake_engine)
        engine, writer = found.engine, found.writer
    except (NotAJournal, JournalError) as error:
        if not isinstance(error, NotAJournal) and "no such folder" not in str(error):
            raise
        engine, writer = fake_engine(VENUE), create(path, VENUE, segment_bytes=32 << 10)
    os.write(1, b"ready %d\n" % (writer.position.command - 1))
    for number in range(batches):
        commands = make_commands(writer.position.command, 1 + number % 5, number)
        try:
            writer.append(commands, engine.apply(commands)[1])
        except JournalError as error:
            os.write(1, f"{type(error).__name__} {error.exit_code} {writer.space().state.name}\n".encode())
            writer.close()
            sys.exit(error.exit_code)
        os.write(1, b"acked %d\n" % (writer.position.command - 1))


if __name__ == "__main__":
    main()
