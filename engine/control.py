"""Administrative messages and the primitive commands that each one stands for.

A message may hold text (names, keys, references); commands hold integers only. `expand` turns a message into the
commands that both engines apply; the message itself goes into the journal beside them as a note, bound by its SHA-256,
so that names and keys can be rebuilt from the journal alone. Amounts: minor currency units and asset units.
"""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta

from engine.schema import CommandArray, CommandKind, Mode, Role, commands

Name: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]{0,39}\Z")]
"""1 to 40 printable ASCII characters that are harmless in logs, file names and tables."""
PublicKey: TypeAlias = Annotated[str, Meta(pattern=r"^([!-~]{40})?\Z")]
"""A CURVE public key in Z85, or "" for a session that only logs on locally."""
Text: TypeAlias = Annotated[str, Meta(pattern=r"^[ -~]{0,200}\Z")]
Id: TypeAlias = Annotated[int, Meta(ge=0, lt=2**31)]
Number: TypeAlias = Annotated[int, Meta(ge=-(2**63) + 1, le=2**63 - 1)]
Code: TypeAlias = Annotated[int, Meta(ge=0, le=255)]


class _Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag=True):
    """Base: the tag is the class name, so a configuration file reads `{do = "OpenFirm", name = "..."}`."""


class OpenFirm(_Control, frozen=True):
    name: Name


class OpenAccount(_Control, frozen=True):
    """`owner_group` joins accounts of one beneficial owner (0 = none), from date `group_from` (YYYYMMDD)."""

    firm: Id
    name: Name
    owner_group: Id = 0
    group_from: Id = 0


class OpenSession(_Control, frozen=True):
    """`firm` 0 is allowed for operators and readers; `role` is a Role."""

    firm: Id
    name: Name
    role: Code = int(Role.TRADER)
    public_key: PublicKey = ""


class SetAccountStatus(_Control, frozen=True):
    """`status` ACTIVE or SUSPENDED."""

    account: Id
    status: Code
    cause: Text = ""


class SetSessionStatus(_Control, frozen=True):
    """`status` ACTIVE or ENDED; ENDED also cuts the session's connection."""

    session: Id
    status: Code
    cause: Text = ""


class SetOwnerGroup(_Control, frozen=True):
    account: Id
    owner_group: Id
    group_from: Id = 0


class MoveCash(_Control, frozen=True):
    """Above 0 pays in, below 0 pays out."""

    account: Id
    currency: Code
    amount: Number
    reference: Text = ""


class MoveUnits(_Control, frozen=True):
    """Above 0 brings units in from the registry, below 0 returns them."""

    account: Id
    asset: Code
    amount: Number
    reference: Text = ""


class SetPhase(_Control, frozen=True):
    """`instrument` 0 addresses all; a `date` (YYYYMMDD) after the current one opens a new day."""

    phase: Code
    date: Id
    mode: Code = int(Mode.LISTED)
    instrument: Id = 0
    cause: Text = ""


class EndDay(_Control, frozen=True):
    """Stop, expire, fix close, settle."""

    cause: Text = ""


class SetReference(_Control, frozen=True):
    """The previous close of an instrument, in ticks, before its day opens."""

    instrument: Id
    price: Id
    cause: Text = ""


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
    | SetReference
)

END_OF_DAY: Final = (
    CommandKind.STOP_TRADING,
    CommandKind.EXPIRE_ORDERS,
    CommandKind.FIX_CLOSE,
    CommandKind.SETTLE,
)


def command(kind: CommandKind, **fields: int) -> CommandArray:
    """One command with the named fields set. Raises OverflowError when a value does not fit its field."""
    made = commands(1)
    made["kind"] = kind
    for name, value in fields.items():
        made[name] = value
    return made


def expand(message: Control) -> CommandArray:
    """The primitive commands of a message, in order, without numbers, time and session."""
    match message:
        case OpenFirm():
            return command(CommandKind.OPEN_FIRM)
        case OpenAccount():
            return command(
                CommandKind.OPEN_ACCOUNT,
                quantity=message.firm,
                quantity2=message.owner_group,
                expiry=message.group_from,
            )
        case OpenSession():
            return command(CommandKind.OPEN_SESSION, quantity=message.firm, scope=message.role)
        case SetAccountStatus():
            return command(CommandKind.SET_ACCOUNT_STATUS, account=message.account, scope=message.status)
        case SetSessionStatus():
            return command(CommandKind.SET_SESSION_STATUS, target=message.session, scope=message.status)
        case SetOwnerGroup():
            return command(
                CommandKind.SET_OWNER_GROUP,
                account=message.account,
                quantity2=message.owner_group,
                expiry=message.group_from,
            )
        case MoveCash():
            kind = CommandKind.DEPOSIT_CASH if message.amount >= 0 else CommandKind.WITHDRAW_CASH
            return command(kind, account=message.account, scope=message.currency, quantity=abs(message.amount))
        case MoveUnits():
            kind = CommandKind.DEPOSIT_UNITS if message.amount >= 0 else CommandKind.WITHDRAW_UNITS
            return command(kind, account=message.account, scope=message.asset, quantity=abs(message.amount))
        case SetPhase():
            return command(
                CommandKind.SET_PHASE,
                scope=message.mode,
                instrument=message.instrument,
                quantity=message.phase,
                expiry=message.date,
            )
        case EndDay():
            made = commands(len(END_OF_DAY))
            made["kind"] = END_OF_DAY
            return made
        case SetReference():
            return command(CommandKind.SET_REFERENCE, instrument=message.instrument, price=message.price)


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
