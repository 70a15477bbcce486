"""Limits, kill switches, corrections by the operator, listing."""

from __future__ import annotations

from engine.reference.exchange import Command, Exchange, Refused
from engine.schema import Reason


def bust_trade(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def delist_instrument(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def firm_kill(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def kill_switch(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def list_instrument(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def set_limit(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def set_order_status(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def widen_window(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)
