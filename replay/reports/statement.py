"""An account's daily statement: what it had, what moved, what it has; with its trades and the orders carried over.

The three parts come from three places, so that they prove one another: the opening from the state before the day, the
movements from the day's events, the closing from the state after it. Where opening and movements do not make the
closing the statement is refused. Fields after the client of the national market (rule book, G5).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from engine.schema import EventArray, EventKind, HoldType
from engine.venue import Venue, number_date
from replay.execute import Implementation
from replay.reader import JournalReader
from replay.reports.days import (
    NoSuchDay,
    Sections,
    TradingDay,
    events_of,
    settled_day,
    snapshot_after,
    state_after,
    state_before,
    trading_day,
)
from replay.reports.settlement import Trade, trades_in

CASH: Final = ("free", "locked", "auction_locked")
"""Buckets that make up the cash of an account; `proceeds_today` is a part of free."""
UNITS: Final = ("free", "locked", "bought_today", "pledged", "judicial", "auction_frozen", "transfer_pending")
"""Buckets that make up the units."""
_TRADING: Final = [
    int(kind)
    for kind in (
        EventKind.TRADE,
        EventKind.BLOCK_TRADE,
        EventKind.AUCTION_TRADE,
        EventKind.FEE,
        EventKind.TRADE_BUSTED,
    )
]
_MOVING: Final = [
    int(kind)
    for kind in (
        EventKind.CASH_MOVED,
        EventKind.UNITS_MOVED,
        EventKind.UNITS_ALLOCATED,
        EventKind.UNITS_SURRENDERED,
        EventKind.UNITS_CANCELLED,
        EventKind.UNITS_CARRIED_OVER,
        EventKind.HOLD_REALISED,
    )
]


class NoSuchAccount(ValueError):
    """The venue has no such account on that day."""


class NotReconciled(ValueError):
    """Opening and movements do not make the closing."""


class Line(NamedTuple):
    """One currency or asset of a statement: minor units, or asset units.

    Attributes:
        number: of the currency or asset.
        opening, closing: all buckets together; `available` what was free at the opening.
        movements: name -> signed amount, those that are not 0.
        buckets: the closing by bucket; of cash also `proceeds_today`, which is free but not withdrawable under EOD.
    """

    number: int
    opening: int
    available: int
    movements: dict[str, int]
    closing: int
    buckets: dict[str, int]


class Statement(NamedTuple):
    """What happened to one account on one trading day.

    Attributes:
        trades: the account's, and cancellations of its trades, in sequence; both sides where it traded with itself.
        orders: rows of STATE_ORDER that live on after the day.
        obligations: rows of STATE_OBLIGATION as the day left them.
    """

    day: TradingDay
    account: int
    cash: list[Line]
    holdings: list[Line]
    trades: list[Trade]
    orders: list[Any]
    obligations: list[Any]


def statement(reader: JournalReader, date: int, account: int, implementation: Implementation) -> Statement:
    """The statement of a trading date (YYYYMMDD), as far as the day has come.

    Raises NoSuchDay, NoSuchAccount, NotReconciled, JournalError.
    """
    day = trading_day(reader, date)
    before = state_before(reader, day, implementation)
    after = state_after(reader, day.last_command, day.last_event, implementation)
    return compose(reader.venue, day, account, before, after, events_of(reader, day.first_event, day.last_event))


def settled_statement(reader: JournalReader, date: int, account: int) -> Statement:
    """As `statement`, of a day that is over (0 = the latest), from the snapshots at its ends: no engine is needed.

    Raises NoSuchDay (also where a snapshot is missing), NoSuchAccount, NotReconciled, JournalError.
    """
    day = settled_day(reader, date)
    before = snapshot_after(reader, day.first_event - 1) if day.before_command else {}
    after = snapshot_after(reader, day.last_event)
    if before is None or after is None:
        raise _no_snapshot(day)
    return compose(reader.venue, day, account, before, after, _one_day(reader, day))


def _one_day(reader: JournalReader, day: TradingDay) -> Iterator[EventArray]:
    """The day's events. Raises NoSuchDay at the end of an earlier day, behind which a snapshot is missing."""
    for events in events_of(reader, day.first_event, day.last_event):
        ended = events["aux"][events["kind"] == EventKind.SETTLED]
        if (ended != day.date).any():
            raise _no_snapshot(day)
        yield events


def _no_snapshot(day: TradingDay) -> NoSuchDay:
    return NoSuchDay(f"{number_date(day.date)}: no snapshot at the ends of that day; `replay statement` computes it")


