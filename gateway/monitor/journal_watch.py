"""Alerts out of what the venue has journaled: controls that refused, rates, halts, kill switches, limits reached."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from engine.core import Engine
from engine.schema import REASON_TEXT, EventKind, KillScope, Phase, Reason, Status, unpack_state
from engine.venue import Venue
from gateway.monitor.alerts import Alert, Bell
from gateway.monitor.thresholds import Thresholds
from replay.scan import Batch

NS: Final = 1_000_000_000
WINDOW_SECONDS: Final = 10
CONTROLS: Final = frozenset(
    {
        *(Reason.PRICE_ABOVE_LIMIT, Reason.PRICE_BELOW_LIMIT, Reason.PRICE_COLLAR, Reason.PRICE_OUT_OF_WINDOW),
        *(Reason.MAX_ORDER_QUANTITY, Reason.MAX_ORDER_VALUE, Reason.ORDER_RATE, Reason.OPEN_ORDERS),
        Reason.POSITION_LIMIT,
    }
)
"""Reasons by which a pre-trade control refuses."""
_TOLD: Final = np.isin(
    np.arange(256),
    [
        *(EventKind.TRADE, EventKind.PHASE_CHANGED, EventKind.KILL_SWITCH_SET, EventKind.LARGE_HOLDER),
        *(EventKind.TRADE_BUSTED, EventKind.SETTLEMENT_ACKNOWLEDGED, EventKind.AUCTION_CANCELLED),
        *(EventKind.ACCOUNT_STATUS_SET, EventKind.SESSION_STATUS_SET, EventKind.SESSION_DOWN),
    ],
)
"""Kinds that are looked at one by one, of trades those at a limit; refusals are counted."""


class JournalWatch:
    """Takes batches in order and gives alerts.

    Args:
        venue: for symbols.
        state: the canonical state before the first batch, for the limits of the day; None = the venue's beginning.
    """

    def __init__(self, venue: Venue, thresholds: Thresholds, bell: Bell, state: bytes | None = None) -> None:
        self._symbols = ["", *(instrument.symbol for instrument in venue.instruments)]
        self._thresholds = thresholds
        self._bell = bell
        before = state or Engine(venue, "reference").canonical_state()
        rows = unpack_state(before)["instruments"]
        self._limits = np.zeros((2, len(rows) + 1), np.int64)
        """Lower and upper limit of the day by instrument, ticks; 0 = none."""
        self._limits[:, 1:] = rows["limit_down"], rows["limit_up"]
        self._window: deque[tuple[int, int, int]] = deque()
        """(venue time, commands, refused) of the last batches."""
        self._controls: Counter[tuple[int, int, int]] = Counter()
        self.own_session = 0
        """The monitor's own, whose losses are no news; 0 = none."""
        self.is_quiet = False
        """While what lies in the past is read: it is remembered, not told."""

    def take(self, batch: Batch) -> Iterator[Alert]:
        """What one batch gives reason to tell."""
        if not batch.command_count:
            return
        events = batch.events
        kinds = events["kind"]
        refused = events[kinds == EventKind.REJECTED]
        for event in events[kinds == EventKind.LIMITS_SET]:
            self._limits[:, event["instrument"]] = event["aux"], event["aux2"]
        rates = self._rates(batch, len(refused))
        if self.is_quiet:
            return
        yield from rates
        yield from self._refusals(refused)
        told = _TOLD[kinds]
        trades = np.flatnonzero(kinds == EventKind.TRADE)
        told[trades] = (self._limits[:, events["instrument"][trades]] == events["price"][trades]).any(0)
        for event in events[told]:
            yield from self._one(event)

    # --- counted --------------------------------------------------------------------------------------------------

    def _rates(self, batch: Batch, refused: int) -> list[Alert]:
        window, limits = self._window, self._thresholds
        window.append((batch.timestamp, batch.command_count, refused))
        while window[0][0] <= batch.timestamp - WINDOW_SECONDS * NS:
            window.popleft()
        second = sum(count for at, count, _ in window if at > batch.timestamp - NS)
        found: list[Alert] = []
        if second >= limits.commands_per_second and not self.is_quiet:
            text = f"{second:,} commands in a second; the threshold is {limits.commands_per_second:,}"
            found += self._ring(
                "warning", "MESSAGE_RATE", text, batch, value=second, threshold=limits.commands_per_second
            )
        total, bad = sum(count for _, count, _ in window), sum(count for *_, count in window)
        if total >= limits.rejected_least and 100 * bad >= limits.rejected_percent * total and not self.is_quiet:
            percent = 100 * bad // total
            text = f"{bad:,} of {total:,} commands of the last {WINDOW_SECONDS} s were refused"
            found += self._ring(
                "warning", "REJECTED_RATE", text, batch, value=percent, threshold=limits.rejected_percent
            )
        return found

    def _ring(self, severity: Any, kind: str, text: str, batch: Batch, **facts: int) -> list[Alert]:
        return self._bell.ring(severity, kind, text, venue_time=batch.timestamp, event=batch.last_event, **facts)

    def _refusals(self, refused: Any) -> Iterator[Alert]:
        """By control, session and instrument."""
        for event in refused[np.isin(refused["reason"], [int(reason) for reason in CONTROLS])]:
            reason, session, number = Reason(int(event["reason"])), int(event["session"]), int(event["instrument"])
            key = (int(reason), session, number)
            self._controls[key] += 1
            if self._controls[key] < self._thresholds.control_refusals:
                continue
            count = self._controls.pop(key)
            text = f"session {session}: {REASON_TEXT[reason]} ({reason.name}), {self._symbol(number)}"
            yield from self._about(
                event, "warning", "CONTROL", text, key, value=count, threshold=self._thresholds.control_refusals
            )

    # --- one by one -----------------------------------------------------------------------------------------------

    def _one(self, event: Any) -> list[Alert]:
        kind, number = EventKind(int(event["kind"])), int(event["instrument"])
        symbol = self._symbol(number)
        match kind:
            case EventKind.TRADE:
                return self._trade(event, number, symbol)
            case EventKind.PHASE_CHANGED:
                return self._phase(event, symbol)
            case EventKind.KILL_SWITCH_SET:
                scope, stop = KillScope(int(event["side"])).name.lower(), not event["aux"]
                addressed = {"firm": int(event["order_id"]), "account": int(event["account"]), "instrument": symbol}
                what = f"{scope} {addressed.get(scope, '')}".strip()
                text = f"kill switch: {what} {'stopped' if stop else 'resumed'}, {int(event['quantity']):,} ended"
                severity = "critical" if stop else "info"
                return self._about(event, severity, "KILL_SWITCH", text, int(event["sequence"]))
            case EventKind.LARGE_HOLDER:
                account, held, limit = int(event["account"]), int(event["aux"]), int(event["remaining"])
                text = f"account {account} holds {held:,} units of asset {int(event['aux2'])}; large from {limit:,} on"
                return self._about(event, "warning", "LARGE_HOLDER", text, account, value=held, threshold=limit)
            case EventKind.TRADE_BUSTED:
                text = f"trade {int(event['order_id'])} cancelled, {symbol}"
                return self._about(event, "warning", "TRADE_CANCELLED", text, int(event["sequence"]))
            case EventKind.AUCTION_CANCELLED:
                reason = Reason(int(event["reason"])).name
                text = f"auction {int(event['order_id'])} cancelled ({reason}), {symbol}"
                return self._about(event, "warning", "AUCTION_CANCELLED", text, int(event["sequence"]))
            case EventKind.SETTLEMENT_ACKNOWLEDGED if event["quantity"]:
                text = f"the registry refused the settlement file of {int(event['aux'])}"
                return self._about(event, "critical", "SETTLEMENT_REFUSED", text, int(event["sequence"]))
            case EventKind.ACCOUNT_STATUS_SET | EventKind.SESSION_STATUS_SET | EventKind.SESSION_DOWN:
                return self._status(event, kind)
        return []

    def _trade(self, event: Any, number: int, symbol: str) -> list[Alert]:
        price = int(event["price"])
        which = "upper" if price == self._limits[1, number] else "lower"
        text = f"{symbol} trades at the day's {which} limit, {price} ticks"
        return self._about(event, "warning", "AT_LIMIT", text, (number, price), value=price)

    def _phase(self, event: Any, symbol: str) -> list[Alert]:
        phase = int(event["phase"])
        if phase == Phase.VOLATILITY_CALL:
            return self._about(event, "warning", "VOLATILITY_CALL", f"{symbol}: volatility interruption", symbol)
        if phase == Phase.HALT:
            return self._about(event, "critical", "HALT", f"{symbol or 'all instruments'}: halted", symbol)
        return []

    def _status(self, event: Any, kind: EventKind) -> list[Alert]:
        if kind == EventKind.SESSION_DOWN:
            session, reason = int(event["aux"]), int(event["reason"])
            if reason == Reason.USER_REQUESTED or (self.own_session and session == self.own_session):
                return []
            name = Reason(reason).name if reason else "no reason told"
            return self._about(event, "info", "SESSION_LOST", f"session {session} lost: {name}", session)
        account = kind == EventKind.ACCOUNT_STATUS_SET
        number, status = int(event["account" if account else "aux"]), Status(int(event["aux" if account else "aux2"]))
        text = f"{'account' if account else 'session'} {number} is now {status.name}"
        return self._about(event, "info", "STATUS_SET", text, int(event["sequence"]))

    def _about(self, event: Any, severity: Any, kind: str, text: str, key: object, **facts: int) -> list[Alert]:
        facts |= {"venue_time": int(event["timestamp"]), "event": int(event["sequence"])}
        instrument, session = self._symbol(int(event["instrument"])), int(event["session"])
        return self._bell.ring(severity, kind, text, key, instrument=instrument, session=session, **facts)

    def _symbol(self, number: int) -> str:
        known = 0 < number < len(self._symbols)
        return self._symbols[number] if known else f"instrument {number}" if number else ""
