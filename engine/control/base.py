"""What administrative messages have in common: the types of their fields, and how they become commands."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from engine.schema import CommandArray, CommandKind, commands

Name: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]{0,39}\Z")]
"""1 to 40 printable ASCII characters that are harmless in logs, file names and tables."""
PublicKey: TypeAlias = Annotated[str, Meta(pattern=r"^([!-~]{40})?\Z")]
"""A CURVE public key in Z85, or "" for a session that only logs on locally."""
Text: TypeAlias = Annotated[str, Meta(pattern=r"^[ -~]{0,200}\Z")]
Hex32: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""32 bytes as 64 lower-case hexadecimal digits."""
Id: TypeAlias = Annotated[int, Meta(ge=0, lt=2**31)]
Amount: TypeAlias = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Number: TypeAlias = Annotated[int, Meta(ge=-(2**63) + 1, le=2**63 - 1)]
Code: TypeAlias = Annotated[int, Meta(ge=0, le=255)]


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag=True):
    """Base: the tag is the class name, so a configuration file reads `{do = "OpenFirm", name = "..."}`."""

    def commands(self) -> CommandArray:
        """The primitive commands that this message stands for, in order, without numbers, time and session."""
        raise NotImplementedError


def command(kind: CommandKind, **fields: int) -> CommandArray:
    """One command with the named fields set. Raises OverflowError when a value does not fit its field."""
    made = commands(1)
    made["kind"] = kind
    for name, value in fields.items():
        made[name] = value
    return made
