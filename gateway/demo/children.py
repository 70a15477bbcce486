"""The demonstration's processes: started, heard, killed and stopped, always by their own process id."""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Final, NamedTuple

GRACE: Final = 10.0
"""Seconds that a process gets to end before it is killed."""


class Said(NamedTuple):
    """One line of a child: a report, or `{"report": "line", "text": ...}` when it is no JSON."""

    child: Child
    report: dict[str, Any]


class Child:
    """A Python process of ours. It has a session of its own, so that Ctrl-C reaches only the conductor."""

    def __init__(self, name: str, arguments: list[str], inbox: queue.Queue[Said], log: Path) -> None:
        self.name = name
        self.expected_to_end = False
        self._inbox = inbox
        self.log = log
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                report = json.loads(line)
            except ValueError:
                report = None
            if not isinstance(report, dict) or "report" not in report:
                report = {"report": "line", "text": line.rstrip()}
            self._inbox.put(Said(self, report))
        self._inbox.put(Said(self, {"report": "ended", "code": self.process.wait()}))

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def order(self, what: str, **fields: Any) -> None:
        """Tell a client process to do something. One that has ended is noticed by its own report."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps({"do": what, **fields}) + "\n")
            self.process.stdin.flush()

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up."""
        self.expected_to_end = True
        self.process.kill()
        self.process.wait()

    def terminate(self) -> None:
        """SIGTERM: asks the process to end cleanly."""
        self.expected_to_end = True
        self.process.send_signal(signal.SIGTERM)

    def end(self) -> None:
        """Whatever it takes, and wait for it."""
        if self.running:
            self.terminate()
            try:
                self.process.wait(GRACE)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        self._reader.join(GRACE)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def tail(self) -> str:
        """The end of what it wrote to stderr."""
        lines = self.log.read_text("utf-8", "replace").splitlines()[-12:] if self.log.exists() else []
        return "\n".join(lines)
