"""Block trades: offers, counter-offers, acceptance; the terms that stand are locked for."""

from engine.kernel.compiler import plain
from engine.schema import Reason


@plain
def block_accept(s, c):
    return Reason.INVALID_KIND


@plain
def block_counter(s, c):
    return Reason.INVALID_KIND


@plain
def block_offer(s, c):
    return Reason.INVALID_KIND


@plain
def block_withdraw(s, c):
    return Reason.INVALID_KIND
