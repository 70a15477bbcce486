"""Where compiled machine code is kept, so that a later start finds it."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numba


def hash_of(sources: Iterable[Path]) -> str:
    """SHA-256, 16 hex digits, over sources, where they lie, and the compiler's version.

    The compiler's own disk cache does not notice a change in what a function imports from another file, so all files
    that take part must be named.
    """
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sources:
        digest.update(bytes(path) + path.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder(name: str) -> Path:
    """The folder of this name below $CARBONBOOK_CACHE, else the user's cache folder; a temporary one when neither may
    be written to."""
    chosen = os.environ.get("CARBONBOOK_CACHE")
    users = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = Path(chosen or os.path.join(users, "carbonbook")).joinpath(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix=f"carbonbook-{name}-"))
