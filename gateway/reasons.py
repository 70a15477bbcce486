"""Reasons of the gateway's own: for frames it refuses before the engine sees them. None ever stands in a journal."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, TypeAlias

from engine.schema import REASON_TEXT, Reason


class GatewayReason(IntEnum):
    """Codes beside those of `engine.schema.Reason`, which never change either."""

    VENUE_DRAINING = 118
    VENUE_STOPPING = 119


AnyReason: TypeAlias = Reason | GatewayReason

_TEXT: Final[dict[int, str]] = {
    GatewayReason.VENUE_DRAINING: "the venue's disk is nearly full: it takes cancels and no orders; send again later",
    GatewayReason.VENUE_STOPPING: "the venue's disk is full: it takes nothing more and stops",
}


def reason_of(code: int) -> AnyReason:
    """The reason with a code, the engine's or the gateway's. Raises ValueError when there is none."""
    try:
        return Reason(code)
    except ValueError:
        return GatewayReason(code)


def reason_text(reason: int) -> str:
    """What a reason means and what to do about it."""
    return _TEXT.get(reason) or REASON_TEXT[Reason(reason)]
