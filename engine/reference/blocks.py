"""Block trades: offers, counter-offers, acceptance; the terms that stand are locked for."""

from __future__ import annotations

from engine.reference.exchange import Command, Exchange, Refused
from engine.schema import Reason


def block_accept(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def block_counter(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def block_offer(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def block_withdraw(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)
