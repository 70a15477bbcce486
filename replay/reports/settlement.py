"""The settlement file of a trading day: every trade of all three modes in sequence, gross, delivery versus payment.

What the registry and the bank move at the end of the day (rule book, G3 and G4), as one CSV whose SHA-256 goes into the
acknowledgement. Trades of listed agreement, block trades and one-way bidding carry the market's public method codes
10, 20 and 21. A cancelled trade stays in its place and is marked; what it moves back is a line of its own, on the day
on which it was cancelled. Fees stay, as the rule of BUST_TRADE says.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np

from engine.schema import DayStage, EventArray, EventKind, Mode, Side
from engine.venue import Venue, number_date
from replay.reader import JournalReader
from replay.reports.days import TradingDay, events_of, trading_day, utc

METHOD: Final = {Mode.LISTED: 10, Mode.BLOCK: 20, Mode.BIDDING: 21}
"""The public code of each mode (rule book section 2)."""
MODES: Final = {
    EventKind.TRADE: Mode.LISTED,
    EventKind.BLOCK_TRADE: Mode.BLOCK,
    EventKind.AUCTION_TRADE: Mode.BIDDING,
}
_READ: Final = [int(kind) for kind in (*MODES, EventKind.FEE, EventKind.TRADE_BUSTED)]
COLUMNS: Final = (
    *("record", "sequence", "time", "method", "instrument", "asset", "currency", "price", "lots", "units", "amount"),
    *("buyer", "buyer_fee", "seller", "seller_fee", "account", "trade", "busted_by"),
)
"""Of the file. Lines `trade` and `bust` in sequence; then `units` per account and asset, `cash` per account and
currency (account 0: the venue and its fees): what each receives (above 0) or delivers."""


class OutOfBalance(ValueError):
    """The totals of a settlement do not add up to zero."""


class Trade(NamedTuple):
    """One trade, or (`busts` > 0) the cancellation of one. Ticks, lots, asset units, minor currency units.

    Attributes:
        sequence: the trade's id, or the event that cancelled it; `time` in UTC ns.
        busts: the id of the trade that this line takes back; 0 for a trade.
        busted_by: the event that cancelled this trade on the same day; 0 = none.
    """

    sequence: int
    time: int
    mode: Mode
    instrument: int
    price: int
    lots: int
    units: int
    amount: int
    buyer: int
    seller: int
    buyer_fee: int = 0
    seller_fee: int = 0
    busts: int = 0
    busted_by: int = 0


class Settlement(NamedTuple):
    """A day's settlement.

    Attributes:
        day: where it stands; the file is final from stage CLOSE_FIXED on, unless a trade is cancelled before SETTLED.
        lines: trades and cancellations in sequence.
        units: (account, asset id) -> units received less delivered, in all that is not 0 or was traded.
        cash: (account, currency id) -> minor units received less paid, fees included; account 0 is the venue.
    """

    venue: Venue
    day: TradingDay
    lines: list[Trade]
    units: dict[tuple[int, int], int]
    cash: dict[tuple[int, int], int]

    @property
    def final(self) -> bool:
        return self.day.stage >= DayStage.CLOSE_FIXED

    def rows(self) -> list[dict[str, Any]]:
        """The file's lines as dictionaries: prices and amounts in currency units, names of the venue."""
        venue = self.venue
        made = [_line(venue, line) for line in self.lines]
        for (account, asset), units in sorted(self.units.items()):
            made.append({"record": "units", "asset": venue.assets[asset - 1], "units": units, "account": account})
        for (account, currency), amount in sorted(self.cash.items()):
            name = venue.currencies[currency - 1]
            made.append({"record": "cash", "currency": name, "amount": money(amount), "account": account})
        return made

    def file(self) -> bytes:
        """The settlement file: CSV in UTF-8, one header line, lines end with a line feed."""
        out = io.StringIO()
        writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows())
        return out.getvalue().encode()

    def sha256(self) -> str:
        """Of the file, 64 hexadecimal digits."""
        return hashlib.sha256(self.file()).hexdigest()


def settlement(reader: JournalReader, date: int) -> Settlement:
    """The settlement of a trading date (YYYYMMDD) as far as the journal goes.

    Raises NoSuchDay, JournalError, OutOfBalance.
    """
    day = trading_day(reader, date)
    lines = trades_in(reader.venue, events_of(reader, day.first_event, day.last_event))
    units, cash = totals(reader.venue, lines)
    return Settlement(reader.venue, day, lines, units, cash)


