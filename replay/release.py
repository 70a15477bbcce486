"""Which release this is, as it stands in the headers of the segments that it writes."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

PACKAGE: Final = "carbonbook"
UNKNOWN: Final = "unknown"


@cache
def release() -> str:
    """The package's name and version, such as `carbonbook 1.2.3`; version `unknown` when it was never installed.

    The version stands once, in `pyproject.toml`; installing the package makes it known here.
    """
    try:
        return f"{PACKAGE} {version(PACKAGE)}"
    except PackageNotFoundError:
        return f"{PACKAGE} {UNKNOWN}"
