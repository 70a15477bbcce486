"""One bidding session: a seller's auction, and the sealed bids of many buyers until it closes."""

from __future__ import annotations

from typing import Final

import numpy as np

from benchmarks.workloads.base import Numbers, owner_group
from benchmarks.workloads.writer import NOTHING, Style
from engine.schema import COMMAND, CommandArray, CommandKind, EventArray, EventKind, Side

OFFERED: Final = 200_000
"""Lots; notice 2025-23 asks for at least 100,000."""
SHARE: Final = 0.01
"""Of the commands while the window is open are new bids."""
MOST_BIDS: Final = 10_000
CHANGED, WITHDRAWN = 0.2, 0.1
"""Of the number of new bids: bids that are changed, bids that are withdrawn."""


class Bidding:
    """The auction as its operator and its bidders see it."""

    def __init__(
        self, random: np.random.Generator, style: Style, instrument: int, seller: int, sellers_group: int
    ) -> None:
        self.random, self.style = random, style
        self.instrument, self.seller, self.group = instrument, seller, sellers_group
        self.auction = 0
        self.made = 0
        self.bids: dict[int, int] = {}
        """Live bids: id -> account."""

    def announce(self) -> CommandArray:
        """At the lower limit, the lowest reserve that the rules allow."""
        return self._operator(
            CommandKind.ANNOUNCE_AUCTION,
            side=Side.SELL,
            instrument=self.instrument,
            account=self.seller,
            price=int(self.style.low[self.instrument]),
            quantity=OFFERED,
        )

    def open(self) -> CommandArray:
        return self._operator(CommandKind.OPEN_AUCTION, target=self.auction)

    def close(self) -> CommandArray:
        """Ends the window; with ties by time it clears at once."""
        return self._operator(CommandKind.CLOSE_AUCTION, target=self.auction)

    def commands(self, size: int) -> CommandArray:
        """Bids, changes and withdrawals for a step of `size` commands."""
        new = min(MOST_BIDS - self.made, max(1, int(size * SHARE)))
        if new <= 0:
            return NOTHING
        self.made += new
        ids = self.random.permutation(np.array(list(self.bids), np.int64))
        changed, withdrawn = int(new * CHANGED), int(new * WITHDRAWN)
        changed_ids, withdrawn_ids = ids[:changed], ids[changed : changed + withdrawn]
        return np.concatenate((self._bid(new), self._change(changed_ids), self._withdraw(withdrawn_ids)))

    def _bid(self, count: int) -> CommandArray:
        made = np.zeros(count, COMMAND)
        account = self.random.integers(1, self.style.accounts + 1, count)
        account = np.where(owner_group(account) == self.group, 1, account)  # nobody buys from itself
        made["kind"], made["side"], made["instrument"] = CommandKind.AUCTION_BID, Side.BUY, self.instrument
        made["account"], made["session"], made["target"] = account, account, self.auction
        self._terms(made)
        return made

    def _change(self, ids: Numbers) -> CommandArray:
        made = self._about(CommandKind.AUCTION_BID_REPLACE, ids)
        self._terms(made)
        return made

    def _withdraw(self, ids: Numbers) -> CommandArray:
        return self._about(CommandKind.AUCTION_BID_WITHDRAW, ids)

    def _about(self, kind: CommandKind, ids: Numbers) -> CommandArray:
        made = np.zeros(len(ids), COMMAND)
        made["kind"], made["target"] = kind, ids
        made["session"] = [self.bids[int(number)] for number in ids]
        return made

    def _terms(self, made: CommandArray) -> None:
        low, high = self.style.low[self.instrument], self.style.high[self.instrument]
        made["price"] = self.random.integers(low, high + 1, len(made))
        made["quantity"] = self.random.integers(1, 5_001, len(made))

    def _operator(self, kind: CommandKind, **fields: int) -> CommandArray:
        """A command of the venue's own session."""
        made = np.zeros(1, COMMAND)
        made["kind"] = kind
        for name, value in fields.items():
            made[name] = value
        return made

    def watch(self, events: EventArray) -> None:
        """Keep the auction's id and the live bids as the events tell them."""
        kinds = events["kind"]
        for event in events[(kinds >= EventKind.AUCTION_ANNOUNCED) & (kinds <= EventKind.AUCTION_CANCELLED)]:
            number = int(event["order_id"])
            if event["kind"] == EventKind.AUCTION_ANNOUNCED:
                self.auction = number
            elif event["kind"] == EventKind.BID_ACCEPTED:
                self.bids[number] = int(event["account"])
            elif event["kind"] == EventKind.BID_ENDED or (
                event["kind"] == EventKind.AUCTION_TRADE and event["remaining"] == 0
            ):
                self.bids.pop(number, None)
