"""The trading day, instruments, limits, kill switches and corrections."""

from __future__ import annotations

from typing import Final

from engine.control.base import Amount, Code, Id, Message, Text, command
from engine.schema import CommandArray, CommandKind, Mode, commands

END_OF_DAY: Final = (
    CommandKind.STOP_TRADING,
    CommandKind.EXPIRE_ORDERS,
    CommandKind.FIX_CLOSE,
    CommandKind.SETTLE,
)


class SetPhase(Message, frozen=True):
    """`instrument` 0 addresses all; a `date` (YYYYMMDD) after the current one opens a new day.

    `no_cancel` freezes a call: orders are entered, not cancelled any more.
    """

    phase: Code
    date: Id
    mode: Code = int(Mode.LISTED)
    instrument: Id = 0
    cause: Text = ""
    no_cancel: bool = False

    def commands(self) -> CommandArray:
        return command(
            CommandKind.SET_PHASE,
            scope=self.mode,
            instrument=self.instrument,
            quantity=self.phase,
            quantity2=int(self.no_cancel),
            expiry=self.date,
        )


class EndDay(Message, frozen=True):
    """Stop, expire, fix close, settle; with `settle` false the day waits for the registry, and Settle comes later."""

    cause: Text = ""
    settle: bool = True

    def commands(self) -> CommandArray:
        kinds = END_OF_DAY if self.settle else END_OF_DAY[:-1]
        made = commands(len(kinds))
        made["kind"] = kinds
        return made


class Settle(Message, frozen=True):
    """The last step of the end of day, once the registry has acknowledged the settlement file."""

    cause: Text = ""

    def commands(self) -> CommandArray:
        return command(CommandKind.SETTLE)


class SetReference(Message, frozen=True):
    """The previous close of an instrument, in ticks, before its day opens."""

    instrument: Id
    price: Id
    cause: Text = ""

    def commands(self) -> CommandArray:
        return command(CommandKind.SET_REFERENCE, instrument=self.instrument, price=self.price)


class WidenWindow(Message, frozen=True):
    """New floor and ceiling of an instrument's price window, ticks; the window only grows."""

    instrument: Id
    floor: Id
    ceiling: Id
    cause: Text = ""

    def commands(self) -> CommandArray:
        return command(CommandKind.WIDEN_WINDOW, instrument=self.instrument, price=self.floor, price2=self.ceiling)


class ListInstrument(Message, frozen=True):
    """List an instrument of the venue's rules from `date` (YYYYMMDD) on; `price` 0 = the composite as reference."""

    instrument: Id
    date: Id
    price: Id = 0
    cause: Text = ""

    def commands(self) -> CommandArray:
        return command(CommandKind.LIST_INSTRUMENT, instrument=self.instrument, price=self.price, expiry=self.date)


class DelistInstrument(Message, frozen=True):
    """`date` (YYYYMMDD) is the last trading date."""

    instrument: Id
    date: Id
    cause: Text = ""

    def commands(self) -> CommandArray:
        return command(CommandKind.DELIST_INSTRUMENT, instrument=self.instrument, expiry=self.date)


class SetLimit(Message, frozen=True):
    """`kind` is a LimitKind; at most one of firm, account, instrument; `value` 0 = none. `override` holds until a
    moment, nanoseconds."""

    kind: Code
    value: Amount
    firm: Id = 0
    account: Id = 0
    instrument: Id = 0
    override: Amount = 0
    until: Amount = 0
    cause: Text = ""

    def commands(self) -> CommandArray:
        return command(
            CommandKind.SET_LIMIT,
            scope=self.kind,
            account=self.account,
            instrument=self.instrument,
            target=self.firm,
            quantity=self.value,
            quantity2=self.override,
            expiry=self.until,
        )


class KillSwitch(Message, frozen=True):
    """`scope` is a KillScope: a firm, an account, an instrument or the venue; stop, or resume."""

    scope: Code
    resume: bool = False
    firm: Id = 0
    account: Id = 0
    instrument: Id = 0
    cause: Text = ""

    def commands(self) -> CommandArray:
        return command(
            CommandKind.KILL_SWITCH,
            scope=self.scope,
            side=int(self.resume),
            account=self.account,
            instrument=self.instrument,
            target=self.firm,
        )


class CancelOrder(Message, frozen=True):
    """The operator cancels one order."""

    order: Amount
    cause: Text

    def commands(self) -> CommandArray:
        return command(CommandKind.SET_ORDER_STATUS, target=self.order)


class BustTrade(Message, frozen=True):
    """Cancel a trade; its terms are restated (`carbonbook operate bust` reads them from the journal)."""

    trade: Amount
    mode: Code
    instrument: Id
    buyer: Id
    seller: Id
    price: Id
    quantity: Amount
    date: Id
    cause: Text

    def commands(self) -> CommandArray:
        return command(
            CommandKind.BUST_TRADE,
            scope=self.mode,
            instrument=self.instrument,
            account=self.buyer,
            target=self.trade,
            expiry=self.date,
            price=self.price,
            quantity=self.quantity,
            quantity2=self.seller,
        )
