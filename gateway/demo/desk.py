"""The pair of firms that trades the published day of CEA23 and CEA24, one listing after the other."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any, Final

from gateway.client import Client
from gateway.demo.member import WAIT, Member, hear_out
from gateway.demo.plan import DESK, SIMULATED, Plan, moment
from gateway.demo.published import VINTAGES
from gateway.demo.script import DEALS, Deal, falsified
from gateway.demo.talk import Talk, loads_no_engine
from gateway.orders import OrderHandle, Status
from gateway.views import Account

FAR: Final = 100
"""Ticks from the previous close at which the last pair of trades is made, at most."""
MOST: Final = 99_999
"""Lots of one listed order."""


class DealFailed(Exception):
    """A scripted trade did not go through as listed."""


class Desk:
    """`buyer` always buys, `seller` always sells; who lists and who takes alternates."""

    def __init__(self, plan: Plan, endpoint: str) -> None:
        self.buyer, self.seller = (Member(plan, session, endpoint) for session in DESK)
        self.members = [self.buyer, self.seller]
        self.deals = falsified(DEALS) if plan.falsify else DEALS
        self._done = 0

    def rest(self, until: int) -> None:
        """Keep both connections going until journal time `until`."""
        while self.buyer.now() < until:
            self.poll()
            time.sleep(0.002)

    def poll(self) -> None:
        for member in self.members:
            member.poll()

    def deal(self, deal: Deal) -> None:
        """List and take. Raises DealFailed, Rejected, NoAnswer."""
        lister, taker = (self.seller, self.buyer) if self._done % 2 else (self.buyer, self.seller)
        self._done += 1
        offered, wanted = _sides(lister is self.seller)
        listing = lister.client.place(deal.symbol, offered, deal.tonnes, deal.price).wait(WAIT)
        left = deal.tonnes
        for part in range(deal.parts, 0, -1):
            lots = left // part
            left -= lots
            taken = taker.client.take(listing.order_id, deal.symbol, wanted, lots, deal.price).wait_done(WAIT)
            if taken.status is not Status.FILLED or taken.average_price != deal.price:
                raise DealFailed(f"{deal}: the taker's order ended as {taken!r}")
        _filled(lister.client, listing)
        self.poll()

    # --- before the close -----------------------------------------------------------------------------------------

    def level(self) -> list[str]:
        """Bring each simulated vintage's average back to its previous close, as if it had not traded.

        On the real day these vintages had no trades and kept their closes, which enter the composite. Returns what was
        done, for the screen.
        """
        told = []
        for number in SIMULATED:
            vintage = VINTAGES[number - 1]
            for _ in range(20):
                deal = leveling(vintage.symbol, vintage.previous_close, *self._average(vintage.symbol))
                if deal is None:
                    break
                self.deal(deal)
                told.append(f"{deal.symbol} {deal.tonnes:,} t at {deal.price}")
        return told

    def _average(self, symbol: str) -> tuple[int, Decimal]:
        day = self.buyer.client.day(symbol)
        return day.volume, day.turnover


def leveling(symbol: str, close: Decimal, volume: int, turnover: Decimal) -> Deal | None:
    """The trade that brings the average towards `close`; None when it rounds to it with much to spare."""
    tick = Decimal("0.01")
    off = int((turnover - close * volume) / tick)
    if abs(off) * 4 <= volume:
        return None
    lots = min(MOST, max(1, abs(off) // FAR))
    ticks = min(FAR, max(1, abs(off) // lots))
    return Deal("", symbol, close - tick * ticks if off > 0 else close + tick * ticks, lots)


def _sides(lister_sells: bool) -> tuple[Any, Any]:
    return ("sell", "buy") if lister_sells else ("buy", "sell")


def _filled(client: Client, listing: OrderHandle) -> None:
    client.wait_until(lambda: listing.done, WAIT, f"the end of listing {listing.order_id}")
    if listing.status is not Status.FILLED:
        raise DealFailed(f"the listing ended as {listing!r}")


def _balances(account: Account) -> dict[str, Any]:
    return {
        "cash": sum(c.free + c.locked for c in account.cash),
        "units": {h.asset: h.free + h.locked + h.bought_today for h in account.holdings},
    }


def run_desk(plan: Plan, talk: Talk) -> int:
    """The process: scripted trades at their times, then, when told, the last pairs, then the buyer's statement."""
    start = talk.wait_for("start")
    desk = Desk(plan, start["endpoint"])
    talk.report("logged on", sessions={m.session: m.client.logon.session for m in desk.members})
    before = _balances(desk.buyer.client.account())
    for deal in desk.deals:
        desk.rest(moment(deal.at))
        desk.deal(deal)
        talk.report("dealt", what=f"{deal.symbol} {deal.tonnes:,} t at {deal.price}")
    talk.report("over")
    while True:
        order = talk.order()
        if order is None:
            desk.poll()
            time.sleep(0.005)
            continue
        if order["do"] == "level":
            talk.report("leveled", deals=desk.level())
        elif order["do"] == "finish":
            break
    hear_out(desk.members)
    talk.report("statement", before=before, after=_balances(desk.buyer.client.account()))
    for member in desk.members:
        member.close()
    talk.report("final", members={m.session: m.final() for m in desk.members}, no_engine=loads_no_engine())
    return 0
