"""A day of the national carbon market: morning, break, afternoon with block trades, one bidding session.

Orders come as from traders who see their executions (`writer`), most of them in the two vintages that firms need, few
in the old ones. Between them: in the morning a seller's auction is announced, opened, bid for by many, closed and
cleared; at the break nothing but cancels; in the afternoon block terms are offered to a named firm or to all,
countered, accepted, withdrawn.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from benchmarks.workloads.base import EMITTERS, Workload, open_market, owner_group
from benchmarks.workloads.bidding import Bidding
from benchmarks.workloads.blocks import Blocks
from benchmarks.workloads.writer import NOTHING, Style, Writer, step_size
from engine.core import Engine, ImplementationName
from engine.schema import COMMAND, CommandArray, CommandKind, Mode, Phase
from engine.venue import Venue

SHARES: Final = np.array([0.01, 0.02, 0.05, 0.12, 0.55, 0.25])
"""Of new orders by vintage, oldest first: thin old ones, one that everybody surrenders, and the new one."""
AUCTIONED: Final = 5
"""CEA24, in which the seller of the bidding session sells."""
OPENS, CLOSES, BREAK, AFTERNOON = 0.2, 0.4, 0.55, 0.555
"""When, as a share of the flow: bidding opens and closes, trading pauses and goes on."""


def carbon_day(
    count: int,
    resting: int = 100_000,
    accounts: int = EMITTERS,
    seed: int = 7,
    implementation: ImplementationName = "kernel",
) -> Workload:
    """`count` commands on the preset `seee`: a firm, a session, cash and six vintages per account, T+1, 10 % limits.

    Sellers own more units than they will ever offer, because what is bought today cannot be sold today.
    """
    venue = Venue.preset("seee")
    opening = open_market(venue, accounts)
    engine = Engine(venue, implementation)
    engine.apply_all(opening)
    state = engine.state()["instruments"]
    style = Style(
        centre=np.append(0, state["previous_close"]),
        low=np.append(0, state["limit_down"]),
        high=np.append(0, state["limit_up"]),
        span=150,
        reach=200,
        spread=12,
        tail=500,
        quantity=1_000,
        accounts=accounts,
        sessions=True,
        share=SHARES,
    )
    writer = Writer(engine, style, seed)
    writer.fill(opening, resting, count)
    most = step_size(resting)
    run_in = writer.at + count // 5
    while writer.at < run_in:
        writer.step(min(most, run_in - writer.at), resting)
    start = writer.at
    _Day(writer, count, resting, seed).run()
    return Workload("seee", venue, writer.commands[:start], writer.commands[start : writer.at])


class _Day:
    """The flow from its first command to its last: exactly `count` of them."""

    def __init__(self, writer: Writer, count: int, resting: int, seed: int) -> None:
        self.writer, self.count, self.resting = writer, count, resting
        self.start = writer.at
        random = np.random.default_rng(seed + 1)
        style = writer.style
        seller = style.accounts
        self.blocks = Blocks(random, style)
        self.bidding = Bidding(random, style, AUCTIONED, seller, int(owner_group(np.array(seller))))

    def run(self) -> None:
        self._send(self.bidding.announce())
        self._trade(OPENS)
        self._send(self.bidding.open())
        self._trade(CLOSES, self.bidding)
        self._send(self.bidding.close())
        self._trade(BREAK)
        self._send(_phase(Mode.LISTED, Phase.BREAK))
        self._trade(AFTERNOON, only_cancels=True)
        self._send(np.concatenate((_phase(Mode.LISTED, Phase.CONTINUOUS), _phase(Mode.BLOCK, Phase.CONTINUOUS))))
        self._trade(1.0, self.blocks)

    def _send(self, commands: CommandArray) -> None:
        self.bidding.watch(self.writer.send(commands))

    def _trade(self, until: float, others: Blocks | Bidding | None = None, only_cancels: bool = False) -> None:
        """Steps until this share of the flow is written."""
        end = self.start + int(until * self.count)
        while self.writer.at < end:
            size = min(step_size(self.resting), end - self.writer.at)
            extra = others.commands(size) if others else NOTHING
            events = self.writer.step(size, self.resting, others=extra, only_cancels=only_cancels)
            if others:
                others.watch(events)
            if not len(events):  # nothing left to cancel
                return


def _phase(mode: Mode, phase: Phase) -> CommandArray:
    made = np.zeros(1, COMMAND)
    made["kind"], made["scope"], made["quantity"] = CommandKind.SET_PHASE, mode, phase
    made["expiry"] = 2026_01_05
    return made