def compose(
    venue: Venue, day: TradingDay, account: int, before: Sections, after: Sections, parts: Iterable[EventArray]
) -> Statement:
    """A statement from the states at both ends of a day and its events. Raises NoSuchAccount, NotReconciled."""
    if venue.prefunded and not 1 <= account <= len(after["accounts"]):
        raise NoSuchAccount(
            f"account {account}: on {number_date(day.date)} there are {len(after['accounts'])} accounts"
        )
    trading: list[EventArray] = []
    moved: dict[tuple[str, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for events in parts:
        mine = events[(events["account"] == account) | (events["contra_account"] == account)]
        trading.append(mine[np.isin(mine["kind"], _TRADING)])
        for event in mine[np.isin(mine["kind"], _MOVING)]:
            for what, number, name, amount in _movements(event, account):
                moved[what, number][name] += amount
    trades = trades_in(venue, trading)
    for what, number, name, amount in _trade_movements(venue, trades, account):
        moved[what, number][name] += amount
    if not venue.prefunded:
        return Statement(day, account, [], [], trades, _orders(after, account), [])
    cash = _lines("cash", "currency", (*CASH, "proceeds_today"), len(CASH), before, after, account, moved)
    units = _lines("holds", "asset", UNITS, len(UNITS), before, after, account, moved)
    for line in cash:
        check(f"account {account}, {venue.currencies[line.number - 1]}", line)
    for line in units:
        check(f"account {account}, {venue.assets[line.number - 1]}", line)
    owed = after["obligations"]
    return Statement(day, account, cash, units, trades, _orders(after, account), list(owed[owed["account"] == account]))


def check(what: str, line: Line) -> None:
    """Raises NotReconciled unless opening and movements make the closing."""
    expected = line.opening + sum(line.movements.values())
    if expected != line.closing:
        raise NotReconciled(
            f"{what}: opening {line.opening} and movements of {expected - line.opening} make {expected},"
            f" the ledger has {line.closing}; run `carbonbook replay verify` and report this"
        )


def _lines(
    section: str,
    key: str,
    buckets: tuple[str, ...],
    adding: int,
    before: Sections,
    after: Sections,
    account: int,
    moved: dict[tuple[str, int], dict[str, int]],
) -> list[Line]:
    """The lines of one section; its first `adding` buckets make up the total."""
    opening, closing = (_rows(state, section, key, buckets, account) for state in (before, after))
    numbers = {number for what, number in moved if what == section} | set(opening) | set(closing)
    none = dict.fromkeys(buckets, 0)
    lines = []
    for number in sorted(numbers):
        old, new = opening.get(number, none), closing.get(number, none)
        movements = {name: amount for name, amount in moved[section, number].items() if amount}
        total_old, total_new = (sum(row[name] for name in buckets[:adding]) for row in (old, new))
        lines.append(Line(number, total_old, old["free"], movements, total_new, new))
    return lines


def _rows(state: Sections, section: str, key: str, buckets: tuple[str, ...], account: int) -> dict[int, dict[str, int]]:
    """Currency or asset -> buckets of one account."""
    if section not in state:
        return {}
    rows = state[section]
    return {int(row[key]): {name: int(row[name]) for name in buckets} for row in rows[rows["account"] == account]}


def _orders(after: Sections, account: int) -> list[Any]:
    rows = after["orders"]
    mine = rows[rows["account"] == account]
    return list(mine[np.argsort(mine["order_id"])])


def _trade_movements(venue: Venue, trades: Iterable[Trade], account: int) -> Iterator[tuple[str, int, str, int]]:
    """(section, currency or asset, name, signed amount) of trades, fees and cancelled trades."""
    for trade in trades:
        terms = venue.instruments[trade.instrument - 1]
        asset, currency = venue.asset_id(terms.asset), venue.currency_id(terms.currency)
        back = -1 if trade.busts else 1
        if trade.buyer == account:
            name = "busted" if trade.busts else "bought"
            yield "cash", currency, name, -back * trade.amount
            yield "cash", currency, "buy_fee", -trade.buyer_fee
            yield "holds", asset, name, back * trade.units
        if trade.seller == account:
            name = "busted" if trade.busts else "sold"
            yield "cash", currency, name, back * trade.amount
            yield "cash", currency, "sell_fee", -trade.seller_fee
            yield "holds", asset, name, -back * trade.units


def _movements(event: Any, account: int) -> Iterator[tuple[str, int, str, int]]:
    """The same of everything else that brings or takes cash or units."""
    amount, units, asset = int(event["aux"]), int(event["quantity"]), int(event["aux"])
    match EventKind(event["kind"]):
        case EventKind.CASH_MOVED:
            yield "cash", int(event["quantity"]), "paid_in" if amount > 0 else "paid_out", amount
        case EventKind.UNITS_MOVED:
            yield "holds", int(event["quantity"]), "brought_in" if amount > 0 else "taken_out", amount
        case EventKind.UNITS_ALLOCATED:
            yield "holds", int(event["quantity"]), "allocated", amount
        case EventKind.UNITS_SURRENDERED:
            yield "holds", asset, "surrendered", -units
        case EventKind.UNITS_CANCELLED:
            yield "holds", asset, "cancelled", -units
        case EventKind.UNITS_CARRIED_OVER:
            yield "holds", asset, "carried_out", -units
            yield "holds", int(event["aux2"]), "carried_in", units
        case EventKind.HOLD_REALISED:
            yield from _realised(event, account, asset, units)


def _realised(event: Any, account: int, asset: int, units: int) -> Iterator[tuple[str, int, str, int]]:
    """A hold's units came, left, or went from the owner to a receiver."""
    kind = HoldType(event["side"])
    if kind == HoldType.TRANSFER_IN:
        yield "holds", asset, "transferred_in", units
        return
    if event["account"] == account:
        yield "holds", asset, "transferred_out" if kind == HoldType.TRANSFER_OUT else "realised", -units
    if event["contra_account"] == account:
        yield "holds", asset, "received", units
