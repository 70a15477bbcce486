"""How long an account quoted two-sided: presence and spread of a market maker, from its ordinary resting orders.

Commission Delegated Regulation (EU) 2017/578 (RTS 8): simultaneous firm quotes of comparable size, which do not diverge
by more than half from each other, with competitive prices, for at least half of the daily hours of continuous trading.
The quote is the account's best bid and best offer with all its lots at these prices.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, NamedTuple

import numpy as np

from engine.schema import EventKind, Mode, OrderType, Phase, Side
from engine.venue import number_date
from replay.execute import Implementation
from replay.reader import JournalReader
from replay.reports.days import Sections, TradingDay, events_of, state_before, trading_day
from replay.reports.live_orders import KINDS, LiveOrder, LiveOrders
from replay.reports.statement import NoSuchAccount

LEAST_SHARE: Final = 50
"""Per cent of the continuous trading of a day that a market maker is to be there."""
_WAITING: Final = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.STOP_LIMIT_ICEBERG)
_READ: Final = [*KINDS, int(EventKind.PHASE_CHANGED)]
_TWO_SIDED: Final = (EventKind.TRADE, EventKind.DECREMENTED)
"""Elsewhere contra_account 0 means that there is none."""


class Quote(NamedTuple):
    """Best prices of an account, ticks, and its lots at them; 0 = none on that side."""

    bid: int = 0
    bid_lots: int = 0
    offer: int = 0
    offer_lots: int = 0

    @property
    def is_two_sided(self) -> bool:
        return bool(self.bid_lots and self.offer_lots)

    @property
    def spread(self) -> int:
        return self.offer - self.bid

    @property
    def is_comparable(self) -> bool:
        """The smaller size is at least half of the larger one."""
        return 2 * min(self.bid_lots, self.offer_lots) >= max(self.bid_lots, self.offer_lots)


class Presence(NamedTuple):
    """One instrument's day of one account; times in ns of venue time.

    Attributes:
        continuous: how long the instrument was in phase CONTINUOUS.
        two_sided: of it with a bid and an offer; `present` of that with comparable sizes within the spread asked for.
        spread_time: ticks x ns, the spread over the two-sided time.
        widest, narrowest: spreads in ticks while two-sided; 0 without.
    """

    instrument: int
    continuous: int = 0
    two_sided: int = 0
    present: int = 0
    spread_time: int = 0
    narrowest: int = 0
    widest: int = 0

    @property
    def share(self) -> Decimal:
        """Of the continuous time, per cent, half-up."""
        return percent(self.present, self.continuous)

    @property
    def is_met(self) -> bool:
        return 100 * self.present >= LEAST_SHARE * self.continuous

    @property
    def mean_spread(self) -> Decimal | None:
        """Ticks, weighted by time, half-up to a hundredth; None when it was never two-sided."""
        return hundredths(self.spread_time, self.two_sided) if self.two_sided else None


class Watch:
    """Follows one account's quotes in every instrument.

    Args:
        before: the state that the day begins with.
        max_spread: instrument -> ticks; an instrument that is not in it has no widest spread.
    """

    def __init__(self, account: int, before: Sections, max_spread: dict[int, int]) -> None:
        mine = before["orders"][before["orders"]["account"] == account]
        self.found: dict[int, Presence] = {}
        self._orders = LiveOrders(mine)
        self._max_spread = max_spread
        self._quotes: dict[int, Quote] = defaultdict(Quote)
        self._since: dict[int, int] = {}
        """Instruments in continuous trading, and up to when they are counted."""
        self._sides: dict[tuple[int, int], dict[int, LiveOrder]] = defaultdict(dict)
        for order in self._orders.orders.values():
            self._place(order, is_quoted=order.order_type not in _WAITING)

    def take(self, event: Any) -> None:
        """Take in an event of the account's orders, or PHASE_CHANGED."""
        instrument, now = int(event["instrument"]), int(event["timestamp"])
        self._count(instrument, now)
        if event["kind"] == EventKind.PHASE_CHANGED:
            if event["side"] == Mode.LISTED and instrument:
                self._since.pop(instrument, None)
                if event["phase"] == Phase.CONTINUOUS:
                    self._since[instrument] = now
            return
        for step in self._orders.take([event]):
            # A stop order is no quote until it is triggered.
            self._place(step.order, is_quoted=step.code != "NEWO" or step.order.order_type not in _WAITING)

    def close(self, now: int) -> list[Presence]:
        """Count up to now; what was found, by instrument."""
        for instrument in list(self._since):
            self._count(instrument, now)
        return [self.found[instrument] for instrument in sorted(self.found)]

    def _place(self, order: LiveOrder, *, is_quoted: bool) -> None:
        """Put an order among those that quote, or take it away when nothing is left; the quote follows."""
        side = self._sides[order.instrument, order.side]
        if not order.remaining:
            side.pop(order.order_id, None)
        elif is_quoted:
            side[order.order_id] = order
        bids, offers = (self._sides[order.instrument, side].values() for side in (Side.BUY, Side.SELL))
        bid = max((o.price for o in bids), default=0)
        offer = min((o.price for o in offers), default=0)
        bid_lots = sum(o.remaining for o in bids if o.price == bid)
        offer_lots = sum(o.remaining for o in offers if o.price == offer)
        self._quotes[order.instrument] = Quote(bid, bid_lots, offer, offer_lots)

    def _count(self, instrument: int, now: int) -> None:
        """Add what has passed since the last look at an instrument."""
        since = self._since.get(instrument)
        if since is None:
            return
        self._since[instrument] = now
        passed, quote = now - since, self._quotes[instrument]
        old = self.found.get(instrument, Presence(instrument))
        if not quote.is_two_sided or not passed:
            self.found[instrument] = old._replace(continuous=old.continuous + passed)
            return
        widest = self._max_spread.get(instrument)
        fits = quote.is_comparable and (widest is None or quote.spread <= widest)
        self.found[instrument] = Presence(
            instrument,
            continuous=old.continuous + passed,
            two_sided=old.two_sided + passed,
            present=old.present + passed * fits,
            spread_time=old.spread_time + passed * quote.spread,
            narrowest=min(old.narrowest or quote.spread, quote.spread),
            widest=max(old.widest, quote.spread),
        )


