"""Holds on units, obligations, surrender, transfers between registry and trading ledger."""

from __future__ import annotations

from engine.reference.exchange import Command, Exchange, Refused
from engine.schema import Reason


def acknowledge_settlement(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def allocate_units(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def carry_over(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def place_hold(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def pledge_request(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def realise_hold(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def release_hold(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def set_obligation(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def surrender(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def transfer_in(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def transfer_out(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)


def voluntary_cancel(x: Exchange, command: Command) -> None:
    raise Refused(Reason.INVALID_KIND)
