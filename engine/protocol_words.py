"""The words about the records that the schema has no place for; shared by the generated page and the C header."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Any, Final, NamedTuple

import numpy as np

from engine import schema

COMMAND_LINE: Final = "python -m engine.protocol_doc"


class EnumText(NamedTuple):
    """An enum, the prefix of its members in C, and what it is for."""

    enum: type[IntEnum] | type[IntFlag]
    prefix: str
    purpose: str


ENUMS: Final = (
    EnumText(schema.CommandKind, "CB_COMMAND_", "`kind` of a Command."),
    EnumText(schema.EventKind, "CB_EVENT_", "`kind` of an Event."),
    EnumText(
        schema.Side, "CB_SIDE_", "`side`; `aggressor` of a TRADE, where 0 means that neither side was (auctions)."
    ),
    EnumText(schema.OrderType, "CB_ORDER_TYPE_", "`order_type`."),
    EnumText(schema.TimeInForce, "CB_TIF_", "`time_in_force`."),
    EnumText(schema.OrderFlag, "CB_FLAG_", "Bits of a Command's `flags`."),
    EnumText(schema.SelfTrade, "CB_SELF_TRADE_", "`self_trade`: self-trade prevention; the aggressor's mode acts."),
    EnumText(schema.MassCancelScope, "CB_SCOPE_", "Bits of `scope` in MASS_CANCEL; no bit: all orders of the firm."),
    EnumText(schema.Mode, "CB_MODE_", "`scope` of SET_PHASE: the trading mode whose phase changes."),
    EnumText(schema.Phase, "CB_PHASE_", "`quantity` of SET_PHASE; `phase` of an Event."),
    EnumText(schema.DayStage, "CB_STAGE_", "Stage of the trading day, in the canonical state's header."),
    EnumText(schema.Role, "CB_ROLE_", "`scope` of OPEN_SESSION: what a session may do."),
    EnumText(
        schema.Status,
        "CB_STATUS_",
        "Status of a firm, an account or a session; STOPPED: a firm by its own kill switch.",
    ),
    EnumText(
        schema.DisconnectPolicy, "CB_POLICY_", "`scope` of SESSION_UP: what happens to the orders of a lost session."
    ),
    EnumText(schema.HoldType, "CB_HOLD_", "`side` of PLACE_HOLD: why units are held."),
    EnumText(schema.AssetKind, "CB_ASSET_", "What an asset may be surrendered for."),
    EnumText(
        schema.AuctionPrice, "CB_AUCTION_PRICE_", "`scope` of ANNOUNCE_AUCTION, bits 0-1: what successful bids pay."
    ),
    EnumText(schema.AuctionTie, "CB_AUCTION_TIE_", "Bits 2-3: who gets the rest at the clearing price."),
    EnumText(schema.AuctionShort, "CB_AUCTION_SHORT_", "Bits 4-5: when less is bid for than offered."),
    EnumText(schema.AuctionSecondary, "CB_AUCTION_SECONDARY_", "Bits 6-7: when the price is far below the market."),
    EnumText(schema.AuctionStage, "CB_AUCTION_STAGE_", "Stage of an auction, in the canonical state."),
    EnumText(schema.LimitKind, "CB_LIMIT_", "`scope` of SET_LIMIT: what is limited."),
    EnumText(schema.KillScope, "CB_KILL_", "`scope` of KILL_SWITCH: what is stopped."),
    EnumText(
        schema.EventFlag, "CB_EVENT_FLAG_", "Bits of an Event's `flags`: set only by the gateway on what it sends."
    ),
)

FIELD_MEANINGS: Final[dict[str, dict[str, str]]] = {
    "command": {
        "kind": "CommandKind",
        "side": "Side",
        "order_type": "OrderType",
        "time_in_force": "TimeInForce",
        "flags": "OrderFlag bits",
        "self_trade": "SelfTrade",
        "scope": "a kind's own selector: bits, mode, role, status, policy, asset or currency id",
        "instrument": "instrument id",
        "account": "account id; a mere label where the venue keeps no money",
        "client_order_id": "this command's own number, strictly increasing per session",
        "target": "what the command is about: an order, a session, a listing",
        "expiry": "date YYYYMMDD or time in ns, by kind",
        "price": "ticks",
        "price2": "ticks: a stop, the offer of a quote, the upper end of a range",
        "quantity": "lots; or amount, units, a number, by kind",
        "quantity2": "lots: the shown part, the offer of a quote; or a number, by kind",
        "sequence": "number of the command in the journal, from 1 without gaps",
        "timestamp": "journal time of acceptance, UTC ns; data only, order is by sequence",
        "session": "session id; 0 is the venue itself",
        "actor": "who acted within the session, 0 = not told apart",
        "spare": "zero",
    },
    "event": {
        "kind": "EventKind",
        "side": "Side of the order (of a TRADE: the aggressor's)",
        "phase": "the instrument's phase in mode LISTED; 0 without an instrument",
        "aggressor": "of a TRADE: Side of the aggressor, 0 = none",
        "reason": "reason code, 0 = none",
        "flags": "EventFlag bits, zero in the journal",
        "sequence": "number of the event, from 1 without gaps; of a TRADE also the trade id",
        "command_sequence": "sequence of the command that caused it",
        "timestamp": "timestamp of that command, UTC ns",
        "instrument": "instrument id, 0 = none",
        "price": "ticks",
        "quantity": "lots; or a count or number, by kind",
        "account": "account id",
        "contra_account": "account id of the other side",
        "order_id": "order id, running from 1, never reused",
        "contra_order_id": "order id of the other side",
        "client_order_id": "number of the order in its session",
        "contra_client_order_id": "the same of the other side",
        "remaining": "lots left of the order afterwards",
        "contra_remaining": "lots left of the other side's order",
        "aux": "by kind, see Events",
        "aux2": "by kind, see Events",
        "session": "session id the event belongs to",
        "contra_session": "session id of the other side",
    },
}


class Field(NamedTuple):
    """One field of a record: where it lies and what it is."""

    name: str
    offset: int
    width: int
    type: str
    c_type: str


def layout(dtype: np.dtype[Any]) -> list[Field]:
    """The fields of a record dtype in order of their offsets (bytes)."""
    found = []
    for name in dtype.names or ():
        kind, offset = dtype.fields[name][:2]  # type: ignore[index]
        sign = "u" if kind.kind == "u" else ""
        bits = kind.itemsize * 8
        found.append(Field(name, offset, kind.itemsize, f"{sign or 'i'}{bits}", f"{sign}int{bits}_t"))
    return found
