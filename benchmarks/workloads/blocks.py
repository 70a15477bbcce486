"""The block trades of a day: offers, answers, acceptances, withdrawals, each by an account that may give it."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from benchmarks.workloads.base import owner_group
from benchmarks.workloads.writer import Style
from engine.schema import COMMAND, CommandArray, CommandKind, EventArray, EventKind, Side

SHARE: Final = 0.005
"""Of the commands of the afternoon are offers; their answers come on top."""
MOST_STANDING: Final = 400
LEAST, MOST = 100_000, 120_000
"""Lots of a block: most are just what the rules ask for."""
ACCEPT, COUNTER, WITHDRAW = 0.4, 0.6, 0.7
"""Of standing terms, when they are looked at: accepted, countered, withdrawn (cumulative); the others wait."""


class Terms(NamedTuple):
    """What stands in one negotiation."""

    account: int
    counterparty: int  # 0 = public
    instrument: int
    price: int
    quantity: int


class Blocks:
    """Negotiations as their parties see them."""

    def __init__(self, random: np.random.Generator, style: Style) -> None:
        self.random, self.style = random, style
        self.standing: dict[int, Terms] = {}

    def commands(self, size: int) -> CommandArray:
        """Block commands for a step of `size` commands: answers to what stands, and new offers."""
        made: list[tuple[int, ...]] = []
        room = max(1, size // 50)
        for number, terms in list(self.standing.items())[:room]:
            made += self._answer(number, terms, self.random.random())
        offers = min(MOST_STANDING - len(self.standing), max(1, int(size * SHARE)))
        made += [self._offer() for _ in range(max(0, offers))]
        made = made[:room]
        commands = np.zeros(len(made), COMMAND)
        names = ("kind", "side", "scope", "instrument", "account", "target", "price", "quantity")
        for name, column in zip(names, np.array(made, np.int64).reshape(-1, len(names)).T, strict=True):
            commands[name] = column
        commands["session"] = commands["account"]
        return commands

    def _offer(self) -> tuple[int, ...]:
        random, style = self.random, self.style
        account, other = (int(one) for one in random.integers(1, style.accounts + 1, 2))
        named = random.random() < 0.7 and account != other
        instrument = int(random.choice(len(style.centre) - 1, p=style.share)) + 1
        price = int(style.centre[instrument]) + int(random.integers(-style.span, style.span + 1))
        quantity = int(random.integers(LEAST, MOST + 1)) if random.random() < 0.3 else LEAST
        side = int(random.integers(1, 3))
        target = other if named else 0
        return (CommandKind.BLOCK_OFFER, side, int(named), instrument, account, target, price, quantity)

    def _answer(self, number: int, terms: Terms, draw: float) -> list[tuple[int, ...]]:
        """What the other party, or for a withdrawal the same one, does about standing terms."""
        other = terms.counterparty or self._somebody_else(terms.account)
        if draw < ACCEPT:
            if owner_group(np.array(other)) == owner_group(np.array(terms.account)):
                return []  # would be a trade with itself
            return [(CommandKind.BLOCK_ACCEPT, Side.NONE, 0, 0, other, number, terms.price, terms.quantity)]
        if draw < COUNTER and terms.counterparty:
            price = terms.price + int(self.random.integers(-10, 11))
            return [(CommandKind.BLOCK_COUNTER, Side.NONE, 0, 0, other, number, price, terms.quantity)]
        if draw < WITHDRAW:
            return [(CommandKind.BLOCK_WITHDRAW, Side.NONE, 0, 0, terms.account, number, 0, 0)]
        return []

    def _somebody_else(self, account: int) -> int:
        return int(account % self.style.accounts) + 1

    def watch(self, events: EventArray) -> None:
        """Keep the standing terms as the events tell them."""
        kinds = events["kind"]
        for event in events[(kinds >= EventKind.BLOCK_OFFERED) & (kinds <= EventKind.BLOCK_ENDED)]:
            number = int(event["order_id"])
            if event["kind"] in (EventKind.BLOCK_OFFERED, EventKind.BLOCK_COUNTERED):
                fields = ("account", "contra_account", "instrument", "price", "quantity")
                self.standing[number] = Terms(*(int(event[name]) for name in fields))
            else:
                self.standing.pop(number, None)
