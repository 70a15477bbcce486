"""The records of negotiations, auctions, holds and limits: fields as in `engine.schema.state`, in its order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Negotiation:
    """A block negotiation; the terms that stand and whose they are."""

    id: int = 0
    instrument: int = 0
    side: int = 0
    account: int = 0
    counterparty: int = 0
    price: int = 0
    quantity: int = 0
    expiry: int = 0
    locked: int = 0
    session: int = 0
    client_order_id: int = 0


@dataclass(slots=True)
class Auction:
    """An auction that is announced, open, or closed and waiting for its seed."""

    id: int = 0
    instrument: int = 0
    side: int = 0
    account: int = 0
    price_rule: int = 0
    tie: int = 0
    short: int = 0
    secondary: int = 0
    stage: int = 0
    reserve: int = 0
    cap: int = 0
    quantity: int = 0
    secondary_price: int = 0
    secondary_bps: int = 0
    frozen: int = 0
    committed: int = 0
    seed1: int = 0
    seed2: int = 0
    seed3: int = 0
    seed4: int = 0
    session: int = 0
    client_order_id: int = 0
    trigger: int = 0
    reserve_lots: int = 0
    days: int = 0


@dataclass(slots=True)
class Bid:
    """A sealed bid, live until its auction ends."""

    id: int = 0
    auction: int = 0
    account: int = 0
    price: int = 0
    quantity: int = 0
    priority: int = 0
    locked: int = 0
    session: int = 0
    client_order_id: int = 0


@dataclass(slots=True)
class Encumbrance:
    """A hold on units of one account."""

    id: int = 0
    type: int = 0
    account: int = 0
    asset: int = 0
    quantity: int = 0
    creditor: int = 0
    reference: int = 0


@dataclass(slots=True)
class Obligation:
    """What an account must surrender for one compliance year."""

    id: int = 0
    account: int = 0
    year: int = 0
    due: int = 0
    surrendered: int = 0
    offsets: int = 0
    surrender_by: int = 0
    overdue: int = 0
    late: int = 0


@dataclass(slots=True)
class Limit:
    """One limit that the operator set."""

    firm: int = 0
    account: int = 0
    instrument: int = 0
    kind: int = 0
    value: int = 0
    override: int = 0
    until: int = 0
    second: int = 0
    count: int = 0


@dataclass(slots=True)
class Bust:
    """A cancelled trade."""

    id: int = 0
    quantity: int = 0
