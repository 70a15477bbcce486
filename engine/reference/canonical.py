"""The canonical state: every fact that decides what later commands do, as `schema.STATE_SECTIONS` lays it out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.reference.book import Order
from engine.reference.exchange import Account, Cash, Exchange, Hold, Market, Session
from engine.reference.registers import Auction, Bid, Bust, Encumbrance, Limit, Negotiation, Obligation
from engine.schema import CLOSE_TRADES, SCHEMA_VERSION, STATE_SECTIONS, Mode, pack_state, unpack_state

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


REGISTERS: Final = {
    "negotiations": Negotiation,
    "auctions": Auction,
    "bids": Bid,
    "encumbrances": Encumbrance,
    "obligations": Obligation,
    "busts": Bust,
}


def limit_order(item: tuple[tuple[int, int, int, int], Limit]) -> tuple[int, ...]:
    """The venue's limits, then firms', accounts', instruments'; by id, then kind."""
    firm, account, instrument, kind = item[0]
    return (1 if firm else 2 if account else 3 if instrument else 0), firm + account + instrument, kind


def rows(section: str, values: Iterable[tuple[int, ...]]) -> NDArray[Any]:
    return np.array([tuple(row) for row in values], STATE_SECTIONS[section])


def market_row(m: Market) -> tuple[int, ...]:
    """One instrument's row of section `instruments`."""
    return (
        *(m.phases[mode] for mode in Mode),
        *(getattr(m, name) for name in MARKET_FIELDS),
        m.turnover % TURNOVER_WORD,
        m.turnover // TURNOVER_WORD,
        m.trades,
        m.close,
        m.floor,
        m.ceiling,
        m.listed_from,
        m.listed_until,
        m.halted,
        m.block_volume,
        m.block_turnover % TURNOVER_WORD,
        m.block_turnover // TURNOVER_WORD,
        m.block_trades,
        m.auction_volume,
        m.auction_price,
        *m.carried,
        m.call_frozen,
        m.call_price,
        *(figure for figures in zip(*last_trades(m), strict=True) for figure in figures),
    )


def last_trades(m: Market) -> list[tuple[int, int, int]]:
    """The trades that a LAST5 close looks at, filled up with zeros."""
    return [*m.last_trades, *[(0, 0, 0)] * (CLOSE_TRADES - len(m.last_trades))]


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
        x.last_negotiation_id,
        x.last_auction_id,
        x.last_hold_id,
        x.last_obligation_id,
        x.acknowledged_date,
        x.venue_halted,
        x.transfers_closed,
    )
    markets = (market_row(m) for m in x.markets)
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
            "firms": rows("firms", ((status,) for status in x.firm_status[1:])),
            **{name: rows(name, (astuple(one) for _, one in sorted(getattr(x, name).items()))) for name in REGISTERS},
            "limits": rows("limits", (astuple(limit) for _, limit in sorted(x.limits.items(), key=limit_order))),
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
        _,
        x.anchor_journal,
        x.anchor_monotonic,
        x.rate_numerator,
        x.rate_denominator,
        x.last_negotiation_id,
        x.last_auction_id,
        x.last_hold_id,
        x.last_obligation_id,
        x.acknowledged_date,
        x.venue_halted,
        x.transfers_closed,
    ) = sections["header"][0]
    x.cash_deposited = [0, *(deposited for deposited, _ in sections["currencies"])]
    x.fees = [0, *(fees for _, fees in sections["currencies"])]
    x.units_deposited = [0, *(deposited for (deposited,) in sections["assets"])]
    for market, row in zip(x.markets, sections["instruments"], strict=True):
        before, row = row[: 3 + len(MARKET_FIELDS)], row[3 + len(MARKET_FIELDS) :]
        turnover, turnover_high, market.trades, market.close, *row = row
        market.floor, market.ceiling, market.listed_from, market.listed_until, market.halted, *row = row
        market.block_volume, block_turnover, block_turnover_high, market.block_trades, *row = row
        market.auction_volume, market.auction_price, *row = row
        market.carried, (market.call_frozen, market.call_price, *row) = row[:4], row[4:]
        figures = (row[n * CLOSE_TRADES : (n + 1) * CLOSE_TRADES] for n in range(3))
        market.last_trades = [trade for trade in zip(*figures, strict=True) if trade[0]]
        market.block_turnover = block_turnover_high * TURNOVER_WORD + block_turnover
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
    x.firm_status = [0, *(status for (status,) in sections["firms"])]
    for name, register in REGISTERS.items():
        getattr(x, name).update({row[0]: register(*row) for row in sections[name]})
    for row in sections["limits"]:
        limit = Limit(*row)
        x.limits[limit.firm, limit.account, limit.instrument, limit.kind] = limit
    for row in sections["orders"]:
        x.enter_live(Order(**dict(zip(ORDER_FIELDS, row, strict=True))))
