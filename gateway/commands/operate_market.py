"""`carbonbook operate`: instruments, limits, kill switches, the end of the day."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import click

from gateway.commands.common import json_option, parse_time
from gateway.commands.connect import Target, pass_target
from gateway.commands.operating import (
    ID,
    Told,
    act,
    amount_of,
    cause_option,
    checked,
    date_of,
    do,
    firm_number,
    iso,
    needed_cause_option,
    trading_date,
)
from gateway.commands.types import PRICE

if TYPE_CHECKING:
    from engine.control import Control
    from gateway.client import Client

LIMITS: Final = (
    *("order-quantity", "order-value", "price-collar", "order-rate", "open-orders", "position", "large-holder"),
)
SCOPES: Final = ("firm", "account", "instrument", "venue")


# --- instruments ------------------------------------------------------------------------------------------------------


@click.command("list")
@click.argument("instrument")
@click.argument("date")
@click.option("--price", type=PRICE, help="Reference price (default: its last close, or the composite).")
@cause_option
@json_option
@pass_target
def list_(target: Target, instrument: str, date: str, price: Decimal | None, cause: str, as_json: bool) -> None:
    """List an instrument of the venue's rules, DATE (YYYY-MM-DD) being its first trading date; also in session.

    \b
    carbonbook operate list CEA25 2025-08-12 --price 70.00 --session OPS
    """
    from engine.control import ListInstrument
    from engine.schema import EventKind

    first = date_of(date, "DATE")

    def make(it: Client) -> Control:
        ticks = it.reference.ticks(instrument, price) if price is not None else 0
        number = it.reference.instrument(instrument).number
        return checked(ListInstrument, instrument=number, date=first, price=ticks, cause=cause)

    def tell(it: Client, event: Any) -> Told:
        known = it.reference.price(instrument, int(event["price"])) if event["price"] else None
        text = f"{instrument}: listed from {date}, reference price {known if known is not None else 'none yet'}"
        return Told(text, {"instrument": instrument, "date": date, "price": known})

    act(target, as_json, make, EventKind.INSTRUMENT_LISTED, tell)


@click.command()
@click.argument("instrument")
@click.argument("date")
@cause_option
@json_option
@pass_target
def delist(target: Target, instrument: str, date: str, cause: str, as_json: bool) -> None:
    """Delist an instrument, DATE (YYYY-MM-DD) being its last trading date; what rests is cancelled at its end.

    \b
    carbonbook operate delist CEA21 2025-12-31 --cause "vintage expired" --session OPS
    """
    from engine.control import DelistInstrument
    from engine.schema import EventKind

    last = date_of(date, "DATE")

    def make(it: Client) -> Control:
        return checked(DelistInstrument, instrument=it.reference.instrument(instrument).number, date=last, cause=cause)

    def tell(_: Client, event: Any) -> Told:
        day = iso(int(event["aux"]))
        return Told(f"{instrument}: last trading date {day}", {"instrument": instrument, "date": day})

    act(target, as_json, make, EventKind.INSTRUMENT_DELISTED, tell)


@click.command()
@click.argument("instrument")
@click.argument("floor", type=PRICE)
@click.argument("ceiling", type=PRICE)
@cause_option
@json_option
@pass_target
def widen(target: Target, instrument: str, floor: Decimal, ceiling: Decimal, cause: str, as_json: bool) -> None:
    """Widen an instrument's price window to FLOOR and CEILING; it only grows. Limits of the day stay.

    \b
    carbonbook operate widen CEA24 0.01 1310.72 --session OPS
    """
    from engine.control import WidenWindow
    from engine.schema import EventKind

    def make(it: Client) -> Control:
        low, high = it.reference.ticks(instrument, floor), it.reference.ticks(instrument, ceiling)
        number = it.reference.instrument(instrument).number
        return checked(WidenWindow, instrument=number, floor=low, ceiling=high, cause=cause)

    def tell(it: Client, event: Any) -> Told:
        names = ("aux", "aux2", "remaining", "contra_remaining")
        now_low, now_high, low, high = (it.reference.price(instrument, int(event[name])) for name in names)
        text = f"{instrument}: window {now_low}-{now_high} (before: {low}-{high})"
        return Told(text, {"instrument": instrument, "floor": now_low, "ceiling": now_high})

    act(target, as_json, make, EventKind.WINDOW_SET, tell)


@click.command()
@click.argument("instrument")
@click.argument("price", type=PRICE)
@cause_option
@json_option
@pass_target
def reference(target: Target, instrument: str, price: Decimal, cause: str, as_json: bool) -> None:
    """Set the previous close of an instrument, between two trading days; the day's limits follow from it.

    \b
    carbonbook operate reference CEA24 73.20 --cause "published close" --session OPS
    """
    from engine.control import SetReference
    from engine.schema import EventKind

    def make(it: Client) -> Control:
        number = it.reference.instrument(instrument).number
        return checked(SetReference, instrument=number, price=it.reference.ticks(instrument, price), cause=cause)

    def tell(it: Client, event: Any) -> Told:
        low, high = (it.reference.price(instrument, int(event[name])) for name in ("aux", "aux2"))
        facts = {"instrument": instrument, "price": price, "limit_down": low, "limit_up": high}
        return Told(f"{instrument}: previous close {price}, limits {low}-{high}", facts)

    act(target, as_json, make, EventKind.LIMITS_SET, tell)


# --- limits and kill switches -----------------------------------------------------------------------------------------


@click.command()
@click.argument("kind", type=click.Choice(LIMITS, case_sensitive=False))
@click.argument("value")
@click.option("--firm", default="", help="Of this firm (number, or name where the server's data folder lies here).")
@click.option("--account", type=ID, default=None, help="Of this account.")
@click.option("--instrument", default="", help="Of this instrument. None of the three: the venue's.")
@click.option("--override", default=None, help="Another value, in force --until a moment.")
@click.option("--until", default=None, help="ISO 8601; without an offset it is the venue's local time.")
@cause_option
@json_option
@pass_target
def limit(
    target: Target,
    kind: str,
    value: str,
    firm: str,
    account: int | None,
    instrument: str,
    override: str | None,
    until: str | None,
    cause: str,
    as_json: bool,
) -> None:
    """Set a limit: VALUE 0 = none. Also in session.

    order-quantity: lots of an order. order-value: money, such as 5000000.00. price-collar: basis points around the
    last price. order-rate: orders a second. open-orders: live orders. position, large-holder: units of an asset;
    the last one is only reported at settlement.

    \b
    carbonbook operate limit order-value 5000000.00 --firm 2 --session OPS
    carbonbook operate limit price-collar 300 --instrument CEA24 --session OPS
    carbonbook operate limit position 100000 --account 3 --override 200000 --until 2025-08-11T15:00 --session OPS
    """
    from engine.control import SetLimit
    from engine.schema import EventKind, LimitKind

    if (override is None) != (until is None):
        raise click.UsageError("--override and --until go together", click.get_current_context())
    which = LimitKind[kind.upper().replace("-", "_")]
    number, other = _limit_value(which, value, "VALUE"), _limit_value(which, override or "0", "--override")

    def make(it: Client) -> Control:
        return checked(
            SetLimit,
            kind=int(which),
            value=number,
            firm=firm_number(target, firm) if firm else 0,
            account=account or 0,
            instrument=it.reference.instrument(instrument).number if instrument else 0,
            override=other,
            until=parse_time(until, it.reference.data.timezone, "--until") if until else 0,
            cause=cause,
        )

    whose = f"firm {firm}" if firm else f"account {account}" if account else instrument or "the venue"

    def tell(_: Client, event: Any) -> Told:
        over = f"; {override} until {until}" if override else ""
        facts = {"limit": kind.lower(), "of": whose, "value": int(event["aux"]), "override": int(event["aux2"])}
        return Told(f"{kind.lower()} of {whose}: {value if number else 'no limit'}{over}", facts)

    act(target, as_json, make, EventKind.LIMIT_SET, tell)


def _limit_value(kind: Any, text: str, hint: str) -> int:
    """Money in minor units, everything else a whole number."""
    from engine.schema import LimitKind

    if kind == LimitKind.ORDER_VALUE:
        return amount_of(text, hint)
    if not text.isdigit():
        raise click.BadParameter(f"{text!r}: write a whole number, 0 or more", param_hint=hint)
    return int(text)


@click.command()
@click.argument("scope", type=click.Choice(SCOPES, case_sensitive=False))
@click.argument("which", required=False)
@needed_cause_option
@json_option
@pass_target
def kill(target: Target, scope: str, which: str | None, cause: str, as_json: bool) -> None:
    """Stop a firm, an account, an instrument or the venue: all of it ends, nothing new is taken. WHICH: name or number.

    \b
    carbonbook operate kill firm "Alpha Power" --cause "runaway program" --session OPS
    carbonbook operate kill instrument CEA24 --cause "news pending" --session OPS
    carbonbook operate kill venue --cause "incident" --session OPS
    """
    _switch(target, scope.lower(), which, cause, as_json, resumes=False)


@click.command()
@click.argument("scope", type=click.Choice(SCOPES, case_sensitive=False))
@click.argument("which", required=False)
@cause_option
@json_option
@pass_target
def resume(target: Target, scope: str, which: str | None, cause: str, as_json: bool) -> None:
    """Let go on what was stopped by `kill`, or a firm that stopped itself. What was ended stays ended.

    \b
    carbonbook operate resume firm 2 --cause "cause found" --session OPS
    """
    _switch(target, scope.lower(), which, cause, as_json, resumes=True)


def _switch(target: Target, scope: str, which: str | None, cause: str, as_json: bool, *, resumes: bool) -> None:
    from engine.control import KillSwitch
    from engine.schema import EventKind, KillScope

    if (which is None) != (scope == "venue"):
        raise click.UsageError(f"name the {scope}" if which is None else "the venue has no number", None)
    if scope == "account" and not (which or "").isdigit():
        raise click.UsageError(f"{which!r}: an account is a number", None)

    def make(it: Client) -> Control:
        named = {}
        if scope == "firm":
            named["firm"] = firm_number(target, which or "")
        elif scope == "account":
            named["account"] = int(which or "0")
        elif scope == "instrument":
            named["instrument"] = it.reference.instrument(which or "").number
        return checked(KillSwitch, scope=int(KillScope[scope.upper()]), resume=resumes, cause=cause, **named)

    def tell(_: Client, event: Any) -> Told:
        ended, name = int(event["quantity"]), f"{scope} {which}" if which else "the venue"
        text = f"{name}: goes on" if resumes else f"{name}: stopped; {ended:,} orders, negotiations and bids ended"
        return Told(text, {"scope": scope, "which": which, "resumed": resumes, "ended": ended})

    act(target, as_json, make, EventKind.KILL_SWITCH_SET, tell)


# --- the end of the day -----------------------------------------------------------------------------------------------


@click.command("end-day")
@click.option("--no-settle", is_flag=True, help="Stop before settlement, which `settle` does later.")
@cause_option
@json_option
@pass_target
def end_day(target: Target, no_settle: bool, cause: str, as_json: bool) -> None:
    """End the trading day now: stop, expire day orders, fix the closes, settle. The journal begins a new segment.

    \b
    carbonbook operate end-day --session OPS
    carbonbook operate end-day --no-settle --session OPS
    """
    from engine.control import EndDay

    said = "day ended; the closes are fixed, settlement is due" if no_settle else "day ended and settled"
    do(target, checked(EndDay, cause=cause, settle=not no_settle), as_json, said)


@click.command()
@cause_option
@json_option
@pass_target
def settle(target: Target, cause: str, as_json: bool) -> None:
    """Settle the day that `end-day --no-settle` ended, once the registry has acknowledged it where the venue asks that.

    \b
    carbonbook operate settle --session OPS
    """
    from engine.control import Settle
    from engine.schema import EventKind

    def tell(it: Client, event: Any) -> Told:
        day = iso(int(event["aux"]) or trading_date(it))
        return Told(f"trading date {day} settled", {"date": day})

    message = checked(Settle, cause=cause)
    act(target, as_json, lambda _: message, EventKind.SETTLED, tell)


COMMANDS: Final = (list_, delist, widen, reference, limit, kill, resume, end_day, settle)
