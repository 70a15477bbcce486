"""Messages about call auctions; see `gateway.wire`."""

from __future__ import annotations

from gateway.wire import Message


class IndicativeData(Message, frozen=True):
    """What the call of one instrument would do if it ended now: ticks, lots, lots bid less lots offered at that price.

    Zeros where nothing would trade. `frozen`: no cancels any more.
    """

    instrument: int
    phase: int
    frozen: bool
    price: int
    volume: int
    surplus: int


class IndicativeAnswer(Message, frozen=True):
    """As of event `sequence`."""

    instruments: tuple[IndicativeData, ...]
    sequence: int
