"""The client process that provokes refusals, and then measures single orders while the others trade."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import zmq

from engine.control import SetAccountStatus, SetSessionStatus
from engine.schema import CommandKind, EventFlag, EventKind, Reason, Status, commands
from gateway import wire
from gateway.client import Client
from gateway.demo.member import OUTAGE, WAIT, Member, hear_out
from gateway.demo.plan import AFTER_BREAK, BREAK, FLOW_ENDS, PROVOKED, PROVOKERS, Plan, account_of, moment
from gateway.demo.raw import RawSession, Unexpected, stranger
from gateway.demo.rejects import BASE, COMMANDS, FRAMES, STAGED
from gateway.demo.talk import Talk, loads_no_engine
from gateway.security import KeyPair
from gateway.wire import FrameType, Heartbeat

SYMBOL: Final = "CEA21"
PROBED: Final = "CEA22"
OPENS: Final = "09:31"
PAUSE: Final = 0.004
"""Seconds between two measured orders."""


class Provoker:
    """Two firms, one of them poor, and the means to behave badly; reports every provocation and its answer."""

    def __init__(self, plan: Plan, endpoint: str, talk: Talk) -> None:
        self._plan = plan
        self._endpoint = endpoint
        self._talk = talk
        self.other, self.poor = (Member(plan, session, endpoint) for session in PROVOKERS)
        self.members = [self.other, self.poor]
        self._account = account_of(self.poor.session)
        self.latencies: list[int] = []
        """Microseconds from sending a single order to its acknowledgement."""

    def _tell(self, expected: Reason, what: str, got: Reason | None) -> None:
        name = "nothing" if got is None else got.name
        self._talk.report("refused", expected=expected.name, what=what, got=name)

    # --- single commands ------------------------------------------------------------------------------------------

    def answer(self, fields: dict[str, int], member: Member | None = None) -> Reason | None:
        """Send one command; the reason of its refusal, None when it was not refused."""
        sender = self.poor if member is None else member
        made = commands(1)
        for name, value in fields.items():
            made[name] = value
        number = sender.client.submit(made)
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            for event in sender.poll(0.05):
                if event["client_order_id"] == number and event["kind"] == EventKind.REJECTED:
                    return Reason(int(event["reason"]))
            if sender.client.acknowledged >= number:
                return None
        raise Unexpected(f"no answer to {fields}")

    def provoke_commands(self) -> None:
        for wrong in COMMANDS:
            self._tell(wrong.reason, wrong.what, self.answer(wrong.command()))

    # --- staged ---------------------------------------------------------------------------------------------------

    def provoke_staged(self) -> None:
        """Situations between the two firms in a book that is theirs alone, for now."""
        poor, other = self.poor.client, self.other.client
        best = other.place(SYMBOL, "sell", 10, "70.00").wait(WAIT)
        behind = other.place(SYMBOL, "sell", 10, "70.05").wait(WAIT)
        take = {"kind": int(CommandKind.TAKE), "side": 1, "instrument": PROVOKED, "account": self._account}
        this, that = take | {"target": best.order_id}, take | {"target": behind.order_id}
        self._stage(Reason.POST_ONLY_WOULD_TAKE, BASE | {"flags": 1})
        self._stage(Reason.LISTING_CHANGED, this | {"price": 7_001, "quantity": 1})
        self._stage(Reason.QUANTITY_EXCEEDS_LISTING, this | {"price": 7_000, "quantity": 11})
        self._stage(Reason.NOT_AT_BEST, that | {"price": 7_005, "quantity": 1})
        own = poor.place(SYMBOL, "buy", 5, "69.90").wait(WAIT)
        self._stage(Reason.SELF_TRADE, take | {"target": own.order_id, "side": 2, "price": 6_990, "quantity": 1})
        own.cancel().wait(WAIT)
        # A real trade: from now on the poor firm holds four tonnes that it may not sell today.
        poor.place(SYMBOL, "buy", 4, "70.00").wait_done(WAIT)
        less = {"kind": int(CommandKind.REPLACE_ORDER), "target": best.order_id, "price": 7_000, "quantity": 3}
        self._stage(Reason.QUANTITY_BELOW_FILLED, less, self.other)
        self._sweep()
        held = sum(h.free for h in poor.account().holdings if h.asset == SYMBOL)
        self._stage(Reason.UNITS_BOUGHT_TODAY, BASE | {"side": 2, "quantity": held + 2})
        with self._operator() as operator:
            operator.control(SetAccountStatus(self._account, int(Status.SUSPENDED), "demonstration"))
            self._stage(Reason.ACCOUNT_SUSPENDED, BASE)
            operator.control(SetAccountStatus(self._account, int(Status.ACTIVE), "demonstration"))
        other.mass_cancel().wait(WAIT)
        poor.mass_cancel(side="buy", this_session=True).wait(WAIT)

    def _sweep(self) -> None:
        """Six price levels, of which one order may take five: what lies beyond is cancelled by the system."""
        made = [self.other.client.place(SYMBOL, "sell", 1, ticks=6_950 + level).wait(WAIT) for level in range(6)]
        swept = self.poor.client.place(SYMBOL, "buy", 6, ticks=6_955).wait_done(WAIT)
        if swept.filled != 5 or made[-1].filled:
            raise Unexpected(f"an order swept {swept.filled} levels, not five")

    def leave_one(self) -> None:
        """An order for the day that nobody wants: the end of the day expires it."""
        self.poor.client.place(SYMBOL, "buy", 1, "63.00").wait(WAIT)

    def _stage(self, reason: Reason, fields: dict[str, int], member: Member | None = None) -> None:
        self._tell(reason, STAGED[reason], self.answer(fields, member))

    def _operator(self) -> Client:
        plan = self._plan
        return Client(
            self._endpoint, secret=plan.secret("OPS"), server=plan.server_key, timeout=WAIT, reconnect_timeout=OUTAGE
        )

    # --- frames ---------------------------------------------------------------------------------------------------

    def provoke_frames(self) -> None:
        """What only a raw socket can do."""
        self._provoke_logons()
        with self._raw("RAW") as raw:
            raw.logon()
            for reason, frame in (
                (Reason.MALFORMED_FRAME, b"\x01\x01\x00"),
                (Reason.UNSUPPORTED_VERSION, wire.HEADER.pack(FrameType.COMMANDS, 9, 1, 0) + bytes(64)),
                (
                    Reason.TOO_MANY_RECORDS,
                    wire.HEADER.pack(FrameType.COMMANDS, wire.VERSION, 1_025, 0) + bytes(1_025 * 64),
                ),
            ):
                raw.send(frame)
                self._tell(reason, FRAMES[reason], raw.reject())
            self._provoke_numbers(raw)
            raw.send(wire.pack(FrameType.RESUME, wire.Resume(1 << 40)))
            self._tell(Reason.ALREADY_TOO_OLD, FRAMES[Reason.ALREADY_TOO_OLD], raw.reject())
        with self._raw("FLOOD") as raw:
            self._provoke_limits(raw)
        self._provoke_strangers()

    def _raw(self, session: str) -> RawSession:
        return RawSession(self._endpoint, self._plan.secret(session), self._plan.server_key)

    def _provoke_logons(self) -> None:
        with self._raw("RAW") as raw:
            raw.send(wire.pack(FrameType.HEARTBEAT, Heartbeat()))
            self._tell(Reason.NOT_LOGGED_ON, FRAMES[Reason.NOT_LOGGED_ON], raw.reject())
            raw.send(wire.pack(FrameType.LOGON, wire.Logon("S01")))
            self._tell(Reason.UNKNOWN_SESSION, FRAMES[Reason.UNKNOWN_SESSION], raw.reject())
        with self._raw("TWICE") as first, self._raw("TWICE") as second:
            first.logon()
            second.logon()
            self._tell(Reason.TAKEN_OVER, FRAMES[Reason.TAKEN_OVER], first.reject())
        with self._raw("GUEST") as guest, self._operator() as operator:
            number = guest.logon().session
            operator.control(SetSessionStatus(number, int(Status.ENDED), "demonstration"))
            self._tell(Reason.SESSION_ENDED, FRAMES[Reason.SESSION_ENDED], guest.reject())

    def _provoke_numbers(self, raw: RawSession) -> None:
        """Number 10 twice, then with other content, then a number that was passed over."""
        made = commands(1)
        for name, value in BASE.items():
            made[name] = value
        made["price"], made["client_order_id"] = 6_500, 10
        raw.commands(made)
        original = raw.records(FrameType.EVENTS)
        raw.commands(made)
        again = raw.records(FrameType.DUPLICATES).copy()
        flagged = bool((again["flags"] & int(EventFlag.POSSIBLE_DUPLICATE)).all())
        again["flags"] &= ~int(EventFlag.POSSIBLE_DUPLICATE)
        self._talk.report("duplicate", identical=flagged and again.tobytes() == original.tobytes())
        made["price"] = 6_501
        raw.commands(made)
        self._tell_record(Reason.DUPLICATE_MISMATCH, raw)
        made["client_order_id"] = 5
        raw.commands(made)
        self._tell_record(Reason.STALE_CLIENT_ORDER_ID, raw)
        made = commands(1)
        made["kind"], made["client_order_id"] = CommandKind.MASS_CANCEL, 11
        made["scope"] = 8
        raw.commands(made)
        raw.records(FrameType.EVENTS)

    def _tell_record(self, reason: Reason, raw: RawSession) -> None:
        self._tell(reason, FRAMES[reason], Reason(int(raw.records(FrameType.DUPLICATES)[0]["reason"])))

    def _provoke_limits(self, raw: RawSession) -> None:
        """Frames until the throttle refuses one, then the same answers again and again without confirming any."""
        raw.logon()
        made = commands(wire.MAX_RECORDS)
        made["kind"], made["target"] = CommandKind.CANCEL_ORDER, 1 << 40
        for start in range(20):
            made["client_order_id"] = range(start * len(made) + 1, (start + 1) * len(made) + 1)
            raw.commands(made)
        self._tell(Reason.THROTTLED, FRAMES[Reason.THROTTLED], raw.reject())
        for _ in range(60):
            raw.send(wire.pack(FrameType.RESUME, wire.Resume(0)))
        reason = raw.reject()
        while reason is Reason.THROTTLED:
            reason = raw.reject()
        self._tell(Reason.SLOW_CONSUMER, FRAMES[Reason.SLOW_CONSUMER], reason)

    def _provoke_strangers(self) -> None:
        plan = self._plan
        answers = {
            "a key that nobody registered": stranger(self._endpoint, plan.server_key, KeyPair(*zmq.curve_keypair())),
            "no key at all": stranger(self._endpoint, plan.server_key, None),
        }
        for what, answer in answers.items():
            self._talk.report("stranger", what=what, answer=answer)

    # --- time -----------------------------------------------------------------------------------------------------

    def rest(self, until: int, each_turn: Callable[[], None] = lambda: None) -> None:
        """Keep the connections going until journal time `until`."""
        while self.poor.now() < until:
            for member in self.members:
                member.poll()
            each_turn()
            time.sleep(PAUSE)

    def probe(self) -> None:
        """One order far from the market and its cancellation, each timed from sending to answer: a closed loop."""
        client = self.other.client
        logons = self.other.logons
        began = time.perf_counter_ns()
        order = client.place(PROBED, "buy", 1, "66.00").wait(WAIT)
        answered = time.perf_counter_ns()
        order.cancel().wait(WAIT)
        self.other.poll()
        if self.other.logons == logons:
            self.latencies.append((answered - began) // 1_000)

    def provoke_break(self) -> None:
        self._stage(Reason.WRONG_PHASE, BASE)


def run_provoker(plan: Plan, talk: Talk) -> int:
    """The process: provocations after the opening and in the break, single measured orders in between."""
    provoker = Provoker(plan, talk.wait_for("start")["endpoint"], talk)
    talk.report("logged on", sessions={m.session: m.client.logon.session for m in provoker.members})
    provoker.rest(moment(OPENS))
    provoker.provoke_commands()
    provoker.provoke_staged()
    provoker.provoke_frames()
    talk.report("over")
    minute = 60_000_000_000
    provoker.rest(moment(BREAK) - minute, provoker.probe)
    provoker.rest(moment(BREAK) + 5 * minute)
    provoker.provoke_break()
    provoker.rest(moment(AFTER_BREAK) + minute)
    provoker.rest(moment(FLOW_ENDS), provoker.probe)
    provoker.other.client.mass_cancel().wait(WAIT)
    provoker.leave_one()
    talk.report("over")
    while (order := talk.order()) is None or order["do"] != "finish":
        for member in provoker.members:
            member.poll(0.02)
    hear_out(provoker.members)
    for member in provoker.members:
        member.close()
    talk.report(
        "final",
        members={m.session: m.final() for m in provoker.members},
        probe=provoker.latencies,
        no_engine=loads_no_engine(),
    )
    return 0
