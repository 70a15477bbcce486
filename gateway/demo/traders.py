"""A client process of simulated firms: each has its own session, keys and orders."""

from __future__ import annotations

import time
from random import Random
from typing import Final

from engine.schema import DisconnectPolicy
from gateway.demo.flow import Flow, Market, cancel_everything
from gateway.demo.member import Member, hear_out
from gateway.demo.plan import FLOW, FLOW_ENDS, POLICIES, PROVOKED, SIMULATED, TRADERS, Plan, account_of, moment
from gateway.demo.published import VINTAGES
from gateway.demo.talk import Talk, loads_no_engine

WINDOW: Final = 6
"""Unanswered frames at which a firm waits."""
REPORT_SECONDS: Final = 0.3


def progress(now: int) -> float:
    """Which share of the day's trading time has passed at journal time `now`, 0 to 1."""
    spans = [(moment(start), moment(end)) for start, end in FLOW]
    passed = sum(min(max(now - start, 0), end - start) for start, end in spans)
    return passed / sum(end - start for start, end in spans)


def trading(now: int) -> bool:
    """Whether the flow runs: not in the lunch break. Behind its end what is left is still sent."""
    return any(moment(start) <= now < moment(end) for start, end in FLOW) or now >= moment(FLOW_ENDS)


class Trader:
    """One simulated firm: sends its share of the day as time goes by, then cancels what is left."""

    def __init__(self, member: Member, flow: Flow, quota: int, frame: int) -> None:
        self.member = member
        self.flow = flow
        self.over = False
        self._quota = quota
        self._frame = frame
        self._cancelled = False
        flow.take_in(member.replayed)

    def step(self) -> bool:
        """Receive, and send one frame when it is due; says whether anything was done."""
        member = self.member
        records = member.poll()
        if len(records):
            self.flow.take_in(records)
        if self.over or not member.client.connected or member.unanswered_frames >= WINDOW:
            return len(records) > 0
        now = member.now()
        if not trading(now):
            return len(records) > 0
        if member.sent < self._quota:
            due = int(progress(now) * self._quota) - member.sent
            if due >= min(self._frame, self._quota - member.sent):
                member.send(self.flow.draw(min(self._frame, self._quota - member.sent)))
                return True
        elif not self._cancelled:
            member.send(cancel_everything())
            self._cancelled = True
        else:
            self.over = member.all_answered
        return len(records) > 0


def run_traders(plan: Plan, name: str, talk: Talk) -> int:
    """The process: log on, trade, say how it goes; ends when told."""
    start = talk.wait_for("start")
    policy = POLICIES.get(name, DisconnectPolicy.KEEP)
    market = Market({n: int(VINTAGES[n - 1].previous_close * 100) for n in SIMULATED}, Random(name), [1, 3])
    traders = []
    for session in TRADERS[name]:
        member = Member(plan, session, start["endpoint"], policy, again=start["again"])
        flow = Flow(account_of(session), market, Random(session))
        traders.append(Trader(member, flow, plan.size.firm_commands - 1, plan.size.frame))
    members = [trader.member for trader in traders]
    talk.report(
        "logged on",
        sessions={m.session: m.client.logon.session for m in members},
        replayed=sum(len(m.replayed) for m in members),
        sent_again=sum(m.sent_again for m in members),
    )
    _trade(traders, market, talk)
    hear_out(members)
    for member in members:
        member.close()
    talk.report(
        "final",
        members={m.session: m.final() for m in members},
        latencies=[latency for m in members for latency in m.latencies],
        no_engine=loads_no_engine(),
    )
    return 0


def _trade(traders: list[Trader], market: Market, talk: Talk) -> None:
    members = [trader.member for trader in traders]
    told, over, back = 0.0, False, [m.logons for m in members]
    while True:
        order = talk.order()
        if order is not None and order["do"] == "finish":
            return
        if order is not None and order["do"] == "enter":
            market.open.append(PROVOKED)
        if not sum([trader.step() for trader in traders]):
            time.sleep(0.002)
        if time.monotonic() - told > REPORT_SECONDS:
            told = time.monotonic()
            acknowledged = sum(m.client.acknowledged for m in members)
            talk.report("count", acknowledged=acknowledged, rejected=sum(t.flow.rejected for t in traders))
        if back != (logons := [m.logons for m in members]) and all(m.client.connected for m in members):
            back = logons
            talk.report(
                "back",
                sessions=len(members),
                sent_again=sum(m.sent_again for m in members),
                found_done=sum(m.found_done for m in members),
            )
        if not over and all(trader.over for trader in traders):
            over = True
            talk.report("over")
