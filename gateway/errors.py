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
    """The venue refused. `reason` is the code, `text` says it in words, `event` is the engine's record if any."""

    def __init__(self, reason: Reason, text: str = "", event: Any = None) -> None:
        self.reason = reason
        self.text = text or REASON_TEXT.get(reason, "")
        self.event = event
        super().__init__(f"{reason.name}: {self.text}")


class SessionRefused(Rejected):
    """1xx: the session, the frame or the number."""


class InvalidCommand(Rejected):
    """2xx: the command itself."""


class MarketClosed(Rejected):
    """3xx: the state of the market."""


class RiskRefused(Rejected):
    """4xx: funds, units, limits, capacity."""


class OrderRefused(Rejected):
    """5xx: the order meant, or what the book holds."""


_BY_HUNDRED = {1: SessionRefused, 2: InvalidCommand, 3: MarketClosed, 4: RiskRefused, 5: OrderRefused}


def rejected(code: int, text: str = "", event: Any = None) -> Rejected:
    """The exception for a reason code."""
    reason = Reason(code)
    return _BY_HUNDRED.get(code // 100, Rejected)(reason, text, event)
