"""What a client program can catch."""

from __future__ import annotations

from typing import Any

from engine.schema import REASON_TEXT, Reason


class ClientError(Exception):
    """Base of everything the client raises on purpose."""


class NoAnswer(ClientError, TimeoutError):
    """Nothing came in time. What became of the command is not known yet; it is not lost: keep polling."""


class Disconnected(ClientError):
    """The connection could not be made again in time."""


class Rejected(ClientError):
    """The venue refused. `reason` is the code, `text` says it in words, `event` is the engine's record if any.

    `retry_after`: seconds after which a throttled request fits; 0 when that is not known.
    """

    def __init__(self, reason: Reason, text: str = "", event: Any = None, retry_after: float = 0.0) -> None:
        self.reason = reason
        self.retry_after = retry_after
        self.text = text or REASON_TEXT[reason]
        self.event = event
        super().__init__(f"{reason.name}: {self.text}")


class SessionRefused(Rejected):
    """1xx: the session, the frame or the number."""


class Throttled(SessionRefused):
    """Too fast; nothing was done, no number used. Wait `retry_after` seconds and send again."""


class VenueDraining(SessionRefused):
    """The venue's disk is nearly full: it takes cancels and no orders. Nothing was done, no number used."""


class InvalidCommand(Rejected):
    """2xx: the command itself."""


class MarketClosed(Rejected):
    """3xx: the state of the market."""


class RiskRefused(Rejected):
    """4xx: funds, units, limits, capacity."""


class OrderRefused(Rejected):
    """5xx: the order meant, or what the book holds."""


class NotOffered(MarketClosed):
    """The instrument is not traded in this way: no quotes, no block trades."""


class WrongPhase(MarketClosed):
    """Not in the instrument's present phase: trading is closed, or this is not for a call, or the call is frozen."""


class MinimumNotMet(OrderRefused):
    """The order's minimum quantity is not there within its limit; nothing was done."""


_BY_HUNDRED = {1: SessionRefused, 2: InvalidCommand, 3: MarketClosed, 4: RiskRefused, 5: OrderRefused}
_BY_REASON: dict[int, type[Rejected]] = {
    Reason.THROTTLED: Throttled,
    Reason.VENUE_DRAINING: VenueDraining,
    Reason.VENUE_STOPPING: VenueDraining,
    Reason.MODE_NOT_OFFERED: NotOffered,
    Reason.WRONG_PHASE: WrongPhase,
    Reason.MIN_QUANTITY_NOT_MET: MinimumNotMet,
}


_FIGURES: dict[int, str] = {
    Reason.PURCHASE_LIMIT: "{:,} lots may still be bid for",
    Reason.NOTICE_PERIOD: "{:,} trading days are missing",
    Reason.BELOW_FLOOR: "it is {:,} ticks",
}
"""What a refusal's `remaining` says, in words."""


def rejected(code: int, text: str = "", event: Any = None, retry_ms: int = 0) -> Rejected:
    """The exception for a reason code. A record of a refused frame has its wait in `remaining`."""
    reason = Reason(code)
    kind = _BY_REASON.get(reason) or _BY_HUNDRED.get(code // 100, Rejected)
    if event is not None and not event["sequence"]:
        retry_ms = int(event["remaining"])
    elif event is not None and reason in _FIGURES:
        text = f"{text or REASON_TEXT[reason]}: {_FIGURES[reason].format(int(event['remaining']))}"
    return kind(reason, text, event, retry_ms / 1_000)