def presence(
    reader: JournalReader, date: int, account: int, max_spread: dict[int, int], implementation: Implementation
) -> tuple[TradingDay, list[Presence]]:
    """The day and, by instrument, the presence of an account on it, as far as the day has come.

    Args:
        max_spread: instrument -> ticks, where a widest spread is asked for.

    Raises NoSuchDay, NoSuchAccount, JournalError.
    """
    day = trading_day(reader, date)
    before = state_before(reader, day, implementation)
    watch, accounts = Watch(account, before, max_spread), len(before["accounts"])
    last = 0
    for events in events_of(reader, day.first_event, day.last_event):
        accounts += int((events["kind"] == EventKind.ACCOUNT_OPENED).sum())
        contra = (events["contra_account"] == account) & np.isin(events["kind"], _TWO_SIDED)
        mine = (events["account"] == account) | contra
        mine |= events["kind"] == EventKind.PHASE_CHANGED
        for event in events[mine & np.isin(events["kind"], _READ)]:
            watch.take(event)
        last = int(events["timestamp"][-1])
    if reader.venue.prefunded and not 1 <= account <= accounts:
        raise NoSuchAccount(f"account {account}: on {number_date(day.date)} there are {accounts} accounts")
    return day, watch.close(last)


def percent(part: int, whole: int) -> Decimal:
    """Half-up to two decimals; 0 of nothing."""
    return hundredths(100 * part, whole) if whole else Decimal("0.00")


def hundredths(amount: int, count: int) -> Decimal:
    """A quotient, half-up to two decimals."""
    return (Decimal(amount) / count).quantize(Decimal("0.01"), ROUND_HALF_UP)