def trades_in(venue: Venue, parts: Iterable[EventArray]) -> list[Trade]:
    """Trades with their fees, and cancellations of trades, among events in order."""
    lines: list[Trade] = []
    at: dict[int, int] = {}
    for events in parts:
        for event in events[np.isin(events["kind"], _READ)]:
            kind = EventKind(event["kind"])
            if kind == EventKind.FEE:  # directly behind its trade
                lines[-1] = lines[-1]._replace(buyer_fee=int(event["aux"]), seller_fee=int(event["aux2"]))
                continue
            line = _bust(venue, event) if kind == EventKind.TRADE_BUSTED else _trade(venue, event, MODES[kind])
            if line.busts in at:
                lines[at[line.busts]] = lines[at[line.busts]]._replace(busted_by=line.sequence)
            elif not line.busts:
                at[line.sequence] = len(lines)
            lines.append(line)
    return lines


def totals(venue: Venue, lines: Iterable[Trade]) -> tuple[dict[tuple[int, int], int], dict[tuple[int, int], int]]:
    """(units, cash) of `Settlement`; over all accounts they add up to zero. Without a ledger there are none.

    Raises OutOfBalance.
    """
    units: Counter[tuple[int, int]] = Counter()
    cash: Counter[tuple[int, int]] = Counter()
    for line in lines if venue.prefunded else ():
        terms = venue.instruments[line.instrument - 1]
        asset, currency = venue.asset_id(terms.asset), venue.currency_id(terms.currency)
        sign = -1 if line.busts else 1
        units[line.buyer, asset] += sign * line.units
        units[line.seller, asset] -= sign * line.units
        cash[line.buyer, currency] -= sign * line.amount + line.buyer_fee
        cash[line.seller, currency] += sign * line.amount - line.seller_fee
        if line.buyer_fee or line.seller_fee:
            cash[0, currency] += line.buyer_fee + line.seller_fee
    check_balance("units of asset", units)
    check_balance("cash of currency", cash)
    return dict(units), dict(cash)


def check_balance(what: str, amounts: dict[tuple[int, int], int]) -> None:
    """Over all accounts each asset, each currency must add up to zero. Raises OutOfBalance."""
    sums: Counter[int] = Counter()
    for (_, number), amount in amounts.items():
        sums[number] += amount
    for number, rest in sums.items():
        if rest:
            raise OutOfBalance(f"settlement: {what} {number} is out of balance by {rest}; do not send this file")


def money(minor: int) -> Decimal:
    """Minor currency units (1/100) as currency units."""
    return Decimal(minor).scaleb(-2)


def parties(event: Any) -> tuple[int, int]:
    """(buyer, seller) of a trade's event; without a side (a call auction) the buyer comes first."""
    account, contra = int(event["account"]), int(event["contra_account"])
    return (contra, account) if event["side"] == Side.SELL else (account, contra)


def _trade(venue: Venue, event: Any, mode: Mode) -> Trade:
    buyer, seller = parties(event)
    return _line_of(venue, event, mode, buyer, seller)


def _bust(venue: Venue, event: Any) -> Trade:
    buyer, seller = int(event["account"]), int(event["contra_account"])
    return _line_of(venue, event, Mode(event["side"]), buyer, seller)._replace(busts=int(event["order_id"]))


def _line_of(venue: Venue, event: Any, mode: Mode, buyer: int, seller: int) -> Trade:
    terms = venue.instruments[int(event["instrument"]) - 1]
    price, lots = int(event["price"]), int(event["quantity"])
    return Trade(
        sequence=int(event["sequence"]),
        time=int(event["timestamp"]),
        mode=mode,
        instrument=int(event["instrument"]),
        price=price,
        lots=lots,
        units=lots * terms.units_per_lot,
        amount=price * lots * terms.tick_value,
        buyer=buyer,
        seller=seller,
    )


def _line(venue: Venue, line: Trade) -> dict[str, Any]:
    """A trade or cancellation as it stands in the file; a cancellation counts backwards."""
    terms = venue.instruments[line.instrument - 1]
    sign = -1 if line.busts else 1
    return {
        "record": "bust" if line.busts else "trade",
        "sequence": line.sequence,
        "time": utc(line.time),
        "method": METHOD[line.mode],
        "instrument": terms.symbol,
        "asset": terms.asset,
        "currency": terms.currency,
        "price": terms.price(line.price),
        "lots": sign * line.lots,
        "units": sign * line.units,
        "amount": money(sign * line.amount),
        "buyer": line.buyer,
        "buyer_fee": money(line.buyer_fee),
        "seller": line.seller,
        "seller_fee": money(line.seller_fee),
        "trade": line.busts or line.sequence,
        "busted_by": line.busted_by or None,
    }


def summary(found: Settlement) -> dict[str, Any]:
    """What a command prints beside the file."""
    return {
        "venue": found.venue.name,
        "date": number_date(found.day.date).isoformat(),
        "stage": found.day.stage.name,
        "final": found.final,
        "trades": sum(not line.busts for line in found.lines),
        "busts": sum(bool(line.busts) for line in found.lines),
        "sha256": found.sha256(),
    }
