"""Limits, kill switches, corrections by the operator, listing."""

from engine.kernel.compiler import plain
from engine.schema import Reason


@plain
def bust_trade(s, c):
    return Reason.INVALID_KIND


@plain
def delist_instrument(s, c):
    return Reason.INVALID_KIND


@plain
def firm_kill(s, c):
    return Reason.INVALID_KIND


@plain
def kill_switch(s, c):
    return Reason.INVALID_KIND


@plain
def list_instrument(s, c):
    return Reason.INVALID_KIND


@plain
def set_limit(s, c):
    return Reason.INVALID_KIND


@plain
def set_order_status(s, c):
    return Reason.INVALID_KIND


@plain
def widen_window(s, c):
    return Reason.INVALID_KIND
