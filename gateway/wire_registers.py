"""Answers about negotiations, auctions, bids, holds, obligations: what travels beside `gateway.wire`."""

from __future__ import annotations

from gateway.wire import HoldingData, Message


class NegotiationData(Message, frozen=True):
    """The terms that stand, ticks and lots. `own`: they are the firm's; `account` is 0 in others' public offers.

    `counterparty` 0: anybody may answer. `client_order_id`: of the terms where this session put them.
    """

    number: int
    instrument: int
    side: int
    price: int
    quantity: int
    account: int
    counterparty: int
    expiry: int
    own: bool
    locked: int
    client_order_id: int


class NegotiationsAnswer(Message, frozen=True):
    """By id; `complete` is false when more lie behind the last."""

    negotiations: tuple[NegotiationData, ...]
    complete: bool


class AuctionData(Message, frozen=True):
    """An auction that is announced, open, or closed and waits for its seed. Rules are numbers of their enums.

    `trigger` and `reserve_lots`: of the cost containment reserve, 0 = none. `days`: trading days that opened since it
    was announced.
    `sha256`: the committed hash of the seed, "" before the commitment.
    """

    number: int
    instrument: int
    side: int
    account: int
    stage: int
    reserve: int
    cap: int
    quantity: int
    price_rule: int
    tie: int
    short: int
    secondary: int
    secondary_price: int
    secondary_bps: int
    trigger: int
    reserve_lots: int
    days: int
    sha256: str


class AuctionsAnswer(Message, frozen=True):
    auctions: tuple[AuctionData, ...]


class BidData(Message, frozen=True):
    number: int
    auction: int
    instrument: int
    side: int
    account: int
    price: int
    quantity: int
    locked: int
    client_order_id: int


class BidsAnswer(Message, frozen=True):
    """Live bids of the firm by id; `complete` is false when more lie behind the last."""

    bids: tuple[BidData, ...]
    complete: bool


class HoldData(Message, frozen=True):
    """Units of `account` that are held; `type` is a HoldType."""

    number: int
    type: int
    account: int
    asset: int
    units: int
    creditor: int
    reference: int


class HoldsAnswer(Message, frozen=True):
    """Holds on the firm's accounts, and pledges in its favour, by id."""

    holds: tuple[HoldData, ...]
    complete: bool


class ObligationData(Message, frozen=True):
    """What `account` must surrender for a year, by `surrender_by` (YYYYMMDD, 0 = no date).

    `overdue`: the trading date on which units were found missing after it, 0 = none was; `late`: units that came since.
    """

    number: int
    account: int
    year: int
    due: int
    surrendered: int
    offsets: int
    surrender_by: int
    overdue: int
    late: int


class ObligationsAnswer(Message, frozen=True):
    obligations: tuple[ObligationData, ...]
    complete: bool


class YearData(Message, frozen=True):
    """One obligation against what the account has at its disposal.

    `covered`: units of the account's holdings that count for it, offsets within their limit, earlier years first;
    `shortfall` = due - surrendered - covered, at least 0; `cost` in minor units of buying it as `instrument` at `price`
    (ticks), the cheapest that counts; all three 0 when nothing is missing or nothing has a price. Dates as in
    ObligationData.
    """

    obligation: int
    year: int
    due: int
    surrendered: int
    offsets: int
    covered: int
    shortfall: int
    instrument: int
    price: int
    cost: int
    surrender_by: int
    overdue: int
    late: int


class ComplianceAnswer(Message, frozen=True):
    """`transfers_open`: transfers may be asked for now."""

    account: int
    years: tuple[YearData, ...]
    holdings: tuple[HoldingData, ...]
    transfers_open: bool
