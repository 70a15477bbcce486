"""Processes of our own beside the server: a module of this package run by the same interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import gateway


def start_module(module: str, *arguments: str, stdout: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    """Run `python -m module arguments...`, found where this package was found; without standard input."""
    environment = {**os.environ, "PYTHONPATH": str(Path(gateway.__file__).parents[1])}
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, env=environment)
