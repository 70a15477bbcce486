"""Administrative messages and the primitive commands that each one stands for.

A message may hold text (names, keys, references); commands hold integers only. `expand` turns a message into the
commands that both engines apply; the message itself goes into the journal beside them as a note, bound by its SHA-256,
so that names and keys can be rebuilt from the journal alone. Amounts: minor currency units and asset units.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from engine.control.auctions import (
    AnnounceAuction,
    CancelAuction,
    CloseAuction,
    CommitSeed,
    OpenAuction,
    RevealSeed,
    SetCostReserve,
)
from engine.control.base import Name, command
from engine.control.firms import (
    MoveCash,
    MoveUnits,
    OpenAccount,
    OpenFirm,
    OpenSession,
    SetAccountStatus,
    SetOwnerGroup,
    SetSessionStatus,
)
from engine.control.holdings import (
    AcknowledgeSettlement,
    AllocateUnits,
    CarryOver,
    PlaceHold,
    RealiseHold,
    ReleaseHold,
    SetObligation,
    SetTransferWindow,
)
from engine.control.market import (
    END_OF_DAY,
    BustTrade,
    CancelOrder,
    DelistInstrument,
    EndDay,
    KillSwitch,
    ListInstrument,
    SetLimit,
    SetPhase,
    SetReference,
    Settle,
    WidenWindow,
)
from engine.schema import CommandArray

Control: TypeAlias = (
    OpenFirm
    | OpenAccount
    | OpenSession
    | SetAccountStatus
    | SetSessionStatus
    | SetOwnerGroup
    | MoveCash
    | MoveUnits
    | SetPhase
    | EndDay
    | Settle
    | SetReference
    | WidenWindow
    | ListInstrument
    | DelistInstrument
    | SetLimit
    | KillSwitch
    | CancelOrder
    | BustTrade
    | PlaceHold
    | ReleaseHold
    | RealiseHold
    | AllocateUnits
    | SetObligation
    | SetTransferWindow
    | CarryOver
    | AcknowledgeSettlement
    | AnnounceAuction
    | CommitSeed
    | OpenAuction
    | CloseAuction
    | RevealSeed
    | CancelAuction
    | SetCostReserve
)


def expand(message: Control) -> CommandArray:
    """The primitive commands of a message, in order, without numbers, time and session."""
    return message.commands()


_decoder: msgspec.json.Decoder[Control] = msgspec.json.Decoder(Control)


def encode(message: Control) -> bytes:
    """The message's bytes as they stand in the journal (JSON)."""
    return msgspec.json.encode(message)


def decode(data: bytes) -> Control:
    """The message of a journal's note. Raises ValueError when it is none."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"no control message: {error}") from None


__all__ = [
    "END_OF_DAY",
    "AcknowledgeSettlement",
    "AllocateUnits",
    "AnnounceAuction",
    "BustTrade",
    "CancelAuction",
    "CancelOrder",
    "CarryOver",
    "CloseAuction",
    "CommitSeed",
    "Control",
    "DelistInstrument",
    "EndDay",
    "KillSwitch",
    "ListInstrument",
    "MoveCash",
    "MoveUnits",
    "Name",
    "OpenAccount",
    "OpenAuction",
    "OpenFirm",
    "OpenSession",
    "PlaceHold",
    "RealiseHold",
    "ReleaseHold",
    "RevealSeed",
    "SetAccountStatus",
    "SetCostReserve",
    "SetLimit",
    "SetObligation",
    "SetOwnerGroup",
    "SetPhase",
    "SetReference",
    "SetSessionStatus",
    "SetTransferWindow",
    "Settle",
    "WidenWindow",
    "command",
    "decode",
    "encode",
    "expand",
]
