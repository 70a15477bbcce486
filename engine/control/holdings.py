"""What the registry tells the venue: holds, allocations, obligations, carry-over, settlement. Amounts in units."""

from __future__ import annotations

from engine.control.base import Amount, Code, Id, Message, Text, command
from engine.schema import CommandArray, CommandKind


class PlaceHold(Message, frozen=True):
    """`type` is a HoldType: PLEDGE (with a creditor) or JUDICIAL."""

    type: Code
    account: Id
    asset: Code
    units: Amount
    creditor: Id = 0
    reference: Amount = 0
    cause: Text = ""

    def commands(self) -> CommandArray:
        return command(
            CommandKind.PLACE_HOLD,
            side=self.type,
            account=self.account,
            scope=self.asset,
            quantity=self.units,
            target=self.creditor,
            quantity2=self.reference,
        )


class ReleaseHold(Message, frozen=True):
    """Whole or in part; a pledge names its creditor again, whose instruction this is."""

    hold: Amount
    units: Amount
    creditor: Id = 0
    cause: Text = ""

    def commands(self) -> CommandArray:
        return command(CommandKind.RELEASE_HOLD, target=self.hold, quantity=self.units, quantity2=self.creditor)


class RealiseHold(Message, frozen=True):
    """The units go to `receiver`, or with 0 out of the ledger; transfers are completed by this."""

    hold: Amount
    units: Amount
    receiver: Id = 0
    creditor: Id = 0
    cause: Text = ""

    def commands(self) -> CommandArray:
        return command(
            CommandKind.REALISE_HOLD,
            target=self.hold,
            quantity=self.units,
            account=self.receiver,
            quantity2=self.creditor,
        )


class AllocateUnits(Message, frozen=True):
    account: Id
    asset: Code
    units: Amount
    year: Id
    reference: Text = ""

    def commands(self) -> CommandArray:
        return command(
            CommandKind.ALLOCATE_UNITS,
            account=self.account,
            scope=self.asset,
            quantity=self.units,
            expiry=self.year,
        )


class SetObligation(Message, frozen=True):
    """What `account` must surrender for the compliance year, by `surrender_by` (YYYYMMDD; 0 = the venue's date)."""

    account: Id
    year: Id
    units: Amount
    reference: Text = ""
    surrender_by: Id = 0

    def commands(self) -> CommandArray:
        return command(
            CommandKind.SET_OBLIGATION,
            account=self.account,
            quantity=self.units,
            expiry=self.year,
            target=self.surrender_by,
        )


class SetTransferWindow(Message, frozen=True):
    """Let owners ask for transfers, or no longer; the calendar's next moment says so anew."""

    open: bool
    cause: Text = ""

    def commands(self) -> CommandArray:
        return command(CommandKind.SET_TRANSFER_WINDOW, scope=int(self.open))


class CarryOver(Message, frozen=True):
    """`net_sales` is what the limit counts, from the registry."""

    account: Id
    source: Code
    target: Code
    units: Amount
    net_sales: Amount
    year: Id
    reference: Text = ""

    def commands(self) -> CommandArray:
        return command(
            CommandKind.CARRY_OVER,
            account=self.account,
            scope=self.source,
            side=self.target,
            quantity=self.units,
            quantity2=self.net_sales,
            expiry=self.year,
        )


class AcknowledgeSettlement(Message, frozen=True):
    """The registry's answer to the settlement file of `date` (YYYYMMDD)."""

    date: Id
    accepted: bool = True
    cause: Text = ""

    def commands(self) -> CommandArray:
        return command(CommandKind.ACKNOWLEDGE_SETTLEMENT, scope=int(not self.accepted), expiry=self.date)
