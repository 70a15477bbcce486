"""`python -m tests.gateway.full_disk CONFIG FLAG`: a real server on a disk that is full while the file FLAG exists.

Full means: what is already allocated can be written, and a file that has to grow, the next segment, cannot.
"""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import Any

from gateway import server
from replay.format import PREPARED_NAME
from replay.storage import RealStorage


def plant(flag: Path) -> None:
    """Let writes to the next segment fail as on a full disk."""
    growing: set[int] = set()
    opened, written = RealStorage.open, RealStorage.pwrite

    def open_(self: RealStorage, name: str, **options: bool) -> int:
        handle = opened(self, name, **options)
        (growing.add if name == PREPARED_NAME else growing.discard)(handle)
        return handle

    def pwrite(self: RealStorage, handle: int, data: Any, offset: int) -> int:
        if handle in growing and flag.exists() and offset + len(data) > self.size(handle):
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(self, handle, data, offset)

    RealStorage.open, RealStorage.pwrite = open_, pwrite  # type: ignore[method-assign]


if __name__ == "__main__":
    plant(Path(sys.argv[2]))
    sys.exit(server.main(sys.argv[1:2]))
