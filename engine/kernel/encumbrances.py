"""Holds on units, obligations, surrender, transfers between registry and trading ledger."""

from engine.kernel.compiler import plain
from engine.schema import Reason


@plain
def acknowledge_settlement(s, c):
    return Reason.INVALID_KIND


@plain
def allocate_units(s, c):
    return Reason.INVALID_KIND


@plain
def carry_over(s, c):
    return Reason.INVALID_KIND


@plain
def place_hold(s, c):
    return Reason.INVALID_KIND


@plain
def pledge_request(s, c):
    return Reason.INVALID_KIND


@plain
def realise_hold(s, c):
    return Reason.INVALID_KIND


@plain
def release_hold(s, c):
    return Reason.INVALID_KIND


@plain
def set_obligation(s, c):
    return Reason.INVALID_KIND


@plain
def surrender(s, c):
    return Reason.INVALID_KIND


@plain
def transfer_in(s, c):
    return Reason.INVALID_KIND


@plain
def transfer_out(s, c):
    return Reason.INVALID_KIND


@plain
def voluntary_cancel(s, c):
    return Reason.INVALID_KIND
