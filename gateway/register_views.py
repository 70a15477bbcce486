"""Negotiations, auctions, bids, holds, obligations as people read them: symbols, names and Decimal prices."""

from __future__ import annotations

import contextlib
from datetime import date as Date
from decimal import Decimal
from typing import NamedTuple

from engine.schema import AuctionPrice, AuctionShort, AuctionStage, AuctionTie, HoldType, Side
from engine.venue import number_date
from gateway.views import Reference
from gateway.wire_registers import AuctionData, BidData, ComplianceAnswer, HoldData, NegotiationData, ObligationData


class Negotiation(NamedTuple):
    """The terms that stand; `account` None: a public offer of somebody; `counterparty` None: anybody may answer."""

    number: int
    symbol: str
    side: Side
    quantity: int
    price: Decimal
    account: int | None
    counterparty: int | None
    expiry: int
    own: bool


class Auction(NamedTuple):
    """`side` is the initiator's: SELL means that bids buy. Above `trigger` `reserve_lots` are offered too."""

    number: int
    symbol: str
    side: Side
    account: int
    stage: AuctionStage
    quantity: int
    reserve: Decimal
    cap: Decimal | None
    price_rule: AuctionPrice
    tie: AuctionTie
    short: AuctionShort
    trigger: Decimal | None
    reserve_lots: int
    days: int
    sha256: str


class Bid(NamedTuple):
    number: int
    auction: int
    symbol: str
    side: Side
    account: int
    quantity: int
    price: Decimal
    locked: int


class Hold(NamedTuple):
    number: int
    type: HoldType
    account: int
    asset: str
    units: int
    creditor: int | None
    reference: int


class Obligation(NamedTuple):
    """`overdue`: the trading date that found units missing after `surrender_by`; `late`: units that came since."""

    number: int
    account: int
    year: int
    due: int
    surrendered: int
    offsets: int
    surrender_by: Date | None
    overdue: Date | None
    late: int


class Year(NamedTuple):
    """One obligation against the holdings; `cost` in currency units of buying the shortfall as `symbol` at `price`.

    Dates as in Obligation.
    """

    obligation: int
    year: int
    due: int
    surrendered: int
    covered: int
    shortfall: int
    symbol: str | None
    price: Decimal | None
    cost: Decimal | None
    surrender_by: Date | None
    overdue: Date | None
    late: int


class Compliance(NamedTuple):
    """`holdings`: asset -> every unit of it, held ones included. `transfers_open`: they may be asked for now."""

    account: int
    years: tuple[Year, ...]
    holdings: dict[str, int]
    transfers_open: bool


def negotiation(reference: Reference, data: NegotiationData) -> Negotiation:
    i = reference.instrument(data.instrument)
    price = Decimal(i.tick) * data.price
    account, other = data.account or None, data.counterparty or None
    side = Side(data.side)
    return Negotiation(data.number, i.symbol, side, data.quantity, price, account, other, data.expiry, data.own)


def auction(reference: Reference, data: AuctionData) -> Auction:
    i = reference.instrument(data.instrument)
    tick = Decimal(i.tick)
    return Auction(
        number=data.number,
        symbol=i.symbol,
        side=Side(data.side),
        account=data.account,
        stage=AuctionStage(data.stage),
        quantity=data.quantity,
        reserve=tick * data.reserve,
        cap=tick * data.cap if data.cap else None,
        price_rule=AuctionPrice(data.price_rule),
        tie=AuctionTie(data.tie),
        short=AuctionShort(data.short),
        trigger=tick * data.trigger if data.trigger else None,
        reserve_lots=data.reserve_lots,
        days=data.days,
        sha256=data.sha256,
    )


def bid(reference: Reference, data: BidData) -> Bid:
    i = reference.instrument(data.instrument)
    price, side = Decimal(i.tick) * data.price, Side(data.side)
    return Bid(data.number, data.auction, i.symbol, side, data.account, data.quantity, price, data.locked)


def hold(reference: Reference, data: HoldData) -> Hold:
    asset, creditor = reference.data.assets[data.asset - 1], data.creditor or None
    return Hold(data.number, HoldType(data.type), data.account, asset, data.units, creditor, data.reference)


def obligation(data: ObligationData) -> Obligation:
    r = data
    dates = (_date(r.surrender_by), _date(r.overdue))
    return Obligation(r.number, r.account, r.year, r.due, r.surrendered, r.offsets, *dates, r.late)


def _date(number: int) -> Date | None:
    """None for 0, and for a number that is no day (the engine takes any up to 99991231)."""
    with contextlib.suppress(ValueError):
        return number_date(number)
    return None


def compliance(reference: Reference, data: ComplianceAnswer) -> Compliance:
    years = []
    for y in data.years:
        i = reference.instrument(y.instrument) if y.instrument else None
        price = Decimal(i.tick) * y.price if i else None
        cost = Decimal(y.cost) / 100 if i else None
        symbol = i.symbol if i else None
        bought = (symbol, price, cost)
        dates = (_date(y.surrender_by), _date(y.overdue), y.late)
        years.append(Year(y.obligation, y.year, y.due, y.surrendered, y.covered, y.shortfall, *bought, *dates))
    totals = {}
    for h in data.holdings:
        buckets = (h.free, h.locked, h.bought_today, h.pledged, h.judicial, h.auction_frozen, h.transfer_pending)
        totals[reference.data.assets[h.asset - 1]] = sum(buckets)
    return Compliance(data.account, tuple(years), totals, data.transfers_open)
