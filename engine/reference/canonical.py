"""The canonical state: every fact that decides what later commands do, as `schema.STATE_SECTIONS` lays it out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.reference.book import Order
from engine.reference.exchange import Account, Cash, Exchange, Hold, Session
from engine.schema import SCHEMA_VERSION, STATE_SECTIONS, Mode, pack_state, unpack_state

TURNOVER_WORD = 1 << 62
MARKET_FIELDS = (
    "previous_close",
    "limit_down",
    "limit_up",
    "block_down",
    "block_up",
    "last",
    "open",
    "high",
    "low",
    "volume",
)
ORDER_FIELDS = STATE_SECTIONS["orders"].names or ()


def rows(section: str, values: Iterable[tuple[int, ...]]) -> NDArray[Any]:
    return np.array([tuple(row) for row in values], STATE_SECTIONS[section])


def canonical_state(x: Exchange) -> bytes:
    """One byte string that every implementation produces alike."""
    header = (
        SCHEMA_VERSION,
        x.trading_date,
        x.day_stage,
        x.last_order_id,
        x.event_sequence,
        x.command_sequence,
        x.timestamp,
        x.composite,
        x.firms,
        x.anchor_journal,
        x.anchor_monotonic,
        x.rate_numerator,
        x.rate_denominator,
    )
    markets = (
        (
            *(m.phases[mode] for mode in Mode),
            *(getattr(m, name) for name in MARKET_FIELDS),
            m.turnover % TURNOVER_WORD,
            m.turnover // TURNOVER_WORD,
            m.trades,
            m.close,
        )
        for m in x.markets
    )
    owners = list(enumerate(x.accounts))
    purses = ((a, c, *astuple(cash)) for a, owner in owners for c, cash in sorted(owner.cash.items()))
    holds = ((a, s, *astuple(hold)) for a, owner in owners for s, hold in sorted(owner.holds.items()))
    return pack_state(
        {
            "header": rows("header", [header]),
            "currencies": rows("currencies", list(zip(x.cash_deposited, x.fees, strict=True))[1:]),
            "assets": rows("assets", [(total,) for total in x.units_deposited[1:]]),
            "instruments": rows("instruments", markets),
            "accounts": rows("accounts", ((a.firm, a.owner_group, a.group_from, a.status) for a in x.accounts[1:])),
            "cash": rows("cash", (row for row in purses if any(row[2:]))),
            "holds": rows("holds", (row for row in holds if any(row[2:]))),
            "sessions": rows("sessions", (astuple(session) for session in x.sessions)),
            "orders": rows("orders", (tuple(getattr(o, f) for f in ORDER_FIELDS) for o in x.live_orders())),
        }
    )


def restore(x: Exchange, state: bytes) -> None:
    """Put a canonical state into a fresh exchange of the same venue."""
    sections = {name: array.tolist() for name, array in unpack_state(state).items()}
    (
        _,
        x.trading_date,
        x.day_stage,
        x.last_order_id,
        x.event_sequence,
        x.command_sequence,
        x.timestamp,
        x.composite,
        x.firms,
        x.anchor_journal,
        x.anchor_monotonic,
        x.rate_numerator,
        x.rate_denominator,
    ) = sections["header"][0]
    x.cash_deposited = [0, *(deposited for deposited, _ in sections["currencies"])]
    x.fees = [0, *(fees for _, fees in sections["currencies"])]
    x.units_deposited = [0, *(deposited for (deposited,) in sections["assets"])]
    for market, row in zip(x.markets, sections["instruments"], strict=True):
        *before, turnover, turnover_high, market.trades, market.close = row
        market.phases = dict(zip(Mode, before[:3], strict=True))
        for name, value in zip(MARKET_FIELDS, before[3:], strict=True):
            setattr(market, name, value)
        market.turnover = turnover_high * TURNOVER_WORD + turnover
    x.accounts = [Account(0, 0, 0), *(Account(*row) for row in sections["accounts"])]
    for account, currency, *buckets in sections["cash"]:
        x.accounts[account].cash[currency] = Cash(*buckets)
    for account, asset, *buckets in sections["holds"]:
        x.accounts[account].holds[asset] = Hold(*buckets)
    x.sessions = [Session(*row) for row in sections["sessions"]]
    for row in sections["orders"]:
        x.enter_live(Order(**dict(zip(ORDER_FIELDS, row, strict=True))))
