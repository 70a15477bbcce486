"""Firms, accounts, sessions, and money and units coming in and going out."""

from __future__ import annotations

from engine.control.base import Code, Id, Message, Name, Number, PublicKey, Text, command
from engine.schema import CommandArray, CommandKind, Role


class OpenFirm(Message, frozen=True):
    name: Name

    def commands(self) -> CommandArray:
        return command(CommandKind.OPEN_FIRM)


class OpenAccount(Message, frozen=True):
    """`owner_group` joins accounts of one beneficial owner (0 = none), from date `group_from` (YYYYMMDD)."""

    firm: Id
    name: Name
    owner_group: Id = 0
    group_from: Id = 0

    def commands(self) -> CommandArray:
        return command(CommandKind.OPEN_ACCOUNT, quantity=self.firm, quantity2=self.owner_group, expiry=self.group_from)


class OpenSession(Message, frozen=True):
    """`firm` 0 is allowed for operators and readers; `role` is a Role."""

    firm: Id
    name: Name
    role: Code = int(Role.TRADER)
    public_key: PublicKey = ""

    def commands(self) -> CommandArray:
        return command(CommandKind.OPEN_SESSION, quantity=self.firm, scope=self.role)


class SetAccountStatus(Message, frozen=True):
    """`status` ACTIVE or SUSPENDED."""

    account: Id
    status: Code
    cause: Text = ""

    def commands(self) -> CommandArray:
        return command(CommandKind.SET_ACCOUNT_STATUS, account=self.account, scope=self.status)


class SetSessionStatus(Message, frozen=True):
    """`status` ACTIVE or ENDED; ENDED also cuts the session's connection."""

    session: Id
    status: Code
    cause: Text = ""

    def commands(self) -> CommandArray:
        return command(CommandKind.SET_SESSION_STATUS, target=self.session, scope=self.status)


class SetOwnerGroup(Message, frozen=True):
    account: Id
    owner_group: Id
    group_from: Id = 0

    def commands(self) -> CommandArray:
        return command(
            CommandKind.SET_OWNER_GROUP, account=self.account, quantity2=self.owner_group, expiry=self.group_from
        )


class MoveCash(Message, frozen=True):
    """Above 0 pays in, below 0 pays out."""

    account: Id
    currency: Code
    amount: Number
    reference: Text = ""

    def commands(self) -> CommandArray:
        kind = CommandKind.DEPOSIT_CASH if self.amount >= 0 else CommandKind.WITHDRAW_CASH
        return command(kind, account=self.account, scope=self.currency, quantity=abs(self.amount))


class MoveUnits(Message, frozen=True):
    """Above 0 brings units in from the registry, below 0 returns them."""

    account: Id
    asset: Code
    amount: Number
    reference: Text = ""

    def commands(self) -> CommandArray:
        kind = CommandKind.DEPOSIT_UNITS if self.amount >= 0 else CommandKind.WITHDRAW_UNITS
        return command(kind, account=self.account, scope=self.asset, quantity=abs(self.amount))
