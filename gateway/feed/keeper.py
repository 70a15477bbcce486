"""The server's hand on its feed: starts the process, starts it again when it ends, stops it by its process id.

The feed cannot harm the server: it only reads the journal's files, and the server never waits for it except to end it.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from typing import Final

import msgspec

from gateway.config import LOCAL_FEED, Config
from gateway.processes import start_module

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
"""Seconds until the next start; doubled at every failure, and short again after a run of a minute."""
STEADY: Final = 60.0
STOP_SECONDS: Final = 5.0


class FeedKeeper:
    """One feed beside one server.

    Args:
        config: the server's; without `feed` nothing is ever started.
        say: takes lines for the operator.

    Attributes:
        starts: how often a feed has been started.
    """

    def __init__(self, config: Config, say: Callable[[str], None]) -> None:
        self._wanted = bool(config.feed)
        self._say = say
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._next_start = 0.0
        self._pause = FIRST_PAUSE
        self.starts = 0

    @property
    def pid(self) -> int:
        """0 while none runs."""
        return self._process.pid if self._process is not None else 0

    def tick(self, now: float) -> None:
        """Look after the process at monotonic time `now` (s)."""
        if not self._wanted:
            return
        if self._process is not None and self._process.poll() is not None:
            self._ended(self._process.returncode, now)
        if self._process is None and now >= self._next_start:
            self._start(now)

    def _start(self, now: float) -> None:
        config = self._config
        options = {
            "data": config.data,
            "tcp": "" if config.feed == LOCAL_FEED else config.feed,
            "ipc": str(config.data_folder / "feed.sock"),
            "keys": config.keys,
            "implementation": config.implementation,
            "parent": os.getpid(),
        }
        self._started_at, self.starts = now, self.starts + 1
        try:
            self._process = start_module("gateway.feed", msgspec.json.encode(options).decode())
        except OSError as error:  # no more processes or memory: tried again like a failure
            self._say(f"Feed could not be started: {error}")
            self._wait(now)

    def _ended(self, code: int, now: float) -> None:
        self._process = None
        if now - self._started_at >= STEADY:
            self._pause = FIRST_PAUSE
        self._say(f"Feed ended with {code}; started again in {self._pause:g} s")
        self._wait(now)

    def _wait(self, now: float) -> None:
        self._next_start = now + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def close(self) -> None:
        """End it; kills a feed that does not end by itself."""
        self._wanted = False
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if process.poll() is None:
            process.kill()
        process.wait()
