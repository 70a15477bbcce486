"""From when on an alert is raised: settings from TOML, every one with a default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

Count = Annotated[int, msgspec.Meta(ge=1)]
Amount = Annotated[int, msgspec.Meta(ge=0)]


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An alert is raised when a value is reached; seconds of rates are the venue's."""

    commands_per_second: Count = 50_000
    """Of all sessions together."""
    rejected_percent: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50
    """Refused commands of the last ten seconds ..."""
    rejected_least: Count = 100
    """... when at least so many came."""
    control_refusals: Count = 1
    """Refusals by one control (limit, collar, size, rate, position) of one session, since the last alert of it."""
    throttled: Count = 1
    """Commands of a session refused by the throttle between two looks."""
    malformed: Count = 1
    """Unreadable frames between two looks."""
    disk_free_mib: Amount = 1_024
    """Room on the journal's disk: a warning below this ..."""
    disk_free_critical_mib: Amount = 256
    """... and critical below this."""
    behind: Count = 100_000
    """Durable commands that this monitor has not read yet."""
    status_seconds: Annotated[float, msgspec.Meta(ge=0.1, le=4)] = 1.0
    """Between two looks at the server; an alert comes within five seconds of its cause."""
    repeat_seconds: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 60.0
    """The same alert about the same thing comes again only after so long, with how often it was held back.

    A day at most."""


def load_thresholds(path: Path) -> Thresholds:
    """From a TOML file. Raises OSError, ValueError with the names of file and setting."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Thresholds)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 at byte {error.start:,}") from None
    except msgspec.DecodeError as error:
        raise ValueError(f"{path}: {error}") from None
